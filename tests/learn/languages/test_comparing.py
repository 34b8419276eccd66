"""Strategies learn from what they say, cells are resumed, and the table is counted right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from normwright.learn.languages import (
    Cell,
    compare_languages,
    learned_from,
    lexical_translator,
    taught,
)
from normwright.models.tuning import Loop, Lora
from normwright.records import Demonstration, InputError, Message

WORDS = [("red", "vermelho"), ("dog", "cão"), ("house", "casa")]


def row(i: int, lang: str) -> Demonstration:
    en, pt = WORDS[i % 3]
    return Demonstration(
        scene=f"s{i}", lang=lang,
        prompt=(Message(role="user", content=f"{en if lang == 'en' else pt} {i}"),),
        completion=f"{en if lang == 'en' else pt}.",
        origin="synthetic", licence="x", family=f"f{i % 4}",
    )  # fmt: skip


NATIVE = [row(i, "pt") for i in range(2)]
OTHER = [row(i, "en") for i in range(2, 8)]
HELD = [row(i, lang) for i in range(20, 28) for lang in ("en", "pt")]
TABLE = lexical_translator(
    [{"en": f"{a} {b}", "pt": f"{c} {d}"} for a, c in WORDS for b, d in WORDS if a != b],
    languages=("en", "pt"),
)


@pytest.mark.parametrize(
    ("strategy", "langs"),
    [
        ("native", ["pt"] * 2),
        ("translated", ["pt"] * 6),
        ("mixed", ["pt"] * 2 + ["en"] * 6),
        ("transfer", ["en"] * 6),
    ],
)
def test_each_strategy_learns_from_what_it_says(strategy: str, langs: list[str]) -> None:
    """Which rows in which language, and whether they are translated."""
    rows = learned_from(strategy, NATIVE, OTHER, TABLE)

    assert [r.lang for r in rows] == langs
    assert {r.origin for r in rows} == (
        {"translated"} if strategy == "translated" else {"synthetic"}
    )


def test_a_strategy_that_translates_says_that_it_cannot() -> None:
    """Without a translator it is refused with what to do."""
    with pytest.raises(InputError, match="parallel text"):
        learned_from("back-translated", NATIVE, OTHER, None)


def test_a_killed_comparison_goes_on_and_gives_the_same_cells(tiny: Any, tmp_path: Path) -> None:
    """Finished cells are read, a line that was cut short is made again, and all is as before."""
    told: list[str] = []

    def run(work: Path) -> list[Cell]:
        return compare_languages(
            tiny, NATIVE, OTHER, HELD, loop=Loop(steps=1, batch=2, lr=1e-3), lora=Lora(rank=2),
            lora_rate=1e-2, seeds=[0], translator=None, strategies=["native"], max_new_tokens=4,
            work=work, progress=lambda done, of, what: told.append(f"{done}/{of}"),
            unpermitted=True,
        )  # fmt: skip

    whole = run(tmp_path / "a")
    lines = (tmp_path / "a/cells.jsonl").read_text(encoding="utf-8").splitlines()
    (tmp_path / "b").mkdir()
    (tmp_path / "b/cells.jsonl").write_text(f"{lines[0]}\n{lines[1][:40]}\n", encoding="utf-8")
    again = run(tmp_path / "b")

    assert [c.strategy for c in whole] == ["start", "native", "native"]
    assert [(c.exact, c.rows) for c in again] == [(c.exact, c.rows) for c in whole]
    assert told[:4] == ["0/3", "1/3", "2/3", "3/3"]
    assert len(json.loads(lines[0])["nats"]) == len(HELD)


def test_the_table_counts_gap_gain_and_spread() -> None:
    """On planted answers: shares, paired gap and gain, and the deviation over seeds."""

    def cell(strategy: str, seed: int, right: int) -> Cell:
        names = {f"{r.lang}|{r.scene}": r for r in HELD}
        exact = {n: r.lang == "en" or int(r.scene[1:]) < 20 + right for n, r in names.items()}
        return Cell(strategy, False, seed, 2, exact, dict.fromkeys(names, 1.0))

    cells = [cell("start", 0, 0), cell("native", 0, 4), cell("native", 1, 6)]
    start, native = taught(cells, HELD, language="pt", other="en")

    assert start.exact["pt"].value == 0
    assert start.exact["en"].value == 1
    assert native.exact["pt"].value == pytest.approx((4 / 8 + 6 / 8) / 2)
    assert native.gap.value == pytest.approx(1 - 5 / 8)
    assert native.gain.value == pytest.approx(5 / 8)
    assert native.spread == pytest.approx(0.25 / 2**0.5)
    assert native.exact["pt"].n == 4  # families
