"""Templates that would train on another text than the one that is served are refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from normwright.models.chat import END, TEMPLATE
from normwright.models.tuning import answer_rows
from normwright.models.tuning.templates import check_template
from normwright.records import InputError, Message

ROWS = [
    ("en", [Message(role="user", content="When?")], "At nine."),
    ("pt", [Message(role="system", content="Seja breve, João."),
            Message(role="user", content="Onde fica a praça? 🌍")], "À direita, no coração."),
]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from normwright.learn import train_tokenizer

    return train_tokenizer(iter([answer for _, _, answer in ROWS] * 4), vocabulary=300)


def broken(tokenizer: Any, old: str, new: str) -> Any:
    other = copy.deepcopy(tokenizer)
    assert old in TEMPLATE
    other.chat_template = TEMPLATE.replace(old, new)
    return other


def test_our_template_carries_both_languages_and_a_system_turn(tokenizer: Any) -> None:
    """Accents, emoji and three roles come back from their tokens, also after saving."""
    check_template(tokenizer, ROWS)
    (row,) = answer_rows(tokenizer, [(ROWS[1][1], ROWS[1][2])], limit=500)

    assert tokenizer.decode(row.ids[row.start :]) == f"{ROWS[1][2]}{END}"


def test_a_text_that_begins_twice_is_refused(tokenizer: Any) -> None:
    """A second token of beginning is one fault a row."""
    other = broken(tokenizer, "{{- '<|begin|>' -}}", "{{- '<|begin|><|begin|>' -}}")

    with pytest.raises(InputError, match="one token that begins a text, saw two"):
        check_template(other, ROWS)


def test_a_template_that_drops_the_system_turn_is_refused(tokenizer: Any) -> None:
    """What the template leaves out is named by its role, in its row alone."""
    other = broken(tokenizer, "{%- for message in messages -%}",
                   "{%- for message in messages if message['role'] != 'system' -%}")  # fmt: skip

    with pytest.raises(InputError) as caught:
        check_template(other, ROWS)
    (fault,) = caught.value.faults
    assert fault.where == "row 1 (pt)"
    assert "the system's turn" in fault.expected


def test_a_template_that_refuses_a_role_is_refused_in_words(tokenizer: Any) -> None:
    """An exception of the template is a fault of the row, not a traceback."""
    other = broken(tokenizer, "{%- for message in messages -%}",
                   "{%- for message in messages -%}{%- if message['role'] == 'system' -%}"
                   "{{- raise_exception('no system here') -}}{%- endif -%}")  # fmt: skip

    with pytest.raises(InputError, match="no system here"):
        check_template(other, ROWS)


def test_letters_a_tokenizer_does_not_know_are_refused() -> None:
    """A tokenizer without accents passes English rows and fails on Portuguese, by its own probe."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    from normwright.learn.pretraining.scratch import wrap_tokenizer
    from normwright.models.chat import SPECIAL

    known = {c: i for i, c in enumerate((*SPECIAL, *map(chr, range(32, 127))))}
    bare = Tokenizer(models.WordLevel({**known, "?": known["?"]}, unk_token="?"))
    bare.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    bare.add_special_tokens(list(SPECIAL))

    with pytest.raises(InputError, match=r"\(pt\)"):
        check_template(wrap_tokenizer(bare, PreTrainedTokenizerFast), ROWS[:1])
