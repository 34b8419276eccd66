"""Writes the reference from what it describes: commands, cards, records, the project file.

    python scripts/docs_pages.py            writes docs/reference/* and the templates' schema
    python scripts/docs_pages.py --check    exit 1 if a page is not what would be written

Nothing on these pages is written by hand, so nothing on them can be out of date.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from typer.main import get_command

from normwright import plugins as registry
from normwright import records
from normwright.aggregate import Election, Inapplicable, order_of, ranking_of, slate
from normwright.charter.schema import file_schemas
from normwright.cli.app import application
from normwright.flow import project_schema
from normwright.flow.settings import SCHEMA
from normwright.flow.start import TEMPLATES
from normwright.plugins import KINDS, Card, cards
from normwright.records import Frozen, Record
from normwright.records.schemas import schema_of

TOWN_SCHEMAS = ("acts.schema.json", "charter.schema.json", "facts.schema.json", "norm.schema.json")
"""What an editor needs beside a folder of norms."""

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "<!-- Written by scripts/docs_pages.py; do not edit. -->\n"


def commands() -> str:
    """Return the page of commands: what each does, its arguments, an example that works."""
    lines = ["# Commands\n", NOTE]
    root = get_command(application())
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
        "# Plug-ins\n",
        NOTE,
        "Every replaceable part stands in one registry, ours and yours through the same entry",
        "points (group `normwright.<kind>`). Status goes from *experimental* over *tested* and",
        "*reviewed* to *proved*.\n",
    ]
    for kind, does in KINDS.items():
        lines += [f"## {kind}\n", f"Each is: {does}.\n"]
        found = cards(kind)
        if kind in INTRODUCTIONS and found:
            lines += [f"[A page of their own]({kind}.md).\n"]
            lines += [f"- `{card.name}`: {card.summary}" for card in found]
            lines += [""]
            continue
        if not found:
            lines += ["None ships yet.\n"]
        for card in found:
            lines += [f"### {card.name}\n", f"{card.summary}\n"]
            claims = "; ".join(card.claims) or "none"
            lines += [f"- Status: {card.status}", f"- Claims: {claims}"]
            lines += [f"- Reference: {card.reference or 'written by this project'}\n"]
    return _page(lines)


NAMES = ("Memphis", "Nashville", "Chattanooga", "Knoxville")
EXAMPLE = ((42, "MNCK"), (26, "NCKM"), (15, "CKNM"), (17, "KCNM"))
"""The textbook vote on a capital: each city's people rank the four by distance."""

INTRODUCTIONS = {
    "methods": (
        "From ballots to an order of all alternatives, ties kept. The example is the same for "
        "all: 100 voters choose a capital, 42 ranking Memphis, Nashville, Chattanooga, "
        "Knoxville; 26 Nashville, Chattanooga, Knoxville, Memphis; 15 Chattanooga, Knoxville, "
        "Nashville, Memphis; 17 Knoxville, Chattanooga, Nashville, Memphis. Where grades are "
        "needed the four places are the grades 3 to 0; where approval is, the first two "
        "approve."
    ),
    "slates": (
        "From ballots and a size to so many alternatives together. The example: the same 100 "
        "voters, each approving of their first two, choose two cities."
    ),
    "compromises": (
        "From credences in theories, and what each holds choice-worthy, to an order of options."
    ),
    "axioms": (
        "A method and ballots in; a witness of the breach out, with both ballots and both "
        "outcomes, or none. Every rule is searched for each axiom it claims, and run on the "
        "published case of each it denies."
    ),
    "populations": (
        "Ballots of nobody, to see how often a rule breaks an axiom. They are marked as "
        "simulated to the end."
    ),
}
"""Kind -> what its page begins with."""


def _election() -> Election:
    """Return the example."""
    levels = [["MNCK".index(city) for city in order] for _, order in EXAMPLE]
    tiers = np.zeros((len(EXAMPLE), 4), dtype=np.int16)
    for row, order in zip(tiers, levels, strict=True):
        row[order] = np.arange(4)
    counts = np.array([count for count, _ in EXAMPLE], dtype=np.int64)
    return Election(NAMES, tiers, counts, grades=(3 - tiers).astype(np.int16), approved_from=2)


