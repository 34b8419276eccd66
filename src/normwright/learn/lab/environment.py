"""Worlds with a known optimum: a few prompts, a few answers, a tiny model that can be read whole.

A: 4 prompts and 8 answers of one word. B: 4 prompts and 16 answers of two words, which alone shows
errors at the level of sequences. Every answer ends with the stop token, so the model's distribution
over whole answers is read exactly from one forward pass; what is left is the mass on other strings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch

from normwright.learn.lab.oracles import Floats, mean_divergence
from normwright.learn.pretraining.scratch import train_tokenizer
from normwright.models.local import LocalModel
from normwright.models.tuning import answer_rows, pad_rows
from normwright.models.tuning.hardware import Hardware
from normwright.models.tuning.running import Running
from normwright.records import Demonstration, Message, PreferencePair

PROMPTS = ("qa", "qb", "qc", "qd")
NAMES = ("A", "B")
STRAY = 1e-4
"""Share of the reference's mass on other tokens, at each position: small, and not zero."""


FITTED = 1e-3
"""Divergence from the drawn reference, in nats, under which the model is that reference."""
TRIES = 8
"""Starts that are tried for that."""


def exactly() -> Running:
    """Return what a run of the lab may use: float32, where the rounding of a step is no finding."""
    return Running(hardware=Hardware(precision="fp32"))


@dataclass(frozen=True)
class Reading:
    """A model's distribution over the answers of its world."""

    answers: Floats
    """Probability of each whole answer with its stop token, shape (prompts, answers)."""

    @property
    def leak(self) -> float:
        """The mass on strings that are no answer, mean over prompts."""
        return float(1 - self.answers.sum(-1).mean())

    @property
    def among(self) -> Floats:
        """The distribution given that the string is an answer."""
        return np.asarray(self.answers / self.answers.sum(-1, keepdims=True), float)


@dataclass(frozen=True)
class Environment:
    """Prompts, answers, a reference model and a reward that nobody but the test knows."""

    name: str
    model: LocalModel
    answers: tuple[str, ...]
    reference: Floats
    """The reference model as read, among the answers, shape (prompts, answers)."""
    reward: Floats
    """Standard normal, same shape."""

    def read(self, model: LocalModel) -> Reading:
        """Return a model's exact distribution over whole answers, in double precision."""
        return Reading(read(model, self.answers))

    def pair(
        self, prompt: int, first: int, second: int, *, share: float, weight: float = 1.0,
        group: str | None = None,
    ) -> PreferencePair:  # fmt: skip
        """Return one preference row of this world."""
        return PreferencePair(
            scene=f"{PROMPTS[prompt]}-{first}-{second}",
            lang="und",
            prompt=asked(prompt),
            chosen=self.answers[first],
            rejected=self.answers[second],
            p_chosen=share,
            weight=weight,
            group=group,
            norms=(),
            layer="organisation",
            origin="synthetic",
            process_kind="simulated",
            licence="CC0-1.0",
            family=PROMPTS[prompt],
        )

    def shown(self, prompt: int, answer: int, *, weight: float = 1.0) -> Demonstration:
        """Return one demonstration of this world."""
        return Demonstration(
            scene=f"{PROMPTS[prompt]}-{answer}",
            lang="und",
            prompt=asked(prompt),
            completion=self.answers[answer],
            weight=weight,
            origin="synthetic",
            licence="CC0-1.0",
            family=PROMPTS[prompt],
        )

    def all_pairs(self, shares: Floats, weights: Floats | None = None) -> list[PreferencePair]:
        """Return every pair of answers once with its share; pairs without weight are left out.

        Args:
            shares: share that prefers row to column, shape (prompts, answers, answers).
            weights: votes behind each pair, same shape, read above the diagonal; None: all alike.
        """
        weigh = np.ones_like(shares) if weights is None else weights
        first, second = np.triu_indices(len(self.answers), 1)
        return [
            self.pair(x, a, b, share=float(shares[x, a, b]), weight=float(weigh[x, a, b]))
            for x in range(len(PROMPTS))
            for a, b in zip(first.tolist(), second.tolist(), strict=True)
            if weigh[x, a, b] > 0
        ]

    def votes(self, wins: Floats) -> Iterator[PreferencePair]:
        """Yield one row a vote: one choice of one person."""
        for x, a, b in np.argwhere(wins > 0).tolist():
            for _ in range(int(wins[x, a, b])):
                yield self.pair(x, a, b, share=1.0)


