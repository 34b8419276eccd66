"""A desk for agents from one file: their tools, the people, the grants, and the ledger's place.

What a person edits, and all they have to edit:

    schema: agent-desk/v1
    people: [ana]
    manifest: tools.yaml
    grants:
    - {id: g, grantor: ana, grantee: desk, acts: [operate], budget: {recipients: 5}}
    journal: ledger.jsonl
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from normwright.guard.agents.approving import Approver, Settings
from normwright.guard.agents.executing import AgentGuard, Clock
from normwright.guard.agents.journal import FileJournal, Journal
from normwright.guard.agents.ledger import GrantLedger
from normwright.guard.agents.manifest import Manifest, manifest_of, read_manifest
from normwright.records import FactValue, Fault, Grant, InputError, Policy
from normwright.records.base import Frozen

FORM = "agent-desk/v1"


class DeskFile(Frozen):
    """What a desk file says."""

    spec: Literal["agent-desk/v1"] = Field(default="agent-desk/v1", alias="schema")
    people: tuple[str, ...] = Field(min_length=1)
    """Who may give authority at the root of a chain, stop agents, and answer."""
    speakers: dict[str, tuple[str, ...]] = {}
    """Authority -> the persons who may answer for its norms."""
    manifest: str | None = None
    """The file of the manifest, from where this file lies."""
    tools: dict[str, Any] = {}
    """Tools told here instead, or more of them."""
    grants: tuple[Grant, ...] = ()
    """Grants that hold from the start, each after the one it is handed on from."""
    journal: str | None = None
    """Where the ledger is kept, from where this file lies; None: in memory, gone at the end."""
    trajectory: dict[str, int] = {}
    """Unit -> most that one run may use up."""
    facts: dict[str, FactValue] = {}
    """What is declared of every call."""
    jurisdiction: tuple[str, ...] | None = None
    ttl: int = Field(default=300, ge=1)
    """Seconds for which an approval may be used."""

    model_config = {"populate_by_name": True}


class Desk:
    """A desk file made ready for a policy. Every `guard()` without a journal begins anew.

    Args:
        path: the file.
        policy: the charter as it holds here.

    Raises:
        InputError: with every fault of the file, its manifest, and how they fit the charter.
    """

    def __init__(self, path: Path, policy: Policy) -> None:
        self.file = _read(path)
        self.path = path
        self.approver = Approver(
            policy,
            _manifest(path, self.file),
            settings=Settings(
                ttl=timedelta(seconds=self.file.ttl),
                trajectory=self.file.trajectory,
                speakers=self.file.speakers,
                facts=self.file.facts,
                jurisdiction=self.file.jurisdiction,
            ),
        )
        told = {who for people in self.file.speakers.values() for who in people}
        strangers = told - set(self.file.people)
        if strangers:
            raise InputError([
                Fault(where=f"{path}: speakers", expected=", ".join(self.file.people), seen=who)
                for who in sorted(strangers)
            ])  # fmt: skip

    def guard(self, *, clock: Clock) -> AgentGuard:
        """Return a guard over the desk's ledger, in which the grants of the file stand.

        Raises:
            InputError: if a grant may not be given, or differs from the one the ledger has.
            IntegrityError: if the journal was tampered with.
        """
        journal: Journal | None = None
        if self.file.journal is not None:
            journal = FileJournal(self.path.parent / self.file.journal)
        ledger = GrantLedger(
            people=self.file.people, acts=self.approver.resolver.acts, journal=journal
        )
        self._issue(ledger, self.file.grants, clock)
        return AgentGuard(self.approver, ledger, clock=clock)

    def _issue(self, ledger: GrantLedger, grants: Sequence[Grant], clock: Clock) -> None:
        with ledger.turn() as book:
            for grant in grants:
                known = book.held.get(grant.id)
                if known is None:
                    ledger.issue(grant, by=grant.grantor, at=clock())
                elif known.grant != grant:
                    raise InputError([
                        Fault(where=f"{self.path}: grant {grant.id}",
                              expected="as the ledger has it", seen="another",
                              do="Give the changed grant a new id, and withdraw the old one.")
                    ])  # fmt: skip


def _read(path: Path) -> DeskFile:
    try:
        return DeskFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise InputError([
            Fault(where=f"{path}: {'.'.join(map(str, e['loc']))}", expected=e["msg"],
                  seen=str(e["input"])[:80])
            for e in error.errors()
        ]) from None  # fmt: skip
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        seen = " ".join(str(error).split())[:200]
        raise InputError([Fault(where=str(path), expected="a desk file", seen=seen)]) from None


def _manifest(path: Path, file: DeskFile) -> Manifest:
    tools: dict[str, Any] = {}
    if file.manifest is not None:
        tools |= read_manifest(path.parent / file.manifest).tools
    tools |= manifest_of({"tools": file.tools}, where=str(path)).tools
    return Manifest(tools=tools)
