"""Reward models on votes: likelihoods, ties, groups, spread, ensembles, length, cost, refresh."""

from __future__ import annotations

import gc
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.learn.recipes.test_recipes import QUESTIONS, pairs

from normwright.learn import (
    Labelled,
    Reading,
    cost,
    disagreement,
    measure_cost,
    measure_reward,
    refresh,
    reward,
    reward_members,
)
from normwright.learn.reward_models import measured
from normwright.learn.reward_models.likelihoods import (
    davidson_loss,
    rao_kupper_loss,
    shares_loss,
    spread_loss,
)
from normwright.learn.reward_models.measured import calibration_error
from normwright.learn.reward_models.planted import planted_pairs, planted_world
from normwright.learn.reward_models.targets import by_group, by_member, pooled, slope_of_length
from normwright.models import ScriptedModel
from normwright.models.local import LocalScorer
from normwright.models.protocol import Scorer
from normwright.models.scorers import EnsembleScorer, SpreadScorer
from normwright.models.tuning import Lora, answer_rows, group_rows, last_scores, save_plain
from normwright.models.tuning.loop import Loop, Running
from normwright.records import InputError, Message, PairVote, PreferencePair

LOOP = Loop(epochs=3, lr=5e-3, batch=8)


@pytest.fixture(autouse=True)
def unwalked() -> None:
    """No walk through all imported modules after every fit."""
    gc.freeze()


PROMPTS = [(Message(role="user", content=q),) for q in QUESTIONS]


def voted(*votes: tuple[str, str, str | None], **change: Any) -> PreferencePair:
    """A pair with these votes: participant, choice, group."""
    made = tuple(PairVote(participant=p, choice=c, group=g) for p, c, g in votes)  # type: ignore[arg-type]
    return pairs(0.5)[0].model_copy(update={"votes": made, **change})


def found(loss: Any, outcomes: tuple[float, float, float], tied: bool) -> tuple[float, ...]:
    """The margin and tie parameter that a likelihood ends in, by plain descent."""
    margin = torch.zeros(1, requires_grad=True)
    tie = torch.zeros(1, requires_grad=True)
    steps = torch.optim.LBFGS([margin, tie] if tied else [margin], max_iter=200)

    def closure() -> torch.Tensor:
        steps.zero_grad()
        extra = (tie,) if tied else ()
        value: torch.Tensor = loss(margin, torch.tensor([outcomes]), *extra).sum()
        value.backward()
        return value

    steps.step(closure)
    return float(margin.detach()), float(tie.detach())


def test_the_minimiser_of_shares_is_their_logit_and_a_tie_is_half_a_vote() -> None:
    """Votes 6 : 2 : 2 end in the margin of a share of 0.7."""
    margin, _ = found(shares_loss, (0.6, 0.2, 0.2), tied=False)

    assert margin == pytest.approx(math.log(0.7 / 0.3), abs=1e-3)


def test_tie_models_give_back_the_shares_they_were_fitted_to() -> None:
    """Both tie models are saturated in one pair: their probabilities are the observed shares."""
    outcomes = (0.6, 0.25, 0.15)
    margin, tie = found(davidson_loss, outcomes, tied=True)
    odds = np.array([math.exp(margin / 2), math.exp(tie), math.exp(-margin / 2)])
    edge, threshold = found(rao_kupper_loss, outcomes, tied=True)
    eta = math.log1p(math.exp(threshold))

    assert odds / odds.sum() == pytest.approx(outcomes, abs=1e-3)
    assert 1 / (1 + math.exp(eta - edge)) == pytest.approx(0.6, abs=1e-3)
    assert 1 / (1 + math.exp(eta + edge)) == pytest.approx(0.15, abs=1e-3)


def test_the_spread_loss_is_the_exact_normal_one_far_in_the_tail() -> None:
    """At thirty standard deviations the loss is finite and right: log Phi(-30) is -454.32."""
    raw = math.log(math.expm1(1 - 1e-3))
    scores = torch.tensor([[[-30 * math.sqrt(2), raw], [0.0, raw]]])
    value = spread_loss(scores, torch.tensor([[1.0, 0.0, 0.0]]))

    assert float(value) == pytest.approx(454.3212, rel=1e-4)


