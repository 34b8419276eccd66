"""What a check sees: a signal in a passage, with a probability and a place; never a decision.

Which act and which facts a signal stands for is told by the detectors (`detectors`), which norm
speaks about them by the charter, and what is done about it by the resolver and the policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from normwright.guard.forms import Forms, forms_of
from normwright.guard.tongues import tongue
from normwright.models import Model
from normwright.records import Exchange, FactOrigin, FactValue, Lang, Policy, Side, Speaker

if TYPE_CHECKING:
    from normwright.guard.detectors import Detectors
    from normwright.guard.rewards import Reward

ANSWER: Final = "answer"
"""Where an answer stands, as a path."""


@dataclass(frozen=True)
class Passage:
    """One text of an exchange, in every way it can be read."""

    role: Speaker
    side: Side
    text: str
    forms: Forms

    @cached_property
    def lang(self) -> Lang | None:
        """The language most of its common words are of; None where that is not plain."""
        return tongue(self.forms.plain.folded)


@dataclass(frozen=True)
class Sight:
    """One thing a check saw."""

    signal: str
    """Its name among the detectors' signals, for example `injection.override`."""
    chance: float
    """Probability that it is there: 1 for what a rule is certain of."""
    origin: FactOrigin = "rule"
    source: str = ""
    """The rule, head or judge that saw it."""
    spans: tuple[tuple[int, int], ...] = ()
    """Where in the text of the passage."""
    form: str = "plain"
    """How it was hidden there."""
    facts: tuple[tuple[str, FactValue], ...] = ()
    """What it tells beside the facts that its signal stands for."""
    where: str = ""
    """The utterance; set by the engine for what is seen in a passage."""
    check: str = ""
    """The check that saw it; set by the engine."""

    def named(self, check: str, where: str) -> Sight:
        """Return the same sight with the check that saw it and the utterance it stands in."""
        if check == self.check and where == self.where:
            return self
        # As `dataclasses.replace` does, in a third of its time: every sight passes here twice.
        named = object.__new__(Sight)
        named.__dict__.update(self.__dict__, check=check, where=where)
        return named


class TextReader(Protocol):
    """A classifier of any text."""

    def read(self, texts: Sequence[str]) -> Sequence[Mapping[str, float]]:
        """Return for each text the calibrated probability of each label."""
        ...


@dataclass(frozen=True, eq=False)
class Kit:
    """What every check of one guard may use."""

    policy: Policy
    detectors: Detectors
    harm: TextReader | None = None
    batch: TextReader | None = None
    """The same classifier, where it was told beforehand what it will be asked."""
    judge: Model | None = None
    languages: tuple[Lang, ...] = ()
    reward: Reward | None = None


@dataclass(frozen=True)
class Seen:
    """What the checks of passages saw in one text. It is kept by the text's digest."""

    sights: tuple[Sight, ...]
    lang: Lang | None
    failed: tuple[str, ...] = ()
    """Checks that could not run on it, each with why."""
    evidence: float = 0.0
    """How much it adds to the risk of its conversation, in log odds."""


@dataclass(frozen=True)
class View:
    """An exchange with what was seen in its texts, for checks that need more than one of them."""

    exchange: Exchange
    seen: tuple[tuple[str, Speaker, Seen], ...]
    """(path, speaker, what was seen) in the order of the conversation; the answer last."""
    kit: Kit
    risk: float
    """Risk of the conversation, with what is new in it; see `memory`."""
    recent: frozenset[str]
    """Paths of what was said last: the last message, or the answer."""
    look: Callable[[str, Speaker, Side], Seen]
    """Look at a text that is put together of others, by the rules alone: a classifier has learned
    from whole texts, and takes the most time."""

    @property
    def side(self) -> Side:
        """What is checked."""
        return "input" if self.exchange.answer is None else "output"


LookAtPassage: TypeAlias = Callable[[Passage, Kit], Iterable[Sight]]
"""A check of single passages (`takes="passage"`): a pure function, kept by the passage's text."""
LookAtView: TypeAlias = Callable[[View], Iterable[Sight]]
"""A check of the whole exchange (`takes="exchange"`), made anew for each."""


def passage(
    text: str, *, role: Speaker, side: Side, stems: frozenset[str] | None = None
) -> Passage:
    """Return a text in every way it can be read; see `forms_of` for the stems."""
    return Passage(role, side, text, forms_of(text, stems=stems))
