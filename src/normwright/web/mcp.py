"""A proxy for the Model Context Protocol: tools of another server, behind the guard of agents.

An agent's client talks to this server as to any; every `tools/call` is judged, made with exactly
the approved arguments, and looked at after. Only tools of the manifest are listed, and only tools
are passed on: resources and prompts would be a way around. What a server says about its tools is
shown to the client and decides nothing; a tool whose definition changes while the proxy runs is
denied.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from normwright.records import (
    CallVerdict,
    Digest,
    Fault,
    InputError,
    MissingExtra,
    ToolCall,
    digest_json,
)

if TYPE_CHECKING:
    from mcp import Client
    from mcp.server import Server
    from starlette.applications import Starlette

    from normwright.guard.agents import AgentGuard

VERDICT = "normwright/verdict"
"""Key under which a result's `_meta` holds the verdict on its call."""


class ToolProxy:
    """The guard between one agent and one server of tools.

    Args:
        guard: over the desk's ledger.
        agent: who calls: the one client of this proxy, whatever it says it is.
        grant: id of the grant it calls under.
        session: name of the run. Labels of what was read stay with it, so no client can choose it;
            whoever starts the proxy gives another to begin anew.
        upstream: a client of the server, open.
        lang: language of refusals.
    """

    def __init__(
        self,
        guard: AgentGuard,
        *,
        agent: str,
        grant: str,
        session: str,
        upstream: Client,
        lang: str = "en",
    ) -> None:
        self.guard = guard
        self.agent = agent
        self.grant = grant
        self.session = session
        self.upstream = upstream
        self.lang = lang
        self._seen: dict[str, Digest] = {}
        self._changed: set[str] = set()

    async def list_tools(self, _: Any, params: Any) -> Any:
        """Return the server's tools that the manifest knows."""
        from mcp.types import ListToolsResult

        cursor = getattr(params, "cursor", None)
        found = await self.upstream.list_tools(cursor=cursor, cache_mode="refresh")
        self._note(found.tools)
        known = self.guard.approver.manifest.tools
        shown = [t for t in found.tools if t.name in known and t.name not in self._changed]
        return ListToolsResult(tools=shown, next_cursor=found.next_cursor)

    async def call_tool(self, _: Any, params: Any) -> Any:
        """Return what a tool gave, or why it was not called."""
        import anyio

        call = ToolCall(
            tool=params.name, arguments=params.arguments or {}, agent=self.agent, grant=self.grant,
            session=self.session, at=self.guard.clock(),
        )  # fmt: skip
        if params.name in self._changed:
            return _error("the tool is not what it was when it was first seen")
        verdict, ticket = await anyio.to_thread.run_sync(self.guard.approve, call)
        if ticket is None:
            return _refused(verdict, self.lang)
        arguments = await anyio.to_thread.run_sync(self.guard.begin, ticket)
        # Whatever goes wrong from here on, the call stays counted: it may have been made.
        result = await self.upstream.call_tool(params.name, arguments)
        done = await anyio.to_thread.run_sync(self.guard.finish, ticket, _told(result))
        if done.breaches:
            return _error("the tool did something else than was approved", verdict)
        return result.model_copy(
            update={"meta": {**(result.meta or {}), VERDICT: _told_of(verdict)}}
        )

    def _note(self, tools: Sequence[Any]) -> None:
        for tool in tools:
            digest = digest_json(tool.model_dump(mode="json", by_alias=True))
            if self._seen.setdefault(tool.name, digest) != digest:
                self._changed.add(tool.name)


def server_of(proxy: ToolProxy) -> Server[Any]:
    """Return the proxy as an MCP server, for stdio or HTTP.

    Raises:
        MissingExtra: if `mcp` is not installed.
    """
    try:
        from mcp.server import Server
    except ImportError as error:
        raise MissingExtra("The proxy for tools", "mcp") from error
    return Server(
        "normwright", on_list_tools=proxy.list_tools, on_call_tool=proxy.call_tool
    )  # fmt: skip


@asynccontextmanager
async def opened(
    target: str | Sequence[str], *, environment: dict[str, str] | None = None
) -> AsyncIterator[Client]:
    """Return a client of a server of tools.

    Args:
        target: the URL of a Streamable HTTP server, or the command that starts one on stdio.
        environment: more variables for the command; it inherits only what a shell needs.

    Raises:
        MissingExtra: if `mcp` is not installed.
        InputError: if the command is empty.
    """
    try:
        from mcp import Client, StdioServerParameters
    except ImportError as error:
        raise MissingExtra("The proxy for tools", "mcp") from error
    if not target:
        raise InputError([Fault(where="upstream", expected="a URL or a command", seen="nothing")])
    if isinstance(target, str):
        where: Any = target
    else:
        where = StdioServerParameters(command=target[0], args=[*target[1:]], env=environment)
    async with Client(where) as client:
        yield client


async def serve_stdio(proxy: ToolProxy) -> None:
    """Serve one client on standard input and output, until it goes."""
    from mcp.server.stdio import stdio_server

    server = server_of(proxy)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


async def serve_http(proxy: ToolProxy, *, port: int, host: str = "127.0.0.1") -> None:
    """Serve over Streamable HTTP at `/mcp`, until the process is told to end."""
    import uvicorn

    settings = uvicorn.Config(http_app(proxy, host=host), host=host, port=port, log_level="warning")
    await uvicorn.Server(settings).serve()


def http_app(proxy: ToolProxy, *, host: str = "127.0.0.1") -> Starlette:
    """Return the proxy as an ASGI app that speaks Streamable HTTP at `/mcp`.

    Args:
        proxy: the guard and the server behind it.
        host: the address it listens on; for this machine alone, requests that name another host
            are refused, so that no web page reaches it through a browser.
    """
    return server_of(proxy).streamable_http_app(host=host)


def _told(result: Any) -> Any:
    """What a result says, for the guard to look at."""
    if result.structured_content is not None:
        return result.structured_content
    texts = [part.text for part in result.content if part.type == "text"]
    try:
        return json.loads("".join(texts))
    except ValueError:
        return texts


def _refused(verdict: CallVerdict, lang: str) -> Any:
    said = verdict.reasons.get(lang) or next(iter(verdict.reasons.values()), verdict.outcome)
    cited = ", ".join(norm.ref for norm in verdict.norms)
    asks = ""
    if verdict.outcome == "ask":
        asks = f" {verdict.call} -> {', '.join(verdict.asks)}"
    return _error(f"{said} [{cited}]{asks}" if cited else f"{said}{asks}", verdict)


def _error(said: str, verdict: CallVerdict | None = None) -> Any:
    from mcp.types import CallToolResult, TextContent

    meta = None if verdict is None else {VERDICT: _told_of(verdict)}
    content = [TextContent(type="text", text=said)]
    return CallToolResult.model_validate({"content": content, "isError": True, "_meta": meta})


def _told_of(verdict: CallVerdict) -> dict[str, Any]:
    """What a client is told of a verdict: enough to contest it."""
    return {
        "digest": verdict.digest,
        "outcome": verdict.outcome,
        "call": verdict.call,
        "norms": [{"id": norm.id, "version": norm.version} for norm in verdict.norms],
        "reasons": verdict.reasons,
        "check": verdict.check,
        "asks": list(verdict.asks),
    }
