"""The base of every border record: frozen, validated once, named by its content.

A record's digest is the SHA-256 of its canonical JSON. Durations, wall-clock times, keys and
signatures stand outside it, so that the same inputs, parameters and seed give the same digest.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from typing import Any, ClassVar, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

Digest: TypeAlias = str
"""`sha256:` followed by 64 hexadecimal digits."""

Lang: TypeAlias = str
"""A BCP 47 language tag, for example `en` or `pt`."""

Text: TypeAlias = dict[Lang, str]
"""One text in every language it exists in."""

Layer: TypeAlias = Literal["global", "polity", "organisation", "individual"]
"""The layer of authority a norm, statement or ballot speaks at."""

ProcessKind: TypeAlias = Literal["human", "simulated"]
"""Who took part. A process is wholly one or wholly the other."""

LAYERS: tuple[Layer, ...] = ("global", "polity", "organisation", "individual")
"""The layers from the strongest to the weakest."""

MODES: tuple[str, ...] = ("internal", "api_guarded", "open_weights")
"""The release modes a verdict is given for."""


def nfc(text: str) -> str:
    """Return a text in Unicode's composed form, in which equal texts have equal characters."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def canonical(value: Any) -> Any:
    """Return `value` with strings in NFC, integral floats as integers and keys as strings.

    Raises:
        ValueError: if a number is NaN or infinite, which JSON cannot carry.
    """
    # The kinds that JSON is made of come first: this walks through every line of a running guard.
    kind = type(value)
    if kind is str:
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    if kind is dict:
        return {
            k if type(k) is str and k.isascii() else nfc(str(k)): canonical(v)
            for k, v in value.items()
        }
    if kind is list or kind is tuple:
        return [canonical(v) for v in value]
    if kind is int or kind is bool or value is None:
        return value
    match value:
        case str():
            return nfc(value)
        case bool() | None:
            return value
        case float():
            if value != value or value in (float("inf"), float("-inf")):
                raise ValueError("a record cannot hold NaN or infinity; use null for unknown")
            return int(value) if value.is_integer() and abs(value) < 2**53 else value
        case dict():
            return {nfc(str(k)): canonical(v) for k, v in value.items()}
        case list() | tuple():
            return [canonical(v) for v in value]
        case set() | frozenset():
            return sorted(canonical(v) for v in value)
        case _:
            return value


_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def canonical_json(value: Any) -> str:
    """Return the one JSON text of `value`: sorted keys, no spaces, NFC, UTF-8 kept as it is."""
    return _ENCODER.encode(canonical(value))


_WHOLE: Final = re.compile(r"\.0(?!\d)")
"""Stands wherever a float that is a whole number was written."""


def plain_json(value: Any) -> str:
    """Return `canonical_json(value)` of a value whose keys are all texts, in a third of its time.

    Mostly there is nothing to bring into another form, as can be seen of what was written.
    """
    try:
        text = _ENCODER.encode(value)
    except TypeError:  # a set, for which there is a form
        return canonical_json(value)
    return text if text.isascii() and _WHOLE.search(text) is None else canonical_json(value)


def digest_bytes(data: bytes) -> Digest:
    """Return the digest of raw bytes, in the form used everywhere in the project."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest_json(value: Any) -> Digest:
    """Return the digest of a JSON-like value in its canonical form."""
    return digest_bytes(canonical_json(value).encode())


class Frozen(BaseModel):
    """A frozen value that is part of records but has no digest of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class MadeBy(Frozen):
    """What made a record: enough to make it again."""

    stage: str
    """The stage, for example `aggregate`."""
    plugin: str = ""
    """The slug of the plug-in that did the work, if one did."""
    version: str = ""
    """Version of the code that ran."""
    parameters: dict[str, Any] = {}
    """The parameters it ran with, JSON values only."""
    seed: int | None = None
    """The seed, if anything random happened."""


class Record(Frozen):
    """A border record. It is never edited; one that names it in `derived_from` supersedes it."""

    outside_digest: ClassVar[frozenset[str]] = frozenset()
    """Names of fields that do not count for the digest (times, durations, signatures)."""

    derived_from: tuple[Digest, ...] = ()
    """Digests of what this record was made from."""
    made_by: MadeBy | None = None
    """What made it."""

    @property
    def digest(self) -> Digest:
        """The digest of this record's kind and content."""
        body = self.model_dump(mode="json", exclude=set(self.outside_digest))
        return digest_json({"record": type(self).__name__, **body})
