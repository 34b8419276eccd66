"""A budget of divergence: how far the model may move from its reference, in nats an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from normwright.records import Fault


@dataclass(frozen=True)
class Budget:
    """How far a model may go from its reference."""

    nats: float
    """Highest mean divergence of an answer from the reference, KL(model || reference)."""
    rule: Literal["adapt", "stop"] = "adapt"
    """`adapt` raises beta while the divergence stands above the budget, and never below the beta
    of the settings: a constraint with a multiplier like any other. `stop` ends training at the
    first step above it, on the mean of `window` steps."""
    rate: float = 0.1
    """Step of beta, relative to beta, for a divergence of twice the budget."""
    window: int = 5
    """Steps over which the divergence is averaged; one step's is noisy."""


def faults_of(budget: Budget) -> Iterator[Fault]:
    """Yield what is wrong with a budget."""
    for name in ("nats", "rate", "window"):
        if not getattr(budget, name) > 0:
            seen = str(getattr(budget, name))
            yield Fault(where=f"budget: {name}", expected="above 0", seen=seen)


class Spent:
    """How much of a budget is spent, and what beta is raised to.

    The trainer's beta is fixed for a run. Rewards divided by s have the optimum of beta times s,
    so that is how it is raised.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.extra = 0.0
        self.recent: list[float] = []

    @property
    def scale(self) -> float:
        """What rewards are multiplied by."""
        return 1 / (1 + self.extra)

    @property
    def over(self) -> bool:
        """Whether training must stop."""
        full = len(self.recent) == self.budget.window
        mean = sum(self.recent) / max(1, len(self.recent))
        return self.budget.rule == "stop" and full and mean > self.budget.nats

    def learn(self, divergence: float) -> None:
        """Take in the divergence of one step, in nats an answer."""
        self.recent = [*self.recent, divergence][-self.budget.window :]
        if self.budget.rule == "adapt":
            mean = sum(self.recent) / len(self.recent)
            step = min(1.0, mean / self.budget.nats - 1)
            self.extra = max(0.0, self.extra + self.budget.rate * step)

    def state_dict(self) -> dict[str, Any]:
        """Return what a killed run needs to go on."""
        return {"extra": self.extra, "recent": self.recent}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a killed run stood."""
        self.extra, self.recent = float(state["extra"]), [float(one) for one in state["recent"]]
