"""The embedded model as an upstream: it speaks the same protocol, without a network between.

It writes an answer whole; as a stream it comes in pieces all the same, so that a client that reads
streams sees what it would see of any other model.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from normwright.models import Model
from normwright.records import Message, Role
from normwright.web.guard.faults import Refused, as_json
from normwright.web.guard.sse import DONE, event

NAME = "normwright-embedded"
TOKENS = 256
"""Most tokens of an answer; one that asks for more gets these."""
CONTEXT_CHARS = 6000
"""Characters of a conversation that reach the model, the last ones: it has a short context."""

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "tool": "user",
    "function": "user",
    "assistant": "assistant",
}


def embedded_app(model: Model) -> Starlette:
    """Return an application that speaks for a model of this process."""
    app = Starlette(
        routes=[
            Route("/v1/models", _models),
            Route("/v1/chat/completions", _chat, methods=["POST"]),
            Route("/v1/completions", _completions, methods=["POST"]),
            Route("/v1/responses", _responses, methods=["POST"]),
        ],
        exception_handlers={Refused: _refused},
    )
    app.state.model = model
    app.state.lock = threading.Lock()
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.response()


async def _models(request: Request) -> Response:
    one = {"id": NAME, "object": "model", "created": 0, "owned_by": "normwright"}
    return as_json({"object": "list", "data": [one]})


async def _chat(request: Request) -> Response:
    body = await request.json()
    if body.get("tools") or body.get("functions"):
        raise Refused(400, "unsupported", "The embedded model calls no tools.")
    prompt = [_message(m) for m in body["messages"]]
    texts = await _texts(request, prompt, body)
    head = {"id": "chatcmpl-embedded", "created": int(time.time()), "model": NAME}
    if body.get("stream"):
        return _streamed({**head, "object": "chat.completion.chunk"}, texts, body, prompt)
    choices = [
        {"index": i, "message": {"role": "assistant", "content": text}, "finish_reason": end}
        for i, (text, end) in enumerate(texts)
    ]
    usage = _usage(prompt, texts)
    return as_json({**head, "object": "chat.completion", "choices": choices, "usage": usage})


async def _completions(request: Request) -> Response:
    body = await request.json()
    if body.get("logprobs") or body.get("echo"):
        raise Refused(400, "unsupported", "The embedded model tells no log-probabilities here.")
    given = body["prompt"]
    choices: list[dict[str, Any]] = []
    for text in [given] if isinstance(given, str) else given:
        prompt = [Message(role="user", content=text)]
        for answer, end in await _texts(request, prompt, body):
            choices.append({"index": len(choices), "text": answer, "finish_reason": end})
    head = {"id": "cmpl-embedded", "created": int(time.time()), "model": NAME}
    reply = {**head, "object": "text_completion", "choices": choices}
    if not body.get("stream"):
        return as_json(reply)
    return Response(event(reply) + DONE, media_type="text/event-stream")


async def _responses(request: Request) -> Response:
    body = await request.json()
    if body.get("tools"):
        raise Refused(400, "unsupported", "The embedded model calls no tools.")
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    prompt = [_message(i) for i in items if isinstance(i, dict) and "content" in i]
    if isinstance(body.get("instructions"), str):
        prompt.insert(0, Message(role="system", content=body["instructions"]))
    asked = {**body, "max_tokens": body.get("max_output_tokens")}
    [(text, _)] = await _texts(request, prompt, asked)
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"type": "message", "id": "msg_0", "role": "assistant", "content": [part],
            "status": "completed"}  # fmt: skip
    counted = _usage(prompt, [(text, "")])
    reply = {
        "id": "resp_embedded",
        "object": "response",
        "created_at": int(time.time()),
        "model": NAME,
        "status": "completed",
        "output": [item],
        "usage": {
            "input_tokens": counted["prompt_tokens"],
            "output_tokens": counted["completion_tokens"],
            "total_tokens": counted["total_tokens"],
        },
    }
    if not body.get("stream"):
        return as_json(reply)
    out = [event({"type": "response.output_text.delta", "delta": p}) for p in _pieces(text)]
    out.append(event({"type": "response.completed", "response": reply}))
    return Response(b"".join(out), media_type="text/event-stream")


def _message(value: dict[str, Any]) -> Message:
    content = value.get("content") or ""
    if isinstance(content, list):
        content = "".join(p.get("text", "") for p in content if isinstance(p, dict))
    return Message(role=_ROLES.get(value.get("role", ""), "user"), content=content)


async def _texts(
    request: Request, prompt: Sequence[Message], body: dict[str, Any]
) -> list[tuple[str, str]]:
    """Return answers and how each ended."""
    n, wanted = int(body.get("n") or 1), body.get("max_completion_tokens") or body.get("max_tokens")
    temperature = float(1.0 if body.get("temperature") is None else body["temperature"])
    if n > 1 and temperature == 0:
        raise Refused(400, "invalid_request", "Several answers need a temperature above 0.")
    limit = min(int(wanted or 128), TOKENS)
    app = request.app.state

    def generate() -> list[str]:
        with app.lock:
            [texts] = app.model.generate(
                [_recent(prompt)],
                max_new_tokens=limit,
                temperature=temperature,
                n=n,
                seed=int(body.get("seed") or 0) % 2**31,
            )
            return list(texts)

    texts = await asyncio.get_running_loop().run_in_executor(None, generate)
    return [_ended(text, body.get("stop"), limit) for text in texts]


def _recent(prompt: Sequence[Message]) -> list[Message]:
    kept: list[Message] = []
    room = CONTEXT_CHARS
    for message in reversed(prompt):
        if kept and len(message.content) > room:
            break
        text = message.content[-CONTEXT_CHARS:]
        kept.append(Message(role=message.role, content=text))
        room -= len(text)
    return kept[::-1]


def _ended(text: str, stop: Any, limit: int) -> tuple[str, str]:
    stops = [stop] if isinstance(stop, str) else stop or []
    places = [at for s in stops if isinstance(s, str) and s and (at := text.find(s)) >= 0]
    if places:
        return text[: min(places)], "stop"
    # Roughly: a word has more than one token, so that a longer answer was not cut.
    return text, "length" if len(text.split()) >= limit else "stop"


def _usage(prompt: Sequence[Message], texts: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return counts in words, which is what the embedded model's short answers are told in."""
    read = sum(len(m.content.split()) for m in prompt)
    written = sum(len(text.split()) for text, _ in texts)
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
    }


def _streamed(
    head: dict[str, Any],
    texts: Sequence[tuple[str, str]],
    body: dict[str, Any],
    prompt: Sequence[Message],
) -> Response:
    out = []
    for i, (text, end) in enumerate(texts):
        for piece in _pieces(text):
            choice = {"index": i, "delta": {"content": piece}, "finish_reason": None}
            out.append(event({**head, "choices": [choice]}))
        out.append(event({**head, "choices": [{"index": i, "delta": {}, "finish_reason": end}]}))
    if (body.get("stream_options") or {}).get("include_usage"):
        out.append(event({**head, "choices": [], "usage": _usage(prompt, texts)}))
    return Response(b"".join([*out, DONE]), media_type="text/event-stream")


def _pieces(text: str) -> list[str]:
    words = text.split(" ")
    return [w if i == 0 else f" {w}" for i, w in enumerate(words)]
