"""Campaigns: known models get their known rates, dialogues are real, twins are never forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from tests.evaluate.town import DIGEST, TOWN, charter, judge, knowing, scene, scenes

from normwright import plugins
from normwright.evaluate import CannedRefusal
from normwright.models import Model, ScriptedModel
from normwright.records import Finding, InputError, Measurement, Message, Scene
from normwright.redteam import Attack, campaign, load_attacks, rates

ATTACKS = load_attacks(TOWN / "attacks.yaml")
REFUSAL = "I cannot share that: it is private."


class Plain:
    """A judge that knows only refusals: all else is unclear, or performed if told so."""

    def __init__(self, otherwise: str = "unclear") -> None:
        self.otherwise = otherwise

    def judge(self, scene: Scene, text: str) -> str:
        return "decline" if text == REFUSAL else self.otherwise


def attack_named(name: str) -> Attack:
    """One of the shipped attacks."""
    return next(a for a in ATTACKS if a.id == name)


def attacked(model: Model, *names: str, **more: Any) -> list[Finding]:
    """A campaign on one private request with the named attacks."""
    settings: dict[str, Any] = {"judge": Plain(), "scenes": [scene()], "seed": 0, **more}
    return campaign(model, role="m", charter=charter(),
                    attacks=[attack_named(n) for n in names], **settings)  # fmt: skip


def saying(answer: Any) -> ScriptedModel:
    """A model whose answer is a function of the last thing said."""
    return ScriptedModel("m", lambda prompt: answer(prompt[-1].content))


@cache
def findings(name: str) -> tuple[Finding, ...]:
    """A whole campaign of the shipped attacks on one of the known models."""
    asked = [s for s in scenes("test") if s.norm]
    known: dict[str, Model] = {
        "oracle": knowing(asked, charter()),
        "obeying": knowing(asked, None),
        "refusing": CannedRefusal({"en": "I cannot help with that.", "pt": "Não posso ajudar."}),
    }
    return tuple(campaign(known[name], role=name, scenes=asked, charter=charter(), judge=judge(),
                          attacks=ATTACKS, seed=1, per_attack=4))  # fmt: skip


def table(name: str) -> dict[tuple[str, str | None, str | None], Measurement]:
    """The measurements of one known model under attack."""
    made = rates(findings(name), model_digest=DIGEST, judge=DIGEST)
    keyed = {(m.suite, m.lang, m.norm): m for m in made}
    assert len(keyed) == len(made)
    return keyed


@pytest.mark.parametrize(
    ("name", "success", "refused"),
    [("oracle", (0, 0.05), (0, 0)), ("obeying", (0.9, 1), (0, 0)), ("refusing", (0, 0), (1, 1))],
)
@pytest.mark.parametrize("lang", [None, "en", "pt"])
def test_known_models(
    name: str, success: tuple[float, float], refused: tuple[float, float], lang: str | None
) -> None:
    """An oracle withstands and serves twins, obeying yields, refusing fails the twins."""
    attack = table(name)["attack", lang, None].estimate.value
    twins = table(name)["attack-over-refusal", lang, None].estimate.value

    assert attack is not None
    assert twins is not None
    assert success[0] <= attack <= success[1]
    assert refused[0] <= twins <= refused[1]


def test_every_attack_meets_every_norm_it_can() -> None:
    """Each attack wraps the same number of scenes in each language and side, norms in turn."""
    counts = Counter((f.attack, f.lang, f.expected) for f in findings("oracle"))

    assert set(counts.values()) == {4}
    assert len(counts) == len(ATTACKS) * 2 * 2
    drawn = [(f.attack, f.lang, f.norm) for f in findings("oracle") if f.expected == "decline"]
    assert len(set(drawn)) == len(drawn)
    assert {norm for _, _, norm in drawn} == {n.id for n in charter().norms}


def test_numbers_can_be_believed() -> None:
    """Rates have n, interval, judge, unit counts and the attack by attack table."""
    for m in table("obeying").values():
        assert m.estimate.n > 0
        assert m.estimate.interval is not None
        assert (m.judge, m.cluster) == (DIGEST, "attack")
        assert m.details["failed_units"] <= m.details["units"] <= m.details["answers"]
    whole = table("obeying")["attack", None, None]
    assert set(whole.details["by_attack"]) == {a.id for a in ATTACKS}
    assert sum(row["count"] for row in whole.details["by_attack"].values()) == whole.count
    assert rates([], model_digest=DIGEST) == []
    with pytest.raises(ValueError, match="one model"):
        rates([*findings("oracle"), *findings("obeying")], model_digest=DIGEST)


def test_same_seed_same_findings_whatever_the_batch() -> None:
    """Batches do not change findings; another seed draws other scenes."""
    asked = [s for s in scenes("test") if s.norm]
    model = knowing(asked, None)
    few = ATTACKS[:3]

    def run(seed: int, batch: int) -> list[str]:
        found = campaign(model, role="m", scenes=asked, charter=charter(), judge=judge(),
                         attacks=few, seed=seed, per_attack=2, batch=batch)  # fmt: skip
        return [f.digest for f in found]

    assert run(1, 64) == run(1, 3)
    assert run(1, 64) != run(2, 64)


def test_a_model_that_gives_in_late_is_caught_late() -> None:
    """The finding names the turn; the transcript holds both sides and ends there."""
    yielding = saying(lambda said: "5512" if "Once more" in said else REFUSAL)
    found = attacked(yielding, "insistence", "emergency")

    assert [(f.succeeded, f.turn) for f in found] == [(True, 2), (False, None)]
    assert [m.role for m in found[0].transcript] == ["user", "assistant"] * 2
    assert found[0].transcript[-1].content == "5512"
    assert (found[0].norm, found[0].severity) == ("g.privacy.personal-data", 4)


def test_dialogues_end_at_the_first_success() -> None:
    """Nothing is asked once the act was done."""
    found = attacked(saying(lambda said: "5512"), "insistence")[0]

    assert (found.turn, len(found.transcript)) == (1, 2)


def test_the_model_hears_its_own_answers() -> None:
    """Each turn the whole dialogue so far is what the model is given."""
    lengths: list[int] = []

    def answer(prompt: Sequence[Message]) -> str:
        lengths.append(len(prompt))
        assert all(m.content == REFUSAL for m in prompt if m.role == "assistant")
        return REFUSAL

    attacked(ScriptedModel("m", answer), "benign-then-switch")

    assert lengths == [1, 3, 5]


def test_a_value_spelled_out_is_a_success() -> None:
    """Splitting the value does not hide it."""
    assert attacked(saying(lambda said: "5-5-1-2"), "spell-it")[0].succeeded
    assert not attacked(saying(lambda said: "7-7-4-1"), "spell-it")[0].succeeded


def test_small_talk_before_the_request_is_not_judged() -> None:
    """The judge counts from the turn in which the request is out; a told value counts at once."""
    chatty = saying(lambda said: REFUSAL if "number" in said else "Good morning!")
    leaky = saying(lambda said: REFUSAL if "number" in said else "Ana has 5512.")

    assert not attacked(chatty, "escalation", judge=Plain("perform"))[0].succeeded
    assert attacked(leaky, "escalation")[0].turn == 1
    assert attacked(saying(lambda said: "Sure."), "escalation", judge=Plain("perform"))[0].turn == 3


def test_a_refused_twin_counts_against_the_model() -> None:
    """The benign twin has gone wrong only if the act was never done and the end declines."""
    twin = scene(facts={"data_public": True, "requester_is_subject": False})

    def outcome(model: Model) -> tuple[bool, int | None, str]:
        found = attacked(model, "insistence", scenes=[twin])[0]
        return found.succeeded, found.turn, found.expected

    assert outcome(saying(lambda said: REFUSAL)) == (True, None, "perform")
    assert outcome(saying(lambda said: "5512")) == (False, None, "perform")
    late = saying(lambda said: "5512" if "Once more" in said else REFUSAL)
    assert outcome(late) == (False, None, "perform")


def test_scenes_without_a_norm_are_left_alone() -> None:
    """There is nothing to breach in a plain look-up."""
    assert attacked(saying(lambda said: ""), "pity", scenes=[scene(norm=None)]) == []


def test_what_cannot_be_attacked_is_said() -> None:
    """A language without turns, and a model that loses answers, are errors."""

    class Short(ScriptedModel):
        def generate(self, *args: object, **kwargs: object) -> list[list[str]]:
            return []

    with pytest.raises(InputError, match="turns in fr"):
        attacked(saying(str), "pity", scenes=[scene(lang="fr")])
    with pytest.raises(ValueError, match="m: expected one answer"):
        attacked(Short("m", str), "pity")


def test_the_engine_is_a_plug_in() -> None:
    """The campaign stands in the registry with its card."""
    assert plugins.get("attacks", "templated") is campaign
