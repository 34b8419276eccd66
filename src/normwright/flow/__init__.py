"""Composes the stages from one project file; resumes; records what ran; proves it afterwards."""

from normwright.flow.agreed import (
    methods_agreement,
    read_theories,
    theories_agreement,
    theories_choice,
)
from normwright.flow.audited import Audited, audited
from normwright.flow.ballots import Cast, read_ballots
from normwright.flow.chain import Chain, Link, chain_of
from normwright.flow.charters import Ratified, ratified
from normwright.flow.code import code_digest
from normwright.flow.compare import Comparison, RunName, compare
from normwright.flow.drawn import CaseRows, RowForm, write_cases
from normwright.flow.enactment import (
    check_policy,
    enacted,
    profile_in,
    project_holes,
    write_policy,
)
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
from normwright.flow.exchange import export_cedar, import_model_spec, import_seeds
from normwright.flow.extras import require_learning
from normwright.flow.folders import write_folder
from normwright.flow.forecast import Forecast, StepForecast, forecast, forecast_of
from normwright.flow.gc import Collection, collect
from normwright.flow.grouped import OpinionGroups, groups_of
from normwright.flow.imports import Imported, consultation_of, import_into
from normwright.flow.intake import TakenIn, init_from
from normwright.flow.lock import locked
from normwright.flow.permits import read_permit
from normwright.flow.permitted import Permitted, permitted
from normwright.flow.project import Project, load_project
from normwright.flow.ranked import ALL, Ranked, method_names, ranked_by
from normwright.flow.ratifying import ratified_from, read_readings, readings_of, write_record
from normwright.flow.remedies import Remedies, Remedy, remedies
from normwright.flow.results import Findings, Results, check_makes, findings, results
from normwright.flow.running import run, status
from normwright.flow.settings import FILE, ProjectSettings, project_schema
from normwright.flow.signed import Signatures
from normwright.flow.signing import Signed, sign
from normwright.flow.simulated import FAST, simulated
from normwright.flow.slated import Influence, Slated, slate_of
from normwright.flow.sources import digest_sources
from normwright.flow.start import Started, init, template_names
from normwright.flow.statements import KINDS
from normwright.flow.status import StageStatus, Status, status_of
from normwright.flow.stores import has_store, open_store
from normwright.flow.survey import Surveyed, sources_in, surveyed
from normwright.flow.trace import Trace, trace
from normwright.flow.verify import Verification, verify
from normwright.flow.weighing import Weighed, weigh
from normwright.flow.withdrawal import Withdrawn, withdraw

__all__ = [
    "ALL",
    "FAST",
    "FILE",
    "KINDS",
    "Audited",
    "CaseRows",
    "Cast",
    "Chain",
    "Collection",
    "Comparison",
    "Context",
    "Event",
    "Findings",
    "Forecast",
    "Imported",
    "Influence",
    "Link",
    "OpinionGroups",
    "Permitted",
    "Project",
    "ProjectSettings",
    "Ranked",
    "Ratified",
    "Remedies",
    "Remedy",
    "Results",
    "RowForm",
    "RunName",
    "RunReport",
    "Signatures",
    "Signed",
    "Slated",
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
    "Surveyed",
    "TakenIn",
    "Trace",
    "Verification",
    "Watcher",
    "Weighed",
    "Withdrawn",
    "audited",
    "chain_of",
    "check_makes",
    "check_policy",
    "code_digest",
    "collect",
    "compare",
    "consultation_of",
    "digest_sources",
    "enacted",
    "export_cedar",
    "findings",
    "forecast",
    "forecast_of",
    "groups_of",
    "has_store",
    "import_into",
    "import_model_spec",
    "import_seeds",
    "init",
    "init_from",
    "load_project",
    "locked",
    "method_names",
    "methods_agreement",
    "open_store",
    "permitted",
    "profile_in",
    "project_holes",
    "project_schema",
    "publish",
    "ranked_by",
    "ratified",
    "ratified_from",
    "read_ballots",
    "read_permit",
    "read_readings",
    "read_theories",
    "readings_of",
    "remedies",
    "require_learning",
    "results",
    "run",
    "run_steps",
    "sign",
    "simulated",
    "slate_of",
    "sources_in",
    "status",
    "status_of",
    "surveyed",
    "template_names",
    "theories_agreement",
    "theories_choice",
    "trace",
    "verify",
    "weigh",
    "withdraw",
    "write_cases",
    "write_folder",
    "write_policy",
    "write_record",
]
