"""`normwright aggregate`: the JSON that others call, screens, pictures, and what is refused."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from normwright.plugins import cards

CAPITAL = """\
# FILE NAME: capital.soc
# TITLE: The capital
# DATA TYPE: soc
# MODIFICATION TYPE: original
# NUMBER ALTERNATIVES: 4
# NUMBER VOTERS: 100
# NUMBER UNIQUE ORDERS: 4
# ALTERNATIVE NAME 1: Memphis
# ALTERNATIVE NAME 2: Nashville
# ALTERNATIVE NAME 3: Chattanooga
# ALTERNATIVE NAME 4: Knoxville
42: 1,2,3,4
26: 2,3,4,1
17: 4,3,2,1
15: 3,4,2,1
"""
BLOCKS = """\
# FILE NAME: blocks.soi
# TITLE: Two blocks
# DATA TYPE: soi
# MODIFICATION TYPE: original
# NUMBER ALTERNATIVES: 6
# NUMBER VOTERS: 100
# NUMBER UNIQUE ORDERS: 2
# ALTERNATIVE NAME 1: a
# ALTERNATIVE NAME 2: b
# ALTERNATIVE NAME 3: c
# ALTERNATIVE NAME 4: x
# ALTERNATIVE NAME 5: y
# ALTERNATIVE NAME 6: z
51: 1,2,3
49: 4,5,6
"""
CYCLE = """\
# FILE NAME: cycle.soc
# TITLE: A cycle
# DATA TYPE: soc
# MODIFICATION TYPE: original
# NUMBER ALTERNATIVES: 3
# NUMBER VOTERS: 9
# NUMBER UNIQUE ORDERS: 3
# ALTERNATIVE NAME 1: a
# ALTERNATIVE NAME 2: b
# ALTERNATIVE NAME 3: c
4: 1,2,3
3: 2,3,1
2: 3,1,2
"""
THEORIES = """\
options: [share, withhold, ask]
theories:
  outcomes: {credence: 0.5, worth: {share: 10, withhold: 0, ask: 9}}
  duties: {credence: 0.5, order: [ask, [share, withhold]]}
"""

STAKES = """\
options: [A, B, C]
theories:
  first: {credence: 0.5, scale: interval, worth: {A: 1, B: 0.9, C: 0}}
  second: {credence: 0.35, scale: interval, worth: {A: 0, B: 1, C: 0.4}}
  third: {credence: 0.15, scale: interval, worth: {A: -1000, B: 0, C: 1000}}
"""
BAD = """\
options: [a, b]
theories:
  u: {credence: 0.5, scale: money, worth: {a: 1, b: 2}}
  v: {credence: 0.4, scale: interval, worth: {a: .inf, c: 1, b: 0}}
