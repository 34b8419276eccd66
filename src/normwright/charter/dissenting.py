"""The minority report: who is against a norm, and what else sets them apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from normwright.charter.readings import objections
from normwright.charter.tallying import (
    LEAST,
    Asked,
    asked_of,
    outside,
    overall,
    recognisable,
    tallied,
    within,
)
from normwright.charter.wording import joined, say
from normwright.records import (
    Amendment,
    Dissent,
    Estimate,
    GroupDissent,
    Marked,
    Norm,
    Outcome,
    Reading,
    Statement,
    Support,
    Text,
)

MARKS = 3
"""Statements that are told, at most."""


def dissent(
    norm: Norm,
    outcome: Outcome,
    statements: Sequence[Statement],
    *,
    carried: bool,
    languages: Sequence[str],
) -> Dissent | None:
    """Return who is against a norm, or None if nobody voted on it.

    An opinion group in which fewer than ten people voted is left out; so is the next smallest where
    only one was, because it could be worked out from the total. The group that is most against the
    norm is told with the other statements on which it differs most from everybody else. Both are
    told only where the interval of the difference leaves out zero.

    Args:
        norm: the norm.
        outcome: what its electorate said.
        statements: what was voted on.
        carried: whether the vote carried it.
        languages: the languages of the sentences.
    """
    about = sorted((s for s in statements if s.norm == norm.id), key=lambda s: s.id)
    asked = asked_of(outcome, about)
    against = overall(asked, "against")
    if against.value is None:
        return None
    passed = overall(asked, "passed")
    groups = _by_group(asked, [g.id for g in outcome.grouping.groups])
    loudest = _loudest(groups, asked)
    own = {s.id for s, _ in asked}
    marks = (
        () if loudest is None
        else tuple(_marks(outcome, loudest, [s for s in statements if s.id not in own]))
    )  # fmt: skip
    return Dissent(
        norm=norm.ref,
        carried=carried,
        tally=outcome.digest,
        against=against,
        passed=passed,
        groups=groups,
        loudest=loudest,
        marks=marks,
        words=_in_words(against, passed, groups, loudest, marks, languages),
        derived_from=(outcome.digest,),
    )


def electorate(reading: Reading, layer: str, authority: str) -> Outcome | None:
    """Return what one electorate said in a reading, or None if it was not asked."""
    return next((o for o in reading.outcomes if (o.layer, o.authority) == (layer, authority)), None)


def dissent_in(
    norm: Norm, reading: Reading, rules: Amendment, languages: Sequence[str]
) -> Dissent | None:
    """Return the minority report of one reading on a norm, or None if nobody voted on it."""
    outcome = electorate(reading, norm.layer, norm.authority)
    if outcome is None:
        return None
    about = sorted((s for s in reading.statements if s.norm == norm.id), key=lambda s: s.id)
    against = objections(tallied(about, outcome, norm=norm.id), getattr(rules, norm.tier), ())
    return dissent(norm, outcome, reading.statements, carried=not against, languages=languages)


def _by_group(asked: Asked, groups: Sequence[str]) -> tuple[GroupDissent, ...]:
    found = {group: within(asked, group, "against") for group in groups}
    hidden = recognisable(found)
    return tuple(
        GroupDissent(
            group=group,
            against=None if group in hidden else found[group],
            suppressed=group in hidden,
        )
        for group in sorted(groups)
    )


def _loudest(groups: Iterable[GroupDissent], asked: Asked) -> str | None:
    """The group most against it, of those shown to be more so than everybody outside them."""
    from normwright.stats import share_difference

    louder = []
    for one in groups:
        if one.against is None or one.against.value is None:
            continue
        gap = share_difference(outside(asked, one.group, "against"), one.against)
        if gap.interval is not None and gap.interval.low > 0:
            louder.append((-one.against.value, one.group))
    return min(louder)[1] if louder else None


def _marks(outcome: Outcome, group: str, statements: Sequence[Statement]) -> list[Marked]:
    texts = {s.id: s.text for s in statements}
    found = [
        (distance, mark)
        for support in outcome.support
        if support.statement in texts
        for distance, mark in _mark(support, group, texts[support.statement])
    ]
    found.sort(key=lambda pair: (-pair[0], pair[1].statement))
    return [mark for _, mark in found[:MARKS]]


def _mark(support: Support, group: str, text: Text) -> Iterable[tuple[float, Marked]]:
    from normwright.stats import proportion, share_difference

    mine = support.groups.get(group)
    if mine is None or mine.value is None:
        return
    others_n = support.seen - mine.n
    if mine.n < LEAST or others_n < LEAST:
        return
    others = proportion(support.agree - round(mine.value * mine.n), others_n)
    gap = share_difference(others, mine)
    assert gap.value is not None
    assert gap.interval is not None
    distance = max(gap.interval.low, -gap.interval.high)
    if distance > 0:
        yield distance, Marked(statement=support.statement, text=text, agreed=gap.value > 0,
                               within=mine, others=others)  # fmt: skip


def _in_words(
    against: Estimate,
    passed: Estimate,
    groups: Sequence[GroupDissent],
    loudest: str | None,
    marks: Sequence[Marked],
    languages: Sequence[str],
) -> Text:
    assert against.value is not None
    assert passed.value is not None
    parts = [say("dissent_votes", languages, share=against.value, n=against.n,
                 passed=passed.value)]  # fmt: skip
    shares = {g.group: g.against for g in groups}
    if not groups:
        parts.append(say("dissent_no_groups", languages))
    elif loudest is None:
        parts.append(say("dissent_even", languages))
    else:
        share = shares[loudest]
        assert share is not None
        assert share.value is not None
        parts.append(say("dissent_loudest", languages, group=loudest, share=share.value,
                         n=share.n))  # fmt: skip
    if any(g.suppressed for g in groups):
        parts.append(say("dissent_hidden", languages, least=LEAST))
    if marks:
        told = joined([_told(mark, languages) for mark in marks], languages)
        parts.append(say("dissent_marks", languages, marks=told))
    return joined(parts, languages, by=" ")


def _told(mark: Marked, languages: Sequence[str]) -> Text:
    assert mark.within.value is not None
    assert mark.others.value is not None
    return say(
        "mark_agreed" if mark.agreed else "mark_disagreed", languages,
        text=mark.text, within=mark.within.value, others=mark.others.value,
    )  # fmt: skip


def minority_report(
    dissents: Sequence[Dissent], norms: Sequence[Norm], lang: str, *, title: str = ""
) -> str:
    """Return the minority report of a charter as Markdown, in one language.

    Args:
        dissents: one a norm.
        norms: the norms they are about, for their words.
        lang: the language; there must be words in it.
        title: what the charter is called.

    Raises:
        InputError: if the language has no words.
    """

    def word(key: str) -> str:
        return say(key, [lang])[lang]

    said = {norm.ref: norm.statement for norm in norms}
    lines = [f"# {word('report_title')}" + (f": {title}" if title else ""), ""]
    lines += [word("report_intro") if dissents else word("report_none"), ""]
    for one in sorted(dissents, key=lambda d: d.norm):
        state = word("report_carried" if one.carried else "report_not_carried")
        text = said.get(one.norm, {})
        lines += [f"## `{one.norm}` ({state})", ""]
        if text:
            lines += [f"> {_plain(text.get(lang) or next(iter(text.values())))}", ""]
        lines += [_plain(one.words.get(lang) or next(iter(one.words.values()))), ""]
        lines += [*_table(one, lang), ""]
    return "\n".join(lines).rstrip() + "\n"


def _plain(text: str) -> str:
    """One line, with nothing in it that Markdown or HTML would read as its own."""
    flat = " ".join(text.split())
    for sign in "\\`*_[]<>|#":
        flat = flat.replace(sign, f"\\{sign}")
    return flat


def _table(one: Dissent, lang: str) -> list[str]:
    head = [say(f"report_{key}", [lang])[lang] for key in ("group", "against", "people")]
    rows: list[tuple[str, Estimate | None]] = [(say("report_everyone", [lang])[lang], one.against)]
    rows += [(g.group, g.against) for g in one.groups]
    hidden = say("report_hidden", [lang])[lang]
    return [
        f"| {' | '.join(head)} |",
        "|---|---|---|",
        *(f"| {name} | {_cell(share, lang) or hidden} | {share.n if share else ''} |"
          for name, share in rows),
    ]  # fmt: skip


def _cell(share: Estimate | None, lang: str) -> str:
    if share is None or share.value is None or share.interval is None:
        return ""
    low, high = share.interval.low, share.interval.high
    return say("report_cell", [lang], share=share.value, low=low, high=high)[lang]
