"""Best of several: the norms say what may be given, the reward which of that; a stream waits."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.guard.classifiers import as_onnx, fitted
from tests.guard.town import policy
from tests.web.guard.kit import (
    BAD,
    Call,
    Handler,
    WordGuard,
    json_head,
    proxy,
    says,
    upstream,
    whole,
)

from normwright.guard import Guard, Reward
from normwright.guard.embedded import policy as shipped
from normwright.models.rewards import open_reward
from normwright.records import Message
from normwright.store import check_chains

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

ANSWERS = ["short", f"{BAD} but very long indeed", "a longer answer", "the longest answer of all"]
CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "When?"}]}


class Lengths:
    """A scorer by length, which fails where it is told to."""

    broken = False

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return lengths."""
        if self.broken:
            raise RuntimeError("no weights")
        return [float(len(c)) for c in completions]


def guarded(**bound: Any) -> WordGuard:
    """Return a guard of words with a reward by length."""
    return WordGuard(policy(), reward=Reward(Lengths(), "lengths", "sha256:0", **bound))


def one_at_a_time(*answers: str, refuses: bool = True) -> Handler:
    """Answer requests in turn; one for several answers is refused, or given a single one."""
    left: Iterator[str] = iter(answers)

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        assert not call.body.get("stream")
        if refuses and call.body.get("n", 1) > 1:
            body = b'{"error": {"code": "unsupported_parameter", "message": "n"}}'
            yield json_head(len(body), "400 Bad Request") + body
            return
        body = json.dumps(whole(next(left))).encode()
        yield json_head(len(body)) + body

    return handle


def content(reply: httpx.Response) -> str:
    """Return the text of an answer, whole or streamed."""
    if reply.headers["content-type"].startswith("application/json"):
        return str(reply.json()["choices"][0]["message"]["content"])
    events = [json.loads(x[6:]) for x in reply.text.splitlines() if x.startswith("data: {")]
    return "".join(c["delta"].get("content") or "" for e in events for c in e["choices"])


@pytest.mark.parametrize("stream", [False, True])
def test_the_best_that_is_allowed_is_given(tmp_path: Path, stream: bool) -> None:
    """One request brings all candidates; the header and the verdict say who chose from what."""
    with upstream(says(*ANSWERS)) as server, proxy(guarded(), tmp_path, server) as at:
        reply = httpx.post(f"{at.url}/chat/completions", json={**CHAT, "stream": stream})
        kept = httpx.get(f"{at.url}/verdicts/{reply.headers['x-normwright-verdict-id']}").json()

    assert content(reply) == ANSWERS[3]
    assert [c.body["n"] for c in server.calls] == [4]
    assert not server.calls[0].body.get("stream")
    header = "lengths@sha256:0; candidates=4; allowed=3"
    assert reply.headers["x-normwright-reward"] == header
    assert kept["reward"]["scores"] == [float(len(ANSWERS[3]))]
    assert (kept["outcome"], len(kept["verdicts"])) == ("allowed", 2)
    assert check_chains(tmp_path / "audit") == ()


@pytest.mark.parametrize("refuses", [False, True])
def test_an_upstream_that_gives_one_answer_is_asked_again(tmp_path: Path, refuses: bool) -> None:
    """Each with a seed of its own, and what they took is added up."""
    handler = one_at_a_time(*ANSWERS, refuses=refuses)
    with upstream(handler) as server, proxy(guarded(), tmp_path, server) as at:
        reply = httpx.post(f"{at.url}/chat/completions", json={**CHAT, "seed": 5})

    assert content(reply) == ANSWERS[3]
    alone = server.calls[1:]
    assert sorted(c.body["seed"] for c in alone) == ([5, 6, 7, 8] if refuses else [6, 7, 8])
    assert all("n" not in c.body for c in alone)
    assert reply.json()["usage"]["total_tokens"] == 4 * 8


def test_two_are_wanted_and_none_is_good(tmp_path: Path) -> None:
    """The two best come in order; where a norm stops all, its refusal stands, with its id."""
    with upstream(says(*ANSWERS)) as server, proxy(guarded(), tmp_path / "a", server) as at:
        two = httpx.post(f"{at.url}/chat/completions", json={**CHAT, "n": 2}).json()
    with (
        upstream(says(*[f"{BAD} {i}" for i in range(4)])) as server,
        proxy(guarded(), tmp_path / "b", server) as at,
    ):
        none = httpx.post(f"{at.url}/chat/completions", json=CHAT)

    assert [c["message"]["content"] for c in two["choices"]] == [ANSWERS[3], ANSWERS[2]]
    assert none.json()["choices"][0]["finish_reason"] == "content_filter"
    assert BAD not in none.text
    assert "allowed=0" in none.headers["x-normwright-reward"]
    assert none.json()["moderation"]["norms"]


def test_temperature_nought_has_one_answer(tmp_path: Path) -> None:
    """It would be the same each time, so that it is asked for once."""
    with upstream(says("one")) as server, proxy(guarded(), tmp_path, server) as at:
        reply = httpx.post(f"{at.url}/chat/completions", json={**CHAT, "temperature": 0})

    assert content(reply) == "one"
    assert len(server.calls) == 1
    assert "n" not in server.calls[0].body


