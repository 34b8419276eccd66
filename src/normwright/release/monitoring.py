"""After release: a log of what happened is read event by event, and an alarm sets a mode to HOLD.

| event | holds | is watched by |
|---|---|---|
| `release` | what was promised: see `Watch`; the first line | |
| `audit` | `criterion`, `failed`: one unit that somebody looked at | an e-process a criterion |
| `exchange` | `fired`, `score`?: one exchange that the guard saw | CUSUM; conformal p-values |
| `duty` | `id`, then `due` or `done` | the clock |
| `norm` | `id`, `layer`, `authority`, `review_by`: a norm changed | the clock |
| `withdrawn` | `share` of what was learned that has been withdrawn | the limit |

Each event has `kind` and `at`. Whatever is decided holds under continuous looking: a rate is
watched by an e-process against "at most the limit" (`stats.rate_monitor`), the error split over the
criteria; the guard's fires by a CUSUM for twice, and for half, of the rate before release, the far
end of its interval (`stats.cusum`), whose alarm rate is set so that within `horizon` exchanges a
false one comes with probability at most alpha; the scores of requests by conformal p-values.

Not shown: what nobody audits. Audited units must be drawn at random, or the rate is that of what
was chosen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from normwright import __version__, stats
from normwright.records import (
    Alarm,
    AlarmKind,
    Fault,
    InputError,
    MadeBy,
    MonitorReport,
    Question,
    VerdictWord,
    Watch,
    Watched,
    WatchedNorm,
    instant_of,
    instant_text,
)
from normwright.release.wording import Number, Said, in_words, spoken

KINDS: Final = ("release", "audit", "exchange", "duty", "norm", "withdrawn")

_FIELDS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "audit": (("criterion", "failed"), ("lang", "id")),
    "exchange": (("fired",), ("score", "lang", "verdict", "id")),
    "duty": (("id",), ("due", "done")),
    "norm": (("id", "layer", "authority"), ("review_by", "statement")),
    "withdrawn": (("share",), ()),
}
"""Fields that each kind must have, and may have, beside `kind` and `at`."""


@dataclass(frozen=True)
class _Seen:
    """One event as it is counted."""

    line: int
    at: datetime
    hit: bool
    """An audited unit failed; an exchange made the guard fire."""
    score: float | None = None


@dataclass
class _State:
    watch: Watch
    audits: dict[str, list[_Seen]]
    exchanges: list[_Seen] = field(default_factory=list)
    duties: dict[str, datetime] = field(default_factory=dict)
    norms: dict[str, WatchedNorm] = field(default_factory=dict)
    share: float | None = None
    alarms: list[Alarm] = field(default_factory=list)


def monitor(
    events: Iterable[tuple[int, str, Mapping[str, Any]]],
    *,
    watch: Watch | None = None,
    now: datetime | None = None,
) -> MonitorReport:
    """Return where a release stands after the events of a log.

    Args:
        events: each with its line and its place, for example `log.jsonl:3`.
        watch: what was promised; None: the log's first event says so (`release`).
        now: the time up to which duties and reviews must be kept; None: that of the last event.

    Raises:
        InputError: with every fault of the log.
    """
    faults: list[Fault] = []
    state = None if watch is None else _begun(watch)
    count, until = 0, ""
    for line, where, event in events:
        told = _checked(where, event, faults)
        if told is None:
            continue
        kind, at = told
        if kind == "release":
            if state is not None:
                do = "A new release is watched by a log of its own."
                faults.append(Fault(where=where, expected="one release in a log", seen="another",
                                    do=do))  # fmt: skip
                continue
            promised = _promised(where, event, faults)
            state = None if promised is None else _begun(promised)
            continue
        if state is None:
            if not faults:
                do = 'Begin the log with {"kind": "release", ...}, or give the criteria.'
                faults.append(Fault(where=where, expected="a release to watch", seen=kind, do=do))
            continue
        count += 1
        until = max(until, instant_text(at))
        _take(state, where, line, kind, at, event, faults)
    if state is None and not faults:
        faults.append(Fault(where="the log", expected="a release to watch", seen="no events"))
    if faults or state is None:
        raise InputError(faults)
    watched = (*_rates(state), *_fires(state), *_drift(state))
    day = now if now is not None else instant_of(until) if until else state.watch.at
    _by_the_clock(state, day)
    state.alarms.sort(key=lambda alarm: (alarm.at, alarm.event))
    return _report(state, watched, count, until)


def _begun(watch: Watch) -> _State:
    return _State(watch, {c.id: [] for c in watch.criteria}, norms=dict(watch.norms))


def _checked(
    where: str, event: Mapping[str, Any], faults: list[Fault]
) -> tuple[str, datetime] | None:
    """Return kind and time of an event, or note every fault of it."""
    before = len(faults)
    kind = event.get("kind")
    if kind not in KINDS:
        faults.append(Fault(where=where, expected=f"`kind`: one of {', '.join(KINDS)}",
                            seen=repr(kind)[:60]))  # fmt: skip
        return None
    at = _time(where, event.get("at"), "at", faults)
    if kind != "release":
        must, may = _FIELDS[str(kind)]
        faults += [
            Fault(where=where, expected=f"`{name}`", seen="no such field")
            for name in must if name not in event
        ]  # fmt: skip
        known = ("kind", "at", *must, *may)
        faults += [
            Fault(where=where, expected=f"one of {', '.join(known)}", seen=f"`{name}`")
            for name in event if name not in known
        ]  # fmt: skip
    if len(faults) > before or at is None:
        return None
    return str(kind), at


def _time(where: str, value: Any, name: str, faults: list[Fault]) -> datetime | None:
    try:
        return instant_of(str(value))
    except ValueError:
        faults.append(Fault(where=where, expected=f"a time in `{name}` (ISO 8601)",
                            seen=repr(value)[:60]))  # fmt: skip
        return None


def _promised(where: str, event: Mapping[str, Any], faults: list[Fault]) -> Watch | None:
    try:
        return Watch.model_validate({k: v for k, v in event.items() if k != "kind"})
    except ValidationError as error:
        faults += [
            Fault(where=f"{where}: {'.'.join(str(p) for p in one['loc'])}", expected=one["msg"],
                  seen=repr(one["input"])[:60])
            for one in error.errors()
        ]  # fmt: skip
        return None


def _take(
    state: _State,
    where: str,
    line: int,
    kind: str,
    at: datetime,
    event: Mapping[str, Any],
    faults: list[Fault],
) -> None:
    """Take one event in; what cannot be is a fault, and nothing of it counts."""

    def wrong(expected: str, seen: Any, do: str = "") -> None:
        faults.append(Fault(where=where, expected=expected, seen=repr(seen)[:60], do=do))

    match kind:
        case "audit":
            name, failed = event["criterion"], event["failed"]
            if name not in state.audits:
                known = ", ".join(state.audits) or "none"
                wrong(f"a criterion that is watched ({known})", name)
            elif not isinstance(failed, bool):
                wrong("`failed`: true or false", failed, "Leave out what nobody has decided yet.")
            else:
                state.audits[str(name)].append(_Seen(line, at, failed))
        case "exchange":
            fired, score = event["fired"], event.get("score")
            if not isinstance(fired, bool):
                wrong("`fired`: true or false", fired)
            elif score is not None and not _is_number(score):
                wrong("a number in `score`", score)
            else:
                state.exchanges.append(_Seen(line, at, fired, score))
        case "duty":
            _duty(state, event, where, faults)
        case "norm":
            try:
                rest = {k: v for k, v in event.items() if k not in ("kind", "at", "id")}
                state.norms[str(event["id"])] = WatchedNorm.model_validate(rest)
            except ValidationError as error:
                wrong("a norm with its layer and authority", str(error.errors()[0]["msg"]))
        case _:
            share = event["share"]
            if not _is_number(share) or not 0 <= share <= 1:
                wrong("a share from 0 to 1", share)
            else:
                _withdrawn(state, line, at, float(share))


def _rates(state: _State) -> Iterator[Watched]:
    """Each criterion by its e-process; the error is split over them."""
    error = state.watch.alpha / max(1, len(state.watch.criteria))
    for asked in state.watch.criteria:
        seen = state.audits[asked.id]
        at = stats.rate_monitor(asked.limit, alpha=error).updated([s.hit for s in seen])
        if at.alarm_at is not None:
            rung = seen[at.alarm_at - 1]
            failed = sum(s.hit for s in seen[: at.alarm_at])
            _ring(
                state, "rate", asked.id, asked.modes, rung.at, rung.line, 1 / error,
                failed=Number(failed, "count"), n=Number(at.alarm_at, "count"),
                limit=Number(asked.limit), criterion=asked.id,
            )  # fmt: skip
        yield Watched(
            kind="rate", about=asked.id, n=at.n, count=at.failed, evidence=at.evidence,
            threshold=1 / error, limit=asked.limit,
        )  # fmt: skip


def _fires(state: _State) -> Iterator[Watched]:
    """The guard's interventions against twice, and half, of what is known of their rate before."""
    known = state.watch.fires
    if known is None:
        return
    before = stats.clopper_pearson(known.fired, known.n)
    # Two directions share alpha over the horizon: P(an alarm within N events) <= N * rate.
    rate = state.watch.alpha / 2 / state.watch.horizon
    sides: tuple[tuple[AlarmKind, str, float], ...] = (
        ("fires", "higher", before.high),
        ("quiet", "lower", before.low),
    )
    hits = [s.hit for s in state.exchanges]
    for kind, way, usual in sides:
        if not 0 < usual < 1:
            continue  # Nothing is higher, or lower, than that.
        chart = stats.cusum(usual, false_alarms=2 * rate).updated(hits)
        first = next((n for n, rung in chart.alarms if rung == way), None)
        if first is not None:
            at = state.exchanges[first - 1]
            _ring(
                state, kind, "guard", tuple(state.watch.modes), at.at, at.line, 1 / rate,
                fired=Number(sum(hits[:first]), "count"), n=Number(first, "count"),
                before=Number(known.fired / known.n),
            )  # fmt: skip
        total = chart.risen if way == "higher" else chart.fallen
        yield Watched(kind=kind, about="guard", n=len(hits), count=sum(hits),
                      evidence=math.exp(total), threshold=1 / rate)  # fmt: skip


