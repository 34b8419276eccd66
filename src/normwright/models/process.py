"""A reward that is a Gaussian process over states of a frozen encoder, as a directory of its own.

What a directory holds:

| file | holds |
|---|---|
| `encoder/` | the lower layers of the encoder, which open in plain transformers |
| `process.json` | version, layers that are read, widths of the kernels, number of pairs |
| `process.safetensors` | means, spreads and fitted points of each kernel, and the weights of the pairs |

The utility of an answer is a sum over the fitted pairs: the weight of a pair, times how alike the
prompts are, times how much more the answer is like the pair's first answer than like its second. No
head of plain transformers computes that, so that the reward itself opens here alone; whoever needs
a plain classifier fits one with `frozen: all`. The encoder has a folder of its own so that nothing
takes the whole for a classifier and draws the head it lacks at random.

The fitted points are states of the answers and prompts that were learned from, from which something
of their text may be guessed: a directory is as private as its pairs.
"""  # noqa: E501

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normwright.models.encoder import (
    Classifier,
    Read,
    opened_tokenizer,
    pooled_states,
    read_text,
    stored_form,
)
from normwright.models.kinds import opened_config
from normwright.models.local import check_directory, device, quiet_bars
from normwright.records import Fault, InputError, Message

Floats: TypeAlias = NDArray[np.float64]
Singles: TypeAlias = NDArray[np.float32]

FACTS: Final = "process.json"
ARRAYS: Final = "process.safetensors"
ENCODER: Final = "encoder"
VERSION: Final = 1


