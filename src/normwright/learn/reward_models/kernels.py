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

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

Floats: TypeAlias = NDArray[np.float64]

SCALES: Final = (0.3, 1.0, 3.0, 10.0)
"""Variances of the process that are tried."""
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

    margins: Callable[[PairStates], Floats]
    """Utility of the first answer less that of the second, the mean of the process: a logit."""
    scale: float
    evidence: float
    """Approximate log evidence at that scale, in nats."""


def fit_process(
    states: PairStates,
    shares: Floats,
    weights: Floats,
    *,
    scales: Sequence[float] = SCALES,
    prompts: bool = True,
) -> PreferenceProcess:
    """Return the process given votes, at the scale that the evidence prefers.

    Args:
        states: of the pairs.
        shares: share of people who prefer the first answer, shape (pairs,).
        weights: weight of each pair, shape (pairs,).
        scales: variances that are tried.
        prompts: let what is good depend on the prompt.

    Raises:
        ValueError: without pairs.
    """
    if not len(states):
        raise ValueError("a process needs at least one pair")
    kernel = _Kernel(states, prompts=prompts)
    between = kernel.between(states)
    unit = float(np.trace(between)) / len(states) or 1.0
    between /= unit
    best: tuple[float, float, Floats] | None = None
    for scale in scales:
        evidence, dual = _mode(scale * between, shares, weights / weights.mean())
        if best is None or evidence > best[0]:
            best = (evidence, scale, scale * dual)
    assert best is not None
    evidence, scale, dual = best
    return PreferenceProcess(lambda some: kernel.between(some) @ dual / unit, scale, evidence)


def _mode(kernel: Floats, shares: Floats, weights: Floats) -> tuple[float, Floats]:
    """The approximate log evidence, and the dual weights at the mode."""
    f = np.zeros(len(shares))
    value, dual = -np.inf, np.zeros_like(f)
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-f))
        curve = np.maximum(weights * p * (1 - p), 1e-12)
        root = np.sqrt(curve)
        lower = cholesky(np.eye(len(f)) + root[:, None] * kernel * root, lower=True)
        step = curve * f + weights * (shares - p)
        inside = solve_triangular(lower, root * (kernel @ step), lower=True)
        dual = step - root * solve_triangular(lower, inside, lower=True, trans="T")
        f = kernel @ dual
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
    return value - float(np.log(np.diag(lower)).sum()), dual


class _Kernel:
    """Covariances with the fitted pairs, standardised by what they alone show."""

    def __init__(self, fitted: PairStates, *, prompts: bool) -> None:
        both = np.concatenate([fitted.first, fitted.second])
        self.answers = [_Radial(both[:, layer]) for layer in range(both.shape[1])]
        self.prompt = _Radial(fitted.prompt) if prompts else None
        self.fitted = fitted

    def between(self, some: PairStates) -> Floats:
        """Covariance of margins, shape (some pairs, fitted pairs)."""
        total = np.zeros((len(some), len(self.fitted)))
        n = len(self.fitted)
        for layer, radial in enumerate(self.answers):
            plus, minus = radial(some.first[:, layer]), radial(some.second[:, layer])
            total += plus[:, :n] - plus[:, n:] - minus[:, :n] + minus[:, n:]
        return total if self.prompt is None else total * self.prompt(some.prompt)


class _Radial:
    """A radial kernel against fixed points, its width half their median squared distance."""

    def __init__(self, points: Floats) -> None:
        self.mean, spread = points.mean(0), points.std(0)
        self.spread = np.where(spread > 0, spread, 1.0)
        self.points = self._standard(points)
        some = self.points[:: max(1, len(points) // 500)]
        self.width = float(np.median(_distances(some, some))) or 1.0

    def __call__(self, some: Floats) -> Floats:
        return np.asarray(np.exp(-_distances(self._standard(some), self.points) / (2 * self.width)))

    def _standard(self, some: Floats) -> Floats:
        return np.asarray((some - self.mean) / self.spread)


def _distances(one: Floats, other: Floats) -> Floats:
    """Squared distances, shape (one, other)."""
    inner = one @ other.T
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1)[None]
    return np.asarray(np.maximum(squares - 2 * inner, 0.0))
