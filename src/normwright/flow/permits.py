"""By what a project may train: the permit a run makes, one from outside, or expressly none.

How the last run was told to train lies beside the store, so that every later look at the project
plans the same steps as that run did. The next run begins anew: it trains without a permit only if
it is told so again, or if the project file says so.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from normwright.flow.statements import printable, told_of
from normwright.records import (
    Digest,
    Fault,
    Ground,
    InputError,
    Permit,
    PermitSubject,
    digest_bytes,
)
from normwright.store import (
    FOLDER,
    PAYLOAD_TYPE,
    KeyHome,
    PublicKey,
    SignedStatement,
    signed_by,
    write_whole,
)

TOLD = f"{FOLDER}/permitting.json"
"""Where it lies how the last run was told to train."""

GIVEN = "out/permit.given.dsse.json"
"""Where the permit from outside lies that a run trained under, as it was given."""

_LARGEST = 1 << 22


@dataclass(frozen=True)
class Permitting:
    """How a project is told to train."""

    unpermitted: bool = False
    """Without a permit; what is trained is marked."""
    envelope: bytes | None = None
    """A signed permit from outside, in the place of the one the run would make."""

    @property
    def inputs(self) -> dict[str, Digest]:
        """What a step's key says of it."""
        return {} if self.envelope is None else {"permit": digest_bytes(self.envelope)}

    def permit(self) -> Permit:
        """Return the permit from outside, its signatures unchecked.

        Raises:
            InputError: if it is none.
        """
        assert self.envelope is not None
        return _permit_in(_opened(self.envelope, GIVEN), GIVEN)


def told_before(directory: Path) -> Permitting:
    """Return how the last run was told to train; a file that cannot be read says nothing."""
    try:
        found = json.loads((directory / TOLD).read_bytes())
        envelope = found["permit"]
        unpermitted = found["unpermitted"] is True
        return Permitting(unpermitted, None if envelope is None else str(envelope).encode())
    except (OSError, ValueError, LookupError, TypeError):
        return Permitting()


def tell(directory: Path, told: Permitting) -> None:
    """Write down how a run is told to train."""
    path = directory / TOLD
    if told == Permitting():
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(exist_ok=True)
    envelope = None if told.envelope is None else told.envelope.decode()
    body = {"unpermitted": told.unpermitted, "permit": envelope}
    write_whole(path, (json.dumps(body) + "\n").encode())


def read_permit(
    place: Path, *, home: KeyHome, on: date, modes: Sequence[str] = ()
) -> tuple[bytes, Permit]:
    """Return a signed permit from a file: its bytes and what it says.

    Every signature on it must fit, and be by a key that counts on this machine.

    Args:
        place: the envelope, as `charter permit` writes it to `out/permit.dsse.json`.
        home: whose keys count.
        on: the day on which it is to be used.
        modes: release modes that it must cover.

    Raises:
        InputError: with everything that is wrong with it.
    """
    where = str(place)
    try:
        data = place.read_bytes()
    except OSError as error:
        seen = error.strerror or type(error).__name__
        raise InputError([Fault(where=where, expected="a signed permit", seen=seen)]) from error
    permit = _permit_in(_opened(data, where), where)
    faults = signature_faults(data, where, home.known())
    asked = [permit.faults(on=on), *(permit.faults(mode=mode) for mode in modes)]
    faults += list(dict.fromkeys(fault for found in asked for fault in found))
    if faults:
        raise InputError(faults)
    return data, permit


def permit_in(data: bytes, where: str, home: KeyHome) -> tuple[Permit, bool]:
    """Return the permit that some JSON holds, and whether it is signed.

    It is a signed permit, the permit itself (`out/permit.json`), or what `charter permit --json`
    prints. What the last leaves out is unknown: then no mode is covered, and no charter named.

    Raises:
        InputError: with everything that is wrong with it.
    """
    body = json.loads(data)
    if "payload" in body:
        if faults := signature_faults(data, where, home.known()):
            raise InputError(faults)
        return _permit_in(_opened(data, where), where), True
    try:
        if body.get("schema") == "permit/v1":
            return Permit.model_validate(body), False
        return _printed(body), False
    except (ValidationError, ValueError, LookupError, TypeError) as error:
        seen = printable(" ".join(str(error).split()))[:200]
        expected = "a permit, as `normwright charter permit` writes it"
        raise InputError([_fault(where, expected, seen)]) from error


