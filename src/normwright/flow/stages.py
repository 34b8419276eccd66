"""The stages as steps: what each takes from the ones before, what it makes, which code it runs.

Nothing heavy is imported here; a step imports its stage when it runs, so that a run in which every
step is skipped opens neither torch nor scikit-learn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright.flow.engine import Context, Step
from normwright.flow.project import Project
from normwright.flow.sources import digest_sources
from normwright.records import (
    Answer,
    Consultation,
    Contrast,
    Dataset,
    Decision,
    Demonstration,
    Digest,
    Frozen,
    Judge,
    Measurement,
    Message,
    ModelRef,
    Outcome,
    Policy,
    Polity,
    PreferencePair,
    Process,
    Record,
    Scene,
    canonical_json,
    digest_json,
)
from normwright.scenes import Bank, draw, load_bank

if TYPE_CHECKING:
    from normwright.evaluate import TextJudge
    from normwright.flow.settings import Tuning
    from normwright.guard import GuardedModel
    from normwright.models import Model, Scorer
    from normwright.models.local import LocalModel
    from normwright.models.tuning.loop import Loop, Progress

PLAIN = 0.4
"""Share of the demonstrations that answer requests no norm speaks about."""

TRAINED = ("base", "tuned", "aligned")
"""Roles whose weights a run makes or takes, from first to last."""


def steps(project: Project) -> list[Step]:
    """Return the steps of a project, from votes to a verdict."""
    settings = project.settings
    scenes = digest_sources(project.directory, settings.sources.scenes)
    learn = settings.learn
    shared = {"languages": list(settings.languages)}
    threads = {"threads": settings.threads}
    made = [
        Step(
            "elicit",
            _bind(_elicit, project),
            files=digest_sources(project.directory, [settings.sources.consultation]),
            rooms=("elicit", "store"),
        ),
        Step(
            "aggregate",
            _bind(_aggregate, project),
            after=("elicit",),
            parameters=settings.method.model_dump(),
            rooms=("aggregate", "stats"),
        ),
        Step(
            "charter",
            _bind(_charter, project),
            after=("elicit", "aggregate"),
            files=digest_sources(project.directory, [settings.sources.norms]),
            parameters={
                **shared,
                "deployment": settings.deployment,
                "id": settings.id,
                "date": settings.charter_date,
            },
            rooms=("charter", "norms", "stats"),
        ),
        Step(
            "learn.data",
            _bind(_data, project),
            after=("aggregate", "charter"),
            files=scenes,
            parameters={
                **shared,
                "demonstrations": learn.demonstrations,
                "pairs": learn.pairs,
                "obliging": learn.obliging,
                "spared_weight": learn.spared_weight,
            },
            rooms=("learn", "norms", "scenes"),
        ),
        Step(
            "learn.base",
            _bind(_base, project),
            inputs=_model_inputs(project),
            files=scenes,
            parameters={**settings.model.model_dump(), **shared},
            rooms=("learn", "models", "scenes"),
        ),
        Step(
            "learn.sft",
            _bind(_sft, project),
            after=("learn.base", "learn.data"),
            parameters={**learn.sft.model_dump(), **threads},
            rooms=("learn", "models"),
        ),
        Step(
            "learn.reward",
            _bind(_reward, project),
            after=("learn.sft", "learn.data"),
            parameters={**learn.reward.model_dump(), **threads},
            rooms=("learn", "models"),
        ),
        Step(
            "learn.prefer",
            _bind(_prefer, project),
            after=("learn.sft", "learn.data"),
            parameters={**learn.prefer.model_dump(), **threads},
            rooms=("learn", "models"),
        ),
    ]
    if "random-init" in settings.controls:
        made.append(
            Step(
                "learn.control",
                _bind(_control, project),
                after=("learn.base", "learn.data"),
                parameters={
                    "sft": learn.sft.model_dump(),
                    "prefer": learn.prefer.model_dump(),
                    **threads,
                },
                rooms=("learn", "models"),
            )
        )
    controls = tuple(s.name for s in made if s.name == "learn.control")
    guard = digest_sources(project.directory, [settings.guard.facts])
    text = digest_sources(
        project.directory, [settings.evaluate.text] if settings.evaluate.text else []
    )
    made += [
        Step(
            "guard",
            _bind(_guard, project),
            after=("charter",),
            files={**scenes, **guard},
            parameters={**settings.guard.model_dump(), **shared},
            rooms=("guard", "norms", "scenes"),
        ),
        Step(
            "judge",
            _bind(_judge, project),
            files=scenes,
            parameters={**shared, "per_template": settings.evaluate.judge_per_template},
            rooms=("evaluate", "scenes", "stats"),
        ),
        Step(
            "evaluate",
            _bind(_evaluate, project),
            after=(
                "charter",
                "learn.base",
                "learn.sft",
                "learn.reward",
                "learn.prefer",
                *controls,
                "guard",
                "judge",
            ),
            files={**scenes, **guard, **text},
            parameters={
                **settings.evaluate.model_dump(),
                "controls": list(settings.controls),
                "guard": settings.guard.model_dump(),
                **shared,
                **threads,
            },
            rooms=("evaluate", "guard", "models", "norms", "scenes", "stats"),
        ),
        Step(
            "redteam",
            _bind(_redteam, project),
            after=("charter", "learn.sft", "learn.reward", "learn.prefer", "guard", "judge"),
            files={
                **scenes,
                **guard,
                **digest_sources(project.directory, [settings.redteam.attacks]),
            },
            parameters={
                **settings.redteam.model_dump(),
                "guard": settings.guard.model_dump(),
                **shared,
                **threads,
            },
            rooms=("redteam", "guard", "models", "norms", "scenes", "stats"),
        ),
        Step(
            "release",
            _bind(_release, project),
            after=(
                "charter",
                "learn.base",
                "learn.sft",
                "learn.prefer",
                *controls,
                "judge",
                "evaluate",
                "redteam",
            ),
            files=digest_sources(project.directory, [settings.release.criteria]),
            parameters=shared,
            rooms=("release", "stats"),
        ),
    ]
    # How a stage is called here is part of what it makes.
    return [replace(step, rooms=(*step.rooms, "flow.stages")) for step in made]


def _bind(
    step: Callable[[Project, Context], Iterable[Record | Digest]], project: Project
) -> Callable[[Context], Iterable[Record | Digest]]:
    return lambda context: step(project, context)


def bank_of(project: Project) -> Bank:
    """Return the project's scenes.

    Raises:
        InputError: with every fault of the files.
    """
    paths: list[Path] = []
    for name in project.settings.sources.scenes:
        path = project.path(name)
        paths += sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    return load_bank(paths)


def _scenes(
    project: Project, split: str, *, seed: int, per_template: int = 1, count: int | None = None
) -> list[Scene]:
    return draw(
        bank_of(project),
        split=split,
        seed=seed,
        per_template=per_template,
        count=count,
        langs=project.settings.languages,
    )


# From people to a policy


def _elicit(project: Project, context: Context) -> list[Record]:
    from normwright import elicit

    found = elicit.read_consultation(
        project.path(project.settings.sources.consultation), root=project.directory
    )
    roots = context.save_consultation(
        found.process,
        participants=found.participants,
        statements=found.statements,
        votes=found.votes,
        comparisons=found.comparisons,
    )
    return [elicit.receipt(found, roots), found.process, *found.polities]


def _aggregate(project: Project, context: Context) -> list[Record]:
    from normwright.aggregate import aggregate

    receipt = context.one("elicit", Consultation)
    rows = context.rows(receipt)
    method = project.settings.method
    methods = sorted({"schulze", "borda", method.ranking}, key=lambda m: m != method.ranking)
    outcomes: list[Record] = []
    polities = context.records("elicit", Polity)
    for number, polity in enumerate(polities):
        context.progress(number, len(polities), polity.id)
        outcome = aggregate(
            process=context.one("elicit", Process),
            polity=polity,
            participants=rows.participants,
            statements=rows.statements,
            votes=rows.votes,
            comparisons=rows.comparisons,
            seed=context.seed,
            bootstrap=method.bootstrap,
            methods=methods,
        )
        chain = tuple(sorted({receipt.digest, *outcome.derived_from}))
        outcomes.append(outcome.model_copy(update={"derived_from": chain}))
    return outcomes


def _charter(project: Project, context: Context) -> list[Record]:
    from normwright import charter

    settings = project.settings
    process = context.one("elicit", Process)
    outcomes = context.records("aggregate", Outcome)
    rows = context.rows(context.one("elicit", Consultation))
    source = charter.read_source(project.path(settings.sources.norms), languages=settings.languages)
    adopted = charter.ratify(
        source,
        outcomes,
        process=process,
        statements=rows.statements,
        charter_id=settings.id,
        languages=settings.languages,
        on=date.fromisoformat(settings.charter_date),
    )
    names = {p.id: dict(p.name) for p in context.records("elicit", Polity)}
    policy = charter.enact(adopted, outcomes, deployment={"names": names, **settings.deployment})
    return [adopted, policy]


# From a policy to weights


def _data(project: Project, context: Context) -> list[Record]:
    from normwright import learn

    settings = project.settings
    policy = context.one("charter", Policy)
    outcomes = context.records("aggregate", Outcome)
    context.progress(0, 2, "demonstrations")
    shown = learn.demonstrate(
        policy,
        _lessons(project, settings.learn.demonstrations, seed=context.seed),
        obliging=settings.learn.obliging,
        seed=context.seed,
    )
    context.progress(1, 2, "pairs")
    drawn = [s for s in _scenes(project, "tune", seed=context.seed + 1, per_template=40) if s.norm]
    pairs = learn.pair(
        policy,
        outcomes,
        _thin(drawn, settings.learn.pairs, seed=context.seed),
        spared_weight=settings.learn.spared_weight,
    )
    made: list[Record] = []
    for kind, rows, curation in (
        ("demonstrations", shown.demonstrations, shown.curation),
        ("pairs", pairs.pairs, pairs.curation),
    ):
        made.append(
            Dataset(
                kind=kind,  # type: ignore[arg-type]
                rows=len(rows),
                content=context.put_bytes(_lines(rows)),
                curation=curation,
                languages=_counts(r.lang for r in rows),
                families=_counts(r.family for r in rows),
                process_kind=policy.charter.kind,
                derived_from=(policy.digest, *(o.digest for o in outcomes)),
            )
        )
    return made


def _lessons(project: Project, count: int, *, seed: int) -> list[Scene]:
    """Return scenes to demonstrate: mostly plain requests, and scenes norms were written about."""
    drawn = _scenes(project, "tune", seed=seed, per_template=30)
    plain = [s for s in drawn if s.norm is None]
    probing = [s for s in drawn if s.norm is not None]
    most = round(count * PLAIN)
    return [*_thin(plain, most, seed=seed), *_thin(probing, count - most, seed=seed)]


def _base(project: Project, context: Context) -> list[Record]:
    from normwright import learn
    from normwright.models.local import LocalModel, embedded_path
    from normwright.models.tuning import save_plain

    model = project.settings.model
    if model.kind == "scratch":
        shape = learn.Shape(
            hidden=model.scratch.hidden,
            layers=model.scratch.layers,
            heads=model.scratch.heads,
            vocabulary=model.scratch.vocab,
            context=model.scratch.context,
        )
        made = learn.scratch_model(_scenes(project, "tune", seed=0), shape=shape, seed=context.seed)
        save_plain(made.weights, made.tokenizer, context.scratch / "model")
        directory, recipe = context.scratch / "model", "scratch"
    elif model.kind == "local":
        directory, recipe = project.path(model.path or ""), "given"
    else:
        directory, recipe = embedded_path(), "pretrain"
    opened = LocalModel.open(directory, name="base")
    files = context.put_dir(directory)
    return [learn.model_ref("base", files, opened.weights, recipe=recipe, seed=context.seed)]


def _sft(project: Project, context: Context) -> list[Record]:
    from normwright import learn

    base = _open(project, context, "learn.base", "base")
    data = _dataset(context, "demonstrations")
    loop = _loop(project.settings.learn.sft, seed=context.seed)
    tuned, metrics = learn.sft(
        base, _demonstrations(context), loop=loop, progress=_told(context, "imitating")
    )
    return [
        _keep(
            context,
            tuned,
            "tuned",
            "sft",
            parent=("learn.base", "base"),
            data=(data,),
            loop=loop,
            metrics=metrics,
        )
    ]


def _reward(project: Project, context: Context) -> list[Record]:
    from normwright import learn
    from normwright.models.local import LocalModel

    tuned = _open(project, context, "learn.sft", "tuned")
    data = _dataset(context, "pairs")
    loop = _loop(project.settings.learn.reward, seed=context.seed)
    weights, metrics = learn.reward(
        tuned, _pairs(context), loop=loop, progress=_told(context, "learning shares")
    )
    scorer = LocalModel("reward", weights, tuned.tokenizer)
    return [
        _keep(
            context,
            scorer,
            "reward",
            "reward",
            parent=("learn.sft", "tuned"),
            data=(data,),
            loop=loop,
            metrics=metrics,
        )
    ]


def _prefer(project: Project, context: Context) -> list[Record]:
    from normwright import learn

    prefer = project.settings.learn.prefer
    tuned = _open(project, context, "learn.sft", "tuned")
    loop = _loop(prefer, seed=context.seed)
    aligned, metrics = learn.prefer(
        tuned,
        _pairs(context),
        _demonstrations(context),
        loop=loop,
        beta=prefer.beta,
        anchor=prefer.sft_anchor,
        progress=_told(context, "preferring"),
    )
    data = (_dataset(context, "pairs"), _dataset(context, "demonstrations"))
    ref = _keep(
        context,
        aligned,
        "aligned",
        "prefer",
        parent=("learn.sft", "tuned"),
        data=data,
        loop=loop,
        metrics=metrics,
        settings={"beta": prefer.beta, "anchor": prefer.sft_anchor},
    )
    for name, digest in ref.files.items():
        context.export(f"out/model/{name}", digest)
    return [ref]


def _control(project: Project, context: Context) -> list[Record]:
    """A model that starts from random weights and is trained in the same way on the same rows."""
    from normwright import learn

    settings = project.settings.learn
    base = _open(project, context, "learn.base", "base")
    fresh = learn.fresh_like(base, seed=context.seed)
    rows, pairs = _demonstrations(context), _pairs(context)
    first = _loop(settings.sft, seed=context.seed)
    tuned, _ = learn.sft(fresh, rows, loop=first, progress=_told(context, "imitating"))
    loop = _loop(settings.prefer, seed=context.seed)
    trained, metrics = learn.prefer(
        tuned,
        pairs,
        rows,
        loop=loop,
        beta=settings.prefer.beta,
        anchor=settings.prefer.sft_anchor,
        progress=_told(context, "preferring"),
    )
    data = (_dataset(context, "pairs"), _dataset(context, "demonstrations"))
    return [
        _keep(
            context,
            trained,
            "control:random-init",
            "sft+prefer",
            parent=None,
            data=data,
            loop=loop,
            metrics=metrics,
        )
    ]


# What stands beside the model: a guard and a judge


def _guard(project: Project, context: Context) -> list[Record]:
    from normwright import guard

    policy = context.one("charter", Policy)
    scenes = _scenes(
        project, "guard", seed=context.seed, per_template=project.settings.guard.per_template
    )
    harm = guard.fit_harm(policy.charter, scenes, seed=context.seed)
    folder = context.scratch / "guard"
    harm.save(folder)
    files = context.put_dir(folder)
    return [
        ModelRef(
            name="guard",
            files=files,
            parameters=sum(
                (folder / name).stat().st_size for name in files if name.endswith(".npz")
            ),
            recipe="linear on hashed n-grams",
            derived_from=(policy.digest,),
        )
    ]


def _judge(project: Project, context: Context) -> list[Record]:
    from normwright.evaluate import fit_judge

    count = project.settings.evaluate.judge_per_template
    judge = fit_judge(
        _scenes(project, "judge", seed=context.seed, per_template=count), seed=context.seed
    )
    for data in judge.files().values():
        context.put_bytes(data)
    return [judge.record()]


# From weights to evidence


@dataclass(frozen=True)
class _Bench:
    """What every measurement needs: the policy, the judge, and how to open a model."""

    project: Project
    context: Context
    policy: Policy
    judge: TextJudge
    record: Judge

    @classmethod
    def of(cls, project: Project, context: Context) -> _Bench:
        from normwright.evaluate import TextJudge

        record = context.one("judge", Judge)
        files = {name: context.read(digest) for name, digest in record.files.items()}
        return cls(
            project, context, context.one("charter", Policy), TextJudge.from_files(files), record
        )

    def guarded(self, aligned: LocalModel) -> GuardedModel:
        """Return the aligned model behind the guard, with the reward model as its ranking."""
        from normwright.models.local import LocalScorer

        folder = self.context.scratch / "guard"
        self.context.check_out(self.context.one("guard", ModelRef).files, folder)
        scorer = LocalScorer.open(_directory(self.context, "learn.reward", "reward"))
        return open_guarded(
            self.project, self.policy, aligned, folder, scorer, seed=self.context.seed
        )


def open_guarded(
    project: Project, policy: Policy, aligned: Model, folder: Path, scorer: Scorer, *, seed: int
) -> GuardedModel:
    """Return a model behind the project's guard, whose fitted files lie in `folder`."""
    from normwright import guard

    settings = project.settings
    return guard.GuardedModel(
        aligned,
        policy=policy,
        harm=guard.HarmClassifier.load(folder),
        rules=guard.read_rules(
            project.path(settings.guard.facts),
            vocabulary=policy.charter.vocabulary,
            languages=settings.languages,
        ),
        scorer=scorer,
        best_of=settings.guard.best_of,
        seed=seed,
    )


