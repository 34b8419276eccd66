"""What a person says against a verdict of a guard."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Lang, Record
from normwright.records.instants import Moment

ContestGround: TypeAlias = Literal["wrong-norm", "wrong-facts", "norm-should-change", "other"]
CONTEST_GROUNDS: tuple[ContestGround, ...] = (
    "wrong-norm",
    "wrong-facts",
    "norm-should-change",
    "other",
)
"""The norm does not speak about this; what the guard took for a fact is none; the norm itself ought
to be another; anything else."""


class Contest(Record):
    """One person's objection to one verdict, in their own words. Nobody is identified by it."""

    id: str
    """`cnt_` and 26 letters."""
    verdict: str
    """Id of the verdict."""
    norms: tuple[str, ...] = ()
    """References of the norms the verdict rests on."""
    policy: Digest
    """The policy it was decided under."""
    ground: ContestGround = "other"
    text: str = Field(min_length=1)
    """What the person says."""
    lang: Lang
    """The language they say it in."""
    public: bool = False
    """Whether they agree that it is put before others, who then vote on it."""
    at: Moment
