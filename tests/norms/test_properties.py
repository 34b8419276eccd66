"""What must hold for every charter: tried on random ones, against a slow and obvious resolver."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.norms.builders import charter, norm, vocabulary

from normwright.norms import Acts, Resolver, evaluate
from normwright.records import LAYERS, Condition, FactReading, FactValue, Norm, Situation

WORDS = vocabulary(
    {"a": [], "a1": ["a"], "a2": ["a"], "b": [], "ab": ["a1", "b"], "decline": []},
    {"x": "bool", "y": "bool", "n": {"low": 0, "high": 3}, "e": ["p", "q"]},
)
ACTS = Acts(WORDS)
DOMAINS: dict[str, tuple[FactValue, ...]] = {
    "x": (False, True), "y": (False, True), "n": (0, 1, 2, 3), "e": ("p", "q"),
}  # fmt: skip
EVERY = [dict(zip(DOMAINS, v, strict=True)) for v in itertools.product(*DOMAINS.values())]
EXAMPLES = int(os.environ.get("NORMWRIGHT_EXAMPLES", "60"))
"""Random charters a property; the variable raises it for an exhaustive run."""

many = settings(deadline=None, max_examples=EXAMPLES, derandomize=True)

atoms = st.one_of(
    st.builds(lambda f, v: {"fact": f, "eq": v}, st.sampled_from("xy"), st.booleans()),
    st.builds(lambda op, v: {"fact": "n", op: v}, st.sampled_from(["at_least", "at_most", "eq"]),
              st.integers(0, 3)),
    st.builds(lambda v: {"fact": "e", "in": v}, st.sampled_from([["p"], ["q"], ["p", "q"]])),
)  # fmt: skip
conditions: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(st.just({}), atoms),
    lambda inner: st.one_of(
        st.builds(lambda key, parts: {key: parts}, st.sampled_from(["all", "any"]),
                  st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=3,
)  # fmt: skip
KINDS = [
    "prohibition",
    "obligation",
    "permission",
    "guarantee",
    "exemption",
    "ideal",
    "constitutive",
]


@st.composite
def norm_lists(
    draw: st.DrawFn, layers: tuple[str, ...] = LAYERS, waive: bool = False
) -> list[Norm]:
    """Up to six norms over the small vocabulary."""
    found = []
    for number in range(draw(st.integers(0, 6))):
        layer = draw(st.sampled_from(layers))
        others = [f"{prefix}{i}" for prefix in "sn" for i in range(4)]
        found.append(
            norm(
                id=f"{'n' if layers == LAYERS else 's'}{number}",
                kind=draw(st.sampled_from(KINDS)),
                layer=layer,
                authority=draw(st.sampled_from(["one", "two"])),
                tier=draw(st.sampled_from(["constitutional", "revisable"])),
                act=draw(st.sampled_from(["a", "a1", "a2", "b", "ab"])),
                condition=draw(conditions),
                severity=draw(st.integers(1, 5)),
                overridable_by=draw(st.lists(st.sampled_from(LAYERS), max_size=1)),
                supersedes=draw(st.lists(st.sampled_from(others), max_size=1)),
                on_unknown=draw(st.sampled_from(["ask", "deny", *(["allow"] * waive)])),
            )
        )
    return found


@st.composite
def situations(draw: st.DrawFn, complete: bool = False) -> Situation:
    """A request with some or all facts known."""
    facts = {f: draw(st.sampled_from(values)) for f, values in DOMAINS.items()}
    if not complete:
        facts = {f: v for f, v in facts.items() if draw(st.booleans())}
    feasible = draw(st.lists(st.sampled_from(["a", "a1", "a2", "b", "ab"]), max_size=2))
    act = draw(st.sampled_from(["a", "a1", "a2", "b", "ab"]))
    return Situation(act=act, facts=facts, feasible=(*feasible, "decline"))


def completions(facts: Mapping[str, FactValue]) -> Iterator[dict[str, FactValue]]:
    """Every way in which the unknown facts can turn out."""
    return (full for full in EVERY if all(full[f] == v for f, v in facts.items()))


def plain(situation: Situation) -> dict[str, FactValue]:
    """The facts of a situation, none of which is a reading."""
    return {n: v for n, v in situation.facts.items() if not isinstance(v, FactReading)}


def ask(norms: list[Norm], situation: Situation) -> str:
    return Resolver(charter(WORDS, norms)).decide(situation).verdict


# --- the slow and obvious resolver, for facts that are all known ---


def strength(n: Norm) -> tuple[int, int]:
    return (LAYERS.index(n.layer), ("constitutional", "revisable").index(n.tier))


def follows(a: Condition, b: Condition) -> bool:
    return all(evaluate(b, full) for full in EVERY if evaluate(a, full))


def slow_beats(p: Norm, f: Norm) -> bool:
    may = p.layer in f.overridable_by
    foreign = p.layer == f.layer and p.authority != f.authority
    if f.id in p.supersedes and not foreign and (strength(p) <= strength(f) or may):
        return True
    if strength(p) < strength(f):
        return p.kind == "guarantee"
    if strength(p) > strength(f):
        return may
    if p.authority != f.authority:
        return False
    narrower = follows(p.condition, f.condition) and ACTS.covers(f.act, p.act)
    return narrower and not (follows(f.condition, p.condition) and ACTS.covers(p.act, f.act))


def slow_repealed(old: Norm, norms: list[Norm]) -> bool:
    for new in norms:
        binding = ("prohibition", "obligation")
        alike = new.kind in binding or old.kind not in binding
        same = new.authority == old.authority and new.id != old.id
        if alike and same and strength(new) <= strength(old) and old.id in new.supersedes:
            return True
    return False


def slow_broken(act: str, norms: list[Norm]) -> list[Norm]:
    broken = []
    allowing = [
        n for n in norms if n.kind in ("permission", "guarantee") and ACTS.covers(n.act, act)
    ]
    for f in norms:
        covered = f.kind == "prohibition" and ACTS.covers(f.act, act)
        if covered and not any(slow_beats(p, f) for p in allowing):
            broken.append(f)
        if f.kind == "obligation" and not ACTS.covers(f.act, act):
            exempt = [x for x in norms if x.kind == "exemption" and ACTS.covers(x.act, f.act)]
            right = [g for g in allowing if g.kind == "guarantee" and strength(g) < strength(f)]
            if not right and not any(slow_beats(x, f) for x in exempt):
                broken.append(f)
    return broken


def slow_graver(a: list[Norm], b: list[Norm]) -> bool:
    for level in itertools.product(range(4), range(2)):
        left = sorted(-n.severity for n in a if strength(n) == level)
        right = sorted(-n.severity for n in b if strength(n) == level)
        for one, other in itertools.zip_longest(left, right, fillvalue=0):
            if one != other:
                return one < other
    return False


def slow(norms: list[Norm], situation: Situation) -> str:
    held = [n for n in norms if not slow_repealed(n, norms)]
    held = [n for n in held if evaluate(n.condition, plain(situation))]
    acts = list(dict.fromkeys((situation.act, *situation.feasible)))
    broken = {act: slow_broken(act, held) for act in acts}
    if not broken[situation.act]:
        return "allow"
    if any(not b for b in broken.values()):
        return "deny"
    least = [a for a in acts if not any(slow_graver(broken[a], broken[b]) for b in acts)]
    if situation.act not in least:
        return "deny-dilemma"
    if len(least) == 1:
        return "necessity"
    return "dilemma-inaction" if "decline" in least else "dilemma-choice"


# --- properties ---


@given(norm_lists(), situations(complete=True))
@many
def test_agrees_with_the_slow_and_obvious_resolver(norms: list[Norm], situation: Situation) -> None:
    """With every fact known, the verdict is that of a resolver written straight from the rules."""
    assert ask(norms, situation) == slow(norms, situation)


@given(norm_lists(), situations(), st.randoms(use_true_random=False))
@many
def test_order_independence(norms: list[Norm], situation: Situation, rng: random.Random) -> None:
    """The order in which norms are listed changes nothing in a decision."""
    shuffled = list(norms)
    rng.shuffle(shuffled)

    first = Resolver(charter(WORDS, norms)).decide(situation)
    second = Resolver(charter(WORDS, shuffled)).decide(situation)

    assert first.model_copy(update={"charter": None}) == second.model_copy(update={"charter": None})


@given(norm_lists(), situations())
@many
def test_unknown_soundness(norms: list[Norm], situation: Situation) -> None:
    """An allow on partial facts is an allow under every completion of them."""
    resolver = Resolver(charter(WORDS, norms))
    partial = resolver.decide(situation)

    verdicts = {
        resolver.decide(situation.model_copy(update={"facts": full})).verdict
        for full in completions(plain(situation))
    }

    if partial.verdict == "allow":
        assert verdicts == {"allow"}
    if partial.verdict in ("necessity", "deny-dilemma"):
        permits = {"necessity", "allow"} if partial.verdict == "necessity" else {
            "deny", "deny-dilemma"}  # fmt: skip
        assert verdicts <= permits


@given(norm_lists(waive=True), situations())
@many
def test_unknown_facts_listed_are_those_that_matter(
    norms: list[Norm], situation: Situation
) -> None:
    """No fact outside the list changes the verdict; each fact on it does, after some others."""
    resolver = Resolver(charter(WORDS, norms))
    decision = resolver.decide(situation)

    def verdict(facts: dict[str, FactValue]) -> str:
        return resolver.decide(situation.model_copy(update={"facts": facts})).verdict

    missing = [f for f in DOMAINS if f not in situation.facts]
    options = [[(), *(((f, v),) for v in DOMAINS[f])] for f in missing]
    reached = {}
    for chosen in itertools.product(*options):
        learned = tuple(pair for part in chosen for pair in part)
        reached[learned] = verdict({**plain(situation), **dict(learned)})
    matter = {
        pair[0]
        for learned, here in reached.items()
        for pair in learned
        if reached[tuple(p for p in learned if p != pair)] != here
    }

    assert set(decision.unknown) == matter
    if decision.verdict == "ask":
        assert decision.unknown


@given(norm_lists(layers=LAYERS[1:]), situations(), st.sampled_from(["a", "a1", "a2", "b", "ab"]))
@many
def test_floor(norms: list[Norm], situation: Situation, act: str) -> None:
    """No set of lower norms frees an act that a strict global prohibition forbids."""
    floor = norm(id="g.floor", kind="prohibition", act=act)
    request = situation.model_copy(update={"act": act})

    assert ask([floor, *norms], request) in ("deny", "deny-dilemma")


@given(norm_lists(layers=LAYERS[1:]), situations(), st.sampled_from(["a", "a1", "a2", "b", "ab"]))
@many
def test_guarantee(norms: list[Norm], situation: Situation, act: str) -> None:
    """No set of lower norms forbids an act that a global guarantee protects."""
    right = norm(id="g.right", kind="guarantee", act=act)
    request = situation.model_copy(update={"act": act})

    assert ask([right, *norms], request) == "allow"


@given(norm_lists(), situations(), st.sampled_from(LAYERS), st.booleans())
@many
def test_supersession_needs_authority(
    norms: list[Norm], situation: Situation, layer: str, general: bool
) -> None:
    """What another authority of a layer says it supersedes changes nothing by saying so."""
    banned = norm(id="own.ban", kind="prohibition", act=situation.act, layer=layer,
                  authority="third")  # fmt: skip
    claims = tuple(n.id for n in norms) if general else ()
    bold = [
        n.model_copy(update={"supersedes": (banned.id, *claims)}) if n.layer == layer else n
        for n in norms
    ]
    meek = [n.model_copy(update={"supersedes": claims}) if n.layer == layer else n for n in norms]

    assert ask([banned, *bold], situation) == ask([banned, *meek], situation)


@given(norm_lists(), situations(complete=True))
@many
def test_ideals_and_definitions_repeal_no_ban(norms: list[Norm], situation: Situation) -> None:
    """An ideal or a definition that names every ban leaves every verdict as it was."""
    every = tuple(n.id for n in norms if n.kind in ("prohibition", "obligation"))
    silent = [
        norm(id=f"{kind}.{layer}.{who}", kind=kind, layer=layer, authority=who, act="a",
             supersedes=every)
        for kind in ("ideal", "constitutive") for layer in LAYERS for who in ("one", "two")
    ]  # fmt: skip

    assert ask([*norms, *silent], situation) == ask(norms, situation)
