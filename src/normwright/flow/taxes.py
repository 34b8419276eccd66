"""What alignment cost: two models, or two folders of results, suite by suite and format by format.

A side is a folder of `evaluate run --out` or the directory of a model, which is then asked here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from normwright.evaluate import Benchmark, Score, Tax
    from normwright.models.local import LocalModel

Told: TypeAlias = Callable[[int, int, str], None]

FORMATS: Final = ("bare", "chat", "few-shot", "english-words")
"""How a question may be put: the stock prompt alone, in the model's chat template, after examples,
and (of Portuguese questions) with English words around it."""


@dataclass(frozen=True)
class TaxMeasured:
    """The tax with where it was measured."""

    tax: Tax
    before: str
    after: str
    data: Path | None
    limit: int | None
    shots: int

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "before": self.before, "after": self.after,
            "data": None if self.data is None else str(self.data), "limit": self.limit,
            "shots": self.shots, **self.tax.as_json(),
        }  # fmt: skip


def measured_tax(
    before: Path,
    after: Path,
    *,
    margin: float,
    suites: Sequence[str] = (),
    data: Path | None = None,
    formats: Sequence[str] = ("bare",),
    shots: int = 5,
    limit: int | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    threads: int | None = None,
    told: Told | None = None,
) -> TaxMeasured:
    """Return the tax between two places.

    Args:
        before: the model that was aligned, or its results.
        after: what came of it, or its results.
        margin: the greatest loss that would be borne.
        suites: what models are asked; of results, what is compared (all there is if none is named).
        data: a folder of real data, or the file of the one suite that is named.
        formats: how models are asked, the first being `bare`.
        shots: examples before a question in the format `few-shot`.
        limit: questions of each suite and language, at most.
        alpha: one-sided error over all suites.
        seed: seed of sample and resampling.
        threads: None is one a core.
        told: told how far asking is.

    Raises:
        InputError: with every fault of the arguments, places and files.
        MissingExtra: if models are to be asked and what opens them is not installed.
    """
    from normwright.evaluate import alignment_tax

    models = [is_model(place) for place in (before, after)]
    faults = _faults((before, after), models, suites, data, formats, shots)
    if faults:
        raise InputError(faults)
    if not any(models):
        old, new = (_named(_read(place), suites) for place in (before, after))
        tax = alignment_tax(old, new, margin=margin, alpha=alpha, seed=seed)
        return TaxMeasured(tax, str(before), str(after), None, None, 0)
    assert data is not None
    sides, notes = _asked(
        (before, after), models, suites=suites, data=data, formats=formats, shots=shots,
        limit=limit, seed=seed, threads=threads, told=told or (lambda done, total, what: None),
    )  # fmt: skip
    tax = alignment_tax(
        sides[0]["bare"], sides[1]["bare"], margin=margin, alpha=alpha, seed=seed,
        formats={name: (sides[0][name], sides[1][name]) for name in formats if name != "bare"},
    )  # fmt: skip
    tax = replace(tax, notes=(*tax.notes, *notes))
    return TaxMeasured(tax, str(before), str(after), data, limit,
                       shots if "few-shot" in formats else 0)  # fmt: skip


def is_model(place: Path) -> bool:
    """Say whether a place is the directory of a model, and not one of results."""
    return (place / "config.json").is_file()


def _read(place: Path) -> list[Score]:
    from normwright.flow.scores import read_any

    return read_any(place)


def _named(scores: Sequence[Score], suites: Sequence[str]) -> list[Score]:
    # A tax is what is lost of what a model can do: written answers are compared, not taxed.
    return [s for s in scores if s.written is None and (not suites or s.suite in suites)]


def _faults(
    places: Sequence[Path], models: Sequence[bool], suites: Sequence[str], data: Path | None,
    formats: Sequence[str], shots: int,
) -> list[Fault]:  # fmt: skip
    from normwright.evaluate import BENCHMARKS

    faults = [
        Fault(where="--format", expected=f"one of {', '.join(FORMATS)}", seen=name)
        for name in formats if name not in FORMATS
    ]  # fmt: skip
    if len(formats) > 1 and not all(models):
        faults += [
            Fault(where=str(place), expected="the directory of a model, to be asked in formats",
                  seen="results" if place.exists() else "nothing there")
            for place, model in zip(places, models, strict=True) if not model
        ]  # fmt: skip
    if any(models):
        if not suites:
            faults.append(Fault(where="--suite", expected="what models are asked", seen="none",
                                do=f"Name some of {', '.join(BENCHMARKS)}."))  # fmt: skip
        if data is None or not data.exists():
            faults.append(Fault(where="--data", expected="a folder or file of the suites' rows",
                                seen="none" if data is None else f"nothing at {data}"))  # fmt: skip
        elif data.is_file() and len(suites) > 1:
            faults.append(Fault(where="--data", expected="a folder, for several suites",
                                seen=str(data)))  # fmt: skip
    elif data is not None:
        faults.append(Fault(where="--data", expected="none, for results", seen=str(data)))
    if "few-shot" in formats and shots < 1:
        faults.append(Fault(where="--shots", expected="at least 1", seen=str(shots)))
    return faults


def _asked(
    places: Sequence[Path], models: Sequence[bool], *, suites: Sequence[str], data: Path,
    formats: Sequence[str], shots: int, limit: int | None, seed: int, threads: int | None,
    told: Told,
) -> tuple[list[dict[str, list[Score]]], list[str]]:  # fmt: skip
    """Scores of each side by format, and what a reader has to know of how they were asked."""
    from normwright.flow.extras import require_learning

    require_learning("Asking models")
    from normwright.models.local import use_threads

    use_threads(threads)
    benchmarks = read_named(suites, data, limit, seed)
    opened, notes = _opened(places, models, "chat" in formats)
    sides: list[dict[str, list[Score]]] = [
        {name: [] for name in formats} if model else {"bare": _named(_read(place), suites)}
        for place, model in zip(places, opened, strict=True)
    ]
    asked = [m for m in opened if m is not None]
    total, done = len(benchmarks) * len(formats) * len(asked), 0
    for benchmark in benchmarks:
        for name in formats:
            with tempfile.TemporaryDirectory(prefix="normwright-") as folder:
                ask, why = _asking(benchmark, name, Path(folder), data, shots)
                if ask is None:
                    notes.append(why)
                    continue
                for side, model, place in zip(sides, opened, places, strict=True):
                    if model is None:
                        continue
                    told(done, total, f"{benchmark.task}, {name}, {model.name}")
                    done += 1
                    side[name].append(_score(ask, model, str(place), seed))
    told(total, total, "")
    return sides, notes


def read_named(suites: Sequence[str], data: Path, limit: int | None, seed: int) -> list[Benchmark]:
    """Return the suites of a folder, or the one of a file in the first language it is known in."""
    from normwright.evaluate import languages, read_benchmarks

    place: Path | Mapping[str, Path] = data
    if data.is_file() and suites and languages(suites[0]):
        place = {f"{suites[0]}-{languages(suites[0])[0]}": data}
    return read_benchmarks(place, suites=suites, limit=limit, seed=seed)


def _opened(
    places: Sequence[Path], models: Sequence[bool], chat: bool
) -> tuple[list[LocalModel | None], list[str]]:
    """The models; one without a chat template is lent the other's, so that formats match."""
    from normwright.models.local import LocalModel

    opened = [
        LocalModel.open(place, chat=False) if model else None
        for place, model in zip(places, models, strict=True)
    ]
    if not chat:
        return opened, []
    known = [m.tokenizer.chat_template for m in opened if m is not None]
    lent = next((template for template in reversed(known) if template), None)
    if lent is None:
        raise InputError([Fault(where="--format chat", expected="a chat template of A or B",
                                seen="none", do="Leave the format out.")])  # fmt: skip
    notes = []
    for model, place in zip(opened, places, strict=True):
        if model is not None and not model.tokenizer.chat_template:
            model.tokenizer.chat_template = lent
            notes.append(f"{place} has no chat template and was asked in the other model's.")
    return opened, notes


