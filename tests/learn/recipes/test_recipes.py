"""Recipes on a tiny model: each moves what it says it moves, and repeats."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from normwright.learn import prefer, reward, sft
from normwright.learn.recipes.priming import prime
from normwright.learn.recipes.reward import classifier
from normwright.models.local import LocalScorer
from normwright.models.tuning import answer_rows, group_pairs, pair_rows, pair_scores
from normwright.models.tuning.loop import Loop
from normwright.records import Demonstration, Message, PreferencePair

LICENCE = "Apache-2.0"
QUESTIONS = ["When does it open?", "Onde fica?", "Who is it?", "Quanto custa?"]


def demonstrations() -> list[Demonstration]:
    return [
        Demonstration(
            scene=f"s{i}",
            lang="en",
            prompt=(Message(role="user", content=q),),
            completion="At nine.",
            origin="synthetic",
            licence=LICENCE,
            family="f",
        )
        for i, q in enumerate(QUESTIONS * 8)
    ]


def pairs(p: float) -> list[PreferencePair]:
    return [
        PreferencePair(
            scene=f"s{i}",
            lang="en",
            prompt=(Message(role="user", content=q),),
            chosen="I cannot say.",
            rejected="At nine.",
            p_chosen=p,
            weight=2.0,
            norms=("n@1",),
            layer="global",
            origin="synthetic",
            process_kind="simulated",
            licence=LICENCE,
            family="f",
        )
        for i, q in enumerate(QUESTIONS * 8)
    ]


def margin(model: Any) -> float:
    prompts = [[Message(role="user", content=q)] for q in QUESTIONS]
    better = model.logprobs(prompts, ["I cannot say."] * 4)
    worse = model.logprobs(prompts, ["At nine."] * 4)
    return float(sum(b - w for b, w in zip(better, worse, strict=True))) / 4


def test_imitation_raises_what_was_shown_and_leaves_the_base_alone(tiny: Any) -> None:
    """After tuning the demonstrated answer is likelier; the base model has not changed."""
    prompts = [[Message(role="user", content=q)] for q in QUESTIONS]
    before = sum(tiny.logprobs(prompts, ["At nine."] * 4))
    tuned, metrics = sft(
        tiny, demonstrations(), unpermitted=True, loop=Loop(epochs=3, lr=3e-3, batch=8)
    )

    assert sum(tuned.logprobs(prompts, ["At nine."] * 4)) > before + 10
    assert sum(tiny.logprobs(prompts, ["At nine."] * 4)) == pytest.approx(before, abs=1e-3)
    assert metrics["last_loss"] < metrics["first_loss"]


def test_preference_follows_the_share_and_an_even_share_changes_nothing(tiny: Any) -> None:
    """A share of 0.9 moves the margin up, 0.1 down, and 0.5 nearly nowhere."""
    loop = Loop(epochs=2, lr=2e-3, batch=8)
    moved = {
        p: margin(
            prefer(tiny, pairs(p), demonstrations(), loop=loop, anchor=0.0, unpermitted=True)[0]
        )
        - margin(tiny)
        for p in (0.9, 0.5, 0.1)
    }

    assert moved[0.9] > 2
    assert moved[0.1] < -2
    # Adam turns even a vanishing gradient into steps, so the even share drifts a little.
    assert abs(moved[0.5]) < min(moved[0.9], -moved[0.1]) / 2


def test_the_same_seed_trains_the_same_weights(tiny: Any) -> None:
    """One thread, one seed: two trainings end in equal weights."""
    import torch

    loop = Loop(epochs=1, lr=1e-3, batch=8, seed=5)
    one, two = (
        sft(tiny, demonstrations(), unpermitted=True, loop=loop)[0].weights.state_dict()
        for _ in range(2)
    )

    assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_reward_ranks_as_people_do(tiny: Any) -> None:
    """Trained on a clear share, the scorer puts the preferred answer above the other."""
    weights, _ = reward(tiny, pairs(0.9), unpermitted=True, loop=Loop(epochs=4, lr=3e-3, batch=8))
    scorer = LocalScorer(weights, tiny.tokenizer)
    prompts = [[Message(role="user", content=q)] for q in QUESTIONS]
    better = scorer.score(prompts, ["I cannot say."] * 4)
    worse = scorer.score(prompts, ["At nine."] * 4)

    assert all(b > w for b, w in zip(better, worse, strict=True))


def test_primed_heads_look_one_token_back() -> None:
    """After priming, half the heads of the first layer attend to the token before."""
    import torch

    from normwright.learn import Shape, new_model

    model = new_model(Shape(128, 2, 4, 300, 128), seed=0)
    model.set_attn_implementation("eager")
    ids = torch.randint(9, 300, (2, 40), generator=torch.Generator().manual_seed(0))

    def previous() -> list[float]:
        with torch.no_grad():
            seen = model(ids, output_attentions=True).attentions[0]
        return [float(seen[:, h].diagonal(offset=-1, dim1=-2, dim2=-1).mean()) for h in range(4)]

    before = previous()
    prime(model, seed=0)
    after = previous()

    assert max(before) < 0.3
    assert min(after[:2]) > 0.7


def test_the_reward_it_learned_from_is_the_reward_it_gives(tiny: Any) -> None:
    """Pairs that share their prompt in training are scored as whole texts in serving."""
    weights = classifier(tiny, seed=1)
    prompts = [p.prompt for p in pairs(0.9)[:5]]
    answers = [[p.chosen for p in pairs(0.9)[:5]], [p.rejected for p in pairs(0.9)[:5]]]
    rows = [
        answer_rows(tiny.tokenizer, list(zip(prompts, side, strict=True)), limit=256)
        for side in answers
    ]
    with torch.no_grad():
        shared = pair_scores(weights, group_pairs(pair_rows(*rows), tiny.tokenizer.pad_token_id))
    scorer = LocalScorer(weights.eval(), tiny.tokenizer)
    served = [scorer.score(prompts, side) for side in answers]

    for ours, theirs in zip(shared, served, strict=True):
        assert ours.tolist() == pytest.approx(theirs, abs=1e-4)
