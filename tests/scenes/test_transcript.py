"""Transcripts become turns, or say in a few words why they do not."""

from __future__ import annotations

import pytest

from normwright.scenes import parse_conversation, parse_transcript


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Hi", "no mark"),
        ("Hi\n\nHuman: you\n\nAssistant:", "before the first mark"),
        ("\n\nAssistant: Hi\n\nHuman: you\n\nAssistant:", "speaks first"),
        ("\n\nHuman: Hi", "no open turn"),
        ("\n\nHuman: Hi\n\nAssistant: Yes", "no open turn"),
        ("\n\nHuman: Hi\n\nAssistant: \n\nHuman: you\n\nAssistant:", "in turn 2"),
    ],
)
def test_what_is_no_transcript(text: str, says: str) -> None:
    """Each way in which a transcript can be broken is said, without its text."""
    with pytest.raises(ValueError, match=says) as caught:
        parse_transcript(text)

    assert "Hi" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Hi", "no mark"),
        ("\n\nHuman: Hi", "no turn of the assistant"),
        ("\n\nHuman: \n\nAssistant: Yes", "in turn 1"),
    ],
)
def test_what_is_no_conversation(text: str, says: str) -> None:
    """A conversation needs an answer at its end and something said before."""
    with pytest.raises(ValueError, match=says):
        parse_conversation(text)


def test_a_conversation_keeps_its_answer() -> None:
    """The last turn is the answer, without the spaces around it; it may be empty."""
    said = "\n\nHuman: Hi \n\nAssistant: Yes?\n\nHuman: Bye\n\nAssistant:"

    assert [m.content for m in parse_conversation(said)] == ["Hi", "Yes?", "Bye", ""]
    assert parse_conversation(said)[:-1] == parse_transcript(said)
