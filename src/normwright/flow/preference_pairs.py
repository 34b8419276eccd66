"""Score pairs that people judged with any model on disk, whatever form the pairs come in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from normwright.flow.extras import require_learning
from normwright.records import (
    Fault,
    InputError,
    JudgedPair,
    Message,
    PreferencePair,
    digest_bytes,
)

if TYPE_CHECKING:
    from normwright.evaluate import PreferenceScores

Told: TypeAlias = Callable[[int, int, str], None]
"""Called with (answers scored, answers in all, what scores them)."""
By: TypeAlias = Literal["reward", "implicit", "likelihood"]

AT_ONCE: Final = 64
"""Answers a call, after which somebody is told."""


@dataclass(frozen=True)
class PairsMeasured:
    """What a model scores on pairs, with what was read and how."""

    model: Path
    data: Path
    scores: PreferenceScores
    cut: int
    """Answers of which the model did not read everything, for length."""
    left_out: dict[str, int]
    """Pairs of the file that were not asked, by the reason."""
    scale: float | None
    reference: Path | None = None
    train: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            **self.scores.as_json(),
            "model": str(self.model),
            "reference": self.reference and str(self.reference),
            "train": self.train and str(self.train),
            "file": str(self.data),
            "file_digest": digest_bytes(self.data.read_bytes()),
            "beta": self.scale if self.scores.by == "implicit" else None,
            "answers_cut": self.cut,
            "left_out": self.left_out,
        }


def measured_pairs(
    model: Path,
    data: Path,
    *,
    reference: Path | None = None,
    likelihood: bool = False,
    train: Path | None = None,
    beta: float = 0.1,
    seed: int = 0,
    threads: int | None = None,
    told: Told | None = None,
) -> PairsMeasured:
    """Return how often a model scores the answer higher that people prefer.

    Args:
        model: a reward model, or a language model; then its implicit reward over `reference` is
            taken, or with `likelihood` its own log-likelihood.
        data: pairs, in the columns of `learn prefer` or in any form `elicit` reads judged pairs in.
        reference: the model that tuning started from.
        likelihood: score a language model by the log-likelihood of its answers.
        train: the pairs the model was trained on: baselines are fitted on them.
        beta: scale of the implicit reward.
        seed: seed of folds and resampling.
        threads: None is one a core.
        told: told how far scoring is.

    Raises:
        InputError: with every fault of files and models, or if a language model comes without word
            of how to score with it.
        MissingExtra: if no model can be opened here.
    """
    require_learning("The suite preference-pairs")
    from normwright.evaluate import preference_pairs
    from normwright.models.local import use_threads

    pairs, left_out = read_pairs(data)
    fitted_on = None if train is None else read_pairs(train)[0]
    use_threads(threads)
    by, scale, score, fits, cut = _scoring(model, reference, likelihood, beta)
    if fits is not None:
        kept = [p for p in pairs if fits(p.prompt, p.chosen) and fits(p.prompt, p.rejected)]
        if len(kept) < len(pairs):
            left_out = {**left_out, "too-long": len(pairs) - len(kept)}
        pairs = kept
    margins = _margins(pairs, score, f"{by}, {model.name}", told)
    scores = preference_pairs(pairs, margins, by=by, scale=scale, fitted_on=fitted_on, seed=seed)
    return PairsMeasured(
        model, data, scores, cut(), left_out, scale, reference if by == "implicit" else None, train
    )


def read_pairs(path: Path) -> tuple[list[PreferencePair], dict[str, int]]:
    """Return the pairs of a file, whichever of the known forms it has, and what was left out.

    Raises:
        InputError: with every fault of the file.
    """
    from normwright.elicit import read_judged_pairs
    from normwright.elicit.sheets import first_object
    from normwright.learn.rows.reading import PREFERENCE, read_preferences

    if not path.is_file():
        raise InputError([Fault(where=str(path), expected="a file of pairs", seen="no such file")])
    columns = set(first_object(path))
    if {"chosen", "rejected"} <= columns and columns <= set(PREFERENCE) and "prompt" in columns:
        return read_preferences(path), {}
    found = read_judged_pairs([path], root=path.parent)
    return (
        [preference_of(pair) for pair in found.pairs],
        {f.kind: f.count for f in found.faults if f.policy.startswith("left out")},
    )


def preference_of(pair: JudgedPair) -> PreferencePair:
    """Return a judged pair as a preference with the share of its people; a tie is half a vote."""
    people = pair.prefer_first + pair.prefer_second + pair.ties
    return PreferencePair(
        scene=pair.id,
        lang=pair.lang,
        prompt=pair.prompt,
        chosen=pair.first,
        rejected=pair.second,
        p_chosen=(pair.prefer_first + pair.ties / 2) / people,
        weight=float(people),
        norms=(),
        layer="organisation",
        origin="human",
        process_kind="human",
        licence=pair.licence,
        family=pair.cluster,
    )


_Score: TypeAlias = Callable[[Sequence[Sequence[Message]], Sequence[str]], list[float]]
_Fits: TypeAlias = Callable[[Sequence[Message], str], bool]


def _scoring(
    model: Path, reference: Path | None, likelihood: bool, beta: float
) -> tuple[By, float | None, _Score, _Fits | None, Callable[[], int]]:
    """What scores an answer: by what, the scale of its logit, how, what fits, how many were cut."""
    from normwright.models.encoder import Classifier
    from normwright.models.kinds import is_classifier, opened_config
    from normwright.models.local import LocalModel, check_directory
    from normwright.models.process import ProcessScorer, is_process

    process = is_process(model)
    if not process:
        check_directory(model)
    config = None if process else opened_config(model)
    if process or is_classifier(config):
        if reference is not None or likelihood:
            asked = "--reference" if reference is not None else "--likelihood"
            raise InputError([
                Fault(where=asked, expected="a language model", seen=f"{model} is a reward model",
                      do="Leave it out: a reward model scores answers by itself."),
            ])  # fmt: skip
        opener = ProcessScorer if process else Classifier
        scorer: ProcessScorer | Classifier = opener.open(model)
        # Of a head that knows how far people differ, a difference of means alone is no logit.
        head = (getattr(config, "reward", None) or {}).get("head", "pooled")
        return "reward", None if head == "spread" else 1.0, scorer.score, None, lambda: scorer.cut
    if (reference is None) != likelihood:
        raise InputError([
            Fault(where=str(model), expected="one of --reference DIR and --likelihood",
                  seen="a language model, and " + ("neither" if reference is None else "both"),
                  do="Give the model that tuning started from, or say --likelihood."),
        ])  # fmt: skip
    policy = LocalModel.open(model)
    if reference is None:
        return "likelihood", None, policy.logprobs, policy.fits, lambda: 0
    base = LocalModel.open(reference)

    def implicit(prompts: Sequence[Sequence[Message]], answers: Sequence[str]) -> list[float]:
        both = policy.logprobs(prompts, answers), base.logprobs(prompts, answers)
        return [a - b for a, b in zip(*both, strict=True)]

    def fit_both(prompt: Sequence[Message], answer: str) -> bool:
        return policy.fits(prompt, answer) and base.fits(prompt, answer)

    return "implicit", beta, implicit, fit_both, lambda: 0


def _margins(
    pairs: Sequence[PreferencePair], score: _Score, what: str, told: Told | None
) -> list[float]:
    """Score of the first answer less that of the second, asked in batches of like length."""
    rows = [(p.prompt, text) for p in pairs for text in (p.chosen, p.rejected)]
    size = [sum(len(m.content) for m in prompt) + len(text) for prompt, text in rows]
    order = sorted(range(len(rows)), key=size.__getitem__)
    values = [0.0] * len(rows)
    for start in range(0, len(order), AT_ONCE):
        part = order[start : start + AT_ONCE]
        said = score([rows[i][0] for i in part], [rows[i][1] for i in part])
        for i, value in zip(part, said, strict=True):
            values[i] = value
        if told is not None:
            told(start + len(part), len(order), what)
    return [a - b for a, b in zip(values[0::2], values[1::2], strict=True)]
