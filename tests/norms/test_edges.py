"""Edge cases of the resolver: each is a way in which a simpler rule goes wrong."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.norms.builders import charter, norm, vocabulary

from normwright.charter import run_cases
from normwright.norms import Resolver, applies, decide
from normwright.records import (
    Charter,
    Decision,
    FactReading,
    FactType,
    Grant,
    InputError,
    Norm,
    Situation,
)
from scripts import random_charters as draw

WORDS = vocabulary(
    {"respond": [], "advise": ["respond"], "advise.dose": ["advise"], "joke": ["respond"],
     "repair": [], "tell": [], "decline": []},
    {"x": "bool", "y": "bool", "z": "bool", "age": {"low": 0, "high": 120}, "who": ["ana", "rui"]},
)  # fmt: skip
X = {"fact": "x", "eq": True}
Y = {"fact": "y", "eq": True}


def ask(norms: list[Norm], act: str = "advise", **rest: Any) -> Decision:
    return Resolver(charter(WORDS, norms)).decide(Situation(act=act, **rest))


def test_empty_charter_allows_what_is_in_the_ontology() -> None:
    """Nothing forbidden, nothing owed: allow, resting on no norm."""
    decision = ask([])

    assert (decision.verdict, decision.governing, decision.unknown) == ("allow", (), ())


def test_act_outside_the_ontology_is_closed_unless_opened() -> None:
    """An act nobody has classified is denied in a closed world and unregulated in an open one."""
    made = charter(WORDS, [norm(id="g.duty", kind="obligation", act="tell")])

    closed = Resolver(made).decide(Situation(act="fly", feasible=("tell", "swim")))
    opened = Resolver(made, open_world=True).decide(Situation(act="fly", feasible=("tell",)))

    assert (closed.verdict, closed.least_bad) == ("deny", ("tell",))
    assert (opened.verdict, opened.governing) == ("deny", ("g.duty@1",))
    assert Resolver(charter(WORDS, []), open_world=True).decide(Situation(act="fly")).verdict == (
        "allow"
    )


def test_contradictory_condition_never_applies() -> None:
    """A dead condition is recognised as a whole; fact by fact it would read as unknown."""
    dead = {"all": [X, {"not": X}]}

    assert ask([norm(id="g.dead", kind="prohibition", act="advise", condition=dead)]).verdict == (
        "allow"
    )


def test_general_permission_does_not_touch_a_special_prohibition() -> None:
    """A permission on a general act frees its other kinds and not the forbidden one."""
    norms = [
        norm(id="g.no-dose", kind="prohibition", act="advise.dose"),
        norm(id="o.advise", kind="permission", layer="organisation", act="advise"),
    ]

    assert ask(norms, "advise.dose").verdict == "deny"
    assert ask(norms, "advise").verdict == "allow"


def test_special_act_is_specialis_of_a_general_one() -> None:
    """With equal conditions, the permission on the narrower act is the more specific norm."""
    norms = [
        norm(id="o.no", kind="prohibition", layer="organisation", act="advise"),
        norm(id="o.dose", kind="permission", layer="organisation", act="advise.dose"),
    ]

    assert ask(norms, "advise.dose").verdict == "allow"
    assert ask(norms, "advise").verdict == "deny"


def test_permission_beats_one_of_two_prohibitions_only() -> None:
    """The prohibition that is not beaten stands alone."""
    norms = [
        norm(id="o.no", kind="prohibition", layer="organisation", act="advise"),
        norm(id="p.no", kind="prohibition", layer="polity", act="advise"),
        norm(id="o.if", kind="permission", layer="organisation", act="advise", condition=X),
    ]

    decision = ask(norms, facts={"x": True})

    assert (decision.verdict, decision.governing) == ("deny", ("p.no@1",))
    assert ("o.no@1", "o.if@1", "specialis") in [(d.id, d.by, d.rule) for d in decision.defeated]


def test_all_standing_must_be_beatable_before_a_fact_is_asked_for() -> None:
    """Asking helps only if the answer could free the act."""
    norms = [
        norm(id="o.no", kind="prohibition", layer="organisation", act="advise"),
        norm(id="o.if", kind="permission", layer="organisation", act="advise", condition=X),
        norm(id="p.no", kind="prohibition", layer="polity", act="advise", condition=Y),
    ]

    unknown_both = ask(norms)
    decided = ask(norms, facts={"y": True})

    assert (unknown_both.verdict, unknown_both.unknown) == ("ask", ("x", "y"))
    assert (decided.verdict, decided.unknown) == ("deny", ())


def test_permission_beaten_by_a_norm_that_is_unknown() -> None:
    """A permission stands only once the stricter norm that may beat it is known not to apply."""
    norms = [
        norm(id="g.may", kind="permission", act="advise"),
        norm(id="p.no", kind="prohibition", layer="polity", act="advise", condition=X),
    ]

    assert (ask(norms).verdict, ask(norms).unknown) == ("ask", ("x",))
    assert ask(norms, facts={"x": False}).verdict == "allow"


@pytest.mark.parametrize(
    ("told", "verdict"), [("ask", "ask"), ("deny", "deny"), ("allow", "allow")]
)
def test_unknown_is_handled_as_the_norm_says_and_always_named(told: str, verdict: str) -> None:
    """Whatever a norm says about unknown facts, the facts it waits for are listed."""
    one = norm(id="o.no", kind="prohibition", layer="organisation", act="advise", condition=X,
               on_unknown=told)  # fmt: skip

    assert (ask([one]).verdict, ask([one]).unknown) == (verdict, ("x",))


def test_unknown_facts_that_decide_only_together_are_both_named() -> None:
    """Neither fact alone changes the verdict of an exclusive-or; both are asked for."""
    either = {"any": [{"all": [X, {"not": Y}]}, {"all": [{"not": X}, Y]}]}
    decision = ask([norm(id="g.xor", kind="prohibition", act="advise", condition=either)])

    assert (decision.verdict, decision.unknown) == ("ask", ("x", "y"))


def test_irrelevant_unknown_facts_are_not_named() -> None:
    """A fact that cannot change the verdict is nobody's business."""
    norms = [
        norm(id="g.no", kind="prohibition", act="advise"),
        norm(id="p.no", kind="prohibition", layer="polity", act="advise", condition=X),
    ]

    assert (ask(norms).verdict, ask(norms).unknown) == ("deny", ())


