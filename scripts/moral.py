"""What the moral battery finds about the embedded model, and about random weights of its shape.

    python -m scripts.moral [--limit N] [--data DIR] [--kept DIR] [--out FILE]

Answers are kept in a folder, so that a run that was stopped goes on where it was. Writes
docs/experiments/moral.md.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from normwright.charter import assembled, read_source
from normwright.charter.drawing import Drawing
from normwright.evaluate import moral
from normwright.flow import CaseRows, write_cases
from normwright.flow.kept_answers import KeptAnswers
from normwright.flow.moral import MoralAsked, moral_report, opened
from normwright.models.places import embedded_path
from normwright.records import Estimate, MoralFigure, MoralReport

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "experiments" / "moral.md"
TOWN = ROOT / "src" / "normwright" / "flow" / "templates" / "town" / "norms"
CASES = 8
"""Cases drawn, four a unit: each answer is generated, 256 tokens of it."""
SIGNS = {"lower": "≥", "upper": "≤", "both": "±"}


def main() -> int:
    """Ask both, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--limit", type=int, default=24)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "moral")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    given.kept.mkdir(parents=True, exist_ok=True)
    began = time.process_time()
    cases = given.kept / "cases.jsonl.gz"
    town = assembled(read_source(TOWN), drafts=True)
    write_cases(CaseRows(Drawing(charter=town, seed=1), "items", 0, CASES), cases)
    found: Any = opened(str(embedded_path()), threads=given.threads, seed=given.seed)
    asked = MoralAsked(("en", "pt"), given.data, cases, given.limit, given.seed)
    reports = [
        _report(found, model, name, asked, given.kept)
        for model, name in ((found.model, "embedded"), (found.control, "random-init"))
    ]
    weights = sum(p.numel() for p in found.model.model.weights.parameters())
    text = "\n".join(page(*reports, weights=weights, seconds=time.process_time() - began))
    print(text)
    given.out.write_text(text, encoding="utf-8")
    return 0


def _report(found: Any, model: Any, name: str, asked: MoralAsked, kept: Path) -> MoralReport:
    def told(done: int, of: int, what: str) -> None:
        if done % 192 == 0 or done == of:
            print(f"{what}: {done} of {of}, {time.process_time():.0f} CPU s", flush=True)

    kept_answers = KeptAnswers(model, kept / f"{name}.jsonl", name=name)
    return moral_report(kept_answers, asked, digest=found.digest,
                        fits=found.fits, told=told)  # fmt: skip


def page(base: MoralReport, random: MoralReport, *, weights: int, seconds: float) -> Iterator[str]:
    """Yield the lines of the page."""
    yield "# What the moral battery finds about the embedded model"
    yield ""
    yield "Written by `python -m scripts.moral --data DIR`."
    yield ""
    yield (
        f"The embedded model has {weights / 1e6:.1f} million weights. Nobody should expect moral "
        "reasoning of it, and this page is no claim that there is any: it shows what the battery "
        "says about a model that cannot do the task, beside random weights of the same shape and "
        "a coin. Where both columns pass, passing shows nothing."
    )
    yield ""
    told = "; ".join(f"{name} {_drawn(body)}" for name, body in base.sources.items())
    yield (
        f"{_left_out(base)}Prompts: {base.asked} and {random.asked}; too long and left out: "
        f"{base.left_out}. Seed {base.seed}. Drawn: {told}. "
        "Values are means with 95 % intervals that resample whole frames, scenarios, pairs, lists "
        "or units (n); with fewer than eight nothing is decided. In brackets after net flips stand "
        "the flips, and the retest's that come off."
    )
    yield ""
    yield "| part | embedded | random weights |"
    yield "|---|---|---|"
    for part, state in base.states.items():
        yield f"| {part} | {state} | {random.states[part]} |"
    yield f"| **together** | {base.state} | {random.state} |"
    yield ""
    others = {(f.part, f.name, f.source, f.lang): f for f in random.figures}
    for part in base.states:
        yield f"## {part.capitalize()}"
        yield ""
        yield "| figure | source | n | embedded | | random weights | | coin | limit |"
        yield "|---|---|---|---|---|---|---|---|---|"
        for f in base.figures:
            if f.part == part:
                yield _row(f, others[f.part, f.name, f.source, f.lang])
        yield ""
    yield from seen(base, random)
    yield f"{seconds:.0f} CPU seconds in this run; answers that were kept cost nothing."
    yield ""


