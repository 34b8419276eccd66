"""Write a consultation in a format others read: Polis CSV or PrefLib; what does not fit is said.

What a consultation holds beside its votes or orders - who was asked, in what language, what a
statement says of a norm - goes into a `process.yaml` beside the files, which importing reads again.
What neither can carry is a loss, and is never lost in silence.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import yaml

from normwright.elicit.consulted import Consulted
from normwright.elicit.integrity import MILLISECONDS
from normwright.elicit.mapping import FILE as MAPPING
from normwright.elicit.tongue import UNDETERMINED
from normwright.records import Crowd, Fault, InputError, RankedTiers, Statement, Vote

_SIGN: Final = {"agree": "1", "disagree": "-1", "pass": "0"}


@dataclass(frozen=True)
class Exported:
    """Files in another format, and what they do not hold."""

    files: Mapping[str, bytes]
    """Name -> bytes."""
    lost: tuple[Fault, ...]
    """What the format cannot carry; empty: importing the files gives the same again."""


def export(consulted: Consulted, to: str, *, lossy: bool = False) -> Exported:
    """Return a consultation as the files of another format.

    Args:
        consulted: what is exported.
        to: one of `FORMATS`.
        lossy: whether what the format cannot carry may be left out.

    Raises:
        InputError: if there is no such format, nothing in the consultation that it holds, or, if
            not lossy, something that it cannot carry, each named.
    """
    if to not in FORMATS:
        expected = f"one of {', '.join(FORMATS)}"
        raise InputError([Fault(where="--to", expected=expected, seen=to)])
    made = FORMATS[to](consulted)
    if made.lost and not lossy:
        raise InputError(made.lost)
    return made


def _loss(what: str, seen: object, do: str = "Leave it out with --lossy.") -> Fault:
    return Fault(where=what, expected="what the format can carry", seen=str(seen), do=do)


def _refused(consulted: Consulted, needed: str) -> InputError:
    held = {
        "votes": len(consulted.votes),
        "ballots": len(consulted.ballots),
        "comparisons": len(consulted.comparisons),
    }
    seen = ", ".join(f"{count} {kind}" for kind, count in held.items() if count)
    return InputError([Fault(where="--to", expected=needed, seen=seen or "none")])


# What both formats share


def _shared_losses(consulted: Consulted) -> list[Fault]:
    lost = []
    if len(consulted.polities) > 1:
        lost.append(_loss("polities", f"{len(consulted.polities)}; every voter would be in one"))
    langs = {lang for s in consulted.statements for lang in s.text}
    if len(langs) > 1:
        lost.append(_loss("languages", ", ".join(sorted(langs))))
    concerns = sum(s.concern is not None for s in consulted.statements)
    if concerns:
        lost.append(_loss("concerns of statements", concerns))
    polity = consulted.polities[0]
    layers = {s.layer for s in consulted.statements} - {polity.layer}
    if layers:
        lost.append(_loss("layers of statements", ", ".join(sorted(layers))))
    if consulted.comparisons:
        lost.append(_loss("comparisons", len(consulted.comparisons)))
    if not isinstance(consulted.ballots.voters, Crowd):
        spoken = sum(one.lang is not None for one in consulted.participants)
        if spoken:
            lost.append(_loss("languages of participants", spoken))
    return lost


def _process_file(consulted: Consulted, names: Mapping[str, str]) -> bytes:
    """Who was asked, and what statements say of norms, as importing reads it."""
    process, polity = consulted.process, consulted.polities[0]
    told: dict[str, Any] = {
        "id": process.id,
        "kind": process.kind,
        "title": dict(process.title),
        "identification": process.identification,
    }
    if process.seed is not None:
        told["seed"] = process.seed
    if process.consent is not None:
        told["consent"] = process.consent.model_dump(mode="json", exclude_none=True)
    lang = _language(consulted)
    if lang != UNDETERMINED:
        told["language"] = lang
    told["polities"] = [{"id": polity.id, "name": dict(polity.name), "layer": polity.layer}]
    about = {
        names[s.id]: {"norm": s.norm, "endorses": s.endorses}
        for s in consulted.statements
        if s.norm is not None
    }
    if about:
        told["speaks_about"] = about
    return yaml.safe_dump(told, allow_unicode=True, sort_keys=False).encode()


def _language(consulted: Consulted) -> str:
    return next((lang for s in consulted.statements for lang in s.text), UNDETERMINED)


def _text(statement: Statement) -> str:
    return next(iter(statement.text.values()))


# Polis


def _polis(consulted: Consulted) -> Exported:
    """An event log, the matrix, and the comments with the tallies of this log."""
    if not consulted.votes:
        raise _refused(consulted, "votes, for Polis")
    lost = _shared_losses(consulted)
    if consulted.ballots:
        lost.append(_loss("ballots", len(consulted.ballots)))
    statements = _numbered([s.id for s in consulted.statements])
    people = _numbered([one.id for one in consulted.participants])
    for what, names in (("ids of statements", statements), ("ids of participants", people)):
        renamed = sum(old != new for old, new in names.items())
        if renamed:
            lost.append(_loss(what, f"{renamed} that are no numbers, which Polis has"))
    bodies = [_text(s) for s in consulted.statements]
    if any(body != body.strip() or "\r" in body or "\0" in body for body in bodies):
        lost.append(_loss("texts of statements", "spaces at their ends, or control characters"))
    files = {
        "comments.csv": _comments(consulted, statements, people),
        "votes.csv": _log(consulted.votes, statements, people),
        "participants-votes.csv": _matrix(consulted, statements, people),
        "summary.csv": _csv([["topic", next(iter(consulted.process.title.values()))]]),
        "process.yaml": _process_file(consulted, statements),
    }
    return Exported(files, tuple(lost))


def _numbered(ids: Sequence[str]) -> dict[str, str]:
    """Each id as a number: itself where all are numbers, else its place in order."""
    whole = all(one.isascii() and one.isdigit() and len(one) <= 9 for one in ids)
    return {one: one if whole else str(place) for place, one in enumerate(ids)}


def _unit(votes: Sequence[Vote]) -> int:
    """What a second is written as: 1000, or 1 where a time in milliseconds would pass for one."""
    return 1 if any(0 < vote.at * 1000 < MILLISECONDS for vote in votes) else 1000


def _moment(at: int, unit: int) -> list[str]:
    """A time in its unit and in words; 0 and nothing where none is known."""
    try:
        words = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""
    except (OverflowError, ValueError, OSError):
        words = ""
    return [str(at * unit), words]


def _log(votes: Sequence[Vote], statements: Mapping[str, str], people: Mapping[str, str]) -> bytes:
    unit = _unit(votes)
    rows = [
        [
            *_moment(vote.at, unit),
            statements[vote.statement],
            people[vote.participant],
            _SIGN[vote.value],
        ]
        for vote in sorted(votes, key=lambda vote: vote.at)
    ]
    return _csv([["timestamp", "datetime", "comment-id", "voter-id", "vote"], *rows])


def _comments(
    consulted: Consulted, statements: Mapping[str, str], people: Mapping[str, str]
) -> bytes:
    count = Counter((vote.statement, vote.value) for vote in consulted.votes)
    first, unit = dict[str, int](), _unit(consulted.votes)
    for vote in consulted.votes:
        first[vote.statement] = min(vote.at, first.get(vote.statement, vote.at))
    header = [
        "timestamp", "datetime", "comment-id", "author-id", "agrees", "disagrees", "moderated",
        "comment-body",
    ]  # fmt: skip
    rows = [
        [
            *_moment(first.get(s.id, 0), unit),
            statements[s.id],
            people.get(consulted.authors.get(s.id, ""), consulted.authors.get(s.id, "")),
            str(count[s.id, "agree"]),
            str(count[s.id, "disagree"]),
            "0",
            _text(s),
        ]
        for s in consulted.statements
    ]
    return _csv([header, *rows])


def _matrix(
    consulted: Consulted, statements: Mapping[str, str], people: Mapping[str, str]
) -> bytes:
    own: dict[str, dict[str, str]] = {one.id: {} for one in consulted.participants}
    for vote in consulted.votes:
        own[vote.participant][vote.statement] = _SIGN[vote.value]
    written = Counter(consulted.authors.values())
    header = ["participant", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree"]
    rows = []
    for person, said in own.items():
        count = Counter(said.values())
        told = [str(written[person]) if consulted.authors else "", str(len(said))]
        cells = [said.get(s, "") for s in statements]
        rows.append([people[person], "", *told, str(count["1"]), str(count["-1"]), *cells])
    return _csv([[*header, *statements.values()], *rows])


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


# PrefLib


def _preflib(consulted: Consulted) -> Exported:
    """Orders and how many gave each, the most frequent first, of these the longest."""
    ballots = consulted.ballots
    if not ballots:
        raise _refused(consulted, "rankings, for PrefLib")
    lost = _shared_losses(consulted)
    if consulted.votes:
        lost.append(_loss("votes", len(consulted.votes)))
    if not isinstance(ballots.voters, Crowd):
        several = len(ballots) - len(set(ballots.voters))
        lost.append(_loss("voters", f"{len(set(ballots.voters))} with names"))
        if several:
            lost.append(_loss("voters of several ballots", f"{several} ballots would be others'"))
    silent = len(consulted.participants) - len(ballots)
    if silent > 0:
        lost.append(_loss("participants without a ballot", silent))
    width = len(str(len(consulted.statements)))
    number = {s.id: n for n, s in enumerate(consulted.statements, 1)}
    again = {
        s.id: f"a{n:0{width}d}" for s, n in zip(consulted.statements, number.values(), strict=True)
    }
    renamed = sum(old != new for old, new in again.items())
    if renamed:
        lost.append(_loss("ids of alternatives", f"{renamed}, which would be numbers; names stay"))
    names = {s.id: " ".join(_text(s).split()) for s in consulted.statements}
    if any(names[s.id] != _text(s) for s in consulted.statements):
        lost.append(_loss("texts of alternatives", "several lines or spaces"))
    counts = ballots.counts or _count(ballots.chosen, len(ballots.orders))
    orders = [(tiers, n) for tiers, n in zip(ballots.orders, counts, strict=True) if n]
    orders.sort(key=lambda one: (-one[1], -sum(map(len, one[0])), _line(one[0], number)))
    kind = _kind(consulted, orders)
    body = [f"{count}: {_line(tiers, number)}" for tiers, count in orders]
    name = f"{consulted.process.id}.{kind}"
    head = _header(consulted, kind, name, names, len(orders))
    files = {
        name: ("\n".join([*head, *body]) + "\n").encode(),
        "process.yaml": _process_file(consulted, again),
    }
    if consulted.unranked == "apart":
        files[MAPPING] = b"unranked: apart\n"
    if any(s.norm is not None for s in consulted.statements):
        lost.append(_loss("norms that alternatives speak about", "some"))
    return Exported(files, tuple(lost))


def _count(chosen: Sequence[int], size: int) -> tuple[int, ...]:
    counted = Counter(chosen)
    return tuple(counted[n] for n in range(size))


def _line(tiers: RankedTiers, number: Mapping[str, int]) -> str:
    groups = [sorted(number[one] for one in tier) for tier in tiers]
    return ",".join(
        str(group[0]) if len(group) == 1 else "{" + ",".join(map(str, group)) + "}"
        for group in groups
    )


def _kind(consulted: Consulted, orders: Sequence[tuple[RankedTiers, int]]) -> str:
    """The narrowest type that holds all orders."""
    if consulted.ballots.categories:
        return "cat"
    size = len(consulted.statements)
    ties = any(len(tier) > 1 for tiers, _ in orders for tier in tiers)
    whole = all(sum(map(len, tiers)) == size for tiers, _ in orders)
    return ("to" if ties else "so") + ("c" if whole else "i")


def _header(
    consulted: Consulted, kind: str, name: str, names: Mapping[str, str], unique: int
) -> list[str]:
    title = " ".join(next(iter(consulted.process.title.values())).split())
    made = "synthetic" if consulted.process.kind == "simulated" else "original"
    categories = consulted.ballots.categories
    facts = [
        ("FILE NAME", name),
        ("TITLE", title),
        ("DESCRIPTION", ""),
        ("DATA TYPE", kind),
        ("MODIFICATION TYPE", made),
        ("RELATES TO", ""),
        ("RELATED FILES", ""),
        ("PUBLICATION DATE", ""),
        ("MODIFICATION DATE", ""),
        ("NUMBER ALTERNATIVES", str(len(names))),
        ("NUMBER VOTERS", str(len(consulted.ballots))),
        ("NUMBER UNIQUE PREFERENCES" if categories else "NUMBER UNIQUE ORDERS", str(unique)),
    ]
    if categories:
        facts.append(("NUMBER CATEGORIES", str(len(categories))))
        facts += [(f"CATEGORY NAME {n}", one) for n, one in enumerate(categories, 1)]
    facts += [(f"ALTERNATIVE NAME {n}", one) for n, one in enumerate(names.values(), 1)]
    return [f"# {key}: {value}".rstrip() for key, value in facts]


FORMATS: Final[Mapping[str, Callable[[Consulted], Exported]]] = {
    "polis": _polis,
    "preflib": _preflib,
}
"""Slug -> how a consultation is written in it."""
