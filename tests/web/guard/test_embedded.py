"""The embedded model speaks the same protocol as any other upstream, and is guarded as they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.guard.town import policy
from tests.web.guard.kit import BAD, WordGuard

from normwright.models import ScriptedModel
from normwright.records import Message
from normwright.web.guard import ServeSettings, application
from normwright.web.guard.embedded import NAME, embedded_app

USER: Any = [{"role": "user", "content": "When?"}]


def answer(prompt: Sequence[Message]) -> str:
    """Tell how many turns there were, or the word that is not to be said."""
    said = prompt[-1].content
    return f"{BAD} it is" if "secret" in said else f"{len(prompt)} turns; at nine. Then go home."


def ask(path: str, body: dict[str, Any] | None, state: Path) -> httpx.Response:
    """Ask the proxy before the model once, without a network."""

    async def once() -> httpx.Response:
        model = embedded_app(ScriptedModel("embedded", answer))
        app = application(
            WordGuard(policy()), ServeSettings(state), transport=httpx.ASGITransport(app=model)
        )
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=app), base_url="http://guard"
            ) as api,
        ):
            if body is None:
                return await api.get(path)
            return await api.post(path, json=body)

    return asyncio.run(once())


def test_chat(tmp_path: Path) -> None:
    """It answers, stops where it is told to, and counts."""
    whole = ask("/v1/chat/completions", {"model": NAME, "messages": USER}, tmp_path).json()
    stopped = ask(
        "/v1/chat/completions", {"model": NAME, "messages": USER, "stop": ["Then"]}, tmp_path
    ).json()

    assert whole["choices"][0]["message"]["content"] == "1 turns; at nine. Then go home."
    assert stopped["choices"][0]["message"]["content"] == "1 turns; at nine. "
    assert whole["usage"]["total_tokens"] > 0


def test_streams(tmp_path: Path) -> None:
    """A stream of it brings the same text, in both forms and in the newer one."""
    asked: dict[str, dict[str, Any]] = {
        "/v1/chat/completions": {"messages": USER},
        "/v1/completions": {"prompt": "When?"},
        "/v1/responses": {"input": "When?"},
    }
    for path, body in asked.items():
        text = ask(path, {"model": NAME, "stream": True, **body}, tmp_path).text
        events = [json.loads(x[6:]) for x in text.splitlines() if x.startswith("data: {")]
        told = "".join(
            (e["choices"][0].get("delta", {}).get("content") or e["choices"][0].get("text") or "")
            if e.get("choices")
            else e.get("delta", "")
            for e in events
        )
        assert told == "1 turns; at nine. Then go home.", path


def test_what_it_says_is_checked(tmp_path: Path) -> None:
    """Its answers pass the guard as any other's do."""
    body = {"model": NAME, "messages": [{"role": "user", "content": "the secret"}]}
    got = ask("/v1/chat/completions", body, tmp_path).json()

    assert got["choices"][0]["finish_reason"] == "content_filter"
    assert BAD not in json.dumps(got)


@pytest.mark.parametrize("body", [
    {"messages": USER, "tools": [{"type": "function", "function": {"name": "f"}}]},
    {"messages": USER, "n": 2, "temperature": 0},
])  # fmt: skip
def test_what_it_cannot(body: dict[str, Any], tmp_path: Path) -> None:
    """What it cannot do is an error that says so, not a silence."""
    got = ask("/v1/chat/completions", {"model": NAME, **body}, tmp_path)

    assert got.status_code == 400
    assert got.json()["error"]["code"] in ("unsupported", "invalid_request")


def test_models(tmp_path: Path) -> None:
    """It says what it is called."""
    assert ask("/v1/models", None, tmp_path).json()["data"][0]["id"] == NAME
