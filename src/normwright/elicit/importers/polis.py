"""Exports of Polis: `comments.csv` in its three variants, and votes as an event log or a matrix.

In an export 1 means agree and -1 disagree, while the database of Polis has them the other way
round; so the tallies printed in `comments.csv` decide which way a file is written. An export says
neither who was asked nor in what language: a `process.yaml` beside it may.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from normwright.elicit.consulted import Consulted
from normwright.elicit.files import Folder, slug_of
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
from normwright.records import Participant, Polity, Process, Stance, Statement, Vote

_COMMENTS = ("comment_id", "agrees", "disagrees", "moderated", "comment_body")
_VOTES = ("timestamp", "comment_id", "voter_id", "vote")
_SIGN: Mapping[int, Stance] = {1: "agree", -1: "disagree", 0: "pass"}
_AGREE_SHARE = 0.95
"""Share of the tallies that must match one way for that way to be believed."""
UNDETERMINED = "und"
"""BCP 47: the language is not known."""


class _Comment(NamedTuple):
    where: str
    id: str
    body: str
    tally: tuple[int, int]
    rejected: bool
    author: str
    """Pseudonym of who wrote it; empty where the export does not say."""


def sniff(folder: Folder) -> bool:
    """Return whether there is a comments.csv with a comment id and body."""
    return {"comment_id", "comment_body"} <= set(folder.columns("comments.csv"))


def lacks(folder: Folder) -> str:
    """Return what a folder lacks."""
    seen = folder.columns("comments.csv")
    return f"comments.csv with {', '.join(seen[:8])}" if seen else "no comments.csv"


def read(folder: Folder) -> Consulted | None:
    """Return the consultation, or None after noting every fault."""
    faults, report = folder.faults, Report()
    frame = read_frame(folder)
    if frame is None and folder.find("process.yaml") is None:
        frame = _assumed(folder, report)
    comments = _comments(folder)
    casts = _casts(folder)
    if frame is not None and len(frame.polities) != 1:
        label = folder.label(folder.directory / "process.yaml")
        seen = ", ".join(p.id for p in frame.polities)
        faults.add(f"{label}: polities", "one polity, which every voter belongs to", seen)
    sign = _direction(comments, casts, folder, report)
    kept = {c.id for c in comments if not c.rejected}
    for comment in comments:
        if comment.rejected:
            policy = "left out with their votes; a moderator rejected them"
            report.add("rejected-statements", policy, comment.where)
    known = {c.id for c in comments}
    counted: list[Cast] = []
    for cast in casts:
        if cast.item in kept:
            counted.append(cast)
        elif cast.item not in known:
            report.add("orphan-votes", "not counted; no such statement", cast.where)
    votes = tuple(
        Vote(
            participant=c.actor,
            statement=c.item,
            value=_SIGN[sign * int(c.value)],
            at=seconds(c.time),
        )
        for c in last_of_each(counted, report, "votes")
    )
    for statement in sorted(set(frame.speaks_about if frame else ()) - kept):
        label = folder.label(folder.directory / "process.yaml")
        where = f"{label}: speaks_about.{statement}"
        faults.add(where, "a statement of this export that was not rejected", statement)
    if not faults.found:
        check_enough(votes, folder.label(folder.directory), faults)
    if faults.found or frame is None:
        return None
    return _consulted(folder, frame, comments, casts, votes, report)


def _consulted(
    folder: Folder,
    frame: Frame,
    comments: list[_Comment],
    casts: list[Cast],
    votes: tuple[Vote, ...],
    report: Report,
) -> Consulted:
    polity = frame.polities[0]
    lang = frame.language or UNDETERMINED
    people = tuple(
        Participant(id=actor, process=frame.process.id, polities=(polity.id,))
        for actor in sorted({c.actor for c in casts}, key=_by_number)
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
    places: dict[str, str] = {}
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
    comments, casts = _comments(folder), _casts(folder)
    sign = _direction(comments, casts, folder, Report())
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


def _casts(folder: Folder) -> list[Cast]:
    return _event_log(folder) if folder.find("votes.csv") else _matrix(folder)


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
        "a process.yaml beside the export can say otherwise", folder.label(folder.directory),
    )  # fmt: skip
    title = {UNDETERMINED: topic or slug}
    polity = Polity(id=slug, name=title, layer="polity")
    return Frame(Process(id=slug, kind="human", title=title), (polity,), None)


def _comments(folder: Folder) -> list[_Comment]:
    table = folder.table("comments.csv", needs=_COMMENTS, open_end=True)
    made: dict[str, _Comment] = {}
    for row in table.rows if table else ():
        numbers = {c: _integer(row[c]) for c in ("agrees", "disagrees", "moderated")}
        for column, number in numbers.items():
            if number is None:
                folder.faults.add(row.where, f"a whole number in {column}", repr(row[column]))
        moderated = numbers["moderated"]
        if moderated is not None and moderated not in (-1, 0, 1):
            folder.faults.add(row.where, "moderated -1, 0 or 1", moderated)
        if row["comment_id"] in made:
            folder.faults.add(row.where, "each comment-id once", f"{row['comment_id']} again")
        made[row["comment_id"]] = _Comment(
            row.where,
            row["comment_id"],
            row["comment_body"],
            (numbers["agrees"] or 0, numbers["disagrees"] or 0),
            moderated == -1,
            row["author_id"],
        )
    return list(made.values())


def _event_log(folder: Folder) -> list[Cast]:
    table = folder.table("votes.csv", needs=_VOTES)
    casts: list[Cast] = []
    for row in table.rows if table else ():
        time, value = _integer(row["timestamp"]), _stance(row["vote"])
        if time is None or time < 0:
            folder.faults.add(row.where, "a timestamp", repr(row["timestamp"]))
        if value is None:
            folder.faults.add(row.where, "a vote 1, 0 or -1", repr(row["vote"]))
        elif time is not None:
            casts.append(Cast(row.where, row["voter_id"], row["comment_id"], value, time, row.line))
    return casts


def _matrix(folder: Folder) -> list[Cast]:
    """Votes from one row a participant; blank is unseen. Some exports write 1 as 1.0."""
    name = next(
        (n for n in ("participants-votes.csv", "participant-votes.csv") if folder.find(n)),
        "votes.csv",
    )
    table = folder.table(name, needs=("participant",))
    casts: list[Cast] = []
    items = [c for c in table.columns if c.isdigit()] if table else []
    for row in table.rows if table else ():
        for item in items:
            raw = row[item]
            if raw == "":
                continue
            value = _stance(raw)
            if value is None:
                folder.faults.add(f"{row.where}, column {item}", "1, 0, -1 or blank", repr(raw))
            else:
                casts.append(Cast(row.where, row["participant"], item, value, 0, len(casts)))
    return casts


def _direction(comments: list[_Comment], casts: list[Cast], folder: Folder, report: Report) -> int:
    """Return 1 if 1 means agree, -1 if it means disagree. Tallies count the whole event log."""
    count = Counter((c.item, c.value) for c in casts)
    straight = flipped = told = 0
    wrong: list[str] = []
    for comment in comments:
        up, down = count[comment.id, "1"], count[comment.id, "-1"]
        straight += comment.tally == (up, down)
        flipped += comment.tally == (down, up)
        told += 1
        if comment.tally not in ((up, down), (down, up)):
            wrong.append(comment.where)
    if told == 0 or not casts:
        return 1
    for where in wrong:
        report.add("tallies", "the votes are believed, not the printed tallies", where)
    if straight < _AGREE_SHARE * told and flipped >= _AGREE_SHARE * told:
        where = folder.label(folder.directory)
        report.add("flipped-sign", "1 means disagree in this file; turned round", where, len(casts))
        return -1
    if straight <= flipped and straight < _AGREE_SHARE * told:
        folder.faults.add(
            folder.label(folder.directory), "tallies that show which way 1 and -1 are meant",
            f"{straight} of {told} match as written and {flipped} turned round",
        )  # fmt: skip
    return 1


def _stance(raw: str) -> str | None:
    value = raw.removesuffix(".0")
    return value if value in ("1", "0", "-1") else None


def _integer(raw: str) -> int | None:
    return int(raw) if re.fullmatch(r"-?[0-9]+", raw) else None


def _by_number(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdigit() else (1 << 62, name)


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
        files="comments.csv with votes.csv or participants-votes.csv",
        sniff=sniff,
        read=read,
        lacks=lacks,
    )
)
