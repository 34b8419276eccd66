"""Pictures of what was counted: places, margins, opinions, agreement, with their words."""

from __future__ import annotations

from collections.abc import Sequence

from normwright.flow import Audited, OpinionGroups, Ranked, Slated
from normwright.records import Agreement, Fault, InputError, ViolationRate
from normwright.web.pictures import (
    Bar,
    Curve,
    OpinionGroup,
    RankRow,
    agreement,
    curves,
    margins,
    opinion_map,
    rank_intervals,
    slate,
)
from normwright.web.pictures.margins import ARROWS
from normwright.web.pictures.opinions import drawn
from normwright.web.words import Words, words_for


def ranking_picture(found: Sequence[Ranked], lang: str) -> str:
    """Return the places of every alternative by one method, with their intervals.

    Of several methods the first that applies is drawn.
    """
    (w,) = words_for([lang])
    one = next(r for r in found if r.order is not None)
    return rank_intervals(
        _rank_rows(one, w),
        title=w("picture.places", method=one.method),
        note=_rank_note(one, w),
        w=w,
    )


def _rank_rows(found: Ranked, w: Words) -> list[RankRow]:
    return [
        RankRow(
            name=one.told,
            place=one.place,
            low=None if one.places is None else one.places[0],
            high=None if one.places is None else one.places[1],
            value=w.number(one.score, "plain"),
        )
        for one in found.placed
    ]


def _rank_note(found: Ranked, w: Words) -> str:
    order, election = found.order, found.cast.election
    left_out = w(f"outcomes.unranked_{election.unranked}")
    base = w("picture.ballots", n=w.count(election.voters), unranked=left_out)
    if order is not None and order.places is not None:
        return f"{w('picture.places_estimated')} {base}"
    if found.certainty is not None:
        told = w("picture.places_resampled", rounds=w.count(found.rounds), seed=found.seed)
        return f"{told} {base}"
    return f"{w('picture.places_only')} {base}"


def agreement_picture(found: Agreement, lang: str) -> str:
    """Return how alike rules rank, as a table of Kendall's tau-b."""
    (w,) = words_for([lang])
    key = "voters" if found.kind == "methods" else "theories"
    note = w(
        f"picture.tau_{key}", n=w.count(found.n), pairs=w.count(found.pairs),
        agreed=w.number(found.agreed.value),
    )  # fmt: skip
    title = w(f"picture.agreement_{found.kind}")
    return agreement(found.compared, found.tau, title=title, note=note, w=w)


def opinion_picture(found: OpinionGroups, lang: str) -> str:
    """Return the map of opinions; colours only where groups are supported."""
    (w,) = words_for([lang])
    analysis = found.analysis
    groups, labels = [], [-1] * len(analysis.people)
    if analysis.supported:
        labels = [int(label) for label in analysis.labels]
        groups = [
            OpinionGroup("ABCDE"[i], size, w("picture.group", id="ABCDE"[i], n=w.count(size)))
            for i, size in enumerate(analysis.sizes)
        ]
    labels = labels[: len(analysis.points)]  # where all vote alike there is no map to be on
    stability = analysis.split.stability if analysis.split else None
    note = w(
        "picture.map_note",
        drawn=w.count(drawn(len(labels))),
        n=w.count(analysis.participants),
        ari=w.number(stability.value if stability else None, "plain"),
        rounds=w.count(analysis.rounds),
        seed=analysis.seed,
    )
    # Votes that differ in one direction only, or in none, leave a map flat.
    flat = (0.0, 0.0) if analysis.explained else (None, None)
    shares = [w.number(one) for one in (*analysis.explained, *flat)]
    return opinion_map(
        [_on_paper(point) for point in analysis.points.tolist()],
        labels,
        groups,
        title=w(f"picture.map_{'groups' if analysis.supported else 'none'}"),
        note=note,
        ungrouped=w("picture.nobody" if analysis.supported else "picture.everybody"),
        axes=(w("picture.axis_across", share=shares[0]), w("picture.axis_up", share=shares[1])),
        w=w,
    )


