"""The matrix is counted from the artefacts: what is missing or weakened is a hole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.charter.enacting.test_artefacts import BAN, STYLE, cases, policy
from tests.norms.builders import norm

from normwright.charter import coverage, criterion_holes
from normwright.charter.enacting.coverage import as_table
from normwright.records import Criterion, Policy, RewardTerm

FLOOR = norm(id="floor", kind="prohibition", act="advise",
             condition={"fact": "age", "at_most": 17}, on_unknown="deny",
             cases=[*cases(("hit", "deny", "advise"), age=9),
                    *cases(("miss", "allow", "advise"), age=40)])  # fmt: skip
RIGHT = norm(id="right", kind="guarantee", act="tell", layer="polity", tier="constitutional",
             cases=cases(("hit", "allow", "tell"), ("miss", "allow", "decline")))  # fmt: skip


def without(made: Policy, norm: str, **which: Any) -> Policy:
    """A policy with one norm's entries taken out of one artefact, or changed in it."""
    (field, change), = which.items()  # fmt: skip
    entries = []
    for entry in getattr(made, field):
        if entry.norm not in (norm, norm.partition("@")[0]):
            entries.append(entry)
        elif change is not None and (changed := change(entry)) is not None:
            entries.append(changed)
    return made.model_copy(update={field: tuple(entries)})


def holes(made: Policy) -> list[tuple[str, str, str]]:
    return [(h.norm, h.artefact, h.severity) for h in coverage(made).holes]


def set_to(**fields: Any) -> Callable[[Any], Any]:
    return lambda entry: entry.model_copy(update=fields)


def test_what_is_enacted_is_covered() -> None:
    """Without an edit there is no hole, and the policy's own table says the same."""
    made = policy(FLOOR, RIGHT, BAN, STYLE)
    found = coverage(made)

    assert found.holes == ()
    assert found.complete
    assert made.coverage == as_table(found)


@pytest.mark.parametrize(
    ("field", "change", "artefact"),
    [
        ("guard_rules", None, "guard"),
        ("guard_rules", set_to(effect="transform"), "guard"),
        ("guard_rules", set_to(act="advise.dose"), "guard"),
        ("guard_rules", set_to(on_unknown="allow"), "guard"),
        ("guard_rules", set_to(on_unknown="ask"), "guard"),
        ("guard_rules", set_to(kind="obligation"), "guard"),
        ("guard_rules", set_to(channels=()), "guard"),
        ("guard_rules", set_to(actors=("agent",)), "guard"),
        ("guard_rules", set_to(counterparty=("human",)), "guard"),
        ("guard_rules", set_to(condition=FLOOR.condition.model_copy(update={"at_most": 12})),
         "guard"),
        ("reward_constraints", None, "reward"),
        ("reward_constraints", set_to(limit=0.5), "reward"),
        ("reward_constraints", set_to(hard=False), "reward"),
        ("evaluation", None, "evaluation"),
        ("evaluation", lambda item: item if item.lang == "en" else None, "evaluation"),
        ("criteria", None, "criterion"),
        ("criteria", set_to(on_fail="hold"), "criterion"),
        ("criteria", set_to(limit=0.2), "criterion"),
        ("criteria", set_to(kind="rate_lower"), "criterion"),
        ("criteria", lambda one: one if one.lang else None, "criterion"),
    ],
)  # fmt: skip
def test_an_artefact_that_is_gone_or_weakened_is_an_error_for_a_floor(
    field: str, change: Callable[[Any], Any] | None, artefact: str
) -> None:
    """Each way of cutting a constitutional norm down is named, and nothing else."""
    made = policy(FLOOR, RIGHT, BAN, STYLE)

    assert holes(without(made, "floor@1", **{field: change})) == [("floor@1", artefact, "error")]
    assert not coverage(without(made, "floor@1", **{field: change})).complete


def test_a_floor_in_the_sum_is_a_hole() -> None:
    """What stands in the sum can be bought, also if the constraint stands beside it."""
    made = policy(FLOOR)
    sold = made.model_copy(
        update={"reward_terms": (RewardTerm(norm="floor@1", head="x", weight=9.0, aim="avoid"),)}
    )

    assert holes(sold) == [("floor@1", "reward", "error")]


def test_stronger_than_asked_covers() -> None:
    """An edit that is stricter is no hole."""
    made = policy(FLOOR, BAN)
    stricter = without(made, "ban@1", criteria=set_to(on_fail="block", limit=0.001))

    assert holes(stricter) == []


def test_a_right_needs_evaluation_and_criterion_and_no_guard() -> None:
    """Nobody denies by a guarantee; that it is kept has to be measured and to block."""
    made = policy(RIGHT)
    bare = made.model_copy(update={"evaluation": (), "criteria": (), "guard_rules": ()})

    assert holes(bare) == [("right@1", "evaluation", "error"), ("right@1", "criterion", "error")]


def test_holes_of_revisable_norms_are_warnings() -> None:
    """They are told and do not fail."""
    made = policy(BAN)
    bare = made.model_copy(update={"guard_rules": (), "criteria": ()})

    assert holes(bare) == [("ban@1", "guard", "warning"), ("ban@1", "criterion", "warning")]
    assert coverage(bare).complete


def test_a_norm_without_cases_is_a_hole_in_evaluation() -> None:
    """Enacting cannot make up what nobody wrote; a metric of its own that is asked for will do."""
    bare = norm(id="bare", kind="prohibition", act="tell")
    measured = norm(id="m", kind="prohibition", act="tell",
                    measure=[{"metric": "judge.m", "limit": 0.01}])  # fmt: skip

    assert holes(policy(bare)) == [("bare@1", "evaluation", "error")]
    assert holes(policy(measured)) == []


def test_every_hole_is_told_in_every_language() -> None:
    """People read what is missing in their own words."""
    (hole,) = coverage(policy(norm(id="bare", kind="prohibition", act="tell"))).holes

    assert set(hole.reason) == {"en", "pt"}
    assert "[bare]" in hole.reason["pt"]


def test_somebodys_own_criteria_are_compared_norm_by_norm() -> None:
    """A criterion about all norms together is about none of them; one that holds does not block."""
    made = policy(FLOOR, RIGHT, BAN)

    def asked(norm: str | None, on_fail: Any) -> Criterion:
        return Criterion(id="c", group="g", kind="rate_upper", suite="harm", model="candidate",
                         norm=norm, limit=0.1, on_fail=on_fail)  # fmt: skip

    def missing(*written: Criterion) -> list[str]:
        return [hole.norm for hole in criterion_holes(made, written)]

    assert missing() == missing(asked(None, "block")) == ["floor@1", "right@1"]
    assert missing(asked("floor", "block"), asked("right", "hold")) == ["right@1"]
    assert missing(asked("floor", "block"), asked("right@1", "block")) == []
