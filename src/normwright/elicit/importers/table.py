"""A table of statements and votes as people keep it: CSV of any delimiter, or a spreadsheet.

One row an answer, one row a participant with a column a statement, or one row a comparison of two
statements. What the table does not tell is asked once and kept in `mapping.yaml`; who was asked,
and in what language, stands in a `process.yaml` beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from normwright.elicit import compared, ranked
from normwright.elicit.compared import Choice, moment
from normwright.elicit.consulted import Consulted, Ratings
from normwright.elicit.files import Folder, slug_of, stem_of
from normwright.elicit.importers import Importer, Nameless, Option, PeopleColumn, Question
from normwright.elicit.integrity import (
    Cast,
    Report,
    check_enough,
    check_votes,
    last_of_each,
    seconds,
)
from normwright.elicit.layout import KINDS, ROLES, ROWS, Layout, Open, find_layout
from normwright.elicit.mapping import FILE as MAPPING
from normwright.elicit.mapping import is_list, is_text, is_words, read_mapping
from normwright.elicit.process import Frame, read_frame
from normwright.elicit.ranked import Mark, rank_of
from normwright.elicit.sheets import (
    TABLE_ENDINGS,
    Sheet,
    SheetRow,
    ending,
    read_sheet,
    sheet_names,
    shortened,
)
from normwright.elicit.stances import MEANINGS, Reading, is_scale, read_stances, scale_ends
from normwright.elicit.tongue import UNDETERMINED
from normwright.plugins import Card, plugin
from normwright.records import (
    NO_BALLOTS,
    Ballots,
    Participant,
    Polity,
    Process,
    Stance,
    Statement,
    Unranked,
    Vote,
)

CHOICES: Final = ("left", "right", "tie", "none")
"""What a choice between two may mean."""
_SIDE_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("left", "l", "a", "1", "first", "esquerda", "primeira", "primeiro"), "left"),
    **dict.fromkeys(("right", "r", "b", "2", "second", "direita", "segunda", "segundo"), "right"),
    **dict.fromkeys(("tie", "equal", "same", "draw", "both", "neither", "0", "=", "empate",
                     "igual", "iguais", "tanto faz"), "tie"),
    **dict.fromkeys(("skip", "skipped", "pass", "none", "na", "n/a", "can't decide", "pular",
                     "passo"), "none"),
}  # fmt: skip
_KEYS = {
    "layout": (lambda v: v in KINDS, f"one of {', '.join(KINDS)}"),
    "columns": (is_words, f"columns by what they hold: {', '.join(ROLES)}"),
    "votes": (
        lambda v: is_words(v) and set(v.values()) <= set(MEANINGS),
        f"values in quotes, each with one of {', '.join(MEANINGS)}",
    ),
    "scale": (is_scale, "a scale from least to most agreement, for example 1..5"),
    "choices": (
        lambda v: is_words(v) and set(v.values()) <= set(CHOICES),
        f"values in quotes, each with one of {', '.join(CHOICES)}",
    ),
    "statements": (is_words, "texts of statements by the name the table gives them"),
    "leave_out": (is_list, "a list of columns"),
    "delimiter": (lambda v: isinstance(v, str) and len(v) == 1, "one character"),
    "sheet": (is_text, "the name of a sheet"),
}
_ASKED_SINGLY: Final = 12
"""Unknown values up to which each is asked about; more are taken for no answers at all."""
_SHORT = re.compile(r"[A-Za-zÀ-ÿ]{0,3}[ ._-]?\d{1,5}")
"""A heading such as Q12 or 7: a name for a statement, not its text."""
_FALSE: Final = ("false", "0", "no", "f", "n", "não", "nao", "falso")


@dataclass(frozen=True)
class _Answer:
    """One cell with something in it."""

    where: str
    participant: str
    statement: str
    value: str
    time: str
    line: int


@dataclass(frozen=True)
class _Said:
    """A table taken apart: who answered what, and how it is written."""

    answers: tuple[_Answer, ...]
    people: tuple[str, ...]
    texts: Mapping[str, str]
    """Statement -> its text as the table has it."""


def sniff(folder: Folder) -> bool:
    """Return whether there is one table, and nothing else that could be meant."""
    return len(_tables(folder)) == 1


def lacks(folder: Folder) -> str:
    """Return what a folder lacks."""
    names = [p.name for p in _tables(folder)]
    some = ", ".join(names[:8])
    return f"{len(names)} tables: {some}" if names else "no CSV, TSV or XLSX file"


def questions(folder: Folder) -> tuple[Question, ...]:
    """Return what the table leaves open."""
    quiet = folder.quiet()
    given = read_mapping(quiet, _KEYS)
    (path,) = _tables(folder)
    if ending(path) == ".xlsx" and "sheet" not in given:
        names = sheet_names(path)
        if len(names) > 1:
            return (_which_sheet(names),)
    sheet = _sheet(path, quiet, given)
    if sheet is None:
        return ()
    columns = given.get("columns", {})
    layout, open_ = find_layout(
        sheet, kind=given.get("layout"), chosen=columns, leave_out=given.get("leave_out", ())
    )
    asked = [_which(o) for o in open_]
    if layout is None or layout.kind in ("comparisons", "rankings"):
        return tuple(asked)
    reading = _reading(_said(sheet, layout, Report()), given)
    if len(reading.unknown) <= _ASKED_SINGLY:  # more are no answers, and reading says so
        asked += [_which_meaning(value) for value in reading.unknown]
    if reading.scales:
        asked.append(_which_scale(reading.scales))
    return tuple(asked)


def read(folder: Folder) -> Consulted | None:
    """Return the consultation, or None after noting every fault."""
    faults, report = folder.faults, Report()
    given = read_mapping(folder, _KEYS)
    frame = read_frame(folder)
    (path,) = _tables(folder)
    sheet = _sheet(path, folder, given)
    if frame is None and folder.find("process.yaml") is None:
        frame = _assumed(path, folder, report)
    if frame is not None and len(frame.polities) != 1:
        label = folder.label(folder.directory / "process.yaml")
        seen = ", ".join(p.id for p in frame.polities)
        faults.add(f"{label}: polities", "one polity, which every participant belongs to", seen)
    if sheet is None:
        return None
    layout = _layout(sheet, given, folder)
    if layout is None or frame is None:
        return None
    _tell(sheet, layout, report)
    if layout.kind == "comparisons":
        return _compared(folder, frame, sheet, layout, given, report)
    if layout.kind == "rankings":
        return _ranked(folder, frame, sheet, layout, given, report)
    return _voted(folder, frame, sheet, layout, given, report)


def people(folder: Folder) -> PeopleColumn | Nameless | None:
    """Return the column that names people; the reason, where their names are only places."""
    given = read_mapping(folder, _KEYS)
    (path,) = _tables(folder)
    sheet = _sheet(path, folder, given)
    layout = None if sheet is None else _layout(sheet, given, folder)
    if sheet is None or layout is None:
        return None
    if ending(path) == ".xlsx":
        do = "Save the sheet as CSV in its place, run, and try again."
        return Nameless(path, "a workbook, which cannot be written again as it was", do)
    report = Report()
    _pseudonyms(sheet, layout, report)
    if "participant" not in layout.columns or report.faults():
        do = "Have a column of the table name people by pseudonyms, run, and try again."
        return Nameless(path, "ids that are only places in the file; another gets them next", do)
    return PeopleColumn(path, layout.columns["participant"], sheet.delimiter)


def _voted(
    folder: Folder,
    frame: Frame,
    sheet: Sheet,
    layout: Layout,
    given: Mapping[str, Any],
    report: Report,
) -> Consulted | None:
    said = _said(sheet, layout, report)
    reading = _reading(said, given)
    _unread(sheet, said, reading, folder)
    stance: dict[str, Stance] = {v: m for v, m in reading.meaning.items() if m != "none"}
    names = _names(said.texts)
    casts = []
    for answer in said.answers:
        if answer.value in stance:
            time = _time(answer, folder) if answer.time else 0
            casts.append(
                Cast(answer.where, answer.participant, names[answer.statement],
                     answer.value, time, answer.line)
            )  # fmt: skip
        elif answer.value in reading.meaning:
            report.add("blank-votes", "no vote; a blank is not a pass", answer.where)
    last = last_of_each(casts, report, "votes")
    votes = tuple(
        Vote(participant=c.actor, statement=c.item, value=stance[c.value], at=seconds(c.time))
        for c in last
    )
    if not folder.faults.found:
        check_enough(votes, sheet.label, folder.faults)
    if folder.faults.found:
        return None
    people, statements = _framed(frame, said.people, said.texts, names, given)
    places: dict[str, str] = {}
    for answer in said.answers:
        places.setdefault(answer.participant, answer.where)
    for person in people:  # those whose every cell is blank
        places.setdefault(person.id, sheet.label)
    check_votes(votes, people, statements, report, places=places)
    ratings = _rated(last, stance, given.get("scale"))
    made = _made(folder, frame, people, statements, report, votes=votes)
    return made if ratings is None else replace(made, ratings=ratings)


def _rated(
    casts: Sequence[Cast], stance: Mapping[str, Stance], scale: str | None
) -> Ratings | None:
    """The grades of a scale that somebody named, whole numbers from the least agreement."""
    if scale is None:
        return None
    least, most = scale_ends(scale)
    grades = {value: abs(int(value) - least) for value in stance if value.lstrip("+-").isdigit()}
    if len(grades) < len(stance):
        return None  # words or fractions among them are no grades of the scale
    agreed = [grade for value, grade in grades.items() if stance[value] == "agree"]
    given = tuple((c.actor, c.item, grades[c.value]) for c in casts)
    reach = abs(most - least)
    return Ratings(reach + 1, min(agreed, default=reach + 1), given)


def _compared(
    folder: Folder,
    frame: Frame,
    sheet: Sheet,
    layout: Layout,
    given: Mapping[str, Any],
    report: Report,
) -> Consulted | None:
    """Each comparison is a ballot of two; what a participant was not shown is not compared."""
    columns = layout.columns
    asked = {"left", "right", "choice"} <= columns.keys()
    sides = ("left", "right") if asked else ("winner", "loser")
    texts: dict[str, str] = {}
    people: dict[str, str] = {}
    choices: list[Choice] = []
    pseudonym, digits = _pseudonyms(sheet, layout, report), len(str(len(sheet.rows)))
    for number, row in enumerate(sheet.rows):
        where = sheet.where(row)
        if "valid" in columns and row.cells[columns["valid"]].lower() in _FALSE:
            report.add("invalid-comparisons", "left out; the file marks them so", where)
            continue
        who = row.cells[columns["participant"]] if "participant" in columns else str(number)
        one, other = (row.cells[columns[r]] for r in sides)
        if not (who and one and other):
            report.add("blank-comparisons", "left out; a name or a side is missing", where)
            continue
        if one == other:
            report.add("comparisons-with-itself", "left out; both sides are one", where)
            continue
        side = "left" if sides[0] == "winner" else _side(row, columns, one, other, given)
        if side is None:
            folder.faults.add(
                where, "left, right, tie, or one of the two as it is written",
                shortened(row.cells[columns["choice"]]),
                f"Say what it means under `choices` in {MAPPING}, or --answer choices.VALUE=..: "
                f"{', '.join(CHOICES)}.",
            )  # fmt: skip
            continue
        if side == "none":
            report.add("blank-comparisons", "left out; nothing was chosen, which is no tie", where)
            continue
        named = "participant" in columns
        actor = people.setdefault(who, pseudonym.of(who) if named else f"r{number + 1:0{digits}d}")
        for text in (one, other):
            texts.setdefault(text, text)
        time = _cell(row, columns, "time")
        answer = _Answer(where, actor, "", "", time, number)
        better, worse = (other, one) if side == "right" else (one, other)
        at = _time(answer, folder) if time else 0
        choices.append(Choice(where, actor, better, worse, side == "tie", at, number))
    names = _names(texts)
    ballots, kept = compared.ballots_of(choices, names, report)
    if not folder.faults.found and len({c.actor for c in kept}) < 2:
        folder.faults.add(sheet.label, "comparisons of at least two participants", len(kept))
    if folder.faults.found:
        return None
    made_people, statements = _framed(frame, tuple(people.values()), texts, names, given)
    return _made(folder, frame, made_people, statements, report, ballots=ballots)


def _side(
    row: SheetRow, columns: Mapping[str, int], left: str, right: str, given: Mapping[str, Any]
) -> str | None:
    """Which side was chosen; None where nobody knows what the value means."""
    value = row.cells[columns["choice"]]
    if value in (left, right):
        return "left" if value == left else "right"
    decided = given.get("choices", {}).get(value)
    return decided or _SIDE_WORDS.get(value.lower()) if value else "none"


def _ranked(
    folder: Folder,
    frame: Frame,
    sheet: Sheet,
    layout: Layout,
    given: Mapping[str, Any],
    report: Report,
) -> Consulted | None:
    """One order a person, whichever way the table has it; what an order leaves out is last."""
    pseudonym = _pseudonyms(sheet, layout, report)
    texts: dict[str, str] = {sheet.columns[c]: sheet.columns[c] for c in layout.statements}
    people: dict[str, str] = {}
    marks: list[Mark] = []
    digits = len(str(len(sheet.rows)))
    for number, row in enumerate(sheet.rows, 1):
        where = sheet.where(row)
        who = _cell(row, layout.columns, "participant")
        if "participant" in layout.columns and not who:
            report.add("nameless-rows", "left out; no participant", where)
            continue
        actor = people.setdefault(
            who or str(number), pseudonym.of(who) if who else f"r{number:0{digits}d}"
        )
        for item, raw in _placed(row, layout, sheet):
            place = rank_of(raw)
            if not item or not raw:
                report.add("blank-ranks", "not ranked; a blank is no place", where)
            elif place is None:
                folder.faults.add(where, "a place from 1 on", shortened(raw))
            else:
                texts.setdefault(item, _cell(row, layout.columns, "text") or item)
                marks.append(Mark(where, actor, item, place))
    names = _names(texts)
    ballots = ranked.ballots_of(marks, names, report)
    if not folder.faults.found and len(set(ballots.voters)) < 2:
        folder.faults.add(sheet.label, "rankings of at least two participants", len(ballots))
    if folder.faults.found:
        return None
    for _ in range(len(people) - len(ballots)):
        report.add("silent-participants", "kept; they ranked nothing", sheet.label)
    made_people, statements = _framed(frame, tuple(people.values()), texts, names, given)
    return _made(folder, frame, made_people, statements, report, ballots=ballots, unranked="last")


def _placed(row: SheetRow, layout: Layout, sheet: Sheet) -> Iterable[tuple[str, str]]:
    """Each alternative of a row, with its place as written."""
    if layout.places:
        return [(row.cells[c], str(n)) for n, c in enumerate(layout.places, 1) if row.cells[c]]
    if layout.statements:
        return [(sheet.columns[c], row.cells[c]) for c in layout.statements if row.cells[c]]
    columns = layout.columns
    return [(row.cells[columns["statement"]], row.cells[columns["rank"]])]


def _made(
    folder: Folder,
    frame: Frame,
    people: tuple[Participant, ...],
    statements: tuple[Statement, ...],
    report: Report,
    *,
    votes: tuple[Vote, ...] = (),
    ballots: Ballots = NO_BALLOTS,
    unranked: Unranked = "apart",
) -> Consulted:
    return Consulted(
        process=frame.process,
        polities=frame.polities,
        participants=people,
        statements=statements,
        votes=votes,
        comparisons=(),
        faults=report.faults(),
        sources=dict(folder.sources),
        languages=(frame.language or UNDETERMINED,),
        importer=IMPORTER.slug,
        ballots=ballots,
        unranked=unranked,
    )


def _framed(
    frame: Frame,
    people: Iterable[str],
    texts: Mapping[str, str],
    names: Mapping[str, str],
    given: Mapping[str, Any],
) -> tuple[tuple[Participant, ...], tuple[Statement, ...]]:
    """The people and statements of a table, in its order, as members of the one polity."""
    polity, lang = frame.polities[0], frame.language or UNDETERMINED
    told = given.get("statements", {})
    return (
        tuple(Participant(id=p, process=frame.process.id, polities=(polity.id,)) for p in people),
        tuple(
            Statement(
                id=names[key],
                text={lang: told.get(key, text)},
                layer=polity.layer,
                authority=polity.id,
            )
            for key, text in texts.items()
        ),
    )


def _said(sheet: Sheet, layout: Layout, report: Report) -> _Said:
    pseudonym = _pseudonyms(sheet, layout, report)
    if layout.kind == "wide":
        return _said_wide(sheet, layout, pseudonym, report)
    columns = layout.columns
    people: dict[str, str] = {}
    texts: dict[str, str] = {}
    answers = []
    for row in sheet.rows:
        where = sheet.where(row)
        who, what, value = (row.cells[columns[r]] for r in ("participant", "statement", "vote"))
        if not who or not what:
            report.add("nameless-rows", "left out; no participant or no statement", where)
            continue
        actor = people.setdefault(who, pseudonym.of(who))
        text = _cell(row, columns, "text")
        if text or what not in texts:
            texts[what] = text or texts.get(what, what)
        if not value:
            report.add("blank-votes", "no vote; a blank is not a pass", where)
            continue
        answers.append(_Answer(where, actor, what, value, _cell(row, columns, "time"), row.line))
    return _Said(tuple(answers), tuple(people.values()), texts)


def _said_wide(sheet: Sheet, layout: Layout, pseudonym: _Pseudonyms, report: Report) -> _Said:
    """Blank cells of a matrix are what was not seen, as usual; only their share is worth a word."""
    people: dict[str, str] = {}
    answers = []
    digits = len(str(len(sheet.rows)))
    for number, row in enumerate(sheet.rows, 1):
        where = sheet.where(row)
        who = _cell(row, layout.columns, "participant")
        if "participant" in layout.columns and not who:
            report.add("nameless-rows", "left out; no participant", where)
            continue
        actor = pseudonym.of(who) if who else f"r{number:0{digits}d}"
        people[actor] = actor
        for column in layout.statements:
            value = row.cells[column]
            if value:
                place = f"{where}, column {sheet.columns[column][:40]}"
                answers.append(_Answer(place, actor, sheet.columns[column], value, "", row.line))
    texts = {sheet.columns[c]: sheet.columns[c] for c in layout.statements}
    return _Said(tuple(answers), tuple(people.values()), texts)


def _pseudonyms(sheet: Sheet, layout: Layout, report: Report) -> _Pseudonyms:
    column = layout.columns.get("participant")
    names = () if column is None else (row.cells[column] for row in sheet.rows)
    return _Pseudonyms(names, report)


class _Pseudonyms:
    """Gives people a name in the store: their own, or numbers where theirs may say who they are."""

    def __init__(self, names: Iterable[str], report: Report) -> None:
        everyone = list(dict.fromkeys(name for name in names if name))
        telling = any("@" in name or len(name.split()) > 1 for name in everyone)
        digits = len(str(len(everyone)))
        self._known = {
            name: f"p{number:0{digits}d}" if telling else name
            for number, name in enumerate(everyone, 1)
        }
        if telling:
            policy = "names or addresses: numbers in the order of the file stand for people"
            report.add("names-replaced", policy, f"{len(everyone)} people", len(everyone))

    def of(self, name: str) -> str:
        """Return what a participant is called in the store."""
        return self._known[name]


def _reading(said: _Said, given: Mapping[str, Any]) -> Reading:
    return read_stances(
        {a.value for a in said.answers}, decided=given.get("votes", {}), scale=given.get("scale")
    )


def _unread(sheet: Sheet, said: _Said, reading: Reading, folder: Folder) -> None:
    """Note what the values leave open: nothing is guessed when the questions were not asked."""
    first: dict[str, str] = {}
    for answer in said.answers:
        first.setdefault(answer.value, answer.where)
    if len(reading.unknown) > _ASKED_SINGLY:
        folder.faults.add(
            first[reading.unknown[0]], "answers such as agree, disagree, pass, or a scale",
            f"{len(reading.unknown)} values, for example {shortened(reading.unknown[0])}",
            f"Name the column of the votes under `columns` in {MAPPING}.",
        )  # fmt: skip
    else:
        for value in reading.unknown:
            folder.faults.add(
                first[value], "an answer whose meaning is known", shortened(value),
                f"Say what it means under `votes` in {MAPPING}, or --answer votes.VALUE=..: "
                f"{', '.join(MEANINGS)}.",
            )  # fmt: skip
    if reading.scales:
        folder.faults.add(
            sheet.label, f"a scale: {', '.join(reading.scales)}", "numbers on a scale nobody named",
            f"Name it as `scale` in {MAPPING}, or --answer scale=1..5: least agreement first.",
        )  # fmt: skip


def _layout(sheet: Sheet, given: Mapping[str, Any], folder: Folder) -> Layout | None:
    columns = given.get("columns", {})
    label = folder.label(folder.directory / MAPPING)
    for role, column in columns.items():
        if folder.faults.one_of(f"{label}: columns", role, ROLES, "a role") and column != ROWS:
            folder.faults.one_of(
                f"{label}: columns.{role}", column, sheet.columns, "a column of the table"
            )
    layout, open_ = find_layout(
        sheet, kind=given.get("layout"), chosen=columns, leave_out=given.get("leave_out", ())
    )
    for question in open_:
        folder.faults.add(
            sheet.label,
            "one row an answer, a participant or a comparison"
            if question.role == "layout"
            else f"a column of the {question.role}",
            f"columns {', '.join(shortened(c) for c in sheet.columns[:8])}",
            f"Say it in {MAPPING} or by --answer: `layout`, or `columns` by what they hold, "
            f"such as columns.participant=COLUMN ({ROWS}: nobody is named).",
        )
    if layout is not None and layout.kind == "wide" and not layout.statements:
        folder.faults.add(sheet.label, "columns of answers, one a statement", "none")
        return None
    return None if open_ else layout


def _sheet(path: Path, folder: Folder, given: Mapping[str, Any]) -> Sheet | None:
    return read_sheet(path, folder, delimiter=given.get("delimiter"), sheet=given.get("sheet"))


def _tell(sheet: Sheet, layout: Layout, report: Report) -> None:
    """Report what was found out about the table rather than said."""
    if sheet.encoding == "cp1252":
        policy = "the bytes are no UTF-8 and were read as Windows-1252"
        report.add("assumed-encoding", policy, sheet.label)
    if layout.kind in ("wide", "comparisons") and "participant" not in layout.columns:
        policy = "every row is taken as a person of its own; no column names participants"
        report.add("anonymous-rows", policy, sheet.label, len(sheet.rows))
    for column in layout.left_out:
        policy = "left out; these columns hold no answers"
        report.add("other-columns", policy, f"{sheet.label}, column {sheet.columns[column][:40]}")


def _names(texts: Mapping[str, str]) -> dict[str, str]:
    """Ids of statements: a heading such as Q12 stays, a sentence gets a number."""
    if all(_SHORT.fullmatch(key) for key in texts):
        return {key: key for key in texts}
    short = {key for key, text in texts.items() if text != key and len(key) <= 40}
    digits = len(str(len(texts)))
    return {
        key: key if key in short else f"s{number:0{digits}d}" for number, key in enumerate(texts, 1)
    }


def _assumed(path: Path, folder: Folder, report: Report) -> Frame:
    """The frame of a bare table: its file's name, and its participants as one community."""
    stem = stem_of(path)
    slug = slug_of(stem, default="table")
    report.add(
        "assumed-process", "taken as one community of people at layer polity, language unknown; "
        "a process.yaml beside the table can say otherwise", folder.label(path),
    )  # fmt: skip
    title = {UNDETERMINED: stem}
    process = Process(id=slug, kind="human", title=title)
    return Frame(process, (Polity(id=slug, name=title, layer="polity"),), None)


