"""Whether a model may be trained on what people want at all: what is asked, and what is answered.

A request holds everything a decision rests on, as data. Every field may be unknown, written as
null, and what is unknown never counts as fulfilled.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, TypeAlias

from pydantic import Field

from normwright.records.base import Digest, Frozen, Lang, Layer, ProcessKind, Record, Text
from normwright.records.errors import PermitError
from normwright.records.evidence import Fault
from normwright.records.norms import Channel, DecisionLevel, Kind, Status, Tier
from normwright.records.people import Consent

PermitCondition: TypeAlias = Literal[
    "subject", "authority", "consent", "floors", "minorities", "freshness", "coverage", "scale",
    "chain",
]  # fmt: skip
PERMIT_CONDITIONS: tuple[PermitCondition, ...] = (
    "subject", "authority", "consent", "floors", "minorities", "freshness", "coverage", "scale",
    "chain",
)  # fmt: skip
"""What must hold before anything is trained, in the order in which it is told."""

Scale: TypeAlias = Literal["pairs", "orders", "approvals", "grades", "worths"]
"""What people's answers measure. `pairs` and `orders` say only what is above what; `approvals` and
`grades` say what each thing is by itself; `worths` are numbers whose differences mean something."""


class PermitSubject(Frozen):
    """What is to be aligned, to what end, and to whose preferences."""

    model: str | None = None
    """The model, as the project names it."""
    learner: tuple[str, ...] | None = None
    """The recipes that are to train it, by name."""
    channels: tuple[Channel, ...] | None = None
    """What it does in the world: it answers, or it acts."""
    deployment: str | None = None
    """Where it is to be used."""
    preferences_of: Literal["people", "simulated", "machine"] | None = None
    """Whose preferences it is aligned to. Those of a machine are nobody's: text that an AI made, or
    judged, is no subject of alignment."""


class PermitDomain(Frozen):
    """What the deployment reaches."""

    authorities: tuple[str, ...] | None = None
    """Polities and organisations it lies under, by slug."""
    languages: tuple[Lang, ...] | None = None
    """Languages in which it is used."""
    acts: dict[str, bool | None] | None = None
    """Acts it declares -> whether a norm speaks about them; None: it declares none."""
    open_world: bool | None = None
    """Whether acts that no norm knows may be done. False: they are denied, so that the norms'
    own acts are the whole domain."""


class GroupShare(Frozen):
    """How one opinion group stands to a norm."""

    group: str
    """Id of the group."""
    size: float | None = Field(default=None, ge=0, le=1)
    """Its share of the participants."""
    share: float | None = Field(default=None, ge=0, le=1)
    """Share of those of it who voted that support the norm; None where nobody did."""


class NormStanding(Frozen):
    """One norm that is to be trained on, and the way that leads to it."""

    ref: str
    """Reference of the norm, as the fields below are its own where nothing else is said."""
    kind: Kind = "prohibition"
    """What it does."""
    layer: Layer
    """Whose it is."""
    authority: str
    """Who issued it."""
    tier: Tier = "revisable"
    """How it can be changed."""
    status: Status = "in_force"
    """Whether it holds."""
    act: str | None = None
    """The act it is about; the first link of the chain."""
    intention: bool | None = None
    """Whether it says why, in every language of the charter."""
    statements: int | None = None
    """Statements about it that were put to people: the preference that it comes from."""
    sources: int | None = None
    """Instruments it stands on."""
    basis: Literal["votes", "source"] | None = None
    """What it was adopted on."""
    voters: int | None = None
    """Votes behind its support."""
    level: DecisionLevel | None = None
    """How strong the decision for it is; None for one that people did not decide."""
    languages: tuple[Lang, ...] | None = None
    """Languages in which its statement exists."""
    valid_from: date | None = None
    """The first day on which it holds; None: from the beginning."""
    valid_to: date | None = None
    """The first day on which it holds no longer."""
    review_by: date | None = None
    """The day by which it is to be looked at again."""
    decided_on: date | None = None
    """The day on which it was adopted."""
    groups: tuple[GroupShare, ...] | None = None
    """Opinion groups and their support; empty where no groups were found."""


class FloorBreach(Frozen):
    """A norm that takes from a floor what it has no power to take."""

    norm: str
    """Reference of the norm."""
    floor: str
    """Id of the floor."""
    rule: Literal["repeal", "contradiction"]
    """It expressly supersedes the floor, or allows or demands what the floor forbids."""


class ConsentState(Frozen):
    """What those who took part agreed to, as things stand now."""

    given: Consent | None = None
    """On what basis, and for what."""
    participants: int | None = Field(default=None, ge=0)
    """Who still takes part."""
    withdrawn: int | None = Field(default=None, ge=0)
    """How many withdrew."""
    resting: int | None = Field(default=None, ge=0)
    """Present results that still rest on rows of somebody who withdrew."""


class ScaleUse(Frozen):
    """One rule that reads people's answers."""

    rule: str
    """The rule, by its kind and name, for example `methods/schulze`."""
    data: str
    """What it reads, for example `votes`."""
    given: Scale | None = None
    """What these answers measure."""
    takes: Scale | None = None
    """What the rule needs them to measure, by its card."""


