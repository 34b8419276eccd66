"""The steps of a project in order: what each rests on, its parameters, and the code it runs.

A step's key names the module here that makes it and the modules that one draws on, and no other:
an edit to how a release is decided trains nothing again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from normwright import plugins
from normwright.flow.engine import Step
from normwright.flow.project import Project
from normwright.flow.readings import reading_steps
from normwright.flow.sources import digest_sources
from normwright.flow.stages import (
    asked,
    beside,
    corpora,
    decision,
    evidence,
    labels,
    people,
    permits,
    remote,
    weights,
)
from normwright.flow.stages.plugged import criterion_kinds, origins
from normwright.flow.tunings import Tuning
from normwright.flow.tunings.worth import models_of
from normwright.records import Digest

_PEOPLE = ("flow.stages.people", "flow.stages.stored", "flow.readings")
_WEIGHTS = (
    "flow.tunings.arguments",
    "flow.stages.weights",
    "flow.stages.drawn",
    "flow.stages.permits",
    "flow.stages.stored",
)
_CORPORA = ("flow.stages.corpora", "flow.stages.labels", "flow.stages.stored")
_LABELS = ("flow.stages.labels", "flow.stages.stored")
_BESIDE = ("flow.stages.beside", "flow.stages.stored")
_EVIDENCE = (
    "flow.stages.evidence",
    "flow.stages.asked",
    "flow.stages.drawn",
    "flow.stages.stored",
)
_BESIDE_SETTINGS = {"contrast_sets", "benchmarks", "benchmark_items", "held_pairs"}
"""Settings of `evaluate` that are for steps of their own."""
_REMOTE = ("flow.stages.remote", *_EVIDENCE)
_ASKING = ("models.answered", "models.endpoint", "models.remote")
"""What asks a model behind an API; it needs no library that touches weights."""
_DECISION = ("flow.stages.decision",)
_PERMIT = ("flow.stages.permits", "flow.stages.stored", "flow.permits")


def steps(project: Project) -> list[Step]:
    """Return the steps of a project: those for which its file names the parts.

    A consultation alone ends with outcomes, judged pairs alone with measured weights; norms and
    scenes together lead to a verdict.
    """
    given = _Given.of(project)
    if project.settings.model.kind == "remote":
        return _with_a_remote_model(project, given)
    made = [*_from_people_to_a_policy(project, given)]
    if project.settings.learns:
        made += _from_a_policy_to_weights(project, given)
    else:
        made += _permit(project, ("elicit", "aggregate", "charter"))
    if project.settings.sources.scenes:
        made += _from_weights_to_evidence(project, given)
    made += _beside_the_scenes(project, given)
    if project.settings.sources.scenes:
        made += _from_evidence_to_a_verdict(project, given)
    return made


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
    taught: tuple[str, ...]
    """The steps that make what is learned from."""
    permitted: tuple[str, ...]
    """The step that permits training; none where there is no charter, or it is not asked."""
    bound: tuple[str, ...]
    """The step whose policy binds what is learned; none where there are no norms."""
    marked: Mapping[str, Any]
    """What a training step's key says of training without a permit; nothing where there is one."""

    @classmethod
    def of(cls, project: Project) -> _Given:
        settings = project.settings
        return cls(
            scenes=digest_sources(project.directory, settings.sources.scenes),
            facts=digest_sources(
                project.directory, [settings.guard.facts] if settings.sources.scenes else []
            ),
            languages={"languages": list(settings.languages)},
            threads={"threads": settings.threads},
            controls=("learn.control",) if "random-init" in settings.controls else (),
            taught=(
                *(("learn.data",) if settings.sources.scenes else ()),
                *(("learn.corpora",) if _corpora(project) else ()),
            ),
            permitted=("permit",)
            if settings.sources.norms is not None and not project.unpermitted
            else (),
            bound=("charter",) if settings.sources.norms is not None else (),
            marked={"unpermitted": True} if project.unpermitted else {},
        )


def _importers() -> dict[str, Any]:
    """Return what a key says of the importers there are: a stranger's may read any file."""
    return origins("importers", [card.name for card in plugins.cards("importers")])


def _corpora(project: Project) -> tuple[str, ...]:
    """Return the files of real instructions and judged pairs."""
    return (*project.settings.sources.demonstrations, *project.settings.sources.pairs)


