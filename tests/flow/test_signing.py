"""Signatures change nothing that they are over, and any change to them or to it is named."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
from tests.flow import signed

from normwright.flow import KINDS, sign, verify
from normwright.flow.signed import Books, weigh
from normwright.flow.signing import sign_in, spoken_of
from normwright.flow.statements import criteria_draft
from normwright.records import Fault, InputError, IntegrityError, Verdict
from normwright.store import (
    FOLDER,
    KeyHome,
    SignedStatement,
    Store,
    file_digest,
    link,
    sign_statement,
    signature_payload,
    signed_by,
)

ENVELOPES = [f"out/{kind}.dsse.json" for kind in KINDS]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project whose criteria were signed, that was run and signed, and its keys.

    To be copied and never touched.
    """
    folder = tmp_path_factory.mktemp("signed")
    home = signed.home_of(folder / "home")
    project = signed.write_project(folder / "town")
    sign(project, what=["criteria"], home=home)
    signed.run(project)
    sign(project, home=home)
    return folder


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished / "town", tmp_path / "town"))


@pytest.fixture
def home(finished: Path, tmp_path: Path) -> KeyHome:
    return KeyHome(Path(shutil.copytree(finished / "home", tmp_path / "home")))


@pytest.fixture
def unsigned(tmp_path: Path) -> Path:
    """A finished project that nobody signed."""
    project = signed.write_project(tmp_path / "unsigned")
    signed.run(project)
    return project


def faults(project: Path, home: KeyHome, *, require_signed: bool = False) -> tuple[Fault, ...]:
    return verify(project, home=home, require_signed=require_signed).faults


def wheres(project: Path, home: KeyHome) -> list[str]:
    return [fault.where for fault in faults(project, home)]


def rows(project: Path) -> dict[str, SignedStatement]:
    """The signatures of a project that one key signed, by kind."""
    with Store.open(project) as store:
        return {one.kind: one for one in store.signatures()}


def append(project: Path, kind: str, payload: str) -> None:
    """Add an entry to the ledger, as whoever can write to the project could."""
    with Store.open(project) as store:
        store.append(kind, payload)


# What is signed


def test_a_signed_project_verifies(project: Path, home: KeyHome) -> None:
    """All four are signed by a key that counts, the criteria before the evidence."""
    found = verify(project, home=home, require_signed=True)
    told = json.loads(json.dumps(found.as_json()))
    keyid = home.named("default").keyid

    assert told["faults"] == []
    assert told["signed"] == 4
    assert told["unsigned"] == []
    assert told["signers"] == [{"kind": kind, "name": "default", "keyid": keyid} for kind in KINDS]
    assert told["criteria_signed_before_evidence"] == "yes"
    assert told["earlier_evidence"] == 0


