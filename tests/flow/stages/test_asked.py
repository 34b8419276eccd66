"""What a project file says of models behind an API, and the first question one is asked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.serving import served

from normwright import flow
from normwright.flow.stages.asked import CACHE
from normwright.models import ScriptedModel
from normwright.records import InputError, RemoteError, describe

KEY = "sk-in-the-wrong-place-0123456789"
YES = ScriptedModel("yes", lambda _: "Yes.")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A new project of the template `micro`."""
    flow.init(tmp_path / "micro", "micro")
    return tmp_path / "micro"


def write(project: Path, **parts: Any) -> None:
    """Put parts in place of those of the project file."""
    file = project / flow.FILE
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**raw, **parts}, allow_unicode=True), encoding="utf-8")


def faults(project: Path) -> list[str]:
    """What is wrong with a project file, a line each."""
    with pytest.raises(InputError) as raised:
        flow.load_project(project)
    return [describe(fault) for fault in raised.value.faults]


def test_every_fault_is_told_at_once_and_no_secret_with_it(project: Path) -> None:
    """A key in the file, a key in the address, unknown keys, parts that do not go together."""
    write(
        project,
        model={
            "kind": "remote",
            "remote": {
                "url": f"https://me:{KEY}@h.example/v1",
                "id": "m",
                "key_env": KEY,
                "headers": {"Authorization": KEY},
                "concurency": 3,
                "retries": -1,
            },
        },
        controls=["random-init"],
        release={"modes": ["internal", "open_weights"]},
    )
    told = faults(project)
    said = "\n".join(told)

    assert KEY not in said
    for place in ("url", "key_env", "headers", "concurency", "retries"):
        assert f"normwright.yaml: model.remote.{place}: " in said
    assert "the NAME of an environment variable" in said
    assert "Nearest key: concurrency." in said
    assert "normwright.yaml: controls: expected controls that need no training" in said
    assert "normwright.yaml: release.modes: " in said
    assert len(told) == 7


PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "remote-models.md"


def test_every_example_of_the_manual_is_a_project(project: Path) -> None:
    """What the page tells people to write into the project file is read as it stands there."""
    blocks = [yaml.safe_load(b) for b in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.S)]
    examples = [block for block in blocks if "modes" not in block]
    read = []
    for parts in examples:
        write(project, **parts)
        read.append(flow.load_project(project).settings)

    assert [s.model.kind for s in read] == ["remote"] * 3
    assert read[2].evaluate.judge is not None


def test_a_remote_model_needs_a_place(project: Path) -> None:
    """`kind: remote` says nothing about where, nor what it is to be asked."""
    write(project, model={"kind": "remote"}, sources={"scenes": []})

    assert faults(project) == [
        "normwright.yaml: model.remote: expected an address and a model, because kind is remote, "
        "saw none.",
        "normwright.yaml: sources.scenes: expected scenes to ask, because kind is remote and "
        "nothing else is measured, saw none.",
    ]


def test_a_key_that_is_not_there_is_told_before_anything_is_asked(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends where the model comes in, by the name of the variable; the charter is there."""
    monkeypatch.delenv("NW_NO_KEY", raising=False)
    remote = {"url": "https://h.example/v1", "id": "m", "key_env": "NW_NO_KEY"}
    write(project, model={"kind": "remote", "remote": remote})

    with pytest.raises(InputError, match="environment variable NW_NO_KEY: expected the key"):
        flow.run(project)
    done = [s.name for s in flow.status(project).stages if s.state == "done"]
    assert done == ["elicit", "aggregate", "charter", "permit"]


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_endpoint_is_asked_one_thing_first(project: Path) -> None:
    """Whether it answers at all is known in a second, and the answer is kept for good."""
    with served(YES, fingerprint="fp_7") as server:
        remote = {"url": server.url, "id": "served"}
        write(project, model={"kind": "remote", "remote": remote})
        for _ in "12":
            flow.run(project, until="learn.base")

        assert len(server.asked) == 1
        [kept] = (project / CACHE).iterdir()
        line = json.loads(kept.read_text(encoding="utf-8"))
        assert (line["texts"], line["fingerprint"]) == (["Yes."], "fp_7")
        assert flow.verify(project).faults == ()
        write(project, model={"kind": "remote", "remote": {**remote, "id": "gone"}})
        with pytest.raises(RemoteError, match="expected a model gone"):
            flow.run(project, until="learn.base")


def test_what_it_takes_is_not_known_beforehand(project: Path) -> None:
    """The forecast says so instead of reckoning with weights that are not here."""
    remote = {"url": "https://h.example/v1", "id": "m"}
    write(project, model={"kind": "remote", "remote": remote})
    foreseen = flow.forecast(project)

    assert foreseen.seconds is None
    assert {s.name: s.basis for s in foreseen.steps}["evaluate"] == "unknown"
