"""`diff` against every situation of small charters, and on the changes people make."""

from __future__ import annotations

import os
import random
from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.charter.amending.random_charters import (
    DOMAINS,
    PLACES,
    WORDS,
    Quick,
    every_situation,
    random_norm,
    random_pair,
)
from tests.norms.builders import charter, norm, vocabulary

from normwright.charter.amending import diff, tables
from normwright.norms import evaluate
from normwright.records import (
    ChangedRegion,
    Charter,
    CharterDiff,
    Condition,
    FactReading,
    FactValue,
    Norm,
    Situation,
)

pytest.importorskip("z3")

PAIRS = int(os.environ.get("NORMWRIGHT_DIFF_PAIRS", "25"))
"""Random pairs compared; the variable raises it for an exhaustive run."""


def about(found: CharterDiff, asked: Situation) -> list[ChangedRegion]:
    """The regions whose act and place are those of a situation."""
    return [
        r for r in found.changed
        if asked.act in r.acts and asked.bearer in r.bearers and asked.time in r.times
        and asked.channel in r.channels and asked.counterparty in r.counterparties
        and asked.jurisdiction in r.jurisdictions
    ]  # fmt: skip


def known(asked: Situation) -> dict[str, FactValue]:
    """The facts of a situation, as plain values."""
    return {f: v for f, v in asked.facts.items() if not isinstance(v, FactReading)}


def compare(before: Charter, after: Charter, rng: random.Random) -> int:
    """Fail on a difference that diff misses or makes up; return how many there are."""
    found = diff(before, after)
    assert found.open == ()
    resolvers = Quick(before), Quick(after)
    differences = 0
    dated = any(norm.valid_from for norm in (*before.norms, *after.norms))
    # A polity without norms is like no polity at all, and stands for itself nowhere.
    lawful = any((n.layer, n.authority) == ("polity", "one") for n in (*before.norms, *after.norms))
    able = [
        p for p in PLACES
        if (dated or "time" not in p) and (lawful or p["jurisdiction"] is None)
    ]  # fmt: skip
    for place in rng.sample(able, 3):
        for one in every_situation(before.vocabulary, place):
            if len(one.facts) < len(DOMAINS) and len(one.feasible) > 2:
                continue  # while facts are unknown, one other act at a time is looked at
            was, now = (r.decide(one).verdict for r in resolvers)
            regions = about(found, one)
            base = len(one.feasible) == 1 and len(one.facts) == len(DOMAINS)
            inside = [r for r in regions if r.seen == "known"
                      and evaluate(r.condition, known(one)) is True]  # fmt: skip
            if was != now:
                differences += 1
                pairs = [(r.before.verdict, r.after.verdict) for r in regions]
                # Each pair beside at most one other act; beside several, that there is one at all.
                assert (was, now) in pairs or (pairs and len(one.feasible) > 2), one
                assert inside or not base, one
            for r in inside if base else []:
                assert (r.before.verdict, r.after.verdict) == (was, now), one
    assert found.proved_unchanged == (not found.changed)
    return differences


def test_diff_agrees_with_every_situation_of_small_charters() -> None:
    """No difference is missed and none is made up, over all facts, feasible sets and places."""
    rng = random.Random(20261202)
    counts = [compare(*random_pair(rng), rng) for _ in range(PAIRS)]

    assert 0 in counts
    assert sum(count > 0 for count in counts) > PAIRS / 8


