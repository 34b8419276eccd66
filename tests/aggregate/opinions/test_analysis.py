"""The whole analysis finds camps, claims none where there are none, and says why."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.opinions.made import independent, line, planted, profile_of

from normwright.aggregate import Profile, opinion_analysis
from normwright.aggregate.opinions import analysis as room
from normwright.aggregate.opinions import evidence
from normwright.aggregate.opinions.analysis import PIPELINES, Pipeline
from normwright.records import InputError
from normwright.stats import adjusted_rand


@pytest.fixture(autouse=True)
def _few_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nineteen permutations, the fewest that can tell at 5 %: here the p-value is not the point."""
    monkeypatch.setattr(evidence, "PERMUTATIONS", 19)


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("sizes", [(60, 40), (50, 40, 30)])
def test_planted_groups_are_supported(pipeline: Pipeline, sizes: tuple[int, ...]) -> None:
    """Groups that were put there come back, largest first, with what speaks for them."""
    profile, truth = planted(1, sizes)
    found = opinion_analysis(profile, pipeline=pipeline, rounds=15)

    assert found.verdict == "groups"
    assert found.supported
    assert adjusted_rand(found.labels, truth[found.people]) > 0.9
    assert list(found.sizes) == sorted(found.sizes, reverse=True)
    assert found.null_p == pytest.approx(0.05)
    assert found.split is not None
    assert found.split.stability is not None
    assert found.split.stability.value is not None
    assert found.split.stability.value > 0.9
    assert found.split.gap_p is not None
    assert found.split.gap_p < 0.0125
    for share, size in zip(found.shares, found.sizes, strict=True):
        assert share.interval is not None
        assert share.interval.low < size / len(found.people) < share.interval.high
    assert all(len(statements) > 0 for statements in found.representative)


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("seed", range(3))
def test_no_groups_in_independent_votes(pipeline: Pipeline, seed: int) -> None:
    """Votes that know nothing of each other hold no groups, and everybody is one."""
    found = opinion_analysis(independent(seed), pipeline=pipeline, seed=seed, rounds=10)

    assert not found.supported
    assert found.reason.startswith("No groups")
    assert found.k == 1
    assert (found.labels == 0).all()
    assert found.shared_top == 10


def test_a_continuum_is_no_groups() -> None:
    """People along a line are cut alike again and again, and are told to be a spectrum."""
    found = opinion_analysis(line(0), rounds=10)

    assert found.verdict == "spectrum"
    assert not found.supported
    assert found.split is not None
    assert found.split.stability is not None
    assert (found.split.stability.value or 0) > 0.75
    assert found.k == found.split.k


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_rate_of_false_groups(pipeline: Pipeline) -> None:
    """Of forty independent and forty continuous electorates at most four each get groups."""
    for make in (independent, line):
        claimed = [
            opinion_analysis(make(seed), pipeline=pipeline, seed=seed, rounds=10).supported
            for seed in range(100, 140)
        ]
        assert sum(claimed) <= 4


@given(st.integers(0, 1000), st.sampled_from(PIPELINES))
@settings(derandomize=True, deadline=None, max_examples=4)
def test_who_stands_where_in_the_file_is_nothing(seed: int, pipeline: Pipeline) -> None:
    """Participants in another order under other names: the same answer, person by person."""
    profile, _ = planted(seed, (30, 25, 20), noise=0.5)
    order = np.random.default_rng(seed).permutation(75)
    names = [f"q{i}" for i in np.random.default_rng(seed + 1).permutation(75)]
    other = Profile.from_tables(
        names, profile.statements, profile.votes[order], profile.seen[order]
    )
    one = opinion_analysis(profile, pipeline=pipeline, rounds=4)
    two = opinion_analysis(other, pipeline=pipeline, rounds=4)

    assert one.as_json() == two.as_json()
    spread = np.full(75, -1)
    spread[one.people] = one.labels
    assert spread[order][two.people].tolist() == two.labels.tolist()


def test_statements_keep_their_names() -> None:
    """Renamed statements are renamed in the answer, and nothing else changes."""
    profile, _ = planted(3)
    names = {s: f"t{i * 7 % 24}" for i, s in enumerate(profile.statements)}
    other = Profile.from_tables(
        profile.participants, list(names.values()), profile.votes, profile.seen
    )
    one, two = (opinion_analysis(p, rounds=4) for p in (profile, other))

    for before, after in ((one.consensus, two.consensus), (one.majority, two.majority)):
        assert [names[s.statement] for s in before] == [s.statement for s in after]
        assert [s.value for s in before] == [s.value for s in after]
    assert one.labels.tolist() == two.labels.tolist()


