"""Opinion maps, consensus and what is typical of groups, by red-dwarf, as a fixture.

    python -m scripts.oracles.opinions [--profiles N]

Run from the root of the repository in the environment that `make oracles` makes. Groups are given,
not found, so that formulas are compared and not the seeds of k-means.
"""

from __future__ import annotations

import argparse
import os
import warnings
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from numpy.typing import NDArray
from reddwarf.utils import stats  # type: ignore[import-not-found]
from reddwarf.utils.consensus import select_consensus_statements  # type: ignore[import-not-found]
from reddwarf.utils.reducer.base import run_reducer  # type: ignore[import-not-found]
from scripts.oracles import instances

ABOUT = (
    "votes: a row a person: + agree, - disagree, 0 pass, blank not seen; groups: a digit a person.",
    "people, statements: places on the map of two components, in units of 1e-6, whose signs mean "
    "nothing; explained: their variances, in the same unit.",
    "consensus: for each statement the group-aware consensus to agree and to disagree; typical: "
    "for each group and the statements of `asked`, in the order of `columns`; in units of 1e-6.",
    "agreed, disagreed: statements of consensus among all, best first; representative: for each "
    "group its statements, + for those it agrees with.",
)
COLUMNS = ("na", "nd", "ns", "pa", "pd", "pat", "pdt", "ra", "rd", "rat", "rdt")
ASKED = 3
"""Statements of each matrix whose statistics are kept; all would fill the file."""
GAP = 0.02
"""Least relative distance of the first three variances: axes of equal variance are any axes."""


def micro(values: Any) -> Any:
    """Return numbers as whole units of 1e-6."""
    return np.rint(1e6 * np.asarray(values, dtype=np.float64)).astype(np.int64).tolist()


def text_of(votes: NDArray[np.float64]) -> list[str]:
    """Return each person's votes as text."""
    mark = {1.0: "+", -1.0: "-", 0.0: "0"}
    return ["".join(mark.get(vote, " ") for vote in row) for row in votes.tolist()]


def clear(votes: NDArray[np.float64]) -> bool:
    """Return whether the two strongest components are two, and stand out from the third."""
    filled = np.where(np.isnan(votes), np.nanmean(votes, axis=0), votes)
    spectrum = np.linalg.svd(filled - filled.mean(axis=0), compute_uv=False)[:3] ** 2
    return bool((spectrum[:-1] - spectrum[1:] > GAP * spectrum[0]).all())


def answer(votes: NDArray[np.float64], labels: list[int]) -> dict[str, Any]:
    """Return everything red-dwarf says of one matrix of votes."""
    frame = pd.DataFrame(votes)
    frame.columns.name = "statement_id"
    people, statements, reducer = run_reducer(vote_matrix=votes, reducer="pca")
    typical, consensus = stats.calculate_comment_statistics_dataframes(frame, np.array(labels))
    chosen = select_consensus_statements(frame)
    representative = stats.select_representative_statements(typical)
    groups = range(max(labels) + 1)
    return {
        "people": micro(people),
        "statements": micro(statements),
        "explained": micro(reducer.explained_variance_),
        "consensus": micro(
            consensus[["group-aware-consensus-agree", "group-aware-consensus-disagree"]]
        ),
        "typical": [
            micro(typical.loc[group].loc[list(range(ASKED)), list(COLUMNS)]) for group in groups
        ],
        "agreed": [row["tid"] for row in chosen["agree"]],
        "disagreed": [row["tid"] for row in chosen["disagree"]],
        "representative": [
            [("+" if row["repful-for"] == "agree" else "-") + str(row["tid"]) for row in rows]
            for _, rows in sorted(representative.items())
        ],
    }


def main() -> None:
    """Write the fixture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--profiles", type=int, default=1000)
    count: int = parser.parse_args().profiles
    warnings.simplefilter("ignore")
    content: dict[str, list[Any]] = {"votes": [], "groups": []}
    seed = 0
    while len(content["votes"]) < count:
        votes, labels = instances.votes(seed)
        seed += 1
        if not clear(votes):
            continue
        content["votes"].append(text_of(votes))
        content["groups"].append("".join(map(str, labels)))
        for name, found in answer(votes, labels).items():
            content.setdefault(name, []).append(found)
    head = {"columns": COLUMNS, "asked": list(range(ASKED))}
    instances.write("opinions", ABOUT, ["red-dwarf", "scikit-learn"], {**head, **content})


if __name__ == "__main__":
    main()
