"""Curate files of rows: read, decide under norms, and leave rows, log, manifest and card."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from normwright.flow.mappings import faults_of, read_named
from normwright.flow.start import building, occupied
from normwright.records import Charter, Fault, InputError, digest_bytes, digest_json

if TYPE_CHECKING:
    from normwright.learn.curating import (
        Curation,
        Document,
        Given,
        Scores,
        Selection,
        Splitting,
        Watch,
    )
    from normwright.learn.rows.splitting import Split, Tied

SCHEMA: Final = "normwright-curation/v1"
MANIFEST, DECISIONS, ATTRIBUTES, REMOVED = (
    "manifest.json", "decisions.jsonl", "attributes.jsonl", "removed.jsonl",
)  # fmt: skip
SHARD: Final = 500_000_000
"""Bytes of rows in one file, at most."""
OWN: Final = "housekeeping/"
"""What stands before the id of a norm that is the project's own and in no charter."""
_SHOWN: Final = 20
_PROMPTS: Final = (
    "prompt", "instruction", "question", "query", "init_prompt", "context", "conversations",
    "messages", "text",
)  # fmt: skip
"""Columns that say what is asked, the first that a row has."""


@dataclass(frozen=True)
class Curated:
    """What was curated, and where it lies."""

    out: Path
    manifest: Mapping[str, Any]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        seen = self.manifest["seen"]
        return {
            "out": str(self.out),
            **self.manifest,
            "seconds": round(self.seconds, 3),
            "rows_per_second": round(seen / self.seconds, 1) if self.seconds else None,
        }


def curated(
    files: Sequence[Path],
    *,
    config: Path,
    charter: Charter | None,
    out: Path,
    parquet: bool = False,
    tokenizer: Path | None = None,
    watch: Watch = lambda name, done, total: None,
) -> Curated:
    """Return what curation made of files of rows, and leave it in `out`.

    All of `out` appears at once, and is the same for the same rows, whatever order rows and files
    come in.

    Args:
        files: rows of any form: JSON lines, a JSON list or parquet.
        config: the filters, as YAML; paths in it are relative to it.
        charter: whose norms the filters may name; None leaves those of `housekeeping`.
        out: a new or empty folder.
        parquet: write rows as parquet beside JSON lines.
        tokenizer: directory of a model that counts tokens; None is the embedded one.
        watch: told how far each filter is.

    Raises:
        InputError: with every fault of configuration, norms and rows; nothing is written then.
    """
    from normwright.learn import curating

    began = time.monotonic()
    faults = list(occupied(out))
    settings = _settings(config, faults)
    norms = _norms(settings, charter, config.name, faults) if settings else {}
    given = _given(settings, config.parent, tokenizer, faults) if settings else None
    rows = _rows(files, faults)
    if settings is None or faults:
        raise InputError(_few(faults))
    documents = curating.documents(rows, licence=settings.licence, origin=settings.origin)
    selection = curating.curate(documents, settings, norms=norms, given=given, watch=watch)
    parts = _split(selection.kept, settings.split) if settings.split and selection.kept else None
    with building(out.resolve()) as folder:
        manifest = _written(folder, settings, selection, parts, norms, charter, parquet)
    return Curated(out, manifest, time.monotonic() - began)


# What is read


def _settings(config: Path, faults: list[Fault]) -> Curation | None:
    from normwright.learn.curating import settings_of

    try:
        return settings_of(read_named(config, expected="`filters` and what they need, as YAML"))
    except InputError as error:
        faults += error.faults
    except ValidationError as error:
        faults += faults_of(error, config.name)
    return None


def _norms(
    settings: Curation, charter: Charter | None, where: str, faults: list[Fault]
) -> dict[str, str]:
    """Return the reference of each norm by the names that filters may call it."""
    known = {name: f"{OWN}{name}" for name in settings.housekeeping}
    for norm in charter.norms if charter is not None else ():
        if norm.id in settings.housekeeping:
            at = f"{where}: housekeeping.{norm.id}"
            faults.append(
                Fault(where=at, expected="an id that no norm of the charter has", seen=norm.ref)
            )
        known |= {norm.id: norm.ref, norm.ref: norm.ref}
    ids = sorted(name for name in known if "@" not in name)
    shown = ", ".join(ids[:_SHOWN]) + (
        f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    )
    for number, one in enumerate(settings.filters):
        if one.norm not in known:
            do = "Name one of the charter (--norms), or write your own under housekeeping."
            at, expected = f"{where}: filters.{number}.norm", f"a norm: {shown or 'there is none'}"
            faults.append(Fault(where=at, expected=expected, seen=one.norm, do=do))
    return known


