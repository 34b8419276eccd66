"""Who withdrew, in a form that cannot be guessed: so that an old file does not bring them back.

A pseudonym is short and would be found by trying. What is kept of it is HMAC-SHA256 under a random
key of the project; the key lies beside the list, readable by its owner alone, and is in no copy of
the database, in no object and in no record. With both at hand a guess can still be checked, which
is what an import has to do; without the key the list says nothing.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from normwright.records import Digest, Fault, InputError, canonical_json
from normwright.store.database import FOLDER
from normwright.store.merkle import KEY_BYTES, random_key
from normwright.store.objects import file_digest, write_whole

KEY = f"{FOLDER}/withdrawn.key"
LIST = f"{FOLDER}/withdrawn.json"


def gone_from(project: Path, process: str) -> Callable[[str], bool]:
    """Return a function that says whether a pseudonym is one that withdrew from a process.

    Raises:
        InputError: if people withdrew and the key to recognise them is lost; nobody is let back in
            by accident.
    """
    tokens = frozenset(_listed(project).get(process, ()))
    if not tokens:
        return lambda participant: False
    key = _key(project)
    return lambda participant: _token(key, process, participant) in tokens


def exclusions_digest(project: Path) -> dict[str, Digest]:
    """Return the digest of the list as an input of the step that imports; none without a list."""
    digest = file_digest(project / LIST)
    return {} if digest is None else {"withdrawn": digest}


def token_of(project: Path, process: str, participant: str) -> str:
    """Return what stands for a pseudonym on the list. The project's key is made if there is none.

    Raises:
        InputError: if there is a list and its key is lost.
    """
    if not (project / KEY).is_file() and not _listed(project):
        write_whole(project / KEY, random_key().hex().encode() + b"\n", mode=0o600)
    return _token(_key(project), process, participant)


def exclude(project: Path, process: str, token: str) -> None:
    """Put somebody on the list, durably; somebody who is on it stays there once."""
    listed = {name: list(tokens) for name, tokens in _listed(project).items()}
    listed[process] = sorted({*listed.get(process, ()), token})
    write_whole(project / LIST, canonical_json(listed).encode() + b"\n")


def _listed(project: Path) -> Mapping[str, list[str]]:
    path = project / LIST
    if not path.is_file():
        return {}
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        return {str(process): [str(one) for one in tokens] for process, tokens in listed.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(
            [Fault(where=LIST, expected="the list of who withdrew", seen=str(error))]
        ) from error


def _key(project: Path) -> bytes:
    path = project / KEY
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        key = b""
    except ValueError:
        key = b"?"
    if len(key) != KEY_BYTES:
        raise InputError(
            [
                Fault(
                    where=KEY,
                    expected="the key by which those who withdrew are recognised",
                    seen="a damaged one" if key else "no such file",
                    do="Bring it back from where the project was copied; without it nobody can "
                    "tell who is not to be counted.",
                )
            ]
        )
    return key


def _token(key: bytes, process: str, participant: str) -> str:
    return hmac.digest(key, canonical_json([process, participant]).encode(), "sha256").hex()