def _on_paper(point: Sequence[float]) -> tuple[float, float]:
    """A place on the map; 0 in a direction that the map lacks."""
    across, up = (*point, 0.0, 0.0)[:2]
    return across, up


def margins_picture(found: Audited, lang: str) -> str:
    """Return who beats whom by how much, in the order of Copeland's count of contests won."""
    (w,) = words_for([lang])
    election, cycles = found.cast.election, found.audit.cycles
    won = (election.margins > 0).sum(axis=1) - (election.margins < 0).sum(axis=1)
    order = sorted(range(len(won)), key=lambda i: (-int(won[i]), election.alternatives[i]))
    table = [[int(election.margins[i, j]) for j in order] for i in order]
    name = cycles.condorcet_winner
    verdict = (
        w("picture.margins_cycle", n=w.count(len(cycles.smith)))
        if name is None
        else w("picture.margins_winner", name=name)
    )
    drawing = "arrows" if len(order) <= ARROWS else "shades"
    n = w.count(election.voters)
    return margins(
        [election.alternatives[i] for i in order],
        table,
        title=w("picture.margins"),
        note=f"{verdict} {w(f'picture.margins_{drawing}', n=n)}",
        top=cycles.smith,
        weakest=cycles.weakest,
        w=w,
    )


def curves_picture(found: Sequence[ViolationRate], lang: str) -> str:
    """Return how often each method breaks the axioms; a curve a method, and an axiom if several."""
    (w,) = words_for([lang])
    axioms = list(dict.fromkeys(one.axiom for one in found))
    lines: dict[str, list[tuple[float, float, float, float]]] = {}
    for one in found:
        name = one.method if len(axioms) == 1 else f"{one.method}: {one.axiom}"
        rate = one.rate
        if rate.value is not None and rate.interval is not None:
            point = (one.value, rate.value, rate.interval.low, rate.interval.high)
            lines.setdefault(name, []).append(point)
    first = found[0]
    bound = any(one.exhaustive < one.rate.n for one in found)
    note = w(
        "picture.curves_note",
        population=first.population,
        n=w.count(first.rate.n),
        seed=first.rate.seed,
    )
    return curves(
        [Curve(name, tuple(points)) for name, points in lines.items()],
        title=w("picture.curves", axioms=", ".join(axioms)),
        note=f"{note} {w('picture.curves_bound')}" if bound else note,
        across=w.get(f"picture.over_{first.over}", first.over) or first.over,
        up=w("picture.rate"),
        w=w,
    )


def slate_picture(found: Slated, lang: str) -> str:
    """Return a slate: who approves of each member, and who has none, one, two ... of them.

    Raises:
        InputError: where ballots do not say what is approved, so that there is nothing to draw.
    """
    (w,) = words_for([lang])
    chosen = found.slate
    if found.support is None or found.served is None:
        raise InputError(
            [
                Fault(
                    where="--picture",
                    expected="ballots that say what is approved",
                    seen=f"orders of all alternatives ({found.cast.format})",
                    do="Say where approval ends: --approve-top N.",
                )
            ]
        )
    members = []
    for name, (agree, asked) in found.support.items():
        text, share = found.cast.texts.get(name), agree / asked if asked else 0.0
        told = w("picture.share_of", share=w.number(share if asked else None), n=w.count(asked))
        members.append(Bar(f"{name}  {text}" if text else name, share, told))
    total = max(1, sum(found.served))
    served = [
        Bar(w("picture.served", n=number), count / total, w.number(count / total))
        for number, count in enumerate(found.served)
    ]
    left = [audit.witness for audit in (chosen.audit.jr, chosen.audit.ejr_plus) if audit]
    witness = next((one for one in left if one is not None), None)
    note = w("picture.slate_fair")
    if witness is not None:
        note = w("picture.slate_left", n=w.count(witness.voters), lacks=witness.lacks)
    return slate(
        members,
        served,
        heading=w("picture.served_heading"),
        title=w("picture.slate", size=chosen.size, method=chosen.method),
        note=f"{note} {w('picture.slate_note', n=w.count(chosen.voters))}",
        w=w,
    )
