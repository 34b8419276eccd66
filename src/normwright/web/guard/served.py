"""The server under the application: who talks too slowly is let go, and a policy is read anew."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from normwright.web.guard.settings import Limits


class GuardProtocol(H11Protocol):
    """HTTP/1.1 that waits only so long for the head of a request.

    The server below waits for ever for one that never ends, and a few thousand such connections
    keep everybody else out. Bodies have a limit of their own, in the application.
    """

    head_seconds = Limits().body_seconds

    @classmethod
    def within(cls, limits: Limits) -> type[GuardProtocol]:
        """Return the protocol with the limits of a server."""
        return type("LimitedProtocol", (cls,), {"head_seconds": limits.body_seconds})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a first request."""
        super().connection_made(transport)
        self._waiting: asyncio.TimerHandle | None = None
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes; a head that is complete ends the waiting, one that begins starts it."""
        super().data_received(data)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._end_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._end_waiting()
        elif self._waiting is None:
            self._waiting = self.loop.call_later(self.head_seconds, self._give_up)

    def _end_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if not self.transport.is_closing() and self.conn.their_state is h11.IDLE:
            self.transport.abort()
