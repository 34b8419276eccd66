"""A model behind any interface that speaks as OpenAI's does: asked with care, and accounted for.

The key is read from the environment at the moment a request is sent and is kept nowhere, so that no
message, record, trace or `repr` can hold it.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import math
import os
import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from normwright import __version__
from normwright.models.answered import Answered, Lost, Replied, key_of
from normwright.models.endpoint import RemoteSettings
from normwright.records import (
    BudgetError,
    Digest,
    Fault,
    InputError,
    Message,
    MissingExtra,
    RemoteError,
    RemoteUse,
)

T = TypeVar("T")

CHAT: Final = "/chat/completions"
COMPLETIONS: Final = "/completions"

FILTERED: Final = "content_filter"
"""How an endpoint says that it withheld an answer. To whoever asked, that is an empty answer."""

_AGAIN = frozenset({408, 409, 425, 429})
"""Statuses beside 5xx after which the same request may succeed."""
_UNPAID = frozenset({429, 502, 503})
"""Statuses that say that no model was run."""
_NO_ECHO = frozenset({400, 404, 405, 422, 501})
"""How endpoints that score no given text refuse to."""
_SPENT = ("insufficient_quota", "billing_hard_limit_reached")
"""Codes of a 429 that no waiting mends."""
_FIRST_WAIT = 0.5
"""Seconds before the first repetition; doubled for each further one, and shaken by half."""
_PER_MESSAGE = 16
"""Tokens a chat template adds to a message, at most, as the budget reckons."""
_SAID = 200
"""Characters of an endpoint's own words that a message repeats."""
_SEEDS = 2**31
"""Seeds are sent below this, because some servers hold them in 32 bits."""


class _Refused(RemoteError):
    """The endpoint will not take this request (400 or 422), however often it is sent."""


class _Passing(Exception):
    """Something that may be gone at the next attempt.

    Args:
        seen: what it was, in words.
        wait: seconds the endpoint asks to wait.
        charged: the model may have run, so that the request may be charged.
    """

    def __init__(self, seen: str, *, wait: float | None = None, charged: bool = True) -> None:
        super().__init__(seen)
        self.seen = seen
        self.wait = wait
        self.charged = charged


class _Key(httpx.Auth):
    """Puts the key from the environment on a request, and holds it no longer than that."""

    def __init__(self, settings: RemoteSettings) -> None:
        self._settings = settings

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._settings.key_env is not None:
            header = self._settings.key_header
            bearer = "Bearer " if header.casefold() == "authorization" else ""
            request.headers[header] = bearer + _key_of(self._settings)
        yield request


@dataclass
class _Purse:
    """What was spent, what is under way, and what may be spent."""

    settings: RemoteSettings
    requests: int = 0
    tokens: int = 0
    cost: float = 0.0

    def take(self, lost: Lost) -> None:
        """Set aside the most that a request can take.

        Raises:
            BudgetError: if that would exceed the budget.
        """
        budget, price = self.settings.budget, self.settings.price
        wanted = (
            ("requests", budget.requests, self.requests + 1, ""),
            ("tokens", budget.tokens, self.tokens + _tokens(lost), " at most, with the next"),
            ("cost", budget.cost, self.cost + self.cost_of(lost), " at most, with the next"),
        )
        over = [
            Fault(
                where=f"budget of {self.settings.id} at {self.settings.endpoint}: {name}",
                expected=f"at most {limit:g}",
                seen=f"{value:g}{how}" + (f", in {price.currency}" if price else ""),
                do="Raise the limit and start again: what was answered is kept.",
            )
            for name, limit, value, how in wanted
            if limit is not None and value > limit
        ]
        if over:
            raise BudgetError(over)
        self.count(lost)

    def count(self, lost: Lost) -> None:
        """Count a request and what it took."""
        self.requests += 1
        self.tokens += _tokens(lost)
        self.cost += self.cost_of(lost)

    def settle(self, most: Lost, taken: Lost | None) -> None:
        """Put what was taken in place of what was set aside for it, if it is known."""
        if taken is not None:
            self.tokens += _tokens(taken) - _tokens(most)
            self.cost += self.cost_of(taken) - self.cost_of(most)

    def give_back(self, most: Lost) -> None:
        """Forget a request for which nothing can have been charged."""
        self.settle(most, Lost(0, 0))
        self.requests -= 1

    def cost_of(self, lost: Lost) -> float:
        """Return the price of some tokens, 0 where there is no price."""
        price = self.settings.price
        if price is None:
            return 0.0
        read, written = lost.prompt_tokens * price.input, lost.completion_tokens * price.output
        return (read + written) / 1e6


