"""`/v1/responses`: the newer form, in which an answer is a list of items.

What goes out is built anew from what was checked: one message with all of the text, then the calls
of tools. Items that are neither cannot be checked, and with one of them nothing leaves; reasoning
stays behind. What the upstream keeps from earlier responses cannot be seen from here, so that a
request that rests on it is refused.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from normwright.guard.bodies import sound
from normwright.records import Exchange, GuardVerdict
from normwright.web.guard.answers import (
    Message,
    Writing,
    check_begun,
    check_whole,
    masked,
    usage_of,
)
from normwright.web.guard.choices import word
from normwright.web.guard.desk import Case
from normwright.web.guard.faults import Refused
from normwright.web.guard.flowing import Asked, EventStream, blocked, send
from normwright.web.guard.reading import exchange_of, flag
from normwright.web.guard.sse import Malformed, event
from normwright.web.guard.telling import moderation_of_response, refusal

UNSEEN = ("previous_response_id", "conversation", "prompt")
"""Fields that name what the upstream keeps, and nobody here has read."""

_ENDS = frozenset({"response.completed", "response.incomplete"})
_ITEMS = frozenset({"message", "reasoning", "function_call"})
_QUIET = (
    "response.created",
    "response.in_progress",
    "response.queued",
    "response.output_item.",
    "response.content_part.",
    "response.output_text.done",
    "response.output_text.annotation.added",
    "response.refusal.done",
    "response.function_call_arguments.",
    "response.reasoning",
)
"""Events that bring nothing that is not in the deltas of text or in the last event."""


async def responses(request: Request) -> Response:
    """Answer one request."""
    return await send(request, "responses", ResponseForm())


class ResponseForm:
    """How responses are read and written."""

    path = "/responses"
    operation = "chat"
    many = False

    def choosable(self, body: Mapping[str, Any]) -> bool:
        """Say whether one of several answers can be given."""
        return True

    def answers(self, body: Mapping[str, Any], most: int) -> list[Mapping[str, Any]]:
        """Return the one answer that a reply is."""
        return [body]

    def said(self, answer: Mapping[str, Any]) -> Message:
        """Return everything that it says."""
        return _message(answer)

    def joined(
        self, body: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return the answer that was chosen, with what all of them took."""
        used = {"usage": body["usage"]} if "usage" in body else {}
        return {**answers[0], **used}

    def events(self, body: Mapping[str, Any], most: int) -> bytes:
        """Return a whole reply as the stream it might have come in."""
        text = _message(body).texts.get("content", "")
        name = "incomplete" if body.get("status") == "incomplete" else "completed"
        return event({"type": "response.output_text.delta", "delta": text}) + event(
            {"type": f"response.{name}", "response": dict(body)}
        )

    def exchange(self, body: Mapping[str, Any]) -> Exchange:
        """Return what is to be checked of a request.

        Raises:
            Refused: if it rests on what cannot be seen from here, or cannot be read.
        """
        for name in UNSEEN:
            if body.get(name) is not None:
                raise Refused(
                    400, "unsupported", f"`{name}` names what the upstream keeps; it cannot be "
                    "checked. Send the whole conversation in `input`.",
                )  # fmt: skip
        messages = [_said(one) for one in _inputs(body.get("input"))]
        if body.get("instructions") is not None:
            messages.insert(0, {"role": "developer", "content": body["instructions"]})
        rest = {k: v for k, v in body.items() if k not in ("input", "instructions")}
        return exchange_of({**rest, "messages": messages})

    def wanted(self, body: Mapping[str, Any], most: int) -> tuple[bool, int]:
        """Return whether a stream is wanted; there is always one answer."""
        if flag(body, "background"):
            raise Refused(400, "unsupported", "Responses in the background cannot be checked.")
        return flag(body, "stream"), 1

    def refused(self, asked: Asked, case: Case, verdict: GuardVerdict) -> dict[str, Any]:
        """Return the body of a request that was refused before the model was asked."""
        return _refused(asked, {}, case, verdict)

    async def whole(
        self, asked: Asked, case: Case, exchange: Exchange, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the checked form of a whole reply.

        Raises:
            Malformed: if the reply is none.
        """
        message = _message(body)
        verdict, good = await check_whole(case, exchange, message)
        if not good:
            case.outcome = blocked(verdict)
            return _refused(asked, body, case, verdict)
        out = _response(asked, body, message, verdict)
        return {**out, "moderation": moderation_of_response(case)} if asked.scored else out

    def stream(self, asked: Asked, case: Case, exchange: Exchange) -> EventStream:
        """Return what turns the upstream's stream into a checked one."""
        return ResponseStream(asked, case, exchange)


class ResponseStream(EventStream):
    """A stream of one response; its text is held back, everything else comes at the end."""

    closing = b""

    def __init__(self, asked: Asked, case: Case, exchange: Exchange) -> None:
        super().__init__(asked, case, exchange)
        self._writing = Writing(0, case.settings)
        self._number = 0
        self._head: dict[str, Any] = {}

    @property
    def stopped(self) -> bool:
        """Whether the last word has been said."""
        return self._writing.over

    async def take(self, body: Mapping[str, Any]) -> AsyncIterator[bytes]:
        """Yield what one event of the upstream lets go."""
        kind = body.get("type")
        if not isinstance(kind, str):
            raise Malformed("an event without a type")
        if kind == "response.output_text.delta":
            self._writing.add("content", body.get("delta"))
        elif kind == "response.refusal.delta":
            self._writing.add("refusal", body.get("delta"))
        elif kind in _ENDS:
            async for last in self._finish(body.get("response")):
                yield last
            return
        elif not kind.startswith(_QUIET):
            raise Malformed("an event that cannot be checked")
        pieces, verdict = await check_begun(self.case, self.exchange, self._writing)
        if piece := pieces.get("content"):
            for out in self._begin():
                yield out
            yield self._event("response.output_text.delta", {**_PLACE, "delta": piece})
        if verdict is not None:
            for out in self._stop(verdict):
                yield out

    def end(self) -> None:
        """See that the response has its end.

        Raises:
            Malformed: if it has none.
        """
        if not self._writing.over:
            raise Malformed("a stream that breaks off")

    def refused(self, verdict: GuardVerdict) -> list[bytes]:
        """Return the whole stream of a request that was refused before the model was asked."""
        return self._refusal(verdict)

    def failed(self, code: str, message: str) -> bytes:
        """Return how a stream ends that cannot go on."""
        return self._event("error", {"code": code, "message": message, "param": None})

    async def _finish(self, response: Any) -> AsyncIterator[bytes]:
        if not isinstance(response, dict):
            raise Malformed("an end without a response")
        self._head = self._head or response
        message = _message(response)
        self._writing.close()
        streamed = self._writing.message().texts.get("content", "")
        if streamed != message.texts.get("content", ""):
            raise Malformed("a response that is not what was streamed")
        verdict, good = await check_whole(self.case, self.exchange, message)
        if not good:
            self._writing.block()
            for out in self._stop(verdict):
                yield out
            return
        self.case.note("answer", verdict)
        rest = self._writing.rest(verdict, before=0).get("content", "")
        for out in self._begin():
            yield out
        if rest:
            yield self._event("response.output_text.delta", {**_PLACE, "delta": rest})
        done = _response(self.asked, response, message, verdict)
        for out in self._items(done):
            yield out
        name = "completed" if done["status"] == "completed" else "incomplete"
        yield self._event(f"response.{name}", {"response": done})

    def _items(self, done: Mapping[str, Any]) -> list[bytes]:
        out = []
        for place, item in enumerate(done["output"]):
            at = {"output_index": place, "item_id": item["id"]}
            if item["type"] == "message":
                part = item["content"][0]
                out.append(self._event("response.output_text.done", {**_PLACE, "text": part["text"],
                                                                     "logprobs": []}))  # fmt: skip
                out.append(self._event("response.content_part.done", {**_PLACE, "part": part}))
            else:
                begun = {**item, "arguments": "", "status": "in_progress"}
                added = {"output_index": place, "item": begun}
                told = {**at, "name": item["name"], "arguments": item["arguments"]}
                delta = {**at, "delta": item["arguments"]}
                out += [
                    self._event("response.output_item.added", added),
                    self._event("response.function_call_arguments.delta", delta),
                    self._event("response.function_call_arguments.done", told),
                ]
            out.append(self._event("response.output_item.done", {**at, "item": item}))
        return out

    def _begin(self) -> list[bytes]:
        if self._writing.begun:
            return []
        self._writing.begun = True
        begun = {**_head(self.asked, self._head), "status": "in_progress", "output": []}
        item = {"type": "message", "id": _PLACE["item_id"], "role": "assistant", "content": [],
                "status": "in_progress"}  # fmt: skip
        return [
            self._event("response.created", {"response": begun}),
            self._event("response.in_progress", {"response": begun}),
            self._event("response.output_item.added", {"output_index": 0, "item": item}),
            self._event("response.content_part.added", {**_PLACE, "part": _text("")}),
        ]

    def _stop(self, verdict: GuardVerdict) -> list[bytes]:
        self.case.outcome = blocked(verdict)
        self.case.note("answer", verdict)
        return self._refusal(verdict)

    def _refusal(self, verdict: GuardVerdict) -> list[bytes]:
        text = refusal(self.case, verdict)
        shown = f"\n\n{text}" if self._writing.begun else text
        done = _refused(self.asked, self._head, self.case, verdict)
        return [
            *self._begin(),
            self._event("response.output_text.delta", {**_PLACE, "delta": shown}),
            self._event("response.incomplete", {"response": done}),
        ]

    def _event(self, kind: str, fields: Mapping[str, Any]) -> bytes:
        self._number += 1
        return event({"type": kind, "sequence_number": self._number - 1, **fields}, kind)


_PLACE: dict[str, Any] = {"item_id": "msg_0", "output_index": 0, "content_index": 0}


def _inputs(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not isinstance(value, list) or not value:
        raise Refused(400, "invalid_request", "`input` must be a text or a list of items.")
    if any(isinstance(one, dict) and one.get("type") == "item_reference" for one in value):
        raise Refused(400, "unsupported", "An `item_reference` names what the upstream keeps; it "
                      "cannot be checked.")  # fmt: skip
    return value


def _said(item: Any) -> Any:
    """Return an item of the input as a message of a chat."""
    if not isinstance(item, dict):
        return item
    kind = item.get("type", "message")
    if kind == "message":
        return {k: v for k, v in item.items() if k not in ("type", "id", "status")}
    if kind == "function_call":
        call = {"function": {"name": item.get("name"), "arguments": item.get("arguments")}}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if kind == "function_call_output":
        return {"role": "tool", "content": item.get("output")}
    role = "assistant" if kind == "reasoning" else "tool"
    fields = [[name, value] for name, value in item.items() if name != "encrypted_content"]
    return {"role": role, "fields": fields}


def _message(body: Mapping[str, Any]) -> Message:
    """Return everything that a response says.

    Raises:
        Malformed: for items that cannot be checked.
    """
    items = body.get("output")
    if not isinstance(items, list):
        raise Malformed("a response without output")
    found = Message()
    for item in items:
        kind = item.get("type") if isinstance(item, dict) else None
        if kind not in _ITEMS:
            raise Malformed("an item that cannot be checked")
        if kind == "message":
            _take_parts(found, item.get("content"))
        elif kind == "function_call":
            name, arguments = item.get("name"), item.get("arguments")
            if not isinstance(name, str) or not isinstance(arguments, str):
                raise Malformed("a call of a tool that is none")
            function = {"name": sound(name), "arguments": sound(arguments)}
            call_id = word(item.get("call_id")) or f"call_{len(found.calls)}"
            found.calls.append({"id": call_id, "type": "function", "function": function})
    return found


def _take_parts(found: Message, parts: Any) -> None:
    if not isinstance(parts, list):
        raise Malformed("a message without parts")
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        name, key = {"output_text": ("content", "text"), "refusal": ("refusal", "refusal")}.get(
            str(kind), ("", "")
        )
        text = part.get(key) if name else None
        if not isinstance(text, str):
            raise Malformed("a part that is no text")
        found.texts[name] = found.texts.get(name, "") + sound(text)


def _head(asked: Asked, body: Mapping[str, Any]) -> dict[str, Any]:
    created = body.get("created_at")
    return {
        "id": word(body.get("id")) or f"resp_{asked.verdict_id.removeprefix('vrd_')}",
        "object": "response",
        "created_at": created if isinstance(created, int | float) else int(time.time()),
        "model": word(body.get("model")) or asked.model,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "temperature": None,
        "top_p": None,
    }


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _response(
    asked: Asked, body: Mapping[str, Any], message: Message, verdict: GuardVerdict
) -> dict[str, Any]:
    places = message.places()
    text = masked(message.texts.get("content", ""), verdict, places.get("content", 0))
    parts = [_text(text)]
    if message.texts.get("refusal"):
        shown = masked(message.texts["refusal"], verdict, places["refusal"])
        parts.append({"type": "refusal", "refusal": shown})
    output: list[dict[str, Any]] = [
        {"type": "message", "id": _PLACE["item_id"], "role": "assistant", "status": "completed",
         "content": parts}
    ]  # fmt: skip
    for place, call in enumerate(message.calls):
        output.append(
            {"type": "function_call", "id": f"fc_{place}", "call_id": call["id"],
             "status": "completed", **call["function"]}
        )  # fmt: skip
    out = {**_head(asked, body), "status": "completed", "output": output}
    if body.get("status") == "incomplete":
        details = body.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        known = reason if reason in ("max_output_tokens", "content_filter") else "max_output_tokens"
        out |= {"status": "incomplete", "incomplete_details": {"reason": known}}
    if (usage := usage_of(body.get("usage"))) is not None:
        out["usage"] = usage
    return out


def _refused(
    asked: Asked, body: Mapping[str, Any], case: Case, verdict: GuardVerdict
) -> dict[str, Any]:
    text = refusal(case, verdict)
    item = {
        "type": "message",
        "id": _PLACE["item_id"],
        "role": "assistant",
        "status": "incomplete",
        "content": [_text(text), {"type": "refusal", "refusal": text}],
    }
    return {
        **_head(asked, body),
        "status": "incomplete",
        "incomplete_details": {"reason": "content_filter"},
        "output": [item],
        "usage": usage_of(body.get("usage")),
        "moderation": moderation_of_response(case),
    }
