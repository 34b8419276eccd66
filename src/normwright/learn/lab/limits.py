"""Where nothing is guaranteed: each assumption broken once, and what it costs to overlook it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import special

from normwright.learn.error_budget import Judged, doubts, error_budget, scores_of
from normwright.learn.lab import oracles as o
from normwright.learn.lab.environment import asked, environment
from normwright.learn.lab.findings import Check, Finding, Scale, at_least, at_most
from normwright.learn.lab.offline import preferred
from normwright.learn.lab.oracles import Floats
from normwright.records import PairVote


def unguaranteed(scale: Scale) -> Iterator[Finding]:
    """The checker says what fails where something does, and nothing where nothing does."""
    rng = np.random.default_rng([scale.seed, 50])
    chances = o.pairwise(rng.standard_normal((1, 4)))
    fair = o.compared(chances, 2000, rng)[0]
    apart = fair.copy()
    apart[:2, 2:] = apart[2:, :2] = 0
    certain = np.triu(fair + fair.T, 1)
    cyclic = np.array([[0, 80, 20, 50], [20, 0, 80, 50], [80, 20, 0, 50], [50, 50, 50, 0.0]])
    cases: tuple[tuple[str, Floats, bool, Floats], ...] = (
        ("disconnected", apart, True, np.zeros(4)),
        ("separable", certain, True, np.zeros(4)),
        ("unexplained", cyclic, True, np.zeros(4)),
        ("votes-unknown", fair, False, np.zeros(4)),
        ("unsupported", fair, True, np.array([0.0, 0.0, 0.0, -60.0])),
    )
    for name, wins, counted, reference in cases:
        said = doubts([_judged(wins, counted)], [reference])
        yield Finding(f"No guarantee: {name}", name, ", ".join(said) or "nothing", name,
                      name in said, "within", True)  # fmt: skip
    said = doubts([_judged(fair, True)], [np.zeros(4)])
    yield Finding("Guarantee where all assumptions hold", "nothing", ", ".join(said) or "nothing",
                  "nothing", not said, "within")  # fmt: skip
    false = 0
    runs = 200
    for _ in range(runs):
        draw = o.compared(o.pairwise(rng.standard_normal((1, 4))), 600, rng)[0]
        false += "unexplained" in doubts([_judged(draw, True)])
    yield at_most("Votes of a score that are taken for none: share", false / runs, 0.03,
                  expected=0.01, detail=f"n = {runs}")  # fmt: skip
    yield at_least("Disconnected votes: KL between two targets that fit them alike",
                   _unidentified(apart), 0.3, expected="any", control=True,
                   detail="the scores of one part moved by 2; the likelihood is the same"
                   )  # fmt: skip


def _judged(wins: Floats, counted: bool) -> Judged:
    return Judged(asked(0), tuple("abcd"), np.asarray(wins, float), counted)


def _unidentified(wins: Floats) -> float:
    scores = scores_of(_judged(wins, True))
    moved = scores + np.array([2.0, 2.0, 0.0, 0.0])
    return float(special.rel_entr(special.softmax(scores), special.softmax(moved)).sum())


def budgeted(scale: Scale) -> Iterator[Finding]:
    """The budget of a model trained on votes covers its true distance from what people prefer."""
    world, beta = environment("A", seed=scale.seed), 0.5
    chances = o.pairwise(world.reward)
    wins = o.compared(chances, 2048, np.random.default_rng([scale.seed, 51]))
    games = wins + wins.transpose(0, 2, 1)
    shares = np.divide(wins, games, out=np.full_like(wins, 0.5), where=games > 0)
    pairs = [
        pair.model_copy(update={"votes": _votes(pair.p_chosen, pair.weight)})
        for pair in world.all_pairs(shares, games)
    ]
    model, _ = preferred(world, pairs, beta=beta, steps=150 if scale.quick else 300, batch=56)
    found = error_budget(pairs, model, world.model, beta=beta, seed=scale.seed)
    moved = np.log(world.read(model).among / world.reference)
    true = special.softmax(world.reward, axis=-1)
    distance = o.mean_divergence(true, np.asarray(special.softmax(beta * moved, axis=-1), float))
    yield at_most(
        "Error budget: true distance of softmax(beta h) over the budget's total",
        distance / (found.total or np.nan),
        2.0,
        expected="near 1 or less",
        detail=f"distance {distance:.3g}; vote noise {found.noise.value:.3g}, "
        f"optimiser {found.optimiser.value:.3g}; n = {found.prompts} prompts",
    )
    yield Finding(
        "Error budget: assumptions hold",
        "nothing",
        ", ".join(found.doubts) or "nothing",
        "nothing",
        found.guaranteed,
        "within",
    )


def _votes(share: float, games: float) -> tuple[PairVote, ...]:
    won = round(share * games)
    return tuple(
        PairVote(participant=f"p{i}", choice="chosen" if i < won else "rejected")
        for i in range(round(games))
    )


CHECKS = (Check("guarantee", unguaranteed, quick=True), Check("budget", budgeted))
