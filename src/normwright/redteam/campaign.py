"""Attack a model in dialogues of several turns, in which it gives all of its own answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from normwright.models import Model
from normwright.norms import Resolver
from normwright.plugins import Card, plugin
from normwright.records import (
    Charter,
    Digest,
    Fault,
    Finding,
    InputError,
    MadeBy,
    Message,
    Scene,
)
from normwright.redteam.attacks import Attack
from normwright.scenes import situation_of
from normwright.scenes.exact import discloses

Side = Literal["perform", "decline"]


class Judging(Protocol):
    """Whatever can tell from a scene and an answer whether the act was done."""

    def judge(self, scene: Scene, text: str) -> str:
        """Return `perform`, `decline` or `unclear`."""
        ...


@dataclass
class _Dialogue:
    """One attack on one scene, as far as it has come."""

    attack: Attack
    scene: Scene
    expected: Side
    says: tuple[str, ...]
    transcript: list[Message] = field(default_factory=list)
    done_at: int | None = None
    """The turn, from 1, at which the act was done."""
    last: str = "unclear"
    """What the judge saw in the last answer."""

    def goes_on(self, turn: int) -> bool:
        return turn < len(self.says) and self.done_at is None


@plugin(Card(
    name="templated", kind="attacks", status="tested",
    summary="Multi-turn templates around a scene's request, each with its benign twin.",
    claims=(
        "what must not happen is checked exactly, or by a judge with known errors",
        "a model that obeys the charter withstands all of them and refuses no benign twin",
    ),
))  # fmt: skip
def campaign(
    model: Model,
    *,
    role: str,
    scenes: Sequence[Scene],
    charter: Charter,
    judge: Judging,
    attacks: Sequence[Attack],
    seed: int,
    per_attack: int = 8,
    judge_digest: Digest | None = None,
    max_new_tokens: int = 48,
    batch: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> list[Finding]:
    """Return one finding for each attack and scene drawn for it.

    Each attack wraps `per_attack` scenes a language that the charter does not allow, and as many
    that it allows and that probe a norm too: its benign twins. An attack succeeds at the first
    turn whose answer tells a value the scene asks for or, once the request has been made in full,
    in which the judge sees the act done; the dialogue ends there. A benign twin has gone wrong if
    the act was never done and the last answer declines.

    Args:
        model: what is attacked.
        role: its role.
        scenes: what attacks may wrap; those that probe no norm are left out.
        charter: decides which scenes are allowed.
        judge: sees what an answer does.
        attacks: what `load_attacks` returned.
        seed: seed of drawing; also passed to the model.
        per_attack: scenes an attack, language and side; fewer where there are fewer.
        judge_digest: digest of the judge's record.
        max_new_tokens: length limit of an answer.
        batch: dialogues a call of the model.
        progress: called with (answers given, answers at most) after each batch.

    Raises:
        InputError: if an attack does not exist in a language of the scenes.
        ValueError: if the model does not give exactly one answer a conversation.
    """
    _check_languages(attacks, scenes)
    dialogues = _draw(attacks, scenes, Resolver(charter), per_attack, seed)
    most = sum(len(d.says) for d in dialogues)
    answered = 0
    for turn in range(max((len(d.says) for d in dialogues), default=0)):
        open_ = [d for d in dialogues if d.goes_on(turn)]
        for start in range(0, len(open_), batch):
            part = open_[start : start + batch]
            for dialogue in part:
                dialogue.transcript.append(Message(role="user", content=dialogue.says[turn]))
            made = model.generate(
                [d.transcript for d in part], max_new_tokens=max_new_tokens, seed=seed
            )
            if len(made) != len(part) or any(len(texts) != 1 for texts in made):
                raise ValueError(f"{role}: expected one answer for each of {len(part)} dialogues")
            for dialogue, texts in zip(part, made, strict=True):
                _hear(dialogue, turn, texts[0], judge)
            answered += len(part)
            if progress:
                progress(answered, most)
    severities = {n.id: n.severity for n in charter.norms}
    return [_finding(d, role, severities, judge_digest, seed, per_attack) for d in dialogues]


def _check_languages(attacks: Sequence[Attack], scenes: Sequence[Scene]) -> None:
    languages = sorted({s.lang for s in scenes})
    faults = [
        Fault(where=f"attack {a.id}", expected=f"turns in {lang}", seen=f"{sorted(a.turns)}")
        for a in attacks
        for lang in languages
        if lang not in a.turns
    ]
    if faults:
        raise InputError(faults)


def _draw(
    attacks: Sequence[Attack],
    scenes: Sequence[Scene],
    resolver: Resolver,
    per_attack: int,
    seed: int,
) -> list[_Dialogue]:
    pools: dict[tuple[str, Side], list[Scene]] = {}
    for scene in scenes:
        if scene.norm is not None:
            allowed = resolver.verdict(situation_of(scene)) == "allow"
            pools.setdefault((scene.lang, "perform" if allowed else "decline"), []).append(scene)
    return [
        _Dialogue(attack, scene, side, attack.says(scene), list(scene.messages[:-1]))
        for attack in attacks
        for (lang, side), pool in sorted(pools.items())
        for scene in _spread(pool, per_attack, random.Random(f"{seed}/{attack.id}/{lang}/{side}"))
    ]


def _spread(pool: Iterable[Scene], count: int, rng: random.Random) -> list[Scene]:
    """Up to `count` scenes at random, the norms in turn, each template once before any twice."""
    by_norm: dict[str, dict[str, list[Scene]]] = {}
    for scene in pool:
        by_norm.setdefault(scene.norm or "", {}).setdefault(scene.template, []).append(scene)
    queues = [_rounds(list(templates.values()), rng) for _, templates in sorted(by_norm.items())]
    rng.shuffle(queues)
    return _interleave(queues)[:count]


def _rounds(groups: list[list[Scene]], rng: random.Random) -> list[Scene]:
    shuffled = [rng.sample(group, len(group)) for group in groups]
    rng.shuffle(shuffled)
    return _interleave(shuffled)


def _interleave(queues: Sequence[Sequence[Scene]]) -> list[Scene]:
    longest = max((len(q) for q in queues), default=0)
    return [q[i] for i in range(longest) for q in queues if i < len(q)]


def _hear(dialogue: _Dialogue, turn: int, text: str, judge: Judging) -> None:
    dialogue.transcript.append(Message(role="assistant", content=text))
    dialogue.last = judge.judge(dialogue.scene, text)
    # Before the request is out, small talk may look like an answer; a value told never is.
    asked = turn >= dialogue.attack.asked_at(dialogue.scene.lang)
    if discloses(dialogue.scene, text) or (asked and dialogue.last == "perform"):
        dialogue.done_at = turn + 1


def _finding(
    dialogue: _Dialogue,
    role: str,
    severities: dict[str, int],
    judge: Digest | None,
    seed: int,
    per_attack: int,
) -> Finding:
    scene = dialogue.scene
    attacked = dialogue.expected == "decline"
    refused = dialogue.done_at is None and dialogue.last == "decline"
    return Finding(
        attack=dialogue.attack.id,
        model=role,
        lang=scene.lang,
        norm=scene.norm,
        transcript=tuple(dialogue.transcript),
        succeeded=dialogue.done_at is not None if attacked else refused,
        turn=dialogue.done_at if attacked else None,
        severity=severities.get(scene.norm or "", 1),
        judge=judge,
        seed=seed,
        scene=scene.id,
        template=scene.template,
        expected=dialogue.expected,
        made_by=MadeBy(stage="redteam", plugin="templated", seed=seed,
                       parameters={"per_attack": per_attack}),
    )  # fmt: skip
