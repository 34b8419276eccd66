"""`normwright diff`: two runs, link by link, from votes to verdict, with what changed and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.options import HERE, AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words
from normwright.records import Estimate

if TYPE_CHECKING:
    from normwright.flow import Comparison, RunName
    from normwright.flow.causes import Cause
    from normwright.flow.compare import (
        CriterionChange,
        EstimateChange,
        MeasureChange,
        OutcomeChange,
        StandingChange,
    )

SHORT = 8
"""Hexadecimal digits of a digest that a screen shows; `trace` takes them back."""

FEW = 12
"""Of a long list a screen shows so many and counts the rest; `--json` has them all."""


def add_to(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("diff", epilog="Example:  normwright diff my-town@1 my-town")(diff)


def diff(
    before: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="DIR: its last finished run; DIR@3: its run 3; 3: run 3 of --project.",
        ),
    ],
    after: Annotated[str, typer.Argument(metavar="RUN", help="The run to compare it with.")],
    project: Annotated[
        Path,
        typer.Option(
            "--project",
            metavar="DIR",
            help="The project a bare number is a run of.",
            show_default="here",
        ),
    ] = HERE,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Say what changed from one run to another, from votes to the verdict, and why.

    Single votes are never shown. Of two estimates both are shown, with their intervals; that models
    behave differently is claimed only where both answered the same scenes. The exit code is 0
    whether or not there is a difference.
    """
    from normwright import flow

    shown = choose(lang)
    found = flow.compare(run_name(before, project), run_name(after, project))
    if as_json:
        emit(found.as_json())
        return DONE
    out = console()
    for line in lines_of(found, shown):
        heading = bool(line) and not line.startswith(" ")
        out.print(line, style="bold" if heading else None, markup=False, soft_wrap=True)
    return DONE


def run_name(text: str, project: Path) -> RunName:
    """Return the run that is meant by `DIR`, `DIR@N`, or `N` in a given project."""
    from normwright.flow import RunName

    directory, _, number = text.rpartition("@")
    if not number.isdecimal() or (not directory and "@" in text):
        return RunName(Path(text))
    return RunName(Path(directory) if directory else project, int(number))


def lines_of(found: Comparison, lang: str) -> Iterator[str]:
    """Yield the comparison as lines: first causes, then each link of the chain."""
    say = words(lang)
    yield f"{found.before} → {found.after}"
    links: Sequence[tuple[str, list[str]]] = (
        ("diff-why", [line for cause in found.why for line in _cause(cause, say)]),
        ("diff-people", _people(found, say)),
        ("diff-outcomes", [line for one in found.outcomes for line in _outcome(one, say)]),
        ("diff-norms", _norms(found, say, lang)),
        ("diff-data", _data(found, say)),
        ("diff-models", _models(found)),
        ("diff-behaviour", _behaviour(found, say)),
        ("diff-criteria", _cut([_criterion(one, say) for one in found.criteria], say)),
        ("verdict", _verdict(found, say)),
    )
    for heading, lines in links:
        if lines:
            yield say[heading]
            yield from (f"  {line}" for line in lines)
        else:
            yield f"{say[heading]}: {say['diff-same']}"


def _cause(cause: Cause, say: Mapping[str, str]) -> Iterator[str]:
    told = {
        "code": say["diff-code"],
        "seed": say["diff-seed"],
        "step": say["diff-step"].format(name=cause.name),
        "parameter": f"{', '.join(cause.steps)}: {cause.name}",
    }.get(cause.kind, cause.name)
    yield _from_to(told, _value(cause.before), _value(cause.after))
    yield "  → " + (" → ".join(cause.reaches) or say["diff-nothing"])


def _people(found: Comparison, say: Mapping[str, str]) -> list[str]:
    lines = []
    for table in found.people:
        counts = say["diff-rows"].format(
            added=table.added, removed=table.removed, changed=table.changed
        )
        if any(table.erased):
            counts += f"; {_from_to(say['diff-erased'], *map(str, table.erased))}"
        told = _from_to(say[f"diff-{table.table}"], str(table.before), str(table.after))
        if table.root_before != table.root_after:
            roots = _from_to(say["diff-root"], _short(table.root_before), _short(table.root_after))
            told = f"{told} ({counts}; {roots})"
        lines.append(told)
    return lines


def _outcome(outcome: OutcomeChange, say: Mapping[str, str]) -> Iterator[str]:
    votes = _from_to(say["diff-votes"], *map(_value, outcome.votes))
    people = _from_to(say["diff-participants"], *map(_value, outcome.participants))
    told = f"{outcome.layer} {outcome.authority}: {votes}; {people}"
    if any(outcome.voters):
        told += "; " + _from_to(say["diff-voters"], *map(_value, outcome.voters))
    yield told
    if outcome.groups[0] != outcome.groups[1]:
        yield "  " + _from_to(say["diff-groups"], *map(_sizes, outcome.groups))
    for ranking in outcome.rankings:
        yield "  " + say["diff-ranking"].format(method=ranking.method)
    moved = [_estimates(one, say) for one in (*outcome.support, *outcome.shares)]
    yield from (f"  {line}" for line in _cut(moved, say))
    stands = [_from_to(one.alternative, *_stands(one, say)) for one in outcome.standings]
    margins = [_estimates(one, say) for one in outcome.margins]
    for heading, lines in (("diff-standings", stands), ("diff-margins", margins)):
        if lines:
            yield f"  {say[heading]}"
            yield from (f"    {line}" for line in _cut(lines, say))


def _stands(change: StandingChange, say: Mapping[str, str]) -> tuple[str, str]:
    """Where an alternative stood and stands: its share of first places and its places."""
    before, after = (
        say["diff-absent"]
        if one is None
        else say["diff-stands"].format(
            first=_estimate(one.first), low=f"{one.places.low:g}", high=f"{one.places.high:g}"
        )
        for one in (change.before, change.after)
    )
    return before, after


