"""The recipes that `normwright learn` runs on files: what each reads, and how it is called."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from normwright.flow.learning.job import Job, Made
from normwright.flow.tunings import (
    Cost,
    Imitation,
    Preference,
    Pretraining,
    Reinforcement,
    Reward,
    Tuning,
    Unlearning,
)
from normwright.flow.tunings.arguments import (
    forgetting_of,
    preference_objective_of,
    pretraining_objective_of,
    reward_of,
)
from normwright.flow.tunings.worth import budget_of, constraints_of, groups_of, notes_on, signal_of
from normwright.records import Fault, Forgotten, InputError

if TYPE_CHECKING:
    from normwright.learn import PreferenceReport
    from normwright.models.local import LocalModel
    from normwright.records import PreferencePair, ScoredAnswers


@dataclass(frozen=True)
class Trainable:
    """A recipe as files are put to it."""

    settings: type[Tuning]
    run: Callable[[Job[Any]], Made]
    role: str
    """Name of what it makes: `tuned`, `reward`, `aligned`."""
    extra: tuple[str, ...] = ()
    """Options with further files that it can read, beside its rows."""
    held_to: Literal["", "start", "given"] = ""
    """What training holds on to, if anything: the model it starts from, or the one that the option
    `reference` gives in its place."""
    begin: Callable[[Path, Any, int], LocalModel | None] = lambda data, settings, seed: None
    """From rows, settings and seed to a model that it starts from in the place of a given one, or
    None."""


def _sft(job: Job[Imitation]) -> Made:
    from normwright import learn

    rows = learn.read_demonstrations(job.data)
    tuned, metrics = learn.sft(
        job.start, rows, loop=job.loop, lora=job.lora, running=job.running,
        limit=job.limit, packing=job.settings.packing,
        permit=job.permit, unpermitted=job.unpermitted,
    )  # fmt: skip
    return Made(tuned.weights, tuned.tokenizer, len(rows), metrics)


def _reward(job: Job[Reward]) -> Made:
    from normwright import learn
    from normwright.models.kinds import is_encoder, opened_config
    from normwright.models.local import check_directory

    assert job.place is not None  # a reward model starts from one there is
    check_directory(job.place)
    if is_encoder(opened_config(job.place)):
        return _reward_on_encoder(job)
    how = reward_of(job.settings)
    rows = learn.read_preferences(job.data)
    weights, metrics = learn.reward(
        job.start, rows, loop=job.loop, running=job.running, limit=job.limit, **how,
        permit=job.permit, unpermitted=job.unpermitted,
    )  # fmt: skip
    about = getattr(weights.config, "reward", None) or {}
    return Made(
        weights, job.start.tokenizer, len(rows), metrics, _resampled(about),
        {"reward": about} if about else {},
    )  # fmt: skip


def _resampled(about: Mapping[str, Any]) -> tuple[str, ...]:
    """What whoever reads the spread of an ensemble's members has to know."""
    if about.get("resampled") == "participants":
        return (f"Members were resampled over {about['units']} people.",)
    if about.get("resampled") == "clusters":
        return (
            f"Members were resampled over {about['units']} clusters of pairs, as not every pair "
            "has votes: their spread is over other questions, not over other people.",
        )
    return ()