def test_validity_is_half_open_and_a_suspended_norm_is_silent() -> None:
    """A norm holds from its first day to the day before its last; suspended, on no day."""
    one = norm(id="g.no", kind="prohibition", act="advise", valid_from=date(2026, 12, 2),
               valid_to=date(2027, 1, 1))  # fmt: skip
    days = [date(2026, 12, 1), date(2026, 12, 2), date(2026, 12, 31), date(2027, 1, 1)]

    verdicts = [ask([one], time=day).verdict for day in days]

    assert verdicts == ["allow", "deny", "deny", "allow"]
    assert ask([one]).verdict == "deny"
    assert ask([one.model_copy(update={"status": "suspended"})]).verdict == "allow"
    assert ask([one.model_copy(update={"status": "demonstration"})]).verdict == "deny"
    assert not applies(one, Situation(act="advise", time=days[0]))


def test_equal_severity_tie_with_inaction_among_the_least() -> None:
    """If doing and not doing are equally grave, nothing is done."""
    norms = [
        norm(id="g.no", kind="prohibition", act="advise", reparation=["g.sorry"]),
        norm(id="g.must", kind="obligation", act="advise", reparation=["g.tell"]),
    ]

    decision = ask(norms)

    assert decision.verdict == "dilemma-inaction"
    assert decision.reparations == ("g.tell",)


def test_declining_is_feasible_even_if_nothing_is_listed() -> None:
    """No feasible acts at all does not turn a prohibition into a necessity."""
    decision = ask([norm(id="g.no", kind="prohibition", act="advise")], feasible=())

    assert (decision.verdict, decision.least_bad) == ("deny", ("decline",))


@pytest.mark.parametrize(
    ("ban", "duty", "verdict"),
    [("polity", "global", "necessity"), ("global", "polity", "deny-dilemma")],
)
def test_duty_whose_only_fulfilment_is_forbidden(ban: str, duty: str, verdict: str) -> None:
    """Forbidden by a lower rank: necessity. By a higher rank: the duty yields, and is made good."""
    norms = [
        norm(id="f", kind="prohibition", layer=ban, act="advise", reparation=["sorry"]),
        norm(id="o", kind="obligation", layer=duty, act="advise", reparation=["sorry"]),
        norm(id="sorry", kind="obligation", layer="individual", act="tell"),
    ]

    decision = ask(norms, feasible=("decline",))

    assert decision.verdict == verdict
    assert decision.reparations == ("sorry@1",)


