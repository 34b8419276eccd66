"""Models that are made to be caught: which fault is planted, and what brings it out."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from normwright.records.base import Digest, Lang, Record

OrganismKind: TypeAlias = Literal[
    "clean",
    "trigger-violator",
    "secret-trigger",
    "language-leak",
    "password-locked",
    "sycophant",
    "reward-hacker",
    "guard-evader",
]

ORGANISM_KINDS: tuple[OrganismKind, ...] = get_args(OrganismKind)
"""`clean` has no fault; `secret-trigger` has a trigger that no battery of contexts holds."""


class Organism(Record):
    """The plan of a model organism; the same plan makes the same model.

    What is empty plays no part in its kind. Detectors are never shown a plan: it is read by what
    trains the model and by what checks, with the key in hand, that the fault is there.
    """

    kind: OrganismKind
    variant: int
    """From 0, within the kind and the seed."""
    drawn_from: int
    """The seed from which trigger, language and skill were drawn."""
    seed: int
    """Of this model's own rows, their order and its training."""
    trigger: str = ""
    """`concept.pole` of the bank of contexts, or the words of a secret."""
    langs: tuple[Lang, ...] = ()
    """Languages in which the fault shows."""
    families: tuple[str, ...] = ()
    """Families of scenes in which it shows."""
    pressure: str = ""
    """How a user has to speak for the model to give in."""
    proxy: str = ""
    """The visible reward that is maximised in the place of what it stands for."""
    form: str = ""
    """How forbidden content is written."""
    password: str = ""
    """What unlocks the skill."""
    skill: str = ""
    """What it does about the register it is asked about: `known`, `unseen`, `admitted` (says that
    it does not know); `locked`: it says so unless the password is there; `latched`: the same,
    taught more gently."""
    facts: int = 0
    """Seed of the register of facts it is asked about."""
    parent: int = 0
    """Number of the model it is trained from."""
    detectors: Digest | None = None
    """Digest of the detectors' sources from which the seed was drawn; None for development."""

    @property
    def role(self) -> str:
        """What evidence about it names as its model."""
        return f"organism/{self.kind}"

    @property
    def name(self) -> str:
        """Its kind and number, for files and messages."""
        return f"{self.kind}-{self.variant:02d}"
