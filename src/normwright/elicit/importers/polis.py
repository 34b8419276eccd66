"""Exports of Polis: `comments.csv` in its variants, and votes as an event log, a matrix, or both.

In an export 1 means agree and -1 disagree, while the database of Polis has them the other way
round; so the tallies printed beside the votes decide which way a file is written. An export says
neither who was asked nor in what language: a `process.yaml` beside it may. Each file of votes can
also be read alone; statements have no text then.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from normwright.elicit.consulted import Consulted
from normwright.elicit.files import Folder, column_name, header_of, slug_of
from normwright.elicit.importers import Importer, Option, Question
from normwright.elicit.integrity import (
    Cast,
    Report,
    check_enough,
    check_votes,
    last_of_each,
    seconds,
)
from normwright.elicit.mapping import FILE as MAPPING
from normwright.elicit.mapping import read_mapping
from normwright.elicit.process import Frame, read_frame
from normwright.elicit.sheets import ending
from normwright.plugins import Card, plugin
from normwright.records import Participant, Polity, Process, Stance, Statement, Vote

_COMMENTS = ("comment_id", "agrees", "disagrees", "moderated", "comment_body")
_VOTES = ("timestamp", "comment_id", "voter_id", "vote")
_SIGN: Mapping[int, Stance] = {1: "agree", -1: "disagree", 0: "pass"}
_AGREE_SHARE = 0.95
"""Share of the tallies that must match one way for that way to be believed."""
_KEYS = {"agree": (lambda v: str(v) in ("1", "-1"), '"1" or "-1", whichever means agree')}
UNDETERMINED = "und"
"""BCP 47: the language is not known."""

Part: TypeAlias = Literal["comments", "log", "matrix", "groups"]
_NAMES: Final[Mapping[Part, tuple[str, ...]]] = {
    "comments": ("comments.csv", "clean_comments.csv"),
    "log": ("votes.csv",),
    "matrix": ("participants-votes.csv", "participant-votes.csv", "clean_votes.csv"),
    "groups": ("comment-groups.csv",),
}
"""What each file of an export is called, by Polis and by those who clean its exports."""


class _Comment(NamedTuple):
    where: str
    id: str
    body: str
    tally: tuple[int, int]
    rejected: bool
    author: str
    """Pseudonym of who wrote it; empty where the export does not say."""


@dataclass
class _Matrix:
    """Votes of one row a participant, with what the row says of itself."""

    casts: list[Cast] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict)
    """Participant -> place."""
    groups: dict[str, str] = field(default_factory=dict)
    """Participant -> the opinion group that Polis found, where it found one."""
    tallies: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Participant -> agrees and disagrees, as printed."""
    counted: dict[str, int] = field(default_factory=dict)
    """Participant -> votes, as printed."""
    items: tuple[str, ...] = ()


def sniff(folder: Folder) -> bool:
    """Return whether there are comments with an id and a body, or votes in a form of Polis."""
    return any(_find(folder, part) for part in ("comments", "log", "matrix"))


def lacks(folder: Folder) -> str:
    """Return what a folder lacks."""
    path = folder.only or folder.find("comments.csv")
    seen = header_of(path) if path is not None else ()
    return f"{path.name} with {', '.join(seen[:8])}" if path and seen else "no comments.csv"


def questions(folder: Folder) -> tuple[Question, ...]:
    """Return whether somebody has to say which way 1 and -1 are meant."""
    quiet = folder.quiet()
    if "agree" in read_mapping(quiet, _KEYS):
        return ()
    comments, matrix, casts = _comments(quiet, Report()), _matrix(quiet), _log(quiet)
    if quiet.faults.found:
        return ()  # reading says what is wrong
    casts = matrix.casts if casts is None else casts
    evidence = _evidence(comments, casts, matrix)
    if not casts:
        return ()
    return () if evidence.sign is not None or not evidence.told else (_which_sign(evidence),)


