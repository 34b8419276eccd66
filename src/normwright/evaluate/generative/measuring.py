"""Ask a model what a suite asks, and put beside its score what no understanding scores."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from normwright import stats
from normwright.evaluate.generative.judging import Gauged, corrected_difference, corrected_rate
from normwright.evaluate.generative.prompts import Asking, Prompt
from normwright.evaluate.generative.reading import FORMS, folded, form_of
from normwright.evaluate.generative.scoring import Generative, Reading
from normwright.evaluate.scores import ANSWERS
from normwright.models import Model
from normwright.records import (
    Digest,
    Estimate,
    Interval,
    MadeBy,
    Measurement,
    digest_json,
)

HALF: Final = 0.5
"""Share that a floor must be shown to be above."""
SHUFFLED: Final = "own-answers-shuffled"
"""The control that gives each prompt the model's answer to another one."""
RANDOM: Final = "random-init"


@dataclass(frozen=True)
class Beside:
    """What something without understanding scores on the same prompts."""

    name: str
    score: float | None
    interval: Interval | None
    lead: Estimate | None
    """The model's score less this one, unit by unit."""
    why: str = ""
    """Why there is no score."""
    parts: Mapping[str, float] = field(default_factory=dict)
    """Means of the parts of its units."""

    @property
    def beaten(self) -> bool | None:
        """Whether the model is shown to score more."""
        if self.lead is None:
            return None
        return self.lead.interval is not None and self.lead.interval.low > 0

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        at = self.interval
        return {
            "score": self.score,
            "interval": None if at is None else [at.low, at.high],
            "lead": None if self.lead is None else self.lead.as_json(),
            "beaten": self.beaten,
            "why": self.why,
            "parts": dict(self.parts),
        }


@dataclass(frozen=True)
class Reason:
    """One reason why a score says nothing."""

    kind: Literal["nothing", "level", "floor"]
    names: tuple[str, ...] = ()
    """What it is not shown to be above; or the part that is not shown to be over half."""
    what: str = ""
    """That part in words."""
    hits: float = 0.0
    n: int = 0
    low: float = 0.0
    """Least share of the part, by its exact interval."""

    def told(self, score: float | None, beside: Mapping[str, float | None]) -> str:
        """Return the reason as a sentence."""
        if score is None or self.kind == "nothing":
            return "no answer says anything that could be scored"
        if self.kind == "level":
            said = [f"{name} ({v:.4f})" for name in self.names if (v := beside[name]) is not None]
            return f"{score:.4f} is not shown to be more than {', '.join(said)}, unit by unit"
        return (
            f"{self.what}: {self.hits:g} of {self.n}, at least {self.low:.2f}, not shown to be "
            f"over half"
        )


