"""From what checks saw to what the charter says about it: facts, decision, action, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from normwright.guard.detectors import Detectors, Signal
from normwright.guard.sights import Sight
from normwright.guard.telling import cited, contest, reasons
from normwright.norms import Resolver
from normwright.records import (
    GUARD_ACTIONS,
    Decision,
    FactReading,
    FactValue,
    GuardAction,
    GuardVerdict,
    KnownFact,
    Lang,
    Norm,
    Policy,
    Side,
    Situation,
    Speaker,
)

_PASSING: Final = frozenset({"allow", "necessity", "dilemma-choice"})
_STRENGTH: Final = {"human": 4, "declared": 3, "judge": 2, "rule": 1, "classifier": 0}
"""Which origin's value of a fact counts where several have one."""
_ORIGINS: Final[dict[str, Literal["declared", "extractor", "classifier", "human"]]] = {
    "human": "human",
    "declared": "declared",
    "judge": "classifier",
    "rule": "extractor",
    "classifier": "classifier",
}
_KEPT: Final = 20_000
"""Decisions that are kept ready."""


@dataclass(frozen=True)
class Decided:
    """A sight that was put to the charter, and what came of it."""

    action: GuardAction
    decision: Decision
    sight: Sight
    act: str
    facts: tuple[KnownFact, ...]


