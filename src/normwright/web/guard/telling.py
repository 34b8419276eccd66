"""A verdict as a client is told it: the words of a refusal, and the moderation object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from normwright.records import GUARD_ACTIONS, GuardVerdict
from normwright.web.guard.desk import Case, passes

MODEL = "normwright-guard"
"""What the moderation object calls the guard."""


_NOTHING = {
    "type": "error",
    "code": "not_generated",
    "message": "There was nothing to check on this side.",
}


def page_of(case: Case) -> str:
    """Return the address of the page that explains a verdict."""
    return f"{case.desk.settings.public_url}/verdicts/{case.id}"


def refusal(case: Case, verdict: GuardVerdict) -> str:
    """Return what a person is told in place of an answer: why, and where to contest it."""
    languages = verdict.languages or tuple(verdict.reasons)
    told = [verdict.reasons[lang] for lang in languages if lang in verdict.reasons]
    if not told:
        told = list(verdict.reasons.values())
    return "\n".join([*told, page_of(case)])


def moderation(case: Case) -> dict[str, Any]:
    """Return the moderation object of a case: OpenAI's fields, and the verdict in ours."""
    inputs = [v for v in case.verdicts if v.side == "input"]
    outputs = [v for v in case.verdicts if v.side != "input"]
    return {
        "input": _results(inputs),
        "output": _results(outputs),
        **told(case),
    }


def moderation_of_response(case: Case) -> dict[str, Any]:
    """Return the moderation object as `/v1/responses` has it: one result a side."""
    inputs = [v for v in case.verdicts if v.side == "input"]
    outputs = [v for v in case.verdicts if v.side != "input"]
    return {"input": _graver(inputs), "output": _graver(outputs), **told(case)}


def told(case: Case) -> dict[str, Any]:
    """Return the verdict of a case in our own fields."""
    verdict = case.gravest
    fields: dict[str, Any] = {
        "verdict_id": case.id,
        "url": page_of(case),
        "decided_by": {"digest": case.held.decided_by, **case.held.guard.parts},
    }
    if case.degraded:
        fields["degraded"] = list(case.degraded)
    if (rewarded := case.rewarded()) is not None:
        fields["reward"] = rewarded
    if verdict is None:
        return fields
    return {
        **fields,
        "action": verdict.action,
        "side": verdict.side,
        "norms": [n.model_dump(mode="json") for n in verdict.norms],
        "reasons": verdict.reasons,
        "contest": verdict.contest,
        "scores": verdict.scores,
        "where": verdict.where,
        "unknown": list(verdict.unknown),
    }


def result(verdict: GuardVerdict) -> dict[str, Any]:
    """Return one result of moderation, with norms as its categories."""
    flagged = not passes(verdict)
    cited = {n.id for n in verdict.norms} if verdict.action != "allow" else set()
    names = sorted(cited | verdict.risks.keys())
    scores = {n: verdict.risks.get(n, 1.0 if n in cited else 0.0) for n in names}
    return {
        "type": "moderation_result",
        "model": MODEL,
        "flagged": flagged,
        "categories": {n: n in cited for n in names},
        "category_scores": scores,
        "category_applied_input_types": {n: ["text"] for n in names},
    }


def _graver(verdicts: Sequence[GuardVerdict]) -> dict[str, Any]:
    if not verdicts:
        return dict(_NOTHING)
    return result(max(verdicts, key=lambda v: GUARD_ACTIONS.index(v.action)))


def _results(verdicts: Sequence[GuardVerdict]) -> dict[str, Any]:
    if not verdicts:
        return dict(_NOTHING)
    return {
        "type": "moderation_results",
        "model": MODEL,
        "results": [result(v) for v in verdicts],
    }