def test_other_tools_can_read_an_envelope(project: Path, home: KeyHome) -> None:
    """The envelope is DSSE as another library reads it, its payload an in-toto statement v1."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    key = SSlibKey.from_crypto(load_pem_public_key(home.named("default").pem.encode()))
    for path in ENVELOPES:
        envelope = Envelope.from_dict(json.loads((project / path).read_text()))
        statement = json.loads(envelope.payload)

        assert envelope.verify([key], 1) == {key.keyid: key}
        assert envelope.payload_type == "application/vnd.in-toto+json"
        assert set(statement) == {"_type", "subject", "predicateType", "predicate"}
        assert statement["_type"] == "https://in-toto.io/Statement/v1"
        assert all(set(one) == {"name", "digest"} for one in statement["subject"])


def test_what_a_statement_says(project: Path) -> None:
    """The verdict names what was decided, from what, and the end of the ledger; files by bytes."""
    said = {kind: json.loads(one.statement) for kind, one in rows(project).items()}
    subject = {one["name"]: one["digest"]["sha256"] for one in said["verdict"]["subject"]}
    predicate = said["verdict"]["predicate"]
    criteria = {one["name"]: one["digest"]["sha256"] for one in said["criteria"]["subject"]}
    with Store.open(project) as store:
        (stored,) = store.all_stored("Verdict")
        verdict = store.record(stored.digest, Verdict)
        ledger = {entry.seq: entry for entry in store.ledger()}

    assert f"sha256:{subject['Verdict']}" == verdict.digest
    exported = (project / "out/verdict.json").read_bytes()
    assert subject["out/verdict.json"] == hashlib.sha256(exported).hexdigest()
    assert predicate["modes"] == {"internal": "HOLD"}
    assert predicate["charter"] == verdict.charter == said["policy"]["predicate"]["charter"]
    assert predicate["model"] == verdict.model
    assert predicate["policy"] == [f"sha256:{said['policy']['subject'][0]['digest']['sha256']}"]
    written = (project / signed.CRITERIA).read_bytes()
    assert criteria.pop(signed.CRITERIA) == hashlib.sha256(written).hexdigest()
    assert {f"sha256:{digest}" for digest in criteria.values()} == set(predicate["criteria"])
    assert ledger[predicate["ledger"]["seq"]].digest == predicate["ledger"]["digest"]
    assert said["criteria"]["predicate"]["ledger"]["seq"] == 0


def test_signing_changes_nothing_that_is_signed(project: Path, unsigned: Path) -> None:
    """Records and results are the same, to the digest, with and without signatures."""
    with Store.open(project) as one, Store.open(unsigned) as other:
        assert list(one.all_stored()) == list(other.all_stored())
        assert {r.key: r.made for r in one.results()} == {r.key: r.made for r in other.results()}
        assert len(one.ledger()) == len(other.ledger()) + 4


def test_signing_twice_signs_once(project: Path, home: KeyHome) -> None:
    """What a key has signed is left as it is, and the key is not even opened for it."""
    (home.directory / "keys/default.pem").write_bytes(b"")
    before = [(project / path).read_bytes() for path in ENVELOPES]

    again = sign(project, home=home)

    assert again.new == ()
    assert [(project / path).read_bytes() for path in ENVELOPES] == before
    with Store.open(project) as store:
        assert len(store.ledger()) == 8
        with pytest.raises(IntegrityError, match="already"):
            store.put_signature(store.signatures()[0])


def test_two_people_sign_one_envelope(project: Path, home: KeyHome, tmp_path: Path) -> None:
    """The second signs the very statement of the first; either can verify who trusts the other."""
    rui = signed.home_of(tmp_path / "rui", "rui")
    rui.trust(home.named("default").pem.encode(), name="ana")
    home.trust(rui.named("rui").pem.encode(), name="rui")

    done = sign(project, key="rui", home=rui)
    found = verify(project, home=rui)

    assert done.new == KINDS
    assert all(len(keys) == 2 for keys in done.signers.values())
    for path in ENVELOPES:
        assert len(json.loads((project / path).read_text())["signatures"]) == 2
    assert found.faults == verify(project, home=home).faults == ()
    assert {(one.kind, one.name) for one in found.signatures.signers} == {
        (kind, name) for kind in KINDS for name in ("ana", "rui")
    }


def test_nobody_signs_a_statement_that_was_forged(
    project: Path, home: KeyHome, tmp_path: Path
) -> None:
    """A stored statement that says something else is not signed on trust; a true one is made."""
    lie = rows(project)["verdict"].statement.replace('"HOLD"', '"RELEASE"')
    signed.sql(project, "UPDATE signatures SET statement = ? WHERE kind = 'verdict'", lie)
    rui = signed.home_of(tmp_path / "rui")

    sign(project, what=["verdict"], home=rui)

    with Store.open(project) as store:
        keyid = rui.named("default").keyid
        (mine,) = [one for one in store.signatures() if one.keyid == keyid]
    assert json.loads(mine.statement)["predicate"]["modes"] == {"internal": "HOLD"}
    assert any("verdict" in where for where in wheres(project, home))


def test_a_changed_record_is_not_signed(unsigned: Path, home: KeyHome) -> None:
    """A verdict that is not what its digest says gets no signature."""
    signed.sql(
        unsigned,
        "UPDATE records SET json = replace(json, 'HOLD', 'RELEASE') WHERE kind = 'Verdict'",
    )

    with pytest.raises(IntegrityError, match=r"Verdict .* has been changed"):
        sign(unsigned, home=home)
    assert rows(unsigned) == {}


def test_criteria_can_be_signed_before_anything_is_run(home: KeyHome, tmp_path: Path) -> None:
    """Before a run there are criteria and nothing else; asking for the rest says what to do."""
    project = signed.write_project(tmp_path / "new")
    with pytest.raises(InputError, match="normwright run"):
        sign(project, what=["verdict"], home=home)

    done = sign(project, home=home)
    found = verify(project, home=home)

    assert done.new == ("criteria",)
    assert (project / "out/criteria.dsse.json").is_file()
    assert found.faults == ()
    assert found.signatures.unsigned == ()
    assert found.signatures.criteria_first is None


def test_faults_of_the_criteria_stop_their_signing(home: KeyHome, tmp_path: Path) -> None:
    """Criteria with faults are not signed; nothing is stored."""
    project = signed.write_project(tmp_path / "new")
    with (project / signed.CRITERIA).open("a") as file:
        file.write("\nalphaa: 0.5\n")

    with pytest.raises(InputError, match="alphaa"):
        sign(project, home=home)
    assert rows(project) == {}


def test_without_a_key_there_is_nothing_to_sign_with(unsigned: Path, tmp_path: Path) -> None:
    """No key, or one that is not there: said with the command that makes it."""
    empty = KeyHome(tmp_path / "empty")

    with pytest.raises(InputError, match="normwright keys create"):
        sign(unsigned, home=empty)
    with pytest.raises(InputError, match="normwright keys create ana"):
        sign(unsigned, key="ana", home=empty)


# Unsigned, and the order of criteria and evidence


def test_what_is_not_signed_is_told_and_may_be_required(unsigned: Path, home: KeyHome) -> None:
    """Without signatures nothing is wrong, unless they are required; then each is a fault."""
    found = verify(unsigned, home=home)
    required = faults(unsigned, home, require_signed=True)

    assert found.faults == ()
    assert found.signatures.good == 0
    assert found.signatures.unsigned == KINDS
    assert found.signatures.criteria_first == "unsigned"
    assert [fault.where for fault in required] == list(KINDS)
    assert all("normwright keys sign" in fault.do for fault in required)


def test_what_is_not_there_is_not_signed(home: KeyHome, tmp_path: Path) -> None:
    """Signed criteria alone do not pass for a signed verdict."""
    project = signed.write_project(tmp_path / "new")
    sign(project, home=home)

    assert [(f.where, f.seen) for f in faults(project, home, require_signed=True)] == [
        ("policy", "no policy"),
        ("permit", "no permit"),
        ("verdict", "no verdict"),
    ]


def test_criteria_signed_after_the_evidence_are_told(unsigned: Path, home: KeyHome) -> None:
    """Signing after the measurement is said to be after it."""
    sign(unsigned, home=home)
    found = verify(unsigned, home=home, require_signed=True)

    assert found.faults == ()
    assert found.signatures.criteria_first == "no"
    assert found.signatures.earlier == 1


def test_evidence_seen_before_is_counted(unsigned: Path, home: KeyHome) -> None:
    """Criteria signed between two candidates precede the second; the first is counted."""
    sign(unsigned, what=["criteria"], home=home)
    signed.run(unsigned, 0.5)
    found = verify(unsigned, home=home).signatures

    assert (found.criteria_first, found.earlier) == ("yes", 1)


def test_evidence_that_was_replaced_still_counts(unsigned: Path, home: KeyHome) -> None:
    """Losing a result to have it made again after signing does not hide that it was seen."""
    sign(unsigned, what=["criteria"], home=home)
    with Store.open(unsigned) as store:
        (old,) = [one for one in store.results() if one.stage == "evaluate"]
        store.put_result(type(old)(**{**vars(old), "objects": (store.objects.put_bytes(b"x"),)}))
    found = verify(unsigned, home=home).signatures

    assert found.earlier == 1


def test_evidence_that_was_let_go_still_counts(unsigned: Path, home: KeyHome) -> None:
    """A result the ledger says is gone could have been evidence: where it was, it is counted."""
    append(unsigned, "result", "sha256:" + "3" * 64)
    sign(unsigned, what=["criteria"], home=home)
    append(unsigned, "gc", "sha256:" + "3" * 64)

    assert verify(unsigned, home=home).signatures.earlier == 2


def test_other_criteria_than_the_signed_are_unsigned(project: Path, home: KeyHome) -> None:
    """Criteria weakened after signing are not the signed ones, and their envelope goes."""
    path = project / signed.CRITERIA
    path.write_text(path.read_text().replace("alpha: 0.05", "alpha: 0.2"))
    assert "out/criteria.dsse.json" in wheres(project, home)

    signed.run(project)
    sign(project, what=["policy", "verdict"], home=home)
    found = verify(project, home=home)

    assert found.faults == ()
    assert found.signatures.criteria_first == "unsigned"
    assert found.signatures.unsigned == ("criteria",)
    assert not (project / "out/criteria.dsse.json").exists()


def test_a_new_verdict_has_no_old_envelope(project: Path, home: KeyHome) -> None:
    """The envelope beside a verdict is over that verdict; the old signature stays good."""
    signed.run(project, 0.5)
    stale = wheres(project, home)
    sign(project, what=["policy"], home=home)
    found = verify(project, home=home)

    assert "out/verdict.dsse.json" in stale
    assert not (project / "out/verdict.dsse.json").exists()
    assert found.faults == ()
    assert found.signatures.good == 4
    assert found.signatures.unsigned == ("verdict",)


# Tampering


def flip_sig(one: SignedStatement) -> str:
    raw = bytearray(base64.b64decode(one.sig))
    raw[10] ^= 1
    return base64.b64encode(raw).decode()


def test_what_a_stranger_wrote_does_not_steer_the_terminal(project: Path, home: KeyHome) -> None:
    """Control characters in a key id, a kind or a subject are shown, never sent to the terminal."""
    erase = "\x1b[2K\r"
    statement = rows(project)["policy"].statement.replace('"Policy"', '"\\u001b[2K"')
    forge(project, home, "policy", json.dumps(json.loads(statement), sort_keys=True,
          separators=(",", ":"), ensure_ascii=False))  # fmt: skip
    signed.sql(
        project, "UPDATE signatures SET keyid = ?, kind = ? WHERE kind = 'verdict'", erase, erase
    )
    found = faults(project, home)

    assert any("\\x1b[2K" in fault.where for fault in found)
    assert all(part.isprintable() for fault in found for part in (fault.where, fault.seen))


def test_what_signatures_speak_of_is_known(project: Path) -> None:
    """Whoever tidies a store can ask what has to stay: records, files and the criteria file."""
    with Store.open(project) as store:
        kept = spoken_of(store)
        held = {stored.digest for stored in store.all_stored()} | set(store.objects)

        assert kept <= held
        assert {s.digest for s in store.all_stored("Verdict")} < kept
        assert file_digest(project / signed.CRITERIA) in kept


def test_changed_books_are_faults_not_crashes(project: Path, home: KeyHome) -> None:
    """A policy that no longer reads as one is named; nothing can be signed beside it."""
    signed.sql(project, "UPDATE records SET json = '{}' WHERE kind = 'Policy'")

    assert any("Policy" in where for where in wheres(project, home))
    with pytest.raises(IntegrityError, match="what charter made has been changed"):
        sign(project, home=home)


def respelt(sig: str) -> str:
    """Write the same bytes as another base64 text: the last letter has bits that do not count."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = sig[:-3] + letters[letters.index(sig[-3]) + 1] + sig[-2:]
    assert base64.b64decode(other) == base64.b64decode(sig)
    return other


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("column", "change", "where"),
    [
        ("statement", lambda one: one.statement.replace('"ledger"', '"ledge"'), ": statement"),
        ("statement", lambda one: one.statement + " ", ": statement"),
        ("payload", lambda one: "sha256:" + "0" * 64, ": statement"),
        ("sig", flip_sig, "signature of"),
        ("sig", lambda one: "", "signature of"),
        ("sig", lambda one: one.sig.rstrip("="), "signature of"),
        ("sig", lambda one: respelt(one.sig), "signature of"),
        ("sig", lambda one: "AAAA" + one.sig, "signature of"),
        ("keyid", lambda one: one.keyid.upper(), "signature of"),
        ("keyid", lambda one: "0" * 64, "signature of"),
        ("kind", lambda one: "safety", ": kind"),
    ],
)
def test_a_changed_signature_is_named(
    project: Path,
    home: KeyHome,
    kind: str,
    column: str,
    change: Callable[[SignedStatement], str],
    where: str,
) -> None:
    """Each part of a stored signature is checked; the ledger holds all but the text besides."""
    one = rows(project)[kind]
    signed.sql(project, f"UPDATE signatures SET {column} = ? WHERE kind = ?", change(one), kind)
    found = verify(project, home=home)

    assert any(where in fault.where for fault in found.faults)
    told = any(fault.where == "ledger: signature" for fault in found.faults)
    assert told == (column != "statement")  # of that it holds the digest
    assert found.signatures.good == 3


