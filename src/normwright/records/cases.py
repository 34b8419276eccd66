"""A safety case as a graph: what is claimed, what it rests on, what is open, what defeats it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from normwright.records.base import Digest, Frozen, Record, Text

CaseKind: TypeAlias = Literal["goal", "strategy", "solution", "context", "counter"]
"""Kinds of the Goal Structuring Notation (version 3, 2021): a claim, how it is argued, evidence,
what it is said about, and a counter-argument (its dialectic extension)."""

CaseStanding: TypeAlias = Literal["holds", "open", "refuted", "undeveloped"]
"""How a claim stands. `open`: there is evidence, and it does not decide. `undeveloped`: none."""


class Defence(Frozen):
    """What was done about something that could defeat the case."""

    owner: str = ""
    """Who answers for it; empty is a hole of its own, and shown as one."""
    status: Literal["open", "answered", "accepted"] = "open"
    """`answered`: it does not hold here, and `note` says why. `accepted`: it holds and is borne."""
    note: Text = {}


class CaseNode(Frozen):
    """One element of the argument."""

    id: str
    """Begins with the prefix of its kind: G, S, Sn, C, CG or CSn."""
    kind: CaseKind
    text: Text
    standing: CaseStanding | None = None
    """Of goals and strategies."""
    supported_by: tuple[str, ...] = ()
    in_context_of: tuple[str, ...] = ()
    challenges: str = ""
    """Of a counter-argument: the id of what it speaks against."""
    defeats: bool = False
    """Of a counter-argument: evidence shows that it is right."""
    evidence: Digest | None = None
    """Of a solution: the record it is."""
    criterion: str = ""
    """Id of the criterion this claim is about, where it is about one."""
    defence: Defence | None = None
    """Of a counter-argument nobody has settled: who answers for it."""


class SafetyCase(Record):
    """The argument for, and against, using a model in each mode; the first node is its top."""

    name: Text
    verdict: Digest
    decided_at: str = ""
    nodes: tuple[CaseNode, ...]

    outside_digest = frozenset({"decided_at"})
