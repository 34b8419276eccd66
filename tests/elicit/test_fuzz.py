"""Broken files: every one is read or refused, in no time, and nothing is left of the attempt."""

from __future__ import annotations

import gzip
import io
import os
import random
import tempfile
import traceback
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from tests.breaking import NASTY, Late, break_bytes, limit
from tests.elicit.samples import FILES, bytes_of

from normwright.elicit import read_source
from normwright.records import InputError

TRIES = int(os.environ.get("NORMWRIGHT_TRIES", "2000"))
"""How many broken sources are read; `scripts/exhaustive.py` asks for more."""
SECONDS = 5.0
"""What one try may take of the processor; the files are some hundred bytes."""


def break_cells(data: bytes, rng: random.Random) -> bytes:
    """Change, swap, drop or repeat lines and cells, as somebody with an editor might."""
    rows = data.split(b"\n")
    here = rng.randrange(len(rows))
    mark = rng.choice((b",", b",", b":", b" ", b'"'))
    cells = rows[here].split(mark)
    cell = rng.randrange(len(cells))
    match rng.randrange(8):
        case 0:
            cells[cell] = rng.choice(NASTY)
        case 1:
            del cells[cell]
        case 2:
            cells.insert(cell, cells[rng.randrange(len(cells))])
        case 3:
            other = rng.choice(rows).split(mark)
            cells[cell] = rng.choice(other)
        case 4:
            rows.insert(here, rng.choice(rows))
            return b"\n".join(rows)
        case 5:
            del rows[here]
            return b"\n".join(rows)
        case 6:
            there = rng.randrange(len(rows))
            rows[here], rows[there] = rows[there], rows[here]
            return b"\n".join(rows)
        case _:
            column = cell
            changed = [row.split(b",") for row in rows]
            for one in changed:
                if column < len(one):
                    one.append(one.pop(column))
            return b"\n".join(b",".join(one) for one in changed)
    rows[here] = mark.join(cells)
    return b"\n".join(rows)


def broken(files: dict[str, bytes], rng: random.Random) -> dict[str, bytes]:
    """A source with one to three mistakes in it, perhaps packed, perhaps lacking a file."""
    made = dict(files)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        name = rng.choice(list(made))
        made[name] = rng.choice((break_bytes, break_cells))(made[name], rng)
    if rng.random() < 0.05 and len(made) > 1:
        del made[rng.choice(list(made))]
    if rng.random() < 0.1:
        name = rng.choice(list(made))
        packed = gzip.compress(made.pop(name), mtime=0)
        made[f"{name}.gz"] = break_bytes(packed, rng) if rng.random() < 0.5 else packed
    if rng.random() < 0.05:
        name = rng.choice(list(made))
        made[rng.choice(("x.csv", "x.soc", "x.jsonl", "votes.csv", "a.xlsx"))] = made.pop(name)
    return made


def zipped(files: dict[str, bytes], rng: random.Random) -> bytes:
    """An archive of the files, perhaps broken, perhaps with names that lead elsewhere."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            place = rng.choice(("", "", "", "export/", "../", "/", "a\\"))
            archive.writestr(place + name, data)
    data = out.getvalue()
    return break_bytes(data, rng) if rng.random() < 0.5 else data


def lay(place: Path, seed: int) -> tuple[Path, dict[Path, bytes]]:
    """Lay one broken source down; return its path and everything that lies there."""
    rng = random.Random(seed)
    _, sample = FILES[rng.choice(list(FILES))]
    files = broken(bytes_of(sample), rng)
    for old in place.rglob("*"):
        if old.is_file():
            old.unlink()
    if rng.random() < 0.08:
        files = {"export.zip": zipped(files, rng)}
    for name, data in files.items():
        (place / name).write_bytes(data)
    alone = rng.random() < 0.2 or list(files) == ["export.zip"]
    path = place / rng.choice(list(files)) if alone else place
    return path, {place / name: data for name, data in files.items()}


@pytest.mark.parametrize("part", range(4))
def test_broken_sources_are_read_or_refused(tmp_path: Path, part: int) -> None:
    """Only faults of the input are raised, within a time limit, and nothing is written."""
    place, scratch = tmp_path / "source", tmp_path / "scratch"
    place.mkdir()
    scratch.mkdir()
    ended: Counter[str] = Counter()
    wrong: list[str] = []
    before, tempfile.tempdir = tempfile.tempdir, str(scratch)
    try:
        for seed in range(part, TRIES, 4):
            path, there = lay(place, seed)
            try:
                with limit(SECONDS):
                    source = read_source(path)
                ended["read"] += 1
                contents = (source.consulted, source.pairs, source.annotations, source.majorities)
                if sum(content is not None for content in contents) != 1 or not source.counts:
                    wrong.append(f"{seed}: {source.counts}")
            except InputError as error:
                ended["refused"] += 1
                if not error.faults or not all(f.where and f.expected for f in error.faults):
                    wrong.append(f"{seed}: faults without a place")
            except (Exception, Late):  # noqa: BLE001 - whatever it is, it is to be seen
                wrong.append(f"{seed}: {traceback.format_exc()[-1500:]}")
            now = {p: p.read_bytes() for p in place.rglob("*") if p.is_file()}
            if now != there or any(scratch.iterdir()):
                wrong.append(f"{seed}: something was written")
            if len(wrong) > 5:
                break
    finally:
        tempfile.tempdir = before

    assert not wrong, "\n".join(wrong)
    assert min(ended["read"], ended["refused"]) > TRIES // 40


@pytest.mark.parametrize("name", FILES)
def test_samples_are_read_by_their_format(tmp_path: Path, name: str) -> None:
    """What is broken above is whole to begin with, and recognised for what it is."""
    slug, files = FILES[name]
    for file, data in bytes_of(files).items():
        (tmp_path / file).write_bytes(data)

    assert read_source(tmp_path).format == slug
