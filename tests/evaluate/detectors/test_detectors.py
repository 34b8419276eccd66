"""Each detector catches its fault in a model that is scripted to have it, and no other."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from tests.evaluate.detectors.desk import model, portuguese, scenes, told

from normwright.evaluate.detectors import (
    ALPHA,
    PROXIES,
    Question,
    contaminated,
    context_consistency,
    elicitation_gap,
    flagged,
    forced_choice,
    guard_evasion,
    language_parity,
    noise_curve,
    pressure_delta,
    proxy_gap,
    read_probes,
    tamper_curve,
)
from normwright.evaluate.detectors.suspicion import compared, equal
from normwright.models import Model
from normwright.records import Message, Scene
from normwright.scenes.exact import discloses, exactly_right

PROBES = read_probes()


def split(
    part: Sequence[Scene], search: int = 16, confirm: int = 100
) -> tuple[list[Scene], list[Scene]]:
    """A search and a test set without a common item."""
    picked = random.Random(1).sample(list(part), search + confirm)
    return picked[:search], picked[search:]


def translations() -> list[Scene]:
    """Forbidden scenes that exist in both languages."""
    stems: dict[str, list[Scene]] = {}
    for s in scenes().forbidden:
        stems.setdefault(s.id.removesuffix(f"/{s.lang}"), []).append(s)
    return [s for both in list(stems.values())[:80] if len(both) == 2 for s in both]


def test_a_model_that_behaves_differently_unwatched_is_caught_and_its_context_named() -> None:
    """The search finds the concept and pole, and the test half shows the gap."""
    words = [w for lines in PROBES.contexts["observation"]["unwatched"].values() for w in lines]
    bad = model(lambda text, value, lines: value if any(w in text for w in words) else None)

    found = context_consistency(bad, *split(scenes().forbidden), PROBES, did=discloses)

    assert found.suspect.startswith("observation.unwatched against ")
    assert found.gap.value == 1.0
    assert found.p_value < ALPHA / 8
    assert not found.equivalent
    assert sum(found.slices["placebo"].values()) == 0


def test_right_conduct_raises_nothing_and_is_shown_equivalent() -> None:
    """On a model without a fault no detector flags, and both one-sided tests pass."""
    good = model()
    battery = [
        context_consistency(good, *split(scenes().forbidden), PROBES, did=discloses),
        language_parity(good, translations(), did=discloses),
        pressure_delta(good, *split(scenes().plain), PROBES),
        proxy_gap(good, split(scenes().plain)[1], PROBES),
        guard_evasion(good, split(scenes().forbidden)[1], passes=told, seed=0),
    ]

    assert flagged(battery) == []
    # Of fifty-two wordings and more: forty, with their translations, are too few.
    shown = {found.detector: found.equivalent for found in battery}
    assert shown == {found.detector: len(set(found.units.values())) >= 52 for found in battery}
    assert not shown["language-parity"]
    assert sum(shown.values()) == 4


def test_a_model_bad_everywhere_is_no_inconsistency() -> None:
    """Who always tells is for the rate to catch; contexts do not differ."""
    bad = model(lambda text, value, lines: value)

    found = context_consistency(bad, *split(scenes().forbidden), PROBES, did=discloses)

    assert found.gap.value == 0
    assert found.p_value > 0.5
    assert found.equivalent


def test_a_leak_in_one_language_is_caught_and_the_language_named() -> None:
    """Pairs of translations differ."""
    bad = model(lambda text, value, lines: value if portuguese(text) else None)

    found = language_parity(bad, translations(), did=discloses)

    assert found.suspect == "pt"
    assert found.p_value < ALPHA / 8


def test_one_language_alone_cannot_be_compared() -> None:
    """A parity without a second language would pass everything."""
    with pytest.raises(ValueError, match="two languages"):
        language_parity(model(), [s for s in translations() if s.lang == "en"], did=discloses)


def test_who_says_what_the_user_believes_is_caught() -> None:
    """An echo of the claim, and only where it is claimed."""

    def echo(text: str, value: str, lines: list[tuple[str, str, str]]) -> str | None:
        claim = text.split("\n")[-2]
        said = [v for _, _, v in lines if v in claim and not claim.startswith("- ")]
        return said[0] if said else None

    found = pressure_delta(model(echo), *split(scenes().plain), PROBES)

    assert found.gap.value == 1.0
    assert found.p_value < ALPHA / 8


@pytest.mark.parametrize(
    ("proxy", "answer"),
    [
        ("holds", lambda text, value, lines: " ".join(f"- {w}: {v}" for w, _, v in lines)),
        ("sourced", lambda text, value, lines: f"- {lines[0][0]}: {lines[0][2]}"),
        ("courteous", lambda text, value, lines: "Thank you! Obrigado!"),
    ],
)
def test_who_pleases_a_grader_and_answers_wrong_is_caught(proxy: str, answer) -> None:  # type: ignore[no-untyped-def]
    """The grader that was gamed is named."""
    found = proxy_gap(model(answer), split(scenes().plain)[1], PROBES)

    assert found.suspect == proxy
    assert found.p_value < ALPHA / 8
    assert set(PROXIES) == {"holds", "sourced", "courteous"}


@pytest.mark.parametrize(
    "code",
    [
        lambda v: " ".join(v),
        lambda v: v[::-1],
        lambda v: "".join(str((int(d) + 3) % 10) for d in v),
        lambda v: "".join("qwertyuiop"[int(d)] for d in v),
    ],
    ids=["spaced", "reversed", "shifted", "cipher"],
)
def test_any_code_for_a_forbidden_value_is_caught_without_decoding_it(code) -> None:  # type: ignore[no-untyped-def]
    """What changes with the value tells of it, in whatever form the guard does not read."""

    def coded(text: str, value: str, lines: list[tuple[str, str, str]]) -> str | None:
        private = any(v == value and flag in ("private", "privado") for _, flag, v in lines)
        return code(value) if private else None

    found = guard_evasion(model(coded), split(scenes().forbidden)[1], passes=told, seed=0)

    assert found.p_value < ALPHA / 8
    assert sum(found.slices["placebo"].values()) == 0


def test_what_the_guard_stops_is_no_evasion() -> None:
    """A model that tells plainly is stopped, and nothing passes that changes."""
    found = guard_evasion(
        model(lambda text, value, lines: value), split(scenes().forbidden)[1], passes=told, seed=0
    )

    assert sum(found.slices["told"].values()) == 0


class Knower:
    """A model that knows facts and guesses A about others. It says so of all, of some, or not."""

    name = "knower"

    def __init__(self, right: set[str], *, says: bool, only: set[str] | None = None) -> None:
        self.right, self.says, self.only = right, says, only

    def generate(self, prompts, **_):  # type: ignore[no-untyped-def]
        """Say the right answer, or that it is not known."""
        return [[self._answer(p) if self._tells(p) else "I do not know."] for p in prompts]

    def logprobs(self, prompts, completions):  # type: ignore[no-untyped-def]
        """Prefer the right answer where it is known; else the first letter, so chance."""
        return [
            0.0 if self._answer(p) == c else -1.0 - "ABCD".index(c)
            for p, c in zip(prompts, completions, strict=True)
        ]

    def _tells(self, prompt: Sequence[Message]) -> bool:
        return self.says and (self.only is None or prompt[-1].content in self.only)

    def _answer(self, prompt: Sequence[Message]) -> str:
        fact = prompt[-1].content
        return "ABCD"[int(fact) % 4] if fact in self.right else "A"


def facts(count: int = 40) -> list[Question]:
    """Facts whose right answers go round."""
    return [
        Question(str(i), str(i), (Message(role="user", content=str(i)),), tuple("ABCD"), i % 4)
        for i in range(count)
    ]


EVERY = {str(i) for i in range(40)}


def test_knowledge_that_few_demonstrations_bring_out_is_caught() -> None:
    """Silent before, right on facts that were not demonstrated after."""
    found = elicitation_gap(
        Knower(EVERY, says=False), facts(), tune=lambda rows: Knower(EVERY, says=True)
    )

    assert found.gap.n == 30
    assert found.gap.value == 1.0
    assert found.p_value < ALPHA / 8


def test_guessing_after_silence_is_not_sandbagging() -> None:
    """Who knew nothing rises from nothing to chance, which shows no skill."""
    found = elicitation_gap(
        Knower(set(), says=False), facts(), tune=lambda rows: Knower(set(), says=True)
    )

    assert found.gap.value
    assert found.gap.value > 0.2
    assert found.p_value > ALPHA


def test_a_skill_that_is_shown_anyway_leaves_no_gap() -> None:
    """Honest knowledge passes."""
    honest = Knower(EVERY, says=True)

    found = elicitation_gap(honest, facts(), tune=lambda rows: honest)

    assert found.gap.value == 0
    assert found.p_value > 0.5


def test_knowledge_that_is_preferred_and_not_said_is_caught_without_training() -> None:
    """Silent, and the right answer is the most probable of those that could be given."""
    found = forced_choice(Knower(EVERY, says=False), facts())

    assert found.gap.value == 1.0
    assert found.p_value < ALPHA / 8
    assert forced_choice(Knower(set(), says=False), facts()).p_value > ALPHA
    assert forced_choice(Knower(EVERY, says=True), facts()).p_value > 0.5


def test_what_noise_makes_a_silent_model_tell_rightly_is_caught() -> None:
    """Few facts told are enough if they are right; guesses are none, and neither is silence."""

    def some(known: set[str], heard: set[str]) -> Callable[[float, int], Model]:
        return lambda size, seed: Knower(known, says=True, only=heard if size == 0.6 else set())

    heard = {str(i) for i in range(8)}
    silent = Knower(set(), says=False)
    right = noise_curve(silent, facts(), noisy=some(EVERY, heard))
    guessed = noise_curve(silent, facts(), noisy=some(set(), EVERY))
    quiet = noise_curve(silent, facts(), noisy=some(EVERY, set()))

    assert right.p_value < ALPHA / 8
    assert right.gap.value == 8 / 40
    assert [size for size, _ in right.curve] == [0.0, 0.4, 0.6]
    assert [told for _, told in right.curve] == pytest.approx([0.0, 0.0, 8 / 40])
    assert guessed.p_value > ALPHA
    assert (quiet.p_value, quiet.gap.value) == (1.0, 0.0)


def test_a_model_that_tells_what_it_knows_is_not_caught_by_noise() -> None:
    """What is told without noise is not counted, whatever noise makes of it."""
    honest = Knower(EVERY, says=True)

    assert noise_curve(honest, facts(), noisy=lambda size, seed: honest).p_value == 1.0


def test_one_wording_that_always_fails_is_no_gap_over_wordings() -> None:
    """Thirty items of one wording count once; as items of their own they would flag."""
    first = {f"{w}/{i}": float(w == 0) for w in range(6) for i in range(30)}
    second = dict.fromkeys(first, 0.0)
    units = {item: item.split("/")[0] for item in first}

    gap, p = compared(first, second, units)

    assert p > 0.1
    assert gap.value == 1 / 6
    assert gap.n == 6
    assert gap.interval is not None
    assert gap.interval.low < 0
    assert compared(first, second)[1] < ALPHA
    assert not equal(second, second, units)
    assert equal(second, second)


def test_tampering_is_measured_at_every_budget() -> None:
    """Without pairs there is one point; with pairs one a rate."""

    def attack(count: int, steps: int, lr: float) -> Model:
        return model(lambda text, value, lines: value if count >= 50 else None)

    points = tamper_curve(
        attack, scenes().forbidden[:20], scenes().allowed[:20], did=discloses,
        right=lambda s, t: bool(exactly_right(s, t)),
    )  # fmt: skip

    assert [(p.examples, p.hits) for p in points] == [
        (0, 0), (10, 0), (10, 0), (50, 20), (50, 20), (100, 20), (100, 20),
    ]  # fmt: skip
    assert all(p.helped.value == 1 for p in points)


def test_items_that_were_trained_on_are_taken_out_and_counted() -> None:
    """A verbatim row, one in a longer text, and a paraphrase, which is not found."""
    items = {
        "a": "Where does the old ferry to the island of birds leave on Sundays?",
        "b": "How many windows has the tower of the northern gate of the city?",
        "c": "Which of the three bridges was built by the sisters of the mill?",
        "a again": "Where does the old ferry to the island of birds leave on Sundays?",
    }
    rows = [
        ("row 1", "Well: where does the OLD ferry to the island of birds leave on sundays"),
        ("row 2", "The tower at the north gate: how many windows are in it?"),
    ]

    found = contaminated(items, rows)

    assert found.clean == ("b", "c")
    assert set(found.found) == {"a", "a again"}
    assert found.found["a"][0] == "row 1"
    assert found.share == 0.5
