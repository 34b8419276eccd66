"""Benchmarks through lm-evaluation-harness, each number beside what no understanding would score.

| suite | metric | is |
|---|---|---|
| `arc-easy`, `arc-challenge` | `acc`, `acc_norm` | share of questions whose right answer is likeliest; `_norm`: a character |
| `truthfulqa-mc1` | `acc` | share of questions whose best answer is likeliest |
| `truthfulqa-mc2` | `acc` | share of the probability that lies on true answers |
| `toxigen` | `acc`, `acc_norm` | share of statements about which `Yes` or `No`, it is hateful, is right |
| `toxigen` | `balanced-accuracy`, `auc` | mean of both rates; P(a hateful one has the greater margin of `Yes`) |

A number is the harness's own on the same items: it makes the prompts and counts. Next to it stand
what constant rules score on the very items, and an exact test against each of them; a score that a
constant answer could have made is flagged `degenerate`. That is the trap of a published headline:
on ToxiGen, always saying `No` is a point short of it (arXiv 2406.11039).

| rule | answers with |
|---|---|
| `always-no`, `always-yes` | that answer |
| `best-position` | the answer at the one place that is right most often on these items |
| `longest`, `shortest` | that answer, in characters; ties by a coin that the seed fixes |
| `equal-tokens` | what weights that hold every token equally likely would, through the same harness |
| `no-question` | what the model itself holds likeliest when it is not shown the question |

Log-likelihood is compared without a chat template and with no examples but those in the stock
prompt (six, for TruthfulQA). Where TruthfulQA ties, the harness takes the first answer, which is
the right one; ties are counted. Portuguese items get a Portuguese scaffold, `scaffold="stock"` the
English one of the stock task. No criterion of release may ask for these suites.

Not shown: anything about answers that a model writes. ARC: Clark et al., arXiv 1803.05457.
TruthfulQA: Lin et al., arXiv 2109.07958. ToxiGen: Hartvigsen et al., arXiv 2203.09509; its file
holds annotated rows of the training split, not the 940 of the published test. Portuguese: Lai et
al., arXiv 2307.16039 (CC BY-NC 4.0: evaluation only).
"""  # noqa: E501

from __future__ import annotations

import math
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from normwright import plugins, stats
from normwright.evaluate.benchmark_rows import NON_COMMERCIAL, SUITES, Benchmark, read_benchmarks
from normwright.evaluate.harness import (
    Known,
    Reckoned,
    harness_version,
    likelihoods,
    load_task,
    reckon,
)
from normwright.plugins import Card, plugin
from normwright.records import Contrast, Digest, Estimate, MadeBy, Measurement, digest_json

if TYPE_CHECKING:
    from normwright.models.local import LocalModel

Scaffold: TypeAlias = Literal["language", "stock"]

COMPARED: Final = (("aligned", "tuned"), ("aligned", "base"))
"""(better, worse): roles compared item by item, where both are there."""

LEVEL: Final = 0.05
"""A constant is beaten where the score is greater and the exact p-value is less than this."""

_CUES: Final[Mapping[tuple[str, str], str]] = {
    ("arc", "en"): "Answer:",
    ("arc", "pt"): "Resposta:",
    ("truthfulqa", "en"): "A:",
    ("truthfulqa", "pt"): "R:",
}
"""What stands before the answers when the question is left out."""


@dataclass(frozen=True)
class Scored:
    """What one model made of one suite in one language."""

    benchmark: Benchmark
    reckoned: Reckoned
    bare: tuple[tuple[float, ...], ...] | None
    """Log-likelihood of each answer without its question; None where that is a constant answer."""
    role: str
    model_digest: Digest
    seed: int
    about: Mapping[str, Any]
    """What goes into the details of every measurement as it is."""
    seconds: float = 0.0


