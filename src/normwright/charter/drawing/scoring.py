"""How answers to drawn cases did: verdicts, norms cited, missing facts, and whether text was read.

Nothing here needs a judge: what is right was computed. Intervals are bootstrapped by unit, because
near misses, swaps and languages of one unit stand or fall together.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from normwright.records import (
    CaseAnswer,
    CaseFigures,
    CaseItem,
    CaseScore,
    DecisionVerdict,
    Estimate,
    Fault,
    InputError,
)
from normwright.stats import bootstrap_mean, paired_difference

CONFLICTS = frozenset({"necessity", "dilemma-choice", "dilemma-inaction", "deny-dilemma"})
ROUNDS = 1_000
"""Resamples of each interval."""

Answers = Mapping[tuple[str, str], CaseAnswer]


def score(
    items: Sequence[CaseItem], answers: Iterable[CaseAnswer], *, seed: int, rounds: int = ROUNDS
) -> CaseScore:
    """Return how the answers did on the items, with intervals, a language at a time.

    An item without an answer, and an answer without a verdict, count as wrong. A pair counts where
    both of its items are among those given.

    Args:
        items: what was asked.
        answers: what was answered, at most once to each item in each language.
        seed: seed of the resampling.
        rounds: resamples of each interval.

    Raises:
        InputError: if there are no items, or an answer belongs to none or comes twice.
    """
    given = _given(items, answers)
    languages = sorted({item.lang for item in items})
    by_lang = {lang: [item for item in items if item.lang == lang] for lang in languages}
    return CaseScore(
        languages={x: _figures(own, given, seed, rounds) for x, own in by_lang.items()},
        gaps={f"{a}-{b}": _gap(by_lang[a], by_lang[b], given, seed, rounds)
              for a, b in itertools.combinations(languages, 2)},
        unanswered=sum((item.id, item.lang) not in given for item in items),
        unread=sum(answer.verdict is None for answer in given.values()),
        seed=seed,
    )  # fmt: skip


def _given(items: Sequence[CaseItem], answers: Iterable[CaseAnswer]) -> Answers:
    faults = []
    known = Counter((item.id, item.lang) for item in items)
    if not known:
        faults.append(Fault(where="items", expected="at least one item", seen="none"))
    faults += [Fault(where=f"item {name} ({lang})", expected="each item once", seen=f"{n} times")
               for (name, lang), n in known.items() if n > 1]  # fmt: skip
    given: dict[tuple[str, str], CaseAnswer] = {}
    for answer in answers:
        key = (answer.id, answer.lang)
        where = f"answer {answer.id} ({answer.lang})"
        if key not in known:
            faults.append(Fault(where=where, expected="an item of this id and language",
                                seen="none"))  # fmt: skip
        if key in given:
            faults.append(Fault(where=where, expected="one answer to each item", seen="a second"))
        given[key] = answer
    if faults:
        raise InputError(faults)
    return given


def _figures(items: Sequence[CaseItem], given: Answers, seed: int, rounds: int) -> CaseFigures:
    def mean(value: Callable[[CaseItem], float], among: Sequence[CaseItem]) -> Estimate:
        return bootstrap_mean([value(item) for item in among], bounds=(0.0, 1.0), seed=seed,
                              clusters=[item.unit for item in among], rounds=rounds)  # fmt: skip

    def said(item: CaseItem) -> DecisionVerdict | None:
        answer = given.get((item.id, item.lang))
        return None if answer is None else answer.verdict

    def right(item: CaseItem) -> bool:
        return said(item) == item.verdict

    by_id = {item.id: item for item in items}
    near = [item for item in items if _first_of(item, item.near_miss, by_id)]
    swaps = [item for item in items if _first_of(item, item.swap, by_id)]
    swapped = [item for item in items if item.swap in by_id]
    conflicts = [item for item in items if item.verdict in CONFLICTS]
    asking = [item for item in items if item.verdict == "ask"]
    constant = Counter(item.verdict for item in items).most_common()
    best = min(constant, key=lambda pair: (-pair[1], pair[0]))[0]
    return CaseFigures(
        items=len(items),
        accuracy=mean(right, items),
        norms_f1=mean(lambda x: _f1(x, given.get((x.id, x.lang))), items),
        near_miss_pairs=mean(lambda x: right(x) and right(by_id[x.near_miss or ""]), near),
        swap_items=mean(right, swapped),
        swap_pairs=mean(lambda x: right(x) and right(by_id[x.swap or ""]), swaps),
        conflict_recognised=mean(lambda x: said(x) in CONFLICTS, conflicts),
        conflict_overused=mean(
            lambda x: said(x) in CONFLICTS, [x for x in items if x.verdict not in CONFLICTS]
        ),
        missing_asked=mean(right, asking),
        missing_named=mean(lambda x: _named(x, given.get((x.id, x.lang))), asking),
        asked_needlessly=mean(lambda x: said(x) == "ask", [x for x in items if x.verdict != "ask"]),
        constant=mean(lambda x: x.verdict == best, items),
        constant_verdict=best,
    )


def _first_of(item: CaseItem, partner: str | None, by_id: Mapping[str, CaseItem]) -> bool:
    """Whether an item has its partner at hand and is the one of the two that stands for both."""
    return partner in by_id and item.id < (partner or "")


def _f1(item: CaseItem, answer: CaseAnswer | None) -> float:
    if answer is None:
        return 0.0
    cited, due = set(answer.norms), set(item.norms)
    if not cited and not due:
        return 1.0
    return 2 * len(cited & due) / (len(cited) + len(due))


def _named(item: CaseItem, answer: CaseAnswer | None) -> bool:
    return (
        answer is not None and answer.verdict == "ask" and set(answer.unknown) == set(item.unknown)
    )


def _gap(
    first: Sequence[CaseItem], second: Sequence[CaseItem], given: Answers, seed: int, rounds: int
) -> Estimate:
    others = {item.id: item for item in second}
    both = [(item, others[item.id]) for item in first if item.id in others]

    def right(item: CaseItem) -> float:
        answer = given.get((item.id, item.lang))
        return float(answer is not None and answer.verdict == item.verdict)

    return paired_difference(
        [right(a) for a, _ in both],
        [right(b) for _, b in both],
        clusters=[a.unit for a, _ in both],
        seed=seed,
        rounds=rounds,
        bounds=(-1.0, 1.0),
    )
