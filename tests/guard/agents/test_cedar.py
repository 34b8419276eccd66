"""Grants as Cedar: the real engine decides as the ledger does, case by case."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from typing import Any

import pytest
from tests.guard.agents.delegation import (
    AGENTS,
    KINDS,
    PEOPLE,
    PLACES,
    START,
    THINGS,
    UNITS,
)
from tests.norms.builders import vocabulary

from normwright.guard.agents import GrantLedger, Reading
from normwright.guard.agents.cedar import UNSAID, cedar_requests, grants_to_cedar
from normwright.norms import Acts, evaluate
from normwright.norms.cedar import pattern
from normwright.records import Grant, InputError, Label, ToolCall

cedarpy = pytest.importorskip("cedarpy")

LEDGERS = int(os.environ.get("NORMWRIGHT_EXAMPLES", "40"))
WORDS = vocabulary(KINDS, {"flow.sink": ["internal", "external"], "night": "bool",
                           "count": {"low": 0, "high": 9}})  # fmt: skip
CONDITIONS: tuple[dict[str, Any], ...] = (
    {}, {"fact": "flow.sink", "eq": "internal"}, {"not": {"fact": "night", "eq": True}},
    {"any": [{"fact": "count", "at_most": 3}, {"fact": "night", "eq": False}]},
)  # fmt: skip


def _ledger(rng: random.Random) -> GrantLedger:
    ledger = GrantLedger(people=PEOPLE, acts=Acts(WORDS))
    for number in range(12):
        with ledger.turn() as book:
            above = rng.choice([None, *book.held.values()])
        parent = above.grant if above else None
        budget = {u: rng.choice((None, 3, 8)) for u in UNITS} if parent is None else {
            u: rng.randint(0, 4) for u in UNITS}  # fmt: skip
        grant = Grant.model_validate({
            "id": f'g{number}"\\', "parent": parent and parent.id, "redelegable": True,
            "grantor": parent.grantee if parent else "ana", "grantee": rng.choice(AGENTS),
            "grantor_is": "agent" if parent else "human",
            "acts": rng.sample([*KINDS], 2) if parent is None else parent.acts[:1],
            "resources": rng.choice([None, rng.sample(PLACES, 2), ["mail:a*b"]])
            if parent is None else parent.resources, "budget": budget,
            "expires": rng.choice([None, START + timedelta(seconds=rng.choice((5, 50)))])
            if parent is None else parent.expires, "condition": rng.choice(CONDITIONS),
        })  # fmt: skip
        try:
            ledger.issue(grant, by=grant.grantor, at=START)
        except InputError:
            continue
        if rng.random() < 0.15:
            ledger.revoke(grant.id, by=grant.grantor, at=START)
    if rng.random() < 0.3:
        ledger.stop(rng.choice(AGENTS), by="ana", at=START)
    return ledger


def _own(ledger: GrantLedger, call: ToolCall, reading: Reading, facts: dict[str, Any]) -> bool:
    """What the ledger says, with unknown conditions taken for no, as Cedar has to."""
    name = call.grant or ""
    if ledger.usable(name, agent=call.agent, at=call.at):
        return False
    chain = ledger.grants(name)
    return (
        not ledger.covering(name, reading.act, reading.resources)
        and not ledger.affordable(name, reading.units)
        and all(evaluate(one.condition, facts) is True for one in chain)
    )


def _known(ledger: GrantLedger, call: ToolCall, facts: dict[str, Any]) -> bool:
    """Whether all that the chain's conditions ask about is known."""
    from normwright.norms import facts_of

    with ledger.turn() as book:
        if call.grant not in book.held:
            return True
    asked = {n for one in ledger.grants(call.grant or "") for n in facts_of(one.condition)}
    return asked <= facts.keys()


def test_cedar_decides_as_the_ledger() -> None:
    """Random ledgers, 100 calls each: alike where all is known; nothing is allowed beyond."""
    allowed = sum(_compared(random.Random(seed)) for seed in range(LEDGERS))

    # A comparison in which nothing is ever allowed would show little.
    assert allowed > LEDGERS


def _compared(rng: random.Random) -> int:
    """Compare on one ledger, and return how many of a hundred calls are allowed."""
    ledger = _ledger(rng)
    exported = grants_to_cedar(ledger, WORDS, units=UNITS)
    valid = cedarpy.validate_policies(exported.policies, exported.schema)
    assert valid.validation_passed, valid.errors
    with ledger.turn() as book:
        grants = [held.grant for held in book.held.values()]
    cases: list[tuple[ToolCall, Reading, dict[str, Any]]] = []
    for _ in range(100):
        grant = rng.choice(grants)
        facts = {k: v for k, v in {"flow.sink": rng.choice(["internal", "external"]),
                 "night": rng.random() < 0.5, "count": rng.randint(0, 9)}.items()
                 if rng.random() < 0.85}  # fmt: skip
        reading = Reading(
            act=rng.choice([*grant.acts, *KINDS]), effect="reversible",
            resources=tuple(rng.sample([*THINGS, "mail:a*b"], rng.randint(0, 2))), facts={},
            units={u: rng.choice((0, 1, 3, 5)) for u in UNITS}, sink="internal", reads=Label(),
            from_stores=(), to_stores=(),
        )  # fmt: skip
        call = ToolCall(
            tool="t", agent=grant.grantee if rng.random() < 0.9 else rng.choice(AGENTS),
            grant=grant.id if rng.random() < 0.95 else "nobody",
            at=START + timedelta(seconds=rng.choice((0, 5, 6, 60))),
        )  # fmt: skip
        cases.append((call, reading, facts))
    asked = [cedar_requests(*case, units=UNITS) for case in cases]
    flat = [one for requests in asked for one in requests]
    found = iter(cedarpy.is_authorized_batch(flat, exported.policies, [], exported.schema))
    allowed = 0
    for (call, reading, facts), requests in zip(cases, asked, strict=True):
        answers = [next(found) for _ in requests]
        assert not [error for one in answers for error in one.diagnostics.errors]
        cedar, own = all(one.allowed for one in answers), _own(ledger, call, reading, facts)
        allowed += own
        assert cedar == own if _known(ledger, call, facts) else not cedar or own
    return allowed


def test_what_cedar_cannot_say_is_told() -> None:
    """Nothing is dropped without a word: what is never said, and each grant that is left out."""
    ledger = GrantLedger(people=PEOPLE, acts=Acts(WORDS))
    ledger.issue(Grant(id="g", grantor="ana", grantee="a", acts=("pay",)), by="ana", at=START)
    ledger.revoke("g", by="ana", at=START)
    exported = grants_to_cedar(ledger, WORDS, units=UNITS)

    assert exported.unsaid.keys() == {*UNSAID, "g"}


@pytest.mark.parametrize(("name", "written"), [
    ("mail:ana", '"mail:ana"'), ("file:*", '"file:*"'), ('a"b*', '"a\\"b*"'),
    ("a*b", '"a\\*b"'), ("a*b*", '"a\\*b*"'),
])  # fmt: skip
def test_patterns(name: str, written: str) -> None:
    """Only a star at the end stands for more; one inside is a star."""
    assert pattern(name) == written
