"""Sweep two small models over recipes, and write what trades off: docs/experiments/pareto.md.

    python -m scripts.pareto [--work DIR] [--jobs N] [--seeds N] [--out FILE] [--cells N]

Two models from random weights learn the town's words; then they stay as they are, or are tuned on
demonstrations of which three quarters do what norms forbid, or after that on preferences that
follow the norms, held to the tuned model. Measured are wordings that no recipe saw. Finished runs
are kept in --work.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from scripts.experiment_pages import told

from normwright.flow.learning import learned
from normwright.flow.sweeps import Swept, swept
from normwright.learn import Shape, scratch_model
from normwright.models.tuning import save_plain
from normwright.records import Scene
from normwright.scenes import draw, load_bank
from normwright.web import write_frontiers

HERE = Path(__file__).parent.parent
PAGE = HERE / "docs/experiments/pareto.md"
IMAGES = HERE / "docs/images"
TOWN = Path(str(files("normwright") / "flow/templates/town"))
SIZES = {"h32": Shape(32, 2, 2, 768, 640), "h96": Shape(96, 3, 4, 768, 640)}
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
    sizes = models(arguments.work)
    file = sweep_file(arguments.work, range(arguments.seeds), arguments.cells)
    found = swept(file, out=arguments.work / "sweep", jobs=arguments.jobs, unpermitted=True,
                  pooled=True, told=tell)  # fmt: skip
    if arguments.cells is None:
        pictures = write_frontiers(found.frontier, arguments.work / "pictures")
        for picture in pictures:
            if ".help-harm." in picture.name:
                lang = picture.name.split(".")[-2]
                shutil.copy(picture, IMAGES / f"pareto.{lang}.svg")
        free = swept(ungated(file), out=arguments.work / "sweep", jobs=1, pooled=True)
        text = page(found, free, counts, sizes)
        arguments.out.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(json.dumps(found.as_json()["cells"], indent=1) + "\n")
    return 0


def rows(work: Path) -> dict[str, int]:
    """Write what recipes learn from and what is measured; return how many rows each file has."""
    bank = load_bank(sorted((TOWN / "scenes").glob("*.yaml")))
    taught = [s for s in draw(bank, split="tune", seed=0) if s.norm is not None]
    asked = [s for s in draw(bank, split="dev", seed=1) if s.norm is not None]
    chance = random.Random(0)
    shown = [(s, "perform" if not s.applies or chance.random() < OBLIGING else "decline")
             for s in taught]  # fmt: skip
    demonstrations = [{**about(s), "completion": getattr(s, side)} for s, side in shown]
    preferences = [pair(s) for s in taught]
    made = {
        "demonstrations": demonstrations, "pairs": preferences,
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


def models(work: Path) -> dict[str, int]:
    """Train the two models on the town's words, once; return how many parameters each has."""
    bank = load_bank(sorted((TOWN / "scenes").glob("*.yaml")))
    scenes = draw(bank, split="consult", seed=2)
    texts = [t for s in scenes for t in (s.messages[-1].content, s.perform, s.decline) if t.strip()]
    file = work / "words.jsonl"
    common = {"lang": "en", "licence": "Apache-2.0", "origin": "synthetic"}
    file.write_text("".join(json.dumps({"text": t, **common}) + "\n" for t in texts), "utf-8")
    sizes = {}
    for name, shape in SIZES.items():
        start, out = work / f"{name}-random", work / name
        if not out.exists():
            made = scratch_model(texts, shape=shape, seed=0)
            save_plain(made.weights, made.tokenizer, start)
            learned("pretrain", model=start, data=file, out=out, seed=0, threads=1,
                    unpermitted=True, changes={"steps": 150, "lr": 3e-3, "batch": 8})  # fmt: skip
        card = json.loads((out / "run.json").read_text(encoding="utf-8"))
        sizes[name] = int(card["model"]["parameters"])
    return sizes


def sweep_file(work: Path, seeds: Sequence[int], cells: int | None) -> Path:
    """Write the file of the sweep."""
    how = {"epochs": 6, "batch": 16, "lr": 3e-3}
    sft = {"recipe": "sft", "data": "demonstrations", "settings": how}
    prefer = {"recipe": "prefer", "data": "pairs", "settings": {**how, "epochs": 3, "lr": 1e-3}}
    asked: dict[str, Any] = {
        "sizes": {name: name for name in SIZES},
        "mixes": {"town": {"demonstrations": "demonstrations.jsonl", "pairs": "pairs.jsonl"}},
        "methods": {"base": [], "sft": [sft], "dpo": [sft, prefer]},
        "betas": [0.1],
        "seeds": list(seeds),
        "measure": {
            "help": {"kind": "pairs", "data": "help.jsonl", "better": "higher", "reference": 0.0},
            "harm": {"kind": "pairs", "data": "harm.jsonl", "better": "lower", "reference": 1.0,
                     "count": "rejected"},
            "bits": {"kind": "bits", "data": "text.jsonl", "better": "lower", "reference": 8.0,
                     "limit": 60},
        },
    }  # fmt: skip
    if cells is not None:
        picked = [(size, m, b, x) for size in SIZES
                  for m, b, x in (("dpo", 0.1, "town"), ("base", None, None))]  # fmt: skip
        asked["cells"] = [{"size": s, "method": m, "beta": b, "mix": x}
                         for s, m, b, x in picked[:cells]]  # fmt: skip
    file = work / "sweep.yaml"
    file.write_text(yaml.safe_dump(asked, sort_keys=False), encoding="utf-8")
    return file


