"""How far rules agree: pair by pair, by Kendall's tau-b, and in what they choose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from normwright import __version__, plugins
from normwright.aggregate.compromises import Compromise, Theories
from normwright.aggregate.election import Election, Inapplicable
from normwright.aggregate.methods import Method, Order, levels_of
from normwright.records import Agreement, Camp, Estimate, MadeBy, RuleAnswer
from normwright.stats import percentile_interval, proportion

Ints = NDArray[np.int64]
Given = TypeVar("Given")
Progress = Callable[[int, int, str], None]


def _nobody(done: int, of: int, note: str) -> None:
    """Tell nobody how far the work is."""


def compare(
    election: Election,
    *,
    methods: Sequence[str] | None = None,
    seed: int,
    rounds: int = 200,
    progress: Progress | None = None,
) -> Agreement:
    """Return how far ranking methods agree on these ballots.

    Args:
        election: the ballots of one electorate.
        methods: slugs; None: every method there is. One that does not apply is listed with its
            reason.
        seed: seed of the resampling.
        rounds: resamples of the voters, each ranked anew by every method that answers; 0: none,
            and no intervals.
        progress: is told how many methods and resamples are done, of how many, and what comes next.

    Raises:
        PluginError: if there is no such method.
    """
    slugs = [c.name for c in plugins.cards("methods")] if methods is None else list(methods)
    rules: dict[str, Method] = {slug: plugins.get("methods", slug) for slug in slugs}
    names = election.alternatives
    tell = progress or _nobody
    rows, orders = _asked(rules, election, names, tell)
    tiers = {slug: order.tiers for slug, order in orders.items()}
    drawn, refused = _resampled(election, {s: rules[s] for s in orders}, seed, rounds, tell)
    made = agreement_of(tiers, names)
    n, some = election.voters, bool(drawn) and made.agreed.value is not None
    # Where nobody voted rules agree on nothing: that is no evidence of agreement.
    value = made.agreed.value if n else None
    shares = [one.agreed.value for one in drawn if one.agreed.value is not None]
    interval = percentile_interval(shares, unknown=refused) if some else None
    depends = proportion(sum(one.depends is True for one in drawn), len(drawn)) if some else None
    return made.model_copy(
        update={
            "kind": "methods",
            "n": n,
            "rows": rows,
            "agreed": Estimate(
                value=value, interval=interval, n=n, seed=seed if some else None
            ),
            "depends": made.depends if n else None,
            "depends_share": depends and depends.model_copy(update={"seed": seed}),
            "made_by": MadeBy(
                stage="aggregate", version=__version__, seed=seed,
                parameters={"methods": slugs, "rounds": rounds},
            ),
        }
    )  # fmt: skip


def compare_compromises(theories: Theories, *, rules: Sequence[str] | None = None) -> Agreement:
    """Return how far rules for normative uncertainty agree on what to choose.

    A choice that depends on the rule is not one to act on without saying so.

    Args:
        theories: the theories, how far each is believed and what it holds.
        rules: slugs; None: every rule there is. One that does not apply is listed with its reason.

    Raises:
        PluginError: if there is no such rule.
    """
    slugs = [c.name for c in plugins.cards("compromises")] if rules is None else list(rules)
    parts: dict[str, Compromise] = {slug: plugins.get("compromises", slug) for slug in slugs}
    rows, orders = _asked(parts, theories, theories.options, _nobody)
    made = agreement_of({slug: order.tiers for slug, order in orders.items()}, theories.options)
    return made.model_copy(
        update={
            "kind": "compromises",
            "n": len(theories.held().names),
            "rows": rows,
            "agreed": made.agreed.model_copy(update={"n": len(theories.held().names)}),
            "made_by": MadeBy(
                stage="aggregate",
                version=__version__,
                parameters={
                    "rules": slugs,
                    "theories": list(theories.names),
                    "credences": [str(c) for c in theories.credences],
                    "comparable": theories.comparable,
                },
            ),
        }
    )


def agreement_of(
    tiers: dict[str, tuple[tuple[int, ...], ...]], names: tuple[str, ...]
) -> Agreement:
    """Return the agreement of orders by rule; `kind`, `n` and `rows` are the caller's to add."""
    slugs = list(tiers)
    places = places_of([tiers[s] for s in slugs], len(names))
    signs = signs_of(places)
    same, core = agreed_pairs(signs)
    pairs = len(names) * (len(names) - 1) // 2
    compared = len(slugs) > 1
    share = same / pairs if compared and pairs else None
    camps = camps_of({s: tuple(names[i] for i in sorted(tiers[s][0])) for s in slugs if tiers[s]})
    return Agreement(
        kind="",
        alternatives=names,
        n=0,
        rows=(),
        pairs=pairs,
        agreed=Estimate(value=share, interval=None, n=0),
        core=tuple((names[i], names[j]) for i, j in core) if compared else (),
        compared=tuple(slugs),
        tau=tuple(tuple(tau_b(a, b) for b in places) for a in places),
        camps=camps,
        depends=len(camps) > 1 if compared else None,
    )


