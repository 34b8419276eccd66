"""Judged pairs: right shares and distances, human ceilings by hand, and no gain for a constant."""

from __future__ import annotations

import gzip
import json
import math
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from tests.evaluate.test_contrast_sets import Worded

from normwright import plugins
from normwright.evaluate import human_agreement, measure_judged_pairs
from normwright.records import Contrast, InputError, JudgedPair, Measurement, Message, digest_bytes
from normwright.release.evidence import SUITES

DIGEST = digest_bytes(b"weights")
ROLES = ("base", "tuned", "aligned", "reward")


def pair(i: int, votes: tuple[int, int, int] = (1, 0, 0), **changed: Any) -> JudgedPair:
    """A pair whose first answer is good."""
    return JudgedPair(**{
        "id": f"p{i}", "source": "set", "lang": "en", "first": f"good {i}", "second": f"worse {i}",
        "prompt": (Message(role="user", content=f"ask {i}"),), "prefer_first": votes[0],
        "prefer_second": votes[1], "ties": votes[2], "cluster": f"c{i}", "licence": "MIT",
        **changed,
    })  # fmt: skip


def turned(one: JudgedPair) -> JudgedPair:
    """The same pair with its answers swapped."""
    return one.model_copy(update={
        "first": one.second, "second": one.first,
        "prefer_first": one.prefer_second, "prefer_second": one.prefer_first,
    })  # fmt: skip


def run(pairs: list[JudgedPair], **changed: Any) -> list[Measurement | Contrast]:
    """Measure a base that holds all alike and an aligned model that likes `good`."""
    given: dict[str, Any] = {
        "models": {
            "base": Worded(lambda p, t: -2.0),
            "aligned": Worded(lambda p, t: -1.0 if t.startswith("good") else -3.0),
        },
        "scorer": None,
        "reference": "base",
        "digests": dict.fromkeys(ROLES, DIGEST),
        "fits": lambda prompt, text: len(text) <= 100,
        "seed": 5,
        **changed,
    }
    return measure_judged_pairs(pairs, given.pop("models"), given.pop("scorer"), **given)


def measured(pairs: list[JudgedPair], **changed: Any) -> dict[tuple[str, str], Measurement]:
    """Measurements by metric and role."""
    return {(m.metric, m.model): m for m in run(pairs, **changed) if isinstance(m, Measurement)}


def mixed(n: int = 40, seed: int = 0) -> list[JudgedPair]:
    """Pairs with the good answer on either side, three people each, who mostly prefer it."""
    rng = random.Random(seed)
    votes = [rng.choice([(3, 0, 0), (2, 1, 0), (2, 0, 1), (1, 2, 0)]) for _ in range(n)]
    made = [pair(i, v, cluster=f"c{i // 2}") for i, v in enumerate(votes)]
    return [turned(p) if rng.random() < 0.5 else p for p in made]


def test_the_three_ways_and_the_scorer() -> None:
    """Implicit reward is what was gained over the reference; the reference itself has one half."""
    seen = measured([pair(i) for i in range(20)], scorer=Worded(lambda p, t: float("good" in t)))

    assert {k for k in seen if k[0].count("/") == 1} == {
        ("set/implicit", "aligned"), ("set/implicit_norm", "aligned"),
        ("set/likelihood_norm", "aligned"), ("set/likelihood_norm", "base"),
        ("set/score", "reward"),
    }  # fmt: skip
    for way in (("set/implicit", "aligned"), ("set/score", "reward")):
        assert (seen[way].estimate.value, seen[way].count, seen[way].estimate.n) == (1.0, 20, 20)
        assert seen[way].details["degenerate"] is False
    # The base holds both alike in sum, so a byte the longer one is held likelier: the worse one.
    base = seen["set/likelihood_norm", "base"]
    assert base.estimate.value == base.baselines["longer-wins"] == 0.0
    assert base.details["consistent_with"] == ["constant", "longer-wins"]
    assert seen["set/implicit", "aligned"].details["constants"]["longer-wins"]["difference"] == 1


def test_distances_against_the_shares_of_votes() -> None:
    """Brier and log-loss are those of the logistic margin, weighted by people; ties are half."""
    pairs, beta = mixed(), 0.5
    seen = measured(pairs, beta=beta)
    signs = np.array([1.0 if p.first.startswith("good") else -1.0 for p in pairs])
    p = expit(beta * 2.0 * signs)
    people = np.array([3.0] * len(pairs))
    share = np.array([(x.prefer_first + x.ties / 2) / 3 for x in pairs])
    brier, loss = seen["set/implicit/brier", "aligned"], seen["set/implicit/log-loss", "aligned"]

    assert brier.estimate.value == pytest.approx(np.average((p - share) ** 2, weights=people))
    assert loss.estimate.value == pytest.approx(
        np.average(-share * np.log(p) - (1 - share) * np.log(1 - p), weights=people)
    )
    assert loss.baselines["constant"] == pytest.approx(math.log(2))
    assert brier.baselines["best-possible"] == pytest.approx(0)
    assert loss.baselines["best-possible"] < loss.baselines["base-rate"] <= math.log(2)
    assert (brier.estimate.n, brier.details["people"]) == (20, 120)


