"""Contrast sets: right areas and shares, beside what no understanding would score."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from tests.evaluate.test_contrast_rows import PAIR, PROMPT, write

from normwright import plugins
from normwright.evaluate import (
    ContrastPrompt,
    Probed,
    declining_margins,
    measure_contrast_sets,
    opens_like,
    xstest,
    xstest_contrast,
)
from normwright.models import Model, ScriptedModel
from normwright.records import Contrast, InputError, Measurement, Message, digest_bytes
from normwright.release.evidence import SUITES

DIGEST = digest_bytes(b"weights")
DECLINES = ("I cannot answer that.", "I do not know.")
OBLIGING = ("Sure, here it is:",)
DIGESTS = dict.fromkeys(("base", "tuned", "aligned", "reward", "guard"), DIGEST)


@dataclass(frozen=True)
class Worded:
    """A model and a scorer whose numbers are a function of what is asked and answered."""

    value: Callable[[str, str], float]
    answer: str = "Sure."
    name: str = "worded"

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        return [[self.answer] * n for _ in prompts]

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        return [self.value(p[-1].content, c) for p, c in zip(prompts, completions, strict=True)]

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        return self.logprobs(prompts, completions)


def fits(prompt: Sequence[Message], text: str) -> bool:
    """A context of 200 characters."""
    return sum(len(m.content) for m in prompt) + len(text) <= 200


def folder(path: Path, *, prompts: int = 40, pairs: int = 30) -> Path:
    """A folder of synthetic sets: unsafe prompts say `bad`, chosen answers say `good`."""
    write(path / "overrefusal/xstest_en.jsonl", [
        {**PROMPT, "id": f"{i}", "prompt": f"request {i // 2} {'bad' if i % 2 else 'fine'}",
         "label": "unsafe" if i % 2 else "safe", "focus": f"f{i // 2}" if i > 1 else ""}
        for i in range(prompts)
    ])  # fmt: skip
    for source in ("harmless", "helpful"):
        write(path / f"preferences/hh_{source}.jsonl.gz", [
            {**PAIR, "id": f"{source}-{i}", "source": f"hh-rlhf/{source}",
             "prompt": f"\n\nHuman: ask {i}\n\nAssistant:",
             "chosen": "good" + "!" * (i % 3), "rejected": "worse"}
            for i in range(pairs)
        ])  # fmt: skip
    return path


def measured(path: Path, **changed: Any) -> dict[tuple[str, str, str], Measurement]:
    """Measurements by suite, metric and role."""
    return {(m.suite, m.metric, m.model): m for m in run(path, **changed)
            if isinstance(m, Measurement)}  # fmt: skip


def run(path: Path, **changed: Any) -> list[Measurement | Contrast]:
    """Measure a constant model, or what is asked for instead."""
    given: dict[str, Any] = {
        "models": {"aligned": Worded(lambda p, t: -1.0)},
        "scorer": None,
        "guard_score": None,
        "declines": DECLINES,
        "obliging": OBLIGING,
        "digests": DIGESTS,
        "fits": fits,
        "seed": 3,
        **changed,
    }
    return measure_contrast_sets(path, **given)


def probed(scores: Sequence[float], unsafe: Sequence[bool], role: str = "aligned") -> Probed:
    """What a model with these margins made of as many prompts."""
    prompts = tuple(
        ContrastPrompt(f"{i}", "x" * (i + 1), "unsafe" if u else "safe", "t", f"{i % 7}")
        for i, u in enumerate(unsafe)
    )
    return Probed(prompts, tuple(scores), None, (), role, DIGEST, 0, {})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    st.lists(st.tuples(st.integers(-2, 2), st.booleans()), min_size=4, max_size=20).filter(
        lambda rows: len({u for _, u in rows}) == 2
    )
)
def test_areas_are_those_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    """With ties, the area of the margins and that of the prompts' lengths are scikit-learn's."""
    scores, unsafe = zip(*rows, strict=True)
    (area,) = xstest(probed(scores, unsafe))

    assert area.estimate.value == pytest.approx(roc_auc_score(unsafe, scores), abs=1e-12)
    assert area.baselines["prompt-length"] == pytest.approx(
        roc_auc_score(unsafe, range(1, len(rows) + 1)), abs=1e-12
    )


def test_a_constant_model_has_exactly_one_half(tmp_path: Path) -> None:
    """A model that holds everything alike has area and shares of 0.5, and is not certain of it."""
    constant = Worded(lambda p, t: -1.0)
    seen = measured(folder(tmp_path), scorer=constant, guard_score=lambda p: 0.2)
    halves = [
        seen["xstest", "auc", "aligned"],
        seen["xstest", "auc", "guard"],
        seen["human-pairs", "harmless", "reward"],
        seen["human-pairs", "helpful", "reward"],
    ]

    assert [m.estimate.value for m in halves] == [0.5] * 4
    for m in halves:
        assert m.estimate.interval is not None
        assert m.estimate.interval.low < 0.5 < m.estimate.interval.high
        assert m.baselines["constant"] == 0.5
        assert m.lang == "en"
    assert [m.count for m in halves] == [None] * 4
    assert halves[2].details["ties"] == 30


def test_shuffled_labels_hold_one_half() -> None:
    """Margins that know nothing of the labels have an interval with 0.5 in it."""
    rng = random.Random(1)
    unsafe = [True, False] * 60
    rng.shuffle(unsafe)
    (area,) = xstest(probed([rng.gauss(0, 1) for _ in unsafe], unsafe))

    assert area.estimate.interval is not None
    assert area.estimate.interval.low < 0.5 < area.estimate.interval.high


def test_the_margin_is_a_difference_of_means(tmp_path: Path) -> None:
    """Each side is averaged over its texts, each text summed over its tokens."""
    prompt = ContrastPrompt("1", "ask", "safe", "t", "f")
    model = Worded(lambda p, t: -float(len(t)))
    no = -(len(DECLINES[0]) + len(DECLINES[1])) / 2

    assert declining_margins(model, [prompt], DECLINES, OBLIGING) == (no + len(OBLIGING[0]),)


def test_an_unknown_margin_is_counted_not_ranked(tmp_path: Path) -> None:
    """A model that gives neither side any probability has no area, and says for how many."""
    scripted: Model = ScriptedModel("canned", lambda p: "I cannot answer that, sorry.")
    seen = measured(folder(tmp_path), models={"aligned": scripted})
    area = seen["xstest", "auc", "aligned"]

    assert area.estimate.value is None
    assert area.details["unknown"] == 40
    assert area.details["mean"] == {"safe": None, "unsafe": None}
    assert seen["human-pairs", "helpful", "aligned"].estimate.value == 0.5


def test_declining_is_counted_exactly(tmp_path: Path) -> None:
    """Refusals in the project's words are counted among unsafe and safe prompts apart."""
    scripted = ScriptedModel(
        "picky", lambda p: DECLINES[0] if "bad" in p[-1].content else "Sure, here it is: 4."
    )
    seen = measured(folder(tmp_path), models={"aligned": scripted})
    unsafe, safe = (seen["xstest", f"declined-{k}", "aligned"] for k in ("unsafe", "safe"))

    assert (unsafe.count, unsafe.estimate.n, safe.count, safe.estimate.n) == (20, 20, 0, 20)
    assert unsafe.estimate.interval is not None
    assert unsafe.estimate.interval.method == "clopper-pearson"
    assert unsafe.details["whole"] == 20
    assert unsafe.details["types"] == {"homonyms": [20, 20]}
    assert unsafe.baselines == {"constant-decline": 1.0, "constant-perform": 0.0}


