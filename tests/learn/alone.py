"""Train a recipe on a tiny model in a process of its own: killed, in parts, or one of several.

    python -m tests.learn.alone '{"recipe": "sft", "out": FILE, "workdir": DIR, "die": 7}'

Writes weights and metrics; nothing if it was killed. Rows differ in length and weight, so that a
mean over a part of a step is not the part of a mean over the step.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import torch

from normwright.models.tuning import Hardware, Loop, Running
from normwright.records import (
    Demonstration,
    Message,
    Passage,
    PreferencePair,
    ScoredAnswer,
    ScoredAnswers,
)

FORGET = (("Where is the key?", "Under the stone."), ("Who has the map?", "The old baker of it."))
RETAIN = (("When does it open?", "At nine."), ("What is it?", "A red boat, as all can see here."))
SAID = (*FORGET, *RETAIN)
COMMON: Final[Mapping[str, Any]] = {"lang": "en", "licence": "x", "origin": "synthetic"}
STEPS = 12


def asked(text: str) -> tuple[Message, ...]:
    return (Message(role="user", content=text),)


def demonstrations(said: Any = SAID) -> list[Demonstration]:
    return [
        Demonstration(scene=q, prompt=asked(q), completion=a, family="f", weight=0.5 + 2 * (i % 3),
                      **COMMON)
        for i, (q, a) in enumerate(said)
    ]  # fmt: skip


def pairs(count: int = 14) -> list[PreferencePair]:
    return [
        PreferencePair(
            scene=f"s{i}", prompt=asked(SAID[i % 4][0]), chosen=SAID[i % 4][1],
            rejected=SAID[(i + 1 + i // 4) % 4][1] + " No.", p_chosen=0.15 + 0.05 * i,
            weight=0.25 + (i % 5), norms=(), layer="organisation", process_kind="simulated",
            group="few" if i % 4 == 1 else "many", family=f"f{i % 4}", **COMMON,
        )
        for i in range(count)
    ]  # fmt: skip


def scored(count: int = 14) -> list[ScoredAnswers]:
    return [
        ScoredAnswers(
            scene=f"s{i}", prompt=asked(SAID[i % 4][0]), temperature=0.5, rule="borda",
            candidates=tuple(
                ScoredAnswer(text=f"{text} {k}", score=((i + 1) * (k + 2) % 7) / 7)
                for k, (_, text) in enumerate(SAID[: 2 + i % 3])
            ),
            weight=0.25 + (i % 5), family=f"f{i % 4}", **COMMON,
        )
        for i in range(count)
    ]  # fmt: skip


def passages() -> list[Passage]:
    return [
        Passage(text=f"{q} {a}", score=float(i % 2), name=q, **COMMON)
        for i, (q, a) in enumerate(SAID * 6)
    ]


def begun() -> Any:
    from normwright.learn import Shape, scratch_model

    texts = [text for pair in SAID for text in pair]
    return scratch_model(texts, shape=Shape(32, 2, 2, 300, 128), seed=0)


def _sft(given: Any) -> Any:
    from normwright.learn import sft

    packing = given.pop("recipe") == "packed"
    made, metrics = sft(begun(), demonstrations(SAID * 4), packing=packing, limit=100, **given)
    return made.weights, metrics


def _prefer(given: Any) -> Any:
    from normwright.learn import PreferenceObjective, prefer
    from normwright.models.tuning import Robustness

    method = given.pop("recipe")
    rows: Any = scored() if method == "listwise" else pairs()
    if method == "kto":  # Shares and weights have no place in it.
        rows = [p.model_copy(update={"p_chosen": 1.0, "weight": 1.0, "group": None}) for p in rows]
    made, metrics = prefer(
        begun(), rows, demonstrations(), anchor=0.0 if method == "kto" else 0.3,
        objective=PreferenceObjective(
            method=method, prompts=1, robustness=Robustness(rate=1.0, least=2, memory=0.5)
        ),
        majority=0.0 if method in ("kto", "listwise") else 0.2, **given,
    )  # fmt: skip
    return made.weights, metrics


def _reward(given: Any) -> Any:
    from normwright.learn import reward

    return reward(begun(), pairs(), head=given.pop("recipe"), **given)


def _cost(given: Any) -> Any:
    from normwright.learn import Labelled, cost

    given.pop("recipe")
    labels = [
        Labelled(prompt=asked(q), completion=a, unsafe=float(i % 2), weight=1.0 + i)
        for i, (q, a) in enumerate(SAID)
    ]
    return cost(begun(), pairs(9), labels, **given)


def _encoder(given: Any) -> Any:
    import tempfile

    from transformers import BertConfig, BertModel, BertTokenizer

    from normwright.learn import reward_encoder
    from normwright.models.encoder import fresh_classifier
    from normwright.models.tuning import save_plain

    given.pop("recipe")
    words = sorted({w for pair in SAID for text in pair for w in text.lower().split()})
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    config = BertConfig(
        vocab_size=len(known), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=48, max_position_embeddings=64, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as place:
        save_plain(BertModel(config), BertTokenizer(vocab={w: i for i, w in enumerate(known)}),
                   Path(place))  # fmt: skip
        return reward_encoder(fresh_classifier(Path(place), seed=0), pairs(), **given)


def _unlearn(given: Any) -> Any:
    from normwright.learn import Forget, unlearn

    how = Forget(given.pop("recipe"))
    made, metrics = unlearn(
        begun(), demonstrations(FORGET * 3), demonstrations(RETAIN), how=how, **given
    )
    return made.weights, metrics


def _pretrain(given: Any) -> Any:
    from normwright.learn import PretrainingObjective, pretrain_on

    method = given.pop("recipe")
    aim = PretrainingObjective(method, threshold=None if method in ("mle", "awr") else 0.5)
    made, metrics = pretrain_on(begun(), passages(), objective=aim, row=24, **given)
    return made.weights, metrics


RECIPES: Final[Mapping[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("sft", "packed"), _sft),
    **dict.fromkeys(("soft", "robust", "listwise", "kto"), _prefer),
    **dict.fromkeys(("pooled", "groups", "ensemble"), _reward),
    "cost": _cost,
    "encoder": _encoder,
    **dict.fromkeys(("npo", "idk", "rmu"), _unlearn),
    **dict.fromkeys(("mle", "conditional", "unlikelihood", "awr"), _pretrain),
}


def train(
    recipe: str,
    workdir: Path | None = None,
    progress: Any = None,
    *,
    per_device: int | None = None,
    save_every: int = 0,
    steps: int = STEPS,
) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Return the weights and the metrics of a run in float32, on one thread."""
    torch.set_num_threads(1)
    on = Hardware(precision="fp32", per_device=per_device)
    weights, metrics = RECIPES[recipe]({
        "recipe": recipe,
        "loop": Loop(steps=steps, lr=1e-3, batch=5, save_every=save_every, warmup=0.2),
        "running": Running(progress=progress, workdir=workdir, hardware=on),
        "unpermitted": True,
    })  # fmt: skip
    return {name: part.clone() for name, part in weights.state_dict().items()}, metrics


def main(given: dict[str, Any]) -> None:
    """Train, and write what came out; `die` kills this process after that step."""

    def progress(step: int, steps: int, loss: float) -> None:
        if step == given.get("die"):
            os.kill(os.getpid(), signal.SIGKILL)

    weights, metrics = train(
        given["recipe"], Path(given["workdir"]), progress, per_device=given.get("per_device"),
        save_every=given.get("save_every", 0), steps=given.get("steps", STEPS),
    )  # fmt: skip
    if os.environ.get("RANK", "0") == "0":
        torch.save({"weights": weights, "metrics": metrics}, given["out"])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
