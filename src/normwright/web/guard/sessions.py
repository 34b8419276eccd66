"""Named sessions: a conversation stays with the policy it began with, and with its memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from normwright.guard.memory import Memory
from normwright.web.guard.held import Held
from normwright.web.guard.settings import Limits


class Sessions:
    """What is pinned, by the name a client gives; the ones unused the longest go first."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits, self._clock = limits, clock
        self._pinned: OrderedDict[str, tuple[float, Held, Memory]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pinned)

    def pinned(self, name: str | None, held: Held) -> tuple[Held, Memory | None]:
        """Return the guard and the memory of a session; without a name, the guard in force."""
        if name is None:
            return held, None
        now = self._clock()
        self._forget(now)
        known = self._pinned.pop(name, None)
        if known is None:
            known = (now, held, Memory())
        self._pinned[name] = (now, known[1], known[2])
        return known[1], known[2]

    def _forget(self, now: float) -> None:
        while self._pinned:
            began = next(iter(self._pinned.values()))[0]
            old = now - began > self._limits.session_seconds
            if not old and len(self._pinned) < self._limits.sessions:
                return
            self._pinned.popitem(last=False)
