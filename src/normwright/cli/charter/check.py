"""`normwright charter check`: read norms and run each norm's own cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normwright.cli.charter.group import Norms, app
from normwright.cli.charter.norms import norms_of
from normwright.cli.options import HERE, AsJson
from normwright.cli.screen import DONE, FAILED, console, emit

if TYPE_CHECKING:
    from normwright.charter import CharterCheck


@app.command("check", epilog="Example:  normwright charter check my-town")
def check(directory: Norms = HERE, as_json: AsJson = False) -> int:
    """Read norms and run each norm's own cases; exit 1 with every fault or failing case."""
    from normwright.charter import check_source

    found = check_source(norms_of(directory))
    if as_json:
        emit(
            {
                "norms": found.norms,
                "cases": found.cases,
                "failures": [one.model_dump(mode="json") for one in found.failures],
                "findings": [one.model_dump(mode="json", by_alias=True) for one in found.findings],
            }
        )
    else:
        _show(found)
    return FAILED if found.failures else DONE


def _show(found: CharterCheck) -> None:
    out = console()
    for one in found.failures:
        out.print(f"{one.where}: {one.norm} ({one.lang}): {one.text}", style="red", markup=False)
        out.print(f"  expected {one.expected}, got {one.got}", markup=False)
    told = f"{found.norms} norms, {found.cases} cases, {len(found.failures)} failures"
    out.print(told, style="red" if found.failures else "green")
