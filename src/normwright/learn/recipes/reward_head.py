"""A reward model whose encoder stays as it is: the last layer of its head alone, fitted to its end.

Supports: soft labels, weights, any encoder that transformers has. Assumes: pairs of at least two
prompts. May harm: the head reads what the architecture gives it, often the first token alone, which
in an encoder of sentences says little of an answer; see docs/experiments/learn-hh.md, where it is
measured beside a bag of words. The optimum is unique, so that there is no rate and no epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch.nn import Linear, Module

from normwright.models.encoder import Classifier, Read, laid_out, padding, read_text
from normwright.plugins import Card, plugin
from normwright.records import Fault, InputError, Permit, PreferencePair, require_permit

Floats: TypeAlias = NDArray[np.float64]

PENALTIES: Final = (3000.0, 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0)
"""Ridge penalties that are tried, on standardised features."""
FOLDS: Final = 5
STEPS: Final = 50
TOLERANCE: Final = 1e-10


@plugin(
    Card(
        name="reward-head",
        kind="recipes",
        status="tested",
        takes="pairs",
        summary="A classifier on a frozen encoder: its last layer, fitted to vote shares.",
        reference="Bradley and Terry (1952), with soft labels and a ridge penalty",
        claims=("the optimum is unique", "the trunk is the one that was given, to the bit"),
    )
)
def reward_head(
    start: Classifier,
    pairs: Sequence[PreferencePair],
    *,
    seed: int = 0,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[Any, dict[str, float]]:
    """Return the classifier of `start` with the last layer of its head fitted, in place.

    The penalty is the one with the least log-loss in cross-validation over prompts.

    Args:
        start: a classifier with a fresh head, as from `fresh_classifier`.
        pairs: preference pairs with soft labels and weights.
        seed: seed of the folds.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    Raises:
        PermitError: with every reason, if nothing permits training.
        InputError: if there are not two prompts.
    """
    require_permit(permit, unpermitted=unpermitted)
    groups = prompt_groups(pairs)
    if len(set(groups)) < 2:
        raise InputError([Fault(where="pairs", expected="at least two different prompts, to choose "
                                "a penalty by", seen=str(len(set(groups))))])  # fmt: skip
    texts = [
        read_text(start.tokenizer, start.form, pair.prompt, answer)
        for pair in pairs for answer in (pair.chosen, pair.rejected)
    ]  # fmt: skip
    found = head_inputs(start, texts)
    spread = np.where(found.std(0) > 0, found.std(0), 1.0)
    shares = np.array([pair.p_chosen for pair in pairs])
    weights = np.array([pair.weight for pair in pairs])
    rows = (found[0::2] - found[1::2]) / spread
    penalty, loss = chosen_penalty(rows, shares, weights, groups, seed=seed)
    slopes = ridge(rows, shares, weights / weights.mean(), penalty) / spread
    last = _last(start.weights)
    with torch.no_grad():
        last.weight.copy_(torch.tensor(slopes)[None])
        if last.bias is not None:
            # Scores are about zero on what they were fitted to; only differences mean something.
            last.bias.fill_(float(-found.mean(0) @ slopes))
    return start.weights, {
        "penalty": penalty,
        "held_out_loss": loss,
        "answers": float(len(texts)),
        "answers_cut": float(sum(text.cut for text in texts)),
    }


def prompt_groups(pairs: Sequence[PreferencePair]) -> list[int]:
    """Return the group of each pair: pairs joined by a first user turn, or by a family."""
    names: dict[str, int] = {}
    ends = []
    for pair in pairs:
        turn = next((m.content for m in pair.prompt if m.role == "user"), "")
        told = (f"turn:{' '.join(turn.lower().split())}", f"family:{pair.family}")
        ends.append([names.setdefault(one, len(names)) for one in told])
    if not ends:
        return []
    at = np.array(ends)
    joined = coo_array((np.ones(len(at)), (at[:, 0], at[:, 1])), shape=(len(names), len(names)))
    component = connected_components(joined, directed=False)[1]
    return [int(component[i]) for i in at[:, 0]]


@torch.no_grad()
def head_inputs(model: Classifier, texts: Sequence[Read], *, batch: int = 32) -> Floats:
    """Return what the last layer of the head reads of each text, shape (texts, size).

    In single precision, as whoever serves the model reads it: half of it loses small features.
    """
    last = _last(model.weights)
    seen: list[torch.Tensor] = []

    def keep(_: Module, given: tuple[torch.Tensor, ...]) -> None:
        seen.append(given[0])

    out = np.zeros((len(texts), last.in_features))
    order = sorted(range(len(texts)), key=lambda i: len(texts[i].ids))
    hook = last.register_forward_pre_hook(keep)
    try:
        for start in range(0, len(order), batch):
            part = order[start : start + batch]
            made = laid_out([texts[i] for i in part], padding(model), segments=model.segmented)
            model.weights(**{k: v.to(model.weights.device) for k, v in made.items()})
            out[part] = seen.pop().double().cpu().numpy()
    finally:
        hook.remove()
    return out


def chosen_penalty(
    rows: Floats, shares: Floats, weights: Floats, groups: Sequence[int], *, seed: int
) -> tuple[float, float]:
    """Return the penalty with the least log-loss on folds that were not fitted on, and that loss.

    Args:
        rows: features of the first answers less those of the second, shape (pairs, size).
        shares: share of people who prefer the first answer, shape (pairs,).
        weights: weight of each pair, shape (pairs,).
        groups: pairs of one group stay on one side.
        seed: seed of the folds.
    """
    from sklearn.model_selection import GroupKFold

    count = min(FOLDS, len(set(groups)))
    folds = list(GroupKFold(count, shuffle=True, random_state=seed).split(rows, groups=groups))
    total = dict.fromkeys(PENALTIES, 0.0)
    for train, test in folds:
        slopes = np.zeros(rows.shape[1])
        for penalty in PENALTIES:
            own = weights[train] / weights[train].mean()
            slopes = ridge(rows[train], shares[train], own, penalty, begin=slopes)
            z = rows[test] @ slopes
            total[penalty] += float((weights[test] * (np.logaddexp(0, z) - shares[test] * z)).sum())
    best = min(total, key=lambda penalty: total[penalty])
    return best, total[best] / float(weights.sum())


def ridge(
    rows: Floats, shares: Floats, weights: Floats, penalty: float, *, begin: Floats | None = None
) -> Floats:
    """Return the slopes of a logistic regression of shares on rows, by Newton steps.

    No intercept: swapping the answers of a pair changes nothing.
    """
    slopes = np.zeros(rows.shape[1]) if begin is None else begin
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-rows @ slopes))
        gradient = rows.T @ (weights * (p - shares)) + penalty * slopes
        curve = (rows * (weights * p * (1 - p))[:, None]).T @ rows
        curve.flat[:: len(slopes) + 1] += penalty
        step = np.linalg.solve(curve, gradient)
        slopes = slopes - step
        if float(gradient @ step) < TOLERANCE * len(rows):
            break
    return np.asarray(slopes)


def _last(weights: Any) -> Linear:
    """The last layer of a one-logit head."""
    trunk = weights.base_model_prefix
    found = [
        part
        for name, child in weights.named_children() if name != trunk
        for part in child.modules() if isinstance(part, Linear)
    ]  # fmt: skip
    return found[-1]
