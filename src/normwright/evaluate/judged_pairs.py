"""Held-out pairs that people judged: does a model, or the reward model, hold the same answer better?

| metric, after the source | is |
|---|---|
| `implicit` | share of pairs whose preferred answer gained more log-likelihood over the reference |
| `implicit_norm` | the same, a token (a byte, where nobody counts tokens) |
| `likelihood_norm` | share of pairs whose preferred answer is likelier, a token |
| `score` | share of pairs whose preferred answer the reward model scores higher |
| `.../brier`, `.../log-loss` | distance of the probability that a margin stands for from the share of votes |
| `human-agreement` | how often one of the people agrees with the majority of the others |

The log-likelihood that tuning added, times beta, is the reward that preference optimisation fits
(Rafailov et al., arXiv 2305.18290, eq. 5); its logistic is the probability that the first answer
is preferred. Shares are over pairs with a majority; brier and log-loss take all pairs and weigh
each by its people, a tie among them being half a vote for each side. Whoever holds both answers
alike has half a point, so that a constant has exactly one half. Clusters are resampled whole.

The human ceiling leaves each person out in turn, a tied majority of the others counting half;
`as_a_person` in the details of a share is what the model has under that very rule. Above it a model
may still come: a majority of three is less noisy than one of two.

Not shown: that the majority is right, and anything about pairs longer than the model's context
(they are left out, and counted). No criterion of release may ask for this suite.
"""  # noqa: E501

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from normwright import stats
from normwright.evaluate.holding import Call, Fits, of_both, wins
from normwright.models import Model, Scorer
from normwright.plugins import Card, plugin
from normwright.records import (
    Contrast,
    Digest,
    Estimate,
    Fault,
    InputError,
    JudgedPair,
    MadeBy,
    Measurement,
    digest_json,
)

REWARD: Final = "reward"
PEOPLE: Final = "people"
"""Roles of what is measured without being a language model."""

COMPARED: Final = (("aligned", "tuned"), ("aligned", "base"))
"""(better, worse): roles compared pair by pair, where both are there."""


@dataclass(frozen=True)
class Held:
    """How good one model holds both answers of each pair of one source in one language."""

    pairs: tuple[JudgedPair, ...]
    first: tuple[float, ...]
    second: tuple[float, ...]
    by: str
    """`implicit`, `implicit_norm`, `likelihood_norm` or `score`."""
    scale: float | None
    """What a margin is multiplied with to be the logit of a preference; None: it stands for none.
    """
    role: str
    model_digest: Digest
    seed: int
    about: Mapping[str, Any]
    """What goes into the details as it is."""


