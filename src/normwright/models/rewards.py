"""Any sequence classifier as a reward: a directory of weights, or of an ONNX file.

A reward says how good an answer is, on a scale of its own. Which label speaks for an answer, and
which text the classifier reads, stand beside weights that this project trained; of any other
classifier whoever serves it has to say the first, and may say the second.

An ONNX file is run by ONNX Runtime and its tokenizer by `tokenizers`, so that no torch is needed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normwright.records import Digest, Fault, InputError, Message, MissingExtra, digest_json

Reads: TypeAlias = Literal["template", "segments", "answer"]
"""Which text is read: the chat template, the turns and the answer as two segments, or the answer
alone."""
Floats: TypeAlias = NDArray[np.float64]
Logits: TypeAlias = Callable[[Sequence[Sequence[Message]], Sequence[str]], Floats]
"""Conversations and an answer to each -> logits, (answers, labels)."""

ONNX: Final = "model.onnx"
AGAINST: Final = "not:"
"""What a label begins with that speaks against an answer."""
_FILES: Final = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class ClassifierReward:
    """A `Scorer` over one label of a sequence classifier.

    The score is the label's logit where labels are heads of their own, and its log odds against the
    others where one of them holds; less of it where the label speaks against an answer.
    """

    name: str
    digest: Digest
    """Of the weights, the configuration and the tokenizer."""
    label: str
    """The label, with `not:` before it where it speaks against an answer."""
    reads: Reads
    runtime: Literal["torch", "onnx"]
    logits: Logits
    at: int
    """Which logit is the label's."""
    odds: bool
    """Whether one of the labels holds, so that the score is log odds."""

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the score of each prompt with its answer; see `Scorer.score`.

        Raises:
            ValueError: for a logit that is no number, which says nothing.
        """
        if not completions:
            return []
        found = self.logits(prompts, completions)
        own = found[:, self.at]
        if self.odds:
            others = np.delete(found, self.at, axis=1)
            own = own - np.logaddexp.reduce(others, axis=1)
        if not np.isfinite(own).all():
            raise ValueError("a score that is no number")
        sign = -1.0 if self.label.startswith(AGAINST) else 1.0
        return [sign * float(value) for value in own]


def open_reward(
    path: Path, *, label: str | None = None, reads: Reads | None = None
) -> ClassifierReward:
    """Return the classifier of a directory as a reward.

    Args:
        path: as `normwright learn reward` writes it, or any sequence classifier that transformers
            saved; where `model.onnx` lies in it, that file is run and no weights are opened.
        label: the label that speaks for an answer, or against it with `not:` before it; None: the
            only one, or the one that counts in a reward model of this project.
        reads: which text it reads; None: what its configuration says, else the chat template of its
            tokenizer, else two segments.

    Raises:
        InputError: naming everything the directory lacks, or the labels it has.
        MissingExtra: if it cannot be run here.
    """
    told = _told(path)
    at, named, odds = _labelled(path, told, label)
    if (path / ONNX).is_file():
        text, logits = _with_onnx(path, told, reads)
    else:
        text, logits = _with_torch(path, reads)
    return ClassifierReward(
        name=path.resolve().name,
        digest=digest_of(path),
        label=named,
        reads=text,
        runtime="onnx" if (path / ONNX).is_file() else "torch",
        logits=logits,
        at=at,
        odds=odds,
    )


def _told(path: Path) -> Mapping[str, Any]:
    """The configuration of a directory."""
    file = path / "config.json"
    do = "Give a directory with a sequence classifier; train one with: normwright learn reward."
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        seen = "no such file" if not file.is_file() else type(error).__name__
        raise InputError([Fault(where=str(file), expected="a model configuration", seen=seen,
                                do=do)]) from None  # fmt: skip
    if not isinstance(found, dict):
        raise InputError([Fault(where=str(file), expected="a model configuration",
                                seen=type(found).__name__, do=do)])  # fmt: skip
    return found


def _labelled(path: Path, told: Mapping[str, Any], label: str | None) -> tuple[int, str, bool]:
    """Return which logit counts, what it is called, and whether one of the labels holds."""
    names = _names(told)
    heads = "normwright_text" in told or "reward" in told
    odds = len(names) > 1 and not heads and told.get("problem_type") != "multi_label_classification"
    if label is None:
        if len(names) == 1 or heads:
            return 0, names[0], odds
        raise InputError([
            Fault(where=f"{path}/config.json: id2label", expected="one label",
                  seen=", ".join(names)[:200],
                  do="Name the label that speaks for an answer, or `not:` and the one that speaks"
                  " against it: --reward-label."),
        ])  # fmt: skip
    bare = label.removeprefix(AGAINST)
    if bare not in names:
        raise InputError([
            Fault(where="--reward-label", expected=f"one of {', '.join(names)[:200]}", seen=bare),
        ])  # fmt: skip
    return names.index(bare), label, odds


def _names(told: Mapping[str, Any]) -> list[str]:
    """The names of the labels, in the order of the logits; two where a configuration is silent."""
    given = told.get("id2label")
    if isinstance(given, dict) and given:
        return [str(given.get(str(i), f"LABEL_{i}")) for i in range(len(given))]
    count = told.get("num_labels")
    return [f"LABEL_{i}" for i in range(count if isinstance(count, int) and count > 0 else 2)]


def _with_torch(path: Path, reads: Reads | None) -> tuple[Reads, Logits]:
    """The text that is read and the logits, by the weights."""
    try:
        from normwright.models.encoder import Classifier
    except ImportError as error:
        raise MissingExtra("A reward model from its weights", "learn") from error
    model = Classifier.open(path)
    if reads is not None:
        model = model.reading(reads)
    return model.form.form, lambda prompts, answers: np.array(
        model.logits(prompts, answers), dtype=np.float64
    )


def _with_onnx(path: Path, told: Mapping[str, Any], reads: Reads | None) -> tuple[Reads, Logits]:
    """The text that is read and the logits, by the ONNX file."""
    from normwright.models.onnx import OnnxClassifier

    model = OnnxClassifier.open(path, told, reads)
    return model.reads, model.logits


def digest_of(path: Path) -> Digest:
    """Return the digest of a model directory: what is run, its configuration, its tokenizer."""
    onnx = path / ONNX
    run = [onnx] if onnx.is_file() else sorted(path.glob("*.safetensors"))
    files = [*run, *(path / name for name in _FILES)]
    return digest_json({p.name: _file_digest(p) for p in files if p.is_file()})


def _file_digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
