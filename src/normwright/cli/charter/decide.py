"""`normwright charter decide`: ask what a charter says about a situation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.charter.group import app
from normwright.cli.charter.norms import is_project, norms_of
from normwright.cli.options import HERE, AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.standing import standing
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words
from normwright.records import Charter, Fault, InputError, Situation

if TYPE_CHECKING:
    from normwright.charter import Asked
    from normwright.records import Decision, FactValue

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
            help="A situation, a charter file with situations, or a project.",
            show_default="here",
        ),
    ] = HERE,
    *,
    norms: Annotated[
        Path | None,
        typer.Option(
            "--norms",
            metavar="DIR",
            help="The norms to ask: a directory, a charter file, or `seeds`. A project is asked by"
            " its ratified charter.",
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
    drafts: Annotated[
        bool, typer.Option("--drafts", help="Take drafted and proposed norms to hold as well.")
    ] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Ask a charter about a situation; exit 0 whatever the answer is."""
    from normwright.norms import Resolver

    charter, asked, several = _asked(place, norms, act, fact or [], drafts)
    resolver = Resolver(charter)
    answers = [(one, resolver.decide(one.situation)) for one in asked]
    if as_json:
        shown = [_shown(one, decision) for one, decision in answers]
        emit({"situations": shown} if several else shown[0])
        return DONE
    out = console()
    for one, decision in answers:
        told = f"{one.name}: {decision.verdict}" if several else decision.verdict
        out.print(told, style=DECISION_STYLES.get(decision.verdict, "bold"), markup=False)
        if (
            one.expect is not None
            and one.expect.get("verdict", decision.verdict) != decision.verdict
        ):
            out.print(f"  expected {one.expect['verdict']}", style="red", markup=False)
        for line in reasons(decision, charter, choose(lang)):
            out.print(f"  {line}", markup=False)
    return DONE


def _asked(
    place: Path, norms: Path | None, act: str | None, given: list[str], drafts: bool
) -> tuple[Charter, Sequence[Asked], bool]:
    """Return the charter, what it is asked, and whether a file asked several things."""
    from normwright.charter import Asked, assembled, read_situations

    if act is not None:
        charter = _charter(norms or place, drafts)
        facts = facts_of(given)
        _known(charter, act, facts)
        return charter, [Asked("", Situation(act=act, facts=facts))], False
    if not place.is_file():
        raise typer.BadParameter("say --act, or name a file with a situation", param_hint="--act")
    asked, several = read_situations(place)
    if norms is None and several:
        return assembled(norms_of(place), drafts=drafts), asked, several
    if norms is None:
        raise typer.BadParameter("say which norms to ask", param_hint="--norms")
    return _charter(norms, drafts), asked, several


def _charter(place: Path, drafts: bool) -> Charter:
    from normwright.charter import assembled

    if is_project(place) and not drafts:
        return standing(place, Charter, step="charter")
    return assembled(norms_of(place), drafts=drafts)


def _shown(one: Asked, decision: Decision) -> dict[str, Any]:
    body = {**decision.model_dump(mode="json"), "digest": decision.digest}
    if one.name:
        body = {"name": one.name, **body}
    if one.expect is not None:
        agrees = all(body.get(key) == value for key, value in one.expect.items())
        body |= {"expect": dict(one.expect), "agrees": agrees}
    return body


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
    lines += [f"{say['defeated']}: {one.id} < {one.by} ({one.rule})" for one in decision.defeated]
    if decision.unknown:
        lines.append(f"{say['unknown']}: {', '.join(decision.unknown)}")
    if decision.duties:
        lines.append(f"{say['duties']}: {', '.join(one.id for one in decision.duties)}")
    return lines
