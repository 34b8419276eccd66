"""What a signature says: in-toto statements on a project's criteria, policy, permit and verdict.

A statement is computed from what is stored, so whoever signs or verifies computes it again and
compares. Its subjects are digests: of a record (SHA-256 of its canonical JSON with its kind) or of
a file. Its predicate repeats what a reader needs without the store, and names the end of the ledger
at the time, which commits the signer to the whole chain before it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from normwright.records import Digest, canonical_json, digest_json
from normwright.store import GENESIS, Entry, StageResult

Kind: TypeAlias = Literal["criteria", "policy", "permit", "verdict"]
KINDS: tuple[Kind, ...] = ("criteria", "policy", "permit", "verdict")
"""What is signed, in the order in which it comes about."""

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATES: Mapping[str, str] = {kind: f"urn:normwright:{kind}:v1" for kind in KINDS}
"""Kind -> the type of its predicate. The names claim no domain: nothing has to be fetched."""

Lookup: TypeAlias = Callable[[Digest], tuple[str, Mapping[str, Any]] | None]
"""Kind and fields of the record under a digest, or None if there is none."""


@dataclass(frozen=True)
class Draft:
    """A statement without its place in time."""

    kind: Kind
    subject: tuple[tuple[str, Digest], ...]
    """Name and digest; the first is what the statement is about, the others go with it."""
    predicate: Mapping[str, Any]

    def statement(self, head: Entry | None) -> str:
        """Return the text to be signed when `head` is the end of the ledger."""
        return self._text(0 if head is None else head.seq, GENESIS if head is None else head.digest)

    def says(self, statement: str) -> bool:
        """Say whether a statement is this one, whenever it was made."""
        at = told_of(statement).ledger
        return at is not None and statement == self._text(*at)

    def _text(self, seq: int, digest: Digest) -> str:
        return canonical_json(
            {
                "_type": STATEMENT,
                "subject": [
                    {"name": name, "digest": {"sha256": held.removeprefix("sha256:")}}
                    for name, held in self.subject
                ],
                "predicateType": PREDICATES[self.kind],
                "predicate": {**self.predicate, "ledger": {"seq": seq, "digest": digest}},
            }
        )


@dataclass(frozen=True)
class Told:
    """What a stored statement says of itself; empty where it is no statement of ours."""

    kind: str | None = None
    subject: tuple[tuple[str, Digest], ...] = ()
    ledger: tuple[int, Digest] | None = None


def told_of(statement: str) -> Told:
    """Return what a statement says. One that is not in its one canonical form says nothing."""
    try:
        body = json.loads(statement)
        if canonical_json(body) != statement or set(body) != {
            "_type",
            "subject",
            "predicateType",
            "predicate",
        }:
            return Told()
        kinds = {uri: kind for kind, uri in PREDICATES.items()}
        if body["_type"] != STATEMENT:
            return Told()
        subject = tuple(
            (str(one["name"]), f"sha256:{one['digest']['sha256']}") for one in body["subject"]
        )
        ledger = body["predicate"]["ledger"]
        if type(ledger["seq"]) is not int:
            return Told()
        at = (ledger["seq"], str(ledger["digest"]))
        return Told(kinds.get(body["predicateType"]), subject, at)
    except (KeyError, TypeError, ValueError, RecursionError):
        return Told()


def drafts_of(result: StageResult, lookup: Lookup) -> list[Draft]:
    """Return what is to be said of the policy, the permit or the verdict that a step made."""
    drafts = []
    for digest in result.made:
        match lookup(digest):
            case ("Policy", body):
                drafts.append(policy_draft(digest, body))
            case ("Permit", body):
                drafts.append(permit_draft(digest, body))
            case ("Verdict", body):
                drafts.append(verdict_draft(digest, body, result, lookup))
    return drafts


def policy_draft(digest: Digest, body: Mapping[str, Any]) -> Draft:
    """Return what is to be said of a policy: its charter, its deployment and its permit."""
    predicate = {
        "charter": digest_json({"record": "Charter", **body["charter"]}),
        "deployment": body["deployment"],
        "permit_modes": body["permit_modes"],
    }
    return Draft("policy", (("Policy", digest),), predicate)


def permit_draft(digest: Digest, body: Mapping[str, Any]) -> Draft:
    """Return what is to be said of a permit: all of it, so that it holds outside the project."""
    return Draft("permit", (("Permit", digest),), {"permit": dict(body)})


def verdict_draft(
    digest: Digest, body: Mapping[str, Any], result: StageResult, lookup: Lookup
) -> Draft:
    """Return what is to be said of a verdict: what was decided, from what, and by which criteria.

    The files written with it go with it as subjects, so that their bytes can be checked without
    this program, and so that fields outside the record's digest are covered.
    """
    before = (one for made in result.inputs["after"].values() for one in made)
    predicate = {
        "modes": {mode["mode"]: mode["verdict"] for mode in body["modes"]},
        "alpha": body["alpha"],
        "candidates": body["candidates"],
        "charter": body["charter"],
        "policy": _of_kind("Policy", before, lookup),
        "model": body["model"],
        "criteria": _of_kind("Criterion", result.made, lookup),
        "criteria_files": dict(result.inputs["files"]),
    }
    return Draft("verdict", (("Verdict", digest), *sorted(result.exports.items())), predicate)


def criteria_draft(name: str, file: Digest, criteria: Iterable[tuple[str, Digest]]) -> Draft:
    """Return what is to be said of criteria: the file that holds them, and each as it was read.

    Args:
        name: The file, relative to the project.
        file: Digest of its bytes, which fix what no criterion says alone: the error allowed, the
            modes and the controls.
        criteria: Id and record digest of each criterion.
    """
    told = tuple((f"Criterion {one}", digest) for one, digest in criteria)
    return Draft("criteria", ((name, file), *told), {"file": name})


def _of_kind(kind: str, digests: Iterable[Digest], lookup: Lookup) -> list[Digest]:
    found = ((digest, lookup(digest)) for digest in dict.fromkeys(digests))
    return [digest for digest, one in found if one is not None and one[0] == kind]


def printable(text: str) -> str:
    """Return a text that anybody may have put there so that a terminal shows it as it is."""
    return text if text.isprintable() else ascii(text)
