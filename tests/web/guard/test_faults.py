"""What goes wrong, goes wrong closed: nothing unchecked leaves, nothing hangs, the chain verifies.

Every fault is made on a real socket, disk or process.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import sqlite3
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from tests.disks import small_disk
from tests.guard.town import policy
from tests.web.guard.kit import (
    ASKS,
    BAD,
    BOOM,
    CARD,
    Call,
    Handler,
    Proxy,
    Switch,
    WordGuard,
    chunk,
    json_head,
    proxy,
    says,
    sse,
    sse_head,
    upstream,
    whole,
)

from normwright.store import VerdictBook, check_chains
from normwright.web.guard import Limits

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

USER: Any = [{"role": "user", "content": "When does the library open?"}]
SECRET = "sk-upstream-secret-4242"
UNCHECKED = "an answer nobody checked"


Shared = tuple[Proxy, Switch]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """One proxy for all faults that leave it as it was, with a key of its own for the upstream."""
    switch = Switch()
    with (
        upstream(switch) as server,
        proxy(
            WordGuard(policy()),
            tmp_path_factory.mktemp("state"),
            server,
            upstream_key=SECRET,
            limits=Limits(idle_seconds=0.3, total_seconds=1.0, check_seconds=0.2),
        ) as at,
    ):
        yield at, switch


def client(at: Proxy) -> Any:
    """Return the real client."""
    return openai.OpenAI(base_url=at.url, api_key="sk-client-key-777", max_retries=0, timeout=20)


def post(at: Proxy, body: Any, *, path: str = "/chat/completions", **more: Any) -> httpx.Response:
    """Send a body as it is."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", **more.pop("headers", {})}
    return httpx.post(at.url + path, content=raw, headers=headers, timeout=20, **more)


def read_stream(api: Any, model: str = "up") -> tuple[str, Exception | None]:
    """Return the text of a stream as far as it came, and the error it ended with."""
    told = ""
    try:
        for one in api.chat.completions.create(model=model, messages=USER, stream=True):
            told += one.choices[0].delta.content or ""
    except openai.APIError as error:
        return told, error
    return told, None


def settled(at: Proxy) -> None:
    """Wait until nothing is under way."""
    limit = time.monotonic() + 5
    while at.desk.in_flight and time.monotonic() < limit:
        time.sleep(0.01)


def holds(at: Proxy) -> None:
    """See that the audit chain verifies."""
    assert check_chains(at.state / "audit") == ()