def places_of(orders: Sequence[Sequence[Sequence[int]]], alternatives: int) -> Ints:
    """Return the number of the tier of each alternative, 0 the best, shape (orders, m).

    Raises:
        ValueError: if an order leaves an alternative out.
    """
    rows = [levels_of(tiers, alternatives) for tiers in orders]
    return np.array(rows, dtype=np.int64).reshape(len(rows), alternatives)


def signs_of(places: Ints) -> Ints:
    """Return 1 where i stands above j, -1 below, 0 level, shape (orders, m, m)."""
    signs: Ints = np.sign(places[:, None, :] - places[:, :, None])
    return signs


def agreed_pairs(signs: Ints) -> tuple[int, list[tuple[int, int]]]:
    """Return how many pairs all orders put alike or all hold level, and those put alike.

    Args:
        signs: as `signs_of` returns, of one order or more.
    """
    if not len(signs):
        return 0, []
    alike = (signs == signs[0]).all(axis=0)
    upper = int(np.triu(alike, k=1).sum())
    core = np.argwhere(alike & (signs[0] > 0))
    return upper, [(int(i), int(j)) for i, j in core]


def tau_b(a: Ints, b: Ints) -> float | None:
    """Return Kendall's tau-b of two weak orders (Kendall, Biometrika 33, 1945).

    Pairs in the same order less pairs in opposite order, over the geometric mean of the pairs that
    either tells apart: 1 for the same order, ties and all, -1 for the reverse.

    Args:
        a: places, shape (m,); lower is better.
        b: places by the other, shape (m,).

    Returns:
        None where one of them holds everything level, for then there is nothing to correlate.
    """
    signs = signs_of(np.stack([a, b]))
    upper = np.triu_indices(len(a), k=1)
    x, y = signs[0][upper], signs[1][upper]
    told = int(np.abs(x).sum()) * int(np.abs(y).sum())
    return int(x @ y) / sqrt(told) if told else None


def camps_of(winners: dict[str, tuple[str, ...]]) -> tuple[Camp, ...]:
    """Return the rules by the winners they choose, the largest camp first, then by name."""
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for rule, chosen in winners.items():
        found[tuple(sorted(chosen))].append(rule)
    camps = [Camp(winners=w, rules=tuple(sorted(r))) for w, r in found.items()]
    return tuple(sorted(camps, key=lambda c: (-len(c.rules), c.winners)))


def _asked(
    rules: Mapping[str, Callable[[Given], Order]],
    given: Given,
    names: tuple[str, ...],
    tell: Progress,
) -> tuple[tuple[RuleAnswer, ...], dict[str, Order]]:
    """The answer of each rule, and the orders of those that answer."""
    rows, orders = [], {}
    for number, (slug, ask) in enumerate(rules.items()):
        tell(number, len(rules), slug)
        try:
            order = ask(given)
        except Inapplicable as reason:
            rows.append(RuleAnswer(rule=slug, refused=str(reason)))
            continue
        orders[slug] = order
        rows.append(
            RuleAnswer(
                rule=slug,
                tiers=order.named(names),
                scores=order.scored(names),
                facts=dict(order.facts),
            )
        )
    return tuple(rows), orders


def _resampled(
    election: Election, rules: dict[str, Method], seed: int, rounds: int, tell: Progress
) -> tuple[list[Agreement], int]:
    """The agreement in each resample of the voters, and how many some rule refuses."""
    if not rounds or len(rules) < 2 or not len(election.orders) or not election.voters:
        return [], 0
    made, refused = [], 0
    for number, again in enumerate(election.resamples(np.random.default_rng([seed, 4]), rounds)):
        tell(number, rounds, "resamples")
        try:
            tiers = {slug: rule(again).tiers for slug, rule in rules.items()}
        except Inapplicable:
            refused += 1
            continue
        made.append(agreement_of(tiers, election.alternatives))
    return made, refused
