"""Text that is hidden or encoded: it may be nothing, but who reads it should know."""

from __future__ import annotations

from normwright.guard.sights import Kit, Passage, Sight
from normwright.plugins import Card, plugin

_UNSEEN = {
    "tags": 0.99,
    "selectors": 0.99,
    "bidi": 0.6,
    "cut": 0.6,
    "stacked": 0.4,
    "invisible": 0.4,
}
"""How telling each mark is where there are many of it. Marks between letters hide nothing from a
person, only from a filter that does not look through them."""
_MANY = {"tags": 4, "selectors": 4, "bidi": 8, "stacked": 24, "invisible": 24, "cut": 1}
_WRITTEN = frozenset(
    ("rot13", "caesar", "atbash", "morse", "binary", "codes", "ascii85", "base32", "nato")
)
"""Encodings that nobody uses by the way."""


@plugin(
    Card(
        name="hidden-text",
        kind="checks",
        summary="Characters that cannot be seen, and text that is encoded.",
        reference="Unicode TR 36 and TS 39; Boucher et al. 2022, Bad Characters",
        claims=("what a bound cut off is told",),
        takes="passage",
        status="tested",
    )
)
def hidden_text(passage: Passage, kit: Kit) -> list[Sight]:
    """Return that something is hidden, with how; ordinary emoji, marks and base64 are not."""
    found = []
    marks = passage.forms.marks
    letters = max(1, sum(c.isalpha() for c in passage.forms.plain.text)) if marks else 1
    for mark, least in _MANY.items():
        many = marks.get(mark, 0)
        # A writing system may need marks and joiners: what is hidden is many for its letters.
        dense = mark in ("tags", "selectors", "cut") or many >= 0.2 * letters
        if many >= least and dense:
            found.append(Sight("hidden.unseen", _UNSEEN[mark], "rule", f"hidden-text:{mark}"))
    for form in passage.forms.forms[1:]:
        kinds = form.kind.split("+")
        words = len(form.text.split())
        if words >= 3 and (kinds[0] in _WRITTEN or len(kinds) > 1):
            span = ((form.start, form.end),)
            found.append(
                Sight("hidden.encoded", 0.6, "rule", f"hidden-text:{kinds[0]}", span, form.kind)
            )
            break
    return found
