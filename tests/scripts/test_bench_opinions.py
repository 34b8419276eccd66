"""The votes that the opinion bench measures are what it says they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.loading import load_script

from normwright.aggregate import Profile, opinion_analysis
from normwright.stats import adjusted_rand

bench = load_script(Path(__file__).parents[2] / "scripts" / "bench_opinions.py")


def test_synthetic_votes() -> None:
    """Each participant votes once on so many statements, alike every time, in two camps."""
    rows, columns, values, camps = bench.synthetic(300, 60, 20)
    again = bench.synthetic(300, 60, 20)
    assert all((a == b).all() for a, b in zip((rows, columns, values, camps), again, strict=True))
    assert len({*zip(rows.tolist(), columns.tolist(), strict=True)}) == 300 * 20
    assert np.unique(values).tolist() == [-1, 0, 1]

    people, statements = [str(i) for i in range(300)], [str(j) for j in range(60)]
    profile = Profile.from_arrays(people, statements, rows, columns, values)
    found = opinion_analysis(profile, rounds=0)
    assert profile.size == 6000
    assert adjusted_rand(found.labels, camps[found.people]) > 0.95
