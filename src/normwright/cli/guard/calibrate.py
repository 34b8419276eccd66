"""`normwright guard calibrate`: how far a guard is to be believed; thresholds by cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from normwright.cli.guard.group import PolicyDir, app
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.records import Estimate, GuardCalibration

SEED = 7
FILE = "calibration.json"


@app.command(
    "calibrate",
    epilog="Example:  normwright guard calibrate insults.jsonl --norm g.dignity.no-demeaning"
    " --cost 2 --cost 5 --cost 3 --out calibrated",
)
def calibrate(
    labelled: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help='JSON lines, packed (.gz) or not: {"text", "yes", "no", "lang", "source",'
            ' "licence", "cluster"}, where yes people of yes + no found a breach of the norm.',
        ),
    ],
    *,
    norm: Annotated[str, typer.Option("--norm", metavar="ID", help="The norm of the labels.")],
    cost: Annotated[
        list[float],
        typer.Option(
            "--cost",
            metavar="R",
            help="How many texts blocked by mistake are as bad as one breach missed: once for each"
            " person asked; the median counts.",
        ),
    ],
    at_most: Annotated[
        float | None,
        typer.Option(
            "--at-most",
            metavar="SHARE",
            help="The promise to make of the dearer error; what the costs come to if left out.",
        ),
    ] = None,
    said_by: Annotated[
        str, typer.Option("--said-by", metavar="user|assistant", help="Who said the texts.")
    ] = "user",
    policy: PolicyDir = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Where to write calibration.json, a reliability diagram for each language, and a"
            " page beside the baselines."
            " In the folder of an enacted policy the guard picks it up.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the bootstrap.")] = SEED,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Calibrate a norm's classifier on labelled texts, and promise how often it errs at most.

    Half of the texts finds the threshold of least cost; the other half sets it anew by conformal
    risk control, so that the dearer error has a stated bound on texts of the same kind. Too few
    texts give no threshold, and how many are needed is told.
    """
    from normwright.flow.guards import open_guard
    from normwright.guard import read_labels
    from normwright.guard.calibrating import calibrate as calibrated
    from normwright.guard.opening import classifier_digest
    from normwright.records import digest_bytes

    role: Literal["user", "assistant"] = "assistant" if said_by == "assistant" else "user"
    if said_by not in ("user", "assistant"):
        raise typer.BadParameter(f"{said_by!r} is neither user nor assistant",
                                 param_hint="--said-by")  # fmt: skip
    rows = read_labels(labelled)
    guard = open_guard(policy)
    record = calibrated(
        guard,
        rows,
        norm=norm,
        costs=cost,
        role=role,
        classifier=classifier_digest(guard),
        files={p.name: digest_bytes(p.read_bytes()) for p in labelled},
        seed=seed,
        at_most=at_most,
    )
    shown = choose(lang)
    if out is not None:
        _write(record, out, shown)
    if as_json:
        emit({**record.model_dump(mode="json"), "digest": record.digest,
              "thresholds": record.thresholds()})  # fmt: skip
    else:
        _show(record, shown)
    return DONE


def _write(record: GuardCalibration, out: Path, lang: str) -> None:
    from normwright.cli.guard.bench import said_of_ways
    from normwright.web.errorbars import beside_page
    from normwright.web.reliability import reliability

    say = words(lang)
    out.mkdir(parents=True, exist_ok=True)
    (out / FILE).write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
    for one in record.signals:
        picture = reliability(
            [(one.norm, one.bins)],
            title=f"{one.norm}, {one.lang}",
            said=say["calibrate-said"],
            found=say["calibrate-found"],
        )
        (out / f"reliability.{one.lang}.svg").write_text(picture, encoding="utf-8")
    parts = [(f"{one.norm}, {one.lang}", one.beside) for one in record.signals]
    notes = [say["calibrate-beside"], say["calibrate-limit"], f"calibration {record.digest}"]
    text = beside_page(say["calibrate-title"], notes, parts, said_of_ways(lang), lang)
    (out / "calibration.html").write_text(text, encoding="utf-8")


def _show(record: GuardCalibration, lang: str) -> None:
    from rich.table import Table

    from normwright.cli.guard.bench import show_ways

    say = words(lang)
    out = console()
    table = Table(box=None, header_style="bold")
    for name in ("lang", "texts", "error", "threshold", "promise", "blocks", "misses"):
        table.add_column(say[f"calibrate-{name}"], overflow="fold")
    for one in record.signals:
        table.add_row(
            one.lang,
            f"{one.harmful} / {one.harmless}",
            f"{_told(one.error)} ({one.floor:.3f})",
            "–" if one.threshold is None else f"{one.threshold:.3f}",
            say[f"calibrate-promise-{one.dearer}"].format(alpha=f"{one.alpha:.1%}")
            if one.threshold is not None
            else say["calibrate-needed"].format(n=one.needed),
            _told(one.false_blocks),
            _told(one.misses),
        )
    out.print(table)
    for one in record.signals:
        show_ways(one.beside, f"\n{one.norm}, {one.lang}", out, lang)
    first: Sequence[object] = (record.signals[0].cost, record.signals[0].answers)
    told = say["calibrate-cost"].format(cost=f"{first[0]:g}", n=first[1])
    out.print("\n" + told, style="dim", markup=False)
    out.print(say["calibrate-limit"], style="dim", markup=False)


def _told(estimate: Estimate) -> str:
    if estimate.value is None or estimate.interval is None:
        return "–"
    return f"{estimate.value:.3f} [{estimate.interval.low:.3f}, {estimate.interval.high:.3f}]"
