"""Random models of several architectures, small enough to be made in a test."""

from __future__ import annotations

from typing import Any

import torch

VOCABULARY, WIDTH, PAD = 96, 32, 0


def architectures() -> dict[str, Any]:
    """Configurations by name: with learned, rotary and no positions, tied and untied heads."""
    from transformers import (
        BloomConfig,
        GPT2Config,
        GPTNeoXConfig,
        LlamaConfig,
        OPTConfig,
    )

    ids = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": PAD}
    return {
        "llama": LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, intermediate_size=48, max_position_embeddings=128, **ids,
        ),
        "gpt2": GPT2Config(
            vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=2, n_head=2, n_positions=128,
            resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, **ids,
        ),
        "opt": OPTConfig(
            vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2,
            ffn_dim=48, max_position_embeddings=128, word_embed_proj_dim=16, dropout=0.0, **ids,
        ),
        "bloom": BloomConfig(
            vocab_size=VOCABULARY, hidden_size=WIDTH, n_layer=2, n_head=2, **ids,
        ),
        "gpt-neox": GPTNeoXConfig(
            vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=48, max_position_embeddings=128, **ids,
        ),
    }  # fmt: skip


def made(name: str, *, seed: int = 0) -> Any:
    """A random causal language model of an architecture, in evaluation mode."""
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    return AutoModelForCausalLM.from_config(architectures()[name]).eval()


ARCHITECTURES = ("llama", "gpt2", "opt", "bloom", "gpt-neox")
