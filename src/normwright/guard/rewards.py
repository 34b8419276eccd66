"""A reward model beside the norms: it orders answers they allow, and may speak for one of them.

What people decided is in the charter, and a reward was learned; so it never lets an answer through
that a norm stops. Among the answers that pass it says which is best. It can also stop one, where
the deployment binds it to a norm: a score under the least that was set is then a sight like any
other, and the charter decides what it comes to.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from normwright.guard.detectors import Detectors, Signal
from normwright.models import Scorer
from normwright.norms import facts_of
from normwright.records import (
    Digest,
    Exchange,
    FactValue,
    Fault,
    InputError,
    Message,
    Norm,
    Policy,
    Role,
    Speaker,
)

SIGNAL: Final = "reward.low"
_KEPT: Final = 2_000
_ROLES: Final[dict[Speaker, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "tool": "user",
    "assistant": "assistant",
}
_SAID: Final = re.compile(r"messages\[(\d+)\]\.content")


@dataclass(frozen=True, eq=False)
class Reward:
    """A scorer of answers, and what a deployment makes of its scores.

    Args:
        scorer: scores an answer to a conversation, on a scale of its own.
        name: what it is called in verdicts.
        digest: of its weights.
        norm: id of the norm it is bound to; None: it orders, and stops nothing.
        least: score under which an answer counts as breaking that norm; given with `norm` or not
            at all. No answer has a calibrated probability of that: it is the logistic of how far
            the score lies under `least`.

    Raises:
        ValueError: if one of `norm` and `least` is missing.
    """

    scorer: Scorer
    name: str
    digest: Digest
    norm: str | None = None
    least: float | None = None
    _known: OrderedDict[bytes, float] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        if (self.norm is None) != (self.least is None):
            raise ValueError("norm and least are given together: what is too low breaks the norm")
        if self.least is not None and not math.isfinite(self.least):
            raise ValueError(f"least must be a number, not {self.least}")

    def scores(self, exchange: Exchange, answers: Sequence[str]) -> list[float]:
        """Return the score of each answer to what was said; those known are not asked again."""
        prompt = turns_of(exchange)
        keys = [_key(prompt, answer) for answer in answers]
        # A tokenizer keeps its settings in itself, so that one thread at a time may ask.
        with self._lock:
            new = {k: a for k, a in zip(keys, answers, strict=True) if k not in self._known}
            found = self.scorer.score([prompt] * len(new), list(new.values())) if new else []
            if not all(map(math.isfinite, found)):
                raise ValueError("a score that is no number")
            now = dict(zip(new, found, strict=True))
            scores = [now[k] if k in now else self._known[k] for k in keys]
            self._known.update(now)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return scores

    def chance(self, score: float) -> float:
        """Return how likely an answer of this score breaks the norm; 1/2 at the least.

        Raises:
            ValueError: if it is bound to no norm.
        """
        if self.least is None:
            raise ValueError("a reward that is bound to no norm says nothing about one")
        # A score that is not under the least must not reach 1/2.
        return 1.0 / (1.0 + math.exp(max(-700.0, min(700.0, score - self.least))))

    def bound(self, detectors: Detectors, policy: Policy) -> Detectors:
        """Return detectors that know what a low score stands for.

        It stands for the act of its norm, and for the facts that the norm's condition names, as the
        norm's first worked breach has them.

        Raises:
            InputError: if the policy has no such norm.
        """
        if self.norm is None:
            return detectors
        norms = {n.id: n for n in policy.charter.norms}
        if self.norm not in norms:
            raise InputError([
                Fault(where="reward: norm", expected=f"one of {', '.join(sorted(norms))}",
                      seen=self.norm),
            ])  # fmt: skip
        norm = norms[self.norm]
        signal = Signal(
            name=SIGNAL, act=norm.act, facts=_facts(norm), threshold=0.5,
            sides=frozenset({"output"}), roles=frozenset({"assistant"}),
        )  # fmt: skip
        return detectors.joined(Detectors(signals={SIGNAL: signal}))


def turns_of(exchange: Exchange) -> list[Message]:
    """Return what was said as turns; names, arguments and descriptions of tools are left out."""
    turns: dict[str, Message] = {}
    for said in exchange.utterances:
        match = _SAID.match(said.where)
        if match is None:
            continue
        before = turns.get(match[1])
        text = said.text if before is None else f"{before.content}\n{said.text}"
        turns[match[1]] = Message(role=_ROLES[said.role], content=text)
    return list(turns.values())


def _facts(norm: Norm) -> tuple[tuple[str, FactValue], ...]:
    named = facts_of(norm.condition)
    first = next((case for case in norm.cases if case.kind == "hit"), None)
    known = {} if first is None else first.facts
    return tuple((name, known[name]) for name in sorted(named) if name in known)


def _key(prompt: Sequence[Message], answer: str) -> bytes:
    text = json.dumps([*((m.role, m.content) for m in prompt), answer])
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
