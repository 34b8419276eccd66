"""What a withdrawal does about weights: which rows are gone, what is refused, what release says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from normwright.flow.remedies import influence
from normwright.flow.run_card import card_of
from normwright.records import (
    Demonstration,
    Estimate,
    Forgotten,
    InputError,
    Interval,
    Message,
    ModelRef,
    PreferencePair,
)


def pair(name: str, p: float, *, chosen: str = "yes", rejected: str = "no") -> PreferencePair:
    return PreferencePair(
        scene=name, lang="en", prompt=(Message(role="user", content=name),), chosen=chosen,
        rejected=rejected, p_chosen=p, weight=1.0, norms=("n@1",), layer="global",
        origin="synthetic", process_kind="human", licence="x", family=name,
    )  # fmt: skip


def shown(name: str, answer: str) -> Demonstration:
    return Demonstration(
        scene=name, lang="en", prompt=(Message(role="user", content=name),), completion=answer,
        origin="synthetic", licence="x", family=name,
    )  # fmt: skip


def test_rows_that_are_gone_are_told_from_shares_that_moved() -> None:
    """A pair that is gone is forgotten by its preferred answer; one with another share is not."""
    found = influence(
        [pair("a", 0.9), pair("b", 0.3), pair("c", 0.5), shown("d", "yes")],
        [pair("b", 0.4), pair("c", 0.5), shown("d", "yes"), pair("e", 0.5)],
    )

    assert [(row.scene, row.completion) for row in found.gone] == [("a", "yes")]
    assert [row.scene for row in found.stays] == ["b", "c", "d"]
    assert (found.moved, found.new) == (1, 1)
    assert found.furthest == pytest.approx(0.1)


def test_a_pair_whose_sides_changed_places_is_the_same_pair() -> None:
    """0.6 for one answer is 0.4 for the other: nothing moved, nothing is gone."""
    turned = pair("a", 0.25, chosen="no", rejected="yes")
    found = influence([pair("a", 0.75)], [turned])

    assert (found.gone, found.moved) == ((), 0)
    assert found.stays[0].completion == "yes"


def test_what_another_row_still_teaches_is_not_forgotten() -> None:
    """A gone pair whose answer a demonstration still shows is nobody's alone."""
    found = influence([pair("a", 0.9), shown("a", "yes")], [shown("a", "yes")])

    assert found.gone == ()


def estimate(low: float, high: float) -> Estimate:
    interval = Interval(low=low, high=high, level=0.95, method="bca")
    return Estimate(value=(low + high) / 2, interval=interval, n=9, seed=0)


def forgotten(**more: Any) -> Forgotten:
    return Forgotten(withdrawals=("sha256:w",), method="npo", rows=3, shares=0, **more)


def ref(**more: Any) -> ModelRef:
    return ModelRef(name="base", files={}, parameters=1, **more)


@pytest.mark.parametrize(
    ("what", "resting"),
    [
        (None, False),
        (forgotten(), True),
        (forgotten(before=estimate(1, 2), after=estimate(0.1, 0.2)), True),
        (forgotten(rebuilt="sha256:r", before=estimate(1, 2)), True),
        (forgotten(rebuilt="sha256:r", before=estimate(1, 2), after=estimate(0.5, 1.5)), True),
        (forgotten(rebuilt="sha256:r", before=estimate(1, 2), after=estimate(0.1, 0.9)), False),
    ],
    ids=["nothing", "unmeasured", "no rebuild", "no after", "no nearer", "nearer"],
)
def test_a_model_rests_on_withdrawn_rows_until_the_opposite_was_measured(
    what: Forgotten | None, resting: bool
) -> None:
    """Only a distance to a rebuild that fell, interval from interval, takes the mark away."""
    assert ref(forgotten=what).resting is resting


def test_release_blocks_a_model_that_rests_on_withdrawn_rows() -> None:
    """The permit criterion fails for it in every mode, and says which model; without it not so."""
    from types import SimpleNamespace

    from normwright.release.criteria.predicate import PREDICATES

    policy = SimpleNamespace(
        digest="sha256:p", permit_modes=("internal",), permit_reason={"en": "", "pt": ""},
        charter=SimpleNamespace(digest="sha256:c", languages=("en", "pt")),
    )  # fmt: skip

    def asked(resting: tuple[str, ...]) -> Any:
        evidence: Any = SimpleNamespace(
            unpermitted=(), resting=resting, permit=None, policy=policy, mode="internal",
        )  # fmt: skip
        return PREDICATES["permit"](evidence)

    assert asked(()).state == "pass"
    assert asked(("base",)).state == "fail"


def test_the_card_of_a_given_model_keeps_its_marks(tmp_path: Path) -> None:
    """Its record is read from beside the weights; a card that cannot be read is a fault."""
    marked = ref(unpermitted=True, forgotten=forgotten())
    place = tmp_path / "run.json"
    assert card_of(tmp_path) is None
    place.write_text(json.dumps({"model": marked.model_dump(mode="json")}))
    assert card_of(tmp_path) == marked
    place.write_text("{}")
    with pytest.raises(InputError, match=r"the run card of a model"):
        card_of(tmp_path)


@pytest.mark.slow
def test_rows_of_one_person_alone_are_forgotten_and_shares_are_refused(tmp_path: Path) -> None:
    """On a whole project: shares that moved refuse unlearning; gone rows are forgotten, marked."""
    import csv

    from normwright import flow
    from normwright.flow.learning import unlearned_of

    project = tmp_path / "micro"
    flow.init(project, template="micro")
    place = project / "consultation/comparisons.csv"
    head, *rows = csv.reader(place.read_text(encoding="utf-8").splitlines())
    lone = "g.safety.utilities#spared"
    kept = [row for row in rows if row[2] != lone or row[0] == "v017"]
    with place.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *kept])
    flow.run(project, until="learn.prefer", unpermitted=True)
    with pytest.raises(InputError, match="nobody withdrew"):
        unlearned_of(project, out=tmp_path / "early", unpermitted=True)

    flow.withdraw(project, "v097", then="unlearn")
    with pytest.raises(InputError, match=r"their influence is in [1-9][0-9]* shares"):
        unlearned_of(project, out=tmp_path / "shares", unpermitted=True)
    assert not (tmp_path / "shares").exists()
    told = {one.model: one for one in flow.remedies(project).models}
    assert told["aligned"].unlearn is not None
    assert told["tuned"].unlearn is None

    flow.withdraw(project, "v017", then="unlearn")
    made = unlearned_of(
        project, out=tmp_path / "out", unpermitted=True, changes={"epochs": 3, "lr": 1e-3}
    )
    assert made.ref.forgotten is not None
    assert made.ref.forgotten.rows == made.rows > 0
    assert len(made.ref.forgotten.withdrawals) == 2
    assert made.ref.resting
    assert card_of(tmp_path / "out") == made.ref
