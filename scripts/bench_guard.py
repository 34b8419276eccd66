"""What the served guard costs: added latency, throughput, memory; beside a peer.

    python -m scripts.bench_guard [--seconds N] [--requests N] [--write] [--json]

Two servers run at once, the same proxy with its checks on and off, each in one process before the
same upstream, which answers at once from another. Latency: requests come at fixed instants whether
earlier ones are done or not (open loop), to both servers in turn, and are timed from the instant
they were due, so that waiting counts. Throughput: `wrk -t1 -c32`, both servers in turn, best of the
rounds. Every request says something else, for what was said before would be known: parts of
sentences of the pages of this project in random order, and a word that nobody ever said. The peer
answers requests of the same form under a regular expression alone, where `make guard-peer` has put
it.

The clock of a loaded machine says more about its load: run this on a quiet one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs/experiments/bench.md"
PEER: Final = ROOT / "build/guard-peer-venv"
TITLE: Final = "## A guard before a model"
RATE: Final = 50
PEER_RATE: Final = 5
"""The peer is asked ten times more seldom: at 50 requests/s it does not keep up."""
SEED: Final = 11
PROSE: Final = ("docs/*.md", "docs/decisions/*.md", "docs/how-to/*.md", "README.md")
"""Where running text comes from, in English and Portuguese."""
SYLLABLES: Final = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi")

P50_MS: Final = 3.0
P99_MS: Final = 10.0
SHARE: Final = 0.6
GROWTH_MIB: Final = 16.0


@dataclass(frozen=True)
class Latency:
    """Times of one server in milliseconds, from the instant a request was due."""

    n: int
    p50: float
    p99: float
    failed: int


@dataclass(frozen=True)
class Found:
    """Everything that was measured."""

    on: Latency
    off: Latency
    direct: Latency
    wrk_on: tuple[float, ...]
    wrk_off: tuple[float, ...]
    errors: int
    memory: tuple[tuple[int, float], ...]
    """Requests so far, resident MiB."""
    peer: Latency | None
    peer_off: Latency | None
    cpu_on: float
    """Processor time of the server a request, in ms, during throughput; what load cannot hide."""
    cpu_off: float
    load: float
    cores: int

    @property
    def added_p50(self) -> float:
        """Added median, ms."""
        return self.on.p50 - self.off.p50

    @property
    def added_p99(self) -> float:
        """Added 99th percentile, ms."""
        return self.on.p99 - self.off.p99

    @property
    def share(self) -> float:
        """Throughput with checks as a share of that without."""
        return max(self.wrk_on) / max(self.wrk_off)

    @property
    def growth(self) -> float:
        """Resident MiB at the end beyond those after a tenth of the requests."""
        early = next(mib for n, mib in self.memory if n >= self.memory[-1][0] / 10)
        return self.memory[-1][1] - early


# What is said


@cache
def _prose() -> tuple[str, ...]:
    """The words of the project's pages one after another, as they stand there."""
    found: list[str] = []
    for path in sorted(p for pattern in PROSE for p in ROOT.glob(pattern)):
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for line in text.splitlines():
            if line[:1].isalpha() and not any(sign in line for sign in ("`", "|", "](")):
                found += re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?[.,;:?]?", line)
    return tuple(found)


def said(rng: random.Random, n: int) -> str:
    """Return so many words: parts of sentences, and one word that nobody ever said."""
    words = _prose()
    found = ["".join(rng.choices(SYLLABLES, k=4))]
    while len(found) < n:
        start = rng.randrange(len(words) - 20)
        found += words[start : start + rng.randrange(6, 18)]
    return " ".join(found[:n])


# The upstream


