"""What a run trains on, resolved where it takes place and written beside the weights.

A project file holds the science: the global batch, losses, rates, seeds. How many processes share a
batch, how many rows each takes at once, and in which precision is decided here, so that one file
serves a laptop and a cluster, and the digest of the science stays the same.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

import torch

from normwright.models.local import half_precision
from normwright.records import Fault, InputError

HARDWARE_CARD: Final = "hardware.json"
"""What a run was trained on, beside the weights."""

Strategy = Literal["ddp", "fsdp2", "deepspeed"]
Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Hardware:
    """What a run may use; what is left open is resolved from what is there."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    per_device: int | None = None
    """Rows a process takes at once; None: its whole share of the batch."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, about a third more work."""
    strategy: Strategy = "ddp"
    """`ddp`: every process holds all weights; `fsdp2` and `deepspeed` (ZeRO-3): each a shard, while
    it trains. At the end each holds all again."""


@dataclass(frozen=True)
class Resolved:
    """What one run trains on."""

    device: Literal["cpu", "cuda"]
    world: int
    """Processes, each with one device."""
    per_device: int
    accumulation: int
    """Parts of a step that a process computes one after the other before it updates the weights."""
    precision: Precision
    threads: int
    """Threads of each process."""
    checkpointing: bool
    strategy: Strategy

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values, with the versions of what computed."""
        import transformers

        name = torch.cuda.get_device_name() if self.device == "cuda" else _cpu_name()
        return {
            **asdict(self),
            "processor": name,
            "torch": str(torch.__version__),
            "transformers": transformers.__version__,
        }

    def write(self, directory: Path) -> None:
        """Write it beside the weights."""
        text = json.dumps(self.as_json(), indent=1) + "\n"
        (directory / HARDWARE_CARD).write_text(text, encoding="utf-8")


def parse_hardware(profile: str) -> tuple[Hardware, int]:
    """Return what a profile allows, and how many processes it asks for.

    A profile is one of `auto`, `cpu`, `gpu`, `cpuN` and `gpuN`, where N is a number of processes.
    `auto` and `gpu` ask for one process; a launcher's own number of processes stands over it.

    Raises:
        InputError: for another word.
    """
    word = profile.strip().lower()
    if word in ("auto", "cpu", "gpu"):
        return Hardware(device=word), 1  # type: ignore[arg-type]
    kinds: tuple[Literal["gpu", "cpu"], ...] = ("gpu", "cpu")
    for kind in kinds:
        number = word.removeprefix(kind)
        if word.startswith(kind) and number.isdecimal() and int(number) > 0:
            return Hardware(device=kind), int(number)
    raise InputError([Fault(where="--hardware", expected="auto, cpu, gpu, gpuN or cpuN",
                            seen=profile)])  # fmt: skip


def world_size() -> int:
    """Return how many processes a launcher such as torchrun started beside this one."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return which of them this is, from 0; the one that writes is 0."""
    return int(os.environ.get("RANK", "0"))


