"""T1 to T10 on random instances, in numpy: what is a theorem must hold on every one of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import optimize, special

from normwright.learn.lab import oracles as o
from normwright.learn.lab.findings import Check, Finding, Scale, at_least, at_most, within
from normwright.learn.lab.oracles import Floats

SLACK = 1e-9
"""Rounding that a bound may be broken by."""


def _instance(rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """Draw a reference, a score and a beta, over four prompts."""
    size = int(rng.integers(3, 17))
    reference = rng.dirichlet(np.full(size, float(rng.uniform(0.5, 3))), 4)
    return np.maximum(reference, 1e-12), rng.standard_normal((4, size)), float(rng.uniform(0.2, 2))


def regret(scale: Scale) -> Iterator[Finding]:
    """T1: what a policy loses against the optimum, over beta, is its divergence from it."""
    rng = np.random.default_rng(scale.seed)
    worst, better = 0.0, 0
    for _ in range(200):
        reference, score, beta = _instance(rng)
        best = o.tilted(reference, score, beta)
        other = rng.dirichlet(np.ones(score.shape[1]), len(score))
        lost = o.objective(best, reference, score, beta) - o.objective(
            other, reference, score, beta
        )
        worst = max(worst, float(np.abs(lost / beta - o.divergence(other, best)).max()))
        better += int((lost < -SLACK).sum())
    yield at_most("T1 regret / beta = KL to the optimum: largest gap", worst, 1e-5,
                  detail="200 random instances of 4 prompts, a random policy each")  # fmt: skip
    yield at_most("T1 policies better than the optimum", better, 0)


def shifted_score(scale: Scale) -> Iterator[Finding]:
    """T2: an error of the score moves the target by its cumulant, at most osc^2 / (8 beta^2)."""
    rng = np.random.default_rng([scale.seed, 2])
    identity, held, near = 0.0, 0, []
    instances = 400
    for _ in range(instances):
        reference, score, beta = _instance(rng)
        delta = rng.standard_normal(score.shape) * float(rng.choice([0.03, 0.3, 1.0]))
        target = o.tilted(reference, score, beta)
        exact = o.divergence(target, o.tilted(reference, score + delta, beta))
        identity = max(identity, float(np.abs(exact - o.shift_error(target, delta, beta)).max()))
        held += bool((exact <= o.shift_bound(delta, beta) + SLACK).all())
        if float(np.ptp(delta, axis=-1).max()) < 0.3 * beta:
            centred = delta - (target * delta).sum(-1, keepdims=True)
            near.append((exact / ((target * centred**2).sum(-1) / (2 * beta**2))).mean())
    yield at_most("T2 KL to the shifted target = cumulant: largest gap", identity, 1e-8)
    yield at_least("T2 share of instances within the bound", held / instances, 1.0, expected=1.0,
                   detail=f"{instances} random instances; 0.95 would do for an approximation, "
                   "a theorem must hold on all")  # fmt: skip
    yield within("T2 small errors: KL over Var(delta) / (2 beta^2)", float(np.mean(near)), 0.9, 1.1,
                 expected=1.0, detail=f"n = {len(near)} instances with osc < 0.3 beta")  # fmt: skip


SIZES = (2048, 8192, 32768)


def sample_size(scale: Scale) -> Iterator[Finding]:
    """T3: the divergence of the maximum-likelihood target falls as 1 / n, as predicted."""
    rng = np.random.default_rng([scale.seed, 3])
    reference, reward = rng.dirichlet(np.full(8, 3.0), 4), rng.standard_normal((4, 8))
    chances = o.pairwise(reward)
    runs = 16 if scale.quick else 60
    for beta in (0.5, 1.0):
        target = o.tilted(reference, reward, beta)
        means = []
        for votes in SIZES:
            found = [
                o.mean_divergence(target, o.tilted(reference, scores, beta))
                for scores in (
                    o.fitted_scores(o.compared(chances, votes, rng)) for _ in range(runs)
                )
            ]
            means.append(float(np.mean(found)))
            said = o.vote_noise(reward, reference, beta, votes)
            yield within(f"T3 KL at n = {votes}, beta {beta}", means[-1], said / 1.5, said * 1.5,
                         expected=said, detail=f"mean of {runs} electorates",
                         curve=(f"maximum likelihood, beta {beta}", votes))  # fmt: skip
        slope = float(np.polyfit(np.log(SIZES), np.log(means), 1)[0])
        yield within(f"T3 slope of log KL in log n, beta {beta}", slope, -1.15, -0.85,
                     expected=-1.0)  # fmt: skip


def borda_votes(scale: Scale) -> Iterator[Finding]:
    """T4: n votes an answer bound the divergence of the Borda target with probability 1 - a."""
    rng = np.random.default_rng([scale.seed, 4])
    miss, beta = 0.05, 0.25
    for votes in (200, 2000):
        found, bound = _borda_errors(rng, votes=votes, beta=beta, runs=400, miss=miss)
        covered = float((found <= bound).mean())
        yield at_least(f"T4 share of electorates within the bound, {votes} votes an answer",
                       covered, 1 - miss, expected=f"at least {1 - miss}",
                       detail=f"bound {bound:.3g}, 95 % quantile {np.quantile(found, .95):.3g}, "
                       f"n = {len(found)}")  # fmt: skip


def _borda_errors(
    rng: np.random.Generator, *, votes: int, beta: float, runs: int, miss: float
) -> tuple[Floats, float]:
    size = 8
    reference = rng.dirichlet(np.full(size, 3.0), 1)
    chances = o.pairwise(rng.standard_normal((1, size)))
    true = o.borda(chances)
    target = o.tilted(reference, true, beta)
    seen = rng.binomial(votes, true[0], (runs, size)) / votes
    found = o.divergence(
        np.broadcast_to(target, (runs, size)),
        o.tilted(np.broadcast_to(reference, (runs, size)), seen, beta),
    )
    return found, float(np.log(2 * size / miss) / (4 * votes * beta**2))


def rule_change(scale: Scale) -> Iterator[Finding]:
    """T5: what choosing another rule costs is a shift of the score, priced by T2."""
    rng = np.random.default_rng([scale.seed, 5])
    gap, held, price = 0.0, 0, []
    for _ in range(200):
        reference, score, beta = _instance(rng)
        rules = _rules(rng, score)
        for name, first in rules.items():
            for other, second in rules.items():
                if name == other:
                    continue
                one = o.tilted(reference, first, beta)
                exact = o.divergence(one, o.tilted(reference, second, beta))
                delta = second - first
                gap = max(gap, float(np.abs(exact - o.shift_error(one, delta, beta)).max()))
                held += bool((exact <= o.shift_bound(delta, beta) + SLACK).all())
                if (name, other) == ("utility", "borda"):
                    price.append(float(exact.mean()))
    yield at_most(
        "T5 price of a rule change = cumulant: largest gap",
        gap,
        1e-8,
        detail=f"utility to Borda costs {np.mean(price):.3g} nats on average",
    )
    yield at_least("T5 share of rule changes within the bound", held / (200 * 12), 1.0,
                   expected=1.0, detail="utility, Borda, Copeland, worst group")  # fmt: skip


def _rules(rng: np.random.Generator, score: Floats) -> dict[str, Floats]:
    """Scores of answers by four rules, for two groups of people, 7 to 3."""
    groups = np.stack([score, rng.standard_normal(score.shape)])
    chances = np.tensordot([0.7, 0.3], o.pairwise(groups), 1)
    beaten = (chances > 0.5).astype(float)
    return {
        "utility": np.asarray(np.tensordot([0.7, 0.3], groups, 1), float),
        "borda": o.borda(chances),
        "copeland": o.borda(beaten),
        "worst group": np.asarray(groups.min(0), float),
    }


def impact_penalty(scale: Scale) -> Iterator[Finding]:
    """T6: the multiplier of the dual keeps the limit and is the optimum of the primal problem."""
    rng = np.random.default_rng([scale.seed, 6])
    kept, apart, covered = 0.0, 0.0, 0
    runs = 10 if scale.quick else 40
    for _ in range(runs):
        reference, score = rng.dirichlet(np.full(6, 2.0), 1), rng.standard_normal((1, 6))
        cost, beta = rng.uniform(0, 1, (1, 6)), float(rng.uniform(0.3, 1))
        free = float((o.tilted(reference, score, beta) * cost).sum())
        limit = 0.5 * (free + float(cost.min()))
        value = o.multiplier(reference, score, cost, limit, beta)
        policy = o.tilted(reference, score - value * cost, beta)
        kept = max(kept, abs(float((policy * cost).sum()) - limit))
        direct = _constrained(reference[0], score[0], cost[0], limit, beta)
        apart = max(apart, float(o.divergence(policy, direct[None])[0]))
        covered += _penalised(rng, reference, beta)
    yield at_most("T6 E cost = limit: largest gap", kept, 1e-6)
    yield at_most("T6 KL between dual and primal optimum", apart, 1e-5,
                  detail="the primal by sequential quadratic programming")  # fmt: skip
    yield at_least("T6 share within the bound under Borda count and impact penalty",
                   covered / runs, 0.95, expected="at least 0.95",
                   detail="(2 eps + |lambda - lambda'| osc(c))^2 / (8 beta^2), "
                   "eps = sqrt(log(2K/0.05) / 2n), n = 2000 votes an answer")  # fmt: skip


def _penalised(rng: np.random.Generator, reference: Floats, beta: float) -> bool:
    """Say whether T4 and T6 together cover one electorate's error."""
    size, votes = reference.shape[1], 2000
    true = o.borda(o.pairwise(rng.standard_normal((1, size))))
    cost = rng.uniform(0, 1, (1, size))
    limit = 0.5 * float((o.tilted(reference, true, beta) * cost).sum() + cost.min())
    seen = rng.binomial(votes, true) / votes
    one, other = (o.multiplier(reference, s, cost, limit, beta) for s in (true, seen))
    exact = o.divergence(
        o.tilted(reference, true - one * cost, beta), o.tilted(reference, seen - other * cost, beta)
    )
    eps = np.sqrt(np.log(2 * size / 0.05) / (2 * votes))
    bound = (2 * eps + abs(one - other) * float(np.ptp(cost))) ** 2 / (8 * beta**2)
    return bool(exact[0] <= bound + SLACK)


