"""Draw the pages of a finished run and put them where `verify` watches over them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from normwright import flow
from normwright.web.examples import pick_examples
from normwright.web.report import ReportData, write_report

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
    """Write `out/report.html` of a project, and `out/charter.html` if it has a charter.

    Returns:
        The path of the report.

    Raises:
        InputError: if no step of the project has a result that still counts.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_report(report_data(flow.findings(directory)), Path(folder))
        written = [path for name in PAGES if (path := Path(folder) / name).is_file()]
        pages = {f"out/{path.name}": path.read_bytes() for path in written}
    flow.publish(directory, pages, gone={f"out/{name}" for name in PAGES} - set(pages))
    return directory / "out/report.html"
