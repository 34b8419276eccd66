"""What each norm becomes: prompt, principles, rubric, guard rules, rewards, items, criteria."""

from __future__ import annotations

from typing import Any

import pytest
from tests.norms.builders import charter, norm, vocabulary

from normwright.charter import enact
from normwright.records import Condition, InputError, Norm, Policy

WORDS = vocabulary(
    {"act": [], "advise": ["act"], "advise.dose": ["advise"], "tell": ["act"], "decline": []},
    {"clinician": "bool", "age": {"low": 0, "high": 120}},
)
LANGS = ("en", "pt")


def cases(*rows: tuple[str, str, str], **facts: Any) -> list[dict[str, Any]]:
    """The same cases in both languages: kind, expectation, act."""
    return [
        {"lang": lang, "kind": kind, "expect": expect, "act": act, "facts": facts,
         "text": f"{lang} {kind} {act}"}
        for lang in LANGS for kind, expect, act in rows
    ]  # fmt: skip


def policy(*norms: Norm, **deployment: Any) -> Policy:
    return enact(charter(WORDS, list(norms)), [], deployment=deployment)


BAN = norm(id="ban", kind="prohibition", act="advise", layer="organisation", severity=4,
           cases=cases(("hit", "deny", "advise"), ("miss", "allow", "tell")))  # fmt: skip
NURSE = norm(id="nurse", kind="permission", act="advise", layer="organisation",
             condition={"fact": "clinician", "eq": True})  # fmt: skip
FLOOR = norm(id="floor", kind="prohibition", act="tell")
DUTY = norm(id="duty", kind="obligation", act="tell", layer="polity", tier="constitutional")
IDEAL = norm(id="short", kind="ideal", act="act", layer="organisation", severity=2)
STYLE = norm(id="warm", kind="ideal", act="act", layer="individual")


# ---- the prompt ----


def test_a_norm_that_is_beaten_everywhere_is_left_out_and_its_defeater_noted() -> None:
    """A permission under a floor would tell the assistant that it may do what it may not."""
    made = policy(FLOOR, norm(id="yes", kind="permission", act="tell", layer="organisation"))

    assert "[yes]" not in made.system_prompt["en"]
    assert [(d.id, d.by, d.rule) for d in made.prompt.defeated] == [("yes@1", "floor@1", "floor")]


def test_a_ban_beaten_by_a_right_everywhere_is_left_out() -> None:
    """The guarantee shields the whole of the act, so the ban never holds."""
    made = policy(norm(id="right", kind="guarantee", act="advise"), BAN)

    assert "[ban]" not in made.system_prompt["pt"]
    assert made.prompt.defeated[0].by == "right@1"


@pytest.mark.parametrize(
    "change",
    [
        {"condition": {"fact": "clinician", "eq": True}},
        {"act": "advise.dose"},
        {"valid_from": "2026-12-02"},
        {"counterparty": ["human"]},
    ],
)
def test_a_norm_that_is_beaten_here_and_there_stays(change: dict[str, Any]) -> None:
    """Where the other norm does not reach, the ban still holds; the exception is named."""
    right = norm(**{"id": "right", "kind": "guarantee", "act": "advise", **change})
    made = policy(right, BAN)

    assert made.prompt.defeated == ()
    assert "(except where [right] applies)" in made.system_prompt["en"]
    assert made.guard_rules[0].unless == ("right@1",)


def test_weakest_norms_go_first_where_the_budget_is_short() -> None:
    """The same ones in every language, noted in the order they went; the floor stays."""
    whole = policy(FLOOR, BAN, IDEAL, STYLE)
    words = max(whole.prompt.words.values())
    tight = policy(FLOOR, BAN, IDEAL, STYLE, prompt_words=words - 1)
    tighter = policy(FLOOR, BAN, IDEAL, STYLE, prompt_words=words - 6)

    assert tight.prompt.dropped == ("warm@1",)
    assert tighter.prompt.dropped[:2] == ("warm@1", "short@1")
    assert all("[warm]" not in text for text in tight.system_prompt.values())
    assert max(tight.prompt.words.values()) <= words - 1
    assert [p.norm for p in tight.principles] == [p.norm for p in whole.principles]


def test_a_budget_too_small_for_the_constitution_is_refused_with_the_number() -> None:
    """No constitutional prohibition or obligation is dropped; the fault says what is needed."""
    with pytest.raises(InputError, match=r"prompt_words: expected at least (\d+)") as caught:
        policy(FLOOR, DUTY, BAN, prompt_words=5)
    needed = int(caught.value.faults[0].expected.split()[2].rstrip(","))
    made = policy(FLOOR, DUTY, BAN, prompt_words=needed)

    assert made.prompt.dropped == ("ban@1",)
    with pytest.raises(InputError):
        policy(FLOOR, DUTY, BAN, prompt_words=needed - 1)


# ---- critique and judge ----


def test_every_norm_is_a_critique_and_a_revision_in_each_language_spoken() -> None:
    """Ideals and styles too, weighed by severity; a deployment in one language has one."""
    made = policy(BAN, IDEAL, STYLE, languages=["pt"])

    assert [(p.norm, p.lang, p.weight) for p in made.principles] == [
        ("ban@1", "pt", 4.0), ("short@1", "pt", 2.0), ("warm@1", "pt", 3.0)]  # fmt: skip
    assert "[ban]" in made.principles[0].critique
    assert made.principles[0].revision != made.principles[1].revision


def test_the_rubric_puts_each_norm_both_ways_and_is_uncalibrated() -> None:
    """The claim and its opposite differ, both cite the norm, and the anchors are its own cases."""
    item = next(i for i in policy(BAN).rubric if i.lang == "en")

    assert item.kept != item.breached
    assert item.kept.partition(":")[2] == item.breached.partition(":")[2]
    assert item.calibration is None
    assert [(a.text, a.done, a.declined) for a in item.anchors] == [
        ("en hit advise", "fail", "pass"),
        ("en miss tell", "not_applicable", "not_applicable"),
    ]


