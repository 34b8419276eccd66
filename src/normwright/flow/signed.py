"""What the signatures of a project are worth to whoever verifies it here, with their own keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from normwright.flow.signing import ENVELOPES, envelopes, standing_signatures
from normwright.flow.statements import KINDS, Draft, Kind, Told, drafts_of, printable, told_of
from normwright.records import Digest, Fault, digest_bytes
from normwright.store import (
    GENESIS,
    Entry,
    PublicKey,
    SignedStatement,
    StageResult,
    result_payload,
    signature_payload,
    signed_by,
)

Order: TypeAlias = Literal["yes", "no", "unsigned"]
"""Whether the criteria were signed before the evidence that a verdict rests on."""

_EVIDENCE = frozenset({"Measurement", "Contrast", "Finding"})
"""Kinds of records that show how a model did."""

_GONE = ("replaced", "gc")
"""Kinds of ledger entries about a result that the store no longer holds."""


@dataclass(frozen=True)
class Signer:
    """One key whose signature over something that stands was found good."""

    kind: Kind
    name: str
    """What this machine calls the key."""
    keyid: str


@dataclass(frozen=True)
class Signatures:
    """What is signed, by the keys that count on this machine."""

    good: int = 0
    """Signatures that fit, by keys that count here, over all that was ever signed."""
    signers: tuple[Signer, ...] = ()
    """Who signed what stands now."""
    unsigned: tuple[Kind, ...] = ()
    """What stands now and has no such signature."""
    criteria_first: Order | None = None
    """Whether the criteria were signed before the evidence; None where there is no verdict."""
    earlier: int | None = None
    """Results with evidence, of whatever candidate, that the ledger has before that signature, and
    those before it that are gone, so that nobody can tell."""

    def as_json(self) -> dict[str, Any]:
        """Return the signatures as the fields of one JSON value."""
        return {
            "signed": self.good,
            "signers": [vars(one) for one in self.signers],
            "unsigned": list(self.unsigned),
            "criteria_signed_before_evidence": self.criteria_first,
            "earlier_evidence": self.earlier,
        }


@dataclass(frozen=True)
class Books:
    """What a project's store holds, as far as signatures speak of it; all unchecked."""

    signatures: Sequence[SignedStatement]
    bodies: Mapping[Digest, tuple[str, dict[str, Any]]]
    """Every record: its kind and fields."""
    objects: Callable[[Digest], bool]
    """Whether an object is there."""
    results: Sequence[StageResult]
    """What every step ever made."""
    current: Sequence[StageResult]
    """What each step made when it was last reached, where it rests on what stands above it."""
    ledger: Sequence[Entry]
    exports: Mapping[str, Digest]
    """Digests of the files for people, by path."""

    @property
    def deciding(self) -> StageResult | None:
        """The result that holds the verdict that stands, if there is one."""
        return next((one for one in self.current if self.holds(one, {"Verdict"})), None)

    def holds(self, result: StageResult, kinds: Set[str]) -> bool:
        """Say whether a result made a record of one of some kinds."""
        return any(self.bodies.get(digest, ("",))[0] in kinds for digest in result.made)

    def drafts(self, results: Sequence[StageResult]) -> list[Draft]:
        """Return what is to be said of the policies and verdicts that some results made."""
        return [draft for result in results for draft in drafts_of(result, self.bodies.get)]


@dataclass(frozen=True)
class Weighed:
    """What came of weighing all signatures of a project."""

    checked: int
    faults: tuple[Fault, ...]
    signatures: Signatures


