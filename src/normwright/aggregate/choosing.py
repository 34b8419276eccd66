"""Choose under normative uncertainty, and act only on what no rule that counts speaks against.

Rules differ, and none is known to be right. So one rule chooses, another may forbid it, all that
cannot be led by a theory hardly anybody believes have to agree, and what would turn the choice is
told. Whatever is left open goes back to people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from normwright import __version__, plugins
from normwright.aggregate.agreement import compare_compromises
from normwright.aggregate.compromises import SCALES, Compromise, Theories
from normwright.aggregate.compromises.highest_median import turning_credences
from normwright.aggregate.election import Inapplicable
from normwright.records import (
    Believed,
    CopyTurn,
    Doubt,
    Estimate,
    Fault,
    InputError,
    MadeBy,
    RuleChoice,
    TurningPoint,
    UncertainChoice,
)
from normwright.stats import proportion

RULE: Final = "mec-variance"
VETO: Final = "highest-median"
COUNTS: Final = "no-fanaticism"
"""Rules whose card claims this count for acting; a card's claims are searched for a breach."""
LITTLE: Final = Fraction(1, 1000)
"""What a theory nobody named may be believed without turning a choice that is acted on."""
STAYS: Final = 0.95
"""Share of resamples of the people that have to choose the same, where their number is known."""
_WITHIN: Final = Fraction(1, 10**6)
_POINTS: Final = 16
"""Credences tried on each side, besides those at which a median jumps."""

Winners = frozenset[int]


def choose(
    theories: Theories, *, rule: str = RULE, veto: str = VETO, little: Fraction = LITTLE,
    seed: int = 0, rounds: int = 200, where: str = "theories",
) -> UncertainChoice:  # fmt: skip
    """Return what is chosen, whether to act on it, and what would turn it.

    Args:
        theories: the theories, how far each is believed and what it holds.
        rule: slug of the rule that chooses.
        veto: slug of the rule that forbids what it puts below another option.
        little: what a theory nobody named may be believed without turning the choice.
        seed: of the resampling of people, where it is known how many the credences are shares of.
        rounds: resamples.
        where: how faults name the theories.

    Raises:
        InputError: where nobody said what the numbers of a theory mean, naming each.
        PluginError: if there is no such rule.
    """
    scales = _scales(theories, where)
    cards = {card.name: card for card in plugins.cards("compromises")}
    plugins.get("compromises", rule), plugins.get("compromises", veto)
    agreement = compare_compromises(theories)
    rules = tuple(
        RuleChoice(rule=row.rule, counts=COUNTS in cards[row.rule].claims, refused=row.refused,
                   winners=row.tiers[0] if row.tiers else ())
        for row in agreement.rows
    )  # fmt: skip
    rules = tuple(_examined(one, theories) if one.counts else one for one in rules)
    by_name = {one.rule: one for one in rules}
    stays = _stays(by_name[rule], theories, seed, rounds)
    doubts = tuple(_doubts(by_name, rule, veto, little))
    if stays is not None and stays.value is not None and stays.value < STAYS:
        doubts += (Doubt(kind="people-turn", rules=(rule,)),)
    chosen = by_name[rule].winners
    return UncertainChoice(
        options=theories.options,
        theories=tuple(
            Believed(theory=name, credence=float(credence), scale=scale)
            for name, credence, scale in zip(theories.names, theories.credences, scales,
                                             strict=True)
        ),
        comparable=theories.comparable,
        rule=rule,
        veto=veto,
        chosen=chosen,
        act=None if doubts else chosen[0],
        doubts=doubts,
        little=float(little),
        rules=rules,
        stays=stays,
        people=theories.people,
        agreement=agreement,
        made_by=MadeBy(
            stage="aggregate", version=__version__, seed=seed,
            parameters={"rule": rule, "veto": veto, "little": str(little), "rounds": rounds,
                        "credences": [str(c) for c in theories.credences]},
        ),
    )  # fmt: skip


def _scales(theories: Theories, where: str) -> tuple[str, ...]:
    """What the numbers of each theory mean.

    Raises:
        InputError: naming every theory of which nobody said it.
    """
    told = theories.scales or (None,) * len(theories.names)
    unsaid = [name for name, scale in zip(theories.names, told, strict=True) if scale is None]
    if unsaid:
        raise InputError([
            Fault(where=f"{where}: {name}, scale", expected=f"one of {', '.join(SCALES)}",
                  seen="nothing",
                  do="Say whether only the order of its numbers means anything (ordinal), their "
                  "differences do (interval), or their zero does, too (ratio).")
            for name in unsaid
        ])  # fmt: skip
    return tuple(scale for scale in told if scale is not None)


