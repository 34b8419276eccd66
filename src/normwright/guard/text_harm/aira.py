"""The guard of Aira (Corrêa, 2023) as a baseline: a pairwise classifier and a fixed logit.

Its form is kept and its faults with it. A text is scored by a classifier with one output, learned
from pairs so that the harmless of two texts scores higher; of two candidate answers the better is
given if its raw logit is at least 5, and a canned apology otherwise; only the last turn is looked
at. The same number is used in every language, though a pairwise logit has no scale of its own. The
classifier here is linear, fitted on the same texts as the one it is compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from normwright.guard.sights import Sight, View
from normwright.guard.text_harm.reader import AIRA, TextHarm
from normwright.plugins import Card, plugin
from normwright.records import Exchange, Lang


@dataclass(frozen=True)
class AiraCompat:
    """Best of two, raw logit of at least 5, last turn alone."""

    harm: TextHarm
    LEAST: ClassVar[float] = 5.0
    """Raw logit from which a text passes, in any language."""
    CANDIDATES: ClassVar[int] = 2
    """Answers that are drawn for one to be given."""

    @classmethod
    def embedded(cls) -> AiraCompat:
        """Return the baseline with the weights that ship."""
        return cls(TextHarm.embedded())

    def logits(self, texts: Sequence[str], lang: Lang) -> NDArray[np.float64]:
        """Return the raw logit of each text, the higher the more harmless, shape (texts,).

        Raises:
            KeyError: if there is no classifier of that language.
        """
        places = {h.lang: i for i, h in enumerate(self.harm.heads) if h.label == AIRA}
        return self.harm.raw(texts)[:, places[lang]]

    def stops(self, texts: Sequence[str], lang: Lang) -> NDArray[np.bool_]:
        """Return which texts do not reach the least logit, shape (texts,).

        Raises:
            KeyError: if there is no classifier of that language.
        """
        return self.logits(texts, lang) < self.LEAST

    def choose(self, candidates: Sequence[str], lang: Lang) -> str | None:
        """Return the candidate that is given; None: the canned apology.

        Only the first two are looked at, as many as the source draws.
        """
        found = candidates[: self.CANDIDATES]
        if not found:
            return None
        scores = self.logits(found, lang)
        best = int(np.argmax(scores))
        return found[best] if scores[best] >= self.LEAST else None


def last_said(exchange: Exchange) -> str:
    """Return what was said last: the answer, or the last text before one; "" if nothing was."""
    if exchange.answer is not None:
        return exchange.answer
    return exchange.utterances[-1].text if exchange.utterances else ""


@plugin(
    Card(
        name="aira-compat",
        kind="checks",
        summary="A baseline: a pairwise classifier, a fixed logit, the last turn alone.",
        reference="Corrêa, Aira, 2023: best of two answers of a raw logit of at least 5",
        claims=("looks at what was said last alone",),
        takes="exchange",
        status="tested",
    )
)
def aira_compat(view: View) -> list[Sight]:
    """Return one sight if what was said last has a logit under 5; for comparison, not for use."""
    signal = view.kit.detectors.labels.get("hate")
    if signal is None or not view.seen:
        return []
    where, _, seen = view.seen[-1]
    text = last_said(view.exchange)
    lang = seen.lang if seen.lang in ("en", "pt") else "en"
    if not AiraCompat.embedded().stops([text], lang)[0]:
        return []
    return [Sight(signal, 1.0, "classifier", "aira-compat", ((0, len(text)),), where=where)]
