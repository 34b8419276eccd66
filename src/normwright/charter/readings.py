"""Whether a reading carries a norm by the rule of its tier, and what several readings come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from normwright.charter.tallying import Tallied
from normwright.charter.wording import joined, say
from normwright.records import Norm, Reading, ReadingResult, Text, TierRule

RULES_IN_WORDS = (
    "votes", "people", "votes-decided", "people-decided", "votes-weighted",
    "votes-decided-weighted", "groups", "consensus",
)  # fmt: skip
"""Rules of counting that look at everybody; each has its name in words as `count_...`."""


def objections(found: Tallied, rule: TierRule, languages: Sequence[str]) -> list[Text]:
    """Return every reason, with its numbers, why one reading does not carry a norm.

    Whatever the rule, the whole 95 % interval of the support lies above one half: a majority that
    the people who happened to vote may owe to chance is not shown. What was not computed is not
    shown either, and never assumed.

    Args:
        found: what the norm's electorate said.
        rule: the rule of its tier.
        languages: the languages to say it in.
    """
    if not found.statements:
        return [say("rejected_not_asked", languages)]
    overall = found.support["all"]
    if overall.value is None or overall.interval is None:
        return [say("rejected_no_votes", languages)]
    return [
        *_quorum(found, rule, languages),
        *_share(found, rule, languages),
        *_groups(found, rule, languages),
        *_robust(found, rule, languages),
    ]


def result_of(
    found: Tallied, rule: TierRule, reading: Reading, languages: Sequence[str]
) -> ReadingResult:
    """Return what one reading said about a norm, and whether it carried it."""
    against = objections(found, rule, languages)
    return ReadingResult(
        held_on=reading.held_on,
        process=reading.process.id,
        statements=found.statements,
        people=found.people,
        support=found.support,
        kept={} if found.robust is None else found.robust.kept,
        tally=found.tally,
        carried=not against,
        against=tuple(against),
    )


def _quorum(found: Tallied, rule: TierRule, languages: Sequence[str]) -> Iterator[Text]:
    if rule.quorum is not None and found.people < rule.quorum:
        yield say("rejected_quorum", languages, people=found.people, quorum=rule.quorum)


def _share(found: Tallied, rule: TierRule, languages: Sequence[str]) -> Iterator[Text]:
    overall = found.support["all"]
    assert overall.value is not None
    assert overall.interval is not None
    values = {"share": overall.value, "n": overall.n, "low": overall.interval.low}
    if rule.share > 0.5 and overall.value < rule.share:
        yield say("rejected_share", languages, **values, needed=float(rule.share))
    elif overall.interval.low <= 0.5:
        key = "rejected_unsure" if rule.share > 0.5 else "rejected_majority"
        yield say(key, languages, **values)


def _groups(found: Tallied, rule: TierRule, languages: Sequence[str]) -> Iterator[Text]:
    if rule.group_share is None:
        return
    needed = {"needed": float(rule.group_share), "size": float(rule.group_size)}
    for group in large_groups(found.shares, rule):
        share = found.support[group]
        if share.value is None:
            yield say("rejected_group_silent", languages, group=group, **needed)
        elif share.value < rule.group_share:
            yield say("rejected_group", languages, group=group, share=share.value, n=share.n,
                      **needed)  # fmt: skip


def large_groups(shares: Mapping[str, float], rule: TierRule) -> list[str]:
    """Return the opinion groups that are large enough to be asked, sorted."""
    return sorted(group for group, size in shares.items() if size >= rule.group_size)


def _robust(found: Tallied, rule: TierRule, languages: Sequence[str]) -> Iterator[Text]:
    if not rule.robust_core:
        return
    core = found.robust
    if core is None:
        yield say("rejected_core_unknown", languages)
        return
    asked = large_groups(found.shares, rule) if rule.group_share is not None else []
    missing = [g for g in asked if f"group:{g}" not in core.kept]
    if missing or "votes" not in core.kept:
        yield say("rejected_core_unknown", languages)
        return
    lacking = dict(_lacking(core.kept, rule, asked, languages))
    if lacking:
        yield say(
            "rejected_core", languages, held=float(core.held), rounds=core.rounds,
            rules=joined(list(lacking.values()), languages),
        )  # fmt: skip


def _lacking(
    kept: Mapping[str, float | None], rule: TierRule, groups: Sequence[str],
    languages: Sequence[str],
) -> Iterator[tuple[str, Text]]:  # fmt: skip
    """Rules of counting that do not say yes in nearly every resample, in words with numbers."""
    needed = {name: rule.share for name in RULES_IN_WORDS if name in kept}
    needed |= {f"group:{g}": rule.group_share or 0.5 for g in groups}
    for name, share in needed.items():
        reached = kept[name]
        # Exactly one half is no majority; any other share is enough if it is reached.
        holds = reached is not None and (reached > share if share == 0.5 else reached >= share)
        if name.startswith("group:"):
            holds = reached is not None and reached >= share
        if holds:
            continue
        group = name.partition(":")[2]
        counting = say("count_group" if group else f"count_{name}", languages, group=group)
        if reached is None:
            yield name, say("count_silent", languages, counting=counting)
        else:
            key = "count_half" if share == 0.5 and not group else "count_short"
            yield name, say(key, languages, counting=counting, share=reached, needed=float(share))


@dataclass(frozen=True)
class Standing:
    """What the readings of one norm come to."""

    state: Literal["carried", "proposed", "rejected"]
    counted: tuple[ReadingResult, ...] = ()
    """Readings that carried it, one after the other and far enough apart."""
    awaits: date | None = None
    """The first day of the next reading, if one is missing."""


def standing_of(results: Sequence[ReadingResult], rule: TierRule) -> Standing:
    """Return whether the readings carry a norm, leave it proposed or reject it.

    Support is stable if the last readings, as many as the rule asks for, all carried the norm, each
    at least `days_between` after the one before. A reading that did not carry it begins the count
    anew; one that was held too early counts for nothing by itself.
    """
    counted: list[ReadingResult] = []
    for one in sorted(results, key=lambda r: r.held_on):
        if not one.carried:
            counted = []
        elif not counted or (one.held_on - counted[-1].held_on).days >= rule.days_between:
            counted.append(one)
    if not counted:
        return Standing("rejected")
    if len(counted) >= rule.readings:
        return Standing("carried", tuple(counted))
    gap = max(1, rule.days_between)
    return Standing("proposed", tuple(counted), counted[-1].held_on + timedelta(days=gap))


def awaited(standing: Standing, rule: TierRule, languages: Sequence[str]) -> Text:
    """Return what a proposed norm waits for, in words."""
    assert standing.awaits is not None
    return say(
        "proposed_reading", languages, held=len(standing.counted), needed=rule.readings,
        day=standing.awaits.isoformat(), last=standing.counted[-1].held_on.isoformat(),
    )  # fmt: skip


def why_not(
    results: Sequence[ReadingResult], standing: Standing, rule: TierRule, languages: Sequence[str]
) -> Text:
    """Return why a norm does not hold: what speaks against it in the last reading, or its wait."""
    if standing.state == "proposed":
        return awaited(standing, rule, languages)
    return joined(results[-1].against, languages, by=" ")


def on_its_source(norm: Norm) -> bool:
    """Whether a norm is adopted on its source rather than on votes.

    What binds everyone needs an instrument for that: a document, or the wish of a project, would be
    a floor that nobody decided. A person's own style binds nobody, and stands on whatever it has.
    """
    kinds = {source.kind for source in norm.source if source.ref.strip()}
    binding = norm.layer == "global" and "instrument" in kinds
    style = norm.layer == "individual" and norm.kind == "ideal" and bool(kinds)
    return binding or style


def rule_in_words(rule: TierRule, found: Tallied, languages: Sequence[str]) -> Text:
    """Return the rule of a tier in words, saying also where it had no groups to ask."""
    parts = [say("rule_majority", languages) if rule.share == 0.5
             else say("rule_share", languages, share=float(rule.share))]  # fmt: skip
    if rule.group_share is not None:
        key = "rule_groups" if found.shares else "rule_no_groups"
        parts.append(say(key, languages, share=float(rule.group_share),
                         size=float(rule.group_size)))  # fmt: skip
    if rule.robust_core:
        parts.append(say("rule_core", languages))
    if rule.quorum is not None:
        parts.append(say("rule_quorum", languages, quorum=rule.quorum))
    if rule.readings > 1:
        parts.append(say("rule_readings", languages, readings=rule.readings,
                         days=rule.days_between))  # fmt: skip
    return joined(parts, languages)
