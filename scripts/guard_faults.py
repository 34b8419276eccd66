"""Break what is around a guard that runs as people start it, and see what leaves it.

    python -m scripts.guard_faults [--clock LIBRARY] [--write]

`normwright guard serve` runs in a process of its own before an upstream in another. For every
fault: what the client was told, whether a word left that nobody had checked, how long it took,
whether others were answered meanwhile, and at the end whether the audit chain verifies. `--clock`
is the shared library of libfaketime; without it clocks are left alone. Small disks need the right
to mount. `--write` writes docs/experiments/guard-faults.md.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.acceptance.guarding import Served, guard

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/experiments/guard-faults.md"
SECRET = "zxqv-nobody-checked-this"
"""What upstreams say at a point after which they break."""
PLAIN = "The library opens at nine on weekdays and at ten on Saturdays. "
TIMEOUT = 60.0
LEFT = {True: "YES", False: "no", None: "–"}
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


@dataclass(frozen=True)
class Found:
    """What came of one fault."""

    fault: str
    told: str
    leaked: bool | None
    """None: nothing was said that it could be told by."""
    seconds: float
    others: str = "–"
    """Whether somebody else was answered meanwhile."""


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one connection, as the name of the model says."""
    with suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            size = next(
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            )
            how = str(json.loads(await reader.readexactly(size)).get("model"))
            if how in ("killed", "slowly"):
                await stream(writer, how)
                break
            said = RAW.get(how) or json.dumps(_whole(PLAIN)).encode()
            cut = how == "killed-whole"
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (len(said) + 10_000 * cut, said)
            )
            await writer.drain()
            if cut:
                await asyncio.sleep(600)
    writer.close()


async def stream(writer: asyncio.StreamWriter, how: str) -> None:
    """Write a stream of four seconds, or one that stops after the mark and waits to be killed."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    for piece in (PLAIN * 5, SECRET):
        writer.write(_chunk(piece))
    await writer.drain()
    if how == "killed":
        await asyncio.sleep(600)
    for _ in range(20):
        await asyncio.sleep(0.2)
        writer.write(_chunk(PLAIN))
        await writer.drain()
    writer.write(_chunk("", finish="stop") + b"data: [DONE]\n\n")
    await writer.drain()


def _chunk(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    event = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
             "choices": [choice]}  # fmt: skip
    return b"data: " + json.dumps(event).encode() + b"\n\n"


async def serve() -> None:
    """Serve on a free port and print it."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=1 << 24, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _whole(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


RAW = {
    "surrogate": json.dumps(_whole(f"{PLAIN} \ud800")).encode(),
    "no-utf8": b'{"choices": [{"message": {"content": "' + SECRET.encode() + b' \xff\xfe"}}]}',
    "nested": b'{"x": "' + SECRET.encode() + b'", "choices": ' + b"[" * 200_000 + b"]" * 200_000
    + b"}",
    "ten-mib": json.dumps(_whole(SECRET + "word " * (2 << 20))).encode(),
}  # fmt: skip
"""Replies as bytes, by the model's name."""
RAW["killed-whole"] = b'{"choices": [{"message": {"content": "' + SECRET.encode()


@contextmanager
def upstream() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run an upstream in a process of its own, to be killed."""
    command = [sys.executable, "-m", "scripts.guard_faults", "--upstream"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert running.stdout is not None
        yield f"http://127.0.0.1:{int(running.stdout.readline())}", running
    finally:
        running.kill()
        running.wait()


def post(
    at: Served, body: bytes | dict[str, Any], *, path: str = "/v1/chat/completions", **headers: str
) -> tuple[int, dict[str, str], str]:
    """Send one request over a connection of its own; 0 stands for an answer that broke off."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    host = at.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=TIMEOUT)
    read = bytearray()
    status, named = 0, {}
    try:
        connection.request("POST", path, raw, {"content-type": "application/json", **headers})
        response = connection.getresponse()
        status, named = response.status, {k.lower(): v for k, v in response.getheaders()}
        while piece := response.read1(1 << 16):
            read += piece
    except (OSError, http.client.HTTPException) as error:
        read += f" [{type(error).__name__}]".encode()
    finally:
        connection.close()
    return status, named, read.decode("utf-8", "replace")


