"""What a person is told about a verdict, in each language, and how far its norm was decided on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from normwright.records import CitedNorm, Decision, GuardAction, Lang, Norm, Policy, Text

_FALLBACK: Final = "en"


def reasons(
    action: GuardAction,
    norm: Norm | None,
    decision: Decision | None,
    policy: Policy,
    languages: Sequence[Lang],
) -> Text:
    """Return what the person is told, by language; empty if allowed.

    Args:
        action: what is done.
        norm: the norm it rests on most; None: none.
        decision: what the charter said.
        policy: for the labels of facts and how to contest.
        languages: languages to tell it in. One without wordings of its own has the English ones
            around the norm's own statement.
    """
    if action == "allow":
        return {}
    return {lang: _told(action, norm, decision, policy, lang) for lang in languages}


def contest(policy: Policy, languages: Sequence[Lang]) -> Text:
    """Return how a verdict can be contested: as the charter says, else as every guard offers."""
    return {lang: policy.charter.contest.get(lang) or _words(lang)["contest"] for lang in languages}


def standing(norm: Norm, lang: Lang) -> str:
    """Return how far a norm was decided upon, in one sentence."""
    words = _words(lang)
    if norm.status == "demonstration":
        drafted = norm.provenance is None and any(s.kind == "project" for s in norm.source)
        return words["project" if drafted else "demonstration"]
    if norm.provenance is None:
        return words["in_force"]
    support = norm.provenance.support.get("all")
    value = "?" if support is None or support.value is None else f"{100 * support.value:.0f} %"
    return words["ratified"].format(
        process=norm.provenance.process,
        level=norm.provenance.decision_level,
        support=value,
        n="?" if support is None else support.n,
    )


def cited(norm: Norm) -> CitedNorm:
    """Return a norm as a verdict cites it."""
    level = "L0" if norm.provenance is None else norm.provenance.decision_level
    return CitedNorm(id=norm.id, version=norm.version, status=norm.status, level=level)


def _told(
    action: GuardAction,
    norm: Norm | None,
    decision: Decision | None,
    policy: Policy,
    lang: Lang,
) -> str:
    words = _words(lang)
    route = contest(policy, (lang,))[lang]
    if action == "deny":
        return words["deny"].format(contest=route)
    if norm is None:
        return words["closed"].format(contest=route)
    labels = {f.name: f.label.get(lang, f.name) for f in policy.charter.vocabulary.facts}
    facts = [labels[n] for n in (decision.unknown if decision else ()) if n in labels]
    key = action if action != "ask" or facts else "unsure"
    statement = norm.statement.get(lang) or next(iter(norm.statement.values()), "")
    return words[key].format(
        norm=norm.ref,
        statement=statement,
        standing=standing(norm, lang),
        contest=route,
        facts="; ".join(facts),
    )


def _words(lang: Lang) -> Mapping[str, str]:
    found = _wordings()
    return found.get(lang) or found.get(lang.partition("-")[0]) or found[_FALLBACK]


@cache
def _wordings() -> Mapping[str, Mapping[str, str]]:
    text = (Path(__file__).parent / "wordings.yaml").read_text(encoding="utf-8")
    read: dict[str, dict[str, str]] = yaml.safe_load(text)
    return read