def test_reparation_that_is_itself_forbidden_is_decided_like_any_act() -> None:
    """The duty to repair is reported; doing it is a request of its own."""
    norms = [
        norm(id="g.must", kind="obligation", act="advise", condition=X),
        norm(id="p.no", kind="prohibition", layer="polity", act="advise", reparation=["p.repair"]),
        norm(id="p.repair", kind="obligation", layer="polity", act="repair"),
        norm(id="g.no-repair", kind="prohibition", act="repair"),
    ]

    decision = ask(norms, facts={"x": True})

    assert (decision.verdict, decision.reparations) == ("necessity", ("p.repair@1",))
    assert "p.repair@1" not in [d.id for d in decision.duties]
    assert ask(norms, "repair", facts={"x": False}).verdict == "deny"


def test_lower_layer_cannot_put_a_duty_to_sleep_by_calling_it_a_reparation() -> None:
    """Only a duty's own authority, at least as strong, makes it owed after a breach only."""
    norms = [
        norm(id="g.must", kind="obligation", act="tell"),
        norm(id="o.no", kind="prohibition", layer="organisation", act="joke",
             reparation=["g.must"]),
    ]  # fmt: skip

    assert ask(norms, "advise", feasible=("tell",)).verdict == "deny"
    assert [d.id for d in ask(norms, "tell").duties] == ["g.must@1"]


def test_exemption_lifts_a_duty_of_its_own_authority() -> None:
    """An exemption is to a duty what a permission is to a prohibition."""
    norms = [
        norm(id="o.must", kind="obligation", layer="organisation", act="tell"),
        norm(id="o.not", kind="exemption", layer="organisation", act="tell", condition=X),
    ]

    lifted = ask(norms, facts={"x": True})

    assert (lifted.verdict, lifted.duties) == ("allow", ())
    assert [(d.id, d.by, d.rule) for d in lifted.defeated] == [("o.must@1", "o.not@1", "specialis")]
    assert ask(norms, facts={"x": False}, feasible=("tell",)).verdict == "deny"
    assert ask(norms, feasible=("tell",)).verdict == "ask"


def test_guarantee_shields_against_duties_from_below_too() -> None:
    """To oblige to another act is to forbid this one; a right holds against both."""
    norms = [
        norm(id="g.right", kind="guarantee", act="advise"),
        norm(id="o.must", kind="obligation", layer="organisation", act="tell"),
    ]

    decision = ask(norms, feasible=("tell",))

    assert (decision.verdict, decision.duties[0].id) == ("allow", "o.must@1")
    assert decision.defeated[0].rule == "guarantee"


def test_duty_with_time_left_is_not_broken_by_doing_something_else() -> None:
    """A deadline in the future leaves room for other acts; the duty is still named. PT0S is now."""
    later = norm(id="g.tell", kind="obligation", act="tell", deadline="PT5M", condition=X)
    now = norm(id="g.tell", kind="obligation", act="tell", deadline="PT0S", condition=X)

    assert ask([later], facts={"x": True}).duties[0].id == "g.tell@1"
    assert ask([later], facts={"x": True}).verdict == "allow"
    assert ask([later]).verdict == "allow"
    assert ask([now], facts={"x": True}, feasible=("tell",)).verdict == "deny"


def test_ideals_and_definitions_never_deny() -> None:
    """A virtue is never a ban, and a definition forbids nothing."""
    norms = [
        norm(id="i.short", kind="ideal", layer="individual", act="respond"),
        norm(id="g.means", kind="constitutive", act="advise"),
    ]

    assert ask(norms).verdict == "allow"


