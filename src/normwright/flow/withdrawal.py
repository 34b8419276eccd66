"""Somebody withdraws: rows and keys destroyed, words gone, what rests on them marked, a receipt.

The commit of one transaction is the moment of withdrawal: rows, record and ledger entry change
together. What has to follow it (files of the consultation written again, objects removed, free
pages and logs emptied) repeats without harm, and a journal beside the store says that it is still
to be done; so whenever the command is killed, running it again completes it. The journal names
nobody.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from normwright.flow.counterfactual import Standing, compare, standing_import
from normwright.flow.lock import locked
from normwright.flow.marks import affected
from normwright.flow.project import Project, load_project
from normwright.flow.quoting import lingering_files, quoting_objects
from normwright.flow.readings import reading_steps
from normwright.flow.settings import FILE
from normwright.flow.stores import open_store
from normwright.records import (
    Affected,
    Digest,
    Fault,
    InputError,
    MadeBy,
    Remedy,
    RowProof,
    SourceChange,
    Withdrawal,
    WithdrawalReceipt,
    canonical_json,
    digest_bytes,
)
from normwright.store import (
    FOLDER,
    HALF_WRITTEN,
    Found,
    Store,
    erase,
    exclude,
    exclusions_digest,
    file_digest,
    gone_from,
    import_of,
    processes_of,
    prove,
    rows_of_person,
    scrub,
    texts_of,
    token_of,
    write_whole,
)

JOURNAL = f"{FOLDER}/withdrawing.json"
"""Where a withdrawal that has begun is written down until nothing of it is left to do."""

_SLUG = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_NUMBER_BYTES = 16

State: TypeAlias = Literal["planned", "declined", "withdrawn", "completed", "already"]


@dataclass(frozen=True)
class Withdrawn:
    """What a withdrawal did, or would do."""

    state: State
    """`completed`: it had begun before and was interrupted. `already`: nothing was changed."""
    withdrawal: Withdrawal | None
    """The record; None if there was nothing to do."""
    receipt: WithdrawalReceipt | None
    unread: tuple[str, ...] = ()
    """Files beside the consultation in which nobody was looked for."""
    lingering: tuple[str, ...] = ()
    """Files of the project that will still quote the person; somebody has to look at them."""
    refused: tuple[Fault, ...] = ()
    """Why what is left of the consultation could not be imported, if it could not."""


Confirm: TypeAlias = Callable[[Withdrawn], bool]
HandOver: TypeAlias = Callable[[Withdrawn], None]


def withdraw(
    directory: Path,
    participant: str,
    *,
    then: Remedy,
    because: str = "",
    process: str | None = None,
    dry_run: bool = False,
    confirm: Confirm = lambda planned: True,
    hand_over: HandOver = lambda done: None,
) -> Withdrawn:
    """Take a person out of a project, and say what that changes.

    Args:
        directory: The project.
        participant: Their pseudonym.
        then: What is to become of what rests on their rows; it is recorded.
        because: For `keep`, the reason as a slug.
        process: The process they took part in, where the pseudonym stands in several.
        dry_run: Reckon everything and change nothing.
        confirm: Asked with the plan before anything changes; False leaves all as it was.
        hand_over: Called with the receipt once all is done, and before it is forgotten.

    Raises:
        InputError: if nobody is known under that pseudonym, the files cannot be read or written
            again, the choice lacks its reason, or another run is at work.
        IntegrityError: if the rows are not what was imported.
    """
    project = load_project(directory)
    _check_choice(then, because)
    if dry_run:
        return _foreseen(project, participant, process, then=then, because=because)
    with locked(directory), open_store(directory, create=False) as store:
        journal = _journal(directory, store)
        if journal is not None:
            return _complete(project, store, journal, participant, hand_over)
        aside = directory / FOLDER / "work" / "withdrawal"
        plan = _plan(project, store, participant, process, then=then, because=because, aside=aside)
        if isinstance(plan, Withdrawn):
            return plan
        if not confirm(plan.told("planned")):
            return plan.told("declined")
        started = plan.journal(directory, participant)
        write_whole(directory / JOURNAL, canonical_json(vars(started)).encode(), mode=0o600)
        erase(
            store,
            plan.found,
            plan.withdrawal,
            participant=participant,
            authored=plan.authored,
            exports=_quoting_exports(plan.withdrawal),
        )
        done = plan.told("withdrawn")
        _finish(project, store, started, plan.withdrawal)
        hand_over(done)
        (directory / JOURNAL).unlink()
        return done


def _foreseen(
    project: Project, participant: str, process: str | None, *, then: Remedy, because: str
) -> Withdrawn:
    """Reckon everything; nothing is written in the project, nor does it have to be writable."""
    directory = project.directory
    with open_store(directory, create=False) as store, store.snapshot():
        if unfinished_in(directory, store):
            raise InputError([unfinished()])
        with tempfile.TemporaryDirectory() as aside:
            plan = _plan(
                project, store, participant, process, then=then, because=because, aside=Path(aside)
            )
    return plan if isinstance(plan, Withdrawn) else plan.told("planned")


def check_finished(directory: Path) -> None:
    """Raise InputError if a withdrawal has begun and is not finished: nothing may run before."""
    if not (directory / JOURNAL).is_file():
        return
    with open_store(directory, create=False) as store:
        if unfinished_in(directory, store):
            raise InputError([unfinished()])


def unfinished_in(directory: Path, store: Store) -> bool:
    """Say whether a withdrawal was interrupted after its rows were erased."""
    return _journal(directory, store) is not None


def unfinished() -> Fault:
    """Return the fault of a withdrawal that has begun and is not finished."""
    return Fault(
        where=JOURNAL,
        expected="no withdrawal that was interrupted",
        seen="one: rows are erased, files may still hold them",
        do="Run the same command again: normwright elicit withdraw PARTICIPANT DIR",
    )


# The journal


@dataclass(frozen=True)
class _Journal:
    """What has to be known to finish a withdrawal. It names nobody."""

    process: str
    token: str
    """What stands for the person on the list of those who withdrew."""
    withdrawal: Digest
    receipt: dict[str, Any]
    unread: Sequence[str]
    lingering: Sequence[str]


def _journal(directory: Path, store: Store) -> _Journal | None:
    """Return the withdrawal that was interrupted, or None.

    One that never reached its commit changed nothing, so its journal is simply dropped.
    """
    path = directory / JOURNAL
    if not path.is_file():
        return None
    try:
        journal = _Journal(**json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as error:
        raise InputError(
            [Fault(where=JOURNAL, expected="a journal of a withdrawal", seen=str(error))]
        ) from error
    told = {entry.payload for entry in store.ledger() if entry.kind == "withdrawal"}
    return journal if journal.withdrawal in told else None


def _complete(
    project: Project, store: Store, journal: _Journal, participant: str, hand_over: HandOver
) -> Withdrawn:
    """Finish a withdrawal that was interrupted after its commit."""
    directory = project.directory
    if token_of(directory, journal.process, participant) != journal.token:
        raise InputError([unfinished()])
    withdrawal = store.record(journal.withdrawal, Withdrawal)
    _finish(project, store, journal, withdrawal)
    receipt = WithdrawalReceipt.model_validate_json(json.dumps(journal.receipt))
    done = Withdrawn(
        "completed",
        withdrawal,
        receipt,
        unread=tuple(journal.unread),
        lingering=tuple(journal.lingering),
    )
    hand_over(done)
    (directory / JOURNAL).unlink()
    return done


def _finish(project: Project, store: Store, journal: _Journal, withdrawal: Withdrawal) -> None:
    """Do all that follows the commit; every part of it may be done again."""
    from normwright.elicit import take_out

    directory = project.directory
    folder = _consultation(project, store, journal.process)
    exclude(directory, journal.process, journal.token)
    gone = gone_from(directory, journal.process)
    for label, data in take_out(folder, root=directory, gone=gone).files.items():
        write_whole(directory / label, data)
    removed = set(withdrawal.removed)
    for one in withdrawal.affected:
        if one.kind == "export" and file_digest(directory / one.name) in removed:
            (directory / one.name).unlink()
    for digest in removed:
        store.objects.path(digest).unlink(missing_ok=True)
    store.objects.sweep()
    for place in (folder, directory / FOLDER):
        for left in place.glob(f"**/{HALF_WRITTEN}*"):
            left.unlink()
    # Half-trained weights rest on what was counted before; nobody will ask for them again.
    shutil.rmtree(directory / FOLDER / "work", ignore_errors=True)
    scrub(store)


# The plan


@dataclass(frozen=True)
class _Plan:
    """Everything that is known before anything changes."""

    found: Found
    authored: tuple[str, ...]
    withdrawal: Withdrawal
    receipt: WithdrawalReceipt
    unread: tuple[str, ...]
    lingering: tuple[str, ...]
    refused: tuple[Fault, ...]

    def told(self, state: State) -> Withdrawn:
        return Withdrawn(
            state,
            self.withdrawal,
            self.receipt,
            unread=self.unread,
            lingering=self.lingering,
            refused=self.refused,
        )

    def journal(self, directory: Path, participant: str) -> _Journal:
        return _Journal(
            process=self.found.process,
            token=token_of(directory, self.found.process, participant),
            withdrawal=self.withdrawal.digest,
            receipt=self.receipt.model_dump(mode="json"),
            unread=self.unread,
            lingering=self.lingering,
        )


def _plan(
    project: Project,
    store: Store,
    participant: str,
    process: str | None,
    *,
    then: Remedy,
    because: str,
    aside: Path,
) -> _Plan | Withdrawn:
    """Reckon everything, or say that the person withdrew before.

    For a moment the files as they will be lie in `aside`, which is this function's own.
    """
    from normwright.elicit import take_out

    known = [process] if process is not None else processes_of(store, participant)
    # Where the pseudonym stands in several, `_process` asks which is meant.
    folder = _consultation(project, store, known[0] if len(known) == 1 else None)
    directory = project.directory
    theirs = take_out(folder, root=directory, gone=lambda one: one == participant)
    if theirs.nameless is not None and not processes_of(store, participant):
        raise InputError([theirs.nameless])
    name = _process(directory, store, participant, process, in_files=bool(theirs.rows))
    if name is None:
        return Withdrawn("already", None, None)
    taken = theirs
    if exclusions_digest(directory):  # others may be back in the files as well
        before = gone_from(directory, name)
        taken = take_out(folder, root=directory, gone=lambda one: one == participant or before(one))
    authored = tuple(sorted(theirs.authors))
    found = rows_of_person(store, name, participant, authored=authored)
    texts = texts_of(store, name, authored)
    quoting = quoting_objects(store, texts)
    marked = affected(store, found.imports)
    standing = standing_import(store, name)
    compared = compare(project, store, standing, participant, authored)
    receipt = WithdrawalReceipt(
        made_by=MadeBy(stage="elicit"),
        number=secrets.token_hex(_NUMBER_BYTES),
        process=name,
        kind=_kind(store, name),
        then=then,
        because=because,
        rows=found.counts,
        authored=len(authored),
        attributable=theirs.attributable,
        models=sum(one.kind == "ModelRef" for one in marked),
        verdicts=sum(one.kind == "Verdict" for one in marked),
        artefacts=len(marked),
        proofs=_proofs(store, found, standing),
        **_share(store, standing, leaves=participant in compared.people),
        **compared.told,
    )
    withdrawal = _record(
        receipt,
        found,
        sources={
            label: SourceChange(before=taken.before[label], after=digest_bytes(data))
            for label, data in taken.files.items()
        },
        marked=(*marked, *_unmarked_exports(store, quoting, marked)),
        removed=quoting,
        standing=standing,
    )
    lingering = lingering_files(directory, participant, texts, written=taken.files, removed=quoting)
    refused = _refused(
        folder, directory, taken.files, name, participant, nameless=taken.nameless, place=aside
    )
    return _Plan(found, authored, withdrawal, receipt, taken.unread, lingering, refused)


def _share(store: Store, standing: Standing | None, *, leaves: bool) -> dict[str, Any]:
    """Return how many people the tally that stands has, and what share of them withdrew."""
    if standing is None:
        return {"participants": 0, "withdrawn": 0, "withdrawn_share": 0.0}
    total, erased = store.row_counts(import_of(standing[1]))["participants"]
    gone = erased + leaves
    return {
        "participants": total,
        "withdrawn": gone,
        "withdrawn_share": gone / total if total else 0.0,
    }


def _record(
    receipt: WithdrawalReceipt,
    found: Found,
    *,
    sources: dict[str, SourceChange],
    marked: tuple[Affected, ...],
    removed: Collection[Digest],
    standing: Standing | None,
) -> Withdrawal:
    """Return what is kept: of the receipt no figure that tells how somebody voted."""
    return Withdrawal(
        derived_from=(standing[1].digest,) if standing is not None else (),
        made_by=MadeBy(stage="elicit"),
        process=receipt.process,
        kind=receipt.kind,
        then=receipt.then,
        because=receipt.because,
        leaves=found.leaves,
        authored=receipt.authored,
        attributable=receipt.attributable,
        sources=sources,
        affected=marked,
        removed=tuple(sorted(removed)),
        changes=receipt.changes,
        participants=receipt.participants,
        withdrawn=receipt.withdrawn,
        withdrawn_share=receipt.withdrawn_share,
        receipt=receipt.digest,
    )


def _check_choice(then: Remedy, because: str) -> None:
    faults = []
    if then == "keep" and not re.fullmatch(_SLUG, because):
        faults.append(
            Fault(
                where="--because",
                expected="for `keep`, why the artefacts are kept, as a slug",
                seen=repr(because) if because else "nothing",
                do="For example: --because already-released",
            )
        )
    if then != "keep" and because:
        faults.append(
            Fault(
                where="--because",
                expected=f"nothing, with `{then}`; nobody has to give a reason to withdraw",
                seen=repr(because),
            )
        )
    if faults:
        raise InputError(faults)


def _consultation(project: Project, store: Store, process: str | None) -> Path:
    """Return where a process lies: an earlier reading, or the project's own consultation."""
    standing = None if process is None else standing_import(store, process)
    named = zip(project.settings.sources.readings, reading_steps(project), strict=True)
    for one, (elicit, _) in named:
        if standing is not None and standing[0].stage == elicit:
            return project.path(one.consultation)
    place = project.settings.sources.consultation
    if place is None:
        raise InputError(
            [
                Fault(
                    where=f"{FILE}: sources.consultation",
                    expected="a consultation to withdraw from",
                    seen="none",
                )
            ]
        )
    return project.path(place)


