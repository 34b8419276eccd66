"""`normwright charter decide`: ask what a charter says about a situation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.charter.asking import facts_of
from normwright.cli.charter.group import Drafts, app
from normwright.cli.charter.places import charter_at, drafted_at
from normwright.cli.options import HERE, AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words
from normwright.records import Charter, Fault, InputError, Situation, instant_text

if TYPE_CHECKING:
    from normwright.charter import Asked
    from normwright.records import Decision, Duty, FactValue

DECISION_STYLES = {"allow": "bold green", "deny": "bold red", "ask": "bold yellow"}


@app.command(
    "decide",
    epilog="Example:  normwright charter decide my-town --act disclose.personal-data"
    " --fact data_public=false --fact requester_is_subject=false",
)
def decide(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="[SITUATION.yaml | DIR]",
            help="A situation, or a charter file with situations; with --act, what is asked: a"
            " project, which gives its ratified charter; a directory of norms; one charter file, or"
            " the JSON of `charter show`; `seeds`: the norms that ship.",
            show_default="here",
        ),
    ] = HERE,
    *,
    norms: Annotated[
        Path | None,
        typer.Option(
            "--norms",
            metavar="DIR",
            help="The charter to ask, where the situation is in a file of its own: as DIR.",
        ),
    ] = None,
    act: Annotated[
        str | None, typer.Option("--act", metavar="ACT", help="An act of the charter's ontology.")
    ] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(
            "--fact", metavar="NAME=VALUE", help="A fact; repeat it. What is left out is unknown."
        ),
    ] = None,
    drafts: Drafts = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Ask a charter about a situation; exit 0 whatever the answer is.

    A file may say what it expects; what comes out otherwise is marked, with `agrees` in the JSON.
    """
    from normwright.norms import Resolver

    charter, asked, several = _asked(place, norms, act, fact or [], drafts=drafts, lang=lang)
    if not charter.norms:
        err = console(stderr=True)
        err.print(words(choose(lang))["none-in-force"], style="yellow", markup=False)
    resolver = Resolver(charter)
    answers = [(one, resolver.decide(one.situation)) for one in asked]
    if as_json:
        shown = [_shown(one, decision) for one, decision in answers]
        emit({"situations": shown} if several else shown[0])
        return DONE
    out = console()
    for one, decision in answers:
        told = f"{one.name}: {decision.verdict}" if one.name else decision.verdict
        out.print(told, style=DECISION_STYLES.get(decision.verdict, "bold"), markup=False)
        for line in _otherwise(one, decision, choose(lang)):
            out.print(f"  {line}", style="red", markup=False)
        for line in reasons(decision, charter, choose(lang)):
            out.print(f"  {line}", markup=False)
    return DONE


def _asked(
    place: Path,
    norms: Path | None,
    act: str | None,
    given: list[str],
    *,
    drafts: bool,
    lang: str | None,
) -> tuple[Charter, Sequence[Asked], bool]:
    """Return the charter, what it is asked, and whether a file asked several things."""
    from normwright.charter import Asked, read_situations

    if act is not None:
        charter = charter_at(norms or place, drafts=drafts).charter
        facts = facts_of(given)
        _known(charter, act, facts)
        return charter, [Asked("", Situation(act=act, facts=facts))], False
    if not place.is_file():
        raise typer.BadParameter("say --act, or name a file with a situation", param_hint="--act")
    asked, several = read_situations(place)
    if norms is None and not several:
        raise typer.BadParameter("say which norms to ask", param_hint="--norms")
    found = drafted_at(place, drafts=drafts) if norms is None else charter_at(norms, drafts=drafts)
    charter = found.charter
    _familiar(charter, asked, choose(lang))
    return charter, asked, several


def _familiar(charter: Charter, asked: Sequence[Asked], lang: str) -> None:
    """Raise InputError for facts that are not the charter's; note acts that are not, on stderr."""
    from normwright.charter.situations import strange_acts, strange_facts

    faults = [fault for one in asked for fault in strange_facts(one, charter.vocabulary)]
    if faults:
        raise InputError(faults)
    say = words(lang)["act-open" if charter.open_world else "act-closed"]
    err = console(stderr=True)
    for remark in (r for one in asked for r in strange_acts(one, charter.vocabulary)):
        told = f"{remark.where}: {say.format(act=remark.seen)} {remark.do}"
        err.print(told.rstrip(), style="yellow", markup=False)


def _shown(one: Asked, decision: Decision) -> dict[str, Any]:
    from normwright.charter.situations import OUTCOME, missed

    body = decision.model_dump(mode="json", include={*OUTCOME, "charter"})
    if one.name:
        body = {"name": one.name, **body}
    if one.expect is not None:
        body |= {"expect": dict(one.expect), "agrees": not missed(decision, one.expect)}
    return body


def _otherwise(one: Asked, decision: Decision, lang: str) -> list[str]:
    """What was expected and did not come out."""
    from normwright.charter.situations import missed

    if one.expect is None:
        return []
    say = words(lang)
    return [
        f"{say['expected']}: {key} {_plain(one.expect[key])}"
        for key in missed(decision, one.expect)
    ]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values())
    return ", ".join(_plain(part) for part in value) if isinstance(value, list) else str(value)


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


def reasons(decision: Decision, charter: Charter, lang: str) -> list[str]:
    """Return what a decision rests on, line by line: norms in words, defeats, unknown facts."""
    from normwright.charter.telling import act_in, fact_in

    say, vocabulary = words(lang), charter.vocabulary
    said = {one.ref: in_language(one.statement, lang) for one in charter.norms}
    lines = [f"{ref}: {said.get(ref, '')}" for ref in decision.governing]
    lines += [f"{say['defeated']}: {one.id} < {one.by} ({one.rule})" for one in decision.defeated]
    for key, listed in (
        ("unknown", [_called(one, fact_in(one, vocabulary, lang)) for one in decision.unknown]),
        ("least-bad", [_called(one, act_in(one, vocabulary, lang))
                       for one in decision.least_bad if decision.verdict != "allow"]),
        ("duties", [_duty(one, say["due"]) for one in decision.duties]),
        ("reparations", decision.reparations),
    ):  # fmt: skip
        lines += [f"{say[key]}: {'; '.join(listed)}"] if listed else []
    return lines


def _called(name: str, label: str) -> str:
    """What a fact or an act is called, beside the name it is typed by."""
    return name if label == name else f"{label} ({name})"


def _duty(duty: Duty, by: str) -> str:
    return duty.id if duty.due is None else f"{duty.id} ({by} {instant_text(duty.due)})"
