"""Server-sent events as bytes: read strictly, written in one form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

DONE = b"data: [DONE]\n\n"


class Malformed(Exception):
    """What the upstream sent is not what it must be; nothing of it is passed on."""


class EventReader:
    """Bytes in, events out. An event is what stands after `data:`, its lines joined.

    Args:
        limit: bytes of the largest event.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Yield the events that are complete.

        Raises:
            Malformed: for one that is too large or is not UTF-8.
        """
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > self._limit:
            raise Malformed("an event that is too large")
        for raw in lines:
            line = raw.removesuffix(b"\r")
            if line:
                self._take(line)
            elif self._data:
                yield self._event()

    def end(self) -> None:
        """Say that nothing follows.

        Raises:
            Malformed: if an event was cut off.
        """
        if self._rest.strip() or self._data:
            raise Malformed("an event that is cut off")

    def _take(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._size += len(value)
            if self._size > self._limit:
                raise Malformed("an event that is too large")
        elif name not in (b"", b"event", b"id", b"retry"):
            raise Malformed("a line that is no event")

    def _event(self) -> str:
        data, self._data, self._size = b"\n".join(self._data), [], 0
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed("bytes that are not UTF-8") from None


def parse(text: str | bytes) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        Malformed: for anything else: NaN, a list, nesting without end.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Malformed("no JSON") from None
    if not isinstance(value, dict):
        raise Malformed("no JSON object")
    return value


def dump(value: Mapping[str, Any]) -> bytes:
    """Return JSON in ASCII, so that there is no text it cannot carry."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def event(value: Mapping[str, Any], name: str = "") -> bytes:
    """Return one event."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + dump(value) + b"\n\n"


def _no_constant(name: str) -> float:
    raise ValueError(name)