def _printed(body: Mapping[str, Any]) -> Permit:
    """The permit that was printed as the answer of `charter permit --json`."""
    reasons = tuple({"en": str(one)} for one in body.get("reasons", ()))
    grounds = tuple(
        Ground(
            condition=one["condition"],
            holds=one["holds"],
            reasons=tuple({"en": r} for r in one["reasons"]),
        )
        for one in body.get("grounds", ())
    )
    return Permit(
        subject=PermitSubject(),
        charter=body.get("charter"),
        grounds=grounds,
        granted=body["permit"],
        modes=tuple(body.get("modes", ())),
        limits=reasons,
        decision_level=body.get("level"),
        valid_from=body.get("valid_from", date.min),
        valid_until=body.get("valid_until"),
    )


def signature_faults(data: bytes, where: str, known: Mapping[str, PublicKey]) -> list[Fault]:
    """Return what is wrong with the signatures on an envelope, with the keys that count here."""
    signed = _opened(data, where)
    faults = [] if signed else [_fault(where, "a signature", "none")]
    for one in signed:
        key = known.get(one.keyid)
        if key is None:
            faults.append(_fault(
                f"{where}: signature", "a signer whose key is trusted here",
                f"an unknown signer, key id {printable(one.keyid)}",
                "If you know who that is, trust their key: normwright keys trust FILE --name NAME",
            ))  # fmt: skip
        elif not signed_by(one, key):
            faults.append(_fault(
                f"{where}: signature", f"a signature by {key.name} over this very permit",
                "a signature that does not fit; the permit was changed after it was signed",
            ))  # fmt: skip
    return faults


def _opened(data: bytes, where: str) -> list[SignedStatement]:
    """Return the signed statements of an envelope, unchecked."""
    expected = "a permit in a signed envelope, as `normwright charter permit` writes it"
    try:
        if len(data) > _LARGEST:
            raise ValueError("a file that is too large")
        body: Any = json.loads(data)
        if body["payloadType"] != PAYLOAD_TYPE:
            raise ValueError(f"payload type {body['payloadType']!r}")
        payload = base64.b64decode(body["payload"], validate=True)
        return [
            SignedStatement(
                digest_bytes(payload), str(one["keyid"]), "permit", payload.decode(),
                str(one["sig"]),
            )
            for one in body["signatures"]
        ]  # fmt: skip
    except (binascii.Error, ValueError, LookupError, TypeError, RecursionError) as error:
        seen = printable(str(error))[:200] or "none"
        raise InputError([_fault(where, expected, seen)]) from error


def _permit_in(signed: Sequence[SignedStatement], where: str) -> Permit:
    """Return the permit that a statement holds, which must be the one it is about."""
    if not signed:
        raise InputError([_fault(where, "a signature", "none")])
    statement = signed[0].statement
    told = told_of(statement)
    if told.kind != "permit":
        raise InputError([_fault(where, "a statement about a permit", told.kind or "none of ours")])
    try:
        permit = Permit.model_validate(json.loads(statement)["predicate"]["permit"])
    except (ValidationError, LookupError, TypeError) as error:
        seen = " ".join(str(error).split())[:200]
        raise InputError([_fault(where, "a permit", seen)]) from error
    if told.subject != (("Permit", permit.digest),):
        named = told.subject[0][1] if told.subject else "none"
        raise InputError([_fault(
            f"{where}: permit", f"the permit {printable(named)}", f"another: {permit.digest}",
            "It was edited; ask whoever gave it for the original.",
        )])  # fmt: skip
    return permit


def _fault(where: str, expected: str, seen: str, do: str = "") -> Fault:
    return Fault(where=where, expected=expected, seen=seen, do=do)
