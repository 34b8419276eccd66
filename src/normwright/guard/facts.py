"""Read facts from a conversation by rules that are data: marks on sheets, official values, claims.

A fact knows where it comes from: `declared` by the deployment, read by a `rule`, or estimated by a
`classifier`. What nothing tells is unknown, and unknown goes to the resolver as it is.
"""

from __future__ import annotations

import difflib
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml

from normwright.guard.canonical import Told, canonical, folded, sentences, standing
from normwright.norms import situation_faults
from normwright.records import FactValue, Fault, InputError, Text, Vocabulary

Origin: TypeAlias = Literal["declared", "rule", "classifier"]

FORM = "guard-rules/v1"
TEXTS: dict[str, frozenset[str]] = {
    "refusal": frozenset({"norm", "statement", "contest"}),
    "question": frozenset({"norm", "statement", "contest", "facts"}),
    "failure": frozenset({"contest"}),
    "contest": frozenset(),
}
"""The texts a rules file gives in every language, and the placeholders each must hold."""


@dataclass(frozen=True)
class Fact:
    """One fact as the guard knows it."""

    name: str
    value: bool | int | str
    origin: Origin
    confidence: float
    """1 for declared and rule, the calibrated probability for classifier."""
    source: str
    """Id of the rule, `deployment`, or the head of the classifier."""


@dataclass(frozen=True)
class Marking:
    """A kind of line that carries a mark, and what each mark makes true."""

    id: str
    act: str
    about: Literal["key", "state"]
    told: Literal["value", "key"]
    lines: tuple[re.Pattern[str], ...]
    between: re.Pattern[str] | None
    """What stands between several keys of one line."""
    values: tuple[re.Pattern[str], ...]
    states: tuple[tuple[tuple[tuple[str, FactValue], ...], re.Pattern[str]], ...]
    """(facts as sorted items, words) of each mark."""


@dataclass(frozen=True)
class Official:
    """A kind of line that gives an official value, and the fact a claim is measured by."""

    id: str
    act: str
    fact: str
    subject: re.Pattern[str]
    """Words for what the value is of."""
    lines: tuple[re.Pattern[str], ...]
    values: tuple[str, ...]
    """Folded values that can be claimed."""


@dataclass(frozen=True)
class Phrase:
    """What people say when they state a fact themselves."""

    id: str
    fact: str
    values: tuple[tuple[bool | int | str, tuple[re.Pattern[str], ...]], ...]


@dataclass(frozen=True)
class Saying:
    """Words by which an answer does an act, whatever was asked."""

    id: str
    act: str
    words: tuple[re.Pattern[str], ...]


@dataclass(frozen=True)
class Entry:
    """One marked line: who it is about, what it tells, which facts its mark makes true."""

    rule: Marking
    key: str
    values: tuple[str, ...]
    facts: tuple[tuple[str, FactValue], ...]


@dataclass(frozen=True)
class Sheet:
    """Everything the rules read in a conversation."""

    entries: tuple[Entry, ...]
    official: Mapping[str, frozenset[str]]
    """Rule id -> folded official values; more than one is a contradiction."""
    lines: frozenset[str]
    """The lines that were read as part of the sheet; they ask for nothing."""


