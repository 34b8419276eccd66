"""Screen a conversation, and an answer to it, against a policy; every refusal cites a norm.

What is asked for and what an answer tells become situations; the charter's resolver decides each of
them, and the gravest decision counts. What cannot be checked does not pass: an exception is a
refusal with the reason `guard failure`, visible in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Literal, TypeAlias

from normwright.guard.bodies import sound
from normwright.guard.canonical import Told, canonical, pieces
from normwright.guard.facts import Fact, FactRules, Sheet
from normwright.guard.harm import HarmClassifier, Reading
from normwright.norms import Resolver
from normwright.plugins import Card, get, plugin
from normwright.records import (
    Condition,
    Decision,
    Digest,
    FactValue,
    Fault,
    InputError,
    Lang,
    Message,
    Norm,
    Policy,
    PolicyRule,
    Situation,
    Text,
    digest_json,
)

Action: TypeAlias = Literal["allow", "transform", "ask", "refuse", "deny"]
ACTIONS: tuple[Action, ...] = ("allow", "transform", "ask", "refuse", "deny")
"""From mildest to gravest. `transform`: another answer is to be preferred; `ask`: a fact is
missing; `refuse`: a norm forbids it; `deny`: it could not be checked."""

CHECKS: tuple[str, ...] = ("requests", "records", "harm-heads")
"""The checks that run by default, in this order."""

FAILURE = "guard failure"
"""How the reason of a refusal begins that comes from the guard's own failure."""

LIKELY = 0.5
"""Probability from which an act counts as asked for."""
POSSIBLE = 0.25
"""Probability from which the most probable act counts where none is likely."""
IMPLAUSIBLE = 0.1
"""Probability below which an answer plainly does not do an act."""
SURE = 0.8
"""Probability from which a request is refused unanswered; below it the answer is judged instead."""
DECLINED = 0.8
"""Probability from which an answer counts as declining."""
TONGUE = 0.7
"""Probability from which the user's language counts as known; below it every language is used."""

_PASSING = frozenset({"allow", "necessity", "dilemma-choice"})


@dataclass(frozen=True)
class Turn:
    """One turn of the conversation as the checks see it."""

    role: str
    pieces: tuple[str, ...]
    """Canonical pieces, without marked sheet lines and without the policy's own system prompt."""
    readings: tuple[Reading, ...]
    """What the classifier reads in each piece; empty for assistant turns."""


@dataclass(frozen=True)
class Request:
    """One act that the conversation asks for."""

    act: str
    chance: float
    text: str
    """The turn that asks, without marked sheet lines."""
    reading: Reading
    facts: Mapping[str, Fact]
    turn: int


@dataclass(frozen=True)
class Exchange:
    """A conversation, with or without an answer, prepared for the checks."""

    turns: tuple[Turn, ...]
    sheet: Sheet
    requests: tuple[Request, ...]
    """What the last user turns ask for; what an earlier turn asked where they ask nothing."""
    carried: bool
    """Whether the requests come from an earlier turn."""
    focus: tuple[Reading, ...]
    """The readings an answer is judged against: those of the requests, or of all that was said."""
    said: str
    """The last user turns, without marked sheet lines."""
    answer: str | None
    told: Told | None
    declines: float
    """P(the answer declines); 0 without an answer."""
    policy: Policy
    harm: HarmClassifier
    rules: FactRules

    @property
    def declined(self) -> bool:
        """Whether the answer plainly does not do what was asked."""
        return self.declines >= DECLINED

    @property
    def asked(self) -> str:
        """The words that ask: the turns of all requests, and the last user turns in any case."""
        return "\n".join(dict.fromkeys([*(r.text for r in self.requests), self.said]))

    @cached_property
    def judged(self) -> tuple[dict[str, float], dict[str, float]]:
        """Largest P(norm broken) and P(act done) of the answer over what was said."""
        broken: dict[str, float] = {}
        done: dict[str, float] = {}
        for reading in self.focus if self.answer is not None else ():
            for total, found in zip((broken, done), self._judge(reading), strict=True):
                for name, chance in found.items():
                    total[name] = max(chance, total.get(name, 0.0))
        return broken, done

    @cached_property
    def recorded(self) -> tuple[tuple[str, dict[str, Fact]], ...]:
        """(act, facts) of every record the answer tells; see the check `records`."""
        if self.told is None:
            return ()
        find = partial(self.rules.told, self.told, self.asked, self.sheet)
        found = find(by="value")
        if not self.declined:
            asked = {r.act for r in self.requests}
            # Where nothing is likely to have been asked for, a telling answer speaks for itself.
            open_ = all(r.chance < LIKELY for r in self.requests)
            found += [(a, f) for a, f in find(by="key") if a in asked or open_]
            found += [
                (a, f) for a, f in find(by="claim") if a in asked or self.rules.states(a, self.told)
            ]
        return tuple(found)

    @cached_property
    def said_to_do(self) -> dict[str, str]:
        """Acts that the answer does by its words alone, with the rule that says so."""
        return {} if self.told is None else self.rules.does(self.told)

    def _judge(self, reading: Reading) -> tuple[dict[str, float], dict[str, float]]:
        assert self.answer is not None
        return self.harm.judge(reading, self.answer)


