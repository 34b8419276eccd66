"""Composes the stages from one project file; resumes; records what ran; proves it afterwards."""

from normwright.flow.code import code_digest
from normwright.flow.compare import Comparison, RunName, compare
from normwright.flow.engine import (
    Context,
    Event,
    RunReport,
    StageLine,
    Step,
    StepDone,
    StepProgress,
    StepSkipped,
    StepStarted,
    Watcher,
    publish,
    run_steps,
)
from normwright.flow.forecast import Forecast, StepForecast, forecast, forecast_of
from normwright.flow.gc import Collection, collect
from normwright.flow.lock import locked
from normwright.flow.project import Project, load_project
from normwright.flow.results import Results, results
from normwright.flow.running import run, status
from normwright.flow.settings import FILE, ProjectSettings, project_schema
from normwright.flow.sources import digest_sources
from normwright.flow.start import Started, init, template_names
from normwright.flow.status import StageStatus, Status, status_of
from normwright.flow.trace import Trace, trace
from normwright.flow.verify import Verification, verify

__all__ = [
    "FILE",
    "Collection",
    "Comparison",
    "Context",
    "Event",
    "Forecast",
    "Project",
    "ProjectSettings",
    "Results",
    "RunName",
    "RunReport",
    "StageLine",
    "StageStatus",
    "Started",
    "Status",
    "Step",
    "StepDone",
    "StepForecast",
    "StepProgress",
    "StepSkipped",
    "StepStarted",
    "Trace",
    "Verification",
    "Watcher",
    "code_digest",
    "collect",
    "compare",
    "digest_sources",
    "forecast",
    "forecast_of",
    "init",
    "load_project",
    "locked",
    "project_schema",
    "publish",
    "results",
    "run",
    "run_steps",
    "status",
    "status_of",
    "template_names",
    "trace",
    "verify",
]
