"""What a served guard counts, in Prometheus' form.

The processes of one server count into files of one folder, so that whichever is asked tells of all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

CONTENT_TYPE = CONTENT_TYPE_LATEST

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable, read before this module is loaded, with the folder that processes
share; unset: there is one."""

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)

_GAUGES: tuple[tuple[str, str, Literal["livesum", "livemax"]], ...] = (
    ("in_flight", "Requests under way.", "livesum"),
    ("waiting_verdicts", "Verdicts that the database does not have yet.", "livesum"),
    ("audit_entries", "Entries of the audit chains that are being written.", "livesum"),
    ("sessions", "Named sessions that are remembered.", "livemax"),
    ("reloads", "How often the policy was read again.", "livemax"),
)
"""Name, what it is, and what processes come to together."""


class Metrics:
    """The counters of one server. Labels are words of ours, never of a client."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "normwright_guard_requests",
            "Requests by endpoint and outcome; the denominator of every rate.",
            ("endpoint", "outcome"),
            registry=self.registry,
        )
        self._verdicts = Counter(
            "normwright_guard_verdicts",
            "Verdicts that count, by side and action.",
            ("side", "action"),
            registry=self.registry,
        )
        self._norms = Counter(
            "normwright_guard_norm_citations",
            "How often a norm stood behind a verdict that was not `allow`.",
            ("norm",),
            registry=self.registry,
        )
        self._degraded = Counter(
            "normwright_guard_degraded",
            "Checks, stores and upstreams that did not do their work.",
            ("part",),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "normwright_guard_seconds",
            "Time by stage: `check` of one text, `upstream` to its first byte, `total`.",
            ("stage",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._gauges = {
            name: Gauge(
                f"normwright_guard_{name}", text, registry=self.registry, multiprocess_mode=mode
            )
            for name, text, mode in _GAUGES
        }
        self._policy = Gauge(
            "normwright_guard_policy_info",
            "1 for the policy that new requests get.",
            ("policy",),
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self._in_force = ""
        self.request = cache(self._requests.labels)
        self.verdict = cache(self._verdicts.labels)
        self.stage = cache(self._seconds.labels)

    def cited(self, norm: str) -> None:
        """Count a norm; ids come from the policy, so that there are finitely many."""
        self._norms.labels(norm).inc()

    def degraded(self, part: str) -> None:
        """Count a part that did not do its work."""
        self._degraded.labels(part).inc()

    def policy(self, digest: str) -> None:
        """Name the policy in force."""
        if not os.environ.get(SHARED):
            self._policy.clear()
        elif self._in_force:
            # From a folder that is shared nothing can be taken away.
            self._policy.labels(self._in_force).set(0)
        self._policy.labels(digest).set(1)
        self._in_force = digest

    def set(self, values: Mapping[str, float]) -> None:
        """Set the gauges."""
        for name, value in values.items():
            self._gauges[name].set(value)

    def shown(self, values: Mapping[str, float]) -> bytes:
        """Return everything as text; `values` are those of the gauges of this process now."""
        self.set(values)
        folder = os.environ.get(SHARED)
        if not folder:
            return generate_latest(self.registry)
        _bury(Path(folder))
        every = CollectorRegistry()
        MultiProcessCollector(every, folder)  # type: ignore[no-untyped-call]
        return generate_latest(every)


def _bury(folder: Path) -> None:
    """Take away what processes that were killed said of their present."""
    for pid in {file.stem.rpartition("_")[2] for file in folder.glob("gauge_live*.db")}:
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
        except (PermissionError, ValueError):
            continue
