"""From the settings of `reinforce` to what answers are worth: rewards, norms, groups, a budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from normwright.flow.tunings import HeldNorm, Reinforcement, Tuning

if TYPE_CHECKING:
    from normwright.learn.rewards import Budget, Constraint, Groups, Signal
    from normwright.models.local import LocalModel
    from normwright.records import Prompt


YARDSTICK: Final = 64
"""Prompts whose answers give groups' rewards their common scale."""

Where = Callable[[str], Path]
"""From a path as settings have it to where it is: a project's lie beside its file."""


def signal_of(places: Sequence[Path], how: Reinforcement) -> Signal | None:
    """Return what reward models say: one as it is, several less their doubt; None for none."""
    from normwright.learn.rewards import ensemble, scored
    from normwright.models.encoder import open_scorer

    scorers = [open_scorer(place) for place in places]
    if len(scorers) > 1:
        return ensemble(scorers, doubt=how.doubt)
    return scored(scorers[0]) if scorers else None


def constraints_of(how: Reinforcement, at: Where = Path) -> list[Constraint]:
    """Return the norms a model is held to, and the price of its tokens."""
    from normwright.learn.rewards import Constraint, per_token

    held = [_held(one, at) for one in how.norms]
    if how.token_price:
        cost = per_token(1.0, beyond=how.free_tokens)
        held.append(Constraint("length", cost, layer="organisation", price=how.token_price))
    return held


def _held(one: HeldNorm, at: Where) -> Constraint:
    from normwright.learn.rewards import Constraint, Pid, breach, phrases
    from normwright.models.encoder import open_scorer

    if one.model is None:
        cost = phrases(one.phrases)
    else:
        cost = breach(open_scorer(at(one.model)), kind=one.kind, threshold=one.threshold)
    return Constraint(
        norm=one.norm,
        cost=cost,
        limit=one.limit,
        layer=one.layer,
        price=one.price,
        start=one.start,
        rate=one.rate,
        cap=one.cap,
        tail=one.tail,
        among=one.among,
        pid=None if one.controller is None else Pid(**one.controller.model_dump()),
        breaks=0.0 if one.kind == "score" else 0.5,
    )


def groups_of(
    how: Reinforcement,
    start: LocalModel,
    prompts: Sequence[Prompt],
    *,
    at: Where = Path,
    seed: int,
) -> Groups | None:
    """Return the rewards of groups, on the scale of the start's own answers; None without any."""
    from normwright.learn.rewards import Groups, on_one_scale, scored
    from normwright.models.encoder import open_scorer

    if not how.groups:
        return None
    raw = {name: scored(open_scorer(at(place))) for name, place in how.groups.items()}
    some = prompts[:YARDSTICK]
    return Groups(
        on_one_scale(raw, start, some, length=how.length, seed=seed),
        rate=how.group_rate,
        floor=how.group_floor,
        ceiling=how.group_ceiling,
    )


def models_of(how: Reinforcement) -> list[str]:
    """Return the directories of all models that say what an answer is worth."""
    judges = [one.model for one in how.norms if one.model is not None]
    return [*how.rewards, *how.groups.values(), *judges]


def worth_of(how: Reinforcement) -> dict[str, Any]:
    """Return, as JSON values, what makes an answer worth something: all but the pace."""
    return how.model_dump(mode="json", exclude=set(Tuning.model_fields))


def budget_of(how: Reinforcement) -> Budget | None:
    """Return the budget of divergence; None where there is none."""
    from normwright.learn.rewards import Budget

    given = how.divergence
    return None if given is None else Budget(given.nats, given.rule, given.rate, given.window)


def notes_on(how: Reinforcement, metrics: Mapping[str, float]) -> tuple[str, ...]:
    """Return what whoever uses the model has to know of the norms it was held to."""
    notes = []
    for one in how.norms:
        seen = metrics[f"last_cost/{one.norm}"]
        if one.limit is not None and one.tail is None and seen > one.limit:
            notes.append(
                f"{one.norm} is not held: its mean cost at the end of training is {seen:.3g}, "
                f"above the limit of {one.limit:g}."
            )
    if how.norms:
        notes.append(
            "Norms were held on average over training prompts, by the judges that trained. "
            "Measure the model with another judge on unseen prompts, and keep the guard."
        )
    return tuple(notes)
