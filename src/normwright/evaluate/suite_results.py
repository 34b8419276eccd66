"""One model on one suite in one language as a result: every number a reader needs to doubt it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from normwright import stats
from normwright.evaluate.benchmarks import Scored, measurements
from normwright.evaluate.scores import ITEMS, MAIN, Score
from normwright.evaluate.shortcut import shortcut_values
from normwright.records import Measurement


@dataclass(frozen=True)
class ControlScore:
    """What something that must not do well scores on the same items."""

    name: str
    score: float | None
    """None where it does not apply; then `why` says so."""
    interval: tuple[float, float] | None = None
    beaten: bool | None = None
    """Whether the model is shown to do better, item by item."""
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "control": self.name,
            "score": self.score,
            "interval": None if self.interval is None else list(self.interval),
            "beaten": self.beaten,
            "why": self.why,
        }


@dataclass(frozen=True)
class SuiteResult:
    """What one model made of one suite, with what stands beside it."""

    model: str
    scored: Scored
    measured: tuple[Measurement, ...]
    controls: tuple[ControlScore, ...]
    seeds: Mapping[str, int]

    @property
    def main(self) -> Measurement:
        """The measurement that is the suite's score."""
        metric = MAIN[self.scored.benchmark.suite]
        return next(m for m in self.measured if m.metric == metric)

    @property
    def name(self) -> str:
        """What its files are called: suite and language."""
        return f"{self.scored.benchmark.suite}.{self.scored.benchmark.lang}"

    def as_json(self) -> dict[str, Any]:
        """Return the result as one JSON value."""
        main, bench = self.main, self.scored.benchmark
        details, tests = main.details, main.details["constants"]
        return {
            "kind": "suite-result",
            "suite": bench.suite,
            "lang": bench.lang,
            "model": self.model,
            "model_digest": self.scored.model_digest,
            "n": len(bench.items) - details.get("undefined", 0),
            "metric": main.metric,
            "score": main.estimate.value,
            "interval": main.estimate.ends,
            "interval_method": main.estimate.interval.method if main.estimate.interval else None,
            "cluster": main.cluster,
            "clusters": details.get("clusters"),
            "chance": self._chance(),
            "constant": [
                {"answer": name, **_test(test)}
                for name, test in tests.items()
                if name not in ("no-question", "chance")
            ],
            "no_question": _test(tests["no-question"]) if "no-question" in tests else None,
            "majority": self._majority(),
            "balanced": details.get("balanced_accuracy"),
            "distribution": details["answers"],
            "right_answers": details.get("right_answers"),
            "degenerate": details["degenerate"],
            "why": self._why(),
            "harness": self.scored.about["harness"],
            "task": self.scored.about["task"],
            "task_version": self.scored.about["task_version"],
            "shots": self.scored.about["few_shot"],
            "examples": self.scored.about.get("examples"),
            "scaffold": self.scored.about["scaffold"],
            "chat_template": self.scored.about["chat_template"],
            "seeds": dict(self.seeds),
            "metrics": {
                m.metric: {**m.estimate.as_json(), "harness": m.details["harness_value"],
                           "degenerate": m.details["degenerate"]}
                for m in self.measured
            },
            "controls": [control.as_json() for control in self.controls],
            "ties": details.get("ties"),
            "truncated": details["truncated"],
            "undefined": details.get("undefined", 0),
            "groups": details.get("groups", {}),
            "data": self.scored.about["data"],
            "licence": self.scored.about["licence"],
            "evaluation_only": self.scored.about["evaluation_only"],
            "rows": self.scored.about["rows"],
            "left_out": self.scored.about["left_out"],
            "asked": self.scored.about["asked"],
            "asked_items": len(bench.items),
        }  # fmt: skip

    def items(self) -> list[dict[str, Any]]:
        """Return each item's id, value and log-likelihoods; no text, for licences differ."""
        metric, reckoned = self.main.metric, self.scored.reckoned
        return [
            {
                "id": item.id,
                "cluster": item.cluster or item.id,
                "group": item.group,
                "condition": item.condition,
                "right": [k for k, ok in enumerate(item.right) if ok],
                "value": None if math.isnan(value) else value,
                "logprobs": list(held),
                "tokens": list(tokens),
                "cut": cut,
            }
            for item, value, held, tokens, cut in zip(
                self.scored.benchmark.items, reckoned.metrics[metric], reckoned.values,
                reckoned.tokens, reckoned.truncated, strict=True,
            )
        ]  # fmt: skip

    def score(self) -> Score:
        """Return it as a row of a comparison."""
        body, rows = self.as_json(), self.items()
        constants = {c["answer"]: c["score"] for c in body["constant"]} | {"chance": body["chance"]}
        return Score(
            model=self.model, suite=body["suite"], lang=body["lang"], metric=body["metric"],
            n=body["n"], score=body["score"] if body["score"] is not None else math.nan,
            interval=None if body["interval"] is None else tuple(body["interval"]),
            constants=constants, degenerate=body["degenerate"], why=body["why"], origin="local",
            settings={k: body[k] for k in ("shots", "scaffold", "asked", "metric")}
            | {"chat template": body["chat_template"]},
            items={r["id"]: r["value"] for r in rows if r["value"] is not None},
            clusters={r["id"]: r["cluster"] for r in rows},
        )  # fmt: skip

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the result and its items into a folder, and return both files."""
        folder.mkdir(parents=True, exist_ok=True)
        result, items = folder / f"{self.name}.json", folder / f"{self.name}{ITEMS}"
        told = json.dumps(self.as_json(), ensure_ascii=False, indent=2, allow_nan=False)
        items.write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.items()), "utf-8"
        )
        result.write_text(told + "\n", "utf-8")
        return result, items

    def _chance(self) -> float:
        right = [sum(i.right) / len(i.right) for i in self.scored.benchmark.items]
        return self.main.baselines.get("chance", sum(right) / len(right))

    def _majority(self) -> float | None:
        """Share of items whose right answer is the commonest; None where that is the layout."""
        right = self.main.details.get("right_answers")
        if not right or self.scored.benchmark.suite.startswith("truthfulqa"):
            return None
        return float(max(right.values()) / sum(right.values()))

    def _why(self) -> str:
        details = self.main.details
        said = [
            f"{name} ({details['constants'][name]['score']:.4f})"
            for name in details["consistent_with"]
        ]
        value = self.main.estimate.value
        told = "unknown" if value is None else f"{value:.4f}"
        if said:
            return f"{told} is not shown to be more than {', '.join(said)}, item by item"
        return f"{told} is more than every answer without understanding, item by item"


def _test(test: Mapping[str, Any]) -> dict[str, Any]:
    return {"score": test["score"], "p_value": test.get("p_value", test.get("sign_p_value")),
            "beaten": test["beaten"]}  # fmt: skip


def suite_result(
    scored: Scored, *, model: str, seeds: Mapping[str, int], random_init: Scored | str = "",
    shortcut: bool = True,
) -> SuiteResult:  # fmt: skip
    """Return the result of a model on a suite, with controls on the same items.

    Args:
        scored: what the model made of it.
        model: its name or address.
        seeds: by what they serve.
        random_init: what random weights of the same shape made of it, or why nobody asked them.
        shortcut: whether a linear reader of the words is fitted.
    """
    controls = []
    if isinstance(random_init, str):
        controls.append(ControlScore("random-init", None, why=random_init))
    else:
        main = MAIN[scored.benchmark.suite]
        controls.append(_control("random-init", scored, random_init.reckoned.metrics[main]))
    if shortcut:
        bench = scored.benchmark
        values = shortcut_values(
            bench.suite, bench.items, scored.reckoned.prompts, seed=scored.seed
        )
        controls.append(
            ControlScore("linear-shortcut", None, why="too few items to leave any out")
            if values is None
            else _control("linear-shortcut", scored, values)
        )
    controls.append(ControlScore(
        "canned-refusal", None, why="the answers are given: no model writes or refuses one"
    ))  # fmt: skip
    return SuiteResult(model, scored, tuple(measurements(scored)), tuple(controls), seeds)


def _control(name: str, scored: Scored, theirs: Sequence[float]) -> ControlScore:
    """A control's score, and whether the model is shown to be above it on the same items."""
    items = scored.benchmark.items
    mine = scored.reckoned.metrics[MAIN[scored.benchmark.suite]]
    kept = [i for i, (a, b) in enumerate(zip(mine, theirs, strict=True))
            if not math.isnan(a) and not math.isnan(b)]  # fmt: skip
    if not kept:
        return ControlScore(name, None, why="undefined on every item")
    names = [items[i].cluster or items[i].id for i in kept]
    clusters = names if 1 < len(set(names)) < len(names) else None
    value = stats.bootstrap_mean(
        [theirs[i] for i in kept], clusters=clusters, seed=scored.seed, bounds=(0.0, 1.0)
    )
    lead = stats.paired_difference(
        [mine[i] for i in kept], [theirs[i] for i in kept], clusters=clusters, seed=scored.seed,
        bounds=(-1.0, 1.0),
    )  # fmt: skip
    at = value.interval
    return ControlScore(
        name, value.value, None if at is None else (at.low, at.high),
        lead.interval is not None and lead.interval.low > 0,
    )  # fmt: skip
