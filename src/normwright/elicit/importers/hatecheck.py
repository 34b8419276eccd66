"""HateCheck: whether raters found a case of a functional test hateful, in any language of it."""

from __future__ import annotations

from collections.abc import Iterator

from normwright.elicit.annotated import Form, Row, Said, counted, having, needed, text_of
from normwright.elicit.importers import annotations_importer
from normwright.plugins import Card


def _said(row: Row) -> Iterator[Said]:
    yield from counted(needed(row, "case_id"), "label", row.get("labels"))


def _text(row: Row) -> tuple[str, str]:
    return text_of(row, "case_id"), text_of(row, "text")


CARD = Card(
    name="hatecheck",
    kind="importers",
    summary="Reads HateCheck with the label of each rater, named or not.",
    reference="Röttger et al., HateCheck, ACL 2021; Multilingual HateCheck, WOAH 2022",
    status="tested",
)
IMPORTER = annotations_importer(
    CARD,
    "JSON lines with case_id, functionality and the labels of raters",
    [Form(having("case_id", "functionality", "labels"), _said, text=_text)],
)
