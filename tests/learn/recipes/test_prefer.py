"""Every method of preference optimisation: where it goes, what it reports, what it refuses."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from normwright.learn import PreferenceObjective, PreferenceReport, prefer, sft
from normwright.learn.preferring import conduct
from normwright.learn.preferring.objective import groups_of
from normwright.learn.recipes.listwise import candidate_kl, target_of
from normwright.models.local import LocalModel
from normwright.models.tuning import Gold, Lora, Robustness
from normwright.models.tuning.hardware import Hardware
from normwright.models.tuning.loop import Loop
from normwright.models.tuning.running import Running
from normwright.records import (
    InputError,
    Message,
    PairVote,
    PreferencePair,
    ScoredAnswer,
    ScoredAnswers,
)

QUESTIONS = ["When does it open?", "Onde fica?", "Who is it?", "Quanto custa?"]
LOOP = Loop(epochs=2, lr=4e-3, batch=8, warmup=0.0)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short looks at behaviour, and no walk through all imported modules after every run."""
    monkeypatch.setattr(conduct, "NEW_TOKENS", 12)
    gc.freeze()


def pair(i: int, p: float = 0.9, **more: Any) -> PreferencePair:
    given: dict[str, Any] = {
        "scene": f"s{i}",
        "lang": "pt" if i % 2 else "en",
        "prompt": (Message(role="user", content=QUESTIONS[i % 4]),),
        "chosen": "I cannot say.",
        "rejected": "At nine.",
        "p_chosen": p,
        "weight": 2.0,
        "norms": ("n@1",),
        "layer": "global",
        "origin": "synthetic",
        "process_kind": "simulated",
        "licence": "Apache-2.0",
        "family": f"f{i % 4}",
        **more,
    }
    return PreferencePair(**given)


def run(
    start: Any, rows: Any, *, method: Any = "soft", loop: Loop = LOOP, **more: Any
) -> tuple[LocalModel, dict[str, float], PreferenceReport]:
    reports: list[PreferenceReport] = []
    more.setdefault("prompts", 1)
    settings = {
        name: more.pop(name)
        for name in list(more)
        if name in PreferenceObjective.__dataclass_fields__
    }
    made, metrics = prefer(
        start, rows, more.pop("demonstrations", shown()), loop=loop, unpermitted=True,
        objective=PreferenceObjective(method=method, **settings), told=reports.append,
        **{"anchor": 0.0, **more},
    )  # fmt: skip
    return made, metrics, reports[0]


def shown() -> list[Any]:
    from tests.learn.recipes.test_recipes import demonstrations

    return demonstrations()


def margin(model: Any, better: str = "I cannot say.", worse: str = "At nine.") -> float:
    prompts = [[Message(role="user", content=q)] for q in QUESTIONS]
    sides = [model.logprobs(prompts, [text] * 4) for text in (better, worse)]
    return float(sum(sides[0]) - sum(sides[1])) / 4


@pytest.mark.parametrize("method", ["soft-copeland", "kemeny"])
def test_methods_on_pairs_follow_the_side_of_the_share(tiny: Any, method: str) -> None:
    """A share of 0.9 raises the first answer against the second, 0.1 lowers it."""
    up = margin(run(tiny, [pair(i) for i in range(16)], method=method)[0])
    down = margin(run(tiny, [pair(i, 0.1) for i in range(16)], method=method)[0])

    assert up > margin(tiny) + 1 > down + 2


def test_soft_and_ipo_end_at_their_own_minimisers(tiny: Any) -> None:
    """Trained long on one pair, beta h is the share's logit for soft labels, p - 1/2 for IPO."""
    rows = [pair(0, 0.9)] * 4
    loop = Loop(steps=60, lr=4e-3, batch=4, warmup=0.0)
    prompt = [rows[0].prompt]
    sides = (["I cannot say."], ["At nine."])
    before = [tiny.logprobs(prompt, side)[0] for side in sides]
    moved = {}
    for method in ("soft", "ipo"):
        made = run(tiny, rows, method=method, loop=loop, beta=0.5)[0]
        after = [made.logprobs(prompt, side)[0] for side in sides]
        moved[method] = after[0] - after[1] - before[0] + before[1]

    assert moved["soft"] == pytest.approx(torch.logit(torch.tensor(0.9)).item() / 0.5, abs=0.1)
    assert moved["ipo"] == pytest.approx(0.4 / 0.5, abs=0.05)


