"""`normwright trace` and `verify`: walk back from anything to the ballots, and recompute it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.keys import verified_lines
from normwright.cli.options import HERE, AsJson, Directory
from normwright.cli.screen import DONE, FAILED, console, emit, show_faults

if TYPE_CHECKING:
    from rich.tree import Tree

    from normwright.flow import Chain

SHORT = 12
"""Hexadecimal digits of a digest that a screen shows; `trace` takes them back."""

FEW = 4
"""Of one kind under one node a screen shows so many and counts the rest; `--json` has them all."""


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command("trace", epilog="Example:  normwright trace 3fa9c2d1e0b4 --project my-town")(trace)
    app.command("verify", epilog="Example:  normwright verify my-town")(verify)


def trace(
    digest: Annotated[
        str | None,
        typer.Argument(
            metavar="[DIGEST]",
            help="Of a verdict, a refusal, a weight file: anything made; 8 digits or more.",
            show_default=False,
        ),
    ] = None,
    norm: Annotated[
        str | None,
        typer.Option(
            "--norm",
            metavar="ID",
            help="A norm of the ratified charter: the chain from its ballots to the verdict.",
        ),
    ] = None,
    project: Annotated[
        Path,
        typer.Option(
            "--project", metavar="DIR", help="The project directory.", show_default="here"
        ),
    ] = HERE,
    as_json: AsJson = False,
) -> int:
    """Walk from anything a project made back to the roots and counts of the ballots.

    Or, with --norm, along the chain of one norm: its ballots, tally, charter, policy, training
    rows, weights, measurements and verdict, each verified; exit 1 if a link of it is broken.

    Single ballots are never shown: only Merkle roots, and how many rows stand under them.
    """
    from normwright import flow

    if (digest is None) == (norm is None):
        raise typer.BadParameter("say either a digest or --norm", param_hint="DIGEST")
    if norm is not None:
        return _chain(flow.chain_of(project, norm), as_json)
    assert digest is not None
    found = flow.trace(project, digest)
    if as_json:
        emit(found.as_json())
        return DONE
    out = console()
    out.print(tree_of(found.tree))
    for root in found.roots:
        out.print(f"{root['process']} ({root['kind']})", style="bold", markup=False)
        for table, told in root["tables"].items():
            erased = f", {told['erased']} erased" if told["erased"] else ""
            out.print(
                f"  {table}: {told['rows']} rows{erased}, root {told['root']}",
                markup=False,
                soft_wrap=True,
            )
    return DONE


def _chain(found: Chain, as_json: bool) -> int:
    if as_json:
        emit(found.as_json())
        return FAILED if found.broken else DONE
    out = console()
    out.print(found.norm, style="bold", markup=False)
    shown: Counter[str] = Counter()
    for link in found.links:
        shown[link.link] += 1
        if shown[link.link] > FEW and not link.faults:
            continue
        short = link.digest.removeprefix("sha256:")[:SHORT]
        told = ", ".join(
            f"{name} {_brief(value)}" for name, value in link.about.items() if value not in _NOTHING
        )
        mark, style = ("x", "red") if link.faults else ("|", "green")
        out.print(f"{mark} {link.link} {short}  {told}", style=style, markup=False)
        for fault in link.faults:
            out.print(f"    {fault.where}: expected {fault.expected}, seen {fault.seen}",
                      style="red", markup=False)  # fmt: skip
    for name, count in shown.items():
        if count > FEW:
            out.print(f"... {count - FEW} more {name}", style="dim", markup=False)
    if found.elsewhere:
        out.print(f"{len(found.elsewhere)} faults elsewhere: normwright verify", style="yellow")
    return FAILED if found.broken else DONE


_NOTHING: tuple[Any, ...] = (None, "", {}, [], ())
"""What is left out of a link's line; a zero is no nothing."""


def _brief(value: Any) -> str:
    """A value of a link on one line: numbers whole, digests short."""
    match value:
        case dict():
            inner = (f"{k} {_brief(v)}" for k, v in value.items() if v not in _NOTHING)
            return "(" + ", ".join(inner) + ")"
        case list() | tuple():
            return " ".join(map(_brief, value))
        case float():
            return f"{value:.3g}"
        case str() if value.startswith("sha256:"):
            return value.removeprefix("sha256:")[:SHORT]
        case _:
            return str(value)


def verify(
    directory: Directory = HERE,
    require_signed: Annotated[
        bool,
        typer.Option(
            "--require-signed",
            help="Criteria, policy and verdict, as far as the project's parts lead to them, "
            "without a signature by a trusted key are faults.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Recompute every digest, root, key, link and signature of a project, offline.

    Exit 1 on any fault. A signature counts if it is by a key of this machine's own or one that
    `normwright keys trust` added; by anybody else it is a fault. What is not signed is only told,
    unless it is required.
    """
    from normwright import flow

    found = flow.verify(directory, require_signed=require_signed)
    if as_json:
        emit(found.as_json())
    else:
        show_faults(found.faults, as_json=False)
        erased = f", {found.erased} rows erased" if found.erased else ""
        marked = f", {found.marked} marked: rest on withdrawn rows" if found.marked else ""
        console().print(
            f"{found.checked} checked{erased}{marked}, {len(found.faults)} faults",
            style="red" if found.faults else "green",
        )
        for line in verified_lines(found.signatures):
            console().print(line, markup=False, soft_wrap=True)
    return FAILED if found.faults else DONE


def tree_of(node: Mapping[str, Any]) -> Tree:
    """Return the way back from a node as a tree for the terminal."""
    from rich.tree import Tree

    root = Tree(_label(node))
    todo = [(root, node)]
    while todo:
        place, here = todo.pop()
        left_out: Counter[str] = Counter()
        shown: Counter[str] = Counter()
        for below in here.get("from", ()):
            kind = str(below["kind"])
            shown[kind] += 1
            if shown[kind] <= FEW:
                todo.append((place.add(_label(below)), below))
            else:
                left_out[kind] += 1
        for kind, count in sorted(left_out.items()):
            place.add(f"... and {count} more {kind}", style="dim")
    return root


def _label(node: Mapping[str, Any]) -> Any:
    from rich.text import Text

    digest = str(node["digest"]).removeprefix("sha256:")[:SHORT]
    parts: list[Any] = [(str(node["kind"]), "bold"), " ", (digest, "cyan")]
    if node.get("via"):
        parts.append((f"  {node['via']}", "dim"))
    if node.get("marked"):
        parts.append((f"  {node['marked']}", "yellow"))
    if node.get("again"):
        parts.append(("  (above)", "dim"))
    about = ", ".join(
        f"{name} {value}"
        for name, value in node.get("about", {}).items()
        if isinstance(value, (str, int)) and not str(value).startswith("sha256:")
    )
    return Text.assemble(*parts, f"  {about}" if about else "")
