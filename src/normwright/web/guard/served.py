"""The server under the application: who talks too slowly is let go, and a policy is read anew."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import h11
import httpx
from starlette.applications import Starlette
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.h11_impl import H11Protocol

from normwright.flow.guards import open_guard
from normwright.guard import Guard, Reward
from normwright.guard.checks.judge import QUESTIONS
from normwright.guard.streaming import WINDOW
from normwright.models.judges import SECONDS as JUDGE_SECONDS
from normwright.models.judges import Judge, open_judge
from normwright.models.rewards import Reads
from normwright.records import Fault, InputError, PlaceError
from normwright.store import MemoryBook
from normwright.web.guard.app import application
from normwright.web.guard.embedded import NAME, embedded_app
from normwright.web.guard.held import Guarding
from normwright.web.guard.metrics import SHARED
from normwright.web.guard.settings import (
    BlockMode,
    Limits,
    ServeSettings,
    check_upstream,
    keys_of,
)


class GuardProtocol(H11Protocol):
    """HTTP/1.1 that waits only so long for the head of a request, and for a client that reads.

    The server below waits for ever for both, and a few thousand such connections keep everybody
    else out. Bodies have a limit of their own, in the application.
    """

    head_seconds = Limits().body_seconds
    idle_seconds = Limits().idle_seconds

    @classmethod
    def within(cls, limits: Limits) -> type[GuardProtocol]:
        """Return the protocol with the limits of a server."""
        values = {"head_seconds": limits.body_seconds, "idle_seconds": limits.idle_seconds}
        return type("LimitedProtocol", (cls,), values)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a first request."""
        super().connection_made(transport)
        self._waiting: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes; a head that is complete ends the waiting, one that begins starts it."""
        super().data_received(data)
        self._await_head()

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not read."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self.idle_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Wait no more: the client has read."""
        self._end_unread()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._end_waiting()
        self._end_unread()
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

    def _end_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _give_up(self) -> None:
        self._waiting = None
        if not self.transport.is_closing() and self.conn.their_state is h11.IDLE:
            self.transport.abort()


@dataclass(frozen=True)
class Service:
    """What a server is started with. It is handed to its workers through the environment, and so
    holds no secret.
    """

    state: str
    port: int
    host: str = "127.0.0.1"
    policy: str | None = None
    """A project, or a folder with an enacted policy; None: the policy that ships."""
    upstream: str | None = None
    block_mode: BlockMode = "content_filter"
    window: int | None = WINDOW
    public_url: str = ""
    workers: int = 1
    tls_certificate: str | None = None
    tls_key: str | None = None
    checks: bool = True
    reward: str | None = None
    """A directory with a sequence classifier, which orders answers; None: the first is given."""
    reward_label: str | None = None
    reward_reads: Reads | None = None
    reward_norm: str | None = None
    reward_least: float | None = None
    best_of: int = 4
    keep_days: int | None = None
    judge: str | None = None
    """Address of an endpoint, or a directory, of a model that is asked on suspicion."""
    judge_model: str | None = None
    judge_seconds: float = JUDGE_SECONDS
    limits: Limits = field(default_factory=Limits)

    def guard(self) -> Guard:
        """Return the guard, with everything it is to read opened anew.

        Raises:
            InputError: for a policy or a model that cannot be used.
        """
        place = None if self.policy is None else Path(self.policy)
        return open_guard(place, reward=self._reward(), judge=self._judge())

    def _judge(self) -> Judge | None:
        if self.judge is None:
            return None
        return open_judge(self.judge, model=self.judge_model, seconds=self.judge_seconds)

    def _reward(self) -> Reward | None:
        if self.reward is None:
            return None
        from normwright.models.rewards import open_reward

        found = open_reward(Path(self.reward), label=self.reward_label, reads=self.reward_reads)
        return Reward(
            found, found.name, found.digest, norm=self.reward_norm, least=self.reward_least
        )

    def settings(self) -> ServeSettings:
        """Return the settings of the application, with the keys that the environment holds.

        Raises:
            InputError: for keys or an address that cannot be used.
        """
        upstream_key, client_keys = keys_of()
        limits = self.limits
        if self.judge is not None:
            # A screening asks a few questions, one after the other.
            least = 2 + QUESTIONS * self.judge_seconds
            limits = replace(limits, check_seconds=max(limits.check_seconds, least))
        return ServeSettings(
            state=Path(self.state),
            upstream=None if self.upstream is None else check_upstream(self.upstream),
            upstream_key=upstream_key,
            client_keys=client_keys,
            block_mode=self.block_mode,
            window=self.window,
            public_url=self.public_url or self.address,
            checks=self.checks,
            best_of=self.best_of,
            keep_days=self.keep_days,
            limits=limits,
        )

    @property
    def address(self) -> str:
        """Where the server is."""
        scheme = "http" if self.tls_certificate is None else "https"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


GARBAGE = (10_000, 20, 20)
"""How many new objects there are before the youngest are looked through, and how many such looks
before a deeper one; a request leaves hardly any that refer to one another in a ring."""

SERVICE = "NORMWRIGHT_GUARD_SERVICE"
"""The environment variable through which workers are told what they serve."""


