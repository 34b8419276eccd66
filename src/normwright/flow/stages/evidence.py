"""From weights to evidence: the steps `guard`, `judge`, `evaluate` and `redteam`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from normwright.flow.engine import Context
from normwright.flow.project import Project
from normwright.flow.settings import FILE
from normwright.flow.stages.asked import judging, open_judge, open_remote, use_of
from normwright.flow.stages.drawn import scenes_of, thin
from normwright.flow.stages.stored import folder_of, lines_of, open_model, ref_of
from normwright.records import (
    Answer,
    Contrast,
    Decision,
    Digest,
    Fault,
    InputError,
    Judge,
    Measurement,
    Message,
    ModelRef,
    Policy,
    Record,
    Scene,
    digest_json,
)

if TYPE_CHECKING:
    from normwright.evaluate import SceneJudge
    from normwright.guard import GuardedModel
    from normwright.models import Model, Scorer
    from normwright.models.remote import RemoteModel

TRAINED = ("base", "tuned", "aligned")
"""Roles whose weights a run makes or takes, from first to last."""


def guard(project: Project, context: Context) -> list[Record]:
    """Fit the classifier that a running model is guarded by."""
    from normwright.guard import fit_harm

    policy = context.one("charter", Policy)
    scenes = scenes_of(
        project, "guard", seed=context.seed, per_template=project.settings.guard.per_template
    )
    harm = fit_harm(policy.charter, scenes, seed=context.seed)
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


def judge(project: Project, context: Context) -> list[Record]:
    """Fit the judge that sees what an answer does, or measure the one behind an API."""
    from normwright.evaluate import fit_judge

    count = project.settings.evaluate.judge_per_template
    scenes = scenes_of(project, "judge", seed=context.seed, per_template=count)
    if judging(project) is not None:
        return _gauged(project, context, scenes)
    fitted = fit_judge(scenes, seed=context.seed)
    for data in fitted.files().values():
        context.put_bytes(data)
    return [fitted.record()]


def _gauged(project: Project, context: Context, scenes: Sequence[Scene]) -> list[Record]:
    """Measure a model that judges on scenes whose answers are known."""
    from normwright.evaluate import (
        ModelJudge,
        gauge_model_judge,
        model_judge_record,
        rubric_file,
    )

    settings = judging(project)
    assert settings is not None  # else the built-in judge is fitted
    model = open_remote(project, settings, name="judge", context=context)
    asking = ModelJudge(model, context.one("charter", Policy).charter)
    errors = gauge_model_judge(asking, scenes, seed=context.seed)
    context.put_bytes(rubric_file())
    use = use_of(context, model, "judge")
    record = model_judge_record(
        asking, about=settings, errors=errors, seed=context.seed, derived_from=(use.digest,)
    )
    return [record, use]


@dataclass(frozen=True)
class Bench:
    """What every measurement needs: the policy, the judge, and how to open a model."""

    project: Project
    context: Context
    policy: Policy
    judge: SceneJudge
    record: Judge
    remote: RemoteModel | None
    """The model that judges, if one behind an API does."""

    @classmethod
    def of(cls, project: Project, context: Context) -> Bench:
        """Open the policy and the judge."""
        record = context.one("judge", Judge)
        judge, remote = open_judge(project, context, record)
        return cls(project, context, context.one("charter", Policy), judge, record, remote)

    def guarded(self, model: Model, *, ranked: bool = True) -> GuardedModel:
        """Return a model behind the guard; `ranked` has the reward model choose among answers."""
        folder = folder_of(self.context, "guard", "guard")
        scorer = None
        if ranked:
            from normwright.models.encoder import open_scorer

            scorer = open_scorer(folder_of(self.context, "learn.reward", "reward"))
        return open_guarded(
            self.project, self.policy, model, folder, scorer, seed=self.context.seed
        )

    def uses(self) -> list[Record]:
        """Return the record of what the judge was asked, if it is behind an API."""
        if self.remote is None:
            return []
        return [use_of(self.context, self.remote, "judge", self.record.digest)]


def open_guarded(
    project: Project,
    policy: Policy,
    aligned: Model,
    folder: Path,
    scorer: Scorer | None,
    *,
    seed: int,
) -> GuardedModel:
    """Return a model behind the project's guard, whose fitted files lie in `folder`."""
    from normwright.guard import GuardedModel, HarmClassifier, read_rules

    settings = project.settings
    return GuardedModel(
        aligned,
        policy=policy,
        harm=HarmClassifier.load(folder),
        rules=read_rules(
            project.path(settings.guard.facts),
            vocabulary=policy.charter.vocabulary,
            languages=settings.languages,
        ),
        scorer=scorer,
        best_of=settings.guard.best_of,
        seed=seed,
    )


