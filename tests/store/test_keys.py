"""Keys are kept to whoever holds them, and only public keys somebody vouched for are trusted."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from normwright.records import InputError
from normwright.store import KeyHome, sign_statement, signed_by


@pytest.fixture
def home(tmp_path: Path) -> KeyHome:
    return KeyHome(tmp_path / "home")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def public_pem(key: Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_a_key_is_its_owners_alone(home: KeyHome) -> None:
    """The private half has mode 0600 in a folder of mode 0700; nothing else is left there."""
    key = home.create("ana")

    assert mode(home.directory) == mode(home.directory / "keys") == 0o700
    assert mode(home.directory / "keys/ana.pem") == 0o600
    assert sorted(p.name for p in home.directory.rglob("*")) == ["ana.pem", "ana.pub", "keys"]
    assert (home.directory / "keys/ana.pub").read_text() == key.pem
    assert re.fullmatch(r"[0-9a-f]{64}", key.keyid)
    assert home.own() == (key,)


def test_a_key_signs_and_its_public_half_verifies(home: KeyHome) -> None:
    """What one key signs is good by that key alone."""
    ana, rui = home.create("ana"), home.create("rui")
    one = sign_statement("{}", kind="verdict", signer=home.signer("ana"))

    assert one.keyid == ana.keyid
    assert signed_by(one, ana)
    assert not signed_by(one, rui)


def test_a_key_is_never_overwritten(home: KeyHome) -> None:
    """A second key of the same name is refused, also where the name is that of a trusted one."""
    home.create("ana")
    home.trust(public_pem(Ed25519PrivateKey.generate()), name="rui")
    kept = {path: path.read_bytes() for path in home.directory.rglob("*.p*")}

    for name in ("ana", "rui"):
        with pytest.raises(InputError, match="never overwritten"):
            home.create(name)
    assert {path: path.read_bytes() for path in home.directory.rglob("*.p*")} == kept


def test_half_a_pair_is_not_overwritten_either(home: KeyHome) -> None:
    """Where only a public half lies, a new private one is not put beside it."""
    home.create("ana")
    (home.directory / "keys/ana.pem").unlink()

    with pytest.raises(InputError, match="never overwritten"):
        home.create("ana")
    assert not (home.directory / "keys/ana.pem").exists()


@pytest.mark.parametrize("name", ["", "../ana", "a/b", ".ana", "Ana", "ana.", "a" * 65, "ana\n"])
def test_a_name_that_leads_elsewhere_is_refused(home: KeyHome, name: str) -> None:
    """Names are plain; with any other nothing is made, read or removed."""
    data = public_pem(Ed25519PrivateKey.generate())

    for call in (
        lambda: home.create(name),
        lambda: home.trust(data, name=name),
        lambda: home.distrust(name),
        lambda: home.signer(name),
        lambda: home.named(name),
    ):
        with pytest.raises(InputError):
            call()
    assert not home.directory.exists()


def test_a_passphrase_is_needed_and_must_be_right(home: KeyHome) -> None:
    """An encrypted key opens with its passphrase alone, and messages do not repeat any."""
    home.create("ana", passphrase="correct horse")
    with pytest.raises(InputError, match="NORMWRIGHT_PASSPHRASE"):
        home.signer("ana", lambda: None)
    with pytest.raises(InputError, match="another passphrase") as wrong:
        home.signer("ana", lambda: "wrong horse")

    assert "horse" not in str(wrong.value)
    assert b"ENCRYPTED" in (home.directory / "keys/ana.pem").read_bytes()
    assert home.signer("ana", lambda: "correct horse").public_key.keyid == home.own()[0].keyid


def test_an_empty_passphrase_is_refused(home: KeyHome) -> None:
    """A key that was to be encrypted is not made in the clear."""
    with pytest.raises(InputError, match="at least one character"):
        home.create("ana", passphrase="")
    assert not home.directory.exists()


def test_a_passphrase_is_not_asked_for_in_vain(home: KeyHome) -> None:
    """A key without a passphrase opens without asking."""
    home.create("ana")

    def never() -> str:
        raise AssertionError

    assert home.signer("ana", never).public_key.keyid


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o620, 0o666])
def test_a_private_key_others_can_read_is_refused(home: KeyHome, open_to: int) -> None:
    """It is said with the command that closes it."""
    home.create("ana")
    path = home.directory / "keys/ana.pem"
    path.chmod(open_to)

    with pytest.raises(InputError, match=f"chmod 600 {path}"):
        home.signer("ana")


@pytest.mark.parametrize("place", ["", "trusted", "trusted/rui.pub"])
def test_trust_that_others_could_have_changed_is_refused(home: KeyHome, place: str) -> None:
    """A folder or key that others can write to vouches for nobody."""
    home.trust(public_pem(Ed25519PrivateKey.generate()), name="rui")
    (home.directory / place).chmod(0o777)

    with pytest.raises(InputError, match="chmod go-w"):
        home.known()


def test_disorder_among_trusted_keys_does_not_stop_signing(home: KeyHome) -> None:
    """What others could have changed matters to whom is trusted, not to what one signs oneself."""
    own = home.create("ana")
    home.trust(public_pem(Ed25519PrivateKey.generate()), name="rui")
    (home.directory / "trusted").chmod(0o777)

    assert home.named("ana") == own


def test_the_public_half_must_be_that_of_the_private_one(home: KeyHome) -> None:
    """A pair whose halves do not belong together does not sign."""
    home.create("ana")
    path = home.directory / "keys/ana.pub"
    path.write_bytes(public_pem(Ed25519PrivateKey.generate()))
    with pytest.raises(InputError, match=r"public half of ana\.pem"):
        home.signer("ana")
    path.unlink()
    with pytest.raises(InputError, match=r"public half of ana\.pem.*saw none"):
        home.signer("ana")


@pytest.mark.parametrize(
    "content",
    [b"", b"rubbish", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
)
def test_a_private_key_that_is_none_is_told(home: KeyHome, content: bytes) -> None:
    """A damaged file is one fault, and what is in it is not repeated."""
    home.create("ana")
    path = home.directory / "keys/ana.pem"
    path.write_bytes(content)

    with pytest.raises(InputError, match="expected an Ed25519 private key"):
        home.signer("ana")


def test_a_private_key_of_another_kind_does_not_sign(home: KeyHome) -> None:
    """An RSA key in the place of one's own is refused."""
    home.create("ana")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (home.directory / "keys/ana.pem").write_bytes(pem)

    with pytest.raises(InputError, match="of another kind"):
        home.signer("ana")


