"""`normwright learn curate`: which rows are learned from, each removal by a norm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from normwright.cli.learn.group import app
from normwright.cli.options import AsJson, Lang
from normwright.cli.progress import counting
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.flow.learning.curation import Curated

Norms: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--norms",
        "--policy",
        metavar="PLACE",
        help="Where the norms are: a project, a directory of norms, one charter file or its JSON;"
        " `seeds`: those that ship. Norms in force count, drafts where none is.",
    ),
]


@app.command(
    "curate",
    epilog="Example:  normwright learn curate rows.jsonl --norms seeds --config curation.yaml"
    " --out curated",
)
def curate(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Rows: JSON lines, JSON or parquet.")
    ],
    *,
    config: Annotated[
        Path, typer.Option("--config", metavar="FILE", help="The filters, as YAML; see below.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where all goes: a new or empty folder.")
    ],
    norms: Norms = None,
    parquet: Annotated[
        bool, typer.Option("--parquet", help="Write rows as parquet too, beside JSON lines.")
    ] = False,
    tokenizer: Annotated[
        Path | None,
        typer.Option("--tokenizer", metavar="DIR", help="Model that counts tokens, if any does."),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Keep, mask or remove rows, each by a norm, and log one decision for every row.

    A configuration names a norm for each filter, one of the charter or one of your own:

        housekeeping: {tidy: {en: There are no two rows alike.}}
        filters: [{filter: duplicates, norm: tidy}]
        split: {shares: {train: 0.9, test: 0.1}}

    Filters: language, length, duplicates, harm, personal, contamination, translation, licence.
    Left behind: rows, `removed.jsonl`, `decisions.jsonl`, `attributes.jsonl`, `manifest.json`, and
    a card in English and Portuguese. Rows and files may come in any order: the bytes are the same.
    """
    from normwright.cli.charter.places import charter_at
    from normwright.flow.learning.curation import curated

    shown = choose(lang)
    charter = charter_at(norms, drafts=None).charter if norms is not None else None
    with counting(quiet=as_json) as count:
        made = curated(
            files, config=config, charter=charter, out=out, parquet=parquet, tokenizer=tokenizer,
            watch=lambda name, done, total: count(done, total, name),
        )  # fmt: skip
    if as_json:
        emit(made.as_json())
    else:
        _show(made, shown)
    return DONE


def _show(made: Curated, lang: str) -> None:
    from rich.table import Table

    say, out, told = words(lang), console(), made.as_json()
    out.print(say["curated"].format(**{**told, "out": made.out}), markup=False)
    table = Table(box=None, pad_edge=False)
    for head in ("curated-filter", "curated-norm", "curated-seen", "curated-removed"):
        table.add_column(say[head], justify="left" if head < "curated-o" else "right")
    for step in told["filters"]:
        table.add_row(step["filter"], step["norm"], str(step["seen"]), str(step["removed"]))
    out.print(table)
    for part, rows in (told["split"] or {"sizes": {}})["sizes"].items():
        out.print(f"{part}: {rows}", markup=False)
    out.print(say["curated-speed"].format(rows=round(told["rows_per_second"] or 0)), style="dim")
