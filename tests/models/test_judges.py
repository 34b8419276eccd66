"""A judge behind an endpoint, or in a directory: asked on suspicion, in time, with its own key."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.web.guard.kit import Call, json_head, proxy, says, upstream, whole

from normwright.guard import Guard
from normwright.guard.embedded import policy
from normwright.models import judges
from normwright.models.judges import KEY, open_judge
from normwright.records import Exchange, InputError, Message, Utterance
from normwright.web.guard.served import Service

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
ODD = Exchange(
    utterances=(Utterance(role="user", text="an odd thing", where="messages[0].content"),)
)


class Suspects:
    """A classifier that suspects one word a little."""

    def read(self, texts: Any) -> list[dict[str, float]]:
        """Return the probability of hate."""
        return [{"hate": 0.4 if "odd" in t else 0.01} for t in texts]


async def judging(call: Call) -> AsyncGenerator[bytes]:
    """Say that every text breaks its norm."""
    said = "YES" if "breaks" in call.body["messages"][-1]["content"] else "NO"
    body = json.dumps(whole(said)).encode()
    yield json_head(len(body)) + body


def test_an_endpoint_is_asked_with_its_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key comes from the environment, stands in no settings, and the verdict is the judge's."""
    monkeypatch.setenv(KEY, "sk-judge-secret")
    with upstream(judging) as server:
        judge = open_judge(server.url, model="big")
        found = Guard(policy(), harm=Suspects(), judge=judge).screen(ODD)

    assert (found.action, found.check) == ("refuse", "judge")
    assert {c.headers["authorization"] for c in server.calls} == {"Bearer sk-judge-secret"}
    assert "sk-judge" not in repr(judge)
    assert {c.body["model"] for c in server.calls} == {"big"}


def test_one_that_is_too_slow_denies_in_time() -> None:
    """The limit holds for the whole question; what was suspected is not let through."""

    async def slow(call: Call) -> AsyncGenerator[bytes]:
        yield json_head(1_000)
        await asyncio.sleep(30)

    with upstream(slow) as server:
        judge = open_judge(server.url, model="big", seconds=0.3)
        began = time.monotonic()
        found = Guard(policy(), harm=Suspects(), judge=judge).screen(ODD)

    assert time.monotonic() - began < 5
    assert (found.action, found.degraded) == ("deny", ("judge: RemoteError",))


def test_a_judge_that_is_down_is_named_by_the_proxy(tmp_path: Path) -> None:
    """The proxy denies what was suspected, names the judge, and passes what nobody suspects."""
    judge = open_judge("http://127.0.0.1:9/v1", model="gone", seconds=1.0)
    guard = Guard(policy(), harm=Suspects(), judge=judge)
    with upstream(says("Fine.")) as server, proxy(guard, tmp_path, server) as at:
        odd, plain = (
            httpx.post(
                f"{at.url}/chat/completions",
                json={"model": "m", "messages": [{"role": "user", "content": text}]},
            )
            for text in ("an odd thing", "a plain thing")
        )

    assert odd.json()["choices"][0]["finish_reason"] == "content_filter"
    assert "judge: RemoteError" in odd.headers["x-normwright-degraded"]
    assert plain.json()["choices"][0]["message"]["content"] == "Fine."


def test_replies_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that asks for ever keeps a bounded number of replies."""
    monkeypatch.setattr(judges, "_KEPT", 4)
    with upstream(judging) as server:
        judge = open_judge(server.url, model="big")
        made = []
        for i in range(6):
            judge.generate([[Message(role="user", content=f"breaks {i}")]] * 2, max_new_tokens=4)
            made.append(id(judge._model))

    assert len(set(made)) > 1


@pytest.mark.model
def test_a_directory_is_a_judge() -> None:
    """The embedded model answers; what it says is no yes and no no, so that it denies."""
    from normwright.models.places import embedded_path

    judge = open_judge(str(embedded_path()))
    found = Guard(policy(), harm=Suspects(), judge=judge).screen(ODD)
    assert found.action in ("allow", "refuse", "deny")


@pytest.mark.parametrize(
    ("place", "model"),
    [("https://me:secret@example.org/v1", "m"), ("http://example.org/v1", "m"),
     ("https://example.org/v1", None), ("no-such-directory", None), ("no-such-directory", "m")],
)  # fmt: skip
def test_what_cannot_be_used_is_told_and_no_secret(place: str, model: str | None) -> None:
    """Each fault names its option, before a server starts, and repeats no address with a secret."""
    with pytest.raises(InputError) as told:
        Service(state="", port=1, judge=place, judge_model=model).guard()

    assert "secret" not in str(told.value)
