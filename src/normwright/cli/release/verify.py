"""`normwright release verify`: check a signed verdict without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from normwright.cli.options import AsJson, Lang
from normwright.cli.release.group import app
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words


@app.command(
    epilog="Example:  normwright release verify verdict.json --criteria criteria.yaml "
    "--evidence evidence"
)
def verify(
    verdict: Annotated[
        Path, typer.Argument(metavar="VERDICT", help="What `release decide --out` wrote.")
    ],
    criteria: Annotated[
        Path | None,
        typer.Option("--criteria", metavar="FILE", help="The criteria it was decided by."),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", metavar="DIR", help="The evidence it was decided on."),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Check who signed a verdict, that it and the files it rests on are unchanged; decide again.

    Deciding again needs both the criteria and the evidence. Every fault is named, with exit code 1.
    """
    from normwright.flow import releasing

    found = releasing.verified(verdict, criteria_file=criteria, evidence=evidence)
    verdicts = {mode.mode: mode.verdict for mode in found.verdict.modes}
    if as_json:
        emit(
            {
                "verdicts": verdicts,
                "signers": list(found.signers),
                "files": list(found.files),
                "decided_again": found.again,
                "digest": found.verdict.digest,
            }
        )
        return DONE
    say, out = words(choose(lang)), console()
    out.print(say["release-good"].format(signers=", ".join(found.signers)), markup=False)
    for mode, word in verdicts.items():
        out.print(f"  {say.get(mode, mode)}: {word}", markup=False)
    out.print(say["release-files"].format(count=len(found.files)), markup=False)
    out.print(say["release-again" if found.again else "release-not-again"], markup=False)
    return DONE
