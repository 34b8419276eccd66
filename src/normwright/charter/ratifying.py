"""From drafts to a charter: which norms people ratified, by a rule that is written down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from normwright.charter.cases import LIVING, without_moot_cases
from normwright.charter.checking import adoption_faults
from normwright.charter.conflicts import conflicts
from normwright.charter.drafting import Draft, draft
from normwright.charter.invariants import check
from normwright.charter.reading import CharterSource
from normwright.charter.wording import say, unspoken
from normwright.norms.ranking import rank
from normwright.records import (
    Charter,
    DecisionLevel,
    Fault,
    Identification,
    InputError,
    MadeBy,
    Norm,
    Outcome,
    Process,
    Provenance,
    RejectedNorm,
    Statement,
    Text,
)

SUPERMAJORITY = 2 / 3
"""Share of all that a constitutional norm needs."""

GROUP_FLOOR = 0.08
"""Opinion groups from this share of the participants on must each give at least one half."""

LEVEL_CAP: dict[Identification, DecisionLevel] = {
    "open": "L1",
    "invite": "L2",
    "roster": "L3",
    "oidc": "L3",
}
"""The strongest decision a process of people may take, by how participants were identified (I13).

Whoever cannot say who voted cannot say that nobody voted twice."""


def ratify(
    source: CharterSource,
    outcomes: Sequence[Outcome],
    *,
    process: Process,
    statements: Sequence[Statement],
    charter_id: str,
    languages: Sequence[str],
    on: date,
) -> Charter:
    """Return the charter of the norms that hold, with those that people did not ratify and why.

    - A global norm with a source is adopted on it, in force, whatever the votes; they are kept as
      information. So is an individual ideal: it binds nobody, and nobody votes on another's style.
    - Any other constitutional norm needs two thirds of all with the whole 95 % interval above one
      half, and at least one half in every opinion group of 8 % or more.
    - Any other revisable norm needs the whole 95 % interval above one half.

    Ratified by simulated participants, a norm is a demonstration of level L0; by people, it is in
    force at the level that their identification allows. A norm that is suspended, repealed or
    expired stays so and is not put to the vote.

    Args:
        source: the drafted norms.
        outcomes: what each polity's ballots say.
        process: who took part; outcomes of another process are refused.
        statements: what was voted on.
        charter_id: slug of the charter.
        languages: languages of the charter, in the order they are shown.
        on: the day of ratification.

    Raises:
        InputError: if outcomes do not belong to the process, a statement asks the wrong electorate,
            or the charter breaks an invariant, for instance a lower layer repealing a floor.
    """
    faults = [*_foreign(outcomes, process), *unspoken(languages), *adoption_faults(source)]
    if faults:
        raise InputError(faults)
    adopted: list[Norm] = []
    rejected: list[RejectedNorm] = []
    for one in draft(source, outcomes, statements):
        reasons = _against(one, languages)
        if reasons is None:
            adopted.append(_adopted(one, process, languages, on))
        else:
            rejected.append(_rejected(one, reasons))
    standing = without_moot_cases(adopted, source.norms, source.vocabulary)
    standing.sort(key=lambda n: (rank(n), n.id, n.version))
    charter = Charter(
        id=charter_id,
        version=1,
        languages=tuple(languages),
        vocabulary=source.vocabulary,
        norms=tuple(standing),
        rejected=tuple(sorted(rejected, key=lambda r: r.norm)),
        conflicts=conflicts([n for n in standing if n.status in LIVING], source.vocabulary),
        zones=source.head.zones,
        open_world=source.head.open_world,
        amendment=source.head.amendment,
        title=source.head.title,
        contest=source.head.contest,
        notice=source.head.notice,
        process=process.id,
        kind=process.kind,
        derived_from=tuple(sorted(o.digest for o in outcomes)),
        made_by=MadeBy(
            stage="charter",
            parameters={
                "on": on.isoformat(),
                "supermajority": SUPERMAJORITY,
                "group_floor": GROUP_FLOOR,
            },
        ),
    )
    breaches = check(charter)
    if breaches:
        raise InputError(breaches)
    return charter


def on_its_source(norm: Norm) -> bool:
    """Whether a norm is adopted on its source rather than on votes."""
    binding = norm.layer == "global"
    style = norm.layer == "individual" and norm.kind == "ideal"
    return bool(norm.source) and (binding or style)


def _foreign(outcomes: Sequence[Outcome], process: Process) -> list[Fault]:
    return [
        Fault(where=f"outcome {o.layer}/{o.authority}",
              expected=f"process {process.id}, {process.kind}", seen=f"{o.process}, {o.kind}",
              do="No charter mixes processes, or people with simulated ones.")
        for o in outcomes
        if (o.process, o.kind) != (process.id, process.kind)
    ]  # fmt: skip


def _against(one: Draft, languages: Sequence[str]) -> Text | None:
    """Why a norm is not ratified, in every language, or None if it is."""
    norm = one.norm
    if norm.status not in LIVING or on_its_source(norm):
        return None
    if not one.statements:
        return say("rejected_not_asked", languages)
    overall = one.support["all"]
    if overall.value is None or overall.interval is None:
        return say("rejected_no_votes", languages)
    constitutional = norm.tier == "constitutional"
    values = {"share": overall.value, "n": overall.n, "low": overall.interval.low}
    if constitutional and overall.value < SUPERMAJORITY:
        return say("rejected_supermajority", languages, **values)
    if overall.interval.low <= 0.5:
        key = "rejected_unsure" if constitutional else "rejected_majority"
        return say(key, languages, **values)
    return _group_against(one, languages) if constitutional else None


def _group_against(one: Draft, languages: Sequence[str]) -> Text | None:
    for group, size in sorted(one.shares.items()):
        if size < GROUP_FLOOR:
            continue
        share = one.support[group]
        if share.value is None:
            return say("rejected_group_silent", languages, group=group)
        if share.value < 0.5:
            return say("rejected_group", languages, group=group, share=share.value, n=share.n)
    return None


def _rejected(one: Draft, reasons: Text) -> RejectedNorm:
    return RejectedNorm(
        norm=one.norm.ref,
        reason=next(iter(reasons.values())),
        support=one.support,
        reasons=reasons,
    )


def _adopted(one: Draft, process: Process, languages: Sequence[str], on: date) -> Norm:
    norm = one.norm
    if norm.status not in LIVING:
        return norm
    from_source = on_its_source(norm)
    method = _method(one, from_source)
    simulated = process.kind == "simulated"
    proof = None
    if one.tally is not None:
        level: DecisionLevel = "L0"
        if not simulated and not from_source:
            level = LEVEL_CAP[process.identification]
        proof = Provenance(
            process=process.id,
            process_kind=process.kind,
            tally=one.tally,
            method=method,
            support=one.support,
            decision_level=level,
            ratified_at=on,
            rule=_rule(one, method, languages),
        )
    return norm.model_copy(
        update={
            "provenance": proof,
            "status": "demonstration" if simulated and not from_source else "in_force",
            "derived_from": (norm.digest,),
        }
    )


def _method(one: Draft, from_source: bool) -> str:
    if from_source:
        return "source"
    constitutional = one.norm.tier == "constitutional"
    return "group-aware-supermajority" if constitutional else "majority"


def _rule(one: Draft, method: str, languages: Sequence[str]) -> str:
    key = {"source": "rule_source", "majority": "rule_majority"}.get(method, "rule_supermajority")
    if key == "rule_supermajority" and not one.shares:
        key = "rule_supermajority_no_groups"
    return next(iter(say(key, languages).values()))
