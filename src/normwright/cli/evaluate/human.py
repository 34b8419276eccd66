"""`normwright evaluate human`: studies in which people compare two systems blind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.evaluate.group import app as evaluate
from normwright.cli.options import AsJson, Lang
from normwright.cli.progress import counting
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from normwright.records import Estimate, StudyResult

app = typer.Typer(
    help="Studies in which people compare two systems without knowing which is which.",
    no_args_is_help=True,
)
evaluate.add_typer(app, name="human")


@app.command(
    epilog="Example:  normwright evaluate human prepare plan.yaml --first ours.jsonl "
    "--second theirs.jsonl --out study"
)
def prepare(
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN", help="A YAML file: id, systems, claim, raters, ...")
    ],
    first: Annotated[
        Path, typer.Option("--first", metavar="FILE", help='Lines {"id", "prompt", "answer"}.')
    ],
    second: Annotated[
        Path, typer.Option("--second", metavar="FILE", help="The other system's, likewise.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A folder to be made.")],
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Draw blinded sheets for raters, and seal the study before anybody rates.

    The folder gets one sheet a rater to be filled in a spreadsheet, the key (keep it from them) and
    a registration: the digests of everything, and the chance to show what is planned. Publish it
    before the first rating.
    """
    import secrets
    from datetime import UTC, datetime

    from normwright.evaluate.human import items_needed, read_plan
    from normwright.flow.studies import prepare_study

    now = datetime.now(UTC).isoformat(timespec="seconds")
    seal = prepare_study(plan, first, second, out, secret=secrets.token_hex(16), at=now)
    needed = items_needed(read_plan(plan))
    if as_json:
        emit({"registration": seal.digest, **seal.model_dump(mode="json"), "needed": needed})
        return DONE
    say, shown = words(choose(lang)), console()
    shown.print(say["study-sealed"].format(out=out, digest=seal.digest), markup=False)
    power = "–" if seal.power is None else f"{seal.power:.2f}"
    style = "green" if seal.power is not None and seal.power >= 0.8 else "yellow"
    told = say["study-power"] if needed is not None else say["study-power-never"]
    shown.print(told.format(power=power, needed=needed), style=style, markup=False)
    return DONE


@app.command(epilog="Example:  normwright evaluate human analyse study study/sheets/*.csv --json")
def analyse(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder that `prepare` made.")
    ],
    sheets: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Filled sheets, CSV or JSON lines.")
    ],
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Say what filled sheets show, for other raters and other items than those of the study.

    The result is confirmatory only if everything is as it was sealed and each rating carries a time
    after the seal (column `at`).
    """
    from normwright.flow.studies import analyse_study

    found = analyse_study(directory, sheets)
    if as_json:
        emit(found.model_dump(mode="json"))
    else:
        _show([found], choose(lang))
    return DONE


@app.command(
    epilog="Example:  normwright evaluate human judged judgements.jsonl.gz --format tulu --json"
)
def judged(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Published judgements.")],
    kind: Annotated[str, typer.Option("--format", metavar="NAME", help="tulu or pandalm.")],
    alpha: Annotated[float, typer.Option("--alpha", min=0.0001, max=0.49)] = 0.05,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Analyse comparisons that others published, by pair of systems; nobody registered them."""
    from normwright.evaluate.human import compare_systems, read_judged

    found = read_judged(file, kind)
    results = compare_systems(found.ratings, study=file.name, alpha=alpha)
    if as_json:
        rows = [result.model_dump(mode="json") for result in results]
        emit({"rows": rows, "repeated": found.repeated})
    else:
        _show(results, choose(lang))
    return DONE


@app.command(epilog="Example:  normwright evaluate human recover --runs 500 --json")
def recover(
    raters: Annotated[int, typer.Option("--raters", min=2)] = 12,
    items: Annotated[int, typer.Option("--items", min=2)] = 100,
    per_item: Annotated[int, typer.Option("--per-item", min=1)] = 3,
    effect: Annotated[
        float, typer.Option("--effect", help="Planted leaning to the first system, in log-odds.")
    ] = 0.4,
    runs: Annotated[int, typer.Option("--runs", min=1)] = 500,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Plant an effect in simulated raters, and count how often the interval holds the truth."""
    from normwright.evaluate.human import Population
    from normwright.evaluate.human import recover as recovered

    if per_item > raters:
        raise typer.BadParameter("more raters an item than there are raters",
                                 param_hint="--per-item")  # fmt: skip
    shown = choose(lang)
    with counting(words(shown)["study-working"], quiet=as_json) as told:
        found = recovered(
            Population(effect=effect), raters=raters, items=items, per_item=per_item, runs=runs,
            seed=seed, progress=told,
        )  # fmt: skip
    if as_json:
        emit(
            {
                "truth": found.truth, "runs": found.runs, "coverage": found.coverage.as_json(),
                "naive": found.naive.as_json(), "bias": found.bias.as_json(),
                "power": found.power, "seed": seed,
            }
        )  # fmt: skip
        return DONE
    say, out = words(shown), console()
    out.print(
        say["study-recovered"].format(
            coverage=_of(found.coverage), runs=found.runs, naive=_of(found.naive),
            bias=_of(found.bias), truth=f"{found.truth:.3f}", power=f"{found.power:.2f}",
        ),
        markup=False,
    )  # fmt: skip
    return DONE


def _show(results: Sequence[StudyResult], lang: str) -> None:
    from rich.table import Table

    say, out = words(lang), console()
    table = Table(box=None, pad_edge=False)
    for name in ("pair", "share", "interval", "alone", "ratings", "people", "state"):
        table.add_column(say[f"study-{name}"], justify="left" if name == "pair" else "right")
    for r in results:
        alone = r.naive.interval
        table.add_row(
            " – ".join(r.systems),
            "–" if r.share.value is None else f"{r.share.value:.3f}",
            _interval(r.share),
            "–" if alone is None else f"[{alone.low:.3f}, {alone.high:.3f}]",
            f"{r.wins}/{r.ties}/{r.losses}",
            f"{r.raters} × {r.items}",
            say[f"study-{r.state}"],
        )
    out.print(table)
    for r in results:
        agreement = "–" if r.agreement is None else f"{r.agreement:.2f}"
        power = "–" if r.power is None else f"{r.power:.2f}"
        out.print(
            say["study-beside"].format(
                pair=" – ".join(r.systems), agreement=agreement, position=_of(r.position),
                length=_of(r.length), power=power,
            ),
            markup=False,
        )  # fmt: skip
        if r.acceptable:
            told = "; ".join(f"{name} {_of(e)}" for name, e in r.acceptable.items()
                             if name != "difference")  # fmt: skip
            out.print(say["study-acceptable"].format(told=told), markup=False)
        if missing := r.counts.get("missing"):
            out.print(say["study-missing"].format(missing=missing), style="yellow", markup=False)
        if r.confirmatory:
            out.print(say["study-confirmatory"], style="green", markup=False)
        else:
            why = "; ".join(say[f"study-why-{d}"] for d in r.deviations)
            out.print(say["study-exploratory"].format(why=why), style="yellow", markup=False)


def _of(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{estimate.value:.3f} {_interval(estimate)}".strip()


def _interval(estimate: Estimate) -> str:
    at = estimate.interval
    return "" if at is None else f"[{at.low:.3f}, {at.high:.3f}]"