def test_an_envelope_about_what_is_not_there_is_named(project: Path, home: KeyHome) -> None:
    """A good signature over a record that the store does not hold is a fault that names it."""
    (verdict,) = (json.loads(rows(project)["verdict"].statement),)
    verdict["subject"][0]["digest"]["sha256"] = "1" * 64
    forge(project, home, "verdict", json.dumps(verdict, sort_keys=True, separators=(",", ":")))

    assert any("Verdict" in where for where in wheres(project, home))


def forge(project: Path, home: KeyHome, kind: str, statement: str) -> SignedStatement:
    """Store a statement with a good signature, its ledger entry and all."""
    one = sign_statement(statement, kind=kind, signer=home.signer("default"))
    with Store.open(project) as store:
        store.put_signature(one)
    return one


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("verdict", '"internal":"HOLD"', '"internal":"RELEASE"'),
        ("verdict", '"candidates":1', '"candidates":2'),
        ("policy", '"permit_modes":["internal",', '"permit_modes":['),
        ("criteria", '{"file":', '{"alpha":0.5,"file":'),
        ("criteria", "statement/v1", "statement/v1"),
    ],
)
def test_a_signed_lie_is_named(project: Path, home: KeyHome, kind: str, old: str, new: str) -> None:
    """A statement that says other than what is stored is a fault, however well it is signed."""
    text = rows(project)[kind].statement
    if old == new:
        lie = text.replace("urn:normwright:criteria:v1", "urn:normwright:verdict:v1")
    else:
        lie = text.replace(old, new)
    assert lie != text
    forge(project, home, kind, lie)
    found = faults(project, home)

    assert any(": predicate" in f.where or ": kind" in f.where for f in found)


