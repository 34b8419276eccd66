"""The rules of each tier: shares, groups, quorum, robust core, readings; each refusal in words."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.charter.builders import (
    LANGS,
    body,
    core,
    outcome,
    process,
    reading,
    source,
    statement,
)

from normwright.charter import LEVEL_CAP, CharterSource, level_of, ratify
from normwright.charter.readings import objections, result_of, rule_in_words, standing_of
from normwright.charter.tallying import Tallied, tallied
from normwright.records import (
    Amendment,
    Charter,
    InputError,
    Outcome,
    Reading,
    ReadingResult,
    RobustSupport,
    TierRule,
)

FIRST = date(2026, 10, 1)
STRICT = Amendment().constitutional
NORM = "o.no-advice"


def counted(votes: tuple[int, int, int], robust: RobustSupport | None = None) -> Tallied:
    found = outcome({"s1": votes}, robust=() if robust is None else (robust,))
    return tallied([statement(1, NORM)], found, norm=NORM)


def said(found: Tallied, rule: TierRule) -> list[str]:
    """What speaks against it, in English; said in both languages, with the same numbers."""
    texts = objections(found, rule, LANGS)
    for text in texts:
        digits = [[c for c in text[lang] if c.isdigit()] for lang in LANGS]
        assert set(text) == set(LANGS)
        assert digits[0] == digits[1]
    return [text["en"] for text in texts]


def test_default_rules_are_strict_and_a_file_changes_only_what_it_names(tmp_path: Path) -> None:
    """What charter.yaml leaves out of a tier's rule stays as strict as it was."""
    bare = source(tmp_path / "bare", body(), charter=None).head.amendment
    named = source(
        tmp_path / "named", body(), charter={"amendment": {"constitutional": {"readings": 1}}}
    ).head.amendment

    assert bare == Amendment()
    assert (bare.constitutional.readings, bare.constitutional.days_between) == (2, 14)
    assert named.constitutional == bare.constitutional.model_copy(update={"readings": 1})
    assert named.revisable == bare.revisable


def test_every_reason_is_told_at_once() -> None:
    """Few voters, too little support and no robust core are three reasons, not the first one."""
    rule = STRICT.model_copy(update={"quorum": 101})

    reasons = said(counted((60, 40, 0), core(votes=0.52)), rule)

    assert [r.partition(" ")[0] for r in reasons] == ["100", "Support", "The"]
    assert "at least 101 have to" in reasons[0]
    assert "60.0 % of 100 people; 66.7 % are needed" in reasons[1]
    assert "all votes pooled 52.0 % instead of 66.7 %" in reasons[2]


@pytest.mark.parametrize(("people", "quorum", "met"), [(99, 100, False), (100, 100, True)])
def test_quorum_counts_people_and_not_votes(people: int, quorum: int, met: bool) -> None:
    """Two statements answered by the same people are no larger quorum."""
    robust = core(statements=("s1", "s2"), voters=people)
    found = tallied(
        [statement(1, NORM), statement(2, NORM)],
        outcome({"s1": (90, 0, 0), "s2": (90, 0, 0)}, robust=(robust,)),
        norm=NORM,
    )
    rule = TierRule(quorum=quorum)

    assert found.people == people
    assert (said(found, rule) == []) == met


def test_without_a_count_of_people_the_quorum_is_the_most_on_one_statement() -> None:
    """Never more people than are known of."""
    found = tallied(
        [statement(1, NORM), statement(2, NORM)],
        outcome({"s1": (60, 0, 0), "s2": (50, 0, 0)}),
        norm=NORM,
    )

    assert found.people == 60


def test_robust_core_that_was_not_computed_is_not_shown() -> None:
    """Nothing unknown passes: no core, and a core that lacks a group, are refused in words."""
    rule = STRICT.model_copy(update={"readings": 1})
    groups = {"A": {"s1": (50, 0, 0)}, "B": {"s1": (45, 5, 0)}}
    lacking = tallied(
        [statement(1, NORM)],
        outcome({"s1": (95, 5, 0)}, groups=groups, sizes={"A": 50, "B": 50},
                robust=(core(group_A=0.9),)),
        norm=NORM,
    )  # fmt: skip

    for found in (counted((95, 5, 0)), lacking):
        (reason,) = said(found, rule)
        assert "was not computed" in reason
    assert said(counted((95, 5, 0), core()), rule) == []


