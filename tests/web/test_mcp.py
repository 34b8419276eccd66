"""The proxy for tools, with the real client of the protocol, over stdio and HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")

import anyio
from mcp import Client, StdioServerParameters
from tests.web.mcp_office import server

from normwright.flow.agents import guard_of, open_desk
from normwright.web.mcp import VERDICT, ToolProxy, http_app, opened, server_of

DESK = """
schema: agent-desk/v1
people: [ana]
grants: [{id: g, grantor: ana, grantee: desk, acts: [operate], budget: {recipients: 3}}]
tools:
  patients: {act: read.personal-data, effect: reversible, reads: {conf: personal}}
  mail:
    act: send.data
    effect: compensable
    aliases: {insert_text: text}
    units: {recipients: {fixed: 1}}
    observes: {recipients: {count: "/sent/*"}}
    sink: {pointer: /to, kind: email, internal: ["*@office.org"]}
  erase: {act: delete.data, effect: irreversible}
"""


@asynccontextmanager
async def _client(tmp_path: Path, calls: list[Any], **how: Any) -> AsyncIterator[Client]:
    file = tmp_path / "agents.yaml"
    file.write_text(DESK, encoding="utf-8")
    async with Client(server(calls, **how)) as upstream:
        proxy = ToolProxy(guard_of(open_desk(file)), agent="desk", grant="g", session="s",
                          upstream=upstream)  # fmt: skip
        async with Client(server_of(proxy)) as client:
            yield client


def _said(result: Any) -> str:
    return str(result.content[0].text)


def test_only_tools_of_the_manifest_are_there(tmp_path: Path) -> None:
    """A tool that nobody described is neither listed nor called, whatever it says it is."""
    calls: list[Any] = []

    async def run() -> None:
        async with _client(tmp_path, calls) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            result = await client.call_tool("backdoor", {})
            assert names == ["patients", "mail", "erase"]
            assert result.is_error

    anyio.run(run)

    assert calls == []


def test_calls_are_judged_and_made_as_approved(tmp_path: Path) -> None:
    """Data that were read do not leave; arguments have their one name; erasing is not harmless."""
    calls: list[Any] = []

    async def run() -> None:
        async with _client(tmp_path, calls) as client:
            first = await client.call_tool("mail", {"to": "x@else.org", "insert_text": "hi"})
            await client.call_tool("patients", {})
            denied = await client.call_tool("mail", {"to": "x@else.org", "text": "Eva"})
            asked = await client.call_tool("erase", {})
            assert not first.is_error
            assert denied.is_error
            assert "g.privacy.no-leak@1" in _said(denied)
            assert (denied.meta or {})[VERDICT]["outcome"] == "deny"
            assert "-> ana" in _said(asked)

    anyio.run(run)

    assert calls == [("mail", {"to": "x@else.org", "text": "hi"}), ("patients", {})]


def test_a_tool_that_does_more_ends_the_work(tmp_path: Path) -> None:
    """It sent nine mails for one: what it gives is kept back, and nothing more is called."""
    calls: list[Any] = []

    async def run() -> None:
        async with _client(tmp_path, calls) as client:
            burst = await client.call_tool("mail", {"to": "bo@office.org", "text": "burst"})
            after = await client.call_tool("patients", {})
            assert burst.is_error
            assert (after.meta or {})[VERDICT]["outcome"] == "terminate"

    anyio.run(run)

    assert len(calls) == 1


def test_a_tool_that_changes_is_denied(tmp_path: Path) -> None:
    """A definition that is another one the second time is no longer the tool that was looked at."""
    calls: list[Any] = []

    async def run() -> None:
        async with _client(tmp_path, calls, changing=True) as client:
            await client.list_tools()
            assert (await client.list_tools(cache_mode="refresh")).tools == []
            assert (await client.call_tool("patients", {})).is_error

    anyio.run(run)

    assert calls == []


@pytest.mark.slow
def test_over_stdio_on_both_sides(tmp_path: Path) -> None:
    """The command behind is started by the proxy, and the proxy by the client."""
    (tmp_path / "agents.yaml").write_text(DESK, encoding="utf-8")
    behind = [sys.executable, "-m", "tests.web.mcp_office", str(tmp_path / "calls.json")]
    script = (
        "import anyio, sys, pathlib\n"
        "from normwright.flow.agents import guard_of, open_desk\n"
        "from normwright.web.mcp import ToolProxy, opened, serve_stdio\n"
        "async def main():\n"
        "    async with opened(sys.argv[2:], environment={'PYTHONPATH': 'src:.'}) as upstream:\n"
        "        guard = guard_of(open_desk(pathlib.Path(sys.argv[1])))\n"
        "        await serve_stdio(ToolProxy(guard, agent='desk', grant='g', session='s',"
        " upstream=upstream))\n"
        "anyio.run(main)\n"
    )
    front = StdioServerParameters(
        command=sys.executable, args=["-c", script, str(tmp_path / "agents.yaml"), *behind],
        env={"PYTHONPATH": "src:."}, cwd=Path(__file__).parents[2],
    )  # fmt: skip

    async def run() -> None:
        async with Client(front) as client:
            await client.call_tool("patients", {})
            assert (await client.call_tool("mail", {"to": "x@else.org", "text": "Eva"})).is_error

    anyio.run(run)

    assert json.loads((tmp_path / "calls.json").read_text()) == [["patients", {}]]


@pytest.mark.enable_socket
def test_over_http(tmp_path: Path) -> None:
    """The same answers come over Streamable HTTP, from a server on this machine."""
    import uvicorn

    calls: list[Any] = []
    file = tmp_path / "agents.yaml"
    file.write_text(DESK, encoding="utf-8")

    async def run() -> None:
        async with Client(server(calls)) as upstream, anyio.create_task_group() as tasks:
            proxy = ToolProxy(guard_of(open_desk(file)), agent="desk", grant="g", session="s",
                              upstream=upstream, lang="pt")  # fmt: skip
            served = uvicorn.Server(
                uvicorn.Config(http_app(proxy), host="127.0.0.1", port=0, log_level="error")
            )
            tasks.start_soon(served.serve)
            while not served.started:
                await anyio.sleep(0.01)
            port = served.servers[0].sockets[0].getsockname()[1]
            async with opened(f"http://127.0.0.1:{port}/mcp") as client:
                await client.call_tool("patients", {})
                denied = await client.call_tool("mail", {"to": "x@else.org", "text": "Eva"})
                assert "Não envie dados pessoais" in _said(denied)
            served.should_exit = True

    anyio.run(run)

    assert calls == [("patients", {})]
