"""Slates, their representation, and winners by grades, by abcvoting, pref_voting and votelib.

    python -m scripts.oracles.approvals [--profiles N]

Run from the root of the repository in the environment that `make oracles` makes.
"""

from __future__ import annotations

import argparse
import os
import warnings
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import numpy as np
import votelib.evaluate.cardinal  # type: ignore[import-not-found]
from abcvoting import abcrules, properties  # type: ignore[import-not-found]
from abcvoting.preferences import Profile  # type: ignore[import-not-found]
from pref_voting import grade_methods  # type: ignore[import-not-found]
from pref_voting.grade_profiles import GradeProfile  # type: ignore[import-not-found]
from scripts.oracles import instances
from scripts.oracles.instances import names
from votelib.evaluate.core import Tie, VotingSystemError  # type: ignore[import-not-found]

RULES = {
    "av": {"algorithm": "standard"},
    "seqpav": {"algorithm": "standard"},
    "pav": {"algorithm": "brute-force"},
    "seqphragmen": {"algorithm": "standard-fractions"},
    "equal-shares": {"algorithm": "standard-fractions"},
    "equal-shares-with-av-completion": {"algorithm": "standard-fractions"},
    "equal-shares-without-completion": {"algorithm": "standard-fractions"},
}
"""Rules of abcvoting, each by an exact algorithm that asks no solver."""

APPROVALS_ABOUT = (
    "profiles: alternatives, seats, and ballots as text: `3:AC` for three who approve of A and C.",
    "answers: by rule of abcvoting, every winning committee of each profile, as letters.",
    "committee: one at random for each profile; jr, ejr, ejr_plus, pjr: whether it has them.",
    "Each voter is one voter, also who approves of nothing.",
)
GRADES_ABOUT = (
    "profiles: alternatives, grades, and rows as text: `3:021` for three who gave A 0, B 2, C 1.",
    "answers: winners as letters; null where the package gives no answer.",
)


def profile_of(m: int, ballots: Any) -> Any:
    """Return approvals as abcvoting holds them, a voter each."""
    made = Profile(m)
    made.add_voters([list(members) for count, members in ballots for _ in range(count)])
    return made


def committees(rule: str, profile: Any, k: int) -> list[str]:
    """Return every committee that a rule would choose under some order of ties."""
    options = dict(RULES[rule])
    found = abcrules.compute(rule, profile, committeesize=k, resolute=False, **options)
    return sorted(names(committee) for committee in found)


def represented(profile: Any, committee: list[int], *, exact: bool) -> dict[str, bool]:
    """Return which properties a committee has."""
    made = {
        "jr": bool(properties.check_JR(profile, committee)),
        "ejr_plus": bool(properties.check_EJR_plus(profile, committee)),
    }
    if exact:
        made["ejr"] = bool(properties.check_EJR(profile, committee, algorithm="brute-force"))
        made["pjr"] = bool(properties.check_PJR(profile, committee, algorithm="brute-force"))
    return made


def slates(count: int) -> None:
    """Write the fixture of approvals."""
    profiles, chosen, checks = [], [], []
    answers: dict[str, list[list[str]]] = {rule: [] for rule in RULES}
    for seed in range(count):
        m, k, ballots = instances.approvals(seed)
        profile = profile_of(m, ballots)
        text = " ".join(f"{n}:{names(members)}" for n, members in ballots)
        profiles.append([m, k, text])
        for rule, found in answers.items():
            found.append(committees(rule, profile, k))
        committee = np.random.default_rng([seed, 9]).permutation(m)[:k].tolist()
        chosen.append(names(committee))
        checks.append(represented(profile, committee, exact=True))
    content = {
        "profiles": profiles,
        "answers": answers,
        "committee": chosen,
        **{name: [int(check[name]) for check in checks] for name in checks[0]},
    }
    instances.write("approvals", APPROVALS_ABOUT, ["abcvoting"], content)


def majority_judgment(rows: Any) -> str | None:
    """Return the winners by votelib, or None where it finds no cutoff."""
    votes = {frozenset(enumerate(row)): count for count, row in rows}
    method = votelib.evaluate.cardinal.MajorityJudgment()
    try:
        best = method.evaluate(votes, 1)[0]
    except VotingSystemError:
        return None
    return names(best) if isinstance(best, Tie) else names([best])


def approving(m: int, rows: Any, lowest: int) -> str:
    """Return the winners by approval where grades from `lowest` on approve."""
    maps = [
        {a: int(row[a] >= lowest) for a in range(m)} for count, row in rows for _ in range(count)
    ]
    return names(grade_methods.approval(GradeProfile(maps, [0, 1])))


def graded(count: int) -> None:
    """Write the fixture of grades."""
    profiles, lowest = [], []
    answers: dict[str, list[str | None]] = {
        "votelib majority judgment": [],
        "pref_voting majority judgement": [],
        "pref_voting approval": [],
    }
    for seed in range(count):
        m, grades, rows = instances.grades(seed)
        text = " ".join(f"{n}:{''.join(map(str, row))}" for n, row in rows)
        profiles.append([m, grades, text])
        maps = [dict(enumerate(row)) for n, row in rows for _ in range(n)]
        profile = GradeProfile(maps, list(range(grades)))
        lowest.append(int(np.random.default_rng([seed, 10]).integers(1, grades)))
        answers["votelib majority judgment"].append(majority_judgment(rows))
        answers["pref_voting majority judgement"].append(
            names(grade_methods.majority_judgement(profile))
        )
        answers["pref_voting approval"].append(approving(m, rows, lowest[-1]))
    content = {"profiles": profiles, "approved_from": lowest, "answers": answers}
    instances.write("grades", GRADES_ABOUT, ["pref_voting", "votelib"], content)


def main() -> None:
    """Write the fixtures of approvals and grades."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--profiles", type=int, default=1200)
    count: int = parser.parse_args().profiles
    warnings.simplefilter("ignore")
    slates(count)
    graded(count)


if __name__ == "__main__":
    main()
