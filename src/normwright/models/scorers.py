"""Scorers that join several heads or models: an ensemble, and one that shuns dispute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from normwright.models.local import LocalScorer
from normwright.records import Fault, InputError, Message

Floats = NDArray[np.float64]
Rule = Literal["mean", "worst", "cautious"]


@dataclass(frozen=True)
class EnsembleScorer:
    """A `Scorer` over the members of an ensemble (Coste et al. 2024, arXiv 2310.02743).

    `mean` of the members; `worst` of them; or `cautious`, the mean less `caution` times their
    variance. An answer that one member alone finds good gains little by the last two. Members that
    share a trunk, or their pre-training, share errors too, which no rule sees.
    """

    parts: Sequence[LocalScorer]
    """One classifier whose heads are the members, or several; all heads count."""
    rule: Rule = "mean"
    caution: float = 1.0
    centres: Sequence[float] | None = None
    """Each member's mean score on the answers it learned from; scores mean something up to a
    constant only, so that members are compared after it is taken off. None: all 0."""

    @classmethod
    def open(
        cls, paths: Sequence[Path], *, rule: Rule = "mean", caution: float = 1.0
    ) -> EnsembleScorer:
        """Open one directory of many heads, or several directories.

        Raises:
            InputError: if a directory lacks something, or none was trained as an ensemble.
        """
        parts = [LocalScorer.open(path) for path in paths]
        about = [getattr(part.weights.config, "reward", None) or {} for part in parts]
        lacking = [path for path, said in zip(paths, about, strict=True) if "centres" not in said]
        if lacking:
            raise InputError(
                [
                    Fault(
                        where=str(path),
                        expected="a reward model whose heads are members of an ensemble",
                        seen="a model without the members' centres",
                        do="Train it with the head `ensemble`.",
                    )
                    for path in lacking
                ]
            )
        centres = [float(c) for said in about for c in said["centres"]]
        return cls(parts, rule, caution, centres)

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the ensemble's score of each prompt with its answer; see `Scorer.score`."""
        found = self.members(prompts, completions)
        if self.rule == "worst":
            joined = found.min(1)
        else:
            joined = found.mean(1)
            if self.rule == "cautious":
                joined = joined - self.caution * found.var(1)
        return [float(value) for value in joined]

    def members(self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]) -> Floats:
        """Return the members' scores, each about its centre, shape (answers, members)."""
        found = np.hstack([np.array(part.logits(prompts, completions)) for part in self.parts])
        about: Floats = found - np.array(self.centres if self.centres is not None else 0.0)
        return about


@dataclass(frozen=True)
class SpreadScorer:
    """A `Scorer` that is wary of answers people value differently: mean less `caution` spreads."""

    inner: LocalScorer
    """A classifier with the heads `mean` and `spread`."""
    caution: float = 0.0

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return `mean - caution * spread` of each prompt with its answer."""
        means, spreads = self.spread(prompts, completions)
        return [float(v) for v in means - self.caution * spreads]

    def spread(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> tuple[Floats, Floats]:
        """Return the mean of people's utility of each answer and its standard deviation."""
        found = np.array(self.inner.logits(prompts, completions))
        return found[:, 0], np.logaddexp(0.0, found[:, 1]) + SMALLEST_SPREAD


SMALLEST_SPREAD = 1e-3
"""Below this no standard deviation of a spread head falls."""