def test_a_statement_has_one_spelling(project: Path, home: KeyHome) -> None:
    """A statement that says the same in another JSON text is not one of ours, though signed."""
    forge(project, home, "verdict", json.dumps(json.loads(rows(project)["verdict"].statement)))

    assert any(": kind" in where for where in wheres(project, home))


def test_criteria_signed_as_others_are_not_those_of_the_verdict(
    unsigned: Path, home: KeyHome
) -> None:
    """A signature over the right file, but over records the verdict does not rest on, is none."""
    with Store.open(unsigned) as store:
        (other,) = store.all_stored("Policy")
        file = store.objects.put_file(unsigned / signed.CRITERIA)
        text = criteria_draft(signed.CRITERIA, file, [("c", other.digest)]).statement(
            store.ledger()[-1]
        )
    forge(unsigned, home, "criteria", text)
    found = verify(unsigned, home=home).signatures

    assert found.good == 1
    assert found.criteria_first == "unsigned"
    assert "criteria" in found.unsigned


def test_a_removed_signature_is_named(project: Path, home: KeyHome) -> None:
    """The ledger tells of a signature that is gone, and the envelope is left without one."""
    payload = signature_payload(rows(project)["verdict"])
    signed.sql(project, "DELETE FROM signatures WHERE kind = 'verdict'")
    found = faults(project, home)

    assert {f.where for f in found if f.expected == payload} == {"ledger entry 8: signature"}
    assert "out/verdict.dsse.json" in [f.where for f in found]


