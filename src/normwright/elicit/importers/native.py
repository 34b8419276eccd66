"""The project's own form: process.yaml, participants, statements, votes and comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, get_args

from normwright.elicit.consulted import Consulted
from normwright.elicit.files import Faults, Folder, Row, Table
from normwright.elicit.importers import Importer
from normwright.elicit.integrity import (
    Cast,
    Report,
    check_enough,
    check_votes,
    last_of_each,
    seconds,
)
from normwright.elicit.process import Frame, read_frame
from normwright.plugins import Card, plugin
from normwright.records import (
    LAYERS,
    Comparison,
    Participant,
    Polity,
    Stance,
    Statement,
    Vote,
)

STANCES: Mapping[str, Stance] = {
    **{s: s for s in get_args(Stance)},
    "1": "agree",
    "-1": "disagree",
    "0": "pass",
}
_CHOICES = ("perform", "decline", "tie")
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def sniff(folder: Folder) -> bool:
    """Return whether the folder declares statements of its own."""
    return folder.find("statements.csv") is not None or folder.find("participants.csv") is not None


def lacks(_: Folder) -> str:
    """Return what a folder lacks."""
    return "neither participants.csv nor statements.csv"


def read(folder: Folder) -> Consulted | None:
    """Return the consultation, or None after noting every fault."""
    faults, report = folder.faults, Report()
    frame = read_frame(folder)
    if folder.find("process.yaml") is None:
        faults.add(folder.label(folder.directory / "process.yaml"), "a file", "no such file")
    tables = {
        "participants": folder.table("participants.csv", needs=("participant", "polities")),
        "statements": folder.table("statements.csv", needs=("id", "layer", "authority")),
        "votes": folder.table("votes.csv", needs=("participant", "statement", "vote")),
        "comparisons": folder.table(
            "comparisons.csv",
            needs=("participant", "scene", "norm", "authority", "choice"),
            required=False,
        ),
    }
    people = _participants(tables["participants"], frame, faults)
    statements = _statements(tables["statements"], frame, faults, report)
    votes = _votes(tables["votes"], people, statements, faults, report)
    comparisons = _comparisons(tables["comparisons"], frame, people, faults, report)
    if tables["votes"] is not None and people and statements:
        check_enough(votes, folder.label(folder.directory / "votes.csv"), faults)
    if faults.found or frame is None:
        return None
    places = {r["participant"]: r.where for r in _rows(tables["participants"])}
    authors = {r["id"]: r["author"] for r in _rows(tables["statements"]) if r["author"]}
    check_votes(votes, list(people.values()), list(statements.values()), report, places=places)
    return Consulted(
        process=frame.process,
        polities=frame.polities,
        participants=tuple(people.values()),
        statements=tuple(statements.values()),
        votes=votes,
        comparisons=comparisons,
        faults=report.faults(),
        sources=dict(folder.sources),
        languages=tuple(sorted({lang for s in statements.values() for lang in s.text})),
        importer=IMPORTER.slug,
        authors=authors,
    )


def _rows(table: Table | None) -> tuple[Row, ...]:
    return table.rows if table else ()


def _participants(
    table: Table | None, frame: Frame | None, faults: Faults
) -> dict[str, Participant]:
    people: dict[str, Participant] = {}
    known = [p.id for p in frame.polities] if frame else None
    for row in _rows(table):
        name = row["participant"]
        if not _new(row, "participant", name, people, faults):
            continue
        polities = tuple(p.strip() for p in row["polities"].split(";") if p.strip())
        if not polities:
            faults.add(row.where, f"a polity for participant {name}", "none")
        for polity in polities if known is not None else ():
            faults.one_of(row.where, polity, known or (), "a known polity")
        kind = row["kind"]
        if kind and frame and kind != frame.process.kind:
            faults.add(
                row.where, f"only {frame.process.kind} participants", kind,
                "A process is wholly human or wholly simulated; make two processes.",
            )  # fmt: skip
        people[name] = Participant(
            id=name,
            process=frame.process.id if frame else "",
            polities=polities,
            lang=row["lang"] or None,
        )
    return people


def _statements(
    table: Table | None, frame: Frame | None, faults: Faults, report: Report
) -> dict[str, Statement]:
    made: dict[str, Statement] = {}
    if table is None:
        return made
    langs = [c.removeprefix("text_") for c in table.columns if c.startswith("text_")]
    if not langs:
        faults.add(f"{table.name}:1", "a column text_<language>", ", ".join(table.columns))
    polities = {p.id: p for p in frame.polities} if frame else None
    for row in table.rows:
        if not _new(row, "id", row["id"], made, faults):
            continue
        before = len(faults.found)
        faults.one_of(row.where, row["layer"], LAYERS, "a layer")
        _check_authority(row, polities, faults)
        endorses = _TRUTH.get(row["endorses"].lower()) if row["endorses"] else not row["norm"]
        if endorses is None or (row["norm"] and not row["endorses"]):
            faults.add(row.where, "endorses true or false", repr(row["endorses"]))
        text = {lang: row[f"text_{lang}"] for lang in langs if row[f"text_{lang}"]}
        if not text:
            faults.add(row.where, "a text in some language", "none")
        if len(faults.found) > before:
            # A placeholder keeps its votes from being reported as orphans as well.
            text, endorses = text or {"und": ""}, bool(endorses)
        elif len(text) < len(langs):
            report.add("untranslated-statements", "kept in the languages they have", row.where)
        layer = row["layer"] if row["layer"] in LAYERS else LAYERS[0]
        made[row["id"]] = Statement.model_validate(
            {
                "id": row["id"],
                "text": text,
                "layer": layer,
                "authority": row["authority"],
                "norm": row["norm"] or None,
                "endorses": endorses,
                "concern": row["concern"] or None,
            }
        )
    return made


def _check_authority(row: Row, polities: Mapping[str, Polity] | None, faults: Faults) -> None:
    """The authority exists, and decides at the statement's layer or for its own individuals."""
    if polities is None or not faults.one_of(row.where, row["authority"], polities, "a polity"):
        return
    layer = polities[row["authority"]].layer
    if row["layer"] in LAYERS and row["layer"] not in (layer, "individual"):
        faults.add(row.where, f"layer {layer}, at which {row['authority']} decides", row["layer"])