def _tables(folder: Folder) -> list[Path]:
    return [path for path in folder.files() if ending(path) in TABLE_ENDINGS]


def _cell(row: SheetRow, columns: Mapping[str, int], role: str) -> str:
    return row.cells[columns[role]] if role in columns else ""


def _time(answer: _Answer, folder: Folder) -> int:
    """Seconds or milliseconds since the epoch, or ISO 8601; without an offset it is UTC."""
    raw = answer.time
    told = moment(raw)
    if told is None:
        folder.faults.add(
            answer.where, "a time in seconds or milliseconds, or ISO 8601", shortened(raw),
            f"Give the column another name, or name another under `columns.time` in {MAPPING}.",
        )  # fmt: skip
    return told or 0


def _which(open_: Open) -> Question:
    if open_.role == "layout":
        return Question(
            key="layout",
            ask={
                "en": "What is one row of the table?",
                "pt": "O que é uma linha da tabela?",
            },
            options=(
                Option("long", {"en": "one answer of one participant to one statement",
                                "pt": "uma resposta de um participante a uma afirmação"}),
                Option("wide", {"en": "one participant, with a column for each statement",
                                "pt": "um participante, com uma coluna para cada afirmação"}),
                Option("rankings", {"en": "a place in somebody's order, or a whole order",
                                    "pt": "um lugar na ordem de alguém, ou uma ordem inteira"}),
                Option("comparisons", {"en": "one choice between two statements",
                                       "pt": "uma escolha entre duas afirmações"}),
            ),
        )  # fmt: skip
    what = {
        "participant": ("tells who answered", "diz quem respondeu"),
        "statement": ("tells what was answered", "diz a que se respondeu"),
        "vote": ("holds the answer", "contém a resposta"),
        "winner": ("holds the statement that was chosen", "contém a afirmação escolhida"),
        "loser": ("holds the statement that was not chosen", "contém a afirmação preterida"),
        "left": ("holds the first of the two statements", "contém a primeira das duas afirmações"),
        "right": ("holds the second of the two", "contém a segunda das duas"),
        "choice": ("says which of the two was chosen", "diz qual das duas foi escolhida"),
        "rank": ("holds the place in the order", "contém o lugar na ordem"),
    }[open_.role]
    return Question(
        key=f"columns.{open_.role}",
        ask={"en": f"Which column {what[0]}?", "pt": f"Que coluna {what[1]}?"},
        options=tuple(
            Option(c, {"en": "each row is a person of its own",
                       "pt": "cada linha é uma pessoa diferente"} if c == ROWS
                   else {"en": "this column", "pt": "esta coluna"})
            for c in open_.options
        ),
    )  # fmt: skip


