"""`normwright learn plan`: memory and time of a training, before there is one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.learn.group import app
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.learn.planning import Asked, Plan, Shape, Way


@app.command(
    "plan",
    epilog="Example:  normwright learn plan --recipe prefer --hardware gpu8 --write configs",
)
def plan_(
    *,
    params: Annotated[
        str | None, typer.Option(help="124M, 760M, 1.7B, 8B or 70B; all if left out.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="A model directory, in the place of a size.", metavar="DIR")
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="sft, reward, prefer, reinforce, pretrain or unlearn.")
    ] = "sft",
    hardware: Annotated[str, typer.Option(help="cpu, gpu, or with a number: gpu8.")] = "gpu",
    rows: Annotated[int, typer.Option(help="Rows of a pass.", min=1)] = 10_000,
    epochs: Annotated[float, typer.Option(help="Passes.", min=0)] = 1.0,
    length: Annotated[int, typer.Option(help="Tokens a text.", min=1)] = 512,
    batch: Annotated[int, typer.Option(help="Rows in a step, over all processes.", min=1)] = 32,
    per_device: Annotated[int, typer.Option(help="Rows a process takes at once.", min=1)] = 1,
    gib: Annotated[float | None, typer.Option(help="Memory of one device in GiB.")] = None,
    tflops: Annotated[float | None, typer.Option(help="Peak speed of one device.")] = None,
    write: Annotated[
        Path | None,
        typer.Option(help="Write FSDP2 and DeepSpeed ZeRO-3 configurations here.", metavar="DIR"),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Say what a training would need: memory a device, hours, and which strategy fits.

    Nothing is loaded or trained. Formulas, and what they leave out, stand in
    `normwright.learn.planning`; time rests on a stated range of use of the peak speed.
    """
    from normwright.flow.extras import require_learning

    require_learning("A plan")
    from normwright.learn import planning

    asked = _asked(recipe, hardware, rows, epochs, length, batch, per_device, gib, tflops)
    if model is not None:
        shape, number = planning.shape_of(model)
        plans = [planning.plan(model.name, shape, asked, parameters=number)]
    else:
        sizes = planning.SIZES if params is None else {params: _size(params)}
        plans = [planning.plan(size, shape, asked) for size, shape in sizes.items()]
    files = [] if write is None else planning.write_configs(write, asked)
    if as_json:
        emit({
            "plans": [one.as_json() for one in plans],
            "assumed": {"used": planning.USED[asked.device], "slack": planning.SLACK},
            "written": [str(file) for file in files],
        })  # fmt: skip
    else:
        _show(plans, asked, files, choose(lang))
    return DONE


def _size(params: str) -> Shape:
    from normwright.learn import planning

    if params not in planning.SIZES:
        known = ", ".join(planning.SIZES)
        raise typer.BadParameter(f"expected one of {known}, or --model", param_hint="--params")
    return planning.SIZES[params]


def _asked(
    recipe: str, hardware: str, rows: int, epochs: float, length: int, batch: int,
    per_device: int, gib: float | None, tflops: float | None,
) -> Asked:  # fmt: skip
    from normwright.learn import planning
    from normwright.models.tuning.hardware import parse_hardware

    if recipe not in planning.PASSES:
        known = ", ".join(planning.PASSES)
        raise typer.BadParameter(f"expected one of {known}", param_hint="--recipe")
    allowed, processes = parse_hardware(hardware)
    device = "cpu" if allowed.device == "cpu" else "gpu"
    return planning.Asked(
        recipe=recipe, device=device, processes=processes, rows=rows, epochs=epochs,
        length=length, batch=batch, per_device=per_device, gib=gib, tflops=tflops,
    )  # fmt: skip


def _least(plan: Plan) -> Way:
    """What comes closest to fitting."""
    return min(plan.ways, key=lambda way: way.total)


def _short(hours: float) -> str:
    """Two digits, without more zeros than a reader counts."""
    return f"{hours:.0f}" if hours >= 10 else f"{hours:.2g}" if hours >= 0.01 else "<0.01"


def _show(plans: list[Plan], asked: Asked, files: list[Path], lang: str) -> None:
    from rich.table import Table

    say, out = words(lang), console()
    table = Table(box=None, pad_edge=False)
    for name in ("size", "way", "weights", "gradients", "optimizer", "activations", "total",
                 "fits", "hours"):  # fmt: skip
        table.add_column(
            say[f"plan-{name}"], justify="left" if name in ("size", "way") else "right",
            no_wrap=True,
        )  # fmt: skip
    for plan in plans:
        for way in plan.ways if len(plans) == 1 else (plan.chosen or _least(plan),):
            name = way.strategy + " +C" * way.checkpointing + " +L" * way.lora
            figures = (way.weights, way.gradients, way.optimizer, way.activations, way.total)
            low, high = way.hours
            mark = say["plan-yes"] if way.fits else say["plan-no"]
            mark += " *" if way is plan.chosen else ""
            table.add_row(plan.size, name, *(f"{one:.1f}" for one in figures), mark,
                          f"{_short(low)}-{_short(high)}")  # fmt: skip
    out.print(table)
    out.print(say["plan-note"], markup=False)
    for file in files:
        out.print(str(file), markup=False)
