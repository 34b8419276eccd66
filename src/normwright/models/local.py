"""A model on this machine: any Hugging Face directory of a causal language model."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from normwright.models.chat import render, stop_text
from normwright.models.kinds import is_encoder, opened_config
from normwright.models.places import embedded_path
from normwright.records import Fault, InputError, Message

TOKENS_A_ROW = 128
"""How long the rows of a full batch may be on average; of longer rows a batch takes fewer, as the
scores over the vocabulary of every token would fill the memory."""


def use_threads(threads: int | None) -> int:
    """Set how many threads torch uses and return that number; None is one per core."""
    wanted = threads or len(os.sched_getaffinity(0))
    torch.set_num_threads(wanted)
    return wanted


def device() -> str:
    """Return where weights are put: the GPU if there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def half_precision() -> bool:
    """Say whether bfloat16 arithmetic is a gain here: a GPU, or a CPU with AMX or AVX512-BF16."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def quiet_bars() -> None:
    """Silence the bars transformers draws while reading and writing weights."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def check_directory(path: Path) -> None:
    """Raise one InputError naming everything a model directory lacks."""
    faults = []
    if not path.is_dir():
        faults.append(
            Fault(
                where=str(path),
                expected="a model directory",
                seen="no such directory",
                do="Give the path of a Hugging Face directory.",
            )
        )
    else:
        if not (path / "config.json").is_file():
            faults.append(
                Fault(
                    where=f"{path}/config.json",
                    expected="a model configuration",
                    seen="no such file",
                )
            )
        if (path / "adapter_config.json").exists():
            faults.append(
                Fault(
                    where=f"{path}/adapter_config.json",
                    expected="a whole model, which can be named as a reference",
                    seen="adapters of another model",
                    do="Fold the adapters into their model first, and give the result.",
                )
            )
        if not any(path.glob("*.safetensors")):
            faults.append(
                Fault(
                    where=f"{path}/*.safetensors",
                    expected="weights as safetensors",
                    seen="none",
                    do="Pickled weights are never loaded.",
                )
            )
        if not (path / "tokenizer.json").is_file() and not any(path.glob("tokenizer.model")):
            faults.append(
                Fault(
                    where=f"{path}/tokenizer.json",
                    expected="a tokenizer",
                    seen="no such file",
                    do="Save the tokenizer beside the weights.",
                )
            )
    if faults:
        raise InputError(faults)