def lines(at: Proxy) -> list[dict[str, Any]]:
    """Return the lines of the chain."""
    [path] = (at.state / "audit").glob("*.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def raw_reply(status: str, body: bytes, kind: str = "application/json") -> Handler:
    """Return a handler that answers everything with these bytes."""

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        yield head.encode() + body

    return handle


MALFORMED: dict[str, bytes] = {
    "no JSON": b"<html>" + UNCHECKED.encode(),
    "a list": b'["' + UNCHECKED.encode() + b'"]',
    "no choices": json.dumps({"id": "x", "text": UNCHECKED}).encode(),
    "a choice that is none": json.dumps({"choices": [UNCHECKED]}).encode(),
    "no message": json.dumps({"choices": [{"index": 0, "text": UNCHECKED}]}).encode(),
    "content that is a number": json.dumps(whole({"content": 7})).encode(),
    "NaN": b'{"choices": [], "x": NaN}',
    "nested without end": b'{"choices": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "bytes that are no UTF-8": b'{"choices": "\xff\xfe"}',
    "sound": json.dumps(
        whole({"role": "assistant", "content": None, "audio": {"transcript": UNCHECKED}})
    ).encode(),
    "too many choices": json.dumps(whole(*[UNCHECKED] * 40)).encode(),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_replies(kind: str, shared: Shared) -> None:
    """A reply that is not what it must be is an error of its own name, and nothing of it leaves."""
    at, switch = shared
    model = switch.use(raw_reply("200 OK", MALFORMED[kind]))
    got = post(at, {"model": model, "messages": USER})
    holds(at)

    assert got.status_code == 502
    assert got.json()["error"]["code"] == "upstream_malformed"
    assert "upstream" in got.headers["x-normwright-degraded"]
    assert UNCHECKED not in got.text


STREAMS: dict[str, bytes] = {
    "no JSON": b"data: {" + UNCHECKED.encode() + b"}\n\n",
    "a line that is no event": UNCHECKED.encode() + b"\n\n",
    "no UTF-8": b'data: {"choices": []}\xff\n\n',
    "an error in the middle": sse({"error": {"message": UNCHECKED}}),
    "text in a field that is a number": sse({"choices": [{"index": UNCHECKED, "delta": {}}]}),
    "a delta that is none": sse({"choices": [{"index": 0, "delta": UNCHECKED}]}),
    "the end before its time": b"",
    "done before its time": b"data: [DONE]\n\n",
    "an event that is cut off": b'data: {"choices": [{"index": 0, "delta": {"content": "x',
}


@pytest.mark.parametrize("kind", STREAMS)
def test_malformed_streams(kind: str, shared: Shared) -> None:
    """What is held back when a stream goes wrong is never given out; the client is told."""
    checked = "word " * 60

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        yield sse_head() + chunk({"content": checked}) + chunk({"content": UNCHECKED})
        yield STREAMS[kind]

    at, switch = shared
    with client(at) as api:
        told, error = read_stream(api, switch.use(handle))
    settled(at)
    holds(at)
    last = lines(at)[-1]["body"]

    assert isinstance(error, openai.APIError)
    assert "upstream" in str(error)
    assert told
    assert checked.startswith(told)
    assert last["outcome"] == "upstream_malformed"
    assert last["degraded"] == ["upstream: upstream_malformed"]


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 302])
@pytest.mark.parametrize("stream", [False, True])
def test_errors_of_the_upstream(status: int, stream: bool, shared: Shared) -> None:
    """An error keeps its status and code; its words, in which keys have been seen, stay behind."""
    said = {"message": f"Incorrect key {SECRET}: {UNCHECKED}", "code": "some_code"}
    body = json.dumps({"error": said}).encode()
    at, switch = shared
    model = switch.use(raw_reply(f"{status} Said", body))
    got = post(at, {"model": model, "messages": USER, "stream": stream})
    holds(at)

    assert got.status_code == (status if 400 <= status < 500 else 502)
    assert got.json()["error"]["code"] == ("some_code" if status < 500 and status != 302 else
                                           "upstream_error")  # fmt: skip
    assert SECRET not in got.text
    assert UNCHECKED not in got.text


def test_nobody_there(tmp_path: Path) -> None:
    """An upstream that cannot be reached is a 502 at once."""
    with upstream(says("x")) as server:
        pass
    with proxy(WordGuard(policy()), tmp_path, server) as at:
        began = time.monotonic()
        got = [post(at, {"model": "up", "messages": USER, "stream": s}) for s in (False, True)]
        holds(at)

    assert [g.status_code for g in got] == [502, 502]
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("stream", [False, True])
def test_silence(stream: bool, shared: Shared) -> None:
    """An upstream that says nothing is a 504 after its time; what it had begun stays behind."""

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        if stream:
            yield sse_head() + chunk({"content": UNCHECKED})
        await asyncio.sleep(30)
        yield b""

    at, switch = shared
    began = time.monotonic()
    got = post(at, {"model": switch.use(handle), "messages": USER, "stream": stream})
    holds(at)

    assert time.monotonic() - began < 5
    assert UNCHECKED not in got.text
    assert "upstream_timeout" in got.text


def test_a_trickle_has_an_end(shared: Shared) -> None:
    """An upstream that sends a little again and again is stopped by the limit of the whole."""

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        yield sse_head()
        while True:
            yield b": still here\n\n"
            await asyncio.sleep(0.02)

    at, switch = shared
    began = time.monotonic()
    got = post(at, {"model": switch.use(handle), "messages": USER, "stream": True})

    assert time.monotonic() - began < 5
    assert "upstream_timeout" in got.text


