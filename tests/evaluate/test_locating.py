"""Probes: a planted label is found from its layer on, and random ones are not selective."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from normwright.evaluate.locating import ProbeItem, elsewhere, probe, read_probe_items
from normwright.records import InputError


def items(n: int, *, words: int = 0, seed: int = 0) -> list[ProbeItem]:
    rng = np.random.default_rng(seed)
    return [
        ProbeItem(f"text {i} w{rng.integers(words) if words else i}", "yn"[int(rng.random() < 0.5)],
                  f"c{i // 2}")
        for i in range(n)
    ]  # fmt: skip


def test_a_label_is_found_from_the_layer_it_was_written_into() -> None:
    """Before the planted layer selectivity is about 0, from there on it is shown."""
    rng, asked = np.random.default_rng(1), items(120)
    states = rng.normal(size=(4, 120, 16))
    signs = np.array([1.0 if item.label == "y" else -1.0 for item in asked])
    direction = rng.normal(size=16)
    states[2:] += 0.8 * signs[:, None] * direction
    rows, gaps, by = probe({"A": states[[0, 1, 0, 1]], "B": states}, asked, seed=0)
    at = {(r.model, r.layer): r.selectivity.interval for r in rows}

    assert by == "item"
    for (model, layer), interval in at.items():
        assert interval is not None
        assert (interval.low > 0) is (model == "B" and layer >= 2)
    assert [g.layer for g in gaps if g.difference.interval and g.difference.interval.low > 0] == [
        2,
        3,
    ]
    assert all(abs(r.control - 0.5) < 0.1 for r in rows)


def test_random_labels_are_not_selective() -> None:
    """Over 8 sets of random labels the simultaneous interval holds 0 nearly always."""
    missed, values = 0, []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        rows, _, _ = probe({"A": rng.normal(size=(1, 80, 8))}, items(80, seed=seed), seed=seed)
        interval, value = rows[0].selectivity.interval, rows[0].selectivity.value
        assert interval is not None
        assert value is not None
        missed += not interval.low <= 0 <= interval.high
        values.append(value)

    assert missed <= 2
    assert abs(float(np.mean(values))) < 0.07


def test_a_probe_that_reads_only_the_word_is_not_selective() -> None:
    """States that hold nothing but the last word read any labels of words as well as these."""
    rng = np.random.default_rng(3)
    words = rng.integers(20, size=300)
    vectors, labels = rng.normal(size=(20, 40)), rng.permutation([0, 1] * 10)
    asked = [ProbeItem(f"{i} w{w}", str(labels[w]), str(i)) for i, w in enumerate(words)]
    rows, _, by = probe({"A": vectors[words][None]}, asked, seed=0)

    assert by == "last word"
    assert (rows[0].accuracy.value or 0) > 0.95
    assert rows[0].control > 0.95
    assert abs(rows[0].selectivity.value or 0) < 0.05


def test_rows_of_one_cluster_stay_together() -> None:
    """Copies of a text in another fold would be read by heart; whole clusters are left out."""
    rng = np.random.default_rng(4)
    vectors, labels = rng.normal(size=(30, 60)), rng.permutation([0, 1] * 15)
    ids = np.repeat(np.arange(30), 8)
    copies = [ProbeItem(f"t{i} {k}", str(labels[i]), f"c{i}") for k, i in enumerate(ids)]
    apart = [ProbeItem(item.text, item.label, str(k)) for k, item in enumerate(copies)]
    held, loose = (probe({"A": vectors[ids][None]}, rows, seed=0)[0][0] for rows in (copies, apart))

    assert (loose.accuracy.value or 0) > 0.95
    assert (held.accuracy.value or 0) < 0.85
    assert held.accuracy.n == 30


def test_other_questions_are_other_questions() -> None:
    """Nobody gets their own state, and everybody's is used once."""
    for n in (2, 7, 50):
        found = elsewhere(n, seed=n)
        assert sorted(found) == list(range(n))
        assert not (found == np.arange(n)).any()


def test_rows_that_cannot_be_read(tmp_path: Path) -> None:
    """Lines without text or label are told together, and too few rows are a fault."""
    file = tmp_path / "p.jsonl"
    file.write_text('{"text": "a"}\n{"label": 1}\n[]\n', encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read_probe_items(file)
    file.write_text("".join(json.dumps({"text": f"t{i}", "label": i % 2, "cluster": i // 4}) + "\n"
                            for i in range(40)), encoding="utf-8")  # fmt: skip
    with pytest.raises(InputError) as few:
        read_probe_items(file)

    assert len(raised.value.faults) == 3
    assert "10 clusters" in few.value.faults[0].seen
