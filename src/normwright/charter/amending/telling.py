"""A region of changed verdicts in words: who, what, when, where, under which facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import get_args

from normwright.charter.amending.frames import jurisdictions, times
from normwright.charter.wording import say, spoken
from normwright.records import (
    Actor,
    ChangedRegion,
    Channel,
    Charter,
    Condition,
    Counterparty,
    Text,
    Vocabulary,
)


def told(region: ChangedRegion, before: Charter, after: Charter) -> Text:
    """Return one sentence on a region, in every language of the later charter there are words for.

    It says what changes, for which acts, under which facts, and, only where that is not all there
    is, for whom, towards whom, through what, where and when.
    """
    return {lang: _Teller(lang, before, after).region(region) for lang in _languages(after)}


def covers(after: Charter, *, limited: bool) -> Text:
    """Return over which situations differences were looked for."""
    languages = _languages(after)
    known = say("diff_covers", languages)
    if not limited:
        return known
    more = say("diff_covers_limited", languages)
    return {lang: f"{known[lang]} {more[lang]}" for lang in languages}


def condition_told(condition: Condition, vocabulary: Vocabulary, lang: str) -> str:
    """Return a condition in words: the facts' labels with what is asked of them."""
    labels = {fact.name: fact.label.get(lang) or fact.name for fact in vocabulary.facts}
    return _condition(condition, labels, lang)


def _languages(charter: Charter) -> tuple[str, ...]:
    known = spoken()
    return tuple(lang for lang in charter.languages if lang in known)


def _word(key: str, lang: str, **values: str | int) -> str:
    return say(key, (lang,), **values)[lang]


class _Teller:
    """Says regions in one language."""

    def __init__(self, lang: str, before: Charter, after: Charter) -> None:
        self._lang = lang
        self._charters = before, after
        self._acts: dict[str, str] = {}
        self._facts: dict[str, str] = {}
        for charter in self._charters:
            words = charter.vocabulary
            self._acts |= {a.name: a.label.get(lang) or a.name for a in words.acts}
            self._facts |= {f.name: f.label.get(lang) or f.name for f in words.facts}

    def region(self, region: ChangedRegion) -> str:
        """Return the sentence on one region."""
        acts = ", ".join(self._acts.get(act, act) for act in region.acts)
        first = self._say(
            f"diff_{region.effect}",
            acts=acts,
            before=self._say(f"verdict_{region.before.verdict}"),
            after=self._say(f"verdict_{region.after.verdict}"),
        )
        return " ".join([first, *self._limits(region)])

    def _limits(self, region: ChangedRegion) -> Iterable[str]:
        facts = _condition(region.condition, self._facts, self._lang)
        if facts:
            yield self._say("diff_facts", facts=facts)
        for key, values, every in (
            ("bearers", region.bearers, get_args(Actor)),
            ("counterparties", region.counterparties, (*get_args(Counterparty), None)),
            ("channels", region.channels, get_args(Channel)),
        ):
            if set(values) != set(every):
                words = ", ".join(self._say(f"{key}_{v or 'unsaid'}") for v in values)
                yield self._say(f"diff_{key}", values=words)
        yield from self._where(region)
        yield from self._when(region)
        if region.seen == "feasible":
            others = [a for a in region.situation.feasible if a != "decline"]
            acts = ", ".join(self._acts.get(act, act) for act in others)
            yield self._say("diff_feasible", acts=acts)
        if region.seen == "unknown":
            yield self._say("diff_unknown")

    def _where(self, region: ChangedRegion) -> Iterable[str]:
        if set(region.jurisdictions) != set(jurisdictions(*self._charters)):
            named = [self._polities(one) for one in region.jurisdictions]
            yield self._say("diff_where", places="; ".join(named))

    def _polities(self, one: object) -> str:
        match one:
            case None:
                return self._say("where_any")
            case "unknown":
                return self._say("where_unknown")
            case ():
                return self._say("where_none")
            case tuple():
                return " + ".join(map(str, one))
        return str(one)

    def _when(self, region: ChangedRegion) -> Iterable[str]:
        universe = times(*self._charters)
        if set(region.times) == set(universe):
            return
        days = [t for t in universe if _is_day(t)]
        inside = [t for t in region.times if _is_day(t)]
        if not inside:
            days = [t for t in universe if t is not None and not _is_day(t)]
            inside = [t for t in region.times if t is not None and not _is_day(t)]
        spans = "; ".join(self._span(run, days) for run in _runs(inside, days))
        yield self._say("diff_when", spans=spans or self._say("when_untimed"))

    def _span(self, run: Sequence[object], universe: Sequence[object]) -> str:
        first, last = universe.index(run[0]), universe.index(run[-1])
        since = None if first == 0 else run[0]
        until = None if last + 1 == len(universe) else universe[last + 1]
        if since is None:
            return self._say("when_before", day=str(until))
        if until is None:
            return self._say("when_from", day=str(since))
        return self._say("when_between", first=str(since), last=str(until))

    def _say(self, key: str, **values: str | int) -> str:
        return _word(key, self._lang, **values)


def _is_day(when: object) -> bool:
    return isinstance(when, date) and not isinstance(when, datetime)


def _runs(inside: Sequence[object], universe: Sequence[object]) -> list[list[object]]:
    runs: list[list[object]] = []
    last = None
    for place, when in enumerate(universe):
        if when in inside:
            if last == place - 1:
                runs[-1].append(when)
            else:
                runs.append([when])
            last = place
    return runs


def _condition(condition: Condition, labels: Mapping[str, str], lang: str) -> str:
    if condition.all is not None:
        parts = [_condition(part, labels, lang) for part in condition.all]
        return _word("all_of", lang).join(parts)
    if condition.any is not None:
        parts = [_condition(part, labels, lang) for part in condition.any]
        return "(" + _word("any_of", lang).join(parts) + ")"
    if condition.negate is not None:
        return _word("not_so", lang, what=_condition(condition.negate, labels, lang))
    return "" if condition.fact is None else _atom(condition, labels[condition.fact], lang)


def _atom(condition: Condition, label: str, lang: str) -> str:
    if condition.eq is True or condition.eq is False:
        return _word("fact_is" if condition.eq else "fact_is_not", lang, fact=label)
    if condition.at_least is not None and condition.at_most is not None:
        return _word("fact_between", lang, fact=label, low=str(condition.at_least),
                     high=str(condition.at_most))  # fmt: skip
    if condition.at_least is not None:
        return _word("fact_at_least", lang, fact=label, low=str(condition.at_least))
    if condition.at_most is not None:
        return _word("fact_at_most", lang, fact=label, high=str(condition.at_most))
    values = condition.one_of if condition.one_of is not None else (condition.eq,)
    known = [_word("yes" if v else "no", lang) if isinstance(v, bool) else str(v) for v in values]
    return _word("fact_among", lang, fact=label, values=_word("any_of", lang).join(known))
