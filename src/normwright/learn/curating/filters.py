"""The filters: each looks at the documents that are left and says what it finds of every one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from normwright import texts
from normwright.learn.curating.documents import ORIGINS, UNKNOWN, Document, Part
from normwright.learn.curating.settings import (
    Contamination,
    Duplicates,
    Filtering,
    Harm,
    Language,
    Length,
    Licence,
    Personal,
    Translation,
)
from normwright.texts import personal, translations

Scores = Callable[[Sequence[str]], Sequence[float]]
"""From texts to the probability that each breaches a norm."""
Told = Callable[[int], None]

VERSION: Final = "1"
"""Of the filters of this module; it changes whenever what they find does."""


@dataclass(frozen=True)
class Attribute:
    """Something that was found at a place of a text; the document itself stays as it is."""

    column: str
    start: int
    end: int
    score: float
    label: str


@dataclass(frozen=True)
class Finding:
    """What a filter says of one document."""

    verdict: Literal["keep", "remove", "mask"]
    reason: str
    score: float | None = None
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True)
class Given:
    """What filters are given beside documents: all that has to be read from somewhere."""

    documents: Mapping[str, Document] = field(default_factory=dict)
    """All documents by id, those that an earlier filter removed too."""
    readers: Mapping[str, Scores] = field(default_factory=dict)
    """Readers of breaches by the directory they were named with."""
    benchmarks: Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]] = field(default_factory=dict)
    """Items of benchmarks by the path they were named with: name and row."""
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Names of people by the file they were named with."""
    tokens: Callable[[str], int] | None = None
    """Counts tokens."""


def find(
    settings: Filtering, documents: Sequence[Document], given: Given, told: Told
) -> Iterator[Finding]:
    """Yield what one filter finds of each document, in their order."""
    _, look = FILTERS[type(settings)]
    return look(settings, documents, given, told)


def tagger(settings: Filtering) -> str:
    """Return name and version of what a filter's findings come from."""
    return FILTERS[type(settings)][0]()


def _language(
    settings: Language, documents: Sequence[Document], given: Given, told: Told
) -> Iterator[Finding]:
    for place, one in enumerate(documents, 1):
        parts = one.texts(settings.columns)
        seen = texts.spoken("\n".join(p.text for p in parts), confidence=settings.confidence)
        stated = one.lang.split("-")[0].lower() if one.lang else None
        marks = _whole(parts, seen.confidence, seen.lang)
        if seen.lang == texts.UNKNOWN:
            fits = stated in settings.accept or settings.undetermined == "keep"
            reason = "its language cannot be told" if stated is None else f"it states {stated}"
        else:
            fits = seen.lang in settings.accept and stated in (None, texts.UNKNOWN, seen.lang)
            reason = f"it is in {seen.lang}" + (
                f" and states {stated}" if stated not in (None, texts.UNKNOWN, seen.lang) else ""
            )
        yield Finding("keep" if fits else "remove", reason, seen.confidence, marks)
        told(place)


def _length(
    settings: Length, documents: Sequence[Document], given: Given, told: Told
) -> Iterator[Finding]:
    size: Callable[[str], int] = len
    if settings.unit == "words":
        size = _words
    elif settings.unit == "tokens":
        if given.tokens is None:
            raise ValueError("expected what counts tokens, saw nothing")
        size = given.tokens
    most = settings.most
    for place, one in enumerate(documents, 1):
        sizes = [size(part.text) for part in one.texts(settings.columns)]
        seen = sizes if settings.of == "each" and sizes else [sum(sizes)]
        if min(seen) < settings.least:
            reason, worst = f"fewer than {settings.least} {settings.unit}", min(seen)
        elif most is not None and max(seen) > most:
            reason, worst = f"more than {most} {settings.unit}", max(seen)
        else:
            reason, worst = "", max(seen)
        yield Finding("remove" if reason else "keep", reason or "it fits", float(worst))
        told(place)


def _words(text: str) -> int:
    return len(text.split())


