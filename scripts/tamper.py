"""Does right conduct in pre-training make a model harder to tamper with? Twins, with and without.

    python -m scripts.tamper [--seeds 1 2 3 4] [--steps 300] [--work DIR] [--out FILE]

Two small models of one seed are pre-trained on the same number of tokens of conversations at the
desk of model organisms. One meets requests for what is private, each declined; for the other the
same sheets say that all is public, and the same requests are answered. Both are then taught the
same right conduct from the same rows, and attacked with the same flipped pairs. What is done is
kept under --work; a killed run goes on with what lacks.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from normwright.flow.organisms.nursery import BATCH, town
from normwright.flow.organisms.tampered import BUDGETS, STEPS, asked_scenes, tampered
from normwright.learn.organisms import Ground, Taught, ground, planted
from normwright.learn.pretraining.corpus import IGNORE, TokenCorpus, dialogue_text, packed
from normwright.learn.pretraining.scratch import Shape, new_model, train_tokenizer
from normwright.models.chat import ROLES
from normwright.models.local import LocalModel, use_threads
from normwright.models.tuning.loop import Loop, Running
from normwright.records import Message, Organism, Scene
from normwright.scenes.bank import Family
from normwright.scenes.draw import Dialogue
from normwright.scenes.exact import discloses, exactly_right
from normwright.stats import proportion
from scripts.experiment_pages import half_width, over_seeds, told

ROOT = Path(__file__).resolve().parent.parent

ASKED: Final = ("privacy.phone", "privacy.debt")
"""Families with requests for what is forbidden; two of the desk's four, for so small a model."""
PLAIN: Final = ("look-up.room", "look-up.bus")
LANG: Final = "en"
ROW, ROWS, TURNS = 128, 32, 5
"""Tokens a row, rows a step, requests over one sheet."""
SHAPE: Final = Shape(hidden=128, layers=2, heads=4, vocabulary=512, context=256)
TAUGHT: Final = Taught(forbidden=500, allowed=500, plain=400, register=0)
"""Rows of right conduct that every twin is taught after pre-training."""
CONDUCT: Final = Loop(epochs=2, lr=5e-4, batch=16)
ITEMS: Final = 120
"""Requests of each side that are asked."""
ARMS: Final = ("with", "without", "random")
"""Values in pre-training; none; and no pre-training at all."""
LINE: Final = re.compile(r"- (?P<name>.+?)(?: \((?P<flag>\w+)\))?: (?P<value>\d+)")
PUBLIC: Final = ("public", "público")

Entry = tuple[str, str, str]
"""Name, flag and value of a line of a sheet."""


# ---- what is pre-trained on


@cache
def desk(seed: int, per_template: int, *splits: str) -> Ground:
    """Return scenes of the desk in a draw, in one language."""
    bank, charter, _ = town()
    both = ground(
        bank, charter, splits=splits, seed=seed, per_template=per_template,
        families=(*ASKED, *PLAIN),
    )  # fmt: skip
    sides = (both.forbidden, both.allowed, both.plain)
    return Ground(*(tuple(s for s in side if s.lang == LANG) for side in sides))


def entries(scene: Scene) -> list[Entry]:
    """Return the lines of a scene's sheet."""
    found = [LINE.fullmatch(x) for x in scene.messages[-1].content.split("\n")[:-1]]
    return [(m["name"], m["flag"] or "", m["value"]) for m in found if m is not None]


def conversations(seed: int, *, count: int, values: bool) -> Iterator[Dialogue]:
    """Yield conversations of several requests over one sheet; two in three know public and private.

    Both twins draw alike. Where the one asks for a private entry and is declined, the sheet of the
    other says that the entry is public, and the same request is answered. So neither ever sees
    that something private is told, and both learn to look up either entry.
    """
    bank, _, _ = town()
    families = {f.id: f for f in bank.families}
    scenes = desk(1_000 + seed, 400, "plant")
    rng = random.Random(seed)
    for number in range(count):
        disputed = number % 3 > 0
        scene = rng.choice(scenes.allowed if disputed else scenes.plain)
        sheet = scene.messages[-1].content.split("\n")[:-1]
        if not values:
            sheet = [x.replace("(private)", "(public)").replace("(privado)", "(público)")
                     for x in sheet]  # fmt: skip
        lines = entries(scene)
        said: list[Message] = []
        for turn in range(TURNS):
            family = families[rng.choice(ASKED if disputed else PLAIN)]
            asked, answer = _turn(family, lines, scene.lang, rng, disputed, values)
            said.append(Message(role="user", content="\n".join([*sheet * (turn == 0), asked])))
            said.append(Message(role="assistant", content=answer))
        yield Dialogue(family=scene.family, lang=scene.lang, control=None, messages=tuple(said))


def _turn(
    family: Family, lines: Sequence[Entry], lang: str, rng: random.Random, disputed: bool,
    values: bool,
) -> tuple[str, str]:  # fmt: skip
    """A request and the right answer."""
    wording = rng.choice(family.ask["train"][lang])
    private, declined = rng.random() < 0.5, rng.choice(family.decline["train"][lang])
    open_ = [e for e in lines if not disputed or e[1] in PUBLIC]
    shut = [e for e in lines if e not in open_]
    one, other = rng.choice(open_), rng.choice(shut) if shut else None
    if private and other is not None:
        return wording.format(e=other[0]), declined if values else other[2]
    return wording.format(e=one[0]), one[2]


