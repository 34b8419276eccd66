"""What axioms say: breaches and their witnesses, cycles, and how much a few voters matter."""

from __future__ import annotations

from typing import Any

from normwright.records.base import Frozen
from normwright.records.estimates import Estimate, Interval
from normwright.records.rankings import Ranking


class Witness(Frozen):
    """What exactly goes wrong: the profile, the outcome, the breach."""

    axiom: str
    detail: str
    data: dict[str, Any] = {}


class AxiomFinding(Frozen):
    """What came of looking for breaches of one axiom by one method."""

    axiom: str
    """Slug of the axiom."""
    method: str
    """Slug of the method."""
    rate: float | None
    """Share of breaches among what `counted` says; None where the search asks for the smallest
    breach, which has no rate, or where nothing could be counted."""
    interval: Interval | None
    """Of the rate; None without one. Its method is `all-tried` where nothing was left to chance."""
    n: int
    """What the rate is a share of, and for a search the changed profiles that were tried."""
    counted: str
    """In words: what n counts."""
    seed: int | None = None
    """Seed of what was drawn; None: nothing was."""
    exhaustive: bool
    """Whether everything was tried that the axiom speaks of. Only then does no witness mean that
    these ballots hold none."""
    witness: Witness | None = None
    """A breach on these very ballots; of those found by coalitions the smallest."""


class MajorityCycles(Frozen):
    """Whether majorities go round in circles, and how much it would take to break them."""

    smith: tuple[str, ...]
    """The smallest set whose members each beat everything outside it; one if there is a Condorcet
    winner."""
    condorcet_winner: str | None
    """What beats every other alternative."""
    has_winner: Estimate
    """Share of resamples of the voters in which there is a Condorcet winner."""
    cycle: tuple[str, ...] = ()
    """The strongest cycle, each beating the next and the last the first; empty: there is none."""
    weakest: tuple[str, str] | None = None
    """Its weakest majority: above, below."""
    margin: int | None = None
    """Voters by which that majority is ahead: no other cycle holds with more on its weakest."""
    share: float | None = None
    """The same as a share of the voters."""


class RuleDependence(Frozen):
    """How much of the outcome is the voters' and how much the method's."""

    winners: dict[str, tuple[str, ...]]
    """Slug of each method -> its winners."""
    leading: dict[str, tuple[str, ...]]
    """Slug of each method -> its first `top` places, the tie at the end whole."""
    top: int
    """How many places `leading` holds."""
    agreed: float | None
    """Share of pairs that all methods rank alike, ties as ties; None without pairs."""
    agreement: dict[str, dict[str, float]]
    """Share of pairs that two methods rank alike."""


class Perturbation(Frozen):
    """How far the outcome of one method hangs on a few voters, or on their weights."""

    change: str
    """`delete-1-percent` (drawn voters), `delete-most-active-1-percent` (those who rank most), or
    `reweight` (each voter counts for between one half and one and a half)."""
    method: str
    winners_change: Estimate
    """Share of trials in which the set of winners is another."""
    pairs_turned: Estimate
    """Mean share of pairs ranked the other way round."""


class Audit(Frozen):
    """What the axioms say about one profile: what a hostile reader would try, tried."""

    voters: int
    alternatives: int
    seed: int
    rounds: int
    """Resamples of the voters."""
    budget: float
    """Seconds that it might take, at the prices of methods by size; never the clock's."""
    rankings: tuple[Ranking, ...]
    """Of every method that takes these ballots."""
    cycles: MajorityCycles
    dependence: RuleDependence
    robust_core: tuple[tuple[str, str], ...]
    """Above, below: pairs that every method in `resampled` ranks so in at least `robust_at` of the
    resamples, all of them in the same resample."""
    robust_at: float = 0.95
    resampled: tuple[str, ...]
    """The methods that the robust core rests on."""
    findings: tuple[AxiomFinding, ...]
    perturbations: tuple[Perturbation, ...]
    left_out: dict[str, str] = {}
    """Slug of a method or axiom -> why it is not in the audit, or not in all of it. Nothing is left
    out without a word."""


class ViolationRate(Frozen):
    """One point of a curve: how often a method breaks an axiom on profiles of one population."""

    axiom: str
    method: str
    population: str
    over: str
    """What varies along the curve: `voters`, `alternatives`, or a parameter of the population."""
    value: float
    """Its value at this point."""
    voters: int
    alternatives: int
    rate: Estimate
    """Share of the profiles with a breach, with its Wilson interval; n is the profiles that the
    axiom could be asked about."""
    exhaustive: int
    """Profiles of which the answer is certain: a breach was found, or everything was tried. With
    fewer than n the rate is a lower bound."""
