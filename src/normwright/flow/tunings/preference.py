"""Settings of `prefer`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from normwright.flow.setting import Count, Positive, Settings
from normwright.flow.tunings.tuning import Tuning, all_read


class Robust(Settings):
    """How weights of groups follow how badly each group is served; of the method `robust` alone."""

    rate: Positive = 0.1
    """What a nat of excess loss moves the logarithm of a group's weight by, each step."""
    memory: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Share of a group's running loss that a step keeps."""
    floor: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Least weight of a group; all weights sum to 1."""
    cap: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Weight up to which a group can be raised above its share, however badly it is served."""
    least: Count = 20
    """Fewest rows of a group whose weight moves; smaller groups keep their share."""
    regret: bool = True
    """Compare losses above what a group's own disagreement makes unavoidable."""


class Preference(Tuning):
    """Preference optimisation on the shares of people who prefer each answer."""

    method: Literal[
        "soft", "ipo", "soft-copeland", "kemeny", "robust", "modpo", "listwise", "kto"
    ] = "soft"
    """How preferences add up: the votes' maximum likelihood (`soft`), Borda's count (`ipo`),
    majorities (`soft-copeland`, `kemeny`), the worst-served group (`robust`), fixed rewards beside
    the pairs (`modpo`), scores of several candidates (`listwise`), or single choices (`kto`)."""
    beta: Positive = 0.1
    """How strongly the model is held to the one it starts from."""
    lr: Positive = 1e-4
    """Learning rate at its peak."""
    epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Times through the pairs."""
    sft_anchor: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the likelihood of demonstrations that no norm speaks against."""
    majority_anchor: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the likelihood of the answer a majority prefers, scaled by its margin."""
    gamma: Annotated[float, Field(ge=0, le=1)] = 0.0
    """A row counts by its weight times its number of votes to this power: 1 gives the likelihood of
    single votes, 0 counts questions alike."""
    length_guard: Annotated[float, Field(ge=0)] = 0.0
    """Price of a token of an answer, in units of reward."""
    displacement_guard: Annotated[float, Field(ge=0)] = 0.0
    """How much a margin falls for each nat that the side's own answer has lost."""
    near_duplicates: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the pairs left out, those whose answers are nearest to each other in the model."""
    sharpness: Positive = 20.0
    """How far `soft-copeland` moves shares to their majority's side."""
    width: Positive = 0.1
    """Width of `kemeny`'s step from right to wrong order, in units of the margin."""
    own_weight: Positive = 1.0
    """What the pairs weigh beside the fixed rewards of `modpo`."""
    auxiliary: dict[str, float] = {}
    """Fixed rewards of `modpo`: directories of reward models, and what each weighs."""
    proportional: bool = False
    """`listwise` matches scores with the policy itself in the place of its ratio to the reference,
    so that answers come in proportion to them."""
    robust: Robust = Robust()
    """How weights of groups move in the method `robust`."""
    checked_prompts: Count = 16
    """Prompts that are answered before and after, to see behaviour beside likelihood."""

    @model_validator(mode="after")
    def _none_is_ignored(self) -> Preference:
        """Refuse settings that the method would not read."""
        readers = {
            "sharpness": ("soft-copeland",),
            "width": ("kemeny",),
            "own_weight": ("modpo",),
            "auxiliary": ("modpo",),
            "proportional": ("listwise",),
            "robust": ("robust",),
        }
        return all_read(self, readers, self.method)
