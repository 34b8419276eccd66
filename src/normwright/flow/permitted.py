"""Ask a project whether its model may be trained: the answer of `charter permit`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from normwright.flow.engine import Watcher
from normwright.flow.project import Project, load_project
from normwright.flow.running import run, status
from normwright.flow.stages.permits import learners
from normwright.flow.stores import open_store
from normwright.records import (
    Lang,
    Permit,
    PermitDomain,
    PermitRequest,
    PermitSubject,
)
from normwright.store import KeyHome, passphrase_of_environment


@dataclass(frozen=True)
class Permitted:
    """What a project may do, and who has signed that."""

    permit: Permit
    signed: tuple[str, ...]
    """Key ids of who signed it; none where nobody has."""
    file: Path | None
    """The signed envelope, if there is one."""
    unpermitted: bool
    """Whether the project is told to train without a permit."""

    def as_json(self, lang: Lang) -> dict[str, Any]:
        """Return the answer as one JSON value, its reasons in one language."""
        permit = self.permit
        return {
            "permit": permit.granted,
            "reasons": list(permit.reasons(lang)),
            "digest": permit.digest,
            "charter": permit.charter,
            "modes": list(permit.modes),
            "level": permit.decision_level,
            "valid_from": permit.valid_from.isoformat(),
            "valid_until": permit.valid_until.isoformat() if permit.valid_until else None,
            "grounds": [
                {"condition": one.condition, "holds": one.holds,
                 "reasons": [text.get(lang, "") for text in one.reasons]}
                for one in permit.grounds
            ],
            "signed": list(self.signed),
            "file": None if self.file is None else str(self.file),
        }  # fmt: skip


def permitted(
    directory: Path,
    *,
    today: date | None = None,
    watch: Watcher | None = None,
    home: KeyHome | None = None,
    passphrase: Callable[[], str | None] = passphrase_of_environment,
) -> Permitted:
    """Return whether a project may train its model, with a ground for every condition.

    Steps up to `permit` that have no result are run first; nothing is trained. Where this machine
    has a key that signs runs, the permit is signed. A permit whose last day is over is asked for
    anew on `today`, which tells what has to be renewed; that answer is not signed.

    Args:
        directory: the project.
        today: None is the day of this machine's clock.
        watch: called with every event of the steps.
        home: where keys lie; None is this machine's key home.
        passphrase: asked only where the key has one and there is something to sign.

    Raises:
        InputError: with every fault of the project and its files.
    """
    from normwright.charter import permitting

    project = load_project(directory)
    day = today or datetime.now(UTC).date()
    if project.settings.sources.norms is None:
        request = _without_charter(project)
        on = date.fromisoformat(project.settings.charter_date)
        answer = permitting.permit(request, on=on)
        return Permitted(answer, (), None, project.settings.learn.unpermitted)
    report = run(directory, until="permit", watch=watch, home=home, passphrase=passphrase)
    made = [digest for stage in status(directory).stages for digest in stage.made]
    with open_store(directory, create=False) as store:
        answer = store.records(made, Permit)[-1]
        requests = store.records(made, PermitRequest)
    if answer.valid_until is not None and day > answer.valid_until and requests:
        again = permitting.permit(requests[-1], on=day)
        return Permitted(again, (), None, project.settings.learn.unpermitted)
    signed = report.signed.get("permit", ())
    file = directory / "out" / "permit.dsse.json" if signed else None
    return Permitted(answer, tuple(signed), file, project.settings.learn.unpermitted)


def _without_charter(project: Project) -> PermitRequest:
    """What is known of a project that has no charter: too little."""
    settings = project.settings
    return PermitRequest(
        languages=settings.languages,
        subject=PermitSubject(
            model=settings.model.kind,
            learner=learners(project) if settings.learns else None,
            channels=("output",),
        ),
        domain=PermitDomain(languages=settings.languages),
    )