def serve(service: Service, *, started: Callable[[], None] = lambda: None) -> None:
    """Serve until told to stop; what is under way is finished first, within bounds.

    With one worker, `SIGHUP` has the policy read again for new requests. With several, each worker
    is replaced by one that reads it, and named sessions go on with the new one.

    Args:
        service: what to serve, and where.
        started: called once, from a thread, when the server answers.

    Raises:
        InputError: if it cannot be started with these settings.
    """
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    service.settings()  # faults are told before any worker starts
    _check_files(service)
    if service.workers > 1:
        service.guard()
    limits = service.limits
    with _bound(service) as places, _counting_together(service.workers):
        os.environ[SERVICE] = json.dumps(asdict(service))
        config = uvicorn.Config(
            "normwright.web.guard.served:from_environment",
            factory=True,
            workers=service.workers,
            http=GuardProtocol,
            ws="none",
            ssl_certfile=service.tls_certificate,
            ssl_keyfile=service.tls_key,
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=30,
            # A worker that reads its policy answers nothing meanwhile; it is not killed for it.
            timeout_worker_healthcheck=120,
            timeout_graceful_shutdown=int(limits.drain_seconds),
            h11_max_incomplete_event_size=64 << 10,
            backlog=2048,
        )
        listens, address = threading.Event(), places[0].getsockname()[:2]
        threading.Thread(target=_tell, args=(address, listens, started), daemon=True).start()
        with suppress(KeyboardInterrupt):
            if service.workers > 1:
                Multiprocess(config, sockets=places).run()
            else:
                uvicorn.Server(config).run(sockets=places)
        if not listens.is_set():
            sys.exit(STARTUP_FAILURE)


def _check_files(service: Service) -> None:
    """Try the files a server needs.

    Raises:
        InputError: if the state cannot be written, or what TLS needs cannot be read.
    """
    faults = []
    state = Path(service.state)
    try:
        state.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=state).close()
        MemoryBook(state / "sessions.db").close()
    except OSError as error:
        faults.append(
            Fault(
                where=f"--state {state}",
                expected="a folder that can be written",
                seen=str(error.strerror),
                do="Give another folder, or the right to write there.",
            )
        )
    except PlaceError as error:
        faults += error.faults
    if service.tls_certificate is not None:
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            # Nobody is there to be asked for a passphrase.
            context.load_cert_chain(service.tls_certificate, service.tls_key, lambda: "")
        except OSError as error:  # of which ssl's are
            faults.append(
                Fault(
                    where=f"{service.tls_certificate}, {service.tls_key}",
                    expected="a certificate chain and its key in PEM, without a passphrase",
                    seen=str(error.strerror or error),
                    do="Give both files with --tls-certificate and --tls-key.",
                )
            )
    if faults:
        raise InputError(faults)


@contextmanager
def _bound(service: Service) -> Iterator[list[socket.socket]]:
    """Give sockets at every address the host's name stands for; nothing listens on them yet.

    Raises:
        InputError: if there is none to be had, or another program listens at one.
    """
    with ExitStack() as open_:
        places, errors = [], []
        try:
            found = socket.getaddrinfo(
                service.host, service.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        except OSError as error:
            found, errors = [], [error]
        for family, at in dict.fromkeys((kind, at) for kind, _, _, _, at in found):
            try:
                # Without its protocol named, asyncio does not take it for TCP and leaves small
                # parts waiting for an acknowledgement: some 40 ms on every answer.
                place = open_.enter_context(
                    closing(socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP))
                )
                place.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    place.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                place.bind(at)
                place.set_inheritable(True)
            except OSError as error:
                errors.append(error)
            else:
                places.append(place)
        taken = any(e.errno == errno.EADDRINUSE for e in errors)
        if taken or not places:
            raise InputError(
                [
                    Fault(
                        where=f"--host {service.host} --port {service.port}",
                        expected="an address of this machine at which no other program listens",
                        seen="another program listens there" if taken else str(errors[0].strerror),
                        do="Give another --port, or stop the other program."
                        if taken
                        else "Give another --host or --port.",
                    )
                ]
            )
        yield places


@contextmanager
def _counting_together(workers: int) -> Iterator[None]:
    """Give several processes a folder to count in together, in memory where there is such a place.

    A disk that is full must not end a process that counts.
    """
    if workers == 1 or os.environ.get(SHARED):
        yield
        return
    memory = Path("/dev/shm")
    where = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    with TemporaryDirectory(prefix="normwright-guard-", dir=where) as folder:
        os.environ[SHARED] = folder
        try:
            yield
        finally:
            del os.environ[SHARED]


def _tell(address: tuple[str, int], listens: threading.Event, started: Callable[[], None]) -> None:
    """Call `started` when a worker listens at an address that is ours."""
    host, port = address
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            break
    listens.set()
    started()


def from_environment() -> Starlette:
    """Return the application of a worker."""
    told = json.loads(os.environ[SERVICE])
    service = Service(**{**told, "limits": Limits(**told["limits"])})
    # The class is handed to workers by its name, so that its limits are set where they start.
    GuardProtocol.head_seconds = service.limits.body_seconds
    GuardProtocol.idle_seconds = service.limits.idle_seconds

    def load() -> Guarding:
        return service.guard()

    transport = None if service.upstream is not None else embedded_transport()
    app = application(load(), service.settings(), load=load, transport=transport)
    # What is here now stays: looking through it for garbage again and again would hold requests up.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    return app


def embedded_transport() -> httpx.AsyncBaseTransport:
    """Return a way to the embedded model, without a network between.

    Raises:
        MissingExtra: if models cannot be run here.
    """
    from normwright.flow.extras import require_learning

    require_learning("The embedded model behind the guard")
    from normwright.models.local import LocalModel, embedded_path

    model = LocalModel.open(embedded_path(), name=NAME)
    return httpx.ASGITransport(app=embedded_app(model))
