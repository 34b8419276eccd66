"""Signed statements: in-toto statements in DSSE envelopes, and what a signature is worth.

The statement is the exact text that was signed. The envelope is the form in which it travels
(https://github.com/secure-systems-lab/dsse); other tools that know DSSE and in-toto read it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from normwright.records import Digest, digest_bytes, digest_json
from normwright.store.keys import PublicKey

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class SignedStatement:
    """One signature of one key over one statement."""

    payload: Digest
    """Digest of the statement's bytes."""
    keyid: str
    """Which key signed, by its own word."""
    kind: str
    """What the statement is about, for example `verdict`."""
    statement: str
    """The text that was signed."""
    sig: str
    """The signature, in base64."""


def sign_statement(statement: str, *, kind: str, signer: Signer) -> SignedStatement:
    """Return the signature of `signer` over a statement."""
    from securesystemslib.dsse import Envelope

    payload = statement.encode()
    signature = Envelope(payload, PAYLOAD_TYPE, {}).sign(signer)
    sig = base64.b64encode(bytes.fromhex(signature.signature)).decode()
    return SignedStatement(digest_bytes(payload), signature.keyid, kind, statement, sig)


def signed_by(one: SignedStatement, key: PublicKey) -> bool:
    """Say whether a signature is that of `key` over the statement.

    The algorithm is that of the key, which is always Ed25519; the signature has no say in it. A
    signature has one spelling: another base64 text of the same bytes is not it.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import Signature, SSlibKey

    try:
        sig = base64.b64decode(one.sig, validate=True)
    except (binascii.Error, ValueError):
        return False
    if base64.b64encode(sig).decode() != one.sig:
        return False
    public = SSlibKey.from_crypto(load_pem_public_key(key.pem.encode()))
    covered = Envelope(one.statement.encode(), PAYLOAD_TYPE, {}).pae()
    try:
        public.verify_signature(Signature(one.keyid, sig.hex()), covered)
    except UnverifiedSignatureError:
        return False
    return True


def envelope_of(signed: Sequence[SignedStatement]) -> bytes:
    """Return the one text of an envelope: a statement with the signatures over it, by key id.

    Raises:
        ValueError: if the signatures are not all over the same statement.
    """
    (statement,) = {one.statement for one in signed}
    envelope = {
        "payload": base64.b64encode(statement.encode()).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {"keyid": one.keyid, "sig": one.sig} for one in sorted(signed, key=lambda s: s.keyid)
        ],
    }
    return (json.dumps(envelope, indent=1) + "\n").encode()


def signature_payload(one: SignedStatement) -> Digest:
    """Return the digest under which a signature stands in the ledger."""
    return digest_json(
        {"payload": one.payload, "keyid": one.keyid, "kind": one.kind, "sig": one.sig}
    )