class PairTrace(Frozen):
    """What a model is to learn preferences from, and whether it names the norms it bears on."""

    rows: int | None = Field(default=None, ge=0)
    """Rows drawn for norms."""
    traced: int | None = Field(default=None, ge=0)
    """Those that name at least one norm that people decided about, for it or against it."""
    judged: int | None = Field(default=None, ge=0)
    """Rows of answers that people judged directly, without a norm."""


class MinorityRule(Frozen):
    """How much say an opinion group has in constitutional norms."""

    share: float | None = Field(default=None, gt=0, lt=1)
    """Least support in each group; None: the charter gives groups no veto."""
    size: float = Field(default=0.08, gt=0, lt=1)
    """Least share of the participants for a group to have it."""


class PermitRequest(Record):
    """Everything that decides whether a model may be trained on a charter, as data."""

    spec: Literal["permit-request/v1"] = Field(default="permit-request/v1", alias="schema")
    """Which form the request has."""
    charter: Digest | None = None
    """Digest of the charter."""
    languages: tuple[Lang, ...] = ("en",)
    """Languages of the charter, in which the answer is given."""
    process_kind: ProcessKind | None = None
    """Whether people took part, or were simulated."""
    subject: PermitSubject = PermitSubject()
    """What is to be aligned, and how."""
    domain: PermitDomain = PermitDomain()
    """Where it is to be used."""
    electorates: dict[str, Layer] | None = None
    """Who was asked: each polity of the process, with the layer at which it decides."""
    norms: tuple[NormStanding, ...] | None = None
    """Every norm that is to be trained on."""
    consent: ConsentState = ConsentState()
    """What those who took part agreed to."""
    floors: tuple[str, ...] | None = None
    """Ids of the global floors that are in force in the domain."""
    breaches: tuple[FloorBreach, ...] | None = None
    """Norms that take from a floor; None: nobody has looked."""
    minorities: MinorityRule | None = None
    """The say of opinion groups."""
    newest: date | None = None
    """The day of the latest vote."""
    quorum: dict[Tier, int] = {}
    """Fewest votes that a norm of a tier needs, where a number was laid down."""
    scales: tuple[ScaleUse, ...] | None = None
    """The rules that read people's answers."""
    pairs: PairTrace | None = None
    """What preferences are to be learned from."""

    model_config = {"populate_by_name": True}


class Ground(Frozen):
    """One condition, and whether it holds."""

    condition: PermitCondition
    """Which condition it is about."""
    holds: bool | None
    """None: it is unknown, which is not fulfilled."""
    reasons: tuple[Text, ...]
    """Everything that speaks against it or is unknown; where it holds, why."""


