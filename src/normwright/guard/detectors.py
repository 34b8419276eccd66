"""Which signals stand for which acts, and the patterns that give signals: data, not code.

A norm says what is right and was decided by people; a detector says how its act is recognised and
was written by engineers. They are kept apart, so that a better detector is no change of the norm.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import or_
from pathlib import Path
from typing import Any, Final, TypeAlias, get_args

import yaml

from normwright.guard.anchors import Branch, needs, rarity, stems
from normwright.guard.forms import alphanumerics, fold, letters
from normwright.guard.recent import Made
from normwright.norms import situation_faults
from normwright.records import FactValue, Fault, InputError, Lang, Side, Speaker, Vocabulary

FORM: Final = "guard-detectors/v1"
FILE: Final = "detectors.yaml"

_SPEAKERS: Final = frozenset(get_args(Speaker))
_SIDES: Final = frozenset(get_args(Side))
_DIGIT: Final = re.compile(r"\d")
_AT_ONCE: Final = 6_000
"""Characters from which a text is looked through at once."""
_WORDS: Final = 8_192
"""Words of one generation that are kept; see `recent`."""
_LONGEST: Final = 32
"""Letters of a word that is kept."""


@dataclass(frozen=True)
class Signal:
    """What a signal stands for."""

    name: str
    act: str
    facts: tuple[tuple[str, FactValue], ...] = ()
    """Facts it claims, as sure as the signal is."""
    acts: tuple[tuple[Speaker, str], ...] = ()
    """Another act, where this role said it."""
    by_role: tuple[tuple[Speaker, tuple[tuple[str, FactValue], ...]], ...] = ()
    """Facts that follow from who said it."""
    threshold: float = 0.5
    """Probability from which it is put to the charter."""
    by_language: tuple[tuple[Lang, float], ...] = ()
    """Another threshold, for a person who is known to speak this language alone."""
    soft: float = 1.0
    """How much of its probability counts towards the risk of a conversation."""
    usual: float | None = None
    """What of it ordinary texts reach, times `soft`: up to here it is no evidence of anything.
    None: half the threshold."""
    sides: frozenset[str] = frozenset({"input", "output", "call"})
    roles: frozenset[str] = _SPEAKERS

    def limit(self, languages: Sequence[Lang]) -> float:
        """Return the threshold for what was said by someone who may speak these languages."""
        if len(languages) == 1:
            return dict(self.by_language).get(languages[0], self.threshold)
        return self.threshold

    def act_of(self, role: Speaker) -> str:
        """Return the act it stands for where this role said it."""
        return dict(self.acts).get(role, self.act)

    @property
    def ordinary(self) -> float:
        """Probability, times `soft`, up to which it is no evidence of anything."""
        return 0.5 * self.threshold if self.usual is None else self.usual

    def told(self, role: Speaker) -> dict[str, FactValue]:
        """Return the facts it stands for where this role said it."""
        return {**dict(self.facts), **dict(dict(self.by_role).get(role, ()))}


_SOME_WORDS: Final = re.compile(r"\(\?:\\w\+(?:'\?s\?)?\\s\*\)(?:\{0,(\d+)\}|\?)(\??)")
_LETTERS_OF_A_WORD: Final = 20


def _some_letters(words: re.Match[str]) -> str:
    """Return what stands for up to so many words whose spaces were lost."""
    return rf"[\w\s']{{0,{_LETTERS_OF_A_WORD * int(words[1] or 1)}}}{words[2]}"


@dataclass(frozen=True)
class Expression:
    """A regular expression, with what a text must hold for it to match; compiled when needed."""

    source: str
    needs: tuple[Branch, ...]
    """Ways in which it may match, each with what it needs; see `anchors`."""

    @cached_property
    def plain(self) -> re.Pattern[str]:
        """As it was written."""
        return re.compile(self.source)

    @cached_property
    def tight(self) -> re.Pattern[str]:
        r"""For texts whose spaces were lost: `\s+` may be nothing, and words have no edges.

        A few words of any kind are then a few letters: row after row of words that need nothing
        between them could be parted in so many ways that the search had no end.
        """
        loose = re.sub(r"\\s[+*]?|(?<!\\) ", r"\\s*", self.source).replace(r"\b", "")
        return re.compile(_SOME_WORDS.sub(_some_letters, loose))


@dataclass(frozen=True)
class Pattern:
    """Words by which a signal is recognised."""

    id: str
    signal: str
    chance: float
    lang: Lang | None
    any: tuple[Expression, ...]
    unless: tuple[Expression, ...]
    """Words near it that make it something else."""
    sides: frozenset[str]
    roles: frozenset[str]
    encoded: bool
    """Whether it also counts in what was decoded."""
    quoted: bool
    """Whether it also counts in a quotation, with words of the speaker's own around it."""