def _drift(state: _State) -> Iterator[Watched]:
    """Scores of requests against those before release, from both sides."""
    known = np.asarray(state.watch.scores)
    if not len(known):
        return
    scored = [s for s in state.exchanges if s.score is not None]
    scores = np.array([s.score for s in scored], dtype=np.float64)
    high, low = stats.lasting_p(known, scores), stats.lasting_p(-known, -scores)
    rate = state.watch.alpha / state.watch.horizon
    running, first = _first_alarm(stats.bet(np.minimum(1.0, 2 * np.minimum(high, low))), rate)
    if first is not None:
        rung = scored[first]
        _ring(state, "drift", "requests", tuple(state.watch.modes), rung.at, rung.line, 1 / rate,
              n=Number(first + 1, "count"))  # fmt: skip
    yield Watched(kind="drift", about="requests", n=len(scored), evidence=running,
                  threshold=1 / rate)  # fmt: skip


def _first_alarm(values: Iterable[float], rate: float) -> tuple[float, int | None]:
    """Return the evidence at the end, and where the first alarm was raised."""
    running, first = 1.0, None
    for i, (now, rung) in enumerate(stats.alarms(values, rate=rate)):
        running = now
        if rung and first is None:
            first = i
    return running, first


def _duty(state: _State, event: Mapping[str, Any], where: str, faults: list[Fault]) -> None:
    name = str(event["id"])
    if ("due" in event) == ("done" in event):
        faults.append(Fault(where=where, expected="either `due` or `done`", seen=f"duty {name}"))
        return
    if "due" in event:
        due = _time(where, event["due"], "due", faults)
        if due is not None:
            state.duties[name] = due
    elif event["done"] is not True:
        faults.append(Fault(where=where, expected="`done`: true", seen=repr(event["done"])[:60]))
    elif state.duties.pop(name, None) is None:
        faults.append(Fault(where=where, expected="a duty that was open", seen=name))


