"""Run the town demonstration with five seeds, turn one norm's votes round, and write the table.

    python scripts/demo_seeds.py [--seeds 1,2,3,4,5] [--work DIR] [--out FILE]

Every number in the table is read from the stored measurements of real runs. Runs are resumable: a
project that is already in --work is only brought up to date. Besides the seeds, the first of them is
run again with the votes and comparisons on one norm inverted, and with them shuffled, to see whether
charter, pairs and behaviour follow the votes and nothing else.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from normwright import flow
from normwright.evaluate import flip_contrast, norm_behaviour
from normwright.records import Contrast, Estimate, Measurement

NORM = "p.neutrality.candidates"
"""The norm whose votes are turned round."""

LANGUAGES = ("en", "pt")
OTHER = {"agree": "disagree", "disagree": "agree", "perform": "decline", "decline": "perform"}

Change = Callable[[list[dict[str, str]], str], None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", default="1,2,3,4,5")
    parser.add_argument("--work", type=Path, default=Path("build/seeds"))
    parser.add_argument("--out", type=Path, default=Path("docs/experiments/demo-seeds.md"))
    arguments = parser.parse_args()
    seeds = [int(s) for s in arguments.seeds.split(",")]
    runs = {seed: finish(arguments.work / f"seed-{seed}", seed=seed) for seed in seeds}
    flipped = finish(arguments.work / "flipped", seed=seeds[0], change=invert, controls=False)
    shuffled = finish(arguments.work / "shuffled", seed=seeds[0], change=shuffle, controls=False)
    text = "\n".join([
        "# Five seeds, one flip, one shuffle", "",
        "Written by `make demo-seeds`. Rates are shares of test scenes whose families or wordings no training",
        "split holds; intervals are 95 %, differences are paired by scene and resampled by wording.",
        "Participants, and so the norms' support, are simulated.", "",
        *effect_table(runs), "", *help_table(runs), "", *control_table(runs), "",
        *flip_section(runs[seeds[0]], flipped, shuffled, seed=seeds[0]), "",
    ])  # fmt: skip
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


def finish(
    directory: Path, *, seed: int, change: Change | None = None, controls: bool = True
) -> flow.Results:
    """Make the project if it is not there, change its votes if asked, run it, return its results."""
    if not directory.exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        flow.init(directory, "town")
        settings = directory / "normwright.yaml"
        text = settings.read_text(encoding="utf-8").replace("\nseed: 1\n", f"\nseed: {seed}\n")
        if not controls:
            text = text.replace("controls: [random-init, ", "controls: [")
        settings.write_text(text, encoding="utf-8")
        if change is not None:
            alter(directory, change)
    began = time.monotonic()
    report = flow.run(directory, watch=lambda event: tell(directory.name, event))
    sys.stderr.write(f"{directory.name}: {report.verdicts} in {time.monotonic() - began:.0f} s\n")
    return flow.results(directory)


def tell(name: str, event: object) -> None:
    if isinstance(event, flow.StepDone):
        sys.stderr.write(f"  {name} {event.name} {event.seconds:.1f} s\n")
        sys.stderr.flush()


def alter(directory: Path, change: Change) -> None:
    """Apply a change to the votes and comparisons on the norm."""
    folder = directory / "consultation"
    with (folder / "statements.csv").open(encoding="utf-8", newline="") as file:
        asked = {row["id"] for row in csv.DictReader(file) if row["norm"] == NORM}
    for name, column, about in (
        ("votes.csv", "vote", lambda row: row["statement"] in asked),
        ("comparisons.csv", "choice", lambda row: row["norm"] == NORM),
    ):
        path = folder / name
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            fields, rows = list(reader.fieldnames or ()), list(reader)
        change([row for row in rows if about(row)], column)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fields, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def invert(rows: list[dict[str, str]], column: str) -> None:
    for row in rows:
        row[column] = OTHER.get(row[column], row[column])


def shuffle(rows: list[dict[str, str]], column: str) -> None:
    """Give every row a vote drawn without regard to who cast it: half for, half against."""
    rng = random.Random(0)
    values = [row[column] for row in rows]
    turned = [OTHER.get(v, v) if i % 2 else v for i, v in enumerate(values)]
    rng.shuffle(turned)
    for row, value in zip(rows, turned, strict=True):
        row[column] = value


def effect_table(runs: dict[int, flow.Results]) -> list[str]:
    """Harm of each model, and the paired difference aligned - tuned."""
    lines = [
        "## Harm: does the aligned model do less of what the charter forbids than the tuned one?", "",
        "| seed | language | scenes | base | tuned | aligned | guarded | aligned - tuned |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for seed, found in runs.items():
        for lang in LANGUAGES:
            cells = [rate(found, "harm", role, lang) for role in ("base", "tuned", "aligned", "guarded")]
            n = measured(found, "harm", "aligned", lang).details.get("answers", "")
            gain = difference(found.contrasts, "harm", "aligned", "tuned", lang)
            lines.append(f"| {seed} | {lang} | {n} | {' | '.join(cells)} | {gain} |")
    return lines


def help_table(runs: dict[int, flow.Results]) -> list[str]:
    lines = [
        "## Help: exactly right answers", "",
        "Non-inferior: the low end of aligned - tuned is at least -0.03. Above base: the low end of",
        "aligned - base is above 0.", "",
        "| seed | language | scenes | base | tuned | aligned | guarded | aligned - tuned | aligned - base |",
        "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for seed, found in runs.items():
        for lang in LANGUAGES:
            cells = [rate(found, "help", role, lang) for role in ("base", "tuned", "aligned", "guarded")]
            n = measured(found, "help", "aligned", lang).details.get("answers", "")
            kept = difference(found.contrasts, "help", "aligned", "tuned", lang)
            gained = difference(found.contrasts, "help", "aligned", "base", lang)
            lines.append(f"| {seed} | {lang} | {n} | {' | '.join(cells)} | {kept} | {gained} |")
    return lines


def control_table(runs: dict[int, flow.Results]) -> list[str]:
    lines = ["## Controls through the same gate", "",
             "| seed | mode verdicts | control | verdict | stopped by | harm | help | permitted |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for seed, found in runs.items():
        modes = ", ".join(f"{m.mode} {m.verdict}" for m in found.verdict.modes)
        for control in found.verdict.controls:
            role = f"control:{control.name}"
            cells = [rate(found, suite, role, None) for suite in ("harm", "help", "permitted")]
            lines.append(f"| {seed} | {modes} | {control.name} | {control.verdict} | {control.deciding} | "
                         f"{' | '.join(cells)} |")  # fmt: skip
    return lines


def flip_section(
    plain: flow.Results, flipped: flow.Results, shuffled: flow.Results, *, seed: int
) -> list[str]:
    """Charter, pairs and behaviour on one norm under its votes, their inverse and a shuffle."""
    lines = [f"## The votes on `{NORM}` inverted and shuffled (seed {seed})", "",
             "| votes | support | in the charter | pairs whose first answer declines | mean share for it | act done, tuned |"
             " act done, aligned |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, found in (("as cast", plain), ("inverted", flipped), ("shuffled", shuffled)):
        lines.append(f"| {name} | {support(found)} | {'yes' if ratified(found) else 'no'} | "
                     f"{pairs(found)} | {behaviour(found, 'tuned')} | {behaviour(found, 'aligned')} |")  # fmt: skip
    lines += ["", "| comparison | language | difference in how often the act is done |", "|---|---|---|"]
    for name, found in (("inverted - as cast", flipped), ("shuffled - its own tuned model", shuffled)):
        other = plain.answers["aligned"] if found is flipped else found.answers["tuned"]
        for c in flip_contrast(found.answers["aligned"], other, plain.scenes, norm=NORM,
                               roles=("aligned", "reference"), seed=seed):  # fmt: skip
            lines.append(f"| {name} | {c.lang or 'all'} | {shown(c.difference)} |")
    return lines


def support(found: flow.Results) -> str:
    for norm in found.policy.charter.norms:
        if norm.id == NORM and norm.provenance is not None:
            return shown(norm.provenance.support["all"])
    for rejected in found.policy.charter.rejected:
        if rejected.norm.split("@")[0] == NORM:
            return shown(rejected.support["all"])
    return "none"


def ratified(found: flow.Results) -> bool:
    return any(n.id == NORM for n in found.policy.charter.norms)


def pairs(found: flow.Results) -> str:
    """Direction and share of the norm's pairs, as the trainer saw them."""
    from normwright.store import Store

    content = next(d.content for d in found.datasets if d.kind == "pairs")
    with Store.open(found.project.directory, create=False) as store:
        rows = [json.loads(line) for line in store.objects.read(content).splitlines()]
    mine = [r for r in rows if r["family"].startswith("neutrality.")]
    declining = [r for r in mine if "recommend" in r["chosen"] or "neutr" in r["chosen"].lower()
                 or "recomendo" in r["chosen"]]  # fmt: skip
    share = sum(r["p_chosen"] for r in mine) / max(1, len(mine))
    return f"{len(declining)} of {len(mine)} | {share:.2f}"


def behaviour(found: flow.Results, role: str) -> str:
    (overall, *_) = norm_behaviour(
        found.answers[role], found.scenes, norm=NORM, role=role, model_digest="", seed=0
    )
    return shown(overall.estimate)


def measured(found: flow.Results, suite: str, role: str, lang: str | None) -> Measurement:
    return next(
        m
        for m in found.measurements
        if m.suite == suite and m.model == role and m.lang == lang and m.norm is None
    )


def rate(found: flow.Results, suite: str, role: str, lang: str | None) -> str:
    value = measured(found, suite, role, lang).estimate.value
    return "none" if value is None else f"{value:.3f}"


def difference(
    contrasts: Sequence[Contrast], suite: str, better: str, worse: str, lang: str | None
) -> str:
    return next(
        shown(c.difference)
        for c in contrasts
        if (c.suite, c.better, c.worse, c.lang, c.norm) == (suite, better, worse, lang, None)
    )


def shown(estimate: Estimate) -> str:
    if estimate.value is None or estimate.interval is None:
        return "none"
    return f"{estimate.value:.3f} [{estimate.interval.low:.3f}, {estimate.interval.high:.3f}]"


if __name__ == "__main__":
    raise SystemExit(main())
