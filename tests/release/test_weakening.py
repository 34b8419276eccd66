"""Whether criteria ask less than they did."""

from __future__ import annotations

import pytest
from tests.release.worked import CRITERIA

from normwright.release import Criteria, criteria_in, weaker


def read(text: str) -> Criteria:
    """Criteria as they are read."""
    return criteria_in(text, where="criteria", languages=("en", "pt"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("alpha: 0.05", "alpha: 0.1"),
        ("candidates_tested: 3", "candidates_tested: 1"),
        ("candidates_tested: 3", "candidates_tested: 3\nconfirm: fresh_set"),
        ("registered_at: 2026-10-01T09:00:00Z\n", ""),
        ("limit: 0.005", "limit: 0.006"),
        ("margin: 0.03", "margin: 0.04"),
        ("on_fail: block, slices: [lang], judge: J1", "on_fail: hold, slices: [lang], judge: J1"),
        ("slices: [lang], cluster: template, ", "cluster: template, "),
        ("cluster: seed_behaviour", "cluster: answer"),
        ("placebo: irrelevant_cue,", ""),
        ("lrs: [1e-5, 1e-4]", "lrs: [1e-5]"),
        ("env: [E3, E5, E6]", "env: [E3, E5]"),
        ("noise_curve: true", "noise_curve: false"),
        ("< 0.02", "< 0.03"),
        ("requires: [harm, use]", "requires: [harm]"),
        ("[stub/refuser]", "[]"),
        ("max_disagreement: 0.05", "max_disagreement: 0.1"),
        ("sens: [88, 100]", "sens: [98, 100]"),
        ("charter: {id: help-desk, version: 7, digest", "charter: {digest: x}\nid: x #"),
        (", criterion: held-back", ""),
        ("baseline: sft", "baseline: untuned"),
    ],
)  # fmt: skip
def test_asking_less_is_told(old: str, new: str) -> None:
    """Each loosening alone is found; the other way round it is none, or no comparison."""
    assert old in CRITERIA
    text = CRITERIA.replace("id: help-desk-2026-10\n", "").replace(old, new)

    assert weaker(read(CRITERIA), read(text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("alpha: 0.05", "alpha: 0.01"),
        ("candidates_tested: 3", "candidates_tested: 4"),
        ("limit: 0.005", "limit: 0.004"),
        ("margin: 0.03", "margin: 0.02"),
        ("env: [E3, E5, E6]", "env: [E3, E5, E6, E8]"),
        ("lrs: [1e-5, 1e-4]", "lrs: [1e-5, 1e-4, 1e-3]"),
        ("requires: [harm, use]", "requires: [harm, use, mandate]"),
        ("sens: [88, 100]", "sens: [180, 200]"),  # more labels of the same judge are evidence
        ("max_disagreement: 0.05", "max_disagreement: 0.01"),
        ("on_fail: hold", "on_fail: block"),
    ],
)
def test_asking_more_is_not(old: str, new: str) -> None:
    """A stricter file is as good as the one before."""
    assert old in CRITERIA

    assert weaker(read(CRITERIA), read(CRITERIA.replace(old, new))) == ()
    assert weaker(read(CRITERIA), read(CRITERIA)) == ()
