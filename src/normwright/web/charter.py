"""The charter as a page: what holds, who decided it, how sure, and what a reader can do about it.

Every norm has an address of its own (`charter.html#pt-g.privacy.personal-data`), so that a refusal
can point at the norm it cites.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from normwright.charter.telling import told
from normwright.norms.resolver import HOLDING
from normwright.records import (
    LAYERS,
    Charter,
    Estimate,
    Measurement,
    Norm,
    Policy,
    PolicyRule,
    Polity,
    Process,
    Statement,
    Text,
)
from normwright.web.marks import shown_in, support_strip, text_in
from normwright.web.pages import page, write_page
from normwright.web.words import Words, words_for

CELLS: Final = ("guard", "reward", "evaluation", "criterion")
"""Where a norm can be enforced, in the order of the chain."""

COMPLIANCE: Final = ("norm-behaviour", "harm")
"""Suites that say how often the act a norm speaks about is done."""


@dataclass(frozen=True)
class CharterPage:
    """Everything the page shows, as records; nothing is measured or decided here."""

    charter: Charter
    title: Text
    languages: tuple[str, ...]
    """The first is the one the page opens in."""
    policy: Policy | None = None
    """None: the charter was not enacted, and nothing is said of where it is enforced."""
    process: Process | None = None
    polities: tuple[Polity, ...] = ()
    statements: tuple[Statement, ...] = ()
    """What was voted on; they give words to norms that were not ratified."""
    measurements: tuple[Measurement, ...] = ()
    earlier: tuple[Charter, ...] = ()
    """Charters that this one superseded, oldest first."""
    report: str = ""
    """Address of the report beside it; empty: there is none."""


def write_charter(data: CharterPage, path: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        InputError: if none of the languages has a locale file.
    """
    editions = [_edition(data, w) for w in words_for(data.languages)]
    write_page(path, page("charter.html.jinja", editions))


def asked(norm: str, statements: Sequence[Statement], w: Words) -> str:
    """The statement that endorsed a norm, or the norm's id where none is at hand."""
    name = norm.split("@")[0]
    return next(
        (shown_in(s.text, w.lang) for s in statements if s.norm == name and s.endorses), norm
    )


def layer_of(norm: Norm, polities: Sequence[Polity], w: Words) -> str:
    """The layer of a norm in words, with the name of who decides there."""
    named = next((text_in(p.name, w.lang) for p in polities if p.id == norm.authority), "")
    layer = w(f"layer.{norm.layer}")
    return layer if norm.layer == "global" else f"{layer}: {named or norm.authority}"


def _edition(data: CharterPage, w: Words) -> dict[str, Any]:
    charter, policy = data.charter, data.policy
    layers: dict[str, list[dict[str, Any]]] = {}
    for norm in sorted(charter.norms, key=lambda n: LAYERS.index(n.layer)):
        layers.setdefault(layer_of(norm, data.polities, w), []).append(_norm(norm, data, w))
    return {
        "w": w,
        "title": shown_in(data.title, w.lang),
        "kind": data.process.kind if data.process else charter.kind,
        "decided": any(n.provenance for n in charter.norms),
        "charter": bool(data.report),
        "report": data.report,
        "intro": w("charter.intro", version=charter.version),
        "notice": text_in(charter.notice, w.lang),
        "contest": text_in(charter.contest, w.lang),
        "layers": layers,
        "concerns": _concerns(charter, w),
        "conflicts": charter.conflicts,
        "rejected": [
            {
                "norm": r.norm,
                "statement": asked(r.norm, data.statements, w),
                "reason": r.reason_in(w.lang),
                "picture": support_strip(r.support, r.norm, w),
            }
            for r in charter.not_holding
        ],
        "permits": [w(f"mode.{m}") for m in policy.permit_modes] if policy else [],
        "permit_reason": text_in(policy.permit_reason, w.lang) if policy else "",
        "digest": charter.digest,
    }


def _dissent(norm: Norm, charter: Charter, w: Words) -> str:
    """The minority report on a norm, in the language of the page."""
    words = next((d.words for d in charter.dissents if d.norm == norm.ref), {})
    first = norm.provenance.dissent if norm.provenance else ""
    return text_in(words, w.lang) if words else first


def _norm(norm: Norm, data: CharterPage, w: Words) -> dict[str, Any]:
    made = norm.provenance
    return {
        "id": f"{w.lang}-{norm.id}",
        "ref": norm.ref,
        "statement": text_in(norm.statement, w.lang),
        "unreviewed": norm.translation.get(w.lang) == "unreviewed",
        "rationale": text_in(norm.rationale, w.lang),
        "applies": told(norm.condition, data.charter.vocabulary, w.lang),
        "act": _act(norm, data.charter, w),
        "status": w(f"status.{norm.status}"),
        "raw_kind": norm.kind,
        "holds": norm.status in HOLDING,
        "binding": norm.kind in ("prohibition", "obligation"),
        "kind": w(f"kind.{norm.kind}"),
        "kind_means": w(f"kind_means.{norm.kind}"),
        "tier": w(f"tier.{norm.tier}"),
        "severity": norm.severity,
        "facts": list(_facts(norm, w)),
        "decided": list(_decided(norm, data, w)),
        "sources": [_source(s.ref, str(s.retrieved or ""), w) for s in norm.source],
        "dissent": _dissent(norm, data.charter, w),
        "picture": support_strip(made.support, norm.ref, w) if made else Markup(""),
        "cases": [
            {
                "kind": w(f"charter.case_{c.kind}"),
                "text": c.text,
                "expect": c.expect,
                "expect_word": w(f"charter.{c.expect}"),
            }
            for c in norm.cases
            if c.lang == w.lang
        ],
        "enforced": _enforced(norm, data.policy, w),
        "compliance": list(_compliance(norm, data, w)),
        "history": list(_history(norm, data, w)),
    }