def _votes(
    table: Table | None,
    people: Mapping[str, Participant],
    statements: Mapping[str, Statement],
    faults: Faults,
    report: Report,
) -> tuple[Vote, ...]:
    casts: list[Cast] = []
    for row in _rows(table):
        who, what, value = row["participant"], row["statement"], row["vote"]
        if not value:
            report.add("blank-votes", "no vote; a blank is not a pass", row.where)
            continue
        time = _time(row, faults)
        if not faults.one_of(row.where, value, STANCES, "a stance"):
            continue
        if who not in people:
            report.add("unknown-participants", "not counted", row.where)
        elif what not in statements:
            report.add("orphan-votes", "not counted; no such statement", row.where)
        else:
            casts.append(Cast(row.where, who, what, STANCES[value], time, row.line))
    return tuple(
        Vote.model_validate(
            {"participant": c.actor, "statement": c.item, "value": c.value, "at": seconds(c.time)}
        )
        for c in last_of_each(casts, report, "votes")
    )


def _comparisons(
    table: Table | None,
    frame: Frame | None,
    people: Mapping[str, Participant],
    faults: Faults,
    report: Report,
) -> tuple[Comparison, ...]:
    casts: list[Cast] = []
    rows: dict[int, Row] = {}
    polities = [p.id for p in frame.polities] if frame else None
    for row in _rows(table):
        who, choice = row["participant"], row["choice"]
        if not choice:
            report.add("blank-comparisons", "no choice; a blank is not a tie", row.where)
            continue
        time = _time(row, faults)
        fine = faults.one_of(row.where, choice, _CHOICES, "a choice")
        if people and who not in people:
            faults.add(row.where, "a participant of participants.csv", repr(who))
            fine = False
        if polities is not None:
            fine &= faults.one_of(row.where, row["authority"], polities, "a polity")
        for column in ("scene", "norm"):
            if not row[column]:
                faults.add(row.where, f"a {column}", "nothing")
                fine = False
        if fine:
            rows[row.line] = row
            casts.append(Cast(row.where, who, row["scene"], choice, time, row.line))
    kept = last_of_each(casts, report, "comparisons")
    made = tuple(_comparison(c, rows[c.line]) for c in kept)
    for cast, comparison in zip(kept, made, strict=True):
        person = people.get(comparison.participant)
        if person is not None and comparison.authority not in person.polities:
            report.add("outside-electorate", "kept, but counted in no outcome", cast.where)
    return made


def _comparison(cast: Cast, row: Row) -> Comparison:
    choice: Literal["perform", "decline", "tie"]
    match cast.value:
        case "perform" | "decline" as decided:
            choice = decided
        case _:
            choice = "tie"
    return Comparison(
        participant=cast.actor,
        scene=cast.item,
        norm=row["norm"],
        authority=row["authority"],
        choice=choice,
        at=seconds(cast.time),
    )


def _new(row: Row, column: str, value: str, before: Mapping[str, object], faults: Faults) -> bool:
    if not value:
        faults.add(row.where, f"a value in {column}", "nothing")
        return False
    if value in before:
        faults.add(row.where, f"each {column} once", f"{value} again")
        return False
    return True


def _time(row: Row, faults: Faults) -> int:
    """Seconds or milliseconds since the epoch, or an ISO 8601 time with its offset; blank is 0."""
    raw = row["at"]
    if not raw:
        return 0
    if raw.isascii() and raw.isdigit() and len(raw) <= 18:
        return int(raw)
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        expected = "a time in seconds or milliseconds, or ISO 8601 with an offset"
        faults.add(row.where, expected, repr(raw))
        return 0
    return int(moment.timestamp())


CARD = Card(
    name="native",
    kind="importers",
    summary="Reads the project's own form: a process file and four tables.",
    status="tested",
)
IMPORTER = plugin(CARD)(
    Importer(
        slug=CARD.name,
        files="process.yaml, participants.csv, statements.csv, votes.csv",
        sniff=sniff,
        read=read,
        lacks=lacks,
    )
)
