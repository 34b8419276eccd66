"""The one form that all others are read into and written from; it can hold what any of them says.

As a row of a file it is a superset of what trainers read: `id, lang, prompt, candidates, choices,
text, norms, layer, family, split, licence, origin, process_kind, weight`, and `more` for columns
that have no place of their own. Nothing that was not stated is made up: it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final


@dataclass(frozen=True)
class Turn:
    """One thing that was said."""

    role: str
    content: str


@dataclass(frozen=True)
class Candidate:
    """One answer to the prompt."""

    turns: tuple[Turn, ...]
    source: str | None = None
    """Who gave it, for example a model's name."""
    good: bool | None = None
    """Whether it was found good by itself, where answers are labelled one at a time."""
    safe: bool | None = None
    """Whether it was found safe."""


@dataclass(frozen=True)
class Choice:
    """How many people prefer one candidate to another."""

    first: int
    """Place of a candidate."""
    second: int
    share: float
    """Share of people who prefer the first; ties count half."""
    weight: float = 1.0
    group: str | None = None
    criterion: str | None = None
    """By which they chose, where a row has several."""


@dataclass(frozen=True)
class Item:
    """A row of any form."""

    id: str | None = None
    prompt: tuple[Turn, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    choices: tuple[Choice, ...] = ()
    text: str | None = None
    """A text to model as it is, without a prompt."""
    lang: str | None = None
    licence: str | None = None
    origin: str | None = None
    process_kind: str | None = None
    family: str | None = None
    layer: str | None = None
    split: str | None = None
    norms: tuple[str, ...] = ()
    weight: float = 1.0
    """Of the row as a demonstration; choices have weights of their own."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Columns without a place of their own, as they came."""


STATED: Final = ("lang", "licence", "origin", "process_kind", "family", "layer", "split")
"""What a row may state about itself as one text each."""
EMPTY: Final = Item()


def stated(item: Item) -> dict[str, Any]:
    """Return what an item states about itself, as columns; what it does not state is left out."""
    told: dict[str, Any] = {} if item.id is None else {"id": item.id}
    told |= {name: value for name in STATED if (value := getattr(item, name)) is not None}
    if item.norms:
        told["norms"] = list(item.norms)
    if item.weight != 1.0:
        told["weight"] = item.weight
    return {**told, **item.more}


def about(row: Mapping[str, Any], *, but: tuple[str, ...] = ()) -> Item:
    """Return an item with what a row states about itself; other columns go to `more`.

    Args:
        row: any row.
        but: columns that the form itself reads.

    Raises:
        ValueError: for a statement of another kind than it has to be.
    """
    known = ("id", "norms", "weight", *STATED)
    for name in ("id", *STATED):
        if row.get(name) is not None and not isinstance(row[name], str | int):
            raise ValueError(f"{name}: expected text")
    norms = row.get("norms") or ()
    if not isinstance(norms, list | tuple) or not all(isinstance(n, str) for n in norms):
        raise ValueError("norms: expected a list of texts")
    weight = row.get("weight")
    if weight is not None and (isinstance(weight, bool) or not isinstance(weight, int | float)):
        raise ValueError("weight: expected a number")
    texts = {n: str(row[n]) for n in ("id", *STATED) if row.get(n) is not None and n not in but}
    return replace(
        EMPTY,
        **texts,  # type: ignore[arg-type]
        norms=tuple(norms) if "norms" not in but else (),
        weight=float(weight) if weight is not None and "weight" not in but else 1.0,
        more={n: v for n, v in row.items() if n not in but and n not in known and v is not None},
    )


def turns(value: Any, *, role: str = "user") -> tuple[Turn, ...]:
    """Return messages, or one text as what `role` says.

    Raises:
        ValueError: if it is neither.
    """
    if isinstance(value, str):
        return (Turn(role, value),)
    if not isinstance(value, list) or not value:
        raise ValueError("expected text, or messages with role and content")
    made = []
    for one in value:
        told = {k: v for k, v in one.items() if v is not None} if isinstance(one, dict) else {}
        if set(told) != {"role", "content"} or not all(isinstance(v, str) for v in told.values()):
            raise ValueError("expected messages with role and content, both text")
        made.append(Turn(told["role"], told["content"]))
    return tuple(made)


def messages(said: tuple[Turn, ...]) -> list[dict[str, str]]:
    """Return turns as messages: two keys each, and never one that is null."""
    return [{"role": one.role, "content": one.content} for one in said]


def answer(said: tuple[Turn, ...]) -> str:
    """Return an answer of one turn as its text.

    Raises:
        ValueError: if it has more turns, which no text can hold.
    """
    if len(said) != 1:
        raise ValueError(f"expected an answer of one turn, saw {len(said)}")
    return said[0].content


def asked(said: tuple[Turn, ...]) -> str:
    """Return a prompt of one turn by the user as its text.

    Raises:
        ValueError: if it has other turns, for which a form with messages is needed.
    """
    if len(said) != 1 or said[0].role != "user":
        roles = ", ".join(one.role for one in said) or "none"
        raise ValueError(f"expected a prompt of one turn by the user, saw {roles}: take a form"
                         " with messages")  # fmt: skip
    return said[0].content


def as_row(item: Item) -> dict[str, Any]:
    """Return an item as a row of the canonical form."""
    row = stated(replace(item, more={}))
    if item.prompt:
        row["prompt"] = messages(item.prompt)
    if item.candidates:
        row["candidates"] = [
            {"messages": messages(one.turns),
             **{n: v for n in ("source", "good", "safe") if (v := getattr(one, n)) is not None}}
            for one in item.candidates
        ]  # fmt: skip
    if item.choices:
        row["choices"] = [
            {name: value for name, value in one.__dict__.items() if value is not None}
            for one in item.choices
        ]
    if item.text is not None:
        row["text"] = item.text
    return {**row, "more": dict(item.more)} if item.more else row


def of_row(row: Mapping[str, Any]) -> Item:
    """Return the item of a row of the canonical form.

    Raises:
        ValueError: if it is none.
    """
    own = ("prompt", "candidates", "choices", "text", "more")
    known = about({k: v for k, v in row.items() if k not in own})
    if known.more:
        raise ValueError(f"there is no column {', '.join(known.more)}; others go into more")
    candidates = tuple(
        Candidate(turns(one["messages"], role="assistant"),
                  **{n: one.get(n) for n in ("source", "good", "safe")})
        for one in row.get("candidates") or ()
    )  # fmt: skip
    names = {one.name for one in fields(Choice)}
    choices = []
    for one in row.get("choices") or ():
        if extra := set(one) - names:
            raise ValueError(f"choices: there is no {', '.join(sorted(extra))}")
        choices.append(Choice(**{k: v for k, v in one.items() if v is not None}))
        if not (0 <= choices[-1].share <= 1 and choices[-1].weight > 0):
            raise ValueError("choices: expected a share from 0 to 1 and a weight above 0")
        if not all(0 <= at < len(candidates) for at in (choices[-1].first, choices[-1].second)):
            raise ValueError("choices: expected places of candidates")
    return replace(
        known,
        prompt=turns(row["prompt"]) if row.get("prompt") else (),
        candidates=candidates,
        choices=tuple(choices),
        text=row.get("text"),
        more=row.get("more") or {},
    )
