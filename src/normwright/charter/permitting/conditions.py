"""The conditions of a permit, each a function from a request to what was found.

A condition holds if everything it looks at holds. One thing that is unknown makes it unknown, one
thing that does not hold makes it fail, and everything found is told, not the first alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeAlias

from normwright.norms.resolver import HOLDING
from normwright.records import (
    Layer,
    NormStanding,
    PermitCondition,
    PermitRequest,
    Scale,
    ScaleUse,
)

LONGEST_DAYS = 1096
"""Longest time for which votes count as what people want: three years. Judgement, not law: a norm's
own `review_by` may be sooner, and nothing makes it later."""

WITHDRAWN_LIMIT = 0.2
"""Greatest share of participants who may have withdrawn. Judgement: beyond one in five, those who
are left are no longer those who were asked."""

SERVES: Mapping[Scale, frozenset[Scale]] = {
    "pairs": frozenset({"pairs"}),
    "orders": frozenset({"orders", "pairs"}),
    "approvals": frozenset({"approvals", "grades", "orders", "pairs"}),
    "grades": frozenset({"grades", "approvals", "orders", "pairs"}),
    "worths": frozenset({"worths", "grades", "orders", "pairs"}),
}
"""What answers measure -> what rules may read them. Order alone never gives a grade, an approval or
a worth: there is no telling how far apart two ranks lie, or where liking ends."""


@dataclass(frozen=True)
class Point:
    """One thing that was looked at."""

    holds: bool | None
    """None: unknown."""
    key: str
    """The sentence that tells it."""
    values: Mapping[str, str | int | float] = field(default_factory=dict)


Look: TypeAlias = Callable[[PermitRequest, date], Iterator[Point]]


def _no(key: str, **values: str | int | float) -> Point:
    return Point(False, f"permit_{key}", values)


def _unknown(key: str, **values: str | int | float) -> Point:
    return Point(None, f"permit_{key}_unknown", values)


def _yes(key: str, **values: str | int | float) -> Point:
    return Point(True, f"permit_{key}_holds", values)


def _holding(request: PermitRequest) -> list[NormStanding]:
    return [norm for norm in request.norms or () if norm.status in HOLDING]


def _voted(request: PermitRequest) -> list[NormStanding]:
    """Norms that rest on votes, or may: what is unknown is asked of as if it were so."""
    return [norm for norm in _holding(request) if norm.basis != "source"]


_MIXED = {("people", "simulated"), ("simulated", "human")}
"""What a request says of whose preferences it is about and of its process cannot both be true."""


def subject(request: PermitRequest, on: date) -> Iterator[Point]:
    """Which model is to be aligned, by which learner, for which deployment, and to whose will."""
    told = request.subject
    for name in ("model", "deployment"):
        if not getattr(told, name):
            yield _unknown(f"subject_{name}")
    if not told.learner:
        yield _unknown("subject_learner")
    if not told.channels:
        yield _unknown("subject_channels")
    if request.process_kind is None:
        yield _unknown("subject_process")
    elif (told.preferences_of, request.process_kind) in _MIXED:
        yield _no("subject_mixed")
    match told.preferences_of:
        case None:
            yield _unknown("subject_whose")
        case "machine":
            yield _no("subject_machine")
        case "simulated":
            yield Point(True, "permit_subject_simulated")
        case "people":
            yield _yes("subject")


def authority(request: PermitRequest, on: date) -> Iterator[Point]:
    """Who issues each norm, whether at that layer, and whether that reaches the deployment."""
    if request.norms is None:
        yield _unknown("authority_norms")
        return
    norms = _holding(request)
    if not norms:
        yield _no("authority_none")
        return
    for norm in norms:
        yield from _issued(norm, request)
        yield from _reaches(norm, request)
    for norm in _voted(request):
        if norm.level is None and request.process_kind != "simulated":
            yield _unknown("authority_level", norm=norm.ref)
    yield _yes("authority", n=len(norms))


def _issued(norm: NormStanding, request: PermitRequest) -> Iterator[Point]:
    """Whether an electorate of its layer issues it, or an instrument."""
    if norm.basis == "source":
        if norm.sources is None:
            yield _unknown("authority_source", norm=norm.ref)
        elif norm.sources == 0:
            yield _no("authority_source", norm=norm.ref)
        return
    if request.electorates is None:
        yield _unknown("authority_electorate", norm=norm.ref)
        return
    layer: Layer | None = request.electorates.get(norm.authority)
    if layer is None:
        yield _no("authority_nobody", norm=norm.ref, authority=norm.authority)
    elif layer != norm.layer:
        yield _no("authority_layer", norm=norm.ref, authority=norm.authority,
                  layer=f"@layer_{norm.layer}", other=f"@layer_{layer}")  # fmt: skip


def _reaches(norm: NormStanding, request: PermitRequest) -> Iterator[Point]:
    if norm.layer in ("global", "individual"):
        return
    if request.domain.authorities is None:
        yield _unknown("authority_reach", norm=norm.ref, authority=norm.authority)
    elif norm.authority not in request.domain.authorities:
        yield _no("authority_reach", norm=norm.ref, authority=norm.authority)


def consent(request: PermitRequest, on: date) -> Iterator[Point]:
    """Whether those whose answers are used agreed to training, and still do."""
    if request.process_kind == "simulated":
        yield Point(True, "permit_consent_simulated")
        return
    if request.norms is not None and not _voted(request) and not _judged(request):
        yield Point(True, "permit_consent_source")
        return
    state = request.consent
    if state.resting is None:
        yield _unknown("consent_resting")
    elif state.resting:
        yield _no("consent_resting", n=state.resting)
    yield from _withdrawn(state.withdrawn, state.participants)
    given = state.given
    if given is None:
        yield _unknown("consent")
        return
    match given.basis:
        case None:
            yield _unknown("consent_basis")
        case "instrument" | "law" | "contract" if not given.reference:
            yield _unknown("consent_reference", basis=f"@basis_{given.basis}")
    if given.basis in (None, "participants", "contract"):
        if not given.versions:
            yield _unknown("consent_versions")
        for version in given.versions:
            if version.to_training is None:
                yield _unknown("consent_version", version=version.id)
            elif not version.to_training:
                people = "?" if version.participants is None else version.participants
                yield _no("consent_version", version=version.id, n=people)
    match given.minors:
        case None:
            yield _unknown("consent_minors")
        case "without_guardians":
            yield _no("consent_minors")
    yield _yes("consent", basis=f"@basis_{given.basis or 'participants'}")


def _judged(request: PermitRequest) -> bool:
    return request.pairs is None or request.pairs.judged != 0


def _withdrawn(withdrawn: int | None, left: int | None) -> Iterator[Point]:
    if withdrawn is None or (withdrawn and left is None):
        yield _unknown("consent_withdrawn")
    elif withdrawn and left is not None:
        share = withdrawn / (withdrawn + left)
        if share > WITHDRAWN_LIMIT:
            yield _no("consent_withdrawn", n=withdrawn, share=share, limit=WITHDRAWN_LIMIT)


def floors(request: PermitRequest, on: date) -> Iterator[Point]:
    """Whether every global floor of the domain is there, and no norm takes from one."""
    if request.floors is None or request.norms is None:
        yield _unknown("floors")
    elif not request.floors:
        yield _unknown("floors_none")
    else:
        there = {n.ref.partition("@")[0] for n in _holding(request) if n.layer == "global"}
        for floor in request.floors:
            if floor not in there:
                yield _no("floors_missing", floor=floor)
    if request.breaches is None:
        yield _unknown("floors_breaches")
    for breach in request.breaches or ():
        yield _no(f"floors_{breach.rule}", norm=breach.norm, floor=breach.floor)
    yield _yes("floors", n=len(request.floors or ()))


def minorities(request: PermitRequest, on: date) -> Iterator[Point]:
    """Whether every opinion group that has a veto was heard, and none used it."""
    if request.norms is None or request.minorities is None:
        yield _unknown("minorities")
        return
    least, size = request.minorities.share, request.minorities.size
    if least is None:
        yield Point(True, "permit_minorities_no_veto")
        return
    asked = [norm for norm in _voted(request) if norm.tier == "constitutional"]
    for norm in asked:
        if norm.groups is None:
            yield _unknown("minorities_groups", norm=norm.ref)
        for group in norm.groups or ():
            if group.size is None:
                yield _unknown("minorities_size", norm=norm.ref, group=group.group)
            elif group.size < size:
                continue
            elif group.share is None:
                yield _unknown("minorities_share", norm=norm.ref, group=group.group)
            elif group.share < least:
                yield _no("minorities", norm=norm.ref, group=group.group, share=group.share,
                          least=least)  # fmt: skip
    yield _yes("minorities", n=len(asked))


def freshness(request: PermitRequest, on: date) -> Iterator[Point]:
    """Whether every norm holds on the day, is not overdue for review, and rests on recent votes."""
    if request.norms is None:
        yield _unknown("freshness")
        return
    for norm in _holding(request):
        yield from _in_time(norm, on)
    voted = _voted(request)
    for norm in voted:
        if norm.decided_on is None:
            yield _unknown("freshness_decided", norm=norm.ref)
        elif norm.decided_on > on:
            yield _no("freshness_decided", norm=norm.ref, day=norm.decided_on.isoformat())
    if voted and request.newest is None and request.process_kind != "simulated":
        yield _unknown("freshness_newest")
    if voted and request.newest is not None:
        if request.newest > on:
            yield _no("freshness_early", day=request.newest.isoformat())
        elif on - request.newest > timedelta(days=LONGEST_DAYS):
            yield _no("freshness_old", day=request.newest.isoformat(), days=LONGEST_DAYS)
    yield _yes("freshness", day=on.isoformat())


def _in_time(norm: NormStanding, on: date) -> Iterator[Point]:
    if norm.valid_to is not None and norm.valid_to <= on:
        yield _no("freshness_ended", norm=norm.ref, day=norm.valid_to.isoformat())
    if norm.valid_from is not None and norm.valid_from > on:
        yield _no("freshness_begins", norm=norm.ref, day=norm.valid_from.isoformat())
    if norm.review_by is not None and norm.review_by < on:
        yield _no("freshness_review", norm=norm.ref, day=norm.review_by.isoformat())


def coverage(request: PermitRequest, on: date) -> Iterator[Point]:
    """Whether there is evidence for every norm, act and language of the deployment."""
    if request.norms is None:
        yield _unknown("coverage_norms")
        return
    norms = _holding(request)
    seen = 0
    for norm in norms:
        found = list(_evidence(norm, request))
        seen += not found
        yield from found
    yield from _languages(norms, request)
    yield from _acts(request)
    yield _yes("coverage", seen=seen, n=len(norms))


def _evidence(norm: NormStanding, request: PermitRequest) -> Iterator[Point]:
    if norm.basis is None:
        yield _unknown("coverage_basis", norm=norm.ref)
    if norm.basis == "source":
        return
    if norm.voters is None:
        yield _unknown("coverage_votes", norm=norm.ref)
    elif norm.voters < (least := max(1, request.quorum.get(norm.tier, 1))):
        yield _no("coverage_votes", norm=norm.ref, n=norm.voters, least=least)


def _languages(norms: Sequence[NormStanding], request: PermitRequest) -> Iterator[Point]:
    if not request.domain.languages:
        yield _unknown("coverage_languages")
        return
    for norm in norms:
        if norm.languages is None:
            yield _unknown("coverage_language", norm=norm.ref)
            continue
        for lang in request.domain.languages:
            if lang not in norm.languages:
                yield _no("coverage_language", norm=norm.ref, language=lang)


def _acts(request: PermitRequest) -> Iterator[Point]:
    domain = request.domain
    if domain.acts is None:
        # In a closed world what no norm knows is denied, so the norms' acts are the domain.
        if domain.open_world is not False:
            yield _unknown("coverage_acts")
        return
    for act, spoken in domain.acts.items():
        if spoken is None:
            yield _unknown("coverage_act", act=act)
        elif not spoken:
            yield _no("coverage_act", act=act)


def scale(request: PermitRequest, on: date) -> Iterator[Point]:
    """Whether every rule that reads people's answers needs no more than these measure."""
    if request.scales is None:
        yield _unknown("scale")
        return
    for use in request.scales:
        yield from _read(use)
    yield _yes("scale", n=len(request.scales))


