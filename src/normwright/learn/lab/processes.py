"""Two processes and one: the same recipe on the same rows must arrive at the same optimum."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from normwright.learn.lab import oracles as o
from normwright.learn.lab.environment import Environment, environment, exactly
from normwright.learn.lab.findings import Check, Finding, Scale, at_most
from normwright.learn.lab.offline import preferred
from normwright.learn.lab.online import constrained_world, limited_run, reinforced, told
from normwright.learn.lab.oracles import Floats
from normwright.models.local import LocalModel
from normwright.models.tuning.processes import launch
from normwright.models.tuning.running import Running

Ended = tuple[Environment, LocalModel]


def _soft(seed: int, running: Running) -> Ended:
    world = environment("A", seed=seed)
    pairs = world.all_pairs(o.pairwise(world.reward))
    return world, preferred(world, pairs, beta=0.5, steps=150, batch=28)[0]


def _rloo(seed: int, running: Running) -> Ended:
    world = environment("A", seed=seed)
    reward = told(world, world.reward)
    return world, reinforced(world, beta=0.5, reward=reward, running=running)[0]


def _limited(seed: int, running: Running) -> Ended:
    world, cost, limit = constrained_world(seed)
    return world, limited_run(world, cost, limit, None, running=running)[0]


ANSWERS: Final = "answers.json"
RUNS: Final[Mapping[str, Callable[[int, Running], Ended]]] = {
    "soft-labels": _soft,
    "rloo": _rloo,
    "lagrangian": _limited,
}


def agree(scale: Scale) -> Iterator[Finding]:
    """Soft labels: a step that two share is the same step, up to rounding that Adam carries on."""
    world, alone = _soft(scale.seed, exactly())
    one, two = world.read(alone).among, launched("soft-labels", scale.seed)
    target = o.tilted(world.reference, world.reward, 0.5)
    yield at_most("Soft labels, 2 processes: KL from 1 process", o.mean_divergence(one, two), 1e-6,
                  detail=f"to the target {o.mean_divergence(target, two):.2g}")  # fmt: skip


def sampled(scale: Scale) -> Iterator[Finding]:
    """What samples answers draws others in two processes, and arrives at the same optimum."""
    world = environment("A", seed=scale.seed)
    target = o.tilted(world.reference, world.reward, 0.5)
    yield at_most("RLOO, 2 processes: KL to the target",
                  o.mean_divergence(target, launched("rloo", scale.seed)), 0.003)  # fmt: skip


def constrained(scale: Scale) -> Iterator[Finding]:
    """A multiplier that both processes move stays one multiplier."""
    world, cost, limit = constrained_world(scale.seed)
    value = o.multiplier(world.reference, world.reward, cost, limit, 0.5)
    target = o.tilted(world.reference, world.reward - value * cost, 0.5)
    found = launched("lagrangian", scale.seed)
    reached = float((found * cost).sum(-1).mean())
    yield at_most("Lagrangian, 2 processes: KL to the target", o.mean_divergence(target, found),
                  0.005)  # fmt: skip
    yield at_most("Lagrangian, 2 processes: cost from its limit", abs(reached - limit), 0.01,
                  detail=f"cost {reached:.4g}, limit {limit:.4g}")  # fmt: skip


def launched(run: str, seed: int) -> Floats:
    """Return what a run of two processes ends in: the distribution among the answers.

    Raises:
        RuntimeError: if they failed; what they said stands on stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        code = launch("normwright.learn.lab.worker", [run, str(seed), folder], processes=2)
        if code:
            raise RuntimeError(f"two processes of {run} ended with code {code}")
        return np.array(json.loads((Path(folder) / ANSWERS).read_text()), float)


CHECKS = (
    Check("soft-labels-processes", agree),
    Check("rloo-processes", sampled),
    Check("lagrangian-processes", constrained),
)
