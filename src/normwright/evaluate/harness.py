"""Run tasks of lm-evaluation-harness in this process, offline, and leave nothing behind.

The harness makes the prompts, asks, and computes each item's metrics; its task files are in
`tasks/`, each an `include` of the stock task with other data. Only how a log-likelihood is computed
is ours (`models.choices`: what questions share is read once), and the number is the harness's own
to rounding. No chat template is applied, as in the stock tasks.

lm-evaluation-harness: Gao et al., doi 10.5281/zenodo.12608602 (extra `evaluate`).
"""

from __future__ import annotations

import io
import json
import logging
import os
import random
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from normwright.records import Digest, MissingExtra, digest_bytes

if TYPE_CHECKING:
    from normwright.models.local import LocalModel
    from normwright.models.protocol import Continues

    Asked: TypeAlias = LocalModel | Continues
    """Weights in memory, or what tells log-probabilities of given texts from afar."""

Known: TypeAlias = dict[Any, dict[Any, Any]]
"""Log-likelihoods of one model by the context, then the answer: tokens, or texts from afar."""

EXAMPLES_SEED = 1234
"""What the harness draws examples with unless it is told otherwise."""

_ENCODED = 64
"""Texts whose tokens are kept, at most."""

_NOISY = ("lm_eval", "datasets", "huggingface_hub", "filelock", "fsspec")


@dataclass(frozen=True)
class Task:
    """A task with its data, ready to be asked."""

    name: str
    loaded: Any
    """The harness's own task object."""
    digest: Digest
    """Of the task file, before it is told where things lie."""
    version: str
    """The stock task's version."""
    examples_seed: int = EXAMPLES_SEED


@dataclass(frozen=True)
class Reckoned:
    """What the harness made of one model on one task, item by item."""

    prompts: tuple[str, ...]
    """What was asked, exactly as it was given to the model."""
    choices: tuple[tuple[str, ...], ...]
    """The answers, without the space before them."""
    values: tuple[tuple[float, ...], ...]
    """Log-likelihood of each answer, in nats."""
    tokens: tuple[tuple[int, ...], ...]
    """Tokens of each answer."""
    truncated: tuple[bool, ...]
    """Whether the prompt had to be cut on the left for any of its answers."""
    metrics: Mapping[str, tuple[float, ...]]
    """Each item's value of each metric, by the harness's name (`acc`, `acc_norm`)."""
    results: Mapping[str, float]
    """The harness's own number for each metric."""
    parts: Mapping[str, tuple[tuple[float, ...], ...]] = field(default_factory=dict)
    """Each item's parts of a metric that is no mean over items."""


def harness_version() -> str:
    """Return the version of the harness that is installed.

    Raises:
        MissingExtra: if it is not.
    """
    if find_spec("lm_eval") is None:
        raise MissingExtra("measuring benchmarks (lm-evaluation-harness)", "evaluate")
    return version("lm_eval")


def load_task(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    scratch: Path,
    *,
    shots: int = 0,
    examples: Sequence[Mapping[str, Any]] | None = None,
    examples_seed: int = EXAMPLES_SEED,
) -> Task:
    """Return a task over rows in the schema of its data set.

    Args:
        name: of a file in `tasks/`.
        rows: what the stock task reads.
        scratch: a folder for the rows and the caches; the caller removes it after the last use.
        shots: examples before each question, drawn anew for each as the harness draws them.
        examples: rows they are drawn from; None draws them from `rows`, never the question itself.
        examples_seed: seed of that drawing.

    Raises:
        MissingExtra: if the harness is not installed.
    """
    harness_version()
    text = (resources.files("normwright.evaluate") / "tasks" / f"{name}.yaml").read_text("utf-8")
    folder = scratch / (f"{name}-{shots}" if shots else name)
    folder.mkdir(parents=True)
    data = _lines(folder / "rows.jsonl", rows)
    with _contained():
        import lm_eval
        from lm_eval.tasks import TaskManager

        stock = Path(str(lm_eval.__file__)).parent / "tasks"
        places = {"STOCK": stock, "SCRATCH": folder, "DATA": data}
        # The places stand in quotes; so a path may hold whatever a path may hold.
        filled = Template(text).safe_substitute(
            {key: json.dumps(str(place))[1:-1] for key, place in places.items()}
        )
        if shots:
            own = None if examples is None else _lines(folder / "examples.jsonl", examples)
            filled = _with_examples(filled, name, folder, data, shots, own)
        (folder / f"{name}.yaml").write_text(filled, encoding="utf-8")
        manager = TaskManager(include_path=str(folder), include_defaults=False)
        loaded = manager.load([name])["tasks"][name]
        loaded.set_config(key="num_fewshot", value=shots)
    return Task(name, loaded, digest_bytes(text.encode()), str(loaded.VERSION), examples_seed)


