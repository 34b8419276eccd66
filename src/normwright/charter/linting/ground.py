"""What every lint class looks at: the norms that hold, where they meet, and who beats whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import product
from typing import get_args

from normwright.charter.solving import Formula, Solver, Witness
from normwright.norms import NULL_ACT, Acts, Resolver, applies, evaluate, facts_of
from normwright.norms.contexts import HOLDING, valid_on
from normwright.norms.ranking import (
    PERMISSIVE,
    Contest,
    contest,
    exceeds_powers,
    names,
    rank,
    repeals,
)
from normwright.records import (
    Actor,
    Channel,
    Charter,
    Condition,
    Counterparty,
    FindingClass,
    Norm,
    Situation,
)

_ALL_COUNTERPARTIES = frozenset(get_args(Counterparty))


@dataclass(frozen=True)
class Setting:
    """Who acts, how, with whom and when; and the norms that stand there, facts apart."""

    bearer: Actor
    channel: Channel
    counterparty: Counterparty | None
    day: date | None
    standing: frozenset[int]


@dataclass(frozen=True)
class Clash:
    """A permissive and a restrictive norm that speak about the same acts."""

    permissive: int
    restrictive: int
    contest: Contest


class Ground:
    """A charter laid out for linting. Norms go by their place in the order of strength.

    Args:
        charter: a sound charter; norms that do not hold are left out.
        coverage: reference -> artefact -> whether it speaks for the norm; None: not known.
        languages: the languages findings are told in; None: the charter's.
    """

    def __init__(
        self,
        charter: Charter,
        *,
        coverage: Mapping[str, Mapping[str, bool]] | None = None,
        languages: tuple[str, ...] | None = None,
    ) -> None:
        self.charter = charter
        self.coverage = coverage
        self.vocabulary = charter.vocabulary
        self.languages = charter.languages if languages is None else languages
        self.acts = Acts(charter.vocabulary)
        held = (norm for norm in charter.norms if norm.status in HOLDING)
        self.norms = tuple(sorted(held, key=lambda n: (rank(n), n.id, n.version)))
        self.open: list[tuple[FindingClass, tuple[str, ...]]] = []
        """Questions that the solver's effort did not settle, by class and norms."""
        self._contests: dict[tuple[int, int], Contest] = {}
        self._possible: dict[int, bool] = {}
        self._implied: dict[tuple[int, int], bool | None] = {}

    @cached_property
    def solver(self) -> Solver:
        """The solver of the vocabulary; needs z3."""
        return Solver(self.vocabulary)

    @cached_property
    def below(self) -> Mapping[str, frozenset[str]]:
        """Every act -> itself and its kinds."""
        found: dict[str, set[str]] = {act: set() for act in self.acts.names}
        for act in self.acts.names:
            for general in self.acts.above(act):
                found.setdefault(general, set()).add(act)
        return {act: frozenset(kinds) for act, kinds in found.items()}

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """Every setting in which other norms stand than in those before it."""
        found: dict[frozenset[int], Setting] = {}
        for setting in self._every_setting():
            found.setdefault(setting.standing, setting)
        return tuple(found.values())

    @cached_property
    def where(self) -> tuple[frozenset[int], ...]:
        """For every norm, the settings it stands in, by their place."""
        return tuple(
            frozenset(i for i, s in enumerate(self.settings) if n in s.standing)
            for n in range(len(self.norms))
        )

    @cached_property
    def permissive(self) -> tuple[int, ...]:
        """Permissions, guarantees and exemptions."""
        kinds = PERMISSIVE | {"exemption"}
        return tuple(i for i, n in enumerate(self.norms) if n.kind in kinds)

    @cached_property
    def clashes(self) -> tuple[Clash, ...]:
        """Every pair of opposed norms that share an act and a setting; facts are not looked at."""
        pairs = (
            (p, f)
            for f, norm in enumerate(self.norms)
            for p in self._opponents(norm)
            if self.where[p] & self.where[f] and self.shared(p, f)
        )
        return tuple(Clash(p, f, self.contest(p, f)) for p, f in pairs)

    @cached_property
    def beaters(self) -> Mapping[int, tuple[int, ...]]:
        """Every restrictive norm -> the permissive ones that beat it where both hold."""
        found: dict[int, list[int]] = {}
        for clash in self.clashes:
            if clash.contest.permitted:
                found.setdefault(clash.restrictive, []).append(clash.permissive)
        return {f: tuple(sorted(ps)) for f, ps in found.items()}

    @cached_property
    def _met(self) -> Mapping[int, tuple[int, ...]]:
        met: dict[int, list[int]] = {}
        for clash in self.clashes:
            met.setdefault(clash.permissive, []).append(clash.restrictive)
            met.setdefault(clash.restrictive, []).append(clash.permissive)
        return {n: tuple(sorted(others)) for n, others in met.items()}

    @cached_property
    def _beats(self) -> Mapping[int, frozenset[int]]:
        beats: dict[int, set[int]] = {}
        for f, ps in self.beaters.items():
            for p in ps:
                beats.setdefault(p, set()).add(f)
        return {p: frozenset(fs) for p, fs in beats.items()}

    @cached_property
    def _kinds(self) -> Mapping[str, tuple[int, ...]]:
        kinds: dict[str, list[int]] = {}
        for i, norm in enumerate(self.norms):
            kinds.setdefault(norm.kind, []).append(i)
        return {kind: tuple(members) for kind, members in kinds.items()}

    @cached_property
    def resolver(self) -> Resolver:
        """The resolver of the charter."""
        return Resolver(self.charter)

    def meeting(self, index: int) -> tuple[int, ...]:
        """Return the opposed norms that share an act and a setting with a norm."""
        return self._met.get(index, ())

    def beaten_by(self, permissive: int) -> frozenset[int]:
        """Return the restrictive norms that a permissive one beats where both hold."""
        return self._beats.get(permissive, frozenset())

    def alike_in_kind(self, index: int) -> tuple[int, ...]:
        """Return the norms of the same kind, itself included."""
        return self._kinds[self.norms[index].kind]

    def possible(self, index: int) -> bool:
        """Whether a norm's condition can hold, as far as is settled."""
        if index not in self._possible:
            self._possible[index] = self.solver.possible(self.formula(index)) is not False
        return self._possible[index]

    def supports(self, index: int) -> bool:
        """Whether without a norm others would change: one it repeals, or a duty it makes wait."""
        norm = self.norms[index]
        return any(
            repeals(norm, other) or (other.kind == "obligation" and names(norm.reparation, other))
            for other in self.norms
            if other is not norm
        )

    def act_at_issue(self, index: int) -> str:
        """Return an act whose verdict a norm bears on: its own, or for a duty another."""
        norm = self.norms[index]
        duty = norm.kind in ("obligation", "exemption")
        return not_fulfilling(self, norm.act) if duty else norm.act

    def contest(self, p: int, f: int) -> Contest:
        """Return how a permissive norm fares against a restrictive one where both hold."""
        key = (p, f)
        if key not in self._contests:
            words = self.vocabulary
            self._contests[key] = contest(
                self.norms[p], self.norms[f], self.acts, words.facts, words.axioms
            )
        return self._contests[key]

    def formula(self, index: int) -> Formula:
        """Return a norm's condition as a formula."""
        return self.solver.formula(self.norms[index].condition)

    def implies(self, first: int, then: int) -> bool | None:
        """Return whether a norm's condition holds wherever another's does; None: not settled."""
        key = (first, then)
        if key not in self._implied:
            self._implied[key] = self.solver.implies(self.formula(first), self.formula(then))
        return self._implied[key]

    def shared(self, p: int, f: int) -> tuple[str, ...]:
        """Return the most general acts about which both norms speak; for a duty, its own act.

        An exemption speaks about a duty only if it exempts from everything the duty asks for.
        """
        one, other = self.norms[p], self.norms[f]
        if other.kind == "obligation":
            return (other.act,) if self.acts.covers(one.act, other.act) else ()
        if self.acts.covers(other.act, one.act):
            return (one.act,)
        if self.acts.covers(one.act, other.act):
            return (other.act,)
        common = self.below[one.act] & self.below[other.act]
        return tuple(a for a in sorted(common) if not common & (self.acts.above(a) - {a}))

    def beating(self, f: int, act: str, setting: Setting) -> tuple[int, ...]:
        """Return the permissive norms that beat a restrictive one for an act in a setting."""
        restrictive = self.norms[f]
        meant = restrictive.act if restrictive.kind == "obligation" else act
        return tuple(
            p
            for p in self.beaters.get(f, ())
            if p in setting.standing and self.acts.covers(self.norms[p].act, meant)
        )

    def owed(self, setting: Setting) -> Iterator[int]:
        """Yield the obligations that bind of themselves and at once in a setting.

        Not those that their own authority names as the reparation of a norm at least as strong, and
        not those with a deadline: acting otherwise meanwhile breaks none of these.
        """
        standing = [self.norms[i] for i in sorted(setting.standing)]
        naming = [n for n in standing if n.reparation]
        for i in sorted(setting.standing):
            norm = self.norms[i]
            if norm.kind != "obligation" or self.waits(i):
                continue
            if not any(
                names(n.reparation, norm)
                and rank(n) <= rank(norm)
                and n.authority == norm.authority
                for n in naming
            ):
                yield i

    def binds_anybody(self, index: int) -> bool:
        """Whether there is anybody at all whom a norm binds."""
        return bool(_frames(self.norms[index]))

    def waits(self, index: int) -> bool:
        """Whether a norm is an obligation that leaves time to fulfil it."""
        deadline = self.norms[index].deadline
        return deadline is not None and any(digit in deadline for digit in "123456789")

    def situation(
        self, setting: Setting, act: str, facts: Witness, feasible: Sequence[str] = (NULL_ACT,)
    ) -> Situation:
        """Return a situation to be put to `decide`."""
        return Situation(
            act=act,
            facts=facts,
            feasible=tuple(feasible),
            bearer=setting.bearer,
            channel=setting.channel,
            counterparty=setting.counterparty,
            time=setting.day,
        )

    def refs(self, indices: Iterable[int]) -> tuple[str, ...]:
        """Return the references of norms, sorted."""
        return tuple(sorted(self.norms[i].ref for i in indices))

    def _opponents(self, norm: Norm) -> Iterator[int]:
        wanted = {"prohibition": PERMISSIVE, "obligation": {"exemption"}}.get(norm.kind, ())
        return (p for p in self.permissive if self.norms[p].kind in wanted)

    def _every_setting(self) -> Iterator[Setting]:
        named = any(not set(n.counterparty) >= _ALL_COUNTERPARTIES for n in self.norms)
        counterparties: tuple[Counterparty | None, ...] = (
            tuple(get_args(Counterparty)) if named else (None,)
        )
        alike = _alike(self.norms)
        days = self._days()
        repealed = {day: self._repealed(day) for day in days}
        for bearer, channel, counterparty, day in product(
            get_args(Actor), get_args(Channel), counterparties, days
        ):
            asked = Situation(
                act=NULL_ACT, bearer=bearer, channel=channel, counterparty=counterparty, time=day
            )
            standing = {
                i
                for group in alike
                if applies(self.norms[group[0]], asked)
                and (counterparty is None or counterparty in self.norms[group[0]].counterparty)
                for i in group
            }
            yield Setting(bearer, channel, counterparty, day, frozenset(standing - repealed[day]))

    def _days(self) -> tuple[date | None, ...]:
        """The days on which what is valid changes, and the day before the first of them."""
        ends = {d for n in self.norms for d in (n.valid_from, n.valid_to) if d is not None}
        if not ends:
            return (None,)
        return (min(ends) - timedelta(days=1), *sorted(ends))

    def _repealed(self, day: date | None) -> set[int]:
        valid = [i for i, n in enumerate(self.norms) if valid_on(n, day)]
        newer = [self.norms[i] for i in valid if self.norms[i].supersedes]
        return {i for i in valid if any(repeals(n, self.norms[i]) for n in newer)}


