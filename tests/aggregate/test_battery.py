"""Every method that is registered: what its card claims holds, and what it denies fails as printed.

Claims are searched on every small profile of three alternatives, then on larger drawn ones.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.elections import election_from
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
SLOW = {"bridging": {"approvals": 2, "grades": 1}}
"""Methods that fit a model with many steps, on fewer."""


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
def test_claims_hold_on_every_small_profile(card: Card) -> None:
    """No axiom that a card claims has a breach on any profile of three alternatives, few voters."""
    tried = remembered(plugins.get("methods", card.name))
    faults, taken = [], 0
    for kind, most in SLOW.get(card.name, SIZES[card.takes]).items():
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
        derandomize=True, deadline=None, max_examples=3 if card.name in SLOW else 12, database=None
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
    found = search(denial.axiom, plugins.get("methods", card.name), printed(card, denial), seed=0)

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


def printed(card: Card, denial: Denial) -> Election:
    """The election of a printed case."""
    return election_from("\n".join(denial.ballots))
