"""From outcomes to drafts: how many people stand behind each norm, and what no norm says yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from normwright.charter.reading import CharterSource
from normwright.charter.readings import objections
from normwright.charter.tallying import Tallied, recognisable, tallied
from normwright.charter.wording import say, spoken
from normwright.charter.writing import as_yaml
from normwright.norms.vocabulary import near
from normwright.records import (
    Amendment,
    Fault,
    InputError,
    Norm,
    NormDraft,
    Outcome,
    Statement,
    Tier,
)

AMENDMENT = "charter.amendment"
"""What statements name that ask about the rules by which the charter itself is changed."""


@dataclass(frozen=True)
class Draft:
    """A norm with the support that statements about it found."""

    norm: Norm
    found: Tallied


def draft(
    source: CharterSource, outcomes: Sequence[Outcome], statements: Sequence[Statement]
) -> tuple[Draft, ...]:
    """Return every norm of a source with the support that people gave it.

    Statements about one norm are pooled: agreement with one that endorses the norm supports it, and
    so does disagreement with one that opposes it. A pass supports neither side and stays in the
    count; a vote that was not cast does not count at all.

    A group's share takes a statement that opposes the norm into account only where the outcome
    counts who disagrees in each group.

    Args:
        source: norms and vocabulary.
        outcomes: one a layer and authority.
        statements: what was voted on; those without a norm are not used here.

    Raises:
        InputError: if a statement speaks about a norm there is not, or asks another electorate
            than the norm's own.
    """
    faults = misdirected(source.norms, statements)
    if faults:
        raise InputError(faults)
    electorates = {(o.layer, o.authority): o for o in outcomes}
    return tuple(
        Draft(
            norm,
            tallied(
                sorted((s for s in statements if s.norm == norm.id), key=lambda s: s.id),
                electorates.get((norm.layer, norm.authority)),
                norm=norm.id,
            ),
        )
        for norm in source.norms
    )


def unwritten(
    outcomes: Sequence[Outcome],
    statements: Sequence[Statement],
    *,
    amendment: Amendment,
    known: Iterable[str] = (),
) -> tuple[NormDraft, ...]:
    """Return what people support and no norm says, as drafts that a person has to write.

    A statement about no norm is drafted if one reading of it carries the rule of some tier in its
    electorate. What kind of norm it is, which act it is about and when it applies, no vote tells.

    Args:
        outcomes: one a layer and authority.
        statements: what was voted on.
        amendment: the rules of each tier.
        known: ids of norms there are, which no draft takes.
    """
    by_id = {s.id: s for s in statements if s.norm is None}
    taken = set(known)
    drafts = []
    for outcome in sorted(outcomes, key=lambda o: (o.layer, o.authority)):
        for found in sorted(outcome.support, key=lambda s: s.statement):
            asked = by_id.get(found.statement)
            if asked is None:
                continue
            # By itself a statement is supported by those who agree with it.
            alone = asked.model_copy(update={"endorses": True})
            drafted = _unwritten(alone, outcome, amendment, taken)
            if drafted is not None:
                taken.add(drafted.id)
                drafts.append(drafted)
    return tuple(drafts)


def _unwritten(
    asked: Statement, outcome: Outcome, amendment: Amendment, taken: set[str]
) -> NormDraft | None:
    found = tallied([asked], outcome, norm=None)
    rules: dict[Tier, bool] = {
        "constitutional": not objections(found, amendment.constitutional, ()),
        "revisable": not objections(found, amendment.revisable, ()),
    }
    if not any(rules.values()):
        return None
    hidden = recognisable({g: share for g, share in found.support.items() if g != "all"})
    parts = (outcome.layer[0], outcome.authority, asked.id)
    slug = ".".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") or "x" for part in parts)
    number = 2
    name = slug
    while name in taken:
        name, number = f"{slug}-{number}", number + 1
    return NormDraft(
        id=name,
        layer=outcome.layer,
        authority=outcome.authority,
        statement=dict(asked.text),
        support={name: share for name, share in found.support.items() if name not in hidden},
        tally=outcome.digest,
        asked=asked.id,
        tiers=tuple(tier for tier, carried in rules.items() if carried),
        derived_from=(outcome.digest,),
    )


def misdirected(norms: Sequence[Norm], statements: Sequence[Statement]) -> list[Fault]:
    """Return a fault for each statement about a norm there is not, or of another electorate."""
    by_id = {norm.id: norm for norm in norms}
    faults = []
    for s in statements:
        if s.norm is None or s.norm == AMENDMENT:
            continue
        norm = by_id.get(s.norm)
        if norm is None:
            faults.append(Fault(where=f"statement {s.id}: norm", expected="a norm of the source",
                                seen=s.norm, do=near(s.norm, by_id)))  # fmt: skip
        elif (s.layer, s.authority) != (norm.layer, norm.authority):
            faults.append(
                Fault(
                    where=f"statement {s.id}: authority",
                    expected=f"{norm.layer}/{norm.authority}, who decide {norm.id}",
                    seen=f"{s.layer}/{s.authority}",
                    do="A norm is decided by its own electorate.",
                )
            )
    return faults


def write_drafts(drafts: Sequence[NormDraft], folder: Path) -> tuple[Path, ...]:
    """Write each draft as a file of its own for a person to make a norm of; return the files.

    Nothing is overwritten. `read_source` refuses these files, so that no draft is taken for a norm.

    Raises:
        InputError: with every file that is there already; nothing is written then.
    """
    files = {folder / f"{one.id}.yaml": one for one in drafts}
    faults = [
        Fault(where=str(path), expected="no file of this name", seen="one that is there",
              do="Move it away, or name another folder.")
        for path in files
        if path.exists()
    ]  # fmt: skip
    if folder.exists() and not folder.is_dir():
        faults = [Fault(where=str(folder), expected="a folder", seen="a file")]
    if faults:
        raise InputError(faults)
    folder.mkdir(parents=True, exist_ok=True)
    for path, one in files.items():
        path.write_text(_written(one), encoding="utf-8", newline="\n")
    return tuple(files)


def _written(one: NormDraft) -> str:
    languages = [lang for lang in one.statement if lang in spoken()] or ["en"]
    told = "".join(f"# {text}\n" for text in say("draft_by_hand", languages).values())
    body = one.model_dump(mode="json", by_alias=True, exclude={"made_by"})
    first = {"schema": body.pop("schema"), "id": body.pop("id")}
    return told + as_yaml({**first, **body})
