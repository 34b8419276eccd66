"""Read what a client sends to a chat model as an exchange, so that no text in it goes unread.

Names, the arguments and results of tools, the keys of JSON values, what tools say of themselves and
fields nobody knows are texts as well: a model reads them all. What is no text is listed as unread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from normwright.records import Exchange, Fault, InputError, Lang, Speaker, Utterance

DEPTH: Final = 64
"""Levels of nesting that are read; a body that goes deeper is refused."""
TEXTS: Final = 20_000
"""Texts in one body."""
CHARS: Final = 2_000_000
"""Characters in one body, all texts together."""

_ROLES: Final[dict[str, Speaker]] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_PARTS: Final = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "refusal": "refusal",
    "thinking": "thinking",
    "reasoning_text": "text",
    "summary_text": "text",
}
"""Kinds of content part that are text, and the key their text stands under."""
_WORDS: Final = frozenset(
    (
        "function", "object", "string", "number", "integer", "boolean", "array", "null", "text",
        "input_text", "output_text", "message", "completed", "json_schema", "json_object",
    )
)  # fmt: skip
"""Values that only the protocol reads; anything else under any key is a text."""
_BLOBS: Final = frozenset({"data", "file_data", "b64_json"})
_BLOB: Final = re.compile(
    r"data:(?:image|audio|video|application)/[\w.+-]{1,80}(?:;[\w=-]{1,40})*,"
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=_\s-]{64,}")


def read_exchange(
    body: Mapping[str, Any],
    *,
    id: str = "",
    answer: str | None = None,
    lang: Lang | None = None,
) -> Exchange:
    """Return the exchange of a chat body: `messages`, and `tools` or `functions` if there are any.

    Args:
        body: the parsed body of a request in OpenAI's form.
        id: what the exchange is called.
        answer: the answer to check; see `read_answer`.
        lang: the language the person is told in.

    Raises:
        InputError: with every fault: a message that is none, a role nobody knows, nesting or sizes
            beyond `DEPTH`, `TEXTS` and `CHARS`. No text of the body is repeated in it.
    """
    reader = _Reader()
    messages = body.get("messages")
    if isinstance(messages, Sequence) and not isinstance(messages, str):
        for i, message in enumerate(messages):
            reader.message(message, f"messages[{i}]")
    else:
        reader.fault("messages", "a list of messages", messages)
    for name, role in (("tools", "tool"), ("functions", "tool"), ("response_format", "developer")):
        if body.get(name) is not None:
            reader.walk(body[name], name, role)  # type: ignore[arg-type]
    if body.get("prediction") is not None:
        reader.walk(body["prediction"], "prediction", "assistant")
    reader.bounded()
    if reader.faults:
        raise InputError(reader.faults)
    return Exchange(
        id=id,
        utterances=tuple(reader.read),
        answer=None if answer is None else sound(answer),
        lang=lang,
        unread=tuple(reader.unread),
    )


def read_answer(message: Mapping[str, Any]) -> str:
    """Return everything an assistant's message says, one text a line: content, calls and refusal.

    Raises:
        InputError: as `read_exchange` does, and for parts that are no text.
    """
    reader = _Reader()
    reader.message({"role": "assistant", **message}, "message")
    reader.bounded()
    reader.faults += [
        Fault(where=path, expected="text", seen="a part that is no text",
              do="Have it checked by something that can read it.")
        for path in reader.unread
    ]  # fmt: skip
    if reader.faults:
        raise InputError(reader.faults)
    return "\n".join(u.text for u in reader.read)


def sound(text: str) -> str:
    """Return a text that can be encoded: lone halves of surrogate pairs become U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class _Reader:
    """Collects the texts of a body, what is none, and every fault."""

    def __init__(self) -> None:
        self.read: list[Utterance] = []
        self.unread: list[str] = []
        self.faults: list[Fault] = []
        self._chars = 0
        self._texts = 0

    def fault(self, where: str, expected: str, seen: object, do: str = "") -> None:
        kind = "nothing" if seen is None else f"a value of type {type(seen).__name__}"
        self.faults.append(Fault(where=where, expected=expected, seen=kind, do=do))

    def bounded(self) -> None:
        """Note as a fault what was more than is read."""
        for name, limit, seen in (
            ("texts", TEXTS, self._texts),
            ("characters", CHARS, self._chars),
        ):
            if seen > limit:
                self.faults.append(
                    Fault(where="body", expected=f"at most {limit} {name}", seen=str(seen),
                          do="Send less at once; what is not read cannot be checked.")
                )  # fmt: skip

    def message(self, message: Any, where: str) -> None:
        if not isinstance(message, Mapping):
            self.fault(where, "a message: an object with a role", message)
            return
        role = _ROLES.get(message["role"]) if isinstance(message.get("role"), str) else None
        if role is None:
            known = ", ".join(_ROLES)
            self.fault(f"{where}.role", f"one of {known}", message.get("role"))
            return
        for key, value in message.items():
            path = f"{where}.{_step(key, message)}"
            if key == "role" or value is None:
                continue
            if key == "content":
                self.content(value, path, role)
            elif key in ("tool_calls", "function_call"):
                self.walk(value, path, role)
            elif key == "name" and not isinstance(value, str):
                self.fault(path, "text", value)
            else:
                self.walk(value, path, role, keys=key != "name")
            if key not in _KNOWN:
                self.text(str(key), f"{path}#key", role)

    def content(self, content: Any, where: str, role: Speaker) -> None:
        if isinstance(content, str):
            self.said(content, where, role)
        elif isinstance(content, Sequence):
            for i, part in enumerate(content):
                self.part(part, f"{where}[{i}]", role)
        elif isinstance(content, Mapping):
            self.part(content, where, role)
        else:
            self.fault(where, "text or a list of parts", content)

    def part(self, part: Any, where: str, role: Speaker) -> None:
        """Read one content part; of a kind that is not known its texts, and it counts as unread."""
        if isinstance(part, str):
            self.said(part, where, role)
            return
        if not isinstance(part, Mapping):
            self.fault(where, "a content part: an object with a type", part)
            return
        kind = part.get("type", "text" if isinstance(part.get("text"), str) else None)
        key = _PARTS.get(kind) if isinstance(kind, str) else None
        if key is not None and isinstance(part.get(key), str):
            self.said(part[key], f"{where}.{key}", role)
            rest = {k: v for k, v in part.items() if k != key}
        else:
            if kind not in ("tool_result", "tool_use", "function_call", "function_call_output"):
                self.unread.append(where)
            rest = dict(part)
        self.walk(rest, where, role, part=True)

    def said(self, text: str, where: str, role: Speaker) -> None:
        """Read a text; what a tool gave as JSON also value by value, for escapes hide words."""
        self.text(text, where, role)
        if role == "tool" and "\\" in text:
            for value in _parsed(text):
                self.walk(value, where, role)

    def walk(
        self, value: Any, where: str, role: Speaker, *, keys: bool = True, part: bool = False
    ) -> None:
        """Read every text in a JSON value, and every key that is no part of the protocol.

        Args:
            value: the JSON value.
            where: its path.
            role: who said it.
            keys: whether keys are texts.
            part: whether it is a content part, where a picture or a file may stand.
        """
        stack: list[tuple[Any, str, int]] = [(value, where, 0)]
        while stack:
            one, path, depth = stack.pop()
            if depth > DEPTH:
                self.faults.append(
                    Fault(where=where, expected=f"at most {DEPTH} levels of nesting", seen="more",
                          do="Send it flatter; what is not read cannot be checked.")
                )  # fmt: skip
                return
            if isinstance(one, str):
                self._leaf(one, path, role, stack, depth)
            elif isinstance(one, Mapping):
                below = []
                for key, inner in one.items():
                    name = str(key)
                    if inner is None:
                        continue
                    if part and isinstance(inner, str) and _is_blob(name, inner):
                        self.unread += [path] if path not in self.unread else []
                        continue
                    step = f"{path}.{_step(key, one)}"
                    # What a call gives a tool is data: there no key is the protocol's.
                    if keys and (name not in _KNOWN or _ARGUMENTS in path):
                        self.text(name, f"{step}#key", role)
                    below.append((inner, step, depth + 1))
                stack += reversed(below)
            elif isinstance(one, Sequence):
                stack += reversed([(v, f"{path}[{i}]", depth + 1) for i, v in enumerate(one)])

    def _leaf(
        self, text: str, path: str, role: Speaker, stack: list[tuple[Any, str, int]], depth: int
    ) -> None:
        """Read one text of a JSON value; arguments of a call are JSON themselves."""
        values = list(_parsed(text)) if path.endswith(".arguments") else []
        if values:
            stack += [(v, path, depth + 1) for v in values]
        else:
            self.text(text, path, role)

    def text(self, text: str, where: str, role: Speaker) -> None:
        if not text or (text in _WORDS and _ARGUMENTS not in where):
            return
        self._texts += 1
        self._chars += len(text)
        if self._texts <= TEXTS and self._chars <= CHARS:
            self.read.append(Utterance(role=role, text=sound(text), where=where))