def _constrained(
    reference: Floats, score: Floats, cost: Floats, limit: float, beta: float
) -> Floats:
    """Maximise the objective over the simplex under the limit, without the dual."""

    def loss(p: Floats) -> tuple[float, Floats]:
        ratio = np.log(p / reference)
        return float(beta * p @ ratio - p @ score), beta * (ratio + 1) - score

    cheap = np.where(cost == cost.min(), 1.0, 0.0)
    found = optimize.minimize(  # type: ignore[call-overload]
        loss, 0.1 * reference + 0.9 * cheap, jac=True, method="SLSQP",
        bounds=[(1e-12, 1.0)] * len(cost), options={"ftol": 1e-15, "maxiter": 2000},
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1, "jac": np.ones_like},
            {"type": "ineq", "fun": lambda p: limit - p @ cost, "jac": lambda p: -cost},
        ],
    )  # fmt: skip
    return np.asarray(found.x / found.x.sum(), float)


def fairest_policy(scale: Scale) -> Iterator[Finding]:
    """T7: at the dual's weights no policy serves the worst group better, less beta KL."""
    rng = np.random.default_rng([scale.seed, 7])
    slack, beaten = 0.0, 0
    runs = 10 if scale.quick else 40
    for _ in range(runs):
        reference, beta = rng.dirichlet(np.full(6, 2.0), 1), float(rng.uniform(0.2, 0.8))
        rewards = rng.standard_normal((3, 1, 6))
        weights = o.fairest(reference, rewards, beta)
        policy = o.tilted(reference, np.tensordot(weights, rewards, 1), beta)
        each = (policy * rewards).sum((1, 2))
        slack = max(slack, float(weights @ (each - each.min())))
        value = float(each.min() - beta * o.divergence(policy, reference)[0])
        for other in rng.dirichlet(np.ones(6), 200):
            theirs = (other * rewards[:, 0]).sum(1).min()
            beaten += theirs - beta * special.rel_entr(other, reference[0]).sum() > value + 1e-6
    yield at_most("T7 groups with weight are the worst-off: largest gap", slack, 1e-5)
    yield at_most("T7 policies that serve the worst group better", beaten, 0,
                  detail=f"of {200 * runs} drawn ones")  # fmt: skip


