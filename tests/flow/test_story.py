"""The whole story on the micro template: from a vote to a verdict, and back."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from normwright import flow
from normwright.records import InputError, Policy
from normwright.store import Store

REPORTED = ("internal", "api_guarded", "open_weights")


@pytest.fixture(scope="module")
def finished(micro_project: Path) -> Path:
    """The micro project that the whole test run carries to its verdict once, with its pages."""
    return micro_project


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished project that a test may damage."""
    return Path(shutil.copytree(finished, tmp_path / "micro"))


def test_it_ends_in_a_verdict_for_every_mode(finished: Path) -> None:
    """Every mode has a verdict, and a simulated process never opens more than `internal`."""
    found = flow.results(finished)
    by_mode = {m.mode: m for m in found.verdict.modes}

    assert tuple(by_mode) == REPORTED
    assert found.policy.permit_modes == ("internal",)
    assert all(by_mode[m].verdict != "RELEASE" for m in ("api_guarded", "open_weights"))


def test_a_model_that_knows_nothing_is_not_released(finished: Path) -> None:
    """Random weights, trained for seconds, do not pass the gate in any mode."""
    assert "RELEASE" not in {m.verdict for m in flow.results(finished).verdict.modes}


def test_a_second_run_skips_everything_and_loads_no_torch(project: Path) -> None:
    """Nothing changed: every step is skipped, and neither torch nor scikit-learn is opened."""
    code = (
        "import sys, json\nfrom pathlib import Path\nfrom normwright import flow\n"
        "report = flow.run(Path(sys.argv[1]))\n"
        "print(json.dumps([all(s.skipped for s in report.stages),"
        " [m for m in ('torch', 'sklearn', 'transformers') if m in sys.modules]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(project)], capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout) == [True, []]


def test_the_trace_reaches_the_votes_from_verdict_weights_and_refusal(finished: Path) -> None:
    """From the verdict, the weight file and a stored decision the walk ends at the Merkle roots."""
    found = flow.results(finished)
    aligned = next(m for m in found.models if m.name == "aligned")
    starts = [found.verdict.digest, aligned.files["model.safetensors"]]
    with Store.open(finished, create=False) as store:
        starts += [r.digest for r in store.all_stored("Decision")][:1]

    for start in starts:
        text = json.dumps(flow.trace(finished, start).as_json())
        assert all(root in text for root in found.consultation.roots.values())
        assert '"v001"' not in text


def test_verify_finds_nothing_wrong_with_it(finished: Path) -> None:
    """What was just made is what its digests say."""
    assert flow.verify(finished).faults == ()


def change_vote(project: Path) -> str:
    """Change one stored vote behind the store's back."""
    with sqlite3.connect(project / ".normwright/store.db") as database:
        database.execute("UPDATE votes SET value = 'pass' WHERE rowid = 7")
    return "votes"


def change_measurement(project: Path) -> str:
    """Change one stored measurement."""
    with sqlite3.connect(project / ".normwright/store.db") as database:
        digest = database.execute(
            "SELECT digest FROM records WHERE kind = 'Measurement'"
        ).fetchone()[0]
        database.execute(
            "UPDATE records SET json = replace(json, '\"seed\":1', '\"seed\":2') WHERE digest = ?",
            (digest,),
        )
    return str(digest)


def change_weight(project: Path) -> str:
    """Change one byte of the aligned weights."""
    aligned = next(m for m in flow.results(project).models if m.name == "aligned")
    return change_object(project, aligned.files["model.safetensors"])


def change_dataset(project: Path) -> str:
    """Change one byte of the preference pairs."""
    return change_object(project, next(d.content for d in flow.results(project).datasets))


def change_object(project: Path, digest: str) -> str:
    with Store.open(project, create=False) as store:
        path = store.objects.path(digest)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return digest


@pytest.mark.parametrize("change", [change_vote, change_measurement, change_weight, change_dataset])
def test_one_changed_thing_is_named(project: Path, change: object) -> None:
    """One vote, measurement, weight byte or dataset row changed: `verify` names it."""
    named = change(project)  # type: ignore[operator]
    faults = flow.verify(project).faults

    assert faults
    assert any(named in f"{f.where} {f.digest}" for f in faults)


def test_turning_the_votes_turns_the_charter_and_the_pairs(project: Path) -> None:
    """With the votes on one norm inverted it leaves the charter, and its pairs change sides."""
    norm = "p.neutrality.candidates"
    before = {n.id for n in flow.results(project).policy.charter.norms}
    folder = project / "consultation"
    asked = [
        r.split(",")[0]
        for r in (folder / "statements.csv").read_text("utf-8").splitlines()
        if norm in r
    ]
    turn = {"agree": "disagree", "disagree": "agree"}
    lines = (folder / "votes.csv").read_text("utf-8").splitlines()
    turned = []
    for line in lines:
        who, statement, vote, *rest = line.split(",")
        turned.append(
            ",".join([who, statement, turn.get(vote, vote) if statement in asked else vote, *rest])
        )
    (folder / "votes.csv").write_text("\n".join(turned) + "\n", encoding="utf-8")
    flow.run(project, until="learn.data")
    with Store.open(project, create=False) as store:
        charters = [store.record(r.digest, Policy).charter for r in store.all_stored("Policy")]

    assert norm in before
    assert any(norm not in {n.id for n in c.norms} for c in charters)


def break_yaml(project: Path) -> str:
    (project / "normwright.yaml").write_text("a: [", encoding="utf-8")
    return "normwright.yaml"


def unknown_key(project: Path) -> str:
    path = project / "normwright.yaml"
    path.write_text(path.read_text("utf-8") + "\nlaern: {}\n", encoding="utf-8")
    return "learn"


def missing_file(project: Path) -> str:
    (project / "criteria.yaml").unlink()
    return "criteria.yaml"


def no_votes(project: Path) -> str:
    path = project / "consultation/votes.csv"
    path.write_text(path.read_text("utf-8").splitlines()[0] + "\n", encoding="utf-8")
    return "votes.csv"


def one_participant(project: Path) -> str:
    path = project / "consultation/participants.csv"
    path.write_text("\n".join(path.read_text("utf-8").splitlines()[:2]) + "\n", encoding="utf-8")
    return "participants.csv"


def all_passes(project: Path) -> str:
    path = project / "consultation/votes.csv"
    head, *rows = path.read_text("utf-8").splitlines()
    rows = [",".join([*r.split(",")[:2], "pass", *r.split(",")[3:]]) for r in rows]
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return "votes.csv"


def not_utf8(project: Path) -> str:
    (project / "consultation/statements.csv").write_bytes(b"id,layer\n\xff\xfe")
    return "UTF-8"


def model_without_tokenizer(project: Path) -> str:
    folder = project / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"")
    path = project / "normwright.yaml"
    text = path.read_text("utf-8").replace("kind: scratch", "kind: local\n  path: model")
    path.write_text(text, encoding="utf-8")
    return "tokenizer"


