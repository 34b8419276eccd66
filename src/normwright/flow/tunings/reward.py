"""Settings of `reward`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from normwright.flow.tunings.tuning import Tuning


class Reward(Tuning):
    """A reward model of the shares of people who prefer each answer."""

    epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Times through the pairs."""
    frozen: Annotated[int, Field(ge=0)] | Literal["all"] = 0
    """Lowest layers of an encoder that stay as they are; `all` fits the last layer of its head
    alone, to its optimum."""
    random_init: bool = False
    """Draw all weights of an encoder anew: the control of its pre-training."""
    head: Literal["pooled", "groups", "spread", "ensemble", "process"] = "pooled"
    """`pooled`: one logit. `groups`: that, and one a group. `spread`: how good people find an
    answer and how far they differ. `ensemble`: members that each heard a resample of the people.
    `process`: a Gaussian process over states of an encoder, which this package alone opens."""
    members: Annotated[int, Field(ge=2, le=64)] = 5
    """Of the ensemble alone."""
    likelihood: Literal["shares", "votes", "davidson", "rao-kupper"] = "shares"
    """`shares`: the stated share. `votes`: the votes, a tie as half of one for each side.
    `davidson`, `rao-kupper`: the votes, a tie as an outcome of its own."""
    gamma: Annotated[float, Field(ge=0, le=1)] = 0.0
    """A pair counts by the number of its votes to this power; 1 is the likelihood of the votes."""
    prior: Annotated[float, Field(ge=0)] = 0.0
    """Votes added to every outcome of a pair before its shares are taken."""
    length: bool = False
    """Take out of the score what the lengths of answers alone explain of the choices."""
    garbled: Annotated[float, Field(ge=0, le=1)] = 0.25
    """Answers in disorder that join as the worse side, as a share of the pairs."""
