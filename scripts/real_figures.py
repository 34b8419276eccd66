"""Write what came out of the example on real data: docs/experiments/real.md.

    python scripts/real_figures.py DIR --seconds S

DIR is a project made by `examples/real/prepare.py` and run to its end; S is the wall time of that
run, which is handed over.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from normwright import flow
from normwright.records import Contrast, Estimate, Measurement

PAGE = Path(__file__).resolve().parent.parent / "docs/experiments/real.md"
ROLES = ("base", "tuned", "aligned", "guarded", "reward", "labels", "people")
SCENES = ("help", "harm", "over-refusal")


def main() -> int:
    """Write the page and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    found = flow.results(given.directory)
    lines = "\n".join(page(found, given.seconds)) + "\n"
    PAGE.write_text(lines, encoding="utf-8")
    sys.stdout.write(lines)
    return 0


def page(found: flow.Results, seconds: float) -> Iterator[str]:
    """Yield the lines of the page."""
    seen, charter = found.consultation, found.policy.charter
    yield "<!-- Written by scripts/real_figures.py; do not edit. -->"
    yield ""
    yield "# The whole path on real data"
    yield ""
    yield f"`examples/real`, seed {found.project.settings.seed}, {seconds / 60:.0f} minutes on two"
    yield "cores. What real people said, judged and labelled; the intervals are at 95 %. Nothing in"
    yield "these tables but the scenes decides a release."
    yield ""
    yield "## What people said, and what came of it"
    yield ""
    counted = f"{seen.participants:,} participants, {seen.votes:,} votes on {seen.statements}"
    yield f"{counted} statements."
    for outcome in found.outcomes:
        yield outcome.grouping.reason
    yield ""
    yield "| norm | support | n | groups | came out |"
    yield "|---|---|---|---|---|"
    for norm in charter.norms:
        support = norm.provenance.support if norm.provenance else {}
        yield _norm(norm.ref, support, f"{norm.status}, {_level(norm.provenance)}")
    for rejected in charter.not_holding:
        yield _norm(rejected.norm, rejected.support, rejected.reason)
    yield ""
    yield "## What was learned from"
    yield ""
    yield "| rows | n | by source | licences | left out | by a norm |"
    yield "|---|---|---|---|---|---|"
    for data in found.datasets:
        curated = "; ".join(f"{c.norm} {c.action} {c.rows}" for c in data.curation)
        sources = (
            _counts(data.families) if len(data.families) < 12 else f"{len(data.families)} kinds"
        )
        yield (
            f"| {data.kind} | {data.rows} | {sources} | {_counts(data.licences)} | "
            f"{_counts(data.left_out)} | {curated} |"
        )
    yield ""
    yield from _behaviour(found)
    yield from _beside(found.measurements, found.contrasts)
    yield "## Verdict"
    yield ""
    for mode in found.verdict.modes:
        yield f"- {mode.mode}: **{mode.verdict}**, decided by `{mode.deciding}`."
        yield f"  {mode.reason['en']}"
    yield from _permission(found)
    controls = ", ".join(f"{c.name}: {c.verdict}" for c in found.verdict.controls)
    yield f"- Controls: {controls}."


def _permission(found: flow.Results) -> Iterator[str]:
    """Yield how the verdict stands to training without a permit."""
    marked = ", ".join(model.name for model in found.models if model.unpermitted)
    if marked:
        yield f"- Trained without a permit, so no mode may release them: {marked}. Nobody who took"
        yield "  part was asked whether their answers may train a model."


def _level(made: object) -> str:
    level = getattr(made, "decision_level", None)
    return f"level {level}" if level else "adopted on its source"


def _norm(ref: str, support: dict[str, Estimate], came: str) -> str:
    everyone = support.get("all")
    groups = ", ".join(f"{g} {_of(e)}" for g, e in sorted(support.items()) if g != "all")
    return f"| `{ref}` | {_of(everyone)} | {everyone.n if everyone else ''} | {groups} | {came} |"


def _of(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    if estimate.interval is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.interval.low:.3f}, {estimate.interval.high:.3f}]"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{k}: {v:,}" for k, v in counts.items())


def _behaviour(found: flow.Results) -> Iterator[str]:
    yield "## On the project's own scenes"
    yield ""
    yield "| suite | language | model | rate | n |"
    yield "|---|---|---|---|---|"
    for m in found.measurements:
        if m.suite in SCENES and m.norm is None and m.lang is not None:
            yield f"| {m.suite} | {m.lang} | {m.model} | {_of(m.estimate)} | {m.estimate.n} |"
    yield ""


def _beside(measurements: Sequence[Measurement], contrasts: Sequence[Contrast]) -> Iterator[str]:
    for title, suites, metrics in (
        ("Labelled texts", ("labels",), ("auc", "sensitivity", "specificity")),
        ("Held-out judgements", ("judged-pairs",), ("implicit", "likelihood_norm", "score",
                                                    "human-agreement")),
        ("Benchmarks", ("arc-easy", "arc-challenge", "truthfulqa-mc1", "truthfulqa-mc2",
                        "toxigen"), ("acc", "acc_norm", "balanced-accuracy", "auc")),
    ):  # fmt: skip
        yield f"## {title}"
        yield ""
        yield "| suite | metric | language | role | value | n | without understanding |"
        yield "|---|---|---|---|---|---|---|"
        for m in measurements:
            name = m.metric.split("/")[-1]
            if m.suite.split(".")[0] in suites and name in metrics and m.lang is not None:
                constants = ", ".join(f"{k} {v:.3f}" for k, v in m.baselines.items())
                yield (
                    f"| {m.suite} | {m.metric} | {m.lang} | {m.model} | {_of(m.estimate)} | "
                    f"{m.estimate.n} | {constants} |"
                )
        yield ""
        compared = [c for c in contrasts if c.suite in suites]
        if compared:
            yield "| compared | suite | language | difference | n |"
            yield "|---|---|---|---|---|"
            for c in compared:
                what = str((c.made_by.parameters if c.made_by else {}).get("metric", ""))
                yield (
                    f"| {c.better} - {c.worse} | {c.suite} {what} | {c.lang} | "
                    f"{_of(c.difference)} | {c.difference.n} |"
                )
            yield ""


if __name__ == "__main__":
    raise SystemExit(main())
