"""Nothing is trained without a permit, and no permit counts that is not what it says."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.flow import signed

from normwright import flow
from normwright.flow import FILE, read_permit, run, sign, verify
from normwright.flow.permits import GIVEN, TOLD
from normwright.records import InputError, ModelRef, Permit, PermitError, Policy
from normwright.store import KeyHome, Store

DAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def permitted(micro_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the micro project, its permit signed by `ana`, and her keys; not to touch."""
    folder = tmp_path_factory.mktemp("permitted")
    home = signed.home_of(folder / "home")
    project = Path(shutil.copytree(micro_project, folder / "town"))
    sign(project, what=["permit"], home=home)
    return folder


@pytest.fixture
def project(permitted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(permitted / "town", tmp_path / "town"))


@pytest.fixture
def home(permitted: Path, tmp_path: Path) -> KeyHome:
    return KeyHome(Path(shutil.copytree(permitted / "home", tmp_path / "home")))


def records(project: Path, kind: type[Any]) -> list[Any]:
    """What the present results hold of one kind."""
    made = [digest for stage in flow.status(project).stages for digest in stage.made]
    with Store.open(project) as store:
        return list(store.records(made, kind))


def envelope(project: Path) -> Path:
    return project / "out/permit.dsse.json"


def forged(
    project: Path, home: KeyHome, change: Callable[[dict[str, Any]], None], place: Path
) -> Path:
    """Write a permit with something changed, properly signed by a key of this machine."""
    from normwright.records import canonical_json
    from normwright.store import envelope_of, sign_statement

    body = json.loads(base64.b64decode(json.loads(envelope(project).read_bytes())["payload"]))
    change(body["predicate"]["permit"])
    permit = Permit.model_validate(body["predicate"]["permit"])
    body["subject"][0]["digest"]["sha256"] = permit.digest.removeprefix("sha256:")
    signer = home.signer("default", lambda: None)
    made = sign_statement(canonical_json(body), kind="permit", signer=signer)
    place.write_bytes(envelope_of([made]))
    return place


def told(error: pytest.ExceptionInfo[Any]) -> str:
    return " ".join(f"{f.where} {f.expected} {f.seen} {f.do}" for f in error.value.faults)


# What a run makes of it


def test_models_name_the_permit_they_were_trained_under(micro_project: Path) -> None:
    """The permit lies among the results and in `out`, and every trained model names it."""
    (permit,) = records(micro_project, Permit)
    (policy,) = records(micro_project, Policy)
    models = {one.name: one for one in records(micro_project, ModelRef)}

    assert permit.granted
    assert permit.charter == policy.charter.digest
    assert permit.modes == policy.permit_modes == ("internal",)
    assert {models[n].permit for n in ("tuned", "reward", "aligned")} == {permit.digest}
    assert models["base"].permit is None
    assert not any(one.unpermitted for one in models.values())
    written = json.loads((micro_project / "out/permit.json").read_bytes())
    assert Permit.model_validate(written).digest == permit.digest


def test_the_walk_from_a_model_leads_over_its_permit_to_the_votes(micro_project: Path) -> None:
    """Whoever asks why this was trained finds the permit, and what that rests on."""
    tuned = next(one for one in records(micro_project, ModelRef) if one.name == "tuned")

    walk = json.dumps(flow.trace(micro_project, tuned.digest).as_json())

    assert '"Permit"' in walk
    assert '"PermitRequest"' in walk


def test_people_who_agreed_to_nothing_train_nothing(project: Path, home: KeyHome) -> None:
    """The same project, said to be of people: no consent is recorded, so training stops."""
    process = project / "consultation/process.yaml"
    text = process.read_text(encoding="utf-8")
    human = text.replace("kind: simulated", "kind: human").replace("seed: 20260\n", "")
    human = human.replace("id: vila-clara-2026", "id: vila-clara-people")
    process.write_text(human, encoding="utf-8")

    with pytest.raises(PermitError) as error:
        run(project, until="learn.sft", home=home)
    found = flow.permitted(project, home=home, today=DAY)

    assert ": consent" in told(error)
    assert not found.permit.granted
    assert [one.condition for one in found.permit.refusals] == ["consent"]
    assert found.signed  # a refusal is signed too
    assert not [one for one in records(project, ModelRef) if one.name == "tuned"]