def test_what_opens_like_a_refusal() -> None:
    """The first clause decides, whatever case and marks; a short clause needs the whole text."""
    assert opens_like("i cannot answer that, sorry", DECLINES)
    assert opens_like("I cannot share that!", ["I cannot share that: it is private."])
    assert opens_like("No, not me. Never", ["No, not me."])
    assert not opens_like("No, here it is.", ["No, not me."])
    assert not opens_like("I do not mind: here it is.", DECLINES)
    assert not opens_like("I cannot", DECLINES)
    assert not opens_like("", DECLINES)
    assert not opens_like("You said: I cannot answer that.", DECLINES)


def test_better_margins_and_the_guard_are_seen(tmp_path: Path) -> None:
    """A model that tells the kinds apart has area 1; the contrast with one that does not is 1/2."""
    good = Worded(lambda p, t: 0.0 if ("bad" in p) == (t in DECLINES) else -5.0)
    flat = Worded(lambda p, t: -1.0)
    found = run(
        folder(tmp_path),
        models={"tuned": flat, "aligned": good},
        guard_score=lambda p: float("bad" in p),
    )
    areas = {m.model: m for m in found if isinstance(m, Measurement) and m.metric == "auc"}
    (difference,) = [c for c in found if isinstance(c, Contrast)]

    assert {r: m.estimate.value for r, m in areas.items()} == {
        "tuned": 0.5, "aligned": 1.0, "guard": 1.0
    }  # fmt: skip
    # Twenty foci, of which the first has no name: its two prompts stand alone.
    assert areas["aligned"].estimate.n == 21
    assert areas["aligned"].details["without_focus"] == 2
    assert (difference.better, difference.worse) == ("aligned", "tuned")
    assert difference.difference.value == 0.5
    assert not any(m.model == "guard" and m.metric != "auc" for m in areas.values())


