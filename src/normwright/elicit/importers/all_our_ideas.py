"""Exports of All Our Ideas: choices between two ideas, with the ideas and the skips beside them.

Each choice is a ballot of two, and what a session was not shown is not compared. A skip is no tie:
it is reported and counts for neither side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from normwright.elicit.compared import Choice, ballots_of, moment
from normwright.elicit.consulted import Consulted
from normwright.elicit.files import Folder, Grid, header_of, slug_of
from normwright.elicit.importers import Importer, Nameless, PeopleColumn
from normwright.elicit.integrity import Report
from normwright.elicit.process import Frame, read_frame
from normwright.elicit.tongue import UNDETERMINED
from normwright.plugins import Card, plugin
from normwright.records import Participant, Polity, Process, Statement

_VOTES: Final = frozenset(
    {"vote_id", "session_id", "winner_id", "winner_text", "loser_id", "loser_text"}
)
_IDEAS: Final = frozenset({"idea_id", "idea_text", "wins", "losses"})
_SKIPS: Final = frozenset({"record_type", "skip_id", "left_choice_id", "right_choice_id"})
_FALSE: Final = ("false", "f", "0", "no")


def sniff(folder: Folder) -> bool:
    """Return whether there is a table of choices with the columns of All Our Ideas."""
    return _find(folder, _VOTES) is not None


def lacks(folder: Folder) -> str:
    """Return what a folder lacks."""
    names = ", ".join(p.name for p in folder.files()[:8])
    return f"no table with Winner ID and Loser ID among {names}" if names else "no file"


def people(folder: Folder) -> PeopleColumn | Nameless | None:
    """Return the column that names sessions; the reason, where they stand in further tables."""
    path = _find(folder, _VOTES)
    if path is None:
        return None
    others = [p for p in folder.files() if p != path and _is_table(p)]
    if any("session_id" in _columns(other) for other in others):
        do = "Keep the table of votes alone in the folder, run, and try again."
        return Nameless(path, "sessions in several tables of one export", do)
    return PeopleColumn(path, _columns(path).index("session_id"), ",")


def read(folder: Folder) -> Consulted | None:
    """Return the consultation, or None after noting every fault."""
    faults, report = folder.faults, Report()
    frame = read_frame(folder)
    if frame is None and folder.find("process.yaml") is None:
        frame = _assumed(folder, report)
    if frame is not None and len(frame.polities) != 1:
        label = folder.label(folder.directory / "process.yaml")
        seen = ", ".join(p.id for p in frame.polities)
        faults.add(f"{label}: polities", "one polity, which every session belongs to", seen)
    votes, ideas = _grid(folder, _VOTES), _grid(folder, _IDEAS)
    texts: dict[str, str] = {}
    choices = [] if votes is None else _choices(votes, texts, folder, report)
    if ideas is not None:
        _check_ideas(ideas, choices, texts, folder, report)
    skips = _grid(folder, _SKIPS)
    for line, _ in skips.rows if skips is not None else ():
        assert skips is not None
        policy = "not compared; whoever skips two ideas says nothing of them, not that they tie"
        report.add("skips", policy, skips.where(line))
    ballots, kept = ballots_of(choices, {name: name for name in texts}, report)
    if not faults.found and votes is not None and len({c.actor for c in kept}) < 2:
        faults.add(votes.label, "choices of at least two sessions", len({c.actor for c in kept}))
    if faults.found or frame is None:
        return None
    polity, lang = frame.polities[0], frame.language or UNDETERMINED
    shown = {name for choice in kept for name in (choice.better, choice.worse)}
    for name in texts:
        if name not in shown:
            report.add("unseen-statements", "kept; nobody compared it", f"idea {name}")
    return Consulted(
        process=frame.process,
        polities=frame.polities,
        participants=tuple(
            Participant(id=actor, process=frame.process.id, polities=(polity.id,))
            for actor in dict.fromkeys(c.actor for c in choices)
        ),
        statements=tuple(
            Statement(id=name, text={lang: text}, layer=polity.layer, authority=polity.id)
            for name, text in texts.items()
        ),
        votes=(),
        comparisons=(),
        ballots=ballots,
        unranked="apart",
        faults=report.faults(),
        sources=dict(folder.sources),
        languages=(lang,),
        importer=IMPORTER.slug,
    )


def _choices(votes: Grid, texts: dict[str, str], folder: Folder, report: Report) -> list[Choice]:
    """The choices that the file itself holds valid, and the texts of the ideas in them."""
    at = {column: number for number, column in enumerate(votes.columns)}
    made: list[Choice] = []
    for number, (line, cells) in enumerate(votes.rows):
        where = votes.where(line)
        told = {column: cells[n].strip() for column, n in at.items()}
        if told.get("valid", "").lower() in _FALSE:
            report.add("invalid-comparisons", "left out; the file marks them so", where)
            continue
        who, winner, loser = told["session_id"], told["winner_id"], told["loser_id"]
        if not (who and winner and loser):
            report.add("blank-comparisons", "left out; a session or a side is missing", where)
            continue
        if winner == loser:
            report.add("comparisons-with-itself", "left out; both sides are one", where)
            continue
        sides = {told.get("left_choice_id", ""), told.get("right_choice_id", "")} - {""}
        if len(sides) == 2 and sides != {winner, loser}:
            folder.faults.add(where, "a winner and a loser that were shown", f"{winner}, {loser}")
        for name, text in ((winner, told["winner_text"]), (loser, told["loser_text"])):
            if texts.setdefault(name, text or name) != (text or name):
                policy = "the first text of an idea stands; others were written later"
                report.add("texts-differ", policy, where)
        at_time = moment(told["created_at"]) if told.get("created_at") else 0
        if at_time is None:
            expected = "a time in seconds or milliseconds, or ISO 8601"
            folder.faults.add(where, expected, repr(told["created_at"][:60]))
        made.append(Choice(where, who, winner, loser, False, at_time or 0, number))
    return made


def _check_ideas(
    ideas: Grid,
    choices: list[Choice],
    texts: dict[str, str],
    folder: Folder,
    report: Report,
) -> None:
    """Add ideas nobody compared, and hold the printed wins and losses against the choices."""
    at = {column: number for number, column in enumerate(ideas.columns)}
    wins, losses = Counter(c.better for c in choices), Counter(c.worse for c in choices)
    known: set[str] = set()
    for line, cells in ideas.rows:
        where, name = ideas.where(line), cells[at["idea_id"]].strip()
        if not name or name in known:
            folder.faults.add(where, "an Idea ID of its own", repr(name))
            continue
        known.add(name)
        text = cells[at["idea_text"]].strip() or name
        if texts.setdefault(name, text) != text:
            report.add("texts-differ", "the first text of an idea stands", where)
        printed = tuple(cells[at[c]].strip() for c in ("wins", "losses"))
        if printed != (str(wins[name]), str(losses[name])):
            report.add("tallies", "the choices are believed, not the printed tallies", where)
    for choice in choices:
        if not {choice.better, choice.worse} <= known:
            policy = "kept; an idea is not in the table of ideas"
            report.add("orphan-comparisons", policy, choice.where)


def _find(folder: Folder, wanted: frozenset[str]) -> Path | None:
    """Return the one table that has these columns, whatever its name."""
    found = [path for path in folder.files() if _is_table(path) and wanted <= set(_columns(path))]
    return found[0] if len(found) == 1 else None


def _is_table(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(".csv")


def _columns(path: Path) -> tuple[str, ...]:
    return tuple(column.replace(" ", "_") for column in header_of(path))


def _grid(folder: Folder, wanted: frozenset[str]) -> Grid | None:
    path = _find(folder, wanted)
    found = None if path is None else folder.text(path.name.removesuffix(".gz"))
    if found is None:
        return None
    grid = folder.grid(*found)
    if grid is None:
        return None
    return Grid(grid.label, tuple(c.replace(" ", "_") for c in grid.columns), grid.rows)


def _assumed(folder: Folder, report: Report) -> Frame:
    """The frame of a bare export: its name, and its sessions as one community."""
    slug = slug_of(folder.name, default="ideas")
    policy = (
        "taken as one community of people at layer polity, language unknown; a process.yaml beside "
        "the export can say otherwise"
    )
    report.add("assumed-process", policy, folder.label(folder.only or folder.directory))
    title: Mapping[str, str] = {UNDETERMINED: folder.name}
    process = Process(id=slug, kind="human", title=dict(title))
    return Frame(process, (Polity(id=slug, name=dict(title), layer="polity"),), None)


CARD = Card(
    name="all-our-ideas",
    kind="importers",
    summary="Reads exports of All Our Ideas: votes between two ideas, with ideas and skips.",
    reference="https://github.com/allourideas/pairwise-api",
    status="tested",
)
IMPORTER = plugin(CARD)(
    Importer(
        slug=CARD.name,
        files="a CSV of votes between two ideas, perhaps with those of ideas and non-votes",
        sniff=sniff,
        read=read,
        lacks=lacks,
        people=people,
    )
)
