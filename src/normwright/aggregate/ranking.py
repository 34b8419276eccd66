"""Rank alternatives by any method, by name."""

from __future__ import annotations

from normwright import plugins
from normwright.aggregate.election import Election
from normwright.aggregate.methods import Method, Order
from normwright.records import Ranking


def rank(election: Election, *, method: str) -> Ranking:
    """Return the ranking of alternatives by one method, ties kept.

    Args:
        election: the ballots.
        method: slug of the method.

    Raises:
        PluginError: if there is no such method, naming those there are.
        Inapplicable: if the ballots do not hold what the method needs.
    """
    return ranking_of(election, order_of(election, method=method), method=method)


def order_of(election: Election, *, method: str) -> Order:
    """Return the order over the numbers of alternatives, with all that the method tells.

    Raises:
        PluginError: if there is no such method, naming those there are.
        Inapplicable: if the ballots do not hold what the method needs.
    """
    ranked_by: Method = plugins.get("methods", method)
    return ranked_by(election)


def ranking_of(election: Election, order: Order, *, method: str) -> Ranking:
    """Return an order with the names of the alternatives, those of a tier sorted."""
    names = election.alternatives
    return Ranking(
        method=method,
        tiers=order.named(names),
        scores=order.scored(names),
    )
