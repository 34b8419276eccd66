"""The application: its commands, and the one place where errors become exit codes."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from normwright import __version__
from normwright.cli.screen import DONE, FAILED, INTERRUPTED, USAGE, console, faults_of, show_faults
from normwright.records import Fault, NormwrightError

HELP = "From what people say an AI system should do, to weights, a guard and a release verdict."

GROUPS = ("aggregate", "charter", "elicit", "evaluate", "guard", "keys", "learn", "release")
"""Commands that have commands of their own, each from the module of its name."""

SINGLE = ("project", "receipts", "chat", "compare", "gc", "registry")
"""Modules with commands that belong to no group."""


def application(group: str | None = None) -> typer.Typer:
    """Return the application: all commands, or those of one group.

    Reading the signatures of every command takes longer than a small command itself, so that the
    group that is called is made ready alone.
    """
    app = typer.Typer(
        name="normwright",
        help=HELP,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )
    app.callback(epilog="Example:  normwright init my-town && normwright run my-town")(root)
    for name in SINGLE if group is None else ():
        import_module(f"normwright.cli.{name}").add_to(app)
    for name in GROUPS if group is None else (group,):
        app.add_typer(import_module(f"normwright.cli.{name}").app, name=name)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"normwright {__version__}")
        raise typer.Exit


def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """From what people say an AI system should do, to weights, a guard and a release verdict.

    Exit codes: 0 done or RELEASE, 1 the input or the run failed or faults were found, 2 usage,
    3 HOLD, 4 BLOCK, 5 INVALID. With --json, stdout holds exactly one JSON value.
    """


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line on `argv` (the process's own by default) and exit with its code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    sys.exit(_run(arguments))


def _run(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    try:
        app = application(arguments[0] if arguments and arguments[0] in GROUPS else None)
        code = app(args=arguments, prog_name="normwright", standalone_mode=False)
    except TyperException as error:
        # The parser's own errors: a wrong option, a missing argument, a value of the wrong kind.
        show_faults([_usage(error)], as_json=as_json)
        return USAGE
    except (KeyboardInterrupt, typer.Abort):
        err = console(stderr=True)
        err.print("Stopped. What was finished is kept; the same command goes on from there.")
        return INTERRUPTED
    except NormwrightError as error:
        show_faults(faults_of(error), as_json=as_json)
        return FAILED
    except Exception as error:  # noqa: BLE001
        if (told := _of_the_disk(error)) is not None:
            show_faults(faults_of(told), as_json=as_json)
            return FAILED
        # A defect. A person gets the trace; a program gets JSON it can read, and the trace too.
        traceback.print_exc()
        if as_json:
            show_faults(faults_of(error), as_json=True)
        return FAILED
    return code if isinstance(code, int) else DONE


def _of_the_disk(error: Exception) -> NormwrightError | None:
    """Return what an error says about a full, forbidden or broken disk; None if it does not.

    Work that writes says so itself. This is for what is only read, from any place.
    """
    if not isinstance(error, OSError):
        return None
    from normwright.store import trouble_of

    return trouble_of(error, Path())


def _usage(error: TyperException) -> Fault:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "normwright"
    return Fault(
        where=path,
        expected="a command line as in --help",
        seen=error.format_message().rstrip("."),
        do=f"See: {path} --help",
    )
