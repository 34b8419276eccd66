"""The safety case of a project's verdict, or of one on a folder of evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from normwright.flow.results import findings
from normwright.records import Fault, InputError, SafetyCase

if TYPE_CHECKING:
    from normwright.flow.releasing import Decided


def project_case(directory: Path) -> SafetyCase:
    """Return the safety case of a project's present verdict.

    Raises:
        InputError: if there is no verdict that still counts.
    """
    found = findings(directory).case
    if found is None:
        do = f"Make one with: normwright run {directory}"
        raise InputError([Fault(where=str(directory), expected="a verdict", seen="none", do=do)])
    return found


def evidence_case(found: Decided) -> SafetyCase:
    """Return the safety case of a verdict on a folder of evidence."""
    from normwright.release import argue, doubts_about, spoken

    criteria = found.criteria
    # Every language that reasons are given in, so that the case can be read in each.
    languages = spoken(("en", "pt"))
    doubts = {
        **doubts_about(
            criteria, judged=bool(criteria.judges), asked_in=criteria.languages,
            languages=languages,
        ),
        **criteria.doubts,
    }  # fmt: skip
    name = f"{found.candidate} ({criteria.id})" if criteria.id else found.candidate
    return argue(
        found.verdict,
        criteria=criteria,
        name=dict.fromkeys(languages, name),
        defeated_by=doubts,
        defences={n: one for n, one in criteria.defences.items() if n in doubts},
        languages=languages,
    )
