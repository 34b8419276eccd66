"""The resolver's verdict as a formula: over every assignment of facts, known or not, at once.

For each fact there is its value and whether it is known; a condition is true if it is so under
what is known, false if it is so, and unknown otherwise (strong Kleene). For each alternative there
is whether it can be done. What an act breaks, what it may break, and how two acts compare follow
`norms.profiles` line by line, so that a formula that cannot be satisfied is a proof about every
situation of a place, whatever is feasible in it. Every satisfying assignment is put back to the
resolver itself; the tests compare both on every situation of small charters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, get_args

from normwright.charter.amending.frames import Frame
from normwright.charter.solving import Solver
from normwright.norms import NULL_ACT
from normwright.norms.profiles import Entry
from normwright.records import Condition, DecisionVerdict, MissingExtra, Vocabulary

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


class Facts:
    """Facts as z3 variables: their value, and whether it is known.

    Args:
        vocabulary: facts and their domains; axioms are not read here.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.z3 = z3()
        self.solver = Solver(vocabulary.model_copy(update={"axioms": ()}))
        self.names = tuple(fact.name for fact in vocabulary.facts)
        self._truths: dict[tuple[Condition, bool], Term] = {}

    def variable(self, fact: str) -> Term:
        """The value of a fact."""
        return self.solver._names[fact]

    def laws(self) -> list[Term]:
        """The bounds of all facts."""
        return list(self.solver._solver.assertions())

    def every(self, *terms: Term) -> Term:
        """That all of these hold."""
        return self._joined(terms, True)

    def some(self, *terms: Term) -> Term:
        """That one of these holds."""
        return self._joined(terms, False)

    def no(self, term: Term) -> Term:
        """That this does not hold."""
        if self.z3.is_true(term) or self.z3.is_false(term):
            return self.constant(self.z3.is_false(term))
        return term.arg(0) if self.z3.is_not(term) else self.z3.Not(term)

    def constant(self, value: bool) -> Term:
        """A term that always, or never, holds."""
        return self.z3.BoolVal(value)

    def _joined(self, terms: Iterable[Term], neutral: bool) -> Term:
        drop, stop = (
            (self.z3.is_true, self.z3.is_false) if neutral else (self.z3.is_false, self.z3.is_true)
        )
        kept = [term for term in terms if not drop(term)]
        if any(stop(term) for term in kept):
            return self.constant(not neutral)
        if len(kept) < 2:
            return kept[0] if kept else self.constant(neutral)
        return self.z3.And(*kept) if neutral else self.z3.Or(*kept)

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


