"""Ballots in a file, ranked by one method or by all: what applies, what does not, and how sure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from normwright import plugins
from normwright.records import Fault

if TYPE_CHECKING:
    from normwright.aggregate import Certainty, Election, Order
    from normwright.flow.ballots import Cast

ALL = "all"
"""Instead of a method: each one there is."""


@dataclass(frozen=True)
class Placed:
    """One alternative in a ranking, as a table or a picture has it."""

    name: str
    told: str
    """The name, with what it says where the name is only an id."""
    place: int
    """1 is the best; level alternatives share the better."""
    score: float
    places: tuple[float, float] | None
    """Between which places it lies: as the method estimates it, else in resamples; None: unasked.
    """
    leads: float | None
    """Share of resamples with it in the first place; None where nobody asked, or knows."""


@dataclass(frozen=True)
class Ranked:
    """Ballots by one method."""

    method: str
    cast: Cast
    order: Order | None
    """None where the method does not apply to these ballots."""
    refused: tuple[Fault, ...] = ()
    """Why it does not apply."""
    certainty: Certainty | None = None
    """How sure it is, where voters were drawn again."""
    seed: int | None = None
    """Seed of that."""
    rounds: int = 0
    """Resamples of the voters."""

    @property
    def tiers(self) -> tuple[tuple[str, ...], ...] | None:
        """The names, best first; None where the method does not apply."""
        if self.order is None:
            return None
        return self.order.named(self.cast.election.alternatives)

    @property
    def winners(self) -> tuple[str, ...] | None:
        """The first tier; None where the method does not apply."""
        tiers = self.tiers
        return None if tiers is None else tiers[0] if tiers else ()

    @property
    def placed(self) -> tuple[Placed, ...]:
        """Every alternative, best first; none where the method does not apply."""
        if self.order is None or self.tiers is None:
            return ()
        number = {a: j for j, a in enumerate(self.cast.election.alternatives)}
        sure = (
            {} if self.certainty is None else {s.alternative: s for s in self.certainty.standings}
        )
        rows: list[Placed] = []
        for tier in self.tiers:
            place = len(rows) + 1
            for name in tier:
                places, leads = None, None
                if name in sure:
                    places = (sure[name].places.low, sure[name].places.high)
                    leads = sure[name].leads.value
                if self.order.places is not None:
                    low, high = self.order.places[number[name]].tolist()
                    places = (float(low), float(high))
                text = self.cast.texts.get(name)
                told = f"{name}  {text}" if text else name
                score = float(self.order.scores[number[name]])
                rows.append(Placed(name, told, place, score, places, leads))
        return tuple(rows)


def ranked_by(
    cast: Cast,
    method: str,
    *,
    seed: int = 0,
    rounds: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[Ranked, ...]:
    """Return the ballots ranked by a method, or by each there is.

    Of all methods those that do not apply are told with the reason; one that was asked for by name
    raises it.

    Args:
        cast: the ballots.
        method: slug of a method, or `all`.
        seed: seed of the resampling.
        rounds: resamples of the voters, to say how sure the places are; 0: none.
        progress: is told how many methods are done, of how many, and which comes next.

    Raises:
        PluginError: if there is no such method.
        Inapplicable: if the one that was asked for does not apply.
    """
    if method != ALL:
        return (_one(cast, method, seed, rounds),)
    from normwright.aggregate import Inapplicable

    found: list[Ranked] = []
    names = method_names()
    for number, name in enumerate(names):
        if progress is not None:
            progress(number, len(names), name)
        try:
            found.append(_one(cast, name, seed, rounds))
        except Inapplicable as error:
            found.append(Ranked(name, cast, None, refused=error.faults))
    return tuple(found)


def method_names() -> Sequence[str]:
    """Return the slugs of the methods there are, sorted."""
    return [card.name for card in plugins.cards("methods")]


def _one(cast: Cast, method: str, seed: int, rounds: int) -> Ranked:
    from normwright.aggregate import certainty, order_of, ranking_of

    election: Election = cast.election
    order = order_of(election, method=method)
    if not rounds or not len(election.counts):
        return Ranked(method, cast, order)
    ranking = ranking_of(election, order, method=method)
    sure = certainty(election, ranking, seed=seed, rounds=rounds)
    return Ranked(method, cast, order, certainty=sure, seed=seed, rounds=rounds)