def test_core_of_other_statements_is_not_taken_for_this_one() -> None:
    """A statement fewer, and what was computed is about something else."""
    found = tallied(
        [statement(1, NORM), statement(2, NORM)],
        outcome({"s1": (90, 0, 0), "s2": (90, 0, 0)}, robust=(core(statements=("s1",)),)),
        norm=NORM,
    )

    assert found.robust is None


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"people": 0.6}, "each person counted once 60.0 %"),
        ({"votes_decided": 0.66}, "passes left out 66.0 %"),
        ({"votes_weighted": 0.5}, "by weights 50.0 %"),
        ({"groups": 0.6}, "each opinion group counted alike"),
        ({"consensus": 0.6}, "consensus of the opinion groups"),
        ({"people": None}, "unknown, because too few voted"),
        ({"votes": 2 / 3}, ""),
    ],
)
def test_each_rule_of_counting_must_say_yes(changed: dict[str, Any], names: str) -> None:
    """One rule that says no is enough, and it is named with its number."""
    reasons = said(counted((95, 5, 0), core(**changed)), STRICT)

    assert len(reasons) == bool(names)
    assert all(names in reason for reason in reasons)


@pytest.mark.parametrize(("kept", "holds"), [(0.49, False), (0.5, True)])
def test_large_group_must_keep_its_half(kept: float, holds: bool) -> None:
    """A group's own bar is one half, and exactly one half is at least one half."""
    groups = {"A": {"s1": (50, 0, 0)}, "B": {"s1": (40, 10, 0)}}
    found = tallied(
        [statement(1, NORM)],
        outcome({"s1": (90, 10, 0)}, groups=groups, sizes={"A": 50, "B": 50},
                robust=(core(group_A=0.9, group_B=kept),)),
        norm=NORM,
    )  # fmt: skip

    assert (said(found, STRICT) == []) == holds


def test_simple_majority_in_a_core_is_more_than_half() -> None:
    """A rule of one half is not met by exactly one half of every resample."""
    rule = TierRule(share=0.5, robust_core=True)

    assert "more than 50.0 %" in said(counted((95, 5, 0), core(votes=0.5)), rule)[0]
    assert said(counted((95, 5, 0), core(votes=0.501)), rule) == []


# Readings


def results(*days: tuple[int, bool]) -> list[ReadingResult]:
    return [ReadingResult(held_on=FIRST + timedelta(days=d), process=f"p{d}", carried=c)
            for d, c in days]  # fmt: skip


@pytest.mark.parametrize(
    ("held", "state", "awaits"),
    [
        ([(0, True)], "proposed", 14),
        ([(0, True), (13, True)], "proposed", 14),
        ([(0, True), (14, True)], "carried", None),
        ([(14, True), (0, True)], "carried", None),
        ([(0, True), (13, True), (14, True)], "carried", None),
        ([(0, True), (14, False)], "rejected", None),
        ([(0, False), (14, True)], "proposed", 28),
        ([(0, True), (20, False), (40, True)], "proposed", 54),
        ([(0, False), (14, True), (28, True)], "carried", None),
        ([(0, False)], "rejected", None),
        ([], "rejected", None),
    ],
)
def test_readings_one_after_the_other(
    held: list[tuple[int, bool]], state: str, awaits: int | None
) -> None:
    """Two readings in a row, far enough apart; a lost one begins the count anew."""
    found = standing_of(results(*held), STRICT)

    assert found.state == state
    assert found.awaits == (None if awaits is None else FIRST + timedelta(days=awaits))


