"""Annotations in tables of any name: a row each with rater, item and value, or a column a rater."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from normwright.elicit.annotated import Form, Row, Said, importer, needed, text_of
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


def _first(row: Row, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in row), None)


def _long(row: Row) -> Iterator[Said]:
    rater, item, value = (_first(row, names) for names in (_RATERS, _ITEMS, _VALUES))
    assert rater is not None  # the form is recognised by them
    assert item is not None
    assert value is not None
    aspect = _first(row, _ASPECTS)
    respect = needed(row, aspect) if aspect else value
    yield Said(needed(row, rater), needed(row, item), respect, text_of(row, value))


def _by_column(row: Row) -> Iterator[Said]:
    item = _first(row, _ITEMS)
    assert item  # the form is recognised by it
    for column in row:
        if _COLUMN.fullmatch(column):
            yield Said(column, needed(row, item), "label", text_of(row, column))


def _has_long(names: frozenset[str]) -> bool:
    return all(_first(dict.fromkeys(names), one) for one in (_RATERS, _ITEMS, _VALUES))


def _has_columns(names: frozenset[str]) -> bool:
    raters = [name for name in names if _COLUMN.fullmatch(name)]
    return len(raters) > 1 and _first(dict.fromkeys(names), _ITEMS) is not None


CARD = Card(
    name="annotations",
    kind="importers",
    summary="Reads annotations of any data set: rater, item and value, or a column a rater.",
    reference="PandaLM (arXiv 2306.05087) has a column an annotator",
    status="tested",
)
IMPORTER = importer(
    CARD,
    "rows with a rater, an item and a value, or with a column for each of several raters",
    [Form(_has_long, _long), Form(_has_columns, _by_column)],
    fallback=True,
)
