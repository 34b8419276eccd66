"""PRISM: scores that people gave to answers of models, their remarks on talks, and who they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from normwright.elicit.annotated import Form, Row, Said, having, needed, text_of
from normwright.elicit.importers import annotations_importer
from normwright.plugins import Card

_TRAITS: Final = (
    "age", "gender", "employment_status", "education", "marital_status", "english_proficiency",
    "study_locale", "religion", "ethnicity", "location", "lm_familiarity", "lm_direct_use",
    "lm_frequency_use",
)  # fmt: skip
_STATED: Final = "stated preferences"
"""The item that the ratings of the survey are about."""


def _utterances(row: Row) -> Iterator[Said]:
    user, item = needed(row, "user_id"), needed(row, "utterance_id")
    for aspect in ("score", "if_chosen"):
        yield Said(user, item, aspect, text_of(row, aspect))


def _answer(row: Row) -> tuple[str, str]:
    return text_of(row, "utterance_id"), text_of(row, "model_response")


def _conversations(row: Row) -> Iterator[Said]:
    user, item = needed(row, "user_id"), needed(row, "conversation_id")
    for kind in ("performance_attributes", "choice_attributes"):
        yield from _rated(user, item, kind.removesuffix("_attributes"), row.get(kind))


def _survey(row: Row) -> Iterator[Said]:
    yield from _rated(needed(row, "user_id"), _STATED, "stated", row.get("stated_prefs"))


def _rated(user: str, item: str, of: str, ratings: Any) -> Iterator[Said]:
    """Ratings by name; what was not rated is null."""
    if ratings is None:
        return
    if not isinstance(ratings, dict):
        raise ValueError(f"ratings by name for {of}|{ratings!r}")
    for name in ratings:
        if text_of(ratings, name):
            yield Said(user, item, f"{of} {name}", text_of(ratings, name))


def _traits(row: Row) -> tuple[str, dict[str, str]]:
    """What is told of a person, without what they wrote of themselves in their own words."""
    told: dict[str, str] = {}
    for trait in _TRAITS:
        value = row.get(trait)
        if isinstance(value, dict):
            inner = (k for k in value if k not in ("self_described", "categorised"))
            told |= {f"{trait} {name}": text_of(value, name) for name in inner}
        else:
            told[trait] = text_of(row, trait)
    return text_of(row, "user_id"), told


CARD = Card(
    name="prism",
    kind="importers",
    summary="Reads PRISM: scores of utterances, ratings of conversations, the survey of raters.",
    reference="Kirk et al., The PRISM Alignment Dataset, NeurIPS 2024; arXiv 2404.16019",
    status="tested",
)
IMPORTER = annotations_importer(
    CARD,
    "utterances.jsonl, conversations.jsonl and survey.jsonl, or some of them",
    [
        Form(having("utterance_id", "user_id", "score"), _utterances, text=_answer),
        Form(having("conversation_id", "user_id", "performance_attributes"), _conversations),
        Form(having("user_id", "stated_prefs"), _survey, _traits),
    ],
)
