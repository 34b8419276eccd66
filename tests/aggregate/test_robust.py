"""What stays of support in resamples: the same as counting each resample by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.aggregate import Grouped, Profile, Raked, rake, robust_support
from normwright.aggregate.robust import HELD
from normwright.records import Group, Grouping, InputError, RobustSupport, Statement

ROUNDS, SEED = 40, 3
NONE = Grouping(groups=(), method="test", reason="given")


def statement(name: str, norm: str | None = "n", *, endorses: bool = True) -> Statement:
    return Statement(id=name, text={"en": name}, layer="polity", authority="town", norm=norm,
                     endorses=endorses)  # fmt: skip


def profile(table: Sequence[Sequence[int | None]], names: Sequence[str] = ()) -> Profile:
    """Votes from a table of people by statements; None: no vote."""
    cells = [(i, j, v) for i, row in enumerate(table) for j, v in enumerate(row) if v is not None]
    rows, columns, values = (np.array([c[k] for c in cells], dtype=np.int64) for k in range(3))
    people = names or [f"p{i:03}" for i in range(len(table))]
    width = len(table[0]) if table else 0
    return Profile.from_arrays(people, [f"s{j}" for j in range(width)], rows, columns, values)


def grouped(labels: Sequence[int], n: int) -> Grouped:
    ids = sorted({g for g in labels if g >= 0})
    groups = tuple(
        Group(id="ABC"[g], size=sum(x == g for x in labels), members="sha256:" + "0" * 64)
        for g in ids
    )
    given_ = NONE.model_copy(update={"groups": groups})
    return Grouped(given_, np.array(labels or [-1] * n, dtype=np.int64))


def found(table: Sequence[Sequence[int | None]], statements: Sequence[Statement], **more: Any
          ) -> tuple[RobustSupport, ...]:  # fmt: skip
    labels = more.pop("labels", [-1] * len(table))
    return robust_support(profile(table), statements, grouped(labels, len(table)), seed=SEED,
                          rounds=ROUNDS, **more)  # fmt: skip


def by_hand(
    table: Sequence[Sequence[int | None]], signs: Sequence[int], drawn: Sequence[int],
    labels: Sequence[int],
) -> dict[str, float]:  # fmt: skip
    """Every rule of counting on one resample, person by person."""

    def pooled(people: Sequence[int], *, passes: bool) -> float:
        votes = [signs[j] * v for i in people for j, v in enumerate(table[i])
                 if v is not None and (passes or v != 0)]  # fmt: skip
        return sum(v > 0 for v in votes) / len(votes) if votes else math.nan

    def single(*, passes: bool) -> float:
        own = [pooled([i], passes=passes) for i in drawn]
        known = [share for share in own if not math.isnan(share)]
        return sum(known) / len(known) if known else math.nan

    made = {
        "votes": pooled(drawn, passes=True), "votes-decided": pooled(drawn, passes=False),
        "people": single(passes=True), "people-decided": single(passes=False),
    }  # fmt: skip
    within = {}
    smoothed = []
    for g in sorted({g for g in labels if g >= 0}):
        mine = [i for i in drawn if labels[i] == g]
        within[f"group:{'ABC'[g]}"] = pooled(mine, passes=True)
        votes = [signs[j] * v for i in mine for j, v in enumerate(table[i]) if v is not None]
        smoothed.append((sum(v > 0 for v in votes) + 1) / (len(votes) + 2) if votes else math.nan)
    if within:
        made |= within
        made["groups"] = sum(within.values()) / len(within)
        made["consensus"] = math.prod(smoothed) ** (1 / len(smoothed))
    return made


votes = st.lists(
    st.lists(st.sampled_from([1, 0, -1, None]), min_size=2, max_size=2), min_size=1, max_size=9
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(votes, st.booleans(), st.booleans())
def test_same_as_counting_every_resample_by_hand(
    table: list[list[int | None]], second_endorses: bool, split: bool
) -> None:
    """Shares as cast, and what all but one resample in twenty reach, rule by rule."""
    voters = [i for i, row in enumerate(table) if any(v is not None for v in row)]
    labels = [i % 2 for i in range(len(table))] if split else [-1] * len(table)
    asked = [statement("s0"), statement("s1", endorses=second_endorses)]
    made = found(table, asked, labels=labels)
    if not voters:
        assert made == ()
        return
    one = made[0]
    assert (one.opposed, len(made)) == (False, 1 + any(o.opposed for o in made))
    signs = [1, 1 if second_endorses else -1]
    rng = np.random.default_rng(SEED)
    n = len(voters)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=ROUNDS)
    draws = [by_hand(table, signs, np.repeat(voters, row).tolist(), labels) for row in counts]
    as_cast = by_hand(table, signs, voters, labels)

    assert one.people == n
    assert set(one.kept) == set(as_cast)
    for rule, share in as_cast.items():
        value = one.shares[rule].value
        assert (value is None) == math.isnan(share)
        assert value is None or value == pytest.approx(share)
        reached = sorted(-math.inf if math.isnan(d[rule]) else d[rule] for d in draws)
        kept = one.kept[rule]
        assert kept is None or sum(r >= kept - 1e-12 for r in reached) >= HELD * ROUNDS
        assert (math.isinf(reached[2])) == (kept is None)
        assert kept is None or kept == pytest.approx(reached[2])


def test_nothing_depends_on_the_order_of_people_or_statements() -> None:
    """Rows turned round, the same record to the last bit."""
    table: list[list[int | None]] = [
        [1, -1], [1, 0], [None, 1], [-1, -1], [1, 1], [0, None], [1, -1]
    ]  # fmt: skip
    names = [f"p{i}" for i in range(len(table))]
    asked = [statement("s0"), statement("s1", endorses=False)]
    labels = [0, 1, 0, 1, 0, 1, 0]

    one = robust_support(profile(table, names), asked, grouped(labels, 7), seed=1)
    other = robust_support(profile(table[::-1], names[::-1]), asked[::-1],
                           grouped(labels[::-1], 7), seed=1)  # fmt: skip

    assert one == other


def test_pooled_votes_and_counted_people_differ_where_few_answer_much() -> None:
    """Two who answer everything outvote three who answer once, unless people are counted."""
    table: list[list[int | None]] = [[1] * 4, [1] * 4, *[[-1, None, None, None]] * 3]

    (one,) = found(table, [statement(f"s{j}") for j in range(4)])

    assert one.shares["votes"].value == pytest.approx(8 / 11)
    assert one.shares["people"].value == pytest.approx(2 / 5)


def test_passes_left_out_or_not_for_it() -> None:
    """Half who pass are no support, and no opposition either."""
    (one,) = found([[1], [1], [0], [0]], [statement("s0")])

    assert (one.shares["votes"].value, one.shares["votes-decided"].value) == (0.5, 1.0)


def test_weights_are_counted_beside_the_votes_as_cast() -> None:
    """Where there are weights, both counts are told."""
    table = [[1], [1], [1], [-1]]
    traits = {f"p{i:03}": {"place": "north" if i < 3 else "south"} for i in range(4)}
    raked = rake(traits, {"place": {"north": 0.5, "south": 0.5}})

    (one,) = found(table, [statement("s0")], weights=raked)

    assert one.shares["votes"].value == 0.75
    assert one.shares["votes-weighted"].value == pytest.approx(0.5, abs=1e-5)


def test_participant_without_a_weight_is_a_fault() -> None:
    """A missing weight is never one."""
    some = Raked(("p000",), np.array([1_000_000]), rake({"p000": {"a": "b"}}, {"a": {"b": 1.0}})
                 .weighting)  # fmt: skip

    with pytest.raises(InputError, match="a weight for every participant"):
        found([[1], [1]], [statement("s0")], weights=some)


def test_statement_about_no_norm_is_looked_at_by_itself_where_half_agree() -> None:
    """What no rule of a half or more could carry is left out."""
    table = [[1, -1], [1, 1], [-1, -1]]

    made = found(table, [statement("s0", None), statement("s1", None)])

    assert [(one.norm, one.statements) for one in made] == [(None, ("s0",))]


def test_opposition_to_a_norm_is_the_support_for_its_opposite() -> None:
    """Where half or more are against it, what stays of that is told beside it."""
    table = [[-1], [-1], [-1], [1], [0]]

    one, against = found(table, [statement("s0")])

    assert (one.opposed, one.shares["votes"].value) == (False, 0.2)
    assert (against.opposed, against.shares["votes"].value) == (True, 0.6)
    assert len(found([[1], [1], [-1]], [statement("s0")])) == 1


def test_group_in_which_nobody_voted_keeps_nothing() -> None:
    """A silent group is unknown in every resample, and no rule over groups passes it."""
    table: list[list[int | None]] = [[1, None], [1, None], [None, 1], [None, 1]]

    (one, _) = found(table, [statement("s0", "a"), statement("s1", "b")], labels=[0, 0, 1, 1])

    assert one.norm == "a"
    assert one.shares["group:B"].value is None
    assert (one.kept["group:B"], one.kept["groups"], one.kept["consensus"]) == (None, None, None)
