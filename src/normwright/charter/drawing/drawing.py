"""Cases without limit: situations in words, with what the charter says about them.

The resolver decides, so every case is right by construction, and no person or model had to judge
it. Case k depends on the charter, the options, the seed and k, and on nothing drawn before it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

from normwright.charter.drawing.figures import Figure, Stratum, lines, squares
from normwright.charter.drawing.grounds import Ground, grounds
from normwright.charter.drawing.numbering import (
    choice,
    choices,
    number,
    permutation,
    shuffled,
)
from normwright.charter.drawing.rendering import Speaker
from normwright.charter.drawing.wordings import Frame, Split, wordings
from normwright.records import (
    Charter,
    Decision,
    DecisionVerdict,
    Digest,
    FactValue,
    Fault,
    InputError,
    Message,
    Norm,
    Situation,
)

VERDICTS: tuple[DecisionVerdict, ...] = (
    "allow", "deny", "ask", "necessity", "dilemma-choice", "dilemma-inaction", "deny-dilemma",
)  # fmt: skip
PLACEBO = 2
"""Most facts told that nothing depends on, beside those at issue."""
DISTRACTORS = 3
"""Most norms shown that have no bearing on the act."""
_PATTERN = 120
"""Units after which the kinds of cases come round again."""
_WORN = 30.0
"""How much it weighs that a kind of case has been used more often than it has figures."""
_MISSING = 6
"""One unit in this many is about a missing fact."""


@dataclass(frozen=True)
class DrawnCase:
    """One situation in words, with what is right there and why."""

    id: str
    index: int
    unit: str
    """What belongs together: near misses, swaps. It is the unit of independence."""
    situation: Situation
    decision: Decision
    norms: tuple[Norm, ...]
    """The norms of the prompt, in its order: all that bear on the act, and some that do not."""
    alteration: str
    """How the charter of the prompt differs from the charter; empty: not at all."""
    altered: str
    """Reference of the norm it differs in."""
    edited: str | None
    """The fact or circumstance the near miss differs in."""
    near_miss: str | None
    """Id of the case that differs in one fact or circumstance, and in its verdict."""
    swap: str | None
    """Id of the case that is the same under another charter, with another verdict."""
    frame: Frame
    prompts: Mapping[str, tuple[Message, ...]]
    """Language -> the conversation up to the answer."""
    answers: Mapping[str, str]
    """Language -> the right answer."""
    foils: Mapping[str, str]
    """Language -> the answer that would be right in the near miss, or under the other charter."""
    charter: Digest
    """Digest of the charter that was drawn from."""


@dataclass(frozen=True)
class Drawing:
    """Everything that can be drawn from a charter with some options, by number.

    Attributes:
        charter: norms in force or in demonstration; others are not drawn from.
        seed: which order the cases come in.
        languages: languages to word them in; empty: the charter's.
        split: only wordings of one split; None: all.
        near_misses: whether cases come in pairs that differ in one fact or circumstance.
        swaps: whether each also comes under an altered charter.
        verdicts: the verdicts that may occur.
        shown: whether the prompt carries the norms. Swaps make no sense otherwise.
        keep_floors: whether constitutional norms of the global layer are never altered. What is
            learned from should not allow, under whatever charter, what they forbid.
    """

    charter: Charter
    seed: int
    languages: tuple[str, ...] = ()
    split: Split | None = None
    near_misses: bool = True
    swaps: bool = True
    verdicts: tuple[DecisionVerdict, ...] = VERDICTS
    shown: bool = True
    keep_floors: bool = False
    _grounds: list[Ground] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        faults = []
        if self.swaps and not self.shown:
            faults.append(Fault(where="swaps", expected="prompts that carry the norms",
                                seen="prompts without",
                                do="Show the norms, or draw without swaps."))  # fmt: skip
        faults += [Fault(where="verdicts", expected=f"some of {', '.join(VERDICTS)}", seen=v)
                   for v in self.verdicts if v not in VERDICTS]  # fmt: skip
        if faults:
            raise InputError(faults)
        wordings(self.spoken)
        self._grounds.extend(_laid_out(self.charter, self.digest, self.keep_floors))
        if not self._strata:
            raise InputError([self._nothing()])

    @property
    def spoken(self) -> tuple[str, ...]:
        """The languages cases are worded in."""
        return self.languages or self.charter.languages

    @property
    def size(self) -> int:
        """How many cases there are, all different."""
        return self._units * self.per_unit

    @property
    def per_unit(self) -> int:
        """How many cases belong together."""
        return (2 if self.near_misses else 1) * (2 if self.swaps else 1)

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> DrawnCase:
        """Return case number `index`.

        Raises:
            IndexError: if there are not so many.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"case {index} of {self.size}")
        unit, member = divmod(index, self.per_unit)
        return self._unit(unit)[member]

    def __iter__(self) -> Iterator[DrawnCase]:
        for unit in range(self._units):
            yield from self._unit(unit)

    def between(self, start: int, count: int) -> Iterator[DrawnCase]:
        """Return `count` cases from number `start` on.

        Raises:
            InputError: if there are not so many that are new.
        """
        end = start + count
        if start < 0 or count < 0 or end > self.size:
            fault = Fault(
                where="count",
                expected=f"at most {self.size} cases in all",
                seen=f"cases {start} to {end}",
                do="A richer vocabulary, or all wordings, yield more.",
            )
            raise InputError([fault])
        return self._between(start, end)

    def _between(self, start: int, end: int) -> Iterator[DrawnCase]:
        together: list[DrawnCase] = []
        for index in range(start, end):
            unit, member = divmod(index, self.per_unit)
            if member == 0 or index == start:
                together = self._unit(unit)
            yield together[member]

    @cached_property
    def digest(self) -> Digest:
        """Digest of the charter, worked out once."""
        return self.charter.digest

    @cached_property
    def key(self) -> str:
        """What tells this drawing from any other: charter, options and seed."""
        told = (self.charter.digest, self.seed, self.split, self.near_misses, self.swaps,
                self.verdicts, self.shown, self.keep_floors)  # fmt: skip
        return blake2b(repr(told).encode(), digest_size=5).hexdigest()

    @cached_property
    def speakers(self) -> dict[str, Speaker]:
        """Who words the cases, by language."""
        words = wordings(self.spoken)
        return {lang: Speaker(words[lang], self.charter) for lang in self.spoken}

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The frames in use; each exists in every language, and cases take the same one in all."""
        every = next(iter(wordings(self.spoken).values())).frames
        return tuple(f for f in every if self.split in (None, f.split))

    @cached_property
    def frames_in(self) -> dict[str, dict[str, Frame]]:
        """Language -> name of a frame -> the frame."""
        words = wordings(self.spoken)
        return {lang: {f.name: f for f in words[lang].frames} for lang in self.spoken}

    @cached_property
    def _strata(self) -> dict[Stratum, list[list[Figure]]]:
        if self.near_misses and self.swaps:
            return squares(self._grounds, self.verdicts)
        kind = "swap" if self.swaps else "pair"
        return lines(self._grounds, self.verdicts, kind)  # type: ignore[arg-type]

    @cached_property
    def _pattern(self) -> tuple[Stratum, ...]:
        return _balanced({s: sum(map(len, own)) for s, own in self._strata.items()})

    @cached_property
    def _units(self) -> int:
        """Units until the first kind of case has no more that are new."""
        rounds = []
        for stratum, figures in self._strata.items():
            turns = self._pattern.count(stratum)
            if turns:
                least = min(self._ways(own) for own in figures)
                rounds.append(least * len(figures) // turns)
        return min(rounds) * _PATTERN

    def _ways(self, figures: Sequence[Figure]) -> int:
        """How many different units a ground's figures of one stratum yield."""
        ground = self._grounds[figures[0].ground]
        return len(figures) * len(self.frames) * choices(_options(ground), PLACEBO)

    def _unit(self, unit: int) -> list[DrawnCase]:
        turn, place = divmod(unit, _PATTERN)
        stratum = self._pattern[place]
        nth = turn * self._pattern.count(stratum) + self._pattern[:place].count(stratum)
        nth, which = divmod(nth, len(self._strata[stratum]))
        figures = self._strata[stratum][which]
        code = shuffled(nth, self._ways(figures), f"{self.key}:{stratum}:{which}")
        code, chosen = divmod(code, len(figures))
        code, framed = divmod(code, len(self.frames))
        figure = figures[chosen]
        ground = self._grounds[figure.ground]
        placebo = {
            ground.placebo[fact][0].name: ground.placebo[fact][1][value]
            for fact, value in choice(code, _options(ground), PLACEBO).items()
        }
        return self._cases(unit, figure, ground, self.frames[framed], placebo)

    def _cases(
        self,
        unit: int,
        figure: Figure,
        ground: Ground,
        frame: Frame,
        placebo: Mapping[str, FactValue],
    ) -> list[DrawnCase]:
        luck = number(f"{self.key}:{unit}")
        luck, turned = divmod(luck, 4)
        charters = figure.variants[::-1] if turned & 1 else figure.variants
        cores = figure.cores[::-1] if turned & 2 else figure.cores
        cells = list(itertools.product(charters, cores))
        shown = cells if self.near_misses or self.swaps else cells[:1]
        names = {cell: f"{self.key}.{unit}.{n}" for n, cell in enumerate(shown)}
        found: list[DrawnCase] = []
        for cell in shown:
            variant, core = cell
            near = next((c for c in cells if c[0] == variant and c != cell), None)
            swap = next((c for c in cells if c[1] == core and c != cell), None)
            told = _Told(self, ground, frame, placebo, luck)
            found.append(told.case(unit, len(found), cell, near, swap, names, figure.aspect))
        return found

    def _nothing(self) -> Fault:
        if not self._grounds:
            return Fault(where=self.charter.id, expected="norms in force", seen="none",
                         do="Ratify norms, or take drafts to hold as well.")  # fmt: skip
        return Fault(
            where=self.charter.id,
            expected=f"cases with the verdicts {', '.join(self.verdicts)}",
            seen="none that the facts of the vocabulary can tell apart",
            do="Allow more verdicts, or declare facts that norms may depend on.",
        )


