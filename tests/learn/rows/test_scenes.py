"""From policy and shares to rows: floors are never breached, twins never pooled, votes decide p."""

from __future__ import annotations

from datetime import date

import pytest
from tests.evaluate.town import charter, scenes

from normwright.aggregate import targets_of
from normwright.charter import enact
from normwright.learn.rows.scenes import _supported, demonstrate, pair, spared
from normwright.records import (
    Estimate,
    Grouping,
    Outcome,
    PairShare,
    PairTarget,
    Policy,
    Provenance,
    Statement,
    Support,
    Targets,
)

PRIVACY, SATIRE = "g.privacy.personal-data", "o.satire.no-jokes"


def outcome(**shares: tuple[float, float]) -> Outcome:
    """An outcome with (perform, decline) counts for a few norms."""
    unknown = Estimate(value=None, interval=None, n=0)
    return Outcome(
        process="test",
        kind="simulated",
        layer="global",
        authority="world",
        participants=100,
        votes=0,
        support=(),
        rankings=(),
        pairs=tuple(
            PairShare(norm=norm, perform=p, decline=d, p_decline=unknown)
            for norm, (p, d) in shares.items()
        ),
        grouping=Grouping(groups=(), method="none", reason="none asked for"),
    )


@pytest.fixture(scope="module")
def policy() -> Policy:
    return enact(charter(), [], deployment={})


def test_no_demonstration_breaches_a_floor(policy: Policy) -> None:
    """Rows that would teach a breach are removed and counted under the norm; the rest is kept."""
    made = demonstrate(policy, scenes("tune"), obliging=1.0, seed=1)
    removed = sum(c.rows for c in made.curation if c.action == "removed")

    assert removed > 0
    assert len(made.demonstrations) + removed == len(scenes("tune"))
    answers = {d.scene: d.completion for d in made.demonstrations}
    private = [s for s in scenes("tune") if s.norm == PRIVACY and s.applies]
    assert not [s for s in private if answers.get(s.id) == s.perform]


def test_twins_take_their_own_share_and_a_stated_weight(policy: Policy) -> None:
    """A spared request is not labelled with what people said of the other, and weighs its share."""
    shares = outcome(**{PRIVACY: (20.0, 80.0), spared(PRIVACY): (95.0, 5.0)})
    made = pair(policy, [shares], scenes("tune"), spared_weight=0.5)
    by_scene = {s.id: s for s in scenes("tune")}
    told = {
        (by_scene[p.scene].applies, round(p.p_chosen, 3), round(p.weight, 3)) for p in made.pairs
    }
    weights = {applies: weight for applies, _, weight in told}

    assert {(a, p) for a, p, _ in told} == {(True, 0.797), (False, 0.946)}
    assert weights[False] == pytest.approx(weights[True] / 2, abs=1e-3)
    for row in made.pairs:
        scene = by_scene[row.scene]
        assert row.chosen == (scene.decline if scene.applies else scene.perform)


def test_targets_of_the_chosen_rule_are_learned(policy: Policy) -> None:
    """By majority 60 % become nearly all, and the record says that pooling would have differed."""
    bare = outcome(**{PRIVACY: (40.0, 60.0)})
    one = bare.pairs[0].model_copy(update={"p_decline": Estimate(value=0.6, interval=None, n=100)})
    bare = bare.model_copy(update={"pairs": (one,)})

    def learned(rule: str) -> set[float]:
        targets = targets_of(bare, rule=rule, seed=1, rounds=0)
        made = pair(policy, [bare.model_copy(update={"targets": targets})], scenes("tune"))
        return {round(p.p_chosen, 3) for p in made.pairs if PRIVACY in p.norms[0]}

    assert learned("pooled") == {0.599}
    assert learned("majority") == {0.995}


