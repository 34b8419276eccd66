"""Writes the reference pages from what they describe: the commands, the cards, the records.

    python scripts/docs_pages.py            writes docs/reference/*.md
    python scripts/docs_pages.py --check    exit 1 if a page is not what would be written

Nothing on these pages is written by hand, so nothing on them can be out of date.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from normwright import records
from normwright.cli.app import app
from normwright.plugins import KINDS, cards
from normwright.records import Frozen, Record

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "<!-- Written by scripts/docs_pages.py; do not edit. -->\n"


def commands() -> str:
    """Return the page of commands: what each does, its arguments, an example that works."""
    lines = [NOTE, "# Commands\n"]
    root = get_command(app)
    lines += [_prose(root.help), ""]
    for path, command in sorted(_walk(root, ("normwright",))):
        usage = " ".join([*path, *(_usage(p) for p in _shown(command))])
        lines += [f"## {' '.join(path[1:])}\n", f"```\n{usage}\n```\n", _prose(command.help), ""]
        rows = [_row(p) for p in _shown(command)]
        if rows:
            lines += ["| | |", "|---|---|", *rows, ""]
        if command.epilog:
            lines += [f"Example:\n\n```\n{command.epilog.removeprefix('Example:').strip()}\n```\n"]
    return _page(lines)


def plugins() -> str:
    """Return the page of plug-ins, kind by kind, from their cards."""
    lines = [
        NOTE,
        "# Plug-ins\n",
        "Every replaceable part stands in one registry, ours and yours through the same entry",
        "points (group `normwright.<kind>`). Status goes from *experimental* over *tested* and",
        "*reviewed* to *proved*.\n",
    ]
    for kind, does in KINDS.items():
        lines += [f"## {kind}\n", f"Each is: {does}.\n"]
        found = cards(kind)
        if not found:
            lines += ["None ships yet.\n"]
        for card in found:
            lines += [f"### {card.name}\n", f"{card.summary}\n"]
            claims = "; ".join(card.claims) or "none"
            lines += [f"- Status: {card.status}", f"- Claims: {claims}"]
            lines += [f"- Reference: {card.reference or 'written by this project'}\n"]
    return _page(lines)


def record_page() -> str:
    """Return the page of border types: every field with its docstring."""
    lines = [
        NOTE,
        "# Records\n",
        "What crosses a border between rooms. All are frozen and refuse unknown fields.",
        "A *record* has a digest: the SHA-256 of its canonical JSON, without the fields that are",
        "said to stand outside it. A *value* is part of records and has none.\n",
        "Every record also has `derived_from` (digests of what it was made from) and `made_by`",
        "(stage, plug-in, version, parameters, seed).\n",
    ]
    for name in sorted(records.__all__):
        kind = getattr(records, name)
        if not (inspect.isclass(kind) and issubclass(kind, Frozen)) or kind in (Frozen, Record):
            continue
        what = "record" if issubclass(kind, Record) else "value"
        lines += [f"## {name}\n", f"*{what}*\n", _prose(kind.__doc__), ""]
        outside = sorted(getattr(kind, "outside_digest", ()))
        if outside:
            lines += [f"Outside the digest: {', '.join(f'`{f}`' for f in outside)}.\n"]
        said = dict(_field_docstrings(kind))
        rows = [
            f"| `{field}` | `{_kind_of(kind, field)}` | {said.get(field, '')} |"
            for field in kind.__annotations__
            if field in kind.model_fields
        ]
        if rows:
            lines += ["| field | type | |", "|---|---|---|", *rows, ""]
    return _page(lines)


PAGES = {"commands.md": commands, "plugins.md": plugins, "records.md": record_page}
"""File name -> the function that returns its text."""


def _walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name, each in inner.items():
        yield from _walk(each, (*path, name))


def _shown(command: Any) -> list[Any]:
    return [p for p in command.params if p.name != "help" and not getattr(p, "hidden", False)]


def _usage(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = (parameter.metavar or parameter.name).strip("[]").upper()
        return name if parameter.required else f"[{name}]"
    return _option(parameter) if parameter.required else f"[{_option(parameter)}]"


def _option(parameter: Any) -> str:
    name = max(parameter.opts, key=len)
    if parameter.is_flag:
        return str(name)
    return f"{name} {(parameter.metavar or parameter.name).upper()}"


def _row(parameter: Any) -> str:
    argument = parameter.param_type_name == "argument"
    name = _usage(parameter) if argument else _option(parameter)
    return f"| `{name}` | {_prose(parameter.help).replace('|', chr(92) + '|')} |"


def _prose(text: str | None) -> str:
    return textwrap.dedent(inspect.cleandoc(text or "")).strip()


def _kind_of(kind: type[Frozen], field: str) -> str:
    written = kind.__annotations__[field]
    text = written if isinstance(written, str) else inspect.formatannotation(written)
    return " ".join(text.split()).replace("|", "or").replace("typing.", "")


def _field_docstrings(kind: type) -> Iterator[tuple[str, str]]:
    """Yield each field of a class with the string that stands below it in the source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    for above, below in zip(tree.body, tree.body[1:], strict=False):
        match above, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                value=ast.Constant(value=str(said))
            ):
                yield name, " ".join(said.split()).replace("|", "&#124;")


def _page(lines: list[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them; return the exit code."""
    stale = []
    for name, write in PAGES.items():
        path, text = REFERENCE / name, write()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if "--check" in arguments and stale:
        print(
            f"out of date: {', '.join(stale)}. Run: python scripts/docs_pages.py", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
