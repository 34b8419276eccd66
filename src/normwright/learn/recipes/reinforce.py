"""Reinforcement: a model answers, rewards and norms say what its answers are worth, it learns.

Supports: any reward, ensembles less their doubt, norms as constraints with multipliers (in the
mean or in the worst share), MaxMin over groups, Nash self-play, limits on impact, a budget of
divergence; full fine-tuning and LoRA; several processes. Assumes: rewards that can be asked about
any answer; one that was fitted to other answers will be exploited, so measure with another judge.
May harm: what the reward overlooks. A constraint holds on average over the prompts it was trained
on, not for each answer; what must never pass belongs into the guard as well.
"""

from __future__ import annotations

import copy
import hashlib
import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from normwright.learn.rewards import budget as budgets
from normwright.learn.rewards import constraints as norms
from normwright.learn.rewards import groups as people
from normwright.learn.rewards import selfplay
from normwright.learn.rewards.budget import Budget
from normwright.learn.rewards.constraints import Constraint
from normwright.learn.rewards.groups import Groups
from normwright.learn.rewards.lagrangian import Lagrangian
from normwright.learn.rewards.selfplay import Nash
from normwright.learn.rewards.signals import Signal, scored
from normwright.models.chat import render
from normwright.models.local import LocalModel, load_weights
from normwright.models.protocol import Scorer
from normwright.models.tuning import Loop, Lora, merged, save_plain
from normwright.models.tuning.checkpoints import Identity, identity
from normwright.models.tuning.hardware import rank, world_size
from normwright.models.tuning.loop import Running
from normwright.plugins import Card, plugin
from normwright.records import Fault, InputError, Permit, Prompt, require_permit


@plugin(
    Card(
        name="reinforce",
        kind="recipes",
        status="tested",
        takes="prompts",
        summary="Reinforcement of a model's own answers, with a multiplier for each hard norm.",
        reference=(
            "Ahmadian et al. (2024), arXiv 2402.14740 (RLOO); Dai et al. (2023), arXiv 2310.12773 "
            "(constraints); Chakraborty et al. (2024), arXiv 2402.08925 (MaxMin); Munos et al. "
            "(2023), arXiv 2312.00886 (Nash)"
        ),
        claims=("the optimum is the reference tilted by exp((reward - sum of charges) / beta)",),
    )
)
def reinforce(
    start: LocalModel,
    prompts: Sequence[Prompt],
    *,
    reward: Signal | Scorer | None = None,
    constraints: Sequence[Constraint] = (),
    groups: Groups | None = None,
    preference: Nash | None = None,
    budget: Budget | None = None,
    loop: Loop,
    beta: float = 0.05,
    generations: int = 4,
    length: int = 48,
    unscored: float = 0.0,
    reference: LocalModel | None = None,
    lora: Lora | None = None,
    running: Running | None = None,
    permit: Permit | None = None,
    unpermitted: bool = False,
) -> tuple[LocalModel, dict[str, float]]:
    """Return a copy of `start` trained on what its own answers are worth, and what it logged.

    Args:
        start: the model to start from; it is not changed.
        prompts: what it is asked.
        reward: what an answer is worth; a scorer's score counts as it is.
        constraints: norms with a limit or a price.
        groups: rewards of groups of people of which the lowest mean is raised; added to `reward`.
        preference: a preference that the answers play against each other; added to `reward`.
        budget: how far the model may go from its reference.
        loop: steps or epochs, rate, prompts a step over all processes, seed.
        beta: strength of the pull towards the reference, in reward for one nat of an answer.
        generations: answers a prompt in each step.
        length: longest answer in tokens, its stop token among them.
        unscored: largest share of a batch that may be without a number; such answers move
            nothing. Unknown is never taken for harmless.
        reference: what the model is held to; None is `start`. With adapters it can only be that.
        lora: adapters to train in the place of all weights; they are folded in.
        running: where checkpoints go, on what it runs, and who is told; its history has a curve of
            every figure, multipliers and costs among them.
        permit: what permits training; it must be granted.
        unpermitted: train without a permit; whoever says so marks the model.

    The metrics hold the mean of the first and of the last tenth of the steps of every figure, as
    `first_worth`, `last_multiplier/NORM`, and so on. `loss` is the negative of what is maximised:
    `beta` times `divergence` (nats an answer) less `net`, the worth less what norms charge.

    Raises:
        PermitError: with every reason, if nothing permits training.
        InputError: with every fault of prompts and settings; for rewards or costs that are not
            finite; for a checkpoint of another run; for another reference than the one meant.
    """
    require_permit(permit, unpermitted=unpermitted)
    given = running or Running()
    faults = [
        *_settings_faults(beta, generations, length, unscored, loop, reward, groups, preference),
        *_prompt_faults(start, prompts, length),
        *norms.faults_of(constraints),
        *(people.faults_of(groups) if groups else ()),
        *(selfplay.faults_of(preference, generations) if preference else ()),
        *(budgets.faults_of(budget) if budget else ()),
        *_reference_faults(start, reference, lora, given),
    ]
    if faults:
        raise InputError(faults)
    from normwright.models.tuning.trl import Sampling, rloo, stop_tokens

    with _place(given) as scratch:
        held = _kept(reference or start, scratch / "reference")
        rewarding = Answers(
            prompts,
            Lagrangian(
                reward=scored(reward) if isinstance(reward, Scorer) else reward,
                groups=groups,
                preference=preference,
                constraints=constraints,
                budget=budget,
                generations=generations,
                unscored=unscored,
            ),
            beta=beta,
            stops=stop_tokens(start.weights, start.tokenizer),
        )
        science = {
            "beta": beta,
            "generations": generations,
            "length": length,
            "start": digest_of(start.weights),
            "reference": held.digest,
        }
        weights, steps = rloo(
            copy.deepcopy(start.weights),
            start.tokenizer,
            [one.prompt for one in prompts],
            _order(len(prompts), loop),
            reference=held.path,
            rewarding=rewarding,
            sampling=Sampling(beta, generations, length),
            loop=loop,
            lora=lora,
            running=given,
            scratch=scratch,
            who=_identity(science, loop, prompts, constraints, given),
            check=held.check,
        )
    # TRL leaves a changed `forward` on what it trained; the weights go into a plain model.
    trained = copy.deepcopy(start.weights)
    trained.load_state_dict(merged(weights).state_dict())
    made = LocalModel("reinforced", trained, start.tokenizer, start.batch)
    return made, {**_first_and_last(given), "steps": float(steps)}


