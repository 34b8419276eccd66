"""A proxy and an upstream as they run: real sockets, real processes of HTTP, and a plain guard."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from normwright.guard import Reward
from normwright.records import CitedNorm, Exchange, GuardVerdict, Policy, Side, digest_json
from normwright.web.guard import Guarding, Limits, ServeSettings, application
from normwright.web.guard.served import GuardProtocol

BAD = "forbidden-word"
ASKS = "unclear-word"
CARD = "4111-1111"
BOOM = "detector-breaks"


@dataclass
class WordGuard:
    """A guard that is a pure function of the text, so that a test knows what must be stopped."""

    policy: Policy
    slow: float = 0.0
    reward: Reward | None = None
    parts: dict[str, Any] = field(default_factory=lambda: {"words": "three of them"})
    patient: bool = False
    seen: list[Exchange] = field(default_factory=list)

    def screen(self, exchange: Exchange, *, memory: Any = None) -> GuardVerdict:
        """Refuse `BAD`, ask about `ASKS`, mask `CARD` in answers; break at `BOOM`."""
        self.seen.append(exchange)
        if self.slow:
            time.sleep(self.slow)
        side: Side = "input" if exchange.answer is None else "output"
        texts = (
            [(u.where, u.text) for u in exchange.utterances]
            if exchange.answer is None
            else [("answer", exchange.answer)]
        )
        for where, text in texts:
            if BOOM in text:
                raise RuntimeError("the detector is down")
            for word, action in ((BAD, "refuse"), (ASKS, "ask")):
                if word in text:
                    return self._verdict(exchange, side, action, where)
            if CARD in text and side == "output":
                at = text.index(CARD)
                return self._verdict(exchange, side, "transform", where, ((at, at + len(CARD)),))
        return self._verdict(exchange, side, "allow", "")

    def _verdict(
        self,
        exchange: Exchange,
        side: Side,
        action: Any,
        where: str,
        spans: tuple[tuple[int, int], ...] = (),
    ) -> GuardVerdict:
        norm = self.policy.charter.norms[0]
        stops = action != "allow"
        return GuardVerdict(
            side=side,
            action=action,
            norms=(CitedNorm(id=norm.id, version=norm.version),) if stops else (),
            scores={"words": 1.0 if stops else 0.0},
            risks={norm.id: 0.97} if stops else {},
            reasons={"en": "The town voted against it.", "pt": "A cidade votou contra."}
            if stops
            else {},
            contest={"en": "Contest it.", "pt": "Conteste."} if stops else {},
            languages=(exchange.lang or "en",) if stops else (),
            check="words" if stops else "",
            where=where,
            spans=spans,
            ran=("words",),
            policy=self.policy.digest,
            decided_by=digest_json(self.parts),
            conversation=exchange.conversation,
            answer=exchange.answered,
        )


Handler = Callable[["Call"], AsyncGenerator[bytes]]
"""Writes raw bytes of a response, head and all."""


@dataclass
class Call:
    """One request as the upstream got it."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        """Its body."""
        found: dict[str, Any] = json.loads(self.raw)
        return found


@dataclass
class UpstreamServer:
    """An upstream that runs, and what it was asked."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    broken_off: int = 0
    """Requests whose client went away before the answer was out."""


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n"


def json_head(size: int, status: str = "200 OK") -> bytes:
    """Return the head of a JSON response."""
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    ).encode()


def sse_head() -> bytes:
    """Return the head of a stream that ends with its connection."""
    return HEAD % b"text/event-stream" + b"\r\n"


