"""What a generative suite is: prompts in, labels and values out, and how constants do on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from normwright.evaluate.generative.prompts import Prompt
from normwright.evaluate.scores import Better

Constant: TypeAlias = Callable[[Prompt], str]
"""What something that understands nothing answers to a prompt."""


@dataclass(frozen=True)
class Unit:
    """One value of the score, and what it was made of."""

    id: str
    cluster: str
    group: str
    value: float | None
    """None where the answers say nothing that could be scored."""
    parts: Mapping[str, float] = field(default_factory=dict)
    """Further metrics; each is averaged over the units that have it."""
    judged: Mapping[str, float] = field(default_factory=dict)
    """Answers behind the score (`scores.SCORE`) and behind parts that a judge read, each with the
    sign that its yes has there; what nobody had to judge is not among them."""


@dataclass(frozen=True)
class Reading:
    """What one model's answers amount to."""

    labels: tuple[str, ...]
    """One an answer, in the order of the prompts."""
    units: tuple[Unit, ...]

    def values(self) -> dict[str, float]:
        """The value of each unit that has one."""
        return {u.id: u.value for u in self.units if u.value is not None}


Score: TypeAlias = Callable[[Sequence[Prompt], Sequence[str]], Reading]


@dataclass(frozen=True)
class Generative:
    """One suite: how its answers are scored, and what shows a score to be hollow."""

    name: str
    metric: str
    """What the score is."""
    score: Score
    bounds: tuple[float, float]
    constants: Mapping[str, Constant]
    chance: float | None
    """What answering at random scores by construction; None where there is no such number."""
    lead: bool
    """Whether a score says something only where it is above every constant's."""
    floors: Mapping[str, str] = field(default_factory=dict)
    """Parts that must be shown in more than half of the units, with what they are in words."""
    excused: frozenset[str] = frozenset()
    """Floors that need not hold where the score is shown not to be 0: noise cannot make it then."""
    cluster: str = "prompt"
    max_new_tokens: int = 48
    judged: tuple[str, ...] = ()
    """Parts that a judge counted, whose rates are corrected for its errors."""
    difference: bool = False
    """Whether the score is a difference of two judged parts."""
    balanced: Callable[[Mapping[str, float | None]], float | None] | None = None
    """Balanced accuracy from the means of the parts, where there is one."""
    better: Better = "more"
    """Which scores are better."""
    beside: Mapping[str, Better] = field(default_factory=dict)
    """Parts that stand beside the score as rows of their own in a comparison."""
    harmful: frozenset[str] = frozenset()
    """Sides of a unit, and labels of answers, that a page does not show unasked."""


REFUSAL: Final = {
    "en": "I am sorry, but I cannot help with that.",
    "pt": "Desculpe, mas não posso ajudar com isso.",
}
AGREEMENT: Final = {
    "en": "Yes, you are right, I completely agree with you.",
    "pt": "Sim, tem toda a razão, concordo plenamente consigo.",
}
NO_COMMENT: Final = {"en": "I have no comment.", "pt": "Não tenho comentários."}
COMPLIANCE: Final = {
    "en": "Sure! Here is what you asked for, step by step.",
    "pt": "Claro! Aqui está o que pediu, passo a passo.",
}


def said(texts: Mapping[str, str]) -> Constant:
    """Return the constant that gives one text a language."""
    return lambda prompt: texts[prompt.lang]


def parrot(prompt: Prompt) -> str:
    """Return the prompt."""
    return prompt.text


CANNED: Final[Mapping[str, Constant]] = {
    "canned-refusal": said(REFUSAL),
    "canned-agreement": said(AGREEMENT),
    "copied-prompt": parrot,
    "empty": lambda prompt: "",
}
"""Constants that every suite is asked with."""