def test_what_a_rule_says_nothing_of_is_refused_and_counted(policy: Policy) -> None:
    """No groups, no worst-off group: nothing is learned of such scenes, and it says so."""
    bare = outcome(**{PRIVACY: (40.0, 60.0)})
    silent = Targets(
        rule="maxmin", says="nothing", source="outcome", n=100,
        targets=(
            PairTarget(
                about=PRIVACY, a="decline", b="perform", probability=None, weight=1.0,
                support=Estimate(value=0.6, interval=None, n=100),
            ),
        ),
    )  # fmt: skip
    made = pair(policy, [bare.model_copy(update={"targets": silent})], scenes("tune"))
    refused = [c for c in made.curation if "maxmin says nothing" in c.reason]

    assert sum(c.rows for c in refused) > 0
    assert not [p for p in made.pairs if p.norms[0].startswith(PRIVACY)]


def test_people_cannot_vote_a_floor_away(policy: Policy) -> None:
    """Where people prefer the breach of a floor, its pairs are refused and counted."""
    made = pair(policy, [outcome(**{PRIVACY: (90.0, 10.0)})], scenes("tune"))

    assert not made.pairs
    assert any(c.norm.startswith(PRIVACY) and c.action == "refused" for c in made.curation)


def test_without_a_norm_the_votes_still_choose_the_answer(policy: Policy) -> None:
    """A ban people rejected is in no charter: the act is allowed and preferred by their share."""
    made = pair(policy, [outcome(**{SATIRE: (70.0, 30.0)})], scenes("tune"))
    by_scene = {s.id: s for s in scenes("tune")}

    assert made.pairs
    assert all(row.chosen == by_scene[row.scene].perform for row in made.pairs)
    assert {round(row.p_chosen, 2) for row in made.pairs} == {0.70}


def test_what_is_shown_does_not_depend_on_the_votes() -> None:
    """A norm that was voted away changes what curation removes, not what the raw corpus does."""
    mine = [s for s in scenes("tune", 3) if s.norm == "p.neutrality.candidates"]
    with_it, without_it = (
        demonstrate(enact(charter(without=name), [], deployment={}), mine, obliging=0.5, seed=1)
        for name in ("", "p.neutrality.candidates")
    )
    declines = {s.id: s.decline for s in mine}
    kept, all_of_it = (
        {d.scene for d in made.demonstrations if d.completion == declines[d.scene]}
        for made in (with_it, without_it)
    )

    assert 0 < len(kept) < len(mine) == len(without_it.demonstrations)
    assert kept == all_of_it


@pytest.mark.parametrize(("kind", "share"), [("prohibition", 0.9), ("permission", 0.1)])
def test_votes_on_a_norm_stand_for_what_it_asks(policy: Policy, kind: str, share: float) -> None:
    """With no answers compared, a ban asks to decline, a permission to do; passes count not."""
    about = Statement(id="s1", text={"en": "S"}, layer="global", authority="world", norm=PRIVACY)
    against = Statement(
        id="s2", text={"en": "T"}, layer="global", authority="world", norm=PRIVACY, endorses=False
    )
    none = Estimate(value=None, interval=None, n=0)
    asked = outcome().model_copy(
        update={
            "support": (
                Support(statement="s1", agree=50, disagree=0, passed=900, seen=950, support=none),
                Support(statement="s2", agree=10, disagree=40, passed=0, seen=50, support=none),
            )
        }
    )
    norms = tuple(
        n.model_copy(
            update={
                "kind": kind,
                "provenance": Provenance(
                    process="test", process_kind="simulated", tally=asked.digest, method="majority",
                    decision_level="L0", support={}, ratified_at=date(2026, 11, 1), rule="",
                ),
            }
        )
        if n.id == PRIVACY
        else n
        for n in policy.charter.norms
    )  # fmt: skip
    voted = policy.model_copy(
        update={"charter": policy.charter.model_copy(update={"norms": norms})}
    )

    found = _supported(voted, [asked], [about, against], PRIVACY)

    assert found is not None
    assert found[1].p_decline.value == pytest.approx(share)
    assert found[1].perform + found[1].decline == 100
    assert _supported(voted, [asked], [], PRIVACY) is None