@dataclass(frozen=True)
class Concern:
    """A situation the charter is to decide, as a check found it."""

    check: str
    act: str
    facts: tuple[Fact, ...]
    reason: str
    """What the check saw, in words that name no data."""
    settled: bool = True
    """False: on the input side this is too doubtful to refuse on; the answer is to be judged."""


Check: TypeAlias = Callable[[Exchange], Sequence[Concern]]
"""A check turns an exchange into situations; deciding them is the resolver's work alone."""


@dataclass(frozen=True)
class Screened:
    """What one screening came to. The log line is this object itself, not a report about it."""

    side: Literal["input", "output"]
    action: Action
    decision: Decision | None
    """The charter's decision; None where nothing was asked for that it speaks about, or where the
    guard failed."""
    act: str | None
    norms: tuple[str, ...]
    """References of the norms the decision rests on; never empty for `refuse` and `ask`."""
    languages: tuple[Lang, ...]
    """Languages of the text; more than one where the user's is not known."""
    text: str
    """What is said instead; empty if allowed."""
    facts: tuple[Fact, ...]
    """The facts the decision was taken on."""
    risks: Mapping[str, float]
    """`act:NAME` and `norm:ID` -> probability, largest first; only those worth reading."""
    reason: str
    check: str
    """The check that found it; empty if nothing was found."""
    conversation: Digest
    answer: Digest | None
    """Digest of the answer that was screened; None on the input side."""

    def line(self) -> dict[str, Any]:
        """Return the screening as JSON values, for a log; it holds no text of the conversation."""
        return {
            "side": self.side,
            "action": self.action,
            "verdict": self.decision.verdict if self.decision else None,
            "act": self.act,
            "norms": list(self.norms),
            "unknown": list(self.decision.unknown) if self.decision else [],
            "languages": list(self.languages),
            "facts": [
                {"name": f.name, "value": f.value, "origin": f.origin,
                 "confidence": round(f.confidence, 4), "source": f.source}
                for f in self.facts
            ],
            "risks": {k: round(v, 4) for k, v in self.risks.items()},
            "reason": self.reason,
            "check": self.check,
            "conversation": self.conversation,
            "answer": self.answer,
        }  # fmt: skip


def conversation_digest(messages: Sequence[Message]) -> Digest:
    """Return the digest by which a screening names its conversation."""
    return digest_json([[m.role, m.content] for m in messages])


def answer_digest(answer: str) -> Digest:
    """Return the digest by which a screening names its answer."""
    return digest_json(sound(answer))