def _which_sheet(names: Sequence[str]) -> Question:
    return Question(
        key="sheet",
        ask={
            "en": "Which sheet of the workbook holds the votes?",
            "pt": "Que planilha da pasta de trabalho contém os votos?",
        },
        options=tuple(Option(name, {"en": "this sheet", "pt": "esta planilha"}) for name in names),
    )


def _which_meaning(value: str) -> Question:
    return Question(
        key=f"votes.{value}",
        ask={
            "en": f"What does the answer {value!r} mean?",
            "pt": f"O que significa a resposta {value!r}?",
        },
        options=(
            Option("agree", {"en": "agreement", "pt": "concordância"}),
            Option("disagree", {"en": "disagreement", "pt": "discordância"}),
            Option("pass", {"en": "a pass: seen, and neither", "pt": "passo: viu e não escolheu"}),
            Option("none", {"en": "no answer: not seen", "pt": "sem resposta: não viu"}),
        ),
    )  # fmt: skip


def _which_scale(scales: Sequence[str]) -> Question:
    def says(scale: str) -> dict[str, str]:
        least, most = scale.split("..")
        return {
            "en": f"{least} is least agreement, {most} most; the middle is a pass",
            "pt": f"{least} é a menor concordância, {most} a maior; o meio é passo",
        }

    return Question(
        key="scale",
        ask={
            "en": "On what scale are the answers?",
            "pt": "Em que escala estão as respostas?",
        },
        options=tuple(Option(scale, says(scale)) for scale in scales),
    )


CARD = Card(
    name="table",
    kind="importers",
    summary="Reads a table of votes, ratings or comparisons as people keep it, and asks what it "
    "does not tell.",
    status="tested",
)
IMPORTER = plugin(CARD)(
    Importer(
        slug=CARD.name,
        files="one CSV, TSV or XLSX table of statements and votes",
        sniff=sniff,
        read=read,
        questions=questions,
        lacks=lacks,
        fallback=True,
        people=people,
    )
)