def test_actor_channel_and_machine_are_looked_at() -> None:
    """A norm binds only its bearers, on its channels, and machines or people as it says."""
    output = norm(id="g.no", kind="prohibition", act="advise")
    action = norm(id="g.no", kind="prohibition", act="advise", scope={"channels": ["action"]})
    both = ["assistant", "deployer"]
    people, machines = (
        norm(id="g.no", kind="prohibition", act="advise",
             bearer={"actor": both, "actor_sensitivity": kind})
        for kind in ("human_only", "agent_only")
    )  # fmt: skip

    assert ask([output], bearer="agent").verdict == "allow"
    assert [ask([action], channel=c).verdict for c in ("output", "action")] == ["allow", "deny"]
    assert [ask([people], bearer=a).verdict for a in ("assistant", "deployer")] == ["allow", "deny"]
    assert [ask([machines], bearer=a).verdict for a in ("assistant", "deployer")] == [
        "deny", "allow"]  # fmt: skip


def test_newer_version_replaces_the_older_from_the_day_it_is_valid() -> None:
    """Express supersession by the same authority repeals; until then the older one stands."""
    old = norm(id="g.no", version=1, kind="prohibition", act="advise")
    new = norm(id="g.no", version=2, kind="prohibition", act="advise", condition=X,
               supersedes=["g.no@1"], valid_from=date(2026, 6, 1))  # fmt: skip

    before = ask([old, new], facts={"x": False}, time=date(2026, 5, 31))
    after = ask([old, new], facts={"x": False}, time=date(2026, 6, 1))

    assert (before.verdict, after.verdict) == ("deny", "allow")


def test_two_organisations_in_one_deployment_add_up() -> None:
    """Of two authorities of one rank the stricter stands, whichever permits."""
    norms = [
        norm(id="a.no", kind="prohibition", layer="organisation", authority="a", act="advise"),
        norm(id="b.yes", kind="permission", layer="organisation", authority="b", act="advise",
             condition=X),
    ]  # fmt: skip

    assert ask(norms, facts={"x": True}).verdict == "deny"


def test_dilemma_on_partial_facts_is_decided_only_if_it_cannot_turn() -> None:
    """Necessity is claimed only where the worst case still leaves the request the least grave."""
    norms = [
        norm(id="g.must", kind="obligation", act="advise"),
        norm(id="o.no", kind="prohibition", layer="organisation", act="advise"),
        norm(id="p.no", kind="prohibition", layer="polity", act="advise", condition=X),
    ]
    graver = norm(id="g.no", kind="prohibition", act="advise", condition=Y)

    assert ask(norms).verdict == "necessity"
    assert (ask([*norms, graver]).verdict, ask([*norms, graver]).unknown) == ("ask", ("y",))


def test_numbers_and_truths_are_never_confused() -> None:
    """A value of the wrong type or outside its domain is refused, never compared."""
    norms = [norm(id="g.no", kind="prohibition", act="advise", condition=X)]

    with pytest.raises(InputError) as caught:
        ask(norms, facts={"x": 1, "age": 130, "who": "eva"})

    assert [f.where for f in caught.value.faults] == ["facts.x", "facts.age", "facts.who"]


def test_unsound_charter_is_refused_with_all_faults() -> None:
    """A norm that does not fit the vocabulary is named before anything is decided."""
    norms = [
        norm(id="g.a", kind="prohibition", act="advize", condition={"fact": "agee", "at_least": 3}),
        norm(id="g.b", kind="prohibition", act="advise", condition={"fact": "x", "at_least": 3}),
    ]

    with pytest.raises(InputError) as caught:
        decide(charter(WORDS, norms), Situation(act="advise"))

    assert len(caught.value.faults) == 3
    assert "Did you mean advise?" in str(caught.value)


def test_decision_carries_the_charter_it_was_made_under() -> None:
    """A decision names the digest of its charter."""
    made = charter(WORDS, [])

    assert decide(made, Situation(act="advise")).charter == made.digest


def test_a_thousand_norms_are_decided_in_a_few_milliseconds() -> None:
    """The median decision over 1,000 norms stays under 3 ms of processor time, beside neighbours.

    How fast it is on a quiet machine is for the bench to say.
    """
    resolver = Resolver(Charter.model_validate(draw.large()))
    known = [Situation.model_validate(asked) for asked in draw.large_situations()]
    for situation in known:
        resolver.decide(situation)

    times = []
    for situation in known:
        start = time.thread_time()
        resolver.decide(situation)
        times.append(time.thread_time() - start)

    assert statistics.median(times) < 3e-3