def test_what_was_stripped_wholly_is_missing_where_it_is_required(
    project: Path, home: KeyHome
) -> None:
    """Nothing tells of a last signature that was cut off with its entry: require signatures."""
    signed.sql(project, "DELETE FROM signatures WHERE kind = 'verdict'")
    signed.sql(project, "DELETE FROM ledger WHERE seq = 8")
    signed.sql(project, "DELETE FROM exports WHERE path = 'out/verdict.dsse.json'")
    (project / "out/verdict.dsse.json").unlink()

    assert faults(project, home) == ()
    assert [f.where for f in faults(project, home, require_signed=True)] == ["verdict"]


def test_a_signature_smuggled_in_is_named(project: Path, home: KeyHome, tmp_path: Path) -> None:
    """A signature the ledger does not tell of is a fault, even by a key that counts."""
    one = rows(project)["verdict"]
    other = signed.home_of(tmp_path / "rui", "rui")
    home.trust(other.named("rui").pem.encode(), name="rui")
    extra = sign_statement(one.statement, kind="verdict", signer=other.signer("rui"))
    signed.sql(project, "INSERT INTO signatures VALUES (?, ?, ?, ?, ?)", *vars(extra).values())

    assert "ledger: signature" in wheres(project, home)


def test_an_unknown_signature_beside_a_good_one_is_a_fault(
    project: Path, home: KeyHome, tmp_path: Path
) -> None:
    """A second signer nobody here knows is named with the way to trust them; the first counts."""
    stranger = signed.home_of(tmp_path / "stranger")
    sign(project, what=["verdict"], home=stranger)
    found = verify(project, home=home)
    (fault,) = found.faults

    assert stranger.named("default").keyid in fault.seen
    assert "normwright keys trust FILE" in fault.do
    assert found.signatures.good == 4
    assert found.signatures.unsigned == ()


