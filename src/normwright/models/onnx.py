"""A sequence classifier from an ONNX file, without torch and without transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normwright.models.turns import turns_text
from normwright.records import Fault, InputError, Message, MissingExtra

Reads: TypeAlias = Literal["template", "segments", "answer"]
Ids: TypeAlias = tuple[list[int], list[int]]
"""Tokens and the segment of each."""

_BATCH: Final = 32
_INPUTS: Final = frozenset({"input_ids", "attention_mask", "token_type_ids"})
_OFFSET: Final = ("roberta", "xlm-roberta", "camembert", "mpnet", "longformer", "xlm-roberta-xl")
"""Models that count positions from the padding token on."""


@dataclass(frozen=True)
class OnnxClassifier:
    """A session of ONNX Runtime with the tokenizer that lies beside the file.

    It reads a text token for token as the weights in transformers would (`models.encoder`).
    """

    session: Any
    tokenizer: Any
    reads: Reads
    limit: int
    """Tokens of a text, at most."""
    pad: int

    @classmethod
    def open(cls, path: Path, told: Mapping[str, Any], reads: Reads | None) -> OnnxClassifier:
        """Open the file of a directory.

        Args:
            path: holds `model.onnx` and `tokenizer.json`.
            told: its configuration.
            reads: which text it reads; None: what the configuration says, else two segments.

        Raises:
            InputError: naming everything it lacks, or what it asks for that nobody can give it.
            MissingExtra: without ONNX Runtime.
        """
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as error:
            raise MissingExtra("A reward model from an ONNX file", "onnx") from error
        form = told.get("normwright_text")
        own = form if isinstance(form, dict) else {}
        text = reads or own.get("form", "segments")
        if text not in ("segments", "answer"):
            raise InputError([
                Fault(where=f"{path}/config.json", expected="a reward that reads segments",
                      seen=f"one that reads a {text}", do="Serve it from its weights."),
            ])  # fmt: skip
        if not (path / "tokenizer.json").is_file():
            raise InputError([Fault(where=f"{path}/tokenizer.json", expected="a tokenizer",
                                    seen="no such file",
                                    do="Save the tokenizer beside the file.")])  # fmt: skip
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # One answer is short; threads of its own would take the cores from the server's.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            session = onnxruntime.InferenceSession(
                str(path / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        # Both libraries raise exceptions of their own, and plain ones.
        except Exception as error:
            seen = " ".join(str(error).split())[:200] or type(error).__name__
            fault = Fault(where=str(path), expected="an ONNX file with its tokenizer", seen=seen,
                          do="Export the model again.")  # fmt: skip
            raise InputError([fault]) from error
        strange = {one.name for one in session.get_inputs()} - _INPUTS
        if strange or "input_ids" not in {one.name for one in session.get_inputs()}:
            raise InputError([Fault(where=f"{path}/model.onnx",
                                    expected=f"inputs among {', '.join(sorted(_INPUTS))}",
                                    seen=", ".join(sorted(strange)) or "no input_ids",
                                    do="Export it as a sequence classifier.")])  # fmt: skip
        tokenizer.no_padding()
        limit = own.get("limit")
        return cls(
            session=session,
            tokenizer=tokenizer,
            reads=text,
            limit=limit if isinstance(limit, int) else _positions(told),
            pad=int(told.get("pad_token_id") or 0),
        )

    def logits(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> NDArray[np.float64]:
        """Return the logits of each prompt with its answer, (answers, labels)."""
        rows = [self.read(p, c) for p, c in zip(prompts, completions, strict=True)]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]))
        out: dict[int, NDArray[np.float64]] = {}
        for start in range(0, len(order), _BATCH):
            part = order[start : start + _BATCH]
            found = self._run([rows[i] for i in part])
            out |= dict(zip(part, found, strict=True))
        return np.stack([out[i] for i in range(len(rows))])

    def read(self, prompt: Sequence[Message], answer: str) -> Ids:
        """Return the tokens that are read, and the segment of each."""
        if self.reads == "answer":
            self.tokenizer.enable_truncation(self.limit)
            found = self.tokenizer.encode(answer)
            return found.ids, found.type_ids
        self.tokenizer.no_truncation()
        turns = turns_text(prompt)
        room = self.limit - self.tokenizer.num_special_tokens_to_add(is_pair=True)
        spans = self.tokenizer.encode(answer, add_special_tokens=False).offsets
        if len(spans) > room:
            answer = answer[: spans[room - 1][1]]
        if len(spans) >= room:
            turns = ""
        if turns:
            self.tokenizer.enable_truncation(self.limit, strategy="only_first", direction="left")
        # As transformers does: an answer without a letter is no second segment.
        found = self.tokenizer.encode(turns, answer or None)
        return found.ids, found.type_ids

    def _run(self, rows: Sequence[Ids]) -> NDArray[np.float64]:
        width = max(len(ids) for ids, _ in rows)
        ids = np.full((len(rows), width), self.pad, dtype=np.int64)
        mask, types = np.zeros_like(ids), np.zeros_like(ids)
        for i, (tokens, segments) in enumerate(rows):
            ids[i, : len(tokens)], mask[i, : len(tokens)] = tokens, 1
            types[i, : len(segments)] = segments
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        names = {one.name for one in self.session.get_inputs()}
        [logits, *_] = self.session.run(None, {k: v for k, v in given.items() if k in names})
        return np.asarray(logits, dtype=np.float64).reshape(len(rows), -1)


def _positions(told: Mapping[str, Any]) -> int:
    """Tokens that the model has positions for; 512 where its configuration does not say."""
    found = told.get("max_position_embeddings")
    if not isinstance(found, int) or found <= 0:
        return 512
    offset = int(told.get("pad_token_id") or 0) + 1 if told.get("model_type") in _OFFSET else 0
    return found - offset
