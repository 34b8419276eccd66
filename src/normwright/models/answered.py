"""Replies of an endpoint that outlive the process, so that no question is paid for twice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from normwright.records import Digest, Fault, InputError, digest_json


@dataclass(frozen=True)
class Replied:
    """One request and what came back."""

    body: dict[str, Any]
    """The request as it was sent, which holds no secret."""
    path: str
    """Below the endpoint's address."""
    texts: tuple[str, ...]
    """The answers, in the endpoint's order; empty for a request about log-probabilities."""
    finishes: tuple[str, ...]
    """How each answer ended, in the endpoint's words."""
    logprobs: tuple[tuple[int, float | None], ...] = ()
    """Place in the prompt and log-probability (nats) of each of its tokens."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    served: str = ""
    fingerprint: str = ""
    at: str = ""
    """When it was there, ISO 8601 in UTC."""
    seconds: float = 0.0
    """Time of the request that was answered."""
    retries: int = 0
    """Requests before it that came to nothing."""

    @property
    def key(self) -> Digest:
        """The digest of the request."""
        return key_of(self.path, self.body)

    def as_json(self) -> dict[str, Any]:
        """Return the reply as JSON values."""
        return {"request": self.key, **self.__dict__}


def key_of(path: str, body: dict[str, Any]) -> Digest:
    """Return the digest of a request to one endpoint."""
    return digest_json({"path": path, "body": body})


@dataclass(frozen=True)
class Lost:
    """A request that came to nothing and may have been charged: the most it can have taken."""

    prompt_tokens: int
    completion_tokens: int


@dataclass
class Answered:
    """The replies of one endpoint by request, in memory or in a file of JSON lines.

    Each reply is written and flushed to the disk before it is given on. A line that was cut by a
    kill or a full disk is dropped when the file is opened again; any other damage is a fault.
    One process writes at a time.
    """

    path: Path | None = None
    """None keeps replies in memory alone."""
    _kept: dict[Digest, Replied] = field(default_factory=dict, repr=False)
    _lost: list[Lost] = field(default_factory=list, repr=False)

    @classmethod
    def open(cls, path: Path) -> Answered:
        """Read the replies in a file, which need not be there yet.

        Raises:
            InputError: naming every line that is damaged.
        """
        made = cls(path)
        if not path.is_file():
            return made
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        faults = []
        for number, line in enumerate(data[:whole].splitlines(), start=1):
            if seen := made._take(line):
                faults.append(
                    Fault(
                        where=f"{path}:{number}",
                        expected="a reply under the digest of its request",
                        seen=seen,
                        do="Delete this line; what it held will be asked again.",
                    )
                )
        if faults:
            raise InputError(faults)
        if whole < len(data):
            os.truncate(path, whole)
        return made

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Replied]:
        return iter(self._kept.values())

    @property
    def lost(self) -> tuple[Lost, ...]:
        """Requests that came to nothing and may have been charged."""
        return tuple(self._lost)

    def get(self, key: Digest) -> Replied | None:
        """Return what came back for a request, if anything did."""
        return self._kept.get(key)

    def put(self, replied: Replied) -> None:
        """Keep a reply."""
        self._append(replied.as_json())
        self._kept[replied.key] = replied

    def put_lost(self, lost: Lost) -> None:
        """Keep that a request came to nothing."""
        self._append({"lost": lost.__dict__})
        self._lost.append(lost)

    def _append(self, value: dict[str, Any]) -> None:
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Not the canonical form: a text read again must be the very text, also in its accents.
        line = json.dumps(value, sort_keys=True, ensure_ascii=False).encode() + b"\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            before = os.fstat(handle).st_size
            try:
                if os.write(handle, line) != len(line):
                    raise OSError(28, "No space left on device", str(self.path))
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, before)
                raise
        finally:
            os.close(handle)

    def _take(self, line: bytes) -> str | None:
        """Keep what a line holds; return what is wrong with it, if anything is."""
        try:
            value = json.loads(line)
            if "lost" in value:
                self._lost.append(Lost(**value["lost"]))
                return None
            key = value.pop("request")
            replied = Replied(
                **{
                    **value,
                    "texts": tuple(value["texts"]),
                    "finishes": tuple(value["finishes"]),
                    "logprobs": tuple((int(at), nats) for at, nats in value["logprobs"]),
                }
            )
        except (ValueError, TypeError, KeyError) as error:
            return f"{type(error).__name__}"
        if replied.key != key:
            return "another request"
        self._kept[key] = replied
        return None
