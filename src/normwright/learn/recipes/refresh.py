"""A reward model fitted again, with the policy's own answers among its pairs.

What optimises against a reward finds what the pairs never showed. So the policy is sampled, the
answers the reward likes best are put beside plain samples, people (or an oracle) judge them, and
the reward is fitted to all pairs (iterated RLHF; Bai et al. 2022, arXiv 2204.05862). Supports: any
`Model` as policy, any `Scorer` as the present reward, any judge; garbled twins of the samples where
nobody can judge. Assumes: the judge is not the model that rewards. May harm: without a judge it
learns form alone, and a policy that games meaning is not caught.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from normwright.learn.recipes.reward import GARBLED_SHARE, reward
from normwright.models.local import LocalModel
from normwright.models.protocol import Model, Scorer
from normwright.models.tuning.loop import Loop, Running
from normwright.records import (
    Fault,
    InputError,
    Message,
    PairVote,
    Permit,
    PreferencePair,
    require_permit,
)

Prompt = tuple[Message, ...]
Judge = Callable[[Sequence[Prompt], Sequence[str], Sequence[str]], Sequence[Sequence[PairVote]]]
"""From prompts, first and second answers to the votes on each pair; `chosen` is the first."""


@dataclass(frozen=True)
class Refreshed:
    """A reward model after a refresh, and the pairs that were added."""

    weights: Any
    metrics: dict[str, float]
    added: tuple[PreferencePair, ...]
    judged: bool
    """Whether somebody judged them; else they are samples beside their garbled twins."""


def refresh(
    start: LocalModel,
    pairs: Sequence[PreferencePair],
    *,
    policy: Model,
    scorer: Scorer,
    prompts: Sequence[Prompt],
    judge: Judge | None,
    loop: Loop,
    samples: int = 8,
    rivals: int = 1,
    max_new_tokens: int = 48,
    temperature: float = 1.0,
    running: Running | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
    **settings: Any,
) -> Refreshed:
    """Return a reward model fitted to the pairs and to judged samples of the policy.

    Args:
        start: model whose trunk is used, as for `reward`: the fit starts anew.
        pairs: the pairs so far.
        policy: what was trained, or is chosen, against the reward.
        scorer: the reward so far: of each prompt's samples its favourite is put to the judge.
        prompts: what the policy is asked.
        judge: gives the votes; None where nobody can judge.
        loop: of the fit; its seed also draws the samples.
        samples: answers a prompt.
        rivals: other samples that the favourite is compared with, drawn at random.
        max_new_tokens: longest sample.
        temperature: of the samples.
        running: where checkpoints and logs go, and who is told.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.
        settings: of `reward`.

    Raises:
        PermitError: with every reason, if nothing permits training.
        InputError: if all samples of all prompts are alike, so that there is nothing to compare.
    """
    require_permit(permit, unpermitted=unpermitted)
    answers = policy.generate(
        prompts, max_new_tokens=max_new_tokens, temperature=temperature, n=samples, seed=loop.seed
    )
    rng = random.Random(loop.seed)
    if judge is None:
        added = _garbled(prompts, answers, rng, like=pairs)
    else:
        first, second, asked = _contested(prompts, answers, scorer, rivals, rng)
        votes = judge(asked, first, second) if asked else ()
        added = [
            _pair(p, a, b, tuple(v), _like(pairs, p), number)
            for number, (p, a, b, v) in enumerate(zip(asked, first, second, votes, strict=True))
            if v
        ]
    if not added:
        raise InputError(
            [
                Fault(
                    where="policy",
                    expected="samples that differ, and votes on them",
                    seen="none",
                    do="Sample more, or at a higher temperature.",
                )
            ]
        )
    weights, metrics = reward(
        start, [*pairs, *added], loop=loop, running=running, permit=permit,
        unpermitted=unpermitted, **settings,
    )  # fmt: skip
    metrics["pairs_added"] = float(len(added))
    return Refreshed(weights, metrics, tuple(added), judge is not None)


def _contested(
    prompts: Sequence[Prompt],
    answers: Sequence[Sequence[str]],
    scorer: Scorer,
    rivals: int,
    rng: random.Random,
) -> tuple[list[str], list[str], list[Prompt]]:
    """The reward's favourite of each prompt's samples beside others of them."""
    first, second, asked = [], [], []
    for prompt, given in zip(prompts, answers, strict=True):
        texts = sorted({a for a in given if a})
        if len(texts) < 2:
            continue
        scores = scorer.score([prompt] * len(texts), texts)
        best = max(range(len(texts)), key=scores.__getitem__)
        others = [t for i, t in enumerate(texts) if i != best]
        for rival in rng.sample(others, min(rivals, len(others))):
            # Turned at random, so that no judge learns which side the reward is on.
            one, other = (texts[best], rival) if rng.random() < 0.5 else (rival, texts[best])
            first.append(one)
            second.append(other)
            asked.append(prompt)
    return first, second, asked


def _garbled(
    prompts: Sequence[Prompt],
    answers: Sequence[Sequence[str]],
    rng: random.Random,
    *,
    like: Sequence[PreferencePair],
) -> list[PreferencePair]:
    """Samples beside the same words in disorder: what can be said when nobody judges."""
    out: list[PreferencePair] = []
    for prompt, given in zip(prompts, answers, strict=True):
        text = rng.choice(list(given))
        words = text.split()
        rng.shuffle(words)
        if " ".join(words) != " ".join(text.split()):
            made = _pair(prompt, text, " ".join(words), (), _like(like, prompt), len(out))
            out.append(made.model_copy(update={"p_chosen": GARBLED_SHARE}))
    return out


def _like(pairs: Sequence[PreferencePair], prompt: Prompt) -> PreferencePair:
    """The pair of the same prompt, or the first one: what licence, layer and norms are taken of."""
    return next((p for p in pairs if p.prompt == prompt), pairs[0])


def _pair(
    prompt: Prompt,
    first: str,
    second: str,
    votes: tuple[PairVote, ...],
    like: PreferencePair,
    number: int,
) -> PreferencePair:
    total = sum(v.weight for v in votes)
    won = sum(v.weight * {"chosen": 1.0, "tie": 0.5, "rejected": 0.0}[v.choice] for v in votes)
    return PreferencePair(
        scene=f"{like.scene}#refresh-{number}",
        lang=like.lang,
        prompt=prompt,
        chosen=first,
        rejected=second,
        p_chosen=won / total if total else 0.5,
        weight=like.weight,
        votes=votes,
        norms=like.norms,
        layer=like.layer,
        # The answers are a model's; who judged them stands in `process_kind`.
        origin="synthetic",
        process_kind=like.process_kind,
        licence=like.licence,
        family=like.family,
    )
