"""Numbers for what can be drawn: every index gets its own draw, and nothing has to be remembered.

A stream that must not repeat itself would have to keep all it has given. Here the draws are counted
beforehand, and an index is carried to a draw by a permutation of that many numbers: a Feistel
network over the next even power of two, walked until it falls inside (Black and Rogaway, "Ciphers
with Arbitrary Finite Domains", CT-RSA 2002). Draw k therefore depends on the seed and on k alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b

_ROUNDS = 4


def shuffled(index: int, size: int, key: str) -> int:
    """Return where a permutation of `range(size)`, chosen by `key`, puts `index`.

    Raises:
        ValueError: if the index lies outside.
    """
    if not 0 <= index < size:
        raise ValueError(f"{index} is not in range({size})")
    half = max(1, (max(size - 1, 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    value = index
    while True:
        left, right = value >> half, value & mask
        for turn in range(_ROUNDS):
            left, right = right, left ^ (number(f"{key}:{turn}:{right}") & mask)
        value = (left << half) | right
        if value < size:
            return value


def number(key: str) -> int:
    """Return 128 bits that look random and follow from the key alone."""
    return int.from_bytes(blake2b(key.encode(), digest_size=16).digest(), "big")


def permutation(length: int, code: int) -> tuple[int, ...]:
    """Return the order of `range(length)` that a large number stands for."""
    left = list(range(length))
    order = []
    for size in range(length, 0, -1):
        code, place = divmod(code, size)
        order.append(left.pop(place))
    return tuple(order)


@cache
def choices(options: tuple[int, ...], most: int) -> int:
    """Return in how many ways up to `most` things can be named, each in one of its options."""
    return sum(_exactly(options, m) for m in range(most + 1))


def choice(code: int, options: Sequence[int], most: int) -> dict[int, int]:
    """Return the choice a number below `choices` stands for: thing -> which of its options."""
    counts = tuple(options)
    size = 0
    while code >= _exactly(counts, size):
        code -= _exactly(counts, size)
        size += 1
    if size > most:
        raise ValueError("the number stands for no choice")
    chosen = {}
    for place, own in enumerate(counts):
        rest = counts[place + 1 :]
        without = _exactly(rest, size)
        if code < without:
            continue
        code -= without
        value, code = divmod(code, _exactly(rest, size - 1))
        chosen[place] = value
        size -= 1
        assert value < own
    return chosen


@cache
def _exactly(options: tuple[int, ...], size: int) -> int:
    if size == 0:
        return 1
    if len(options) < size:
        return 0
    rest = options[1:]
    return _exactly(rest, size) + options[0] * _exactly(rest, size - 1)
