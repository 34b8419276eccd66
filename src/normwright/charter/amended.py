"""What an amended charter owes to the one before it: nothing that holds vanishes in silence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from normwright.charter.dissenting import electorate
from normwright.charter.drafting import AMENDMENT
from normwright.charter.reading import CharterSource
from normwright.charter.readings import on_its_source, result_of, standing_of, why_not
from normwright.charter.tallying import tallied
from normwright.norms.ranking import exceeds_powers
from normwright.norms.resolver import HOLDING
from normwright.records import Charter, Fault, Norm, Reading, Statement, TierRule


def parent_faults(source: CharterSource, parent: Charter | None) -> list[Fault]:
    """Return what the norms of a source do to those of the charter before without saying so.

    A norm that holds stays, word for word, or is set to repealed, expired or suspended, or is
    expressly superseded by a norm with the power to do so. The same id and version with another
    content is a fault: versions are never changed, they are raised. Whether people voted a norm
    out is asked by `repeal_faults`.
    """
    if parent is None:
        return []
    faults = []
    if source.head.parent not in (None, parent.digest):
        faults.append(Fault(where="charter.yaml: parent", expected=parent.digest,
                            seen=str(source.head.parent)))  # fmt: skip
    here = {norm.ref: norm for norm in source.norms}
    for before in parent.norms:
        if before.status not in HOLDING:
            continue
        after = here.get(before.ref)
        if after is None:
            faults += _vanished(before, source)
        elif not _same(before, after) and after.status in (*HOLDING, "draft", "proposed"):
            faults.append(Fault(
                where=source.where(after.ref), expected=f"{before.ref} as it was ratified",
                seen="another content under the same version",
                do=f"Raise the version, and write supersedes: [{before.ref}].",
            ))  # fmt: skip
    return faults


def _vanished(before: Norm, source: CharterSource) -> list[Fault]:
    heirs = [n for n in source.norms if before.ref in n.supersedes or before.id in n.supersedes]
    if not heirs:
        return [Fault(
            where=before.ref, expected="a norm that supersedes it, or the norm itself",
            seen="it holds in the charter before and is gone",
            do=f"No silent repeal: write supersedes: [{before.ref}], or status: repealed.",
        )]  # fmt: skip
    return [
        Fault(where=f"{source.where(n.ref)}: supersedes", expected="a norm it may supersede",
              seen=f"{before.ref} of {before.authority} (ULTRA_VIRES)",
              do=f"Only {before.authority} can change it; a lower layer may be stricter.")
        for n in heirs if exceeds_powers(n, before)
    ]  # fmt: skip


def carried_over(source: CharterSource, parent: Charter | None) -> dict[str, Norm]:
    """Return the norms that the charter before holds and the source has unchanged, by reference."""
    if parent is None:
        return {}
    here = {norm.ref: norm for norm in source.norms}
    return {
        before.ref: before
        for before in parent.norms
        if before.status in HOLDING and before.ref in here and _same(before, here[before.ref])
    }


def with_unreplaced(
    adopted: Sequence[Norm], source: CharterSource, parent: Charter | None
) -> list[Norm]:
    """Return adopted norms with those of the charter before that nothing adopted replaces.

    A norm that was to be superseded holds on where people did not ratify what supersedes it.
    """
    if parent is None:
        return list(adopted)
    heirs = {ref for norm in source.norms for ref in norm.supersedes}
    replaced = {ref for norm in adopted if norm.status in HOLDING for ref in norm.supersedes}
    here = {norm.ref for norm in adopted if norm.status in HOLDING}
    missed = {
        before.ref: before
        for before in parent.norms
        if before.status in HOLDING
        and before.ref not in here
        and {before.id, before.ref} & heirs
        and not {before.id, before.ref} & replaced
    }
    return [*(norm for norm in adopted if norm.ref not in missed), *missed.values()]


def _same(before: Norm, after: Norm) -> bool:
    """Whether a norm of a charter is the ratified form of a drafted one."""
    return after.digest == before.digest or after.digest in before.derived_from


def amendment_faults(
    source: CharterSource, parent: Charter, readings: Sequence[Reading], languages: Sequence[str]
) -> list[Fault]:
    """Return a fault unless every electorate asked carried new rules of amendment by the old ones.

    These rules are constitutional: whoever could change them by less could change all else.
    """
    if source.head.amendment == parent.amendment:
        return []
    rule = parent.amendment.constitutional
    where = "charter.yaml: amendment"
    asked = {(s.layer, s.authority) for r in readings for s in r.statements if s.norm == AMENDMENT}
    if not asked:
        return [Fault(
            where=where, expected="the rules of the charter before",
            seen="other rules, which nobody was asked about",
            do=f"Put them to the vote: a statement whose norm is {AMENDMENT}.",
        )]  # fmt: skip
    faults = []
    for layer, authority in sorted(asked):
        lost = _lost(AMENDMENT, (layer, authority), rule, readings, languages)
        if lost:
            faults.append(
                Fault(
                    where=f"{where} ({layer}/{authority})",
                    expected="the constitutional rule of the charter before",
                    seen=lost,
                )
            )
    return faults


def repeal_faults(
    source: CharterSource,
    parent: Charter,
    readings: Sequence[Reading],
    languages: Sequence[str],
    on: date,
) -> list[Fault]:
    """Return a fault for each norm that is set aside and that people did not vote out.

    A norm that people ratified is repealed or suspended by those people, by the rule of its tier:
    the votes against it have to carry as those for it had to. One that was adopted on its source
    may be taken off by who put it there, and one whose last day is past expires by itself.
    """
    here = {norm.ref: norm for norm in source.norms}
    heirs = {ref for norm in source.norms for ref in norm.supersedes}
    faults = []
    for before in parent.norms:
        after = here.get(before.ref)
        if before.status not in HOLDING or after is None or on_its_source(before):
            continue
        past = before.valid_to is not None and before.valid_to <= on
        set_aside = after.status in ("repealed", "suspended", "expired")
        if not set_aside or past or {before.id, before.ref} & heirs:
            continue
        rule: TierRule = getattr(parent.amendment, before.tier)
        lost = _lost(before.id, (before.layer, before.authority), rule, readings, languages,
                     opposed=True)  # fmt: skip
        if lost:
            faults.append(Fault(
                where=f"{source.where(after.ref)}: status",
                expected=f"{before.status}, unless people vote it out by the rule of its tier",
                seen=f"{after.status}. {lost}",
            ))  # fmt: skip
    return faults


def _lost(
    about: str,
    asked: tuple[str, str],
    rule: TierRule,
    readings: Sequence[Reading],
    languages: Sequence[str],
    *,
    opposed: bool = False,
) -> str:
    """Why the readings do not carry something in an electorate; empty if they do."""
    results = []
    for one in readings:
        statements = [s for s in one.statements if _asks(s, about, asked)]
        found = tallied(statements, electorate(one, *asked), norm=about, opposed=opposed)
        results.append(result_of(found, rule, one, languages))
    standing = standing_of(results, rule)
    if standing.state == "carried":
        return ""
    return next(iter(why_not(results, standing, rule, languages).values()), "not carried")


def _asks(statement: Statement, about: str, asked: tuple[str, str]) -> bool:
    return statement.norm == about and (statement.layer, statement.authority) == asked