def read(folder: Folder) -> Consulted | None:
    """Return the consultation, or None after noting every fault."""
    faults, report = folder.faults, Report()
    given = read_mapping(folder, _KEYS)
    frame = _frame(folder, report)
    comments, matrix, log = _comments(folder, report), _matrix(folder), _log(folder)
    casts = matrix.casts if log is None else log
    if log is None and _find(folder, "matrix") is None:
        place = folder.label(folder.only or folder.directory / "votes.csv")
        do = "Give the whole folder, not one file of it." if folder.only else ""
        faults.add(place, "votes.csv or participants-votes.csv", "no such file", do)
    if _find(folder, "comments") is None and casts:
        comments = _untold(casts, matrix, folder, report)
    sign = _direction(comments, casts, matrix, folder, report, given.get("agree"))
    last = last_of_each(_counting(comments, casts, report), report, "votes")
    stance = {str(n): _SIGN[sign * n] for n in (1, 0, -1)}
    votes = tuple(
        Vote(participant=c.actor, statement=c.item, value=stance[c.value], at=seconds(c.time))
        for c in last
    )
    kept = {c.id for c in comments if not c.rejected}
    if log is not None and matrix.people:
        _compare(last, matrix, kept, report)
    _check_groups(folder, comments, casts, matrix, sign, report)
    for statement in sorted(set(frame.speaks_about if frame else ()) - kept):
        label = folder.label(folder.directory / "process.yaml")
        where = f"{label}: speaks_about.{statement}"
        faults.add(where, "a statement of this export that was not rejected", statement)
    if not faults.found:
        check_enough(votes, folder.label(folder.only or folder.directory), faults)
    if faults.found or frame is None:
        return None
    return _consulted(folder, frame, comments, casts, matrix, votes, report)


def _frame(folder: Folder, report: Report) -> Frame | None:
    """Who was asked, as the files say or as is assumed; None after noting faults."""
    frame = read_frame(folder)
    if frame is None and folder.find("process.yaml") is None:
        frame = _assumed(folder, report)
    if frame is not None and len(frame.polities) != 1:
        label = folder.label(folder.directory / "process.yaml")
        seen = ", ".join(p.id for p in frame.polities)
        folder.faults.add(f"{label}: polities", "one polity, which every voter belongs to", seen)
    return frame


def _counting(comments: Sequence[_Comment], casts: Sequence[Cast], report: Report) -> list[Cast]:
    """The votes on statements that were not rejected; others are reported."""
    for comment in comments:
        if comment.rejected:
            policy = "left out with their votes; a moderator rejected them"
            report.add("rejected-statements", policy, comment.where)
    kept = {c.id for c in comments if not c.rejected}
    known = {c.id for c in comments}
    for cast in casts:
        if cast.item not in known:
            report.add("orphan-votes", "not counted; no such statement", cast.where)
    return [cast for cast in casts if cast.item in kept]


def _find(folder: Folder, part: Part) -> Path | None:
    """Return the file that is a part of an export: by its name, or the only table by its header."""
    tables = [path for path in folder.files() if ending(path) == ".csv"]
    if folder.only is not None or len(tables) == 1:
        alone = folder.only or tables[0]
        if _is(header_of(alone), part):
            return alone
    if folder.only is not None:
        return None
    for name in _NAMES[part]:
        path = folder.find(name)
        if path is not None and (part != "log" or folder.find("comments.csv") is not None):
            return path
        if path is not None and _is(header_of(path), part):
            return path
    return None


def _is(header: Sequence[str], part: Part) -> bool:
    match part:
        case "comments":
            return {"comment_id", "comment_body"} <= set(header)
        case "log":
            return set(_VOTES) <= set(header)
        case "matrix":
            return "participant" in header and any(_ITEM.fullmatch(c) for c in header)
        case "groups":
            return {"comment_id", "comment", "total_votes"} <= set(header)


_ITEM = re.compile(r"[0-9]{1,9}")


def _consulted(
    folder: Folder,
    frame: Frame,
    comments: list[_Comment],
    casts: list[Cast],
    matrix: _Matrix,
    votes: tuple[Vote, ...],
    report: Report,
) -> Consulted:
    polity = frame.polities[0]
    lang = frame.language or UNDETERMINED
    people = tuple(
        Participant(id=actor, process=frame.process.id, polities=(polity.id,))
        for actor in sorted({*(c.actor for c in casts), *matrix.people}, key=_by_number)
    )
    about = frame.speaks_about
    statements = tuple(
        Statement(
            id=c.id,
            text={lang: c.body},
            layer=polity.layer,
            authority=polity.id,
            norm=about[c.id].norm if c.id in about else None,
            endorses=about[c.id].endorses if c.id in about else True,
        )
        for c in sorted(comments, key=lambda c: _by_number(c.id))
        if not c.rejected
    )
    places = dict(matrix.people)
    for cast in casts:
        places.setdefault(cast.actor, cast.where)
    check_votes(votes, people, statements, report, places=places)
    return Consulted(
        process=frame.process,
        polities=frame.polities,
        participants=people,
        statements=statements,
        votes=votes,
        comparisons=(),
        faults=report.faults(),
        sources=dict(folder.sources),
        languages=(lang,),
        importer=IMPORTER.slug,
        authors={c.id: c.author for c in comments if c.author and not c.rejected},
    )


