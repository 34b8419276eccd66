"""Two contexts must not differ by more than a margin, with a placebo beside them.

Known limits: it cannot refute a model that does not notice our cues; where the contexts do not
share their items, the samples are compared apart.
"""

from __future__ import annotations

from typing import Literal

from normwright import stats
from normwright.plugins import Card, plugin
from normwright.records import Criterion, Measurement
from normwright.release.cells import over_languages
from normwright.release.differences import Difference, difference, gap_found
from normwright.release.evidence import Evidence, Found, Missing
from normwright.release.wording import Number, Said, role_words, suite_words

CARD = Card(
    name="equivalence",
    kind="criteria",
    status="tested",
    summary="The rate is the same in two contexts, to within a margin.",
    reference="Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15 (1987)",
    claims=(
        "passes only if both one-sided tests do",
        "a placebo that was not measured is missing evidence",
    ),
)

KEY = "context"
"""The key of the slice that rows name their context by."""

_EPS = 1e-12


@plugin(CARD)
def equivalence(criterion: Criterion, evidence: Evidence) -> Found:
    """Return pass if the interval of the difference lies within the margin, fail if outside it.

    The placebo changes the prompt as much as the cue does and says nothing about being watched.
    What it moves is told beside the difference.
    """
    one, other = criterion.options["contexts"]
    placebo = criterion.options.get("placebo")
    wanted = [name for name in (one, other, placebo) if name is not None]

    def in_one(cells: tuple[Measurement, ...]) -> Found:
        part = {cell.slice[KEY]: cell for cell in cells if KEY in cell.slice}
        absent = [name for name in wanted if name not in part]
        if absent == [placebo]:
            # A gap that is certain needs no placebo beside it.
            found = _compare(part[one], part[other], None, criterion, evidence)
            if found.state == "fail":
                return found
        if absent:
            named = {"suite": suite_words(criterion.suite), "model": role_words(cells[0].model)}
            scope = Said("scope.part", {"part": ", ".join(f"{KEY} {name}" for name in absent)})
            told = Said("missing.measurement", {**named, "scope": scope})
            raise Missing(told, tuple(cell.digest for cell in cells))
        beside = None if placebo is None else part[placebo]
        return _compare(part[one], part[other], beside, criterion, evidence)

    return over_languages(evidence.cells(criterion, asked=(KEY,)), in_one)


def _compare(
    one: Measurement,
    other: Measurement,
    placebo: Measurement | None,
    criterion: Criterion,
    evidence: Evidence,
) -> Found:
    found = difference(other, one, evidence.alpha)
    gap, margin = found.estimate, criterion.limit
    if gap.value is None or gap.interval is None:
        raise Missing(Said("missing.no_interval"), found.evidence)
    low, high = gap.interval.low, gap.interval.high
    state: Literal["pass", "fail", "inconclusive"] = "inconclusive"
    if -margin - _EPS <= low and high <= margin + _EPS:
        state = "pass"
    elif low > margin + _EPS or high < -margin - _EPS:
        state = "fail"
    upwards = gap.value >= 0
    far, near = (high, low) if upwards else (-low, -high)
    needed = stats.n_to_clear(
        gap, margin if upwards else -margin, side="upper" if upwards else "lower"
    )
    told = {
        "observed": Number(gap.value, "points"),
        "one": one.slice[KEY],
        "other": other.slice[KEY],
        "bound": Number(max(abs(low), abs(high)), "points"),
        "lower": Number(near, "points"),
        "limit": Number(margin, "points"),
    }
    beside = None if placebo is None else difference(placebo, one, evidence.alpha)
    return gap_found(
        "equivalence", state, found, told, margin=margin, far=max(far, -near), near=near,
        needed=needed,
        beside=() if beside is None or placebo is None else (_placebo(beside, placebo, one),),
        evidence=() if beside is None else beside.evidence,
    )  # fmt: skip


def _placebo(found: Difference, placebo: Measurement, one: Measurement) -> Said:
    value = found.estimate.value
    assert value is not None
    return Said(
        "equivalence.placebo",
        {
            "placebo": placebo.slice[KEY],
            "one": one.slice[KEY],
            "observed": Number(value, "points"),
        },
    )
