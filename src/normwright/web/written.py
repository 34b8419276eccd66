"""A page of one suite of written answers: the score, what stands beside it, and every answer.

A reader can open each unit and check what was asked, what was said, and how it was read. What asks
for harm or is toxic lies behind a fold of its own: nobody meets it unasked, on paper either.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from normwright.records import Estimate, Interval
from normwright.web.charts import Mark, panel
from normwright.web.marks import mark_of, placed
from normwright.web.pages import page, write_page
from normwright.web.scores import ticks_of
from normwright.web.words import Words, shipped, words_for

if TYPE_CHECKING:
    from normwright.evaluate.generative import GenerativeResult, Prompt, Reason

SHOWN: Final = 200
"""Units whose answers are on the page, at most; of more, so many are drawn by the run's seed."""
SHARE: Final = (0.0, 1.0)


def write_written_page(result: GenerativeResult, path: Path) -> None:
    """Write a result as one self-contained page, in every language that has words."""
    editions = [_edition(result, w) for w in words_for(shipped())]
    write_page(path, page("written.html.jinja", editions))


def _edition(result: GenerativeResult, w: Words) -> dict[str, Any]:
    asking, score = result.asking, result.score
    units = {p.unit for p in result.prompts}
    kept = _drawn(result)
    return {
        "w": w,
        "title": w("written.title", suite=_word("suite", asking.suite, w), lang=asking.lang),
        "charter": None,
        "lede": w("written.lede", model=result.model, n=w.count(len(units)),
                  clusters=w.count(score.n), cluster=_word("cluster", result.suite.cluster, w)),
        "metric": _word("metric", result.suite.metric, w),
        "better": w(f"written.better_{result.suite.better}"),
        "score": w.number(score.value),
        "interval": _ends(score, w),
        "degenerate": result.degenerate,
        "reasons": [_reason(r, result, w) for r in result.reasons],
        "sound": _sound(result, w),
        "views": [v for v in (_scores(result, w), _parts(result, w), _groups(result, w)) if v],
        "judge": _judge(result, w),
        "labels": _labels(result, w),
        "shown": w("written.shown_all", n=w.count(len(units))) if len(kept) == len(units)
        else w("written.shown_some", n=w.count(len(kept)), all=w.count(len(units)),
               seed=str(result.seed)),
        "answers": _answers(result, kept, w),
        "facts": _facts(result, w),
    }  # fmt: skip


def _word(kind: str, name: str, w: Words) -> str:
    """A name as the language has it; one that has no words, as from a file, stands as it is."""
    return w.get(f"written.{kind}_{name}", name) or name


def _reason(reason: Reason, result: GenerativeResult, w: Words) -> str:
    match reason.kind:
        case "nothing":
            return w("written.reason_nothing")
        case "level":
            names = ", ".join(_word("beside", n, w) for n in reason.names)
            return w("written.reason_level", score=w.number(result.score.value), names=names)
        case "floor":
            return w("written.reason_floor", what=_word("metric", reason.names[0], w),
                     hits=w.count(round(reason.hits)), n=w.count(reason.n),
                     low=w.number(reason.low))  # fmt: skip


def _sound(result: GenerativeResult, w: Words) -> list[str]:
    """What was shown where nothing makes the score hollow."""
    if result.degenerate:
        return []
    said = [w("written.sound_level")] if result.suite.lead else []
    floors = [p for p in result.suite.floors if p not in result.suite.excused]
    return said + [w("written.sound_floor", what=_word("metric", p, w)) for p in floors]


# Pictures


def _scores(result: GenerativeResult, w: Words) -> dict[str, Any] | None:
    suite = result.suite
    bounds = suite.bounds
    tone = "control" if result.degenerate else "aligned"
    rows = [(w("written.this_model"), result.score, tone)]
    rows += [
        (_word("beside", b.name, w), Estimate(value=b.score, interval=b.interval, n=0), "base")
        for b in (*result.controls, *result.constants) if b.score is not None
    ]  # fmt: skip
    return _view(
        w("written.scores"), w(f"written.scores_{'lead' if suite.lead else 'floor'}"), rows,
        bounds, w, n=result.score.n,
    )  # fmt: skip