def _withdrawn(state: _State, line: int, at: datetime, share: float) -> None:
    limit, before = state.watch.withdrawn_limit, state.share
    state.share = share
    if limit is not None and share > limit and (before is None or before <= limit):
        _ring(state, "withdrawn", "training", tuple(state.watch.modes), at, line, None,
              share=Number(share), limit=Number(limit))  # fmt: skip


def _by_the_clock(state: _State, now: datetime) -> None:
    for name, due in sorted(state.duties.items()):
        if due < now:
            _ring(state, "duty", name, tuple(state.watch.modes), now, 0, None,
                  duty=name, due=due.date().isoformat())  # fmt: skip
    for name, norm in sorted(state.norms.items()):
        if norm.review_by is not None and norm.review_by < now.date():
            _ring(state, "review", name, tuple(state.watch.modes), now, 0, None,
                  norm=name, day=norm.review_by.isoformat())  # fmt: skip


def _ring(
    state: _State,
    kind: AlarmKind | str,
    about: str,
    modes: tuple[str, ...],
    at: date,
    line: int,
    evidence: float | None,
    **told: object,
) -> None:
    state.alarms.append(
        Alarm.model_validate(
            {
                "kind": kind,
                "about": about,
                "modes": modes,
                "at": instant_text(at),
                "event": line,
                "evidence": evidence,
                "reason": in_words((Said(f"monitor.{kind}", told),), state.watch.languages),
            }
        )
    )


