"""A scene is a situation with words: what an evaluation asks, a pair compares, an attack wraps."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator

from normwright.records.base import Frozen, Lang, Record
from normwright.records.instants import days_as_text

FactValue: TypeAlias = Annotated[bool | int | str | None, BeforeValidator(days_as_text)]
"""A fact's value; None is unknown, and unknown is never turned into a default. An instant is text
in ISO 8601; one that YAML has read as a date becomes such text."""

Role: TypeAlias = Literal["system", "user", "assistant"]


class Message(Frozen):
    """One turn of a conversation."""

    role: Role
    content: str


class Scene(Record):
    """One concrete request to the assistant, with the facts that decide what is right.

    The two answers are exact: `perform` does what is asked, `decline` does not. Which of them is
    right is not written here; the charter decides it from `act` and `facts`.
    """

    id: str
    """Stable id: family, template, language and draw."""
    family: str
    """The family of scenes, for example `look-up.opening`. Splits are by family and template."""
    template: str
    """The wording used."""
    lang: Lang
    split: str
    """`pretrain`, `tune`, `judge`, `guard`, `dev` or `test`."""
    messages: tuple[Message, ...]
    """The conversation up to the assistant's answer; the last one is the user's."""
    act: str
    """The act that is asked for, a node of the act ontology."""
    facts: dict[str, FactValue] = {}
    """The facts that hold, by name; a fact not listed is unknown."""
    norm: str | None = None
    """The norm this scene was written to probe, if any."""
    applies: bool | None = None
    """Whether the situation is one the norm speaks against (True) or one it spares (False); None
    without a norm. It keeps apart what people said about the two, and never decides anything."""
    perform: str
    """The answer that does the act."""
    decline: str
    """An answer that declines."""
    exact: tuple[str, ...] = ()
    """Strings the performing answer must contain (help is exactly checkable)."""
    foreign: tuple[str, ...] = ()
    """Strings a correct answer must not contain: the other values on the same sheet."""
    twin: str | None = None
    """Id of the scene that differs only in the fact that decides."""
