"""Guard rules: what is done when a norm would be breached, and what the person is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from normwright.charter.enacting.standing import Standing
from normwright.charter.wording import say
from normwright.records import GuardRule, Norm, PolicyRule


def guard_rules(
    norms: Sequence[Norm],
    rules: Sequence[PolicyRule],
    languages: Sequence[str],
    standing: Standing,
) -> Iterator[GuardRule]:
    """Yield one rule for each prohibition and obligation that a guard acts on.

    The condition is the norm's own. Norms that beat it in some situations are named beside it and
    not compiled in: the resolver decides, and knows about all that beats and about what is unknown.
    """
    for norm, rule in zip(norms, rules, strict=True):
        if norm.kind not in ("prohibition", "obligation") or rule.guard == "none":
            continue
        yield GuardRule(
            norm=norm.ref,
            act=norm.act,
            kind=norm.kind,
            condition=norm.condition,
            actors=norm.bearer.actor,
            counterparty=norm.counterparty,
            channels=norm.scope.channels,
            effect=rule.guard,
            on_unknown=norm.on_unknown,
            unless=standing.unless.get(norm.ref, ()),
            reason=say(f"guard_{rule.guard}", languages, norm=norm.id, statement=norm.statement),
        )