@dataclass
class _Turn:
    """What the requests of one call share: a connection pool, a pause, the first error."""

    client: httpx.AsyncClient
    error: BaseException | None = None
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    not_before: float = 0.0

    def fail(self, error: BaseException) -> None:
        """Keep the first error; no new request starts, and those under way may end."""
        if self.error is None:
            self.error = error
        self.stopped.set()

    async def pause(self) -> None:
        """Wait as long as the endpoint asked anybody to, unless all is over."""
        while not self.stopped.is_set():
            left = self.not_before - asyncio.get_running_loop().time()
            if left <= 0:
                return
            await self.sleep(left)

    async def sleep(self, seconds: float) -> None:
        """Wait, unless all is over."""
        try:
            await asyncio.wait_for(self.stopped.wait(), seconds)
        except TimeoutError:
            return


class RemoteModel:
    """A `Model` over an endpoint's `/chat/completions`.

    Answers come in the order of the prompts, however many requests are under way at once. A request
    that was answered is never sent again while `answered` is kept, also when it is sampled: the
    same prompt with the same seed has the same answers. A withheld answer (`content_filter`) is an
    empty text, an answer cut at the length limit is what there is of it; `use` counts both.

    Args:
        settings: where the model is and how far one may go.
        name: role or address, for messages and reports.
        answered: replies that were given before, and the place for new ones.
        progress: called with (requests answered, requests in all) of the call under way.
        now: the time of day.

    Raises:
        InputError: if the environment lacks the key, or it cannot be one.
    """

    def __init__(
        self,
        settings: RemoteSettings,
        *,
        name: str = "remote",
        answered: Answered | None = None,
        progress: Callable[[int, int], None] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        check_key(settings)
        self.settings = settings
        self.name = name
        self._answered = answered if answered is not None else Answered()
        self._progress = progress
        self._now = now
        self._used: dict[Digest, None] = {}
        self._lost = 0
        self._one_each = False
        self._tokenizer: Any = None
        self._lock = threading.Lock()
        self._purse = _Purse(settings)
        for reply in self._answered:
            self._purse.count(_counted(reply) or self._most(reply.body))
        for lost in self._answered.lost:
            self._purse.count(lost)

    def __repr__(self) -> str:
        return f"RemoteModel({self.settings.id!r} at {self.settings.endpoint})"

    # What a model does

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        """Return `n` answers for each prompt; see `Model.generate`.

        Raises:
            RemoteError: if the endpoint does not answer as it should; what it answered is kept.
            BudgetError: before a request that could spend more than the budget.
        """
        drawn = n if temperature > 0 else 1
        bodies: list[dict[str, Any]] = [
            {
                **self.settings.extra,
                "model": self.settings.id,
                "messages": [{"role": m.role, "content": m.content} for m in prompt],
                self.settings.length_field: max_new_tokens,
                "temperature": temperature,
                **({"stop": list(self.settings.stop)} if self.settings.stop else {}),
            }
            for prompt in prompts
        ]
        first = seed % _SEEDS if temperature > 0 else None
        texts = self._each(bodies, lambda turn, body: self._draw(turn, body, drawn, first))
        return [list(one) if temperature > 0 else one * n for one in texts]

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the summed log-probability (nats) of each completion and its stop token.

        Needs an endpoint whose `/completions` takes `echo` with `logprobs`, as vLLM's does, and the
        model's own tokenizer, because only its chat template says what the model reads.

        Raises:
            RemoteError: if the endpoint gives no log-probabilities of given texts.
            InputError: if the settings name no tokenizer.
        """
        asked = [self._rendered(p, c) for p, c in zip(prompts, completions, strict=True)]
        bodies = [self._echo(whole) for _, whole in asked]
        replies = self._each(bodies, lambda turn, body: self._reply(turn, COMPLETIONS, body))
        return [
            self._sum(reply, start, len(whole))
            for reply, (start, whole) in zip(replies, asked, strict=True)
        ]

    def continuations(
        self, contexts: Sequence[str], texts: Sequence[str]
    ) -> list[tuple[float, int]]:
        """Return summed log-probability (nats) and tokens of each text after its context.

        The context is what the model reads, as it is: no chat template, no stop token. Needs an
        endpoint whose `/completions` takes `echo` with `logprobs`.

        Raises:
            RemoteError: if the endpoint gives no log-probabilities of given texts, or one of its
                tokens lies across the border.
        """
        asked = [(len(c), c + t) for c, t in zip(contexts, texts, strict=True)]
        replies = self._each(
            [self._echo(whole) for _, whole in asked],
            lambda turn, body: self._reply(turn, COMPLETIONS, body),
        )
        return [
            (
                self._sum(reply, start, len(whole)),
                sum(start <= at < len(whole) for at, _ in reply.logprobs),
            )
            for reply, (start, whole) in zip(replies, asked, strict=True)
        ]

    def _echo(self, whole: str) -> dict[str, Any]:
        """A request for the log-probabilities of a given text."""
        return {
            **self.settings.extra,
            "model": self.settings.id,
            "prompt": whole,
            "echo": True,
            "logprobs": 1,
            "max_tokens": 1,
            "temperature": 0.0,
        }

    # What it took

    def use(self, role: str, *, content: Digest, derived_from: Sequence[Digest] = ()) -> RemoteUse:
        """Return the record of what was asked since this object was made, also what was kept.

        Args:
            role: what the model was used as.
            content: digest under which `replies` are stored.
            derived_from: digests of what the answers rest on.
        """
        used = self._used_replies()
        counts = [_counted(one) for one in used]
        known = [one for one in counts if one is not None]
        whole = len(known) == len(used)
        price = self.settings.price
        return RemoteUse(
            role=role,
            endpoint=self.settings.endpoint,
            model=self.settings.id,
            served=tuple(sorted({one.served for one in used} - {""})),
            fingerprints=tuple(sorted({one.fingerprint for one in used} - {""})),
            as_of=self.settings.as_of,
            requests=len(used),
            answers=sum(len(one.texts) for one in used),
            prompt_tokens=sum(one.prompt_tokens for one in known) if whole else None,
            completion_tokens=sum(one.completion_tokens for one in known) if whole else None,
            uncounted=len(used) - len(known),
            cost=sum(map(self._purse.cost_of, known)) if whole and price else None,
            currency=price.currency if price else None,
            finishes=dict(sorted(Counter(f for one in used for f in one.finishes).items())),
            empty=sum(not text for one in used for text in one.texts),
            content=content,
            retries=sum(one.retries for one in used),
            lost=self._lost,
            seconds=round(sum(one.seconds for one in used), 3),
            first_asked=min((one.at for one in used), default=""),
            last_asked=max((one.at for one in used), default=""),
            derived_from=tuple(derived_from),
        )

    def replies(self) -> bytes:
        """Return what was asked and answered as JSON lines, in an order that repeats."""
        lines = (json.dumps(one.as_json(), sort_keys=True, ensure_ascii=False)
                 for one in self._used_replies())  # fmt: skip
        return "".join(line + "\n" for line in lines).encode()

    def _used_replies(self) -> list[Replied]:
        found = [self._answered.get(key) for key in sorted(self._used)]
        return [one for one in found if one is not None]

    # Many requests

    def _each(
        self,
        bodies: Sequence[dict[str, Any]],
        ask: Callable[[_Turn, dict[str, Any]], Coroutine[Any, Any, T]],
    ) -> list[T]:
        """Return what `ask` returns for each body, in order; equal bodies are asked once."""
        keys = [key_of("", body) for body in bodies]
        different = dict(zip(keys, bodies, strict=True))
        with self._lock:
            made = _run(self._all(different, ask)) if different else {}
        return [made[key] for key in keys]

    async def _all(
        self,
        bodies: dict[Digest, dict[str, Any]],
        ask: Callable[[_Turn, dict[str, Any]], Coroutine[Any, Any, T]],
    ) -> dict[Digest, T]:
        todo = iter(bodies.items())
        made: dict[Digest, T] = {}

        async def work(turn: _Turn) -> None:
            for key, body in todo:
                try:
                    made[key] = await ask(turn, body)
                except Exception as error:  # noqa: BLE001 - raised again below, once
                    turn.fail(error)
                if turn.stopped.is_set():
                    return
                if self._progress:
                    self._progress(len(made), len(bodies))

        async with self._turn() as turn:
            workers = min(self.settings.concurrency, len(bodies))
            await asyncio.gather(*(work(turn) for _ in range(workers)))
        if turn.error is not None:
            raise turn.error
        return made

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[_Turn]:
        s = self.settings
        async with httpx.AsyncClient(
            auth=_Key(s),
            headers={
                **s.headers,
                "User-Agent": f"normwright/{__version__}",
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
            },
            timeout=httpx.Timeout(s.read_seconds, connect=s.connect_seconds, pool=None),
            limits=httpx.Limits(max_connections=s.concurrency),
            verify=_tls(),
            # A redirect could carry the key to another machine.
            follow_redirects=False,
        ) as client:
            yield _Turn(client)

    # One prompt

    async def _draw(self, turn: _Turn, body: dict[str, Any], n: int, seed: int | None) -> list[str]:
        """Return `n` answers; where a server gives fewer than it was asked for, it is asked on."""
        texts: list[str] = []
        while len(texts) < n:
            wanted = 1 if self._one_each else n - len(texts)
            asked = dict(body)
            if seed is not None:
                asked["seed"] = (seed + len(texts)) % _SEEDS
            try:
                reply = await self._reply(
                    turn, CHAT, {**asked, "n": wanted} if wanted > 1 else asked
                )
            except _Refused:
                if wanted == 1:
                    raise
                # Some servers refuse `n`; if it was not that, the next request says so.
                self._one_each = True
                continue
            texts += reply.texts[:wanted]
        return texts

    async def _reply(self, turn: _Turn, path: str, body: dict[str, Any]) -> Replied:
        """Return the reply to one request: the one that is kept, or a new one, repeated if need be.

        The waits are drawn by the digest of the request, so that a run repeats.
        """
        key = key_of(path, body)
        reply = self._answered.get(key)
        if reply is None:
            shaken = random.Random(key)
            for attempt in range(self.settings.retries + 1):
                await turn.pause()
                if turn.stopped.is_set():
                    raise self._error("to go on", "another request that failed")
                try:
                    reply = await self._once(turn, path, body, attempt)
                    break
                except _Passing as why:
                    passing = why
                wait = _FIRST_WAIT * 2**attempt * shaken.uniform(0.5, 1.5)
                wait = max(min(wait, self.settings.wait_seconds), passing.wait or 0.0)
                if wait > self.settings.wait_seconds:
                    raise self._error(
                        f"to wait no longer than {self.settings.wait_seconds:g} s",
                        f"{passing.seen}, and to come back in {wait:g} s",
                        "Start again then, or raise wait_seconds; what was answered is kept.",
                    )
                if attempt < self.settings.retries:
                    if passing.wait is not None:
                        loop = asyncio.get_running_loop()
                        turn.not_before = max(turn.not_before, loop.time() + wait)
                    await turn.sleep(wait)
            if reply is None:
                raise self._error(
                    "an answer",
                    f"{passing.seen}, at the last of {self.settings.retries + 1} attempts",
                    "Start again later; what was answered is kept.",
                )
        self._used[key] = None
        return reply

    async def _once(self, turn: _Turn, path: str, body: dict[str, Any], before: int) -> Replied:
        """Send one request and return its checked reply, which is then on the disk.

        Raises:
            _Passing: for what may be gone at the next attempt.
            RemoteError: for what will not.
        """
        most = self._most(body)
        self._purse.take(most)
        started = time.perf_counter()
        try:
            raw = await self._post(turn.client, path, body)
            value = self._object(raw, path)
            seconds = round(time.perf_counter() - started, 3)
            reply = self._read(path, body, value, seconds=seconds, retries=before)
        except _Passing as passing:
            if passing.charged:
                self._lost += 1
                self._answered.put_lost(most)
            else:
                self._purse.give_back(most)
            raise
        except _Refused:
            self._purse.give_back(most)
            raise
        self._purse.settle(most, _counted(reply))
        self._answered.put(reply)
        return reply

    async def _post(self, client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> bytes:
        """Return the body of a good reply, within the limits of time and size."""
        s = self.settings
        try:
            async with (
                asyncio.timeout(s.total_seconds),
                client.stream("POST", s.url + path, content=_json(body)) as response,
            ):
                raw = await self._body(response)
                self._check_status(response, raw, path)
                return raw
        except TimeoutError:
            passing = _Passing(f"no whole reply within {s.total_seconds:g} s")
        except httpx.ConnectTimeout:
            passing = _Passing(f"no connection within {s.connect_seconds:g} s", charged=False)
        except httpx.TimeoutException:
            passing = _Passing(f"nothing for {s.read_seconds:g} s")
        except httpx.ConnectError as error:
            passing = _Passing(f"no connection ({self._clean(str(error))})", charged=False)
        except httpx.HTTPError as error:
            said = self._clean(str(error)) or type(error).__name__
            passing = _Passing(f"a connection that broke off ({said})")
        # Raised out here, because the client's exceptions hold the request, and that holds the key.
        raise passing

    async def _body(self, response: httpx.Response) -> bytes:
        """Return what came, without the key, should the endpoint repeat it."""
        most = self.settings.max_bytes
        raw = bytearray()
        async for chunk in response.aiter_bytes():
            raw += chunk
            if len(raw) > most:
                do = "Raise max_bytes if the endpoint is to be trusted with it."
                raise self._error(f"a reply of at most {most} bytes", "more", do)
        key = _key_of(self.settings)
        return bytes(raw).replace(key.encode(), b"[key]") if key else bytes(raw)

    # What an endpoint says

    def _check_status(self, response: httpx.Response, raw: bytes, path: str) -> None:
        """Return for a good status; say what any other means."""
        status = response.status_code
        if 200 <= status < 300:
            return
        code, said = self._said(raw)
        seen = f"status {status}" + (f" ({said})" if said else "")
        self._raise_for(status, code, seen, path, _retry_after(response, self._now()))

    def _raise_for(
        self, status: int, code: str, seen: str, path: str, wait: float | None = None
    ) -> None:
        variable = self.settings.key_env
        if status == 402 or code in _SPENT:
            raise self._error("an account that may be charged", seen, "See to the account.")
        if path == COMPLETIONS and status in _NO_ECHO:
            raise self._no_logprobs(seen)
        if status in _AGAIN or status >= 500:
            raise _Passing(seen, wait=wait, charged=status not in _UNPAID)
        match status:
            case 401 | 403:
                do = f"Set the environment variable {variable}." if variable else "Name key_env."
                raise self._error("a key that the endpoint accepts for this model", seen, do)
            case 404:
                expected = f"a model {self.settings.id} and the address {path}"
                raise self._error(expected, seen, "Look at url and id in the settings.")
            case 400 | 422:
                expected = "a request that the endpoint takes"
                raise self._error(expected, seen, "See length_field, extra and stop.", _Refused)
            case _ if 300 <= status < 400:
                do = "Give the address it leads to; redirects are not followed with a key."
                raise self._error("a reply, not a redirect", seen, do)
        raise self._error("a reply", seen)

    def _object(self, raw: bytes, path: str) -> dict[str, Any]:
        """Return a reply as a JSON object."""
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            begins = self._clean(raw[:60].decode("utf-8", "replace"))
            seen = f"a reply that is no JSON ({begins})" if begins else "an empty reply"
            raise _Passing(seen) from None
        if not isinstance(value, dict):
            raise self._unlike(f"a {type(value).__name__}")
        error = value.get("error")
        if error and not value.get("choices"):
            # Some routers report failures under status 200.
            code, said = self._said(raw)
            status = error.get("code") if isinstance(error, dict) else None
            status = status if isinstance(status, int) and 300 <= status < 600 else 0
            self._raise_for(status, code, f"an error ({said or 'without words'})", path)
        return value

    def _read(
        self, path: str, body: dict[str, Any], value: dict[str, Any], *, seconds: float,
        retries: int,
    ) -> Replied:  # fmt: skip
        """Return a reply in our own terms."""
        choices = value.get("choices")
        if not isinstance(choices, list) or not choices:
            raise self._unlike("no choices" if "choices" in value else "no field `choices`")
        if not all(isinstance(one, dict) for one in choices):
            raise self._unlike("choices that are no objects")
        usage = value.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        finishes = tuple(self._clean(str(one.get("finish_reason") or "unsaid")) for one in choices)
        chat = path == CHAT
        return Replied(
            body=body,
            path=path,
            texts=tuple(self._text(o, f) for o, f in zip(choices, finishes, strict=True))
            if chat else (),
            finishes=finishes if chat else (),
            logprobs=() if chat else self._logprobs(choices[0]),
            prompt_tokens=_number(usage.get("prompt_tokens")),
            completion_tokens=_number(usage.get("completion_tokens")),
            served=self._clean(str(value.get("model") or "")),
            fingerprint=self._clean(str(value.get("system_fingerprint") or "")),
            at=self._now().astimezone(UTC).isoformat(timespec="seconds"),
            seconds=seconds,
            retries=retries,
        )  # fmt: skip

    def _text(self, choice: dict[str, Any], finish: str) -> str:
        """Return the text of one answer; none is an empty one where the endpoint says why."""
        message = choice.get("message")
        if not isinstance(message, dict):
            raise self._unlike("a choice without a message")
        content = message.get("content")
        if isinstance(content, list):
            parts = [p.get("text") for p in content if isinstance(p, dict)]
            content = "".join(p for p in parts if isinstance(p, str))
        if content is None and isinstance(message.get("refusal"), str):
            content = message["refusal"]
        if content is None and finish in (FILTERED, "length", "stop"):
            content = ""
        if not isinstance(content, str):
            raise self._unlike(f"an answer without a text, which ended by `{finish}`")
        return content.encode("utf-8", "replace").decode().strip()

    def _logprobs(self, choice: dict[str, Any]) -> tuple[tuple[int, float | None], ...]:
        match choice.get("logprobs"):
            case {"text_offset": list(places), "token_logprobs": list(values)} if len(
                places
            ) == len(values):
                pairs = zip(places, values, strict=True)
                if all(_number(at) is not None and _finite_or_none(v) for at, v in pairs):
                    return tuple(zip(places, values, strict=True))
        raise self._no_logprobs("a reply without them")

    def _sum(self, reply: Replied, start: int, end: int) -> float:
        """Sum over the tokens of the completion, which are all those from `start` to `end`."""
        inside = [(at, value) for at, value in reply.logprobs if start <= at < end]
        if not inside or inside[0][0] != start:
            raise self._no_logprobs("a token across the border of prompt and completion, or none")
        total = 0.0
        for _, value in inside:
            if value is None:
                raise self._no_logprobs("a token without one")
            total += value
        return total

    def _rendered(self, prompt: Sequence[Message], completion: str) -> tuple[int, str]:
        """Return where the completion begins, in characters, and the whole text with its stop."""
        from normwright.models.chat import render, stop_text

        tokenizer = self._own_tokenizer()
        before = render(tokenizer, prompt)
        return len(before), before + completion + stop_text(tokenizer)

    def _own_tokenizer(self) -> Any:
        if self.settings.tokenizer is None:
            raise InputError(
                [
                    Fault(
                        where=f"{self.settings.id} at {self.settings.endpoint}: tokenizer",
                        expected="the directory of the model's tokenizer",
                        seen="none",
                        do="Without its chat template no log-probability can be asked for.",
                    )
                ]
            )
        if self._tokenizer is None:
            try:
                from normwright.models.local import load_tokenizer
            except ImportError:
                raise MissingExtra("log-probabilities of a model behind an API", "learn") from None

            self._tokenizer = load_tokenizer(Path(self.settings.tokenizer))
        return self._tokenizer

    # Money and messages

    def _most(self, body: dict[str, Any]) -> Lost:
        """The most tokens a request can take: no token is shorter than a byte."""
        messages = body.get("messages")
        texts = [m["content"] for m in messages] if messages is not None else [body["prompt"]]
        read = sum(len(t.encode("utf-8", "replace")) + _PER_MESSAGE for t in texts) + _PER_MESSAGE
        longest = body.get(self.settings.length_field, body.get("max_tokens", 1))
        return Lost(read, longest * body.get("n", 1))

    def _error(
        self, expected: str, seen: str, do: str = "", kind: type[RemoteError] = RemoteError
    ) -> RemoteError:
        where = f"{self.settings.id} at {self.settings.endpoint}"
        return kind([Fault(where=where, expected=expected, seen=seen, do=do)])

    def _unlike(self, seen: str) -> RemoteError:
        do = "Give the address of an interface that speaks as OpenAI's chat completions do."
        return self._error("a chat completion", seen, do)

    def _no_logprobs(self, seen: str) -> RemoteError:
        return self._error(
            "log-probabilities of given texts (`/completions` with `echo` and `logprobs`)",
            seen,
            "This endpoint gives none: leave out what needs them, such as bits per byte and suites "
            "that compare the likelihood of given answers.",
        )

    def _said(self, raw: bytes) -> tuple[str, str]:
        """Return an error's code and its words, as far as the body holds them."""
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            return "", self._clean(raw[: 4 * _SAID].decode("utf-8", "replace"))
        error = value.get("error", value) if isinstance(value, dict) else value
        if not isinstance(error, dict):
            return "", self._clean(str(error))
        words = error.get("message") or error.get("detail") or ""
        return str(error.get("code") or error.get("type") or ""), self._clean(str(words))

    def _clean(self, text: str) -> str:
        """Return an endpoint's words on one line, short, without control characters."""
        line = "".join(c if c.isprintable() else " " for c in text)
        short = " ".join(line.split())
        return short if len(short) <= _SAID else short[: _SAID - 1] + "…"


def served_models(settings: RemoteSettings) -> tuple[str, ...]:
    """Return what an endpoint calls the models it serves (`/models`).

    Raises:
        RemoteError: if it does not say.
        InputError: if the environment lacks the key, or it cannot be one.
    """
    check_key(settings)
    where, seen = f"{settings.endpoint}/models", ""
    try:
        with httpx.Client(
            auth=_Key(settings), headers=settings.headers, verify=_tls(), follow_redirects=False,
            timeout=httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds),
        ) as client:  # fmt: skip
            response = client.get(settings.url + "/models")
        if response.status_code != 200:
            seen = f"status {response.status_code}"
        else:
            data = response.json()["data"]
            return tuple(dict.fromkeys(str(one["id"]) for one in data))
    except httpx.HTTPError as error:
        seen = type(error).__name__
    except (ValueError, KeyError, TypeError):
        seen = "another reply"
    # Raised out here, because the client's exceptions hold the request, and that holds the key.
    raise RemoteError([
        Fault(where=where, expected="a list of the models that are served", seen=seen,
              do="Name the model: --served NAME.")
    ])  # fmt: skip


