"""`normwright charter`: check the drafted norms, ask what is allowed, show what was ratified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final

import typer

from normwright.cli.options import HERE, AsJson, Directory, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.standing import standing
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words
from normwright.records import Charter, Fault, InputError, Situation

if TYPE_CHECKING:
    from rich.console import RenderableType

    from normwright.records import Decision, FactValue, Norm

app = typer.Typer(
    help="Check the drafted norms, ask what is allowed, show what was ratified.",
    no_args_is_help=True,
)

STEP: Final = "charter"
"""The step of a run that makes the charter."""

DECISION_STYLES = {"allow": "bold green", "deny": "bold red", "ask": "bold yellow"}


@app.command("check", epilog="Example:  normwright charter check my-town")
def check(directory: Directory = HERE, as_json: AsJson = False) -> int:
    """Read a project's drafted norms and run each norm's own cases; exit 1 with every fault."""
    from normwright import flow
    from normwright.charter import read_source

    project = flow.load_project(directory)
    place = project.settings.sources.norms
    if place is None:
        raise InputError(
            [
                Fault(
                    where=f"{flow.FILE}: sources.norms",
                    expected="a directory of norms",
                    seen="none",
                    do="Write norms, one file each, and name their directory there.",
                )
            ]
        )
    source = read_source(project.path(place), languages=project.settings.languages)
    cases = sum(len(norm.cases) for norm in source.norms)
    if as_json:
        emit({"norms": len(source.norms), "cases": cases, "faults": []})
    else:
        console().print(f"{len(source.norms)} norms, {cases} cases, 0 faults", style="green")
    return DONE


@app.command(
    "decide",
    epilog="Example:  normwright charter decide my-town --act disclose.personal-data"
    " --fact data_public=false --fact requester_is_subject=false",
)
def decide(
    directory: Directory = HERE,
    *,
    act: Annotated[
        str, typer.Option("--act", metavar="ACT", help="An act of the charter's ontology.")
    ],
    fact: Annotated[
        list[str] | None,
        typer.Option(
            "--fact", metavar="NAME=VALUE", help="A fact; repeat it. What is left out is unknown."
        ),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Ask the ratified charter about one situation; exit 0 whatever the answer is."""
    from normwright.norms import decide as resolve

    charter = standing(directory, Charter, step=STEP)
    facts = facts_of(fact or ())
    _known(charter, act, facts)
    decision = resolve(charter, Situation(act=act, facts=facts))
    if as_json:
        emit({**decision.model_dump(mode="json"), "digest": decision.digest})
        return DONE
    out = console()
    out.print(decision.verdict, style=DECISION_STYLES.get(decision.verdict, "bold"))
    for line in reasons(decision, charter, choose(lang)):
        out.print(f"  {line}", markup=False)
    return DONE


@app.command("show", epilog="Example:  normwright charter show my-town --norm g.privacy")
def show(
    directory: Directory = HERE,
    norm: Annotated[
        str | None,
        typer.Option("--norm", metavar="ID", help="Only norms whose id begins like this."),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Show the ratified charter: each norm with its layer, force, status and support."""
    charter = standing(directory, Charter, step=STEP)
    chosen = [one for one in charter.norms if norm is None or one.id.startswith(norm)]
    if not chosen:
        raise InputError(
            [
                Fault(
                    where="--norm",
                    expected=f"one of {', '.join(one.id for one in charter.norms)}",
                    seen=str(norm),
                )
            ]
        )
    if as_json:
        body = charter.model_dump(mode="json", by_alias=True)
        body["norms"] = [one.model_dump(mode="json", by_alias=True) for one in chosen]
        emit({**body, "digest": charter.digest})
    else:
        out = console()
        for one in chosen:
            out.print(_shown(one, choose(lang)))
    return DONE


def facts_of(given: list[str] | tuple[str, ...]) -> dict[str, FactValue]:
    """Return facts written as `name=value`: true, false, a whole number, `unknown`, or text.

    Raises:
        InputError: with every one that has no name or no value.
    """
    facts: dict[str, FactValue] = {}
    faults = []
    for one in given:
        name, equals, value = one.partition("=")
        if not (name and equals and value):
            faults.append(Fault(where="--fact", expected="NAME=VALUE", seen=repr(one)))
        facts[name] = _value(value)
    if faults:
        raise InputError(faults)
    return facts


def _known(charter: Charter, act: str, facts: Mapping[str, FactValue]) -> None:
    """Raise InputError for names the vocabulary does not have: a slip of the pen is no situation.

    The resolver itself takes any name, and is careful about what it does not know; here a person
    types, and should learn at once that a word is not one of the charter's.
    """
    from difflib import get_close_matches

    acts = [one.name for one in charter.vocabulary.acts]
    names = [one.name for one in charter.vocabulary.facts]
    asked = [("--act", act, acts), *(("--fact", name, names) for name in facts)]
    faults = []
    for where, name, known in asked:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            do = f"Nearest: {near[0]}." if near else ""
            faults.append(
                Fault(where=where, expected=f"one of {', '.join(known)}", seen=name, do=do)
            )
    if faults:
        raise InputError(faults)


def _value(text: str) -> FactValue:
    match text:
        case "true":
            return True
        case "false":
            return False
        case "unknown":
            return None
    return int(text) if text.removeprefix("-").isdecimal() else text


def reasons(decision: Decision, charter: Charter, lang: str) -> list[str]:
    """Return what a decision rests on, line by line: norms in words, defeats, unknown facts."""
    say = words(lang)
    said = {one.ref: in_language(one.statement, lang) for one in charter.norms}
    lines = [f"{ref}: {said.get(ref, '')}" for ref in decision.governing]
    lines += [f"{say['defeated']}: {one.norm} < {one.by} ({one.rule})" for one in decision.defeated]
    if decision.unknown:
        lines.append(f"{say['unknown']}: {', '.join(decision.unknown)}")
    if decision.duties:
        lines.append(f"{say['duties']}: {', '.join(decision.duties)}")
    return lines


def _shown(norm: Norm, lang: str) -> RenderableType:
    from rich.text import Text

    lines: list[tuple[str, str] | str] = [(norm.ref, "bold"), f"  {norm.layer} / {norm.authority}"]
    lines.append((f"  {norm.kind}, {norm.tier}, {norm.status}\n", "dim"))
    lines.append(f"  {in_language(norm.statement, lang)}\n")
    if norm.provenance is not None:
        support = norm.provenance.support.get("all")
        level = norm.provenance.decision_level
        told = f"  {level}, {norm.provenance.process} ({norm.provenance.process_kind})"
        if support is not None and support.value is not None and support.interval is not None:
            low, high = support.interval.low, support.interval.high
            told += f": {support.value:.2f} [{low:.2f}, {high:.2f}], n = {support.n}"
        lines.append((told + "\n", "cyan"))
    return Text.assemble(*lines)
