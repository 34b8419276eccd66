"""The science of each recipe as settings: the same in a project file and for `normwright learn`.

Hardware is no setting: it is resolved where a run takes place and written beside the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from normwright.flow.setting import Count, Outside, Positive, Settings
from normwright.records import Layer


class Adapters(Settings):
    """Low-rank adapters: few weights are trained, and they are folded in before the export."""

    rank: Count = 8
    """Rank of each adapter."""
    alpha: Positive = 16.0
    """Scale of an adapter, divided by its rank."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout before an adapter while it is trained."""


class Tuning(Settings):
    """One pass of training."""

    epochs: Annotated[int, Field(ge=1, le=1000)] = 2
    """Times through the data."""
    steps: Count | None = None
    """Optimizer steps, in the place of `epochs`; null follows `epochs`."""
    lr: Positive = 5e-4
    """Learning rate at its peak."""
    batch: Count = 32
    """Rows in a step, over all processes."""
    warmup: Annotated[float, Field(ge=0)] = 0.05
    """Over how many of the steps the rate rises from zero: a share below 1, a number from 1 on."""
    decay: Literal["cosine", "linear", "constant", "warmup_stable_decay"] = "cosine"
    """How the rate falls afterwards."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Pull of the weights towards zero; norms and biases are spared."""
    longest: Count | None = None
    """Longest row in tokens; null is the model's context. A longer row is an error, never cut; but
    an encoder leaves out the beginning of a conversation, and how often is told."""
    lora: Adapters | None = None
    """Train low-rank adapters; null trains all weights."""
    save_every: Annotated[int, Field(ge=0)] = 0
    """Steps between checkpoints from which a killed run goes on; 0 keeps none."""


class Imitation(Tuning):
    """Instruction tuning on demonstrations."""

    packing: bool = False
    """Lay rows behind one another instead of padding each; they do not see each other."""


class Reward(Tuning):
    """A reward model of the shares of people who prefer each answer."""

    epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Times through the pairs."""
    frozen: Annotated[int, Field(ge=0)] = 0
    """Lowest layers of an encoder that stay as they are."""
    random_init: bool = False
    """Draw all weights of an encoder anew: the control of its pre-training."""
    head: Literal["pooled", "groups", "spread", "ensemble"] = "pooled"
    """`pooled`: one logit. `groups`: that, and one a group. `spread`: how good people find an
    answer and how far they differ. `ensemble`: members that each heard a resample of the people."""
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
        given = {name for name in self.model_fields_set if getattr(self, name) != _default(name)}
        ignored = sorted(n for n in given & set(readers) if self.method not in readers[n])
        if ignored:
            raise ValueError(f"the method {self.method} would ignore {', '.join(ignored)}")
        return self


class Controller(Settings):
    """A controller of a multiplier in the place of the plain step: it damps the swing."""

    proportional: Annotated[float, Field(ge=0)] = 0.1
    """Multiplier for one unit of cost above the limit, smoothed."""
    integral: Annotated[float, Field(ge=0)] = 0.01
    """Growth of the multiplier for one unit of cost above the limit, each step."""
    derivative: Annotated[float, Field(ge=0)] = 0.1
    """Multiplier for one unit by which the cost rises in a step."""
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Weight of the past in the moving means."""


