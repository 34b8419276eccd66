"""Before anybody rates: the plan, its power, blinded sheets in random order, and the seal on all.

Each item goes to as many raters as planned, spread evenly; for each rater half of the items show
the first system's answer first. The order within a sheet and the names of its rows are drawn.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from normwright import __version__, stats
from normwright.evaluate.json_lines import Line, read
from normwright.records import (
    Digest,
    Fault,
    InputError,
    MadeBy,
    Placed,
    Registration,
    SheetRow,
    StudyItem,
    StudyPlan,
    digest_json,
)

ASSUMED: Mapping[str, float] = {"rater": 0.01, "item": 0.1, "rest": 0.07}
"""Variances of one rating (0, one half, 1) where nobody has measured them: between what this very
analysis finds in the comparisons of Wang et al. (arXiv 2306.04751 and 2306.05087)."""


@dataclass(frozen=True)
class Prepared:
    """A study that can begin."""

    sheets: Mapping[str, tuple[SheetRow, ...]]
    """By rater."""
    key: tuple[Placed, ...]
    secret: str
    """What the order was drawn from."""


def read_plan(path: Path) -> StudyPlan:
    """Return the plan of a YAML file.

    Raises:
        InputError: with every fault of the file.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        seen = " ".join(str(error).split())
        raise InputError([Fault(where=str(path), expected="a YAML file", seen=seen)]) from error
    if not isinstance(raw, dict):
        raise InputError([Fault(where=str(path), expected="a plan (a mapping)", seen=repr(raw))])
    try:
        plan = StudyPlan.model_validate(raw)
    except ValidationError as error:
        raise InputError(_faults(path, error)) from error
    faults = [
        Fault(where=f"{path}: {where}", expected=expected, seen=seen, do=do)
        for where, expected, seen, do in _wrong(plan)
    ]
    if faults:
        raise InputError(faults)
    return plan


def _faults(path: Path, error: ValidationError) -> list[Fault]:
    return [
        Fault(
            where=f"{path}: {'.'.join(str(part) for part in one['loc'])}",
            expected=one["msg"],
            seen=repr(one["input"])[:60],
        )
        for one in error.errors()
    ]


def _wrong(plan: StudyPlan) -> list[tuple[str, str, str, str]]:
    wrong = []
    if plan.systems[0] == plan.systems[1]:
        wrong.append(("systems", "two systems", f"{plan.systems[0]!r} twice", ""))
    if plan.per_item > plan.raters:
        seen = f"{plan.per_item} an item from {plan.raters} raters"
        wrong.append(("per_item", "at most as many as there are raters", seen, ""))
    if plan.claim != "superiority" and plan.margin == 0:
        do = "Say how far from one half is still as good."
        wrong.append(("margin", f"a margin over 0 for {plan.claim}", "0", do))
    return wrong


def read_items(first: Path, second: Path) -> tuple[StudyItem, ...]:
    """Return the prompts with both systems' answers, of two files of `{"id", "prompt", "answer"}`.

    Raises:
        InputError: with every fault of both files, and each prompt that only one of them has.
    """

    def row(line: Line) -> tuple[str, str, str, str | None] | None:
        name, prompt = line.text("id"), line.text("prompt")
        answer, lang = line.text("answer", empty=True), line.body.get("lang")
        if lang is not None and not isinstance(lang, str):
            line.fault("a language tag in `lang`", repr(lang))
        return None if line.faults else (name, prompt, answer, lang)

    faults: list[Fault] = []
    found = []
    for path in (first, second):
        try:
            found.append({r[0]: r for r in read(path, row)})
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    ours, theirs = found
    for one, other, path in ((ours, theirs, second), (theirs, ours, first)):
        faults += [
            Fault(where=str(path), expected=f"an answer to {name!r}", seen="none")
            for name in one if name not in other
        ]  # fmt: skip
    faults += [
        Fault(where=f"{second}: {n}", expected="the same prompt as in the other file", seen="other")
        for n in ours if n in theirs and ours[n][1] != theirs[n][1]
    ]  # fmt: skip
    if faults:
        raise InputError(faults)
    return tuple(
        StudyItem(id=n, prompt=r[1], first=r[2], second=theirs[n][2], lang=r[3])
        for n, r in ours.items()
    )


