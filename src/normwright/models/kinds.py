"""What kind of model a directory holds, from its configuration alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from normwright.records import Fault, InputError


def is_encoder(config: Any) -> bool:
    """Say whether a model reads both ways and writes nothing: no causal language model."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

    return (
        config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
        and not getattr(config, "is_decoder", False)
        and not getattr(config, "is_encoder_decoder", False)
    )


def is_classifier(config: Any) -> bool:
    """Say whether the weights of a directory have a classifying head."""
    return any(str(one).endswith("ForSequenceClassification") for one in config.architectures or ())


def opened_config(path: Path) -> Any:
    """Return the configuration of a model directory.

    Raises:
        InputError: if no architecture that transformers has is named in it.
    """
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(path, local_files_only=True)
    except (ValueError, OSError) as error:
        seen = " ".join(str(error).split())[:200]
        raise InputError([
            Fault(where=f"{path}/config.json", expected="a model that transformers has", seen=seen)
        ]) from None  # fmt: skip