def measure_judged_pairs(
    pairs: Sequence[JudgedPair],
    models: Mapping[str, Model],
    scorer: Scorer | None,
    *,
    reference: str | None,
    digests: Mapping[str, Digest],
    fits: Fits,
    seed: int,
    limit: int | None = None,
    beta: float = 0.1,
    tokens: Callable[[str], int] | None = None,
    batch: int = 16,
    progress: Callable[[int, int, str], None] | None = None,
) -> list[Measurement | Contrast]:
    """Return every measurement on held-out judged pairs, by source and language, and contrasts.

    Args:
        pairs: pairs that nothing was trained on.
        models: what is measured, by role.
        scorer: the reward model, or None.
        reference: role of the model that tuning started from; None measures no implicit reward.
        digests: what was measured, by role; also of `reward` if there is a scorer.
        fits: whether a conversation with an answer fits the context of all of them.
        seed: seed of the sample and of the resampling.
        limit: pairs asked of each source and language, at most; None asks all.
        beta: strength of the pull towards the reference while tuning; the implicit reward's scale.
        tokens: how many tokens an answer has, its end included; None counts bytes.
        batch: conversations a call.
        progress: called with (done, in all, "source, language, role") and at the end.

    Raises:
        InputError: naming every pair that cannot be used.
        ValueError: if the reference is no role, or a role has no digest.
    """
    _check(pairs)
    roles = [*models, *([REWARD] if scorer else [])]
    lacking = sorted(set(roles) - set(digests))
    if lacking or len(set(roles)) < len(roles) or not beta > 0:
        raise ValueError(f"each role needs a digest and a name of its own, and beta > 0; {lacking}")
    if reference is not None and reference not in models:
        raise ValueError(f"the reference {reference!r} is none of {', '.join(models)}")
    tell = progress or (lambda done, total, what: None)
    samples = [_sample(part, fits, limit, seed) for part in _parts(pairs)]
    total, done = len(samples) * len(roles), 0
    out: list[Measurement | Contrast] = []
    for sample, about in samples:
        if not sample:
            done += len(roles)
            continue
        where = f"{sample[0].source}, {sample[0].lang}"
        size = _sizes(sample, tokens)
        about = {**about, "length": "bytes" if tokens is None else "tokens"}
        said: dict[str, tuple[list[float], list[float]]] = {}
        for role, model in models.items():
            tell(done, total, f"{where}, {role}")
            done += 1
            said[role] = _asked(model.logprobs, sample, batch)
        held = [
            Held(sample, *_less(said[role], base, size if norm else None), by,
                 None if norm else beta, role, digests[role], seed,
                 {**about, "reference": reference if base else None,
                  "beta": beta if base else None})
            for role in models
            for by, norm, base in _ways(role, reference, said)
        ]  # fmt: skip
        if scorer is not None:
            tell(done, total, f"{where}, {REWARD}")
            done += 1
            first, second = _asked(scorer.score, sample, batch)
            held.append(Held(sample, tuple(first), tuple(second), "score", 1.0, REWARD,
                             digests[REWARD], seed, about))  # fmt: skip
        out += human_agreement(sample, about, seed=seed)
        out += [m for each in held for m in judged_pairs(each)]
        out += [
            pairs_contrast(one, other)
            for better, worse in COMPARED
            for one in held if one.role == better
            for other in held if other.role == worse and other.by == one.by
        ]  # fmt: skip
    tell(total, total, "")
    return out


@plugin(Card(
    name="judged-pairs", kind="suites", status="tested",
    summary="Share of held-out pairs on which a model holds the majority's answer better.",
    reference="Rafailov et al. (2023), arXiv 2305.18290, for the implicit reward",
    claims=(
        "a constant has exactly one half, wherever the preferred answer stands",
        "who swaps both answers of every pair changes nothing",
        "never asked for by a criterion of release",
    ),
))  # fmt: skip
def judged_pairs(held: Held) -> list[Measurement]:
    """Return the share of agreement with majorities and, where a margin is a logit, its distances.

    Nothing is returned where no pair has a majority: missing is not zero.
    """
    decided = [i for i, p in enumerate(held.pairs) if p.prefer_first != p.prefer_second]
    out = [_share(held, decided)] if decided else []
    return out if held.scale is None else [*out, *_distances(held, held.scale)]


def human_agreement(
    pairs: Sequence[JudgedPair], about: Mapping[str, Any], *, seed: int
) -> list[Measurement]:
    """Return how often one of the people agrees with the majority of the others, if any pair tells.

    Args:
        pairs: of one source and language; those that one person judged tell nothing.
        about: goes into the details as it is.
        seed: seed of the resampling.
    """
    several = [p for p in pairs if _people(p) > 1]
    if not several:
        return []
    return [
        Measurement(
            suite="judged-pairs",
            metric=f"{several[0].source}/human-agreement",
            model=PEOPLE,
            model_digest=digest_json([p.digest for p in several]),
            lang=several[0].lang,
            estimate=_clustered([_left_out(p, None) for p in several], several, seed),
            cluster="cluster",
            baselines={"constant": 0.5},
            details={
                **about,
                "pairs": len(several),
                "people": sum(map(_people, several)),
                "unanimous": sum(max(p.prefer_first, p.prefer_second) == _people(p)
                                 for p in several),
            },
            made_by=MadeBy(stage="evaluate", plugin="judged-pairs", seed=seed),
        )
    ]  # fmt: skip


