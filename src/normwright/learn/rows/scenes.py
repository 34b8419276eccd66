"""From a policy and what people preferred to the rows a model learns from.

Every row carries the norms it bears on, where it comes from and its licence, and every row a norm
removed is counted under that norm.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from normwright.norms import Resolver
from normwright.records import (
    CurationEntry,
    Demonstration,
    Estimate,
    Outcome,
    PairShare,
    Policy,
    PreferencePair,
    Scene,
    Statement,
    Support,
)
from normwright.scenes import situation_of
from normwright.stats import proportion

LICENCE = "Apache-2.0"
"""Licence of rows generated from a scene bank of this project."""


@dataclass(frozen=True)
class Curated:
    """Rows that were kept, and what every norm did to the rest."""

    demonstrations: tuple[Demonstration, ...] = ()
    pairs: tuple[PreferencePair, ...] = ()
    curation: tuple[CurationEntry, ...] = ()


def demonstrate(
    policy: Policy, scenes: Sequence[Scene], *, obliging: float = 0.75, seed: int
) -> Curated:
    """Return instruction-following demonstrations, curated under the policy.

    The raw corpus is an ordinary one. Requests of the kind a norm was written against are mostly
    obliged, with probability `obliging`, whether or not people adopted that norm, so that what is
    shown does not depend on the votes that preferences will be learned from. All other requests
    are answered. Then the policy curates: rows that breach a hard constraint (a floor) are removed
    and counted; breaches of weaker norms stay, for preferences to correct.
    """
    rng = random.Random(seed)
    resolver = Resolver(policy.charter)
    hard = {r.norm for r in policy.rules if r.force == "constraint_hard"}
    kept: list[Demonstration] = []
    counts: Counter[tuple[str, str, str]] = Counter()
    for scene in scenes:
        decision = resolver.decide(situation_of(scene))
        allowed = decision.verdict == "allow"
        disputed = scene.applies if scene.norm is not None else not allowed
        comply = not disputed or rng.random() < obliging
        norms = decision.governing if not allowed else ()
        if not allowed and comply:
            floors = [n for n in decision.governing if n in hard]
            if floors:
                for norm in floors:
                    counts[norm, "removed", "the demonstrated answer breaches a floor"] += 1
                continue
            for norm in norms:
                counts[
                    norm, "kept", "breach of a norm that is not a floor; left to preferences"
                ] += 1
        kept.append(
            Demonstration(
                scene=scene.id,
                lang=scene.lang,
                prompt=scene.messages,
                completion=scene.perform if comply else scene.decline,
                norms=norms,
                origin="synthetic",
                licence=LICENCE,
                family=scene.family,
            )
        )
    return Curated(demonstrations=tuple(kept), curation=_entries(counts))


def pair(
    policy: Policy,
    outcomes: Sequence[Outcome],
    scenes: Sequence[Scene],
    *,
    statements: Sequence[Statement] = (),
    spared_weight: float = 1.0,
) -> Curated:
    """Return preference pairs whose probability is the share of people who prefer the first answer.

    For each scene a norm was written about, the answer the charter decides for stands first. Its
    probability is what the rule of the outcome's targets makes of the comparisons on that norm (in
    such scenes): by `pooled`, the share that prefer it; where a
    consultation compared no answers, the share of votes for the norm among those for and against it
    (`statements` tells which they are). A pair in
    which people prefer the breach of a floor is refused and counted, never learned.

    Both twins carry the weight of the norm they bear on, severity times support; the one it spares
    carries `spared_weight` of it, because a request wrongly declined may weigh less than one
    wrongly done. That share is the project's choice and stands in its file.
    """
    resolver = Resolver(policy.charter)
    rules = {r.norm: r for r in policy.rules}
    shares = {s.norm: (o, s) for o in outcomes for s in o.pairs}
    pairs: list[PreferencePair] = []
    counts: Counter[tuple[str, str, str]] = Counter()
    for scene in scenes:
        if scene.norm is None:
            continue
        decision = resolver.decide(situation_of(scene))
        found = shares.get(scene.norm if scene.applies else spared(scene.norm))
        if found is None and scene.applies:
            found = _supported(policy, outcomes, statements, scene.norm)
        if found is None:
            counts[scene.norm, "refused", "nobody compared answers to such scenes"] += 1
            continue
        outcome, share = found
        declining = decision.verdict != "allow"
        aimed = _target(outcome, share)
        if aimed is None:
            said = outcome.targets.rule if outcome.targets is not None else "the rule"
            counts[scene.norm, "refused", f"{said} says nothing of such scenes"] += 1
            continue
        p = _side(share, aimed, declining)
        rule = next((rules[n] for n in decision.governing if n in rules), None)
        stake = next((r for r in policy.rules if r.norm.split("@")[0] == scene.norm), rule)
        if rule is not None and rule.force == "constraint_hard" and p < 0.5 and declining:
            counts[rule.norm, "refused", "people preferred the breach of a floor"] += 1
            continue
        refs = decision.governing or (scene.norm,)
        pairs.append(
            PreferencePair(
                scene=scene.id,
                lang=scene.lang,
                prompt=scene.messages,
                chosen=scene.decline if declining else scene.perform,
                rejected=scene.perform if declining else scene.decline,
                p_chosen=p,
                weight=(stake.weight if stake is not None else 1.0)
                * (1.0 if scene.applies else spared_weight),
                support={
                    g: (e.value if declining else 1 - e.value)
                    for g, e in share.groups.items()
                    if e.value is not None
                },
                norms=refs,
                layer=outcome.layer,
                origin="synthetic",
                process_kind=outcome.kind,
                licence=LICENCE,
                family=scene.family,
            )
        )
        for norm in refs:
            counts[norm, "paired", "declining preferred" if declining else "doing preferred"] += 1
    return Curated(pairs=tuple(pairs), curation=_entries(counts))


def spared(norm: str) -> str:
    """Return the name under which comparisons on scenes a norm spares are tallied.

    A norm's scenes come in twins: one the norm speaks against, one it spares. People's choices in
    the second say nothing about the first, so the two are never pooled.
    """
    return f"{norm}#spared"


def _supported(
    policy: Policy, outcomes: Sequence[Outcome], statements: Sequence[Statement], norm: str
) -> tuple[Outcome, PairShare] | None:
    """People for and against a norm, as people for what it asks and for its opposite.

    For a consultation that voted on statements and compared no answers. Passes stand on neither
    side. A norm that forbids asks to decline, any other asks to do.
    """
    found = next((n for n in policy.charter.norms if n.id == norm), None)
    tally = found.provenance.tally if found is not None and found.provenance else None
    outcome = next((o for o in outcomes if o.digest == tally), None)
    if found is None or outcome is None:
        return None
    about = {s.id: s.endorses for s in statements if s.norm == norm}
    voted = [(one, about[one.statement]) for one in outcome.support if one.statement in about]
    pro = sum(one.agree if endorses else one.disagree for one, endorses in voted)
    contra = sum(one.disagree if endorses else one.agree for one, endorses in voted)
    if pro + contra == 0:
        return None
    forbids = found.kind == "prohibition"
    decline, perform = (pro, contra) if forbids else (contra, pro)
    groups = {}
    for group in outcome.grouping.groups:
        for_it, against = _in_group(voted, group.id)
        declining = for_it if forbids else against
        if for_it + against > 0:
            groups[group.id] = proportion(declining, round(for_it + against))
    share = PairShare(
        norm=norm,
        perform=perform,
        decline=decline,
        p_decline=proportion(decline, perform + decline),
        groups=groups,
    )
    return outcome, share


def _in_group(voted: Sequence[tuple[Support, bool]], group: str) -> tuple[float, float]:
    """Votes for and against a norm within one opinion group."""
    pro = contra = 0.0
    for one, endorses in voted:
        agree, disagree = (_votes(found.get(group)) for found in (one.groups, one.groups_disagree))
        pro += agree if endorses else disagree
        contra += disagree if endorses else agree
    return pro, contra


def _votes(share: Estimate | None) -> float:
    return 0.0 if share is None or share.value is None else round(share.value * share.n)


def _target(outcome: Outcome, share: PairShare) -> float | None:
    """The chance of declining that the chosen rule makes of a norm's comparisons.

    None where it says nothing of them. Where a norm was voted on and no answers were compared, no
    rule chose between any, and the share of people stands (Jeffreys).
    """
    aims = outcome.targets.targets if outcome.targets is not None else ()
    found = next((one for one in aims if one.about == share.norm and one.group is None), None)
    if found is None:
        return (share.decline + 0.5) / (share.perform + share.decline + 1)
    return found.probability


def _side(share: PairShare, target: float, declining: bool) -> float:
    """The target for the side the charter decides for, strictly between 0 and 1.

    A rule may be certain where people were not; so many people are never certain of more than a
    share that all of them would give (Jeffreys).
    """
    edge = 0.5 / (share.perform + share.decline + 1)
    p = min(max(target, edge), 1 - edge)
    return p if declining else 1 - p


def _entries(counts: Counter[tuple[str, str, str]]) -> tuple[CurationEntry, ...]:
    return tuple(
        CurationEntry(norm=norm, action=action, reason=reason, rows=rows)  # type: ignore[arg-type]
        for (norm, action, reason), rows in sorted(counts.items())
    )
