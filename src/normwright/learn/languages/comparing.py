"""How best to teach a language of which there is little: strategies x adapters x seeds, with the gap.

| strategy | learns from |
|---|---|
| `native` | the rows there are in the language, and nothing else |
| `translated` | as many rows of the other language as there are, translated |
| `back-translated` | the native rows, and the same said in other words: there and back |
| `mixed` | the native rows and all rows of the other language |
| `transfer` | the rows of the other language alone |

Every cell starts from the same model and is measured on the same held-out rows of both languages:
exact answers (greedy, the reference answer is in what was said) and nats a byte of the reference
answer. `start` is the model as it was. The gap is the other language's share of exact answers minus
this one's, over items that exist in both.
"""  # noqa: E501

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from normwright import stats
from normwright.learn.languages.translating import Translator, back_translated, translated
from normwright.learn.recipes.sft import sft
from normwright.models.local import LocalModel
from normwright.models.tuning import Loop, Lora
from normwright.records import Demonstration, Estimate, Fault, InputError, Permit

STRATEGIES: Final = ("native", "translated", "back-translated", "mixed", "transfer")


@dataclass(frozen=True)
class Cell:
    """One training, or none, measured on every held-out row."""

    strategy: str
    adapters: bool
    seed: int
    rows: int
    """Rows learned from."""
    exact: dict[str, bool] = field(repr=False)
    """By held-out row: whether the reference answer is in what was said."""
    nats: dict[str, float] = field(repr=False)
    """By held-out row: nats a byte of the reference answer."""


@dataclass(frozen=True)
class Taught:
    """What one strategy came to, over its seeds."""

    strategy: str
    adapters: bool
    seeds: int
    rows: int
    exact: Mapping[str, Estimate]
    """Share of exact answers, by language; clusters are families, seeds lie within them."""
    nats: Mapping[str, Estimate]
    """Nats a byte of the reference answers, by language."""
    gap: Estimate
    """Exact answers of the other language minus those of this one, item by item."""
    gain: Estimate
    """Exact answers in this language minus those of the model as it was, item by item."""
    spread: float | None
    """Standard deviation over seeds of the exact share in this language; None for one seed."""


def learned_from(
    strategy: str,
    native: Sequence[Demonstration],
    other: Sequence[Demonstration],
    translator: Translator | None,
) -> list[Demonstration]:
    """Return the rows a strategy learns from.

    Raises:
        InputError: if it needs a translator and there is none.
    """
    if strategy in ("translated", "back-translated") and translator is None:
        raise InputError([Fault(
            where=f"strategy {strategy}", expected="something that translates", seen="nothing",
            do="Give parallel text, translated rows, or leave the strategy out.")])  # fmt: skip
    match strategy:
        case "native":
            return list(native)
        case "translated":
            assert translator is not None
            return translated(other, translator, target=native[0].lang)
        case "back-translated":
            assert translator is not None
            return [*native, *back_translated(native, translator, through=other[0].lang)]
        case "mixed":
            return [*native, *other]
        case "transfer":
            return list(other)
    raise ValueError(f"{strategy!r} is none of {', '.join(STRATEGIES)}")