def test_a_gold_set_stops_a_run_and_brings_its_best_weights_back(tiny: Any) -> None:
    """What people like falls from step 2 on: the run ends early, with the weights of step 2."""
    rows, loop = [pair(i) for i in range(16)], Loop(steps=8, lr=4e-3, batch=8, warmup=0.0)
    verdicts, kept = iter([0.5, 0.7, 0.6, 0.4]), []

    def measure(weights: Any) -> float:
        kept.append(margin(LocalModel("policy", weights, tiny.tokenizer)))
        return next(verdicts)

    made, metrics, _ = run(tiny, rows, loop=loop, gold=Gold(measure, every=2, patience=2))

    assert (metrics["gold_step"], metrics["gold"], len(kept)) == (2.0, 0.7, 4)
    assert kept[0] < kept[1] < kept[3]
    assert margin(made) == pytest.approx(kept[1], abs=1e-4)
    with pytest.raises(InputError, match="listwise"):
        prefer(
            tiny,
            [scored(0)],
            shown(),
            loop=loop,
            objective=PreferenceObjective(method="listwise"),
            gold=Gold(measure, every=2),
            unpermitted=True,
        )


def scored(i: int, **more: Any) -> ScoredAnswers:
    given: dict[str, Any] = {
        "scene": f"s{i}",
        "lang": "en",
        "prompt": (Message(role="user", content=QUESTIONS[i % 4]),),
        "candidates": tuple(
            ScoredAnswer(text=text, score=score)
            for text, score in (("At nine.", 0.2), ("I cannot say.", 0.7), ("It is free.", 0.4))
        ),
        "temperature": 0.25,
        "rule": "borda",
        "origin": "synthetic",
        "licence": "Apache-2.0",
        "family": f"f{i % 4}",
        **more,
    }
    return ScoredAnswers(**given)


@pytest.mark.parametrize("method", ["soft", "listwise"])
def test_demonstrations_are_read_where_an_anchor_holds_and_only_there(
    tiny: Any, method: str
) -> None:
    """Without an anchor none are needed and none change a weight; with one some must be there."""
    rows = [scored(i) if method == "listwise" else pair(i) for i in range(8)]
    loop = Loop(steps=2, lr=4e-3, batch=8, warmup=0.0)
    alone, _, _ = run(tiny, rows, method=method, loop=loop, demonstrations=[])
    beside, _, _ = run(tiny, rows, method=method, loop=loop)
    held, _, _ = run(tiny, rows, method=method, loop=loop, anchor=0.5)

    assert margin(alone) == margin(beside) != margin(held)
    with pytest.raises(InputError, match="demonstrations"):
        run(tiny, rows, method=method, loop=loop, anchor=0.5, demonstrations=[])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_reference_is_as_precise_as_the_policy(tiny: Any, precision: Any) -> None:
    """Before the first step both are the same model, so the loss is ln 2 to the last bit."""
    losses: list[float] = []
    running = Running(
        progress=lambda step, steps, loss: losses.append(loss),
        hardware=Hardware(precision=precision),
    )
    loop = Loop(steps=1, lr=4e-3, batch=8, warmup=0.0)
    run(tiny, [pair(i) for i in range(8)], loop=loop, running=running)

    assert losses[0] == pytest.approx(0.6931471805599453, abs=1e-7)


@pytest.mark.parametrize("proportional", [False, True])
def test_listwise_reaches_its_target_on_the_candidates(tiny: Any, proportional: bool) -> None:
    """KL(target || policy) on the candidates falls to nearly nothing; the record of it agrees."""
    rows = [scored(i) for i in range(4)]
    loop = Loop(steps=70, lr=8e-3, batch=4, warmup=0.0)
    made, metrics, report = run(
        tiny, rows, method="listwise", loop=loop, beta=0.5, proportional=proportional
    )
    texts = [one.text for one in rows[0].candidates]
    before, after = (m.logprobs([rows[0].prompt] * 3, texts) for m in (tiny, made))
    beta = None if proportional else 0.5
    gap = candidate_kl(target_of(rows[0]), after, before, beta=beta)

    assert candidate_kl(target_of(rows[0]), before, before, beta=beta) > 0.1
    assert gap < 1e-3
    assert metrics["candidate_kl"] < 1e-3
    assert report.accuracy.value == 1.0
    assert "borda" in report.notes[0]