_SCRIPT = """
import json
from normwright.aggregate.opinions import evidence
evidence.PERMUTATIONS = 9
from tests.aggregate.opinions.made import planted
from normwright.aggregate import opinion_analysis
for pipeline in ("mixture", "polis"):
    found = opinion_analysis(planted(4, noise=0.6)[0], pipeline=pipeline, rounds=4)
    print(json.dumps(found.as_json()), found.points.tobytes().hex(), found.memberships.sum(axis=0))
"""


def test_same_bytes_at_any_hash_seed_and_thread_count() -> None:
    """Neither the order of sets nor the number of threads moves a single bit."""
    outputs = []
    for threads in ("1", "2"):
        place = {"PYTHONHASHSEED": threads, "OMP_NUM_THREADS": threads}
        outputs.append(
            subprocess.run(
                [sys.executable, "-c", _SCRIPT],
                env={**os.environ, **place, "OPENBLAS_NUM_THREADS": threads},
                capture_output=True, check=True, cwd=Path(__file__).parents[3],
            ).stdout
        )  # fmt: skip

    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 1000


def test_a_sample_speaks_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are many people tests are made on a sample, which is said, and all are placed."""
    monkeypatch.setattr(room, "SAMPLE", 100)
    profile, truth = planted(5, (240, 160))
    found = opinion_analysis(profile, rounds=6)

    assert found.tested == 100
    assert found.split is not None
    assert sum(found.split.sizes) == 100
    assert sum(found.sizes) == len(found.people) > 390
    assert "among 100 people" in found.reason
    assert adjusted_rand(found.labels, truth[found.people]) > 0.95
    assert found.together is None


def test_too_few_and_unanimous() -> None:
    """Nobody, a handful, and those who agree on everything are answers in words."""
    for people in (0, 6):
        votes = np.ones((people, 12))
        found = opinion_analysis(profile_of(votes, votes > 0))
        assert found.verdict == "too-few"
        assert "too few" in found.reason
        assert json.loads(json.dumps(found.as_json()))["supported"] is False
    votes = np.ones((40, 12))
    found = opinion_analysis(profile_of(votes, votes > 0))
    assert found.verdict == "one"
    assert "agrees" in found.reason
    assert found.consensus[0].value == pytest.approx(41 / 42)


def test_without_subsamples_nothing_is_claimed() -> None:
    """No rounds: a split is shown and said to be untested."""
    found = opinion_analysis(planted(6)[0], rounds=0)

    assert found.verdict == "untested"
    assert not found.supported
    assert found.k == 2
    assert found.as_json()["stability"]["ari_median"] is None


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_rejected_statements_are_not_looked_at(pipeline: Pipeline) -> None:
    """What was moderated out decides no group and stands in no list."""
    profile, _ = planted(7)
    odd = profile.votes.copy()
    odd[:, :2] = np.random.default_rng(0).integers(-1, 2, (100, 2))
    other = Profile.from_tables(profile.participants, profile.statements, odd, profile.seen)
    one, two = (
        opinion_analysis(p, pipeline=pipeline, rounds=4, moderated_out=["s0", "s1"])
        for p in (profile, other)
    )
    listed = {s.statement for s in (*one.consensus, *one.consensus_against, *one.majority)}

    assert listed == set(profile.statements[2:])
    assert adjusted_rand(one.labels, two.labels) == 1


def test_consensus_is_that_of_the_groups() -> None:
    """Values are products over the groups shown; both modes are sorted, best first."""
    found = opinion_analysis(planted(9, (50, 40, 30))[0], rounds=6)
    assert found.k == 3
    for standings, place in ((found.consensus, 0), (found.consensus_against, 1)):
        for s in standings:
            product = np.prod([(g[place] + 1) / (sum(g) + 2) for g in s.groups])
            assert s.value == pytest.approx(product)
            assert s.geometric == pytest.approx(product ** (1 / 3))
            assert s.interval[0] < s.value < s.interval[1]
            assert s.agree + s.disagree + s.passed == s.n
        values = [s.value for s in standings]
        assert values == sorted(values, reverse=True)
    for s in found.majority:
        assert s.value == pytest.approx((s.agree + 1) / (s.n + 2))
        assert s.interval[0] < s.value < s.interval[1]


def test_json_names_no_participant() -> None:
    """The answer has the keys of the command and nobody's name; progress is told to the end."""
    told: list[tuple[str, int, int]] = []
    found = opinion_analysis(planted(9)[0], rounds=5, progress=lambda *step: told.append(step))
    answer: dict[str, Any] = found.as_json({"s1": "A text."})
    text = json.dumps(answer)

    assert {"supported", "k", "sizes", "stability", "consensus", "majority"} <= set(answer)
    assert {"ari_median", "ari_p10"} <= set(answer["stability"])
    assert {"statement", "value", "interval", "n"} <= set(answer["consensus"][0])
    assert [s["text"] for s in answer["majority"] if "text" in s] == ["A text."]
    assert not any(p in text for p in planted(9)[0].participants)
    assert ("subsamples", 5, 5) in told
    assert ("permutations", 19, 19) in told


