"""What the cards of compromises claim is searched for a breach; what they deny is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.aggregate.compromises.theories import CHECKS, drawn, small, theories_from

from normwright import plugins
from normwright.aggregate.compromises import PROPERTIES

CARDS = plugins.cards("compromises")
CLAIMS = [(card.name, claim) for card in CARDS for claim in card.claims]
DENIALS = [(card.name, denial) for card in CARDS for denial in card.denies]


@pytest.mark.parametrize(("name", "claim"), CLAIMS)
def test_no_breach_of_a_claim_is_found(name: str, claim: str) -> None:
    """Small theories one by one, then larger ones at random, hold no counterexample."""
    rule = plugins.get("compromises", name)
    rng = np.random.default_rng(4)
    step, random = (40, 3) if name in ("nash", "parliament") else (8, 20)
    cases = [*list(small())[::step], *(drawn(rng) for _ in range(random))]

    found = [CHECKS[claim](rule, replace(t, comparable=name == "mec")) for t in cases]

    assert [f for f in found if f] == []


@pytest.mark.slow
@pytest.mark.parametrize(("name", "claim"), CLAIMS)
def test_no_breach_of_a_claim_is_found_in_many(name: str, claim: str) -> None:
    """All small theories and many random ones hold no counterexample either."""
    rule = plugins.get("compromises", name)
    rng = np.random.default_rng(5)
    cases = [*small(), *(drawn(rng) for _ in range(200))]

    found = [CHECKS[claim](rule, replace(t, comparable=name == "mec")) for t in cases]

    assert [f for f in found if f] == []


@pytest.mark.parametrize(("name", "denial"), DENIALS, ids=lambda v: getattr(v, "axiom", v))
def test_a_denial_carries_its_counterexample(name: str, denial: plugins.Denial) -> None:
    """The case on the card breaches the property."""
    rule = plugins.get("compromises", name)
    theories = theories_from(denial.ballots, comparable=name == "mec")

    assert sum(theories.credences) == 1
    assert CHECKS[denial.axiom](rule, theories) is not None


def test_every_property_on_a_card_is_explained_and_checked() -> None:
    """Cards claim and deny only what is defined, and never both of one."""
    for card in CARDS:
        denied = [d.axiom for d in card.denies]
        assert set(card.claims) | set(denied) <= set(PROPERTIES)
        assert not set(card.claims) & set(denied)
    assert set(CHECKS) == set(PROPERTIES)
