"""Ask every model of a finished project the same thing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from normwright.flow.extras import require_learning
from normwright.flow.project import Project
from normwright.flow.results import results
from normwright.flow.stages import TRAINED, open_guarded, open_remote, tested
from normwright.flow.stores import open_store
from normwright.models import Model, Scorer
from normwright.records import Message


@dataclass(frozen=True)
class Reply:
    """One model's answer, and the norms it cites if it is a refusal of the guard."""

    model: str
    text: str
    cited: tuple[str, ...] = ()


@contextmanager
def conversation(directory: Path) -> Iterator[Callable[[str], list[Reply]]]:
    """Open base, tuned, aligned and guarded, and yield a function that asks them all.

    Raises:
        InputError: if the project has no finished run.
        MissingExtra: if models cannot be run here.
    """
    found = results(directory)
    with tempfile.TemporaryDirectory() as folder, open_store(directory, create=False) as store:
        places: dict[str, Path] = {}
        for ref in found.models:
            places[ref.name] = Path(folder) / ref.name.replace(":", "-")
            store.objects.check_out(ref.files, places[ref.name])
        models, scorer = _models(found.project, places)
        guarded = open_guarded(
            found.project,
            found.policy,
            list(models.values())[-1],
            places["guard"],
            scorer,
            seed=found.project.settings.seed,
        )

        def ask(question: str) -> list[Reply]:
            prompt = [Message(role="user", content=question)]
            replies = [
                Reply(role, model.generate([prompt], max_new_tokens=48)[0][0])
                for role, model in models.items()
            ]
            before = len(guarded.log)
            text = guarded.generate([prompt], max_new_tokens=48)[0][0]
            cited = next((s.norms for s in guarded.log[before:] if s.text == text), ())
            return [*replies, Reply("guarded", text, cited)]

        yield ask


def _models(project: Project, places: Mapping[str, Path]) -> tuple[dict[str, Model], Scorer | None]:
    """Return the models by role, the one that is guarded last, and what ranks its answers."""
    if project.settings.model.kind == "remote":
        return {"base": open_remote(project, tested(project), name="base")}, None
    require_learning("A conversation with models")
    from normwright.models.encoder import open_scorer
    from normwright.models.local import LocalModel, use_threads

    use_threads(project.settings.threads)
    opened: dict[str, Model] = {role: LocalModel.open(places[role], name=role) for role in TRAINED}
    return opened, open_scorer(places["reward"])
