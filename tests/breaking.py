"""Ways to break files, and a clock that ends a try that hangs."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NASTY = (
    b"", b'"', b"'", b",", b"\n", b"\r", b"\r\n", b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf",
    b"\t", b";", b"{", b"}", b"[", b"]", b":", b"#", b"0", b"-1", b"1e999", b"nan", b"inf", b"-0",
    b"9" * 19, b"9" * 400, b"1" + b"0" * 12, "\u00b2".encode(), "\u0663".encode(), b"null", b"true",
    b'\\ud800', b"=1+1", b"../../x", b"2020-13-45", b"0001-01-01T00:00:00+23:59", b"{}", b"[[]]",
    "\u2028".encode(), "\u0130".encode(), b" ", b"1.0", b"1,1,1,1", b'""', b"{1,1}", b"{{1}}",
)  # fmt: skip


class Late(BaseException):
    """One try took too long."""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Interrupt what takes longer."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Late

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def break_bytes(data: bytes, rng: random.Random) -> bytes:
    """Change, cut, repeat or insert bytes at one place."""
    at = rng.randrange(len(data) + 1)
    to = min(len(data), at + rng.choice((1, 1, 2, 8, 64)))
    match rng.randrange(6):
        case 0:
            return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        case 1:
            return data[:at] + data[to:]
        case 2:
            return data[:at] + data[at:to] * rng.choice((2, 3, 20)) + data[to:]
        case 3:
            return data[:at]
        case 4:
            return data[:at] + rng.choice(NASTY) * rng.choice((1, 1, 1, 50)) + data[at:]
        case _:
            return data[:at] + rng.choice(NASTY) + data[to:]