def test_killed_in_the_middle(shared: Shared) -> None:
    """An upstream whose connection is reset in the middle: the client hears of it, and no more."""

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        yield sse_head() + chunk({"content": "word " * 60}) + chunk({"content": UNCHECKED})
        raise ConnectionResetError

    at, switch = shared
    with client(at) as api:
        told, error = read_stream(api, switch.use(handle))
    settled(at)
    holds(at)

    assert isinstance(error, openai.APIError)
    assert UNCHECKED not in told


@pytest.mark.parametrize("stream", [False, True])
def test_the_client_goes(stream: bool, tmp_path: Path) -> None:
    """A client that goes takes its request with it: the upstream is let go, the chain says so."""
    going = threading.Event()

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        yield sse_head() if call.body.get("stream") else json_head(100_000)
        going.set()
        for _ in range(600):
            await asyncio.sleep(0.02)
            yield chunk({"content": "word "}) if call.body.get("stream") else b" "

    with upstream(handle) as server, proxy(WordGuard(policy()), tmp_path, server) as at:
        body = json.dumps({"model": "up", "messages": USER, "stream": stream}).encode()
        with socket.create_connection(("127.0.0.1", at.port)) as one:
            one.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json"
                b"\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            assert going.wait(5)
            time.sleep(0.1)
        settled(at)
        holds(at)
        last = lines(at)[-1]["body"]

        assert at.desk.in_flight == 0
        assert last["outcome"] == "client_gone"


