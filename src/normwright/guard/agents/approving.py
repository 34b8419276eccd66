"""Whether an agent may make one call of a tool, and what the answer rests on.

The order is: normalise, read acts and facts by the manifest, let the charter decide, look at the
grant, at where data flow, and at what is left of the budgets; the gravest finding counts. Nothing
here changes anything: the same call, ledger and history give the same verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from normwright.guard.agents.labels import LOWEST, joined
from normwright.guard.agents.ledger import STOPPED, Answer, GrantLedger
from normwright.guard.agents.manifest import (
    IRREVERSIBLE,
    OUTFLOW,
    Manifest,
    Reading,
    ToolSpec,
    call_digest,
    normalised,
    read_call,
)
from normwright.guard.agents.provenance import Provenance, strays
from normwright.norms import Acts, Resolver, evaluate
from normwright.norms.grants import grant_facts
from normwright.records import (
    CALL_OUTCOMES,
    CallOutcome,
    CallVerdict,
    CitedNorm,
    Decision,
    Digest,
    FactOrigin,
    FactValue,
    Fault,
    Grant,
    GuardAction,
    InputError,
    KnownFact,
    Label,
    Norm,
    Policy,
    Situation,
    Text,
    ToolCall,
    describe,
    digest_json,
    shifted,
)

PASSING = frozenset({"allow", "necessity", "dilemma-choice"})
"""Words of a charter on which a call may be made."""
CONFIDED = frozenset({"personal", "secret"})
"""What does not go outside without somebody's word."""
APPROVED = "expressly_approved"
"""The fact that somebody entitled to it approved this very step."""


OBEYING = "follow.instruction"
"""The act of carrying out an instruction that merely stands somewhere."""