def rules(kind: str) -> str:
    """Return the page of one kind: for each rule what it does, an example, claims and limits.

    Headings are the same for all, and the example was run.
    """
    lines = [f"# {kind.capitalize()}\n", NOTE, _filled(INTRODUCTIONS[kind])]
    for card in cards(kind):
        lines += _card(card)
    return _page(lines)


def _card(card: Card) -> list[str]:
    part = registry.get(card.kind, card.name)
    lines = [f"## {card.name}\n", f"{card.summary}\n"]
    told = _body(part)
    if told:
        lines += [_filled(f"**What it does.** {told}")]
    if card.takes:
        lines += [f"**Needs.** {_TAKES.get(card.takes, card.takes)}.\n"]
    if card.kind in _EXAMPLES:
        lines += [f"**Example.** {_EXAMPLES[card.kind](card)}\n"]
    if card.claims:
        claims = ", ".join(card.claims)
        lines += [_filled(f"**Claims**, each searched for a counterexample: {claims}.")]
    if card.denies:
        lines += ["**Known limits**, each with its case, which the tests repeat:\n"]
        for denial in card.denies:
            ballots = "; ".join(f"`{one}`" for one in denial.ballots)
            lines += [f"- *{denial.axiom}*. {denial.source}." + (f" {ballots}" if ballots else "")]
        lines += [""]
    source = card.reference or "Written by this project"
    lines += [_filled(f"**Reference.** {source}. Status: {card.status}.")]
    return lines


def _body(part: Any) -> str:
    """The docstring without its first line, arguments and errors; paragraphs kept."""
    text = inspect.getdoc(part) or ""
    head, _, rest = text.partition("\n")
    kept = []
    for paragraph in rest.split("\n\n"):
        if paragraph.strip().split("\n", 1)[0].strip() in ("Args:", "Raises:", "Returns:"):
            break
        if paragraph.strip():
            kept.append(" ".join(paragraph.split()))
    return "\n\n".join([re.sub(r"^Return ", "Returns ", head), *kept])


_TAKES = {
    "pairs": "Who is put above whom how often",
    "orders": "Whole orders",
    "approvals": "Who approves of what",
    "grades": "Grades: votes, ratings or categories",
}


def _ranking(card: Card) -> str:
    try:
        found = ranking_of(_election(), order_of(_election(), method=card.name), method=card.name)
    except Inapplicable as error:
        fault = error.faults[0]
        return f"Does not apply to these ballots: it needs {fault.expected}."
    return " > ".join(" = ".join(tier) for tier in found.tiers) + "."


def _slate(card: Card) -> str:
    try:
        found = slate(_election(), size=2, method=card.name)
    except Inapplicable as error:
        fault = error.faults[0]
        return f"Does not apply to these ballots: it needs {fault.expected}."
    tied = " Another slate would have done as well." if found.tied else ""
    return ", ".join(found.members) + "." + tied


_EXAMPLES: dict[str, Callable[[Card], str]] = {"methods": _ranking, "slates": _slate}


def _filled(text: str) -> str:
    """Paragraphs at the width of a line, with an empty line below."""
    return (
        "\n\n".join(textwrap.fill(p, 118, break_on_hyphens=False) for p in text.split("\n\n"))
        + "\n"
    )