@contextmanager
def _place(given: Running) -> Iterator[Path]:
    """Give the directory of a run; one that nobody named is gone afterwards."""
    if given.workdir is not None:
        yield given.workdir
        return
    with tempfile.TemporaryDirectory() as spare:
        yield Path(spare)


class Answers:
    """Answers with their prompts and what else is known of them, put to an objective."""

    def __init__(
        self,
        prompts: Sequence[Prompt],
        objective: Lagrangian,
        *,
        beta: float,
        stops: frozenset[int],
    ) -> None:
        self.prompts, self.objective, self.beta, self.stops = prompts, objective, beta, stops

    def reward(
        self, rows: Sequence[int], texts: Sequence[str], tokens: Sequence[Sequence[int]]
    ) -> list[float | None]:
        """Return what answers to the prompts of these rows are worth."""
        asked = [self.prompts[row] for row in rows]
        columns: dict[str, Sequence[Any]] = {
            "id": [one.scene for one in asked],
            "lang": [one.lang for one in asked],
            "group": [one.group for one in asked],
            "norms": [one.norms for one in asked],
            "row": list(rows),
            "tokens": tokens,
            "stopped": [bool(t) and t[-1] in self.stops for t in tokens],
        }
        return self.objective([one.prompt for one in asked], texts, columns)

    def stepped(self, figures: Mapping[str, float]) -> Mapping[str, float] | None:
        """Return what a step was; None if a budget is spent."""
        told, spent = self.objective.told, self.objective.spent
        if spent is not None:
            spent.learn(figures["divergence"])
        loss = self.beta * figures["divergence"] - told["net"]
        return None if spent is not None and spent.over else {**told, "loss": loss}

    def state_dict(self) -> dict[str, Any]:
        """Return what a killed run needs to go on."""
        return self.objective.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a killed run stood."""
        self.objective.load_state_dict(state)


def _order(prompts: int, loop: Loop) -> list[int]:
    """Return the prompts in the order in which they are asked, `loop.batch` a step.

    Every prompt is asked once before any is asked again.
    """
    rng = random.Random(loop.seed)
    steps = loop.steps if loop.steps > 0 else max(1, round(loop.epochs * prompts / loop.batch))
    out: list[int] = []
    while len(out) < steps * loop.batch:
        out += rng.sample(range(prompts), prompts)
    return out[: steps * loop.batch]


def _settings_faults(
    beta: float,
    generations: int,
    length: int,
    unscored: float,
    loop: Loop,
    reward: Any,
    groups: Groups | None,
    preference: Nash | None,
) -> Iterator[Fault]:
    if not beta > 0:
        yield Fault(where="beta", expected="above 0: nothing else holds the model to its reference",
                    seen=str(beta))  # fmt: skip
    if generations < 2:
        yield Fault(where="generations", expected="2 or more: each is measured by the others",
                    seen=str(generations))  # fmt: skip
    if length < 1:
        yield Fault(where="length", expected="1 token or more", seen=str(length))
    if not 0 <= unscored < 1:
        yield Fault(where="unscored", expected="a share in [0, 1)", seen=str(unscored))
    if reward is None and groups is None and preference is None:
        yield Fault(where="reward", expected="a reward, rewards of groups, or a preference",
                    seen="none")  # fmt: skip
    if loop.batch % world_size():
        yield Fault(where="batch", expected=f"prompts that {world_size()} processes share evenly",
                    seen=str(loop.batch))  # fmt: skip


def _prompt_faults(start: LocalModel, prompts: Sequence[Prompt], length: int) -> Iterator[Fault]:
    """Yield prompts that would be asked otherwise in training than in use, or do not fit."""
    from normwright.models.tuning.trl import rendered

    if not prompts:
        yield Fault(where="prompts", expected="at least one", seen="none")
    room = int(start.weights.config.max_position_embeddings)
    shown = 0
    for number, one in enumerate(prompts):
        ids = rendered(start.tokenizer, one.prompt)
        text = render(start.tokenizer, one.prompt)
        served = start.tokenizer(text, add_special_tokens=False)["input_ids"]
        if ids != served:
            yield Fault(where=f"prompt {number}", expected="the tokens that serving makes of it",
                        seen="others", do="Mend the chat template.")  # fmt: skip
        elif len(ids) + length > room:
            yield Fault(where=f"prompt {number}", expected=f"room for {length} tokens of answer",
                        seen=f"{len(ids)} of {room} tokens are the prompt's")  # fmt: skip
        else:
            continue
        shown += 1
        if shown == 20:
            return


def _reference_faults(
    start: LocalModel, reference: LocalModel | None, lora: Lora | None, given: Running
) -> Iterator[Fault]:
    if reference is not None and lora is not None:
        yield Fault(
            where="reference",
            expected="none with adapters: there it is the start without them",
            seen="another model",
            do="Train all weights, or start from the reference.",
        )
    other = reference is not None and reference.tokenizer.get_vocab() != start.tokenizer.get_vocab()
    if other:
        yield Fault(where="reference", expected="the start's vocabulary", seen="another")
    if given.hardware.strategy != "ddp":
        yield Fault(where="hardware", expected="ddp: every process holds all weights",
                    seen=given.hardware.strategy)  # fmt: skip
    if world_size() > 1 and given.workdir is None:
        yield Fault(where="workdir", expected="a directory that all processes share", seen="none")


@dataclass(frozen=True)
class _Held:
    """The reference on disk, from where TRL loads it."""

    path: Path
    digest: str

    def check(self, loaded: Any) -> None:
        """Refuse a reference with other weights than were meant; None: it is the start itself."""
        if loaded is None:
            return
        seen = digest_of(loaded)
        if seen != self.digest:
            raise _wrong_reference(self.path, self.digest, seen)


def _kept(reference: LocalModel, path: Path) -> _Held:
    """Write the reference into a directory, or find it there."""
    digest = digest_of(reference.weights)
    if rank() == 0 and not path.is_dir():
        half = path.with_name(f"{path.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        save_plain(copy.deepcopy(reference.weights), reference.tokenizer, half)
        half.replace(path)
    elif rank() == 0 and (seen := digest_of(load_weights(path))) != digest:
        raise _wrong_reference(path, digest, seen)
    return _Held(path, digest)


def digest_of(weights: Any) -> str:
    """Return the SHA-256 of a model's weights, by name and value."""
    told = hashlib.sha256()
    for name, part in sorted(weights.state_dict().items()):
        told.update(f"{name} {tuple(part.shape)} {part.dtype}".encode())
        bytes_of = part.detach().cpu().contiguous().view(-1).view(torch.uint8)
        told.update(bytes_of.numpy().tobytes())
    return told.hexdigest()


