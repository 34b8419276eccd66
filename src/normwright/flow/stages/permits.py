"""Before anything is trained: the step `permit`, and what training steps ask of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from normwright import plugins
from normwright.flow.engine import Context
from normwright.flow.marks import marked
from normwright.flow.permits import GIVEN
from normwright.flow.project import Project
from normwright.flow.settings import FILE
from normwright.flow.stages.stored import rows_in
from normwright.records import (
    Charter,
    Consultation,
    Dataset,
    Deployment,
    Fault,
    Outcome,
    PairTrace,
    Permit,
    PermitError,
    PermitRequest,
    PermitSubject,
    Policy,
    Polity,
    PreferencePair,
    Process,
    Record,
    Scale,
    ScaleUse,
    require_permit,
)
from normwright.store import Rows, withdrawals

RECIPES = {
    "sft": "demonstrations",
    "reward": "pairs",
    "prefer": "pairs",
    "reinforce": "prompts",
}
"""Recipes that train, with what each reads."""


def permit(project: Project, context: Context) -> list[Record]:
    """Ask whether the model may be trained on the charter, and answer with reasons."""
    policy = context.one("charter", Policy)
    if project.permitting.envelope is not None:
        return _given(project, context, policy)
    from normwright.charter import permitting

    request = _request(project, context, policy)
    answer = permitting.permit(request, on=date.fromisoformat(project.settings.charter_date))
    _export(context, answer)
    return [request, answer]


def _given(project: Project, context: Context, policy: Policy) -> list[Record]:
    """Take the permit from outside; it must be for this charter and for what is aligned here."""
    answer, envelope = project.permitting.permit(), project.permitting.envelope
    assert envelope is not None
    subject = _subject(project, context.one("elicit", Process))
    faults = [*answer.faults(charter=policy.charter.digest), *_other_subject(answer, subject)]
    if faults:
        raise PermitError(faults)
    _export(context, answer)
    context.export(GIVEN, envelope)
    return [answer]  # what it was derived from lies where it was given


def _other_subject(answer: Permit, subject: PermitSubject) -> list[Fault]:
    """Return where a permit is about something else than what is aligned here."""
    given = answer.subject.model_dump(mode="json")
    wanted = subject.model_dump(mode="json")
    return [
        Fault(
            where=f"permit {answer.digest[:19]}: subject.{name}",
            expected=str(value),
            seen=str(given[name]),
            do="It was given for another model, use or people; ask for one for this.",
        )
        for name, value in wanted.items()
        if given[name] != value
    ]


def _export(context: Context, answer: Permit) -> None:
    text = answer.model_dump_json(indent=1, by_alias=True) + "\n"
    context.export("out/permit.json", text.encode())


def _request(project: Project, context: Context, policy: Policy) -> PermitRequest:
    from normwright.charter import permitting, read_source

    settings, deployment = project.settings, policy.deployment
    process = context.one("elicit", Process)
    rows = context.rows(context.one("elicit", Consultation))
    outcomes = context.records("aggregate", Outcome)
    assert settings.sources.norms is not None  # without them there is no such step
    source = read_source(project.path(settings.sources.norms), languages=settings.languages)
    made = {digest for step in context.step.after for digest in context.made(step)}
    return permitting.gather(
        policy.charter,
        process=process,
        polities=context.records("elicit", Polity),
        outcomes=outcomes,
        statements=rows.statements,
        subject=_subject(project, process),
        authorities=_authorities(deployment),
        languages=deployment.languages or settings.languages,
        acts=deployment.acts,
        floors=(*permitting.floors_of(source.norms), *deployment.floors),
        withdrawn=sum(one.process == process.id for _, one in withdrawals(context.store)),
        resting=len(made & marked(context.store)),
        newest=_newest(rows),
        scales=_scales(project, rows),
        pairs=_pairs(context),
        derived_from=(policy.digest, process.digest, *sorted(o.digest for o in outcomes)),
    )


def _subject(project: Project, process: Process) -> PermitSubject:
    model, deployment = project.settings.model, project.settings.deployment
    named: str = model.kind
    if model.kind == "local":
        named = project.path(model.path or "").name
    elif model.kind == "remote" and model.remote is not None:
        named = model.remote.id
    return PermitSubject(
        model=named,
        learner=learners(project),
        channels=deployment.channels,
        deployment=_called(deployment),
        preferences_of="people" if process.kind == "human" else "simulated",
    )


def learners(project: Project) -> tuple[str, ...]:
    """Return the recipes a project trains with; what is only guarded is named so."""
    if project.settings.model.kind == "remote" or not project.settings.learns:
        return ("guard",)
    if not project.settings.prefers:
        return ("sft",)
    reinforced = project.settings.learn.reinforce is not None
    return tuple(name for name in RECIPES if name != "reinforce" or reinforced)


def _called(deployment: Deployment) -> str | None:
    """What a deployment is called: its id, its name, or else who it is for."""
    name = deployment.name
    if isinstance(name, dict):
        name = next(iter(name.values()), "")
    named = deployment.id or name or deployment.organisation
    return named or ", ".join(deployment.polities or ()) or None


def _authorities(deployment: Deployment) -> tuple[str, ...] | None:
    """Whom a deployment lies under; None where it does not say."""
    polities, organisation = deployment.polities, deployment.organisation
    if polities is None and organisation is None:
        return None
    return (*(polities or ()), *((organisation,) if organisation else ()))


def _newest(rows: Rows) -> date | None:
    """The day of the latest vote; None where any vote's time was not recorded."""
    times = [vote.at for vote in rows.votes] + [one.at for one in rows.comparisons]
    if not times or not all(times) or len(rows.ballots):
        return None
    return datetime.fromtimestamp(max(times), UTC).date()