@plugin(
    Card(
        name="requests",
        kind="checks",
        summary="The acts a conversation asks for, with the facts that rules and classifier read.",
        claims=("reads every user and system turn", "unknown facts stay unknown"),
        takes="scene",
        status="tested",
    )
)
def requests(exchange: Exchange) -> list[Concern]:
    """Return a situation for every act asked for, unless the answer declines or tells a record."""
    if exchange.answer is not None and exchange.declined:
        return []
    # An earlier request is not refused again and again; only an answer that does it counts.
    if exchange.answer is None and exchange.carried:
        return []
    shown = {act for act, _ in exchange.recorded}
    # An answer settles what was doubtful in the request: what it plainly does not do, it does not.
    done = exchange.judged[1]
    shown |= {
        r.act for r in exchange.requests if r.chance < SURE and done.get(r.act, 1.0) < IMPLAUSIBLE
    }
    return [
        Concern(
            check="requests",
            act=r.act,
            facts=tuple(r.facts.values()),
            reason=f"turn {r.turn + 1} asks for it (probability {r.chance:.2f})",
            settled=r.chance >= SURE or (r.chance >= LIKELY and _named(r, exchange.rules)),
        )
        for r in exchange.requests
        if r.act not in shown
    ]


@plugin(
    Card(
        name="records",
        kind="checks",
        summary="What an answer tells of marked lines and official values, and does in words.",
        claims=("finds a marked value plain, spelled out, reversed, in base64 or in two halves",),
        takes="scene",
        status="tested",
    )
)
def records(exchange: Exchange) -> list[Concern]:
    """Return a situation for every marked record that the answer tells, and every act it says.

    A value is told by standing in the answer, whatever else the answer says. A name or a day may
    stand in a refusal too, so these count only if the act was asked for and not declined.
    """
    asked = {r.act: r.facts for r in exchange.requests}
    declared = {f.name: f for f in _declared(exchange.rules)}
    return [
        Concern(
            check="records",
            act=act,
            facts=tuple({**asked.get(act, {}), **declared, **facts}.values()),
            reason="the answer tells what a marked line of the conversation holds",
        )
        for act, facts in exchange.recorded
    ] + [
        Concern(
            check="records",
            act=act,
            facts=tuple({**asked.get(act, {}), **declared}.values()),
            reason=f"the answer does it in words ({rule})",
        )
        for act, rule in exchange.said_to_do.items()
    ]


@plugin(
    Card(
        name="harm-heads",
        kind="checks",
        summary="Norms that the calibrated linear heads see broken by request and answer together.",
        reference="Regularised least-squares classification (Rifkin, Yeo and Poggio, 2003)",
        claims=("a head that was not shown useful on unseen templates decides nothing",),
        takes="scene",
        status="tested",
    )
)
def harm_heads(exchange: Exchange) -> list[Concern]:
    """Return a situation for every norm whose head is at or over its threshold.

    The head claims that the norm's condition holds; what rules or other readings know of those
    facts stands above the claim.
    """
    if exchange.answer is None or exchange.declined:
        return []
    known = {f.name: f for f in _declared(exchange.rules)}
    by_act = {r.act: r.facts for r in exchange.requests}
    told = dict(exchange.recorded)
    concerns = []
    for norm in exchange.policy.charter.norms:
        chance = exchange.judged[0].get(norm.id)
        limit = None if chance is None else exchange.harm.head(f"norm:{norm.id}").threshold
        if chance is None or limit is None or chance < limit:
            continue
        claimed = {
            name: Fact(name, value, "classifier", chance, f"norm:{norm.id}")
            for name, value in (witness(norm.condition) or {}).items()
            if value is not None
        }
        facts = {**claimed, **by_act.get(norm.act, {}), **known, **told.get(norm.act, {})}
        concerns.append(
            Concern(
                check="harm-heads",
                act=norm.act,
                facts=tuple(facts.values()),
                reason=f"the head of {norm.id} reads a breach (probability {chance:.2f})",
            )
        )
    return concerns


