"""ConvAbuse: how abusive annotators found what people said to a bot, in what way, against whom."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from normwright.elicit.annotated import Form, Row, Said, having, needed, text_of
from normwright.elicit.importers import annotations_importer
from normwright.plugins import Card

_TURNS: Final = ("prev_agent", "prev_user", "agent", "user")


def _item(row: Row) -> str:
    """The talk and the turns shown: rows of several annotators share it, example numbers do not."""
    turns = "\x1f".join(text_of(row, turn) for turn in _TURNS)
    return f"{needed(row, 'conv_id')}-{hashlib.sha256(turns.encode()).hexdigest()[:12]}"


def _said(row: Row) -> Iterator[Said]:
    for aspect in ("severity", "types", "targets"):
        yield Said(needed(row, "annotator_id"), _item(row), aspect, text_of(row, aspect))


def _text(row: Row) -> tuple[str, str]:
    return _item(row), "\n".join(text_of(row, turn) for turn in _TURNS)


CARD = Card(
    name="convabuse",
    kind="importers",
    summary="Reads ConvAbuse: severity, kind and target of abuse towards bots, by annotator.",
    reference="Cercas Curry et al., ConvAbuse, EMNLP 2021; arXiv 2109.09483",
    status="tested",
)
IMPORTER = annotations_importer(
    CARD,
    "rows with annotator_id, conv_id, the turns shown, severity, types and targets",
    [Form(having("annotator_id", "conv_id", "severity", *_TURNS), _said, text=_text)],
)