def asked(prompt: int) -> tuple[Message, ...]:
    """Return a prompt of the worlds as a conversation."""
    return (Message(role="user", content=PROMPTS[prompt]),)


def read(model: LocalModel, answers: tuple[str, ...]) -> Floats:
    """Return the probability of each whole answer with its stop token, (prompts, answers)."""
    rows = answer_rows(
        model.tokenizer,
        [(asked(x), answer) for x in range(len(PROMPTS)) for answer in answers],
        limit=64,
    )
    batch = pad_rows(rows, model.tokenizer.pad_token_id)
    with torch.no_grad():
        logits = model.weights(input_ids=batch["ids"]).logits[:, :-1].double()
    scores = torch.log_softmax(logits, -1).gather(-1, batch["ids"][:, 1:, None]).squeeze(-1)
    whole = (scores * batch["answer"][:, 1:]).sum(-1).exp()
    return np.asarray(whole.reshape(len(PROMPTS), len(answers)).numpy(), float)


@cache
def environment(name: str, *, seed: int = 0) -> Environment:
    """Return a world: its random reference fitted into a small Llama, its random reward.

    Args:
        name: `A` or `B`.
        seed: seed of reference, reward and weights. It is made once in a process.
    """
    rng = np.random.default_rng([seed, NAMES.index(name)])
    if name == "A":
        answers = tuple(f"r{c}" for c in "abcdefgh")
        wanted = rng.dirichlet(np.full(8, 3.0), len(PROMPTS))
    else:
        answers = tuple(f"s{c} t{d}" for c in "abcd" for d in "abcd")
        wanted = rng.dirichlet(np.full(16, 2.0), len(PROMPTS))
    tokenizer = _tokenizer([*PROMPTS, *answers])
    # From some weights heads turn away from the prompt before it was of use, and never return.
    for attempt in range(TRIES):
        model = LocalModel(f"reference-{name}", _weights(tokenizer, seed + attempt), tokenizer, 512)
        _imitate(model, answers, wanted)
        reference = Reading(read(model, answers)).among
        if mean_divergence(wanted, reference) < FITTED:
            break
    else:
        raise ArithmeticError(f"no weights near seed {seed} fit the reference of world {name}")
    return Environment(name, model, answers, reference, rng.standard_normal(reference.shape))


def _tokenizer(texts: list[str]) -> Any:
    """Return our tokenizer of bytes, trained until each word of these texts is one token."""
    tokenizer = train_tokenizer(iter(texts), vocabulary=512)
    for text in texts:
        assert len(tokenizer(text, add_special_tokens=False)["input_ids"]) == len(text.split())
    return tokenizer


def _weights(tokenizer: Any, seed: int) -> Any:
    """Return a Llama of one layer, its weights wide enough that training is not stuck at first.

    At the usual spread of 0.02 so small a model first learns what all prompts share and then stays
    there for hundreds of steps: that is a matter of size, not of the recipes that are tested.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=1,
        num_attention_heads=8,
        num_key_value_heads=8,
        intermediate_size=128,
        max_position_embeddings=64,
        tie_word_embeddings=True,
        initializer_range=0.15,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def _imitate(model: LocalModel, answers: tuple[str, ...], wanted: Floats, steps: int = 300) -> None:
    """Fit the weights to a distribution over answers, each token's own conditional in one pass."""
    rows = answer_rows(
        model.tokenizer, [(asked(x), a) for x in range(len(PROMPTS)) for a in answers], limit=64
    )
    batch = pad_rows(rows, model.tokenizer.pad_token_id)
    ids, answer = batch["ids"], batch["answer"][:, 1:].double()
    share = torch.tensor(wanted).reshape(-1) / len(PROMPTS)
    optimizer = torch.optim.Adam(model.weights.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        logits = model.weights(input_ids=ids).logits[:, :-1].double()
        scores = torch.log_softmax(logits, -1)
        picked = scores.gather(-1, ids[:, 1:, None]).squeeze(-1)
        # A little mass everywhere, so that no other token starts with none.
        everywhere = (1 - STRAY) * picked + STRAY * scores.mean(-1)
        loss = -(share[:, None] * answer * everywhere).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.weights.eval()
