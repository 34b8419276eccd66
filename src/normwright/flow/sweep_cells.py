"""One run of a sweep in a process of its own: train what the cell says, measure it, write it down.

What goes in and comes out are plain values and files, so that a process of a pool, a worker of Ray
on another machine with the same disk, and this process all do the same.
"""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from normwright.flow.sweep_file import Planned
from normwright.records import Digest, Fault, InputError, NormwrightError, digest_bytes, digest_json

if TYPE_CHECKING:
    from normwright.evaluate.frontier import Measured
    from normwright.models.local import LocalModel


def spec_of(planned: Planned, digests: Mapping[str, Digest]) -> dict[str, Any]:
    """Return a run as JSON, with the digest of all that its result follows from."""
    spec = {
        "name": planned.name, "axes": dict(planned.axes), "seed": planned.seed,
        "model": str(planned.model), "stages": [dict(s) for s in planned.stages],
        "measure": {k: dict(v) for k, v in planned.measure.items()},
    }  # fmt: skip
    named = {
        **spec, "model": digests[str(planned.model)],
        "stages": [{**s, "data": digests[s["data"]]} for s in planned.stages],
        "measure": {k: {**_asked(v), "data": digests[v["data"]]}
                    for k, v in planned.measure.items()},
    }  # fmt: skip
    return {**spec, "digest": digest_json(named)}


def _asked(measure: Mapping[str, Any]) -> dict[str, Any]:
    """What of a measure changes what is measured."""
    return {k: v for k, v in measure.items() if k not in ("better", "reference", "gate")}


def digest_of(place: Path) -> Digest:
    """Return the digest of a file, or of every file under a folder by its name."""
    if place.is_file():
        return digest_bytes(place.read_bytes())
    return digest_json({
        str(file.relative_to(place)): digest_bytes(file.read_bytes())
        for file in sorted(place.rglob("*")) if file.is_file()
    })  # fmt: skip


def run_cell(spec: Mapping[str, Any], out: str, permit: str | None, unpermitted: bool) -> str:
    """Train and measure one run; write its result and return what went wrong, or nothing.

    Args:
        spec: from `spec_of`.
        out: the sweep's folder.
        permit: a signed permit to train under.
        unpermitted: train without one.
    """
    file = Path(out) / "cells" / f"{spec['name']}.seed-{spec['seed']}.json"
    work = Path(out) / "work" / file.stem
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    began, spent = time.monotonic(), _cpu()
    try:
        place = _trained(spec, work, permit, unpermitted)
        measured = _measured(spec, place)
    except NormwrightError as error:
        return f"{spec['name']}, seed {spec['seed']}: {error}"
    finally:
        shutil.rmtree(work, ignore_errors=True)
    told = {
        "kind": "sweep-cell", **spec, "measured": {k: asdict(m) for k, m in measured.items()},
        "seconds": round(time.monotonic() - began, 2), "cpu_seconds": round(_cpu() - spent, 2),
    }  # fmt: skip
    half = file.with_suffix(f".{os.getpid()}.part")
    half.write_text(json.dumps(told, allow_nan=False), encoding="utf-8")
    os.replace(half, file)
    return ""


