"""Control tokens: a tokenizer that has them, and a model that never says one."""

from __future__ import annotations

import copy

from normwright.models.chat import CONTROLS
from normwright.models.local import LocalModel


def with_controls(model: LocalModel) -> LocalModel:
    """Return a copy of a model whose tokenizer has the control tokens; rows are added for them."""
    tokenizer, weights = copy.deepcopy(model.tokenizer), copy.deepcopy(model.weights)
    known = tokenizer.get_vocab()
    lacking = [token for token in CONTROLS.values() if token not in known]
    if lacking:
        tokenizer.add_special_tokens({"additional_special_tokens": lacking})
        weights.resize_token_embeddings(max(len(tokenizer), weights.config.vocab_size))
    return LocalModel(model.name, weights, tokenizer, model.batch)


def bind(model: LocalModel) -> None:
    """Make a model begin every conversation aligned, and never say a control token.

    Both hold in plain transformers as well: the chat template writes the token and breaks apart
    what a user writes like one, and the generation settings suppress both.
    """
    tokens = [model.tokenizer.convert_tokens_to_ids(t) for t in CONTROLS.values()]
    model.weights.generation_config.suppress_tokens = tokens
    template = str(model.tokenizer.chat_template)
    opening, aligned = "{{- '<|begin|>' -}}", CONTROLS["aligned"]
    if opening in template:
        template = template.replace(opening, "{{- '<|begin|>" + aligned + "' -}}", 1)
    else:
        template = "{{- '" + aligned + "' -}}" + template
    said = "message['content']"
    model.tokenizer.chat_template = template.replace(said, f"({said} | replace('<|', '< |'))")
