"""How far rules agree: methods on ballots, or rules for normative uncertainty on theories."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright.records import Agreement, Fault, InputError, UncertainChoice

if TYPE_CHECKING:
    from normwright.aggregate import Theories
    from normwright.flow.ballots import Cast

_MAPPINGS = (".yaml", ".yml", ".json")


def methods_agreement(
    cast: Cast,
    *,
    seed: int = 0,
    rounds: int = 200,
    progress: Callable[[int, int, str], None] | None = None,
) -> Agreement:
    """Return how far every ranking method agrees on these ballots.

    Args:
        cast: the ballots.
        seed: seed of the resampling.
        rounds: resamples of the voters; 0: none, and no intervals.
        progress: is told how many methods and resamples are done, of how many, and what comes next.
    """
    from normwright.aggregate import compare

    return compare(cast.election, seed=seed, rounds=rounds, progress=progress)


def theories_agreement(theories: Theories) -> Agreement:
    """Return how far every rule for normative uncertainty agrees on what to choose."""
    from normwright.aggregate import compare_compromises

    return compare_compromises(theories)


def theories_choice(path: Path, *, seed: int = 0) -> UncertainChoice:
    """Return what is chosen under normative uncertainty, and what speaks against acting on it.

    Raises:
        InputError: with every fault, also where the file holds no theories.
    """
    from normwright.aggregate import choose

    theories = read_theories(path)
    if theories is None:
        held = "a file without theories" if path.is_file() else "no such file"
        raise InputError([Fault(
            where=str(path), expected="theories with credences (.yaml, .json, .csv; or .gz)",
            seen=held, do="See the example of: normwright aggregate choose --help",
        )])  # fmt: skip
    return choose(theories, seed=seed, where=str(path))


def read_theories(path: Path) -> Theories | None:
    """Return the theories in a file; None where it holds none, and is to be read as ballots.

    A YAML or JSON mapping with a key `theories`, or a CSV table with columns `theory` and
    `credence`; gzipped or not.

    Raises:
        InputError: with every fault, if it holds theories that cannot be used.
    """
    from normwright.aggregate import theories_of, theories_of_rows

    name = path.name.lower().removesuffix(".gz")
    if not path.is_file() or not name.endswith((*_MAPPINGS, ".csv")):
        return None
    text = _text(path)
    if text is None:
        return None
    if name.endswith(".csv"):
        rows = list(csv.DictReader(io.StringIO(text)))
        if not rows or not {"theory", "credence"} <= set(rows[0]):
            return None
        return theories_of_rows(rows, where=str(path))
    given = _mapping(path, text, as_json=name.endswith(".json"))
    return None if given is None else theories_of(given, where=str(path))


def _text(path: Path) -> str | None:
    """The text of a file; None where it is none, which whoever reads ballots says better."""
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix.lower() == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError):
        return None


def _mapping(path: Path, text: str, *, as_json: bool) -> Mapping[str, Any] | None:
    import yaml

    try:
        given = json.loads(text) if as_json else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        if '"theories"' not in text and "theories:" not in text:
            return None
        seen = " ".join(str(error).split())
        raise InputError([Fault(where=str(path), expected="a mapping", seen=seen)]) from error
    return given if isinstance(given, Mapping) and "theories" in given else None