@dataclass(frozen=True)
class GenerativeResult:
    """One model on one generative suite in one language."""

    suite: Generative
    asking: Asking
    prompts: tuple[Prompt, ...]
    """What was asked, of all that is in `asking`."""
    model: str
    model_digest: Digest
    answers: tuple[str, ...]
    reading: Reading
    score: Estimate
    metrics: Mapping[str, Estimate]
    groups: Mapping[str, Estimate]
    constants: tuple[Beside, ...]
    controls: tuple[Beside, ...]
    judge: Gauged | None
    corrected: Mapping[str, Any] | None
    reasons: tuple[Reason, ...]
    """Why the score says nothing; empty where it does."""
    seed: int
    version: str = ""
    more: Mapping[str, Any] | None = None
    """What else the caller knows of the run: the guard, the call."""

    @property
    def degenerate(self) -> bool:
        """Whether something without understanding could have made the score."""
        return bool(self.reasons)

    @property
    def why(self) -> str:
        """Why it is degenerate, or why it is not."""
        if not self.reasons:
            return _sound(self.suite)
        beside = {b.name: b.score for b in (*self.constants, *self.controls)}
        return "; ".join(r.told(self.score.value, beside) for r in self.reasons)

    @property
    def name(self) -> str:
        """What its files are called: suite and language."""
        return f"{self.asking.suite}.{self.asking.lang}"

    def distribution(self) -> dict[str, dict[str, int]]:
        """Count the labels of the answers, by the side of the unit they are on."""
        out: dict[str, Counter[str]] = {}
        for prompt, label in zip(self.prompts, self.reading.labels, strict=True):
            out.setdefault(prompt.part, Counter())[label] += 1
        return {part: dict(sorted(found.items())) for part, found in out.items()}

    def forms(self) -> dict[str, int]:
        """Count what the answers are by rule, whatever the suite makes of them."""
        found = Counter(
            form_of(a, p.text, p.lang) for p, a in zip(self.prompts, self.answers, strict=True)
        )
        return {form: found[form] for form in FORMS if found[form]}

    def as_json(self) -> dict[str, Any]:
        """Return the result as one JSON value."""
        told = [b.score for b in self.constants if b.score is not None]
        means = {name: e.value for name, e in self.metrics.items()}
        return {
            "kind": "generative-result",
            "suite": self.asking.suite,
            "lang": self.asking.lang,
            "model": self.model,
            "model_digest": self.model_digest,
            "n": sum(u.value is not None for u in self.reading.units),
            "metric": self.suite.metric,
            "better": self.suite.better,
            "bounds": list(self.suite.bounds),
            "beside": dict(self.suite.beside),
            "score": self.score.value,
            "interval": self.score.ends,
            "interval_method": self.score.interval.method if self.score.interval else None,
            "cluster": self.suite.cluster,
            "clusters": self.score.n,
            "chance": self.suite.chance,
            "constant": [{"answer": b.name, **b.as_json()} for b in self.constants],
            "majority": max(told, default=None) if self.suite.lead else None,
            "balanced": self.suite.balanced(means) if self.suite.balanced else None,
            "distribution": self.distribution(),
            "forms": self.forms(),
            "commonest": self._commonest(),
            "degenerate": self.degenerate,
            "why": self.why,
            "harness": f"normwright {self.version} generative/1".replace("  ", " "),
            "shots": 0,
            "scaffold": "chat",
            "seeds": {"items": self.seed, "resampling": self.seed, "shuffling": self.seed},
            "metrics": {name: e.as_json() for name, e in self.metrics.items()},
            "groups": {name: e.as_json() for name, e in self.groups.items()},
            "controls": [{"control": b.name, **b.as_json()} for b in self.controls],
            "judge": None if self.judge is None else self.judge.as_json(self.asking.lang),
            "corrected": self.corrected,
            "data": {"origin": self.asking.origin, "digest": self.asking.digest},
            "licence": self.asking.licence,
            "evaluation_only": self.asking.evaluation_only,
            "left_out": dict(self.asking.left_out),
            "unscored": sum(u.value is None for u in self.reading.units),
            "asked_units": len({p.unit for p in self.prompts}),
            "asked": digest_json([[p.id, p.text] for p in self.prompts]),
            "asked_items": len(self.prompts),
            **(self.more or {}),
        }  # fmt: skip

    def items(self) -> list[dict[str, Any]]:
        """Return each answer with its label, and what its unit came to."""
        units = {u.id: u for u in self.reading.units}
        return [
            {"id": p.id, "unit": p.unit, "cluster": p.cluster, "group": p.group, "part": p.part,
             "label": label, "value": units[p.unit].value, "parts": dict(units[p.unit].parts),
             "judged": dict(units[p.unit].judged), "answer": answer}
            for p, label, answer in zip(self.prompts, self.reading.labels, self.answers,
                                        strict=True)
        ]  # fmt: skip

    def measurement(self) -> Measurement:
        """Return the score as the record that a gate reads."""
        body = self.as_json()
        return Measurement(
            suite=self.asking.suite, metric=self.suite.metric, model=self.model,
            model_digest=self.model_digest, lang=self.asking.lang, estimate=self.score,
            cluster=self.suite.cluster,
            baselines={b.name: b.score for b in (*self.constants, *self.controls)
                       if b.score is not None},
            judge=None if self.judge is None else self.judge.record().digest,
            answers=digest_json(list(self.answers)),
            details={k: body[k] for k in (
                "degenerate", "why", "distribution", "forms", "corrected", "metrics", "data",
                "licence", "asked", "harness", "clusters")},
            made_by=MadeBy(stage="evaluate", plugin=self.asking.suite, seed=self.seed),
        )  # fmt: skip

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the result and every answer into a folder, and return both files."""
        folder.mkdir(parents=True, exist_ok=True)
        result, items = folder / f"{self.name}.json", folder / f"{self.name}{ANSWERS}"
        items.write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.items()), "utf-8"
        )
        body = json.dumps(self.as_json(), ensure_ascii=False, indent=2, allow_nan=False)
        result.write_text(body + "\n", "utf-8")
        return result, items

    def _commonest(self) -> dict[str, Any]:
        text, count = Counter(map(folded, self.answers)).most_common(1)[0]
        return {"answer": text[:80], "count": count, "share": count / len(self.answers)}


def ask_prompts(
    model: Model, prompts: Sequence[Prompt], *, max_new_tokens: int, seed: int, batch: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[str, ...]:  # fmt: skip
    """Return a model's greedy answer to each prompt.

    Raises:
        ValueError: if the model does not give exactly one answer a prompt.
    """
    out: list[str] = []
    for start in range(0, len(prompts), batch):
        part = prompts[start : start + batch]
        made = model.generate([p.messages for p in part], max_new_tokens=max_new_tokens, seed=seed)
        if len(made) != len(part) or any(len(texts) != 1 for texts in made):
            raise ValueError(f"{model.name}: expected one answer for each of {len(part)} prompts")
        out += [texts[0] for texts in made]
        if progress:
            progress(len(out), len(prompts))
    return tuple(out)


def measure_answers(
    suite: Generative, asking: Asking, prompts: Sequence[Prompt], answers: Sequence[str], *,
    model: str, model_digest: Digest, judge: Gauged | None, seed: int,
    random_init: Sequence[str] | str = "nobody asked them", version: str = "",
    more: Mapping[str, Any] | None = None,
) -> GenerativeResult:  # fmt: skip
    """Return what answers amount to, with constants and controls scored on the same prompts.

    Args:
        suite: how answers are scored.
        asking: where the prompts come from.
        prompts: those asked; units are whole.
        answers: one a prompt.
        model: name of what answered.
        model_digest: its digest.
        judge: whose errors the score is corrected for; None: there is none.
        seed: of resampling and of shuffling.
        random_init: answers of random weights of the same shape, or why there are none.
        version: of this package.
        more: further keys of the JSON.

    Raises:
        ValueError: if prompts and answers do not match, or there are none.
    """
    if not prompts or len(prompts) != len(answers):
        raise ValueError(f"{len(prompts)} prompts but {len(answers)} answers")
    reading = suite.score(prompts, answers)
    beside = _Beside(suite, reading, seed)
    constants = tuple(
        beside(name, suite.score(prompts, [answer(p) for p in prompts]))
        for name, answer in suite.constants.items()
    )
    shuffled = shuffled_answers(prompts, answers, seed=seed)
    controls = [
        Beside(SHUFFLED, None, None, None, "one unit alone") if shuffled is None
        else beside(SHUFFLED, suite.score(prompts, shuffled)),
        Beside(RANDOM, None, None, None, random_init) if isinstance(random_init, str)
        else beside(RANDOM, suite.score(prompts, random_init)),
    ]  # fmt: skip
    metrics = _metrics(reading, seed)
    score = _mean(reading, seed, suite.bounds)
    held = _hollow(suite, score, (*constants, *controls), reading)
    return GenerativeResult(
        suite, asking, tuple(prompts), model, model_digest, tuple(answers), reading, score,
        metrics, _groups(reading, seed, suite.bounds), constants, tuple(controls), judge,
        _corrected(suite, reading, judge, asking.lang, seed), held, seed, version, more,
    )  # fmt: skip


def shuffled_answers(
    prompts: Sequence[Prompt], answers: Sequence[str], *, seed: int
) -> list[str] | None:
    """Return the answers dealt to other prompts; None where there is one unit.

    Who answers without reading scores the same by them. The prompts are put in an order by the
    seed and each gets its neighbour's answer, so that nobody keeps an own one; both sides of a pair
    are dealt together, for a side may be known by its answers alone.
    """
    if len({p.unit for p in prompts}) < 2:
        return None
    order = random.Random(f"shuffled/{seed}").sample(range(len(prompts)), len(prompts))
    out = list(answers)
    for at, i in enumerate(order):
        out[i] = answers[order[at - 1]]
    return out


@dataclass(frozen=True)
class _Beside:
    """Scores something on the same units as the model."""

    suite: Generative
    mine: Reading
    seed: int

    def __call__(self, name: str, theirs: Reading) -> Beside:
        score, parts = _mean(theirs, self.seed, self.suite.bounds), _means(theirs)
        if not self.suite.lead:
            return Beside(name, score.value, score.interval, None, parts=parts)
        values = theirs.values()
        kept = [u for u in self.mine.units if u.value is not None and u.id in values]
        low, high = self.suite.bounds
        lead = stats.bootstrap_mean(
            [(u.value or 0.0) - values[u.id] for u in kept], clusters=[u.cluster for u in kept],
            seed=self.seed, bounds=(low - high, high - low),
        )  # fmt: skip
        return Beside(name, score.value, score.interval, lead, parts=parts)


def _mean(reading: Reading, seed: int, bounds: tuple[float, float]) -> Estimate:
    kept = [u for u in reading.units if u.value is not None]
    return stats.bootstrap_mean(
        [u.value or 0.0 for u in kept], clusters=[u.cluster for u in kept], seed=seed,
        bounds=bounds,
    )  # fmt: skip


def _means(reading: Reading) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for unit in reading.units:
        for name, value in unit.parts.items():
            found.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in found.items()}


def _metrics(reading: Reading, seed: int) -> dict[str, Estimate]:
    names = dict.fromkeys(name for u in reading.units for name in u.parts)
    out = {}
    for name in names:
        kept = [u for u in reading.units if name in u.parts]
        out[name] = stats.bootstrap_mean(
            [u.parts[name] for u in kept], clusters=[u.cluster for u in kept], seed=seed,
            bounds=(0.0, 1.0),
        )  # fmt: skip
    return out


def _groups(reading: Reading, seed: int, bounds: tuple[float, float]) -> dict[str, Estimate]:
    names = sorted({u.group for u in reading.units})
    if len(names) < 2:
        return {}
    return {
        name: _mean(Reading((), tuple(u for u in reading.units if u.group == name)), seed, bounds)
        for name in names
    }


def _hollow(
    suite: Generative, score: Estimate, beside: Sequence[Beside], reading: Reading
) -> tuple[Reason, ...]:
    """Why a score says nothing; empty where it does."""
    if score.value is None:
        return (Reason("nothing"),)
    level = tuple(b.name for b in beside if b.beaten is False) if suite.lead else ()
    out = [Reason("level", level)] if level else []
    at = score.interval
    shown = at is not None and not at.low <= 0 <= at.high
    for part, what in suite.floors.items():
        if shown and part in suite.excused:
            continue
        kept = [u for u in reading.units if part in u.parts]
        hits = sum(u.parts[part] for u in kept)
        low = stats.clopper_pearson(hits, len(kept)).low if kept else 0.0
        if low <= HALF:
            out.append(Reason("floor", (part,), what, hits, len(kept), low))
    return tuple(out)


def _sound(suite: Generative) -> str:
    said = ["above every constant and control, unit by unit"] if suite.lead else []
    said += [f"{what}: shown to be over half" for what in suite.floors.values()]
    return "; ".join(said)


def _corrected(
    suite: Generative, reading: Reading, judge: Gauged | None, lang: str, seed: int
) -> dict[str, Any] | None:
    """What the judged parts are behind the judge's errors; None without measured errors."""
    if judge is None or lang not in judge.errors or not suite.judged:
        return None
    errors, out = judge.errors[lang], {}
    for part in suite.judged:
        kept = [u for u in reading.units if part in u.parts]
        if kept:
            out[part] = corrected_rate(
                [u.parts[part] > 0 for u in kept], [u.cluster for u in kept], errors
            ).as_json()
    if suite.difference:
        kept = [u for u in reading.units if u.value is not None]
        out["difference"] = corrected_difference(
            [u.value or 0.0 for u in kept], [u.cluster for u in kept], errors, seed=seed
        ).as_json()
    return out