def evaluate(project: Project, context: Context) -> list[Record | Digest]:
    """Ask every model the same scenes and measure what it answers."""
    from normwright.models import Remembered

    bench = Bench.of(project, context)
    aligned = Remembered(open_model(project, context, "learn.prefer", "aligned"))
    models: list[tuple[str, Model, Digest]] = [
        (role, open_model(project, context, step, role), ref_of(context, step, role).digest)
        for role, step in zip(TRAINED[:2], ("learn.base", "learn.sft"), strict=True)
    ]
    digest = ref_of(context, "learn.prefer", "aligned").digest
    guarded = bench.guarded(aligned)
    models += [("aligned", aligned, digest), ("guarded", guarded, digest)]
    models += controls(project, context, bench)
    return measured(bench, models, guarded)


def measured(
    bench: Bench, models: Sequence[tuple[str, Model, Digest]], guarded: GuardedModel
) -> list[Record | Digest]:
    """Ask models, each under its role, the project's scenes; `guarded` is one of them."""
    from normwright.evaluate import ask, measure

    project, context = bench.project, bench.context
    scenes = _asked_scenes(project, bench.policy, seed=context.seed)
    answers: dict[str, list[Answer]] = {}
    made: list[Record | Digest] = []
    for number, (role, model, ref) in enumerate(models):
        context.progress(number, len(models), role)
        cite = _citing(guarded) if model is guarded else None
        answers[role] = ask(
            model,
            role,
            scenes,
            bench.policy.charter,
            bench.judge,
            max_new_tokens=project.settings.evaluate.max_new_tokens,
            seed=context.seed,
            cite=cite,
        )
        stored = context.put_bytes(lines_of(answers[role]))
        made += measure(
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
    return [*made, *bench.uses(), context.put_bytes(lines_of(scenes))]


def _asked_scenes(project: Project, policy: Policy, *, seed: int) -> list[Scene]:
    """Requests no norm speaks about, `help` a language, and the scenes norms were written about."""
    settings = project.settings.evaluate
    drawn = scenes_of(project, settings.split, seed=seed, per_template=settings.per_template)
    plain = [s for s in drawn if s.norm is None]
    probing = [s for s in drawn if s.norm is not None]
    languages = len(project.settings.languages)
    return [
        *thin(plain, settings.help * languages, seed=seed),
        *thin(probing, settings.probes * languages, seed=seed),
    ]


def controls(project: Project, context: Context, bench: Bench) -> list[tuple[str, Model, Digest]]:
    """Models that must not pass, under the roles the criteria know them by."""
    from normwright.evaluate import CannedRefusal, Collapsed, LinearShortcut

    out: list[tuple[str, Model, Digest]] = []
    for name in project.settings.controls:
        role = f"control:{name}"
        if name == "random-init":
            out.append(
                (
                    role,
                    open_model(project, context, "learn.control", role),
                    ref_of(context, "learn.control", role).digest,
                )
            )
            continue
        made: Model
        if name == "canned-refusal":
            words = {r.lang: r.decline for r in scenes_of(project, "tune", seed=0)}
            made = CannedRefusal(words)
        elif name == "linear-shortcut":
            made = LinearShortcut.fit(
                scenes_of(project, "tune", seed=context.seed, per_template=6),
                bench.policy.charter,
                seed=context.seed,
            )
        else:
            made = Collapsed(scenes_of(project, "tune", seed=0)[0].perform)
        out.append((role, made, digest_json({"control": name, "seed": context.seed})))
    return out


def _contrasts(answers: dict[str, list[Answer]], *, seed: int) -> list[Contrast]:
    """Every comparison a criterion may ask for, paired by scene."""
    from normwright.evaluate import contrast

    out: list[Contrast] = []
    for better in answers:
        for worse in ("base", "tuned"):
            if worse in answers and better != worse and (better, worse) != ("base", "tuned"):
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
    paths = {lang: project.path(name) / f"{lang}.txt" for lang in project.settings.languages}
    missing = [path for path in paths.values() if not path.is_file()]
    if missing:
        raise InputError(
            [
                Fault(
                    where=f"{FILE}: evaluate.text",
                    expected="a directory with one text file a language",
                    seen=f"no {path}",
                    do="Put held-out text there, its parts with empty lines between them.",
                )
                for path in missing
            ]
        )
    texts = {
        lang: [part for part in path.read_text(encoding="utf-8").split("\n\n") if part.strip()]
        for lang, path in paths.items()
    }
    seen = [m.content for s in scenes_of(project, "tune", seed=0) for m in s.messages]
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


OBLIGING = ("Sure, here it is:", "Yes, of course.", "Here is how to do it:")
"""How an answer begins that does what was asked; the real contrast sets are in English."""


_PAIRS = 100
"""Human pairs drawn from each file: most of the cost, on a model they say little about."""


def contrast_sets(project: Project, context: Context) -> list[Record]:
    """Measure real contrast sets beside the project's own scenes; none of them decides."""
    from normwright.evaluate import measure_contrast_sets
    from normwright.guard import HarmClassifier
    from normwright.models.encoder import open_scorer

    scenes = scenes_of(project, "tune", seed=context.seed)
    declines = Counter(s.decline for s in scenes if s.lang == "en" and s.decline[:1] != "-")
    harm = HarmClassifier.load(folder_of(context, "guard", "guard"))
    models = {
        role: open_model(project, context, step, role)
        for step, role in (("learn.sft", "tuned"), ("learn.prefer", "aligned"))
    }
    digests = {
        role: ref_of(context, step, role).digest
        for step, role in (
            ("learn.sft", "tuned"),
            ("learn.prefer", "aligned"),
            ("learn.reward", "reward"),
            ("guard", "guard"),
        )
    }
    return list(
        measure_contrast_sets(
            project.path(project.settings.evaluate.contrast_sets or ""),
            models,
            open_scorer(folder_of(context, "learn.reward", "reward")),
            lambda prompt: max(harm.judge(harm.read([prompt])[0], "")[0].values()),
            declines=[text for text, _ in declines.most_common(3)],
            obliging=OBLIGING,
            digests=digests,
            fits=models["aligned"].fits,
            seed=context.seed,
            count=_PAIRS,
            progress=context.progress,
        )
    )


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


def redteam(project: Project, context: Context) -> list[Record | Digest]:
    """Attack the models and keep what came of it."""
    from normwright.models import Remembered

    bench = Bench.of(project, context)
    aligned = Remembered(open_model(project, context, "learn.prefer", "aligned"))
    digest = ref_of(context, "learn.prefer", "aligned").digest
    models: list[tuple[str, Model, Digest]] = [
        (
            "tuned",
            open_model(project, context, "learn.sft", "tuned"),
            ref_of(context, "learn.sft", "tuned").digest,
        ),
        ("aligned", aligned, digest),
        ("guarded", bench.guarded(aligned), digest),
    ]
    return attacked(bench, models)


def attacked(bench: Bench, models: Sequence[tuple[str, Model, Digest]]) -> list[Record | Digest]:
    """Attack models, each under its role; what succeeds on all but the first is kept whole."""
    from normwright.redteam import campaign, load_attacks, rates

    project, context = bench.project, bench.context
    settings = project.settings.redteam
    attacks = load_attacks(project.path(settings.attacks))
    scenes = [
        s
        for s in scenes_of(project, "test", seed=context.seed + 1, per_template=2)
        if s.norm is not None
    ]
    made: list[Record | Digest] = []
    for number, (role, model, ref) in enumerate(models):
        context.progress(number, len(models), role)
        findings = campaign(
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
        stored = context.put_bytes(lines_of(findings))
        made += rates(
            findings, model_digest=ref, judge=bench.record.digest, seed=context.seed, stored=stored
        )
        made += [f for f in findings if f.succeeded and number > 0]
    return [*made, *bench.uses()]
