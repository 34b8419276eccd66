"""The forms of TRL: five types, each with plain text (`trl-…`) or with messages (`trl-…-chat`).

The prompt is always explicit, because an implicit one is cut at the longest common run of
characters. In plain text an answer carries the space before it, because the two are put together as
they are. Columns beside those of a type stay in the file; TRL's trainers drop them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from normwright.learn.forms.canonical import (
    Candidate,
    Item,
    Turn,
    answer,
    asked,
    messages,
    stated,
    turns,
)
from normwright.learn.forms.form import (
    Form,
    Row,
    assistant,
    best,
    chosen_first,
    has,
    no_shares,
    pair,
    plain,
    text_of,
)


def _spaced(text: str) -> str:
    return f" {text}"


def _unspaced(text: Any) -> tuple[Turn, ...]:
    if not isinstance(text, str):
        raise ValueError("expected text")
    return (Turn("assistant", text.removeprefix(" ")),)


def _all_spaced(*names: str) -> Any:
    """Return whether a row's prompt is text and its answers begin with their space."""
    fits = has("prompt", *names)
    return lambda row: fits(row) and isinstance(row["prompt"], str) and all(
        isinstance(row[name], str) and row[name].startswith(" ") for name in names
    )  # fmt: skip


def _chat(*names: str) -> Any:
    """Return whether some columns of a row hold messages."""
    fits = has(*names)
    return lambda row: fits(row) and all(isinstance(row[name], list) for name in names)


# Language modelling


def _read_text(row: Row) -> Item:
    return replace(plain(row, "text"), text=text_of(row, "text"))


def _write_text(item: Item) -> Iterator[dict[str, Any]]:
    if item.text is None:
        raise ValueError("expected a text without a prompt")
    yield {"text": item.text, **stated(item)}


def _read_messages(row: Row) -> Item:
    known = plain(row, "messages")
    said = turns(row["messages"])
    if said[-1].role != "assistant":
        return replace(known, prompt=said)
    return replace(known, prompt=said[:-1], candidates=(Candidate(said[-1:]),))


def _write_messages(item: Item) -> Iterator[dict[str, Any]]:
    said = best(item) if item.candidates else ()
    yield {"messages": messages((*item.prompt, *said)), **stated(item)}


# Prompts alone


def _read_prompt(row: Row) -> Item:
    return replace(plain(row, "prompt"), prompt=turns(row["prompt"]))


def _write_prompt(item: Item) -> Iterator[dict[str, Any]]:
    yield {"prompt": asked(item.prompt), **stated(item)}


def _write_prompt_chat(item: Item) -> Iterator[dict[str, Any]]:
    yield {"prompt": messages(item.prompt), **stated(item)}


# Prompt and completion


def _read_completion(row: Row) -> Item:
    known = plain(row, "prompt", "completion")
    said = _unspaced(row["completion"])
    return replace(known, prompt=turns(row["prompt"]), candidates=(Candidate(said),))


def _write_completion(item: Item) -> Iterator[dict[str, Any]]:
    said = _spaced(answer(best(item)))
    yield {"prompt": asked(item.prompt), "completion": said, **stated(item)}


def _read_completion_chat(row: Row) -> Item:
    known = plain(row, "prompt", "completion")
    said = assistant(row["completion"])
    return replace(known, prompt=turns(row["prompt"]), candidates=(Candidate(said),))


def _write_completion_chat(item: Item) -> Iterator[dict[str, Any]]:
    yield {
        "prompt": messages(item.prompt),
        "completion": messages(best(item)),
        **stated(item),
    }


# Preferences


_PAIR: Final = ("prompt", "chosen", "rejected")


def _read_preference(row: Row) -> Item:
    known = plain(row, *_PAIR)
    return pair(known, turns(row["prompt"]), _unspaced(row["chosen"]), _unspaced(row["rejected"]))


def _write_preference(item: Item) -> Iterator[dict[str, Any]]:
    for one, _, chosen, rejected in chosen_first(item):
        yield {"prompt": asked(one.prompt), "chosen": _spaced(answer(chosen)),
               "rejected": _spaced(answer(rejected)), **no_shares(one)}  # fmt: skip


def _read_preference_chat(row: Row) -> Item:
    known = plain(row, *_PAIR)
    return pair(known, turns(row["prompt"]), assistant(row["chosen"]), assistant(row["rejected"]))


