"""Findings in words: what was found, and the question that could be put to people as it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from normwright.charter.linting.ground import Ground, needed
from normwright.charter.telling import act_in, around, facts_in_line, stated
from normwright.charter.wording import joined, say
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
        asked = joined((asked, should(ground, (p, f), witness)), ground.languages, by=" ")
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
    parts = around(witness, ground.languages)
    if facts:
        parts.insert(0, facts_in_line(facts, ground.vocabulary, ground.languages))
    if not parts:
        return say("lint_always", ground.languages)
    return say("lint_when", ground.languages, facts=joined(parts, ground.languages))


def act_label(ground: Ground, act: str) -> Text:
    """Return what an act is called, in every language."""
    return {lang: act_in(act, ground.vocabulary, lang) for lang in ground.languages}


def cited(ground: Ground, norms: Iterable[int]) -> Text:
    """Return norms as a list: reference and statement."""
    listed = [ground.norms[i] for i in norms]
    return {
        lang: "; ".join(f"[{norm.ref}] “{stated(norm, lang)}”" for norm in listed)
        for lang in ground.languages
    }


def authority(ground: Ground, norm: Norm) -> Text:
    """Return what the issuer of a norm is called."""
    if norm.authority == "world":
        return say("lint_world", ground.languages)
    return dict.fromkeys(ground.languages, norm.authority)


def _about(letter: str, norm: Norm, ground: Ground) -> dict[str, str | Mapping[str, str]]:
    return {
        letter: {lang: stated(norm, lang) for lang in ground.languages},
        f"{letter}_ref": norm.ref,
        f"{letter}_by": authority(ground, norm),
    }


def _plain(value: object) -> bool:
    return isinstance(value, bool | int | str)