def _from_people_to_a_policy(project: Project, given: _Given) -> list[Step]:
    settings, sources = project.settings, project.settings.sources
    made = []
    # Earlier readings first, so that what is found last is of the consultation that counts.
    earlier = reading_steps(project)
    for one, names in zip(sources.readings, earlier, strict=True):
        made += _counting(project, one.consultation, *names)
    if sources.consultation is not None:
        made += _counting(project, sources.consultation, "elicit", "aggregate")
    if sources.pairs:
        made.append(
            Step(
                "elicit.pairs",
                partial(people.pairs, project),
                files=digest_sources(project.directory, sources.pairs),
                parameters=_importers(),
                rooms=("elicit", "scenes", *_PEOPLE),
            )
        )
    if sources.norms is not None:
        made.append(
            Step(
                "charter",
                partial(people.charter, project),
                after=("elicit", "aggregate", *(name for names in earlier for name in names)),
                files=digest_sources(project.directory, [sources.norms]),
                parameters={
                    **given.languages,
                    "readings": [one.held_on for one in sources.readings],
                    "deployment": _profile(project),
                    "id": settings.id,
                    "date": settings.charter_date,
                },
                rooms=("charter", "norms", "stats", *_PEOPLE),
            )
        )
    if sources.labels is not None:
        made.append(
            Step(
                "guard.labels",
                partial(labels.read, project),
                after=("charter",),
                files=digest_sources(project.directory, sources.labels.files),
                parameters=sources.labels.model_dump(exclude={"files"}),
                rooms=("guard", "stats", *_LABELS),
            )
        )
    return made


def _profile(project: Project) -> dict[str, Any]:
    """Return what a project says of its deployment; what it leaves as it is changes no key."""
    return project.settings.deployment.model_dump(mode="json", exclude_defaults=True)


def _counting(project: Project, place: str, elicit: str, aggregate: str) -> list[Step]:
    """The two steps that read a consultation and count it."""
    method = project.settings.method
    return [
        Step(
            elicit,
            partial(people.elicit, project, place),
            files=digest_sources(project.directory, [place]),
            inputs=_withdrawn(project),
            parameters=_importers(),
            rooms=("elicit", "scenes", "store", *_PEOPLE),
        ),
        Step(
            aggregate,
            partial(people.aggregate, project, elicit),
            after=(elicit,),
            parameters={**method.model_dump(), **origins("methods", [method.ranking])},
            rooms=("aggregate", "stats", *_PEOPLE),
        ),
    ]


def _withdrawn(project: Project) -> dict[str, Digest]:
    """Return the list of who withdrew, so that an old file is not taken for what it once was."""
    from normwright.store import exclusions_digest

    return exclusions_digest(project.directory)


def _from_a_policy_to_weights(project: Project, given: _Given) -> list[Step]:
    settings, learn = project.settings, project.settings.learn
    sources, scratch = settings.sources, settings.model.kind == "scratch"
    made = [
        Step(
            "learn.base",
            partial(weights.base, project),
            after=("elicit.pairs",) if scratch and sources.pairs else (),
            inputs=_model_files(project),
            files={
                **given.scenes,
                **digest_sources(project.directory, sources.demonstrations if scratch else ()),
            },
            parameters={**settings.model.model_dump(), **given.languages},
            rooms=("learn", "models", "scenes", *_WEIGHTS),
        ),
        *_rows(project, given),
        *_permit(project, ("elicit", "aggregate", "charter", *given.taught)),
        Step(
            "learn.sft",
            partial(weights.sft, project),
            after=("learn.base", *given.taught, *given.permitted),
            parameters={**_dumped(learn.sft), **given.threads, **given.marked},
            rooms=("learn", "models", *_WEIGHTS),
        ),
    ]
    if settings.prefers:
        made += [
            Step(
                "learn.reward",
                partial(weights.reward, project),
                after=("learn.sft", *given.taught, *given.permitted),
                parameters={**learn.reward.model_dump(), **given.threads, **given.marked},
                rooms=("learn", "models", *_WEIGHTS),
            ),
            Step(
                "learn.prefer",
                partial(weights.prefer, project),
                after=("learn.sft", *given.taught, *given.permitted, *given.bound),
                files=digest_sources(project.directory, learn.prefer.auxiliary),
                parameters={**learn.prefer.model_dump(), **given.threads, **given.marked},
                rooms=("learn", "models", *_WEIGHTS),
            ),
        ]
    if settings.prefers and learn.reinforce is not None:
        made.append(
            Step(
                "learn.reinforce",
                partial(weights.reinforce, project),
                after=("learn.sft", "learn.reward", *given.taught, *given.permitted),
                files=digest_sources(project.directory, models_of(learn.reinforce)),
                parameters={**learn.reinforce.model_dump(), **given.threads, **given.marked},
                rooms=("learn", "models", *_WEIGHTS),
            )
        )
    made += [
        Step(
            name,
            partial(weights.control, project),
            after=("learn.base", *given.taught, *given.permitted, *given.bound),
            files=digest_sources(project.directory, learn.prefer.auxiliary),
            parameters={
                "sft": _dumped(learn.sft),
                "prefer": learn.prefer.model_dump(),
                **given.threads,
                **given.marked,
            },
            rooms=("learn", "models", *_WEIGHTS),
        )
        for name in given.controls
    ]
    return made


def _dumped(tuning: Tuning | None) -> dict[str, Any]:
    """The parameters of a pass of training; that there is none is one too."""
    return {"given": True} if tuning is None else tuning.model_dump()