def chat(model: str, text: str = "When does the library open?", **more: Any) -> dict[str, Any]:
    """Return a request."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def code_of(status: int, text: str) -> str:
    """Return what a client was told, in a few words."""
    for code in ("upstream_malformed", "upstream_timeout", "upstream_error", "too_large",
                 "unreadable", "invalid_json", "invalid_request", "content_filter", "not_checked",
                 "not_sealed", "audit"):  # fmt: skip
        if code in text:
            return f"{status} {code}"
    try:
        error = json.loads(text).get("error") or {}
        return f"{status} {error.get('code') or ('answered' if status == 200 else '')}".strip()
    except (ValueError, AttributeError):
        return str(status)


def fine(at: Served) -> str:
    """Say whether somebody else is answered now, and how soon."""
    began = time.monotonic()
    status, _, text = post(at, chat("plain"))
    good = status == 200 and PLAIN.strip() in text
    return f"{'yes' if good else f'NO ({status})'}, {time.monotonic() - began:.2f} s"


def killed(model: str, *, stream: bool) -> Callable[[Path], Found]:
    """Kill the upstream's process in the middle of an answer."""

    def run(work: Path) -> Found:
        with upstream() as (url, running), guard(work, url) as at:
            began = time.monotonic()
            with ThreadPoolExecutor() as pool:
                got = pool.submit(post, at, chat(model, stream=stream))
                time.sleep(1.0)
                running.send_signal(signal.SIGKILL)
                status, _, text = got.result()
            spent = time.monotonic() - began
            return Found(
                f"upstream killed in the middle of {'a stream' if stream else 'a whole answer'}",
                code_of(status, text), SECRET in text, spent,
            )  # fmt: skip

    return run


def slow_loris(work: Path) -> Found:
    """Three hundred clients that send a byte of their head each second, or of their body."""
    with upstream() as (url, _), guard(work, url) as at:
        port = int(at.url.rpartition(":")[2])
        began, gone = time.monotonic(), 0
        open_ = [socket.create_connection(("127.0.0.1", port)) for _ in range(300)]
        for i, one in enumerate(open_):
            if i % 2:
                one.sendall(HEAD % 90_000)
        meanwhile = []
        alive = list(open_)
        while alive and time.monotonic() - began < 60:
            still = []
            for one in alive:
                try:
                    one.setblocking(False)
                    if one.recv(4096) == b"":
                        raise ConnectionResetError
                    still.append(one)
                except BlockingIOError:
                    try:
                        one.send(b"x")
                        still.append(one)
                    except OSError:
                        gone += 1
                except OSError:
                    gone += 1
            alive = still
            meanwhile.append(fine(at))
            time.sleep(1.0)
        for one in open_:
            one.close()
        worst = max(meanwhile, key=lambda m: (m.startswith("NO"), m))
        return Found("300 clients that send a byte a second, half of them of the head",
                     f"{gone}/300 let go", leaked=None, seconds=time.monotonic() - began,
                     others=f"{worst} (the worst of {len(meanwhile)})")  # fmt: skip


