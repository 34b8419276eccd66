"""Somebody withdraws: rows and keys destroyed, words gone, what rests on them marked, a receipt.

The commit of one transaction is the moment of withdrawal: rows, record and ledger entry change
together. What has to follow it (files of the consultation written again, objects removed, free
pages and logs emptied) repeats without harm, and a journal beside the store says that it is still
to be done; so whenever the command is killed, running it again completes it. The journal names
nobody.
"""

from __future__ import annotations

import gzip
import html
import json
import re
import secrets
import shutil
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeAlias

from normwright.flow.lock import locked
from normwright.flow.marks import affected
from normwright.flow.project import Project, load_project
from normwright.flow.receipts import body_of, held_objects
from normwright.records import (
    Affected,
    Changes,
    Charter,
    Consultation,
    Digest,
    Estimate,
    Fault,
    GroupsChange,
    InputError,
    MadeBy,
    NormChange,
    Outcome,
    Polity,
    RankingChange,
    Remedy,
    RowProof,
    ShareChange,
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
    Rows,
    StageResult,
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
    with locked(directory), Store.open(directory, create=False) as store:
        journal = _journal(directory, store)
        if journal is not None:
            return _complete(project, store, journal, participant, hand_over)
        plan = _plan(project, store, participant, process, then=then, because=because)
        if isinstance(plan, Withdrawn):
            return plan
        planned = plan.told("planned")
        if dry_run:
            return planned
        if not confirm(planned):
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


def check_finished(directory: Path) -> None:
    """Raise InputError if a withdrawal has begun and is not finished: nothing may run before."""
    if not (directory / JOURNAL).is_file():
        return
    with Store.open(directory, create=False) as store:
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
    folder = _consultation(project)
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
) -> _Plan | Withdrawn:
    """Reckon everything, or say that the person withdrew before."""
    from normwright.elicit import take_out

    directory = project.directory
    folder = _consultation(project)
    theirs = take_out(folder, root=directory, gone=lambda one: one == participant)
    name = _process(directory, store, participant, process, in_files=bool(theirs.rows))
    if name is None:
        return Withdrawn("already", None, None)
    before = gone_from(directory, name)
    taken = (
        take_out(folder, root=directory, gone=lambda one: one == participant or before(one))
        if exclusions_digest(directory)
        else theirs
    )
    authored = tuple(sorted(s for s, who in taken.authors.items() if who == participant))
    found = rows_of_person(store, name, participant, authored=authored)
    standing = _standing(store, name)
    compared = _compare(project, store, standing, participant, authored)
    texts = texts_of(store, name, authored)
    quoting = _quoting(store, texts)
    marked = affected(store, found.imports)
    total, gone = (0, 0)
    if standing is not None:
        total, gone = store.row_counts(import_of(standing[1]))["participants"]
        gone += participant in compared.people
    receipt = WithdrawalReceipt(
        number=secrets.token_hex(_NUMBER_BYTES),
        process=name,
        kind=_kind(store, name),
        then=then,
        because=because,
        rows=found.counts,
        authored=len(authored),
        attributable=theirs.attributable,
        participants=total,
        withdrawn_share=gone / total if total else 0.0,
        changes=compared.changes,
        support=compared.support,
        pairs=compared.pairs,
        rankings=compared.rankings,
        groups=compared.groups,
        norms=compared.norms,
        models=sum(one.kind == "ModelRef" for one in marked),
        verdicts=sum(one.kind == "Verdict" for one in marked),
        artefacts=len(marked),
        proofs=_proofs(store, found, standing),
        made_by=MadeBy(stage="elicit"),
    )
    withdrawal = Withdrawal(
        derived_from=(standing[1].digest,) if standing is not None else (),
        made_by=MadeBy(stage="elicit"),
        process=name,
        kind=receipt.kind,
        then=then,
        because=because,
        leaves=found.leaves,
        authored=receipt.authored,
        attributable=receipt.attributable,
        sources={
            label: SourceChange(before=taken.before[label], after=digest_bytes(data))
            for label, data in taken.files.items()
        },
        affected=(*marked, *_unmarked_exports(store, quoting, marked)),
        removed=tuple(sorted(quoting)),
        changes=receipt.changes,
        participants=total,
        withdrawn=gone,
        withdrawn_share=receipt.withdrawn_share,
        receipt=receipt.digest,
    )
    return _Plan(
        found=found,
        authored=authored,
        withdrawal=withdrawal,
        receipt=receipt,
        unread=taken.unread,
        lingering=_lingering(directory, participant, texts, written=taken.files, removed=quoting),
        refused=_refused(folder, directory, taken.files, name, participant),
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


def _consultation(project: Project) -> Path:
    return project.path(project.settings.sources.consultation)


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


def _standing(store: Store, process: str) -> tuple[StageResult, Consultation] | None:
    """Return the newest import of a process, that of the present results before others."""
    steps = store.current_steps()
    current = steps["elicit"].key if "elicit" in steps else ""
    results = sorted(store.results(), key=lambda result: result.key == current)
    for result in reversed(results):
        for one in store.records(result.made, Consultation):
            if one.process == process:
                return result, one
    return None


def _kind(store: Store, process: str) -> Literal["human", "simulated"]:
    return next(one.kind for one in store.imports() if one.process == process)


def _proofs(
    store: Store, found: Found, standing: tuple[StageResult, Consultation] | None
) -> tuple[RowProof, ...]:
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


# What quotes the person


def _quoting(store: Store, texts: Collection[str]) -> frozenset[Digest]:
    """Return the objects that quote a text and that no record needs: reports, as a rule.

    What records need (weights, training rows, answers) is made from shares and norms, never from
    the wording of a statement.
    """
    if not texts:
        return frozenset()
    needed = {
        held for one in store.all_stored() for held in held_objects(one.kind, body_of(one)).values()
    }
    return frozenset(
        digest
        for digest in store.objects
        if digest not in needed and _quotes(store.objects.path(digest), texts)
    )


def _lingering(
    directory: Path,
    participant: str,
    texts: Collection[str],
    *,
    written: Mapping[str, bytes],
    removed: Collection[Digest],
) -> tuple[str, ...]:
    """Return the files a person keeps in the project that will still hold name or words.

    Names that are short, or numbers, stand for too many other things to be looked for.
    """
    plain = len(participant) >= _TELLING and not participant.isdigit()
    name = re.compile(rf"(?<!\w){re.escape(participant)}(?!\w)") if plain else None
    found = []
    for path in sorted(directory.rglob("*")):
        label = path.relative_to(directory).as_posix()
        if label.startswith(f"{FOLDER}/") or not path.is_file() or file_digest(path) in removed:
            continue
        if label.startswith("out/model/"):
            continue  # weights and their tokenizer, made from shares
        data = written[label] if label in written else path.read_bytes()
        if path.suffix == ".gz":
            try:
                data = gzip.decompress(data)
            except (OSError, EOFError, zlib.error):
                continue
        text = data.decode("utf-8", "replace")
        if (name is not None and name.search(text)) or _says(text, texts):
            found.append(label)
    return tuple(found)


_TELLING = 4
"""Characters a pseudonym needs to be looked for as a word."""


def _quotes(path: Path, texts: Collection[str]) -> bool:
    return _says(path.read_bytes().decode("utf-8", "replace"), texts)


def _says(data: str, texts: Collection[str]) -> bool:
    """Say whether a text holds one of `texts`: plain, in a page, in JSON, broken over lines."""
    if not texts:
        return False
    page = _in_one_line(html.unescape(data))
    return any(
        _in_one_line(text) in page
        or any(json.dumps(text, ensure_ascii=only)[1:-1] in data for only in (True, False))
        for text in texts
    )


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


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


# With and without


@dataclass(frozen=True)
class _Compared:
    """What would be different."""

    changes: Changes
    people: frozenset[str] = frozenset()
    """Who is in the import that stands."""
    support: tuple[ShareChange, ...] = ()
    pairs: tuple[ShareChange, ...] = ()
    rankings: tuple[RankingChange, ...] = ()
    groups: tuple[GroupsChange, ...] = ()
    norms: tuple[NormChange, ...] = ()


def _compare(
    project: Project,
    store: Store,
    standing: tuple[StageResult, Consultation] | None,
    participant: str,
    authored: Collection[str],
) -> _Compared:
    """Count the import that stands with the person and without, by the same seed."""
    if standing is None:
        return _Compared(Changes(numbers=False, groups=False, rankings=False, norms=False))
    result, consultation = standing
    rows = store.rows(consultation)
    people = frozenset(one.id for one in rows.participants)
    if participant not in people and not {one.id for one in rows.statements} & set(authored):
        return _Compared(
            Changes(numbers=False, groups=False, rankings=False, norms=False), people=people
        )
    fewer = _rows_without(rows, participant, authored)
    polities = store.records(result.made, Polity)
    before = outcomes(project, rows, polities)
    after = outcomes(project, fewer, polities)
    support, pairs = _shares(before, after)
    rankings = tuple(_rankings(before, after))
    groups = tuple(_groups(before, after))
    was, _ = _charter(project, rows, before, polities)
    now, why = _charter(project, fewer, after, polities)
    norms = _norms(was, now) if was is not None and now is not None else None
    return _Compared(
        changes=Changes(
            numbers=any(_numbers(before[one]) != _numbers(after[one]) for one in before),
            groups=bool(groups),
            rankings=bool(rankings),
            norms=None if norms is None else bool(norms),
            reason=why if norms is None else "",
        ),
        people=people,
        support=support,
        pairs=pairs,
        rankings=rankings,
        groups=groups,
        norms=norms or (),
    )


def _rows_without(rows: Rows, participant: str, authored: Collection[str]) -> Rows:
    gone = set(authored)
    return replace(
        rows,
        participants=tuple(one for one in rows.participants if one.id != participant),
        statements=tuple(one for one in rows.statements if one.id not in gone),
        votes=tuple(
            one
            for one in rows.votes
            if one.participant != participant and one.statement not in gone
        ),
        comparisons=tuple(one for one in rows.comparisons if one.participant != participant),
    )


def outcomes(project: Project, rows: Rows, polities: Sequence[Polity]) -> dict[str, Outcome]:
    """Return what the ballots of each polity say, by its id, counted as the step `aggregate` does.

    A polity in which nobody is left, or nothing is asked any more, is counted too.
    """
    from normwright import aggregate as counting

    method = project.settings.method
    methods = sorted({"schulze", "borda", method.ranking}, key=lambda m: m != method.ranking)
    return {
        polity.id: counting.aggregate(
            process=rows.process,
            polity=polity,
            participants=rows.participants,
            statements=rows.statements,
            votes=rows.votes,
            comparisons=rows.comparisons,
            seed=project.settings.seed,
            bootstrap=method.bootstrap,
            methods=methods,
        )
        for polity in polities
    }


def _charter(
    project: Project, rows: Rows, counted: Mapping[str, Outcome], polities: Sequence[Polity]
) -> tuple[Charter | None, str]:
    """Return the charter that these outcomes ratify, or None and why there is none."""
    from normwright.charter import ratify, read_source

    settings = project.settings
    try:
        source = read_source(project.path(settings.sources.norms), languages=settings.languages)
        charter = ratify(
            source,
            [counted[polity.id] for polity in polities],
            process=rows.process,
            statements=rows.statements,
            charter_id=settings.id,
            languages=settings.languages,
            on=date.fromisoformat(settings.charter_date),
        )
    except InputError as error:
        return None, str(error)
    return charter, ""


def _shares(
    before: Mapping[str, Outcome], after: Mapping[str, Outcome]
) -> tuple[tuple[ShareChange, ...], tuple[ShareChange, ...]]:
    support, pairs = [], []
    for authority, was in before.items():
        now = after[authority]
        support += _changed(
            authority,
            {one.statement: one.support for one in was.support},
            {one.statement: one.support for one in now.support},
        )
        pairs += _changed(
            authority,
            {one.norm: one.p_decline for one in was.pairs},
            {one.norm: one.p_decline for one in now.pairs},
        )
    return tuple(support), tuple(pairs)


def _numbers(outcome: Outcome) -> tuple[object, ...]:
    """Return all shares of an outcome with their intervals, those within groups among them."""
    return outcome.support, outcome.pairs


def _changed(
    authority: str, was: Mapping[str, Estimate], now: Mapping[str, Estimate]
) -> list[ShareChange]:
    return [
        ShareChange(authority=authority, subject=one, before=was.get(one), after=now.get(one))
        for one in dict.fromkeys((*was, *now))
        if was.get(one) != now.get(one)
    ]


def _rankings(
    before: Mapping[str, Outcome], after: Mapping[str, Outcome]
) -> Iterator[RankingChange]:
    for authority, was in before.items():
        for one, other in zip(was.rankings, after[authority].rankings, strict=True):
            if one.tiers != other.tiers:
                yield RankingChange(
                    authority=authority, method=one.method, before=one.tiers, after=other.tiers
                )


def _groups(before: Mapping[str, Outcome], after: Mapping[str, Outcome]) -> Iterator[GroupsChange]:
    """Yield where groups differ by more than the one seat that is empty now."""
    for authority, outcome in before.items():
        was = tuple(sorted((g.size for g in outcome.grouping.groups), reverse=True))
        now = tuple(sorted((g.size for g in after[authority].grouping.groups), reverse=True))
        same = now == was or any(
            now == tuple(sorted((*was[:i], size - 1, *was[i + 1 :]), reverse=True))
            for i, size in enumerate(was)
        )
        if not same:
            yield GroupsChange(authority=authority, before=was, after=now)


def _norms(was: Charter, now: Charter) -> tuple[NormChange, ...]:
    before, after = _fates(was), _fates(now)
    return tuple(
        NormChange(norm=norm, before=before.get(norm, "absent"), after=after.get(norm, "absent"))
        for norm in sorted({*before, *after})
        if before.get(norm) != after.get(norm)
    )


def _fates(charter: Charter) -> dict[str, Literal["adopted", "rejected"]]:
    adopted: dict[str, Literal["adopted", "rejected"]] = {n.ref: "adopted" for n in charter.norms}
    return adopted | {one.norm: "rejected" for one in charter.rejected}


def _refused(
    folder: Path, root: Path, files: Mapping[str, bytes], process: str, participant: str
) -> tuple[Fault, ...]:
    """Return why the files as they will be could not be imported; none if they could.

    They are read from a copy, so that this is known before anything is written.

    Raises:
        InputError: if the person is still among those that are read: the form of these files is
            not one that people can be taken out of.
    """
    from normwright.elicit import read_consultation

    if not folder.is_dir():
        return ()
    place = root / FOLDER / "work" / "withdrawal"
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
                Fault(
                    where=folder.name,
                    expected="tables in which a column names each person",
                    seen=f"the form `{read.importer}`, from which nobody can be taken out",
                    do="Write the consultation in the project's own form, run, and try again.",
                )
            ]
        )
    return ()
