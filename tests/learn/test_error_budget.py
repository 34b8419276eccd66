"""The error budget: what votes leave open, what a model misses, and when nothing is guaranteed."""

from __future__ import annotations

import math
from typing import Any

import pytest

from normwright.learn.error_budget import doubts, error_budget, judged_answers, scores_of
from normwright.records import Message, PairVote, PreferencePair

ANSWERS = ("At nine.", "I cannot say.", "Never.")


def pair(question: str, first: int, second: int, won: int, votes: int) -> PreferencePair:
    """A pair with its single choices."""
    choices = ["chosen"] * won + ["rejected"] * (votes - won)
    return PreferencePair(
        scene=question,
        lang="en",
        prompt=(Message(role="user", content=question),),
        chosen=ANSWERS[first],
        rejected=ANSWERS[second],
        p_chosen=won / votes,
        weight=1.0,
        votes=tuple(PairVote(participant=f"p{i}", choice=c) for i, c in enumerate(choices)),  # type: ignore[arg-type]
        norms=(),
        layer="organisation",
        origin="synthetic",
        process_kind="simulated",
        licence="CC0-1.0",
        family="f",
    )


def full(question: str) -> list[PreferencePair]:
    return [
        pair(question, 0, 1, 30, 40),
        pair(question, 0, 2, 36, 40),
        pair(question, 1, 2, 30, 40),
    ]


def test_votes_of_a_pair_are_counted_and_a_share_is_fitted_back() -> None:
    """Two answers, 30 votes to 10: the score difference is the logit of (30 + 1/2) / 41."""
    judged = judged_answers([pair("q", 0, 1, 30, 40)])[0]
    high, low = scores_of(judged)

    assert judged.wins.tolist() == [[0, 30], [10, 0]]
    assert high - low == pytest.approx(math.log(30.5 / 10.5))


def test_an_untrained_model_is_as_far_off_as_an_even_choice(tiny: Any) -> None:
    """Log-ratios are all zero, so the gap is that of the target from the uniform distribution."""
    pairs = [*full("a"), *full("b")]
    found = error_budget(pairs, tiny, tiny, beta=0.1, seed=0)
    scores = scores_of(judged_answers(pairs)[0])
    target = [math.exp(s) for s in scores]
    target = [t / sum(target) for t in target]
    even = sum(t * math.log(3 * t) for t in target)

    assert found.optimiser.value == pytest.approx(even, rel=1e-6)
    assert found.votes == 240
    assert found.answers == 6
    # Half the variance of a logit times p (1 - p) is 1 / (2 n) for a pair; three pairs of 40 votes.
    assert found.noise.value is not None
    assert 1 / 120 < found.noise.value < 1 / 30


def test_more_votes_leave_less_open(tiny: Any) -> None:
    """Ten times the votes, a tenth of the noise."""
    few = [pair("a", 0, 1, 30, 40), pair("b", 0, 1, 30, 40)]
    many = [pair("a", 0, 1, 300, 400), pair("b", 0, 1, 300, 400)]
    noise = [error_budget(p, tiny, tiny, beta=0.1, seed=0).noise.value for p in (few, many)]

    assert noise[0] is not None
    assert noise[1] is not None
    assert noise[0] / noise[1] == pytest.approx(10, rel=0.1)


def test_what_fails_is_said() -> None:
    """Unknown votes, an answer that won everything, and parts nobody compared are all told."""
    unknown = pair("q", 0, 1, 30, 40).model_copy(update={"votes": ()})

    assert doubts(judged_answers(full("q"))) == ()
    assert doubts(judged_answers([unknown])) == ("votes-unknown",)
    assert doubts(judged_answers([pair("q", 0, 1, 40, 40)])) == ("separable",)


def test_a_budget_without_votes_has_no_total(tiny: Any) -> None:
    """Unknown noise is no noise of zero: the total is unknown too, and nothing is guaranteed."""
    rows = [one.model_copy(update={"votes": ()}) for one in full("a")]
    found = error_budget(rows, tiny, tiny, beta=0.1, seed=0)

    assert found.noise.value is None
    assert found.total is None
    assert not found.guaranteed
