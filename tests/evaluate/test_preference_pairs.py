"""The suite on judged pairs: constants, swaps, planted shortcuts, calibration, clusters."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from normwright.evaluate import clusters_of, folds_of, preference_pairs
from normwright.evaluate.preference_pairs import calibration_error, fit_length, fit_words
from normwright.records import InputError, Message, PreferencePair

WORDS = ("river", "stone", "market", "garden", "letter", "window", "harbour", "winter")


def pair(
    chosen: str,
    rejected: str,
    *,
    asked: str = "q",
    p: float = 1.0,
    lang: str = "en",
    family: str | None = None,
    group: str | None = None,
    weight: float = 1.0,
) -> PreferencePair:
    return PreferencePair(
        scene=asked, lang=lang, prompt=(Message(role="user", content=asked),), chosen=chosen,
        rejected=rejected, p_chosen=p, weight=weight, group=group, norms=("kind@1",),
        layer="organisation", origin="human", process_kind="human", licence="MIT",
        family=family or asked,
    )  # fmt: skip


def drawn(n: int, *, seed: int = 0) -> list[PreferencePair]:
    """Pairs whose better answer has the word `sorry`, in about five of six."""
    rng = random.Random(seed)
    rows = []
    for i in range(n):
        first, second = (" ".join(rng.choices(WORDS, k=6)) for _ in range(2))
        kind = f"{first} sorry", f"{second} indeed"
        better, worse = kind if rng.random() < 0.85 else kind[::-1]
        rows.append(pair(better, worse, asked=f"question {i}", lang="en" if i % 2 else "pt",
                         group="north" if i % 3 else "south"))  # fmt: skip
    return rows


def swapped(one: PreferencePair) -> PreferencePair:
    return one.model_copy(
        update={"chosen": one.rejected, "rejected": one.chosen, "p_chosen": 1 - one.p_chosen}
    )


def test_a_constant_has_one_half() -> None:
    """A model that scores every answer alike has one half, and no more than chance anywhere."""
    found = preference_pairs(drawn(60), [0.0] * 60, seed=0)

    assert found.accuracy.value == 0.5
    assert found.ties == 60
    assert found.ece is not None
    assert found.ece == pytest.approx(0.0)
    assert found.log_loss is not None
    assert found.log_loss.value == pytest.approx(math.log(2))


def test_swapping_the_answers_changes_nothing() -> None:
    """Which answer stands first, in whichever pairs, moves no figure of the model or a baseline."""
    pairs = drawn(80)
    margins = [random.Random(i).gauss(0.3, 1) for i in range(80)]
    turned = [swapped(p) if i % 3 == 0 else p for i, p in enumerate(pairs)]
    other = [-m if i % 3 == 0 else m for i, m in enumerate(margins)]
    one, two = (
        preference_pairs(p, m, seed=1).as_json() for p, m in ((pairs, margins), (turned, other))
    )

    for name in ("accuracy", "interval", "ece", "length_baseline", "length_matched", "by"):
        assert one[name] == pytest.approx(two[name]) if name == "ece" else one[name] == two[name]
    assert one["bag_of_words_baseline"] == pytest.approx(two["bag_of_words_baseline"], abs=0.02)


def test_a_planted_word_is_found_and_a_perfect_model_beats_it() -> None:
    """The bag of words learns a word that tells; who knows more is ahead by a paired interval."""
    pairs = drawn(240)
    found = preference_pairs(pairs, [1.0] * 240, seed=0)
    rule = found.baselines["bag-of-words"]

    assert found.accuracy.value == 1.0
    assert rule.accuracy.value == pytest.approx(0.85, abs=0.06)
    assert rule.beaten
    assert "cross" not in rule.fitted_on
    assert sum(rule.chosen.values()) == 5


def test_noise_beats_no_baseline() -> None:
    """Scores without meaning are ahead of nothing, however many pairs there are."""
    pairs = drawn(240)
    rng = random.Random(5)
    found = preference_pairs(pairs, [rng.gauss(0, 1) for _ in pairs], seed=0)

    assert not any(rule.beaten for rule in found.baselines.values())
    assert found.ece is not None
    assert found.ece > 0.1


def test_a_gain_in_log_loss_tells_knowing_more_from_guessing_louder() -> None:
    """Who knows the odds is ahead in log-loss; who says them a thousandfold is behind."""
    rng = random.Random(4)
    pairs, odds = [], []
    for i in range(400):
        z = rng.choice((-2.0, -1.0, 1.0, 2.0))
        texts = [" ".join(rng.choices(WORDS, k=6)) for _ in range(2)]
        better, worse = texts if rng.random() < 1 / (1 + math.exp(-z)) else texts[::-1]
        odds.append(z if better == texts[0] else -z)
        pairs.append(pair(better, worse, asked=f"q{i}"))
    knows, shouts = (preference_pairs(pairs, [k * z for z in odds], seed=0) for k in (1, 1000))
    gain, lost = (found.baselines["bag-of-words"].gain for found in (knows, shouts))
    theirs = knows.baselines["bag-of-words"].log_loss

    assert knows.accuracy == shouts.accuracy
    assert knows.baselines["length"].gain is None
    assert gain is not None
    assert gain.interval is not None
    assert gain.value is not None
    assert gain.interval.low > 0
    assert lost is not None
    assert lost.interval is not None
    assert lost.interval.high < 0
    assert theirs is not None
    assert theirs.value is not None
    assert knows.log_loss is not None
    assert knows.log_loss.value is not None
    assert gain.value == pytest.approx(theirs.value - knows.log_loss.value)


def test_baselines_are_fitted_on_the_training_pairs_where_those_are_given() -> None:
    """Training pairs with the opposite word make the bag of words worse than chance here."""
    pairs = drawn(120)
    found = preference_pairs(
        pairs, [1.0] * 120, fitted_on=[swapped(p).model_copy(update={"p_chosen": 1.0})
                                       for p in drawn(120, seed=9)], seed=0,
    )  # fmt: skip

    assert found.as_json()["bag_of_words_baseline"] < 0.3
    assert found.baselines["bag-of-words"].fitted_on == "120 training pairs"


def test_pure_noise_gives_a_cross_validated_bag_chance() -> None:
    """A bag fitted on the pair it is asked about would do better than chance on coin tosses."""
    rng = random.Random(2)
    rows = [pair(" ".join(rng.choices(WORDS, k=8)), " ".join(rng.choices(WORDS, k=8)),
                 asked=f"q{i}") for i in range(200)]  # fmt: skip
    value = preference_pairs(rows, [0.0] * 200, seed=0).as_json()["bag_of_words_baseline"]

    assert abs(value - 0.5) < 0.12


def test_length_matched_accuracy_of_a_length_rule_is_one_half() -> None:
    """Who only counts characters has exactly one half once long and short weigh alike."""
    rows = [pair("a long answer indeed", "short", asked=f"q{i}") for i in range(30)]
    rows += [pair("short", "a long answer indeed", asked=f"r{i}") for i in range(10)]
    found = preference_pairs(rows, [len(r.chosen) - len(r.rejected) for r in rows], seed=0)

    assert found.accuracy.value == 0.75
    assert found.length_matched.value == pytest.approx(0.5)
    assert fit_length(rows).name == "longer"
    assert found.baselines["length"].accuracy.value == 0.75


def test_calibration_is_measured_against_shares() -> None:
    """Logits of the shares themselves are calibrated; ten times as sure ones are not."""
    shares = np.random.default_rng(0).uniform(0.05, 0.95, 500)
    logits = np.log(shares / (1 - shares))

    assert calibration_error(logits, shares, np.ones(500)) < 0.01
    assert calibration_error(10 * logits, shares, np.ones(500)) > 0.15
    assert calibration_error(-logits, 1 - shares, np.ones(500)) == pytest.approx(
        calibration_error(logits, shares, np.ones(500))
    )


def test_pairs_without_a_majority_count_for_calibration_alone() -> None:
    """A tied pair is no right or wrong answer."""
    rows = [*drawn(40), *(pair("one", "two", asked=f"tie {i}", p=0.5) for i in range(10))]
    found = preference_pairs(rows, [1.0] * 50, seed=0)

    assert (found.n, found.pairs) == (40, 50)
    assert found.brier is not None


def test_parts_have_their_own_figures() -> None:
    """Languages, groups, norms and lengths each have n, accuracy and interval."""
    by = preference_pairs(drawn(60), [1.0] * 60, seed=0).as_json()["by"]

    assert set(by) == {"group", "lang", "length", "norm"}
    assert by["lang"]["pt"]["n"] == 30
    assert by["group"]["north"]["accuracy"] == 1.0
    assert by["norm"]["kind@1"]["n"] == 60


def test_clusters_join_turns_and_families() -> None:
    """One first turn in other letters, or one family, is one cluster, also by way of a third."""
    rows = [
        pair("a", "b", asked="Hello there", family="one"),
        pair("a", "b", asked="hello  THERE", family="two"),
        pair("a", "b", asked="Olá", family="two"),
        pair("a", "b", asked="other", family="three"),
    ]
    names = clusters_of(rows)

    assert names[0] == names[1] == names[2] != names[3]
    fold = folds_of(names, folds=2, seed=0)
    assert len(set(fold[:3].tolist())) == 1
    assert sorted(np.bincount(fold).tolist()) == [1, 3]


def test_unusable_input_is_told_at_once() -> None:
    """No number, no majority, too few prompts: one error with all of them."""
    with pytest.raises(InputError, match="nan") as error:
        preference_pairs([pair("a", "b", p=0.5)], [math.nan], seed=0)

    assert len(error.value.faults) == 3


def test_answers_without_a_word_in_common_teach_a_bag_nothing() -> None:
    """A bag without units scores alike instead of failing."""
    some = [pair("x", "y", asked="one")]

    assert fit_words(some, seed=0).margins(some).tolist() == [0.0]
