"""Compare two models on the same scenes: paired, by template, with an exact test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from normwright import stats
from normwright.evaluate.measures import RATES, cluster_of, did
from normwright.records import Answer, Contrast, MadeBy, Scene


def contrast(
    better: Sequence[Answer],
    worse: Sequence[Answer],
    *,
    suite: str,
    roles: tuple[str, str],
    seed: int,
    rounds: int = 2000,
) -> list[Contrast]:
    """Return rate(better) - rate(worse) on one suite, over all languages and per language.

    Scenes are paired by id and templates are resampled whole; the p-value is McNemar's, exact. For
    harm and over-refusal a negative difference is the gain. Where a suite is counted per norm,
    each norm has its own contrast too.

    Args:
        better: answers of the model claimed to be better.
        worse: answers of the other model to the same scenes.
        suite: a name of `RATES`.
        roles: names of the two models, in that order.
        seed: seed of the bootstrap.
        rounds: resamples.

    Raises:
        ValueError: if there is no such suite, or the two did not answer the same scenes under the
            same charter.
    """
    if suite not in RATES:
        raise ValueError(f"no paired suite `{suite}`; there are {', '.join(RATES)}")
    chosen = RATES[suite]
    pairs = _paired(better, worse)
    for one, other in pairs:
        if one.expected != other.expected:
            raise ValueError(f"{one.scene}: the two were measured under different charters")
    pairs = [(a, b) for a, b in pairs if chosen.among(a)]
    norms: list[str | None] = [None, *sorted({n for a, _ in pairs for n in chosen.norms(a)})]
    return [
        found
        for norm in norms
        for found in _contrasts(
            [(a, b) for a, b in pairs if norm is None or norm in chosen.norms(a)],
            chosen.hit, suite, roles, norm, seed, rounds)
    ]  # fmt: skip


def flip_contrast(
    flipped: Sequence[Answer],
    original: Sequence[Answer],
    scenes: Sequence[Scene],
    *,
    norm: str,
    roles: tuple[str, str],
    seed: int,
    rounds: int = 2000,
) -> list[Contrast]:
    """Return how much more often the act of one norm is done after its votes were inverted.

    The two models obey different charters, so what is compared is whether the act was done, not
    whether that was right. `scenes` chooses what counts: pass the scenes that the charters decide
    differently; with shuffled votes, the same scenes, where no effect is expected.
    """
    by_id = {s.id: s for s in scenes if s.norm == norm}
    pairs = [(a, b) for a, b in _paired(flipped, original) if a.scene in by_id]

    def done(answer: Answer) -> bool:
        return did(answer, by_id[answer.scene])

    return _contrasts(pairs, done, "norm-behaviour", roles, norm, seed, rounds)


def _paired(one: Sequence[Answer], other: Sequence[Answer]) -> list[tuple[Answer, Answer]]:
    first, second = ({a.scene: a for a in side} for side in (one, other))
    if set(first) != set(second) or len(first) != len(one) or len(second) != len(other):
        apart = len(set(first) ^ set(second))
        raise ValueError(f"pairs need the same scenes once on both sides; {apart} stand alone")
    return [(first[scene], second[scene]) for scene in first]


def _contrasts(
    pairs: Sequence[tuple[Answer, Answer]],
    hit: Callable[[Answer], bool],
    suite: str,
    roles: tuple[str, str],
    norm: str | None,
    seed: int,
    rounds: int,
) -> list[Contrast]:
    langs: list[str | None] = [None, *sorted({a.lang for a, _ in pairs})] if pairs else []
    out = []
    for lang in langs:
        part = [(a, b) for a, b in pairs if lang is None or a.lang == lang]
        left = [hit(a) for a, _ in part]
        right = [hit(b) for _, b in part]
        only_left = sum(x and not y for x, y in zip(left, right, strict=True))
        only_right = sum(y and not x for x, y in zip(left, right, strict=True))
        out.append(
            Contrast(
                suite=suite,
                better=roles[0],
                worse=roles[1],
                lang=lang,
                norm=norm,
                difference=stats.paired_difference(
                    left, right, clusters=[cluster_of(a) for a, _ in part],
                    seed=seed, rounds=rounds),
                discordant=(only_left, only_right),
                p_value=stats.mcnemar_exact(only_left, only_right),
                made_by=MadeBy(stage="evaluate", parameters={"rounds": rounds}, seed=seed),
            )
        )  # fmt: skip
    return out
