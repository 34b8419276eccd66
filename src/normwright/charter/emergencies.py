"""What may be done in haste: only tighten, for a few days, and not twice for the same ground (I11).

The rule on renewal: after an emergency norm has ended, none on the same ground may begin before as
many days have passed as an emergency norm may last at most. The same ground is the same authority
and either the same id, or one replacing the other, or acts and conditions that meet. What should go
on is put to people, and holds as an ordinary norm once they have ratified it; so at most half of
the time can be governed without them. Ended emergency norms stay in the charter to be counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from normwright.norms import Acts, can_both_hold
from normwright.norms.ranking import contest, names, rank
from normwright.records import (
    Amendment,
    Fault,
    Norm,
    Vocabulary,
)

LONGEST = 14
"""Most days an emergency norm can ever last; a charter may allow fewer."""

TIGHTENING = frozenset({"prohibition", "obligation"})
SUSPENDING = "constitutive"
"""A norm that says nothing of its own and supersedes a permission suspends it."""
SUSPENDED = frozenset({"permission", "exemption"})
"""What can be suspended in haste: what loosens, and is nobody's right."""


def emergency_faults(
    norms: Sequence[Norm], vocabulary: Vocabulary, amendment: Amendment
) -> list[Fault]:
    """Return what the emergency norms among some norms must not do, looked at together.

    Whether any verdict moves towards allowing is another question, which needs a solver: see
    `amending.tightens_only`.
    """
    acts = Acts(vocabulary)
    found: list[Fault] = []
    for norm in norms:
        if norm.emergency:
            found += emergency_norm(norm, days=amendment.emergency_days)
            found += _targets(norm, norms)
            found += _rights(norm, norms, acts, vocabulary)
            found += _bans(norm, norms, acts, vocabulary)
            found += _renewal(norm, norms, acts, vocabulary, amendment.emergency_days)
    return found


def emergency_norm(norm: Norm, *, days: int = LONGEST, where: str = "") -> list[Fault]:
    """Return what is amiss with one emergency norm by itself: its kind, its beginning, its end."""
    at = where or norm.ref
    faults = []
    suspends = norm.kind == SUSPENDING and bool(norm.supersedes)
    if norm.kind not in TIGHTENING and not suspends:
        faults.append(Fault(
            where=f"{at}: emergency",
            expected="a prohibition, an obligation, or the suspension of a permission",
            seen=f"a {norm.kind}",
            do="What is decided without a vote may only tighten; put this to people.",
        ))  # fmt: skip
    faults += [
        Fault(where=f"{at}: {field}", expected="a day: an emergency norm begins and lapses",
              seen="nothing")
        for field in ("valid_from", "valid_to")
        if getattr(norm, field) is None
    ]  # fmt: skip
    if norm.valid_from and norm.valid_to and norm.valid_to > norm.valid_from + timedelta(days):
        last = norm.valid_from + timedelta(days)
        faults.append(Fault(
            where=f"{at}: valid_to", expected=f"{last} at the latest: {days} days",
            seen=str(norm.valid_to),
        ))  # fmt: skip
    return faults


def _targets(norm: Norm, norms: Sequence[Norm]) -> Iterator[Fault]:
    """An emergency norm may replace what loosens, and nothing that binds or protects."""
    for other in norms:
        earlier = other.emergency and other.id == norm.id
        aimed = names(norm.supersedes, other) and other is not norm and not earlier
        if aimed and other.kind not in SUSPENDED:
            yield Fault(
                where=f"{norm.ref}: supersedes",
                expected="permissions or exemptions only",
                seen=f"{other.ref}, a {other.kind}",
                do="No protection ends without a vote.",
            )


def _rights(
    norm: Norm, norms: Sequence[Norm], acts: Acts, vocabulary: Vocabulary
) -> Iterator[Fault]:
    """An emergency norm may not beat a guarantee wherever both can hold."""
    if norm.kind not in TIGHTENING:
        return
    for right in norms:
        if right.kind != "guarantee" or not _forbids(norm, right, acts):
            continue
        shielded = (
            rank(right) < rank(norm)
            if norm.kind == "obligation"
            else contest(right, norm, acts, vocabulary.facts).permitted
        )
        meet = can_both_hold(right.condition, norm.condition, vocabulary.facts)
        if not shielded and meet is not False:
            yield Fault(
                where=f"{norm.ref}: emergency",
                expected=f"room for what {right.ref} guarantees",
                seen=f"a {norm.kind} that would beat it",
                do="Leave the guaranteed cases out by its condition.",
            )


def _bans(norm: Norm, norms: Sequence[Norm], acts: Acts, vocabulary: Vocabulary) -> Iterator[Fault]:
    """An emergency duty may not make necessary what a norm no stronger than itself forbids.

    To be obliged to do what is forbidden leaves nothing but the less grave of two breaches, so that
    a duty of more severity is a permission in disguise.
    """
    if norm.kind != "obligation":
        return
    for ban in norms:
        if ban.kind != "prohibition" or _graver(ban, norm):
            continue
        shared = any(acts.covers(norm.act, a) and acts.covers(ban.act, a) for a in acts.names)
        meet = can_both_hold(ban.condition, norm.condition, vocabulary.facts)
        if shared and meet is not False:
            yield Fault(
                where=f"{norm.ref}: emergency",
                expected=f"a duty to nothing that {ban.ref} forbids",
                seen=f"a duty to {norm.act}",
                do="Leave what is forbidden out by its act or its condition.",
            )


def _graver(ban: Norm, duty: Norm) -> bool:
    """Whether breaching a ban is graver than breaching a duty, rank before severity."""
    return (rank(ban), -ban.severity) < (rank(duty), -duty.severity)


def _forbids(norm: Norm, right: Norm, acts: Acts) -> bool:
    """Whether the norm speaks against some act that the guarantee is about."""
    about = [act for act in acts.names if acts.covers(right.act, act)]
    if norm.kind == "prohibition":
        return any(acts.covers(norm.act, act) for act in about)
    return any(not acts.covers(norm.act, act) for act in about)


def _renewal(
    norm: Norm, norms: Sequence[Norm], acts: Acts, vocabulary: Vocabulary, days: int
) -> Iterator[Fault]:
    for earlier in norms:
        if (
            earlier is norm
            or not earlier.emergency
            or not _same_ground(norm, earlier, acts, vocabulary)
        ):
            continue
        if _follows(norm, earlier, days):
            free = (earlier.valid_to or date.max - timedelta(days)) + timedelta(days)
            yield Fault(
                where=f"{norm.ref}: valid_from",
                expected=f"{free} or later: {earlier.ref} had the same ground until "
                f"{earlier.valid_to}",
                seen=str(norm.valid_from),
                do="To go on, have people ratify it as an ordinary norm.",
            )


def _follows(norm: Norm, earlier: Norm, days: int) -> bool:
    """Whether a norm begins with or after another, and too soon after it."""
    if norm.valid_from is None or earlier.valid_from is None or earlier.valid_to is None:
        return False
    second = (norm.valid_from, norm.ref) > (earlier.valid_from, earlier.ref)
    return second and norm.valid_from < earlier.valid_to + timedelta(days)


def _same_ground(norm: Norm, other: Norm, acts: Acts, vocabulary: Vocabulary) -> bool:
    if (norm.layer, norm.authority) != (other.layer, other.authority):
        return False
    if norm.id == other.id or names(norm.supersedes, other) or names(other.supersedes, norm):
        return True
    meet = any(acts.covers(norm.act, a) and acts.covers(other.act, a) for a in acts.names)
    both = can_both_hold(norm.condition, other.condition, vocabulary.facts)
    return meet and both is not False
