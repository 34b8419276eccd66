"""What could defeat a safety case whatever its evidence says, by short name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from normwright.records import Criterion, Measurement, ModelRef, Policy, Text
from normwright.release.wording import language_words, say, word

SMALL: Final = 1_000_000_000
"""Below this many parameters a model is called small."""

DEFEATERS: Final = (
    "templated", "simulated", "small", "remote", "judge", "attacks", "languages", "tamper", "facts",
    "time",
)  # fmt: skip
"""What could defeat a case on any evidence."""


def defeaters(
    policy: Policy, measurements: Sequence[Measurement], models: Sequence[ModelRef], lang: str
) -> dict[str, str]:
    """Return what could defeat a verdict on a project's evidence: one sentence by short name."""
    named = ["templated"]
    if policy.charter.kind == "simulated":
        named.append("simulated")
    if any(m.parameters is not None and m.parameters < SMALL for m in models):
        named.append("small")
    if any(m.recipe == "remote" for m in models):
        named.append("remote")
    if any(m.judge is not None for m in measurements):
        named.append("judge")
    if any(m.suite == "attack" for m in measurements):
        named.append("attacks")
    named += ["languages", "tamper", "facts", "time"]
    return {name: _told(name, policy.charter.languages, lang) for name in named}


def doubts_about(
    criteria: Iterable[Criterion],
    *,
    judged: bool,
    asked_in: Sequence[str],
    languages: Sequence[str],
) -> dict[str, Text]:
    """Return what could defeat a verdict on rows of evidence, about which less is known.

    Args:
        criteria: what was asked.
        judged: whether a judge counted anything.
        asked_in: languages that were asked about.
        languages: languages to write in.
    """
    named = ["templated"]
    if judged:
        named.append("judge")
    if any(c.kind == "attack_budget" for c in criteria):
        named.append("attacks")
    named += [*(["languages"] if asked_in else []), "tamper", "facts", "time"]
    return {name: {lang: _told(name, asked_in, lang) for lang in languages} for name in named}


def in_every_language(told: Mapping[str, Mapping[str, str]]) -> dict[str, Text]:
    """Return sentences by name, each in every language, of sentences by language and name."""
    names = dict.fromkeys(name for one in told.values() for name in one)
    return {name: {lang: one[name] for lang, one in told.items()} for name in names}


def _told(name: str, asked_in: Sequence[str], lang: str) -> str:
    langs = ", ".join(say(language_words(each), lang) for each in asked_in)
    return word(f"defeater.{name}", lang).format(langs=langs)
