"""Situations with words: concrete requests, with exact answers, expanded from data files by seed.

Training, guard, evaluation and attack all need concrete requests whose right answer can be checked,
and stages never import one another. So the engine is a room of its own, pure and low; the families
it expands are data that belongs to a project.
"""

from normwright.scenes.bank import Bank, Family, load_bank
from normwright.scenes.draw import dialogues, draw
from normwright.scenes.situation import situation_of
from normwright.scenes.transcript import parse_conversation, parse_transcript

__all__ = [
    "Bank",
    "Family",
    "dialogues",
    "draw",
    "load_bank",
    "parse_conversation",
    "parse_transcript",
    "situation_of",
]
