"""What the steps cost, reckoned from their parameters, the scenes and the size of the model.

A small model with few constants; what comes out is an estimate. The constants are fitted to runs of
the templates `town` (two free cores of an AMD EPYC with AVX512-BF16: sft 25 s, reward 25, prefer
75, control 100, evaluate 66, redteam 19, in all 337) and `micro` (one core, in all 28 s).
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from normwright.flow.project import Project
from normwright.flow.stages.drawn import scenes_of
from normwright.records import InputError

MB = 10**6

TRAINED_AT = 0.47
"""Share of the probed speed that training reaches: `town`, 1600 rows of 80 tokens in 25 s."""
ANSWERED_AT = 0.32
"""Share of the probed speed that answering reaches, in batches: `town`, evaluation in 66 s."""
FORWARD = 0.6e-3
"""Seconds a layer takes to be called at all, however small."""
SHARED = 1.4
"""Length of a pair whose answers share the prompt, in rows of one answer."""
GROUP = 16
"""Rows that go through the model at a time while it is trained."""
BATCH = 128
"""Conversations a call of the model."""
REDRAWN = 0.4
"""Share of the guarded answers that do not pass, so that others are drawn."""
ATTACK_TOKENS = 48
"""Longest answer to an attack, in tokens."""
REPLIES_IN_TALK = 1.6
"""How much longer the transcript of an attack is than the request it wraps."""

BYTES_A_VOTE = 25
"""Bytes of a consultation for each vote in it."""

CONTRASTED = 480e3
"""Tokens of the real contrast sets, for two models and a reward model."""

PYTHON, LEARNING, WEIGHTS = 150 * MB, 350 * MB, 850 * MB
"""Memory of the process with the records alone, with scikit-learn, and with torch and models."""
STATE = 28
"""Bytes a parameter takes while trained: weights, gradient, two moments, the start, copies."""
ACTIVATION = 130
"""Bytes kept for each token, layer and unit of width until the backward pass, with what the
allocator holds back: `town` peaks at 1.8 GiB, in a step of 48 rows."""
ATTENDED = 9
"""Bytes kept for each head, layer and two tokens of a row: `examples/real`, in steps of 16 pairs of
at most 384 tokens an answer, peaks at 4.6 GiB while it learns rewards and at 5.1 GiB in all."""
HEAD = 32
"""Width of a head."""
SCORED = 12
"""Bytes for each token and word of the vocabulary while whole answers are scored."""


class UnknownSizeError(LookupError):
    """Something the work follows from cannot be read here."""


@dataclass(frozen=True)
class Work:
    """What one step costs."""

    seconds: float
    """Time that does not follow from the speed of arithmetic."""
    flops: float = 0.0
    """Arithmetic, in operations of the probe: divided by its speed, they are seconds."""
    memory: float = PYTHON
    """Bytes at its peak, of the whole process."""
    disk: float = 0.0
    """Bytes it leaves behind."""
    scratch: float = 0.0
    """Bytes it needs beside these while it runs."""

    def at(self, speed: float) -> float:
        """Return its seconds at a speed in operations a second."""
        return self.seconds + self.flops / speed


@dataclass(frozen=True)
class Shape:
    """The size of a language model."""

    parameters: int
    hidden: int
    layers: int
    vocabulary: int
    files: int
    """Bytes of its directory."""

    @property
    def trained(self) -> float:
        """Bytes of its directory once trained: 32-bit weights and a tokenizer."""
        return 4 * self.parameters + 65 * self.vocabulary

    @property
    def characters(self) -> float:
        """Characters a token holds: 1.6 with 400 tokens, 3.1 with 4096, at most 4.5."""
        return min(4.5, max(1.0, 0.44 * math.log2(self.vocabulary) - 2.2))


@dataclass(frozen=True)
class Scenes:
    """What one draw from each wording gives."""

    plain: int
    """Scenes no norm speaks about."""
    probing: int
    """Scenes a norm was written about."""
    characters: float
    """Length of a request with its answer."""

    @property
    def all(self) -> int:
        """Scenes in all."""
        return self.plain + self.probing


class Sizes:
    """What work follows from beside parameters; each part is read when first asked for.

    Raises from every member:
        UnknownSizeError: if it cannot be told here.
        InputError: if files of the project have faults.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def scenes(self) -> Scenes:
        """The project's scenes; training, guard and judge draw from as many wordings as tests."""
        drawn = scenes_of(self._project, "test", seed=0)
        if not drawn:
            raise UnknownSizeError("no scenes")
        said = sum(len(m.content) for s in drawn for m in s.messages)
        said += sum(len(s.perform) for s in drawn)
        plain = sum(s.norm is None for s in drawn)
        return Scenes(plain, len(drawn) - plain, said / len(drawn))

    def bytes_of(self, name: str) -> int:
        """Return the size of a file or directory of the project."""
        return _bytes(self._project.path(name))

    @cached_property
    def consultation(self) -> int:
        """Bytes of the consultation, unpacked."""
        place = self._project.settings.sources.consultation
        if place is None:
            raise UnknownSizeError("no consultation")
        return sum(map(_unpacked, _files(self._project.path(place))))

    def sources(self, name: str) -> int:
        """Return the bytes of one of the project's sources, unpacked; 0 if it has none."""
        given = getattr(self._project.settings.sources, name)
        names = getattr(given, "files", given) or ()
        return sum(sum(map(_unpacked, _files(self._project.path(one)))) for one in names)

    @property
    def benchmarks(self) -> list[Path]:
        """The benchmark files."""
        place = self._project.settings.evaluate.benchmarks
        return [] if place is None else _files(self._project.path(place))

    def turns(self, attacks: str) -> int:
        """Return how many times attacks speak, in one language."""
        try:
            found = yaml.safe_load(self._project.path(attacks).read_text(encoding="utf-8"))
            return sum(len(next(iter(one["turns"].values()))) for one in found["attacks"])
        except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError, AttributeError) as why:
            raise UnknownSizeError(attacks) from why

    def shape(self, base: Mapping[str, Any]) -> Shape:
        """Return the size of the model that the parameters of `learn.base` speak of."""
        from normwright.models.places import embedded_path

        if base["kind"] == "remote":
            raise UnknownSizeError("a model behind an API")
        if base["kind"] == "scratch":
            given = base["scratch"]
            hidden, layers, vocabulary = given["hidden"], given["layers"], given["vocab"]
            made = vocabulary * hidden + 12 * layers * hidden * hidden
            shape = Shape(made, hidden, layers, vocabulary, 0)
            return replace(shape, files=round(shape.trained))
        local = base["kind"] == "local"
        return read_shape(self._project.path(base["path"] or "") if local else embedded_path())


