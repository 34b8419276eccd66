"""`normwright guard prune`: let go of old verdicts, so that what is left still verifies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from normwright.cli.guard.group import app
from normwright.cli.guard.serve import STATE
from normwright.cli.options import AsJson, Lang
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words
from normwright.records import Fault, InputError


@app.command("prune", epilog="Example:  normwright guard prune .normwright/guard --keep-days 90")
def prune(
    state: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The state of the server.", show_default=STATE)
    ] = Path(STATE),
    *,
    keep_days: Annotated[
        int, typer.Option("--keep-days", metavar="N", min=1, help="Days of verdicts that stay.")
    ],
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Let go of files of the audit chain whose every line is older, and of their verdicts.

    Contested verdicts stay with their proof. A file that a server writes, or that does not verify,
    is left as it is. What went is told in the chain, and `guard verify` tells it too.
    """
    from normwright.store import prune as let_go

    if not (state / "audit").is_dir():
        do = "Give the folder that `guard serve --state` was given."
        raise InputError([Fault(where=str(state), expected="the state of a served guard",
                                seen="none", do=do)])  # fmt: skip
    now = datetime.now(UTC)
    found = let_go(
        state, before=now - timedelta(days=keep_days), name=f"{now:%Y%m%dT%H%M%S.%f}-pruned"
    )
    if as_json:
        emit({
            "before": found.before.isoformat(), "files": list(found.segments),
            "entries": found.entries, "contested": found.contested, "faulty": list(found.faulty),
        })  # fmt: skip
        return DONE
    said, out = words(choose(lang)), console()
    told = said["guard-pruned"].format(
        entries=found.entries, files=len(found.segments), contested=found.contested,
        date=f"{found.before:%Y-%m-%d}",
    )  # fmt: skip
    out.print(told, markup=False)
    for file in found.faulty:
        out.print(said["guard-prune-faulty"].format(file=file), style="red", markup=False)
    return DONE
