"""From drafts to a charter: which norms people ratified, by the rule of each tier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from normwright.charter.amended import (
    amendment_faults,
    carried_over,
    parent_faults,
    repeal_faults,
    with_unreplaced,
)
from normwright.charter.cases import LIVING, without_moot_cases
from normwright.charter.checking import adoption_faults
from normwright.charter.conflicts import conflicts
from normwright.charter.dissenting import dissent_in
from normwright.charter.drafting import draft
from normwright.charter.invariants import check
from normwright.charter.reading import CharterSource
from normwright.charter.readings import (
    Standing,
    awaited,
    on_its_source,
    result_of,
    rule_in_words,
    standing_of,
    why_not,
)
from normwright.charter.tallying import Tallied
from normwright.charter.wording import joined, say, unspoken
from normwright.norms.ranking import rank
from normwright.records import (
    Amendment,
    Charter,
    DecisionLevel,
    Dissent,
    Fault,
    Identification,
    InputError,
    MadeBy,
    Norm,
    Outcome,
    Process,
    ProposedNorm,
    Provenance,
    Reading,
    ReadingResult,
    RejectedNorm,
    Statement,
    Text,
    TierRule,
)

LEVEL_CAP: dict[Identification, DecisionLevel] = {
    "open": "L1",
    "invite": "L2",
    "roster": "L3",
    "oidc": "L3",
}
"""The strongest decision a process of people may take, by how participants were identified (I13).

