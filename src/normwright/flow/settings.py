"""The one file a person edits, `normwright.yaml`, as typed settings."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from normwright.flow.setting import (
    Count,
    Directory,
    File,
    FileOrDirectory,
    Outside,
    Settings,
    Slug,
)
from normwright.flow.tunings import Imitation, Preference, Reinforcement, Reward
from normwright.models.endpoint import RemoteSettings
from normwright.records import Deployment, Lang, Text
from normwright.records.schemas import schema_of

FILE = "normwright.yaml"
"""The name of the project file."""

SCHEMA = "normwright.schema.json"
"""The name of its JSON Schema, which lies beside it for editors."""


class Labels(Settings):
    """Texts that people labelled: what the guard's reader of one norm learns from."""

    norm: Slug
    """Id of the norm whose breach a `yes` marks."""
    files: tuple[FileOrDirectory, ...] = Field(min_length=1)
    """JSON lines with `text`, `yes`, `no`, `lang`, `source`, `licence`, `cluster`."""
    per_source: Count | None = None
    """Texts taken of each source and language, drawn by seed; null takes all."""
    unseen: tuple[str, ...] = ()
    """Sources that are only measured on and never learned from."""


class EarlierReading(Settings):
    """A vote on the same norms before the one that `consultation` holds."""

    consultation: Directory
    """The consultation, or an export of one; a process with an id of its own."""
    held_on: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """The day on which that vote ended."""


class Sources(Settings):
    """Where the project's own files lie, relative to the project directory.

    A part that is not there is null or an empty list; what rests on it is then not done.
    """

    consultation: Directory | None = "consultation"
    """The consultation, or an export of one; null if nobody was asked."""
    readings: tuple[EarlierReading, ...] = ()
    """Earlier votes on the same norms. `consultation` is the last, held on `charter_date`."""
    norms: Directory | None = "norms"
    """The drafted norms with the vocabulary of acts and facts; null if there are none yet."""
    scenes: tuple[FileOrDirectory, ...] = ("scenes",)
    """Family banks of scenes: files, or directories of them."""
    demonstrations: tuple[FileOrDirectory, ...] = ()
    """Instructions with answers: JSON lines with `instruction`, `response`, `lang`."""
    pairs: tuple[FileOrDirectory, ...] = ()
    """Two answers to a prompt between which people chose, in a form an importer reads."""
    labels: Labels | None = None
    """Texts that people labelled as breaching a norm or not."""


class StoreSettings(Settings):
    """Where records, results and ballots are kept; objects always lie in the project."""

    url: str | None = None
    """A PostgreSQL database, never with its password; null is a SQLite file in the project."""


TargetRule: TypeAlias = Literal[
    "pooled", "majority", "maximal-lottery", "population-proportional", "maxmin"
]
"""Rules that give one target a pair of answers."""


class Method(Settings):
    """How ballots become outcomes."""

    ranking: Slug = "schulze"
    """The ranking method that counts; the others are reported beside it."""
    targets: TargetRule = "pooled"
    """How comparisons become what a model learns: `pooled` (everybody in one pool, which is Borda's
    count), `majority`, `maximal-lottery`, `population-proportional`, or `maxmin` over opinion
    groups. The outcome says how far the others differ."""
    bootstrap: Count = 200
    """Resamples behind each interval."""


class Scratch(Settings):
    """The shape of a small model that is made on the spot, for micro projects and controls."""

    hidden: Count = 64
    """Width."""
    layers: Count = 2
    """Number of layers."""
    heads: Count = 2
    """Attention heads; they divide the width."""
    vocab: Annotated[int, Field(ge=257)] = 512
    """Size of the byte-level vocabulary."""
    context: Annotated[int, Field(ge=16)] = 256
    """Longest input in tokens."""


class ModelSettings(Settings):
    """The base language model."""

    kind: Literal["embedded", "local", "scratch", "remote"] = "embedded"
    """The one that ships, one in a local directory, a small one made on the spot, or one behind an
    API, which is measured and not trained."""
    path: Outside | None = None
    """For `local`: the directory of a Hugging Face model with safetensors and a tokenizer."""
    scratch: Scratch = Scratch()
    """For `scratch`: its shape."""
    remote: RemoteSettings | None = None
    """For `remote`: where it is and how far one may go in asking it."""


