"""Draw the pages of a finished run and put them where `verify` watches over them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from normwright import flow
from normwright.web.examples import pick_examples
from normwright.web.pictures.case import safety_case_picture
from normwright.web.report import ReportData, write_report
from normwright.web.words import shipped, words_for

PAGES = ("report.html", "charter.html")


def report_data(found: flow.Findings) -> ReportData:
    """Return what the report shows of a project's results."""
    return ReportData(
        title=found.project.settings.title,
        languages=tuple(found.project.settings.languages),
        process=found.process,
        policy=found.policy,
        permit=found.permit,
        verdict=found.verdict,
        criteria=found.criteria,
        measurements=found.measurements,
        contrasts=found.contrasts,
        findings=found.findings,
        examples=tuple(pick_examples(found.scenes, found.answers)),
        consultation=found.consultation,
        statements=found.statements,
        outcomes=found.outcomes,
        polities=found.polities,
        datasets=found.datasets,
        models={m.name: m for m in found.models},
        judges=(found.judge,) if found.judge else (),
    )


def publish(directory: Path) -> Path:
    """Write `out/report.html` of a project, its charter and the picture of its safety case.

    Returns:
        The path of the report.

    Raises:
        InputError: if no step of the project has a result that still counts.
    """
    found = flow.findings(directory)
    with tempfile.TemporaryDirectory() as folder:
        write_report(report_data(found), Path(folder))
        written = [path for name in PAGES if (path := Path(folder) / name).is_file()]
        pages = {f"out/{path.name}": path.read_bytes() for path in written}
    pages |= case_pictures(found)
    every = {f"out/{name}" for name in PAGES}
    every |= {_case_name(tag) for tag in ("", *shipped())}
    flow.publish(directory, pages, gone=every - set(pages))
    return directory / "out/report.html"


def case_pictures(found: flow.Findings) -> dict[str, bytes]:
    """Return the pictures of a project's safety case by path, the first language's without a tag.

    There are none without a verdict.
    """
    if found.case is None:
        return {}
    words = words_for(found.project.settings.languages)
    return {
        _case_name("" if i == 0 else w.lang): safety_case_picture(found.case, w).encode()
        for i, w in enumerate(words)
    }


def _case_name(tag: str) -> str:
    return f"out/safety-case{f'.{tag}' if tag else ''}.svg"