_KNOWN: Final = frozenset(
    (
        "role", "content", "name", "text", "type", "id", "index", "status", "call_id", "function",
        "tool_call_id", "tool_calls", "function_call", "arguments", "parameters", "properties",
        "description", "required", "refusal", "items", "enum", "json_schema", "schema", "strict",
        "input", "output", "additionalProperties",
    )
)  # fmt: skip
"""Keys of the protocol itself, and of JSON Schema: they are the same whatever is said."""
_NAMED: Final = _KNOWN | {
    "reasoning", "reasoning_content", "thinking", "summary", "image_url", "url", "detail", "file",
    "annotations", "title", "default", "format", "audio", "input_audio",
}  # fmt: skip
"""Keys that a path names."""
_ARGUMENTS: Final = ".arguments"


def _parsed(text: str) -> Iterator[Any]:
    """The JSON object or array that a text is, if it is one."""
    if text.lstrip()[:1] not in ("{", "["):
        return
    try:
        value = json.loads(text)
    # Too deep, or no JSON: then it is read as the text it is.
    except (ValueError, RecursionError):
        return
    if value:
        yield value


def _is_blob(name: str, value: str) -> bool:
    """Whether a value is the data of a picture, a sound or a file, written as text."""
    return bool(_BLOB.match(value) or (name in _BLOBS and _BASE64.fullmatch(value)))


def _step(key: object, of: Mapping[Any, Any]) -> str:
    """A key as a part of a path: its place, `{3}`, for a key that is a client's own may be a text.

    Paths go into records that hold no text of a conversation.
    """
    return str(key) if key in _NAMED else f"{{{list(of).index(key)}}}"