class _Upstream(asyncio.Protocol):
    """Answers a chat at once, with words that differ each time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.rest = transport, b""

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while True:
            head, gap, after = self.rest.partition(b"\r\n\r\n")
            if not gap:
                return
            at = head.lower().find(b"content-length:")
            size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(after) < size:
                return
            self.rest = after[size:]
            self.transport.write(_reply())


_WRITING: Final = random.Random(SEED)
"""One for all connections, so that no two answers are the same."""


def _reply() -> bytes:
    text = said(_WRITING, 60) + "."
    message = {"role": "assistant", "content": text}
    body = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "up",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18},
        }
    ).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


async def _run_upstream(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Upstream, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


SYSTEM: Final = "You help people at the town library. Be brief, and say so if you do not know."


def _body(rng: random.Random) -> bytes:
    """A system prompt that is always the same, and a question that differs each time."""
    question = said(rng, 35) + "?"
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": question},
    ]
    return json.dumps({"model": "up", "messages": messages}).encode()


# Servers


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def _process(command: Sequence[str], port: int, path: str = "", **more: Any) -> Iterator[int]:
    """Run a server until the block ends, and yield its process id once it answers."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **more.pop("env", {})}
    with tempfile.TemporaryFile() as log:
        started = subprocess.Popen(
            command, stdout=log, stderr=log, env=environment, cwd=more.get("cwd", ROOT)
        )
        try:
            limit = time.monotonic() + 120
            while not _answers(port, path):
                if started.poll() is not None or time.monotonic() > limit:
                    log.seek(0)
                    raise RuntimeError(log.read()[-2000:].decode(errors="replace"))
                time.sleep(0.1)
            yield started.pid
        finally:
            started.send_signal(signal.SIGTERM)
            started.wait(60)


def _answers(port: int, path: str) -> bool:
    try:
        if path:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2):
                return True
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _guard(port: int, upstream: int, state: Path, *, checks: bool) -> list[str]:
    return [
        *(sys.executable, "-m", "normwright.cli", "guard", "serve", "--port", str(port)),
        *("--upstream", f"http://127.0.0.1:{upstream}/v1", "--state", str(state)),
        *(() if checks else ("--without-checks",)),
    ]


# Latency


async def _open_loop(ports: Sequence[int], rate: float, seconds: float) -> list[Latency]:
    """Send requests at fixed instants to the servers in turn, and time each from its instant."""
    rng = random.Random(time.monotonic_ns())
    pools: list[list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = [[] for _ in ports]
    times: list[list[float]] = [[] for _ in ports]
    failed = [0] * len(ports)

    async def one(place: int, due: float, raw: bytes) -> None:
        try:
            pool = pools[place]
            pair = pool.pop() if pool else await asyncio.open_connection("127.0.0.1", ports[place])
            reader, writer = pair
            writer.write(raw)
            head = await reader.readuntil(b"\r\n\r\n")
            at = head.lower().find(b"content-length:")
            await reader.readexactly(int(head[at + 15 :].split(b"\r\n", 1)[0]))
            if not head.startswith(b"HTTP/1.1 200"):
                raise ConnectionError(head[:60])
            times[place].append(1000 * (time.perf_counter() - due))
            pool.append(pair)
        except (OSError, asyncio.IncompleteReadError):
            failed[place] += 1

    start = time.perf_counter() + 0.1
    tasks = []
    # Each server has requests at this rate; between them the instants are spread evenly.
    for number in range(int(rate * seconds) * len(ports)):
        due = start + number / (rate * len(ports))
        body = _body(rng)
        raw = (
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(number % len(ports), due, raw)))
    await asyncio.wait(tasks, timeout=60)
    for pool in pools:
        for _, writer in pool:
            writer.close()
    return [_latency(t, f) for t, f in zip(times, failed, strict=True)]


def _latency(times: Sequence[float], failed: int) -> Latency:
    if len(times) < 2:
        return Latency(len(times), float("nan"), float("nan"), failed)
    cut = statistics.quantiles(times, n=100, method="inclusive")
    return Latency(len(times), round(cut[49], 3), round(cut[98], 3), failed)


# Throughput and memory

