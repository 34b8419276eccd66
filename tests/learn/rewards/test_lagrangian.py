"""What an answer is worth: reward, groups and game, less what norms charge, loudly if unknown."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from normwright.learn.rewards import (
    Budget,
    Constraint,
    Groups,
    Lagrangian,
    Nash,
    breach,
    ensemble,
    judged,
    on_one_scale,
    per_token,
    phrases,
    scored,
    standardised,
    unstopped,
)
from normwright.records import InputError, Message, Prompt

PROMPT = (Message(role="user", content="q"),)


def columns(texts: Sequence[str], norms: Sequence[tuple[str, ...]] | None = None) -> dict[str, Any]:
    return {
        "norms": list(norms or [()] * len(texts)),
        "row": [i // 2 for i in range(len(texts))],
        "tokens": [list(range(len(t))) for t in texts],
        "stopped": [not t.endswith("…") for t in texts],
    }


def asked(objective: Lagrangian, texts: Sequence[str], **more: Any) -> list[float | None]:
    return objective([PROMPT] * len(texts), texts, columns(texts, **more))


def length(prompts: Any, texts: Sequence[str], known: Any) -> list[float | None]:
    return [float(len(t)) for t in texts]


class ByLength:
    """A scorer by length."""

    def __init__(self, sign: float) -> None:
        self.sign = sign

    def score(self, prompts: Any, completions: Sequence[str]) -> list[float]:
        return [self.sign * len(c) for c in completions]


def objective(**settings: Any) -> Lagrangian:
    return Lagrangian(**{"reward": length, "generations": 2, **settings})


def test_a_charge_is_the_multiplier_times_the_cost() -> None:
    """Reward less multiplier times cost, at the multiplier before this batch."""
    one = objective(constraints=[Constraint("n@1", phrases(["b"]), limit=0.1, start=2.0, rate=1.0)])
    found = asked(one, ["aa", "bbb"])

    assert found == [2.0, 3.0 - 2.0]
    assert one.told["multiplier/n@1"] == 2.0
    assert one.multipliers[0].value == pytest.approx(2.0 + 0.5 - 0.1)


def test_a_global_norm_is_never_traded_for_reward() -> None:
    """However large the reward, a breach is worth no more than any clean answer to its prompt."""
    free: dict[str, Any] = {"cost": phrases(["b"]), "limit": 0.0, "rate": 1.0}
    polity = objective(constraints=[Constraint("n@1", **free, layer="polity")])
    floor = objective(constraints=[Constraint("n@1", **free, layer="global")])
    texts = ["a", "b" * 50, "bb", "bbbb"]

    assert asked(polity, texts) == [1.0, 50.0, 2.0, 4.0]
    # The second prompt has no clean answer: reward favours neither.
    assert asked(floor, texts) == [1.0, 1.0, 2.0, 2.0]


def test_a_norm_may_count_the_prompts_that_name_it_alone() -> None:
    """Answers to other prompts cost nothing, are not judged, and are not in the mean."""
    seen: list[str] = []

    def cost(prompts: Any, texts: Sequence[str], known: Any) -> list[float | None]:
        seen.extend(texts)
        return [1.0] * len(texts)

    held = Constraint("n@1", cost, limit=0.5, start=1.0, among="named")
    one = objective(constraints=[held])
    found = asked(one, ["aa", "bbb"], norms=[("n@1",), ("o@1",)])

    assert found == [1.0, 3.0]
    assert seen == ["aa"]
    assert one.told["cost/n@1"] == 1.0


def test_an_organisation_has_a_price_that_stays() -> None:
    """The price of a token is taken off, and no batch changes it."""
    priced = Constraint("length", per_token(1.0, beyond=2), layer="organisation", price=0.5)
    one = objective(constraints=[priced])

    assert asked(one, ["aa", "bbbb"]) == [2.0, 4.0 - 0.5 * 2]
    assert one.multipliers[0].value == 0.5


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_reward_that_is_no_number_is_an_error_that_quotes_the_answer(wrong: float) -> None:
    """NaN and infinity raise, naming signal and answer."""
    one = objective(reward=lambda p, c, k: [1.0, wrong])
    with pytest.raises(InputError) as raised:
        asked(one, ["fine", "odd"])

    assert "reward" in str(raised.value)
    assert "odd" in str(raised.value)


def test_one_number_an_answer_is_required() -> None:
    """A reward or cost of another length raises."""
    for settings in (
        {"reward": lambda p, c, k: [1.0]},
        {"constraints": [Constraint("n@1", lambda p, c, k: [1.0], limit=1.0)]},
    ):
        with pytest.raises(InputError, match="one an answer"):
            asked(objective(**settings), ["a", "b"])


def test_unknown_is_never_taken_for_harmless() -> None:
    """A cost that cannot be told is an error; where a share is allowed, it moves nothing."""
    held = Constraint("n@1", judged(lambda p, t: None if t == "b" else True), limit=0.1, rate=1.0)
    with pytest.raises(InputError, match="Unknown is never taken for harmless"):
        asked(objective(constraints=[held]), ["a", "b"])
    one = objective(constraints=[held], unscored=0.5)

    assert asked(one, ["a", "b"]) == [1.0, None]
    assert one.told["unscored"] == 0.5
    assert one.told["cost/n@1"] == 1.0


def test_groups_add_up_by_weights_that_follow_the_worst_off() -> None:
    """The group with the lower mean gains weight, within floor and ceiling."""
    groups = Groups({"long": length, "short": lambda p, c, k: [-float(len(t)) for t in c]},
                    rate=0.5, floor=0.1, ceiling=0.9)  # fmt: skip
    one = objective(reward=None, groups=groups)
    assert asked(one, ["a", "bbb"]) == [0.0, 0.0]
    assert one.groups is not None
    moved = one.groups.weights
    for _ in range(50):
        asked(one, ["a", "bbb"])

    assert moved[0] < 0.5 < moved[1]
    assert one.groups.weights == pytest.approx([0.1, 0.9])


def test_a_preference_is_played_against_the_other_answers() -> None:
    """An answer is worth how often it beats the others; earlier ones join with a damping."""
    game = Nash(lambda p, a, b, k: [float(len(x) > len(y)) for x, y in zip(a, b, strict=True)],
                damping=0.5)  # fmt: skip
    one = objective(reward=None, preference=game, generations=3)
    known = columns(["a", "bb", "ccc"]) | {"row": [0, 0, 0]}
    first = one([PROMPT] * 3, ["a", "bb", "ccc"], known)
    again = one([PROMPT] * 3, ["bb", "bbb", "bbbb"], known)

    assert first == [0.0, 0.5, 1.0]
    assert again == pytest.approx([0.5 * 0 + 0.5 / 3, 0.5 * 0.5 + 0.5 * 2 / 3, 1.0])


def test_a_budget_scales_rewards_as_a_larger_beta_would() -> None:
    """Above the budget rewards shrink, below it they come back and never grow."""
    one = objective(budget=Budget(1.0, rate=0.5, window=1))
    assert one.spent is not None
    one.spent.learn(3.0)
    shrunk = asked(one, ["aa", "bb"])
    for _ in range(5):
        one.spent.learn(0.0)

    assert shrunk == pytest.approx([2 / 1.5] * 2)
    assert asked(one, ["aa", "bb"]) == [2.0, 2.0]


def test_a_budget_that_stops_looks_at_a_whole_window() -> None:
    """One noisy step ends nothing; a window above the budget does."""
    one = objective(budget=Budget(1.0, rule="stop", window=2)).spent
    assert one is not None
    one.learn(9.0)
    early = one.over
    one.learn(0.1)

    assert not early
    assert one.over


def test_a_killed_run_goes_on_with_the_same_objective() -> None:
    """State goes through JSON and back; another objective's is refused."""

    def made(norm: str) -> Lagrangian:
        return objective(
            constraints=[Constraint(norm, phrases(["b"]), limit=0.1)],
            groups=Groups({"x": length, "y": length}),
            preference=Nash(lambda p, a, b, k: [0.5] * len(a), damping=0.2),
            budget=Budget(1.0),
        )

    one, other = made("n@1"), made("n@1")
    asked(one, ["aa", "bbb"])
    other.load_state_dict(json.loads(json.dumps(one.state_dict())))

    assert asked(other, ["b", "a"]) == asked(one, ["b", "a"])
    with pytest.raises(InputError, match="n@1"):
        made("o@1").load_state_dict(one.state_dict())