def weigh(
    project: Path,
    books: Books,
    *,
    known: Callable[[], Mapping[str, PublicKey]],
    required: Sequence[Kind] | None,
) -> Weighed:
    """Check every signature of a project against what is stored and the keys that count.

    Args:
        project: The project directory, for the envelopes and the criteria on disk.
        books: What the store holds.
        known: Returns the keys that count, by key id; asked only where something is signed.
        required: What must be there and signed, beside all else that is there; None: nothing.
    """
    scale = _Scale(books, known() if books.signatures else {})
    good = [one for one in books.signatures if scale.good(one)]
    drafts = books.drafts(books.current)
    scale.envelopes(project, envelopes(project, books.signatures, drafts))
    signed = standing_signatures(project, good, drafts)
    there = {draft.kind for draft in drafts} | set(signed)
    order, earlier = None, None
    if (deciding := books.deciding) is not None:
        there.add("criteria")
        by = [one for one in good if _decides(one, deciding)]
        signed["criteria"] = tuple(one for one in signed.get("criteria", ()) if one in by)
        order, earlier = _criteria_first(by, books, deciding)
    if required is not None:
        for kind in [kind for kind in KINDS if kind in required or kind in there]:
            scale.required(kind, there=kind in there, signed=bool(signed.get(kind)))
    signatures = Signatures(
        good=len(good),
        signers=tuple(
            Signer(kind, scale.known[one.keyid].name, one.keyid)
            for kind in KINDS
            for one in signed.get(kind, ())
        ),
        unsigned=tuple(kind for kind in KINDS if kind in there and not signed.get(kind)),
        criteria_first=order,
        earlier=earlier,
    )
    return Weighed(scale.checked, tuple(scale.faults), signatures)


class _Scale:
    """Weighs signatures; the counts and faults so far."""

    def __init__(self, books: Books, known: Mapping[str, PublicKey]) -> None:
        self.books = books
        self.known = known
        self.entries = {0: GENESIS} | {entry.seq: entry.digest for entry in books.ledger}
        self.made = {digest for result in books.results for digest in result.made}
        self.checked = 0
        self.faults: list[Fault] = []

    def look(self, where: str, *, expected: str, seen: str | None, do: str = "") -> bool:
        """Count one check; note a fault where the two differ."""
        self.checked += 1
        if expected != seen:
            self.faults.append(Fault(where=where, expected=expected, seen=seen or "nothing", do=do))
        return expected == seen

    def good(self, one: SignedStatement) -> bool:
        """Say whether a signature fits, by a key that counts, over what is stored."""
        where = f"signature of {printable(one.kind)} by {printable(one.keyid[:12])}"
        told = told_of(one.statement)
        digest = digest_bytes(one.statement.encode())
        kind = told.kind or "no statement of ours"
        first = [
            self.look(f"{where}: statement", expected=one.payload, seen=digest),
            self.look(f"{where}: kind", expected=one.kind, seen=kind),
            self._signed(one, where),
        ]
        if told.kind is None:
            return False
        return all([*first, self._subjects(told, where), self._head(told, where), self._said(one)])

    def _signed(self, one: SignedStatement, where: str) -> bool:
        """Check the signer, then the signature."""
        key = self.known.get(one.keyid)
        if key is None:
            return self.look(
                where,
                expected="a signer whose key is trusted here",
                seen=f"an unknown signer, key id {printable(one.keyid)}",
                do="If the signer told you this very fingerprint by another way, save their public "
                "key in a file and trust it: normwright keys trust FILE --name NAME",
            )
        fits = f"a signature by {key.name} over this statement"
        seen = fits if signed_by(one, key) else "a signature that does not fit"
        return self.look(where, expected=fits, seen=seen)

    def _subjects(self, told: Told, where: str) -> bool:
        """Look for everything a statement is about."""
        there = [
            self.look(f"{where}: {printable(name)}", expected=digest, seen=self._found(digest))
            for name, digest in told.subject
        ]
        return all(there) and bool(there)

    def _found(self, digest: Digest) -> Digest | None:
        try:
            there = digest in self.books.bodies or self.books.objects(digest)
        except ValueError:  # no digest at all
            there = False
        return digest if there else None

    def _head(self, told: Told, where: str) -> bool:
        """See that the ledger has the entry that was its end when the statement was made."""
        seq, digest = told.ledger or (-1, "")
        do = "The ledger was rewritten, or the signature is of another project."
        place = f"{where}: ledger entry {seq}"
        return self.look(place, expected=digest, seen=self.entries.get(seq), do=do)

    def _said(self, one: SignedStatement) -> bool:
        """Compute the statement again from what is stored."""
        told = told_of(one.statement)
        name, about = told.subject[0] if told.subject else ("", "")
        if told.kind == "criteria":
            again = [Draft("criteria", told.subject, {"file": name})]
        elif about in self.made:
            made = [result for result in self.books.results if about in result.made]
            again = self.books.drafts(made)
        else:
            return True  # its step has another result by now; what it was about is still there
        expected = f"what is stored of the {told.kind}"
        fits = any(draft.says(one.statement) for draft in again)
        seen = expected if fits else "something else"
        return self.look(
            f"signature of {printable(one.kind)}: predicate", expected=expected, seen=seen
        )

    def envelopes(self, project: Path, wanted: Mapping[str, bytes]) -> None:
        """See that the envelopes on disk are those of the stored signatures, and no others."""
        exports = self.books.exports
        for path in ENVELOPES.values():
            expected = digest_bytes(wanted[path]) if path in wanted else None
            if expected is not None or path in exports:
                # That the file is what the store has is checked with all files for people.
                no = "no envelope: what it is about no longer stands"
                self.look(path, expected=expected or no, seen=exports.get(path))
        for file in sorted((project / "out").glob("*.dsse.json")):
            if (path := file.relative_to(project).as_posix()) not in exports:
                do = "Remove it; it proves nothing about this project."
                self.look(path, expected="no envelope", seen="one the store does not know", do=do)

    def required(self, kind: Kind, *, there: bool, signed: bool) -> None:
        """Note as a fault what must be signed and is not."""
        expected = "a good signature by a key that is trusted here"
        self.look(
            kind,
            expected=expected,
            seen=expected if signed else "none" if there else f"no {kind}",
            do=f"Ask whoever answers for it: normwright keys sign DIR --what {kind}",
        )


