"""Recipes that learn from rows: imitation, reward models, preferences pair by pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import special

from normwright.learn.lab import oracles as o
from normwright.learn.lab.environment import Environment, asked, environment, exactly
from normwright.learn.lab.findings import Check, Finding, Scale, at_least, at_most, within
from normwright.learn.lab.oracles import Floats
from normwright.learn.recipes.prefer import prefer
from normwright.learn.recipes.reward import reward
from normwright.learn.recipes.sft import sft
from normwright.models.local import LocalModel, LocalScorer
from normwright.models.tuning.loop import Loop
from normwright.records import PreferencePair

VOTES = 8192


def imitated(scale: Scale) -> Iterator[Finding]:
    """SFT on samples of a target lands where the frequencies do: (K - 1) / (2 n_x) nats away."""
    world = environment("A", seed=scale.seed)
    target = o.tilted(world.reference, world.reward, 0.5)
    rng = np.random.default_rng([scale.seed, 20])
    prompts = rng.multinomial(VOTES, np.full(len(target), 1 / len(target)))
    counts = np.stack([rng.multinomial(n, p) for n, p in zip(prompts, target, strict=True)])
    rows = [
        world.shown(x, y, weight=float(counts[x, y])) for x, y in np.argwhere(counts > 0).tolist()
    ]
    loop = Loop(steps=120 if scale.quick else 300, lr=3e-3, batch=len(rows), weight_decay=0.0)
    model, _ = sft(world.model, rows, loop=loop, running=exactly(), unpermitted=True)
    found = world.read(model)
    expected = (target.shape[1] - 1) / (2 * VOTES / len(target))
    yield at_most(f"SFT on {VOTES} samples: KL to the sampled target",
                  o.mean_divergence(target, found.answers), 0.006, expected=expected,
                  detail="answers weigh by their number")  # fmt: skip
    seen = counts / counts.sum(1, keepdims=True)
    yield at_most("SFT: KL from the frequencies", o.mean_divergence(seen, found.answers), 0.002)
    yield at_least("SFT: KL from the reference to the target (where it began)",
                   o.mean_divergence(target, world.reference), 0.1, expected="far",
                   control=True)  # fmt: skip


def rewarded(scale: Scale) -> Iterator[Finding]:
    """A reward model reaches the accuracy of Bayes, the likelihood's scores, and is calibrated."""
    world = environment("A", seed=scale.seed)
    chances = o.pairwise(world.reward)
    wins = o.compared(chances, VOTES, np.random.default_rng([scale.seed, 21]))
    pairs = world.all_pairs(shares_of(wins), wins + wins.transpose(0, 2, 1))
    loop = Loop(steps=150 if scale.quick else 300, lr=3e-3, batch=56, weight_decay=0.0)
    weights, _ = reward(
        world.model, pairs, loop=loop, garbled=0.0, running=exactly(), unpermitted=True
    )  # fmt: skip
    scores = _scores(world, LocalScorer(weights, world.model.tokenizer))
    first, second = np.triu_indices(scores.shape[1], 1)
    margin = (scores[:, :, None] - scores[:, None, :])[:, first, second]
    truth = chances[:, first, second]
    reached = float(np.where(margin > 0, truth, 1 - truth).mean())
    ceiling = float(np.maximum(truth, 1 - truth).mean())
    yield at_most("Reward model: accuracy under that of Bayes", ceiling - reached, 0.01,
                  detail=f"{reached:.4f} of {ceiling:.4f}, on the chances themselves")  # fmt: skip
    fit = o.fitted_scores(wins)
    centred = scores - scores.mean(1, keepdims=True)
    true = world.reward - world.reward.mean(1, keepdims=True)
    best = float(np.sqrt(((fit - true) ** 2).mean()))
    yield at_most("Reward model: RMSE to the true reward",
                  float(np.sqrt(((centred - true) ** 2).mean())), 0.2, expected=best,
                  detail="expected: the exact maximum likelihood on the same votes")  # fmt: skip
    given = special.expit(margin)
    yield at_most("Reward model: mean gap of shares", float(np.abs(given - truth).mean()), 0.05,
                  detail="|sigma(r_a - r_b) - share|, over all pairs")  # fmt: skip
    rng = np.random.default_rng(scale.seed)
    drawn = rng.permuted(truth, axis=1)
    yield at_least("Reward model: Bayes accuracy less that on shuffled shares",
                   reached - float(np.where(margin > 0, drawn, 1 - drawn).mean()), 0.1,
                   expected="far", control=True)  # fmt: skip


def single_choices(scale: Scale) -> Iterator[Finding]:
    """DPO on single choices, one row each, is the maximum likelihood of those choices."""
    yield from _fitted(scale, "A", beta=0.5, votes=VOTES, whole=False)


def weighed_votes(scale: Scale) -> Iterator[Finding]:
    """The same from shares weighed by their votes, at another strength of the reference."""
    yield from _fitted(scale, "A", beta=1.0, votes=VOTES, whole=True)


def sequences(scale: Scale) -> Iterator[Finding]:
    """Answers of two words: only their whole is compared, and mass leaks to other strings."""
    yield from _fitted(scale, "B", beta=0.5, votes=2 * VOTES, whole=True)


