"""Every dimension of a situation, one by one: what it makes apply, and what stays unknown."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.norms.builders import charter, norm

from normwright.norms import (
    Resolver,
    applies,
    can_both_hold,
    cells,
    decide,
    evaluate,
    implies,
    more_specific,
    satisfiable,
    vocabulary_faults,
)
from normwright.norms.acts import Acts
from normwright.norms.durations import due_after
from normwright.records import (
    Charter,
    Condition,
    Decision,
    FactType,
    Grant,
    InputError,
    Norm,
    Situation,
    Vocabulary,
)

FACTS: list[dict[str, Any]] = [
    {"name": "x", "type": "bool"},
    {"name": "y", "type": "bool"},
    {"name": "sure", "type": "bool", "min_confidence": 0.8},
    {"name": "born", "type": "time"},
    {"name": "jurisdiction", "type": "enum", "values": ["EU", "BR"]},
    {"name": "flow.conf", "type": "enum", "values": ["public", "personal"]},
    {"name": "grant.given", "type": "bool"},
    {"name": "grant.covers", "type": "bool"},
    {"name": "grant.depth", "type": "int", "low": 0, "high": 9},
    {"name": "grant.human_root", "type": "bool"},
    {"name": "grant.expired", "type": "bool"},
    {"name": "grant.revoked", "type": "bool"},
    {"name": "grant.connected", "type": "bool"},
]
ACTS = [{"name": "act"}, {"name": "buy", "is_a": ["act"]}, {"name": "look", "is_a": ["act"]},
        {"name": "tell"}, {"name": "decline"}]  # fmt: skip
X = {"fact": "x", "eq": True}


def words(*axioms: dict[str, Any]) -> Vocabulary:
    return Vocabulary.model_validate({"facts": FACTS, "acts": ACTS, "axioms": list(axioms)})


def made(*norms: Norm, axioms: tuple[dict[str, Any], ...] = (), **head: Any) -> Charter:
    return charter(words(*axioms), list(norms)).model_copy(update=head)


def ask(
    *norms: Norm, act: str = "buy", head: dict[str, Any] | None = None, **rest: Any
) -> Decision:
    asked = Situation.model_validate({"act": act, **rest})
    return Resolver(made(*norms, **(head or {}))).decide(asked)


def ban(name: str = "g.no", **fields: Any) -> Norm:
    return norm(id=name, kind="prohibition", act="act", **fields)


def may(name: str = "g.may", **fields: Any) -> Norm:
    return norm(id=name, kind="permission", act="act", **fields)


# --- instants ---


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        ("2008-01-01", True),
        ("2008-01-01T00:00:00Z", True),
        ("2007-12-31T21:00:00-03:00", True),
        ("2007-12-31T23:59:59.999999Z", False),
        (None, None),
    ],
)
def test_instants_are_compared_in_utc(value: str | None, truth: bool | None) -> None:
    """A day is its midnight in UTC, an offset is taken into account, unknown stays unknown."""
    condition = Condition(fact="born", at_least="2008-01-01")

    assert evaluate(condition, {"born": value}) is truth


def test_days_and_instants_of_yaml_have_one_spelling() -> None:
    """Unquoted dates and instants, as YAML reads them, become the text that quoted ones become."""
    day, text = date(2008, 1, 1), "2008-01-01"
    moment = datetime(2008, 1, 1, tzinfo=UTC)
    read = [Condition(fact="born", at_least=v) for v in (day, text, moment)]  # type: ignore[arg-type]

    assert {one.at_least for one in read} == {"2008-01-01T00:00:00Z"}
    assert Situation.model_validate({"act": "a", "facts": {"born": day}}).facts["born"] == (
        "2008-01-01T00:00:00Z"
    )


def test_cells_of_time_are_what_thresholds_can_tell_apart() -> None:
    """Before, at and after: `at_most` ends just after its instant; no threshold, one cell."""
    born = FactType(name="born", type="time")
    low = Condition(fact="born", at_least="2008-01-01")
    high = Condition(fact="born", at_most="2009-01-01")
    found = cells(born, [low, high])

    assert [evaluate(low, {"born": v}) for v in found] == [False, True, True]
    assert [evaluate(high, {"born": v}) for v in found] == [True, True, False]
    assert len(cells(born, [])) == 1
    assert satisfiable(Condition(all=(low, Condition(fact="born", at_most="2007-12-31"))),
                       [born]) is False  # fmt: skip
    assert implies(Condition(fact="born", at_least="2009-01-01"), low, [born]) is True


def test_thresholds_at_the_ends_of_the_calendar() -> None:
    """Nothing lies before the first instant or after the last; neither breaks a proof."""
    born = FactType(name="born", type="time")
    first = Condition(fact="born", at_least="0001-01-01")
    last = Condition(fact="born", at_most="9999-12-31T23:59:59.999999Z")

    assert implies(Condition(), first, [born]) is True
    assert implies(Condition(), last, [born]) is True


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"fact": "born", "eq": "2008-01-01"}, "at_least or at_most"),
        ({"fact": "born", "at_least": "last year"}, "an instant"),
        ({"fact": "born", "at_least": 18}, "an instant"),
        ({"fact": "grant.depth", "at_least": "2008-01-01"}, "a whole number"),
        ({"fact": "x", "at_most": "2008-01-01"}, "eq or in"),
    ],
)
def test_thresholds_of_the_wrong_type_are_faults(condition: dict[str, Any], expected: str) -> None:
    """An instant is asked of a time and a number of a number, and nothing is asked for equality."""
    with pytest.raises(InputError, match=expected):
        Resolver(made(ban(condition=condition)))


def test_a_value_that_is_no_instant_is_a_fault() -> None:
    """A time that cannot be read is refused, never compared."""
    with pytest.raises(InputError, match="an instant in ISO 8601"):
        ask(facts={"born": "yesterday"})


# --- axioms and the vocabulary ---


def test_axioms_settle_what_is_specific() -> None:
    """Where every x is a y, "if x" is narrower than "if y", and "x and not y" never comes true."""
    axiom = Condition.model_validate({"any": [{"not": X}, {"fact": "y", "eq": True}]})
    vocabulary = words()
    acts = Acts(vocabulary)
    narrow = may(condition=X)
    wide = ban(condition={"fact": "y", "eq": True})
    both = Condition.model_validate({"all": [X, {"fact": "y", "eq": False}]})

    assert more_specific(narrow, wide, acts, vocabulary.facts) is False
    assert more_specific(narrow, wide, acts, vocabulary.facts, (axiom,)) is True
    assert satisfiable(both, vocabulary.facts, (axiom,)) is False
    assert can_both_hold(narrow.condition, both, vocabulary.facts, (axiom,)) is False


def test_a_situation_that_breaks_an_axiom_is_refused_with_its_name() -> None:
    """Facts that cannot be true together are bad input, alone or through two axioms."""
    never = {"not": {"all": [X, {"fact": "y", "eq": True}]}}
    resolver = Resolver(made(axioms=(never,)))
    chained = ({"any": [{"not": X}, {"fact": "y", "eq": True}]},
               {"any": [{"not": X}, {"fact": "y", "eq": False}]})  # fmt: skip

    with pytest.raises(InputError, match=r"axiom 0.*(?s:.*)x: True, y: True"):
        resolver.decide(Situation(act="buy", facts={"x": True, "y": True}))
    with pytest.raises(InputError, match="axioms together"):
        Resolver(made(axioms=chained)).decide(Situation(act="buy", facts={"x": True}))


def test_an_axiom_makes_known_what_it_leaves_no_choice_about() -> None:
    """Whoever is x is no y: a ban on y is not unknown to who is known to be x."""
    never = {"not": {"all": [X, {"fact": "y", "eq": True}]}}
    norms = made(ban(condition={"fact": "y", "eq": True}), axioms=(never,))
    resolver = Resolver(norms)

    assert resolver.decide(Situation(act="buy", facts={"x": True})).verdict == "allow"
    open_ = resolver.decide(Situation(act="buy"))

    assert (open_.verdict, open_.unknown) == ("ask", ("x", "y"))


def test_unsound_axioms_and_enums_are_faults_of_the_vocabulary() -> None:
    """Axioms that exclude each other, one with an unknown fact, and `unknown` as a value."""
    impossible = words(X, {"not": X})
    strange = words({"fact": "z", "eq": True})
    enum = Vocabulary.model_validate(
        {"facts": [{"name": "e", "type": "enum", "values": ["a", "unknown"]}], "acts": []}
    )

    assert [f.where for f in vocabulary_faults(impossible)] == ["axioms"]
    assert [f.where for f in vocabulary_faults(strange)] == ["axioms[0].fact"]
    assert [f.where for f in vocabulary_faults(enum)] == ["facts: e.values"]


# --- readings ---


@pytest.mark.parametrize(
    ("fact", "reading", "verdict"),
    [
        ("sure", {"value": False, "origin": "classifier", "confidence": 0.8}, "allow"),
        ("sure", {"value": False, "origin": "classifier", "confidence": 0.79}, "ask"),
        ("sure", {"value": False, "origin": "classifier"}, "ask"),
        ("sure", {"value": False, "origin": "human"}, "allow"),
        ("sure", {"value": False, "origin": "extractor", "confidence": 0.5}, "ask"),
        ("x", {"value": False, "origin": "classifier", "confidence": 0.99}, "ask"),
        ("x", {"value": False, "origin": "extractor", "confidence": 0.5}, "allow"),
        ("x", {"value": "unknown"}, "ask"),
    ],
)
def test_a_reading_counts_only_if_it_is_sure_enough(
    fact: str, reading: dict[str, Any], verdict: str
) -> None:
    """Below the threshold, or a classifier without one: unknown, and asked for."""
    decision = ask(ban(condition={"fact": fact, "eq": True}), facts={fact: reading})

    assert decision.verdict == verdict
    assert decision.unknown == ((fact,) if verdict == "ask" else ())


def test_labels_of_data_are_facts() -> None:
    """`flow: {conf: personal}` is the fact `flow.conf`; told otherwise by name, it is refused."""
    one = ban(condition={"fact": "flow.conf", "eq": "personal"})

    assert ask(one, flow={"conf": "personal"}).verdict == "deny"
    assert ask(one, flow={"conf": "public"}).verdict == "allow"
    assert ask(one, flow={"conf": "unknown"}).unknown == ("flow.conf",)
    with pytest.raises(InputError, match="as the rest of the situation says"):
        ask(one, flow={"conf": "public"}, facts={"flow.conf": "personal"})


# --- whom, towards whom, where and when ---


def test_a_counterparty_nobody_named_is_taken_to_be_protected() -> None:
    """A ban about people applies; a permission about people is unknown; either way it is said."""
    people = ban(counterparty=["human"])
    free = may("o.may", layer="organisation", counterparty=["human"])
    rule = norm(id="o.no", kind="prohibition", layer="organisation", act="act", condition=X)

    assert (ask(people).verdict, ask(people).unknown) == ("deny", ("counterparty",))
    assert ask(people, counterparty="agent").verdict == "allow"
    assert ask(people, counterparty="human").unknown == ()
    general = norm(id="o.no", kind="prohibition", layer="organisation", act="act")
    special = may("o.may", layer="organisation", counterparty=["human"], supersedes=["o.no"])

    assert ask(general, special).unknown == ("counterparty",)
    assert ask(general, special).verdict == "ask"
    assert ask(general, special, counterparty="human").verdict == "allow"
    assert ask(rule, free, facts={"x": False}).verdict == "allow"


def test_necessity_is_not_claimed_on_a_counterparty_that_is_only_assumed() -> None:
    """No norm is broken in favour of one that may not apply at all."""
    duty = norm(id="g.must", kind="obligation", act="buy", counterparty=["human"])
    forbidden = norm(id="o.no", kind="prohibition", layer="organisation", act="buy")
    decision = ask(duty, forbidden)

    assert (decision.verdict, decision.unknown) == ("ask", ("counterparty",))
    assert ask(duty, forbidden, counterparty="human").verdict == "necessity"
    assert ask(duty, forbidden, counterparty="agent").verdict == "deny"


def test_polities_apply_where_the_situation_lies() -> None:
    """None: all; named: those; `unknown`: perhaps, and asked for; misspelt: refused."""
    eu = ban("eu.no", layer="polity", authority="EU")

    assert ask(eu).verdict == "deny"
    assert ask(eu, jurisdiction="EU").verdict == "deny"
    assert ask(eu, jurisdiction=["BR"]).verdict == "allow"
    assert (ask(eu, jurisdiction="unknown").verdict, ask(eu, jurisdiction="unknown").unknown) == (
        "ask", ("jurisdiction",))  # fmt: skip
    assert ask(eu, jurisdiction=["BR", "unknown"]).verdict == "ask"
    assert ask(eu, jurisdiction={}).verdict == "ask"  # nobody's place is told
    with pytest.raises(InputError, match="jurisdiction"):
        ask(eu, jurisdiction="eu")


def test_one_polity_is_the_fact_jurisdiction_as_well() -> None:
    """A condition on `jurisdiction` knows the one polity named; of two, or a stranger, it asks."""
    one = ban(condition={"fact": "jurisdiction", "eq": "EU"})

    assert ask(one, jurisdiction="EU").verdict == "deny"
    assert ask(one, jurisdiction="BR").verdict == "allow"
    assert ask(one, jurisdiction=["EU", "BR"]).unknown == ("jurisdiction",)
    assert ask(one, jurisdiction="US").verdict == "ask"
    with pytest.raises(InputError):
        ask(ban(layer="polity", authority="EU"), jurisdiction="eu")


def test_days_begin_where_the_authority_is() -> None:
    """An instant is another day in Tokyo than in UTC; a day is everybody's own day."""
    tokyo = ban("jp.no", layer="polity", authority="JP", valid_from=date(2026, 6, 2))
    head = {"zones": {"JP": "Asia/Tokyo"}}
    evening = datetime(2026, 6, 1, 15, 0, tzinfo=UTC)

    assert ask(tokyo, head=head, time=evening).verdict == "deny"
    assert ask(tokyo, time=evening).verdict == "allow"
    assert ask(tokyo, head=head, time=evening.replace(tzinfo=None)).verdict == "deny"
    assert ask(tokyo, head=head, time=date(2026, 6, 1)).verdict == "allow"
    assert ask(tokyo, head=head, time=date(2026, 6, 2)).verdict == "deny"
    assert applies(tokyo, Situation(act="buy", time=evening), zone="Asia/Tokyo")
    assert not applies(tokyo, Situation(act="buy", time=evening))
    with pytest.raises(InputError, match="IANA"):
        Resolver(made(tokyo, zones={"JP": "Asia/Tokio"}))


