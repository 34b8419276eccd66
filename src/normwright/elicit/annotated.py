"""What raters said of items, put into columns of numbers, with what is odd in it."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from normwright.elicit.files import Folder
from normwright.elicit.integrity import STRAIGHT, Report
from normwright.elicit.sheets import (
    JSON_ENDINGS,
    TABLE_ENDINGS,
    ending,
    first_object,
    read_objects,
    shortened,
)
from normwright.records import Annotations, IntegrityFault

NONE: Final = "none"
"""Stands where a rater was asked for any number of labels and gave none."""


@dataclass(frozen=True)
class Annotated:
    """What people said of many things, one by one, checked."""

    annotations: Annotations
    faults: tuple[IntegrityFault, ...]


class Said(NamedTuple):
    """One annotation as a row has it."""

    rater: str | None
    item: str
    aspect: str
    value: str
    times: int = 1
    """How many said so, where nobody is named."""


class _Names(dict[str, int]):
    """Numbers of names, in the order in which they first occur."""

    def number(self, name: str) -> int:
        return self.setdefault(name, len(self))


@dataclass
class Gathered:
    """Annotations as they come in, a row at a time."""

    report: Report
    raters: _Names = field(default_factory=_Names)
    items: _Names = field(default_factory=_Names)
    aspects: _Names = field(default_factory=_Names)
    values: _Names = field(default_factory=_Names)
    columns: tuple[array[int], ...] = field(
        default_factory=lambda: tuple(array("q") for _ in range(5))
    )
    """Rater, item, aspect, value, count."""
    places: dict[int, str] = field(default_factory=dict)
    """Number of a rater -> where they first stand."""
    texts: dict[str, str] = field(default_factory=dict)
    traits: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """Trait -> rater -> what is told."""
    _there: dict[int, int] = field(default_factory=dict)

    def add(self, where: str, said: Said) -> None:
        """Note one annotation. Of a named rater's on one item in one respect the last counts."""
        rater = -1 if said.rater is None else self.raters.number(said.rater)
        item, aspect = self.items.number(said.item), self.aspects.number(said.aspect)
        value = self.values.number(said.value)
        if rater >= 0:
            self.places.setdefault(rater, where)
        # Anonymous rows differ in their value, and are counted; those of somebody are replaced.
        key = (((rater + 1) << 40 | item) << 40 | aspect) << 40 | (value if rater < 0 else 0)
        place = self._there.setdefault(key, len(self.columns[0]))
        if place == len(self.columns[0]):
            row = (rater, item, aspect, value, said.times)
            for column, number in zip(self.columns, row, strict=True):
                column.append(number)
        elif rater < 0:
            self.columns[4][place] += said.times
        else:
            differs = self.columns[3][place] != value
            kind = "contradicting-annotations" if differs else "duplicate-annotations"
            policy = "the last annotation of a rater on an item counts"
            self.report.add(kind, policy, where)
            self.columns[3][place] = value

    def tell(self, where: str, rater: str, trait: str, value: str) -> None:
        """Note what is told of a rater; the first that is told stands."""
        if value and self.traits[trait].setdefault(rater, value) != value:
            self.report.add("traits-differ", "the first that is told of a rater stands", where)

    def made(self) -> Annotations:
        """Return the annotations, with what is odd in them reported."""
        self._report()
        return Annotations(
            raters=tuple(self.raters),
            items=tuple(self.items),
            aspects=tuple(self.aspects),
            values=tuple(self.values),
            rater=self.columns[0],
            item=self.columns[1],
            aspect=self.columns[2],
            value=self.columns[3],
            counts=self.columns[4],
            traits={
                trait: tuple(told.get(rater, "") for rater in self.raters)
                for trait, told in sorted(self.traits.items())
            },
            texts=self.texts,
        )

    def _report(self) -> None:
        """Raters who say the same of everything, and items of which one person says anything."""
        said: dict[int, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        by_rater: Counter[int] = Counter(self.columns[0])
        seen: dict[int, set[int]] = defaultdict(set)
        anonymous: dict[int, Counter[int]] = defaultdict(Counter)
        for rater, item, aspect, value, count in zip(*self.columns, strict=True):
            if rater < 0:
                anonymous[item][aspect] += count
            else:
                said[rater][aspect].add(value)
                seen[item].add(rater)
        for rater, aspects in said.items():
            alike = all(len(values) == 1 for values in aspects.values())
            if by_rater[rater] >= STRAIGHT * len(aspects) and alike:
                policy = "kept; in each respect every answer is the same"
                self.report.add("straight-liners", policy, self.places[rater])
        names = list(self.items)
        for item, name in enumerate(names):
            most = max(anonymous[item].values(), default=0) if item in anonymous else 0
            if len(seen.get(item, ())) + most == 1:
                policy = "kept; one person's word, with no agreement to be measured"
                self.report.add("items-of-one-rater", policy, f"item {name[:60]}")
        if anonymous:
            policy = "kept and counted; the source does not name who said so"
            total = sum(count for told in anonymous.values() for count in told.values())
            self.report.add("unnamed-raters", policy, f"item {names[min(anonymous)][:60]}", total)


Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Form:
    """How the rows of one kind of data set hold annotations."""

    fits: Callable[[frozenset[str]], bool]
    """Says of the columns of a file whether it is of this form."""
    said: Callable[[Row], Iterable[Said]]
    """The annotations of one row. Raises `ValueError`, `expected|seen`, where it holds none."""
    traits: Callable[[Row], tuple[str, Mapping[str, str]]] | None = None
    """The rater of a row, and what it tells of them."""
    text: Callable[[Row], tuple[str, str]] | None = None
    """An item and its text."""


def text_of(row: Row, column: str) -> str:
    """Return a cell as text; a whole float as the whole number it is, nothing as nothing."""
    value = row.get(column)
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case list():
            return "|".join(sorted(str(one) for one in value)) or NONE
        case _:
            return str(value).strip()


def needed(row: Row, column: str) -> str:
    """Return a cell that must hold something.

    Raises:
        ValueError: `expected|seen`, if it is empty.
    """
    text = text_of(row, column)
    if not text:
        raise ValueError(f"a value in {column}|nothing")
    return text


def read_forms(folder: Folder, forms: Sequence[Form]) -> Annotated | None:
    """Return the annotations of every file of a folder that is of a form, or None after faults."""
    report = Report()
    gathered = Gathered(report)
    for path in tables_of(folder):
        form = form_of(path, forms)
        if form is not None:
            _read_file(path, form, folder, gathered)
    if not len(gathered.columns[0]) and not folder.faults.found:
        place = folder.label(folder.only or folder.directory)
        folder.faults.add(place, "annotations", "none")
    if folder.faults.found:
        return None
    annotations = gathered.made()
    for rater in sorted({r for told in gathered.traits.values() for r in told}):
        if rater not in gathered.raters:
            policy = "left out; nothing they said is in the files"
            report.add("silent-raters", policy, folder.label(folder.only or folder.directory))
    if gathered.traits:
        told_of = set().union(*gathered.traits.values())
        for rater, number in gathered.raters.items():
            if rater not in told_of:
                policy = "kept; nothing is told of them"
                report.add("raters-without-traits", policy, gathered.places[number])
    return Annotated(annotations, report.faults())


def _read_file(path: Path, form: Form, folder: Folder, gathered: Gathered) -> None:
    rows = read_objects(path, folder)
    for where, row in rows or ():
        try:
            said = list(form.said(row))
            for one in said:
                if one.value:
                    gathered.add(where, one)
                else:
                    policy = "no annotation; a blank says nothing"
                    gathered.report.add("blank-annotations", policy, where)
            if form.traits is not None:
                rater, told = form.traits(row)
                for trait, value in told.items():
                    gathered.tell(where, rater, trait, value)
            if form.text is not None:
                item, text = form.text(row)
                if text and gathered.texts.setdefault(item, text) != text:
                    policy = "the first text of an item stands"
                    gathered.report.add("texts-differ", policy, where)
        except ValueError as error:
            expected, _, seen = str(error).partition("|")
            folder.faults.add(where, expected, shortened(seen))


def tables_of(folder: Folder) -> list[Path]:
    """Return the files of a folder that may hold rows."""
    return [path for path in folder.files() if ending(path) in (*JSON_ENDINGS, *TABLE_ENDINGS)]


def form_of(path: Path, forms: Sequence[Form]) -> Form | None:
    """Return the first form that a file is of, or None."""
    names = frozenset(first_object(path))
    return next((form for form in forms if form.fits(names)), None)


def having(*columns: str) -> Callable[[frozenset[str]], bool]:
    """Return a check that all these columns are there."""
    return frozenset(columns).issubset


def counted(item: str, aspect: str, labels: Any) -> Iterator[Said]:
    """Yield what was said of an item in one respect: a label a rater, by name or without names.

    Args:
        item: the item.
        aspect: in which respect.
        labels: a mapping from rater to label, or a list of labels of raters nobody names.

    Raises:
        ValueError: `expected|seen`, if it is neither.
    """
    if isinstance(labels, dict):
        for rater, label in labels.items():
            yield Said(str(rater), item, aspect, _label(label))
    elif isinstance(labels, list):
        for label, count in sorted(Counter(map(_label, labels)).items()):
            yield Said(None, item, aspect, label, count)
    else:
        raise ValueError(f"labels of raters, by name or in a list, for {aspect}|{labels!r}")


def _label(value: Any) -> str:
    return text_of({"": value}, "")
