"""Checks of a chat template on the rows it is to be trained on, before any training.

Whatever a template does in training and not in serving, a model learns for nothing: turns that it
drops, characters that do not come back, a beginning that stands twice.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, Final

from normwright.models.chat import plain, render
from normwright.records import Fault, InputError, Message

PROBES: Final = {
    "en": "It’s “fine” — naïve café, 50 % off 👍🏽 and 🏳️‍🌈.",
    "pt": "Não há razão: às vezes, você põe açúcar à mão; é só um pão! ÃÕÇÉ 👩‍👩‍👧",
}
"""Texts with what the writing of a language brings, tried beside its rows."""
_ROWS_A_LANGUAGE: Final = 64
_SHOWN: Final = 20


def check_template(tokenizer: Any, rows: Sequence[tuple[str, Sequence[Message], str]]) -> None:
    """Raise one error with all that a template would do to these rows.

    Args:
        tokenizer: with its chat template.
        rows: language, prompt and answer of each row; up to 64 of each language are tried, spread
            evenly, and a probe in English and in Portuguese beside them.

    Raises:
        InputError: naming rows whose text does not come back from their tokens, whose turns the
            template drops or refuses, or that begin twice; also if the tokenizer is another one
            after it was saved and read again.
    """
    tried = [(where, prompt, answer) for where, prompt, answer in _tried(rows)]
    faults = [fault for one in tried for fault in _wrong(tokenizer, *one)]
    if not faults:
        faults = list(_changed(tokenizer, tried))
    if faults:
        more = len(faults) - _SHOWN
        rest = [Fault(where="the template", expected="rows without faults",
                      seen=f"{more} more faults")] if more > 0 else []  # fmt: skip
        raise InputError([*faults[:_SHOWN], *rest])


def _tried(
    rows: Sequence[tuple[str, Sequence[Message], str]],
) -> Iterator[tuple[str, Sequence[Message], str]]:
    places: dict[str, list[int]] = {}
    for place, (lang, _, _) in enumerate(rows):
        places.setdefault(lang, []).append(place)
    for lang, where in places.items():
        for place in where[:: max(1, len(where) // _ROWS_A_LANGUAGE)]:
            yield f"row {place} ({lang})", rows[place][1], rows[place][2]
    for lang, text in PROBES.items():
        yield f"a probe ({lang})", [Message(role="user", content=text)], text


def _wrong(tokenizer: Any, where: str, prompt: Sequence[Message], answer: str) -> Iterator[Fault]:
    """Yield what the template does to a row that it must not."""
    turns = [*prompt, Message(role="assistant", content=answer)]
    try:
        text = render(tokenizer, turns, answer=False)
    except Exception as error:  # noqa: BLE001 - a template may raise whatever its author chose
        roles = ", ".join(turn.role for turn in turns)
        yield Fault(where=where, expected=f"a template that takes the turns {roles}",
                    seen=" ".join(str(error).split())[:200])  # fmt: skip
        return
    for turn in turns:
        if plain(turn.content).strip() not in text:
            yield Fault(where=where, expected=f"the {turn.role}'s turn in the rendered text",
                        seen="a template that drops or changes it",
                        do="Mend the chat template.")  # fmt: skip
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    begin = tokenizer.bos_token_id
    if begin is not None and begin != tokenizer.eos_token_id and ids[:2] == [begin, begin]:
        yield Fault(where=where, expected="one token that begins a text", seen="two",
                    do="Let either the template or the tokenizer add it.")  # fmt: skip
    back = tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    if back.strip() != text.strip():
        yield Fault(where=where, expected="text that comes back from its tokens",
                    seen=_difference(text.strip(), back.strip()),
                    do="Take a tokenizer that covers the language.")  # fmt: skip


def _difference(text: str, back: str) -> str:
    at = next((i for i, (a, b) in enumerate(zip(text, back, strict=False)) if a != b),
              min(len(text), len(back)))  # fmt: skip
    return f"{back[max(0, at - 10) : at + 10]!r} for {text[max(0, at - 10) : at + 10]!r}"


def _changed(
    tokenizer: Any, tried: Sequence[tuple[str, Sequence[Message], str]]
) -> Iterator[Fault]:
    """Yield a fault if a saved tokenizer gives other tokens when it is read again."""
    from transformers import AutoTokenizer

    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        again = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    for where, prompt, _ in [*tried[:2], *tried[-len(PROBES) :]]:
        texts = [render(one, prompt) for one in (tokenizer, again)]
        ids = [
            one(text, add_special_tokens=False)["input_ids"]
            for one, text in zip((tokenizer, again), texts, strict=True)
        ]
        if ids[0] != ids[1]:
            yield Fault(where=where, expected="the same tokens after the tokenizer was saved",
                        seen="others", do="Mend the tokenizer's files.")  # fmt: skip
