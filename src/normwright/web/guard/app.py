"""The application: its routes, who may call them, and how much at once."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from normwright.web.guard.chat import chat
from normwright.web.guard.checks import checks, litellm, moderations
from normwright.web.guard.completions import completions
from normwright.web.guard.describing import PATH as DESCRIPTION
from normwright.web.guard.describing import openapi
from normwright.web.guard.desk import AUDIT, Desk
from normwright.web.guard.faults import Refused, as_json
from normwright.web.guard.held import Guarding
from normwright.web.guard.metrics import CONTENT_TYPE
from normwright.web.guard.responses import responses
from normwright.web.guard.settings import ServeSettings
from normwright.web.guard.upstream import Upstream, UpstreamFailed
from normwright.web.guard.verdicts import contest, verdict_json, verdict_page

LOG = logging.getLogger("normwright.guard")

OPEN = frozenset({"/", "/healthz", "/metrics", DESCRIPTION})
"""Paths that need no key. Verdicts need none either: whoever has the id was told it."""

TEND_SECONDS = 1.0
"""How often the chain is synced and waiting verdicts are written."""


def application(
    guard: Guarding,
    settings: ServeSettings,
    *,
    load: Callable[[], Guarding] | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Starlette:
    """Return the proxy as an ASGI application.

    Args:
        guard: what checks.
        settings: where the model is, who may ask, and how much.
        load: reads the policy again, for `reload`.
        transport: how the upstream is reached; None is HTTP.
    """

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        desk = Desk(guard, settings, load=load)
        app.state.desk, app.state.upstream = desk, Upstream(settings, transport)
        tending = asyncio.create_task(_tend(desk))
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            loop.add_signal_handler(signal.SIGHUP, loop.run_in_executor, None, desk.reload)
        try:
            yield
        finally:
            tending.cancel()
            await app.state.upstream.close()
            desk.close()

    app = Starlette(
        routes=[
            Route("/", _root),
            Route("/healthz", _health),
            Route("/metrics", _metrics),
            Route(DESCRIPTION, openapi),
            Route("/v1/models", _models),
            Route("/v1/models/{model:path}", _models),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/completions", completions, methods=["POST"]),
            Route("/v1/responses", responses, methods=["POST"]),
            Route("/v1/moderations", moderations, methods=["POST"]),
            Route("/v1/checks", checks, methods=["POST"]),
            Route("/beta/litellm_basic_guardrail_api", litellm, methods=["POST"]),
            Route("/v1/verdicts/{id}", verdict_json),
            Route("/v1/verdicts/{id}/contest", contest, methods=["POST"]),
            Route("/verdicts/{id}", verdict_page),
        ],
        lifespan=life,
        exception_handlers={
            Refused: _refused,
            404: _not_found,
            405: _not_found,
            Exception: _defect,
        },
    )
    app.add_middleware(Gate, settings=settings, app_state=app.state)
    return app


class Gate:
    """Lets in who may come, as many as there is room for."""

    def __init__(self, app: ASGIApp, settings: ServeSettings, app_state: Any) -> None:
        self._app, self._settings, self._state = app, settings, app_state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        desk: Desk = self._state.desk
        path = scope["path"]
        public = path in OPEN or path.startswith(("/verdicts/", "/v1/verdicts/"))
        headers = dict(scope["headers"])
        key = headers.get(b"authorization", b"").decode("latin-1")
        if not public and not self._settings.admits(key):
            refused = Refused(401, "invalid_api_key", "A key of this server is needed.")
            await refused.response()(scope, receive, send)
            return
        if path in OPEN:
            await self._app(scope, receive, send)
            return
        if desk.in_flight >= self._settings.limits.concurrency:
            desk.metrics.request("any", "too_many").inc()
            refused = Refused(
                429, "too_many_requests", "The server is busy.",
                kind="guard_error", headers={"retry-after": "1"},
            )  # fmt: skip
            await refused.response()(scope, receive, send)
            return
        desk.in_flight += 1
        began = desk.clock()
        try:
            await self._app(scope, receive, send)
        finally:
            desk.in_flight -= 1
            desk.metrics.stage("total").observe(desk.clock() - began)


async def _tend(desk: Desk) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(TEND_SECONDS)
        await loop.run_in_executor(None, desk.tend)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.response()


async def _defect(request: Request, error: Exception) -> Response:
    """Say that something is wrong with the program; the trace is in the server's log."""
    request.app.state.desk.metrics.degraded("defect")
    message = "This is a defect of the guard; nothing of an answer was given."
    return Refused(500, "internal_error", message, kind="guard_error").response()


async def _not_found(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    code = "method_not_allowed" if status == 405 else "not_found"
    # With a 405 come the methods that are allowed.
    headers = getattr(error, "headers", None) or {}
    return Refused(status, code, "There is nothing here.", headers=headers).response()


async def _root(request: Request) -> Response:
    return as_json({"service": "normwright guard", "policy": request.app.state.desk.held.digest})


async def _health(request: Request) -> Response:
    """Say whether requests are answered, and what does not do its work."""
    desk: Desk = request.app.state.desk
    broken = AUDIT in desk.trouble
    body = {
        "status": "unavailable" if broken else "degraded" if desk.trouble else "ok",
        "degraded": sorted(desk.trouble),
        "policy": desk.held.digest,
        "checks": desk.settings.checks,
    }
    return as_json(body, status=503 if broken else 200)


async def _metrics(request: Request) -> Response:
    desk: Desk = request.app.state.desk
    return Response(desk.metrics.shown(desk.gauges()), media_type=CONTENT_TYPE)


async def _models(request: Request) -> Response:
    """Pass on which models there are: their names, and nothing that could be a sentence."""
    upstream: Upstream = request.app.state.upstream
    wanted = request.path_params.get("model")
    try:
        reply = await upstream.ask("/models", None, request.headers)
    except UpstreamFailed as error:
        return Refused(error.status, error.code, error.message, kind="upstream_error").response()
    listed = reply.body.get("data")
    models = [
        {
            "id": one["id"],
            "object": "model",
            "created": one["created"] if isinstance(one.get("created"), int) else 0,
            "owned_by": "upstream",
        }
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and isinstance(one.get("id"), str) and len(one["id"]) <= 200
    ]
    if wanted is None:
        return as_json({"object": "list", "data": models})
    for model in models:
        if model["id"] == wanted:
            return as_json(model)
    return Refused(404, "model_not_found", "The upstream has no such model.").response()
