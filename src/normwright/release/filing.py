"""From rows of evidence to the measurements that the gate decides on: whose, of what, how many.

Rows about one part are counted together where they were measured by one protocol. Otherwise they
stay apart, and the criterion that finds two of them holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from normwright import stats
from normwright.records import (
    ORGANISM_KINDS,
    Digest,
    Estimate,
    EvidenceBasis,
    EvidenceRow,
    Fault,
    InputError,
    MadeBy,
    Measurement,
    RowCounts,
)
from normwright.release.evidence import CANDIDATE, part_text
from normwright.release.reading import Criteria
from normwright.release.rows import GivenRow
from normwright.release.wording import Number, Said

_ORGANISM = re.compile(rf"organism/({'|'.join(ORGANISM_KINDS)})/\d+")
"""What rows call a model organism."""

SEED = 0
"""Seed of resampling, where items have values between 0 and 1."""


@dataclass(frozen=True)
class Filed:
    """Rows as measurements, and whose they are."""

    measurements: tuple[Measurement, ...]
    candidate: str
    """Name of the model that is to be released; empty where no row is of one."""
    role: str
    """What the measurements call it."""
    weights: Digest | None
    """Digest of its weights, where its rows or the criteria have it."""
    others: tuple[str, ...]
    """Other candidates that rows are of: they were tried."""
    runs: int
    """How many candidates the evidence shows to have been tried."""
    used: frozenset[str]
    """Item sets that the other candidates were seen on."""
    notes: tuple[Said, ...]
    """What was left out or taken together."""


def file_rows(
    rows: Sequence[GivenRow],
    criteria: Criteria,
    *,
    model: str | None = None,
    runs: Sequence[str] = (),
) -> Filed:
    """Return rows as measurements of roles: the candidate, baselines, controls.

    Controls and baselines are known by their names in the criteria. Every other row is of a
    candidate; where there are several, `model` says which one is decided about.

    Args:
        rows: the rows, each with its place.
        criteria: what is asked; names the controls and the baselines.
        model: name of the candidate, with a digest after an `@` if it is one of several weights.
        runs: runs of candidates that were tried, named beside the rows.

    Raises:
        InputError: if it is not clear which rows are of the candidate.
    """
    asked = (model or criteria.model or "").partition("@")[0]
    roles = _organisms(rows, asked) | _roles(criteria)
    of_candidates = [one for one in rows if one.row.name not in roles]
    role = _role_of_candidate(criteria, of_candidates)
    candidate, weights = _candidate(of_candidates, criteria, model)
    mine = [one for one in of_candidates if _is(one.row, candidate, weights)]
    theirs = [one for one in of_candidates if not _is(one.row, candidate, weights)]
    roles |= {one.row.name: role for one in mine}
    kept = [one for one in rows if one not in theirs]
    unique, notes = _once(kept)
    error = criteria.alpha / criteria.tested
    named = {run for run in (*runs, *(one.row.run for one in of_candidates)) if run}
    measured = list(_filed(unique, roles, criteria, error))
    notes += [note for one in measured for note in _left_out(one)]
    return Filed(
        measurements=tuple(measured),
        candidate=candidate or (role if any(m.model == role for m in measured) else ""),
        role=role,
        weights=weights,
        others=tuple(sorted({one.row.name for one in theirs} - {candidate})),
        runs=max(_tried(of_candidates), len(named)),
        used=frozenset(one.row.evalset for one in theirs if one.row.evalset),
        notes=tuple(notes),
    )


def _organisms(rows: Sequence[GivenRow], asked: str) -> dict[str, str]:
    """Roles of model organisms, which are controls whether or not the criteria ask about them.

    Where one is decided about by its name, it is a candidate like any other.
    """
    names = {one.row.name for one in rows} - {asked}
    return {name: f"control:{name}" for name in names if _ORGANISM.fullmatch(name)}


def _roles(criteria: Criteria) -> dict[str, str]:
    """Name in a row -> role in the gate, of everything that is no candidate."""
    known = {one.baseline: one.baseline for one in criteria if one.baseline}
    known |= {mode.model: mode.model for mode in criteria.modes if mode.model != CANDIDATE}
    known |= {one.model: one.model for one in criteria if one.model != CANDIDATE}
    known |= {control.name: f"control:{control.name}" for control in criteria.controls}
    return known


def _role_of_candidate(criteria: Criteria, rows: Sequence[GivenRow]) -> str:
    """What modes call the model they release.

    Raises:
        InputError: if they release several, and rows are of none of them.
    """
    models = sorted({mode.model for mode in criteria.modes})
    if len(models) == 1:
        return models[0]
    if rows and CANDIDATE not in models:
        expected = f"rows of the models that modes release: {', '.join(models)}"
        seen = ", ".join(sorted({one.row.name for one in rows}))
        raise InputError([_several("evidence: model", expected, seen, rows)])
    return CANDIDATE


def _candidate(
    rows: Sequence[GivenRow], criteria: Criteria, model: str | None
) -> tuple[str, Digest | None]:
    """The name of the one candidate, and the digest of its weights."""
    name, _, digest = (model or criteria.model or "").partition("@")
    weights = digest or (criteria.weights if not model or name == criteria.model else None)
    names = sorted({one.row.name for one in rows if weights is None or one.row.weights != weights})
    known = {one.row.name for one in rows}
    if name and model and rows and name not in known:
        raise InputError([_several("--model", f"one of {', '.join(sorted(known))}", name, rows)])
    if not name and len(names) > 1:
        expected = "rows of one candidate, beside controls and baselines by their names"
        raise InputError([_several("evidence: model", expected, ", ".join(names), rows)])
    name = name or (names or sorted(known) or [""])[0]
    found = sorted({w for one in rows if one.row.name == name and (w := one.row.weights)})
    if weights is None and len(found) > 1:
        expected = f"rows of one set of weights called {name}"
        raise InputError([_several("evidence: model", expected, ", ".join(found), rows)])
    return name, weights or (found[0] if found else None)


def _several(where: str, expected: str, seen: str, rows: Sequence[GivenRow]) -> Fault:
    places = ", ".join(dict.fromkeys(one.where.split(":")[0].split("[")[0] for one in rows))
    do = f"Say which one is decided about: --model NAME (or NAME@DIGEST). Rows in {places[:200]}."
    return Fault(where=where, expected=expected, seen=seen[:300], do=do)


def _is(row: EvidenceRow, candidate: str, weights: Digest | None) -> bool:
    """Whether a row is of the candidate, by its name or by its weights."""
    return row.name == candidate or (weights is not None and row.weights == weights)


def _tried(rows: Sequence[GivenRow]) -> int:
    """How many candidates rows are of: names, and different weights of one name."""
    by_name: dict[str, set[Digest]] = {}
    for one in rows:
        found = by_name.setdefault(one.row.name, set())
        if one.row.weights is not None:
            found.add(one.row.weights)
    return sum(max(1, len(weights)) for weights in by_name.values())


def _once(rows: Iterable[GivenRow]) -> tuple[list[EvidenceRow], list[Said]]:
    """Each row once: the same one in two files is one observation."""
    found: dict[Digest, EvidenceRow] = {}
    twice = 0
    for one in rows:
        twice += one.row.digest in found
        found[one.row.digest] = one.row
    notes = [Said("note.twice", {"count": Number(twice, "count")})] if twice else []
    return [found[digest] for digest in sorted(found)], notes


def _filed(
    rows: Sequence[EvidenceRow],
    roles: dict[str, str],
    criteria: Criteria,
    error: float,
) -> Iterator[Measurement]:
    parts: dict[tuple[Any, ...], list[EvidenceRow]] = {}
    for row in rows:
        part = tuple(sorted((key, part_text(value)) for key, value in row.slice.items()))
        parts.setdefault((row.suite or row.metric, row.metric, row.name, part), []).append(row)
    for together in parts.values():
        whole = _together(together)
        for group in [together] if whole else [[row] for row in together]:
            yield _measured(group, roles, criteria, error)


def _together(rows: Sequence[EvidenceRow]) -> bool:
    """Whether rows about one part may be counted as one sample: one protocol, no item twice."""
    first = rows[0]
    same = {(r.protocol, r.charter, r.judge, r.guard, r.cluster, r.weights) for r in rows}
    ids = [item for row in rows for item in row.items or ()]
    return len(rows) == 1 or (
        first.protocol is not None
        and len(same) == 1
        and len({row.evalset for row in rows}) == 1
        and all((row.items is None) == (first.items is None) for row in rows)
        and all(row.value is None and row.clusters is None for row in rows)
        and len(set(ids)) == len(ids)
    )


def _measured(
    rows: Sequence[EvidenceRow],
    roles: dict[str, str],
    criteria: Criteria,
    error: float,
) -> Measurement:
    first, role = rows[0], roles[rows[0].name]
    part = {key: part_text(value) for key, value in first.slice.items()}
    lang, norm = part.pop("lang", None), part.pop("norm", None)
    count, estimate, details = _counted(rows, error)
    judge = _judge(first.judge, criteria)
    if judge is not None and role.startswith("control:") and "units" in details:
        # The fault of a control is planted and known; its flags need no people to confirm them,
        # only more of them than the judge's false alarms explain.
        details["answers"] = details["units"]
    times = [row.time for row in rows]
    return Measurement(
        suite=first.suite or first.metric,
        metric=first.metric,
        model=role,
        model_digest=first.weights or first.name,
        lang=lang,
        norm=norm,
        count=count,
        estimate=estimate,
        cluster=first.cluster,
        judge=judge,
        details=details,
        slice=part,
        basis=EvidenceBasis(
            charter=first.charter, evalset=first.evalset, judge=first.judge, guard=first.guard,
            protocol=first.protocol,
            at=None if None in times else min(t for t in times if t is not None),
        ),
        derived_from=tuple(row.digest for row in rows),
        made_by=MadeBy(stage="release", parameters={"model": first.model}),
    )  # fmt: skip


def _judge(name: str | None, criteria: Criteria) -> Digest | None:
    """The digest of the judge's record; of one that the criteria do not know, its name."""
    if name is None:
        return None
    known = {n: j.record.digest for j in criteria.judges for n in (j.name, j.digest) if n}
    return known.get(name, name)


