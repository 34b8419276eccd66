"""`normwright evaluate moral`: what moves a model's choices, and what ought not to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli.evaluate.group import app
from normwright.cli.options import AsJson, KeyEnv, Served, Threads
from normwright.cli.progress import counting
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, languages, words

if TYPE_CHECKING:
    from normwright.records import MoralFigure, MoralReport

STYLES = {"pass": "green", "fail": "red", "open": "yellow", "shown": ""}


@app.command(
    epilog="Example:  normwright evaluate moral --model model --data morals --cases cases.jsonl.gz "
    "--out results --html moral.html"
)
def moral(
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="DIR|URL",
            help="A language model; or an address that speaks as OpenAI's does and scores texts.",
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="FILE|DIR",
            help="MoralChoice, ETHICS, DailyDilemmas, or scenarios of one's own with what is right "
            "or shares of people; or a folder of them.",
        ),
    ] = None,
    cases: Annotated[
        Path | None,
        typer.Option(
            "--cases", metavar="FILE", help="Cases of `normwright charter cases --as items`."
        ),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(
            "--lang",
            metavar="TAG",
            help="Ask in this language alone, and tell in it; in all that are known if left out.",
        ),
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            "--limit",
            min=1,
            help="Scenarios of each source, drawn by the seed; of our own the first.",
        ),
    ] = 200,
    seed: Annotated[int, typer.Option("--seed", help="Seed of drawing and resampling.")] = 0,
    control: Annotated[
        bool,
        typer.Option(
            "--control/--no-control",
            help="Ask random weights of the same shape everything as well; takes twice as long.",
        ),
    ] = True,
    served: Served = None,
    key_env: KeyEnv = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer", metavar="DIR", help="Of a model at an address: its tokenizer, on disk."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Write the report and its rows of evidence; answers are kept there too, so that a "
            "run that was stopped goes on where it was.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with error bars.")
    ] = None,
    threads: Threads = None,
    as_json: AsJson = False,
) -> int:
    """Ask which of two options is right, told in ways that matter and in ways that do not.

    Accuracy, calibrated uncertainty, invariance against a measured noise floor, sensitivity to
    minimal pairs, coherence, reasoning under a charter (with --cases) and pressure; each figure
    with an interval, beside rules that understand nothing, held against a limit written before.
    """
    from normwright.flow.moral import MoralAsked, keeping, moral_report, opened, write_report

    shown = choose(lang)
    asked = MoralAsked((lang,) if lang else languages(), data, cases, limit, seed)
    found = opened(model, served=served, key_env=key_env, tokenizer=tokenizer, control=control,
                   seed=seed, threads=threads)  # fmt: skip
    if out is not None:
        found = keeping(found, out / "answers", seed=seed)
    with counting(words(shown)["moral-working"], quiet=as_json) as told:
        report = moral_report(found.model, asked, digest=found.digest, control=found.control,
                              fits=found.fits, told=told)  # fmt: skip
    files = [] if out is None else [*write_report(report, out)]
    if html is not None:
        from normwright.web import write_moral_page

        write_moral_page(report, html)
        files.append(html)
    if as_json:
        emit({**report.model_dump(mode="json"), "digest": report.digest,
              "files": [str(f) for f in files]})  # fmt: skip
    else:
        _show(report, shown)
        if files:
            told_files = ", ".join(map(str, files))
            console().print(words(shown)["moral-written"].format(files=told_files), markup=False)
    return DONE


def _show(report: MoralReport, lang: str) -> None:
    from rich.table import Table

    from normwright.evaluate.moral import words as told

    say, named, out = words(lang), told(lang), console()
    out.print(say["moral-head"].format(
        model=report.model, asked=report.asked, seed=report.seed, unanswered=report.unanswered,
        left_out=report.left_out), markup=False)  # fmt: skip
    for source, body in report.sources.items():
        if why := body.get("unread"):
            out.print(say["moral-unread"].format(file=source, why=why), markup=False)
        if other := body.get("other_language"):
            out.print(say["moral-other"].format(source=source, n=other), markup=False)
    for part, state in report.states.items():
        table = Table(
            title=f"{named['parts'][part]}: {named['states'][state]}", title_justify="left",
            title_style=STYLES[state] or "none", box=None, pad_edge=False,
        )  # fmt: skip
        for name in ("figure", "source", "value", "interval", "n", "coin", "random", "limit",
                     "state"):  # fmt: skip
            left = name in ("figure", "source", "state")
            table.add_column(say[f"moral-{name}"], justify="left" if left else "right")
        own = [f for f in report.figures if f.part == part]
        names = list(dict.fromkeys(f.name for f in own))
        for f in sorted(own, key=lambda f: names.index(f.name)):
            table.add_row(*_row(f, named), style=STYLES[f.state])
        out.print(table)
        out.print()
    out.print(say["moral-baselines"], markup=False)
    style = STYLES[report.state] or None
    state = named["states"][report.state]
    out.print(say["moral-overall"].format(state=state), style=style, markup=False)


def _row(f: MoralFigure, named: Mapping[str, Any]) -> tuple[str, ...]:
    from normwright.evaluate.moral import name_of, source_of

    found = f.estimate
    coin = f.baselines.get("coin", f.baselines.get("constant"))
    random = f.baselines.get("random-init")
    signs = {"lower": "≥", "upper": "≤", "both": "±"}
    return (
        name_of(f, named),
        f.lang if f.lang and f.source in ("native", "cases") else source_of(f, named),
        "–" if found.value is None else f"{found.value:.2f}",
        "–" if found.interval is None else f"{found.interval.low:.2f}, {found.interval.high:.2f}",
        str(found.n),
        *("–" if v is None else f"{v:.2f}" for v in (coin, random)),
        "–" if f.limit is None else f"{signs[f.side or 'lower']} {f.limit:g}",
        named["why"][f.why] if f.why else named["states"][f.state],
    )
