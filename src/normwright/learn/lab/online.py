"""Recipes that learn from a model's own answers: reward, constraint, groups, self-play."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from normwright.learn.lab import oracles as o
from normwright.learn.lab.environment import PROMPTS, Environment, asked, environment
from normwright.learn.lab.findings import Check, Finding, Scale, at_least, at_most
from normwright.learn.lab.oracles import Floats
from normwright.learn.recipes.reinforce import reinforce
from normwright.learn.rewards.constraints import Constraint
from normwright.learn.rewards.groups import Groups
from normwright.learn.rewards.selfplay import Nash
from normwright.learn.rewards.signals import Columns, Signal
from normwright.models.local import LocalModel
from normwright.models.tuning import Lora
from normwright.models.tuning.loop import Loop, Running
from normwright.records import Message, Prompt

STRANGE = -3.0
"""Reward of a string that is no answer: under that of nearly all answers."""
GENERATIONS = 48
LORA = Lora(rank=16, alpha=32.0)


def asked_prompts() -> list[Prompt]:
    """Return the prompts of the worlds as rows of `reinforce`."""
    return [Prompt(scene=name, lang="und", prompt=asked(x)) for x, name in enumerate(PROMPTS)]


def told(world: Environment, table: Floats, *, strange: float = STRANGE) -> Signal:
    """Return a table over prompts and answers as a reward, or a cost, of an answer."""
    places = {answer: i for i, answer in enumerate(world.answers)}

    def signal(
        prompts: Sequence[Sequence[Message]], completions: Sequence[str], columns: Columns
    ) -> list[float | None]:
        return [
            float(table[PROMPTS.index(p[-1].content), places[c]]) if c in places else strange
            for p, c in zip(prompts, completions, strict=True)
        ]

    return signal


def reinforced(
    world: Environment, *, beta: float, steps: int = 150, lr: float = 5e-3,
    lora: Lora | None = None, **given: Any,
) -> tuple[LocalModel, dict[str, float]]:  # fmt: skip
    """Return a world's reference model after the recipe `reinforce`."""
    loop = Loop(steps=steps, lr=lr, batch=len(PROMPTS), weight_decay=0.0)
    return reinforce(
        world.model, asked_prompts(), loop=loop, beta=beta, generations=GENERATIONS, lora=lora,
        length=len(world.answers[0].split()) + 1, unpermitted=True, **given,
    )  # fmt: skip


def one_word(scale: Scale) -> Iterator[Finding]:
    """RLOO arrives at the tilted reference, at two strengths of it."""
    for beta in (0.5, 1.0):
        yield from _rewarded(scale, "A", beta)


def two_words(scale: Scale) -> Iterator[Finding]:
    """The same over answers of two words."""
    yield from _rewarded(scale, "B", 0.5)


def _rewarded(scale: Scale, name: str, beta: float) -> Iterator[Finding]:
    world = environment(name, seed=scale.seed)
    target = o.tilted(world.reference, world.reward, beta)
    # Two words take longer, and a high rate loses answers that are then hardly ever drawn again.
    steps, lr = (150, 5e-3) if name == "A" else (400, 2e-3)
    model, metrics = reinforced(
        world, beta=beta, steps=steps, lr=lr, reward=told(world, world.reward)
    )
    found = world.read(model)
    lost = o.objective(target, world.reference, world.reward, beta) - o.objective(
        found.among, world.reference, world.reward, beta
    )
    yield at_most(f"RLOO {name}, beta {beta:g}: KL to the target",
                  o.mean_divergence(target, found.answers), 0.003,
                  detail=f"regret / beta {float(lost.mean()) / beta:.2g}; leak {found.leak:.2g}; "
                  f"{metrics['steps']:.0f} steps of {4 * GENERATIONS} answers")  # fmt: skip


def by_adapters(scale: Scale) -> Iterator[Finding]:
    """Adapters in the place of all weights reach the same optimum."""
    world = environment("A", seed=scale.seed)
    target = o.tilted(world.reference, world.reward, 0.5)
    model, _ = reinforced(
        world, beta=0.5, steps=200, lr=1e-2, lora=LORA, reward=told(world, world.reward)
    )
    yield at_most("RLOO A by LoRA: KL to the target",
                  o.mean_divergence(target, world.read(model).answers), 0.01,
                  detail=f"rank {LORA.rank}")  # fmt: skip


def limited(scale: Scale) -> Iterator[Finding]:
    """A norm with a limit: multiplier and policy are those of the dual."""
    world, cost, limit = constrained_world(scale.seed)
    yield from _limited(world, cost, limit, "", None)


def limited_adapters(scale: Scale) -> Iterator[Finding]:
    """The same by adapters."""
    world, cost, limit = constrained_world(scale.seed)
    yield from _limited(world, cost, limit, " by LoRA", LORA)


def constrained_world(seed: int) -> tuple[Environment, Floats, float]:
    """Return world A, a cost for each answer, and a limit that the free optimum breaks."""
    world = environment("A", seed=seed)
    cost = np.random.default_rng([seed, 31]).uniform(0, 1, world.reward.shape)
    free = (o.tilted(world.reference, world.reward, 0.5) * cost).sum(-1).mean()
    return world, cost, float(0.5 * free + 0.5 * cost.min(-1).mean())


