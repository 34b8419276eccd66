"""The audit of one profile: what a hostile reader would try on it, tried for every method."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from normwright import plugins
from normwright.aggregate import prices
from normwright.aggregate.axioms import search
from normwright.aggregate.axioms.changes import standing_first, voter_rows
from normwright.aggregate.axioms.clones import independent, with_clone
from normwright.aggregate.axioms.clones import told as told_copy
from normwright.aggregate.axioms.iia import deletion, reversals
from normwright.aggregate.axioms.iia import told as told_deletion
from normwright.aggregate.election import Election, Inapplicable, Ints, spread
from normwright.aggregate.majority import condorcet_winner, smith_set, strongest_paths
from normwright.aggregate.methods import Method, Order, levels_of
from normwright.aggregate.ranking import ranking_of
from normwright.records import (
    Audit,
    AxiomFinding,
    Interval,
    MajorityCycles,
    Perturbation,
    RuleDependence,
)
from normwright.stats import bootstrap_mean, proportion, wilson

Answer = TypeVar("Answer")
Progress = Callable[[int, int, str], None]

ROBUST = 0.95
"""Share of resamples from which a pair that every method ranks alike is in the robust core."""
TOP = 5
"""Places that are compared between methods."""
SEARCHED = ("coalition-monotonicity", "participation", "strategy-proofness")
"""Axioms of which the smallest breach is looked for."""
RESAMPLED_AXIOMS = ("condorcet", "condorcet-loser", "majority", "pareto", "smith")
"""Axioms that speak of one profile: their rate is a share of resamples."""
TRIALS = 20
"""Times, at most, that voters are deleted, or weighted anew."""
MOST = 2000
"""Changed profiles that a method is asked about at most."""
LEAST = 12
"""With fewer than so many it is asked about none: what was not found would say nothing."""
_ONCE, _AGAIN, _TRIED, _CHANGED, _COUNTED = 0.1, 0.4, 0.1, 0.5, 0.3
"""Parts of the budget: for one ranking, resamples, perturbations, changed profiles."""


@dataclass(frozen=True)
class _Subject:
    """A method under audit."""

    slug: str
    method: Method
    order: Order
    again: bool
    """Whether it is asked about resamples."""
    trials: int
    """Times that voters are deleted, or weighted anew."""
    changes: int
    """Changed profiles it is asked about at most."""


class _Refusals:
    """Ballots made from these to which a method does not apply, as a model does not where voters
    that link alternatives were not drawn. They are counted and told, and no breach.
    """

    def __init__(self) -> None:
        self.told: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """Method -> of what ballots -> how many."""

    def order(self, subject: _Subject, election: Election, of: str) -> Order | None:
        """Return the method's order; None, and noted, where it does not apply."""
        return self.answer(subject, of, lambda: subject.method(election))

    def answer(self, subject: _Subject, of: str, ask: Callable[[], Answer]) -> Answer | None:
        """Return what came of asking; None, and noted, where the method does not apply."""
        try:
            return ask()
        except Inapplicable:
            self.told[subject.slug][of] += 1
            return None

    def added_to(self, left_out: Mapping[str, str]) -> dict[str, str]:
        """Return what is left out, with what was refused."""
        made = dict(left_out)
        for slug, of in self.told.items():
            why = "does not apply to " + ", ".join(f"{n} of the {what}" for what, n in of.items())
            made[slug] = f"{made[slug]}; {why}" if slug in made else why
        return made


