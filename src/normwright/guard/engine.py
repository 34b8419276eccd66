"""The guard: what checks see becomes situations, the charter decides, and the gravest word counts.

Nothing that goes wrong lets a text pass. A check that fails, a text that is too long, a part that
nobody can read: the verdict is `deny` and says under `degraded` what was not checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from normwright.guard.checks.harm import Batch, parts_of
from normwright.guard.deciding import Decider
from normwright.guard.detectors import Detectors
from normwright.guard.memory import HALF_LIFE, Memory, log_odds
from normwright.guard.recent import Recent
from normwright.guard.rewards import Reward
from normwright.guard.screen import Screener
from normwright.guard.sights import ANSWER, Kit, Passage, Seen, Sight, TextReader, View, passage
from normwright.guard.telling import cited, contest
from normwright.models import Model
from normwright.norms import Resolver
from normwright.plugins import cards, get
from normwright.records import (
    GUARD_ACTIONS,
    Digest,
    Exchange,
    FactValue,
    Fault,
    GuardVerdict,
    InputError,
    KnownFact,
    Lang,
    Message,
    Policy,
    Role,
    Side,
    Speaker,
    Utterance,
    digest_json,
)

BUILT_IN: Final = (
    "norm-rules",
    "injection",
    "jailbreak",
    "hidden-text",
    "language",
    "harm",
    "personal-data",
    "seams",
    "conversation",
)
"""The checks that run by default, the cheap ones first."""
SCENES: Final = "scenes"
"""What the fitted heads and a project's own rules are called among the checks."""
_Key: TypeAlias = tuple[str, str, bytes]
_AT_MOST: Final = 0.8
"""Probability that counts as evidence, at most, so that no text is enough by itself."""
_MODELS: Final = frozenset({"harm", "judge", "reward", "aira-compat"})
"""Checks that ask a model, which is not asked about texts that are put together."""
_KEPT: Final = 4 << 20
"""Bytes of one generation of texts whose sights are kept ready; see `Recent`."""
_ROOM: Final = 400
"""Bytes that a text takes there, and about twice as many each of its sights."""


@dataclass(frozen=True)
class GuardSettings:
    """What a deployment sets about its guard."""

    chars: int = 400_000
    """Characters of one exchange that are read; one with more is denied, and that is said."""
    declared: Mapping[str, FactValue] = field(default_factory=dict)
    """Facts the deployment vouches for."""
    thresholds: Mapping[str, float | Mapping[Lang, float]] = field(default_factory=dict)
    """Signal -> probability from which it is put to the charter, or one for each language."""
    unread: Literal["deny", "ignore"] = "deny"
    """What is done about parts that nobody can read, such as pictures."""
    half_life: float = HALF_LIFE
    """Turns after which a text's evidence counts half."""

    def plain(self) -> dict[str, Any]:
        """Return them as JSON values."""
        thresholds = {
            name: dict(one) if isinstance(one, Mapping) else one
            for name, one in self.thresholds.items()
        }
        return {
            "chars": self.chars,
            "declared": dict(self.declared),
            "thresholds": thresholds,
            "unread": self.unread,
            "half_life": self.half_life,
        }


