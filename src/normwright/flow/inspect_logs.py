"""A suite's result as a log of Inspect, so that its viewer shows every item.

A question is a sample: its prompt, its answers with their log-likelihoods, and what it scored. The
epochs are one, and nothing was sampled. What a log has no place for (intervals of clusters,
constants, controls) stands in its metadata.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright import __version__
from normwright.records import Fault, InputError, MissingExtra

if TYPE_CHECKING:
    from normwright.evaluate import SuiteResult


def write_inspect_log(
    result: SuiteResult,
    path: Path,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Path:
    """Write a result as an Inspect log (`.eval` or `.json`), and return the file.

    Raises:
        InputError: if the name says neither form.
        MissingExtra: if Inspect is not installed.
    """
    if find_spec("inspect_ai") is None:
        raise MissingExtra("Writing a log for Inspect", "evaluate")
    if path.suffix not in (".eval", ".json"):
        raise InputError([
            Fault(where="--inspect", expected="a file that ends in .eval or .json", seen=str(path))
        ])  # fmt: skip
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

    body, at = result.as_json(), now().astimezone(UTC).isoformat(timespec="seconds")
    bench = result.scored.benchmark
    kept = ("interval", "chance", "constant", "majority", "balanced", "distribution", "degenerate",
            "why", "harness", "shots", "scaffold", "seeds", "controls", "cluster")  # fmt: skip
    log = EvalLog(
        status="success",
        eval=EvalSpec(
            created=at,
            task=body["task"],
            task_version=str(body["task_version"]),
            model=body["model"],
            model_args={"digest": body["model_digest"]},
            dataset=EvalDataset(
                name=f"{bench.suite}-{bench.lang}",
                samples=len(bench.items),
                sample_ids=[item.id for item in bench.items],
            ),
            config=EvalConfig(epochs=1),
            packages={"normwright": __version__, "lm_eval": body["harness"].split()[-1]},
            metadata={name: body[name] for name in kept},
        ),
        results=EvalResults(
            total_samples=len(bench.items),
            completed_samples=len(bench.items),
            scores=[
                EvalScore(
                    name=metric,
                    scorer=metric,
                    metrics={"mean": EvalMetric(name="mean", value=found["value"] or 0.0)},
                    metadata={"interval": found["interval"], "degenerate": found["degenerate"]},
                )
                for metric, found in body["metrics"].items()
                if found["value"] is not None
            ],
        ),
        stats=EvalStats(started_at=at, completed_at=at),
        samples=_samples(result),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_eval_log(log, str(path))
    return path


def _samples(result: SuiteResult) -> list[Any]:
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ModelOutput, ModelUsage
    from inspect_ai.scorer import Score

    reckoned, main = result.scored.reckoned, result.main.metric
    samples = []
    for i, item in enumerate(result.scored.benchmark.items):
        answers, held = reckoned.choices[i], reckoned.values[i]
        best = answers[held.index(max(held))]
        output = ModelOutput.from_content(result.model, best)
        # Without a count the log would be sized with a tokenizer that is fetched from the net.
        output.usage = ModelUsage(output_tokens=0, total_tokens=0)
        samples.append(EvalSample(
            id=item.id, epoch=1, input=reckoned.prompts[i], choices=list(answers),
            target=[answers[k] for k, ok in enumerate(item.right) if ok and k < len(answers)],
            output=output,
            scores={main: Score(value=reckoned.metrics[main][i], answer=best,
                                metadata={"logprobs": list(held)})},
            metadata={"group": item.group, "cluster": item.cluster, "condition": item.condition},
        ))  # fmt: skip
    return samples
