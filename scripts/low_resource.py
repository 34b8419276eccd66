"""Compare ways to teach Portuguese from few rows, and write docs/experiments/learn-languages.md.

    python scripts/low_resource.py [--data DATA] [--native 48] [--other 480] [--steps 60]
        [--seeds 3] [--work DIR] [--out FILE]

Rows are requests of the template `town` that no norm speaks about, in English and Portuguese;
measured are requests of wordings nobody learned from. The word-by-word translator learns from the
parallel texts of DATA/text (default: NORMWRIGHT_DATA) and from the wordings of a third split.
Resumable: finished cells lie in --work.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from normwright.flow.learning.languages import LanguagesCompared, languages_compared
from normwright.flow.tunings import Tuning
from normwright.records import Estimate, Scene
from normwright.scenes import Bank, draw, load_bank

ROOT = Path(__file__).parents[1]
SCENES = ROOT / "src/normwright/flow/templates/town/scenes"
OUT = ROOT / "docs/experiments/learn-languages.md"
LEARNED = 20
"""Draws of each wording that rows are taken from."""


def plain(bank: Bank, split: str, *, draws: int) -> list[Scene]:
    """Return scenes that no norm speaks about; the two languages of a draw follow each other."""
    return [s for s in draw(bank, split=split, seed=7, per_template=draws) if s.norm is None]


def item(scene: Scene) -> str:
    """Return what a scene is called whatever its language."""
    return scene.id.rsplit("/", 1)[0]


def row(scene: Scene) -> dict[str, Any]:
    """Return a scene as a demonstration."""
    return {
        "prompt": [m.model_dump() for m in scene.messages],
        "completion": scene.perform,
        "lang": scene.lang,
        "id": item(scene),
        "family": scene.family,
        "origin": "synthetic",
        "licence": "Apache-2.0",
    }


def spread(scenes: list[Scene], lang: str, count: int) -> list[Scene]:
    """Return scenes of a language, every wording in turn."""
    turns: dict[str, list[Scene]] = {}
    for scene in scenes:
        if scene.lang == lang:
            turns.setdefault(scene.id.rsplit("/", 3)[0], []).append(scene)
    longest = max(map(len, turns.values()))
    order = [found[i] for i in range(longest) for found in turns.values() if i < len(found)]
    return order[:count]


def parallel(bank: Bank, data: Path | None) -> Iterator[dict[str, str]]:
    """Yield texts in both languages: requests line by line, and documentation where there is."""
    texts: dict[str, dict[str, str]] = {}
    for scene in draw(bank, split="dev", seed=7, per_template=4):
        texts.setdefault(item(scene), {})[scene.lang] = scene.messages[-1].content
    for pair in texts.values():
        lines = [pair[lang].split("\n") for lang in ("en", "pt")]
        if len(lines[0]) == len(lines[1]):
            yield from ({"en": a, "pt": b} for a, b in zip(*lines, strict=True))
    if data is not None:
        for name in ("python_docs_en_pt", "udhr_en_pt"):
            with gzip.open(data / f"text/{name}.jsonl.gz", "rt", encoding="utf-8") as rows:
                for line in rows:
                    found = json.loads(line)
                    if found.get("en") and found.get("pt"):
                        yield {"en": found["en"], "pt": found["pt"]}


def write(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """Write rows as JSON lines."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def page(found: LanguagesCompared, given: argparse.Namespace, *, cpu: float) -> str:
    """Return the page of the comparison."""
    here, other = found.language, found.other
    call = f"--native {given.native} --other {given.other} --steps {given.steps}"
    counted = ", ".join(f"{n} requests in {lang}" for lang, n in found.held.items())
    lines = [
        "# Teaching a language from few rows",
        "",
        f"Written by `scripts/low_resource.py {call} --seeds {given.seeds}`; {cpu:.0f} s of CPU "
        "for the cells that were not there yet.",
        "",
        f"The embedded model, {given.steps} steps of {given.batch} rows for every cell, "
        f"{given.native} native rows in {here}, {given.other} in {other}. Held out: {counted}, of "
        "wordings nothing learned from; intervals are 95 %, resampled by family over all seeds. "
        f"*Gap*: exact answers in {other} minus those in {here}, item by item. *Gain*: exact "
        f"answers in {here} minus those of the model as it was.",
        "",
        f"| learned from | weights | rows | exact {here} | exact {other} | nats/byte {here} "
        "| gap | gain | sd over seeds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in found.rows:
        weights = "-" if one.strategy == "start" else "LoRA" if one.adapters else "all"
        spread = "-" if one.spread is None else f"{one.spread:.3f}"
        lines.append(
            f"| {one.strategy} | {weights} | {one.rows} | {told(one.exact[here])} | "
            f"{told(one.exact[other])} | {told(one.nats[here])} | {told(one.gap)} | "
            f"{told(one.gain)} | {spread} |"
        )
    if found.translation is not None:
        lines += [
            "",
            "The translator is a table of words (IBM Model 1): chrF {chrf} on {n} held-out "
            "requests, where leaving them as they are has {chrf_untranslated}.".format(
                **found.translation
            ),
        ]
    lines += [
        "",
        "**Not shown.** The embedded model was pre-trained in both languages, so this is scarcity "
        "of instructions, not of language; the rows come from templates; the translator is poor on "
        "purpose, and a good one may turn the order of the rows round.",
        "",
    ]
    return "\n".join(lines)


def told(estimate: Estimate) -> str:
    """Return an estimate with its interval."""
    if estimate.value is None or estimate.interval is None:
        return "unknown"
    interval = estimate.interval
    return f"{estimate.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def main() -> int:
    """Make the rows, run what is missing and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("NORMWRIGHT_DATA"))
    parser.add_argument("--native", type=int, default=48)
    parser.add_argument("--other", type=int, default=480)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--held-draws", type=int, default=1)
    parser.add_argument("--work", type=Path, default=ROOT / "build/low-resource")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    bank = load_bank(sorted(SCENES.glob("*.yaml")))
    given.work.mkdir(parents=True, exist_ok=True)
    shown = plain(bank, "tune", draws=LEARNED)
    rows = [*spread(shown, "pt", given.native), *spread(shown, "en", given.other)]
    data = write(given.work / "rows.jsonl", map(row, rows))
    held = write(given.work / "held.jsonl", map(row, plain(bank, "test", draws=given.held_draws)))
    texts = write(given.work / "parallel.jsonl", parallel(bank, given.data))
    began = time.process_time()
    found = languages_compared(
        data,
        held,
        language="pt",
        other="en",
        parallel=texts,
        tuning=Tuning(steps=given.steps, batch=given.batch, lr=given.lr),
        seeds=range(given.seeds),
        work=given.work,
        threads=given.threads,
        progress=lambda done, of, what: print(f"[{done}/{of}] {what}", flush=True),
    )
    given.out.write_text(page(found, given, cpu=time.process_time() - began), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
