"""The resolver's verdict as a formula: over every assignment of facts, known or not, at once.

For each fact there is its value and whether it is known; a condition is true if it is so under
what is known, false if it is so, and unknown otherwise (strong Kleene). For each alternative there
is whether it can be done. What an act breaks, what it may break, and how two acts compare follow
`norms.profiles` line by line, so that a formula that cannot be satisfied is a proof about every
situation of a place, whatever is feasible in it. Every satisfying assignment is put back to the
resolver itself; the tests compare both on every situation of small charters.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias, get_args

from normwright.charter.amending.frames import Frame
from normwright.charter.solving import Solver, domain_of
from normwright.norms import NULL_ACT, facts_of
from normwright.norms.axioms import COMPLETIONS
from normwright.norms.profiles import Entry
from normwright.norms.specificity import linked
from normwright.records import Condition, DecisionVerdict, FactType, MissingExtra, Vocabulary

Term: TypeAlias = Any
"""A z3 expression."""

VERDICTS: tuple[DecisionVerdict, ...] = get_args(DecisionVerdict)


def z3() -> Any:
    """Return the solver's module.

    Raises:
        MissingExtra: if it is not installed.
    """
    try:
        import z3 as module
    except ImportError as error:
        raise MissingExtra("proofs about norms (z3)", "lint") from error
    return module


Stretch: TypeAlias = tuple[int | None, int | None]
"""First and last number of a stretch of values; None where it has no end."""


def cut(fact: FactType, starts: Iterable[int]) -> tuple[Stretch, ...]:
    """Return the stretches of a fact's values that begin at some numbers, or at its lowest."""
    low, high = domain_of(fact)
    inside = sorted({s for s in starts if (low is None or s > low) and (high is None or s <= high)})
    if fact.type in ("bool", "enum") and low is not None and high is not None:
        inside = list(range(low + 1, high + 1))
    return tuple(zip((low, *inside), (*(s - 1 for s in inside), high), strict=True))


def _inside(low: int | None, high: int | None) -> int:
    if low is not None:
        return low
    return 0 if high is None else high