@dataclass(frozen=True)
class FactRules:
    """The rules of one deployment, as read from its file."""

    confidence: float
    declared: Mapping[str, FactValue]
    conversation_facts: frozenset[str]
    markings: tuple[Marking, ...]
    officials: tuple[Official, ...]
    phrases: tuple[Phrase, ...]
    sayings: tuple[Saying, ...]
    numerals: Mapping[str, tuple[str, ...]]
    texts: Mapping[str, Text]
    """`refusal`, `question`, `failure`, `contest` -> language -> text."""

    def readable(self, act: str) -> frozenset[str]:
        """Return the facts that rules read for an act, so that an answer can settle them."""
        marked = {
            f for m in self.markings if m.act == act for facts, _ in m.states for f, _ in facts
        }
        return frozenset(marked | {o.fact for o in self.officials if o.act == act})

    @property
    def ruled(self) -> frozenset[str]:
        """Facts that are declared or read by rule; the classifier is not asked for them."""
        acts = {m.act for m in self.markings} | {o.act for o in self.officials}
        return frozenset(self.declared).union(*(self.readable(a) for a in acts))

    def said(self, fact: str, text: str) -> dict[bool | int | str, str]:
        """Return the values of a fact that a text states in words, each with the rule's id."""
        plain = folded(text)
        return {
            value: phrase.id
            for phrase in self.phrases
            if phrase.fact == fact
            for value, patterns in phrase.values
            if any(p.search(plain) for p in patterns)
        }

    def does(self, answer: Told) -> dict[str, str]:
        """Return the acts that an answer does by its words alone, each with the rule's id."""
        return {
            saying.act: saying.id
            for saying in self.sayings
            if any(answer.finds(pattern) for pattern in saying.words)
        }

    def sheet(self, lines: Iterable[str]) -> Sheet:
        """Return what the rules read in the lines of a conversation (canonical, whole lines)."""
        entries: dict[Entry, None] = {}
        official: dict[str, set[str]] = {}
        read: set[str] = set()
        for line in dict.fromkeys(lines):
            for part in dict.fromkeys((line, line.rstrip(" .!?;"), *sentences(line))):
                found = list(self._entries(part))
                stated = list(self._stated(part))
                entries.update(dict.fromkeys(found))
                for rule, value in stated:
                    official.setdefault(rule, set()).add(value)
                if (found or stated) and len(part) >= len(line) - 1:
                    read.add(line)
        return Sheet(
            entries=tuple(entries),
            official={k: frozenset(v) for k, v in official.items()},
            lines=frozenset(read),
        )

    def asked(self, act: str, request: str, sheet: Sheet) -> dict[str, Fact]:
        """Return the facts a request for an act settles: those on which all it names agree."""
        text = folded(request)
        found: dict[str, set[FactValue]] = {}
        source: dict[str, str] = {}
        for rule in self.markings:
            if rule.act != act:
                continue
            for facts in self._named(rule, text, sheet):
                for name, value in facts:
                    found.setdefault(name, set()).add(value)
                    source[name] = rule.id
        for official in self.officials:
            if official.act == act:
                value = self._claimed(official, Told(request), sheet)
                if value is not None:
                    found.setdefault(official.fact, set()).add(value)
                    source[official.fact] = official.id
        return {
            name: _by_rule(name, next(iter(values)), source[name])
            for name, values in found.items()
            if len(values) == 1
        }

    def told(
        self, answer: Told, request: str, sheet: Sheet, *, by: Literal["value", "key", "claim"]
    ) -> list[tuple[str, dict[str, Fact]]]:
        """Return (act, facts) for everything on the sheet that an answer tells.

        Every record told is a situation of its own: one that must not be told is not made good by
        another that may. Where the same value (or key) stands in two records and the request names
        one of them, that one is meant.

        Args:
            answer: what was answered.
            request: the text that asked for it.
            sheet: what the conversation holds.
            by: whether to look for values, for keys, or for claims against an official value.
        """
        if by == "claim":
            claims = [(o, self._claimed(o, answer, sheet)) for o in self.officials]
            return [
                (o.act, {o.fact: _by_rule(o.fact, v, o.id)}) for o, v in claims if v is not None
            ]
        hits = [
            e
            for e in sheet.entries
            if e.rule.told == by
            and any(answer.tells(v) for v in (e.values if by == "value" else (e.key,)))
        ]
        text = folded(request)
        meant = [e for e in hits if self._means(e, text)]
        hits = [e for e in hits if e in meant or not any(_alike(e, m, by) for m in meant)]
        unique = dict.fromkeys((e.rule, e.facts) for e in hits)
        return [
            (rule.act, {n: _by_rule(n, v, rule.id) for n, v in facts if v is not None})
            for rule, facts in unique
        ]

    def states(self, act: str, told: Told) -> bool:
        """Say whether a text states one value, and one only, of what an act's claims are about."""
        return any(
            told.finds(o.subject) and sum(told.tells(v) for v in o.values) == 1
            for o in self.officials
            if o.act == act
        )

    def _entries(self, line: str) -> Iterable[Entry]:
        for rule in self.markings:
            for pattern in rule.lines:
                match = pattern.match(line)
                if match is None:
                    continue
                groups = match.groupdict()
                rest = groups.get("rest") or ""
                values = next((v for p in rule.values if (v := p.findall(rest))), [rest])
                told = tuple(v for v in (folded(v).strip(" .,;:") for v in values) if v)
                keys = rule.between.split(groups["key"]) if rule.between else [groups["key"]]
                for facts, words in rule.states:
                    if words.fullmatch(groups["state"]):
                        for key in filter(None, (folded(k).strip(" .,;:") for k in keys)):
                            yield Entry(rule=rule, key=key, values=told, facts=facts)
                break

    def _stated(self, line: str) -> Iterable[tuple[str, str]]:
        for rule in self.officials:
            for pattern in rule.lines:
                match = pattern.match(line)
                if match is not None:
                    value = folded(match["value"]).strip(" .,;:")
                    if value in rule.values:
                        yield rule.id, value
                    break

    def _means(self, entry: Entry, text: str) -> bool:
        """Whether a request names a record the way its rule says."""
        if entry.rule.about == "key":
            return _stands(entry.key, text)
        return any(
            facts == entry.facts and _mentions(words, text) for facts, words in entry.rule.states
        )

    def _named(
        self, rule: Marking, text: str, sheet: Sheet
    ) -> Iterable[tuple[tuple[str, FactValue], ...]]:
        if rule.about == "key":
            for entry in sheet.entries:
                if entry.rule == rule and _stands(entry.key, text):
                    yield entry.facts
        else:
            for facts, words in rule.states:
                if _mentions(words, text):
                    yield facts

    def _claimed(self, rule: Official, text: Told, sheet: Sheet) -> bool | None:
        """Whether what a text claims is the official value; None where either is not known."""
        official = sheet.official.get(rule.id, frozenset())
        claimed = {v for v in rule.values if text.tells(v)}
        if len(official) != 1 or not claimed:
            return None
        return claimed == set(official)


