"""What a guard remembers of a conversation: how suspicious its texts were, not what they said."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

HALF_LIFE: Final = 6.0
"""Turns after which a text's suspicion counts half."""
KEPT: Final = 512
"""Texts that are remembered; the oldest are forgotten first, and count for nothing by then."""


@dataclass
class Memory:
    """Suspicion by text, for one conversation. It may be shared by threads.

    A text is known by its digest, so that a history that is sent again counts once, and one that is
    cut short by the client counts still. Who said it plays no part.

    Args:
        half_life: turns after which suspicion counts half; > 0.
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
        """Take in the texts of an exchange, and return the risk with them, in [0, 1].

        Args:
            texts: (digest, turn, suspicion) in the order they were said; a new turn begins where
                its name changes and the text is new.
        """
        with self._lock:
            turn = None
            for key, name, suspicion in texts:
                if key in self._texts:
                    # A detector that was made better may find more in it now.
                    old, at = self._texts[key]
                    self._texts[key] = (max(old, suspicion), at)
                    continue
                if name != turn:
                    self._turn += 1
                    turn = name
                self._texts[key] = (suspicion, self._turn)
            while len(self._texts) > self.kept:
                self._texts.popitem(last=False)
            return self._risk()

    @property
    def risk(self) -> float:
        """The risk after what was taken in so far, in [0, 1]."""
        with self._lock:
            return self._risk()

    def _risk(self) -> float:
        """One minus the chance that none of the texts means harm, old ones counting for less.

        Of each turn the most suspicious text counts: that one thing is said in many parts makes it
        no worse.
        """
        worst: dict[int, float] = {}
        for suspicion, turn in self._texts.values():
            worst[turn] = max(suspicion, worst.get(turn, 0.0))
        none = 1.0
        for turn, suspicion in worst.items():
            none *= 1.0 - suspicion * 0.5 ** ((self._turn - turn) / self.half_life)
        return 1.0 - none
