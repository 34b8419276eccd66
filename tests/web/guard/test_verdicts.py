"""A verdict can be read, understood and contested; policies change under running sessions."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.guard.town import charter, policy
from tests.web.guard.kit import (
    BAD,
    CARD,
    Proxy,
    UpstreamServer,
    WordGuard,
    proxy,
    says,
    upstream,
)

from normwright.elicit import read_consultation
from normwright.records import Exchange, InputError
from normwright.store import VerdictBook, check_chains, read_lines
from normwright.web.guard import Limits, ServeSettings, keys_of
from normwright.web.guard.contests import COLUMNS, statement_rows
from normwright.web.guard.desk import Desk
from normwright.web.guard.served import Service, _bound, serve
from normwright.web.guard.settings import CLIENT_KEYS, UPSTREAM_KEY, check_upstream
from normwright.web.guard.verdicts import reading_order

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

USER: Any = [{"role": "user", "content": "When?"}]
ASKED: Any = [{"role": "user", "content": f"{BAD}, please"}]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, UpstreamServer]]:
    """A proxy that refuses one word."""
    with (
        upstream(says("At nine.")) as server,
        proxy(WordGuard(policy()), tmp_path_factory.mktemp("state"), server) as at,
    ):
        yield at, server


def chat(at: Proxy, messages: Any, **headers: str) -> httpx.Response:
    """Ask."""
    body = {"model": "up", "messages": messages}
    return httpx.post(f"{at.url}/chat/completions", json=body, headers=headers, timeout=20)


def refused(at: Proxy) -> str:
    """Return the id of a refusal."""
    return str(chat(at, ASKED).headers["x-normwright-verdict-id"])


def root(at: Proxy) -> str:
    """Return the address without the version."""
    return at.url.removesuffix("/v1")


class Page(HTMLParser):
    """What a page holds that a reader without scripts or eyes needs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts = 0
        self.labels: set[str] = set()
        self.fields: set[str] = set()
        self.languages: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        given = dict(attrs)
        self.scripts += tag == "script" or any(name.startswith("on") for name in given)
        if tag == "label" and given.get("for"):
            self.labels.add(str(given["for"]))
        if tag in ("select", "textarea"):
            self.fields.add(str(given["id"]))
        if given.get("class") == "edition":
            self.languages.append(str(given["lang"]))


def test_a_verdict_as_json(running: tuple[Proxy, UpstreamServer]) -> None:
    """Whoever has the id gets the verdict, its norm, and its place in the chain; no text."""
    at = running[0]
    verdict = refused(at)
    told = httpx.get(f"{at.url}/verdicts/{verdict}").json()

    assert told["id"] == verdict
    assert told["verdicts"][0]["norms"] == [{"id": "g.privacy.personal-data", "version": 1}]
    assert told["audit"]["digest"].startswith("sha256:")
    assert BAD not in json.dumps(told)


@pytest.mark.parametrize("wanted", ["vrd_" + "a" * 26, "nonsense", "vrd_" + "A" * 26])
def test_no_such_verdict(running: tuple[Proxy, UpstreamServer], wanted: str) -> None:
    """An id that was never given is a 404, for programs and on a page."""
    at = running[0]
    for path in (f"/v1/verdicts/{wanted}", f"/verdicts/{wanted}"):
        got = httpx.get(root(at) + path)
        assert got.status_code == 404
        assert "normwright" in got.text.lower() or "verdict_not_found" in got.text


@pytest.mark.parametrize(("accepted", "lang", "said"), [
    ("pt-BR,pt;q=0.9,en;q=0.5", "pt", "Por que fui recusado?"),
    ("de,en;q=0.5", "en", "Why was I refused?"),
    ("", "en", "Why was I refused?"),
])  # fmt: skip
def test_the_page(
    running: tuple[Proxy, UpstreamServer], accepted: str, lang: str, said: str
) -> None:
    """The page is in the reader's language first, has the other too, and needs no script."""
    at = running[0]
    verdict = refused(at)
    got = httpx.get(f"{root(at)}/verdicts/{verdict}", headers={"accept-language": accepted})
    page = Page(got.text)
    norm = charter().norms[0].statement

    assert page.languages[-1] == lang
    assert set(page.languages) >= {"en", "pt"}
    assert said in got.text
    assert norm["en"] in got.text
    assert norm["pt"] in got.text
    assert page.scripts == 0
    assert page.fields == page.labels
    assert "script-src" not in got.headers["content-security-policy"]
    assert "default-src 'none'" in got.headers["content-security-policy"]
    assert BAD not in got.text