def _lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _with_examples(
    filled: str, name: str, folder: Path, data: Path, shots: int, own: Path | None
) -> str:
    """A task file that includes the filled one and says where its examples come from."""
    base = folder / "base" / f"{name}.yaml.part"
    base.parent.mkdir()
    base.write_text(filled, encoding="utf-8")
    asked = re.search(r"^(?:test|validation)_split: (\w+)$", filled.replace("null", ""), re.M)
    assert asked is not None  # every task file names one
    files = {asked[1]: str(data)} | ({} if own is None else {"train": str(own)})
    about = {
        "include": str(base),
        "task": name,
        "num_fewshot": shots,
        # Where examples are drawn from the split that is asked, the harness leaves the question
        # itself out; it does so only where the split is named.
        "fewshot_split": asked[1] if own is None else "train",
        "dataset_kwargs": {"cache_dir": str(folder / "cache"), "data_files": files},
    }
    if own is not None:
        about["training_split"] = "train"
    return json.dumps(about)


def reckon(task: Task, model: Asked, *, known: Known | None = None, chat: bool = False) -> Reckoned:
    """Return what the harness makes of a model on a task.

    Args:
        task: from `load_task`.
        model: weights and tokenizer in memory, or one that tells log-probabilities of texts.
        known: log-likelihoods of this model that other tasks have asked for; new ones are added.
        chat: put the question into the model's chat template, as the harness does: as the user's
            turn, with the answer at the head of the assistant's.
    """
    with _contained():
        from lm_eval.evaluator import evaluate

        asked = asked_model(model, known)
        task.loaded.set_fewshot_seed(task.examples_seed)
        ran = evaluate(asked, {"tasks": {task.name: task.loaded}, "groups": {}}, bootstrap_iters=0,
                       apply_chat_template=chat, fewshot_as_multiturn=chat)  # fmt: skip
    samples = ran["samples"][task.name]
    counts = [len(s["arguments"]) for s in samples]
    sizes, cut = _split(asked.sizes, counts), _split(asked.cut, counts)
    found = ran["results"][task.name]
    # A metric that an item is not part of is left out of that item.
    names = [m for m in samples[0]["metrics"] if all(m in s for s in samples)]
    parted = [m for m in names if isinstance(samples[0][m], tuple)]
    return Reckoned(
        prompts=tuple(s["arguments"][0][0] for s in samples),
        choices=tuple(tuple(a[1].removeprefix(" ") for a in s["arguments"]) for s in samples),
        values=tuple(tuple(float(r[0]) for r in s["filtered_resps"]) for s in samples),
        tokens=sizes,
        truncated=tuple(any(each) for each in cut),
        metrics={m: tuple(float(s[m]) for s in samples) for m in names if m not in parted},
        results={m: float(found[f"{m},none"]) for m in names},
        parts={m: tuple(tuple(float(v) for v in s[m]) for s in samples) for m in parted},
    )


def prompts_of(task: Task) -> list[str]:
    """Return what stands before the answers of each row of a task without examples, in order."""
    with _contained():
        return [str(task.loaded.doc_to_text(doc)) for doc in task.loaded.eval_docs]


def likelihoods(
    model: Asked,
    context: str,
    answers: Sequence[Sequence[str]],
    *,
    known: Known | None = None,
) -> tuple[tuple[float, ...], ...]:
    """Return the log-likelihood (nats) of answers after one and the same context."""
    with _contained():
        from lm_eval.api.instance import Instance

        found = asked_model(model, known).loglikelihood([
            Instance("loglikelihood", {}, (context, f" {text}"), 0)
            for each in answers for text in each
        ])  # fmt: skip
    return _split([float(value) for value, _ in found], [len(each) for each in answers])


def _split(flat: Sequence[Any], counts: Sequence[int]) -> tuple[tuple[Any, ...], ...]:
    ends = [sum(counts[: i + 1]) for i in range(len(counts))]
    return tuple(tuple(flat[e - n : e]) for e, n in zip(ends, counts, strict=True))


