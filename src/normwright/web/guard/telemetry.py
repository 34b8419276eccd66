"""Spans in the words of OpenTelemetry's conventions for generative AI, where its API is installed.

No text of a conversation is in them. Without a configured provider, or without the package, they
cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from normwright.records import GuardVerdict

try:
    from opentelemetry import trace
except ImportError:
    trace = None  # type: ignore[assignment]


class Spans:
    """Spans of one process."""

    def __init__(self) -> None:
        self._tracer: Any = None if trace is None else trace.get_tracer("normwright.guard")

    @contextmanager
    def request(self, operation: str, model: str, verdict_id: str) -> Iterator[Any]:
        """Span one request; yields None where nobody listens."""
        if self._tracer is None:
            yield None
            return
        with self._tracer.start_as_current_span(
            f"{operation} {model}".strip(),
            attributes={
                "gen_ai.operation.name": operation,
                "gen_ai.request.model": model,
                "normwright.verdict.id": verdict_id,
            },
        ) as span:
            yield span if span.is_recording() else None

    def evaluated(self, span: Any, verdict: GuardVerdict) -> None:
        """Say what a verdict came to: an event for every norm it cites, or one that it passed."""
        if span is None:
            return
        for norm in verdict.norms or (None,):
            score = None if norm is None else verdict.risks.get(norm.id)
            attributes: dict[str, Any] = {
                "gen_ai.evaluation.name": "guard" if norm is None else norm.ref,
                "gen_ai.evaluation.score.label": verdict.action,
                "gen_ai.evaluation.explanation": verdict.seen,
                "normwright.side": verdict.side,
                "normwright.check": verdict.check,
            }
            if score is not None:
                attributes["gen_ai.evaluation.score.value"] = score
            span.add_event("gen_ai.evaluation.result", attributes)

    def finished(self, span: Any, reasons: tuple[str, ...], outcome: str) -> None:
        """Say how the answers ended."""
        if span is None:
            return
        span.set_attribute("gen_ai.response.finish_reasons", reasons)
        span.set_attribute("normwright.outcome", outcome)