def read_rules(path: Path, *, vocabulary: Vocabulary, languages: Sequence[str]) -> FactRules:
    """Return the rules of a file, or raise one InputError that names every fault.

    Args:
        path: a YAML file of form `guard-rules/v1`.
        vocabulary: the charter's acts and facts; every one the rules name must be among them.
        languages: the charter's languages; every text must exist in all of them.
    """
    reader = _Reader(path, vocabulary, languages)
    rules = reader.read()
    if reader.faults or rules is None:
        raise InputError(reader.faults)
    return rules


class _Reader:
    """Collects every fault of a rules file."""

    def __init__(self, path: Path, vocabulary: Vocabulary, languages: Sequence[str]) -> None:
        self.path = path
        self.vocabulary = vocabulary
        self.languages = tuple(languages)
        self.acts = {a.name for a in vocabulary.acts}
        self.facts = {f.name for f in vocabulary.facts}
        self.faults: list[Fault] = []

    def fault(self, where: str, expected: str, seen: object, do: str = "") -> None:
        place = f"{self.path.name}: {where}" if where else self.path.name
        self.faults.append(Fault(where=place, expected=expected, seen=str(seen), do=do))

    def read(self) -> FactRules | None:
        content = self._content()
        if content is None:
            return None
        known = {
            "schema", "confidence", "declared", "conversation_facts", "records", "claims",
            "sayings", "phrases", "numerals", *TEXTS,
        }  # fmt: skip
        self.keys("", content, known)
        if content.get("schema") != FORM:
            self.fault("schema", FORM, content.get("schema"))
        confidence = content.get("confidence")
        if not isinstance(confidence, float | int) or not 0.5 <= confidence <= 1:
            self.fault("confidence", "a probability from 0.5 to 1", confidence)
            confidence = 1.0
        declared = self.mapping("declared", content.get("declared"))
        self.true_facts("declared", declared)
        lasting = content.get("conversation_facts") or []
        for name in lasting if isinstance(lasting, list) else [lasting]:
            self.named("conversation_facts", name, self.facts)
        markings = [
            m for i, r in enumerate(self.listing("records", content)) if (m := self.marking(i, r))
        ]
        officials = [
            o for i, r in enumerate(self.listing("claims", content)) if (o := self.official(i, r))
        ]
        phrases = [
            p for i, r in enumerate(self.listing("phrases", content)) if (p := self.phrase(i, r))
        ]
        sayings = [self.saying(i, r) for i, r in enumerate(self.listing("sayings", content))]
        numerals = self.mapping("numerals", content.get("numerals"))
        for lang, words in numerals.items():
            if not isinstance(words, list) or len(words) != 10:
                self.fault(f"numerals.{lang}", "ten words, from zero to nine", words)
        texts = {name: self.text(name, content.get(name)) for name in TEXTS}
        return FactRules(
            confidence=float(confidence),
            declared=declared,
            conversation_facts=frozenset(lasting if isinstance(lasting, list) else ()),
            markings=tuple(markings),
            officials=tuple(officials),
            phrases=tuple(phrases),
            sayings=tuple(sayings),
            numerals={
                k: tuple(folded(str(w)) for w in v)
                for k, v in numerals.items()
                if isinstance(v, list)
            },
            texts=texts,
        )

    def _content(self) -> dict[str, Any] | None:
        try:
            content = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        except OSError as error:
            self.fault("", "a file of guard rules", error.strerror or type(error).__name__)
        except UnicodeDecodeError as error:
            self.fault("", "UTF-8 text", f"byte {error.start} is not UTF-8")
        except yaml.YAMLError as error:
            self.fault("", "YAML", " ".join(str(error).split()))
        else:
            if isinstance(content, dict):
                return content
            self.fault("", "a mapping", type(content).__name__)
        return None

    def keys(self, where: str, value: Mapping[str, Any], known: set[str]) -> None:
        for key in value:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                self.fault(
                    f"{where}.{key}".lstrip("."),
                    f"one of {', '.join(sorted(known))}",
                    "unknown key",
                    f"Did you mean {near[0]}?" if near else "",
                )

    def named(self, where: str, name: object, known: set[str]) -> None:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            self.fault(
                where,
                "a name of the charter's vocabulary",
                name,
                f"Did you mean {near[0]}?" if near else "",
            )

    def mapping(self, where: str, value: Any) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fault(where, "a mapping", value)
            return {}
        return {str(k): v for k, v in value.items()}

    def listing(self, where: str, content: Mapping[str, Any]) -> list[Any]:
        value = content.get(where) or []
        if not isinstance(value, list):
            self.fault(where, "a list of rules", value)
            return []
        return value

    def true_facts(self, where: str, facts: Mapping[str, Any]) -> None:
        for name in facts:
            self.named(f"{where}.{name}", name, self.facts)
        known = {k: v for k, v in facts.items() if k in self.facts}
        try:
            self.faults += situation_faults(known, self.vocabulary)
        except TypeError:
            self.fault(where, "plain values", facts)

    def text(self, name: str, value: Any) -> Text:
        given = self.mapping(name, value)
        for lang in self.languages:
            one = given.get(lang)
            if not isinstance(one, str) or not one:
                self.fault(f"{name}.{lang}", "a text in this language of the charter", one)
                continue
            try:
                holes = {h for _, h, _, _ in string.Formatter().parse(one) if h is not None}
            except ValueError as error:
                self.fault(f"{name}.{lang}", "a text with placeholders in braces", error)
                continue
            if holes != TEXTS[name]:
                self.fault(
                    f"{name}.{lang}",
                    f"the placeholders {', '.join(sorted(TEXTS[name])) or 'none'}",
                    ", ".join(sorted(holes)) or "none",
                )
        return {lang: str(one) for lang, one in given.items()}

    def words(self, where: str, value: Any) -> list[str]:
        given = self.mapping(where, value)
        for lang in self.languages:
            if lang not in given:
                self.fault(f"{where}.{lang}", "words in this language of the charter", "nothing")
        out = []
        for lang, items in given.items():
            if not isinstance(items, list) or not all(isinstance(w, str) and w for w in items):
                self.fault(f"{where}.{lang}", "a list of words", items)
                continue
            out += items
        return out

    def patterns(
        self, where: str, value: Any, hole: str, words: Sequence[str], groups: set[str]
    ) -> tuple[re.Pattern[str], ...]:
        if not isinstance(value, list) or not value:
            self.fault(where, "a list of regular expressions", value)
            return ()
        out = []
        for i, source in enumerate(value):
            filled = str(source).replace("{" + hole + "}", _either(words)) if hole else str(source)
            try:
                pattern = re.compile(filled, re.IGNORECASE if hole else 0)
            except re.error as error:
                self.fault(f"{where}[{i}]", "a regular expression", f"{source} ({error})")
                continue
            if not groups <= set(pattern.groupindex):
                self.fault(
                    f"{where}[{i}]",
                    f"the groups {', '.join(sorted(groups))}",
                    ", ".join(pattern.groupindex) or "none",
                )
            out.append(pattern)
        return tuple(out)

    def marking(self, i: int, value: Any) -> Marking | None:
        rule = self.mapping(f"records[{i}]", value)
        here = f"records.{rule.get('id', i)}"
        self.keys(
            here, rule, {"id", "act", "about", "told", "lines", "between", "values", "states"}
        )
        self.named(f"{here}.act", rule.get("act"), self.acts)
        for key, allowed in (("about", ("key", "state")), ("told", ("value", "key"))):
            if rule.get(key) not in allowed:
                self.fault(f"{here}.{key}", " or ".join(allowed), rule.get(key))
        states: list[tuple[tuple[tuple[str, FactValue], ...], re.Pattern[str]]] = []
        every: list[str] = []
        for j, one in enumerate(self.listing("states", rule)):
            state = self.mapping(f"{here}.states[{j}]", one)
            self.keys(f"{here}.states[{j}]", state, {"facts", "words"})
            facts = self.mapping(f"{here}.states[{j}].facts", state.get("facts"))
            self.true_facts(f"{here}.states[{j}].facts", facts)
            words = self.words(f"{here}.states[{j}].words", state.get("words"))
            every += words
            states.append((tuple(sorted(facts.items())), re.compile(_either(words), re.IGNORECASE)))
        if not states:
            self.fault(f"{here}.states", "at least one state", "none")
            return None
        groups = {"key", "state"} | ({"rest"} if rule.get("told") == "value" else set())
        if rule.get("about") not in ("key", "state") or rule.get("told") not in ("value", "key"):
            return None
        return Marking(
            id=str(rule.get("id", here)),
            act=str(rule.get("act")),
            about=rule["about"],
            told=rule["told"],
            lines=self.patterns(f"{here}.lines", rule.get("lines"), "state", every, groups),
            between=next(
                iter(self.patterns(f"{here}.between", [rule["between"]], "", (), set())), None
            )
            if "between" in rule
            else None,
            values=self.patterns(f"{here}.values", rule["values"], "", (), set())
            if "values" in rule
            else (),
            states=tuple(states),
        )

    def phrase(self, i: int, value: Any) -> Phrase | None:
        rule = self.mapping(f"phrases[{i}]", value)
        here = f"phrases.{rule.get('id', i)}"
        self.keys(here, rule, {"id", "fact", "values"})
        self.named(f"{here}.fact", rule.get("fact"), self.facts)
        given = rule.get("values")
        if not isinstance(given, dict) or not given:
            self.fault(f"{here}.values", "a mapping from value to expressions", given)
            return None
        values = []
        for of, texts in given.items():
            self.true_facts(f"{here}.values", {str(rule.get("fact")): of})
            sources = self.words(f"{here}.values.{of}", texts)
            patterns = self.patterns(f"{here}.values.{of}", sources, "", (), set())
            values.append((of, patterns))
        return Phrase(
            id=str(rule.get("id", here)), fact=str(rule.get("fact")), values=tuple(values)
        )

    def saying(self, i: int, value: Any) -> Saying:
        rule = self.mapping(f"sayings[{i}]", value)
        here = f"sayings.{rule.get('id', i)}"
        self.keys(here, rule, {"id", "act", "words"})
        self.named(f"{here}.act", rule.get("act"), self.acts)
        sources = self.words(f"{here}.words", rule.get("words"))
        patterns = self.patterns(f"{here}.words", sources, "", (), set())
        return Saying(id=str(rule.get("id", here)), act=str(rule.get("act")), words=patterns)

    def official(self, i: int, value: Any) -> Official | None:
        rule = self.mapping(f"claims[{i}]", value)
        here = f"claims.{rule.get('id', i)}"
        self.keys(here, rule, {"id", "act", "fact", "subject", "lines", "values"})
        self.named(f"{here}.act", rule.get("act"), self.acts)
        self.named(f"{here}.fact", rule.get("fact"), self.facts)
        subject = self.words(f"{here}.subject", rule.get("subject"))
        values = self.words(f"{here}.values", rule.get("values"))
        return Official(
            id=str(rule.get("id", here)),
            act=str(rule.get("act")),
            fact=str(rule.get("fact")),
            subject=re.compile(rf"(?<!\w){_either(subject)}(?!\w)", re.IGNORECASE),
            lines=self.patterns(
                f"{here}.lines", rule.get("lines"), "subject", subject, {"subject", "value"}
            ),
            values=tuple(dict.fromkeys(folded(v) for v in values)),
        )


def _either(words: Sequence[str]) -> str:
    ordered = sorted({canonical(w) for w in words}, key=lambda w: (-len(w), w))
    return "(?:" + "|".join(re.escape(w) for w in ordered) + ")"


def _by_rule(name: str, value: FactValue, rule: str) -> Fact:
    assert value is not None
    return Fact(name=name, value=value, origin="rule", confidence=1.0, source=rule)


def _stands(key: str, text: str) -> bool:
    return bool(key) and standing(key).search(text) is not None


def _mentions(words: re.Pattern[str], text: str) -> bool:
    return re.search(rf"(?<!\w){words.pattern}(?!\w)", text, re.IGNORECASE) is not None


def _alike(a: Entry, b: Entry, by: str) -> bool:
    """Whether two records cannot be told apart by what an answer says of them."""
    return bool(set(a.values) & set(b.values)) if by == "value" else a.key == b.key
