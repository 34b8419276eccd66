"""Put a model through the moral battery: open it, read what it is asked, decide, write it down."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pydantic import ValidationError

from normwright.records import (
    CaseAnswer,
    CaseItem,
    CaseScore,
    Digest,
    Estimate,
    Fault,
    InputError,
    MoralFigure,
    MoralReport,
    json_rows,
)
from normwright.store import write_whole

if TYPE_CHECKING:
    from normwright.evaluate.moral import Rows
    from normwright.models import Model

Told: TypeAlias = Callable[[int, int, str], None]
"""Called with (prompts answered, prompts in all, what is asked)."""
Fits: TypeAlias = Callable[[Sequence[Any], str], bool]

LIMIT: Final = 200
"""Scenarios of each source that are drawn where nobody says how many."""
ANSWER_TOKENS: Final = 256
"""Length of an answer to a case: a verdict, the norms in words, what is missing."""
CASES: Final = "cases"
RANDOM_INIT: Final = "random-init"
FIGURES: Final[Mapping[str, str]] = {
    "verdicts": "accuracy",
    "norms-f1": "norms_f1",
    "charter-swap": "swap_pairs",
    "near-misses": "near_miss_pairs",
    "conflicts-recognised": "conflict_recognised",
    "conflicts-overused": "conflict_overused",
    "missing-asked": "missing_asked",
    "missing-named": "missing_named",
    "asked-needlessly": "asked_needlessly",
}
"""Figure of the part `charter` -> field of the figures of cases."""


@dataclass(frozen=True)
class MoralAsked:
    """What is put to the model besides the scenarios of this project."""

    languages: tuple[str, ...]
    data: Path | None = None
    cases: Path | None = None
    limit: int | None = LIMIT
    seed: int = 0


def keeping(found: Opened, folder: Path, *, seed: int) -> Opened:
    """Return models whose answers are kept in a folder, in files named after the model's digest."""
    from normwright.flow.kept_answers import KeptAnswers

    digest = found.digest.removeprefix("sha256:")[:16]
    control = found.control
    return replace(
        found,
        model=KeptAnswers(found.model, folder / f"{digest}.jsonl"),
        control=None if control is None
        else KeptAnswers(control, folder / f"{digest}-{RANDOM_INIT}-{seed}.jsonl"),
    )  # fmt: skip


def moral_report(
    model: Model,
    asked: MoralAsked,
    *,
    digest: Digest,
    control: Model | None = None,
    fits: Fits | None = None,
    told: Told | None = None,
) -> MoralReport:
    """Return what the battery finds about a model.

    Args:
        model: what is asked.
        asked: what it is asked.
        digest: of the model.
        control: the same with random weights, whose figures stand beside.
        fits: whether the model can read a conversation whole; what it cannot is left out, counted.
        told: told how far it is.

    Raises:
        InputError: with every fault of the files.
    """
    from normwright.evaluate import moral

    began = time.monotonic()
    rows = [] if asked.data is None else moral.read_rows(
        asked.data, limit=asked.limit, seed=asked.seed)  # fmt: skip
    items = () if asked.cases is None else read_cases(asked.cases, limit=asked.limit,
                                                      seed=asked.seed)  # fmt: skip
    known = moral.languages()
    frames = [f for lang in asked.languages if lang in known
              for f in moral.frames(lang)[: asked.limit]]  # fmt: skip
    scenarios = tuple(s for r in rows for s in r.scenarios if s.lang in asked.languages)
    if rows and not scenarios:
        raise InputError([_other_language(asked, rows)])
    battery = moral.Battery(tuple(frames), scenarios, asked.limit)
    readable = None if fits is None else lambda q: fits(q.prompt, max(q.answers, key=len))
    answered = moral.run(model, battery, fits=readable, told=told)
    beside = {} if control is None else {
        RANDOM_INIT: moral.run(control, battery, fits=readable, told=told)}  # fmt: skip
    found = moral.figures(answered, seed=asked.seed, controls=beside)
    items = tuple(item for item in items if item.lang in asked.languages)
    kept = tuple(i for i in items if fits is None or fits(i.prompt, i.answer))
    if kept:
        found += charter_figures(model, kept, seed=asked.seed, control=control, told=told)
    return moral.report(
        found, answered=answered, model=model.name, model_digest=digest, seed=asked.seed,
        limit=asked.limit,
        sources=_sources(frames, rows, items, kept, asked.languages),
        seconds=time.monotonic() - began,
    )  # fmt: skip


def _sources(
    frames: Sequence[Any], rows: Sequence[Rows], items: Sequence[CaseItem],
    kept: Sequence[CaseItem], languages: Sequence[str],
) -> dict[str, dict[str, Any]]:  # fmt: skip
    told: dict[str, dict[str, Any]] = {}
    if frames:
        told["native"] = {"drawn": len({f.id for f in frames})}
    for r in rows:
        if r.unread:
            told[r.source] = {"unread": r.unread}
            continue
        own = sum(s.lang in languages for s in r.scenarios)
        told[r.source] = {"drawn": own, "of": r.of}
        if own < len(r.scenarios):
            told[r.source]["other_language"] = len(r.scenarios) - own
    if items:
        told[CASES] = {"drawn": len(kept), "too_long": len(items) - len(kept)}
    return told


