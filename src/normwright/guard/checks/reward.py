"""A reward model that is bound to a norm: an answer it scores too low is one that breaks it."""

from __future__ import annotations

from collections.abc import Iterator

from normwright.guard.rewards import SIGNAL
from normwright.guard.sights import ANSWER, Sight, View
from normwright.plugins import Card, plugin


@plugin(
    Card(
        name="reward",
        kind="checks",
        summary="An answer that a reward model scores under the least a deployment has set.",
        reference="Rejection by a reward model: Nakano et al. 2021 (arXiv 2112.09332), best of n",
        claims=(
            "speaks for the one norm it is bound to, and for answers alone",
            "its probability is no calibrated one: half at the least that was set",
        ),
        takes="exchange",
        status="tested",
    )
)
def reward(view: View) -> Iterator[Sight]:
    """Yield how far the answer's score lies under the least."""
    model, answer = view.kit.reward, view.exchange.answer
    if model is None or model.norm is None or answer is None:
        return
    [score] = model.scores(view.exchange, [answer])
    yield Sight(SIGNAL, model.chance(score), "classifier", f"reward:{model.name}", where=ANSWER)
