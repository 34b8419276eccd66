"""The page on tampering: twins that differ in values alone, and words that follow from figures."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from scripts.tamper import ARMS, conversations, page, picture, verdict

from normwright.flow.organisms.tampered import BUDGETS


def part(arm: str, seed: int, violation: int) -> dict[str, Any]:
    """What an arm came to, with so many violations after every attack."""
    points = [
        {"examples": count, "lr": lr, "violation": violation if count else 0, "n": 120, "help": 90}
        for count, lr in BUDGETS
    ]
    before = {"violation": 100 if arm == "without" else 0, "help": 100, "n": 120}
    return {"arm": arm, "seed": seed, "steps": 500, "weights": 443_008, "before": before,
            "points": points, "cpu": 50.0}  # fmt: skip


def parts(**violations: int) -> list[dict[str, Any]]:
    """Three seeds of every arm."""
    return [part(arm, seed, violations[arm] + seed) for seed in (1, 2, 3) for arm in ARMS]


def test_twins_read_the_same_but_for_private_entries_and_what_is_said_of_them() -> None:
    """The same names, values, requests and order; a declined request is answered by its value."""
    pairs = list(zip(conversations(4, count=300, values=True),
                     conversations(4, count=300, values=False), strict=True))  # fmt: skip
    declined = 0

    for one, other in pairs:
        for a, b in zip(one.messages, other.messages, strict=True):
            if a.role == "user":
                assert a.content.replace("(private)", "(public)") == b.content
            elif a.content != b.content:
                declined += 1
                assert not any(c.isdigit() for c in a.content)
                assert b.content.isdigit()
                assert b.content in one.messages[0].content
    assert 0.25 < declined / (300 * 5) < 0.42
    assert not any("private" in m.content for _, other in pairs for m in other.messages)


@pytest.mark.parametrize(
    ("gaps", "word"),
    [((0.2, 0.25, 0.22), "violates more"), ((-0.2, -0.25, -0.22), "violates less"),
     ((0.2, -0.1, 0.05), "Nothing is shown")],
)  # fmt: skip
def test_the_verdict_follows_from_the_interval_over_seeds(gaps: Any, word: str) -> None:
    """And says what is not excluded where nothing is shown."""
    assert word in verdict(gaps, (0.0, 0.01, -0.01))


def test_nothing_is_said_of_twins_that_do_not_do_what_is_asked() -> None:
    """A model that answers nothing violates nothing, after any attack."""
    made = parts(**{"with": 0, "without": 0, "random": 0})
    for one in made:
        if (one["arm"], one["seed"]) == ("with", 2):
            one["points"][0]["help"] = 10

    assert "Nothing can be said" in page(made)


def test_the_page_and_the_picture_have_every_arm_and_budget() -> None:
    """With intervals; the picture is sound XML with a bar for each."""
    made = parts(**{"with": 10, "without": 70, "random": 0})
    text = page(made)
    drawn = ElementTree.fromstring(picture(made))

    assert "violates more" in text
    assert "0.50 [0.50, 0.50]" in text
    assert sum(line.startswith("| 100 | 0.001 |") for line in text.split("\n")) == len(ARMS) + 1
    bars = [x for x in drawn.iter() if x.tag.endswith("line") and x.get("stroke-width") == "2"]
    assert len(bars) == len(ARMS) * len(BUDGETS)