def bodies(work: Path) -> list[Found]:
    """Bodies that are too large, malformed or deep, of the client and of the upstream."""
    deep = b"[" * 200_000 + b"]" * 200_000
    call = {"role": "assistant", "content": None, "tool_calls": [
        {"id": "a", "type": "function",
         "function": {"name": "f", "arguments": deep.decode()}}]}  # fmt: skip
    plain = b'{"model": "plain", "messages": [{"role": "user", "content": "%s"}]}'
    sent: dict[str, bytes | dict[str, Any]] = {
        "a request of 10 MB": chat("plain", "word " * (2 << 20)),
        "a request of 7 MB, below the limit": chat("plain", "word " * 1_400_000),
        "a lone surrogate": plain % rb"\ud800 library",
        "bytes that are no UTF-8": plain % b"\xff\xfe\xc0\xaf",
        "NUL and a byte order mark": b"\xef\xbb\xbf" + plain % rb"\u0000\ufeff",
        "messages nested 200,000 deep": b'{"model": "plain", "messages": ' + deep + b"}",
        "arguments of a call nested 200,000 deep": {
            **chat("plain"), "messages": [{"role": "user", "content": "x"}, call]},
        "a schema nested 5,000 deep": b'{"model": "plain", "messages": [{"role": "user", "content":'
        b' "x"}], "response_format": ' + b'{"a": ' * 5_000 + b"1" + b"}" * 5_000 + b"}",
        "no body": b"",
        "half a body of JSON": plain[:40],
    }  # fmt: skip
    found = []
    with upstream() as (url, _), guard(work, url) as at:
        for name, body in sent.items():
            found.append(told(at, name, body))
        for name, model in (
            ("an answer with a lone surrogate", "surrogate"),
            ("an answer that is no UTF-8", "no-utf8"),
            ("an answer nested 200,000 deep", "nested"),
            ("an answer of 10 MB", "ten-mib"),
        ):
            found.append(told(at, name, chat(model)))
    return found


def told(at: Served, name: str, body: bytes | dict[str, Any]) -> Found:
    """Send one body and see whether another client is answered after."""
    began = time.monotonic()
    with ThreadPoolExecutor() as pool:
        beside = pool.submit(fine, at)
        status, _, text = post(at, body)
    return Found(name, code_of(status, text), SECRET in text, time.monotonic() - began,
                 beside.result())  # fmt: skip


def locked(work: Path) -> list[Found]:
    """Another process holds both databases for five seconds."""
    with upstream() as (url, _), guard(work, url) as at:
        post(at, chat("plain"), **{"x-normwright-session": "s"})
        locks = []
        for name in ("verdicts.db", "sessions.db"):
            lock = sqlite3.connect(at.state / name, isolation_level=None)
            lock.execute("BEGIN EXCLUSIVE")
            locks.append(lock)
        began = time.monotonic()
        asked = "Explain how to build a pipe bomb at home."
        status, named, text = post(at, chat("plain", asked), **{"x-normwright-session": "s"})
        spent = time.monotonic() - began
        verdict = named.get("x-normwright-verdict-id", "")
        there = at.get(f"/v1/verdicts/{verdict}") is not None
        time.sleep(5)
        health = (at.get("/healthz") or {}).get("degraded")
        others = fine(at)
        for lock in locks:
            lock.execute("ROLLBACK")
            lock.close()
        time.sleep(3)
        mended = (at.get("/healthz") or {}).get("degraded")
        kept = sqlite3.connect(at.state / "verdicts.db")
        [(n,)] = kept.execute("SELECT count(*) FROM verdicts WHERE id = ?", (verdict,)).fetchall()
        kept.close()
        return [
            Found("both databases locked: a refusal",
                  f"{code_of(status, text)}; named {named.get('x-normwright-degraded', 'nowhere')};"
                  f" verdict readable: {there}", SECRET in text, spent, others),
            Found("the same, five seconds later and after",
                  f"health: {', '.join(health or ['nothing'])}; after: "
                  f"{', '.join(mended or ['nothing'])}; verdict in the database: {bool(n)}",
                  leaked=None, seconds=8.0),
        ]  # fmt: skip


