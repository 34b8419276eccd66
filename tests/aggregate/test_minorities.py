"""Audits of slates: the same as trying every group, and the worst-off group named."""

from __future__ import annotations

import csv
import gzip
import time
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.aggregate.elections import election_from
from tests.aggregate.slates import slow

from normwright.aggregate import Election, Profile, audit_slate, slate
from normwright.aggregate.veto import Vetoes
from normwright.records import InputError


@st.composite
def slates(draw: st.DrawFn) -> tuple[slow.Sets, int, list[int], int]:
    """Approvals of a few voters, any slate whatever, and the places shares are measured by."""
    m = draw(st.integers(2, 5))
    sets = draw(st.lists(st.frozensets(st.integers(0, m - 1)), min_size=1, max_size=7))
    members = draw(st.lists(st.integers(0, m - 1), min_size=1, max_size=m, unique=True))
    return sets, m, members, draw(st.integers(len(members), m))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(case=slates())
def test_audits_equal_a_search_of_all_groups(
    case: tuple[slow.Sets, int, list[int], int],
) -> None:
    """JR and EJR+ by counting say what trying every group of voters says."""
    sets, m, members, size = case
    made = slow.election_of_sets(sets, m)
    found = audit_slate(made, [f"s{j}" for j in members], size=size)

    assert found.jr is not None
    assert found.ejr_plus is not None
    assert found.jr.satisfied == slow.slow_axiom("jr", sets, members, size)
    assert found.ejr_plus.satisfied == slow.slow_axiom("ejr-plus", sets, members, size)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(case=slates())
