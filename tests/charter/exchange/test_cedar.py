"""Charters as Cedar: the text is valid, and Cedar decides as the resolver does where it can."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
from tests.norms.builders import charter, norm, vocabulary

from normwright.charter.exchange import to_cedar
from normwright.norms import Resolver
from normwright.norms.cedar import instant
from normwright.records import LAYERS, Charter, Situation

cedarpy = pytest.importorskip("cedarpy")

ON = date(2026, 11, 30)
WORDS = vocabulary(
    {"act": [], "tell": ["act"], "tell.all": ["tell"], "sell": ["act"], "gift": ["sell", "tell"],
     "decline": []},
    {"adult": "bool", "place": ["home", "school", "court"], "age": {"low": 0, "high": 120}},
)  # fmt: skip
ATOMS: list[dict[str, Any]] = [
    {"fact": "adult", "eq": True},
    {"fact": "adult", "eq": False},
    {"fact": "place", "eq": "home"},
    {"fact": "place", "in": ["home", "school"]},
    {"fact": "age", "at_least": 18},
    {"fact": "age", "at_most": 65},
    {"fact": "age", "in": [1, 18, 40]},
]
OWNERS = {"global": ["world"], "polity": ["city", "land"], "organisation": ["desk"],
          "individual": ["ana"]}  # fmt: skip


def condition(rng: random.Random, depth: int = 2) -> dict[str, Any]:
    shape = rng.choice(["atom", "atom", "all", "any", "not", "empty"] if depth else ["atom"])
    match shape:
        case "atom":
            return dict(rng.choice(ATOMS))
        case "empty":
            return {}
        case "not":
            return {"not": condition(rng, depth - 1)}
        case _:
            return {shape: [condition(rng, depth - 1) for _ in range(rng.randint(0, 3))]}


def random_charter(rng: random.Random) -> Charter:
    """Up to eight prohibitions, permissions and guarantees over all layers."""
    norms = []
    for number in range(rng.randint(1, 8)):
        layer = rng.choice(LAYERS)
        kind = rng.choice(["prohibition", "prohibition", "permission", "guarantee"])
        fields: dict[str, Any] = {
            "id": f"n{number}", "kind": kind, "layer": layer,
            "authority": rng.choice(OWNERS[layer]),
            "tier": rng.choice(["constitutional", "revisable"]),
            "act": rng.choice(["act", "tell", "tell.all", "sell", "gift"]),
            "condition": condition(rng),
            "bearer": {"actor": rng.choice([["assistant"], ["assistant", "agent"], ["deployer"]])},
            "scope": {"channels": rng.choice([["output"], ["action"], ["output", "action"]])},
        }  # fmt: skip
        if rng.random() < 0.3:
            fields["counterparty"] = rng.choice([["human"], ["agent", "mixed"], ["public"]])
        if kind == "prohibition" and rng.random() < 0.3:
            fields["overridable_by"] = ["individual"]
        if kind != "prohibition" and rng.random() < 0.3 and number:
            fields["supersedes"] = [f"n{rng.randrange(number)}"]
        norms.append(norm(**fields))
    return charter(WORDS, norms)


def asked(act: str, context: dict[str, Any], actor: str = "assistant") -> dict[str, Any]:
    return {
        "principal": {"type": "Actor", "id": actor},
        "action": {"type": "Action", "id": act},
        "resource": {"type": "Counterparty", "id": "human"},
        "context": {"channel": "output", "jurisdiction": ["city", "land"], **context},
    }


def cedar_allows(policies: str, schema: str, requests: list[dict[str, Any]]) -> list[bool]:
    found = cedarpy.is_authorized_batch(requests, policies, [], schema)
    assert not [error for one in found for error in one.diagnostics.errors]
    return [one.allowed for one in found]


@pytest.mark.parametrize("seed", range(60))
def test_cedar_decides_as_the_resolver_where_everything_is_known(seed: int) -> None:
    """Bans, permissions and guarantees of random charters come out alike, and the text is valid."""
    rng = random.Random(seed)
    made = random_charter(rng)
    exported = to_cedar(made, on=ON)
    valid = cedarpy.validate_policies(exported.policies, exported.schema)
    resolver = Resolver(made)
    requests, expected = [], []
    for _ in range(40):
        facts = {"adult": rng.random() < 0.5, "place": rng.choice(["home", "school", "court"]),
                 "age": rng.choice([0, 1, 17, 18, 40, 65, 66, 120])}  # fmt: skip
        act = rng.choice(["act", "tell", "tell.all", "sell", "gift", "decline"])
        actor = rng.choice(["assistant", "agent", "subagent", "deployer"])
        channel = rng.choice(["output", "action"])
        other = rng.choice(["human", "agent", "mixed", "public"])
        places = rng.choice([("city", "land"), ("city",), ("land",), ("abroad",)])
        situation = Situation.model_validate(
            {"act": act, "facts": facts, "bearer": actor, "channel": channel, "time": ON,
             "counterparty": other, "jurisdiction": places}
        )  # fmt: skip
        context = {**facts, "channel": channel, "jurisdiction": list(places)}
        requests.append({**asked(act, context, actor),
                         "resource": {"type": "Counterparty", "id": other}})  # fmt: skip
        expected.append(resolver.decide(situation).verdict == "allow")

    assert valid.validation_passed, valid.errors
    assert cedar_allows(exported.policies, exported.schema, requests) == expected


@pytest.mark.parametrize("seed", range(30))
def test_cedar_allows_nothing_that_is_unknown(seed: int) -> None:
    """Whatever is missing, what Cedar allows the resolver allows too."""
    rng = random.Random(1_000 + seed)
    made = random_charter(rng)
    exported = to_cedar(made, on=ON)
    resolver = Resolver(made)
    requests, verdicts = [], []
    for _ in range(40):
        facts = {"adult": rng.random() < 0.5, "place": rng.choice(["home", "school", "court"]),
                 "age": rng.choice([0, 17, 18, 66])}  # fmt: skip
        known = {name: value for name, value in facts.items() if rng.random() < 0.5}
        act = rng.choice(["act", "tell", "tell.all", "sell", "gift"])
        requests.append(asked(act, known))
        situation = Situation.model_validate(
            {"act": act, "facts": known, "time": ON, "counterparty": "human",
             "jurisdiction": ("city", "land")}
        )  # fmt: skip
        verdicts.append(resolver.decide(situation).verdict)

    allowed = cedar_allows(exported.policies, exported.schema, requests)

    assert all(v == "allow" for v, yes in zip(verdicts, allowed, strict=True) if yes)


def test_a_ban_that_waives_the_unknown_is_not_excepted_by_it() -> None:
    """With `on_unknown: allow` a missing fact of the ban passes, one of the exception denies."""
    made = charter(WORDS, [
        norm(id="ban", kind="prohibition", act="sell", layer="organisation", on_unknown="allow",
             condition={"fact": "place", "eq": "school"}),
        norm(id="yes", kind="permission", act="sell", layer="organisation",
             condition={"all": [{"fact": "place", "eq": "school"},
                                {"not": {"fact": "adult", "eq": False}}]}),
    ])  # fmt: skip
    exported = to_cedar(made, on=ON)
    requests = [asked("sell", c) for c in ({}, {"place": "school"}, {"place": "school",
                "adult": False}, {"place": "school", "adult": True})]  # fmt: skip

    found = cedar_allows(exported.policies, exported.schema, requests)

    assert found == [True, False, False, True]


def test_a_request_without_channel_is_denied_although_no_schema_is_used() -> None:
    """A ban that fails in Cedar forbids nothing, so what bans need must be there."""
    made = charter(WORDS, [norm(id="ban", kind="prohibition", act="sell")])
    request = asked("sell", {})
    request["context"] = {}

    found = cedarpy.is_authorized(request, to_cedar(made, on=ON).policies, [])

    assert not found.allowed


def test_acts_outside_the_ontology_and_closed_acts_need_a_permission() -> None:
    """What nobody can have permitted is denied; a closed act is done where a norm permits it."""
    made = charter(WORDS, [norm(id="yes", kind="permission", act="gift",
                                condition={"fact": "adult", "eq": True})])  # fmt: skip
    exported = to_cedar(made, on=ON, closed_acts=["sell"])
    acts = [("tell", {}), ("sell", {}), ("gift", {}), ("gift", {"adult": True})]

    found = cedar_allows(exported.policies, exported.schema, [asked(a, c) for a, c in acts])
    stranger = cedarpy.is_authorized(asked("fly", {}), to_cedar(made, on=ON).policies, [])

    assert found == [True, False, False, True]
    assert not stranger.allowed


def test_what_cedar_cannot_say_is_listed_norm_by_norm() -> None:
    """Duties, ideals, deadlines, reparations and dates are left out by name, in both languages."""
    made = charter(WORDS, [
        norm(id="duty", kind="obligation", act="tell", deadline="P1D", reparation=["mend"]),
        norm(id="mend", kind="obligation", act="tell.all"),
        norm(id="free", kind="exemption", act="tell"),
        norm(id="kind", kind="ideal", act="act", layer="individual"),
        norm(id="later", kind="prohibition", act="sell", valid_from="2026-12-02"),
        norm(id="own", kind="prohibition", act="gift", bearer={"personal": True}),
    ])  # fmt: skip
    exported = to_cedar(made, on=ON)
    listed = {(one.what, one.norm) for one in exported.unsaid}

    assert {("obligation", "duty@1"), ("deadline", "duty@1"), ("reparation", "duty@1"),
            ("exemption", "free@1"), ("ideal", "kind@1"), ("validity", "later@1"),
            ("personal", "own@1"), ("unknown", None), ("necessity", None)} <= listed  # fmt: skip
    assert "later@1" not in exported.policies
    assert "later@1" in to_cedar(made, on=date(2026, 12, 2)).policies
    assert all(set(one.reason) == {"en", "pt"} and all(one.reason.values())
               for one in exported.unsaid)  # fmt: skip


def test_text_of_any_kind_stays_text() -> None:
    """Quotes, line breaks and scripts in statements and names cannot end a policy early."""
    said = 'Say "no";\n}; permit(a,b,c); ção 🚫\t\\'
    made = charter(WORDS, [norm(id="ban", kind="prohibition", act="sell", statement={"en": said})])
    exported = to_cedar(made, on=ON)
    found = cedarpy.validate_policies(exported.policies, exported.schema)

    assert found.validation_passed, found.errors
    assert cedar_allows(exported.policies, exported.schema, [asked("sell", {})]) == [False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-02", "2026-12-02T00:00:00.000Z"),
        ("2026-12-02T09:30:00-03:00", "2026-12-02T12:30:00.000Z"),
        ("2026-12-02T12:30:00.5Z", "2026-12-02T12:30:00.500Z"),
    ],
)
def test_instants_are_written_in_utc(text: str, expected: str) -> None:
    """Cedar takes an instant with milliseconds; without a zone it is UTC."""
    assert instant(text) == expected
