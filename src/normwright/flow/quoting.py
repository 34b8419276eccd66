"""What quotes a person: stored pages, and files that somebody keeps in the project."""

from __future__ import annotations

import gzip
import html
import json
import re
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

from normwright.flow.receipts import body_of, held_objects
from normwright.records import Digest
from normwright.store import FOLDER, Store, file_digest


def quoting_objects(store: Store, texts: Collection[str]) -> frozenset[Digest]:
    """Return the objects that quote a text and that no record needs: reports, as a rule.

    What records need (weights, training rows, answers) is made from shares and norms, never from
    the wording of a statement.
    """
    if not texts:
        return frozenset()
    needed = {
        held for one in store.all_stored() for held in held_objects(one.kind, body_of(one)).values()
    }
    return frozenset(
        digest
        for digest in store.objects
        if digest not in needed and _quotes(store.objects.path(digest), texts)
    )


def lingering_files(
    directory: Path,
    participant: str,
    texts: Collection[str],
    *,
    written: Mapping[str, bytes],
    removed: Collection[Digest],
) -> tuple[str, ...]:
    """Return the files a person keeps in the project that will still hold name or words.

    Names that are short, or numbers, stand for too many other things to be looked for.
    """
    plain = len(participant) >= _TELLING and not participant.isdigit()
    name = re.compile(rf"(?<!\w){re.escape(participant)}(?!\w)") if plain else None
    found = []
    for path in sorted(directory.rglob("*")):
        label = path.relative_to(directory).as_posix()
        if label.startswith(f"{FOLDER}/") or not path.is_file() or file_digest(path) in removed:
            continue
        if label.startswith("out/model/"):
            continue  # weights and their tokenizer, made from shares
        data = written[label] if label in written else path.read_bytes()
        if path.suffix == ".gz":
            try:
                data = gzip.decompress(data)
            except (OSError, EOFError, zlib.error):
                continue
        text = data.decode("utf-8", "replace")
        if (name is not None and name.search(text)) or _says(text, texts):
            found.append(label)
    return tuple(found)


_TELLING = 4
"""Characters a pseudonym needs to be looked for as a word."""


def _quotes(path: Path, texts: Collection[str]) -> bool:
    return _says(path.read_bytes().decode("utf-8", "replace"), texts)


def _says(data: str, texts: Collection[str]) -> bool:
    """Say whether a text holds one of `texts`: plain, in a page, in JSON, broken over lines."""
    if not texts:
        return False
    page = _in_one_line(html.unescape(data))
    return any(
        _in_one_line(text) in page
        or any(json.dumps(text, ensure_ascii=only)[1:-1] in data for only in (True, False))
        for text in texts
    )


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