def test_connections_of_clients_that_went(shared: Shared) -> None:
    """No connection stays open for a request whose client went away in the middle of it."""

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        yield sse_head()
        for _ in range(200):
            yield chunk({"content": "word "})
            await asyncio.sleep(0.02)

    at, switch = shared
    body = json.dumps({"model": switch.use(handle), "messages": USER, "stream": True}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    settled(at)
    before = len(os.listdir("/proc/self/fd"))
    going = [socket.create_connection(("127.0.0.1", at.port)) for _ in range(6)]
    for one in going:
        one.sendall(head % len(body) + body)
    time.sleep(0.3)
    for one in going:
        one.close()
    limit = time.monotonic() + 8
    while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < limit:
        time.sleep(0.02)

    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize("stream", [False, True])
def test_detector_down(stream: bool, tmp_path: Path) -> None:
    """A guard that breaks lets nothing pass, never says `stop`, and is named in three places."""
    with (
        upstream(says(f"{BOOM} {UNCHECKED}")) as server,
        proxy(WordGuard(policy()), tmp_path, server) as at,
    ):
        asked = post(at, {"model": "up", "messages": [{"role": "user", "content": BOOM}]})
        before = len(server.calls)
        answered = post(at, {"model": "up", "messages": USER, "stream": stream})
        metrics = httpx.get(f"http://127.0.0.1:{at.port}/metrics").text
        sealed = [x for x in lines(at) if x["kind"] == "verdict"]
        holds(at)

    assert before == 0
    for got in (asked, answered):
        assert got.status_code == 200
        assert "content_filter" in got.text
        assert '"stop"' not in got.text
        assert UNCHECKED not in got.text
    assert asked.headers["x-normwright-degraded"] == "guard: RuntimeError"
    assert 'degraded_total{part="guard"} 2.0' in metrics
    assert all(x["body"]["degraded"] == ["guard: RuntimeError"] for x in sealed)
    assert all(x["body"]["outcome"] == "denied" for x in sealed)


def test_a_check_that_takes_too_long(shared: Shared) -> None:
    """A long text whose check does not end is denied after its time, and others are served."""
    at, switch = shared
    model = switch.use(says("fine"))
    long = {"model": model, "messages": [{"role": "user", "content": "word " * 6000}]}
    at.guard.slow = 1.0
    began = time.monotonic()
    try:
        got = post(at, long)
    finally:
        at.guard.slow = 0.0
    spent = time.monotonic() - began
    fine = post(at, {"model": model, "messages": USER})

    assert got.json()["choices"][0]["finish_reason"] == "content_filter"
    assert "too slow" in got.headers["x-normwright-degraded"]
    assert spent < 0.9
    assert fine.json()["choices"][0]["finish_reason"] == "stop"


def test_masked(shared: Shared) -> None:
    """Spans a norm wants hidden are masked, in a stream the same, and log-probabilities go."""
    text = "My number is " + CARD + ", and the library opens at nine. " + "word " * 60
    at, switch = shared
    model = switch.use(says(text))
    with client(at) as api:
        got = api.chat.completions.create(model=model, messages=USER).choices[0]
        chunks = api.chat.completions.create(model=model, messages=USER, stream=True)
        streamed = "".join(c.choices[0].delta.content or "" for c in chunks)

    assert got.finish_reason == "stop"
    assert got.message.content == streamed == text.replace(CARD, "█" * len(CARD))


def test_asking_back(shared: Shared) -> None:
    """Where a fact is missing the question is what comes back, and it counts as filtered."""
    at, switch = shared
    got = post(at, {"model": switch.use(says(ASKS)), "messages": USER}).json()

    assert got["choices"][0]["finish_reason"] == "content_filter"
    assert got["moderation"]["action"] == "ask"


def test_error_mode(tmp_path: Path) -> None:
    """In error mode a refusal is a 400 with the code `content_filter`, before and after asking."""
    with (
        upstream(says(BAD)) as server,
        proxy(WordGuard(policy()), tmp_path, server, block_mode="error") as at,
        client(at) as api,
    ):
        for messages in (USER, [{"role": "user", "content": BAD}]):
            with pytest.raises(openai.BadRequestError) as caught:
                api.chat.completions.create(model="up", messages=messages)
            assert caught.value.code == "content_filter"
            assert caught.value.response.headers["x-normwright-verdict-id"].startswith("vrd_")


BODIES: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "no JSON": (b"{", 400),
    "a list": (b"[]", 400),
    "NaN": (b'{"messages": [], "temperature": NaN}', 400),
    "no UTF-8": (b'{"messages": [{"role": "user", "content": "\xff\xfe"}]}', 400),
    "nested without end": (b'{"messages": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", 400),
    "nested 70 deep": (b'{"messages": ' + b"[" * 70 + b"]" * 70 + b"}", 400),
    "a number of 10,000 digits": (b'{"messages": [], "seed": ' + b"9" * 10_000 + b"}", 400),
    "no messages": (b'{"model": "up"}', 400),
    "an unknown role": (b'{"messages": [{"role": "king", "content": "x"}]}', 400),
    "n is none": (b'{"messages": [{"role": "user", "content": "x"}], "n": "3"}', 400),
    "n is too many": (b'{"messages": [{"role": "user", "content": "x"}], "n": 1000}', 400),
}


@pytest.mark.parametrize("kind", BODIES)
def test_bodies_that_are_none(kind: str, shared: Shared) -> None:
    """A body that cannot be read whole is refused with a reason, and does not reach the model."""
    raw, status = BODIES[kind]
    got = post(shared[0], raw)
    holds(shared[0])

    # A model of no name has no handler, so that a request that got through would be a 502.
    assert got.status_code == status
    assert got.json()["error"]["message"]


def test_unicode_that_is_none(tmp_path: Path) -> None:
    """Half surrogate pairs are read and sent on as the very same text, in both directions."""

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        body = json.dumps(whole("half \ud83d and \udc4d")).encode()
        yield json_head(len(body)) + body

    raw = b'{"model": "up", "messages": [{"role": "user", "content": "a \\ud83d b"}]}'
    guard = WordGuard(policy())
    with upstream(handle) as server, proxy(guard, tmp_path, server) as at:
        got = post(at, raw)
        holds(at)
    read = guard.seen[0].utterances[0].text

    assert read == server.calls[0].body["messages"][0]["content"] == "a \ufffd b"
    assert guard.seen[1].answer == got.json()["choices"][0]["message"]["content"]
    got.text.encode()


def test_a_key_twice(tmp_path: Path) -> None:
    """Of a key that stands twice the model gets the one that was read, and no other."""
    raw = (
        b'{"model": "up", "messages": [{"role": "user", "content": "%s"}],'
        b' "messages": [{"role": "user", "content": "hello"}]}' % BAD.encode()
    )
    with upstream(says("x")) as server, proxy(WordGuard(policy()), tmp_path, server) as at:
        got = post(at, raw)

    assert got.status_code == 200
    assert BAD.encode() not in server.calls[0].raw


def test_bodies_of_ten_megabytes(tmp_path: Path) -> None:
    """A body over the limit is refused before it is read, and one without a length as it comes."""
    limits = Limits(body_bytes=8 << 20)
    big = b'{"messages": [{"role": "user", "content": "' + b"a" * (10 << 20) + b'"}]}'

    def pieces() -> Any:
        for at in range(0, len(big), 1 << 16):
            yield big[at : at + (1 << 16)]

    with (
        upstream(says("x")) as server,
        proxy(WordGuard(policy()), tmp_path, server, limits=limits) as at,
    ):
        told = post(at, big)
        packed = post(at, b"x", headers={"content-encoding": "gzip"})
        try:
            untold = httpx.post(f"{at.url}/chat/completions", content=pieces(), timeout=20)
            status = untold.status_code
        except httpx.WriteError:
            status = 413  # the server hung up before all of it was sent
        fine = post(at, {"model": "up", "messages": USER})

    assert told.status_code == 413
    assert packed.status_code == 415
    assert status == 413
    assert fine.status_code == 200
    assert len(server.calls) == 1


@pytest.mark.parametrize("sent", [b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX-A",
                                  b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
                                  b"Content-Length: 1000\r\n\r\n{\"mess"])  # fmt: skip
def test_slow_clients(sent: bytes, tmp_path: Path) -> None:
    """A client that sends its head or its body too slowly is let go, and others are served."""
    limits = Limits(body_seconds=0.4)
    with (
        upstream(says("x")) as server,
        proxy(WordGuard(policy()), tmp_path, server, limits=limits) as at,
    ):
        slow = [socket.create_connection(("127.0.0.1", at.port)) for _ in range(50)]
        for one in slow:
            one.sendall(sent)
        fine = post(at, {"model": "up", "messages": USER})
        began = time.monotonic()
        ends = []
        for one in slow:
            one.settimeout(5)
            try:
                ends.append(one.recv(1000))
            except ConnectionResetError:
                ends.append(b"")
            one.close()

    assert fine.status_code == 200
    assert time.monotonic() - began < 4
    assert all(end == b"" or b"408" in end for end in ends)


@pytest.mark.slow
def test_a_client_that_does_not_read(tmp_path: Path) -> None:
    """A client that does not read its stream is let go, and does not hold the upstream for ever."""

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        yield sse_head()
        for _ in range(100_000):
            yield chunk({"content": "word " * 200})

    limits = Limits(idle_seconds=0.5, reply_bytes=1 << 30)
    wide: dict[str, Any] = {"window": 100, "stride": 5000, "reach": 20_000}
    with (
        upstream(handle) as server,
        proxy(WordGuard(policy()), tmp_path, server, limits=limits, **wide) as at,
    ):
        body = json.dumps({"model": "up", "messages": USER, "stream": True}).encode()
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", at.port))
            one.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            limit = time.monotonic() + 10
            time.sleep(0.3)
            while at.desk.in_flight and time.monotonic() < limit:
                time.sleep(0.05)

        assert at.desk.in_flight == 0
        holds(at)


def test_too_many_at_once(tmp_path: Path) -> None:
    """Over the limit of requests at once others are told to come back, and nothing breaks."""

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        await asyncio.sleep(0.5)
        async for piece in says("fine")(call):
            yield piece

    async def crowd(at: Proxy, n: int) -> list[int]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=20, limits=limits) as api:
            url = f"{at.url}/chat/completions"
            asked = [api.post(url, json={"model": "up", "messages": USER}) for _ in range(n)]
            return [r.status_code for r in await asyncio.gather(*asked)]

    limits = Limits(concurrency=8)
    with (
        upstream(handle) as server,
        proxy(WordGuard(policy()), tmp_path, server, limits=limits) as at,
    ):
        got = asyncio.run(crowd(at, 24))
        holds(at)

    assert got.count(200) == 8
    assert got.count(429) == 16


