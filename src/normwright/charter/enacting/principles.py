"""Critique principles: each norm as a request to criticise an answer, and one to revise it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from normwright.charter.wording import say
from normwright.records import Norm, PolicyRule, Principle


def principles(
    norms: Sequence[Norm], rules: Sequence[PolicyRule], languages: Sequence[str]
) -> Iterator[Principle]:
    """Yield the two requests for each norm in each language, ideals included.

    Drawn in proportion to their weight, severity times support, a norm that people stand behind
    shapes more rewritten answers than one that barely passed.
    """
    for norm, rule in zip(norms, rules, strict=True):
        critique = say(f"critique_{norm.kind}", languages, norm=norm.id, statement=norm.statement)
        revision = say(f"revision_{norm.kind}", languages, norm=norm.id)
        for lang in languages:
            yield Principle(norm=norm.ref, lang=lang, critique=critique[lang],
                            revision=revision[lang], weight=rule.weight)  # fmt: skip