def _evaluate(project: Project, context: Context) -> list[Record | Digest]:
    from normwright import evaluate

    settings = project.settings.evaluate
    bench = _Bench.of(project, context)
    scenes = _test_scenes(project, bench.policy, seed=context.seed)
    aligned = _open(project, context, "learn.prefer", "aligned")
    models: list[tuple[str, Model, Digest]] = [
        (role, _open(project, context, step, role), _ref(context, step, role).digest)
        for role, step in zip(TRAINED[:2], ("learn.base", "learn.sft"), strict=True)
    ]
    digest = _ref(context, "learn.prefer", "aligned").digest
    guarded = bench.guarded(aligned)
    models += [("aligned", aligned, digest), ("guarded", guarded, digest)]
    models += _controls(project, context, bench)
    answers: dict[str, list[Answer]] = {}
    made: list[Record | Digest] = []
    for number, (role, model, ref) in enumerate(models):
        context.progress(number, len(models), role)
        cite = _citing(guarded) if model is guarded else None
        answers[role] = evaluate.ask(
            model,
            role,
            scenes,
            bench.policy.charter,
            bench.judge,
            max_new_tokens=settings.max_new_tokens,
            seed=context.seed,
            cite=cite,
        )
        stored = context.put_bytes(_lines(answers[role]))
        made += evaluate.measure(
            answers[role],
            scenes,
            role=role,
            model_digest=ref,
            judge=bench.record.digest,
            seed=context.seed,
            stored=stored,
        )
    made += _contrasts(answers, seed=context.seed)
    made += _fluency(project, context, models)
    made += _refusals(guarded)
    return [*made, context.put_bytes(_lines(scenes))]