def full(work: Path) -> list[Found]:
    """A disk of 2 MiB under the state is filled, and emptied again."""
    disk = work / "disk"
    disk.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)],
                      capture_output=True, check=False).returncode:  # fmt: skip
        return [Found("disk full", "NOT RUN: no right to mount", leaked=None, seconds=0)]
    try:
        with upstream() as (url, _), guard(work, url, state=disk / "state") as at:
            before = fine(at)
            filler = disk / "filler"
            with filler.open("wb", buffering=0) as out, suppress(OSError):
                while True:
                    out.write(b"x" * 512)
            # The chain still has what is left of its last page.
            room = next((i for i in range(500) if post(at, chat("plain"))[0] != 200), 500)
            began = time.monotonic()
            with ThreadPoolExecutor(40) as pool:
                got = list(
                    pool.map(
                        lambda i: post(
                            at, chat("slowly" if i % 2 else "plain", stream=bool(i % 2))
                        ),
                        range(40),
                    )
                )
            spent = time.monotonic() - began
            codes = sorted({code_of(status, text) for status, _, text in got})
            leaked = any(SECRET in t or PLAIN in t for _, _, t in got)
            health = (at.get("/healthz") or {"status": "503"}).get("status")
            filler.unlink()
            time.sleep(3)
            after = fine(at)
            chain = verify(at.state)
        return [
            Found(f"disk full: 40 requests, after {room} that fitted",
                  f"{', '.join(codes)}; health {health}", leaked, spent, before),
            Found("disk with room again", chain, leaked=None, seconds=3.0, others=after),
        ]  # fmt: skip
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def clocks(library: Path) -> Callable[[Path], list[Found]]:
    """Set the clock of the guard's process ten years on, then back, then to before 1970's end."""

    def run(work: Path) -> list[Found]:
        work.mkdir(parents=True)
        clock = work / "clock"
        clock.write_text("+0\n", "ascii")
        environment = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock),
                       "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}  # fmt: skip
        found = []
        with upstream() as (url, _), guard(work, url, environment=environment) as at:
            for jump in ("+3650d", "-3650d", "+0"):
                clock.write_text(f"{jump}\n", "ascii")
                began = time.monotonic()
                status, named, text = post(at, chat("plain", "Explain how to build a pipe bomb."))
                time.sleep(1.5)
                kept = at.get(f"/v1/verdicts/{named.get('x-normwright-verdict-id', '')}") or {}
                found.append(
                    Found(f"the clock jumps to {jump}",
                          f"{code_of(status, text)}; sealed at {str(kept.get('at'))[:10]}",
                          SECRET in text, time.monotonic() - began, fine(at))
                )  # fmt: skip
        return found

    return run


def thousand(work: Path) -> Found:
    """A thousand streams at once, each as slow as its upstream."""
    with upstream() as (url, _), guard(work, url) as at:
        began = time.monotonic()
        with ThreadPoolExecutor() as pool:
            asked = pool.submit(asyncio.run, streams(int(at.url.rpartition(":")[2]), 1000))
            time.sleep(2)
            others = fine(at)
            got = asked.result()
        cpu = _cpu(at.pid)
    whole = sum(b"200 OK" in one and b"[DONE]" in one for one in got)
    return Found("1,000 streams at once, of four seconds and more",
                 f"{whole}/1000 came to their end; the guard used {cpu:.0f} s of CPU",
                 leaked=None, seconds=time.monotonic() - began, others=others)  # fmt: skip


async def streams(port: int, n: int) -> list[bytes]:
    """Return the bytes of n streams that are read at once."""
    body = json.dumps(chat("slowly", stream=True)).encode()

    async def one() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD.replace(b"Host: x", b"Host: x\r\nConnection: close") % len(body) + body)
        read = await reader.read(-1)
        writer.close()
        return read

    return await asyncio.gather(*(one() for _ in range(n)))


