"""Controls are models like any other, and know no more than they should."""

from __future__ import annotations

import math

import pytest
from tests.evaluate.town import charter, scene, scenes

from normwright.evaluate import CannedRefusal, Collapsed, LinearShortcut
from normwright.models import Model
from normwright.records import InputError, Message

PROMPTS = [(Message(role="user", content="Hello?"),), (Message(role="user", content="Olá?"),)]


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (Collapsed("5512"), "5512"),
        (CannedRefusal({"pt": "Não.", "en": "No."}), "No. Não."),
        (LinearShortcut.fit([scene()], charter()), "I cannot share that: it is private."),
    ],
)
def test_a_control_is_a_model(control: Model, said: str) -> None:
    """It answers each prompt n times and is certain of its own answer."""
    assert isinstance(control, Model)
    assert control.generate(PROMPTS, n=2) == [[said, said]] * 2
    assert control.generate([]) == []
    assert control.logprobs(PROMPTS, [said, "other"]) == [0.0, -math.inf]
    assert control.name.startswith("control:")


def test_the_shortcut_learns_what_words_can_tell() -> None:
    """On its own training prompts it repeats the right answers; it is no straw man."""
    asked = [s for s in scenes("tune") if s.norm is None][:60]
    shortcut = LinearShortcut.fit(asked, charter())
    said = [texts[0] for texts in shortcut.generate([s.messages for s in asked])]

    assert sum(t == s.perform for t, s in zip(said, asked, strict=True)) >= 55


def test_the_shortcut_needs_scenes() -> None:
    """Nothing to learn from is a fault, not an empty model."""
    with pytest.raises(InputError, match="training scenes"):
        LinearShortcut.fit([], charter())
