"""What a training would need, before anything is trained: memory, time, and what fits where.

Formulas, with P weights, of which T are trained, h the width, f the width of the feed-forward part,
k the width of keys, a the heads, L layers, V the vocabulary, s tokens a row and b rows at once:

- Weights: 4 P bytes; they are kept in float32, and bfloat16 copies live for one operation. 4 P
  bytes more for the model that training starts from, which stays as it was; reinforcement without
  adapters loads it a third time. Neither is sharded; at the end each process holds all weights.
- Gradients: 4 T bytes. Adam: 8 T bytes. Under FSDP2 and ZeRO-3 these three are divided by the
  processes, and one layer at a time is whole on each (4 P / L bytes).
- Activations: for each token and layer about 7 h + 2 k + 4 f numbers are kept for the backward pass
  (inputs of norms, of the projections and of the product of gate and up; after Korthikanti et al.
  2022, arXiv 2205.05198), with attention that keeps no scores. On a CPU short rows keep them: 2 a s
  numbers more. With checkpointing: h numbers for each layer, and one layer whole.
- Scores over the vocabulary: 4 V bytes for each answer token, kept from the softmax.
- Work: 6 operations a weight and token (2 forward, 4 backward; Kaplan et al. 2020, arXiv
  2001.08361), 4 where the weights are frozen under adapters, 8 and 6 with checkpointing; attention
  6 L h s a token more. A reference read once adds 2. Reinforcement reads each answer thrice more
  in every pass (sampling, policy, reference); sampling moves all weights for one token at a time,
  which is counted as ten times its operations. Its reward models are not counted.
- Time: work over peak speed and the share of it that is used, as a range.

They leave out the allocator's waste and buffers of libraries, so memory carries a range too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from normwright.records import Fault, InputError

GIB: Final = 2**30
SLACK: Final = (0.9, 1.35)
"""The range in which measured peaks lie around the formulas."""
USED: Final[Mapping[str, tuple[float, float]]] = {"gpu": (0.25, 0.5), "cpu": (0.2, 0.6)}
"""Share of the peak speed that training uses: an assumption, from published runs."""
TFLOPS: Final[Mapping[str, float]] = {"gpu": 989.0, "cpu": 0.08}
"""Peak of one device in 10^12 operations a second: an H100 in bfloat16; one core with AVX-512."""
MEMORY: Final[Mapping[str, float]] = {"gpu": 80.0, "cpu": 16.0}
"""Memory of one device in GiB."""


@dataclass(frozen=True)
class Shape:
    """The figures of an architecture that memory and work follow from."""

    hidden: int
    layers: int
    heads: int
    key_width: int
    """Width of all keys of a layer: heads of keys times their size."""
    inner: int
    vocabulary: int
    tied: bool
    gated: bool = True
    """Llama's feed-forward part, of three matrices and no biases; else GPT-2's."""
    context: int = 0
    """Learned positions, for GPT-2."""

    @property
    def parameters(self) -> int:
        """Weights in all."""
        h, tables = self.hidden, self.vocabulary * self.hidden
        if self.gated:
            layer = 2 * h * h + 2 * h * self.key_width + 3 * h * self.inner + 2 * h
            return tables * (1 if self.tied else 2) + self.layers * layer + h
        layer = 4 * h * h + 4 * h + 2 * h * self.inner + self.inner + h + 4 * h
        return tables + self.context * h + self.layers * layer + 2 * h

    def adapters(self, rank: int) -> int:
        """Weights of low-rank adapters on every linear layer."""
        h, k, f = self.hidden, self.key_width, self.inner
        pairs = [(h, h), (h, k), (h, k), (h, h), (h, f), (h, f), (f, h)]
        if not self.gated:
            pairs = [(h, 3 * h), (h, h), (h, f), (f, h)]
        return self.layers * rank * sum(a + b for a, b in pairs)


SIZES: Final[Mapping[str, Shape]] = {
    "124M": Shape(768, 12, 12, 768, 3072, 50257, True, gated=False, context=1024),
    "760M": Shape(1536, 24, 16, 1536, 4096, 50304, True),
    "1.7B": Shape(2048, 24, 32, 2048, 8192, 49152, True),
    "8B": Shape(4096, 32, 32, 1024, 14336, 128256, False),
    "70B": Shape(8192, 80, 64, 1024, 28672, 128256, False),
}
"""GPT-2; Llama's form at a width of 1,536; SmolLM2; Llama 3.1 twice."""

