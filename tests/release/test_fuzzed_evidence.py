"""Thousands of random and malformed criteria and rows: an input fault or a verdict, never more.

Nothing that is broken, unknown or left out may lead to RELEASE, and nothing may break off.
"""

from __future__ import annotations

import json
import random
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.release import worked

from normwright.flow.releasing import decided
from normwright.records import VERDICTS, Fault, InputError
from normwright.release import criteria_in
from normwright.store import KeyHome

NOW = datetime(2026, 10, 20, tzinfo=UTC)
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))]
"""One is for every day; with all of them some thousands of files are damaged."""

JUNK: list[Any] = [
    None, True, False, 0, 1, -1, 2**70, 0.5, -0.5, 1e300, "", " ", "x", "1e-5", "nan", "…", [], [1],
    {}, {"a": 1}, [[]], "sha256:0", "2026-10-05", "lang", {"lang": "pt"}, ["lang"], "block", [0, 0],
    [5, 3], "é", "\u202e", 10**400, [None], {"": ""},
]  # fmt: skip


def damaged(value: Any, draw: random.Random, times: int) -> Any:
    """A value with some of its parts replaced, left out or doubled."""
    found = deepcopy(value)
    for _ in range(times):
        parts: list[tuple[Any, Any]] = []
        _walk(found, parts)
        holder, key = draw.choice(parts)
        match draw.randrange(4):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.append(deepcopy(holder[key]))
            case 2 if isinstance(holder, dict):
                holder[str(draw.choice(JUNK))[:20]] = draw.choice(JUNK)
            case _:
                holder[key] = deepcopy(draw.choice(JUNK))
        if not found:
            return found
    return found


def _walk(value: Any, parts: list[tuple[Any, Any]]) -> None:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in pairs:
        parts.append((value, key))
        if isinstance(one, dict | list):
            _walk(one, parts)


def evidence(directory: Path, rows: Any, permit: Any) -> Path:
    """Write rows as they are, whatever they are."""
    directory.mkdir(exist_ok=True)
    (directory / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    (directory / "permit.json").write_text(json.dumps(permit), encoding="utf-8")
    return directory


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_criteria_are_refused_or_read(seed: int) -> None:
    """Any damage to the criteria gives faults with their places, or criteria."""
    draw, whole, read = random.Random(seed), yaml.safe_load(worked.CRITERIA), 0
    faults: list[Fault] = []
    for _ in range(120):
        text = yaml.safe_dump(damaged(whole, draw, draw.randint(1, 4)), allow_unicode=True)
        try:
            criteria_in(text, where="criteria", languages=("en", "pt"))
            read += 1
        except InputError as error:
            faults.extend(error.faults)

    assert 0 < read < 120
    assert faults
    assert all(fault.where and fault.expected for fault in faults)


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_criteria_that_are_read_can_be_decided_by(seed: int, tmp_path: Path) -> None:
    """What the reader lets through, the gate decides by; open weights are never released."""
    draw, whole, home = random.Random(seed), yaml.safe_load(worked.CRITERIA), KeyHome(tmp_path)
    rows = [*worked.sound(), *worked.controls()]
    folder, file = evidence(tmp_path / "e", rows, worked.PERMIT), tmp_path / "criteria.yaml"
    done = 0
    while done < 12:
        text = yaml.safe_dump(damaged(whole, draw, 1), allow_unicode=True)
        file.write_text(text, encoding="utf-8")
        try:
            found = decided(file, folder, now=NOW, home=home)
        except InputError:
            continue
        done += 1
        assert all(mode.verdict in VERDICTS for mode in found.verdict.modes)
        assert not any("block: unknown" in r.reason["en"]
                       for m in found.verdict.modes for r in m.results)  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_rows_are_refused_or_decided(seed: int, tmp_path: Path) -> None:
    """Any damage to rows gives faults or a verdict, and none breaks off inside a criterion."""
    draw, home = random.Random(seed), KeyHome(tmp_path)
    file = tmp_path / "criteria.yaml"
    file.write_text(worked.CRITERIA, encoding="utf-8")
    whole = [*worked.sound(), *worked.controls()]
    for _ in range(40):
        rows = damaged(whole, draw, draw.randint(1, 3))
        permit = worked.PERMIT if draw.random() < 0.7 else damaged(worked.PERMIT, draw, 1)
        folder = evidence(tmp_path / "e", rows, permit)
        try:
            found = decided(file, folder, now=NOW, home=home)
        except InputError:
            continue
        for mode in found.verdict.modes:
            assert mode.verdict in VERDICTS
            assert not any("block: unknown" in r.reason["en"] for r in mode.results), rows


def test_leaving_out_any_row_of_the_candidate_never_helps(tmp_path: Path) -> None:
    """Every row that is asked for is needed: without it no mode that rests on it is released."""
    home, file = KeyHome(tmp_path), tmp_path / "criteria.yaml"
    file.write_text(worked.CRITERIA, encoding="utf-8")
    rows = worked.sound()
    in_both = {"judge.minors", "judge.uplift", "arc.accuracy", "sandbag.score"}
    for left_out in rows:
        kept = [row for row in rows if row is not left_out]
        folder = evidence(tmp_path / "e", [*kept, *worked.controls()], worked.PERMIT)
        internal, guarded, _ = decided(file, folder, now=NOW, home=home).verdict.modes

        noise = "noise" in left_out["slice"]  # one level of two is a curve still
        # The permit says the level of decision too, and open weights alone ask about tampering.
        spared = noise or left_out["metric"] in ("tamper.after", "min_decision_level")
        assert (guarded.verdict == "RELEASE") is spared, left_out
        asked = left_out["metric"] in in_both and not noise
        assert (internal.verdict == "RELEASE") is not asked, left_out


def test_random_bytes_are_no_evidence(tmp_path: Path) -> None:
    """Files of noise, packed or not, are faults."""
    draw, file = random.Random(5), tmp_path / "criteria.yaml"
    file.write_text(worked.CRITERIA, encoding="utf-8")
    folder = tmp_path / "e"
    folder.mkdir()
    for name in ("a.json", "b.jsonl", "c.json.gz", "d.jsonl.gz"):
        for size in (0, 1, 7, 100, 5000):
            for old in folder.iterdir():
                old.unlink()
            (folder / name).write_bytes(draw.randbytes(size))
            if size or name not in ("b.jsonl", "d.jsonl.gz"):
                with pytest.raises(InputError):
                    decided(file, folder, now=NOW, home=KeyHome(tmp_path))
