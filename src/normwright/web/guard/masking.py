"""Requests in which a verdict wants spans masked before the model reads them."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from normwright.records import GuardVerdict
from normwright.web.guard.answers import masked

_PLACE = re.compile(r"\{(\d+)\}")
"""A key that is the client's own, by its place."""
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def masked_body(body: Mapping[str, Any], verdict: GuardVerdict) -> Mapping[str, Any]:
    """Return a body with the spans of a verdict masked in the text that it names.

    Raises:
        Unmaskable: if that text is not to be found, so that nothing may go on.
    """
    if verdict.action != "transform" or not verdict.spans:
        return body
    steps: list[Any] = [int(at) if at else name for name, at in _STEP.findall(verdict.where)]
    made: Any = copy.deepcopy(dict(body))
    holder, last = _find(made, steps)
    if last is None or not isinstance(holder[last], str):
        raise Unmaskable(verdict.where)
    holder[last] = masked(holder[last], verdict)
    return dict(made)


class Unmaskable(Exception):
    """The text to mask is not to be found in the request."""


def _find(value: Any, steps: list[Any]) -> tuple[Any, Any]:
    """Return what holds the last step, and that step; None for it where the path leads nowhere."""
    for at, named in enumerate(steps):
        step = named
        place = _PLACE.fullmatch(named) if isinstance(named, str) else None
        if place is not None and isinstance(value, dict) and int(place[1]) < len(value):
            step = list(value)[int(place[1])]
        inside = (isinstance(value, dict) and step in value) or (
            isinstance(value, list) and isinstance(step, int) and step < len(value)
        )
        if not inside:
            return value, None
        if at == len(steps) - 1:
            return value, step
        value = value[step]
    return value, None