def audit(
    election: Election,
    *,
    methods: Sequence[str] | None = None,
    seed: int,
    rounds: int = 200,
    budget: float = 30.0,
    progress: Progress | None = None,
) -> Audit:
    """Return what the axioms say about these ballots, for each method, with all that was left out.

    Nothing depends on the clock: how often a method is asked follows from the budget and from what
    it costs by size (`prices`), so that the same ballots, seed and budget give the same audit on
    any machine.

    Args:
        election: the ballots of one electorate.
        methods: slugs; None: all that are registered.
        seed: seed of all that is drawn.
        rounds: resamples of the voters.
        budget: seconds it may take, on the machine the prices were measured on.
        progress: told how many steps are done, of how many, and which comes next.

    Raises:
        PluginError: if there is no such method, naming those there are.
        Inapplicable: if no method takes these ballots, or there is no voter or no alternative.
    """
    if not election.voters or not election.alternatives:
        seen = f"{election.voters} voters and {len(election.alternatives)} alternatives"
        raise Inapplicable.because("audit", "at least one voter and one alternative", seen)
    names = [card.name for card in plugins.cards("methods")] if methods is None else list(methods)
    given = replace(election, pairwise=election.wins)
    rounds, trials, counted = _counted(given, rounds, budget)
    subjects, left_out = _subjects(given, names, rounds=rounds, trials=trials, budget=budget)
    left_out |= counted
    total = 2 + len(subjects)
    steps = iter(range(total))
    refused = _Refusals()

    def told(what: str) -> None:
        if progress is not None:
            progress(next(steps), total, what)

    told("resamples")
    drawn = _resampled(given, subjects, refused, seed=seed, rounds=rounds)
    findings: list[AxiomFinding] = []
    for subject in subjects:
        told(subject.slug)
        findings += drawn.findings(given, subject, seed)
        findings += _changed_profiles(given, subject, refused, seed=seed)
    told("fewer voters, other weights")
    shifts = tuple(_perturbed(given, subjects, refused, seed=seed)) if drawn.rounds else ()
    if progress is not None:
        progress(total, total, "")
    left_out = refused.added_to(left_out | _unasked(given))
    return Audit(
        voters=given.voters,
        alternatives=len(given.alternatives),
        seed=seed,
        rounds=drawn.rounds,
        budget=budget,
        rankings=tuple(ranking_of(given, s.order, method=s.slug) for s in subjects),
        cycles=_cycles(given, drawn.winners, drawn.rounds, seed),
        dependence=_dependence(given, subjects),
        robust_core=drawn.core(given),
        robust_at=ROBUST,
        resampled=tuple(s.slug for s in subjects if s.again) if drawn.rounds else (),
        findings=tuple(findings),
        perturbations=shifts,
        left_out=left_out,
    )


def _counted(election: Election, rounds: int, budget: float) -> tuple[int, int, dict[str, str]]:
    """How many resamples and trials there is time to count the pairs of, and what is left out."""
    if not len(election.orders):
        return rounds, TRIALS, {}
    m, rows = len(election.alternatives), len(election.orders)
    once = prices.counting(alternatives=m, rows=rows)
    fewer = min(rounds, int(budget * _COUNTED / once))
    fewer = fewer if fewer >= LEAST else 0
    trials = min(TRIALS, int(budget * _TRIED / (len(_CHANGES) * once)))
    why = f"counting {m} alternatives in {rows} different ballots costs about {once:.2g} s"
    told = {}
    if fewer < rounds:
        told["resamples"] = f"{why}: {fewer} of {rounds} drawn"
    if trials < TRIALS:
        told["perturbations"] = f"{why}: {trials} trials of {TRIALS}"
    return fewer, trials, told


def _subjects(
    election: Election, names: Sequence[str], *, rounds: int, trials: int, budget: float
) -> tuple[list[_Subject], dict[str, str]]:
    """The methods that take these ballots with what each may be asked, and why others do not."""
    m, rows = len(election.alternatives), len(election.counts)
    price = {name: prices.seconds(name, alternatives=m, rows=rows) for name in names}
    orders: dict[str, Order] = {}
    left_out: dict[str, str] = {}
    for name in names:
        method: Method = plugins.get("methods", name)
        if price[name] > budget * _ONCE:
            left_out[name] = f"{_costs(price[name], m)}: not asked"
            continue
        try:
            orders[name] = method(election)
        except Inapplicable as refused:
            left_out[name] = str(refused)
    if not orders:
        raise Inapplicable.because(
            "audit", "at least one method that takes these ballots",
            "; ".join(f"{name}: {why}" for name, why in left_out.items()) or "no method",
        )  # fmt: skip
    asked = {name: price[name] for name in orders}
    again = prices.afforded(asked, budget * _AGAIN, times=rounds)
    tried = prices.shared(asked, budget * _TRIED, most=len(_CHANGES) * trials)
    changes = prices.shared(asked, budget * _CHANGED, most=MOST)
    subjects = []
    for name, order in orders.items():
        whole = name in again
        few = changes[name] < LEAST
        subject = _Subject(
            name, plugins.get("methods", name), order, whole,
            tried[name] // len(_CHANGES), 0 if few else changes[name],
        )  # fmt: skip
        subjects.append(subject)
        lacks = [] if whole else ["resamples"]
        lacks += ["changed ballots"] if few else []
        lacks += [] if subject.trials else ["perturbations"]
        if lacks:
            left_out[name] = f"{_costs(price[name], m)}: not asked about {', '.join(lacks)}"
    return subjects, left_out


