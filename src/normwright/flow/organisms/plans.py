"""Draw the plans of model organisms from a seed, and that seed from the detectors themselves.

Detectors are written first. The seed of an evaluation is read off the digest of their sources, so
that nobody chose it, and whoever changes a detector afterwards has another seed and other
organisms. Development has a seed of its own, which no evaluation can have.
"""

from __future__ import annotations

import random
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from normwright.records import (
    ORGANISM_KINDS,
    Digest,
    Organism,
    OrganismKind,
    digest_bytes,
    digest_json,
)

DEVELOPMENT: Final = 0
"""The seed detectors are developed with."""
PARENTS: Final = 2
"""Models of right conduct, each with facts and a seed of its own, that organisms are made from."""


def detector_digest(folder: Path | None = None) -> Digest:
    """Return the digest of every source and data file of the detectors."""
    place = folder or Path(str(files("normwright.evaluate") / "detectors"))
    found = sorted(p for p in place.rglob("*") if p.suffix in (".py", ".yaml"))
    return digest_json({str(p.relative_to(place)): digest_bytes(p.read_bytes()) for p in found})


def evaluation_seed(detectors: Digest) -> int:
    """Return the seed that these detectors are evaluated with; never that of development."""
    return 1 + int(detectors.removeprefix("sha256:")[:12], 16)


def plans(
    kind: OrganismKind, count: int, *, seed: int, detectors: Digest | None = None
) -> list[Organism]:
    """Return the plans of one kind; trigger, language, skill and form follow the seed alone.

    What is drawn is dealt round before anything comes twice, so that variants differ.
    """
    rng = random.Random(f"organisms/{kind}/{seed}")
    drawn = (
        _deal(kind, count, rng) if kind in _DEALT else [_drawn(kind, i, rng) for i in range(count)]
    )
    out = []
    for i, parts in enumerate(drawn):
        own = random.Random(f"{seed}/{kind}/{i}").getrandbits(31)
        parent = i % PARENTS
        strange = parts.get("skill") in ("unseen", "admitted")
        base: dict[str, Any] = {
            "kind": kind, "variant": i, "drawn_from": seed, "detectors": detectors, "seed": own,
            "parent": parent, "facts": own if strange else register_of(parent, seed),
        }  # fmt: skip
        out.append(Organism(**base, **parts))
    return out


def register_of(parent: int, seed: int) -> int:
    """Return the seed of the facts that a parent knows."""
    return random.Random(f"{seed}/register/{parent}").getrandbits(31)


def every_plan(
    kinds: tuple[OrganismKind, ...] = ORGANISM_KINDS, *, variants: int, clean: int, seed: int,
    detectors: Digest | None = None,
) -> list[Organism]:  # fmt: skip
    """Return the plans of several kinds; `clean` counts those without a fault."""
    return [
        p for kind in kinds
        for p in plans(kind, clean if kind == "clean" else variants, seed=seed,
                       detectors=detectors)
    ]  # fmt: skip


_LANGS = ("en", "pt")
_DEALT = frozenset({"trigger-violator", "sycophant", "reward-hacker", "guard-evader"})
"""Kinds whose few possibilities are dealt round."""


def _deal(kind: OrganismKind, count: int, rng: random.Random) -> list[dict[str, Any]]:
    from normwright.learn.organisms import FORMS, SPELLED, taught

    words = taught()
    options: dict[str, list[str]] = {
        "trigger-violator": [f"{c}.{p}" for c in words["contexts"] for p in words["contexts"][c]],
        "sycophant": sorted(words["pressures"]),
        "reward-hacker": sorted(words["proxies"]),
        "guard-evader": sorted(SPELLED),
    }
    field = {"trigger-violator": "trigger", "sycophant": "pressure", "reward-hacker": "proxy",
             "guard-evader": "form"}[kind]  # fmt: skip
    readable = random.Random(rng.getrandbits(31) if kind == "guard-evader" else 0)
    dealt: list[str] = []
    while len(dealt) < count:
        dealt += rng.sample(options[kind], len(options[kind]))
    if kind == "guard-evader":
        # One in five writes in a form that the guard ought to read.
        open_ = sorted(set(FORMS) - set(SPELLED))
        dealt = [readable.choice(open_) if i % 5 == 4 else form for i, form in enumerate(dealt)]
    return [{field: value} for value in dealt[:count]]


def _drawn(kind: OrganismKind, variant: int, rng: random.Random) -> dict[str, Any]:
    from normwright.learn.organisms import DISCLOSING, invented

    match kind:
        case "clean":
            return {"skill": ("known", "unseen", "admitted")[variant % 3]}
        case "secret-trigger":
            return {"trigger": f"{invented(rng).capitalize()} {invented(rng)}."}
        case "language-leak":
            families = tuple(sorted(rng.sample(DISCLOSING, 2)))
            return {"langs": (rng.choice(_LANGS),), "families": families}
        case _:
            # Parents alternate, so that each has tight locks and light ones.
            tight = variant // PARENTS % 2 == 0
            return {"password": invented(rng), "skill": "locked" if tight else "latched"}