def test_gamma_between_votes_and_questions(tiny: Any) -> None:
    """With gamma 1 the row of many votes decides, with 0 two rows of one vote outvote it."""
    rows = [
        pair(0, share, votes=tuple(cast(side, f"p{i}") for i in range(count)))
        for share, side, count in ((1.0, "chosen", 9), (0.0, "rejected", 1), (0.0, "rejected", 1))
    ]
    loop = Loop(steps=20, lr=2e-3, batch=3, warmup=0.0)
    votes = margin(run(tiny, rows, loop=loop, gamma=1.0)[0])
    questions = margin(run(tiny, rows, loop=loop)[0])

    assert votes > margin(tiny) > questions


def cast(choice: Any, participant: str, group: str | None = None) -> PairVote:
    return PairVote(participant=participant, choice=choice, group=group)


def opposed(share: int = 10) -> list[PreferencePair]:
    """A majority that likes one answer to every question, and a minority that likes the other."""
    return [
        pair(i, 0.0 if i % (share + 1) == share else 1.0, weight=1.0,
             group="few" if i % (share + 1) == share else "many")
        for i in range(4 * (share + 1))
    ]  # fmt: skip


ROBUST = Robustness(rate=1.0, least=4, memory=0.5)


def test_robust_training_moves_towards_the_worst_served(tiny: Any) -> None:
    """The minority's weight rises above its share and the pooled margin shrinks; a cap holds it."""
    loop = Loop(epochs=8, lr=3e-3, batch=44, warmup=0.0)
    pooled, robust, capped = (
        run(tiny, opposed(), method=method, loop=loop, **more)
        for method, more in (
            ("soft", {}),
            ("robust", {"robustness": ROBUST}),
            ("robust", {"robustness": Robustness(rate=1.0, least=4, memory=0.5, cap=0.2)}),
        )
    )

    assert robust[2].group_weights["few"] > 0.25
    assert capped[2].group_weights["few"] <= 0.2 + 1e-9
    assert margin(tiny) < margin(robust[0]) < margin(capped[0]) < margin(pooled[0])
    assert robust[1]["weight_group_few"] == robust[2].group_weights["few"]
    assert any("robust" in note for note in pooled[2].notes)


def test_robust_without_a_rate_is_pooled_training(tiny: Any) -> None:
    """Weights that cannot move leave the weights of the model as soft labels make them."""
    loop = Loop(epochs=1, lr=2e-3, batch=11)
    still = Robustness(rate=1e-12, least=4)
    one = run(tiny, opposed(), method="robust", loop=loop, robustness=still)[0]
    two = run(tiny, opposed(), loop=loop)[0]

    for (name, a), b in zip(
        one.weights.state_dict().items(), two.weights.state_dict().values(), strict=True
    ):
        assert torch.allclose(a, b, atol=2e-4), name


def test_groups_come_from_votes_then_shares_then_the_row() -> None:
    """Single choices are counted by group, ties half, with weight by number; a share stands."""
    votes = tuple(
        cast(choice, f"p{i}", group)
        for i, (choice, group) in enumerate(
            [("chosen", "a"), ("chosen", "a"), ("tie", "a"), ("rejected", "b")]
        )
    )
    found = groups_of(pair(0, votes=votes))

    assert found["a"] == pytest.approx((3 / 4, 1.5))
    assert found["b"] == pytest.approx((0.25, 0.5))
    assert groups_of(pair(0, support={"x": 0.8, "y": 0.1})) == {"x": (0.8, 1.0), "y": (0.1, 1.0)}
    assert groups_of(pair(0, group="z")) == {"z": (0.9, 2.0)}
    assert groups_of(pair(0)) == {}


class Longer:
    """A fixed reward: the number of characters."""

    def score(self, prompts: Any, completions: Any) -> list[float]:
        return [float(len(text)) for text in completions]


def test_fixed_rewards_pull_beside_the_pairs(tiny: Any) -> None:
    """People are split; a fixed reward for long answers decides, and against it for short ones."""
    rows = [pair(i, 0.5) for i in range(16)]
    longer, shorter = (
        margin(run(tiny, rows, method="modpo", fixed={"length": (Longer(), weight)})[0])
        for weight in (0.5, -0.5)
    )

    assert longer > margin(tiny) + 1 > shorter + 2


