"""A model behind an API answers like any other, survives what networks do, and costs what it says.

Everything runs against a real server on loopback; nothing of the client is replaced.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.serving import Fail, first, served

from normwright.models import Model, ScriptedModel
from normwright.models.answered import Answered
from normwright.models.endpoint import Budget, Price, RemoteSettings
from normwright.models.remote import RemoteModel
from normwright.records import BudgetError, InputError, Message, RemoteError, digest_bytes

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

KEY = "sk-very-secret-0123456789"


def say(*texts: str) -> list[list[Message]]:
    """One conversation of one turn for each text."""
    return [[Message(role="user", content=text)] for text in texts]


def shout(prompt: Sequence[Message]) -> str:
    """An answer that shows what was asked."""
    return prompt[-1].content.upper()


SHOUTING = ScriptedModel("shouting", shout)


class Sampling:
    """A model whose sampled answers show their seed and place."""

    name = "sampling"

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        return [[f"{p[-1].content}/{temperature:g}/{seed + i}" for i in range(n)] for p in prompts]

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        raise NotImplementedError


def remote(url: str, *, answered: Answered | None = None, **changes: Any) -> RemoteModel:
    """A client of a served model, impatient where nothing else is said."""
    base: dict[str, Any] = {"url": url, "id": "served", "retries": 2, "read_seconds": 5.0}
    return RemoteModel(RemoteSettings(**{**base, **changes}), answered=answered)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the first wait, so that repetitions take no time to speak of."""
    monkeypatch.setattr("normwright.models.remote._FIRST_WAIT", 0.01)


# What it answers


def test_it_is_a_model_and_answers_in_order() -> None:
    """Answers stand where their prompts do, though later ones come first; equal ones ask once."""
    texts = [f"line {i}" for i in range(12)]

    def delay(body: dict[str, Any]) -> float:
        return 0.002 * (12 - int(body["messages"][0]["content"].split()[1]))

    with served(SHOUTING, delay=delay) as server:
        model = remote(server.url, concurrency=6)
        assert isinstance(model, Model)
        answers = model.generate(say(*texts, *texts), max_new_tokens=9)

        assert answers == [[text.upper()] for text in (*texts, *texts)]
        assert len(server.asked) == 12
        assert {one.body["max_tokens"] for one in server.asked} == {9}
        assert {one.path for one in server.asked} == {"/v1/chat/completions"}
        assert not any("seed" in one.body or "n" in one.body for one in server.asked)


def test_a_trained_model_says_the_same_through_an_endpoint(tiny: Any) -> None:
    """Weights in memory and the same weights behind an endpoint give equal greedy answers."""
    prompts = say("When does the library open?", "Quando abre a biblioteca?")
    with served(tiny) as server:
        answers = remote(server.url).generate(prompts, max_new_tokens=6)

        assert answers == [tiny.generate([p], max_new_tokens=6)[0] for p in prompts]


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_requests_are_under_way_than_allowed(concurrency: int) -> None:
    """The server itself counts: the limit is reached and never passed."""
    with served(SHOUTING, delay=lambda body: 0.03) as server:
        remote(server.url, concurrency=concurrency).generate(say(*map(str, range(9))))

        assert server.peak == concurrency


@pytest.mark.parametrize("how", ["all", "ignore_n", "refuse_n"])
def test_several_answers_come_from_every_kind_of_server(how: str) -> None:
    """Whether a server honours, ignores or refuses `n`, there are n answers and n seeds."""
    flags = {how: True} if how != "all" else {}
    with served(Sampling(), **flags) as server:  # type: ignore[arg-type]
        model = remote(server.url)
        answers = model.generate(say("a", "b"), temperature=0.5, n=3, seed=7)

        assert answers == [[f"{p}/0.5/{seed}" for seed in (7, 8, 9)] for p in "ab"]
        before = len(server.asked)
        assert model.generate(say("b"), temperature=0.5, n=3, seed=7) == answers[1:]
        assert all(one.body.get("n", 1) == 3 for one in server.asked[before:])
        assert model.generate(say("b"), temperature=0.5, seed=2**31 + 3) == [["b/0.5/3"]]


