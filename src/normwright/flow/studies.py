"""A study with people as a folder: sealed before it begins, analysed when its sheets come back.

| file | is |
|---|---|
| `plan.json`, `items.jsonl` | what is to be shown, on which prompts and answers |
| `sheets/rater-01.csv` | what one rater fills; nothing in it tells whose answer is whose |
| `key.json` | what stands where; keep it from the raters |
| `registration.json` | digests of all these, and the power; publish it before the first rating |
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from normwright.evaluate.human import (
    Prepared,
    analyse,
    key_file,
    open_key,
    prepare,
    read_items,
    read_plan,
    read_ratings,
    register,
    sheet_csv,
    sheets_of,
)
from normwright.records import (
    Fault,
    InputError,
    Registration,
    StudyItem,
    StudyPlan,
    StudyResult,
)


def prepare_study(
    plan: Path,
    first: Path,
    second: Path,
    out: Path,
    *,
    secret: str,
    at: str,
    assumed: Mapping[str, float] | None = None,
) -> Registration:
    """Write the folder of a study, whole or not at all, and return its seal.

    Args:
        plan: a YAML file.
        first: answers of the plan's first system, `{"id", "prompt", "answer"}` a line.
        second: answers of the other.
        out: the folder; it must not exist, or be empty.
        secret: what the order is drawn from; nobody but the key may hold it.
        at: the time.
        assumed: variances of one rating that the power is reckoned with.

    Raises:
        InputError: with every fault of what was given.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        do = "Name another folder; a study that has begun is not written over."
        raise InputError([Fault(where=str(out), expected="a new folder", seen="something", do=do)])
    planned, items = read_plan(plan), read_items(first, second)
    prepared = prepare(planned, items, secret=secret)
    seal = register(planned, items, prepared, at=at, **({"assumed": assumed} if assumed else {}))
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        made = Path(scratch) / "study"
        (made / "sheets").mkdir(parents=True)
        _write(made / "plan.json", planned.model_dump_json(indent=1))
        _write(made / "items.jsonl", "\n".join(item.model_dump_json() for item in items))
        _write(made / "key.json", json.dumps(key_file(prepared), indent=1))
        _write(made / "registration.json", seal.model_dump_json(indent=1))
        for rater, rows in prepared.sheets.items():
            sheet = sheet_csv([row.model_dump() for row in rows])
            # A byte order mark, without which some spreadsheets misread accents.
            (made / "sheets" / f"{rater}.csv").write_text(sheet, encoding="utf-8-sig")
        (made / "key.json").chmod(0o600)
        if out.exists():
            out.rmdir()
        shutil.move(str(made), out)
    return seal


def analyse_study(directory: Path, sheets: Sequence[Path]) -> StudyResult:
    """Return what the filled sheets of a study show, and whether it was done as registered.

    Raises:
        InputError: with every fault of the folder or of the sheets.
    """
    faults: list[Fault] = []
    texts = {}
    for name in ("plan.json", "items.jsonl", "key.json", "registration.json"):
        try:
            texts[name] = (directory / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(
                Fault(where=str(directory / name), expected="a file of a study", seen=str(error))
            )
    if faults:
        raise InputError(faults)
    try:
        plan = StudyPlan.model_validate_json(texts["plan.json"])
        items = [
            StudyItem.model_validate_json(line)
            for line in texts["items.jsonl"].splitlines()
            if line
        ]
        seal = Registration.model_validate_json(texts["registration.json"])
        stored = json.loads(texts["key.json"])
    except (ValidationError, json.JSONDecodeError) as error:
        seen = " ".join(str(error).split())[:200]
        raise InputError(
            [Fault(where=str(directory), expected="the files of a study", seen=seen)]
        ) from error
    key = open_key(stored, where=str(directory / "key.json"))
    ratings, since = read_ratings(sheets, key, items)
    prepared = Prepared(sheets_of(key, items), key, str(stored.get("secret", "")))
    return analyse(
        plan, ratings, registration=seal, items=items, prepared=prepared, rated_from=since
    )


def _write(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8")
