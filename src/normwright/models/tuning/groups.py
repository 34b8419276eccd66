"""Weights of groups of people that follow how badly each is served: the state of a robust run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from normwright.models.tuning.running import everywhere


@dataclass(frozen=True)
class Robustness:
    """How the weights of groups follow their losses. Part of the science of a run."""

    rate: float = 0.1
    """Step of the exponentiated gradient: what a nat of excess moves a log-weight by, each step."""
    memory: float = 0.9
    """Share of a group's running loss that a step keeps; a batch holds few of a small group."""
    floor: float = 0.0
    """Least weight of a group."""
    cap: float = 1.0
    """Weight up to which a group can be raised above its share, so that noise or ill will cannot
    claim everything. A group whose share is greater keeps that."""
    least: int = 20
    """Fewest rows a group must have for its weight to move; smaller ones keep their share."""
    regret: bool = True
    """Compare losses above what a group's own disagreement makes unavoidable. Plain losses favour
    groups that disagree among themselves."""

    def wrong(self, groups: int) -> str:
        """Return what is impossible about the bounds for so many groups; empty if nothing is."""
        if groups * self.floor > 1:
            return f"a floor of {self.floor:g} for {groups} groups, more than 1 in all"
        return f"a floor of {self.floor:g} above a cap of {self.cap:g}" * (self.floor > self.cap)


class GroupWeights:
    """Exponentiated-gradient weights over groups (Ramesh et al. 2024, arXiv 2405.20304).

    They begin at the groups' shares of the rows, where robust training is pooled training, and move
    by a running mean of each group's loss. Saved with every checkpoint.
    """

    def __init__(
        self,
        names: Sequence[str],
        mass: Sequence[float],
        rows: Sequence[int],
        unavoidable: Sequence[float],
        *,
        robustness: Robustness,
    ) -> None:
        """Start at the shares of the groups.

        Args:
            names: of the groups.
            mass: weight of each group's rows in all.
            rows: number of each group's rows.
            unavoidable: least loss of each group, in the unit of its loss.
            robustness: how weights move.
        """
        self.names = tuple(names)
        self.share = [m / sum(mass) for m in mass]
        self.moving = [n >= robustness.least for n in rows]
        self.robustness = robustness
        self._unavoidable = list(unavoidable)
        self._weights = list(self.share)
        self._loss = [0.0] * len(names)
        self._seen = [0.0] * len(names)
        self._gathered = torch.zeros(2, len(names), dtype=torch.float64)

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each group; they sum to 1."""
        return dict(zip(self.names, self._weights, strict=True))

    @property
    def losses(self) -> dict[str, float]:
        """The running mean loss of each group that has been seen."""
        found = zip(self.names, self._loss, self._seen, strict=True)
        return {name: loss / seen for name, loss, seen in found if seen > 0}

    def ratios(self, like: torch.Tensor) -> torch.Tensor:
        """Return weight over share, shape (groups,): what a group's rows weigh more than pooled.

        Weighted so, rows drawn at random give an unbiased gradient of the weighted sum of group
        means, also from batches in which a small group is absent.
        """
        found = [w / s for w, s in zip(self._weights, self.share, strict=True)]
        return torch.tensor(found, dtype=like.dtype, device=like.device)

    def gather(self, losses: torch.Tensor, weights: torch.Tensor) -> None:
        """Take in the losses of a part of a step.

        Args:
            losses: of each row towards each group, shape (rows, groups).
            weights: of each row in each group, 0 where it says nothing of one; the same shape.
        """
        found = torch.stack([(losses.detach() * weights).sum(0), weights.sum(0)])
        self._gathered += found.double().cpu()

    def step(self) -> None:
        """Move the weights by what the parts of a step gave, on all processes alike."""
        total, mass = everywhere(self._gathered).tolist()
        self._gathered = torch.zeros_like(self._gathered)
        keep, here = self.robustness.memory, self.robustness
        for g, (loss, weight) in enumerate(zip(total, mass, strict=True)):
            # A group that is absent says nothing; its running mean stands.
            if weight > 0 and math.isfinite(loss):
                self._loss[g] = keep * self._loss[g] + (1 - keep) * loss
                self._seen[g] = keep * self._seen[g] + (1 - keep) * weight
        moving = [g for g, free in enumerate(self.moving) if free and self._seen[g] > 0]
        if len(moving) < 2:
            return
        held = sum(self._weights[g] for g in range(len(self.names)) if g not in moving)
        excess = [self._excess(g) for g in moving]
        highest = max(excess)
        grown = [
            self._weights[g] * math.exp(here.rate * (e - highest))
            for g, e in zip(moving, excess, strict=True)
        ]
        found = bounded(
            grown,
            [here.floor] * len(moving),
            [max(here.cap, self.share[g]) for g in moving],
            total=1 - held,
        )
        for g, share in zip(moving, found, strict=True):
            self._weights[g] = share

    def _excess(self, group: int) -> float:
        loss = self._loss[group] / self._seen[group]
        return loss - (self._unavoidable[group] if self.robustness.regret else 0.0)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {
            "names": list(self.names),
            "weights": list(self._weights),
            "loss": list(self._loss),
            "seen": list(self._seen),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint.

        Raises:
            ValueError: if it is of other groups.
        """
        if tuple(state["names"]) != self.names:
            raise ValueError(f"a checkpoint of groups {state['names']}, here {list(self.names)}")
        self._weights = [float(w) for w in state["weights"]]
        self._loss = [float(v) for v in state["loss"]]
        self._seen = [float(v) for v in state["seen"]]


def bounded(
    raw: Sequence[float], low: Sequence[float], high: Sequence[float], *, total: float = 1.0
) -> list[float]:
    """Return the weights within bounds nearest to `raw` in relative entropy; they sum to `total`.

    The nearest weights are a common multiple of `raw`, cut at the bounds, so one factor is searched
    for. Bounds that cannot sum to `total` are all scaled until they can.
    """
    low = [v * min(1.0, total / max(sum(low), total)) for v in low]
    high = [v * max(1.0, total / sum(high)) for v in high]

    def cut(factor: float) -> list[float]:
        return [min(max(factor * r, a), b) for r, a, b in zip(raw, low, high, strict=True)]

    least, most = -60.0, 60.0
    for _ in range(100):
        middle = (least + most) / 2
        least, most = (middle, most) if sum(cut(math.exp(middle))) < total else (least, middle)
    found = cut(math.exp(most))
    return [f * total / sum(found) for f in found]