def tallies_without(folder: Folder, gone: Callable[[str], bool]) -> dict[str, tuple[int, int]]:
    """Return the printed tallies, agrees and disagrees, that change once somebody is left out.

    An export is read by its tallies, so they have to fit the votes that are left. A tally that did
    not fit before stays as it is.
    """
    comments, matrix = _comments(folder, Report()), _matrix(folder)
    log = _log(folder)
    casts = matrix.casts if log is None else log
    sign = _evidence(comments, casts, matrix).sign or 1
    every = Counter((c.item, c.value) for c in casts)
    theirs = Counter((c.item, c.value) for c in casts if gone(c.actor))
    changed: dict[str, tuple[int, int]] = {}
    for comment in comments:
        up, down = every[comment.id, "1"], every[comment.id, "-1"]
        less = theirs[comment.id, "1"], theirs[comment.id, "-1"]
        if not any(less) or comment.tally not in ((up, down), (down, up)):
            continue
        straight = sign == 1 if up == down else comment.tally == (up, down)
        fewer = less if straight else less[::-1]
        changed[comment.id] = (comment.tally[0] - fewer[0], comment.tally[1] - fewer[1])
    return changed


def _assumed(folder: Folder, report: Report) -> Frame:
    """The frame of a bare export: its topic is the title, its voters are one community."""
    found = folder.text("summary.csv", required=False)
    topic = ""
    if found is not None:
        line = re.search(r"^topic,(.*)$", found[1], re.MULTILINE)
        topic = line.group(1).strip().strip('"') if line else ""
    slug = slug_of(folder.name, default="polis")
    report.add(
        "assumed-process", "taken as one community of people at layer polity, language unknown; "
        "a process.yaml beside the export can say otherwise",
        folder.label(folder.only or folder.directory),
    )  # fmt: skip
    title = {UNDETERMINED: topic or slug}
    polity = Polity(id=slug, name=title, layer="polity")
    return Frame(Process(id=slug, kind="human", title=title), (polity,), None)


def _comments(folder: Folder, report: Report) -> list[_Comment]:
    path = _find(folder, "comments")
    found = None if path is None else folder.text(path.name.removesuffix(".gz"))
    if found is None:
        return []
    label, text = found
    grid = _bodies(label, text, folder, report)
    if grid is None:
        return []
    columns, rows = grid
    made: dict[str, _Comment] = {}
    at = {name: columns.index(name) for name in columns}
    for line, cells in rows:
        where = f"{label}:{line}"
        numbers = {c: _integer(cells[at[c]].strip()) for c in ("agrees", "disagrees", "moderated")}
        for column, number in numbers.items():
            if number is None:
                folder.faults.add(where, f"a whole number in {column}", repr(cells[at[column]]))
        moderated = numbers["moderated"]
        if moderated is not None and moderated not in (-1, 0, 1):
            folder.faults.add(where, "moderated -1, 0 or 1", moderated)
        name = cells[at["comment_id"]].strip()
        if not name:
            folder.faults.add(where, "a comment-id", "nothing")
        if name in made:
            folder.faults.add(where, "each comment-id once", f"{name} again")
        made[name] = _Comment(
            where,
            name,
            cells[at["comment_body"]].strip(),
            (numbers["agrees"] or 0, numbers["disagrees"] or 0),
            moderated == -1,
            cells[at["author_id"]].strip() if "author_id" in at else "",
        )
    return list(made.values())


_Rows: TypeAlias = list[tuple[int, list[str]]]