@dataclass(frozen=True)
class Settings:
    """How a deployment sets the guard of its agents."""

    ttl: timedelta = timedelta(minutes=5)
    """How long an approval may be used."""
    answers: timedelta = timedelta(hours=1)
    """How long a person's yes to a call may be used. A no stands."""
    trajectory: Mapping[str, int] = field(default_factory=dict)
    """Unit -> most that one run may use up in all, whatever the grants have left. A unit that is
    not named has no such limit."""
    speakers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Authority -> the persons who may answer for its norms; where there is none, the person at
    the root of the chain may."""
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    """What the deployment declares of every call."""
    jurisdiction: tuple[str, ...] | None = None
    """Polities that calls lie under; None: all that the charter has norms of."""


@dataclass(frozen=True)
class History:
    """What one run has done so far, as far as the next call depends on it."""

    label: Label = LOWEST
    """Label of all that the run has read."""
    stores: Mapping[str, Label] = field(default_factory=dict)
    """Label of what is kept beyond runs, by the name of its place."""
    spent: Mapping[str, int] = field(default_factory=dict)
    anomaly: bool = False
    provenance: Provenance | None = None
    """Where values were read, where that is kept; it holds texts, and no journal has it."""
    answers: Mapping[Digest, tuple[Answer, ...]] = field(default_factory=dict)
    """What people said about calls, by the digest of the call."""

    @staticmethod
    def of(ledger: GrantLedger, session: str) -> History:
        """Return the history that a ledger keeps of a run."""
        with ledger.turn() as book:
            one = book.session(session)
            return History(
                label=one.label,
                stores=dict(book.stores),
                spent=dict(one.spent),
                anomaly=one.anomaly,
                answers={call: tuple(said) for call, said in book.answers.items()},
            )


class _Finding(NamedTuple):
    """One reason why a call is not simply allowed."""

    outcome: CallOutcome
    check: str
    seen: str
    norms: tuple[str, ...] = ()


class _Case(NamedTuple):
    """A call with everything that was read for it."""

    call: ToolCall
    digest: Digest
    tool: ToolSpec
    reading: Reading
    chain: tuple[Grant, ...]
    out: Label
    """Label of what goes out with it."""
    back: Label
    """Label of what comes back."""
    units: Mapping[str, int]
    answers: tuple[Answer, ...]
    usable: tuple[Fault, ...]


class Approver:
    """A policy and a manifest made ready to judge calls; it holds no state and is thread-safe.

    Raises:
        InputError: if the manifest does not fit the policy's charter, with all faults.
    """

    def __init__(
        self, policy: Policy, manifest: Manifest, *, settings: Settings | None = None
    ) -> None:
        faults = manifest.faults(policy.charter.vocabulary)
        if faults:
            raise InputError(faults)
        self.policy = policy
        self.manifest = manifest
        self.settings = Settings() if settings is None else settings
        self.resolver = Resolver(policy.charter)
        self._norms = {norm.ref: norm for norm in policy.charter.norms}
        self._rules = {rule.norm: rule for rule in policy.rules}
        self._facts = {fact.name for fact in policy.charter.vocabulary.facts}

    @cached_property
    def _digest(self) -> Digest:
        return self.policy.digest

    def approve(
        self, call: ToolCall, grants: GrantLedger | Sequence[Grant], history: History | None = None
    ) -> CallVerdict:
        """Return whether a call may be made. It never raises: what cannot be checked is denied.

        Args:
            call: as it is asked for.
            grants: the ledger, or the chain of grants from its root where there is none.
            history: what the run did before; what the ledger keeps of it if not given.
        """
        try:
            ledger = grants if isinstance(grants, GrantLedger) else ledger_of(
                grants, self.resolver.acts, at=call.at)  # fmt: skip
            return self._approve(call, ledger, history or History.of(ledger, call.session))
        except InputError as error:
            return self._denied(call, "form", describe(error.faults[0]))
        # Whatever goes wrong here, a call that was not checked must not be made.
        except Exception as error:  # noqa: BLE001
            return self._denied(call, "", f"guard failure: {type(error).__name__}", degraded=True)

    def stores_written(self, call: ToolCall) -> tuple[str, ...]:
        """Return the places beyond the run in which a call keeps what it is given."""
        tool = self.manifest.tools[call.tool]
        return read_call(normalised(call, tool), tool).to_stores

    def _approve(self, call: ToolCall, ledger: GrantLedger, history: History) -> CallVerdict:
        tool = self.manifest.tools.get(call.tool)
        if tool is None:
            return self._denied(call, "manifest", "nobody has said what this tool does")
        case = self._case(call, tool, ledger, history)
        if case.usable and call.grant not in {one.id for one in case.chain}:
            return self._denied(case.call, "grants", describe(case.usable[0]))
        lacking, budget = self._budget(case, ledger, history)
        approved = _beforehand(case, lacking)
        situation = self._situation(case, history, approved, bool(budget))
        decision = self.resolver.decide(situation)
        if case.answers:
            approved = self._answered(case, decision.governing)
            situation = self._situation(case, history, approved, bool(budget))
            decision = self.resolver.decide(situation)
        findings = [
            *self._charter(decision),
            *self._grants(case, ledger, situation),
            *budget,
            *self._special(lacking, approved),
            *self._strays(case, history, situation, asked=bool(case.answers) and bool(approved)),
            *([_Finding("terminate", "post-check", "an earlier call went otherwise")]
              if history.anomaly else []),
            *self._identify(case),
        ]  # fmt: skip
        return self._verdict(case, findings, decision, situation, lacking)

    def _case(self, call: ToolCall, tool: ToolSpec, ledger: GrantLedger, history: History) -> _Case:
        normal = normalised(call, tool)
        usable = tuple(ledger.usable(call.grant, agent=call.agent, at=call.at))
        with ledger.turn() as book:
            known = call.grant is not None and call.grant in book.held
        chain = ledger.grants(call.grant or "") if known else ()
        normal, _ = _identified(normal, tool, chain)
        reading = read_call(normal, tool)
        stored = [history.stores[one] for one in reading.from_stores if one in history.stores]
        # What is written to a place can be read there again whatever the manifest expects.
        back = joined([reading.reads, *stored])
        digest = call_digest(normal)
        units = dict(reading.units)
        if reading.sink == "external" and history.label.conf in CONFIDED:
            units[OUTFLOW] = 1
        return _Case(
            call=normal, digest=digest, tool=tool, reading=reading, chain=chain, out=history.label,
            back=back, units=units, answers=self._heard(history, digest, call), usable=usable,
        )  # fmt: skip

    def _heard(self, history: History, digest: Digest, call: ToolCall) -> tuple[Answer, ...]:
        """What people said about the call, without the yeses that are too old."""
        lasts = self.settings.answers
        said = history.answers.get(digest, ())
        return tuple(one for one in said if not one.yes or call.at - one.at < lasts)

    def _budget(
        self, case: _Case, ledger: GrantLedger, history: History
    ) -> tuple[frozenset[str], list[_Finding]]:
        """The special units the grant has no room for, and what is wrong with the others."""
        if case.usable:
            return frozenset(), []
        lacking = {
            unit for unit, amount in case.units.items()
            if ledger.affordable(case.chain[-1].id, {unit: amount})
        }  # fmt: skip
        found = [
            _Finding("deny", "budget", f"the grant has not enough {unit} left")
            for unit in sorted(lacking - {IRREVERSIBLE, OUTFLOW})
        ]
        found += [
            _Finding("deny", "budget", f"the run would use more {unit} than it may")
            for unit, most in sorted(self.settings.trajectory.items())
            if (amount := case.units.get(unit, 0)) and history.spent.get(unit, 0) + amount > most
        ]
        return frozenset(lacking & {IRREVERSIBLE, OUTFLOW}), found

    def _answered(self, case: _Case, norms: Sequence[str]) -> bool | None:
        """What the people entitled to it said about this very step; None: not enough of them.

        One no is a no. A yes takes one from each authority whose norm the step rests on.
        """
        groups = self._groups(norms, case.chain[0].grantor if case.chain else None)
        heard = [one for one in case.answers if any(one.by in group for group in groups)]
        if any(not one.yes for one in heard):
            return False
        yes = {one.by for one in heard}
        return True if groups and all(not yes.isdisjoint(group) for group in groups) else None

    def _situation(
        self, case: _Case, history: History, approved: bool | None, budget: bool
    ) -> Situation:
        facts: dict[str, FactValue] = {
            **self.settings.facts,
            **case.reading.facts,
            "irreversible": case.reading.effect == "irreversible",
            APPROVED: approved,
            "budget_exceeded": budget,
            "stop_requested": any(fault.seen == STOPPED for fault in case.usable),
            "anomaly_detected": history.anomaly,
        }
        if not case.chain:
            facts |= grant_facts((), case.reading.act, case.call.at, self.resolver.acts)
        return Situation(
            act=case.reading.act,
            facts={name: value for name, value in facts.items() if name in self._facts},
            bearer="agent" if len(case.chain) < 2 else "subagent",
            channel="action",
            time=case.call.at,
            jurisdiction=self.settings.jurisdiction,
            grants=case.chain,
            flow={
                "conf": case.out.conf, "integrity": case.out.integrity, "sink": case.reading.sink
            },
        )  # fmt: skip

    def _charter(self, decision: Decision) -> list[_Finding]:
        if decision.verdict in PASSING:
            return []
        words = {
            self._rules[ref].guard if ref in self._rules else "deny" for ref in decision.governing
        }
        asks = decision.verdict == "ask" or words == {"ask"}
        seen = f"the charter says {decision.verdict}"
        return [_Finding("ask" if asks else "deny", "norms", seen, decision.governing)]

    def _grants(self, case: _Case, ledger: GrantLedger, situation: Situation) -> list[_Finding]:
        found = [
            _Finding("terminate" if fault.seen == STOPPED else "deny", "grants", describe(fault))
            for fault in case.usable
        ]
        if not case.chain:
            return found
        faults = ledger.covering(case.chain[-1].id, case.reading.act, case.reading.resources)
        found += [_Finding("deny", "grants", describe(fault)) for fault in faults]
        facts = {
            **situation.facts,
            **{f"flow.{name}": value for name, value in situation.flow.items()},
            **grant_facts(case.chain, situation.act, case.call.at, self.resolver.acts),
        }
        values = {k: v for k, v in facts.items() if isinstance(v, bool | int | str)}
        for one in case.chain:
            holds = evaluate(one.condition, values)
            if holds is not True:
                outcome: CallOutcome = "ask" if holds is None else "deny"
                seen = f"grant {one.id}: whether its condition holds is {holds or 'not known'}"
                found.append(_Finding(outcome, "grants", seen.replace("False", "no")))
        return found

    def _special(self, lacking: frozenset[str], approved: bool | None) -> list[_Finding]:
        found = []
        if OUTFLOW in lacking and not approved:
            found.append(_Finding("deny", "flow", "personal or secret data would go outside"))
        if IRREVERSIBLE in lacking and not approved:
            outcome: CallOutcome = "ask" if approved is None else "deny"
            found.append(_Finding(outcome, "impact", "it cannot be undone"))
        return found

    def _strays(
        self, case: _Case, history: History, situation: Situation, *, asked: bool
    ) -> list[_Finding]:
        """What steers the call and was said by nobody entitled: to go by it is to obey a text.

        A grant given beforehand does not cover it, only a yes to this very step.
        """
        if history.provenance is None or asked:
            return []
        found = strays(case.tool, case.call.arguments, history.provenance)
        if not found:
            return []
        norms: tuple[str, ...] = ()
        if OBEYING in self.resolver.acts:
            facts = {k: v for k, v in situation.facts.items() if k != APPROVED}
            flow = {**situation.flow, "integrity": "untrusted"}
            obeying = situation.model_copy(update={"act": OBEYING, "facts": facts, "flow": flow})
            decision = self.resolver.decide(obeying)
            norms = () if decision.verdict in PASSING else decision.governing
        suspect = any(one.standing == "suspect" for one in found)
        seen = ", ".join(f"{one.pointer or 'the act'}: {one.standing}" for one in found)
        return [_Finding("deny" if suspect else "ask", "provenance", seen, norms)]

    def _identify(self, case: _Case) -> list[_Finding]:
        if case.tool.identify is None or not case.chain:
            return []
        return [_Finding("modify", "identify", "it is said for whom the call is made")]

    def _verdict(
        self,
        case: _Case,
        findings: Sequence[_Finding],
        decision: Decision,
        situation: Situation,
        lacking: frozenset[str],
    ) -> CallVerdict:
        worst = max(findings, key=_gravity, default=_Finding("allow", "", "nothing speaks against"))
        norms = tuple(dict.fromkeys(ref for one in findings if one.outcome == worst.outcome
                                    for ref in one.norms))  # fmt: skip
        passes = worst.outcome in ("allow", "modify")
        principal = case.chain[0].grantor if case.chain else None
        return CallVerdict(
            **self._said(worst.outcome, norms, worst.check),
            outcome=worst.outcome,
            verdict=decision.verdict,
            act=case.reading.act,
            scores={},
            seen=worst.seen,
            facts=_known(situation, case),
            unknown=decision.unknown,
            ran=("norms", "grants", "budget", "flow", "impact"),
            policy=self._digest,
            conversation=_conversation(case.call),
            tool=case.call.tool,
            call=case.digest,
            grant=case.call.grant,
            principal=principal,
            adds=_identified(case.call, case.tool, case.chain)[1] if passes else {},
            asks=tuple(sorted(frozenset().union(*self._groups(norms, principal))))
            if worst.outcome == "ask"
            else (),
            expires=self._expires(case) if passes else None,
            reserves=dict(case.units) if passes else {},
            lacking=tuple(sorted(lacking)) if passes else (),
            two_phase=case.reading.effect == "irreversible",
            reads=case.back,
            writes=case.out,
        )

    def _groups(self, norms: Iterable[str], principal: str | None) -> list[frozenset[str]]:
        """Who may answer for each authority; where nobody speaks for it, the principal."""
        owners = {self._norms[ref].authority for ref in norms}
        own = frozenset({principal} if principal else ())
        groups = {frozenset(self.settings.speakers.get(one, own)) for one in owners} or {own}
        return sorted(groups, key=sorted)

    def _expires(self, case: _Case) -> datetime:
        ends = [one.expires for one in case.chain if one.expires is not None]
        last = shifted(case.call.at, self.settings.ttl)
        return min([*ends, *([] if last is None else [last])])

    def _said(self, outcome: CallOutcome, norms: Sequence[str], check: str) -> dict[str, Any]:
        cited = tuple(_cited(self._norms[ref]) for ref in norms)
        languages = self.policy.charter.languages
        reasons: Text = {}
        if outcome not in ("allow", "modify"):
            reasons = {lang: self._reason(outcome, norms, check, lang) for lang in languages}
        return {
            "side": "call",
            "action": _action(outcome, cited),
            "norms": cited,
            "reasons": reasons,
            "contest": self.policy.charter.contest if reasons else {},
            "languages": languages if reasons else (),
            "check": check,
        }

    def _reason(self, outcome: CallOutcome, norms: Sequence[str], check: str, lang: str) -> str:
        words = _words().get(lang) or _words()["en"]
        said = [self._norms[ref].statement.get(lang, "") for ref in norms]
        first = words[outcome]
        return " ".join([first, *(said or [words["checks"].get(check, words["checks"][""])])])

    def _denied(
        self, call: ToolCall, check: str, seen: str, *, degraded: bool = False
    ) -> CallVerdict:
        return CallVerdict(
            **self._said("deny", (), check),
            outcome="deny",
            seen=seen,
            degraded=(f"call: {seen}",) if degraded else (),
            policy=self._digest,
            conversation=_conversation(call),
            tool=call.tool,
            call=_safe_digest(call),
            grant=call.grant,
        )


def approve(
    call: ToolCall,
    grants: GrantLedger | Sequence[Grant],
    history: History | None,
    policy: Policy,
    *,
    manifest: Manifest,
    settings: Settings | None = None,
) -> CallVerdict:
    """Return whether an agent may make a call; for many, make one `Approver` and keep it.

    Args:
        call: what is asked for.
        grants: the ledger, or the chain of grants from its root.
        history: what the run did before; None: what the ledger keeps of it.
        policy: the charter as it holds here.
        manifest: what the tools do.
        settings: how long approvals last, what a run may use up, who speaks for which authority.

    Raises:
        InputError: if the manifest does not fit the policy.
    """
    return Approver(policy, manifest, settings=settings).approve(call, grants, history)


def ledger_of(chain: Sequence[Grant], acts: Acts, *, at: datetime) -> GrantLedger:
    """Return a ledger, in memory, that holds one chain of grants given from its root.

    Whoever gives the root is taken for a person: the caller answers for that.

    Raises:
        InputError: if it is no chain, with all faults.
    """
    root = [one.grantor for one in chain[:1] if one.grantor_is in ("human", "deployer")]
    ledger = GrantLedger(people=root, acts=acts)
    for one in chain:
        ledger.issue(one, by=one.grantor, at=at)
    return ledger


def _gravity(finding: _Finding) -> tuple[int, bool]:
    return CALL_OUTCOMES.index(finding.outcome), bool(finding.norms)


def _action(outcome: CallOutcome, norms: Sequence[CitedNorm]) -> GuardAction:
    match outcome:
        case "allow":
            return "allow"
        case "modify":
            return "transform"
        case "ask":
            return "ask"
        case "deny" | "terminate":
            # A refusal cites a norm; where authority was never given there is none to cite.
            return "refuse" if norms else "deny"


def _beforehand(case: _Case, lacking: frozenset[str]) -> bool | None:
    """Whether the step was approved when the grant was given; None: nobody was asked.

    A grant that expressly has room for what cannot be undone, or for data that go outside, approves
    such a step.
    """
    special = {IRREVERSIBLE, OUTFLOW} & case.units.keys()
    return True if special and not lacking and not case.usable else None


def _identified(
    call: ToolCall, tool: ToolSpec, chain: Sequence[Grant]
) -> tuple[ToolCall, dict[str, str]]:
    """Return the call with the person for whom it is made, and what was written into it."""
    if tool.identify is None or not chain:
        return call, {}
    name = tool.identify.removeprefix("/")
    adds = {tool.identify: chain[0].grantor}
    return call.model_copy(update={"arguments": {**call.arguments, name: chain[0].grantor}}), adds


def _known(situation: Situation, case: _Case) -> tuple[KnownFact, ...]:
    flow = {f"flow.{name}": value for name, value in situation.flow.items()}
    own = case.reading.facts
    found = []
    for name, value in {**situation.facts, **flow}.items():
        if not isinstance(value, bool | int | str):
            continue
        origin: FactOrigin = "human" if name == APPROVED and case.answers else "declared"
        source = "manifest" if name in own else "guard"
        found.append(KnownFact(name=name, value=value, origin=origin, confidence=1, source=source))
    return tuple(found)


def _cited(norm: Norm) -> CitedNorm:
    level = "L0" if norm.provenance is None else norm.provenance.decision_level
    return CitedNorm(id=norm.id, version=norm.version, status=norm.status, level=level)


def _conversation(call: ToolCall) -> Digest:
    return digest_json({"session": call.session})


def _safe_digest(call: ToolCall) -> Digest:
    """Return the digest of a call that may hold what JSON cannot carry."""
    try:
        return call_digest(call)
    except (ValueError, TypeError):
        return digest_json({"tool": call.tool, "arguments": None, "session": call.session})


@lru_cache(maxsize=1)
def _words() -> dict[str, Any]:
    text = (files("normwright.guard.agents") / "words.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))
