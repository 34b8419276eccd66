"""Personal data in an answer or a call, and whether the person who asks brought it themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from normwright.guard.sights import ANSWER, Sight, View
from normwright.plugins import Card, plugin
from normwright.records import Speaker
from normwright.texts.personal import Span, find_personal

_OWN: Final = frozenset({"user"})
_CHANCE: Final = {"name": 0.6, "ip": 0.6, "phone": 0.8, "email": 0.85}
"""How sure a kind is that it leads to a person; kinds with a check digit are sure to 0.97."""
_PUBLIC: Final = ("info@", "contact@", "contato@", "support@", "suporte@", "help@", "ajuda@",
                  "noreply@", "no-reply@", "press@", "imprensa@", "sales@", "vendas@")  # fmt: skip
_EXAMPLE: Final = ("example.com", "example.org", "example.net", "exemplo.com", ".example", ".test",
                   ".invalid")  # fmt: skip


@plugin(
    Card(
        name="personal-data",
        kind="checks",
        summary="Personal data that an answer gives out and the user did not bring.",
        reference="LGPD art. 5; GDPR art. 4(1); check digits of CPF, CNPJ, NIF, IBAN and cards",
        claims=("a number with a wrong check digit is none", "what the user brought is the user's"),
        takes="exchange",
        status="tested",
    )
)
def personal_data(view: View) -> Iterator[Sight]:
    """Yield the personal data of the answer, with who brought it into the conversation.

    What a user writes is theirs to write, so the input side sees none. In an answer it matters
    where a datum comes from: the user's own turn, what the deployment or a tool gave, or nowhere.
    """
    answer = view.exchange.answer
    if answer is None:
        return
    spans = [s for s in find_personal(answer) if not _harmless(answer[s.start : s.end], s)]
    if not spans:
        return
    said: dict[Speaker, str] = {}
    for one in view.exchange.utterances:
        said[one.role] = said.get(one.role, "") + "\n" + one.text
    signs = {role: _signs(text) for role, text in said.items()}
    for span in spans:
        datum = _signs(answer[span.start : span.end])
        brought = {role for role, text in signs.items() if datum in text}
        whose = "user" if brought & _OWN else "context" if brought else "none"
        yield Sight(
            "personal.told",
            _CHANCE.get(span.kind, 0.97),
            "rule",
            f"personal-data:{span.kind}",
            ((span.start, span.end),),
            facts=(("data_from", whose),),
            where=ANSWER,
        )


def _signs(text: str) -> str:
    """Letters and digits of a text, without case: a number is the same with other dashes."""
    return "".join(c for c in text.casefold() if c.isalnum() or c == "@")


def _harmless(datum: str, span: Span) -> bool:
    """Whether a datum leads to an office or to nobody."""
    low = datum.casefold()
    if span.kind == "email":
        return low.startswith(_PUBLIC) or low.endswith(_EXAMPLE)
    # Three-digit and toll-free numbers belong to nobody.
    return span.kind == "phone" and low.replace(" ", "").startswith(("0800", "1800", "+1800"))