def _read(use: ScaleUse) -> Iterator[Point]:
    if use.given is None:
        yield _unknown("scale_given", rule=use.rule, data=use.data)
    if use.takes is None:
        yield _unknown("scale_takes", rule=use.rule, data=use.data)
    if use.given is not None and use.takes is not None and use.takes not in SERVES[use.given]:
        yield _no("scale", rule=use.rule, data=use.data, given=f"@scale_{use.given}",
                  takes=f"@scale_{use.takes}")  # fmt: skip


def chain(request: PermitRequest, on: date) -> Iterator[Point]:
    """Whether each norm goes back to a preference with a stated intention, about an act."""
    if request.norms is None:
        yield _unknown("chain")
        return
    norms = _holding(request)
    for norm in norms:
        if norm.act is None:
            yield _unknown("chain_act", norm=norm.ref)
        elif not norm.act:
            yield _no("chain_act", norm=norm.ref)
        if norm.intention is None:
            yield _unknown("chain_intention", norm=norm.ref)
        elif not norm.intention:
            yield _no("chain_intention", norm=norm.ref)
        yield from _preference(norm)
    yield from _pairs(request)
    yield _yes("chain", n=len(norms))


def _preference(norm: NormStanding) -> Iterator[Point]:
    found = (norm.statements, norm.sources)
    if not any(found):
        if None in found:
            yield _unknown("chain_preference", norm=norm.ref)
        else:
            yield _no("chain_preference", norm=norm.ref)


def _pairs(request: PermitRequest) -> Iterator[Point]:
    pairs = request.pairs
    if pairs is None or None in (pairs.rows, pairs.traced, pairs.judged):
        yield _unknown("chain_pairs")
    elif (lost := (pairs.rows or 0) - (pairs.traced or 0)) > 0:
        yield _no("chain_pairs", n=lost, all=pairs.rows or 0)


CONDITIONS: Mapping[PermitCondition, Look] = {
    "subject": subject,
    "authority": authority,
    "consent": consent,
    "floors": floors,
    "minorities": minorities,
    "freshness": freshness,
    "coverage": coverage,
    "scale": scale,
    "chain": chain,
}
"""Every condition, in the order in which it is told."""