Whoever cannot say who voted cannot say that nobody voted twice. Levels above L3 say what becomes of
a decision after the vote, which no list of voters can show."""


def ratify(
    source: CharterSource,
    outcomes: Sequence[Outcome] = (),
    *,
    process: Process | None = None,
    statements: Sequence[Statement] = (),
    readings: Sequence[Reading] = (),
    charter_id: str,
    languages: Sequence[str],
    on: date,
    parent: Charter | None = None,
) -> Charter:
    """Return the charter of the norms that hold, with those that do not, and why.

    - A global norm with a source is adopted on it, in force, whatever the votes; they are kept as
      information. So is an individual ideal: it binds nobody, and nobody votes on another's style.
    - Any other norm is put to the rule of its tier (`Amendment`): a share of all with the whole
      95 % interval above one half, a share of every larger opinion group, a quorum, the robust core
      and a number of dated readings, each as far as the rule asks for it. A norm that every reading
      so far has carried, and that awaits another one, is proposed and does not hold.

    Ratified by simulated participants, a norm is a demonstration of level L0; by people, it is in
    force at the level that the weakest identification in its readings allows. A norm that is
    suspended, repealed or expired stays so and is not put to the vote.

    Args:
        source: the drafted norms, with the rules of amendment in their head.
        outcomes: what each electorate's ballots say in a reading held on the day `on`.
        process: who took part in that reading; outcomes of another process are refused.
        statements: what was voted on in it.
        readings: readings, in any order; beside `outcomes`, earlier ones.
        charter_id: slug of the charter.
        languages: languages of the charter, in the order they are shown.
        on: the day of ratification.
        parent: the charter this one amends. Its rules of amendment decide; its norms are carried
            over where their source is unchanged, or where what was to supersede them was not
            ratified; a norm of it that is neither there nor expressly superseded, repealed by
            vote or expired is a fault.

    Raises:
        InputError: if outcomes do not belong to their process, people are mixed with simulated
            ones, a statement asks the wrong electorate, a norm fails its own cases, or the charter
            breaks an invariant, for instance a lower layer repealing a floor.
    """
    held = _held(outcomes, process, statements, readings, on)
    faults = [*_reading_faults(held, on), *unspoken(languages), *adoption_faults(source),
              *parent_faults(source, parent)]  # fmt: skip
    if faults:
        raise InputError(faults)
    rules = source.head.amendment
    if parent is not None:
        rules = parent.amendment
        faults = [*amendment_faults(source, parent, held, languages),
                  *repeal_faults(source, parent, held, languages, on)]  # fmt: skip
    if faults:
        raise InputError(faults)
    decided = _Decided(held, rules, tuple(languages), on)
    decided.put_to_the_vote(source, carried_over(source, parent))
    decided.adopted = with_unreplaced(decided.adopted, source, parent)
    charter = _assembled(source, decided, charter_id, parent)
    breaches = check(charter)
    if breaches:
        raise InputError(breaches)
    return charter


def _held(
    outcomes: Sequence[Outcome],
    process: Process | None,
    statements: Sequence[Statement],
    readings: Sequence[Reading],
    on: date,
) -> tuple[Reading, ...]:
    """Every reading, the earliest first."""
    last = []
    if process is not None:
        last = [Reading(held_on=on, process=process, statements=tuple(statements),
                        outcomes=tuple(outcomes))]  # fmt: skip
    return tuple(sorted([*readings, *last], key=lambda r: (r.held_on, r.process.id)))


def _reading_faults(readings: Sequence[Reading], on: date) -> list[Fault]:
    if not readings:
        return [Fault(where="readings", expected="at least one reading", seen="none",
                      do="Say who was asked, even if nobody voted.")]  # fmt: skip
    last = readings[-1].process
    faults = []
    seen: set[str] = set()
    for one in readings:
        process = one.process
        faults += _foreign(one.outcomes, process)
        faults += [fault for outcome in one.outcomes for fault in _miscounted(outcome)]
        faults += _asked_twice(one)
        if process.kind != last.kind:
            faults.append(Fault(
                where=f"reading of {one.held_on}", expected=f"{last.kind}, as in the last reading",
                seen=process.kind, do="No charter mixes people with simulated ones.",
            ))  # fmt: skip
        if process.id in seen:
            faults.append(Fault(where=f"reading of {one.held_on}",
                                expected="a process of its own", seen=f"{process.id} again",
                                do="One vote counted twice is not two readings."))  # fmt: skip
        seen.add(process.id)
        if one.held_on > on:
            faults.append(Fault(where=f"reading of {one.held_on}",
                                expected=f"a day no later than {on}, the day of ratification",
                                seen=one.held_on.isoformat()))  # fmt: skip
    return faults


def _foreign(outcomes: Sequence[Outcome], process: Process) -> list[Fault]:
    return [
        Fault(where=f"outcome {o.layer}/{o.authority}",
              expected=f"process {process.id}, {process.kind}", seen=f"{o.process}, {o.kind}",
              do="No charter mixes processes, or people with simulated ones.")
        for o in outcomes
        if (o.process, o.kind) != (process.id, process.kind)
    ]  # fmt: skip


def _miscounted(outcome: Outcome) -> list[Fault]:
    """Counts that cannot be those of a tally: below nothing, or more than were seen."""
    return [
        Fault(where=f"outcome {outcome.layer}/{outcome.authority}: {s.statement}",
              expected=f"counts from 0 that come to at most {s.seen}, who saw it",
              seen=f"{s.agree} for, {s.disagree} against, {s.passed} passed")
        for s in outcome.support
        if min(s.agree, s.disagree, s.passed) < 0 or s.agree + s.disagree + s.passed > s.seen
    ]  # fmt: skip


def _asked_twice(reading: Reading) -> list[Fault]:
    """Electorates with two outcomes in one reading: which of them counts, anybody could pick."""
    voters = [(o.layer, o.authority) for o in reading.outcomes]
    twice = sorted({voter for voter in voters if voters.count(voter) > 1})
    return [
        Fault(where=f"reading of {reading.held_on}", expected=f"one outcome of {layer}/{authority}",
              seen="several")
        for layer, authority in twice
    ]  # fmt: skip


def _first(text: Text) -> str:
    return next(iter(text.values()), "")


@dataclass
class _Decided:
    """What becomes of each norm, collected norm by norm."""

    readings: tuple[Reading, ...]
    rules: Amendment
    languages: tuple[str, ...]
    on: date

    def __post_init__(self) -> None:
        self.adopted: list[Norm] = []
        self.rejected: list[RejectedNorm] = []
        self.proposed: list[ProposedNorm] = []
        self.dissents: list[Dissent] = []

    def put_to_the_vote(self, source: CharterSource, kept: dict[str, Norm]) -> None:
        """Decide every norm of a source; `kept` are those carried over as they are."""
        drafts = [draft(source, r.outcomes, r.statements) for r in self.readings]
        for number, norm in enumerate(source.norms):
            found = [one[number].found for one in drafts]
            if norm.ref in kept:
                self.adopted.append(kept[norm.ref])
            elif norm.status not in LIVING:
                self.adopted.append(norm)
            elif on_its_source(norm):
                self._adopt_on_its_source(norm, found)
            else:
                self._decide(norm, found)

    def _decide(self, norm: Norm, found: Sequence[Tallied]) -> None:
        rule: TierRule = getattr(self.rules, norm.tier)
        results = [result_of(one, rule, reading, self.languages)
                   for one, reading in zip(found, self.readings, strict=True)]  # fmt: skip
        standing = standing_of(results, rule)
        told = self._told(norm)
        rules = rule_in_words(rule, found[-1], self.languages)
        if standing.state == "rejected":
            reasons = why_not(results, standing, rule, self.languages)
            self.rejected.append(
                RejectedNorm(norm=norm.ref, reason=_first(reasons), reasons=reasons, rules=rules,
                             support=results[-1].support, readings=tuple(results))
            )  # fmt: skip
            return
        proof = self._proof(results, standing, rule, rules, told)
        made = self._made(norm, proof)
        if standing.state == "carried":
            self.adopted.append(made)
        else:
            assert standing.awaits is not None
            waiting = made.model_copy(update={"status": "proposed"})
            self.proposed.append(
                ProposedNorm(norm=waiting, awaits=standing.awaits,
                             reasons=awaited(standing, rule, self.languages))
            )  # fmt: skip

    def _proof(
        self,
        results: Sequence[ReadingResult],
        standing: Standing,
        rule: TierRule,
        rules: Text,
        told: Dissent | None,
    ) -> Provenance:
        from normwright.stats import share_difference

        last, first = standing.counted[-1], standing.counted[0]
        assert last.tally is not None
        change = None
        if len(standing.counted) > 1:
            change = share_difference(first.support["all"], last.support["all"])
            if change.interval is not None and change.interval.high < 0:
                fell = say("support_fell", self.languages, first=first.support["all"].value or 0.0,
                           second=last.support["all"].value or 0.0)  # fmt: skip
                rules = joined([rules, fell], self.languages, by=". ")
        counted = {one.process for one in standing.counted}
        processes = [r.process for r in self.readings if r.process.id in counted]
        return Provenance(
            process=last.process,
            process_kind=processes[-1].kind,
            tally=last.tally,
            method="group-aware-supermajority" if rule.group_share is not None else "majority",
            support=last.support,
            dissent="" if told is None else _first(told.words),
            readings=tuple(results),
            change=change,
            decision_level=level_of(processes),
            ratified_at=self.on if standing.state == "carried" else None,
            rule=_first(rules),
            rules=rules,
        )

    def _adopt_on_its_source(self, norm: Norm, found: Sequence[Tallied]) -> None:
        voted = [(one, r) for one, r in zip(found, self.readings, strict=True) if one.tally]
        proof = None
        if voted:
            one, reading = voted[-1]
            assert one.tally is not None
            told = self._told(norm)
            rules = say("rule_source", self.languages)
            proof = Provenance(
                process=reading.process.id, process_kind=reading.process.kind, tally=one.tally,
                method="source", support=one.support, decision_level="L0", ratified_at=self.on,
                dissent="" if told is None else _first(told.words),
                rule=_first(rules), rules=rules,
            )  # fmt: skip
        self.adopted.append(self._made(norm, proof))

    def _made(self, norm: Norm, proof: Provenance | None) -> Norm:
        simulated = self.readings[-1].process.kind == "simulated" and not on_its_source(norm)
        return norm.model_copy(
            update={
                "provenance": proof,
                "status": "demonstration" if simulated else "in_force",
                "derived_from": (norm.digest,),
            }
        )

    def _told(self, norm: Norm) -> Dissent | None:
        """The minority report of the last reading that asked about a norm."""
        for reading in reversed(self.readings):
            told = dissent_in(norm, reading, self.rules, self.languages)
            if told is not None:
                self.dissents.append(told)
                return told
        return None


def level_of(processes: Iterable[Process]) -> DecisionLevel:
    """Return the strongest decision that all of some processes may take; simulated ones none."""
    return min("L0" if p.kind == "simulated" else LEVEL_CAP[p.identification] for p in processes)


def _assembled(
    source: CharterSource, decided: _Decided, charter_id: str, parent: Charter | None
) -> Charter:
    standing = without_moot_cases(decided.adopted, source.norms, source.vocabulary)
    standing.sort(key=lambda n: (rank(n), n.id, n.version))
    head, last = source.head, decided.readings[-1].process
    tallies = {o.digest for reading in decided.readings for o in reading.outcomes}
    above = () if parent is None else (parent.digest,)
    return Charter(
        id=charter_id,
        version=head.version if parent is None else parent.version + 1,
        parent=head.parent if parent is None else parent.digest,
        languages=decided.languages,
        vocabulary=source.vocabulary,
        norms=tuple(standing),
        rejected=tuple(sorted(decided.rejected, key=lambda r: r.norm)),
        proposed=tuple(sorted(decided.proposed, key=lambda p: p.norm.ref)),
        dissents=tuple(sorted(decided.dissents, key=lambda d: d.norm)),
        conflicts=conflicts([n for n in standing if n.status in LIVING], source.vocabulary),
        zones=head.zones,
        open_world=head.open_world,
        jurisdiction_basis=head.jurisdiction_basis,
        amendment=head.amendment,
        title=head.title,
        contest=head.contest,
        notice=head.notice,
        process=last.id,
        kind=last.kind,
        derived_from=(*sorted(tallies), *above),
        made_by=MadeBy(stage="charter", parameters={"on": decided.on.isoformat()}),
    )