def _counted(
    rows: Sequence[EvidenceRow], error: float
) -> tuple[int | None, Estimate, dict[str, Any]]:
    """Hits, the estimate, and the details that criteria count by."""
    if rows[0].items is not None:
        return _by_items(rows, error)
    row = rows[0]
    if row.k is None:
        number = None if isinstance(row.value, str) else row.value
        return None, Estimate(value=number, interval=None, n=0), {"value": row.value}
    k, n, details = 0, 0, _labels(rows)
    for row in rows:
        out = row.contaminated if isinstance(row.contaminated, RowCounts) else RowCounts(k=0, n=0)
        k += (row.k or 0) - out.k
        n += (row.n or 0) - out.n
        details["excluded"] = details.get("excluded", 0) + out.n
    details |= {"units": n, "failed_units": k}
    if row.value is not None:
        details["value"] = row.value
    return k, stats.proportion(k, n, method="exact"), details


def _by_items(
    rows: Sequence[EvidenceRow], error: float
) -> tuple[int | None, Estimate, dict[str, Any]]:
    out = {item for row in rows if isinstance(row.contaminated, tuple) for item in row.contaminated}
    all_items = {item: value for row in rows for item, value in (row.items or {}).items()}
    items = {item: value for item, value in all_items.items() if item not in out}
    units = {item: (rows[0].clusters or {}).get(item, item) for item in items}
    details = _labels(rows, out, items, units) | {"items": items}
    details["excluded"] = len(set(all_items) & out)
    if rows[0].clusters is not None:
        details["clusters"] = units
    if set(items.values()) - {0.0, 1.0}:
        estimate = stats.bootstrap_mean(
            list(items.values()), clusters=list(units.values()), seed=SEED, level=1 - 2 * error,
            bounds=(0.0, 1.0),
        )  # fmt: skip
        return None, estimate, details
    k, n = stats.any_failure_per_cluster([v > 0 for v in items.values()], units.values())
    details |= {"units": n, "failed_units": k}
    return k, stats.proportion(k, n, method="exact"), details


