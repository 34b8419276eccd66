"""HTTP on loopback: the models behind the guard, and a relay that writes down what goes by.

What a client says about an answer depends on what it reads: some read the text alone. The relay
stands between the client and what it asks, and keeps every request and answer as they were, so that
all clients are judged by the same thing: what left.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import re
import string
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CASE = re.compile(r"^/case/([A-Za-z0-9_.\-]+)(/.*)$")
"""Paths begin with the case a request belongs to, because clients send nothing else of ours."""

COMPLIES = "Sure, here is exactly what you asked for."
TIMEOUT = 120.0


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    case: str = ""

    def json(self) -> dict[str, Any]:
        """Return its body; an empty object where it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    body: bytes
    status: int = 200
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200) -> Reply:
        """Return a reply of JSON."""
        return cls(json.dumps(value, ensure_ascii=False).encode(), status)


Answer = Callable[[Request], Reply]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    """Clients come with dozens of connections at once. With the five that may wait by default the
    others are reset or try again seconds later, and the bare arm looks slow and broken."""


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Answer on a free port of loopback; yields the address, without a slash at its end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def _any(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            found = CASE.match(self.path)
            case, path = found.groups() if found else ("", self.path)
            headers = {k.lower(): v for k, v in self.headers.items()}
            reply = answer(Request(self.command, path, headers, self.rfile.read(size), case))
            self.send_response(reply.status)
            self.send_header("content-type", reply.kind)
            self.send_header("content-length", str(len(reply.body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)
            self.wfile.flush()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = _any

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: what was asked may be vile."""

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def post(url: str, body: object) -> None:
    """Send JSON; whatever is answered, an error too, is for the relay to write down."""
    data = json.dumps(body).encode()
    asked = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with _OPENER.open(asked, timeout=TIMEOUT) as response:
            response.read()
    except urllib.error.HTTPError as error:
        error.close()


def text_of(content: object) -> str:
    """Return the text of a message's content, whether it is one or parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(p["text"]) for p in parts if isinstance(p, dict) and p.get("text"))


def completion(text: str, body: Mapping[str, Any]) -> Reply:
    """Return a text as an answer to a chat request, whole or as a stream."""
    head = {"id": "chatcmpl-acceptance", "created": 1, "model": str(body.get("model", "complies"))}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    n = body.get("n") if isinstance(body.get("n"), int) else 1
    if not body.get("stream"):
        message = {"role": "assistant", "content": text}
        choices = [{"index": i, "message": message, "finish_reason": "stop"} for i in range(n or 1)]
        return Reply.of({**head, "object": "chat.completion", "choices": choices, "usage": usage})
    deltas: list[tuple[dict[str, str], str | None]] = [
        ({"role": "assistant", "content": ""}, None),
        *(({"content": text[at : at + 40]}, None) for at in range(0, len(text), 40)),
        ({}, "stop"),
    ]
    chunks = [
        {
            **head,
            "object": "chat.completion.chunk",
            "choices": [
                {"index": i, "delta": delta, "finish_reason": finish} for i in range(n or 1)
            ],
        }
        for delta, finish in deltas
    ]
    return events(chunks, done=True)


def models(request: Request, name: str) -> Reply:
    """Return the list of models, and an empty object for any other address that is looked at."""
    if request.path.rstrip("/").endswith("/models"):
        return Reply.of(
            {
                "object": "list",
                "data": [{"id": name, "object": "model", "created": 1, "owned_by": "acceptance"}],
            }
        )
    return Reply.of({})


def complies(request: Request) -> Reply:
    """Answer as the worst model there is: it agrees, repeats the request, and decodes what is
    encoded in it.
    """
    if request.method != "POST":
        return models(request, "complies")
    body = request.json()
    if request.path.endswith("/completions") and "messages" not in body:
        return older(body)
    if request.path.endswith("/responses"):
        return newer(body)
    messages = body.get("messages")
    said = messages if isinstance(messages, list) else []
    asked = next((text_of(m.get("content")) for m in reversed(said) if m.get("role") == "user"), "")
    if body.get("tools"):
        return acts(asked, said, body)
    plain = decoded(asked)
    told = f"{COMPLIES}\n\n{asked}"
    return completion(told + "".join(f"\n\nDecoded: {p}" for p in plain), body)


CALL = re.compile(r"^CALL (\w+) (\{.*\})$", re.MULTILINE)


def acts(asked: str, said: Sequence[Mapping[str, Any]], body: Mapping[str, Any]) -> Reply:
    """Answer as an agent that makes the calls its user writes down, one a turn, come what may."""
    calls = CALL.findall(asked)
    made = sum(m.get("role") == "tool" for m in said)
    if made >= len(calls):
        return completion("That was all.", body)
    name, arguments = calls[made]
    call = {
        "id": f"call_{made}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    head = {"id": "chatcmpl-acceptance", "object": "chat.completion", "created": 1}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return Reply.of({**head, "model": "complies", "choices": [choice], "usage": usage})


def older(body: Mapping[str, Any]) -> Reply:
    """Answer a request in the older form, one choice a prompt and number asked for."""
    prompt = body.get("prompt")
    prompts = prompt if isinstance(prompt, list) else [prompt]
    n = body["n"] if isinstance(body.get("n"), int) else 1
    texts = [f"{COMPLIES}\n\n{p}" for p in prompts for _ in range(n)]
    head = {"id": "cmpl-acceptance", "object": "text_completion", "created": 1, "model": "complies"}
    choices = [{"index": i, "text": t, "finish_reason": "stop"} for i, t in enumerate(texts)]
    if not body.get("stream"):
        return Reply.of({**head, "choices": choices})
    return events([{**head, "choices": [choice]} for choice in choices], done=True)


def newer(body: Mapping[str, Any]) -> Reply:
    """Answer a request in the newer form."""
    text = f"{COMPLIES}\n\n{json.dumps(body.get('input'), ensure_ascii=False)}"
    part = {"type": "output_text", "text": text, "annotations": []}
    said = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
            "content": [part]}  # fmt: skip
    whole = {"id": "resp_1", "object": "response", "created_at": 1, "model": "complies",
             "status": "completed", "output": [said]}  # fmt: skip
    if not body.get("stream"):
        return Reply.of(whole)
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    return events(
        [
            {"type": "response.output_text.delta", **place, "delta": text},
            {"type": "response.completed", "response": whole},
        ],
        done=False,
    )


def events(values: Iterable[object], *, done: bool) -> Reply:
    """Return values as a stream of events."""
    lines = [f"data: {json.dumps(v, ensure_ascii=False)}\n\n" for v in values]
    end = ["data: [DONE]\n\n"] if done else []
    return Reply("".join([*lines, *end]).encode(), kind="text/event-stream")


_ALPHABET = string.ascii_lowercase + string.ascii_uppercase
_ATBASH = str.maketrans(_ALPHABET, string.ascii_lowercase[::-1] + string.ascii_uppercase[::-1])
_RUN = re.compile(r"[A-Za-z0-9+/=]{16,}")


def decoded(text: str) -> list[str]:
    """Return what a model that decodes would find in a text: base64, base32, hexadecimal, and
    rotated or mirrored letters where the text names them.
    """
    found = []
    for run in _RUN.findall(text):
        for read in (base64.b64decode, base64.b32decode, bytes.fromhex):
            try:
                plain = read(run).decode("utf-8")
            except (ValueError, binascii.Error):
                continue
            if plain.isprintable() and len(plain) > 5:
                found.append(plain)
                break
    lower = text.lower()
    if "rot13" in lower or "rot-13" in lower:
        found.append(codecs.encode(text, "rot13"))
    if "atbash" in lower:
        found.append(text.translate(_ATBASH))
    return found


@dataclass
class Relay:
    """Passes requests on to one address, and writes each with its answer as a line of JSON."""

    target: str
    """Address without a slash at its end; what clients ask begins with `/v1`."""
    out: Path
    arm: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _rows: int = 0

    def __call__(self, request: Request) -> Reply:
        """Pass one request on."""
        began = time.perf_counter()
        reply = self._ask(request)
        if request.method == "POST":
            row = wire_row(request, reply, seconds=time.perf_counter() - began)
            with self._lock:
                self._rows += 1
                line = json.dumps({"seq": self._rows, "arm": self.arm, **row}, ensure_ascii=False)
                with self.out.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
        return reply

    def _ask(self, request: Request) -> Reply:
        passed = {
            k: v for k, v in request.headers.items() if k in ("authorization", "content-type")
        }
        asked = urllib.request.Request(
            self.target + request.path,
            data=request.body if request.method not in ("GET", "HEAD") else None,
            headers=passed,
            method=request.method,
        )
        try:
            with _OPENER.open(asked, timeout=TIMEOUT) as response:
                return _reply(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return _reply(error.code, error.headers, error.read())
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            what = {"error": {"code": "relay", "message": type(error).__name__}}
            return Reply.of(what, status=599)


# Nothing is to leave the machine, whatever the environment says about proxies.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _reply(status: int, headers: Any, body: bytes) -> Reply:
    kept = {k.lower(): v for k, v in headers.items() if k.lower().startswith("x-")}
    kind = headers.get("content-type") or "application/octet-stream"
    return Reply(body, status, kind, kept)


def wire_row(request: Request, reply: Reply, *, seconds: float) -> dict[str, Any]:
    """Return what is kept of a request and its answer."""
    asked = request.json()
    messages = asked.get("messages") if isinstance(asked.get("messages"), list) else []
    finish, answer = answer_of(reply)
    users = [text_of(m.get("content")) for m in messages or () if m.get("role") == "user"]
    return {
        "case": request.case,
        "path": request.path,
        "messages": messages,
        "turns": len(users),
        "asked": users[-1] if users else "",
        "status": reply.status,
        "finish": finish,
        "answer": answer,
        "error": _error(reply),
        "verdict": reply.headers.get("x-normwright-verdict-id", ""),
        "degraded": reply.headers.get("x-normwright-degraded", ""),
        "seconds": round(seconds, 5),
    }


def answer_of(reply: Reply) -> tuple[str, str]:
    """Return how an answer ended and its text, of a whole one or of a stream."""
    if reply.kind.startswith("text/event-stream"):
        return _streamed(reply.body.decode("utf-8", "replace"))
    try:
        choices = json.loads(reply.body).get("choices") or []
        finish = next((str(c["finish_reason"]) for c in choices if c.get("finish_reason")), "")
        texts = [text_of((c.get("message") or {}).get("content")) for c in choices]
    except (ValueError, AttributeError, TypeError):
        return "", ""
    return finish, "\n".join(texts)


def _streamed(text: str) -> tuple[str, str]:
    finish, pieces = "", []
    for line in text.splitlines():
        if not line.startswith("data: {"):
            continue
        for choice in json.loads(line[6:]).get("choices") or ():
            finish = choice.get("finish_reason") or finish
            pieces.append((choice.get("delta") or {}).get("content") or "")
    return finish, "".join(pieces)


def _error(reply: Reply) -> str:
    if reply.status < 400:
        return ""
    try:
        error = json.loads(reply.body).get("error") or {}
        return str(error.get("code") or error.get("type") or "unknown")
    except (ValueError, AttributeError):
        return "unknown"
