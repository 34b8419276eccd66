"""Critique and revision: read strictly, checked again, and marked for what they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluate.town import charter, scene
from tests.serving import served

from normwright.learn import critique_and_revise
from normwright.learn.critique import parse_critique, parse_revision
from normwright.models import Model, ScriptedModel
from normwright.models.endpoint import RemoteSettings
from normwright.models.remote import RemoteModel
from normwright.records import Message

NORMS = [n for n in charter().norms if n.id == "g.privacy.personal-data"]
SECRET, SAFE = "5512", "I cannot share that: it is private."


def critic(prompt: Sequence[Message]) -> str:
    """A critic by rule: a number from the records breaks the norm, and a refusal mends it."""
    text = prompt[-1].content
    data, _ = json.JSONDecoder().raw_decode(text, text.index('{\n "conversation"'))
    if "<answer>" in text:
        return f"<answer>{SAFE}</answer>"
    breaks = any(digit in data["answer"] for digit in "0123456789")
    return f"BREAKS\nIt tells {data['answer']}." if breaks else "KEEPS"


CRITIC = ScriptedModel("critic", critic)


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_critic_behind_an_endpoint_mends_what_breaks_a_norm() -> None:
    """Broken answers come back revised with their reason, others are counted as kept."""
    rows = [(scene(), SECRET), (scene(lang="pt"), SAFE), (scene(lang="pt"), "É o 5512.")]
    with served(CRITIC) as server:
        made = critique_and_revise(
            RemoteModel(RemoteSettings(url=server.url, id="served"), name="remote-critic"),
            rows,
            NORMS,
        )

    assert [(r.answer, r.revision) for r in made.revised] == [(SECRET, SAFE), ("É o 5512.", SAFE)]
    assert made.revised[0].critique.reason == "It tells 5512."
    assert (made.kept, made.dropped) == (1, {})
    assert made.revised[0].critic == "remote-critic"
    assert {len(asked.body["messages"]) for asked in server.asked} == {1}


def test_rows_say_what_they_are() -> None:
    """A demonstration is synthetic, a pair is simulated too, and both name norms and critic."""
    [revised] = critique_and_revise(CRITIC, [(scene(), SECRET)], NORMS).revised
    shown = revised.demonstration(licence="CC0-1.0")
    pair = revised.pair(p_chosen=0.8, layer="global", licence="CC0-1.0", weight=2.0)

    assert (shown.origin, pair.origin, pair.process_kind) == ("synthetic",) * 2 + ("simulated",)
    assert (shown.completion, pair.chosen, pair.rejected) == (SAFE, SAFE, SECRET)
    assert shown.norms == pair.norms == ("g.privacy.personal-data@1",)
    assert pair.p_chosen == 0.8
    assert pair.made_by is not None
    assert pair.made_by.parameters["critic"] == "critic"
    with pytest.raises(TypeError, match="p_chosen"):
        revised.pair(layer="global", licence="CC0-1.0", weight=2.0)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("replies", "why"),
    [
        (["It breaks them."], "no-verdict"),
        (["BREAKS the norm"], "no-verdict"),
        (["breaks"], "no-verdict"),
        (["BREAKS\nx", SAFE], "no-revision"),
        (["BREAKS\nx", "Here: <answer>ok</answer>"], "no-revision"),
        (["BREAKS\nx", "<answer> </answer>"], "no-revision"),
        (["BREAKS\nx", "<answer>a</answer><answer>b</answer>"], "no-revision"),
        (["BREAKS\nx", f"<answer>{SECRET}</answer>"], "unchanged"),
        (["BREAKS\nx", "<answer>It is 5 5 1 2</answer>", "BREAKS\nstill"], "still-breaks"),
        (["BREAKS\nx", "<answer>fine</answer>", "Perhaps."], "no-verdict"),
    ],
)
def test_what_is_not_of_the_form_is_dropped_and_counted(replies: list[str], why: str) -> None:
    """Nothing is guessed at: each way to go wrong has its own count and leaves no row."""
    rest = iter(replies)
    made = critique_and_revise(ScriptedModel("s", lambda _: next(rest)), [(scene(), SECRET)], NORMS)

    assert made.revised == ()
    assert dict(made.dropped) == {why: 1}
    assert list(rest) == []


def test_a_model_that_knows_nothing_gives_nothing(tiny: Any) -> None:
    """Random weights criticise nothing; the outcome is a count, not a row."""
    model: Model = tiny
    made = critique_and_revise(model, [(scene(), SECRET)], NORMS, max_new_tokens=8)

    assert (made.revised, dict(made.dropped), made.kept) == ((), {"no-verdict": 1}, 0)


def test_without_norms_there_is_no_critique() -> None:
    """A critic with nothing to go by is a mistake of the caller; without answers none is asked."""
    with pytest.raises(ValueError, match="at least one norm"):
        critique_and_revise(CRITIC, [(scene(), SECRET)], [])
    nobody = ScriptedModel("nobody", lambda _: pytest.fail("was asked"))

    assert critique_and_revise(nobody, [], NORMS).revised == ()


@given(st.text(max_size=40))
def test_parsing_never_invents(text: str) -> None:
    """A finding stands on the first line alone; a revision is part of the reply, and not empty."""
    found, revision = parse_critique(text), parse_revision(text)

    assert found is None or text.strip().splitlines()[0].strip() in ("KEEPS", "BREAKS")
    assert revision is None or (revision and revision in text)
    assert parse_revision(f"<answer>{text}</answer>") in (text.strip(), None)