def test_agents_are_treated_one_step_more_strictly_if_a_norm_says_so() -> None:
    """`agent_stricter`: for agents what is let pass is asked, and what is asked is denied."""

    def told(on_unknown: str, bearer: str) -> str:
        one = ban(condition=X, on_unknown=on_unknown,
                  bearer={"actor": ["assistant", "agent", "subagent"],
                          "actor_sensitivity": "agent_stricter"})  # fmt: skip
        return ask(one, bearer=bearer).verdict

    assert [told(t, "assistant") for t in ("allow", "ask", "deny")] == ["allow", "ask", "deny"]
    assert [told(t, "agent") for t in ("allow", "ask", "deny")] == ["ask", "deny", "deny"]
    assert [told(t, "subagent") for t in ("allow", "ask", "deny")] == ["ask", "deny", "deny"]


# --- authority handed on ---


def grant(grantor: str, grantee: str, **fields: Any) -> Grant:
    body = {"grantor": grantor, "grantee": grantee, "acts": ["act"], **fields}
    return Grant.model_validate(body)


CHAIN = (
    grant("ana", "bot", redelegable=True),
    grant("bot", "helper", grantor_is="agent", expires="2026-06-01T00:00:00Z"),
)


@pytest.mark.parametrize(
    ("fact", "value", "chain", "more"),
    [
        ("given", True, CHAIN, {}),
        ("given", False, (), {}),
        ("covers", True, CHAIN, {}),
        ("covers", False, (*CHAIN, grant("helper", "x", acts=["look"])), {}),
        ("covers", False, (), {}),
        ("depth", 2, CHAIN, {}),
        ("human_root", True, CHAIN, {}),
        ("human_root", False, CHAIN[1:], {}),
        ("expired", True, CHAIN, {"time": "2026-06-01T00:00:00Z"}),
        ("expired", False, CHAIN, {"time": "2026-05-31T23:59:59Z"}),
        ("expired", None, CHAIN, {}),
        ("expired", None, CHAIN, {"time": "2026-06-01"}),
        ("expired", True, CHAIN, {"time": "2026-06-02"}),
        ("expired", False, CHAIN, {"time": "2026-05-29"}),
        ("expired", False, CHAIN[:1], {}),
        ("revoked", False, CHAIN, {}),
        ("revoked", True, (grant("ana", "bot", revoked=True), CHAIN[1]), {}),
        ("connected", True, CHAIN, {}),
        ("connected", False, (grant("ana", "bot"), CHAIN[1]), {}),
        ("connected", False, (CHAIN[0], grant("other", "helper")), {}),
        ("connected", False, (), {}),
        ("connected", False, (grant("bot", "bot"),), {}),
        ("connected", False, (*CHAIN[:1], grant("bot", "ana", grantor_is="agent")), {}),
        ("expired", True, CHAIN, {"time": "9999-12-31"}),
        ("expired", False, CHAIN, {"time": "0001-01-01"}),
    ],
)
def test_what_a_chain_of_grants_says(
    fact: str, value: bool | int | None, chain: tuple[Grant, ...], more: dict[str, Any]
) -> None:
    """Each fact of a chain holds as it should; one that cannot be known is asked for."""
    asked = value if value is not None else True
    decision = ask(ban(condition={"fact": f"grant.{fact}", "eq": asked}), grants=chain, **more)

    assert decision.verdict == ("ask" if value is None else "deny")
    assert decision.unknown == ((f"grant.{fact}",) if value is None else ())


