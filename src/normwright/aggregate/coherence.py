"""Whether majority verdicts on linked statements can all stand: the discursive dilemma, and mends.

Three judges who are each consistent can make a majority that is not (Kornhauser and Sager, Yale Law
Journal 96, 1986; List and Pettit, Economics and Philosophy 18, 2002). Norms that are enacted
statement by statement run into it whenever they are linked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normwright import __version__
from normwright.aggregate.logic import Clauses, Solver, conflicts, propositions_of, shrunk
from normwright.aggregate.profile import Profile
from normwright.records import (
    Coherence,
    Dilemma,
    Estimate,
    Fault,
    InputError,
    Judgement,
    MadeBy,
    Repair,
)
from normwright.stats import proportion

Ints = NDArray[np.int64]

HALF = Fraction(1, 2)
FEW = 10
"""With fewer voters nothing is said of how sure it is that verdicts can stand."""


def coherence(
    profile: Profile,
    constraints: Sequence[Any],
    *,
    quota: Fraction = HALF,
    premises: Sequence[str] = (),
    seed: int,
    rounds: int = 200,
    limit: int = 1000,
) -> Coherence:
    """Return whether the majority's verdicts on linked statements can all stand.

    A statement is accepted if its agreements are more than `quota` of its agreements and
    disagreements, rejected if its disagreements are; else it is open, and so is one that nobody
    judged. Passes and missing votes count for neither. Only statements that stand in a link matter.

    Links are data: a statement, or one operator over statements or other formulas: `not`, `all`,
    `any`, `implies`, `equivalent`, `excludes` (at most one holds), `at-least-one`, `exactly-one`.

    ```yaml
    - {implies: [ask-first, tell-who-asks]}
    - {equivalent: [liable, {all: [contract, breach]}]}
    ```

    Repairs by distance are all consistent sets of verdicts with the least sum of margins against
    them, which is the median or Kemeny rule for judgements (Nehring and Pivato, Journal of Economic
    Theory 145, 2010; Endriss, Grandi and Porello, Journal of AI Research 45, 2012), found exactly.
    Where margins are 0 a majority has no verdict and nothing is flipped. Repair by premises takes
    the majority's verdicts on the premises and what follows from them (List and Pettit, 2002).

    Args:
        profile: votes of one electorate; an agreement accepts a statement.
        constraints: the links.
        quota: share of agreements that a verdict must exceed, at least one half.
        premises: statements that decide the others; none: no repair by premises.
        seed: seed of the resampling.
        rounds: number of resamples of the voters.
        limit: minimal conflicts and repairs that are listed at most; the record says if there are
            more.

    Raises:
        InputError: with every fault there is: unknown operators or statements, links that exclude
            each other, a quota outside [1/2, 1).
    """
    agenda = _Agenda.of(profile, constraints, quota, premises)
    margins, verdicts = agenda.margins, agenda.verdicts(agenda.counts)
    sets, complete = conflicts(agenda.solver, verdicts, limit=limit)
    links = _Links(agenda.clauses)
    repairs, all_repairs = _by_distance(agenda, limit)
    individuals, whole = _individuals(agenda)
    return Coherence(
        made_by=MadeBy(
            stage="aggregate",
            version=__version__,
            seed=seed,
            parameters={"rounds": rounds, "limit": limit, "premises": list(premises)},
        ),
        constraints=tuple(constraints),
        quota=str(quota),
        voters=int(agenda.people.sum()),
        judgements=tuple(agenda.judgement(j) for j in range(len(agenda.names))),
        consistent=agenda.solver.solve(verdicts) is not None,
        dilemmas=tuple(_dilemma(agenda, links, one, margins) for one in sets),
        all_dilemmas=complete,
        repairs=repairs,
        all_repairs=all_repairs,
        premises=_by_premises(agenda, premises) if premises else None,
        individuals=individuals,
        individuals_whole=whole,
        inconsistent=_resampled(agenda, seed, rounds),
    )


@dataclass(frozen=True, eq=False)
class _Agenda:
    """Linked statements, the judgements of people on them, and the links as clauses."""

    names: tuple[str, ...]
    patterns: NDArray[np.int8]
    """Judgements that somebody gave, 1 accepts, -1 rejects, 0 neither; shape (patterns, m)."""
    people: Ints
    """How many gave each, shape (patterns,)."""
    quota: Fraction
    clauses: Clauses
    solver: Solver
    constraints: tuple[Any, ...]

    @classmethod
    def of(
        cls,
        profile: Profile,
        constraints: Sequence[Any],
        quota: Fraction,
        premises: Sequence[str],
    ) -> _Agenda:
        faults = []
        if not HALF <= quota < 1:
            faults.append(Fault(
                where="quota", expected="a share from 1/2 to below 1", seen=str(quota),
                do="With less, a statement and its denial could both be accepted.",
            ))  # fmt: skip
        try:
            Clauses.of(constraints, profile.statements, where="link")
        except InputError as error:
            faults += error.faults
            raise InputError(faults) from None
        linked = {p for one in constraints for p in propositions_of(one)}
        for premise in premises:
            if premise not in linked:
                faults.append(
                    Fault(where="premises", expected="statements of a link", seen=repr(premise))
                )
        names = tuple(s for s in profile.statements if s in linked)
        clauses = Clauses.of(constraints, names, where="link")
        solver = Solver(clauses.clauses, clauses.last)
        if solver.solve() is None:
            faults.append(Fault(
                where="links", expected="links that can all hold",
                seen="links that exclude each other: " + ", ".join(
                    str(n + 1) for n in _Links(clauses).needed([])
                ),
            ))  # fmt: skip
        if faults:
            raise InputError(faults)
        judged = _judged(profile, names)
        judged = judged[(judged != 0).any(axis=1)]
        # Without links there is no column, and rows without columns cannot be told apart.
        patterns, people = (
            np.unique(judged, axis=0, return_counts=True)
            if judged.size
            else (judged[:0], np.zeros(0, dtype=np.int64))
        )
        return cls(
            names, patterns, people.astype(np.int64), quota, clauses,
            solver, tuple(constraints),
        )  # fmt: skip

    @property
    def counts(self) -> Ints:
        """Agreements and disagreements with each statement, shape (2, m)."""
        return self.counts_of(self.people)

    def counts_of(self, people: Ints) -> Ints:
        """Return agreements and disagreements where so many gave each pattern, shape (2, m)."""
        sides = (self.patterns == 1, self.patterns == -1)
        return np.stack([people @ side.astype(np.int64) for side in sides])

    @property
    def margins(self) -> Ints:
        """Agreements less disagreements, shape (m,)."""
        agree, disagree = self.counts
        difference: Ints = agree - disagree
        return difference

    def verdicts(self, counts: Ints) -> list[int]:
        """Return the majority's verdicts as literals; open statements have none."""
        top, bottom = self.quota.numerator, self.quota.denominator
        agree, disagree = counts
        needed = top * (agree + disagree)
        accepted, rejected = agree * bottom > needed, disagree * bottom > needed
        return [
            j + 1 if accepted[j] else -(j + 1)
            for j in range(len(self.names))
            if accepted[j] or rejected[j]
        ]

    def judgement(self, j: int) -> Judgement:
        agree, disagree = (int(side[j]) for side in self.counts)
        held = self.verdicts(self.counts)
        verdict = "accepted" if j + 1 in held else "rejected" if -(j + 1) in held else "open"
        return Judgement(
            statement=self.names[j],
            agree=agree,
            disagree=disagree,
            open=int(self.people.sum()) - agree - disagree,
            verdict=verdict,  # type: ignore[arg-type]
            support=proportion(agree, agree + disagree),
        )

    def named(self, literals: Sequence[int]) -> dict[str, bool]:
        return {self.names[abs(one) - 1]: one > 0 for one in sorted(literals, key=abs)}


