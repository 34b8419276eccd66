"""The chain one norm hangs on: from the ballots behind it to the verdict in front of it.

Every link is named by a digest, and every fault that verification finds is told at the link it
breaks. Single ballots are never shown: only Merkle roots and how many rows stand under them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from normwright.flow.project import load_project
from normwright.flow.results import check_makes
from normwright.flow.running import status
from normwright.flow.stores import open_store
from normwright.flow.verify import verify
from normwright.records import (
    Consultation,
    Criterion,
    Dataset,
    Digest,
    Fault,
    InputError,
    IntegrityError,
    Measurement,
    ModelRef,
    Norm,
    Permit,
    Policy,
    Record,
    Verdict,
)
from normwright.store import Store

R = TypeVar("R", bound=Record)

_TABLES = ("participants", "statements", "votes", "comparisons", "ballots")


@dataclass(frozen=True)
class Link:
    """One link: what it is, its digest, what it says of the norm, and what is wrong with it."""

    link: str
    """`ballots`, `tally`, `norm`, `charter`, `policy`, `permit`, `dataset`, `model`,
    `measurement`, or `verdict`."""
    digest: Digest
    about: dict[str, Any]
    holds: tuple[Digest, ...] = ()
    """Digests of what belongs to it: roots, rows, weight files."""
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Chain:
    """The links of one norm, from the ballots to the verdict."""

    norm: str
    links: tuple[Link, ...]
    elsewhere: tuple[Fault, ...] = field(default=())
    """Faults of the project that no link of this norm carries."""

    @property
    def broken(self) -> bool:
        """Whether any link has a fault."""
        return any(link.faults for link in self.links)

    def as_json(self) -> dict[str, Any]:
        """Return the chain as one JSON value."""
        return {
            "norm": self.norm,
            "intact": not self.broken,
            "links": [asdict(link) | {"faults": _told(link.faults)} for link in self.links],
            "elsewhere": _told(self.elsewhere),
        }


def chain_of(project: Path, norm: str) -> Chain:
    """Return the chain of a norm of the ratified charter, verified link by link.

    Args:
        project: the project directory.
        norm: the norm's id, with or without its version.

    Raises:
        InputError: if the project has no charter, or its charter no such norm.
    """
    check_makes(load_project(project), "charter")
    stages = status(project).stages
    made = dict.fromkeys(d for stage in stages if stage.state == "done" for d in stage.made)
    with open_store(project, create=False) as store, store.snapshot():
        found = _Made(store, tuple(made))
        chosen = _norm_of(found, norm)
        links = tuple(_links(found, chosen))
    faults = list(verify(project).faults)
    held: list[Link] = []
    for link in links:
        mine = [fault for fault in faults if _belongs(fault, link)]
        faults = [fault for fault in faults if fault not in mine]
        held.append(Link(link.link, link.digest, link.about, link.holds, tuple(mine)))
    return Chain(chosen.ref, tuple(held), tuple(faults))


class _Made:
    """What the present results hold, read record by record and no object before it is needed."""

    def __init__(self, store: Store, made: Sequence[Digest]) -> None:
        self.store = store
        self._made = made
        self.policy = next(reversed(self.all(Policy)), None)
        self.receipt = next(reversed(self.all(Consultation)), None)
        self.verdict = next(reversed(self.all(Verdict)), None)

    def all(self, kind: type[R]) -> tuple[R, ...]:
        return self.store.records(self._made, kind)

    def statements(self, norm: str) -> list[str] | None:
        """The statements about a norm; None if the rows are not what was imported."""
        if self.receipt is None:
            return []
        try:
            return [s.id for s in self.store.rows(self.receipt).statements if s.norm == norm]
        except IntegrityError:
            return None  # told as faults of the ballots, row by row


def _norm_of(found: _Made, asked: str) -> Norm:
    norms = found.policy.charter.norms if found.policy else ()
    known = ", ".join(norm.ref for norm in norms)
    chosen = [norm for norm in norms if asked in (norm.id, norm.ref)]
    if len(chosen) != 1:
        raise InputError(
            [
                Fault(
                    where="--norm",
                    expected=f"one of {known}" if known else "a ratified charter with norms",
                    seen=asked,
                    do="" if norms else "Make a charter first: normwright run --until charter",
                )
            ]
        )
    return chosen[0]


def _links(found: _Made, norm: Norm) -> Iterator[Link]:
    policy, receipt = found.policy, found.receipt
    assert policy is not None  # a norm was found in it
    if receipt is not None and norm.provenance is not None:
        rows = {table: getattr(receipt, table) for table in _TABLES}
        about = {"process": receipt.process, "kind": receipt.kind, "rows": rows}
        roots = {**receipt.roots}
        yield Link("ballots", receipt.digest, about | {"roots": roots}, tuple(roots.values()))
        asked = found.statements(norm.id)
        support = norm.provenance.support.get("all")
        told = None if support is None else support.model_dump(mode="json")
        yield Link(
            "tally", norm.provenance.tally, {"statements": asked, "support": told,
                                             "rule": norm.provenance.rule}
        )  # fmt: skip
    proof = norm.provenance
    level = proof.decision_level if proof else None
    yield Link("norm", norm.digest, {"ref": norm.ref, "status": norm.status, "level": level})
    charter = policy.charter
    yield Link("charter", charter.digest, {"id": charter.id, "version": charter.version})
    rule = next((r for r in policy.rules if r.norm == norm.ref), None)
    yield Link(
        "policy", policy.digest,
        {} if rule is None else {"force": rule.force, "guard": rule.guard, "limit": rule.limit},
    )  # fmt: skip
    for permit in found.all(Permit):
        yield Link("permit", permit.digest, {"granted": permit.granted, "modes": permit.modes})
    yield from _learned(found, norm)
    yield from _measured(found, norm)


def _learned(found: _Made, norm: Norm) -> Iterator[Link]:
    """The rows that carry the norm, and the weights: all of them, for each rests on the one
    before.
    """
    for dataset in found.all(Dataset):
        count = _rows_of(dataset, norm, found.store)
        if count:
            rows: dict[str, Any] = {"rows": dataset.rows, "rows_of_norm": count}
            yield Link(
                "dataset", dataset.digest, {"kind": dataset.kind, **rows}, (dataset.content,)
            )
    for model in found.all(ModelRef):
        about = {"name": model.name, "recipe": model.recipe}
        yield Link("model", model.digest, about, tuple(model.files.values()))


def _measured(found: _Made, norm: Norm) -> Iterator[Link]:
    for m in found.all(Measurement):
        if m.norm == norm.id:
            about = m.model_dump(mode="json", include={"suite", "metric", "model", "lang",
                                                       "estimate"})  # fmt: skip
            yield Link("measurement", m.digest, about, () if m.answers is None else (m.answers,))
    if found.verdict is not None:
        modes = {m.mode: m.verdict for m in found.verdict.modes}
        asked = [c.id for c in found.all(Criterion) if c.norm == norm.id]
        yield Link("verdict", found.verdict.digest, {"modes": modes, "criteria": asked})


def _rows_of(dataset: Dataset, norm: Norm, store: Store) -> int:
    """How many rows of a dataset carry the norm; of unreadable rows none do."""
    if not store.objects.exists(dataset.content):
        return dataset.rows
    with store.objects.open(dataset.content) as lines:
        return sum(_carries(line, norm) for line in lines)


def _carries(line: bytes, norm: Norm) -> bool:
    try:
        named = json.loads(line).get("norms") or ()
    except (ValueError, AttributeError):
        return False
    return norm.ref in named or norm.id in named


def _belongs(fault: Fault, link: Link) -> bool:
    if fault.digest in (link.digest, *link.holds):
        return fault.digest is not None
    of_rows = any(f": {table}: " in f"{fault.where} " for table in _TABLES)
    return link.link == "ballots" and of_rows


def _told(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    return [fault.model_dump(mode="json") for fault in faults]