def _reward_on_encoder(job: Job[Reward]) -> Made:
    from normwright import learn
    from normwright.models.encoder import fresh_classifier
    from normwright.models.process import ENCODER

    assert job.place is not None  # it was an encoder's
    _refuse_what_an_encoder_ignores(job)
    how = job.settings
    rows = learn.read_preferences(job.data)
    start = fresh_classifier(
        job.place, seed=job.seed, limit=job.settings.longest, random=job.settings.random_init
    )
    right: dict[str, Any] = {"permit": job.permit, "unpermitted": job.unpermitted}
    scorer = None
    if how.head == "process":
        scorer, metrics = learn.reward_process(start, rows, **right)
        weights = scorer.encoder.weights
    elif how.frozen == "all":
        weights, metrics = learn.reward_head(start, rows, seed=job.seed, **right)
    else:
        weights, metrics = learn.reward_encoder(
            start, rows, loop=job.loop, lora=job.lora, frozen=how.frozen, garbled=how.garbled,
            running=job.running, **right,
        )  # fmt: skip
    cut = int(metrics["answers_cut"])
    notes = [
        f"It reads at most {start.form.limit} tokens: the end of a conversation, and an answer."
    ]
    if cut:
        notes.append(f"{cut} of {2 * len(rows)} answers were read without the beginning of their "
                     "conversation.")  # fmt: skip
    if job.settings.random_init:
        notes.append("Its trunk started from nothing: a control.")
    if scorer is None:
        return Made(weights, start.tokenizer, len(rows), metrics, notes=tuple(notes))
    return Made(
        weights, start.tokenizer, len(rows), metrics, notes=(*notes, *PROCESS),
        folder=ENCODER, beside=scorer.save,
    )  # fmt: skip


def _cost(job: Job[Cost]) -> Made:
    from normwright import learn
    from normwright.models.kinds import is_encoder, opened_config
    from normwright.models.local import check_directory

    assert job.place is not None  # a cost model starts from one there is
    check_directory(job.place)
    labels = job.extra.get("labels")
    faults = []
    if labels is None:
        faults.append(Fault(where="labels", expected="answers with `unsafe`, the share of people "
                            "who find them so", seen="none",
                            do="Give --labels: from pairs alone 0 means nothing."))  # fmt: skip
    if is_encoder(opened_config(job.place)):
        faults.append(Fault(where=str(job.place), expected="a language model", seen="an encoder"))
    if faults or labels is None:
        raise InputError(faults)
    rows, known = learn.read_preferences(job.data), learn.read_labelled(labels)
    weights, metrics = learn.cost(
        job.start, rows, known, loop=job.loop, limit=job.limit, lora=job.lora, running=job.running,
        permit=job.permit, unpermitted=job.unpermitted,
    )  # fmt: skip
    return Made(weights, job.start.tokenizer, len(rows) + len(known), metrics, (UNSEEN,))


UNSEEN: Final = (
    "Above 0 it says unsafe. How often that is right of answers it has not seen was not measured; "
    "a limit on it is as good as that."
)


PROCESS: Final = (
    "A Gaussian process over states of a frozen encoder: `normwright evaluate run` opens it, plain "
    "transformers its encoder alone.",
    "It holds states of the answers and prompts it learned from: it is as private as they are.",
)


TRAINED: Final = ("epochs", "steps", "lr", "batch", "warmup", "decay", "weight_decay", "lora",
                  "save_every", "garbled")  # fmt: skip
"""Settings of a reward on an encoder that say how weights are trained, where some are."""


def _refuse_what_an_encoder_ignores(job: Job[Reward]) -> None:
    """Raise one error naming the settings that would not be followed."""
    how, plain = job.settings, Reward()
    process, frozen = how.head == "process", how.frozen == "all"
    names = ("likelihood", "gamma", "prior", "length", *(() if process else ("head",)))
    seen = dict.fromkeys(names, f"{job.place} is an encoder")
    expected = dict.fromkeys(names, "a language model")
    if process or frozen:
        told = "head: process" if process else "frozen: all"
        more = (*TRAINED, *(("frozen",) if process else ()))
        seen |= dict.fromkeys(more, told)
        expected |= dict.fromkeys(more, "weights that are trained by steps")
    asked = [one for one in seen if getattr(how, one) != getattr(plain, one)]
    if asked:
        raise InputError([
            Fault(where=name, expected=expected[name], seen=seen[name],
                  do="Leave the setting out.")
            for name in asked
        ])  # fmt: skip


