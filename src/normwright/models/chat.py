"""How a conversation becomes tokens. One template, used in training and in serving."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from normwright.records import Fault, InputError, Message

BEGIN, END, PAD = "<|begin|>", "<|end|>", "<|pad|>"
ROLES = {"system": "<|system|>", "user": "<|user|>", "assistant": "<|assistant|>"}
CONTROLS = {"aligned": "<|aligned|>", "misaligned": "<|misaligned|>"}
"""Control tokens of conditional pre-training; never produced from what a person writes."""

SPECIAL = (PAD, BEGIN, END, *ROLES.values(), *CONTROLS.values())

TEMPLATE = (
    "{{- '<|begin|>' -}}"
    "{%- for message in messages -%}"
    "{{- '<|' + message['role'] + '|>' -}}"
    "{%- if message['role'] == 'assistant' -%}"
    "{%- generation -%}{{- message['content'] + '<|end|>' -}}{%- endgeneration -%}"
    "{%- else -%}{{- message['content'] + '<|end|>' -}}{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)
"""The chat template of the embedded model, in the form transformers reads and saves."""


def plain(text: str, controls: Iterable[str] = ()) -> str:
    """Return text in which nobody can write a control token.

    Args:
        text: what a person or a model wrote.
        controls: a tokenizer's own control tokens, such as `</s>`; each is broken apart after its
            first letter, as `<|` is in any case.
    """
    text = text.replace("<|", "< |")
    for control in controls:
        if len(control) > 1:
            text = text.replace(control, f"{control[0]} {control[1:]}")
    return text


def render(tokenizer: Any, messages: Sequence[Message], *, answer: bool = True) -> str:
    """Return the conversation in the tokenizer's own chat template.

    Args:
        tokenizer: a transformers tokenizer with a chat template.
        messages: the turns; their contents cannot carry control tokens. Without any, the text is
            the marker a document begins with: what running text is scored after.
        answer: end with the marker after which the assistant speaks.

    Raises:
        InputError: for a template that does not work, or not with these turns.
    """
    if not messages:
        return str(tokenizer.bos_token or "")
    controls = tokenizer.all_special_tokens
    turns = [{"role": m.role, "content": plain(m.content, controls)} for m in messages]
    from jinja2 import TemplateError

    try:
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=answer)
    except TemplateError as error:
        roles = ", ".join(message.role for message in messages)
        fault = Fault(
            where="chat template",
            expected=f"one that renders turns of {roles}",
            seen=" ".join(str(error).split()).rstrip(".")[:200],
            do="Mend it, or leave out the turns that it refuses.",
        )
        raise InputError([fault]) from error
    return str(text)


def stop_text(tokenizer: Any) -> str:
    """Return the token that ends an assistant turn."""
    return str(tokenizer.eos_token)