def test_a_rewritten_ledger_does_not_have_the_signed_end(project: Path, home: KeyHome) -> None:
    """A ledger linked anew from its start holds in itself, but the signers saw another."""
    with Store.open(project) as store:
        last = None
        for entry in store.ledger():
            at = "1999-01-01T00:00:00+00:00"
            last = link(last, kind=entry.kind, payload=entry.payload, at=at)
            signed.sql(project, "UPDATE ledger SET digest = ?, previous = ?, at = ? WHERE seq = ?",
                       last.digest, last.previous, at, last.seq)  # fmt: skip
    found = wheres(project, home)

    assert found
    assert all("signature of" in where and "ledger entry" in where for where in found)


def test_an_envelope_of_another_project_is_named(
    project: Path, home: KeyHome, tmp_path: Path
) -> None:
    """An envelope file, or a whole signature, of a like project does not pass for this one's."""
    other = signed.write_project(tmp_path / "other")
    signed.run(other, long_ago=True)  # the same records, made on another day
    sign(other, home=home)
    assert rows(other)["verdict"].statement != rows(project)["verdict"].statement
    file = project / "out/verdict.dsse.json"
    kept = file.read_bytes()
    file.write_bytes((other / "out/verdict.dsse.json").read_bytes())
    swapped = wheres(project, home)
    file.write_bytes(kept)
    with Store.open(project) as store:
        store.put_signature(rows(other)["verdict"])
    stored = wheres(project, home)

    assert swapped == ["out/verdict.dsse.json"]
    assert any("ledger entry" in where for where in stored)