PASSES: Final[Mapping[str, tuple[float, float]]] = {
    "sft": (1, 0), "pretrain": (1, 0), "reward": (2, 0), "prefer": (2, 2), "unlearn": (2, 1),
    "reinforce": (4, 0),
}  # fmt: skip
"""Of each recipe, the texts of a row that are trained on, and those that a reference reads once; of
reinforcement, four answers to a prompt."""
REREAD: Final[Mapping[str, float]] = {"reinforce": 12.0}
"""Readings of each text in every pass beside training on it, in forward passes."""


@dataclass(frozen=True)
class Asked:
    """What is to be trained, and on what."""

    recipe: str = "sft"
    device: str = "gpu"
    processes: int = 1
    rows: int = 10_000
    """Rows of a pass."""
    epochs: float = 1.0
    length: int = 512
    """Tokens a text."""
    batch: int = 32
    per_device: int = 1
    answers: float = 0.5
    """Share of the tokens that carry loss."""
    gib: float | None = None
    tflops: float | None = None
    rank: int = 16


@dataclass(frozen=True)
class Way:
    """One way to train, with what each device needs, in GiB."""

    strategy: str
    checkpointing: bool
    lora: bool
    weights: float
    gradients: float
    optimizer: float
    activations: float
    total: float
    fits: bool
    hours: tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """What one model needs."""

    size: str
    parameters: int
    tokens: float
    ways: tuple[Way, ...]

    @property
    def chosen(self) -> Way | None:
        """The first way that fits: of full training before adapters, the quicker before."""
        return next((way for way in self.ways if way.fits), None)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        chosen = self.chosen
        return {
            "size": self.size,
            "parameters": self.parameters,
            "tokens": self.tokens,
            "ways": [asdict(way) for way in self.ways],
            "chosen": None if chosen is None else self.ways.index(chosen),
        }


def plan(size: str, shape: Shape, asked: Asked, *, parameters: int | None = None) -> Plan:
    """Return what a model of this shape needs.

    Args:
        size: its name.
        shape: its figures.
        asked: what is to be trained, and on what.
        parameters: its weights, where they were counted; None follows the shape.
    """
    number = parameters or shape.parameters
    texts, _ = PASSES[asked.recipe]
    tokens = asked.rows * asked.epochs * texts * asked.length
    ways = []
    for lora in (False, True):
        for strategy in ("ddp", "fsdp2", "deepspeed") if asked.processes > 1 else ("ddp",):
            ways += [
                _way(shape, number, asked, strategy, checkpointing=again, lora=lora)
                for again in (False, True)
            ]
    return Plan(size, number, tokens, tuple(ways))


def _way(
    shape: Shape, number: int, asked: Asked, strategy: str, *, checkpointing: bool, lora: bool
) -> Way:
    trained = shape.adapters(asked.rank) if lora else number
    held = number + trained if lora else number
    parts = asked.processes if strategy != "ddp" else 1
    whole = 4 * number / shape.layers if parts > 1 else 0
    beside = 4 * number * (2 if asked.recipe == "reinforce" and not lora else 1)
    weights = 4 * held / parts + whole + beside
    gradients, optimizer = 4 * trained / parts, 8 * trained / parts
    kept = activations(shape, asked, checkpointing=checkpointing)
    total = (weights + gradients + optimizer + kept) / GIB
    # Weights are as large as they are; what comes and goes beside them is not.
    peak = weights + SLACK[1] * (gradients + optimizer + kept)
    room = asked.gib if asked.gib is not None else MEMORY[asked.device]
    return Way(
        strategy=strategy, checkpointing=checkpointing, lora=lora, weights=weights / GIB,
        gradients=gradients / GIB, optimizer=optimizer / GIB, activations=kept / GIB,
        total=total, fits=max(peak, 4 * held + beside) <= room * GIB,
        hours=_hours(shape, number, asked, checkpointing=checkpointing, lora=lora),
    )  # fmt: skip


