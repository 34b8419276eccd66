"""The steps of a project in order: what each rests on, its parameters, and the code it runs.

A step's key names the module here that makes it and the modules that one draws on, and no other:
an edit to how a release is decided trains nothing again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from normwright.flow.engine import Step
from normwright.flow.project import Project
from normwright.flow.sources import digest_sources
from normwright.flow.stages import asked, decision, evidence, people, remote, weights
from normwright.records import Digest

_PEOPLE = ("flow.stages.people",)
_WEIGHTS = ("flow.stages.weights", "flow.stages.drawn", "flow.stages.stored")
_EVIDENCE = (
    "flow.stages.evidence",
    "flow.stages.asked",
    "flow.stages.drawn",
    "flow.stages.stored",
)
_REMOTE = ("flow.stages.remote", *_EVIDENCE)
_DECISION = ("flow.stages.decision",)


def steps(project: Project) -> list[Step]:
    """Return the steps of a project, from votes to a verdict."""
    given = _Given.of(project)
    if project.settings.model.kind == "remote":
        return _with_a_remote_model(project, given)
    return [
        *_from_people_to_a_policy(project, given),
        *_from_a_policy_to_weights(project, given),
        *_from_weights_to_evidence(project, given),
        *_from_evidence_to_a_verdict(project, given),
    ]


@dataclass(frozen=True)
class _Given:
    """What several steps rest on."""

    scenes: Mapping[str, Digest]
    """The files of the scene banks."""
    facts: Mapping[str, Digest]
    """The file of the rules by which the guard reads facts."""
    languages: Mapping[str, Any]
    threads: Mapping[str, Any]
    controls: tuple[str, ...]
    """The steps that train a control."""

    @classmethod
    def of(cls, project: Project) -> _Given:
        settings = project.settings
        return cls(
            scenes=digest_sources(project.directory, settings.sources.scenes),
            facts=digest_sources(project.directory, [settings.guard.facts]),
            languages={"languages": list(settings.languages)},
            threads={"threads": settings.threads},
            controls=("learn.control",) if "random-init" in settings.controls else (),
        )


def _from_people_to_a_policy(project: Project, given: _Given) -> list[Step]:
    settings = project.settings
    return [
        Step(
            "elicit",
            partial(people.elicit, project),
            files=digest_sources(project.directory, [settings.sources.consultation]),
            rooms=("elicit", "store", *_PEOPLE),
        ),
        Step(
            "aggregate",
            partial(people.aggregate, project),
            after=("elicit",),
            parameters=settings.method.model_dump(),
            rooms=("aggregate", "stats", *_PEOPLE),
        ),
        Step(
            "charter",
            partial(people.charter, project),
            after=("elicit", "aggregate"),
            files=digest_sources(project.directory, [settings.sources.norms]),
            parameters={
                **given.languages,
                "deployment": settings.deployment,
                "id": settings.id,
                "date": settings.charter_date,
            },
            rooms=("charter", "norms", "stats", *_PEOPLE),
        ),
    ]


def _from_a_policy_to_weights(project: Project, given: _Given) -> list[Step]:
    model, learn = project.settings.model, project.settings.learn
    made = [
        Step(
            "learn.data",
            partial(weights.data, project),
            after=("aggregate", "charter"),
            files=given.scenes,
            parameters={
                **given.languages,
                "demonstrations": learn.demonstrations,
                "plain": learn.plain,
                "pairs": learn.pairs,
                "obliging": learn.obliging,
                "spared_weight": learn.spared_weight,
            },
            rooms=("learn", "norms", "scenes", *_WEIGHTS),
        ),
        Step(
            "learn.base",
            partial(weights.base, project),
            inputs=_model_files(project),
            files=given.scenes,
            parameters={**model.model_dump(), **given.languages},
            rooms=("learn", "models", "scenes", *_WEIGHTS),
        ),
        Step(
            "learn.sft",
            partial(weights.sft, project),
            after=("learn.base", "learn.data"),
            parameters={**learn.sft.model_dump(), **given.threads},
            rooms=("learn", "models", *_WEIGHTS),
        ),
        Step(
            "learn.reward",
            partial(weights.reward, project),
            after=("learn.sft", "learn.data"),
            parameters={**learn.reward.model_dump(), **given.threads},
            rooms=("learn", "models", *_WEIGHTS),
        ),
        Step(
            "learn.prefer",
            partial(weights.prefer, project),
            after=("learn.sft", "learn.data"),
            parameters={**learn.prefer.model_dump(), **given.threads},
            rooms=("learn", "models", *_WEIGHTS),
        ),
    ]
    made += [
        Step(
            name,
            partial(weights.control, project),
            after=("learn.base", "learn.data"),
            parameters={
                "sft": learn.sft.model_dump(),
                "prefer": learn.prefer.model_dump(),
                **given.threads,
            },
            rooms=("learn", "models", *_WEIGHTS),
        )
        for name in given.controls
    ]
    return made


def _model_files(project: Project) -> dict[str, Digest]:
    """Return the files of the base model, so that changed weights are another model."""
    from normwright.models.places import embedded_path
    from normwright.store import file_digest

    model = project.settings.model
    if model.kind == "scratch":
        return {}
    folder = embedded_path() if model.kind == "embedded" else project.path(model.path or "")
    found = {f"model/{p.name}": file_digest(p) for p in sorted(folder.iterdir()) if p.is_file()}
    return {name: digest for name, digest in found.items() if digest is not None}


def _from_weights_to_evidence(project: Project, given: _Given) -> list[Step]:
    settings = project.settings
    guarding = {"guard": settings.guard.model_dump()}
    text = [settings.evaluate.text] if settings.evaluate.text else []
    return [
        Step(
            "guard",
            partial(evidence.guard, project),
            after=("charter",),
            files={**given.scenes, **given.facts},
            parameters={**settings.guard.model_dump(), **given.languages},
            rooms=("guard", "norms", "scenes", *_EVIDENCE),
        ),
        _judge(project, given),
        Step(
            "evaluate",
            partial(evidence.evaluate, project),
            after=(
                "charter",
                "learn.base",
                "learn.sft",
                "learn.reward",
                "learn.prefer",
                *given.controls,
                "guard",
                "judge",
            ),
            files={**given.scenes, **given.facts, **digest_sources(project.directory, text)},
            parameters={
                **settings.evaluate.model_dump(
                    exclude={"contrast_sets", "judge", "judge_per_template"}
                ),
                "controls": list(settings.controls),
                **guarding,
                **given.languages,
                **given.threads,
            },
            rooms=("evaluate", "guard", "models", "norms", "scenes", "stats", *_EVIDENCE),
        ),
        Step(
            "redteam",
            partial(evidence.redteam, project),
            after=("charter", "learn.sft", "learn.reward", "learn.prefer", "guard", "judge"),
            files={
                **given.scenes,
                **given.facts,
                **digest_sources(project.directory, [settings.redteam.attacks]),
            },
            parameters={
                **settings.redteam.model_dump(),
                **guarding,
                **given.languages,
                **given.threads,
            },
            # `evaluate` too: its judge says which attacks succeeded.
            rooms=(
                "redteam",
                "evaluate",
                "guard",
                "models",
                "norms",
                "scenes",
                "stats",
                *_EVIDENCE,
            ),
        ),
        *_contrast_sets(project, given),
    ]


def _judge(project: Project, given: _Given) -> Step:
    """The step that fits the judge, or that measures the one behind an API."""
    settings = project.settings.evaluate
    elsewhere = asked.judging(project)
    return Step(
        "judge",
        partial(evidence.judge, project),
        after=("charter",) if elsewhere else (),
        inputs={"endpoint": elsewhere.identity} if elsewhere else {},
        files=given.scenes,
        parameters={**given.languages, "per_template": settings.judge_per_template},
        rooms=("evaluate", "models", "scenes", "stats", *_EVIDENCE)
        if elsewhere
        else ("evaluate", "scenes", "stats", *_EVIDENCE),
    )


def _with_a_remote_model(project: Project, given: _Given) -> list[Step]:
    """The steps of a project whose model is measured behind an API and not trained."""
    settings = asked.tested(project)
    made = [
        Step(
            "learn.base",
            partial(remote.base, project),
            inputs={"endpoint": settings.identity},
            parameters={"kind": "remote", "stop": list(settings.stop)},
            rooms=("models", *_REMOTE),
        )
    ]
    changed = {"evaluate": remote.evaluate, "redteam": remote.redteam}
    left = {"learn.sft", "learn.reward", "learn.prefer"}
    for step in (
        *_from_people_to_a_policy(project, given),
        *_from_weights_to_evidence(project, given),
        *_from_evidence_to_a_verdict(project, given),
    ):
        after = tuple(name for name in step.after if name not in left)
        if step.name == "evaluate.sets":
            continue  # they need log-probabilities and a reward model
        if step.name in changed:
            run, rooms = partial(changed[step.name], project), {*step.rooms, *_REMOTE}
            after = tuple(dict.fromkeys(("learn.base", *after)))
            step = replace(step, run=run, after=after, rooms=tuple(sorted(rooms)))
        made.append(replace(step, after=after))
    return made


def _contrast_sets(project: Project, given: _Given) -> list[Step]:
    """The step that measures real contrast sets, if the project names a folder of them."""
    from normwright.store import file_digest

    name = project.settings.evaluate.contrast_sets
    if name is None:
        return []
    folder = project.path(name)
    found = {
        f"contrast_sets/{path.relative_to(folder).as_posix()}": file_digest(path)
        for pattern in ("overrefusal/xstest_en.jsonl*", "preferences/hh_*.jsonl*")
        for path in sorted(folder.glob(pattern))
    }
    return [
        Step(
            "evaluate.sets",
            partial(evidence.contrast_sets, project),
            after=("learn.sft", "learn.reward", "learn.prefer", "guard"),
            inputs={k: digest for k, digest in found.items() if digest is not None},
            files=given.scenes,
            parameters=given.threads,
            rooms=("evaluate", "guard", "models", "scenes", "stats", *_EVIDENCE),
        )
    ]


def _from_evidence_to_a_verdict(project: Project, given: _Given) -> list[Step]:
    return [
        Step(
            "release",
            partial(decision.release, project),
            after=(
                "charter",
                "learn.base",
                "learn.sft",
                "learn.prefer",
                *given.controls,
                "judge",
                "evaluate",
                "redteam",
            ),
            files=digest_sources(project.directory, [project.settings.release.criteria]),
            parameters=given.languages,
            rooms=("release", "stats", *_DECISION),
        )
    ]
