"""From people to a policy: the steps `elicit`, `elicit.pairs`, `aggregate` and `charter`."""

from __future__ import annotations

from datetime import date

from normwright.flow.engine import Context
from normwright.flow.project import Project
from normwright.flow.readings import earlier_readings
from normwright.flow.stages.stored import lines_of, occurrences
from normwright.records import (
    Consultation,
    Dataset,
    Outcome,
    Polity,
    Process,
    Record,
    Unranked,
)
from normwright.store import Rows, gone_from


def elicit(project: Project, place: str, context: Context) -> list[Record]:
    """Read a consultation, and store its rows with the receipt that stands for them."""
    from normwright.elicit import read_consultation, receipt, without

    found = read_consultation(project.path(place), root=project.directory)
    found = without(found, gone_from(project.directory, found.process.id))
    roots = context.save_consultation(
        found.process,
        participants=found.participants,
        statements=found.statements,
        votes=found.votes,
        comparisons=found.comparisons,
        ballots=found.ballots,
    )
    return [receipt(found, roots), found.process, *found.polities]


def pairs(project: Project, context: Context) -> list[Record]:
    """Read the pairs of answers that people judged, and store them without those who judged."""
    from normwright.elicit import read_judged_pairs

    found = read_judged_pairs(
        [project.path(name) for name in project.settings.sources.pairs], root=project.directory
    )
    return [
        Dataset(
            kind="judgements",
            rows=len(found.pairs),
            content=context.put_bytes(lines_of(found.pairs)),
            languages=occurrences(pair.lang for pair in found.pairs),
            families=occurrences(pair.source for pair in found.pairs),
            left_out={fault.kind: fault.count for fault in found.faults},
            licences=occurrences(pair.licence for pair in found.pairs),
            process_kind="human",
        )
    ]


def aggregate(project: Project, elicited: str, context: Context) -> list[Record]:
    """Turn the ballots of each polity into an outcome, of the consultation that a step read."""
    receipt = context.one(elicited, Consultation)
    rows = context.rows(receipt)
    outcomes: list[Record] = []
    polities = context.records(elicited, Polity)
    for number, polity in enumerate(polities):
        context.progress(number, len(polities), polity.id)
        outcome = counted(project, rows, polity, unranked=receipt.unranked, seed=context.seed)
        chain = tuple(sorted({receipt.digest, *outcome.derived_from}))
        outcomes.append(outcome.model_copy(update={"derived_from": chain}))
    return outcomes


def counted(
    project: Project, rows: Rows, polity: Polity, *, unranked: Unranked | None, seed: int
) -> Outcome:
    """Return what the ballots of one polity say, by the methods of a project."""
    from normwright import aggregate as counting

    method = project.settings.method
    outcome = counting.aggregate(
        process=rows.process,
        polity=polity,
        participants=rows.participants,
        statements=rows.statements,
        votes=rows.votes,
        comparisons=rows.comparisons,
        ballots=rows.ballots,
        unranked=unranked or "last",
        seed=seed,
        bootstrap=method.bootstrap,
        methods=sorted({"schulze", "borda", method.ranking}, key=lambda m: m != method.ranking),
    )
    if not outcome.pairs:
        return outcome
    targets = counting.targets_of(outcome, rule=method.targets, seed=seed, rounds=method.bootstrap)
    return outcome.model_copy(update={"targets": targets})


def charter(project: Project, context: Context) -> list[Record]:
    """Ratify the drafted norms by the outcomes, and enact them for the deployment."""
    from normwright.charter import enact, ratify, read_source

    settings = project.settings
    process = context.one("elicit", Process)
    outcomes = context.records("aggregate", Outcome)
    rows = context.rows(context.one("elicit", Consultation))
    assert settings.sources.norms is not None  # without them there is no such step
    source = read_source(project.path(settings.sources.norms), languages=settings.languages)
    adopted = ratify(
        source,
        outcomes,
        process=process,
        statements=rows.statements,
        readings=earlier_readings(project, context.store, context.made),
        charter_id=settings.id,
        languages=settings.languages,
        on=date.fromisoformat(settings.charter_date),
    )
    profile = settings.deployment
    names = {p.id: dict(p.name) for p in context.records("elicit", Polity)}
    called = profile.model_copy(update={"names": {**names, **profile.names}})
    policy = enact(adopted, outcomes, deployment=called)
    return [adopted, policy]
