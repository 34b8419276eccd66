"""A responder that reads: it answers by the norms in the prompt, and by nothing it remembers.

It finds each line of the prompt among the lines that the wordings can make of the norms it was
given, altered ones included, and lets the resolver decide by what it found. It is scripted, and
there to show that items can be answered from their text; the facts it is told as values.
"""

from __future__ import annotations

from collections.abc import Iterable

from normwright.charter.drawing.grounds import reduced
from normwright.charter.drawing.rendering import Speaker
from normwright.charter.drawing.wordings import wordings
from normwright.norms import Resolver
from normwright.records import CaseAnswer, CaseItem, Charter, Norm


class Reader:
    """Answers items by the text of their norms.

    Args:
        charter: the vocabulary the norms are written in.
        norms: norms it can recognise.
    """

    def __init__(self, charter: Charter, norms: Iterable[Norm]) -> None:
        norms = list(norms)
        self._charter = charter
        words = wordings(charter.languages)
        self._lines: dict[str, Norm] = {}
        for lang in charter.languages:
            speaker = Speaker(words[lang], charter)
            styles = range(len(words[lang].words["norms"]["when"]))
            for norm in norms:
                self._lines |= {speaker.norm(norm, style): norm for style in styles}
        self._resolvers: dict[tuple[str, ...], Resolver] = {}

    def answer(self, item: CaseItem) -> CaseAnswer:
        """Return what the norms of the prompt say about the item's situation."""
        lines = tuple(x for x in item.prompt[0].content.split("\n") if x in self._lines)
        resolver = self._resolvers.get(lines)
        if resolver is None:
            norms = [self._lines[line] for line in lines]
            resolver = self._resolvers[lines] = Resolver(reduced(self._charter, norms))
        said = resolver.decide(item.situation)
        return CaseAnswer(
            id=item.id,
            lang=item.lang,
            verdict=said.verdict,
            norms=said.governing,
            unknown=said.unknown,
        )