def pairs_contrast(better: Held, worse: Held) -> Contrast:
    """Return the share of one model less that of another on the same pairs, resampled by cluster.

    The p-value is McNemar's on the pairs that one of the two holds better than the other does.
    """
    if better.pairs != worse.pairs or better.by != worse.by:
        raise ValueError("a comparison needs the same pairs, held alike, on both sides")
    decided = [i for i, p in enumerate(better.pairs) if p.prefer_first != p.prefer_second]
    left, right = _points(better, decided), _points(worse, decided)
    only = (
        sum(a > b for a, b in zip(left, right, strict=True)),
        sum(a < b for a, b in zip(left, right, strict=True)),
    )
    return Contrast(
        suite="judged-pairs",
        better=better.role,
        worse=worse.role,
        lang=better.pairs[0].lang,
        difference=stats.paired_difference(
            left, right, clusters=[better.pairs[i].cluster for i in decided],
            seed=better.seed, bounds=(-1.0, 1.0)),
        discordant=only,
        p_value=stats.mcnemar_exact(*only),
        made_by=MadeBy(
            stage="evaluate",
            plugin="judged-pairs",
            parameters={"metric": f"{better.pairs[0].source}/{better.by}", "cluster": "cluster"},
            seed=better.seed,
        ),
    )  # fmt: skip


def _share(held: Held, decided: Sequence[int]) -> Measurement:
    """How often the majority's answer is held better, beside rules that read neither answer."""
    pairs = [held.pairs[i] for i in decided]
    mine = _points(held, decided)
    longer = wins([len(p.first) for p in pairs], [len(p.second) for p in pairs])
    rules = {
        "constant": [0.5] * len(pairs),
        "longer-wins": [v if _first(p) else 1 - v for v, p in zip(longer, pairs, strict=True)],
        "first-position": [float(_first(p)) for p in pairs],
    }
    tests = {}
    for name, theirs in rules.items():
        difference = stats.paired_difference(
            mine, theirs, clusters=[p.cluster for p in pairs], seed=held.seed, bounds=(-1.0, 1.0)
        )
        low = difference.interval.low if difference.interval else None
        tests[name] = {
            "score": sum(theirs) / len(pairs),
            "difference": difference.value,
            "low": low,
            "beaten": low is not None and low > 0,
        }
    several = [i for i, p in enumerate(held.pairs) if _people(p) > 1]
    as_one = [_left_out(held.pairs[i], _side(held, i)) for i in several]
    return _measured(
        held,
        held.by,
        _clustered(mine, pairs, held.seed),
        {name: t["score"] for name, t in tests.items()},
        {
            "asked": len(held.pairs),
            "without_majority": len(held.pairs) - len(decided),
            "ties": mine.count(0.5),
            "constants": tests,
            "consistent_with": [name for name, t in tests.items() if not t["beaten"]],
            "degenerate": any(not t["beaten"] for t in tests.values()),
            "held_better": {
                "first": sum(_side(held, i) == 1 for i in decided),
                "second": sum(_side(held, i) == 0 for i in decided),
                "longer": sum(
                    len(held.pairs[i].first) != len(held.pairs[i].second)
                    and _side(held, i) == (len(held.pairs[i].first) > len(held.pairs[i].second))
                    for i in decided
                ),
            },
            "as_a_person": sum(as_one) / len(as_one) if as_one else None,
        },
        None if 0.5 in mine else int(sum(mine)),
    )


