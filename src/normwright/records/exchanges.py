"""An exchange as a guard reads it: everything that was said, by whom, and where it stood."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Final, Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Frozen, Lang, Record, digest_bytes, digest_json, nfc

Speaker: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]
"""Who said it. `tool`: nobody whom the assistant works for: results of tools, and what tools say
of themselves."""

_ENCODE: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
SPEAKERS: tuple[Speaker, ...] = ("system", "developer", "user", "assistant", "tool")


class Utterance(Frozen):
    """One text of a conversation. Names, arguments and the keys of JSON values are texts too."""

    role: Speaker
    text: str
    where: str
    """Its path in what was sent, for example `messages[2].content[0].text` or
    `messages[3].tool_calls[0].function.arguments.{0}`. A key that is the client's own is named by
    its place, for it may hold a text; it has the path of its value and `#key` after it."""


class Exchange(Record):
    """A conversation up to an answer, with or without it. No part of it is left out silently."""

    id: str = ""
    """What the caller calls it; empty: nothing."""
    utterances: tuple[Utterance, ...]
    """In the order in which they were said."""
    answer: str | None = None
    """The answer to check; None: the conversation itself is checked."""
    lang: Lang | None = None
    """The language the person is told in; None: as the guard reads it."""
    unread: tuple[str, ...] = Field(default=())
    """Paths of parts that no reader of text can check (pictures, sound, kinds not known here). A
    guard never takes them for checked."""

    @property
    def conversation(self) -> Digest:
        """The digest by which a verdict names the conversation: roles, places and texts.

        A copy with another answer has it already; one with other utterances makes it anew.
        """
        said, digest = self.digested
        return digest if said is self.utterances else _digest(self.utterances)

    @cached_property
    def digested(self) -> tuple[tuple[Utterance, ...], Digest]:
        """The utterances this was copied from first, and their digest; ask `conversation`."""
        return self.utterances, _digest(self.utterances)

    @property
    def answered(self) -> Digest | None:
        """The digest by which a verdict names the answer; None without one."""
        return None if self.answer is None else digest_json(self.answer)


def _digest(said: tuple[Utterance, ...]) -> Digest:
    return digest_bytes(_ENCODE([[u.role, u.where, nfc(u.text)] for u in said]).encode())
