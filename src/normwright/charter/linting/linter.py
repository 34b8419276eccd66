"""A charter looked over, class by class."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from normwright.charter.assembling import assembled
from normwright.charter.concerns import ConcernCoverage, concern_coverage
from normwright.charter.enacting import enact
from normwright.charter.linting import (  # noqa: F401  each file enters its class
    dead,
    gap,
    horizontal,
    narrowed,
    redundant,
    shadowed,
    stricter_below,
    trap,
    ultra_vires,
    uncovered,
    unresolved,
    untested,
)
from normwright.charter.linting.ground import Ground
from normwright.charter.linting.registry import LINTS, SEVERITIES, Severity
from normwright.charter.reading import CharterSource
from normwright.charter.wording import spoken, unspoken
from normwright.records import Charter, CharterFinding, FindingClass, InputError

Progress: TypeAlias = Callable[[int, int, FindingClass], None]
"""Told before each class: how many are done, of how many, and which comes."""

Matrix: TypeAlias = Mapping[str, Mapping[str, bool]]
"""Reference of a norm -> artefact -> whether it speaks for the norm."""

ORDER: tuple[FindingClass, ...] = (
    "ULTRA_VIRES", "TRAP", "UNRESOLVED", "DEAD", "UNCOVERED",
    "NARROWED", "HORIZONTAL", "SHADOWED", "REDUNDANT", "UNTESTED",
    "STRICTER_BELOW", "GAP",
)  # fmt: skip
"""The order in which classes are looked for and listed: gravest first."""


@dataclass(frozen=True)
class Lint:
    """What linting found."""

    norms: int
    """How many norms were looked at: those that hold."""
    findings: tuple[CharterFinding, ...]
    """By severity and class, then by norms."""
    coverage: ConcernCoverage
    open: tuple[tuple[FindingClass, tuple[str, ...]], ...]
    """What the solver's effort did not settle, by class and norms: neither found nor ruled out."""


def lint(
    charter: Charter,
    *,
    classes: Collection[FindingClass] | None = None,
    coverage: Matrix | None = None,
    progress: Progress | None = None,
) -> Lint:
    """Return everything about a charter that people should look at, with a question for each.

    Args:
        charter: a sound charter. Norms that do not hold are left out.
        classes: the classes looked for; None: all.
        coverage: which artefacts speak for which norm; None: those of the charter enacted for a
            deployment under all its authorities.
        progress: told before each class.

    Raises:
        InputError: if a language of the charter has no words.
        MissingExtra: if a class that needs proofs is looked for and z3 is not installed.
    """
    faults = unspoken(charter.languages)
    if faults:
        raise InputError(faults)
    ground = Ground(charter, coverage=_enacted(charter) if coverage is None else coverage)
    asked = [name for name in ORDER if classes is None or name in classes]
    found: list[CharterFinding] = []
    for number, name in enumerate(asked):
        if progress is not None:
            progress(number, len(asked), name)
        found += LINTS[name].find(ground)
    return Lint(
        norms=len(ground.norms),
        findings=tuple(sorted(found, key=_place)),
        coverage=concern_coverage(ground.norms),
        open=tuple(sorted(set(ground.open))),
    )


def quick_findings(
    source: CharterSource, *, coverage: Matrix | None = None
) -> tuple[CharterFinding, ...]:
    """Return what can be found about a source's norms without a solver, in milliseconds.

    Drafted and proposed norms are taken to hold as well. Found are whole the classes UNTESTED,
    UNCOVERED and GAP; of DEAD what going through the cells of the facts proves; of ULTRA_VIRES the
    express supersessions. The other classes are not looked for. They are told in those languages of
    the charter that there are words for.

    Raises:
        InputError: if the norms do not fit the vocabulary.
    """
    charter = assembled(source, drafts=True)
    told = tuple(lang for lang in charter.languages if not unspoken((lang,))) or spoken()[:1]
    if coverage is None:
        coverage = _enacted(charter.model_copy(update={"languages": told}))
    ground = Ground(charter, coverage=coverage, languages=told)
    found = [
        finding
        for name in ORDER
        if (quick := LINTS[name].quick) is not None
        for finding in quick(ground)
    ]
    return tuple(sorted(found, key=_place))


def severity_of(finding: CharterFinding) -> Severity:
    """Return how grave a finding is."""
    return LINTS[finding.kind].severity


def _enacted(charter: Charter) -> Matrix:
    """Which artefacts speak for which norm under all authorities of a charter."""
    return enact(charter, (), deployment={}).coverage


def _place(finding: CharterFinding) -> tuple[int, int, tuple[str, ...], str, str, str]:
    witness = "" if finding.witness is None else finding.witness.act
    return (
        SEVERITIES.index(severity_of(finding)),
        ORDER.index(finding.kind),
        finding.norms,
        finding.concern or "",
        finding.layer or "",
        witness,
    )