def _given(settings: Curation, beside: Path, tokenizer: Path | None, faults: list[Fault]) -> Given:
    from normwright.learn import curating

    readers: dict[str, Scores] = {}
    benchmarks: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    names: dict[str, list[str]] = {}
    tokens = None
    for one in settings.filters:
        match one:
            case curating.Harm(reader=str(place)):
                if (reader := _reader(beside / place, place, faults)) is not None:
                    readers[place] = reader
            case curating.Contamination():
                for place in one.benchmarks:
                    benchmarks[place] = _benchmark(beside / place, place, one.items, faults)
            case curating.Personal(names=str(place)):
                names[place] = _names(beside / place, place, faults)
            case curating.Length(unit="tokens"):
                tokens = _tokens(tokenizer, faults)
            case _:
                pass
    return curating.Given(readers=readers, benchmarks=benchmarks, names=names, tokens=tokens)


def _reader(folder: Path, place: str, faults: list[Fault]) -> Scores | None:
    from normwright.guard import LabelReader
    from normwright.records import IntegrityError

    try:
        reader = LabelReader.load(folder)
    except (OSError, IntegrityError, ValueError, KeyError) as error:
        faults.append(Fault(where=place, expected="a reader of breaches, as guard.labels makes one",
                            seen=type(error).__name__))  # fmt: skip
        return None
    return lambda texts: [float(score) for score in reader.probabilities(texts)]


def _benchmark(
    path: Path, place: str, columns: Sequence[str], faults: list[Fault]
) -> list[tuple[str, Mapping[str, Any]]]:
    from normwright.learn.rows.files import read_rows

    files = sorted(p for p in path.rglob("*.json*") if p.is_file()) if path.is_dir() else [path]
    found: list[tuple[str, Mapping[str, Any]]] = [
        (f"{file.name.split('.')[0]}/{row.get('id', number)}", row)
        for file in files
        for number, row in read_rows(file, faults)
    ]
    if not any(isinstance(row.get(column), str) for _, row in found for column in columns):
        faults.append(Fault(where=place, expected=f"items with {', '.join(columns)}",
                            seen=f"{len(found)} rows without any of them"))  # fmt: skip
    return found


def _names(path: Path, place: str, faults: list[Fault]) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(where=place, expected="names of people, one a line",
                            seen=type(error).__name__))  # fmt: skip
        return []
    return [line.strip() for line in lines if line.strip()]


def _tokens(model: Path | None, faults: list[Fault]) -> Callable[[str], int] | None:
    from normwright.flow.extras import require_learning
    from normwright.models.places import embedded_path

    require_learning("Counting tokens")
    from tokenizers import Tokenizer

    file = (model or embedded_path()) / "tokenizer.json"
    if not file.is_file():
        faults.append(Fault(where=str(file), expected="a tokenizer", seen="no such file"))
        return None
    tokenizer = Tokenizer.from_file(str(file))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _rows(files: Sequence[Path], faults: list[Fault]) -> list[tuple[str, dict[str, Any]]]:
    from normwright.learn.rows.files import read_rows

    rows = [(file.name, row) for file in files for _, row in read_rows(file, faults)]
    if not rows and not faults:
        faults.append(Fault(where=", ".join(file.name for file in files),
                            expected="at least one row", seen="none"))  # fmt: skip
    return rows


def _few(faults: Sequence[Fault]) -> list[Fault]:
    more = len(faults) - _SHOWN
    if more <= 0:
        return list(faults)
    told = Fault(where="in all", expected="no faults", seen=f"{more} more faults")
    return [*faults[:_SHOWN], told]


# What is divided


def _split(kept: Sequence[Document], settings: Splitting) -> Split:
    from normwright.learn.rows.splitting import split

    return split(
        [_tied(one, settings.participants) for one in kept],
        shares=settings.shares,
        seed=settings.seed,
        threshold=settings.threshold,
    )


def _tied(one: Document, participants: bool) -> Tied:
    from normwright.learn.rows.splitting import Tied

    row = one.row
    asked = next((name for name in _PROMPTS if name in row), None)
    prompt = "\n".join(part.text for part in one.texts([asked] if asked else None))
    votes = row.get("votes")
    people = [v.get("participant") for v in votes if isinstance(v, dict)] if isinstance(
        votes, list
    ) else []  # fmt: skip
    people += [row.get("participant"), row.get("annotator_id")]
    family = row.get("family")
    shared = [one.stated_id, row.get("translation_of")]
    return Tied(
        id=one.id,
        prompt=prompt,
        family=family if isinstance(family, str) else None,
        participants=tuple(str(p) for p in people if p is not None) if participants else (),
        texts=tuple(str(name) for name in shared if name is not None),
    )


# What is written


