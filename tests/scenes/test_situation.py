"""What the charter is asked about a scene."""

from __future__ import annotations

from tests.evaluate.town import scene

from normwright.norms import NULL_ACT
from normwright.scenes import situation_of


def test_a_scene_asks_about_its_act_its_facts_and_nothing_else() -> None:
    """Act and facts are the scene's; what can be done instead is the same in every scene."""
    private, public = scene(), scene(facts={"data_public": True})

    assert situation_of(private).act == private.act
    assert situation_of(public).facts == {"data_public": True}
    assert situation_of(private).feasible == situation_of(public).feasible
    assert NULL_ACT in situation_of(private).feasible