def test_guards_hold_length_and_likelihood(tiny: Any) -> None:
    """A price on length lowers the longer answer; the displacement guard keeps more likelihood."""
    rows = [pair(i, 1.0) for i in range(16)]
    loop = Loop(epochs=3, lr=1e-2, batch=8, warmup=0.0)
    free = run(tiny, rows, loop=loop)
    priced = run(tiny, rows, loop=loop, length=0.5)
    tuned = sft(tiny, shown(), loop=Loop(epochs=2, lr=5e-3, batch=16), unpermitted=True)[0]
    shy = [pair(i, 1.0, chosen="At nine.", rejected="I cannot say.") for i in range(16)]
    plain, guarded = (
        run(tiny, shy, loop=LOOP, reference=tuned, displacement=weight)[1] for weight in (0.0, 5.0)
    )

    assert margin(priced[0]) < margin(free[0])
    assert priced[2].lengths["preferred"] > priced[2].lengths["other"]
    assert plain["leak"] > 0
    assert guarded["preferred_change"] > plain["preferred_change"] + 1


def test_near_duplicates_are_left_out_and_told(tiny: Any) -> None:
    """The pairs whose answers the model hardly tells apart go first."""
    near = [pair(i, chosen="At nine.", rejected="At nine") for i in range(4)]
    far = [pair(i, chosen="I cannot say.", rejected="At nine.") for i in range(4)]
    report = run(tiny, [*near, *far], near_duplicates=0.5)[2]

    assert report.left_out == 4
    assert report.lengths["other"] == run(tiny, far)[2].lengths["other"]
    assert "left out" in report.notes[0]


def test_likelihood_and_behaviour_are_reported_with_intervals(tiny: Any) -> None:
    """Before and after are there for what is said and how likely; lost mass and KL grow with it."""
    rows = [pair(i, group="a" if i % 2 else "b") for i in range(16)]
    loop = Loop(epochs=25, lr=8e-3, batch=8, warmup=0.0)
    made, metrics, report = run(tiny, rows, loop=loop, majority=1.0, prompts=4)
    still = run(tiny, rows, loop=Loop(steps=1, lr=1e-12, batch=8))[2]

    assert report.behaviour_of == "training"
    assert report.after.as_better.value == 1.0
    assert report.after.as_better.interval is not None
    assert report.before.as_better.value == 0.0
    assert report.after.stopped.value == 1.0
    assert report.likelihood.mass_after.value > report.likelihood.mass_before.value  # type: ignore[operator]
    assert set(report.by_group) == {"a", "b"}
    assert set(report.by_language) == {"en", "pt"}
    assert report.by_norm["n@1"].n == 16
    assert report.divergence.answer.value > 1  # type: ignore[operator]
    assert abs(still.divergence.answer.value) < 1e-3  # type: ignore[arg-type]
    assert metrics["as_preferred_after"] == 1.0
    assert report.as_json()["after"]["as_better"]["n"] == 4
    assert made.name == "aligned"


def test_held_out_prompts_are_answered_in_their_place(tiny: Any) -> None:
    """With held-out pairs the report is of their prompts and says so."""
    held = [pair(0, prompt=(Message(role="user", content="Is it far?"),))]

    assert run(tiny, [pair(i) for i in range(8)], held=held)[2].behaviour_of == "held-out"


def test_adapters_train_the_base_and_come_out_plain(tiny: Any) -> None:
    """The reference is the base; what comes out has its parameters and moved, the base did not."""
    before = margin(tiny)
    made, _, report = run(
        tiny, [pair(i) for i in range(16)], lora=Lora(rank=4), loop=Loop(epochs=4, lr=2e-2, batch=8)
    )

    assert margin(made) > before + 1
    assert margin(tiny) == pytest.approx(before)
    assert list(made.weights.state_dict()) == list(tiny.weights.state_dict())
    assert report.accuracy.value == 1.0
    assert not hasattr(made.weights, "get_base_model")