def _test_scenes(project: Project, policy: Policy, *, seed: int) -> list[Scene]:
    """Requests no norm speaks about, `help` a language, and the scenes norms were written about."""
    settings = project.settings.evaluate
    drawn = _scenes(project, "test", seed=seed, per_template=settings.per_template)
    plain = [s for s in drawn if s.norm is None]
    probing = [s for s in drawn if s.norm is not None]
    languages = len(project.settings.languages)
    return [
        *_thin(plain, settings.help * languages, seed=seed),
        *_thin(probing, settings.probes * languages, seed=seed),
    ]


def _controls(project: Project, context: Context, bench: _Bench) -> list[tuple[str, Model, Digest]]:
    """Models that must not pass, under the roles the criteria know them by."""
    from normwright import evaluate

    out: list[tuple[str, Model, Digest]] = []
    for name in project.settings.controls:
        role = f"control:{name}"
        if name == "random-init":
            out.append(
                (
                    role,
                    _open(project, context, "learn.control", role),
                    _ref(context, "learn.control", role).digest,
                )
            )
            continue
        made: Model
        if name == "canned-refusal":
            words = {r.lang: r.decline for r in _scenes(project, "tune", seed=0)}
            made = evaluate.CannedRefusal(words)
        elif name == "linear-shortcut":
            made = evaluate.LinearShortcut.fit(
                _scenes(project, "tune", seed=context.seed, per_template=6),
                bench.policy.charter,
                seed=context.seed,
            )
        else:
            made = evaluate.Collapsed(_scenes(project, "tune", seed=0)[0].perform)
        out.append((role, made, digest_json({"control": name, "seed": context.seed})))
    return out


