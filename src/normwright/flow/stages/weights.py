"""From a policy to weights: the steps `learn.*`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from normwright.flow.engine import Context
from normwright.flow.project import Project
from normwright.flow.run_card import card_of
from normwright.flow.stages.drawn import scenes_of, thin
from normwright.flow.stages.permits import permission
from normwright.flow.stages.stored import (
    files_under,
    folder_of,
    judged_pairs,
    lines_of,
    occurrences,
    open_model,
    ref_of,
    rows_in,
)
from normwright.flow.tunings import Tuning
from normwright.flow.tunings.arguments import loop_of, lora_of, preference_objective_of, reward_of
from normwright.records import (
    Consultation,
    Dataset,
    Demonstration,
    Digest,
    ErrorBudget,
    Message,
    ModelRef,
    Outcome,
    Permit,
    Policy,
    PreferencePair,
    Prompt,
    Record,
    Scene,
)

if TYPE_CHECKING:
    from normwright.models.local import LocalModel
    from normwright.models.tuning.loop import Loop, Running


def data(project: Project, context: Context) -> list[Record]:
    """Make the rows a model learns from, curated under the policy."""
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
    drawn = [
        s for s in scenes_of(project, "tune", seed=context.seed + 1, per_template=40) if s.norm
    ]
    pairs = learn.pair(
        policy,
        outcomes,
        thin(drawn, settings.learn.pairs, seed=context.seed),
        statements=context.rows(context.one("elicit", Consultation)).statements,
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
                content=context.put_bytes(lines_of(rows)),
                curation=curation,
                languages=occurrences(r.lang for r in rows),
                families=occurrences(r.family for r in rows),
                process_kind=policy.charter.kind,
                derived_from=(policy.digest, *(o.digest for o in outcomes)),
            )
        )
    return made


LIMIT = 512
"""Longest row of a scene in tokens; what is longer is an error there, never cut."""


def _limit(project: Project, tuning: Tuning) -> int:
    """The longest row of a recipe in tokens: its own setting, or what the project's rows need."""
    return tuning.longest or max(LIMIT, project.settings.learn.longest)


def _undisputed(rows: Sequence[Demonstration]) -> list[Demonstration]:
    """Return the demonstrations no norm speaks against: an anchor must not teach breaches."""
    return [row for row in rows if not row.norms]


def _lessons(project: Project, count: int, *, seed: int) -> list[Scene]:
    """Return scenes to demonstrate: mostly plain requests, and scenes norms were written about."""
    drawn = scenes_of(project, "tune", seed=seed, per_template=30)
    plain = [s for s in drawn if s.norm is None]
    probing = [s for s in drawn if s.norm is not None]
    most = round(count * project.settings.learn.plain)
    return [*thin(plain, most, seed=seed), *thin(probing, count - most, seed=seed)]


def base(project: Project, context: Context) -> list[Record]:
    """Take the model that everything starts from, or make a small one on the spot."""
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
        made = learn.scratch_model(_words(project, context), shape=shape, seed=context.seed)
        save_plain(made.weights, made.tokenizer, context.scratch / "model")
        directory, recipe = context.scratch / "model", "scratch"
    elif model.kind == "local":
        directory, recipe = project.path(model.path or ""), "given"
    else:
        directory, recipe = embedded_path(), "pretrain"
    opened = LocalModel.open(directory, name="base")
    files = context.put_dir(directory)
    card = card_of(directory)
    return [
        learn.model_ref(
            "base", files, opened.weights, recipe=recipe, seed=context.seed,
            unpermitted=card is not None and card.unpermitted,
            forgotten=None if card is None else card.forgotten,
        )
    ]  # fmt: skip


def _words(project: Project, context: Context) -> Iterator[str]:
    """The texts that a tokenizer made on the spot learns from: all that the project has."""
    from normwright import learn

    sources = project.settings.sources
    for scene in scenes_of(project, "tune", seed=0) if sources.scenes else ():
        yield from (m.content for m in scene.messages)
        yield from (scene.perform, scene.decline)
    for row in learn.read_instructions(files_under(project, sources.demonstrations)):
        yield from (*(m.content for m in row.prompt), row.completion)
    for pair in judged_pairs(context) if sources.pairs else ():
        if learn.is_held(pair, project.settings.learn.held_out):
            continue
        yield from (*(m.content for m in pair.prompt), pair.first, pair.second)