def _scales(project: Project, rows: Rows) -> list[ScaleUse]:
    """The rules of the project that read answers, with what these measure and what each needs."""
    from normwright.charter.permitting import scale_of

    method, uses = project.settings.method, []
    cards = {card.name: card for card in plugins.cards("methods")}
    for data, given in _read_by_methods(rows):
        card = cards.get(method.ranking)
        takes = None if card is None else scale_of(card.takes)
        uses.append(ScaleUse(rule=f"methods/{method.ranking}", data=data, given=given, takes=takes))
    if rows.comparisons:
        # Every rule for targets starts from who prefers which of two.
        uses.append(ScaleUse(rule=f"targets/{method.targets}", data="comparisons", given="pairs",
                             takes="pairs"))  # fmt: skip
    recipes = {card.name: scale_of(card.takes) for card in plugins.cards("recipes")}
    uses += [
        ScaleUse(rule=f"recipes/{name}", data="shares", given="pairs", takes=recipes.get(name))
        for name in learners(project)
        if RECIPES.get(name) == "pairs"
    ]
    return uses


def _read_by_methods(rows: Rows) -> list[tuple[str, Scale]]:
    """What a ranking method reads: ballots where there are any, else votes."""
    if len(rows.ballots):
        return [("ballots", "grades" if rows.ballots.categories else "orders")]
    return [("votes", "approvals")] if rows.votes else []


def _pairs(context: Context) -> PairTrace:
    """How many of the pairs to learn from name a norm that people decided about, either way."""
    adopted = context.one("charter", Charter)
    refs = [norm.ref for norm in adopted.norms] + [one.norm for one in adopted.rejected]
    decided = {*refs, *(ref.partition("@")[0] for ref in refs)}
    drawn = list(_rows(context, ["learn.data"]))
    return PairTrace(
        rows=len(drawn),
        traced=sum(bool(decided & set(row.norms)) for row in drawn),
        judged=sum(1 for _ in _rows(context, ["learn.corpora"])),
    )


def _rows(context: Context, steps: Iterable[str]) -> list[PreferencePair]:
    found = [
        dataset
        for step in steps
        if step in context.step.after
        for dataset in context.records(step, Dataset)
        if dataset.kind == "pairs"
    ]
    return rows_in(context, found, PreferencePair)


# What training asks


def permission(project: Project, context: Context) -> Permit | None:
    """Return the permit that a training step trains under; None if it is to train without one.

    Whether it has expired is asked on the day of training. That a machine's clock stands before
    the day of the charter is no reason against it.

    Raises:
        PermitError: with every reason, if nothing permits it.
    """
    if project.unpermitted:
        return None
    if "permit" not in context.step.after:
        raise PermitError([no_charter()])
    found = context.one("permit", Permit)
    today = date.fromisoformat(context.store.timestamp()[:10])
    charter = found.charter if project.permitting.envelope is None else None
    require_permit(found, charter=charter, on=max(today, found.valid_from))
    return found


def no_charter() -> Fault:
    """Return the fault of training where there is no charter that could permit it."""
    return Fault(
        where=f"{FILE}: sources.norms",
        expected="norms that people ratified, from which a permit to train comes",
        seen="none",
        do="Name them there; or train without a permit, which marks the model and keeps it from "
        "being released: learn.unpermitted: true, or normwright run --unpermitted",
    )