def test_whether_the_chain_covers_is_asked_of_each_act() -> None:
    """Buying is not covered and looking is: looking is the way out, and breaks nothing."""
    uncovered = ban(condition={"fact": "grant.covers", "eq": False})
    duty = norm(id="g.act", kind="obligation", act="act")
    decision = ask(uncovered, duty, feasible=["look"], grants=[grant("ana", "bot", acts=["look"])])

    assert (decision.verdict, decision.least_bad) == ("deny", ("look",))


def test_a_fact_about_grants_by_name_stands_for_a_chain_nobody_showed() -> None:
    """Given by name without a chain, one fact is known and the others of the chain are not."""
    covered = ban("g.covers", condition={"fact": "grant.covers", "eq": False})
    revoked = ban("g.revoked", condition={"fact": "grant.revoked", "eq": True})
    decision = ask(covered, revoked, facts={"grant.covers": True})

    assert (decision.verdict, decision.unknown) == ("ask", ("grant.revoked",))


def test_nobody_has_done_for_them_what_they_may_not_do() -> None:
    """A ban on the deployer binds the agent it sends, unless it is personal (no laundering)."""
    deployer = ban(bearer={"actor": ["deployer"]})
    personal = ban(bearer={"actor": ["deployer"], "personal": True})
    sent = [grant("firm", "bot", grantor_is="deployer")]

    assert ask(deployer, bearer="agent").verdict == "allow"
    assert ask(deployer, bearer="agent", grants=sent).verdict == "deny"
    assert ask(personal, bearer="agent", grants=sent).verdict == "allow"


