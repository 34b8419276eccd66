"""`normwright learn RECIPE`: one recipe on a model and rows, or on a project."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from normwright.cli.learn.group import app
from normwright.cli.options import AsJson, Lang
from normwright.cli.progress import counting
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.flow.learning import Allowed, Learned


@dataclass(frozen=True)
class Choice:
    """One option of a command: its type, what it does, its usual value, and its range."""

    kind: Any
    help: str
    default: Any = None
    metavar: str | None = None
    least: int | None = None
    most: int | None = None


COMMON: Final[Mapping[str, Choice]] = {
    "out": Choice(Path, "Where the model goes: a new or empty folder.", ..., "DIR"),
    "data": Choice(Path | None, "Rows as JSON lines, packed or not.", None, "FILE"),
    "model": Choice(
        Path | None,
        "The model to start from, a Hugging Face directory; the embedded one if left out.",
        None,
        "DIR",
    ),
    "project": Choice(
        Path | None, "Take model, rows, settings and permit from a project.", None, "DIR"
    ),
    "permit": Choice(Path | None, "A signed permit, as `charter permit` writes it.", None, "FILE"),
    "unpermitted": Choice(bool, "Train without a permit; the model is marked for good.", False),
    "settings": Choice(Path | None, "The recipe's settings as YAML, by name.", None, "FILE"),
    "seed": Choice(int, "Seed of every choice.", 0, None, 0, 2**32 - 1),
    "threads": Choice(
        int | None, "Threads; one a core if left out. 1 repeats to the bit.", None, None, 1
    ),
    "logs": Choice(Path | None, "Where TensorBoard logs go.", None, "DIR"),
    "hardware": Choice(str, "auto, cpu, gpu, or with a number of processes: cpu2, gpu8.", "auto"),
    "processes": Choice(int | None, "Processes on this machine that share each step."),
    "per_device": Choice(int | None, "Rows a process takes at once; less needs less memory."),
    "strategy": Choice(
        str, "ddp: each process holds all weights; fsdp2, deepspeed: a shard (GPUs).", "ddp"
    ),
    "checkpointing": Choice(bool, "Compute activations twice in the place of keeping them.", False),
}
"""Options of every recipe."""

MACHINE: Final = ("hardware", "per_device", "strategy", "checkpointing")
"""What a training may use of the machine, as `flow.learning.Allowed` has it."""

REPEATED: Final = ("seed", "threads", "logs")
"""What a project's own run decides, beside its settings."""

PACE: Final[Mapping[str, Choice]] = {
    "epochs": Choice(int | None, "Times through the rows."),
    "steps": Choice(int | None, "Optimizer steps, in the place of epochs."),
    "lr": Choice(float | None, "Learning rate at its peak."),
    "batch": Choice(int | None, "Rows in a step."),
    "save_every": Choice(int | None, "Steps between checkpoints a killed run goes on from."),
}
"""Settings of every recipe that are options too; all others stand in the file of `--settings`."""


def recipe_command(
    recipe: str, told: str, *, example: str, own: Mapping[str, Choice] | None = None
) -> None:
    """Add the command of a recipe.

    Args:
        recipe: its name, as `flow.learning.RECIPES` has it.
        told: what `--help` says.
        example: a call that works.
        own: its own options: settings by their names, and files that it reads beside its rows.
    """
    options = {**COMMON, **(own or {}), **PACE}
    asked = ["settings", *(own or {}), *PACE]

    def command(lang: str | None, as_json: bool, **given: Any) -> int:
        from normwright.flow.learning import Allowed

        _refuse_beside_a_project(recipe, given, options)
        spread = _spread(recipe, {**given, "lang": lang, "json": as_json}, options)
        if spread is not None:
            return spread
        settings = {name: given.pop(name) for name in asked}
        on = Allowed(**{name: given.pop(name) for name in MACHINE})
        return train(recipe, settings=settings, on=on, lang=lang, as_json=as_json, **given)

    parameters = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=one.default, annotation=_option(name, one))
        for name, one in options.items()
    ]
    parameters += [
        Parameter("lang", Parameter.KEYWORD_ONLY, default=None, annotation=Lang),
        Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=AsJson),
    ]
    command.__signature__ = Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    command.__doc__ = told
    app.command(recipe, epilog=f"Example:  {example}")(command)


def _spread(recipe: str, given: Mapping[str, Any], options: Mapping[str, Choice]) -> int | None:
    """Run the same command in several processes and return its exit code; None asks for one."""
    if "WORLD_SIZE" in os.environ:
        return None
    from normwright.flow.learning.launching import asked_processes, spread

    processes = asked_processes(given["hardware"], given["processes"])
    if processes == 1:
        return None
    words = ["learn", recipe]
    for name, value in given.items():
        usual = options[name].default if name in options else None
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif value not in (None, False, usual) and name != "processes":
            words += [flag, str(value)]
    return spread(words, processes=processes)


def _option(name: str, one: Choice) -> Any:
    flag = f"--{name.replace('_', '-')}"
    return Annotated[
        one.kind,
        typer.Option(flag, help=one.help, metavar=one.metavar, min=one.least, max=one.most),
    ]