def sse(value: dict[str, Any]) -> bytes:
    """Return an event."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def chunk(
    delta: dict[str, Any], *, index: int = 0, finish: str | None = None, **more: Any
) -> bytes:
    """Return an event of a stream of chat completions."""
    choice = {"index": index, "delta": delta, "finish_reason": finish, **more}
    return sse(
        {
            "id": "chatcmpl-up",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "up",
            "choices": [choice],
        }
    )


def whole(*messages: dict[str, Any] | str, finish: str = "stop", **more: Any) -> dict[str, Any]:
    """Return a chat completion."""
    return {
        "id": "chatcmpl-up",
        "object": "chat.completion",
        "created": 1,
        "model": "up",
        "choices": [
            {
                "index": i,
                "message": {"role": "assistant", "content": m} if isinstance(m, str) else m,
                "finish_reason": finish,
            }
            for i, m in enumerate(messages)
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
        **more,
    }


def says(*answers: dict[str, Any] | str, pieces: int = 7, finish: str = "stop") -> Handler:
    """Return a handler that gives these answers, whole or as a stream as it is asked."""

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        if not call.body.get("stream"):
            body = json.dumps(whole(*answers, finish=finish)).encode()
            yield json_head(len(body)) + body
            return
        yield sse_head()
        for i, answer in enumerate(answers):
            text = answer if isinstance(answer, str) else str(answer.get("content") or "")
            yield chunk({"role": "assistant", "content": ""}, index=i)
            for at in range(0, len(text), pieces):
                yield chunk({"content": text[at : at + pieces]}, index=i)
            yield chunk({}, index=i, finish=finish)
        if call.body.get("stream_options", {}).get("include_usage"):
            yield sse(
                {
                    "id": "chatcmpl-up",
                    "object": "chat.completion.chunk",
                    "created": 1,
                    "model": "up",
                    "choices": [],
                    "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
                }
            )
        yield b"data: [DONE]\n\n"

    return handle


@dataclass
class Switch:
    """A handler that does as the name of the model says, so that many tests share one server."""

    handlers: dict[str, Handler] = field(default_factory=dict)

    def use(self, handler: Handler) -> str:
        """Return a name of a model that is answered by this handler."""
        name = f"up-{len(self.handlers)}"
        self.handlers[name] = handler
        return name

    async def __call__(self, call: Call) -> AsyncGenerator[bytes]:
        """Answer one request."""
        async with aclosing(self.handlers[call.body["model"]](call)) as pieces:
            async for piece in pieces:
                yield piece


@contextmanager
def upstream(handler: Handler) -> Iterator[UpstreamServer]:
    """Run an upstream on a free port of loopback."""
    server = UpstreamServer()
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    stop: asyncio.Event = asyncio.Event()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                call = await _read(reader)
                if call is None:
                    return
                server.calls.append(call)
                head = b""
                async with aclosing(handler(call)) as pieces:
                    async for piece in pieces:
                        head = head or piece
                        writer.write(piece)
                        await writer.drain()
                if b"Content-Length" not in head:
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            server.broken_off += 1
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()

    async def run() -> None:
        listening = await asyncio.start_server(one, "127.0.0.1", 0, limit=1 << 24, backlog=2048)
        port = listening.sockets[0].getsockname()[1]
        server.url = f"http://127.0.0.1:{port}/v1"
        ready.set()
        await stop.wait()
        listening.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await asyncio.sleep(0.01)  # what was closed is let go in the next turns of the loop

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(5)
        loop.close()


async def _read(reader: asyncio.StreamReader) -> Call | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    raw = await reader.readexactly(int(headers.get("content-length", 0)))
    return Call(head[0].split(" ")[1], headers, raw)


@dataclass
class Proxy:
    """A proxy that runs."""

    url: str
    port: int
    state: Path
    guard: Any
    app: Any

    @property
    def desk(self) -> Any:
        """Its desk."""
        return self.app.state.desk


@contextmanager
def proxy(
    guard: Guarding,
    state: Path,
    server: UpstreamServer | None = None,
    *,
    limits: Limits | None = None,
    load: Callable[[], Guarding] | None = None,
    **settings: Any,
) -> Iterator[Proxy]:
    """Run the proxy on a free port of loopback."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    limits = limits or Limits()
    made = ServeSettings(
        state=state,
        upstream=None if server is None else server.url,
        limits=limits,
        public_url=address,
        **settings,
    )
    app = application(guard, made, load=load)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, http=GuardProtocol.within(limits), lifespan="on",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    limit = time.monotonic() + 20
    while not running.started:
        assert thread.is_alive()
        assert time.monotonic() < limit
        time.sleep(0.005)
    try:
        yield Proxy(f"{address}/v1", port, state, guard, app)
    finally:
        running.should_exit = True
        thread.join(10)
        bound.close()