def _cpu(pid: int) -> float:
    """Return the processor time of a process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def gone(work: Path) -> Found:
    """Two hundred clients go away in the middle of their stream."""
    with upstream() as (url, _), guard(work, url) as at:
        port = int(at.url.rpartition(":")[2])
        body = json.dumps(chat("slowly", stream=True)).encode()
        began = time.monotonic()
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", port)) as one:
                one.sendall(HEAD % len(body) + body)
        time.sleep(8)
        shown = _metric(at, "normwright_guard_in_flight")
        return Found("200 clients that go in the middle", f"under way after: {shown}", leaked=None,
                     seconds=time.monotonic() - began, others=fine(at))  # fmt: skip


def _metric(at: Served, name: str) -> str:
    connection = http.client.HTTPConnection(at.url.removeprefix("http://"), timeout=TIMEOUT)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return next((x.split()[1] for x in text.splitlines() if x.startswith(f"{name} ")), "unknown")


def verify(state: Path) -> str:
    """Return what `normwright guard verify` says."""
    done = subprocess.run(
        [sys.executable, "-m", "normwright.cli", "guard", "verify", str(state)],
        capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    said = (done.stdout or done.stderr).strip().splitlines()
    return said[-1] if done.returncode == 0 and said else f"DOES NOT VERIFY: {' '.join(said)}"


def main() -> int:
    """Run every fault and print what came of it; returns 1 if anything left unchecked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--upstream", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--clock", type=Path, help="the shared library of libfaketime")
    parser.add_argument("--only", nargs="+", help="names of faults")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if arguments.upstream:
        asyncio.run(serve())
    runs: dict[str, Callable[[Path], Found | list[Found]]] = {
        "killed-stream": killed("killed", stream=True),
        "killed-whole": killed("killed-whole", stream=False),
        "bodies": bodies,
        "locked": locked,
        "full": full,
        "gone": gone,
        "slow-loris": slow_loris,
        "thousand": thousand,
    }
    if arguments.clock is not None:
        runs["clocks"] = clocks(arguments.clock.resolve())
    found, chains, before = [], {}, os.getloadavg()[0]
    with ExitStack() as stack:
        work = Path(tempfile.mkdtemp(prefix="guard-faults-"))
        stack.callback(shutil.rmtree, work, ignore_errors=True)
        for name in arguments.only or runs:
            got = runs[name](work / name)
            rows = got if isinstance(got, list) else [got]
            if (work / name / "state").is_dir():
                chains[name] = verify(work / name / "state")
            for row in rows:
                print(row, flush=True)
            print("  ", chains.get(name, ""), flush=True)
            found += rows
    bad = any(f.leaked for f in found) or any("NOT VERIFY" in c for c in chains.values())
    if arguments.write:
        PAGE.write_text(
            written(found, chains, arguments.clock is not None, (before, os.getloadavg()[0])),
            "utf-8",
        )
    return int(bad)


def written(
    found: list[Found], chains: dict[str, str], clocked: bool, load: tuple[float, float]
) -> str:
    """Return the page."""
    lines = [
        "# Faults around a guard that runs",
        "",
        "<!-- Written by scripts/guard_faults.py; do not edit. -->",
        "",
        "`normwright guard serve` in a process of its own, before an upstream in another, on a"
        f" machine with {os.cpu_count()} cores that others use too (load average before and after:"
        f" {load[0]:.0f}, {load[1]:.0f}; how soon anybody is answered says most about that)."
        " *Left* says whether a mark that the upstream had said before it broke, and that nothing"
        " had checked, came out. *Others* is a plain request made meanwhile: was it answered, and"
        " how soon.",
        "",
        "| fault | the client was told | left | seconds | others |",
        "|---|---|---|---|---|",
        *(f"| {f.fault} | {f.told} | {LEFT[f.leaked]} | {f.seconds:.1f} | {f.others} |"
          for f in found),
        "",
        "`normwright guard verify` after each:",
        "",
        *(f"- {name}: {said}" for name, said in chains.items()),
    ]  # fmt: skip
    if not clocked:
        lines += ["", "Clocks were left alone: libfaketime was not given."]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
