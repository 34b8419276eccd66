"""From one form of rows to another: without loss, or with the loss told and agreed to.

Whether something is lost is not declared but tried: each row that is written is read again, and
what comes back is compared with what went in. Where a form holds no vote shares, choices are drawn
from them instead: each pair is repeated by its weight and falls to the first answer with its share
as probability. The loss that a trainer then minimises has the weighted soft-label loss as its
expectation, so the surrogate is unbiased; its variance shrinks with the number of draws.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from normwright.learn.forms import others, ours, trl
from normwright.learn.forms.canonical import Item, as_row
from normwright.learn.forms.form import Form
from normwright.records import Fault, InputError, digest_json

FORMS: Final[Mapping[str, Form]] = {
    form.name: form
    for form in (
        *ours.FORMS[:2], *others.FIRST, *trl.CHAT, *trl.FORMS, *ours.FORMS[2:], *others.PAIRS,
        *trl.LAST,
    )
}  # fmt: skip
"""All forms by name, in the order in which a file's form is told."""
AUTO: Final = "auto"
_LOOKED_AT: Final = 1_000
"""Rows by which the form of a file is told."""
_SHOWN: Final = 20


@dataclass(frozen=True)
class Converted:
    """Rows of another form, and what became of what they said."""

    rows: tuple[dict[str, Any], ...]
    """Sorted by id."""
    read_as: str
    items: int
    lost: Mapping[str, int]
    """Rows that lost each of these columns."""
    drawn: int
    """Rows whose choices were drawn from shares, because the form holds none."""


def form_of(rows: Sequence[Mapping[str, Any]], where: str) -> Form:
    """Return the first form that the rows fit, which the table has from narrow to wide.

    Raises:
        InputError: if they fit none.
    """
    seen = rows[:_LOOKED_AT]
    found = next((form for form in FORMS.values() if all(map(form.fits, seen))), None)
    if found is None or not seen:
        columns = ", ".join(sorted({name for row in seen for name in row}))
        raise InputError([
            Fault(where=where, expected="rows of one known form", seen=f"columns {columns}",
                  do="Name the form with --from; `--forms` lists them.")
        ])  # fmt: skip
    return found


def convert(
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    source: str = AUTO,
    target: str,
    lossy: bool = False,
    seed: int = 0,
    draws: int = 1,
) -> Converted:
    """Return rows of one form as rows of another.

    Args:
        rows: where each stands, for messages, and the row.
        source: name of their form, or `auto`.
        target: name of the form to write.
        lossy: whether columns may be lost.
        seed: of choices that are drawn.
        draws: how many times a pair of weight 1 is drawn.

    Raises:
        InputError: with every row that is not of the form, or that the target cannot hold; and,
            unless `lossy`, with the columns that would be lost.
    """
    if draws < 1:
        raise ValueError(f"expected at least one draw, saw {draws}")
    into = _writable(target)
    form = FORMS[source] if source != AUTO else form_of([row for _, row in rows], "rows")
    faults: list[Fault] = []
    items = list(_read(form, rows, faults))
    written: list[tuple[str, dict[str, Any]]] = []
    lost: Counter[str] = Counter()
    drawn = 0
    for where, item in items:
        shared = not into.shares and any(_is_shared(one) for one in item.choices)
        drawn += shared
        if shared:
            # What nobody can tell from single draws; shares and weights can be, from many.
            lost.update({"group"} if any(one.group is not None for one in item.choices) else ())
            lost.update({"votes"} if "votes" in item.more else ())
        name = item.id or digest_json(as_row(item))
        try:
            for number, one in enumerate(
                _drawn(item, f"{seed}|{name}", draws) if shared else [item]
            ):
                made = list(into.write(one)) if into.write else []
                lost.update(_lost(into, one, made, shared))
                written += [(f"{name}|{number:09d}|{at:04d}", row) for at, row in enumerate(made)]
        except (ValueError, KeyError, TypeError, IndexError) as error:
            faults.append(Fault(where=where, expected=f"a row that {target} can hold",
                                seen=_said(error)))  # fmt: skip
    if lost and not lossy and not faults:
        faults += _losses(lost, target)
    if faults:
        raise InputError(_few(faults))
    written.sort(key=lambda one: one[0])
    return Converted(
        rows=tuple(row for _, row in written), read_as=form.name, items=len(items),
        lost=dict(sorted(lost.items())), drawn=drawn,
    )  # fmt: skip


