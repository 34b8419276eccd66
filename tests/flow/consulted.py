"""A project on a small consultation of people, in which one person is easy to look for."""

from __future__ import annotations

import gzip
import html
from collections.abc import Collection
from pathlib import Path

from normwright import flow

WHO = "zqx-Perdita-7731"
"""The pseudonym of the person who will withdraw; it stands nowhere else."""
WROTE = 'The heron\'s "glass" umbrella must never be lent to <strangers> & bankers.'
ESCREVEU = "O guarda-chuva de vidro da garça nunca deve ser emprestado a banqueiros."

PROCESS = """\
id: bridge
kind: human
title: {en: The bridge, pt: A ponte}
identification: invite
polities:
- {id: world, name: {en: Everybody, pt: Todas as pessoas}, layer: global}
- {id: vila-clara, name: {en: Vila Clara, pt: Vila Clara}, layer: polity}
- {id: town-hall, name: {en: Town hall, pt: Prefeitura}, layer: organisation}
"""
STATEMENTS = (
    ("w1", "global", "world", "g.privacy.personal-data", "true", "Numbers are private.", "", ""),
    ("w2", "global", "world", "g.honesty.not-human", "true", "Say that you are a machine.", "", ""),
    ("c1", "polity", "vila-clara", "p.neutrality.candidates", "true", "Take no side.", "", ""),
    ("c2", "polity", "vila-clara", "p.assembly.no-attendance", "true", "No lists.", "", ""),
    ("c3", "polity", "vila-clara", "", "", WROTE, ESCREVEU, WHO),
    (
        "c4",
        "polity",
        "vila-clara",
        "",
        "",
        "Answer briefly.",
        "Responda em poucas palavras.",
        "p03",
    ),
)
PEOPLE = tuple(f"p{n:02}" for n in range(1, 14))


def stance(person: int, item: int) -> str:
    """What somebody answers: mostly agreement, never the same for everybody."""
    return ("agree", "agree", "disagree", "agree", "pass")[(person * 3 + item * item) % 5]


def tables(without: Collection[str] = ()) -> dict[str, list[list[str]]]:
    """The tables as rows, as if some people had never been there; nor what they wrote."""
    everybody = (*PEOPLE, WHO)
    wrote = {name for name, *_, author in STATEMENTS if author in without}
    votes, comparisons = [], []
    for n, person in enumerate(everybody):
        for m, (name, *_) in enumerate(STATEMENTS):
            if (n + m) % 6 or person == WHO:
                votes.append([person, name, stance(n, m), str(1_700_000_000 + 60 * n + m)])
        if n % 3:
            choice = ("decline", "perform", "decline", "tie")[n % 4]
            scenes = ("look/1", "look/2")[: 1 + n % 2]
            comparisons += [[person, s, STATEMENTS[0][3], "world", choice, ""] for s in scenes]
    people = [[p, "world;vila-clara" if n % 4 else "world", "pt"] for n, p in enumerate(everybody)]
    kept = [row for row in votes if row[0] not in without and row[1] not in wrote]
    return {
        "participants.csv": [
            ["participant", "polities", "lang"],
            *(row for row in people if row[0] not in without),
        ],
        "statements.csv": [
            ["id", "layer", "authority", "norm", "endorses", "text_en", "text_pt", "author"],
            *(list(row) for row in STATEMENTS if row[0] not in wrote),
        ],
        "votes.csv": [["participant", "statement", "vote", "at"], *kept],
        "comparisons.csv": [
            ["participant", "scene", "norm", "authority", "choice", "at"],
            *(row for row in comparisons if row[0] not in without),
        ],
    }


def text_of(rows: list[list[str]]) -> str:
    """Rows as CSV, quoted where they have to be."""

    def cell(value: str) -> str:
        special = any(mark in value for mark in ',"\n')
        return '"' + value.replace('"', '""') + '"' if special else value

    return "".join(",".join(map(cell, row)) + "\n" for row in rows)


def write_project(directory: Path, without: Collection[str] = ()) -> Path:
    """Write the project; its votes are gzipped."""
    flow.init(directory, "micro")
    folder = directory / "consultation"
    for path in folder.iterdir():
        path.unlink()
    (folder / "process.yaml").write_text(PROCESS, encoding="utf-8")
    for name, rows in tables(without).items():
        data = text_of(rows).encode()
        if name == "votes.csv":
            (folder / "votes.csv.gz").write_bytes(gzip.compress(data, mtime=1))
        else:
            (folder / name).write_bytes(data)
    return directory


def finished(directory: Path) -> Path:
    """Write the project and carry it to its charter, with a page that quotes a statement."""
    write_project(directory)
    flow.run(directory, until="charter")
    publish(directory, quoting=True)
    return directory


def publish(directory: Path, *, quoting: bool) -> None:
    """Write the pages for people, one of which quotes a statement that was not adopted."""
    said = html.escape(WROTE) if quoting else "nothing"
    page, norms = f"<html><p>{said}</p></html>", f"<p>norms, {'with' if quoting else 'without'}"
    flow.publish(directory, {"out/report.html": page.encode(), "out/charter.html": norms.encode()})


def mentions(directory: Path) -> list[str]:
    """The files under a directory, `.gz` opened, in which anything of the person stands."""
    marks = [mark.encode() for mark in (WHO, "heron", "garça", "guarda-chuva de vidro")]
    found = []
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".gz":
                data += gzip.decompress(data)
            if any(mark in data for mark in marks) or WHO in path.name:
                found.append(path.relative_to(directory).as_posix())
    return found