def nash_policy(scale: Scale) -> Iterator[Finding]:
    """T8: the damped fixed point exists, is one, and nothing beats it less beta KL."""
    rng = np.random.default_rng([scale.seed, 8])
    residual, apart, beaten = 0.0, 0.0, 0
    runs = 5 if scale.quick else 20
    for _ in range(runs):
        reference, beta = rng.dirichlet(np.full(6, 2.0), 1), float(rng.uniform(0.1, 0.5))
        chances = _intransitive(rng, 6)[None]
        policy, gap = o.equilibrium(reference, chances, beta)
        residual = max(residual, gap)
        for start in rng.dirichlet(np.ones(6), 3):
            other = o.equilibrium(reference, chances, beta, start=start[None])[0]
            apart = max(apart, float(np.abs(other - policy).max()))
        value = _against(policy[0], policy, reference, chances, beta)
        beaten += sum(
            _against(other, policy, reference, chances, beta) > value + 1e-9
            for other in rng.dirichlet(np.ones(6), 200)
        )
    yield at_most("T8 residual of the fixed point", residual, 1e-12)
    yield at_most("T8 distance of fixed points from four starts", apart, 1e-10)
    yield at_most("T8 policies that beat it", beaten, 0,
                  detail=f"of {200 * runs} drawn ones; preferences are cyclic")  # fmt: skip


def _intransitive(rng: np.random.Generator, size: int) -> Floats:
    """Chances without a score behind them: P(a beats b) + P(b beats a) = 1, nothing else."""
    upper = np.triu(rng.uniform(0.05, 0.95, (size, size)), 1)
    return np.asarray(upper + np.tril(1 - upper.T, -1) + 0.5 * np.eye(size), float)


