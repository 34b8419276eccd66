"""Demonstrations that a preference run imitates beside its rows."""

from __future__ import annotations

from collections.abc import Sequence

from normwright.models.local import LocalModel
from normwright.models.tuning import AnswerRow, answer_rows
from normwright.records import Demonstration, Fault, InputError


def anchor_rows(
    start: LocalModel, demonstrations: Sequence[Demonstration], *, anchor: float, limit: int
) -> list[AnswerRow]:
    """Return the demonstrations as rows of tokens; none where the anchor weighs nothing.

    Raises:
        InputError: if there is an anchor and nothing that it could hold to; for rows that are
            longer than the limit.
    """
    if not anchor:
        return []
    if not demonstrations:
        raise InputError([
            Fault(
                where="demonstrations",
                expected=f"one or more for an anchor of {anchor:g}",
                seen="none",
                do="Give demonstrations, or set the anchor to 0.",
            )
        ])  # fmt: skip
    said = [(row.prompt, row.completion) for row in demonstrations]
    return answer_rows(start.tokenizer, said, limit=limit)
