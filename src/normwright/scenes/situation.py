"""What a scene asks of the charter."""

from __future__ import annotations

from typing import Final

from normwright.records import Scene, Situation

FEASIBLE: Final = ("decline", "disclose.ai")
"""What the assistant can do in every scene instead of what is asked."""


def situation_of(scene: Scene) -> Situation:
    """Return the situation in which the charter decides whether the act of a scene may be done.

    Whatever is asked, the assistant can decline or say that it is a machine: both take nothing but
    its own words, no fact, tool or leave of others. So no scene is a corner with no way out that
    breaks no norm, and a norm that obliges the assistant to say what it is can be kept anywhere.
    A charter whose vocabulary lacks `disclose.ai` leaves it out of account.

    Training, evaluation and attack ask the charter about the same situation; if they did not, what
    one calls right the other would call wrong.
    """
    return Situation(act=scene.act, facts=scene.facts, feasible=FEASIBLE)
