"""What a served guard counts, in Prometheus' form."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Metrics:
    """The counters of one process. Labels are words of ours, never of a client."""

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
            name: Gauge(f"normwright_guard_{name}", text, registry=self.registry)
            for name, text in (
                ("in_flight", "Requests under way."),
                ("waiting_verdicts", "Verdicts that the database does not have yet."),
                ("audit_entries", "Entries of this process's audit chain."),
                ("sessions", "Named sessions that are pinned to a policy."),
                ("reloads", "How often the policy was read again."),
            )
        }
        self._policy = Gauge(
            "normwright_guard_policy_info",
            "1 for the policy that new requests get.",
            ("policy",),
            registry=self.registry,
        )
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
        self._policy.clear()
        self._policy.labels(digest).set(1)

    def shown(self, values: Mapping[str, float]) -> bytes:
        """Return everything as text; `values` are those of the gauges now."""
        for name, value in values.items():
            self._gauges[name].set(value)
        return generate_latest(self.registry)
