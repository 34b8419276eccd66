"""Pairs of answers that people judged: HH-RLHF, TRL, PandaLM, A/B sheets, plain CSV.

Every pair keeps how many people preferred which answer, and nobody's name. Rows about the same
pair, whichever answer they name first, become one pair with the counts of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from normwright.elicit.files import Folder, stem_of
from normwright.elicit.importers import Option, PairsImporter, Question
from normwright.elicit.integrity import Report
from normwright.elicit.judged import (
    ODDITIES,
    ROLES,
    SIDES,
    Columns,
    JudgedPairs,
    Odd,
    Pair,
    Side,
    cluster_of,
    find_columns,
    pair_of,
    plain,
    sides_of,
)
from normwright.elicit.mapping import FILE as MAPPING
from normwright.elicit.mapping import is_text, is_words, read_mapping
from normwright.elicit.sheets import (
    JSON_ENDINGS,
    TABLE_ENDINGS,
    ending,
    first_object,
    read_objects,
)
from normwright.elicit.tongue import UNDETERMINED, language_of
from normwright.plugins import Card, plugin
from normwright.records import InputError, JudgedPair
from normwright.scenes.transcript import has_turn_mark

UNKNOWN = "unknown"
"""The licence of rows that state none."""

_KEYS = {
    "language": (is_text, "a language tag, for example en"),
    "licence": (is_text, "a licence in words, for example CC BY 4.0"),
    "source": (is_text, "a short name of the data set"),
    "columns": (is_words, f"columns by what they hold: {', '.join(ROLES)}"),
    "preferred": (is_words, f"values of the preference, each as {', '.join(SIDES)}"),
}


class _Judgement(NamedTuple):
    where: str
    judge: str | None
    side: Side


@dataclass
class _Tally:
    """One pair and everything said about it."""

    pair: Pair
    id: str
    source: str
    lang: str | None
    licence: str
    said: list[_Judgement] = field(default_factory=list)


def read_judged_pairs(
    paths: Sequence[Path],
    *,
    root: Path,
    lang: str | None = None,
    licence: str | None = None,
) -> JudgedPairs:
    """Return the judged pairs of files: JSON lines, JSON lists, CSV or XLSX, gzipped or not.

    A `mapping.yaml` beside a file may name its language, licence, source and columns, and say what
    the values of a preference mean.

    Args:
        paths: files, or directories of them.
        root: the project directory; places in messages are relative to it.
        lang: language of rows that name none; None: that of the mapping, else the one whose
            commonest words the texts use, which the report states, else `und`.
        licence: licence of rows that name none; None: that of the mapping, else `unknown`.

    Raises:
        InputError: with every fault of every file, each with its line.
    """
    return _judged(paths, Folder(root, root), lang=lang, licence=licence)


def _judged(
    paths: Sequence[Path], shared: Folder, *, lang: str | None = None, licence: str | None = None
) -> JudgedPairs:
    report = Report()
    tallies: dict[tuple[object, ...], _Tally] = {}
    named: dict[tuple[str, str], str] = {}
    for path in _files(paths, shared):
        beside = replace(shared, directory=path.parent)
        given = read_mapping(beside, _KEYS)
        given = {**given, **({"language": lang} if lang else {})}
        given = {**given, **({"licence": licence} if licence else {})}
        _read_file(path, beside, given, report, tallies, named)
    if not tallies and not shared.faults.found:
        where = ", ".join(shared.label(p) for p in paths) or shared.label(shared.root)
        kinds = ", ".join(f"{f.count} {f.kind}" for f in report.faults()) or "none"
        shared.faults.add(where, "pairs that can be used", f"only rows left out: {kinds}")
    if shared.faults.found:
        raise InputError(shared.faults.found)
    pairs = tuple(_counted(tally, report) for tally in tallies.values())
    return JudgedPairs(
        pairs=_in_a_language(pairs, report), faults=report.faults(), sources=dict(shared.sources)
    )


def sniff(folder: Folder) -> bool:
    """Return whether every table in the folder has two answers and a preference in its columns."""
    files = _tables(folder)
    return bool(files) and all(_are_pairs(first_object(path)) for path in files)


def _are_pairs(row: Mapping[str, Any]) -> bool:
    """Whether a row has two answers and a preference, and a prompt in some place.

    Without any, two texts and which was chosen are statements that people compared.
    """
    columns = find_columns(list(row), {})
    if columns is None:
        return False
    answers = (row.get(columns.first), row.get(columns.second))
    within = any(isinstance(a, list) or (isinstance(a, str) and has_turn_mark(a)) for a in answers)
    return bool(columns.prompt) or not columns.preferred or within


def lacks(folder: Folder) -> str:
    """Return which of the three things a file needs it does not have."""
    files = _tables(folder)
    if not files:
        return "no file of JSON lines or rows"
    first = first_object(files[0])
    if not first:
        return f"no rows in {files[0].name} that are JSON objects or fields"
    seen = ", ".join(list(first)[:8])
    return f"no columns chosen and rejected, or of two answers and a preference, among {seen}"


def questions(folder: Folder) -> tuple[Question, ...]:
    """Return what the files leave open: a language nobody can tell, values of unknown meaning."""
    quiet = folder.quiet()
    given = read_mapping(quiet, _KEYS)
    open_: dict[str, Question] = {}
    texts: list[str] = []
    told = "language" in given
    for path in _tables(folder):
        rows = read_objects(path, quiet)
        columns = _columns_of(path, given)
        if rows is None or columns is None:
            continue
        _, unknown = sides_of(_values(rows, columns), columns, given.get("preferred", {}))
        for value in unknown:
            open_[f"preferred.{value}"] = _which_side(value, columns)
        told = told or columns.lang is not None
        texts += [str(row.get(columns.first, "")) for _, row in rows[:2000]]
    if not told and language_of(texts) is None:
        open_["language"] = _which_language()
    return tuple(open_.values())


def read(folder: Folder) -> JudgedPairs | None:
    """Return the pairs of a folder, or None after noting every fault."""
    try:
        return _judged([folder.only or folder.directory], folder)
    except InputError:
        return None  # the folder has the faults


def _files(paths: Sequence[Path], folder: Folder) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = _tables(replace(folder, directory=path))
            if not inside:
                seen = ", ".join(sorted(p.name for p in path.iterdir())) or "an empty directory"
                folder.faults.add(folder.label(path), "files of pairs", seen)
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            folder.faults.add(folder.label(path), "a file", "no such file")
    return found


def _tables(folder: Folder) -> list[Path]:
    return [path for path in folder.files() if ending(path) in (*JSON_ENDINGS, *TABLE_ENDINGS)]


def _columns_of(path: Path, given: Mapping[str, Any]) -> Columns | None:
    return find_columns(list(first_object(path)), given.get("columns", {}))


def _values(rows: Sequence[tuple[str, Mapping[str, Any]]], columns: Columns) -> list[str]:
    said = (_value(row.get(name)) for _, row in rows for name in columns.preferred)
    return [value for value in said if value]


def _value(raw: object) -> str:
    """A preference as text; JSON may hold it as a number."""
    if raw is None or isinstance(raw, bool):
        return "" if raw is None else str(raw).lower()
    return str(raw).strip()


def _read_file(
    path: Path,
    folder: Folder,
    given: Mapping[str, Any],
    report: Report,
    tallies: dict[tuple[object, ...], _Tally],
    named: dict[tuple[str, str], str],
) -> None:
    label, faults = folder.label(path), folder.faults
    rows = read_objects(path, folder)
    if rows is None:
        return
    wanted = given.get("columns", {})
    names = list(rows[0][1])
    wrong = [c for c in wanted.values() if c not in names]
    for column in wrong:
        faults.one_of(f"{label}: columns", column, names, "a column of the file")
    columns = find_columns(names, wanted)
    if columns is None or wrong:
        if columns is None:
            faults.add(
                label, "columns chosen and rejected, or two answers and a preference",
                ", ".join(names[:12]),
                f"Name them under `columns` in {MAPPING}: {', '.join(ROLES)}.",
            )  # fmt: skip
        return
    meaning, unknown = sides_of(_values(rows, columns), columns, given.get("preferred", {}))
    for value in unknown:
        faults.add(
            f"{label}: {' and '.join(columns.preferred)}",
            "values that say which answer was preferred", repr(value[:60]),
            f"Say what it means under `preferred` in {MAPPING}: {', '.join(SIDES)}.",
        )  # fmt: skip
    ids = _ids(rows, columns, path)
    for number, (where, row) in enumerate(rows):
        try:
            pair = pair_of(row, columns)
            said = _said(where, row, columns, meaning)
        except Odd as odd:
            report.add(str(odd), ODDITIES[str(odd)], where)
            continue
        except ValueError as error:
            expected, _, seen = str(error).partition("|")
            faults.add(where, expected, seen)
            continue
        source = plain(_text(row, columns.source) or given.get("source") or _stem(path))
        source = source.replace("/", "-").replace("_", "-")
        key, turned = _key(source, pair, tallies)
        tally = tallies.get(key)
        if tally is None:
            tally = tallies[key] = _Tally(
                pair=pair,
                id=ids[number],
                source=source,
                lang=_text(row, columns.lang) or given.get("language"),
                licence=_text(row, columns.licence) or given.get("licence") or UNKNOWN,
            )
            first = named.setdefault((source, tally.id), where)
            if first != where:
                faults.add(where, "an id of its own", f"that of {first}")
        else:
            report.add(
                "repeated-pairs", "rows about the same pair are one pair with all their judgements",
                where,
            )  # fmt: skip
        tally.said += [_turned(j) for j in said] if turned else said


def _ids(rows: Sequence[tuple[str, Mapping[str, Any]]], columns: Columns, path: Path) -> list[str]:
    """The ids of the rows: a column in which none recurs, else the file's name and a number."""
    own = [_text(row, columns.id) for _, row in rows]
    if all(own) and len(set(own)) == len(own):
        return own
    return [f"{_stem(path)}-{number:06d}" for number in range(1, len(rows) + 1)]