def test_reading_order() -> None:
    """Chosen before accepted, weights count, and nonsense does no harm."""
    assert reading_order("", "pt;q=0.2, en;q=0.9")[0] == "en"
    assert reading_order("pt", "en")[0] == "pt"
    assert reading_order("", "x;q=,,;q=2,*")[0] == "en"


def test_contest_by_form(running: tuple[Proxy, UpstreamServer]) -> None:
    """A person contests without a script, is thanked, and it is kept as they said it."""
    at = running[0]
    verdict = refused(at)
    form = {"lang": "pt", "ground": "wrong-norm", "text": "A palavra é inocente.", "public": "yes"}
    got = httpx.post(f"{at.url}/verdicts/{verdict}/contest", data=form)
    page = httpx.get(root(at) + got.headers["location"])
    [kept] = at.desk.book.contests(verdict)

    assert got.status_code == 303
    assert "Obrigado" in page.text
    assert kept["text"] == "A palavra é inocente."
    assert kept["norms"] == ["g.privacy.personal-data@1"]
    assert kept["public"] is True
    assert httpx.get(f"{at.url}/verdicts/{verdict}").json()["contests"] == 1


@pytest.mark.parametrize("body", [
    {}, {"text": ""}, {"text": "x" * 5000}, {"text": 7}, {"text": "x", "lang": "<b>"},
    {"text": "x", "ground": "because"}, {"text": "x", "public": "yes"},
])  # fmt: skip
def test_contests_that_are_none(running: tuple[Proxy, UpstreamServer], body: Any) -> None:
    """Words that are missing, too many or of the wrong kind are refused with a reason."""
    at = running[0]
    verdict = refused(at)
    got = httpx.post(f"{at.url}/verdicts/{verdict}/contest", json=body)

    assert got.status_code == 400
    assert at.desk.book.contests(verdict) == []


def test_contests_have_an_end(tmp_path: Path) -> None:
    """One verdict cannot be flooded with contests."""
    limits = Limits(contests=2)
    with (
        upstream(says("x")) as server,
        proxy(WordGuard(policy()), tmp_path, server, limits=limits) as at,
    ):
        verdict = refused(at)
        url = f"{at.url}/verdicts/{verdict}/contest"
        got = [httpx.post(url, json={"text": f"no {i}"}).status_code for i in range(3)]

    assert got == [201, 201, 429]


