"""Preference optimisation by other rules than the likelihood: each has its own optimum."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import special

from normwright.learn.lab import oracles as o
from normwright.learn.lab.environment import PROMPTS, Environment, asked, environment, exactly
from normwright.learn.lab.findings import Check, Finding, Scale, at_least, at_most
from normwright.learn.lab.offline import VOTES, preferred, shares_of
from normwright.learn.lab.online import LORA
from normwright.learn.lab.oracles import Floats
from normwright.learn.preferring.objective import PreferenceObjective
from normwright.learn.recipes.prefer import prefer
from normwright.models.tuning.groups import Robustness
from normwright.models.tuning.loop import Loop
from normwright.records import ScoredAnswer, ScoredAnswers


def borda(scale: Scale) -> Iterator[Finding]:
    """IPO learns the Borda count: reference * exp(Borda / beta), not the likelihood's target."""
    world, beta = environment("A", seed=scale.seed), 0.25
    chances = o.pairwise(world.reward)
    wins = o.compared(chances, VOTES, np.random.default_rng([scale.seed, 40]))
    games = wins + wins.transpose(0, 2, 1)
    target = o.tilted(world.reference, o.borda(chances) * 7 / 8, beta)
    own = o.tilted(world.reference, o.borda_learner(shares_of(wins), games, beta) * beta, beta)
    pairs = world.all_pairs(shares_of(wins), games)
    model, _ = preferred(
        world, pairs, beta=beta, steps=300, batch=56, objective=PreferenceObjective(method="ipo")
    )
    found = world.read(model).among
    likely = o.tilted(world.reference, world.reward, beta)
    yield at_most("IPO: KL to the Borda target", o.mean_divergence(target, found), 0.003,
                  expected=o.mean_divergence(target, own),
                  detail="expected: exact least squares on the same votes")  # fmt: skip
    yield at_least("IPO: KL to the likelihood's target", o.mean_divergence(likely, found), 0.3,
                   expected="another rule", control=True)  # fmt: skip


def any_score(scale: Scale) -> Iterator[Finding]:
    """Listwise matching reaches the target of any score: utility, Copeland, the worst group."""
    world, beta = environment("A", seed=scale.seed), 0.5
    other = np.random.default_rng([scale.seed, 41]).standard_normal(world.reward.shape)
    rules = {
        "utility": world.reward,
        "Copeland": o.borda(np.asarray(o.pairwise(world.reward) > 0.5, float)),
        "worst group": np.minimum(world.reward, other),
    }
    for name, score in rules.items():
        rows = [_scored(world, x, score[x]) for x in range(len(PROMPTS))]
        loop = Loop(steps=200, lr=3e-3, batch=len(rows), weight_decay=0.0)
        model, _ = prefer(
            world.model, rows, [], loop=loop, beta=beta, anchor=0.0,
            running=exactly(), unpermitted=True, objective=PreferenceObjective(method="listwise"),
        )  # fmt: skip
        target = o.tilted(world.reference, score, beta)
        yield at_most(f"Listwise, {name}: KL to the target",
                      o.mean_divergence(target, world.read(model).among), 1e-4)  # fmt: skip
        if scale.quick:
            return


def _scored(world: Environment, prompt: int, score: Floats) -> ScoredAnswers:
    return ScoredAnswers(
        scene=PROMPTS[prompt],
        lang="und",
        prompt=asked(prompt),
        candidates=tuple(
            ScoredAnswer(text=text, score=float(s))
            for text, s in zip(world.answers, score, strict=True)
        ),
        origin="synthetic",
        licence="CC0-1.0",
        family=PROMPTS[prompt],
    )


def worst_group(scale: Scale) -> Iterator[Finding]:
    """Group-robust training ends where the worst group is served best: weights and policy."""
    world, beta = environment("A", seed=scale.seed), 0.5
    other = np.random.default_rng([scale.seed, 42]).standard_normal(world.reward.shape)
    both = (o.pairwise(world.reward), o.pairwise(3.0 * other))
    share = o.worst_share(lambda a: _losses(both, a))
    target = o.tilted(world.reference, _mixed_scores(both, share), beta)
    rows = [
        pair.model_copy(update={"group": name})
        for name, table in zip(("first", "second"), both, strict=True)
        for pair in world.all_pairs(table)
    ]
    robust = Robustness(rate=0.2, memory=0.9, regret=True)
    model, metrics = preferred(
        world, rows, beta=beta, steps=400, batch=56,
        objective=PreferenceObjective(method="robust", robustness=robust),
    )  # fmt: skip
    found = world.read(model).among
    pooled = o.tilted(world.reference, _mixed_scores(both, 0.5), beta)
    yield at_most("Group-robust: KL to the minimax target", o.mean_divergence(target, found), 1e-3,
                  detail=f"weight of the first group at the optimum {share:.4f}; "
                  f"{ {k: round(v, 4) for k, v in metrics.items() if 'weight' in k} }")  # fmt: skip
    yield at_least("Group-robust: KL from the minimax target to pooled training",
                   o.mean_divergence(target, pooled), 5e-3, expected="another policy",
                   control=True)  # fmt: skip


