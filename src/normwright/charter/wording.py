"""Sentences for people, from data files, one a language; numbers as each language writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from normwright.charter.loading import plain
from normwright.records import Fault, InputError, Text


@cache
def spoken() -> tuple[str, ...]:
    """Return the languages there are words for, sorted."""
    folder = files("normwright.charter") / "words"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name[:-5] for name in names if name.endswith(".yaml")))


def unspoken(languages: Sequence[str]) -> list[Fault]:
    """Return a fault for each language in which the charter's sentences do not exist."""
    known = spoken()
    return [
        Fault(where=f"languages: {lang}", expected=f"one of {', '.join(known)}", seen=lang,
              do="Add the sentences of this language to the charter's words.")
        for lang in languages
        if lang not in known
    ]  # fmt: skip


def say(
    key: str, languages: Sequence[str], **values: str | int | float | Mapping[str, str]
) -> Text:
    """Return one sentence in every language.

    Args:
        key: the sentence.
        languages: the languages to say it in.
        values: what fills its places: a float is a share and becomes a percentage, a mapping is a
            text by language, anything else stands as it is.

    Raises:
        InputError: if a language has no words.
    """
    faults = unspoken(languages)
    if faults:
        raise InputError(faults)
    return {
        lang: _book(lang)[key].format(**{k: _filled(v, lang) for k, v in values.items()})
        for lang in languages
    }


def joined(parts: Sequence[Text], languages: Sequence[str], *, by: str = "; ") -> Text:
    """Return several texts as one, in every language."""
    return {lang: by.join(part[lang] for part in parts) for lang in languages}


@cache
def _book(lang: str) -> dict[str, str]:
    path = files("normwright.charter") / "words" / f"{lang}.yaml"
    loaded: dict[str, str] = plain(path.read_text(encoding="utf-8"))
    return loaded


def _filled(value: str | int | float | Mapping[str, str], lang: str) -> str:
    match value:
        case float():
            return f"{100 * value:.1f} %".replace(".", _book(lang)["decimal"])
        case Mapping():
            return value.get(lang) or next(iter(value.values()), "")
        case _:
            return str(value)
