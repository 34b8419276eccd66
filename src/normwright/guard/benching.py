"""Quality and speed of a guard on labelled lines, beside baselines that must be beaten.

What is measured is the decision the guard makes when it serves, at the thresholds it serves with:
recall and over-refusal come from the same decisions. Beside it stand `aira-compat`, which scores
the last turn alone and stops under a raw logit of 5, and the two constant answers, of which the one
that is right more often is the majority's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from normwright.guard.engine import Guard
from normwright.guard.lines import LabelledLine
from normwright.guard.opening import classifier_digest
from normwright.guard.sights import passage
from normwright.guard.text_harm.aira import AiraCompat, last_said
from normwright.records import BenchPart, Digest, Exchange, GuardBench, Lang, Spent, Way
from normwright.stats import proportion

Flags = NDArray[np.bool_]
AIRA: Final = "aira-compat"


def way(name: str, stopped: Flags, harmful: Flags) -> Way:
    """Return what a way of deciding comes to."""
    right = int((stopped == harmful).sum())
    return Way(
        name=name,
        recall=proportion(int((stopped & harmful).sum()), int(harmful.sum()), method="exact"),
        over_refusal=proportion(
            int((stopped & ~harmful).sum()), int((~harmful).sum()), method="exact"
        ),
        accuracy=proportion(right, len(harmful), method="exact"),
    )


def baselines(texts: Sequence[str], langs: Sequence[Lang], harmful: Flags) -> tuple[Way, ...]:
    """Return what stands beside every guard: `aira-compat` on what it reads, and constant answers.

    Args:
        texts: what was said last in each case.
        langs: the language of each.
        harmful: what people say about each.
    """
    read, stopped = aira_flags(texts, langs)
    out = [way(AIRA, stopped[read], harmful[read])] if read.any() else []
    for name, answer in (("stop-all", True), ("stop-none", False)):
        out.append(way(name, np.full(len(harmful), answer), harmful))
    return tuple(out)


def aira_flags(texts: Sequence[str], langs: Sequence[Lang]) -> tuple[Flags, Flags]:
    """Return which texts `aira-compat` has a classifier for, and which of them it stops."""
    aira = AiraCompat.embedded()
    known = {h.lang for h in aira.harm.heads}
    read = np.array([lang in known for lang in langs], dtype=bool)
    stopped = np.zeros(len(texts), dtype=bool)
    for lang in {lang for lang, good in zip(langs, read, strict=True) if good}:
        own = [i for i, one in enumerate(langs) if one == lang]
        stopped[own] = aira.stops([texts[i] for i in own], lang)
    return read, stopped


def bench(
    guard: Guard,
    lines: Sequence[LabelledLine],
    *,
    digest: Digest,
    clock: Callable[[], float],
    seen: Callable[[], None] = lambda: None,
) -> GuardBench:
    """Return what a guard comes to on labelled lines.

    Args:
        guard: the guard as it serves.
        lines: what people say about each is in it.
        digest: of the file they are from.
        clock: seconds, for the speed.
        seen: called after each line.
    """
    stopped, unchecked, took = np.zeros(len(lines), dtype=bool), 0, []
    for i, line in enumerate(lines):
        began = clock()
        verdict = guard.review(line.exchange)
        took.append(1000 * (clock() - began))
        stopped[i] = not verdict.passes
        unchecked += verdict.action == "deny"
        seen()
    cases = _Cases.of(guard, lines, stopped)
    p50, p99 = np.quantile(took, [0.5, 0.99]) if took else (0.0, 0.0)
    return GuardBench(
        policy=guard.policy.digest,
        classifier=classifier_digest(guard),
        lines=digest,
        checks=guard.checks,
        parts=tuple(cases.part(name, own) for name, own in _parts(cases).items()),
        unchecked=unchecked,
        no_aira=int((~aira_flags(cases.texts, cases.langs)[0]).sum()),
        spent=Spent(p50=round(float(p50), 3), p99=round(float(p99), 3), n=len(took)),
    )


@dataclass(frozen=True)
class _Cases:
    """The lines as arrays."""

    texts: Sequence[str]
    langs: Sequence[Lang]
    sources: Sequence[str | None]
    stopped: Flags
    harmful: Flags

    @classmethod
    def of(cls, guard: Guard, lines: Sequence[LabelledLine], stopped: Flags) -> _Cases:
        texts = [last_said(line.exchange) for line in lines]
        langs = [_lang(guard, x.exchange, t) for x, t in zip(lines, texts, strict=True)]
        harmful = np.array([line.harmful for line in lines], dtype=bool)
        return cls(texts, langs, [line.source for line in lines], stopped, harmful)

    def part(self, name: str, own: Sequence[int]) -> BenchPart:
        at = np.array(own, dtype=np.int64)
        harmful = self.harmful[at]
        beside = baselines([self.texts[i] for i in own], [self.langs[i] for i in own], harmful)
        return BenchPart(
            name=name,
            harmful=int(harmful.sum()),
            harmless=int((~harmful).sum()),
            ways=(way("guard", self.stopped[at], harmful), *beside),
        )


def _parts(cases: _Cases) -> Mapping[str, Sequence[int]]:
    """All lines, then those of each language and each source, where there are several."""
    found: dict[str, list[int]] = {"all": list(range(len(cases.texts)))}
    for kind, values in (("lang", cases.langs), ("source", cases.sources)):
        if len(set(values)) > 1:
            for value in sorted({v for v in values if v is not None}):
                found[f"{kind}: {value}"] = [i for i, v in enumerate(values) if v == value]
    return found


def _lang(guard: Guard, exchange: Exchange, text: str) -> Lang:
    """The language that was given, else the one that was recognised, else unknown."""
    if exchange.lang is not None:
        return exchange.lang.partition("-")[0].lower()
    one = passage(text, role="user", side="input", stems=guard.detectors.stems)
    return one.lang or "und"
