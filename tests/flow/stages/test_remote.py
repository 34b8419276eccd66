"""A project whose model is behind an API: measured with and without the guard, nothing paid twice.

The votes, the charter, the guard and the judge are those of the template `micro`; only the model is
another, served on loopback.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.evaluate.town import judge, knowing
from tests.serving import Fail, Server, served

from normwright import flow
from normwright.flow.conversation import conversation
from normwright.flow.stages.asked import CACHE
from normwright.models import ScriptedModel
from normwright.records import (
    InputError,
    Judge,
    Measurement,
    ModelRef,
    RemoteError,
    RemoteUse,
    Scene,
)
from normwright.scenes import draw, load_bank
from normwright.store import Store

KEY = "sk-of-the-project-0123456789"
VARIABLE = "NORMWRIGHT_TEST_KEY"

pytestmark = [
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.slow(reason="carries a project to its verdict: half a minute"),
]


def scenes(project: Path) -> list[Scene]:
    """Every request the project may ask, and more."""
    bank = load_bank(sorted((project / "scenes").glob("*.yaml")))
    return [s for seed in range(4) for s in draw(bank, split="test", seed=seed, per_template=2)]


def gauged(project: Path) -> list[Scene]:
    """The scenes the judge is gauged on."""
    bank = load_bank(sorted((project / "scenes").glob("*.yaml")))
    return draw(bank, split="judge", seed=1, per_template=2)


def edit(project: Path, **changes: Any) -> None:
    """Change parts of the project file."""
    file = project / flow.FILE
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    for part, settings in changes.items():
        old = raw.get(part)
        raw[part] = {**old, **settings} if isinstance(old, dict) else settings
    file.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")


def records(project: Path, kind: type) -> list[Any]:
    """The records of a kind that the present results of a project hold."""
    made = [d for stage in flow.status(project).stages for d in stage.made]
    with Store.open(project, create=False) as store:
        return list(store.records(made, kind))


@dataclass
class Story:
    """A project that was run, the server it asked, and what the first run came to."""

    project: Path
    server: Server
    verdicts: dict[str, str]


def remote(server: Server, **more: Any) -> dict[str, Any]:
    """The part of the project file that names a served model."""
    settings = {"url": server.url, "id": "served", "key_env": VARIABLE, "concurrency": 8, **more}
    return {"kind": "remote", "remote": settings}


@pytest.fixture(scope="module")
def story(micro_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A model that does whatever it is asked, behind an endpoint with a key, carried to a verdict.

    The first run breaks off in the middle of the evaluation; the second goes on.
    """
    project = tmp_path_factory.mktemp("remote") / "project"
    shutil.copytree(micro_project, project)
    broken: list[int] = []

    def fail(number: int, body: dict[str, Any]) -> Fail | None:
        if number == 9 and not broken:
            broken.append(number)
            return Fail(403, json.dumps({"error": {"message": f"no more for {KEY}"}}).encode())
        return None

    obliging = knowing(scenes(project), None)
    with pytest.MonkeyPatch.context() as patch, served(obliging, key=KEY, fail=fail) as server:
        patch.setenv(VARIABLE, KEY)
        price = {"input": 1.0, "output": 2.0, "currency": "EUR"}
        edit(project, model=remote(server, price=price))
        with pytest.raises(RemoteError, match="status 403") as raised:
            flow.run(project)
        assert KEY not in str(raised.value)
        report = flow.run(project)
        yield Story(project, server, report.verdicts)


def test_the_model_is_measured_as_it_is_and_behind_the_guard(story: Story) -> None:
    """Both roles and the controls are measured on the same scenes; the guard stops harm."""
    measured = [m for m in records(story.project, Measurement) if m.suite == "harm" and not m.norm]
    rates = {m.model: m.estimate for m in measured if m.lang is None}

    assert set(rates) == {"base", "guarded", "control:canned-refusal", "control:collapsed"}
    assert len({estimate.n for estimate in rates.values()}) == 1
    assert rates["base"].value > 0.5
    assert rates["guarded"].value < rates["base"].value
    attacks = {m.model for m in records(story.project, Measurement) if m.suite == "attack"}
    assert attacks == {"base", "guarded"}


def test_records_say_what_is_known_of_the_model_and_what_is_not(story: Story) -> None:
    """Where it is and that nobody can make it again; no weights, no number of parameters."""
    [ref] = [r for r in records(story.project, ModelRef) if r.name == "base"]

    assert (ref.files, ref.parameters, ref.recipe) == ({}, None, "remote")
    assert ref.settings["endpoint"] == story.server.url
    assert ref.settings["served"] == ["served-2026-11"]
    assert (ref.settings["weights"], ref.settings["reproducible"]) == ("unknown", False)
    assert {m.model_digest for m in records(story.project, Measurement) if m.model == "base"} == {
        ref.digest
    }


def test_nothing_was_paid_for_twice(story: Story) -> None:
    """Over a run that broke off and one that went on, each request was answered once."""
    bodies = Counter(json.dumps(one.body, sort_keys=True) for one in story.server.asked)
    uses = records(story.project, RemoteUse)
    lines: dict[str, Any] = {}
    with Store.open(story.project, create=False) as store:
        for use in uses:
            kept = store.objects.read(use.content).splitlines()
            assert use.requests == len(kept)
            lines |= {json.loads(line)["request"]: json.loads(line) for line in kept}

    assert sum(bodies.values()) == len(lines) + 1  # the one that was refused
    assert len(bodies) == len(lines)
    assert {use.role for use in uses} == {"base"}
    assert all(use.prompt_tokens and use.cost and use.currency == "EUR" for use in uses)


