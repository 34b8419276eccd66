"""Alignment tax: what is shown, what is refuted, and tests that could not have failed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from normwright.evaluate import Score, alignment_tax
from normwright.records import InputError


def score(
    values: Sequence[float], *, suite: str = "arc-easy", lang: str = "en", constant: float = 0.25,
    degenerate: bool = False, clusters: Sequence[str] | None = None, model: str = "m",
) -> Score:  # fmt: skip
    mean, n = float(np.mean(values)), len(values)
    half = 1.96 * (mean * (1 - mean) / n) ** 0.5
    ids = [f"q{i}" for i in range(n)]
    return Score(
        model, suite, lang, "acc_norm", n, mean, (mean - half, mean + half), {"longest": constant},
        degenerate, "said", "local", {"shots": 0},
        items=dict(zip(ids, map(float, values), strict=True)),
        clusters=None if clusters is None else dict(zip(ids, clusters, strict=True)),
    )  # fmt: skip


def answers(n: int, right: int, *, lost: int = 0, won: int = 0) -> tuple[list[int], list[int]]:
    """Right answers before and after: some are lost, some are won."""
    old = [1] * right + [0] * (n - right)
    new = [0] * lost + [1] * (right - lost + won) + [0] * (n - right - won)
    return old, new


@pytest.mark.parametrize(
    ("lost", "won", "state"), [(4, 4, "shown"), (60, 10, "refuted"), (25, 15, "open")]
)
def test_three_states_and_the_n_that_is_missing(lost: int, won: int, state: str) -> None:
    """Few discordant pairs show it, a great loss refutes it, between them it is open with an n."""
    old, new = answers(1000, 600, lost=lost, won=won)
    found = alignment_tax([score(old)], [score(new)], margin=0.02)
    row = found.rows[0]

    assert (row.state, found.state) == (state, state)
    assert row.difference is not None
    assert row.difference.value == pytest.approx((won - lost) / 1000)
    if state == "open":
        assert row.needed is not None
        assert row.needed > 1000
        more = answers(2 * row.needed, 1200 * row.needed // 1000,
                       lost=50 * row.needed // 1000, won=30 * row.needed // 1000)  # fmt: skip
        again = alignment_tax([score(more[0])], [score(more[1])], margin=0.02)
        assert again.rows[0].state == "shown"


def test_nothing_to_lose_shows_nothing() -> None:
    """A model no better than constants by more than the margin could pass with no skill."""
    old, new = answers(4000, 1100)
    flagged = alignment_tax([score(old, degenerate=True)], [score(new)], margin=0.02).rows[0]
    near = alignment_tax([score(old)], [score(new)], margin=0.05).rows[0]
    enough = alignment_tax([score(old)], [score(new)], margin=0.01).rows[0]

    assert flagged.state == "open"
    assert "nothing to lose" in flagged.why
    assert near.state == "open"
    assert near.p_loss_below_margin is not None
    assert near.p_loss_below_margin < 0.001
    assert near.needed is None
    assert "lose all of it" in near.why
    assert enough.state == "shown"


def test_a_degenerate_model_claims_no_gain() -> None:
    """A rise of a model that collapsed elsewhere is none, whatever the tax of that suite is."""
    hella = answers(2000, 1060, lost=600, won=80)
    truth = answers(800, 310, won=90)
    found = alignment_tax(
        [score(hella[0], suite="arc-easy"), score(truth[0], suite="truthfulqa-mc1", constant=0.2)],
        [score(hella[1], suite="arc-easy", degenerate=True),
         score(truth[1], suite="truthfulqa-mc1", constant=0.2)],
        margin=0.02,
    )  # fmt: skip
    by = {row.suite: row for row in found.rows}

    assert by["truthfulqa-mc1"].state == "shown"
    assert by["truthfulqa-mc1"].verdict == "not an improvement"
    assert not by["truthfulqa-mc1"].as_json()["gain"]
    assert found.state == "refuted"


def test_clusters_count_and_not_their_items() -> None:
    """Twenty copies of each of ten questions are ten questions."""
    old, new = answers(10, 6, lost=1, won=1)
    clusters = [f"c{i}" for i in range(10) for _ in range(20)]
    many = [[v for v in side for _ in range(20)] for side in (old, new)]
    alone = alignment_tax([score(many[0])], [score(many[1])], margin=0.15)
    together = alignment_tax(
        [score(many[0], clusters=clusters)], [score(many[1], clusters=clusters)], margin=0.15
    )

    assert alone.rows[0].state == "shown"
    assert together.rows[0].state == "open"
    assert together.rows[0].test == "clustered-t"
    assert together.rows[0].difference is not None
    assert together.rows[0].difference.n == 10
    assert (together.rows[0].needed or 0) > 200


@pytest.mark.slow
def test_the_chance_to_show_a_loss_of_exactly_the_margin() -> None:
    """Under a true loss of the margin, counts and shares are called free of it 5 % at most."""
    rng, hits = np.random.default_rng(5), {"counts": 0, "shares": 0}
    rounds = 300
    for _ in range(rounds):
        change = rng.choice([1, -1, 0], size=300, p=[0.05, 0.15, 0.8])
        old = np.where(change < 0, 1, np.where(change > 0, 0, rng.random(300) < 0.6))
        for name, blur in (("counts", 0.0), ("shares", 0.01)):
            a = np.clip(old + blur * (0.5 - old), 0, 1)
            b = np.clip(old + change + blur * (0.5 - old), 0, 1)
            found = alignment_tax([score(list(a))], [score(list(b))], margin=0.1)
            hits[name] += found.rows[0].state == "shown"

    assert all(
        count / rounds <= 0.05 + 2 * (0.05 * 0.95 / rounds) ** 0.5 for count in hits.values()
    )
    assert min(hits.values()) > 0


def test_all_at_once_needs_every_suite_and_names_need_holm() -> None:
    """Two suites at p = 0.03 are free of tax together, and neither is so by name."""
    old, new = answers(1000, 600, lost=16, won=10)
    one = alignment_tax([score(old)], [score(new)], margin=0.0165)
    two = alignment_tax(
        [score(old), score(old, suite="arc-challenge")],
        [score(new), score(new, suite="arc-challenge")], margin=0.0165,
    )  # fmt: skip

    assert 0.025 < (one.rows[0].p_loss_below_margin or 0) < 0.05
    assert one.rows[0].state == "shown"
    assert [row.state for row in two.rows] == ["open", "open"]
    assert two.state == "shown"


def test_the_mean_over_suites_draws_shared_items_together() -> None:
    """The same questions in two languages do not count twice: the interval is that of one."""
    old, new = answers(1000, 600, lost=60, won=20)
    one = alignment_tax([score(old)], [score(new)], margin=0.05)
    two = alignment_tax(
        [score(old), score(old, lang="pt")], [score(new), score(new, lang="pt")], margin=0.05
    )

    assert two.mean.value == pytest.approx(-0.04)
    assert two.mean.n == one.mean.n == 1000
    assert two.mean.ends == pytest.approx(one.mean.ends, abs=1e-9)
    counted = [Score(**{**s.__dict__, "items": None}) for s in (score(old), score(new))]
    assert alignment_tax(counted[:1], counted[1:], margin=0.05).mean.value is None


def test_format_loss_is_told_from_knowledge_loss() -> None:
    """What comes back in the chat template was format; what does not was knowledge."""
    old, less = answers(1000, 600, lost=80, won=10)
    _, little = answers(1000, 600, lost=10, won=10)
    bare, hurt, kept = [score(old)], [score(less)], [score(little)]

    def why(chat: list[Score]) -> str:
        found = alignment_tax(bare, hurt, margin=0.02, formats={"chat": (bare, chat)})
        return found.formats[0].why

    some = [score(answers(1000, 600, lost=40)[1])]
    assert why(kept).startswith("format loss")
    assert why(hurt).startswith("knowledge loss")
    assert why(some).startswith("both")
    found = alignment_tax(bare, hurt, margin=0.02, formats={"chat": (bare, kept)}).formats[0]
    assert found.share.value == pytest.approx(-0.07)
    assert found.share.interval is not None
    assert found.share.interval.high < 0


@pytest.mark.parametrize("same", [True, False])
def test_parity_gap_and_its_change(same: bool) -> None:
    """Portuguese pays for what English keeps: the gap grows by what it lost, with an interval."""
    english, portuguese = answers(800, 500)[0], answers(800, 420)[0]
    hurt = answers(800, 420, lost=100)[1]
    before = [score(english), score(portuguese, lang="pt")]
    after = [score(english), score(hurt, lang="pt")]
    if not same:
        for side in (before, after):
            items = side[1].items
            assert items is not None
            renamed = {f"p{name}": value for name, value in items.items()}
            side[1] = Score(**{**side[1].__dict__, "items": renamed})
    found = alignment_tax(before, after, margin=0.02).parity[0]

    assert found.paired is same
    assert found.before.value == pytest.approx(0.1)
    assert found.change.value == pytest.approx(0.125)
    assert found.change.interval is not None
    assert found.change.interval.low > 0.05
    assert found.before.interval is not None
    assert found.before.interval.high < 0.2


def test_published_counts_without_items() -> None:
    """The paper's own rise beside a collapse is refuted on one suite and no gain on the other."""
    from normwright.evaluate import counted_score

    def side(hella: float, truth: float) -> list[Score]:
        return [
            counted_score(model="m", suite=name, lang=None, metric=None, n=n, correct=share * n,
                          constants={"majority": constant}, origin="counts")
            for name, n, share, constant in (("hellaswag", 10042, hella, 0.25),
                                             ("truthfulqa", 817, truth, 0.30))
        ]  # fmt: skip

    found = alignment_tax(side(0.5297, 0.3955), side(0.2697, 0.5081), margin=0.02)
    by = {row.suite: row for row in found.rows}

    assert by["hellaswag"].state == "refuted"
    assert by["hellaswag"].test == "farrington-manning"
    assert by["truthfulqa"].state == "shown"
    assert by["truthfulqa"].verdict == "not an improvement"


def test_bad_input_is_one_error() -> None:
    """Margin, alpha and the lack of a shared suite are told together."""
    with pytest.raises(InputError) as raised:
        alignment_tax([score([1, 0])], [score([1, 0], suite="bbq")], margin=2, alpha=0.9)

    assert [f.where for f in raised.value.faults] == ["--margin", "--alpha", "A, B"]


def test_other_examples_are_not_compared() -> None:
    """A row asked otherwise is neither shown nor refuted, and keeps the whole open."""
    old, new = answers(1000, 600, lost=4, won=4)
    other = score(new, suite="arc-challenge")
    other = Score(**{**other.__dict__, "settings": {"shots": 5}})
    found = alignment_tax(
        [score(old), score(old, suite="arc-challenge")], [score(new), other], margin=0.02
    )

    assert [row.state for row in found.rows] == ["shown", "not comparable"]
    assert found.state == "open"