def test_what_lifts_a_ban_must_be_permitted_to_each_whom_it_binds() -> None:
    """The agent's own permission does not free its principal; the principal's own does."""
    bound = {"actor": ["deployer"]}
    no = norm(id="o.no", kind="prohibition", layer="organisation", act="act", bearer=bound)
    agents = may("o.agents", layer="organisation", bearer={"actor": ["agent"]}, supersedes=["o.no"])
    firms = may("o.firms", layer="organisation", bearer=bound, supersedes=["o.no"])
    sent = [grant("firm", "bot", grantor_is="deployer")]

    assert ask(no, agents, bearer="agent", grants=sent).verdict == "deny"
    assert ask(no, firms, bearer="agent", grants=sent).verdict == "allow"


# --- deadlines ---


@pytest.mark.parametrize(
    ("start", "duration", "due"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "P1M", "2026-02-28T12:00:00+00:00"),
        (datetime(2024, 2, 29, tzinfo=UTC), "P1Y", "2025-02-28T00:00:00+00:00"),
        (datetime(2026, 12, 31, tzinfo=UTC), "P2M", "2027-02-28T00:00:00+00:00"),
        (datetime(2026, 3, 28, 12, tzinfo=UTC), "P1D", "2026-03-29T11:00:00+00:00"),
        (datetime(2026, 3, 28, 12, tzinfo=UTC), "PT24H", "2026-03-29T12:00:00+00:00"),
        (datetime(2026, 6, 1, 12), "P1W", "2026-06-08T12:00:00+00:00"),  # noqa: DTZ001
        (date(2026, 6, 1), "P14D", "2026-06-14T22:00:00+00:00"),
        (datetime(9999, 12, 1, tzinfo=UTC), "P1M", None),
        (datetime(2026, 1, 1, tzinfo=UTC), "P99999999Y", None),
        (datetime(2026, 1, 1, tzinfo=UTC), "soon", None),
    ],
)
def test_deadlines_are_counted_on_the_calendar(start: date, duration: str, due: str | None) -> None:
    """Months end with the month, days are days when clocks change, hours are hours; Berlin time."""
    from zoneinfo import ZoneInfo

    found = due_after(start, duration, ZoneInfo("Europe/Berlin"))

    assert (found and found.isoformat()) == due


