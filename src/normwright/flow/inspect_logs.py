"""A suite's result as a log of Inspect, so that its viewer shows every item.

A question is a sample: its prompt, its answers with their log-likelihoods, and what it scored. Of
written answers a prompt is one, with the answer, its label and its unit's value. The epochs are
one, and nothing was sampled. What a log has no place for (intervals of clusters,
constants, controls) stands in its metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright import __version__
from normwright.records import Fault, InputError, MissingExtra

if TYPE_CHECKING:
    from normwright.evaluate import SuiteResult
    from normwright.evaluate.generative import GenerativeResult


@dataclass(frozen=True)
class _Told:
    """What a log says, whatever kind of suite it is of."""

    body: Mapping[str, Any]
    task: str
    version: str
    dataset: str
    ids: Sequence[str]
    packages: Mapping[str, str]
    kept: Sequence[str]
    """Keys of the body that go into the metadata."""
    scores: Mapping[str, Mapping[str, Any]]
    """Each metric: its value, and what is told of it."""
    samples: Sequence[Any]


def write_inspect_log(
    result: SuiteResult,
    path: Path,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Path:
    """Write a benchmark's result as an Inspect log (`.eval` or `.json`), and return the file.

    Raises:
        InputError: if the name says neither form.
        MissingExtra: if Inspect is not installed.
    """
    _check(path)
    body, bench = result.as_json(), result.scored.benchmark
    return _write(_Told(
        body, body["task"], str(body["task_version"]), f"{bench.suite}-{bench.lang}",
        [item.id for item in bench.items],
        {"normwright": __version__, "lm_eval": body["harness"].split()[-1]},
        ("interval", "chance", "constant", "majority", "balanced", "distribution", "degenerate",
         "why", "harness", "shots", "scaffold", "seeds", "controls", "cluster"),
        {name: {"value": found["value"], "interval": found["interval"],
                "degenerate": found["degenerate"]} for name, found in body["metrics"].items()},
        _samples(result),
    ), path, now)  # fmt: skip


def write_written_log(
    result: GenerativeResult,
    path: Path,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Path:
    """Write a result of written answers as an Inspect log (`.eval` or `.json`); return the file.

    A prompt is a sample, with the answer, its label, and what its unit came to.

    Raises:
        InputError: if the name says neither form.
        MissingExtra: if Inspect is not installed.
    """
    _check(path)
    body = result.as_json()
    told = {body["metric"]: {"value": body["score"], "interval": body["interval"],
                             "degenerate": body["degenerate"]}}  # fmt: skip
    parts = {name: {"value": e["value"], "interval": e["interval"]}
             for name, e in body["metrics"].items()}  # fmt: skip
    behind = {f"{name}, corrected": {"value": e["value"], "interval": e["interval"]}
              for name, e in (body["corrected"] or {}).items()}  # fmt: skip
    return _write(_Told(
        body, body["suite"], "1", result.name, [p.id for p in result.prompts],
        {"normwright": __version__},
        ("interval", "better", "chance", "constant", "majority", "balanced", "distribution",
         "degenerate", "why", "harness", "shots", "scaffold", "seeds", "controls", "cluster",
         "judge", "corrected", "data", "licence", "evaluation_only"),
        {**parts, **behind, **told}, _answered(result),
    ), path, now)  # fmt: skip


def _check(path: Path) -> None:
    if find_spec("inspect_ai") is None:
        raise MissingExtra("Writing a log for Inspect", "evaluate")
    if path.suffix not in (".eval", ".json"):
        raise InputError([
            Fault(where="--inspect", expected="a file that ends in .eval or .json", seen=str(path))
        ])  # fmt: skip


def _write(told: _Told, path: Path, now: Callable[[], datetime]) -> Path:
    from inspect_ai.log import (
        EvalConfig,
        EvalDataset,
        EvalLog,
        EvalMetric,
        EvalResults,
        EvalScore,
        EvalSpec,
        EvalStats,
        write_eval_log,
    )

    body, at = told.body, now().astimezone(UTC).isoformat(timespec="seconds")
    log = EvalLog(
        status="success",
        eval=EvalSpec(
            created=at,
            task=told.task,
            task_version=told.version,
            model=body["model"],
            model_args={"digest": body["model_digest"]},
            dataset=EvalDataset(
                name=told.dataset, samples=len(told.ids), sample_ids=list(told.ids)
            ),
            config=EvalConfig(epochs=1),
            packages=dict(told.packages),
            metadata={name: body[name] for name in told.kept},
        ),
        results=EvalResults(
            total_samples=len(told.ids),
            completed_samples=len(told.ids),
            scores=[
                EvalScore(
                    name=metric,
                    scorer=metric,
                    metrics={"mean": EvalMetric(name="mean", value=found["value"])},
                    metadata={k: v for k, v in found.items() if k != "value"},
                )
                for metric, found in told.scores.items()
                if found["value"] is not None
            ],
        ),
        stats=EvalStats(started_at=at, completed_at=at),
        samples=list(told.samples),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_eval_log(log, str(path))
    return path


def _output(model: str, text: str) -> Any:
    from inspect_ai.model import ModelOutput, ModelUsage

    output = ModelOutput.from_content(model, text)
    # Without a count the log would be sized with a tokenizer that is fetched from the net.
    output.usage = ModelUsage(output_tokens=0, total_tokens=0)
    return output


def _answered(result: GenerativeResult) -> list[Any]:
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ChatMessageUser
    from inspect_ai.scorer import Score

    metric, samples = result.suite.metric, []
    for prompt, row in zip(result.prompts, result.items(), strict=True):
        scores = {"label": Score(value=row["label"], answer=row["answer"])}
        if row["value"] is not None:
            scores[metric] = Score(value=row["value"], metadata={"parts": row["parts"]})
        samples.append(EvalSample(
            id=prompt.id, epoch=1, input=[ChatMessageUser(content=prompt.text)], target="",
            output=_output(result.model, row["answer"]), scores=scores,
            metadata={name: row[name] for name in ("unit", "part", "group", "cluster")},
        ))  # fmt: skip
    return samples


def _samples(result: SuiteResult) -> list[Any]:
    from inspect_ai.log import EvalSample
    from inspect_ai.scorer import Score

    reckoned, main = result.scored.reckoned, result.main.metric
    samples = []
    for i, item in enumerate(result.scored.benchmark.items):
        answers, held = reckoned.choices[i], reckoned.values[i]
        best = answers[held.index(max(held))]
        samples.append(EvalSample(
            id=item.id, epoch=1, input=reckoned.prompts[i], choices=list(answers),
            target=[answers[k] for k, ok in enumerate(item.right) if ok and k < len(answers)],
            output=_output(result.model, best),
            scores={main: Score(value=reckoned.metrics[main][i], answer=best,
                                metadata={"logprobs": list(held)})},
            metadata={"group": item.group, "cluster": item.cluster, "condition": item.condition},
        ))  # fmt: skip
    return samples