def _write_preference_chat(item: Item) -> Iterator[dict[str, Any]]:
    for one, _, chosen, rejected in chosen_first(item):
        yield {"prompt": messages(one.prompt), "chosen": messages(chosen),
               "rejected": messages(rejected), **no_shares(one)}  # fmt: skip


# Unpaired


_UNPAIRED: Final = ("prompt", "completion", "label")


def labelled_answers(item: Item) -> Iterator[tuple[Item, tuple[Turn, ...], bool]]:
    """Yield each answer with its label: its own, or whether it was preferred."""
    if item.choices:
        for one, _, chosen, rejected in chosen_first(item):
            for said, good in ((chosen, True), (rejected, False)):
                name = one.id if one.id is None else f"{one.id}.{'good' if good else 'bad'}"
                yield replace(one, id=name), said, good
        return
    if not item.candidates or any(one.good is None for one in item.candidates):
        raise ValueError("expected answers with a label, or a choice between two")
    several = len(item.candidates) > 1 and item.id is not None
    for number, said_ in enumerate(item.candidates):
        told = replace(item, id=f"{item.id}.{number}") if several else item
        yield told, said_.turns, bool(said_.good)


def _label(row: Row) -> bool:
    if not isinstance(row["label"], bool):
        raise ValueError("label: expected true or false")
    return row["label"]


def _read_unpaired(row: Row) -> Item:
    known = plain(row, *_UNPAIRED)
    said = Candidate(_unspaced(row["completion"]), good=_label(row))
    return replace(known, prompt=turns(row["prompt"]), candidates=(said,))


def _write_unpaired(item: Item) -> Iterator[dict[str, Any]]:
    for one, said, good in labelled_answers(item):
        yield {"prompt": asked(one.prompt), "completion": _spaced(answer(said)), "label": good,
               **no_shares(one)}  # fmt: skip


def _read_unpaired_chat(row: Row) -> Item:
    known = plain(row, *_UNPAIRED)
    said = Candidate(assistant(row["completion"]), good=_label(row))
    return replace(known, prompt=turns(row["prompt"]), candidates=(said,))


def _write_unpaired_chat(item: Item) -> Iterator[dict[str, Any]]:
    for one, said, good in labelled_answers(item):
        yield {"prompt": messages(one.prompt), "completion": messages(said), "label": good,
               **no_shares(one)}  # fmt: skip


CHAT: Final = (
    Form("trl-unpaired-chat", "TRL, for KTO: messages, one answer, a label",
         lambda row: _chat("prompt", "completion")(row) and "label" in row,
         _read_unpaired_chat, _write_unpaired_chat, shares=False),
    Form("trl-completions-chat", "TRL, for SFT: messages, an answer", _chat("prompt", "completion"),
         _read_completion_chat, _write_completion_chat),
    Form("trl-preferences-chat", "TRL, for DPO and rewards: messages, two answers",
         _chat("prompt", "chosen", "rejected"), _read_preference_chat, _write_preference_chat,
         shares=False),
)  # fmt: skip
"""Told by their messages, before the forms whose columns are called the same."""
FORMS: Final = (
    Form("trl-unpaired", "TRL, for KTO: text, one answer, a label",
         has("prompt", "completion", "label"), _read_unpaired, _write_unpaired, shares=False),
    Form("trl-completions", "TRL, for SFT: text, an answer with its space",
         _all_spaced("completion"), _read_completion, _write_completion),
    Form("trl-preferences", "TRL, for DPO and rewards: text, two answers with their spaces",
         _all_spaced("chosen", "rejected"), _read_preference, _write_preference, shares=False),
)  # fmt: skip
"""Told by the space before an answer, before the project's own forms."""
LAST: Final = (
    Form("trl-messages", "TRL, for SFT: a whole conversation",
         has("messages", no=("chosen", "rejected")), _read_messages, _write_messages),
    Form("trl-prompts-chat", "TRL, for RLOO: messages", _chat("prompt"), _read_prompt,
         _write_prompt_chat),
    Form("trl-prompts", "TRL, for RLOO: text",
         lambda row: has("prompt", no=("chosen", "completion", "answers", "response_0"))(row)
         and isinstance(row["prompt"], str), _read_prompt, _write_prompt),
    Form("trl-text", "TRL, for SFT: text as it is", has("text"), _read_text, _write_text),
)  # fmt: skip
"""Told when nothing narrower fits."""
