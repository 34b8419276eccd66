"""Two runs, link by link: what changed is told with its cause, and nothing is claimed beyond it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest
from tests.evaluate.town import scene
from tests.flow import consulted, micro

from normwright import flow
from normwright.evaluate import Expected, measure, observe
from normwright.flow import Context, Step, init_from, run_steps
from normwright.flow.compare import Comparison, RunName, compare
from normwright.records import (
    Dataset,
    Digest,
    Estimate,
    InputError,
    Judge,
    MadeBy,
    ModelRef,
    Record,
    RemoteUse,
    canonical_json,
    digest_json,
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that was run once."""
    made = micro.write_project(tmp_path / "micro")
    run_steps(made, micro.steps(made), seed=micro.SEED)
    return made


def between(one: Path, other: Path) -> Comparison:
    return compare(RunName(one), RunName(other))


def test_a_run_is_the_same_as_itself(project: Path) -> None:
    """Every link is empty but the verdict, which is the same twice."""
    found = between(project, project)

    assert found.before == found.after == f"{project}@1"
    assert (found.why, found.people, found.outcomes, found.norms) == ((), (), (), ())
    assert (found.data, found.models, found.behaviour, found.criteria) == ((), (), (), ())
    assert [(m.mode, m.before, m.after) for m in found.verdict] == [("internal", "HOLD", "HOLD")]


def test_changed_votes_are_counted_and_lead_to_all_they_changed(
    project: Path, tmp_path: Path
) -> None:
    """Votes taken, added and turned round are counted; the file is the cause, down to the end."""
    other = Path(shutil.copytree(project, tmp_path / "other"))
    votes = other / micro.VOTES
    lines = votes.read_text().splitlines()
    assert "p1,s1,disagree" in lines
    assert "p1,s0,agree" in lines
    lines.remove("p1,s0,agree")
    lines[lines.index("p1,s1,disagree")] = "p1,s1,pass"
    votes.write_text("\n".join([*lines, "p6,s0,agree", "p6,s1,pass"]) + "\n")
    run_steps(other, micro.steps(other), seed=micro.SEED)
    found = between(project, other)

    counted = {t.table: (t.added, t.removed, t.changed, t.after - t.before) for t in found.people}
    assert counted["votes"] == (2, 1, 1, 1)
    assert counted["participants"] == (1, 0, 0, 1)
    assert counted["statements"] == (0, 0, 0, 0)
    (cause,) = found.why
    assert (cause.kind, cause.name, cause.steps) == ("file", micro.VOTES, ("elicit",))
    assert cause.reaches[:2] == ("elicit", "aggregate")
    (outcome,) = found.outcomes
    assert (outcome.votes[0], outcome.participants) == (19, (6, 7))
    assert outcome.votes[1] == 20


def test_no_single_vote_is_told(project: Path, tmp_path: Path) -> None:
    """What is said of people is counts and roots: no participant stands in it."""
    other = Path(shutil.copytree(project, tmp_path / "other"))
    votes = other / micro.VOTES
    votes.write_text(votes.read_text().replace("p1,s1,disagree", "p1,s1,pass"))
    run_steps(other, micro.steps(other), seed=micro.SEED)
    told = json.dumps(between(project, other).as_json()["people"])

    assert '"p1"' not in told
    assert "disagree" not in told


def test_a_setting_is_named_with_both_values(project: Path) -> None:
    """The setting is the first cause, not the steps below; data and model are not the same."""
    run_steps(project, micro.steps(project, rows=6), seed=micro.SEED)
    found = compare(RunName(project, 1), RunName(project, 2))

    (cause,) = found.why
    assert (cause.kind, cause.name, cause.before, cause.after) == ("parameter", "rows", 5, 6)
    assert cause.reaches == ("learn.data", "learn.sft", "evaluate", "release")
    assert [(d.kind, d.rows) for d in found.data] == [("demonstrations", (5, 6))]
    assert [m.name for m in found.models] == ["tuned"]
    assert found.people == ()


def test_a_cause_without_consequence_says_so(project: Path) -> None:
    """A setting that was changed and made nothing else reaches nothing."""
    run_steps(project, micro.steps(project, unread=1), seed=micro.SEED)
    (cause,) = compare(RunName(project, 1), RunName(project, 2)).why

    assert (cause.name, cause.before, cause.after, cause.reaches) == ("unread", None, 1, ())


def test_another_seed_is_one_cause(project: Path) -> None:
    """The seed stands in every step's key and is told once."""
    run_steps(project, micro.steps(project), seed=micro.SEED + 1)
    (cause,) = compare(RunName(project, 1), RunName(project, 2)).why

    assert (cause.kind, cause.before, cause.after) == ("seed", micro.SEED, micro.SEED + 1)
    assert len(cause.steps) == 6