def test_votes_count_by_their_number_to_the_power_gamma_and_by_their_weight() -> None:
    """Nine votes against one: weights 9 to 1 at gamma 1, 3 to 1 at 1/2, and alike at 0."""
    many = voted(*[(f"p{i}", "chosen" if i < 6 else "tie", None) for i in range(9)])
    one = voted(("p0", "rejected", None))
    ratio = {
        gamma: float(np.divide(*pooled([many, one], Reading("votes", gamma)).weight[:, 0]))
        for gamma in (0.0, 0.5, 1.0)
    }
    shares = pooled([many, one], Reading("votes", prior=0.5)).shares[:, 0]
    ties = pooled([many, one], Reading("davidson")).shares[:, 0]

    assert ratio == pytest.approx({0.0: 1.0, 0.5: 3.0, 1.0: 9.0})
    assert shares[:, 0] == pytest.approx([8 / 10, 0.5 / 2])
    assert ties[0] == pytest.approx([6 / 9, 3 / 9, 0])


def test_votes_that_are_needed_and_lacking_are_all_named() -> None:
    """A share without votes has no number of people behind it: every such pair is a fault."""
    with pytest.raises(InputError) as raised:
        pooled([*pairs(0.7)[:3], voted(("a", "tie", None))], Reading("votes"))

    assert [f.where for f in raised.value.faults] == ["s0", "s1", "s2"]


def test_a_group_head_hears_its_own_people_and_the_pooled_one_everybody() -> None:
    """Votes with groups, rows of a group and support: each reaches the head of its group alone."""
    rows = [
        voted(("a", "chosen", "x"), ("b", "rejected", "y"), ("c", "rejected", "y"), p_chosen=1 / 3),
        pairs(0.8)[0].model_copy(update={"group": "x"}),
        pairs(0.6)[0].model_copy(update={"support": {"y": 0.1}}),
    ]
    made = by_group(rows, Reading())

    assert made.heads == ("pooled", "x", "y")
    assert made.shares[:, 0, 0] == pytest.approx([1 / 3, 0.8, 0.6])
    assert made.shares[:2, 1, 0] == pytest.approx([1.0, 0.8])
    assert made.shares[[0, 2], 2, 0] == pytest.approx([0.0, 0.1])
    assert (made.weight > 0).tolist() == [
        [True, True, True],
        [True, True, False],
        [True, False, True],
    ]


def test_members_hear_whole_people_drawn_again() -> None:
    """Each member's share is that of the people it drew; who was not drawn is in no pair of its."""
    rows = [voted(("a", "chosen", None), ("b", "rejected", None), scene=f"v{i}") for i in range(5)]
    made, drawn = by_member(rows, Reading("votes"), members=8, seed=0)
    kept = made.weight[0] > 0
    expected = drawn.times[:, 0] / drawn.times.sum(1)

    assert drawn.unit == "participants"
    assert drawn.names == ("a", "b")
    assert made.shares[0, kept, 0] == pytest.approx(expected[kept])
    # A person is in or out of a member altogether, not row by row.
    assert np.ptp(made.shares[:, :, 0], axis=0).max() == 0
    assert len(set(expected)) > 1


def test_without_votes_clusters_are_drawn_and_it_is_said(tiny: Any) -> None:
    """Pairs that name nobody are resampled by family, and the configuration tells so."""
    rows = [p.model_copy(update={"family": f"f{i % 6}"}) for i, p in enumerate(pairs(0.9))]
    weights, _ = reward(tiny, rows, head="ensemble", members=3, unpermitted=True, loop=LOOP)

    assert weights.config.reward["resampled"] == "clusters"
    assert weights.config.reward["units"] == 6
    assert weights.config.num_labels == 3


def test_group_heads_part_where_groups_do_and_export_is_plain(tiny: Any, tmp_path: Path) -> None:
    """Two groups of opposite taste: heads of opposite sign, by name, in a plain classifier."""
    from transformers import AutoModelForSequenceClassification

    votes = [("a", "chosen", "x"), ("b", "chosen", "x"), ("c", "rejected", "y")]
    rows = [p.model_copy(update={"votes": voted(*votes).votes, "p_chosen": 2 / 3})
            for p in pairs(0.5)]  # fmt: skip
    weights, _ = reward(tiny, rows, head="groups", garbled=0.0, unpermitted=True, loop=LOOP)
    save_plain(weights, tiny.tokenizer, tmp_path)
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    gaps = {}
    for name in ("pooled", "x", "y"):
        scorer = LocalScorer.open(tmp_path, head=name)
        better = scorer.score(PROMPTS, ["I cannot say."] * 4)
        gaps[name] = np.array(better) - np.array(scorer.score(PROMPTS, ["At nine."] * 4))

    assert plain.config.id2label == {0: "pooled", 1: "x", 2: "y"}
    assert (gaps["x"] > 0.3).all()
    assert (gaps["y"] < -0.3).all()
    assert ((gaps["pooled"] < gaps["x"]) & (gaps["pooled"] > gaps["y"])).all()
    with pytest.raises(InputError, match="pooled, x, y"):
        LocalScorer.open(tmp_path, head="z")