def test_greedy_answers_are_asked_for_once_however_many_are_wanted() -> None:
    """At temperature 0 all n are the same, so one request does, and no seed is sent."""
    with served(Sampling()) as server:
        answers = remote(server.url).generate(say("a"), n=3, seed=5)

        assert answers == [["a/0/0"] * 3]
        assert len(server.asked) == 1


def test_it_works_inside_a_running_loop() -> None:
    """A notebook or a server has a loop of its own; the model does not mind."""
    import asyncio

    with served(SHOUTING) as server:
        model = remote(server.url)

        async def ask() -> list[list[str]]:
            return model.generate(say("x"))

        assert asyncio.run(ask()) == [["X"]]


def test_what_the_settings_say_is_sent() -> None:
    """Stop texts, further fields and headers, the name of the length, a key in its own header."""
    os.environ["NW_TEST_KEY"] = KEY
    try:
        with served(SHOUTING, key=KEY, key_header="api-key") as server:
            model = remote(
                server.url,
                key_env="NW_TEST_KEY",
                key_header="api-key",
                headers={"X-Team": "charter"},
                extra={"reasoning_effort": "low"},
                length_field="max_completion_tokens",
                stop=("\n\n",),
            )

            assert model.generate(say("x"), max_new_tokens=3) == [["X"]]
            [asked] = server.asked
            assert asked.headers["X-Team"] == "charter"
            assert "Authorization" not in asked.headers
            assert asked.body["max_completion_tokens"] == 3
            assert "max_tokens" not in asked.body
            assert (asked.body["stop"], asked.body["reasoning_effort"]) == (["\n\n"], "low")
    finally:
        del os.environ["NW_TEST_KEY"]


# What goes wrong

PASSING = {
    "429": Fail(429, b'{"error": {"message": "slow down"}}', {"Retry-After": "0"}),
    "500": Fail(500, b"oops"),
    "502": Fail(502, b"<html>Bad Gateway</html>"),
    "503": Fail(503, b"", {"Retry-After": "0.01"}),
    "504": Fail(504, b""),
    "silence": Fail(hang=2.0),
    "trickle": Fail(trickle=0.05),
    "endless headers": Fail(endless=0.05),
    "reset": Fail(cut=7),
    "reset at once": Fail(cut=0),
    "garbage": Fail(body=b"<html>" + b"\x00\xff" * 9),
    "nested": Fail(body=b"[" * 100_000),
    "half": Fail(body=b'{"choices": [{"mess'),
    "empty": Fail(body=b""),
    "error under 200": Fail(body=b'{"error": {"message": "upstream", "code": 502}}'),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_may_pass_is_tried_again(name: str) -> None:
    """After one failure of each kind the answer comes, and the repetition is counted."""
    with served(SHOUTING, fail=first(PASSING[name])) as server:
        model = remote(server.url, read_seconds=0.3, total_seconds=0.5)

        assert model.generate(say("x")) == [["X"]]
        assert len(server.asked) == 2
        assert model.use("base", content="sha256:0").retries == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("429", "status 429 (slow down), at the last of 3 attempts"),
        ("502", "status 502 (<html>Bad Gateway</html>), at the last"),
        ("silence", "nothing for 0.1 s, at the last"),
        ("trickle", "no whole reply within 0.4 s, at the last"),
        ("reset", "a connection that broke off ("),
        ("garbage", "a reply that is no JSON (<html>"),
        ("empty", "an empty reply, at the last"),
        ("error under 200", "an error (upstream), at the last"),
    ],
)
def test_what_does_not_pass_is_told_once_in_its_own_words(name: str, told: str) -> None:
    """When the attempts are used up, one fault says what was seen, where, and what to do."""
    with served(SHOUTING, fail=lambda number, body: PASSING[name]) as server:
        model = remote(server.url, read_seconds=0.1, total_seconds=0.4)
        with pytest.raises(RemoteError) as raised:
            model.generate(say("x"))

        assert len(server.asked) == 3
        [fault] = raised.value.faults
        assert fault.where == f"served at {server.url}"
        assert told in fault.seen
        assert "kept" in fault.do


