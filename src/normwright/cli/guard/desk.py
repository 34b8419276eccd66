"""`normwright guard answer|stop|withdraw`: what people say to the agents of a desk."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.guard.group import PolicyDir, app
from normwright.cli.guard.tools import DeskFile
from normwright.cli.screen import DONE
from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from normwright.guard.agents import GrantLedger

By = Annotated[str, typer.Option("--by", metavar="NAME", help="The person who says it.")]


@app.command(
    "answer",
    epilog="Example:  normwright guard answer --desk agents.yaml --by ana --call sha256:3f9a --yes",
)
def answer(
    *,
    desk: DeskFile,
    by: By,
    call: Annotated[
        str, typer.Option("--call", metavar="DIGEST", help="The call, as the question named it.")
    ],
    yes: Annotated[
        bool, typer.Option("--yes/--no", help="Whether it may be made.", show_default=False)
    ],
    policy: PolicyDir = None,
) -> int:
    """Say whether a call may be made that was asked about; it counts for this one call, once."""
    _ledger(desk, policy).answer(call, by=by, yes=yes, at=datetime.now(UTC))
    return DONE


@app.command(
    "stop", epilog="Example:  normwright guard stop --desk agents.yaml --by ana --agent desk"
)
def stop(
    *,
    desk: DeskFile,
    by: By,
    agent: Annotated[str, typer.Option("--agent", metavar="NAME", help="Who is to stop.")],
    go_on: Annotated[bool, typer.Option("--go-on", help="Let it go on instead.")] = False,
    policy: PolicyDir = None,
) -> int:
    """Order an agent, and all it handed authority on to, to stop; it holds at its next step."""
    ledger = _ledger(desk, policy)
    (ledger.resume if go_on else ledger.stop)(agent, by=by, at=datetime.now(UTC))
    return DONE


@app.command(
    "withdraw", epilog="Example:  normwright guard withdraw --desk agents.yaml --by ana --grant g"
)
def withdraw(
    *,
    desk: DeskFile,
    by: By,
    grant: Annotated[str, typer.Option("--grant", metavar="ID", help="The grant.")],
    policy: PolicyDir = None,
) -> int:
    """Withdraw a grant and all that were handed on from it; what was used stays used."""
    _ledger(desk, policy).revoke(grant, by=by, at=datetime.now(UTC))
    return DONE


def _ledger(desk: DeskFile, policy: PolicyDir) -> GrantLedger:
    from normwright.flow.agents import guard_of, open_desk

    opened = open_desk(desk, policy)
    if opened.file.journal is None:
        raise InputError([
            Fault(where=f"{desk}: journal", expected="a file in which the ledger is kept",
                  seen="none", do="Without it nobody outside the running process is heard.")
        ])  # fmt: skip
    return guard_of(opened).ledger
