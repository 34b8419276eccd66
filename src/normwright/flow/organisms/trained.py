"""Which items of an examination stand in the rows that a model was trained on.

Such an item is no evidence of conduct: it is taken out and counted. Its text is looked for as it
stands (`texts.overlap`), so that paraphrases, and translations that nobody gave, are not found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from normwright.flow.organisms.nursery import held
from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from normwright.evaluate.detectors.contamination import Contaminated
    from normwright.learn.forms.canonical import Item
    from normwright.records import Scene

SHARE: Final = "contamination.share"
"""The metric of how many items of an examination were found in training rows."""
TRIED: Final[Mapping[str, int]] = {"language-parity": 2, "proxy-gap": 3}
"""By detector: comparisons that its p-value is corrected for; of all others one."""
MOST: Final = 32
"""Draws a wording beyond which no item is looked for."""


def training_texts(files: Sequence[Path]) -> list[tuple[str, str]]:
    """Return every text of training rows with the place of its row.

    Rows may be of any form that `learn convert` knows: demonstrations, preference pairs, cases,
    conversations, texts; as lines, a list or parquet, packed or not. All sides of a row count,
    whether they were learned from or against.

    Raises:
        InputError: with every file that cannot be read, is of no known form, or has no rows. A
            file in which nothing could be looked for would look like a clean one.
    """
    from normwright.learn.forms import form_of
    from normwright.learn.rows.files import read_rows

    faults: list[Fault] = []
    texts: list[tuple[str, str]] = []
    for file in files:
        before = len(faults)
        rows = list(read_rows(file, faults))
        if len(faults) > before:
            continue
        if not rows:
            do = "Name the rows that the model was trained on, or leave the option out."
            faults.append(Fault(where=str(file), expected="training rows", seen="none", do=do))
            continue
        try:
            form = form_of([row for _, row in rows], str(file))
        except InputError as error:
            do = "See the forms: normwright learn convert --forms."
            faults += [f.model_copy(update={"do": do}) for f in error.faults]
            continue
        for number, row in rows:
            place = f"{file.name}:{number}"
            try:
                texts += [(place, text) for text in _texts(form.read(row)) if text.strip()]
            except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
                seen = str(error)[:200] or type(error).__name__
                faults.append(Fault(where=place, expected=f"a row of the form {form.name}",
                                    seen=seen))  # fmt: skip
    if not faults and files and not texts:
        seen = "rows without any"
        faults.append(Fault(where=str(files[0]), expected="texts in training rows", seen=seen))
    if faults:
        raise InputError(faults)
    return texts


def _texts(item: Item) -> Iterable[str]:
    """All that a row says, turn by turn, and its prompt as one."""
    yield "\n".join(turn.content for turn in item.prompt)
    yield from (turn.content for turn in item.prompt)
    yield from (turn.content for one in item.candidates for turn in one.turns)
    yield item.text or ""


def contaminated_items(
    items: Collection[str], texts: Iterable[tuple[str, str]], *, seed: int
) -> Contaminated:
    """Return which items of an examination stand in texts, and in which row.

    Args:
        items: ids, as findings have them; one that stands for a request in both languages is
            found if either of the two is.
        texts: from `training_texts`.
        seed: what the items were drawn by.

    Raises:
        ValueError: if an item is none of the draw.
    """
    from normwright.evaluate.detectors.contamination import Contaminated, contaminated
    from normwright.texts import Benchmarks

    wordings = _wordings(items, seed)
    names = {f"{item}#{at}": item for item, asked in wordings.items() for at in range(len(asked))}
    sought = {name: wordings[item][int(name.rpartition("#")[2])] for name, item in names.items()}
    read = list(texts)
    found = dict(contaminated(sought, read).found)
    # Of each text that tells one item, which may hold others too.
    rows = {row for row, _ in found.values()}
    every = Benchmarks(sought.items())
    alike: dict[str, list[str]] = {}
    for name, text in sought.items():
        alike.setdefault(text, []).append(name)
    for row, text in read:
        for held_ in every.find_all(text) if row in rows else ():
            for name in alike[sought[held_.item]]:
                found.setdefault(name, (row, held_.share))
    hit: dict[str, tuple[str, float]] = {}
    for name, where in found.items():
        hit.setdefault(names[name], where)
    return Contaminated(tuple(i for i in items if i not in hit), hit)


def _wordings(items: Collection[str], seed: int) -> dict[str, list[str]]:
    """What is asked under each id, the sheet with the request."""
    size = 16
    while size <= MOST:
        ground = held(seed, size)
        scenes = (*ground.forbidden, *ground.allowed, *ground.plain)
        by_id: dict[str, list[Scene]] = {}
        for scene in scenes:
            by_id.setdefault(scene.id, []).append(scene)
            by_id.setdefault(scene.id.removesuffix(f"/{scene.lang}"), []).append(scene)
        if all(item in by_id for item in items):
            return {i: [m.content for s in by_id[i] for m in s.messages[-1:]] for i in items}
        size *= 2
    lost = sorted(item for item in items if item not in by_id)
    raise ValueError(f"{len(lost)} items are none of the draw, for example {lost[0]}")


def without(found: Sequence[Mapping[str, Any]], out: Collection[str]) -> list[dict[str, Any]]:
    """Return findings as they are without some items: rates, gaps, p-values.

    What a search picked stays picked. A finding that no item is left of shows nothing.
    """
    from normwright.evaluate.detectors.suspicion import compared, equal
    from normwright.records import Estimate

    left = []
    for one in found:
        slices = {
            name: {item: value for item, value in values.items() if item not in out}
            for name, values in one["slices"].items()
        }
        first, second = list(slices.values())[:2]
        if not first:
            gap, p, even = Estimate(value=None, interval=None, n=0), 1.0, False
        else:
            units, margin = one["units"], one["margin"]
            gap, p = compared(first, second, units, margin=margin)
            if one["detector"] == "language-parity":
                p = min(p, compared(second, first, units, margin=margin)[1])
            p = min(1.0, p * TRIED.get(one["detector"], 1))
            even = equal(first, second, units, margin=margin)
        left.append(
            {**one, "slices": slices, "gap": gap.as_json(), "p_value": p, "equivalent": even}
        )
    return left
