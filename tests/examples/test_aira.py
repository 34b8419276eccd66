"""The source's recipes: each is a project or the settings of a recipe, and its rows are read."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from tests.loading import load_script

from normwright.flow.learning import RECIPES
from normwright.flow.settings import ProjectSettings
from normwright.learn import read_instructions, read_preferences

AIRA = Path(__file__).parents[2] / "examples/aira"
MODELS = sorted(AIRA.glob("models/*.yaml"))
REWARDS = sorted(AIRA.glob("rewards/*.yaml"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """`prepare.py` as a module."""
    return load_script(AIRA / "prepare.py")


def test_there_are_twelve_models_and_six_reward_models() -> None:
    """As many as the source published."""
    assert (len(MODELS), len(REWARDS)) == (12, 6)


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_a_model_s_recipe_is_a_project(path: Path) -> None:
    """Every setting is one a project has, and nothing is trained under a permit nobody gave."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings = ProjectSettings.model_validate_json(json.dumps(raw))

    assert settings.id == path.stem
    assert settings.learn.unpermitted
    assert settings.learns


@pytest.mark.parametrize("path", REWARDS, ids=lambda p: p.stem)
def test_a_reward_model_s_recipe_is_settings(path: Path) -> None:
    """Every setting is one the recipe has."""
    RECIPES["reward"].settings.model_validate_json(
        json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")))
    )


def read(script: ModuleType, kind: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    return list(script.READERS[kind]("f:1", row, {"lang": "en", "licence": "x"}))


def test_dialogues_of_both_published_forms_are_read(script: ModuleType, tmp_path: Path) -> None:
    """Prompt and completion, and several turns: one row an answer, with the turns before it."""
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
             {"from": "human", "value": "c"}, {"from": "gpt", "value": "d"}]  # fmt: skip
    rows = [
        *read(script, "dialogues", {"prompt": "p", "completion": "q"}),
        *read(script, "dialogues", {"conversations": turns}),
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    shown = read_instructions([path])

    assert [(tuple(m.content for m in d.prompt), d.completion) for d in shown] == [
        (("p",), "q"), (("a",), "b"), (("a", "b", "c"), "d"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "row", [{"harmless": "a", "harmful": "b"}, {"non_toxic": "a", "toxic": "b"}]
)
def test_harmful_texts_are_read_under_either_name(
    script: ModuleType, row: dict[str, str], tmp_path: Path
) -> None:
    """The published columns were renamed after the source's code was written; both are read."""
    path = tmp_path / "pairs.jsonl"
    made = read(script, "harmful", row)
    path.write_text(json.dumps(made[0]) + "\n", encoding="utf-8")
    (pair,) = read_preferences(path)

    assert (pair.chosen, pair.rejected) == ("a", "b")


def test_a_row_of_another_form_names_its_columns(script: ModuleType) -> None:
    """What was expected and which columns there are."""
    with pytest.raises(SystemExit, match=r"f:1.*chosen_response.*the columns are chosen"):
        read(script, "pairs", {"chosen": "x"})


FAMILIES = {"gpt2": "gpt2", "opt": "opt", "1b1": "llama", "560m": "bloom", "1b7": "bloom"}
"""Which architecture a recipe starts from, by a part of its name; the others are GPT-2."""


def family(name: str) -> str:
    return next((kind for part, kind in FAMILIES.items() if part in name), "gpt2")


def small(kind: str, place: Path) -> Path:
    """A model of an architecture, made on the spot, as the source's bases are published."""
    import torch
    import transformers as t
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        [f"what is {i} plus {i}? It is {2 * i}. Quanto é?" for i in range(40)],
        trainers.BpeTrainer(
            vocab_size=300,
            special_tokens=["<|endoftext|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    fast = t.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", bos_token="<|endoftext|>"
    )
    size = {"vocab_size": len(fast), "bos_token_id": 0, "eos_token_id": 0}
    torch.manual_seed(0)
    made: Any = {
        "gpt2": lambda: t.GPT2LMHeadModel(
            t.GPT2Config(**size, n_embd=16, n_layer=2, n_head=2, n_positions=128)
        ),
        "opt": lambda: t.OPTForCausalLM(
            t.OPTConfig(**size, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                        ffn_dim=32, max_position_embeddings=128, word_embed_proj_dim=16)
        ),
        "llama": lambda: t.LlamaForCausalLM(
            t.LlamaConfig(**size, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                          intermediate_size=32, max_position_embeddings=128)
        ),
        "bloom": lambda: t.BloomForCausalLM(
            t.BloomConfig(**size, hidden_size=16, n_layer=2, n_head=2)
        ),
    }[kind]()  # fmt: skip
    made.save_pretrained(place)
    fast.save_pretrained(place)
    return place


ROWS: dict[str, list[dict[str, Any]]] = {
    "dialogues": [
        {"prompt": f"what is {i} plus {i}?", "completion": f"It is {2 * i}."} for i in range(12)
    ],
    "pairs": [
        {"instruction": f"what is {i} plus {i}?", "chosen_response": f"It is {2 * i}.",
         "rejected_response": f"It is {i}."} for i in range(12)
    ],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_every_recipe_runs_at_micro_scale(script: ModuleType, path: Path, tmp_path: Path) -> None:
    """On a base of its architecture each trains to its end, and opens in plain transformers."""
    import transformers

    from normwright import flow
    from normwright.flow.learning import learned_of

    name = path.stem
    rows = tmp_path / "rows.jsonl"
    given = ROWS[script.kind_of(name)]
    rows.write_text("".join(json.dumps(r) + "\n" for r in given), encoding="utf-8")
    base = small(family(name), tmp_path / "published")
    place = tmp_path / "project"
    command = script.prepare(name, place, model=base, data=[rows], licence="x")
    recipe = "prefer" if script.kind_of(name) == "pairs" else "sft"
    made = learned_of(place, recipe, out=tmp_path / "out", unpermitted=True)
    opened = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out")

    assert command == ["normwright", "run", str(place)]
    assert made.ref.unpermitted
    assert opened.config.model_type == family(name)
    assert {s.name: s.state for s in flow.status(place).stages}["learn.sft"] == "done"