"""
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def capital(tmp_path: Path) -> Path:
    """The textbook vote on a capital: plurality Memphis, runoff Knoxville, Condorcet Nashville."""
    path = tmp_path / "capital.soc"
    path.write_text(CAPITAL, encoding="utf-8")
    return path


def test_rank_is_the_contract(call: Call, capital: Path) -> None:
    """The keys others call are there, with the names in the file."""
    told = call("aggregate", "rank", capital, "--method", "schulze", "--json")

    assert told.code == 0
    assert (told.value["method"], told.value["unranked"]) == ("schulze", "last")
    assert (told.value["ballots"], told.value["alternatives"]) == (100, 4)
    assert told.value["tied"] is False
    assert told.value["winners"] == ["Nashville"]
    assert told.value["ranking"] == [["Nashville"], ["Chattanooga"], ["Knoxville"], ["Memphis"]]


def test_rules_differ_as_the_textbook_says(call: Call, capital: Path) -> None:
    """All methods at once: a row each, and those that need grades say so instead of guessing."""
    rows = call("aggregate", "rank", capital, "--method", "all", "--json").value["rows"]
    winners = {row["method"]: row["winners"] for row in rows}

    assert set(winners) == {card.name for card in cards("methods")}
    assert (winners["plurality"], winners["irv"]) == (["Memphis"], ["Knoxville"])
    assert winners["borda"] == winners["kemeny"] == winners["maximal-lottery"] == ["Nashville"]
    refused = {row["method"]: row["refused"] for row in rows if row["winners"] is None}
    assert "majority-judgement" in refused
    assert all(fault["expected"] and fault["seen"] for each in refused.values() for fault in each)


def test_a_method_that_does_not_apply_is_an_error(call: Call, capital: Path) -> None:
    """Asked for by name, it says what it needs, what was seen, and what to do."""
    told = call("aggregate", "rank", capital, "--method", "majority-judgement", "--json")

    assert told.code == 1
    assert "grades" in told.faults[0]["expected"]


def test_unknown_method_names_the_nearest(call: Call, capital: Path) -> None:
    """A slip of the pen is answered with the method that was probably meant."""
    told = call("aggregate", "rank", capital, "--method", "shulze")

    assert told.code == 1
    assert "schulze" in told.err


def test_what_a_ballot_leaves_out_is_said(call: Call, tmp_path: Path) -> None:
    """`last` by default, `apart` if asked for; always printed, and it decides who wins."""
    path = tmp_path / "short.soi"
    lines = BLOCKS.replace("51: 1,2,3\n49: 4,5,6", "51: 1\n49: 4,1")
    path.write_text(lines, encoding="utf-8")
    last = call("aggregate", "rank", path, "--json").value
    apart = call("aggregate", "rank", path, "--unranked", "apart", "--json").value

    assert (last["unranked"], last["winners"]) == ("last", ["a"])
    assert apart["unranked"] == "apart"
    assert "a" not in apart["winners"]
    assert "below all" in call("aggregate", "rank", path).out


def test_a_slate_for_the_majority_only_is_found_out(call: Call, tmp_path: Path) -> None:
    """51 % take all by approval voting: 49 % have no voice, and are named by what they support."""
    path = tmp_path / "blocks.soi"
    path.write_text(BLOCKS, encoding="utf-8")
    plain = call("aggregate", "slate", path, "--size", 3, "--method", "av", "--json").value
    fair = call("aggregate", "slate", path, "--size", 3, "--method", "equal-shares", "--json").value

    assert plain["slate"] == ["a", "b", "c"]
    assert plain["jr"]["satisfied"] is False
    assert plain["jr"]["witness"]["voters"] == 49
    assert plain["jr"]["witness"]["lacks"] in "xyz"
    assert fair["jr"]["satisfied"] is True
    assert fair["ejr_plus"]["satisfied"] is True
    assert "NOT satisfied" in call("aggregate", "slate", path, "--size", 3, "--method", "av").out


def test_compare_says_whether_the_choice_depends_on_the_rule(call: Call, capital: Path) -> None:
    """Rules, their winners, and the share of pairs they agree on, with n, interval and seed."""
    told = call("aggregate", "compare", capital, "--resamples", 20, "--seed", 3, "--json").value

    assert told["depends"] is True
    assert told["agreed"]["n"] == 100
    assert told["agreed"]["seed"] == 3
    assert told["camps"][0]["winners"] == ["Nashville"]


def test_compare_takes_theories(call: Call, tmp_path: Path) -> None:
    """A file of theories is asked by the rules for normative uncertainty; some refuse, in words."""
    path = tmp_path / "theories.yaml"
    path.write_text(THEORIES, encoding="utf-8")
    told = call("aggregate", "compare", path, "--json").value
    mec = next(row for row in told["rows"] if row["rule"] == "mec")

    assert told["kind"] == "compromises"
    assert mec["refused"]
    assert not mec["tiers"]


@pytest.mark.parametrize(("lang", "says"), [("en", "Robust: ask the office"), ("pt", "0,533")])
def test_choose_acts_on_the_example(call: Call, tmp_path: Path, lang: str, says: str) -> None:
    """The example is acted on, in words of the language, and drawn so that it can be read aloud."""
    picture = tmp_path / "choice.svg"
    told = call("aggregate", "choose", EXAMPLES / "theories.yaml", "--lang", lang, "--picture",
                picture)  # fmt: skip
    root = ET.fromstring(picture.read_text(encoding="utf-8"))

    assert told.code == 0
    assert says in told.out
    assert root.get("lang") == lang


def test_choose_sends_what_rules_differ_on_to_people(call: Call, tmp_path: Path) -> None:
    """The worked case: raw expectation refuses, B is chosen, favourites say A, nobody acts."""
    path = tmp_path / "stakes.yaml"
    path.write_text(STAKES, encoding="utf-8")
    called = call("aggregate", "choose", path, "--json")
    told, shown = called.value, call("aggregate", "choose", path)
    rules = {row["rule"]: row for row in told["rules"]}

    assert called.code == 0
    assert (told["chosen"], told["act"]) == (["B"], None)
    assert "comparable: true" in rules["mec"]["refused"]
    assert rules["my-favourite-theory"]["winners"] == ["A"]
    assert [d["kind"] for d in told["doubts"]] == ["rules-differ", "little-turns"]
    assert "people have to decide" in shown.out


def test_choose_tells_every_fault_at_once(call: Call, tmp_path: Path, capital: Path) -> None:
    """Sums, unknown options, scales and endless stakes; and a file that holds no theories."""
    path = tmp_path / "bad.yaml"
    path.write_text(BAD, encoding="utf-8")
    told = call("aggregate", "choose", path, "--json")
    seen = {f["where"].removeprefix(f"{path}: "): f for f in told.faults}

    assert told.code == 1
    assert set(seen) == {"u, scale", "v, worth of a", "v, worth", "credence"}
    assert "norm of the charter" in seen["v, worth of a"]["do"]
    for other in (capital, tmp_path / "none.yaml"):
        assert call("aggregate", "choose", other, "--json").faults[0]["where"] == str(other)


@pytest.mark.parametrize("lang", ["en", "pt"])
@pytest.mark.parametrize(
    "arguments", [("rank", "--method", "borda"), ("compare", "--resamples", "5")]
)
def test_pictures_are_whole_files(
    call: Call, capital: Path, tmp_path: Path, lang: str, arguments: tuple[str, ...]
) -> None:
    """Each is well-formed, says its language, and can be read by those who cannot see it."""
    verb, *rest = arguments
    picture = tmp_path / "drawn.svg"
    told = call("aggregate", verb, capital, *rest, "--picture", picture, "--lang", lang)
    root = ET.fromstring(picture.read_text(encoding="utf-8"))

    assert told.code == 0
    assert root.get("lang") == lang
    assert root.findtext("{http://www.w3.org/2000/svg}title")
    assert root.findtext("{http://www.w3.org/2000/svg}desc")


def test_a_picture_that_cannot_be_written_is_told_first(call: Call, capital: Path) -> None:
    """Nothing is counted for a picture that has no place; both faults are told at once."""
    told = call("aggregate", "rank", capital, "--picture", "nowhere/at/all.png", "--json")

    assert told.code == 1
    assert [f["where"] for f in told.faults] == ["--picture", "--picture"]


def test_a_file_without_ballots_says_what_it_holds(call: Call, tmp_path: Path) -> None:
    """Preference pairs are no ballots over shared alternatives."""
    path = tmp_path / "pairs.jsonl"
    path.write_text(
        '{"prompt": "Say hello.", "chosen": "Hello.", "rejected": "No."}\n' * 2, encoding="utf-8"
    )
    told = call("aggregate", "rank", path, "--json")

    assert told.code == 1
    assert "pairs" in told.faults[0]["seen"]


def polis(folder: Path, votes: list[list[int]]) -> Path:
    """Write votes as an export of Polis: a row a participant, agreement in percent."""
    folder.mkdir()
    count = len(votes[0])
    head = "timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body"
    comments = [head]
    for j in range(count):
        agrees, against = (sum(row[j] == v for row in votes) for v in (1, -1))
        comments.append(f"1500000000,x,{j},0,{agrees},{against},1,Statement number {j}.")
    (folder / "comments.csv").write_text("\n".join(comments) + "\n", encoding="utf-8")
    columns = ",".join(str(j) for j in range(count))
    rows = [f"participant,group-id,n-comments,n-votes,n-agree,n-disagree,{columns}"]
    for i, row in enumerate(votes):
        told = ",".join(str(v) for v in row)
        rows.append(f"{i},,0,{count},{row.count(1)},{row.count(-1)},{told}")
    (folder / "participants-votes.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def camps(seed: int, apart: bool) -> list[list[int]]:
    """Votes of 90 people on 24 statements: of two camps far apart, or everybody by chance."""
    rng = random.Random(seed)
    lean = [[rng.choice((0.08, 0.92)) for _ in range(24)], [0.5] * 24]
    lean[1] = [1 - p for p in lean[0]] if apart else lean[1]
    if not apart:
        lean[0] = lean[1]
    return [[1 if rng.random() < p else -1 for p in lean[i % 2]] for i in range(90)]


def test_groups_are_found_where_there_are_any(call: Call, tmp_path: Path) -> None:
    """Two camps are two groups; the same people answering by chance are none, and both say why."""
    two = polis(tmp_path / "two", camps(1, apart=True))
    none = polis(tmp_path / "none", camps(1, apart=False))
    found = call("aggregate", "groups", two, "--resamples", 20, "--json").value
    chance = call("aggregate", "groups", none, "--resamples", 20, "--json").value

    assert (found["supported"], found["k"], sorted(found["sizes"])) == (True, 2, [45, 45])
    assert found["stability"]["ari_median"] > 0.9
    assert chance["supported"] is False
    assert chance["reason"]
    for told in (found, chance):
        assert {"k", "sizes", "stability", "consensus", "majority"} <= set(told)
        assert set(told["stability"]) >= {"ari_median", "ari_p10"}


def test_ballots_have_no_opinion_groups(call: Call, capital: Path) -> None:
    """Groups are looked for in votes on statements; a ranking is told what it is for."""
    told = call("aggregate", "groups", capital, "--json")

    assert told.code == 1
    assert "rank" in told.faults[0]["do"]


def test_audit_is_the_contract(call: Call, capital: Path) -> None:
    """Findings carry a witness of the breach; the core is pairs; what was left out is told."""
    told = call(
        "aggregate", "audit", capital, "--resamples", 20, "--budget", 3, "--method", "plurality",
        "--method", "schulze", "--json",
    ).value  # fmt: skip
    keys = {"axiom", "method", "rate", "interval", "witness"}
    condorcet = {f["method"]: f for f in told["findings"] if f["axiom"] == "condorcet"}

    assert all(keys <= set(one) for one in told["findings"])
    assert condorcet["plurality"]["rate"] > 0.8
    assert condorcet["plurality"]["witness"]["data"]
    assert condorcet["schulze"]["witness"] is None
    assert all(len(pair) == 2 for pair in told["robust_core"])
    assert told["cycles"]["condorcet_winner"] == "Nashville"


def test_audit_names_the_weakest_link_of_a_cycle(call: Call, tmp_path: Path) -> None:
    """Majorities that go round are told with the link that breaks first, and drawn."""
    path = tmp_path / "cycle.soc"
    path.write_text(CYCLE, encoding="utf-8")
    picture = tmp_path / "beats.svg"
    arguments = ("--resamples", 10, "--budget", 2, "--method", "schulze", "--picture", picture)
    told = call("aggregate", "audit", path, *arguments)

    assert "circle" in told.out
    assert "by 1 voters" in told.out
    assert "stroke-dasharray" in picture.read_text(encoding="utf-8")


def test_audit_finds_the_discursive_dilemma(call: Call, tmp_path: Path) -> None:
    """Three consistent thirds make a majority that cannot stand; the smallest conflict is named."""
    votes = [[1, 1, 1], [1, -1, -1], [-1, 1, -1]] * 20
    place = polis(tmp_path / "court", votes)
    links = tmp_path / "links.yaml"
    links.write_text("- equivalent: [2, {all: [0, 1]}]\n", encoding="utf-8")
    arguments = ("--method", "schulze", "--resamples", 10, "--budget", 2, "--links", links)
    told = call("aggregate", "audit", place, *arguments, "--json").value["coherence"]

    assert told["consistent"] is False
    assert [one["verdicts"] for one in told["dilemmas"]] == [{"0": True, "1": True, "2": False}]
    assert told["individuals"]["value"] == 1.0
    assert "cannot all stand" in call("aggregate", "audit", place, *arguments).out


def test_links_that_cannot_be_used_are_told(call: Call, capital: Path, tmp_path: Path) -> None:
    """Unknown keys and ballots without votes are both faults of one error."""
    links = tmp_path / "links.yaml"
    links.write_text("links: [{implies: [a, b]}]\nquorum: 3\n", encoding="utf-8")
    told = call("aggregate", "audit", capital, "--links", links, "--json")

    assert told.code == 1
    assert len(told.faults) == 2
    links.write_text("links: [{implies: [a, b]}]\npremises: a\n", encoding="utf-8")
    told = call("aggregate", "audit", capital, "--links", links, "--json")
    assert len(told.faults) == 2


def test_weights_stand_beside_the_unweighted(call: Call, tmp_path: Path) -> None:
    """A trait that too many of those who took part share moves the result, at a stated cost."""
    votes = [[1, -1]] * 60 + [[-1, 1]] * 40
    place = polis(tmp_path / "town", votes)
    traits, margins = tmp_path / "traits.csv", tmp_path / "margins.yaml"
    rows = "".join(f"{i},{'north' if i < 60 else 'south'}\n" for i in range(100))
    traits.write_text("participant,region\n" + rows, encoding="utf-8")
    margins.write_text("region: {north: 0.3, south: 0.7}\n", encoding="utf-8")
    arguments = ("--method", "borda", "--traits", traits, "--margins", margins)
    told = call("aggregate", "rank", place, *arguments, "--json").value

    assert told["winners"] == ["0"]
    assert told["weighted"]["winners"] == ["1"]
    assert told["weighted"]["weighting"]["design_effect"] > 1
    assert "Design effect" in call("aggregate", "rank", place, *arguments).out
    assert call("aggregate", "rank", place, "--traits", traits, "--json").code == 1
    traits.write_text("participant,region\n7,south\n" + rows, encoding="utf-8")
    twice = call("aggregate", "rank", place, *arguments, "--json")
    assert "1 more than once, such as 7" in twice.faults[0]["seen"]


def test_simulated_rates_have_intervals_and_are_drawn(call: Call, tmp_path: Path) -> None:
    """Schulze never misses a Condorcet winner, plurality does; approval needs more than orders."""
    picture = tmp_path / "curves.svg"
    chosen = ("--method", "plurality", "--method", "schulze", "--method", "approval")
    arguments = ("--axiom", "condorcet", *chosen, "--values", "5,25", "--profiles", 60)
    told = call("aggregate", "simulate", *arguments, "--picture", picture, "--json").value["rates"]
    rates = {(one["method"], one["value"]): one["rate"] for one in told}

    assert rates["schulze", 25]["value"] == 0.0
    assert rates["plurality", 25]["interval"]["low"] > 0
    assert (rates["approval", 5]["value"], rates["approval", 5]["n"]) == (None, 0)
    assert rates["plurality", 5]["seed"] == 0
    assert "plurality" in picture.read_text(encoding="utf-8")


def test_points_that_are_no_numbers_are_all_told(call: Call) -> None:
    """Every fault of the command line at once."""
    told = call("aggregate", "simulate", "--axiom", "condorcet", "--values", "5,x,y",
                "--parameter", "phi", "--json")  # fmt: skip

    assert told.code == 1
    assert len(told.faults) == 3


def test_survey_reads_a_whole_folder(call: Call, capital: Path, tmp_path: Path) -> None:
    """Ballots, votes and a broken file: a report each, and the broken one stops nothing."""
    folder = tmp_path / "all"
    folder.mkdir()
    capital.rename(folder / "capital.soc")
    polis(folder / "two", camps(1, apart=True))
    (folder / "broken.soc").write_text("# FILE NAME: broken.soc\n", encoding="utf-8")
    out = tmp_path / "reports"
    told = call("aggregate", "survey", folder, "--out", out, "--resamples", 10, "--json")
    rows = {row["path"]: row for row in told.value["sources"]}

    assert told.code == 1
    assert rows["broken.soc"]["faults"]
    assert rows["capital.soc"]["methods"]["depends"] is True
    assert rows["two"]["groups"]["supported"] is True
    assert rows["two"]["slate"]["jr"]["satisfied"] is True
    names = sorted(path.name for path in out.iterdir())
    assert names == sorted(
        [
            f"{stem}.{end}"
            for stem in ("broken.soc", "capital.soc", "two")
            for end in ("json", "txt")
        ]
        + ["two.svg"]
    )


def test_every_shared_ballot_file_is_analysed(call: Call, data_dir: Path) -> None:
    """One command, every file of rankings: all are read, each with its report and its winners."""
    rows = call("aggregate", "survey", data_dir / "ballots", "--json").value["sources"]

    assert len(rows) > 40
    assert not [row["path"] for row in rows if row["faults"]]
    assert all(row["findings"] and row["methods"]["camps"] for row in rows)


@pytest.mark.slow
def test_every_shared_consultation_is_analysed(call: Call, data_dir: Path) -> None:
    """The same for every conversation, with groups or none; slow, for groups take subsamples."""
    rows = call("aggregate", "survey", data_dir / "votes", "--json").value["sources"]

    assert len(rows) > 10
    assert not [row["path"] for row in rows if row["faults"]]
    assert all(row["groups"]["reason"] and row["slate"]["jr"] for row in rows)


def test_a_slate_tells_what_single_voters_can_do(call: Call, tmp_path: Path) -> None:
    """How many would have to turn, whether any one could change it, and who has how many of it."""
    votes = [[1, 1, -1]] * 6 + [[-1, -1, 1]] * 4
    place = polis(tmp_path / "town", votes)
    picture = tmp_path / "slate.svg"
    arguments = ("--size", 2, "--method", "av", "--influence", "--picture", picture)
    told = call("aggregate", "slate", place, *arguments, "--json").value

    assert told["support"]["0"] == {"agree": 6, "asked": 10}
    assert told["served"] == [4, 0, 6]
    assert told["influence"]["slate"]["stable"]["value"] == 1.0
    assert [one["flips_turned"] for one in told["influence"]["shares"]] == [2, 2]
    assert "approve" in picture.read_text(encoding="utf-8")


def test_comparisons_without_names_are_a_person_a_row(call: Call, tmp_path: Path) -> None:
    """Winner and loser alone: nobody can be named, so each row counts as a person, and says so."""
    path = tmp_path / "games.csv"
    path.write_text("winner,loser\nA,B\nA,C\nB,C\nC,A\nB,A\nA,B\n", encoding="utf-8")
    told = call("aggregate", "rank", path, "--method", "bradley-terry", "--json").value
    found = call("elicit", "import", path, "--json").value["findings"]

    assert (told["ballots"], told["unranked"], told["winners"]) == (6, "apart", ["A"])
    assert "anonymous-rows" in {one["kind"] for one in found}


def test_what_a_table_leaves_open_is_answered_on_the_command_line(
    call: Call, tmp_path: Path
) -> None:
    """Another column might name people: that is asked, and the error says how to answer."""
    path = tmp_path / "games.csv"
    path.write_text("winner,loser,desk\nA,B,1\nB,C,2\nA,C,1\n", encoding="utf-8")
    asked = call("aggregate", "rank", path, "--json")
    rows = call("aggregate", "rank", path, "--answer", "columns.participant=rows", "--json")
    desks = call("aggregate", "rank", path, "--answer", "columns.participant=desk", "--json")

    assert asked.code == 1
    assert "--answer" in asked.faults[0]["do"]
    assert rows.value["ballots"] == 3
    assert desks.value["ballots"] == 2


def test_ratings_keep_their_grades(call: Call, tmp_path: Path) -> None:
    """On a scale of five, 5 and 4 are different grades although both are agreement."""
    path = tmp_path / "ratings.csv"
    rows = [("r1", 5, 4), ("r2", 5, 4), ("r3", 4, 5), ("r4", 1, 3)]
    lines = [
        f"{who},{what},{score}\n" for who, a, b in rows for what, score in (("A", a), ("B", b))
    ]
    path.write_text("rater,item,score\n" + "".join(lines), encoding="utf-8")
    scale = ("--answer", "scale=1..5", "--json")
    judged = call("aggregate", "rank", path, "--method", "majority-judgement", *scale).value
    reverse = ("--answer", "scale=5..1", "--json")
    against = call("aggregate", "rank", path, "--method", "majority-judgement", *reverse).value

    assert judged["scores"] == {"A": 3.0, "B": 3.0}
    assert judged["winners"] == ["A"]
    assert against["scores"] != judged["scores"]


@pytest.mark.parametrize("count", [1, 3])
def test_a_map_without_two_directions_is_flat(call: Call, tmp_path: Path, count: int) -> None:
    """Votes that differ in one direction, or in none, are drawn and not an error."""
    statements = ",".join(str(k) for k in range(count))
    head = f"participant,group-id,n-comments,n-votes,n-agree,n-disagree,{statements}"
    rows = [f"{k},,0,{count},{count},0" + ",1" * count for k in range(12)]
    if count == 1:
        rows[0] = "0,,0,1,0,1,-1"
    (tmp_path / "participants-votes.csv").write_text("\n".join([head, *rows]) + "\n")
    picture = tmp_path / "map.svg"

    assert call("aggregate", "groups", tmp_path, "--picture", picture).code == 0
    assert picture.read_text().startswith("<svg")


def test_a_crowd_is_counted_and_not_looked_through(call: Call, tmp_path: Path) -> None:
    """As many voters as no list could hold are counted at once."""
    path = tmp_path / "crowd.soc"
    lines = (
        "# DATA TYPE: soc",
        "# NUMBER ALTERNATIVES: 2",
        "# NUMBER VOTERS: 900000000000000",
        "# NUMBER UNIQUE ORDERS: 1",
        "# ALTERNATIVE NAME 1: a",
        "# ALTERNATIVE NAME 2: b",
        "900000000000000: 1,2",
    )
    path.write_text("\n".join(lines) + "\n")

    told = call("aggregate", "rank", path, "--json").value

    assert (told["ballots"], told["winners"]) == (900_000_000_000_000, ["a"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", "--seed", "-5"),
        ("audit", "--budget", "inf"),
        ("rank", "--method", "shulze"),
        ("rank", "--picture", "/proc/nowhere.svg"),
    ],
)
def test_what_cannot_be_done_is_told_without_a_trace(
    call: Call, capital: Path, arguments: tuple[str, ...]
) -> None:
    """Values that make no sense and places that cannot be written give whole faults."""
    command, *options = arguments
    told = call("aggregate", command, capital, *options, "--json")

    assert told.code in (1, 2)
    assert not told.err
    assert all(all(fault.values()) for fault in told.faults)


@pytest.mark.parametrize("values", ["nan", "5,inf", "2.5"])
def test_points_are_whole_and_finite(call: Call, values: str) -> None:
    """There is no half voter, and no profile of endlessly many."""
    told = call("aggregate", "simulate", "--axiom", "condorcet", "--values", values, "--json")

    assert told.code == 1
    assert not told.err
    assert len(told.faults) == 1


def test_every_command_repeats_itself(capital: Path, tmp_path: Path) -> None:
    """The same bytes at any hash seed, any number of threads and from any folder."""
    commands = [
        ["rank", str(capital), "--method", "all", "--resamples", "5"],
        ["audit", str(capital), "--resamples", "5", "--method", "irv", "--method", "borda"],
        ["simulate", "--axiom", "participation", "--values", "5", "--profiles", "5"],
    ]
    program = (
        "import sys, json\n"
        "from normwright.cli import main\n"
        "for one in json.loads(sys.argv[1]):\n"
        "    try: main(['aggregate', *one, '--json'])\n"
        "    except SystemExit as ended: assert ended.code == 0, one\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program, json.dumps(commands)],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads},
            capture_output=True,
            check=True,
        ).stdout
        for seed, threads, folder in (("0", "1", tmp_path), ("1", "2", capital.parent.parent))
    ]

    assert said[0] == said[1]
    assert said[0]


def test_a_link_that_leads_back_up_is_not_followed(call: Call, capital: Path) -> None:
    """A folder that holds a link to itself is surveyed once."""
    (capital.parent / "again").symlink_to(capital.parent, target_is_directory=True)
    told = call("aggregate", "survey", capital.parent, "--json").value

    assert [row["path"] for row in told["sources"]] == ["capital.soc"]