class Facts:
    """Facts as z3 variables: their value, and whether it is known.

    Args:
        vocabulary: facts and their domains; axioms are not read here.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.z3 = z3()
        self._always, self._never = self.z3.BoolVal(True), self.z3.BoolVal(False)
        self.solver = Solver(vocabulary.model_copy(update={"axioms": ()}))
        self.types = {fact.name: fact for fact in vocabulary.facts}
        self._completed: dict[Any, tuple[Term, Term] | None] = {}
        self._truths: dict[tuple[Condition, bool], Term] = {}

    def variable(self, fact: str) -> Term:
        """The value of a fact."""
        return self.solver.variable(fact)

    def laws(self) -> list[Term]:
        """The bounds of all facts."""
        return self.solver.laws()

    def every(self, *terms: Term) -> Term:
        """That all of these hold."""
        return self._joined(terms, True)

    def some(self, *terms: Term) -> Term:
        """That one of these holds."""
        return self._joined(terms, False)

    def no(self, term: Term) -> Term:
        """That this does not hold."""
        if term is self._always or term is self._never:
            return self.constant(term is self._never)
        return self.z3.Not(term)

    def constant(self, value: bool) -> Term:
        """A term that always, or never, holds."""
        return self._always if value else self._never

    def _joined(self, terms: Iterable[Term], neutral: bool) -> Term:
        # The two constants are one object each: asking z3 what a term is costs more than the rest.
        empty, stop = self.constant(neutral), self.constant(not neutral)
        kept = [term for term in terms if term is not empty]
        if any(term is stop for term in kept):
            return stop
        if len(kept) < 2:
            return kept[0] if kept else empty
        return self.z3.And(kept) if neutral else self.z3.Or(kept)

    def known(self, fact: str) -> Term:
        """That the fact is known."""
        return self.z3.Bool(f"known {fact}")

    def can(self, act: str) -> Term:
        """That the act can be done."""
        return self.z3.Bool(f"feasible {act}")

    def true(self, condition: Condition) -> Term:
        """That a condition is true under what is known."""
        return self._of(condition, True)

    def false(self, condition: Condition) -> Term:
        """That a condition is false under what is known."""
        return self._of(condition, False)

    def actual(self, condition: Condition) -> Term:
        """That a condition holds, known or not."""
        return self.solver.formula(condition).expression

    def completed(
        self, condition: Condition, axioms: Sequence[Condition]
    ) -> tuple[Term, Term] | None:
        """Return that a condition is true, and false, however unknown facts can turn out.

        None if there are more ways than the resolver goes through.
        """
        key = (condition, tuple(axioms))
        if key not in self._completed:
            self._completed[key] = self._all_ways(condition, axioms)
        return self._completed[key]

    def ways(self, condition: Condition, axioms: Sequence[Condition]) -> int:
        """Return in how many ways the facts can turn out that bear on a condition."""
        bearing, _ = linked(axioms, facts_of(condition))
        return math.prod(map(len, self._cuts(condition, bearing).values()))

    def _cuts(
        self, condition: Condition, axioms: Sequence[Condition]
    ) -> dict[str, tuple[Stretch, ...]]:
        cuts: dict[str, set[int]] = {}
        for one in (condition, *axioms):
            for name, starts in self.solver.formula(one).starts.items():
                cuts.setdefault(name, set()).update(starts)
        return {name: cut(self.types[name], starts) for name, starts in cuts.items()}

    def _all_ways(
        self, condition: Condition, axioms: Sequence[Condition]
    ) -> tuple[Term, Term] | None:
        if self.ways(condition, axioms) > COMPLETIONS:
            return None
        bearing, _ = linked(axioms, facts_of(condition))
        asked = self.solver.formula(condition)
        laws = [self.solver.formula(axiom) for axiom in bearing]
        cuts = self._cuts(condition, bearing)
        ways: dict[bool, list[Term]] = {True: [], False: []}
        for chosen in itertools.product(*cuts.values()):
            point = {n: _inside(low, high) for n, (low, high) in zip(cuts, chosen, strict=True)}
            if all(law.test(point) for law in laws):
                fits = self.every(*(
                    self.some(self.no(self.known(name)), self.within(name, *stretch))
                    for name, stretch in zip(cuts, chosen, strict=True)
                ))  # fmt: skip
                ways[asked.test(point)].append(fits)
        return self.no(self.some(*ways[False])), self.no(self.some(*ways[True]))

    def within(self, name: str, low: int | None, high: int | None) -> Term:
        """That the value of a fact lies between two ends."""
        term = self.variable(name)
        if self.types[name].type == "bool":
            return term if low else self.no(term)
        if low is not None and low == high:
            return term == low
        limits = [] if low is None else [term >= low]
        limits += [] if high is None else [term <= high]
        return self.every(*limits)

    def _of(self, condition: Condition, wanted: bool) -> Term:
        key = (condition, wanted)
        if key not in self._truths:
            self._truths[key] = self._made(condition, wanted)
        return self._truths[key]

    def _made(self, condition: Condition, wanted: bool) -> Term:
        if condition.all is not None:
            join = self.every if wanted else self.some
            return join(*(self._of(part, wanted) for part in condition.all))
        if condition.any is not None:
            join = self.some if wanted else self.every
            return join(*(self._of(part, wanted) for part in condition.any))
        if condition.negate is not None:
            return self._of(condition.negate, not wanted)
        if condition.fact is not None:
            holds = self.actual(condition)
            known = self.known(condition.fact)
            return self.every(known, holds if wanted else self.no(holds))
        return self.constant(wanted)


class Against(NamedTuple):
    """One norm that stands, or may stand, against an act."""

    entry: Entry
    broken: Term
    pending: Term
    """That it is unknown whether it is broken."""
    loose: Term
    """That it is broken, and a permissive norm of unknown condition would lift it."""
    assumed: Term
    """That it is broken although it may turn out not to apply."""
    refused: Term
    """That it is pending and says to deny then."""


Profile: TypeAlias = dict[int, Against]
"""By norm, what one act breaks."""


class Verdicts:
    """The verdicts of one charter in one place, as formulas.

    Args:
        facts: the variables.
        frame: what the charter holds there.
    """

    def __init__(self, facts: Facts, frame: Frame) -> None:
        self._facts = facts
        self._frame = frame
        self._z3 = facts.z3
        self._seen: dict[str, Profile] = {}
        self._truths: dict[int, tuple[Term, Term]] = {}
        self.unsettled: set[int] = set()
        """Norms of which the formula may leave unknown what an axiom settles."""

    def of(self, request: str, alternatives: Sequence[str]) -> dict[DecisionVerdict, Term]:
        """Return, for every verdict, that it is the one on `request`.

        Args:
            request: the act.
            alternatives: acts that may be feasible besides it and the null act; `Facts.can` says
                whether each is.
        """
        never = self._facts.constant(False)
        found = dict.fromkeys(VERDICTS, never)
        if not self._frame.may_be_done(request):
            return {**found, "deny": self._facts.constant(True)}
        others = [
            (act, self._facts.constant(True) if act == NULL_ACT else self._facts.can(act))
            for act in (NULL_ACT, *alternatives)
            if act != request and self._frame.may_be_done(act)
        ]
        return {**found, **self._verdicts(request, others)}

    def _verdicts(
        self, request: str, others: Sequence[tuple[str, Term]]
    ) -> dict[DecisionVerdict, Term]:
        and_, or_, not_ = self._facts.every, self._facts.some, self._facts.no
        own = self._profile(request)
        profiles = [(act, can, self._profile(act)) for act, can in others]
        clean = not_(self._any(own, "broken"))
        way_out = or_(*(and_(can, not_(self._any(p, "broken"))) for _, can, p in profiles))
        firm = or_(*(and_(a.broken, not_(a.loose)) for a in own.values()))
        stuck = and_(not_(clean), not_(way_out))
        unsure = or_(self._unsure(own), *(and_(can, self._unsure(p)) for _, can, p in profiles))
        least = self._dilemma(request, own, profiles)
        alone = and_(*(or_(not_(can), self._surely(own, p)) for _, can, p in profiles))
        worse = or_(*(and_(can, self._surely(p, own)) for _, can, p in profiles))
        told = or_(
            and_(clean, self._any(own, "pending")),
            and_(not_(clean), way_out, not_(firm)),
            and_(stuck, unsure, not_(alone), not_(worse)),
        )
        refused, settled = self._any(own, "refused"), and_(stuck, not_(unsure))
        return {
            "allow": and_(clean, not_(self._any(own, "pending"))),
            "deny": or_(and_(not_(clean), way_out, firm), and_(told, refused)),
            "ask": and_(told, not_(refused)),
            "necessity": or_(and_(settled, least["necessity"]), and_(stuck, unsure, alone)),
            "deny-dilemma": or_(
                and_(settled, least["deny-dilemma"]), and_(stuck, unsure, not_(alone), worse)
            ),
            "dilemma-inaction": and_(settled, least["dilemma-inaction"]),
            "dilemma-choice": and_(settled, least["dilemma-choice"]),
        }

    def _dilemma(
        self, request: str, own: Profile, profiles: Sequence[tuple[str, Term, Profile]]
    ) -> dict[DecisionVerdict, Term]:
        and_, or_, not_ = self._facts.every, self._facts.some, self._facts.no
        compared = [(act, can, self._ordered(_broken(p), _broken(own))) for act, can, p in profiles]
        worse = or_(*(and_(can, less) for _, can, (less, _) in compared))
        tied = or_(*(and_(can, equal) for _, can, (_, equal) in compared))
        idle = or_(
            self._facts.constant(request == NULL_ACT),
            *(and_(can, equal) for act, can, (_, equal) in compared if act == NULL_ACT),
        )
        return {
            "deny-dilemma": worse,
            "necessity": and_(not_(worse), not_(tied)),
            "dilemma-inaction": and_(not_(worse), tied, idle),
            "dilemma-choice": and_(not_(worse), tied, not_(idle)),
        }

    def _surely(self, p: Profile, q: Profile) -> Term:
        """That the worst `p` may break is less grave than the least that `q` breaks for certain."""
        worst = [(a.entry, self._facts.some(a.broken, a.pending)) for a in p.values()]
        never = self._facts.no
        sure = [
            (a.entry, self._facts.every(a.broken, never(a.loose), never(a.assumed)))
            for a in q.values()
        ]
        return self._ordered(worst, sure)[0]

    def _unsure(self, profile: Profile) -> Term:
        return self._facts.some(*(self._any(profile, w) for w in ("pending", "loose", "assumed")))

    def _any(self, profile: Profile, which: str) -> Term:
        return self._facts.some(*(getattr(against, which) for against in profile.values()))

    def _ordered(
        self, p: Iterable[tuple[Entry, Term]], q: Iterable[tuple[Entry, Term]]
    ) -> tuple[Term, Term]:
        """Compare two multisets of breaches, rank before severity (leximax).

        Severities of a rank, gravest first, compare as tuples exactly as their counts do, gravest
        first. What both sides share counts on neither.
        """
        and_, or_ = self._facts.every, self._facts.some
        levels: dict[tuple[int, int], tuple[dict[int, Term], dict[int, Term]]] = {}
        for side, entries in ((0, p), (1, q)):
            for entry, term in entries:
                level = levels.setdefault((entry.strength, -entry.norm.severity), ({}, {}))
                level[side][entry.index] = term
        less, equal = self._facts.constant(False), self._facts.constant(True)
        for _, (mine, theirs) in sorted(levels.items(), reverse=True):
            shared = [i for i in mine if i in theirs and mine[i].eq(theirs[i])]
            left = [t for i, t in mine.items() if i not in shared]
            right = [t for i, t in theirs.items() if i not in shared]
            fewer, same = self._counted(left, right)
            less, equal = or_(fewer, and_(same, less)), and_(same, equal)
        return less, equal

    def _counted(self, left: list[Term], right: list[Term]) -> tuple[Term, Term]:
        and_, or_, not_ = self._facts.every, self._facts.some, self._facts.no
        if not left:
            return or_(*right), not_(or_(*right))
        if not right:
            return self._facts.constant(False), not_(or_(*left))
        if len(left) == len(right) == 1:
            return and_(not_(left[0]), right[0]), left[0] == right[0]
        one, none = self._z3.IntVal(1), self._z3.IntVal(0)
        counts = [self._z3.Sum([self._z3.If(t, one, none) for t in ts]) for ts in (left, right)]
        return counts[0] < counts[1], counts[0] == counts[1]

    def _profile(self, act: str) -> Profile:
        if act not in self._seen:
            self._seen[act] = {
                entry.index: self._against(entry, lifting)
                for entry, lifting in self._frame.against(act)
            }
        return self._seen[act]

    def _against(self, entry: Entry, lifting: Sequence[Entry]) -> Against:
        and_, or_, not_ = self._facts.every, self._facts.some, self._facts.no
        true, unknown = self._truth(entry)
        truths = [self._truth(one) for one in lifting]
        stands = not_(or_(*(t for t, _ in truths)))
        assumed = self._facts.constant(self._frame.assumed(entry))
        if entry.norm.maintain is not None:
            stands = and_(stands, not_(self._facts.false(entry.norm.maintain)))
            assumed = or_(assumed, not_(self._facts.true(entry.norm.maintain)))
        told = self._frame.told_of_unknown(entry)
        broken, pending = and_(true, stands), and_(unknown, stands)
        never = self._facts.constant(False)
        return Against(
            entry=entry,
            broken=broken,
            pending=never if told == "allow" else pending,
            loose=and_(broken, or_(*(u for _, u in truths))),
            assumed=and_(broken, assumed),
            refused=pending if told == "deny" else never,
        )

    def _truth(self, entry: Entry) -> tuple[Term, Term]:
        """That a norm's condition is true here, and that it is unknown."""
        if entry.index not in self._truths:
            true, false = self._settled(entry)
            not_ = self._facts.no
            if self._frame.certain(entry):
                self._truths[entry.index] = true, self._facts.every(not_(true), not_(false))
            else:
                self._truths[entry.index] = self._facts.constant(False), not_(false)
        return self._truths[entry.index]

    def _settled(self, entry: Entry) -> tuple[Term, Term]:
        """That a condition is true, and that it is false, in all that the axioms leave possible."""
        condition = entry.norm.condition
        plain = self._facts.true(condition), self._facts.false(condition)
        if not entry.axiomatic:
            return plain
        found = self._facts.completed(condition, self._frame.axioms)
        if found is None:
            self.unsettled.add(entry.index)
            return plain
        return found


def _broken(profile: Profile) -> list[tuple[Entry, Term]]:
    return [(against.entry, against.broken) for against in profile.values()]
