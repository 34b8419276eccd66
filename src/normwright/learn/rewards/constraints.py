"""A norm as a constraint on what a model does on average, and the multiplier that enforces it.

`max E r - beta KL subject to E c_j <= d_j` has the optimum pi_ref exp((r - sum_j lambda_j c_j) /
beta) with the multipliers that solve a convex dual. Training follows it by gradient: the reward of
an answer is lowered by the multiplier times its cost, and the multiplier rises while the mean cost
stands above its limit and falls while it stands below (Altman 1999; Dai et al. 2023, arXiv
2310.12773). What a norm of each layer may ask for is in `FORCE`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from normwright.learn.rewards.signals import Signal
from normwright.learn.rewards.statistics import means
from normwright.records import Fault, Layer, Message


@dataclass(frozen=True)
class Force:
    """What a layer's norms are in training."""

    cap: float
    """Highest multiplier, in units of reward for one unit of cost."""
    never_traded: bool
    """No reward makes up for a breach: an answer that breaks the norm is worth no more than the
    least that an answer to the same prompt is worth which does not."""
    limited: bool
    """It has a limit and a multiplier that moves; without, a fixed price."""


FORCE: Final[Mapping[Layer, Force]] = {
    "global": Force(1000.0, never_traded=True, limited=True),
    "polity": Force(100.0, never_traded=False, limited=True),
    "organisation": Force(math.inf, never_traded=False, limited=False),
}
"""By layer. The layer `individual` is missing: an ideal conditions a model and constrains nobody
else's answers."""


@dataclass(frozen=True)
class Pid:
    """A controller in the place of the plain multiplier step (Stooke et al. 2020, arXiv
    2007.03964): it damps the swing of a multiplier around its value.
    """

    proportional: float = 0.1
    integral: float = 0.01
    derivative: float = 0.1
    smoothing: float = 0.9
    """Weight of the past in the moving means of excess and cost."""


@dataclass(frozen=True)
class Constraint:
    """A norm whose cost is held at or under a limit, or has a price."""

    norm: str
    """Reference of the norm, as the charter has it; names multiplier and cost in the logs."""
    cost: Signal
    """Cost of an answer, larger for worse."""
    limit: float | None = None
    """Highest mean cost; None only where the layer prices."""
    layer: Layer = "polity"
    price: float | None = None
    """Fixed price of one unit of cost, for a norm of the layer `organisation`."""
    start: float = 0.0
    """Multiplier before the first step."""
    rate: float = 0.1
    """Step of the multiplier for one unit of cost above the limit."""
    cap: float | None = None
    """Highest multiplier; None is that of the layer."""
    pid: Pid | None = None
    """A controller in the place of the plain step; `rate` is not used then."""
    tail: float | None = None
    """Hold the mean over the worst such share of answers (conditional value at risk) in the place
    of the mean over all: for costs whose rare large values are what the norm is about."""
    tail_rate: float = 0.05
    """Step of the cost at which the worst share begins."""
    among: Literal["all", "named"] = "all"
    """Whose answers count: `all`, or those to prompts whose `norms` name this one. A mean over all
    would shrink with every prompt that cannot put the norm to the test."""
    breaks: float = 0.5
    """Cost above which one answer breaks the norm, where the layer never trades it."""


def impact(
    measure: Callable[[Sequence[Message], str], float],
    *,
    limit: float,
    name: str = "impact",
    rate: float = 0.1,
) -> Constraint:
    """Return a limit on the mean impact of answers, by any measure of prompt and answer."""

    def cost(
        prompts: Sequence[Sequence[Message]], completions: Sequence[str], columns: Any
    ) -> list[float | None]:
        return [measure(p, c) for p, c in zip(prompts, completions, strict=True)]

    return Constraint(norm=name, cost=cost, limit=limit, rate=rate)


def faults_of(constraints: Sequence[Constraint]) -> Iterator[Fault]:
    """Yield what is wrong with constraints, among it all that would reward breaking a norm."""
    seen: set[str] = set()
    for one in constraints:
        where = f"constraint {one.norm}"
        if one.norm in seen:
            yield Fault(where=where, expected="one constraint a norm", seen="a second one")
        seen.add(one.norm)
        yield from _unlawful(one, where)
        for name, value in _numbers(one):
            if value is not None and not value >= 0:
                yield Fault(
                    where=f"{where}: {name}",
                    expected="0 or more: a negative one would reward breaking the norm",
                    seen=str(value),
                )
        if one.tail is not None and not 0 < one.tail <= 1:
            yield Fault(where=f"{where}: tail", expected="a share in (0, 1]", seen=str(one.tail))


