"""A small server on loopback that lets any model speak as OpenAI's interface does, and can fail.

    with served(model) as server:
        RemoteModel(RemoteSettings(url=server.url, id="served")).generate(...)

Only the standard library. A test that uses it says `@pytest.mark.allow_hosts(["127.0.0.1"])`.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from normwright.models import Model
from normwright.records import Message

Echo = Callable[[str], tuple[list[int], list[float | None]]]
"""Where each token of a text begins, and its log-probability; that of the first is unknown."""


@dataclass(frozen=True)
class Fail:
    """How one request is answered instead of properly."""

    status: int = 200
    body: bytes | None = None
    """None is the proper body."""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: float = 0.0
    """Seconds of silence before anything is sent."""
    trickle: float = 0.0
    """Seconds between single bytes of the body."""
    endless: float = 0.0
    """Seconds between headers that never end."""
    cut: int | None = None
    """Bytes of the body after which the connection is reset."""


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Server:
    """A running server, and what it saw."""

    model: Model
    fail: Callable[[int, dict[str, Any]], Fail | None]
    delay: Callable[[dict[str, Any]], float]
    key: str | None
    key_header: str
    name: str
    ignore_n: bool
    refuse_n: bool
    usage: bool
    fingerprint: str
    finish: Callable[[str], str]
    echo: Echo | None
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    under_way: int = 0
    peak: int = 0
    """The most requests that were under way at once."""
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    thinking: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the proper reply to a chat request."""
        prompt = [Message(role=m["role"], content=m["content"]) for m in body["messages"]]
        n = 1 if self.ignore_n else int(body.get("n", 1))
        with self.thinking:
            [texts] = self.model.generate(
                [prompt],
                max_new_tokens=body.get("max_tokens", 16),
                temperature=body.get("temperature", 0.0),
                n=n,
                seed=body.get("seed", 0),
            )
        choices = []
        for place, text in enumerate(texts):
            finish = self.finish(text)
            content = None if finish == "content_filter" else text
            message = {"role": "assistant", "content": content}
            choices.append({"index": place, "message": message, "finish_reason": finish})
        read = sum(len(m.content.split()) for m in prompt)
        written = sum(len(text.split()) for text in texts)
        return self._reply(choices, read, written)

    def scored(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the proper reply to a request for the log-probabilities of a text."""
        assert self.echo is not None
        with self.thinking:
            places, values = self.echo(body["prompt"])
        logprobs = {
            "text_offset": [*places, len(body["prompt"])],
            "token_logprobs": [*values, -1.0],
        }
        choice = {"index": 0, "text": body["prompt"] + "!", "finish_reason": "length"}
        return self._reply([{**choice, "logprobs": logprobs}], len(places), 1)

    def _reply(self, choices: list[dict[str, Any]], read: int, written: int) -> dict[str, Any]:
        reply: dict[str, Any] = {"id": "r", "model": f"{self.name}-2026-11", "choices": choices}
        if self.fingerprint:
            reply["system_fingerprint"] = self.fingerprint
        if self.usage:
            reply["usage"] = {"prompt_tokens": read, "completion_tokens": written}
        return reply


def first(*fails: Fail | None) -> Callable[[int, dict[str, Any]], Fail | None]:
    """Fail the first requests in turn, by the order in which they come."""
    return lambda number, body: fails[number] if number < len(fails) else None


@contextmanager
def served(
    model: Model,
    *,
    fail: Callable[[int, dict[str, Any]], Fail | None] = lambda number, body: None,
    delay: Callable[[dict[str, Any]], float] = lambda body: 0.0,
    key: str | None = None,
    key_header: str = "Authorization",
    name: str = "served",
    ignore_n: bool = False,
    refuse_n: bool = False,
    usage: bool = True,
    fingerprint: str = "",
    finish: Callable[[str], str] = lambda text: "stop",
    echo: Echo | None = None,
) -> Iterator[Server]:
    """Serve a model on a free port of loopback until the block ends.

    Args:
        model: what answers.
        fail: asked with the number of each request, from 0, and its body.
        delay: seconds a request takes.
        key: what `key_header` must hold; None asks for none.
        key_header: where the key is looked for.
        name: what the model is called.
        ignore_n: give one answer however many are asked for.
        refuse_n: answer 400 to more than one.
        usage: count tokens (as words).
        fingerprint: the `system_fingerprint` of each reply.
        finish: why an answer ended, by its text.
        echo: scores a text for `/completions`; without it that address does not exist.
    """
    server = Server(model, fail, delay, key, key_header, name, ignore_n, refuse_n, usage,
                    fingerprint, finish, echo)  # fmt: skip
    with _Listening(server) as listening:
        host, port = listening.server_address[:2]
        server.url = f"http://{host!s}:{port}/v1"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            listening.shutdown()
            thread.join()


class _Listening(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, served: Server) -> None:
        self.served = served
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing where the other side went away, as one that ran out of time does."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listening

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log."""

    def do_POST(self) -> None:
        """Answer one request."""
        served = self.server.served
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(raw)
        with served.lock:
            number = len(served.asked)
            served.asked.append(Asked(self.path, dict(self.headers.items()), body))
            served.under_way += 1
            served.peak = max(served.peak, served.under_way)
        try:
            served.closing.wait(served.delay(body))
            status, reply = self._proper(served, body)
            self._send(served.fail(number, body), status, json.dumps(reply).encode())
        finally:
            with served.lock:
                served.under_way -= 1

    def _proper(self, served: Server, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        bearer = "Bearer " if served.key_header == "Authorization" else ""
        given = self.headers.get(served.key_header, "")
        if served.key is not None and given != bearer + served.key:
            # As some do, it repeats what it was given.
            return 401, {"error": {"message": f"Incorrect API key provided: {given}"}}
        if body.get("model") != served.name:
            said = f"The model `{body.get('model')}` does not exist"
            return 404, {"error": {"message": said, "code": "model_not_found"}}
        if self.path.endswith("/chat/completions"):
            if served.refuse_n and body.get("n", 1) > 1:
                return 400, {"error": {"message": "n must be 1"}}
            return 200, served.answer(body)
        if self.path.endswith("/completions") and served.echo is not None:
            return 200, served.scored(body)
        return 404, {"detail": "Not Found"}

    def _send(self, fail: Fail | None, status: int, body: bytes) -> None:
        closing = self.server.served.closing
        fail = fail or Fail(status)
        body = fail.body if fail.body is not None else body
        if fail.hang and closing.wait(fail.hang):
            return
        if fail.endless:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not closing.wait(fail.endless):
                self.wfile.write(b"X-More: and more\r\n")
            return
        self.send_response(fail.status if fail.status != 200 else status)
        for name, value in fail.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fail.trickle:
            for byte in body:
                self.wfile.write(bytes([byte]))
                if closing.wait(fail.trickle):
                    return
            return
        self.wfile.write(body if fail.cut is None else body[: fail.cut])
        if fail.cut is not None:
            self.wfile.flush()
            # Closed without linger, the other side sees a reset and not an end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
