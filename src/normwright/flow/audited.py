"""What the axioms say about the ballots in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright.flow.mappings import read_yaml
from normwright.records import Audit, AxiomFinding, Coherence, Fault, InputError

if TYPE_CHECKING:
    from normwright.flow.ballots import Cast


@dataclass(frozen=True)
class Audited:
    """Ballots and what was found when they were audited."""

    cast: Cast
    audit: Audit
    coherence: Coherence | None = None
    """Whether majority verdicts on linked statements can all stand; None where none were linked."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value; intervals are their two ends."""
        told = self.audit.model_dump(mode="json", exclude={"findings"})
        return {
            "findings": [_finding(one) for one in self.audit.findings],
            **told,
            "coherence": None if self.coherence is None else self.coherence.model_dump(mode="json"),
            "format": self.cast.format,
            "source": self.cast.digest,
        }


def audited(
    cast: Cast,
    *,
    methods: Sequence[str] | None = None,
    seed: int = 0,
    rounds: int = 200,
    budget: float = 30.0,
    links: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Audited:
    """Return what the axioms say about these ballots, by each method that takes them.

    Args:
        cast: the ballots.
        methods: slugs; None: each there is.
        seed: seed of all that is drawn.
        rounds: resamples of the voters.
        budget: seconds it may take; what it leaves no room for is told.
        links: a YAML file of links between statements, or a mapping with `links`, and maybe `quota`
            and `premises`; None: nothing is linked.
        progress: is told how far the work is.

    Raises:
        PluginError: if there is no such method.
        Inapplicable: if no method takes these ballots.
        InputError: if the links cannot be used, or people did not vote on statements.
    """
    from normwright.aggregate import audit

    linked = None if links is None else _coherence(cast, links, seed, rounds)
    found = audit(
        cast.election, methods=methods, seed=seed, rounds=rounds, budget=budget, progress=progress
    )
    return Audited(cast, found, linked)


def _coherence(cast: Cast, path: Path, seed: int, rounds: int) -> Coherence:
    from normwright.aggregate import coherence

    given = read_yaml(path, expected="links")
    told = {"links": given} if isinstance(given, list) else given
    faults = []
    if cast.profile is None:
        faults.append(Fault(where="--links", expected="votes on statements", seen=cast.format))
    if not isinstance(told, dict) or not isinstance(told.get("links"), list) or not told["links"]:
        expected = "a list of links, such as - {implies: [a, b]}"
        faults.append(Fault(where=str(path), expected=expected, seen=str(given)[:60]))
    elif unknown := sorted(set(map(str, told)) - {"links", "quota", "premises"}):
        expected = "links, quota and premises"
        faults.append(Fault(where=str(path), expected=expected, seen=", ".join(unknown)))
    quota: Fraction | None = None
    try:
        quota = Fraction(str(told.get("quota", "1/2"))) if isinstance(told, dict) else None
    except (ValueError, ZeroDivisionError):
        faults.append(Fault(where=f"{path}: quota", expected="a share", seen=str(told["quota"])))
    premises = told.get("premises", []) if isinstance(told, dict) else []
    if not isinstance(premises, list):
        faults.append(
            Fault(where=f"{path}: premises", expected="a list of statements", seen=repr(premises))
        )
    if faults or cast.profile is None or quota is None:
        raise InputError(faults)
    return coherence(
        cast.profile, _named(told["links"]), quota=quota, premises=_named(premises),
        seed=seed,
        rounds=rounds,
    )  # fmt: skip


def _named(formula: Any) -> Any:
    """A formula with its statements as text: YAML reads the id `12` as a number."""
    if isinstance(formula, list):
        return [_named(part) for part in formula]
    if isinstance(formula, dict):
        return {key: _named(part) for key, part in formula.items()}
    return str(formula)


def _finding(found: AxiomFinding) -> dict[str, Any]:
    told = found.model_dump(mode="json")
    interval = found.interval
    told["interval"] = None if interval is None else [interval.low, interval.high]
    told["interval_method"] = None if interval is None else interval.method
    return told
