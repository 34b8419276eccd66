"""From what people wrote and judged elsewhere to rows a model learns from.

Instructions with answers become demonstrations; judged pairs become preference pairs whose
probability is the share of people who preferred each answer, never a winner. Pairs of one cluster
(a first turn, a question) are all learned from or all held out, whatever the seed. A row that a
hard norm speaks against is removed or refused, and counted under that norm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from normwright.learn.rows.reading import KNOWN_ORIGINS, is_prompt, messages_of
from normwright.records import (
    CurationEntry,
    Demonstration,
    Fault,
    InputError,
    JudgedPair,
    Message,
    PreferencePair,
    digest_bytes,
    json_rows,
)

Fits: TypeAlias = Callable[[Sequence[Message], str], bool]
"""Whether a conversation with this answer is short enough to learn from."""
Row = TypeVar("Row")


@dataclass(frozen=True)
class Breach:
    """What tells whether a text breaches a norm that is never traded for anything."""

    norm: str
    """Reference of the norm."""
    found: Callable[[Sequence[str]], list[bool]] = field(repr=False)


@dataclass(frozen=True)
class Corpus:
    """Rows to learn from, rows to measure on, and what became of the others."""

    demonstrations: tuple[Demonstration, ...] = ()
    pairs: tuple[PreferencePair, ...] = ()
    held: tuple[JudgedPair, ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)
    curation: tuple[CurationEntry, ...] = ()


# Instructions


def read_instructions(paths: Iterable[Path]) -> list[Demonstration]:
    """Return the demonstrations of JSON-lines files, packed (`.gz`) or not, in their order.

    A row has `instruction`, `response` and `lang`; in the place of `instruction` it may have
    `prompt`, the turns before the answer as messages. It may have `input` (what the instruction is
    about), `id`, `family` (what must not be split), `licence` and `origin` (`human`, `synthetic`
    or `translated`).

    Raises:
        InputError: with every fault of every file.
    """
    faults: list[Fault] = []
    rows = [row for path in paths for row in _instructions(path, faults)]
    if faults:
        raise InputError(faults)
    return rows


def _instructions(path: Path, faults: list[Fault]) -> Iterator[Demonstration]:
    source = path.name.split(".")[0]
    for number, row in json_rows(path, path.name, faults):
        where = f"{path.name}:{number}"
        if found := _wrong(row):
            faults += [Fault(where=f"{where}: {at}", expected=e, seen=s) for at, e, s in found]
        else:
            yield _demonstration(row, source, number)


def _wrong(row: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    asked = () if "prompt" in row else ("instruction",)
    found = [
        (name, "text", type(row[name]).__name__ if name in row else "nothing")
        for name in (*asked, "response", "lang")
        if not isinstance(row.get(name), str) or not row[name].strip()
    ]
    if "prompt" in row and not is_prompt(row["prompt"]):
        found.append(("prompt", "messages of which the last is the user's", "something else"))
    if "prompt" in row and ("instruction" in row or row.get("input")):
        found.append(("prompt", "either a prompt or an instruction", "both"))
    origin = row.get("origin", "human")
    if origin not in KNOWN_ORIGINS:
        found.append(("origin", f"one of {', '.join(KNOWN_ORIGINS)}", repr(origin)))
    return found


def _demonstration(row: Mapping[str, Any], source: str, number: int) -> Demonstration:
    return Demonstration(
        scene=f"{source}/{row.get('id', number)}",
        lang=row["lang"],
        prompt=_prompt(row),
        completion=row["response"].strip(),
        origin=row.get("origin", "human"),
        licence=str(row.get("licence") or "unknown"),
        family=f"{source}/{row.get('family', row.get('id', number))}",
    )


def _prompt(row: Mapping[str, Any]) -> tuple[Message, ...]:
    if "prompt" in row:
        return messages_of(row["prompt"])
    asked = row["instruction"].strip()
    if str(row.get("input") or "").strip():
        asked = f"{asked}\n\n{row['input'].strip()}"
    return (Message(role="user", content=asked),)


def instruct(
    rows: Sequence[Demonstration],
    *,
    count: int | None,
    seed: int,
    fits: Fits,
    breach: Breach | None = None,
    held: frozenset[str] = frozenset(),
) -> Corpus:
    """Return demonstrations to learn from: each source and language as often as the others.

    Args:
        rows: from `read_instructions`.
        count: rows in all, at most; None takes all.
        seed: draws them.
        fits: rows that are too long stay out, and are counted.
        breach: rows whose answer breaches this norm are removed.
        held: what is asked first in pairs that are measured on; such rows stay out.
    """
    left_out: Counter[str] = Counter()

    def usable(row: Demonstration) -> bool:
        if asked_first(row.prompt) in held:
            left_out["held out"] += 1
            return False
        if fits(row.prompt, row.completion):
            return True
        left_out["too long"] += 1
        return False

    kept = _drawn(
        rows, count, seed, of=lambda r: (r.scene.split("/")[0], r.lang), name=lambda r: r.scene,
        usable=usable,
    )  # fmt: skip
    left_out["not drawn"] = len(rows) - len(kept) - left_out["too long"] - left_out["held out"]
    curation: tuple[CurationEntry, ...] = ()
    if breach is not None:
        bad = breach.found([row.completion for row in kept])
        reason = "the demonstrated answer breaches it"
        curation = _counted(breach.norm, "removed", reason, sum(bad))
        kept = [row for row, breaching in zip(kept, bad, strict=True) if not breaching]
    return Corpus(demonstrations=tuple(kept), left_out=_told(left_out), curation=curation)


# Judged pairs


def prefer_judged(
    pairs: Sequence[JudgedPair],
    *,
    count: int | None,
    held_out: float,
    held: int | None,
    seed: int,
    fits: Fits,
    breach: Breach | None = None,
) -> Corpus:
    """Return pairs to learn from with vote shares, and pairs to measure on.

    The share of n people is (k + 1/2) / (n + 1), a tie counting half to each side (Jeffreys): one
    person says 0.75, three of three say 0.875; a pair is never certain.

    Args:
        pairs: pairs as people judged them.
        count: pairs to learn from in all, at most; None takes all.
        held_out: share of the clusters that is measured on and never learned from.
        held: pairs to measure on of each source and language, at most; None takes all.
        seed: draws them; which cluster is held out does not depend on it.
        fits: pairs with an answer that is too long stay out, and are counted.
        breach: pairs whose preferred answer breaches this norm, while the other does not, are
            refused: no number of people can buy the breach of a floor.
    """
    left_out: Counter[str] = Counter()

    def usable(pair: JudgedPair) -> bool:
        if fits(pair.prompt, pair.first) and fits(pair.prompt, pair.second):
            return True
        left_out["too long"] += 1
        return False

    def of(pair: JudgedPair) -> tuple[str, str]:
        return pair.source, pair.lang

    apart = [is_held(pair, held_out) for pair in pairs]
    learned = [p for p, out in zip(pairs, apart, strict=True) if not out]
    measured = [p for p, out in zip(pairs, apart, strict=True) if out]
    groups = len({of(pair) for pair in measured})
    kept = _drawn(learned, count, seed, of=of, name=lambda p: p.id, usable=usable)
    most = None if held is None else held * groups
    shown = _drawn(measured, most, seed, of=of, name=lambda p: p.id, usable=usable, most=held)
    left_out["not drawn"] = len(pairs) - len(kept) - len(shown) - left_out["too long"]
    curation: tuple[CurationEntry, ...] = ()
    if breach is not None:
        liked = breach.found([_sides(pair)[0] for pair in kept])
        other = breach.found([_sides(pair)[1] for pair in kept])
        level = [pair.prefer_first == pair.prefer_second for pair in kept]
        bought = [a and not b and not t for a, b, t in zip(liked, other, level, strict=True)]
        tied = [(a or b) and t for a, b, t in zip(liked, other, level, strict=True)]
        curation = (
            *_counted(
                breach.norm, "refused", "people preferred the answer that breaches it", sum(bought)
            ),
            *_counted(
                breach.norm, "removed", "people held an answer that breaches it level", sum(tied)
            ),
        )
        kept = [p for p, a, b in zip(kept, bought, tied, strict=True) if not (a or b)]
    return Corpus(
        pairs=tuple(_preference(pair) for pair in kept),
        held=tuple(shown),
        left_out=_told(left_out),
        curation=curation,
    )


def is_held(pair: JudgedPair, share: float) -> bool:
    """Say whether a pair is measured on: the same for its cluster in every source and run."""
    return int(digest_bytes(pair.cluster.encode())[7:15], 16) < share * 2**32


def held_prompts(pairs: Sequence[JudgedPair], share: float) -> frozenset[str]:
    """Return what was asked first in the pairs that are held out, as `asked_first` writes it."""
    return frozenset(asked_first(pair.prompt) for pair in pairs if is_held(pair, share))


def asked_first(prompt: Sequence[Message]) -> str:
    """Return the first thing a user says, without capitals and spare spaces."""
    said = next((m.content for m in prompt if m.role == "user"), "")
    return " ".join(said.lower().split())


def preferred_answers(pairs: Sequence[PreferencePair]) -> list[Demonstration]:
    """Return the preferred answers as demonstrations, for a project that has no others.

    A pair whose answers people held level has none.
    """
    return [
        Demonstration(
            scene=pair.scene,
            lang=pair.lang,
            prompt=pair.prompt,
            completion=pair.chosen,
            origin=pair.origin,
            licence=pair.licence,
            family=pair.family,
        )
        for pair in pairs
        if pair.p_chosen > 0.5
    ]


def _sides(pair: JudgedPair) -> tuple[str, str]:
    """Return the answer more people preferred, then the other."""
    ahead = pair.prefer_first >= pair.prefer_second
    return (pair.first, pair.second) if ahead else (pair.second, pair.first)


def _preference(pair: JudgedPair) -> PreferencePair:
    chosen, rejected = _sides(pair)
    most = max(pair.prefer_first, pair.prefer_second)
    people = pair.prefer_first + pair.prefer_second + pair.ties
    return PreferencePair(
        scene=f"{pair.source}/{pair.id}",
        lang=pair.lang,
        prompt=pair.prompt,
        chosen=chosen,
        rejected=rejected,
        p_chosen=(most + pair.ties / 2 + 0.5) / (people + 1),
        weight=1.0,
        norms=(),
        # Whoever takes a set of judgements for training chooses for the organisation.
        layer="organisation",
        origin="human",
        process_kind="human",
        licence=pair.licence,
        family=f"{pair.source}/{pair.cluster}",
    )


# Drawing


def _drawn(
    rows: Sequence[Row],
    count: int | None,
    seed: int,
    *,
    of: Callable[[Row], Hashable],
    name: Callable[[Row], str],
    usable: Callable[[Row], bool],
    most: int | None = None,
) -> list[Row]:
    """Return rows drawn in turn from each group, so that a large source drowns no small one."""
    order = sorted(rows, key=lambda row: digest_bytes(f"{seed}|{name(row)}".encode()))
    queues: dict[Hashable, list[Row]] = {}
    for row in reversed(order):
        queues.setdefault(of(row), []).append(row)
    taken: Counter[Hashable] = Counter()
    kept: list[Row] = []
    while queues and (count is None or len(kept) < count):
        for group in sorted(queues, key=str):
            while queues[group]:
                row = queues[group].pop()
                if usable(row):
                    kept.append(row)
                    taken[group] += 1
                    break
            if not queues[group] or (most is not None and taken[group] >= most):
                del queues[group]
            if count is not None and len(kept) >= count:
                break
    return kept


def _counted(norm: str, action: Any, reason: str, rows: int) -> tuple[CurationEntry, ...]:
    if rows == 0:
        return ()
    return (CurationEntry(norm=norm, action=action, reason=reason, rows=rows),)


def _told(counts: Counter[str]) -> dict[str, int]:
    return {reason: count for reason, count in sorted(counts.items()) if count}
