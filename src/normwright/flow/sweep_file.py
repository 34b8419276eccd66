"""The file of a sweep: which models are trained how, on what, and what is measured of each.

    sizes: {small: embedded}                    # name: model directory, or `embedded`
    mixes:                                      # name: files by what methods call them
      town: {demonstrations: sft.jsonl, pairs: pairs.jsonl}
    methods:                                    # name: recipes one after another; none is the model
      base: []
      sft: [{recipe: sft, data: demonstrations}]
      dpo: [{recipe: sft, data: demonstrations}, {recipe: prefer, data: pairs}]
    betas: [0.1, 1.0]                           # of recipes that have one
    seeds: [0, 1, 2]
    measure:
      help: {kind: pairs, data: help.jsonl, better: higher, reference: 0.5}
      harm: {kind: pairs, data: harm.jsonl, better: lower, reference: 1.0, count: rejected}
      capability: {kind: bits, data: text.jsonl, better: lower, reference: 8.0}

In the place of the grid `cells` lists {size, method, beta, mix}; a cell with `results` is read from
a folder that an earlier sweep wrote, one file a seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from normwright.flow.learning.recipes import RECIPES
from normwright.flow.mappings import faults_of, read_named
from normwright.flow.setting import Count, Positive, Settings, Slug
from normwright.models.places import embedded_path
from normwright.records import Fault, InputError

EMBEDDED = "embedded"


class Stage(Settings):
    """One recipe of a method."""

    recipe: str
    """A recipe of `normwright learn`."""
    data: str
    """What the mix calls its rows."""
    settings: dict[str, Any] = {}
    """Settings of the recipe, by name."""


class Measure(Settings):
    """One objective."""

    kind: Literal["pairs", "suite", "bits"]
    """`pairs`: share of pairs whose first answer the model holds likelier. `suite`: score of a
    benchmark. `bits`: bits per byte of text."""
    data: str
    """The rows, beside the file of the sweep."""
    better: Literal["higher", "lower"]
    reference: float
    """What is no better counts for nothing in the volume."""
    gate: bool | None = None
    """Whether what a constant answer could have made is barred; null: where more is better, and of
    text."""
    suite: str | None = None
    """Of `suite`: its name."""
    lang: str | None = None
    """Of `suite`: language of its items."""
    limit: Count | None = None
    """Items, at most."""
    per: Literal["answer", "character"] = "character"
    """Of `pairs`: compare log-likelihoods, or those a character."""
    count: Literal["chosen", "rejected"] = "chosen"
    """Of `pairs`: which answer being likelier counts."""
    window: Count = 512
    """Of `bits`: bytes read together."""


class Cell(Settings):
    """One cell by its axes."""

    size: Slug
    method: Slug
    beta: Positive | None = None
    mix: Slug | None = None
    results: str | None = None
    """A folder of finished results, read in the place of training."""


class Sweep(Settings):
    """The file of a sweep."""

    sizes: dict[Slug, str] = Field(min_length=1)
    """Model directories by name, or `embedded`."""
    methods: dict[Slug, list[Stage]] = Field(min_length=1)
    mixes: dict[Slug, dict[str, str]] = {}
    betas: list[Positive] = []
    seeds: list[int] = Field(default=[0], min_length=1)
    cells: list[Cell] | None = None
    """Null: every combination."""
    measure: dict[Slug, Measure]


@dataclass(frozen=True)
class Planned:
    """One cell with one seed, with every path it needs: plain values that any process can read."""

    name: str
    axes: Mapping[str, Any]
    seed: int
    model: Path
    stages: tuple[Mapping[str, Any], ...]
    """Each `recipe`, `data`, `settings`."""
    measure: Mapping[str, Mapping[str, Any]]
    results: Path | None = None

    @property
    def key(self) -> str:
        """What its file is called."""
        return f"{self.name}.seed-{self.seed}"


def read_sweep(path: Path) -> tuple[Sweep, list[Planned]]:
    """Return a sweep and its runs, in order.

    Raises:
        InputError: with every fault of the file, and of the files it names.
    """
    raw = read_named(path, expected="a sweep")
    try:
        sweep = Sweep.model_validate(raw)
    except ValidationError as error:
        raise InputError(
            list(faults_of(error, str(path), known=tuple(Sweep.model_fields)))
        ) from None
    faults = list(_faults(sweep, path))
    if faults:
        raise InputError(faults)
    cells = sweep.cells if sweep.cells is not None else list(_grid(sweep))
    return sweep, [_planned(sweep, cell, seed, path) for cell in cells for seed in sweep.seeds]


def has_beta(stages: list[Stage]) -> bool:
    """Say whether a recipe of a method has a strength of its own."""
    return any("beta" in RECIPES[s.recipe].settings.model_fields for s in stages)


def _grid(sweep: Sweep) -> Iterator[Cell]:
    """Every combination; a method without recipes or beta is not repeated for what it ignores."""
    for size in sweep.sizes:
        for method, stages in sweep.methods.items():
            for mix in list(sweep.mixes) if stages else [None]:
                betas = sweep.betas if has_beta(stages) else ()
                for beta in betas or (None,):
                    yield Cell(size=size, method=method, beta=beta, mix=mix)


def _faults(sweep: Sweep, path: Path) -> Iterator[Fault]:
    where = str(path)
    for method, stages in sweep.methods.items():
        for stage in stages:
            if stage.recipe not in RECIPES:
                yield Fault(where=f"{where}: methods.{method}", seen=stage.recipe,
                            expected=f"one of {', '.join(RECIPES)}")  # fmt: skip
            lacking = [m for m, files in sweep.mixes.items() if stage.data not in files]
            if lacking or not sweep.mixes:
                yield Fault(where=f"{where}: methods.{method}", seen="none",
                            expected=f"`{stage.data}` in every mix")  # fmt: skip
    for name, place in sweep.sizes.items():
        if place != EMBEDDED and not (path.parent / place).is_dir():
            yield Fault(where=f"{where}: sizes.{name}", expected="a model directory, or `embedded`",
                        seen=place)  # fmt: skip
    files = {f"mixes.{m}.{k}": f for m, of in sweep.mixes.items() for k, f in of.items()}
    files |= {f"measure.{name}": m.data for name, m in sweep.measure.items()}
    for name, file in files.items():
        if not (path.parent / file).exists():
            yield Fault(where=f"{where}: {name}", expected="a file", seen=f"nothing at {file}")
    if len(sweep.measure) not in (2, 3):
        yield Fault(where=f"{where}: measure", expected="2 or 3 objectives",
                    seen=str(len(sweep.measure)))  # fmt: skip
    for name, measure in sweep.measure.items():
        if (measure.kind == "suite") != (measure.suite is not None):
            yield Fault(where=f"{where}: measure.{name}", expected="`suite` where kind is suite",
                        seen=f"kind {measure.kind}, suite {measure.suite}")  # fmt: skip
    if len(set(sweep.seeds)) < len(sweep.seeds):
        yield Fault(where=f"{where}: seeds", expected="each once", seen=str(sweep.seeds))
    for i, cell in enumerate(sweep.cells or []):
        yield from _cell_faults(sweep, cell, f"{where}: cells.{i}", path)


def _cell_faults(sweep: Sweep, cell: Cell, where: str, path: Path) -> Iterator[Fault]:
    for kind, name, known in (("size", cell.size, sweep.sizes),
                              ("method", cell.method, sweep.methods)):  # fmt: skip
        if name not in known:
            yield Fault(where=where, expected=f"a {kind}: {', '.join(known)}", seen=name)
    if cell.results is not None and not (path.parent / cell.results).is_dir():
        yield Fault(where=where, expected="a folder of results", seen=cell.results)
    stages = sweep.methods.get(cell.method, [])
    if stages and cell.results is None and cell.mix not in sweep.mixes:
        yield Fault(where=where, expected=f"a mix: {', '.join(sweep.mixes)}", seen=str(cell.mix))
    if cell.beta is not None and cell.results is None and not has_beta(stages):
        yield Fault(where=where, expected="no beta, which no recipe of it has", seen=str(cell.beta))


def _planned(sweep: Sweep, cell: Cell, seed: int, path: Path) -> Planned:
    here, place = path.parent, sweep.sizes[cell.size]
    stages = []
    for stage in sweep.methods[cell.method] if cell.results is None else ():
        fields = RECIPES[stage.recipe].settings.model_fields
        beta = {"beta": cell.beta} if cell.beta is not None and "beta" in fields else {}
        stages.append({
            "recipe": stage.recipe, "settings": {**stage.settings, **beta},
            "data": str(here / sweep.mixes[cell.mix or ""][stage.data]),
        })  # fmt: skip
    measure = {
        name: {**m.model_dump(), "data": str(here / m.data)} for name, m in sweep.measure.items()
    }
    parts = [cell.size, cell.method, None if cell.beta is None else f"{cell.beta:g}", cell.mix]
    axes = {"size": cell.size, "method": cell.method, "beta": cell.beta, "mix": cell.mix}
    return Planned(
        "_".join(str(p) for p in parts if p is not None), axes, seed,
        embedded_path() if place == EMBEDDED else here / place, tuple(stages), measure,
        None if cell.results is None else here / cell.results,
    )  # fmt: skip
