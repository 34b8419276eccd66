"""`trace` walks back to the roots and counts of the ballots, and shows no ballot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.flow import micro

from normwright.flow import open_store, run_steps, trace
from normwright.records import (
    Charter,
    Deployment,
    InputError,
    Policy,
    Record,
    Vocabulary,
    digest_json,
)
from normwright.store import Address


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, address_of_all: Address | None) -> Path:
    project = micro.write_project(tmp_path_factory.mktemp("trace") / "micro", address_of_all)
    run_steps(project, micro.steps(project), seed=micro.SEED)
    return project


def the(project: Path, kind: str) -> str:
    """Return the digest of the first record of a kind."""
    with open_store(project) as store:
        return next(iter(store.all_stored(kind))).digest


def path_to(tree: dict[str, Any], kind: str) -> list[str] | None:
    """Return the kinds on the way from the top of a tree to the first node of a kind."""
    if tree["kind"] == kind:
        return [kind]
    for below in tree.get("from", []):
        if (way := path_to(below, kind)) is not None:
            return [tree["kind"], *way]
    return None


def nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for below in tree.get("from", []):
        yield from nodes(below)


def test_from_the_verdict_to_the_roots(project: Path) -> None:
    """From a verdict the way leads over model, dataset and outcome to the consultation."""
    found = trace(project, the(project, "Verdict"))
    told = json.loads(json.dumps(found.as_json()))

    assert path_to(told["tree"], "Consultation") == [
        "Verdict",
        "ModelRef",
        "Dataset",
        "Outcome",
        "Consultation",
    ]
    assert told["tree"]["about"]["modes"] == {"internal": "HOLD"}
    (reached,) = told["roots"]
    assert reached["kind"] == "simulated"
    assert {table: (t["rows"], t["erased"]) for table, t in reached["tables"].items()} == {
        "participants": (6, 0),
        "statements": (4, 0),
        "votes": (19, 0),
        "comparisons": (0, 0),
    }
    with open_store(project) as store:
        assert {t: v["root"] for t, v in reached["tables"].items()} == store.imports()[0].roots


def test_evidence_is_reached_too_and_no_node_is_told_twice(project: Path) -> None:
    """Measurements stand under the verdict; what was met before is only named again."""
    tree = trace(project, the(project, "Verdict")).tree
    told = [node for node in nodes(tree) if not node.get("again")]

    assert sum(node["kind"] == "Measurement" for node in told) == 2
    assert len({node["digest"] for node in told}) == len(told)
    assert any(node.get("again") and node["kind"] == "ModelRef" for node in nodes(tree))


def test_from_a_refusal_to_the_roots(project: Path) -> None:
    """A decision that names no source goes by what the step that made it had read."""
    found = trace(project, the(project, "Decision"))

    assert path_to(found.tree, "Consultation") == ["Decision", "Consultation"]
    assert found.tree["about"] == {"verdict": "deny", "governing": ["n.a@1"], "unknown": []}
    assert found.tree["from"][0]["via"] == "read by step aggregate"
    assert len(found.roots) == 1


def test_from_a_weight_file_to_the_roots(project: Path) -> None:
    """The digest of a weight file leads to its model, the data it was trained on, the roots."""
    with open_store(project) as store:
        model = json.loads(next(store.all_stored("ModelRef")).json)
    digest = model["files"]["model.safetensors"]
    found = trace(project, digest)

    assert path_to(found.tree, "Consultation") == [
        "object",
        "ModelRef",
        "Dataset",
        "Outcome",
        "Consultation",
    ]
    assert found.tree["from"][0]["via"] == "model.safetensors of"
    assert len(found.roots) == 1
    assert trace(project, digest.removeprefix("sha256:")[:12]).digest == digest


def test_no_ballot_is_shown(project: Path) -> None:
    """Nothing in a trace names a participant, or a row's key or leaf."""
    text = json.dumps(trace(project, the(project, "Verdict")).as_json())
    with open_store(project) as store:
        leaves = [row.leaf.hex() for row in store.keyed_rows(store.imports()[0])]

    assert not any(f'"p{person}"' in text for person in range(6))
    assert not any(leaf in text for leaf in leaves)


def test_a_policy_leads_over_the_charter_it_holds(tmp_path: Path) -> None:
    """A policy carries its charter whole; the walk goes through the charter's own record."""
    project = micro.write_project(tmp_path / "micro")
    charter = Charter(
        id="c",
        version=1,
        languages=("en",),
        vocabulary=Vocabulary(facts=(), acts=()),
        norms=(),
        process="micro",
        kind="simulated",
    )
    policy = Policy(
        charter=charter,
        deployment=Deployment(),
        rules=(),
        system_prompt={},
        permit_modes=("internal",),
        permit_reason={},
        coverage={},
    )
    from normwright.flow import Step

    def enact(_: object) -> list[Record]:
        return [charter, policy]

    steps = [*micro.steps(project)[:2], Step("charter", enact, after=("aggregate",))]
    run_steps(project, steps, seed=1)
    found = trace(project, policy.digest)

    assert path_to(found.tree, "Consultation") == ["Policy", "Charter", "Outcome", "Consultation"]
    assert found.tree["from"][0]["digest"] == charter.digest


def test_an_origin_that_is_lost_is_shown_as_missing(
    tmp_path: Path, address: Address | None
) -> None:
    """Where a record names an origin that is not in the store, the gap stands in the tree."""
    project = micro.write_project(tmp_path / "micro", address)
    run_steps(project, micro.steps(project), seed=1)
    dataset = the(project, "Dataset")
    micro.tamper(project, "DELETE FROM records WHERE kind = 'Outcome'")
    found = trace(project, dataset)

    assert [node["kind"] for node in nodes(found.tree)][-1] == "missing"


@pytest.mark.parametrize("asked", ["sha256:" + "0" * 64, "ffff", "not a digest at all", ""])
def test_an_unknown_digest_is_an_input_fault(project: Path, asked: str) -> None:
    """Asking for something that is not there, or by too few digits, says what would do."""
    with pytest.raises(InputError, match="at least 8 of its digits"):
        trace(project, asked)


def test_a_root_itself_can_be_traced(project: Path) -> None:
    """A Merkle root, which is no record, leads to the receipt that names it."""
    with open_store(project) as store:
        head = store.imports()[0].roots["votes"]
    found = trace(project, head)

    assert path_to(found.tree, "Consultation") == ["object", "Consultation"]
    assert digest_json(found.as_json()) == digest_json(trace(project, head).as_json())


@pytest.mark.parametrize("digits", [8, 12, 63])
def test_a_root_is_found_by_its_first_digits(project: Path, digits: int) -> None:
    """The report prints twelve digits of a root; they lead where the whole of it leads."""
    with open_store(project) as store:
        head = store.imports()[0].roots["votes"]
    short = head.removeprefix("sha256:")[:digits]

    assert trace(project, short).digest == head
    assert trace(project, f"sha256:{short}").digest == head
