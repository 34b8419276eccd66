"""Instants as text: ISO 8601, compared in UTC, with one spelling for each."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator

_WRITTEN = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?")


def written_out(given: Any) -> Any:
    """Leave a day or an instant, and refuse a bare number.

    Read as seconds since 1970, 20261202 would silently be a day of that year's August.

    Raises:
        ValueError: if it is a number, or text without a hyphen.
    """
    bare = isinstance(given, int | float) or (isinstance(given, str) and "-" not in given)
    if bare:
        raise ValueError("a day such as 2026-12-02, written with hyphens")
    return given


Day: TypeAlias = Annotated[date, BeforeValidator(written_out)]
"""A day, written as 2026-12-02."""
Moment: TypeAlias = Annotated[datetime, BeforeValidator(written_out)]
"""An instant, written as 2026-12-02T14:00:00Z."""


@lru_cache(maxsize=4096)
def instant_of(text: str) -> datetime:
    """Return an instant in UTC from ISO 8601 text.

    A day is its midnight in UTC, and an instant without a zone is in UTC.

    Raises:
        ValueError: if the text is neither a day nor an instant of the years 1 to 9999.
    """
    if not _WRITTEN.fullmatch(text):
        raise ValueError(f"{text!r} is not an instant in ISO 8601")
    found = datetime.fromisoformat(text)
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999") from None


def instant_text(when: date) -> str:
    """Return the one spelling of an instant or a day: `2026-12-02T00:00:00Z`."""
    if not isinstance(when, datetime):
        when = datetime.combine(when, time())
    moment = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return moment.isoformat().replace("+00:00", "Z")


def shifted(when: datetime, by: timedelta) -> datetime | None:
    """Return an instant so much later, or None where the calendar ends before it."""
    try:
        return when + by
    except OverflowError:
        return None


def days_as_text(given: Any) -> Any:
    """Turn a day or an instant, as YAML reads one without quotes, into text; leave all else."""
    return instant_text(given) if isinstance(given, date) else given


def bounds_as_text(given: Any) -> Any:
    """The same for a threshold, where text that is an instant gets its one spelling as well."""
    if isinstance(given, str):
        try:
            return instant_text(instant_of(given))
        except ValueError:
            return given
    return days_as_text(given)
