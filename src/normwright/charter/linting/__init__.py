"""What people should look at in a charter before they vote on it, and the question to put to them.

Each finding says what was found, shows a situation where one can be shown, and drafts a question.
The proofs need z3 (extra `lint`); `quick_findings` does without.
"""

from normwright.charter.linting.linter import Lint, lint, quick_findings, severity_of
from normwright.charter.linting.registry import LINTS, SEVERITIES, LintClass, Severity

__all__ = [
    "LINTS",
    "SEVERITIES",
    "Lint",
    "LintClass",
    "Severity",
    "lint",
    "quick_findings",
    "severity_of",
]