def _distances(held: Held, scale: float) -> list[Measurement]:
    """Brier score and log-loss of the margins' probabilities against the shares of votes."""
    margins = [scale * (a - b) for a, b in zip(held.first, held.second, strict=True)]
    known = [i for i, m in enumerate(margins) if not math.isnan(m)]
    pairs = [held.pairs[i] for i in known]
    if not pairs:
        return []
    shares = [(p.prefer_first + p.ties / 2) / _people(p) for p in pairs]
    people = [_people(p) for p in pairs]
    rate = sum(s * n for s, n in zip(shares, people, strict=True)) / sum(people)
    out = []
    for name, loss in (("brier", _brier), ("log-loss", _log_loss)):
        values = [loss(margins[i], s) for i, s in zip(known, shares, strict=True)]
        endless = sum(math.isinf(v) for v in values)

        def mean(logits: Sequence[float], loss: Callable[[float, float], float] = loss) -> float:
            each = [loss(x, s) * n for x, s, n in zip(logits, shares, people, strict=True)]
            return sum(each) / sum(people)

        baselines = {
            "constant": mean([0.0] * len(pairs)),
            "base-rate": mean([_logit(rate)] * len(pairs)),
            "best-possible": mean([_logit(s) for s in shares]),
        }
        votes = [v for v, n in zip(values, people, strict=True) for _ in range(n)]
        units = [p.cluster for p, n in zip(pairs, people, strict=True) for _ in range(n)]
        estimate = (
            Estimate(value=None, interval=None, n=len(set(units)), seed=held.seed)
            if endless
            else stats.bootstrap_mean(
                votes,
                clusters=units,
                seed=held.seed,
                bounds=(0.0, 1.0) if name == "brier" else None,
            )
        )
        out.append(_measured(held, f"{held.by}/{name}", estimate, baselines, {
            "asked": len(held.pairs),
            "unknown": len(held.pairs) - len(pairs),
            "infinite": endless,
            "people": sum(people),
            "scale": scale,
        }, None))  # fmt: skip
    return out


def _measured(
    held: Held,
    metric: str,
    estimate: Estimate,
    baselines: dict[str, float],
    details: dict[str, Any],
    count: int | None,
) -> Measurement:
    return Measurement(
        suite="judged-pairs",
        metric=f"{held.pairs[0].source}/{metric}",
        model=held.role,
        model_digest=held.model_digest,
        lang=held.pairs[0].lang,
        count=count,
        estimate=estimate,
        cluster="cluster",
        baselines=baselines,
        details={**held.about, "held_by": held.by, **details},
        made_by=MadeBy(stage="evaluate", plugin="judged-pairs", seed=held.seed),
    )


def _clustered(values: Sequence[float], pairs: Sequence[JudgedPair], seed: int) -> Estimate:
    """Exact where every pair stands alone and no point was halved; else resampled by cluster."""
    clusters = [p.cluster for p in pairs]
    if len(set(clusters)) == len(clusters) and all(v in (0, 1) for v in values):
        return stats.proportion(sum(values), len(values), method="exact")
    return stats.bootstrap_mean(values, clusters=clusters, seed=seed, bounds=(0.0, 1.0))


def _points(held: Held, decided: Sequence[int]) -> list[float]:
    """1 where the majority's answer is held better, 0 where the other is, one half for neither."""
    return [
        side if _first(held.pairs[i]) else 1 - side
        for i, side in ((i, _side(held, i)) for i in decided)
    ]


def _side(held: Held, i: int) -> float:
    """1 if the first answer is held better, 0 if the second is, one half if neither.

    Two answers without any probability are held alike.
    """
    a, b = held.first[i], held.second[i]
    return 0.5 if math.isnan(a) or math.isnan(b) else (a > b) + (a == b) / 2


def _first(pair: JudgedPair) -> bool:
    return pair.prefer_first > pair.prefer_second


def _people(pair: JudgedPair) -> int:
    return pair.prefer_first + pair.prefer_second + pair.ties


def _left_out(pair: JudgedPair, side: float | None) -> float:
    """Agreement with the majority of the others, each person left out in turn.

    Args:
        pair: judged by two people or more.
        side: whose agreement: 1, 0 or one half as in `_side`; None takes the left-out person's own.
    """
    a, b = pair.prefer_first, pair.prefer_second
    agreed = 0.0
    for count, own, ahead in (
        (a, 1.0, a - 1 - b), (b, 0.0, a - b + 1), (pair.ties, 0.5, a - b)
    ):  # fmt: skip
        mine = own if side is None else side
        majority = 0.5 if ahead == 0 else float(ahead > 0)
        agreed += count * (0.5 if 0.5 in (mine, majority) else float(mine == majority))
    return agreed / _people(pair)


def _brier(logit: float, share: float) -> float:
    probability = 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0
    return (probability - share) ** 2


