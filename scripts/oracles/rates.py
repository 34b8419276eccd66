"""Intervals and tests of rates by statsmodels, ppi-python and scipy, as a fixture.

    python -m scripts.oracles.rates

Run from the root of the repository in the environment that `make oracles` makes.
"""

from __future__ import annotations

import gzip
import json
import os
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import statsmodels.api as sm  # type: ignore[import-not-found]
from ppi_py import ppi_mean_ci, ppi_mean_pointestimate  # type: ignore[import-not-found]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-not-found]
from statsmodels.stats.proportion import (  # type: ignore[import-not-found]
    confint_proportions_2indep,
    score_test_proportions_2indep,
)

FIXTURE = Path(__file__).resolve().parents[2] / "tests" / "stats" / "oracles" / "rates.json.gz"
"""Where the answers lie that the tests read."""
CASES = 40


def clustered(rng: np.random.Generator) -> dict[str, Any]:
    """Return a mean with its clustered and its plain standard error, and t intervals."""
    groups, size = int(rng.integers(3, 30)), int(rng.integers(1, 6))
    labels = np.repeat(np.arange(groups), size)
    values = np.round(rng.normal(size=groups)[labels] + rng.normal(size=groups * size), 6)
    ones = np.ones((len(values), 1))
    plain = sm.OLS(values, ones).fit()
    robust = sm.OLS(values, ones).fit(cov_type="cluster", cov_kwds={"groups": labels}, use_t=True)
    return {
        "values": values.tolist(), "clusters": labels.tolist(),
        "plain": [float(plain.bse[0]), *plain.conf_int(0.05)[0].tolist()],
        "robust": [float(robust.bse[0]), *robust.conf_int(0.05)[0].tolist()],
    }  # fmt: skip


def two_samples(rng: np.random.Generator) -> dict[str, Any]:
    """Return the score test of two equal rates, and Newcombe's interval of their difference.

    The package's score test of a difference other than 0 is left out: in its cubic for the rates
    under the hypothesis a number of hits stands where the number of units belongs.
    """
    n, m = (int(rng.integers(20, 300)) for _ in range(2))
    rate = float(rng.uniform(0.05, 0.9))
    k, j = int(rng.binomial(n, rate)), int(rng.binomial(m, rate))
    score = score_test_proportions_2indep(k, n, j, m, value=0, compare="diff", correction=False)
    interval = confint_proportions_2indep(k, n, j, m, method="newcomb", compare="diff")
    return {
        "first": [k, n], "second": [j, m], "score": float(score.statistic),
        "newcombe": [float(end) for end in interval],
    }  # fmt: skip


def powered(rng: np.random.Generator) -> dict[str, Any]:
    """Return prediction-powered means and their intervals, with and without a tuned weight."""
    n, more = int(rng.integers(50, 200)), int(rng.integers(200, 900))
    truth = rng.random(n + more) < rng.uniform(0.1, 0.6)
    said = np.where(rng.random(n + more) < rng.uniform(0.6, 0.97), truth, ~truth).astype(float)
    y, f, g = truth[:n].astype(float), said[:n], said[n:]
    answers = {}
    for name, weight in (("plain", 1), ("tuned", None)):
        low, high = ppi_mean_ci(y, f, g, alpha=0.05, lam=weight)
        point = ppi_mean_pointestimate(y, f, g, lam=weight)
        answers[name] = [float(np.squeeze(v)) for v in (point, low, high)]
    return {
        "labels": y.astype(int).tolist(), "predicted": f.astype(int).tolist(),
        "unlabelled": g.astype(int).tolist(), **answers,
    }  # fmt: skip


def stepped(rng: np.random.Generator) -> dict[str, Any]:
    """Return p-values and what Holm makes of them."""
    p = np.round(rng.random(int(rng.integers(1, 12))) ** 3, 6)
    return {"p": p.tolist(), "holm": multipletests(p, method="holm")[1].tolist()}


def main() -> None:
    """Write the fixture."""
    warnings.simplefilter("ignore")
    content: dict[str, Any] = {
        "about": "By kind: random instances, and what the packages named answer.",
        "packages": {name: version(name) for name in ("statsmodels", "ppi-python", "numpy")},
    }
    for i, made in enumerate((clustered, two_samples, powered, stepped)):
        rng = np.random.default_rng(i)
        content[made.__name__] = [made(rng) for _ in range(CASES)]
    FIXTURE.parent.mkdir(exist_ok=True)
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    FIXTURE.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{FIXTURE.name}: {CASES} instances of each kind")


if __name__ == "__main__":
    main()
