"""Fit the embedded harm classifier from a folder of labelled data, and write it into the package.

    python -m scripts.build_harm DATA [--out DIR]

Deterministic: the same data gives the same bytes. It writes weights and card, no row of the data.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from normwright.guard.harm import sigmoid
from normwright.guard.text_harm.fit import HarmRow, HeadPlan, features_of, fit_text_harm
from normwright.guard.text_harm.reader import AIRA, TextHarm
from normwright.guard.text_harm.shift import fit_shift
from normwright.stats import control_flags
from scripts import harm_asked, harm_rows, harm_vectors

SEED = 7
SAFE = 0.03
"""Share of safe prompts that look harmful that the threshold for requests is set for."""
USUAL = 0.004
"""Share of ordinary prompts that the thresholds for requests and jailbreaks are set for."""
ORDINARY = (
    "helpful", "self_instruct_human", "aira-en", "aira-pt", "tldr-asked-en", "tldr-asked-pt",
    "cyber-frr-en", "cyber-frr-pt", "passage-en", "passage-pt", "asked-pt", "said-pt", "play-pt",
)  # fmt: skip
"""Sources whose harmless prompts set thresholds; what is composed only where nothing else is."""
BLOCKING = ("harmful-request", "jailbreak")
"""Heads whose thresholds stand in the card."""
NEW = frozenset(harm_asked.SOURCES)
"""What is composed is no usual text: the shift detector does not learn it."""
OUT = Path(__file__).parents[1] / "src/normwright/guard/text_harm/embedded"
SAID = ("aira-en", "aira-pt", "tldr-en", "tldr-pt", "docs-en", "docs-pt", "self_instruct_human")
"""Sources of ordinary requests and sentences."""


def only(weights: Mapping[str, float], calm: float = 0.0) -> dict[str, float]:
    """Return weights under which no other source than these and the calm ones is learned from."""
    return {**dict.fromkeys(SOURCES, 0.0), **dict.fromkeys(SAID, calm), **weights}


SOURCES = (
    "hatecheck-en", "hatecheck-pt", "told-br", "olid-br", "toxigen", "toxigen-demo", "convabuse",
    "moderation", "advbench", "strongreject", "harmbench", "xstest", "jbb-dsn", "jbb-gcg",
    "jbb-jbc", "jbb-pair", "jbb-rs", "in-the-wild", "gptfuzzer", "injection", "cyber-frr-en",
    "cyber-frr-pt",
    "books-en", "books-pt", "dolly_hhrlhf", "taught-en", "taught-pt", *SAID,
)  # fmt: skip
_LITTLE = {"books-en": 0.1, "books-pt": 0.1, "told-br": 0.1, "convabuse": 0.3}
# Dolly is held out whole: ordinary instructions that neither head of requests has met.
_FLAT = {"dolly_hhrlhf": 0.0, **dict.fromkeys(
    ("passage-en", "passage-pt", "tldr-en", "tldr-pt", "docs-en", "docs-pt"), 0.3)}  # fmt: skip
_ASKING = frozenset({
    "xstest", "advbench", "strongreject", "harmbench", "helpful", "self_instruct_human", "aira-en",
    "aira-pt", "cyber-frr-en", "cyber-frr-pt", "tldr-asked-en", "tldr-asked-pt",
})  # fmt: skip
PLANS = (
    HeadPlan("hate", "en", only({"toxigen": 1.0, "toxigen-demo": 0.2, "taught-en": 0.1,
             "hatecheck-en": 0.05, "moderation": 0.1, "convabuse": 0.1,
             "xstest": 0.5}, 0.1), 2.0, 1.0,
             calibrate=frozenset({"toxigen"}), shared=0.5, kept=80_000),
    HeadPlan("hate", "pt", only({"hatecheck-pt": 1.0, "hatecheck-en": 1.0, "taught-pt": 1.0,
             "taught-en": 0.5, "toxigen": 1.0, "told-br": 1.0, "olid-br": 1.0}, 0.3), 2.0, 0.5,
             calibrate=frozenset({"hatecheck-pt", "told-br"})),
    HeadPlan("abuse", "en", {"taught-en": 0.3}, 1.0, 0.0, 0.5, each=2_500),
    HeadPlan("abuse", "pt", only({"told-br": 1.0, "olid-br": 0.2, "taught-pt": 0.2}, 0.2), 1.0, 0.0,
             0.5, calibrate=frozenset({"told-br"})),
    HeadPlan("violence", None, {}, 1.0, 0.5, each=700),
    HeadPlan("self-harm", None, {"taught-en": 3.0, "taught-pt": 3.0}, 1.0, 0.5, each=700),
    HeadPlan("harmful-request", None, {**_LITTLE, **_FLAT, "xstest": 4.0, "helpful": 2.0,
             "said-en": 2.0, "said-pt": 3.0}, 3.0, 0.5, 0.5, each=1_500,
             calibrate=_ASKING | {"asked-pt", "said-pt"}),
    HeadPlan("injection", None, _LITTLE, 1.0, 0.5, each=700),
    HeadPlan("jailbreak", None, {**_LITTLE, "dolly_hhrlhf": 0.0, "self_instruct_human": 3.0,
             "passage-en": 2.0, "passage-pt": 2.0, "play-en": 2.0, "play-pt": 2.0}, 1.0, 1.0, 0.5,
             each=1_500, calibrate=_ASKING | {"in-the-wild", "gptfuzzer", "jbb-gcg", "jbb-jbc",
             "jbb-pair", "play-en", "play-pt", "passage-en", "passage-pt"}),
    HeadPlan("lang", "pt", dict.fromkeys(harm_asked.SOURCES, 0.0), 1.0, 0.0, kept=20_000, each=150),
    HeadPlan(AIRA, "en", {}, 1.0, pairs=True, each=2_500),
    HeadPlan(AIRA, "pt", {}, 1.0, pairs=True, each=2_500),
)  # fmt: skip


def thresholds(
    harm: TextHarm, held: NDArray[np.float64], rows: Sequence[HarmRow], label: str
) -> dict[str, float]:
    """Return for each language the threshold that conformal risk control sets on harmless prompts.

    No more than so many of the ordinary ones are to be flagged, nor of XSTest's safe ones. They are
    of the learned part, scored by weights that had not seen them.
    """
    place = next(i for i, h in enumerate(harm.heads) if h.label == label)
    out = {}
    for lang in ("en", "pt"):
        slope, offset = harm.heads[place].slopes[lang]
        limits = []
        for sources, share in ((ORDINARY, USUAL), (("xstest",), SAFE)):
            some = [
                i
                for i, r in enumerate(rows)
                if r.source in sources and r.lang == lang and r.labels.get(label, 1.0) < 0.5
            ]
            some = [i for i in some if not np.isnan(held[i, place])]
            if some and (label == "harmful-request" or sources == ORDINARY):
                found = control_flags(sigmoid(slope * held[some, place] + offset), share)
                limits.append(1.0 if found.threshold is None else found.threshold)
        out[lang] = max(limits)
    return out


def _log(plan: HeadPlan) -> None:
    print(f"{spent():.0f} CPU-s: {plan.label} {plan.lang or ''}", flush=True)


def spent() -> float:
    """Return the CPU seconds of this process and of those it started and that ended."""
    return sum(os.times()[:4])


def main() -> None:
    """Read, fit, save, and say what was done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--held", type=Path, help="where to write the held-out scores")
    parser.add_argument("--jobs", type=int, default=1, help="heads fitted at the same time")
    args = parser.parse_args()
    rows = harm_rows.windowed(harm_rows.read(args.data))
    card = {
        "seed": SEED,
        "files": harm_rows.digests(args.data, (*harm_rows.FILES, *harm_vectors.FIELDS)),
        "rows": dict(sorted(Counter(f"{r.source} {r.part}" for r in rows).items())),
        "licence": "CC-BY-SA-4.0",
    }
    features = features_of(rows)
    harm, held = fit_text_harm(
        rows, PLANS, seed=SEED, card=card, log=_log, features=features, jobs=args.jobs,
        vectors=harm_vectors.vectors(args.data, rows),
    )  # fmt: skip
    card["thresholds"] = {k: thresholds(harm, held, rows, k) for k in BLOCKING}
    harm = replace(harm, card=card)
    digests = harm.save(args.out)
    digests |= fit_shift(rows, features=features, leave_out=NEW).save(args.out)
    if args.held is not None:
        # Scores of rows by weights that had not seen them, for a look before the locked part.
        np.savez_compressed(args.held, held=held)
    text = json.dumps(digests, indent=1, sort_keys=True) + "\n"
    (args.out / "digests.json").write_text(text, encoding="utf-8")
    print(f"{len(rows)} rows, {spent():.0f} CPU-s, {digests}")


if __name__ == "__main__":
    main()
