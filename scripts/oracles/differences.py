"""Small profiles on which conventions differ, and what each package answers there, as a fixture.

    python -m scripts.oracles.differences

Run from the root of the repository in the environment that `make oracles` makes. Why the answers
differ is told by the tests, one for each profile.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from pref_voting import grade_methods  # type: ignore[import-not-found]
from pref_voting import iterative_methods as iterative
from pref_voting import margin_based_methods as margin_based
from pref_voting import probabilistic_methods as probabilistic
from pref_voting import proportional_methods as proportional
from pref_voting.grade_profiles import GradeProfile  # type: ignore[import-not-found]
from reddwarf.utils import stats  # type: ignore[import-not-found]
from scripts.oracles import approvals, instances, rankings
from scripts.oracles.instances import names

ABOUT = (
    "By name: ballots, and what each package answers; see the test of the same name.",
    "Ballots as in the other files: orders `5:C>A=B`, approvals `3:AC`, grades `3:021`, votes.",
)


def orders(m: int, text: str, **oracles: Any) -> dict[str, Any]:
    """Return a profile of whole strict orders and the winners by methods of pref_voting."""
    profile = rankings.pref_voting_profile(m, instances.ballots_of(text))
    answers = {name: names(method(profile)) for name, method in oracles.items()}
    return {"alternatives": m, "ballots": text, "answers": answers}


def ties_locked_in() -> dict[str, Any]:
    """Ranked pairs where equal margins contradict each other."""
    text = "1:A>B>D>C 1:A>D>B>C 1:C>A>B>D 2:D>B>C>A"
    return orders(4, text, put=margin_based.ranked_pairs, tb=margin_based.ranked_pairs_tb)


def river_ties() -> dict[str, Any]:
    """River where equal margins contradict each other."""
    text = "2:A>D>B>C 2:C>B>A>D 1:D>B>C>A 1:C>D>B>A 1:D>C>B>A"
    return orders(4, text, put=margin_based.river, tb=margin_based.river_tb)


def instant_runoff_ties() -> dict[str, Any]:
    """Instant runoff where two have the fewest votes."""
    return orders(
        3, "2:A>B>C 1:B>A>C 1:C>B>A", put=iterative.instant_runoff_put,
        together=iterative.instant_runoff, by_list=iterative.instant_runoff_tb,
    )  # fmt: skip


def instant_runoff_shared_places() -> dict[str, Any]:
    """Instant runoff where ballots put several first: a whole vote for each, or a part."""
    text = "4:A=B 3:C>A 2:B>C"
    profile = rankings.with_ties(3, instances.ballots_of(text), "last")
    answers = {
        "approval": names(iterative.instant_runoff_put(profile, score_method="approval")),
        "split": names(iterative.instant_runoff_put(profile, score_method="split")),
    }
    return {"alternatives": 3, "ballots": text, "answers": answers}


def paths_by_margins() -> dict[str, Any]:
    """Beat paths by margins and by winning votes."""
    text = "1:B 1:C>B 1:A>C 1:A>C>B 1:B>A>C"
    profile = rankings.with_ties(3, instances.ballots_of(text), "last")
    answers = {
        "margins": names(margin_based.beat_path(profile)),
        "winning_votes": names(margin_based.beat_path(profile, strength_function=profile.support)),
    }
    return {"alternatives": 3, "ballots": text, "answers": answers}


def paths_won() -> dict[str, Any]:
    """Several unbeaten by paths, who beat different numbers of others."""
    text = "1:B>E>D>F>A>C 1:D>C>A>F>B>E"
    made = orders(6, text, pref_voting=margin_based.beat_path)
    by_votelib = rankings.votelib_answers(6, instances.ballots_of(text), "last")
    made["answers"]["votelib"] = by_votelib["schulze"]
    return made


def several_lotteries() -> dict[str, Any]:
    """Several maximal lotteries: their average, one of them, and the most even one."""
    text = "1:A>B>D>E>C 5:B>D>E>C>A 3:C>A>B>D>E 1:D>E>C>A>B"
    made = orders(5, text)
    profile = rankings.pref_voting_profile(5, instances.ballots_of(text))
    made["answers"] = {"average": rankings.lottery(profile)}
    one = probabilistic.maximal_lottery(profile, algorithm="lp")
    made["answers"]["one"] = [round(1e6 * float(one[a])) for a in sorted(one)]
    return made


def seats_one_surplus_at_a_time() -> dict[str, Any]:
    """Scottish rules move one surplus at a time, cut to five decimals."""
    text = (
        "1:A>B>C>E>D 1:A>B>D>E>C 1:A>C>B>D>E 2:A>C>D>E>B 1:A>C>E>D>B 1:A>D>B>E>C 1:A>D>C>B>E "
        "6:B>A>D>E>C 2:B>A>E>C>D 6:B>A>E>D>C 1:B>D>A>E>C 3:B>E>A>D>C 4:C>A>D>B>E 9:C>A>D>E>B "
        "2:C>A>E>D>B 1:C>D>A>E>B 1:C>D>E>A>B 1:C>E>A>D>B 1:C>E>B>D>A 1:C>E>D>A>B 1:E>A>B>D>C "
        "1:E>C>A>B>D"
    )
    made = orders(5, text, scottish=lambda profile: proportional.stv_scottish(profile, num_seats=4))
    return {**made, "seats": 4}


def exhausted_ballots() -> dict[str, Any]:
    """Seats where ballots are exhausted before somebody is let go."""
    text = (
        "3:A 1:A>C>E>B>F>D 1:A>D>F>E 1:A>E 1:A>E>B>F>D 1:A>F 1:B>A>D>C>E 1:B>D>C>E>F>A 2:C "
        "1:C>A>D>E 1:C>A>E 1:C>A>F>B 1:C>A>F>E>B 3:D 1:D>A>C>F 1:D>B 2:D>C 2:D>C>A>E 1:E>F>A>B>C "
        "1:F>A>B>D>E"
    )
    ballots = instances.ballots_of(text)
    profile = rankings.with_ties(6, ballots, "last")
    by_pref_voting = proportional.stv_wig(profile, num_seats=4, quota_rule="droop")
    by_votelib = rankings.votelib_stv(6, ballots)[3]
    answers = {"pref_voting": names(by_pref_voting), "votelib": by_votelib}
    return {"alternatives": 6, "ballots": text, "answers": answers, "seats": 4}


def completions() -> dict[str, Any]:
    """Equal shares, filled up by Phragmén's rule, by approvals, or not at all."""
    ballots = ((1, ()), (2, (0,)), (1, (1,)), (2, (1, 2)), (1, (2,)))
    text = " ".join(f"{n}:{names(members)}" for n, members in ballots)
    profile = approvals.profile_of(3, ballots)
    rules = {
        "phragmen": "equal-shares", "approvals": "equal-shares-with-av-completion",
        "none": "equal-shares-without-completion",
    }  # fmt: skip
    answers = {name: approvals.committees(rule, profile, 2) for name, rule in rules.items()}
    return {"alternatives": 3, "seats": 2, "ballots": text, "answers": answers}