def _numbers(one: Constraint) -> Iterator[tuple[str, float | None]]:
    yield from (("price", one.price), ("start", one.start), ("rate", one.rate), ("cap", one.cap))
    if one.pid is not None:
        yield from (
            ("proportional", one.pid.proportional),
            ("integral", one.pid.integral),
            ("derivative", one.pid.derivative),
        )


def _unlawful(one: Constraint, where: str) -> Iterator[Fault]:
    """Yield what the norm's layer does not allow."""
    force = FORCE.get(one.layer)
    if force is None:
        yield Fault(
            where=f"{where}: layer",
            expected=f"one of {', '.join(FORCE)}",
            seen=one.layer,
            do="An ideal of one person conditions a model; it constrains nobody else's answers.",
        )
        return
    if force.limited and (one.limit is None or not math.isfinite(one.limit)):
        yield Fault(where=f"{where}: limit", expected="the highest mean cost", seen=str(one.limit))
    if force.limited and one.price is not None:
        yield Fault(
            where=f"{where}: price",
            expected=f"none: a norm of the layer {one.layer} has a limit and is not for sale",
            seen=str(one.price),
        )
    if not force.limited and (one.price is None or one.limit is not None):
        yield Fault(
            where=where,
            expected=f"a price and no limit for a norm of the layer {one.layer}",
            seen=f"price {one.price}, limit {one.limit}",
        )
    if force.limited and one.pid is None and one.rate == 0 and one.start == 0:
        yield Fault(
            where=f"{where}: rate", expected="a multiplier that can rise", seen="0 for good"
        )


@dataclass(frozen=True)
class Costed:
    """What a constraint says of the answers of this process."""

    charge: list[float]
    """What is taken off each answer's reward."""
    breaking: list[bool]
    """Which answers break a norm that is never traded."""


class Multiplier:
    """The price of one norm's cost while a model is trained; a step of the dual a batch."""

    def __init__(self, constraint: Constraint) -> None:
        force = FORCE[constraint.layer]
        self.constraint = constraint
        self.cap = force.cap if constraint.cap is None else constraint.cap
        self.never_traded = force.never_traded
        self.limited = force.limited
        self.value = constraint.start if self.limited else float(constraint.price or 0.0)
        self.integral = self.value
        self.threshold = 0.0
        self.excess = 0.0
        self.smooth_cost: float | None = None
        self.mean = 0.0
        """Mean cost of the last batch."""

    def charged(self, costs: Sequence[float]) -> Costed:
        """Return what answers with these costs are charged at the present multiplier."""
        tail = self.constraint.tail
        if tail is None:
            charge = [self.value * c for c in costs]
        else:
            charge = [self.value * max(0.0, c - self.threshold) / tail for c in costs]
        breaking = [self.never_traded and c > self.constraint.breaks for c in costs]
        return Costed(charge, breaking)

    def counts(self, norms: Sequence[str]) -> bool:
        """Say whether an answer counts, by the norms that its prompt puts to the test."""
        return self.constraint.among == "all" or self.constraint.norm in norms

    def learn(self, costs: Sequence[float]) -> None:
        """Move the multiplier by the costs that count, over all processes; by none, not at all."""
        over = [max(0.0, c - self.threshold) for c in costs]
        beyond = [float(c > self.threshold) for c in costs]
        found = means([costs, over, beyond], len(costs))
        if found is None:
            return
        self.mean, excess, share = found
        if not self.limited:
            return
        held, tail = self.mean, self.constraint.tail
        if tail is not None:
            held = self.threshold + excess / tail
            self.threshold += self.constraint.tail_rate * (share / tail - 1)
        assert self.constraint.limit is not None
        difference = held - self.constraint.limit
        self.value = min(self.cap, self._controlled(difference, held))

    def _controlled(self, difference: float, held: float) -> float:
        pid = self.constraint.pid
        if pid is None:
            return max(0.0, self.value + self.constraint.rate * difference)
        before = held if self.smooth_cost is None else self.smooth_cost
        keep = pid.smoothing
        self.excess = keep * self.excess + (1 - keep) * difference
        self.smooth_cost = keep * before + (1 - keep) * held
        self.integral = min(self.cap, max(0.0, self.integral + pid.integral * difference))
        rising = max(0.0, self.smooth_cost - before)
        return max(0.0, pid.proportional * self.excess + self.integral + pid.derivative * rising)

    def state_dict(self) -> dict[str, Any]:
        """Return what a killed run needs to go on."""
        return {
            "value": self.value,
            "integral": self.integral,
            "threshold": self.threshold,
            "excess": self.excess,
            "smooth_cost": self.smooth_cost,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a killed run stood."""
        self.value = float(state["value"])
        self.integral = float(state["integral"])
        self.threshold = float(state["threshold"])
        self.excess = float(state["excess"])
        self.smooth_cost = state["smooth_cost"]