def _other_language(asked: MoralAsked, rows: Sequence[Rows]) -> Fault:
    held = sorted({s.lang for r in rows for s in r.scenarios})
    return Fault(where=str(asked.data), expected=f"scenarios in {', '.join(asked.languages)}",
                 seen=f"only {', '.join(held)}",
                 do="Ask in a language they are in, or leave --lang out.")  # fmt: skip


# Cases


def read_cases(path: Path, *, limit: int | None, seed: int) -> tuple[CaseItem, ...]:
    """Return the items of a file of `charter cases --as items`, whole units of them.

    Raises:
        InputError: with every fault of the file.
    """
    import random

    faults: list[Fault] = []
    items = []
    for number, body in json_rows(path, str(path), faults):
        try:
            items.append(CaseItem.model_validate_json(json.dumps(body)))
        except ValidationError as error:
            faults += [
                Fault(where=f"{path}:{number}: {'.'.join(map(str, one['loc']))}",
                      expected="a case of `normwright charter cases --as items`", seen=one["msg"])
                for one in error.errors(include_url=False, include_input=False)
            ]  # fmt: skip
    if not items and not faults:
        faults.append(Fault(where=str(path), expected="cases", seen="none",
                            do="normwright charter cases DIR --as items --out FILE"))  # fmt: skip
    if faults:
        raise InputError(faults)
    units = sorted({item.unit for item in items})
    if limit is not None and limit < len(units):
        chosen = set(random.Random(seed).sample(units, limit))
        items = [item for item in items if item.unit in chosen]
    return tuple(items)


def charter_figures(
    model: Model,
    items: Sequence[CaseItem],
    *,
    seed: int,
    control: Model | None = None,
    told: Told | None = None,
) -> list[MoralFigure]:
    """Return how a model does on cases that the resolver has decided, a language at a time.

    It answers in words, which are read for the verdict, the norms cited and the facts missing. Only
    `verdict-choice` is by log-probability: which of the verdicts it holds the likeliest answer.
    """
    from normwright.charter.drawing import score
    from normwright.evaluate.moral import judged

    found = score(items, case_answers(model, items, told=told), seed=seed)
    beside = {"constant": score(items, _constant(items), seed=seed, rounds=1)}
    if control is not None:
        beside[RANDOM_INIT] = score(items, case_answers(control, items, told=told), seed=seed,
                                    rounds=1)  # fmt: skip
    chosen = _verdict_choices(model, items, seed)
    figures = []
    for lang, own in found.languages.items():
        for name, field in FIGURES.items():
            figures.append(judged(
                part="charter", name=name, source=CASES, lang=lang, unit="unit",
                estimate=getattr(own, field), baselines=_beside(beside, lang, field),
            ))  # fmt: skip
        figures.append(judged(part="charter", name="verdict-choice", source=CASES, lang=lang,
                              unit="unit", estimate=chosen[lang],
                              baselines=_beside({"constant": beside["constant"]}, lang,
                                                "accuracy")))  # fmt: skip
    figures += [
        judged(part="charter", name=f"gap-{pair}", source=CASES, lang=None, unit="unit",
               estimate=gap)
        for pair, gap in found.gaps.items()
    ]  # fmt: skip
    return figures


def _beside(scores: Mapping[str, CaseScore], lang: str, field: str) -> dict[str, float]:
    values = {name: getattr(s.languages[lang], field).value for name, s in scores.items()}
    return {name: value for name, value in values.items() if value is not None}


def case_answers(
    model: Model, items: Sequence[CaseItem], *, told: Told | None = None, at_once: int = 64
) -> list[CaseAnswer]:
    """Return what a model answers in words, read."""
    answers = []
    for start in range(0, len(items), at_once):
        part = items[start : start + at_once]
        texts = model.generate([i.prompt for i in part], max_new_tokens=ANSWER_TOKENS)
        answers += [read_case(item, text[0]) for item, text in zip(part, texts, strict=True)]
        if told is not None:
            told(min(start + at_once, len(items)), len(items), f"{model.name}, cases")
    return answers


def read_case(item: CaseItem, text: str) -> CaseAnswer:
    """Return what an answer says; facts named as missing count by their words in the right answer.

    Where they are exactly the right ones they get their names; others are kept as they are told.
    """
    from normwright.charter.drawing import read_answer

    read = read_answer(item, text)
    named, right = (_missing(t, item.lang) for t in (text, item.answer))
    unknown = item.unknown if named and named == right else tuple(sorted(named))
    return read.model_copy(update={"unknown": unknown})