@pytest.mark.slow
def test_a_thousand_streams(tmp_path: Path) -> None:
    """A thousand streams at once all end, each with its own text or its own refusal."""

    async def handle(call: Call) -> AsyncGenerator[bytes]:
        text = call.body["messages"][0]["content"] + " tells " + "word " * 40
        yield sse_head()
        for piece in [text[i : i + 20] for i in range(0, len(text), 20)]:
            yield chunk({"content": piece})
            await asyncio.sleep(0.01)
        yield chunk({"content": BAD if "odd" in text else ""}) + chunk({}, finish="stop")
        yield b"data: [DONE]\n\n"

    async def one(at: Proxy, number: int) -> bool:
        name = f"number {number} {'odd' if number % 2 else 'even'}"
        asked = {"model": "up", "stream": True, "messages": [{"role": "user", "content": name}]}
        body = json.dumps(asked).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        text = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
        good = "data: [DONE]" in text and BAD not in text and name.split()[1] in text
        return good and (("content_filter" in text) == bool(number % 2))

    async def crowd(at: Proxy) -> list[bool]:
        return list(await asyncio.gather(*(one(at, i) for i in range(1000))))

    limits = Limits(concurrency=1100, connect_seconds=120, body_seconds=120, idle_seconds=120)
    with (
        upstream(handle) as server,
        proxy(WordGuard(policy()), tmp_path, server, limits=limits) as at,
    ):
        got = asyncio.run(crowd(at))
        holds(at)

    assert got.count(True) == 1000


