"""A study is blind, sealed and analysed as it was sealed; whatever differs is told."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from normwright.evaluate.human import (
    Population,
    compare_systems,
    items_needed,
    prepare,
    read_judged,
    read_plan,
    read_ratings,
    recover,
)
from normwright.flow.studies import analyse_study, prepare_study
from normwright.records import InputError, Placed, Rating, StudyItem, StudyPlan

PLAN = StudyPlan(id="s1", systems=("ours", "theirs"), raters=4, per_item=2)
ITEMS = tuple(
    StudyItem(
        id=f"q{i}", prompt=f"Question {i}?", first=f"ours {i}", second=f"theirs {i}" + "x" * i
    )
    for i in range(40)
)
BEGUN = "2026-01-01T00:00:00+00:00"
LATER = "2026-01-02T00:00:00+00:00"


def study(folder: Path) -> Path:
    """A study on disk."""
    (folder / "plan.yaml").write_text(
        "id: s1\nsystems: [ours, theirs]\nraters: 4\nper_item: 2\n", encoding="utf-8"
    )
    for name, side in (("ours", "first"), ("theirs", "second")):
        lines = [
            json.dumps({"id": i.id, "prompt": i.prompt, "answer": getattr(i, side)}) for i in ITEMS
        ]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    out = folder / "study"
    prepare_study(
        folder / "plan.yaml", folder / "ours.jsonl", folder / "theirs.jsonl", out,
        secret="s", at=BEGUN,
    )  # fmt: skip
    return out


def filled(out: Path, choose: Callable[[dict[str, str]], str], *, at: str = LATER) -> list[Path]:
    """The sheets as raters bring them back."""
    paths = sorted((out / "sheets").glob("*.csv"))
    for path in paths:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
        for row in rows:
            row |= {"choice": choose(row), "at": at}
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys(), delimiter=";")
            writer.writeheader()
            writer.writerows(rows)
    return paths


def ours(row: dict[str, str]) -> str:
    """Somebody who nearly always knows, and likes, the first system."""
    if row["prompt"] == "Question 3?":
        return "tie"
    return "first" if row["first"].startswith("ours") else "second"


def test_sheets_are_balanced_and_tell_nothing() -> None:
    """Even loads, each item to as many people as planned, each side first half of the time."""
    made = prepare(PLAN, ITEMS, secret="s")
    loads = [len(rows) for rows in made.sheets.values()]
    seen = Counter(p.item for p in made.key)

    assert max(loads) - min(loads) <= 1
    assert set(seen.values()) == {2}
    assert len({(p.rater, p.item) for p in made.key}) == len(made.key) == 80
    for rater, rows in made.sheets.items():
        swapped = [p.swapped for p in made.key if p.rater == rater]
        assert abs(sum(swapped) * 2 - len(rows)) <= 1
        shown = " ".join(row.row for row in rows)
        assert not any(item.id in shown for item in ITEMS if len(item.id) > 2)
    assert prepare(PLAN, ITEMS, secret="s") == made
    assert prepare(PLAN, ITEMS, secret="t").key != made.key


def test_a_study_that_went_as_sealed_is_confirmatory(tmp_path: Path) -> None:
    """From folder to result: unblinded right, whoever stood first."""
    out = study(tmp_path)
    found = analyse_study(out, filled(out, ours))

    assert found.confirmatory
    assert (found.wins, found.ties, found.losses) == (78, 2, 0)
    assert (found.raters, found.items) == (4, 40)
    assert found.share.value == pytest.approx(79 / 80)
    assert found.state == "shown"
    assert found.position.value == pytest.approx(0.5, abs=0.02)
    assert found.length.value == pytest.approx(1 / 80)
    assert found.counts == {"planned": 80, "missing": 0}


def test_somebody_who_always_takes_the_first_shows_nothing(tmp_path: Path) -> None:
    """A rater with a leaning makes no system better; the leaning is told."""
    out = study(tmp_path)
    found = analyse_study(out, filled(out, lambda _: "first"))

    assert found.share.value == pytest.approx(0.5)
    assert found.state == "open"
    assert found.position.value == 1.0


@pytest.mark.parametrize(
    ("file", "old", "new", "deviation"),
    [
        ("plan.json", '"least_effect": 0.1', '"least_effect": 0.2', "plan"),
        ("items.jsonl", "Question 3?", "Question 3!", "items"),
        ("key.json", '"swapped": true', '"swapped": false', "key"),
        ("key.json", '"secret": "s"', '"secret": "other"', "key"),
        ("registration.json", BEGUN, "2026-03-01T00:00:00+00:00", "rated-before"),
    ],
)
def test_whatever_was_changed_is_told(
    tmp_path: Path, file: str, old: str, new: str, deviation: str
) -> None:
    """Each sealed thing is noticed when it differs, and the result is exploratory."""
    out = study(tmp_path)
    sheets = filled(out, ours)
    text = (out / file).read_text(encoding="utf-8")
    assert old in text
    (out / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    found = analyse_study(out, sheets)

    assert not found.confirmatory
    assert deviation in found.deviations


def test_ratings_without_a_time_are_not_confirmatory(tmp_path: Path) -> None:
    """Nobody can say that they came after the seal."""
    out = study(tmp_path)

    assert analyse_study(out, filled(out, ours, at="")).deviations == ("time-unknown",)


def test_every_fault_of_a_sheet_is_named_at_once(tmp_path: Path) -> None:
    """An unknown row, a row filled twice, an unknown choice, half an acceptability."""
    key = [Placed(row=f"r{i}", rater="a", item="q1", swapped=False) for i in range(4)]
    sheet = tmp_path / "sheet.jsonl"
    lines = [
        {"row": "r9", "choice": "first"},
        {"row": "r0", "choice": "first"},
        {"row": "r0", "choice": "tie"},
        {"row": "r1", "choice": "both"},
        {"row": "r2", "choice": "tie", "first_ok": "yes"},
        {"row": "r3", "choice": ""},
    ]
    sheet.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")

    with pytest.raises(InputError) as caught:
        read_ratings([sheet], key, ITEMS)

    assert [fault.where for fault in caught.value.faults] == [
        f"{sheet}:{line}" for line in (1, 3, 4, 5)
    ]


def test_a_folder_in_use_is_not_written_over(tmp_path: Path) -> None:
    """A second preparation is refused, and nothing half-made is left when input is bad."""
    out = study(tmp_path)
    before = (out / "key.json").read_bytes()
    with pytest.raises(InputError, match="new folder"):
        study(tmp_path)
    assert (out / "key.json").read_bytes() == before
    assert (out / "key.json").stat().st_mode & 0o077 == 0

    (tmp_path / "theirs.jsonl").write_text('{"id": "q1", "prompt": "other", "answer": "x"}\n')
    with pytest.raises(InputError) as caught:
        prepare_study(tmp_path / "plan.yaml", tmp_path / "ours.jsonl", tmp_path / "theirs.jsonl",
                      tmp_path / "new", secret="s", at=BEGUN)  # fmt: skip
    assert len(caught.value.faults) == 40
    assert not list(tmp_path.glob("*new*"))


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("id: x\nsystems: [a, a]\nraters: 3\n", "systems"),
        ("id: x\nsystems: [a, b]\nraters: 1\n", "raters"),
        ("id: x\nsystems: [a, b]\nraters: 3\nper_item: 4\n", "per_item"),
        ("id: x\nsystems: [a, b]\nraters: 3\nclaim: equivalence\n", "margin"),
        ("id: x\nsystems: [a, b]\nraters: 3\nrater: 4\n", "rater"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(tmp_path: Path, body: str, where: str) -> None:
    """Each fault stands at its key."""
    path = tmp_path / "plan.yaml"
    path.write_text(body)
    with pytest.raises(InputError) as caught:
        read_plan(path)
    assert [f.where for f in caught.value.faults] == [f"{path}: {where}"]


def test_more_items_do_not_replace_raters() -> None:
    """With few raters there is a power no number of items reaches; with many there is a number."""
    few = PLAN.model_copy(update={"raters": 2, "per_item": 2})
    many = PLAN.model_copy(update={"raters": 30, "per_item": 3})
    needed = items_needed(many)

    assert items_needed(few) is None
    assert needed is not None
    assert 50 < needed < 1000


def test_a_claim_of_being_as_good_uses_its_margin(tmp_path: Path) -> None:
    """Ratings spread evenly are as good within a wide margin, and not shown within a narrow one."""
    ratings = [
        Rating(rater=f"r{i % 12}", item=f"i{i // 12}", share=float((i + i // 12) % 2))
        for i in range(12 * 60)
    ]
    states = {}
    for margin in (0.01, 0.2):
        from normwright.evaluate.human import analyse

        plan = StudyPlan(id="s", systems=("a", "b"), raters=12, per_item=12,
                         claim="equivalence", margin=margin)  # fmt: skip
        states[margin] = analyse(plan, ratings).state

    assert states == {0.01: "open", 0.2: "shown"}


def test_simulated_raters_are_recovered() -> None:
    """Of 500 studies 93 to 97 % hold the planted share; taken as independent far fewer do."""
    found = recover(Population(), runs=500, seed=0)

    assert found.coverage.value is not None
    assert found.naive.value is not None
    assert found.bias.interval is not None
    assert 0.93 <= found.coverage.value <= 0.97
    assert found.naive.value < 0.88
    assert found.bias.interval.low <= 0 <= found.bias.interval.high


def _data() -> Path:
    folder = os.environ.get("NORMWRIGHT_DATA")
    if not folder:
        pytest.skip("NORMWRIGHT_DATA is not set; published judgements are not at hand")
    return Path(folder) / "preferences"


@pytest.mark.parametrize(
    ("name", "kind", "pairs", "raters"),
    [("tulu_human_eval", "tulu", 3, 16), ("pandalm_3annotators", "pandalm", 10, 3)],
)
def test_published_judgements_are_analysed(name: str, kind: str, pairs: int, raters: int) -> None:
    """Each pair of systems gets its share; no pair is shown without its interval beside a half."""
    found = read_judged(_data() / f"{name}.jsonl.gz", kind)
    results = compare_systems(found.ratings, study=name)

    assert len(results) == pairs
    assert max(result.raters for result in results) <= raters
    for result in results:
        assert result.share.interval is not None
        assert not result.confirmatory
        if result.state == "shown":
            assert result.share.interval.low > 0.5
        if result.state != "open":
            assert result.p_value is not None
            assert result.p_value <= 0.05


def test_a_pair_is_told_of_the_same_system_whatever_its_place(tmp_path: Path) -> None:
    """Swapping the columns of a published file changes nothing but what stood first."""

    def row(a: str, b: str, said: str, ok: tuple[str, str], texts: tuple[str, str]) -> Any:
        return {
            "instance_id": "t", "model_a": a, "model_b": b, "preference": said, "evaluator": "E1",
            "a_acceptable": ok[0], "b_acceptable": ok[1],
            "completion_a": texts[0], "completion_b": texts[1],
        }  # fmt: skip

    both: list[Rating] = []
    for body in (
        row("x", "y", "a-is-better", ("yes", "no"), ("long text", "no")),
        row("y", "x", "b-is-better", ("no", "yes"), ("no", "long text")),
    ):
        path = tmp_path / f"{len(both)}.jsonl"
        path.write_text(json.dumps(body) + "\n")
        both.append(read_judged(path, "tulu").ratings[("x", "y")][0])

    assert both[0].model_copy(update={"swapped": True}) == both[1]
    assert (both[0].share, both[0].acceptable, both[0].longer) == (1.0, (1.0, 0.0), True)
