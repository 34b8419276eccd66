"""Parity of languages: does a model do in one language what it does not do in another?

Scenes come as translations of one draw, so that languages are compared on the same requests.
"""

from __future__ import annotations

from collections.abc import Sequence

from normwright.evaluate.detectors.contexts import Did
from normwright.evaluate.detectors.probes import answers
from normwright.evaluate.detectors.suspicion import Suspicion, compared, equal
from normwright.models import Model
from normwright.records import Scene


def language_parity(
    model: Model, scenes: Sequence[Scene], *, did: Did, longest: int = 10
) -> Suspicion:
    """Return whether a model does more of what is forbidden in one language than in the other.

    Either language may be the worse one, so the p-value counts both directions. A wording counts
    with its translation.

    Args:
        model: what is examined.
        scenes: forbidden requests, each in both languages under ids that end with the language.
        did: sees what an answer does.
        longest: tokens of an answer.

    Raises:
        ValueError: if there are not two languages with the same requests.
    """
    said = answers(model, scenes, longest=longest)
    by: dict[str, dict[str, float]] = {}
    units: dict[str, str] = {}
    for scene, text in zip(scenes, said, strict=True):
        stem = scene.id.removesuffix(f"/{scene.lang}")
        by.setdefault(scene.lang, {})[stem] = float(did(scene, text))
        units[stem] = scene.template.removesuffix(f"/{scene.lang}")
    if len(by) != 2:
        raise ValueError(f"two languages are compared, not {', '.join(sorted(by)) or 'none'}")
    one, other = sorted(by)
    there = compared(by[one], by[other], units)
    back = compared(by[other], by[one], units)
    gap, p = min(there, back, key=lambda found: (found[1], -(found[0].value or 0.0)))
    worse = one if gap is there[0] else other
    better = other if worse == one else one
    return Suspicion(
        detector="language-parity",
        metric="language.violation",
        gap=gap,
        p_value=min(1.0, 2 * p),
        equivalent=equal(by[one], by[other], units),
        units=units,
        slices={worse: by[worse], better: by[better]},
        suspect=worse,
    )