def _decides(one: SignedStatement, deciding: StageResult) -> bool:
    """Say whether signed criteria are the file and the records that a release rests on."""
    told = told_of(one.statement)
    if told.kind != "criteria" or not told.subject:
        return False
    (name, file), *criteria = told.subject
    held = {digest for _, digest in criteria}
    return deciding.inputs["files"].get(name) == file and held <= set(deciding.made)


def _criteria_first(
    signed: Sequence[SignedStatement], books: Books, deciding: StageResult
) -> tuple[Order, int | None]:
    """Return whether criteria were signed before the evidence, and how much was seen before them.

    The order is that of the ledger. A result that was replaced, or let go to save room, no longer
    tells whether it was evidence, so it counts as such.
    """
    told: dict[tuple[str, Digest], int] = {}
    for entry in books.ledger:
        told.setdefault((entry.kind, entry.payload), entry.seq)
    payloads = (("signature", signature_payload(one)) for one in signed)
    if not (seqs := [told[payload] for payload in payloads if payload in told]):
        return "unsigned", None

    def entry_of(payload: Digest) -> int:
        return told.get(("result", payload), 0)

    shows = {
        result_payload(result): result for result in books.results if books.holds(result, _EVIDENCE)
    }
    after = deciding.inputs["after"]
    rests_on = [
        entry_of(payload)
        for payload, result in shows.items()
        if list(result.made) == list(after.get(result.stage, ()))
    ]
    gone = [entry.payload for entry in books.ledger if entry.kind in _GONE]
    first = min(seqs)
    earlier = sum(entry_of(payload) < first for payload in {*shows, *gone})
    before = first < min([*rests_on, entry_of(result_payload(deciding))])
    return "yes" if before else "no", earlier
