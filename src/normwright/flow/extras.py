"""Which optional part a step needs: the core is installed without what touches weights."""

from __future__ import annotations

from collections.abc import Collection
from importlib.util import find_spec

from normwright.records import MissingExtra

LEARN = "learn"
"""The extra with what trains and runs models on this machine."""

_LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors")
_ROOMS = frozenset({"learn", "models"})
"""The rooms that import them."""
_ELSEWHERE = "flow.stages.remote"
"""The module whose steps ask a model behind an API and open none here."""


def require_learning(what: str) -> None:
    """Do nothing if models can be trained and run here.

    Args:
        what: What needs it, for the message.

    Raises:
        MissingExtra: if a library of the extra `learn` is not installed, with what to do.
    """
    if any(find_spec(name) is None for name in _LIBRARIES):
        raise MissingExtra(what, LEARN)


def require_for(step: str, rooms: Collection[str]) -> None:
    """Do nothing if the rooms a step runs can be opened here.

    Raises:
        MissingExtra: if one of them needs what is not installed.
    """
    if _ELSEWHERE not in rooms and not _ROOMS.isdisjoint(rooms):
        require_learning(f"The step {step}")