def asked_model(model: Asked, known: Known | None = None) -> Any:
    """Return a model as the harness asks it; `known` holds what was asked before."""
    made = _far_model() if hasattr(model, "continuations") else _asked_model()
    return made(model, {} if known is None else known)


@cache
def _far_model() -> Callable[[Any, Known], Any]:
    """The harness's model interface over log-probabilities of given texts."""
    from lm_eval.api.model import LM

    class Far(LM):  # type: ignore[misc]
        """Asks for each text once; what is cut is the endpoint's to say, so nothing is."""

        def __init__(self, model: Continues, known: Known) -> None:
            super().__init__()
            self.ours, self.known = model, known
            self.sizes: list[int] = []
            self.cut: list[bool] = []

        def loglikelihood(self, requests: Any, **_: Any) -> list[tuple[float, bool]]:
            keys = [request.args for request in requests]
            new = [
                (context, answer)
                for context, answer in dict.fromkeys(keys)
                if answer not in self.known.get(context, ())
            ]
            told = self.ours.continuations([c for c, _ in new], [a for _, a in new])
            for (context, answer), found in zip(new, told, strict=True):
                self.known.setdefault(context, {})[answer] = found
            self.sizes = [self.known[context][answer][1] for context, answer in keys]
            self.cut = [False] * len(keys)
            return [(self.known[context][answer][0], False) for context, answer in keys]

        def loglikelihood_rolling(self, requests: Any, **_: Any) -> Any:
            raise NotImplementedError("no task here asks for running text")

        def generate_until(self, requests: Any, **_: Any) -> Any:
            raise NotImplementedError("no task here asks for an answer to be written")

    return Far


@cache
def _asked_model() -> Callable[[Any, Known], Any]:
    """The harness's model class over weights in memory, made when the harness is there."""
    from lm_eval.models.huggingface import HFLM

    class InMemory(HFLM):  # type: ignore[misc]
        """Tokenises as the harness does; counts tokens and cuts; draws no bars."""

        def __init__(self, model: LocalModel, known: Known) -> None:
            super().__init__(
                pretrained=model.weights,
                tokenizer=model.tokenizer,
                device=str(model.weights.device),
                batch_size=1,
            )
            self.ours, self.known = model, known
            self.encoded: dict[str, list[int]] = {}
            self.sizes: list[int] = []
            self.cut: list[bool] = []

        def tok_encode(self, string: str, *args: Any, **kwargs: Any) -> list[int]:
            # The harness encodes a context again for each of its answers.
            if args or kwargs:
                return list(super().tok_encode(string, *args, **kwargs))
            if string not in self.encoded:
                if len(self.encoded) >= _ENCODED:
                    self.encoded.clear()
                self.encoded[string] = super().tok_encode(string)
            return self.encoded[string]

        def loglikelihood(self, requests: Any, disable_tqdm: bool = True) -> Any:
            return super().loglikelihood(requests, disable_tqdm=True)

        def _loglikelihood_tokens(self, requests: Any, **_: Any) -> list[tuple[float, bool]]:
            from normwright.models.choices import choice_logprobs

            keys = [(tuple(context), tuple(answer)) for _, context, answer in requests]
            self.sizes = [len(answer) for _, answer in keys]
            self.cut = [len(c) + len(a) > self.max_length + 1 for c, a in keys]
            new: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
            for context, answer in dict.fromkeys(keys):
                if answer not in self.known.get(context, ()):
                    new.setdefault(context, []).append(answer)
            found = choice_logprobs(
                self.ours, list(new), list(new.values()), context_length=self.max_length
            )
            for (context, answers), values in zip(new.items(), found, strict=True):
                self.known.setdefault(context, {}).update(zip(answers, values, strict=True))
            # Whether an answer would be the greedy one is not asked by any of our tasks.
            return [(self.known[context][answer], False) for context, answer in keys]

    return InMemory


@contextmanager
def _contained() -> Iterator[None]:
    """Keep what the harness prints, warns, logs, draws and sets in the environment to itself."""
    before, drawn, drawn_arrays = dict(os.environ), random.getstate(), np.random.get_state()
    levels = {name: logging.getLogger(name).level for name in _NOISY}
    try:
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.ERROR)
        with (
            warnings.catch_warnings(),
            redirect_stdout(io.StringIO()),
            redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(drawn)
        np.random.set_state(drawn_arrays)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        for key in set(os.environ) - set(before):
            del os.environ[key]