def _writable(target: str) -> Form:
    form = FORMS.get(target)
    if form is None or form.write is None:
        known = ", ".join(name for name, one in FORMS.items() if one.write is not None)
        raise InputError([Fault(where="--to", expected=f"one of {known}", seen=target)])
    return form


def _read(
    form: Form, rows: Sequence[tuple[str, Mapping[str, Any]]], faults: list[Fault]
) -> Iterator[tuple[str, Item]]:
    for where, row in rows:
        try:
            yield where, form.read(row)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            faults.append(Fault(where=where, expected=f"a row of the form {form.name}",
                                seen=_said(error)))  # fmt: skip


def _is_shared(choice: Any) -> bool:
    return choice.share not in (0, 1) or choice.weight != 1 or choice.group is not None


def _drawn(item: Item, seed: str, draws: int) -> Iterator[Item]:
    """Yield the item with one certain choice at a time, as often as its weight says.

    A weight of 2.3 is two rows, and a third with probability 0.3.
    """
    rng = random.Random(seed)
    number = 0
    for choice in item.choices:
        times = choice.weight * draws
        for _ in range(int(times) + (rng.random() < times % 1)):
            first = rng.random() < choice.share
            one = replace(choice, share=float(first), weight=1.0, group=None)
            name = None if item.id is None else f"{item.id}.{number}"
            number += 1
            more = {key: value for key, value in item.more.items() if key != "votes"}
            yield replace(item, id=name, choices=(one,), more=more)


def _lost(form: Form, item: Item, made: Sequence[Mapping[str, Any]], drawn: bool) -> set[str]:
    """Return which columns of an item are not in the rows it was written as."""
    back = [form.read(row) for row in made]
    if not back:
        return {"row"}
    lost = {
        one.name
        for one in fields(Item)
        if one.name
        not in ("id", "candidates", "choices", "more", "prompt", "process_kind", "origin")
        and any(getattr(b, one.name) != getattr(item, one.name) for b in back)
    }
    for name in ("origin", "process_kind"):
        had = getattr(item, name)
        if had is not None and any(getattr(b, name) != had for b in back):
            lost.add(name)
    if any(b.prompt != item.prompt for b in back):
        lost.add("prompt")
    if item.id is not None and any(b.id is None for b in back):
        lost.add("id")
    lost |= {name for name, value in item.more.items()
             if any(name not in b.more or b.more[name] != value for b in back)}  # fmt: skip
    return lost | _lost_answers(item, back, drawn)


def _lost_answers(item: Item, back: Sequence[Item], drawn: bool) -> set[str]:
    had = Counter(one.turns for one in item.candidates)
    got = {one.turns for b in back for one in b.candidates}
    lost = {"answers"} if any(one not in got for one in had) else set()
    for name in ("source", "safe"):
        kept = {getattr(c, name) for b in back for c in b.candidates}
        if any(getattr(c, name) not in (None, *kept) for c in item.candidates):
            lost.add(name)
    labels = {(c.turns, c.good) for b in back for c in b.candidates}
    if any(c.good is not None and (c.turns, c.good) not in labels for c in item.candidates):
        lost.add("label")
    if not _as_chosen(item) <= {one for b in back for one in _as_chosen(b)} and not _unpaired(back):
        lost.add("choices")
    return lost


def _unpaired(back: Sequence[Item]) -> bool:
    """Whether a pair was written as two labelled answers, which say the same one at a time."""
    return len(back) > 1 and all(not b.choices and b.candidates[0].good is not None for b in back)


def _as_chosen(item: Item) -> set[tuple[Any, ...]]:
    """Return each choice by its answers, the one that is ahead first."""
    found = set()
    for one in item.choices:
        first, second = (item.candidates[at].turns for at in (one.first, one.second))
        ahead = one.share > 0.5 or (one.share == 0.5 and str(first) <= str(second))
        share = one.share if ahead else 1 - one.share
        sides = (first, second) if ahead else (second, first)
        found.add((*sides, share, one.weight, one.group, one.criterion))
    return found


def _losses(lost: Mapping[str, int], target: str) -> list[Fault]:
    return [
        Fault(where=name, expected=f"a column that {target} holds",
              seen=f"{rows} rows that would lose it",
              do="Take a form that holds it, or agree to the loss with --lossy.")
        for name, rows in sorted(lost.items())
    ]  # fmt: skip


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"no {error.args[0]}"
    return str(error)[:200] or type(error).__name__


def _few(faults: Sequence[Fault]) -> list[Fault]:
    more = len(faults) - _SHOWN
    if more <= 0:
        return list(faults)
    return [*faults[:_SHOWN], Fault(where="in all", expected="no faults", seen=f"{more} more")]
