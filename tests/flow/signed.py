"""A project that is measured and decided in a blink, with a policy and criteria worth signing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from tests.release.builders import policy

from normwright.charter.permitting import permit as ask
from normwright.flow import Context, Step, digest_sources, init, load_project, run_steps
from normwright.records import (
    Estimate,
    Measurement,
    ModeVerdict,
    PermitRequest,
    Policy,
    Record,
    Verdict,
)
from normwright.release import read_criteria
from normwright.store import FOLDER, KeyHome

CRITERIA = "criteria.yaml"
LANGUAGES = ("en", "pt")


def write_project(directory: Path) -> Path:
    """Write the sources of the project and return its directory."""
    init(directory, "micro")
    return directory


def charter(_: Context) -> Iterator[Record]:
    """Enact a policy."""
    yield policy()


def permit(ctx: Context) -> Iterator[Record]:
    """Ask for a permit with nothing to go by; it is refused, and signed all the same."""
    charter = ctx.one("charter", Policy).charter.digest
    yield ask(PermitRequest(charter=charter, languages=LANGUAGES), on=date(2025, 2, 3)).model_copy(
        update={"derived_from": ()}
    )


def evaluate(ctx: Context) -> Iterator[Record]:
    """Measure something."""
    yield Measurement(
        suite="help",
        metric="rate",
        model="aligned",
        model_digest=ctx.one("charter", Policy).digest,
        estimate=Estimate(value=ctx.parameters["value"], interval=None, n=4),
    )


def release(ctx: Context) -> Iterator[Record]:
    """Decide."""
    (measured,) = ctx.records("evaluate", Measurement)
    criteria = read_criteria(ctx.project / CRITERIA, languages=LANGUAGES)
    verdict = Verdict(
        modes=(ModeVerdict(mode="internal", verdict="HOLD", deciding="c", results=(), reason={}),),
        controls=(),
        alpha=criteria.alpha,
        candidates=1,
        charter=ctx.one("charter", Policy).charter.digest,
        model=measured.model_digest,
        evidence=(measured.digest,),
    )
    ctx.export("out/verdict.json", verdict.model_dump_json().encode())
    yield verdict
    yield from criteria


def steps(project: Path, value: float = 0.75) -> Sequence[Step]:
    """Return the steps; another `value` is another measurement, so another verdict."""
    return (
        Step("charter", charter),
        Step("permit", permit, after=("charter",)),
        Step("evaluate", evaluate, after=("charter",), parameters={"value": value}),
        Step(
            "release",
            release,
            after=("charter", "evaluate"),
            files=digest_sources(project, [load_project(project).settings.release.criteria]),
        ),
    )


def run(project: Path, value: float = 0.75, *, long_ago: bool = False) -> None:
    """Run the project, now or as it might have been run before."""
    now = datetime(2025, 2, 3, 12, tzinfo=UTC) if long_ago else datetime.now(UTC)
    run_steps(project, steps(project, value), seed=3, now=lambda: now)


def home_of(directory: Path, name: str = "default") -> KeyHome:
    """Return a key home with one key of its own."""
    home = KeyHome(directory)
    home.create(name)
    return home


def sql(project: Path, statement: str, *values: object) -> None:
    """Change the database behind the store's back."""
    with sqlite3.connect(project / FOLDER / "store.db") as connection:
        connection.execute(statement, values)
    connection.close()