@pytest.mark.parametrize(
    "broken",
    [
        break_yaml,
        unknown_key,
        missing_file,
        no_votes,
        one_participant,
        all_passes,
        not_utf8,
        model_without_tokenizer,
    ],
)
def test_a_broken_project_is_one_error_and_loses_nothing(project: Path, broken: object) -> None:
    """Each way of breaking a project gives one InputError naming it, and the store stays whole."""
    with Store.open(project, create=False) as store:
        before = {r.digest for r in store.all_stored()}
    said = broken(project)  # type: ignore[operator]

    with pytest.raises(InputError, match=said):
        flow.run(project)
    with Store.open(project, create=False) as store:
        assert {r.digest for r in store.all_stored()} >= before


def test_the_same_seed_gives_the_same_verdict(finished: Path, tmp_path: Path) -> None:
    """A fresh project with the same seed and one thread ends in the same verdict digest."""
    again = tmp_path / "again"
    flow.init(again, "micro")
    flow.run(again)

    assert flow.results(again).verdict.digest == flow.results(finished).verdict.digest


def test_weights_leave_without_a_pickle(finished: Path) -> None:
    """The exported model is a plain directory of safetensors, configuration and tokenizer."""
    names = {p.name for p in (finished / "out/model").iterdir()}

    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= names
    assert not {n for n in names if n.endswith((".bin", ".pt", ".pkl"))}


def test_no_release_is_decided_on_the_development_split(project: Path) -> None:
    """Scenes that recipes are chosen on are refused before anything is trained."""
    path = project / "normwright.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("evaluate: {", "evaluate: {split: dev, "), encoding="utf-8")
    before = flow.status(project)

    with pytest.raises(InputError, match=r"evaluate\.split"):
        flow.run(project)

    assert next(s for s in before.stages if s.name == "evaluate").state != "done"
    assert flow.status(project) == before


def test_a_control_that_does_not_exist_is_a_fault(project: Path) -> None:
    """A mistyped control never silently becomes another one."""
    path = project / "normwright.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("canned-refusal", "caned-refusal"), encoding="utf-8")

    with pytest.raises(InputError, match="controls"):
        flow.load_project(project)
