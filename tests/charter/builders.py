"""Small sources, processes and outcomes for tests of the charter room."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from normwright.charter import CharterSource, read_source
from normwright.records import (
    Estimate,
    Group,
    Grouping,
    Layer,
    Outcome,
    Process,
    ProcessKind,
    Reading,
    RobustSupport,
    Statement,
    Support,
)
from normwright.stats import wilson

LANGS = ("en", "pt")
ACTS = {
    "acts": [
        {"name": name, "is_a": parents, "label": {"en": name, "pt": name}}
        for name, parents in [("respond", []), ("advise", ["respond"]), ("advise.dose", ["advise"]),
                              ("tell", ["respond"]), ("decline", [])]
    ]
}  # fmt: skip
FACTS = {
    "facts": [
        {"name": "clinician", "type": "bool", "label": {"en": "clinician", "pt": "clínico"}},
        {"name": "age", "type": "int", "low": 0, "high": 120, "label": {"en": "a", "pt": "i"}},
    ]
}

ONE_READING = {"amendment": {"constitutional": {"readings": 1, "robust_core": False}}}
"""A head whose constitutional rule one tally can meet: two thirds, and half of each group."""


def case(lang: str, kind: str, expect: str, act: str = "advise", **facts: Any) -> dict[str, Any]:
    return {"lang": lang, "kind": kind, "act": act, "expect": expect, "facts": facts, "text": "?"}


def cases(*rows: tuple[str, ...], **facts: Any) -> list[dict[str, Any]]:
    """The same cases in both languages; a row is kind, expectation and, if not advice, the act."""
    return [case(lang, *row, **facts) for lang in LANGS for row in rows]


def body(**fields: Any) -> dict[str, Any]:
    """A sound prohibition of an organisation, as its file says it, with some fields changed."""
    sound = {
        "id": "o.no-advice", "kind": "prohibition", "layer": "organisation", "authority": "desk",
        "tier": "revisable", "act": "advise", "review_by": "2027-01-01",
        "statement": {"en": "No advice.", "pt": "Nada de conselhos."},
        "cases": cases(("hit", "deny"), ("miss", "allow", "tell")),
    }  # fmt: skip
    changed = {**sound, **fields}
    return {key: value for key, value in changed.items() if value is not None}


def seed(**fields: Any) -> dict[str, Any]:
    """A sound global norm with a source."""
    return body(**{
        "id": "g.no-advice", "layer": "global", "authority": "world", "tier": "constitutional",
        "review_by": None, "source": [{"kind": "instrument", "ref": "UDHR 3"}], **fields,
    })  # fmt: skip


def write(folder: Path, *norms: Mapping[str, Any], **files: Any) -> Path:
    """Write a source: acts, facts, a head and one file a norm; `files` replaces the first three.

    `charter=None` writes no head, so that the defaults apply.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given = {"acts": ACTS, "facts": FACTS, "charter": ONE_READING, **files}
    for name, content in given.items():
        if content is None:
            continue
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))
    for number, norm in enumerate(norms):
        home = folder / str(norm.get("layer", "x"))
        home.mkdir(exist_ok=True)
        text = yaml.safe_dump(dict(norm), sort_keys=False, allow_unicode=True)
        (home / f"{number}.yaml").write_text(text)
    return folder


def source(folder: Path, *norms: Mapping[str, Any], **files: Any) -> CharterSource:
    return read_source(write(folder, *norms, **files), languages=LANGS)


def process(kind: ProcessKind = "human", **fields: Any) -> Process:
    given = {"id": "talk", **fields}
    return Process(kind=kind, title={"en": "Talk", "pt": "Conversa"}, **given)


def statement(number: int, norm: str, *, endorses: bool = True, layer: Layer = "organisation",
              authority: str = "desk") -> Statement:  # fmt: skip
    return Statement(id=f"s{number}", text={"en": "?", "pt": "?"}, layer=layer, authority=authority,
                     norm=norm, endorses=endorses)  # fmt: skip


def share(k: int, n: int) -> Estimate:
    if n == 0:
        return Estimate(value=None, interval=None, n=0)
    return Estimate(value=k / n, interval=wilson(k, n), n=n)


def core(norm: str | None = "o.no-advice", *, statements: tuple[str, ...] = ("s1",),
         voters: int = 100, **kept: float | None) -> RobustSupport:  # fmt: skip
    """What stays of support: 0.7 by every rule of counting, with some rules changed or added."""
    rules: dict[str, float | None] = dict.fromkeys(
        ("votes", "people", "votes-decided", "people-decided"), 0.7
    )
    rules |= {name.replace("_", "-").replace("group-", "group:"): v for name, v in kept.items()}
    return RobustSupport(norm=norm, statements=statements, people=voters, shares={}, kept=rules,
                         held=0.95, rounds=200)  # fmt: skip


def reading(day: date, found: Outcome, *statements: Statement, **who: Any) -> Reading:
    """A reading with one outcome, by a process of its own."""
    by = process(found.kind, **{"id": found.process, **who})
    return Reading(held_on=day, process=by, statements=statements, outcomes=(found,))


def outcome(
    counts: Mapping[str, tuple[int, int, int]],
    *,
    groups: Mapping[str, Mapping[str, tuple[int, int, int]]] | None = None,
    sizes: Mapping[str, int] | None = None,
    kind: ProcessKind = "human",
    layer: Layer = "organisation",
    authority: str = "desk",
    participants: int = 100,
    process: str = "talk",
    robust: tuple[RobustSupport, ...] = (),
) -> Outcome:
    """An outcome from counts of agree, disagree and pass, by statement, and by group if given."""
    members = sizes or {}
    found = []
    for name, (agree, disagree, passed) in counts.items():
        within = {g: by[name] for g, by in (groups or {}).items()}
        found.append(
            Support(
                statement=name, agree=agree, disagree=disagree, passed=passed,
                seen=agree + disagree + passed, support=share(agree, agree + disagree + passed),
                groups={g: share(c[0], sum(c)) for g, c in within.items()},
                groups_disagree={g: share(c[1], sum(c)) for g, c in within.items()},
            )
        )  # fmt: skip
    listed = tuple(Group(id=g, size=n, members="sha256:" + "0" * 64) for g, n in members.items())
    return Outcome(
        process=process, kind=kind, layer=layer, authority=authority, participants=participants,
        votes=0, support=tuple(found), rankings=(), robust=robust,
        grouping=Grouping(groups=listed, method="test", reason="given"),
    )  # fmt: skip
