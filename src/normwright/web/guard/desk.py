"""Where every request is checked, its verdict sealed, and what failed is named.

A `Case` is one request. Nothing of an answer leaves before the line in the audit chain that says it
was checked: the line is the verdict itself, so that there is no success that was logged and not
run.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import string
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from normwright.guard.memory import Memory
from normwright.records import (
    GUARD_ACTIONS,
    Exchange,
    GuardVerdict,
    PlaceError,
    Policy,
    Side,
    plain_json,
)
from normwright.store import (
    VERDICT,
    AuditChain,
    Entry,
    KeptVerdict,
    Line,
    MemoryBook,
    VerdictBook,
    prune,
)
from normwright.web.guard.held import Guarding, Held
from normwright.web.guard.metrics import Metrics
from normwright.web.guard.sessions import Sessions, SharedMemory
from normwright.web.guard.settings import ServeSettings
from normwright.web.guard.telemetry import Spans
from normwright.web.words import words_for

LOG = logging.getLogger("normwright.guard")

T = TypeVar("T")

INLINE = 20_000
"""Characters that are checked at once; more are checked beside, so that others need not wait."""

_ROOM = 8192
"""Bytes that have to fit before a disk that was full counts as having room."""

AUDIT = "audit"
"""What a degraded mode is called in which the audit chain cannot be written."""
BOOK = "verdict-store"
"""What it is called where verdicts wait in memory, because the database does not take them."""
SESSIONS = "session-store"
"""What it is called where this process knows of a conversation only what it saw itself."""


KEEPING = "retention"
"""What it is called where what is older than it is to be cannot be let go of."""
_LINGER = 3600.0
"""Seconds a file is kept open after the next one began, for requests that know it."""


class AuditFailed(Exception):
    """A verdict could not be sealed, so that nothing it speaks about may leave."""


def new_id(prefix: str = "vrd_") -> str:
    """Return an id that nobody can guess: a prefix and 26 letters, 122 bits."""
    # One number for all letters: the system is asked once instead of 26 times.
    rest, letters = secrets.randbelow(26**26), []
    for _ in range(26):
        rest, letter = divmod(rest, 26)
        letters.append(string.ascii_lowercase[letter])
    return prefix + "".join(letters)


@dataclass(frozen=True)
class Candidates:
    """What a reward chose from."""

    asked: int
    """Answers that were looked at."""
    allowed: int
    """How many of them passed."""
    scores: tuple[float, ...]
    """Scores of those that were given."""


class Desk:
    """What all requests of one process share."""

    def __init__(
        self,
        guard: Guarding,
        settings: ServeSettings,
        *,
        load: Callable[[], Guarding] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.settings = settings
        self.metrics, self.spans = Metrics(), Spans()
        self.clock, self.now = clock, now
        self.held = Held.of(guard)
        self.reloads = 0
        self.in_flight = 0
        self.trouble: set[str] = set()
        """Parts that do not do their work now."""
        self.memories = MemoryBook(settings.state / "sessions.db")
        self.sessions = Sessions(settings.limits, clock, self.memories)
        patience = settings.limits.book_seconds
        self.book = VerdictBook(settings.state / "verdicts.db", patience=patience)
        folder = settings.state / "audit"
        if folder.is_dir():
            self.book.catch_up(folder)
        self.chain = self._begun_chain()
        self._before: list[tuple[float, AuditChain]] = []
        """Chains that a request may still write to, with when they were followed by another."""
        self._day: date | None = None
        self._load = load
        self._flushing = False
        self._beside = ThreadPoolExecutor(
            16 if guard.patient else 2, thread_name_prefix="guard-check"
        )
        self._keep(self.held)

    def close(self) -> None:
        """Write what waits, and close the files."""
        self._beside.shutdown(wait=False, cancel_futures=True)
        try:
            self.book.flush()
        except PlaceError as error:
            LOG.error("verdicts stay in the audit chain alone: %s", error)
        finally:
            self.book.close()
            self.memories.close()
            for _, chain in self._before:
                chain.close()
            self.chain.close()

    def reload(self) -> bool:
        """Read the policy again for new requests; those under way, and sessions, keep theirs.

        A policy that cannot be read changes nothing.
        """
        if self._load is None:
            return False
        try:
            held = Held.of(self._load())
        except Exception:
            LOG.exception("the policy was not read again; the one before stays in force")
            self.metrics.degraded("reload")
            return False
        self.held = held
        self.reloads += 1
        self._keep(held)
        self.chain.append("policy", _in_force(held))
        LOG.info("policy %s is in force for new requests", held.digest)
        return True

    def case(self, endpoint: str, session: str | None = None) -> Case:
        """Return a case for a request, with the guard of its session."""
        held, memory = self.sessions.pinned(session, self.held)
        return Case(self, endpoint, held, memory)

    def tend(self) -> None:
        """Do what is to be done from time to time: sync the chain, write what waits.

        Trouble is named, and named again when it is over.
        """
        works: list[tuple[str, Callable[[], object]]] = [
            (AUDIT, self._sync),
            (BOOK, self.book.flush),
            (SESSIONS, self.sessions.tend),
        ]
        if self.settings.keep_days is not None:
            works.append((KEEPING, self._keep_days))
        for part, work in works:
            try:
                work()
            except (OSError, PlaceError, ValueError) as error:
                self.troubled(part, error)
            else:
                self.trouble.discard(part)
        # Another process of this server may be asked for them.
        self.metrics.set(self.gauges())

    def _sync(self) -> None:
        # That the disk takes what it has says nothing about whether it takes more.
        if AUDIT in self.trouble:
            self.chain.append("mended", {"room": "." * _ROOM})
        for _, chain in self._before:
            chain.sync()
        self.chain.sync()

    def flush_soon(self) -> None:
        """Have waiting verdicts written now and not within a second.

        A person who is refused asks for the verdict at once, and perhaps of another process.
        """
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().run_in_executor(None, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        try:
            self.book.flush()
        except PlaceError as error:
            self.troubled(BOOK, error)

    def _begun_chain(self) -> AuditChain:
        return AuditChain.create(
            self.settings.state / "audit",
            self._file_name(),
            body=_in_force(self.held),
            now=self.now,
        )

    def _file_name(self) -> str:
        at = self.now().astimezone(UTC)
        return f"{at:%Y%m%dT%H%M%S.%f}-{os.getpid()}-{secrets.token_hex(3)}"

    def _keep_days(self) -> None:
        """Begin a new file each day, and let go of those that are older than what is kept."""
        while self._before and self.clock() - self._before[0][0] > _LINGER:
            self._before.pop(0)[1].close()
        today = self.now().astimezone(UTC).date()
        if today == self._day:
            return
        if self._day is not None:
            old, self.chain = self.chain, self._begun_chain()
            self._before.append((self.clock(), old))
        before = self.now() - timedelta(days=self.settings.keep_days or 0)
        prune(self.settings.state, before=before, name=f"{self._file_name()}-kept", now=self.now)
        self._day = today

    def troubled(self, part: str, error: Exception) -> None:
        """Name a part that failed, in the log once until it works again."""
        if part not in self.trouble:
            LOG.error("%s does not work: %s", part, type(error).__name__)
        self.trouble.add(part)
        self.metrics.degraded(part)

    def gauges(self) -> Mapping[str, float]:
        """Return what is to be read off now."""
        last = self.chain.last
        return {
            "in_flight": self.in_flight,
            "waiting_verdicts": self.book.waiting,
            "audit_entries": 0 if last is None else last.seq,
            "sessions": self._remembered(),
            "reloads": self.reloads,
        }

    def _remembered(self) -> int:
        try:
            return len(self.memories)
        except PlaceError:
            return len(self.sessions)

    async def screened(self, held: Held, exchange: Exchange, memory: Memory | None) -> GuardVerdict:
        """Return a guard's verdict; a guard that fails, or is too slow, denies."""
        began = self.clock()
        try:
            if _size(exchange) <= INLINE and not held.guard.patient:
                return held.guard.screen(exchange, memory=memory)
            return await self.beside(lambda: held.guard.screen(exchange, memory=memory))
        except TimeoutError:
            return denied(exchange, held, "guard: too slow")
        # A guard must not raise; one that does lets nothing pass.
        except Exception as error:  # noqa: BLE001
            return denied(exchange, held, f"guard: {type(error).__name__}")
        finally:
            self.metrics.stage("check").observe(self.clock() - began)

    async def beside(self, work: Callable[[], T]) -> T:
        """Return what slow work comes to, which is done in another thread.

        Raises:
            TimeoutError: if it takes longer than one check may.
        """
        async with asyncio.timeout(self.settings.limits.check_seconds):
            return await asyncio.get_running_loop().run_in_executor(self._beside, work)

    def _keep(self, held: Held) -> None:
        self.metrics.policy(held.digest)
        try:
            self.book.add_policy(held.digest, _shown_of(held.guard.policy))
            self.book.add_policy(held.decided_by, dict(held.guard.parts))
        except PlaceError as error:
            self.troubled(BOOK, error)


