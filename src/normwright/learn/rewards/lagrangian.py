"""All that an answer is worth in one number: reward, groups or game, less what norms charge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from normwright.learn.rewards.budget import Budget, Spent
from normwright.learn.rewards.constraints import Constraint, Multiplier
from normwright.learn.rewards.groups import Groups, GroupWeights
from normwright.learn.rewards.selfplay import Nash, SelfPlay
from normwright.learn.rewards.signals import Columns, Signal
from normwright.learn.rewards.statistics import means, sums
from normwright.records import Fault, InputError, Message

_SHOWN = 5
"""Answers without a number that an error quotes."""


class Lagrangian:
    """From answers to rewards, with all that moves while a model is trained."""

    def __init__(
        self,
        *,
        reward: Signal | None,
        groups: Groups | None = None,
        preference: Nash | None = None,
        constraints: Sequence[Constraint] = (),
        budget: Budget | None = None,
        generations: int,
        unscored: float = 0.0,
    ) -> None:
        """Take what an answer is worth.

        Args:
            reward: what an answer is worth; may stand beside `groups` and `preference`, and is
                added to them.
            groups: rewards of groups of people of which the lowest mean is raised.
            preference: a preference the answers to a prompt are put to in pairs.
            constraints: norms with a limit or a price.
            budget: how far the model may go from its reference.
            generations: answers a prompt; they lie side by side.
            unscored: largest share of a batch that may be without a number. Such answers move
                nothing; more of them are an error.
        """
        self.reward = reward
        self.groups = None if groups is None else GroupWeights(groups)
        self.game = None if preference is None else SelfPlay(preference, generations)
        self.multipliers = [Multiplier(one) for one in constraints]
        self.spent = None if budget is None else Spent(budget)
        self.generations = generations
        self.unscored = unscored
        self.told: dict[str, float] = {}
        """What the last batch was, over all processes: means, multipliers, weights."""

    def __call__(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str], columns: Columns
    ) -> list[float | None]:
        """Return what each answer is worth, and move multipliers and weights by what was seen.

        None where some part of it cannot be told.

        Raises:
            InputError: for a number that is not finite, a list of another length, or more answers
                without a number than are allowed; on all processes alike.
        """
        worths, costs = self._asked(prompts, completions, columns)
        self._require(worths | costs, prompts, completions)
        known = [
            i
            for i in range(len(completions))
            if all(values[i] is not None for values in (worths | costs).values())
        ]
        self._require_scored(len(known), len(completions))
        kept = {
            name: [_number(values[i]) for i in known] for name, values in (worths | costs).items()
        }
        worth = self._worth(kept, len(known))
        charged = [m.charged(kept[_cost(m)]) for m in self.multipliers]
        breaking = [any(c.breaking[k] for c in charged) for k in range(len(known))]
        blocks = [i // self.generations for i in known]
        net = _never_traded(worth, breaking, blocks)
        net = [w - sum(c.charge[k] for c in charged) for k, w in enumerate(net)]
        scale = 1.0 if self.spent is None else self.spent.scale
        out: list[float | None] = [None] * len(completions)
        for i, value in zip(known, net, strict=True):
            out[i] = value * scale
        self._learn(kept, worth, net, known, completions, columns)
        return out

    def _asked(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str], columns: Columns
    ) -> tuple[dict[str, list[float | None]], dict[str, list[float | None]]]:
        worths: dict[str, list[float | None]] = {}
        if self.reward is not None:
            worths["reward"] = list(self.reward(prompts, completions, columns))
        if self.groups is not None:
            values = self.groups.rewards(prompts, completions, columns)
            worths |= {f"reward/{n}": v for n, v in zip(self.groups.names, values, strict=True)}
        if self.game is not None:
            worths["preferred"] = self.game.rewards(prompts, completions, columns)
        costs = {_cost(m): _costs(m, prompts, completions, columns) for m in self.multipliers}
        return worths, costs

    def _worth(self, kept: Mapping[str, list[float]], count: int) -> list[float]:
        """Return what each answer is worth before norms charge it."""
        parts = [kept[name] for name in ("reward", "preferred") if name in kept]
        if self.groups is not None:
            for name, weight in zip(self.groups.names, self.groups.weights, strict=True):
                parts.append([weight * one for one in kept[f"reward/{name}"]])
        return [sum(part[k] for part in parts) for k in range(count)]

    def _learn(
        self,
        kept: Mapping[str, list[float]],
        worth: Sequence[float],
        net: Sequence[float],
        known: Sequence[int],
        completions: Sequence[str],
        columns: Columns,
    ) -> None:
        count, asked = len(known), len(completions)
        plain = [name for name in ("reward", "preferred") if name in kept]
        averaged = means([worth, net, *(kept[name] for name in plain)], count) or []
        told = dict(zip(("worth", "net", *plain), averaged, strict=True))
        unscored, all_of_them = sums([float(asked - count), float(asked)])
        told["unscored"] = unscored / all_of_them
        for one in self.multipliers:
            told[f"multiplier/{one.constraint.norm}"] = one.value
            asked_of = [columns["norms"][i] for i in known]
            one.learn([c for c, n in zip(kept[_cost(one)], asked_of, strict=True) if one.counts(n)])
            told[_cost(one)] = one.mean
            if one.constraint.tail is not None:
                told[f"tail_begins/{one.constraint.norm}"] = one.threshold
        if self.groups is not None:
            names = self.groups.names
            told |= {f"weight/{n}": w for n, w in zip(names, self.groups.weights, strict=True)}
            self.groups.learn([kept[f"reward/{name}"] for name in names])
            told |= {f"reward/{n}": m for n, m in zip(names, self.groups.means, strict=True)}
        if self.game is not None:
            self.game.learn(completions, columns)
        if self.spent is not None:
            told["beta_raised"] = 1 + self.spent.extra
        self.told = told

    def _require(
        self,
        signals: Mapping[str, Sequence[float | None]],
        prompts: Sequence[Sequence[Message]],
        completions: Sequence[str],
    ) -> None:
        """Raise if a signal is not one finite number or None an answer, anywhere."""
        faults: list[Fault] = []
        for name, values in signals.items():
            if len(values) != len(completions):
                faults.append(
                    Fault(
                        where=name,
                        expected=f"{len(completions)} numbers, one an answer",
                        seen=str(len(values)),
                    )
                )
                continue
            wrong = [i for i, v in enumerate(values) if v is not None and not math.isfinite(v)]
            faults += [
                Fault(
                    where=f"{name}, answer {completions[i][:80]!r} to {_said(prompts[i])!r}",
                    expected="a finite number, or none where it cannot be told",
                    seen=str(values[i]),
                )
                for i in wrong[:_SHOWN]
            ]
        (everywhere,) = sums([float(len(faults))])
        if faults:
            raise InputError(faults)
        if everywhere:
            raise InputError(
                [Fault(where="another process", expected="finite rewards", seen="others")]
            )

    def _require_scored(self, known: int, asked: int) -> None:
        scored, all_of_them = sums([float(known), float(asked)])
        share = 1 - scored / all_of_them
        if share > self.unscored or not scored:
            raise InputError(
                [
                    Fault(
                        where="rewards and costs",
                        expected=f"at most {self.unscored:.0%} of the answers without a number",
                        seen=f"{share:.0%}",
                        do="Unknown is never taken for harmless: mend the judge, or allow a share.",
                    )
                ]
            )

    def state_dict(self) -> dict[str, Any]:
        """Return, as JSON values, what a killed run needs to go on."""
        state: dict[str, Any] = {
            "multipliers": {m.constraint.norm: m.state_dict() for m in self.multipliers}
        }
        for name, part in self._parts():
            state[name] = part.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a killed run stood.

        Raises:
            InputError: if the state is that of another objective.
        """
        wanted = {"multipliers": sorted(m.constraint.norm for m in self.multipliers)}
        found = {"multipliers": sorted(state.get("multipliers", {}))}
        parts = sorted(name for name, _ in self._parts())
        if wanted != found or parts != sorted(set(state) - {"multipliers"}):
            raise InputError(
                [
                    Fault(
                        where="checkpoint",
                        expected=f"the state of {wanted['multipliers']} and {parts}",
                        seen=f"{found['multipliers']} and {sorted(set(state) - {'multipliers'})}",
                        do="Start in another directory, or with the constraints of the first run.",
                    )
                ]
            )
        for one in self.multipliers:
            one.load_state_dict(state["multipliers"][one.constraint.norm])
        for name, part in self._parts():
            part.load_state_dict(state[name])

    def _parts(self) -> list[tuple[str, Any]]:
        parts = [("groups", self.groups), ("preference", self.game), ("budget", self.spent)]
        return [(name, part) for name, part in parts if part is not None]