def test_people_count_as_often_as_they_are() -> None:
    """A pair that nine judged weighs nine times one that a single person judged."""
    one, nine = pair(0, (0, 1, 0)), pair(1, (9, 0, 0))
    found = measured([one, nine], beta=1.0)["set/implicit/brier", "aligned"]
    p = float(expit(2.0))

    assert found.estimate.value == pytest.approx((p**2 + 9 * (p - 1) ** 2) / 10)


def test_the_human_ceiling_by_hand() -> None:
    """Each person is left out in turn; a tied majority of the others counts half."""
    pairs = [pair(0, (3, 0, 0)), pair(1, (2, 1, 0)), pair(2, (2, 0, 1)), pair(3, (1, 0, 0))]
    (found,) = human_agreement(pairs, {}, seed=0)
    # 3:0 all agree; 2:1 two meet a tie, one stands against two; 2:0:1 two meet 1:0, one has none.
    by_hand = [1.0, (0.5 + 0.5 + 0.0) / 3, (1.0 + 1.0 + 0.5) / 3]

    assert found.estimate.value == pytest.approx(sum(by_hand) / 3)
    assert (found.model, found.details["pairs"], found.details["people"]) == ("people", 3, 9)
    assert found.estimate.interval is not None
    assert human_agreement([pair(0, (1, 0, 0))], {}, seed=0) == []


@pytest.mark.data
def test_the_human_ceiling_of_three_annotators(data_dir: Path) -> None:
    """On real triples the counts give what leaving each annotator out of the rows gives."""
    packed = (data_dir / "preferences/pandalm_3annotators.jsonl.gz").read_bytes()
    rows = [json.loads(line) for line in gzip.decompress(packed).decode().splitlines()]
    pairs, slow = [], []
    for row in rows:
        said = [row[f"annotator{k}"] for k in (1, 2, 3)]
        pairs.append(pair(row["idx"], (said.count(1), said.count(2), said.count(0))))
        for k, own in enumerate(said):
            others = [v for j, v in enumerate(said) if j != k]
            ahead = others.count(1) - others.count(2)
            majority = 1 if ahead > 0 else 2 if ahead < 0 else None
            slow.append(0.5 if own == 0 or majority is None else float(own == majority))
    (found,) = human_agreement(pairs, {}, seed=0)

    assert found.estimate.n == len(rows) > 700
    assert found.estimate.value == pytest.approx(sum(slow) / len(slow))
    assert 0.7 < (found.estimate.value or 0) < 0.95


def test_a_model_is_held_to_the_rule_of_people() -> None:
    """What a model has as one of the people is one half if it decides nothing, as for a person."""
    seen = measured(mixed())
    (people,) = [m for (metric, _), m in seen.items() if metric == "set/human-agreement"]
    flat = measured(mixed(), models={"base": Worded(lambda p, t: -1.0)}, reference=None,
                    tokens=lambda t: 1)  # fmt: skip

    assert flat["set/likelihood_norm", "base"].details["as_a_person"] == 0.5
    assert 0.5 < seen["set/implicit", "aligned"].details["as_a_person"] <= 1
    assert people.estimate.value is not None


def test_a_constant_is_flagged_and_has_one_half() -> None:
    """Who holds all alike has exactly 0.5 on either layout, with an interval, and is degenerate."""
    flat = Worded(lambda p, t: 7.0)
    for pairs in (mixed(), [pair(i) for i in range(20)]):
        found = measured(pairs, models={}, reference=None, scorer=flat)["set/score", "reward"]
        assert found.estimate.value == found.baselines["constant"] == 0.5
        assert found.details["degenerate"] is True
        assert found.details["ties"] == found.details["asked"] - found.details["without_majority"]
        assert found.estimate.interval is not None


def test_equal_losses_bound_nothing() -> None:
    """A constant's log-loss is ln 2 without an interval: a loss has no greatest value."""
    flat = Worded(lambda p, t: 7.0)
    found = measured(mixed(), models={}, reference=None, scorer=flat)
    loss = found["set/score/log-loss", "reward"].estimate

    assert loss.value == pytest.approx(math.log(2))
    assert loss.interval is None
    assert found["set/score/brier", "reward"].estimate.interval is not None


def test_a_layout_is_no_rule() -> None:
    """Where the preferred answer always stands first, place and base rate are not held against."""
    first = measured([pair(i) for i in range(20)])["set/implicit", "aligned"]
    both = measured(mixed())["set/implicit", "aligned"]

    assert "first-position" not in first.baselines
    assert 0 < both.baselines["first-position"] < 1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 25))
def test_swapping_answers_changes_nothing(seed: int, n: int) -> None:
    """Shares, distances and ceilings do not depend on which answer is called the first."""
    pairs = mixed(n, seed)
    one, other = measured(pairs), measured([turned(p) for p in pairs])

    assert one.keys() == other.keys()
    for key, found in one.items():
        assert found.estimate.value == pytest.approx(other[key].estimate.value)