def prepare(plan: StudyPlan, items: Sequence[StudyItem], *, secret: str) -> Prepared:
    """Return blinded sheets and the key to them, drawn from a secret.

    Raises:
        InputError: if there are fewer items than raters, for whom there would be empty sheets.
    """
    raters = [f"rater-{i + 1:02d}" for i in range(plan.raters)]
    if len(items) * plan.per_item < 2 * plan.raters or len(items) < 2:
        seen = f"{len(items)} items for {plan.raters} raters, {plan.per_item} raters an item"
        do = "Give more prompts, or plan for fewer raters."
        raise InputError([Fault(where="items", expected="at least two ratings a rater", seen=seen,
                                do=do)])  # fmt: skip
    rng = random.Random(f"{plan.digest}|{secret}")
    shuffled = list(items)
    rng.shuffle(shuffled)
    given: dict[str, list[StudyItem]] = {rater: [] for rater in raters}
    for item in shuffled:
        # The least busy raters first, ties drawn: loads differ by one at most.
        order = sorted(raters, key=lambda r: (len(given[r]), rng.random()))
        for rater in order[: plan.per_item]:
            given[rater].append(item)
    sheets, key = {}, []
    for rater in raters:
        mine = given[rater]
        rng.shuffle(mine)
        swaps = [i % 2 == 0 for i in range(len(mine))]
        rng.shuffle(swaps)
        rows = []
        for item, swapped in zip(mine, swaps, strict=True):
            drawn = hashlib.sha256(f"{secret}|{rater}|{item.id}".encode()).hexdigest()
            # A letter first, or a spreadsheet would take some names for numbers.
            name = f"r{drawn[:12]}"
            rows.append(_shown(name, item, swapped=swapped))
            key.append(Placed(row=name, rater=rater, item=item.id, swapped=swapped))
        sheets[rater] = tuple(rows)
    return Prepared(sheets, tuple(key), secret)


def sheets_of(key: Sequence[Placed], items: Sequence[StudyItem]) -> dict[str, tuple[SheetRow, ...]]:
    """Return the sheets that a key places the items on, by rater.

    Raises:
        InputError: if the key names items that are not there.
    """
    known = {item.id: item for item in items}
    if missing := sorted({p.item for p in key} - set(known)):
        seen = f"none called {', '.join(missing[:5])}"
        raise InputError([Fault(where="items", expected="each item of the key", seen=seen)])
    sheets: dict[str, list[SheetRow]] = {}
    for p in key:
        sheets.setdefault(p.rater, []).append(_shown(p.row, known[p.item], swapped=p.swapped))
    return {rater: tuple(rows) for rater, rows in sheets.items()}


def _shown(row: str, item: StudyItem, *, swapped: bool) -> SheetRow:
    left, right = (item.second, item.first) if swapped else (item.first, item.second)
    return SheetRow(row=row, prompt=item.prompt, first=left, second=right, lang=item.lang)


def key_file(prepared: Prepared) -> dict[str, Any]:
    """Return the key as it is stored: what stands where, and what it was drawn from."""
    return {"secret": prepared.secret, "rows": [p.model_dump(mode="json") for p in prepared.key]}


def open_key(raw: Mapping[str, Any], *, where: str) -> tuple[Placed, ...]:
    """Return what a stored key holds.

    Raises:
        InputError: if it is no key.
    """
    try:
        return tuple(Placed.model_validate(row) for row in raw["rows"])
    except (KeyError, TypeError, ValidationError) as error:
        raise InputError(
            [Fault(where=where, expected="the key of a study", seen=type(error).__name__)]
        ) from error


def sheets_digest(sheets: Mapping[str, Sequence[SheetRow]]) -> Digest:
    """Return the digest of all sheets together."""
    return digest_json({r: [row.model_dump(mode="json") for row in s] for r, s in sheets.items()})


def items_digest(items: Sequence[StudyItem]) -> Digest:
    """Return the digest of the prompts with their answers."""
    return digest_json([item.model_dump(mode="json") for item in items])


def register(
    plan: StudyPlan,
    items: Sequence[StudyItem],
    prepared: Prepared,
    *,
    assumed: Mapping[str, float] = ASSUMED,
    at: str,
) -> Registration:
    """Return the seal: digests of plan, items, sheets and key, and the power they give.

    Args:
        plan: what is to be shown.
        items: prompts with answers.
        prepared: from `prepare`.
        assumed: variances of one rating, by `rater`, `item` and `rest`.
        at: the time, before the first rating.
    """
    return Registration(
        plan=plan.digest,
        items=items_digest(items),
        sheets=sheets_digest(prepared.sheets),
        key=digest_json(key_file(prepared)),
        code=__version__,
        power=_power(plan, len(items), assumed),
        assumed=dict(assumed),
        at=at,
        derived_from=(plan.digest,),
        made_by=MadeBy(stage="evaluate", plugin="human-study", version=__version__),
    )


def items_needed(
    plan: StudyPlan,
    *,
    power: float = 0.8,
    assumed: Mapping[str, float] = ASSUMED,
    most: int = 100_000,
) -> int | None:
    """Return the items that give a study its power, None where these raters alone forbid it."""
    low, high = max(2, plan.raters), most
    if (_power(plan, high, assumed) or 0.0) < power:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if (_power(plan, middle, assumed) or 0.0) >= power else (middle + 1, high)
        )
    return low


def _power(plan: StudyPlan, items: int, assumed: Mapping[str, float]) -> float | None:
    ratings = items * plan.per_item
    if items < 2 or ratings < max(plan.raters, items):
        return None
    # Claims of being as good are one-sided, and truth is then one half, a margin away.
    effect = plan.least_effect if plan.claim == "superiority" else plan.margin
    alpha = plan.alpha if plan.claim == "superiority" else 2 * plan.alpha
    return stats.crossed_power(
        effect, rows=plan.raters, columns=items, ratings=ratings, row=assumed["rater"],
        column=assumed["item"], rest=assumed["rest"], alpha=alpha,
    )  # fmt: skip
