"""A norm's own cases: where they lie, and when a norm speaks about them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from normwright.charter import run_cases
from normwright.charter.cases import speaks_about
from normwright.norms import Acts
from normwright.records import ActType, Bearer, Norm, NormCase, Vocabulary

VOCABULARY = Vocabulary(
    facts=(), acts=(ActType(name="tell"), ActType(name="tell.all", is_a=("tell",)))
)


def norm(**fields: Any) -> Norm:
    """A European ban on telling anything, with one case in it."""
    return Norm(
        **{
            "id": "eu.silence", "kind": "prohibition", "layer": "polity", "authority": "EU",
            "tier": "constitutional", "act": "tell", "statement": {"en": "Tell nothing."},
            **fields,
        }
    )  # fmt: skip


def case(**fields: Any) -> NormCase:
    return NormCase(
        **{"lang": "en", "kind": "hit", "act": "tell", "expect": "deny", "text": "Tell.", **fields}
    )


@pytest.mark.parametrize(
    ("binding", "asked"),
    [
        ({"valid_from": date(2026, 12, 2)}, {"time": date(2026, 12, 1)}),
        ({"valid_to": date(2026, 12, 2)}, {"time": date(2026, 12, 2)}),
        ({"bearer": Bearer(actor=("agent",))}, {"bearer": "assistant"}),
        ({"counterparty": ("agent",)}, {"counterparty": "human"}),
        ({}, {"jurisdiction": ("BR",)}),
        ({}, {"jurisdiction": ()}),
    ],
)
def test_norm_is_silent_where_it_does_not_bind(
    binding: dict[str, Any], asked: dict[str, Any]
) -> None:
    """Outside its days, its territory, its bearers or its counterparties a case is no hit."""
    acts = Acts(VOCABULARY)

    assert speaks_about(norm(**binding), case(), acts)
    assert not speaks_about(norm(**binding), case(**asked), acts)


def test_case_of_a_polity_lies_in_its_territory() -> None:
    """A Brazilian permission does not lie under a European ban unless its case says so."""
    free = case(kind="miss", expect="allow")
    brazilian = norm(
        id="br.speech", kind="permission", authority="BR",
        cases=(free, case(jurisdiction=("BR", "EU")), case(jurisdiction=("EU",))),
    )  # fmt: skip

    results = list(run_cases([norm(), brazilian], VOCABULARY))

    assert [result.verdict for result in results] == ["allow", "deny", "deny"]


def test_case_of_no_polity_lies_under_all() -> None:
    """A case of the world's norm lies under every polity unless it names some."""
    worldly = norm(id="g.speech", layer="global", authority="world", kind="permission",
                   cases=(case(), case(jurisdiction=("BR",))))  # fmt: skip

    results = list(run_cases([norm(), worldly], VOCABULARY))

    assert [result.verdict for result in results] == ["deny", "allow"]
