"""A page of scores: every one with its interval, beside chance and the best constant answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright.records import Estimate, Interval
from normwright.release import Form
from normwright.web.charts import panel
from normwright.web.marks import mark_of, placed
from normwright.web.pages import page, write_page
from normwright.web.words import Words, shipped, words_for

if TYPE_CHECKING:
    from normwright.evaluate import Score, SuiteResult
    from normwright.flow.scores import ScoresCompared


def write_scores_page(
    found: ScoresCompared, path: Path, *, results: Sequence[SuiteResult] = ()
) -> None:
    """Write scores as one self-contained page, in every language that has words.

    Args:
        found: rows, and what differs between them.
        path: the file.
        results: local results, of which the page tells everything that stands beside the score.
    """
    editions = [_edition(found, results, w) for w in words_for(shipped())]
    write_page(path, page("scores.html.jinja", editions))


def _edition(found: ScoresCompared, results: Sequence[SuiteResult], w: Words) -> dict[str, Any]:
    flagged = sum(row.degenerate for row in found.rows)
    groups: dict[tuple[str, str | None], list[Score]] = {}
    for row in found.rows:
        groups.setdefault((row.name, row.lang), []).append(row)
    return {
        "w": w,
        "title": w("scores.title"),
        "charter": None,
        "lede": w("scores.lede", all=w.count(len(found.rows)), some=w.count(flagged)),
        "views": [_view(suite, lang, rows, results, w) for (suite, lang), rows in groups.items()],
        "differences": [_difference(one, w) for one in found.comparisons],
        "written": any(row.written is not None for row in found.rows),
        "judges": list(dict.fromkeys(told for row in found.rows if (told := _judge(row, w)))),
        "facts": [_facts(result, w) for result in results],
        "source": w("scores.source_what", **found.table.about()) if found.table else "",
        "notes": list(found.table.notes) if found.table else [],
    }


def _view(
    suite: str, lang: str | None, rows: Sequence[Score], results: Sequence[SuiteResult], w: Words
) -> dict[str, Any]:
    name, first = f"{suite}, {lang}" if lang else suite, rows[0]
    if first.better != "more":
        name += f" ({w(f'scores.better_{first.better}')})"
    marks = [mark for row in rows if (mark := _mark(row, w)) is not None]
    for result in results:
        bench = result.scored.benchmark
        if (bench.suite, bench.lang) == (suite, lang):
            marks += [m for c in result.controls if (m := _control(c, rows[0], w)) is not None]
    constants = first.constants
    chance = constants.get("chance", constants.get("equal-likelihoods"))
    ticks = ticks_of(first.bounds, w)
    if chance is not None and min(abs(placed(chance, first.bounds) - v) for v, _ in ticks) > 0.1:
        ticks.append((chance, w("scores.chance_tick", value=w.number(chance))))
    best = next((n for n, v in constants.items() if v == first.best_constant), None)
    sizes = sorted({row.n for row in rows})
    return {
        "name": name,
        "line": w(
            "scores.line",
            n=", ".join(w.count(n) for n in sizes),
            answer="–" if best is None else best,
            value=w.number(None if best is None else constants[best]),
        ),
        "picture": panel(marks, label=name, limit=None, side="upper", ticks=ticks),
    }


def ticks_of(bounds: tuple[float, float], w: Words) -> list[tuple[float, str]]:
    """Return the places on the axis of a score between its bounds, with their numbers."""
    middle = sum(bounds) / 2
    return [(placed(v, bounds), w.number(v, "whole")) for v in (bounds[0], middle, bounds[1])]


def _mark(row: Score, w: Words) -> Any:
    label = row.model if len(row.model) <= 30 else f"…{row.model[-29:]}"
    return mark_of(
        f"{label} ({w('scores.degenerate')})" if row.degenerate else label,
        _estimate(row.score, row.interval, row.n),
        w,
        bounds=row.bounds,
        spoken="behaviour.row",
        tone="control" if row.degenerate else "aligned",
        reference=row.best_constant,
    )


def _control(control: Any, row: Score, w: Words) -> Any:
    if control.score is None:
        return None
    return mark_of(
        w.get(f"control_short.{control.name}", control.name) or control.name,
        _estimate(control.score, control.interval, row.n), w, spoken="behaviour.row",
        tone="control", reference=row.best_constant,
    )  # fmt: skip


def _estimate(value: float, ends: tuple[float, float] | None, n: int) -> Estimate:
    at = None if ends is None else Interval(low=ends[0], high=ends[1], method="as told")
    return Estimate(value=None if isnan(value) else value, interval=at, n=n)


def _difference(one: Any, w: Words) -> tuple[str, ...]:
    found = one.difference
    return (
        one.before.model,
        one.after.model,
        f"{one.after.name}, {one.lang}" if one.lang else one.after.name,
        w.number(None if found is None else found.value, "points"),
        *(_ends(None if e is None else e.ends, w, "points") for e in (found, one.corrected)),
        w(f"scores.verdict_{one.verdict.replace(' ', '_')}"),
    )


def _judge(row: Score, w: Words) -> str:
    """The judge that counted a row, with its measured errors; empty without one."""
    if row.written is None or row.written.judge is None:
        return ""
    told = row.written.judge.as_json()
    where = {"suite": row.suite, "lang": row.lang, "judge": told["name"]}
    shares = {key: told[name] for key, name in (("se", "sensitivity"), ("sp", "specificity"))}
    if None in shares.values():
        return w("scores.judge_unmeasured", **where)
    return w(
        "scores.judge", **where,
        **{key: w.number(one["value"]) for key, one in shares.items()},
        **{f"{key}_at": _ends(one["interval"], w) for key, one in shares.items()},
        **{f"{key}_n": w.count(one["n"]) for key, one in shares.items()},
    )  # fmt: skip


def _facts(result: SuiteResult, w: Words) -> dict[str, Any]:
    body = result.as_json()
    lines = [
        (w("scores.fact_model"), body["model"]),
        (w("scores.fact_score"), f"{body['metric']} {w.number(body['score'])}"),
        (w("scores.fact_interval"), _ends(body["interval"], w)),
        (w("scores.fact_method"), f"{body['interval_method']}, {body['cluster']}"),
        (w("scores.fact_n"), w.count(body["n"])),
        (w("scores.fact_balanced"), w.number(body["balanced"])),
        (w("scores.fact_answers"), _counts(body["distribution"], w)),
        *((w("scores.fact_constant", answer=c["answer"]), w.number(c["score"]))
          for c in body["constant"]),
        (w("scores.fact_harness"), f"{body['harness']}, {body['task']} {body['task_version']}"),
        (w("scores.fact_shots"), str(body["shots"])),
        (w("scores.fact_scaffold"), body["scaffold"]),
        (w("scores.fact_seeds"), ", ".join(f"{k} {v}" for k, v in body["seeds"].items())),
        (w("scores.fact_data"), f"{body['data']} ({body['licence']})"),
    ]  # fmt: skip
    return {
        "name": f"{body['suite']}, {body['lang']}",
        "why": w("scores.is_degenerate" if body["degenerate"] else "scores.is_above",
                 why=body["why"]),
        "lines": lines,
    }  # fmt: skip


def _ends(ends: Sequence[float] | None, w: Words, form: Form = "share") -> str:
    return "–" if ends is None else " – ".join(w.number(v, form) for v in ends)


def _counts(counts: Mapping[str, int], w: Words) -> str:
    return ", ".join(f"{name}: {w.count(n)}" for name, n in counts.items())
