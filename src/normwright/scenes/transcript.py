r"""Conversations as one text: each turn after "\n\nHuman:" or "\n\nAssistant:", as in HH-RLHF."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from normwright.records import Message
from normwright.records.scenes import Role

__all__ = ["alternates", "has_turn_mark", "parse_conversation", "parse_transcript"]

_MARK = re.compile(r"\n\n(Human|Assistant):")
_SPEAKERS: Mapping[str, Role] = {"Human": "user", "Assistant": "assistant"}


def has_turn_mark(text: str) -> bool:
    """Return whether a text goes on with a further turn."""
    return _MARK.search(text) is not None


def alternates(turns: Sequence[Message]) -> bool:
    """Return whether user and assistant speak in turns, the user first."""
    return all(m.role == ("user", "assistant")[i % 2] for i, m in enumerate(turns))


def parse_transcript(text: str) -> tuple[Message, ...]:
    r"""Return the turns of a transcript that ends where the assistant would speak.

    Spaces around turns are taken off.

    Example:
        >>> [m.role for m in parse_transcript("\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: Bye"
        ...                                   "\n\nAssistant:")]
        ['user', 'assistant', 'user']

    Raises:
        ValueError: saying in a few words, without the text, what is not as it should be.
    """
    turns = _turns(text)
    if turns[-1].role != "assistant" or turns[-1].content:
        raise ValueError("no open turn of the assistant at the end")
    _none_empty(turns[:-1])
    return turns[:-1]


def parse_conversation(text: str) -> tuple[Message, ...]:
    r"""Return the turns of a transcript whose last turn is an answer of the assistant.

    The answer may be empty; whoever needs one must look.

    Example:
        >>> [m.content for m in parse_conversation("\n\nHuman: Hi\n\nAssistant: Good day.")]
        ['Hi', 'Good day.']

    Raises:
        ValueError: saying in a few words, without the text, what is not as it should be.
    """
    turns = _turns(text)
    if turns[-1].role != "assistant":
        raise ValueError("no turn of the assistant at the end")
    _none_empty(turns[:-1])
    return turns


def _turns(text: str) -> tuple[Message, ...]:
    before, *rest = _MARK.split(text)
    marks, said = rest[0::2], [part.strip() for part in rest[1::2]]
    if not marks or before.strip():
        raise ValueError("text before the first mark" if marks else "no mark of a turn")
    if marks[0] != "Human":
        raise ValueError("an assistant that speaks first")
    return tuple(
        Message(role=_SPEAKERS[mark], content=part) for mark, part in zip(marks, said, strict=True)
    )


def _none_empty(turns: Sequence[Message]) -> None:
    empty = [str(i) for i, turn in enumerate(turns, 1) if not turn.content]
    if empty:
        raise ValueError(f"nothing said in turn {', '.join(empty)}")