def test_database_locked(tmp_path: Path) -> None:
    """While another process holds the database, requests are answered, and verdicts are found."""
    limits = Limits(book_seconds=0.2)
    with (
        upstream(says("fine")) as server,
        proxy(WordGuard(policy()), tmp_path, server, limits=limits) as at,
    ):
        lock = sqlite3.connect(at.state / "verdicts.db", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        try:
            got = post(at, {"model": "up", "messages": [{"role": "user", "content": BAD}]})
            verdict = got.headers["x-normwright-verdict-id"]
            at.desk.tend()
            found = httpx.get(f"{at.url}/verdicts/{verdict}")
            health = httpx.get(f"http://127.0.0.1:{at.port}/healthz").json()
            again = post(at, {"model": "up", "messages": USER})
        finally:
            lock.execute("ROLLBACK")
            lock.close()
        at.desk.tend()
        waiting = at.desk.book.waiting
        mended = httpx.get(f"http://127.0.0.1:{at.port}/healthz").json()
        holds(at)

    assert got.json()["choices"][0]["finish_reason"] == "content_filter"
    assert found.json()["id"] == verdict
    assert health["status"] == "degraded"
    assert again.headers["x-normwright-degraded"] == "verdict-store"
    assert waiting == 0
    assert mended["status"] == "ok"


def fill(place: Path) -> Callable[[], None]:
    """Fill a disk, and return what makes room again."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 14, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return ballast.unlink


@pytest.mark.parametrize("stream", [False, True])
def test_disk_full(stream: bool, tmp_path: Path) -> None:
    """Where the verdict cannot be written nothing leaves; when there is room again, it goes on."""
    with (
        small_disk(tmp_path / "disk", size="1m") as disk,
        upstream(says(f"{UNCHECKED} " + "word " * 200)) as server,
        proxy(WordGuard(policy()), disk / "state", server) as at,
    ):
        empty = fill(disk)
        for _ in range(40):  # there may be a little room left at the end of the chain's file
            if post(at, {"model": "up", "messages": USER, "stream": stream}).status_code != 200:
                break
        got = [post(at, {"model": "up", "messages": USER, "stream": stream}) for _ in range(3)]
        health = httpx.get(f"http://127.0.0.1:{at.port}/healthz")
        empty()
        at.desk.tend()
        after = post(at, {"model": "up", "messages": USER, "stream": stream})
        mended = httpx.get(f"http://127.0.0.1:{at.port}/healthz")
        holds(at)

    assert [g.status_code for g in got] == [503] * 3
    assert all("audit_unavailable" in g.text and UNCHECKED not in g.text for g in got)
    assert "audit" in got[0].headers["x-normwright-degraded"]
    assert health.status_code == 503
    assert after.status_code == 200
    assert UNCHECKED in after.text
    assert mended.status_code == 200


def test_the_clock_jumps(tmp_path: Path) -> None:
    """A clock that jumps years, both ways, breaks neither the chain nor a request."""
    now = [datetime.now(UTC)]
    with upstream(says("fine")) as server, proxy(WordGuard(policy()), tmp_path, server) as at:
        at.desk.chain._now = lambda: now[0]
        got = []
        for jump in (timedelta(days=4000), -timedelta(days=8000), timedelta(seconds=-3)):
            now[0] += jump
            got.append(post(at, {"model": "up", "messages": USER}).status_code)
        holds(at)
        kinds = [line["kind"] for line in lines(at)]

    assert got == [200] * 3
    assert kinds.count("clock") == 1


def test_keys_are_in_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """With every logger wide open, and everything going wrong, no key is in any log or file."""
    caplog.set_level(logging.DEBUG)
    failing = raw_reply("401 No", json.dumps({"error": {"message": SECRET}}).encode())
    with upstream(failing) as server:
        given: dict[str, Any] = {
            "upstream_key": SECRET,
            "client_keys": frozenset({_digest("sk-client-key-777"), _digest("other")}),
        }
        with proxy(WordGuard(policy()), tmp_path, server, **given) as at:
            headers = {"authorization": "Bearer sk-client-key-777"}
            for body in (USER, [{"role": "user", "content": BOOM}], "nonsense"):
                post(at, {"model": "up", "messages": body}, headers=headers)
            wrong = post(at, {}, headers={"authorization": "Bearer sk-wrong-key-1"})
            shown = httpx.get(f"http://127.0.0.1:{at.port}/metrics").text
            settings = repr(at.desk.settings)
        sent = server.calls[0].headers["authorization"]
    told = caplog.text + "".join(capfd.readouterr()) + shown + settings
    kept = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())

    assert wrong.status_code == 401
    assert sent == f"Bearer {SECRET}"
    for key in (SECRET, "sk-client-key-777", "sk-wrong-key-1"):
        assert key not in told
        assert key.encode() not in kept
    assert caplog.records


def _digest(key: str) -> str:
    from normwright.web.guard.settings import key_digest

    return key_digest(key)


def test_no_text_is_kept(tmp_path: Path) -> None:
    """Neither the question nor the answer is anywhere on the disk."""
    with upstream(says("answer-quinine")) as server:
        with proxy(WordGuard(policy()), tmp_path, server) as at:
            post(at, {"model": "up", "messages": [{"role": "user", "content": "ask-tamarind"}]})
            post(at, {"model": "up", "messages": [{"role": "user", "content": f"{BAD}-saffron"}]})
        kept = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())

    for word in (b"quinine", b"tamarind", b"saffron"):
        assert word not in kept


def test_a_chain_that_was_changed(tmp_path: Path) -> None:
    """A changed line, a dropped one, a cut end and a dropped file are all found."""
    folder = tmp_path / "audit"
    for _ in range(2):
        with upstream(says("fine")) as server, proxy(WordGuard(policy()), tmp_path, server) as at:
            for _ in range(3):
                post(at, {"model": "up", "messages": USER})
    first, last = sorted(folder.glob("*.jsonl"))
    good, end = first.read_bytes(), last.read_bytes()
    text = good.splitlines(keepends=True)
    found = {}
    for name, data in (
        ("changed", good.replace(b'"allowed"', b'"refused"', 1)),
        ("dropped", b"".join([*text[:2], *text[3:]])),
        ("cut", b"".join(text[:-1])),
    ):
        first.write_bytes(data)
        found[name] = check_chains(folder)
    first.unlink()
    found["gone"] = check_chains(folder)
    first.write_bytes(good)
    last.write_bytes(b"".join(end.splitlines(keepends=True)[:-1]))
    book = VerdictBook(tmp_path / "verdicts.db")
    unseen, found["cut at the very end"] = check_chains(folder), book.check(folder)
    last.write_bytes(end)
    whole = check_chains(folder) + book.check(folder)
    book.close()

    assert all(found.values()), found
    assert unseen == ()
    assert whole == ()