def _costs(price: float, alternatives: int) -> str:
    return f"ranking {alternatives} alternatives once costs about {price:.2g} s"


def _unasked(election: Election) -> dict[str, str]:
    """What cannot be asked of such ballots, and why."""
    votes = ("clones", *SEARCHED)
    if not len(election.orders):
        why = "only pairs are known, not who voted how"
        return dict.fromkeys(("resamples", "perturbations", "majority", *votes), why)
    if election.bundles is not None:
        why = "it speaks of voters of one ballot each, and these gave several orders each"
        return dict.fromkeys(("majority", *votes), why)
    return {}


# --- resamples -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Drawn:
    """What every method said about resamples of the voters."""

    rounds: int
    winners: int
    """Resamples with a Condorcet winner."""
    alike: NDArray[np.int64]
    """Resamples in which every method ranks i above j, shape (m, m)."""
    breaches: Mapping[tuple[str, str], tuple[int, int]]
    """Axiom and method -> resamples with a breach, and resamples the axiom speaks of."""

    def core(self, election: Election) -> tuple[tuple[str, str], ...]:
        """The pairs of the robust core, above and below."""
        if not self.rounds:
            return ()
        # Whole numbers decide: 95 % of 200 are 190.
        sure = self.alike * 100 >= round(ROBUST * 100) * self.rounds
        label = election.alternatives
        return tuple((label[i], label[j]) for i, j in np.argwhere(sure).tolist())

    def findings(self, election: Election, subject: _Subject, seed: int) -> list[AxiomFinding]:
        """How often a method broke the axioms that speak of one profile."""
        made = []
        for axiom in RESAMPLED_AXIOMS:
            try:
                found = search(axiom, lambda _: subject.order, election, seed=seed).witness
            except Inapplicable:
                continue
            hits, of = self.breaches.get((axiom, subject.slug), (0, 0))
            made.append(
                AxiomFinding(
                    axiom=axiom,
                    method=subject.slug,
                    rate=hits / of if of else None,
                    interval=wilson(hits, of) if of else None,
                    n=of,
                    counted="resamples of the voters of which the axiom speaks",
                    seed=seed,
                    exhaustive=True,
                    witness=found,
                )
            )
        return made


def _resampled(
    election: Election,
    subjects: Sequence[_Subject],
    refused: _Refusals,
    *,
    seed: int,
    rounds: int,
) -> _Drawn:
    m = len(election.alternatives)
    asked = [s for s in subjects if s.again]
    alike = np.zeros((m, m), dtype=np.int64)
    breaches: dict[tuple[str, str], tuple[int, int]] = {}
    winners = 0
    if not len(election.orders):
        return _Drawn(0, 0, alike, breaches)
    for one in election.resamples(np.random.default_rng([seed, 1]), rounds):
        spoken = _spoken(one)
        winners += spoken.winner is not None
        above = np.ones((m, m), dtype=np.bool_)
        for subject in asked:
            order = refused.order(subject, one, "resamples")
            if order is None:
                # What a method does not rank it ranks like no other.
                above[:] = False
                continue
            level = levels_of(order.tiers, m)
            above &= level[:, None] < level[None, :]
            for axiom, broken in spoken.breaches(order).items():
                hits, of = breaches.get((axiom, subject.slug), (0, 0))
                breaches[axiom, subject.slug] = (hits + broken, of + 1)
        alike += above if asked else 0
    return _Drawn(rounds, winners, alike, breaches)


@dataclass(frozen=True)
class _Spoken:
    """What the axioms ask of one profile."""

    winner: int | None
    loser: int | None
    smith: frozenset[int] | None
    """None: everything is in it."""
    majority: int | None
    dominated: NDArray[np.bool_] | None
    """What everybody puts below one and the same other; None: nothing."""

    def breaches(self, order: Order) -> dict[str, bool]:
        """Whether the winners break what is asked, axiom by axiom that speaks of the profile."""
        first = order.tiers[0]
        told: dict[str, bool] = {}
        if self.winner is not None:
            told["condorcet"] = first != (self.winner,)
        if self.loser is not None:
            told["condorcet-loser"] = self.loser in first
        if self.smith is not None:
            told["smith"] = not self.smith.issuperset(first)
        if self.majority is not None:
            told["majority"] = first != (self.majority,)
        if self.dominated is not None:
            told["pareto"] = bool(self.dominated[list(first)].any())
        return told