def measure_benchmarks(
    place: Path | Mapping[str, Path],
    models: Mapping[str, LocalModel],
    *,
    digests: Mapping[str, Digest],
    seed: int,
    suites: Sequence[str] = SUITES,
    limit: int | None = None,
    scaffold: Scaffold = "language",
    scratch: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> list[Measurement | Contrast]:
    """Return every measurement of the models on the benchmarks, and the contrasts of models.

    Args:
        place: a folder of real data, or files by task (`arc-easy-en`); either schema is read.
        models: what is measured, by role; a random initialisation is one more role.
        digests: what was measured, by role.
        seed: seed of the sample and of the resampling.
        suites: names of suites; each is measured in every language that is there.
        limit: items asked of each suite and language, at most; None asks all.
        scaffold: the words around a Portuguese item: Portuguese, or the stock task's English ones.
        scratch: where the harness may keep rows and caches meanwhile; None takes the system's own
            temporary folder. Nothing is left there.
        progress: called with (done, in all, "task, role") before each and at the end.

    Raises:
        InputError: naming every fault of the files and suites.
        MissingExtra: if the harness is not installed.
        ValueError: if a role has no digest.
    """
    version = harness_version()
    lacking = sorted(set(models) - set(digests))
    if lacking:
        raise ValueError(f"each role needs a digest; {', '.join(lacking)} has none")
    benchmarks = read_benchmarks(place, suites=suites, limit=limit, seed=seed)
    tell = progress or (lambda done, total, what: None)
    total, done = len(benchmarks) * len(models), 0
    known: dict[str, Known] = {role: {} for role in models}
    out: list[Measurement | Contrast] = []
    with tempfile.TemporaryDirectory(prefix="normwright-", dir=scratch) as folder:
        for benchmark in benchmarks:
            stock = scaffold == "stock" and benchmark.lang != "en"
            name = f"{benchmark.task}-stock" if stock else benchmark.task
            task = load_task(name, [i.row for i in benchmark.items], Path(folder))
            words = "en" if stock else benchmark.lang
            cue = _CUES.get((benchmark.suite.split("-")[0], words))
            about = {
                **_about(benchmark),
                "task": name,
                "task_file": task.digest,
                "task_version": task.version,
                "harness": f"lm-evaluation-harness {version}",
                "few_shot": 0,
                "scaffold": words,
                "chat_template": False,
                "no_question": cue,
            }
            scored: dict[str, Scored] = {}
            for role, model in models.items():
                tell(done, total, f"{name}, {role}")
                done, start = done + 1, time.monotonic()
                reckoned = reckon(task, model, known=known[role])
                bare = likelihoods(model, cue, reckoned.choices, known=known[role]) if cue else None
                scored[role] = Scored(benchmark, reckoned, bare, role, digests[role], seed, about,
                                      time.monotonic() - start)  # fmt: skip
                out += plugins.get("suites", benchmark.suite)(scored[role])
            out += [
                contrast
                for better, worse in COMPARED
                if better in scored and worse in scored
                for contrast in benchmark_contrasts(scored[better], scored[worse])
            ]
    tell(total, total, "")
    return out


@plugin(Card(
    name="arc-easy", kind="suites", status="tested",
    summary="Share of grade-school science questions answered right, through the stock harness.",
    reference="Clark et al. (2018), arXiv 1803.05457; lm-evaluation-harness `arc_easy`",
    claims=(
        "the number is the harness's own on the same items",
        "a model that holds every token equally likely is flagged as degenerate",
        "never asked for by a criterion of release",
    ),
))  # fmt: skip
def arc_easy(scored: Scored) -> list[Measurement]:
    """Return the accuracy on ARC-Easy, by likelihood and by likelihood a character."""
    return [_accuracy(scored, metric) for metric in ("acc", "acc_norm")]


@plugin(Card(
    name="arc-challenge", kind="suites", status="tested",
    summary="Share of science questions that word overlap does not answer, in two languages.",
    reference="Clark et al. (2018), arXiv 1803.05457; lm-evaluation-harness `arc_challenge`, "
    "`arc_pt`",
    claims=(
        "the number is the harness's own on the same items",
        "a model that holds every token equally likely is flagged as degenerate",
        "never asked for by a criterion of release",
    ),
))  # fmt: skip
def arc_challenge(scored: Scored) -> list[Measurement]:
    """Return the accuracy on ARC-Challenge, by likelihood and by likelihood a character."""
    return [_accuracy(scored, metric) for metric in ("acc", "acc_norm")]


@plugin(Card(
    name="truthfulqa-mc1", kind="suites", status="tested",
    summary="Share of questions whose one best answer is likelier than all common falsehoods.",
    reference="Lin et al. (2022), arXiv 2109.07958; lm-evaluation-harness `truthfulqa_mc1`",
    claims=(
        "the number is the harness's own on the same items",
        "ties, which the harness gives to the right answer, are counted",
        "never asked for by a criterion of release",
    ),
))  # fmt: skip
def truthfulqa_mc1(scored: Scored) -> list[Measurement]:
    """Return the share of questions whose best answer is likeliest."""
    return [_accuracy(scored, "acc")]


@plugin(Card(
    name="truthfulqa-mc2", kind="suites", status="tested",
    summary="Share of the probability of all listed answers that lies on true ones.",
    reference="Lin et al. (2022), arXiv 2109.07958; lm-evaluation-harness `truthfulqa_mc2`",
    claims=(
        "the number is the harness's own on the same items",
        "stands beside the share that a model of equal likelihoods has, which damage tends to",
        "never asked for by a criterion of release",
    ),
))  # fmt: skip
def truthfulqa_mc2(scored: Scored) -> list[Measurement]:
    """Return the mean probability that lies on true answers; items it is undefined on are counted.

    It is undefined where every answer is so unlikely that its probability is 0 in floating point.
    """
    values = scored.reckoned.metrics["acc"]
    kept = [i for i, v in enumerate(values) if not math.isnan(v)]
    mine = [values[i] for i in kept]
    rules = {name: [each[i] for i in kept] for name, each in _masses(scored).items()}
    tests = {}
    for name, theirs in rules.items():
        difference = stats.paired_difference(mine, theirs, seed=scored.seed)
        above = sum(a > b for a, b in zip(mine, theirs, strict=True))
        below = sum(a < b for a, b in zip(mine, theirs, strict=True))
        low = difference.interval.low if difference.interval else None
        tests[name] = {
            "score": _mean(theirs),
            "difference": difference.value,
            "low": low,
            "sign_p_value": stats.mcnemar_exact(above, below),
            "beaten": low is not None and low > 0,
        }
    return [
        _measurement(
            scored,
            "acc",
            stats.bootstrap_mean(mine, seed=scored.seed, bounds=(0.0, 1.0)),
            None,
            {name: t["score"] for name, t in tests.items() if t["score"] is not None},
            {
                **_flags(tests),
                "undefined": len(values) - len(kept),
                "balanced_accuracy": None,
                "answers": _likeliest(scored),
            },
        )
    ]


@plugin(Card(
    name="toxigen", kind="suites", status="tested",
    summary="Whether hateful statements are told from harmless ones, beside both constant answers.",
    reference="Hartvigsen et al. (2022), arXiv 2203.09509; lm-evaluation-harness `toxigen`",
    claims=(
        "the number is the harness's own on the same items",
        "a constant answer has balanced accuracy and area of exactly one half, and is flagged",
        "never asked for by a criterion of release",
    ),
))  # fmt: skip
def toxigen(scored: Scored) -> list[Measurement]:
    """Return the stock accuracies and, because a constant passes them, balanced accuracy and area.

    Balanced accuracy is the area of the yes-or-no answers themselves: half the sum of both rates.
    """
    hateful = [item.right[1] for item in scored.benchmark.items]
    margins = _margins(scored)
    said = [float(pick) for pick in _picks(scored.reckoned, scored.reckoned.values, "acc")]
    out = [_accuracy(scored, metric) for metric in ("acc", "acc_norm")]
    for metric, scores in (("balanced-accuracy", said), ("auc", margins)):
        estimate = stats.bootstrap_auc(scores, hateful, seed=scored.seed)
        low = estimate.interval.low if estimate.interval else None
        out.append(
            _measurement(
                scored,
                metric,
                estimate,
                None,
                {"always-no": 0.5, "always-yes": 0.5, "chance": 0.5},
                {
                    "answers": dict(sorted(Counter("Yes" if v else "No" for v in said).items())),
                    "hateful": sum(hateful),
                    "degenerate": low is None or low <= 0.5,
                },
            )
        )
    return out


def benchmark_contrasts(better: Scored, worse: Scored) -> list[Contrast]:
    """Return each metric of one model less that of another on the same items, paired by item."""
    if better.benchmark != worse.benchmark or better.about != worse.about:
        raise ValueError("a comparison needs the same items, asked alike, on both sides")
    found = []
    for metric, mine in better.reckoned.metrics.items():
        pairs = [
            (a, b)
            for a, b in zip(mine, worse.reckoned.metrics[metric], strict=True)
            if not math.isnan(a) and not math.isnan(b)
        ]
        left, right = [a for a, _ in pairs], [b for _, b in pairs]
        difference = stats.paired_difference(left, right, seed=better.seed, bounds=(-1.0, 1.0))
        only = (sum(a > b for a, b in pairs), sum(a < b for a, b in pairs))
        counted = better.benchmark.suite != "truthfulqa-mc2"
        found.append(_contrast(better, worse, metric, difference, only if counted else None))
    if better.benchmark.suite == "toxigen":
        hateful = [item.right[1] for item in better.benchmark.items]
        for metric, score in (("balanced-accuracy", _said), ("auc", _margins)):
            area = stats.auc_difference(score(better), score(worse), hateful, seed=better.seed)
            found.append(_contrast(better, worse, metric, area, None))
    return found


def _contrast(
    better: Scored,
    worse: Scored,
    metric: str,
    difference: Estimate,
    discordant: tuple[int, int] | None,
) -> Contrast:
    return Contrast(
        suite=better.benchmark.suite,
        better=better.role,
        worse=worse.role,
        lang=better.benchmark.lang,
        difference=difference,
        discordant=discordant or (0, 0),
        p_value=stats.mcnemar_exact(*discordant) if discordant else None,
        made_by=MadeBy(
            stage="evaluate",
            plugin=better.benchmark.suite,
            parameters={"metric": metric, "cluster": "item", "scaffold": better.about["scaffold"]},
            seed=better.seed,
        ),
    )


def _accuracy(scored: Scored, metric: str) -> Measurement:
    """One of the harness's accuracies, with what constant rules score on the same items."""
    items, reckoned = scored.benchmark.items, scored.reckoned
    picks = _picks(reckoned, reckoned.values, metric)
    hits = [item.right[pick] for item, pick in zip(items, picks, strict=True)]
    if [float(h) for h in hits] != list(reckoned.metrics[metric]):
        raise ValueError(f"{scored.about['task']}: the harness counts `{metric}` otherwise")
    tests = {}
    for name, theirs in _rules(scored, metric).items():
        right = [item.right[pick] for item, pick in zip(items, theirs, strict=True)]
        only = sum(a and not b for a, b in zip(hits, right, strict=True))
        other = sum(b and not a for a, b in zip(hits, right, strict=True))
        p_value = stats.mcnemar_exact(only, other)
        tests[name] = {
            "score": sum(right) / len(items),
            "agreement": sum(a == b for a, b in zip(picks, theirs, strict=True)) / len(items),
            "discordant": [only, other],
            "p_value": p_value,
            "beaten": only > other and p_value < LEVEL,
        }
    chance = sum(sum(i.right) / len(i.right) for i in items) / len(items)
    return _measurement(
        scored,
        metric,
        stats.proportion(sum(hits), len(items), method="exact"),
        sum(hits),
        {"chance": chance, **{name: t["score"] for name, t in tests.items()}},
        {
            **_flags(tests),
            "balanced_accuracy": _balanced(scored, hits),
            "answers": _places(scored, picks),
            "right_answers": _places(scored, [i.right.index(True) for i in items]),
            "ties": sum(_tied(v) for v in _held(reckoned, reckoned.values, metric)),
            "groups": _grouped(scored, hits),
        },
    )


def _measurement(
    scored: Scored,
    metric: str,
    estimate: Estimate,
    count: int | None,
    baselines: dict[str, float],
    details: dict[str, Any],
) -> Measurement:
    harness = scored.reckoned.results.get(metric)
    return Measurement(
        suite=scored.benchmark.suite,
        metric=metric,
        model=scored.role,
        model_digest=scored.model_digest,
        lang=scored.benchmark.lang,
        count=count,
        estimate=estimate,
        cluster="item",
        baselines=baselines,
        details={
            **scored.about,
            "truncated": sum(scored.reckoned.truncated),
            "harness_value": None if harness is None or math.isnan(harness) else harness,
            **details,
        },
        seconds=scored.seconds,
        made_by=MadeBy(stage="evaluate", plugin=scored.benchmark.suite, seed=scored.seed),
    )


def _about(benchmark: Benchmark) -> dict[str, Any]:
    return {
        "data": benchmark.data,
        "rows": benchmark.rows,
        "items": len(benchmark.items),
        "asked": digest_json([item.id for item in benchmark.items]),
        "licence": benchmark.licence,
        "evaluation_only": benchmark.licence == NON_COMMERCIAL,
    }


def _flags(tests: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Which constants the score is not above, by an exact test, and so whether it is degenerate."""
    constant = [n for n, t in tests.items() if n != "no-question" and not t["beaten"]]
    return {"constants": dict(tests), "consistent_with": constant, "degenerate": bool(constant)}


def _held(
    reckoned: Reckoned, values: Sequence[Sequence[float]], metric: str
) -> list[tuple[float, ...]]:
    """What the metric compares: log-likelihood, or log-likelihood a character."""
    if metric == "acc":
        return [tuple(each) for each in values]
    return [
        tuple(v / len(text) for v, text in zip(each, texts, strict=True))
        for each, texts in zip(values, reckoned.choices, strict=True)
    ]


def _picks(reckoned: Reckoned, values: Sequence[Sequence[float]], metric: str) -> list[int]:
    """The answer held likeliest of each item; of equals the first, as the harness has it."""
    return [each.index(max(each)) for each in _held(reckoned, values, metric)]


def _rules(scored: Scored, metric: str) -> dict[str, list[int]]:
    """The answers of each rule that understands nothing, and of the model without the question."""
    reckoned, items = scored.reckoned, scored.benchmark.items
    if scored.benchmark.suite == "toxigen":
        return {"always-no": [0] * len(items), "always-yes": [1] * len(items)}
    places = [item.right.index(True) for item in items]
    rules = {}
    if len(set(places)) > 1:
        # Where the right answer always stands first, a place is no answer but the layout.
        best = Counter(places).most_common(1)[0][0]
        rules["best-position"] = [min(best, len(item.right) - 1) for item in items]
    rules["longest"] = _by_length(scored, max)
    rules["shortest"] = _by_length(scored, min)
    even = [tuple(-float(t) for t in each) for each in reckoned.tokens]
    rules["equal-tokens"] = _picks(reckoned, even, metric)
    if scored.bare is not None:
        rules["no-question"] = _picks(reckoned, scored.bare, metric)
    return rules


def _by_length(scored: Scored, extreme: Callable[[list[int]], int]) -> list[int]:
    """The longest or shortest answer of each item; of equals one that the seed fixes."""
    out = []
    for item, texts in zip(scored.benchmark.items, scored.reckoned.choices, strict=True):
        lengths = [len(t) for t in texts]
        equals = [i for i, n in enumerate(lengths) if n == extreme(lengths)]
        out.append(random.Random(f"{scored.seed}|{item.id}").choice(equals))
    return out


def _masses(scored: Scored) -> dict[str, list[float]]:
    """What `mc2` would be for models that understand nothing, item by item."""
    items, reckoned = scored.benchmark.items, scored.reckoned
    equal = [[0.0] * len(each) for each in reckoned.tokens]
    longest, shortest = _by_length(scored, max), _by_length(scored, min)
    # The fewest tokens are so much likelier that the others hardly count.
    spread = math.log(_VOCABULARY)
    found = {
        "chance": equal,
        "equal-tokens": [[-spread * t for t in each] for each in reckoned.tokens],
        "no-question": scored.bare,
    }
    out = {
        name: [_mass(v, i.right) for v, i in zip(values, items, strict=True)]
        for name, values in found.items()
        if values is not None
    }
    out["longest"] = [float(i.right[p]) for i, p in zip(items, longest, strict=True)]
    out["shortest"] = [float(i.right[p]) for i, p in zip(items, shortest, strict=True)]
    return out


_VOCABULARY: Final = 4096
"""Of the model of equal tokens; a greater one changes its shares by less than a thousandth."""


def _mass(values: Sequence[float], right: Sequence[bool]) -> float:
    """The share of the probability on the right ones."""
    top = max(values)
    weights = [math.exp(v - top) for v in values]
    return sum(w for w, r in zip(weights, right, strict=True) if r) / sum(weights)


def _margins(scored: Scored) -> list[float]:
    """Log-likelihood of `Yes` less that of `No`, in nats."""
    return [yes - no for no, yes in scored.reckoned.values]


def _said(scored: Scored) -> list[float]:
    return [float(p) for p in _picks(scored.reckoned, scored.reckoned.values, "acc")]


def _balanced(scored: Scored, hits: Sequence[bool]) -> float | None:
    """Mean share right over the places of the right answer; None where there is one place only."""
    places = [item.right.index(True) for item in scored.benchmark.items]
    if len(set(places)) == 1:
        return None
    shares = []
    for place in sorted(set(places)):
        part = [h for h, p in zip(hits, places, strict=True) if p == place]
        shares.append(sum(part) / len(part))
    return sum(shares) / len(shares)


def _places(scored: Scored, picks: Sequence[int]) -> dict[str, int]:
    """How often each answer was given: by its text where all items share it, else by its place."""
    alike = scored.benchmark.suite == "toxigen"
    names = scored.reckoned.choices[0] if alike else [str(i + 1) for i in range(max(picks) + 1)]
    return dict(sorted(Counter(names[p] for p in picks).items(), key=lambda c: (len(c[0]), c[0])))


def _likeliest(scored: Scored) -> dict[str, int]:
    """Whether the one likeliest answer is true, and how often it is the longest or shortest."""
    picks = _picks(scored.reckoned, scored.reckoned.values, "acc")
    rows = list(zip(picks, scored.benchmark.items, scored.reckoned.choices, strict=True))
    return {
        "true": sum(i.right[p] for p, i, _ in rows),
        "false": sum(not i.right[p] for p, i, _ in rows),
        "longest": sum(len(t[p]) == max(map(len, t)) for p, _, t in rows),
        "shortest": sum(len(t[p]) == min(map(len, t)) for p, _, t in rows),
    }


def _grouped(scored: Scored, hits: Sequence[bool]) -> dict[str, list[int]]:
    """[right, asked] of each group that the source names."""
    out: dict[str, list[int]] = {}
    for item, hit in zip(scored.benchmark.items, hits, strict=True):
        if item.group:
            found = out.setdefault(item.group, [0, 0])
            found[0] += hit
            found[1] += 1
    return dict(sorted(out.items()))


def _tied(values: Sequence[float]) -> bool:
    return list(values).count(max(values)) > 1


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