def _judged(profile: Profile, names: Sequence[str]) -> NDArray[np.int8]:
    """What each participant says of some statements: 1, -1, or 0 for neither; a row a person."""
    place = np.full(len(profile.statements), -1, dtype=np.int64)
    place[[profile.statements.index(name) for name in names]] = range(len(names))
    columns = place[profile.columns]
    table = np.zeros((len(profile.participants), len(names)), dtype=np.int8)
    kept = columns >= 0
    table[profile.rows[kept], columns[kept]] = profile.values[kept]
    return table


class _Links:
    """The links with a switch each, to tell which of them a conflict needs."""

    def __init__(self, clauses: Clauses) -> None:
        first = clauses.last + 1
        self.switches = {number: first + number for number in sorted(set(clauses.owner))}
        switched = (
            (*clause, -self.switches[number])
            for clause, number in zip(clauses.clauses, clauses.owner, strict=True)
        )
        self.solver = Solver(switched, first + max(self.switches, default=-1))

    def needed(self, literals: Sequence[int]) -> list[int]:
        """Numbers of links that suffice to exclude literals together, none of them idle."""
        kept = list(self.switches)
        for number in self.switches:
            fewer = [n for n in kept if n != number]
            if self.solver.solve([*literals, *(self.switches[n] for n in fewer)]) is None:
                kept = fewer
        return kept