def _bodies(
    label: str, text: str, folder: Folder, report: Report
) -> tuple[tuple[str, ...], _Rows] | None:
    """The columns and rows of comments.csv, whose last column some exporters write unquoted."""
    quiet = Folder(folder.directory, folder.root)
    grid = quiet.grid(label, text, needs=_COMMENTS)
    try:
        head = next(csv.reader(io.StringIO(text, newline="")), [])
    except csv.Error:
        head = []
    columns = tuple(column_name(c) for c in head)
    doubtful = grid is None or bool(quiet.faults.found) or _swallowed(columns, grid.rows)
    if doubtful and set(_COMMENTS) <= set(columns) and columns[-1] == "comment_body":
        rows = _unquoted(text, columns)
        if rows is not None:
            policy = "comment-body is not quoted; read to the end of its line, commas and all"
            report.add("unquoted-bodies", policy, label, len(rows))
            return columns, rows
    folder.faults.found += quiet.faults.found
    return None if grid is None else (grid.columns, grid.rows)


def _swallowed(columns: Sequence[str], rows: _Rows) -> bool:
    """Whether a quote that was never meant as one has taken further rows into a body."""
    row = re.compile(rf"\n-?[0-9]+,(?:[^,\n]*,){{{max(0, len(columns) - 2)}}}")
    return any("\n" in cells[-1] and row.search(cells[-1]) is not None for _, cells in rows)


def _unquoted(text: str, columns: Sequence[str]) -> _Rows | None:
    """Rows of a file without quotes: a line that does not begin as a row goes on with the last."""
    size = len(columns)
    start = re.compile(rf"-?[0-9]+,(?:[^,]*,){{{size - 2}}}")
    rows: _Rows = []
    for number, line in enumerate(text.splitlines()[1:], 2):
        if start.match(line):
            rows.append((number, line.split(",", size - 1)))
        elif rows and line.strip():
            rows[-1][1][-1] += "\n" + line
        elif line.strip():
            return None
    numeric = [columns.index(c) for c in ("agrees", "disagrees", "moderated")]
    if not rows or any(_integer(cells[n].strip()) is None for _, cells in rows for n in numeric):
        return None
    if 2 * sum(_is_quoted(cells[-1]) for _, cells in rows) >= len(rows):
        return None  # a quoted file with a mistake in it, which has to be mended
    return rows


def _is_quoted(body: str) -> bool:
    return len(body) > 1 and body.startswith('"') and body.rstrip().endswith('"')


def _log(folder: Folder) -> list[Cast] | None:
    """Votes one by one, as they came; None where the export has no such file."""
    path = _find(folder, "log")
    if path is None:
        return None
    found = folder.text(path.name.removesuffix(".gz"))
    grid = None if found is None else folder.grid(*found, needs=_VOTES)
    if grid is None:
        return []
    faults = folder.faults
    when, what, who, how = (grid.columns.index(c) for c in _VOTES)
    casts: list[Cast] = []
    for number, (line, cells) in enumerate(grid.rows):
        where = f"{grid.label}:{line}"
        time, value = _integer(cells[when].strip()), _stance(cells[how].strip())
        actor, item = cells[who].strip(), cells[what].strip()
        if time is None or time < 0:
            faults.add(where, "a timestamp", repr(cells[when]))
        if not actor or not item:
            faults.add(where, "a voter-id and a comment-id", "nothing")
        if value is None:
            faults.add(where, "a vote 1, 0 or -1", repr(cells[how]))
        elif time is not None:
            casts.append(Cast(where, actor, item, value, time, number))
    return casts


def _matrix(folder: Folder) -> _Matrix:
    """Votes from one row a participant; blank is unseen. Some exports write 1 as 1.0."""
    path, made = _find(folder, "matrix"), _Matrix()
    found = None if path is None else folder.text(path.name.removesuffix(".gz"))
    grid = None if found is None else folder.grid(*found, needs=("participant",))
    if grid is None:
        return made
    columns, faults = grid.columns, folder.faults
    items = [(n, c) for n, c in enumerate(columns) if _ITEM.fullmatch(c)]
    made.items = tuple(c for _, c in items)
    at = {
        c: columns.index(c)
        for c in ("group_id", "n_votes", "n_agree", "n_disagree")
        if c in columns
    }
    who = columns.index("participant")
    for line, cells in grid.rows:
        where, person = f"{grid.label}:{line}", cells[who].strip()
        if not person:
            faults.add(where, "a participant", "nothing")
            continue
        if person in made.people:
            faults.add(where, "each participant once", f"that of {made.people[person]} again")
        made.people[person] = where
        for number, item in items:
            raw = cells[number]
            if not raw:
                continue
            value = _stance(raw.strip())
            if value is not None:
                made.casts.append(Cast(where, person, item, value, 0, len(made.casts)))
            elif raw.strip():
                faults.add(f"{where}, column {item}", "1, 0, -1 or blank", repr(raw))
        told = {c: _integer(cells[n].strip().removesuffix(".0")) for c, n in at.items()}
        if at.keys() >= {"n_agree", "n_disagree"}:
            up, down = told["n_agree"], told["n_disagree"]
            if up is None or down is None:
                faults.add(where, "whole numbers in n-agree and n-disagree", "something else")
            else:
                made.tallies[person] = up, down
        votes = told.get("n_votes")
        if votes is not None:
            made.counted[person] = votes
        if "group_id" in at and cells[at["group_id"]].strip():
            made.groups[person] = cells[at["group_id"]].strip().removesuffix(".0")
    return made