def _written(
    folder: Path,
    settings: Curation,
    selection: Selection,
    parts: Split | None,
    norms: Mapping[str, str],
    charter: Charter | None,
    parquet: bool,
) -> dict[str, Any]:
    import json

    from normwright.learn.curating import LANGUAGES, card
    from normwright.learn.rows.files import write_rows

    write_rows(folder / DECISIONS, (one.as_row() for one in selection.decisions))
    write_rows(folder / ATTRIBUTES, _attributes(selection))
    write_rows(folder / REMOVED, _removed(selection))
    shards = list(_shards(folder, selection.kept, parts, parquet))
    manifest = _manifest(folder, settings, selection, parts, norms, charter, shards)
    text = json.dumps(manifest, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    for lang in LANGUAGES:
        name = "README.md" if lang == "en" else f"README.{lang}.md"
        (folder / name).write_text(card(manifest, lang), encoding="utf-8")
    return manifest


def _attributes(selection: Selection) -> Iterator[dict[str, Any]]:
    """Yield one row for each row that came in, aligned with the log of decisions."""
    for one in selection.decisions:
        yield {
            "id": one.id,
            "attributes": [
                {
                    "norm": note.norm, "filter": note.filter, "column": mark.column,
                    "span": [mark.start, mark.end], "score": round(mark.score, 6),
                    "label": mark.label, "tagger": note.tagger,
                }
                for note in selection.notes[one.id]
                for mark in note.attributes
            ],
        }  # fmt: skip


def _removed(selection: Selection) -> Iterator[dict[str, Any]]:
    decided = {one.id: one for one in selection.decisions}
    for one in selection.removed:
        why = decided[one.id]
        yield {"id": one.id, "norm": why.norms[0], "filter": why.filter, "reason": why.reason,
               "score": why.score, "row": one.as_row()}  # fmt: skip


def _shards(
    folder: Path, kept: Sequence[Document], parts: Split | None, parquet: bool
) -> Iterator[dict[str, Any]]:
    by_part: dict[str, list[Document]] = {}
    for one in kept:
        by_part.setdefault(parts.parts[one.id] if parts else "rows", []).append(one)
    for part, rows in sorted(by_part.items()):
        for number, lines in enumerate(_filled(rows)):
            name = f"{part}-{number:05d}"
            data = "".join(line for _, line in lines).encode()
            (folder / f"{name}.jsonl").write_bytes(data)
            yield _shard(f"{name}.jsonl", part, len(lines), data)
            if parquet:
                from normwright.learn.rows.files import write_rows

                place = folder / f"{name}.parquet"
                write_rows(place, [one.as_row() for one, _ in lines])
                yield _shard(place.name, part, len(lines), place.read_bytes())


def _filled(rows: Iterable[Document]) -> Iterator[list[tuple[Document, str]]]:
    from normwright.learn.rows.files import line_of

    shard: list[tuple[Document, str]] = []
    size = 0
    for one in rows:
        line = line_of(one.as_row())
        length = len(line.encode())
        if shard and size + length > SHARD:
            yield shard
            shard, size = [], 0
        shard.append((one, line))
        size += length
    if shard:
        yield shard


def _shard(name: str, part: str, rows: int, data: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    return {"file": name, "part": part, "rows": rows, "bytes": len(data), "sha256": digest}


def _manifest(
    folder: Path,
    settings: Curation,
    selection: Selection,
    parts: Split | None,
    norms: Mapping[str, str],
    charter: Charter | None,
    shards: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    said = {f"{OWN}{name}": text for name, text in settings.housekeeping.items()}
    said |= {norm.ref: dict(norm.statement) for norm in (charter.norms if charter else ())}
    used = sorted({norms[one.norm] for one in settings.filters})
    kept = selection.kept
    return {
        "schema": SCHEMA,
        "seen": len(selection.decisions),
        "kept": len(kept),
        "removed": len(selection.removed),
        "masked": sum(one.masked > 0 for one in selection.decisions if one.action == "kept"),
        "filters": [dict(step.__dict__) for step in selection.steps],
        "norms": {ref: said[ref] for ref in used},
        "by_norm": [one.model_dump(mode="json") for one in selection.entries()],
        "lang": _counted(one.lang or "unknown" for one in kept),
        "licence": _counted(one.licence for one in kept),
        "origin": _counted(one.origin for one in kept),
        "split": None if parts is None else {
            "sizes": parts.sizes, "components": len(parts.components),
            "largest": round(parts.largest, 6),
            "ties_of_the_largest": dict(parts.components[0].ties),
        },
        "shards": list(shards),
        "files": {name: digest_bytes((folder / name).read_bytes())
                  for name in (DECISIONS, ATTRIBUTES, REMOVED)},
        "charter": charter.digest if charter is not None else None,
        "settings": digest_json(settings.model_dump(mode="json")),
    }  # fmt: skip


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