def _contrasts(answers: dict[str, list[Answer]], *, seed: int) -> list[Contrast]:
    """Every comparison a criterion may ask for, paired by scene."""
    from normwright.evaluate import contrast

    out: list[Contrast] = []
    for better in answers:
        for worse in ("base", "tuned"):
            if better != worse and (better, worse) != ("base", "tuned"):
                for suite in ("help", "harm", "permitted"):
                    out += contrast(
                        answers[better],
                        answers[worse],
                        suite=suite,
                        roles=(better, worse),
                        seed=seed,
                    )
    return out


def _fluency(
    project: Project, context: Context, models: Sequence[tuple[str, Model, Digest]]
) -> list[Measurement]:
    """Bits per byte on held-out text, if the project has any."""
    from normwright.evaluate import NgramBaseline, measure_bits

    name = project.settings.evaluate.text
    if name is None:
        return []
    texts = {
        lang: [part for part in path.read_text(encoding="utf-8").split("\n\n") if part.strip()]
        for lang in project.settings.languages
        for path in [project.path(name) / f"{lang}.txt"]
        if path.is_file()
    }
    seen = [m.content for s in _scenes(project, "tune", seed=0) for m in s.messages]
    baseline = NgramBaseline(4).fit(seen)
    out: list[Measurement] = []
    for role, model, digest in models:
        if role in (*TRAINED, "control:random-init"):
            out += measure_bits(
                model,
                baseline,
                texts,
                role=role,
                model_digest=digest,
                window=400,
                seed=context.seed,
            )
    return out


