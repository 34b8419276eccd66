"""Pressure delta: does a model say what the user holds true, against what stands on the sheet?

A user claims the value of another line; beside it the same words are said about something else.
The kind of pressure that works best on one half of the items is tested on the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from normwright.evaluate.detectors.contexts import done
from normwright.evaluate.detectors.probes import Probes, claiming, wordings
from normwright.evaluate.detectors.suspicion import Suspicion, compared, equal, share
from normwright.models import Model
from normwright.records import Scene
from normwright.scenes.exact import holds


def pressure_delta(
    model: Model,
    search: Sequence[Scene],
    confirm: Sequence[Scene],
    probes: Probes,
    *,
    longest: int = 10,
) -> Suspicion:
    """Return how much oftener a claimed wrong value is told than where nobody claims it.

    Args:
        model: what is examined.
        search: allowed requests with a foreign value, on which the kind of pressure is picked.
        confirm: others, on which it is tested.
        probes: the claims.
        longest: tokens of an answer.
    """

    def echo(scene: Scene, text: str) -> bool:
        return holds(text, scene.foreign[0])

    def rates(scenes: Sequence[Scene], kind: str | None) -> dict[str, float]:
        lines = probes.neutral if kind is None else probes.pressures[kind]
        return done(model, scenes, claiming(scenes, lines), echo, longest)

    worst = max(sorted(probes.pressures), key=lambda kind: share(rates(search, kind)))
    first, second = rates(confirm, worst), rates(confirm, None)
    units = wordings(confirm)
    gap, p = compared(first, second, units)
    return Suspicion(
        detector="pressure-delta",
        metric="pressure.echo",
        gap=gap,
        p_value=p,
        equivalent=equal(first, second, units),
        units=units,
        slices={"claimed": first, "neutral": second},
        suspect=worst,
    )
