"""A file of ballots as an election: read by `elicit`, counted by `aggregate`, named as written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from normwright.records import Digest, Fault, InputError, IntegrityFault, Unranked

if TYPE_CHECKING:
    from normwright.aggregate import Election, Profile
    from normwright.elicit import Consulted, Ratings, Source
    from normwright.records import Majorities


@dataclass(frozen=True)
class Cast:
    """What a file holds, ready to be counted."""

    election: Election
    format: str
    """Slug of the importer that read it."""
    digest: Digest
    """Of what was read; the same wherever it lies."""
    faults: tuple[IntegrityFault, ...]
    """The integrity report."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """What an alternative says, where its name is only an id."""
    profile: Profile | None = None
    """The votes, where people voted on statements."""
    voters: tuple[str, ...] | None = None
    """The voter of each row of the election, where rows are single people with names."""


def read_ballots(
    path: Path,
    *,
    format: str | None = None,
    answers: Mapping[str, str] | None = None,
    authority: str | None = None,
    unranked: Unranked | None = None,
    approve_top: int | None = None,
) -> Cast:
    """Return the ballots in a file, a folder or an archive.

    Args:
        path: what is to be read.
        format: slug of the importer; None: found out.
        answers: what the files leave open, by key, as an error names it.
        authority: whose statements count, where several authorities asked; None: the only one.
        unranked: what an alternative that a ballot leaves out counts as; None: as the format has
            it, which is below all that a ballot ranks, except for votes and pairs.
        approve_top: how many places of an order approve, for orders that do not say.

    Raises:
        InputError: with every fault, if it cannot be read or holds nothing to be counted.
    """
    from normwright.elicit import read_source

    source = read_source(path, format=format, answers=answers)
    cast = cast_of(path, source, authority)
    election = cast.election
    if unranked is not None and unranked != election.unranked:
        election = replace(election, unranked=unranked, pairwise=None)
    if approve_top is not None:
        election = election.approving(approve_top)
    return replace(cast, election=election)


def cast_of(path: Path, source: Source, authority: str | None = None) -> Cast:
    """Return what was read, ready to be counted.

    Args:
        path: where it was read, for messages.
        source: what was read.
        authority: whose statements count, where several authorities asked.

    Raises:
        InputError: if it holds nothing to be counted.
    """
    if source.majorities is not None:
        election = _of_majorities(path, source, source.majorities)
        return Cast(election, source.format, source.digest, source.faults)
    if source.consulted is None:
        raise _nothing(path, source)
    return _of_consultation(path, source, source.consulted, authority)


def _of_majorities(path: Path, source: Source, found: Majorities) -> Election:
    """Return an election of which only the pairs are known."""
    import numpy as np

    from normwright.aggregate import Election

    if found.weighing == "unstated" or any(not float(one).is_integer() for one in found.weight):
        seen = "weights of unstated meaning" if found.weighing == "unstated" else "fractions"
        raise InputError(
            [
                Fault(
                    where=str(path),
                    expected="weights that count voters, or by how many more they are",
                    seen=seen,
                    do="Take the ballots themselves, or a file that says what it weighs.",
                )
            ]
        )
    m = len(found.alternatives)
    wins = np.zeros((m, m), dtype=np.int64)
    above, below = np.array(found.above, dtype=np.int64), np.array(found.below, dtype=np.int64)
    np.add.at(wins, (above, below), np.array(found.weight).astype(np.int64))
    voters = found.voters or int((wins + wins.T).max(initial=0))
    return Election(
        _apart(dict(zip(found.alternatives, found.names, strict=True))),
        np.zeros((0, m), dtype=np.int16),
        np.zeros(0, dtype=np.int64),
        pairwise=wins,
        electorate=voters,
    )


def _of_consultation(
    path: Path, source: Source, consulted: Consulted, authority: str | None
) -> Cast:
    from normwright.aggregate import Election, Profile

    asked = _authority(path, consulted, authority)
    members = _members(consulted, asked)
    statements = [s for s in consulted.statements if s.authority == asked]
    ids = [s.id for s in statements]
    texts = {s.id: next(iter(s.text.values()), s.id) for s in statements}
    names = _names(consulted, texts)
    profile: Profile | None = None
    voters: tuple[str, ...] | None = None
    if len(consulted.ballots):
        everybody = len(members) == len(consulted.participants)
        some = None if everybody else frozenset(members)
        election = Election.of(
            consulted.ballots, alternatives=ids, voters=some, unranked=consulted.unranked
        )
        if consulted.ballots.counts is None and election.bundles is None:
            election, voters = _person_by_person(consulted, ids, members)
    elif consulted.votes:
        order = [p.id for p in consulted.participants if p.id in members]
        profile = Profile.of(consulted.votes, participants=order, statements=ids)
        election, voters = profile.election(), profile.participants
        if consulted.ratings is not None:
            election = _rated(election, consulted.ratings, order)
    else:
        raise _nothing(path, source)
    election = replace(election, alternatives=tuple(names[i] for i in ids))
    told = {names[i]: texts[i] for i in ids if names[i] != texts[i]}
    return Cast(
        election, source.format, source.digest, source.faults, texts=told, profile=profile,
        voters=voters,
    )  # fmt: skip


def _rated(votes: Election, ratings: Ratings, people: Sequence[str]) -> Election:
    """The ballots with the grades that people gave in place of agreement, pass and disagreement."""
    import numpy as np

    row = {name: i for i, name in enumerate(people)}
    column = {name: j for j, name in enumerate(votes.alternatives)}
    grades = np.full((len(row), len(column)), -1, dtype=np.int16)
    for person, statement, grade in ratings.given:
        if person in row and statement in column:
            grades[row[person], column[statement]] = grade
    return replace(
        votes,
        orders=np.where(grades < 0, -1, ratings.grades - 1 - grades).astype(np.int16),
        grades=grades,
        approved_from=ratings.approved_from,
        pairwise=None,
    )


def _members(consulted: Consulted, authority: str) -> Collection[str]:
    """The ids of those whom an authority asked; a crowd is asked whole, and not looked through."""
    from normwright.elicit.consulted import Anonymous

    people = consulted.participants
    if isinstance(people, Anonymous):
        return people.crowd if people.polity == authority else ()
    return {p.id for p in people if authority in p.polities}


def _person_by_person(
    consulted: Consulted, ids: Sequence[str], members: Collection[str]
) -> tuple[Election, tuple[str, ...]]:
    """The rankings of people with names, a row each, and whose row it is."""
    import numpy as np

    from normwright.aggregate import Election

    ballots = consulted.ballots
    every = Election.of_orders(ballots, alternatives=ids, unranked=consulted.unranked)
    given = [
        (voter, row)
        for voter, row in zip(ballots.voters, ballots.chosen, strict=True)
        if voter in members and every.counts[row]
    ]
    rows = np.array([row for _, row in given], dtype=np.int64)
    election = replace(
        every,
        orders=every.orders[rows],
        counts=np.ones(len(rows), dtype=np.int64),
        grades=None if every.grades is None else every.grades[rows],
    )
    return election, tuple(voter for voter, _ in given)


_OWN_IDS = ("native", "polis")
"""Formats whose files give ids; in all others an id is ours, and the name is what is written."""


def _names(consulted: Consulted, texts: Mapping[str, str]) -> dict[str, str]:
    """The names in the file: its ids where it has any, else its texts."""
    if consulted.importer in _OWN_IDS:
        return {one: one for one in texts}
    return dict(zip(texts, _apart(texts), strict=True))


def _apart(texts: Mapping[str, str]) -> tuple[str, ...]:
    """Texts by id, with the id beside those that several share."""
    times = Counter(texts.values())
    return tuple(t if times[t] == 1 else f"{t} ({one})" for one, t in texts.items())


def _authority(path: Path, consulted: Consulted, wanted: str | None) -> str:
    known = sorted({s.authority for s in consulted.statements})
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted in known:
        return wanted
    raise InputError(
        [
            Fault(
                where=f"{path}: authority",
                expected=f"one of {', '.join(known)}",
                seen=repr(wanted) if wanted else f"{len(known)} authorities, and none was named",
                do="Say whose statements count: --authority ID. One outcome has one electorate.",
            )
        ]
    )


def _nothing(path: Path, source: Source) -> InputError:
    held = ", ".join(f"{n} {kind}" for kind, n in source.counts.items() if n) or "nothing"
    return InputError(
        [
            Fault(
                where=str(path),
                expected="ballots, votes or comparisons that can be counted",
                seen=f"{held} ({source.format})",
                do=f"See what it holds: normwright elicit import {path}",
            )
        ]
    )