Trials: TypeAlias = Mapping[str, Sequence[tuple[Pattern, Sequence[Expression]]]]
"""Family -> its patterns, each with those of its expressions that may match a text."""


@dataclass(frozen=True)
class Detectors:
    """The signals and patterns of one guard."""

    signals: Mapping[str, Signal]
    patterns: tuple[Pattern, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    """Label of the classifier -> signal."""

    def within(self, vocabulary: Vocabulary) -> Detectors:
        """Return those whose acts the vocabulary has; facts it does not have are left out."""
        acts = {a.name for a in vocabulary.acts}
        facts = {f.name for f in vocabulary.facts}

        def known(pairs: Iterable[tuple[str, FactValue]]) -> tuple[tuple[str, FactValue], ...]:
            return tuple((n, v) for n, v in pairs if n in facts)

        signals = {
            name: replace(
                s,
                acts=tuple((role, act) for role, act in s.acts if act in acts),
                facts=known(s.facts),
                by_role=tuple((role, known(told)) for role, told in s.by_role),
            )
            for name, s in self.signals.items()
            if s.act in acts
        }
        return Detectors(
            signals=signals,
            patterns=tuple(p for p in self.patterns if p.signal in signals),
            labels={k: v for k, v in self.labels.items() if v in signals},
        )

    @cached_property
    def rules(self) -> Mapping[str, tuple[Pattern, ...]]:
        """The patterns by what looks for them: `injection`, `jailbreak`, and `norm-rules` for the
        rest.
        """
        found: dict[str, list[Pattern]] = {}
        for one in self.patterns:
            family = one.signal.partition(".")[0]
            known = family if family in ("injection", "jailbreak") else "norm-rules"
            found.setdefault(known, []).append(one)
        return {name: tuple(patterns) for name, patterns in found.items()}

    @cached_property
    def _sets(self) -> dict[frozenset[str], int]:
        """Every set of words of which some expression needs one, each with a bit of its own."""
        every = (n for p in self.patterns for e in p.any for way in e.needs for n in way)
        return {words: 1 << place for place, words in enumerate(dict.fromkeys(every))}

    @cached_property
    def _bits(self) -> dict[str, int]:
        """Every word that is needed, with the bits of the sets it is of."""
        found: dict[str, int] = {}
        for words, bit in self._sets.items():
            for word in words:
                found[word] = found.get(word, 0) | bit
        return found

    @cached_property
    def _signs(self) -> tuple[tuple[str, int], ...]:
        """Of what is needed, the signs, with their bits."""
        return tuple((word, bit) for word, bit in self._bits.items() if not word.strip().isalnum())

    @cached_property
    def _always(self) -> tuple[int, ...]:
        """Places of expressions that need nothing that is known."""
        return tuple(place for place, (_, _, one) in enumerate(self._owners) if not all(one.needs))

    @cached_property
    def _ways(self) -> dict[int, tuple[tuple[int, int], ...]]:
        """The ways of all expressions by the bit of the set that is rarest: (bits, expression)."""
        found: dict[int, list[tuple[int, int]]] = {}
        for place, (_, _, one) in enumerate(self._owners):
            for way in filter(None, one.needs):
                first = self._sets[max(way, key=rarity)]
                needed = reduce(or_, (self._sets[n] for n in way))
                found.setdefault(first, []).append((needed, place))
        return {bit: tuple(ways) for bit, ways in found.items()}

    @cached_property
    def _first(self) -> int:
        return reduce(or_, self._ways, 0)

    @cached_property
    def _owners(self) -> tuple[tuple[str, Pattern, Expression], ...]:
        """Every expression with its pattern and family, in order."""
        return tuple(
            (family, p, e) for family, those in self.rules.items() for p in those for e in p.any
        )

    @cached_property
    def _of_words(self) -> Made[str, int]:
        """The bits of words that were looked at of late."""
        bits = self._bits
        longest = max(map(len, bits), default=0)

        def made(word: str) -> int:
            found, padded = 0, f" {word} "
            for start in range(len(word)):
                for end in range(start + 3, min(start + longest, len(padded)) + 1):
                    found |= bits.get(padded[start:end], 0)
            return found

        return Made(made, _WORDS, weighs=lambda word: len(word) <= _LONGEST)

    def worth_trying(self, text: str, *, tight: bool = False) -> Trials:
        """Return the expressions that may match a folded text, by family and pattern, in order.

        A word that an expression needs has letters and digits alone, so that it stands within a
        word of the text, and most words of a short text were looked at before. A long text is
        looked through at once.

        Args:
            text: the text.
            tight: whether spaces between its words were lost.
        """
        if tight or len(text) > _AT_ONCE:
            there = [bit for word, bit in self._bits.items() if word.strip() in text]
            told = reduce(or_, there, 0)
        else:
            words = letters(text) if _DIGIT.search(text) is None else alphanumerics(text)
            told = reduce(or_, map(self._of_words.__getitem__, set(words)), 0)
        for sign, bit in self._signs:
            if sign in text:
                told |= bit
        places = set(self._always)
        first = told & self._first
        while first:
            bit = first & -first
            first ^= bit
            for needed, place in self._ways[bit]:
                if told & needed == needed:
                    places.add(place)
        if not places:
            return {}
        found: dict[str, dict[str, tuple[Pattern, list[Expression]]]] = {}
        for place in sorted(places):
            family, pattern, expression = self._owners[place]
            found.setdefault(family, {}).setdefault(pattern.id, (pattern, []))[1].append(expression)
        return {family: tuple(those.values()) for family, those in found.items()}

    @cached_property
    def stems(self) -> frozenset[str]:
        """Every word that some pattern is made of."""
        return frozenset().union(*(stems(e.source) for p in self.patterns for e in p.any))

    def joined(self, other: Detectors) -> Detectors:
        """Return both together; where both know a signal or an id, the other's counts."""
        own = {p.id: p for p in self.patterns} | {p.id: p for p in other.patterns}
        return Detectors(
            signals={**self.signals, **other.signals},
            patterns=tuple(own.values()),
            labels={**self.labels, **other.labels},
        )


def read_detectors(path: Path, *, vocabulary: Vocabulary | None = None) -> Detectors:
    """Return the detectors of a YAML or JSON file of form `guard-detectors/v1`.

    Args:
        path: the file.
        vocabulary: acts and facts that its signals may name; None: nothing is looked up, and
            expressions are not tried, for a file that was tried when it was made.

    Raises:
        InputError: with every fault of the file.
    """
    reader = _Reader(path.name, vocabulary)
    try:
        # The same safe loader; written in C where PyYAML was built with it, ten times as fast.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(path.read_text(encoding="utf-8"))
        content = loader.get_single_data()
    except OSError as error:
        reader.fault("", "a file of detectors", error.strerror or type(error).__name__)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        reader.fault("", "YAML in UTF-8", " ".join(str(error).split())[:200])
    else:
        made = reader.read(content)
        if not reader.faults:
            return made
    raise InputError(reader.faults)


class _Reader:
    """Collects every fault of a file of detectors."""

    def __init__(self, name: str, vocabulary: Vocabulary | None) -> None:
        self.name = name
        self.vocabulary = vocabulary
        self.faults: list[Fault] = []

    def fault(self, where: str, expected: str, seen: object, do: str = "") -> None:
        place = f"{self.name}: {where}" if where else self.name
        self.faults.append(Fault(where=place, expected=expected, seen=str(seen)[:200], do=do))

    def read(self, content: Any) -> Detectors:
        if not isinstance(content, dict) or content.get("schema") != FORM:
            self.fault("schema", FORM, content.get("schema") if isinstance(content, dict) else "")
            return Detectors({})
        self.known("", content, {"schema", "signals", "patterns", "labels"})
        signals = {s.name: s for s in map(self.signal, self.rows(content, "signals")) if s}
        patterns = [
            p for p in (self.pattern(r, signals) for r in self.rows(content, "patterns")) if p
        ]
        seen: set[str] = set()
        for one in patterns:
            if one.id in seen:
                self.fault(f"patterns.{one.id}", "an id of its own", "one that is taken")
            seen.add(one.id)
        labels = content.get("labels") or {}
        if not isinstance(labels, dict) or not set(labels.values()) <= signals.keys():
            self.fault("labels", "label: signal, each a signal above", labels)
            labels = {}
        return Detectors(signals, tuple(patterns), labels)

    def rows(self, content: dict[str, Any], key: str) -> list[dict[str, Any]]:
        rows = content.get(key) or []
        good = [r for r in rows if isinstance(r, dict)] if isinstance(rows, list) else []
        if not isinstance(rows, list) or len(good) != len(rows):
            self.fault(key, "a list of mappings", type(rows).__name__)
        return good

    def known(self, where: str, row: Mapping[str, Any], keys: set[str]) -> None:
        for key in row.keys() - keys:
            self.fault(f"{where}.{key}".lstrip("."), f"one of {', '.join(sorted(keys))}", key)

    def subset(self, where: str, value: Any, of: frozenset[str]) -> frozenset[str]:
        if value is None:
            return of
        if not isinstance(value, list) or not set(value) <= of:
            self.fault(where, f"a list of {', '.join(sorted(of))}", value)
            return of
        return frozenset(value)

    def share(self, where: str, value: Any, default: float) -> float:
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            self.fault(where, "a probability above 0, at most 1", value)
            return default
        return float(value)

    def told(self, where: str, value: Any) -> tuple[tuple[str, FactValue], ...]:
        if value is None:
            return ()
        if not isinstance(value, dict):
            self.fault(where, "a mapping from fact to value", value)
            return ()
        if self.vocabulary is not None:
            try:
                self.faults += situation_faults(value, self.vocabulary)
            except TypeError:
                self.fault(where, "plain values", value)
        return tuple(value.items())

    def signal(self, row: dict[str, Any]) -> Signal | None:
        name, act = row.get("name"), row.get("act")
        where = f"signals.{name}"
        keys = {"name", "act", "acts", "facts", "by_role", "threshold", "by_language",
                "soft", "usual", "sides", "roles"}  # fmt: skip
        self.known(where, row, keys)
        if not isinstance(name, str) or not isinstance(act, str):
            self.fault(where, "a name and an act", row)
            return None
        others = row.get("acts") or {}
        if not isinstance(others, dict) or not others.keys() <= _SPEAKERS:
            self.fault(f"{where}.acts", "acts by role", others)
            others = {}
        known = {a.name for a in self.vocabulary.acts} if self.vocabulary is not None else None
        for one in (act, *others.values()):
            if known is not None and one not in known:
                self.fault(f"{where}.act", "an act of the charter's vocabulary", one)
        by_role = row.get("by_role") or {}
        if not isinstance(by_role, dict) or not by_role.keys() <= _SPEAKERS:
            self.fault(f"{where}.by_role", "facts by role", by_role)
            by_role = {}
        limits = row.get("by_language") or {}
        if not isinstance(limits, dict):
            self.fault(f"{where}.by_language", "thresholds by language", limits)
            limits = {}
        return Signal(
            name=name,
            act=act,
            acts=tuple((role, str(one)) for role, one in others.items()),
            facts=self.told(f"{where}.facts", row.get("facts")),
            by_role=tuple((k, self.told(f"{where}.by_role.{k}", v)) for k, v in by_role.items()),
            threshold=self.share(f"{where}.threshold", row.get("threshold"), 0.5),
            by_language=tuple(
                (str(k), self.share(f"{where}.by_language.{k}", v, 0.5)) for k, v in limits.items()
            ),
            soft=self.share(f"{where}.soft", row.get("soft"), 1.0),
            usual=self.share(f"{where}.usual", row["usual"], 0.5) if "usual" in row else None,
            sides=self.subset(f"{where}.sides", row.get("sides"), _SIDES),
            roles=self.subset(f"{where}.roles", row.get("roles"), _SPEAKERS),
        )

    def pattern(self, row: dict[str, Any], signals: Mapping[str, Signal]) -> Pattern | None:
        name = row.get("id")
        where = f"patterns.{name}"
        self.known(where, row, {"id", "signal", "chance", "lang", "any", "unless", "sides",
                                "roles", "encoded", "quoted"})  # fmt: skip
        if not isinstance(name, str) or row.get("signal") not in signals:
            self.fault(where, "an id and a signal of this file", row.get("signal"))
            return None
        sources = self.texts(f"{where}.any", row.get("any"))
        if not sources:
            self.fault(f"{where}.any", "at least one regular expression", row.get("any"))
        return Pattern(
            id=name,
            signal=row["signal"],
            chance=self.share(f"{where}.chance", row.get("chance"), 0.9),
            lang=row.get("lang"),
            any=self.compiled(f"{where}.any", sources),
            unless=self.compiled(
                f"{where}.unless", self.texts(f"{where}.unless", row.get("unless"))
            ),
            sides=self.subset(f"{where}.sides", row.get("sides"), _SIDES),
            roles=self.subset(f"{where}.roles", row.get("roles"), _SPEAKERS),
            encoded=bool(row.get("encoded", True)),
            quoted=bool(row.get("quoted", True)),
        )

    def texts(self, where: str, value: Any) -> list[str]:
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
            self.fault(where, "a list of texts", value)
            return []
        return value

    def compiled(self, where: str, sources: Sequence[str]) -> tuple[Expression, ...]:
        found = []
        for i, source in enumerate(map(_plain, sources)):
            if self.vocabulary is not None:
                try:
                    re.compile(source)
                except re.error as error:
                    self.fault(f"{where}[{i}]", "a regular expression", f"{source} ({error})")
                    continue
            found.append(Expression(source, needs(source)))
        return tuple(found)


def _plain(source: str) -> str:
    """A pattern as folded texts are written: without accents; its classes keep their case."""
    return "".join(c if c.isascii() else fold(c) for c in source)
