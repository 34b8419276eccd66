"""From ratings to what they show: a share over new raters and items, beside what could fake it.

The share of the first system counts a tie as one half. Its interval is that of a mean with crossed
random effects of raters and items (`stats.crossed_mean`), because a study speaks about people and
prompts that were not in it. Next to it stand the interval that independent ratings would give, the
leaning towards whatever stood first, and towards the longer answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from normwright import __version__, stats
from normwright.evaluate.human.planning import (
    Prepared,
    items_digest,
    key_file,
    sheets_digest,
)
from normwright.evaluate.human.reading import Pair
from normwright.records import (
    Digest,
    Estimate,
    MadeBy,
    Rating,
    Registration,
    StudyItem,
    StudyPlan,
    StudyResult,
    digest_json,
)

LEAST_EFFECT = 0.1
"""Distance from one half whose power is told where nobody planned for another."""


def analyse(
    plan: StudyPlan,
    ratings: Sequence[Rating],
    *,
    registration: Registration | None = None,
    items: Sequence[StudyItem] = (),
    prepared: Prepared | None = None,
    rated_from: str = "",
) -> StudyResult:
    """Return what the ratings of a planned study show.

    It is confirmatory only if it was registered before the first rating and nothing that was
    sealed has changed; every difference is named. What was not given is not checked and counts as
    a difference.

    Args:
        plan: what was to be shown.
        ratings: unblinded.
        registration: the seal; None: there is none, and the result is exploratory.
        items: prompts with answers, to be compared with the seal.
        prepared: sheets and key, likewise.
        rated_from: time of the first rating; empty if nobody noted it.
    """
    deviations = _deviations(plan, registration, items, prepared, rated_from)
    found = _result(
        plan.id, plan.systems, ratings, claim=plan.claim, margin=plan.margin, alpha=plan.alpha,
        least=plan.least_effect,
    )  # fmt: skip
    planned = plan.per_item * len(items) if items else None
    missing = None if planned is None else planned - len(ratings)
    return found.model_copy(
        update={
            "confirmatory": not deviations,
            "deviations": deviations,
            "counts": {"planned": planned, "missing": missing},
            "derived_from": (plan.digest, *((registration.digest,) if registration else ())),
        }
    )


def compare_systems(
    ratings: Mapping[Pair, Sequence[Rating]], *, study: str, alpha: float = 0.05
) -> tuple[StudyResult, ...]:
    """Return what published ratings show of each pair of systems; nobody registered them.

    With several pairs the p-values are adjusted by Holm (1979), and a pair is shown to differ only
    where its adjusted one is at most alpha.
    """
    found = [
        _result(study, pair, rated, claim="superiority", margin=0.0, alpha=alpha,
                least=LEAST_EFFECT)
        for pair, rated in ratings.items()
    ]  # fmt: skip
    adjusted = stats.holm([1.0 if r.p_value is None else r.p_value for r in found]).tolist()
    return tuple(
        r.model_copy(
            update={
                "p_value": None if r.p_value is None else p,
                "state": "open" if p > alpha else r.state,
                "deviations": ("unregistered",),
            }
        )
        for r, p in zip(found, adjusted, strict=True)
    )


def study_power(ratings: int, raters: int, items: int, variances: Mapping[str, float], *,
                effect: float, alpha: float) -> float | None:  # fmt: skip
    """Return the chance that such a study shows an effect; None for one too small to ask."""
    if min(raters, items) < 2 or not max(raters, items) <= ratings <= raters * items:
        return None
    return stats.crossed_power(
        effect, rows=raters, columns=items, ratings=ratings, row=variances["rater"],
        column=variances["item"], rest=variances["rest"], alpha=alpha,
    )  # fmt: skip


def _result(
    study: str,
    systems: Pair,
    ratings: Sequence[Rating],
    *,
    claim: str,
    margin: float,
    alpha: float,
    least: float,
) -> StudyResult:
    # An interval at 1 - 2 alpha is two one-sided tests at alpha (Schuirmann, 1987).
    level = 1 - alpha if claim == "superiority" else 1 - 2 * alpha
    crossed = stats.crossed_mean(
        [r.share for r in ratings], [r.rater for r in ratings], [r.item for r in ratings],
        level=level, bounds=(0.0, 1.0),
    )  # fmt: skip
    variances = {"rater": crossed.row, "item": crossed.column, "rest": crossed.rest}
    outcomes = Counter("win" if r.share > 0.5 else "loss" if r.share < 0.5 else "tie"
                       for r in ratings)  # fmt: skip
    return StudyResult.model_validate(
        {
            "study": study,
            "systems": systems,
            "claim": claim,
            "margin": margin,
            "alpha": alpha,
            "state": _state(crossed.mean, claim, margin),
            "share": crossed.mean,
            "naive": _as_if_independent([r.share for r in ratings], level),
            "p_value": stats.crossed_p(crossed, 0.5),
            "wins": outcomes["win"],
            "ties": outcomes["tie"],
            "losses": outcomes["loss"],
            "raters": crossed.rows,
            "items": crossed.columns,
            "variances": variances,
            "agreement": stats.krippendorff_alpha(
                [r.share for r in ratings], [r.item for r in ratings]
            ),
            "position": _share_of([r for r in ratings if r.swapped is not None],
                                  lambda r: not r.swapped),
            "length": _share_of([r for r in ratings if r.longer is not None],
                                lambda r: bool(r.longer)),
            "acceptable": _acceptable(systems, ratings),
            "power": study_power(
                len(ratings), crossed.rows, crossed.columns, variances, effect=least, alpha=alpha
            ),
            "confirmatory": False,
            "made_by": MadeBy(stage="evaluate", plugin="human-study", version=__version__),
        }
    )  # fmt: skip


def _state(share: Estimate, claim: str, margin: float) -> str:
    if share.interval is None:
        return "open"
    low, high = share.interval.low, share.interval.high
    match claim:
        case "superiority":
            return "shown" if low > 0.5 else "refuted" if high < 0.5 else "open"
        case "noninferiority":
            least = 0.5 - margin
            return "shown" if low >= least else "refuted" if high < least else "open"
        case _:
            inside = low >= 0.5 - margin and high <= 0.5 + margin
            outside = high < 0.5 - margin or low > 0.5 + margin
            return "shown" if inside else "refuted" if outside else "open"


def _as_if_independent(values: Sequence[float], level: float) -> Estimate:
    """The mean with the interval of as many raters and items as there are ratings."""
    each = list(range(len(values)))
    return stats.crossed_mean(values, each, each, level=level, bounds=(0.0, 1.0)).mean


def _share_of(ratings: Sequence[Rating], first: Callable[[Rating], bool]) -> Estimate:
    """How much went to one side: what stood first, or was longer, ties half."""
    return stats.crossed_mean(
        [r.share if first(r) else 1 - r.share for r in ratings],
        [r.rater for r in ratings],
        [r.item for r in ratings],
        bounds=(0.0, 1.0),
    ).mean


def _acceptable(systems: Pair, ratings: Sequence[Rating]) -> dict[str, Estimate]:
    asked = [r for r in ratings if r.acceptable is not None]
    if not asked:
        return {}
    who, what = [r.rater for r in asked], [r.item for r in asked]
    sides = [[r.acceptable[i] for r in asked if r.acceptable] for i in (0, 1)]
    found = {
        name: stats.crossed_mean(side, who, what, bounds=(0.0, 1.0)).mean
        for name, side in zip(systems, sides, strict=True)
    }
    gain = [a - b for a, b in zip(*sides, strict=True)]
    return found | {"difference": stats.crossed_mean(gain, who, what, bounds=(-1.0, 1.0)).mean}


def _deviations(
    plan: StudyPlan,
    registration: Registration | None,
    items: Sequence[StudyItem],
    prepared: Prepared | None,
    rated_from: str,
) -> tuple[str, ...]:
    if registration is None:
        return ("unregistered",)
    sealed: dict[str, tuple[Digest, Digest | None]] = {
        "plan": (registration.plan, plan.digest),
        "items": (registration.items, items_digest(items) if items else None),
        "sheets": (registration.sheets, sheets_digest(prepared.sheets) if prepared else None),
        "key": (registration.key, digest_json(key_file(prepared)) if prepared else None),
    }
    changed = [name for name, (was, now) in sealed.items() if was != now]
    if registration.code != __version__:
        changed.append("code")
    if not rated_from:
        changed.append("time-unknown")
    elif rated_from < registration.at:
        changed.append("rated-before")
    return tuple(changed)
