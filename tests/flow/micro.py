"""A small project with real steps, from votes to a verdict, that runs in a blink."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from normwright.flow import FILE, Context, Step, digest_sources, open_store
from normwright.records import (
    Consultation,
    Criterion,
    CriterionResult,
    Dataset,
    Decision,
    Digest,
    Estimate,
    Grouping,
    Measurement,
    ModelRef,
    ModeVerdict,
    Outcome,
    Participant,
    Process,
    Record,
    Statement,
    Verdict,
    Vote,
    digest_json,
)
from normwright.store import FOLDER, Address

SEED = 11
VOTES = "consultation/votes.csv"


def write_project(directory: Path, address: Address | None = None) -> Path:
    """Write the sources of the micro project, and where its store is, and return its directory."""
    (directory / "consultation").mkdir(parents=True)
    if address is not None:
        url = address.url.set(drivername="postgresql").render_as_string(hide_password=False)
        project = address.schema.removeprefix("normwright_")
        (directory / FILE).write_text(f"id: {project}\nstore: {{url: '{url}'}}\n")
    rows = [
        f"p{person},s{statement},{('agree', 'disagree', 'pass')[(person * statement) % 3]}"
        for person in range(6)
        for statement in range(4)
        if (person + statement) % 5
    ]
    (directory / VOTES).write_text("participant,statement,vote\n" + "\n".join(rows) + "\n")
    return directory


def tamper(project: Path, *statements: str) -> None:
    """Change the database behind the store's back, past its own constraints."""
    with open_store(project, create=False) as store:
        if store.engine.dialect.name == "postgresql":
            with store.transaction() as connection:
                for statement in ("SET LOCAL session_replication_role = replica", _NO_CHECKS):
                    connection.exec_driver_sql(statement)
                for statement in statements:
                    zeros = "decode(repeat('00', 32), 'hex')"
                    connection.exec_driver_sql(statement.replace("zeroblob(32)", zeros))
            return
    with sqlite3.connect(project / FOLDER / "store.db") as connection_:
        connection_.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            connection_.execute(statement)
    connection_.close()


_NO_CHECKS = """
DO $$ DECLARE found record; BEGIN
  FOR found IN SELECT conname, conrelid::regclass AS place FROM pg_constraint
      WHERE contype = 'c' AND connamespace = current_schema()::regnamespace LOOP
    EXECUTE format('ALTER TABLE %%s DROP CONSTRAINT %%I', found.place, found.conname);
  END LOOP; END $$
"""


def elicit(ctx: Context) -> Iterator[Record]:
    """Import the votes."""
    with (ctx.project / VOTES).open(newline="") as lines:
        votes = [
            Vote.model_validate(
                {"participant": r["participant"], "statement": r["statement"], "value": r["vote"]}
            )
            for r in csv.DictReader(lines)
        ]
    process = Process(id="micro", kind="simulated", title={"en": "Micro"}, seed=ctx.seed)
    people = sorted({vote.participant for vote in votes})
    asked = sorted({vote.statement for vote in votes})
    roots = ctx.save_consultation(
        process,
        participants=[Participant(id=p, process="micro", polities=("v",)) for p in people],
        statements=[Statement(id=s, text={"en": s}, layer="polity", authority="v") for s in asked],
        votes=votes,
        comparisons=[],
    )
    yield Consultation(
        process="micro",
        kind="simulated",
        sources=dict(ctx.step.files),
        participants=len(people),
        statements=len(asked),
        votes=len(votes),
        comparisons=0,
        roots=roots,
    )


def aggregate(ctx: Context) -> Iterator[Record]:
    """Count the votes."""
    consultation = ctx.one("elicit", Consultation)
    votes = ctx.rows(consultation).votes
    yield Outcome(
        derived_from=(consultation.digest,),
        process="micro",
        kind="simulated",
        layer="polity",
        authority="v",
        participants=consultation.participants,
        votes=len(votes),
        support=(),
        rankings=(),
        grouping=Grouping(groups=(), method="none", reason="too few"),
        undecided=tuple(sorted({v.statement for v in votes if v.value == "pass"})),
    )
    # A refusal that does not say itself what it was derived from: its step does.
    yield Decision(verdict="deny", governing=("n.a@1",))


