"""What rests on rows that were withdrawn: followed from the consultation through every step.

A result is clean if it neither holds such a consultation nor read anything that only unclean
results made. Bytes that a clean result made too, for example the tokenizer of a model that was
trained again, are clean: without the person they come out the same.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence

from normwright.flow.receipts import body_of, held_objects, mentioned, title_of
from normwright.records import Affected, Consultation, Digest, Withdrawal, WithdrawalReceipt
from normwright.store import StageResult, Store, StoredRecord, import_digest, withdrawals

SAID = "rests on withdrawn rows"
"""The mark, in words."""

_ABOUT_WITHDRAWAL = frozenset({Withdrawal.__name__, WithdrawalReceipt.__name__})


def consultations_of(store: Store, imports: Collection[Digest]) -> tuple[Digest, ...]:
    """Return the import receipts that stand for some imports."""
    return tuple(
        stored.digest
        for stored in store.all_stored(Consultation.__name__)
        if (body := json.loads(stored.json))
        and import_digest(body["process"], body["kind"], body["roots"]) in imports
    )


def marked(store: Store) -> frozenset[Digest]:
    """Return every digest that rests on rows somebody withdrew, as things stand now.

    Raises:
        IntegrityError: if a withdrawal that the ledger tells of is gone or was changed.
    """
    told = [one for _, one in withdrawals(store)]
    if not told:
        return frozenset()
    seeds = consultations_of(store, {imported for one in told for imported in one.leaves})
    results = store.results()
    made = {digest for result in results for digest in _all(result)}
    named = {each.digest for one in told for each in one.affected}
    return frozenset(tainted(results, seeds) | (named - made))


def marks_by_step(store: Store) -> dict[str, int]:
    """Return how many things the present result of each step made that are marked."""
    marks = marked(store)
    if not marks:
        return {}
    results = {one.key: one for one in store.results()}
    return {
        name: len(marks & set(_all(results[step.key])))
        for name, step in store.current_steps().items()
        if step.key in results
    }


def marked_now(store: Store) -> frozenset[Digest]:
    """Return what is marked among the present results and the files that were made for people.

    What an earlier run left behind rests on the rows as well, but no longer stands for anything.
    """
    marks = marked(store)
    if not marks:
        return marks
    results = {one.key: one for one in store.results()}
    standing = set(store.exports().values())
    for step in store.current_steps().values():
        if step.key in results:
            standing.update(_all(results[step.key]))
    return marks & standing


def tainted(results: Sequence[StageResult], seeds: Collection[Digest]) -> set[Digest]:
    """Return what results made that rests on the consultations `seeds`, themselves included."""
    first = set(seeds)
    holders = [result for result in results if first & set(result.made)]
    clean = {digest for result in holders for digest in result.made} - first
    todo = [result for result in results if not first & set(result.made)]
    while True:
        found = [one for one in todo if all(digest in clean for digest in _read(one))]
        if not found:
            break
        clean.update(digest for one in found for digest in _all(one))
        todo = [one for one in todo if one not in found]
    return {digest for result in (*holders, *todo) for digest in _all(result)} - clean | first


def affected(store: Store, imports: Collection[Digest]) -> tuple[Affected, ...]:
    """Return everything that was made from some imports, by kind and name.

    Files that were made for people outside a run, such as the report, show what stood then; they
    count too.
    """
    seeds = consultations_of(store, imports)
    if not seeds:
        return ()
    results = store.results()
    found = tainted(results, seeds)
    made = {digest for result in results for digest in _all(result)}
    published = {path: d for path, d in store.exports().items() if d not in made or d in found}
    found |= set(published.values())
    found |= _speaking_of(store, found, made)
    stored = store.stored(found)
    names = _names(store.all_stored())
    lines = [
        Affected(digest=one.digest, kind=one.kind, name=title_of(one.kind, body_of(one)))
        for one in stored.values()
    ]
    lines += [Affected(digest=d, kind="export", name=path) for path, d in published.items()]
    told = {line.digest for line in lines}
    lines += [
        Affected(digest=d, kind="object", name=names.get(d, "")) for d in found if d not in told
    ]
    return tuple(sorted(lines, key=lambda one: (one.kind, one.name, one.digest)))


def _speaking_of(store: Store, found: set[Digest], made: set[Digest]) -> set[Digest]:
    """Return records that no step made and that name something affected, step by step."""
    loose = [
        (one.digest, set(mentioned(one.kind, body_of(one))))
        for one in store.all_stored()
        if one.digest not in made and one.kind not in _ABOUT_WITHDRAWAL
    ]
    more: set[Digest] = set()
    while True:
        new = {d for d, names in loose if d not in more and names & (found | more)}
        if not new:
            return more
        more |= new


def _names(stored: Iterable[StoredRecord]) -> dict[Digest, str]:
    """Return what objects are, by the record that holds them."""
    return {
        held: f"{title_of(one.kind, body)}: {name}"
        for one in stored
        if (body := body_of(one))
        for name, held in held_objects(one.kind, body).items()
    }


def _read(result: StageResult) -> Iterator[Digest]:
    for digests in result.inputs.get("after", {}).values():
        yield from digests


def _all(result: StageResult) -> Iterator[Digest]:
    yield from result.made
    yield from result.objects
    yield from result.exports.values()
