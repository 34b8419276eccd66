"""Findings without what was trained on, two runs compared, items needed, attacks that go on."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from tests.evaluate.detectors.desk import model
from tests.flow.organisms.test_gate import FAULTS, battery

from normwright.flow.organisms.again import ALPHA, differing, otherwise
from normwright.flow.organisms.needing import needed
from normwright.flow.organisms.running import as_json
from normwright.flow.organisms.trained import contaminated_items, training_texts, without
from normwright.records import InputError
from normwright.stats import tost_paired


def pair(first: list[float], second: list[float], *, detector: str = "proxy-gap") -> dict[str, Any]:
    """A finding on items of one cell."""
    names = [f"privacy.phone/plant/0/{i}/private/en" for i in range(len(first))]
    return {
        "detector": detector, "metric": "m", "margin": 0.05, "units": {},
        "slices": {"a": dict(zip(names, first, strict=True)),
                   "b": dict(zip(names, second, strict=True))},
    }  # fmt: skip


@pytest.mark.parametrize("kind", [None, *FAULTS])
def test_findings_without_nothing_are_the_findings(kind: str | None) -> None:
    """Gaps, p-values and equivalence come out as the detectors have them, on every fault."""
    found = [as_json(one) for one in battery(model(FAULTS[kind]) if kind else model())[:5]]

    for one, again in zip(found, without(found, ()), strict=True):
        assert again == one | {"p_value": pytest.approx(one["p_value"])}


def test_a_fault_that_only_contaminated_items_show_is_none_any_more() -> None:
    """All failures stand in training rows: the gap is gone, and n says how many are left."""
    (found,) = without([pair([1.0] * 30 + [0.0] * 90, [0.0] * 120)],
                       [f"privacy.phone/plant/0/{i}/private/en" for i in range(30)])  # fmt: skip

    assert (found["gap"]["value"], found["gap"]["n"]) == (0.0, 90)
    assert found["p_value"] > 0.5
    assert found["equivalent"]


def test_an_item_that_is_none_of_the_draw_is_an_error() -> None:
    """Nothing that cannot be looked for counts as not found."""
    with pytest.raises(ValueError, match="none of the draw"):
        contaminated_items(["privacy.phone/plant/9/9999/private/en"], [("row", "text")], seed=0)


def test_either_language_of_a_request_gives_it_away() -> None:
    """Requests of parity stand for both; other draws of the same wording are other items."""
    from normwright.flow.organisms.nursery import held

    scene = next(s for s in held(3, 16).forbidden if s.lang == "pt")
    stem = scene.id.removesuffix("/pt")
    rows = [("row", "Olá! " + scene.messages[-1].content.upper() + " Obrigada.")]

    found = contaminated_items([stem, scene.id, f"{stem}/en"], rows, seed=3)
    assert set(found.found) == {stem, scene.id}
    assert contaminated_items([stem, scene.id], rows, seed=4).found == {}


def test_every_side_of_a_row_is_looked_at(tmp_path: Path) -> None:
    """Prompts turn by turn, answers that were learned from and against; parallel and plain text."""
    file = tmp_path / "rows.jsonl"
    file.write_text(
        '{"prompt": [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}], '
        '"chosen": "c", "rejected": "d"}\n'
    )

    assert {text for _, text in training_texts([file])} == {"a\nb", "a", "b", "c", "d"}
    file.write_text('{"prompt": "", "completion": ""}\n')
    with pytest.raises(InputError):
        training_texts([file])


def test_the_same_run_twice_agrees_and_one_changed_answer_is_counted() -> None:
    """Item by item; and what was not asked twice is refused."""
    first, other = pair([0.0] * 50, [1.0] * 50), pair([0.0] * 49 + [1.0], [1.0] * 50)

    assert otherwise([first], [first]) == (0, 100)
    assert otherwise([first], [other]) == (1, 100)
    with pytest.raises(ValueError, match="same items"):
        otherwise([first], [pair([0.0], [1.0])])


def test_two_draws_of_one_rate_rarely_differ_and_other_rates_do() -> None:
    """In 2,000 pairs of equal draws no more than the error that is allowed; a gap is found."""
    rng = random.Random(5)

    def draw(rate: float) -> list[float]:
        return [float(rng.random() < rate) for _ in range(20)]

    apart = [differing([pair(draw(r), draw(r))], [pair(draw(r), draw(r))])
             for r in (0.1, 0.5) for _ in range(500)]  # fmt: skip
    assert all(n == 2 for _, n in apart)
    assert sum(k for k, _ in apart) / 2000 <= ALPHA
    assert differing([pair([0.0] * 20, [0.0] * 20)], [pair([1.0] * 20, [0.0] * 20)]) == (1, 2)


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (2, 0), (1, 1), (3, 2)])
def test_the_items_that_are_said_to_be_needed_would_do(wins: int, losses: int) -> None:
    """At the same rates, on so many items, a gate passes; on the eighty there are it does not."""
    n = 40 if wins + losses == 0 else 80
    rest = n - wins - losses
    one = pair([1.0] * wins + [0.0] * (losses + rest), [0.0] * wins + [1.0] * losses + [0.0] * rest)
    said = needed([one])
    if tost_paired(wins, losses, n, margin=0.05).shown:
        assert said == {}
        return
    items = said["proxy-gap"]

    assert items is not None
    assert items > n
    scale = items / n
    assert tost_paired(
        round(wins * scale), round(losses * scale), int(1.1 * items), margin=0.05
    ).shown


def test_a_gap_beyond_the_margin_needs_no_more_items() -> None:
    """More of them would not make it none."""
    assert needed([pair([1.0] * 20 + [0.0] * 60, [0.0] * 80)]) == {"proxy-gap": None}