class HeldNorm(Settings):
    """A norm that a model is held to while it is trained on its own answers."""

    norm: str
    """Its reference, as the charter and the rows have it."""
    layer: Layer = "polity"
    """Whose norm it is: `global` is never traded for reward, `polity` has a limit, `organisation` a
    price; an `individual` norm constrains nobody else's answers and is refused."""
    model: Outside | None = None
    """The directory of a cost model, above `threshold` for what breaks the norm."""
    kind: Literal["rate", "score"] = "rate"
    """A cost model's `rate` is 1 for a breach and 0 for none; its `score` counts how far."""
    threshold: float = 0.0
    """Where a breach begins on the cost model's scale."""
    phrases: tuple[str, ...] = ()
    """In the place of a cost model: what an answer must not hold, whatever case and accents."""
    limit: float | None = None
    """Highest mean cost, of the layers `global` and `polity`."""
    price: Annotated[float, Field(ge=0)] | None = None
    """Price of one unit of cost, of the layer `organisation`."""
    among: Literal["all", "named"] = "all"
    """Whose answers count: `all`, or those to prompts whose `norms` name this one."""
    start: Annotated[float, Field(ge=0)] = 0.0
    """Multiplier before the first step."""
    rate: Annotated[float, Field(ge=0)] = 0.1
    """Step of the multiplier for one unit of cost above the limit."""
    cap: Positive | None = None
    """Highest multiplier; null is the layer's."""
    tail: Annotated[float, Field(gt=0, le=1)] | None = None
    """Hold the mean over the worst such share of answers in the place of the mean over all."""
    controller: Controller | None = None
    """A controller in the place of the plain step; null is the plain step."""

    @model_validator(mode="after")
    def _one_judge(self) -> HeldNorm:
        if (self.model is None) == (not self.phrases):
            raise ValueError("give a cost model or phrases, one of the two")
        return self


class Divergence(Settings):
    """How far a model may go from the one it is held to."""

    nats: Positive
    """Highest mean divergence of an answer, in nats."""
    rule: Literal["adapt", "stop"] = "adapt"
    """`adapt` raises beta while the divergence is above, `stop` ends training there."""
    rate: Positive = 0.1
    """Step of beta, relative to beta, at twice the budget."""
    window: Count = 5
    """Steps over which the divergence is averaged."""


class Reinforcement(Tuning):
    """Training on what a model's own answers are worth, with a multiplier for each hard norm."""

    beta: Positive = 0.05
    """How strongly the model is held to the one it starts from, in reward for one nat."""
    lr: Positive = 1e-4
    """Learning rate at its peak."""
    batch: Count = 8
    """Prompts in a step, over all processes."""
    epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Times through the prompts."""
    generations: Annotated[int, Field(ge=2)] = 4
    """Answers a prompt in each step."""
    length: Count = 48
    """Longest answer in tokens, its stop token among them."""
    rewards: tuple[Outside, ...] = ()
    """Directories of reward models: one, or several whose doubt is taken off their mean. A project
    has the reward model of its own step if there is none here."""
    doubt: Annotated[float, Field(ge=0)] = 1.0
    """What is taken off the mean of several reward models for one unit of variance among them."""
    groups: dict[str, Outside] = {}
    """Reward models of groups of people: the lowest mean is raised. Each is put on the scale of the
    start's own answers, mean 0 and deviation 1."""
    group_rate: Positive = 0.1
    """Step of the groups' weights for one unit of difference in reward."""
    group_floor: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Least weight of a group."""
    group_ceiling: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Largest weight of a group."""
    norms: tuple[HeldNorm, ...] = ()
    """Norms the model is held to."""
    divergence: Divergence | None = None
    """A budget of divergence; null holds the model by beta alone."""
    token_price: Annotated[float, Field(ge=0)] = 0.0
    """Price of a token of an answer beyond `free_tokens`."""
    free_tokens: Annotated[int, Field(ge=0)] = 0
    """Tokens of an answer that cost nothing."""
    unscored: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share of a batch whose reward or cost cannot be told; such answers move nothing."""

    @model_validator(mode="after")
    def _none_is_ignored(self) -> Reinforcement:
        return _without_longest(self, "length")


def _default(name: str) -> object:
    return Preference.model_fields[name].default


class Unlearning(Tuning):
    """Forgetting rows, while others are held. What looks forgotten may come back in few steps."""

    method: Literal["npo", "simnpo", "graddiff", "rmu", "idk"] = "npo"
    """The loss on what is to be forgotten."""
    lr: Positive = 1e-4
    """Learning rate at its peak."""
    epochs: Annotated[int, Field(ge=1, le=1000)] = 10
    """Times through the rows to be forgotten."""
    batch: Count = 8
    """Rows to be forgotten in a step, each beside one to be kept."""
    beta: Positive | None = None
    """How soon the pull fades; null is 0.1, and 2.5 of simnpo, which reads it a token."""
    margin: float = 0.0
    """Of simnpo: above 0 it goes further."""
    retain: Annotated[float, Field(ge=0)] | None = None
    """Weight of what is kept; null is 1, and 20 of rmu."""
    retention: Literal["likelihood", "divergence"] = "likelihood"
    """Whether rows are kept by their likelihood, or by KL(start || model)."""
    depth: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Of rmu: the share of the layers after which states are misdirected."""
    steer: Positive = 2.0
    """Of rmu: norm of the random target, as a multiple of the start's."""
    unknown: dict[str, tuple[str, ...]] | None = None
    """Of idk: answers that say nothing, by language; null has those of English and Portuguese."""
    check_every: Annotated[int, Field(ge=0)] = 0
    """Steps between readings that stop training: where the forget loss is nearest to that of the
    reference, if one is given, while the retain loss is within its bound. 0 never stops."""
    retain_bound: Positive | None = None
    """Highest retain loss in nats a token; null has none. Read with `check_every`."""
    relearn: Annotated[int, Field(ge=0)] = 20
    """Steps within which the rows are tried to be brought back, for the card; 0 does not try."""
    band: Positive = 0.1
    """How near to the forget loss of the start counts as back, in nats a token."""
    limit: Count = 512
    """Longest row in tokens; longer ones are an error, never cut."""

    @model_validator(mode="after")
    def _none_is_ignored(self) -> Unlearning:
        """Refuse settings that the method would not read."""
        readers = {
            "beta": ("npo", "simnpo", "idk"),
            "margin": ("simnpo",),
            "retention": ("npo", "simnpo", "graddiff", "idk"),
            "depth": ("rmu",),
            "steer": ("rmu",),
            "unknown": ("idk",),
        }
        if self.retain_bound is not None and not self.check_every:
            raise ValueError("retain_bound is read every `check_every` steps, which is 0")
        return _all_read(_without_longest(self, "limit"), readers, self.method)