def test_a_tie_parameter_is_learned_told_and_left_out_of_the_export(tiny: Any) -> None:
    """Half the votes are ties: Davidson's parameter rises, and the weights hold no stranger."""
    split = voted(*[(str(i), c, None) for i, c in enumerate(("tie", "tie", "chosen", "rejected"))])
    rows = [p.model_copy(update={"votes": split.votes}) for p in pairs(0.5)]
    loop = Loop(epochs=8, lr=3e-2, batch=8)
    weights, _ = reward(
        tiny, rows, reading=Reading("davidson"), garbled=0.0, unpermitted=True, loop=loop
    )

    # Ties are as likely as both sides together: nu = 2.
    assert weights.config.reward["tie"][0] == pytest.approx(math.log(2), abs=0.25)
    assert [n for n in weights.state_dict() if "tie" in n or "linear" in n] == []


@pytest.mark.parametrize("likelihood", ["shares", "davidson"])
def test_adapters_learn_with_a_whole_head_and_fold_into_a_plain_model(
    tiny: Any, likelihood: Any
) -> None:
    """With low-rank adapters the order is learned, and no adapter is left in the export."""
    rows = [p.model_copy(update={"votes": voted(("a", "chosen", None)).votes}) for p in pairs(0.9)]
    weights, _ = reward(
        tiny, rows, reading=Reading(likelihood), lora=Lora(rank=4), unpermitted=True,
        loop=Loop(epochs=4, lr=1e-2, batch=8),
    )  # fmt: skip
    scorer = LocalScorer(weights, tiny.tokenizer)
    better = scorer.score(PROMPTS, ["I cannot say."] * 4)

    assert (np.array(better) > np.array(scorer.score(PROMPTS, ["At nine."] * 4))).all()
    assert [n for n in weights.state_dict() if "lora" in n or "modules_to_save" in n] == []


def test_ensemble_rules_are_those_of_its_members(tiny: Any, tmp_path: Path) -> None:
    """Mean, worst and cautious scores follow from the members' centred ones, after saving too."""
    rows = planted_pairs(planted_world(seed=0), count=24, votes=3, seed=1)
    weights, _ = reward(tiny, rows, head="ensemble", members=3, unpermitted=True,
                        loop=Loop(epochs=1, lr=5e-3, batch=8))  # fmt: skip
    save_plain(weights, tiny.tokenizer, tmp_path)
    opened = EnsembleScorer.open([tmp_path], rule="worst")
    answers = ["At nine."] * 4
    found = opened.members(PROMPTS, answers)
    cautious = EnsembleScorer(opened.parts, "cautious", 2.0, opened.centres)
    told = [*(p.chosen for p in rows), *(p.rejected for p in rows)]

    assert isinstance(opened, Scorer)
    assert weights.config.reward["resampled"] == "participants"
    assert opened.score(PROMPTS, answers) == pytest.approx(found.min(1).tolist())
    assert cautious.score(PROMPTS, answers) == pytest.approx(
        (found.mean(1) - 2 * found.var(1)).tolist()
    )
    assert opened.members([p.prompt for p in rows] * 2, told).mean(0) == pytest.approx(
        np.zeros(3), abs=1e-4
    )


def test_members_of_their_own_adapters_join_in_one_scorer(tiny: Any, tmp_path: Path) -> None:
    """Each member is a plain classifier of one logit; the scorer opens them together."""
    rows = planted_pairs(planted_world(seed=0), count=16, votes=3, seed=1)
    made, _ = reward_members(tiny, rows, lora=Lora(rank=2), members=2, unpermitted=True,
                             loop=Loop(epochs=1, lr=5e-3, batch=8))  # fmt: skip
    places = [tmp_path / str(i) for i in range(2)]
    for place, weights in zip(places, made, strict=True):
        save_plain(weights, tiny.tokenizer, place)
    found = EnsembleScorer.open(places).members(PROMPTS, ["At nine."] * 4)

    assert found.shape == (4, 2)
    assert np.abs(found[:, 0] - found[:, 1]).max() > 0


