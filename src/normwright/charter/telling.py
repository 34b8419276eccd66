"""Conditions and situations in the words of the vocabulary's labels, for people to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from normwright.charter.wording import say
from normwright.records import Condition, FactType, FactValue, Text, Vocabulary


@dataclass(frozen=True)
class Told:
    """A condition as a page shows it: one line, or a heading over others."""

    kind: Literal["all", "any", "not", "fact"]
    text: str
    """The line, or the heading of the parts."""
    parts: tuple[Told, ...] = ()


def told(condition: Condition, vocabulary: Vocabulary, lang: str) -> Told | None:
    """Return a condition as lines in one language; None for the one that always holds.

    A line is a fact's label and its value (`The data are marked as public: no`), because labels
    are whole sentences and no rule of grammar could turn each of them round in every language.
    """
    facts = {fact.name: fact for fact in vocabulary.facts}
    return _told(condition, facts, lang)


def in_line(condition: Condition, vocabulary: Vocabulary, lang: str) -> str:
    """Return a condition as one line of text; empty for the one that always holds."""
    found = told(condition, vocabulary, lang)
    return "" if found is None else _joined(found, lang, inside=False)


def facts_in_line(
    values: Mapping[str, FactValue], vocabulary: Vocabulary, languages: Sequence[str]
) -> Text:
    """Return facts with their values as one line in every language, in the vocabulary's order."""
    return {
        lang: "; ".join(
            _line(fact, value_in(fact, values[fact.name], lang), lang)
            for fact in vocabulary.facts
            if fact.name in values
        )
        for lang in languages
    }


def value_in(fact: FactType, value: FactValue, lang: str) -> str:
    """Return a value as people write it: yes, no, the value's own label, or not known."""
    match value:
        case None:
            return _word("tell_unknown", lang)
        case bool():
            return _word("tell_yes" if value else "tell_no", lang)
        case _:
            label = fact.value_labels.get(str(value), {})
            return label.get(lang) or str(value)


def _told(condition: Condition, facts: Mapping[str, FactType], lang: str) -> Told | None:
    if condition.fact is not None:
        return Told("fact", _atom(condition, facts[condition.fact], lang))
    if condition.negate is not None:
        inner = _told(condition.negate, facts, lang)
        parts = () if inner is None else (inner,)
        return Told("not", _word("tell_not", lang), parts)
    for kind in ("all", "any"):
        given = getattr(condition, kind)
        if given is not None:
            found = [_told(part, facts, lang) for part in given]
            parts = tuple(part for part in found if part is not None)
            if len(parts) == 1:
                return parts[0]
            return Told(kind, _word(f"tell_{kind}", lang), parts)
    return None


def _atom(condition: Condition, fact: FactType, lang: str) -> str:
    low, high = condition.at_least, condition.at_most
    if low is not None and high is not None:
        return _line(fact, _word("tell_between", lang, low=str(low), high=str(high)), lang)
    if low is not None:
        return _line(fact, _word("tell_at_least", lang, value=str(low)), lang)
    if high is not None:
        return _line(fact, _word("tell_at_most", lang, value=str(high)), lang)
    wanted = condition.one_of if condition.one_of is not None else (condition.eq,)
    values = [value_in(fact, value, lang) for value in wanted]
    return _line(fact, _word("tell_or", lang).join(values), lang)


def _line(fact: FactType, value: str, lang: str) -> str:
    return f"{fact.label.get(lang) or fact.name}: {value}"


def _joined(node: Told, lang: str, *, inside: bool) -> str:
    if node.kind == "fact":
        return node.text
    parts = [_joined(part, lang, inside=True) for part in node.parts]
    if node.kind == "not":
        return f"{node.text} ({'; '.join(parts)})"
    line = _word("tell_or" if node.kind == "any" else "tell_and", lang).join(parts)
    return f"({line})" if inside else line


def _word(key: str, lang: str, **values: str) -> str:
    return say(key, (lang,), **values)[lang]