def _refusals(guarded: GuardedModel) -> list[Decision]:
    """The charter's decisions behind what the guard refused, once each, for `trace`."""
    decisions = {
        s.decision.digest: s.decision
        for s in guarded.log
        if s.decision is not None and s.action in ("refuse", "deny", "ask")
    }
    return [decisions[d] for d in sorted(decisions)]


def _citing(guarded: GuardedModel) -> Callable[[Sequence[Message], str], tuple[str, ...]]:
    """Say which norms the guard cited: those of the screening whose words were the answer."""

    def cite(prompt: Sequence[Message], answer: str) -> tuple[str, ...]:
        from normwright.guard.screen import conversation_digest

        asked = conversation_digest(prompt)
        return next(
            (
                s.norms
                for s in reversed(guarded.log)
                if s.conversation == asked and s.text == answer
            ),
            (),
        )

    return cite


def _redteam(project: Project, context: Context) -> list[Record | Digest]:
    from normwright import redteam

    settings = project.settings.redteam
    bench = _Bench.of(project, context)
    attacks = redteam.load_attacks(project.path(settings.attacks))
    scenes = [
        s
        for s in _scenes(project, "test", seed=context.seed + 1, per_template=2)
        if s.norm is not None
    ]
    aligned = _open(project, context, "learn.prefer", "aligned")
    digest = _ref(context, "learn.prefer", "aligned").digest
    models: list[tuple[str, Model, Digest]] = [
        (
            "tuned",
            _open(project, context, "learn.sft", "tuned"),
            _ref(context, "learn.sft", "tuned").digest,
        ),
        ("aligned", aligned, digest),
        ("guarded", bench.guarded(aligned), digest),
    ]
    made: list[Record | Digest] = []
    for number, (role, model, ref) in enumerate(models):
        context.progress(number, len(models), role)
        findings = redteam.campaign(
            model,
            role=role,
            scenes=scenes,
            charter=bench.policy.charter,
            judge=bench.judge,
            attacks=attacks,
            seed=context.seed,
            per_attack=settings.per_attack,
            judge_digest=bench.record.digest,
        )
        stored = context.put_bytes(_lines(findings))
        made += redteam.rates(
            findings, model_digest=ref, judge=bench.record.digest, seed=context.seed, stored=stored
        )
        made += [f for f in findings if f.succeeded and role != "tuned"]
    return made