def _spoken(election: Election) -> _Spoken:
    margins = election.margins
    smith = smith_set(margins)
    below = (election.wins == election.voters).any(axis=0)
    return _Spoken(
        winner=condorcet_winner(margins),
        loser=condorcet_winner(-margins) if len(margins) > 1 else None,
        smith=frozenset(smith) if len(smith) < len(margins) else None,
        majority=_majority(election),
        dominated=below if below.any() else None,
    )


def _majority(election: Election) -> int | None:
    if election.bundles is not None or int(election.counts.sum()) != election.voters:
        return None
    ahead = np.flatnonzero(2 * standing_first(election) > election.voters)
    return int(ahead[0]) if ahead.size else None


# --- cycles, and how far methods differ ------------------------------------------------------


def _cycles(election: Election, winners: int, rounds: int, seed: int) -> MajorityCycles:
    label, margins = election.alternatives, election.margins
    best = condorcet_winner(margins)
    cycle = strongest_cycle(margins)
    weakest: tuple[int, int] | None = None
    if cycle:
        edges = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
        weakest = min(edges, key=lambda edge: (int(margins[edge]), edge))
    ahead = None if weakest is None else int(margins[weakest])
    return MajorityCycles(
        smith=tuple(label[a] for a in smith_set(margins)),
        condorcet_winner=None if best is None else label[best],
        has_winner=proportion(winners, rounds).model_copy(update={"seed": seed}),
        cycle=tuple(label[a] for a in cycle),
        weakest=None if weakest is None else (label[weakest[0]], label[weakest[1]]),
        margin=ahead,
        share=None if ahead is None or not election.voters else ahead / election.voters,
    )


def strongest_cycle(margins: Ints) -> tuple[int, ...]:
    """Return the majority cycle whose weakest link is strongest, a shortest one; empty: none.

    Each beats the next, and the last the first. Strength is the least margin in it; O(m^3).
    """
    ahead = np.maximum(margins, 0)
    closed = np.minimum(ahead, strongest_paths(ahead).T)
    if not closed.size or closed.max() <= 0:
        return ()
    least = int(closed.max())
    links = margins >= least
    cycles = (_path(links, int(to), int(start)) for start, to in np.argwhere(closed == least))
    return min(cycles, key=lambda path: (len(path), path))


def _path(links: NDArray[np.bool_], start: int, end: int) -> tuple[int, ...]:
    """A shortest path along links, both ends in it."""
    before = {start: start}
    reached = [start]
    while end not in before:
        found = []
        for one in reached:
            for other in np.flatnonzero(links[one]).tolist():
                if other not in before:
                    before[other] = one
                    found.append(other)
        reached = found
    path = [end]
    while path[-1] != start:
        path.append(before[path[-1]])
    return tuple(reversed(path))


def _dependence(election: Election, subjects: Sequence[_Subject]) -> RuleDependence:
    m, label = len(election.alternatives), election.alternatives
    above = np.triu_indices(m, 1)
    signs = {}
    for subject in subjects:
        level = levels_of(subject.order.tiers, m)
        signs[subject.slug] = np.sign(level[:, None] - level[None, :])[above]
    stacked = np.stack(list(signs.values()))
    pairs = stacked.shape[1]
    same = (stacked == stacked[0]).all(axis=0)
    return RuleDependence(
        winners={s.slug: tuple(sorted(label[a] for a in s.order.tiers[0])) for s in subjects},
        leading={s.slug: _leading(s.order, label) for s in subjects},
        top=TOP,
        agreed=float(same.mean()) if pairs else None,
        agreement={
            one: {other: float((signs[one] == signs[other]).mean()) for other in signs}
            for one in signs
        }
        if pairs
        else {},
    )


def _leading(order: Order, label: Sequence[str]) -> tuple[str, ...]:
    made: list[str] = []
    for tier in order.tiers:
        if len(made) >= TOP:
            break
        made += sorted(label[a] for a in tier)
    return tuple(made)


