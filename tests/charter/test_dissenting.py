"""The minority report: who dissents, how sure that is, and nobody recognisable in it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.charter.builders import LANGS, body, cases, outcome, process, reading, source, statement

from normwright.charter import dissent, minority_report, ratify
from normwright.charter.tallying import LEAST
from normwright.records import Dissent, Norm, Outcome, Statement

Counts = tuple[int, int, int]


def other(number: int, text: str = "?") -> Statement:
    return statement(number, "").model_copy(update={"norm": None, "text": {"en": text, "pt": text}})


def split(
    a: dict[str, Counts], b: dict[str, Counts], c: dict[str, Counts] | None = None
) -> Outcome:
    """An outcome of two or three groups that make up everybody."""
    parts = {"A": a, "B": b, **({"C": c} if c else {})}
    totals = {s: tuple(sum(p[s][k] for p in parts.values()) for k in range(3)) for s in a}
    return outcome(totals, groups=parts, sizes={g: sum(p["s1"]) for g, p in parts.items()})  # type: ignore[arg-type]


@pytest.fixture
def norm(tmp_path: Path) -> Norm:
    return source(tmp_path, body()).norms[0]


def told(norm: Norm, found: Outcome, *more: Statement, endorses: bool = True) -> Dissent:
    made = dissent(norm, found, [statement(1, norm.id, endorses=endorses), *more],
                   carried=True, languages=LANGS)  # fmt: skip
    assert made is not None
    assert set(made.words) == set(LANGS)
    return made


def test_group_most_against_is_named_with_its_numbers(norm: Norm) -> None:
    """Shares, n and interval by group; passes are no dissent."""
    one = told(norm, split({"s1": (45, 5, 10)}, {"s1": (15, 25, 0)}))

    assert one.against.value == pytest.approx(0.3)
    assert one.passed.value == pytest.approx(0.1)
    by = {g.group: g.against for g in one.groups}
    assert by["B"] is not None
    assert by["B"].interval is not None
    assert (by["B"].value, by["B"].n, one.loudest) == (25 / 40, 40, "B")
    assert "62.5 % of 40 people" in one.words["en"]
    assert "62,5 % de 40 pessoas" in one.words["pt"]


def test_agreement_with_what_opposes_the_norm_is_dissent(norm: Norm) -> None:
    """The sign of a statement turns who dissents."""
    one = told(norm, split({"s1": (45, 5, 10)}, {"s1": (15, 25, 0)}), endorses=False)

    assert one.against.value == pytest.approx(0.6)
    assert one.loudest == "A"


def test_difference_that_chance_may_make_names_nobody(norm: Norm) -> None:
    """Groups whose intervals of difference hold zero are not called dissenters."""
    one = told(norm, split({"s1": (45, 5, 0)}, {"s1": (44, 6, 0)}))

    assert (one.loudest, one.marks) == (None, ())
    assert "No opinion group is shown" in one.words["en"]


@pytest.mark.parametrize(("small", "hidden"), [(LEAST - 1, {"B", "C"}), (LEAST, set())])
def test_small_group_is_hidden_and_cannot_be_worked_out(
    norm: Norm, small: int, hidden: set[str]
) -> None:
    """Fewer than ten are not told; nor is the next smallest, from which they would follow."""
    one = told(norm, split({"s1": (50, 10, 0)}, {"s1": (20, 10, 0)}, {"s1": (0, small, 0)}))

    assert {g.group for g in one.groups if g.suppressed} == hidden
    assert all(g.against is None for g in one.groups if g.suppressed)
    assert one.loudest == ("C" if not hidden else None)
    assert (f"fewer than {LEAST}" in one.words["en"]) == bool(hidden)
    assert f"| C | {'not shown' if hidden else '100.0 %'}" in minority_report([one], [norm], "en")


def test_dissenting_group_is_told_by_what_else_sets_it_apart(norm: Norm) -> None:
    """At most three statements, the most distinct first; the norm's own are not among them."""
    a = {"s1": (45, 5, 0), "s2": (5, 45, 0), "s3": (25, 25, 0), "s4": (40, 10, 0),
         "s5": (45, 5, 0), "s6": (48, 2, 0)}  # fmt: skip
    b = {"s1": (10, 40, 0), "s2": (48, 2, 0), "s3": (26, 24, 0), "s4": (10, 40, 0),
         "s5": (1, 49, 0), "s6": (20, 30, 0)}  # fmt: skip

    one = told(norm, split(a, b), *(other(n, f"text {n}") for n in range(2, 7)))

    assert one.loudest == "B"
    assert [(m.statement, m.agreed) for m in one.marks] == [
        ("s5", False), ("s2", True), ("s4", False),
    ]  # fmt: skip
    assert one.marks[0].others.value == pytest.approx(0.9)
    assert "less often with “text 5”" in one.words["en"]


def test_without_groups_nothing_is_said_of_who_dissents(norm: Norm) -> None:
    """No groups found is not the same as nobody against."""
    one = told(norm, outcome({"s1": (60, 40, 0)}))

    assert one.groups == ()
    assert "cannot be said who dissents" in one.words["en"]


def test_norm_nobody_voted_on_has_no_report(norm: Norm) -> None:
    """Silence is no dissent."""
    made = dissent(norm, outcome({"s1": (0, 0, 0)}), [statement(1, norm.id)], carried=False,
                   languages=LANGS)  # fmt: skip

    assert made is None
    assert "Nobody was asked" in minority_report([], [], "en")


def test_report_reads_in_both_languages_and_nothing_in_a_statement_breaks_it(norm: Norm) -> None:
    """Markdown and HTML in what people wrote stay text."""
    evil = "<b>x</b> | `y`\n# z"
    a = {"s1": (45, 5, 0), "s2": (5, 45, 0)}
    b = {"s1": (10, 40, 0), "s2": (48, 2, 0)}
    one = told(norm, split(a, b), other(2, evil))

    pages = {lang: minority_report([one], [norm], lang, title="Town") for lang in LANGS}

    assert pages["en"].startswith("# Minority report: Town\n")
    assert pages["pt"].startswith("# Relatório da minoria: Town\n")
    for page in pages.values():
        assert "<b>" not in page
        assert sum(line.startswith("#") for line in page.splitlines()) == 2
        assert page.count("| B |") == 1


def test_charter_keeps_the_report_of_ratified_and_rejected_norms(tmp_path: Path) -> None:
    """Whoever lost is told beside whoever won; the digest covers both."""
    own = cases(("hit", "deny"), ("miss", "allow", "decline"))
    others = cases(("hit", "deny", "tell"), ("miss", "allow", "decline"))
    norms = source(tmp_path, body(cases=own), body(id="o.other", act="tell", cases=others))
    held = reading(date(2026, 10, 1), outcome({"s1": (90, 10, 0), "s2": (20, 80, 0)}),
                   statement(1, "o.no-advice"), statement(2, "o.other"))  # fmt: skip

    made = ratify(norms, readings=[held], charter_id="t", languages=LANGS, on=held.held_on)

    assert [(d.norm, d.carried) for d in made.dissents] == [
        ("o.no-advice@1", True), ("o.other@1", False),
    ]  # fmt: skip
    assert made.norms[0].provenance is not None
    assert made.norms[0].provenance.dissent == made.dissents[0].words["en"]
    assert made.dissents[0].tally == held.outcomes[0].digest
    assert held.process == process()