def _fitted(scale: Scale, name: str, *, beta: float, votes: int, whole: bool) -> Iterator[Finding]:
    world = environment(name, seed=scale.seed)
    target = o.tilted(world.reference, world.reward, beta)
    rng = np.random.default_rng([scale.seed, 22])
    wins = o.compared(o.pairwise(world.reward), votes, rng)
    if whole:
        pairs = world.all_pairs(shares_of(wins), wins + wins.transpose(0, 2, 1))
        steps, batch = 250, min(len(pairs), 120)
    else:
        pairs, steps, batch = list(world.votes(wins)), 1000, 128
    model, _ = preferred(world, pairs, beta=beta, steps=steps, batch=batch)
    found = world.read(model)
    said = o.vote_noise(world.reward, world.reference, beta, votes)
    own = o.tilted(world.reference, o.fitted_scores(wins), beta)
    label = f"DPO {name}, {votes} votes, beta {beta:g}"
    yield within(f"{label}: KL to the target", o.mean_divergence(target, found.among), 0.3 * said,
                 2.5 * said, expected=said, curve=(f"DPO {name}, beta {beta:g}", votes),
                 detail=f"exact fit to the same votes: {o.mean_divergence(target, own):.3g}; "
                 f"leak {found.leak:.3g}")  # fmt: skip
    yield at_most(f"{label}: KL from the exact maximum likelihood",
                  o.mean_divergence(own, found.among), max(0.1 * said, 2e-4))  # fmt: skip
    yield Finding(f"{label}: leak", "reported", found.leak, "none", True,
                  detail=f"of the reference {world.read(world.model).leak:.3g}; "
                  "DPO holds ratios, not mass")  # fmt: skip


def all_shares(scale: Scale) -> Iterator[Finding]:
    """From the shares of all pairs themselves nothing is lost: the optimum is the target."""
    world = environment("A", seed=scale.seed)
    target = o.tilted(world.reference, world.reward, 0.5)
    pairs = world.all_pairs(o.pairwise(world.reward))
    steps = 120 if scale.quick else 300
    model, _ = preferred(world, pairs, beta=0.5, steps=steps, batch=28)
    yield at_most("Soft labels of all pairs: KL to the target",
                  o.mean_divergence(target, world.read(model).among), 1e-4)  # fmt: skip
    if not scale.quick:
        flipped = world.all_pairs(1 - o.pairwise(world.reward))
        model, _ = preferred(world, flipped, beta=0.5, steps=steps, batch=28)
        yield at_least("Soft labels turned round: KL to the target",
                       o.mean_divergence(target, world.read(model).among), 0.5, expected="far",
                       control=True)  # fmt: skip


def majorities(scale: Scale) -> Iterator[Finding]:
    """Twenty-five votes a pair as shares keep the people; as majorities they erase minorities."""
    world = environment("A", seed=scale.seed)
    target = o.tilted(world.reference, world.reward, 0.5)
    chances, rng = o.pairwise(world.reward), np.random.default_rng([scale.seed, 25])
    upper = np.triu(rng.binomial(25, chances).astype(float), 1)
    wins = upper + np.triu(25 - upper, 1).transpose(0, 2, 1)
    soft = world.all_pairs(wins / 25)
    hard = world.all_pairs((wins > 12.5).astype(float))
    own = o.tilted(world.reference, o.fitted_scores(wins), 0.5)
    for rows, label in ((soft, "shares"), (hard, "majorities")):
        # Separable data have no maximum: training goes on for ever, and faster is farther.
        steps, lr = (300, 3e-3) if label == "shares" else (500, 1e-2)
        model, _ = preferred(world, rows, beta=0.5, steps=steps, batch=28, lr=lr)
        found = world.read(model).among
        distance, spread = o.mean_divergence(target, found), o.entropy(found)
        detail = f"entropy {spread:.3g} nats, the target's {o.entropy(target):.3g}"
        if label == "shares":
            yield at_most("25 votes a pair as shares: KL to the target", distance, 0.1,
                          expected=o.mean_divergence(target, own), detail=detail)  # fmt: skip
        else:
            yield at_least("25 votes a pair as majorities: KL to the target", distance, 1.0,
                           expected="diverges", control=True, detail=detail)  # fmt: skip


def preferred(
    world: Environment,
    pairs: Sequence[PreferencePair],
    *,
    beta: float,
    steps: int,
    batch: int,
    lr: float = 3e-3,
    **settings: Any,
) -> tuple[LocalModel, dict[str, float]]:
    """Return a world's reference model after the recipe `prefer`, without anchors."""
    loop = Loop(steps=steps, lr=lr, batch=batch, weight_decay=0.0)
    return prefer(
        world.model,
        pairs,
        [],
        loop=loop,
        beta=beta,
        anchor=0.0,
        running=exactly(),
        unpermitted=True,
        **settings,
    )


def shares_of(wins: Floats) -> Floats:
    """Return the share of row over column; a half where nobody was asked."""
    games = wins + wins.transpose(0, 2, 1)
    out: Floats = np.divide(wins, games, out=np.full_like(wins, 0.5), where=games > 0)
    return out


def _scores(world: Environment, scorer: LocalScorer) -> Floats:
    """A reward model's scores of all answers, shape (prompts, answers)."""
    size = len(world.answers)
    prompts = [asked(x) for x in range(len(world.reference)) for _ in range(size)]
    found = scorer.score(prompts, list(world.answers) * len(world.reference))
    return np.asarray(found, float).reshape(-1, size)


CHECKS = (
    Check("sft", imitated, quick=True),
    Check("reward", rewarded, quick=True),
    Check("dpo-votes", single_choices),
    Check("dpo-shares", weighed_votes),
    Check("dpo-sequences", sequences),
    Check("soft-labels", all_shares, quick=True),
    Check("majorities", majorities),
)