def within(ground: Ground, inner: int, outer: int) -> bool | None:
    """Return whether one norm speaks only about what the other does; None: not settled.

    Its act is a kind of the other's (for an exemption: the very act of the duty), its condition
    implies the other's, and it binds nobody whom the other does not.
    """
    one, other = ground.norms[inner], ground.norms[outer]
    if other.kind == "obligation":
        acts = one.act == other.act
    else:
        acts = ground.acts.covers(other.act, one.act)
    if not acts or not _frames(one) <= _frames(other):
        return False
    return ground.implies(inner, outer)


def shown(ground: Ground, kind: FindingClass, p: int, f: int) -> Situation | None:
    """Return a situation in which two opposed norms both hold and no third decides between them.

    Put to `decide`, one of them is among the defeated by the other, unless the restrictive one is a
    duty with a deadline: that is among the duties. None: there is no such situation, or, noted in
    `ground.open`, none was found with the effort.
    """
    settled = True
    wins = ground.contest(p, f).permitted
    for number in sorted(ground.where[p] & ground.where[f]):
        setting = ground.settings[number]
        for act in ground.shared(p, f):
            # Of several norms that beat another, the first in order is the one that is cited.
            others = [q for q in ground.beating(f, act, setting) if q < p or (q > p and not wins)]
            facts = ground.solver.check(
                ground.formula(p), ground.formula(f), *(~ground.formula(q) for q in others)
            )
            if isinstance(facts, dict):
                duty = ground.norms[f].kind == "obligation"
                asked = not_fulfilling(ground, act) if duty else act
                return ground.situation(setting, asked, facts)
            settled = settled and facts is None
    if not settled:
        ground.open.append((kind, ground.refs((p, f))))
    return None