def _act(norm: Norm, charter: Charter, w: Words) -> str:
    found = next((a for a in charter.vocabulary.acts if a.name == norm.act), None)
    return text_in(found.label, w.lang) if found else norm.act


def _facts(norm: Norm, w: Words) -> Iterator[tuple[str, str]]:
    """What holds of a norm, as pairs of a name and words."""
    yield w("charter.binds"), ", ".join(w(f"actor.{a}") for a in norm.bearer.actor)
    if norm.valid_from is not None:
        yield w("charter.since"), norm.valid_from.isoformat()
    if norm.valid_to is not None:
        yield w("charter.until"), norm.valid_to.isoformat()
    if norm.deadline is not None:
        yield w("charter.deadline"), norm.deadline
    if norm.kind in ("prohibition", "obligation"):
        yield w("charter.on_unknown"), w(f"charter.unknown_{norm.on_unknown}")
        layers = ", ".join(w(f"layer.{layer}") for layer in norm.overridable_by)
        yield w("charter.overridable"), layers or w("charter.floor")
    review = norm.review_by.isoformat() if norm.review_by else w("charter.no_review")
    yield w("charter.review"), review


def _decided(norm: Norm, data: CharterPage, w: Words) -> Iterator[tuple[str, str]]:
    """Who decided it, by which rule, how far that binds, and when."""
    made = norm.provenance
    if made is None:
        yield w("charter.who"), w("charter.by_source" if norm.source else "charter.by_nobody")
        return
    process = shown_in(data.process.title, w.lang) if data.process else made.process
    people = made.support.get("all")
    asked_people = w("charter.people", n=w.count(people.n)) if people else ""
    voices = w(f"{made.process_kind}.label").rstrip(".")
    yield w("charter.who"), "; ".join(part for part in (process, voices, asked_people) if part)
    yield w("charter.level"), f"{made.decision_level}: {w(f'level.{made.decision_level}')}"
    if made.rule:
        yield w("charter.rule"), text_in(made.rules, w.lang) if made.rules else made.rule
    if made.ratified_at is not None:
        yield w("charter.when"), made.ratified_at.isoformat()


def _source(ref: str, retrieved: str, w: Words) -> str:
    return f"{ref} ({w('charter.retrieved', day=retrieved)})" if retrieved else ref


def _enforced(norm: Norm, policy: Policy | None, w: Words) -> list[dict[str, Any]]:
    """Each place of the chain with whether the norm is there, and what is done."""
    if policy is None:
        return []
    covered = policy.coverage.get(norm.ref, {})
    rule = next((r for r in policy.rules if r.norm == norm.ref), None)
    return [
        {
            "name": w(f"cell.{cell}"),
            "covered": covered.get(cell, False),
            "what": _done(cell, rule, w) if covered.get(cell) else w("cell.hole"),
        }
        for cell in CELLS
    ]


def _done(cell: str, rule: PolicyRule | None, w: Words) -> str:
    if rule is None:
        return w("cell.there")
    match cell:
        case "guard":
            return w(f"guard_does.{rule.guard}")
        case "reward":
            return w(f"force.{rule.force}")
        case "criterion":
            return w(f"on_fail.{rule.on_fail}", limit=w.number(rule.limit))
        case _:
            return w("cell.there")


def _compliance(norm: Norm, data: CharterPage, w: Words) -> Iterator[dict[str, str]]:
    """How often each model did what the norm speaks about, by language."""
    for m in data.measurements:
        if m.norm != norm.id or m.suite not in COMPLIANCE or m.model.startswith("control:"):
            continue
        yield {
            "suite": w(f"compliance.{m.suite}"),
            "model": w.get(f"role.{m.model}", m.model) or m.model,
            "lang": m.lang or w("charter.all_languages"),
            "rate": w.number(m.estimate.value),
            "interval": _interval(m.estimate, w),
            "n": w.count(m.estimate.n),
        }


def _interval(estimate: Estimate, w: Words) -> str:
    found = estimate.interval
    return "" if found is None else f"[{w.number(found.low)}, {w.number(found.high)}]"


def _history(norm: Norm, data: CharterPage, w: Words) -> Iterator[str]:
    """What happened to a norm, oldest first."""
    for charter in data.earlier:
        before = next((n for n in charter.norms if n.id == norm.id), None)
        if before is not None and before.ref != norm.ref:
            yield w("charter.was", ref=before.ref, text=text_in(before.statement, w.lang))
    for ref in norm.supersedes:
        yield w("charter.supersedes", ref=ref)
    if norm.recorded is not None:
        yield w("charter.recorded", day=norm.recorded.isoformat())
    if norm.provenance is not None and norm.provenance.ratified_at is not None:
        yield w("charter.ratified", day=norm.provenance.ratified_at.isoformat())


def _concerns(charter: Charter, w: Words) -> dict[str, Any]:
    """How many norms speak to each concern at each layer; a hole is a zero that is seen."""
    tags = sorted({tag for norm in charter.norms for tag in norm.concerns})
    rows = []
    for tag in tags:
        counts = [
            sum(tag in norm.concerns for norm in charter.norms if norm.layer == layer)
            for layer in LAYERS
        ]
        rows.append({"name": w.get(f"concern.{tag}", tag), "counts": counts})
    return {"layers": [w(f"layer.{layer}") for layer in LAYERS], "rows": rows}
