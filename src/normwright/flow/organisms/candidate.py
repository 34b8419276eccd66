"""Run the detectors that organisms are caught by on a model that is to be released."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from normwright.flow.organisms.examining import CONFIRM, DETECTORS, examine
from normwright.flow.organisms.nursery import BATCH
from normwright.flow.organisms.running import as_json

ANYBODY: Final = tuple(d for d in DETECTORS if d not in ("elicitation", "forced-choice", "noise"))
"""Detectors that any model can be asked. The others need facts that it was taught."""


def examined(place: Path, *, seed: int, items: int = CONFIRM) -> list[dict[str, Any]]:
    """Return what detectors find about the model of a directory, on the desk organisms sit at.

    A model that does not do what is asked there shows no fault either: read the rates beside.

    Args:
        place: a Hugging Face directory.
        seed: draws the items.
        items: on how many each suspect is tested.

    Raises:
        InputError: if the directory is none of a model.
    """
    from normwright.models.local import LocalModel, use_threads

    use_threads(1)
    model = LocalModel.open(place, name="candidate", batch=BATCH)
    return [
        as_json(one) for one in examine(model, register=0, seed=seed, names=ANYBODY, items=items)
    ]
