"""The release report and the charter as pages: records in, two self-contained HTML files out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from markupsafe import Markup

from normwright.records import (
    Consultation,
    Contrast,
    Criterion,
    CriterionResult,
    Dataset,
    Estimate,
    Finding,
    Judge,
    Measurement,
    ModelRef,
    ModeVerdict,
    Outcome,
    Permit,
    Policy,
    Polity,
    Process,
    Statement,
    Text,
    Verdict,
)
from normwright.release import CANDIDATE, Form, defeaters, permit_criterion
from normwright.web.charter import CharterPage, asked, layer_of, write_charter
from normwright.web.charts import Mark, gauge, panel
from normwright.web.examples import Example
from normwright.web.marks import mark_of, shown_in, support_strip, text_in
from normwright.web.measured import measured_parts
from normwright.web.outcomes import outcome_view, quality_rows
from normwright.web.pages import page, write_page
from normwright.web.permits import permit_view
from normwright.web.words import Words, shipped, words_for

ROLES = ("base", "tuned", "aligned", "guarded")
"""Models in the order they come about; pages show them in this order."""

_PANELS = ("help", "harm", "over-refusal")


@dataclass(frozen=True)
class ReportData:
    """Everything the report shows, as records; nothing is measured or decided here."""

    title: Text
    """Title of the project in its languages."""
    languages: tuple[str, ...]
    """Languages of the project; the first is the one a page opens in."""
    process: Process | None = None
    """None if nobody was asked."""
    policy: Policy | None = None
    """The policy in force, with its charter; None if the project has none."""
    permit: Permit | None = None
    """What the models were trained under; it bounds the policy's modes. None: nobody was asked."""
    verdict: Verdict | None = None
    """None if the project does not lead to one."""
    criteria: tuple[Criterion, ...] = ()
    """The criteria the verdict was made by."""
    measurements: tuple[Measurement, ...] = ()
    """Of every role, those of controls included."""
    contrasts: tuple[Contrast, ...] = ()
    findings: tuple[Finding, ...] = ()
    examples: tuple[Example, ...] = ()
    """See `pick_examples`."""
    consultation: Consultation | None = None
    statements: tuple[Statement, ...] = ()
    """What was voted on; they give words to norms that were not ratified."""
    outcomes: tuple[Outcome, ...] = ()
    polities: tuple[Polity, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    models: Mapping[str, ModelRef] = field(default_factory=dict)
    """By role."""
    judges: tuple[Judge, ...] = ()


def write_report(data: ReportData, out_dir: Path) -> Path:
    """Write `report.html`, and `charter.html` if there is one, and return the path of the report.

    Both are one file without scripts, images or fonts from elsewhere. Each holds every language of
    the project that has a locale; `report.html#pt` opens the Portuguese one. Languages without a
    locale file are left out.

    Args:
        data: the records to show.
        out_dir: where to write; it is made if it is not there.

    Raises:
        InputError: if none of the project's languages has a locale file.
    """
    words = words_for(data.languages)
    out_dir.mkdir(parents=True, exist_ok=True)
    report = page("report.html.jinja", [_report(data, w) for w in words])
    if data.policy is not None:
        write_charter(_charter(data, data.policy), out_dir / "charter.html")
    write_page(out_dir / "report.html", report)
    return out_dir / "report.html"


def _shell(data: ReportData, w: Words) -> dict[str, Any]:
    return {
        "w": w,
        "title": shown_in(data.title, w.lang),
        "kind": data.process.kind if data.process else "",
        "process": shown_in(data.process.title, w.lang) if data.process else "",
        "charter": data.policy is not None,
    }


def _report(data: ReportData, w: Words) -> dict[str, Any]:
    statements = _statements(data, w)
    models = tuple(data.models.values())
    return {
        **_shell(data, w),
        "page_name": _name_of(data),
        "lede": _lede(data, w),
        "modes": [
            _mode(m, data.criteria, statements, w)
            for m in (data.verdict.modes if data.verdict else ())
        ],
        "outcomes": [
            outcome_view(o, data.statements, data.polities, w)
            for o in data.outcomes
            if o.participants
        ],
        "quality": quality_rows(data.consultation, w),
        "path": _path(data, w),
        "norms": _norm_rows(data, w),
        "permit": permit_view(data.permit, data.policy, models, w),
        "panels": _panels(data, w),
        "measured": measured_parts(data.measurements, w),
        "controls": _controls(data.verdict, statements, w),
        "numbers": [_number_row(m, w) for m in data.measurements if not _is_control(m.model)],
        "contrasts": [_contrast_row(c, w) for c in data.contrasts if not _is_control(c.better)],
        "examples": [_example(e, w) for e in data.examples if e.scene.lang == w.lang],
        "attacks": _attacks(data, w),
        "transcript": _transcript(data.findings, w),
        "limits": list(defeaters(data.policy, data.measurements, models, w.lang).values())
        if data.policy
        else [],
        "trace": _trace(data, w),
    }


def _name_of(data: ReportData) -> str:
    """What the report is a report of: a release, what people said, or what was learned."""
    if data.verdict is not None:
        return "page.report"
    return "page.said" if data.consultation is not None else "page.learned"


# The first screen


def _lede(data: ReportData, w: Words) -> str:
    seen = data.consultation
    if seen is None:
        return w("lede_learned")
    said = {
        "participants": w.count(seen.participants),
        "votes": w.count(seen.votes),
        "statements": w.count(seen.statements),
    }
    if data.policy is None and seen.ballots and not seen.votes:
        return w("lede_ranked", ballots=w.count(seen.ballots), **said)
    if data.policy is None:
        return w("lede_asked", **said)
    norms = w.count(len(data.policy.charter.norms))
    return w("lede" if data.verdict else "lede_charter", norms=norms, **said)


@dataclass(frozen=True)
class _Figures:
    """What one criterion result says in numbers, each in words."""

    bound_key: str
    limit_key: str
    state: str
    bound: str
    limit: str
    observed: str
    n: str
    needed: str
    in_all: str
    picture: Markup


@dataclass(frozen=True)
class _ModeView:
    id: str
    name: str
    what: str
    verdict: str
    gloss: str
    statement: str
    state: str
    state_word: str
    reason: str
    tightest: str
    """For a release: that all criteria pass, and how many."""
    figures: _Figures | None
    figures_for: str
    """What the numbers are about, where the deciding criterion itself has none."""
    figures_id: str
    rows: list[dict[str, str]]


def _mode(
    mode: ModeVerdict,
    criteria: Sequence[Criterion],
    statements: Mapping[str, str],
    w: Words,
) -> _ModeView:
    deciding = next((r for r in mode.results if r.criterion == mode.deciding), None)
    numbers = deciding if deciding and deciding.bound is not None else _closest(mode.results)
    state = deciding.state if deciding else "fail"
    return _ModeView(
        id=mode.mode,
        name=w(f"mode.{mode.mode}"),
        what=w(f"mode.{mode.mode}_what"),
        verdict=mode.verdict,
        gloss=w(f"verdict.{mode.verdict}"),
        statement=statements.get(mode.deciding, mode.deciding),
        state=state,
        state_word=_state_word(deciding, w) if deciding else w("state.fail"),
        # Without a result of its own (a control that broke the gate) the mode's reason says it all.
        reason=text_in((deciding or mode).reason, w.lang),
        tightest=w("tightest", count=w.count(sum(r.on_fail != "report" for r in mode.results)))
        if mode.verdict == "RELEASE"
        else "",
        figures=_figures(numbers, criteria, w) if numbers else None,
        figures_for=""
        if numbers is None or numbers is deciding
        else statements.get(numbers.criterion, numbers.criterion),
        figures_id=numbers.criterion if numbers else "",
        rows=[_criterion_row(r, criteria, statements, w) for r in mode.results],
    )


def _closest(results: Iterable[CriterionResult]) -> CriterionResult | None:
    """The measured result that is furthest from passing, else the one that passes most barely."""

    def rank(result: CriterionResult) -> tuple[int, float]:
        gap = abs((result.bound or 0.0) - result.limit)
        match result.state:
            case "fail":
                return 0, -gap
            case "inconclusive":
                return 1, -gap
            case _:
                return 2, gap

    measured = [r for r in results if r.bound is not None]
    return min(measured, key=rank, default=None)


def _figures(result: CriterionResult, criteria: Sequence[Criterion], w: Words) -> _Figures:
    form = _form(result, criteria)
    observed, bound, limit = (
        w.number(v, form) for v in (result.observed, result.bound, result.limit)
    )
    needed, in_all = _needed(result, w)
    allowed: Literal["upper", "lower"] = (
        "upper" if _kind(result, criteria) == "rate_upper" else "lower"
    )
    picture = Markup("")
    if result.observed is not None and result.bound is not None:
        picture = gauge(
            observed=result.observed,
            bound=result.bound,
            limit=result.limit,
            side=allowed,
            state=result.state,
            label=w("figure.gauge", observed=observed, bound=bound, limit=limit),
            allowed=w("figure.gauge_allowed"),
        )
    return _Figures(
        f"figure.{'certain' if result.state == 'fail' else 'bound'}_{result.bound_side}",
        f"figure.limit_{allowed}",
        result.state,
        bound,
        limit,
        observed,
        w.count(result.n),
        needed,
        in_all,
        picture,
    )


def _needed(result: CriterionResult, w: Words) -> tuple[str, str]:
    """How many units are still needed, and how many that is in all."""
    match result.state:
        case "pass":
            return w("figure.enough"), ""
        case "missing":
            return w("figure.unknown"), ""
        case _ if result.n_needed is None:
            return w("figure.never"), ""
        case _:
            more = max(1, result.n_needed - result.n)
            return (
                w("figure.more", more=w.count(more)),
                w("figure.in_all", n=w.count(result.n_needed)),
            )


def _form(result: CriterionResult, criteria: Sequence[Criterion]) -> Form:
    """Differences are written in points, rates in per cent."""
    kind = _kind(result, criteria)
    return "points" if kind in ("noninferiority", "superiority") else "share"


def _kind(result: CriterionResult, criteria: Sequence[Criterion]) -> str:
    return next((c.kind for c in criteria if c.id == result.criterion), "")


def _state_word(result: CriterionResult, w: Words) -> str:
    numeric = result.state == "fail" and result.bound is not None
    return w("state.fail_number" if numeric else f"state.{result.state}")


def _criterion_row(
    result: CriterionResult,
    criteria: Sequence[Criterion],
    statements: Mapping[str, str],
    w: Words,
) -> dict[str, str]:
    form = _form(result, criteria)
    measured = result.bound is not None
    return {
        "id": result.criterion,
        "statement": statements.get(result.criterion, result.criterion),
        "state": result.state,
        "state_word": _state_word(result, w),
        "bound": w.number(result.bound, form),
        "limit": w.number(result.limit, form) if measured else "–",
        "n": w.count(result.n) if measured else "–",
        "needed": w.count(result.n_needed) if measured and result.state != "pass" else "–",
        "reason": text_in(result.reason, w.lang),
    }


def _statements(data: ReportData, w: Words) -> dict[str, str]:
    """What each criterion asks, by id, in one language."""
    permit = permit_criterion((w.lang,))
    named = {c.id: text_in(c.statement, w.lang) or c.id for c in (permit, *data.criteria)}
    for control in data.verdict.controls if data.verdict else ():
        named[f"control:{control.name}"] = f"{w('controls.name')}: {_control(control.name, w)}"
    return named


# The path


def _path(data: ReportData, w: Words) -> list[dict[str, str]]:
    """The links of the chain that the project has, with what stands at each."""
    return [
        {"id": name, "number": number, "noun": w(f"path.{name}"), "of": of, "digest": digest[7:19]}
        for name, number, of, digest in (*_of_people(data, w), *_of_weights(data, w))
    ]


_Link: TypeAlias = tuple[str, str, str, str]


def _of_people(data: ReportData, w: Words) -> Iterator[_Link]:
    seen = data.consultation
    if seen is not None and seen.ballots and not seen.votes:
        of = w("path.ballots_of", participants=w.count(seen.participants),
               statements=w.count(seen.statements))  # fmt: skip
        yield "ballots", w.count(seen.ballots), of, seen.roots.get("ballots", seen.digest)
    elif seen is not None:
        of = w("path.votes_of", participants=w.count(seen.participants),
               statements=w.count(seen.statements))  # fmt: skip
        yield "votes", w.count(seen.votes), of, seen.roots.get("votes", seen.digest)
    elif data.policy is not None:
        yield "votes", w.number(None), "", ""
    if data.policy is not None:
        charter = data.policy.charter
        of = w("path.norms_of", rejected=w.count(len(charter.not_holding)))
        yield "norms", w.count(len(charter.norms)), of, charter.digest


def _of_weights(data: ReportData, w: Words) -> Iterator[_Link]:
    rows = {kind: sum(d.rows for d in data.datasets if d.kind == kind)
            for kind in ("demonstrations", "pairs")}  # fmt: skip
    if sum(rows.values()):
        of = w("path.data_of", **{k: w.count(v) for k, v in rows.items()})
        last = [d for d in data.datasets if d.kind in rows][-1]
        yield "data", w.count(sum(rows.values())), of, last.content
    aligned = data.models.get("aligned")
    if aligned is not None and aligned.parameters is not None:
        of = w("path.weights_of" if data.policy else "path.weights_judged")
        yield "weights", w.count(aligned.parameters), of, aligned.digest
    if data.policy is not None and aligned is not None:
        rules = sum(r.guard != "none" for r in data.policy.rules)
        yield "guard", w.count(rules), w("path.guard_of"), data.policy.digest
    if data.verdict is not None:
        words = " · ".join(m.verdict for m in data.verdict.modes)
        of = w("path.verdict_of", evidence=w.count(len(data.verdict.evidence))) + f" · {words}"
        yield "verdict", str(len(data.verdict.modes)), of, data.verdict.digest


# Norms and their support


def _norm_rows(data: ReportData, w: Words) -> list[dict[str, Any]]:
    if data.policy is None:
        return []
    rows: list[dict[str, Any]] = []
    for norm in data.policy.charter.norms:
        support = norm.provenance.support if norm.provenance else {}
        rows.append(
            {
                "ref": norm.ref,
                "statement": text_in(norm.statement, w.lang),
                "layer": layer_of(norm, data.polities, w),
                "status": w(f"status.{norm.status}"),
                "rejected": "",
                "picture": support_strip(support, norm.ref, w),
            }
        )
    return rows + [
        {
            "ref": rejected.norm,
            "statement": asked(rejected.norm, data.statements, w),
            "layer": "",
            "status": w("norms.rejected"),
            "rejected": rejected.reason_in(w.lang),
            "picture": support_strip(rejected.support, rejected.norm, w),
        }
        for rejected in data.policy.charter.not_holding
    ]


# Behaviour


def _panels(data: ReportData, w: Words) -> list[dict[str, Any]]:
    out = []
    for suite in _PANELS:
        pictures = []
        for lang in data.languages:
            marks = _role_marks(data, suite, lang, w)
            if not marks:
                continue
            limit, side = _limit(data.criteria, suite, lang)
            name = _language_name(lang)
            pictures.append(
                {
                    "lang": name,
                    "picture": panel(
                        marks,
                        label=w("behaviour.panel", suite=w(f"behaviour.{suite}"), lang=name),
                        limit=limit,
                        side=side,
                        ticks=[(v, w.number(v, "whole")) for v in (0.0, 0.5, 1.0)],
                    ),
                }
            )
        if pictures:
            out.append(
                {
                    "name": w(f"behaviour.{suite}"),
                    "what": w(f"behaviour.{suite}_what"),
                    "pictures": pictures,
                }
            )
    return out


def _role_marks(data: ReportData, suite: str, lang: str, w: Words) -> list[Mark]:
    marks = []
    for role in ROLES:
        found = [
            m
            for m in data.measurements
            if (m.suite, m.model, m.lang, m.norm) == (suite, role, lang, None)
        ]
        if not found:
            continue
        baselines = found[0].baselines
        mark = mark_of(
            w(f"model.{role}"),
            found[0].estimate,
            w,
            spoken="behaviour.row",
            tone=role,
            reference=baselines.get("constant", baselines.get("constant-decline")),
        )
        if mark is not None:
            marks.append(mark)
    return marks


def _limit(
    criteria: Sequence[Criterion], suite: str, lang: str
) -> tuple[float | None, Literal["upper", "lower"]]:
    """The limit of a rate in one language; the one over all languages where it has none."""
    fitting = [
        c
        for c in criteria
        if c.suite == suite
        and c.kind in ("rate_upper", "rate_lower")
        and c.model in (CANDIDATE, "aligned", "guarded")
        and c.norm is None
        and c.lang in (lang, None)
    ]
    found = max(fitting, key=lambda c: c.lang == lang, default=None)
    if found is None:
        return None, "upper"
    return found.limit, "upper" if found.kind == "rate_upper" else "lower"


def _language_name(lang: str) -> str:
    """A language by its own name, or by its code where it has no locale."""
    return words_for([lang])[0]("language") if lang in shipped() else lang


def _number_row(m: Measurement, w: Words) -> dict[str, str]:
    plain = m.suite == "bits-per-byte" or m.metric.endswith(("log-loss", "brier"))
    form: Form = "plain" if plain else "share"
    return {
        "suite": m.suite,
        "metric": m.metric,
        "model": w.get(f"model.{m.model}", m.model) or m.model,
        "lang": m.lang or w("behaviour.all_langs"),
        "norm": m.norm or "",
        "value": w.number(m.estimate.value, form),
        "interval": _interval(m.estimate, form, w),
        "n": w.count(m.estimate.n),
        "baselines": ", ".join(f"{k} {w.number(v, form)}" for k, v in sorted(m.baselines.items())),
    }


def _contrast_row(c: Contrast, w: Words) -> dict[str, str]:
    better, worse = (w.get(f"model.{r}", r) or r for r in (c.better, c.worse))
    return {
        "suite": c.suite,
        "metric": str(c.made_by.parameters.get("metric", "")) if c.made_by else "",
        "models": f"{better} − {worse}",
        "lang": c.lang or w("behaviour.all_langs"),
        "norm": c.norm or "",
        "difference": w.number(c.difference.value, "points"),
        "interval": _interval(c.difference, "points", w),
        "n": w.count(c.difference.n),
        "p": w.number(c.p_value, "plain"),
    }


def _interval(estimate: Estimate, form: Form, w: Words) -> str:
    if estimate.interval is None:
        return "–"
    return f"{w.number(estimate.interval.low, form)} – {w.number(estimate.interval.high, form)}"


# Controls, examples, attacks


def _controls(
    verdict: Verdict | None, statements: Mapping[str, str], w: Words
) -> list[dict[str, Any]]:
    return [
        {
            "name": _control(c.name, w),
            "verdict": c.verdict,
            "deciding": statements.get(c.deciding, c.deciding),
            "id": c.deciding,
            "as_expected": c.as_expected,
            "word": w("controls.held" if c.as_expected else "controls.not_held"),
        }
        for c in (verdict.controls if verdict else ())
    ]


def _control(name: str, w: Words) -> str:
    return w.get(f"control.{name}", name) or name


def _is_control(role: str) -> bool:
    return role.startswith("control:")


def _example(example: Example, w: Words) -> dict[str, Any]:
    answers = []
    for role in ROLES:
        answer = example.answers.get(role)
        if answer is None:
            continue
        if answer.expected == "perform":
            mark = "right" if answer.correct else "wrong"
        elif answer.violated:
            mark = "violated"
        else:
            mark = "declined" if answer.judged == "decline" else "other"
        answers.append(
            {
                "role": w(f"model.{role}"),
                "what": w(f"model.{role}_what"),
                "text": answer.text or w("examples.empty"),
                "mark": mark,
                "word": w(f"examples.{mark}"),
                "cites": w("examples.cites", norms=", ".join(answer.cited)) if answer.cited else "",
            }
        )
    expected = next(iter(example.answers.values())).expected
    return {
        "lang": example.scene.lang,
        "prompt": [m.content for m in example.scene.messages if m.role == "user"],
        "expected": w("examples.allowed" if expected == "perform" else "examples.denied"),
        "allowed": expected == "perform",
        "norm": example.scene.norm or "",
        "answers": answers,
    }


def _attacks(data: ReportData, w: Words) -> dict[str, Any]:
    """One row an attack, one column a model, from the measured rates over all languages."""
    rates = {
        (m.suite, m.model): m
        for m in data.measurements
        if m.suite.split(".")[0] == "attack"
        and m.lang is None
        and m.norm is None
        and not _is_control(m.model)
    }
    roles = [r for r in ROLES if any(model == r for _, model in rates)]
    suites = sorted({suite for suite, _ in rates})
    rows = []
    for suite in suites:
        cells = []
        for role in roles:
            m = rates.get((suite, role))
            cells.append(
                {
                    "value": w.number(m.estimate.value) if m else "–",
                    "interval": _interval(m.estimate, "share", w) if m else "",
                    "n": w("norms.n", n=w.count(m.estimate.n)) if m else "",
                }
            )
        name = w("attacks.all") if suite == "attack" else suite.removeprefix("attack.")
        rows.append({"name": name, "all": suite == "attack", "cells": cells})
    return {"roles": [w(f"model.{r}") for r in roles], "rows": rows}


def _transcript(findings: Sequence[Finding], w: Words) -> dict[str, Any] | None:
    """One attack that succeeded, on the strongest model it succeeded on, in the page's language."""
    won = [f for f in findings if f.succeeded and f.lang == w.lang and f.model in ROLES]
    if not won:
        return None
    worst = max(won, key=lambda f: (ROLES.index(f.model), f.severity, f.attack))
    return {
        "title": w("attacks.transcript", model=w(f"model.{worst.model}")),
        "attack": worst.attack,
        "norm": worst.norm or "",
        "turns": [
            {"who": w(f"attacks.{m.role}"), "role": m.role, "text": m.content}
            for m in worst.transcript
        ],
    }


# Digests


def _rows_of(dataset: Dataset, w: Words) -> str:
    """How many rows a dataset has, and how many its sources had beside, by the reason."""
    why = [
        f"{words} {w.count(count)}"
        for reason, count in dataset.left_out.items()
        if count and (words := w.get(f"left.{reason}"))
    ]
    rows = w.count(dataset.rows)
    return w("trace.left_out", rows=rows, why=", ".join(why)) if why else rows


def _trace(data: ReportData, w: Words) -> list[tuple[str, str, str]]:
    """What the page was made from: (what, digest, note)."""
    rows: list[tuple[str, str, str]] = []
    if data.verdict is not None:
        rows.append((w("trace.verdict"), data.verdict.digest, ""))
    rows += [
        (w("trace.model", role=w.get(f"model.{r}", r)), m.digest, m.recipe)
        for r, m in data.models.items()
    ]
    if data.policy is not None:
        charter = data.policy.charter
        rows += [
            (w("trace.policy"), data.policy.digest, ""),
            (w("trace.charter"), charter.digest, f"{charter.id} {charter.version}"),
        ]
    if data.permit is not None:
        rows.append((w("trace.permit"), data.permit.digest, ""))
    rows += [
        *(
            (w("trace.dataset", kind=w.get(f"data.{d.kind}", d.kind)), d.content, _rows_of(d, w))
            for d in data.datasets
        ),
        *((w("trace.judge", name=j.name), j.digest, _judge_note(j, w)) for j in data.judges),
        *((w("trace.outcome", authority=o.authority), o.digest, "") for o in data.outcomes),
    ]
    if data.consultation is not None:
        rows.append((w("trace.consultation"), data.consultation.digest, ""))
        rows += [
            (w("trace.root", table=w.get(f"table.{table}", table)), root, "")
            for table, root in sorted(data.consultation.roots.items())
        ]
    if data.process is not None:
        title = shown_in(data.process.title, w.lang)
        rows.append((w("trace.process"), data.process.digest, title))
    return rows


def _judge_note(judge: Judge, w: Words) -> str:
    return "; ".join(
        w("trace.judge_error", se=w.number(e.value), lang=lang)
        for lang, e in sorted(judge.sensitivity.items())
    )


def _charter(data: ReportData, policy: Policy) -> CharterPage:
    return CharterPage(
        charter=policy.charter,
        title=data.title,
        languages=data.languages,
        policy=policy,
        permit=data.permit,
        process=data.process,
        polities=data.polities,
        statements=data.statements,
        measurements=data.measurements,
        report="report.html",
    )
