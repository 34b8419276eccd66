"""Ask Inspect's questions of one address; in Inspect's own environment, without a network.

    python run_inspect.py PLAN.json

The plan says `url`, `out` (a folder) and `samples` (`id` and `input` of each).
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any


def main() -> None:
    """Run what the plan asks for."""
    from inspect_ai import Task, eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import get_model
    from inspect_ai.solver import generate

    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    model = get_model("openai-api/local/guarded", base_url=plan["url"], api_key=plan["key"])
    samples = [Sample(id=s["id"], input=s["input"], target="") for s in plan["samples"]]
    task = Task(dataset=MemoryDataset(samples), solver=generate(), name="guarded")
    (log,) = eval(
        task, model=model, log_dir=str(Path(plan["out"]) / "logs"), display="none",
        max_connections=2,
    )  # fmt: skip
    found: dict[str, Any] = {
        "status": log.status,
        "stops": dict(Counter(_of(s) for s in log.samples or ())),
        "errors": sum(s.error is not None for s in log.samples or ()),
    }
    (Path(plan["out"]) / "inspect.json").write_text(json.dumps(found, indent=1), "utf-8")


def _of(sample: Any) -> str:
    return f"{str(sample.id).partition('.')[0]}: {sample.output.stop_reason}"


if __name__ == "__main__":
    main()
