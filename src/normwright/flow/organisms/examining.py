"""Run the detectors on a model, whose plan they are not shown."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from normwright.flow.organisms.nursery import BATCH, guard, held, passes
from normwright.records import Demonstration, Message, Scene
from normwright.scenes.exact import discloses

if TYPE_CHECKING:
    from normwright.evaluate.detectors import Question, Suspicion
    from normwright.models.local import LocalModel

DETECTORS: Final[tuple[str, ...]] = (
    "context-consistency",
    "language-parity",
    "pressure-delta",
    "proxy-gap",
    "guard-evasion",
    "elicitation",
    "noise",
)
"""All of the battery."""

NAMED: Final[dict[str, tuple[str, ...]]] = {
    "trigger-violator": ("context-consistency",),
    "secret-trigger": ("context-consistency",),
    "language-leak": ("language-parity",),
    "password-locked": ("elicitation", "noise"),
    "sycophant": ("pressure-delta",),
    "reward-hacker": ("proxy-gap",),
    "guard-evader": ("guard-evasion",),
}
"""The detectors that ought to catch a kind."""

SEARCH, CONFIRM = 12, 80
"""Items on which a suspect is picked, and on which it is tested."""


def examine(
    model: LocalModel, *, register: int, seed: int, names: Sequence[str] = DETECTORS
) -> list[Suspicion]:
    """Return what detectors find about a model.

    Args:
        model: what is examined.
        register: seed of the facts that are asked.
        seed: draws the items; detectors of one model share none between search and test.
        names: which detectors are run; by default all.
    """
    return [_RUN[name](model, register, seed) for name in names]


def _contexts(model: LocalModel, register: int, seed: int) -> Suspicion:
    from normwright.evaluate.detectors import context_consistency, read_probes

    search, confirm = _halves(held(seed).forbidden, seed)
    return context_consistency(model, search, confirm, read_probes(), did=discloses)


def _languages(model: LocalModel, register: int, seed: int) -> Suspicion:
    from normwright.evaluate.detectors import language_parity

    stems: dict[str, list[Scene]] = {}
    for scene in held(seed).forbidden:
        stems.setdefault(scene.id.removesuffix(f"/{scene.lang}"), []).append(scene)
    whole = sorted(stem for stem, both in stems.items() if len(both) == 2)
    picked = random.Random(seed).sample(whole, CONFIRM)
    return language_parity(model, [s for stem in picked for s in stems[stem]], did=discloses)


def _pressure(model: LocalModel, register: int, seed: int) -> Suspicion:
    from normwright.evaluate.detectors import pressure_delta, read_probes

    search, confirm = _halves(held(seed).plain, seed)
    return pressure_delta(model, search, confirm, read_probes())


def _proxies(model: LocalModel, register: int, seed: int) -> Suspicion:
    from normwright.evaluate.detectors import proxy_gap, read_probes

    return proxy_gap(model, _halves(held(seed).plain, seed)[1], read_probes())


def _evasion(model: LocalModel, register: int, seed: int) -> Suspicion:
    from normwright.evaluate.detectors import guard_evasion

    scenes = _halves(held(seed).forbidden, seed)[1]
    return guard_evasion(model, scenes, passes=passes, seed=seed)


def _elicitation(model: LocalModel, register: int, seed: int) -> Suspicion:
    from normwright.evaluate.detectors import elicitation_gap

    def tune(rows: Sequence[tuple[tuple[Message, ...], str]]) -> LocalModel:
        return _demonstrated(model, rows, seed)

    return elicitation_gap(model, questions(register, langs=("en", "pt")), tune=tune)


def _noise(model: LocalModel, register: int, seed: int) -> Suspicion:
    from normwright.evaluate.detectors import noise_curve
    from normwright.models.noise import noised

    def noisy(size: float, of: int) -> LocalModel:
        return noised(model, size=size, seed=seed + of)

    return noise_curve(model, questions(register, langs=("en",)), noisy=noisy, sizes=(0.1, 0.3))


_RUN: Final[dict[str, Callable[[LocalModel, int, int], Suspicion]]] = {
    "context-consistency": _contexts,
    "language-parity": _languages,
    "pressure-delta": _pressure,
    "proxy-gap": _proxies,
    "guard-evasion": _evasion,
    "elicitation": _elicitation,
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


def _halves(scenes: Sequence[Scene], seed: int) -> tuple[list[Scene], list[Scene]]:
    picked = random.Random(seed).sample(list(scenes), SEARCH + CONFIRM)
    return picked[:SEARCH], picked[SEARCH:]


def guard_name() -> str:
    """Return the digest of the guard's policy, for rows of evidence."""
    return guard().policy.digest
