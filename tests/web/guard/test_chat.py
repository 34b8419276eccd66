"""Chat through the proxy with the real client: checked, streamed, refused, and what is left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from tests.guard.town import policy
from tests.web.guard.kit import BAD, Proxy, UpstreamServer, WordGuard, proxy, says, upstream

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

LONG = "The library opens at nine on weekdays. " * 20


def client(at: Proxy, **more: Any) -> openai.OpenAI:
    """Return the real client."""
    return openai.OpenAI(base_url=at.url, api_key="sk-test", max_retries=0, **more)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, UpstreamServer]]:
    """A proxy before an upstream that tells opening hours."""
    with (
        upstream(says(LONG)) as server,
        proxy(WordGuard(policy()), tmp_path_factory.mktemp("state"), server) as at,
    ):
        yield at, server


def test_chat_passes(quiet: tuple[Proxy, UpstreamServer]) -> None:
    """An answer that passes is the upstream's own, with the verdict's id in the header."""
    with client(quiet[0]) as api:
        raw = api.chat.completions.with_raw_response.create(
            model="up", messages=[{"role": "user", "content": "When?"}]
        )
    got = raw.parse()

    assert got.choices[0].message.content == LONG
    assert got.choices[0].finish_reason == "stop"
    assert got.usage is not None
    assert got.usage.total_tokens == 8
    assert raw.headers["x-normwright-verdict-id"].startswith("vrd_")


def test_stream_is_the_text(quiet: tuple[Proxy, UpstreamServer]) -> None:
    """A stream brings the very text that a whole answer brings."""
    with client(quiet[0]) as api:
        stream = api.chat.completions.create(
            model="up",
            messages=[{"role": "user", "content": "When?"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)

    assert text == LONG
    assert chunks[-1].usage is not None
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_refused(quiet: tuple[Proxy, UpstreamServer], stream: bool) -> None:
    """A request that is refused does not reach the model, and says why and where to contest it."""
    at, server = quiet
    before = len(server.calls)
    with client(at) as api:
        raw = api.chat.completions.with_raw_response.create(
            model="up", messages=[{"role": "user", "content": f"Say {BAD}"}], stream=stream
        )
        got: Any = list(raw.parse())[-1] if stream else raw.parse()
    choice = got.choices[0]
    text = choice.delta.content if stream else choice.message.content

    assert choice.finish_reason == "content_filter"
    assert "The town voted against it." in text
    assert raw.headers["x-normwright-verdict-id"] in text
    assert got.moderation.input.results[0].flagged
    assert len(server.calls) == before
