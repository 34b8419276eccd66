"""The forms of this project: the canonical one, the rows that recipes read, and drawn cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from normwright.learn.forms.canonical import (
    Candidate,
    Choice,
    Item,
    Turn,
    answer,
    as_row,
    messages,
    of_row,
    stated,
    turns,
)
from normwright.learn.forms.form import Form, Row, assistant, best, chosen_first, has, pair, plain
from normwright.learn.rows.reading import DEMONSTRATION, PREFERENCE, drawn_case, share_of

_PAIR: Final = ("prompt", "chosen", "rejected", "probability", "weight", "group")


def _prompt(said: tuple[Turn, ...]) -> Any:
    """Return a prompt as text where it is one turn by the user, else as messages."""
    alone = len(said) == 1 and said[0].role == "user"
    return said[0].content if alone else messages(said)


def _contract(told: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    """Return the columns that the recipes read; they refuse all others."""
    return {name: value for name, value in told.items() if name in columns}


def _read_demonstration(row: Row) -> Item:
    known = plain(row, "prompt", "completion")
    said = assistant(row["completion"])
    return replace(known, prompt=turns(row["prompt"]), candidates=(Candidate(said),))


def _write_demonstration(item: Item) -> Iterator[dict[str, Any]]:
    told = {"prompt": _prompt(item.prompt), "completion": answer(best(item)), **stated(item)}
    yield _contract(told, DEMONSTRATION)


def _read_preference(row: Row) -> Item:
    known = plain(row, *_PAIR)
    return pair(
        known, turns(row["prompt"]), assistant(row["chosen"]), assistant(row["rejected"]),
        share=share_of(row), weight=float(row.get("weight", 1.0)),
        group=row.get("group"),
    )  # fmt: skip


def _write_preference(item: Item) -> Iterator[dict[str, Any]]:
    for one, choice, chosen, rejected in _sides(item):
        told = {
            "prompt": _prompt(one.prompt), "chosen": answer(chosen), "rejected": answer(rejected),
            **stated(one), "probability": choice.share, "weight": choice.weight,
            "group": choice.group,
        }  # fmt: skip
        if "votes" in told:
            del told["probability"]  # it follows from the votes
        told = {name: value for name, value in told.items() if value is not None}
        yield _contract(told, PREFERENCE)


def _sides(item: Item) -> Iterator[tuple[Item, Choice, tuple[Turn, ...], tuple[Turn, ...]]]:
    """Yield each choice, the side that is ahead first; votes name sides, which then stay."""
    if "votes" not in item.more or len(item.choices) != 1:
        yield from chosen_first(item)
        return
    choice = item.choices[0]
    first, second = (item.candidates[at].turns for at in (choice.first, choice.second))
    yield item, choice, first, second


def _is_case(row: Row) -> bool:
    return row.get("labelled_by") == "resolver" and ("response" in row or "p_chosen" in row)


def _read_case(row: Row) -> Item:
    told = drawn_case(row)
    return _read_preference(told) if "chosen" in told else _read_demonstration(told)


def _write_canonical(item: Item) -> Iterator[dict[str, Any]]:
    yield as_row(item)


def _is_canonical(row: Mapping[str, Any]) -> bool:
    return "choices" in row or "candidates" in row or "more" in row


FORMS: Final = (
    Form("canonical", "Everything: candidates, choices with shares, norms", _is_canonical,
         of_row, _write_canonical),
    Form("cases", "Drawn cases, as `charter cases` writes them to learn from", _is_case,
         _read_case, None),
    Form("preferences", "Pairs with vote shares, as `learn reward` and `learn prefer` read them",
         has("prompt", "chosen", "rejected", only=PREFERENCE), _read_preference,
         _write_preference),
    Form("demonstrations", "Prompts with answers, as `learn sft` reads them",
         has("prompt", "completion", only=DEMONSTRATION), _read_demonstration,
         _write_demonstration),
)  # fmt: skip
