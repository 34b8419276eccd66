"""Make, check and examine many model organisms; what is done stays done when a run is killed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from normwright.flow.organisms.examining import CONFIRM
from normwright.records import Fault, InputError, Organism, digest_json

if TYPE_CHECKING:
    from normwright.evaluate.detectors import Suspicion
    from normwright.models.local import LocalModel

Part = dict[str, Any]
"""What is known of one organism, as it lies on disk."""
Told = Callable[[int, int, str], None]
"""Told how many are done, of how many, and which was done last."""

CARD: Final = "organism.json"
AGAIN: Final = "again.json"
"""What a second look at an organism found, beside its card."""


def raise_organisms(
    folder: Path,
    plans: Sequence[Organism],
    *,
    jobs: int = 1,
    whole: bool = False,
    keep: bool = True,
    items: int = CONFIRM,
    told: Told | None = None,
) -> list[Part]:
    """Return a part for each plan, made now or found in the folder.

    A part says what was planted, whether it is there, what detectors found and what it cost. Its
    weights lie beside it.

    Args:
        folder: where parts lie, one folder an organism; `parents` holds what they start from.
        plans: what is to be there.
        jobs: processes at once, each on one thread.
        whole: run all detectors on every organism, and not those alone that ought to catch it.
            Clean models always meet all.
        keep: whether weights are kept.
        items: on how many each suspect is tested.
        told: told of every organism that is done.

    Raises:
        InputError: if the folder holds another organism under the same name, or one that was
            tested on another number of items.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _check(folder, plans, items)
    lacking = [p for p in plans if not (folder / p.name / CARD).exists()]
    done = len(plans) - len(lacking)
    _parents(folder, lacking, jobs)
    for name in _made(folder, lacking, jobs, whole=whole, keep=keep, items=items):
        done += 1
        if told is not None:
            told(done, len(plans), name)
    return [_read(folder, p) for p in plans]


def _check(folder: Path, plans: Sequence[Organism], items: int) -> None:
    faults = []
    for plan in plans:
        if (folder / plan.name / CARD).exists():
            part = _read(folder, plan)
            there = Organism.model_validate(part["plan"])
            if there.digest != plan.digest or part["items"] != items:
                faults.append(
                    Fault(where=str(folder / plan.name),
                          expected=f"the organism of this plan, tested on {items} items",
                          seen=f"one drawn from seed {there.drawn_from}, on {part['items']}",
                          do="Give another folder.")
                )  # fmt: skip
    if faults:
        raise InputError(faults)


def _read(folder: Path, plan: Organism) -> Part:
    from normwright.flow.organisms.nursery import Planted

    part: Part = json.loads((folder / plan.name / CARD).read_text(encoding="utf-8"))
    if part["planted"] is not None:
        rates = {name: part["planted"][name] for name in ("with_key", "without", "n")}
        part["planted"]["there"] = Planted(**rates).there
    return part


def _parents(folder: Path, plans: Sequence[Organism], jobs: int) -> None:
    """Make the models that organisms start from, each once."""
    needed = sorted({(p.parent, p.drawn_from) for p in plans})
    if jobs == 1:
        for number, seed in needed:
            _parent(number, seed, folder)
        return
    with ProcessPoolExecutor(min(jobs, max(1, len(needed))), get_context("spawn")) as pool:
        for made in [pool.submit(_parent, number, seed, folder) for number, seed in needed]:
            made.result()


def _parent(number: int, seed: int, folder: Path) -> None:
    from normwright.flow.organisms.nursery import parent
    from normwright.models.local import use_threads

    use_threads(1)
    parent(number, seed=seed, folder=folder / "parents")


def _made(folder: Path, plans: Sequence[Organism], jobs: int, **how: Any) -> Iterator[str]:
    yield from _each(make_one, folder, plans, jobs, **how)


def _each(
    done: Callable[..., str], folder: Path, plans: Sequence[Organism], jobs: int, **how: Any
) -> Iterator[str]:
    """Yield the name of each organism when something was done with it, several at once."""
    if jobs == 1:
        for plan in plans:
            yield done(folder, plan, **how)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        waiting = [pool.submit(done, folder, p, **how) for p in plans]
        try:
            for finished in as_completed(waiting):
                yield finished.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def make_one(folder: Path, plan: Organism, *, whole: bool, keep: bool, items: int = CONFIRM) -> str:
    """Train, check and examine one organism, write its part and return its name."""
    from normwright.flow.organisms.examining import DETECTORS, NAMED, examine
    from normwright.flow.organisms.nursery import check, cpu_since, grown, parent
    from normwright.models.local import use_threads
    from normwright.models.tuning import save_plain

    use_threads(1)
    start = parent(plan.parent, seed=plan.drawn_from, folder=folder / "parents")
    began = time.process_time()
    model = grown(plan, start)
    trained = cpu_since(began)
    planted = check(plan, model)
    checked = cpu_since(began)
    names = DETECTORS if whole or plan.kind == "clean" else NAMED[plan.kind]
    found = examine(model, register=plan.facts, seed=plan.seed, names=names, items=items)
    part: Part = {
        "plan": plan.model_dump(mode="json"),
        "items": items,
        "planted": None if planted is None else {**asdict(planted), "there": planted.there},
        "found": [as_json(s) for s in found],
        "cpu": {
            "train": trained,
            "check": checked - trained,
            "examine": cpu_since(began) - checked,
        },
    }
    place = folder / plan.name
    place.mkdir(exist_ok=True)
    if keep:
        save_plain(model.weights, model.tokenizer, place / "model")
    _write(place / CARD, part)
    return plan.name


