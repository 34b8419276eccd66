"""A row of any form as curation sees it: its texts, where they stand, and what it states."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from normwright.records import digest_bytes

UNKNOWN: Final = "unknown"
"""How a licence or an origin that nobody states is stated."""
ORIGINS: Final = ("human", "translated", "synthetic", UNKNOWN)
"""Where texts come from. Of two alike the earlier in this order stays."""

ABOUT: Final = frozenset({
    "id", "lang", "licence", "license", "origin", "source", "family", "group", "norms", "split",
    "template", "unit", "verdict", "near_miss", "swap", "alteration", "altered", "edited",
    "charter", "labelled_by", "role", "from", "translation_of", "participant", "votes", "support",
    "scene", "layer", "process_kind", "made_by", "derived_from", "digest", "parent_ids", "sha256",
    "metadata", "data_source", "ability", "task_name", "scores", "answer_no", "tools",
})  # fmt: skip
"""Columns that say something about a row, at any depth. All others hold its texts: a column nobody
foresaw is looked at, not passed over."""


@dataclass(frozen=True)
class Part:
    """One text of a row."""

    column: str
    """Where it stands, for example `prompt[0].content`."""
    path: tuple[str | int, ...]
    text: str

    @property
    def top(self) -> str:
        """The column of the row it is in."""
        return str(self.path[0])


@dataclass(frozen=True)
class Document:
    """A row, and what is stated about it."""

    id: str
    """Stands for this row alone among all that are curated."""
    stated_id: str | None
    """As the row states it; the two sides of a translation may share one."""
    file: str
    row: Mapping[str, Any]
    lang: str | None
    licence: str
    origin: str
    parts: tuple[Part, ...] = field(repr=False)

    def texts(self, columns: Sequence[str] | None = None, *, but: Sequence[str] = ()) -> list[Part]:
        """Return the texts in some columns, or in all, but for some."""
        return [
            part
            for part in self.parts
            if (columns is None or part.top in columns) and part.top not in but
        ]

    def changed(self, texts: Mapping[tuple[str | int, ...], str]) -> Document:
        """Return the document with other texts at some places."""
        row = json.loads(json.dumps(self.row))
        for path, text in texts.items():
            inside = row
            for step in path[:-1]:
                inside = inside[step]
            inside[path[-1]] = text
        parts = tuple(replace(p, text=texts.get(p.path, p.text)) for p in self.parts)
        return replace(self, row=row, parts=parts)

    def as_row(self) -> dict[str, Any]:
        """Return the row with its id, and with licence, language and origin where they are known.

        What is unknown is left out of the row, because a reader may know no word for it; the
        manifest counts it.
        """
        stated = {"id": self.id, **self.row}
        if "license" not in stated and self.licence != UNKNOWN:
            stated["licence"] = self.licence
        if self.lang is not None:
            stated["lang"] = self.lang
        if self.origin != UNKNOWN:
            stated["origin"] = self.origin
        return {**stated, "id": self.id}


def documents(
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    licence: str | None = None,
    origin: str | None = None,
) -> list[Document]:
    """Return rows as documents, sorted by id, whatever order they came in.

    A row without an id, or with one that another row has too, is named by its content as well. Of
    rows that are the same in everything each is numbered.

    Args:
        rows: name of the file and row.
        licence: of rows that state none.
        origin: of rows that state none.
    """
    forms = [json.dumps(row, sort_keys=True, ensure_ascii=False) for _, row in rows]
    marks = [digest_bytes(form.encode())[7:19] for form in forms]
    ids = [_id(row) for _, row in rows]
    often = Counter(ids)
    order = sorted(range(len(rows)), key=lambda at: (ids[at] or "", marks[at], rows[at][0]))
    taken: Counter[str] = Counter()
    made = []
    for at in order:
        file, row = rows[at]
        name = ids[at]
        unique = marks[at] if name is None else name if often[name] == 1 else f"{name}.{marks[at]}"
        taken[unique] += 1
        if taken[unique] > 1:
            unique = f"{unique}.{taken[unique]}"
        made.append(
            Document(
                id=unique,
                stated_id=name,
                file=file,
                row=row,
                lang=_text(row, "lang"),
                licence=_text(row, "licence") or _text(row, "license") or licence or UNKNOWN,
                origin=_origin(row, origin),
                parts=tuple(_parts(row, ())),
            )
        )
    return sorted(made, key=lambda one: one.id)


def _id(row: Mapping[str, Any]) -> str | None:
    found = row.get("id", row.get("scene"))
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) and found else None


def _text(row: Mapping[str, Any], name: str) -> str | None:
    found = row.get(name)
    return found if isinstance(found, str) and found.strip() else None


def _origin(row: Mapping[str, Any], default: str | None) -> str:
    found = _text(row, "origin") or default or UNKNOWN
    return found if found in ORIGINS else UNKNOWN


def _parts(value: Any, path: tuple[str | int, ...]) -> Iterator[Part]:
    match value:
        case str():
            yield Part(_told(path), path, value)
        case dict():
            for name, inside in value.items():
                if name not in ABOUT:
                    yield from _parts(inside, (*path, name))
        case list():
            for place, inside in enumerate(value):
                yield from _parts(inside, (*path, place))


def _told(path: tuple[str | int, ...]) -> str:
    first, *rest = path
    return f"{first}" + "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in rest)