@dataclass(frozen=True)
class Broken:
    """What one act breaks (z3 terms), by norm."""

    terms: dict[int, tuple[Entry, Term, Term, Term]] = field(default_factory=dict)
    """Index -> the norm, that it is broken, that it may be broken, that it may yet fall away."""


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
        self._seen: dict[str, Broken] = {}

    def of(self, request: str, alternatives: Sequence[str]) -> dict[DecisionVerdict, Term]:
        """Return, for every verdict, that it is the one on `request`.

        Args:
            request: the act.
            alternatives: acts that may be feasible besides it and the null act; `Facts.can` says
                whether each is.
        """
        never = self._facts.constant(False)
        found = dict.fromkeys(VERDICTS, never)
        if not self._frame.reading.may_be_done(request):
            return {**found, "deny": self._facts.constant(True)}
        others = [
            (act, self._facts.constant(True) if act == NULL_ACT else self._facts.can(act))
            for act in (NULL_ACT, *alternatives)
            if act != request and self._frame.reading.may_be_done(act)
        ]
        return {**found, **self._verdicts(request, others)}

    def _verdicts(
        self, request: str, others: Sequence[tuple[str, Term]]
    ) -> dict[DecisionVerdict, Term]:
        and_, or_, not_ = self._facts.every, self._facts.some, self._facts.no
        own = self._profile(request)
        clean, pending = not_(self._any(own, 0)), self._any(own, 1)
        profiles = [(act, can, self._profile(act)) for act, can in others]
        way_out = or_(*(and_(can, not_(self._any(p, 0))) for _, can, p in profiles))
        firm = or_(*(and_(b, not_(loose)) for _, b, _, loose in own.terms.values()))
        stuck = and_(not_(clean), not_(way_out))
        unsure = or_(
            self._any(own, 1), self._any(own, 2),
            *(and_(can, or_(self._any(p, 1), self._any(p, 2))) for _, can, p in profiles),
        )  # fmt: skip
        least = self._dilemma(request, own, profiles)
        best_alone = and_(
            *(or_(not_(can), self._compared(own, p, best=False)[0]) for _, can, p in profiles)
        )
        worse = or_(*(and_(can, self._compared(p, own, best=False)[0]) for _, can, p in profiles))
        told = or_(
            and_(clean, pending),
            and_(not_(clean), way_out, not_(firm)),
            and_(stuck, unsure, not_(best_alone), not_(worse)),
        )
        refused = or_(
            *(p for e, _, p, _ in own.terms.values() if e.norm.on_unknown == "deny")
        )
        settled = and_(stuck, not_(unsure))
        return {
            "allow": and_(clean, not_(pending)),
            "deny": or_(and_(not_(clean), way_out, firm), and_(told, refused)),
            "ask": and_(told, not_(refused)),
            "necessity": or_(
                and_(settled, least["necessity"]), and_(stuck, unsure, best_alone)
            ),
            "deny-dilemma": or_(
                and_(settled, least["deny-dilemma"]),
                and_(stuck, unsure, not_(best_alone), worse),
            ),
            "dilemma-inaction": and_(settled, least["dilemma-inaction"]),
            "dilemma-choice": and_(settled, least["dilemma-choice"]),
        }

    def _dilemma(
        self, request: str, own: Broken, profiles: Sequence[tuple[str, Term, Broken]]
    ) -> dict[DecisionVerdict, Term]:
        and_, or_, not_ = self._facts.every, self._facts.some, self._facts.no
        compared = [(act, can, self._compared(p, own)) for act, can, p in profiles]
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

    def _compared(self, p: Broken, q: Broken, *, best: bool | None = None) -> tuple[Term, Term]:
        """That `p` is less grave than `q`, and that both are equally grave.

        By default what is broken is compared, which is all there is where nothing is unknown. With
        `best=False`, the worst that `p` may break against the least that `q` breaks for certain.
        """
        if best is None:
            return self._ordered(_terms(p, 0), _terms(q, 0))
        worst = [(e, self._facts.some(broken, pending)) for e, broken, pending, _ in p.terms.values()]
        sure = [
            (e, self._facts.every(broken, self._facts.no(loose)))
            for e, broken, _, loose in q.terms.values()
        ]
        return self._ordered(worst, sure)

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

    def _truth(self, entry: Entry) -> tuple[Term, Term]:
        """That a norm's condition is true here, and that it is unknown."""
        and_, not_ = self._facts.every, self._facts.no
        true, false = (
            self._facts.true(entry.norm.condition), self._facts.false(entry.norm.condition)
        )  # fmt: skip
        if self._frame.certain(entry):
            return true, and_(not_(true), not_(false))
        return self._facts.constant(False), not_(false)

    def _profile(self, act: str) -> Broken:
        if act not in self._seen:
            self._seen[act] = self._made(act)
        return self._seen[act]

    def _made(self, act: str) -> Broken:
        found: dict[int, tuple[Entry, Term, Term, Term]] = {}
        permitting = self._frame.permitting(act)
        for f in self._frame.forbidding(act):
            lifting = [p for p in permitting if self._frame.reading.beats(p, f)]
            found[f.index] = (f, *self._breach(f, lifting))
        for o, exemptions, shields in self._frame.owed(act):
            found[o.index] = (o, *self._breach(o, [*exemptions, *shields]))
        return Broken(found)

    def _any(self, profile: Broken, which: int) -> Term:
        return self._facts.some(*(term for _, term in _terms(profile, which)))

    def _breach(self, entry: Entry, lifting: Sequence[Entry]) -> tuple[Term, Term, Term]:
        and_, or_, not_ = self._facts.every, self._facts.some, self._facts.no
        true, unknown = self._truth(entry)
        truths = [self._truth(one) for one in lifting]
        stands = not_(or_(*(t for t, _ in truths)))
        broken = and_(true, stands)
        waived = entry.norm.on_unknown == "allow"
        pending = self._facts.constant(False) if waived else and_(unknown, stands)
        return broken, pending, and_(broken, or_(*(u for _, u in truths)))


def _terms(profile: Broken, which: int) -> list[tuple[Entry, Term]]:
    return [(one[0], one[1 + which]) for one in profile.terms.values()]