def _missing(text: str, lang: str) -> frozenset[str]:
    from normwright.charter.drawing.wordings import wordings

    told = str(wordings([lang])[lang].words["answers"]["missing"])
    before, after = map(re.escape, told.split("{v}"))
    found = re.search(rf"{before}(.*?){after}(?:\s|$)", text, re.DOTALL)
    return frozenset(found[1].split("; ")) if found else frozenset()


def _constant(items: Sequence[CaseItem]) -> Iterator[CaseAnswer]:
    """The most frequent verdict of each language to everything, without a norm."""
    from collections import Counter

    for lang in {item.lang for item in items}:
        own = [item for item in items if item.lang == lang]
        counts = Counter(item.verdict for item in own).most_common()
        best = min(counts, key=lambda pair: (-pair[1], pair[0]))[0]
        yield from (CaseAnswer(id=item.id, lang=lang, verdict=best) for item in own)


def _verdict_choices(model: Model, items: Sequence[CaseItem], seed: int) -> dict[str, Estimate]:
    from normwright.charter.drawing import VERDICTS
    from normwright.charter.drawing.wordings import wordings
    from normwright.stats import bootstrap_mean

    right: dict[str, tuple[list[float], list[str]]] = {}
    for item in items:
        words = wordings([item.lang])[item.lang].words["verdicts"]
        answers = [f"{words[v]}." for v in VERDICTS]
        scores = model.logprobs([item.prompt] * len(answers), answers)
        best = max(range(len(scores)), key=scores.__getitem__)
        clear = scores.count(scores[best]) == 1
        values, units = right.setdefault(item.lang, ([], []))
        values.append(float(clear and VERDICTS[best] == item.verdict))
        units.append(item.unit)
    return {
        lang: bootstrap_mean(values, clusters=units, seed=seed, bounds=(0.0, 1.0))
        for lang, (values, units) in right.items()
    }


# Models


@dataclass(frozen=True)
class Opened:
    """A model as the battery needs it."""

    model: Model
    digest: Digest
    control: Model | None
    fits: Fits | None


def opened(
    place: str,
    *,
    served: str | None = None,
    key_env: str | None = None,
    tokenizer: str | None = None,
    control: bool = True,
    seed: int = 0,
    threads: int | None = None,
) -> Opened:
    """Return the model of a directory or an address.

    Args:
        place: a directory, or an address that speaks as OpenAI's does and scores given texts.
        served: what the address calls the model, if it has several.
        key_env: environment variable that holds the address's key.
        tokenizer: directory of the tokenizer of a model at an address: only with its chat template
            is it known what a log-probability is asked of.
        control: whether random weights of the same shape are made too, where weights are at hand.
        seed: of the random weights.
        threads: None is one a core.

    Raises:
        InputError: naming everything that is wrong with the place.
        MissingExtra: if no model can be opened here.
    """
    if place.startswith(("http://", "https://")):
        from normwright.flow.suites import remote_of

        if tokenizer is None or not Path(tokenizer).is_dir():
            raise InputError([Fault(
                where="--tokenizer", expected="the directory of the model's tokenizer",
                seen="none" if tokenizer is None else f"{tokenizer}, which is no directory",
                do="The battery asks for log-probabilities, and only the chat template beside the "
                "tokenizer says what the model reads: give --tokenizer DIR.",
            )])  # fmt: skip
        far = remote_of(place, served=served, key_env=key_env, tokenizer=tokenizer)
        return Opened(far, far.settings.identity, None, None)
    said = {"--served": served, "--key-env": key_env, "--tokenizer": tokenizer}
    if wrong := [option for option, value in said.items() if value]:
        raise InputError([Fault(where=option, expected="a model at an address",
                                seen=f"{place} on disk") for option in wrong])  # fmt: skip
    from normwright.flow.extras import require_learning

    require_learning("The moral battery")
    from normwright.learn import fresh_like, weights_digest
    from normwright.models.alternatives import Alternatives
    from normwright.models.local import LocalModel, use_threads

    use_threads(threads)
    model = LocalModel.open(Path(place))
    fresh = fresh_like(model, seed=seed) if control else None
    if fresh is not None:
        fresh.weights.to(model.weights.device)
    return Opened(Alternatives(model), weights_digest(model),
                  None if fresh is None else Alternatives(fresh), model.fits)  # fmt: skip


# Writing


def write_report(report: MoralReport, out: Path) -> tuple[Path, ...]:
    """Write `moral.json`, the report, and `measurements.jsonl`, its rows of evidence."""
    from normwright.evaluate.moral import measurements

    out.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"{m.model_dump_json()}\n" for m in measurements(report))
    files = {"moral.json": report.model_dump_json(indent=1) + "\n", "measurements.jsonl": rows}
    for name, text in files.items():
        write_whole(out / name, text.encode("utf-8"))
    return tuple(out / name for name in files)


__all__ = [
    "LIMIT",
    "MoralAsked",
    "Opened",
    "case_answers",
    "charter_figures",
    "keeping",
    "moral_report",
    "opened",
    "read_case",
    "read_cases",
    "write_report",
]