_LUA: Final = """
local words = {%s}
local syllables = {%s}
math.randomseed(os.time())
local function said(n)
  local out = {""}
  for i = 1, 4 do out[1] = out[1] .. syllables[math.random(#syllables)] end
  while #out < n do
    local start = math.random(#words - 20)
    for i = start, start + math.random(5, 16) do out[#out + 1] = words[i] end
  end
  return table.concat(out, " ", 1, n)
end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  local body = '{"model":"up","messages":[{"role":"system","content":"%s"},' ..
    '{"role":"user","content":"' .. said(35) .. '?"}]}'
  return wrk.format(nil, nil, nil, body)
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %%d %%d %%d\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def _wrk(port: int, seconds: float, script: Path) -> tuple[int, float, int]:
    """Return requests, requests a second and errors of one round."""
    command = ["wrk", "-t1", "-c32", f"-d{int(seconds)}s", "-s", str(script),
               f"http://127.0.0.1:{port}/v1/chat/completions"]  # fmt: skip
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(x for x in out.splitlines() if x.startswith("RESULT"))
    requests, micros, errors = map(int, line.split()[1:])
    return requests, requests / (micros / 1e6), errors


def _own(port: int, seconds: float) -> tuple[int, float, int]:
    """The same without wrk: 32 connections, each with its next request as soon as it may."""
    return asyncio.run(_closed_loop(port, seconds))


async def _closed_loop(port: int, seconds: float) -> tuple[int, float, int]:
    rng, done, errors = random.Random(time.monotonic_ns()), 0, 0
    end = time.perf_counter() + seconds

    async def one() -> None:
        nonlocal done, errors
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            body = _body(rng)
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
                % (len(body), body)
            )
            head = await reader.readuntil(b"\r\n\r\n")
            at = head.lower().find(b"content-length:")
            await reader.readexactly(int(head[at + 15 :].split(b"\r\n", 1)[0]))
            done += 1
            errors += not head.startswith(b"HTTP/1.1 200")
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(32)))
    return done, done / (time.perf_counter() - began), errors


def _processor(pid: int) -> float:
    """Return the processor time of a process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


# The peer

_PEER_CONFIG: Final = """
models:
- type: main
  engine: openai
  model: up
  parameters: {base_url: "http://127.0.0.1:%d/v1", api_key: x}
passthrough: true
rails:
  config:
    regex_detection:
      input: {patterns: ["ignore (all|previous)"]}
  input:
    flows: [regex check input]
"""


@contextmanager
def _peer(upstream: int, folder: Path) -> Iterator[int | None]:
    """Run the leading guard with its rail of a regular expression; None where it is not there."""
    program = PEER / "bin/nemoguardrails"
    if not program.is_file():
        yield None
        return
    config = folder / "guarded"
    config.mkdir(parents=True)
    (config / "config.yml").write_text(_PEER_CONFIG % upstream, encoding="utf-8")
    port = _free_port()
    command = [str(program), "server", "--config", str(folder), "--port", str(port),
               "--default-config-id", "guarded"]  # fmt: skip
    with _process(command, port, env={"OPENAI_API_KEY": "x"}, cwd=folder):
        yield port


def measure(seconds: float, requests: int, rounds: int) -> Found:
    """Return everything that is measured."""
    up, on, off = _free_port(), _free_port(), _free_port()
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        own = [sys.executable, "-m", "scripts.bench_guard", "--upstream", str(up)]
        stack.enter_context(_process(own, up))
        pids = {
            port: stack.enter_context(
                _process(_guard(port, up, folder / str(port), checks=port == on), port, "/healthz")
            )
            for port in (on, off)
        }
        asyncio.run(_open_loop([on, off, up], RATE, 2))  # a warm-up
        with_checks, without, direct = asyncio.run(_open_loop([on, off, up], RATE, seconds))
        script = folder / "wrk.lua"
        lists = [", ".join(f'"{w}"' for w in one) for one in (_prose(), SYLLABLES)]
        script.write_text(_LUA % (*lists, SYSTEM), encoding="utf-8")
        rates: dict[int, list[float]] = {off: [], on: []}
        spent: dict[int, list[float]] = {off: [], on: []}
        errors = 0
        for port in [off, on] * rounds:
            before = _processor(pids[port])
            done, rate, wrong = _load(port, max(5.0, seconds / 3), script)
            rates[port].append(round(rate, 1))
            used = _processor(pids[port]) - before
            spent[port].append(1000 * used / done if done else float("nan"))
            errors += wrong
        memory = [(0, round(_resident(pids[on]), 1))]
        while memory[-1][0] < requests:
            done, _, wrong = _load(on, 5, script)
            errors += wrong
            memory.append((memory[-1][0] + done, round(_resident(pids[on]), 1)))
        peer = peer_off = None
        port_of_peer = stack.enter_context(_peer(up, folder / "peer"))
        if port_of_peer is not None:
            asyncio.run(_open_loop([port_of_peer, up], PEER_RATE, 2))
            peer, peer_off = asyncio.run(
                _open_loop([port_of_peer, up], PEER_RATE, max(10.0, seconds))
            )
    return Found(
        on=with_checks,
        off=without,
        direct=direct,
        wrk_on=tuple(rates[on]),
        wrk_off=tuple(rates[off]),
        errors=errors,
        memory=tuple(memory),
        peer=peer,
        peer_off=peer_off,
        cpu_on=round(min(spent[on]), 3),
        cpu_off=round(min(spent[off]), 3),
        load=round(load, 2),
        cores=len(os.sched_getaffinity(0)),
    )


