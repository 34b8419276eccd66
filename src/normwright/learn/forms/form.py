"""What a form of rows is: how it is told, read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from normwright.learn.forms.canonical import Candidate, Choice, Item, Turn, about, stated, turns

Row = Mapping[str, Any]
Read = Callable[[Row], Item]
Write = Callable[[Item], Iterator[dict[str, Any]]]


@dataclass(frozen=True)
class Form:
    """One form of rows."""

    name: str
    told: str
    """What it is, in one line."""
    fits: Callable[[Row], bool]
    """Whether a row can be of this form; of several that fit, the first in the table is taken."""
    read: Read
    """Raises ValueError, KeyError or TypeError for a row of another form."""
    write: Write | None
    """None: it is only read. Raises ValueError for an item it cannot hold at all."""
    shares: bool = True
    """Whether it holds vote shares, weights and groups; if not, choices are drawn from shares."""
    suffix: Literal[".jsonl", ".json", ".parquet"] = ".jsonl"
    """How a file of it is named where nobody says."""


def has(
    *names: str, no: tuple[str, ...] = (), only: tuple[str, ...] | None = None
) -> Callable[[Row], bool]:
    """Return whether a row has some columns, has none of others, and has no others at all."""

    def fits(row: Row) -> bool:
        present = {name for name, value in row.items() if value is not None}
        return (
            present.issuperset(names)
            and present.isdisjoint(no)
            and (only is None or present <= {*names, *only})
        )

    return fits


def pair(
    base: Item,
    prompt: tuple[Turn, ...],
    chosen: tuple[Turn, ...],
    rejected: tuple[Turn, ...],
    *,
    share: float = 1.0,
    weight: float = 1.0,
    group: str | None = None,
) -> Item:
    """Return an item of two answers of which people prefer the first."""
    return replace(
        base,
        prompt=prompt,
        candidates=(Candidate(chosen), Candidate(rejected)),
        choices=(Choice(0, 1, share, weight, group),),
    )


def chosen_first(item: Item) -> Iterator[tuple[Item, Choice, tuple[Turn, ...], tuple[Turn, ...]]]:
    """Yield each choice with the answer more people prefer first, and an item with an id for it.

    Raises:
        ValueError: if there is no choice to write.
    """
    if not item.choices:
        raise ValueError("expected a choice between two answers, saw none")
    for number, choice in enumerate(item.choices):
        ahead = choice.share >= 0.5
        first, second = (choice.first, choice.second) if ahead else (choice.second, choice.first)
        one = replace(choice, first=first, second=second,
                      share=choice.share if ahead else 1 - choice.share)  # fmt: skip
        several = len(item.choices) > 1 and item.id is not None
        told = replace(item, id=f"{item.id}.{number}") if several else item
        yield told, one, item.candidates[first].turns, item.candidates[second].turns


def best(item: Item) -> tuple[Turn, ...]:
    """Return the one answer to imitate: the only one, or the one that is preferred.

    Raises:
        ValueError: if there is none, or people do not prefer one.
    """
    if len(item.candidates) == 1:
        return item.candidates[0].turns
    if len(item.choices) == 1 and item.choices[0].share != 0.5:
        choice = item.choices[0]
        return item.candidates[choice.first if choice.share > 0.5 else choice.second].turns
    raise ValueError("expected one answer to imitate")


def assistant(value: Any) -> tuple[Turn, ...]:
    """Return an answer's turns from text or messages."""
    return turns(value, role="assistant")


def text_of(row: Row, name: str) -> str:
    """Return a column that has to be text.

    Raises:
        ValueError: if it is not.
    """
    value = row.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name}: expected text")
    return value


def no_shares(item: Item) -> dict[str, Any]:
    """Return what an item states, without the weight that a foreign trainer would drop."""
    return {name: value for name, value in stated(item).items() if name != "weight"}


def plain(row: Row, *but: str) -> Item:
    """Return what a row states, but for the columns of its form."""
    return about(row, but=but)