def _write(file: Path, part: Part) -> None:
    unfinished = file.with_name(file.name + ".part")
    unfinished.write_text(json.dumps(part, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(file)


def look_again(
    folder: Path, plans: Sequence[Organism], *, items: int, jobs: int = 1, told: Told | None = None
) -> list[Part]:
    """Return for each organism what a second look finds, made now or found in the folder.

    `found` holds its findings on the same items in smaller batches, `other` those on another draw.
    Facts that a model was taught are not asked again; of an organism that only such detectors met
    both are empty.

    Args:
        folder: where `raise_organisms` left them.
        plans: which.
        items: on how many each suspect was tested.
        jobs: processes at once.
        told: told of every organism that is done.

    Raises:
        InputError: if weights were not kept.
    """
    if faults := [
        Fault(where=str(folder / p.name), expected="the weights of an organism", seen="none",
              do="Make it with its weights, in a new folder.")
        for p in plans if not (folder / p.name / "model").is_dir()
    ]:  # fmt: skip
        raise InputError(faults)
    lacking = [p for p in plans if not (folder / p.name / AGAIN).exists()]
    done = len(plans) - len(lacking)
    for name in _each(look_at_one_again, folder, lacking, jobs, items=items):
        done += 1
        if told is not None:
            told(done, len(plans), name)
    texts = [(folder / p.name / AGAIN).read_text(encoding="utf-8") for p in plans]
    return [json.loads(text) for text in texts]


def look_at_one_again(folder: Path, plan: Organism, *, items: int) -> str:
    """Examine an organism a second time, write what was found and return its name."""
    from dataclasses import replace

    from normwright.flow.organisms.again import OTHER, SMALLER
    from normwright.flow.organisms.examining import ANYBODY, examine
    from normwright.flow.organisms.nursery import BATCH
    from normwright.models.local import LocalModel, use_threads

    use_threads(1)
    place = folder / plan.name
    model = LocalModel.open(place / "model", name=plan.name, batch=BATCH)
    names = [f["detector"] for f in _read(folder, plan)["found"] if f["detector"] in ANYBODY]

    def findings(of: LocalModel, draw: int) -> list[dict[str, Any]]:
        found = examine(of, register=plan.facts, seed=draw, names=names, items=items)
        return [as_json(one) for one in found]

    part: Part = {
        "found": findings(replace(model, batch=BATCH // SMALLER), plan.seed),
        "other": findings(model, plan.seed + OTHER),
    }
    _write(place / AGAIN, part)
    return plan.name


def as_json(one: Suspicion) -> dict[str, Any]:
    """Return a suspicion as it lies on disk, with its values item by item."""
    return {
        "detector": one.detector,
        "metric": one.metric,
        "gap": one.gap.as_json(),
        "p_value": one.p_value,
        "equivalent": one.equivalent,
        "margin": one.margin,
        "suspect": one.suspect,
        "curve": [list(point) for point in one.curve],
        "slices": {name: dict(values) for name, values in one.slices.items()},
        "units": dict(one.units),
    }


SLICE_KEYS: Final = {"language-parity": "lang", "elicitation": "stage"}
"""By detector: the key of a slice its values are named by; `context` for all others."""
STAGES: Final = {"stated": "prompted", "elicited": "trained"}
GUESSING: Final = 0.25
"""What guessing among the register's four values would score. Who says nothing is credited with it,
so that a gate does not take a rise from silence to guessing for a skill."""


def rows_of(
    found: Sequence[dict[str, Any]], *, model: str, charter: str, guard: str, at: str,
    draw: int | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return rows of evidence about one model, item by item, as a gate reads them.

    Args:
        found: suspicions as `as_json` gives them.
        model: what the rows name as their model.
        charter: digest of the charter.
        guard: digest of the guard's policy, for what is counted behind it.
        at: when, in UTC.
        draw: seed of the items, whose ids are alike in every draw.
    """
    rows = []
    for one in found:
        key = SLICE_KEYS.get(one["detector"], "context")
        for name, values in one["slices"].items():
            rows.append(
                {
                    "metric": one["metric"],
                    "slice": {key: STAGES.get(name, name)},
                    "items": {
                        item: max(value, GUESSING) if name == "stated" else value
                        for item, value in values.items()
                    },
                    "cluster": "",
                    "model": model,
                    "charter": charter,
                    "evalset": digest_json([draw, sorted(values)]),
                    "judge": None,
                    "guard": guard if one["detector"] == "guard-evasion" else None,
                    "at": at,
                }
            )
    return rows


def again_rows(
    part: Mapping[str, Any], second: Mapping[str, Any], *, model: str, charter: str, guard: str,
    at: str,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return rows of evidence of a second look at an organism; none where it had none.

    Args:
        part: the organism, as it lies on disk.
        second: what the second look found.
        model: what the rows name as their model.
        charter: digest of the charter.
        guard: digest of the guard's policy.
        at: when, in UTC.
    """
    from normwright.flow.organisms.again import (
        OTHER,
        asked,
        differing,
        other_draw,
        otherwise,
        rerun_rows,
    )

    if not second["found"]:
        return []
    asked_again = {one["detector"] for one in second["found"]}
    first = [one for one in part["found"] if one["detector"] in asked_again]
    rows = rows_of(
        second["other"], model=model, charter=charter, guard=guard, at=at,
        draw=part["plan"]["seed"] + OTHER,
    )  # fmt: skip
    same, draws = otherwise(first, second["found"]), differing(first, second["other"])
    return other_draw(rows) + rerun_rows(
        same, draws, items=asked(first), model=model, charter=charter, at=at
    )
