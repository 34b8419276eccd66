"""A guard that requests are pinned to, with the memory of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from normwright.guard.memory import Memory
from normwright.guard.rewards import Reward
from normwright.records import Digest, Exchange, GuardVerdict, Lang, Policy, digest_json


class Guarding(Protocol):
    """A guard as the proxy needs it."""

    policy: Policy
    """What it holds a conversation to."""

    @property
    def parts(self) -> Mapping[str, Any]:
        """What decides beside the policy, each by its digest."""
        ...

    @property
    def reward(self) -> Reward | None:
        """What orders answers that pass; None: the first is given."""
        ...

    @property
    def patient(self) -> bool:
        """Whether a screening may wait for something, so that others must not wait for it."""
        ...

    def screen(self, exchange: Exchange, *, memory: Memory | None = None) -> GuardVerdict:
        """Return what it says; it never raises."""
        ...


@dataclass(frozen=True)
class Held:
    """A guard that requests are pinned to, with what is asked of its policy again and again."""

    guard: Guarding
    digest: Digest
    """Of its policy."""
    decided_by: Digest
    """Of its parts."""
    languages: tuple[Lang, ...]

    @classmethod
    def of(cls, guard: Guarding) -> Held:
        """Return a guard held."""
        decided_by = digest_json(dict(guard.parts))
        return cls(guard, guard.policy.digest, decided_by, guard.policy.charter.languages)