def record_page() -> str:
    """Return the page of border types: every field with its docstring."""
    lines = [
        "# Records\n",
        NOTE,
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


def schema() -> str:
    """Return the JSON Schema of the project file, for editors."""
    return json.dumps(project_schema(), indent=1, ensure_ascii=False) + "\n"


def row_schema() -> str:
    """Return the JSON Schema of a row of evidence, for whoever writes some."""
    return json.dumps(schema_of(records.EvidenceRow), indent=1, ensure_ascii=False) + "\n"


def charter_schemas() -> dict[str, str]:
    """Return file name -> JSON Schema of a charter's files, keys told by their docstrings."""
    return {
        name: json.dumps(_told(schema), indent=1, ensure_ascii=False) + "\n"
        for name, schema in file_schemas().items()
    }


def _told(schema: dict[str, Any]) -> dict[str, Any]:
    parts = {schema.get("title", ""): schema, **schema.get("$defs", {})}
    for title, part in parts.items():
        kind = getattr(records, title, None)
        for base in reversed(kind.__mro__) if isinstance(kind, type) else ():
            if base.__module__.startswith("normwright.records"):
                _describe(part, dict(_field_docstrings(base)))
    return schema


def _describe(part: dict[str, Any], said: dict[str, str]) -> None:
    properties = part.get("properties", {})
    for name, text in said.items():
        if name in properties:
            properties[name]["description"] = text.replace("&#124;", "|")


def project_file() -> str:
    """Return the page of the project file: every key with its values, its default, its meaning."""
    whole = project_schema()
    lines = [
        "# The project file\n",
        NOTE,
        "`normwright.yaml` is the one file a person edits. What is left out has its default; a key",
        "that does not stand here is a fault, told with the nearest that does.\n",
        "An editor that reads JSON Schema completes and checks the file as it is typed: a new",
        f"project brings `{SCHEMA}`, and the first line of `normwright.yaml` names it. The schema",
        f"also lies beside this page: [{SCHEMA}]({SCHEMA}).\n",
    ]
    for where, part in _sections(whole, whole, ""):
        lines += [f"## {where or 'At the top'}\n", f"{part['description']}\n"]
        lines += ["| key | value | default | |", "|---|---|---|---|"]
        required = part.get("required", ())
        for key, field in part["properties"].items():
            default = "required" if key in required else _default(field)
            said = " ".join(
                (field.get("description") or _seen(field, whole)["description"]).split()
            )
            lines.append(f"| `{key}` | {_value(field, whole)} | {default} | {said} |")
        lines.append("")
    return _page(lines)


def _sections(
    part: Mapping[str, Any], whole: Mapping[str, Any], where: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each mapping of the file with the path that leads to it, outer ones first."""
    yield where, part
    for key, field in part["properties"].items():
        inner = _seen(field, whole)
        if "properties" in inner:
            yield from _sections(inner, whole, f"{where}.{key}".lstrip("."))


def _seen(field: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a field with its reference followed, also out of a choice with null."""
    for one in (field, *field.get("anyOf", ())):
        if "$ref" in one:
            found: Mapping[str, Any] = whole["$defs"][one["$ref"].rsplit("/", 1)[-1]]
            return found
    return field


def _value(field: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """Return in words what may stand there."""
    if "properties" in _seen(field, whole):
        return "a mapping, see below"
    if "anyOf" in field:
        return " or ".join(_value(one, whole) for one in field["anyOf"])
    if "const" in field or "enum" in field:
        chosen = field.get("enum", [field.get("const")])
        return ", ".join(f"`{one}`" for one in chosen)
    if field.get("type") == "array":
        return f"list of: {_value(field['items'], whole)}"
    word = _WORDS.get(str(field.get("type")), "any value")
    limits = [
        f"{sign} {field[name]:g}"
        for name, sign in _LIMITS.items()
        if name in field and field[name] < 2**53  # beyond, the limit is a machine's
    ]
    return f"{word} {', '.join(limits)}".strip()


_WORDS = {
    "boolean": "true or false",
    "integer": "whole number",
    "null": "null",
    "number": "number",
    "object": "mapping",
    "string": "text",
}
_LIMITS = {"minimum": "≥", "exclusiveMinimum": "&gt;", "maximum": "≤", "exclusiveMaximum": "&lt;"}


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return "see below" if isinstance(default, dict) and default else f"`{json.dumps(default)}`"


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "plugins.md": plugins,
    "project-file.md": project_file,
    "records.md": record_page,
    SCHEMA: schema,
    "evidence-row.schema.json": row_schema,
    **{f"{kind}.md": partial(rules, kind) for kind in INTRODUCTIONS if cards(kind)},
}
"""File of the reference -> the function that returns its text."""


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
    places = {REFERENCE / name: write for name, write in PAGES.items()}
    places[TEMPLATES / "town" / SCHEMA] = schema
    for name, text in charter_schemas().items():
        places[REFERENCE / name] = partial(str, text)
        if name in TOWN_SCHEMAS:
            places[TEMPLATES / "town" / "norms" / name] = partial(str, text)
    for path, write in places.items():
        text = write()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.name)
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