def test_the_spread_head_finds_where_people_differ(tiny: Any) -> None:
    """Questions judged 9 : 1 and 5 : 5 alike in words: the second ends with more disagreement."""
    clear, split = pairs(0.95), pairs(0.5)
    rows = [c if i % 2 else s.model_copy(update={"chosen": "Perhaps so.", "rejected": "No idea."})
            for i, (c, s) in enumerate(zip(clear, split, strict=True))]  # fmt: skip
    weights, _ = reward(tiny, rows, head="spread", garbled=0.0, unpermitted=True,
                        loop=Loop(epochs=12, lr=5e-3, batch=8))  # fmt: skip
    scorer = SpreadScorer(LocalScorer(weights, tiny.tokenizer), caution=1.0)
    plain = SpreadScorer(scorer.inner)
    told = disagreement(scorer.spread, {PROMPTS[1]: ["I cannot say.", "At nine."],
                                        PROMPTS[0]: ["Perhaps so.", "No idea."]})  # fmt: skip
    means, spreads = scorer.spread(PROMPTS, ["At nine."] * 4)

    assert list(weights.config.id2label.values()) == ["mean", "spread"]
    assert told[0].disagreement + 0.1 < told[1].disagreement
    assert told[0].explained + told[0].disagreement == pytest.approx(1)
    assert scorer.score(PROMPTS, ["At nine."] * 4) == pytest.approx((means - spreads).tolist())
    assert plain.score(PROMPTS, ["At nine."] * 4) == pytest.approx(means.tolist())


def test_length_that_explains_the_choices_leaves_the_score(tiny: Any) -> None:
    """Raters who like long answers alone: the slope says so, and the score is left nearly flat."""
    slope = slope_of_length(np.array([1.0, -1.0, 2.0]), np.array([0.8, 0.2, 0.9]), np.ones(3))
    rows = [p.model_copy(update={"chosen": "At nine. " * (1 + i % 3) + "At nine.",
            "p_chosen": 1 / (1 + math.exp(-0.8 * (1 + i % 3)))})
            for i, p in enumerate(pairs(0.5))]  # fmt: skip
    loop = Loop(epochs=6, lr=5e-3, batch=8)
    gaps = {}
    for taken_out in (False, True):
        weights, metrics = reward(
            tiny, rows, length=taken_out, garbled=0.0, unpermitted=True, loop=loop
        )
        scorer = LocalScorer(weights, tiny.tokenizer)
        long = scorer.score(PROMPTS, ["At nine. At nine. At nine."] * 4)
        gaps[taken_out] = float(np.mean(np.array(long) - scorer.score(PROMPTS, ["At nine."] * 4)))

    assert slope == pytest.approx(1.21, abs=0.1)
    assert metrics["length_slope"] > 0
    assert gaps[False] > 0.8
    assert abs(gaps[True]) < gaps[False] / 3


def test_spread_refuses_what_it_cannot_read(tiny: Any) -> None:
    """Tie parameters and length beside the spread head are two faults in one error."""
    with pytest.raises(InputError) as raised:
        reward(tiny, pairs(0.9), head="spread", reading=Reading("davidson"), length=True,
               unpermitted=True, loop=LOOP)  # fmt: skip

    assert [f.where for f in raised.value.faults] == ["likelihood", "length"]


def test_the_sign_of_a_cost_says_unsafe(tiny: Any) -> None:
    """Labels put the threshold at 0; labels of one side alone are refused."""
    rows = pairs(0.9)
    labels = [
        Labelled(p.prompt, text, unsafe, family=p.scene)
        for p in rows
        for text, unsafe in (("I cannot say.", 0.1), ("At nine.", 0.9))
    ]
    weights, _ = cost(tiny, rows, labels, unpermitted=True, loop=Loop(epochs=3, lr=5e-3, batch=16))
    scorer = LocalScorer(weights, tiny.tokenizer)
    told = measure_cost(scorer, rows, labels, seed=0)

    assert max(scorer.score(PROMPTS, ["I cannot say."] * 4)) < 0
    assert min(scorer.score(PROMPTS, ["At nine."] * 4)) > 0
    assert told.sign.value == pytest.approx(0.9)
    assert told.pairs.value == pytest.approx(0.9)
    assert told.constant.value == pytest.approx(0.5)
    with pytest.raises(InputError, match="one side alone"):
        cost(tiny, rows, [one for one in labels if one.unsafe > 0.5], unpermitted=True, loop=LOOP)