def load_tokenizer(path: Path, *, chat: bool = True) -> Any:
    """Return the tokenizer of a model directory; it must carry a chat template and a stop token.

    Without `chat` it need not: then padding, which no mask lets through, takes any token there is.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    except Exception as error:  # The tokenizers library raises plain exceptions.
        raise _unopened(path, "a tokenizer that transformers opens", error) from error
    if not chat:
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
        return tokenizer
    lacking = [n for n in ("chat_template", "eos_token", "pad_token") if not getattr(tokenizer, n)]
    if lacking:
        raise InputError(
            [
                Fault(where=str(path), expected=f"a tokenizer with {n}", seen="none", do=_SET[n])
                for n in lacking
            ]
        )
    return tokenizer


_SET = {
    "chat_template": "Give the model that was tuned on conversations, or add chat_template.jinja.",
    "eos_token": "Set it in tokenizer_config.json: the token that ends an answer.",
    "pad_token": "Set it in tokenizer_config.json: any token that ends no answer will do.",
}
"""What to do about a part that a tokenizer lacks."""


def _unopened(path: Path, expected: str, error: Exception) -> InputError:
    seen = " ".join(str(error).split())[:200] or type(error).__name__
    do = "Take the model from its source again."
    return InputError([Fault(where=str(path), expected=expected, seen=seen, do=do)])


def load_weights(path: Path) -> Any:
    """Return the causal language model of a directory, in float32, from safetensors only."""
    from transformers import AutoModelForCausalLM

    check_directory(path)
    if _is_classifier(path):
        raise InputError([Fault(where=str(path), expected="a language model",
                                seen="a reward model, whose head gives scores",
                                do="Give the model whose answers are meant.")])  # fmt: skip
    return whole_weights(AutoModelForCausalLM, path)


def _is_classifier(path: Path) -> bool:
    """Say whether the configuration names a sequence classifier; `InputError` if it names none."""
    try:
        told = json.loads((path / "config.json").read_text(encoding="utf-8"))
        kinds = told.get("architectures") or ()
    except (OSError, ValueError, AttributeError) as error:
        raise InputError([Fault(where=f"{path}/config.json", expected="a model configuration",
                                seen=type(error).__name__,
                                do="Take the model from its source again.")]) from None  # fmt: skip
    return any(str(kind).endswith("ForSequenceClassification") for kind in kinds)


def whole_weights(kind: Any, path: Path) -> Any:
    """Return the weights of a directory, all of which stand in it.

    Raises:
        InputError: for weights that cannot be read, or lack a part, which would be drawn at random.
    """
    quiet_bars()
    try:
        weights, found = kind.from_pretrained(
            path, local_files_only=True, use_safetensors=True, dtype=torch.float32,
            output_loading_info=True,
        )  # fmt: skip
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise _unopened(path, "a model that transformers opens", error) from error
    if lacking := sorted(found["missing_keys"]):
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        raise InputError([Fault(where=str(path), expected="a model with all its weights",
                                seen=f"none for {', '.join(lacking[:3])}{more}",
                                do="They would be drawn at random. Give the whole model.")]
                         )  # fmt: skip
    return weights


__all__ = [
    "LocalModel",
    "LocalScorer",
    "check_directory",
    "device",
    "embedded_path",
    "half_precision",
    "load_tokenizer",
    "load_weights",
    "use_threads",
    "whole_weights",
]


@dataclass
class LocalScorer:
    """A `Scorer` over one head of a sequence classifier in memory."""

    weights: Any
    tokenizer: Any
    batch: int = 64
    head: int = 0
    """The head that scores; 0 is the pooled one, or the only one."""

    @classmethod
    def open(cls, path: Path, *, batch: int = 64, head: str | None = None) -> LocalScorer:
        """Open the directory of a reward model, on the head of that name; None is the first.

        Raises:
            InputError: naming everything the directory lacks, or the heads it has; of an encoder,
                which reads another text (`models.encoder.Classifier`).
        """
        from transformers import AutoModelForSequenceClassification

        check_directory(path)
        if is_encoder(opened_config(path)):
            raise InputError(
                [
                    Fault(where=str(path), expected="a reward model on a language model",
                          seen="one on an encoder",
                          do="Open it with normwright.models.encoder.open_scorer.")
                ]
            )  # fmt: skip
        if not _is_classifier(path):
            raise InputError([Fault(where=str(path), expected="a reward model",
                                    seen="a model without a head that gives scores",
                                    do="Train one: normwright learn reward.")])  # fmt: skip
        weights = whole_weights(AutoModelForSequenceClassification, path)
        names = [weights.config.id2label[i] for i in range(weights.config.num_labels)]
        if head is not None and head not in names:
            raise InputError(
                [Fault(where=str(path), expected=f"one of the heads {', '.join(names)}", seen=head)]
            )
        at = 0 if head is None else names.index(head)
        return cls(weights.eval().to(device()), load_tokenizer(path), batch, at)

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the head's logit of each prompt with its answer; see `Scorer.score`."""
        return [row[self.head] for row in self.logits(prompts, completions)]

    @torch.no_grad()
    def logits(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[list[float]]:
        """Return the logits of all heads for each prompt with its answer."""
        texts = [
            render(self.tokenizer, [*p, Message(role="assistant", content=c)], answer=False)
            for p, c in zip(prompts, completions, strict=True)
        ]
        out: list[list[float]] = []
        for start in range(0, len(texts), self.batch):
            batch = self.tokenizer(
                texts[start : start + self.batch],
                add_special_tokens=False,
                padding=True,
                padding_side="right",
                return_tensors="pt",
            )
            place = self.weights.device
            logits = self.weights(
                input_ids=batch["input_ids"].to(place),
                attention_mask=batch["attention_mask"].to(place),
            ).logits
            out += logits.tolist()
        return out


@dataclass
class LocalModel:
    """A `Model` over weights in memory. Greedy decoding is deterministic for a thread count."""

    name: str
    weights: Any
    tokenizer: Any
    batch: int = 128
    _stop: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._stop = self.tokenizer.convert_tokens_to_ids(stop_text(self.tokenizer))
        self.weights.eval()

    @classmethod
    def open(
        cls, path: Path, *, name: str | None = None, batch: int = 128, chat: bool = True
    ) -> LocalModel:
        """Open a model directory.

        Args:
            path: the directory.
            name: role or address; None is that of the directory.
            batch: rows at once.
            chat: whether it will be talked to; else it needs no chat template, and only the
                likelihood of texts may be asked for.

        Raises:
            InputError: naming everything the directory lacks.
        """
        check_directory(path)
        weights, tokenizer = load_weights(path), load_tokenizer(path, chat=chat)
        known = weights.get_input_embeddings().num_embeddings
        highest = max(tokenizer.get_vocab().values())
        if highest >= known:
            raise InputError(
                [
                    Fault(
                        where=str(path),
                        expected="a tokenizer of this model",
                        seen=f"token {highest} of a model that knows {known}",
                        do="Give the tokenizer the model was trained with.",
                    )
                ]
            )
        return cls(name or path.name, weights.to(device()), tokenizer, batch)

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        """Return `n` answers for each prompt; see `Model.generate`."""
        encoded = [self._encode(p) for p in prompts]
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
        answers: list[list[str]] = [[] for _ in prompts]
        generator_state = torch.random.get_rng_state()
        torch.manual_seed(seed)
        try:
            for start in range(0, len(order), self.batch):
                rows = order[start : start + self.batch]
                texts = self._decode([encoded[i] for i in rows], max_new_tokens, temperature, n)
                for i, made in zip(rows, texts, strict=True):
                    answers[i] = made
        finally:
            torch.random.set_rng_state(generator_state)
        return answers

    def fits(self, prompt: Sequence[Message], answer: str) -> bool:
        """Say whether a conversation with this answer is within the model's context."""
        said = [*prompt, Message(role="assistant", content=answer)]
        text = render(self.tokenizer, said, answer=False)
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return len(ids) <= int(self.weights.config.max_position_embeddings)

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the summed log-probability (nats) of each completion and its stop token."""
        contexts = [self._encode(p) for p in prompts]
        answers = [
            [*self.tokenizer(c, add_special_tokens=False)["input_ids"], self._stop]
            for c in completions
        ]
        return self.token_logprobs(contexts, answers)

    @torch.no_grad()
    def token_logprobs(
        self, contexts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]
    ) -> list[float]:
        """Return summed log-probabilities of token sequences after their contexts, in nats."""
        lengths = [len(c) + len(a) for c, a in zip(contexts, answers, strict=True)]
        out = [0.0] * len(contexts)
        for rows in _portions(lengths, rows=self.batch, tokens=self.batch * TOKENS_A_ROW):
            sequences = [[*contexts[i], *answers[i]] for i in rows]
            width, tail = max(map(len, sequences)), max(len(answers[i]) for i in rows)
            # Padded on the left, so that all answers end together and the vocabulary matrix is
            # applied to the last positions alone: prompts cost no softmax.
            ids = torch.full((len(rows), width), self.tokenizer.pad_token_id)
            mask = torch.zeros_like(ids)
            for r, sequence in enumerate(sequences):
                ids[r, width - len(sequence) :] = torch.tensor(sequence)
                mask[r, width - len(sequence) :] = 1
            ids, mask = ids.to(self.weights.device), mask.to(self.weights.device)
            logits = self.weights(
                input_ids=ids,
                attention_mask=mask,
                position_ids=(mask.cumsum(1) - 1).clamp_min(0),
                logits_to_keep=tail + 1,
            ).logits[:, :-1]
            scores = torch.log_softmax(logits.float(), -1)
            picked = scores.gather(-1, ids[:, width - tail :].unsqueeze(-1)).squeeze(-1)
            for r, i in enumerate(rows):
                out[i] = float(picked[r, tail - len(answers[i]) :].sum())
        return out

    def _encode(self, prompt: Sequence[Message]) -> list[int]:
        text = render(self.tokenizer, prompt)
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    @torch.no_grad()
    def _decode(
        self, contexts: list[list[int]], new: int, temperature: float, n: int
    ) -> list[list[str]]:
        width = max(map(len, contexts))
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(c)) + c for c in contexts])
        mask = torch.tensor([[0] * (width - len(c)) + [1] * len(c) for c in contexts])
        sampling: dict[str, Any] = {"do_sample": False}
        if temperature > 0:
            sampling = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
        place = self.weights.device
        made = self.weights.generate(
            input_ids=ids.to(place),
            attention_mask=mask.to(place),
            max_new_tokens=new,
            num_return_sequences=n,
            pad_token_id=pad,
            eos_token_id=self._stop,
            use_cache=True,
            **sampling,
        )
        texts = []
        for row in made[:, width:].tolist():
            kept = row[: row.index(self._stop)] if self._stop in row else row
            texts.append(self.tokenizer.decode(kept, skip_special_tokens=True).strip())
        return [texts[i * n : (i + 1) * n] for i in range(len(contexts))]


def _portions(lengths: Sequence[int], *, rows: int, tokens: int) -> Iterator[list[int]]:
    """Yield indices by length, shortest first, at most so many rows and padded tokens at a time."""
    part: list[int] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if part and (len(part) == rows or (len(part) + 1) * lengths[i] > tokens):
            yield part
            part = []
        part.append(i)
    if part:
        yield part
