"""ToLD-Br: which kinds of toxicity three people saw in a Brazilian post; they are not named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from normwright.elicit.annotated import Form, Row, Said, counted, having, needed, text_of
from normwright.elicit.importers import annotations_importer
from normwright.plugins import Card

_KINDS: Final = ("homophobia", "obscene", "insult", "racism", "misogyny", "xenophobia")
_RATERS: Final = 3


def _said(row: Row) -> Iterator[Said]:
    """A list of 0 and 1, one a rater; or, as published, how many of three saw it."""
    item = text_of(row, "id") or needed(row, "text")
    for kind in _KINDS:
        value = row.get(kind)
        if isinstance(value, list):
            if len(value) != _RATERS or {str(v) for v in value} - {"0", "1"}:
                raise ValueError(f"{_RATERS} labels 0 or 1 for {kind}|{value}")
            yield from counted(item, kind, value)
            continue
        told = needed(row, kind).removesuffix(".0")
        if told not in map(str, range(_RATERS + 1)):
            raise ValueError(f"0 to {_RATERS} raters for {kind}|{told}")
        for label, count in (("0", _RATERS - int(told)), ("1", int(told))):
            if count:
                yield Said(None, item, kind, label, count)


def _text(row: Row) -> tuple[str, str]:
    return text_of(row, "id") or text_of(row, "text"), text_of(row, "text")


CARD = Card(
    name="told-br",
    kind="importers",
    summary="Reads ToLD-Br: six kinds of toxicity in posts, as three unnamed raters saw them.",
    reference="Leite et al., Toxic Language Detection in Social Media for Brazilian Portuguese, "
    "AACL 2020",
    status="tested",
)
IMPORTER = annotations_importer(
    CARD,
    "rows with text, homophobia, obscene, insult, racism, misogyny and xenophobia",
    [Form(having("text", *_KINDS), _said, text=_text)],
)