def obvious(held: list[tuple[int, bool]], needed: int, gap: int) -> str:
    """Try every choice of readings after the last one lost: the slow way."""
    from itertools import combinations

    ordered = sorted(held, key=lambda one: one[0])
    lost = max((i for i, (_, c) in enumerate(ordered) if not c), default=-1)
    days = [d for d, _ in ordered[lost + 1 :]]
    if not days:
        return "rejected"
    fits = any(
        all(b - a >= gap for a, b in itertools.pairwise(chosen))
        for chosen in combinations(days, needed)
    )
    return "carried" if fits else "proposed"


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=7, unique_by=lambda d: d[0]),
    st.integers(1, 4),
    st.integers(0, 20),
)
def test_counting_readings_agrees_with_trying_every_choice(
    held: list[tuple[int, bool]], needed: int, gap: int
) -> None:
    """Taking each reading as soon as it may count misses no way to count enough."""
    rule = TierRule(share=2 / 3, readings=needed, days_between=gap)

    assert standing_of(results(*held), rule).state == obvious(held, needed, gap)


def strict(folder: Path) -> CharterSource:
    """A constitutional norm under the default rules."""
    return source(folder, body(tier="constitutional", review_by=None), charter=None)


def vote(name: str, votes: tuple[int, int, int], **fields: Any) -> Outcome:
    robust = fields.pop("robust", (core(),))
    return outcome({"s1": votes}, process=name, robust=robust, **fields)


def ratified(norms: CharterSource, *held: Reading, on: date | None = None) -> Charter:
    return ratify(norms, readings=held, charter_id="test", languages=LANGS,
                  on=on or max(r.held_on for r in held))  # fmt: skip


def held_on(day: int, found: Outcome, **who: Any) -> Reading:
    return reading(FIRST + timedelta(days=day), found, statement(1, NORM), **who)


def test_one_reading_of_two_leaves_a_norm_proposed(tmp_path: Path) -> None:
    """It is told from when the second may be held, and it binds nobody."""
    made = ratified(strict(tmp_path), held_on(0, vote("one", (90, 10, 0))))

    (waiting,) = made.proposed
    assert (made.norms, made.rejected) == ((), ())
    assert (waiting.norm.status, waiting.awaits) == ("proposed", date(2026, 10, 15))
    assert "1 of 2 readings" in waiting.reasons["en"]
    assert "2026-10-15" in waiting.reasons["pt"]
    assert waiting.norm.provenance is not None
    assert waiting.norm.provenance.ratified_at is None
    assert [r.norm for r in made.not_holding] == [f"{NORM}@1"]


def test_two_readings_ratify_and_tell_how_support_changed(tmp_path: Path) -> None:
    """Both are kept with their dates; the difference has an interval."""
    made = ratified(
        strict(tmp_path),
        held_on(14, vote("two", (88, 12, 0))), held_on(0, vote("one", (90, 10, 0))),
    )  # fmt: skip

    (norm,) = made.norms
    proof = norm.provenance
    assert proof is not None
    assert proof.change is not None
    assert proof.change.interval is not None
    assert [(r.process, r.carried) for r in proof.readings] == [("one", True), ("two", True)]
    assert proof.change.value == pytest.approx(-0.02)
    assert proof.change.interval.low < -0.02 < 0 < proof.change.interval.high
    assert (proof.process, proof.support["all"].value, made.process) == ("two", 0.88, "two")
    assert "fell" not in proof.rules["en"]
    assert len(made.derived_from) == 2


def test_support_that_fell_is_flagged(tmp_path: Path) -> None:
    """A norm may be carried twice while people turn away from it; that is said."""
    made = ratified(
        strict(tmp_path),
        held_on(0, vote("one", (99, 1, 0))), held_on(20, vote("two", (80, 20, 0))),
    )  # fmt: skip

    proof = made.norms[0].provenance
    assert proof is not None
    assert "Support fell from 99.0 % to 80.0 %" in proof.rules["en"]
    assert "desceu de 99,0 % para 80,0 %" in proof.rules["pt"]


