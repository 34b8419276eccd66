"""`normwright charter check`: read norms and run each norm's own cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normwright.cli.charter.group import Norms, app
from normwright.cli.charter.places import norms_of
from normwright.cli.options import HERE, AsJson, Lang
from normwright.cli.screen import DONE, FAILED, console, emit
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.charter import CharterCheck


@app.command("check", epilog="Example:  normwright charter check my-town")
def check(place: Norms = HERE, *, lang: Lang = None, as_json: AsJson = False) -> int:
    """Read norms and run each norm's own cases; exit 1 with every fault or failing case.

    A norm that repeals what it has no power over, or can never apply, is a fault as well.
    """
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
        _show(found, choose(lang))
    return FAILED if found.failures or found.breaches else DONE


def _show(found: CharterCheck, lang: str) -> None:
    out, say = console(), words(lang)
    for breach in found.breaches:
        out.print(" ".join((breach.kind, *breach.norms)), style="red", markup=False)
        out.print(f"  {in_language(breach.detail, lang)}", markup=False)
    for one in found.failures:
        out.print(f"{one.where}: {one.norm} ({one.lang}): {one.text}", style="red", markup=False)
        told = say["check-got"].format(expected=one.expected, got=one.got)
        out.print(f"  {told}", markup=False)
    told = say["check-counts"].format(
        norms=found.norms, cases=found.cases, failures=len(found.failures)
    )
    out.print(told, style="red" if found.failures or found.breaches else "green")
