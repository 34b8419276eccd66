"""Compare training recipes on the development split, and print a row for the experiment log each.

    python scripts/compare_recipes.py [--work DIR] [--seed N] 'NAME: key=value ...' ...

Each recipe is the town's project file with some settings changed, for example
`'more pairs: learn.pairs=900 learn.prefer.lr=3e-4'`; `'as it is:'` changes nothing. Steps that two
recipes share are done once. What is asked are the wordings of the split `dev`: those of `test` stay
unseen, so that the figures of the recipe that is chosen are not the best of several tries.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from normwright import flow
from normwright.records import Contrast, Estimate, Measurement

ROLES = ("base", "tuned", "aligned")
SUITES = ("help", "permitted", "harm")
LANGUAGES = ("en", "pt")


def main() -> int:
    """Run the recipes and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("recipes", nargs="+", metavar="'NAME: key=value ...'")
    parser.add_argument("--work", type=Path, default=Path("build/recipes"))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    directory = arguments.work
    if not directory.exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        flow.init(directory, "town")
    template = (directory / "normwright.yaml").with_suffix(".template")
    if not template.exists():
        template.write_bytes((directory / "normwright.yaml").read_bytes())
    heads = [f"{suite}, {role}" for suite in SUITES for role in ROLES]
    lines = [
        f"Split `dev`, seed {arguments.seed}; shares en / pt; harm is aligned - tuned as well.",
        "",
        f"| recipe | {' | '.join(heads)} | harm, aligned - tuned | help, aligned - tuned | s |",
        "|" + "---|" * (len(heads) + 4),
    ]
    for recipe in arguments.recipes:
        name, _, changes = recipe.partition(":")
        settings = yaml.safe_load(template.read_text(encoding="utf-8"))
        settings["seed"] = arguments.seed
        settings["controls"] = []
        settings["evaluate"]["split"] = "dev"
        for change in changes.split():
            change_setting(settings, *change.split("=", 1))
        (directory / "normwright.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        began = time.monotonic()
        spent: dict[str, float] = {}

        def watch(event: object, spent: dict[str, float] = spent) -> None:
            if isinstance(event, flow.StepDone):
                spent[event.name] = event.seconds

        flow.run(directory, until="evaluate", watch=watch)
        sys.stderr.write(f"{name}: {time.monotonic() - began:.0f} s\n")
        lines.append(table_row(directory, name, spent))
        sys.stdout.write(lines[-1] + "\n")
        sys.stdout.flush()
    sys.stdout.write("\n".join(["", *lines]) + "\n")
    return 0


def change_setting(settings: dict[str, Any], key: str, value: str) -> None:
    """Set one value of the project file by its dotted name.

    Raises:
        KeyError: if the file does not name it; a mistyped name would change nothing.
    """
    *path, last = key.split(".")
    for part in path:
        settings = settings[part]
    if last not in settings:
        raise KeyError(key)
    settings[last] = yaml.safe_load(value)


def table_row(directory: Path, name: str, spent: dict[str, float]) -> str:
    """Return one line of the table."""
    made = [d for stage in flow.status(directory).stages for d in stage.made]
    with flow.open_store(directory, create=False) as store:
        measurements = store.records(made, Measurement)
        contrasts = store.records(made, Contrast)
    cells = [
        " / ".join(f"{rate(measurements, suite, role, lang):.2f}" for lang in LANGUAGES)
        for suite in SUITES
        for role in ROLES
    ]
    cells += [
        " / ".join(shown(difference(contrasts, suite, "tuned", lang)) for lang in LANGUAGES)
        for suite in ("harm", "help")
    ]
    training = ", ".join(f"{k.removeprefix('learn.')} {v:.0f}" for k, v in spent.items() if v >= 1)
    return f"| {name} | {' | '.join(cells)} | {training} |"


def rate(found: tuple[Measurement, ...], suite: str, role: str, lang: str) -> float:
    """Return one rate."""
    value = next(
        m.estimate.value
        for m in found
        if (m.suite, m.model, m.lang, m.norm) == (suite, role, lang, None)
    )
    return float("nan") if value is None else value


def difference(found: tuple[Contrast, ...], suite: str, worse: str, lang: str) -> Estimate:
    """Return one paired difference of the aligned model."""
    return next(
        c.difference
        for c in found
        if (c.suite, c.better, c.worse, c.lang, c.norm) == (suite, "aligned", worse, lang, None)
    )


def shown(estimate: Estimate) -> str:
    """Return an estimate with its interval as text."""
    if estimate.value is None or estimate.interval is None:
        return "none"
    return f"{estimate.value:.2f} [{estimate.interval.low:.2f}, {estimate.interval.high:.2f}]"


if __name__ == "__main__":
    raise SystemExit(main())