def test_a_public_key_is_trusted_once_and_removed(home: KeyHome) -> None:
    """Trusting the same again changes nothing; removed, its signatures no longer count."""
    data = public_pem(Ed25519PrivateKey.generate())
    first, again = home.trust(data, name="rui"), home.trust(data, name="rui")
    known = home.known()
    removed = home.distrust("rui")

    assert first == again == removed
    assert known == {first.keyid: first}
    assert home.known() == {}
    with pytest.raises(InputError, match="a trusted key: there is none"):
        home.distrust("rui")


def test_a_key_has_one_name_and_a_name_one_key(home: KeyHome) -> None:
    """Another key under a known name, a known key under another, and one's own are refused."""
    data, other = (public_pem(Ed25519PrivateKey.generate()) for _ in range(2))
    own = home.create("ana")
    home.trust(data, name="rui")

    with pytest.raises(InputError, match="never overwritten"):
        home.trust(other, name="rui")
    with pytest.raises(InputError, match="trusted already, rui"):
        home.trust(data, name="bea")
    with pytest.raises(InputError, match="one of your own keys, ana"):
        home.trust(own.pem.encode(), name="ana")
    with pytest.raises(InputError, match="a trusted key: rui"):
        home.distrust("ana")


def test_a_fingerprint_is_compared(home: KeyHome) -> None:
    """With the fingerprint that was told, read out in groups or not, only that key is added."""
    key = home.create("ana")
    theirs = KeyHome(home.directory.parent / "theirs")
    read_out = " ".join(key.keyid[i : i + 4] for i in range(0, 64, 4)).upper()
    wrong = "0" * 64

    with pytest.raises(InputError, match="Do not trust it"):
        theirs.trust(key.pem.encode(), name="ana", fingerprint=wrong)
    with pytest.raises(InputError, match="Do not trust it"):
        theirs.trust(key.pem.encode(), name="ana", fingerprint=key.keyid[:16])
    assert not theirs.directory.exists()
    assert theirs.trust(key.pem.encode(), name="ana", fingerprint=read_out).keyid == key.keyid


def ed25519(fmt: PrivateFormat, *, locked: bool = False) -> bytes:
    how = BestAvailableEncryption(b"x") if locked else NoEncryption()
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, fmt, how)


def traditional_rsa() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


