"""A reward orders what the norms allow, and stops an answer only where it is bound to a norm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.guard.classifiers import fitted

from normwright.guard import Guard, GuardedModel, Reward
from normwright.guard.embedded import policy
from normwright.guard.rewards import turns_of
from normwright.models import ScriptedModel
from normwright.models.rewards import open_reward
from normwright.records import Exchange, InputError, Message, Utterance


@dataclass(frozen=True)
class Four(ScriptedModel):
    """A model that draws from a list of answers."""

    def __init__(self, drawn: Sequence[str]) -> None:
        super().__init__("four", lambda prompt: drawn[0])
        object.__setattr__(self, "drawn", drawn)

    def generate(self, prompts: Sequence[Sequence[Message]], **how: Any) -> list[list[str]]:
        """Return the first of the list."""
        assert how["temperature"] > 0
        drawn: Sequence[str] = self.drawn  # type: ignore[attr-defined]
        return [list(drawn[: how["n"]]) for _ in prompts]


NORM = "g.dignity.no-insults"
ASKED = Exchange(utterances=(Utterance(role="user", text="When?", where="messages[0].content"),))


class Lengths:
    """Scores an answer by its length, and counts what it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return lengths."""
        self.asked += len(completions)
        return [float("nan") if c == "nothing" else float(len(c)) for c in completions]


def reward(*, norm: str | None = NORM, least: float | None = 10.0) -> Reward:
    """Return a reward by length."""
    return Reward(Lengths(), "lengths", "sha256:0", norm=norm, least=least)


def answered(text: str) -> Exchange:
    """Return the exchange with an answer."""
    return ASKED.model_copy(update={"answer": text})


def test_a_low_score_cites_the_norm_it_is_bound_to() -> None:
    """The refusal rests on that norm, by the classifier, with the probability of the score."""
    guard = Guard(policy(), reward=reward())

    low, even, high = (
        guard.screen(answered(t)) for t in ("At nine", "At nine ok", "At nine today")
    )
    assert (low.action, [n.id for n in low.norms], low.check) == ("refuse", [NORM], "reward")
    assert low.scores["reward"] == round(1 / (1 + 2.718281828459045**-3), 4)
    assert even.action == "refuse"
    assert even.scores["reward"] == 0.5
    assert high.action == "allow"
    assert 0 < high.scores["reward"] < 0.5
    assert "reward:lengths" in low.seen


@pytest.mark.parametrize("norm", [n.id for n in policy().charter.norms])
def test_it_can_be_bound_to_any_norm_that_binds_answers(norm: str) -> None:
    """Whatever its condition names is taken from the norm's own worked breach; never a guess."""
    found = Guard(policy(), reward=reward(norm=norm)).screen(answered("low"))

    cited = [n.id for n in found.norms]
    # Two of them hang on facts that no reward knows, and are asked about.
    assert found.action in ("refuse", "ask")
    assert norm in cited


def test_it_says_nothing_about_what_people_say_and_nothing_unbound() -> None:
    """A question has no score; a reward that only orders stops nothing and is not run."""
    bound, free = (
        Guard(policy(), reward=reward()),
        Guard(policy(), reward=reward(norm=None, least=None)),
    )

    assert bound.screen(ASKED).scores["reward"] == 0.0
    assert free.screen(answered("low")).action == "allow"
    assert "reward" not in free.checks
    assert "reward" in bound.checks
    with pytest.raises(InputError, match="no-insults"):
        Guard(policy(), reward=reward(norm="g.none"))
    with pytest.raises(ValueError, match="together"):
        reward(norm=None)


def test_a_reward_that_fails_denies() -> None:
    """No number is no pass: the check is named as one that did not run."""
    found = Guard(policy(), reward=reward()).screen(answered("nothing"))

    assert (found.action, found.degraded) == ("deny", ("reward: ValueError",))


def test_scores_are_asked_once_for_an_answer() -> None:
    """Ordering and checking ask for the same score, and the model is run once."""
    one = reward()
    one.scores(answered("x"), ["a", "bb", "a"])
    Guard(policy(), reward=one).screen(answered("bb"))

    assert one.scorer.asked == 2  # type: ignore[attr-defined]


def test_turns_leave_out_what_nobody_said() -> None:
    """Parts of a message are one turn; names and tools are none."""
    said = [("user", "messages[0].name", "Ana"), ("user", "messages[0].content[0].text", "Hi"),
            ("user", "messages[0].content[1].text", "there"), ("tool", "messages[1].content", "7"),
            ("developer", "tools[0].function.name", "add")]  # fmt: skip
    exchange = Exchange(
        utterances=tuple(Utterance(role=r, text=t, where=w) for r, w, t in said)  # type: ignore[arg-type]
    )

    assert [(m.role, m.content) for m in turns_of(exchange)] == [
        ("user", "Hi\nthere"),
        ("user", "7"),
    ]


def test_a_guarded_model_gives_the_best_that_is_allowed(tmp_path: Path) -> None:
    """A trained classifier orders; what a norm stops is not given, however well it scores."""
    found = open_reward(fitted(tmp_path))
    drawn = ["no idiot", "it opens at nine", "Women are stupid, please come, welcome today", "it"]
    prompt = [Message(role="user", content="When is it?")]
    rank = dict(zip(drawn, found.score([prompt] * 4, drawn), strict=True))
    best = GuardedModel(Four(drawn), policy(), reward=Reward(found, found.name, found.digest))

    [[one]] = best.generate([prompt])
    [two] = best.generate([prompt], n=2)
    allowed = sorted((d for d in drawn if "stupid" not in d), key=lambda d: -rank[d])
    assert (one, two) == (allowed[0], allowed[:2])
    assert rank["no idiot"] < rank["it opens at nine"]
    assert best.verdicts[-1].answer is not None


def test_where_none_is_allowed_the_norm_is_cited() -> None:
    """All under the least: the refusal that the policy has for the bound norm, and no answer."""
    best = GuardedModel(Four(["a", "bb", "ccc", "dddd"]), policy(), reward=reward())

    [[told]] = best.generate([[Message(role="user", content="When?")]])
    assert told not in ("a", "bb", "ccc", "dddd")
    assert NORM in best.log[-1].norms[0]


def test_a_reward_that_cannot_order_gives_no_answer() -> None:
    """What was to be chosen from is not given blindly."""
    best = GuardedModel(
        Four(["nothing", "b", "c", "d"]), policy(), reward=reward(norm=None, least=None)
    )

    [[told]] = best.generate([[Message(role="user", content="When?")]])
    assert told not in ("nothing", "b", "c", "d")
    assert best.verdicts[-1].degraded == ("reward: ValueError",)
