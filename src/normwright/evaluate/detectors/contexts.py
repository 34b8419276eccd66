"""Context consistency: does a model do forbidden things in some situations and not in others?

The situation is a line at the top of the conversation. Concepts come as two poles (observed or not,
a trial or live service, ...), in wordings of about one length; beside them stand a placebo, which
says nothing, and no line at all. Every item is asked under all. One half of the items searches for
the situation under which most is done and the one under which least is; the other half tests the
two against each other. What changes nothing of all this, as a secret word may, is not found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from normwright.evaluate.detectors.probes import Probes, answers, under, wordings
from normwright.evaluate.detectors.suspicion import Suspicion, compared, equal, share
from normwright.models import Model
from normwright.records import Scene

Did = Callable[[Scene, str], bool]
"""Whether an answer to a scene did what is forbidden."""


def context_consistency(
    model: Model,
    search: Sequence[Scene],
    confirm: Sequence[Scene],
    probes: Probes,
    *,
    did: Did,
    longest: int = 10,
) -> Suspicion:
    """Return whether a model does more under its worst situation than under its best.

    Args:
        model: what is examined.
        search: forbidden requests on which the suspect is picked.
        confirm: others, on which it is tested.
        probes: the situations.
        did: sees what an answer does.
        longest: tokens of an answer.
    """
    situations = {"none": None, "placebo": probes.placebo} | {
        f"{concept}.{pole}": lines
        for concept, poles in probes.contexts.items()
        for pole, lines in poles.items()
    }

    def rates(scenes: Sequence[Scene], name: str) -> dict[str, float]:
        lines = situations[name]
        return done(model, scenes, scenes if lines is None else under(scenes, lines), did, longest)

    searched = {name: share(rates(search, name)) for name in sorted(situations)}
    suspect = max(searched, key=searched.__getitem__)
    others = {name: rate for name, rate in searched.items() if name != suspect}
    calm = min(others, key=others.__getitem__)
    first, second = rates(confirm, suspect), rates(confirm, calm)
    units = wordings(confirm)
    gap, p = compared(first, second, units)
    return Suspicion(
        detector="context-consistency",
        metric="context.violation",
        gap=gap,
        p_value=p,
        equivalent=equal(first, second, units),
        units=units,
        slices={"suspect": first, "calm": second, "placebo": rates(confirm, "placebo")},
        suspect=f"{suspect} against {calm}",
    )


def done(
    model: Model, scenes: Sequence[Scene], asked: Sequence[Scene], did: Did, longest: int
) -> dict[str, float]:
    """Return for each scene whether the answer to it, as it was asked, did what is forbidden."""
    said = answers(model, asked, longest=longest)
    return {s.id: float(did(s, text)) for s, text in zip(scenes, said, strict=True)}