def witness(condition: Condition) -> dict[str, FactValue] | None:
    """Return facts under which a condition is true, or None where that is not plain to see.

    Conjunctions must agree; of a disjunction the first part that can be met is taken; a negation is
    met only for a bool.
    """
    if condition.all is not None:
        total: dict[str, FactValue] = {}
        for part in condition.all:
            met = witness(part)
            if met is None or any(total.get(k, v) != v for k, v in met.items()):
                return None
            total.update(met)
        return total
    if condition.any is not None:
        return next((m for part in condition.any if (m := witness(part)) is not None), None)
    if condition.negate is not None:
        inner = condition.negate
        if inner.fact is not None and isinstance(inner.eq, bool):
            return {inner.fact: not inner.eq}
        return None
    if condition.fact is None:
        return {}
    for value in (condition.eq, *(condition.one_of or ()), condition.at_least, condition.at_most):
        if value is not None:
            return {condition.fact: value}
    return None


@dataclass(frozen=True)
class Screener:
    """Everything a screening needs, made ready once.

    Args:
        policy: the norms with what the guard does about each.
        harm: the fitted classifier.
        rules: the deployment's rules for reading facts.
        checks: names of the checks to run, from the registry of plug-ins.
    """

    policy: Policy
    harm: HarmClassifier
    rules: FactRules
    checks: tuple[str, ...] = CHECKS
    _decided: dict[tuple[Any, ...], Decision] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        acts = {a.name for a in self.policy.charter.vocabulary.acts}
        faults = [
            Fault(
                where=f"harm classifier: act:{name}",
                expected="an act of the charter's vocabulary",
                seen=name,
                do="Fit the classifier on scenes of this charter.",
            )
            for _, name in self.harm.named("act")
            if name not in acts
        ]
        faults += [
            Fault(
                where=f"guard rules: {name}.{lang}",
                expected="a text in this language of the charter",
                seen="nothing",
                do="Add it to the file of guard rules.",
            )
            for name, text in self.rules.texts.items()
            for lang in self.policy.charter.languages
            if lang not in text
        ]
        if faults:
            raise InputError(faults)

    @cached_property
    def resolver(self) -> Resolver:
        """The charter, ready to decide."""
        return Resolver(self.policy.charter)

    @cached_property
    def _parts(self) -> tuple[Check, ...]:
        return tuple(get("checks", name) for name in self.checks)

    @cached_property
    def _labels(self) -> dict[str, Text]:
        return {f.name: f.label for f in self.policy.charter.vocabulary.facts}

    @cached_property
    def _norms(self) -> dict[str, Norm]:
        return {n.ref: n for n in self.policy.charter.norms}

    @cached_property
    def _rules(self) -> dict[str, PolicyRule]:
        return {r.norm: r for r in self.policy.rules}

    @cached_property
    def _own_words(self) -> frozenset[str]:
        """Lines of the policy's own system prompt: they ask for nothing."""
        return frozenset(
            p for text in self.policy.system_prompt.values() for p in pieces(canonical(text))
        )

    def screen(self, messages: Sequence[Message], answer: str | None = None) -> Screened:
        """Return what the policy says about a conversation, or about an answer to it.

        All turns are read: system, user and assistant. Nothing raised inside gets out; it is a
        `deny` with the reason in the log.
        """
        try:
            return self._screen(messages, answer)
        # Whatever goes wrong here, a text that was not checked must not pass.
        except Exception as error:  # noqa: BLE001
            return self.failed(messages, answer, error)

    def failed(self, messages: Sequence[Message], answer: str | None, error: Exception) -> Screened:
        """Return the screening of something that could not be checked: denied, with the reason."""
        return Screened(
            side="input" if answer is None else "output",
            action="deny",
            decision=None,
            act=None,
            norms=(),
            languages=self.policy.charter.languages,
            text="\n".join(self._say("failure", lang) for lang in self.policy.charter.languages),
            facts=(),
            risks={},
            reason=f"{FAILURE}: {type(error).__name__}: {error}",
            check="",
            conversation=conversation_digest(messages),
            answer=None if answer is None else answer_digest(answer),
        )

    def exchange(self, messages: Sequence[Message], answer: str | None = None) -> Exchange:
        """Return the conversation as the checks see it."""
        lines = [pieces(canonical(m.content)) for m in messages]
        sheet = self.rules.sheet(line for one in lines for line in one)
        turns = []
        for message, one in zip(messages, lines, strict=True):
            own = self._own_words if message.role == "system" else frozenset[str]()
            kept = tuple(p for p in one if p not in sheet.lines and p not in own)
            around = [p for p in one if p in sheet.lines] if message.role != "assistant" else []
            turns.append((message.role, kept, tuple(around)))
        self.harm.prime(
            [p for role, one, kept in turns if role != "assistant" for p in (*one, *kept)]
        )
        read = self._read(turns)
        current = _current(read)
        asked = self._asked(read, current, sheet)
        carried = False
        if not asked:
            earlier = (
                [i for i, t in enumerate(read[: current[0]]) if t.role != "assistant"]
                if (current)
                else []
            )
            for i in reversed(earlier):
                asked = self._asked(read, [i], sheet)
                if asked:
                    carried = True
                    break
        focus = (
            tuple(r.reading for r in asked)
            or tuple(r for i in current for r in read[i].readings)
            or tuple(self.harm.read([""], [p for i in current for p in turns[i][2]]))
        )
        exchange = Exchange(
            turns=read,
            sheet=sheet,
            requests=asked,
            carried=carried,
            focus=focus,
            said="\n".join(p for i in current for p in read[i].pieces),
            answer=answer,
            told=None
            if answer is None
            else Told(
                answer,
                before="\n".join(m.content for m in messages if m.role == "assistant"),
                numerals=self.rules.numerals,
            ),
            declines=0.0 if answer is None else self.harm.declines(answer),
            policy=self.policy,
            harm=self.harm,
            rules=self.rules,
        )
        return exchange if answer is None else self._with_done(exchange, current)  # fmt: skip

    def _with_done(self, exchange: Exchange, current: Sequence[int]) -> Exchange:
        """The exchange with the acts that its answer plainly does, asked for or not."""
        asked = {r.act: r for r in exchange.requests}
        # Where nothing likely was asked for, the most probable act of the answer counts too.
        sure = any(r.chance >= LIKELY for r in exchange.requests)
        chances = {} if exchange.declined else exchange.judged[1]
        best = max(chances.values(), default=0.0)
        least = LIKELY if sure or best >= LIKELY else max(best, POSSIBLE)
        done = {act: chance for act, chance in chances.items() if chance >= least}
        done |= dict.fromkeys(exchange.said_to_do, 1.0)
        done = {a: c for a, c in done.items() if a not in asked or asked[a].chance < LIKELY}
        if not done or exchange.answer is None:
            return exchange
        said = tuple(p for i in current for p in exchange.turns[i].pieces)
        told = self.harm.read([exchange.answer], said)
        text = exchange.said
        more = {
            act: Request(
                act=act,
                chance=chance,
                text=text,
                reading=exchange.focus[0],
                facts=self._facts(
                    act, exchange.turns, current, text, text, exchange.sheet, extra=told
                ),
                turn=max(current, default=0),
            )
            for act, chance in done.items()
        }
        return replace(exchange, requests=tuple({**asked, **more}.values()))

    def _read(
        self, turns: Sequence[tuple[str, tuple[str, ...], tuple[str, ...]]]
    ) -> tuple[Turn, ...]:
        """Read each piece in the context of its turn, or of the turns before if it stands alone."""
        out: list[Turn] = []
        before: list[str] = []
        for role, kept, marked in turns:
            if role == "assistant":
                out.append(Turn(role, kept, ()))
                continue
            readings = []
            for piece in kept:
                around = [p for p in (*kept, *marked) if p != piece] or before
                readings += self.harm.read([piece], around)
            out.append(Turn(role, kept, tuple(readings)))
            before = [*kept, *marked] if marked or len(kept) > 1 else before
        return tuple(out)

    def _asked(
        self, turns: Sequence[Turn], where: Sequence[int], sheet: Sheet
    ) -> tuple[Request, ...]:
        best: dict[str, tuple[float, int, Reading]] = {}
        for i in where:
            for reading in turns[i].readings:
                # A piece asks for one act; several requests stand in several pieces.
                act, chance = max(reading.acts.items(), key=lambda x: x[1], default=("", 0.0))
                if chance > best.get(act, (POSSIBLE, 0, reading))[0]:
                    best[act] = (chance, i, reading)
        likely = {a: b for a, b in best.items() if b[0] >= LIKELY}
        if not likely and best:
            act = max(best, key=lambda a: best[a][0])
            likely = {act: best[act]}
        text = "\n".join(p for i in where for p in turns[i].pieces)
        return tuple(
            Request(
                act=act,
                chance=chance,
                text=text,
                reading=reading,
                facts=self._facts(act, turns, where, reading.text, text, sheet),
                turn=i,
            )
            for act, (chance, i, reading) in sorted(likely.items(), key=lambda x: -x[1][0])
        )

    def _facts(
        self,
        act: str,
        turns: Sequence[Turn],
        where: Sequence[int],
        piece: str,
        text: str,
        sheet: Sheet,
        extra: Sequence[Reading] = (),
    ) -> dict[str, Fact]:
        """Facts for one request: what the classifier reads, under what rules read and declare."""
        ruled = self.rules.ruled
        here = [*(r for i in where for r in turns[i].readings), *extra]
        until = [r for t in turns[: max(where, default=-1) + 1] for r in t.readings]
        names = [head.split("=", 1)[0] for _, head in self.harm.named("fact")]
        known: dict[str, Fact] = {}
        for name in dict.fromkeys([*names, *(p.fact for p in self.rules.phrases)]):
            if name not in ruled:
                lasting = name in self.rules.conversation_facts
                fact = self._stated(name, until if lasting else here)
                if fact is not None:
                    known[name] = fact
        by_rule = self.rules.asked(act, piece, sheet) or self.rules.asked(act, text, sheet)
        return {**known, **by_rule, **{f.name: f for f in _declared(self.rules)}}

    def _stated(self, name: str, readings: Sequence[Reading]) -> Fact | None:
        """The one value that is said or read with confidence; two that contradict are none."""
        said = {v: rule for r in readings for v, rule in self.rules.said(name, r.text).items()}
        chances: dict[FactValue, float] = {}
        for reading in readings:
            for value, chance in reading.facts.get(name, {}).items():
                chances[value] = max(chances.get(value, 0.0), chance)
        sure = {v: p for v, p in chances.items() if p >= self.rules.confidence}
        if len(said.keys() | sure.keys()) != 1:
            return None
        if said:
            value, rule = next(iter(said.items()))
            return Fact(name, value, "rule", 1.0, rule)
        read, chance = next(iter(sure.items()))
        assert read is not None
        return Fact(name, read, "classifier", chance, f"fact:{name}")

    def _screen(self, messages: Sequence[Message], answer: str | None) -> Screened:
        exchange = self.exchange(messages, answer)
        decided = [self._decide(c, exchange) for part in self._parts for c in part(exchange)]
        gravest = max(decided, key=lambda d: ACTIONS.index(d[0]), default=None)
        side: Literal["input", "output"] = "input" if answer is None else "output"
        quiet = Screened(
            side=side,
            action="allow",
            decision=None,
            act=None,
            norms=(),
            languages=(),
            text="",
            facts=(),
            risks=self._risks(exchange),
            reason="the answer declines" if exchange.declined else "nothing was found",
            check="",
            conversation=conversation_digest(messages),
            answer=None if answer is None else answer_digest(answer),
        )
        if gravest is None:
            return quiet
        action, decision, concern, reason = gravest
        tongues = () if action == "allow" else self._languages(exchange)
        return replace(
            quiet,
            action=action,
            decision=decision,
            act=concern.act,
            norms=decision.governing,
            languages=tongues,
            text="\n".join(self._refusal(action, decision, lang) for lang in tongues),
            facts=concern.facts,
            reason=reason,
            check=concern.check,
        )

    def _decide(
        self, concern: Concern, exchange: Exchange
    ) -> tuple[Action, Decision, Concern, str]:
        key = (concern.act, tuple(sorted((f.name, f.value) for f in concern.facts)))
        decision = self._decided.get(key)
        if decision is None:
            decision = self.resolver.decide(
                Situation(act=concern.act, facts={f.name: f.value for f in concern.facts})
            )
            self._decided[key] = decision
        if decision.verdict in _PASSING:
            return "allow", decision, concern, concern.reason
        # Whom it is done to, or where, no answer can settle.
        unknown = frozenset(decision.unknown) & self._labels.keys()
        open_ = unknown and unknown <= self.rules.readable(concern.act)
        if exchange.answer is None and (open_ or not concern.settled):
            names = ", ".join(sorted(unknown)) if open_ else "it"
            return "allow", decision, concern, f"{concern.reason}; the answer will settle {names}"
        return self._action(decision), decision, concern, concern.reason

    def _action(self, decision: Decision) -> Action:
        """What the policy does about a decision that stops: the strictest rule's word."""
        words = {self._rules[r].guard if r in self._rules else "deny" for r in decision.governing}
        if not words or "deny" in words:
            return "ask" if decision.verdict == "ask" else "refuse"
        if "ask" in words:
            return "ask"
        return "transform" if "transform" in words else "allow"

    def _risks(self, exchange: Exchange) -> dict[str, float]:
        risks: dict[str, float] = {}
        for request in exchange.requests:
            risks[f"act:{request.act}"] = max(request.chance, risks.get(f"act:{request.act}", 0.0))
        risks.update({f"norm:{norm}": chance for norm, chance in exchange.judged[0].items()})
        return dict(sorted(((k, v) for k, v in risks.items() if v >= 0.01), key=lambda x: -x[1]))

    def _languages(self, exchange: Exchange) -> tuple[Lang, ...]:
        """The language of the last user turn; of all user turns; or, if not known, all of them."""
        said = [t.pieces for t in exchange.turns if t.role == "user" and t.pieces]
        for texts in (said[-1] if said else (), tuple(p for one in said for p in one)):
            chances = {
                lang: p
                for lang, p in self.harm.languages(texts).items()
                if lang in self.policy.charter.languages
            }
            if chances:
                best = max(chances, key=lambda lang: chances[lang])
                if chances[best] >= TONGUE:
                    return (best,)
        return self.policy.charter.languages

    def _refusal(self, action: Action, decision: Decision, lang: Lang) -> str:
        norm = self._norms[decision.governing[0]]
        facts = [n for n in decision.unknown if n in self._labels]
        asks = action == "ask" and facts
        names = [self._labels[n].get(lang, n) for n in facts] if asks else []
        holes = {"norm": norm.id, "statement": norm.statement[lang]}
        return self._say("question" if asks else "refusal", lang, **holes,
                         **({"facts": "; ".join(names)} if asks else {}))  # fmt: skip

    def _say(self, name: str, lang: Lang, **holes: str) -> str:
        contest = self.rules.texts["contest"][lang]
        return self.rules.texts[name][lang].format(contest=contest, **holes)


def screen(
    messages: Sequence[Message],
    answer: str | None = None,
    *,
    policy: Policy,
    harm: HarmClassifier,
    rules: FactRules,
) -> Screened:
    """Return what a policy says about one conversation, or about an answer to it.

    For many, make one `Screener` and keep it.
    """
    return Screener(policy, harm, rules).screen(messages, answer)


def _declared(rules: FactRules) -> list[Fact]:
    return [
        Fact(name=name, value=value, origin="declared", confidence=1.0, source="deployment")
        for name, value in rules.declared.items()
        if value is not None
    ]


def _named(request: Request, rules: FactRules) -> bool:
    """Whether the request names something on the sheet that its act is about."""
    readable = rules.readable(request.act)
    return any(f.origin == "rule" and f.name in readable for f in request.facts.values())


def _current(turns: Sequence[Turn]) -> list[int]:
    """The last user turns; several in a row are one, for nothing was answered in between."""
    asking = [i for i, t in enumerate(turns) if t.role != "assistant"]
    users = [i for i in asking if turns[i].role == "user"] or asking
    last = users[-1:]
    while last and last[0] - 1 in users:
        last.insert(0, last[0] - 1)
    return last