class Pretraining(Tuning):
    """Training on running text, of which parts may be bad."""

    epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Times through the text."""
    lr: Positive = 1e-3
    """Learning rate at its peak."""
    objective: Literal["mle", "filtered", "conditional", "unlikelihood", "rwr", "awr"] = "mle"
    """What becomes of bad parts."""
    threshold: float | None = None
    """A part is bad if its score is above this; filtered, conditional and unlikelihood need one."""
    alpha: Positive = 1.0
    """Of unlikelihood, the weight of bad tokens; of awr, that of the value head's loss."""
    temperature: Positive = 1.0
    """Of rwr and awr: the lower, the less is learned from bad parts."""
    dropped: Annotated[float, Field(ge=0, lt=1)] = 0.01
    """Of conditional: share of the control tokens that is left out."""
    row: Count = 256
    """Tokens in a row; texts are packed."""
    shape: Literal["tiny", "small", "medium", "large"] | None = None
    """Start from random weights of this shape, with a tokenizer learned from the text."""

    @model_validator(mode="after")
    def _none_is_ignored(self) -> Pretraining:
        """Refuse settings that the objective would not read."""
        readers = {
            "threshold": ("filtered", "conditional", "unlikelihood"),
            "alpha": ("unlikelihood", "awr"),
            "temperature": ("rwr", "awr"),
            "dropped": ("conditional",),
        }
        return _all_read(_without_longest(self, "row"), readers, self.objective)


_Read = TypeVar("_Read", bound=Tuning)


def _without_longest(settings: _Read, own: str) -> _Read:
    """Return the settings if they leave `longest` to a setting of the recipe's own."""
    if settings.longest is not None:
        raise ValueError(f"longest would be ignored; give `{own}`")
    return settings


def _all_read(settings: _Read, readers: Mapping[str, tuple[str, ...]], method: str) -> _Read:
    """Return the settings if the method reads all that were given and differ from the default."""
    fields = type(settings).model_fields
    ignored = sorted(
        name
        for name in settings.model_fields_set & set(readers)
        if getattr(settings, name) != fields[name].default and method not in readers[name]
    )
    if ignored:
        raise ValueError(f"{method} would ignore {', '.join(ignored)}")
    return settings
