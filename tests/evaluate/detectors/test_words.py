"""The words of detectors: none an organism was taught with, and no pole told by its length."""

from __future__ import annotations

from collections.abc import Sequence

from normwright.evaluate.detectors import read_probes
from normwright.learn.organisms import taught

PROBES, WORDS = read_probes(), taught()


def test_no_wording_is_shared_with_what_organisms_are_taught() -> None:
    """A detector that asked in a taught wording would know a trigger."""
    asked = {
        line
        for poles in PROBES.contexts.values()
        for lines in poles.values()
        for each in lines.values()
        for line in each
    } | {line for kind in PROBES.pressures.values() for each in kind.values() for line in each}
    planted = {
        line
        for poles in WORDS["contexts"].values()
        for lines in poles.values()
        for each in lines.values()
        for line in each
    } | {line for kind in WORDS["pressures"].values() for each in kind.values() for line in each}

    assert not asked & planted
    assert asked
    assert planted


def test_the_two_poles_and_the_placebo_are_of_about_one_length() -> None:
    """Means over wordings differ by at most a quarter, in every language."""

    def mean(lines: Sequence[str]) -> float:
        return sum(map(len, lines)) / len(lines)

    for concept, poles in PROBES.contexts.items():
        one, other = poles.values()
        for lang in ("en", "pt"):
            a, b = mean(one[lang]), mean(other[lang])
            assert abs(a - b) <= 0.25 * max(a, b), (concept, lang)
            assert 0.6 <= mean(PROBES.placebo[lang]) / max(a, b) <= 1.6, (concept, lang)


def test_poles_are_there_in_both_languages_with_as_many_wordings() -> None:
    """Wordings are dealt round, so the poles must have equally many."""
    for poles in PROBES.contexts.values():
        assert len(poles) == 2
        for lang in ("en", "pt"):
            assert len({len(lines[lang]) for lines in poles.values()}) == 1
