"""The act ontology: which acts are kinds of which."""

from __future__ import annotations

from normwright.records import Vocabulary

NULL_ACT = "decline"
"""The act of not acting. It is always feasible and belongs to no other act."""


class Acts:
    """The act ontology: a directed acyclic graph by `is_a`, closed under transitivity.

    Args:
        vocabulary: the acts; parents that do not exist and cycles are ignored here, because
            `vocabulary_faults` reports them.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._parents = {act.name: act.is_a for act in vocabulary.acts}
        self._above: dict[str, frozenset[str]] = {}

    def __contains__(self, act: object) -> bool:
        """Whether the act is a node of the ontology. The null act always is."""
        return act in self._parents or act == NULL_ACT

    @property
    def names(self) -> tuple[str, ...]:
        """All acts, sorted."""
        return tuple(sorted({*self._parents, NULL_ACT}))

    def above(self, act: str) -> frozenset[str]:
        """Return the act itself and everything it is a kind of."""
        known = self._above.get(act)
        if known is None:
            seen: set[str] = set()
            open_ = [act]
            while open_:
                node = open_.pop()
                if node not in seen:
                    seen.add(node)
                    open_.extend(self._parents.get(node, ()))
            known = self._above[act] = frozenset(seen)
        return known

    def covers(self, general: str, special: str) -> bool:
        """Whether `special` is a kind of `general` (every act is a kind of itself)."""
        return general in self.above(special)

    def cycle(self) -> tuple[str, ...]:
        """Return one cycle of the graph, first act repeated at its end; empty if there is none."""
        done: set[str] = set()
        for root in sorted(self._parents):
            found = self._walk(root, [], done)
            if found:
                return found
        return ()

    def _walk(self, node: str, path: list[str], done: set[str]) -> tuple[str, ...]:
        if node in path:
            return (*path[path.index(node) :], node)
        if node in done:
            return ()
        for parent in self._parents.get(node, ()):
            found = self._walk(parent, [*path, node], done)
            if found:
                return found
        done.add(node)
        return ()