# --- changed profiles ------------------------------------------------------------------------


def _changed_profiles(
    election: Election, subject: _Subject, refused: _Refusals, *, seed: int
) -> Iterator[AxiomFinding]:
    """What leaving out, copying, lifting, staying at home and lying do, each with its part."""
    if not subject.changes:
        return
    budget = subject.changes
    rng = np.random.default_rng([seed, 2, *subject.slug.encode()])
    if len(election.alternatives) > 2:
        yield from _deletions(election, subject, refused, rng, seed, max(1, budget // 5))
    if election.bundles is not None or not len(election.orders):
        return
    ballots = voter_rows(election, "audit")
    yield from _copies(ballots, subject, refused, rng, seed, max(1, budget // 10))
    for axiom in SEARCHED:
        found = _searched(axiom, ballots, subject, refused, seed, max(4, budget // 5))
        if found is not None:
            yield found


def _searched(
    axiom: str, election: Election, subject: _Subject, refused: _Refusals, seed: int, limit: int
) -> AxiomFinding | None:
    """The smallest breach found; None where the search met ballots the method does not take."""
    found = refused.answer(
        subject,
        f"searches, that for breaches of {axiom}",
        lambda: search(axiom, subject.method, election, seed=seed, limit=limit),
    )
    if found is None:
        return None
    return AxiomFinding(
        axiom=axiom,
        method=subject.slug,
        rate=None,
        interval=None,
        n=found.tried,
        counted="changed profiles tried",
        seed=None if found.exhaustive else seed,
        exhaustive=found.exhaustive,
        witness=found.witness,
    )


def _deletions(
    election: Election,
    subject: _Subject,
    refused: _Refusals,
    rng: np.random.Generator,
    seed: int,
    limit: int,
) -> Iterator[AxiomFinding]:
    """How many pairs turn around when another alternative is left out, and the worst case."""
    m = len(election.alternatives)
    asked = (
        refused.answer(
            subject,
            "deletions of an alternative",
            partial(deletion, subject.method, election, subject.order, gone),
        )
        for gone in _some(m, rng, limit)
    )
    found = [one for one in asked if one is not None]
    if not found:
        return
    worst = max(found, key=lambda one: (len(one.pairs), -one.gone))
    turned = [len(one.pairs) / one.compared if one.compared else 0.0 for one in found]
    value = float(np.mean(turned))
    whole = len(found) == m
    sampled = bootstrap_mean(turned, seed=seed, bounds=(0.0, 1.0))
    yield AxiomFinding(
        axiom="iia",
        method=subject.slug,
        rate=value,
        interval=_all_tried(value) if whole else sampled.interval,
        n=len(found),
        counted="alternatives left out; the rate is the mean share of pairs of others that turn",
        seed=None if whole else seed,
        exhaustive=whole,
        witness=told_deletion(election, subject.order, worst) if worst.pairs else None,
    )


def _copies(
    election: Election,
    subject: _Subject,
    refused: _Refusals,
    rng: np.random.Generator,
    seed: int,
    limit: int,
) -> Iterator[AxiomFinding]:
    """How many alternatives have a copy, right below or right above everywhere, that matters."""
    m = len(election.alternatives)
    below, over = np.zeros_like(election.counts), election.counts
    hits, tried, seen = 0, 0, None
    for original in _some(m, rng, limit):
        answered = 0
        for above in (below, over):
            after = with_clone(election, original, above.tolist())
            again = refused.order(subject, after, "copies of an alternative")
            if again is None:
                continue
            answered += 1
            if not independent(subject.order, again, original, m):
                hits += 1
                seen = seen or told_copy(election, subject.order, original, after, again)
                break
        tried += answered > 0
    if not tried:
        return
    whole = tried == m
    yield AxiomFinding(
        axiom="clones",
        method=subject.slug,
        rate=hits / tried,
        interval=_all_tried(hits / m) if whole else wilson(hits, tried),
        n=tried,
        counted="alternatives copied, the copy right below on every ballot, then right above",
        seed=None if whole else seed,
        # Voters who differ in where they put the copy are not tried.
        exhaustive=False,
        witness=seen,
    )


def _some(m: int, rng: np.random.Generator, limit: int) -> list[int]:
    return list(range(m)) if m <= limit else sorted(rng.choice(m, limit, replace=False).tolist())


def _all_tried(value: float) -> Interval:
    """Nothing was drawn: on these ballots the rate is what it is."""
    return Interval(low=value, high=value, method="all-tried")


# --- fewer voters, other weights ---------------------------------------------------------------


def _perturbed(
    election: Election, subjects: Sequence[_Subject], refused: _Refusals, *, seed: int
) -> Iterator[Perturbation]:
    """How often the winners change, and pairs turn around, when a few voters go or weights vary."""
    asked = [s for s in subjects if s.trials]
    m = len(election.alternatives)
    most = max((s.trials for s in asked), default=0)
    before = {s.slug: levels_of(s.order.tiers, m) for s in asked}
    for change, drawn in _CHANGES.items():
        rng = np.random.default_rng([seed, 3, *change.encode()])
        moved: dict[str, list[tuple[bool, float]]] = {s.slug: [] for s in asked}
        for number, drawing in enumerate(drawn(election, rng, most)):
            after = replace(drawing, pairwise=drawing.wins)
            for subject in (s for s in asked if number < s.trials):
                order = refused.order(subject, after, f"trials of {change}")
                if order is None:
                    continue
                was, now = before[subject.slug], levels_of(order.tiers, m)
                compared = max(1, int((was[:, None] < was[None, :]).sum()))
                turned = float(reversals(was, now).sum()) / compared
                other = set(order.tiers[0]) != set(subject.order.tiers[0])
                moved[subject.slug].append((other, turned))
        for slug, told in moved.items():
            if told:
                hits = sum(other for other, _ in told)
                shares = bootstrap_mean([t for _, t in told], seed=seed, bounds=(0.0, 1.0))
                yield Perturbation(
                    change=change,
                    method=slug,
                    winners_change=proportion(hits, len(told)).model_copy(update={"seed": seed}),
                    pairs_turned=shares,
                )


def _voters(election: Election) -> Ints:
    return election.counts if election.bundles is None else election.bundles.counts


def _given_by(election: Election, voters: Ints) -> Election:
    """The election of other numbers of the same voters."""
    bundles = election.bundles
    counts = voters if bundles is None else spread(bundles, voters, len(election.counts))
    return replace(election.with_counts(counts), electorate=int(voters.sum()))


def _fewer(election: Election, rng: np.random.Generator, trials: int) -> Iterator[Election]:
    """One in a hundred voters, at least one, is drawn and left out."""
    voters = _voters(election)
    total = int(voters.sum())
    kept = total - max(1, total // 100)
    if kept < 1:
        return
    for _ in range(trials):
        yield _given_by(election, rng.multivariate_hypergeometric(voters, kept, method="marginals"))


def _less_active(election: Election, rng: np.random.Generator, trials: int) -> Iterator[Election]:
    """One in a hundred voters, at least one, is left out: those who rank most, ties drawn.

    Nothing where all rank equally much: who is active is then not known.
    """
    voters = _voters(election)
    if election.bundles is None:
        activity = (election.orders >= 0).sum(axis=1)
    else:
        activity = np.diff(election.bundles.starts)
    present = activity[voters > 0]
    if not present.size or present.min() == present.max():
        return
    for _ in range(trials):
        left = max(1, int(voters.sum()) // 100)
        fewer = voters.copy()
        order = np.lexsort((rng.random(len(voters)), -activity))
        for row in order.tolist():
            gone = min(left, int(fewer[row]))
            fewer[row] -= gone
            left -= gone
            if not left:
                break
        if fewer.sum() > 0:
            yield _given_by(election, fewer)


def _reweighted(election: Election, rng: np.random.Generator, trials: int) -> Iterator[Election]:
    """Each voter has a weight drawn evenly from 50, 51 and so on to 150, of hundredths."""
    voters = _voters(election)
    starts = np.concatenate([[0], np.cumsum(voters)])
    for _ in range(trials):
        sums = np.concatenate([[0], np.cumsum(rng.integers(50, 151, size=int(starts[-1])))])
        yield _given_by(election, np.diff(sums[starts]))


_CHANGES: dict[str, Callable[[Election, np.random.Generator, int], Iterator[Election]]] = {
    "delete-1-percent": _fewer,
    "delete-most-active-1-percent": _less_active,
    "reweight": _reweighted,
}
