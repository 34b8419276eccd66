"""A guard is calibrated on what it reads when it serves, and its thresholds keep their promise."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from normwright.flow.guards import open_guard
from normwright.guard import Guard, LabelledText
from normwright.guard.calibrating import calibrate, chances, signals_of
from normwright.guard.checks.harm import LEAST
from normwright.guard.checks.harm import harm as check
from normwright.guard.embedded import policy
from normwright.guard.sights import passage
from normwright.guard.text_harm.fit import HarmRow, features_of
from normwright.guard.text_harm.grams import form, grams
from normwright.guard.text_harm.reader import TextHarm
from normwright.guard.text_harm.served import served, served_chances
from normwright.records import GuardCalibration, InputError

NORM = "g.dignity.no-demeaning"
TEXTS = [
    "Olá, VOCÊ não é um 1d1ota!!!!",
    "h\u200bate\u00a0is  not\tthe\nanswer \ufb01ne",
    "\u0430 cyrillic letter and \u0410nother",
    "A long story about a town and its people. " * 60,
    "x" * 3_000 + " and y",
    "b i c h a s e outros",
]


class Told:
    """A reader whose probability of hate stands in the text itself; it keeps what it read."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def read(self, texts: Sequence[str]) -> list[Mapping[str, float]]:
        """Return the number at the end of each text."""
        self.seen += texts
        return [{"hate": float(t.split()[-1])} for t in texts]


class Kept:
    """The embedded classifier, keeping what it was given."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def read(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Return what the embedded classifier does."""
        self.seen += texts
        return TextHarm.embedded().read(texts)


def row(chance: float, truth: bool, i: int, lang: str = "en") -> LabelledText:
    """A text that says its own probability."""
    return LabelledText(
        text=f"some words about text {chance:.6f}",
        yes=3 * truth,
        no=3 * (not truth),
        lang=lang,
        source="made",
        licence="CC0-1.0",
        cluster=str(i),
    )


def rows(n: int, seed: int, lang: str = "en") -> list[LabelledText]:
    """Texts with perfect probabilities."""
    rng = np.random.default_rng(seed)
    p = np.round(rng.beta(0.6, 0.9, n), 6)
    return [
        row(float(c), bool(t), i + 10_000 * seed, lang)
        for i, (c, t) in enumerate(zip(p, rng.random(n) < p, strict=True))
    ]


def run(guard: Guard, some: Sequence[LabelledText], costs: Sequence[float]) -> GuardCalibration:
    """The calibration of the norm against demeaning people."""
    return calibrate(
        guard, some, norm=NORM, costs=costs, classifier=None, files={}, seed=1, rounds=20
    )


@pytest.fixture(scope="module")
def told() -> Guard:
    """A guard that reads probabilities off the texts."""
    return Guard(policy(), harm=Told())


@pytest.mark.parametrize("text", TEXTS)
def test_training_and_serving_read_the_same_bytes(text: str) -> None:
    """The features a text is fitted on are, byte for byte, those the guard's check reads."""
    kept = Kept()
    guard = Guard(policy(), harm=kept)

    list(check(passage(text, role="user", side="input", stems=guard.detectors.stems), guard.kit))
    fitted = features_of([HarmRow(t, "en", "made", "a", {}) for t in served(text)])
    read = grams([form(t) for t in kept.seen[: len(served(text))]])

    assert served(text) == kept.seen[: len(served(text))]
    assert fitted.columns.tobytes() == read.columns.tobytes()
    assert fitted.values.tobytes() == read.values.tobytes()
    assert fitted.starts.tobytes() == read.starts.tobytes()


def test_calibration_reads_what_the_guard_reads() -> None:
    """The probability that is calibrated is the one of the guard's sight."""
    guard = Guard.embedded()
    texts = ["I hate all women, they should die.", *TEXTS[:3]]
    label = TextHarm.embedded().labels.index("hate")

    found = chances(guard, texts, signals_of(guard, NORM), role="user")
    plain = served_chances(TextHarm.embedded(), texts)[:, label]

    assert found == pytest.approx(np.where(plain >= LEAST, plain, 0.0))


