"""Models made here: from nothing, like another one, and the record that names them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from normwright.learn.recipes.pretrain import Shape, new_model, train_tokenizer
from normwright.models.local import LocalModel
from normwright.models.tuning.loop import Loop, settings_of
from normwright.records import Digest, Forgotten, MadeBy, ModelRef


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


def weights_digest(model: LocalModel) -> Digest:
    """Return the digest of a model's weights in memory: names, shapes and values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.weights.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"


def model_ref(
    name: str,
    files: Mapping[str, Digest],
    weights: Any,
    *,
    recipe: str,
    base: Digest | None = None,
    data: Sequence[Digest] = (),
    loop: Loop | None = None,
    settings: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    seed: int | None = None,
    permit: Digest | None = None,
    unpermitted: bool = False,
    forgotten: Forgotten | None = None,
) -> ModelRef:
    """Return the record that names a model by its content and says where it came from.

    `unpermitted` marks one that was trained without a permit; release keeps it in. `forgotten`
    says what it was made to forget; until that was measured, it rests on what was withdrawn.
    """
    return ModelRef(
        name=name,
        files=dict(files),
        parameters=sum(p.numel() for p in weights.parameters()),
        base=base,
        data=tuple(data),
        recipe=recipe,
        settings={**(settings_of(loop) if loop else {}), **(settings or {})},
        metrics={k: round(v, 6) for k, v in (metrics or {}).items()},
        permit=permit,
        unpermitted=unpermitted,
        forgotten=forgotten,
        derived_from=tuple(d for d in (base, *data, permit) if d),
        made_by=MadeBy(stage="learn", plugin=recipe, seed=seed),
    )