@dataclass
class Case:
    """One request: the guard it is pinned to, its verdicts, and what went wrong."""

    desk: Desk
    endpoint: str
    held: Held
    memory: Memory | None
    id: str = field(default_factory=new_id)
    verdicts: list[GuardVerdict] = field(default_factory=list)
    """Those that count: on what was asked, and one an answer."""
    degraded: dict[str, None] = field(default_factory=dict)
    """What did not do its work, in the order it was noticed."""
    prefill: str = ""
    """What the client wrote of the answer already; it is checked together with the rest."""
    outcome: str = "allowed"
    sealed: bool = False
    candidates: Candidates | None = None
    """What the reward chose from; None: there was no choice."""

    @property
    def settings(self) -> ServeSettings:
        """The settings of the server; a stream that is chosen first is held back to its end."""
        settings = self.desk.settings
        return settings if self.held.guard.reward is None else replace(settings, window=None)

    @property
    def gravest(self) -> GuardVerdict | None:
        """The verdict a person is told."""
        return max(self.verdicts, key=lambda v: GUARD_ACTIONS.index(v.action), default=None)

    async def screen(self, exchange: Exchange, *, begun: bool = False) -> GuardVerdict:
        """Check an exchange; what could not be checked is `deny`.

        Args:
            exchange: what to check.
            begun: whether it has but the beginning of an answer: then only a verdict that stops it
                counts, and the session's memory takes no note of it.
        """
        if not self.desk.settings.checks:
            return unchecked(exchange, self.held)
        memory = None if begun else self.memory
        verdict = await self.desk.screened(self.held, exchange, memory)
        if verdict.action != "deny" and exchange.answer is None and exchange.unread:
            verdict = denied(exchange, self.held, *(f"unread: {p}" for p in exchange.unread))
        for part in verdict.degraded:
            self.degrade(part)
        if isinstance(memory, SharedMemory) and memory.trouble is not None:
            self.desk.troubled(SESSIONS, memory.trouble)
            self.degrade(SESSIONS)
        if not begun or not passes(verdict):
            self.verdicts.append(verdict)
        return verdict

    async def tried(self, exchange: Exchange) -> GuardVerdict:
        """Check an answer that may not be the one that is given, and take no note of it."""
        if not self.desk.settings.checks:
            return unchecked(exchange, self.held)
        memory = None if self.memory is None else self.memory.copy()
        return await self.desk.screened(self.held, exchange, memory)

    def rewarded(self) -> dict[str, Any] | None:
        """Return what reward was asked, and what it chose from; None where there is none."""
        reward = self.held.guard.reward
        if reward is None:
            return None
        told: dict[str, Any] = {"name": reward.name, "digest": reward.digest}
        if reward.norm is not None:
            told |= {"norm": reward.norm, "least": reward.least}
        if self.candidates is not None:
            told |= {
                "candidates": self.candidates.asked,
                "allowed": self.candidates.allowed,
                "scores": list(self.candidates.scores),
            }
        return told

    def degrade(self, part: str) -> None:
        """Note that a part did not do its work."""
        if part not in self.degraded:
            self.degraded[part] = None
            self.desk.metrics.degraded(part.partition(":")[0][:64])

    def deny(self, exchange: Exchange, part: str) -> GuardVerdict:
        """Deny because a part failed, and note it."""
        verdict = denied(exchange, self.held, part)
        self.degrade(part)
        self.verdicts.append(verdict)
        return verdict

    def note(self, kind: str, *verdicts: GuardVerdict) -> None:
        """Write into the chain how far a stream is, before what a verdict speaks about leaves.

        Raises:
            AuditFailed: if it could not be written.
        """
        if self.desk.settings.checks:
            self._append(kind, {"id": self.id, "verdicts": [_plain(v) for v in verdicts]})

    async def seal(self) -> None:
        """Write the verdicts into the chain, before anything they speak about leaves.

        What was refused is on the disk when this returns, for a person is told its id; what was
        allowed is handed to the system, and is on the disk within a second.

        Raises:
            AuditFailed: if it could not be written.
        """
        if self.sealed:
            return
        if not self.desk.settings.checks:
            self._count()
            return
        body: dict[str, Any] = {
            "id": self.id,
            "endpoint": self.endpoint,
            "outcome": self.outcome,
            "verdicts": [_plain(v) for v in self.verdicts],
            "degraded": list(self.degraded),
        }
        if (told := self.rewarded()) is not None:
            body["reward"] = told
        # A new file may begin meanwhile; the line, its sync and its name are of one.
        chain = self.desk.chain
        text = plain_json(body)
        entry = self._append(VERDICT, body, chain, text)
        gravest = self.gravest
        if gravest is not None and not passes(gravest):
            try:
                await asyncio.get_running_loop().run_in_executor(None, chain.sync)
            except OSError as error:
                raise self._unwritten(error) from error
        self.sealed = True
        self.desk.book.add(KeptVerdict.of(chain.path.name, Line(entry, body), text=text))
        if gravest is not None and not passes(gravest):
            self.desk.flush_soon()
        self._count()

    def _append(
        self,
        kind: str,
        body: Mapping[str, Any],
        chain: AuditChain | None = None,
        text: str | None = None,
    ) -> Entry:
        try:
            return (chain or self.desk.chain).append(kind, body, text=text)
        except (OSError, ValueError) as error:
            raise self._unwritten(error) from error

    def _unwritten(self, error: Exception) -> AuditFailed:
        self.desk.troubled(AUDIT, error)
        self.degrade(AUDIT)
        self.desk.metrics.request(self.endpoint, "unsealed").inc()
        return AuditFailed("the verdict could not be written")

    def headers(self) -> dict[str, str]:
        """Return the headers that name the verdict, the policy and what is degraded."""
        named = {"x-normwright-verdict-id": self.id, "x-normwright-policy": self.held.digest,
                 "x-normwright-decided-by": self.held.decided_by}  # fmt: skip
        if (told := self.rewarded()) is not None:
            counted = [f"; {k}={told[k]}" for k in ("candidates", "allowed") if k in told]
            named["x-normwright-reward"] = (
                f"{_header(told['name'])}@{told['digest']}{''.join(counted)}"
            )
        parts = [*self.degraded, *(p for p in sorted(self.desk.trouble) if p not in self.degraded)]
        if not self.desk.settings.checks:
            parts.append("checks-off")
        if parts:
            named["x-normwright-degraded"] = ", ".join(_header(p) for p in parts)[:1000]
        return named

    def _count(self) -> None:
        self.desk.metrics.request(self.endpoint, self.outcome).inc()
        for verdict in self.verdicts:
            self.desk.metrics.verdict(verdict.side, verdict.action).inc()
            if verdict.action != "allow":
                for norm in verdict.norms:
                    self.desk.metrics.cited(norm.id)