@pytest.mark.parametrize(
    ("kind", "row", "marks"),
    [
        ("prohibition", ("hit", "allow", "advise"), ("not_applicable", "not_applicable")),
        ("prohibition", ("near_miss", "ask", "advise"), ("fail", "pass")),
        ("permission", ("hit", "allow", "advise"), ("pass", "fail")),
        ("permission", ("near_miss", "deny", "advise"), ("not_applicable", "not_applicable")),
        ("guarantee", ("hit", "allow", "advise"), ("pass", "fail")),
        ("obligation", ("hit", "allow", "advise"), ("pass", "fail")),
        ("obligation", ("hit", "deny", "tell"), ("fail", None)),
        ("ideal", ("hit", "allow", "advise"), (None, None)),
    ],
)
def test_anchors_are_marked_as_the_kind_of_norm_asks(
    kind: str, row: tuple[str, str, str], marks: tuple[str | None, str | None]
) -> None:
    """What an answer that does it, and one that declines, is worth under this norm alone."""
    made = policy(norm(id="n", kind=kind, act="advise", layer="organisation", cases=cases(row)))
    anchor = made.rubric[0].anchors[0]

    assert (anchor.done, anchor.declined) == marks


# ---- guard and reward ----


def test_a_guard_rule_says_all_that_the_norm_does() -> None:
    """Act, condition, who, to whom, where, what is done, what unknown comes to, and why."""
    made = policy(
        norm(id="n", kind="prohibition", act="advise", layer="polity", on_unknown="deny",
             condition={"fact": "age", "at_most": 17}, counterparty=["human"],
             bearer={"actor": ["agent"]}, scope={"channels": ["action"]})
    )  # fmt: skip
    (rule,) = made.guard_rules

    assert (rule.act, rule.effect, rule.on_unknown) == ("advise", "deny", "deny")
    assert rule.condition == Condition(fact="age", at_most=17)
    assert (rule.actors, rule.counterparty, rule.channels) == (("agent",), ("human",), ("action",))
    assert set(rule.reason) == set(LANGS)
    assert "[n]" in rule.reason["pt"]


def test_no_norm_is_both_a_term_and_a_constraint() -> None:
    """Floors and constitutional rights bound learning; what is weighed is weighed only."""
    right = norm(id="right", kind="guarantee", act="tell", layer="polity", tier="constitutional")
    made = policy(norm(id="floor", kind="prohibition", act="advise.dose"), right, BAN, IDEAL,
                  NURSE, STYLE, DUTY)  # fmt: skip
    terms = {t.norm: (t.head, t.aim) for t in made.reward_terms}
    bounds = {c.norm: (c.head, c.hard) for c in made.reward_constraints}

    assert not set(terms) & set(bounds)
    assert bounds == {"floor@1": ("cost.floor", True), "right@1": ("refusal.right", False),
                      "duty@1": ("cost.duty", False)}  # fmt: skip
    assert terms == {"ban@1": ("cost.ban", "avoid"), "short@1": ("ideal.short", "pursue"),
                     "nurse@1": ("refusal.nurse", "avoid")}  # fmt: skip


# ---- evaluation and criteria ----


def test_cases_become_items_unless_a_norm_of_elsewhere_decides_them() -> None:
    """A case that rests on a norm which does not bind here is named and is no item."""
    shield = norm(id="shield", kind="guarantee", act="advise", layer="polity", authority="city")
    leaning = norm(id="lean", kind="prohibition", act="advise", layer="organisation",
                   cases=cases(("hit", "allow", "advise"), ("miss", "allow", "tell")))  # fmt: skip
    here = policy(shield, leaning)
    abroad = policy(shield, leaning, polities=[])

    assert len(here.evaluation) == 4
    assert here.moot_cases == ()
    assert {i.kind for i in abroad.evaluation} == {"miss"}
    assert abroad.moot_cases == ("lean@1/0/en", "lean@1/2/pt")


def test_criteria_ask_once_over_all_languages_and_once_in_each() -> None:
    """An average hides a leak; each block, hold or report is what the rule says."""
    made = policy(FLOOR, BAN, IDEAL)
    found = {c.id: (c.norm, c.lang, c.limit, c.on_fail, c.suite) for c in made.criteria}

    assert found["harm.floor"] == ("floor", None, 0.01, "block", "harm")
    assert found["harm.floor.pt"] == ("floor", "pt", 0.01, "block", "harm")
    assert found["harm.ban"][3] == "hold"
    assert found["harm.short"][3] == "report"
    assert len(found) == 9


def test_a_norm_that_says_how_it_is_measured_is_asked_for_that() -> None:
    """One criterion a measure, with its own limit."""
    made = policy(norm(id="n", kind="prohibition", act="tell",
                       measure=[{"metric": "judge.a", "limit": 0.003},
                                {"metric": "judge.b", "limit": 0.02}]))  # fmt: skip

    assert {(c.metric, c.limit) for c in made.criteria} == {("judge.a", 0.003), ("judge.b", 0.02)}


def test_a_constitutional_right_blocks_and_another_holds() -> None:
    """Declining what is guaranteed is a breach, as grave as the tier."""
    right = norm(id="a", kind="guarantee", act="tell", layer="polity", tier="constitutional")
    other = norm(id="b", kind="guarantee", act="tell", layer="organisation")
    made = policy(right, other)

    assert {(c.norm, c.suite, c.on_fail) for c in made.criteria} == {
        ("a", "over-refusal", "block"), ("b", "over-refusal", "hold")}  # fmt: skip
