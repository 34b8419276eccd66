"""What `normwright aggregate` prints: the JSON that programs read, the tables that people read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright.cli.screen import fault_json
from normwright.cli.words import words
from normwright.records import Dilemma, Fault, InputError, Repair, Unranked

if TYPE_CHECKING:
    from rich.console import RenderableType

    from normwright.aggregate.opinions import Agreed
    from normwright.flow import Audited, Influence, OpinionGroups, Ranked, Slated, Weighed
    from normwright.records import (
        Agreement,
        AxiomFinding,
        Coherence,
        CohesiveGroup,
        Estimate,
        IntegrityFault,
        RepresentationAudit,
        ViolationRate,
    )

_SHOWN = 60
"""Characters of an alternative in a table."""


def unranked_of(value: str | None) -> Unranked | None:
    """Return the value of `--unranked`.

    Raises:
        InputError: if it is neither of the two.
    """
    match value:
        case None | "last" | "apart":
            return value
        case _:
            raise InputError(
                [Fault(where="--unranked", expected="last or apart", seen=repr(value), do="")]
            )


def picture_place(path: Path | None) -> None:
    """Check, before anything is counted, that a picture can be written there.

    Raises:
        InputError: if it cannot.
    """
    if path is None:
        return
    faults = []
    if path.suffix.lower() != ".svg":
        faults.append(Fault(where="--picture", expected="a file ending in .svg", seen=str(path)))
    if not path.parent.is_dir():
        faults.append(
            Fault(
                where="--picture",
                expected="a folder that exists",
                seen=str(path.parent),
                do=f"Make it first: mkdir -p {path.parent}",
            )
        )
    if faults:
        raise InputError(faults)


def write_picture(path: Path, svg: str) -> None:
    """Write a picture, whole or not at all.

    Raises:
        InputError: if nothing can be written there.
    """
    from normwright.store import write_whole

    try:
        write_whole(path, svg.encode())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        seen = str(error.strerror)
        fault = Fault(where="--picture", expected=f"a place to write {path}", seen=seen,
                      do="Choose another place.")  # fmt: skip
        raise InputError([fault]) from error


def finding_json(found: IntegrityFault) -> dict[str, Any]:
    """Return one finding of an integrity report as the contract of `elicit import` has it."""
    return {
        "kind": found.kind,
        "count": found.count,
        "where": list(found.examples),
        "policy": found.policy,
    }


def ranked_json(found: Ranked) -> dict[str, Any]:
    """Return a ranking as one JSON value; what does not apply has null where it would stand."""
    election = found.cast.election
    told: dict[str, Any] = {
        "method": found.method,
        "ballots": election.voters,
        "alternatives": len(election.alternatives),
        "unranked": election.unranked,
        "winners": None if found.winners is None else list(found.winners),
        "ranking": None if found.tiers is None else [list(tier) for tier in found.tiers],
        "tied": None if found.winners is None else len(found.winners) > 1,
        "format": found.cast.format,
        "source": found.cast.digest,
    }
    if found.order is None:
        return {**told, "refused": [fault_json(f) for f in found.refused]}
    order = found.order
    names = election.alternatives
    told["scores"] = order.scored(names)
    if order.errors is not None:
        told["errors"] = {a: float(s) for a, s in zip(names, order.errors, strict=True)}
    if order.places is not None:
        told["places"] = {a: [int(v) for v in p] for a, p in zip(names, order.places, strict=True)}
    told["facts"] = dict(order.facts)
    if found.certainty is not None:
        told["certainty"] = {
            "rounds": found.rounds,
            "seed": found.seed,
            "standings": [s.model_dump(mode="json") for s in found.certainty.standings],
            "margins": [m.model_dump(mode="json") for m in found.certainty.margins],
        }
    return told


def ranked_screen(found: Sequence[Ranked], lang: str) -> list[RenderableType]:
    """Return rankings as a person reads them: one in full, several a row each."""
    say = words(lang)
    election = found[0].cast.election
    head = say["counted-head"].format(
        ballots=election.voters,
        alternatives=len(election.alternatives),
        format=found[0].cast.format,
        unranked=say[f"unranked-{election.unranked}"],
    )
    return [head, *(_one(found[0], lang) if len(found) == 1 else [_rows(found, lang)])]


def _one(found: Ranked, lang: str) -> list[RenderableType]:
    from rich.markup import escape
    from rich.table import Table

    say, placed = words(lang), found.placed
    headings = [say["place"], say["alternative"], say["score"]]
    if any(one.places is not None for one in placed):
        headings.append(say["places"])
    sure = found.certainty is not None and bool(found.certainty.standings)
    if sure:
        headings.append(say["leads"])
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for one in placed:
        score = f"{one.score:.4g}".replace(".", say["decimal"], 1)
        cells = [str(one.place), _cut(one.told, _SHOWN), score]
        if one.places is not None:
            cells.append(f"{one.places[0]:.0f}-{one.places[1]:.0f}")
        if sure:
            cells.append("–" if one.leads is None else f"{one.leads:.0%}")
        table.add_row(*(escape(cell) for cell in cells))
    lines: list[RenderableType] = [f"[bold]{found.method}[/bold]", table]
    winners = found.winners or ()
    if len(winners) > 1:
        lines.append(say["tied"].format(n=len(winners)))
    if sure:
        lines.append(say["resampled"].format(rounds=found.rounds, seed=found.seed))
    return lines


def _cut(text: str, most: int) -> str:
    """The text, or its start with a sign that it goes on: two long names may start alike."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _rows(found: Sequence[Ranked], lang: str) -> RenderableType:
    from rich.markup import escape
    from rich.table import Table

    say = words(lang)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (say["method"], say["winners"], say["then"]):
        table.add_column(heading, overflow="fold")
    for one in found:
        if one.tiers is None:
            why = "; ".join(f"{f.expected} / {f.seen}" for f in one.refused)
            table.add_row(
                one.method, "–", escape(say["not-applicable"].format(why=why)), style="dim"
            )
            continue
        rest = " > ".join(" = ".join(tier) for tier in one.tiers[1:6])
        more = " > …" if len(one.tiers) > 6 else ""
        first = " = ".join(one.winners or ())
        table.add_row(
            one.method, escape(_cut(first, _SHOWN)), escape(_cut(rest + more, 2 * _SHOWN))
        )
    return table


