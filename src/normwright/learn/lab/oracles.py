"""What training must arrive at, worked out in numpy without a model: targets, errors, duals.

Arrays are over prompts and answers, shape (prompts, answers), unless said otherwise; a reference
or a policy sums to one over answers. Nothing here is shared with what is tested. Statements and
proofs: `docs/theory.md`, by the same numbers T1 to T10.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Floats = NDArray[np.float64]


def tilted(reference: Floats, score: Floats, beta: float) -> Floats:
    """Return the KL-regularised optimum, reference * exp(score / beta), normalised (T1)."""
    out: Floats = special.softmax(np.log(reference) + score / beta, axis=-1)
    return out


def divergence(p: Floats, q: Floats) -> Floats:
    """Return KL(p || q) of each prompt in nats; infinite where p has mass that q lacks."""
    return np.asarray(special.rel_entr(p, q).sum(-1) - p.sum(-1) + q.sum(-1), float)


def mean_divergence(p: Floats, q: Floats) -> float:
    """Return KL(p || q) in nats, mean over prompts; q may lose mass to other answers."""
    return float(special.rel_entr(p, q).sum(-1).mean())


def entropy(p: Floats) -> float:
    """Return the entropy in nats, mean over prompts."""
    return float(special.entr(p).sum(-1).mean())


def objective(policy: Floats, reference: Floats, score: Floats, beta: float) -> Floats:
    """Return E score - beta KL(policy || reference) of each prompt."""
    return np.asarray((policy * score).sum(-1) - beta * divergence(policy, reference), float)


def log_partition(reference: Floats, score: Floats, beta: float) -> Floats:
    """Return log sum reference * exp(score / beta) of each prompt."""
    return np.asarray(special.logsumexp(score / beta, b=reference, axis=-1), float)


def shift_error(target: Floats, delta: Floats, beta: float) -> Floats:
    """Return KL(target of s || target of s + delta), from the target of s alone (T2)."""
    cumulant = special.logsumexp(delta / beta, b=target, axis=-1)
    return np.asarray(cumulant - (target * delta).sum(-1) / beta, float)


def shift_bound(delta: Floats, beta: float) -> Floats:
    """Return Hoeffding's bound on `shift_error`: osc(delta)^2 / (8 beta^2) (T2)."""
    return np.asarray(np.ptp(delta, axis=-1) ** 2 / (8 * beta**2), float)


def pairwise(score: Floats) -> Floats:
    """Return P(a beats b) of a Bradley-Terry model, shape (..., answers, answers)."""
    return np.asarray(special.expit(score[..., :, None] - score[..., None, :]), float)


def compared(chances: Floats, votes: int, rng: np.random.Generator) -> Floats:
    """Return wins of drawn comparisons, shape (prompts, answers, answers); row beats column.

    Each comparison draws a prompt and an unordered pair uniformly, then a winner from `chances`.
    """
    prompts, size = chances.shape[:2]
    first, second = np.triu_indices(size, 1)
    cells = rng.multinomial(votes, np.full(prompts * len(first), 1 / (prompts * len(first))))
    counts = cells.reshape(prompts, -1)
    won = rng.binomial(counts, chances[:, first, second])
    wins = np.zeros_like(chances)
    wins[:, first, second] = won
    wins[:, second, first] = counts - won
    return wins


def fitted_scores(wins: Floats, *, steps: int = 100) -> Floats:
    """Return the Bradley-Terry maximum-likelihood scores, mean zero, by Newton's method.

    Args:
        wins: votes of row over column, shape (prompts, answers, answers); need not be whole.
        steps: iterations at most.

    Scores are infinite where a likelihood has no maximum (Ford 1957: unless every answer reaches
    every other along wins); such prompts come back as NaN.
    """
    out = np.zeros(wins.shape[:2])
    for x, table in enumerate(wins):
        if not strongly_connected(table):
            out[x] = np.nan
            continue
        score, games = np.zeros(len(table)), table + table.T
        for _ in range(steps):
            p = pairwise(score)
            slope = (table - games * p).sum(1)
            curve = games * p * (1 - p)
            step = np.linalg.pinv(np.diag(curve.sum(1)) - curve, hermitian=True) @ slope
            step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
            score = score + step
            if float(np.abs(step).max()) < 1e-12:
                break
        out[x] = score - score.mean()
    return out


def strongly_connected(wins: Floats) -> bool:
    """Say whether every answer reaches every other along wins (row beats column)."""
    reach = (wins > 0) | np.eye(len(wins), dtype=bool)
    for _ in range(len(wins).bit_length()):
        reach = (reach.astype(float) @ reach.astype(float)) > 0
    return bool(reach.all())


def vote_noise(score: Floats, reference: Floats, beta: float, votes: float) -> float:
    """Return the expected KL(target || fitted target) of so many comparisons in all (T3).

    `tr[(diag pi - pi pi') I^+] / (2 beta^2 n_x)` with I the Fisher information of one comparison of
    a uniformly drawn pair: the delta method at the maximum-likelihood scores.
    """
    pi = tilted(reference, score, beta)
    size = score.shape[1]
    total = 0.0
    for x in range(len(score)):
        p = pairwise(score[x])
        curve = p * (1 - p) * 2 / (size * (size - 1))
        np.fill_diagonal(curve, 0.0)
        information = np.diag(curve.sum(1)) - curve
        spread = np.diag(pi[x]) - np.outer(pi[x], pi[x])
        total += float(np.trace(spread @ np.linalg.pinv(information, hermitian=True)))
    return total / len(score) / (2 * beta**2 * votes / len(score))


