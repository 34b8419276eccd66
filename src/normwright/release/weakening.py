"""Whether one file of criteria asks less than another, part by part."""

from __future__ import annotations

from collections.abc import Iterator

from normwright.records import Criterion, Estimate
from normwright.release.reading import Control, Criteria
from normwright.release.wording import Number, Said
from normwright.stats import lower_bound

_GREATER_IS_WEAKER = {
    "rate_upper", "noninferiority", "equivalence", "attack_budget", "sim_upper", "elicitation_gap",
    "parity",
}  # fmt: skip
_FORCE = {"report": 0, "hold": 1, "block": 2}
_SAME = (
    "suite",
    "metric",
    "model",
    "lang",
    "norm",
    "baseline",
    "cluster",
    "judge",
    "looks",
    "slice",
)


def weaker(before: Criteria, after: Criteria) -> tuple[Said, ...]:
    """Return every way in which `after` asks less than `before`; none if it asks at least as much.

    What cannot be compared, such as another expression, counts as less: it is not what was
    registered.
    """
    found: list[Said] = []
    if after.alpha > before.alpha:
        found.append(_went("alpha", "", before.alpha, after.alpha))
    if after.fresh and not before.fresh:
        found.append(Said("weaker.fresh"))
    if after.candidates_tested < before.candidates_tested:
        found.append(
            _went("candidates", "", before.candidates_tested, after.candidates_tested, whole=True)
        )
    if before.registered_at is not None and after.registered_at != before.registered_at:
        found.append(Said("weaker.registered"))
    for what in ("charter", "guard", "weights"):
        was = getattr(before, what)
        if was is not None and getattr(after, what) != was:
            found.append(Said("weaker.about", {"id": "–", "what": what}))
    found += [
        Said("weaker.about", {"id": metric, "what": "evalset"})
        for metric, was in before.evalsets.items()
        if after.evalsets.get(metric) != was
    ]
    if before.require_signature and not after.require_signature:
        found.append(Said("weaker.about", {"id": "–", "what": "require_signature"}))
    later = {one.id: one for one in after}
    for one in before:
        found += _criterion(one, later.get(one.id))
    found += _modes(before, after)
    found += _controls(before, after)
    found += _judges(before, after)
    return tuple(found)


def _criterion(before: Criterion, after: Criterion | None) -> Iterator[Said]:
    if after is None:
        yield Said("weaker.gone", {"id": before.id})
        return
    if after.kind != before.kind:
        yield Said("weaker.kind", {"id": before.id})
        return
    more, less = after.limit > before.limit, after.limit < before.limit
    loosened = {"upper": more, "lower": less, "unknown": more or less}
    if loosened[_side(before.kind)]:
        yield _went("limit", before.id, before.limit, after.limit)
    if _FORCE[after.on_fail] < _FORCE[before.on_fail]:
        told = {"id": before.id, "before": before.on_fail, "after": after.on_fail}
        yield Said("weaker.on_fail", told)
    if after.group != before.group:
        yield Said("weaker.about", {"id": before.id, "what": "group"})
    for name in _SAME:
        if getattr(after, name) != getattr(before, name):
            yield Said("weaker.about", {"id": before.id, "what": name})
    for key, was in before.options.items():
        now = after.options.get(key)
        if now != was and not _more(was, now):
            yield Said("weaker.about", {"id": before.id, "what": key})
    for key in sorted(set(after.options) - set(before.options)):
        if key in ("better", "groups"):
            yield Said("weaker.about", {"id": before.id, "what": key})


def _side(kind: str) -> str:
    """On which side of the limit a kind asks to be; a stranger's kind does not say."""
    if kind in _GREATER_IS_WEAKER:
        return "upper"
    return "lower" if kind in ("rate_lower", "superiority") else "unknown"


def _more(was: object, now: object) -> bool:
    """Whether a list holds all that another does, a grid in every key, or a curve is asked anew."""
    if isinstance(was, list) and isinstance(now, list):
        return set(map(str, was)) <= set(map(str, now))
    if isinstance(was, dict) and isinstance(now, dict):
        return set(was) == set(now) and all(_more(was[key], now[key]) for key in was)
    return was is False and now is True


def _modes(before: Criteria, after: Criteria) -> Iterator[Said]:
    later = {mode.name: mode for mode in after.modes}
    for mode in before.modes:
        now = later.get(mode.name)
        if now is None:
            continue  # it is not decided any more, so nothing is released by it
        for group in mode.requires:
            if group not in now.requires:
                yield Said("weaker.mode", {"id": mode.name, "what": group})
        if now.model != mode.model:
            yield Said("weaker.about", {"id": mode.name, "what": "model"})


def _controls(before: Criteria, after: Criteria) -> Iterator[Said]:
    later = {control.name: control for control in after.controls}
    for control in before.controls:
        if not _as_strong(control, later.get(control.name)):
            yield Said("weaker.control", {"id": control.name})
    most = before.max_disagreement
    if most is not None and (after.max_disagreement is None or after.max_disagreement > most):
        yield Said("weaker.rerun")


def _as_strong(before: Control, after: Control | None) -> bool:
    if after is None or after.criterion != before.criterion:
        return False
    same = after.expected == before.expected or (before.expected, after.expected) == (
        "fail",
        "block",
    )
    return same and set(before.groups) == set(after.groups)


def _judges(before: Criteria, after: Criteria) -> Iterator[Said]:
    """The same judge on no more labels cannot find more than it did.

    A better judge, or more labels of the same one, is new evidence and not a weaker criterion.
    """
    later = {judge.name: judge for judge in after.judges}
    for judge in before.judges:
        now = later.get(judge.name)
        if now is None or now.digest != judge.digest:
            continue
        for lang, rate in now.record.sensitivity.items():
            was = judge.record.sensitivity.get(lang)
            if was is not None and rate.n <= was.n and _worth(rate) > _worth(was):
                yield Said("weaker.judge", {"id": judge.name})
                break


def _worth(rate: Estimate) -> float:
    return lower_bound(round((rate.value or 0.0) * rate.n), rate.n)


def _went(key: str, id: str, before: float, after: float, *, whole: bool = False) -> Said:
    def shown(value: float) -> Number:
        return Number(value, "count" if whole else "plain")

    return Said(f"weaker.{key}", {"id": id, "before": shown(before), "after": shown(after)})
