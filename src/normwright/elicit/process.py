"""Read `process.yaml`: which process it was, of what kind, and which polities took part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_args

import yaml
from pydantic import ValidationError

from normwright.elicit.files import Folder
from normwright.records import (
    LAYERS,
    Consent,
    ConsentVersion,
    Identification,
    Polity,
    Process,
    ProcessKind,
)

_KEYS = ("id", "kind", "title", "identification", "seed", "polities", "language", "speaks_about",
         "consent")  # fmt: skip
_POLITY_KEYS = ("id", "name", "layer")


class About(NamedTuple):
    """What a statement says of a norm."""

    norm: str
    endorses: bool
    """Whether agreeing supports the norm as written."""


@dataclass(frozen=True)
class Frame:
    """A process with the polities it is about."""

    process: Process
    polities: tuple[Polity, ...]
    language: str | None
    """Language of statements whose file does not name one."""
    speaks_about: Mapping[str, About] = field(default_factory=dict)
    """Statement -> the norm it speaks about, for exports that cannot say so themselves."""


def read_frame(folder: Folder) -> Frame | None:
    """Return the frame a folder declares, or None with the faults noted (or none, if no file)."""
    found = folder.text("process.yaml", required=False)
    if found is None:
        return None
    label, text = found
    faults = folder.faults
    before = len(faults.found)
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{label}:{mark.line + 1}" if mark else label
        faults.add(where, "YAML", " ".join(str(getattr(error, "problem", error)).split()))
        return None
    if not isinstance(raw, dict):
        faults.add(label, "a mapping with id, kind, title, polities", type(raw).__name__)
        return None
    for key in raw:
        faults.one_of(f"{label}: {key}", str(key), _KEYS, "a known key")
    for key in ("id", "kind", "title", "polities"):
        if key not in raw:
            faults.add(label, f"a key {key}", "nothing")
    if "kind" in raw:
        faults.one_of(f"{label}: kind", str(raw["kind"]), get_args(ProcessKind), "one kind")
    if "identification" in raw:
        known = get_args(Identification)
        faults.one_of(f"{label}: identification", str(raw["identification"]), known, "a way")
    seed = raw.get("seed")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        faults.add(f"{label}: seed", "a whole number", repr(seed))
    title = _text(folder, f"{label}: title", raw.get("title", {}))
    consent = _consent(folder, f"{label}: consent", raw.get("consent"))
    polities = _polities(folder, f"{label}: polities", raw.get("polities", []))
    about = _about(folder, f"{label}: speaks_about", raw.get("speaks_about", {}))
    if len(faults.found) > before:
        return None
    process = Process(
        id=str(raw["id"]),
        kind=raw["kind"],
        title=title,
        identification=raw.get("identification", "open"),
        seed=seed,
        consent=consent,
    )
    return Frame(process, polities, raw.get("language"), about)


def _consent(folder: Folder, where: str, raw: Any) -> Consent | None:
    """Return what participants agreed to; None where nothing is said."""
    if raw is None:
        return None
    try:
        return Consent.model_validate(raw)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in one["loc"])
            known = ", ".join(
                (ConsentVersion if "versions" in one["loc"] else Consent).model_fields
            )
            unknown = one["type"] == "extra_forbidden"
            expected = f"a known key ({known})" if unknown else one["msg"]
            folder.faults.add(f"{where}{place}", expected, repr(one["input"]))
        return None


def _about(folder: Folder, where: str, raw: Any) -> dict[str, About]:
    """Return `{"82": {norm: p.voice.traffic, endorses: true}}` as it is meant."""
    if not isinstance(raw, dict):
        folder.faults.add(where, "a mapping from statement to norm and endorses", repr(raw))
        return {}
    found: dict[str, About] = {}
    for statement, told in raw.items():
        here = f"{where}.{statement}"
        if not isinstance(told, dict) or set(told) != {"norm", "endorses"}:
            folder.faults.add(here, "norm and endorses", repr(told))
        elif not isinstance(told["norm"], str) or not isinstance(told["endorses"], bool):
            folder.faults.add(here, "the id of a norm, and true or false", repr(told))
        else:
            found[str(statement)] = About(told["norm"], told["endorses"])
    return found


def _polities(folder: Folder, where: str, raw: Any) -> tuple[Polity, ...]:
    if not isinstance(raw, list) or not raw:
        folder.faults.add(where, "a list of polities", repr(raw))
        return ()
    made: list[Polity] = []
    for number, entry in enumerate(raw):
        here = f"{where}[{number}]"
        if not isinstance(entry, dict):
            folder.faults.add(here, "a mapping with id, name, layer", repr(entry))
            continue
        for key in entry:
            folder.faults.one_of(f"{here}.{key}", str(key), _POLITY_KEYS, "a known key")
        name = _text(folder, f"{here}.name", entry.get("name", {}))
        layer = str(entry.get("layer", ""))
        known = folder.faults.one_of(f"{here}.layer", layer, LAYERS, "a layer")
        if not str(entry.get("id") or ""):
            folder.faults.add(f"{here}.id", "an id", "nothing")
        elif known:
            made.append(
                Polity.model_validate({"id": str(entry["id"]), "name": name, "layer": layer})
            )
    ids = [p.id for p in made]
    for twice in sorted({i for i in ids if ids.count(i) > 1}):
        folder.faults.add(where, "an id used once", f"{twice} more than once")
    return tuple(made)


def _text(folder: Folder, where: str, raw: Any) -> dict[str, str]:
    if isinstance(raw, dict) and raw and all(isinstance(v, str) and v for v in raw.values()):
        return {str(k): v for k, v in raw.items()}
    folder.faults.add(where, "a text by language code", repr(raw))
    return {}