def test_single_answers_are_scored_in_training_as_in_serving(tiny: Any) -> None:
    """Rows of many lengths in groups: the last token's logit, as `transformers` finds it."""
    from normwright.learn.recipes.reward import classifier

    weights = classifier(tiny, seed=1, heads=("a", "b")).eval()
    answers = ["At nine.", "I cannot say, for I do not know it.", "No.", "At nine. " * 9]
    rows = answer_rows(tiny.tokenizer, list(zip(PROMPTS, answers, strict=True)), limit=256)
    with torch.no_grad():
        ours = last_scores(weights, group_rows(rows, tiny.tokenizer.pad_token_id, size=3))

    assert ours.numpy() == pytest.approx(
        np.array(LocalScorer(weights, tiny.tokenizer).logits(PROMPTS, answers)), abs=1e-4
    )


def test_calibration_tells_an_overconfident_model_and_ignores_the_order_of_answers() -> None:
    """Right log-odds have an error near 0, doubled ones a large one; turned pairs the same."""
    rng = np.random.default_rng(0)
    margin = rng.normal(0, 1.5, 2000)
    p = 1 / (1 + np.exp(-margin))
    families = [str(i) for i in range(len(p))]
    right = calibration_error(margin, p, families, seed=0)
    bold = calibration_error(3 * margin, p, families, seed=0)
    turn = rng.random(len(p)) < 0.5
    turned = calibration_error(
        np.where(turn, -1, 1) * 3 * margin, np.where(turn, 1 - p, p), families, seed=0
    )

    assert right.value == pytest.approx(0, abs=1e-9)
    assert bold.value is not None
    assert bold.interval is not None
    assert bold.interval.low > 0.1
    assert turned.value == pytest.approx(bold.value)


class Knowing:
    """A scorer that knows the planted values, times a factor."""

    def __init__(self, world: Any, factor: float = 1.0) -> None:
        self.world, self.factor = world, factor

    def score(self, prompts: Any, completions: Any) -> list[float]:
        return [self.factor * self.world.value(c, "many") for c in completions]