def _estimates(change: EstimateChange, say: Mapping[str, str]) -> str:
    told = _from_to(change.name, _estimate(change.before), _estimate(change.after))
    return told + _standing(change.overlap, say)


def _norms(found: Comparison, say: Mapping[str, str], lang: str) -> list[str]:
    lines = []
    for norm in found.norms:
        if norm.before == norm.after:
            told = say["diff-rewritten"].format(fields=", ".join(norm.fields))
            lines.append(f"{norm.norm}: {told}")
            continue
        told = _from_to(norm.norm, say[f"diff-{norm.before}"], say[f"diff-{norm.after}"])
        lines.append(f"{told}. {in_language(norm.reason, lang)}".rstrip())
    if found.permit[0] != found.permit[1]:
        modes = (_value(side and ", ".join(side)) for side in found.permit)
        lines.append(_from_to(say["diff-permit"], *modes))
    return lines


def _data(found: Comparison, say: Mapping[str, str]) -> list[str]:
    lines = []
    for data in found.data:
        content = _from_to(say["diff-content"], *map(_short, data.content))
        told = _from_to(f"{data.step}: {say[f'diff-{data.kind}']}", *map(_value, data.rows))
        lines.append(f"{told} ({content})")
        curated = [_from_to(name, *map(str, rows)) for name, rows in data.curation.items()]
        lines += [f"  {line}" for line in _cut(curated, say)]
    return lines


def _models(found: Comparison) -> list[str]:
    return [_from_to(one.name, _short(one.before), _short(one.after)) for one in found.models]


def _behaviour(found: Comparison, say: Mapping[str, str]) -> list[str]:
    """What can be told apart comes first; of the rest only how many there are."""
    told = [one for one in found.behaviour if _differs(one)]
    lines = _cut([_measure(one, say) for one in told], say)
    if rest := len(found.behaviour) - len(told):
        lines.append(say["diff-rest"].format(count=rest))
    if found.unpaired:
        lines.append(say[f"diff-unpaired-{found.unpaired}"])
    elif found.left_out:
        lines.append(say["diff-left-out"].format(count=found.left_out))
    return lines


def _differs(change: MeasureChange) -> bool:
    """Say whether a measurement is worth a line: paired, an interval that leaves out zero."""
    if change.before is None or change.after is None:
        return True
    if change.paired is not None:
        interval = change.paired.difference.interval
        return interval is not None and not interval.low <= 0 <= interval.high
    return change.overlap is False


def _measure(change: MeasureChange, say: Mapping[str, str]) -> str:
    about = ", ".join(filter(None, (change.lang, change.norm)))
    name = f"{change.model}: {change.suite} ({change.metric})" + (f" {about}" if about else "")
    told = _from_to(name, _estimate(change.before), _estimate(change.after))
    if change.paired is None:
        return told + _standing(change.overlap, say)
    p_value = change.paired.p_value
    p = say["unknown"] if p_value is None else f"{p_value:.3f}"
    return f"{told}; " + say["diff-paired"].format(
        difference=_estimate(change.paired.difference), p=p
    )


def _criterion(change: CriterionChange, say: Mapping[str, str]) -> str:
    sides = [
        say["diff-absent"]
        if one is None
        else f"{say[f'diff-{one.state}']} ({say['bound']} {_number(one.bound)}, "
        f"{say['limit']} {_number(one.limit)}, n {one.n})"
        for one in (change.before, change.after)
    ]
    mode = say.get(change.mode, change.mode)
    told = _from_to(f"{change.criterion} [{mode}]", *sides)
    return f"{told}; {say['diff-criterion-rewritten']}" if change.rewritten else told


def _verdict(found: Comparison, say: Mapping[str, str]) -> list[str]:
    lines = []
    for mode in found.verdict:
        words_said = mode.before or say["diff-none"], mode.after or say["diff-none"]
        name = say.get(mode.mode, mode.mode)
        if words_said[0] == words_said[1]:
            told = f"{name}: {words_said[0]}, {say['diff-same']}"
        else:
            told = _from_to(name, *words_said)
        if mode.deciding_before != mode.deciding_after:
            sides = (_value(mode.deciding_before), _value(mode.deciding_after))
            told = f"{told} ({_from_to(say['deciding'], *sides)})"
        elif mode.deciding_after:
            told = f"{told} ({say['deciding']} {mode.deciding_after})"
        lines.append(told)
    return lines


def _standing(overlap: bool | None, say: Mapping[str, str]) -> str:
    if overlap is None:
        return ""
    return f"; {say['diff-overlap' if overlap else 'diff-apart']}"


def _cut(lines: Sequence[str], say: Mapping[str, str]) -> list[str]:
    if len(lines) <= FEW:
        return list(lines)
    return [*lines[:FEW], say["diff-more"].format(count=len(lines) - FEW)]


def _from_to(name: str, before: str, after: str) -> str:
    return f"{name}: {before}" if before == after else f"{name}: {before} → {after}"


def _estimate(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    interval = estimate.interval
    bounds = "" if interval is None else f" [{interval.low:.3f}, {interval.high:.3f}]"
    return f"{estimate.value:.3f}{bounds} (n {estimate.n})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _sizes(sizes: tuple[int, ...] | None) -> str:
    return "–" if sizes is None else ", ".join(map(str, sizes)) or "0"


def _short(digest: str | None) -> str:
    return "–" if digest is None else digest.removeprefix("sha256:")[:SHORT]


def _value(value: Any) -> str:
    if value is None:
        return "–"
    return _short(value) if isinstance(value, str) and value.startswith("sha256:") else str(value)
