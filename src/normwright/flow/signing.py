"""Sign what a project made: its criteria, its policy, the permit to train, its verdict.

Signatures stand outside: no record, no key of a result and no step knows of them, so that signing
changes nothing that was signed and a project runs the same with and without a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from normwright.flow.engine import Step, publish_in
from normwright.flow.history import settled
from normwright.flow.lock import locked
from normwright.flow.project import Project, load_project
from normwright.flow.receipts import body_of
from normwright.flow.statements import (
    KINDS,
    Draft,
    Kind,
    Lookup,
    criteria_draft,
    drafts_of,
    told_of,
)
from normwright.flow.status import standing
from normwright.flow.stores import has_store, open_store
from normwright.records import Digest, Fault, InputError, IntegrityError, digest_bytes
from normwright.store import (
    GENESIS,
    KeyHome,
    SignedStatement,
    StageResult,
    Store,
    envelope_of,
    file_digest,
    passphrase_of_environment,
    record_digest,
    sign_statement,
)

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

ENVELOPES: Mapping[Kind, str] = {kind: f"out/{kind}.dsse.json" for kind in KINDS}
"""Kind -> where the envelope over what stands now is written."""


@dataclass(frozen=True)
class Signed:
    """What was signed, and who has signed what stands now."""

    key: str
    """Key id of the signer."""
    new: tuple[Kind, ...]
    """What this call signed; empty if that key had signed all of it before."""
    signers: dict[str, tuple[str, ...]]
    """Key ids by what stands now; an empty one is not signed by anybody."""


class Hand:
    """One key ready to sign. It is opened at the first signature and then kept."""

    def __init__(
        self,
        home: KeyHome,
        name: str,
        passphrase: Callable[[], str | None] = passphrase_of_environment,
    ) -> None:
        self.keyid = home.named(name).keyid
        self.open: Callable[[], Signer] = cache(lambda: home.signer(name, passphrase))


def sign(
    directory: Path,
    *,
    key: str | None = None,
    what: Sequence[Kind] | None = None,
    home: KeyHome | None = None,
    passphrase: Callable[[], str | None] = passphrase_of_environment,
) -> Signed:
    """Sign what a project has of `what`, and write the envelopes beside it in `out`.

    What this key has signed already is left as it is. Several keys may sign one after the other.

    Args:
        directory: The project.
        key: Name of the key; None is the one that signs runs.
        what: What to sign; None is all that a project with these parts has. What is not there yet
            is passed over, unless nothing at all is there.
        home: Where keys lie; None is this machine's key home.
        passphrase: Asked only where the key has one and there is something to sign.

    Raises:
        InputError: if there is no key, the project or its criteria have faults, or there is
            nothing to sign.
    """
    home = KeyHome.here() if home is None else home
    home.outside(directory)
    project = load_project(directory)
    name = home.signing() if key is None else key
    if name is None:
        do = "Make one: normwright keys create; or name one of yours with --key."
        raise _nothing(str(home.directory), "a key to sign with", do)
    hand = Hand(home, name, passphrase)
    what = _worth_signing(project) if what is None else what
    with locked(directory), open_store(directory) as store:
        results = _as_read(project.directory, settled(store))
        if (done := sign_in(project, store, hand, what, results)) is None:
            if set(what).isdisjoint(kinds_made(project)):
                do = "Nothing of a project with these parts is signed: no norms, no scenes."
            else:
                do = f"Run it first: normwright run {directory}"
            raise _nothing(str(directory), f"{' or '.join(what)} to sign", do)
        return done


def kinds_made(project: Project) -> tuple[Kind, ...]:
    """Return what a project with these parts makes that is signed, and the criteria for it."""
    sources = project.settings.sources
    there: dict[Kind, bool] = dict.fromkeys(("policy", "permit"), sources.norms is not None)
    there |= dict.fromkeys(("criteria", "verdict"), bool(sources.scenes))
    return tuple(kind for kind in KINDS if there[kind])


def _worth_signing(project: Project) -> tuple[Kind, ...]:
    """Return what is signed unless somebody names it: criteria too that wait for their verdict."""
    kinds = set(kinds_made(project)) | {"policy", "permit", "verdict"}
    if project.path(project.settings.release.criteria).is_file():
        kinds.add("criteria")
    return tuple(kind for kind in KINDS if kind in kinds)


def sign_in(
    project: Project,
    store: Store,
    hand: Hand,
    what: Sequence[Kind],
    results: Iterable[StageResult] = (),
) -> Signed | None:
    """Do what `sign` does, in a store that is open and locked; None if there is nothing to sign.

    The policy, the permit and the verdict are those of `results`.
    """
    now = _drafts(store, results)
    drafts = [draft for draft in now if draft.kind in what]
    if "criteria" in what:
        drafts.insert(0, _put_criteria(project, store))
    if not drafts:
        return None
    _refuse_changed(store, drafts)
    there = store.signatures()
    wanted = [
        (draft, text)
        for draft in drafts
        if (text := _text(draft, store, there, hand.keyid)) is not None
    ]
    fresh = [sign_statement(text, kind=draft.kind, signer=hand.open()) for draft, text in wanted]
    with store.transaction():
        for one in fresh:
            store.put_signature(one)
    write_envelopes(project.directory, store, made(store))
    new = tuple(draft.kind for draft, _ in wanted)
    return Signed(hand.keyid, new, signers(project.directory, store, now))


def _signed_as_they_lie(project: Project, store: Store, keyid: str) -> bool:
    """Say whether a key has signed the file of criteria that lies on disk."""
    name = project.settings.release.criteria
    file = (name, file_digest(project.path(name)))
    return any(
        one.keyid == keyid and told_of(one.statement).subject[:1] == (file,)
        for one in store.signatures()
    )


def hand_of(
    directory: Path, home: KeyHome | None, passphrase: Callable[[], str | None]
) -> Hand | None:
    """Return the key that signs the runs of a project on this machine, if there is one.

    Raises:
        InputError: if a key is named that is not there, or keys lie inside the project.
    """
    home = KeyHome.here() if home is None else home
    if (name := home.signing()) is None:
        return None
    home.outside(directory)
    return Hand(home, name, passphrase)


def sign_criteria(project: Project, hand: Hand, *, sure: bool) -> None:
    """Sign the criteria as they lie there, unless this key has.

    To be sure they are read; where nothing is to be done, that the file is the same will do.
    """
    with locked(project.directory), open_store(project.directory) as store:
        if sure or not _signed_as_they_lie(project, store, hand.keyid):
            sign_in(project, store, hand, ["criteria"])


def sign_made(
    project: Project, hand: Hand | None, plan: Sequence[Step]
) -> dict[str, tuple[str, ...]]:
    """Sign what stands after a run, if there is a key, and return who has signed it.

    What an earlier run made and this one left to be done again does not stand.
    """
    with locked(project.directory), open_store(project.directory) as store:
        results = standing(store, plan, seed=project.settings.seed).values()
        made_by_runs: Sequence[Kind] = ("policy", "permit", "verdict")
        if hand is not None and (done := sign_in(project, store, hand, made_by_runs, results)):
            return done.signers
        if store.signatures():
            # Some may speak of what no longer stands.
            write_envelopes(project.directory, store, made(store))
        return signers(project.directory, store, _drafts(store, results))


def _text(draft: Draft, store: Store, there: Sequence[SignedStatement], keyid: str) -> str | None:
    """Return the text this key has yet to sign, None if it has signed it.

    Who comes second signs the very text of the first, so that one envelope holds both; but only
    where that text is what would be said now, and names an entry that the ledger has.
    """
    entries = store.ledger()
    known = {(0, GENESIS), *((entry.seq, entry.digest) for entry in entries)}
    said = [one for one in there if draft.says(one.statement)]
    if any(one.keyid == keyid for one in said):
        return None
    for one in said:
        if told_of(one.statement).ledger in known:
            return one.statement
    return draft.statement(entries[-1] if entries else None)


def _put_criteria(project: Project, store: Store) -> Draft:
    """Store the criteria as they stand on disk now, and return what is to be said of them."""
    from normwright.release import read_criteria

    name = project.settings.release.criteria
    criteria = read_criteria(project.path(name), languages=project.settings.languages)
    file = store.objects.put_file(project.path(name))
    digests = store.put_records("release", criteria)
    return criteria_draft(name, file, zip((c.id for c in criteria), digests, strict=True))


def made(store: Store) -> list[Draft]:
    """Return what is to be said of the policy and the verdict that runs made last, unchecked.

    Raises:
        IntegrityError: if it cannot be said, because a record is not what it was.
    """
    return _drafts(store, settled(store).values())


def _drafts(store: Store, results: Iterable[StageResult]) -> list[Draft]:
    drafts = []
    for result in results:
        try:
            drafts += drafts_of(result, _lookup(store, result))
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(f"what {result.stage} made has been changed: {error}") from error
    return drafts


def _as_read(directory: Path, results: Mapping[str, StageResult]) -> list[StageResult]:
    """Return the results whose files, and those of all they rest on, lie there as they were read.

    Unlike what the next run would skip, this is the same for every version of this program, so
    that somebody else may sign what a run made elsewhere.
    """

    @cache
    def as_read(name: str) -> bool:
        inputs = results[name].inputs
        files = inputs["files"].items()
        return all(map(as_read, inputs["after"])) and all(
            file_digest(directory / file) == digest for file, digest in files
        )

    return [result for name, result in results.items() if as_read(name)]


def _lookup(store: Store, result: StageResult) -> Lookup:
    """Return a look-up among the records a result made or rests on."""
    before = (digest for made in result.inputs["after"].values() for digest in made)
    found = store.stored([*result.made, *before])
    return {digest: (stored.kind, body_of(stored)) for digest, stored in found.items()}.get


def _refuse_changed(store: Store, drafts: Sequence[Draft]) -> None:
    """Refuse to sign a statement that was computed from a record that has been changed."""
    about = [digest for draft in drafts for _, digest in draft.subject]
    about += [d for one in drafts for d in one.predicate.get("policy", ())]
    about += [d for one in drafts for d in one.predicate.get("criteria", ())]
    for digest, stored in store.stored(about).items():
        if record_digest(stored) != digest:
            raise IntegrityError(f"{stored.kind} {digest} has been changed; it is not signed")


def standing_signatures(
    directory: Path, signatures: Sequence[SignedStatement], drafts: Sequence[Draft]
) -> dict[Kind, tuple[SignedStatement, ...]]:
    """Return the signatures over what stands now, by kind, unchecked.

    The policy and the verdict are those of `drafts`. The criteria are those of the file as it lies
    on disk, because they are signed before anything is made from them.
    """
    kept: dict[Kind, list[SignedStatement]] = {draft.kind: [] for draft in drafts}
    for one in signatures:
        told = told_of(one.statement)
        if told.kind == "criteria" and told.subject:
            name, digest = told.subject[0]
            if _inside(name) and file_digest(directory / name) == digest:
                kept.setdefault("criteria", []).append(one)
        for draft in drafts:
            if draft.says(one.statement):
                kept[draft.kind].append(one)
    return {kind: _latest(kept[kind]) for kind in KINDS if kind in kept}


def _latest(signed: Sequence[SignedStatement]) -> tuple[SignedStatement, ...]:
    """Return the signatures over the latest of the statements, which one envelope holds."""
    texts = {one.statement: told_of(one.statement).ledger or (0, "") for one in signed}
    if not texts:
        return ()
    latest = max(texts, key=lambda text: (texts[text], text))
    return tuple(one for one in signed if one.statement == latest)


def _inside(name: str) -> bool:
    """Say whether a name from a statement stays in the project; it may be anybody's text."""
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts


