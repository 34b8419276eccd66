"""Release an answer while it is still being written, and never a span that will be blocked.

What is released follows from the text alone: where it is checked and how far it is then given are
places in the text, so that the same text in other pieces gives the same. The window counts what a
reader sees: characters that show nothing, and spaces after a space, weigh nothing, or else anybody
could push the beginning of a word out of the window by padding it.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left
from dataclasses import dataclass

WINDOW = 160
"""Visible characters that are held back: the longest span of which not one character escapes."""

STRIDE = 40
"""Visible characters between two checks; twice as many where no space comes."""

REACH = 4000
"""Visible characters before a check that it reads; the last check reads everything."""

_WEIGHTLESS = frozenset({"Cf", "Mn", "Me", "Cc"})
_PLAIN = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
_JOINER = "\u200d"
_LONGEST_CLUSTER = 64
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Due:
    """A text that is to be checked before more is released."""

    text: str
    start: int
    """Where in the answer it begins; 0 unless the answer is longer than the reach."""
    last: bool
    """Whether this is the whole answer."""


class HoldBack:
    """One answer on its way: `add` pieces, check what is `due`, `release` what then may go.

        hold.add(piece)
        while due := hold.due():
            if passes(due.text):
                send(hold.release())
            else:
                hold.block()

    After `close` the whole text is due once more. Every text that came due must be answered with
    `release` or `block` before the next.

    A span that is seen as soon as it stands in the text, and that has no more than `window` visible
    characters, is blocked before its first character is released: it is complete at a check
    before the window has moved past its beginning.

    Args:
        window: visible characters held back; None holds everything until the end.
        stride: visible characters between two checks.
        reach: visible characters that a check looks back, and up to a quarter more; at least
            window + 2 strides.
    """

    def __init__(
        self, *, window: int | None = WINDOW, stride: int = STRIDE, reach: int = REACH
    ) -> None:
        if (window is not None and window < 0) or stride < 1:
            raise ValueError(f"window must be at least 0, stride 1; saw {window}, {stride}")
        if window is not None and reach < window + 2 * stride:
            raise ValueError(f"reach must be at least {window + 2 * stride}; saw {reach}")
        self.window, self.stride, self.reach = window, stride, reach
        # Checks of a long answer begin at the same place a few dozen times, so that what was read
        # of it is known at the next one; see `harm.Batch`.
        self._step = max(1, reach // 4)
        self.blocked = False
        self.released = 0
        """Characters of the text released so far."""
        self._length = 0
        self._gone: list[str] = []  # what no check before the last reads again
        self._base = 0  # where the tail begins
        self._tail = ""
        self._new: list[str] = []  # what came since the tail was put together
        self._half = ""
        self._seen = array("Q")  # places of the characters that weigh, those gone left out
        self._seen_gone = 0
        self._spaced = False
        self._checked = 0  # visible characters up to the last check
        self._asked: Due | None = None
        self._upto = 0
        self._closed = False
        self._done = False

    @property
    def text(self) -> str:
        """All that came, whether released or not."""
        return "".join([*self._gone, self._tail, *self._new])

    def add(self, piece: str) -> None:
        """Take the next piece; half a surrogate pair waits for its other half."""
        if self._closed:
            raise ValueError("the answer is closed")
        if not self.blocked:
            self._append(self._paired(piece))

    def close(self) -> None:
        """Say that no piece follows."""
        if not self._closed:
            self._append(_REPLACEMENT * len(self._half))
            self._half, self._closed = "", True

    def due(self) -> Due | None:
        """Return the next text to be checked, or None until there is more of it."""
        if self.blocked or self._done:
            return None
        if self._asked is None:
            self._asked = self._next()
        return self._asked

    def release(self) -> str:
        """Return what may go after the text that was due has passed; "" if that is nothing more."""
        asked, self._asked = self._asked, None
        if asked is None:
            raise ValueError("nothing was due")
        self._checked = self._upto
        self._done = asked.last
        end = self._length if asked.last else self._cut()
        out = self._tail[self.released - self._base : end - self._base]
        self.released = max(self.released, end)
        self._let_go()
        return out

    def block(self) -> None:
        """Release nothing more, ever."""
        self.blocked, self._asked = True, None

    def _paired(self, piece: str) -> str:
        """Return a piece with surrogate pairs joined; single ones show as a replacement."""
        piece, self._half = self._half + piece, ""
        if piece.isascii():
            return piece
        if "\ud800" <= piece[-1] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        return piece.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _append(self, piece: str) -> None:
        base = self._length
        self._new.append(piece)
        self._length += len(piece)
        if self._plain(piece):
            self._seen.extend(range(base, base + len(piece)))
            self._spaced = False
            return
        for place, char in enumerate(piece, start=base):
            space = char.isspace()
            if (space and not self._spaced) or not (space or _shows_nothing(char)):
                self._seen.append(place)
            # What shows nothing does not end a run of spaces.
            self._spaced = space or (self._spaced and _shows_nothing(char))

    def _plain(self, piece: str) -> bool:
        return bool(piece) and not self._spaced and _PLAIN.fullmatch(piece) is not None

    def _next(self) -> Due | None:
        if self.window is not None and self._visible >= self._checked + self.stride:
            self._put_together()
            at = self._boundary()
            if at is not None:
                self._upto = at
                first = max(0, at - self.reach) // self._step * self._step
                start = self._place(first) if first else 0
                end = self._place(at - 1) + 1
                return Due(self._tail[start - self._base : end - self._base], start, last=False)
        if not self._closed:
            return None
        self._put_together()
        self._upto = self._visible
        return Due(self.text, 0, last=True)

    @property
    def _visible(self) -> int:
        return self._seen_gone + len(self._seen)

    def _place(self, visible: int) -> int:
        """Return where the visible character of that number stands."""
        return self._seen[visible - self._seen_gone]

    def _put_together(self) -> None:
        if self._new:
            self._tail += "".join(self._new)
            self._new = []

    def _let_go(self) -> None:
        """Set apart what only the last check reads again, so that a step costs the same always."""
        kept = self._checked - self.reach - self._step
        if kept - self._seen_gone < self.reach:
            return
        end = min(self.released, self._place(kept))
        self._gone.append(self._tail[: end - self._base])
        self._tail, self._base = self._tail[end - self._base :], end
        gone = bisect_left(self._seen, end)
        self._seen, self._seen_gone = self._seen[gone:], self._seen_gone + gone

    def _boundary(self) -> int | None:
        """Return up to how many visible characters the next check reads, once that is known."""
        for at in range(self._checked + self.stride, self._checked + 2 * self.stride):
            if at > self._visible:
                return None
            if self._tail[self._place(at - 1) - self._base].isspace():
                return at
        at = self._checked + 2 * self.stride
        return at if at <= self._visible else None

    def _cut(self) -> int:
        """Return how much of the text may go: the window before the check, at a whole character."""
        assert self.window is not None
        if self._checked <= self.window:
            return self.released
        end = self._place(self._checked - self.window)
        for place in range(end, max(self.released, end - _LONGEST_CLUSTER), -1):
            at = place - self._base
            if _between(self._tail[at - 1], self._tail[at]):
                return place
        return self.released if end - self.released <= _LONGEST_CLUSTER else end


def _shows_nothing(char: str) -> bool:
    """Say whether a character is a control, a mark or a format character, or shows as nothing."""
    return (
        (char > "~" and unicodedata.category(char) in _WEIGHTLESS) or char < " " or char in _BLANKS
    )


_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters and symbols that show nothing: the fillers of Hangul, and Braille without a dot."""


def _between(before: str, after: str) -> bool:
    """Say whether a reader sees two characters here, not one made of both."""
    if before == _JOINER:
        return False
    if after < "\u0300":
        return not (before == "\r" and after == "\n")
    if after == _JOINER or unicodedata.category(after)[0] == "M":
        return False
    if "\U0001f3fb" <= after <= "\U0001f3ff":
        return False
    flags = "\U0001f1e6" <= after <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff"
    return not flags