FATAL = {
    "400": (Fail(400, b'{"error": {"message": "too long"}}'), "status 400 (too long)"),
    "402": (Fail(402, b"{}"), "status 402"),
    "403": (Fail(403, b'{"error": "no"}'), "status 403 (no)"),
    "301": (Fail(301, b"", {"Location": "https://elsewhere.example/"}), "status 301"),
    "418": (Fail(418, b""), "status 418"),
    "quota": (
        Fail(429, b'{"error": {"message": "pay", "code": "insufficient_quota"}}'),
        "status 429 (pay)",
    ),
    "no object": (Fail(body=b"[1]"), "a list"),
    "no choices": (Fail(body=b'{"choices": []}'), "no choices"),
    "another form": (Fail(body=b'{"candidates": [1]}'), "no field `choices`"),
    "no message": (Fail(body=b'{"choices": [{"text": "x"}]}'), "a choice without a message"),
    "no text": (
        Fail(body=b'{"choices": [{"message": {"content": null}, "finish_reason": "tool_calls"}]}'),
        "an answer without a text, which ended by `tool_calls`",
    ),
    "too long a wait": (Fail(503, b"", {"Retry-After": "3600"}), "come back in 3600 s"),
    "huge": (Fail(body=b" " * 70_000), "more"),
}


@pytest.mark.parametrize("name", FATAL)
def test_what_will_not_pass_is_asked_once(name: str) -> None:
    """A refusal, a redirect, another form or too large a reply is one clear fault at once."""
    fail, told = FATAL[name]
    with served(SHOUTING, fail=lambda number, body: fail) as server:
        with pytest.raises(RemoteError) as raised:
            remote(server.url, max_bytes=65_536).generate(say("x"))

        assert len(server.asked) == 1
        [fault] = raised.value.faults
        assert told in fault.seen


def test_a_wrong_model_and_a_wrong_address_are_named() -> None:
    """What does not exist is told with the name that was asked for."""
    with served(SHOUTING) as server:
        with pytest.raises(RemoteError, match="expected a model other and the address /chat"):
            remote(server.url, id="other").generate(say("x"))
        gone = server.url
    with pytest.raises(RemoteError, match="no connection"):
        remote(gone, retries=1).generate(say("x"))


def test_an_endpoint_that_asks_for_time_gets_it_from_everybody() -> None:
    """A `Retry-After` is kept to: while one request waits, no other is sent."""
    when: list[float] = []

    def fail(number: int, body: dict[str, Any]) -> Fail | None:
        return (
            Fail(429, b"", {"Retry-After": "0.5"})
            if body["messages"][0]["content"] == "a" and (len(when) <= 2)
            else None
        )

    def delay(body: dict[str, Any]) -> float:
        when.append(time.monotonic())
        return 0.0 if body["messages"][0]["content"] == "a" else 0.2

    with served(SHOUTING, fail=fail, delay=delay) as server:
        answers = remote(server.url, concurrency=2).generate(say("a", "b", "c", "d"))

    assert answers == [["A"], ["B"], ["C"], ["D"]]
    assert len(when) == 5
    assert min(when[2:]) - max(when[:2]) >= 0.45


def test_one_that_waits_is_woken_when_another_cannot_go_on() -> None:
    """A long wait ends at once, and nothing is sent after it."""

    def fail(number: int, body: dict[str, Any]) -> Fail | None:
        if body["messages"][0]["content"] == "waits":
            return Fail(503, b"", {"Retry-After": "30"})
        return Fail(403, b"{}")

    def delay(body: dict[str, Any]) -> float:
        return 0.0 if body["messages"][0]["content"] == "waits" else 0.3

    started = time.monotonic()
    with served(SHOUTING, fail=fail, delay=delay) as server:
        with pytest.raises(RemoteError, match="status 403"):
            remote(server.url, concurrency=2).generate(say("waits", "bad"))

        assert len(server.asked) == 2
    assert time.monotonic() - started < 15