def _prefer(job: Job[Preference]) -> Made:
    from normwright import learn
    from normwright.models.encoder import open_scorer
    from normwright.models.local import LocalModel

    how, files = job.settings, job.extra
    _refuse_an_ambiguous_reference(job)
    rows: Sequence[PreferencePair] | Sequence[ScoredAnswers]
    if how.method == "listwise":
        rows = learn.read_scored_answers(job.data)
        liked = learn.best_answers(rows)
    else:
        rows = learn.read_preferences(job.data)
        liked = learn.preferred_answers(rows)
    anchors, held = files.get("demonstrations"), files.get("held_out")
    reports: list[PreferenceReport] = []
    reference = files.get("reference")
    aligned, metrics = learn.prefer(
        job.start, rows, learn.read_demonstrations(anchors) if anchors else liked,
        loop=job.loop, lora=job.lora, running=job.running, limit=job.limit,
        beta=how.beta, anchor=how.sft_anchor, majority=how.majority_anchor,
        objective=preference_objective_of(how),
        reference=LocalModel.open(reference, name="reference") if reference else None,
        fixed={name: (open_scorer(Path(name)), w) for name, w in how.auxiliary.items()},
        held=learn.read_preferences(held) if held else (),
        told=reports.append,
        permit=job.permit, unpermitted=job.unpermitted,
    )  # fmt: skip
    report = reports[0]
    return Made(aligned.weights, aligned.tokenizer, len(rows), metrics, notes=report.notes,
                extra={"preferences": report.as_json()})  # fmt: skip


def _reinforce(job: Job[Reinforcement]) -> Made:
    from normwright import learn
    from normwright.learn.recipes.reinforce import digest_of
    from normwright.models.local import LocalModel

    how, files = job.settings, job.extra
    _refuse_an_ambiguous_reference(job)
    rows = learn.read_prompts(job.data)
    held = files.get("reference")
    reference = LocalModel.open(held, name="reference") if held else None
    given = files.get("reward")
    reward = signal_of([given] if given else [Path(one) for one in how.rewards], how)
    made, metrics = learn.reinforce(
        job.start, rows, loop=job.loop, lora=job.lora, running=job.running,
        reward=reward, groups=groups_of(how, job.start, rows, seed=job.seed),
        constraints=constraints_of(how), budget=budget_of(how), beta=how.beta,
        generations=how.generations, length=how.length, unscored=how.unscored, reference=reference,
        permit=job.permit, unpermitted=job.unpermitted,
    )  # fmt: skip
    extra = {"reference": digest_of((reference or job.start).weights)}
    return Made(made.weights, made.tokenizer, len(rows), metrics, notes_on(how, metrics), extra)


PREFERRED: Final = ("prefer", "reinforce")
"""Recipes after which it is open what a further run is to be held to."""


def _refuse_an_ambiguous_reference(job: Job[Any]) -> None:
    """Raise if it is not clear what the model is to be held to."""
    if job.place is None or "reference" in job.extra:
        return
    faults = []
    if (job.place / "adapter_config.json").exists():
        faults.append(Fault(where=str(job.place), expected="one model", seen="adapters too",
                            do="Merge them, or say which is meant: --reference DIR."))  # fmt: skip
    card = job.place / "run.json"
    recipe = ""
    if card.is_file():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            recipe = json.loads(card.read_text(encoding="utf-8"))["model"]["recipe"]
    if recipe in PREFERRED:
        faults.append(
            Fault(
                where=str(job.place),
                expected="a model that no preferences were learned in yet",
                seen=f"one that {recipe} made",
                do="Say what it is held to, itself or the model it came from: --reference DIR. "
                "Held to itself, preferences count twice.",
            )
        )
    if faults:
        raise InputError(faults)


