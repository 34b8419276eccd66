"""Pictures of what was counted: places, margins, opinions, agreement, with their words."""

from __future__ import annotations

from collections.abc import Sequence

from normwright.flow import Ranked
from normwright.web.pictures import RankRow, rank_intervals
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
    order = found.order
    assert order is not None
    assert found.tiers is not None
    number = {a: j for j, a in enumerate(found.cast.election.alternatives)}
    sure = {} if found.certainty is None else {s.alternative: s for s in found.certainty.standings}
    rows, place = [], 1
    for tier in found.tiers:
        for name in tier:
            low: float | None = None
            high: float | None = None
            if order.places is not None:
                low, high = (float(v) for v in order.places[number[name]])
            elif name in sure:
                low, high = sure[name].places.low, sure[name].places.high
            text = found.cast.texts.get(name)
            rows.append(
                RankRow(
                    name=f"{name}  {text}" if text else name,
                    place=place,
                    low=low,
                    high=high,
                    value=w.number(float(order.scores[number[name]]), "plain"),
                )
            )
        place += len(tier)
    return rows


def _rank_note(found: Ranked, w: Words) -> str:
    order, election = found.order, found.cast.election
    base = w("picture.ballots", n=w.count(election.voters), unranked=election.unranked)
    if order is not None and order.places is not None:
        return f"{w('picture.places_estimated')} {base}"
    if found.certainty is not None:
        told = w("picture.places_resampled", rounds=w.count(found.rounds), seed=found.seed)
        return f"{told} {base}"
    return f"{w('picture.places_only')} {base}"