def read_cell(file: Path, digest: Digest | None) -> dict[str, Any] | None:
    """Return a finished run; None if it is not there, or follows from something else."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("kind") != "sweep-cell":
        return None
    return found if digest is None or found.get("digest") == digest else None


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _trained(spec: Mapping[str, Any], work: Path, permit: str | None, unpermitted: bool) -> Path:
    from normwright.flow.learning import learned

    place = Path(spec["model"])
    for number, stage in enumerate(spec["stages"]):
        out = work / str(number)
        learned(
            stage["recipe"], model=place, data=Path(stage["data"]), out=out,
            changes=stage["settings"], seed=spec["seed"], threads=1,
            permit=None if permit is None else Path(permit), unpermitted=unpermitted,
        )  # fmt: skip
        place = out
    return place


def _measured(spec: Mapping[str, Any], place: Path) -> dict[str, Measured]:
    from normwright.models.local import LocalModel, use_threads

    use_threads(1)
    model = LocalModel.open(place)
    return {
        name: MEASURES[asked["kind"]](model, asked, spec["seed"])
        for name, asked in spec["measure"].items()
    }


def _pairs(model: LocalModel, asked: Mapping[str, Any], seed: int) -> Measured:
    """Share of pairs whose first (or second) answer is the likelier one."""
    from normwright.evaluate import clusters_of, degeneracy
    from normwright.evaluate.frontier import Measured
    from normwright.flow.preference_pairs import read_pairs

    pairs = read_pairs(Path(asked["data"]))[0][: asked["limit"]]
    scores = model.logprobs(
        [p.prompt for p in pairs for _ in (0, 1)],
        [t for p in pairs for t in (p.chosen, p.rejected)],
    )
    signs = [1.0 if p.p_chosen >= 0.5 else -1.0 for p in pairs]
    per = asked["per"] == "character"
    values, longer = [], []
    for i, pair in enumerate(pairs):
        sizes = [max(1, len(t)) for t in (pair.chosen, pair.rejected)]
        a, b = (scores[2 * i + k] / (sizes[k] if per else 1) for k in (0, 1))
        values.append(_point(signs[i] * (a - b)))
        longer.append(_point(signs[i] * (sizes[0] - sizes[1])))
    n = len(pairs)
    rules = {"longer": sum(longer) / n, "shorter": 1 - sum(longer) / n, "coin": 0.5}
    found = degeneracy(sum(values), n, rules)
    if asked["count"] == "rejected":
        values = [1 - v for v in values]
    ids = [f"{i}" for i in range(n)]
    return Measured(
        dict(zip(ids, values, strict=True)), dict(zip(ids, clusters_of(pairs), strict=True)),
        {i: p.family or p.lang for i, p in zip(ids, pairs, strict=True)}, {},
        found.degenerate, found.why,
    )  # fmt: skip


def _point(lead: float) -> float:
    return 0.5 if lead == 0 else float(lead > 0)


def _suite(model: LocalModel, asked: Mapping[str, Any], seed: int) -> Measured:
    """The score of a benchmark through the stock harness."""
    import tempfile

    from normwright.evaluate import asking, languages, read_benchmarks, suite_result
    from normwright.evaluate.frontier import Measured
    from normwright.evaluate.harness import harness_version
    from normwright.learn.weights import weights_digest

    suite, data = asked["suite"], Path(asked["data"])
    lang = asked["lang"] or (languages(suite) or ("en",))[0]
    place = data if data.is_dir() else {f"{suite}-{lang}": data}
    # One sample for all cells, whatever their seed.
    found = read_benchmarks(place, suites=[suite], limit=asked["limit"], seed=0)
    bench = next(b for b in found if b.lang == lang)
    with tempfile.TemporaryDirectory(prefix="normwright-") as folder:
        ask = asking(bench, Path(folder), version=harness_version())
        scored = ask(model, role="model", digest=weights_digest(model), seed=0)
    score = suite_result(scored, model="cell", seeds={}, shortcut=False).score()
    items = score.items or {}
    return Measured(
        items, {i: (score.clusters or {}).get(i, i) for i in items},
        {i.id: i.group for i in bench.items if i.group}, {}, score.degenerate, score.why,
    )  # fmt: skip


def _bits(model: LocalModel, asked: Mapping[str, Any], seed: int) -> Measured:
    """Bits per byte, text by text, weighted by their bytes."""
    from normwright.evaluate.fluency import windows
    from normwright.evaluate.frontier import Measured
    from normwright.learn import read_passages

    passages = read_passages(Path(asked["data"]))[: asked["limit"]]
    pieces = [windows(p.text, asked["window"]) for p in passages]
    flat = [w for each in pieces for w in each]
    nats = iter(model.logprobs([[]] * len(flat), flat))
    bytes_ = [len(p.text.encode()) for p in passages]
    bits = [-sum(next(nats) for _ in each) / math.log(2) for each in pieces]
    ids = [str(i) for i in range(len(passages))]
    values = [b / n for b, n in zip(bits, bytes_, strict=True)]
    whole, rule = sum(bits) / sum(bytes_), _memoryless([p.text for p in passages])
    poor = whole >= rule
    return Measured(
        dict(zip(ids, values, strict=True)), {},
        dict(zip(ids, [p.lang for p in passages], strict=True)),
        dict(zip(ids, map(float, bytes_), strict=True)), poor,
        f"{whole:.3f} bits a byte, no better than the frequencies of bytes ({rule:.3f})"
        if poor else "",
    )  # fmt: skip


def _memoryless(texts: Sequence[str]) -> float:
    """Bits a byte of the frequencies of bytes in the very texts: the least without memory."""
    counts = Counter(b"".join(t.encode() for t in texts)).values()
    n = sum(counts)
    return -sum(c / n * math.log2(c / n) for c in counts)


MEASURES: Final[Mapping[str, Callable[[LocalModel, Mapping[str, Any], int], Measured]]] = {
    "pairs": _pairs, "suite": _suite, "bits": _bits,
}  # fmt: skip
"""What can be measured of a cell, by the kind that the file names."""


def failed(faults: Sequence[str]) -> InputError:
    """Return the error of runs that could not be finished; the others are kept."""
    return InputError([
        Fault(where=one.split(":", 1)[0], expected="a run that finishes",
              seen=one.split(":", 1)[-1].strip(), do="Mend it and call again: the others are kept.")
        for one in faults
    ])  # fmt: skip