recipe_command(
    "sft",
    """Imitate demonstrations: rows with `prompt` and `completion`.

    Loss falls on the answer and its stop token alone. The folder opens in plain transformers.
    """,
    example="normwright learn sft --data demonstrations.jsonl --unpermitted --out tuned",
)
recipe_command(
    "reward",
    """Fit a reward model: rows with `prompt`, `chosen`, `rejected`, and `probability` or `votes`.

    The folder opens in plain transformers as a sequence classifier: one logit, or one a head
    (`--head groups`, `spread`, `ensemble`) under the names in its configuration.
    """,
    example="normwright learn reward --data pairs.jsonl --unpermitted --out reward",
    own={
        "head": Choice(
            str | None, "`pooled`, `groups`, `spread` or `ensemble`; of an encoder also `process`."
        ),
        "likelihood": Choice(str | None, "`shares`, `votes`, `davidson` or `rao-kupper`."),
    },
)
recipe_command(
    "prefer",
    """Align a model with vote shares: rows with `prompt`, `chosen`, `rejected`, `probability`.

    The model it starts from is the reference, unless another is given. `probability`, `weight`,
    `group` and `norms` may be left out. The method `listwise` reads rows with `prompt` and
    `candidates`, each with `text` and `score`. Likelihood and behaviour are reported.
    """,
    example="normwright learn prefer --model tuned --data pairs.jsonl --unpermitted --out aligned",
    own={
        "method": Choice(
            str | None,
            "soft, ipo, soft-copeland, kemeny, robust, modpo, listwise or kto; soft if left out.",
        ),
        "beta": Choice(float | None, "How strongly the reference holds."),
        "demonstrations": Choice(
            Path | None, "Rows an anchor imitates; the preferred answers if left out.", None, "FILE"
        ),
        "held_out": Choice(
            Path | None, "Pairs whose prompts are answered before and after.", None, "FILE"
        ),
        "reference": Choice(
            Path | None, "The model it is held to; the one it starts from if left out.", None, "DIR"
        ),
    },
)


def train(
    recipe: str,
    *,
    out: Path,
    data: Path | None,
    model: Path | None,
    project: Path | None,
    permit: Path | None,
    unpermitted: bool,
    settings: dict[str, Any],
    seed: int,
    threads: int | None,
    logs: Path | None,
    processes: int | None,
    on: Allowed,
    lang: str | None,
    as_json: bool,
) -> int:
    """Run one recipe and show what it made; the body that the commands of all recipes share."""
    from normwright.flow import learning

    shown = choose(lang)
    file = settings.pop("settings", None)
    files = {name: value for name, value in settings.items() if isinstance(value, Path)}
    changes = {name: value for name, value in settings.items() if name not in files}
    if "forget" in files and project is None:
        if data is not None:
            raise typer.BadParameter("the same as --data: give one", param_hint="--forget")
        data = files.pop("forget")
    with counting(words(shown)["learn-working"], quiet=as_json) as count:

        def progress(step: int, steps: int, loss: float) -> None:
            count(step, steps, f"loss {loss:.4f}")

        if project is not None and recipe == "unlearn":
            made = learning.unlearned_of(
                project, out=out, reference=files.get("reference"), settings=file, changes=changes,
                seed=seed, threads=threads, permit=permit, unpermitted=unpermitted,
                progress=progress, logs=logs, on=on,
            )  # fmt: skip
        elif project is not None:
            made = learning.learned_of(
                project, recipe, out=out, permit=permit, unpermitted=unpermitted, progress=progress
            )
        elif data is None:
            raise typer.BadParameter("expected rows, or --project", param_hint="--data")
        else:
            made = learning.learned(
                recipe, model=model, data=data, out=out, settings=file, changes=changes, seed=seed,
                threads=threads, permit=permit, unpermitted=unpermitted, extra=files,
                progress=progress, logs=logs, on=on,
            )  # fmt: skip
    if as_json:
        emit(made.as_json())
    else:
        _show(made, shown)
    return DONE


def _refuse_beside_a_project(
    recipe: str, given: Mapping[str, Any], options: Mapping[str, Choice]
) -> None:
    """Refuse options that a project says, or that a run of a project would not read."""
    if given["project"] is None:
        return
    from normwright.flow.learning.launching import asked_processes

    processes = asked_processes(given["hardware"], given["processes"])
    if processes > 1 or os.environ.get("WORLD_SIZE", "1") != "1":
        raise typer.BadParameter(
            "a project is run by one process; several share a training on a model and --data",
            param_hint="--processes",
        )
    read = {"project", "out", "permit", "unpermitted"}
    if recipe == "unlearn":  # It runs on rows that the project gave up, with its own settings.
        read = set(options) - {"data", "model", "forget", "retain", *MACHINE}
    beside = [
        f"--{name.replace('_', '-')}"
        for name, one in options.items()
        if name not in read and given[name] != (None if one.default is ... else one.default)
    ]
    if beside:
        raise typer.BadParameter(
            f"a project says itself what {', '.join(beside)} would", param_hint="--project"
        )


def _show(made: Learned, lang: str) -> None:
    from rich.table import Table

    say, out = words(lang), console()
    out.print(say["learned"].format(out=made.out, rows=made.rows), markup=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in made.metrics.items():
        table.add_row(name, f"{value:.4g}")
    out.print(table)
    if made.ref.unpermitted:
        out.print(say["learned-unpermitted"], style="yellow", markup=False)
    for note in made.notes:
        out.print(note, markup=False)
