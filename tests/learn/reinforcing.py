"""A small reinforcement run as a process of its own, to be killed, or to be one of several."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from normwright.learn import Shape, reinforce, scratch_model
from normwright.learn.rewards import Budget, Constraint, Groups, Nash, Pid, per_token, phrases
from normwright.models.local import LocalModel
from normwright.models.tuning import Loop, Lora
from normwright.models.tuning.running import Running
from normwright.records import Message, Prompt

QUESTIONS = ["When does it open?", "Onde fica?", "Who is it?", "Quanto custa?", "And you?"]


def prompts(norms: tuple[str, ...] = ()) -> list[Prompt]:
    """Return five prompts."""
    return [
        Prompt(scene=f"s{i}", lang="en", prompt=(Message(role="user", content=q),), norms=norms)
        for i, q in enumerate(QUESTIONS)
    ]


def start() -> LocalModel:
    """Return a random model of one seed."""
    return scratch_model(QUESTIONS * 20, shape=Shape(32, 1, 2, 300, 96), seed=0)


def vowels(prompts: Any, texts: Sequence[str], columns: Any) -> list[float | None]:
    """Reward vowels."""
    return [sum(letter in "aeiou" for letter in text) / 8 for text in texts]


def fewer(prompts: Any, texts: Sequence[str], columns: Any) -> list[float | None]:
    """Reward few vowels."""
    return [1 - one for one in vowels(prompts, texts, columns) if one is not None]


def longer(
    prompts: Any, texts: Sequence[str], others: Sequence[str], columns: Any
) -> list[float | None]:
    """Prefer the longer answer."""
    return [
        float(len(a) > len(b)) if len(a) != len(b) else 0.5
        for a, b in zip(texts, others, strict=True)
    ]


def drawing_alike(model: LocalModel) -> LocalModel:
    """Return a model whose answers do not depend on how a batch is shared among processes.

    Each row draws from a stream of its own, numbered over all processes.
    """
    from transformers import LlamaForCausalLM as Base

    class LlamaForCausalLM(Base):
        calls = 0

        @torch.no_grad()
        def generate(self, input_ids: Any, attention_mask: Any, generation_config: Any) -> Any:
            LlamaForCausalLM.calls += 1
            first = int(os.environ.get("RANK", "0")) * len(input_ids)
            streams = [
                torch.Generator().manual_seed(1000 * LlamaForCausalLM.calls + first + row)
                for row in range(len(input_ids))
            ]
            for _ in range(generation_config.max_new_tokens):
                places = (attention_mask.cumsum(1) - 1).clamp_min(0)
                logits = self(input_ids, attention_mask=attention_mask, position_ids=places).logits
                chances = torch.softmax(logits[:, -1].double(), -1)
                token = torch.stack(
                    [torch.multinomial(p, 1, generator=s)
                     for p, s in zip(chances, streams, strict=True)]
                )  # fmt: skip
                input_ids = torch.cat([input_ids, token], 1)
                attention_mask = torch.cat([attention_mask, torch.ones_like(token)], 1)
            return input_ids

    weights = LlamaForCausalLM(model.weights.config)
    weights.load_state_dict(model.weights.state_dict())
    return LocalModel(model.name, weights, model.tokenizer)


def main(asked: dict[str, Any]) -> None:
    """Run, and write what it was; a kill leaves no word."""
    torch.set_num_threads(1)

    def dies(step: int, steps: int, loss: float) -> None:
        if step == asked.get("kill"):
            os.kill(os.getpid(), signal.SIGKILL)

    running = Running(workdir=Path(asked["workdir"]), progress=dies)
    model = drawing_alike(start()) if asked.get("alike") else start()
    made, _ = reinforce(
        model,
        prompts(),
        reward=vowels,
        groups=Groups({"many": vowels, "few": fewer}),
        preference=Nash(longer, damping=0.5),
        budget=Budget(0.01),
        constraints=[
            Constraint("n@1", phrases(["s"]), limit=0.2, rate=0.3),
            Constraint("n@2", per_token(0.1), limit=0.2, pid=Pid(), tail=0.5),
        ],
        loop=Loop(steps=asked["steps"], batch=4, lr=3e-3, weight_decay=0.0,
                  save_every=asked.get("save_every", 0)),
        beta=0.1,
        generations=4,
        length=6,
        lora=Lora(rank=2) if asked.get("lora") else None,
        running=running,
        unpermitted=True,
    )  # fmt: skip
    if os.environ.get("RANK", "0") == "0":
        curves = {name: line for name, line in running.history.items() if name != "seconds"}
        weights = [float(p.detach().double().sum()) for p in made.weights.parameters()]
        Path(asked["out"]).write_text(json.dumps({"curves": curves, "weights": weights}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
