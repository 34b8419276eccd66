"""Cases in the words of one language: norms, situations and answers, from labels and wordings.

Labels are what the vocabulary gives: sentences, noun phrases, verb phrases. A label is set inside a
sentence only where it is seen to be a sentence itself; everywhere else it stands as it is, before a
colon or between quotation marks, where any label is grammatical.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from normwright.charter.drawing.alterations import COUNTERPARTIES, is_empty
from normwright.charter.drawing.grounds import Aspect, Ground
from normwright.charter.drawing.wordings import Frame, Wording
from normwright.charter.telling import value_in
from normwright.norms import NULL_ACT
from normwright.norms.ranking import RESTRICTIVE
from normwright.records import (
    ActType,
    Charter,
    Condition,
    Decision,
    FactType,
    FactValue,
    Norm,
)

_DURATION = re.compile(
    r"P(?:(?P<Y>\d+)Y)?(?:(?P<MO>\d+)M)?(?:(?P<W>\d+)W)?(?:(?P<D>\d+)D)?"
    r"(?:T(?:(?P<H>\d+)H)?(?:(?P<M>\d+)M)?(?:(?P<S>\d+)S)?)?"
)


class Speaker:
    """Words cases of one charter in one language."""

    def __init__(self, wording: Wording, charter: Charter) -> None:
        self._words = wording.words
        self._lang = wording.lang
        self._facts = {fact.name: fact for fact in charter.vocabulary.facts}
        self._acts = {act.name: act for act in charter.vocabulary.acts}
        self._openers = frozenset(wording.words["openers"])
        self._finite = frozenset(wording.words["finite"])
        self._id = charter.id
        self._lines: dict[tuple[str, int, int], str] = {}
        self._sentences: dict[tuple[str, FactValue, type, str, bool], str] = {}

    def system(self, norms: Sequence[Norm], style: int, *, shown: bool) -> str:
        """Return what stands before the situation: the norms, how they weigh, how to answer."""
        own = self._words["charter"]
        verdicts = "; ".join(self._words["verdicts"].values())
        answer = own["answer"].format(v=verdicts)
        if not shown:
            return f"{own['closed'].format(id=self._id)} {answer}"
        listed = "\n".join(self.norm(norm, style) for norm in norms)
        return f"{own['opening']}\n{listed}\n{own['how'].strip()}\n{answer}"

    def user(
        self,
        ground: Ground,
        frame: Frame,
        core: int,
        placebo: Mapping[str, FactValue],
        order: Sequence[int],
        *,
        in_words: bool,
    ) -> str:
        """Return a situation in a frame, its facts and circumstances in the order given."""
        told = self._told(ground, frame.form, core, placebo, in_words)
        lines = [told[place] for place in order] or [self._words["nothing"]]
        if frame.listed:
            bare = frame.form in ("tick", "row")
            block = "\n".join(lines if bare else (f"- {line}" for line in lines))
        else:
            block = " ".join(lines)
        return frame.text.format(act=self.act(ground.act.name), facts=block)

    def _told(
        self,
        ground: Ground,
        form: str,
        core: int,
        placebo: Mapping[str, FactValue],
        in_words: bool,
    ) -> list[str]:
        state = ground.cores[core]
        facts: dict[str, FactValue] = {**ground.settled, **placebo}
        around = []
        for aspect, index in zip(ground.aspects, state, strict=True):
            if aspect.fact is not None:
                facts[aspect.name] = aspect.states[index]
            elif aspect.told:
                around.append(self._circumstance(aspect, aspect.states[index]))
        named = sorted(facts)
        return [*(self.fact(name, facts[name], form, in_words) for name in named), *around]

    def fact(self, name: str, value: FactValue, form: str, in_words: bool = False) -> str:
        """Return one fact as a sentence, or as a line of a form."""
        key = (name, value, type(value), form, in_words)
        known = self._sentences.get(key)
        if known is None:
            known = self._sentences[key] = self._fact(self._facts[name], value, form, in_words)
        return known

    def _fact(self, fact: FactType, value: FactValue, form: str, in_words: bool) -> str:
        label = self._label(fact)
        words = self._words["forms"][form]
        if fact.type == "bool":
            if form in ("plain", "stated", "sure") and not self._is_sentence(label):
                words = self._words["forms"]["field"]
            kind = "open" if value is None else "holds" if value else "fails"
            return str(words[kind]).format(S=_upper(label), s=self._inner(label))
        if value is None:
            return str(words.get("value_open", words["open"])).format(S=_upper(label))
        told = self.value(fact, value, in_words)
        return str(words["value"]).format(S=_upper(label), v=told, V=_upper(told))

    def value(self, fact: FactType, value: FactValue, in_words: bool = False) -> str:
        """Return a fact's value: a number as digits or in words, an instant with its day."""
        if in_words and fact.type == "int" and isinstance(value, int):
            return self._number(value)
        if fact.type == "time":
            instant = datetime.fromisoformat(str(value))
            return f"{self.day(instant.date())}, {instant:%H:%M} {instant.tzname() or 'UTC'}"
        return value_in(fact, value, self._lang)

    def _number(self, value: int) -> str:
        units, tens = self._words["units"], self._words.get("tens", ())
        if 0 <= value < len(units):
            return str(units[value])
        if 20 <= value < 100 and len(tens) == 8:
            ten, unit = divmod(value, 10)
            joined = f"{self._words['tens_joiner']}{units[unit]}" if unit else ""
            return f"{tens[ten - 2]}{joined}"
        return str(value)

    def day(self, day: date) -> str:
        """Return a day as people write it."""
        month = self._words["months"][day.month - 1]
        return str(self._words["date"]).format(day=day.day, month=month, year=day.year)

    def act(self, name: str) -> str:
        """Return an act's label inside a sentence."""
        act = self._acts.get(name, ActType(name=name))
        return _lower(self._label(act))

    def _circumstance(self, aspect: Aspect, state: Any) -> str:
        context = self._words["context"]
        match aspect.name:
            case "time":
                return str(context["time"]).format(v=self.day(state))
            case "feasible" if not state:
                return str(context["only"])
            case "feasible":
                told = self._words["list"].join(self.act(act) for act in state)
                return str(context["instead"]).format(v=told)
            case "jurisdiction":
                return str(context["jurisdiction"]).format(v=self._words["and"].join(state))
            case "bearer":
                return str(context["bearer"]).format(v=self._words["bearers"][state])
            case _:
                told = self._words["counterparties"][state]
                return str(context["counterparty"]).format(v=told)

    def norm(self, norm: Norm, style: int) -> str:
        """Return a norm as a line: its reference, what it says, and what its force is."""
        key = (norm.ref, style, id(norm))
        known = self._lines.get(key)
        if known is None:
            line = self._words["norms"]["line"]
            known = self._lines[key] = line.format(
                ref=norm.ref, text=self.statement(norm, style), details=self._details(norm)
            )
        return known

    def statement(self, norm: Norm, style: int = 0) -> str:
        """Return what a norm says, from its kind, act and condition.

        It is not the statement people voted on: that one says what the charter has, and an altered
        norm must not be told by the wording its original had.
        """
        norms = self._words["norms"]
        when = ""
        if not is_empty(norm.condition):
            when = norms["when"][style].format(cond=self.condition(norm.condition))
        return str(norms[norm.kind][style]).format(act=self.act(norm.act), when=when)

    def condition(self, condition: Condition, *, inner: bool = False) -> str:
        """Return a condition in words that leave one reading."""
        words = self._words["conditions"]
        parts = condition.all or condition.any
        if parts is not None and len(parts) == 1:
            return self.condition(parts[0], inner=inner)
        if parts is not None:
            joiner = self._words["and" if condition.all is not None else "or"]
            told = joiner.join(self.condition(part, inner=True) for part in parts)
            return str(words["group"]).format(v=told) if inner else told
        if condition.negate is not None:
            return str(words["not"]).format(
                v=words["group"].format(v=self.condition(condition.negate))
            )
        return self._atom(condition)

    def _atom(self, condition: Condition) -> str:
        words = self._words["conditions"]
        fact = self._facts[condition.fact or ""]
        label = _upper(self._label(fact))
        for bound in ("at_least", "at_most"):
            limit = getattr(condition, bound)
            if limit is not None:
                return str(words[bound]).format(S=label, v=self.value(fact, limit))
        wanted = condition.one_of if condition.one_of is not None else (condition.eq,)
        if fact.type == "bool":
            told = [str(words["holds" if v else "fails"]).format(S=label) for v in wanted]
            return str(self._words["or"]).join(told)
        listed = self._or([self.value(fact, v) for v in wanted])
        return str(words["value"]).format(S=label, v=listed)

    def _or(self, parts: Sequence[str]) -> str:
        if len(parts) < 2:
            return "".join(parts)
        return f"{self._words['list'].join(parts[:-1])}{self._words['or']}{parts[-1]}"

    def _details(self, norm: Norm) -> str:
        words = self._words["details"]
        layer = str(words["layers"][norm.layer]).format(v=norm.authority)
        told = [str(words[norm.tier]).format(v=layer)]
        if norm.kind in RESTRICTIVE:
            told.append(str(words["severity"]).format(v=norm.severity))
            told.append(str(words["unknown"][norm.on_unknown]))
        if norm.valid_from is not None:
            told.append(str(words["from"]).format(v=self.day(norm.valid_from)))
        if norm.valid_to is not None:
            told.append(str(words["until"]).format(v=self.day(norm.valid_to)))
        if norm.deadline is not None:
            told.append(str(words["deadline"]).format(v=self._duration(norm.deadline)))
        if norm.overridable_by:
            names = [self._words["layer_names"][layer] for layer in norm.overridable_by]
            told.append(str(words["overridable"]).format(v=self._words["list"].join(names)))
        if norm.supersedes:
            told.append(str(words["supersedes"]).format(v=", ".join(norm.supersedes)))
        if norm.reparation:
            told.append(str(words["reparation"]).format(v=", ".join(norm.reparation)))
        told += self._whom(norm)
        return "; ".join(told)

    def _whom(self, norm: Norm) -> list[str]:
        words = self._words["details"]
        bound = [self._words["bearers"][actor] for actor in norm.bearer.actor]
        told = [str(words["bearer"]).format(v=self._or(bound))] if len(bound) < 4 else []
        if len(norm.counterparty) < len(COUNTERPARTIES):
            met = [self._words["counterparties"][c] for c in norm.counterparty]
            told.append(str(words["counterparty"]).format(v=self._or(met)))
        return told

    def _duration(self, duration: str) -> str:
        found = _DURATION.fullmatch(duration)
        parts = {} if found is None else {k: v for k, v in found.groupdict().items() if v}
        names = self._words["durations"]
        return self._words["and"].join(f"{v} {names[k]}" for k, v in parts.items()) or duration

    def answer(self, decision: Decision, norms: Mapping[str, Norm], style: int) -> str:
        """Return the right answer: verdict, norms in words, what is missing, what to do instead."""
        words = self._words["answers"]
        told = [f"{self.verdict(decision)}."]
        cited = [f"[{ref}] {self.statement(norms[ref], style)}" for ref in decision.governing]
        if cited:
            told.append(str(words["rest"]).format(v=" ".join(cited)))
        elif decision.verdict == "allow":
            told.append(str(words["none"]))
        if decision.verdict == "ask" and decision.unknown:
            missing = [_upper(self._label(self._facts[name])) for name in decision.unknown]
            told.append(str(words["missing"]).format(v="; ".join(missing)))
        if decision.verdict in ("deny", "deny-dilemma", "dilemma-inaction"):
            told.append(str(words["instead"]).format(v=self._instead(decision)))
        told += [str(words["duty"]).format(v=self.act(duty.act)) for duty in decision.duties]
        return " ".join(told)

    def verdict(self, decision: Decision) -> str:
        """Return the word for a verdict."""
        return str(self._words["verdicts"][decision.verdict])

    def _instead(self, decision: Decision) -> str:
        chosen = [act for act in decision.least_bad if act != NULL_ACT]
        if not chosen or decision.verdict == "dilemma-inaction":
            return str(self._words["answers"]["nothing"])
        return str(self._words["list"].join(self.act(act) for act in chosen))

    def _label(self, named: FactType | ActType) -> str:
        """What it means in the language; where the vocabulary does not say, its name."""
        return named.label.get(self._lang, named.name).strip().rstrip(".?!:;")

    def _is_sentence(self, label: str) -> bool:
        words = re.findall(r"[\w-]+", label.lower())
        return len(words) > 2 and not self._finite.isdisjoint(words[1:])

    def _inner(self, label: str) -> str:
        """The label inside a sentence; a first word that may be a name keeps its capital."""
        first = label.split(" ", 1)[0].lower()
        return _lower(label) if first in self._openers else label


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    """The text with a small first letter, unless its first word is written in capitals."""
    return text if len(text) > 1 and text[1].isupper() else text[:1].lower() + text[1:]
