"""From evidence to a verdict: the step `release`."""

from __future__ import annotations

from normwright.flow.engine import Context
from normwright.flow.project import Project
from normwright.flow.settings import FILE
from normwright.records import (
    Contrast,
    ErrorBudget,
    Fault,
    InputError,
    Judge,
    Measurement,
    ModelRef,
    Permit,
    Policy,
    Record,
    RemoteUse,
)


def check_split(project: Project) -> None:
    """Refuse to decide a release on scenes that recipes are chosen on.

    Raises:
        InputError: if what is to be measured is not the split `test`.
    """
    split = project.settings.evaluate.split
    if split != "test":
        raise InputError(
            [
                Fault(
                    where=f"{FILE}: evaluate.split",
                    expected="test, before a release is decided",
                    seen=split,
                    do="Set evaluate.split: test, or stop before with --until evaluate.",
                )
            ]
        )


def release(project: Project, context: Context) -> list[Record]:
    """Decide by the criteria, and write the verdict and the safety case."""
    from normwright.release import (
        argue,
        decide,
        defeaters,
        gsn2x,
        in_every_language,
        read_criteria,
        safety_case,
        spoken,
    )

    check_split(project)
    policy = context.one("charter", Policy)
    criteria = read_criteria(
        project.path(project.settings.release.criteria), languages=project.settings.languages
    )
    measurements = [
        *context.records("evaluate", Measurement),
        *context.records("redteam", Measurement),
    ]
    contrasts = context.records("evaluate", Contrast)
    judge = context.one("judge", Judge)
    models = [
        context.one(step, ModelRef)
        for step in ("learn.base", "learn.sft", "learn.prefer")
        if step in context.step.after
    ]
    aligned = models[-1].digest
    permit = context.one("permit", Permit) if "permit" in context.step.after else None
    verdict = decide(
        criteria,
        measurements=measurements,
        contrasts=contrasts,
        policy=policy,
        permit=permit,
        unpermitted=[m.name for m in models if m.unpermitted],
        resting=[m.name for m in models if m.resting],
        judges=[judge],
        model_digest=aligned,
        digests={**{m.name: m.digest for m in models}, "guarded": aligned},
    )
    verdict = verdict.model_copy(
        update={"derived_from": tuple(sorted({aligned, judge.digest, *verdict.derived_from}))}
    )
    budgets = (
        context.records("learn.prefer", ErrorBudget) if "learn.prefer" in context.step.after else ()
    )
    first, *others = project.settings.languages
    for lang in (first, *others):
        name = "out/safety-case.md" if lang == first else f"out/safety-case.{lang}.md"
        case = safety_case(
            verdict,
            criteria=criteria,
            policy=policy,
            permit=permit,
            measurements=measurements,
            contrasts=contrasts,
            models=models,
            budgets=budgets,
            uses=context.records("evaluate", RemoteUse),
            defences=criteria.defences,
            doubts=criteria.doubts,
            lang=lang,
        )
        context.export(name, case.encode())
    languages = tuple(project.settings.languages)
    told = {lang: defeaters(policy, measurements, models, lang) for lang in spoken(languages)}
    argued = argue(
        verdict,
        criteria=criteria,
        name=project.settings.title,
        defeated_by={**in_every_language(told), **criteria.doubts},
        # An owner may be named for what does not arise here.
        defences={
            name: one
            for name, one in criteria.defences.items()
            if name in criteria.doubts or name in next(iter(told.values()))
        },
        languages=languages,
    )
    for lang in told:
        tag = "" if lang == first else f".{lang}"
        context.export(f"out/safety-case{tag}.gsn.yaml", gsn2x(argued, lang).encode())
    context.export("out/verdict.json", (verdict.model_dump_json(indent=1) + "\n").encode())
    return [verdict, argued, *criteria]
