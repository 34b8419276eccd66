"""Questions about norms that are for people to answer: what a charter leaves open on purpose."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import ValidationError

from normwright.charter.explaining import explained
from normwright.charter.loading import Document, Place, load
from normwright.charter.reading import QUESTIONS
from normwright.charter.shipped import seeds
from normwright.norms.vocabulary import near
from normwright.records import Fault, InputError, QuestionFamily, Text


def question_families(
    place: Path | None = None,
    *,
    languages: Sequence[str] = (),
    norms: Collection[str] | None = None,
) -> tuple[QuestionFamily, ...]:
    """Return the questions that stand beside a charter's norms, in the order of their file.

    Args:
        place: the folder of the charter; None: the norms that come with the package.
        languages: languages in which every question and answer must exist.
        norms: ids of the charter's norms; a question about any other is a fault. None: not asked.

    Returns:
        The questions; none where the folder has no `questions.yaml`.

    Raises:
        InputError: with every fault of the file, each with its line.
    """
    path = (seeds() if place is None else place) / QUESTIONS
    if not path.exists():
        return ()
    faults: list[Fault] = []
    document = load(path, QUESTIONS, faults)
    found = {} if document is None else _read(document, faults)
    if document is not None:
        faults += _doubles(found, document)
        for at, question in found.items():
            faults += _gaps(question, document, at, languages)
            faults += _loose(question, document, at, norms)
    if faults:
        raise InputError(faults)
    return tuple(found.values())


def _read(document: Document, faults: list[Fault]) -> dict[Place, QuestionFamily]:
    value = document.value
    entries = value.get("questions") if isinstance(value, dict) else None
    if not isinstance(entries, list) or set(value) != {"questions"}:
        seen = ", ".join(map(str, value)) if isinstance(value, dict) else type(value).__name__
        faults.append(Fault(where=f"{document.name}:1",
                            expected="one key `questions` with a list", seen=seen))  # fmt: skip
        return {}
    found: dict[Place, QuestionFamily] = {}
    for number, entry in enumerate(entries):
        place: Place = ("questions", number)
        try:
            found[place] = QuestionFamily.model_validate(entry)
        except ValidationError as error:
            faults += explained(error, document, QuestionFamily, place)
    return found


def _doubles(found: dict[Place, QuestionFamily], document: Document) -> list[Fault]:
    seen: set[str] = set()
    faults = []
    for place, question in found.items():
        if question.id in seen:
            faults.append(Fault(where=document.where((*place, "id")), expected="each id once",
                                seen=question.id))  # fmt: skip
        seen.add(question.id)
    return faults


def _gaps(
    question: QuestionFamily, document: Document, at: Place, languages: Sequence[str]
) -> list[Fault]:
    texts: dict[Place, Text] = {("text",): question.text}
    texts |= {("answers", value): text for value, text in question.answers.items()}
    return [
        Fault(where=document.where((*at, *place, lang)),
              expected=f"{question.id} in {lang}", seen="nothing")
        for place, text in texts.items()
        for lang in languages
        if not text.get(lang, "").strip()
    ]  # fmt: skip


def _loose(
    question: QuestionFamily, document: Document, at: Place, norms: Collection[str] | None
) -> list[Fault]:
    return [
        Fault(where=document.where((*at, "norms", number)), expected="a norm of the charter",
              seen=name, do=near(name, norms or ()))
        for number, name in enumerate(question.norms)
        if norms is not None and name not in norms
    ]  # fmt: skip
