"""Low-rank adapters: few weights are trained, and the export is a plain model again."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Lora:
    """Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685). Part of the science of a run."""

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    targets: str | tuple[str, ...] = "all-linear"
    """Names of the modules that are adapted; `all-linear`: every linear layer but the head."""


def adapted(weights: Any, lora: Lora | None, *, seed: int, whole: tuple[str, ...] = ()) -> Any:
    """Return the weights with adapters on them, of which alone are trained; as they are for None.

    The underlying modules are changed in place, so give a copy.

    Args:
        weights: a transformers model.
        lora: the adapters.
        seed: draws their first weights.
        whole: names of modules that are trained whole instead, as a head that starts from nothing.
    """
    if lora is None:
        return weights
    import torch
    from peft import get_peft_model

    torch.manual_seed(seed)
    with warnings.catch_warnings():
        # peft asks for a property whose name transformers is about to change.
        warnings.filterwarnings("ignore", message=".*gradient_checkpointing.*")
        # GPT-2's linear layers are transposed; peft sees it, adapts them rightly, and says so.
        warnings.filterwarnings("ignore", message="fan_in_fan_out is set to False")
        return get_peft_model(weights, adapter_config(lora, whole=whole))


def adapter_config(lora: Lora, *, whole: tuple[str, ...] = ()) -> Any:
    """Return adapters as peft takes them; modules of these names are trained whole."""
    from peft import LoraConfig

    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets if isinstance(lora.targets, str) else list(lora.targets),
        bias="none",
        modules_to_save=list(whole) or None,
        exclude_modules=list(whole) or None,
    )


def inner(weights: Any) -> Any:
    """Return the transformers model inside adapters: what losses call by `.model` and `.lm_head`.

    Its linear layers are the adapted ones, so that calling it trains the adapters.
    """
    return weights.get_base_model() if hasattr(weights, "get_base_model") else weights


def merged(weights: Any) -> Any:
    """Return a plain model with the adapters folded into its weights."""
    return weights.merge_and_unload() if hasattr(weights, "merge_and_unload") else weights
