"""Nash learning: an answer is worth how often it is preferred to the model's own other answers.

For any preference, transitive or not, the regularised game has one equilibrium, pi =
pi_ref exp(P(. preferred to pi) / beta) / Z (Munos et al. 2023, arXiv 2312.00886). Here each answer
is set against the other answers to its prompt in the same batch, which are samples of pi.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from normwright.learn.rewards.signals import Columns, Preference
from normwright.learn.rewards.statistics import gathered
from normwright.records import Fault, Message


@dataclass(frozen=True)
class Nash:
    """A preference between two answers that a model plays against itself."""

    preference: Preference
    """Probability that the first answer is preferred; that of the second is the rest to one."""
    damping: float = 0.0
    """Share of the opponents that are the answers of the last time the prompt was asked: it damps
    the circling of an intransitive preference and leaves the equilibrium where it is."""


def faults_of(nash: Nash, generations: int) -> Iterator[Fault]:
    """Yield what is wrong with a game."""
    if not 0 <= nash.damping < 1:
        yield Fault(where="preference: damping", expected="[0, 1)", seen=str(nash.damping))
    if generations < 2:
        yield Fault(where="generations", expected="2 or more", seen=str(generations))


class SelfPlay:
    """A model's answers against each other, and against those of the time before."""

    def __init__(self, nash: Nash, generations: int) -> None:
        self.nash = nash
        self.generations = generations
        self.earlier: dict[int, list[str]] = {}

    def rewards(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str], columns: Columns
    ) -> list[float | None]:
        """Return how often each answer is preferred to the others to its prompt."""
        out: list[float | None] = []
        for start in range(0, len(completions), self.generations):
            block = range(start, start + self.generations)
            now = self._against_each_other(prompts, completions, columns, block)
            past = self._against_earlier(prompts, completions, columns, block)
            out += [_mixed(a, b, self.nash.damping) for a, b in zip(now, past, strict=True)]
        return out

    def learn(self, completions: Sequence[str], columns: Columns) -> None:
        """Keep the answers as the opponents of the next time their prompts are asked."""
        if not self.nash.damping:
            return
        pairs = gathered(list(zip(columns["row"], completions, strict=True)))
        self.earlier |= {row: [] for row, _ in pairs}
        for row, text in pairs:
            self.earlier[row].append(text)

    def _against_each_other(
        self, prompts: Any, completions: Sequence[str], columns: Columns, block: range
    ) -> list[float | None]:
        pairs = [(i, j) for i in block for j in block if i < j]
        won = self._asked(prompts, completions, columns, pairs, [completions[j] for _, j in pairs])
        table: dict[int, list[float | None]] = {i: [] for i in block}
        for (i, j), p in zip(pairs, won, strict=True):
            table[i].append(p)
            table[j].append(None if p is None else 1 - p)
        return [_mean(table[i]) for i in block]

    def _against_earlier(
        self, prompts: Any, completions: Sequence[str], columns: Columns, block: range
    ) -> list[float | None]:
        others = self.earlier.get(columns["row"][block.start], [])
        if not others or not self.nash.damping:
            return [None] * len(block)
        pairs = [(i, j) for i in block for j in range(len(others))]
        won = self._asked(prompts, completions, columns, pairs, [others[j] for _, j in pairs])
        n = len(others)
        return [_mean(won[k * n : (k + 1) * n]) for k in range(len(block))]

    def _asked(
        self,
        prompts: Any,
        completions: Sequence[str],
        columns: Columns,
        pairs: Sequence[tuple[int, int]],
        others: Sequence[str],
    ) -> list[float | None]:
        rows = [i for i, _ in pairs]
        return list(
            self.nash.preference(
                [prompts[i] for i in rows],
                [completions[i] for i in rows],
                others,
                {name: [column[i] for i in rows] for name, column in columns.items()},
            )
        )

    def state_dict(self) -> dict[str, Any]:
        """Return what a killed run needs to go on."""
        return {"earlier": {str(row): texts for row, texts in self.earlier.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a killed run stood."""
        self.earlier = {int(row): list(texts) for row, texts in state["earlier"].items()}


def _mean(values: Sequence[float | None]) -> float | None:
    """Return the mean; None if a comparison could not be told."""
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _mixed(now: float | None, past: float | None, damping: float) -> float | None:
    if now is None or past is None:
        return now
    return (1 - damping) * now + damping * past