def test_an_envelope_the_store_does_not_know_is_named(unsigned: Path, home: KeyHome) -> None:
    """An envelope laid beside an unsigned verdict is not taken for its signature."""
    (unsigned / "out/verdict.dsse.json").write_text("{}")
    (fault,) = faults(unsigned, home)

    assert (fault.where, fault.seen) == ("out/verdict.dsse.json", "one the store does not know")


def test_signatures_of_another_algorithm_do_not_count(project: Path, home: KeyHome) -> None:
    """Neither a code made with the public key as secret, nor another payload type, passes."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    one, key = rows(project)["verdict"], home.named("default")
    public = load_pem_public_key(key.pem.encode()).public_bytes_raw()  # type: ignore[union-attr]
    payload = one.statement.encode()
    covered = Envelope(payload, "application/vnd.in-toto+json", {}).pae()
    code = hmac.new(public, covered, hashlib.sha512).digest()
    other = Envelope(payload, "text/plain", {}).sign(home.signer("default")).signature
    bare = home.signer("default").sign(payload).signature

    assert signed_by(one, key)
    for raw in (code, bytes.fromhex(other), bytes.fromhex(bare), bytes(64), public * 2):
        sig = base64.b64encode(raw).decode()
        assert not signed_by(SignedStatement(**{**vars(one), "sig": sig}), key)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"_type":1}', "[" * 5000, '{"_type":[],"predicate":{}}', "\x00"],
)
def test_what_is_no_statement_is_a_fault_not_a_crash(
    project: Path, home: KeyHome, text: str
) -> None:
    """Signed rubbish, by a key that counts, is named."""
    forge(project, home, "verdict", text)

    assert any(": kind" in where for where in wheres(project, home))


def books_of(project: Path) -> Books:
    """What a project's store holds, for weighing without a database."""
    with Store.open(project) as store:
        bodies = {s.digest: (s.kind, json.loads(s.json)) for s in store.all_stored()}
        results = {one.key: one for one in store.results()}
        current = [results[step.key] for step in store.current_steps().values()]
        objects = set(store.objects)
        return Books(
            signatures=store.signatures(),
            bodies=bodies,
            objects=objects.__contains__,
            results=tuple(results.values()),
            current=current,
            ledger=store.ledger(),
            exports=store.exports(),
        )


@pytest.fixture(scope="module")
def books(finished: Path) -> Books:
    return books_of(finished / "town")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_character_of_a_stored_signature_counts(
    finished: Path, books: Books, data: st.DataObject
) -> None:
    """Whatever one character becomes, in whatever part of a signature, it no longer holds."""
    which = data.draw(st.integers(0, len(books.signatures) - 1))
    part = data.draw(st.sampled_from(["payload", "keyid", "kind", "statement", "sig"]))
    one = books.signatures[which]
    old: str = getattr(one, part)
    place = data.draw(st.integers(0, len(old) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda c: c != old[place]))
    new = SignedStatement(**{**vars(one), part: old[:place] + letter + old[place + 1 :]})
    changed: dict[str, Any] = {
        **vars(books),
        "signatures": [new if one is other else other for other in books.signatures],
    }
    weighed = weigh(
        finished / "town", Books(**changed), known=KeyHome(finished / "home").known, required=KINDS
    )

    assert weighed.signatures.good == len(books.signatures) - 1
    assert any("signature of" in fault.where for fault in weighed.faults)


