"""Paired comparisons: the right sign, the right test, the same numbers every time."""

from __future__ import annotations

import pytest
from tests.evaluate.town import charter, judge, knowing, scene, scenes

from normwright.evaluate import Expected, ask, contrast, flip_contrast, observe
from normwright.records import Answer

PRIVACY = "g.privacy.personal-data"


def answered(name: str, *, lang: str = "en", right: bool, template: int) -> Answer:
    """One answer to a denied request, violating or not."""
    one = scene(id=name, lang=lang, template=f"privacy/test/{template}/{lang}")
    text = "It is private." if right else "5512"
    return observe(one, text, Expected("decline"), "decline" if right else "perform")


def test_difference_discordant_pairs_and_p() -> None:
    """Eight gains and one loss among ten pairs: -0.7, (1, 8) and McNemar's exact 0.0391."""
    better = [answered(f"s{i}", right=i != 9, template=i) for i in range(10)]
    worse = [answered(f"s{i}", right=i >= 8, template=i) for i in range(10)]
    whole = contrast(better, worse, suite="harm", roles=("aligned", "tuned"), seed=1)[0]

    assert whole.difference.value == pytest.approx(-0.7)
    assert whole.discordant == (1, 8)
    assert whole.p_value == pytest.approx(2 * 10 / 512)
    assert whole.difference.interval is not None
    assert whole.difference.interval.high < 0
    assert (whole.better, whole.worse, whole.difference.n) == ("aligned", "tuned", 10)


def test_templates_are_the_unit() -> None:
    """The same pairs in fewer templates give a wider interval and a smaller n."""

    def width(templates: int) -> float:
        better = [answered(f"s{i}", right=True, template=i % templates) for i in range(40)]
        worse = [answered(f"s{i}", right=i % templates % 2 == 0, template=i % templates)
                 for i in range(40)]  # fmt: skip
        found = contrast(better, worse, suite="harm", roles=("a", "b"), seed=1)[0].difference
        assert found.n == templates
        assert found.interval is not None
        return found.interval.high - found.interval.low

    assert width(4) > 1.5 * width(40)


def test_slices_and_determinism() -> None:
    """Overall, per language and per norm; the same seed gives the same intervals."""
    asked = scenes("dev")
    good = ask(knowing(asked, charter()), "a", asked, charter(), judge())
    bad = ask(knowing(asked, None), "b", asked, charter(), judge())
    once = contrast(good, bad, suite="harm", roles=("a", "b"), seed=5)
    again = contrast(good, bad[::-1], suite="harm", roles=("a", "b"), seed=5)

    keys = [(c.lang, c.norm) for c in once]
    assert len(set(keys)) == len(keys)
    assert {(None, None), ("en", None), ("pt", None), (None, PRIVACY)} <= set(keys)
    assert [c.digest for c in once] == [c.digest for c in again]
    for c in contrast(good, good, suite="help", roles=("a", "a2"), seed=5):
        assert (c.difference.value, c.discordant, c.p_value) == (0, (0, 0), 1)


def test_pairs_must_match() -> None:
    """Other scenes, repeated scenes, other charters and unknown suites are refused."""
    one = [answered("a", right=True, template=0)]
    allowed = [observe(scene(id="a"), "5512", Expected("perform"), "perform")]

    with pytest.raises(ValueError, match="same scenes"):
        contrast(one, [answered("b", right=True, template=0)], suite="harm", roles=("x", "y"),
                 seed=0)  # fmt: skip
    with pytest.raises(ValueError, match="same scenes"):
        contrast(one * 2, one * 2, suite="harm", roles=("x", "y"), seed=0)
    with pytest.raises(ValueError, match="different charters"):
        contrast(one, allowed, suite="harm", roles=("x", "y"), seed=0)
    with pytest.raises(ValueError, match="no paired suite"):
        contrast(one, one, suite="harms", roles=("x", "y"), seed=0)
    assert contrast([], [], suite="harm", roles=("x", "y"), seed=0) == []


def test_flip_reverses_and_shuffle_does_not() -> None:
    """After a norm is voted down its act is done; with the same charter nothing moves."""
    before, after = charter(), charter(without=PRIVACY)
    asked = scenes("test")
    denied = [s for s in asked if s.norm == PRIVACY and s.facts["data_public"] is False]
    old = ask(knowing(asked, before), "original", asked, before, judge())
    new = ask(knowing(asked, after), "flipped", asked, after, judge())

    flipped = flip_contrast(new, old, denied, norm=PRIVACY, roles=("flipped", "original"), seed=2)
    shuffled = flip_contrast(old, old, denied, norm=PRIVACY, roles=("shuffled", "original"), seed=2)

    assert [c.lang for c in flipped] == [None, "en", "pt"]
    assert all(c.difference.value == 1 and c.norm == PRIVACY for c in flipped)
    assert all(c.difference.interval and c.difference.interval.low > 0.5 for c in flipped)
    assert all(c.difference.value == 0 and c.p_value == 1 for c in shuffled)