def claimed(one: Norm, other: Norm) -> bool:
    """Whether one of two norms expressly supersedes the other without the power to."""
    return exceeds_powers(one, other) or exceeds_powers(other, one)


def horizontal(one: Norm, other: Norm) -> bool:
    """Whether two norms come from different authorities of one layer."""
    return one.layer == other.layer and one.authority != other.authority


def needed(conditions: Iterable[Condition], facts: Witness) -> Witness:
    """Return the facts of a witness without those that none of the conditions needs.

    Taken out one by one in the order of their names while all conditions still come out true, so
    that what is told to people says only what matters.
    """
    asked = tuple(conditions)
    mentioned = frozenset[str]().union(*(facts_of(c) for c in asked))
    kept = {name: value for name, value in facts.items() if name in mentioned}
    for name in sorted(kept):
        fewer = {other: value for other, value in kept.items() if other != name}
        if all(evaluate(condition, fewer) is True for condition in asked):
            kept = fewer
    return kept


def not_fulfilling(ground: Ground, owed: str) -> str:
    """Return an act that leaves a duty undone: doing nothing, unless that is what is owed."""
    acts = (NULL_ACT, *ground.acts.names)
    return next((act for act in acts if not ground.acts.covers(owed, act)), NULL_ACT)


def _frames(norm: Norm) -> frozenset[tuple[str, str, str]]:
    actors = {
        actor
        for actor in norm.bearer.actor
        for channel in norm.scope.channels
        if applies(
            norm.model_copy(update={"valid_from": None, "valid_to": None}),
            Situation(act=NULL_ACT, bearer=actor, channel=channel),
        )
    }
    return frozenset(product(actors, norm.scope.channels, norm.counterparty))


def _alike(norms: Sequence[Norm]) -> list[list[int]]:
    """Norms grouped by all that decides where they stand."""
    groups: dict[object, list[int]] = {}
    for i, norm in enumerate(norms):
        key = (norm.bearer, norm.scope.channels, norm.counterparty, norm.valid_from, norm.valid_to)
        groups.setdefault(key, []).append(i)
    return list(groups.values())
