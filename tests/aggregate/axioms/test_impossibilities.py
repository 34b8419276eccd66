"""The two great impossibilities, counted: every rule of two voters and three alternatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, permutations, product

Levels = tuple[int, ...]
STRICT: list[Levels] = list(permutations(range(3)))
WEAK: list[Levels] = [r for r in product(range(3), repeat=3) if set(r) == set(range(max(r) + 1))]
PROFILES = list(product(STRICT, STRICT))
PAIRS = list(combinations(range(3), 2))


def relation(order: Levels, pair: tuple[int, int]) -> int:
    """-1: the first of two is above; 0: level; 1: below."""
    a, b = order[pair[0]], order[pair[1]]
    return (a > b) - (a < b)


def arrow(social: Sequence[Levels]) -> list[dict[tuple[Levels, Levels], Levels]]:
    """Every social welfare function that keeps Pareto and IIA, by search, profile after profile.

    IIA: what society says of two depends on what the voters say of the two; so each answer given
    for a profile is an answer for all that agree on a pair, and is never given twice differently.
    """
    found: list[dict[tuple[Levels, Levels], Levels]] = []
    answers: dict[tuple[tuple[int, int], int, int], int] = {
        (pair, way, way): way for pair in PAIRS for way in (-1, 1)
    }
    chosen: dict[tuple[Levels, Levels], Levels] = {}

    def extend(number: int) -> None:
        if number == len(PROFILES):
            found.append(dict(chosen))
            return
        first, second = profile = PROFILES[number]
        keys = [(pair, relation(first, pair), relation(second, pair)) for pair in PAIRS]
        for order in social:
            said = [relation(order, pair) for pair in PAIRS]
            if any(answers.get(k, s) != s for k, s in zip(keys, said, strict=True)):
                continue
            new = {k: s for k, s in zip(keys, said, strict=True) if k not in answers}
            answers.update(new)
            chosen[profile] = order
            extend(number + 1)
            for key in new:
                del answers[key]

    extend(0)
    return found


def test_arrow_leaves_only_dictators() -> None:
    """With strict and with weak social orders exactly two functions remain: the two dictators."""
    for social in (STRICT, WEAK):
        functions = arrow(social)

        assert len(functions) == 2
        for voter in (0, 1):
            assert {profile: profile[voter] for profile in PROFILES} in functions


def test_arrow_search_counts_what_it_should() -> None:
    """The same search without Pareto finds more: constants, dictators turned around, and so on."""
    assert len(list(independent_functions())) > 2


def independent_functions() -> Iterator[dict[tuple[Levels, Levels], Levels]]:
    """Functions into strict orders that keep IIA, by trying every answer on pairs."""
    ways = (-1, 1)
    patterns = list(product(PAIRS, ways, ways))
    for values in product(ways, repeat=len(patterns)):
        answer = dict(zip(patterns, values, strict=True))
        made = {}
        for first, second in PROFILES:
            told = [answer[(p, relation(first, p), relation(second, p))] for p in PAIRS]
            fits = [o for o in STRICT if [relation(o, p) for p in PAIRS] == told]
            if not fits:
                break
            made[(first, second)] = fits[0]
        else:
            yield made


def strategy_proof() -> list[tuple[int, ...]]:
    """Every choice of one alternative a profile that no single voter gains by lying, by search."""
    number = {profile: i for i, profile in enumerate(PROFILES)}
    earlier: list[list[Callable[[int, int], bool]]] = [[] for _ in PROFILES]
    others: list[list[int]] = [[] for _ in PROFILES]
    for i, profile in enumerate(PROFILES):
        for voter, lie in product((0, 1), STRICT):
            told = list(profile)
            told[voter] = lie
            j = number[(told[0], told[1])]
            if j < i:
                others[i].append(j)
                earlier[i].append(honest(profile[voter], lie))
    found: list[tuple[int, ...]] = []
    chosen: list[int] = []

    def extend() -> None:
        i = len(chosen)
        if i == len(PROFILES):
            found.append(tuple(chosen))
            return
        for winner in range(3):
            if all(
                keeps(winner, chosen[j]) for keeps, j in zip(earlier[i], others[i], strict=True)
            ):
                chosen.append(winner)
                extend()
                chosen.pop()

    extend()
    return found


def honest(here: Levels, there: Levels) -> Callable[[int, int], bool]:
    """Whether neither ballot gains by pretending to be the other."""
    return lambda winner, other: here[winner] <= here[other] and there[other] <= there[winner]


def test_gibbard_and_satterthwaite_leave_only_dictators() -> None:
    """Exactly two strategy-proof choices reach all three alternatives: the two dictators."""
    choices = strategy_proof()
    onto = [choice for choice in choices if set(choice) == {0, 1, 2}]

    assert len(onto) == 2
    for voter in (0, 1):
        assert tuple(profile[voter].index(0) for profile in PROFILES) in onto
    # What does not reach all three is strategy-proof without a dictator, as a constant is.
    assert (0,) * len(PROFILES) in choices
    assert len(choices) > 5
