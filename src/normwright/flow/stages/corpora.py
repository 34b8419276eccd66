"""From what people wrote and judged elsewhere to rows: the step `learn.corpora`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from normwright.flow.engine import Context
from normwright.flow.project import Project
from normwright.flow.settings import FILE
from normwright.flow.stages.labels import norm_of, open_reader
from normwright.flow.stages.stored import (
    files_under,
    folder_of,
    judged_pairs,
    lines_of,
    occurrences,
)
from normwright.records import (
    Dataset,
    Demonstration,
    Fault,
    InputError,
    JudgedPair,
    Message,
    PreferencePair,
    Record,
)

if TYPE_CHECKING:
    from normwright.learn import Breach, Corpus


def corpora(project: Project, context: Context) -> list[Record]:
    """Draw instructions and judged pairs, curate them, and keep some pairs to measure on."""
    from normwright import learn

    settings, sources = project.settings.learn, project.settings.sources
    fits = _Fits(project, context)
    breach = _breach(context)
    pairs = judged_pairs(context) if sources.pairs else []
    context.progress(0, 2, "instructions")
    shown = learn.instruct(
        learn.read_instructions(files_under(project, sources.demonstrations)),
        count=settings.instructions,
        seed=context.seed,
        fits=fits,
        breach=breach,
        held=learn.held_prompts(pairs, settings.held_out),
    )
    context.progress(1, 2, "judged pairs")
    judged = learn.prefer_judged(
        pairs,
        count=settings.judged,
        held_out=settings.held_out,
        held=project.settings.evaluate.held_pairs,
        seed=context.seed,
        fits=fits,
        breach=breach,
    )
    if sources.pairs:
        _check_enough(judged, pairs, settings.held_out)
    demonstrations = shown.demonstrations or tuple(learn.preferred_answers(judged.pairs))
    origins = tuple(digest for step in context.step.after for digest in context.made(step))
    made = [_dataset(context, "demonstrations", demonstrations, shown, origins)]
    if sources.pairs:
        made += [
            _dataset(context, "pairs", judged.pairs, judged, origins),
            _dataset(context, "held-out", judged.held, None, origins),
        ]
    return list(made)


def _check_enough(judged: Corpus, pairs: Sequence[JudgedPair], share: float) -> None:
    """Refuse to train where nothing is left to learn from, or nothing to measure on."""
    if judged.pairs and judged.held:
        return
    prompts = len({pair.cluster for pair in pairs})
    raise InputError(
        [
            Fault(
                where=f"{FILE}: sources.pairs",
                expected="pairs to learn from, and pairs of other prompts to measure on",
                seen=f"{len(judged.pairs)} and {len(judged.held)}, of {len(pairs)} pairs on "
                f"{prompts} prompts ({_told(judged.left_out)})",
                do=f"Give pairs on more prompts, or change learn.held_out ({share}) or "
                "learn.longest.",
            )
        ]
    )


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in counts.items()) or "none left out"


class _Fits:
    """Whether a conversation is short enough, in the tokens of the base model."""

    def __init__(self, project: Project, context: Context) -> None:
        from normwright.models.local import load_tokenizer

        self._tokenizer = load_tokenizer(folder_of(context, "learn.base", "base"))
        self._limit = project.settings.learn.longest

    def __call__(self, prompt: Sequence[Message], answer: str) -> bool:
        from normwright.models.chat import render

        said = [*prompt, Message(role="assistant", content=answer)]
        text = render(self._tokenizer, said, answer=False)
        # A token holds at least one byte, and seldom more than sixteen characters.
        if len(text) > 16 * self._limit:
            return False
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"]) <= self._limit


def _breach(context: Context) -> Breach | None:
    """Return what tells a breach of the labelled norm, if that norm is never traded."""
    from normwright.learn import Breach

    if "guard.labels" not in context.step.after:
        return None
    norm, hard = norm_of(context)
    return Breach(norm, open_reader(context).breaches) if hard else None


def _dataset(
    context: Context,
    kind: Literal["demonstrations", "pairs", "held-out"],
    rows: Sequence[Demonstration | PreferencePair | JudgedPair],
    of: Corpus | None,
    origins: tuple[str, ...],
) -> Dataset:
    return Dataset(
        kind=kind,
        rows=len(rows),
        content=context.put_bytes(lines_of(rows)),
        curation=of.curation if of else (),
        languages=occurrences(r.lang for r in rows),
        families=occurrences(_source(r) for r in rows),
        left_out=of.left_out if of else {},
        licences=occurrences(r.licence for r in rows),
        process_kind="human",
        derived_from=origins,
    )


def _source(row: Demonstration | PreferencePair | JudgedPair) -> str:
    return row.source if isinstance(row, JudgedPair) else row.family.split("/")[0]
