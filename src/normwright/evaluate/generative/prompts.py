"""What a generative suite asks, and the files of this package that hold what is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from normwright.records import Digest, Message, digest_bytes, digest_json

LANGUAGES: Final = ("en", "pt")


@dataclass(frozen=True)
class Prompt:
    """One request, and what its answer counts for."""

    id: str
    lang: str
    text: str
    """The user's turn."""
    unit: str
    """What one value of the score is of: a pair of twins, a question, or the prompt itself."""
    cluster: str
    """The unit of independence; units of one cluster may be alike."""
    part: str = "asked"
    """Which side of its unit it is, for example `harmful` and `benign`."""
    group: str = ""
    """What results are reported apart by."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What the suite needs to read the answer."""

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation that a model is asked to go on with."""
        return (Message(role="user", content=self.text),)


@dataclass(frozen=True)
class Asking:
    """The prompts of one suite in one language, and where they come from."""

    suite: str
    lang: str
    prompts: tuple[Prompt, ...]
    origin: str
    """A file's name, or `package`."""
    licence: str
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Rows that were not asked, by the reason."""
    evaluation_only: bool = False

    @property
    def digest(self) -> Digest:
        """Digest of everything that is asked."""
        return digest_json([[p.id, p.text, p.unit, p.part, dict(p.about)] for p in self.prompts])

    @property
    def units(self) -> tuple[str, ...]:
        """The units, in the order in which they are first asked."""
        return tuple(dict.fromkeys(p.unit for p in self.prompts))


@cache
def _package(name: str) -> bytes:
    return (files("normwright.evaluate.generative") / "data" / f"{name}.yaml").read_bytes()


@cache
def packaged(name: str) -> Any:
    """Return the content of a data file of this package."""
    # The same safe loader; written in C where PyYAML was built with it, ten times as fast.
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)(_package(name)).get_single_data()


def packaged_digest(name: str) -> Digest:
    """Return the digest of a data file of this package."""
    return digest_bytes(_package(name))


def sampled(prompts: Sequence[Prompt], limit: int | None, *, seed: int) -> tuple[Prompt, ...]:
    """Return the prompts of at most so many units, drawn by the seed; units are kept whole.

    Units are drawn in turn from each group, so that a small sample has of all of them.
    """
    import random

    if limit is None:
        return tuple(prompts)
    by_group: dict[str, list[str]] = {}
    for prompt in prompts:
        units = by_group.setdefault(prompt.group, [])
        if prompt.unit not in units:
            units.append(prompt.unit)
    rng = random.Random(f"units/{seed}")
    queues = [rng.sample(units, len(units)) for _, units in sorted(by_group.items())]
    rng.shuffle(queues)
    kept = set(_in_turn(queues)[:limit])
    return tuple(p for p in prompts if p.unit in kept)


def _in_turn(queues: Iterable[Sequence[str]]) -> list[str]:
    rows = list(queues)
    longest = max((len(row) for row in rows), default=0)
    return [row[i] for i in range(longest) for row in rows if i < len(row)]
