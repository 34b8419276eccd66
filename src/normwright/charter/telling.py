"""Acts, facts, conditions, norms and situations in words, for people to read.

Everything that is told goes through here, so that a thing is called the same on every page, screen
and form. Labels are what the vocabulary gives, whole sentences mostly, and no rule of grammar could
turn each of them round in every language; so they stand as they are, before a colon or between
quotation marks, where any label is grammatical.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from normwright.charter.wording import say
from normwright.norms import NULL_ACT
from normwright.records import (
    Actor,
    Condition,
    FactType,
    FactValue,
    Norm,
    Situation,
    Text,
    Vocabulary,
)

_APART: Final = {False: "tell_line", True: "tell_quoted"}
"""How a label is set off from its value: alone on a line, or within running text."""


@dataclass(frozen=True)
class Told:
    """A condition as a page shows it: one line, or a heading over others."""

    kind: Literal["all", "any", "not", "fact"]
    text: str
    """The line, or the heading of the parts."""
    parts: tuple[Told, ...] = ()


def told(condition: Condition, vocabulary: Vocabulary, lang: str) -> Told | None:
    """Return a condition as lines in one language; None for the one that always holds.

    A line is a fact's label and its value: `The data are marked as public: no`.
    """
    return _told(condition, _named(vocabulary), lang, quoted=False)


def in_line(condition: Condition, vocabulary: Vocabulary, lang: str) -> str:
    """Return a condition as running text; empty for the one that always holds.

    A label stands between quotation marks: `“The data are marked as public”: no`.
    """
    found = _told(condition, _named(vocabulary), lang, quoted=True)
    return "" if found is None else _joined(found, lang, inside=False)


def facts_in_line(
    values: Mapping[str, FactValue], vocabulary: Vocabulary, languages: Sequence[str]
) -> Text:
    """Return facts with their values as running text in every language, sorted by name."""
    facts = _named(vocabulary)
    return {
        lang: "; ".join(
            _line(facts[name], value_in(facts[name], value, lang), lang, quoted=True)
            for name, value in sorted(values.items())
        )
        for lang in languages
    }


def around(situation: Situation, languages: Sequence[str]) -> list[Text]:
    """Return who acts, through what, with whom and when, each where it is not the usual."""
    parts = []
    for kind, value, usual in (
        ("bearer", situation.bearer, "assistant"),
        ("channel", situation.channel, "output"),
        ("counterparty", situation.counterparty, None),
    ):
        if value is not None and value != usual:
            called = say(f"{kind}_{value}", languages)
            parts.append(say(f"tell_{kind}", languages, value=called))
    if situation.time is not None:
        parts.append(say("tell_day", languages, day=situation.time.isoformat()))
    return parts


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


def bearer_in(actor: Actor, lang: str) -> str:
    """Return what somebody who may act is called."""
    return _word(f"bearer_{actor}", lang)


def act_in(act: str, vocabulary: Vocabulary, lang: str) -> str:
    """Return what an act is called; its name where the vocabulary gives it no label."""
    label = next((one.label for one in vocabulary.acts if one.name == act), {})
    called = label.get(lang)
    if called is None and act == NULL_ACT:
        return _word("tell_decline", lang)
    return called or act


def fact_in(fact: str, vocabulary: Vocabulary, lang: str) -> str:
    """Return what a fact means; its name where the vocabulary does not say."""
    label = next((one.label for one in vocabulary.facts if one.name == fact), {})
    return label.get(lang) or fact


def stated(norm: Norm, lang: str) -> str:
    """Return what a norm says, in the language or else in the first it was written in."""
    return norm.statement.get(lang) or next(iter(norm.statement.values()), norm.ref)


def _named(vocabulary: Vocabulary) -> dict[str, FactType]:
    return {fact.name: fact for fact in vocabulary.facts}


def _told(
    condition: Condition, facts: Mapping[str, FactType], lang: str, *, quoted: bool
) -> Told | None:
    if condition.fact is not None:
        fact = facts[condition.fact]
        return Told("fact", _line(fact, _asked(condition, fact, lang), lang, quoted=quoted))
    if condition.negate is not None:
        inner = _told(condition.negate, facts, lang, quoted=quoted)
        parts: tuple[Told, ...] = () if inner is None else (inner,)
        return Told("not", _word("tell_not", lang), parts)
    for kind in ("all", "any"):
        given = getattr(condition, kind)
        if given is not None:
            found = [_told(part, facts, lang, quoted=quoted) for part in given]
            parts = tuple(part for part in found if part is not None)
            if len(parts) == 1:
                return parts[0]
            return Told(kind, _word(f"tell_{kind}", lang), parts)
    return None


def _asked(condition: Condition, fact: FactType, lang: str) -> str:
    """What an atom asks of its fact's value."""
    low, high = condition.at_least, condition.at_most
    if low is not None and high is not None:
        return _word("tell_between", lang, low=str(low), high=str(high))
    if low is not None:
        return _word("tell_at_least", lang, value=str(low))
    if high is not None:
        return _word("tell_at_most", lang, value=str(high))
    wanted = condition.one_of if condition.one_of is not None else (condition.eq,)
    return _word("tell_or", lang).join(value_in(fact, value, lang) for value in wanted)


def _line(fact: FactType, value: str, lang: str, *, quoted: bool) -> str:
    label = fact.label.get(lang) or fact.name
    return _word(_APART[quoted], lang, label=label, value=value)


def _joined(node: Told, lang: str, *, inside: bool) -> str:
    if node.kind == "fact":
        return node.text
    if node.kind == "not":
        inner = "".join(_joined(part, lang, inside=False) for part in node.parts)
        return f"{node.text} ({inner})"
    parts = [_joined(part, lang, inside=True) for part in node.parts]
    line = _word("tell_or" if node.kind == "any" else "tell_and", lang).join(parts)
    return f"({line})" if inside else line


def _word(key: str, lang: str, **values: str) -> str:
    return say(key, (lang,), **values)[lang]