@pytest.mark.parametrize(
    "make",
    [
        lambda: ed25519(PrivateFormat.PKCS8),
        lambda: ed25519(PrivateFormat.PKCS8, locked=True),
        lambda: ed25519(PrivateFormat.OpenSSH),
        traditional_rsa,
        lambda: public_pem(Ed25519PrivateKey.generate()) + ed25519(PrivateFormat.PKCS8),
    ],
    ids=["plain", "encrypted", "openssh", "rsa", "both"],
)
def test_a_private_key_is_never_trusted_nor_copied(
    home: KeyHome, make: Callable[[], bytes]
) -> None:
    """Given a private key by mistake, nothing is written and nothing of it repeated."""
    data = make()
    with pytest.raises(InputError, match="Nothing was copied") as refused:
        home.trust(data, name="rui")

    assert not home.directory.exists()
    for line in data.split():
        assert len(line) < 20 or line.decode() not in str(refused.value)


@pytest.mark.parametrize(
    ("make", "seen"),
    [
        (lambda: b"", "no PEM block"),
        (lambda: b"\x00\xff" * 50, "no PEM block"),
        (lambda: b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB", "no PEM block"),
        (lambda: b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----", "certificate"),
        (lambda: public_pem(Ed25519PrivateKey.generate()) * 2, "public key, public key"),
        (lambda: public_pem(Ed25519PrivateKey.generate()) + b"x" * 70000, "more than"),
        (
            lambda: b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            "a PEM block that is no key",
        ),
        (
            lambda: public_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
            "another kind, RSA",
        ),
        (lambda: public_pem(ec.generate_private_key(ec.SECP256R1())), "another kind, EC"),
        (
            lambda: (
                ed448.Ed448PrivateKey.generate()
                .public_key()
                .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            ),
            "another kind, Ed448",
        ),
    ],
)
def test_only_one_ed25519_key_is_trusted(
    home: KeyHome, make: Callable[[], bytes], seen: str
) -> None:
    """Anything else is refused by what it is; the algorithm is never taken from the file."""
    with pytest.raises(InputError, match=f"one Ed25519 public key in PEM, saw .*{seen}"):
        home.trust(make(), name="rui")
    assert not home.directory.exists()


def test_a_trusted_file_of_another_algorithm_is_refused(home: KeyHome) -> None:
    """A key put in the folder by hand is read as strictly as one that is given."""
    home.trust(public_pem(Ed25519PrivateKey.generate()), name="rui")
    other = public_pem(ec.generate_private_key(ec.SECP256R1()))
    (home.directory / "trusted/rui.pub").write_bytes(other)

    with pytest.raises(InputError, match="another kind, EC"):
        home.known()


def test_which_key_signs_a_run(home: KeyHome) -> None:
    """`default` if it is there; the one that is named, which must be there; or none."""
    nobody = home.signing()
    home.create("ana")
    still = home.signing()
    home.create("default")

    assert (nobody, still, home.signing()) == (None, None, "default")
    assert KeyHome(home.directory, chosen="ana").signing() == "ana"
    assert KeyHome(home.directory, chosen="").signing() is None
    with pytest.raises(InputError, match="a key of your own: ana, default, saw bea"):
        KeyHome(home.directory, chosen="bea").signing()


def test_where_keys_lie() -> None:
    """The named folder, else the XDG one, else that under the home folder."""
    named = {"NORMWRIGHT_HOME": "/n", "XDG_CONFIG_HOME": "/x", "NORMWRIGHT_KEY": "ana"}

    assert KeyHome.here(named) == KeyHome(Path("/n"), "ana")
    assert KeyHome.here({"XDG_CONFIG_HOME": "/x"}) == KeyHome(Path("/x/normwright"))
    assert KeyHome.here({}) == KeyHome(Path.home() / ".config/normwright")


def test_a_home_that_cannot_be_written_is_one_fault(tmp_path: Path) -> None:
    """Where a file stands in the way of the folder, that is said; nothing is half made."""
    (tmp_path / "file").write_text("")
    home = KeyHome(tmp_path / "file" / "home")

    with pytest.raises(InputError, match=r"a place to write.*NORMWRIGHT_HOME"):
        home.create("ana")


def test_a_public_half_that_cannot_be_written_takes_the_private_one_along(
    home: KeyHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up between the halves leaves neither."""
    import normwright.store.keys as keys

    real = keys._write_new

    def full(path: Path, data: bytes, *, mode: int) -> None:
        if path.suffix == ".pub":
            raise OSError(28, "No space left on device", str(path))
        real(path, data, mode=mode)

    monkeypatch.setattr(keys, "_write_new", full)
    with pytest.raises(InputError, match="No space left on device"):
        home.create("ana")

    assert list((home.directory / "keys").iterdir()) == []
