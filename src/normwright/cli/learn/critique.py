"""`normwright learn critique`: a model criticises and revises answers under norms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from normwright.cli.learn.curate import Norms
from normwright.cli.learn.group import app
from normwright.cli.options import AsJson, Lang
from normwright.cli.progress import counting
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words


@app.command(
    "critique",
    epilog="Example:  normwright learn critique --model critic --norms seeds --prompts rows.jsonl"
    " --out revised",
)
def critique(
    *,
    model: Annotated[
        Path,
        typer.Option(
            "--model",
            metavar="DIR|FILE",
            help="A model directory; or YAML with `url`, `id`, `key_env`, `budget` of one behind an"
            " API.",
        ),
    ],
    prompts: Annotated[
        Path,
        typer.Option(
            "--prompts",
            metavar="FILE",
            help="Rows with `prompt` and, where there is one already, the answer as `completion`.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where rows go: a new or empty folder.")
    ],
    norms: Norms = Path("seeds"),
    norm: Annotated[
        list[str] | None,
        typer.Option("--norm", metavar="ID", help="Show this norm alone; repeat it. All if not."),
    ] = None,
    licence: Annotated[
        str, typer.Option("--licence", help="Under which the model's texts may be used.")
    ] = "unknown",
    tokens: Annotated[int, typer.Option("--tokens", min=1, help="Longest reply.")] = 256,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Have a model say which answers break norms, rewrite those, and check its rewriting.

    All that comes of it is marked synthetic and simulated: it is no vote. Pairs are written where
    one norm is shown on which people voted, with their share. A run that was killed, or came to the
    end of its budget, goes on where it stopped.
    """
    from normwright.cli.charter.places import charter_at
    from normwright.flow.learning.critiquing import critiqued

    charter = charter_at(norms or Path("seeds"), drafts=None).charter
    with counting(quiet=as_json) as count:
        made = critiqued(
            prompts, model=model, charter=charter, only=norm or (), out=out, licence=licence,
            max_new_tokens=tokens, progress=lambda done, total: count(done, total, "critique"),
        )  # fmt: skip
    if as_json:
        emit(made.as_json())
        return DONE
    say, screen = words(choose(lang)), console()
    run = made.run
    told = say["critiqued"].format(rows=run["rows"], revised=run["revised"], kept=run["kept"],
                                   dropped=sum(run["dropped"].values()), out=out)  # fmt: skip
    screen.print(told, markup=False)
    key = "critiqued-no-pairs" if run["support"] is None else "critiqued-pairs"
    screen.print(say[key].format(pairs=run["pairs"]), markup=False)
    return DONE
