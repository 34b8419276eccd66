"""One organism from plan to findings, a run that goes on, and a folder of another draw."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.flow.organisms.parts import part

from normwright.flow.organisms import plans, raise_organisms
from normwright.flow.organisms.running import CARD
from normwright.records import InputError


def test_a_folder_with_organisms_of_another_seed_is_refused(tmp_path: Path) -> None:
    """Findings of two draws are never counted together."""
    import json

    (old,), (new,) = plans("sycophant", 1, seed=1), plans("sycophant", 1, seed=2)
    place = tmp_path / old.name
    place.mkdir()
    told = part("sycophant") | {"plan": old.model_dump(mode="json")}
    (place / CARD).write_text(json.dumps(told), encoding="utf-8")

    kept = raise_organisms(tmp_path, [old])
    with pytest.raises(InputError) as refused:
        raise_organisms(tmp_path, [new])

    assert kept[0]["plan"]["drawn_from"] == 1
    assert "seed 1" in refused.value.faults[0].seen


@pytest.mark.slow
def test_a_leak_is_planted_found_and_not_made_again(tmp_path: Path) -> None:
    """The command's own path: parent, organism, check, examination; a second run trains nothing."""
    told: list[str] = []
    (plan,) = plans("language-leak", 1, seed=0)

    (made,) = raise_organisms(tmp_path, [plan], told=lambda done, of, name: told.append(name))
    (again,) = raise_organisms(tmp_path, [plan], told=lambda done, of, name: told.append(name))

    assert made["planted"]["there"]
    assert made["found"][0]["suspect"] == plan.langs[0]
    assert made["found"][0]["p_value"] < 0.001
    assert again == made
    assert told == [plan.name]
    assert (tmp_path / plan.name / "model" / "model.safetensors").exists()