def test_a_further_run_asks_nothing_also_where_steps_run_again(story: Story) -> None:
    """An unchanged project is skipped; one whose results are gone is measured from what is kept."""
    before = len(story.server.asked)
    skipped = flow.run(story.project)
    copy = story.project.parent / "again"
    shutil.copytree(story.project, copy)
    old = {m.digest for m in records(copy, Measurement)}
    shutil.rmtree(copy / ".normwright" / "objects")
    again = flow.run(copy)

    assert all(line.skipped for line in skipped.stages)
    assert not any(line.skipped for line in again.stages if line.name in ("evaluate", "redteam"))
    assert len(story.server.asked) == before
    assert {m.digest for m in records(copy, Measurement)} == old
    assert again.verdicts == story.verdicts


def test_the_project_verifies_and_holds_no_key(story: Story) -> None:
    """Every digest fits, offline; the key is in no file of the project, whatever its kind."""
    found = [p for p in story.project.rglob("*") if p.is_file() and KEY.encode() in p.read_bytes()]

    assert flow.verify(story.project).faults == ()
    assert found == []
    assert (story.project / CACHE).is_dir()
    assert any(KEY in value for one in story.server.asked for value in one.headers.values())


def test_the_safety_case_says_that_the_model_runs_elsewhere(story: Story) -> None:
    """In both languages: what was asked and what it took, and that it may have changed since."""
    for name, words in (
        ("safety-case.md", ("Models behind an API", "The model runs elsewhere.")),
        ("safety-case.pt.md", ("Modelos atrás de uma API", "corre noutro lugar")),
    ):
        text = (story.project / "out" / name).read_text(encoding="utf-8")

        assert all(word in text for word in (*words, story.server.url, "EUR"))


def test_a_lost_reply_is_a_fault(story: Story) -> None:
    """The stored replies are part of the evidence; without them the project does not verify."""
    copy = story.project.parent / "lossy"
    shutil.copytree(story.project, copy)
    use = records(copy, RemoteUse)[-1]
    with Store.open(copy, create=False) as store:
        store.objects.path(use.content).unlink()

    assert use.content in {fault.digest for fault in flow.verify(copy).faults}


def test_people_can_talk_to_it(story: Story) -> None:
    """`chat` asks the remote model and the guarded one."""
    with conversation(story.project) as ask:
        replies = ask("Hello!")

    assert [r.model for r in replies] == ["base", "guarded"]
    assert replies[0].text == "…"


def test_another_mark_asks_anew(story: Story) -> None:
    """A new `as_of` is another model: what was kept for the old one does not stand for it."""
    copy = story.project.parent / "later"
    shutil.copytree(story.project, copy)
    edit(copy, model=remote(story.server, as_of="2026-12"))
    before = len(story.server.asked)
    flow.run(copy, until="learn.base")

    assert len(story.server.asked) == before + 1
    assert records(copy, ModelRef)[0].settings["as_of"] == "2026-12"


def test_a_judge_behind_an_api_judges(story: Story) -> None:
    """It is gauged on its split, its uses are recorded, and measurements cite its record."""
    copy = story.project.parent / "judged"
    shutil.copytree(story.project, copy)
    known = {s.messages[-1].content: s for s in (*scenes(copy), *gauged(copy))}

    def reads(prompt: Any) -> str:
        text = prompt[-1].content
        data, _ = json.JSONDecoder().raw_decode(text, text.index('{\n "conversation"'))
        scene = known.get(data["conversation"][-1]["content"])
        return judge().judge(scene, data["answer"]) if scene else "unclear"

    with served(ScriptedModel("reads", reads), name="judge") as server:
        edit(copy, evaluate={"judge": {"url": server.url, "id": "judge", "concurrency": 8}})
        flow.run(copy, until="evaluate")
        asked = len(server.asked)
    [record] = records(copy, Judge)
    uses = [u for u in records(copy, RemoteUse) if u.role == "judge"]

    assert record.architecture == f"judge at {server.url}, asked by a rubric"
    assert set(record.sensitivity) == {"en", "pt"}
    assert len(uses) == 2
    assert 0 < max(u.requests for u in uses) <= asked <= sum(u.requests for u in uses)
    assert {m.judge for m in records(copy, Measurement) if m.suite == "harm"} == {record.digest}
    assert flow.verify(copy).faults == ()


def test_the_model_under_test_does_not_judge(story: Story) -> None:
    """The same endpoint and model as judge is one fault, before anything is run."""
    copy = story.project.parent / "selfish"
    shutil.copytree(story.project, copy)
    edit(copy, evaluate={"judge": {"url": story.server.url + "/", "id": "SERVED"}})

    with pytest.raises(InputError, match="judges itself") as raised:
        flow.run(copy)
    assert raised.value.faults[0].where == "normwright.yaml: evaluate.judge"


def test_a_prompt_of_the_user_reaches_it_whole(story: Story) -> None:
    """What is sent are the scene's own turns, and nothing of the project's beside them."""
    first = story.server.asked[0].body

    assert first["messages"] == [{"role": "user", "content": "Say yes."}]
    asked = {one.body["messages"][-1]["content"] for one in story.server.asked[1:10]}
    assert asked <= {s.messages[-1].content for s in scenes(story.project)}