def _said(
    where: str, row: Mapping[str, Any], columns: Columns, meaning: Mapping[str, Side]
) -> list[_Judgement]:
    """The judgements of one row. One of unknown meaning is a fault of the file already."""
    if not columns.preferred:
        return [_Judgement(where, _text(row, columns.judge) or None, "first")]
    values = [(name, _value(row.get(name))) for name in columns.preferred]
    if not any(value for _, value in values):
        raise Odd("blank-judgements")
    several = len(columns.preferred) > 1
    return [
        _Judgement(where, name if several else _text(row, columns.judge) or None, meaning[value])
        for name, value in values
        if value in meaning
    ]


def _key(
    source: str, pair: Pair, tallies: Mapping[tuple[object, ...], _Tally]
) -> tuple[tuple[object, ...], bool]:
    """The key of a pair, and whether it is there already with its answers the other way round."""
    asked = tuple((m.role, m.content) for m in pair.prompt)
    there = (source, asked, pair.second, pair.first)
    return (there, True) if there in tallies else ((source, asked, pair.first, pair.second), False)


def _turned(judgement: _Judgement) -> _Judgement:
    other: dict[Side, Side] = {"first": "second", "second": "first", "tie": "tie"}
    return judgement._replace(side=other[judgement.side])


def _counted(tally: _Tally, report: Report) -> JudgedPair:
    """One pair with its counts. A judge counts once, and so does a row that is there twice."""
    by_judge: dict[str, Side] = {}
    anonymous: dict[Side, int] = {}
    for where, judge, side in tally.said:
        if judge is not None:
            if judge in by_judge:
                policy = "the last judgement of a judge on a pair counts"
                report.add("duplicate-judgements", policy, where)
            by_judge[judge] = side
        elif side in anonymous:
            policy = "counted once; no judge is named, so it may be the same row again"
            report.add("duplicate-pairs", policy, where)
        else:
            anonymous[side] = 1
    sides = [*by_judge.values(), *anonymous]
    if tally.licence == UNKNOWN:
        report.add("unknown-licences", "kept; no licence is stated", f"pair {tally.id}")
    return JudgedPair(
        id=tally.id,
        source=tally.source,
        lang=tally.lang or UNDETERMINED,
        prompt=tally.pair.prompt,
        first=tally.pair.first,
        second=tally.pair.second,
        prefer_first=sides.count("first"),
        prefer_second=sides.count("second"),
        ties=sides.count("tie"),
        cluster=cluster_of(tally.pair.prompt),
        licence=tally.licence,
    )


