"""Every method that is registered: what its card claims holds, and what it denies fails as printed.

Claims are searched on every small profile of three alternatives, then on larger drawn ones.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.elections import printed
from tests.aggregate.small import election, elections, remembered

from normwright import plugins
from normwright.aggregate import Election, Inapplicable
from normwright.aggregate.axioms import Axiom, search
from normwright.aggregate.axioms.changes import lines
from normwright.aggregate.methods import Method
from normwright.plugins import Card, Denial

CARDS = plugins.cards("methods")
AXIOMS = {card.name for card in plugins.cards("axioms")}
AS_IT_STANDS = ("anonymity", "neutrality")
"""Axioms for which a method may not be remembered: they ask it about the same ballots again."""
SIZES = {
    "pairs": {"strict": 4, "weak": 3, "truncated": 3},
    "orders": {"strict": 4, "weak": 3, "truncated": 3},
    "approvals": {"approvals": 4, "truncated": 3},
    "grades": {"grades": 3},
}
"""Kinds of ballots that a method is tried on, and up to how many voters, by what it takes."""
FEWER = {
    "bridging": {"approvals": 2, "grades": 1},
    "lipschitz-quantile": {"grades": 2},
    "maximal-lottery": {"strict": 4, "weak": 2, "truncated": 3},
    "stv": {"strict": 3, "weak": 2, "truncated": 3},
}
"""Methods tried on fewer: what is dear, and what with one seat is instant runoff over again."""

_NOT_FOUND = "no breach was found by search, and none is proved"
_GRADES = "it speaks of orders, and these are grades"
OPEN: dict[str, dict[str, str]] = {
    "best-worst": {
        "coalition-monotonicity": _NOT_FOUND,
        "condorcet-loser": _NOT_FOUND,
        "homogeneity": _NOT_FOUND,
        "later-no-harm": "a set has a best and a worst, and no later places",
        "monotonicity": _NOT_FOUND,
        "pareto": _NOT_FOUND,
        "participation": _NOT_FOUND,
        "reinforcement": _NOT_FOUND,
    },
    "bradley-terry": {
        "coalition-monotonicity": _NOT_FOUND,
        "condorcet-loser": _NOT_FOUND,
        "monotonicity": _NOT_FOUND,
        "pareto": _NOT_FOUND,
        "participation": _NOT_FOUND,
        "reinforcement": _NOT_FOUND,
        "reversal-symmetry": _NOT_FOUND,
    },
    "bridging": {
        "condorcet-loser": _NOT_FOUND,
        "later-no-harm": _GRADES,
        "pareto": _NOT_FOUND,
    },
    "lipschitz-quantile": {
        "later-no-harm": _GRADES,
        "reversal-symmetry": "where the lowest grade given is not the lowest there is, the scale "
        "may change when it is turned around",
    },
    "majority-judgement": {"later-no-harm": _GRADES},
    "maximal-lottery": {
        "clones": _NOT_FOUND,
        "coalition-monotonicity": _NOT_FOUND,
        "monotonicity": _NOT_FOUND,
    },
    "minimax": {
        "clones": "it copes with one copy, which is what the axiom asks; three clones in a cycle "
        "of large majorities can all lose (Tideman, 1987)",
    },
    "plackett-luce": {
        "coalition-monotonicity": _NOT_FOUND,
        "condorcet-loser": _NOT_FOUND,
        "monotonicity": _NOT_FOUND,
        "pareto": _NOT_FOUND,
        "participation": _NOT_FOUND,
        "reinforcement": _NOT_FOUND,
    },
}
"""What a card neither claims nor denies, and why."""


def by_name(card: Card) -> str:
    """How a test is called."""
    return card.name


def nobody() -> np.random.Generator:
    """A generator."""
    return np.random.default_rng(0)


def breach(
    axiom: str, card: Card, tried: Method, ballots: Election, limit: int = 2000
) -> str | None:
    """What a method does wrong on some ballots, in words a reader can repeat.

    A method may refuse ballots; what it refuses it does not get wrong.
    """
    look: Axiom = plugins.get("axioms", axiom)
    asked = plugins.get("methods", card.name) if axiom in AS_IT_STANDS else tried
    try:
        found = look(asked, ballots, nobody(), limit=limit)
    except Inapplicable:
        return None
    return None if found is None else f"{card.name}, {axiom}: {found.detail} {lines(ballots)}"


@pytest.mark.parametrize("card", CARDS, ids=by_name)
def test_cards_are_complete(card: Card) -> None:
    """A method says what it takes, claims something, names axioms that exist, and not both ways."""
    denied = {denial.axiom for denial in card.denies}

    assert card.takes in SIZES
    assert card.claims
    assert card.reference
    assert set(card.claims) | denied <= AXIOMS
    assert not set(card.claims) & denied
    assert list(card.claims) == list(dict.fromkeys(card.claims))


@pytest.mark.parametrize("card", CARDS, ids=by_name)
def test_every_axiom_is_claimed_denied_or_said_to_be_open(card: Card) -> None:
    """No axiom is passed over; what is open has no breach on profiles of one or two voters."""
    denied, left = {denial.axiom for denial in card.denies}, OPEN.get(card.name, {})

    assert not set(left) & (set(card.claims) | denied)
    assert set(card.claims) | denied | set(left) == AXIOMS
    assert len(card.denies) == len(denied)
    tried = remembered(plugins.get("methods", card.name))
    kind = next(iter(SIZES[card.takes]))
    found = [breach(a, card, tried, ballots) for ballots in elections(kind, 2) for a in left]
    assert [fault for fault in found if fault is not None] == []


def test_nothing_is_open_of_a_method_that_is_not_there() -> None:
    """The table of what is open names methods that are registered, and gives reasons."""
    assert set(OPEN) <= {card.name for card in CARDS}
    assert all(reason for left in OPEN.values() for reason in left.values())


@pytest.mark.parametrize("card", CARDS, ids=by_name)
def test_claims_hold_on_every_small_profile(card: Card) -> None:
    """No axiom that a card claims has a breach on any profile of three alternatives, few voters."""
    tried = remembered(plugins.get("methods", card.name))
    faults, taken = [], 0
    for kind, most in FEWER.get(card.name, SIZES[card.takes]).items():
        for ballots in elections(kind, most):
            taken += takes(tried, ballots)
            found = (breach(a, card, tried, ballots) for a in claimed(card, kind))
            faults += [fault for fault in found if fault is not None]

    assert faults[:5] == []
    # What refuses nearly everything would keep every claim.
    assert taken >= 10


@pytest.mark.parametrize("card", CARDS, ids=by_name)
def test_claims_hold_on_larger_profiles(card: Card) -> None:
    """Nor on drawn profiles of four or five alternatives and up to nine voters."""
    method: Method = plugins.get("methods", card.name)
    kind = next(iter(SIZES[card.takes]))

    @settings(
        derandomize=True,
        deadline=None,
        max_examples=3 if card.name == "bridging" else 12,
        database=None,
    )
    @given(ballots=larger(kind))
    def tried(ballots: Election) -> None:
        known = remembered(method)
        faults = [breach(a, card, known, ballots, limit=40) for a in claimed(card, kind)]

        assert [fault for fault in faults if fault is not None] == []

    tried()


DENIED = [(card, denial) for card in CARDS for denial in card.denies]


@pytest.mark.parametrize(
    ("card", "denial"), DENIED, ids=[f"{c.name}-{d.axiom}" for c, d in DENIED] or None
)
def test_denials_have_their_counterexample(card: Card, denial: Denial) -> None:
    """The axiom finds a breach on exactly the ballots that were published."""
    found = search(denial.axiom, plugins.get("methods", card.name), printed(denial.ballots), seed=0)

    assert denial.source
    assert found.witness is not None, f"{card.name} keeps {denial.axiom} on {denial.ballots}"


def takes(method: Method, ballots: Election) -> bool:
    """Whether a method ranks these ballots at all."""
    try:
        method(ballots)
    except Inapplicable:
        return False
    return True


def claimed(card: Card, kind: str) -> list[str]:
    """The claims of a card that speak of such ballots."""
    graded_ballots = kind in ("approvals", "grades")
    return [a for a in card.claims if not (graded_ballots and a == "later-no-harm")]


def larger(kind: str) -> st.SearchStrategy[Election]:
    """Elections of four or five alternatives and up to nine voters."""
    best = {"approvals": 1, "grades": 3}.get(kind)

    def ballots(m: int) -> st.SearchStrategy[Election]:
        order: st.SearchStrategy[tuple[int, ...]] = (
            st.permutations(range(m)).map(tuple)
            if best is None
            else st.tuples(*[st.integers(0, best)] * m)
        )
        rows = st.lists(order, min_size=1, max_size=9)
        return rows.map(lambda profile: election(kind, profile, "ABCDE"[:m]))

    return st.integers(4, 5).flatmap(ballots)
