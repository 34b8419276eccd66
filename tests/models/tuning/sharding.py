"""One optimizer step with weights in shards, and how far it lies from one on whole weights.

python -m torch.distributed.run ... -m tests.models.tuning.sharding OUT
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from tests.models.tuning.conftest import PAD, made
from tests.models.tuning.rows import drawn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from normwright.models.tuning import group_rows, grouped_logprobs
from normwright.models.tuning.hardware import Resolved, whole_again
from normwright.models.tuning.loop import ModelWithLoss


def stepped(objective: ModelWithLoss, batch: Any, *, scale: float) -> dict[str, torch.Tensor]:
    """The weights after one step of plain gradient descent, whole again."""
    optimizer = torch.optim.SGD(objective.parameters(), lr=0.5)
    (objective(batch) * scale).backward()
    optimizer.step()
    return {
        name: p.full_tensor().detach() if isinstance(p, DTensor) else p.detach()
        for name, p in objective.named_parameters()
    }


def main(out: Path) -> None:
    """Compare a step on shards, each process with its own rows, with a step on all rows."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    world, rank = dist.get_world_size(), dist.get_rank()
    data = drawn(12)
    total = sum(len(row.ids) - row.start for row in data)
    on = Resolved("cpu", world, 6, 1, "fp32", 1, False, "fsdp2")

    def loss(model: Any, batch: Any) -> torch.Tensor:
        return -grouped_logprobs(model, batch).sum() / total

    whole = stepped(ModelWithLoss(made("llama"), loss, on), group_rows(data, PAD), scale=1.0)
    shards = ModelWithLoss(made("llama"), loss, on)
    twin = copy.deepcopy(shards.model)
    mesh = init_device_mesh("cpu", (world,))
    for layer in shards.model.model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(shards, mesh=mesh)
    held = sum(p.to_local().numel() for p in shards.parameters() if isinstance(p, DTensor))
    # Shards average gradients over processes, as the loop undoes.
    parts = stepped(shards, group_rows(data[rank::world], PAD), scale=float(world))
    gap = max(float((whole[name] - part).abs().max()) for name, part in parts.items())
    plain = shards.model
    whole_again(plain, plain, twin)
    # As recipes and the export read it: trunk and head apart, and every weight by name.
    told = made("llama")
    told.load_state_dict(plain.state_dict())
    batch = group_rows(data, PAD)
    with torch.no_grad():
        apart = float((grouped_logprobs(plain, batch) - grouped_logprobs(told, batch)).abs().max())
    ended = {f"model.{name}": p for name, p in told.named_parameters()}
    gap = max(gap, *(float((whole[name] - p).abs().max()) for name, p in ended.items()))
    if rank == 0:
        every = sum(p.numel() for p in whole.values())
        out.write_text(json.dumps({"gap": gap, "held": held / every, "apart": apart}))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
