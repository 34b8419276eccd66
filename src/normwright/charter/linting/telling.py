"""Findings in words: what was found, and the question that could be put to people as it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from normwright.charter.linting.ground import Ground, needed
from normwright.charter.wording import say
from normwright.norms import facts_of
from normwright.records import (
    CharterFinding,
    Condition,
    FindingClass,
    Layer,
    Norm,
    Situation,
    Text,
)


def finding(
    ground: Ground,
    kind: FindingClass,
    *,
    norms: Iterable[int] = (),
    detail: Text,
    question: Text,
    witness: Situation | None = None,
    concern: str | None = None,
    layer: Layer | None = None,
) -> CharterFinding:
    """Return a finding with the norms' references sorted."""
    return CharterFinding(
        kind=kind,
        norms=ground.refs(norms),
        detail=detail,
        witness=witness,
        question=question,
        concern=concern,
        layer=layer,
    )


def clash(
    ground: Ground,
    kind: FindingClass,
    p: int,
    f: int,
    witness: Situation | None,
    *,
    key: str = "",
) -> CharterFinding:
    """Return a finding about a permissive and a restrictive norm, asked with its witness."""
    values = {**_about("p", ground.norms[p], ground), **_about("f", ground.norms[f], ground)}
    name = key or f"lint_{kind.lower()}"
    asked = say(f"{name}_ask", ground.languages, **values)
    if witness is not None:
        asked = _joined(ground, asked, should(ground, (p, f), witness))
    return finding(
        ground,
        kind,
        norms=(p, f),
        detail=say(name, ground.languages, **values),
        question=asked,
        witness=witness,
    )


def texts(ground: Ground, key: str, n: int, **values: str | Mapping[str, str]) -> tuple[Text, Text]:
    """Return what was found about a norm, and the question."""
    told = {**_about("n", ground.norms[n], ground), **values}
    return say(key, ground.languages, **told), say(f"{key}_ask", ground.languages, **told)


def pair_texts(ground: Ground, key: str, n: int, m: int) -> tuple[Text, Text]:
    """Return what was found about a norm beside another, and the question."""
    return texts(ground, key, n, **_about("m", ground.norms[m], ground))


def alone(ground: Ground, kind: FindingClass, n: int, key: str, **values: Text) -> CharterFinding:
    """Return a finding about one norm, without a witness."""
    detail, question = texts(ground, key, n, **values)
    return finding(ground, kind, norms=(n,), detail=detail, question=question)


def should(ground: Ground, norms: Sequence[int], witness: Situation) -> Text:
    """Ask whether the act of a witness should be allowed, or a duty hold, in its circumstances."""
    duty = next((i for i in norms if ground.norms[i].kind == "obligation"), None)
    key = "lint_should_allow" if duty is None else "lint_should_oblige"
    act = witness.act if duty is None else ground.norms[duty].act
    conditions = [ground.norms[i].condition for i in norms]
    return say(
        key,
        ground.languages,
        act=act_label(ground, act),
        case=circumstances(ground, witness, conditions),
    )


def circumstances(ground: Ground, witness: Situation, conditions: Sequence[Condition]) -> Text:
    """Return what of a witness makes the conditions true, as a phrase.

    Who acts, with whom and when are told where a norm of the charter looks at them.
    """
    values = {name: value for name, value in witness.facts.items() if _plain(value)}
    facts = needed(conditions, values)  # type: ignore[arg-type]
    parts = [_fact(ground, name, facts[name]) for name in sorted(facts)]
    if witness.bearer != "assistant":
        parts.append(_frame(ground, "bearer", witness.bearer))
    if witness.channel != "output":
        parts.append(_frame(ground, "channel", witness.channel))
    if witness.counterparty is not None:
        parts.append(_frame(ground, "counterparty", witness.counterparty))
    if witness.time is not None:
        parts.append(say("lint_day", ground.languages, day=witness.time.isoformat()))
    if not parts:
        return say("lint_always", ground.languages)
    told = {lang: "; ".join(part[lang] for part in parts) for lang in ground.languages}
    return say("lint_when", ground.languages, facts=told)


def act_label(ground: Ground, act: str) -> Text:
    """Return what an act is called, in every language; its name where it has no label."""
    labels = {one.name: one.label for one in ground.vocabulary.acts}
    return {
        lang: labels.get(act, {}).get(lang) or say("lint_decline", (lang,))[lang]
        if act == "decline"
        else labels.get(act, {}).get(lang) or act
        for lang in ground.languages
    }


def cited(ground: Ground, norms: Iterable[int]) -> Text:
    """Return norms as a list: reference and statement."""
    listed = [ground.norms[i] for i in norms]
    return {
        lang: "; ".join(f"[{n.ref}] “{_stated(n, lang)}”" for n in listed)
        for lang in ground.languages
    }


def authority(ground: Ground, norm: Norm) -> Text:
    """Return what the issuer of a norm is called."""
    if norm.authority == "world":
        return say("lint_world", ground.languages)
    return dict.fromkeys(ground.languages, norm.authority)


def _about(letter: str, norm: Norm, ground: Ground) -> dict[str, str | Mapping[str, str]]:
    return {
        letter: {lang: _stated(norm, lang) for lang in ground.languages},
        f"{letter}_ref": norm.ref,
        f"{letter}_by": authority(ground, norm),
    }


def _stated(norm: Norm, lang: str) -> str:
    return norm.statement.get(lang) or next(iter(norm.statement.values()), norm.ref)


def _fact(ground: Ground, name: str, value: object) -> Text:
    fact = next(one for one in ground.vocabulary.facts if one.name == name)
    label = {lang: fact.label.get(lang) or name for lang in ground.languages}
    if isinstance(value, bool):
        key = "lint_yes" if value else "lint_no"
        return say("lint_fact", ground.languages, label=label, value=say(key, ground.languages))
    return say("lint_fact", ground.languages, label=label, value=str(value))


def _frame(ground: Ground, part: str, value: str) -> Text:
    called = say(f"lint_{part}_{value}", ground.languages)
    return say(f"lint_{part}", ground.languages, value=called)


def _plain(value: object) -> bool:
    return isinstance(value, bool | int | str)


def _joined(ground: Ground, *texts: Text) -> Text:
    return {lang: " ".join(text[lang] for text in texts) for lang in ground.languages}


def touched(conditions: Iterable[Condition]) -> tuple[str, ...]:
    """Return the facts that any of the conditions mentions, sorted."""
    return tuple(sorted(frozenset[str]().union(*(facts_of(c) for c in conditions))))
