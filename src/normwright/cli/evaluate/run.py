"""`normwright evaluate run`: one suite on one model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from normwright.cli.evaluate.group import app
from normwright.cli.options import AsJson, Lang
from normwright.cli.progress import counting
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.flow.preference_pairs import PairsMeasured

SUITES: Final = ("preference-pairs",)
"""Suites that need no project."""


@app.command(
    epilog="Example:  normwright evaluate run --suite preference-pairs --model reward "
    "--data pairs.jsonl --json"
)
def run(
    suite: Annotated[
        str, typer.Option("--suite", metavar="NAME", help="What is measured: preference-pairs.")
    ],
    model: Annotated[
        Path,
        typer.Option("--model", metavar="DIR", help="A reward model, or a language model."),
    ],
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="FILE",
            help="Judged pairs: those of `learn prefer`, HH-RLHF, PandaLM.",
        ),
    ],
    train: Annotated[
        Path | None,
        typer.Option(
            "--train",
            metavar="FILE",
            help="The pairs it was trained on, for the baselines; else they are cross-validated.",
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            metavar="DIR",
            help="Score a language model by its implicit reward over this one.",
        ),
    ] = None,
    likelihood: Annotated[
        bool, typer.Option("--likelihood", help="Score a language model by log-likelihood.")
    ] = False,
    beta: Annotated[
        float, typer.Option("--beta", min=0.0, help="Scale of the implicit reward.")
    ] = 0.1,
    seed: Annotated[int, typer.Option("--seed", help="Seed of folds and resampling.")] = 0,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Threads; one a core if left out.")
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Ask a model which of two answers it scores higher, where people chose between them.

    Beside it stand what the longer answer and a bag of words score on the same pairs, and paired
    intervals of the model's lead over both. Pairs with one prompt are resampled together.
    """
    from normwright.flow.preference_pairs import measured_pairs

    if suite not in SUITES:
        raise typer.BadParameter(
            f"{suite!r} is none of {', '.join(SUITES)}; suites of a project run with it",
            param_hint="--suite",
        )
    shown = choose(lang)
    with counting(words(shown)["pairs-working"], quiet=as_json) as told:
        found = measured_pairs(
            model, data, reference=reference, likelihood=likelihood, train=train, beta=beta,
            seed=seed, threads=threads, told=told,
        )  # fmt: skip
    if as_json:
        emit(found.as_json())
    else:
        _show(found, shown)
    return DONE


def _show(found: PairsMeasured, lang: str) -> None:
    from rich.table import Table

    say, out, scores = words(lang), console(), found.scores
    out.print(
        say["pairs-measured"].format(
            model=found.model.name, n=scores.n, pairs=scores.pairs, clusters=scores.accuracy.n,
            by=say[f"pairs-by-{scores.by}"],
        ),
        markup=False,
    )  # fmt: skip
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in ("pairs-accuracy", "pairs-interval", "pairs-lead", "pairs-interval"):
        table.add_column(say[name], justify="right")
    table.add_row(say["pairs-model"], *_figures(scores.accuracy), "", "")
    table.add_row(say["pairs-length-matched"], *_figures(scores.length_matched), "", "")
    for name, rule in scores.baselines.items():
        lead = _figures(rule.difference, signed=True)
        table.add_row(say[f"pairs-{name}"], *_figures(rule.accuracy), *lead)
    out.print(table)
    if scores.ece is not None:
        out.print(say["pairs-ece"].format(ece=f"{scores.ece:.3f}"), markup=False)
    for name, rule in scores.baselines.items():
        if rule.gain is not None:
            value, interval = _figures(rule.gain, signed=True)
            out.print(
                say["pairs-gain"].format(rule=say[f"pairs-{name}"], gain=value, interval=interval),
                markup=False,
            )
    if len(scores.parts.get("lang", {})) > 1:
        for lang_tag, (n, one) in scores.parts["lang"].items():
            out.print(f"{lang_tag}  n = {n}  {' '.join(_figures(one))}", markup=False)
    beaten = all(rule.beaten for rule in scores.baselines.values())
    style = "green" if beaten else "yellow"
    out.print(say["pairs-ahead" if beaten else "pairs-not-ahead"], style=style, markup=False)
    if found.cut:
        out.print(say["pairs-cut"].format(cut=found.cut), markup=False)
    for reason, count in found.left_out.items():
        out.print(say["pairs-left-out"].format(count=count, reason=reason), markup=False)


def _figures(estimate: Any, *, signed: bool = False) -> tuple[str, str]:
    form = "+.3f" if signed else ".3f"
    if estimate.value is None:
        return "", ""
    at = estimate.interval
    return (
        format(estimate.value, form),
        "" if at is None else f"[{at.low:{form}}, {at.high:{form}}]",
    )