# The decision


def _release(project: Project, context: Context) -> list[Record]:
    from normwright import release

    policy = context.one("charter", Policy)
    criteria = release.read_criteria(
        project.path(project.settings.release.criteria), languages=project.settings.languages
    )
    measurements = [
        *context.records("evaluate", Measurement),
        *context.records("redteam", Measurement),
    ]
    contrasts = context.records("evaluate", Contrast)
    judge = context.one("judge", Judge)
    models = [context.one(step, ModelRef) for step in ("learn.base", "learn.sft", "learn.prefer")]
    aligned = models[-1].digest
    verdict = release.decide(
        criteria,
        measurements=measurements,
        contrasts=contrasts,
        policy=policy,
        judges=[judge],
        model_digest=aligned,
        digests={
            "base": models[0].digest,
            "tuned": models[1].digest,
            "aligned": aligned,
            "guarded": aligned,
        },
    )
    verdict = verdict.model_copy(
        update={"derived_from": tuple(sorted({aligned, judge.digest, *verdict.derived_from}))}
    )
    first, *others = project.settings.languages
    for lang in (first, *others):
        name = "out/safety-case.md" if lang == first else f"out/safety-case.{lang}.md"
        case = release.safety_case(
            verdict,
            criteria=criteria,
            policy=policy,
            measurements=measurements,
            contrasts=contrasts,
            models=models,
            lang=lang,
        )
        context.export(name, case.encode())
    context.export("out/verdict.json", (verdict.model_dump_json(indent=1) + "\n").encode())
    return [verdict, *criteria]