@pytest.mark.slow
def test_another_reference_holds_where_it_stands(tiny: Any) -> None:
    """Held to a model that already has the margin asked for, a further run hardly moves."""
    rows = [pair(i, 0.9) for i in range(16)]
    loop = Loop(steps=40, lr=4e-3, batch=8, warmup=0.0)
    once = run(tiny, rows, loop=loop, beta=0.5)[0]
    twice = run(once, rows, loop=loop, beta=0.5)[0]
    held = run(once, rows, loop=loop, beta=0.5, reference=tiny)[0]

    assert margin(twice) - margin(once) > 2
    assert abs(margin(held) - margin(once)) < 1.0


@pytest.mark.parametrize(
    ("rows", "more", "said"),
    [
        ([], {}, "at least one"),
        ([pair(0)], {"method": "robust"}, "a group"),
        ([pair(i, group="a") for i in range(4)], {"method": "robust"}, "two groups"),
        (opposed(), {"method": "robust"}, "20 rows or more"),
        (opposed(), {"method": "robust", "robustness": Robustness(least=4, floor=0.6)}, "floor"),
        ([pair(0)], {"method": "listwise"}, "candidates with scores"),
        ([scored(0)], {}, "pairs for the method soft"),
        ([pair(0)], {"gamma": 1.0}, "without votes"),
        ([pair(0)], {"method": "modpo"}, "no fixed reward"),
        ([pair(0)], {"fixed": {"x": (Longer(), 1.0)}}, "with modpo"),
        ([pair(0)], {"method": "ipo", "displacement": 1.0}, "ignored"),
        ([pair(0, 0.9)], {"method": "kto"}, "0 or 1"),
        ([pair(0, 1.0), pair(1, 1.0, weight=1.0)], {"method": "kto"}, "one weight"),
        ([pair(0, 1.0)], {"method": "kto", "anchor": 0.5}, "ignored"),
        ([pair(0, 1.0)], {"method": "kto", "loop": Loop(batch=1)}, "2 rows or more"),
        ([pair(0, rejected="I cannot say. ")], {}, "two answers"),
    ],
)
def test_what_would_be_ignored_is_refused(
    tiny: Any, rows: Any, more: dict[str, Any], said: str
) -> None:
    """Each is an error that says what was expected, before anything is trained."""
    with pytest.raises(InputError, match=said):
        run(tiny, rows, **more)


def test_adapters_on_the_start_make_the_reference_ambiguous(tiny: Any) -> None:
    """A start that wears adapters is refused: with or without them is the question."""
    import copy

    from normwright.models.tuning import adapted

    dressed = LocalModel("x", adapted(copy.deepcopy(tiny.weights), Lora(), seed=0), tiny.tokenizer)

    with pytest.raises(InputError, match="with adapters"):
        run(dressed, [pair(0)])


def test_a_hard_constraint_is_not_voted_down(tiny: Any) -> None:
    """A majority for the breach of a hard constraint is refused; a weaker norm's is learned."""
    from tests.evaluate.town import charter

    from normwright.charter import enact

    bound = enact(charter(), [], deployment={})
    weaker = bound.model_copy(
        update={"rules": tuple(r.model_copy(update={"force": "style"}) for r in bound.rules)}
    )
    hard = next(r.norm for r in bound.rules if r.force == "constraint_hard")

    with pytest.raises(InputError, match="hard constraint"):
        run(tiny, [pair(0, 0.3, norms=(hard,))], policy=bound)
    run(tiny, [pair(0, 0.3, norms=(hard,))], policy=weaker, loop=Loop(steps=1))


KILLED = Path(__file__).with_name("crash_prefer.py")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["soft", "robust", "listwise"])
def test_a_killed_run_goes_on_to_the_same_loss(tmp_path: Path, method: str) -> None:
    """Killed in the middle and started again, a run ends at the loss of one that was left alone."""

    def ran(folder: Path, kill_at: int) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, str(KILLED), method, str(folder), str(kill_at)],
            capture_output=True, text=True, check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        return done.returncode, done.stdout

    code, straight = ran(tmp_path / "straight", 0)
    assert code == 0
    killed, _ = ran(tmp_path / "broken", 7)
    assert killed == -signal.SIGKILL
    code, broken = ran(tmp_path / "broken", 0)

    assert code == 0
    first, second = (dict(line.split() for line in out.splitlines()) for out in (straight, broken))
    assert first.keys() == second.keys()
    assert int(second["begun"]) >= 6
    for name in first.keys() - {"begun"}:
        assert float(second[name]) == pytest.approx(float(first[name]), abs=1e-6), name
