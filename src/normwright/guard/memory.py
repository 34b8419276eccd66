"""What a guard remembers of a conversation: how suspicious its texts were, not what they said.

Evidence is counted in log odds above what ordinary texts reach, never below zero, and fades. So a
conversation is not the more suspicious the longer it is, as it would be if small probabilities were
added up: what is usual adds nothing, and a little more than usual now and then fades away. Steps
that are each a little worse add up (Page, Continuous inspection schemes, Biometrika 1954, with
forgetting in the place of his drift).
"""

from __future__ import annotations

import math
import struct
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

HALF_LIFE: Final = 6.0
"""Turns after which a text's evidence counts half."""
KEPT: Final = 512
"""Texts that are remembered; the oldest are forgotten first, and count for nothing by then."""
_ROW: Final = struct.Struct("<16sdI")
"""A text where a memory is kept: its digest, cut short, its evidence and its turn."""
BEFORE: Final = 0.1
"""Risk of a conversation of which nothing is known but that there is some evidence."""


@dataclass
class Memory:
    """Evidence by text, for one conversation. It may be shared by threads.

    A text is known by its digest, so that a history that is sent again counts once, and one that is
    cut short by the client counts still.

    Args:
        half_life: turns after which evidence counts half; > 0.
        kept: texts that are remembered; > 0.
    """

    half_life: float = HALF_LIFE
    kept: int = KEPT
    _texts: OrderedDict[bytes, tuple[float, int]] = field(default_factory=OrderedDict, repr=False)
    _turn: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        if self.half_life <= 0 or self.kept < 1:
            raise ValueError(f"half_life and kept must be above 0: {self.half_life}, {self.kept}")

    def note(self, texts: Iterable[tuple[bytes, str, float]]) -> float:
        """Take in the texts of an exchange, and return the risk with them, in [0, 1).

        Args:
            texts: (digest, turn, evidence in log odds, >= 0) in the order they were said; a new
                turn begins where its name changes and the text is new.
        """
        # What would be forgotten at once is not taken in: sent again it would look new.
        last = list(texts)[-self.kept :]
        with self._lock:
            turn = None
            for key, name, evidence in last:
                if key in self._texts:
                    # A detector that was made better may find more in it now.
                    old, at = self._texts[key]
                    self._texts[key] = (max(old, evidence), at)
                    continue
                if name != turn:
                    self._turn += 1
                    turn = name
                self._texts[key] = (evidence, self._turn)
            while len(self._texts) > self.kept:
                self._texts.popitem(last=False)
            return self._risk()

    def packed(self) -> bytes:
        """Return all of it, for `unpack`; of digests the first 16 bytes."""
        with self._lock:
            rows = [_ROW.pack(k[:16].ljust(16), e, t) for k, (e, t) in self._texts.items()]
            return struct.pack("<I", self._turn) + b"".join(rows)

    def unpack(self, packed: bytes) -> None:
        """Remember what was packed, in place of what is remembered.

        Only texts whose digests have no more than 16 bytes are known again.

        Raises:
            ValueError: for bytes that are none of `packed`.
        """
        try:
            (turn,) = struct.unpack_from("<I", packed)
            rows = list(_ROW.iter_unpack(packed[4:]))
        except struct.error as error:
            raise ValueError("these bytes are no memory") from error
        with self._lock:
            self._turn = turn
            self._texts = OrderedDict((key, (evidence, at)) for key, evidence, at in rows)

    def copy(self) -> Memory:
        """Return the same memory, for a look at what it would come to."""
        with self._lock:
            return Memory(self.half_life, self.kept, OrderedDict(self._texts), self._turn)

    @property
    def risk(self) -> float:
        """The risk after what was taken in so far, in [0, 1)."""
        with self._lock:
            return self._risk()

    def _risk(self) -> float:
        """The probability that the odds of `BEFORE` and the evidence come to; 0 without any.

        Of each turn the most telling text counts: that one thing is said in many parts makes it no
        worse.
        """
        worst: dict[int, float] = {}
        for evidence, turn in self._texts.values():
            if evidence > worst.get(turn, 0.0):
                worst[turn] = evidence
        if not worst:
            return 0.0
        left = sum(e * 0.5 ** ((self._turn - turn) / self.half_life) for turn, e in worst.items())
        return 1.0 / (1.0 + math.exp(-(log_odds(BEFORE) + left)))


def log_odds(chance: float) -> float:
    """Return the log odds of a probability in (0, 1)."""
    return math.log(chance / (1.0 - chance))