@pytest.mark.parametrize(
    ("costs", "dearer"), [([0.2, 0.3, 0.25], "false-blocks"), ([4.0], "misses")]
)
def test_the_promise_is_kept_on_average(told: Guard, costs: list[float], dearer: str) -> None:
    """Over many draws the dearer error of fresh texts is, on average, under what was promised."""
    fresh = rows(4_000, 999)
    chance = np.array([float(r.text.split()[-1]) for r in fresh])
    truth = np.array([bool(r.label) for r in fresh])
    promised, made = [], []
    for seed in range(25):
        one = run(told, rows(240, seed), costs).signals[0]
        assert one.dearer == dearer
        assert one.threshold is not None
        blocked = chance >= one.threshold
        made.append((~blocked)[truth].mean() if dearer == "misses" else blocked[~truth].mean())
        promised.append(one.alpha)

    # Each draw has its own promise; the mean of what was made stays under their mean.
    assert np.mean(made) <= np.mean(promised) + 0.01
    assert np.mean(made) >= 0.3 * np.mean(promised)


def test_the_dearer_a_miss_the_lower_the_threshold(told: Guard) -> None:
    """Who fears misses more gets a lower threshold; the median of the answers counts."""
    some = rows(600, 5)

    got = [run(told, some, c).signals[0].threshold for c in ([0.1], [1.0, 1.0, 90.0], [10.0])]

    assert all(t is not None for t in got)
    assert got[0] > got[1] > got[2]  # type: ignore[operator]


def test_perfect_probabilities_lie_under_the_floor(told: Guard) -> None:
    """Perfect probabilities have an error under the floor; halved ones have one above it."""
    good = run(told, rows(800, 2), [1.0]).signals[0]
    halved = [row(float(r.text.split()[-1]) / 2, bool(r.label), i)
              for i, r in enumerate(rows(800, 2))]  # fmt: skip
    bad = run(told, halved, [1.0]).signals[0]

    assert good.error.value is not None
    assert good.error.value < good.floor
    assert bad.error.value is not None
    assert bad.error.value > 2 * bad.floor


def test_languages_stand_apart(told: Guard) -> None:
    """Each language has its own entry, and its own threshold for each signal."""
    record = run(told, [*rows(300, 3), *rows(300, 4, "pt")], [1.0])

    assert [s.lang for s in record.signals] == ["en", "pt"]
    assert set(record.thresholds()["harm.hate"]) == {"en", "pt"}
    assert GuardCalibration.model_validate_json(record.model_dump_json()) == record


def test_too_few_texts_for_a_promise_give_no_threshold(told: Guard) -> None:
    """A promise of one in ten thousand needs as many texts; there is no threshold without them."""
    some = rows(300, 8)

    record = calibrate(told, some, norm=NORM, costs=[0.5], classifier=None, files={}, seed=1,
                       at_most=1e-4, rounds=20)  # fmt: skip

    assert record.signals[0].threshold is None
    assert record.signals[0].needed == 9_999
    assert record.thresholds() == {}


def test_faults_are_named(told: Guard) -> None:
    """An unknown norm, a cost of nothing and too few texts are errors that say what is wanted."""
    with pytest.raises(InputError, match="Norms the guard acts on"):
        calibrate(told, rows(99, 1), norm="g.none", costs=[1], classifier=None, files={}, seed=1)
    with pytest.raises(InputError, match="numbers above 0"):
        run(told, rows(99, 1), [0.0])
    with pytest.raises(InputError, match="20 of each"):
        run(told, rows(12, 1), [1.0])


def test_an_enacted_folder_gives_its_guard_the_thresholds(tmp_path: Path) -> None:
    """A calibration beside a policy is picked up, unless it is of another policy or classifier."""
    (tmp_path / "policy.json").write_text(policy().model_dump_json())
    guard = open_guard(tmp_path)
    from normwright.guard.opening import classifier_digest

    record = calibrate(
        Guard(policy(), harm=Told()), rows(300, 3), norm=NORM, costs=[1.0],
        classifier=classifier_digest(guard), files={}, seed=1,
    )  # fmt: skip
    path = tmp_path / "calibration.json"
    path.write_text(record.model_dump_json())

    assert open_guard(tmp_path).settings.thresholds == record.thresholds()
    content = json.loads(path.read_text())
    for key in ("policy", "classifier"):
        path.write_text(json.dumps({**content, key: "sha256:" + "0" * 64}))
        with pytest.raises(InputError, match="Calibrate again"):
            open_guard(tmp_path)
    path.write_text("{}")
    with pytest.raises(InputError, match="a calibration"):
        open_guard(tmp_path)
