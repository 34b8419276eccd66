"""What was used of late, kept ready within bounds, for threads that need not wait for one another.

Two generations: what is asked for moves into the younger one; when that is full the older one is
forgotten and the younger takes its place. So at most twice `size` are kept, what is used now and
then stays, and no lock is needed: threads that meet may do work twice, and never see half of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values by key; see the module's first lines. A value must follow from its key alone, and is
    never false.

    Args:
        size: what the values of one generation weigh together; > 0.
        weigh: what one weighs, for instance its bytes; 1 if nothing is said.
    """

    __slots__ = ("_old", "_size", "_weigh", "_weight", "_young")

    def __init__(self, size: int, *, weigh: Callable[[K, V], int] = lambda key, value: 1) -> None:
        if size < 1:
            raise ValueError(f"at least one value is kept: {size}")
        self._size, self._weigh, self._weight = size, weigh, 0
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: K) -> V | None:
        """Return the value of a key, None where it is not kept."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Keep a value."""
        young = self._young
        young[key] = value
        # Threads that meet here may count one of two: then a little more is kept, once.
        self._weight += self._weigh(key, value)
        if self._weight >= self._size:
            self._old, self._young, self._weight = young, {}, 0


class Made(dict[K, V]):
    """Values by key, each made when it is first asked for; kept as `Recent` keeps them.

    What is kept is found as fast as in any dict, `map(made.__getitem__, keys)` included.

    Args:
        make: gives the value of a key, which must follow from it alone.
        size: values of one generation; > 0.
        weighs: whether the value of a key is kept; large ones would take more room than many.
    """

    __slots__ = ("_make", "_old", "_size", "_weighs")

    def __init__(self, make: Callable[[K], V], size: int, *, weighs: Callable[[K], bool]) -> None:
        super().__init__()
        if size < 1:
            raise ValueError(f"at least one value is kept: {size}")
        self._make, self._size, self._weighs = make, size, weighs
        self._old: dict[K, V] = {}

    def __missing__(self, key: K) -> V:
        """Return the value of a key that is not in the younger generation."""
        try:
            found = self._old[key]
        except KeyError:
            found = self._make(key)
        if self._weighs(key):
            self[key] = found
            if len(self) >= self._size:
                self._old = self.copy()
                self.clear()
        return found
