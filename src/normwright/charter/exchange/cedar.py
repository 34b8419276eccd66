"""A charter as Cedar policies: bans with their exceptions compiled in, and what Cedar cannot say.

In Cedar a `forbid` always wins, so a norm that beats a ban cannot stand beside it as a `permit`: it
becomes an `unless` of the ban, by the same contest that the resolver uses. What is left out is
listed, norm by norm. A fact that is missing denies, where a ban or its exception asks about it:
Cedar knows no third value, and an error in a `forbid` would let the act pass.

Source: Cedar policy language, https://docs.cedarpolicy.com
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import get_args

from normwright.charter.enacting.standing import actors_of
from normwright.charter.wording import say
from normwright.norms import Acts, can_both_hold, facts_of
from normwright.norms.cedar import TYPES, formula, text
from normwright.norms.ranking import PERMISSIVE, contest, rank, repeals
from normwright.norms.resolver import HOLDING
from normwright.norms.vocabulary import NULL_ACT
from normwright.records import (
    Actor,
    Channel,
    Charter,
    Counterparty,
    Norm,
    Text,
    Vocabulary,
)

ACTORS: tuple[str, ...] = get_args(Actor)
COUNTERPARTIES: tuple[str, ...] = get_args(Counterparty)
CHANNELS: tuple[str, ...] = get_args(Channel)

GENERAL = ("unknown", "necessity", "severity", "zones", "grants")
"""What no policy of any charter says in Cedar."""


@dataclass(frozen=True)
class Unsaid:
    """Something a charter says and Cedar cannot."""

    what: str
    """`obligation`, `exemption`, `ideal`, `constitutive`, `reparation`, `deadline`, `validity`,
    `personal`, or one of `GENERAL`."""
    norm: str | None
    """Reference of the norm; None: it concerns all of them."""
    reason: Text


@dataclass(frozen=True)
class Cedar:
    """A charter in Cedar: policies, the schema they are written in, and what is left unsaid."""

    policies: str
    schema: str
    unsaid: tuple[Unsaid, ...]


_INCOMPLETE = """@id("incomplete")
forbid (principal, action, resource)
unless { context has "channel" && context has "jurisdiction" };"""
"""A request without them would make bans fail, and a ban that fails forbids nothing."""


def to_cedar(charter: Charter, *, on: date, closed_acts: Sequence[str] = ()) -> Cedar:
    """Return the prohibitions of a charter, with what beats them, as Cedar policies.

    The principal is who acts, `Actor::"assistant"`; the action is the act; the resource is whom it
    is done to, `Counterparty::"human"`. The context has `channel`, the `jurisdiction` as a set of
    authorities, and the facts by name. Where a situation is fully known and the charter has
    neither obligations nor a ban on doing nothing, Cedar decides as the resolver does.

    Args:
        charter: the norms; those that hold and are valid on the day are exported.
        on: the day. Cedar policies do not begin or end by themselves: export again when one does.
        closed_acts: acts that are done only if a norm permits them.
    """
    norms = _valid(charter, on)
    bans = [n for n in norms if n.kind == "prohibition"]
    permissive = [n for n in norms if n.kind in PERMISSIVE]
    acts = Acts(charter.vocabulary)
    parts = [f"// {charter.id}, version {charter.version}, {charter.digest}, as of {on}"]
    parts += [*_base(charter, permissive, closed_acts), _INCOMPLETE]
    for ban in bans:
        exceptions = [p for p in permissive if _excepts(p, ban, acts, charter.vocabulary)]
        parts += _forbidding(ban, exceptions, charter.vocabulary)
    return Cedar(
        policies="\n\n".join(parts) + "\n",
        schema=_schema(charter.vocabulary),
        unsaid=tuple(_unsaid(charter, norms, on)),
    )


def _valid(charter: Charter, on: date) -> list[Norm]:
    valid = [n for n in charter.norms if n.status in HOLDING and _is_valid(n, on)]
    newer = [n for n in valid if n.supersedes]
    kept = [n for n in valid if not any(repeals(new, n) for new in newer)]
    return sorted(kept, key=lambda n: (rank(n), n.id, n.version))


def _is_valid(norm: Norm, on: date) -> bool:
    started = norm.valid_from is None or norm.valid_from <= on
    return started and (norm.valid_to is None or on < norm.valid_to)


def _excepts(p: Norm, ban: Norm, acts: Acts, vocabulary: Vocabulary) -> bool:
    """Whether a permissive norm beats a ban, and can apply where the ban does."""
    # Of two unrelated acts there may be one that is a kind of both.
    meet = any(acts.covers(p.act, a) and acts.covers(ban.act, a) for a in acts.names)
    return (
        meet
        and contest(p, ban, acts, vocabulary.facts).permitted
        and can_both_hold(p.condition, ban.condition, vocabulary.facts) is not False
    )


def _base(charter: Charter, permissive: Sequence[Norm], closed_acts: Sequence[str]) -> list[str]:
    """What is allowed where no ban speaks: every act of the ontology that is not closed."""
    if charter.open_world:
        scope = "principal, action, resource"
    else:
        known = ", ".join(_action(name) for name in Acts(charter.vocabulary).names)
        scope = f"principal, action in [{known}], resource"
    if not closed_acts:
        return [f'@id("base")\npermit ({scope});']
    closed = ", ".join(map(_action, sorted(closed_acts)))
    parts = [f'@id("base")\npermit ({scope})\nunless {{ action in [{closed}] }};']
    for p in permissive:
        scope = f"principal, action in {_action(p.act)}, resource"
        when = " && ".join(_applying(p, charter.vocabulary)) or "true"
        parts.append(f"@id({text(p.ref)})\npermit ({scope})\nwhen {{ {when} }};")
    return parts


def _forbidding(ban: Norm, exceptions: Sequence[Norm], vocabulary: Vocabulary) -> list[str]:
    said = next(iter(ban.statement.values()), "")
    head = f"(principal, action in {_action(ban.act)}, resource)"
    when = " && ".join(_applying(ban, vocabulary)) or "true"
    lines = [f"@id({text(ban.ref)})", f"@statement({text(said)})", f"forbid {head}",
             f"when {{ {when} }}"]  # fmt: skip
    for p in exceptions:
        terms = [f"action in {_action(p.act)}", *_applying(p, vocabulary)]
        lines.append(f"unless {{ {' && '.join(terms)} }} // {p.ref}")
    lines[-1] = _ended(lines[-1])
    return ["\n".join(lines), *_unknown(ban, exceptions, vocabulary)]


def _ended(line: str) -> str:
    code, mark, remark = line.partition(" // ")
    return f"{code};{mark}{remark}"


def _unknown(ban: Norm, exceptions: Sequence[Norm], vocabulary: Vocabulary) -> list[str]:
    """A policy that denies where a fact is missing that the ban or an exception asks for.

    A ban that itself lets the unknown pass is only kept from being excepted by what is unknown.
    """
    waived = ban.on_unknown == "allow"
    asking = exceptions if waived else (ban, *exceptions)
    asked = sorted(frozenset[str]().union(*(facts_of(n.condition) for n in asking)))
    if not asked:
        return []
    known = " && ".join(f"context has {text(name)}" for name in asked)
    lines = [f"@id({text(ban.ref + '/unknown')})",
             f"forbid (principal, action in {_action(ban.act)}, resource)"]  # fmt: skip
    when = _applying(ban, vocabulary) if waived else _binding(ban)
    if when:
        lines.append(f"when {{ {' && '.join(when)} }}")
    lines.append(f"unless {{ {known} }};")
    return ["\n".join(lines)]


def _applying(norm: Norm, vocabulary: Vocabulary) -> list[str]:
    """The terms under which a norm applies to an act that it is about."""
    facts = {fact.name: fact for fact in vocabulary.facts}
    asked = formula(norm.condition, facts)
    return [*_binding(norm), *([] if asked == "true" else [asked])]


def _binding(norm: Norm) -> list[str]:
    """The terms that do not depend on facts: who acts, on whom, how, and where."""
    terms = []
    actors = [a for a in ACTORS if a in actors_of(norm)]
    if len(actors) < len(ACTORS):
        listed = ", ".join(f"Actor::{text(a)}" for a in actors)
        terms.append(f"[{listed}].contains(principal)" if actors else "false")
    if len(norm.counterparty) < len(COUNTERPARTIES):
        listed = ", ".join(f"Counterparty::{text(c)}" for c in norm.counterparty)
        terms.append(f"[{listed}].contains(resource)")
    if len(norm.scope.channels) < len(CHANNELS):
        listed = ", ".join(map(text, norm.scope.channels))
        terms.append(f'[{listed}].contains(context["channel"])')
    if norm.layer == "polity":
        terms.append(f'context["jurisdiction"].contains({text(norm.authority)})')
    return terms


def _schema(vocabulary: Vocabulary) -> str:
    """The vocabulary as a schema. Every fact may be missing; a policy says what follows then."""
    lines = [f"entity Actor enum [{', '.join(map(text, ACTORS))}];",
             f"entity Counterparty enum [{', '.join(map(text, COUNTERPARTIES))}];",
             "type Facts = {",
             '  "channel": String,',
             '  "jurisdiction": Set<String>,']  # fmt: skip
    lines += [f"  {text(fact.name)}?: {TYPES[fact.type]}," for fact in vocabulary.facts]
    lines.append("};")
    applies = "appliesTo { principal: [Actor], resource: [Counterparty], context: Facts }"
    parents = {act.name: act.is_a for act in vocabulary.acts}
    for name in Acts(vocabulary).names:
        above = parents.get(name, ())
        within = f" in [{', '.join(map(text, above))}]" if above else ""
        lines.append(f"action {text(name)}{within} {applies};")
    return "\n".join(lines) + "\n"


def _unsaid(charter: Charter, norms: Sequence[Norm], on: date) -> Iterator[Unsaid]:
    for what in GENERAL:
        yield Unsaid(what, None, say(f"cedar_{what}", charter.languages))
    for norm in norms:
        for what in _lost(norm):
            yield Unsaid(what, norm.ref, say(f"cedar_{what}", charter.languages))
    for norm in charter.norms:
        if norm.status in HOLDING and not _is_valid(norm, on):
            yield Unsaid("validity", norm.ref, say("cedar_validity", charter.languages))


def _lost(norm: Norm) -> Iterator[str]:
    if norm.kind in ("obligation", "exemption", "ideal", "constitutive"):
        yield norm.kind
    if norm.kind == "prohibition" and norm.act == NULL_ACT:
        yield "necessity"
    if norm.deadline is not None:
        yield "deadline"
    if norm.reparation:
        yield "reparation"
    if norm.valid_from is not None or norm.valid_to is not None:
        yield "validity"
    if norm.bearer.personal:
        yield "personal"


def _action(name: str) -> str:
    return f"Action::{text(name)}"
