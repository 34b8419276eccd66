"""A verdict in words for the person it concerns, in one language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from normwright.records import GUARD_ACTIONS, FactValue, GuardVerdict
from normwright.store import KeptVerdict
from normwright.web.marks import shown_in
from normwright.web.words import Words


@dataclass(frozen=True)
class NormShown:
    """A norm that a verdict rests on."""

    ref: str
    statement: str
    rationale: str
    lines: tuple[tuple[str, str], ...]
    """Heading and words: who issued it, how it was decided."""


def explained(
    kept: KeptVerdict | None,
    policy: Mapping[str, Any] | None,
    w: Words,
    *,
    said: bool,
    parts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what the page shows in one language.

    Args:
        kept: the verdict; None where there is none of that id.
        policy: what its policy said, if that is known here.
        w: the words of the language.
        said: whether the reader has just contested it.
        parts: what decided beside the policy, by name, if that is known here.
    """
    base: dict[str, Any] = {"w": w, "title": w("verdict_page.title"), "charter": None}
    if kept is None:
        return base
    verdicts = [GuardVerdict.model_validate(v) for v in kept.body["verdicts"]]
    verdict = max(verdicts, key=lambda v: GUARD_ACTIONS.index(v.action), default=None)
    return {
        **base,
        "id": kept.id,
        "at": kept.at[:19].replace("T", " "),
        "answer": _answer(verdict, w),
        "reasons": shown_in(verdict.reasons, w.lang) if verdict else "",
        "contest": shown_in(verdict.contest, w.lang) if verdict else "",
        "norms": _norms(verdict, policy, w),
        "facts": _facts(verdict, policy, w),
        "where": _where(verdict, w),
        "degraded": tuple(kept.body.get("degraded", ())),
        "receipts": (
            (w("verdict_page.policy"), verdict.policy if verdict else ""),
            *_decided_by(verdict, parts, w),
            (w("verdict_page.chain"), f"{kept.chain}, {kept.seq}"),
            (w("verdict_page.entry"), kept.digest),
        ),
        "grounds": tuple(
            (ground, w(f"verdict_page.ground_{ground.replace('-', '_')}"))
            for ground in ("wrong-norm", "wrong-facts", "norm-should-change", "other")
        ),
        "said": said,
        "stopped": verdict is not None and verdict.action != "allow",
    }


def _decided_by(
    verdict: GuardVerdict | None, parts: Mapping[str, Any] | None, w: Words
) -> tuple[tuple[str, str], ...]:
    """What decided: one digest for all of it, then each part by its own."""
    if verdict is None or verdict.decided_by is None:
        return ()
    each = ((f"{w('verdict_page.decided_by')}: {k}", _value(v)) for k, v in (parts or {}).items())
    return ((w("verdict_page.decided_by"), verdict.decided_by), *each)


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _answer(verdict: GuardVerdict | None, w: Words) -> str:
    return w(f"verdict_page.action_{verdict.action if verdict else 'none'}")


def _where(verdict: GuardVerdict | None, w: Words) -> str:
    if verdict is None or verdict.action == "allow":
        return ""
    side = w(f"verdict_page.side_{verdict.side}")
    return f"{side} ({verdict.where})" if verdict.where else side


def _facts(
    verdict: GuardVerdict | None, policy: Mapping[str, Any] | None, w: Words
) -> tuple[tuple[str, str], ...]:
    """What was taken for a fact, by its name in the charter where that is known here."""
    if verdict is None:
        return ()
    labels = (policy or {}).get("facts", {})

    def name(fact: str) -> str:
        return shown_in(labels[fact], w.lang) if fact in labels else fact

    def value(given: FactValue) -> str:
        if isinstance(given, bool):
            return w(f"verdict_page.fact_{'holds' if given else 'not'}")
        return str(given)

    known = tuple(
        (
            name(fact.name),
            w(
                "verdict_page.fact",
                value=value(fact.value),
                origin=w(f"verdict_page.origin_{fact.origin}"),
                confidence=w.number(_short_of_certain(fact.confidence)),
            ),
        )
        for fact in verdict.facts
    )
    return known + tuple((name(n), w("verdict_page.fact_unknown")) for n in verdict.unknown)


def _short_of_certain(confidence: float) -> float:
    """Return a confidence as it is shown: only what is certain rounds to 100 %."""
    return confidence if confidence >= 1.0 else min(confidence, 0.999)


def _norms(
    verdict: GuardVerdict | None, policy: Mapping[str, Any] | None, w: Words
) -> tuple[NormShown, ...]:
    if verdict is None:
        return ()
    told = (policy or {}).get("norms", {})
    return tuple(_norm(n.ref, n.level, n.status, told.get(n.ref), w) for n in verdict.norms)


def _norm(ref: str, level: str, status: str, told: Mapping[str, Any] | None, w: Words) -> NormShown:
    if told is None:
        return NormShown(ref, w("verdict_page.norm_gone"), "", ())
    process = told["process"]
    decided = (
        w("verdict_page.decided_none")
        if process is None
        else w(
            f"verdict_page.decided_{told['process_kind']}",
            process=process,
            support=w.number(told["support"]),
        )
    )
    return NormShown(
        ref=ref,
        statement=shown_in(told["statement"], w.lang),
        rationale=shown_in(told["rationale"], w.lang),
        lines=(
            (w("verdict_page.issued"), f"{w('layer.' + told['layer'])}: {told['authority']}"),
            (w("verdict_page.decided"), f"{decided} ({level}: {w('level.' + level)})"),
            (w("verdict_page.status"), w(f"status.{status}")),
        ),
    )
