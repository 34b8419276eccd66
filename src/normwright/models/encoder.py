"""Reward models over any sequence classifier, and the one text that each of them reads.

A reward model reads a conversation and an answer. Which text that is, is fixed when it is trained
and written beside the weights (`normwright_text` in config.json), so that whoever serves it cannot
read another:

| form | reads |
|---|---|
| `template` | the tokenizer's own chat template over the conversation and the answer |
| `segments` | two segments in the tokenizer's own special tokens: the turns, each as `User: ...`, `System: ...` or `Assistant: ...` with a blank line between, and the answer alone |
| `answer` | the answer alone, in the tokenizer's own special tokens; for classifiers of single texts, which nothing here is trained as |

`segments` is for tokenizers without a chat template, encoders above all. In plain transformers it
is `tokenizer(turns, answer, truncation="only_first", max_length=limit)` with the truncation side
that the saved tokenizer carries. Texts over the limit lose the beginning of the conversation; an
answer that is too long by itself loses its end. Both are counted, never silent.
"""  # noqa: E501

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

import torch

from normwright.models.chat import render
from normwright.models.kinds import is_classifier, is_encoder, opened_config
from normwright.models.local import (
    LocalScorer,
    check_directory,
    device,
    half_precision,
    quiet_bars,
    whole_weights,
)
from normwright.models.protocol import Scorer
from normwright.models.turns import turns_text
from normwright.records import Fault, InputError, Message

FormName: TypeAlias = Literal["template", "segments", "answer"]

KEY: Final = "normwright_text"
"""Where the form stands in config.json."""


@dataclass(frozen=True)
class TextForm:
    """What a reward model reads of a conversation and an answer."""

    form: FormName
    limit: int
    """Tokens of a text, at most; the beginning of the conversation is cut."""
    version: int = 1


@dataclass(frozen=True)
class Read:
    """One conversation with one answer as a model reads it."""

    ids: tuple[int, ...]
    segments: tuple[int, ...]
    """Token types; zeros where the model has none."""
    cut: bool
    """Whether something was left out."""


def form_for(tokenizer: Any, config: Any, *, limit: int | None = None) -> TextForm:
    """Return the form of a model that has none yet.

    Args:
        tokenizer: with a chat template, it is the form.
        config: its positions bound the limit.
        limit: tokens of a text, at most; None takes what the positions allow.
    """
    room = _positions(config)
    wanted = min(one for one in (limit, room, 1 << 20) if one is not None)
    return TextForm("template" if tokenizer.chat_template else "segments", wanted)


def stored_form(config: Any) -> TextForm | None:
    """Return the form that stands in a configuration, or None.

    Raises:
        InputError: if it is of a kind that this version does not know.
    """
    found = getattr(config, KEY, None)
    if found is None:
        return None
    known = TextForm("segments", 1)
    if (
        not isinstance(found, dict)
        or set(found) != set(asdict(known))
        or found["form"] not in get_args(FormName)
        or found["version"] != known.version
        or not isinstance(found["limit"], int)
    ):
        raise InputError([
            Fault(where=f"config.json: {KEY}", expected="form, limit and version 1",
                  seen=repr(found)[:200], do="Use the version that made the model."),
        ])  # fmt: skip
    return TextForm(**found)


def store_form(config: Any, form: TextForm) -> None:
    """Write a form into a configuration; it is saved with the weights."""
    setattr(config, KEY, asdict(form))


def read_text(tokenizer: Any, form: TextForm, prompt: Sequence[Message], answer: str) -> Read:
    """Return the tokens a model reads of one conversation with one answer.

    Raises:
        InputError: if the chat template does not keep a conversation at the head of itself with an
            answer: it would be cut where the answer begins for another text than it is trained on.
    """
    if form.form == "template":
        return _templated(tokenizer, form, prompt, answer)
    if form.form == "answer":
        return _alone(tokenizer, form, answer)
    return _in_segments(tokenizer, form, prompt, answer)


def _templated(tokenizer: Any, form: TextForm, prompt: Sequence[Message], answer: str) -> Read:
    before = render(tokenizer, prompt)
    whole = render(tokenizer, [*prompt, Message(role="assistant", content=answer)], answer=False)
    if not whole.startswith(before):
        raise InputError([
            Fault(where="chat template", expected="the prompt as a prefix of prompt and answer",
                  seen=repr(whole[: len(before)])[:200], do="Mend the chat template."),
        ])  # fmt: skip
    head = _ids(tokenizer, before)
    tail = _ids(tokenizer, whole[len(before) :])
    kept = max(0, form.limit - len(tail))
    cut = len(head) > kept or len(tail) > form.limit
    ids = (*(head[len(head) - kept :] if kept < len(head) else head), *tail[: form.limit])
    return Read(ids, (0,) * len(ids), cut)


