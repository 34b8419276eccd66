"""The worked cases lint as their table says."""

from __future__ import annotations

from pathlib import Path

import pytest

from normwright.charter import assembled, read_source
from normwright.charter.linting import lint

EXAMPLES = Path(__file__).parents[3] / "examples" / "charter"

TOLD: dict[str, list[tuple[str, str]]] = {
    "w1": [("ULTRA_VIRES", "g.no-social-scoring@1 o.loyalty-score@1")],
    "w2": [("STRICTER_BELOW", "eu.no-sensitive-categories@1 g.biometric-categories@1")],
    "w3": [],
    "w4": [],
    "w5": [],
    "w6": [("HORIZONTAL", "br.profiles@1 eu.no-profiles@1")],
    "w7": [
        ("TRAP", "eu.no-disclosure@1 g.warn-of-danger@1"),
        ("REDUNDANT", "eu.no-disclosure@1 eu.no-unneeded-disclosure@1"),
    ],
    "w8": [],
    "w8b": [("TRAP", "g.save-first@1 g.save-second@1")],
    "w12": [],
    "w13a": [("UNRESOLVED", "o.no-recommending@1 o.recommending@1")],
    "w13b": [],
    "w13c": [("ULTRA_VIRES", "g.no-impersonation@1 o.impersonation@1")],
    "w14": [],
}
"""What is found in each, but for missing cases, coverage and gaps."""


@pytest.mark.parametrize("name", sorted(TOLD))
def test_worked_case_lints_as_told(name: str) -> None:
    """Each file has the findings its conflict is of, and no others."""
    report = lint(assembled(read_source(EXAMPLES / f"{name}.yaml")), coverage={})
    kinds = {"GAP", "UNTESTED"}

    assert [(f.kind, " ".join(f.norms)) for f in report.findings if f.kind not in kinds] == (
        TOLD[name]
    )
