"""Connections to one upstream, kept and used again.

The pool that httpx brings looks at every connection for every request, which takes longer than all
the rest of a small request once a few dozen are open. Here the one used last is taken first, and
no other is looked at.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import Protocol, cast

import anyio
import httpcore
import httpx

KEEP_SECONDS = 30.0
"""How long a connection that is not used is kept."""
KEPT = 256
"""How many are."""

_CLOSING = 2.0
"""Seconds that closing may take, for which nothing can interrupt it."""


class OneUpstream(httpx.AsyncBaseTransport):
    """A transport of httpx to one origin over HTTP/1.1, without a limit of its own.

    How many requests there are at once is for the application to limit.
    """

    def __init__(self, url: str) -> None:
        parts = httpx.URL(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self._origin = httpcore.Origin(parts.scheme.encode(), parts.raw_host, port)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._free: list[httpcore.AsyncHTTPConnection] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request over the connection used last, or over a new one."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        connection = await self._taken()
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        sent = httpcore.Request(
            request.method,
            url,
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            got = await connection.handle_async_request(sent)
        except BaseException as error:
            await _close(connection)
            if isinstance(error, Exception):
                raise _named(error) from error
            raise
        return httpx.Response(
            got.status,
            headers=got.headers,
            stream=_Body(cast(_Stream, got.stream), connection, self),
            extensions=got.extensions,
        )

    def give_back(self, connection: httpcore.AsyncHTTPConnection) -> bool:
        """Keep a connection that can be used again, and say whether it was kept."""
        if connection.is_idle() and len(self._free) < KEPT:
            self._free.append(connection)
            return True
        return False

    async def aclose(self) -> None:
        """Close every connection that waits."""
        while self._free:
            await self._free.pop().aclose()

    async def _taken(self) -> httpcore.AsyncHTTPConnection:
        while self._free:
            connection = self._free.pop()
            # The other side may have hung up meanwhile.
            if connection.is_idle() and not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            self._origin, ssl_context=self._tls, keepalive_expiry=KEEP_SECONDS
        )


class _Stream(Protocol):
    """The bytes of a response as httpcore gives them."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield them."""
        ...

    async def aclose(self) -> None:
        """End it."""
        ...


class _Body(httpx.AsyncByteStream):
    """The bytes of one response; its connection goes back when they were read to the end."""

    def __init__(
        self,
        stream: _Stream,
        connection: httpcore.AsyncHTTPConnection,
        home: OneUpstream,
    ) -> None:
        self._stream, self._connection, self._home = stream, connection, home
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the bytes."""
        try:
            async for chunk in self._stream:
                yield chunk
        except Exception as error:
            raise _named(error) from error

    async def aclose(self) -> None:
        """Give the connection back, or close it where it was not read to the end."""
        if self._closed:
            return
        self._closed = True
        with anyio.move_on_after(_CLOSING, shield=True):
            await self._stream.aclose()
        if not self._home.give_back(self._connection):
            await _close(self._connection)


async def _close(connection: httpcore.AsyncHTTPConnection) -> None:
    """Close a connection also where the request was cancelled, or it would stay open for ever."""
    with anyio.move_on_after(_CLOSING, shield=True):
        await connection.aclose()


def _named(error: Exception) -> Exception:
    """Return an error of httpcore as one of httpx, in which it says nothing of any address."""
    if isinstance(error, httpcore.TimeoutException):
        return httpx.ReadTimeout("no answer in time")
    known = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ConnectionNotAvailable)
    if isinstance(error, known):
        return httpx.ReadError("no connection, or one that broke off")
    return error
