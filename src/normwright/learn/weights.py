"""The record that names a model by its content and says where it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from normwright.models.local import LocalModel
from normwright.models.tuning.loop import Loop, settings_of
from normwright.records import Digest, Forgotten, MadeBy, ModelRef


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
