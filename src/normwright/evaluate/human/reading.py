"""Ratings into records: filled sheets of a study of ours, and judgements published elsewhere.

| format | a line holds |
|---|---|
| `study` | `row`, `choice` (first, second, tie), `first_ok`, `second_ok` (yes, no), `at`; CSV or JSON lines |
| `tulu` | `instance_id`, `model_a`, `model_b`, `preference`, `a_acceptable`, `b_acceptable`, `evaluator` |
| `pandalm` | `instruction`, `input`, `cmp_key`, `annotator1` to `annotator3` (0 tie, 1, 2) |

Tulu: Wang et al., arXiv 2306.04751. PandaLM: Wang et al., arXiv 2306.05087; its three annotators
are named by column, and whether a column is one person throughout is not known.
"""  # noqa: E501

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from normwright.evaluate.json_lines import Line, read
from normwright.records import Fault, InputError, Placed, Rating, StudyItem, json_rows

FORMATS: Final = ("tulu", "pandalm")
"""Formats of judgements that were published without a plan."""

_CHOICES: Final = {"first": 1.0, "second": 0.0, "tie": 0.5}
_YES: Final = {"yes": 1.0, "no": 0.0}
_TULU: Final = {
    "a-is-better": 1.0, "a-is-slightly-better": 1.0, "tie": 0.5,
    "b-is-slightly-better": 0.0, "b-is-better": 0.0,
}  # fmt: skip

Pair: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Judged:
    """Published judgements, by the pair of systems they are about (in alphabetical order)."""

    ratings: Mapping[Pair, tuple[Rating, ...]]
    repeated: int
    """Times somebody was asked the same twice; the mean of both counts."""


def read_ratings(
    paths: Sequence[Path], key: Sequence[Placed], items: Sequence[StudyItem]
) -> tuple[tuple[Rating, ...], str]:
    """Return the ratings of filled sheets, unblinded, and the time of the first.

    The time is the least in the column `at` (ISO 8601, UTC), empty if any row has none. Rows
    without a choice are left out: nobody has said anything there.

    Raises:
        InputError: with every fault: unknown rows, rows filled twice, unknown choices.
    """
    placed = {p.row: p for p in key}
    longer = {i.id: _longer(i.first, i.second) for i in items}
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    ratings, times = [], []
    for path in paths:
        for line in _filled(path, faults):
            rating = _rating(line, placed, seen, longer)
            faults += line.faults
            if rating is not None:
                ratings.append(rating)
                times.append(str(line.body.get("at") or "").strip())
    if not ratings and not faults:
        faults.append(Fault(where=", ".join(map(str, paths)), expected="ratings", seen="none"))
    if faults:
        raise InputError(faults)
    return tuple(ratings), min(times) if all(times) else ""


def read_judged(path: Path, kind: str) -> Judged:
    """Return published judgements by pair of systems.

    Raises:
        InputError: with every fault of the file, or for an unknown format.
    """
    if kind not in FORMATS:
        known = ", ".join(FORMATS)
        raise InputError([Fault(where=str(path), expected=f"one of {known}", seen=repr(kind))])
    rows = read(path, _tulu if kind == "tulu" else _pandalm)
    by_pair: dict[Pair, dict[tuple[str, str], list[Rating]]] = {}
    for pair, rating in (each for row in rows for each in row):
        by_pair.setdefault(pair, {}).setdefault((rating.rater, rating.item), []).append(rating)
    return Judged(
        {p: tuple(_mean(same) for same in meetings.values()) for p, meetings in by_pair.items()},
        sum(len(same) > 1 for meetings in by_pair.values() for same in meetings.values()),
    )


def _filled(path: Path, faults: list[Fault]) -> Iterator[Line]:
    if path.name.removesuffix(".gz").endswith(".csv"):
        try:
            data = path.read_bytes()
            text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(Fault(where=str(path), expected="a filled sheet", seen=str(error)))
            return
        reader = csv.DictReader(io.StringIO(text), delimiter=_separator(text))
        for body in reader:
            yield Line(f"{path}:{reader.line_num}", {k: v for k, v in body.items() if k})
    else:
        for number, body in json_rows(path, str(path), faults):
            yield Line(f"{path}:{number}", body)


def _separator(text: str) -> str:
    """Spreadsheets in many languages write a semicolon where English ones write a comma."""
    head = text.partition("\n")[0]
    return max((",", ";", "\t"), key=head.count)


