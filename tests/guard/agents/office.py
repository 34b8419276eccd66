"""A small office: its charter, the tools of its agents, and a guard over them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from normwright.charter import assembled, read_source
from normwright.charter.shipped import seeds
from normwright.guard.agents import (
    AgentGuard,
    Approver,
    GrantLedger,
    Journal,
    Manifest,
    Settings,
    manifest_of,
)
from normwright.records import Deployment, Grant, Policy, ToolCall

NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)
TOOLS: dict[str, Any] = {
    "read_file": {
        "act": "read.data", "effect": "reversible", "arguments": ["path"],
        "resources": [{"pointer": "/path", "kind": "path"}],
        "stores": [{"pointer": "/path", "kind": "path", "mode": "read"}],
        "reads": {"conf": "internal", "integrity": "trusted"},
    },
    "read_patients": {
        "act": "read.personal-data", "effect": "reversible",
        "facts": {"legal_basis": True, "subject_consents": True, "subject_is_minor": False},
        "reads": {"conf": "personal", "integrity": "trusted"},
    },
    "read_page": {
        "act": "read.data", "effect": "reversible",
        "resources": [{"pointer": "/url", "kind": "url"}],
        "reads": {"conf": "public", "integrity": "untrusted"},
    },
    "write_file": {
        "act": "change.data", "effect": "compensable", "arguments": ["path", "text"],
        "aliases": {"insert_text": "text"},
        "resources": [{"pointer": "/path", "kind": "path"}],
        "stores": [{"pointer": "/path", "kind": "path", "mode": "write"}],
    },
    "delete_file": {
        "act": "delete.data", "effect": "irreversible", "arguments": ["path"],
        "resources": [{"pointer": "/path", "kind": "path"}], "units": {"deletions": {"fixed": 1}},
    },
    "send_mail": {
        "act": "send.data", "effect": "compensable", "arguments": ["to", "text", "on_behalf_of"],
        "resources": [{"pointer": "/to/*", "kind": "email"}],
        "units": {"recipients": {"count": "/to/*"}},
        "sink": {"pointer": "/to/*", "kind": "email", "internal": ["*@office.org"]},
        "observes": {"recipients": {"count": "/sent/*"}},
    },
    "call_partner": {
        "act": "send.data", "effect": "reversible", "sink": "internal", "identify": "/for",
        "reads": {"conf": "public", "integrity": "untrusted"},
    },
    "pay": {
        "act": "pay", "effect": "irreversible",
        "resources": [{"pointer": "/to", "kind": "text"}],
        "units": {"money": {"value": "/amount", "scale": 100}},
    },
}  # fmt: skip
UNITS: dict[str, int | None] = {
    "money": 10_000, "recipients": 5, "deletions": 2, "irreversible": 0, "outflow": 0,
}  # fmt: skip


class Clock:
    """A clock that stands until it is put forward."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@cache
def policy() -> Policy:
    """The shipped norms, those that still await a vote included."""
    charter = assembled(read_source(seeds()), drafts=True)
    return Policy(
        charter=charter, deployment=Deployment(), rules=(), system_prompt={}, permit_modes=(),
        permit_reason={}, coverage={},
    )  # fmt: skip


@cache
def manifest() -> Manifest:
    return manifest_of({"tools": TOOLS}, where="office")


def approver(**settings: Any) -> Approver:
    return _approver() if not settings else Approver(
        policy(), manifest(), settings=Settings(facts=_FACTS, **settings))  # fmt: skip


_FACTS = {"harm_done": False, "false_statement_made": False, "person_in_danger": False}


@cache
def _approver() -> Approver:
    return Approver(policy(), manifest(), settings=Settings(facts=_FACTS))


def grant(**fields: Any) -> Grant:
    """A grant from Ana to the agent `desk` over everything an office does."""
    return Grant.model_validate({
        "id": "g", "grantor": "ana", "grantee": "desk", "acts": ["operate"], "budget": UNITS,
        "redelegable": True, **fields,
    })  # fmt: skip


def guard(
    *grants: Grant, journal: Journal | None = None, clock: Clock | None = None, **settings: Any
) -> AgentGuard:
    """A guard whose ledger holds these grants; without any, the one of `grant()`."""
    judge = approver(**settings)
    ledger = GrantLedger(people=("ana", "rui"), acts=judge.resolver.acts, journal=journal)
    for one in grants or (grant(),):
        ledger.issue(one, by=one.grantor, at=NOON)
    return AgentGuard(judge, ledger, clock=clock or Clock())


def call(tool: str, *, agent: str = "desk", under: str | None = "g", session: str = "s",
         **arguments: Any) -> ToolCall:  # fmt: skip
    return ToolCall(
        tool=tool, arguments=arguments, agent=agent, grant=under, session=session, at=NOON
    )
