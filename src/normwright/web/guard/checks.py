"""Texts checked without a model behind: moderations, checks, and the hook of a gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from normwright.guard.bodies import read_answer
from normwright.records import GUARD_ACTIONS, Exchange, GuardVerdict, InputError, Utterance
from normwright.web.guard.answers import with_answer
from normwright.web.guard.desk import Case, Desk, passes
from normwright.web.guard.faults import Refused, as_json, unreadable
from normwright.web.guard.flowing import blocked, sealed, session_of
from normwright.web.guard.reading import exchange_of, read_json
from normwright.web.guard.telling import MODEL, page_of, refusal, result, told

TEXTS = 256
"""Most texts in one request."""


async def moderations(request: Request) -> Response:
    """Return for each text which norms stand against it, as categories and scores.

    A text is read as something said and as something answered, and the graver of both counts.
    """
    desk, body = await _begun(request)
    case = desk.case("moderations", session_of(request))
    verdicts = [await _both(case, text) for text in _inputs(body.get("input"))]
    _count(case)
    results = [_category_result(v, case) for v in verdicts]
    out = {"id": f"modr-{case.id.removeprefix('vrd_')}", "model": MODEL, "results": results}
    return await sealed(case, lambda: as_json(out, headers=case.headers()))


async def checks(request: Request) -> Response:
    """Return whether messages pass, without asking any model.

    The conversation is checked, and an assistant's message at its end as an answer to the rest.
    """
    desk, body = await _begun(request)
    case = desk.case("checks", session_of(request))
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refused(400, "invalid_request", "`messages` must be a list of messages.")
    verdicts = await _conversation(case, body, messages)
    _count(case)
    verdict = max(verdicts, key=_gravity)
    last = messages[-1].get("content") if isinstance(messages[-1], dict) else None
    stops = not passes(verdict)
    out = {
        "status": "blocked" if stops else "passed",
        "content": refusal(case, verdict) if stops else last if isinstance(last, str) else "",
        **({"rail": _rail(verdict)} if stops else {}),
        "normwright": told(case),
    }
    return await sealed(case, lambda: as_json(out, headers=case.headers()))


async def litellm(request: Request) -> Response:
    """Answer the generic guardrail hook of the LiteLLM gateway.

    Raises:
        Refused: if the request is none of its form.
    """
    desk, body = await _begun(request)
    side = body.get("input_type")
    if side not in ("request", "response"):
        raise Refused(400, "invalid_request", "`input_type` must be `request` or `response`.")
    trace = body.get("litellm_trace_id")
    case = desk.case("litellm", trace[:200] if isinstance(trace, str) and trace else None)
    exchange = _gateway_exchange(body, side)
    if side == "request":
        verdict = await case.screen(exchange)
    else:
        verdict = await case.screen(with_answer(exchange, _gateway_answer(body)))
    if body.get("images"):
        verdict = case.deny(exchange, "unread: images")
    _count(case)
    if passes(verdict):
        out: dict[str, Any] = {"action": "NONE"}
    else:
        out = {"action": "BLOCKED", "blocked_reason": refusal(case, verdict)}
    return await sealed(
        case, lambda: as_json({**out, "normwright": told(case)}, headers=case.headers())
    )


async def _begun(request: Request) -> tuple[Desk, dict[str, Any]]:
    desk: Desk = request.app.state.desk
    return desk, await read_json(request, desk.settings.limits)


async def _both(case: Case, text: str) -> GuardVerdict:
    said = Utterance(role="user", text=text, where="input")
    asked = await case.screen(Exchange(utterances=(said,)))
    answered = await case.screen(Exchange(utterances=(), answer=text))
    return max(asked, answered, key=_gravity)


async def _conversation(
    case: Case, body: Mapping[str, Any], messages: list[Any]
) -> list[GuardVerdict]:
    last = messages[-1]
    if not isinstance(last, dict) or last.get("role") != "assistant":
        return [await case.screen(exchange_of(body))]
    whole = await case.screen(exchange_of(body))
    before = exchange_of({**body, "messages": messages[:-1]})
    try:
        answer = read_answer(last)
    except InputError as error:
        raise unreadable(error.faults) from None
    return [whole, await case.screen(with_answer(before, answer))]


def _gateway_exchange(body: Mapping[str, Any], side: str) -> Exchange:
    """Return what a gateway sends as an exchange: its messages, and its texts beside.

    The texts are those that will be used; the messages may be a copy that differs.
    """
    messages = body.get("structured_messages")
    kept = list(messages) if isinstance(messages, list) else []
    texts = _texts(body.get("texts"))
    if side == "request":
        kept += [{"role": "user", "content": text} for text in texts]
    read = {"messages": kept, "tools": body.get("tools")}
    if side == "request" and body.get("tool_calls"):
        calls = {"role": "assistant", "content": None, "tool_calls": body["tool_calls"]}
        read["messages"] = [*kept, calls]
    return exchange_of(read)


def _gateway_answer(body: Mapping[str, Any]) -> str:
    message: dict[str, Any] = {"content": "\n".join(_texts(body.get("texts")))}
    if body.get("tool_calls"):
        message["tool_calls"] = body["tool_calls"]
    try:
        return read_answer(message)
    except InputError as error:
        raise unreadable(error.faults) from None


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    if (
        not isinstance(value, list)
        or len(value) > TEXTS
        or not all(isinstance(t, str) for t in value)
    ):
        raise Refused(400, "invalid_request", f"`texts` must be at most {TEXTS} texts.")
    return value


def _inputs(value: Any) -> list[str]:
    """Return the texts of a moderation request.

    Raises:
        Refused: for anything that is no text; a picture cannot be checked here.
    """
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not given or len(given) > TEXTS:
        raise Refused(400, "invalid_request", f"`input` must be a text, or 1 to {TEXTS} of them.")
    found = []
    for one in given:
        text = one.get("text") if isinstance(one, dict) and one.get("type") == "text" else one
        if not isinstance(text, str):
            raise Refused(400, "invalid_request", "`input` holds something that is no text.")
        found.append(text)
    return found


def _category_result(verdict: GuardVerdict, case: Case) -> dict[str, Any]:
    found = result(verdict)
    for name in ("type", "model"):
        del found[name]
    if not passes(verdict):
        found["normwright"] = {
            "verdict_id": case.id,
            "url": page_of(case),
            "action": verdict.action,
            "norms": [n.model_dump(mode="json") for n in verdict.norms],
            "reasons": verdict.reasons,
        }
    return found


def _count(case: Case) -> None:
    gravest = case.gravest
    if gravest is not None and not passes(gravest):
        case.outcome = blocked(gravest)


def _gravity(verdict: GuardVerdict) -> int:
    return GUARD_ACTIONS.index(verdict.action)


def _rail(verdict: GuardVerdict) -> str:
    """Return what stopped it: the norms, or the check that could not run."""
    return ", ".join(n.ref for n in verdict.norms) or verdict.check or "guard"
