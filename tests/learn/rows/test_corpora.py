"""What people wrote and judged elsewhere becomes rows, split, curated and counted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.learn import (
    Breach,
    held_prompts,
    instruct,
    is_held,
    prefer_judged,
    preferred_answers,
    read_instructions,
)
from normwright.learn.rows.corpora import asked_first
from normwright.records import Demonstration, InputError, JudgedPair, Message


def everything(prompt: Sequence[Message], answer: str) -> bool:
    """Nothing is too long."""
    return True


def judged(
    number: int, *, votes: tuple[int, int, int] = (1, 0, 0), source: str = "s"
) -> JudgedPair:
    """One pair; three share a cluster."""
    first, second, ties = votes
    return JudgedPair(
        id=str(number), source=source, lang="en", prompt=(Message(role="user", content="Why?"),),
        first=f"good {number}", second=f"poor {number}", prefer_first=first, prefer_second=second,
        ties=ties, cluster=f"c{number // 3}", licence="MIT",
    )  # fmt: skip


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
@settings(max_examples=60)
def test_a_share_is_the_share_of_people_and_never_certain(a: int, b: int, ties: int) -> None:
    """The better answer of the majority stands first, at (k + ties/2 + 1/2) / (n + 1)."""
    (pair,) = prefer_judged(
        [judged(0, votes=(a, b, ties))], count=None, held_out=1e-12, held=None, seed=0,
        fits=everything,
    ).pairs  # fmt: skip

    assert 0 < pair.p_chosen < 1
    assert pair.p_chosen == pytest.approx((max(a, b) + ties / 2 + 0.5) / (a + b + ties + 1))
    assert pair.chosen == ("good 0" if a >= b else "poor 0")


@given(st.integers(0, 3), st.integers(0, 2**32), st.floats(0.05, 0.9))
@settings(max_examples=30, deadline=None)
def test_what_is_measured_on_is_never_learned_from(start: int, seed: int, share: float) -> None:
    """No cluster stands on both sides, whatever the seed; which side does not depend on it."""
    pairs = [judged(n) for n in range(start, 60)]
    found = prefer_judged(pairs, count=None, held_out=share, held=None, seed=seed, fits=everything)
    clusters = {p.family.split("/")[1] for p in found.pairs}

    assert not clusters & {p.cluster for p in found.held}
    assert len(found.pairs) + len(found.held) == len(pairs)
    assert {p.id for p in found.held} == {p.id for p in pairs if is_held(p, share)}


def test_a_small_source_is_not_drowned_by_a_large_one() -> None:
    """Draws go round the sources, and what stays out is counted."""
    pairs = [judged(n) for n in range(300)] + [judged(n, source="small") for n in range(30)]
    found = prefer_judged(pairs, count=20, held_out=0.2, held=5, seed=1, fits=everything)
    by_source = [p.family.split("/")[0] for p in found.pairs]

    assert by_source.count("small") == 10
    assert [p.source for p in found.held].count("s") == 5
    assert found.left_out == {"not drawn": 330 - 20 - len(found.held)}


def test_nobody_can_buy_the_breach_of_a_floor() -> None:
    """Pairs whose preferred answer breaches are refused and counted under the norm."""
    breach = Breach("g.x@1", lambda texts: ["good 1" in t for t in texts])
    found = prefer_judged(
        [judged(1), judged(2)], count=None, held_out=1e-12, held=None, seed=0, fits=everything,
        breach=breach,
    )  # fmt: skip

    assert [p.scene for p in found.pairs] == ["s/2"]
    assert [(c.norm, c.action, c.rows) for c in found.curation] == [("g.x@1", "refused", 1)]


def test_a_held_out_prompt_is_learned_from_nowhere() -> None:
    """Not through another source that asks the same, nor through an instruction."""
    pairs = [judged(n) for n in range(60)] + [judged(n, source="other") for n in range(60)]
    asked = [
        p.model_copy(update={"prompt": (Message(role="user", content=f"Why {p.cluster}?"),)})
        for p in pairs
    ]
    found = prefer_judged(asked, count=None, held_out=0.4, held=None, seed=0, fits=everything)
    held = held_prompts(asked, 0.4)
    rows = [
        Demonstration(
            scene=f"i/{p.id}", lang="en", completion="x", origin="human", licence="CC0", family="i",
            prompt=(Message(role="user", content=p.prompt[0].content.upper()),),
        )
        for p in asked[:60]
    ]  # fmt: skip
    shown = instruct(rows, count=None, seed=0, fits=everything, held=held)

    assert held
    assert not held & {asked_first(p.prompt) for p in found.pairs}
    assert not held & {asked_first(d.prompt) for d in shown.demonstrations}
    assert shown.left_out["held out"] == 60 - len(shown.demonstrations)


def test_a_tie_prefers_nothing() -> None:
    """A pair held level gives no demonstration, and a breach in it is removed as what it is."""
    tied = judged(1, votes=(1, 1, 0))
    found = prefer_judged([tied], count=None, held_out=1e-12, held=None, seed=0, fits=everything)
    breach = Breach("g.x@1", lambda texts: ["good" in t for t in texts])
    cut = prefer_judged(
        [tied], count=None, held_out=1e-12, held=None, seed=0, fits=everything, breach=breach
    )

    assert found.pairs[0].p_chosen == 0.5
    assert preferred_answers(found.pairs) == []
    assert [(c.action, c.rows) for c in cut.curation] == [("removed", 1)]


def test_instructions_are_read_drawn_and_curated(tmp_path: Path) -> None:
    """Packed or not, with input, licence and origin; a breaching answer is removed."""
    rows = [
        {"instruction": "Say", "input": "a", "response": f"x{n}", "lang": "pt", "licence": "MIT"}
        for n in range(6)
    ]
    (tmp_path / "one.jsonl.gz").write_bytes(
        gzip.compress("\n".join(map(json.dumps, rows)).encode())
    )
    read = read_instructions([tmp_path / "one.jsonl.gz"])
    found = instruct(
        read, count=4, seed=0, fits=lambda p, a: a != "x3",
        breach=Breach("g.x@1", lambda texts: [t == texts[0] for t in texts]),
    )  # fmt: skip

    assert read[0].prompt[0].content == "Say\n\na"
    assert {r.licence for r in read} == {"MIT"}
    assert len(found.demonstrations) == 3
    assert found.curation[0].rows == 1
    assert sum(found.left_out.values()) == 2


def test_a_separator_inside_an_answer_ends_no_row(tmp_path: Path) -> None:
    """JSON may hold line separators of Unicode as they are: two lines of an answer are one row."""
    row = {"instruction": "a", "response": "one\u2028two", "lang": "en"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")

    assert [d.completion for d in read_instructions([tmp_path / "a.jsonl"])] == ["one\u2028two"]


def test_faults_of_all_rows_come_at_once(tmp_path: Path) -> None:
    """Each with its line and what was expected."""
    lines = ['{"instruction": "a", "response": "", "lang": "en"}', "x", '{"origin": "alien"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")

    with pytest.raises(InputError) as error:
        read_instructions([tmp_path / "a.jsonl"])

    assert [f.where for f in error.value.faults] == [
        "a.jsonl:1: response", "a.jsonl:2", "a.jsonl:3: instruction", "a.jsonl:3: response",
        "a.jsonl:3: lang", "a.jsonl:3: origin",
    ]  # fmt: skip


def test_preferred_answers_stand_in_for_demonstrations() -> None:
    """Each is the answer that most people preferred."""
    found = prefer_judged(
        [judged(1, votes=(0, 3, 0))], count=None, held_out=1e-12, held=None, seed=0,
        fits=everything,
    )  # fmt: skip

    assert [d.completion for d in preferred_answers(found.pairs)] == ["poor 1"]