@pytest.mark.parametrize("stream", [False, True])
def test_a_reward_that_fails_gives_nothing(tmp_path: Path, stream: bool) -> None:
    """Not the first answer, nor any: it is denied, and what failed is named."""
    guard = guarded()
    guard.reward.scorer.broken = True  # type: ignore[union-attr]
    with upstream(says(*ANSWERS)) as server, proxy(guard, tmp_path, server) as at:
        reply = httpx.post(f"{at.url}/chat/completions", json={**CHAT, "stream": stream})

    assert "content_filter" in reply.text
    assert not any(a in reply.text for a in ANSWERS)
    assert "reward: RuntimeError" in reply.headers["x-normwright-degraded"]


@pytest.mark.parametrize("stream", [False, True])
def test_the_other_forms_choose_too(tmp_path: Path, stream: bool) -> None:
    """Completions ask for several at once, responses for one after the other."""

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        count = sum(c.path == call.path for c in server.calls)
        if call.path.endswith("/responses"):
            part = {"type": "output_text", "text": ANSWERS[count - 1]}
            item = {"type": "message", "content": [part]}
            made: dict[str, Any] = {"id": "r", "status": "completed", "output": [item]}
        else:
            made = {"choices": [{"index": i, "text": t} for i, t in enumerate(ANSWERS)]}
        body = json.dumps(made).encode()
        yield json_head(len(body)) + body

    with upstream(handle) as server, proxy(guarded(), tmp_path, server) as at:
        old = httpx.post(f"{at.url}/completions", json={"prompt": "When?", "stream": stream})
        new = httpx.post(f"{at.url}/responses", json={"input": "When?", "stream": stream})
        two = httpx.post(f"{at.url}/completions", json={"prompt": ["a", "b"]})

    for reply in (old, new):
        assert ANSWERS[3] in reply.text, reply.text
        assert not any(a in reply.text for a in ANSWERS[:3])
    assert two.status_code == 400


def test_a_call_of_a_tool_is_chosen_and_streamed_whole(tmp_path: Path) -> None:
    """A candidate that calls a tool is scored by what it says, and comes with its arguments."""
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "clock", "arguments": '{"zone": 1}'},
    }
    answers: list[Any] = ["x", {"role": "assistant", "content": None, "tool_calls": [call]}]
    body = json.dumps(whole(*answers)).encode()

    async def handle(_: Call) -> AsyncGenerator[bytes]:
        yield json_head(len(body)) + body

    with upstream(handle) as server, proxy(guarded(), tmp_path, server, best_of=2) as at:
        reply = httpx.post(f"{at.url}/chat/completions", json={**CHAT, "stream": True})

    events = [json.loads(x[6:]) for x in reply.text.splitlines() if x.startswith("data: {")]
    [told] = [c["delta"]["tool_calls"] for e in events for c in e["choices"]
              if c["delta"].get("tool_calls")]  # fmt: skip
    assert told == [{"index": 0, **call}]


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_a_trained_classifier_serves(tmp_path: Path, runtime: str) -> None:
    """One fitted here orders real candidates, and under its least the bound norm refuses."""
    folder = fitted(tmp_path / "weights")
    if runtime == "onnx":
        pytest.importorskip("onnxruntime")
        folder = as_onnx(folder, tmp_path / "onnx")
    found = open_reward(folder)
    norm = "g.dignity.no-insults"
    bound = Reward(found, found.name, found.digest, norm=norm, least=0.0)
    rude, fine = ["no idiot", "idiot today"], ["it opens at nine", "come at ten"]

    def asked(name: str, answers: list[str]) -> httpx.Response:
        guard = Guard(shipped(), reward=bound)
        with (
            upstream(says(*answers)) as server,
            proxy(guard, tmp_path / name, server, best_of=len(answers)) as at,
        ):
            checked = httpx.post(
                f"{at.url}/checks",
                json={
                    "messages": [*CHAT["messages"], {"role": "assistant", "content": answers[0]}]
                },
            ).json()
            assert checked["status"] == "blocked"
            assert checked["normwright"]["reward"]["digest"] == found.digest
            assert "reward" in checked["normwright"]["scores"]
            return httpx.post(f"{at.url}/chat/completions", json=CHAT)

    assert content(asked("mixed", [*rude, *fine])) in fine
    refused = asked("rude", rude).json()
    assert refused["choices"][0]["finish_reason"] == "content_filter"
    assert [n["id"] for n in refused["moderation"]["norms"]] == [norm]
    assert norm in refused["moderation"]["output"]["results"][0]["categories"]


def test_the_embedded_way_round(tmp_path: Path) -> None:
    """The settings of a service open the reward, and refuse what does not fit together."""
    from normwright.records import InputError
    from normwright.web.guard.served import Service

    folder = fitted(tmp_path / "w", labels=("rude", "kind"))
    service = Service(state=str(tmp_path), port=1, reward=str(folder), reward_label="kind")

    assert service.guard().reward.name == "w"  # type: ignore[union-attr]
    with pytest.raises(InputError, match="id2label"):
        Service(state=str(tmp_path), port=1, reward=str(folder)).guard()
    with pytest.raises(InputError, match=r"g\.none"):
        Service(
            state="", port=1, reward=str(folder), reward_label="kind", reward_norm="g.none",
            reward_least=0.0,
        ).guard()  # fmt: skip