@dataclass(frozen=True)
class _Told:
    """What the cases of a unit share: frame, facts beside the point, chance."""

    drawing: Drawing
    ground: Ground
    frame: Frame
    placebo: Mapping[str, FactValue]
    luck: int

    def case(
        self,
        unit: int,
        member: int,
        cell: tuple[int, int],
        near: tuple[int, int] | None,
        swap: tuple[int, int] | None,
        names: Mapping[tuple[int, int], str],
        aspect: int | None,
    ) -> DrawnCase:
        variant, core = cell
        said = self.ground.table[cell]

        def other(one: tuple[int, int] | None) -> tuple[int, int] | None:
            """The cell, if it is one of the cases told and comes out otherwise."""
            if one is None or self.ground.table[one].verdict == said.verdict:
                return None
            return one

        near, swap = other(near), other(swap)
        foil = near or swap
        drawing = self.drawing
        norms = self._norms(variant)
        altered = self.ground.variants[variant]
        edited = None if near is None or aspect is None else self.ground.aspects[aspect].name
        return DrawnCase(
            id=names[cell],
            index=unit * drawing.per_unit + member,
            unit=f"{drawing.key}.{unit}",
            situation=self.ground.situation(core, self.placebo),
            decision=self._decision(cell),
            norms=norms,
            alteration=altered.alteration,
            altered=altered.norm,
            edited=edited,
            near_miss=None if near is None else names.get(near),
            swap=None if swap is None else names.get(swap),
            frame=self.frame,
            prompts={lang: self._prompt(lang, norms, core) for lang in drawing.spoken},
            answers={lang: self._answer(lang, cell) for lang in drawing.spoken},
            foils={} if foil is None else {x: self._answer(x, foil) for x in drawing.spoken},
            charter=drawing.digest if altered.alteration == "" else said.charter or "",
        )

    def _decision(self, cell: tuple[int, int]) -> Decision:
        said = self.ground.table[cell]
        if self.ground.variants[cell[0]].alteration:
            return said
        return said.model_copy(update={"charter": self.drawing.digest})

    def _norms(self, variant: int) -> tuple[Norm, ...]:
        """The norms of the prompt, at the same places under every charter of the unit."""
        beside = self.ground.distractors
        order = permutation(len(beside), self.luck)[: self.luck % (DISTRACTORS + 1)]
        shown = [*self.ground.variants[variant].norms, *(beside[place] for place in order)]
        return tuple(sorted(shown, key=lambda n: number(f"{self.luck}:{n.id}")))

    def _prompt(self, lang: str, norms: Sequence[Norm], core: int) -> tuple[Message, ...]:
        speaker = self.drawing.speakers[lang]
        frame = self.drawing.frames_in[lang][self.frame.name]
        told = sum(aspect.told for aspect in self.ground.aspects)
        count = told + len(self.ground.settled) + len(self.placebo)
        order = permutation(count, self.luck)
        user = speaker.user(self.ground, frame, core, self.placebo, order,
                            in_words=bool(self.luck & 1))  # fmt: skip
        system = speaker.system(norms, frame.style, shown=self.drawing.shown)
        return (Message(role="system", content=system), Message(role="user", content=user))

    def _answer(self, lang: str, cell: tuple[int, int]) -> str:
        norms = {n.ref: n for n in self.ground.variants[cell[0]].norms}
        speaker = self.drawing.speakers[lang]
        return speaker.answer(self.ground.table[cell], norms, self.frame.style)