def _dilemma(agenda: _Agenda, links: _Links, literals: frozenset[int], margins: Ints) -> Dilemma:
    sizes = {abs(one): abs(int(margins[abs(one) - 1])) for one in literals}
    least = min(sizes.values(), default=0)
    return Dilemma(
        verdicts=agenda.named(list(literals)),
        constraints=tuple(links.needed(sorted(literals))),
        weakest=tuple(agenda.names[v - 1] for v in sorted(sizes) if sizes[v] == least),
        margin=least,
    )


def _by_distance(agenda: _Agenda, limit: int) -> tuple[tuple[Repair, ...], bool]:
    """Every consistent set of verdicts against which the margins add up to the least.

    Verdicts to give up are a hitting set of the conflicts: the cheapest one is found, and where
    verdicts still cannot stand without it, that shows a conflict it missed (Davies and Bacchus,
    Solving MAXSAT by solving a sequence of simpler SAT instances, 2011).
    """
    margins = agenda.margins
    held = [j + 1 if m > 0 else -(j + 1) for j, m in enumerate(margins) if m != 0]
    weights = [abs(int(margins[abs(one) - 1])) for one in held]
    known: list[list[int]] = []
    past: list[list[int]] = []
    repairs: list[Repair] = []
    best: int | None = None
    while (given_up := _cheapest(len(held), weights, known, past)) is not None:
        cost = sum(weights[k] for k in given_up)
        if best is not None and cost > best:
            break
        kept = [one for k, one in enumerate(held) if k not in given_up]
        if agenda.solver.solve(kept) is None:
            missed = shrunk(agenda.solver, kept)
            known.append([k for k, one in enumerate(held) if one in missed])
            continue
        if len(repairs) == limit:
            return tuple(repairs), False
        best = cost
        repairs.append(_repair(agenda, held, given_up, cost))
        # As every margin is above 0, another of the same cost holds on to one of these.
        if not given_up:
            break
        past.append(given_up)
    return tuple(sorted(repairs, key=lambda r: r.flipped)), True


def _repair(agenda: _Agenda, held: list[int], given_up: list[int], cost: int) -> Repair:
    turned = [-one if k in given_up else one for k, one in enumerate(held)]
    settled: dict[str, bool | None] = dict.fromkeys(agenda.names)
    settled.update(agenda.named(turned))
    for j, name in enumerate(agenda.names):
        if settled[name] is None:
            settled[name] = _follows(agenda.solver, turned, j + 1)
    flipped = tuple(agenda.names[abs(held[k]) - 1] for k in given_up)
    return Repair(rule="distance", verdicts=settled, flipped=flipped, cost=cost)