def envelopes(
    directory: Path, signatures: Sequence[SignedStatement], drafts: Sequence[Draft]
) -> dict[str, bytes]:
    """Return the envelopes that should lie beside what stands now, by path."""
    found = standing_signatures(directory, signatures, drafts)
    return {ENVELOPES[kind]: envelope_of(signed) for kind, signed in found.items() if signed}


def write_envelopes(directory: Path, store: Store, drafts: Sequence[Draft]) -> None:
    """Write the envelopes over what stands now, and remove those over what no longer does."""
    wanted = envelopes(directory, store.signatures(), drafts)
    exported = store.exports()
    for path in set(ENVELOPES.values()) & set(exported) - set(wanted):
        store.drop_export(path)
        (directory / path).unlink(missing_ok=True)
    changed = {
        path: data
        for path, data in wanted.items()
        if not exported.get(path) == file_digest(directory / path) == digest_bytes(data)
    }
    if changed:
        publish_in(directory, store, changed)


def signers(directory: Path, store: Store, drafts: Sequence[Draft]) -> dict[str, tuple[str, ...]]:
    """Return who has signed what stands now: key ids by kind, empty where nobody has, unchecked.

    Criteria are among them once there is a verdict by them, or a signature.
    """
    found = standing_signatures(directory, store.signatures(), drafts)
    if any(draft.kind == "verdict" for draft in drafts):
        found.setdefault("criteria", ())
    return {kind: tuple(one.keyid for one in found[kind]) for kind in KINDS if kind in found}


def spoken_of(store: Store) -> frozenset[Digest]:
    """Return the digests of all that signatures speak of: to be kept as long as they are."""
    return frozenset(
        digest for one in store.signatures() for _, digest in told_of(one.statement).subject
    )


def signers_of(project: Project, plan: Sequence[Step]) -> dict[str, tuple[str, ...]]:
    """Return who has signed what stands now in a project; nobody before its first run."""
    directory = project.directory
    if not has_store(directory):
        return {}
    with open_store(directory, create=False) as store:
        results = standing(store, plan, seed=project.settings.seed).values()
        return signers(directory, store, _drafts(store, results))


def _nothing(where: str, expected: str, do: str) -> InputError:
    return InputError([Fault(where=where, expected=expected, seen="none", do=do)])