def _load(port: int, seconds: float, script: Path) -> tuple[int, float, int]:
    if shutil.which("wrk"):
        return _wrk(port, seconds, script)
    return _own(port, seconds)


# The page


_YES = {True: "yes", False: "no", None: ""}


def told(found: Found) -> str:
    """Return the section of the page."""
    tool = "`wrk -t1 -c32`" if shutil.which("wrk") else "an own load generator of 32 connections"
    rows = [
        ("added latency at 50 requests/s, median", f"{found.added_p50:.2f} ms", f"< {P50_MS:g} ms",
         found.added_p50 < P50_MS),
        ("added latency at 50 requests/s, 99th percentile", f"{found.added_p99:.2f} ms",
         f"< {P99_MS:g} ms", found.added_p99 < P99_MS),
        (f"throughput of one worker, {tool}, of that without", f"{100 * found.share:.0f} %",
         f">= {100 * SHARE:.0f} %", found.share >= SHARE),
        (f"memory gained from {found.memory[-1][0] // 10:,} to {found.memory[-1][0]:,} requests",
         f"{found.growth:.1f} MiB", f"< {GROWTH_MIB:g} MiB", found.growth < GROWTH_MIB),
        ("processor time a request, checks on and off",
         f"{found.cpu_on:.2f} and {found.cpu_off:.2f} ms", "", None),
    ]  # fmt: skip
    lines = [
        f"{found.cores} cores, load {found.load:g} at the start; the upstream, both servers and "
        "what asks them share them. A request has the same system prompt each time and a question "
        "of some 190 characters, an answer has some 330: parts of sentences of the pages of this "
        "project, in random order, and one word that nobody ever said. Latency "
        "counts from the instant a request was due. Failed requests: "
        f"{found.errors + found.on.failed + found.off.failed}. With checks off nothing is checked "
        "and nothing written into the audit chain; both are in the cost.",
        "",
        "| what | seen | target | met |",
        "|---|---|---|---|",
        *(f"| {what} | {seen} | {aim} | {_YES[met]} |" for what, seen, aim, met in rows),
        "",
        "| server | n | median ms | p99 ms | requests/s |",
        "|---|---|---|---|---|",
        _row("the upstream alone", found.direct, ()),
        _row("the proxy, checks off", found.off, found.wrk_off),
        _row("the proxy, checks on", found.on, found.wrk_on),
    ]
    if found.peer is not None and found.peer_off is not None:
        lines += [
            _row(
                f"NeMo Guardrails, one regular expression, {PEER_RATE} requests/s", found.peer, ()
            ),
            _row(f"the upstream alone, {PEER_RATE} requests/s", found.peer_off, ()),
        ]
    else:
        lines += ["", "The peer was not there; `make guard-peer` installs it."]
    return "\n".join(lines)


def _row(name: str, latency: Latency, rates: Sequence[float]) -> str:
    rate = f"{max(rates):,.0f}" if rates else ""
    return f"| {name} | {latency.n:,} | {latency.p50:.2f} | {latency.p99:.2f} | {rate} |"


def write(found: Found) -> None:
    """Put the section into the page of benchmarks, in place of the one there."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(TITLE)
    after = rest[rest.index("\n## ") :] if "\n## " in rest else ""
    told_by = (
        "Written by `python -m scripts.bench_guard --write`; `make bench` writes this section."
    )
    section = f"{TITLE}\n\n{told_by}\n\n{told(found)}\n"
    PAGE.write_text(f"{before.rstrip()}\n\n{section}{after}", encoding="utf-8")


def main() -> int:
    """Measure, and print or write what came of it; exit 0 whether the targets are met or not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="of each open loop")
    parser.add_argument("--requests", type=int, default=100_000, help="for the memory")
    parser.add_argument("--rounds", type=int, default=3, help="of throughput")
    parser.add_argument("--write", action="store_true", help=f"put the section into {PAGE.name}")
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    parser.add_argument("--upstream", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.upstream:
        asyncio.run(_run_upstream(given.upstream))
    found = measure(given.seconds, given.requests, given.rounds)
    if given.write:
        write(found)
    print(json.dumps(asdict(found), indent=2) if given.json else told(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
