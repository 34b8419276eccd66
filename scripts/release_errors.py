"""How often the gate, the monitor and the tests behind them err, and what they miss.

    python scripts/release_errors.py [--rounds N] [--runs N] [--out FILE]

Everything is drawn here. Writes docs/experiments/release-errors.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from normwright import stats
from normwright.records import Estimate
from normwright.release import simulate

OUT = Path(__file__).resolve().parent.parent / "docs" / "experiments" / "release-errors.md"
LIMIT = 0.02
EVENTS = 100_000


def main() -> int:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    began = time.process_time()
    lines = ["# How often the gate errs", "", "Written by `python scripts/release_errors.py`.", ""]
    parts = (gate(), monitor(given.runs), equivalence(), intervals(given.rounds))
    for part in parts:
        for line in part:
            print(line, flush=True)
            lines.append(line)
    lines += [f"{time.process_time() - began:.0f} CPU seconds.", ""]
    given.out.write_text("\n".join(lines), encoding="utf-8")
    return 0


def share(estimate: Estimate) -> str:
    """Return a share with its interval, in percent."""
    low, high = estimate.ends or (0.0, 1.0)
    return f"{100 * (estimate.value or 0):.2f} [{100 * low:.2f}, {100 * high:.2f}]"


def gate() -> Iterator[str]:
    """Yield the table of the gate's errors."""
    rows = simulate(seed=0)
    yield f"## The gate, {rows[0].rate.n} rounds a case (percent, exact 95 % intervals)"
    yield ""
    yield "| case | error | at most | shortcut on the same draws |"
    yield "|---|---|---|---|"
    for row in rows:
        yield f"| {row.case} | {share(row.rate)} | {100 * row.alpha:g} | {share(row.naive)} |"
    yield ""
    yield "The row of re-runs is the worst of these rates, the row of clusters the worse of two:"
    yield ""
    for row in rows:
        for part in row.setting.get("parts", ()):
            where = f"rate {part['at']:g}" if "at" in part else f"likeness {part['alike']:g}"
            yield (
                f"- {row.case}, {where}: {100 * part['rate']:.2f}; "
                f"shortcut {100 * part['naive']:.2f}"
            )
    yield ""