def _report(state: _State, watched: tuple[Watched, ...], count: int, until: str) -> MonitorReport:
    watch = state.watch
    kinds = {each.kind for each in watched}
    held = {mode for alarm in state.alarms for mode in alarm.modes}
    modes: dict[str, VerdictWord] = {
        mode: "HOLD" if word == "RELEASE" and mode in held else word
        for mode, word in watch.modes.items()
    }
    absent: dict[AlarmKind, bool] = {
        "rate": "rate" not in kinds,
        "fires": "fires" not in kinds,
        "quiet": "quiet" not in kinds,
        "drift": "drift" not in kinds,
        "review": not any(n.review_by for n in state.norms.values()),
        "withdrawn": watch.withdrawn_limit is None,
    }
    return MonitorReport(
        watch=watch.digest,
        events=count,
        until=until,
        modes=modes,
        alarms=tuple(state.alarms),
        watched=watched,
        not_watched=tuple(kind for kind, gone in absent.items() if gone),
        questions=tuple(_questions(state)),
        counts={"exchanges": len(state.exchanges), "duties": len(state.duties),
                "withdrawn": state.share},
        derived_from=(watch.digest,),
        made_by=MadeBy(stage="release", plugin="monitor", version=__version__),
    )  # fmt: skip


def _questions(state: _State) -> Iterator[Question]:
    """What the alarms ask people, once for each norm: it failed, or it is past its review."""
    langs = spoken(state.watch.languages)
    by_criterion = {c.id: c for c in state.watch.criteria}
    asked: set[str] = set()
    for alarm in state.alarms:
        norm = by_criterion[alarm.about].norm if alarm.kind == "rate" else alarm.about
        if alarm.kind not in ("rate", "review") or norm in asked or norm not in state.norms:
            continue
        asked.add(norm)
        about = state.norms[norm]
        said = Said(f"monitor.ask_{alarm.kind}", {"norm": norm, "statement": about.statement})
        yield Question(
            id=f"alarm-{alarm.kind}-{norm}".replace(".", "-"),
            layer=about.layer,
            authority=about.authority,
            norm=norm,
            endorses=True,
            text=in_words((said,), langs),
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
