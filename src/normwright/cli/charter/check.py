"""`normwright charter check`: read norms and run each norm's own cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from normwright.cli.charter.group import Norms, app
from normwright.cli.charter.places import norms_of
from normwright.cli.options import HERE, AsJson, Lang
from normwright.cli.screen import DONE, FAILED, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.charter import CharterCheck


@app.command("check", epilog="Example:  normwright charter check my-town")
def check(place: Norms = HERE, *, lang: Lang = None, as_json: AsJson = False) -> int:
    """Read norms and run each norm's own cases; exit 1 with every fault or failing case."""
    from normwright.charter import check_source

    found = check_source(norms_of(place))
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
        _show(found, words(choose(lang)))
    return FAILED if found.failures else DONE


def _show(found: CharterCheck, say: Mapping[str, str]) -> None:
    out = console()
    for one in found.failures:
        out.print(f"{one.where}: {one.norm} ({one.lang}): {one.text}", style="red", markup=False)
        told = say["check-got"].format(expected=one.expected, got=one.got)
        out.print(f"  {told}", markup=False)
    told = say["check-counts"].format(
        norms=found.norms, cases=found.cases, failures=len(found.failures)
    )
    out.print(told, style="red" if found.failures else "green")