def _in_a_language(pairs: tuple[JudgedPair, ...], report: Report) -> tuple[JudgedPair, ...]:
    """Pairs of one source that name no language get the one their words are of, and it is said."""
    silent: dict[str, list[str]] = {}
    for pair in pairs:
        if pair.lang == UNDETERMINED:
            silent.setdefault(pair.source, []).append(pair.prompt[-1].content)
            silent[pair.source] += (pair.first, pair.second)
    found = {source: language_of(texts) for source, texts in silent.items()}
    for source, texts in silent.items():
        lang = found[source]
        policy = f"taken as {lang}, by their commonest words; {MAPPING} can say otherwise"
        if lang is None:
            policy = f"language unknown ({UNDETERMINED}); {MAPPING} can name it"
        report.add("assumed-language", policy, f"source {source}", len(texts) // 3)
    return tuple(
        pair.model_copy(update={"lang": found[pair.source]})
        if pair.lang == UNDETERMINED and found[pair.source]
        else pair
        for pair in pairs
    )


def _text(row: Mapping[str, Any], name: str | None) -> str:
    value = row.get(name) if name else None
    return "" if value is None else str(value).strip()


def _stem(path: Path) -> str:
    return plain(stem_of(path)).replace("_", "-")


def _which_side(value: str, columns: Columns) -> Question:
    shown = " / ".join(columns.preferred)
    return Question(
        key=f"preferred.{value}",
        ask={
            "en": f"In column {shown}, what does {value!r} mean?",
            "pt": f"Na coluna {shown}, o que significa {value!r}?",
        },
        options=(
            Option("first", {
                "en": f"the answer in {columns.first} was preferred",
                "pt": f"preferiu-se a resposta em {columns.first}",
            }),
            Option("second", {
                "en": f"the answer in {columns.second} was preferred",
                "pt": f"preferiu-se a resposta em {columns.second}",
            }),
            Option("tie", {"en": "neither was better", "pt": "nenhuma era melhor"}),
        ),
    )  # fmt: skip


def _which_language() -> Question:
    return Question(
        key="language",
        ask={
            "en": "Which language are the texts in? A tag such as en, pt, zh; und if mixed.",
            "pt": "Em que idioma estão os textos? Um código como en, pt, zh; und se misturados.",
        },
    )


CARD = Card(
    name="judged-pairs",
    kind="importers",
    summary="Reads pairs of answers that people judged, with how many preferred which.",
    reference="HH-RLHF (arXiv 2204.05862), TRL preference format, PandaLM, A/B sheets",
    status="tested",
)
IMPORTER = plugin(CARD)(
    PairsImporter(
        slug=CARD.name,
        files="JSON lines, CSV or XLSX with chosen and rejected, or two answers and a preference",
        sniff=sniff,
        read=read,
        questions=questions,
        lacks=lacks,
    )
)