def passes(verdict: GuardVerdict) -> bool:
    """Say whether what was checked may go on, as it is or with its spans masked."""
    return verdict.passes or (verdict.action == "transform" and bool(verdict.spans))


def denied(exchange: Exchange, held: Held, *parts: str) -> GuardVerdict:
    """Return that an exchange was not checked, so that it may not pass."""
    side: Side = "input" if exchange.answer is None else "output"
    languages = (exchange.lang,) if exchange.lang else held.languages
    words = {w.lang: w("guard.not_checked") for w in words_for((*languages, "en"))}
    return GuardVerdict(
        side=side,
        action="deny",
        reasons=words,
        languages=tuple(lang for lang in languages if lang in words) or ("en",),
        seen="it could not be checked",
        degraded=parts,
        policy=held.digest,
        conversation=exchange.conversation,
        answer=exchange.answered,
    )


def unchecked(exchange: Exchange, held: Held) -> GuardVerdict:
    """Return what stands for a verdict where checks are off."""
    return GuardVerdict(
        side="input" if exchange.answer is None else "output",
        action="allow",
        policy=held.digest,
        conversation="",
    )


def _in_force(held: Held) -> dict[str, Any]:
    """Return what the chain says about the guard that decides from here on."""
    return {"policy": held.digest, "decided_by": held.decided_by, "parts": dict(held.guard.parts)}


