"""Which charter governs a session that was running while the charter was amended.

A session keeps the charter it began with, so that nobody is judged by rules that changed while they
were speaking. One thing applies at once: an emergency norm, which can only tighten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from normwright.norms import norm_faults
from normwright.norms.ranking import rank
from normwright.norms.resolver import HOLDING
from normwright.records import Charter, Digest, Fault, InputError, Norm


@dataclass(frozen=True)
class Adopted:
    """A charter, and from which instant it was the one that stood."""

    at: datetime
    """With a time zone."""
    charter: Charter


@dataclass(frozen=True)
class Pin:
    """What a running session keeps."""

    charter: Digest
    """Digest of the charter it began with."""
    started: datetime


def pin(charters: Sequence[Adopted], *, started: datetime) -> Pin:
    """Return what a session that starts at an instant has to keep.

    Raises:
        InputError: if no charter stood then.
    """
    return Pin(_standing(charters, started).digest, started)


def governing(charters: Sequence[Adopted], *, started: datetime, now: datetime) -> Charter:
    """Return the charter that governs a session at an instant.

    It is the one that stood when the session started, with the emergency norms of the one that
    stands now. Everything else that was amended waits for the next session; so does the end of an
    emergency norm before its last day, because ending it loosens. Emergency norms lapse by
    themselves: they carry their last day.

    Args:
        charters: every charter with the instant from which it stood, in any order.
        started: when the session started.
        now: the instant asked about.

    Returns:
        The pinned charter itself, with its digest, or one derived from both.

    Raises:
        InputError: if no charter stood when the session started, the session would start after
            now, or an emergency norm speaks of acts or facts that the pinned charter does not have;
            then the session has to start again.
    """
    if now < started:
        raise InputError([Fault(where="started", expected=f"{now.isoformat()} or before",
                                seen=started.isoformat())])  # fmt: skip
    pinned, latest = _standing(charters, started), _standing(charters, now)
    added = [norm for norm in latest.norms if _at_once(norm, pinned)]
    if not added:
        return pinned
    faults = [
        fault.model_copy(update={"do": "Start the session again, under the new charter."})
        for norm in added
        for fault in norm_faults(norm.model_copy(update={"cases": ()}), pinned.vocabulary)
    ]
    if faults:
        raise InputError(faults)
    norms = sorted((*pinned.norms, *added), key=lambda n: (rank(n), n.id, n.version))
    return pinned.model_copy(update={
        "norms": tuple(norms),
        "parent": pinned.digest,
        "derived_from": tuple(sorted({pinned.digest, latest.digest})),
    })  # fmt: skip


def _standing(charters: Sequence[Adopted], when: datetime) -> Charter:
    stood = [one for one in charters if one.at <= when]
    if not stood:
        first = min((one.at.isoformat() for one in charters), default="a charter")
        raise InputError([Fault(where="started", expected=f"{first} or later: no charter stood "
                                "before", seen=when.isoformat())])  # fmt: skip
    return max(stood, key=lambda one: one.at).charter


def _at_once(norm: Norm, pinned: Charter) -> bool:
    known = {one.ref for one in pinned.norms if one.status in HOLDING}
    return norm.emergency and norm.status in HOLDING and norm.ref not in known