class Guard:
    """A policy made ready to screen exchanges. It may be shared by threads.

    Args:
        policy: the norms, with what the guard does about each.
        checks: names of the checks to run, from the registry of plug-ins.
        settings: what the deployment sets.
        detectors: which signals stand for which acts; None: those that ship with the package, as
            far as the policy's vocabulary has their acts.
        harm: the classifier of texts; `embedded`: the one that ships, where the detectors know its
            labels; None: no check uses one.
        judge: a model that is asked about what the cheap checks suspect, for instance one behind
            an endpoint (`models.RemoteModel`); None: nobody is asked.
        scenes: what was fitted on the scenes of the policy's own charter; None: nothing was.
        reward: a reward model; bound to a norm, it speaks for that one about answers. Whoever draws
            several answers orders those that pass by it (`GuardedModel`).

    Raises:
        InputError: if a declared fact, a threshold, a check or a reward's norm is not known.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        checks: Sequence[str] | None = None,
        settings: GuardSettings | None = None,
        detectors: Detectors | None = None,
        harm: TextReader | Literal["embedded"] | None = "embedded",
        judge: Model | None = None,
        scenes: Screener | None = None,
        reward: Reward | None = None,
    ) -> None:
        self.policy = policy
        self.settings = settings or GuardSettings()
        if detectors is None:
            from normwright.guard.embedded import detectors as shipped

            detectors = shipped()
        known = detectors.within(policy.charter.vocabulary)
        self.detectors = known if reward is None else reward.bound(known, policy)
        self.scenes = scenes
        reader = _embedded(self.detectors) if harm == "embedded" else harm
        self._batch = None if reader is None else Batch(reader)
        self.kit = Kit(
            policy, self.detectors, reader, self._batch, judge, policy.charter.languages, reward
        )
        missing = {"harm"} if reader is None else set[str]()
        asked = {"judge": judge is not None, "reward": reward is not None and reward.norm}
        chosen = [n for n in BUILT_IN if n not in missing] + [n for n, on in asked.items() if on]
        self.checks: tuple[str, ...] = tuple(chosen if checks is None else checks)
        """Names of the checks that run."""
        self._faults()
        self._takes = {c.name: c.takes for c in cards("checks")}
        parts = [(name, get("checks", name)) for name in self.checks]
        self._of_passages = tuple(p for p in parts if self._takes[p[0]] == "passage")
        self._of_exchanges = tuple(p for p in parts if self._takes[p[0]] == "exchange")
        self._digest = policy.digest
        self._decided_by: Digest | None = None
        self._own = tuple(t for t in policy.system_prompt.values() if t.strip())
        self._seen: Recent[_Key, Seen] = Recent(_KEPT, weigh=_weight)
        self._decider = Decider(
            policy,
            self.detectors,
            declared=self.settings.declared,
            thresholds=self.settings.thresholds,
        )

    @classmethod
    def embedded(cls, **settings: Any) -> Guard:
        """Return a guard of the policy that ships with the package; arguments as for `Guard`."""
        from normwright.guard.embedded import policy

        return cls(policy(), **settings)

    def with_settings(self, settings: GuardSettings) -> Guard:
        """Return the same guard under other settings."""
        return Guard(
            self.policy,
            checks=self.checks,
            settings=settings,
            detectors=self.detectors,
            harm=self.kit.harm,
            judge=self.kit.judge,
            scenes=self.scenes,
            reward=self.kit.reward,
        )

    @property
    def resolver(self) -> Resolver:
        """The charter, ready to decide."""
        return self._decider.resolver

    @property
    def reward(self) -> Reward | None:
        """What orders answers that pass; None: nothing does."""
        return self.kit.reward

    @cached_property
    def parts(self) -> Mapping[str, Any]:
        """What decides beside the policy, each by its digest."""
        from normwright.guard.parts import parts_of

        return parts_of(
            self.kit, checks=self.checks, settings=self.settings.plain(), scenes=self.scenes
        )

    @property
    def decided_by(self) -> Digest:
        """The digest of `parts`, which every verdict names."""
        if self._decided_by is None:
            self._decided_by = digest_json(self.parts)
        return self._decided_by

    @property
    def patient(self) -> bool:
        """Whether a screening may wait for a model."""
        return "judge" in self.checks or "reward" in self.checks

    @cached_property
    def blind(self) -> tuple[str, ...]:
        """Norms of the policy that no detector of this guard can see broken."""
        acts = self.resolver.acts
        seen = {
            act for s in self.detectors.signals.values() for act in (s.act, *dict(s.acts).values())
        }
        if self.scenes is not None:
            seen |= {name for _, name in self.scenes.harm.named("act")}
            seen |= {m.act for m in self.scenes.rules.markings}
            seen |= {o.act for o in self.scenes.rules.officials}
        return tuple(
            rule.norm
            for rule in self.policy.guard_rules
            if not any(acts.covers(rule.act, act) for act in seen)
        )

    def screen(
        self,
        exchange: Exchange,
        *,
        memory: Memory | None = None,
        facts: Iterable[KnownFact] = (),
    ) -> GuardVerdict:
        """Return what the policy says about a conversation, or about the answer to it.

        Without an answer all that was said is decided upon; with one, the answer is, in the light
        of what was said. Nothing raised inside gets out: what could not be checked is denied.

        Args:
            exchange: what was said, with or without an answer.
            memory: what is known of the conversation's earlier turns; the exchange is added to it.
            facts: what is known besides, for instance by a person who looked at it.
        """
        try:
            return self._screen(exchange, memory, tuple(facts))
        # Whatever goes wrong here, a text that was not checked must not pass.
        except Exception as error:  # noqa: BLE001
            return self.failed(exchange, (f"guard: {type(error).__name__}",))

    def review(self, exchange: Exchange, *, memory: Memory | None = None) -> GuardVerdict:
        """Return the graver of two screenings: of the conversation, and of the answer to it."""
        if exchange.answer is None:
            return self.screen(exchange, memory=memory)
        before = exchange.model_copy(update={"answer": None})
        found = [self.screen(exchange, memory=memory)]
        if exchange.utterances or exchange.unread:
            found.append(self.screen(before))
        return max(found, key=lambda v: GUARD_ACTIONS.index(v.action))

    def _faults(self) -> None:
        known = {f.name for f in self.policy.charter.vocabulary.facts}
        names = {c.name for c in cards("checks")}
        faults = [
            Fault(
                where=f"guard settings: declared.{n}", expected="a fact of the vocabulary", seen=n
            )
            for n in self.settings.declared
            if n not in known
        ]
        faults += [
            Fault(where=f"guard settings: thresholds.{n}", expected="a signal of the detectors",
                  seen=n)
            for n in self.settings.thresholds
            if n not in self.detectors.signals
        ]  # fmt: skip
        faults += [
            Fault(where="guard: checks", expected=f"one of {', '.join(sorted(names))}", seen=n)
            for n in self.checks
            if n not in names
        ]
        if faults:
            raise InputError(faults)

    # Looking

    def _screen(
        self, exchange: Exchange, memory: Memory | None, given: tuple[KnownFact, ...]
    ) -> GuardVerdict:
        size = sum(len(u.text) for u in exchange.utterances) + len(exchange.answer or "")
        if size > self.settings.chars:
            limit = f"limits: {size} characters, at most {self.settings.chars} are read"
            return self.failed(exchange, (limit,))
        view, failed = self._view(exchange, memory)
        sights: list[Sight] = []
        for name, part in self._of_exchanges:
            try:
                sights += [s.named(name, s.where) for s in part(view)]
            # A check that fails is one that did not run, and that is told.
            except Exception as error:  # noqa: BLE001
                failed.append(f"{name}: {type(error).__name__}")
        if exchange.unread and exchange.answer is None and self.settings.unread == "deny":
            failed += [f"unread: {path}" for path in exchange.unread]
        verdict = self._verdict(view, sights, tuple(failed), given)
        return verdict if self.scenes is None else self._with_scenes(verdict, exchange, self.scenes)

    def _with_scenes(
        self, verdict: GuardVerdict, exchange: Exchange, scenes: Screener
    ) -> GuardVerdict:
        """The graver of a verdict and of what the fitted heads and the project's rules say."""
        found = scenes.screen(_messages(exchange), exchange.answer)
        failed = (f"{SCENES}: {found.reason}",) if found.action == "deny" else ()
        decision = found.decision
        both = verdict.model_copy(
            update={
                "scores": {
                    **verdict.scores,
                    SCENES: round(max(found.risks.values(), default=0), 4),
                },
                "ran": verdict.ran if failed else (*verdict.ran, SCENES),
                "degraded": (*verdict.degraded, *failed),
            }
        )
        if failed:
            return self._decider.denied(both, both.languages)
        milder = GUARD_ACTIONS.index(found.action) < GUARD_ACTIONS.index(verdict.action)
        if milder or found.action == "allow" or decision is None:
            return both
        norms = self._decider.norms_of(found.norms)
        return both.model_copy(
            update={
                "action": found.action,
                "verdict": decision.verdict,
                "act": found.act,
                "norms": tuple(cited(n) for n in norms),
                "reasons": dict(zip(found.languages, found.text.split("\n"), strict=False)),
                "contest": contest(self.policy, found.languages),
                "languages": found.languages,
                "check": f"{SCENES}:{found.check}",
                "seen": found.reason,
                "where": "" if exchange.answer is None else ANSWER,
                "spans": (),
                "facts": tuple(
                    KnownFact(name=f.name, value=f.value, origin=f.origin,
                              confidence=f.confidence, source=f.source)
                    for f in found.facts
                ),
                "unknown": decision.unknown,
            }
        )  # fmt: skip

    def _view(self, exchange: Exchange, memory: Memory | None) -> tuple[View, list[str]]:
        """What was seen in each text, the risk of them all, and which checks could not run."""
        seen: list[tuple[str, Speaker, Seen]] = []
        noted: list[tuple[bytes, str, float]] = []
        texts: list[tuple[str, Speaker, Side, str]] = [
            (u.where, u.role, "input", self._foreign(u)) for u in exchange.utterances
        ]
        if exchange.answer is not None:
            texts.append((ANSWER, "assistant", "output", exchange.answer))
        keys = [_key(role, side, text) for _, role, side, text in texts]
        ready = self._ready({k: t[1:] for k, t in zip(keys, texts, strict=True)})
        for key, (where, role, side, text) in zip(keys, texts, strict=True):
            found = self._look(role, side, text, key, ready.get(key))
            seen.append((where, role, found))
            noted.append((key[-1], _turn(where), found.evidence))
        risk = (memory or Memory(half_life=self.settings.half_life)).note(noted)
        last = _turn(texts[-1][0]) if texts else ""
        view = View(
            exchange=exchange,
            seen=tuple(seen),
            kit=self.kit,
            risk=risk,
            recent=frozenset(where for where, *_ in texts if _turn(where) == last),
            look=self._look_by_rules,
        )
        failed = dict.fromkeys(f for _, _, one in seen for f in one.failed)
        return view, list(failed)

    def prepare(self, exchanges: Iterable[Exchange]) -> None:
        """Read many exchanges at once, for which the classifier takes half the time.

        What it sees of them is kept ready; screening them after that gives what it would have given
        anyway. Whatever goes wrong is left for `screen` to find and to tell.
        """
        texts: dict[_Key, tuple[Speaker, Side, str]] = {}
        for exchange in exchanges:
            said: list[tuple[Speaker, Side, str]] = [
                (u.role, "input", self._foreign(u)) for u in exchange.utterances
            ]
            if exchange.answer is not None:
                said.append(("assistant", "output", exchange.answer))
            if sum(len(text) for _, _, text in said) <= self.settings.chars:
                texts |= {_key(*one): one for one in said}
        try:
            for key, one in self._ready(texts).items():
                self._look(one.role, one.side, one.text, key, one)
        except Exception:  # noqa: BLE001 - a screening denies what fails here
            return

    def _ready(self, texts: Mapping[_Key, tuple[Speaker, Side, str]]) -> dict[_Key, Passage]:
        """Return the passages of texts that are new, read by the classifier all at once."""
        if self._batch is None or len(texts) < 2 or "harm" not in self.checks:
            return {}
        new = {k: t for k, t in texts.items() if self._seen.get(k) is None}
        if len(new) < 2:
            return {}
        made = {key: self._passage(*one) for key, one in new.items()}
        self._batch.prime([text for one in made.values() for text, _, _ in parts_of(one)])
        return made

    def _foreign(self, one: Utterance) -> str:
        """The text without the policy's own system prompt, which tells what is forbidden.

        Blanks stand in its place, so that places in the text stay what they are.
        """
        text = one.text
        if one.role in ("system", "developer"):
            for own in self._own:
                if own in text:
                    text = text.replace(own, " " * len(own))
        return text

    def _passage(self, role: Speaker, side: Side, text: str) -> Passage:
        return passage(text, role=role, side=side, stems=self.detectors.stems)

    def _look(
        self, role: Speaker, side: Side, text: str, key: _Key, ready: Passage | None = None
    ) -> Seen:
        """What the checks of passages see in a text; kept ready, for a history comes again."""
        kept = self._seen.get(key)
        if kept is not None:
            return kept
        one = ready or self._passage(role, side, text)
        sights, failed = self._sights(one, frozenset())
        return self._keep(key, Seen(sights, one.lang, failed, self._evidence(sights, role)))

    def _look_by_rules(self, text: str, role: Speaker, side: Side) -> Seen:
        """What the checks of passages see in a text, but for those that ask a model."""
        key = _key(role, f"{side} by rules", text)
        kept = self._seen.get(key)
        if kept is not None:
            return kept
        one = self._passage(role, side, text)
        sights, failed = self._sights(one, _MODELS)
        return self._keep(key, Seen(sights, one.lang, failed))

    def _sights(
        self, one: Passage, without: frozenset[str]
    ) -> tuple[tuple[Sight, ...], tuple[str, ...]]:
        """What each check of passages sees, and which could not run."""
        sights: list[Sight] = []
        failed = []
        for name, part in self._of_passages:
            if name not in without:
                try:
                    sights += [s.named(name, "") for s in part(one, self.kit)]
                # A check that fails is one that did not run, and that is told.
                except Exception as error:  # noqa: BLE001
                    failed.append(f"{name}: {type(error).__name__}")
        return tuple(sights), tuple(failed)

    def _keep(self, key: _Key, seen: Seen) -> Seen:
        """Keep ready what was seen, but not what a check failed on."""
        if not seen.failed:
            self._seen.put(key, seen)
        return seen

    def _evidence(self, sights: Sequence[Sight], role: Speaker) -> float:
        """How much a text tells of the conversation it is from, in log odds; see `memory`.

        What ordinary texts reach is no evidence, however often it comes; nor is a signal that is
        not made for who spoke. One text alone is never enough.
        """
        most = 0.0
        for sight in sights:
            signal = self.detectors.signals.get(sight.signal)
            if signal is None or role not in signal.roles:
                continue
            counts = min(_AT_MOST, sight.chance * signal.soft)
            if counts > signal.ordinary:
                most = max(most, log_odds(counts) - log_odds(signal.ordinary))
        return most

    # Deciding

    def _verdict(
        self,
        view: View,
        sights: Sequence[Sight],
        failed: tuple[str, ...],
        given: tuple[KnownFact, ...],
    ) -> GuardVerdict:
        tongues = self._languages(view)
        roles = {where: role for where, role, _ in view.seen}
        put = [(sight, roles.get(sight.where, "user"), sight.where) for sight in sights]
        for where, role, seen in view.seen:
            if view.side == "input" or where == ANSWER:
                put += [(sight, role, where) for sight in seen.sights]
        decided, risks = self._decider.decided(put, view.side, tongues, given)
        ran = self.checks
        if failed:
            ran = tuple(n for n in ran if not any(f.startswith(f"{n}:") for f in failed))
        base = GuardVerdict(
            side=view.side,
            action="allow",
            scores=_scores(put, ran),
            risks=risks,
            languages=tongues,
            ran=ran,
            degraded=failed,
            # Given although empty: a default is copied, which takes longer than to check this.
            reasons={},
            contest={},
            policy=self._digest,
            decided_by=self.decided_by,
            conversation=view.exchange.conversation,
            answer=view.exchange.answered,
        )
        if failed:
            return self._decider.denied(base, tongues)
        return self._decider.told(base, decided, tongues)

    def failed(self, exchange: Exchange, degraded: tuple[str, ...]) -> GuardVerdict:
        """Return the verdict on something that was not checked at all: denied, with why."""
        languages = self.policy.charter.languages
        base = GuardVerdict(
            side="input" if exchange.answer is None else "output",
            action="deny",
            languages=languages,
            degraded=degraded,
            policy=self._digest,
            decided_by=self.decided_by,
            conversation=exchange.conversation,
            answer=exchange.answered,
        )
        return self._decider.denied(base, languages)

    def _languages(self, view: View) -> tuple[Lang, ...]:
        """The language the person is told in: as asked for, else theirs, else all of them."""
        known = self.policy.charter.languages
        if view.exchange.lang in known:
            assert view.exchange.lang is not None
            return (view.exchange.lang,)
        said = [s.lang for _, role, s in view.seen if role == "user" and s.lang in known]
        said = said or [s.lang for _, _, s in view.seen if s.lang in known]
        return (said[-1],) if said and said[-1] is not None else known