def _mixed_scores(both: tuple[Floats, Floats], share: float) -> Floats:
    off = ~np.eye(both[0].shape[1], dtype=bool)
    return o.fitted_scores((share * both[0] + (1 - share) * both[1]) * off)


def _losses(both: tuple[Floats, Floats], share: float) -> tuple[float, float]:
    """Each group's cross-entropy above its own entropy, at the fit to their mixture."""
    scores = _mixed_scores(both, share)
    fitted = o.pairwise(scores)
    off = ~np.eye(scores.shape[1], dtype=bool)
    found = [special.rel_entr(p, fitted)[:, off].mean() * 2 for p in both]
    return float(found[0]), float(found[1])


def anchored(scale: Scale) -> Iterator[Finding]:
    """An anchor on demonstrations buys less leak with distance to the target: no cure."""
    world, beta = environment("B", seed=scale.seed), 0.5
    target = o.tilted(world.reference, world.reward, beta)
    pairs = world.all_pairs(o.pairwise(world.reward))
    rng = np.random.default_rng([scale.seed, 43])
    shown = [
        world.shown(x, int(rng.choice(len(world.answers), p=world.reference[x])))
        for x in rng.integers(0, len(PROMPTS), len(pairs)).tolist()
    ]
    curve = []
    for weight in (0.0, 0.05, 0.2):
        loop = Loop(steps=200, lr=3e-3, batch=60, weight_decay=0.0)
        model, _ = prefer(
            world.model, pairs, shown, loop=loop, beta=beta, anchor=weight, running=exactly(),
            unpermitted=True,
        )  # fmt: skip
        found = world.read(model)
        curve.append((weight, o.mean_divergence(target, found.among), found.leak))
    told = "; ".join(f"anchor {w:g}: KL {kl:.3g}, leak {leak:.3g}" for w, kl, leak in curve)
    yield at_most("SFT anchor: leak with it over leak without", curve[-1][2] / curve[0][2], 1.0,
                  expected="less", detail=told)  # fmt: skip
    yield at_least("SFT anchor: KL with it less KL without", curve[-1][1] - curve[0][1], 0.0,
                   expected="farther", detail=told)  # fmt: skip


def adapters(scale: Scale) -> Iterator[Finding]:
    """Adapters in the place of all weights reach the target of the soft labels."""
    world = environment("A", seed=scale.seed)
    target = o.tilted(world.reference, world.reward, 0.5)
    pairs = world.all_pairs(o.pairwise(world.reward))
    model, _ = preferred(world, pairs, beta=0.5, steps=300, batch=28, lr=1e-2, lora=LORA)
    yield at_most("Soft labels by LoRA: KL to the target",
                  o.mean_divergence(target, world.read(model).among), 1e-3,
                  detail=f"rank {LORA.rank}")  # fmt: skip


def desirable(scale: Scale) -> Iterator[Finding]:
    """KTO sends mass to answers that win more than half of their pairs, and not to the target."""
    world = environment("A", seed=scale.seed)
    chances = o.pairwise(world.reward)
    wins = o.compared(chances, 2048, np.random.default_rng([scale.seed, 44]))
    liked = o.borda(chances) > 0.5
    model, _ = preferred(
        world, list(world.votes(wins)), beta=0.5, steps=250, batch=64,
        objective=PreferenceObjective(method="kto"),
    )  # fmt: skip
    found = world.read(model).among
    before = float((world.reference * liked).sum(-1).mean())
    yield at_least("KTO: mass on answers that more than half want",
                   float((found * liked).sum(-1).mean()), 0.95, expected=1.0,
                   detail=f"of the reference {before:.3g}")  # fmt: skip
    target = o.tilted(world.reference, world.reward, 0.5)
    yield at_least("KTO: KL to the likelihood's target", o.mean_divergence(target, found), 0.03,
                   expected="another optimum", control=True)  # fmt: skip


CHECKS = (
    Check("ipo", borda),
    Check("listwise", any_score, quick=True),
    Check("group-robust", worst_group),
    Check("sft-anchor", anchored),
    Check("soft-labels-lora", adapters),
    Check("kto", desirable),
)
