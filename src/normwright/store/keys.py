"""The keys of this machine: pairs of its own, and public keys of others that it trusts.

They lie in a folder of the person who signs or verifies, never in a project: whoever can change a
project could otherwise add a key of their own to it. All keys are Ed25519 (RFC 8032). A key's id is
the SHA-256 of the key in the canonical JSON of TUF and in-toto, so it is computed from the key and
never read from a file; it is what two people compare when they exchange a key.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from securesystemslib.signer import CryptoSigner

HOME, KEY, PASSPHRASE = "NORMWRIGHT_HOME", "NORMWRIGHT_KEY", "NORMWRIGHT_PASSPHRASE"
"""Environment: the folder of keys, the key that signs, and the passphrase of that key."""

DEFAULT = "default"
"""The key that signs where none is named."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
_PUBLIC = re.compile(rb"-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----")
_LARGEST = 1 << 16


@dataclass(frozen=True)
class PublicKey:
    """A public key under the name this machine knows it by."""

    name: str
    keyid: str
    """SHA-256 of the key, 64 hexadecimal digits: its fingerprint."""
    pem: str
    """The key as text, to be sent to others."""
    own: bool
    """Whether this machine holds the private half."""

    def as_json(self) -> dict[str, str | bool]:
        """Return the key as one JSON value."""
        return {"name": self.name, "keyid": self.keyid, "public": self.pem, "own": self.own}


def passphrase_of_environment() -> str | None:
    """Return the passphrase that the environment holds, if it holds one."""
    return os.environ.get(PASSPHRASE)


