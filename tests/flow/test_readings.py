"""Two readings in a project: two consultations, one charter, and nothing of the first lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.flow.twice import EARLIER, NORM, consultation, write_project

from normwright import flow
from normwright.cli.standing import standing
from normwright.records import Charter, InputError, Outcome


def charter(directory: Path) -> Charter:
    flow.run(directory, until="charter")
    return standing(directory, Charter, step="charter")


def test_one_consultation_under_the_default_rule_leaves_the_norm_proposed(tmp_path: Path) -> None:
    """Without a charter.yaml that says otherwise, one reading is one of two."""
    made = charter(write_project(tmp_path / "town"))

    (waiting,) = made.proposed
    assert waiting.norm.id == NORM
    assert waiting.awaits.isoformat() == "2026-11-15"
    assert NORM not in {n.id for n in made.norms}


def test_two_consultations_carry_it_and_the_second_run_skips_both(tmp_path: Path) -> None:
    """Each reading is read and counted by steps of its own; what is shown is of the last one."""
    directory = write_project(tmp_path / "town", **EARLIER)
    consultation(directory / "first", "first")

    made = charter(directory)

    norm = next(n for n in made.norms if n.id == NORM)
    assert norm.provenance is not None
    assert [(r.process, r.held_on.isoformat(), r.carried) for r in norm.provenance.readings] == [
        ("first", "2026-10-01", True), ("second", "2026-11-01", True),
    ]  # fmt: skip
    assert norm.provenance.change is not None
    assert (norm.provenance.change.value, norm.provenance.decision_level) == (0, "L3")
    assert (norm.status, made.process) == ("in_force", "second")
    again = flow.run(directory, until="charter")
    assert [line.name for line in again.stages if line.skipped] == [
        "elicit.reading-1", "aggregate.reading-1", "elicit", "aggregate", "charter",
    ]  # fmt: skip
    assert {o.process for o in flow.findings(directory).outcomes} == {"second"}
    with flow.open_store(directory, create=False) as store:
        assert len(store.records(made.derived_from, Outcome)) == 2
    assert [r.process.id for r in flow.readings_of(directory)] == ["first", "second"]
    assert flow.verify(directory).faults == ()


def test_reading_that_turned_the_norm_down_begins_the_count_anew(tmp_path: Path) -> None:
    """What people rejected in October and carried in November waits for another vote."""
    directory = write_project(tmp_path / "town", **EARLIER)
    consultation(directory / "first", "first", agree=20)

    made = charter(directory)

    (waiting,) = made.proposed
    assert waiting.norm.provenance is not None
    assert [r.carried for r in waiting.norm.provenance.readings] == [False, True]


def test_readings_of_people_and_of_simulated_ones_make_no_charter(tmp_path: Path) -> None:
    """They may lie side by side; no charter is made of both."""
    directory = write_project(tmp_path / "town", **EARLIER)
    consultation(directory / "first", "first", kind="simulated")

    with pytest.raises(InputError, match="No charter mixes people with simulated ones"):
        charter(directory)


@pytest.mark.parametrize(
    ("sources", "where", "says"),
    [
        ({"readings": [{"consultation": "nowhere", "held_on": "2026-10-01"}]},
         "sources.readings[0].consultation", "not there"),
        ({"readings": [{"consultation": "consultation", "held_on": "2026-11-31"}]},
         "sources.readings[0].held_on", "2026-11-31"),
        ({"readings": [{"consultation": "consultation", "held_on": "2026-11-01"}]},
         "sources.readings[0].held_on", "2026-11-01"),
        ({"readings": [{"consultation": "consultation", "on": "2026-10-01"}]},
         "sources.readings[0].on", "on"),
        ({**EARLIER, "norms": None}, "sources.readings", "sources.readings without it"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_reading_is_told_where_it_stands(
    tmp_path: Path, sources: dict[str, Any], where: str, says: str
) -> None:
    """A folder that is not there, a day that is none or too late, a key that is not known."""
    directory = write_project(tmp_path / "town", **sources)
    if "norms" in sources:
        consultation(directory / "first", "first")

    with pytest.raises(InputError) as caught:
        flow.load_project(directory)

    found = {f.where.removeprefix(f"{flow.FILE}: "): f.seen for f in caught.value.faults}
    assert where in found
    assert says in found[where]


@pytest.mark.parametrize("left", ["first", "second"])
def test_somebody_may_withdraw_from_either_reading(tmp_path: Path, left: str) -> None:
    """Their rows leave that vote and stay in the other; the charter of both is counted anew."""
    directory = write_project(tmp_path / "town", **EARLIER)
    consultation(directory / "first", "first")
    charter(directory)

    done = flow.withdraw(directory, "v003", process=left, then="rebuild")

    assert done.receipt is not None
    assert (done.receipt.process, done.receipt.changes.norms) == (left, False)
    place = {"first": "first", "second": "consultation"}
    for name, folder in place.items():
        text = (directory / folder / "votes.csv").read_text(encoding="utf-8")
        assert ("v003" in text) == (name != left)
    norm = next(n for n in charter(directory).norms if n.id == NORM)
    assert norm.provenance is not None
    assert [r.people for r in norm.provenance.readings] == [
        60 - (left == name) for name in ("first", "second")
    ]
