"""Requests as they come: in bounds, in time, and with no text in them that goes unread."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request

from normwright.guard import read_exchange
from normwright.guard.bodies import sound
from normwright.records import Exchange, InputError
from normwright.web.guard.faults import Refused, unreadable
from normwright.web.guard.settings import Limits
from normwright.web.guard.sse import Malformed, parse

DEPTH = 64
"""Levels of nesting in a body."""

AWAY = 8
"""How many times the largest body is read away before a larger one is refused. Most clients read
no answer before they have sent everything, and see but a broken connection if nobody takes it."""

READ = frozenset({"messages", "tools", "functions", "response_format", "prediction"})
"""Fields that `read_exchange` reads itself."""

CONTROLS = frozenset(
    {
        *("model", "temperature", "top_p", "top_k", "min_p", "n", "seed", "stop", "stream", "echo"),
        *("max_tokens", "max_completion_tokens", "max_output_tokens", "min_tokens", "best_of"),
        *("presence_penalty", "frequency_penalty", "repetition_penalty", "logit_bias", "logprobs"),
        *("top_logprobs", "stream_options", "user", "safety_identifier", "prompt_cache_key"),
        *("prompt_cache_retention", "service_tier", "store", "metadata", "moderation"),
        *("tool_choice", "function_call", "parallel_tool_calls", "max_tool_calls", "truncation"),
        *("reasoning_effort", "verbosity", "modalities", "audio", "background", "include"),
    }
)
"""Fields that steer a model or its server and say nothing to the model. What is in any other field
is read as if a developer had said it: some servers put it before the model."""


async def read_bytes(request: Request, limits: Limits) -> bytes:
    """Return the body of a request.

    Raises:
        Refused: if it is too large, too slow, or packed.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refused(415, "unsupported_encoding", "Send the body as it is, not compressed.")
    told = request.headers.get("content-length", "")
    waits = request.headers.get("expect", "").lower() == "100-continue"
    most = limits.body_bytes if waits else AWAY * limits.body_bytes
    if told.isdigit() and int(told) > most:
        raise _too_large(limits)
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > AWAY * limits.body_bytes:
                    raise _too_large(limits)
                if size <= limits.body_bytes:
                    body += chunk
    except TimeoutError:
        raise Refused(
            408, "too_slow", f"The body took more than {limits.body_seconds:g} seconds.",
            headers={"connection": "close"},
        ) from None  # fmt: skip
    except ClientDisconnect:
        raise Refused(499, "client_gone", "The client went away.") from None
    if size > limits.body_bytes:
        raise _too_large(limits)
    return bytes(body)


async def read_json(request: Request, limits: Limits) -> dict[str, Any]:
    """Return the body of a request as a JSON object that can be sent on as it was read.

    A key that stands twice counts once, for what goes upstream is written anew from what was read.

    Raises:
        Refused: with what is wrong with it.
    """
    raw = await read_bytes(request, limits)
    try:
        body = parse(raw)
    except Malformed as error:
        raise Refused(400, "invalid_json", f"The body is {error}.") from None
    if _too_deep(body):
        raise Refused(400, "invalid_json", f"The body is nested deeper than {DEPTH} levels.")
    if b"\\u" in raw or b"\\U" in raw:
        body = _sound(body)
    return body


def exchange_of(body: Mapping[str, Any]) -> Exchange:
    """Return the exchange of a chat body, with the texts of fields nobody knows.

    Raises:
        Refused: if it cannot be read.
    """
    others = {k: v for k, v in body.items() if k not in READ and k not in CONTROLS}
    read: dict[str, Any] = {k: v for k, v in body.items() if k in READ}
    if others and isinstance(read.get("messages"), list):
        # In a list, no key of it is one of the protocol's own.
        fields = [[name, value] for name, value in others.items()]
        read["messages"] = [*read["messages"], {"role": "developer", "fields": fields}]
    try:
        return read_exchange(read)
    except InputError as error:
        raise unreadable(error.faults) from None


def prefill_of(body: Mapping[str, Any]) -> str:
    """Return what a client wrote of the answer already: the assistant's turn at the end."""
    messages = body.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(last, dict) or last.get("role") != "assistant":
        return ""
    content = last.get("content")
    if isinstance(content, str):
        return sound(content)
    parts = content if isinstance(content, list) else ()
    texts = (p.get("text") for p in parts if isinstance(p, dict))
    return sound("".join(t for t in texts if isinstance(t, str)))


def number(body: Mapping[str, Any], name: str, default: int, most: int) -> int:
    """Return a whole number of a body.

    Raises:
        Refused: if it is none, or not from 1 to `most`.
    """
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise Refused(400, "invalid_request", f"`{name}` must be a number from 1 to {most}.")
    return value


def flag(body: Mapping[str, Any], name: str) -> bool:
    """Return a switch of a body.

    Raises:
        Refused: if it is none.
    """
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise Refused(400, "invalid_request", f"`{name}` must be true or false.")
    return bool(value)


def _too_large(limits: Limits) -> Refused:
    return Refused(
        413, "too_large", f"The body is larger than {limits.body_bytes} bytes.",
        headers={"connection": "close"},
    )  # fmt: skip


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _sound(value: Any) -> Any:
    """Return a JSON value whose texts can all be encoded, as the guard reads them."""
    match value:
        case str():
            return sound(value)
        case list():
            return [_sound(one) for one in value]
        case dict():
            return {sound(k): _sound(one) for k, one in value.items()}
        case _:
            return value