def test_signals_say_what_they_are_named_for() -> None:
    """Scorers, ensembles, cost models, phrases and cut-off answers as numbers."""
    texts, known = ["Não", "a…"], columns(["Não", "a…"])
    prompts = [PROMPT] * 2

    assert scored(ByLength(1))(prompts, texts, known) == [3.0, 2.0]
    assert ensemble([ByLength(1), ByLength(3)])(prompts, texts, known) == [6 - 9, 4 - 4]
    assert ensemble([ByLength(1), ByLength(3)], worst=True)(prompts, texts, known) == [3.0, 2.0]
    assert breach(ByLength(1), threshold=2.5)(prompts, texts, known) == [1.0, 0.0]
    assert breach(ByLength(1), kind="score", threshold=2.5)(prompts, texts, known) == [0.5, -0.5]
    assert phrases(["nao"])(prompts, texts, known) == [1.0, 0.0]
    assert unstopped(prompts, texts, known) == [0.0, 1.0]
    assert standardised(length, mean=1, deviation=2)(prompts, texts, known) == [1.0, 0.5]
    with pytest.raises(ValueError, match="two members"):
        ensemble([ByLength(1)])


class Saying:
    """A model that always says the same two answers."""

    name = "saying"

    def generate(self, prompts: Any, *, n: int = 1, **settings: Any) -> list[list[str]]:
        return [["a", "bbb"] * (n // 2) for _ in prompts]


def test_groups_are_put_on_one_scale_by_the_models_own_answers() -> None:
    """After it each reward has mean 0 and deviation 1 there; one that never differs is refused."""
    asked = [Prompt(scene="s", lang="en", prompt=PROMPT)] * 2
    raw = {"small": length, "large": standardised(length, mean=-7, deviation=0.01)}
    found = on_one_scale(raw, Saying(), asked, seed=0)  # type: ignore[arg-type]
    values = [f([PROMPT] * 2, ["a", "bbb"], {}) for f in found.values()]

    assert values[0] == pytest.approx(values[1])
    assert sum(values[0]) == pytest.approx(0.0)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="rewards that differ"):
        on_one_scale({"flat": lambda p, c, k: [1.0] * len(c)}, Saying(), asked, seed=0)  # type: ignore[arg-type]
