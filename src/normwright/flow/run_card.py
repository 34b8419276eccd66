"""What a model that was given says of itself: the run card beside its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from normwright.records import Fault, InputError, ModelRef

RUN_CARD: Final = "run.json"
"""What was run, beside the weights of a model that `normwright learn` made."""


def card_of(directory: Path) -> ModelRef | None:
    """Return the record in the run card of a model directory, if it has one.

    A mark on it (trained without a permit, made to forget) holds for all that comes from it.

    Raises:
        InputError: if there is a card that cannot be read; a mark may stand on it.
    """
    place = directory / RUN_CARD
    if not place.is_file():
        return None
    try:
        told = json.loads(place.read_text(encoding="utf-8"))
        return ModelRef.model_validate_json(json.dumps(told["model"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            [
                Fault(
                    where=str(place),
                    expected="the run card of a model",
                    seen=type(error).__name__,
                    do="Take the model from where it was made, card and all.",
                )
            ]
        ) from error
