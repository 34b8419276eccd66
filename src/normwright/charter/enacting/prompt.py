"""The system prompt: the norms that bind here, strongest first, within a budget of words."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from normwright.charter.enacting.standing import Standing
from normwright.charter.wording import say
from normwright.norms.ranking import RESTRICTIVE, rank
from normwright.records import (
    LAYERS,
    Charter,
    Deployment,
    Fault,
    InputError,
    Norm,
    PromptNotes,
    Text,
)


def prompt(
    charter: Charter,
    norms: Sequence[Norm],
    deployment: Deployment,
    languages: Sequence[str],
    standing: Standing,
) -> tuple[Text, PromptNotes]:
    """Return the system prompt in each language, and what it leaves out.

    Norms that others beat everywhere are left out, with their defeaters noted. If the rest is over
    the budget, the weakest norms go first, the same ones in every language.

    Raises:
        InputError: if what the constitution binds to is over the budget by itself.
    """
    kept = [norm for norm in norms if norm.ref not in standing.beaten]
    order = _expendable(kept)
    opening = _opening(charter, deployment, languages)

    def written(dropped: int) -> Text:
        gone = {norm.ref for norm in order[:dropped]}
        left = [norm for norm in kept if norm.ref not in gone]
        return _written(opening, left, deployment, standing)

    # The more norms go, the fewer words are left, so the least number is found by halving.
    fewest = bisect_left(
        range(len(order)), True, key=lambda n: _fits(written(n), deployment)
    )  # fmt: skip
    dropped = order[:fewest]
    text = written(fewest)
    if not _fits(text, deployment):
        raise InputError([_too_small(text, deployment)])
    notes = PromptNotes(
        words={lang: counted(said) for lang, said in text.items()},
        budget=deployment.prompt_words,
        dropped=tuple(norm.ref for norm in dropped),
        defeated=tuple(standing.beaten[n.ref] for n in norms if n.ref in standing.beaten),
    )
    return text, notes


def counted(text: str) -> int:
    """Return how many words a text has, by white space: a count no tokenizer has to be asked for.

    A model's tokens are more, by a third or so in English and by half or so in Portuguese.
    """
    return len(text.split())


def is_entrenched(norm: Norm) -> bool:
    """Whether a norm must never be left out: a constitutional prohibition or obligation."""
    return norm.tier == "constitutional" and norm.kind in RESTRICTIVE


def _expendable(norms: Sequence[Norm]) -> list[Norm]:
    """The norms that may be left out, in the order in which they go."""
    free = [norm for norm in norms if not is_entrenched(norm)]
    return sorted(free, key=lambda n: (-rank(n), n.kind in RESTRICTIVE, n.severity, n.ref))


def _fits(text: Text, deployment: Deployment) -> bool:
    budget = deployment.prompt_words
    return budget is None or all(counted(said) <= budget for said in text.values())


def _too_small(text: Text, deployment: Deployment) -> Fault:
    needed = max(counted(said) for said in text.values())
    return Fault(
        where="deployment.prompt_words",
        expected=f"at least {needed}, for the constitutional prohibitions and obligations alone",
        seen=str(deployment.prompt_words),
        do="Allow more words; none of these may be left out.",
    )


def _written(
    opening: Text, norms: Sequence[Norm], deployment: Deployment, standing: Standing
) -> Text:
    languages = tuple(opening)
    lines = {lang: [said] for lang, said in opening.items()}
    told = {norm.ref for norm in norms}
    for layer in LAYERS:
        authorities = dict.fromkeys(n.authority for n in norms if n.layer == layer)
        for authority in authorities:
            called = deployment.names.get(authority, authority)
            heading = say(f"prompt_{layer}", languages, authority=called)
            spoken = [n for n in norms if (n.layer, n.authority) == (layer, authority)]
            for lang in languages:
                lines[lang].append(heading[lang])
                lines[lang] += [_line(n, lang, standing, told) for n in spoken]
    return {lang: "\n".join(said) for lang, said in lines.items()}


def _opening(charter: Charter, deployment: Deployment, languages: Sequence[str]) -> Text:
    name = deployment.name
    opening = say("prompt_named", languages, name=name) if name else say(
        "prompt_nameless", languages)  # fmt: skip
    rules = say("prompt_rules", languages)
    signed = say("prompt_charter", languages, id=charter.id, version=charter.version,
                 digest=charter.digest[:19])  # fmt: skip
    return {lang: f"{opening[lang]} {rules[lang]} {signed[lang]}" for lang in languages}


def _line(norm: Norm, lang: str, standing: Standing, told: set[str]) -> str:
    line = f"- [{norm.id}] {norm.statement[lang]}"
    unless = [ref for ref in standing.unless.get(norm.ref, ()) if ref in told]
    if not unless:
        return line
    cited = ", ".join(f"[{ref.partition('@')[0]}]" for ref in unless)
    return f"{line} {say('prompt_unless', [lang], norms=cited)[lang]}"