def check_key(settings: RemoteSettings) -> None:
    """See that the environment holds what can be a key, where the settings name one.

    Raises:
        InputError: naming the variable, never its content.
    """
    variable = settings.key_env
    if variable is None:
        return
    key = _key_of(settings)
    fits = key.isascii() and key.isprintable() and " " not in key and len(key) >= 8
    if not fits:
        raise InputError(
            [
                Fault(
                    where=f"environment variable {variable}",
                    expected=f"the key of {settings.endpoint}",
                    seen="text that can be no key" if key else "nothing",
                    do=f"export {variable}=...  (no file of a project holds it)",
                )
            ]
        )


@cache
def _tls() -> ssl.SSLContext:
    """Return the machine's trust in certificates; read once, because it takes a while."""
    return httpx.create_ssl_context()


def _key_of(settings: RemoteSettings) -> str:
    """Return the key from the environment, empty where there is none."""
    return os.environ.get(settings.key_env, "").strip() if settings.key_env else ""


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _tokens(lost: Lost) -> int:
    return lost.prompt_tokens + lost.completion_tokens


def _counted(reply: Replied) -> Lost | None:
    """Return what the endpoint says it took, or None if it does not say."""
    if reply.prompt_tokens is None or reply.completion_tokens is None:
        return None
    return Lost(reply.prompt_tokens, reply.completion_tokens)


def _number(value: Any) -> int | None:
    """Return a count, or None for anything that is none."""
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if fits else None


def _finite_or_none(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and math.isfinite(value))


def _retry_after(response: httpx.Response, now: datetime) -> float | None:
    """Return the seconds a `Retry-After` asks for, given as such or as a date (RFC 9110)."""
    text = response.headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (email.utils.parsedate_to_datetime(text) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also where a loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    made: list[T] = []
    failed: list[BaseException] = []

    def inside() -> None:
        try:
            made.append(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
            failed.append(error)

    thread = threading.Thread(target=inside, name="remote-model")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]
