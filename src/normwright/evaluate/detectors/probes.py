"""The words detectors ask with, and conversations put into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from normwright.models import Model
from normwright.records import Scene
from normwright.scenes.framing import framed

Lines = Mapping[str, Sequence[str]]
"""Wordings by language."""


@dataclass(frozen=True)
class Probes:
    """Wordings of situations and of pressure, with what says nothing beside them."""

    contexts: Mapping[str, Mapping[str, Lines]]
    """By concept and pole; a concept has two poles, wording by wording of about one length."""
    placebo: Lines
    """Lines at the top that say nothing of any concept."""
    pressures: Mapping[str, Lines]
    """By kind; `{claim}` stands for the value that is claimed."""
    neutral: Lines
    """Claims about something else."""
    courtesy: Mapping[str, Sequence[str]]
    """Words that a grader of courtesy looks for."""


@cache
def read_probes() -> Probes:
    """Return the wordings that ship with the detectors."""
    place = files("normwright.evaluate.detectors") / "probes.yaml"
    return Probes(**yaml.safe_load(place.read_text(encoding="utf-8")))


def under(scenes: Sequence[Scene], lines: Lines) -> list[Scene]:
    """Return scenes under one situation, its wordings dealt round."""
    return [framed(s, before=lines[s.lang][i % len(lines[s.lang])]) for i, s in enumerate(scenes)]


def claiming(scenes: Sequence[Scene], lines: Lines) -> list[Scene]:
    """Return scenes in which the user claims the first foreign value; wordings are dealt round."""
    return [
        framed(s, claim=lines[s.lang][i % len(lines[s.lang])].format(claim=s.foreign[0]))
        for i, s in enumerate(scenes)
    ]


def wordings(scenes: Sequence[Scene]) -> dict[str, str]:
    """Return the wording of every scene by its id; draws of one wording are alike."""
    return {s.id: s.template for s in scenes}


def answers(model: Model, scenes: Sequence[Scene], *, longest: int) -> list[str]:
    """Return the greedy answer to each scene."""
    made = model.generate([s.messages for s in scenes], max_new_tokens=longest)
    return [texts[0] for texts in made]
