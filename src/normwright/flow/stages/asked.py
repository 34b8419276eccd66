"""Models behind an API, as steps ask them: with what was paid for before, and a record of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normwright.flow.engine import Context
from normwright.flow.project import Project
from normwright.flow.settings import FILE
from normwright.records import Digest, Fault, InputError, Judge, Policy, RemoteUse
from normwright.store import FOLDER

if TYPE_CHECKING:
    from normwright.evaluate import SceneJudge
    from normwright.models.endpoint import RemoteSettings
    from normwright.models.remote import RemoteModel

CACHE = f"{FOLDER}/cache"
"""Where replies lie that were paid for; whoever deletes it pays again."""


def open_remote(
    project: Project, settings: RemoteSettings, *, name: str, context: Context | None = None
) -> RemoteModel:
    """Return a model behind an API, with all replies that the project ever had from it.

    Args:
        project: whose replies are used and kept.
        settings: where the model is.
        name: its role.
        context: told how far a call has come, if there is one.

    Raises:
        InputError: if the environment lacks its key, or kept replies are damaged.
    """
    from normwright.models.answered import Answered
    from normwright.models.remote import RemoteModel

    if settings.tokenizer is not None:
        place = str(project.path(settings.tokenizer))
        settings = settings.model_copy(update={"tokenizer": place})
    kept = project.directory / CACHE / f"{settings.identity.removeprefix('sha256:')}.jsonl"

    def tell(done: int, total: int) -> None:
        if context is not None:
            context.progress(done, total, f"{name}: {settings.id}")

    return RemoteModel(settings, name=name, answered=Answered.open(kept), progress=tell)


def use_of(context: Context, model: RemoteModel, role: str, *rests_on: Digest) -> RemoteUse:
    """Store what a model was asked and said in this step, and return the record of it."""
    return model.use(role, content=context.put_bytes(model.replies()), derived_from=rests_on)


def tested(project: Project) -> RemoteSettings:
    """Return where the model under test is, for a project whose model is `remote`.

    Raises:
        InputError: if the project file does not say.
    """
    settings = project.settings.model.remote
    if settings is None:
        raise InputError(
            [
                Fault(
                    where=f"{FILE}: model.remote",
                    expected="an address and a model, because kind is remote",
                    seen="none",
                )
            ]
        )
    return settings


def judging(project: Project) -> RemoteSettings | None:
    """Return where the judge is, or None where the built-in one judges.

    Raises:
        InputError: if it is the model that is under test.
    """
    from normwright.evaluate.model_judge import check_apart

    settings = project.settings.evaluate.judge
    if settings is not None and project.settings.model.kind == "remote":
        check_apart(settings, tested(project), where=f"{FILE}: evaluate.judge")
    return settings


def open_judge(
    project: Project, context: Context, record: Judge
) -> tuple[SceneJudge, RemoteModel | None]:
    """Return the judge of a record and, if it is a model behind an API, that model."""
    from normwright.evaluate import ModelJudge, TextJudge

    settings = judging(project)
    if settings is None:
        files = {name: context.read(digest) for name, digest in record.files.items()}
        return TextJudge.from_files(files), None
    model = open_remote(project, settings, name="judge", context=context)
    return ModelJudge(model, context.one("charter", Policy).charter), model