def test_norm_lost_in_its_second_reading_is_rejected_with_that_reason(tmp_path: Path) -> None:
    """The first reading gives no claim to the second."""
    made = ratified(
        strict(tmp_path),
        held_on(0, vote("one", (90, 10, 0))), held_on(14, vote("two", (60, 40, 0))),
    )  # fmt: skip

    (lost,) = made.rejected
    assert "60.0 % of 100 people" in lost.reason
    assert [r.carried for r in lost.readings] == [True, False]


def test_weakest_identification_caps_the_level(tmp_path: Path) -> None:
    """A roll of voters in the second reading does not mend an open first one."""
    made = ratified(
        strict(tmp_path),
        held_on(0, vote("one", (90, 10, 0)), identification="open"),
        held_on(14, vote("two", (90, 10, 0)), identification="roster"),
    )

    assert made.norms[0].provenance is not None
    assert made.norms[0].provenance.decision_level == "L1"


def test_levels_are_capped_by_identification_and_no_vote_reaches_above_l3() -> None:
    """Every pair of ways to identify voters: the weaker one decides; simulated ones decide L0."""
    caps = {"open": "L1", "invite": "L2", "roster": "L3", "oidc": "L3"}
    assert caps == LEVEL_CAP
    for one, cap in caps.items():
        for other, limit in caps.items():
            pair = [process(identification=one), process(identification=other)]
            assert level_of(pair) == min(cap, limit) <= "L3"
        assert level_of([process("simulated", identification=one)]) == "L0"


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (lambda: held_on(14, vote("two", (90, 10, 0), kind="simulated")), "mixes people"),
        (lambda: held_on(14, vote("one", (90, 10, 0))), "a process of its own"),
        (lambda: held_on(99, vote("two", (90, 10, 0))), "day of ratification"),
    ],
)
def test_readings_that_do_not_go_together_are_refused(
    tmp_path: Path, second: Any, says: str
) -> None:
    """People with simulated ones, one vote twice, a vote after the charter."""
    with pytest.raises(InputError, match=says):
        ratified(strict(tmp_path), held_on(0, vote("one", (90, 10, 0))), second(),
                 on=FIRST + timedelta(days=30))  # fmt: skip


def test_no_reading_at_all_is_refused(tmp_path: Path) -> None:
    """A charter says who was asked."""
    with pytest.raises(InputError, match="at least one reading"):
        ratify(strict(tmp_path), charter_id="test", languages=LANGS, on=FIRST)


def test_simulated_readings_make_a_demonstration(tmp_path: Path) -> None:
    """Two readings of simulated participants are still nobody's decision."""
    made = ratified(
        strict(tmp_path),
        held_on(0, vote("one", (90, 10, 0), kind="simulated"), identification="oidc"),
        held_on(14, vote("two", (90, 10, 0), kind="simulated"), identification="oidc"),
    )

    (norm,) = made.norms
    assert norm.status == "demonstration"
    assert norm.provenance is not None
    assert norm.provenance.decision_level == "L0"


def test_rule_is_told_in_words_with_its_numbers() -> None:
    """Whoever reads a norm learns what it took, whatever the charter's own rule is."""
    rule = TierRule(share=0.6, group_share=0.55, group_size=0.1, quorum=40, readings=3,
                    days_between=7)  # fmt: skip

    told = rule_in_words(rule, Tallied(shares={"A": 0.5}), LANGS)

    for number in ("60.0 %", "55.0 %", "10.0 %", "40 people", "3 readings", "7 days"):
        assert number in told["en"]
    assert "60,0 %" in told["pt"]


def test_result_of_a_reading_keeps_what_was_counted() -> None:
    """People, support, what is kept and where it comes from."""
    found = outcome({"s1": (90, 10, 0)}, robust=(core(voters=87),))
    held = reading(FIRST, found, statement(1, NORM))

    one = result_of(tallied(held.statements, found, norm=NORM), STRICT, held, LANGS)

    assert (one.people, one.carried, one.tally) == (87, True, found.digest)
    assert one.kept["people"] == 0.7
    assert one.process == process().id
