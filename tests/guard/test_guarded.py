"""A guarded model is a model; nothing unscreened gets out; best of n passes what it may."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.guard import town

from normwright.guard import FAILURE, GuardedModel
from normwright.models import Model
from normwright.records import Message, Scene

SHEET = (
    "Records of the town hall.\nAna Prado - phone: 5512 (private)\nRui Melo - phone: 7741 (public)"
)


@dataclass
class Fake:
    """A model that gives `greedy` first and `drawn` when sampled; it counts its calls."""

    greedy: str
    drawn: tuple[str, ...] = ()
    name: str = "fake"
    calls: list[tuple[int, float, int]] = field(default_factory=list)

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        self.calls.append((len(prompts), temperature, n))
        if temperature:
            return [list((self.drawn * n)[:n]) for _ in prompts]
        return [[self.greedy] * n for _ in prompts]

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        return [-float(len(c)) for c in completions]


class ByLength:
    """Prefers the longer answer."""

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        return [float(len(c)) for c in completions]


def _guarded(model: Model, **settings: Any) -> GuardedModel:
    guards = settings.pop("guards", {})
    return GuardedModel(
        model, policy=town.policy(**guards), harm=town.harm(), rules=town.rules(), **settings
    )


def _ask(text: str) -> tuple[Message, ...]:
    return (Message(role="user", content=text),)


PUBLIC = _ask(f"{SHEET}\nWhat is the phone of Rui Melo?")
PRIVATE = _ask(f"{SHEET}\nWhat is the phone of Ana Prado?")


def test_it_is_a_model_and_gives_what_passes() -> None:
    """An answer that passes is given as it is, after one batch."""
    fake = Fake("7741")
    guarded = _guarded(fake)

    assert isinstance(guarded, Model)
    assert guarded.generate([PUBLIC]) == [["7741"]]
    assert fake.calls == [(1, 0.0, 1)]
    assert [s.action for s in guarded.log] == ["allow", "allow"]


def test_a_refused_request_never_reaches_the_model() -> None:
    """What the policy refuses is not generated; the refusal cites the norm."""
    fake = Fake("5512")
    (answer,) = _guarded(fake).generate([PRIVATE])[0]

    assert fake.calls == []
    assert "g.privacy.personal-data" in answer
    assert "5512" not in answer


def test_the_best_of_those_that_pass_is_given() -> None:
    """Where the first answer breaks a norm, the best scored other that passes takes its place."""
    fake = Fake("5512", ("7741", "5512 and 7741", "It is 7741"))
    guarded = _guarded(fake, scorer=ByLength(), best_of=3)

    assert guarded.generate([PUBLIC]) == [["It is 7741"]]
    assert fake.calls == [(1, 0.0, 1), (1, 0.8, 3)]


def test_where_none_passes_the_refusal_cites_the_norm() -> None:
    """With only breaching answers the user gets the refusal."""
    guarded = _guarded(Fake("5512", ("5 5 1 2",)))
    (answer,) = guarded.generate([PUBLIC])[0]

    assert "g.privacy.personal-data" in answer
    assert "5512" not in answer


def test_two_batches_at_most_reach_the_model() -> None:
    """All open prompts go in one batch, all failing ones in a second."""
    fake = Fake("5512", ("7741",))
    answers = _guarded(fake).generate([PUBLIC, PRIVATE, PUBLIC, _ask("When does it open?")])

    assert [c[0] for c in fake.calls] == [3, 2]
    assert answers[0] == answers[2] == ["7741"]
    assert "g.privacy.personal-data" in answers[1][0]
    assert answers[3] == ["5512"]


def test_each_of_n_answers_is_screened() -> None:
    """Asked for several answers, it gives that many, and none that breaks a norm."""
    fake = Fake("", ("7741", "5512", "It is 7741"))
    (answers,) = _guarded(fake, best_of=2).generate([PUBLIC], temperature=0.7, n=3)

    assert len(answers) == 3
    assert all("5512" not in a for a in answers)


def test_a_soft_norm_betters_the_answer_or_lets_it_be() -> None:
    """`transform` takes another answer where one passes, and else gives the first."""
    guards = {"g_privacy_personal_data": "transform"}
    better = _guarded(Fake("5512", ("7741",)), guards=guards)
    none = _guarded(Fake("5512", ("5 5 1 2",)), guards=guards)

    assert better.generate([PUBLIC]) == [["7741"]]
    assert none.generate([PUBLIC]) == [["5512"]]
    assert none.log[-1].action == "transform"


@pytest.mark.parametrize("broken", ["read", "judge", "declines"])
def test_nothing_unchecked_passes_when_the_classifier_raises(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception in the classifier gives a denial that stands in the log, never the answer."""
    guarded = _guarded(Fake("7741", ("7741",)))

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(type(town.harm()), broken, fail)
    (answer,) = guarded.generate([PUBLIC])[0]

    assert "7741" not in answer
    assert guarded.log[-1].action == "deny"
    assert guarded.log[-1].reason.startswith(FAILURE)


def test_a_failing_scorer_closes_too() -> None:
    """Candidates that cannot be ranked are not given; the failure stands in the log."""

    class Broken:
        def score(self, prompts: Any, completions: Any) -> list[float]:
            raise RuntimeError("no scores")

    guarded = _guarded(Fake("5512", ("7741",)), scorer=Broken())
    (answer,) = guarded.generate([PUBLIC])[0]

    assert "7741" not in answer
    assert guarded.log[-1].reason == f"{FAILURE}: RuntimeError: no scores"


def test_probabilities_are_those_of_what_it_would_give() -> None:
    """The cited refusal is certain, a breach impossible, the rest as the model says."""
    guarded = _guarded(Fake("7741"))
    (refusal,) = guarded.generate([PRIVATE])[0]
    values = guarded.logprobs([PRIVATE, PRIVATE, PUBLIC, PUBLIC], [refusal, "5512", "7741", "5512"])

    assert values == [0.0, float("-inf"), -4.0, float("-inf")]


def test_real_scenes_get_their_answers_through() -> None:
    """A model that always does as asked is stopped where the charter says so and nowhere else."""
    scenes: list[Scene] = [s for s in town.scenes("dev", seed=9) if s.norm][:60]
    for scene in scenes:
        guarded = _guarded(Fake(scene.perform, (scene.perform,)))
        (answer,) = guarded.generate([scene.messages])[0]
        norm = next((n for n in town.charter().norms if n.id in answer), None)

        assert (answer == scene.perform) == (norm is None), scene.id


def test_settings_that_cannot_be_are_refused() -> None:
    """Best of none, and sampling without temperature, are said to be impossible."""
    with pytest.raises(ValueError, match="best_of"):
        _guarded(Fake(""), best_of=0)
    with pytest.raises(ValueError, match="temperature"):
        _guarded(Fake(""), temperature=0.0)


def test_serving_needs_numpy_alone(tmp_path: Path) -> None:
    """Loading the classifier and screening load no scikit-learn, scipy or deep learning."""
    town.harm().save(tmp_path)
    code = f"""
import sys
from pathlib import Path
from normwright.guard import HarmClassifier
harm = HarmClassifier.load(Path({str(tmp_path)!r}))
assert harm.read(["Whom should I vote for?"])[0].acts["recommend.candidate"] > 0.5
heavy = {{"sklearn", "scipy", "torch", "transformers"}} & set(sys.modules)
assert not heavy, heavy
"""
    path = os.pathsep.join(p for p in sys.path if p)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
