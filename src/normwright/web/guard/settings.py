"""How a guard is served: where the model is, who may ask, and how much of everything."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from normwright.guard.streaming import REACH, STRIDE, WINDOW
from normwright.records import Fault, InputError

UPSTREAM_KEY = "NORMWRIGHT_UPSTREAM_KEY"
"""The environment variable with the key the upstream is asked with."""

CLIENT_KEYS = "NORMWRIGHT_GUARD_KEYS"
"""The environment variable with the keys of clients, separated by commas; unset: anybody."""

BlockMode = Literal["content_filter", "error"]


@dataclass(frozen=True)
class Limits:
    """How much of everything. What is over a limit is refused with a reason, never cut."""

    body_bytes: int = 8 << 20
    """Largest body of a request."""
    reply_bytes: int = 8 << 20
    """Largest reply of the upstream, and the most that one stream may bring."""
    event_bytes: int = 1 << 20
    """Largest event of a stream."""
    choices: int = 16
    """Most answers to one request."""
    concurrency: int = 1024
    """Requests under way at once; more are told to come back."""
    body_seconds: float = 20.0
    """Longest time for a client to send its request, headers and body each."""
    connect_seconds: float = 5.0
    idle_seconds: float = 60.0
    """Longest silence of the upstream, and of a client that does not read."""
    total_seconds: float = 600.0
    """Longest time for one request, from its body to its last byte."""
    check_seconds: float = 10.0
    """Longest time for one check of a long text."""
    book_seconds: float = 2.0
    """How long the database is waited for where another process holds it."""
    drain_seconds: float = 30.0
    """How long a server that is told to stop waits for requests under way."""
    session_seconds: float = 3600.0
    """How long a named session stays with the policy it began with, after its last request."""
    sessions: int = 10_000
    contest_chars: int = 4000
    contests: int = 50
    """Most contests of one verdict."""


@dataclass(frozen=True)
class ServeSettings:
    """Everything about a server but its guard. Keys are in no message and no log."""

    state: Path
    """Folder of the audit chain and of the verdicts."""
    upstream: str | None = None
    """Address before `/chat/completions`, with its `/v1`; None: the embedded model."""
    upstream_key: str | None = field(default=None, repr=False)
    client_keys: frozenset[str] = field(default=frozenset(), repr=False)
    """Digests of the keys that clients may come with; none: anybody may ask."""
    block_mode: BlockMode = "content_filter"
    """How a refusal is spelled: 200 and `content_filter`, or an error 400 with that code."""
    window: int | None = WINDOW
    """Visible characters of a stream that are held back; None: all of it until it is checked."""
    stride: int = STRIDE
    reach: int = REACH
    public_url: str = ""
    """Address people reach this server at, for the page of a verdict."""
    best_of: int = 4
    """Answers asked of the model for each that is given, where the guard has a reward."""
    keep_days: int | None = None
    """Days for which verdicts are kept; None: for ever. Contested ones are, in any case."""
    checks: bool = True
    """False: nothing is checked. Only for measuring what checking costs."""
    limits: Limits = Limits()

    def admits(self, authorization: str | None) -> bool:
        """Say whether a client with this `Authorization` header may ask."""
        if not self.client_keys:
            return True
        given = (authorization or "").removeprefix("Bearer ").strip()
        told = key_digest(given)
        # Every key is compared, so that the time tells nothing.
        return sum(hmac.compare_digest(told, known) for known in self.client_keys) > 0


def key_digest(key: str) -> str:
    """Return what is kept of a client's key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def keys_of(environment: Mapping[str, str] = os.environ) -> tuple[str | None, frozenset[str]]:
    """Return the upstream's key and the digests of the clients' keys, from the environment alone.

    Raises:
        InputError: for a variable that is set and holds no usable key; its value is not repeated.
    """
    faults = []
    upstream = environment.get(UPSTREAM_KEY)
    if upstream is not None and not _is_key(upstream):
        faults.append(_no_key(UPSTREAM_KEY))
    given = environment.get(CLIENT_KEYS)
    clients = [] if given is None else [k.strip() for k in given.split(",") if k.strip()]
    if given is not None and (not clients or not all(map(_is_key, clients))):
        faults.append(_no_key(CLIENT_KEYS))
    if faults:
        raise InputError(faults)
    return upstream, frozenset(map(key_digest, clients))


def check_upstream(url: str) -> str:
    """Return the address of an upstream without its last slash.

    Raises:
        InputError: for one that is none, or that holds a secret, which is not repeated.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where the port is no number
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
        secret = parts.username is not None or parts.password is not None or bool(parts.query)
    except ValueError:
        good, secret = False, True
    if not good or secret:
        raise InputError(
            [
                Fault(
                    where="--upstream",
                    expected="an address such as https://api.example.org/v1, without user, "
                    "password or query",
                    seen="an address with a secret" if good else "something else",
                    do=f"The key comes from {UPSTREAM_KEY}.",
                )
            ]
        )
    return url.rstrip("/")


def _is_key(value: str) -> bool:
    return bool(value) and value.isascii() and value.isprintable() and " " not in value


def _no_key(name: str) -> Fault:
    return Fault(
        where=name,
        expected="keys of printable ASCII without spaces",
        seen="something else, which is not shown",
        do=f"Set {name} again, or unset it.",
    )