def monitor(runs: int) -> Iterator[str]:
    """Yield how often the monitor rings with nothing wrong, and how soon when a rate doubles."""
    rng = np.random.default_rng(1)
    rung, before, delays, peeked = 0, 0, [], 0
    for _ in range(runs):
        events = rng.random(EVENTS) < LIMIT
        quiet = stats.rate_monitor(LIMIT).updated(events)
        rung += quiet.alarm_at is not None
        peeked += _peeked(events)
        early = stats.rate_monitor(LIMIT).updated(events[: EVENTS // 10])
        loud = early.updated(rng.random(EVENTS // 10) < 2 * LIMIT)
        before += early.alarm_at is not None
        if early.alarm_at is None and loud.alarm_at is not None:
            delays.append(loud.alarm_at - EVENTS // 10)
    median, late = np.quantile(delays, [0.5, 0.95])
    yield f"## The monitor, {runs} runs of {EVENTS} events at the limit of {LIMIT:g}"
    yield ""
    alarms = stats.proportion(rung, runs, method="exact")
    yield f"- rings with the rate at the limit: {share(alarms)} %, at most 5 allowed, ever"
    exact = stats.proportion(peeked, runs, method="exact")
    yield f"- an exact lower bound looked at every 100 events rings in {share(exact)} %"
    yield (
        f"- the rate doubled after {EVENTS // 10} quiet events: noticed in {len(delays)} of the "
        f"{runs - before} that had not rung before; after {median:.0f} events in half, "
        f"{late:.0f} in 95 %"
    )
    yield ""


def _peeked(events: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> bool:
    """Whether an exact one-sided bound is over the limit at any of many looks."""
    from scipy.special import betaincinv

    at = np.arange(100, len(events) + 1, 100)
    failed = np.cumsum(events)[at - 1]
    lower = np.where(failed > 0, betaincinv(np.maximum(failed, 1), at - failed + 1, 0.05), 0.0)
    return bool((lower > LIMIT).any())


def equivalence() -> Iterator[str]:
    """Yield the power to show that two contexts differ by less than 5 points, at 400 pairs."""
    yield "## Equivalence within 5 points, 400 pairs: power (percent, summed over all outcomes)"
    yield ""
    yield "| base rate | correlation in a pair | discordant | power | pairs for 90 % |"
    yield "|---|---|---|---|---|"
    for rate in (0.1, 0.03):
        for alike in (0.0, 0.3, 0.6, 0.9):
            discordant = 2 * rate * (1 - rate) * (1 - alike)
            power = stats.equivalence_power_paired(400, discordant, margin=0.05)
            n = stats.equivalence_n(discordant, margin=0.05)
            yield f"| {rate:g} | {alike:g} | {discordant:.3f} | {100 * power:.1f} | {n} |"
    yield ""
    yield "What decides is how often the two answers to one item differ, not the base rate alone."
    yield ""


def intervals(rounds: int) -> Iterator[str]:
    """Yield the coverage of the intervals that are approximate, and of two that are exact."""
    yield f"## Intervals at 95 %: coverage in {rounds} rounds (percent)"
    yield ""
    yield "| interval | truth | covers |"
    yield "|---|---|---|"
    for seed, (name, truth, covers) in enumerate(_studies()):
        rng = np.random.default_rng([2, seed])
        kept = sum(covers(rng) for _ in range(rounds))
        yield f"| {name} | {truth} | {share(stats.proportion(kept, rounds, method='exact'))} |"
    yield ""


Study = tuple[str, str, Callable[[np.random.Generator], bool]]


def _studies() -> Iterator[Study]:
    for win, loss in ((0.02, 0.02), (0.08, 0.02), (0.2, 0.1)):

        def tango(rng: np.random.Generator, win: float = win, loss: float = loss) -> bool:
            b, c, _ = rng.multinomial(100, [win, loss, 1 - win - loss])
            return _in(stats.paired_rate_difference(int(b), int(c), 100), win - loss)

        yield "paired difference (Tango), 100 pairs", f"{win:g} won, {loss:g} lost", tango
    for rate in (0.01, 0.1):

        def judged(rng: np.random.Generator, rate: float = rate) -> bool:
            flags = rng.binomial(600, rate * 0.9 + (1 - rate) * 0.02)
            se, sp = rng.binomial(100, 0.9), rng.binomial(200, 0.98)
            return _in(stats.rogan_gladen(int(flags), 600, (int(se), 100), (int(sp), 200)), rate)

        yield "judge's rate (Lang and Reiczigel), 600 units", f"{rate:g}", judged

        def powered(rng: np.random.Generator, rate: float = rate) -> bool:
            y = rng.random(2200) < rate
            f = np.where(y, rng.random(2200) < 0.8, rng.random(2200) < 0.03).astype(float)
            return _in(stats.ppi_mean(y[:200].astype(float), f[:200], f[200:]), rate)

        yield "prediction-powered mean, 200 labels", f"{rate:g}", powered

        def exact(rng: np.random.Generator, rate: float = rate) -> bool:
            missed, invented, _ = rng.multinomial(200, _errors(rate))
            flags = rng.binomial(2000, rate * 0.8 + (1 - rate) * 0.03)
            return _in(stats.ppi_rate(int(missed), int(invented), 200, int(flags), 2000), rate)

        yield "prediction-powered rate, exact, 200 labels", f"{rate:g}", exact


def _errors(rate: float) -> list[float]:
    missed, invented = 0.2 * rate, 0.03 * (1 - rate)
    return [missed, invented, 1 - missed - invented]


def _in(estimate: Estimate, truth: float) -> bool:
    """Whether an interval holds the truth; without an interval it claims nothing, and does."""
    low, high = estimate.ends or (-1.0, 1.0)
    return low <= truth <= high


if __name__ == "__main__":
    raise SystemExit(main())
