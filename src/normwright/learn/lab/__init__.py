"""Environments with known optima, and every recipe against them. Imports torch."""

from normwright.learn.lab.findings import Check, Finding, Row, Scale
from normwright.learn.lab.runner import checks, left_out, run_lab

__all__ = ["Check", "Finding", "Row", "Scale", "checks", "left_out", "run_lab"]