def sft(project: Project, context: Context) -> list[Record]:
    """Tune the base model on the demonstrations."""
    from normwright import learn

    permit, tuning = permission(project, context), project.settings.learn.sft
    if tuning is None:
        given = ref_of(context, "learn.base", "base")
        parts = {"name": "tuned", "base": given.digest, "derived_from": (given.digest,)}
        return [given.model_copy(update={**parts, "recipe": "given"})]
    base = open_model(project, context, "learn.base", "base")
    loop = loop_of(tuning, seed=context.seed)
    tuned, metrics = learn.sft(
        base,
        _demonstrations(context),
        permit=permit,
        unpermitted=permit is None,
        loop=loop,
        lora=lora_of(tuning),
        packing=tuning.packing,
        limit=_limit(project, tuning),
        running=_told(context, "imitating"),
    )
    return [
        _keep(
            context,
            tuned,
            "tuned",
            "sft",
            parent=("learn.base", "base"),
            data=_datasets(context, "demonstrations"),
            loop=loop,
            metrics=metrics,
            permit=permit,
        )
    ]


def reward(project: Project, context: Context) -> list[Record]:
    """Learn a reward from the shares of people who prefer each answer."""
    from normwright import learn
    from normwright.models.local import LocalModel

    permit = permission(project, context)
    tuned = open_model(project, context, "learn.sft", "tuned")
    loop = loop_of(project.settings.learn.reward, seed=context.seed)
    weights, metrics = learn.reward(
        tuned,
        _pairs(context),
        permit=permit,
        unpermitted=permit is None,
        loop=loop,
        limit=_limit(project, project.settings.learn.reward),
        running=_told(context, "learning shares"),
        **reward_of(project.settings.learn.reward),
    )
    scorer = LocalModel("reward", weights, tuned.tokenizer)
    return [
        _keep(
            context,
            scorer,
            "reward",
            "reward",
            parent=("learn.sft", "tuned"),
            data=_datasets(context, "pairs"),
            loop=loop,
            metrics=metrics,
            permit=permit,
        )
    ]


def prefer(project: Project, context: Context) -> list[Record]:
    """Align the tuned model with what people prefer, and export it."""
    tuned = open_model(project, context, "learn.sft", "tuned")
    ref = _align(
        project,
        context,
        tuned,
        name="aligned",
        recipe="prefer",
        parent=("learn.sft", "tuned"),
    )
    # What nothing permits stays in the store.
    if not ref.unpermitted:
        for name, digest in ref.files.items():
            context.export(f"out/model/{name}", digest)
    return [ref, _budget(project, context, ref, tuned)]


def _budget(project: Project, context: Context, ref: ModelRef, tuned: LocalModel) -> ErrorBudget:
    """Measure how far the aligned model is from what people prefer, part by part."""
    from normwright.learn.error_budget import error_budget
    from normwright.models.local import LocalModel

    given = project.settings.learn.prefer
    anchored = given.sft_anchor > 0 or given.majority_anchor > 0
    return error_budget(
        _pairs(context),
        LocalModel.open(context.scratch / "made", name="aligned"),
        tuned,
        beta=given.beta,
        targeted=given.method == "soft" and not anchored,
        name=ref.digest,
        seed=context.seed,
    )


def reinforce(project: Project, context: Context) -> list[Record]:
    """Train the tuned model on what its own answers are worth, and export it."""
    from normwright import learn
    from normwright.flow.tunings import worth

    how, permit = project.settings.learn.reinforce, permission(project, context)
    assert how is not None
    places = [project.path(one) for one in how.rewards]
    loop = loop_of(how, seed=context.seed)
    tuned = open_model(project, context, "learn.sft", "tuned")
    prompts = _prompts(_pairs(context))
    model, metrics = learn.reinforce(
        tuned,
        prompts,
        reward=worth.signal_of(places or [folder_of(context, "learn.reward", "reward")], how),
        groups=worth.groups_of(how, tuned, prompts, at=project.path, seed=context.seed),
        constraints=worth.constraints_of(how, project.path),
        budget=worth.budget_of(how),
        loop=loop,
        lora=lora_of(how),
        beta=how.beta,
        generations=how.generations,
        length=how.length,
        unscored=how.unscored,
        running=_told(context, "reinforcing"),
        permit=permit,
        unpermitted=permit is None,
    )
    ref = _keep(
        context,
        model,
        "reinforced",
        "reinforce",
        parent=("learn.sft", "tuned"),
        data=_datasets(context, "pairs"),
        loop=loop,
        metrics=metrics,
        permit=permit,
        settings=worth.worth_of(how),
    )
    # What nothing permits stays in the store.
    if not ref.unpermitted:
        for name, digest in ref.files.items():
            context.export(f"out/reinforced/{name}", digest)
    return [ref]


def _prompts(pairs: Sequence[PreferencePair]) -> list[Prompt]:
    """Return the prompts of pairs, each once, with the norms that bear on any of its pairs."""
    found: dict[tuple[Message, ...], Prompt] = {}
    for pair in pairs:
        before = found[pair.prompt].norms if pair.prompt in found else ()
        found[pair.prompt] = Prompt(
            scene=pair.scene,
            lang=pair.lang,
            prompt=pair.prompt,
            norms=tuple(sorted({*before, *pair.norms})),
            group=pair.group,
        )
    return list(found.values())


