"""A model kept inside a policy: it is a `Model` itself, so nobody downstream need know."""

from __future__ import annotations

from collections.abc import Sequence

from normwright.guard.bodies import sound
from normwright.guard.engine import Guard
from normwright.guard.facts import FactRules
from normwright.guard.harm import HarmClassifier
from normwright.guard.rewards import Reward
from normwright.guard.screen import (
    CHECKS,
    Screened,
    Screener,
    answer_digest,
    conversation_digest,
)
from normwright.models import Model, Scorer
from normwright.records import GUARD_ACTIONS, Exchange, GuardVerdict, Message, Policy, Utterance

_SOFT = ("allow", "transform")


class GuardedModel:
    """A model whose every answer was screened before it is given.

    The conversation is screened first; what the policy refuses is not generated. An answer that
    does not pass is replaced by the best of `best_of` others that pass, and if none does, by a
    refusal that cites the norm. Every screening stands in `log`, in the order it was made.

    The policy alone is enough: its acts are then recognised by the checks and detectors of `Guard`.
    With a classifier that was fitted on scenes of the policy's own charter, and its deployment's
    rules, those read the acts instead.

    With a reward every prompt gets `best_of` answers, however good the first is, and of those that
    pass the best are given. A reward bound to a norm is a check besides (`guard.Reward`).

    Args:
        model: the model that answers.
        policy: what it must obey.
        harm: the classifier fitted on the charter's own scenes; None: none was.
        rules: the deployment's rules for reading facts; given with `harm` or not at all.
        guard: a guard of the policy made ready before; None: one with the defaults.
        scorer: ranks the answers that pass; without one the first is taken.
        reward: orders all answers that pass; not with a scorer, nor with `harm`; None: that of the
            guard, if it has one.
        best_of: answers drawn where the first does not pass.
        temperature: temperature of those draws, > 0.
        seed: added to the seed of each call.
        checks: names of the checks to run; None: the defaults.
    """

    def __init__(
        self,
        model: Model,
        policy: Policy,
        *,
        harm: HarmClassifier | None = None,
        rules: FactRules | None = None,
        guard: Guard | None = None,
        scorer: Scorer | None = None,
        reward: Reward | None = None,
        best_of: int = 4,
        temperature: float = 0.8,
        seed: int = 0,
        checks: tuple[str, ...] | None = None,
    ) -> None:
        if (harm is None) != (rules is None) or (harm is not None and guard is not None):
            raise ValueError("harm and rules are given together, and not with a guard")
        if reward is not None and (harm is not None or guard is not None or scorer is not None):
            raise ValueError("a reward is given alone: give it to the guard that there is")
        if best_of < 1 or temperature <= 0:
            raise ValueError(
                f"best_of must be at least 1 and temperature above 0; saw {best_of}, {temperature}"
            )
        self._model = model
        self._scorer = scorer
        self._best_of = best_of
        self._temperature = temperature
        self._seed = seed
        self._log: list[Screened] = []
        self._verdicts: list[GuardVerdict] = []
        self._screener: Screener | Guard
        if harm is not None and rules is not None:
            self._screener = Screener(policy, harm, rules, CHECKS if checks is None else checks)
        else:
            self._screener = guard or Guard(policy, checks=checks, reward=reward)
            reward = self._screener.kit.reward if scorer is None else None
        self._reward = reward

    @property
    def name(self) -> str:
        return f"{self._model.name}+guard"

    @property
    def log(self) -> tuple[Screened, ...]:
        """Every screening so far, oldest first."""
        return tuple(self._log)

    @property
    def verdicts(self) -> tuple[GuardVerdict, ...]:
        """The same in full, where a `Guard` screens."""
        return tuple(self._verdicts)

    def screen(self, messages: Sequence[Message], answer: str | None = None) -> Screened:
        """Screen and log; see `Screener.screen` and `Guard.screen`."""
        if isinstance(self._screener, Screener):
            return self._kept(self._screener.screen(messages, answer))
        return self._noted(messages, self._screener.screen(exchange_of(messages, answer)))

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        """Return `n` screened answers for each prompt.

        Two batches at most reach the model: all prompts that may be answered, then those whose
        answer did not pass. `max_new_tokens` bounds what the model writes, not a refusal. With a
        reward there is one batch, drawn at the guard's own temperature where the given one is 0.
        """
        if self._reward is not None:
            return self._ordered(self._reward, prompts, max_new_tokens, temperature, n, seed)
        before = [self.screen(p) for p in prompts]
        open_ = [i for i, s in enumerate(before) if s.action in _SOFT]
        out: list[list[str]] = [[s.text] * n for s in before]
        first = self._model.generate(
            [prompts[i] for i in open_],
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            n=n,
            seed=self._seed + seed,
        ) if open_ else []  # fmt: skip
        failing: dict[int, list[Screened]] = {}
        for i, answers in zip(open_, first, strict=True):
            checked = [self.screen(prompts[i], a) for a in answers]
            out[i] = [
                _released(s, a) if s.action == "allow" else ""
                for s, a in zip(checked, answers, strict=True)
            ]
            if any(s.action != "allow" for s in checked):
                failing[i] = checked
        soft = {i: a for i, a in zip(open_, first, strict=True) if i in failing}
        for i, instead in self._others(prompts, failing, max_new_tokens, seed).items():
            out[i] = [
                a if s.action == "allow" else instead or self._last_word(s, soft[i][k])
                for k, (s, a) in enumerate(zip(failing[i], out[i], strict=True))
            ]
        return out

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the log-probability of each completion as the first answer to pass.

        A refusal the guard gives without asking the model has 0, everything else there minus
        infinity; a completion that does not pass has minus infinity; one that passes has the
        model's own, which leaves out that it may also be drawn in place of another.
        """
        none = float("-inf")
        out = [none] * len(prompts)
        asked: list[int] = []
        for i, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
            before = self.screen(prompt)
            if before.action not in _SOFT:
                out[i] = 0.0 if completion == before.text else none
            elif self.screen(prompt, completion).action == "allow":
                asked.append(i)
        values = self._model.logprobs(
            [prompts[i] for i in asked], [completions[i] for i in asked]
        ) if asked else []  # fmt: skip
        for i, value in zip(asked, values, strict=True):
            out[i] = value
        return out

    def _ordered(
        self,
        reward: Reward,
        prompts: Sequence[Sequence[Message]],
        max_new_tokens: int,
        temperature: float,
        n: int,
        seed: int,
    ) -> list[list[str]]:
        """For each prompt the `n` best of the answers that pass, and refusals for what is left."""
        before = [self.screen(p) for p in prompts]
        open_ = [i for i, s in enumerate(before) if s.action in _SOFT]
        out: list[list[str]] = [[s.text] * n for s in before]
        drawn = self._model.generate(
            [prompts[i] for i in open_],
            max_new_tokens=max_new_tokens,
            temperature=temperature or self._temperature,
            n=max(n, self._best_of),
            seed=self._seed + seed,
        ) if open_ else []  # fmt: skip
        for i, answers in zip(open_, drawn, strict=True):
            out[i] = self._best_by(reward, prompts[i], answers, n)
        return out

    def _best_by(
        self, reward: Reward, prompt: Sequence[Message], answers: Sequence[str], n: int
    ) -> list[str]:
        exchange = exchange_of(prompt)
        checked = [(self.screen(prompt, a), a) for a in answers]
        passing = [_released(s, a) for s, a in checked if s.action == "allow"]
        try:
            scores = reward.scores(exchange, passing)
        # A reward that fails cannot choose; what it was to choose from is not given blindly.
        except Exception as error:  # noqa: BLE001
            return [self._failed(prompt, passing[0], error, "reward").text] * n
        best = [a for _, a in sorted(zip(scores, passing, strict=True), key=lambda x: -x[0])][:n]
        if len(best) == n:
            return best
        stopped = [x for x in checked if x[0].action != "allow"]
        mildest, answer = min(stopped, key=lambda x: GUARD_ACTIONS.index(x[0].action))
        return [*best, *[self._last_word(mildest, answer)] * (n - len(best))]

    def _others(
        self,
        prompts: Sequence[Sequence[Message]],
        failing: dict[int, list[Screened]],
        max_new_tokens: int,
        seed: int,
    ) -> dict[int, str | None]:
        """For each failing prompt the best other answer that passes; None if none does."""
        if not failing:
            return {}
        where = list(failing)
        drawn = self._model.generate(
            [prompts[i] for i in where],
            max_new_tokens=max_new_tokens,
            temperature=self._temperature,
            n=self._best_of,
            seed=self._seed + seed + 1,
        )
        chosen: dict[int, str | None] = {}
        for i, answers in zip(where, drawn, strict=True):
            passing = [
                _released(s, a)
                for a in dict.fromkeys(answers)
                if (s := self.screen(prompts[i], a)).action == "allow"
            ]
            chosen[i] = self._best(prompts[i], passing)
        return chosen

    def _best(self, prompt: Sequence[Message], answers: Sequence[str]) -> str | None:
        if not answers:
            return None
        if self._scorer is None:
            return answers[0]
        try:
            scores = self._scorer.score([prompt] * len(answers), answers)
            ranked = sorted(zip(scores, answers, strict=True), key=lambda x: -x[0])
        # A scorer that fails cannot choose; what it was to choose from is not given blindly.
        except Exception as error:  # noqa: BLE001
            return self._failed(prompt, answers[0], error, "scorer").text
        return ranked[0][1]

    def _failed(
        self, prompt: Sequence[Message], answer: str, error: Exception, part: str
    ) -> Screened:
        if isinstance(self._screener, Screener):
            return self._kept(self._screener.failed(prompt, answer, error))
        reason = f"{part}: {type(error).__name__}"
        exchange = exchange_of(prompt, answer)
        return self._noted(prompt, self._screener.failed(exchange, (reason,)))

    def _noted(self, messages: Sequence[Message], verdict: GuardVerdict) -> Screened:
        """Keep a verdict, and return it as a screening."""
        self._verdicts.append(verdict)
        return self._kept(
            Screened(
                side="input" if verdict.side == "input" else "output",
                action=verdict.action,
                decision=None,
                act=verdict.act,
                norms=tuple(n.ref for n in verdict.norms),
                languages=verdict.languages,
                text="\n".join(verdict.reasons.values()),
                facts=(),
                risks={f"norm:{norm}": chance for norm, chance in verdict.risks.items()},
                reason=verdict.seen or "nothing was found",
                check=verdict.check,
                conversation=conversation_digest(messages),
                answer=verdict.answer,
            )
        )

    def _last_word(self, screened: Screened, answer: str) -> str:
        """What is given where no answer passes: the refusal, or the answer itself if the norm only
        asks for a better one (`transform`).
        """
        return answer if screened.action == "transform" else screened.text

    def _kept(self, screened: Screened) -> Screened:
        self._log.append(screened)
        return screened


def exchange_of(messages: Sequence[Message], answer: str | None = None) -> Exchange:
    """Return turns of a conversation, with or without an answer, as an exchange."""
    said = tuple(
        Utterance(role=m.role, text=sound(m.content), where=f"messages[{i}].content")
        for i, m in enumerate(messages)
    )
    return Exchange(utterances=said, answer=None if answer is None else sound(answer))


def _released(screened: Screened, answer: str) -> str:
    """Return the answer if this very text was screened and allowed; nothing else gets out."""
    if screened.action != "allow" or screened.answer != answer_digest(answer):
        raise AssertionError("an answer was to be given that its screening does not cover")
    return answer
