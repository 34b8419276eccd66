"""Every text of a chat body is read, with its path; what is no text is never taken for checked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.guard import read_answer, read_exchange
from normwright.guard.bodies import CHARS, DEPTH
from normwright.records import InputError

MARK = "needle-7c1"


def _texts(body: dict[str, Any]) -> dict[str, str]:
    return {u.where: u.text for u in read_exchange(body).utterances}


def _call(arguments: str) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": arguments}}
    return {"messages": [{"role": "assistant", "content": None, "tool_calls": [call]}]}


@pytest.mark.parametrize(
    ("body", "where", "role"),
    [
        ({"messages": [{"role": "user", "content": MARK}, {"role": "user", "content": "hi"}]},
         "messages[0].content", "user"),
        ({"messages": [{"role": "system", "content": MARK}]}, "messages[0].content", "system"),
        ({"messages": [{"role": "developer", "content": MARK}]},
         "messages[0].content", "developer"),
        ({"messages": [{"role": "assistant", "content": MARK}]},
         "messages[0].content", "assistant"),
        ({"messages": [{"role": "tool", "tool_call_id": "c", "content": MARK}]},
         "messages[0].content", "tool"),
        ({"messages": [{"role": "function", "name": "f", "content": MARK}]},
         "messages[0].content", "tool"),
        ({"messages": [{"role": "user", "name": MARK, "content": "hi"}]},
         "messages[0].name", "user"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": MARK}]}]},
         "messages[0].content[0].text", "user"),
        (_call(json.dumps({"path": MARK})),
         "messages[0].tool_calls[0].function.arguments.{0}", "assistant"),
        (_call(json.dumps({MARK: 1})),
         "messages[0].tool_calls[0].function.arguments.{0}#key", "assistant"),
        *((_call(json.dumps({"x": 1, key: {"deep": [MARK]}})),
           f"messages[0].tool_calls[0].function.arguments.{key}.{{0}}[0]", "assistant")
          for key in ("id", "status", "type", "index", "role", "name")),
        (_call(json.dumps({"id": MARK, "type": "x"})),
         "messages[0].tool_calls[0].function.arguments.id", "assistant"),
        (_call(f"{{broken {MARK}"),
         "messages[0].tool_calls[0].function.arguments", "assistant"),
        ({"messages": [{"role": "user", "content": "hi", "reasoning": MARK}]},
         "messages[0].reasoning", "user"),
        ({"messages": [{"role": "user", "content": "hi"}],
          "tools": [{"type": "function", "function": {"name": "f", "description": MARK}}]},
         "tools[0].function.description", "tool"),
    ],
)  # fmt: skip
def test_every_place_of_a_body_is_read(body: dict[str, Any], where: str, role: str) -> None:
    """A text in any role, name, argument, key, part or unknown field has its path and speaker."""
    found = [u for u in read_exchange(body).utterances if MARK in u.text]

    assert [(u.where, u.role) for u in found] == [(where, role)]


def test_a_tool_result_is_read_behind_its_escapes() -> None:
    """Words that JSON escapes hide are read as a model would read them."""
    said = json.dumps({"a": MARK}).replace("n", "\\u006e", 1)
    found = _texts({"messages": [{"role": "tool", "content": said}]})

    assert found["messages[0].content"] == said
    assert found["messages[0].content.{0}"] == MARK


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "input_audio", "input_audio": {"data": "A" * 80, "format": "wav"}},
        {"type": "hologram", "caption": MARK},
    ],
)
def test_parts_that_are_no_text_are_listed_as_unread(part: dict[str, Any]) -> None:
    """A picture, a sound and a kind nobody knows are unread; their texts are read all the same."""
    exchange = read_exchange({"messages": [{"role": "user", "content": [part]}]})

    assert "messages[0].content[0]" in exchange.unread
    assert MARK not in str(part) or any(u.text == MARK for u in exchange.utterances)
    assert not any("AAAA" in u.text for u in exchange.utterances)


def test_all_faults_of_a_body_are_named_at_once_without_its_text() -> None:
    """A role nobody knows, a message that is none and content of no known form: one error."""
    body = {"messages": [{"role": MARK, "content": "x"}, 3, {"role": "user", "content": 5}, {}]}
    with pytest.raises(InputError) as caught:
        read_exchange(body)

    assert [f.where for f in caught.value.faults] == [
        "messages[0].role", "messages[1]", "messages[2].content", "messages[3].role",
    ]  # fmt: skip
    assert MARK not in str(caught.value)
    with pytest.raises(InputError, match="messages: expected a list"):
        read_exchange({"prompt": "hi"})


def test_nesting_and_size_have_limits_that_are_said() -> None:
    """What is nested too deep or too long is refused; what just fits is read to the end."""

    def nested(depth: int) -> dict[str, Any]:
        value: Any = MARK
        for _ in range(depth):
            value = {"k": value}
        return {"messages": [{"role": "user", "content": "hi", "extra": value}]}

    assert any(u.text == MARK for u in read_exchange(nested(DEPTH)).utterances)
    with pytest.raises(InputError, match=f"at most {DEPTH} levels"):
        read_exchange(nested(DEPTH + 1))
    with pytest.raises(InputError, match=f"at most {CHARS} characters"):
        read_exchange({"messages": [{"role": "user", "content": "x" * (CHARS + 1)}]})
    deep = "[" * 100_000 + "]" * 100_000
    kept = _texts(_call(deep))
    assert kept["messages[0].tool_calls[0].function.arguments"] == deep


def test_lone_surrogates_become_a_replacement_and_pairs_are_joined() -> None:
    """Malformed Unicode can be read, digested and answered."""
    exchange = read_exchange(
        {"messages": [{"role": "user", "content": "a\ud800b \ud83d\ude00"}]}, answer="\udfff!"
    )

    assert exchange.utterances[0].text == "a\ufffdb 😀"
    assert exchange.answer == "\ufffd!"
    assert exchange.conversation.startswith("sha256:")
    assert exchange.answered is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(JSON)
def test_no_text_of_any_arguments_goes_unread(value: Any) -> None:
    """Every text and key of any JSON arguments is an utterance, whatever it looks like."""
    read = {u.text for u in read_exchange(_call(json.dumps({"v": value}))).utterances}

    def texts(one: Any) -> set[str]:
        if isinstance(one, dict):
            return {k for k, v in one.items() if k and v is not None}.union(
                *map(texts, one.values())
            )
        if isinstance(one, list):
            return set().union(*map(texts, one)) if one else set()
        return {one} if isinstance(one, str) and one else set()

    assert texts(value) <= read


def test_a_path_holds_no_text_of_a_client() -> None:
    """A key may be a whole sentence: its path has its place, which leads to it."""
    body = {"messages": [{"role": "user", "content": "hi", f"my secret {MARK}": {"a b": "c"}}]}
    found = _texts(body)

    assert not any(MARK in where or "a b" in where for where in found)
    assert found["messages[0].{2}#key"] == f"my secret {MARK}"
    assert found["messages[0].{2}.{0}"] == "c"


def test_an_answer_is_all_that_its_message_says() -> None:
    """Content, parts, refusal and the arguments of calls stand in the text that is checked."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": "deep"}'}}
    text = read_answer(
        {"role": "assistant", "content": [{"type": "text", "text": "said"}], "tool_calls": [call]}
    )

    assert {"said", "deep", "a", "f"} <= set(text.split("\n"))
    with pytest.raises(InputError, match="no text"):
        read_answer({"content": [{"type": "image", "image": "x"}]})
