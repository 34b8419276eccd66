"""`normwright release organisms`: models with planted faults, and whether they are caught."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from normwright.cli.options import AsJson, Lang
from normwright.cli.progress import counting
from normwright.cli.release.group import app
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.flow.organisms import Tally
    from normwright.records import Organism

SECONDS: Final = 11.5
"""CPU seconds of one organism on one core before its examination; said before the work begins."""
SECONDS_AN_ITEM: Final = 0.11
"""CPU seconds of an item that a suspect is tested on."""


@app.command(
    epilog="Example:  normwright release organisms build/organisms --kinds clean,language-leak "
    "--variants 2 --clean 2"
)
def organisms(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where models and findings go; made if missing.")
    ],
    kinds: Annotated[
        str | None,
        typer.Option("--kinds", metavar="NAMES", help="Kinds, with commas; all if left out."),
    ] = None,
    variants: Annotated[
        int, typer.Option("--variants", min=1, help="Organisms of each kind with a fault.")
    ] = 5,
    clean: Annotated[
        int, typer.Option("--clean", min=1, help="Models without a fault, where they are asked.")
    ] = 20,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            min=0,
            help="Draws faults; left out, it is read off the digest of the detectors.",
        ),
    ] = None,
    items: Annotated[
        int,
        typer.Option(
            "--items",
            min=20,
            max=300,
            help="Items a suspect is tested on: 80 show a planted fault, that there is none takes "
            "more; how many is said.",
        ),
    ] = 160,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes, one thread each.")] = 2,
    whole: Annotated[
        bool, typer.Option("--whole", help="Run all detectors on every organism.")
    ] = False,
    weights: Annotated[
        bool, typer.Option("--weights/--no-weights", help="Keep the weights, 20 MB a model.")
    ] = True,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Ask every model the same items a second time, and others of another draw: rows "
            "for the control `aa_rerun`.",
        ),
    ] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Train models with planted faults and without, and see whether the detectors tell them apart.

    Trigger, language and skill are drawn from the seed. What an organism hides is known to what
    trains it and to the check, with the key in hand, that it is there; detectors are never told.
    An organism without its fault is thrown out and counted. The same command goes on where it was
    stopped. `evidence.jsonl` holds rows for a gate, by item.
    """
    from normwright.flow.organisms import look_again, needed, raise_organisms, tallies

    planned = _planned(kinds, variants=variants, clean=clean, seed=seed)
    shown = choose(lang)
    say = words(shown)
    if not as_json:
        console(stderr=True).print(
            say["organisms-will-take"].format(
                count=len(planned), minutes=_minutes(len(planned), items, jobs, again)
            ),
            markup=False,
        )
    with counting(say["organisms-working"], quiet=as_json) as told:
        parts = raise_organisms(
            directory, planned, jobs=jobs, whole=whole, keep=weights, items=items, told=told
        )
    second: list[dict[str, Any]] = []
    if again:
        with counting(say["organisms-again"], quiet=as_json) as told:
            second = look_again(directory, planned, items=items, jobs=jobs, told=told)
    _write_rows(directory, parts, second)
    found = tallies(parts)
    short = {
        _name(part): lacking
        for part in parts
        if part["plan"]["kind"] == "clean" and (lacking := needed(part["found"]))
    }
    if as_json:
        emit({
            "seed": planned[0].drawn_from,
            "detectors": planned[0].detectors,
            "items": items,
            "rows": [t.as_json() for t in found],
            "needed": short,
        })  # fmt: skip
    else:
        _show(found, shown)
        _show_needed(short, items, shown)
    return DONE


def _minutes(count: int, items: int, jobs: int, again: bool) -> int:
    looks = 3 if again else 1
    return round(count * (SECONDS + looks * items * SECONDS_AN_ITEM) / 60 / jobs) or 1


def _planned(kinds: str | None, *, variants: int, clean: int, seed: int | None) -> list[Organism]:
    from normwright.flow.organisms import detector_digest, evaluation_seed, every_plan
    from normwright.records import ORGANISM_KINDS

    named = tuple(k.strip() for k in kinds.split(",")) if kinds is not None else ORGANISM_KINDS
    if unknown := sorted(set(named) - set(ORGANISM_KINDS)):
        raise typer.BadParameter(
            f"{', '.join(map(repr, unknown))}: the kinds are {', '.join(ORGANISM_KINDS)}",
            param_hint="--kinds",
        )
    digest = detector_digest() if seed is None else None
    return every_plan(
        tuple(k for k in ORGANISM_KINDS if k in named),
        variants=variants,
        clean=clean,
        seed=evaluation_seed(digest) if digest is not None else seed or 0,
        detectors=digest,
    )


def _write_rows(directory: Path, parts: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    from normwright.flow.organisms import again_rows, rows_of
    from normwright.flow.organisms.nursery import town

    _, charter, policy = town()
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows: list[dict[str, Any]] = []
    for place, part in enumerate(parts):
        named = {"model": _name(part), "charter": charter.digest, "guard": policy.digest, "at": at}
        rows += rows_of(part["found"], draw=part["plan"].get("seed"), **named)
        if second:
            rows += again_rows(part, second[place], **named)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (directory / "evidence.jsonl").write_text(text, encoding="utf-8")


def _name(part: dict[str, Any]) -> str:
    return f"organism/{part['plan']['kind']}/{part['plan']['variant']:02d}"


def _show(found: list[Tally], lang: str) -> None:
    from rich.table import Table

    say = words(lang)
    table = Table(box=None, pad_edge=False)
    for name in ("kind", "made", "thrown-out", "caught", "interval"):
        table.add_column(say[f"organisms-{name}"], justify="left" if name == "kind" else "right")
    for one in found:
        ends = one.caught.ends
        table.add_row(
            one.kind,
            str(one.made),
            str(one.thrown_out),
            f"{one.hits}/{one.caught.n}",
            "" if ends is None else f"[{ends[0]:.3f}, {ends[1]:.3f}]",
        )
    console().print(table)
    console().print(say["organisms-about"], markup=False)


def _show_needed(short: dict[str, dict[str, int | None]], items: int, lang: str) -> None:
    """Of which clean models a gate would hold, and with how many items it would not."""
    say = words(lang)
    for name, lacking in short.items():
        told = ", ".join(
            say["organisms-never" if n is None else "organisms-need"].format(detector=d, n=n)
            for d, n in lacking.items()
        )
        line = say["organisms-short"].format(model=name, items=items, needed=told)
        console().print(line, markup=False, soft_wrap=True)