def test_a_retry_after_may_be_a_date() -> None:
    """The header's other form is understood, and one in the past means now."""
    past = (datetime.now(UTC) - timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    soon = (datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    with served(SHOUTING, fail=first(Fail(503, b"", {"Retry-After": past}))) as server:
        assert remote(server.url).generate(say("x")) == [["X"]]
    later = first(Fail(503, b"", {"Retry-After": soon}))
    with (
        served(SHOUTING, fail=later) as server,
        pytest.raises(RemoteError, match=r"come back in 3[56]\d\d"),
    ):
        remote(server.url).generate(say("x"))


def test_one_that_cannot_go_on_stops_the_others_and_loses_nothing() -> None:
    """After a refusal no new request starts, those under way end, and what came is kept."""

    def fail(number: int, body: dict[str, Any]) -> Fail | None:
        return Fail(403, b"{}") if body["messages"][0]["content"] == "bad" else None

    def delay(body: dict[str, Any]) -> float:
        return 0.2 if body["messages"][0]["content"] == "slow" else 0.0

    answered = Answered()
    with served(SHOUTING, fail=fail, delay=delay) as server:
        model = remote(server.url, concurrency=2, answered=answered)
        with pytest.raises(RemoteError, match="status 403"):
            model.generate(say("slow", "bad", *map(str, range(50))))

        assert len(server.asked) == 2
        assert [one.texts for one in answered] == [("SLOW",)]


# What it says without saying anything


def test_withheld_cut_and_empty_answers_are_answers_and_are_counted() -> None:
    """A filtered answer is an empty one, a cut one is kept, and the record counts each."""
    finishes = {"NO": "content_filter", "LONG": "length"}
    with served(SHOUTING, finish=lambda text: finishes.get(text, "stop")) as server:
        model = remote(server.url)
        answers = model.generate(say("no", "long", "fine", " "))
        use = model.use("base", content="sha256:0")

    assert answers == [[""], ["LONG"], ["FINE"], [""]]
    assert use.finishes == {"content_filter": 1, "length": 1, "stop": 2}
    assert use.empty == 2


def test_parts_and_refusals_are_texts() -> None:
    """Content in parts is joined; a refusal in its own field is the answer."""
    parts = {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    refusal = {"content": None, "refusal": "I cannot."}
    replies = [
        Fail(body=json.dumps({"choices": [{"message": m}]}).encode()) for m in (parts, refusal)
    ]
    with served(SHOUTING, fail=first(*replies)) as server:
        model = remote(server.url, concurrency=1)

        assert model.generate(say("1", "2")) == [["ab"], ["I cannot."]]
        assert model.use("base", content="sha256:0").finishes == {"unsaid": 2}


# What it costs


def test_tokens_and_cost_are_counted() -> None:
    """The record tells requests, tokens and cost as the endpoint counted them."""
    price = Price(input=2.0, output=10.0, currency="EUR")
    with served(SHOUTING, fingerprint="fp_1") as server:
        model = remote(server.url, price=price, as_of="2026-11")
        model.generate(say("one two three", "four"))
        use = model.use("base", content=digest_bytes(model.replies()))

    assert (use.requests, use.answers, use.prompt_tokens, use.completion_tokens) == (2, 2, 4, 4)
    assert use.cost == pytest.approx((4 * 2 + 4 * 10) / 1e6)
    assert (use.currency, use.uncounted, use.as_of) == ("EUR", 0, "2026-11")
    assert (use.model, use.served, use.fingerprints) == ("served", ("served-2026-11",), ("fp_1",))
    assert use.endpoint == server.url
    assert use.reproducible is False
    assert use.first_asked <= use.last_asked
    assert datetime.fromisoformat(use.first_asked).tzinfo is not None


def test_tokens_that_nobody_counted_are_unknown() -> None:
    """Without `usage` tokens and cost are null, never 0; one such reply makes the sum unknown."""
    price = Price(input=2.0, output=10.0, currency="EUR")
    whole = {"choices": [{"message": {"content": "y"}}], "usage": {"prompt_tokens": True}}
    with served(SHOUTING, usage=False) as server:
        model = remote(server.url, price=price)
        model.generate(say("x"))
        use = model.use("base", content="sha256:0")
    with served(SHOUTING, fail=first(Fail(body=json.dumps(whole).encode()))) as server:
        model = remote(server.url, price=price, concurrency=1)
        model.generate(say("x", "z"))
        mixed = model.use("base", content="sha256:0")

    for one, uncounted in ((use, 1), (mixed, 1)):
        assert (one.prompt_tokens, one.completion_tokens, one.cost) == (None, None, None)
        assert one.uncounted == uncounted


def test_no_price_is_no_cost() -> None:
    """Without a price tokens are told and cost is unknown."""
    with served(SHOUTING) as server:
        model = remote(server.url)
        model.generate(say("x"))
        use = model.use("base", content="sha256:0")

    assert (use.prompt_tokens, use.cost, use.currency) == (1, None, None)


@pytest.mark.parametrize(
    ("budget", "asked", "told"),
    [
        (Budget(requests=3), 3, "requests: expected at most 3, saw 4"),
        (Budget(tokens=150), 3, "tokens: expected at most 150, saw"),
        (Budget(cost=0.0015), 3, "cost: expected at most 0.0015, saw"),
    ],
)
def test_a_budget_stops_before_it_is_passed(budget: Budget, asked: int, told: str) -> None:
    """The request that could pass a limit is not sent; what was answered is kept and counted."""
    price = Price(input=10.0, output=10.0, currency="EUR")
    answered = Answered()
    with served(SHOUTING) as server:
        model = remote(server.url, budget=budget, price=price, concurrency=1, answered=answered)
        with pytest.raises(BudgetError) as raised:
            model.generate(say(*map(str, range(90))), max_new_tokens=100)
        sent = len(server.asked)

        assert told in str(raised.value)
        assert sent == len(answered) >= 1
        assert sent == asked or "requests" not in told
        # Known answers cost nothing; the next new one is refused by whoever opens the same file.
        assert model.generate(say("0"), max_new_tokens=100) == [["0"]]
        again = remote(server.url, budget=budget, price=price, answered=answered)
        with pytest.raises(BudgetError):
            again.generate(say(*map(str, range(100, 200))), max_new_tokens=100)
        assert len(server.asked) == sent


def test_what_was_surely_not_charged_is_given_back() -> None:
    """A 429 runs no model, so it takes nothing from the budget."""
    fails = first(*[Fail(429, b"", {"Retry-After": "0"})] * 2)
    with served(SHOUTING, fail=fails) as server:
        model = remote(server.url, budget=Budget(requests=1))
        assert model.generate(say("x")) == [["X"]]
        with pytest.raises(BudgetError):
            model.generate(say("y"))

        assert len(server.asked) == 3


def test_a_budget_holds_under_concurrency() -> None:
    """Requests under way count with the most that they can take."""
    with served(SHOUTING, delay=lambda body: 0.01) as server:
        with pytest.raises(BudgetError):
            remote(server.url, budget=Budget(requests=5), concurrency=8).generate(
                say(*map(str, range(40)))
            )

        assert len(server.asked) == 5


def test_what_may_have_been_charged_counts() -> None:
    """A request lost after it was sent stays in the budget, also after a restart."""
    answered = Answered()
    fails = first(Fail(cut=3), Fail(429, b"", {"Retry-After": "0"}))
    with served(SHOUTING, fail=fails) as server:
        model = remote(server.url, answered=answered)
        model.generate(say("x"))
        use = model.use("base", content="sha256:0")

    assert (use.lost, use.retries) == (1, 2)
    assert len(answered.lost) == 1
    assert answered.lost[0].completion_tokens == 48
    with pytest.raises(BudgetError, match="requests: expected at most 2, saw 3"):
        remote(server.url, answered=answered, budget=Budget(requests=2)).generate(say("y"))


# What is kept


def test_nothing_is_paid_for_twice(tmp_path: Path) -> None:
    """A new process with the same file sends nothing, and tells the same use and replies."""
    path = tmp_path / "cache" / "answers.jsonl"
    prompts = say("é", "e\u0301", "x\u2028y")
    with served(SHOUTING, ignore_n=True) as server:
        models = [remote(server.url, answered=Answered.open(path)) for _ in "12"]
        asked = []
        made = []
        for model in models:
            made.append(
                (
                    model.generate(prompts),
                    model.generate(prompts, temperature=1.0, n=2),
                    model.replies(),
                )
            )
            asked.append(len(server.asked))
            models[1]._answered = Answered.open(path)
        uses = [m.use("base", content=digest_bytes(m.replies())) for m in models]

    assert made[0] == made[1]
    assert asked[0] == asked[1]
    assert uses[0].digest == uses[1].digest
    assert uses[0] == uses[1]
    assert path.stat().st_mode & 0o077 == 0


KILLED = """
import sys
from pathlib import Path
from normwright.models.answered import Answered
from normwright.models.endpoint import RemoteSettings
from normwright.models.remote import RemoteModel
from normwright.records import Message

model = RemoteModel(RemoteSettings(url=sys.argv[1], id="served", concurrency=2),
                    answered=Answered.open(Path(sys.argv[2])))
print("ready", flush=True)
model.generate([[Message(role="user", content=str(i))] for i in range(40)])
"""


def test_a_killed_run_goes_on_without_paying_again(tmp_path: Path) -> None:
    """After SIGKILL in the middle, only what had not been answered is asked."""
    path = tmp_path / "answers.jsonl"
    with served(SHOUTING, delay=lambda body: 0.05) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, server.url, str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        with process.stdout:
            while len(server.asked) < 12:
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=20)
        time.sleep(0.2)
        before = len(server.asked)
        answered = Answered.open(path)
        kept = len(answered)
        answers = remote(server.url, answered=answered).generate(say(*map(str, range(40))))

        assert answers == [[str(i)] for i in range(40)]
        assert kept >= 8
        # Those under way at the kill were sent and not heard of: two at most.
        assert before - kept <= 2
        assert len(server.asked) == before + 40 - kept


def test_a_torn_line_is_dropped_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    """A cut at any byte of the last line loses that reply alone; other damage is a fault a line."""
    path = tmp_path / "answers.jsonl"
    with served(SHOUTING) as server:
        remote(server.url, answered=Answered.open(path), concurrency=1).generate(say("a", "b"))
    data = path.read_bytes()
    begin = data.index(b"\n") + 1
    for cut in (begin + 1, (begin + len(data)) // 2, len(data) - 1):
        path.write_bytes(data[:cut])
        assert len(Answered.open(path)) == 1
        assert path.read_bytes() == data[:begin]
    path.write_bytes(b"{}\n" + data.replace(b'"content": "a"', b'"content": "c"') + b"null\n")
    with pytest.raises(InputError) as raised:
        Answered.open(path)

    assert [f.where.rsplit(":", 1)[1] for f in raised.value.faults] == ["1", "2", "4"]
    assert path.read_bytes().endswith(b"null\n")


def test_a_full_disk_leaves_no_torn_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails is taken back, and the file holds whole lines only."""
    path = tmp_path / "answers.jsonl"
    with served(SHOUTING) as server:
        model = remote(server.url, answered=Answered.open(path), concurrency=1)
        model.generate(say("a"))
        before = path.read_bytes()
        write = os.write
        monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:20]))
        with pytest.raises(OSError, match="No space left"):
            model.generate(say("b"))
        monkeypatch.undo()

        assert path.read_bytes() == before


def test_another_mark_is_another_model() -> None:
    """`as_of`, address, model, headers and fields make the identity; how it is asked does not."""
    base = RemoteSettings(url="https://a.example/v1", id="m")

    def same(**changes: Any) -> bool:
        made = RemoteSettings(**{"url": "https://a.example/v1", "id": "m", **changes})
        return made.identity == base.identity

    assert same(concurrency=9, retries=0, price=Price(input=1, output=1, currency="X"))
    assert same(url="https://A.example/v1/")
    for changes in (
        {"as_of": "2"},
        {"id": "n"},
        {"url": "https://a.example/v2"},
        {"extra": {"x": 1}},
    ):
        assert not same(**changes)


# The key


def everything(error: BaseException) -> str:
    """All that a trace of an error shows, with every local variable of every frame of ours."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    for frame in shown.stack:
        if frame.filename == __file__:
            frame.locals = None
    assert any(frame.locals for frame in shown.stack)
    return "".join(shown.format()) + repr(error) + repr(error.__context__)


@pytest.mark.parametrize("header", ["Authorization", "api-key"])
def test_the_key_is_nowhere(
    header: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Not in logs, errors, traces with locals, reprs, records or files; the server gets it."""
    monkeypatch.setenv("NW_TEST_KEY", KEY)
    path = tmp_path / "answers.jsonl"
    caplog.set_level(logging.DEBUG)
    told = []

    def echo(prompt: Sequence[Message]) -> str:
        return f"your key is {KEY}"

    given: dict[str, Any] = {"key_env": "NW_TEST_KEY", "key_header": header, "retries": 1}
    with served(ScriptedModel("e", echo), key=KEY, key_header=header) as server:
        model = remote(server.url, answered=Answered.open(path), **given)
        assert model.generate(say("x")) == [["your key is [key]"]]
        told += [repr(model), str(vars(model)), repr(model.settings)]
        told += [model.settings.model_dump_json(), model.replies().decode()]
        told += [model.use("base", content="sha256:0").model_dump_json()]
        monkeypatch.setenv("NW_TEST_KEY", KEY + "-wrong")
        with pytest.raises(RemoteError, match="status 401") as raised:
            model.generate(say("y"))
        assert "NW_TEST_KEY" in str(raised.value)
        told.append(everything(raised.value))
        monkeypatch.setenv("NW_TEST_KEY", KEY)
        for fail in (Fail(500, KEY.encode()), Fail(hang=1), Fail(cut=4), Fail(body=KEY.encode())):
            server.fail = lambda number, body, fail=fail: fail  # type: ignore[misc]
            failing = remote(server.url, **given, read_seconds=0.1)
            with pytest.raises(RemoteError) as raised:
                failing.generate(say("z"))
            told.append(everything(raised.value))
        assert any(KEY in value for value in server.asked[0].headers.values())

    told += [caplog.text, *capfd.readouterr(), path.read_text()]
    assert [text for text in told if KEY in text] == []


@pytest.mark.parametrize("value", [None, "", "short", "with space inside", "ключ-ключ-ключ"])
def test_a_missing_or_impossible_key_is_told_before_anything_is_sent(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault names the variable and never what it holds."""
    monkeypatch.delenv("NW_TEST_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("NW_TEST_KEY", value)
    with pytest.raises(InputError, match="environment variable NW_TEST_KEY") as raised:
        remote("https://a.example/v1", key_env="NW_TEST_KEY")

    assert not value or value not in str(raised.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"key_env": KEY},
        {"key_env": "lowercase"},
        {"url": f"https://user:{KEY}@a.example/v1"},
        {"url": f"https://a.example/v1?key={KEY}"},
        {"url": "ftp://a.example"},
        {"url": "https://"},
        {"url": "https://a.example:port/v1"},
        {"url": "http://a.example/v1"},
        {"headers": {"Authorization": f"Bearer {KEY}"}},
        {"headers": {"x-api-key": KEY}},
        {"headers": {"X-A": "two\nlines"}},
        {"extra": {"seed": 3}},
        {"budget": Budget(cost=1.0)},
        {"timeout": 3},
    ],
    ids=str,
)
def test_settings_that_hold_a_secret_or_make_no_sense_are_refused(changes: dict[str, Any]) -> None:
    """No message of ours repeats a value that may be a key."""
    with pytest.raises(ValueError, match="validation error") as raised:
        RemoteSettings(**{"url": "https://a.example/v1", "id": "m", **changes})

    assert all(KEY not in one["msg"] for one in raised.value.errors())  # type: ignore[attr-defined]


def test_plain_http_is_for_this_machine() -> None:
    """Loopback needs no cipher; another machine needs it, or a word that the net is trusted."""
    for url in ("http://localhost:8000/v1", "http://127.0.0.1/v1", "http://[::1]:1/v1"):
        assert RemoteSettings(url=url, id="m").endpoint == url
    assert RemoteSettings(url="http://gpu.lan:8000/v1", id="m", plain_http=True)


@given(a=st.sampled_from(["https://h.example/v1", "https://H.example:443/v1/"]), b=st.booleans())
def test_one_place_spelled_in_two_ways_is_one_place(a: str, b: bool) -> None:
    """Case, a final slash and the usual port do not make another model."""
    other = RemoteSettings(url=a, id="M" if b else "m")

    assert RemoteSettings(url="https://h.example/v1", id="m").is_same_model(other)
    assert not RemoteSettings(url="https://h.example/v2", id="m").is_same_model(other)


# Log-probabilities


def test_log_probabilities_equal_those_of_the_same_weights(tiny: Any, tmp_path: Path) -> None:
    """Where an endpoint echoes, the sum over completion and stop token is the local one."""
    import torch

    def echo(text: str) -> tuple[list[int], list[float | None]]:
        made = tiny.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids = torch.tensor([made["input_ids"]])
        with torch.no_grad():
            scores = torch.log_softmax(tiny.weights(input_ids=ids).logits.float(), -1)[0]
        values = [float(scores[i - 1, ids[0, i]]) for i in range(1, ids.shape[1])]
        return [start for start, _ in made["offset_mapping"]], [None, *values]

    tiny.tokenizer.save_pretrained(tmp_path)
    prompts = say("When does the library open?", "Quando abre?")
    answers = ["At nine.", "Às nove."]
    with served(tiny, echo=echo) as server:
        model = remote(server.url, tokenizer=str(tmp_path))
        values = model.logprobs(prompts, answers)

        assert values == pytest.approx(tiny.logprobs(prompts, answers), abs=1e-3)
        assert model.use("base", content="sha256:0").answers == 0


def test_an_endpoint_without_log_probabilities_says_so(tiny: Any, tmp_path: Path) -> None:
    """No number is made up: a missing address, a missing field or a hole in it is one fault."""
    tiny.tokenizer.save_pretrained(tmp_path)
    logprobs = {"text_offset": [0, 29], "token_logprobs": [None, None]}
    plain = json.dumps({"choices": [{"text": "x"}]}).encode()
    holes = json.dumps({"choices": [{"text": "x", "logprobs": logprobs}]}).encode()
    with served(SHOUTING) as server:
        model = remote(server.url, tokenizer=str(tmp_path))
        for fail in (None, Fail(400, b"{}"), Fail(body=plain), Fail(body=holes)):
            server.fail = lambda number, body, fail=fail: fail  # type: ignore[misc]
            with pytest.raises(RemoteError, match="expected log-probabilities of given texts"):
                model.logprobs(say("x"), ["y"])
        with pytest.raises(InputError, match="the directory of the model's tokenizer"):
            remote(server.url).logprobs(say("x"), ["y"])


# Whatever comes


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    reply=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["choices", "message", "content", "error", "usage", "finish_reason"]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    )
)
def test_any_reply_is_an_answer_or_a_remote_error(reply: Any) -> None:
    """Whatever JSON a server sends, the outcome is a text or one clear fault, never a crash."""
    with served(SHOUTING, fail=lambda number, body: Fail(body=json.dumps(reply).encode())) as s:
        try:
            made: Any = remote(s.url, retries=0).generate(say("x"))
        except RemoteError as error:
            made = error.faults

    assert made
    assert isinstance(made, tuple) or isinstance(made[0][0], str)
