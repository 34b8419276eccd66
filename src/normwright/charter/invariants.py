"""What must hold for a norm, for norms together, and for a charter; every breach is a fault.

The numbers I1 to I13 are those of the charter's data model. I14, that a digest recomputes, is not
here because a record's digest is never stored in the record: it is computed whenever it is asked
for, and the store compares it with the name it keeps the record under.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from normwright.charter.cases import run_cases
from normwright.charter.emergencies import emergency_faults, emergency_norm
from normwright.norms import condition_faults, norm_faults, satisfiable, vocabulary_faults
from normwright.norms.durations import DURATION
from normwright.norms.ranking import exceeds_powers
from normwright.norms.resolver import HOLDING
from normwright.norms.vocabulary import near
from normwright.records import Charter, Fault, InputError, Norm, Vocabulary

REPARATION_DEPTH = 4
"""Longest chain of reparations for reparations (I3)."""

UNDETERMINED = "undetermined"
"""The act of a draft that nobody has written out yet. It is reserved: a norm with it may be drafted
or proposed and can never hold, and no situation is decided by it."""

_SLUG = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_LAWLESS = frozenset({"permission", "guarantee", "exemption", "ideal", "constitutive"})
"""Kinds that nobody can breach, so that nothing is owed for a breach."""

_CASELESS = frozenset({"ideal", "constitutive"})
"""Kinds that decide nothing, so that cases are optional."""


def check(charter: Charter) -> list[Fault]:
    """Return every invariant a charter breaks; an empty list says that it may be adopted.

    A lower layer that expressly repeals a floor is a fault here (ULTRA_VIRES, I4): the resolver
    would not obey it, but people would be told that it is law. So is a contradictory condition,
    which in a draft is a finding (DEAD).
    """
    vocabulary = charter.vocabulary
    faults = vocabulary_faults(vocabulary)
    for norm in charter.norms:
        faults += norm_faults(norm, vocabulary)
        faults += norm_invariants(norm, charter.languages)
        faults += _dead(norm, vocabulary, norm.ref)
        faults += _standing(norm, charter)
    faults += joint_invariants(charter.norms)
    if not vocabulary_faults(vocabulary):
        hasty = emergency_faults(charter.norms, vocabulary, charter.amendment)
        faults += [fault for fault in hasty if fault not in faults]
    faults += _powers(charter.norms)
    if not faults:
        faults += case_faults(charter.norms, vocabulary)
    return faults


def norm_invariants(norm: Norm, languages: Sequence[str], *, where: str = "") -> list[Fault]:
    """Return what is amiss with one norm by itself (I2, I5 to I7, I9 to I11)."""
    at = where or norm.ref
    return [
        *_identity(norm, at),
        *_kind(norm, at),
        *_time(norm, at),
        *_words(norm, languages, at),
        *(emergency_norm(norm, where=at) if norm.emergency else ()),
    ]


def case_presence(norm: Norm, languages: Sequence[str], *, where: str) -> list[Fault]:
    """Return the cases that a norm lacks: a hit and a miss in each language (I8).

    A hit is a case the norm speaks about, a miss one it does not; a near miss is a miss that
    differs in little, and is encouraged.
    """
    if norm.kind in _CASELESS:
        return []
    faults = []
    for lang in languages:
        kinds = {case.kind for case in norm.cases if case.lang == lang}
        for kind, also in (("hit", {"hit"}), ("miss", {"miss", "near_miss"})):
            if not kinds & also:
                faults.append(_fault(f"{where}: cases", f"at least one {kind} in {lang}", "none",
                                     "Add a case in this language."))  # fmt: skip
    return faults


def case_languages(norm: Norm, languages: Sequence[str], *, where: str) -> list[Fault]:
    """Return the cases that are in no language of the charter."""
    return [
        _fault(f"{where}: cases[{number}].lang", f"one of {', '.join(languages)}", case.lang)
        for number, case in enumerate(norm.cases)
        if case.lang not in languages
    ]


def _told(norm: Norm, key: str) -> str:
    return f"{norm.ref}: {key}"


def joint_invariants(
    norms: Sequence[Norm], where: Callable[[Norm, str], str] = _told
) -> list[Fault]:
    """Return what is amiss with norms together (I1, I3): doubles, loose references, circles."""
    return [
        *_doubles(norms, where),
        *_references(norms, where),
        *_circles(norms, where),
    ]


def case_faults(
    norms: Sequence[Norm],
    vocabulary: Vocabulary,
) -> list[Fault]:
    """Return the cases that do not come out as they say if the norms hold together (I8)."""
    try:
        return [
            _fault(f"{r.norm.ref}: cases[{r.number}].expect", f"{r.verdict}, as the norms say",
                   r.case.expect, f"The case reads: {r.case.text}")
            for r in run_cases(norms, vocabulary)
            if not r.agrees
        ]  # fmt: skip
    except InputError as error:
        return list(error.faults)


def _fault(where: str, expected: str, seen: object, do: str = "") -> Fault:
    return Fault(where=where, expected=expected, seen=str(seen), do=do)


def _identity(norm: Norm, at: str) -> Iterator[Fault]:
    if not _SLUG.fullmatch(norm.id):
        yield _fault(f"{at}: id", "a slug such as g.privacy.personal-data", norm.id)
    if norm.version < 1:
        yield _fault(f"{at}: version", "1 or more", norm.version)
    if not norm.authority:
        yield _fault(f"{at}: authority", "who issues it", "nothing")
    if (norm.layer == "global") != (norm.authority == "world"):
        expected = "world, for the global layer" if norm.layer == "global" else "one community"
        yield _fault(f"{at}: authority", expected, norm.authority)


def _kind(norm: Norm, at: str) -> Iterator[Fault]:
    if norm.act == UNDETERMINED and norm.status not in ("draft", "proposed"):
        yield _fault(f"{at}: act", f"an act, for a norm that is {norm.status}", norm.act,
                     "Decide what the norm is about before it is adopted.")  # fmt: skip
    if norm.reparation and norm.kind in _LAWLESS:
        yield _fault(f"{at}: reparation", f"none: nobody can breach a {norm.kind}",
                     ", ".join(norm.reparation))  # fmt: skip
    if norm.kind == "ideal" and norm.on_unknown == "deny":
        yield _fault(f"{at}: on_unknown", "ask: an ideal never denies", norm.on_unknown)
    if norm.tier == "constitutional" and norm.on_unknown == "allow":
        yield _fault(f"{at}: on_unknown", "ask or deny for a constitutional norm", "allow",
                     "Unknown is never permission here.")  # fmt: skip
    if norm.deadline is not None and norm.kind != "obligation":
        yield _fault(f"{at}: deadline", f"none for a {norm.kind}", norm.deadline)
    elif norm.deadline is not None and not DURATION.fullmatch(norm.deadline):
        yield _fault(f"{at}: deadline", "an ISO 8601 duration such as PT5M or P14D", norm.deadline)


def _time(norm: Norm, at: str) -> Iterator[Fault]:
    if norm.valid_from and norm.valid_to and norm.valid_from >= norm.valid_to:
        yield _fault(f"{at}: valid_to", f"a day after {norm.valid_from}", norm.valid_to)
    if norm.tier == "revisable" and norm.review_by is None:
        yield _fault(f"{at}: review_by", "the day by which a revisable norm is reviewed", "nothing")
    if norm.status in HOLDING and not _founded(norm):
        yield _fault(f"{at}: status", "a source or a provenance for a norm that holds",
                     norm.status)  # fmt: skip


def _founded(norm: Norm) -> bool:
    return norm.provenance is not None or any(source.ref.strip() for source in norm.source)


def _words(norm: Norm, languages: Sequence[str], at: str) -> Iterator[Fault]:
    for name, text in (("statement", norm.statement), ("rationale", norm.rationale)):
        for lang in languages if name == "statement" or text else ():
            if not text.get(lang, "").strip():
                yield _fault(f"{at}: {name}.{lang}", f"the {name} in {lang}", "nothing",
                             "Write it, and have a speaker read it.")  # fmt: skip


def _dead(norm: Norm, vocabulary: Vocabulary, at: str) -> Iterator[Fault]:
    if condition_faults(norm.condition, vocabulary, where=""):
        return  # of a condition that does not fit the vocabulary nothing can be proved
    if satisfiable(norm.condition, vocabulary.facts) is False:
        yield _fault(f"{at}: condition", "a condition that can come true", "a contradiction",
                     "As written the norm never applies.")  # fmt: skip
    elif satisfiable(norm.condition, vocabulary.facts, vocabulary.axioms) is False:
        yield _fault(f"{at}: condition", "a condition that can come true",
                     "one that the axioms rule out",
                     "An axiom must not silence a norm: take one of the two out.")  # fmt: skip


def _standing(norm: Norm, charter: Charter) -> Iterator[Fault]:
    """What a norm claims to stand on (I6, I12, I13)."""
    proof = norm.provenance
    if norm.status == "demonstration" and (proof is None or proof.process_kind != "simulated"):
        yield _fault(f"{norm.ref}: status", "in_force, or a simulated process", norm.status)
    if proof is None:
        return
    if proof.process_kind == "simulated":
        if norm.status == "in_force" and not (norm.source and proof.method == "source"):
            yield _fault(f"{norm.ref}: status", "demonstration: nobody was asked", norm.status)
        if proof.decision_level != "L0":
            yield _fault(f"{norm.ref}: provenance.decision_level", "L0 for a simulated process",
                         proof.decision_level)  # fmt: skip
    if proof.process == charter.process and proof.process_kind != charter.kind:
        yield _fault(f"{norm.ref}: provenance.process_kind", charter.kind, proof.process_kind)
    retroactive = (
        norm.kind == "prohibition"
        and norm.tier == "constitutional"
        and not norm.source
        and norm.valid_from is not None
        and proof.ratified_at is not None
        and norm.valid_from < proof.ratified_at
    )
    if retroactive:
        yield _fault(f"{norm.ref}: valid_from", f"{proof.ratified_at}: no ban reaches back",
                     norm.valid_from)  # fmt: skip


def _powers(norms: Sequence[Norm]) -> Iterator[Fault]:
    for norm in norms:
        for other in norms:
            if norm is not other and exceeds_powers(norm, other):
                yield _fault(
                    f"{norm.ref}: supersedes",
                    "a norm it has the power to repeal",
                    f"{other.ref} of {other.authority} (ULTRA_VIRES)",
                    f"Only {other.authority} can change it; a lower layer may be stricter.",
                )


def _doubles(norms: Sequence[Norm], where: Callable[[Norm, str], str]) -> Iterator[Fault]:
    seen: dict[str, Norm] = {}
    for norm in norms:
        if norm.ref in seen:
            first = where(seen[norm.ref], "id")
            yield _fault(where(norm, "id"), f"{norm.ref} once", f"also {first}",
                         "Ids are never used again; raise the version.")  # fmt: skip
        seen.setdefault(norm.ref, norm)


def _references(norms: Sequence[Norm], where: Callable[[Norm, str], str]) -> Iterator[Fault]:
    known = {name: norm for norm in norms for name in (norm.id, norm.ref)}
    for norm in norms:
        for name in norm.reparation:
            if name not in known:
                yield _fault(where(norm, "reparation"), "a norm", name, near(name, known))
            elif known[name].kind != "obligation":
                yield _fault(where(norm, "reparation"), "an obligation",
                             f"{name}, a {known[name].kind}")  # fmt: skip
        for name in norm.supersedes:
            # An earlier version of a norm need not lie beside the later one.
            base, _, version = name.partition("@")
            if name not in known and base not in known:
                yield _fault(where(norm, "supersedes"), "a norm", name, near(name, known))
            elif name not in known and not _was(version, base, norms):
                yield _fault(where(norm, "supersedes"), "a version that there is or was", name,
                             "Nothing can be repealed before it is adopted.")  # fmt: skip
            elif name in (norm.id, norm.ref):
                yield _fault(where(norm, "supersedes"), "another norm or version", name)


def _was(version: str, base: str, norms: Sequence[Norm]) -> bool:
    """Whether a version that does not lie beside the others can have come before one that does."""
    newest = max(norm.version for norm in norms if norm.id == base)
    return version.isdecimal() and 1 <= int(version) < newest


def _circles(norms: Sequence[Norm], where: Callable[[Norm, str], str]) -> Iterator[Fault]:
    by_name = {name: norm.ref for norm in norms for name in (norm.id, norm.ref)}
    links = {
        "reparation": {n.ref: [by_name[r] for r in n.reparation if r in by_name] for n in norms},
        "supersedes": {
            n.ref: [by_name[r] for r in n.supersedes if by_name.get(r, n.ref) != n.ref]
            for n in norms
        },
    }
    for name, graph in links.items():
        for norm in norms:
            length = _longest(norm.ref, graph, ())
            if length is None:
                yield _fault(where(norm, name), "no circle", "it leads back to itself")
            elif name == "reparation" and length > REPARATION_DEPTH:
                yield _fault(where(norm, name), f"a chain of at most {REPARATION_DEPTH}",
                             length)  # fmt: skip


def _longest(node: str, graph: Mapping[str, Sequence[str]], above: tuple[str, ...]) -> int | None:
    """Length of the longest chain from a node, or None if a chain from it never ends."""
    if node in above:
        return None
    longest = 0
    for after in graph.get(node, ()):
        length = _longest(after, graph, (*above, node))
        if length is None:
            return None
        longest = max(longest, length + 1)
    return longest