def control(project: Project, context: Context) -> list[Record]:
    """Train a model that starts from random weights, in the same way on the same rows."""
    from normwright import learn

    settings, permit = project.settings.learn, permission(project, context)
    base = open_model(project, context, "learn.base", "base")
    tuned, tuning = learn.fresh_like(base, seed=context.seed), settings.sft
    if tuning is not None:
        tuned, _ = learn.sft(
            tuned,
            _demonstrations(context),
            permit=permit,
            unpermitted=permit is None,
            loop=loop_of(tuning, seed=context.seed),
            lora=lora_of(tuning),
            limit=_limit(project, tuning),
            running=_told(context, "imitating"),
        )
    if not project.settings.prefers:
        return [
            _keep(
                context,
                tuned,
                "control:random-init",
                "sft",
                parent=("learn.base", "base"),
                data=_datasets(context, "demonstrations"),
                loop=None if tuning is None else loop_of(tuning, seed=context.seed),
                metrics={},
                settings={"start": "random"},
                permit=permit,
            )
        ]
    return [
        _align(
            project,
            context,
            tuned,
            name="control:random-init",
            recipe="sft+prefer",
            # Its weights come from nothing, but tokenizer and shape are the base's.
            parent=("learn.base", "base"),
            about={"start": "random"},
        )
    ]


def _align(
    project: Project,
    context: Context,
    tuned: LocalModel,
    *,
    name: str,
    recipe: str,
    parent: tuple[str, str],
    about: Mapping[str, Any] | None = None,
) -> ModelRef:
    """Train on what people prefer and store the model; candidate and control alike."""
    from normwright import learn
    from normwright.models.encoder import open_scorer

    prefer, permit = project.settings.learn.prefer, permission(project, context)
    loop = loop_of(prefer, seed=context.seed)
    rewards = {
        place: (open_scorer(project.path(place)), weight)
        for place, weight in prefer.auxiliary.items()
    }
    model, metrics = learn.prefer(
        tuned,
        _pairs(context),
        _undisputed(_demonstrations(context)),
        permit=permit,
        unpermitted=permit is None,
        loop=loop,
        lora=lora_of(prefer),
        beta=prefer.beta,
        anchor=prefer.sft_anchor,
        majority=prefer.majority_anchor,
        objective=preference_objective_of(prefer),
        policy=_policy(context),
        fixed=rewards,
        limit=_limit(project, prefer),
        running=_told(context, "preferring"),
    )
    return _keep(
        context,
        model,
        name,
        recipe,
        parent=parent,
        data=(*_datasets(context, "pairs"), *_datasets(context, "demonstrations")),
        loop=loop,
        metrics=metrics,
        permit=permit,
        settings={
            **(about or {}),
            "method": prefer.method,
            "beta": prefer.beta,
            "anchor": prefer.sft_anchor,
            "majority": prefer.majority_anchor,
        },
    )


def _policy(context: Context) -> Policy | None:
    """What binds what is learned; None where the project has no norms."""
    return context.one("charter", Policy) if "charter" in context.step.after else None


def _keep(
    context: Context,
    model: LocalModel,
    name: str,
    recipe: str,
    *,
    parent: tuple[str, str],
    data: Sequence[Digest],
    loop: Loop | None,
    metrics: Mapping[str, float],
    permit: Permit | None,
    settings: Mapping[str, Any] | None = None,
) -> ModelRef:
    """Store a model's files and return the record that names it."""
    from normwright.learn import model_ref
    from normwright.models.tuning import save_plain

    folder = context.scratch / "made"
    save_plain(model.weights, model.tokenizer, folder)
    base = ref_of(context, *parent)
    return model_ref(
        name,
        context.put_dir(folder),
        model.weights,
        recipe=recipe,
        base=base.digest,
        data=data,
        loop=loop,
        settings=settings,
        metrics=metrics,
        seed=context.seed,
        permit=None if permit is None else permit.digest,
        unpermitted=permit is None or base.unpermitted,
        forgotten=base.forgotten,
    )


def _told(context: Context, what: str) -> Running:
    from normwright.models.tuning.loop import Running

    def progress(step: int, steps: int, loss: float) -> None:
        context.progress(step, steps, f"{what}, loss {loss:.3f}")

    return Running(progress=progress)


def _datasets(context: Context, kind: str) -> tuple[Digest, ...]:
    return tuple(d.digest for d in _found(context, kind))


TAUGHT = ("learn.data", "learn.corpora")
"""The steps that make what is learned from, those that a project has."""


def _found(context: Context, kind: str) -> list[Dataset]:
    return [
        d
        for step in TAUGHT
        if step in context.step.after
        for d in context.records(step, Dataset)
        if d.kind == kind
    ]


def _demonstrations(context: Context) -> list[Demonstration]:
    return rows_in(context, _found(context, "demonstrations"), Demonstration)


def _pairs(context: Context) -> list[PreferencePair]:
    return rows_in(context, _found(context, "pairs"), PreferencePair)
