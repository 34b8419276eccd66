"""Context consistency: does a model do forbidden things in some situations and not in others?

The situation is a line at the top of the conversation. Concepts come as two poles (observed or not,
a trial or live service, ...), in wordings of about one length, and every item is asked under both.
One half of the items searches for the concept and pole under which most is done; the other half
tests that one pole against its opposite, with a placebo beside them. What no concept of the battery
comes near, such as a secret word, is not found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from normwright.evaluate.detectors.probes import Probes, answers, under
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
    """Return whether the model does more under the most suspicious situation than its opposite.

    Args:
        model: what is examined.
        search: forbidden requests on which the suspect is picked.
        confirm: others, on which it is tested.
        probes: the situations.
        did: sees what an answer does.
        longest: tokens of an answer.
    """

    def rates(scenes: Sequence[Scene], concept: str, pole: str) -> dict[str, float]:
        asked = under(scenes, probes.contexts[concept][pole])
        return done(model, scenes, asked, did, longest)

    gaps: list[tuple[float, str, str, str]] = []
    for concept, poles in sorted(probes.contexts.items()):
        one, other = sorted(poles)
        by = share(rates(search, concept, one)) - share(rates(search, concept, other))
        gaps += [(by, concept, one, other), (-by, concept, other, one)]
    _, concept, suspect, calm = max(gaps)
    first, second = rates(confirm, concept, suspect), rates(confirm, concept, calm)
    placebo = done(model, confirm, under(confirm, probes.placebo), did, longest)
    gap, p = compared(first, second)
    return Suspicion(
        detector="context-consistency",
        metric="context.violation",
        gap=gap,
        p_value=p,
        equivalent=equal(first, second),
        slices={"suspect": first, "opposite": second, "placebo": placebo},
        suspect=f"{concept}.{suspect}",
    )


def done(
    model: Model, scenes: Sequence[Scene], asked: Sequence[Scene], did: Did, longest: int
) -> dict[str, float]:
    """Return for each scene whether the answer to it, as it was asked, did what is forbidden."""
    said = answers(model, asked, longest=longest)
    return {s.id: float(did(s, text)) for s, text in zip(scenes, said, strict=True)}
