"""Models from random weights: their shape, their tokenizer, and a fresh one like another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch

from normwright.models.chat import BEGIN, CONTROLS, END, PAD, ROLES, SPECIAL, TEMPLATE
from normwright.models.local import LocalModel


@dataclass(frozen=True)
class Shape:
    """The model: one dial, `hidden`, and what follows from it."""

    hidden: int = 256
    layers: int = 6
    heads: int = 8
    vocabulary: int = 4096
    context: int = 1024


SHAPES: Final[Mapping[str, Shape]] = {
    "tiny": Shape(64, 2, 2, 1024, 256),
    "small": Shape(),
    "medium": Shape(512, 8, 8, 8192, 1024),
    "large": Shape(768, 12, 12, 32768, 1024),
}
"""Models from random weights by name; the largest has 110 million parameters."""


def train_tokenizer(texts: Iterator[str], *, vocabulary: int) -> Any:
    """Return a byte-level BPE tokenizer with single digits, as a transformers tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return wrap_tokenizer(tokenizer, PreTrainedTokenizerFast)


def wrap_tokenizer(tokenizer: Any, cls: Any) -> Any:
    """Return the transformers form of a `tokenizers` tokenizer, with our chat template."""
    fast = cls(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[*ROLES.values(), *CONTROLS.values()],
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = TEMPLATE
    return fast


def new_model(shape: Shape, *, seed: int) -> Any:
    """Return a randomly initialised Llama model of this shape."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        intermediate_size=shape.hidden * 8 // 3 // 32 * 32,
        max_position_embeddings=shape.context,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 500_000.0},
        bos_token_id=SPECIAL.index(BEGIN),
        eos_token_id=SPECIAL.index(END),
        pad_token_id=SPECIAL.index(PAD),
    )
    return LlamaForCausalLM(config)


def scratch_model(texts: Iterable[str], *, shape: Shape, seed: int) -> LocalModel:
    """Return a randomly initialised model with a tokenizer learned from the words of `texts`."""
    tokenizer = train_tokenizer(iter(texts), vocabulary=shape.vocabulary)
    actual = Shape(shape.hidden, shape.layers, shape.heads, len(tokenizer), shape.context)
    return LocalModel("base", new_model(actual, seed=seed), tokenizer)


def fresh_like(model: LocalModel, *, seed: int) -> LocalModel:
    """Return a randomly initialised model of the same architecture and tokenizer: a control."""
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    weights = AutoModelForCausalLM.from_config(model.weights.config)
    return LocalModel("random-init", weights.float(), model.tokenizer, model.batch)
