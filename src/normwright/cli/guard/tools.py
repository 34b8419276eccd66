"""`normwright guard tools`: the guard before the tools of an agent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.guard.group import PolicyDir, app
from normwright.cli.screen import DONE
from normwright.records import MissingExtra

if TYPE_CHECKING:
    from normwright.guard.agents import AgentGuard

DeskFile = Annotated[
    Path,
    typer.Option(
        "--desk",
        metavar="FILE",
        help="The agents' desk: people, tools, grants, and where the ledger lies (YAML).",
    ),
]


@app.command(
    "tools",
    epilog="Example:  normwright guard tools --desk agents.yaml --agent desk --grant g "
    "--upstream http://127.0.0.1:9000/mcp --port 8081",
)
def tools(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- COMMAND...]", help="What starts the server of tools."),
    ] = None,
    *,
    desk: DeskFile = Path("agents.yaml"),
    agent: Annotated[str, typer.Option("--agent", help="Who calls, as the grants name it.")] = "",
    grant: Annotated[str, typer.Option("--grant", help="The grant it calls under.")] = "",
    upstream: Annotated[
        str | None,
        typer.Option("--upstream", metavar="URL", help="A server of tools that runs already."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=1, max=65535, help="Serve over HTTP here, at /mcp, and not on stdio."
        ),
    ] = None,
    session: Annotated[
        str,
        typer.Option(
            "--session",
            help="Name of the run: labels of what was read and what was used stay with it.",
        ),
    ] = "tools",
    draft: Annotated[
        bool,
        typer.Option(
            "--draft",
            help="Print a manifest to start from instead, from what the server says of its tools.",
        ),
    ] = False,
    policy: PolicyDir = None,
    lang: Annotated[
        str, typer.Option("--lang", metavar="TAG", help="Language of refusals.")
    ] = "en",
) -> int:
    """Stand between an agent and a server of tools (MCP): every call is judged before it is made.

    Tools that the desk does not describe are neither shown nor called.
    """
    try:
        import anyio

        from normwright.web import mcp  # noqa: F401
    except ImportError as error:
        raise MissingExtra("The proxy for tools", "mcp") from error
    if (upstream is None) == (not command):
        raise typer.BadParameter("give a command after --, or --upstream", param_hint="COMMAND")
    target: Any = upstream if upstream is not None else command
    if draft:
        sys.stdout.write(anyio.run(_drafted, target))
        return DONE
    from normwright.flow.agents import guard_of, open_desk

    guard = guard_of(open_desk(desk, policy))
    anyio.run(_served, guard, target, agent, grant, session, lang, port)
    return DONE


async def _served(
    guard: AgentGuard, target: Any, agent: str, grant: str, session: str, lang: str,
    port: int | None,
) -> None:  # fmt: skip
    from normwright.web.mcp import ToolProxy, opened, serve_http, serve_stdio

    async with opened(target) as upstream:
        proxy = ToolProxy(
            guard, agent=agent, grant=grant, session=session, upstream=upstream, lang=lang
        )
        if port is None:
            await serve_stdio(proxy)
        else:
            await serve_http(proxy, port=port)


async def _drafted(target: Any) -> str:
    import yaml

    from normwright.guard.agents import drafted
    from normwright.web.mcp import opened

    async with opened(target) as upstream:
        found = (await upstream.list_tools()).tools
    told = drafted([tool.model_dump(mode="json", by_alias=True) for tool in found])
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True)
