"""Walk from a verdict, a refusal or a weight file back to the roots and counts of the ballots."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from normwright.flow.marks import SAID, marked
from normwright.flow.receipts import body_of, held_objects, mentioned, named
from normwright.flow.stores import open_store
from normwright.records import Consultation, Digest, Fault, InputError, ModelRef
from normwright.store import StageResult, Store, StoredRecord, import_digest

_FROM_STEP = frozenset(
    {
        "Charter",
        "Contrast",
        "Dataset",
        "Decision",
        "Finding",
        "Measurement",
        "Outcome",
        "Policy",
        "Verdict",
    }
)
"""Kinds that rest on what their step read, where they do not say more exactly on what."""

_SHORTEST = 8
"""Hexadecimal digits a shortened digest needs at least."""

REBUILD, UNLEARN = "normwright run DIR", "normwright learn unlearn --project DIR --out OUT"
"""What can be done about a model that rests on withdrawn rows; `status` says what each takes."""


@dataclass(frozen=True)
class Trace:
    """Where something comes from."""

    digest: Digest
    tree: dict[str, Any]
    """`{digest, kind, via, about, holds, from: [...]}`; a node met before only says `again`.

    One that rests on rows somebody withdrew has `marked`, and a model then `remedies`.
    """
    roots: tuple[dict[str, Any], ...]
    """For each consultation that was reached: Merkle root, rows and erased rows of each table."""

    def as_json(self) -> dict[str, Any]:
        """Return the trace as one JSON value."""
        return {"digest": self.digest, "tree": self.tree, "roots": list(self.roots)}


def trace(project: Path, digest: str) -> Trace:
    """Return what a digest was made from, back to the Merkle roots and counts of the ballots.

    Args:
        project: The project directory.
        digest: Of a record (verdict, finding, decision, ...) or of an object such as a weight
            file; with or without `sha256:`, or the first 8 or more of its digits.

    No ballot is shown, only roots and counts.

    Raises:
        InputError: if nothing, or more than one thing, goes by that digest.
    """
    with open_store(project, create=False) as store:
        walk = _Walk(store)
        start = walk.find(digest)
        tree = walk.node(start, via="")
        return Trace(digest=start, tree=tree, roots=tuple(walk.roots.values()))


class _Walk:
    """One walk through a store: what was met, and the roots it came to."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.met: set[Digest] = set()
        self.roots: dict[Digest, dict[str, Any]] = {}
        self.marked = marked(store)
        self.makers: dict[Digest, StageResult] = {}
        for result in store.results():
            for made in (*result.made, *result.objects):
                self.makers.setdefault(made, result)

    def find(self, asked: str) -> Digest:
        """Return the one digest that `asked` stands for."""
        prefix = asked if asked.startswith("sha256:") else f"sha256:{asked}"
        found: set[Digest] = set()
        if len(prefix.removeprefix("sha256:")) >= _SHORTEST:
            found.update(self.store.starting_with(prefix))
            found.update(one for one in self.store.objects if one.startswith(prefix))
            if not found:
                # A Merkle root or the digest of a file is no record of its own; records name it.
                whole = re.compile(re.escape(prefix) + "[0-9a-f]*")
                for record in self.store.naming(prefix):
                    found.update(filter(named, whole.findall(record.json)))
        if len(found) == 1:
            return found.pop()
        raise InputError(
            [
                Fault(
                    where="digest",
                    expected=f"one record or object; at least {_SHORTEST} of its digits",
                    seen=f"{asked}, which fits {len(found) or 'none'}",
                    do="`normwright status DIR --json` lists what each stage made.",
                )
            ]
        )

    def node(self, digest: Digest, *, via: str) -> dict[str, Any]:
        """Return the tree under one digest."""
        stored = self.store.stored([digest]).get(digest)
        kind = stored.kind if stored else "object"
        node: dict[str, Any] = {"digest": digest, "kind": kind, "via": via}
        if digest in self.marked:
            node["marked"] = SAID
            if kind == ModelRef.__name__:
                node["remedies"] = [REBUILD, UNLEARN]
        if digest in self.met:
            return {**node, "again": True}
        self.met.add(digest)
        return node | (self._of_record(stored) if stored else self._of_object(digest))

    def _of_object(self, digest: Digest) -> dict[str, Any]:
        """Return what stands under bytes: the records that hold them."""
        node: dict[str, Any] = {"about": {"stored": self.store.objects.exists(digest)}}
        holders = [
            (name, record)
            for record in self.store.naming(digest)
            for name, held in held_objects(record.kind, body_of(record)).items()
            if held == digest
        ]
        if holders:
            node["from"] = [self.node(one.digest, via=f"{name} of") for name, one in holders]
        elif naming := [r for r in self.store.naming(digest) if r.kind != "Withdrawal"]:
            node["from"] = [self.node(one.digest, via="in") for one in naming]
        elif digest in self.makers:
            node["from"] = self._of_step(self.makers[digest])
        return node

    def _of_record(self, stored: StoredRecord) -> dict[str, Any]:
        """Return what stands under a record: what it is about, and what it was made from."""
        body = body_of(stored)
        node: dict[str, Any] = {"about": _about(stored.kind, body)}
        if stored.kind == Consultation.__name__:
            self._reach(stored.digest, body)
            return node
        held = held_objects(stored.kind, body)
        if held:
            node["holds"] = held
        links = mentioned(stored.kind, body)
        known = self.store.stored(links)
        below = [
            self.node(digest, via=via)
            for digest, via in links.items()
            if digest in known and digest != stored.digest
        ]
        if not below and stored.kind in _FROM_STEP and stored.digest in self.makers:
            below = self._of_step(self.makers[stored.digest])
        lost = [
            {"digest": digest, "kind": "missing", "via": "derived_from"}
            for digest in body.get("derived_from", ())
            if digest not in known and not self._elsewhere(digest)
        ]
        if below or lost:
            node["from"] = below + lost
        return node

    def _elsewhere(self, digest: Digest) -> bool:
        return self.store.objects.exists(digest) or any(
            digest == one.digest or digest in one.roots.values() for one in self.store.imports()
        )

    def _of_step(self, result: StageResult) -> list[dict[str, Any]]:
        """Return what the step that made something had read."""
        return [
            self.node(digest, via=f"read by step {result.stage}")
            for made in result.inputs.get("after", {}).values()
            for digest in made
        ]

    def _reach(self, digest: Digest, body: Mapping[str, Any]) -> None:
        """Note the roots and counts of a consultation."""
        imported = import_digest(body["process"], body["kind"], body["roots"])
        counts = self.store.row_counts(imported)
        self.roots[digest] = {
            "consultation": digest,
            "process": body["process"],
            "kind": body["kind"],
            "tables": {
                table: {"root": head, "rows": counts[table][0], "erased": counts[table][1]}
                for table, head in body["roots"].items()
            },
        }