def activations(shape: Shape, asked: Asked, *, checkpointing: bool) -> float:
    """Return the bytes that one device keeps between the forward and the backward pass."""
    texts, _ = PASSES[asked.recipe]
    tokens = asked.per_device * texts * asked.length
    size = 2 if asked.device == "gpu" else 4
    layer = 7 * shape.hidden + 2 * shape.key_width + 4 * shape.inner
    if asked.device == "cpu" and asked.length <= 192:
        layer += 2 * shape.heads * asked.length
    kept = shape.layers * shape.hidden + layer if checkpointing else shape.layers * layer
    scores = 4 * shape.vocabulary * asked.answers if asked.recipe != "reward" else 0
    return float(tokens * (size * kept + scores))


def _hours(
    shape: Shape, number: int, asked: Asked, *, checkpointing: bool, lora: bool
) -> tuple[float, float]:
    """Return hours at the most and at the least use of the devices' peak."""
    texts, reference = PASSES[asked.recipe]
    table = shape.vocabulary * shape.hidden
    dense = number - (0 if shape.tied else table)
    often = (4 if lora else 6) + (2 if checkpointing else 0)
    each = often * dense + 6 * shape.layers * shape.hidden * asked.length
    read = 2 * dense + 2 * shape.layers * shape.hidden * asked.length
    rows = asked.rows * asked.length
    again = REREAD.get(asked.recipe, 0.0)
    work = rows * (asked.epochs * texts * (each + again * read) + reference * read)
    peak = (asked.tflops or TFLOPS[asked.device]) * 1e12 * asked.processes
    low, high = USED[asked.device]
    return work / (peak * high) / 3600, work / (peak * low) / 3600


def shape_of(directory: Path) -> tuple[Shape, int]:
    """Return the figures of a model directory and its weights, counted without loading any.

    Raises:
        InputError: if its configuration cannot be read, or lacks figures a plan follows from.
    """
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(directory, local_files_only=True)
        heads = config.num_attention_heads
        keys = getattr(config, "num_key_value_heads", None) or heads
        wide = config.hidden_size
        inner = getattr(config, "intermediate_size", None) or getattr(config, "n_inner", None)
        gated = hasattr(config, "num_key_value_heads")
        shape = Shape(
            hidden=wide,
            layers=config.num_hidden_layers,
            heads=heads,
            key_width=wide // heads * keys,
            inner=inner or 4 * wide,
            vocabulary=config.vocab_size,
            tied=config.tie_word_embeddings,
            gated=gated,
            context=0 if gated else config.max_position_embeddings,
        )
        return shape, counted(config)
    except (OSError, ValueError, AttributeError) as error:
        seen = " ".join(str(error).split())[:200]
        wanted = "the configuration of a causal model"
        raise InputError([Fault(where=str(directory), expected=wanted, seen=seen)]) from error


def counted(config: Any) -> int:
    """Return how many weights a model of this configuration has, without making them."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    return sum(p.numel() for p in model.parameters())


def write_configs(directory: Path, asked: Asked) -> list[Path]:
    """Write configurations for accelerate and DeepSpeed, and return where they lie."""
    import yaml

    from normwright.models.tuning.hardware import Resolved, fsdp2_settings, zero3_settings

    mine = -(-asked.batch // asked.processes)
    at_once = min(asked.per_device, mine)
    on = Resolved("cuda", asked.processes, at_once, -(-mine // at_once), "bf16", 1, True, "fsdp2")
    directory.mkdir(parents=True, exist_ok=True)
    common = {
        "compute_environment": "LOCAL_MACHINE", "num_machines": 1, "machine_rank": 0,
        "num_processes": asked.processes, "mixed_precision": "bf16",
        "main_training_function": "main",
        "rdzv_backend": "static", "same_network": True, "use_cpu": False,
    }  # fmt: skip
    renamed = {"version": "fsdp_version"}
    fsdp = {renamed.get(n, f"fsdp_{n}"): value for n, value in fsdp2_settings().items()}
    zero = directory / "zero3.json"
    files = {
        directory / "fsdp2.yaml": yaml.safe_dump(
            {**common, "distributed_type": "FSDP", "fsdp_config": fsdp}
        ),
        directory / "deepspeed.yaml": yaml.safe_dump(
            {**common, "distributed_type": "DEEPSPEED",
             "deepspeed_config": {"deepspeed_config_file": str(zero), "zero3_init_flag": True}}
        ),
        zero: json.dumps({**zero3_settings(on), "gradient_clipping": 1.0}, indent=1) + "\n",
    }  # fmt: skip
    for place, text in files.items():
        place.write_text(text, encoding="utf-8")
    return list(files)
