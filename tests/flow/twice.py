"""A project on a vote that was held twice, small enough to count in a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from normwright import flow

NORM = "p.neutrality.candidates"
PROCESS = """\
id: {name}
kind: {kind}
title: {{en: The vote, pt: A votação}}
identification: roster
{seed}polities:
- {{id: vila-clara, name: {{en: Vila Clara, pt: Vila Clara}}, layer: polity}}
"""
STATEMENTS = f"""\
id,layer,authority,norm,endorses,text_en,text_pt
c1,polity,vila-clara,{NORM},true,Take no side.,Não tome partido.
c2,polity,vila-clara,,,Answer in few words.,Responda em poucas palavras.
"""
EARLIER = {"readings": [{"consultation": "first", "held_on": "2026-10-01"}]}
"""What a project's sources say of the first vote."""


def consultation(
    place: Path, name: str, *, kind: str = "human", agree: int = 54, people: int = 60
) -> Path:
    """Write a vote in which so many agree that the assistant takes no side, and nobody passes."""
    place.mkdir(parents=True)
    seed = "seed: 1\n" if kind == "simulated" else ""
    told = PROCESS.format(name=name, kind=kind, seed=seed)
    (place / "process.yaml").write_text(told, encoding="utf-8")
    (place / "statements.csv").write_text(STATEMENTS, encoding="utf-8")
    persons = [f"v{n:03}" for n in range(people)]
    rows = "".join(f"{p},vila-clara,pt\n" for p in persons)
    (place / "participants.csv").write_text("participant,polities,lang\n" + rows, encoding="utf-8")
    votes = "".join(
        f"{p},c1,{'agree' if n < agree else 'disagree'},\n"
        f"{p},c2,{'agree' if n % 5 else 'disagree'},\n"
        for n, p in enumerate(persons)
    )
    (place / "votes.csv").write_text("participant,statement,vote,at\n" + votes, encoding="utf-8")
    return place


def write_project(directory: Path, *, rules: Any = None, **sources: Any) -> Path:
    """Write the town's norms with that vote; without `rules` the default ones hold."""
    flow.init(directory, "town")
    file = directory / flow.FILE
    settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    settings["charter_date"] = str(settings["charter_date"])
    settings["sources"] = {"consultation": "consultation", "norms": "norms", "scenes": [],
                           **sources}  # fmt: skip
    settings["method"]["bootstrap"] = 2
    settings["controls"] = []
    file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    head = directory / "norms" / "charter.yaml"
    told = yaml.safe_load(head.read_text(encoding="utf-8"))
    told.pop("amendment")
    head.write_text(
        yaml.safe_dump(told | ({} if rules is None else {"amendment": rules})), encoding="utf-8"
    )
    for path in (directory / "consultation").iterdir():
        path.unlink()
    (directory / "consultation").rmdir()
    consultation(directory / "consultation", "second")
    return directory
