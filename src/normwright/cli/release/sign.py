"""`normwright release sign`: sign criteria before the evidence."""

from __future__ import annotations

from typing import Annotated

import typer

from normwright.cli.keys import SHORT, passphrase_of_person
from normwright.cli.options import AsJson, Lang
from normwright.cli.release.decide import CriteriaFile
from normwright.cli.release.group import app
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words


@app.command(epilog="Example:  normwright release sign criteria.yaml")
def sign(
    criteria: CriteriaFile,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="NAME", help="One of your own; the one that signs runs."),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Sign criteria as they lie there, into a history beside them that keeps every signed text.

    If they are made weaker after there is evidence, deciding by them is INVALID.
    """
    from normwright.flow import releasing

    file, keyid, new = releasing.sign_criteria_file(
        criteria, now=releasing.today(), key=key, passphrase=passphrase_of_person
    )
    if as_json:
        emit({"file": str(file), "key": keyid, "new": new})
    else:
        say = words(choose(lang))["release-signed" if new else "release-signed-before"]
        console().print(say.format(file=file, keys=keyid[:SHORT]), markup=False, soft_wrap=True)
    return DONE