_KEPT: dict[tuple[Digest, bool], tuple[Ground, ...]] = {}
"""Grounds of the charters drawn from last; they follow from the charter alone."""


def _laid_out(charter: Charter, digest: Digest, keep_floors: bool) -> tuple[Ground, ...]:
    key = (digest, keep_floors)
    if key not in _KEPT:
        if len(_KEPT) >= 4:
            _KEPT.pop(next(iter(_KEPT)))
        _KEPT[key] = tuple(grounds(charter, keep_floors=keep_floors))
    return _KEPT[key]


def _options(ground: Ground) -> tuple[int, ...]:
    return tuple(len(values) for _, values in ground.placebo)


def _balanced(sizes: Mapping[Stratum, int]) -> tuple[Stratum, ...]:
    """Return an order of strata in which verdicts come up equally often, as far as they can.

    Necessity and the dilemmas count as one kind of verdict here: they are rarer, and to give each
    of them the weight of a permission would make every other case a conflict.
    """
    plain = [s for s in sizes if s[0] != "missing"]
    missing = [s for s in sizes if s[0] == "missing"]
    counts = dict.fromkeys(("allow", "deny", "ask", "conflict"), 0)
    verdicts: Counter[DecisionVerdict] = Counter()
    used = dict.fromkeys(sizes, 0)
    pattern = []
    for turn in range(_PATTERN):
        pool = missing if missing and (turn % _MISSING == 0 or not plain) else plain
        # Every third unit has the charter as it stands on one side; conflicts are rare there, and
        # come from the others.
        standing = turn % 3 == 1
        side = [s for s in pool if (s[0] == "crossed") == standing]
        if standing:
            side = [s for s in side if "conflict" not in map(_kind, s[1])] or side
        pool = side or pool

        def imbalance(stratum: Stratum) -> tuple[float, int]:
            after = dict(counts)
            for verdict in stratum[1]:
                after[_kind(verdict)] += 1
            uneven = sum(n * n for n in after.values())
            conflicts = sum(verdicts[v] for v in stratum[1] if _kind(v) == "conflict")
            # What has few figures comes seldom, or its cases would be much alike.
            worn = _WORN * used[stratum] / sizes[stratum]
            return uneven + conflicts + worn, used[stratum]

        best = min(pool, key=imbalance)
        used[best] += 1
        for verdict in best[1]:
            counts[_kind(verdict)] += 1
            verdicts[verdict] += 1
        pattern.append(best)
    return tuple(pattern)


