"""The card of a model says what the run knows, in both languages, and what it does not."""

from __future__ import annotations

from pathlib import Path

from normwright.learn.cards import _WORDS, model_card, rows_facts
from normwright.records import MadeBy, ModelRef, digest_bytes

ROWS = """{"prompt":"a","completion":"b","lang":"pt","licence":"CC0-1.0","norms":["n@1"]}
{"prompt":"c","completion":"d","lang":"en"}
"""


def test_both_languages_say_the_same_things(tmp_path: Path) -> None:
    """Every heading stands in both; rows without a licence are counted as a limit in both."""
    place = tmp_path / "rows.jsonl"
    place.write_text(ROWS, encoding="utf-8")
    ref = ModelRef(
        name="tuned", files={}, parameters=1234567, base=digest_bytes(b"base"),
        data=(digest_bytes(ROWS.encode()),), recipe="sft", settings={"lr": 0.001},
        metrics={"last_loss": 1.25}, unpermitted=True, made_by=MadeBy(stage="learn", plugin="sft"),
    )  # fmt: skip
    text = model_card(ref, rows_facts(place), notes=("It stutters.",))

    assert set(_WORDS["en"]) == set(_WORDS["pt"])
    assert text.count("1 of 2 rows do not say under which licence") == 1
    assert text.count("1 de 2 linhas não dizem sob que licença") == 1
    assert "**Without a permit.**" in text
    assert "**Sem permissão.**" in text
    assert text.count("It stutters.") == 2
    assert text.count("1,234,567") == 2
    assert text.startswith("---\nlanguage:\n- pt\n- en\n")
    assert text.count("n@1 (1)") == 2
