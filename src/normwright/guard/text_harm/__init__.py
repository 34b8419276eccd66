"""A harm classifier of any text in English and Portuguese, shipped with its weights.

`TextHarm.embedded().read([text])` gives the probability of each harm label.
"""

from normwright.guard.text_harm.reader import TextHarm, TextHead

__all__ = ["TextHarm", "TextHead"]