def test_elicitation_picks_contests_up(tmp_path: Path) -> None:
    """Contests become statements that the importer of consultations reads, norm and all."""
    with upstream(says("x")) as server, proxy(WordGuard(policy()), tmp_path, server) as at:
        verdict = refused(at)
        url = f"{at.url}/verdicts/{verdict}/contest"
        for text, public in (
            ("It should be allowed, to doctors.", True),
            ("Not for others.", False),
        ):
            httpx.post(url, json={"text": text, "public": public})
    book = VerdictBook(tmp_path / "verdicts.db")
    rows = statement_rows(book.contests(), book.policy)
    book.close()
    folder = tmp_path / "consultation"
    folder.mkdir()
    lines = [",".join(COLUMNS)]
    lines += [",".join(f'"{r.get(c, "")}"' for c in COLUMNS) for r in rows]
    (folder / "statements.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "participants.csv").write_text("participant,polities\np1,global\np2,global\n")
    votes = "".join(f"p{i},{rows[0]['id']},agree\n" for i in (1, 2))
    (folder / "votes.csv").write_text("participant,statement,vote\n" + votes)
    (folder / "process.yaml").write_text(_PROCESS, encoding="utf-8")
    consulted = read_consultation(folder, root=tmp_path)

    assert len(rows) == 1
    [statement] = consulted.statements
    assert statement.text["en"] == "It should be allowed, to doctors."
    assert statement.norm == "g.privacy.personal-data"
    assert not statement.endorses


_PROCESS = """id: contests
kind: human
title: {en: What was contested, pt: O que foi contestado}
identification: open
seed: 1
polities:
- {id: global, name: {en: Everybody, pt: Todas as pessoas}, layer: global}
"""


def test_moderations_checks_and_the_gateway(running: tuple[Proxy, UpstreamServer]) -> None:
    """The three ways to ask without a model agree, and a gateway gets the words it knows."""
    at = running[0]
    flagged = httpx.post(f"{at.url}/moderations", json={"input": [BAD, "hello"]}).json()
    checks = [
        httpx.post(f"{at.url}/checks", json={"model": "m", "messages": m}).json()
        for m in (USER, ASKED, [*USER, {"role": "assistant", "content": BAD}])
    ]
    url = f"{root(at)}/beta/litellm_basic_guardrail_api"
    asked: list[dict[str, Any]] = [
        {"input_type": "request", "texts": ["hello"]},
        {"input_type": "request", "texts": [BAD], "structured_messages": USER},
        {"input_type": "request", "texts": [], "structured_messages": ASKED},
        {"input_type": "response", "texts": ["fine", BAD]},
        {"input_type": "response", "texts": [], "tool_calls": [
            {"function": {"name": "f", "arguments": json.dumps({BAD: 1})}}]},
        {"input_type": "request", "texts": ["hello"], "images": ["aGk="]},
    ]  # fmt: skip
    answers = [httpx.post(url, json=a).json() for a in asked]

    assert [r["flagged"] for r in flagged["results"]] == [True, False]
    assert flagged["results"][0]["categories"] == {"g.privacy.personal-data": True}
    assert [c["status"] for c in checks] == ["passed", "blocked", "blocked"]
    assert checks[1]["rail"] == "g.privacy.personal-data@1"
    assert [a["action"] for a in answers] == ["NONE", *["BLOCKED"] * 5]
    assert "The town voted" in answers[1]["blocked_reason"]
    assert httpx.post(url, json={"texts": []}).status_code == 400


def test_keys(tmp_path: Path) -> None:
    """With keys of its own the server lets in who has one, and sends none of them upstream."""
    environment = {CLIENT_KEYS: "sk-one, sk-two", UPSTREAM_KEY: "sk-up"}
    up, clients = keys_of(environment)
    with (
        upstream(says("x")) as server,
        proxy(WordGuard(policy()), tmp_path, server, upstream_key=up, client_keys=clients) as at,
    ):
        got = {
            key: chat(at, USER, **({"authorization": key} if key else {})).status_code
            for key in ("", "Bearer sk-one", "Bearer sk-two", "Bearer sk-three", "Basic eA==")
        }
        verdict = chat(at, ASKED, authorization="Bearer sk-one").headers["x-normwright-verdict-id"]
        public = httpx.get(f"{at.url}/verdicts/{verdict}").status_code

    assert got == {"": 401, "Bearer sk-one": 200, "Bearer sk-two": 200, "Bearer sk-three": 401,
                   "Basic eA==": 401}  # fmt: skip
    assert {c.headers["authorization"] for c in server.calls} == {"Bearer sk-up"}
    assert public == 200
    assert "sk-" not in repr(ServeSettings(tmp_path, upstream_key=up, client_keys=clients))


@pytest.mark.parametrize("environment", [{CLIENT_KEYS: ""}, {CLIENT_KEYS: "a b"},
                                         {UPSTREAM_KEY: "é"}, {UPSTREAM_KEY: ""}])  # fmt: skip
def test_keys_that_are_none(environment: dict[str, str]) -> None:
    """A variable that is set and holds no key is a fault: it would let in everybody."""
    with pytest.raises(InputError, match="not shown"):
        keys_of(environment)


@pytest.mark.parametrize("url", ["ftp://x", "https://u:p@x/v1", "https://x/v1?key=1", "x", ""])
def test_upstreams_that_are_none(url: str) -> None:
    """An address with a secret in it is refused, and not repeated."""
    with pytest.raises(InputError, match="upstream") as told:
        check_upstream(url)

    assert "u:p" not in str(told.value)


def test_reload(tmp_path: Path) -> None:
    """A new policy is for new requests; a session, and a stream under way, keep theirs."""
    first, second = WordGuard(policy()), WordGuard(policy(charter(("g.safety.utilities",))))
    old, new = first.policy.digest, second.policy.digest
    hold, go = threading.Event(), threading.Event()

    async def handle(call: Any) -> Any:
        import asyncio

        if call.body.get("stream"):
            hold.set()
            await asyncio.get_running_loop().run_in_executor(None, go.wait, 10)
        async for piece in says("At nine.")(call):
            yield piece

    loads = [second]
    with (
        upstream(handle) as server,
        proxy(first, tmp_path, server, load=lambda: loads.pop()) as at,
    ):
        session = {"x-normwright-session": "one"}
        before = chat(at, USER, **session).headers["x-normwright-policy"]
        done: list[str] = []

        def stream() -> None:
            body = {"model": "up", "messages": USER, "stream": True}
            got = httpx.post(f"{at.url}/chat/completions", json=body, timeout=20)
            done.append(got.headers["x-normwright-policy"])

        thread = threading.Thread(target=stream)
        thread.start()
        assert hold.wait(5)
        assert at.desk.reload()
        fresh = chat(at, USER).headers["x-normwright-policy"]
        pinned = chat(at, USER, **session).headers["x-normwright-policy"]
        go.set()
        thread.join(10)
        again = at.desk.reload()
        kept = chat(at, USER).headers["x-normwright-policy"]
        metrics = httpx.get(f"{root(at)}/metrics").text

    assert before == pinned == old
    assert done == [old]
    assert fresh == new
    assert not again
    assert kept == new
    assert f'policy_info{{policy="{new}"}} 1.0' in metrics
    assert 'degraded_total{part="reload"} 1.0' in metrics


def test_metrics(tmp_path: Path) -> None:
    """What is counted has its denominator, and labels hold nothing that a client wrote."""
    with upstream(says("x")) as server, proxy(WordGuard(policy()), tmp_path, server) as at:
        chat(at, USER)
        chat(at, ASKED)
        httpx.get(f"{at.url}/secret-path-of-a-client")
        text = httpx.get(f"{root(at)}/metrics").text

    assert 'requests_total{endpoint="chat",outcome="allowed"} 1.0' in text
    assert 'requests_total{endpoint="chat",outcome="refused"} 1.0' in text
    assert 'verdicts_total{action="refuse",side="input"} 1.0' in text
    assert 'norm_citations_total{norm="g.privacy.personal-data"} 1.0' in text
    assert 'seconds_count{stage="check"} 3.0' in text
    assert "secret-path" not in text


def test_spans(tmp_path: Path) -> None:
    """Spans use the words of the conventions for generative AI, and hold no text."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace.set_tracer_provider(provider)
    with upstream(says(BAD)) as server, proxy(WordGuard(policy()), tmp_path, server) as at:
        verdict = chat(at, USER).headers["x-normwright-verdict-id"]
    [span] = kept.get_finished_spans()
    told = [e for e in span.events if e.name == "gen_ai.evaluation.result"][-1].attributes

    assert span.attributes is not None
    assert span.attributes["gen_ai.operation.name"] == "chat"
    assert span.attributes["normwright.verdict.id"] == verdict
    assert span.attributes["gen_ai.response.finish_reasons"] == ("content_filter",)
    assert told is not None
    assert told["gen_ai.evaluation.name"] == "g.privacy.personal-data@1"
    assert told["gen_ai.evaluation.score.label"] == "refuse"
    assert BAD not in span.to_json()


def test_spans_are_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package nothing is traced, and nothing breaks."""
    from normwright.web.guard import telemetry

    monkeypatch.setattr(telemetry, "trace", None)
    spans = telemetry.Spans()
    with spans.request("chat", "m", "v") as span:
        spans.finished(span, (), "allowed")

    assert span is None


def test_models(tmp_path: Path) -> None:
    """The upstream's models are passed on by name."""
    listed = {"object": "list", "data": [{"id": "a/b", "object": "model", "x": "words of mine"}]}

    async def handle(call: Any) -> Any:
        raw = json.dumps(listed).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}"
        yield head.encode() + b"\r\n\r\n" + raw

    with upstream(handle) as server, proxy(WordGuard(policy()), tmp_path, server) as at:
        models = httpx.get(f"{at.url}/models")
        one = httpx.get(f"{at.url}/models/a/b")
        none = httpx.get(f"{at.url}/models/c")

    assert [m["id"] for m in models.json()["data"]] == ["a/b"]
    assert one.json()["id"] == "a/b"
    assert none.status_code == 404
    assert "words of mine" not in models.text