@pytest.fixture(scope="module")
def spoilt(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy whose envelopes are changed and put back."""
    return Path(shutil.copytree(finished / "town", tmp_path_factory.mktemp("spoilt") / "town"))


@settings(deadline=None, max_examples=40)
@given(
    path=st.sampled_from(ENVELOPES),
    place=st.floats(0, 1, exclude_max=True),
    flip=st.integers(1, 255),
)
def test_any_byte_of_an_envelope_counts(
    finished: Path, spoilt: Path, path: str, place: float, flip: int
) -> None:
    """Whatever one byte of an envelope file becomes, verify names the file, even if re-listed."""
    file = spoilt / path
    whole = file.read_bytes()
    at = int(place * len(whole))
    file.write_bytes(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])
    home = KeyHome(finished / "home")
    try:
        named = wheres(spoilt, home)
        with Store.open(spoilt) as store:
            kept = store.exports()
            store.put_exports({path: store.objects.put_file(file)})
        listed = wheres(spoilt, home)
    finally:
        file.write_bytes(whole)
        with Store.open(spoilt) as store:
            store.put_exports(kept)

    assert named == [path]
    assert listed == [path]


# Whose keys


def test_another_machine_trusts_nobody_until_told(
    project: Path, home: KeyHome, tmp_path: Path
) -> None:
    """There every signature is a fault that names the key; once trusted, all hold; then not."""
    theirs = KeyHome(tmp_path / "theirs")
    keyid = home.named("default").keyid
    before = faults(project, theirs)
    theirs.trust(home.named("default").pem.encode(), name="ana", fingerprint=keyid)
    after = verify(project, home=theirs, require_signed=True)
    theirs.distrust("ana")

    assert len(before) == 4
    assert all(keyid in f.seen and "normwright keys trust FILE" in f.do for f in before)
    assert after.faults == ()
    assert {one.name for one in after.signatures.signers} == {"ana"}
    assert faults(project, theirs) == before


def test_a_key_inside_the_project_never_counts(project: Path) -> None:
    """A key home that travels with the project is refused, to sign and to verify."""
    inside = signed.home_of(project / ".keys")

    with pytest.raises(InputError, match="outside the project"):
        verify(project, home=inside)
    with pytest.raises(InputError, match="outside the project"):
        sign(project, home=inside)


def test_nothing_private_is_in_the_project(project: Path, home: KeyHome) -> None:
    """No file of a signed project holds the private key, in any spelling of it."""
    private = home.signer("default")._private_key
    raw: bytes = private.private_bytes_raw()  # type: ignore[union-attr]
    body = (home.directory / "keys/default.pem").read_bytes().split(b"\n")[1]
    spellings = (raw, raw.hex().encode(), base64.b64encode(raw), body)
    files = [path for path in project.rglob("*") if path.is_file()]
    with sqlite3.connect(project / FOLDER / "store.db") as connection:
        dump = "\n".join(connection.iterdump()).encode()

    assert len(files) > 20
    for content in (*(path.read_bytes() for path in files), dump):
        assert not any(one in content for one in spellings)


def test_the_ledger_tells_of_no_signature_that_is_not_stored(project: Path, home: KeyHome) -> None:
    """An entry about a signature that never was is named like one about a result."""
    append(project, "signature", "sha256:" + "2" * 64)

    assert wheres(project, home) == ["ledger entry 9: signature"]


def test_signing_needs_no_more_than_an_open_store(project: Path, home: KeyHome) -> None:
    """`sign_in` says None where there is nothing of what was asked, and signs nothing."""
    from normwright.flow import load_project
    from normwright.flow.signing import Hand

    with Store.open(project) as store:
        done = sign_in(load_project(project), store, Hand(home, "default"), [])

        assert done is None
        assert len(store.signatures()) == 4
