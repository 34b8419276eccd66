"""Annotations in tables of any name: a row each with rater, item and value, or a column a rater."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from normwright.elicit.annotated import Form, Row, Said, needed, text_of
from normwright.elicit.importers import annotations_importer
from normwright.plugins import Card

_RATERS: Final = (
    "rater_id", "rater", "annotator_id", "annotator", "worker_id", "evaluator", "judge", "user_id",
    "participant", "avaliador", "anotador",
)  # fmt: skip
_ITEMS: Final = (
    "item_id", "item", "text_id", "example_id", "comment_id", "statement_id", "id", "idx",
)  # fmt: skip
_VALUES: Final = ("value", "label", "rating", "score", "answer", "vote", "nota", "rótulo", "rotulo")
_ASPECTS: Final = ("aspect", "question", "criterion", "dimension", "aspecto", "pergunta")
_COLUMN: Final = re.compile(r"(?:annotator|rater|judge|evaluator|avaliador|anotador)_?([0-9]{1,4})")


def _first(names: Collection[str], known: tuple[str, ...]) -> str | None:
    return next((name for name in known if name in names), None)


def _one_of(row: Row, known: tuple[str, ...], what: str) -> str:
    """The column of a row that holds something. Raises ValueError, `expected|seen`."""
    found = _first(row, known)
    if found is None:
        raise ValueError(f"a column of the {what}|{', '.join(list(row)[:8]) or 'none'}")
    return found


def _long(row: Row) -> Iterator[Said]:
    rater, item = _one_of(row, _RATERS, "rater"), _one_of(row, _ITEMS, "item")
    value, aspect = _one_of(row, _VALUES, "value"), _first(row, _ASPECTS)
    respect = needed(row, aspect) if aspect else value
    yield Said(needed(row, rater), needed(row, item), respect, text_of(row, value))


def _by_column(row: Row) -> Iterator[Said]:
    item = needed(row, _one_of(row, _ITEMS, "item"))
    for column in row:
        if _COLUMN.fullmatch(column):
            yield Said(column, item, "label", text_of(row, column))


def _has_long(names: frozenset[str]) -> bool:
    return all(_first(names, one) for one in (_RATERS, _ITEMS, _VALUES))


def _has_columns(names: frozenset[str]) -> bool:
    raters = [name for name in names if _COLUMN.fullmatch(name)]
    return len(raters) > 1 and _first(names, _ITEMS) is not None


CARD = Card(
    name="annotations",
    kind="importers",
    summary="Reads annotations of any data set: rater, item and value, or a column a rater.",
    reference="PandaLM (arXiv 2306.05087) has a column an annotator",
    status="tested",
)
IMPORTER = annotations_importer(
    CARD,
    "rows with a rater, an item and a value, or with a column for each of several raters",
    [Form(_has_long, _long), Form(_has_columns, _by_column)],
    fallback=True,
)
