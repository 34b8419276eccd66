"""`normwright charter ratify`: which norms people ratified, by which rule, and why not others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.charter.draft import estimate_json, estimate_of, share_of
from normwright.cli.charter.group import Norms, app, day_of
from normwright.cli.charter.places import consulted, norms_of
from normwright.cli.keys import passphrase_of_person
from normwright.cli.options import HERE, AsJson, Lang
from normwright.cli.progress import watching
from normwright.cli.screen import DONE, console, emit
from normwright.cli.standing import standing
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words
from normwright.records import Charter

if TYPE_CHECKING:
    from normwright.records import Norm, ReadingResult, Text

STYLES = {"ratified": "green", "proposed": "yellow", "rejected": "red", "aside": "dim"}


@app.command("ratify", epilog="Example:  normwright charter ratify my-town")
def ratify(
    place: Norms = HERE,
    *,
    reading: Annotated[
        list[Path] | None,
        typer.Option(
            "--reading",
            metavar="FILE",
            help="A reading that `charter draft --save` wrote; repeat it. In place of a project's.",
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="DATE", help="Day of ratification; that of the last reading."),
    ] = None,
    parent: Annotated[
        Path | None,
        typer.Option("--parent", metavar="FILE", help="The charter that this one amends, as JSON."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the charter as JSON to a new file."),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Ratify norms by the rules of their charter, and say of each norm what it comes to.

    A project is carried as far as its charter, as `run --until charter` does. With --reading the
    norms are put to readings in files. Exit 1 with every fault if a norm fails its own cases or the
    charter breaks an invariant, such as a lower layer repealing a floor; nothing is ratified then.
    """
    from normwright import flow

    shown = choose(lang)
    if reading:
        made = flow.ratified_from(
            norms_of(place), reading, on=None if on is None else day_of(on, "--on"), parent=parent
        )
    else:
        _only_with_readings(on, parent)
        consulted(place)
        made = _of_project(place, shown, as_json=as_json)
    if out is not None:
        flow.write_record(made, out)
    if as_json:
        emit(_json(made))
    else:
        _show(made, shown)
    return DONE


def _of_project(directory: Path, lang: str, *, as_json: bool) -> Charter:
    from normwright import flow

    flow.check_makes(flow.load_project(directory), "charter")
    with watching(console(stderr=True), lang, quiet=as_json) as watch:
        flow.run(directory, until="charter", watch=watch, passphrase=passphrase_of_person)
    return standing(directory, Charter, step="charter")


def _only_with_readings(on: str | None, parent: Path | None) -> None:
    """Refuse what a project says in its own files, so that the same files give the same charter."""
    for option, given in (("--on", on), ("--parent", parent)):
        if given is not None:
            raise typer.BadParameter(
                "a project says it in its files (charter_date, norms/charter.yaml); give it with"
                " --reading",
                param_hint=option,
            )


def _json(made: Charter) -> dict[str, Any]:
    return {
        "charter": made.digest,
        "id": made.id,
        "version": made.version,
        "parent": made.parent,
        "process": made.process,
        "kind": made.kind,
        "norms": [
            *(_standing_norm(norm) for norm in made.norms),
            *(
                {**_standing_norm(one.norm), "state": "proposed", "reasons": one.reasons,
                 "awaits": one.awaits.isoformat()}
                for one in made.proposed
            ),
            *(
                {"norm": one.norm, "state": "rejected", "rule": one.rules, "level": None,
                 "support": _support(one.support), "change": None, "reasons": one.reasons,
                 "readings": [_reading(r) for r in one.readings], "awaits": None}
                for one in made.rejected
            ),
        ],
        "dissents": [{**one.model_dump(mode="json"), "digest": one.digest}
                     for one in made.dissents],
    }  # fmt: skip


def _standing_norm(norm: Norm) -> dict[str, Any]:
    proof = norm.provenance
    return {
        "norm": norm.ref,
        "state": state_of(norm),
        "status": norm.status,
        "rule": {} if proof is None else proof.rules,
        "level": None if proof is None else proof.decision_level,
        "support": {} if proof is None else _support(proof.support),
        "change": None if proof is None else estimate_json(proof.change),
        "reasons": {},
        "readings": [] if proof is None else [_reading(r) for r in proof.readings],
        "awaits": None,
    }


def state_of(norm: Norm) -> str:
    """Return `ratified` for a norm that holds, else that it stands aside."""
    return "ratified" if norm.status in ("in_force", "demonstration") else "aside"


def _support(support: dict[str, Any]) -> dict[str, Any]:
    return {name: estimate_json(one) for name, one in support.items()}


def _reading(one: ReadingResult) -> dict[str, Any]:
    return {
        "held_on": one.held_on.isoformat(),
        "process": one.process,
        "people": one.people,
        "carried": one.carried,
        "support": _support(one.support),
        "kept": one.kept,
        "against": list(one.against),
    }


def _show(made: Charter, lang: str) -> None:
    say = words(lang)
    for norm in made.norms:
        proof = norm.provenance
        told = [] if proof is None else [proof.rules, *_change(norm)]
        head = f"{share_of({} if proof is None else proof.support)}"
        level = "" if proof is None else f"{proof.decision_level}, "
        _line(norm.ref, state_of(norm), f"{level}{norm.status}", head, told, lang)
    for waiting in made.proposed:
        proof = waiting.norm.provenance
        _line(waiting.norm.ref, "proposed", waiting.norm.status,
              share_of({} if proof is None else proof.support),
              [waiting.reasons, *([] if proof is None else [proof.rules])], lang)  # fmt: skip
    for one in made.rejected:
        _line(one.norm, "rejected", "", share_of(one.support), [one.reasons, one.rules], lang)
    console().print(
        say["ratify-charter"].format(id=made.id, version=made.version, digest=made.digest),
        markup=False, soft_wrap=True,
    )  # fmt: skip


def _change(norm: Norm) -> list[Text]:
    proof = norm.provenance
    if proof is None or proof.change is None:
        return []
    return [{"en": f"Δ {estimate_of(proof.change)}"}]


def _line(ref: str, state: str, status: str, share: str, told: list[Text], lang: str) -> None:
    out = console()
    parts = [ref, words(lang)[f"ratify-{state}"], *([f"({status})"] if status else []), share]
    out.print("  ".join(parts), style=STYLES[state], markup=False)
    for text in told:
        if text:
            out.print(f"  {in_language(text, lang)}", markup=False)
