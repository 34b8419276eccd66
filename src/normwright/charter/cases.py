"""A norm's own worked cases, put to the resolver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from normwright.norms import Acts, Resolver, evaluate
from normwright.records import (
    Charter,
    DecisionVerdict,
    Expectation,
    InputError,
    Norm,
    NormCase,
    Situation,
    Vocabulary,
)

DONE_OR_NOT: dict[DecisionVerdict, Expectation] = {
    "allow": "allow",
    "necessity": "allow",
    "dilemma-choice": "allow",
    "ask": "ask",
    "deny": "deny",
    "dilemma-inaction": "deny",
    "deny-dilemma": "deny",
}
"""What each verdict means for the act that was requested, in the words of a case."""

LIVING = frozenset({"draft", "proposed", "in_force", "demonstration"})
"""Statuses of norms whose cases count: those that hold or may yet."""


@dataclass(frozen=True)
class CaseResult:
    """How one case of one norm comes out."""

    norm: Norm
    number: int
    case: NormCase
    verdict: DecisionVerdict
    applies: bool
    """Whether the norm speaks about it."""

    @property
    def is_its_kind(self) -> bool:
        """Whether the norm speaks about a hit and is silent about a miss."""
        return self.applies == (self.case.kind == "hit")

    @property
    def agrees(self) -> bool:
        """Whether the resolver says what the case expects."""
        return DONE_OR_NOT[self.verdict] == self.case.expect


def run_cases(norms: Sequence[Norm], vocabulary: Vocabulary) -> Iterator[CaseResult]:
    """Yield how every case of the living norms comes out if all of them held together.

    Raises:
        InputError: if the norms do not fit the vocabulary.
    """
    living = [norm for norm in norms if norm.status in LIVING]
    resolver = Resolver(
        Charter(
            id="cases",
            version=1,
            languages=(),
            vocabulary=vocabulary,
            norms=tuple(norm.model_copy(update={"status": "in_force"}) for norm in living),
            process="cases",
            kind="human",
        )
    )
    acts = Acts(vocabulary)
    for norm in living:
        for number, case in enumerate(norm.cases):
            asked = Situation(
                act=case.act,
                facts=case.facts,
                feasible=case.feasible,
                bearer=case.bearer or norm.bearer.actor[0],
                counterparty=case.counterparty,
                channel=norm.scope.channels[0],
                time=case.time or norm.valid_from,
                jurisdiction=_polities(norm, case),
            )
            yield CaseResult(
                norm,
                number,
                case,
                resolver.verdict(asked),
                applies=speaks_about(norm, case, acts),
            )


def speaks_about(norm: Norm, case: NormCase, acts: Acts) -> bool:
    """Whether a norm applies in one of its cases: it binds, is meant, and its condition holds.

    A duty and an exemption from one concern whatever is requested.
    """
    meant = norm.kind in ("obligation", "exemption") or acts.covers(norm.act, case.act)
    return meant and _reaches(norm, case) and evaluate(norm.condition, case.facts) is True


def _polities(norm: Norm, case: NormCase) -> tuple[str, ...] | None:
    """Where a case lies; a polity's norm is asked about in its own territory unless it says."""
    if case.jurisdiction is not None:
        return case.jurisdiction
    return (norm.authority,) if norm.layer == "polity" else None


def _reaches(norm: Norm, case: NormCase) -> bool:
    """Whether the day, the place, who acts and whom it is done to are those a norm is made for."""
    polities = _polities(norm, case)
    return (
        (norm.layer != "polity" or polities is None or norm.authority in polities)
        and (case.bearer is None or case.bearer in norm.bearer.actor)
        and (case.counterparty is None or case.counterparty in norm.counterparty)
        and (case.time is None or norm.valid_from is None or case.time >= norm.valid_from)
        and (case.time is None or norm.valid_to is None or case.time < norm.valid_to)
    )


def without_moot_cases(
    norms: Sequence[Norm], source: Sequence[Norm], vocabulary: Vocabulary
) -> list[Norm]:
    """Return `norms` without the cases that came out right only beside norms people rejected.

    A case of an exception may rest on the rule it is an exception to. If people ratify the one and
    not the other, that case no longer says anything about the norm it belongs to.
    """
    try:
        failing = {(r.norm.ref, r.number) for r in run_cases(norms, vocabulary) if not r.agrees}
        right = {(r.norm.ref, r.number) for r in run_cases(source, vocabulary) if r.agrees}
    except InputError:
        return list(norms)
    moot = failing & right
    return [
        norm.model_copy(
            update={
                "cases": tuple(c for i, c in enumerate(norm.cases) if (norm.ref, i) not in moot)
            }
        )
        for norm in norms
    ]
