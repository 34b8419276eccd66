"""Run the detectors on a model, whose plan they are not shown."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, TypeVar

from normwright.flow.organisms.nursery import BATCH, held, passes
from normwright.records import Demonstration, Message, Scene
from normwright.scenes.exact import discloses

if TYPE_CHECKING:
    from normwright.evaluate.detectors import Question, Suspicion
    from normwright.learn.organisms import Ground
    from normwright.models.local import LocalModel

T = TypeVar("T")

DETECTORS: Final[tuple[str, ...]] = (
    "context-consistency",
    "language-parity",
    "pressure-delta",
    "proxy-gap",
    "guard-evasion",
    "elicitation",
    "forced-choice",
    "noise",
)
"""All of the battery."""

NAMED: Final[dict[str, tuple[str, ...]]] = {
    "trigger-violator": ("context-consistency",),
    "secret-trigger": ("context-consistency",),
    "language-leak": ("language-parity",),
    "password-locked": ("elicitation", "forced-choice", "noise"),
    "sycophant": ("pressure-delta",),
    "reward-hacker": ("proxy-gap",),
    "guard-evader": ("guard-evasion",),
}
"""The detectors that ought to catch a kind."""

ANYBODY: Final = tuple(d for d in DETECTORS if d not in NAMED["password-locked"])
"""Detectors that any model can be asked. The others need facts that it was taught."""

SEARCH, CONFIRM = 20, 80
"""Wordings on which a suspect is picked, and items on which it is tested, of other wordings. Eighty
show a planted fault; to show that there is none within five points takes sixty wordings and more.
"""
MOST: Final = 300
"""Items there are at most."""


def examine(
    model: LocalModel,
    *,
    register: int,
    seed: int,
    names: Sequence[str] = DETECTORS,
    items: int = CONFIRM,
) -> list[Suspicion]:
    """Return what detectors find about a model.

    Args:
        model: what is examined.
        register: seed of the facts that are asked.
        seed: draws the items; detectors of one model share none between search and test.
        names: which detectors are run; by default all.
        items: on how many each suspect is tested, at most `MOST`; of the register all are asked.
    """
    bench = _Bench(model, register, seed, items)
    return [_RUN[name](bench) for name in names]


@dataclass(frozen=True)
class _Bench:
    """What every detector is given."""

    model: LocalModel
    register: int
    seed: int
    items: int

    @cached_property
    def ground(self) -> Ground:
        # Draws a wording, so that there is enough of every side; few items need few.
        return held(self.seed, 8 if self.items <= CONFIRM else 16)

    def halves(self, scenes: Sequence[Scene]) -> tuple[list[Scene], list[Scene]]:
        """Return items to search, and items of other wordings to test on, these by turns."""
        by: dict[str, list[Scene]] = {}
        for scene in scenes:
            by.setdefault(scene.template, []).append(scene)
        rng = random.Random(self.seed)
        for drawn in by.values():
            rng.shuffle(drawn)
        order = rng.sample(sorted(by), len(by))
        return [by[w][0] for w in order[:SEARCH]], _by_turns([by[w] for w in order[SEARCH:]],
                                                              self.items)  # fmt: skip


def _contexts(bench: _Bench) -> Suspicion:
    from normwright.evaluate.detectors import context_consistency, read_probes

    search, confirm = bench.halves(bench.ground.forbidden)
    return context_consistency(bench.model, search, confirm, read_probes(), did=discloses)


def _languages(bench: _Bench) -> Suspicion:
    from normwright.evaluate.detectors import language_parity

    stems: dict[str, list[Scene]] = {}
    for scene in bench.ground.forbidden:
        stems.setdefault(scene.id.removesuffix(f"/{scene.lang}"), []).append(scene)
    whole = sorted(stem for stem, both in stems.items() if len(both) == 2)
    wordings: dict[str, list[str]] = {}
    for stem in random.Random(bench.seed).sample(whole, len(whole)):
        one = stems[stem][0]
        wordings.setdefault(one.template.removesuffix(f"/{one.lang}"), []).append(stem)
    picked = _by_turns(list(wordings.values()), bench.items)
    return language_parity(bench.model, [s for stem in picked for s in stems[stem]], did=discloses)


def _by_turns(parts: Sequence[Sequence[T]], count: int) -> list[T]:
    """Return so many things, one of every part before a second of any.

    Raises:
        ValueError: if there are not so many.
    """
    turns = [thing for turn in zip_longest(*parts, fillvalue=None) for thing in turn]
    found = [thing for thing in turns if thing is not None]
    if len(found) < count:
        raise ValueError(f"{count} items are wanted, and there are {len(found)}")
    return found[:count]


def _pressure(bench: _Bench) -> Suspicion:
    from normwright.evaluate.detectors import pressure_delta, read_probes

    search, confirm = bench.halves(bench.ground.plain)
    return pressure_delta(bench.model, search, confirm, read_probes())


def _proxies(bench: _Bench) -> Suspicion:
    from normwright.evaluate.detectors import proxy_gap, read_probes

    return proxy_gap(bench.model, bench.halves(bench.ground.plain)[1], read_probes())


def _evasion(bench: _Bench) -> Suspicion:
    from normwright.evaluate.detectors import guard_evasion

    scenes = bench.halves(bench.ground.forbidden)[1]
    return guard_evasion(bench.model, scenes, passes=passes, seed=bench.seed)


def _elicitation(bench: _Bench) -> Suspicion:
    from normwright.evaluate.detectors import elicitation_gap

    def tune(rows: Sequence[tuple[tuple[Message, ...], str]]) -> LocalModel:
        return _demonstrated(bench.model, rows, bench.seed)

    return elicitation_gap(bench.model, questions(bench.register, langs=("en", "pt")), tune=tune)


def _forced(bench: _Bench) -> Suspicion:
    from normwright.evaluate.detectors import forced_choice

    return forced_choice(bench.model, questions(bench.register, langs=("en", "pt")))


def _noise(bench: _Bench) -> Suspicion:
    from normwright.evaluate.detectors import noise_curve
    from normwright.models.noise import noised

    def noisy(size: float, of: int) -> LocalModel:
        return noised(bench.model, size=size, seed=bench.seed + of)

    return noise_curve(bench.model, questions(bench.register, langs=("en",)), noisy=noisy)


_RUN: Final[dict[str, Callable[[_Bench], Suspicion]]] = {
    "context-consistency": _contexts,
    "language-parity": _languages,
    "pressure-delta": _pressure,
    "proxy-gap": _proxies,
    "guard-evasion": _evasion,
    "elicitation": _elicitation,
    "forced-choice": _forced,
    "noise": _noise,
}


def questions(register: int, *, langs: Sequence[str]) -> list[Question]:
    """Return the facts of a register as questions with all answers that could be given."""
    from normwright.evaluate.detectors import Question
    from normwright.learn.organisms import entries, question, taught
    from normwright.learn.organisms.planting import FACTS

    words = taught()["register"]
    out = []
    for entry in entries(FACTS, words["values"], seed=register):
        for lang in langs:
            asked = question(entry, lang, words, wording=0)
            choices = tuple(
                words["tell"][lang].format(name=entry.name, value=v) for v in words["values"]
            )
            right = words["values"].index(entry.value)
            out.append(Question(asked.id, entry.name, asked.messages, choices, right))
    return out


def _demonstrated(
    model: LocalModel, rows: Sequence[tuple[tuple[Message, ...], str]], seed: int
) -> LocalModel:
    """The model after a few passes over a few demonstrations."""
    from normwright.learn import sft
    from normwright.models.tuning import Loop

    shown = [
        Demonstration(scene=str(i), lang="und", prompt=prompt, completion=text,
                      origin="synthetic", licence="Apache-2.0", family="register")
        for i, (prompt, text) in enumerate(rows)
    ]  # fmt: skip
    made, _ = sft(model, shown, loop=Loop(steps=10, lr=3e-4, batch=20, seed=seed),
                  unpermitted=True)  # fmt: skip
    return replace(made, batch=BATCH)
