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
    from normwright.evaluate import TextJudge
    from normwright.guard import GuardedModel
    from normwright.models import Model, Scorer

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
    """Fit the judge that sees what an answer does; it never rewards."""
    from normwright.evaluate import fit_judge

    count = project.settings.evaluate.judge_per_template
    fitted = fit_judge(
        scenes_of(project, "judge", seed=context.seed, per_template=count), seed=context.seed
    )
    for data in fitted.files().values():
        context.put_bytes(data)
    return [fitted.record()]


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

    def guarded(self, aligned: Model) -> GuardedModel:
        """Return the aligned model behind the guard, with the reward model as its ranking."""
        from normwright.models.local import LocalScorer

        folder = folder_of(self.context, "guard", "guard")
        scorer = LocalScorer.open(folder_of(self.context, "learn.reward", "reward"))
        return open_guarded(
            self.project, self.policy, aligned, folder, scorer, seed=self.context.seed
        )


def open_guarded(
    project: Project, policy: Policy, aligned: Model, folder: Path, scorer: Scorer, *, seed: int
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
    from normwright.evaluate import ask, measure
    from normwright.models import Remembered

    settings = project.settings.evaluate
    bench = _Bench.of(project, context)
    scenes = _asked_scenes(project, bench.policy, seed=context.seed)
    aligned = Remembered(open_model(project, context, "learn.prefer", "aligned"))
    models: list[tuple[str, Model, Digest]] = [
        (role, open_model(project, context, step, role), ref_of(context, step, role).digest)
        for role, step in zip(TRAINED[:2], ("learn.base", "learn.sft"), strict=True)
    ]
    digest = ref_of(context, "learn.prefer", "aligned").digest
    guarded = bench.guarded(aligned)
    models += [("aligned", aligned, digest), ("guarded", guarded, digest)]
    models += _controls(project, context, bench)
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
            max_new_tokens=settings.max_new_tokens,
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
    return [*made, context.put_bytes(lines_of(scenes))]


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


def _controls(project: Project, context: Context, bench: _Bench) -> list[tuple[str, Model, Digest]]:
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
    from normwright.models.local import LocalScorer

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
            LocalScorer.open(folder_of(context, "learn.reward", "reward")),
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
    from normwright.redteam import campaign, load_attacks, rates

    settings = project.settings.redteam
    bench = _Bench.of(project, context)
    attacks = load_attacks(project.path(settings.attacks))
    scenes = [
        s
        for s in scenes_of(project, "test", seed=context.seed + 1, per_template=2)
        if s.norm is not None
    ]
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
        made += [f for f in findings if f.succeeded and role != "tuned"]
    return made