def screen(exchange: Exchange, policy: Policy, *, facts: Iterable[KnownFact] = ()) -> GuardVerdict:
    """Return what a policy says about one exchange. For many, make one `Guard` and keep it."""
    return Guard(policy).screen(exchange, facts=facts)


def _embedded(detectors: Detectors) -> TextReader | None:
    """The classifier that ships with the package; None where no detector knows a label of it."""
    if not detectors.labels:
        return None
    from normwright.guard.text_harm import TextHarm

    return TextHarm.embedded()


def _messages(exchange: Exchange) -> list[Message]:
    """The exchange as turns of system, user and assistant, one for each text."""
    roles: dict[Speaker, Role] = {"developer": "system", "tool": "system"}
    return [
        Message(role=roles.get(u.role, u.role), content=u.text)  # type: ignore[arg-type]
        for u in exchange.utterances
    ]


def _key(role: str, side: str, text: str) -> _Key:
    """What a text is kept by: its digest, and who said it on which side."""
    return role, side, hashlib.blake2b(text.encode(), digest_size=16).digest()


def _weight(key: _Key, seen: Seen) -> int:
    """About how many bytes it takes to keep what was seen in a text."""
    return _ROOM + sum(2 * _ROOM + 160 * len(s.spans) for s in seen.sights)


def _turn(where: str) -> str:
    """The message a path lies in."""
    return where.partition("]")[0]


def _scores(sights: Sequence[tuple[Sight, Speaker, str]], ran: Sequence[str]) -> dict[str, float]:
    """The largest probability that each check gave; 0 for one that ran and saw nothing."""
    best = dict.fromkeys(ran, 0.0)
    for sight, _, _ in sights:
        if sight.chance > best.get(sight.check, 1.0):
            best[sight.check] = sight.chance
    return {name: round(chance, 4) for name, chance in best.items()}
