"""Answers on their way from the upstream to a client: whole, or as they are written.

Only fields that are known here go on, so that no text leaves in a field that nobody checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from normwright.guard.bodies import read_answer, sound
from normwright.guard.streaming import Due, HoldBack
from normwright.records import Exchange, GuardVerdict, InputError
from normwright.web.guard.desk import Case, passes
from normwright.web.guard.settings import ServeSettings
from normwright.web.guard.sse import Malformed
from normwright.web.guard.telling import refusal

FILTERED = "content_filter"
_FINISH = re.compile(r"[a-z_]{1,32}")
TEXTS = ("content", "reasoning_content", "reasoning", "refusal")
"""Fields of a message that are text."""
MASK = "\u2588"
"""What stands for a character of a span that is masked."""


@dataclass
class Message:
    """One answer as it is known to be, whatever form it came in."""

    texts: dict[str, str] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    """Calls of tools: `id` and `function` with `name` and `arguments`."""

    def answer(self) -> str:
        """Return everything it says as one text: its texts in the order of `TEXTS`, then its calls.

        Raises:
            Malformed: if there is more in it than can be read.
        """
        try:
            calls = read_answer({"tool_calls": self.calls}) if self.calls else ""
        except InputError:
            raise Malformed("an answer that cannot be read") from None
        return "\n".join(part for part in (*(t for _, t in self._parts()), calls) if part)

    def places(self) -> dict[str, int]:
        """Return where in the answer each of its texts begins."""
        out, at = {}, 0
        for name, text in self._parts():
            out[name] = at
            at += len(text) + 1
        return out

    def maskable(self, verdict: GuardVerdict) -> bool:
        """Say whether all spans of a verdict lie in texts, for a call cannot be masked."""
        end = sum(len(text) + 1 for _, text in self._parts())
        return all(high < max(end, 1) for _, high in verdict.spans)

    def _parts(self) -> list[tuple[str, str]]:
        return [(name, self.texts[name]) for name in TEXTS if self.texts.get(name)]


def with_answer(exchange: Exchange, answer: str) -> Exchange:
    """Return an exchange with an answer to check."""
    return exchange.model_copy(update={"answer": answer})


def masked(text: str, verdict: GuardVerdict, start: int = 0) -> str:
    """Return a text with the spans of a verdict masked, each character by one.

    Args:
        text: a part of what was checked.
        verdict: its spans are places in what was checked.
        start: where in that the text begins.
    """
    if verdict.action != "transform" or not verdict.spans:
        return text
    out = list(text)
    for low, high in verdict.spans:
        for at in range(max(low - start, 0), min(high - start, len(out))):
            if not out[at].isspace():
                out[at] = MASK
    return "".join(out)


def read_message(value: Any) -> Message:
    """Return the message of a whole answer.

    Raises:
        Malformed: for what cannot be checked: sound, parts that are no text, a call that is none.
    """
    if not isinstance(value, dict):
        raise Malformed("a choice without a message")
    found = Message()
    for name in TEXTS:
        text = value.get(name)
        if text is None:
            continue
        if isinstance(text, list):
            text = "".join(_part(one) for one in text)
        if not isinstance(text, str):
            raise Malformed(f"a {name} that is no text")
        found.texts[name] = sound(text)
    if value.get("audio") is not None:
        raise Malformed("sound, which cannot be checked")
    calls = value.get("tool_calls") or []
    if value.get("function_call"):
        calls = [*calls, {"function": value["function_call"]}]
    if not isinstance(calls, list):
        raise Malformed("calls that are none")
    found.calls = [_call(one) for one in calls]
    return found


def _part(value: Any) -> str:
    if isinstance(value, dict) and value.get("type") in ("text", "output_text"):
        text = value.get("text")
        if isinstance(text, str):
            return text
    raise Malformed("a part that is no text")


def _call(value: Any) -> dict[str, Any]:
    function = value.get("function") if isinstance(value, dict) else None
    if not isinstance(function, dict):
        raise Malformed("a call of a tool that is none")
    name, arguments = function.get("name"), function.get("arguments", "")
    if not isinstance(name, str) or not isinstance(arguments, str):
        raise Malformed("a call of a tool that is none")
    call: dict[str, Any] = {
        "type": "function",
        "function": {"name": sound(name), "arguments": sound(arguments)},
    }
    if isinstance(value.get("id"), str):
        call["id"] = sound(value["id"])[:200]
    return call


def message_json(
    message: Message, verdict: GuardVerdict, *, legacy: bool, before: int = 0
) -> dict[str, Any]:
    """Return a message that passed as a client reads it.

    Args:
        message: the message.
        verdict: the verdict on it.
        legacy: whether its call is to be in the form that calls had before there were tools.
        before: characters that were checked in front of it.
    """
    out: dict[str, Any] = {"role": "assistant", "content": None}
    places = message.places()
    for name, text in message.texts.items():
        out[name] = masked(text, verdict, before + places.get(name, 0))
    if message.calls and legacy:
        out["function_call"] = message.calls[0]["function"]
    elif message.calls:
        out["tool_calls"] = message.calls
    return out


def finish_of(value: Any) -> str:
    """Return how an answer ended, in a word that could not be a sentence."""
    return value if isinstance(value, str) and _FINISH.fullmatch(value) else "stop"


def logprobs_of(value: Any) -> dict[str, Any] | None:
    """Return the log-probabilities of an answer, if they have the form they must have."""
    if not isinstance(value, dict):
        return None
    out: dict[str, Any] = {}
    for name in ("content", "refusal"):
        entries = value.get(name)
        out[name] = [e for e in map(token_of, entries) if e] if isinstance(entries, list) else None
    return out


def token_of(value: Any) -> dict[str, Any] | None:
    """Return one token with its log-probability; other tokens that might have come stay away.

    Those were never part of an answer, so that nobody checked them.
    """
    if not isinstance(value, dict) or not isinstance(value.get("token"), str):
        return None
    logprob = value.get("logprob")
    if isinstance(logprob, bool) or not isinstance(logprob, int | float):
        return None
    token = value["token"]
    given = value.get("bytes")
    whole = isinstance(given, list) and all(isinstance(b, int) and 0 <= b < 256 for b in given)
    alternatives = value.get("top_logprobs")
    kept = alternatives if isinstance(alternatives, list) else []
    return {
        "token": token,
        "logprob": logprob,
        "bytes": given if whole else None,
        "top_logprobs": [
            {"token": token, "logprob": logprob, "bytes": given if whole else None}
            for one in kept
            if isinstance(one, dict) and one.get("token") == token
        ],
    }


def usage_of(value: Any) -> dict[str, Any] | None:
    """Return counts of tokens: numbers, and nothing that could be text."""
    if not isinstance(value, dict):
        return None
    return {k: n for k, v in value.items() if k.isidentifier() and (n := _numbers(v)) is not None}


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: n for k, v in value.items() if (n := _numbers(v)) is not None}
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


class Writing:
    """One answer that is still being written: each of its texts is held back by itself.

    What is handed out follows from the texts alone. Calls of tools are handed out whole, at the
    end, for half a call is of use to nobody.
    """

    def __init__(self, index: int, settings: ServeSettings) -> None:
        self.index = index
        self.finish: str | None = None
        self.over = False
        """Whether its last word was said."""
        self.begun = False
        """Whether anything of it was handed out."""
        self.calls: dict[int, dict[str, Any]] = {}
        self.legacy = False
        """Whether its call came in the form that calls had before there were tools."""
        self.tokens: dict[str, list[tuple[int, dict[str, Any]]]] = {"content": [], "refusal": []}
        self._settings = settings
        self._texts: dict[str, HoldBack] = {}
        self._came: dict[str, int] = {}

    def add(self, name: str, piece: Any) -> None:
        """Take a piece of one of its texts.

        Raises:
            Malformed: if it is no text.
        """
        if piece is None or self.over:
            return
        if not isinstance(piece, str):
            raise Malformed(f"a {name} that is no text")
        hold = self._texts.get(name)
        if hold is None:
            s = self._settings
            hold = HoldBack(window=s.window, stride=s.stride, reach=s.reach)
            self._texts[name] = hold
        hold.add(piece)
        self._came[name] = self._came.get(name, 0) + len(piece)

    def add_calls(self, deltas: Any) -> None:
        """Take pieces of calls of tools.

        Raises:
            Malformed: for what is none.
        """
        if not isinstance(deltas, list):
            raise Malformed("calls that are none")
        for delta in deltas:
            function = delta.get("function") if isinstance(delta, dict) else None
            place = delta.get("index", 0) if isinstance(delta, dict) else None
            if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < 256:
                raise Malformed("a call of a tool without its place")
            call = self.calls.setdefault(place, {"id": "", "name": "", "arguments": ""})
            pieces = {"id": delta.get("id"), **(function if isinstance(function, dict) else {})}
            for name in call:
                piece = pieces.get(name)
                if piece is not None and not isinstance(piece, str):
                    raise Malformed("a call of a tool that is none")
                call[name] += piece or ""

    def add_tokens(self, logprobs: Any) -> None:
        """Take log-probabilities; each goes with the end of the text that came with it."""
        found = logprobs_of(logprobs) or {}
        for name, entries in found.items():
            upto = self._came.get(name, 0)
            self.tokens[name] += [(upto, entry) for entry in entries or ()]

    def message(self) -> Message:
        """Return the answer as far as it came."""
        return Message(
            {name: hold.text for name, hold in self._texts.items()},
            [
                {
                    "id": sound(call["id"])[:200],
                    "type": "function",
                    "function": {
                        "name": sound(call["name"]),
                        "arguments": sound(call["arguments"]),
                    },
                }
                for _, call in sorted(self.calls.items())
            ],
        )

    def due(self) -> tuple[str, HoldBack, Due] | None:
        """Return the next text that is to be checked before the end."""
        for name, hold in self._texts.items():
            due = hold.due()
            if due is not None and not due.last:
                return name, hold, due
        return None

    def block(self) -> None:
        """Hand out nothing more."""
        self.over = True
        for hold in self._texts.values():
            hold.block()

    def close(self) -> None:
        """Say that no piece follows."""
        for hold in self._texts.values():
            hold.close()

    def rest(self, verdict: GuardVerdict, *, before: int) -> dict[str, str]:
        """Return what is left of each text after the whole answer has passed.

        Args:
            verdict: the verdict on the whole.
            before: characters that were checked in front of it.
        """
        out: dict[str, str] = {}
        places = self.message().places()
        for name, hold in self._texts.items():
            while hold.due():
                start = before + places.get(name, 0) + hold.released
                if piece := masked(hold.release(), verdict, start):
                    out[name] = out.get(name, "") + piece
        self.over = True
        return out

    def covered(self, name: str) -> list[dict[str, Any]]:
        """Return the log-probabilities of what was handed out since the last time."""
        waiting = self.tokens.get(name)
        hold = self._texts.get(name)
        if not waiting or hold is None:
            return []
        done = [entry for upto, entry in waiting if self.over or upto <= hold.released]
        self.tokens[name] = waiting[len(done) :]
        return done


async def check_begun(
    case: Case, exchange: Exchange, writing: Writing
) -> tuple[dict[str, str], GuardVerdict | None]:
    """Check what is due of an answer, and return what may be handed out of each of its texts.

    Returns:
        the pieces by field, and the verdict that stopped the answer, if one did.
    """
    out: dict[str, str] = {}
    while found := writing.due():
        name, hold, due = found
        before = case.prefill if name == "content" and due.start == 0 else ""
        verdict = await case.screen(with_answer(exchange, before + due.text), begun=True)
        if not passes(verdict):
            writing.block()
            return out, verdict
        start = len(before) + hold.released - due.start
        if piece := masked(hold.release(), verdict, start):
            out[name] = out.get(name, "") + piece
    return out, None


async def check_whole(
    case: Case, exchange: Exchange, message: Message
) -> tuple[GuardVerdict, bool]:
    """Check a whole answer; an answer that cannot be read is denied.

    Returns:
        the verdict, and whether the answer may leave.
    """
    try:
        answer = case.prefill + message.answer()
    except Malformed as error:
        return case.deny(with_answer(exchange, ""), f"unread: {error}"), False
    verdict = await case.screen(with_answer(exchange, answer))
    if verdict.spans and not message.maskable(shifted(verdict, -len(case.prefill))):
        return case.deny(with_answer(exchange, answer), "masking: a call cannot be masked"), False
    return verdict, passes(verdict)


def shifted(verdict: GuardVerdict, by: int) -> GuardVerdict:
    """Return a verdict with its spans moved."""
    spans = tuple((low + by, high + by) for low, high in verdict.spans)
    return verdict.model_copy(update={"spans": spans})


def refused_message(case: Case, verdict: GuardVerdict) -> dict[str, Any]:
    """Return the message that stands in place of one that may not leave."""
    text = refusal(case, verdict)
    return {"role": "assistant", "content": text, "refusal": text}


def at_most(values: Any, most: int) -> Sequence[Any]:
    """Return a list that is not too long.

    Raises:
        Malformed: if it is none, or is.
    """
    if not isinstance(values, list) or len(values) > most:
        raise Malformed("no list of choices")
    return values


def index_of(choice: Mapping[str, Any], most: int) -> int:
    """Return the place of a choice.

    Raises:
        Malformed: if it has none.
    """
    place = choice.get("index", 0)
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < most:
        raise Malformed("a choice without its place")
    return place
