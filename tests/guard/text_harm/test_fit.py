"""Fitting: the same bytes from the same rows, nothing from locked rows, shares as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from normwright.guard.text_harm import TextHarm
from normwright.guard.text_harm.fit import HarmRow, HeadPlan, fit_text_harm
from normwright.guard.text_harm.grams import BUCKETS, word_columns
from normwright.guard.text_harm.shift import Shift, fit_shift

PLANS = [HeadPlan("abuse", rarity=0.5), HeadPlan("lang", "pt")]
WORDS = {
    "en": (
        ["stupid", "ugly", "dumb", "awful"],
        ["kind", "nice", "good", "fine"],
        "you are a {} {}",
    ),
    "pt": (
        ["burro", "feio", "tolo", "chato"],
        ["gentil", "belo", "bom", "calmo"],
        "tu és um {} {}",
    ),
}
NOUNS = ["person", "neighbour", "friend", "cook", "singer", "vizinho", "amigo", "cantor", "padeiro"]


def rows() -> list[HarmRow]:
    """Insults and praise of many people in two languages."""
    out = []
    for lang, (bad, good, frame) in WORDS.items():
        for harmful, words in ((1.0, bad), (0.0, good)):
            for word in words:
                for noun in NOUNS:
                    text = frame.format(word, noun)
                    labels = {"abuse": harmful, "lang:pt": float(lang == "pt")}
                    out.append(HarmRow(text, lang, f"made-{lang}", f"{lang}{noun}{word}", labels))
    return out


@pytest.fixture(scope="module")
def fitted() -> tuple[TextHarm, np.ndarray]:
    """The classifier of those rows and their held-out scores."""
    return fit_text_harm(rows(), PLANS, seed=3, card={"made": True})


def test_the_same_rows_give_the_same_bytes(
    fitted: tuple[TextHarm, np.ndarray], tmp_path: Path
) -> None:
    """A second fit writes files of the same digests."""
    again, _ = fit_text_harm(rows(), PLANS, seed=3, card={"made": True})

    assert again.save(tmp_path / "a") == fitted[0].save(tmp_path / "b")


def test_it_learns_what_is_to_be_learned(fitted: tuple[TextHarm, np.ndarray]) -> None:
    """Locked rows, which it never saw, are told apart; so are the two languages."""
    harm = fitted[0]
    locked = [r for r in rows() if r.part == "locked"]

    found = harm.chances([r.text for r in locked])[:, 0]
    right = [(p >= 0.5) == (r.labels["abuse"] >= 0.5) for p, r in zip(found, locked, strict=True)]
    spoken = harm.languages([r.text for r in locked])

    assert len(locked) > 15
    assert np.mean(right) > 0.9
    assert np.mean([s["pt"] > 0.5 for s in spoken] == np.array([r.lang == "pt" for r in locked]))


def test_locked_rows_teach_nothing(fitted: tuple[TextHarm, np.ndarray], tmp_path: Path) -> None:
    """With every label of the locked part turned round the same classifier comes out."""
    turned = [
        replace(r, labels={**r.labels, "abuse": 1 - r.labels["abuse"]}) if r.part == "locked" else r
        for r in rows()
    ]

    other, held = fit_text_harm(turned, PLANS, seed=3, card={"made": True})

    assert other.save(tmp_path / "a") == fitted[0].save(tmp_path / "b")
    assert np.isnan(held[[r.part == "locked" for r in turned]]).all()


def test_held_out_scores_come_from_weights_that_had_not_seen_the_row() -> None:
    """On labels drawn by a coin held-out scores tell nothing, though the fit itself could."""
    rng = np.random.default_rng(0)
    coin = [
        replace(r, unit=str(i), labels={**r.labels, "abuse": float(rng.random() < 0.5)})
        for i, r in enumerate(rows() * 3)
    ]
    coin = [replace(r, text=f"{r.text} {rng.integers(10**9):x}") for r in coin]

    _, held = fit_text_harm(coin, PLANS[:1] + PLANS[1:], seed=3, card={})
    use = ~np.isnan(held[:, 0])
    truth = np.array([r.labels["abuse"] for r in coin])[use]

    assert abs(np.corrcoef(held[use, 0], truth)[0, 1]) < 0.2


def test_rows_that_may_not_be_measured_are_never_locked() -> None:
    """What was written to be learned from is in the learned part, whatever its unit."""
    assert {replace(r, measured=False).part for r in rows()} == {"learn"}
    assert {r.part for r in rows()} == {"learn", "locked"}


def test_parts_and_folds_follow_the_unit() -> None:
    """Rows of one unit are on one side of every split, in any source and language."""
    for row in rows():
        other = replace(row, text="another", source="other", lang="en")
        assert (other.part, other.fold) == (row.part, row.fold)


def test_shift_is_told_and_the_usual_is_usual() -> None:
    """Held-out texts of known kinds have even p-values; another language has small ones."""
    ends = ("again today", "as ever", "of course", "como sempre", "sem dúvida")
    many = [
        replace(r, text=f"{r.text}, {end}", unit=f"{r.unit}{end}") for r in rows() for end in ends
    ]
    shift = fit_shift(many)
    usual = shift.p([r.text for r in many if r.part == "locked"])
    strange = shift.p(["zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich"] * 3)

    assert 0.35 < usual.mean() < 0.65
    assert strange.max() < 0.05


def test_the_embedded_detector_knows_its_own_kind() -> None:
    """A plain sentence is usual; noise and another script are not, one by one and as a stream."""
    shift = Shift.embedded()
    plain = shift.p(["How do I make a good cup of coffee?", "Que dia bonito para passear."])
    noise = ["qzx vkj wqp zzk jjq xvw", "これは日本語の文章です。天気がいいですね。", "ϡϟϞ ϗϖϕ ϔϓϒ"]

    assert plain.min() > 0.05
    assert shift.p(noise).max() < 0.05
    assert shift.evidence(noise).min() > 1


def test_heads_fitted_at_the_same_time_are_the_same(
    fitted: tuple[TextHarm, np.ndarray], tmp_path: Path
) -> None:
    """Two processes give the bytes and the held-out scores that one gives."""
    again, held = fit_text_harm(rows(), PLANS, seed=3, card={"made": True}, jobs=2)

    assert again.save(tmp_path / "a") == fitted[0].save(tmp_path / "b")
    assert np.array_equal(held, fitted[1], equal_nan=True)


def test_a_word_that_no_row_holds_is_read_by_the_words_it_is_like() -> None:
    """With vectors a new word is harmful beside harmful ones; turned round, it is not."""
    new = "zzqx"

    def chance(like: str) -> float:
        """What is made of the new word if it stands where the words of one kind do."""
        bad, good = WORDS["en"][0] + WORDS["pt"][0], WORDS["en"][1] + WORDS["pt"][1]
        words = [*bad, *good, new]
        side = [1.0] * len(bad) + [-1.0] * len(good) + [1.0 if like == "bad" else -1.0]
        made = csr_matrix(
            (side, (word_columns(words), np.zeros(len(words), int))), shape=(BUCKETS, 1)
        )
        plans = [replace(PLANS[0], shared=5.0), PLANS[1]]
        harm, _ = fit_text_harm(rows(), plans, seed=3, card={}, vectors=made)
        return harm.read([f"you are a {new} person"])[0]["abuse"]

    assert chance("bad") > 0.5 > chance("good")