def _doubts(
    rules: dict[str, RuleChoice], rule: str, veto: str, little: Fraction
) -> Iterator[Doubt]:
    """Yield every reason not to act."""
    chosen, forbids = rules[rule].winners, rules[veto]
    if not chosen:
        yield Doubt(kind="unanswered", rules=(rule,))
    if len(chosen) > 1:
        yield Doubt(kind="tie", rules=(rule,), options=chosen)
    if forbids.refused:
        yield Doubt(kind="veto-unknown", rules=(veto,))
    elif chosen and not set(chosen) & set(forbids.winners):
        yield Doubt(kind="vetoed", rules=(veto,), options=forbids.winners)
    counting = [one for one in rules.values() if one.counts and one.winners]
    other = [one for one in counting if one.rule not in (rule, veto) and one.winners != chosen]
    if chosen and other:
        options = sorted({o for one in other for o in one.winners} - set(chosen))
        yield Doubt(kind="rules-differ", rules=tuple(o.rule for o in other),
                    options=tuple(options))  # fmt: skip
    near = [one for one in counting if one.room is not None and one.room <= little]
    if near:
        yield Doubt(kind="little-turns", rules=tuple(one.rule for one in near))
    copied = [one for one in counting if one.copies]
    if copied:
        options = sorted({c.option for one in copied for c in one.copies})
        yield Doubt(kind="copies-turn", rules=tuple(one.rule for one in copied),
                    options=tuple(options))  # fmt: skip


# What would turn a choice


def _stays(found: RuleChoice, theories: Theories, seed: int, rounds: int) -> Estimate | None:
    """How often other people as many, who believe as these do, would have chosen the same."""
    if theories.people is None or len(found.winners) != 1:
        return None
    ask: Compromise = plugins.get("compromises", found.rule)
    now, n = _winners(ask, theories), theories.people
    shares = np.array([float(c) for c in theories.credences])
    drawn = np.random.default_rng([seed, 6]).multinomial(n, shares / shares.sum(), size=rounds)
    kinds, times = np.unique(drawn, axis=0, return_counts=True)
    same = sum(
        int(count)
        for row, count in zip(kinds, times, strict=True)
        if _winners(ask, theories.believing(tuple(Fraction(int(k), n) for k in row))) == now
    )
    return proportion(same, rounds).model_copy(update={"seed": seed})


def _examined(found: RuleChoice, theories: Theories) -> RuleChoice:
    """The same with what would turn it; nothing is looked for where options are level."""
    if len(found.winners) != 1:
        return found
    ask: Compromise = plugins.get("compromises", found.rule)
    return found.model_copy(update={
        "turns": tuple(turning_points(ask, theories)),
        "room": room_for_another(ask, theories),
        "copies": tuple(_copies(ask, theories)),
    })  # fmt: skip


def turning_points(ask: Compromise, theories: Theories) -> Iterator[TurningPoint]:
    """Yield for each theory how much more, and how much less, it may be believed.

    Rules that add up over theories choose one option on a stretch of credences without a gap, so
    that halving finds its ends. A median jumps at credences that are computed and tried, each and
    what lies between. Of other rules turns between the credences that are tried may be missed.
    """
    now = _winners(ask, theories)
    if now is None or len(now) != 1:
        return
    for k, (name, credence) in enumerate(zip(theories.names, theories.credences, strict=True)):
        sides: tuple[tuple[Literal["more", "less"], Fraction], ...] = (
            ("more", Fraction(1)), ("less", Fraction(0)),
        )  # fmt: skip
        for side, end in sides:
            found = None if credence == 1 else _first_turn(ask, theories, k, end, now)
            yield TurningPoint(
                theory=name, credence=float(credence), side=side,
                at=None if found is None else round(float(found[0]), 6),
                move=None if found is None else round(float(found[0] - credence), 6),
                winners=() if found is None else _names(theories, found[1]),
            )  # fmt: skip