def ungated(file: Path) -> Path:
    """Write the same sweep with nothing barred, to see what the gate takes away."""
    told_ = yaml.safe_load(file.read_text(encoding="utf-8"))
    for one in told_["measure"].values():
        one["gate"] = False
    out = file.with_name("ungated.yaml")
    out.write_text(yaml.safe_dump(told_, sort_keys=False), encoding="utf-8")
    return out


def tell(done: int, total: int, name: str) -> None:
    """Say on stderr how far it is."""
    sys.stderr.write(f"{done} of {total} {name}\n")


def page(found: Swept, free: Swept, counts: Mapping[str, int], sizes: Mapping[str, int]) -> str:
    """Return the page of the experiment."""
    made = found.frontier
    heads = [o.name for o in made.objectives]
    lines = [
        f"| {cell.name} | {' | '.join(told(cell.values[name]) for name in heads)} | "
        f"{'barred' if cell.barred else format(cell.probability or 0.0, '.2f')} | "
        f"{', '.join(cell.dominated) or 'none'} |"
        for cell in made.cells
    ]
    moved = [w for w in free.frontier.without if w.entered or w.left]
    stays = [
        f"- without {w.kind} {w.group}: joins {', '.join(w.entered) or 'none'}; leaves "
        f"{', '.join(w.left) or 'none'}"
        for w in moved
    ] or ["- none of them"]
    reference = ", ".join(f"{o.name} {o.reference:g}" for o in made.objectives)
    barred = [f"- `{cell.name}`: {cell.barred}" for cell in made.cells if cell.barred]
    loose = free.frontier
    claimed = [f"`{c.name}` ({c.probability or 0.0:.2f})" for c in loose.cells if c.on_frontier]
    return "\n".join([
        "# What trades off when two small models learn norms",
        "",
        f"Written by `python -m scripts.pareto` ({found.run + found.kept} runs, "
        f"{found.cpu_seconds:.0f} CPU seconds). Two models from random weights "
        f"({', '.join(f'{k}: {v:,} parameters' for k, v in sizes.items())}) learn the words of the "
        f"town's scenes; then they stay (`base`), are tuned on {counts['demonstrations']} "
        f"demonstrations of which three quarters of the forbidden acts are done (`sft`), and on "
        f"{counts['pairs']} pairs that follow the norms after that (`dpo`, beta 0.1). Seeds: "
        f"{len(made.cells[0].seeds)}. Measured are wordings no recipe saw: `help` is the share of "
        f"{counts['help']} allowed requests whose answer is likelier a character than its refusal, "
        f"`harm` that of {counts['harm']} forbidden ones, `bits` the bits a byte of 60 requests.",
        "",
        f"| cell | {' | '.join(heads)} | on the frontier | worse for certain than |",
        "|" + "---|" * (len(heads) + 3),
        *lines,
        "",
        f"Intervals of 95 % are over questions (families resampled whole) and seeds (t, the spread "
        f"taken to be the same in every cell); {made.rounds} rounds, seed {made.seed}. Hypervolume "
        f"above {reference}: {told(made.hypervolume)}, of which noise adds {made.bias:+.3f} to the "
        f"mean of the rounds.",
        "",
        f"Barred as no better than answers that read nothing: {len(barred)} of {len(made.cells)}.",
        "",
        *barred,
        "",
        f"Without that gate the frontier would be {', '.join(claimed)} (share of rounds), with a "
        f"hypervolume of {told(loose.hypervolume)}: a trade-off between models of which none is "
        "shown to read what it is asked.",
        "",
        f"Of {len(loose.without)} groups (sizes, methods, seeds, families of requests), leaving "
        "one out moves that frontier for:",
        "",
        *stays,
        "",
        "![help against harm](../images/pareto.en.svg) [em português](../images/pareto.pt.svg)",
        "",
        "What is not shown: anything about answers that are written, models of a useful size, "
        "or about other betas. A likelihood a character still leans to some lengths, which is why "
        "the constant answers are the gate.",
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
