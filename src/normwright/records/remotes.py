"""What was asked of models that run elsewhere."""

from __future__ import annotations

from typing import Literal

from normwright.records.base import Digest, Record


class RemoteUse(Record):
    """What one step asked of a model behind an API, and what that took.

    Nobody else can make such a model again, and it may change without notice: what can be shown is
    what it was asked and what it said, which `content` holds. Unknown counts are null, never 0.
    """

    outside_digest = frozenset({"retries", "lost", "seconds", "first_asked", "last_asked"})

    role: str
    """What it was used as: `base`, `judge`, `critique`."""
    endpoint: str
    """Address without credentials."""
    model: str
    """What the endpoint was asked for."""
    served: tuple[str, ...] = ()
    """What the endpoint says it answered with; more than one means that it changed."""
    fingerprints: tuple[str, ...] = ()
    """The `system_fingerprint`s it gave, if any."""
    as_of: str = ""
    """The mark in the settings under which it was asked."""
    requests: int
    """Requests that were answered."""
    answers: int
    """Answers in them."""
    prompt_tokens: int | None
    """Tokens read, as the endpoint counts; null if one reply or more did not say."""
    completion_tokens: int | None
    """Tokens written, as the endpoint counts; null if one reply or more did not say."""
    uncounted: int = 0
    """Replies without a count of tokens."""
    cost: float | None = None
    """By the price in the settings; null without a price or without counts."""
    currency: str | None = None
    finishes: dict[str, int] = {}
    """How many answers ended how: `stop`, `length` (cut), `content_filter` (kept as empty)."""
    empty: int = 0
    """Answers without a text."""
    content: Digest
    """Digest of the stored requests and replies."""
    reproducible: Literal[False] = False
    """Always false: the weights are not at hand."""
    retries: int = 0
    """Requests that were repeated."""
    lost: int = 0
    """Requests that came to nothing and may have been charged all the same."""
    seconds: float = 0.0
    """Waiting time of all requests, which overlap."""
    first_asked: str = ""
    """When the first of them was answered, ISO 8601 in UTC."""
    last_asked: str = ""
    """When the last of them was answered, ISO 8601 in UTC."""