def test_a_duty_says_when_it_is_due() -> None:
    """From the situation's time and the authority's zone; without a time nobody can say."""
    duty = norm(id="br.tell", kind="obligation", layer="polity", authority="BR", act="tell",
                deadline="P15D")  # fmt: skip
    head = {"zones": {"BR": "America/Sao_Paulo"}}
    (owed,) = ask(duty, head=head, time=date(2026, 6, 1)).duties

    assert owed.due == datetime(2026, 6, 16, 3, tzinfo=UTC)
    assert ask(duty).duties[0].due is None


def test_a_duty_lapses_once_what_it_rests_on_is_false() -> None:
    """`maintain` false: no duty and no breach; unknown: the duty stands."""
    duty = norm(id="g.tell", kind="obligation", act="tell", deadline="P1D", maintain=X)
    now = norm(id="g.now", kind="obligation", act="tell", maintain=X)

    assert ask(duty, facts={"x": False}).duties == ()
    assert [d.id for d in ask(duty).duties] == ["g.tell@1"]
    assert ask(now, facts={"x": False}).verdict == "allow"
    assert ask(now, facts={"x": True}, feasible=["tell"]).verdict == "deny"
    assert (ask(now, feasible=["tell"]).verdict, ask(now, feasible=["tell"]).unknown) == (
        "deny", ("x",))  # fmt: skip


def test_decide_is_the_resolver_once() -> None:
    """The plain function gives what a resolver that is kept gives."""
    one = made(ban())

    assert decide(one, Situation(act="buy")) == Resolver(one).decide(Situation(act="buy"))


@pytest.mark.parametrize("when", [12, 20261202, "20261202", 1.5])
def test_a_bare_number_is_no_time(when: Any) -> None:
    """Read as seconds since 1970 it would put other norms in force, without a word."""
    with pytest.raises(ValueError, match="written with hyphens"):
        Situation(act="act", time=when)


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_an_instant_at_the_end_of_the_calendar_has_a_day(when: str) -> None:
    """An answer, and no overflow, wherever the charter's days begin."""
    assert ask(ban(), time=when).verdict == "deny"
