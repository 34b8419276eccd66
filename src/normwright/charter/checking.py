"""Whether a drafted charter does what its own cases say, and what people should look at."""

from __future__ import annotations

from dataclasses import dataclass

from normwright.charter.cases import LIVING, run_cases
from normwright.charter.invariants import case_presence
from normwright.charter.linting.linter import quick_findings
from normwright.charter.reading import CharterSource
from normwright.records import CaseFailure, CharterFinding, Fault


@dataclass(frozen=True)
class CharterCheck:
    """How a charter's cases come out, and what was found without a solver."""

    norms: int
    cases: int
    failures: tuple[CaseFailure, ...]
    findings: tuple[CharterFinding, ...]

    @property
    def breaches(self) -> tuple[CharterFinding, ...]:
        """Findings with which no charter can be adopted: a power usurped, a norm that never holds.

        The resolver would not obey the one and not feel the other, but people would be told that
        both are law.
        """
        return tuple(one for one in self.findings if one.kind in ("ULTRA_VIRES", "DEAD"))


def check_source(source: CharterSource) -> CharterCheck:
    """Return how the cases of all living norms come out if they hold together, and quick findings.

    Raises:
        InputError: if the norms do not fit the vocabulary.
    """
    failures = tuple(
        CaseFailure(
            norm=r.norm.ref,
            case=r.case.id or f"cases[{r.number}]",
            lang=r.case.lang,
            text=r.case.text,
            expected=r.case.kind if r.agrees else r.case.expect,
            got=r.verdict if not r.agrees else "hit" if r.applies else "miss",
            where=source.where(r.norm.ref, ("cases", r.number)),
        )
        for r in run_cases(source.norms, source.vocabulary)
        if not (r.agrees and r.is_its_kind)
    )
    return CharterCheck(
        norms=len(source.norms),
        cases=sum(len(norm.cases) for norm in source.norms),
        failures=failures,
        findings=quick_findings(source),
    )


def adoption_faults(source: CharterSource) -> list[Fault]:
    """Return what stands against putting the norms to the vote: cases they lack or that fail (I8).

    Raises:
        InputError: if the norms do not fit the vocabulary.
    """
    lacking = [
        fault
        for norm in source.norms
        if norm.status in LIVING
        for fault in case_presence(norm, source.head.languages, where=source.where(norm.ref))
    ]
    failing = [
        Fault(
            where=f.where,
            expected=f"{f.got}, as the norms say",
            seen=f.expected,
            do=f"The case reads: {f.text}",
        )
        for f in check_source(source).failures
    ]
    return [*lacking, *failing]