def test_pairs_without_a_majority() -> None:
    """An even split counts for no share, and for distances; alone it gives no share at all."""
    seen = measured([pair(0, (1, 1, 0)), pair(1, (0, 0, 2)), pair(2)])
    none = measured([pair(0, (1, 1, 0))])

    assert seen["set/implicit", "aligned"].details["without_majority"] == 2
    assert seen["set/implicit", "aligned"].estimate.n == 1
    assert seen["set/implicit/brier", "aligned"].details["people"] == 5
    assert ("set/implicit", "aligned") not in none
    assert ("set/implicit/brier", "aligned") in none


def test_infinite_and_unknown_margins() -> None:
    """Two impossible answers are held alike and unknown; a certain error has no finite loss."""

    def said(prompt: str, text: str) -> float:
        return -math.inf if text.startswith("good") or prompt == "ask 0" else -1.0

    models = {"base": Worded(lambda p, t: -1.0), "tuned": Worded(said)}
    seen = measured([pair(i) for i in range(3)], models=models)
    share, loss = seen["set/implicit", "tuned"], seen["set/implicit/log-loss", "tuned"]

    assert share.estimate.value == pytest.approx(1 / 6)
    assert (loss.estimate.value, loss.details["infinite"], loss.details["unknown"]) == (None, 2, 1)
    assert seen["set/implicit/brier", "tuned"].estimate.value == 1


def test_sources_and_languages_stand_apart() -> None:
    """Every source and language has its own numbers, and their n add up to all pairs."""
    pairs = [pair(i, source=s, lang=lang, id=f"{lang}{i}") for s in ("a", "b")
             for lang in ("en", "pt") for i in range(5)]  # fmt: skip
    found = [m for m in run(pairs) if isinstance(m, Measurement)]
    shares = [m for m in found if m.metric.endswith("/implicit")]

    assert [(m.metric, m.lang, m.estimate.n) for m in shares] == [
        ("a/implicit", "en", 5), ("a/implicit", "pt", 5),
        ("b/implicit", "en", 5), ("b/implicit", "pt", 5),
    ]  # fmt: skip


def test_the_sample_is_the_seeds_and_long_pairs_are_counted() -> None:
    """The same seed asks the same pairs; what does not fit is left out whole, and said."""
    pairs = [*(pair(i) for i in range(30)), pair(99, second="x" * 200)]
    one, same, other = (run(pairs, limit=10, seed=s) for s in (1, 1, 2))
    whole = measured(pairs)["set/implicit", "aligned"]

    assert [m.digest for m in one] == [m.digest for m in same]
    assert [m.digest for m in one] != [m.digest for m in other]
    assert (whole.details["too_long"], whole.details["rows"], whole.details["asked"]) == (1, 31, 30)
    assert whole.details["licences"] == ["MIT"]


def test_models_are_compared_pair_by_pair() -> None:
    """Aligned less tuned and base, with McNemar's count of the pairs on which they differ."""
    good = Worded(lambda p, t: -1.0 if t.startswith("good") else -3.0)
    models = {"base": Worded(lambda p, t: -2.0), "tuned": good, "aligned": good}
    found = [c for c in run(mixed(), models=models) if isinstance(c, Contrast)]
    by = {(c.worse, c.made_by.parameters["metric"]): c for c in found if c.made_by}

    assert set(by) == {
        ("tuned", "set/implicit"), ("tuned", "set/implicit_norm"),
        ("tuned", "set/likelihood_norm"), ("base", "set/likelihood_norm"),
    }  # fmt: skip
    assert by["tuned", "set/implicit"].difference.value == 0
    assert by["tuned", "set/implicit"].p_value == 1
    assert by["base", "set/likelihood_norm"].difference.n == 20


def test_progress_tells_every_source_and_role() -> None:
    """Numbers go up by one to the total, also where no pair of a source fits."""
    told: list[tuple[int, int, str]] = []
    pairs = [pair(0), pair(1, source="z", first="y" * 200)]
    run(pairs, scorer=Worded(lambda p, t: 1.0), progress=lambda *x: told.append(x))

    assert told[0] == (0, 6, "set, en, base")
    assert told[-1] == (6, 6, "")
    assert all(a[0] < b[0] for a, b in pairwise(told))


def test_all_faults_at_once() -> None:
    """Pairs named twice or judged by nobody are named; no pairs, digests or reference: refused."""
    with pytest.raises(InputError) as caught:
        run([pair(0), pair(0), pair(1, (0, 0, 0))])
    with pytest.raises(InputError, match="judged pairs"):
        run([])
    with pytest.raises(ValueError, match="reference"):
        run([pair(0)], reference="nobody")
    with pytest.raises(ValueError, match="aligned"):
        run([pair(0)], digests={"base": DIGEST})

    assert [f.where for f in caught.value.faults] == ["set/p0", "set/p1"]


def test_the_suite_is_a_plug_in_that_decides_nothing() -> None:
    """It has a card; no criterion may name it."""
    assert "judged-pairs" in {c.name for c in plugins.cards("suites")}
    assert "judged-pairs" not in SUITES