def _wrong_reference(path: Path, meant: str, seen: str) -> InputError:
    return InputError([
        Fault(
            where=f"reference at {path}",
            expected=f"weights with the digest {meant[:12]}",
            seen=seen[:12],
            do="Delete the directory to begin anew, or start from the model it was begun with.",
        )
    ])  # fmt: skip


def _identity(
    science: Mapping[str, Any],
    loop: Loop,
    prompts: Sequence[Prompt],
    constraints: Sequence[Constraint],
    given: Running,
) -> Identity:
    """Return what names a run, as far as it can be named: a reward is a function."""
    paced = {name: value for name, value in asdict(loop).items() if name != "save_every"}
    held = [
        [c.norm, c.layer, c.limit, c.price, c.start, c.rate, c.cap, c.tail, str(c.pid)]
        for c in constraints
    ]
    told = {**science, **paced, "constraints": held, "science": given.science}
    return identity(told, [(one.scene, *(m.content for m in one.prompt)) for one in prompts])


def _first_and_last(given: Running) -> dict[str, float]:
    """Return the mean of the first and of the last tenth of every curve, and the speed."""
    curves = {name: [value for _, value in line] for name, line in given.history.items()}
    seconds, tokens = curves.pop("seconds", []), curves.pop("tokens", [])
    out: dict[str, float] = {}
    for name, values in curves.items():
        tenth = max(1, len(values) // 10)
        out[f"first_{name}"] = sum(values[:tenth]) / tenth
        out[f"last_{name}"] = sum(values[-tenth:]) / tenth
    if sum(seconds):
        # Tokens of prompts and answers, counted since the first step; of every process.
        out["tokens_a_second"] = tokens[-1] / sum(seconds)
        out["seconds_a_step"] = sum(seconds) / len(seconds)
    return out