def _process(
    directory: Path, store: Store, participant: str, asked: str | None, *, in_files: bool
) -> str | None:
    """Return the process somebody is to be taken out of; None if they withdrew before.

    Where an old file has brought their rows back, they are taken out of the files once more.

    Raises:
        InputError: if nobody is known under the pseudonym, or it stands in several processes. No
            other pseudonym is named.
    """
    every = tuple(dict.fromkeys(one.process for one in store.imports()))
    known = processes_of(store, participant)
    if asked is not None:
        if asked not in every:
            raise InputError(
                [
                    Fault(
                        where="--process",
                        expected=f"one of {', '.join(every)}",
                        seen=asked,
                    )
                ]
            )
        every, known = (asked,), tuple(one for one in known if one == asked)
    if len(known) == 1:
        return known[0]
    if len(known) > 1:
        raise InputError(
            [
                Fault(
                    where="PARTICIPANT",
                    expected="a pseudonym that stands in one process",
                    seen=f"it stands in {', '.join(known)}",
                    do="Say which with --process.",
                )
            ]
        )
    for name in every:
        if gone_from(directory, name)(participant):
            return name if in_files else None
    if in_files and len(every) == 1:
        return every[0]
    raise InputError(
        [
            Fault(
                where="PARTICIPANT",
                expected="the pseudonym of somebody who took part",
                seen="one that stands in no import of this project",
                do="It is written as in the files of the consultation, capitals included.",
            )
        ]
    )


