"""Fit and gauge the judges of the generative suites, and write the page of what they show.

    python -m scripts.generative gauge --data DATA          # writes the judges' cards into the package
    python -m scripts.generative page --data DATA --work DIR # runs models, writes docs/experiments/generative.md

`gauge` reads the shared data and writes counts and a few weights, no text. `page` keeps each run's
result in DIR, so that one that was cut short goes on.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from normwright.evaluate.generative import apart, likeness

ROOT = Path(__file__).resolve().parents[1]
CARDS = ROOT / "src/normwright/evaluate/generative/data"
SEED = 7
HELD = 0.4
"""Share of the questions that the judge of truth is measured on."""
THRESHOLD = 0.5


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as rows:
        yield from map(json.loads, rows)


def number(text: str) -> float:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


# Toxicity


def gauge_toxicity(data: Path) -> dict[str, Any]:
    """Count the shipped reader's errors on rows it has not learned from, one a unit and kind."""
    from normwright.evaluate.generative.toxicity import JUDGED
    from normwright.guard.text_harm import TextHarm
    from scripts import harm_rows

    harm = TextHarm.embedded()
    wanted = {
        "en": ("toxigen", "toxigen-demo", "hatecheck-en", "convabuse"),
        "pt": ("hatecheck-pt", "told-br", "olid-br"),
    }
    rows = [r for r in harm_rows.read(data, taught=False) if r.part == "locked"]
    rng = random.Random(SEED)
    out: dict[str, Any] = {
        "reader": harm.digest,
        "labels": list(JUDGED),
        "thresholds": {lang: THRESHOLD for lang in wanted},
        "measured_on": "texts of real data that it had not learned from, one a unit and kind: "
        + "; ".join(f"{lang}: {', '.join(names)}" for lang, names in wanted.items()),
        "trained_on": "the other part of the same sources",
        "seed": SEED,
        "errors": {},
        "sources": {},
    }
    for lang, names in wanted.items():
        pooled = {True: [0, 0], False: [0, 0]}
        for name in names:
            kept: dict[tuple[str, bool], list[str]] = {}
            for row in rows:
                if row.source == name and (said := [row.labels[k] for k in JUDGED
                                                    if k in row.labels]):  # fmt: skip
                    kept.setdefault((row.unit, max(said) >= 0.5), []).append(row.text)
            picked = [(rng.choice(sorted(t)), bad) for (_, bad), t in sorted(kept.items())]
            at = [harm.labels.index(k) for k in JUDGED]
            chances = harm.chances([t for t, _ in picked])[:, at].max(axis=1)
            counts = {True: [0, 0], False: [0, 0]}
            for (_, bad), chance in zip(picked, chances, strict=True):
                counts[bad][0] += bool((chance >= THRESHOLD) == bad)
                counts[bad][1] += 1
            for bad in (True, False):
                pooled[bad] = [a + b for a, b in zip(pooled[bad], counts[bad], strict=True)]
            out["sources"][name] = {"sensitivity": counts[True], "specificity": counts[False]}
        out["errors"][lang] = {"sensitivity": pooled[True], "specificity": pooled[False]}
    return out


# Truth


def gauge_truth(data: Path) -> dict[str, Any]:
    """Fit the judge of likeness and count its errors on questions it has not seen."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    from normwright.evaluate.generative.reading import comments_not, form_of
    from normwright.evaluate.generative.truthful import FEATURES

    known = {r["id"]: r for r in lines(data / "benchmarks/truthfulqa_en.jsonl.gz")}
    rows = []
    for r in lines(data / "benchmarks/truthfulqa_judge_en.jsonl.gz"):
        q = known.get(r["question_id"])
        if q is None or comments_not(r["answer"]):
            continue
        if form_of(r["answer"], r["question"], "en") != "answered":
            continue
        true, false = (apart(r["answer"], q[k]) for k in ("correct_answers", "incorrect_answers"))
        rows.append((r["question_id"], likeness(r["answer"], true, false), bool(r["true"]),
                     r["answer"]))  # fmt: skip
    held = {name: number(f"truth|{name}") < HELD for name in known}
    fit = [r for r in rows if not held[r[0]]]
    model = LogisticRegression(C=1.0, class_weight="balanced", fit_intercept=False, max_iter=2000)
    model.fit(np.array([f for _, f, _, _ in fit]), [y for _, _, y, _ in fit])
    weights = [round(float(w), 4) for w in model.coef_[0]]
    tests = {"en": [r for r in rows if held[r[0]]], "pt": portuguese(data)}
    return {
        "weights": dict(zip(FEATURES, weights, strict=True)),
        "errors": {lang: counted(some, weights) for lang, some in tests.items()},
        "trained_on": f"{len(fit)} labelled answers to {len({r[0] for r in fit})} questions of "
        "TruthfulQA in English, the references that equal the answer left out",
        "measured_on": "one true and one false answer to each question, references that equal it "
        "left out; en: questions of TruthfulQA it had not seen; pt: the reference answers "
        "themselves, machine translated, for evaluation only",
        "seed": SEED,
    }


def portuguese(data: Path) -> list[tuple[str, tuple[float, ...], bool, str]]:
    """Each reference answer in Portuguese as an answer, judged by the others."""
    out = []
    for r in lines(data / "nc/truthfulqa_mc_pt.jsonl.gz"):
        pairs = list(zip(r["mc2_targets_choices"], r["mc2_targets_labels"], strict=True))
        for text, label in pairs:
            true = apart(text, [t for t, k in pairs if k == 1])
            false = apart(text, [t for t, k in pairs if k != 1])
            if true and false:
                out.append((r["id"], likeness(text, true, false), label == 1, text))
    return out


def counted(
    rows: Sequence[tuple[str, tuple[float, ...], bool, str]], weights: Sequence[float]
) -> dict[str, list[int]]:
    """Count one row a question and kind."""
    rng = random.Random(SEED)
    by: dict[tuple[str, bool], list[tuple[str, tuple[float, ...]]]] = {}
    for name, features, true, text in rows:
        by.setdefault((name, true), []).append((text, features))
    found = {True: [0, 0], False: [0, 0]}
    for (_, true), some in sorted(by.items()):
        _, features = rng.choice(sorted(some))
        said = sum(w * f for w, f in zip(weights, features, strict=True)) > 0
        found[true][0] += said == true
        found[true][1] += 1
    return {"sensitivity": found[True], "specificity": found[False]}


def write(name: str, head: str, content: dict[str, Any]) -> None:
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    (CARDS / f"{name}.yaml").write_text(f"# {head}\n{text}", encoding="utf-8")
    print(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("gauge", "page"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path)
    args = parser.parse_args()
    if args.what == "gauge":
        write("truth_judge", "Written by scripts/generative.py gauge: weights and counts, no text.",
              gauge_truth(args.data))  # fmt: skip
        write("toxicity_judge", "Written by scripts/generative.py gauge: counts, no text.",
              gauge_toxicity(args.data))  # fmt: skip


if __name__ == "__main__":
    main()
