"""From people to a policy: the steps `elicit`, `aggregate` and `charter`."""

from __future__ import annotations

from datetime import date

from normwright.flow.engine import Context
from normwright.flow.project import Project
from normwright.records import Consultation, Outcome, Polity, Process, Record


def elicit(project: Project, context: Context) -> list[Record]:
    """Read the consultation, and store its rows with the receipt that stands for them."""
    from normwright.elicit import read_consultation, receipt, without
    from normwright.store import gone_from

    found = read_consultation(
        project.path(project.settings.sources.consultation), root=project.directory
    )
    found = without(found, gone_from(project.directory, found.process.id))
    roots = context.save_consultation(
        found.process,
        participants=found.participants,
        statements=found.statements,
        votes=found.votes,
        comparisons=found.comparisons,
    )
    return [receipt(found, roots), found.process, *found.polities]


def aggregate(project: Project, context: Context) -> list[Record]:
    """Turn the ballots of each polity into an outcome."""
    from normwright import aggregate as counting

    receipt = context.one("elicit", Consultation)
    rows = context.rows(receipt)
    method = project.settings.method
    methods = sorted({"schulze", "borda", method.ranking}, key=lambda m: m != method.ranking)
    outcomes: list[Record] = []
    polities = context.records("elicit", Polity)
    for number, polity in enumerate(polities):
        context.progress(number, len(polities), polity.id)
        outcome = counting.aggregate(
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


def charter(project: Project, context: Context) -> list[Record]:
    """Ratify the drafted norms by the outcomes, and enact them for the deployment."""
    from normwright.charter import enact, ratify, read_source

    settings = project.settings
    process = context.one("elicit", Process)
    outcomes = context.records("aggregate", Outcome)
    rows = context.rows(context.one("elicit", Consultation))
    source = read_source(project.path(settings.sources.norms), languages=settings.languages)
    adopted = ratify(
        source,
        outcomes,
        process=process,
        statements=rows.statements,
        charter_id=settings.id,
        languages=settings.languages,
        on=date.fromisoformat(settings.charter_date),
    )
    names = {p.id: dict(p.name) for p in context.records("elicit", Polity)}
    policy = enact(adopted, outcomes, deployment={"names": names, **settings.deployment})
    return [adopted, policy]