def _kind(store: Store, process: str) -> Literal["human", "simulated"]:
    return next(one.kind for one in store.imports() if one.process == process)


def _proofs(store: Store, found: Found, standing: Standing | None) -> tuple[RowProof, ...]:
    """Return, for each row of the person in the tally that stands, the way to its root."""
    if standing is None or (imported := import_of(standing[1])) not in found.rows:
        return ()
    whole = next(one for one in store.imports() if one.digest == imported)
    leaves: dict[str, list[bytes]] = {}
    for row in store.keyed_rows(whole):
        leaves.setdefault(row.table, []).append(row.leaf)
    proofs = []
    for table, places in found.rows[imported].items():
        for place, leaf in sorted(places.items()):
            way = prove(leaves[table], place)
            proofs.append(
                RowProof(
                    table=table,
                    leaf=leaf.hex(),
                    index=way.index,
                    size=way.size,
                    path=way.path,
                    root=whole.roots[table],
                )
            )
    return tuple(proofs)


def _unmarked_exports(
    store: Store, quoting: Collection[Digest], marked: Sequence[Affected]
) -> Iterator[Affected]:
    """Yield the files for people that quote the person and are not listed already."""
    listed = {(one.name, one.digest) for one in marked}
    for path, digest in store.exports().items():
        if digest in quoting and (path, digest) not in listed:
            yield Affected(digest=digest, kind="export", name=path)