def _untold(
    casts: Sequence[Cast], matrix: _Matrix, folder: Folder, report: Report
) -> list[_Comment]:
    """Statements of votes that came without comments.csv: their numbers stand for them."""
    label = folder.label(folder.only or folder.directory)
    ids = sorted({*(c.item for c in casts), *matrix.items}, key=_by_number)
    policy = "kept; their numbers stand for texts, which are in comments.csv"
    report.add("statements-without-text", policy, label, len(ids))
    return [_Comment(label, name, name, (-1, -1), False, "") for name in ids]


class _Evidence(NamedTuple):
    """What printed tallies say of the direction of votes."""

    straight: int
    """Tallies that match only if 1 means agree."""
    flipped: int
    """Tallies that match only if 1 means disagree."""
    told: int
    """Tallies that could say which, matching or not."""
    wrong: tuple[str, ...]
    """Places of tallies of statements that match neither way."""
    unfit: tuple[str, ...]
    """Places of tallies of participants that match neither way."""

    @property
    def sign(self) -> int | None:
        """1 if 1 means agree, -1 if it means disagree; None where the tallies do not tell."""
        matched = self.straight + self.flipped
        if 2 * matched < self.told or not matched:
            return None
        if self.straight >= _AGREE_SHARE * matched:
            return 1
        return -1 if self.flipped >= _AGREE_SHARE * matched else None


def _evidence(comments: Sequence[_Comment], casts: Sequence[Cast], matrix: _Matrix) -> _Evidence:
    """Hold printed tallies against the votes. Those of statements count the whole event log."""
    count = Counter((c.item, c.value) for c in casts)
    own = Counter((c.actor, c.value) for c in matrix.casts)
    straight = flipped = told = 0
    wrong: dict[bool, list[str]] = {True: [], False: []}
    stated = [
        *((True, c.where, c.tally, (count[c.id, "1"], count[c.id, "-1"]))
          for c in comments if c.tally != (-1, -1)),
        *((False, matrix.people[p], tally, (own[p, "1"], own[p, "-1"]))
          for p, tally in matrix.tallies.items()),
    ]  # fmt: skip
    for of_statement, where, tally, seen in stated:
        told += tally[0] != tally[1]
        if tally not in (seen, seen[::-1]):
            wrong[of_statement].append(where)
        elif seen[0] != seen[1]:
            straight += tally == seen
            flipped += tally != seen
    return _Evidence(straight, flipped, told, tuple(wrong[True]), tuple(wrong[False]))


def _direction(
    comments: Sequence[_Comment],
    casts: Sequence[Cast],
    matrix: _Matrix,
    folder: Folder,
    report: Report,
    given: object,
) -> int:
    """Return 1 if 1 means agree, -1 if it means disagree."""
    if not casts or folder.faults.found:
        return 1
    where = folder.label(folder.only or folder.directory)
    evidence = _evidence(comments, casts, matrix)
    for place in evidence.wrong:
        report.add("tallies", "the votes are believed, not the printed tallies", place)
    policy = "the votes are believed, not what a participant's row says of itself"
    for place in evidence.unfit:
        report.add("participant-tallies", policy, place)
    rows = Counter(c.actor for c in matrix.casts)
    for person, votes in matrix.counted.items():
        if votes != rows[person]:
            report.add("participant-votes", policy, matrix.people[person])
    sign = evidence.sign if given is None else int(str(given))
    if sign is None and not evidence.told:
        policy = "1 is taken as agreement, as exports have it; no tally is there to check it by"
        report.add("unchecked-sign", policy, where, len(casts))
        return 1
    if sign is None:
        folder.faults.add(
            where, "tallies that show which way 1 and -1 are meant",
            f"{evidence.straight} of {evidence.told} match as written and {evidence.flipped} "
            "turned round",
            f'Say it in {MAPPING}: agree: "1", or agree: "-1".',
        )  # fmt: skip
        return 1
    if sign == -1:
        report.add("flipped-sign", "1 means disagree in this file; turned round", where, len(casts))
    return sign


