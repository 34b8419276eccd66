"""Two people on two machines: one makes and signs, the other is told a fingerprint and verifies."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.cli.conftest import Call, Called
from tests.flow import signed

At = Callable[..., Called]


@pytest.fixture
def at(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> At:
    """Call the command line on somebody's machine: with their own folder of keys."""

    def run(who: str, *arguments: object) -> Called:
        monkeypatch.setenv("NORMWRIGHT_HOME", str(tmp_path / who))
        return call(*arguments)

    return run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished project that nobody signed, to be copied and never touched."""
    project = signed.write_project(tmp_path_factory.mktemp("keys") / "town")
    signed.run(project)
    return project


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "town"))


def test_two_people_exchange_a_key_and_verify(at: At, project: Path, tmp_path: Path) -> None:
    """The page docs/how-to/keys.md, word for word: unknown is a fault, trusted is not."""
    made = at("ana", "keys", "create", "--json")
    done = at("ana", "keys", "sign", project, "--json")
    shown = at("ana", "keys", "show", "default")
    (tmp_path / "ana.pub").write_text(shown.out)
    copy = Path(shutil.copytree(project, tmp_path / "elsewhere" / "town"))

    stranger, screen = (
        at("rui", "verify", copy, "--json"),
        at("rui", "verify", copy),
    )
    fingerprint = made.value["keyid"]
    trusted = at(
        "rui", "keys", "trust", tmp_path / "ana.pub", "--name", "ana",
        "--fingerprint", fingerprint, "--json",
    )  # fmt: skip
    after = at("rui", "verify", copy, "--require-signed", "--json")
    told = at("rui", "verify", copy)

    assert made.code == done.code == shown.code == 0
    assert done.value["new"] == ["criteria", "policy", "permit", "verdict"]
    assert fingerprint in shown.out
    assert stranger.code == screen.code == 1
    assert stranger.value["signed"] == 0
    assert all(fingerprint in fault["seen"] for fault in stranger.value["faults"])
    assert "normwright keys trust FILE --name NAME" in screen.err
    assert fingerprint in screen.err
    assert set(trusted.value) == {"name", "keyid", "public", "own", "trusted"}
    assert trusted.value["keyid"] == fingerprint
    assert after.code == told.code == 0
    assert after.value["signed"] == 4
    assert after.value["unsigned"] == []
    assert f"verdict: signed by ana ({fingerprint[:12]})" in told.out
    assert "criteria signed before the evidence: no (1 earlier results" in told.out


def test_trust_can_be_taken_back(at: At, project: Path, tmp_path: Path) -> None:
    """Removed, the signer is unknown again."""
    at("ana", "keys", "create")
    at("ana", "keys", "sign", project)
    (tmp_path / "ana.pub").write_text(at("ana", "keys", "show", "default").out)
    at("rui", "keys", "trust", tmp_path / "ana.pub", "--name", "ana")

    removed = at("rui", "keys", "trust", "--remove", "ana", "--json")

    assert removed.value["trusted"] is False
    assert at("rui", "verify", project).code == 1


def test_keys_are_listed(at: At, tmp_path: Path) -> None:
    """Own and trusted keys stand apart, and the one that signs runs is marked."""
    at("ana", "keys", "create", "desk")
    at("ana", "keys", "create")
    (tmp_path / "rui.pub").write_text(at("rui", "keys", "create").out)
    at("ana", "keys", "trust", tmp_path / "rui.pub", "--name", "rui")

    machine, screen = at("ana", "keys", "show", "--json"), at("ana", "keys", "show")

    assert [key["name"] for key in machine.value["own"]] == ["default", "desk"]
    assert [key["name"] for key in machine.value["trusted"]] == ["rui"]
    assert machine.value["signing"] == "default"
    assert machine.value["home"] == str(tmp_path / "ana")
    assert re.search(r"default  [0-9a-f]{64}  \(signs runs\)", screen.out)
    assert re.search(r"rui  [0-9a-f]{64}\n", screen.out)


@pytest.mark.parametrize(
    "arguments",
    [
        ("trust",),
        ("trust", "a.pub"),
        ("trust", "--name", "ana"),
        ("trust", "a.pub", "--name", "ana", "--remove", "ana"),
        ("sign", "--what", "everything"),
    ],
)
def test_half_a_command_is_a_usage_error(at: At, arguments: tuple[str, ...]) -> None:
    """Trusting needs a file and a name; removing needs a name alone."""
    assert at("ana", "keys", *arguments).code == 2


def test_refusals_are_faults(at: At, project: Path, tmp_path: Path) -> None:
    """A missing file, a missing key, a taken name and no key at all: code 1 and one fault each."""
    none = at("ana", "keys", "sign", project, "--json")
    at("ana", "keys", "create")
    for called in (
        none,
        at("ana", "keys", "create", "--json"),
        at("ana", "keys", "show", "bea", "--json"),
        at("ana", "keys", "trust", tmp_path / "no.pub", "--name", "bea", "--json"),
        at("ana", "keys", "trust", tmp_path, "--name", "bea", "--json"),
        at("ana", "keys", "trust", tmp_path / "ana/keys/default.pem", "--name", "b", "--json"),
        at("ana", "keys", "sign", project, "--key", "bea", "--json"),
    ):
        assert called.code == 1
        assert len(called.faults) == 1
    assert not (tmp_path / "ana/trusted").exists()


def test_an_open_private_key_signs_nothing(at: At, project: Path, tmp_path: Path) -> None:
    """A key that others can read is refused with the command that closes it."""
    at("ana", "keys", "create")
    (tmp_path / "ana/keys/default.pem").chmod(0o644)

    called = at("ana", "keys", "sign", project, "--json")

    assert called.code == 1
    assert called.faults[0]["do"] == f"chmod 600 {tmp_path}/ana/keys/default.pem"
    assert not (project / "out/verdict.dsse.json").exists()


def test_a_passphrase_comes_from_the_environment(
    at: At, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it, and without a terminal to ask at, nothing is made nor signed."""
    refused = at("ana", "keys", "create", "--passphrase", "--json")
    monkeypatch.setenv("NORMWRIGHT_PASSPHRASE", "correct horse")
    made = at("ana", "keys", "create", "--passphrase")
    signed_ = at("ana", "keys", "sign", project, "--what", "verdict", "--json")
    monkeypatch.delenv("NORMWRIGHT_PASSPHRASE")
    locked = at("ana", "keys", "sign", project, "--json")

    assert refused.code == locked.code == 1
    assert made.code == signed_.code == 0
    assert signed_.value["new"] == ["verdict"]
    assert "horse" not in made.out + made.err + locked.out


def test_nothing_private_is_ever_printed(at: At, project: Path, tmp_path: Path) -> None:
    """No command shows the private half, in any spelling, nor leaves it in the project."""
    said = [
        at("ana", "keys", *arguments)
        for arguments in (
            ("create",),
            ("create", "desk", "--json"),
            ("show",),
            ("show", "default"),
            ("show", "--json"),
            ("sign", project),
            ("trust", tmp_path / "ana/keys/desk.pem", "--name", "desk2"),
            ("trust", tmp_path / "ana/keys/desk.pem", "--name", "desk2", "--json"),
        )
    ]
    said.append(at("ana", "verify", project))
    printed = "".join(called.out + called.err for called in said).encode()
    stored = b"".join(path.read_bytes() for path in project.rglob("*") if path.is_file())

    for name in ("default", "desk"):
        pem = (tmp_path / f"ana/keys/{name}.pem").read_bytes()
        raw: bytes = load_pem_private_key(pem, None).private_bytes_raw()  # type: ignore[union-attr]
        for secret in (raw, raw.hex().encode(), base64.b64encode(raw), pem.split(b"\n")[1]):
            assert secret not in printed
            assert secret not in stored