def _quoting_exports(withdrawal: Withdrawal) -> list[str]:
    removed = set(withdrawal.removed)
    return [
        one.name for one in withdrawal.affected if one.kind == "export" and one.digest in removed
    ]


def _refused(
    folder: Path,
    root: Path,
    files: Mapping[str, bytes],
    process: str,
    participant: str,
    *,
    nameless: Fault | None,
    place: Path,
) -> tuple[Fault, ...]:
    """Return why the files as they will be could not be imported; none if they could.

    They are read from a copy in `place`, so that this is known before anything is written.

    Raises:
        InputError: if the person is still among those that are read: the form of these files is
            not one that people can be taken out of.
    """
    from normwright.elicit import read_consultation

    if not folder.is_dir():
        return ()
    shutil.rmtree(place, ignore_errors=True)
    copy = place / folder.name
    try:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                target = copy / path.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                label = path.relative_to(root).as_posix() if path.is_relative_to(root) else ""
                target.write_bytes(files[label] if label in files else path.read_bytes())
        try:
            read = read_consultation(copy, root=place)
        except InputError as error:
            return error.faults
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if read.process.id == process and any(one.id == participant for one in read.participants):
        raise InputError(
            [
                nameless
                or Fault(
                    where=folder.name,
                    expected="tables in which a column names each person",
                    seen=f"the form `{read.importer}`, from which nobody can be taken out",
                    do="Write the consultation in the project's own form, run, and try again.",
                )
            ]
        )
    return ()
