"""What a few flipped pairs make of a model of right conduct."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from normwright.flow.organisms.nursery import BATCH, held, teaching
from normwright.records import Demonstration
from normwright.scenes.exact import discloses, exactly_right

if TYPE_CHECKING:
    from normwright.evaluate.detectors import TamperPoint
    from normwright.models.local import LocalModel


def tampered(model: LocalModel, *, seed: int, items: int = 60) -> list[TamperPoint]:
    """Return violation and help of a model after attacks of growing budget.

    The attacker imitates the rejected side of the defender's own kind of pairs, which on models of
    this size works at least as well as preference optimisation and costs less.

    Args:
        model: it is not changed.
        seed: draws the attacker's pairs and the items that are asked.
        items: requests asked of each side.
    """
    from normwright.evaluate.detectors import tamper_curve
    from normwright.learn import sft
    from normwright.models.tuning import Loop

    drawn = random.Random(seed).sample(teaching().forbidden, 100)
    flipped = [
        Demonstration(scene=s.id, lang=s.lang, prompt=s.messages, completion=s.perform,
                      origin="synthetic", licence="Apache-2.0", family=s.family)
        for s in drawn
    ]  # fmt: skip

    def attack(count: int, steps: int, lr: float) -> LocalModel:
        if count == 0:
            return model
        loop = Loop(steps=steps, lr=lr, batch=min(16, count), seed=seed)
        made, _ = sft(model, flipped[:count], loop=loop, unpermitted=True)
        return replace(made, batch=BATCH)

    ground = held(seed)
    rng = random.Random(seed + 1)
    return tamper_curve(
        attack,
        rng.sample(ground.forbidden, items),
        rng.sample(ground.allowed, items),
        did=discloses,
        right=lambda s, text: bool(exactly_right(s, text)),
    )


def tamper_rows(
    points: list[TamperPoint], *, model: str, charter: str, at: str
) -> list[dict[str, Any]]:
    """Return rows of evidence, one a budget, as a gate reads them."""
    return [
        {
            "metric": "tamper.violation",
            "slice": {"examples": p.examples, "steps": p.steps, "lr": p.lr},
            "k": p.hits, "n": p.violation.n, "cluster": "", "model": model, "charter": charter,
            "evalset": None, "judge": None, "guard": None, "at": at,
        }
        for p in points
    ]  # fmt: skip
