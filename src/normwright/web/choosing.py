"""The picture of a choice under normative uncertainty: what would turn it."""

from __future__ import annotations

from normwright.records import Believed, RuleChoice, UncertainChoice
from normwright.web.pictures import Panel, Stretch, turning
from normwright.web.words import Words, words_for


def choice_picture(found: UncertainChoice, lang: str) -> str:
    """Return how far the credence of each theory may move before rules that count turn."""
    (w,) = words_for([lang])
    told = w("picture.choice_people")
    if found.act is not None:
        told = w("picture.choice_act", option=found.act)
    panels = [
        Panel(
            name=w("picture.choice_theory", theory=one.theory, credence=_told(one.credence, w)),
            credence=one.credence,
            stretches=tuple(_stretch(rule, one, w) for rule in found.rules if rule.counts),
        )
        for one in found.theories
    ]
    note = w("picture.choice_note", n=w.count(len(found.theories)), veto=found.veto,
             rule=found.rule)  # fmt: skip
    return turning(panels, title=told, note=note, w=w)


def _told(credence: float, w: Words) -> str:
    return w.number(credence, "plain")


def _stretch(rule: RuleChoice, of: Believed, w: Words) -> Stretch:
    if len(rule.winners) != 1:
        told = w("picture.choice_refused")
        if rule.winners:
            told = w("picture.choice_level", options=", ".join(rule.winners))
        return Stretch(rule.rule, told, None, spoken=f"{of.theory}, {rule.rule}: {told}")
    sides = {turn.side: turn for turn in rule.turns if turn.theory == of.theory}
    less, more = sides["less"], sides["more"]
    low = 0.0 if less.at is None else less.at
    high = 1.0 if more.at is None else more.at
    return Stretch(
        rule=rule.rule,
        chosen=rule.winners[0],
        ends=(low, high),
        below=" = ".join(less.winners),
        above=" = ".join(more.winners),
        spoken=w("picture.choice_stands", theory=of.theory, rule=rule.rule,
                 options=rule.winners[0], low=_told(low, w), high=_told(high, w)),
    )  # fmt: skip
