"""DICES: how safe people found answers in conversations, with who each rater is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from normwright.elicit.annotated import Form, Row, Said, having, needed, text_of
from normwright.elicit.importers import annotations_importer
from normwright.plugins import Card

_TRAITS: Final = ("gender", "locale", "race", "raw_race", "age", "education")


def _said(row: Row) -> Iterator[Said]:
    """One annotation a question; a question that was not put to a rater is blank."""
    rater, item = needed(row, "rater_id"), needed(row, "item_id")
    for column in row:
        if column.startswith("Q") and column[1:2] in "0123456789_" and text_of(row, column):
            yield Said(rater, item, column, text_of(row, column))


def _traits(row: Row) -> tuple[str, dict[str, str]]:
    return text_of(row, "rater_id"), {t: text_of(row, f"rater_{t}") for t in _TRAITS}


def _text(row: Row) -> tuple[str, str]:
    parts = (text_of(row, "context"), text_of(row, "response"))
    return text_of(row, "item_id"), "\n".join(part for part in parts if part)


CARD = Card(
    name="dices",
    kind="importers",
    summary="Reads DICES-350 and DICES-990: safety ratings of conversations with raters' traits.",
    reference="Aroyo et al., DICES Dataset, NeurIPS 2023; arXiv 2306.11247",
    status="tested",
)
IMPORTER = annotations_importer(
    CARD,
    "a table with rater_id, item_id and the questions Q2 to Q4 or Q_overall",
    [Form(having("rater_id", "item_id", "rater_gender", "Q_overall"), _said, _traits, _text)],
)