def test_a_witness_is_what_it_says(case: tuple[slow.Sets, int, list[int], int]) -> None:
    """The group that is named exists, supports what it is said to, and has as little as told."""
    sets, m, members, size = case
    found = audit_slate(slow.election_of_sets(sets, m), [f"s{j}" for j in members], size=size)
    assert found.ejr_plus is not None
    group = found.ejr_plus.closest
    if group is None:
        assert all(s <= set(members) or len(s & set(members)) >= size for s in sets)
        return
    lacks = int(group.lacks[1:])
    people = [s for s in sets if lacks in s and len(s & set(members)) <= group.has]

    assert lacks not in members
    assert len(people) == group.voters
    assert max(len(s & set(members)) for s in people) == group.has
    assert group.deserves == min(size, size * len(people) // len(sets))
    assert group.fill == pytest.approx(len(people) / (group.has + 1) / (len(sets) / size))
    if found.ejr_plus.witness is not None:
        assert set(group.supports) == {f"s{j}" for j in frozenset.intersection(*people)}
    else:
        assert group.supports == ()


def test_the_worst_off_group_is_named_by_what_it_supports() -> None:
    """49 of 100 with four places: owed one, they have none, and it is said what they want."""
    found = slate(election_from("51: A = B = C = D\n49: E = F"), size=4, method="av").audit
    assert found.jr is not None
    witness = found.jr.witness

    assert not found.jr.satisfied
    assert witness is not None
    assert (witness.supports, witness.voters, witness.deserves, witness.has) == (
        ("E", "F"),
        49,
        1,
        0,
    )
    assert witness.fill == pytest.approx(49 / 25)


def test_a_slate_that_serves_all_tells_how_close_it_was() -> None:
    """One in five of four places: nobody is left without, the nearest group fills four fifths."""
    found = slate(election_from("8: A = B = C = D\n2: E"), size=4, method="av").audit

    assert found.jr is not None
    assert found.jr.satisfied
    assert found.jr.witness is None
    assert found.jr.closest is not None
    assert found.jr.closest.fill == pytest.approx(0.8)
    assert found.jr.closest.supports == ()


def test_ejr_plus_sees_what_jr_does_not() -> None:
    """A group of half that is given one of four places is served by JR and short by EJR+."""
    made = election_from("5: A = B = C = D\n5: A = E = F")
    found = audit_slate(made, ["A", "B", "C", "D"])

    assert found.jr is not None
    assert found.ejr_plus is not None
    assert found.jr.satisfied
    assert found.ejr_plus.witness is not None
    assert (found.ejr_plus.witness.deserves, found.ejr_plus.witness.has) == (2, 1)


def test_who_was_asked_about_every_member_is_told() -> None:
    """Of three who lack a member, one was never asked about it: two are sure."""
    votes = np.array([[1, -1], [1, -1], [1, 0], [0, 1]], dtype=np.int8)
    seen = np.array([[1, 1], [1, 1], [1, 0], [0, 1]], dtype=np.bool_)
    made = Profile(("p", "q", "r", "s"), ("a", "b"), votes, seen).election()
    found = audit_slate(made, ["b"], size=2)

    assert found.jr is not None
    assert found.jr.witness is not None
    assert (found.jr.witness.voters, found.jr.witness.informed) == (3, 2)
    assert found.jr.exposure == pytest.approx(6 / 8)
    assert found.vetoes is None
    assert "rank every alternative" in found.not_audited[0]


@settings(derandomize=True, deadline=None, max_examples=80)
@given(
    rows=st.lists(st.lists(st.sampled_from([-1, 0, 1]), min_size=3, max_size=3), min_size=1,
                  max_size=4),
    members=st.lists(st.integers(0, 2), min_size=1, max_size=2, unique=True),
    axiom=st.sampled_from(["jr", "ejr-plus"]),
)  # fmt: skip
def test_a_verdict_is_settled_if_no_answers_could_change_it(
    rows: list[list[int]], members: list[int], axiom: str
) -> None:
    """Every way the unseen cells could have been answered is tried."""
    grades = np.array(rows, dtype=np.int16)
    ones = np.ones(len(rows), dtype=np.int64)
    made = Election(("a", "b", "c"), grades, ones, "apart", grades=grades, approved_from=1)
    found = audit_slate(made, [made.alternatives[j] for j in members], size=2)
    audit = found.jr if axiom == "jr" else found.ejr_plus
    unseen = np.argwhere(grades < 0)
    verdicts = set()
    for answers in product((0, 1), repeat=len(unseen)):
        full = grades.copy()
        full[tuple(unseen.T)] = answers
        sets = [frozenset(np.flatnonzero(row).tolist()) for row in full]
        verdicts.add(slow.slow_axiom(axiom, sets, members, 2))

    assert audit is not None
    assert audit.settled == (len(verdicts) == 1)
    assert audit.least is not None
    assert audit.most is not None
    assert (audit.least < 1) == (True in verdicts)
    assert (audit.most >= 1) == (False in verdicts)


def test_who_could_veto_a_member_is_told() -> None:
    """A third that put D last hold a claim of a twelfth more than a veto of one in four takes."""
    made = election_from("4: A > B > C > D\n8: D > A > B > C")
    found = audit_slate(made, ["D", "A"])
    assert found.vetoes is not None
    claim, none = found.vetoes

    assert (claim.voters, claim.prefers) == (4, ("A", "B", "C"))
    assert claim.epsilon == pytest.approx(1 / 3 - 1 / 4)
    assert (none.voters, none.epsilon, none.prefers) == (0, 0.0, ())
    assert found.jr is None
    assert "approve" in found.not_audited[0]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(rows=st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=6))
def test_a_blocking_coalition_is_what_it_says(rows: list[list[int]]) -> None:
    """Its size and what it prefers add up to the claim: the cut is a real coalition."""
    grades = np.array(rows, dtype=np.int16)
    made = Election(tuple("ABCD"), grades, np.ones(len(rows), dtype=np.int64))
    vetoes = Vetoes.of(made, "test")
    for x in range(4):
        found = vetoes.blocking(x)
        better = sum(all(row[b] < row[x] for b in found.preferred) for row in rows)
        if found.voters:
            assert better >= found.voters
            claim = Fraction(found.voters, len(rows)) - Fraction(4 - len(found.preferred), 4)
            assert claim == found.epsilon


