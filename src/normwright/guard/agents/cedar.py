"""The grants of a ledger as Cedar policies, as they stand now, and what Cedar cannot say of them.

One `forbid` stands for all: what no grant carries is not done. Beside the export of a charter
(`normwright charter export`) the two decide together, for in Cedar a `forbid` always wins.

Source: Cedar policy language, https://docs.cedarpolicy.com
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from normwright.guard.agents.ledger import GrantLedger
from normwright.guard.agents.manifest import Reading
from normwright.norms import Acts, facts_of
from normwright.norms.cedar import TYPES, formula, instant, pattern, text
from normwright.records import FactValue, Grant, ToolCall, Vocabulary, instant_text

UNSAID: dict[str, str] = {
    "snapshot": "Cedar keeps nothing: withdrawals, orders to stop and what is left of budgets are"
    " those of the time of export. Export again when one changes.",
    "together": "What calls under way have set aside is counted as it was then: two calls that are"
    " each within a budget are both allowed.",
    "handing-on": "Issuing grants (no wider than the parent, depth, a person at the root) is the"
    " ledger's work; Cedar sees the grants that were issued.",
    "ask": "Cedar knows two answers: what would be asked is denied.",
    "flow": "Labels do not join by themselves: whoever asks has to give `flow.conf`,"
    " `flow.integrity` and `flow.sink` of the call.",
    "exactness": "That what is executed is what was approved is no question to a policy.",
}
"""What no Cedar policy says of any ledger, and why."""


@dataclass(frozen=True)
class GrantPolicies:
    """Grants in Cedar."""

    policies: str
    schema: str
    unsaid: Mapping[str, str]
    """What is left out, by what it concerns: keys of `UNSAID`, or ids of grants."""


def grants_to_cedar(
    ledger: GrantLedger, vocabulary: Vocabulary, *, units: Sequence[str]
) -> GrantPolicies:
    """Return what every live grant carries, as Cedar policies.

    A request's context has `agent`, `grant`, `now`, at most one `resource` (a call that touches
    several is asked once for each), the facts by name, and `uses`, a record with an amount for
    every unit.

    Args:
        ledger: the grants.
        vocabulary: the facts their conditions ask about.
        units: all units that calls use.
    """
    carried, left_out = [], {}
    with ledger.turn() as book:
        for name, held in sorted(book.held.items()):
            agent = held.grant.grantee
            if ledger.usable(name, agent=agent, at=book.now or datetime.now(UTC)):
                left_out[name] = "withdrawn, run out, or stopped when it was exported"
                continue
            left = {unit: book.left(name, unit) for unit in units}
            chain = [one.grant for one in book.chain(name)]
            carried.append(_carrying(chain, left, ledger.acts, vocabulary))
    forbid = "forbid (principal, action, resource)"
    lines = ['@id("grants")', forbid, *(f"unless {{ {one} }}" for one in carried)]
    return GrantPolicies(
        policies='@id("base")\npermit (principal, action, resource);\n\n'
        + "\n".join(lines)
        + ";\n",
        schema=_schema(vocabulary, units),
        unsaid={**UNSAID, **left_out},
    )


def cedar_requests(
    call: ToolCall, reading: Reading, facts: Mapping[str, FactValue], *, units: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the requests that stand for a call: one for each resource it touches, or one.

    The call may be made if all of them are allowed.
    """
    context: dict[str, Any] = {
        "agent": call.agent,
        "grant": call.grant or "",
        "now": {"__extn": {"fn": "datetime", "arg": instant(instant_text(call.at))}},
        "uses": {unit: reading.units.get(unit, 0) for unit in units},
        **{name: value for name, value in facts.items() if value is not None},
    }
    each = [{"resource": name} for name in reading.resources] or [{}]
    return [
        {
            "principal": {"type": "Agent", "id": call.agent},
            "action": {"type": "Action", "id": reading.act},
            "resource": {"type": "Tool", "id": call.tool},
            "context": {**context, **one},
        }
        for one in each
    ]


def _carrying(
    chain: Sequence[Grant], left: Mapping[str, int | None], acts: Acts, vocabulary: Vocabulary
) -> str:
    """The terms under which the last grant of a chain carries a call."""
    last = chain[-1]
    terms = [f"context.grant == {text(last.id)}", f"context.agent == {text(last.grantee)}"]
    for grant in chain:
        listed = ", ".join(f"Action::{text(act)}" for act in grant.acts)
        terms.append(f"action in [{listed}]" if grant.acts else "false")
        terms += [*_resources(grant), *_condition(grant, vocabulary)]
        if grant.expires is not None:
            terms.append(f"context.now < datetime({text(instant(instant_text(grant.expires)))})")
    terms += [
        f"context.uses[{text(unit)}] <= {max(most, 0)}" for unit, most in sorted(left.items())
        if most is not None
    ]  # fmt: skip
    return " && ".join(terms)


def _resources(grant: Grant) -> Iterator[str]:
    if grant.resources is not None:
        named = " || ".join(f"context.resource like {pattern(p)}" for p in grant.resources)
        yield f"(if context has resource then {named or 'false'} else true)"


def _condition(grant: Grant, vocabulary: Vocabulary) -> Iterator[str]:
    asked = sorted(facts_of(grant.condition))
    # A formula with a negation would be true of a fact that is missing.
    yield from (f"context has {text(name)}" for name in asked)
    if asked:
        yield formula(grant.condition, {fact.name: fact for fact in vocabulary.facts})


def _schema(vocabulary: Vocabulary, units: Sequence[str]) -> str:
    uses = ", ".join(f"{text(unit)}: Long" for unit in units)
    lines = ["entity Agent;", "entity Tool;", "type Call = {", '  "agent": String,',
             '  "grant": String,', '  "now": datetime,', '  "resource"?: String,',
             f'  "uses": {{{uses}}},']  # fmt: skip
    lines += [f"  {text(fact.name)}?: {TYPES[fact.type]}," for fact in vocabulary.facts]
    lines.append("};")
    parents = {act.name: act.is_a for act in vocabulary.acts}
    for name in Acts(vocabulary).names:
        above = parents.get(name, ())
        within = f" in [{', '.join(map(text, above))}]" if above else ""
        applies = "appliesTo { principal: [Agent], resource: [Tool], context: Call }"
        lines.append(f"action {text(name)}{within} {applies};")
    return "\n".join(lines) + "\n"
