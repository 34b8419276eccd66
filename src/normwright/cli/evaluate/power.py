"""`normwright evaluate power`: how many items a comparison of two models needs."""

from __future__ import annotations

import math
from typing import Annotated, Any

import typer

from normwright.cli.evaluate.group import app
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words


@app.command(
    epilog="Example:  normwright evaluate power --effect 0.03 --discordant 0.15 "
    "--cluster-size 5 --correlation 0.2 --json"
)
def power(
    discordant: Annotated[
        float,
        typer.Option("--discordant", help="Share of items that the two models answer unlike."),
    ],
    effect: Annotated[
        float, typer.Option("--effect", help="The difference of rates that is to be found.")
    ] = 0.0,
    margin: Annotated[
        float | None,
        typer.Option("--margin", help="Show that the loss stays under it; --effect is the truth."),
    ] = None,
    wanted: Annotated[float, typer.Option("--power", help="Chance to find it.")] = 0.8,
    alpha: Annotated[
        float, typer.Option("--alpha", help="Error: two-sided, with --margin one-sided.")
    ] = 0.05,
    suites: Annotated[
        int, typer.Option("--suites", min=1, help="Suites among which Holm's correction is made.")
    ] = 1,
    size: Annotated[
        float, typer.Option("--cluster-size", min=1, help="Items that are drawn together.")
    ] = 1.0,
    alike: Annotated[
        float, typer.Option("--correlation", help="Of differences within a cluster.")
    ] = 0.0,
    n: Annotated[
        int | None, typer.Option("--n", min=1, help="Also say the power of so many pairs.")
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Say how many items find a difference between two models that are asked the same items.

    What decides is how often they differ, not how often either is right; take it from an earlier
    comparison (`evaluate tax`). Clusters multiply the n by their design effect.
    """
    from normwright.evaluate.planning import planned

    found = planned(
        effect=effect, discordant=discordant, margin=margin, power=wanted, alpha=alpha,
        suites=suites, size=size, alike=alike, n=n,
    )  # fmt: skip
    if as_json:
        emit(found)
    else:
        _show(found, choose(lang))
    return DONE


def _show(found: dict[str, Any], lang: str) -> None:
    say, out = words(lang), console()
    needed = say["power-never"] if found["n"] is None else found["independent"]
    key = "power-needed" if found["margin"] is None else "power-margin"
    out.print(say[key].format(**{**found, "n": needed}), markup=False)
    if found["cluster_size"] > 1 and found["n"] is not None:
        out.print(say["power-clusters"].format(
            size=f"{found['cluster_size']:g}", alike=f"{found['correlation']:g}", n=found["n"],
            clusters=math.ceil(found["n"] / found["cluster_size"]),
        ), markup=False)  # fmt: skip
    if found["exact"] is not None:
        out.print(say["power-exact"].format(n=found["exact"]["n"],
                  power=f"{found['exact']['power']:.3f}"), markup=False)  # fmt: skip
