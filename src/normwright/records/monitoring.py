"""What is watched after release, what was seen, and what an alarm does."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Frozen, Lang, Layer, Record, Text
from normwright.records.evidence import VerdictWord
from normwright.records.instants import Day, Moment

AlarmKind: TypeAlias = Literal["rate", "fires", "quiet", "drift", "duty", "review", "withdrawn"]
"""A criterion's rate rose; the guard fires more, or less; requests changed; a duty is overdue; a
norm is past its review; too much of what was learned was withdrawn."""


class WatchedRate(Frozen):
    """A blocking criterion as it is watched: audited units must not fail above its limit."""

    id: str
    limit: float = Field(gt=0, lt=1)
    modes: tuple[str, ...]
    """The modes that require it."""
    norm: str = ""
    statement: Text = {}


class WatchedNorm(Frozen):
    """What a question about a norm needs: whose it is, what it says, when it is to be reviewed."""

    layer: Layer
    authority: str
    statement: Text = {}
    review_by: Day | None = None


class Fires(Frozen):
    """How often the guard intervened before release."""

    fired: int = Field(ge=0)
    n: int = Field(ge=1)


class Watch(Record):
    """What was promised at release, and how much error the watching may make."""

    at: Moment
    modes: dict[str, VerdictWord]
    """The verdict per mode that the watching begins from."""
    criteria: tuple[WatchedRate, ...] = ()
    norms: dict[str, WatchedNorm] = {}
    fires: Fires | None = None
    """None: nobody measured it, and it is not watched."""
    scores: tuple[float, ...] = ()
    """A score of requests before release (any one; the same is asked of each exchange)."""
    withdrawn_limit: float | None = Field(default=None, gt=0, lt=1)
    """Share of what was learned that may have been withdrawn. None: it is not watched."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Chance of a false alarm: of each kind of watching, over all it watches, ever. For fires and
    drift over `horizon` exchanges."""
    horizon: int = Field(default=100_000, ge=1)
    languages: tuple[Lang, ...] = ("en", "pt")


class Alarm(Frozen):
    """One thing that is no longer as it was at release."""

    kind: AlarmKind
    about: str
    """Id of the criterion, duty or norm; `guard` or `requests` otherwise."""
    modes: tuple[str, ...]
    """Those that it concerns."""
    at: str
    """Time of the event that raised it."""
    event: int
    """Its line in the log, from 1; 0 where time alone raised it."""
    evidence: float | None = None
    """The e-value, where there is one."""
    reason: Text


class Question(Frozen):
    """What an alarm asks people: a statement they can agree or disagree with."""

    id: str
    layer: Layer
    authority: str
    norm: str
    endorses: bool
    """Whether agreeing supports the norm."""
    text: Text


class Watched(Frozen):
    """How one watched thing stands."""

    kind: AlarmKind
    about: str
    n: int
    count: int | None = None
    evidence: float | None = None
    threshold: float | None = None
    """The evidence at which the alarm is raised."""
    limit: float | None = None


class MonitorReport(Record):
    """Where a release stands after what was seen since."""

    watch: str
    """Digest of what was watched."""
    events: int
    until: str
    """Time of the last event; empty without one."""
    modes: dict[str, VerdictWord]
    """The verdict per mode now: an alarm turns RELEASE into HOLD until the gate is run again."""
    alarms: tuple[Alarm, ...]
    watched: tuple[Watched, ...]
    not_watched: tuple[AlarmKind, ...]
    """Kinds that nothing was given for."""
    questions: tuple[Question, ...]
    counts: dict[str, Any] = {}
