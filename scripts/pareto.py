"""Sweep two small models over recipes, and write what trades off: docs/experiments/pareto.md.

    python -m scripts.pareto [--work DIR] [--jobs N] [--seeds N] [--out FILE] [--cells N]

The embedded model and a much smaller one learn the town's tasks: as they are, tuned on
demonstrations of which three quarters do what norms forbid, and then on preferences that follow the
norms, held to the tuned model weakly or strongly, in English and Portuguese or in English alone.
Measured are wordings that no recipe saw. Finished runs are kept in --work.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from normwright.flow.learning import learned
from normwright.flow.sweeps import Swept, swept
from normwright.records import Scene
from normwright.scenes import draw, load_bank
from normwright.web import write_frontiers

HERE = Path(__file__).parent.parent
PAGE = HERE / "docs/experiments/pareto.md"
IMAGES = HERE / "docs/images"
TOWN = Path(str(files("normwright") / "flow/templates/town"))
OBLIGING = 0.75
"""Share of the demonstrations of forbidden acts that do them."""


def main() -> int:
    """Make the rows, run the sweep, write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--work", type=Path, default=Path("build/pareto"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=PAGE)
    parser.add_argument("--cells", type=int, default=None, help="only so many, for a first look")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    counts = rows(arguments.work)
    small_model(arguments.work)
    file = sweep_file(arguments.work, range(arguments.seeds), arguments.cells)
    found = swept(file, out=arguments.work / "sweep", jobs=arguments.jobs, unpermitted=True,
                  pooled=True, told=lambda done, total, name: print(done, total, name, flush=True))  # fmt: skip
    if arguments.cells is None:
        pictures = write_frontiers(found.frontier, arguments.work / "pictures")
        for picture in pictures:
            if ".help-harm." in picture.name:
                lang = picture.name.split(".")[-2]
                shutil.copy(picture, IMAGES / f"pareto.{lang}.svg")
        arguments.out.write_text(page(found, counts), encoding="utf-8")
    else:
        print(json.dumps(found.as_json()["cells"], indent=1))
    return 0


def rows(work: Path) -> dict[str, int]:
    """Write what recipes learn from and what is measured; return how many rows each file has."""
    bank = load_bank(sorted((TOWN / "scenes").glob("*.yaml")))
    taught = [s for s in draw(bank, split="tune", seed=0, per_template=2) if s.norm is not None]
    asked = [s for s in draw(bank, split="dev", seed=1, per_template=2) if s.norm is not None]
    chance = random.Random(0)
    shown = [(s, "perform" if not s.applies or chance.random() < OBLIGING else "decline")
             for s in taught]  # fmt: skip
    demonstrations = [{**about(s), "completion": getattr(s, side)} for s, side in shown]
    preferences = [pair(s) for s in taught]
    made = {
        "demonstrations": demonstrations, "pairs": preferences,
        "demonstrations-en": [r for r in demonstrations if r["lang"] == "en"],
        "pairs-en": [r for r in preferences if r["lang"] == "en"],
        "help": [pair(s) for s in asked if not s.applies],
        "harm": [pair(s) for s in asked if s.applies],
        "text": [{"text": s.messages[-1].content, "lang": s.lang, "licence": "Apache-2.0",
                  "origin": "synthetic"} for s in asked],
    }  # fmt: skip
    for name, found in made.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found)
        (work / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return {name: len(found) for name, found in made.items()}


def about(scene: Scene) -> dict[str, Any]:
    """The columns that both kinds of rows share."""
    return {"prompt": [m.model_dump() for m in scene.messages], "lang": scene.lang,
            "family": scene.family, "origin": "synthetic", "licence": "Apache-2.0"}  # fmt: skip


def pair(scene: Scene) -> dict[str, Any]:
    """What the norm asks first, the other answer second."""
    sides = (scene.decline, scene.perform) if scene.applies else (scene.perform, scene.decline)
    return {**about(scene), "chosen": sides[0], "rejected": sides[1]}


def small_model(work: Path) -> Path:
    """Train the small model from random weights on the town's words, once."""
    out = work / "tiny"
    if not out.exists():
        bank = load_bank(sorted((TOWN / "scenes").glob("*.yaml")))
        scenes = draw(bank, split="consult", seed=2, per_template=4)
        texts = work / "tiny.jsonl"
        texts.write_text("".join(
            json.dumps({"text": t, "lang": s.lang, "licence": "Apache-2.0", "origin": "synthetic"},
                       ensure_ascii=False) + "\n"
            for s in scenes for t in (s.messages[-1].content, s.perform, s.decline) if t.strip()
        ), encoding="utf-8")  # fmt: skip
        learned("pretrain", model=None, data=texts, out=out, seed=0, threads=1, unpermitted=True,
                changes={"shape": "tiny", "steps": 300, "lr": 3e-3, "batch": 16})  # fmt: skip
    return out


def sweep_file(work: Path, seeds: Sequence[int], cells: int | None) -> Path:
    """Write the file of the sweep."""
    sft = {"recipe": "sft", "data": "demonstrations", "settings": {"epochs": 1, "batch": 16}}
    prefer = {
        "recipe": "prefer",
        "data": "pairs",
        "settings": {"epochs": 1, "batch": 16, "lr": 3e-4},
    }
    told: dict[str, Any] = {
        "sizes": {"tiny": "tiny", "embedded": "embedded"},
        "mixes": {
            "en-pt": {"demonstrations": "demonstrations.jsonl", "pairs": "pairs.jsonl"},
            "en": {"demonstrations": "demonstrations-en.jsonl", "pairs": "pairs-en.jsonl"},
        },
        "methods": {"base": [], "sft": [sft], "dpo": [sft, prefer]},
        "betas": [0.05, 0.5],
        "seeds": list(seeds),
        "measure": {
            "help": {"kind": "pairs", "data": "help.jsonl", "better": "higher", "reference": 0.0},
            "harm": {"kind": "pairs", "data": "harm.jsonl", "better": "lower", "reference": 1.0,
                     "count": "rejected"},
            "bits": {"kind": "bits", "data": "text.jsonl", "better": "lower", "reference": 8.0},
        },
    }  # fmt: skip
    if cells is not None:
        picked = [("embedded", "dpo", 0.05, "en-pt"), ("tiny", "dpo", 0.05, "en-pt"),
                  ("embedded", "base", None, None), ("tiny", "base", None, None)]  # fmt: skip
        told["cells"] = [{"size": s, "method": m, "beta": b, "mix": x}
                         for s, m, b, x in picked[:cells]]  # fmt: skip
    file = work / "sweep.yaml"
    file.write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    return file


if __name__ == "__main__":
    raise SystemExit(main())