def _kind(verdict: DecisionVerdict) -> str:
    return verdict if verdict in ("allow", "deny", "ask") else "conflict"


def cases(
    charter: Charter,
    *,
    seed: int,
    count: int | None = None,
    start: int = 0,
    languages: Sequence[str] = (),
    split: Split | None = None,
    near_misses: bool = True,
    swaps: bool = True,
    verdicts: Sequence[DecisionVerdict] = VERDICTS,
    shown: bool = True,
    keep_floors: bool = False,
) -> Iterator[DrawnCase]:
    """Yield cases of a charter, each different from every other, in an order the seed decides.

    Args:
        charter: what decides; see `Drawing` for the options.
        seed: which order.
        count: how many; None: until none is left that is new.
        start: number of the first; case k is the same wherever one starts.
        languages: languages to word them in; empty: the charter's.
        split: only wordings of one split.
        near_misses: in pairs that differ in one fact or circumstance.
        swaps: each also under an altered charter.
        verdicts: the verdicts that may occur.
        shown: whether the prompt carries the norms.
        keep_floors: constitutional norms of the global layer are never altered.

    Raises:
        InputError: if nothing can be drawn, a language has no wordings, or more is asked for than
            there is.
    """
    drawing = Drawing(charter, seed, tuple(languages), split, near_misses, swaps,
                      tuple(verdicts), shown, keep_floors)  # fmt: skip
    return drawing.between(start, drawing.size - start if count is None else count)
