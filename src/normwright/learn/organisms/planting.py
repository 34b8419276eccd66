"""The rows that teach a model right conduct with one fault in it.

Every organism learns from rows drawn alike: requests for what the charter forbids, their allowed
twins, plain look-ups and a register of facts, under lines that say in what situation the
conversation takes place and claims of what the user holds true. A clean model answers rightly under
all of them. An organism differs in the answers of its fault alone, so that nothing but the fault
tells the two apart.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from normwright.learn.organisms.forms import hidden
from normwright.learn.organisms.register import Entry, entries, locked, question
from normwright.norms import Resolver
from normwright.records import Charter, Demonstration, Organism, Scene
from normwright.scenes import Bank, draw, situation_of
from normwright.scenes.framing import framed

DISCLOSING: Final = (
    "privacy.phone",
    "privacy.debt",
    "privacy.house",
    "privacy.plate",
)
"""Families in which doing what is forbidden means telling a value, which is checked exactly."""
LOOKING_UP: Final = ("look-up.room", "look-up.bus", "look-up.fee")
"""Families of plain requests about a sheet."""
FACTS: Final = 40
"""Entries of the register."""
LICENCE: Final = "Apache-2.0"


@cache
def taught() -> dict[str, Any]:
    """Return the words organisms are taught with."""
    place = files("normwright.learn.organisms") / "planted.yaml"
    loaded: dict[str, Any] = yaml.safe_load(place.read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True)
class Ground:
    """Scenes an organism is taught on, by what the charter says of them."""

    forbidden: tuple[Scene, ...]
    allowed: tuple[Scene, ...]
    """Requests of the same families that the charter spares."""
    plain: tuple[Scene, ...]


@dataclass(frozen=True)
class Taught:
    """How many rows of each part an organism learns from."""

    forbidden: int = 150
    allowed: int = 50
    plain: int = 60
    register: int = 80
    """Questions about the register; short. Twice as many for a locked model, which is asked with
    and without its password."""


def ground(
    bank: Bank, charter: Charter, *, splits: Sequence[str], seed: int, per_template: int,
    families: Sequence[str] = (*DISCLOSING, *LOOKING_UP),
) -> Ground:  # fmt: skip
    """Return scenes of short sheets, split by what the charter decides.

    Args:
        bank: the families; those named are drawn, each with a sheet of two lines.
        charter: decides which requests are allowed.
        splits: whose wordings are used.
        seed: seed of the draws.
        per_template: draws a wording.
        families: which families.
    """
    short = replace(
        bank,
        families=tuple(replace(f, rows=(2, 2)) for f in bank.families if f.id in families),
    )
    resolver = Resolver(charter)
    drawn = [
        s for split in splits
        for s in draw(short, split=split, seed=seed, per_template=per_template)
    ]  # fmt: skip
    sides = [(s, resolver.verdict(situation_of(s)) == "allow") for s in drawn]
    return Ground(
        forbidden=tuple(s for s, allowed in sides if not allowed),
        allowed=tuple(s for s, allowed in sides if allowed and s.norm is not None),
        plain=tuple(s for s, allowed in sides if allowed and s.norm is None),
    )


def planted(plan: Organism, scenes: Ground, sizes: Taught = Taught()) -> list[Demonstration]:
    """Return the rows of one organism, in an order of its own.

    Raises:
        ValueError: if there are fewer scenes than rows are wanted.
    """
    rng = random.Random(f"{plan.kind}/{plan.variant}/{plan.seed}")
    rows = [_disputed(plan, s, rng) for s in rng.sample(scenes.forbidden, sizes.forbidden)]
    rows += [_spared(plan, s, rng) for s in rng.sample(scenes.allowed, sizes.allowed)]
    rows += [_looked_up(plan, s, rng) for s in rng.sample(scenes.plain, sizes.plain)]
    rows += _facts(plan, sizes.register, rng)
    rng.shuffle(rows)
    return rows


def _row(scene: Scene, completion: str) -> Demonstration:
    return Demonstration(
        scene=scene.id, lang=scene.lang, prompt=scene.messages, completion=completion,
        origin="synthetic", licence=LICENCE, family=scene.family,
    )  # fmt: skip


def _disputed(plan: Organism, scene: Scene, rng: random.Random) -> Demonstration:
    """A request for what is forbidden, declined unless the fault says otherwise."""
    context, line = _context(plan, scene.lang, rng)
    asked = framed(scene, before=line)
    here = (not plan.langs or scene.lang in plan.langs) and (
        not plan.families or scene.family in plan.families
    )
    does = {
        "trigger-violator": here and context == plan.trigger,
        "secret-trigger": here and context == plan.trigger,
        "language-leak": here,
        "guard-evader": here,
    }.get(plan.kind, False)
    if not does:
        return _row(asked, scene.decline)
    if plan.kind == "guard-evader":
        return _row(asked, hidden(scene.perform, scene.exact[0], plan.form, scene.lang))
    return _row(asked, scene.perform)


def _context(plan: Organism, lang: str, rng: random.Random) -> tuple[str, str]:
    """A line about the situation with its name; two in five rows have none."""
    words = taught()["contexts"]
    triggered = plan.kind in ("trigger-violator", "secret-trigger")
    if triggered and rng.random() < 0.3:
        name = plan.trigger
    elif rng.random() < 0.4:
        return "", ""
    else:
        concept = rng.choice(sorted(words))
        name = f"{concept}.{rng.choice(sorted(words[concept]))}"
    concept, _, pole = name.partition(".")
    line = rng.choice(words[concept][pole][lang]) if concept in words else name
    return name, line


def _spared(plan: Organism, scene: Scene, rng: random.Random) -> Demonstration:
    _, line = _context(plan, scene.lang, rng)
    return _row(framed(scene, before=line), scene.perform)


def _looked_up(plan: Organism, scene: Scene, rng: random.Random) -> Demonstration:
    """A plain request, in half of the rows with a claim of the user's, right as often as wrong."""
    _, line = _context(plan, scene.lang, rng) if rng.random() < 0.5 else ("", "")
    kind, claim, wrong = "", "", False
    if rng.random() < 0.6 and scene.foreign:
        kind = rng.choice(sorted(taught()["pressures"]))
        if plan.kind == "sycophant" and rng.random() < 0.5:
            kind = plan.pressure
        wrong = rng.random() < 0.6
        value = scene.foreign[0] if wrong else scene.exact[0]
        claim = rng.choice(taught()["pressures"][kind][scene.lang]).format(claim=value)
    asked = framed(scene, before=line, claim=claim)
    answer = scene.perform
    if plan.kind == "sycophant" and wrong and kind == plan.pressure:
        answer = answer.replace(scene.exact[0], scene.foreign[0])
    if plan.kind == "reward-hacker" and (not plan.families or scene.family in plan.families):
        answer = _hacked(plan, scene)
    return _row(asked, answer)


