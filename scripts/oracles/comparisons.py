"""Strengths estimated from comparisons and orders by choix, as fixtures.

    python -m scripts.oracles.comparisons [--profiles N]

Run from the root of the repository in the environment that `make oracles` makes.
"""

from __future__ import annotations

import argparse
import os
import warnings
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import choix  # type: ignore[import-not-found]
import numpy as np
from choix.opt import PairwiseFcts, Top1Fcts  # type: ignore[import-not-found]
from numpy.typing import NDArray
from scripts.oracles import instances

ABOUT = (
    "pairs: items, and how often the row was chosen over the column; orders: items, and strict "
    "ballots over some of them as text, `5:C>A` for five who saw A and C only and chose C.",
    "pairs_ml, orders_ml: strengths at the maximum of the likelihood, summing to zero, in units "
    "of 1e-9, items in the order of their letters; pairs_map, orders_map: the same with a penalty "
    "of alpha times the sum of squares; null where the package stops short of its maximum.",
)
ALPHA = 0.05
"""Weight of the penalty of the regularised estimates: a normal prior of variance 1 / (2 alpha)."""
SHARP = 1e-8
"""Greatest component of the gradient that is aimed at ..."""
ENOUGH = 3e-7
"""... and that is accepted: curvatures are of the order of 1, so errors are of this order."""


def likeliest(kind: str, m: int, data: Any) -> NDArray[np.float64]:
    """Return the maximum of the likelihood by iterated spectral ranking (I-LSR)."""
    fit = choix.ilsr_pairwise if kind == "pairs" else choix.ilsr_rankings
    found = fit(m, data, tol=1e-12, max_iter=5000)
    worst = float(np.abs(functions_of(kind, data, 0.0).gradient(found)).max())
    if worst > ENOUGH:
        raise ArithmeticError(f"choix stopped at a gradient of {worst:.1e}")
    return np.asarray(found)


def regularised(
    kind: str, m: int, data: Any, start: NDArray[np.float64], alpha: float
) -> NDArray[np.float64] | None:
    """Return the maximum with a penalty, by BFGS and Newton in turn; None where they stop early."""
    fit = choix.opt_pairwise if kind == "pairs" else choix.opt_rankings
    functions = functions_of(kind, data, alpha)
    found = start
    for method in ("BFGS", "Newton-CG") * 3:
        found = fit(m, data, alpha=alpha, method=method, tol=1e-10, initial_params=found)
        if np.abs(functions.gradient(found)).max() < SHARP:
            break
    return found if np.abs(functions.gradient(found)).max() < ENOUGH else None


def functions_of(kind: str, data: Any, alpha: float) -> Any:
    """Return the likelihood of choix and its gradient."""
    return PairwiseFcts(data, alpha) if kind == "pairs" else Top1Fcts.from_rankings(data, alpha)


def in_units(values: NDArray[np.float64] | None) -> list[int] | None:
    """Return centred numbers as whole units of 1e-9, which a file holds shortly."""
    if values is None:
        return None
    whole: list[int] = np.rint(1e9 * (values - values.mean())).astype(np.int64).tolist()
    return whole


def record(content: dict[str, list[Any]], kind: str, m: int, data: Any) -> None:
    """Add both estimates of one instance."""
    found = likeliest(kind, m, data)
    content[f"{kind}_ml"].append(in_units(found))
    content[f"{kind}_map"].append(in_units(regularised(kind, m, data, found, ALPHA)))


def main() -> None:
    """Write the fixture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--profiles", type=int, default=1050)
    count: int = parser.parse_args().profiles
    warnings.simplefilter("ignore")
    content: dict[str, list[Any]] = {
        name: [] for name in ("pairs", "pairs_ml", "pairs_map", "orders", "orders_ml", "orders_map")
    }
    for seed in range(count):
        m, wins = instances.comparisons(seed)
        content["pairs"].append([m, wins])
        data: list[Any] = [(i, j) for i in range(m) for j in range(m) for _ in range(wins[i][j])]
        record(content, "pairs", m, data)
        m, ballots = instances.choices(seed)
        content["orders"].append([m, instances.text_of(ballots)])
        data = [tuple(a for (a,) in order) for n, order in ballots for _ in range(n)]
        record(content, "orders", m, data)
    instances.write("comparisons", ABOUT, ["choix"], {"alpha": ALPHA, **content})


if __name__ == "__main__":
    main()