def test_all_faults_at_once() -> None:
    """Everything wrong with a call is told together."""
    with pytest.raises(InputError) as caught:
        opinion_analysis(
            planted(1)[0], pipeline="magic", rounds=-1, moderated_out=["nothing"]  # type: ignore[arg-type]
        )  # fmt: skip

    assert [f.where for f in caught.value.faults] == ["pipeline", "rounds", "moderated_out"]


def conversation(folder: Path) -> Profile:
    """A Polis conversation without what was moderated out."""
    with gzip.open(folder / "comments.csv.gz", "rt", newline="") as file:
        rejected = {r["comment-id"] for r in csv.DictReader(file) if r["moderated"] == "-1"}
    with gzip.open(folder / "participants-votes.csv.gz", "rt", newline="") as file:
        head, *rows = csv.reader(file)
    offered = [j for j in range(head.index("n-disagree") + 1, len(head)) if head[j] not in rejected]
    cast = [[int(float(r[j] or 0)) for j in offered] for r in rows]
    seen = [[r[j] != "" for j in offered] for r in rows]
    names = [head[j] for j in offered]
    return Profile.from_tables([r[0] for r in rows], names, np.array(cast), np.array(seen))


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "verdict", "k"),
    [("brexit-consensus", "spectrum", 2), ("bg2050-volunteers", "unrepeatable", 1)],
)
def test_real_conversations(data_dir: Path, name: str, verdict: str, k: int) -> None:
    """Real votes: a cut that repeats without a gap, and a conversation in which none repeats."""
    found = opinion_analysis(conversation(data_dir / "votes" / "polis" / name), seed=1, rounds=20)

    assert (found.verdict, found.k) == (verdict, k)


@pytest.mark.data
@pytest.mark.slow
def test_all_real_conversations(data_dir: Path) -> None:
    """Every conversation gets a verdict, and those known to repeat do, and the others do not."""
    repeat = {}
    for folder in sorted((data_dir / "votes" / "polis").iterdir()):
        found = opinion_analysis(conversation(folder), seed=1, rounds=20)
        repeat[folder.name] = found.verdict in ("groups", "spectrum")

    assert len(repeat) == 11
    for name in ("vtaiwan.uberx", "brexit-consensus", "scoop-hivemind.biodiversity"):
        assert repeat[name]
    for name in ("bg2050-volunteers", "scoop-hivemind.affordable-housing"):
        assert not repeat[name]


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("aside", [0, 3])
def test_camps_that_mirror_each_other_are_found(pipeline: Pipeline, aside: int) -> None:
    """Equal camps of opposite votes, at right angles to the diagonal, are seen all the same."""
    rng = np.random.default_rng(1)
    camp = np.arange(40) % 2
    mirrored = np.where((camp[:, None] + np.arange(12)) % 2 == 0, 1, -1)
    others = np.where(rng.random((40, aside)) < 0.5, 1, 0)
    votes = np.concatenate([mirrored, others], axis=1)
    names = [f"p{i}" for i in range(40)], [f"s{j}" for j in range(votes.shape[1])]
    made = Profile.from_tables(*names, votes, np.ones(votes.shape, dtype=np.bool_))
    found = opinion_analysis(made, pipeline=pipeline, rounds=10)

    assert found.verdict == "groups"
    assert adjusted_rand(found.labels, camp[found.people]) == 1.0