def test_day_begins_at_midnight_of_the_polity_and_not_of_the_server() -> None:
    """Edge case: a norm valid from midnight, in which time zone? In that of its authority."""
    one = norm(id="br.no", kind="prohibition", layer="polity", authority="BR", act="advise",
               valid_from=date(2026, 12, 2))  # fmt: skip
    made = charter(WORDS, [one]).model_copy(update={"zones": {"BR": "America/Sao_Paulo"}})
    resolver = Resolver(made)
    before = datetime(2026, 12, 2, 2, 59, 59, tzinfo=UTC)

    def verdict(when: datetime) -> str:
        return resolver.decide(Situation(act="advise", time=when)).verdict

    assert [verdict(before), verdict(before + timedelta(seconds=1))] == ["allow", "deny"]


def test_emergency_norm_lapses_like_any_other() -> None:
    """An emergency prohibition binds until its last day and is silent from then on."""
    one = norm(id="g.now", kind="prohibition", act="advise", emergency=True,
               valid_from=date(2026, 6, 1), valid_to=date(2026, 6, 15))  # fmt: skip
    days = [date(2026, 6, 14), date(2026, 6, 15)]

    assert [ask([one], time=day).verdict for day in days] == ["deny", "allow"]


def test_deadline_passes_while_the_agent_is_stopped() -> None:
    """Edge case: a duty names its instant, so that whoever resumes sees that it has passed.

    The resolver keeps no clock. A duty that rests on the agent running lapses while it does not,
    and nobody has broken it.
    """
    duty = norm(id="g.tell", kind="obligation", act="tell", deadline="PT1H")
    running = norm(id="g.tell", kind="obligation", act="tell", deadline="PT1H", maintain=X)
    start, resumed = datetime(2026, 6, 1, 9, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC)
    (owed,) = ask([duty], time=start).duties

    assert owed.due == datetime(2026, 6, 1, 10, tzinfo=UTC)
    assert owed.due < resumed
    stopped = ask([running], time=start, facts={"x": False})

    assert (stopped.verdict, stopped.duties) == ("allow", ())


def test_classifier_fact_flips_between_check_and_execution() -> None:
    """Edge case: what was allowed on one reading is decided anew on the next, nothing is kept."""
    words = WORDS.model_copy(
        update={"facts": tuple(f.model_copy(update={"min_confidence": 0.8}) for f in WORDS.facts)}
    )
    resolver = Resolver(
        charter(words, [norm(id="g.no", kind="prohibition", act="advise", condition=X)])
    )

    def verdict(value: bool, confidence: float) -> str:
        reading = FactReading(value=value, origin="classifier", confidence=confidence)
        return resolver.decide(Situation(act="advise", facts={"x": reading})).verdict

    readings = [(False, 0.9), (True, 0.9), (True, 0.7), (False, 0.9)]

    assert [verdict(*one) for one in readings] == ["allow", "deny", "ask", "allow"]


def test_individual_abroad_lies_under_the_places_that_count() -> None:
    """Edge case: the user's, the deployer's or the server's polity? The charter says so.

    By default all of them count; one that the charter counts and nobody told is unknown.
    """
    norms = [
        norm(id="br.no", kind="prohibition", layer="polity", authority="BR", act="advise"),
        norm(id="eu.no", kind="prohibition", layer="polity", authority="EU", act="joke"),
    ]
    where = {"user": "BR", "deployer": "EU", "server": "US"}

    def verdicts(basis: tuple[str, ...], told: dict[str, str]) -> list[str]:
        made = charter(WORDS, norms).model_copy(update={"jurisdiction_basis": basis})
        resolver = Resolver(made)
        asked = [
            Situation.model_validate({"act": act, "jurisdiction": told})
            for act in ("advise", "joke")
        ]
        return [resolver.decide(one).verdict for one in asked]

    assert verdicts((), where) == ["deny", "deny"]
    assert verdicts(("user",), where) == ["deny", "allow"]
    assert verdicts(("server",), where) == ["allow", "allow"]
    assert verdicts(("user", "server"), {"user": "BR"}) == ["deny", "ask"]
    assert verdicts((), {"user": "unknown", "server": "EU"}) == ["ask", "deny"]


