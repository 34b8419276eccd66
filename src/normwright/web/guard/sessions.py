"""Named sessions: a conversation stays with the policy it began with, and with its memory.

The memory is shared by the processes of a server through a file, so that the risk of a conversation
does not depend on which of them answers, nor on when it was started. The policy is pinned in each
process by itself.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from normwright.guard.memory import Memory
from normwright.records import PlaceError
from normwright.store import MemoryBook
from normwright.web.guard.held import Held
from normwright.web.guard.settings import Limits

Noted = tuple[bytes, str, float]
"""A text as a memory takes it: its digest, its turn, its evidence."""


@dataclass
class SharedMemory(Memory):
    """A memory that is read from a file before it takes note, and written back after.

    While the file cannot be used it goes by what this process saw, says so by `trouble`, and what
    it noted meanwhile is written as soon as the file can be used again.

    Args:
        book: the file.
        name: of the conversation; neither it nor the digests of its texts are written as they are.
        clock: seconds, the same for all processes of the machine.
    """

    book: MemoryBook | None = None
    name: str = ""
    clock: Callable[[], float] = field(default=lambda: 0.0, repr=False)
    trouble: PlaceError | None = None
    """Why the file could not be used the last time."""
    _owed: list[Noted] = field(default_factory=list, repr=False)

    def note(self, texts: Iterable[Noted]) -> float:
        """Take in the texts of an exchange, and return the risk with them, in [0, 1)."""
        assert self.book is not None
        secret = self.name.encode("utf-8", "surrogatepass")
        key = hashlib.blake2b(secret, digest_size=32).digest()
        new = [(_hidden(digest, key), turn, evidence) for digest, turn, evidence in texts]
        risk = 0.0

        def noted(kept: bytes | None) -> bytes:
            nonlocal risk
            if kept is not None:
                self.unpack(kept)
            if self._owed:
                super(SharedMemory, self).note(self._owed)
            risk = super(SharedMemory, self).note(new)
            return self.packed()

        try:
            self.book.change(hashlib.blake2b(key, digest_size=16).hexdigest(), self.clock(), noted)
        except PlaceError as error:
            self.trouble = error
            self._owed = [*self._owed, *new][-self.kept :]
            return super().note(new)
        self.trouble, self._owed = None, []
        return risk


def _hidden(digest: bytes, key: bytes) -> bytes:
    """Return a digest of a digest that can be guessed by nobody who does not know the session."""
    return hashlib.blake2b(digest, key=key, digest_size=16).digest()


class Sessions:
    """What is pinned, by the name a client gives; the ones unused the longest go first."""

    def __init__(
        self, limits: Limits, clock: Callable[[], float], book: MemoryBook | None = None
    ) -> None:
        self._limits, self._clock, self._book = limits, clock, book
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
            known = (now, held, self._memory(name))
        self._pinned[name] = (now, known[1], known[2])
        return known[1], known[2]

    def tend(self) -> None:
        """Have the file forget what was not used for long.

        Raises:
            PlaceError: if it cannot be used.
        """
        if self._book is not None:
            self._book.forget(
                now=self._clock(),
                seconds=self._limits.session_seconds,
                most=self._limits.sessions,
            )

    def _memory(self, name: str) -> Memory:
        if self._book is None:
            return Memory()
        return SharedMemory(book=self._book, name=name, clock=self._clock)

    def _forget(self, now: float) -> None:
        while self._pinned:
            began = next(iter(self._pinned.values()))[0]
            old = now - began > self._limits.session_seconds
            if not old and len(self._pinned) < self._limits.sessions:
                return
            self._pinned.popitem(last=False)
