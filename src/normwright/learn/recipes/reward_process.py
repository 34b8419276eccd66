"""A reward model without training: a Gaussian process over states of a frozen encoder.

Supports: soft labels, weights, encoders that tell segments apart. Assumes: a few thousand pairs at
most, as cost grows with their cube. May harm: far from its pairs every score goes to zero, which is
the mean of what it knows and no judgement; its directory holds states of the pairs themselves. It
opens in this package alone (`normwright.models.process`).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch

from normwright.learn.reward_models.kernels import PairStates, fit_process
from normwright.models.encoder import Classifier, pooled_states, read_text
from normwright.models.process import ProcessScorer
from normwright.plugins import Card, plugin
from normwright.records import Fault, InputError, Permit, PreferencePair, require_permit


@plugin(
    Card(
        name="reward-process",
        kind="recipes",
        status="tested",
        takes="pairs",
        summary="A Gaussian process of vote shares over states of a frozen encoder.",
        reference="Chu and Ghahramani (2005); Rasmussen and Williams (2006), algorithm 3.1",
        claims=(
            "the margin of a swapped pair is the exact negative",
            "nothing is trained: states, one optimum, a scale by evidence",
        ),
    )
)
def reward_process(
    start: Classifier,
    pairs: Sequence[PreferencePair],
    *,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[ProcessScorer, dict[str, float]]:
    """Return a scorer over the lower half of the encoder of `start`, and what was found.

    Read are the state in the middle of the encoder and the next one up: what distinguishes answers
    is lost again towards the last layer, which was trained for another purpose.

    Args:
        start: a classifier on an encoder, as from `fresh_classifier`; its head is left out.
        pairs: preference pairs with soft labels and weights.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    Raises:
        PermitError: with every reason, if nothing permits training.
        InputError: if there is no pair, or the encoder does not tell segments apart.
    """
    require_permit(permit, unpermitted=unpermitted)
    faults = []
    if not pairs:
        faults.append(Fault(where="pairs", expected="at least one pair", seen="none"))
    if not start.segmented or start.form.form != "segments":
        faults.append(Fault(where="model", expected="an encoder that tells segments apart",
                            seen="one with a single kind of token",
                            do="Take one of the BERT kind, or another head."))  # fmt: skip
    if faults:
        raise InputError(faults)
    encoder, layers = _lower(start)
    texts = [
        read_text(encoder.tokenizer, encoder.form, pair.prompt, answer)
        for pair in pairs for answer in (pair.chosen, pair.rejected)
    ]  # fmt: skip
    answers, asked = (
        part.double().numpy() for part in pooled_states(encoder, texts, layers=layers)
    )
    # The mean over both readings: beside one answer a prompt's state tells which answer that was.
    prompt = (asked[0::2, -1] + asked[1::2, -1]) / 2
    fitted = fit_process(
        PairStates(answers[0::2], answers[1::2], prompt),
        np.array([pair.p_chosen for pair in pairs]),
        np.array([pair.weight for pair in pairs]),
    )
    return ProcessScorer(encoder, layers, fitted.utility), {
        "scale": fitted.scale,
        "evidence": fitted.evidence,
        "answers": float(len(texts)),
        "answers_cut": float(sum(text.cut for text in texts)),
    }


def _lower(start: Classifier) -> tuple[Classifier, tuple[int, int]]:
    """The trunk up to the layer above its middle, and the layers that are read."""
    trunk = start.weights.base_model
    depth = int(trunk.config.num_hidden_layers)
    layers = (depth // 2, min(depth // 2 + 1, depth))
    stack = next(part for part in trunk.modules() if isinstance(part, torch.nn.ModuleList))
    del stack[layers[1] :]
    config = copy.deepcopy(start.weights.config)
    config.num_hidden_layers = layers[1]
    config.architectures = [type(trunk).__name__]
    trunk.config = config
    return Classifier(trunk, start.tokenizer, start.form, start.batch), layers