def test_charter_upgrade_in_mid_session_is_seen_in_every_decision() -> None:
    """Edge case: a session pins a charter by its digest, and each decision says which it was."""
    old = charter(WORDS, [norm(id="g.no", kind="prohibition", act="advise")])
    new = charter(WORDS, [])
    pinned = Resolver(old)
    asked = Situation(act="advise")
    before, after, other = pinned.decide(asked), pinned.decide(asked), Resolver(new).decide(asked)

    assert before.charter == after.charter == old.digest
    assert (other.charter, other.verdict) == (new.digest, "allow")
    assert before.charter != other.charter


def test_translations_that_say_different_things_are_found_by_their_cases() -> None:
    """Edge case: the Portuguese text is narrower than the English. Its cases cannot both hold."""
    case = {"kind": "hit", "act": "advise", "facts": {"x": False}, "text": "the same"}
    one = norm(id="g.no", kind="prohibition", act="advise", cases=[
        {**case, "lang": "en", "expect": "deny"}, {**case, "lang": "pt", "expect": "allow"},
    ])  # fmt: skip
    results = list(run_cases([one], WORDS))

    assert len({r.verdict for r in results}) == 1
    assert [r.case.lang for r in results if not r.agrees] == ["pt"]


def test_two_parents_of_one_agent_pool_nothing() -> None:
    """Edge case: of two chains each is a situation of its own; in one, every link must cover."""
    words = WORDS.model_copy(
        update={"facts": (*WORDS.facts, FactType(name="grant.covers", type="bool"))}
    )
    one = norm(id="g.no", kind="prohibition", act="respond",
               condition={"fact": "grant.covers", "eq": False})  # fmt: skip
    resolver = Resolver(charter(words, [one]))
    may_joke = Grant(grantor="ana", grantee="bot", acts=("joke",))
    may_advise = Grant(grantor="rui", grantee="bot", acts=("advise",))

    def verdict(*grants: Grant) -> str:
        return resolver.decide(Situation(act="advise.dose", grants=grants)).verdict

    assert [verdict(may_advise), verdict(may_joke), verdict(may_joke, may_advise)] == [
        "allow", "deny", "deny"]  # fmt: skip


def test_no_polity_repeals_what_another_forbids() -> None:
    """A permission of one polity that names another's ban, even a weaker one, does not lift it."""
    ban = norm(id="br.no", kind="prohibition", layer="polity", authority="BR", act="advise")
    for tier in ("constitutional", "revisable"):
        lifts = norm(id="eu.may", kind="permission", layer="polity", authority="EU", tier=tier,
                     act="advise", supersedes=["br.no"])  # fmt: skip
        decision = ask([ban, lifts])

        assert (decision.verdict, decision.governing) == ("deny", ("br.no@1",))
        assert [(d.id, d.by, d.rule) for d in decision.defeated] == [
            ("eu.may@1", "br.no@1", "stricter")
        ]


def test_a_higher_layer_lifts_a_lower_ban_by_naming_it() -> None:
    """A permission is no shield, but a stronger layer may repeal a weaker one's ban expressly."""
    ban = norm(id="br.no", kind="prohibition", layer="polity", authority="BR", act="advise")
    lifts = norm(id="g.may", kind="permission", act="advise", supersedes=["br.no"])

    assert ask([ban, lifts]).verdict == "allow"


@pytest.mark.parametrize("kind", ["ideal", "constitutive"])
def test_what_binds_nobody_repeals_no_ban(kind: str) -> None:
    """An ideal or a definition of the same authority that names a ban leaves it standing."""
    ban = norm(id="o.no", kind="prohibition", layer="organisation", act="advise")
    soft = norm(id="o.soft", kind=kind, layer="organisation", act="advise", supersedes=["o.no"])

    assert ask([ban, soft]).verdict == "deny"


def test_a_special_ban_is_specialis_of_a_general_permission() -> None:
    """It cuts a part out of the permission, which is no contradiction that nobody resolved."""
    norms = [
        norm(id="o.no", kind="prohibition", layer="organisation", act="advise", condition=X),
        norm(id="o.may", kind="permission", layer="organisation", act="advise"),
    ]

    decision = ask(norms, facts={"x": True})

    assert decision.verdict == "deny"
    assert [(d.id, d.by, d.rule) for d in decision.defeated] == [("o.may@1", "o.no@1", "specialis")]
    assert ask(norms, facts={"x": False}).verdict == "allow"
