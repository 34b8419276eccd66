"""From the records of a project to the request for a permit: nothing that is unknown is guessed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Literal, get_args

from normwright.norms import Acts, implies
from normwright.norms.ranking import PERMISSIVE, exceeds_powers
from normwright.norms.resolver import HOLDING
from normwright.records import (
    Charter,
    ConsentState,
    Digest,
    FloorBreach,
    GroupShare,
    Lang,
    MinorityRule,
    Norm,
    NormStanding,
    Outcome,
    PairTrace,
    PermitDomain,
    PermitRequest,
    PermitSubject,
    Polity,
    Process,
    Scale,
    ScaleUse,
    Statement,
    Tier,
)


def gather(
    charter: Charter,
    *,
    process: Process,
    polities: Sequence[Polity],
    outcomes: Sequence[Outcome],
    statements: Sequence[Statement],
    subject: PermitSubject,
    authorities: Sequence[str] | None = None,
    languages: Sequence[Lang] | None = None,
    acts: Sequence[str] | None = None,
    floors: Collection[str] | None = None,
    withdrawn: int | None = None,
    resting: int | None = None,
    newest: date | None = None,
    scales: Sequence[ScaleUse] | None = None,
    pairs: PairTrace | None = None,
    derived_from: Sequence[Digest] = (),
) -> PermitRequest:
    """Return the request for training a model on a charter.

    Args:
        charter: what it is to be trained on; its norms, its vocabulary and its conflicts count.
        process: who took part, and what they agreed to.
        polities: the electorates that were asked.
        outcomes: what their ballots say; opinion groups come from them.
        statements: what was put to people.
        subject: which model, by which learner, for which deployment.
        authorities: polities and organisations that the deployment lies under.
        languages: languages of the deployment.
        acts: acts that the deployment declares; None where it declares none.
        floors: ids of the global floors that are in force in the domain. What the charter itself
            holds is no measure of what it lacks, so they come from elsewhere.
        withdrawn: how many participants withdrew.
        resting: how many present results still rest on their rows.
        newest: the day of the latest vote.
        scales: the rules that read people's answers.
        pairs: the preference pairs that are to be learned from.
        derived_from: digests of the records it was gathered from.
    """
    known = {polity.id: polity.layer for polity in polities}
    sizes = _sizes(outcomes)
    norms = tuple(
        _standing(norm, charter, statements, sizes)
        for norm in charter.norms
        if norm.kind != "constitutive"
    )
    return PermitRequest(
        charter=charter.digest,
        languages=charter.languages,
        process_kind=process.kind,
        subject=subject,
        domain=PermitDomain(
            authorities=None if authorities is None else tuple(authorities),
            languages=None if languages is None else tuple(languages),
            acts=None if acts is None else _spoken(acts, charter),
            open_world=charter.open_world,
        ),
        electorates=known,
        norms=norms,
        consent=ConsentState(
            given=process.consent,
            participants=_participants(outcomes),
            withdrawn=withdrawn,
            resting=resting,
        ),
        floors=None if floors is None else tuple(sorted(floors)),
        breaches=_breaches(charter),
        minorities=MinorityRule(
            share=charter.amendment.constitutional.group_share,
            size=charter.amendment.constitutional.group_size,
        ),
        newest=newest,
        quorum=_quorum(charter),
        scales=None if scales is None else tuple(scales),
        pairs=pairs,
        derived_from=tuple(derived_from),
    )


def scale_of(takes: str) -> Scale | None:
    """Return what a card says that its part needs; None where it says nothing or something else."""
    return next((one for one in get_args(Scale) if one == takes), None)


def floors_of(norms: Sequence[Norm]) -> tuple[str, ...]:
    """Return the ids of the global floors among norms that are in force, or are to be.

    A floor binds: permissions and ideals are none, and neither is what was repealed. One that is
    suspended is still asked for: a word in a file must not be enough to train without it.
    """
    return tuple(
        sorted(
            norm.id
            for norm in norms
            if norm.layer == "global"
            and norm.tier == "constitutional"
            and norm.kind in ("prohibition", "obligation", "guarantee")
            and norm.status in ("draft", "proposed", "in_force", "demonstration", "suspended")
            and norm.source
        )
    )


def _standing(
    norm: Norm,
    charter: Charter,
    statements: Sequence[Statement],
    sizes: Mapping[str, float],
) -> NormStanding:
    made = norm.provenance
    basis = _basis(norm)
    voted = made is not None and made.method != "source"
    support = None if made is None else made.support.get("all")
    return NormStanding(
        ref=norm.ref,
        kind=norm.kind,
        layer=norm.layer,
        authority=norm.authority,
        tier=norm.tier,
        status=norm.status,
        act=norm.act,
        intention=all(norm.rationale.get(lang, "").strip() for lang in charter.languages),
        statements=sum(_about(one, norm) for one in statements),
        sources=len(norm.source),
        basis=basis,
        voters=None if support is None else support.n,
        level=made.decision_level if made is not None and voted else None,
        languages=tuple(lang for lang, text in norm.statement.items() if text.strip()),
        valid_from=norm.valid_from,
        valid_to=norm.valid_to,
        review_by=norm.review_by,
        decided_on=None if made is None else made.ratified_at,
        groups=None
        if made is None
        else tuple(
            GroupShare(group=group, size=sizes.get(group), share=found.value)
            for group, found in sorted(made.support.items())
            if group != "all"
        ),
    )


def _basis(norm: Norm) -> Literal["votes", "source"] | None:
    """What a norm was adopted on; None where nothing says so."""
    if norm.provenance is not None:
        return "source" if norm.provenance.method == "source" else "votes"
    return "source" if norm.source else None


def _about(statement: Statement, norm: Norm) -> bool:
    return statement.norm == norm.id and (statement.layer, statement.authority) == (
        norm.layer,
        norm.authority,
    )


def _sizes(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The share of the participants in each opinion group, the larger where a name stands twice."""
    sizes: dict[str, float] = {}
    for outcome in outcomes:
        for group in outcome.grouping.groups:
            if outcome.participants:
                share = min(1.0, group.size / outcome.participants)
                sizes[group.id] = max(share, sizes.get(group.id, 0.0))
    return sizes