@dataclass(frozen=True)
class KeyHome:
    """The folder of keys: `keys/NAME.pem` and `.pub` of its own, `trusted/NAME.pub` of others."""

    directory: Path
    chosen: str | None = None
    """The key that signs a run; None is `default`, if there is one, and "" is none."""

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the key home of whoever runs this: `NORMWRIGHT_HOME`, or the XDG folder.

        Raises:
            InputError: if neither is set and the person has no home folder.
        """
        if named := environment.get(HOME):
            return cls(Path(named), environment.get(KEY))
        if config := environment.get("XDG_CONFIG_HOME"):
            return cls(Path(config) / "normwright", environment.get(KEY))
        try:
            return cls(Path.home() / ".config" / "normwright", environment.get(KEY))
        except RuntimeError as error:
            do = f"Set {HOME} to a folder that is yours alone."
            raise _refusal(HOME, "a folder for keys", str(error), do) from error

    def outside(self, project: Path) -> None:
        """Refuse a key home inside the project whose signatures it is to judge.

        Raises:
            InputError: if it lies there.
        """
        if self.directory.resolve().is_relative_to(project.resolve()):
            raise _refusal(
                str(self.directory),
                "a folder of keys outside the project",
                f"one inside {project}",
                f"Set {HOME} to a folder that does not travel with the project.",
            )

    # Reading

    def own(self) -> tuple[PublicKey, ...]:
        """Return the public halves of this machine's own keys, by name.

        Raises:
            InputError: with every key that cannot be used, or that others could have changed.
        """
        return self._read("keys", own=True)

    def trusted(self) -> tuple[PublicKey, ...]:
        """Return the keys of others that this machine trusts, by name.

        Raises:
            InputError: with every key that cannot be used, or that others could have changed.
        """
        return self._read("trusted", own=False)

    def known(self) -> dict[str, PublicKey]:
        """Return every key whose signature counts here, by key id: its own and the trusted ones."""
        return {key.keyid: key for key in (*self.trusted(), *self.own())}

    def named(self, name: str) -> PublicKey:
        """Return the key of that name.

        Raises:
            InputError: if there is none.
        """
        keys = {key.name: key for key in self.own()}
        if name not in keys:  # one's own is found even where trust in others is in disorder
            keys |= {key.name: key for key in self.trusted()}
        if name not in keys:
            raise _refusal(
                str(self.directory),
                f"a key: {', '.join(sorted(keys)) or 'there is none yet'}",
                name,
                f"Make one with: normwright keys create {name}" if _NAME.fullmatch(name) else "",
            )
        return keys[name]

    def signing(self) -> str | None:
        """Return the name of the key that signs a run, or None where runs are not signed.

        Raises:
            InputError: if the environment names a key that is not there.
        """
        if self.chosen == "":
            return None
        if self.chosen is None:
            return DEFAULT if self._path("keys", DEFAULT, ".pem").exists() else None
        if not self._path("keys", self.chosen, ".pem").exists():
            raise self._no_such_own_key(self.chosen, where=KEY)
        return self.chosen

    def signer(
        self, name: str, passphrase: Callable[[], str | None] = passphrase_of_environment
    ) -> CryptoSigner:
        """Return what signs with the private half of a key.

        Args:
            name: One of this machine's own keys.
            passphrase: Asked only where the key has one.

        Raises:
            InputError: if there is no such key, others can read it, the passphrase is missing or
                wrong, or it is not the private half of `NAME.pub`.
        """
        from securesystemslib.signer import CryptoSigner

        path = self._path("keys", name, ".pem")
        if not path.exists():
            raise self._no_such_own_key(name, where=str(path))
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            seen = f"mode {mode:04o}: others can read or change it"
            raise _refusal(str(path), "a private key of mode 0600", seen, f"chmod 600 {path}")
        public = next((key for key in self.own() if key.name == name), None)
        signer = CryptoSigner(_private(path, passphrase))
        if public is None or public.keyid != signer.public_key.keyid:
            seen = "none" if public is None else f"the key {public.keyid}"
            expected = f"the public half of {path.name}, {signer.public_key.keyid}"
            raise _refusal(str(path.with_suffix(".pub")), expected, seen)
        return signer

    # Writing

    def create(self, name: str, *, passphrase: str | None = None) -> PublicKey:
        """Make a key pair and return its public half. What is there is never overwritten.

        Args:
            name: What this machine is to know it by.
            passphrase: What the private half is encrypted with; None leaves it plain, for this
                user's eyes only.

        Raises:
            InputError: if the name cannot be one or is taken, or nothing can be written there.
        """
        from cryptography.hazmat.primitives import serialization as pem
        from securesystemslib.signer import CryptoSigner

        if passphrase == "":
            raise _refusal("passphrase", "at least one character", "none")
        self._free(name)
        how: pem.KeySerializationEncryption = pem.NoEncryption()
        if passphrase is not None:
            how = pem.BestAvailableEncryption(passphrase.encode())
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private = Ed25519PrivateKey.generate()
        hidden = private.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, how)
        shown = private.public_key().public_bytes(
            pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo
        )
        with _writing(self.directory):
            self._make("keys")
            path = self._path("keys", name, ".pem")
            _write_new(path, hidden, mode=0o600)
            try:
                _write_new(path.with_suffix(".pub"), shown, mode=0o644)
            except OSError:
                path.unlink()
                raise
        keyid = CryptoSigner(private).public_key.keyid
        return PublicKey(name, keyid, shown.decode(), own=True)

    def trust(
        self, data: bytes, *, name: str, fingerprint: str | None = None, where: str = "key"
    ) -> PublicKey:
        """Add a public key to those whose signatures count here, and return it.

        Args:
            data: The text of the key, in PEM.
            name: What this machine is to know it by.
            fingerprint: The key id its owner told; nothing is added if it is another.
            where: Where the text came from, for messages.

        Raises:
            InputError: if it is not one Ed25519 public key, is known already under another name,
                the name is taken by another key, or the fingerprint is another. A private key is
                refused and never copied.
        """
        keyid, text = read_public(data, where=where)
        if fingerprint is not None and _digits(fingerprint) != keyid:
            do = "Do not trust it; ask its owner again."
            raise _refusal(where, f"the fingerprint {_digits(fingerprint)}", keyid, do)
        for key in self.known().values():
            if key.keyid == keyid and (key.own or key.name != name):
                whose = "one of your own keys" if key.own else "a key that is trusted already"
                raise _refusal(where, "a key that is new here", f"{whose}, {key.name}")
            if key.keyid == keyid:
                return key
        self._free(name)
        with _writing(self.directory):
            self._make("trusted")
            _write_new(self._path("trusted", name, ".pub"), text.encode(), mode=0o644)
        return PublicKey(name, keyid, text, own=False)

    def distrust(self, name: str) -> PublicKey:
        """Remove a key of others from those whose signatures count here, and return it.

        Raises:
            InputError: if no such key is trusted. Keys of this machine's own are never removed.
        """
        keys = {key.name: key for key in self.trusted()}
        if name not in keys:
            expected = f"a trusted key: {', '.join(sorted(keys)) or 'there is none'}"
            raise _refusal(str(self.directory / "trusted"), expected, name)
        with _writing(self.directory):
            self._path("trusted", name, ".pub").unlink()
        return keys[name]

    def _read(self, folder: Literal["keys", "trusted"], *, own: bool) -> tuple[PublicKey, ...]:
        place = self.directory / folder
        if not place.is_dir():
            return ()
        paths = sorted(place.glob("*.pub"))
        faults = [
            Fault(
                where=str(path),
                expected="a place that only you can change",
                seen=f"mode {mode:04o}: others could have put a key there",
                do=f"Look at the keys in it, then: chmod go-w {path}",
            )
            for path in (self.directory, place, *paths)
            if (mode := stat.S_IMODE(path.stat().st_mode)) & 0o022
        ]
        keys = []
        for path in paths:
            try:
                keyid, text = read_public(path.read_bytes()[: _LARGEST + 1], where=str(path))
                keys.append(PublicKey(path.stem, keyid, text, own))
            except InputError as error:
                faults += error.faults
            except OSError as error:
                seen = error.strerror or str(error)
                faults.append(Fault(where=str(path), expected="a readable file", seen=seen))
        if faults:
            raise InputError(faults)
        return tuple(keys)

    def _free(self, name: str) -> None:
        """Refuse a name that cannot be one, or that a key here has."""
        if _NAME.fullmatch(name) is None:
            expected = "a name of small letters, digits, dots and hyphens"
            raise _refusal("name", expected, repr(name))
        for folder, suffix in (("keys", ".pem"), ("keys", ".pub"), ("trusted", ".pub")):
            if (path := self._path(folder, name, suffix)).exists():
                do = "Choose another name; a key is never overwritten."
                raise _refusal(str(path), f"no key called {name} yet", "one", do)

    def _make(self, folder: str) -> None:
        for path in (self.directory, self.directory / folder):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _path(self, folder: str, name: str, suffix: str) -> Path:
        # A name that is no name leads nowhere, rather than out of the folder.
        return self.directory / folder / ((name if _NAME.fullmatch(name) else "") + suffix)

    def _no_such_own_key(self, name: str, *, where: str) -> InputError:
        own = ", ".join(key.name for key in self.own()) or "there is none yet"
        do = f"Make it with: normwright keys create {name}"
        return _refusal(where, f"a key of your own: {own}", name, do)


def read_public(data: bytes, *, where: str) -> tuple[str, str]:
    """Return the key id and the PEM text of the one Ed25519 public key in `data`.

    Text around the key is let pass (RFC 7468 allows it), so that what `keys show` prints can be
    sent as it is.

    Raises:
        InputError: if it is anything else, a private key above all.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_public_key,
    )
    from securesystemslib.signer import SSlibKey

    expected = "one Ed25519 public key in PEM"
    do = "Ask its owner for what this prints: normwright keys show NAME"
    labels = [label.decode() for label in _BLOCK.findall(data)]
    if any("PRIVATE" in label for label in labels):
        do = (
            "Nothing was copied. A private key stays with its owner; if it was sent to you, they "
            "must make a new one and send what this prints: normwright keys show NAME"
        )
        raise _refusal(where, expected, "a private key", do)
    if len(data) > _LARGEST:
        raise _refusal(where, expected, f"more than {_LARGEST} bytes", do)
    if labels != ["PUBLIC KEY"] or (block := _PUBLIC.search(data)) is None:
        raise _refusal(where, expected, ", ".join(labels).lower() or "no PEM block", do)
    try:
        key = load_pem_public_key(block.group())
    except (ValueError, UnsupportedAlgorithm):
        raise _refusal(where, expected, "a PEM block that is no key", do) from None
    if not isinstance(key, Ed25519PublicKey):
        kind = type(key).__name__.strip("_").removesuffix("PublicKey")
        raise _refusal(where, expected, f"a key of another kind, {kind}", do)
    text = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return SSlibKey.from_crypto(key).keyid, text


