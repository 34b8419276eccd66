"""Errors as OpenAI's clients read them. No text of a conversation, and no secret, is in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from normwright.records import Fault, describe
from normwright.web.guard.sse import dump


class Refused(Exception):
    """A request that is answered with an error, and nothing else."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] = {},
        more: Mapping[str, Any] = {},
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.kind = status, code, message, kind
        self.headers, self.more = dict(headers), dict(more)

    def response(self, headers: Mapping[str, str] = {}) -> Response:
        """Return it as a response."""
        body = error_body(self.code, self.message, self.kind, self.more)
        return as_json(body, status=self.status, headers={**headers, **self.headers})


def error_body(
    code: str, message: str, kind: str = "invalid_request_error", more: Mapping[str, Any] = {}
) -> dict[str, Any]:
    """Return the body of an error."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}


def as_json(
    body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] = {}
) -> Response:
    """Return a JSON response."""
    return Response(dump(body), status, dict(headers), media_type="application/json")


def unreadable(faults: Sequence[Fault]) -> Refused:
    """Return what is said of a body that cannot be read, with the first of its faults."""
    told = "; ".join(describe(f) for f in faults[:5])
    return Refused(400, "invalid_request", told[:2000])
