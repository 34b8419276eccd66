"""The rules of change need the rule for constitutional norms themselves."""

from __future__ import annotations

from tests.norms.builders import charter, norm, vocabulary

from normwright.charter.amending import amendment_tier, diff
from normwright.records import TierRule

W = vocabulary({"make": [], "decline": []}, {"adult": "bool"})
LOW = norm(id="o.ban", kind="prohibition", layer="organisation", act="make")
HIGH = norm(id="g.ban", kind="prohibition", act="make")


def test_a_change_of_the_amendment_rules_is_constitutional() -> None:
    """It decides no situation, is reported, and needs the stronger rule."""
    before = charter(W, [LOW])
    easier = before.amendment.model_copy(update={"constitutional": TierRule(share=0.5)})
    found = diff(before, before.model_copy(update={"amendment": easier}))

    assert found.head == ("amendment",)
    assert found.proved_unchanged
    assert amendment_tier(found) == "constitutional"


def test_a_change_needs_the_rule_of_the_gravest_norm_it_touches() -> None:
    """Revisable norms by the revisable rule, one constitutional norm by the constitutional."""
    none = charter(W, [])

    assert amendment_tier(diff(none, none)) is None
    assert amendment_tier(diff(none, charter(W, [LOW]))) == "revisable"
    assert amendment_tier(diff(charter(W, [HIGH, LOW]), charter(W, [LOW]))) == "constitutional"


def test_the_words_of_norms_are_entrenched_as_the_norms_are() -> None:
    """Another bound of a fact changes what norms say; a new fact does not."""
    more = vocabulary({"make": [], "decline": []}, {"adult": "bool", "age": {"low": 0}})
    other = vocabulary({"make": [], "decline": []}, {"adult": "bool", "age": {"low": 1}})

    assert amendment_tier(diff(charter(W, []), charter(more, []))) == "revisable"
    assert amendment_tier(diff(charter(more, []), charter(other, []))) == "constitutional"
