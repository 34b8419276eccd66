"""The norms that ship, or some of them, as a folder that a charter can start from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from normwright.charter.cases import run_cases
from normwright.charter.exchange.drafting import vocabulary_files
from normwright.charter.reading import CharterSource, read_source
from normwright.norms import NULL_ACT, Acts, facts_of
from normwright.norms.ranking import names
from normwright.norms.vocabulary import near
from normwright.records import Condition, Fault, InputError, Norm, Vocabulary


def seed_files(directory: Path, layers: Sequence[str] = ()) -> dict[str, bytes]:
    """Return the chosen seed norms as files, with the acts and facts they need and no others.

    Norms that a chosen one names, as what it replaces or what is owed for a breach, come along; so
    do norms about the same act where a case comes out otherwise without them.

    Args:
        directory: where the seeds lie, in one folder a layer or place.
        layers: which of those folders; empty: all.

    Raises:
        InputError: if there is no such folder, or with every fault of the seeds.
    """
    source = read_source(directory)
    homes = {norm.ref: _home(source, norm) for norm in source.norms}
    known = sorted({home.partition("/")[0] for home in homes.values() if "/" in home})
    faults = [
        Fault(where="LAYER", expected=f"one of {', '.join(known)}", seen=layer,
              do=near(layer, known))
        for layer in layers
        if layer not in known
    ]  # fmt: skip
    if faults:
        raise InputError(faults)
    chosen = [n for n in source.norms if not layers or homes[n.ref].partition("/")[0] in layers]
    taken = _sufficient(chosen, source)
    found = vocabulary_files(_needed(taken, source.vocabulary), source.head)
    return found | {homes[n.ref]: (directory / homes[n.ref]).read_bytes() for n in taken}


def _home(source: CharterSource, norm: Norm) -> str:
    """The file a norm was read from, by its place in the folder."""
    return source.documents[norm.ref].name


def _sufficient(chosen: Iterable[Norm], source: CharterSource) -> list[Norm]:
    """The chosen norms with all that they name and that their cases rest on."""
    acts = Acts(source.vocabulary)
    taken = _with_named(chosen, source.norms)
    while True:
        failing = [r.case for r in run_cases(taken, source.vocabulary) if not r.agrees]
        held = {norm.ref for norm in taken}
        missing = [
            norm
            for norm in source.norms
            if norm.ref not in held and any(acts.covers(norm.act, case.act) for case in failing)
        ]
        if not missing:
            return taken
        taken = _with_named([*taken, *missing], source.norms)


def _with_named(chosen: Iterable[Norm], all_norms: Sequence[Norm]) -> list[Norm]:
    taken = {norm.ref for norm in chosen}
    while True:
        held = [norm for norm in all_norms if norm.ref in taken]
        wanted = [ref for norm in held for ref in (*norm.reparation, *norm.supersedes)]
        more = {norm.ref for norm in all_norms if names(wanted, norm)}
        if more <= taken:
            return held
        taken |= more


def _needed(norms: Sequence[Norm], vocabulary: Vocabulary) -> Vocabulary:
    """The acts with all they are kinds of, the facts, and the axioms that speak of no other."""
    acts = Acts(vocabulary)
    used = {NULL_ACT}
    facts: set[str] = set()
    for norm in norms:
        used |= acts.above(norm.act)
        facts |= facts_of(norm.condition) | facts_of(norm.maintain or Condition())
        for case in norm.cases:
            facts |= set(case.facts)
            for act in (case.act, *case.feasible):
                used |= acts.above(act)
    return Vocabulary(
        acts=tuple(act for act in vocabulary.acts if act.name in used),
        facts=tuple(fact for fact in vocabulary.facts if fact.name in facts),
        axioms=tuple(axiom for axiom in vocabulary.axioms if facts_of(axiom) <= facts),
    )