def _participants(outcomes: Sequence[Outcome]) -> int | None:
    return max((outcome.participants for outcome in outcomes), default=None)


def _spoken(acts: Sequence[str], charter: Charter) -> dict[str, bool | None]:
    """Which declared acts a norm speaks about, by itself or for all acts of its kind."""
    known = Acts(charter.vocabulary)
    named = {one.name for one in charter.vocabulary.acts}
    spoken = {norm.act for norm in charter.norms if norm.status in HOLDING}
    return {
        act: bool(spoken & set(known.above(act))) if act in named else False
        for act in sorted(set(acts))
    }


def _breaches(charter: Charter) -> tuple[FloorBreach, ...]:
    """Norms that take from a floor: by an express repeal, or by allowing all that it forbids.

    One that overlaps with a floor only in part is narrowed by it, which is no breach.
    """
    acts, facts = Acts(charter.vocabulary), charter.vocabulary.facts
    living = [norm for norm in charter.norms if norm.status in HOLDING]
    floors = [norm for norm in living if norm.layer == "global"]
    found = {
        FloorBreach(norm=norm.ref, floor=floor.ref, rule="repeal")
        for norm in living
        for floor in floors
        if exceeds_powers(norm, floor)
    }
    found |= {
        FloorBreach(norm=norm.ref, floor=floor.ref, rule="contradiction")
        for norm in living
        for floor in floors
        if _against(norm, floor, acts) and implies(norm.condition, floor.condition, facts) is True
    }
    return tuple(sorted(found, key=lambda one: (one.norm, one.floor, one.rule)))


def _against(norm: Norm, floor: Norm, acts: Acts) -> bool:
    """Whether a weaker norm allows or demands what a floor forbids, wherever it speaks at all."""
    opposed = norm.kind in PERMISSIVE | {"obligation"} and floor.kind == "prohibition"
    weaker = norm.layer not in ("global", *floor.overridable_by)
    return opposed and weaker and acts.covers(floor.act, norm.act)


def _quorum(charter: Charter) -> dict[Tier, int]:
    rules: dict[Tier, int | None] = {
        "constitutional": charter.amendment.constitutional.quorum,
        "revisable": charter.amendment.revisable.quorum,
    }
    return {tier: least for tier, least in rules.items() if least is not None}