class Learn(Settings):
    """What is learned from, and how."""

    unpermitted: bool = False
    """Train without a permit. What is trained is marked, and no release mode is open to it."""
    demonstrations: Count = 2000
    """Demonstrations to draw."""
    plain: Annotated[float, Field(ge=0, le=1)] = 0.4
    """Share of the demonstrations that answer requests no norm speaks about."""
    pairs: Count = 1000
    """Preference pairs to draw."""
    instructions: Count | None = 1000
    """Rows of `sources.demonstrations` to learn from, drawn by seed; null takes all."""
    judged: Count | None = 1000
    """Pairs of `sources.pairs` to learn from, drawn by seed; null takes all."""
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the prompts of `sources.pairs` that are measured on and never learned from."""
    longest: Count = 384
    """Longest row of `sources.demonstrations` and `sources.pairs` in tokens; others stay out."""
    obliging: Annotated[float, Field(ge=0, le=1)] = 0.75
    """How often the raw demonstrations do what the charter does not allow, before curation."""
    spared_weight: Annotated[float, Field(gt=0, le=1)] = 1.0
    """What a pair on a request the norm spares weighs, against one the norm speaks against."""
    sft: Imitation | None = Imitation()
    """Instruction tuning; null takes the base model as it is, for one that is tuned already."""
    reward: Reward = Reward()
    """The reward model."""
    prefer: Preference = Preference()
    """Preference optimisation."""
    reinforce: Reinforcement | None = None
    """Training of the tuned model on what its own answers to the pairs' prompts are worth, under
    norms with limits; null leaves it out. It makes a model of its own, `out/reinforced`."""


class Guard(Settings):
    """How a running model is kept inside the policy."""

    facts: File = "guard.yaml"
    """The rules by which facts are read from a conversation."""
    per_template: Count = 6
    """Scenes drawn from each wording to fit the classifier."""
    best_of: Count = 4
    """Answers drawn, of which the best that the policy lets through is given."""


class Evaluate(Settings):
    """How much is measured."""

    split: Literal["test", "dev"] = "test"
    """Whose wordings are asked: `dev` is for choosing between recipes; no release rests on it."""
    per_template: Count = 2
    """Scenes drawn from each wording."""
    help: Count = 300
    """Exactly checkable requests that no norm speaks about, per language, at most."""
    probes: Count = 300
    """Scenes that norms were written about, per language, at most."""
    judge: RemoteSettings | None = None
    """A model behind an API that judges; null has the built-in judge."""
    judge_per_template: Count = 6
    """Scenes drawn from each wording to fit the judge."""
    max_new_tokens: Count = 40
    """Longest answer in tokens."""
    text: Directory | None = None
    """Held-out text for bits per byte, one file a language (`en.txt`), if it is to be measured."""
    contrast_sets: Outside | None = None
    """A directory with real contrast sets (XSTest, HH pairs) to measure beside, if there is one."""
    benchmarks: Directory | None = None
    """A directory with benchmark files (ARC, TruthfulQA, ToxiGen), if they are to be measured."""
    benchmark_items: Count | None = 200
    """Items of each benchmark, drawn by seed; null takes all."""
    held_pairs: Count | None = 400
    """Held-out pairs of each source and language that are measured on; null takes all."""


class Redteam(Settings):
    """How much is attacked."""

    attacks: File = "attacks.yaml"
    """The attacks, as data."""
    per_attack: Count = 10
    """Scenes each attack is tried on, per language."""


class Release(Settings):
    """What is asked for, and what decides."""

    modes: tuple[Literal["internal", "api_guarded", "open_weights"], ...] = Field(
        default=("internal",), min_length=1
    )
    """The release modes asked for; the worst of them decides how a run exits."""
    criteria: File = "criteria.yaml"
    """The conditions of release, written before the evidence."""


class ProjectSettings(Settings):
    """A project from votes to a verdict."""

    spec: Literal["project/v1"] = Field(alias="schema")
    """Which form this file has."""
    id: Slug
    """Short name of the project."""
    title: Text
    """Title in every language of the project."""
    languages: tuple[
        Annotated[Lang, Field(pattern=r"^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*$")], ...
    ] = Field(min_length=1)
    """The languages everything exists in."""
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    """Where all randomness comes from."""
    threads: Count | None = None
    """Threads for training and evaluation; null is all cores. Only 1 repeats to the bit."""
    sources: Sources = Sources()
    """Where the project's own files lie."""
    store: StoreSettings = StoreSettings()
    """Where records, results and ballots are kept."""
    charter_date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """The day the charter is ratified, so that a run on another day gives the same charter."""
    deployment: Deployment = Deployment()
    """The deployment the charter is enacted for: where it lies, who runs it, how it speaks."""
    method: Method = Method()
    """How ballots become outcomes."""
    model: ModelSettings = ModelSettings()
    """The base language model."""
    learn: Learn = Learn()
    """What is learned from, and how."""
    guard: Guard = Guard()
    """How a running model is kept inside the policy."""
    evaluate: Evaluate = Evaluate()
    """How much is measured."""
    controls: tuple[
        Literal["random-init", "canned-refusal", "linear-shortcut", "collapsed"], ...
    ] = ()
    """Models that must not pass, sent through the same gate."""
    redteam: Redteam = Redteam()
    """How much is attacked."""
    release: Release = Release()
    """What is asked for, and what decides."""

    @property
    def learns(self) -> bool:
        """Whether there is anything to learn from."""
        return bool(self.sources.scenes or self.sources.demonstrations or self.sources.pairs)

    @property
    def prefers(self) -> bool:
        """Whether there are preferences to learn."""
        return bool(self.sources.scenes or self.sources.pairs)


def project_schema() -> dict[str, Any]:
    """Return the JSON Schema of the project file, for editors and for the manual."""
    return schema_of(ProjectSettings)