def test_a_run_that_stopped_early_stands_on_the_one_before(project: Path) -> None:
    """A later run of the first steps alone leaves the verdict, as long as that rests on them."""
    run_steps(project, micro.steps(project), seed=micro.SEED, until="aggregate")
    assert compare(RunName(project, 1), RunName(project, 2)).why == ()

    source = project / micro.VOTES
    source.write_text(source.read_text().replace("p1,s1,disagree", "p1,s1,pass"))
    run_steps(project, micro.steps(project), seed=micro.SEED, until="aggregate")
    found = compare(RunName(project, 2), RunName(project, 3))
    gone = [cause.name for cause in found.why if cause.kind == "step"]
    assert gone == ["learn.data", "learn.sft", "evaluate", "release"]
    assert [(m.before, m.after) for m in found.verdict] == [("HOLD", None)]


def test_runs_that_are_not_there_are_told(project: Path, tmp_path: Path) -> None:
    """An unknown number lists those there are; a project that was not run says what to do."""
    with pytest.raises(InputError, match="run 7: expected one of 1, saw 7"):
        compare(RunName(project, 7), RunName(project))
    with pytest.raises(InputError, match="normwright run"):
        compare(RunName(project), RunName(micro.write_project(tmp_path / "new")))


# Behaviour, paired by scene


def answering(right: int, *, refuse: int = 0, judge: str = "j") -> Step:
    """A step that asks 40 scenes; the first `right` are answered well, `refuse` are denied now."""

    def evaluate(ctx: Context) -> Iterator[Record | Digest]:
        scenes = [scene(id=f"s{n}", lang="en", template=f"privacy/t/{n}/en") for n in range(40)]
        answers = [
            observe(
                one,
                "It is private." if number < right else "5512",
                Expected("perform" if number >= 40 - refuse else "decline"),
                "decline" if number < right else "perform",
            )
            for number, one in enumerate(scenes)
        ]
        lines = "".join(canonical_json(a.model_dump(mode="json")) + "\n" for a in answers)
        stored = ctx.put_bytes(lines.encode())
        yield from measure(
            answers, scenes, role="tuned", model_digest=digest_json(right), seed=1, stored=stored,
            suites=("harm",),
        )  # fmt: skip

    return Step("evaluate", evaluate, parameters={"right": right, "refuse": refuse})


def two_runs(place: Path, one: Step, other: Step) -> Comparison:
    place.mkdir()
    for step in (one, other):
        run_steps(place, [step], seed=1)
    return compare(RunName(place, 1), RunName(place, 2))


def test_the_same_scenes_are_paired(tmp_path: Path) -> None:
    """Two runs that asked the same differ by a paired difference with interval and exact p."""
    found = two_runs(tmp_path / "p", answering(10), answering(30))
    change = next(m for m in found.behaviour if m.lang is None and m.norm is None)

    assert (change.suite, change.model) == ("harm", "tuned")
    assert change.before is not None
    assert change.after is not None
    assert (change.before.value, change.after.value) == (0.75, 0.25)
    assert change.paired is not None
    assert change.paired.difference.value == pytest.approx(-0.5)
    assert change.paired.discordant == (0, 20)
    assert change.paired.p_value == pytest.approx(2 / 2**20)
    assert (found.unpaired, found.left_out) == ("", 0)


def test_scenes_the_charters_decide_otherwise_are_left_out(tmp_path: Path) -> None:
    """What is right for a scene is the same on both sides of a pair; the others are counted."""
    found = two_runs(tmp_path / "p", answering(10), answering(30, refuse=8))
    change = next(m for m in found.behaviour if m.lang is None and m.norm is None)

    assert found.left_out == 8
    assert change.paired is not None
    assert change.paired.discordant == (0, 20)
    assert change.paired.difference.value == pytest.approx(-20 / 32)


# Rankings


SOI = """\
# FILE NAME: x.soi
# TITLE: Council
# DATA TYPE: soi
# MODIFICATION TYPE: original
# NUMBER ALTERNATIVES: 3
# NUMBER VOTERS: 9
# NUMBER UNIQUE ORDERS: 3
# ALTERNATIVE NAME 1: Ana
# ALTERNATIVE NAME 2: Rui
# ALTERNATIVE NAME 3: Eva
4: 1,2,3
3: 2,3,1
2: 3
"""


def test_changed_rankings_are_counted_and_move_who_is_ahead(tmp_path: Path) -> None:
    """Ballots are rows as votes are; standings, margins and voters are told, and no ballot is."""
    (tmp_path / "x.soi").write_text(SOI)
    made = init_from(
        tmp_path / "p", tmp_path / "x.soi", today=date(2026, 11, 26), answers={"unranked": "apart"}
    )
    flow.run(made.directory)
    source = made.directory / "consultation" / "x.soi"
    fewer = SOI.replace("VOTERS: 9", "VOTERS: 8").replace("2: 3\n", "1: 3\n")
    source.write_text(fewer.replace("3: 2,3,1", "3: 2,1,3"))
    flow.run(made.directory)
    found = compare(RunName(made.directory, 1), RunName(made.directory, 2))

    ballots = next(table for table in found.people if table.table == "ballots")
    assert (ballots.before, ballots.after, ballots.erased) == (9, 8, (0, 0))
    assert ballots.removed - ballots.added == 1
    assert ballots.added + ballots.changed >= 3
    (outcome,) = found.outcomes
    assert outcome.voters == (9, 8)
    assert {one.alternative for one in outcome.standings} != set()
    for standing in outcome.standings:
        assert standing.before != standing.after
    assert outcome.margins
    for margin in outcome.margins:
        above, below = margin.name.split(" > ")
        assert above < below
    assert 'tiers"' not in json.dumps(found.as_json()["people"])


