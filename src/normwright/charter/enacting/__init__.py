"""From a charter to the policy of one deployment, artefact by artefact, and what is missing."""

from normwright.charter.enacting.coverage import coverage, criterion_holes
from normwright.charter.enacting.files import edited, files_of, with_files
from normwright.charter.enacting.policy import LAYER_LIMIT, enact
from normwright.charter.enacting.profile import deployment_of, read_deployment

__all__ = [
    "LAYER_LIMIT",
    "coverage",
    "criterion_holes",
    "deployment_of",
    "edited",
    "enact",
    "files_of",
    "read_deployment",
    "with_files",
]
