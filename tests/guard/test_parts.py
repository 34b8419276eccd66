"""A verdict names what decided it: other weights, thresholds or patterns, another digest."""

from __future__ import annotations

from dataclasses import replace

from tests.guard.test_rewards import reward

from normwright.guard import Guard, GuardSettings
from normwright.guard.embedded import detectors, policy
from normwright.guard.text_harm import TextHarm
from normwright.models.judges import open_judge
from normwright.records import Exchange

ANSWER = Exchange(utterances=(), answer="The market opens at nine.")


def test_the_same_guard_has_the_same_digest_and_its_verdicts_name_it() -> None:
    """Made anew it is the same; verdicts on what could not be read name it too."""
    one, two = Guard(policy()), Guard(policy())

    assert one.decided_by == two.decided_by == one.screen(ANSWER).decided_by
    assert one.failed(ANSWER, ("x",)).decided_by == one.decided_by
    assert one.parts["classifier"] == TextHarm.embedded().digest


def changed() -> dict[str, Guard]:
    """Return guards of the same policy, of which each has something else in it."""
    harm = TextHarm.embedded()
    weights = harm.weights.copy()
    weights.flat[0] += 1
    own = detectors()
    pattern = replace(own.patterns[0], chance=0.123)
    signal = replace(own.signals["harm.hate"], threshold=0.123)
    return {
        "weights": Guard(policy(), harm=replace(harm, weights=weights)),
        "no classifier": Guard(policy(), harm=None),
        "pattern": Guard(policy(), detectors=replace(own, patterns=(pattern, *own.patterns[1:]))),
        "signal": Guard(
            policy(), detectors=replace(own, signals={**own.signals, "harm.hate": signal})
        ),
        "threshold": Guard(policy(), settings=GuardSettings(thresholds={"harm.hate": 0.123})),
        "by language": Guard(
            policy(), settings=GuardSettings(thresholds={"harm.hate": {"en": 0.123}})
        ),
        "checks": Guard(policy(), checks=["harm"]),
        "reward": Guard(policy(), reward=reward(norm=None, least=None)),
        "bound": Guard(policy(), reward=reward()),
        "least": Guard(policy(), reward=reward(least=11.0)),
        "judge": Guard(policy(), judge=open_judge("http://127.0.0.1:9/v1", model="a")),
        "other judge": Guard(policy(), judge=open_judge("http://127.0.0.1:9/v1", model="b")),
    }


def test_whatever_is_changed_is_seen() -> None:
    """No two of a dozen guards under one policy have the same digest; the policy's is the same."""
    guards = {"as it ships": Guard(policy()), **changed()}

    assert len({g.decided_by for g in guards.values()}) == len(guards)
    assert len({g.policy.digest for g in guards.values()}) == 1


def test_fitted_heads_are_named() -> None:
    """The heads of a project's own scenes count among what decides."""
    from tests.guard.town import harm, rules
    from tests.guard.town import policy as town

    from normwright.guard import Screener
    from normwright.guard.parts import scenes_digest

    one = Screener(town(), harm(), rules())
    other = Screener(town(), replace(harm(), bias=harm().bias + 1), rules())

    assert Guard(town(), scenes=one).decided_by != Guard(town(), scenes=other).decided_by
    assert scenes_digest(one) != scenes_digest(other)
    assert scenes_digest(one) == scenes_digest(one)
