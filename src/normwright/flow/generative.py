"""Suites of written answers for `evaluate run`: opens the model, the guard and the judge of each.

A judge comes from another room than the suite: the reader of harm is the guard's, a language model
is one of its own. Here they meet, and here it is seen that no judge is what it judges, nor the
guard that stood before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from normwright.records import Digest, Fault, InputError

if TYPE_CHECKING:
    from normwright.evaluate.generative import Asking, Gauged, Generative, GenerativeResult, Prompt
    from normwright.flow.suite_asked import SuiteAsked, Told
    from normwright.guard import GuardedModel
    from normwright.models import Model

NAMES: Final = (
    "generation-toxicity", "refusal", "truthful-answers", "sycophancy", "instructions",
)  # fmt: skip
JUDGED: Final[Mapping[str, str]] = {
    "generation-toxicity": "toxic", "refusal": "refuses", "truthful-answers": "true",
}  # fmt: skip
"""Suites that a judge reads, with what a language model is asked as one."""
BATCH: Final = 16


@dataclass(frozen=True)
class GenerativeRan:
    """A generative suite's result, and where it was written."""

    result: GenerativeResult
    files: tuple[Path, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {**self.result.as_json(), "files": [str(file) for file in self.files]}


def run_generative(asked: SuiteAsked, told: Told | None = None) -> GenerativeRan:
    """Run one generative suite on one model, perhaps behind a guard.

    Raises:
        InputError: with every fault of the data, the model, the guard or the judge; if the judge is
            the model, or reads with what the guard reads with.
        MissingExtra: if a model cannot be opened here.
        RemoteError: if an endpoint does not answer as it should.
    """
    from normwright.evaluate.generative import check_judge_apart, measure_answers, sampled

    _check(asked)
    asking = _asking(asked)
    prompts = sampled(asking.prompts, asked.limit, seed=asked.seed)
    model, digest, name = _model(asked)
    judge = _judge(asked)
    suite = _suite(asked.suite, judge)
    asker: Model = model
    guarded = None if asked.guard is None else _guarded(model, asked.guard)
    others: dict[str, Digest] = {"model": digest}
    if guarded is not None:
        asker, reads = guarded[0], guarded[1]
        others |= {"guard": reads} if reads is not None else {}
    if judge is not None:
        check_judge_apart(judge, others)
        _check_rewarders(asked)
    answers = _answers(asker, prompts, suite, asked.seed, told, name)
    more: dict[str, Any] = {"guard": None, "max_new_tokens": suite.max_new_tokens}
    if guarded is not None:
        answers, stopped = _plain_refusals(guarded[0], prompts, answers)
        more["guard"] = {"place": str(asked.guard), "refused": stopped, "reads_with": guarded[1]}
    fresh = _fresh_answers(asked, model, prompts, suite, told)
    result = measure_answers(
        suite, asking, prompts, answers, model=name, model_digest=digest, judge=judge,
        seed=asked.seed, random_init=fresh, version=version("normwright"), more=more,
    )  # fmt: skip
    files: tuple[Path, ...] = () if asked.out is None else result.write(asked.out)
    if asked.inspect is not None:
        from normwright.flow.inspect_logs import write_written_log

        files += (write_written_log(result, asked.inspect),)
    return GenerativeRan(result, files)


def _check(asked: SuiteAsked) -> None:
    """Raise one error with everything that is wrong with what was asked for, before any work."""
    from normwright.evaluate.generative import LANGUAGES

    faults = []
    if asked.lang not in LANGUAGES:
        faults.append(Fault(where="--lang", expected=f"one of {', '.join(LANGUAGES)}",
                            seen=str(asked.lang or "none"),
                            do="One call measures one language."))  # fmt: skip
    if asked.data is not None and not asked.data.is_file():
        faults.append(Fault(where=str(asked.data), expected="a file of rows", seen="no such file"))
    if asked.judge is not None and asked.suite not in JUDGED:
        faults.append(Fault(where="--judge", expected=f"one of {', '.join(JUDGED)}",
                            seen=f"{asked.suite}, which is checked to the letter"))  # fmt: skip
    if asked.judge_served is not None and "://" not in (asked.judge or ""):
        faults.append(Fault(where="--judge-served", expected="a judge at an address",
                            seen=asked.judge or "no --judge"))  # fmt: skip
    if faults:
        raise InputError(faults)


def _asking(asked: SuiteAsked) -> Asking:
    from normwright.evaluate import generative as room

    lang = asked.lang or ""
    match asked.suite:
        case "generation-toxicity":
            return room.toxicity_prompts(lang, asked.data, seed=asked.seed)
        case "refusal":
            return room.refusal_prompts(lang, asked.data)
        case "truthful-answers":
            return room.truthful_prompts(lang, asked.data)
        case "sycophancy":
            return room.sycophancy_prompts(lang, asked.data)
        case _:
            return room.instruction_prompts(lang, asked.data)


def _suite(name: str, judge: Gauged | None) -> Generative:
    from normwright.evaluate import generative as room

    if judge is None:
        return room.sycophancy_suite() if name == "sycophancy" else room.instruction_suite()
    made = {"generation-toxicity": room.toxicity_suite, "refusal": room.refusal_suite,
            "truthful-answers": room.truthful_suite}  # fmt: skip
    return made[name](judge)


def _model(asked: SuiteAsked) -> tuple[Any, Digest, str]:
    from normwright.flow.suite_asked import opened_model

    return opened_model(asked, chat=True)


# Judges


def _judge(asked: SuiteAsked) -> Gauged | None:
    if asked.suite not in JUDGED:
        return None
    if asked.judge is not None:
        return _model_judge(asked, JUDGED[asked.suite])
    return shipped_judge(asked.suite)


def shipped_judge(suite: str) -> Gauged:
    """Return the judge that ships for a suite, with its measured errors."""
    from normwright.evaluate import generative as room

    match suite:
        case "refusal":
            return room.refusal_rule()
        case "truthful-answers":
            return room.truth_judge()
        case _:
            return harm_judge()


def harm_judge() -> Gauged:
    """Return the shipped reader of harm as a judge of toxic text.

    Its errors were counted for one version of its weights. For any other they are unknown, and so
    is the corrected rate.
    """
    from normwright.evaluate.generative import Errors, Gauged, shipped_errors, text_flags
    from normwright.guard.text_harm import TextHarm

    harm, card = TextHarm.embedded(), shipped_errors()
    at = [harm.labels.index(label) for label in card["labels"]]

    def read(texts: Sequence[str]) -> Sequence[float]:
        return [float(p) for p in harm.chances(texts)[:, at].max(axis=1)]

    known = card["reader"] == harm.digest
    return Gauged(
        name="text-harm",
        what=f"probability of {' or '.join(card['labels'])} from a threshold on",
        flags=text_flags(read, card["thresholds"]),
        digest=harm.digest,
        errors={
            lang: Errors(tuple(e["sensitivity"]), tuple(e["specificity"]))
            for lang, e in card["errors"].items()
        } if known else {},
        measured_on=card["measured_on"] if known else "other weights than these",
        trained_on=card["trained_on"],
        seed=card["seed"],
    )  # fmt: skip


def _model_judge(asked: SuiteAsked, question: str) -> Gauged:
    """A language model as the judge; only of refusals are there labelled answers to gauge it on."""
    from normwright.evaluate.generative import (
        Gauged,
        ModelFlags,
        gauge_flags,
        labelled_refusals,
        rubric_digest,
    )
    from normwright.models.judges import KEY

    assert asked.judge is not None
    import os

    key = KEY if KEY in os.environ else None
    as_model = replace(asked, model=asked.judge, served=asked.judge_served,
                       key_env=key if asked.judge.startswith("http") else None)  # fmt: skip
    model, digest, name = _model(as_model)
    flags = ModelFlags(model, question)
    labelled = labelled_refusals() if question == "refuses" else []
    errors = gauge_flags(flags, labelled) if labelled else {}
    told = (
        f"; of {flags.asked} replies {flags.unparsed} were neither yes nor no" if labelled else ""
    )
    return Gauged(
        name=name,
        what=f"a language model asked: {question} ({rubric_digest(question)})",
        flags=flags,
        digest=digest,
        errors=errors,
        measured_on=f"answers of the package labelled by hand{told}" if labelled else "",
        trained_on="unknown",
        seed=asked.seed,
    )


def _check_rewarders(asked: SuiteAsked) -> None:
    """See that the judge is nothing that the model's own run card says it was rewarded by."""
    from normwright.flow.run_card import card_of

    if asked.judge is None or "://" in asked.judge or "://" in asked.model:
        return
    card = card_of(Path(asked.model))
    named = [] if card is None else card.settings.get("rewards") or []
    if Path(asked.judge).resolve() in {Path(str(one)).resolve() for one in named}:
        raise InputError([
            Fault(where="--judge", expected="another than what rewarded the model",
                  seen=f"{asked.judge}, as {asked.model}/run.json says",
                  do="Who was trained to please a judge pleases it; name another.")
        ])  # fmt: skip


# Answers


def _answers(
    model: Model, prompts: Sequence[Prompt], suite: Generative, seed: int, told: Told | None,
    name: str,
) -> tuple[str, ...]:  # fmt: skip
    from normwright.evaluate.generative import ask_prompts

    def progress(done: int, total: int) -> None:
        if told is not None:
            told(done, total, f"{suite.name}, {name}")

    return ask_prompts(model, prompts, max_new_tokens=suite.max_new_tokens, seed=seed,
                       batch=BATCH, progress=progress)  # fmt: skip


def _fresh_answers(
    asked: SuiteAsked, model: Any, prompts: Sequence[Prompt], suite: Generative, told: Told | None
) -> Sequence[str] | str:
    from normwright.flow.suite_asked import fresh_model, no_fresh

    fresh = None if asked.no_controls else fresh_model(model, asked.seed)
    if fresh is None:
        return no_fresh(asked)
    return _answers(fresh, prompts, suite, asked.seed, told, "random-init")


def _guarded(model: Model, place: Path) -> tuple[GuardedModel, Digest | None]:
    """The model behind a guard, and the digest of what the guard reads texts with."""
    from normwright.flow.guards import open_guard
    from normwright.guard import GuardedModel
    from normwright.guard.opening import classifier_digest

    guard = open_guard(place)
    return GuardedModel(model, guard.policy, guard=guard), classifier_digest(guard)


def _plain_refusals(
    guarded: GuardedModel, prompts: Sequence[Prompt], answers: Sequence[str]
) -> tuple[tuple[str, ...], int]:
    """The answers, with what the guard said in its own name put as one plain refusal.

    That the guard refused is known and need not be judged, whatever words its norms have.
    """
    from normwright.evaluate.generative.scoring import REFUSAL

    own = {s.text for s in guarded.log if s.action not in ("allow", "transform") and s.text}
    out = tuple(REFUSAL[p.lang] if a in own else a for p, a in zip(prompts, answers, strict=True))
    return out, sum(a in own for a in answers)