def _drawn(body: dict[str, Any]) -> str:
    if "unread" in body:
        return f"not read, of no form the battery knows ({body['unread']})"
    return str(body["drawn"]) + (f" of {body['of']}" if "of" in body else "")


def _left_out(report: MoralReport) -> str:
    """What was not asked, and why."""
    sets = [b for b in report.sources.values() if "of" in b]
    held = sum(b["of"] for b in sets)
    drawn = sum(min(b["of"], report.limit or b["of"]) for b in sets)
    frames = report.sources["native"]["drawn"]
    of = max(len(moral.frames(lang)) for lang in report.languages)
    told = f"Our own scenarios: {frames} of {of} frames, each in {' and '.join(report.languages)}. "
    if drawn < held:
        told += (
            f"Of each data set {report.limit} scenarios or minimal pairs were drawn by the seed, "
            f"{drawn} of {held} in all: asking them all would take {held / drawn:.0f} times as "
            "long, of a model of which nobody expects moral reasoning, and the intervals say what "
            "a sample of this size leaves open. "
        )
    return told


def _row(f: MoralFigure, other: MoralFigure) -> str:
    coin = f.baselines.get("coin", f.baselines.get("constant"))
    limit = "" if f.limit is None else f"{SIGNS[f.side or 'lower']} {f.limit:g}"
    raw = "" if f.noise is None else f" (perfect: {f.noise:.2f})"
    if f.raw is not None and f.noise is not None:
        raw = f" ({f.raw:.2f} − {f.noise:.2f})"
    where = f.source if f.lang is None else f"{f.source}, {f.lang}"
    return (
        f"| {f.name} | {where} | {f.estimate.n} | {_told(f.estimate)}{raw} | {_state(f)} "
        f"| {_told(other.estimate)} | {_state(other)} | {'' if coin is None else f'{coin:.2f}'} "
        f"| {limit} |"
    )


def _state(f: MoralFigure) -> str:
    return f"{f.state} ({f.why})" if f.why else f.state


def _told(found: Estimate) -> str:
    if found.value is None:
        return "–"
    ends = found.ends
    return f"{found.value:.2f}" + (f" [{ends[0]:.2f}, {ends[1]:.2f}]" if ends else "")


def seen(base: MoralReport, random: MoralReport) -> Iterator[str]:
    """Yield what can be read off, each sentence with its figures."""
    yield "## What is seen"
    yield ""
    for lang in base.languages:
        one = {f.name: f for f in base.figures if f.source == "native" and f.lang == lang}
        two = {f.name: f for f in random.figures if f.source == "native" and f.lang == lang}
        if not one:
            continue
        yield (
            f"- **{lang}**: accuracy {_told(one['accuracy'].estimate)} beside "
            f"{_told(two['accuracy'].estimate)}; minimal pairs with both right "
            f"{_told(one['sensitivity'].estimate)} beside {_told(two['sensitivity'].estimate)} "
            f"(a coin 0.25); exchanging the options flips {one['order'].raw or 0:.2f} of the "
            f"answers where meaningless changes flip {one['order'].noise or 0:.2f}."
        )
    passed = [f for f in base.figures if f.state == "pass"]
    shared = {(f.name, f.source, f.lang) for f in random.figures if f.state == "pass"}
    yield (
        f"- The embedded model passes {len(passed)} figures: "
        + ("; ".join(f"{f.name} ({f.source}, {f.lang})"
                     + (", as random weights do" if (f.name, f.source, f.lang) in shared else "")
                     for f in passed) or "none")
        + "."
    )  # fmt: skip
    moved = [f for f in base.figures
             if f.name in ("sensitivity", "accuracy") and f.estimate.interval is not None
             and f.estimate.interval.low > f.baselines.get("coin", 1.0)
             and f.estimate.interval.low > (0.25 if f.name == "sensitivity" else 0.5)]  # fmt: skip
    yield (
        "- Accuracy or sensitivity shown to be above chance and a coin: "
        + ("; ".join(f"{f.name} ({f.source}, {f.lang})" for f in moved) or "nowhere")
        + "."
    )
    yield (
        "- Not shown: anything about larger models; what the model would write; that scenarios of "
        "this project speak for the moral life of anybody."
    )
    yield ""


if __name__ == "__main__":
    raise SystemExit(main())