def _duplicates(
    settings: Duplicates, documents: Sequence[Document], given: Given, told: Told
) -> Iterator[Finding]:
    order = sorted(
        range(len(documents)),
        key=lambda at: (ORIGINS.index(documents[at].origin), documents[at].id),
    )
    said = ["\n".join(p.text for p in documents[at].texts(settings.columns)) for at in order]
    repeats = texts.repeats(said, threshold=settings.threshold, told=told)
    found: dict[int, Finding] = {}
    for at, repeat in zip(order, repeats, strict=True):
        if repeat is None:
            found[at] = Finding("keep", "nothing alike stands before it")
        else:
            of = documents[order[repeat.of]].id
            found[at] = Finding("remove", f"it repeats {of}", repeat.similarity)
    yield from (found[at] for at in range(len(documents)))


def _harm(
    settings: Harm, documents: Sequence[Document], given: Given, told: Told
) -> Iterator[Finding]:
    """A pair's rejected answer may be harmful: it shows what not to say, unless it is named."""
    for start in range(0, len(documents), _BLOCK):
        block = documents[start : start + _BLOCK]
        if settings.score is not None:
            for one in block:
                yield _scored(settings, one.row.get(settings.score))
        else:
            but = () if settings.columns else ("rejected",)
            parts = [one.texts(settings.columns, but=but) for one in block]
            flat = [part.text for of in parts for part in of]
            scores = iter(given.readers[settings.reader or ""](flat) if flat else ())
            for of in parts:
                yield _read(settings, of, [float(next(scores)) for _ in of])
        told(start + len(block))


def _scored(settings: Harm, score: Any) -> Finding:
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        # A row nobody scored is not a row that was found harmless.
        return Finding("remove", f"it has no score from 0 to 1 in {settings.score}")
    return _judged(settings, float(score), ())


def _read(settings: Harm, parts: Sequence[Part], scores: Sequence[float]) -> Finding:
    marks = tuple(
        Attribute(part.column, 0, len(part.text), score, "harm")
        for part, score in zip(parts, scores, strict=True)
    )
    return _judged(settings, max(scores, default=0.0), marks)


def _judged(settings: Harm, score: float, marks: tuple[Attribute, ...]) -> Finding:
    over = score > settings.above
    reason = f"its score is {'above' if over else 'at most'} {settings.above:g}"
    return Finding("remove" if over else "keep", reason, score, marks)


_BLOCK: Final = 2_000
"""Documents that are put to a reader at once."""


def _personal(
    settings: Personal, documents: Sequence[Document], given: Given, told: Told
) -> Iterator[Finding]:
    names = tuple(given.names[settings.names]) if settings.names is not None else ()
    for place, one in enumerate(documents, 1):
        marks = tuple(
            Attribute(part.column, span.start, span.end, 1.0, span.kind)
            for part in one.texts(settings.columns)
            for span in texts.find_personal(part.text, kinds=settings.kinds, names=names)
        )
        kinds = ", ".join(sorted({mark.label for mark in marks}))
        reason = f"it holds {kinds}" if marks else "nothing personal was found"
        yield Finding(settings.action if marks else "keep", reason, float(len(marks)), marks)
        told(place)


def _contamination(
    settings: Contamination, documents: Sequence[Document], given: Given, told: Told
) -> Iterator[Finding]:
    known = texts.Benchmarks(
        _items(settings, given), run=settings.run, share=settings.share, fewest=settings.fewest
    )
    for place, one in enumerate(documents, 1):
        parts = one.texts(settings.columns)
        hits = [(part, hit) for part in parts if (hit := known.find(part.text)) is not None]
        marks = tuple(
            Attribute(part.column, 0, len(part.text), hit.share, hit.item) for part, hit in hits
        )
        worst = max(hits, key=lambda hit: hit[1].share, default=None)
        if worst is None:
            yield Finding("keep", f"it holds none of {len(known)} items", 0.0)
        else:
            yield Finding("remove", f"it holds {worst[1].item}", worst[1].share, marks)
        told(place)