def resolved(asked: Hardware, *, batch: int, world: int | None = None) -> Resolved:
    """Return what a run trains on here.

    Args:
        asked: what it may use.
        batch: rows in a step, over all processes.
        world: processes; None is what the launcher says.

    Raises:
        InputError: if what is asked for is not here.
    """
    faults = list(_missing(asked))
    if faults:
        raise InputError(faults)
    gpu = torch.cuda.is_available() and asked.device != "cpu"
    number = world or world_size()
    mine = -(-batch // number)
    at_once = min(asked.per_device or mine, mine)
    precision: Precision = asked.precision if asked.precision != "auto" else _precision(gpu=gpu)
    return Resolved(
        device="cuda" if gpu else "cpu",
        world=number,
        per_device=at_once,
        accumulation=-(-mine // at_once),
        precision=precision,
        threads=torch.get_num_threads(),
        checkpointing=asked.checkpointing,
        strategy=asked.strategy,
    )


def halves(asked: Hardware) -> bool:
    """Say whether a run that may use this trains in bfloat16."""
    return resolved(asked, batch=1).precision == "bf16"


def _precision(*, gpu: bool) -> Precision:
    """bfloat16 where it is a gain: on a CPU, only with instructions for it."""
    return "bf16" if (half_precision() if gpu else _cpu_bf16()) else "fp32"


def _cpu_bf16() -> bool:
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def _missing(asked: Hardware) -> list[Fault]:
    faults = []
    gpu = torch.cuda.is_available()
    if asked.device == "gpu" and not gpu:
        faults.append(Fault(where="hardware", expected="a GPU", seen="none that torch can use",
                            do="Ask for cpu or auto."))  # fmt: skip
    if asked.strategy != "ddp" and (asked.device == "cpu" or not gpu):
        faults.append(Fault(where="hardware", expected=f"GPUs for {asked.strategy}",
                            seen="a CPU", do="Take ddp on a CPU."))  # fmt: skip
    elif asked.strategy == "deepspeed" and find_spec("deepspeed") is None:
        faults.append(Fault(where="hardware", expected="DeepSpeed", seen="it is not installed",
                            do="pip install deepspeed, or take fsdp2."))  # fmt: skip
    if asked.per_device is not None and asked.per_device < 1:
        faults.append(Fault(where="hardware: per_device", expected="at least 1",
                            seen=str(asked.per_device)))  # fmt: skip
    return faults


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    import platform

    return platform.processor() or platform.machine()


def process_environment(processes: int) -> dict[str, str]:
    """Return what launched processes need in their environment.

    The cores are shared among them, and a thread that waits sleeps: with the usual busy waiting, a
    process whose threads outnumber its cores falls to a fraction of its speed.
    """
    cores = len(os.sched_getaffinity(0))
    return {
        "OMP_NUM_THREADS": str(max(1, cores // processes)),
        "OMP_WAIT_POLICY": "PASSIVE",
        # Some recipes leave weights without a gradient, so torch looks for such; where there are
        # none it says so on every process.
        "TORCH_CPP_LOG_LEVEL": "ERROR",
    }


def sharded(on: Resolved, model: Any) -> dict[str, Any]:
    """Return the arguments of `transformers.TrainingArguments` that a strategy needs."""
    if on.strategy == "fsdp2":
        return {"fsdp": True, "fsdp_config": fsdp2_settings(model)}
    if on.strategy == "deepspeed":
        return {"deepspeed": zero3_settings(on)}
    return {}


def whole_again(model: Any, trained: Any, twin: Any) -> None:
    """Make a model that was trained in shards a plain one, with all weights on every process.

    What comes after training (scores, the export) calls parts of the model and reads weights by
    name, which a shard cannot answer, so they have to fit on each device.

    Args:
        model: what was given to be trained; it is changed in place.
        trained: its module as it was trained, each process with its shards.
        twin: a copy of the model from before the first step, on the CPU.
    """
    held = dict(trained.named_parameters())
    device = next(iter(held.values())).device
    with torch.no_grad():
        for name, parameter in twin.named_parameters():
            parameter.copy_(_whole(held[name]))
    model.__class__ = type(twin)
    vars(model).clear()
    vars(model).update(vars(twin.to(device)))


def _whole(parameter: Any) -> torch.Tensor:
    """Return all of a weight that processes share; every process asks for each in turn."""
    if hasattr(parameter, "full_tensor"):
        whole: torch.Tensor = parameter.full_tensor()
        return whole
    if hasattr(parameter, "ds_id"):
        from deepspeed.zero import GatheredParameters

        with GatheredParameters([parameter]):
            gathered: torch.Tensor = parameter.detach().clone()
            return gathered
    plain: torch.Tensor = parameter.detach()
    return plain


def fsdp2_settings(model: Any | None = None) -> dict[str, Any]:
    """Return FSDP2 as `TrainingArguments.fsdp_config` takes it: every layer a unit of its own."""
    layers = sorted(getattr(model, "_no_split_modules", None) or [])
    return {
        "version": 2,
        "reshard_after_forward": True,
        "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        **({"transformer_layer_cls_to_wrap": layers} if layers else {}),
        "state_dict_type": "FULL_STATE_DICT",
    }


def zero3_settings(on: Resolved) -> dict[str, Any]:
    """Return DeepSpeed ZeRO-3: weights, gradients and optimizer are sharded over all processes."""
    return {
        "bf16": {"enabled": on.precision == "bf16"},
        "zero_optimization": {
            "stage": 3,
            "overlap_comm": True,
            "contiguous_gradients": True,
            "stage3_gather_16bit_weights_on_model_save": True,
        },
        "gradient_accumulation_steps": on.accumulation,
        "train_micro_batch_size_per_gpu": on.per_device,
        "train_batch_size": on.per_device * on.accumulation * on.world,
        "gradient_clipping": "auto",
    }


__all__ = [
    "HARDWARE_CARD",
    "Hardware",
    "Resolved",
    "fsdp2_settings",
    "parse_hardware",
    "process_environment",
    "rank",
    "resolved",
    "sharded",
    "whole_again",
    "world_size",
    "zero3_settings",
]