def test_a_margin_that_turns_round_is_one_pair(tmp_path: Path) -> None:
    """Whoever is ahead, a pair of alternatives has one name and its margin changes sign."""
    two = (
        SOI.replace("2: 3\n", "")
        .replace("VOTERS: 9", "VOTERS: 7")
        .replace("ORDERS: 3", "ORDERS: 2")
    )
    (tmp_path / "x.soi").write_text(two)
    made = init_from(
        tmp_path / "p", tmp_path / "x.soi", today=date(2026, 11, 26), answers={"unranked": "apart"}
    )
    flow.run(made.directory)
    turned = two.replace("4: 1,2,3", "3: 1,2,3").replace("3: 2,3,1", "4: 2,3,1")
    (made.directory / "consultation" / "x.soi").write_text(turned)
    flow.run(made.directory)
    (outcome,) = compare(RunName(made.directory, 1), RunName(made.directory, 2)).outcomes

    values = {
        m.name: (m.before and m.before.value, m.after and m.after.value) for m in outcome.margins
    }
    sides = [(was > 0, now > 0) for was, now in values.values() if was and now]
    assert (True, False) in sides or (False, True) in sides
    assert all(was is not None and now is not None for was, now in values.values())


# Data and models


def making(name: str, *made: Record, reads: Sequence[str] = (), **parameters: object) -> Step:
    """A step that makes these records."""
    return Step(name, lambda ctx: iter(made), after=tuple(reads), parameters=parameters)


def dataset(content: str) -> Dataset:
    return Dataset(
        kind="demonstrations", rows=1, content=digest_json(content), process_kind="human"
    )


@pytest.mark.parametrize("changed", ["learn.data", "learn.corpora"])
def test_data_of_one_kind_from_two_steps_are_both_compared(tmp_path: Path, changed: str) -> None:
    """Scenes and corpora both make demonstrations; a change of either is told, and of which."""
    (tmp_path / "p").mkdir()
    for content in ("one", "two"):
        run_steps(
            tmp_path / "p",
            [
                making(name, dataset(f"{name} {content if name == changed else ''}"), say=content)
                for name in ("learn.data", "learn.corpora")
            ],
            seed=1,
        )
    found = compare(RunName(tmp_path / "p", 1), RunName(tmp_path / "p", 2))

    assert [(d.step, d.kind) for d in found.data] == [(changed, "demonstrations")]


def elsewhere(model: str) -> tuple[Record, ...]:
    """What a model behind an API leaves, and a judge that is one."""
    made_by = MadeBy(stage="evaluate")
    use = RemoteUse(
        role="judge", endpoint="https://a.test/v1", model="m", served=(model,), requests=1,
        answers=1, prompt_tokens=None, completion_tokens=None, content=digest_json("said"),
        made_by=made_by,
    )  # fmt: skip
    none = Estimate(value=None, interval=None, n=0)
    judge = Judge(
        name="model-judge", architecture="m at a.test", trained_on="unknown", files={},
        sensitivity={"en": none}, specificity={"en": none}, derived_from=(use.digest,),
        made_by=made_by,
    )  # fmt: skip
    ref = ModelRef(
        name="base", files={}, parameters=None, settings={"served": [model]}, made_by=made_by
    )
    return use, judge, ref


def test_models_without_files_are_told_apart_by_what_they_say_they_are(tmp_path: Path) -> None:
    """Behind an API another model is another model; the same one is unchanged."""
    (tmp_path / "p").mkdir()
    for n, model in enumerate(("m-1", "m-2", "m-2")):
        run_steps(tmp_path / "p", [making("learn.base", *elsewhere(model), n=n)], seed=1)
    runs = [RunName(tmp_path / "p", number) for number in (1, 2, 3)]

    assert [m.name for m in compare(runs[0], runs[1]).models] == ["base", "judge model-judge"]
    assert compare(runs[1], runs[2]).models == ()


# Withdrawal


def test_rows_of_somebody_who_withdrew_are_counted_as_erased(tmp_path: Path) -> None:
    """They are gone from the first run too, so none is removed: how many are erased is told."""
    project = consulted.finished(tmp_path / "bridge")
    flow.withdraw(project, consulted.WHO, then="rebuild")
    flow.run(project, until="charter")
    found = compare(RunName(project, 1), RunName(project))

    people = {table.table: table for table in found.people}
    assert people["participants"].erased == (1, 0)
    assert people["participants"].before - people["participants"].after == 1
    assert (people["participants"].added, people["participants"].removed) == (0, 0)
    votes = people["votes"]
    assert votes.erased[0] == votes.before - votes.after > 0
    assert votes.removed == votes.added == votes.changed == 0