def test_masking_what_is_asked(tmp_path: Path) -> None:
    """Spans of a request that are to be masked do not reach the model."""

    class Masking(WordGuard):
        def screen(self, exchange: Any, *, memory: Any = None) -> Any:
            found = super().screen(exchange, memory=memory)
            for said in exchange.utterances if exchange.answer is None else ():
                at = said.text.find(CARD)
                if at >= 0:
                    return found.model_copy(
                        update={
                            "action": "transform",
                            "where": said.where,
                            "spans": ((at, at + len(CARD)),),
                        }
                    )
            return found

    parts = [{"type": "text", "text": f"My card is {CARD}."}]
    with upstream(says("x")) as server, proxy(Masking(policy()), tmp_path, server) as at:
        got = [chat(at, [{"role": "user", "content": c}]) for c in (parts, f"{CARD} is mine")]
        function = {"name": "f", "arguments": json.dumps({"a": CARD})}
        tool = {"role": "assistant", "tool_calls": [{"id": "c", "function": function}]}
        hidden = chat(at, [*USER, tool])

    assert [g.status_code for g in got] == [200, 200]
    assert all(CARD.encode() not in c.raw for c in server.calls)
    assert server.calls[1].body["messages"][0]["content"] == "█" * len(CARD) + " is mine"
    assert hidden.json()["choices"][0]["finish_reason"] == "content_filter"


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    """The command serves with TLS and several workers, reads its policy again, and stops."""
    import os
    import signal
    import sys
    import time

    told, key, certificate = (tmp_path / name for name in ("told", "key.pem", "cert.pem"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out",
         str(certificate)], check=True, capture_output=True,
    )  # fmt: skip
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    context = ssl.create_default_context(cafile=str(certificate))
    url = f"https://127.0.0.1:{port}"
    with upstream(says("At nine.")) as server:
        command = [sys.executable, "-m", "normwright.cli", "guard", "serve", "--port", str(port),
                   "--upstream", server.url, "--state", str(tmp_path / "state"), "--workers", "2",
                   "--tls-certificate", str(certificate), "--tls-key", str(key)]  # fmt: skip
        with told.open("wb") as out:
            started = subprocess.Popen(
                command, stderr=out, env={**os.environ, CLIENT_KEYS: "sk-a", "COLUMNS": "200"}
            )
        try:
            with httpx.Client(verify=context, timeout=20) as api:
                limit = time.monotonic() + 180
                while True:
                    try:
                        health = api.get(f"{url}/healthz")
                        if len(list((tmp_path / "state/audit").glob("*.jsonl"))) == 2:
                            break
                    except httpx.TransportError:
                        assert started.poll() is None
                    assert time.monotonic() < limit
                    time.sleep(0.2)
                body = {"model": "up", "messages": USER}
                headers = {"authorization": "Bearer sk-a"}
                got = api.post(f"{url}/v1/chat/completions", json=body, headers=headers)
                no = api.post(f"{url}/v1/chat/completions", json=body)
                time.sleep(1.5)
            counted = [
                re.findall(r'outcome="allowed"\} ([\d.]+)', httpx.get(f"{url}/metrics",
                           verify=context, timeout=20).text)
                for _ in range(8)
            ]  # fmt: skip
        finally:
            started.send_signal(signal.SIGTERM)
            code = started.wait(30)
    chains = list((tmp_path / "state/audit").glob("*.jsonl"))

    assert health.json()["status"] == "ok"
    assert got.json()["choices"][0]["message"]["content"] == "At nine."
    assert no.status_code == 401
    assert counted == [["1.0"]] * 8
    assert len(chains) == 2
    assert told.read_text(encoding="utf-8").count(f"The guard answers at {url}/v1") == 1
    assert code in (0, -signal.SIGTERM)


