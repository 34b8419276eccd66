"""The template's consultation is what its generator makes, and is fit for what it is there for."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from tests.loading import load_script

from normwright.aggregate import aggregate
from normwright.elicit import Consulted, read_consultation
from normwright.records import Estimate, Outcome

ROOT = Path(__file__).parents[2]
TOWN = ROOT / "src" / "normwright" / "flow" / "templates" / "town"
REJECTED = "o.satire.no-jokes"


@cache
def script() -> ModuleType:
    """The generator, loaded from its file."""
    return load_script(ROOT / "scripts" / "make_town.py")


@cache
def town() -> Consulted:
    """The committed consultation."""
    return read_consultation(TOWN / "consultation", root=TOWN)


@cache
def outcomes() -> tuple[Outcome, ...]:
    """One outcome a polity."""
    c = town()
    return tuple(
        aggregate(
            process=c.process,
            polity=polity,
            participants=c.participants,
            statements=c.statements,
            votes=c.votes,
            comparisons=c.comparisons,
            seed=1,
            bootstrap=20,
        )
        for polity in c.polities
    )


def support() -> dict[str, dict[str, list[tuple[int, int]]]]:
    """By norm and group (and `all`): (on the norm's side, seen) of each statement about it."""
    about = {s.id: s for s in town().statements}
    found: dict[str, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for outcome in outcomes():
        for row in outcome.support:
            statement = about[row.statement]
            if statement.norm:
                side = row.agree if statement.endorses else row.disagree
                found[statement.norm]["all"].append((side, row.seen))
    return found


def test_committed_files_are_what_the_script_makes(capsys: pytest.CaptureFixture[str]) -> None:
    """`make_town.py --check` finds no difference, and finds one that is there."""
    assert script().main(["--check"]) == 0
    assert script().main(["--check", "--into", str(ROOT / "nowhere")]) == 1
    assert "votes.csv: not what" in capsys.readouterr().err


def test_it_is_marked_as_simulated() -> None:
    """The process says what it is, and nothing in the files says who thinks in which group."""
    assert town().process.kind == "simulated"
    assert town().process.seed is not None
    header = (TOWN / "consultation" / "participants.csv").read_text(encoding="utf-8").split("\n")[0]
    assert header == "participant,polities,lang"


def test_its_size() -> None:
    """As many statements, people, groups and languages as a story needs, with missing votes."""
    c = town()

    assert len(c.statements) >= 44
    assert len(c.participants) == 240
    assert c.languages == ("en", "pt")
    assert sum("town-hall" in p.polities for p in c.participants) == 90
    assert 0.4 < sum(p.lang == "pt" for p in c.participants) / 240 < 0.6
    cells = sum(s.authority in p.polities for p in c.participants for s in c.statements)
    assert 0.60 < len(c.votes) / cells < 0.75
    assert {f.kind for f in c.faults} == {"duplicate-votes"}


def test_every_norm_has_statements_both_ways() -> None:
    """Three or four statements about each norm, at least one of which speaks against it."""
    by_norm = defaultdict(list)
    for statement in town().statements:
        by_norm[statement.norm].append(statement.endorses)
    without = by_norm.pop(None)

    assert len(by_norm) == 13
    assert len(without) >= 3
    for endorses in by_norm.values():
        assert len(endorses) in (3, 4)
        assert False in endorses
        assert True in endorses


def test_texts_are_whole_in_both_languages() -> None:
    """Every statement is a sentence in each language, and no two are the same."""
    for lang in town().languages:
        texts = [s.text[lang] for s in town().statements]
        assert len(set(texts)) == len(texts)
        assert all(t[0].isupper() and t.endswith((".", "?")) and "  " not in t for t in texts)


def test_support_is_clear_except_where_it_is_meant_not_to_be() -> None:
    """Norms have a clear majority with real dissent; the ban on jokes has none."""
    for norm, groups in support().items():
        side, seen = (sum(x) for x in zip(*groups["all"], strict=True))
        if norm == REJECTED:
            assert 0.2 < side / seen < 0.35
        else:
            assert 0.65 < side / seen < 0.95


@pytest.mark.parametrize("polity", [0, 1])
def test_three_opinion_groups_are_there(polity: int) -> None:
    """The groups that were put into the votes are found in them, firmly."""
    grouping = outcomes()[polity].grouping

    assert len(grouping.groups) == 3
    assert grouping.null_p is not None
    assert grouping.null_p <= 0.05
    assert grouping.stability is not None
    assert grouping.stability.value is not None
    assert grouping.stability.value > 0.8


def test_comparisons_are_about_cases_the_norm_speaks_against() -> None:
    """Each person compares pairs in their language, apart where the norm spares the case."""
    source = yaml.safe_load((ROOT / "scripts" / "town.yaml").read_text(encoding="utf-8"))
    scenes = {s.id: s for s in script().draw_scenes(source["process"]["seed"])}
    lang = {p.id: p.lang for p in town().participants}
    made: dict[str, int] = defaultdict(int)
    for row in town().comparisons:
        scene = scenes[row.scene]
        made[row.participant] += 1
        tally = scene.norm if scene.applies else f"{scene.norm}#spared"
        assert (tally, scene.lang) == (row.norm, lang[row.participant])

    assert len(made) == 240
    assert set(made.values()) == {14, 15, 16, 17, 18}


def test_comparisons_say_what_the_votes_say() -> None:
    """People decline where they support the norm, not where it spares, and want the joke."""
    shares: dict[str, Estimate] = {p.norm: p.p_decline for o in outcomes() for p in o.pairs}

    assert len(shares) == 17
    for norm, share in shares.items():
        assert share.value is not None
        assert share.interval is not None
        if norm == REJECTED or norm.endswith("#spared"):
            assert share.interval.high < 0.5
        else:
            assert share.interval.low > 0.5


def test_views_are_kept_when_a_statement_is_added() -> None:
    """Adding a norm leaves everybody's answers about other norms where they were."""
    make = script()
    source = yaml.safe_load((ROOT / "scripts" / "town.yaml").read_text(encoding="utf-8"))
    before = make.make(source, [])["votes.csv"].splitlines()
    extra = {**source["statements"][0], "id": "z99"}
    after = make.make({**source, "statements": [*source["statements"], extra]}, [])["votes.csv"]
    kept = {line.rsplit(",", 1)[0] for line in after.splitlines() if ",z99," not in line}

    assert kept == {line.rsplit(",", 1)[0] for line in before}