def data(ctx: Context) -> Iterator[Record]:
    """Draw training rows."""
    outcome = ctx.one("aggregate", Outcome)
    wanted = ctx.parameters["rows"]
    lines = []
    for number in range(wanted):
        lines.append(json.dumps({"row": number, "said": outcome.undecided, "seed": ctx.seed}))
        ctx.progress(number + 1, wanted, "rows")
    content = ctx.put_bytes(("\n".join(lines) + "\n").encode())
    yield Dataset(
        derived_from=(outcome.digest,),
        kind="demonstrations",
        rows=wanted,
        content=content,
        process_kind="simulated",
    )


def train(ctx: Context) -> Iterator[Record]:
    """Make weights in three steps, each resumable from its checkpoint."""
    dataset = ctx.one("learn.data", Dataset)
    state = ctx.scratch / "state"
    while (done := len(state.read_bytes()) if state.exists() else 0) < 3:
        state.write_bytes(b"x" * (done + 1))
    folder = ctx.scratch / "model"
    (folder / "deep").mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(ctx.read(dataset.content) + state.read_bytes())
    (folder / "deep" / "config.json").write_text('{"hidden": 1}')
    files = ctx.put_dir(folder)
    for name, digest in files.items():
        ctx.export(f"out/model/{name}", digest)
    yield ModelRef(name="tuned", files=files, parameters=1, data=(dataset.digest,), recipe="sft")


def evaluate(ctx: Context) -> Iterator[Record | Digest]:
    """Measure the model."""
    model = ctx.one("learn.sft", ModelRef)
    answers = ctx.put_bytes(b'{"answer": 1}\n')
    counts = Counter(ctx.read(model.files["model.safetensors"]))
    for lang in ("en", "pt"):
        yield Measurement(
            suite="help",
            metric="rate",
            model="tuned",
            model_digest=model.digest,
            lang=lang,
            estimate=Estimate(value=counts[ord("x")] / 4, interval=None, n=4),
            answers=answers,
            seconds=0.5,
        )
    yield answers


def release(ctx: Context) -> Iterator[Record]:
    """Decide."""
    measured = ctx.records("evaluate", Measurement)
    model = ctx.one("learn.sft", ModelRef)
    result = CriterionResult(
        criterion="c",
        group="help",
        state="inconclusive",
        on_fail="hold",
        observed=0.75,
        bound=0.2,
        bound_side="lower",
        limit=0.5,
        n=4,
        reason={"en": "too few"},
        evidence=tuple(one.digest for one in measured),
    )
    verdict = Verdict(
        modes=(
            ModeVerdict(
                mode="internal",
                verdict="HOLD",
                deciding="c",
                results=(result,),
                reason={"en": "too few"},
            ),
        ),
        controls=(),
        alpha=0.05,
        candidates=1,
        charter=digest_json("no charter here"),
        model=model.digest,
        evidence=tuple(one.digest for one in measured),
    )
    ctx.export("out/verdict.json", verdict.model_dump_json().encode())
    yield Criterion(id="c", group="help", kind="rate_lower", suite="help", model="tuned", limit=0.5)
    yield verdict


def steps(project: Path, **parameters: Any) -> Sequence[Step]:
    """Return the steps of the micro project, with `rows` training rows."""
    return (
        Step("elicit", elicit, files=digest_sources(project, ["consultation"]), rooms=("store",)),
        Step("aggregate", aggregate, after=("elicit",), rooms=("stats",)),
        Step("learn.data", data, after=("aggregate",), parameters={"rows": 5, **parameters}),
        Step("learn.sft", train, after=("learn.data",), inputs={"base": digest_json("base")}),
        Step("evaluate", evaluate, after=("learn.sft",)),
        Step("release", release, after=("learn.sft", "evaluate")),
    )
