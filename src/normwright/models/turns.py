"""The turns of a conversation as one text, for models without a chat template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from normwright.records import Message

NAMES: Final = {"system": "System", "user": "User", "assistant": "Assistant"}
"""What a turn of each role begins with."""


def turns_text(prompt: Sequence[Message]) -> str:
    """Return the first segment of the form `segments`: the turns, a blank line between."""
    return "\n\n".join(f"{NAMES[m.role]}: {m.content}" for m in prompt)
