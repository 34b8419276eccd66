"""What a model may be trained and used for, as the report and the charter page show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from normwright.records import ModelRef, Permit, Policy
from normwright.web.marks import text_in
from normwright.web.words import Words

_STATES = {True: "pass", False: "fail", None: "missing"}


@dataclass(frozen=True)
class GroundView:
    """One condition, in words."""

    name: str
    state: str
    """A state of a criterion, which decides how it looks."""
    state_word: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class PermitView:
    """A permit in words, with the policy it is bounded by."""

    line: str
    """Whether training is permitted, and which modes are covered."""
    since: str
    """How strong the decision behind it is, and from when to when it holds; "" without a permit."""
    reasons: tuple[str, ...]
    """Why it covers no more modes, or is refused."""
    unpermitted: str
    """That models were trained without one, and which; "" where none was."""
    grounds: tuple[GroundView, ...]
    digest: str
    """Of the permit; "" where the policy alone bounds the modes."""


def covered_modes(permit: Permit | None, policy: Policy | None) -> tuple[str, ...]:
    """Return the release modes that are covered: those of the policy that the permit covers too."""
    allowed = policy.permit_modes if policy is not None else None
    if permit is None:
        return allowed or ()
    return tuple(mode for mode in permit.modes if allowed is None or mode in allowed)


def permit_view(
    permit: Permit | None, policy: Policy | None, models: Iterable[ModelRef], w: Words
) -> PermitView | None:
    """Return the permit in words; None where neither it nor a policy says anything.

    Args:
        permit: None if nobody was asked for one.
        policy: the policy in force, whose modes bound those of the permit.
        models: the models made, of which some may have been trained without a permit.
        w: the words of one language.
    """
    if permit is None and policy is None:
        return None
    modes = covered_modes(permit, policy)
    named = ", ".join(w.get(f"mode.{mode}", mode) or mode for mode in modes)
    marked = ", ".join(m.name for m in models if m.unpermitted)
    refused = permit is not None and not permit.granted
    return PermitView(
        line=w("permit.refused" if refused else "permit.covers", modes=named or w("permit.none")),
        since=_since(permit, w) if permit is not None else "",
        reasons=_reasons(permit, policy, modes, w),
        unpermitted=w("permit.unpermitted", models=marked) if marked else "",
        grounds=_grounds(permit, w),
        digest=permit.digest if permit is not None else "",
    )


def _since(permit: Permit, w: Words) -> str:
    level, until = permit.decision_level, permit.valid_until
    named = f"{level}: {w(f'level.{level}')}" if level else w("permit.level_unknown")
    told = w("permit.since", since=permit.valid_from.isoformat(), level=named)
    return told if until is None else f"{told} {w('permit.until', until=until.isoformat())}"


def _reasons(
    permit: Permit | None, policy: Policy | None, modes: tuple[str, ...], w: Words
) -> tuple[str, ...]:
    """Why no more modes are covered: the permit's reasons, and the policy's where it narrows."""
    told = list(permit.reasons(w.lang)) if permit is not None else []
    if policy is not None and (not told or (permit is not None and modes != permit.modes)):
        told.append(text_in(policy.permit_reason, w.lang))
    return tuple(dict.fromkeys(text for text in told if text))


def _grounds(permit: Permit | None, w: Words) -> tuple[GroundView, ...]:
    if permit is None:
        return ()
    return tuple(
        GroundView(
            name=w(f"permit.{one.condition}"),
            state=_STATES[one.holds],
            state_word=w(f"permit.state_{_STATES[one.holds]}"),
            reasons=tuple(text_in(text, w.lang) for text in one.reasons),
        )
        for one in permit.grounds
    )
