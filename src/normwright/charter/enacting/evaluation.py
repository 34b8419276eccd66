"""Evaluation items: the norms' own cases, each with what the norms that bind here decide."""

from __future__ import annotations

from collections.abc import Sequence

from normwright.charter.cases import CaseResult, run_cases
from normwright.records import Charter, EvaluationItem, Norm


def evaluation(
    charter: Charter, norms: Sequence[Norm]
) -> tuple[tuple[EvaluationItem, ...], tuple[str, ...]]:
    """Return the cases as items, and the names of those that say otherwise than the norms here.

    A case may rest on a norm of another place, or on one that people did not ratify. What it
    expects is not what this deployment is to do, so it is no item; it is named and not lost.

    Raises:
        InputError: if the norms do not fit the vocabulary.
    """
    results = list(run_cases(norms, charter.vocabulary))
    items = tuple(_item(r) for r in results if r.agrees)
    return items, tuple(_name(r) for r in results if not r.agrees)


def _name(result: CaseResult) -> str:
    """The case's place in its norm; cases of several languages may share a slug."""
    return f"{result.norm.ref}/{result.case.id or result.number}/{result.case.lang}"


def _item(result: CaseResult) -> EvaluationItem:
    norm, case = result.norm, result.case
    return EvaluationItem(
        id=_name(result),
        norm=norm.ref,
        lang=case.lang,
        kind=case.kind,
        text=case.text,
        act=case.act,
        facts=dict(case.facts),
        feasible=case.feasible,
        bearer=case.bearer or norm.bearer.actor[0],
        counterparty=case.counterparty,
        channel=norm.scope.channels[0],
        time=case.time or norm.valid_from,
        jurisdiction=case.jurisdiction,
        expect=case.expect,
    )
