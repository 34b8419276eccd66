"""What every endpoint that asks the model has in common: check, ask, check, seal, send.

Whatever fails on the way, nothing that was not checked leaves, the client is told in OpenAI's form,
and the failure is named in the header, the metrics and the audit chain.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from normwright.records import Exchange, GuardVerdict
from normwright.web.guard.choosing import BestOf, Choosable, Unchosen
from normwright.web.guard.desk import AuditFailed, Case, Desk, passes
from normwright.web.guard.faults import Refused, as_json, error_body
from normwright.web.guard.masking import Unmaskable, masked_body
from normwright.web.guard.reading import prefill_of, read_json
from normwright.web.guard.sse import DONE, EventReader, Malformed, event, parse
from normwright.web.guard.telling import moderation, page_of, refusal
from normwright.web.guard.upstream import Upstream, UpstreamFailed

T = TypeVar("T")

SESSION = "x-normwright-session"
"""The header with which a client names a conversation, so that it stays with its policy."""

OURS = ("moderation",)
"""Fields of a request that are for the guard, not for the model."""

_OUTCOMES = {"refuse": "refused", "ask": "asked", "deny": "denied"}


@dataclass(frozen=True)
class Asked:
    """What a client wants, beyond the words."""

    model: str
    n: int
    stream: bool
    usage: bool
    """Whether a stream ends with counts of tokens."""
    scored: bool
    """Whether the moderation object is wanted with answers that passed, too."""
    verdict_id: str
    most: int
    """The most answers that are read."""


class Form(Choosable, Protocol):
    """One endpoint's form: how a request is read and an answer written."""

    def choosable(self, body: Mapping[str, Any]) -> bool:
        """Say whether one of several answers to a request can be given."""
        ...

    @property
    def path(self) -> str:
        """Where the upstream has it."""
        ...

    @property
    def operation(self) -> str:
        """What OpenTelemetry calls it."""
        ...

    def exchange(self, body: Mapping[str, Any]) -> Exchange:
        """Return what is to be checked of a request."""
        ...

    def wanted(self, body: Mapping[str, Any], most: int) -> tuple[bool, int]:
        """Return whether a stream is wanted, and how many answers."""
        ...

    def refused(self, asked: Asked, case: Case, verdict: GuardVerdict) -> dict[str, Any]:
        """Return the body of a request that was refused before the model was asked."""
        ...

    async def whole(
        self, asked: Asked, case: Case, exchange: Exchange, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the checked form of a whole reply."""
        ...

    def stream(self, asked: Asked, case: Case, exchange: Exchange) -> EventStream:
        """Return what turns the upstream's stream into a checked one."""
        ...


class EventStream:
    """A stream of the upstream on its way to the client. Each form has its own."""

    closing = DONE
    """What ends a stream."""

    def __init__(self, asked: Asked, case: Case, exchange: Exchange) -> None:
        self.asked, self.case, self.exchange = asked, case, exchange

    @property
    def stopped(self) -> bool:
        """Whether nothing of what may still come can leave."""
        raise NotImplementedError

    def take(self, body: Mapping[str, Any]) -> AsyncIterator[bytes]:
        """Yield what one event of the upstream lets go."""
        raise NotImplementedError

    def end(self) -> None:
        """See that every answer has its end when the upstream has said its last.

        Raises:
            Malformed: if one has none.
        """
        raise NotImplementedError

    def refused(self, verdict: GuardVerdict) -> list[bytes]:
        """Return the whole stream of a request that was refused before the model was asked."""
        raise NotImplementedError

    def failed(self, code: str, message: str) -> bytes:
        """Return how a stream ends that cannot go on."""
        return event(error_body(code, message, "upstream_error"))


def blocked(verdict: GuardVerdict) -> str:
    """Return the outcome of a request by the verdict that stopped it."""
    return _OUTCOMES[verdict.action]


async def send(request: Request, endpoint: str, form: Form) -> Response:
    """Answer a request to the model.

    Raises:
        Refused: if the request cannot be read.
    """
    desk: Desk = request.app.state.desk
    body = await read_json(request, desk.settings.limits)
    case = desk.case(endpoint, session_of(request))
    asked = _asked(body, form, case, desk)
    exchange = form.exchange(body)
    case.prefill = prefill_of(body)
    verdict = await case.screen(exchange)
    if not passes(verdict):
        return await _stopped(asked, case, exchange, form, verdict)
    try:
        onward = {k: v for k, v in masked_body(body, verdict).items() if k not in OURS}
    except Unmaskable:
        verdict = case.deny(exchange, "masking: the text is not to be found")
        return await _stopped(asked, case, exchange, form, verdict)
    upstream: Upstream | BestOf = request.app.state.upstream
    reward = case.held.guard.reward
    if reward is not None:
        if not form.choosable(body):
            raise Refused(400, "unsupported", "One of several answers is given to one prompt: send "
                          "one at a time.")  # fmt: skip
        best_of = desk.settings.best_of
        upstream = BestOf(
            request.app.state.upstream, form, case, exchange, reward, asked.n, best_of
        )
    work = Work(upstream, form, asked, case, exchange, onward, request.headers)
    return Streamed(work) if asked.stream else await _whole(request, work)


@dataclass
class Work:
    """Everything that is needed to ask the model and to check what it says."""

    upstream: Upstream | BestOf
    form: Form
    asked: Asked
    case: Case
    exchange: Exchange
    body: Mapping[str, Any]
    headers: Mapping[str, str]


async def sealed(case: Case, response: Callable[[], Response]) -> Response:
    """Return a response once its verdict is sealed; if that fails, an error and nothing of it."""
    try:
        await case.seal()
    except AuditFailed:
        case.outcome = "unsealed"
        return unsealed(case)
    return response()


def unsealed(case: Case) -> Response:
    """Return what a client gets whose verdict could not be written."""
    return Refused(
        503, "audit_unavailable", "The verdict could not be written, so that nothing may leave.",
        kind="guard_error",
    ).response(case.headers())  # fmt: skip


def refused_as_error(case: Case, verdict: GuardVerdict) -> Response:
    """Return a refusal as an error, for clients that read it so."""
    return Refused(
        400, "content_filter", refusal(case, verdict), kind="content_filter",
        more={"moderation": moderation(case), "url": page_of(case)},
    ).response(case.headers())  # fmt: skip


def session_of(request: Request) -> str | None:
    """Return the session a client names.

    Raises:
        Refused: if the name is too long.
    """
    name = request.headers.get(SESSION)
    if name is not None and not 1 <= len(name) <= 200:
        raise Refused(400, "invalid_request", f"`{SESSION}` must have 1 to 200 characters.")
    return name


def _asked(body: Mapping[str, Any], form: Form, case: Case, desk: Desk) -> Asked:
    limits = desk.settings.limits
    stream, n = form.wanted(body, limits.choices)
    options = body.get("stream_options")
    model = body.get("model")
    if model is not None and (not isinstance(model, str) or len(model) > 200):
        raise Refused(400, "invalid_request", "`model` must be a short text.")
    return Asked(
        model=model or "",
        n=n,
        stream=stream,
        usage=isinstance(options, dict) and options.get("include_usage") is True,
        scored=body.get("moderation") is not None,
        verdict_id=case.id,
        most=limits.choices,
    )


async def _stopped(
    asked: Asked, case: Case, exchange: Exchange, form: Form, verdict: GuardVerdict
) -> Response:
    case.outcome = blocked(verdict)
    if case.desk.settings.block_mode == "error":
        return await sealed(case, lambda: refused_as_error(case, verdict))
    if asked.stream:
        stream = form.stream(asked, case, exchange)
        return await sealed(
            case,
            lambda: Response(
                b"".join([*stream.refused(verdict), stream.closing]),
                headers={**case.headers(), **_STREAM_HEADERS},
                media_type="text/event-stream",
            ),
        )
    return await sealed(
        case, lambda: as_json(form.refused(asked, case, verdict), headers=case.headers())
    )


async def _whole(request: Request, work: Work) -> Response:
    case, asked = work.case, work.asked

    async def answer() -> dict[str, Any]:
        began = case.desk.clock()
        reply = await work.upstream.ask(work.form.path, work.body, work.headers)
        case.desk.metrics.stage("upstream").observe(case.desk.clock() - began)
        return await work.form.whole(asked, case, work.exchange, reply.body)

    with case.desk.spans.request(work.form.operation, asked.model, case.id) as span:
        try:
            async with asyncio.timeout(case.desk.settings.limits.total_seconds):
                body = await unless_gone(request.receive, answer)
        except (UpstreamFailed, Malformed, TimeoutError) as error:
            return await _failed(case, error)
        except Unchosen as error:
            return await _stopped(asked, case, work.exchange, work.form, error.verdict)
        for verdict in case.verdicts:
            case.desk.spans.evaluated(span, verdict)
        if body is None:
            case.outcome = "client_gone"
            return await sealed(case, lambda: Response(status_code=499))
        case.desk.spans.finished(span, _finishes(body), case.outcome)
    gravest = case.gravest
    if case.desk.settings.block_mode == "error" and gravest and not passes(gravest):
        return await sealed(case, lambda: refused_as_error(case, gravest))
    return await sealed(case, lambda: as_json(body, headers=case.headers()))


async def _failed(case: Case, error: Exception) -> Response:
    failure = as_failure(error)
    case.outcome = failure.code if failure.status >= 500 else "upstream_refused"
    if failure.status >= 500:
        case.degrade(f"upstream: {failure.code}")
    retry = {"retry-after": failure.retry_after} if failure.retry_after else {}
    return await sealed(
        case,
        lambda: Refused(
            failure.status, failure.code, failure.message, kind="upstream_error", headers=retry
        ).response(case.headers()),
    )


def as_failure(error: Exception) -> UpstreamFailed:
    """Return what went wrong with the upstream, in our words."""
    match error:
        case UpstreamFailed():
            return error
        case TimeoutError():
            return UpstreamFailed(504, "upstream_timeout", "The answer took too long.")
        case _:
            return UpstreamFailed(502, "upstream_malformed", f"The upstream sent {error}.")


def _finishes(body: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(c["finish_reason"]) for c in body.get("choices", ()))


async def unless_gone(receive: Receive, work: Callable[[], Awaitable[T]]) -> T | None:
    """Return what work comes to, or None as soon as the client has gone away."""
    done: list[T] = []
    failed: list[Exception] = []
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        group.start_soon(watch)
        try:
            done.append(await work())
        # It is raised again below, and not as a part of a group.
        except Exception as error:  # noqa: BLE001
            failed.append(error)
        group.cancel_scope.cancel()
    if failed:
        raise failed[0]
    return done[0] if done else None


_STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class Streamed(Response):
    """A stream that begins when the upstream's does, and ends with it whatever happens."""

    def __init__(self, work: Work) -> None:
        super().__init__(b"", media_type="text/event-stream")
        self._work = work
        self._began = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        case, asked = self._work.case, self._work.asked
        spans = case.desk.spans
        with spans.request(self._work.form.operation, asked.model, case.id) as span:
            case.outcome = "client_gone"
            try:
                async with asyncio.timeout(case.desk.settings.limits.total_seconds):
                    await unless_gone(receive, lambda: self._send_all(send))
            except (UpstreamFailed, Malformed, TimeoutError, AuditFailed) as error:
                await self._fail(scope, receive, send, error)
            except Unchosen as error:
                work = self._work
                refused = await _stopped(asked, case, work.exchange, work.form, error.verdict)
                await refused(scope, receive, send)
            finally:
                for verdict in case.verdicts:
                    spans.evaluated(span, verdict)
                spans.finished(span, (), case.outcome)
                await _sealed_late(case)

    async def _send_all(self, send: Send) -> bool:
        case = self._work.case
        began = case.desk.clock()
        stream = self._work.form.stream(self._work.asked, case, self._work.exchange)
        outcome = "allowed"
        async with self._work.upstream.stream(
            self._work.form.path, self._work.body, self._work.headers
        ) as chunks:
            case.note("began", *case.verdicts)
            async with aclosing(flow(stream, chunks)) as flowing:
                async for piece in flowing:
                    if not self._began:
                        case.desk.metrics.stage("upstream").observe(case.desk.clock() - began)
                    await self._send(send, piece)
        gravest = case.gravest
        if gravest is not None and not passes(gravest):
            outcome = blocked(gravest)
        case.outcome = outcome
        await case.seal()
        await self._send(send, stream.closing)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return True

    async def _send(self, send: Send, piece: bytes) -> None:
        if not self._began:
            self._began = True
            headers = {**self._work.case.headers(), **_STREAM_HEADERS}
            self.raw_headers += [(k.encode(), v.encode("latin-1")) for k, v in headers.items()]
            raw = [(k, v) for k, v in self.raw_headers if k != b"content-length"]
            await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _fail(self, scope: Scope, receive: Receive, send: Send, error: Exception) -> None:
        """Say that the stream cannot go on: as an error if it had not begun, else as an event."""
        case = self._work.case
        if isinstance(error, AuditFailed):
            case.outcome = "unsealed"
            failure = UpstreamFailed(503, "audit_unavailable", "The verdict could not be written.")
        else:
            failure = as_failure(error)
            case.outcome = failure.code if failure.status >= 500 else "upstream_refused"
            if failure.status >= 500:
                case.degrade(f"upstream: {failure.code}")
        if not self._began:
            retry = {"retry-after": failure.retry_after} if failure.retry_after else {}
            response = Refused(
                failure.status, failure.code, failure.message, kind="upstream_error", headers=retry
            ).response(case.headers())
            await response(scope, receive, send)
            return
        stream = self._work.form.stream(self._work.asked, case, self._work.exchange)
        await self._send(send, stream.failed(failure.code, failure.message))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _sealed_late(case: Case) -> None:
    """Seal what a stream came to, also where nobody listens any more."""
    try:
        await case.seal()
    except AuditFailed:
        # Named already, in the log and the metrics; what was released had its own line before.
        return


async def flow(stream: EventStream, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the checked form of an upstream's stream.

    Raises:
        Malformed: if it is none, breaks off, or brings more than is read.
    """
    limits = stream.case.desk.settings.limits
    reader, seen, done = EventReader(limit=limits.event_bytes), 0, False
    async for chunk in chunks:
        seen += len(chunk)
        if seen > limits.reply_bytes:
            raise Malformed("more than is read")
        for data in reader.feed(chunk):
            if data.strip() == "[DONE]":
                done = True
                break
            body = parse(data)
            if body.get("error") is not None:
                raise Malformed("an error in the middle of its answer")
            async for piece in stream.take(body):
                yield piece
        if done or stream.stopped:
            break
    else:
        reader.end()
    if not stream.stopped:
        stream.end()