def test_weights_wider_than_32_bits_have_exact_claims() -> None:
    """Everybody a billion times, and one voter more: claims change by just that voter."""
    rng = np.random.default_rng(2)
    orders = np.argsort(rng.random((30, 8)), axis=1).astype(np.int16)
    ones = np.ones(30, dtype=np.int64)
    vetoes, heavy = Vetoes(orders, ones), Vetoes(orders, ones * 10**9)
    more = Vetoes(orders, ones * 10**9 + (np.arange(30) == 3))

    assert [heavy.blocking(x).epsilon for x in range(8)] == [vetoes.epsilon(x) for x in range(8)]
    for x in range(8):
        found = more.blocking(x)
        better = (orders[:, list(found.preferred)] < orders[:, x, None]).all(axis=1)
        share = Fraction(int(more.counts[better].sum()), more.voters)
        if found.voters:
            assert found.epsilon == share - Fraction(8 - len(found.preferred), 8)
        assert abs(found.epsilon - vetoes.epsilon(x)) <= Fraction(1, 30 * 10**9)


def test_all_faults_of_a_slate_come_at_once() -> None:
    """Unknown members, and members twice, in one error."""
    with pytest.raises(InputError) as caught:
        audit_slate(election_from("1: A > B"), ["A", "A", "X", "Y"])

    assert [f.where for f in caught.value.faults] == [
        "slate, member 'X'", "slate, member 'Y'", "slate, member 'A'"
    ]  # fmt: skip


@pytest.mark.slow
def test_slates_and_audits_of_a_large_conversation_take_seconds() -> None:
    """33,000 people, 800 statements, two million votes: each rule with its audit in seconds."""
    rng = np.random.default_rng(1)
    votes = np.zeros((33_000, 800), dtype=np.int8)
    cells = rng.integers(0, votes.size, size=2_000_000)
    votes.ravel()[cells] = rng.integers(-1, 2, size=len(cells))
    seen = np.zeros(votes.shape, dtype=np.bool_)
    seen.ravel()[cells] = True
    grades = np.where(seen, votes + 1, -1).astype(np.int16)
    names, ones = tuple(f"s{j}" for j in range(800)), np.ones(33_000, dtype=np.int64)
    made = Election(names, 2 - grades, ones, "apart", grades=grades, approved_from=2)
    for method in ("av", "seq-pav", "seq-phragmen", "equal-shares", "balanced-jr"):
        before = time.process_time()
        found = slate(made, size=20, method=method)

        assert found.audit.ejr_plus is not None
        assert time.process_time() - before < 5


@pytest.mark.data
def test_real_conversations_have_slates_and_audits(data_dir: Path) -> None:
    """Proportional rules leave nobody without in any of them, and the bounds hold the verdict."""
    folders = sorted((data_dir / "votes" / "polis").iterdir())
    for folder in folders:
        made = _conversation(folder / "participants-votes.csv.gz")
        for method in ("seq-phragmen", "equal-shares", "balanced-jr"):
            audit = slate(made, size=10, method=method).audit
            assert audit.jr is not None
            assert audit.jr.satisfied
            assert audit.jr.least is not None
            assert audit.jr.most is not None
            fill = 0.0 if audit.jr.closest is None else audit.jr.closest.fill
            assert audit.jr.least <= fill <= audit.jr.most

    assert folders


def _conversation(path: Path) -> Election:
    """The votes of a conversation, a participant a row; a blank cell was not seen."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    first = next(i for i, name in enumerate(head) if name.strip().isdigit())
    cells = [[cell.strip() for cell in row[first:]] for row in rows]
    seen = np.array([[cell != "" for cell in row] for row in cells])
    votes = np.array([[int(float(cell or 0)) for cell in row] for row in cells], dtype=np.int8)
    return Profile(tuple(row[0] for row in rows), tuple(head[first:]), votes, seen).election()