def _items(settings: Contamination, given: Given) -> Iterator[tuple[str, str]]:
    for path in settings.benchmarks:
        for name, row in given.benchmarks[path]:
            for column in settings.items:
                if isinstance(row.get(column), str):
                    yield f"{name}:{column}", row[column]


def _translation(
    settings: Translation, documents: Sequence[Document], given: Given, told: Told
) -> Iterator[Finding]:
    stated: dict[str, list[Document]] = {}
    for one in given.documents.values():
        if one.stated_id is not None:
            stated.setdefault(one.stated_id, []).append(one)
    for place, one in enumerate(documents, 1):
        if settings.beside is not None and settings.langs is not None:
            pairs = _beside(one, settings.beside)
            yield _flawed(settings, pairs, settings.langs)
        elif (name := one.row.get(settings.of)) is None:
            yield Finding("keep", "it is no translation")
        else:
            yield _checked(settings, one, [s for s in stated.get(str(name), ()) if s.id != one.id])
        told(place)


def _beside(one: Document, columns: tuple[str, str]) -> list[tuple[Part, Part]]:
    sides = [one.texts([column]) for column in columns]
    return list(zip(*sides, strict=False)) if all(sides) else []


def _checked(settings: Translation, one: Document, sources: Sequence[Document]) -> Finding:
    others = [source for source in sources if source.lang != one.lang]
    if len(others) != 1 or one.lang is None or others[0].lang is None:
        seen = "its source is not at hand" if len(others) != 1 else "no language is stated"
        return Finding(settings.unchecked, f"{seen}, so that nothing can be checked")
    had = {part.column: part for part in others[0].texts(settings.columns)}
    pairs = [(had[p.column], p) for p in one.texts(settings.columns) if p.column in had]
    return _flawed(settings, pairs, (others[0].lang, one.lang))


def _flawed(
    settings: Translation, pairs: Sequence[tuple[Part, Part]], langs: tuple[str, str]
) -> Finding:
    if not pairs:
        return Finding(settings.unchecked, "there are no two sides to compare")
    found = [
        (target, flaw)
        for source, target in pairs
        for flaw in texts.translation_flaws(
            source.text, target.text, source_lang=langs[0], target_lang=langs[1],
            ratio=settings.ratio,
        )
    ]  # fmt: skip
    marks = tuple(
        Attribute(part.column, 0, len(part.text), flaw.score, flaw.flaw) for part, flaw in found
    )
    grave = [flaw for _, flaw in found if flaw.flaw not in settings.ignore]
    if grave:
        return Finding("remove", f"{grave[0].flaw}: {grave[0].told}", grave[0].score, marks)
    return Finding("keep", "no flaw was found", None, marks)


def _licence(
    settings: Licence, documents: Sequence[Document], given: Given, told: Told
) -> Iterator[Finding]:
    allowed = {name.casefold() for name in settings.accept}
    for place, one in enumerate(documents, 1):
        if one.licence == UNKNOWN:
            yield Finding(settings.unknown, "its licence is not stated")
        else:
            fits = one.licence.casefold() in allowed
            yield Finding("keep" if fits else "remove", f"its licence is {one.licence}")
        told(place)


def _whole(parts: Iterable[Part], score: float, label: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(p.column, 0, len(p.text), score, label) for p in parts)


Filter = tuple[Callable[[], str], Callable[..., Iterator[Finding]]]
FILTERS: Final[Mapping[type[Filtering], Filter]] = {
    Language: (texts.language_tagger, _language),
    Length: (lambda: f"length {VERSION}", _length),
    Duplicates: (texts.duplicate_tagger, _duplicates),
    Harm: (lambda: f"harm {VERSION}", _harm),
    Personal: (lambda: f"personal {personal.VERSION}", _personal),
    Contamination: (lambda: f"contamination {VERSION}", _contamination),
    Translation: (lambda: f"translation {translations.VERSION}", _translation),
    Licence: (lambda: f"licence {VERSION}", _licence),
}
"""By settings: who says so, and how it looks."""