def _log_loss(logit: float, share: float) -> float:
    """-(s ln p + (1 - s) ln(1 - p)): a certain answer is free only where all agree with it."""
    loss = 0.0
    if share > 0:
        loss += share * _softplus(-logit)
    if share < 1:
        loss += (1 - share) * _softplus(logit)
    return loss


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _logit(share: float) -> float:
    if share in (0.0, 1.0):
        return math.inf if share else -math.inf
    return math.log(share / (1 - share))


def _asked(call: Call, pairs: Sequence[JudgedPair], batch: int) -> tuple[list[float], list[float]]:
    return of_both(call, [(p.prompt, p.first, p.second) for p in pairs], batch)


def _ways(
    role: str, reference: str | None, said: Mapping[str, tuple[list[float], list[float]]]
) -> list[tuple[str, bool, tuple[list[float], list[float]] | None]]:
    """(name, a token?, what is taken off) of each way to hold an answer better."""
    ways: list[tuple[str, bool, tuple[list[float], list[float]] | None]] = []
    if reference is not None and role != reference:
        ways += [("implicit", False, said[reference]), ("implicit_norm", True, said[reference])]
    return [*ways, ("likelihood_norm", True, None)]


def _less(
    said: tuple[list[float], list[float]],
    base: tuple[list[float], list[float]] | None,
    size: tuple[list[int], list[int]] | None,
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What is said of both answers, less what the reference says, a unit of length if asked."""
    sides = []
    for side in (0, 1):
        taken = base[side] if base else [0.0] * len(said[side])
        length = size[side] if size else [1] * len(said[side])
        sides.append(tuple((v - t) / n for v, t, n in zip(said[side], taken, length, strict=True)))
    return sides[0], sides[1]


def _sizes(
    pairs: Sequence[JudgedPair], tokens: Callable[[str], int] | None
) -> tuple[list[int], list[int]]:
    count = tokens or (lambda text: len(text.encode()))
    return (
        [max(1, count(p.first)) for p in pairs],
        [max(1, count(p.second)) for p in pairs],
    )


def _parts(pairs: Sequence[JudgedPair]) -> list[list[JudgedPair]]:
    """The pairs of each source and language."""
    parts: dict[tuple[str, str], list[JudgedPair]] = {}
    for pair in pairs:
        parts.setdefault((pair.source, pair.lang), []).append(pair)
    return [part for _, part in sorted(parts.items())]


def _sample(
    pairs: Sequence[JudgedPair], fits: Fits, limit: int | None, seed: int
) -> tuple[tuple[JudgedPair, ...], dict[str, Any]]:
    """The first pairs, in an order that seed and id fix, which fit; the others are counted."""
    kept: list[JudgedPair] = []
    too_long = 0
    for pair in sorted(pairs, key=lambda p: hashlib.sha256(f"{seed}|{p.id}".encode()).digest()):
        if len(kept) == limit:
            break
        if all(fits(pair.prompt, text) for text in (pair.first, pair.second)):
            kept.append(pair)
        else:
            too_long += 1
    return tuple(kept), {
        "source": pairs[0].source,
        "data": digest_json(sorted(p.digest for p in kept)),
        "rows": len(pairs),
        "too_long": too_long,
        "clusters": len({p.cluster for p in kept}),
        "licences": sorted({p.licence for p in kept}),
    }


def _check(pairs: Sequence[JudgedPair]) -> None:
    seen: set[tuple[str, str]] = set()
    faults = []
    for pair in pairs:
        where = f"{pair.source}/{pair.id}"
        if (pair.source, pair.id) in seen:
            faults.append(Fault(where=where, expected="an id of its own", seen="the same twice",
                                do="Name each pair of a source once."))  # fmt: skip
        seen.add((pair.source, pair.id))
        if _people(pair) == 0:
            faults.append(Fault(where=where, expected="a judgement", seen="none",
                                do="Leave out pairs that nobody judged."))  # fmt: skip
    if not pairs:
        faults.append(Fault(where="pairs", expected="judged pairs", seen="none",
                            do="Hold some out from training."))  # fmt: skip
    if faults:
        raise InputError(faults)
