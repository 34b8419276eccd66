"""Draw the pages of a finished run and put them where `verify` watches over them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from normwright import flow
from normwright.web.examples import pick_examples
from normwright.web.report import ReportData, write_report

PAGES = ("report.html", "charter.html")


def report_data(found: flow.Results) -> ReportData:
    """Return what the report shows of a project's results."""
    return ReportData(
        title=found.project.settings.title,
        languages=tuple(found.project.settings.languages),
        process=found.process,
        policy=found.policy,
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
        judges=(found.judge,),
    )


def publish(directory: Path) -> Path:
    """Write `out/report.html` and `out/charter.html` of a project and return the report's path.

    Raises:
        InputError: if the project has no finished run.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_report(report_data(flow.results(directory)), Path(folder))
        pages = {f"out/{name}": (Path(folder) / name).read_bytes() for name in PAGES}
    flow.publish(directory, pages)
    return directory / "out/report.html"
