"""A reader of breaches learns from people's labels, and its controls show that it did."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from normwright.guard import (
    FittedLabels,
    LabelledText,
    LabelReader,
    fit_labels,
    measure_labels,
    read_labels,
)
from normwright.records import InputError, IntegrityError, Measurement

WORDS = ["rain", "market", "garden", "letter", "bridge", "window", "paper", "river", "music"]


def texts(count: int = 600, *, seed: int = 0) -> list[LabelledText]:
    """Texts of the same words and lengths; those with `zork` were called a breach by most."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        breach = number % 2 == 0
        words = [*rng.choices(WORDS, k=8), "zork" if breach else "plok"]
        rng.shuffle(words)
        made.append(
            LabelledText(
                " ".join(words), 2 if breach else 1, 1 if breach else 2,
                "en" if number % 3 else "pt", "far" if number % 5 == 0 else "near", "CC0",
                f"c{number // 2}",
            )
        )  # fmt: skip
    return made


@pytest.fixture(scope="module")
def fitted() -> FittedLabels:
    """A reader fitted on the texts above, `far` kept unseen."""
    return fit_labels(texts(), norm="g.test", seed=1, unseen=["far"])


def measured(fitted: FittedLabels) -> dict[tuple[str, str, str], Measurement]:
    """Measurements over all languages by suite, metric and role."""
    digests = dict.fromkeys(("labels", "control:shuffled-labels", "control:length"), "sha256:0")
    made = measure_labels(fitted, digests=digests, seed=1, rounds=200)
    return {(m.suite, m.metric, m.model): m for m in made if m.lang is None}


def test_it_finds_what_people_called_a_breach_and_controls_do_not(fitted: FittedLabels) -> None:
    """The reader is shown to be above chance; shuffled labels and length are not."""
    found = measured(fitted)
    real = found["labels", "auc", "labels"].estimate
    shuffled = found["labels", "auc", "control:shuffled-labels"].estimate
    length = found["labels", "auc", "control:length"].estimate

    assert real.interval is not None
    assert real.interval.low > 0.9
    for control in (shuffled, length):
        assert control.interval is not None
        assert control.interval.low < 0.6


def test_rates_carry_n_interval_seed_and_a_constant_answer(fitted: FittedLabels) -> None:
    """Every number has what is needed to believe it."""
    for (_, metric, _), m in measured(fitted).items():
        assert m.estimate.n > 0
        assert m.estimate.interval is not None, metric
        assert m.estimate.seed == 1
        assert m.baselines
        assert m.norm == "g.test"


def test_an_unseen_source_is_only_measured_on(fitted: FittedLabels) -> None:
    """Nothing of it is among the rows learned from, all of it is in the test."""
    assert set(fitted.reader.card["rows"]) == {"near/en", "near/pt"}
    assert sum(row.source == "far" for row in fitted.test) == 120


def test_clusters_are_never_split() -> None:
    """Texts of one cluster are learned from, calibrated on or tested together."""
    parts: dict[tuple[str, str], set[str]] = {}
    for row in texts():
        parts.setdefault((row.source, row.cluster), set()).add(row.part)

    assert {len(found) for found in parts.values()} == {1}


def test_texts_without_a_majority_and_repeated_ones_are_counted_out() -> None:
    """A tie teaches nothing, and a text counts once."""
    rows = texts()
    extra = LabelledText("undecided words here", 1, 1, "en", "near", "CC0", "x")
    found = fit_labels([*rows, extra, rows[0]], norm="g.test", seed=1)

    assert found.reader.card["left_out"]["no majority"] == 1
    assert found.reader.card["left_out"]["the same text again"] >= 1


def test_what_is_saved_is_read_back_and_proved(fitted: FittedLabels, tmp_path: Path) -> None:
    """The same scores come back; changed weights are refused."""
    fitted.reader.save(tmp_path)
    again = LabelReader.load(tmp_path)
    some = [row.text for row in fitted.test[:20]]
    data = bytearray((tmp_path / "labels.npz").read_bytes())
    data[-200] ^= 1
    (tmp_path / "labels.npz").write_bytes(bytes(data))

    assert again.probabilities(some).tolist() == fitted.reader.probabilities(some).tolist()
    with pytest.raises(IntegrityError):
        LabelReader.load(tmp_path)


def test_a_bad_file_gets_one_error_with_every_line(tmp_path: Path) -> None:
    """All faults of all rows come at once, and no text is repeated."""
    good = {"text": "secret words", "yes": 1, "no": 0, "lang": "en", "source": "s",
            "licence": "CC0", "cluster": "1"}  # fmt: skip
    lines = [
        json.dumps(good), "{", json.dumps({**good, "yes": -1}), json.dumps({**good, "lang": ""}),
        "[]",
    ]  # fmt: skip
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")

    with pytest.raises(InputError) as error:
        read_labels([tmp_path / "a.jsonl"])

    assert [f.where for f in error.value.faults] == [
        "a.jsonl:2", "a.jsonl:3: yes", "a.jsonl:4: lang", "a.jsonl:5",
    ]  # fmt: skip
    assert "secret" not in str(error.value)


def test_a_separator_inside_a_text_ends_no_row(tmp_path: Path) -> None:
    """JSON may hold line separators of Unicode as they are: two lines of a text are one row."""
    row = {"text": "one\u2028two\u0085three", "yes": 1, "no": 0, "lang": "en", "source": "s",
           "licence": "CC0", "cluster": "1"}  # fmt: skip
    (tmp_path / "a.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")

    assert [text.text for text in read_labels([tmp_path / "a.jsonl"])] == [row["text"]]


def test_one_side_alone_is_refused() -> None:
    """A reader cannot learn from texts of one kind, nor measure on a source that is not there."""
    only = [row for row in texts() if row.label]

    with pytest.raises(InputError) as error:
        fit_labels(only, norm="g.test", seed=1, unseen=["nowhere"])

    assert len(error.value.faults) == 4