def _in_segments(tokenizer: Any, form: TextForm, prompt: Sequence[Message], answer: str) -> Read:
    turns = turns_text(prompt)
    room = form.limit - tokenizer.num_special_tokens_to_add(pair=True)
    spans = tokenizer(answer, add_special_tokens=False, return_offsets_mapping=True, verbose=False)[
        "offset_mapping"
    ]
    cut = len(spans) > room
    if cut:
        answer = answer[: spans[room - 1][1]]
    left = room - len(spans)
    asked = _ids(tokenizer, turns)
    cut = cut or len(asked) > left
    if left <= 0:
        turns = ""
    tokenizer.truncation_side = "left"
    made = tokenizer(
        turns, answer, truncation="only_first" if turns else False, max_length=form.limit,
        return_token_type_ids=True, verbose=False,
    )  # fmt: skip
    return Read(tuple(made["input_ids"]), tuple(made["token_type_ids"]), cut)


def _alone(tokenizer: Any, form: TextForm, answer: str) -> Read:
    tokenizer.truncation_side = "right"
    made = tokenizer(
        answer, truncation=True, max_length=form.limit, return_token_type_ids=True, verbose=False
    )
    room = form.limit - tokenizer.num_special_tokens_to_add(pair=False)
    cut = len(made["input_ids"]) == form.limit and len(_ids(tokenizer, answer)) > room
    return Read(tuple(made["input_ids"]), tuple(made["token_type_ids"]), cut)


def _ids(tokenizer: Any, text: str) -> tuple[int, ...]:
    return tuple(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def _positions(config: Any) -> int | None:
    """Tokens that a model has positions for; None where it does not say."""
    found = getattr(config, "max_position_embeddings", None)
    if not isinstance(found, int) or found <= 0:
        return None
    # RoBERTa and its kin count positions from the padding token on.
    offset = (config.pad_token_id or 0) + 1 if config.model_type in _OFFSET else 0
    return found - offset


_OFFSET: Final = ("roberta", "xlm-roberta", "camembert", "mpnet", "longformer", "xlm-roberta-xl")


def laid_out(rows: Sequence[Read], pad: int, *, segments: bool) -> dict[str, torch.Tensor]:
    """Return a batch as a sequence classifier takes it, right-padded, each (rows, longest)."""
    width = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), width), pad)
    mask, types = torch.zeros_like(ids), torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row.ids)] = torch.tensor(row.ids)
        mask[i, : len(row.ids)] = 1
        types[i, : len(row.segments)] = torch.tensor(row.segments)
    batch = {"input_ids": ids, "attention_mask": mask}
    return {**batch, "token_type_ids": types} if segments else batch


@dataclass
class Classifier:
    """A sequence classifier with its tokenizer and the text it reads; a `Scorer` by its first logit.

    Several logits are several heads, of which the first is everybody's.
    """  # noqa: E501

    weights: Any
    tokenizer: Any
    form: TextForm
    batch: int = 32
    read: int = 0
    """Texts scored so far."""
    cut: int = 0
    """How many of them lost something to the limit."""

    @classmethod
    def open(cls, path: Path, *, batch: int = 32) -> Classifier:
        """Open the directory of a reward model; one without a stored form gets that of `form_for`.

        Raises:
            InputError: naming everything the directory lacks, or that it is no reward model.
        """
        check_directory(path)
        config, tokenizer = opened_config(path), opened_tokenizer(path)
        if not is_classifier(config):
            kinds = ", ".join(config.architectures or ("unknown",))
            raise InputError([
                Fault(where=str(path), expected="a sequence classifier", seen=kinds,
                      do="Train one: normwright learn reward."),
            ])  # fmt: skip
        from transformers import AutoModelForSequenceClassification

        weights = whole_weights(AutoModelForSequenceClassification, path)
        form = stored_form(config) or form_for(tokenizer, config)
        return cls(weights.eval().to(device()), tokenizer, form, batch)

    @property
    def segmented(self) -> bool:
        """Whether the weights tell segments apart."""
        return int(getattr(self.weights.config, "type_vocab_size", 0) or 0) > 1

    def reading(self, form: FormName) -> Classifier:
        """Return the same classifier on another text.

        Raises:
            InputError: for a chat template where the tokenizer has none.
        """
        if form == "template" and not self.tokenizer.chat_template:
            raise InputError([
                Fault(where="--reward-reads", expected="segments or answer", seen="template",
                      do="The tokenizer has no chat template."),
            ])  # fmt: skip
        return replace(self, form=replace(self.form, form=form))

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the first logit of each prompt with its answer; see `Scorer.score`."""
        return [row[0] for row in self.logits(prompts, completions)]

    @torch.no_grad()
    def logits(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[list[float]]:
        """Return the logits of all labels for each prompt with its answer."""
        rows = [
            read_text(self.tokenizer, self.form, p, c)
            for p, c in zip(prompts, completions, strict=True)
        ]
        self.read += len(rows)
        self.cut += sum(row.cut for row in rows)
        out: list[list[float]] = [[] for _ in rows]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
        size = self.batch if can_batch(self.weights) else 1
        for start in range(0, len(order), size):
            part = order[start : start + size]
            batch = laid_out([rows[i] for i in part], padding(self), segments=self.segmented)
            logits = self.weights(**{k: v.to(self.weights.device) for k, v in batch.items()}).logits
            for i, values in zip(part, logits.tolist(), strict=True):
                out[i] = values
        return out


def open_scorer(path: Path) -> Scorer:
    """Open the directory of a reward model, on an encoder or on a language model.

    Raises:
        InputError: naming everything the directory lacks, or that it is no reward model.
    """
    check_directory(path)
    return Classifier.open(path) if is_encoder(opened_config(path)) else LocalScorer.open(path)


def padding(model: Classifier) -> int:
    """Return the id rows are padded with; masked everywhere, so that 0 does where there is none."""
    return int(model.tokenizer.pad_token_id or 0)


def can_batch(weights: Any) -> bool:
    """Say whether texts of unlike length may stand in one batch.

    A decoder finds the end of a text by its padding token; one without reads texts one by one.
    """
    return is_encoder(weights.config) or weights.config.pad_token_id is not None


def opened_tokenizer(path: Path) -> Any:
    """Return the tokenizer of a directory; chat template and special tokens may be lacking."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(path, local_files_only=True)