def _permit(project: Project, after: tuple[str, ...]) -> list[Step]:
    """The step that asks whether training is permissible, once it is known on what."""
    settings = project.settings
    if settings.sources.norms is None:
        return []
    learners = permits.learners(project)
    return [
        Step(
            "permit",
            partial(permits.permit, project),
            after=after,
            files=digest_sources(project.directory, [settings.sources.norms]),
            inputs={**_withdrawn(project), **project.permitting.inputs},
            parameters={
                "languages": list(settings.languages),
                "date": settings.charter_date,
                "deployment": _profile(project),
                "model": settings.model.model_dump(include={"kind", "path"})
                | {"id": settings.model.remote.id if settings.model.remote else None},
                "learners": list(learners),
                "method": settings.method.model_dump(include={"ranking", "targets"}),
                **origins("methods", [settings.method.ranking]),
            },
            rooms=("charter", "norms", "stats", *_PERMIT),
        )
    ]


def _rows(project: Project, given: _Given) -> list[Step]:
    """The steps that make what is learned from: scenes, and what people wrote and judged."""
    learn, sources = project.settings.learn, project.settings.sources
    made = []
    if sources.scenes:
        made.append(
            Step(
                "learn.data",
                partial(weights.data, project),
                after=("elicit", "aggregate", "charter"),
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
            )
        )
    if _corpora(project):
        made.append(
            Step(
                "learn.corpora",
                partial(corpora.corpora, project),
                after=(
                    "learn.base",
                    *(("elicit.pairs",) if sources.pairs else ()),
                    *(("charter",) if sources.norms is not None else ()),
                    *(("guard.labels",) if sources.labels is not None else ()),
                ),
                files=digest_sources(project.directory, sources.demonstrations),
                parameters={
                    "instructions": learn.instructions,
                    "judged": learn.judged,
                    "held_out": learn.held_out,
                    "held_pairs": project.settings.evaluate.held_pairs,
                    "longest": learn.longest,
                },
                rooms=("learn", "models", "guard", *_CORPORA),
            )
        )
    return made


def _model_files(project: Project) -> dict[str, Digest]:
    """Return the files of the base model, so that changed weights are another model."""
    from normwright.models.places import embedded_path
    from normwright.store import file_digest

    model = project.settings.model
    if model.kind == "scratch":
        return {}
    folder = embedded_path() if model.kind == "embedded" else project.path(model.path or "")
    found = {
        f"model/{p.relative_to(folder).as_posix()}": file_digest(p)
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }
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
            rooms=("guard", "norms", "scenes", "stats", *_EVIDENCE),
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
                    exclude=_BESIDE_SETTINGS | {"judge", "judge_per_template"}
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


def _beside_the_scenes(project: Project, given: _Given) -> list[Step]:
    """The steps that measure on what people wrote elsewhere; none of them decides a release."""
    settings = project.settings
    made = []
    trained = (
        "learn.base",
        "learn.sft",
        *(("learn.prefer",) if settings.prefers else ()),
        *given.controls,
    )
    if settings.sources.pairs:
        made.append(
            Step(
                "evaluate.pairs",
                partial(beside.pairs, project),
                after=(*trained, "learn.reward", "learn.corpora", "elicit.pairs"),
                parameters=given.threads,
                rooms=("evaluate", "models", "stats", *_BESIDE),
            )
        )
    if settings.evaluate.benchmarks is not None and settings.learns:
        made.append(
            Step(
                "evaluate.benchmarks",
                partial(beside.benchmarks, project),
                after=trained,
                files=digest_sources(project.directory, [settings.evaluate.benchmarks]),
                parameters={**given.threads, "items": settings.evaluate.benchmark_items},
                rooms=("evaluate", "models", "stats", *_BESIDE),
            )
        )
    return made


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
        rooms=("evaluate", "scenes", "stats", *_EVIDENCE, *(_ASKING if elsewhere else ())),
    )


def _with_a_remote_model(project: Project, given: _Given) -> list[Step]:
    """The steps of a project whose model is measured behind an API and not trained."""
    settings = asked.tested(project)
    base = Step(
        "learn.base",
        partial(remote.base, project),
        inputs={"endpoint": settings.identity},
        parameters={"kind": "remote"},
        rooms=(*_ASKING, *_REMOTE),
    )
    changed = {"evaluate": remote.evaluate, "redteam": remote.redteam}
    left = {"learn.sft", "learn.reward", "learn.prefer"}
    # People first: a charter needs no endpoint.
    people_first = _from_people_to_a_policy(project, given)
    made = [*people_first, *_permit(project, ("elicit", "aggregate", "charter")), base]
    for step in (
        *_from_weights_to_evidence(project, given),
        *_from_evidence_to_a_verdict(project, given),
    ):
        after = tuple(name for name in step.after if name not in left)
        if step.name == "evaluate.sets":
            continue  # they need log-probabilities and a reward model
        if step.name in changed:
            run = partial(changed[step.name], project)
            rooms = {*step.rooms, *_ASKING, *_REMOTE} - {"models"}
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
                "permit",
                "learn.base",
                "learn.sft",
                "learn.prefer",
                *given.controls,
                "judge",
                "evaluate",
                "redteam",
            ),
            files=digest_sources(project.directory, [project.settings.release.criteria]),
            parameters={**given.languages, **origins("criteria", criterion_kinds(project))},
            rooms=("release", "stats", *_DECISION),
        )
    ]
