"""The safety case: claims, what they rest on, the holes, and what could defeat them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from normwright.records import (
    Contrast,
    Criterion,
    CriterionResult,
    Defence,
    Digest,
    ErrorBudget,
    Estimate,
    Measurement,
    ModelRef,
    ModeVerdict,
    Permit,
    Policy,
    RemoteUse,
    Text,
    Verdict,
)
from normwright.release.arguing import UNOWNED
from normwright.release.deciding import PERMIT, permit_criterion
from normwright.release.doubts import defeaters
from normwright.release.wording import Form, Said, number, say, word


def safety_case(
    verdict: Verdict,
    *,
    criteria: Iterable[Criterion],
    policy: Policy,
    permit: Permit | None = None,
    measurements: Sequence[Measurement] = (),
    contrasts: Sequence[Contrast] = (),
    models: Sequence[ModelRef] = (),
    budgets: Sequence[ErrorBudget] = (),
    uses: Sequence[RemoteUse] = (),
    defences: Mapping[str, Defence] | None = None,
    doubts: Mapping[str, Text] | None = None,
    lang: str,
) -> str:
    """Return the case for (and against) release as Markdown in one language.

    Each mode is a claim, each required group a sub-claim, each criterion a line with its evidence
    by digest. A criterion without evidence is an undeveloped node and is written as one, not left
    out. Structure after the Goal Structuring Notation standard (version 3, 2021): claims, evidence,
    undeveloped nodes; and Assurance 2.0 (Bloomfield and Rushby, 2020): defeaters.

    Args:
        verdict: the decision the case is about.
        criteria: the criteria it was made by, for their statements.
        policy: the policy in force, with its charter.
        permit: what the models were trained under; None where nobody was asked for one.
        measurements: those to list with their intervals; any not in evidence are left out.
        contrasts: likewise.
        models: the weights behind the roles, for the defeaters about size and about APIs.
        budgets: how far trained models may be from what people prefer; one that names a model is
            listed where that model is among `models`.
        uses: what models behind an API were asked, and what that took.
        defences: who answers for what could defeat the case, by its short name.
        doubts: what else could defeat it, by short name.
        lang: the language to write in; it needs a words file.

    Raises:
        KeyError: if there are no words in that language.
    """
    statements = {c.id: c.statement for c in criteria}
    statements[PERMIT] = permit_criterion((lang,)).statement
    known = {d for m in verdict.modes for r in m.results for d in r.evidence}
    blocks = [
        f"# {_w('title', lang)}: {policy.charter.id}",
        _w("intro", lang),
        *([f"> **{_w('simulated', lang)}**"] if policy.charter.kind == "simulated" else []),
        "\n".join(_identity(verdict, policy, permit, models, lang)),
        f"## {_w('claims', lang)}",
        *(_claim(mode, statements, lang) for mode in verdict.modes),
        f"## {_w('controls', lang)}",
        _controls(verdict, lang),
        f"## {_w('defeaters', lang)}",
        "\n".join(
            f"- {doubt} *({_answers(name, defences or {}, lang)})*"
            for name, doubt in {
                **defeaters(policy, measurements, models, lang),
                **{n: text.get(lang, "") for n, text in (doubts or {}).items()},
            }.items()
        ),
        f"## {_w('norms', lang)}",
        _norms(policy, lang),
        f"## {_w('measurements', lang)}",
        _measurements([m for m in measurements if m.digest in known], lang),
        *_budgets([b for b in budgets if b.model in {None, *(m.digest for m in models)}], lang),
        *([f"## {_w('remote', lang)}", _uses(uses, lang)] if uses else []),
        f"## {_w('comparisons', lang)}",
        _contrasts([c for c in contrasts if c.digest in known], lang),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _identity(
    verdict: Verdict,
    policy: Policy,
    permit: Permit | None,
    models: Sequence[ModelRef],
    lang: str,
) -> Iterator[str]:
    charter = f"`{verdict.charter}` ({policy.charter.id}, {policy.charter.version})"
    yield f"## {_w('identity', lang)}"
    yield ""
    yield f"- {_w('model', lang)}: `{verdict.model}`"
    yield f"- {_w('charter', lang)}: {charter}"
    if permit is not None:
        modes = ", ".join(permit.modes) or _w("none", lang)
        yield f"- {_w('permit', lang)}: `{permit.digest}` ({_w('modes', lang)}: {modes})"
    if marked := [model.name for model in models if model.unpermitted]:
        yield f"- {_w('unpermitted', lang)}: {', '.join(marked)}"
    yield f"- {_w('verdict', lang)}: `{verdict.digest}`"
    yield (
        f"- {_w('alpha', lang)}: {number(verdict.alpha, 'share', lang)}"
        f" ({verdict.candidates} {_w('candidates', lang)})"
    )


def _claim(mode: ModeVerdict, statements: dict[str, dict[str, str]], lang: str) -> str:
    lines = [
        f"### {_w('claim', lang).format(mode=mode.mode)} **{mode.verdict}**",
        "",
        mode.reason.get(lang, ""),
    ]
    groups = dict.fromkeys(r.group for r in mode.results)
    for group in groups:
        results = [r for r in mode.results if r.group == group]
        lines += ["", f"- **{_w('group', lang)} `{group}`**: {_standing(results, lang)}"]
        for result in results:
            lines += _node(result, statements, lang)
    return "\n".join(lines)


def _standing(results: Sequence[CriterionResult], lang: str) -> str:
    states = {r.state for r in results if r.on_fail != "report"}
    if "fail" in states:
        return _w("refuted", lang)
    if states <= {"pass"}:
        return _w("holds", lang)
    return _w("open", lang)


def _node(result: CriterionResult, statements: dict[str, dict[str, str]], lang: str) -> list[str]:
    statement = statements.get(result.criterion, {}).get(lang, "")
    if not statement and result.criterion.startswith("control:"):
        statement = say(
            Said("control.statement", {"control": result.criterion.partition(":")[2]}), lang
        )
    mark = {"pass": "✔", "fail": "✘", "inconclusive": "?", "missing": "◇"}[result.state]
    state = word(f"state.{result.state}", lang)
    if result.state == "missing":
        state = _w("undeveloped", lang)
    force = f"{_w('on_fail', lang)}: {word(f'on_fail.{result.on_fail}', lang)}"
    lines = [
        f"  - {mark} `{result.criterion}` **{state}** ({force}). {statement}",
        f"    {result.reason.get(lang, '')}",
    ]
    if result.bound is not None and result.observed is not None:
        form = _form(result)
        needed = _w("none", lang) if result.n_needed is None else str(result.n_needed)
        lines.append(
            f"    {_w('observed', lang)} {number(result.observed, form, lang)} · "
            f"{_w('bound', lang)} {number(result.bound, form, lang)} · "
            f"{_w('limit', lang)} {number(result.limit, form, lang)} · "
            f"n {result.n} · {_w('needed', lang)} {needed}"
        )
    evidence = ", ".join(f"`{_short(d)}`" for d in result.evidence) or _w("none", lang)
    lines.append(f"    {_w('evidence', lang)}: {evidence}")
    return lines


def _answers(name: str, defences: Mapping[str, Defence], lang: str) -> str:
    defence = defences.get(name, UNOWNED)
    status = word(f"case.argue_{defence.status}", lang)
    note = defence.note.get(lang, "")
    owner = defence.owner or word("case.argue_no_owner", lang)
    return f"`{name}`, {status}; {owner}" + (f": {note}" if note else "")


def _form(result: CriterionResult) -> Form:
    """Differences can be negative or have a limit at or under zero; rates cannot."""
    return "points" if result.limit <= 0 else "share"


def _controls(verdict: Verdict, lang: str) -> str:
    if not verdict.controls:
        return _w("no_controls", lang)
    return _table(
        [_w(k, lang) for k in ("control", "expected", "came", "stopped", "as_expected")],
        [
            (
                c.name,
                word(f"control.expected_{c.expected}", lang),
                c.verdict,
                f"`{c.deciding}`" if c.deciding else "–",
                _w("held" if c.as_expected else "not_held", lang),
            )
            for c in verdict.controls
        ],
    )


def _uses(uses: Sequence[RemoteUse], lang: str) -> str:
    """What was asked of models behind an API; what is not known is a dash, never 0."""
    columns = ("use", "endpoint", "model", "when", "requests", "tokens", "cost", "content")
    rows = []
    for use in sorted(uses, key=lambda use: (use.role, use.endpoint, use.model)):
        read, written = use.prompt_tokens, use.completion_tokens
        cost = "–"
        if use.cost is not None:
            amount = f"{use.cost:.4f}".replace(".", word("format.decimal", lang))
            cost = f"{amount} {use.currency}"
        rows.append(
            (
                word(f"use.{use.role}", lang, use.role),
                use.endpoint,
                use.model,
                f"{use.first_asked[:10]} – {use.last_asked[:10]}",
                str(use.requests),
                "–" if read is None or written is None else f"{read} + {written}",
                cost,
                f"`{_short(use.content)}`",
            )
        )
    return _table([_w(name, lang) for name in columns], rows)


def _budgets(budgets: Sequence[ErrorBudget], lang: str) -> Iterator[str]:
    """From votes to weights: each part of the error, what was assumed, and what fails of it."""
    if not budgets:
        return
    yield f"## {_w('budget', lang)}"
    yield _w("budget_about", lang)
    for budget in budgets:
        parts = {
            "noise": budget.noise,
            "reward_error": budget.reward,
            "optimiser": budget.optimiser,
            "regret": budget.regret,
        }
        rows = [
            (_w(f"budget_{name}", lang), "–" if one is None else _estimate(one, lang, "plain"),
             "–" if one is None or one.value is None else str(one.n))
            for name, one in parts.items()
        ]  # fmt: skip
        total = "–" if budget.total is None else number(budget.total, "plain", lang)
        rows.append((_w("budget_total", lang), total, str(budget.prompts)))
        yield _table([_w("budget_part", lang), _w("budget_nats", lang), _w("n", lang)], rows)
        size = _w("budget_size", lang).format(
            prompts=budget.prompts, all=budget.prompts_in_all, answers=budget.answers
        )
        if budget.guaranteed:
            yield f"{size} {_w('budget_holds', lang)}"
        else:
            why = "; ".join(_w(f"doubt_{doubt}", lang) for doubt in budget.doubts)
            yield f"{size} **{_w('budget_not', lang)}** {why}."


def _norms(policy: Policy, lang: str) -> str:
    rows = []
    for norm in policy.charter.norms:
        support = norm.provenance.support.get("all") if norm.provenance else None
        rows.append(
            (
                f"`{norm.ref}`",
                norm.layer,
                norm.status,
                norm.statement.get(lang, ""),
                _estimate(support, lang) if support else "–",
            )
        )
    heads = [_w("norm", lang), _w("layer", lang), _w("status", lang), "", _w("support", lang)]
    text = _table(heads, rows)
    if policy.charter.not_holding:
        lines = [f"- `{r.norm}`: {r.reason_in(lang)}" for r in policy.charter.not_holding]
        text += "\n\n" + f"### {_w('rejected', lang)}\n\n" + "\n".join(lines)
    return text


def _measurements(measurements: Sequence[Measurement], lang: str) -> str:
    heads = ("suite", "subject", "language", "value", "n", "baselines", "evidence")
    return _table(
        [_w(h, lang) for h in heads],
        [
            (
                f"{m.suite} / {m.metric}",
                m.model,
                m.lang or "*",
                _estimate(m.estimate, lang, "plain" if m.suite == "bits-per-byte" else "share"),
                str(m.estimate.n),
                ", ".join(f"{k} {v:.2f}" for k, v in sorted(m.baselines.items())) or "–",
                f"`{_short(m.digest)}`",
            )
            for m in measurements
        ],
    )


def _contrasts(contrasts: Sequence[Contrast], lang: str) -> str:
    return _table(
        [_w(h, lang) for h in ("suite", "subject", "language", "difference", "n", "evidence")],
        [
            (
                c.suite,
                f"{c.better} − {c.worse}",
                c.lang or "*",
                _estimate(c.difference, lang, "points"),
                str(c.difference.n),
                f"`{_short(c.digest)}`",
            )
            for c in contrasts
        ],
    )


def _estimate(estimate: Estimate, lang: str, form: Form = "share") -> str:
    if estimate.value is None:
        return "–"
    text = number(estimate.value, form, lang)
    if estimate.interval is None:
        return text
    low, high = (number(v, form, lang) for v in (estimate.interval.low, estimate.interval.high))
    return f"{text} [{low}; {high}]"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "–"
    clean = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return "\n".join(
        [
            "| " + " | ".join(heads) + " |",
            "|" + " --- |" * len(heads),
            *("| " + " | ".join(row) + " |" for row in clean),
        ]
    )


def _short(digest: Digest) -> str:
    return digest[:19]


def _w(key: str, lang: str) -> str:
    return word(f"case.{key}", lang)