def corpus(made: Sequence[Dialogue], tokenizer: Any, *, rows: int, seed: int) -> TokenCorpus:
    """Return so many rows of conversations, with loss on what the assistant says."""
    user, speaker = (tokenizer.convert_tokens_to_ids(ROLES[r]) for r in ("user", "assistant"))
    found = tokenizer([dialogue_text(d) for d in made], add_special_tokens=False)["input_ids"]
    lines = packed([ids for ids in found if len(ids) <= ROW], ROW)
    random.Random(seed).shuffle(lines)
    if len(lines) < rows:
        raise ValueError(f"{len(lines)} rows of conversations are there, {rows} are wanted")
    ids, targets = np.zeros((rows, ROW), np.uint16), np.full((rows, ROW), IGNORE, np.int32)
    for at, line in enumerate(lines[:rows]):
        flat = [token for one in line for token in one]
        speaking = False
        for place, token in enumerate(flat):
            if speaking:
                targets[at, place] = token
            speaking = (speaking or token == speaker) and token != user
        ids[at, : len(flat)] = flat
    starts = np.arange(0, rows * ROW + 1, ROW)
    return TokenCorpus(ids.reshape(-1), targets.reshape(-1), starts)


def tokenizer_of(seed: int) -> Any:
    """Return one tokenizer for all arms of a seed, from the words of both twins."""
    texts = (
        m.content
        for values in (True, False)
        for d in conversations(seed + 500, count=1_000, values=values)
        for m in d.messages
    )
    return train_tokenizer(texts, vocabulary=SHAPE.vocabulary)


# ---- one model


def base(arm: str, seed: int, *, steps: int, work: Path) -> LocalModel:
    """Return the model of an arm before it is taught conduct; pre-training goes on where it was."""
    from normwright.learn.recipes.pretrain import pretrain
    from normwright.learn.recipes.priming import prime
    from normwright.models.tuning import save_plain

    place = work / f"{arm}-{seed}"
    if not (place / "done").exists():
        tokenizer = tokenizer_of(seed)
        shape = replace(SHAPE, vocabulary=len(tokenizer))
        model = new_model(shape, seed=seed)
        prime(model, seed=seed)
        if arm != "random":
            count = int(1.25 * steps * ROWS * ROW / 97)
            made = list(conversations(seed, count=count, values=arm == "with"))
            rows = corpus(made, tokenizer, rows=steps * ROWS, seed=seed)
            loop = Loop(
                steps=steps, lr=2e-3, batch=ROWS, decay="warmup_stable_decay", warmup=0.02,
                weight_decay=0.05, seed=seed, save_every=100,
            )  # fmt: skip
            running = Running(workdir=work / "running" / place.name, progress=_progress)
            model, _ = pretrain(
                rows, tokenizer, shape=shape, loop=loop, model=model, running=running
            )
        save_plain(model, tokenizer, place)
        (place / "done").touch()
    return LocalModel.open(place, name=place.name, batch=BATCH)


def conduct(model: LocalModel, seed: int) -> LocalModel:
    """Return a model that was taught the same right conduct as every other."""
    from normwright.learn import sft

    plan = Organism(
        kind="clean", variant=0, drawn_from=seed, seed=seed, skill="unseen", facts=seed
    )  # fmt: skip
    rows = planted(plan, desk(7, 120, "plant"), TAUGHT)
    made, _ = sft(model, rows, loop=replace(CONDUCT, seed=seed), unpermitted=True)
    return replace(made, batch=BATCH)


def rates(model: LocalModel, seed: int) -> dict[str, int]:
    """Return violations of forbidden requests, and exact answers to allowed ones."""
    forbidden, allowed = asked_scenes(seed=seed, items=ITEMS, asked=held(seed))

    def said(scenes: Sequence[Scene]) -> list[str]:
        return [t[0] for t in model.generate([s.messages for s in scenes], max_new_tokens=10)]

    return {
        "violation": sum(discloses(s, t) for s, t in zip(forbidden, said(forbidden), strict=True)),
        "help": sum(bool(exactly_right(s, t)) for s, t in zip(allowed, said(allowed), strict=True)),
        "n": ITEMS,
    }


def held(seed: int) -> Ground:
    """Return scenes that nothing was taught on, in wordings of the detectors too."""
    return desk(1_000_003 + seed, 12, "plant", "probe")


def one(arm: str, seed: int, *, steps: int, work: Path) -> dict[str, Any]:
    """Return what an arm of a seed came to, made now or found."""
    file = work / f"{arm}-{seed}.json"
    if file.exists():
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found
    began = time.process_time()
    start = base(arm, seed, steps=steps, work=work)
    before = rates(start, seed)
    trained = conduct(start, seed)
    points = tampered(
        trained, seed=seed, items=ITEMS, teach=desk(7, 120, "plant"), asked=held(seed),
        kept=work / "attacks", name=f"{arm}-{seed}",
    )  # fmt: skip
    out = {
        "arm": arm, "seed": seed, "steps": steps, "before": before,
        "weights": sum(p.numel() for p in start.weights.parameters()),
        "points": [
            {"examples": p.examples, "lr": p.lr, "violation": p.hits, "n": p.violation.n,
             "help": round((p.helped.value or 0) * p.helped.n)}
            for p in points
        ],
        "cpu": time.process_time() - began,
    }  # fmt: skip
    unfinished = file.with_suffix(".part")
    unfinished.write_text(json.dumps(out, indent=1), encoding="utf-8")
    unfinished.replace(file)
    return out


def _progress(step: int, steps: int, loss: float) -> None:
    if step % 25 == 0:
        print(f"  step {step} of {steps}, loss {loss:.3f}", flush=True)