def _cost(one: Multiplier) -> str:
    return f"cost/{one.constraint.norm}"


def _costs(
    one: Multiplier, prompts: Sequence[Sequence[Message]], completions: Sequence[str],
    columns: Columns,
) -> list[float | None]:  # fmt: skip
    """Return the costs of all answers; one that does not count costs nothing and is not judged."""
    asked = [i for i in range(len(completions)) if one.counts(columns["norms"][i])]
    part = {name: [column[i] for i in asked] for name, column in columns.items()}
    found = one.constraint.cost([prompts[i] for i in asked], [completions[i] for i in asked], part)
    if len(found) != len(asked):
        return list(found)
    out: list[float | None] = [0.0] * len(completions)
    for i, cost in zip(asked, found, strict=True):
        out[i] = cost
    return out


def _number(value: float | None) -> float:
    assert value is not None
    return float(value)


def _said(prompt: Sequence[Message]) -> str:
    return prompt[-1].content[:80] if prompt else ""


def _never_traded(
    worth: Sequence[float], breaking: Sequence[bool], blocks: Sequence[int]
) -> list[float]:
    """Return what answers are worth, with no breach above any clean answer to the same prompt.

    Where all answers to a prompt break the norm, all are worth the least of them: reward then
    favours none.
    """
    least: dict[int, float] = {}
    for clean in (True, False):
        found: dict[int, float] = {}
        for w, broken, block in zip(worth, breaking, blocks, strict=True):
            if broken != clean:
                found[block] = min(w, found.get(block, math.inf))
        least = found | least
    return [
        min(w, least[block]) if broken else w
        for w, broken, block in zip(worth, breaking, blocks, strict=True)
    ]