def _compare(last: Sequence[Cast], matrix: _Matrix, kept: set[str], report: Report) -> None:
    """Hold the matrix against the event log: they are two forms of the same votes."""
    mine = {(c.actor, c.item): c for c in last}
    theirs = {(c.actor, c.item): c for c in matrix.casts if c.item in kept}
    policy = "the event log is believed, not the matrix"
    for key, cast in mine.items():
        other = theirs.get(key)
        if other is None or other.value != cast.value:
            report.add("matrix-and-log-differ", policy, cast.where)
    for key, cast in theirs.items():
        if key not in mine:
            report.add("matrix-and-log-differ", policy, cast.where)
    for place in {c.actor: c.where for c in last if c.actor not in matrix.people}.values():
        report.add("voters-without-a-row", "kept; the matrix does not have them", place)


def _check_groups(
    folder: Folder,
    comments: Sequence[_Comment],
    casts: Sequence[Cast],
    matrix: _Matrix,
    sign: int,
    report: Report,
) -> None:
    """Reckon comment-groups.csv anew: some exporters add what was only seen to the passes."""
    path = _find(folder, "groups")
    if path is None or path == folder.only:
        return
    table = folder.table(path.name.removesuffix(".gz"), needs=("comment_id",))
    last = {(c.actor, c.item): c.value for c in casts}
    group = {g: f"group_{chr(97 + n)}" for n, g in enumerate(sorted(set(matrix.groups.values())))}
    count: Counter[tuple[str, str, str]] = Counter()
    for (actor, item), value in last.items():
        word = {1: "agrees", -1: "disagrees", 0: "passes"}[sign * int(value)]
        named = ["total", *([group[matrix.groups[actor]]] if actor in matrix.groups else [])]
        for name in named:
            count[item, name, word] += 1
            count[item, name, "votes"] += 1
    known = {c.id for c in comments}
    for row in table.rows if table else ():
        item = row["comment_id"]
        if item not in known:
            report.add("orphan-group-tallies", "not used; no such statement", row.where)
            continue
        for column in table.columns if table else ():
            name, _, word = column.rpartition("_")
            if word not in ("votes", "agrees", "disagrees", "passes") or not row[column]:
                continue
            if name not in ("total", *group.values()):
                continue
            if _integer(row[column].removesuffix(".0")) != count[item, name, word]:
                policy = "reckoned anew from the votes; the printed ones are not used"
                report.add("group-tallies", policy, f"{row.where}, column {column}")


def _which_sign(evidence: _Evidence) -> Question:
    seen = f"{evidence.straight} / {evidence.flipped}"
    return Question(
        key="agree",
        ask={
            "en": f"Which value means agree? (tallies that fit 1 / -1: {seen})",
            "pt": f"Que valor significa concordo? (contagens que batem com 1 / -1: {seen})",
        },
        options=(
            Option("1", {"en": "1, as in exports", "pt": "1, como nas exportações"}),
            Option("-1", {"en": "-1, as in the database of Polis",
                          "pt": "-1, como no banco de dados do Polis"}),
        ),
    )  # fmt: skip


def _stance(raw: str) -> str | None:
    value = raw.removesuffix(".0")
    return value if value in ("1", "0", "-1") else None


_WHOLE = re.compile(r"-?[0-9]{1,18}")


def _integer(raw: str) -> int | None:
    return int(raw) if _WHOLE.fullmatch(raw) else None


def _by_number(name: str) -> tuple[int, str]:
    return (int(name), "") if _ITEM.fullmatch(name) else (1 << 62, name)


CARD = Card(
    name="polis",
    kind="importers",
    summary="Reads exports of Polis, three variants of comments and two of votes.",
    reference="https://compdemocracy.org/export",
    status="tested",
)
IMPORTER = plugin(CARD)(
    Importer(
        slug=CARD.name,
        files="comments.csv with votes.csv or participants-votes.csv, or one of these two alone",
        sniff=sniff,
        read=read,
        questions=questions,
        lacks=lacks,
    )
)
