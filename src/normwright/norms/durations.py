"""Deadlines: ISO 8601 durations counted on the calendar."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DURATION = re.compile(
    r"P(?=\d|T\d)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)


def due_after(start: date, duration: str, zone: ZoneInfo) -> datetime | None:
    """Return when a time that begins at `start` runs out, in UTC.

    Years, months, weeks and days are counted on the calendar of the zone, so that a day is a day
    when clocks change, and a month from 31 January ends with February. Hours, minutes and seconds
    are counted as they pass.

    Args:
        start: an instant, in UTC if it has no zone; or a day, which begins at midnight in the zone.
        duration: ISO 8601, for instance `P1M` or `PT72H`.
        zone: where the days are counted.

    Returns:
        The instant; None if it lies beyond the year 9999, or if `duration` is not a duration.
    """
    found = DURATION.fullmatch(duration)
    if found is None:
        return None
    part = {name: int(number or 0) for name, number in found.groupdict().items()}
    try:
        local = _later(_local(start, zone), 12 * part["years"] + part["months"])
        local += timedelta(weeks=part["weeks"], days=part["days"])
        passed = timedelta(hours=part["hours"], minutes=part["minutes"], seconds=part["seconds"])
        return local.astimezone(UTC) + passed
    except (OverflowError, ValueError):
        return None


def leaves_time(duration: str | None) -> bool:
    """Whether a duration leaves any time at all (`PT0S` does not)."""
    return duration is not None and any(digit in duration for digit in "123456789")


def _local(start: date, zone: ZoneInfo) -> datetime:
    if not isinstance(start, datetime):
        return datetime.combine(start, time(), zone)
    return (start if start.tzinfo else start.replace(tzinfo=UTC)).astimezone(zone)


def _later(local: datetime, months: int) -> datetime:
    years, month = divmod(local.month - 1 + months, 12)
    year = local.year + years
    if year > 9999:
        raise OverflowError
    last = calendar.monthrange(year, month + 1)[1]
    return local.replace(year=year, month=month + 1, day=min(local.day, last))
