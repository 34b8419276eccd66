"""Keep agents inside their authority: every call of a tool is judged before, and looked at after.

A call is allowed where the charter allows the act, every grant of its chain hands it on, budgets
have room, and the data it carries may go where it sends them. What is executed is exactly what was
approved.
"""

from normwright.guard.agents.approving import Approver, History, Settings, approve, ledger_of
from normwright.guard.agents.desk import Desk, DeskFile
from normwright.guard.agents.executing import (
    AgentGuard,
    CallRefused,
    Done,
    PreparingTool,
    Recovered,
    Ticket,
    under_way,
)
from normwright.guard.agents.journal import Event, FileJournal, Journal, MemoryJournal, verified
from normwright.guard.agents.labels import HIGHEST, LOWEST, flows_to, joined
from normwright.guard.agents.ledger import Answer, GrantLedger, Reserved
from normwright.guard.agents.manifest import (
    IRREVERSIBLE,
    OUTFLOW,
    Manifest,
    Reading,
    ToolSpec,
    call_digest,
    drafted,
    manifest_of,
    normalised,
    read_call,
    read_manifest,
)
from normwright.guard.agents.provenance import Provenance, Suspecting

__all__ = [
    "HIGHEST",
    "IRREVERSIBLE",
    "LOWEST",
    "OUTFLOW",
    "AgentGuard",
    "Answer",
    "Approver",
    "CallRefused",
    "Desk",
    "DeskFile",
    "Done",
    "Event",
    "FileJournal",
    "GrantLedger",
    "History",
    "Journal",
    "Manifest",
    "MemoryJournal",
    "PreparingTool",
    "Provenance",
    "Reading",
    "Recovered",
    "Reserved",
    "Settings",
    "Suspecting",
    "Ticket",
    "ToolSpec",
    "approve",
    "call_digest",
    "drafted",
    "flows_to",
    "joined",
    "ledger_of",
    "manifest_of",
    "normalised",
    "read_call",
    "read_manifest",
    "under_way",
    "verified",
]
