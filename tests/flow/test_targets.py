"""What learning is given of comparisons is made by the rule that a project names."""

from __future__ import annotations

from pathlib import Path

import pytest

from normwright import flow
from normwright.records import InputError, Outcome


def outcomes(directory: Path, rule: str) -> list[Outcome]:
    """The outcomes of the small template by one rule."""
    flow.init(directory, "micro")
    file = directory / flow.FILE
    text = file.read_text(encoding="utf-8")
    assert text.count("ranking: schulze") == 1
    changed = text.replace("ranking: schulze", f"ranking: schulze, targets: {rule}")
    file.write_text(changed, encoding="utf-8")
    flow.run(directory, until="aggregate")
    return [one for one in flow.findings(directory).outcomes if one.pairs]


@pytest.mark.parametrize("rule", ["pooled", "majority"])
def test_the_outcome_says_which_rule_was_chosen_and_how_far_others_differ(
    tmp_path: Path, rule: str
) -> None:
    """Every norm that was compared has a target; pooling everybody is one choice among several."""
    made = outcomes(tmp_path / "micro", rule)

    assert made
    for outcome in made:
        assert outcome.targets is not None
        assert outcome.targets.rule == rule
        assert {t.about for t in outcome.targets.targets} == {p.norm for p in outcome.pairs}
        assert outcome.targets.differences
        told = {t.probability for t in outcome.targets.targets}
        assert (told <= {0.0, 0.5, 1.0}) is (rule == "majority")


def test_an_unknown_rule_is_told_before_anything_runs(tmp_path: Path) -> None:
    """The project file names what it may say."""
    with pytest.raises(InputError, match="targets"):
        outcomes(tmp_path / "micro", "everybody")
