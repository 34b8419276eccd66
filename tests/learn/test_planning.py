"""Plans: weights counted exactly, memory and work as measured, files that accelerate reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from normwright.learn.planning import SIZES, Asked, Shape, counted, plan, shape_of, write_configs


def config_of(shape: Shape) -> Any:
    from transformers import GPT2Config, LlamaConfig

    if not shape.gated:
        return GPT2Config(vocab_size=shape.vocabulary, n_embd=shape.hidden, n_layer=shape.layers,
                          n_head=shape.heads, n_positions=shape.context)  # fmt: skip
    return LlamaConfig(
        vocab_size=shape.vocabulary, hidden_size=shape.hidden, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, intermediate_size=shape.inner,
        num_key_value_heads=shape.key_width * shape.heads // shape.hidden,
        tie_word_embeddings=shape.tied,
    )  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_weights_are_counted_to_the_last(size: str) -> None:
    """The formula gives what transformers builds, and the name says the size."""
    shape = SIZES[size]
    unit = 1e9 if size.endswith("B") else 1e6

    assert shape.parameters == counted(config_of(shape))
    assert shape.parameters / unit == pytest.approx(float(size[:-1]), rel=0.02)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_adapters_are_counted_to_the_last(kind: str) -> None:
    """The formula gives what peft makes trainable."""
    from transformers import AutoModelForCausalLM

    from normwright.models.tuning import Lora, adapted

    shape = (
        Shape(32, 2, 4, 16, 48, 96, True)
        if kind == "llama"
        else Shape(32, 2, 2, 32, 128, 96, True, gated=False, context=64)
    )
    model = adapted(AutoModelForCausalLM.from_config(config_of(shape)), Lora(rank=4), seed=0)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)

    assert shape.adapters(4) == trained


def test_sharding_and_adapters_need_less_and_the_largest_does_not_fit_one_device() -> None:
    """8B in full: no single device, but eight with shards; 70B on one device: nothing fits."""
    alone = plan("8B", SIZES["8B"], Asked(processes=1))
    eight = plan("8B", SIZES["8B"], Asked(processes=8))
    largest = plan("70B", SIZES["70B"], Asked(processes=1))

    assert all(way.lora for way in alone.ways if way.fits)
    assert eight.chosen is not None
    assert eight.chosen.strategy == "fsdp2"
    assert not eight.chosen.lora
    assert largest.chosen is None
    for way in eight.ways:
        parts = way.weights + way.gradients + way.optimizer + way.activations
        assert way.total == pytest.approx(parts)


def test_a_model_directory_is_planned_by_its_configuration(tmp_path: Path) -> None:
    """Only config.json is read, and the weights are counted, not estimated."""
    config_of(SIZES["8B"]).save_pretrained(tmp_path)
    shape, number = shape_of(tmp_path)

    assert shape == SIZES["8B"]
    assert number == SIZES["8B"].parameters


def test_configurations_are_what_accelerate_reads(tmp_path: Path) -> None:
    """Accelerate parses both files; ZeRO-3's batch is the product DeepSpeed demands."""
    from accelerate.commands.config.config_args import ClusterConfig

    files = write_configs(tmp_path, Asked(processes=8, batch=64, per_device=2))
    fsdp, deepspeed = (ClusterConfig.from_yaml_file(str(file)) for file in files[:2])
    zero = json.loads(files[2].read_text(encoding="utf-8"))

    assert fsdp.num_processes == 8
    assert str(fsdp.distributed_type).endswith("FSDP")
    assert fsdp.fsdp_config["fsdp_version"] == 2
    assert deepspeed.deepspeed_config["deepspeed_config_file"] == str(files[2])
    assert zero["zero_optimization"]["stage"] == 3
    assert zero["train_batch_size"] == 64
    assert (
        zero["train_micro_batch_size_per_gpu"] * zero["gradient_accumulation_steps"] * 8
        == zero["train_batch_size"]
    )


def test_activations_are_what_a_step_keeps() -> None:
    """What autograd saves in a forward pass lies within the stated range of the formula."""
    import torch
    from transformers import AutoModelForCausalLM

    from normwright.learn.planning import SLACK, activations

    shape = Shape(64, 3, 4, 64, 192, 400, True)
    asked = Asked(device="cpu", length=256, per_device=2, answers=0.0)
    model = AutoModelForCausalLM.from_config(config_of(shape))
    owned = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in owned:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.randint(3, 400, (2, 256), generator=torch.Generator().manual_seed(0))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model.model(input_ids=ids)
    expected = activations(shape, asked, checkpointing=False)

    assert SLACK[0] <= sum(kept.values()) / expected <= SLACK[1]