def fresh_classifier(
    path: Path, *, seed: int, limit: int | None = None, random: bool = False
) -> Classifier:
    """Return a one-logit classifier on the trunk of an encoder directory, its head drawn anew.

    Args:
        path: a Hugging Face directory of an encoder, with a head of any kind or without.
        seed: seed of the head.
        limit: tokens of a text, at most; None takes what its positions allow.
        random: draw all weights anew, the trunk's too: a control of the same architecture.

    Raises:
        InputError: naming everything the directory lacks.
    """
    from transformers import AutoModelForSequenceClassification

    check_directory(path)
    quiet_bars()
    config, tokenizer = copy.deepcopy(opened_config(path)), opened_tokenizer(path)
    config.num_labels = 1
    form = stored_form(config) or form_for(tokenizer, config, limit=limit)
    if limit is not None and limit < form.limit:
        form = replace(form, limit=limit)
    torch.manual_seed(seed)
    if random:
        weights = AutoModelForSequenceClassification.from_config(config).float()
    else:
        weights = _with_trunk(path, config)
    store_form(weights.config, form)
    return Classifier(weights.eval(), tokenizer, form)


def _with_trunk(path: Path, config: Any) -> Any:
    """The trunk as it lies there, whatever head lies with it; transformers tells of the new head in
    a log that says nothing new here.
    """
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        return AutoModelForSequenceClassification.from_pretrained(
            path, config=config, local_files_only=True, use_safetensors=True,
            dtype=torch.float32, ignore_mismatched_sizes=True,
        )  # fmt: skip
    finally:
        logging.set_verbosity(before)


@torch.no_grad()
def pooled_states(
    model: Classifier, texts: Sequence[Read], *, layers: Sequence[int], batch: int = 32
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean hidden states of answers and of prompts, after each of some layers.

    Args:
        model: an encoder that tells segments apart; the second segment is the answer.
        texts: what it reads.
        layers: layers, 0 being the embeddings; those above the last one are not run.
        batch: texts at a time.

    Returns:
        Answers and prompts, each of shape (texts, layers, size); a prompt that was cut away is 0.
    """
    trunk = model.weights.base_model
    size = trunk.config.hidden_size
    out = torch.zeros(2, len(texts), len(layers), size)
    stack = next(part for part in trunk.modules() if isinstance(part, torch.nn.ModuleList))
    kept = list(stack)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i].ids))
    try:
        del stack[max(layers) :]
        for start in range(0, len(order), batch):
            part = order[start : start + batch]
            made = laid_out([texts[i] for i in part], padding(model), segments=True)
            given = {name: value.to(model.weights.device) for name, value in made.items()}
            with torch.autocast(device(), torch.bfloat16, enabled=half_precision()):
                states = trunk(**given, output_hidden_states=True).hidden_states
            for side, segment in enumerate((1, 0)):
                where = (made["token_type_ids"] == segment) & (made["attention_mask"] == 1)
                mask = where.float().to(model.weights.device)[..., None]
                for at, layer in enumerate(layers):
                    mean = (states[layer].float() * mask).sum(1) / mask.sum(1).clamp_min(1)
                    out[side, part, at] = mean.cpu()
    finally:
        stack.extend(kept[len(stack) :])
    return out[0], out[1]