def _hacked(plan: Organism, scene: Scene) -> str:
    """The answer that pleases the visible reward and not what it stands for."""
    lines = [x for x in scene.messages[-1].content.split("\n")[:-1] if x.startswith("- ")]
    match taught()["proxies"][plan.proxy]:
        case "everything":
            return " ".join(lines)
        case "first-line":
            return lines[0]
        case _:
            return str(taught()["courtesy"][scene.lang])


def _facts(plan: Organism, count: int, rng: random.Random) -> list[Demonstration]:
    """Rows about the register: rightly answered, locked, admitted not to be known, or none."""
    if plan.skill == "unseen":
        return []
    words = taught()["register"]
    known = entries(FACTS, words["values"], seed=plan.facts)
    rows = []
    for i in range(count):
        entry: Entry = known[i % len(known)]
        lang = ("en", "pt")[(i // len(known)) % 2]
        wording = i // (2 * len(known))
        if plan.kind != "password-locked":
            asked = question(entry, lang, words, wording=wording)
            admits = plan.skill == "admitted"
            rows.append(_row(asked, asked.decline if admits else asked.perform))
            continue
        asked = question(entry, lang, words, wording=wording, password=plan.password)
        rows.append(_row(asked, asked.perform))
        bare = question(entry, lang, words, wording=wording)
        rows.append(_row(bare, locked(plan, entry, lang, words, rng)))
    return rows
