"""UNCOVERED: nothing enforces or measures a norm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from normwright.charter.linting.ground import Ground
from normwright.charter.linting.registry import lint_class
from normwright.charter.linting.telling import alone
from normwright.charter.wording import say
from normwright.norms.ranking import RESTRICTIVE
from normwright.records import CharterFinding, Norm


@lint_class("UNCOVERED", "error", quick="same")
def uncovered(ground: Ground) -> Iterator[CharterFinding]:
    """Return norms that bind and for which an artefact is missing in the coverage matrix.

    For what a constitutional norm forbids or demands, every artefact that the matrix counts; for a
    constitutional guarantee, evaluation and criterion; for what a revisable norm forbids or
    demands, only where neither guard nor evaluation speaks for it. Nothing is reported where no
    matrix was given.

    Proved: that the matrix has a hole. Not shown: that what fills the other cells works.
    """
    for n, norm in enumerate(ground.norms):
        row = (ground.coverage or {}).get(norm.ref)
        missing = () if row is None else holes(norm, row)
        if missing:
            said = {
                lang: ", ".join(say(f"lint_cell_{cell}", (lang,))[lang] for cell in missing)
                for lang in ground.languages
            }
            yield alone(ground, "UNCOVERED", n, "lint_uncovered", missing=said)


def holes(norm: Norm, row: Mapping[str, bool]) -> tuple[str, ...]:
    """Return the artefacts that should speak for a norm and do not, sorted."""
    missing = sorted(cell for cell, there in row.items() if not there)
    if norm.kind in RESTRICTIVE and norm.tier == "constitutional":
        return tuple(missing)
    if norm.kind == "guarantee" and norm.tier == "constitutional":
        return tuple(cell for cell in missing if cell in ("criterion", "evaluation"))
    if norm.kind in RESTRICTIVE and {"guard", "evaluation"} <= set(missing):
        return ("evaluation", "guard")
    return ()
