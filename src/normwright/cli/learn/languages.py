"""`normwright learn languages`: how best to teach a language of which there is little."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.learn.group import app
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.flow.learning.languages import LanguagesCompared
    from normwright.records import Estimate


@app.command(
    "languages",
    epilog="Example:  normwright learn languages --data rows.jsonl --held held.jsonl --language pt"
    " --other en --native 60 --parallel parallel.jsonl.gz",
)
def languages(
    data: Annotated[
        Path, typer.Option("--data", metavar="FILE", help="Demonstrations of both languages.")
    ],
    held: Annotated[
        Path,
        typer.Option("--held", metavar="FILE", help="Rows of both that nothing learns from."),
    ],
    language: Annotated[
        str, typer.Option("--language", metavar="TAG", help="The one of which there is little.")
    ] = "pt",
    other: Annotated[str, typer.Option("--other", metavar="TAG", help="The other.")] = "en",
    model: Annotated[
        Path | None,
        typer.Option("--model", metavar="DIR", help="A Hugging Face directory; else the embedded."),
    ] = None,
    parallel: Annotated[
        Path | None,
        typer.Option(
            "--parallel",
            metavar="FILE",
            help="Texts under each language's tag, from which a word-by-word translator learns;"
            " without it nothing is translated.",
        ),
    ] = None,
    native: Annotated[
        int | None, typer.Option("--native", help="Rows of the language to learn from, at most.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", help="Optimizer steps of every cell.")] = 60,
    batch: Annotated[int, typer.Option("--batch", help="Rows in a step.")] = 16,
    lr: Annotated[float, typer.Option("--lr", help="Learning rate of all weights.")] = 5e-4,
    lora_lr: Annotated[
        float | None, typer.Option("--lora-lr", help="That of adapters; 8 x --lr if left out.")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="How many seeds.")] = 3,
    strategies: Annotated[
        list[str] | None,
        typer.Option("--strategy", help="Only this one; repeat it. All if left out."),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option("--work", metavar="DIR", help="Where finished cells are kept, to go on."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", help="One a core if not given.")
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Compare native, translated, back-translated, mixed rows and transfer, with and without LoRA.

    Every cell starts from the same model and is measured on the same held-out rows of both
    languages, with intervals and the gap between the languages. No trained model is kept.
    """
    from normwright.flow.learning.languages import languages_compared
    from normwright.flow.tunings import Tuning

    shown = choose(lang)
    err = console(stderr=True)

    def told(done: int, of: int, what: str) -> None:
        if not as_json:
            err.print(f"[{done}/{of}] {what}", markup=False)

    found = languages_compared(
        data, held, language=language, other=other, model=model, parallel=parallel, native=native,
        tuning=Tuning(steps=steps, batch=batch, lr=lr), lora_rate=lora_lr, seeds=range(seeds),
        strategies=strategies, work=work, threads=threads, progress=told,
    )  # fmt: skip
    if as_json:
        emit(found.as_json())
    else:
        _show(found, shown)
    return DONE


def _show(found: LanguagesCompared, lang: str) -> None:
    from rich.table import Table

    say, out = words(lang), console()
    table = Table(box=None, pad_edge=False)
    for name in ("strategy", "adapters", "rows"):
        table.add_column(say[f"languages-{name}"])
    for tag in (found.language, found.other):
        table.add_column(say["languages-exact"].format(lang=tag))
    for name in ("gap", "gain"):
        table.add_column(say[f"languages-{name}"])
    for one in found.rows:
        table.add_row(
            one.strategy,
            "LoRA" if one.adapters else "-",
            str(one.rows),
            *(_told(one.exact[tag]) for tag in (found.language, found.other)),
            _told(one.gap),
            _told(one.gain),
        )
    out.print(table)
    if found.translation is not None:
        out.print(say["languages-chrf"].format(**found.translation), markup=False, style="dim")


def _told(estimate: Estimate) -> str:
    if estimate.value is None:
        return "?"
    interval = estimate.interval
    span = "" if interval is None else f" [{interval.low:.2f}, {interval.high:.2f}]"
    return f"{estimate.value:.2f}{span}"