def _parts(result: GenerativeResult, w: Words) -> dict[str, Any] | None:
    corrected = result.corrected or {}
    rows = []
    for name, estimate in result.metrics.items():
        rows.append((_word("metric", name, w), estimate, "aligned"))
        if name in corrected:
            rows.append((w("written.behind_judge"), _told(corrected[name]), "guarded"))
    if "difference" in corrected:
        rows.append((w("written.behind_judge_difference"), _told(corrected["difference"]),
                     "guarded"))  # fmt: skip
    signed = any((e.value or 0) < 0 or (e.ends or [0.0])[0] < 0 for _, e, _ in rows)
    return _view(w("written.parts"), w("written.parts_what"), rows,
                 result.suite.bounds if signed else SHARE, w, n=result.score.n)  # fmt: skip


def _groups(result: GenerativeResult, w: Words) -> dict[str, Any] | None:
    rows = [(_word("group", name, w), e, "aligned") for name, e in result.groups.items()]
    return _view(w("written.groups"), w("written.groups_what"), rows, result.suite.bounds, w,
                 n=result.score.n)  # fmt: skip


def _told(found: Mapping[str, Any]) -> Estimate:
    """A corrected rate as it stands in the result."""
    ends = found["interval"]
    at = None if ends is None else Interval(low=ends[0], high=ends[1], method="as told")
    return Estimate(value=found["value"], interval=at, n=found["n"])


def _view(
    name: str, what: str, rows: Sequence[tuple[str, Estimate, str]], bounds: tuple[float, float],
    w: Words, *, n: int,
) -> dict[str, Any] | None:  # fmt: skip
    """A picture, and the same numbers as a table for whoever reads or checks."""
    if not rows:
        return None
    marks = [m for label, e, tone in rows if (m := _mark(label, e, tone, bounds, n, w))]
    return {
        "name": name,
        "what": what,
        "picture": panel(marks, label=name, limit=None, side="upper", ticks=ticks_of(bounds, w)),
        "rows": [(label, w.number(e.value), _ends(e, w)) for label, e, _ in rows],
    }  # fmt: skip


def _mark(
    label: str, estimate: Estimate, tone: str, bounds: tuple[float, float], n: int, w: Words
) -> Mark | None:
    if estimate.interval is None and estimate.value is not None:
        # A score without an interval (one unit) is drawn as what it is known to be: a point.
        at = placed(estimate.value, bounds)
        text = w.number(estimate.value)
        return Mark(label, at, at, at, text, f"{label}: {text}", tone)
    counted = estimate.model_copy(update={"n": estimate.n or n})
    return mark_of(label, counted, w, spoken="behaviour.row", tone=tone, bounds=bounds)


def _ends(estimate: Estimate, w: Words) -> str:
    return "–" if estimate.ends is None else " – ".join(w.number(v) for v in estimate.ends)


# The judge


def _judge(result: GenerativeResult, w: Words) -> dict[str, Any] | None:
    if result.judge is None:
        return None
    body, lang = result.judge.as_json(result.asking.lang), result.asking.lang
    out = {
        "name": w("written.judge_is", judge=body["name"],
                  what=w.get(f"written.judges_{body['name']}", body["judges"]) or body["judges"]),
        "view": None,
        "lines": [(w("written.fact_digest"), body["digest"]),
                  (w("written.fact_measured"), body["measured_on"] or "–"),
                  (w("written.fact_trained"), body["trained_on"] or "–")],
    }  # fmt: skip
    if not body["measured"]:
        return {**out, "line": w("written.judge_unmeasured")}
    record = result.judge.record()
    rows = [(w(f"written.{name}"), shares[lang], "guarded")
            for name, shares in (("sensitivity", record.sensitivity),
                                 ("specificity", record.specificity))]  # fmt: skip
    return {
        **out,
        "line": w("written.judge_measured", se=w.count(rows[0][1].n), sp=w.count(rows[1][1].n)),
        "view": _view(w("written.judge_errors"), "", rows, SHARE, w, n=rows[0][1].n),
    }  # fmt: skip