_ABOUT: Mapping[str, tuple[str, ...]] = {
    "Charter": ("id", "version", "languages", "process", "kind"),
    "Consultation": (
        "process",
        "kind",
        "participants",
        "statements",
        "votes",
        "comparisons",
        "ballots",
        "roots",
    ),
    "Contrast": ("suite", "better", "worse", "lang", "norm", "difference"),
    "Dataset": ("kind", "rows", "content", "languages", "process_kind"),
    "Decision": ("verdict", "governing", "unknown"),
    "Finding": ("attack", "model", "lang", "norm", "succeeded", "turn"),
    "Judge": ("name", "architecture", "trained_on"),
    "Measurement": ("suite", "metric", "model", "lang", "norm", "estimate"),
    "ModelRef": ("name", "parameters", "recipe", "unpermitted", "forgotten"),
    "Outcome": ("process", "kind", "layer", "authority", "participants", "votes"),
    "Withdrawal": ("process", "kind", "then", "because", "withdrawn_share"),
    "Permit": ("granted", "modes", "charter", "valid_from", "valid_until"),
    "Policy": ("permit_modes", "permit_reason"),
    "Process": ("id", "kind"),
    "Polity": ("id", "layer"),
    "RemoteUse": ("role", "endpoint", "model", "as_of", "requests", "reproducible"),
}
"""What a node shows of each kind of record. Nothing here is one person's."""


def _about(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    about = {name: body[name] for name in _ABOUT.get(kind, ()) if name in body}
    match kind:
        case "Verdict":
            about["modes"] = {one["mode"]: one["verdict"] for one in body["modes"]}
            about["deciding"] = {one["mode"]: one["deciding"] for one in body["modes"]}
        case "Charter":
            about["norms"] = len(body["norms"])
        case "Policy":
            about["rules"] = len(body["rules"])
    return about