class Decider:
    """A policy made ready to decide what sights stand for. It may be shared by threads.

    Args:
        policy: the norms, with what the guard does about each.
        detectors: which signals stand for which acts and facts.
        declared: facts the deployment vouches for.
        thresholds: signal -> probability from which it is put to the charter, or one by language;
            the detectors' own where there is none.
    """

    def __init__(
        self,
        policy: Policy,
        detectors: Detectors,
        *,
        declared: Mapping[str, FactValue],
        thresholds: Mapping[str, float | Mapping[Lang, float]],
    ) -> None:
        self.policy = policy
        self._detectors = detectors
        self._thresholds = thresholds
        self._norms = {n.ref: n for n in policy.charter.norms}
        self._effects = {r.norm: r.guard for r in policy.rules}
        self._facts = frozenset(f.name for f in policy.charter.vocabulary.facts)
        self._decided: dict[tuple[Any, ...], Decision] = {}
        self._usual: dict[tuple[Any, ...], tuple[str, ...]] = {}
        self._declared = tuple(
            KnownFact(name=n, value=v, origin="declared", confidence=1.0, source="deployment")
            for n, v in declared.items()
            if v is not None
        )

    @cached_property
    def resolver(self) -> Resolver:
        """The charter, ready to decide."""
        return Resolver(self.policy.charter)

    def decided(
        self,
        sights: Iterable[tuple[Sight, Speaker, str]],
        side: Side,
        languages: Sequence[Lang],
        given: Sequence[KnownFact],
    ) -> tuple[list[Decided], dict[str, float]]:
        """Return what was put to the charter, and the risk of each norm whether it was or not.

        Args:
            sights: what was seen, each with who said it and where.
            side: what is checked.
            languages: the person's, by which thresholds may differ.
            given: facts that are known besides.
        """
        found: list[Decided] = []
        risks: dict[str, float] = {}
        for sight, role, where in sights:
            signal = self._detectors.signals.get(sight.signal)
            if signal is None or side not in signal.sides or role not in signal.roles:
                continue
            if sight.chance >= self._threshold(signal, languages):
                one = self._put(sight.named(sight.check, where), signal, role, given)
                found.append(one)
                norms = self._cited(one)
            else:
                norms = self._would_cite(sight, signal, role, given)
            for norm in norms:
                risks[norm] = max(sight.chance, risks.get(norm, 0.0))
        ordered = sorted(((k, round(v, 4)) for k, v in risks.items()), key=lambda x: (-x[1], x[0]))
        return found, dict(ordered)

    def told(
        self, base: GuardVerdict, decided: Sequence[Decided], languages: Sequence[Lang]
    ) -> GuardVerdict:
        """Return the verdict with the gravest decision, and all it rests on."""
        gravest = max(decided, key=self._gravity, default=None)
        if gravest is None or gravest.action == "allow":
            return base
        norms = [self._norms[r] for r in gravest.decision.governing if r in self._norms]
        norm = self._strongest(norms)
        first = [norm, *(n for n in norms if n is not norm)] if norm is not None else []
        sight = gravest.sight
        spans = {
            span
            for one in decided
            if one.action == gravest.action and one.sight.where == sight.where
            for span in one.sight.spans
        }
        return base.model_copy(
            update={
                "action": gravest.action,
                "verdict": gravest.decision.verdict,
                "act": gravest.act,
                "norms": tuple(cited(n) for n in first),
                "reasons": reasons(gravest.action, norm, gravest.decision, self.policy, languages),
                "contest": contest(self.policy, languages),
                "check": sight.check,
                "seen": _in_words(sight),
                "where": sight.where,
                "spans": tuple(sorted(spans)),
                "facts": gravest.facts,
                "unknown": gravest.decision.unknown,
            }
        )

    def denied(self, base: GuardVerdict, languages: Sequence[Lang]) -> GuardVerdict:
        """Return the verdict on something that was not checked in every way it has to be."""
        return base.model_copy(
            update={
                "action": "deny",
                "reasons": reasons("deny", None, None, self.policy, languages),
                "contest": contest(self.policy, languages),
                "seen": "not everything could be checked",
            }
        )

    def norms_of(self, refs: Iterable[str]) -> list[Norm]:
        """Return the norms of references that the policy has."""
        return [self._norms[r] for r in refs if r in self._norms]

    def _put(
        self, sight: Sight, signal: Signal, role: Speaker, given: Sequence[KnownFact]
    ) -> Decided:
        """Put a sight to the charter: what it claims, under what is known better."""
        sure = sight.chance if sight.origin in ("classifier", "judge") else 1.0
        source = sight.source or sight.signal
        facts = {
            name: KnownFact(
                name=name, value=value, origin=sight.origin, confidence=sure, source=source
            )
            for name, value in {**signal.told(role), **dict(sight.facts)}.items()
            if name in self._facts and value is not None
        }
        for fact in (*self._declared, *given):
            old = facts.get(fact.name)
            if old is None or _STRENGTH[fact.origin] >= _STRENGTH[old.origin]:
                facts[fact.name] = fact
        act, known = signal.act_of(role), tuple(facts.values())
        decision = self._decide(act, known)
        return Decided(self._action(decision), decision, sight, act, known)

    def _decide(self, act: str, facts: tuple[KnownFact, ...]) -> Decision:
        key = (act, tuple((f.name, f.value, f.origin, round(f.confidence, 2)) for f in facts))
        found = self._decided.get(key)
        if found is None:
            read = {
                f.name: FactReading(
                    value=f.value, origin=_ORIGINS[f.origin], confidence=f.confidence
                )
                for f in facts
            }
            found = self.resolver.decide(Situation(act=act, facts=read))
            if len(self._decided) < _KEPT:
                self._decided[key] = found
        return found

    def _cited(self, one: Decided) -> tuple[str, ...]:
        if one.action == "allow":
            return ()
        return tuple(n.id for n in self.norms_of(one.decision.governing))

    def _would_cite(
        self, sight: Sight, signal: Signal, role: Speaker, given: Sequence[KnownFact]
    ) -> tuple[str, ...]:
        """The norms that would speak if the signal were certain; mostly asked the same again."""
        key = (sight.signal, role, sight.origin, sight.facts)
        found = None if given else self._usual.get(key)
        if found is None:
            certain = Sight(sight.signal, 1.0, sight.origin, sight.source, facts=sight.facts)
            found = self._cited(self._put(certain, signal, role, given))
            if given:
                return found
            if len(self._usual) < _KEPT:
                self._usual[key] = found
        return found

    def _action(self, decision: Decision) -> GuardAction:
        """What the policy does about a decision: the strictest word of the norms it rests on."""
        if decision.verdict in _PASSING:
            return "allow"
        words = {self._effects.get(r, "deny") for r in decision.governing}
        if not words or "deny" in words:
            return "ask" if decision.verdict == "ask" else "refuse"
        if "ask" in words:
            return "ask"
        return "transform" if "transform" in words else "allow"

    def _threshold(self, signal: Signal, languages: Sequence[Lang]) -> float:
        found = self._thresholds.get(signal.name)
        if found is None:
            return signal.limit(languages)
        if isinstance(found, Mapping):
            return min((found[one] for one in languages if one in found), default=signal.threshold)
        return found

    def _gravity(self, one: Decided) -> tuple[int, int, float]:
        """By what is done, then by the gravest norm it rests on, then by how sure it is."""
        norm = self._strongest(self.norms_of(one.decision.governing))
        severity = 0 if norm is None else norm.severity
        return GUARD_ACTIONS.index(one.action), severity, one.sight.chance

    def _strongest(self, norms: Sequence[Norm]) -> Norm | None:
        return max(norms, key=lambda n: n.severity, default=None)


def _in_words(sight: Sight) -> str:
    """What was seen, in words that repeat nothing of the text."""
    how = "" if sight.form == "plain" else f", hidden as {sight.form}"
    source = f" by {sight.source}" if sight.source else ""
    return f"{sight.signal} with probability {sight.chance:.2f}{source}{how}"