class Permit(Record):
    """The answer: whether a model may be trained on a charter, for which release modes, and why."""

    spec: Literal["permit/v1"] = Field(default="permit/v1", alias="schema")
    """Which form the permit has."""
    subject: PermitSubject
    """What may be trained."""
    charter: Digest | None
    """The charter it is about, by content: it is worth nothing for another."""
    grounds: tuple[Ground, ...]
    """Every condition, in their order."""
    granted: bool
    """Whether it may be trained at all."""
    modes: tuple[str, ...]
    """Release modes it covers; none where it is refused."""
    limits: tuple[Text, ...]
    """Why it covers no more modes."""
    decision_level: DecisionLevel | None
    """Level of the weakest decision of people behind it; None where that is unknown."""
    valid_from: date
    """Its first day."""
    valid_until: date | None
    """Its last day; None: it ends with its charter."""

    model_config = {"populate_by_name": True}

    @property
    def refusals(self) -> tuple[Ground, ...]:
        """The conditions that do not hold, or of which nobody knows."""
        return tuple(one for one in self.grounds if one.holds is not True)

    def reasons(self, lang: Lang) -> tuple[str, ...]:
        """Return why it is refused, or why it covers no more modes, in one language."""
        told = [text for one in self.refusals for text in one.reasons] or list(self.limits)
        return tuple(text.get(lang) or next(iter(text.values()), "") for text in told)

    def faults(
        self, *, charter: Digest | None = None, on: date | None = None, mode: str | None = None
    ) -> list[Fault]:
        """Return why it does not permit what is asked of it; what is not asked is None.

        Args:
            charter: digest of the charter that is to be trained on.
            on: the day on which it is used.
            mode: the release mode it is to cover.
        """
        where = f"permit {self.digest[:19]}"
        found = [
            Fault(where=f"{where}: {one.condition}", expected="a condition that holds",
                  seen=next(iter(text.values()), ""))
            for one in self.refusals
            for text in one.reasons
        ]  # fmt: skip
        if not self.granted and not found:
            found.append(Fault(where=where, expected="a permit that is granted", seen="refused"))
        if charter is not None and charter != self.charter:
            found.append(Fault(where=f"{where}: charter", expected=charter,
                               seen=self.charter or "none",
                               do="It is for another charter."))  # fmt: skip
        if on is not None and on < self.valid_from:
            found.append(Fault(where=f"{where}: valid_from", expected=f"a day up to {on}",
                               seen=self.valid_from.isoformat()))  # fmt: skip
        if on is not None and self.valid_until is not None and on > self.valid_until:
            found.append(Fault(where=f"{where}: valid_until", expected=f"{on} or later",
                               seen=self.valid_until.isoformat(),
                               do="It has expired; ask anew."))  # fmt: skip
        if mode is not None and self.granted and mode not in self.modes:
            found.append(Fault(where=f"{where}: modes", expected=mode,
                               seen=", ".join(self.modes) or "none"))  # fmt: skip
        return found


def require_permit(
    permit: Permit | None,
    *,
    unpermitted: bool = False,
    charter: Digest | None = None,
    on: date | None = None,
) -> None:
    """Return if a model may be trained.

    Args:
        permit: what permits it.
        unpermitted: train without; whoever says so has to mark the model.
        charter: digest of the charter that is to be trained on, if it is known.
        on: the day, if it matters.

    Raises:
        PermitError: with every reason, if there is no permit or it does not permit this.
    """
    if unpermitted:
        return
    if permit is None:
        do = (
            "Ask for one (`normwright charter permit`) and give it, or say that you train without "
            "one (--unpermitted, unpermitted=True): that marks the model and keeps it from being "
            "released."
        )
        raise PermitError([Fault(where="permit", expected="a permit to train", seen="none", do=do)])
    if faults := permit.faults(charter=charter, on=on):
        raise PermitError(faults)
