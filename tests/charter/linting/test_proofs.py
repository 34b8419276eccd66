"""What the solver proves is what deciding every situation shows, class by class."""

from __future__ import annotations

from functools import cache

import pytest
from tests.charter.linting.drawn import LEAVES, drawn, possible, situations

from normwright.charter.linting import Lint, lint
from normwright.norms import Acts, Resolver, applies, implies
from normwright.norms.ranking import RESTRICTIVE, exceeds_powers, repeals
from normwright.records import Charter, CharterFinding, Condition, Norm

DRAWN = [(seed, seed % 3 == 0) for seed in range(12)]
DILEMMA = {"necessity", "dilemma-choice", "dilemma-inaction", "deny-dilemma"}
charters = pytest.mark.parametrize(("seed", "axioms"), DRAWN)


@cache
def linted(seed: int, axioms: bool) -> tuple[Charter, Lint]:
    made = drawn(seed, axioms=axioms)
    return made, lint(made, coverage={})


@cache
def defeats(seed: int, axioms: bool) -> frozenset[tuple[str, str, str]]:
    """Every defeat of any situation: who, by whom, by which rule."""
    made, _ = linted(seed, axioms)
    resolver = Resolver(made)
    return frozenset(
        (one.id, one.by, one.rule)
        for situation in situations(made)
        for one in resolver.decide(situation).defeated
        if one.rule != "necessity"
    )


def found(seed: int, axioms: bool, *kinds: str) -> set[frozenset[str]]:
    return {frozenset(f.norms) for f in linted(seed, axioms)[1].findings if f.kind in kinds}


def by_ref(made: Charter) -> dict[str, Norm]:
    return {norm.ref: norm for norm in made.norms}


def follows(made: Charter, a: Norm, b: Norm) -> bool:
    """Whether one condition implies another beside the axioms, by going through every cell."""
    assumed = Condition(all=(a.condition, *made.vocabulary.axioms))
    return bool(implies(assumed, b.condition, made.vocabulary.facts))


def more_special(made: Charter, f: Norm, p: Norm) -> bool:
    acts = Acts(made.vocabulary)
    if not acts.covers(p.act, f.act) or not follows(made, f, p):
        return False
    return f.act != p.act or not follows(made, p, f)


def same_layer_apart(a: Norm, b: Norm) -> bool:
    return a.layer == b.layer and a.authority != b.authority


def claimed(a: Norm, b: Norm) -> bool:
    return exceeds_powers(a, b) or exceeds_powers(b, a)


def waits(norm: Norm) -> bool:
    return norm.deadline is not None


@charters
def test_unresolved_pairs_are_those_some_situation_leaves_unresolved(
    seed: int, axioms: bool
) -> None:
    """Each pair that any decision calls unresolved is found, and no other."""
    made, _ = linted(seed, axioms)
    norms = by_ref(made)
    shown = {frozenset((p, f)) for p, f, rule in defeats(seed, axioms) if rule == "unresolved"}
    told = {pair for pair in found(seed, axioms, "UNRESOLVED")
            if not any(waits(norms[ref]) for ref in pair)}  # fmt: skip

    assert told == shown


@charters
def test_floors_are_exceeded_or_narrow(seed: int, axioms: bool) -> None:
    """Each pair that a floor decides is ULTRA_VIRES if wholly inside the floor, else NARROWED."""
    made, _ = linted(seed, axioms)
    norms = by_ref(made)
    acts = Acts(made.vocabulary)
    inside: set[frozenset[str]] = set()
    cut: set[frozenset[str]] = set()
    for p, f, rule in defeats(seed, axioms):
        low, floor = norms[p], norms[f]
        pair = frozenset((p, f))
        if rule == "specialis" and low.kind not in RESTRICTIVE:
            assert more_special(made, floor, low)
            cut.add(pair)
        if rule != "floor" or same_layer_apart(low, floor) or claimed(low, floor):
            continue
        acts_in = (
            low.act == floor.act if floor.kind == "obligation" else acts.covers(floor.act, low.act)
        )
        bound = set(low.bearer.actor) <= set(floor.bearer.actor)
        (inside if acts_in and bound and follows(made, low, floor) else cut).add(pair)
    claims = {frozenset((a.ref, b.ref)) for a in made.norms for b in made.norms
               if a is not b and exceeds_powers(a, b)}  # fmt: skip

    def on_time(pairs: set[frozenset[str]]) -> set[frozenset[str]]:
        return {pair for pair in pairs if not any(waits(norms[ref]) for ref in pair)}

    assert on_time(found(seed, axioms, "ULTRA_VIRES")) == on_time(inside | claims)
    assert on_time(found(seed, axioms, "NARROWED")) == on_time(cut)


@charters
def test_stricter_and_beside(seed: int, axioms: bool) -> None:
    """What decisions call stricter is STRICTER_BELOW or, between authorities, HORIZONTAL."""
    made, _ = linted(seed, axioms)
    norms = by_ref(made)
    beside, below = set(), set()
    for one, other, rule in defeats(seed, axioms):
        pair = frozenset((one, other))
        if same_layer_apart(norms[one], norms[other]):
            lifted = rule == "guarantee" and norms[one].kind == "obligation"
            if not claimed(norms[one], norms[other]) and not lifted:
                beside.add(pair)
        elif rule == "stricter" and not claimed(norms[one], norms[other]):
            below.add(pair)

    def on_time(pairs: set[frozenset[str]]) -> set[frozenset[str]]:
        return {pair for pair in pairs if not any(waits(norms[ref]) for ref in pair)}

    assert on_time(found(seed, axioms, "STRICTER_BELOW")) == on_time(below)
    assert on_time(found(seed, axioms, "HORIZONTAL")) == on_time(beside)


