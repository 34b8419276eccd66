"""Eight processes that write to one store at once; used by `test_writers.py`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from normwright.records import Participant, Process, Statement, Vote, digest_json  # noqa: E402
from normwright.store import (  # noqa: E402
    PreparedImport,
    RunStep,
    StageResult,
    Store,
    prepare,
    read_address,
)

WRITERS, ROUNDS, PEOPLE, STATEMENTS = 8, 5, 5, 4


def consultation(name: str) -> PreparedImport:
    """Return an import of one vote by each person on each statement."""
    people = [f"{name}-p{number}" for number in range(PEOPLE)]
    asked = [f"s{number}" for number in range(STATEMENTS)]
    return prepare(
        Process(id=name, kind="simulated", title={"en": name}, seed=1),
        participants=[Participant(id=one, process=name, polities=("v",)) for one in people],
        statements=[
            Statement(id=one, text={"en": one}, layer="polity", authority="v") for one in asked
        ],
        votes=[
            Vote(participant=person, statement=one, value="agree")
            for person in people
            for one in asked
        ],
        comparisons=[],
    )


def result(name: str) -> StageResult:
    """Return a result of its own."""
    return StageResult(
        key=digest_json(name),
        stage=name,
        inputs={},
        parameters={},
        code=digest_json("code"),
        seed=1,
        made=(),
        objects=(),
        exports={},
        seconds=0.0,
        created="2026-01-01T00:00:00+00:00",
    )


def write(project: Path, url: str, writer: int) -> list[int]:
    """Open the store, write to it again and again, and return the numbers of the runs."""
    address = read_address(url, project="writers", where="the test") if url else None
    runs = []
    with Store.open(project, address=address) as store:
        for number in range(ROUNDS):
            store.save_consultation(consultation("shared"))
            store.save_consultation(consultation(f"w{writer}-{number}"))
            run = store.begin_run()
            with store.transaction():
                one = result(f"w{writer}-{number}")
                store.put_result(one)
                store.put_exports({f"out/{one.stage}": one.key, "out/last": one.key})
                store.put_run_step(RunStep(run, one.stage, one.key, False, 0.0))
            store.end_run(run)
            runs.append(run)
    return runs


def main() -> None:
    project, url = Path(sys.argv[1]), sys.argv[2]
    start, go = os.pipe()
    told, tell = os.pipe()
    children = []
    for writer in range(WRITERS):
        if (child := os.fork()) == 0:
            os.close(go)
            os.read(start, 1)  # until the parent closes it: all at once
            runs = write(project, url, writer)
            os.write(tell, (json.dumps(runs) + "\n").encode())
            os._exit(0)
        children.append(child)
    for end in (start, go, tell):
        os.close(end)
    codes = [os.waitpid(child, 0)[1] for child in children]
    with open(told) as lines:
        runs = [run for line in lines for run in json.loads(line)]
    sys.stdout.write(json.dumps({"codes": codes, "runs": runs}))


if __name__ == "__main__":
    main()