def _private(path: Path, passphrase: Callable[[], str | None]) -> Ed25519PrivateKey:
    """Read a private key. Nothing of it, nor of the passphrase, ever goes into a message."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    expected = "an Ed25519 private key"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _refusal(str(path), "a readable file", error.strerror or str(error)) from error
    locked = b"ENCRYPTED" in data
    given = passphrase() if locked else None
    if locked and not given:
        do = f"Set {PASSPHRASE}, or sign at a terminal."
        raise _refusal(str(path), "the passphrase of this key", "none", do)
    try:
        key = load_pem_private_key(data, given.encode() if given else None)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        seen = "another passphrase" if locked else "a file that is none"
        raise _refusal(
            str(path), "the passphrase of this key" if locked else expected, seen
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _refusal(str(path), expected, "a private key of another kind")
    return key


def _digits(fingerprint: str) -> str:
    """Return a fingerprint as it was read out: spaces, colons and capitals do not count."""
    return re.sub(r"[\s:]", "", fingerprint).lower().removeprefix("sha256")


def _refusal(where: str, expected: str, seen: str, do: str = "") -> InputError:
    return InputError([Fault(where=where, expected=expected, seen=seen, do=do)])


@contextmanager
def _writing(directory: Path) -> Iterator[None]:
    """Tell as one fault that a folder of keys cannot be written."""
    try:
        yield
    except OSError as error:
        seen = error.strerror or str(error)
        do = f"Make it writable for you, or set {HOME} to another folder."
        raise _refusal(str(error.filename or directory), "a place to write", seen, do) from error


def _write_new(path: Path, data: bytes, *, mode: int) -> None:
    """Write a file that must not be there yet: whole and with its mode, or not at all."""
    half = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
        os.link(half, path)  # unlike a rename, this never replaces what is there
    finally:
        half.unlink()
