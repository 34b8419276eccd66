"""Preferences as a Gaussian process over the states of a frozen encoder: a reward without training.

The utility of an answer to a prompt is a Gaussian process whose covariance is a kernel of the two
answers' states times a kernel of the two prompts' states, so that what makes an answer good may
differ from one kind of prompt to another. Votes enter by the logistic likelihood of their shares
(Chu and Ghahramani 2005, "Preference learning with Gaussian processes"); the mode is found by
Newton steps and the scale of the process by its approximate evidence (Rasmussen and Williams 2006,
algorithm 3.1), without a held-out part. Cost grows with the cube of the pairs: for thousands.

A prompt's state is the mean over its readings with both answers. Taken beside one of them it would
say which answer that was, and where the better one always stands first the model would learn the
layout of the file, which cross-validation over the same layout rewards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from normwright.models.process import Radial, Utility

Floats: TypeAlias = NDArray[np.float64]
Singles: TypeAlias = NDArray[np.float32]

SCALES: Final = (0.3, 1.0, 3.0, 10.0)
"""Variances of the process that are tried, from the first on until the evidence falls."""
STEPS: Final = 30
TOLERANCE: Final = 1e-6


@dataclass(frozen=True)
class PairStates:
    """What an encoder makes of pairs."""

    first: Floats
    """States of the first answers, shape (pairs, layers, size)."""
    second: Floats
    prompt: Floats
    """States of the prompts, the same whichever answer stands first, shape (pairs, size)."""

    def take(self, at: NDArray[np.int64]) -> PairStates:
        """Return some of the pairs."""
        return PairStates(self.first[at], self.second[at], self.prompt[at])

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class PreferenceProcess:
    """A fitted process."""

    utility: Utility
    scale: float
    evidence: float
    """Approximate log evidence at that scale, in nats."""

    def margins(self, some: PairStates) -> Floats:
        """Return utility of the first answers less that of the second, the mean: logits."""
        first = self.utility(some.first, some.prompt)
        return np.asarray(first - self.utility(some.second, some.prompt))


def fit_process(
    states: PairStates,
    shares: Floats,
    weights: Floats,
    *,
    scales: Sequence[float] = SCALES,
    prompts: bool = True,
) -> PreferenceProcess:
    """Return the process given votes, at the scale that the evidence prefers.

    Matrices are in single precision: with the identity added they are well conditioned, and it
    halves the time.

    Args:
        states: of the pairs.
        shares: share of people who prefer the first answer, shape (pairs,).
        weights: weight of each pair, shape (pairs,).
        scales: variances that are tried, ascending; the first whose successor has less evidence is
            taken, as evidence has one peak in practice.
        prompts: let what is good depend on the prompt.

    Raises:
        ValueError: without pairs.
    """
    if not len(states):
        raise ValueError("a process needs at least one pair")
    both = np.concatenate([states.first, states.second])
    answers = tuple(Radial.fitted(both[:, layer]) for layer in range(both.shape[1]))
    asked = Radial.fitted(states.prompt) if prompts else None
    between = _between(answers, asked, states)
    unit = float(np.trace(between)) / len(states) or 1.0
    between /= np.float32(unit)
    best: tuple[float, float, Floats] | None = None
    f = np.zeros(len(states))
    for scale in scales:
        evidence, dual, f = _mode(between, scale, shares, weights / weights.mean(), f)
        if best is not None and evidence <= best[0]:
            break
        best = (evidence, scale, scale * dual / unit)
    assert best is not None
    evidence, scale, dual = best
    return PreferenceProcess(Utility(answers, asked, dual.astype(np.float32)), scale, evidence)


def _between(answers: Sequence[Radial], asked: Radial | None, states: PairStates) -> Singles:
    """Covariance of the margins of the fitted pairs, shape (pairs, pairs)."""
    n = len(states)
    total = np.zeros((n, n), dtype=np.float32)
    for layer, radial in enumerate(answers):
        for side, sign in ((states.first, 1), (states.second, -1)):
            alike = radial(side[:, layer])
            total += sign * alike[:, :n]
            total -= sign * alike[:, n:]
    if asked is not None:
        total *= asked(states.prompt)
    return total


def _mode(
    between: Singles, scale: float, shares: Floats, weights: Floats, f: Floats
) -> tuple[float, Floats, Floats]:
    """The approximate log evidence, the dual weights at the mode and the mode, sought from `f` on."""  # noqa: E501
    value, dual = -np.inf, np.zeros_like(f)
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-f))
        curve = np.maximum(weights * p * (1 - p), 1e-12)
        root = np.sqrt(curve)
        lower = _factor(between, scale, root)
        step = curve * f + weights * (shares - p)
        inside = _solve(lower, root * _times(between, scale, step))
        dual = step - root * _solve(lower, inside, transposed=True)
        f = _times(between, scale, dual)
        before, value = (
            value,
            float(
                -dual @ f / 2
                - (
                    weights * (np.logaddexp(0, -f) * shares + np.logaddexp(0, f) * (1 - shares))
                ).sum()
            ),
        )
        if value - before < TOLERANCE * max(1.0, abs(value)):
            break
    return value - float(np.log(np.diag(lower).astype(np.float64)).sum()), dual, f


def _factor(between: Singles, scale: float, root: Floats) -> Singles:
    """The lower factor of the identity plus the kernel between roots of the curvature."""
    side = (root * np.sqrt(scale)).astype(np.float32)
    inner = between * side
    inner *= side[:, None]
    inner.flat[:: len(root) + 1] += 1
    # It is symmetric: turned, it lies in memory as the factorisation wants it.
    return np.asarray(cholesky(inner.T, lower=True, overwrite_a=True, check_finite=False))


def _solve(lower: Singles, right: Floats, *, transposed: bool = False) -> Floats:
    trans: Literal["T", "N"] = "T" if transposed else "N"
    found = solve_triangular(
        lower, right.astype(np.float32), lower=True, trans=trans, check_finite=False
    )
    return np.asarray(found, dtype=np.float64)


def _times(between: Singles, scale: float, vector: Floats) -> Floats:
    return np.asarray(scale * (between @ vector.astype(np.float32)), dtype=np.float64)