def _first_turn(
    ask: Compromise, theories: Theories, k: int, end: Fraction, now: Winners
) -> tuple[Fraction, Winners] | None:
    """The credence of theory k, from now towards the end, where something else is chosen first."""
    start = theories.credences[k]
    if start == end:
        return None
    jumps = turning_credences(theories, k)
    steps = {start + (end - start) * Fraction(i, _POINTS) for i in range(_POINTS + 1)}
    points = sorted(steps | {t for t in jumps if min(start, end) < t < max(start, end)})
    tried = sorted({*points, *((a + b) / 2 for a, b in pairwise(points))}, reverse=end < start)

    def at(t: Fraction) -> Winners | None:
        return _winners(ask, believed(theories, k, t))

    return _turn(at, tried, now)


def _turn(
    at: Callable[[Fraction], Winners | None], tried: Sequence[Fraction], now: Winners
) -> tuple[Fraction, Winners] | None:
    """Where the choice is another for the first time, by halving between two that were tried."""
    for before, after in pairwise(tried):
        beyond = at(after)
        if beyond is None or beyond == now:
            continue
        while abs(after - before) > _WITHIN:
            middle = _short((before + after) / 2)
            there = at(middle)
            if there is None or there == now:
                before = middle
            else:
                after, beyond = middle, there
        return after, beyond
    return None


def believed(theories: Theories, k: int, credence: Fraction) -> Theories:
    """Return theories of which one is believed so far, and the others in proportion as before."""
    rest = 1 - theories.credences[k]
    share = (1 - credence) / rest if rest else Fraction(0)
    moved = tuple(
        credence if i == k else c * share for i, c in enumerate(theories.credences)
    )  # fmt: skip
    return theories.believing(moved)


def room_for_another(ask: Compromise, theories: Theories) -> float | None:
    """Return the credence a theory nobody named needs to turn the choice, whatever it holds.

    For rules that add up credence-weighted scores, for favourites and for the median the worst such
    theory is known: it holds the choice worst, one other option best, and all others in the middle.
    That is the widest gap a theory can open between two options after its ranks, range or variance
    are brought to the common measure. Each other option is tried.
    """
    now = _winners(ask, theories)
    if now is None or len(theories.options) < 2 or len(now) != 1:
        return None
    (winner,) = now
    least = Fraction(1)
    for other in range(len(theories.options)):

        def turned(credence: Fraction, other: int = other) -> bool:
            return _winners(ask, opposed(theories, winner, other, credence)) != now

        if other == winner or not turned(least):
            continue
        low, high = Fraction(0), Fraction(1)
        while high - low > _WITHIN:
            middle = (low + high) / 2
            low, high = (low, middle) if turned(middle) else (middle, high)
        least = min(least, low)
    return float(least)


def opposed(theories: Theories, winner: int, other: int, credence: Fraction) -> Theories:
    """Return theories with one more, which holds an option worst and another best."""
    values = [v for row in theories.worth for v in row]
    low, high = min(values) - 1, max(values) + 1
    row = [(low + high) / 2] * len(theories.options)
    row[winner], row[other] = low, high
    return replace(
        theories,
        names=(*theories.names, "one more"),
        credences=(*(c * (1 - credence) for c in theories.credences), credence),
        worth=(*theories.worth, tuple(row)),
        ordinal=(*theories.ordinal, False),
        scales=(),
    )


def _copies(ask: Compromise, theories: Theories) -> Iterator[CopyTurn]:
    """Yield the options that turn the choice if they are listed twice."""
    before = _winners(ask, theories)
    for a, option in enumerate(theories.options):
        twice = replace(
            theories,
            options=(*theories.options, f"{option} again"),
            worth=tuple((*row, row[a]) for row in theories.worth),
        )
        found = _winners(ask, twice)
        after = None if found is None else frozenset(
            a if i == len(theories.options) else i for i in found)  # fmt: skip
        if after is not None and after != before:
            yield CopyTurn(option=option, winners=_names(theories, after))


def _winners(ask: Compromise, theories: Theories) -> Winners | None:
    """What a rule chooses, by number; None where it refuses."""
    try:
        return frozenset(ask(theories).tiers[0])
    except Inapplicable:
        return None


def _names(theories: Theories, winners: Winners) -> tuple[str, ...]:
    return tuple(sorted(theories.options[a] for a in winners))


def _short(number: Fraction) -> Fraction:
    """A fraction near by with few digits, which exact rules count with faster."""
    return number.limit_denominator(10**8)
