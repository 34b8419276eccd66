"""Many alike without an object each: anonymous voters, and what they chose, by counts alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, repeat
from typing import TypeVar, overload

T = TypeVar("T")


class _Alike(Sequence[T]):
    """A sequence that is equal to any other with the same members, as a tuple would be."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash((type(self).__name__, len(self)))


@dataclass(frozen=True, eq=False)
class Crowd(_Alike[str]):
    """Ids of voters nobody named, `v1`, `v2` and on, each made when it is looked at."""

    size: int

    @cached_property
    def _digits(self) -> int:
        return len(str(self.size))

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return tuple(self._name(n) for n in range(self.size)[place])
        return self._name(range(self.size)[place])

    def __iter__(self) -> Iterator[str]:
        return map(self._name, range(self.size))

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str) or not name[1:].isdecimal():
            return False
        number = int(name[1:]) - 1
        return 0 <= number < self.size and self._name(number) == name

    def __eq__(self, other: object) -> bool:
        return self.size == other.size if isinstance(other, Crowd) else super().__eq__(other)

    __hash__ = _Alike.__hash__

    def _name(self, number: int) -> str:
        return f"v{number + 1:0{self._digits}d}"


@dataclass(frozen=True, eq=False)
class Runs(_Alike[int]):
    """Numbers in runs: value `values[i]` as often as `counts[i]` says, one run after another."""

    values: tuple[int, ...]
    counts: tuple[int, ...]

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        return tuple(accumulate(self.counts))

    def __len__(self) -> int:
        return self._ends[-1] if self.counts else 0

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[int]: ...
    def __getitem__(self, place: int | slice) -> int | Sequence[int]:
        if isinstance(place, slice):
            return tuple(self[n] for n in range(len(self))[place])
        return self.values[bisect_right(self._ends, range(len(self))[place])]

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(map(repeat, self.values, self.counts))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Runs) and (self.values, self.counts) == (other.values, other.counts):
            return True
        return super().__eq__(other)

    __hash__ = _Alike.__hash__