def _cheapest(
    n: int,
    weights: Sequence[int],
    conflicts: Sequence[Sequence[int]],
    past: Sequence[Sequence[int]],
) -> list[int] | None:
    """The set of least weight that takes something of each conflict, and not all of any past set.

    None where there is no such set.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    if not conflicts and not past:
        return []
    rows = np.zeros((len(conflicts) + len(past), n))
    low, high = np.zeros(len(rows)), np.full(len(rows), float(n))
    for i, conflict in enumerate(conflicts):
        rows[i, list(conflict)] = 1
        low[i] = 1
    for i, given_up in enumerate(past, start=len(conflicts)):
        rows[i, list(given_up)] = 1
        high[i] = len(given_up) - 1
    found = milp(
        np.array(weights, dtype=np.float64),
        integrality=np.ones(n, dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(rows, low, high),
        options={"mip_rel_gap": 0.0},
    )
    if found.status == 2:
        return None
    if not found.success:
        raise ArithmeticError(f"the solver failed on a program with a solution: {found.message}")
    return [int(k) for k in np.flatnonzero(np.rint(found.x) > 0)]


def _by_premises(agenda: _Agenda, premises: Sequence[str]) -> Repair | None:
    """The majority's verdicts on the premises and all that follows from them."""
    numbers = {agenda.names.index(p) + 1 for p in premises}
    majority = agenda.verdicts(agenda.counts)
    held = [one for one in majority if abs(one) in numbers]
    if agenda.solver.solve(held) is None:
        return None
    verdicts = {name: _follows(agenda.solver, held, j + 1) for j, name in enumerate(agenda.names)}
    by_majority = agenda.named(majority)
    flipped = [
        j
        for j, name in enumerate(agenda.names)
        if verdicts[name] is not None
        and verdicts[name] == (not by_majority.get(name, verdicts[name]))
    ]
    return Repair(
        rule="premises",
        verdicts=verdicts,
        flipped=tuple(agenda.names[j] for j in flipped),
        cost=int(np.abs(agenda.margins[flipped]).sum()),
    )


def _follows(solver: Solver, held: Sequence[int], variable: int) -> bool | None:
    """Whether literals make a statement true, make it false, or leave it open."""
    if solver.solve([*held, -variable]) is None:
        return True
    return False if solver.solve([*held, variable]) is None else None


def _individuals(agenda: _Agenda) -> tuple[Estimate, Estimate]:
    """Share of people whose own judgements can all stand: of all, and of those who gave all."""
    sound = np.array([_stands(agenda.solver, row) for row in agenda.patterns], dtype=np.bool_)
    whole = (agenda.patterns != 0).all(axis=1)
    people = agenda.people
    return (
        proportion(int(people[sound].sum()), int(people.sum())),
        proportion(int(people[sound & whole].sum()), int(people[whole].sum())),
    )


def _stands(solver: Solver, row: NDArray[np.int8]) -> bool:
    literals = [(j + 1) * int(v) for j, v in enumerate(row) if v]
    return solver.solve(literals) is not None


def _resampled(agenda: _Agenda, seed: int, rounds: int) -> Estimate:
    """Share of resamples of the voters whose verdicts cannot all stand."""
    voters = int(agenda.people.sum())
    if voters < FEW or not rounds:
        # So few, drawn again, are nearly themselves: what is least sure would look certain.
        return Estimate(value=None, interval=None, n=0, seed=seed)
    rng = np.random.default_rng([seed, 5])
    known: dict[tuple[int, ...], bool] = {}
    failed = 0
    for people in rng.multinomial(voters, agenda.people / voters, size=rounds):
        verdicts = tuple(agenda.verdicts(agenda.counts_of(people.astype(np.int64))))
        if verdicts not in known:
            known[verdicts] = agenda.solver.solve(verdicts) is None
        failed += known[verdicts]
    return proportion(failed, rounds).model_copy(update={"seed": seed})