@pytest.mark.parametrize("limit", ["CELLS", "_LOOKED_UP"])
def test_every_way_of_comparing_agrees_with_every_situation(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no room for tables, formulas find the same; so do tables of what occurs alone."""
    monkeypatch.setattr(tables, limit, 1 if limit == "CELLS" else 0)
    rng = random.Random(20261203)
    counts = [compare(*random_pair(rng), rng) for _ in range(6 if PAIRS <= 25 else PAIRS)]

    assert any(counts)


W = vocabulary(
    {"advise": [], "advise.dose": ["advise"], "tell": [], "decline": []},
    {"clinician": "bool", "night": "bool", "age": {"low": 0, "high": 120}},
)


def dose(**fields: Any) -> Norm:
    body = {"id": "o.dose", "kind": "prohibition", "layer": "organisation", "act": "advise.dose",
            "condition": {"fact": "clinician", "eq": False}, **fields}  # fmt: skip
    return norm(**body)


NIGHT = {"all": [{"fact": "clinician", "eq": False}, {"fact": "night", "eq": False}]}


def test_diff_shows_what_a_change_newly_allows_in_plain_words() -> None:
    """One telling region: dosage advice at night to non-clinicians, in both languages."""
    found = diff(charter(W, [dose()]), charter(W, [dose(version=2, condition=NIGHT)]))

    region = found.changed[0]
    assert [r.seen for r in found.changed].count("known") == 1
    assert (region.effect, region.acts) == ("newly_allowed", ("advise.dose",))
    assert dict(region.situation.facts) == {"clinician": False, "night": True}
    assert (region.before.verdict, region.after.verdict) == ("deny", "allow")
    assert "“clinician”: no; “night”: yes" in region.told["en"]
    assert "“clinician”: não; “night”: sim" in region.told["pt"]
    assert not found.proved_unchanged


def test_diff_of_equal_charters_is_proved_empty() -> None:
    """The same norms, in another order and with other texts, are proved to decide the same."""
    other = norm(id="o.b", kind="permission", layer="organisation", act="advise")
    spoken = dose(statement={"en": "No doses.", "pt": "Nada de doses.", "es": "Nada de dosis."})
    found = diff(charter(W, [dose(), other]), charter(W, [other, spoken]))

    assert found.changed == ()
    assert found.proved_unchanged
    assert found.texts == ("o.dose@1",)
    assert found.open == ()


def test_diff_proves_that_another_way_of_writing_changes_nothing() -> None:
    """De Morgan, a split range and a new version: unchanged, and proved by the solver."""
    before = dose(condition={"not": {"any": [{"fact": "clinician", "eq": True},
                                             {"fact": "age", "at_most": 17}]}})  # fmt: skip
    split = [
        dose(id=f"o.dose{i}", condition={"all": [{"fact": "clinician", "eq": False}, age]})
        for i, age in enumerate([
            {"all": [{"fact": "age", "at_least": 18}, {"fact": "age", "at_most": 64}]},
            {"fact": "age", "at_least": 65},
        ])
    ]  # fmt: skip
    found = diff(charter(W, [before]), charter(W, split))
    known = [r for r in found.changed if r.seen != "unknown"]

    assert known == []
    # While the age is not known, two norms can each be unknown where one was settled.
    assert {r.effect for r in found.changed} <= {"now_asked", "other"}
    assert diff(charter(W, [before]), charter(W, [dose(version=2, condition={
        "all": [{"fact": "clinician", "eq": False}, {"fact": "age", "at_least": 18}]
    })])).proved_unchanged  # fmt: skip


def test_diff_sees_what_only_unknown_facts_show() -> None:
    """A norm that denies instead of asking on unknown facts decides known facts as before."""
    found = diff(charter(W, [dose()]), charter(W, [dose(version=2, on_unknown="deny")]))

    assert {r.seen for r in found.changed} == {"unknown"}
    assert {(r.before.verdict, r.after.verdict) for r in found.changed} == {("ask", "deny")}


def test_diff_sees_what_only_another_feasible_act_shows() -> None:
    """A duty met by another act changes a verdict only where that act can be done."""
    duty = norm(id="g.tell", kind="obligation", act="tell", severity=2)
    mild = norm(id="g.no-tell", kind="prohibition", act="tell", severity=1)
    grave = norm(id="g.no-tell", version=2, kind="prohibition", act="tell", severity=3)
    found = diff(charter(W, [duty, mild]), charter(W, [duty, grave]))
    advise = [r for r in found.changed if "advise" in r.acts]

    assert advise
    assert {r.seen for r in advise} == {"feasible"}
    assert all("tell" in r.situation.feasible for r in advise)


def test_diff_reports_an_altered_version_as_a_fault() -> None:
    """The same reference with other content is refused, and said where (I1)."""
    found = diff(charter(W, [dose()]), charter(W, [dose(condition=NIGHT)]))

    assert [fault.where for fault in found.faults] == ["o.dose@1: condition"]
    assert found.revised == ("o.dose@1",)
    assert "o.dose@2" in found.faults[0].do


def test_diff_tells_a_period_apart() -> None:
    """A prohibition with a first day changes nothing before it."""
    found = diff(charter(W, []), charter(W, [dose(valid_from="2026-12-02")]))
    days = {t for r in found.changed for t in r.times if t is not None and type(t) is date}

    assert min(days) == date(2026, 12, 2)
    assert all("from 2026-12-02" in r.told["en"] for r in found.changed)


def test_diff_compares_time_zones() -> None:
    """Where only an authority's zone changes, the hours between both midnights are the region."""
    day = [dose(valid_from="2026-12-02")]
    here = charter(W, day).model_copy(update={"zones": {"desk": "Europe/Brussels"}})
    there = charter(W, day).model_copy(update={"zones": {"desk": "America/Sao_Paulo"}})
    found = diff(here, there)
    times = {t for r in found.changed for t in r.times}

    assert times == {datetime(2026, 12, 1, 23, tzinfo=UTC)}
    assert found.tier == "constitutional"


def test_diff_leaves_open_what_a_changed_domain_keeps_it_from_proving() -> None:
    """A fact whose bounds changed is not proved to be decided as before."""
    wide = vocabulary({"advise": [], "decline": []}, {"age": {"low": 0, "high": 120}})
    narrow = vocabulary({"advise": [], "decline": []}, {"age": {"low": 0, "high": 99}})
    one = norm(id="o.a", kind="prohibition", layer="organisation", act="advise",
               condition={"fact": "age", "at_most": 17})  # fmt: skip
    found = diff(charter(wide, [one]), charter(narrow, [one]))

    assert found.changed == ()
    assert not found.proved_unchanged
    assert "advise" in found.open
    assert found.vocabulary == ("fact age",)


def test_adding_a_norm_never_ends_a_protection_unless_it_says_so() -> None:
    """No norm without `supersedes` makes an earlier prohibition vanish, but by the stated rules."""
    rng = random.Random(7)
    tried = 0
    for _ in range(400):
        old = random_norm(rng, "n0", kind="prohibition", supersedes=[], overridable_by=[])
        new = random_norm(rng, "n1", supersedes=[])
        before, after = charter(WORDS, [old]), charter(WORDS, [old, new])
        stated = new.kind in ("permission", "guarantee", "obligation")
        if stated or old.condition == Condition():
            continue
        tried += 1
        for one in every_situation(WORDS, {"bearer": "agent"}):
            if len(one.feasible) == 1 and Quick(before).decide(one).verdict == "deny":
                assert Quick(after).decide(one).verdict != "allow", (old, new, one)
        if tried >= 25:
            break

    assert tried >= 25


def test_a_permission_below_never_ends_a_floor() -> None:
    """A lower or a less specific permission leaves a prohibition as it was: proved, not sampled."""
    floor = norm(id="g.f", kind="prohibition", act="advise")
    below = norm(id="o.p", kind="permission", layer="organisation", act="advise.dose")
    found = diff(charter(W, [floor]), charter(W, [floor, below]))

    assert found.proved_unchanged
    assert found.added == ("o.p@1",)


def test_diff_reaches_the_same_result_whatever_the_order_of_norms() -> None:
    """The order in which norms lie in a charter changes nothing but its digest."""
    rng = random.Random(3)
    before, after = random_pair(rng)
    shuffled = after.model_copy(update={"norms": tuple(reversed(after.norms))})

    def regions(found: CharterDiff) -> list[Any]:
        return [r.model_dump(exclude={"before": {"charter"}, "after": {"charter"}})
                for r in found.changed]  # fmt: skip

    assert regions(diff(before, after)) == regions(diff(before, shuffled))
