"""Make the simulated consultation of the template `town`, or check that it is what this makes.

    python scripts/make_town.py            write the files
    python scripts/make_town.py --check    exit 1 and name every committed file that differs

Statements and invented leanings stand in `town.yaml` beside this script; the scenes that people
compare answers to are drawn from the template's own banks. Everything follows from one seed, and
every person has random streams of their own, so that a change to one statement leaves all other
answers as they were.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import yaml

from normwright import scenes
from normwright.records import Scene

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "src" / "normwright" / "flow" / "templates" / "town"
SOURCE = Path(__file__).with_name("town.yaml")
LANGUAGES = ("en", "pt")
COLUMNS = ("id", "layer", "authority", "norm", "endorses", "concern")
SPARED = "#spared"
"""What the tally of a norm's spared scenes is called after the norm's id."""

_NORMAL = NormalDist()

Row = Sequence[object]


@dataclass(frozen=True)
class Person:
    """A simulated participant; the group is known here and written nowhere."""

    id: str
    group: str
    polities: tuple[str, ...]
    lang: str


def make(source: Mapping[str, Any], drawn: Sequence[Scene]) -> dict[str, str]:
    """Return the text of every file of the consultation, by name."""
    seed = source["process"]["seed"]
    people = _people(source, seed)
    statements = [_statement(s, source) for s in source["statements"]]
    note = "# Simulated: nobody said any of this. Made by scripts/make_town.py.\n"
    process = yaml.safe_dump(source["process"], allow_unicode=True, sort_keys=False)
    return {
        "process.yaml": note + process,
        "participants.csv": _csv(
            ("participant", "polities", "lang"),
            ((p.id, ";".join(p.polities), p.lang) for p in people),
        ),
        "statements.csv": _csv(
            (*COLUMNS, *(f"text_{lang}" for lang in LANGUAGES)),
            map(_statement_row, statements),
        ),
        "votes.csv": _csv(
            ("participant", "statement", "vote", "at"), _votes(source, people, statements, seed)
        ),
        "comparisons.csv": _csv(
            ("participant", "scene", "norm", "authority", "choice", "at"),
            _comparisons(source, people, drawn, seed),
        ),
    }


def _csv(header: Row, rows: Iterable[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def _people(source: Mapping[str, Any], seed: int) -> list[Person]:
    """Everyone belongs to the world and the city; some of each group also to the help desk."""
    world, city, desk = (p["id"] for p in source["process"]["polities"])
    places = [
        (group, number < spec["desk"])
        for group, spec in source["groups"].items()
        for number in range(spec["size"])
    ]
    rng = random.Random(f"{seed}/people")
    rng.shuffle(places)
    return [
        Person(
            id=f"v{number:03d}",
            group=group,
            polities=(world, city, desk) if at_desk else (world, city),
            lang="pt" if rng.random() < source["portuguese"] else "en",
        )
        for number, (group, at_desk) in enumerate(places, start=1)
    ]


def _statement(raw: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    norm = source["norms"].get(raw.get("norm"), {})
    authority = raw.get("authority") or norm["authority"]
    layer = next(p["layer"] for p in source["process"]["polities"] if p["id"] == authority)
    leanings = raw.get("leanings") or norm["leanings"]
    return {"endorses": True, "layer": layer, **raw, "authority": authority, "leanings": leanings}


def _statement_row(statement: Mapping[str, Any]) -> Row:
    endorses = str(statement["endorses"]).lower() if "norm" in statement else ""
    first = (statement["id"], statement["layer"], statement["authority"])
    return (*first, statement.get("norm", ""), endorses, statement["concern"],
            *(statement[lang] for lang in LANGUAGES))  # fmt: skip


def _votes(
    source: Mapping[str, Any], people: Sequence[Person], statements: Sequence[Mapping[str, Any]],
    seed: int,
) -> list[Row]:  # fmt: skip
    rows: list[Row] = []
    low, high = source["seen"]
    for person in people:
        rng = random.Random(f"{seed}/votes/{person.id}")
        share = rng.uniform(low, high)
        at = _arrival(source, rng)
        for statement in statements:
            # The draw comes before any condition, so that each answer has its place in the stream.
            seen, own, again = rng.random() < share, rng.gauss(0, 1), rng.random()
            if statement["authority"] not in person.polities or not seen:
                continue
            topic = statement.get("norm", statement["id"])
            side = _side(source, person, topic, statement["leanings"][person.group], own, seed)
            vote = _vote(side if statement["endorses"] else -side)
            at += rng.randint(4, 40)
            if again < source["revised"]:
                before = _vote(-side if statement["endorses"] else side)
                rows.append((person.id, statement["id"], before, at))
                at += rng.randint(20, 300)
            rows.append((person.id, statement["id"], vote, at))
    return sorted(rows, key=lambda r: (r[3], r[0], r[1]))


def _side(
    source: Mapping[str, Any], person: Person, topic: str, share: float, noise: float, seed: int
) -> int:
    """1: on the side of the norm, -1: against it, 0: passes.

    A person's view of a topic is the same in every statement about it; the rest is noise. Shares
    come out as asked, since the sum of both is standard normal.
    """
    view = random.Random(f"{seed}/view/{person.id}/{topic}").gauss(0, 1)
    own = source["own"]
    point = _NORMAL.cdf(math.sqrt(own) * view + math.sqrt(1 - own) * noise)
    passes = min(source["passes"], (1 - share) / 2)
    return 1 if point < share else 0 if point < share + passes else -1


def _vote(side: int) -> str:
    return {1: "agree", 0: "pass", -1: "disagree"}[side]


def _arrival(source: Mapping[str, Any], rng: random.Random) -> int:
    """Some moment of one of the days between eight in the morning and ten at night."""
    start: int = source["opens"]
    return start + rng.randrange(source["days"]) * 86_400 + rng.randrange(-7_200, 43_200)


def _comparisons(
    source: Mapping[str, Any], people: Sequence[Person], drawn: Sequence[Scene], seed: int
) -> list[Row]:
    """Each person compares answers to scenes that some norm of theirs speaks against, or spares.

    The two are tallied apart, under the norm's id and under `<id>#spared`: that somebody wants a
    private number kept says nothing about whether a public one may be told.
    """
    rows: list[Row] = []
    for person in people:
        rng = random.Random(f"{seed}/comparisons/{person.id}")
        count = rng.randint(*source["compared"])
        at = _arrival(source, rng) + 1_800
        mine = {
            norm + mark: [
                s
                for s in drawn
                if s.norm == norm and s.applies == (not mark) and s.lang == person.lang
            ]
            for norm, spec in source["norms"].items()
            if spec["authority"] in person.polities
            for mark in ("", SPARED)
        }
        for norm, scene in _spread({n: s for n, s in mine.items() if s}, count, rng):
            spec = source["norms"][norm.removesuffix(SPARED)]
            leanings = source["spared"] if norm.endswith(SPARED) else spec["leanings"]
            share = leanings[person.group]
            at += rng.randint(10, 60)
            tie, noise = rng.random() < source["ties"], rng.gauss(0, 1)
            view = random.Random(f"{seed}/view/{person.id}/{norm}").gauss(0, 1)
            own = source["own"]
            point = _NORMAL.cdf(math.sqrt(own) * view + math.sqrt(1 - own) * noise)
            choice = "tie" if tie else "decline" if point < share else "perform"
            rows.append((person.id, scene.id, norm, spec["authority"], choice, at))
    return sorted(rows, key=lambda r: (r[5], r[0], r[1]))


def _spread(
    by_norm: Mapping[str, Sequence[Scene]], count: int, rng: random.Random
) -> list[tuple[str, Scene]]:
    """Different scenes, spread over the norms as evenly as can be."""
    left = {n: rng.sample(list(s), len(s)) for n, s in by_norm.items()}
    chosen: list[tuple[str, Scene]] = []
    while len(chosen) < count and any(left.values()):
        norms = [n for n in left if left[n]]
        rng.shuffle(norms)
        chosen += [(n, left[n].pop()) for n in norms[: count - len(chosen)]]
    return chosen


def draw_scenes(seed: int) -> list[Scene]:
    """Return the scenes that are put to people."""
    bank = scenes.load_bank(sorted((TEMPLATE / "scenes").glob("*.yaml")))
    return scenes.draw(bank, split="consult", seed=seed, langs=LANGUAGES)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with `--check` name those that differ; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    parser.add_argument("--into", type=Path, default=TEMPLATE / "consultation")
    options = parser.parse_args(arguments)
    source = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    files = make(source, draw_scenes(source["process"]["seed"]))
    directory: Path = options.into
    if options.check:
        differ = [
            name
            for name, text in files.items()
            if not (directory / name).is_file() or (directory / name).read_bytes() != text.encode()
        ]
        for name in differ:
            print(f"{directory / name}: not what scripts/make_town.py makes", file=sys.stderr)
        return 1 if differ else 0
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name).write_bytes(text.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