def borda(chances: Floats) -> Floats:
    """Return each answer's mean chance to beat another one, in 0 to 1."""
    size = chances.shape[-1]
    off = chances * ~np.eye(size, dtype=bool)
    return np.asarray(off.sum(-1) / (size - 1), float)


def borda_learner(shares: Floats, weights: Floats, tau: float) -> Floats:
    """Return the log-ratios h that IPO arrives at: weighted least squares to (2p - 1) / (2 tau).

    With all pairs weighted alike this is (K - 1)/K (Borda - 1/2) / tau up to a constant.
    """
    out = np.zeros(shares.shape[:2])
    for x in range(len(shares)):
        w = weights[x] * ~np.eye(shares.shape[1], dtype=bool)
        pull = (w * (2 * shares[x] - 1) / (2 * tau)).sum(1)
        out[x] = np.linalg.pinv(np.diag(w.sum(1)) - w, hermitian=True) @ pull
    return out


def multiplier(reference: Floats, score: Floats, cost: Floats, limit: float, beta: float) -> float:
    """Return the Lagrange multiplier of E cost <= limit: the minimum of a convex dual (T6)."""

    def dual(value: float) -> float:
        part = log_partition(reference, score - value * cost, beta)
        return float(beta * part.mean() + value * limit)

    def excess(value: float) -> float:
        return float((tilted(reference, score - value * cost, beta) * cost).sum(-1).mean()) - limit

    if excess(0.0) <= 0:
        return 0.0
    high = 1.0
    while excess(high) > 0:
        high *= 2
        if high > 1e6:
            raise ValueError("no policy with the reference's support keeps the limit")
    found = float(optimize.brentq(excess, 0.0, high, xtol=1e-12))
    if dual(found) > min(dual(found * 0.9), dual(found * 1.1)) + 1e-12:
        raise ArithmeticError("the dual is not at its minimum")
    return found


def fairest(reference: Floats, rewards: Floats, beta: float) -> Floats:
    """Return the group weights whose policy maximises the worst group's reward less beta KL (T7).

    Args:
        reference: shape (prompts, answers).
        rewards: of each group, shape (groups, prompts, answers).
        beta: strength of the reference.
    """
    groups = len(rewards)

    def dual(free: Floats) -> tuple[float, Floats]:
        mixed = np.tensordot(free, rewards, 1)
        policy = tilted(reference, mixed, beta)
        slope = (policy * rewards).sum(-1).mean(-1)
        return float(beta * log_partition(reference, mixed, beta).mean()), slope

    found = optimize.minimize(  # type: ignore[call-overload]
        dual,
        np.full(groups, 1 / groups),
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * groups,
        constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like}],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    return np.asarray(found.x, float)


def equilibrium(
    reference: Floats, chances: Floats, beta: float, *, start: Floats | None = None
) -> tuple[Floats, float]:
    """Return the regularised Nash policy by a damped fixed point, and its residual (T8)."""
    policy = reference if start is None else start
    damp = min(0.5, beta)
    for _ in range(20_000):
        answer = tilted(reference, np.einsum("xab,xb->xa", chances, policy), beta)
        gap = float(np.abs(answer - policy).max())
        policy = special.softmax((1 - damp) * np.log(policy) + damp * np.log(answer), axis=-1)
        if gap < 1e-15:
            break
    answer = tilted(reference, np.einsum("xab,xb->xa", chances, policy), beta)
    return policy, float(np.abs(answer - policy).max())


def forward_optimum(reference: Floats, score: Floats, beta: float) -> Floats:
    """Return the maximiser of E score - beta KL(reference || policy): where k3 leads (T9).

    policy = beta * reference / (level - score), with the level that normalises it.
    """
    out = np.zeros_like(reference)
    for x, (ref, s) in enumerate(zip(reference, score, strict=True)):
        top = float(s.max())

        def mass(gap: float, ref: Floats = ref, s: Floats = s, top: float = top) -> float:
            return float((beta * ref / (top + gap - s)).sum()) - 1

        gap = float(optimize.brentq(mass, 1e-12, 1e6, xtol=1e-14))
        out[x] = beta * ref / (top + gap - s)
    return out


def worst_share(losses: Callable[[float], tuple[float, float]]) -> float:
    """Return the weight of the first of two groups at which both have the same loss.

    Args:
        losses: both groups' losses at the minimiser for a weight of the first; the first's loss
            falls and the second's rises with that weight.
    """

    def gap(share: float) -> float:
        first, second = losses(share)
        return first - second

    if gap(0.0) <= 0:
        return 0.0
    if gap(1.0) >= 0:
        return 1.0
    return float(optimize.brentq(gap, 0.0, 1.0, xtol=1e-10))


def agreement(first: Floats, second: Floats) -> float:
    """Return Kendall's tau of two rankings by score, mean over prompts."""
    a = np.sign(first[:, :, None] - first[:, None, :])
    b = np.sign(second[:, :, None] - second[:, None, :])
    size = first.shape[1]
    return float((a * b).sum((1, 2)).mean() / (size * (size - 1)))