def slate_json(found: Slated) -> dict[str, Any]:
    """Return a slate with its audit as one JSON value."""
    slate = found.slate
    audit = slate.audit
    return {
        "method": slate.method,
        "size": slate.size,
        "slate": list(slate.members),
        "jr": None if audit.jr is None else audit.jr.model_dump(mode="json"),
        "ejr_plus": None if audit.ejr_plus is None else audit.ejr_plus.model_dump(mode="json"),
        "vetoes": None
        if audit.vetoes is None
        else [veto.model_dump(mode="json") for veto in audit.vetoes],
        "not_audited": list(audit.not_audited),
        "tied": slate.tied,
        "sequential": slate.sequential,
        "ballots": slate.voters,
        "exposure": slate.exposure,
        "texts": {m: found.cast.texts[m] for m in slate.members if m in found.cast.texts},
        "support": None
        if found.support is None
        else {name: {"agree": a, "asked": n} for name, (a, n) in found.support.items()},
        "served": None if found.served is None else list(found.served),
        "influence": None if found.influence is None else found.influence.as_json(),
        "facts": slate.facts,
        "format": found.cast.format,
        "source": found.cast.digest,
    }


def slate_screen(found: Slated, lang: str) -> list[RenderableType]:
    """Return a slate as a person reads it: its members, then who would have none of them."""
    from rich.markup import escape
    from rich.table import Table

    say, slate = words(lang), found.slate
    head = say["slate-head"].format(
        method=slate.method, size=slate.size, ballots=slate.voters, format=found.cast.format
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("", justify="right")
    table.add_column("", overflow="fold")
    for number, name in enumerate(slate.members, 1):
        text = found.cast.texts.get(name)
        place = str(number) if slate.sequential else "•"
        table.add_row(place, escape(f"{name}  {text}" if text else name))
    lines: list[RenderableType] = [escape(head), table]
    if slate.exposure is not None and slate.exposure < 1:
        lines.append(say["slate-exposure"].format(share=_per_cent(slate.exposure, lang)))
    if slate.tied:
        lines.append(say["slate-tied"])
    lines += [
        escape(_represented(audit, name, lang))
        for name, audit in (("JR", slate.audit.jr), ("EJR+", slate.audit.ejr_plus))
        if audit is not None
    ]
    for veto in slate.audit.vetoes or ():
        if veto.epsilon > 0:
            lines.append(
                escape(
                    say["slate-veto"].format(
                        name=veto.alternative, share=_per_cent(veto.share, lang), n=veto.voters
                    )
                )
            )
    if found.influence is not None:
        lines += [escape(line) for line in _influenced(found.influence, lang)]
    lines += [escape(say["slate-not-audited"].format(why=why)) for why in slate.audit.not_audited]
    return lines


def _influenced(found: Influence, lang: str) -> list[str]:
    say, stable = words(lang), found.slate.stable
    turns = [
        say["slate-turns"].format(name=one.statement, n=one.flips_turned, seen=one.seen)
        for one in found.shares
        if one.flips_turned is not None
    ]
    return [say["slate-stable"].format(share=told_share(stable, lang), n=stable.n), *turns]


def _represented(audit: RepresentationAudit, name: str, lang: str) -> str:
    say = words(lang)
    if audit.witness is not None:
        return say["slate-left"].format(name=name, **_cohesive(audit.witness, lang))
    if audit.closest is None:
        return say["slate-nobody"].format(name=name)
    return say["slate-kept"].format(name=name, **_cohesive(audit.closest, lang))


def _cohesive(group: CohesiveGroup, lang: str) -> dict[str, str]:
    return {
        "n": str(group.voters),
        "share": _per_cent(group.share, lang),
        "lacks": group.lacks,
        "deserves": str(group.deserves),
        "has": str(group.has),
        "fill": f"{group.fill:.2f}".replace(".", words(lang)["decimal"]),
    }


def _per_cent(share: float, lang: str) -> str:
    return f"{100 * share:.1f} %".replace(".", words(lang)["decimal"])


def agreement_screen(found: Agreement, lang: str) -> list[RenderableType]:
    """Return how far rules agree as a person reads it."""
    from rich.markup import escape
    from rich.table import Table

    say = words(lang)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (say["rule"], say["winners"], say["then"]):
        table.add_column(heading, overflow="fold")
    for row in found.rows:
        if row.refused:
            why = row.refused.removeprefix(f"{row.rule}: expected ")
            why = say["not-applicable"].format(why=why)
            table.add_row(row.rule, "–", escape(why), style="dim")
            continue
        first = " = ".join(row.tiers[0]) if row.tiers else ""
        rest = " > ".join(" = ".join(tier) for tier in row.tiers[1:6])
        more = " > …" if len(row.tiers) > 6 else ""
        table.add_row(row.rule, escape(_cut(first, _SHOWN)), escape(_cut(rest + more, 2 * _SHOWN)))
    lines: list[RenderableType] = [table]
    key = "agreed-voters" if found.kind == "methods" else "agreed-theories"
    lines.append(
        say[key].format(
            share=told_share(found.agreed, lang),
            rules=len(found.compared),
            pairs=found.pairs,
            n=found.n,
        )
    )
    if found.depends is not None:
        lines.append(say["agreed-depends" if found.depends else "agreed-same"])
    if found.depends_share is not None:
        lines.append(
            say["agreed-resampled"].format(
                share=told_share(found.depends_share, lang), seed=found.depends_share.seed
            )
        )
    for camp in found.camps if found.depends else ():
        text = say["agreed-camp"].format(
            winners=" = ".join(camp.winners), rules=", ".join(camp.rules)
        )
        lines.append(escape(text))
    return lines


def told_share(estimate: Estimate, lang: str) -> str:
    """Return a share with its interval; what is not known is a dash."""
    if estimate.value is None:
        return "–"
    told = _per_cent(estimate.value, lang)
    if estimate.interval is None:
        return told
    low, high = (_per_cent(v, lang) for v in (estimate.interval.low, estimate.interval.high))
    return f"{told} [{low}; {high}]"


_TOP = 10
"""Statements of each list on the screen; --json has them all."""


def groups_screen(found: OpinionGroups, lang: str) -> list[RenderableType]:
    """Return opinion groups as a person reads them: the verdict, then what is agreed on."""
    from rich.markup import escape

    say, analysis = words(lang), found.analysis
    head = say["groups-head"].format(
        people=analysis.participants,
        placed=len(analysis.people),
        statements=len(analysis.statements),
        format=found.cast.format,
        pipeline=analysis.pipeline,
    )
    sizes = ", ".join(str(n) for n in analysis.sizes)
    verdict = say[f"groups-{analysis.verdict}"].format(k=analysis.k, sizes=sizes)
    lines: list[RenderableType] = [escape(head), f"[bold]{escape(verdict)}[/bold]"]
    split = analysis.split
    if split is not None and split.stability is not None and split.stability.value is not None:
        told = say["groups-stability"].format(
            ari=_number(split.stability.value, lang),
            low="–" if split.ari_p10 is None else _number(split.ari_p10, lang),
            rounds=analysis.rounds,
            seed=analysis.seed,
        )
        lines.append(told)
    if analysis.null_p is not None:
        lines.append(say["groups-null"].format(p=_number(analysis.null_p, lang)))
    title = say["groups-consensus" if analysis.k > 1 else "groups-everybody"]
    lines += ["", title, _agreed(found, analysis.consensus[:_TOP], lang)]
    if analysis.k > 1:
        lines += ["", say["groups-majority"], _agreed(found, analysis.majority[:_TOP], lang)]
        both = say["groups-both"].format(
            both=analysis.shared_top, of=min(_TOP, len(analysis.statements))
        )
        lines.append(both)
    return lines


def _agreed(found: OpinionGroups, top: Sequence[Agreed], lang: str) -> RenderableType:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    for column in range(4):
        table.add_column("", overflow="fold", no_wrap=column != 3)
    for one in top:
        low, high = (_number(end, lang) for end in one.interval)
        text = found.cast.texts.get(one.statement, "")
        cells = (_number(one.value, lang), f"[{low}; {high}]", f"n={one.n}")
        words_of = f"{one.statement}  {text}".strip()
        table.add_row(*(escape(c) for c in (*cells, _cut(words_of, 2 * _SHOWN))))
    return table


def _number(value: float, lang: str) -> str:
    return f"{value:.2f}".replace(".", words(lang)["decimal"])


def audit_screen(found: Audited, lang: str) -> list[RenderableType]:
    """Return an audit as a person reads it: cycles, core, axioms by method, what was not asked."""
    from rich.markup import escape

    say, audit = words(lang), found.audit
    head = say["audit-head"].format(
        ballots=audit.voters, alternatives=audit.alternatives, format=found.cast.format,
        rounds=audit.rounds, seed=audit.seed,
    )  # fmt: skip
    cycles = audit.cycles
    if cycles.condorcet_winner is not None:
        told = say["audit-winner"].format(name=cycles.condorcet_winner)
    else:
        told = say["audit-no-winner"].format(names=", ".join(cycles.smith))
    lines: list[RenderableType] = [escape(head), "", escape(told)]
    if cycles.has_winner.value is not None:
        lines.append(say["audit-winner-share"].format(share=told_share(cycles.has_winner, lang)))
    if cycles.cycle and cycles.weakest is not None:
        cycle = " > ".join((*cycles.cycle, cycles.cycle[0]))
        above, below = cycles.weakest
        told = say["audit-cycle"].format(cycle=cycle, above=above, below=below, n=cycles.margin)
        lines.append(escape(told))
    core = say["audit-core"].format(
        n=len(audit.robust_core), pairs=audit.alternatives * (audit.alternatives - 1) // 2,
        share=f"{100 * audit.robust_at:.0f} %", methods=len(audit.resampled),
    )  # fmt: skip
    lines += ["", core]
    lines += [escape(f"  {above} > {below}") for above, below in audit.robust_core[:_CORE]]
    if len(audit.robust_core) > _CORE:
        lines.append(say["and-more"].format(n=len(audit.robust_core) - _CORE))
    lines += ["", *_axioms(found, lang), say["audit-legend"], ""]
    lines += [escape(f"{one.method}, {one.axiom}: {one.witness.detail}")
              for one in _telling(audit.findings) if one.witness is not None]  # fmt: skip
    if found.coherence is not None:
        lines += ["", *map(escape, _coherent(found.coherence, lang))]
    lines.append("")
    for name, why in sorted(audit.left_out.items()):
        why = why.removeprefix(f"{name}: ")
        lines.append(escape(f"{say['audit-left-out']} {name}: {why}"))
    return lines


def _coherent(found: Coherence, lang: str) -> list[str]:
    """Whether majority verdicts on linked statements can all stand, and what would mend them."""
    say = words(lang)
    if found.consistent:
        lines = [say["coherent"].format(n=found.voters)]
    else:
        lines = [say["incoherent"].format(n=found.voters)]
        lines += [
            "- " + say["incoherent-set"].format(verdicts=_verdicts(one, lang))
            for one in found.dilemmas[:_WITNESSES]
        ]
        lines += [
            "- " + say["incoherent-repair"].format(verdicts=_verdicts(one, lang))
            for one in found.repairs[:_WITNESSES]
        ]
    share = told_share(found.individuals, lang)
    return [*lines, say["coherent-people"].format(share=share)]


def _verdicts(found: Dilemma | Repair, lang: str) -> str:
    """The verdicts of a conflict, or those that a repair turns round."""
    say = words(lang)
    told = dict(found.verdicts)
    if not isinstance(found, Dilemma):
        told = {name: told[name] for name in found.flipped}
    key = {True: "accept", False: "reject", None: "leave-open"}
    return ", ".join(f"{say[key[yes]]} {name}" for name, yes in told.items())


_CORE, _WITNESSES = 15, 8
"""Pairs of the core and witnesses on the screen; --json has them all."""


def _axioms(found: Audited, lang: str) -> list[RenderableType]:
    """A row a method, a column an axiom by its number, and the numbers told below."""
    from rich.table import Table

    methods = sorted({one.method for one in found.audit.findings})
    axioms = sorted({one.axiom for one in found.audit.findings})
    by = {(one.method, one.axiom): one for one in found.audit.findings}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(words(lang)["method"], no_wrap=True)
    for number in range(1, len(axioms) + 1):
        table.add_column(str(number), justify="center", no_wrap=True)
    for method in methods:
        table.add_row(method, *(_mark(by.get((method, axiom))) for axiom in axioms))
    told = ", ".join(f"{number} {axiom}" for number, axiom in enumerate(axioms, 1))
    return [table, told]


def _mark(found: AxiomFinding | None) -> str:
    """A breach, none although all was tried, none found, or not asked."""
    if found is None:
        return ""
    if found.witness is not None or found.rate:
        return "[red]✗[/red]"
    return "[green]✓[/green]" if found.exhaustive else "·"


def _telling(findings: Sequence[AxiomFinding]) -> list[AxiomFinding]:
    """The first witness of each axiom, so that no axiom crowds out the others."""
    first: dict[str, AxiomFinding] = {}
    for one in findings:
        if one.witness is not None:
            first.setdefault(one.axiom, one)
    return list(first.values())[:_WITNESSES]


def weights_whole(traits: Path | None, margins: Path | None, method: str) -> None:
    """Check that what weights need was given, all of it.

    Raises:
        InputError: if one of the two files is missing, or all methods were asked for.
    """
    faults = []
    if (traits is None) != (margins is None):
        where, lacks = ("--margins", traits) if margins is None else ("--traits", margins)
        faults.append(Fault(where=where, expected=f"a file, too, beside {lacks}", seen="none"))
    if traits is not None and method == "all":
        faults.append(Fault(where="--method", expected="one method, to weight by", seen="all"))
    if faults:
        raise InputError(faults)


def weighed_json(found: Weighed) -> dict[str, Any]:
    """Return what weights change as one JSON value."""
    return {
        "winners": list(found.tiers[0]) if found.tiers else [],
        "ranking": [list(tier) for tier in found.tiers],
        "weighting": found.raked.weighting.model_dump(mode="json"),
        "support": [one.model_dump(mode="json") for one in found.support],
    }


def weighed_screen(found: Weighed, lang: str) -> list[RenderableType]:
    """Return what weights change as a person reads it: the order, what it cost, who is missing."""
    from rich.markup import escape
    from rich.table import Table

    say, weighting = words(lang), found.raked.weighting
    order = " > ".join(" = ".join(tier) for tier in found.tiers[:_TOP])
    more = " > …" if len(found.tiers) > _TOP else ""
    lines: list[RenderableType] = ["", f"[bold]{say['weighted']}[/bold]", escape(order + more)]
    cost = say["weighted-cost"].format(
        effect=_number(weighting.design_effect, lang),
        effective=f"{weighting.effective_n:.0f}",
        n=weighting.participants,
        largest=_number(weighting.largest, lang),
        capped=weighting.capped,
    )
    lines.append(cost)
    for one in weighting.unreached:
        told = say["weighted-unreached"].format(
            trait=one.trait, value=one.value, share=_per_cent(one.declared or 0.0, lang)
        )
        lines.append(escape(told))
    if not weighting.converged:
        lines.append(say["weighted-gap"].format(gap=_per_cent(weighting.gap, lang)))
    if found.support:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("statement", "unweighted", "weighted-share"):
            table.add_column(say[heading])
        for share in found.support[:_TOP]:
            cells = (
                share.statement,
                told_share(share.unweighted, lang),
                told_share(share.weighted, lang),
            )
            table.add_row(*(escape(cell) for cell in cells))
        lines.append(table)
    return lines


def points_of(values: str, parameters: Sequence[str]) -> tuple[list[float], dict[str, float]]:
    """Return the points of a curve, and the parameters of its population.

    Raises:
        InputError: with everything that is no number.
    """
    faults: list[Fault] = []
    points = [_as_number("--values", one, faults) for one in values.split(",") if one.strip()]
    if not points:
        faults.append(Fault(where="--values", expected="numbers, such as 5,25", seen=repr(values)))
    more: dict[str, float] = {}
    for one in parameters:
        name, equals, value = one.partition("=")
        if not equals:
            faults.append(Fault(where="--parameter", expected="NAME=X", seen=repr(one)))
        else:
            more[name.strip()] = _as_number(f"--parameter {name}", value, faults)
    if faults:
        raise InputError(faults)
    return points, more


def _as_number(where: str, text: str, faults: list[Fault]) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        faults.append(Fault(where=where, expected="a number", seen=repr(text.strip())))
    return number


def rates_screen(found: Sequence[ViolationRate], lang: str) -> list[RenderableType]:
    """Return violation rates as a person reads them: a table an axiom, a column a point."""
    from rich.table import Table

    say = words(lang)
    lines: list[RenderableType] = []
    for axiom in dict.fromkeys(one.axiom for one in found):
        mine = [one for one in found if one.axiom == axiom]
        first = mine[0]
        over = say.get(f"over-{first.over}", first.over)
        title = say["rates-head"].format(
            axiom=axiom, population=first.population, over=over, profiles=first.rate.n,
            seed=first.rate.seed,
        )  # fmt: skip
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(say["method"])
        points = list(dict.fromkeys(one.value for one in mine))
        for point in points:
            table.add_column(f"{point:g}", justify="right")
        for method in dict.fromkeys(one.method for one in mine):
            row = {one.value: one for one in mine if one.method == method}
            table.add_row(method, *(_rate(row.get(point), lang) for point in points))
        lines += [title, table, ""]
    return [*lines, say["rates-legend"]]


def _rate(found: ViolationRate | None, lang: str) -> str:
    if found is None or found.rate.value is None:
        return "–"
    return _per_cent(found.rate.value, lang) + ("" if found.exhaustive == found.rate.n else "+")
