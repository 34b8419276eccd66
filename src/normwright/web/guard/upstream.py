"""The model behind the guard, asked over HTTP; the embedded one is asked the same way."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from normwright.web.guard.connections import OneUpstream
from normwright.web.guard.settings import ServeSettings
from normwright.web.guard.sse import Malformed, dump, parse

PASSED = ("openai-organization", "openai-project", "traceparent", "tracestate")
"""Headers of a client that go upstream. Its key does where the server has none of its own."""

_CODE = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


class UpstreamFailed(Exception):
    """The upstream gave no usable answer. It carries nothing that the upstream said in words."""

    def __init__(self, status: int, code: str, message: str, *, retry_after: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.retry_after = retry_after


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    body: dict[str, Any]
    headers: Mapping[str, str]


class Upstream:
    """A client of one upstream that keeps its connections."""

    def __init__(
        self, settings: ServeSettings, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        limits = settings.limits
        self._settings = settings
        self._client = httpx.AsyncClient(
            base_url=settings.upstream or "http://embedded/v1",
            transport=transport or OneUpstream(settings.upstream or ""),
            timeout=httpx.Timeout(limits.idle_seconds, connect=limits.connect_seconds),
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def ask(
        self,
        path: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
    ) -> Reply:
        """Return the whole answer to a request; without a body it is a GET.

        Raises:
            UpstreamFailed: for anything but a 200 with a JSON object in time.
        """
        async with self._sent(path, body, headers) as response:
            raw = bytearray()
            async for chunk in response.aiter_bytes():
                raw += chunk
                if len(raw) > self._settings.limits.reply_bytes:
                    raise UpstreamFailed(502, "upstream_malformed", "The reply is too large.")
            return Reply(parse(bytes(raw)), response.headers)

    @asynccontextmanager
    async def stream(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Yield the bytes of a stream of events.

        Raises:
            UpstreamFailed: if it does not begin, or breaks off.
        """
        async with self._sent(path, body, headers) as response:
            kind = response.headers.get("content-type", "")
            if not kind.startswith("text/event-stream"):
                raise UpstreamFailed(502, "upstream_malformed", "The reply is no event stream.")
            yield response.aiter_bytes()

    @asynccontextmanager
    async def _sent(
        self, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> AsyncIterator[httpx.Response]:
        request = self._client.build_request(
            "GET" if body is None else "POST",
            path,
            content=None if body is None else dump(body),
            headers={**self._headers(headers), "content-type": "application/json"},
        )
        try:
            response = await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise _failed(error) from None
        try:
            if response.status_code != 200:
                raise await _refused(response)
            try:
                yield response
            except Malformed as error:
                raise UpstreamFailed(
                    502, "upstream_malformed", f"The upstream sent {error}."
                ) from None
            except httpx.HTTPError as error:
                raise _failed(error) from None
        finally:
            await response.aclose()

    def _headers(self, given: Mapping[str, str]) -> dict[str, str]:
        sent = {name: given[name] for name in PASSED if name in given}
        key = self._settings.upstream_key
        if key is not None:
            sent["authorization"] = f"Bearer {key}"
        elif not self._settings.client_keys and "authorization" in given:
            sent["authorization"] = given["authorization"]
        return {**sent, "accept-encoding": "identity", "user-agent": "normwright-guard"}


def _failed(error: httpx.HTTPError) -> UpstreamFailed:
    """Return a failure in our words: what an error of the transport says may hold an address."""
    if isinstance(error, httpx.TimeoutException):
        return UpstreamFailed(504, "upstream_timeout", "The upstream did not answer in time.")
    return UpstreamFailed(502, "upstream_error", "The upstream cannot be reached or broke off.")


async def _refused(response: httpx.Response) -> UpstreamFailed:
    """Return an error status as ours; of what it says only its code is passed on.

    The words of an error were checked by nobody, and some upstreams repeat the key in them.
    """
    status = response.status_code
    raw = bytearray()
    try:
        async with asyncio.timeout(5):
            async for chunk in response.aiter_bytes():
                raw += chunk
                if len(raw) > 1 << 16:
                    break
        error = parse(bytes(raw)).get("error")
        found = error.get("code") or error.get("type") if isinstance(error, dict) else None
    except (Malformed, httpx.HTTPError, TimeoutError):
        found = None
    known = isinstance(found, str) and _CODE.fullmatch(found) is not None
    code = str(found) if known else "upstream_error"
    message = f"The upstream answered {status}" + (f" ({code})." if known else ".")
    if not 400 <= status < 500 or status in (407, 408):
        return UpstreamFailed(504 if status == 408 else 502, "upstream_error", message)
    retry = response.headers.get("retry-after", "")
    return UpstreamFailed(status, code, message, retry_after=retry if retry.isdigit() else "")