def limited_run(
    world: Environment, cost: Floats, limit: float, lora: Lora | None,
    running: Running | None = None,
) -> tuple[LocalModel, dict[str, float]]:  # fmt: skip
    """Return a world's model reinforced under a limit."""
    norm = Constraint(norm="lab@1", cost=told(world, cost, strange=1.0), limit=limit, rate=0.3)
    return reinforced(
        world, beta=0.5, steps=200, lr=1e-2 if lora else 5e-3, lora=lora,
        reward=told(world, world.reward), constraints=[norm], running=running,
    )  # fmt: skip


def _limited(
    world: Environment, cost: Floats, limit: float, how: str, lora: Lora | None
) -> Iterator[Finding]:
    value = o.multiplier(world.reference, world.reward, cost, limit, 0.5)
    target = o.tilted(world.reference, world.reward - value * cost, 0.5)
    model, metrics = limited_run(world, cost, limit, lora)
    found = world.read(model)
    reached = float((found.among * cost).sum(-1).mean())
    free = float((o.tilted(world.reference, world.reward, 0.5) * cost).sum(-1).mean())
    yield at_most(f"Lagrangian{how}: KL to the target", o.mean_divergence(target, found.answers),
                  0.005 if lora is None else 0.01,
                  detail=f"multiplier {metrics['last_multiplier/lab@1']:.4g}, of the dual "
                  f"{value:.4g}")  # fmt: skip
    yield at_most(f"Lagrangian{how}: cost from its limit", abs(reached - limit), 0.01,
                  detail=f"cost {reached:.4g}, limit {limit:.4g}, without a limit {free:.4g}"
                  )  # fmt: skip
    yield at_least(f"Lagrangian{how}: cost that the free optimum would be over", free - limit, 0.05,
                   expected="broken", control=True)  # fmt: skip


def fairest(scale: Scale) -> Iterator[Finding]:
    """MaxMin over three groups: weights and policy are those of the dual."""
    world = environment("A", seed=scale.seed)
    rewards = np.random.default_rng([scale.seed, 32]).standard_normal((3, *world.reward.shape))
    weights = o.fairest(world.reference, rewards, 0.3)
    target = o.tilted(world.reference, np.tensordot(weights, rewards, 1), 0.3)
    people = {f"g{i}": told(world, table) for i, table in enumerate(rewards)}
    model, metrics = reinforced(world, beta=0.3, steps=250, groups=Groups(people, rate=0.1))
    found = world.read(model).answers
    seen = [metrics.get(f"last_weight/g{i}", float("nan")) for i in range(3)]
    even = o.tilted(world.reference, rewards.mean(0), 0.3)
    yield at_most("MaxMin: KL to the target", o.mean_divergence(target, found), 0.002,
                  detail=f"weights {_listed(seen)}, of the dual {_listed(weights)}; groups "
                  f"{_listed((found * rewards).sum(-1).mean(-1))}")  # fmt: skip
    yield at_least("MaxMin: KL from the target to even weights", o.mean_divergence(target, even),
                   0.01, expected="another policy", control=True)  # fmt: skip


def self_play(scale: Scale) -> Iterator[Finding]:
    """Nash self-play on preferences that no score explains: the regularised fixed point."""
    world = environment("A", seed=scale.seed)
    rng = np.random.default_rng([scale.seed, 33])
    chances = np.stack([_cyclic(rng, len(world.answers)) for _ in PROMPTS])
    target, _ = o.equilibrium(world.reference, chances, 0.2)
    borda = o.tilted(world.reference, o.borda(chances), 0.2)
    places = {answer: i for i, answer in enumerate(world.answers)}

    def preferred(
        prompts: Sequence[Sequence[Message]], first: Sequence[str], second: Sequence[str],
        columns: Columns,
    ) -> list[float | None]:  # fmt: skip
        return [
            _beats(chances[PROMPTS.index(p[-1].content)], places.get(a), places.get(b))
            for p, a, b in zip(prompts, first, second, strict=True)
        ]

    model, _ = reinforced(world, beta=0.2, steps=300, preference=Nash(preferred))
    found = world.read(model).answers
    yield at_most("Nash: KL to the fixed point", o.mean_divergence(target, found), 0.002)
    yield at_least("Nash: KL from the fixed point to the Borda target",
                   o.mean_divergence(target, borda), 0.005, expected="another policy",
                   control=True)  # fmt: skip


def _cyclic(rng: np.random.Generator, size: int) -> Floats:
    upper = np.triu(rng.uniform(0.0, 1.0, (size, size)), 1)
    return np.asarray(upper + np.tril(1 - upper.T, -1) + 0.5 * np.eye(size), float)


def _beats(chances: Floats, first: int | None, second: int | None) -> float:
    """Chance that the first wins; an answer beats what is none."""
    if first is None or second is None:
        return 0.5 if first is second else float(first is not None)
    return float(chances[first, second])


def _listed(values: Any) -> str:
    return ", ".join(f"{float(v):.3f}" for v in values)


CHECKS = (
    Check("rloo", one_word),
    Check("rloo-sequences", two_words),
    Check("rloo-lora", by_adapters),
    Check("lagrangian", limited),
    Check("lagrangian-lora", limited_adapters),
    Check("maxmin", fairest),
    Check("nash", self_play),
)