def _rating(
    line: Line,
    placed: Mapping[str, Placed],
    seen: dict[str, str],
    longer: Mapping[str, bool | None],
) -> Rating | None:
    row = str(line.body.get("row") or "").strip()
    if row not in placed:
        line.fault("a row of this study's sheets in `row`", repr(row[:40]))
        return None
    choice = str(line.body.get("choice") or "").strip().lower()
    if not choice:
        return None
    if seen.setdefault(row, line.where) != line.where:
        line.fault("each row once", f"row {row} also at {seen[row]}", "Keep the one that counts.")
    if choice not in _CHOICES:
        line.fault("first, second or tie in `choice`", repr(choice[:40]))
    oks = [str(line.body.get(k) or "").strip().lower() for k in ("first_ok", "second_ok")]
    if any(oks) and not all(ok in _YES for ok in oks):
        line.fault("yes or no in both of `first_ok` and `second_ok`, or neither", ", ".join(oks))
    if line.faults:
        return None
    at = placed[row]
    share, acceptable = _CHOICES[choice], None
    if any(oks):
        acceptable = (_YES[oks[0]], _YES[oks[1]])
    if at.swapped:
        share = 1 - share
        acceptable = None if acceptable is None else acceptable[::-1]
    return Rating(
        rater=at.rater, item=at.item, share=share, swapped=at.swapped, longer=longer[at.item],
        acceptable=acceptable,
    )  # fmt: skip


def _tulu(line: Line) -> Sequence[tuple[Pair, Rating]] | None:
    item, a, b = line.text("instance_id"), line.text("model_a"), line.text("model_b")
    rater = line.text("evaluator")
    said = line.one_of("preference", tuple(_TULU), "a known preference")
    oks = [line.one_of(f"{side}_acceptable", ("yes", "no"), "acceptable") for side in "ab"]
    if line.faults:
        return None
    texts = [str(line.body.get(f"completion_{side}", "")) for side in "ab"]
    swapped = a > b
    rating = Rating(
        rater=rater, item=item, share=_TULU[said], swapped=False,
        longer=_longer(*texts), acceptable=(_YES[oks[0]], _YES[oks[1]]),
    )  # fmt: skip
    return [(_pair(a, b), _turned(rating) if swapped else rating)]


def _pandalm(line: Line) -> Sequence[tuple[Pair, Rating]] | None:
    parts = [line.text(part, empty=True) for part in ("instruction", "input")]
    if not "".join(parts).strip() and not line.faults:
        line.fault("text in `instruction` or `input`", "nothing in either")
    name = "\n".join(parts)
    a, bar, b = line.text("cmp_key").partition("_")
    if not bar or "_" in b:
        line.fault("two names joined by `_` in `cmp_key`", repr(line.body.get("cmp_key")))
    votes = [line.body.get(f"annotator{i}") for i in (1, 2, 3)]
    if any(vote not in (0, 1, 2) or isinstance(vote, bool) for vote in votes):
        line.fault("0, 1 or 2 from each of three annotators", repr(votes))
    if line.faults:
        return None
    longer = _longer(*(str(line.body.get(f"response{i}", "")) for i in (1, 2)))
    shares = {0: 0.5, 1: 1.0, 2: 0.0}
    ratings = [
        Rating(rater=f"annotator{i + 1}", item=name, share=shares[int(vote or 0)], longer=longer)
        for i, vote in enumerate(votes)
    ]
    return [(_pair(a, b), _turned(r) if a > b else r) for r in ratings]


def _pair(a: str, b: str) -> Pair:
    return (a, b) if a < b else (b, a)


def _turned(rating: Rating) -> Rating:
    """The same judgement, told of the other system."""
    return rating.model_copy(
        update={
            "share": 1 - rating.share,
            "swapped": None if rating.swapped is None else not rating.swapped,
            "longer": None if rating.longer is None else not rating.longer,
            "acceptable": None if rating.acceptable is None else rating.acceptable[::-1],
        }
    )


def _mean(same: Sequence[Rating]) -> Rating:
    """What somebody said who was asked twice; where the places differed, no place is kept."""
    first = same[0]
    if len(same) == 1:
        return first
    oks = [r.acceptable for r in same if r.acceptable is not None]
    return first.model_copy(
        update={
            "share": _average(r.share for r in same),
            "swapped": first.swapped if len({r.swapped for r in same}) == 1 else None,
            "acceptable": (_average(o[0] for o in oks), _average(o[1] for o in oks))
            if len(oks) == len(same)
            else None,
        }
    )


def _average(values: Iterable[float]) -> float:
    known = list(values)
    return sum(known) / len(known)


def _longer(first: str, second: str) -> bool | None:
    return None if len(first) == len(second) else len(first) > len(second)


def sheet_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a sheet to be filled in a spreadsheet.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it; texts are not
    read back, so nothing is lost by that.
    """
    out = io.StringIO()
    empty = ("choice", "first_ok", "second_ok", "at")
    names = ("row", "prompt", "first", "second", *empty)
    writer = csv.DictWriter(out, names, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for row in rows:
        safe = {k: _inert(str(row[k])) for k in ("prompt", "first", "second")}
        writer.writerow({"row": row["row"], **dict.fromkeys(empty, ""), **safe})
    return out.getvalue()


def _inert(text: str) -> str:
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text