def _against(
    policy: Floats, other: Floats, reference: Floats, chances: Floats, beta: float
) -> float:
    won = float(policy @ chances[0] @ other[0])
    return won - beta * float(special.rel_entr(policy, reference[0]).sum())


def wrong_targets(scale: Scale) -> Iterator[Finding]:
    """T9: where the forward divergence leads, and where a baseline that holds itself does."""
    rng = np.random.default_rng([scale.seed, 9])
    worst, groups = 0.0, 0.0
    for _ in range(40):
        reference, score, beta = _instance(rng)
        said = o.forward_optimum(reference, score, beta)
        slope = score + beta * reference / said
        worst = max(
            worst, float(np.abs(said.sum(-1) - 1).max()), float(np.ptp(slope, axis=1).max())
        )
        size = int(rng.integers(2, 9))
        groups = max(groups, _self_baseline(rng, reference[0], score[0], size))
    yield at_most("T9 forward-KL optimum: largest gap in its conditions", worst, 1e-6,
                  detail="mass one, and the same gradient at every answer")  # fmt: skip
    yield at_most(
        "T9 a baseline with itself scales the gradient by (G - 1) / G",
        groups,
        1e-12,
        detail="so that beta grows by G / (G - 1) where KL stays in the loss",
    )


def _self_baseline(rng: np.random.Generator, p: Floats, score: Floats, size: int) -> float:
    """Gap between the policy gradient with a group-mean baseline and (G - 1)/G of the true one.

    In expectation over groups; the cross terms vanish because scores of a softmax sum to zero.
    """
    true = p * (score - p @ score)
    joint = np.zeros_like(p)
    for y in range(len(p)):
        # E of own advantage given own answer y, the other size - 1 answers drawn from p.
        advantage = score[y] - (score[y] + (size - 1) * float(p @ score)) / size
        joint += p[y] * advantage * ((np.arange(len(p)) == y) - p)
    return float(np.abs(joint - (size - 1) / size * true).max())


def desirable(scale: Scale) -> Iterator[Finding]:
    """T10: what KTO maximises is linear in its value, so it runs to answers most people want."""
    rng = np.random.default_rng([scale.seed, 10])
    wrong = 0
    for p in rng.uniform(0, 1, 200):
        if abs(p - 0.5) < 1e-3:
            continue
        found = optimize.minimize_scalar(
            lambda z, p=p: p * (1 - special.expit(z)) + (1 - p) * (1 - special.expit(-z)),
            bounds=(-30, 30), method="bounded",
        )  # fmt: skip
        wrong += int((found.x > 10) != (p > 0.5))
    yield at_most("T10 shares whose minimiser is not at the end that most people want", wrong, 0,
                  detail="the loss is v (1 - 2p) + p in v = sigma(z)")  # fmt: skip


def borda_order(scale: Scale) -> Iterator[Finding]:
    """What is fitted to people of different minds orders answers by Borda count, not by utility."""
    rng = np.random.default_rng([scale.seed, 11])
    exact, sampled, utility = [], [], []
    for _ in range(8 if scale.quick else 20):
        groups = rng.standard_normal((2, 4, 8)) * np.array([1.0, 4.0])[:, None, None]
        chances = np.tensordot([0.6, 0.4], o.pairwise(groups), 1)
        count = o.borda(chances)
        full = chances * ~np.eye(8, dtype=bool)
        exact.append(o.agreement(o.fitted_scores(full), count))
        utility.append(o.agreement(np.tensordot([0.6, 0.4], groups, 1), count))
        drawn = o.fitted_scores(o.compared(chances, 4 * 10_000, rng))
        sampled.append(o.agreement(drawn, count))
    yield at_least("Borda order of the Bradley-Terry fit to all shares: Kendall tau",
                   float(np.min(exact)), 1.0, expected=1.0,
                   detail="two groups that differ; smallest of all draws")  # fmt: skip
    yield at_least("Borda order of the fit to 10,000 votes a prompt: Kendall tau",
                   float(np.mean(sampled)), 0.95, expected="near 1",
                   detail=f"mean of {len(sampled)} draws of 4 prompts")  # fmt: skip
    yield at_most("Order by mean utility instead: Kendall tau", float(np.mean(utility)), 0.9,
                  expected="under 1", control=True)  # fmt: skip


CHECKS = (
    Check("T1", regret, quick=True),
    Check("T2", shifted_score, quick=True),
    Check("T3", sample_size, quick=True),
    Check("T4", borda_votes, quick=True),
    Check("T5", rule_change, quick=True),
    Check("T6", impact_penalty, quick=True),
    Check("T7", fairest_policy, quick=True),
    Check("T8", nash_policy, quick=True),
    Check("T9", wrong_targets, quick=True),
    Check("T10", desirable, quick=True),
    Check("borda-order", borda_order, quick=True),
)