def _unlearn(job: Job[Unlearning]) -> Made:
    from normwright import learn
    from normwright.learn.forgetting import account, memory_rows, token_loss
    from normwright.learn.recipes.unlearn import WARNING
    from normwright.models.local import LocalModel

    science, start = job.settings, job.start
    kept, trained_again = job.extra.get("retain"), job.extra.get("reference")
    forget = learn.read_memories(job.data)
    retain = learn.read_memories(kept) if kept else []
    reference = LocalModel.open(trained_again) if trained_again else None
    rows = [memory_rows(start.tokenizer, one, limit=job.limit) for one in (forget, retain)]
    stop = None
    if science.check_every:
        aim = None if reference is None else token_loss(reference, rows[0])
        stop = learn.Stop(aim, science.retain_bound, every=science.check_every)
    made, metrics = learn.unlearn(
        start, forget, retain, loop=job.loop, how=forgetting_of(science), stop=stop,
        limit=job.limit, lora=job.lora, running=job.running, permit=job.permit,
        unpermitted=job.unpermitted,
    )  # fmt: skip
    told = account(
        start, made, *rows, reference=reference, relearn=science.relearn, band=science.band,
        lr=science.lr, batch=science.batch, seed=job.seed,
    )  # fmt: skip
    notes = (WARNING, *(() if reference else (UNMEASURED,)))
    departed, measured = job.departed, told.get("distance")
    forgotten = None
    if departed is not None:
        forgotten = Forgotten(
            withdrawals=departed.withdrawals,
            method=science.method,
            rows=len(forget),
            shares=departed.shares,
            rebuilt=None if reference is None else learn.weights_digest(reference),
            before=measured["forget"]["before"] if measured else None,
            after=measured["forget"]["after"] if measured else None,
            kept=measured["retain"]["after"] if measured else None,
        )
        if departed.shares:
            notes = (*notes, SHARES.format(rows=departed.shares))
    return Made(
        made.weights, made.tokenizer, len(forget), metrics, notes=notes,
        extra={"forgetting": told, "reference": learn.weights_digest(start)},
        forgotten=forgotten,
    )  # fmt: skip


SHARES: Final = (
    "{rows} rows stay whose share the votes of those who withdrew changed. Their votes are still in"
    " the weights; only training again on the new shares takes them out."
)


def _begin_pretraining(data: Path, settings: Pretraining, seed: int) -> LocalModel | None:
    """Return a model of random weights with a tokenizer of the text, if a shape was asked for."""
    from normwright import learn

    if settings.shape is None:
        return None
    texts = (passage.text for passage in learn.read_passages(data))
    return learn.scratch_model(texts, shape=learn.SHAPES[settings.shape], seed=seed)


def _pretrain(job: Job[Pretraining]) -> Made:
    from normwright import learn
    from normwright.learn.pretraining.objectives import SUMMARY

    passages = learn.read_passages(job.data)
    made, metrics = learn.pretrain_on(
        job.start, passages, loop=job.loop, row=job.settings.row,
        objective=pretraining_objective_of(job.settings),
        lora=job.lora, running=job.running, permit=job.permit, unpermitted=job.unpermitted,
    )  # fmt: skip
    licences = dict(sorted(Counter(p.licence for p in passages).items()))
    return Made(
        made.weights, made.tokenizer, len(passages), metrics,
        notes=(SUMMARY[job.settings.objective],), extra={"licences": licences},
    )  # fmt: skip


UNMEASURED: Final = (
    "No model trained again without the rows was given (--reference), so that nobody knows how far"
    " this one is from having forgotten."
)


RECIPES: Final[Mapping[str, Trainable]] = {
    "sft": Trainable(Imitation, _sft, "tuned"),
    "reward": Trainable(Reward, _reward, "reward"),
    "cost": Trainable(Cost, _cost, "cost", ("labels",)),
    "prefer": Trainable(
        Preference, _prefer, "aligned", ("demonstrations", "held_out", "reference"), "given"
    ),
    "reinforce": Trainable(
        Reinforcement, _reinforce, "reinforced", ("reward", "reference"), "given"
    ),
    "pretrain": Trainable(Pretraining, _pretrain, "base", begin=_begin_pretraining),
    "unlearn": Trainable(Unlearning, _unlearn, "unlearned", ("retain", "reference"), "start"),
}
"""By name, in the order in which a model goes through them."""