@charters
def test_dead_norms_are_those_no_cell_satisfies(seed: int, axioms: bool) -> None:
    """Going through every cell of the facts finds the same norms dead."""
    made, _ = linted(seed, axioms)

    assert found(seed, axioms, "DEAD") == {
        frozenset((n.ref,)) for n in made.norms if not possible(made, n.condition)
    }


@charters
def test_traps_are_there_when_some_situation_has_no_way_out(seed: int, axioms: bool) -> None:
    """With constitutional restrictions alone, some situation is a dilemma iff a trap is found."""
    made, report = linted(seed, axioms)
    restrictive = ("prohibition", "obligation")
    kept = [n for n in made.norms if n.kind not in restrictive or n.tier == "constitutional"]
    resolver = Resolver(made.model_copy(update={"norms": tuple(kept)}))
    dilemmas = any(
        resolver.decide(s).verdict in DILEMMA for s in situations(made, acts=("decline",))
    )

    assert any(f.kind == "TRAP" for f in report.findings) == dilemmas


@charters
def test_no_norm_of_a_trap_can_be_spared(seed: int, axioms: bool) -> None:
    """Without any one of its norms, the trap's own situation has a way out."""
    made, report = linted(seed, axioms)
    norms = by_ref(made)
    for trap in (f for f in report.findings if f.kind == "TRAP"):
        assert trap.witness is not None
        valid = [n for n in made.norms if applies(n, trap.witness)]
        permissive = [n for n in valid if n.kind not in ("prohibition", "obligation")
                      and not any(repeals(other, n) for other in valid)]  # fmt: skip
        everything = trap.witness.model_copy(update={"feasible": (*LEAVES, "decline")})
        for spared in (None, *trap.norms):
            own = [norms[ref] for ref in trap.norms if ref != spared]
            resolver = Resolver(made.model_copy(update={"norms": (*permissive, *own)}))
            verdict = resolver.decide(everything).verdict

            assert (verdict in DILEMMA) == (spared is None)


@charters
def test_what_is_needless_changes_no_verdict(seed: int, axioms: bool) -> None:
    """Without a redundant or shadowed norm every situation with a clean way is decided the same."""
    made, report = linted(seed, axioms)
    norms = by_ref(made)
    whole = Resolver(made)
    for finding in report.findings:
        if finding.kind not in ("REDUNDANT", "SHADOWED"):
            continue
        needless = next(ref for ref in finding.norms if finding.detail["en"].startswith(ref))
        rest = tuple(n for n in made.norms if n is not norms[needless])
        without = Resolver(made.model_copy(update={"norms": rest}))
        for situation in situations(made):
            before, after = whole.decide(situation), without.decide(situation)
            if before.verdict in DILEMMA or after.verdict in DILEMMA:
                assert before.verdict in DILEMMA
                assert after.verdict in DILEMMA
            else:
                assert before.verdict == after.verdict


RULES = {
    "UNRESOLVED": {"unresolved"},
    "NARROWED": {"floor", "specialis"},
    "ULTRA_VIRES": {"floor", "stricter", "guarantee", "overridable"},
    "STRICTER_BELOW": {"stricter"},
    "HORIZONTAL": {"stricter", "floor", "guarantee", "overridable"},
}


def shows(made: Charter, finding: CharterFinding) -> bool:
    """Whether the witness, put to the resolver, shows what was found."""
    assert finding.witness is not None
    norms = by_ref(made)
    decision = Resolver(made).decide(finding.witness)
    pairs = {(frozenset((d.id, d.by)), d.rule) for d in decision.defeated}
    match finding.kind:
        case "TRAP":
            return decision.verdict in {"necessity", "dilemma-choice", "dilemma-inaction"}
        case "GAP":
            return all(norms[ref].kind == "obligation" for ref in decision.governing)
        case "REDUNDANT" | "SHADOWED":
            return True
        case _ if any(waits(norms[ref]) for ref in finding.norms):
            return any(duty.id in finding.norms for duty in decision.duties)
        case _:
            rules = {rule for pair, rule in pairs if pair == frozenset(finding.norms)}
            return bool(rules & RULES[finding.kind])


@charters
def test_each_witness_shows_the_conflict(seed: int, axioms: bool) -> None:
    """Put to `decide`, a witness has the pair among the defeated by its rule, or is a dilemma."""
    made, report = linted(seed, axioms)

    assert report.open == ()
    assert all(shows(made, f) for f in report.findings if f.witness is not None)


@charters
def test_the_order_of_norms_changes_nothing(seed: int, axioms: bool) -> None:
    """The same norms in another order give the same findings, byte for byte."""
    made, report = linted(seed, axioms)
    turned = lint(made.model_copy(update={"norms": made.norms[::-1]}), coverage={})

    assert turned == report