def medians() -> dict[str, Any]:
    """Equal medians: the gauge looks at shares around the median, the value at all grades."""
    ballots = ((1, (0, 0)), (1, (1, 3)))
    return grades_of(2, 4, ballots)


def medians_taken_together() -> dict[str, Any]:
    """Equal medians, taken away one by one, or several at once."""
    text = "1:003 1:021 1:032 2:033 1:112 1:132 1:223 1:300 1:301 1:311 1:313 1:321 1:323 1:332"
    rows = [ballot.partition(":") for ballot in text.split()]
    return grades_of(3, 4, tuple((int(n), tuple(map(int, row))) for n, _, row in rows))


def grades_of(m: int, grades: int, ballots: Any) -> dict[str, Any]:
    """Return grades and the winners by majority judgement."""
    text = " ".join(f"{n}:{''.join(map(str, row))}" for n, row in ballots)
    maps = [dict(enumerate(row)) for n, row in ballots for _ in range(n)]
    gauge = grade_methods.majority_judgement(GradeProfile(maps, list(range(grades))))
    answers = {"votelib": approvals.majority_judgment(ballots), "pref_voting": names(gauge)}
    return {"alternatives": m, "ballots": text, "answers": answers}


def only_disagreements() -> dict[str, Any]:
    """A group whose only significant statements are those it disagrees with."""
    rows, groups = ["--+", "-0 ", "--0", "++-", "++ ", "+0-"], "000111"
    value = {"+": 1.0, "-": -1.0, "0": 0.0, " ": np.nan}
    frame = pd.DataFrame([[value[c] for c in row] for row in rows])
    frame.columns.name = "statement_id"
    typical, _ = stats.calculate_comment_statistics_dataframes(
        frame, np.array([int(group) for group in groups])
    )
    picked = stats.select_representative_statements(typical)
    answers = [
        [("+" if row["repful-for"] == "agree" else "-") + str(row["tid"]) for row in made]
        for _, made in sorted(picked.items())
    ]
    return {"votes": rows, "groups": groups, "answers": {"red-dwarf": answers}}


CASES = (
    completions,
    exhausted_ballots,
    instant_runoff_shared_places,
    instant_runoff_ties,
    medians,
    medians_taken_together,
    only_disagreements,
    paths_by_margins,
    paths_won,
    river_ties,
    seats_one_surplus_at_a_time,
    several_lotteries,
    ties_locked_in,
)


def main() -> None:
    """Write the fixture."""
    warnings.simplefilter("ignore")
    packages = ["abcvoting", "pref_voting", "red-dwarf", "votelib"]
    content = {case.__name__.replace("_", "-"): case() for case in CASES}
    instances.write("differences", ABOUT, packages, content)


if __name__ == "__main__":
    main()