def test_an_address_that_is_taken(tmp_path: Path) -> None:
    """Where another program listens, one fault says so, and nothing is started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        service = Service(state=str(tmp_path), port=other.getsockname()[1])
        with pytest.raises(InputError, match="another program listens there"):
            serve(service)

    assert not (tmp_path / "audit").exists()


def test_settings_are_frozen(tmp_path: Path) -> None:
    """Settings cannot be changed under a running server."""
    settings = ServeSettings(tmp_path)
    with pytest.raises(AttributeError):
        settings.checks = False  # type: ignore[misc]

    assert replace(settings, checks=False).checks is False


def test_a_server_lets_go_of_old_verdicts_while_it_runs(tmp_path: Path) -> None:
    """Each day a file of its own; what is too old goes, what was contested stays, and it holds."""
    day = [datetime(2026, 1, 1, 23, 59, tzinfo=UTC)]
    made = ServeSettings(state=tmp_path, keep_days=2)
    desk = Desk(WordGuard(policy()), made, now=lambda: day[0])
    kept = []

    async def one() -> str:
        case = desk.case("chat")
        await case.screen(Exchange(utterances=(), answer=BAD))
        await case.seal()
        return case.id

    for number in range(6):
        day[0] = datetime(2026, 1, 1 + number, 23, 59, tzinfo=UTC)
        desk.tend()
        kept.append(asyncio.run(one()))
        desk.tend()
        if number == 0:
            desk.book.add_contest("cnt_a", kept[0], "2026-01-01", {"verdict": kept[0]})
    # Files that a request may still write to are held for an hour.
    assert desk.book.get(kept[1]) is not None
    desk.close()
    again = Desk(WordGuard(policy()), made, now=lambda: day[0])
    again.tend()
    there = [again.book.get(one) is not None for one in kept]
    trouble = set(again.trouble)
    again.close()

    assert there == [True, False, False, True, True, True]
    assert trouble == set()
    assert check_chains(tmp_path / "audit") == ()
    assert len(list((tmp_path / "audit").glob("*-kept.jsonl"))) == 1


def test_a_verdict_tells_what_decided_it(tmp_path: Path) -> None:
    """Other parts under the same policy: another digest in verdict, header, checks and page."""
    first = WordGuard(policy())
    second = WordGuard(policy(), parts={"words": "other weights"})
    seen = []
    with (
        upstream(says("x")) as server,
        proxy(first, tmp_path, server, load=lambda: second) as at,
    ):
        for _ in range(2):
            reply = httpx.post(f"{at.url}/chat/completions", json={"messages": ASKED})
            told = httpx.get(f"{at.url}/verdicts/{reply.headers['x-normwright-verdict-id']}").json()
            page = httpx.get(told["url"], headers={"accept-language": "en"}).text
            checked = httpx.post(f"{at.url}/checks", json={"messages": ASKED}).json()["normwright"]
            decided_by = told["verdicts"][0]["decided_by"]
            assert (
                decided_by
                == reply.headers["x-normwright-decided-by"]
                == checked["decided_by"]["digest"]
            )
            assert decided_by in page
            assert "Decided with" in page
            seen.append((decided_by, told["parts"], checked["decided_by"]["words"]))
            assert at.desk.reload()

    assert seen[0][0] != seen[1][0]
    assert seen[0][1] == first.parts
    assert seen[1][1] == {"words": "other weights"}
    assert seen[1][2] == "other weights"
    bodies = [line.body for p in (tmp_path / "audit").iterdir() for line in read_lines(p)]
    assert seen[1][0] in [b.get("decided_by") for b in bodies]


def test_answers_do_not_wait_for_an_acknowledgement(tmp_path: Path) -> None:
    """What is accepted is known as TCP and sends small parts at once."""
    with _bound(Service(state=str(tmp_path), port=0)) as places:
        for place in places:
            place.listen()
            with socket.create_connection(place.getsockname()[:2]):
                accepted, _ = place.accept()
                with accepted:
                    assert accepted.proto == socket.IPPROTO_TCP
                    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