def compare_languages(
    start: LocalModel,
    native: Sequence[Demonstration],
    other: Sequence[Demonstration],
    held: Sequence[Demonstration],
    *,
    loop: Loop,
    lora: Lora,
    lora_rate: float,
    seeds: Sequence[int],
    translator: Translator | None,
    strategies: Sequence[str] = STRATEGIES,
    max_new_tokens: int = 48,
    work: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> list[Cell]:
    """Return every cell: the model as it was, and strategies x (all weights, adapters) x seeds.

    Args:
        start: the model every cell starts from.
        native: rows in the language of which there is little.
        other: rows in the other language.
        held: rows of both languages that nothing learns from; a row's `family` is its cluster, and
            two rows of one `scene` but for the language are one item.
        loop: how long and how fast; its seed is replaced by each seed. With `steps` every strategy
            has the same number of updates, however many rows it has.
        lora: the adapters.
        lora_rate: learning rate for them.
        seeds: at least one.
        translator: for the strategies that translate.
        strategies: which ones.
        max_new_tokens: longest answer in tokens.
        work: where finished cells are kept as JSON lines, so that a killed comparison goes on.
        progress: told of every cell: done, in all, which.
        permit: what permits training.
        unpermitted: train without one; nothing of what is trained is kept.
    """
    plan = [("start", False, 0)]
    plan += [(s, a, seed) for s in strategies for a in (False, True) for seed in seeds]
    done = _kept(work)
    cells = []
    for number, (strategy, adapters, seed) in enumerate(plan):
        if progress is not None:
            progress(number, len(plan), f"{strategy}, {'adapters' if adapters else 'all weights'}")
        cell = done.get((strategy, adapters, seed))
        if cell is None:
            model, rows = start, 0
            if strategy != "start":
                shown = learned_from(strategy, native, other, translator)
                model, _ = sft(
                    start,
                    shown,
                    loop=replace(loop, seed=seed, lr=lora_rate if adapters else loop.lr),
                    lora=lora if adapters else None,
                    permit=permit,
                    unpermitted=unpermitted,
                )
                rows = len(shown)
            cell = Cell(strategy, adapters, seed, rows, *_measured(model, held, max_new_tokens))
            _keep(work, cell)
        cells.append(cell)
    if progress is not None:
        progress(len(plan), len(plan), "")
    return cells


def _measured(
    model: LocalModel, held: Sequence[Demonstration], longest: int
) -> tuple[dict[str, bool], dict[str, float]]:
    prompts = [row.prompt for row in held]
    said = model.generate(prompts, max_new_tokens=longest)
    likely = model.logprobs(prompts, [row.completion for row in held])
    names = [_name(row) for row in held]
    exact = {
        name: _plain(row.completion) in _plain(answers[0])
        for name, row, answers in zip(names, held, said, strict=True)
    }
    nats = {
        name: -value / len(row.completion.encode())
        for name, row, value in zip(names, held, likely, strict=True)
    }
    return exact, nats


def _name(row: Demonstration) -> str:
    return f"{row.lang}|{row.scene}"


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _kept(work: Path | None) -> dict[tuple[str, bool, int], Cell]:
    path = None if work is None else work / "cells.jsonl"
    if path is None or not path.is_file():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            cell = Cell(**json.loads(line))
        except (ValueError, TypeError):
            continue  # the line a kill cut short; its cell is made again
        found[cell.strategy, cell.adapters, cell.seed] = cell
    return found


def _keep(work: Path | None, cell: Cell) -> None:
    if work is not None:
        work.mkdir(parents=True, exist_ok=True)
        with (work / "cells.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(cell)) + "\n")


def taught(
    cells: Sequence[Cell],
    held: Sequence[Demonstration],
    *,
    language: str,
    other: str,
    seed: int = 0,
) -> list[Taught]:
    """Return what each strategy came to, in the order of the cells, with 95 % intervals."""
    groups: dict[tuple[str, bool], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.strategy, cell.adapters), []).append(cell)
    family = {_name(row): row.family for row in held}
    before = groups["start", False][0]
    return [
        _summed(found, before, family, language=language, other=other, seed=seed)
        for found in groups.values()
    ]


def _summed(
    cells: Sequence[Cell],
    before: Cell,
    family: Mapping[str, str],
    *,
    language: str,
    other: str,
    seed: int,
) -> Taught:
    def of(lang: str) -> list[str]:
        return [name for name in family if name.startswith(f"{lang}|")]

    def shares(lang: str) -> Estimate:
        found = [(float(cell.exact[n]), family[n]) for cell in cells for n in of(lang)]
        return stats.bootstrap_mean(
            [v for v, _ in found], clusters=[c for _, c in found], seed=seed
        )

    def nats(lang: str) -> Estimate:
        found = [(cell.nats[n], family[n]) for cell in cells for n in of(lang)]
        return stats.bootstrap_mean(
            [v for v, _ in found], clusters=[c for _, c in found], seed=seed
        )

    both = [n for n in of(language) if n.replace(f"{language}|", f"{other}|", 1) in family]
    twins = [n.replace(f"{language}|", f"{other}|", 1) for n in both]
    per_seed = [
        sum(cell.exact[n] for n in of(language)) / max(1, len(of(language))) for cell in cells
    ]
    return Taught(
        strategy=cells[0].strategy,
        adapters=cells[0].adapters,
        seeds=len(cells),
        rows=cells[0].rows,
        exact={lang: shares(lang) for lang in (language, other)},
        nats={lang: nats(lang) for lang in (language, other)},
        gap=_paired(
            [[float(cell.exact[n]) for n in twins] for cell in cells],
            [[float(cell.exact[n]) for n in both] for cell in cells],
            [family[n] for n in both], seed,
        ),
        gain=_paired(
            [[float(cell.exact[n]) for n in of(language)] for cell in cells],
            [[float(before.exact[n]) for n in of(language)] for _ in cells],
            [family[n] for n in of(language)], seed,
        ),
        spread=_deviation(per_seed),
    )  # fmt: skip


def _paired(
    a: Sequence[Sequence[float]], b: Sequence[Sequence[float]], clusters: Sequence[str], seed: int
) -> Estimate:
    return stats.paired_difference(
        [v for row in a for v in row],
        [v for row in b for v in row],
        clusters=list(clusters) * len(a),
        seed=seed,
    )


def _deviation(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    return float((sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5)