def _plain(verdict: GuardVerdict) -> dict[str, Any]:
    """Return a verdict as it is sealed: without what is at its default, whole numbers as such."""
    told = verdict.model_dump(mode="json", exclude_defaults=True)
    for name in ("scores", "risks"):
        if name in told:
            told[name] = {k: int(v) if v in (0, 1) else v for k, v in told[name].items()}
    return told


def _size(exchange: Exchange) -> int:
    return sum(len(u.text) for u in exchange.utterances) + len(exchange.answer or "")


def _header(part: str) -> str:
    return "".join(c if " " <= c <= "~" and c != "," else "?" for c in part)[:120]


def _shown_of(policy: Policy) -> dict[str, Any]:
    """Return what a page tells of the norms of a policy."""
    return {
        "charter": policy.charter.digest,
        "languages": list(policy.charter.languages),
        "facts": {fact.name: fact.label for fact in policy.charter.vocabulary.facts},
        "norms": {
            f"{norm.id}@{norm.version}": {
                "statement": norm.statement,
                "rationale": norm.rationale,
                "id": norm.id,
                "layer": norm.layer,
                "authority": norm.authority,
                "status": norm.status,
                "tier": norm.tier,
                "process": norm.provenance.process if norm.provenance else None,
                "process_kind": norm.provenance.process_kind if norm.provenance else None,
                "level": norm.provenance.decision_level if norm.provenance else "L0",
                "support": norm.provenance.support["all"].value
                if norm.provenance and "all" in norm.provenance.support
                else None,
            }
            for norm in policy.charter.norms
        },
    }