def read_shape(directory: Path) -> Shape:
    """Return the size of a model from its configuration and the heads of its weight files.

    Raises:
        UnknownSizeError: if something is missing or in another form.
    """
    try:
        config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        config = config.get("text_config", config)
        weights = sorted(directory.glob("*.safetensors"))
        parameters = sum(_parameters(path) for path in weights)
        hidden, layers, vocabulary = (
            next(int(config[name]) for name in names if name in config)
            for names in (
                ("hidden_size", "n_embd", "d_model"),
                ("num_hidden_layers", "n_layer", "num_layers"),
                ("vocab_size",),
            )
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError) as why:
        raise UnknownSizeError(str(directory)) from why
    if min(parameters, hidden, layers, vocabulary) < 1:
        raise UnknownSizeError(str(directory))
    return Shape(parameters, hidden, layers, vocabulary, _bytes(directory))


def _parameters(path: Path) -> int:
    """Return how many numbers a safetensors file holds, from its head alone."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > path.stat().st_size:
            raise ValueError(f"{path} holds no weights")
        head = json.loads(stream.read(length))
    return sum(math.prod(one["shape"]) for name, one in head.items() if name != "__metadata__")


def _bytes(path: Path) -> int:
    return sum(one.stat().st_size for one in _files(path))


def _files(path: Path) -> list[Path]:
    found = path.rglob("*") if path.is_dir() else [path]
    return [one for one in found if one.is_file()]


def _unpacked(path: Path) -> int:
    """Return the size of a file, of a gzipped one that of its content (RFC 1952, ISIZE)."""
    size = path.stat().st_size
    if path.suffix != ".gz" or size < 18:
        return size
    with path.open("rb") as stream:
        stream.seek(-4, os.SEEK_END)
        return int.from_bytes(stream.read(4), "little")


# The steps

Parameters = Mapping[str, Mapping[str, Any]]
"""Of every step, by its name."""


def work_of(step: str, parameters: Parameters, sizes: Sizes) -> Work | None:
    """Return what a step costs; None if that is not known.

    Args:
        step: its name.
        parameters: those of the step and of all it rests on, by name.
        sizes: what else the work follows from.
    """
    # An earlier reading is reckoned like the last one.
    reckon = _WORK.get(step.partition(".reading-")[0])
    if reckon is None:
        return None
    try:
        return reckon(parameters, sizes)
    # Parameters of an earlier run may have other names; faults are told by the step that reads.
    except (LookupError, InputError):
        return None


def cores_of(threads: int | None) -> int:
    """Return how many cores a number of threads in the project file comes to."""
    return threads or len(os.sched_getaffinity(0))


def _elicit(_: Parameters, sizes: Sizes) -> Work:
    size = sizes.consultation
    return Work(0.4 + 5e-7 * size, disk=5 * size)


def _aggregate(parameters: Parameters, sizes: Sizes) -> Work:
    counted = next(name for name in parameters if name.startswith("aggregate"))
    resamples = parameters[counted]["bootstrap"]
    votes = sizes.consultation / BYTES_A_VOTE
    # Groups are sought anew in a hundred permutations and in every resample.
    return Work(2.0 + votes * (100 * 3.5e-7 + resamples * 5e-7), memory=LEARNING)


def _charter(_: Parameters, __: Sizes) -> Work:
    return Work(0.6, disk=0.1 * MB)


def _data(parameters: Parameters, sizes: Sizes) -> Work:
    given = parameters["learn.data"]
    rows = min(float(given["demonstrations"]), 30.0 * sizes.scenes.all)
    rows += min(float(given["pairs"]), 40.0 * sizes.scenes.probing)
    # It draws every wording seventy times over and then keeps as many as are asked for.
    seconds = 0.5 + 70 * sizes.scenes.all * 0.13e-3 + rows * 0.5e-3
    return Work(seconds, disk=4 * sizes.scenes.characters * rows)


def _read_pairs(_: Parameters, sizes: Sizes) -> Work:
    size = sizes.sources("pairs")
    return Work(0.5 + 2.5e-7 * size, disk=1.1 * size, memory=PYTHON + 4 * size)


def _labels(_: Parameters, sizes: Sizes) -> Work:
    size = sizes.sources("labels")
    return Work(3.0 + 2e-6 * size, disk=3 * MB, scratch=3 * MB, memory=LEARNING + 20 * size)


def _corpora(parameters: Parameters, sizes: Sizes) -> Work:
    size = sizes.sources("demonstrations") + sizes.sources("pairs")
    return Work(1.0 + 5e-7 * size, disk=0.5 * size, memory=WEIGHTS)


def _base(parameters: Parameters, sizes: Sizes) -> Work:
    shape = _shape(parameters, sizes)
    memory = WEIGHTS + 8 * shape.parameters
    return Work(3.0, memory=memory, disk=shape.files, scratch=shape.files)


def _sft(parameters: Parameters, sizes: Sizes) -> Work:
    tuning, rows = parameters["learn.sft"], _demonstrations(parameters, sizes)
    if "given" in tuning:
        return Work(1.0)
    return _training(parameters, sizes, _shown(rows, tuning), step=tuning["batch"])


def _reward(parameters: Parameters, sizes: Sizes) -> Work:
    tuning = parameters["learn.reward"]
    # Both answers of each pair, and of a quarter more whose worse answer is garbled.
    rows = _shown(_pairs(parameters, sizes), tuning)
    judged = [one.times(1.25 * SHARED) for one in rows]
    return _training(parameters, sizes, judged, step=1.25 * tuning["batch"])


def _prefer(parameters: Parameters, sizes: Sizes) -> Work:
    work = _preferring(parameters, sizes, parameters["learn.prefer"])
    return replace(work, disk=2 * work.disk)  # also written to `out/model`


def _control(parameters: Parameters, sizes: Sizes) -> Work:
    tuning = parameters["learn.control"]
    then = _preferring(parameters, sizes, tuning["prefer"])
    if "given" in tuning["sft"]:
        return then
    shown = _shown(_demonstrations(parameters, sizes), tuning["sft"])
    first = _training(parameters, sizes, shown, step=tuning["sft"]["batch"])
    return replace(
        then,
        seconds=first.seconds + then.seconds,
        flops=first.flops + then.flops,
        memory=max(first.memory, then.memory),
    )


def _preferring(parameters: Parameters, sizes: Sizes, tuning: Mapping[str, Any]) -> Work:
    # Two answers behind one prompt are SHARED rows, beside each stands an anchor, and both are also
    # scored before and after, forwards only.
    pairs = _pairs(parameters, sizes)
    judged = [
        rows.times((SHARED + 1) * passes + 2 * SHARED / 3)
        for rows, passes in zip(pairs, _passes(pairs, tuning), strict=True)
    ]
    work = _training(parameters, sizes, judged, step=tuning["batch"])
    shape = _shape(parameters, sizes)
    common = max((rows.tokens for rows in judged), default=0.0)
    anchors = tuning["batch"] * _kept(shape, common)
    scored = BATCH * min(BATCH, common) * shape.vocabulary * SCORED
    return replace(work, memory=work.memory + anchors + scored)


def _passes(rows: Sequence[_Rows], tuning: Mapping[str, Any]) -> list[float]:
    """Return how many times each part of the rows is gone through."""
    count = sum(part.count for part in rows)
    steps = tuning.get("steps")
    return [steps * tuning["batch"] / max(count, 1) if steps else tuning["epochs"]] * len(rows)


def _shown(rows: Sequence[_Rows], tuning: Mapping[str, Any]) -> list[_Rows]:
    """Return the rows as often as a pass of training shows them."""
    return [part.times(n) for part, n in zip(rows, _passes(rows, tuning), strict=True)]


def _kept(shape: Shape, tokens: float) -> float:
    """Return the bytes that a row of so many tokens keeps until the backward pass."""
    attended = tokens * shape.hidden / HEAD * ATTENDED
    return tokens * shape.layers * (shape.hidden * ACTIVATION + attended)


def _training(parameters: Parameters, sizes: Sizes, parts: Sequence[_Rows], *, step: float) -> Work:
    shape = _shape(parameters, sizes)
    count = sum(rows.count for rows in parts)
    tokens = sum(rows.count * rows.tokens for rows in parts)
    widest = max((rows.widest for rows in parts), default=0.0)
    common = max((rows.tokens for rows in parts), default=0.0)
    # A step goes in groups of rows of like length, of which one has the longest.
    long = min(step, count, GROUP)
    kept = long * _kept(shape, widest) + (min(step, count) - long) * _kept(shape, common)
    # The way back takes twice the way there.
    calls = count / min(step, GROUP) * 3 * shape.layers * FORWARD
    return Work(
        1.0 + calls,
        6 * shape.parameters * tokens / TRAINED_AT,
        memory=WEIGHTS + STATE * shape.parameters + kept,
        disk=shape.trained,
        scratch=2 * shape.trained,
    )


def _guard(parameters: Parameters, sizes: Sizes) -> Work:
    scenes = parameters["guard"]["per_template"] * sizes.scenes.all
    return Work(1.0 + 1e-3 * scenes, memory=LEARNING, disk=2.2 * MB, scratch=2.2 * MB)


def _judge(parameters: Parameters, sizes: Sizes) -> Work:
    scenes = parameters["judge"]["per_template"] * sizes.scenes.all
    return Work(2.0 + 2e-3 * scenes, memory=LEARNING, disk=0.3 * MB)


def _evaluate(parameters: Parameters, sizes: Sizes) -> Work:
    given = parameters["evaluate"]
    languages, drawn = len(given["languages"]), given["per_template"]
    scenes = min(drawn * sizes.scenes.plain, given["help"] * languages)
    scenes += min(drawn * sizes.scenes.probing, given["probes"] * languages)
    shape = _shape(parameters, sizes)
    trained = 3 + ("random-init" in given["controls"])
    # The guard screens what the aligned model said before; only what does not pass is drawn anew.
    models = trained + _guarded(given) - 1
    work = _answering(shape, sizes, scenes * models, new=given["max_new_tokens"])
    roles = 4 + len(given["controls"])
    read = sizes.bytes_of(given["text"]) / shape.characters if given["text"] else 0.0
    return replace(
        work,
        seconds=work.seconds + 1.0 + 2e-3 * scenes * roles,
        flops=work.flops + 2 * shape.parameters * read * trained / ANSWERED_AT,
        disk=2 * MB + 1000 * scenes * roles,
        scratch=6 * shape.trained,
    )


def _redteam(parameters: Parameters, sizes: Sizes) -> Work:
    given = parameters["redteam"]
    sides = 2 * len(given["languages"])
    talks = sizes.turns(given["attacks"]) * sides * given["per_attack"]
    shape = _shape(parameters, sizes)
    answers = talks * (2 + _guarded(given))
    work = _answering(shape, sizes, answers, new=ATTACK_TOKENS, longer=REPLIES_IN_TALK)
    seconds = work.seconds + 2.0 + 4e-3 * 3 * talks
    return replace(work, seconds=seconds, disk=3000 * talks, scratch=4 * shape.trained)


def _sets(parameters: Parameters, sizes: Sizes) -> Work:
    shape = _shape(parameters, sizes)
    return Work(
        10.0,
        2 * shape.parameters * CONTRASTED / ANSWERED_AT,
        memory=WEIGHTS + 24 * shape.parameters + LEARNING,
        disk=0.1 * MB,
        scratch=4 * shape.trained,
    )


def _guarded(given: Mapping[str, Any]) -> float:
    """Return how many times a guarded model answers, on average."""
    return 1 + REDRAWN * float(given["guard"]["best_of"])


def _answering(
    shape: Shape, sizes: Sizes, answers: float, *, new: int, longer: float = 1.0
) -> Work:
    tokens = longer * _tokens(shape, sizes) + new
    calls = answers / BATCH * (1 + new) * shape.layers * FORWARD
    flops = 2 * shape.parameters * answers * tokens / ANSWERED_AT
    kept = 2 * BATCH * tokens * shape.layers * shape.hidden * 4
    return Work(calls, flops, memory=WEIGHTS + 24 * shape.parameters + kept)


def _release(_: Parameters, __: Sizes) -> Work:
    return Work(0.5, disk=2 * MB)


def _shape(parameters: Parameters, sizes: Sizes) -> Shape:
    return sizes.shape(parameters["learn.base"])


def _tokens(shape: Shape, sizes: Sizes) -> float:
    """Tokens of a request with its answer and the marks between them."""
    return sizes.scenes.characters / shape.characters + 10


@dataclass(frozen=True)
class _Rows:
    """Rows of about one length."""

    count: float
    tokens: float
    widest: float
    """Tokens of a long one, from which memory follows."""

    def times(self, factor: float) -> _Rows:
        return replace(self, count=self.count * factor)


FILLED = 0.5
"""Length of a row of what people wrote elsewhere, against the longest that is let in."""
WIDE = 1.8
"""Length of a long pair of answers behind one prompt, against the longest row that is let in."""
INSTRUCTION, JUDGED = 550, 1300
"""Bytes of an instruction with its answer, and of a judged pair."""


def _demonstrations(parameters: Parameters, sizes: Sizes) -> list[_Rows]:
    found = []
    if "learn.data" in parameters:
        count = min(float(parameters["learn.data"]["demonstrations"]), 30.0 * sizes.scenes.all)
        found.append(_of_scenes(count, parameters, sizes))
    if "learn.corpora" in parameters:
        given = parameters["learn.corpora"]
        there = sizes.sources("demonstrations") / INSTRUCTION
        # Without instructions the preferred answers of the pairs are imitated.
        rows = _at_most(given["instructions"], there) if there else _judged(given, sizes)
        found.append(_Rows(rows, FILLED * given["longest"], given["longest"]))
    return found


def _pairs(parameters: Parameters, sizes: Sizes) -> list[_Rows]:
    found = []
    if "learn.data" in parameters:
        count = min(float(parameters["learn.data"]["pairs"]), 40.0 * sizes.scenes.probing)
        found.append(_of_scenes(count, parameters, sizes))
    if "learn.corpora" in parameters:
        given = parameters["learn.corpora"]
        longest = given["longest"]
        found.append(_Rows(_judged(given, sizes), FILLED * longest, WIDE * longest))
    return found


def _of_scenes(count: float, parameters: Parameters, sizes: Sizes) -> _Rows:
    tokens = _tokens(_shape(parameters, sizes), sizes)
    return _Rows(count, tokens, tokens)


def _judged(given: Mapping[str, Any], sizes: Sizes) -> float:
    return _at_most(given["judged"], (1 - given["held_out"]) * sizes.sources("pairs") / JUDGED)


def _at_most(limit: int | None, there: float) -> float:
    return there if limit is None else min(float(limit), there)


def _held_pairs(parameters: Parameters, sizes: Sizes) -> Work:
    given, shape = parameters["learn.corpora"], _shape(parameters, sizes)
    there = given["held_out"] * sizes.sources("pairs") / JUDGED
    pairs = _at_most(None if given["held_pairs"] is None else 3 * given["held_pairs"], there)
    tokens = 2 * pairs * FILLED * given["longest"]
    models = 5  # four that may be there, and the reward model
    return _scoring(shape, tokens * models, disk=0.2 * MB)


def _benchmarks(parameters: Parameters, sizes: Sizes) -> Work:
    items = parameters["evaluate.benchmarks"]["items"]
    shape = _shape(parameters, sizes)
    asked = _at_most(items, 1000.0) * len(sizes.benchmarks)
    return _scoring(shape, asked * ASKED_TOKENS * 4, disk=0.5 * MB)


ASKED_TOKENS = 450
"""Tokens read for an item of a benchmark: its answers, and examples where the stock prompt has
them."""


def _scoring(shape: Shape, tokens: float, *, disk: float) -> Work:
    flops = 2 * shape.parameters * tokens / ANSWERED_AT
    memory = WEIGHTS + 24 * shape.parameters + LEARNING
    return Work(5.0, flops, memory=memory, disk=disk, scratch=5 * shape.trained)


_WORK: Mapping[str, Callable[[Parameters, Sizes], Work]] = {
    "elicit": _elicit,
    "aggregate": _aggregate,
    "charter": _charter,
    "permit": _charter,
    "elicit.pairs": _read_pairs,
    "guard.labels": _labels,
    "learn.data": _data,
    "learn.corpora": _corpora,
    "learn.base": _base,
    "learn.sft": _sft,
    "learn.reward": _reward,
    "learn.prefer": _prefer,
    "learn.control": _control,
    "guard": _guard,
    "judge": _judge,
    "evaluate": _evaluate,
    "redteam": _redteam,
    "evaluate.sets": _sets,
    "evaluate.pairs": _held_pairs,
    "evaluate.benchmarks": _benchmarks,
    "release": _release,
}
"""Step -> the function that reckons what it costs."""
