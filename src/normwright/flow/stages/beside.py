"""Measurements on what people wrote and judged elsewhere: `evaluate.pairs`, `.benchmarks`."""

from __future__ import annotations

from normwright.flow.engine import Context
from normwright.flow.project import Project
from normwright.records import Record


def pairs(project: Project, context: Context) -> list[Record]:
    raise NotImplementedError


def benchmarks(project: Project, context: Context) -> list[Record]:
    raise NotImplementedError
