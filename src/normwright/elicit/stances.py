"""What answers in a table mean: words in English and Portuguese, signs, and scales.

A word that is not known, and a number that can be read in two ways, is never guessed: it is a
question, and its answer stands in `mapping.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from normwright.records import Stance

Meaning: TypeAlias = Stance | Literal["none"]
"""What a value means; `none` is no vote at all, which is not a pass."""

MEANINGS: Final[tuple[Meaning, ...]] = ("agree", "disagree", "pass", "none")

_WORDS: Final[Mapping[str, Meaning]] = {
    **dict.fromkeys(
        ("agree", "agreed", "agrees", "strongly agree", "somewhat agree", "slightly agree",
         "mostly agree", "totally agree", "completely agree", "yes", "y", "true", "support",
         "supports", "for", "in favour", "in favor", "favour", "favor", "approve", "+", "👍",
         "concordo", "concorda", "concordo totalmente", "concordo plenamente",
         "concordo em parte", "concordo parcialmente", "concordo muito", "sim", "s", "a favor",
         "favorável", "favoravel", "verdadeiro", "apoio", "aprovo"), "agree",
    ),
    **dict.fromkeys(
        ("disagree", "disagreed", "disagrees", "strongly disagree", "somewhat disagree",
         "slightly disagree", "mostly disagree", "totally disagree", "completely disagree", "no",
         "n", "false", "oppose", "opposes", "against", "disapprove", "reject", "👎",
         "discordo", "discorda", "discordo totalmente", "discordo plenamente",
         "discordo em parte", "discordo parcialmente", "discordo muito", "não", "nao", "contra",
         "contrário", "contrario", "falso", "rejeito", "desaprovo"), "disagree",
    ),
    **dict.fromkeys(
        ("pass", "passed", "skip", "skipped", "neutral", "unsure", "not sure", "undecided",
         "don't know", "dont know", "do not know", "neither", "neither agree nor disagree",
         "neither agree or disagree", "abstain", "abstention", "no opinion",
         "passo", "passar", "pular", "pulo", "neutro", "neutra", "indeciso", "indecisa",
         "não sei", "nao sei", "sem opinião", "sem opiniao", "abstenção", "abstencao",
         "abstenho-me", "me abstenho", "nem concordo nem discordo",
         "não concordo nem discordo", "nao concordo nem discordo", "indiferente"), "pass",
    ),
    **dict.fromkeys(
        ("na", "n/a", "nan", "null", "none", "-", "--", "missing", "unseen", "not seen",
         "n/d", "não visto", "nao visto", "sem resposta", "no answer"), "none",
    ),
}  # fmt: skip
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_SCALE = re.compile(r"(-?\d+)\.\.(-?\d+)")
SCALES: Final = ((1, 3), (1, 4), (1, 5), (1, 6), (1, 7), (1, 10), (0, 4), (0, 10), (-2, 2), (-3, 3))
"""Scales people are commonly asked on, from least to most."""


_MOST_ON_A_SCALE: Final = 11
"""Different numbers a column of answers may hold."""
_MOST_IN_WORDS: Final = 7
"""Different words a column of answers may hold."""


@dataclass(frozen=True)
class Reading:
    """What each value means, and what nobody can tell."""

    meaning: Mapping[str, Meaning]
    unknown: tuple[str, ...] = ()
    """Values to ask about one by one."""
    scales: tuple[str, ...] = ()
    """Scales the numbers may be on, each as `least..most`; empty if they are on none, or known."""


def read_stances(
    values: Iterable[str], *, decided: Mapping[str, str], scale: str | None = None
) -> Reading:
    """Return what the values of a table mean.

    Numbers -1, 0, 1 mean disagree, pass, agree where -1 occurs; 1 alone is agree. A 0 without a -1
    may be a pass or disagreement. Other numbers are places on a scale: above the middle is
    agreement, the middle a pass; which scale, and which end agrees, is for a person to say.

    Args:
        values: every value that occurs, blanks left out.
        decided: what people decided: a value -> one of `MEANINGS`.
        scale: the scale that was decided on, as `1..5`: from least to most agreement.
    """
    meaning: dict[str, Meaning] = {}
    numbers: dict[str, float] = {}
    unknown: list[str] = []
    for value in sorted(set(values)):
        if value in decided:
            meaning[value] = next(m for m in MEANINGS if m == decided[value])
        elif _NUMBER.fullmatch(value):
            numbers[value] = float(value.replace(",", "."))
        elif (word := _WORDS.get(" ".join(value.lower().split()))) is not None:
            meaning[value] = word
        else:
            unknown.append(value)
    open_, scales = _numbers(numbers, meaning, scale)
    return Reading(meaning, (*open_, *unknown), scales)


def _numbers(
    numbers: Mapping[str, float], meaning: dict[str, Meaning], scale: str | None
) -> tuple[list[str], tuple[str, ...]]:
    """Give numbers their meaning where it is clear; return what is open."""
    found = set(numbers.values())
    if scale is not None:
        least, most = scale_ends(scale)
        low, high = sorted((least, most))
        outside = [v for v, x in numbers.items() if not low <= x <= high]
        for value, x in numbers.items():
            if value not in outside:
                meaning[value] = _on_scale(x, least, most)
        return outside, ()
    if found <= {-1.0, 0.0, 1.0}:
        signs: dict[float, Meaning] = {1.0: "agree", -1.0: "disagree"}
        if -1.0 in found:
            signs[0.0] = "pass"
        meaning.update((v, signs[x]) for v, x in numbers.items() if x in signs)
        return [v for v, x in numbers.items() if x not in signs], ()
    return (list(numbers), ()) if not (fits := _scales(found)) else ([], fits)


def _scales(found: set[float]) -> tuple[str, ...]:
    """The common scales the numbers fit on; if they reach both ends of one, that one alone."""
    fitting = [(a, b) for a, b in SCALES if a <= min(found) and max(found) <= b]
    ends = [(a, b) for a, b in fitting if a == min(found) and b == max(found)]
    chosen = ends or fitting
    return tuple(f"{x}..{y}" for a, b in chosen for x, y in ((a, b), (b, a)))


def scale_ends(scale: str) -> tuple[int, int]:
    """Return the ends of a scale such as `1..5`, the one of least agreement first.

    Raises:
        ValueError: if it is none.
    """
    match = _SCALE.fullmatch(scale.replace(" ", ""))
    if match is None or match[1] == match[2]:
        raise ValueError(f"{scale!r} is no scale such as 1..5")
    return int(match[1]), int(match[2])


def is_scale(value: object) -> bool:
    """Return whether a value is a scale such as `1..5`."""
    try:
        return isinstance(value, str) and bool(scale_ends(value))
    except ValueError:
        return False


def _on_scale(x: float, least: int, most: int) -> Meaning:
    middle = (least + most) / 2
    if x == middle:
        return "pass"
    return "agree" if (x > middle) == (most > least) else "disagree"


def could_be_answers(values: Sequence[str]) -> bool:
    """Return whether a column may hold answers: for the most part known words or small numbers.

    A word that is not known is no reason to leave the column out; it is asked about.

    Args:
        values: the values of a column, blanks left out.
    """
    meant = numbers = other = 0
    distinct: set[str] = set()
    for value in values:
        if _NUMBER.fullmatch(value):
            numbers += 1
            distinct.add(value)
            if not -3 <= float(value.replace(",", ".")) <= 10:
                return False
        else:
            known = _WORDS.get(" ".join(value.lower().split()))
            meant += known not in (None, "none")
            other += known is None
    return meant + numbers >= max(1, other) and len(distinct) <= _MOST_ON_A_SCALE


def few_values(values: Sequence[str]) -> bool:
    """Return whether a column may hold answers in words nobody knows: few, and they recur."""
    found = set(values)
    return 0 < len(found) <= _MOST_IN_WORDS and len(values) >= 2 * len(found)