def test_training_without_a_permit_marks_the_model(project: Path, home: KeyHome) -> None:
    """It is trained, marked, and not handed out; the next run does not take that for a permit."""
    run(project, until="learn.sft", unpermitted=True, home=home)
    (tuned,) = [one for one in records(project, ModelRef) if one.name == "tuned"]
    after = run(project, until="learn.sft", home=home)

    assert tuned.unpermitted
    assert tuned.permit is None
    assert not (project / TOLD).exists()
    assert after.stages[-1].skipped  # what was trained under the permit still stands
    assert not any(one.unpermitted for one in records(project, ModelRef))


# A permit from outside


def test_a_signed_permit_from_outside_is_trained_under(project: Path, home: KeyHome) -> None:
    """It takes the place of the run's own, lies in `out` as it was given, and verifies."""
    given = project.parent / "given.json"
    shutil.copy(envelope(project), given)
    run(project, until="learn.sft", permit=given, home=home, today=DAY)
    (permit,) = records(project, Permit)
    (tuned,) = [one for one in records(project, ModelRef) if one.name == "tuned"]
    found = verify(project, home=home)
    stranger = verify(project, home=KeyHome(project.parent / "nobody"))

    assert tuned.permit == permit.digest
    assert (project / GIVEN).read_bytes() == given.read_bytes()
    assert found.faults == ()
    assert any(fault.where.startswith(GIVEN) for fault in stranger.faults)


def other_charter(body: dict[str, Any]) -> None:
    body["charter"] = "sha256:" + "1" * 64


def expired(body: dict[str, Any]) -> None:
    body["valid_until"] = "2026-11-19"


def too_early(body: dict[str, Any]) -> None:
    body["valid_from"] = "2026-11-21"


def no_mode(body: dict[str, Any]) -> None:
    body["modes"] = ["api_guarded"]


def refused(body: dict[str, Any]) -> None:
    body["granted"] = False
    body["grounds"][0]["holds"] = None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (expired, "It has expired"),
        (too_early, "valid_from"),
        (no_mode, "modes internal api_guarded"),
        (refused, ": subject"),
    ],
)
def test_a_permit_that_does_not_permit_this_is_refused(
    project: Path, home: KeyHome, tmp_path: Path, change: Callable[[Any], None], reason: str
) -> None:
    """Well signed, but over, not begun, for another mode, or no permit at all: nothing runs."""
    place = forged(project, home, change, tmp_path / "permit.json")

    with pytest.raises(InputError) as error:
        run(project, permit=place, home=home, today=DAY)

    assert reason in told(error)
    assert not (project / TOLD).exists()


def test_a_permit_for_another_charter_trains_nothing(
    project: Path, home: KeyHome, tmp_path: Path
) -> None:
    """Well signed and granted: the charter that it names is not the one that is trained on."""
    place = forged(project, home, other_charter, tmp_path / "permit.json")

    with pytest.raises(PermitError) as error:
        run(project, permit=place, home=home, today=DAY)

    assert "another charter" in told(error)


def test_a_permit_for_another_model_trains_nothing(
    project: Path, home: KeyHome, tmp_path: Path
) -> None:
    """The charter is the same; the model that may be trained on it is another."""

    def other(body: dict[str, Any]) -> None:
        body["subject"]["model"] = "a-larger-one"

    place = forged(project, home, other, tmp_path / "permit.json")

    with pytest.raises(PermitError) as error:
        run(project, permit=place, home=home, today=DAY)

    assert "subject.model scratch a-larger-one" in told(error)


def test_a_signature_by_an_unknown_key_is_refused(project: Path, tmp_path: Path) -> None:
    """Until its signer is trusted here."""
    other = signed.home_of(tmp_path / "other")

    with pytest.raises(InputError) as error:
        run(project, permit=envelope(project), home=other, today=DAY)

    assert "an unknown signer" in told(error)


