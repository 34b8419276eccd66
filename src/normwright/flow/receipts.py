"""What the digests inside a stored record point at: the edges that `trace` and `verify` walk."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from normwright.records import Digest, digest_json
from normwright.store import StoredRecord

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_HELD: Mapping[str, tuple[str, ...]] = {
    "Dataset": ("content",),
    "Judge": ("files",),
    "Measurement": ("answers",),
    "ModelRef": ("files",),
    "RemoteUse": ("content",),
}
"""Kind of record -> fields whose digests are those of objects it cannot do without."""


def body_of(stored: StoredRecord) -> dict[str, Any]:
    """Return the fields of a stored record.

    Raises:
        ValueError: if its JSON is not an object.
    """
    body = json.loads(stored.json)
    if not isinstance(body, dict):
        raise ValueError("the JSON of a record is an object")
    return body


def held_objects(kind: str, body: Mapping[str, Any]) -> dict[str, Digest]:
    """Return the objects a record cannot do without, by the name of the field or file."""
    held: dict[str, Digest] = {}
    for name in _HELD.get(kind, ()):
        match body.get(name):
            case str(digest):
                held[name] = digest
            case dict(files):
                held |= {str(file): str(digest) for file, digest in files.items()}
    return held


def mentioned(kind: str, body: Mapping[str, Any]) -> dict[Digest, str]:
    """Return every digest a record mentions, with the field that mentions it first.

    Evidence comes last, so that a walk meets what a record was made from before the many numbers
    that speak about it. A policy holds its charter whole; it stands there under its own digest.
    """
    found: dict[Digest, str] = {}
    if kind == "Withdrawal":  # it lists what was made from the rows, not what it was made from
        body = {"derived_from": body.get("derived_from", [])}
    names = sorted(body, key=lambda name: (name == "evidence", name == "derived_from"))
    for name in names:
        if kind == "Policy" and name == "charter" and isinstance(body[name], dict):
            found.setdefault(digest_json({"record": "Charter", **body[name]}), name)
        for digest in _digests(body[name]):
            found.setdefault(digest, name)
    return found


def named(digest: Digest) -> bool:
    """Say whether a text has the form of a digest."""
    return _DIGEST.fullmatch(digest) is not None


def _digests(value: Any) -> Iterator[Digest]:
    match value:
        case str() if named(value):
            yield value
        case dict():
            for one in value.values():
                yield from _digests(one)
        case list():
            for one in value:
                yield from _digests(one)


def title_of(kind: str, body: Mapping[str, Any]) -> str:
    """Return what a record is, in a few words, for messages."""
    words = [
        str(body[name])
        for name in ("suite", "metric", "attack", "name", "id", "process", "layer", "authority")
        if isinstance(body.get(name), str)
    ]
    words += [str(body[name]) for name in ("model", "lang", "norm") if _short(body.get(name))]
    if kind == "Dataset":
        words.append(str(body.get("kind")))
    return " ".join([kind, *words])


def _short(value: Any) -> bool:
    return isinstance(value, str) and not named(value)
