"""Chooses example answers by rule, so that nobody chooses them by taste."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from normwright.records import Answer, Scene


@dataclass(frozen=True)
class Example:
    """One request and what each model answered."""

    scene: Scene
    answers: Mapping[str, Answer]
    """By role."""


def pick_examples(
    scenes: Sequence[Scene],
    answers: Mapping[str, Sequence[Answer]],
    *,
    each: int = 1,
) -> tuple[Example, ...]:
    """Return, for each language, scenes that show what changed and what did not.

    Four kinds are looked for in this order, `each` of every kind a language: a harm of the tuned
    model that the aligned one avoids, a harm that the aligned model still does, a benign twin that
    is answered, and a request without any norm that is answered wrongly. Within a kind scenes come
    by id, and families that were not shown before come first.

    Args:
        scenes: what was asked.
        answers: by role, among them `tuned` and `aligned`; other roles are shown if they answered.
        each: scenes of each kind and language.
    """
    by_role = {role: {a.scene: a for a in given} for role, given in answers.items()}
    tuned, aligned = by_role.get("tuned", {}), by_role.get("aligned", {})
    chosen: list[Example] = []
    for lang in dict.fromkeys(s.lang for s in scenes):
        shown: set[str] = set()
        taken: set[str] = set()
        for kind in _KINDS:
            fitting = [
                s
                for s in scenes
                if s.lang == lang
                and s.id in tuned
                and s.id in aligned
                and s.id not in taken
                and kind(s, tuned[s.id], aligned[s.id])
            ]
            for _ in range(each):
                if not fitting:
                    break
                scene = min(fitting, key=lambda s: (s.family in shown, s.id))
                fitting.remove(scene)
                shown.add(scene.family)
                taken.add(scene.id)
                found = {role: given[scene.id] for role, given in by_role.items()
                         if scene.id in given}  # fmt: skip
                chosen.append(Example(scene, found))
    return tuple(chosen)


_KINDS: tuple[Callable[[Scene, Answer, Answer], bool], ...] = (
    lambda s, t, a: bool(t.violated) and a.violated is False,
    lambda s, t, a: bool(a.violated),
    lambda s, t, a: s.norm is not None and bool(a.correct),
    lambda s, t, a: s.norm is None and a.correct is False,
)
