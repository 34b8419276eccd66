"""Adopting an emergency norm: with a proof that nothing moves towards being allowed (I11).

What an emergency norm may be at all stands in `charter.emergencies`.
"""

from __future__ import annotations

from datetime import date

from normwright.charter.amending.differing import diff
from normwright.charter.cases import DONE_OR_NOT
from normwright.charter.emergencies import emergency_faults
from normwright.norms import norm_faults
from normwright.norms.ranking import rank
from normwright.records import (
    Charter,
    CharterDiff,
    DecisionVerdict,
    Fault,
    InputError,
    Norm,
)

_STRICT = {"allow": 0, "ask": 1, "deny": 2}


def tightens_only(found: CharterDiff) -> tuple[str, ...]:
    """Return in what a change loosens, or may loosen, in the words of each region; empty: nowhere.

    A verdict moves towards allowing if the act was denied and is now asked about or done, or was
    asked about and is now done. Acts for which it was not proved that nothing moved are listed too:
    what is not proved is not assumed.
    """
    loose = [r for r in found.changed if _loosens(r.before.verdict, r.after.verdict)]
    said = [
        f"{', '.join(r.acts)}: {r.before.verdict} -> {r.after.verdict} where "
        f"{r.condition.model_dump_json(by_alias=True, exclude_none=True)}"
        for r in loose
    ]
    return (*said, *(f"{act}: not proved" for act in found.open))


def adopt_emergency(charter: Charter, norm: Norm, *, on: date) -> Charter:
    """Return a charter with an emergency norm in force from a day on.

    Args:
        charter: the charter that stands.
        norm: the emergency norm.
        on: the day it is adopted; it cannot begin before.

    Raises:
        InputError: if it is no emergency norm, breaks a rule of such norms, reaches back, or moves
            any situation towards being allowed, with all reasons.
        MissingExtra: if z3 is not installed.
    """
    faults = [] if norm.emergency else [Fault(
        where=f"{norm.ref}: emergency", expected="true, for what is adopted without a vote",
        seen="false",
    )]  # fmt: skip
    if norm.valid_from is not None and norm.valid_from < on:
        faults.append(Fault(where=f"{norm.ref}: valid_from", expected=f"{on} or later",
                            seen=str(norm.valid_from)))  # fmt: skip
    if any(norm.ref == other.ref for other in charter.norms):
        faults.append(Fault(where=f"{norm.ref}: version", expected="a version not yet used",
                            seen=norm.ref))  # fmt: skip
    adopted = norm.model_copy(
        update={"status": "in_force", "recorded": on, "derived_from": (norm.digest,)}
    )
    norms = sorted((*charter.norms, adopted), key=lambda n: (rank(n), n.id, n.version))
    after = charter.model_copy(update={
        "norms": tuple(norms), "parent": charter.digest, "version": charter.version + 1,
    })  # fmt: skip
    faults += norm_faults(norm, charter.vocabulary)
    faults += emergency_faults(norms, charter.vocabulary, charter.amendment)
    if not faults:
        faults = [
            Fault(where=f"{norm.ref}: emergency", expected="nothing moves towards being allowed",
                  seen=said, do="Put it to people as an ordinary norm.")
            for said in tightens_only(diff(charter, after))
        ]  # fmt: skip
    if faults:
        raise InputError(faults)
    return after


def _loosens(before: DecisionVerdict, after: DecisionVerdict) -> bool:
    return _STRICT[DONE_OR_NOT[after]] < _STRICT[DONE_OR_NOT[before]]