def edited(project: Path, old: bytes, new: bytes) -> bytes:
    """Return the envelope with its payload changed and its signature left."""
    body = json.loads(envelope(project).read_bytes())
    payload = base64.b64decode(body["payload"])
    assert old in payload
    body["payload"] = base64.b64encode(payload.replace(old, new)).decode()
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'"modes":["internal"]', b'"modes":["internal","open_weights"]', "It was edited"),
        (b'"seq":', b'"seq":1', "changed after it was signed"),
        (b"urn:normwright:permit:v1", b"urn:normwright:policy:v1", "a statement about a permit"),
    ],
)
def test_an_edited_permit_is_refused(
    project: Path, home: KeyHome, tmp_path: Path, old: bytes, new: bytes, reason: str
) -> None:
    """Whatever is changed in it, the digest it names or the signature over it no longer fits."""
    place = tmp_path / "permit.json"
    place.write_bytes(edited(project, old, new))

    with pytest.raises(InputError) as error:
        run(project, permit=place, home=home, today=DAY)

    assert reason in told(error)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"null", b"\xff", b'{"payloadType": 1}', b"{" * 5000]
)
def test_what_is_no_envelope_is_one_fault(tmp_path: Path, home: KeyHome, data: bytes) -> None:
    """Any file gives one error that says what is expected."""
    place = tmp_path / "permit.json"
    place.write_bytes(data)

    with pytest.raises(InputError, match="signed envelope"):
        read_permit(place, home=home, on=DAY)


def test_an_envelope_without_signatures_is_refused(
    project: Path, home: KeyHome, tmp_path: Path
) -> None:
    """Nobody signed it, so it says nothing."""
    body = json.loads(envelope(project).read_bytes())
    place = tmp_path / "permit.json"
    place.write_text(json.dumps({**body, "signatures": []}), encoding="utf-8")

    with pytest.raises(InputError, match="a signature"):
        read_permit(place, home=home, on=DAY)


def test_a_permit_and_training_without_one_are_not_asked_together(
    project: Path, home: KeyHome
) -> None:
    """One of the two."""
    with pytest.raises(InputError, match="one of the two"):
        run(project, permit=envelope(project), unpermitted=True, home=home)


# Without a charter


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """A project of judged pairs alone."""
    source = tmp_path / "mine.jsonl"
    rows = [{"prompt": f"Where is {n}?", "chosen": f"It is at {n}.", "rejected": "No.",
             "lang": "en", "licence": "CC0"} for n in range(20)]  # fmt: skip
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    flow.init_from(tmp_path / "pairs", source, today=DAY)
    return tmp_path / "pairs"


def test_a_new_project_of_pairs_says_that_it_trains_without_a_permit(pairs: Path) -> None:
    """The choice stands in its file, in words."""
    assert flow.load_project(pairs).unpermitted
    assert "unpermitted: true  #" in (pairs / FILE).read_text(encoding="utf-8")


def test_without_a_charter_nothing_is_trained_unless_the_file_says_so(pairs: Path) -> None:
    """The refusal comes before any work, and says both ways out."""
    file = pairs / FILE
    file.write_text(file.read_text("utf-8").replace("unpermitted: true", "unpermitted: false"))

    with pytest.raises(PermitError) as error:
        run(pairs, home=KeyHome(pairs.parent / "nobody"))
    answer = flow.permitted(pairs).permit

    assert "--unpermitted" in told(error)
    assert not (pairs / ".normwright/store.db").exists()
    assert not answer.granted
    assert any("charter" in reason for reason in answer.reasons("en"))


def test_what_the_last_run_was_told_is_read_or_says_nothing(pairs: Path) -> None:
    """A damaged note is no permission."""
    file = pairs / FILE
    file.write_text(file.read_text("utf-8").replace("unpermitted: true", "unpermitted: false"))
    (pairs / TOLD).parent.mkdir(exist_ok=True)
    for text in ("", "{", '{"unpermitted": "yes", "permit": null}', "[]"):
        (pairs / TOLD).write_text(text, encoding="utf-8")

        assert not flow.load_project(pairs).unpermitted
