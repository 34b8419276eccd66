"""A region of changed verdicts in words: who, what, when, where, under which facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import get_args

from normwright.charter.amending.frames import jurisdictions, times
from normwright.charter.telling import act_in, in_line
from normwright.charter.wording import say, spoken
from normwright.records import (
    Actor,
    ChangedRegion,
    Channel,
    Charter,
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


def _languages(charter: Charter) -> tuple[str, ...]:
    known = spoken()
    return tuple(lang for lang in charter.languages if lang in known)


class _Teller:
    """Says regions in one language."""

    def __init__(self, lang: str, before: Charter, after: Charter) -> None:
        self._lang = lang
        self._charters = before, after
        # A norm of the earlier charter may be about what the later vocabulary has no more.
        acts = {act.name: act for charter in self._charters for act in charter.vocabulary.acts}
        facts = {one.name: one for charter in self._charters for one in charter.vocabulary.facts}
        self._vocabulary = Vocabulary(acts=tuple(acts.values()), facts=tuple(facts.values()))

    def region(self, region: ChangedRegion) -> str:
        """Return the sentence on one region."""
        first = self._say(
            f"diff_{region.effect}",
            acts=self._acts(region.acts),
            before=self._say(f"verdict_{region.before.verdict}"),
            after=self._say(f"verdict_{region.after.verdict}"),
        )
        return " ".join([first, *self._limits(region)])

    def _limits(self, region: ChangedRegion) -> Iterable[str]:
        facts = in_line(region.condition, self._vocabulary, self._lang)
        if facts:
            yield self._say("diff_facts", facts=facts)
        for key, values, every in (
            ("bearer", region.bearers, get_args(Actor)),
            ("counterparty", region.counterparties, (*get_args(Counterparty), None)),
            ("channel", region.channels, get_args(Channel)),
        ):
            if set(values) != set(every):
                words = ", ".join(self._say(f"{key}_{v or 'unsaid'}") for v in values)
                yield self._say(f"diff_{key}", values=words)
        yield from self._where(region)
        yield from self._when(region)
        if region.seen == "feasible":
            others = [a for a in region.situation.feasible if a != "decline"]
            yield self._say("diff_feasible", acts=self._acts(others))
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
        return say(key, (self._lang,), **values)[self._lang]

    def _acts(self, acts: Iterable[str]) -> str:
        return ", ".join(act_in(act, self._vocabulary, self._lang) for act in acts)


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
