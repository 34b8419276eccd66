"""What a preference run minimises, and what it refuses to begin with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from normwright.models.tuning.groups import Robustness
from normwright.records import Fault, InputError, Policy, PreferencePair, ScoredAnswers

Method: TypeAlias = Literal[
    "soft", "ipo", "soft-copeland", "kemeny", "robust", "modpo", "listwise", "kto"
]

MINIMISERS: Final[dict[Method, str]] = {
    "soft": "pi_ref exp(r / beta), r the Bradley-Terry fit of the vote shares",
    "ipo": "pi_ref exp(Borda / beta), where a prompt's pairs weigh alike",
    "soft-copeland": "pi_ref exp(r / beta), r the Bradley-Terry fit of sharpened majorities",
    "kemeny": "the order that goes against the fewest people, as width falls to 0",
    "robust": "pi_ref exp(r / beta), r the fit whose worst group is served best",
    "modpo": "pi_ref exp((w_0 r_0 + sum_j w_j r_j) / beta), the r_j fixed rewards",
    "listwise": "pi_ref exp(score / (temperature beta)) on the candidates",
    "kto": "all mass on answers that more than half find desirable: not pi_ref exp(r / beta)",
}
"""What each method tends to, given enough rows and steps."""


@dataclass(frozen=True)
class PreferenceObjective:
    """How preferences become a loss, and what guards it. Part of the science of a run."""

    method: Method = "soft"
    gamma: float = 0.0
    """A row counts by its weight times its number of votes to this power: 1 is the maximum
    likelihood of the votes, 0 counts questions alike."""
    length: float = 0.0
    """Price of a token in units of reward: R-DPO's length guard."""
    displacement: float = 0.0
    """How much a side's margin falls for each nat its own answer has lost: DPO-Positive's guard."""
    near_duplicates: float = 0.0
    """Share of the pairs left out because their answers are nearest to each other in the model."""
    sharpness: float = 20.0
    """`soft-copeland`: how far shares are moved to their majority's side."""
    width: float = 0.1
    """`kemeny`: width of the step from right to wrong order, in units of the margin."""
    own: float = 1.0
    """`modpo`: what the objective of the pairs weighs beside the fixed rewards."""
    proportional: bool = False
    """`listwise`: match the target with the policy itself in the place of its ratio to the
    reference, so that answers come in proportion to `softmax(score / temperature)`."""
    robustness: Robustness = field(default_factory=Robustness)
    """`robust`: how weights of groups follow their losses."""
    prompts: int = 16
    """Prompts that are answered before and after, to see behaviour beside likelihood."""


def refuse(
    rows: Sequence[PreferencePair] | Sequence[ScoredAnswers],
    objective: PreferenceObjective,
    *,
    weights: Any,
    policy: Policy | None,
    fixed: int,
    majority: float,
) -> None:
    """Say why a run cannot begin, if it cannot.

    Args:
        rows: what is to be learned.
        objective: how.
        weights: of the model it starts from.
        policy: what binds, where it is known.
        fixed: number of fixed rewards that are given.
        majority: weight of the anchor on answers of majorities.

    Raises:
        InputError: with everything that is wrong with rows and objective together.
    """
    faults = [*_of_model(weights), *_of_objective(rows, objective, fixed, majority)]
    pairs = [row for row in rows if isinstance(row, PreferencePair)]
    scored = [row for row in rows if isinstance(row, ScoredAnswers)]
    faults += [
        Fault(where=row.scene, expected="two answers", seen="the same twice")
        for row in pairs
        if row.chosen.strip() == row.rejected.strip()
    ]
    for one in scored:
        twice = [t for t, n in Counter(c.text.strip() for c in one.candidates).items() if n > 1]
        if twice:
            faults.append(Fault(where=one.scene, expected="different candidates",
                                seen=f"{twice[0][:60]!r} twice"))  # fmt: skip
    faults += _inverted(pairs, policy)
    if objective.method == "robust":
        faults += _ungrouped(pairs, objective.robustness)
    if objective.method == "kto":
        faults += _unheard(pairs)
    if faults:
        raise InputError(_first(faults))


def _first(faults: list[Fault], shown: int = 20) -> list[Fault]:
    if len(faults) <= shown:
        return faults
    more = Fault(where="rows", expected="none of these", seen=f"{len(faults) - shown} more faults")
    return [*faults[:shown], more]


def _of_model(weights: Any) -> Iterator[Fault]:
    if hasattr(weights, "get_base_model"):
        yield Fault(
            where="model",
            expected="plain weights, so that it is clear which model is the reference",
            seen="weights with adapters",
            do="Merge the adapters, or give the model without them.",
        )


