"""Rates of several groups or languages must not lie further apart than a margin.

Known limits: parity of one rate says nothing about its level, nor about groups that are not named.
"""

from __future__ import annotations

from itertools import combinations

from normwright import stats
from normwright.plugins import Card, plugin
from normwright.records import Criterion, Measurement
from normwright.release.cells import over_languages
from normwright.release.differences import Difference, difference, gap_found
from normwright.release.evidence import Evidence, Found, Missing, state_of
from normwright.release.wording import Number, Said, role_words, suite_words

CARD = Card(
    name="parity",
    kind="criteria",
    status="tested",
    summary="No two groups differ by more than a margin.",
    reference="Newcombe, Statistics in Medicine 17 (1998); Berger, Technometrics 24 (1982)",
    claims=("every pair of groups has to pass", "a group that was not measured is missing"),
)


@plugin(CARD)
def parity(criterion: Criterion, evidence: Evidence) -> Found:
    """Return pass if the bound of the widest gap is within the margin.

    That every pair passes is tested at the full error; that some pair fails at the error divided
    by the pairs, because the worst of many is looked for.
    """
    key = criterion.options["over"]
    cells = evidence.cells(criterion, asked=() if key == "lang" else (key,))
    if key == "lang":
        every = tuple(cell for group in cells.values() for cell in group)
        return _gaps(every, evidence.languages, criterion, evidence)
    return over_languages(cells, lambda group: _gaps(group, (), criterion, evidence))


def _gaps(
    cells: tuple[Measurement, ...],
    languages: tuple[str, ...],
    criterion: Criterion,
    evidence: Evidence,
) -> Found:
    key = criterion.options["over"]
    wanted = list(criterion.options.get("groups") or languages)
    groups = {name: cell for cell in cells if (name := _group(cell, key)) is not None}
    wanted = wanted or sorted(groups)
    absent = [f"{key} {name}" for name in wanted if name not in groups]
    pairs = list(combinations([name for name in wanted if name in groups], 2))
    if absent or not pairs:
        named = {"suite": suite_words(criterion.suite), "model": role_words(cells[0].model)}
        part = ", ".join(absent) or f"{key}: ≥ 2"
        told = {**named, "scope": Said("scope.part", {"part": part})}
        raise Missing(Said("missing.measurement", told), tuple(c.digest for c in cells))
    found = [_pair(groups[a], groups[b], a, b, len(pairs), criterion, evidence) for a, b in pairs]
    order = {"fail": 0, "inconclusive": 1, "pass": 2}
    return min(found, key=lambda one: (order[one.state], -(one.bound or 0.0)))


def _group(cell: Measurement, key: str) -> str | None:
    return cell.lang if key == "lang" else cell.slice.get(key)


def _pair(
    one: Measurement,
    other: Measurement,
    first: str,
    second: str,
    pairs: int,
    criterion: Criterion,
    evidence: Evidence,
) -> Found:
    found = difference(one, other, evidence.alpha)
    certain = difference(one, other, evidence.alpha / pairs)
    gap, margin = found.estimate, criterion.limit
    if gap.value is None or gap.interval is None or certain.estimate.interval is None:
        raise Missing(Said("missing.no_interval"), found.evidence)
    far, near = max(gap.interval.high, -gap.interval.low), _near(certain)
    upwards = gap.value >= 0
    needed = stats.n_to_clear(
        gap, margin if upwards else -margin, side="upper" if upwards else "lower"
    )
    told = {
        "observed": Number(gap.value, "points"),
        "one": first,
        "other": second,
        "bound": Number(far, "points"),
        "lower": Number(near, "points"),
        "limit": Number(margin, "points"),
    }
    return gap_found(
        "parity", state_of(far, near, margin), found, told, margin=margin, far=far, near=near,
        needed=needed,
    )  # fmt: skip


def _near(found: Difference) -> float:
    """The end of the interval that is nearer to no gap, 0 where it holds no gap."""
    interval = found.estimate.interval
    assert interval is not None
    return max(0.0, interval.low, -interval.high)