def _asking(
    benchmark: Benchmark, name: str, folder: Path, data: Path, shots: int
) -> tuple[Any, str]:
    """How a benchmark is asked in a format; or None, and why it cannot be."""
    from normwright.evaluate import Examples, asking, examples_of
    from normwright.evaluate.harness import harness_version
    from normwright.flow.suites import NO_SHOTS

    version = harness_version()
    if name == "english-words" and benchmark.lang != "pt":
        return None, f"{benchmark.task}: its words are English already; not asked in english-words."
    if name == "english-words" and benchmark.suite not in ("arc-challenge", "truthfulqa-mc1",
                                                            "truthfulqa-mc2", "enem"):  # fmt: skip
        return None, f"{benchmark.task}: there are no English words for it."
    if name != "few-shot":
        words: Any = "stock" if name == "english-words" else "language"
        return asking(benchmark, folder, version=version, scaffold=words, chat=name == "chat"), ""
    if benchmark.suite in NO_SHOTS:
        return None, f"{benchmark.task}: not asked few-shot. {NO_SHOTS[benchmark.suite]}"
    own = examples_of(data, benchmark.suite, benchmark.lang, None)
    count = len(benchmark.items) - 1 if own is None else len(own[0])
    if count < shots:
        return None, f"{benchmark.task}: not asked few-shot, as there are {count} examples only."
    given = Examples(shots, None, "the questions asked, never the same one") if own is None else (
        Examples(shots, own[0], own[1].name))  # fmt: skip
    return asking(benchmark, folder, version=version, examples=given), ""


def _score(ask: Any, model: LocalModel, place: str, seed: int) -> Score:
    from normwright.evaluate import suite_result
    from normwright.learn.weights import weights_digest

    scored = ask(model, role="model", digest=weights_digest(model), seed=seed)
    found = suite_result(
        scored, model=place, seeds={"items": seed, "resampling": seed}, shortcut=False,
        random_init="not asked",
    )  # fmt: skip
    return found.score()