def _of_objective(
    rows: Sequence[Any], objective: PreferenceObjective, fixed: int, majority: float
) -> Iterator[Fault]:
    method = objective.method
    if not rows:
        yield Fault(where="rows", expected="at least one", seen="none")
        return
    wanted = ScoredAnswers if method == "listwise" else PreferencePair
    if any(not isinstance(row, wanted) for row in rows):
        form = "candidates with scores" if method == "listwise" else "pairs"
        yield Fault(where="rows", expected=f"{form} for the method {method}", seen="another form")
    if (method == "modpo") != (fixed > 0):
        seen = f"{fixed} fixed rewards" if fixed else "no fixed reward"
        yield Fault(where="auxiliary", expected="fixed rewards with modpo and with it alone",
                    seen=seen)  # fmt: skip
    guarded = method in ("soft", "robust", "modpo", "soft-copeland")
    if objective.displacement and not guarded:
        yield Fault(where="displacement_guard", expected=f"0 for the method {method}",
                    seen=f"{objective.displacement:g}, which would be ignored")  # fmt: skip
    if method == "kto" and objective.length:
        yield Fault(where="length_guard", expected="0 for the method kto",
                    seen=f"{objective.length:g}, which would be ignored")  # fmt: skip
    if objective.gamma and any(not getattr(row, "votes", ()) for row in rows):
        yield Fault(where="gamma", expected="0 for rows without votes", seen=f"{objective.gamma:g}",
                    do="Give `votes`, or say in `weight` what rows count.")  # fmt: skip
    if method in ("kto", "listwise") and (majority or objective.near_duplicates):
        yield Fault(where="majority_anchor, near_duplicates",
                    expected=f"0 for the method {method}",
                    seen=f"{majority:g}, {objective.near_duplicates:g}")  # fmt: skip


def _inverted(pairs: Sequence[PreferencePair], policy: Policy | None) -> Iterator[Fault]:
    """A pair that teaches the breach of a hard constraint, whatever majority wants it."""
    if policy is None:
        return
    hard = {rule.norm for rule in policy.rules if rule.force == "constraint_hard"}
    for row in pairs:
        bound = sorted(hard & set(row.norms))
        if bound and row.p_chosen < 0.5:
            yield Fault(
                where=row.scene,
                expected=f"a share of at least one half for what {', '.join(bound)} decides",
                seen=f"{row.p_chosen:.3g}",
                do="A hard constraint is not voted on pair by pair: leave the pair out.",
            )


def _ungrouped(pairs: Sequence[PreferencePair], robustness: Robustness) -> Iterator[Fault]:
    bare = [row for row in pairs if not groups_of(row)]
    if bare:
        yield Fault(where=f"{bare[0].scene} and {len(bare) - 1} more",
                    expected="a group, for the method robust", seen="none",
                    do="Give each row a group, or train with the method soft.")  # fmt: skip
    rows = Counter(name for row in pairs for name in groups_of(row))
    if not bare and len(rows) < 2:
        yield Fault(where="group", expected="at least two groups for the method robust",
                    seen=", ".join(rows) or "none")  # fmt: skip
    enough = [name for name, n in rows.items() if n >= robustness.least]
    if len(rows) > 1 and len(enough) < 2:
        yield Fault(
            where="group",
            expected=f"at least two groups of {robustness.least} rows or more",
            seen=", ".join(f"{name}: {n}" for name, n in sorted(rows.items())),
            do="Lower robust.least, if so few may move the model.",
        )
    if wrong := robustness.wrong(len(rows)) if rows else "":
        yield Fault(
            where="robust", expected="a floor and a cap that groups can keep to", seen=wrong
        )


def _unheard(pairs: Sequence[PreferencePair]) -> Iterator[Fault]:
    """What KTO would ignore."""
    shares = [row for row in pairs if row.p_chosen not in (0.0, 1.0)]
    if shares:
        yield Fault(
            where=f"{shares[0].scene}: probability",
            expected="0 or 1 for the method kto",
            seen=f"{shares[0].p_chosen:g}, a share that would be ignored",
            do="Use the method soft: it learns shares.",
        )
    if len({row.weight for row in pairs}) > 1:
        yield Fault(where="weight", expected="one weight for all rows with the method kto",
                    seen="weights that would be ignored",
                    do="Use the method soft: it weighs rows.")  # fmt: skip


def counts_of(row: PreferencePair, gamma: float) -> float:
    """Return what a pair counts: its weight times its number of votes to the power gamma."""
    return row.weight * sum(vote.weight for vote in row.votes) ** gamma if gamma else row.weight


def groups_of(row: PreferencePair) -> dict[str, tuple[float, float]]:
    """Return share and weight of each group that a pair says something of.

    From the choices of single people where they are at hand, else from the groups' shares, else
    from the group whose row it is. Of few choices a share is never certain (Jeffreys), so that a
    group of three does not ask for an infinite margin.
    """
    votes = [vote for vote in row.votes if vote.group is not None]
    if votes:
        counted: dict[str, tuple[float, float]] = {}
        worth = {"chosen": 1.0, "tie": 0.5, "rejected": 0.0}
        total = sum(vote.weight for vote in votes)
        for name in sorted({vote.group for vote in votes if vote.group is not None}):
            cast = [vote for vote in votes if vote.group == name]
            mass = sum(vote.weight for vote in cast)
            won = sum(vote.weight * worth[vote.choice] for vote in cast)
            counted[name] = ((won + 0.5) / (mass + 1), row.weight * mass / total)
        return counted
    if row.support:
        even = row.weight / len(row.support)
        return {name: (share, even) for name, share in sorted(row.support.items())}
    return {} if row.group is None else {row.group: (row.p_chosen, row.weight)}