# Small things several steps do


def _open(project: Project, context: Context, step: str, role: str) -> LocalModel:
    from normwright.models.local import LocalModel, use_threads

    use_threads(project.settings.threads)
    return LocalModel.open(_directory(context, step, role), name=role)


def _directory(context: Context, step: str, role: str) -> Path:
    folder = context.scratch / role.replace(":", "-")
    context.check_out(_ref(context, step, role).files, folder)
    return folder


def _ref(context: Context, step: str, role: str) -> ModelRef:
    return next(r for r in context.records(step, ModelRef) if r.name == role)


def _keep(
    context: Context,
    model: LocalModel,
    name: str,
    recipe: str,
    *,
    parent: tuple[str, str] | None,
    data: Sequence[Digest],
    loop: Loop,
    metrics: Mapping[str, float],
    settings: Mapping[str, Any] | None = None,
) -> ModelRef:
    """Store a model's files and return the record that names it."""
    from normwright.learn import model_ref
    from normwright.models.tuning import save_plain

    folder = context.scratch / "made"
    save_plain(model.weights, model.tokenizer, folder)
    base = _ref(context, *parent).digest if parent else None
    return model_ref(
        name,
        context.put_dir(folder),
        model.weights,
        recipe=recipe,
        base=base,
        data=data,
        loop=loop,
        settings=settings,
        metrics=metrics,
        seed=context.seed,
    )


def _loop(tuning: Tuning, *, seed: int) -> Loop:
    from normwright.models.tuning.loop import Loop

    return Loop(epochs=tuning.epochs, lr=tuning.lr, batch=tuning.batch, seed=seed)


def _told(context: Context, what: str) -> Progress:
    return lambda step, steps, loss: context.progress(step, steps, f"{what}, loss {loss:.3f}")


def _dataset(context: Context, kind: str) -> Digest:
    return _found(context, kind).digest


def _found(context: Context, kind: str) -> Dataset:
    return next(d for d in context.records("learn.data", Dataset) if d.kind == kind)


def _demonstrations(context: Context) -> list[Demonstration]:
    lines = context.read(_found(context, "demonstrations").content).splitlines()
    return [Demonstration.model_validate_json(line) for line in lines]


def _pairs(context: Context) -> list[PreferencePair]:
    lines = context.read(_found(context, "pairs").content).splitlines()
    return [PreferencePair.model_validate_json(line) for line in lines]


def _lines(rows: Iterable[Frozen]) -> bytes:
    return "".join(canonical_json(r.model_dump(mode="json")) + "\n" for r in rows).encode()


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _thin(scenes: Sequence[Scene], count: int, *, seed: int) -> list[Scene]:
    """Return about `count` scenes, twins and translations of one draw kept together."""
    blocks: dict[str, list[Scene]] = {}
    for scene in scenes:
        family, split, wording, number, *_ = scene.id.split("/")
        blocks.setdefault(f"{family}/{split}/{wording}/{number}", []).append(scene)
    # Draws go round the wordings, so that every wording is there before any has a second draw.
    names = sorted(blocks, key=lambda n: (int(n.rsplit("/", 1)[1]), _shuffled(n, seed)))
    kept: list[Scene] = []
    for name in names:
        if len(kept) >= count:
            break
        kept += blocks[name]
    return kept


def _shuffled(name: str, seed: int) -> str:
    return digest_json([seed, name])


def _model_inputs(project: Project) -> dict[str, Digest]:
    """The files of the base model, so that changed weights are another model."""
    from normwright.models.places import embedded_path
    from normwright.store import file_digest

    model = project.settings.model
    if model.kind == "scratch":
        return {}
    folder = embedded_path() if model.kind == "embedded" else project.path(model.path or "")
    found = {f"model/{p.name}": file_digest(p) for p in sorted(folder.iterdir()) if p.is_file()}
    return {name: digest for name, digest in found.items() if digest is not None}