@dataclass(frozen=True)
class Radial:
    """A radial kernel against fixed points; in single precision, which is what states are known to."""  # noqa: E501

    mean: Singles
    spread: Singles
    points: Singles
    """Standardised, shape (points, size)."""
    width: float

    @classmethod
    def fitted(cls, points: Floats) -> Radial:
        """Return the kernel that points standardise, its width their median squared distance."""
        mean, spread = points.mean(0), points.std(0)
        spread = np.where(spread > 0, spread, 1.0)
        standard = np.asarray((points - mean) / spread, dtype=np.float32)
        some = standard[:: max(1, len(points) // 500)]
        width = float(np.median(_distances(some, some))) or 1.0
        return cls(mean.astype(np.float32), spread.astype(np.float32), standard, width)

    def __call__(self, some: Floats) -> Singles:
        """Return covariances, shape (some, points)."""
        standard = (np.asarray(some, dtype=np.float32) - self.mean) / self.spread
        alike = _distances(standard, self.points)
        alike *= -1 / (2 * self.width)
        return np.asarray(np.exp(alike, out=alike))


@dataclass(frozen=True)
class Utility:
    """The mean of a fitted process at single answers: scores that differ by logits."""

    answers: tuple[Radial, ...]
    """A kernel a layer; the points are the first answers of the pairs and then the second."""
    prompts: Radial | None
    """Over prompts; None if what is good does not depend on them."""
    weights: Singles
    """Weight of each pair."""

    def __call__(self, answers: Floats, prompts: Floats) -> Floats:
        """Return the utility of answers.

        Args:
            answers: states, shape (answers, layers, size).
            prompts: states of their prompts, shape (answers, size).
        """
        n = len(self.weights)
        total = np.zeros((len(answers), n), dtype=np.float32)
        for layer, radial in enumerate(self.answers):
            alike = radial(answers[:, layer])
            total += alike[:, :n]
            total -= alike[:, n:]
        if self.prompts is not None:
            total *= self.prompts(prompts)
        return np.asarray(total @ self.weights, dtype=np.float64)


@dataclass
class ProcessScorer:
    """A `Scorer` over a fitted process. Of a single answer the prompt is read beside that answer."""  # noqa: E501

    encoder: Classifier
    """The trunk with its tokenizer and the text it reads; it has no head."""
    layers: tuple[int, ...]
    utility: Utility
    read: int = 0
    """Texts scored so far."""
    cut: int = 0
    """How many of them lost something to the limit."""

    @classmethod
    def open(cls, path: Path, *, batch: int = 32) -> ProcessScorer:
        """Open a directory that `save` wrote.

        Raises:
            InputError: naming everything it lacks, or that another version made it.
        """
        from safetensors.numpy import load_file
        from transformers import AutoModel

        place = path / ENCODER
        facts = _facts(path)
        check_directory(place)
        arrays, config = load_file(path / ARRAYS), opened_config(place)
        form = stored_form(config)
        layers = tuple(facts["layers"])
        names = [f"answers.{at}" for at in range(len(layers))]
        parts = [f"{name}.{part}" for name in [*names, *(["prompts"] if facts["prompts"] else [])]
                 for part in ("mean", "spread", "points")]  # fmt: skip
        lacking = sorted({*parts, "weights"} - set(arrays))
        if form is None or lacking or len(facts["widths"]) != len(parts) // 3:
            seen = f"without {', '.join(lacking)}" if lacking else "another"
            raise InputError([_broken(path, seen)])
        quiet_bars()
        trunk = AutoModel.from_pretrained(place, local_files_only=True, use_safetensors=True)
        kernels = [
            Radial(
                mean=arrays[f"{name}.mean"],
                spread=arrays[f"{name}.spread"],
                points=arrays[f"{name}.points"],
                width=width,
            )
            for name, width in zip([*names, "prompts"], facts["widths"], strict=False)
        ]
        utility = Utility(
            tuple(kernels[: len(layers)]),
            kernels[len(layers)] if facts["prompts"] else None,
            arrays["weights"],
        )
        trunk = trunk.float().eval().to(device())
        return cls(Classifier(trunk, opened_tokenizer(place), form, batch), layers, utility)

    def save(self, path: Path) -> None:
        """Write what `open` reads, save for the trunk and its tokenizer, which go to `encoder`."""
        from safetensors.numpy import save_file

        kernels = {f"answers.{at}": one for at, one in enumerate(self.utility.answers)}
        if self.utility.prompts is not None:
            kernels["prompts"] = self.utility.prompts
        arrays = {
            f"{name}.{part}": np.ascontiguousarray(getattr(one, part))
            for name, one in kernels.items() for part in ("mean", "spread", "points")
        }  # fmt: skip
        arrays["weights"] = np.ascontiguousarray(self.utility.weights)
        save_file(arrays, path / ARRAYS)
        facts = {
            "version": VERSION,
            "layers": list(self.layers),
            "prompts": self.utility.prompts is not None,
            "widths": [one.width for one in kernels.values()],
            "pairs": len(self.utility.weights),
        }
        (path / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the utility of each prompt with its answer; see `Scorer.score`."""
        texts: list[Read] = [
            read_text(self.encoder.tokenizer, self.encoder.form, p, c)
            for p, c in zip(prompts, completions, strict=True)
        ]
        self.read += len(texts)
        self.cut += sum(text.cut for text in texts)
        if not texts:
            return []
        answers, asked = pooled_states(
            self.encoder, texts, layers=self.layers, batch=self.encoder.batch
        )
        found = self.utility(answers.double().numpy(), asked[:, -1].double().numpy())
        return [float(value) for value in found]


def is_process(path: Path) -> bool:
    """Say whether a directory holds a process beside its encoder."""
    return (path / FACTS).is_file()


def _facts(path: Path) -> dict[str, Any]:
    """What stands in `process.json`, checked."""
    if not (path / ARRAYS).is_file():
        raise InputError([Fault(where=f"{path}/{ARRAYS}", expected="the fitted process",
                                seen="no such file")])  # fmt: skip
    try:
        facts = json.loads((path / FACTS).read_text(encoding="utf-8"))
        known = {"version", "layers", "prompts", "widths", "pairs"}
        if set(facts) == known and facts["version"] == VERSION:
            return dict(facts)
        seen = f"version {facts.get('version')}"
    except (OSError, ValueError, AttributeError, TypeError) as error:
        seen = type(error).__name__
    raise InputError([_broken(path, seen)])


def _broken(path: Path, seen: str) -> Fault:
    return Fault(where=f"{path}/{FACTS}", expected=f"a whole process of version {VERSION}",
                 seen=seen, do="Use the version that made it, or make it again.")  # fmt: skip


def _distances(one: Singles, other: Singles) -> Singles:
    """Squared distances, shape (one, other)."""
    inner = one @ other.T
    inner *= -2
    inner += (one**2).sum(1)[:, None]
    inner += (other**2).sum(1)[None]
    return np.asarray(np.maximum(inner, 0.0, out=inner))
