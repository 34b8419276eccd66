"""A world whose raters are known: texts with a value to each group, and votes drawn from it.

Only where the truth is known can a reward model be held against it. Answers are lists of clauses in
English or Portuguese ("it is kind, it is not really slow"). Each group gives every quality a value;
`not` turns it, with a word between, so that counting words or neighbours does not suffice. A
quality said twice counts once and annoys; what is no clause annoys too. Those two rules hold for
texts that people never write, and so are in no pair until a model writes them.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from normwright.records import Message, PairVote, PreferencePair

QUALITIES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "kind", "slow", "clear", "loud", "safe", "cold", "fair", "dull", "warm", "rude",
        "neat", "grim", "calm", "vague", "brave", "harsh",
    ),
    "pt": (
        "gentil", "lento", "claro", "ruidoso", "seguro", "frio", "justo", "chato", "quente",
        "rude", "limpo", "sombrio", "calmo", "vago", "bravo", "duro",
    ),
}  # fmt: skip
"""Words of a language for the same qualities, in one order."""
_THINGS = {
    "en": ("the office", "the street", "the school", "the clinic", "the park", "the market"),
    "pt": ("o posto", "o bairro", "o liceu", "o hospital", "o parque", "o mercado"),
}
_ASK = {"en": "What is {} like?", "pt": "Como é {}?"}
_SAID = {
    "en": ("it is really", "it is very", "it is quite"),
    "pt": ("ele é tão", "ele é muito", "ele é bem"),
}
_TURNED = {
    "en": ("it is not really", "it is not very", "it is not quite"),
    "pt": ("ele não é tão", "ele não é muito", "ele não é bem"),
}
_WORDS = {word: i for words in QUALITIES.values() for i, word in enumerate(words)}
TURNED = 0.25
"""How often people say what something is not."""
_CLAUSE = re.compile(
    r"(it is( not)? (really|very|quite)|ele( não)? é (tão|muito|bem)) (?P<word>\w+)"
)


@dataclass(frozen=True)
class World:
    """What each group values, how many people it has, and what annoys everybody."""

    values: Mapping[str, tuple[float, ...]]
    """Value of each quality to each group, in log-odds."""
    people: Mapping[str, int]
    annoyance: float = 1.5
    """Taken off for each quality said again and each piece that is no clause."""
    longer: float = 0.0
    """Liking for one more clause, whatever it says."""
    ties: float = 0.0
    """Davidson's parameter: how readily people call two answers alike; 0 never."""

    def value(self, text: str, group: str) -> float:
        """Return the value of any text to a group."""
        total, seen = 0.0, set()
        for piece in (p.strip() for p in text.split(",")):
            found = _CLAUSE.fullmatch(piece)
            if found is None or found["word"] not in _WORDS:
                total -= self.annoyance
                continue
            quality = _WORDS[found["word"]]
            if quality in seen:
                total -= self.annoyance
                continue
            seen.add(quality)
            turned = "not" in piece.split() or "não" in piece.split()
            total += -self.values[group][quality] if turned else self.values[group][quality]
            total += self.longer
        return total

    def mean_value(self, text: str) -> float:
        """Return the value of a text to people on average."""
        everybody = sum(self.people.values())
        return sum(n * self.value(text, g) for g, n in self.people.items()) / everybody

    def share(self, first: str, second: str, group: str | None = None) -> float:
        """Return the share of people (of a group) who prefer the first; ties count half."""
        groups = {group: 1} if group is not None else self.people
        everybody = sum(groups.values())
        total = 0.0
        for name, n in groups.items():
            won, tied, _ = self._outcomes(self.value(first, name) - self.value(second, name))
            total += n * (won + tied / 2)
        return total / everybody

    def votes(
        self, first: str, second: str, rng: random.Random, *, count: int
    ) -> tuple[PairVote, ...]:
        """Return the votes of so many people, drawn without replacement."""
        everybody = [(g, f"{g}-{i}") for g, n in self.people.items() for i in range(n)]
        out = []
        for group, name in rng.sample(everybody, count):
            odds = self._outcomes(self.value(first, group) - self.value(second, group))
            choice = rng.choices(("chosen", "tie", "rejected"), odds)[0]
            out.append(PairVote(participant=name, choice=choice, group=group))  # type: ignore[arg-type]
        return tuple(out)

    def _outcomes(self, margin: float) -> tuple[float, float, float]:
        won, lost = math.exp(margin / 2), math.exp(-margin / 2)
        total = won + lost + self.ties
        return won / total, self.ties / total, lost / total


def planted_world(
    *, seed: int, people: Mapping[str, int] | None = None, longer: float = 0.0, ties: float = 0.0
) -> World:
    """Return a world of two groups that agree on half of the qualities and differ on the rest."""
    rng = random.Random(seed)
    size = len(QUALITIES["en"])
    common = [rng.gauss(0, 1.0) for _ in range(size)]
    signs = [1] * (size // 2) + [-1] * (size - size // 2)
    rng.shuffle(signs)
    values = {
        "many": tuple(common),
        "few": tuple(v * s for v, s in zip(common, signs, strict=True)),
    }
    return World(values, people or {"many": 48, "few": 16}, longer=longer, ties=ties)


def written(
    rng: random.Random, lang: str, *, fewest: int = 1, most: int = 4, turned: float = TURNED
) -> str:
    """Return an answer as people write it: no quality twice."""
    qualities = rng.sample(range(len(QUALITIES[lang])), rng.randint(fewest, most))
    pieces = []
    for quality in qualities:
        said = rng.choice(_TURNED[lang] if rng.random() < turned else _SAID[lang])
        pieces.append(f"{said} {QUALITIES[lang][quality]}")
    return ", ".join(pieces)


def asked(rng: random.Random, lang: str) -> tuple[Message, ...]:
    """Return a question."""
    return (Message(role="user", content=_ASK[lang].format(rng.choice(_THINGS[lang]))),)


def planted_pairs(
    world: World, *, count: int, votes: int, seed: int, turned: float = TURNED
) -> list[PreferencePair]:
    """Return pairs of written answers, half in each language, with the votes of drawn people."""
    rng = random.Random(seed)
    out = []
    for i in range(count):
        lang = ("en", "pt")[i % 2]
        prompt = asked(rng, lang)
        first = written(rng, lang, turned=turned)
        second = written(rng, lang, turned=turned)
        while second == first:
            second = written(rng, lang, turned=turned)
        given = world.votes(first, second, rng, count=votes)
        out.append(voted_pair(f"{seed}/{i}", lang, prompt, first, second, given))
    return out


def voted_pair(
    scene: str,
    lang: str,
    prompt: tuple[Message, ...],
    first: str,
    second: str,
    votes: Sequence[PairVote],
) -> PreferencePair:
    """Return a pair with these votes, a tie as half a vote."""
    won = sum({"chosen": 1.0, "tie": 0.5, "rejected": 0.0}[v.choice] for v in votes)
    return PreferencePair(
        scene=scene,
        lang=lang,
        prompt=prompt,
        chosen=first,
        rejected=second,
        p_chosen=won / len(votes),
        weight=1.0,
        votes=tuple(votes),
        norms=("o.planted",),
        layer="organisation",
        origin="synthetic",
        process_kind="simulated",
        licence="Apache-2.0",
        family=scene,
    )
