"""Ask every model of a finished project the same thing: base, tuned, aligned and guarded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from normwright.flow import stages
from normwright.flow.engine import Context, Step, plan_step
from normwright.flow.project import load_project
from normwright.records import Fault, InputError, Message
from normwright.store import FOLDER, StageResult, Store

ROLES = (("base", "learn.base"), ("tuned", "learn.sft"), ("aligned", "learn.prefer"))
"""The models that are asked as they are, with the step that made each."""

NEEDED = ("charter", "learn.reward", "guard", "judge", *(step for _, step in ROLES))
"""Steps without whose results there is nobody to talk to."""


@dataclass(frozen=True)
class Reply:
    """What one model answered."""

    model: str
    """Its role: base, tuned, aligned or guarded."""
    text: str
    cited: tuple[str, ...] = ()
    """Norms a refusal rests on, by reference; only a guarded model cites."""


Ask: TypeAlias = Callable[[str], tuple[Reply, ...]]
"""Asks all models one thing; each question stands alone."""


@contextmanager
def conversation(directory: Path) -> Iterator[Ask]:
    """Open a project's models and give a function that asks them all.

    Answers are greedy, so that the same question has the same answers.

    Raises:
        InputError: if the project is not one, or its models were not made yet or are out of date.
    """
    project = load_project(directory)
    if not (directory / FOLDER / "store.db").is_file():
        raise _not_ready(directory, NEEDED)
    with (
        Store.open(directory, create=False) as store,
        tempfile.TemporaryDirectory(prefix="normwright-chat-") as scratch,
    ):
        seed = project.settings.seed
        results: dict[str, StageResult] = {}
        for step in stages.steps(project):
            if all(name in results for name in step.after):
                found = store.result(plan_step(step, results=results, seed=seed).key)
                if found is not None:
                    results[step.name] = found
        missing = [name for name in NEEDED if name not in results]
        if missing:
            raise _not_ready(directory, missing)
        context = Context(
            Step("chat", lambda _: (), after=tuple(results)),
            project=directory,
            store=store,
            seed=seed,
            results=results,
            scratch=Path(scratch),
            watch=lambda _: None,
        )
        models = {role: stages._open(project, context, step, role) for role, step in ROLES}
        guarded = stages._Bench.of(project, context).guarded(models["aligned"])
        cite = stages._citing(guarded)
        limit = project.settings.evaluate.max_new_tokens

        def ask(text: str) -> tuple[Reply, ...]:
            prompt = (Message(role="user", content=text),)
            said = [
                Reply(role, model.generate([prompt], max_new_tokens=limit)[0][0])
                for role, model in models.items()
            ]
            answer = guarded.generate([prompt], max_new_tokens=limit)[0][0]
            return (*said, Reply("guarded", answer, cite(prompt, answer)))

        yield ask


def _not_ready(directory: Path, missing: Sequence[str]) -> InputError:
    return InputError(
        [
            Fault(
                where=str(directory),
                expected="a project whose models were made and still count",
                seen=f"no result of {', '.join(missing)}",
                do=f"Make them with: normwright run {directory}",
            )
        ]
    )