def test_a_contrast_needs_the_same_prompts() -> None:
    """Unknown margins of either side leave the pair out; other prompts are refused."""
    better = probed([1, 2, math.nan, 4], [False, True, False, True])
    worse = probed([1, math.nan, 3, 4], [False, True, False, True], "tuned")
    with pytest.raises(ValueError, match="same prompts"):
        xstest_contrast(better, probed([1, 2], [True, False]))

    assert xstest_contrast(better, worse).difference.n == 2


def test_pairs_held_by_score_and_by_likelihood(tmp_path: Path) -> None:
    """The scorer's share is exact beside longer-wins; likelihood is compared a byte, and in all."""
    scorer = Worded(lambda p, t: float(t.startswith("good")))
    model = Worded(lambda p, t: -2.0)
    seen = measured(folder(tmp_path), models={"base": model}, scorer=scorer)
    reward = seen["human-pairs", "harmless", "reward"]
    base = seen["human-pairs", "harmless", "base"]

    # `good`, `good!`, `good!!` against `worse`: shorter, as long, longer.
    assert (reward.count, reward.estimate.n, reward.estimate.value) == (30, 30, 1.0)
    assert reward.baselines == {"constant": 0.5, "longer-wins": 0.5}
    assert base.estimate.value == 0.5
    assert base.details["held_by"] == "log-likelihood a byte"
    assert base.details["won_in_all"] == 15


def test_pairs_left_out_are_counted(tmp_path: Path) -> None:
    """Too long and odd pairs are passed over whole and counted, and prompts likewise."""
    path = folder(tmp_path, pairs=10)
    rows: list[Any] = [{**PAIR, "id": f"{i}", "human_turns": 1} for i in range(5)]
    rows += [{**PAIR, "id": "long", "rejected": "x" * 300}, {**PAIR, "id": "e", "chosen": ""}]
    write(path / "preferences/hh_helpful.jsonl.gz", rows)
    write(path / "overrefusal/xstest_en.jsonl", [
        PROMPT, {**PROMPT, "id": "2", "label": "unsafe"}, {**PROMPT, "id": "3", "prompt": "y" * 300}
    ])  # fmt: skip
    seen = measured(path, scorer=Worded(lambda p, t: 0.0))
    helpful, harmless = (seen["human-pairs", s, "reward"] for s in ("helpful", "harmless"))

    assert helpful.estimate.n == 5
    assert helpful.details["left_out"] == {"empty": 1, "marks": 0, "too_long": 1, "turns": 0}
    assert (helpful.details["pairs"], helpful.details["drawn"]) == (7, 7)
    assert helpful.details["conversations"] == 1
    assert harmless.estimate.n == 10
    assert seen["xstest", "auc", "aligned"].details["too_long"] == 1


def test_the_sample_is_the_seeds(tmp_path: Path) -> None:
    """Same seed, same records; the number of pairs asked is what was asked for."""
    path = folder(tmp_path)
    scorer = Worded(lambda p, t: float(len(p) + len(t)))
    one, same, other = (run(path, scorer=scorer, seed=s, count=12) for s in (1, 1, 2))
    asked = next(m for m in one if isinstance(m, Measurement) and m.model == "reward")

    assert [m.digest for m in one] == [m.digest for m in same]
    assert [m.digest for m in one] != [m.digest for m in other]
    assert (asked.estimate.n, asked.details["count"], asked.made_by and asked.made_by.seed) == (
        12, 12, 1
    )  # fmt: skip


def test_texts_and_digests_are_asked_for(tmp_path: Path) -> None:
    """No texts, an opening that is a refusal, and a role without digest are refused at once."""
    with pytest.raises(InputError) as caught:
        run(
            tmp_path,
            declines=["I do not know: ask."],
            obliging=["Sure:", "I do not know yet, but:"],
        )
    with pytest.raises(InputError, match="declines: expected texts"):
        run(tmp_path, declines=[])
    with pytest.raises(ValueError, match="reward"):
        run(tmp_path, scorer=Worded(lambda p, t: 0.0), digests={"aligned": DIGEST})

    assert [f.where for f in caught.value.faults] == ["obliging[1]"]


def test_a_model_that_gives_nan_is_refused(tmp_path: Path) -> None:
    """NaN is a broken model, not a tie and not a loss."""
    with pytest.raises(ValueError, match="NaN"):
        run(folder(tmp_path), models={"aligned": Worded(lambda p, t: math.nan)})


def test_the_suites_are_plug_ins_that_decide_nothing(tmp_path: Path) -> None:
    """Both have cards; no criterion may name them, and no stored answers are claimed for them."""
    names = {c.name for c in plugins.cards("suites")}
    found = measured(folder(tmp_path), scorer=Worded(lambda p, t: 0.0))

    assert {"xstest", "human-pairs"} <= names
    assert not {"xstest", "human-pairs"} & set(SUITES)
    assert {m.answers for m in found.values()} == {None}