def _labels(
    rows: Sequence[EvidenceRow],
    out: Set[str] = frozenset(),
    items: Mapping[str, float] | None = None,
    units: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """How many flagged units people confirmed and cleared, and which flags are named.

    Where a unit has several items, it is confirmed with one of them, and cleared with all its
    flagged ones. What was left out does not count.
    """
    found: dict[str, Any] = {"flagged": [i for r in rows for i in r.flagged if i not in out]}
    ids: dict[str, set[str]] = {}
    for key in ("confirmed", "cleared"):
        given = [getattr(row, key) for row in rows]
        ids[key] = {i for one in given if not isinstance(one, int) for i in one} - out
        found[f"{key}_units"] = sum(one for one in given if isinstance(one, int)) + len(ids[key])
    found["labelled"] = sorted(ids["confirmed"] | ids["cleared"])
    if rows[0].clusters is not None and items is not None and units is not None:
        hit = {
            units[item] for item, value in items.items() if value > 0 and item not in ids["cleared"]
        }
        found["confirmed_units"] = len({units[item] for item in ids["confirmed"]})
        found["cleared_units"] = len({units[item] for item in ids["cleared"]} - hit)
    return {key: value for key, value in found.items() if value}


def _left_out(measurement: Measurement) -> Iterator[Said]:
    if count := measurement.details.get("excluded"):
        told = {"metric": measurement.metric, "count": Number(count, "count")}
        yield Said("note.contaminated", told)
    if len(measurement.derived_from) > 1:
        told = {
            "metric": measurement.metric,
            "count": Number(len(measurement.derived_from), "count"),
        }
        yield Said("note.together", told)
