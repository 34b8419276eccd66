"""UNTESTED: a norm lacks worked cases."""

from __future__ import annotations

from collections.abc import Iterator

from normwright.charter.linting.ground import Ground
from normwright.charter.linting.registry import lint_class
from normwright.charter.linting.telling import alone
from normwright.charter.wording import say
from normwright.records import CharterFinding, Norm

CASE_KINDS = ("hit", "miss", "near_miss")
_CASELESS = frozenset({"ideal", "constitutive"})
"""Kinds that decide nothing, so that they need no cases."""


@lint_class("UNTESTED", "warning", quick="same")
def untested(ground: Ground) -> Iterator[CharterFinding]:
    """Return norms that lack a hit, a miss or a near miss in some language of the charter.

    Proved: which are missing. Not shown: that the cases there are say anything worth saying; that
    they come out as they say is what `charter check` runs.
    """
    for n, norm in enumerate(ground.norms):
        missing = lacking(norm, ground.charter.languages)
        if missing:
            said = {
                lang: ", ".join(
                    f"{say(f'lint_case_{kind}', (lang,))[lang]} ({of})" for of, kind in missing
                )
                for lang in ground.languages
            }
            yield alone(ground, "UNTESTED", n, "lint_untested", missing=said)


def lacking(norm: Norm, languages: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the kinds of cases that a norm lacks, each with its language."""
    if norm.kind in _CASELESS:
        return []
    there = {(case.lang, case.kind) for case in norm.cases}
    return [(lang, kind) for lang in languages for kind in CASE_KINDS if (lang, kind) not in there]