# Answers


def _labels(result: GenerativeResult, w: Words) -> dict[str, Any]:
    found = result.distribution()
    labels = sorted({label for counts in found.values() for label in counts})
    return {
        "labels": [_word("label", label, w) for label in labels],
        "rows": [
            (_word("part", part, w), [w.count(counts.get(label, 0)) for label in labels])
            for part, counts in found.items()
        ],
    }


def _drawn(result: GenerativeResult) -> set[str]:
    units = sorted({p.unit for p in result.prompts})
    if len(units) <= SHOWN:
        return set(units)
    return set(random.Random(f"page/{result.seed}").sample(units, SHOWN))


def _answers(result: GenerativeResult, kept: set[str], w: Words) -> list[dict[str, Any]]:
    """Units by what their answers are, the commonest kind first."""
    units: dict[str, list[tuple[Prompt, str, str]]] = {}
    for prompt, label, answer in zip(
        result.prompts, result.reading.labels, result.answers, strict=True
    ):
        if prompt.unit in kept:
            units.setdefault(prompt.unit, []).append((prompt, label, answer))
    values = result.reading.values()
    kinds: dict[str, list[dict[str, Any]]] = {}
    for unit, rows in units.items():
        kind = " · ".join(
            _word("label", label, w) if len(rows) == 1
            else f"{_word('part', p.part, w)}: {_word('label', label, w)}"
            for p, label, _ in rows
        )  # fmt: skip
        value = values.get(unit)
        kinds.setdefault(kind, []).append({
            "id": unit,
            "group": _word("group", rows[0][0].group, w),
            "value": "–" if value is None else f"{value:g}".replace("-", "\N{MINUS SIGN}"),
            "sides": [_side(result, *row, w) for row in rows],
        })  # fmt: skip
    return [
        {"kind": kind, "count": w.count(len(some)), "units": some}
        for kind, some in sorted(kinds.items(), key=lambda item: -len(item[1]))
    ]


def _side(
    result: GenerativeResult, prompt: Prompt, label: str, answer: str, w: Words
) -> dict[str, Any]:
    return {
        "part": _word("part", prompt.part, w),
        "label": _word("label", label, w),
        "asked": prompt.text,
        "answer": answer if answer.strip() else w("written.nothing"),
        "lang": prompt.lang,
        "folded": bool(result.suite.harmful & {prompt.part, label}),
    }


def _facts(result: GenerativeResult, w: Words) -> list[tuple[str, str]]:
    body = result.as_json()
    guard = body.get("guard")
    seeds = ", ".join(f"{_word('seed', k, w)} {v}" for k, v in body["seeds"].items())
    left = ", ".join(f"{_word('left', k, w)}: {w.count(v)}" for k, v in body["left_out"].items())
    return [
        (w("written.fact_model"), f"{body['model']}, {body['model_digest']}"),
        (w("written.fact_guard"), guard["place"] if guard else w("written.none")),
        (w("written.fact_method"), f"{body['interval_method'] or '–'}, "
         f"{_word('cluster', body['cluster'], w)} ({w.count(body['clusters'])})"),
        (w("written.fact_unscored"), w.count(body["unscored"])),
        (w("written.fact_harness"), body["harness"]),
        (w("written.fact_seeds"), seeds),
        (w("written.fact_data"), f"{body['data']['origin']}, {body['data']['digest']}"),
        (w("written.fact_licence"), body["licence"]),
        (w("written.fact_left"), left or w("written.none")),
    ]  # fmt: skip