def test_who_knows_the_truth_reaches_the_ceiling_and_who_inverts_it_falls_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On raters of one mind the planted values are the Bayes scores; inverted, they fail."""
    monkeypatch.setattr(measured, "ROUNDS", 50)
    world = planted_world(seed=3, people={"many": 40})
    train = planted_pairs(world, count=200, votes=3, seed=1)
    held = planted_pairs(world, count=400, votes=3, seed=2)
    shares = [world.share(p.chosen, p.rejected) for p in held]
    told = measure_reward(Knowing(world), held, train, seed=0, shares=shares)
    votes = measure_reward(Knowing(world), held, train, seed=0)
    worse = measure_reward(Knowing(world, -1.0), held, train, seed=0, shares=shares)
    over = told.over["length"]

    assert told.model.accuracy.value == pytest.approx(told.ceiling.value)
    assert told.model.log_loss.value == pytest.approx(told.entropy.value)
    assert told.model.ece.value == pytest.approx(0, abs=1e-9)
    assert over.interval is not None
    assert over.interval.low > 0
    assert set(told.by["lang"]) == {"en", "pt"}
    assert votes.ece_floor is not None
    assert votes.model.ece.value == pytest.approx(votes.ece_floor, abs=0.03)
    assert worse.model.accuracy.value == pytest.approx(1 - float(told.ceiling.value or 0))


class Wavering:
    """A policy that gives two answers in turn."""

    name = "policy"

    def __init__(self, answers: tuple[str, str]) -> None:
        self.answers = answers

    def generate(self, prompts: Any, *, n: int = 1, **how: Any) -> list[list[str]]:
        return [[self.answers[i % 2] for i in range(n)] for _ in prompts]

    def logprobs(self, prompts: Any, completions: Any) -> list[float]:
        return [math.log(0.5)] * len(completions)


def test_a_refresh_asks_about_what_the_reward_likes_best(tiny: Any) -> None:
    """The judge sees the favourite of the samples; its verdict turns the reward on them round."""
    start, _ = reward(tiny, pairs(0.9), unpermitted=True, loop=LOOP)
    policy = Wavering(("At nine.", "I cannot say."))
    seen: list[str] = []

    def judge(prompts: Any, first: Any, second: Any) -> list[tuple[PairVote, ...]]:
        seen.extend([*first, *second])
        return [
            tuple(PairVote(participant=f"p{i}", choice="chosen" if a == "At nine." else "rejected")
                  for i in range(3))
            for a in first
        ]  # fmt: skip

    made = refresh(
        tiny, pairs(0.9)[:4], policy=policy, scorer=LocalScorer(start, tiny.tokenizer),
        prompts=PROMPTS * 4, judge=judge, samples=4, unpermitted=True,
        loop=Loop(epochs=3, lr=5e-3, batch=8),
    )  # fmt: skip
    scorer = LocalScorer(made.weights, tiny.tokenizer)
    now = np.array(scorer.score(PROMPTS, ["At nine."] * 4))

    assert made.judged
    assert set(seen) == {"At nine.", "I cannot say."}
    assert all(len(p.votes) == 3 for p in made.added)
    assert (now > np.array(scorer.score(PROMPTS, ["I cannot say."] * 4))).all()


def test_without_a_judge_samples_stand_beside_their_garbled_twins(tiny: Any) -> None:
    """Nobody to ask: disorder is put below order, and it is not called a judgement."""
    policy = ScriptedModel("policy", lambda prompt: "the office opens at nine")
    made = refresh(
        tiny, pairs(0.9)[:4], policy=policy, scorer=Knowing(planted_world(seed=0)),
        prompts=PROMPTS, judge=None, unpermitted=True, loop=Loop(epochs=1, lr=1e-3, batch=8),
    )  # fmt: skip

    assert not made.judged
    assert made.added
    for pair in made.added:
        assert sorted(pair.rejected.split()) == sorted(pair.chosen.split())
        assert pair.rejected != pair.chosen
        assert pair.votes == ()


class Killed(Exception):
    """What stands for a kill between two steps."""


@pytest.mark.parametrize("lora", [None, pytest.param(Lora(rank=2), marks=pytest.mark.slow)])
def test_a_killed_fit_of_ties_goes_on_to_the_same_weights(
    tiny: Any, tmp_path: Path, lora: Lora | None
) -> None:
    """Stopped after a checkpoint and started again, loss and tie parameter end where they would."""
    rows = [p.model_copy(update={"votes": voted(("a", "tie", None), ("b", "chosen", None)).votes})
            for p in pairs(0.75)]  # fmt: skip
    loop = Loop(epochs=2, lr=5e-3, batch=8, save_every=3)

    def stop(step: int, steps: int, loss: float) -> None:
        if step == 5:
            raise Killed

    def run(running: Running) -> tuple[Any, dict[str, float]]:
        return reward(tiny, rows, reading=Reading("davidson"), lora=lora, loop=loop,
                      running=running, unpermitted=True)  # fmt: skip

    whole, _ = run(Running(workdir=tmp_path / "whole"))
    with pytest.raises(Killed):
        run(Running(workdir=tmp_path / "killed", progress=stop))
    resumed, _ = run(Running(workdir=tmp_path / "killed"))

    assert resumed.config.reward["tie"] == pytest.approx(whole.config.reward["tie"], abs=1e-6)
    for name, value in whole.state_dict().items():
        assert torch.allclose(value, resumed.state_dict()[name], atol=1e-6), name


KILLED = Path(__file__).with_name("crash_reward.py")


@pytest.mark.slow
@pytest.mark.parametrize("head", ["groups", "spread", "ensemble"])
def test_a_fit_killed_by_the_system_ends_where_it_would(tmp_path: Path, head: str) -> None:
    """SIGKILL in the middle, started again: the loss, the weights and the tie parameters agree."""

    def ran(folder: Path, kill_at: int) -> tuple[int, dict[str, float]]:
        done = subprocess.run(
            [sys.executable, str(KILLED), head, str(folder), str(kill_at)],
            capture_output=True, text=True, check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        lines = (line.split() for line in done.stdout.splitlines())
        return done.returncode, {name: float(value) for name, value in lines}

    code, straight = ran(tmp_path / "straight", 0)
    killed, _ = ran(tmp_path / "broken", 7)
    again, broken = ran(tmp_path / "broken", 0)

    assert (code, killed, again) == (0, -signal.SIGKILL, 0)
    # It went on, and did not begin anew.
    assert (straight.pop("begun"), broken.pop("begun")) == (1, 7)
    assert broken == pytest.approx(straight, abs=1e-6)
