"""What in a text leads to a person: addresses, numbers, accounts, and names that were listed.

Patterns find candidates; what has a check digit, a length or a range of its own must have it right,
and what looks like an order number, a date or a version is left alone unless a word beside it says
that it is more. So precision comes before recall: a mask over something harmless damages a row,
and no pattern finds everything. Names are found only if they are given, because a list of names of
all people does not exist and guessing from capitals would mask half of Portuguese prose.

| kind | what is asked of it |
|---|---|
| `email` | an address with a domain of letters |
| `phone` | `+` and 8 to 15 digits; or an area code in the form of Brazil, Portugal or North America; or a word such as telephone before 8 to 15 digits |
| `ip` | a public IPv4 or IPv6 address that is not a numbered section or a version |
| `iban` | the length of its country and a remainder of 1 by 97 |
| `card` | a payment network's first digits, its length, Luhn's check digit |
| `cpf`, `cnpj` | Brazil: both check digits; without dots only after its name; CNPJ with letters too |
| `nif` | Portugal: a check digit, after NIF, contribuinte or the like |
| `ssn` | United States: `ddd-dd-dddd` in a range that is issued |
| `secret-url` | an address that carries a user's password, or a key in its query |
| `name` | a name of the list |
"""  # noqa: E501

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

VERSION: Final = "1"
"""Of the patterns; it changes whenever what they find does."""


@dataclass(frozen=True, order=True)
class Span:
    """A part of a text that leads to a person."""

    start: int
    end: int
    """Place after its last character."""
    kind: str


def find_personal(
    text: str, *, kinds: Collection[str] | None = None, names: Iterable[str] = ()
) -> list[Span]:
    """Return what in a text leads to a person, in order and without overlaps.

    Where two kinds claim the same characters, the one with more of a proof has them: the order of
    `KINDS`.

    Args:
        text: any text.
        kinds: which kinds to look for; None is all.
        names: names of people, found as whole words with the capitals they are given with.

    Raises:
        ValueError: for a kind there is not.
    """
    if unknown := sorted(set(kinds or ()) - set(KINDS)):
        raise ValueError(f"expected kinds of {', '.join(KINDS)}; saw {', '.join(unknown)}")
    taken: list[Span] = []
    digits = len(_DIGIT.findall(text))
    for kind in KINDS:
        if (kinds is not None and kind not in kinds) or digits < _DIGITS.get(kind, 0):
            continue
        spans = _named(text, tuple(names)) if kind == "name" else _FINDERS[kind](text)
        taken += [
            Span(start, end, kind)
            for start, end in spans
            if all(end <= other.start or other.end <= start for other in taken)
        ]
    return sorted(taken)


def masked(text: str, spans: Iterable[Span]) -> str:
    """Return a text in which each span is replaced by its kind in brackets, for example `[EMAIL]`.

    Args:
        text: the text the spans were found in.
        spans: without overlaps.
    """
    parts, at = [], 0
    for span in sorted(spans):
        parts += [text[at : span.start], f"[{span.kind.upper()}]"]
        at = span.end
    return "".join([*parts, text[at:]])


# Digits that prove themselves


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number - 9 * (number > 9)
    return total % 10 == 0


def is_cpf(digits: str) -> bool:
    """Whether eleven digits are a Brazilian taxpayer's number; eleven equal ones are not."""
    return len(digits) == 11 and len(set(digits)) > 1 and digits[9:] == _modulo_11(digits[:9], 11)


def is_cnpj(code: str) -> bool:
    """Whether fourteen digits, or twelve letters or digits and two digits, are a company's number.

    A letter counts as its code less 48, as the Receita Federal defined it for numbers from 2026.
    """
    if len(code) != 14 or len(set(code)) == 1 or not code[12:].isdecimal():
        return False
    return code[12:] == _modulo_11(code[:12], 9)


def is_nif(digits: str) -> bool:
    """Whether nine digits are a Portuguese taxpayer's number."""
    if len(digits) != 9 or (digits[0] not in "123568" and digits[:2] not in _NIF_STARTS):
        return False
    rest = 11 - sum(int(d) * (9 - at) for at, d in enumerate(digits[:8])) % 11
    return int(digits[8]) == (0 if rest > 9 else rest)


def is_iban(code: str) -> bool:
    """Whether letters and digits without spaces are an account's number (ISO 13616)."""
    if len(code) != _IBAN_LENGTHS.get(code[:2]):
        return False
    return int("".join(str(int(sign, 36)) for sign in code[4:] + code[:4])) % 97 == 1


def is_card(digits: str) -> bool:
    """Whether digits have the start, the length and the check digit of a payment card."""
    known = any(len(digits) in lengths and re.match(start, digits) for start, lengths in _NETWORKS)
    return known and len(set(digits)) > 1 and passes_luhn(digits)


def _modulo_11(code: str, top: int) -> str:
    """Return two check digits by weights that rise from 2 at the right, to `top` and anew."""
    for _ in range(2):
        weights = [2 + at % (top - 1) for at in range(len(code))]
        total = sum((ord(s) - 48) * w for s, w in zip(reversed(code), weights, strict=True))
        code += str(0 if total % 11 < 2 else 11 - total % 11)
    return code[-2:]


_NIF_STARTS: Final = ("45", "70", "71", "72", "74", "75", "77", "78", "79", "90", "91", "98", "99")
_NETWORKS: Final = (
    (r"4", (13, 16, 19)),
    (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),
    (r"3[47]", (15,)),
    (r"3(?:0[0-5]|[689])", (14, 16)),
    (r"6011|64[4-9]|65|50(?:67|90)|6362|6370", (16,)),
    (r"35(?:2[89]|[3-8])", (16,)),
    (r"62", (16, 17, 18, 19)),
)
"""First digits and lengths of payment networks."""
_IBAN_LENGTHS: Final[Mapping[str, int]] = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24,
    "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24,
    "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip

# Patterns. Every repetition has a bound, so that no text takes more than a line of time.

_EMAIL: Final = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9_][\w.+%-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])"
)
_SECRET_URL: Final = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@?#]{1,100}:[^\s/@?#]{1,200}@[^\s\"'<>]{1,300}"
    r"|\bhttps?://[^\s\"'<>]{1,300}?[?&]"
    r"(?:access_token|token|api_?key|key|password|senha|secret|sig)=[^\s&\"'<>]{6,300}",
    re.IGNORECASE,
)
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){2,8}(?: ?[A-Z0-9]{1,3})?\b")
_CARD: Final = re.compile(
    r"(?<![\w.,/-])(?:\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}(?:[ -]\d{1,3})?|\d{4}[ -]\d{6}[ -]\d{4,5}"
    r"|\d{13,19})(?![\w/-]|[.,]\d)"
)
_CPF: Final = re.compile(r"(?<![\w.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-]|\.\d)")
_CPF_BARE: Final = re.compile(r"\bcpf\b\D{0,20}?(\d{11}|\d{9}-\d{2})(?!\d)", re.IGNORECASE)
_CNPJ: Final = re.compile(
    r"(?<![\w.-])[A-Z0-9]{2}\.[A-Z0-9]{3}\.[A-Z0-9]{3}/[A-Z0-9]{4}-\d{2}(?![\w-]|\.\d)"
)
_CNPJ_BARE: Final = re.compile(r"\b(?i:cnpj)\b[^\dA-Z]{0,20}?([A-Z0-9]{12}\d{2})(?!\w)")
_NIF: Final = re.compile(
    r"(?:\bNIF\b|\bNIPC\b|\bcontribuinte\b|\bn\.?[ºo°]? fiscal\b|\btax (?:id|number)\b)"
    r"\D{0,20}?(\d{3}[ .]?\d{3}[ .]?\d{3})(?!\d)",
    re.IGNORECASE,
)
_SSN: Final = re.compile(r"(?<![\w.-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-]|\.\d)")
_IPV4: Final = re.compile(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)")
_IPV6: Final = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]{2,35}(?![\w:])")
_VERSION: Final = re.compile(
    r"(?:\bv|\bver|versions?|versão|versões|release|build|sections?|secção|seção|§)[.:]? ?$",
    re.IGNORECASE,
)
_PHONE: Final = re.compile(
    r"(?<![\w+.-])(?:"
    r"\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,5}(?:[ .-]?\d{2,5}){1,4}"
    r"|\(0?\d{2}\) ?9?\d{4}[ -]?\d{4}"
    r"|\(\d{3}\) ?\d{3}[ -]\d{4}"
    r"|(?:[2-9]\d{2}-){2}\d{4}"
    r"|9[1236]\d \d{3} \d{3}|2\d{2} \d{3} \d{3}"
    r"|[1-9]\d 9\d{4}-\d{4}"
    r")(?![\w-]|[.,]\d| \d)"
)
_CALLED: Final = re.compile(
    r"\b(?:telephone|telefone|phone|tel|telem[óo]vel|telm|celular|cell|mobile|whats ?app|fax|fone"
    r"|call me at|call me on|ligue para|liga para)\b[^\d+\n]{0,15}?(\+?\d[\d ().-]{6,20}\d)(?!\d)",
    re.IGNORECASE,
)


def _matches(
    pattern: re.Pattern[str], text: str, right: Callable[[str], bool], *, drop: str = ""
) -> Iterator[tuple[int, int]]:
    """Yield start and end of what matches, or of its group, and is right without some signs."""
    for found in pattern.finditer(text):
        group = found.lastindex or 0
        signs = found.group(group).translate(str.maketrans("", "", drop))
        if right(signs):
            yield found.span(group)


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        yield from _matches(_EMAIL, text, lambda found: ".." not in found)


def _secret_urls(text: str) -> Iterator[tuple[int, int]]:
    if "://" in text:
        yield from _matches(_SECRET_URL, text, lambda found: True)


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for found in _IBAN.finditer(text):
        # A word in capitals may follow, which the pattern takes for a group of the number.
        wanted = _IBAN_LENGTHS.get(found.group()[:2], 0)
        code = ""
        for at, sign in enumerate(found.group()):
            code += sign.strip()
            if len(code) == wanted:
                if is_iban(code):
                    yield found.start(), found.start() + at + 1
                break


def _cards(text: str) -> Iterator[tuple[int, int]]:
    yield from _matches(_CARD, text, is_card, drop=" -")


def _cpfs(text: str) -> Iterator[tuple[int, int]]:
    yield from _matches(_CPF, text, is_cpf, drop=".-")
    yield from _matches(_CPF_BARE, text, is_cpf, drop="-")


def _cnpjs(text: str) -> Iterator[tuple[int, int]]:
    yield from _matches(_CNPJ, text, is_cnpj, drop="./-")
    yield from _matches(_CNPJ_BARE, text, is_cnpj)


def _nifs(text: str) -> Iterator[tuple[int, int]]:
    yield from _matches(_NIF, text, is_nif, drop=" .")


def _ssns(text: str) -> Iterator[tuple[int, int]]:
    yield from _matches(_SSN, text, lambda found: True)


def _ips(text: str) -> Iterator[tuple[int, int]]:
    for pattern, sign in ((_IPV4, "."), (_IPV6, ":")):
        for found in pattern.finditer(text) if sign in text else ():
            if _is_public(found.group()) and not _VERSION.search(text[: found.start()][-12:]):
                yield found.span()


def _is_public(text: str) -> bool:
    """Whether a text is an address in the public network, and not a numbered section."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    short = address.version == 4 and all(len(part) == 1 for part in text.split("."))
    return address.is_global and not short


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (_PHONE, _CALLED):
        for found in pattern.finditer(text):
            group = found.lastindex or 0
            digits = sum(map(str.isdecimal, found.group(group)))
            if 8 <= digits <= 15:
                yield found.span(group)


def _named(text: str, names: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    if names:
        yield from (found.span() for found in _listed(names).finditer(text))


@lru_cache(maxsize=8)
def _listed(names: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted({name for name in names if name.strip()}, key=lambda n: (-len(n), n))
    told = "|".join(re.escape(name) for name in longest_first) or r"(?!)"
    return re.compile(rf"(?<!\w)(?:{told})(?!\w)")


_DIGIT: Final = re.compile(r"\d")
_DIGITS: Final[Mapping[str, int]] = {
    "iban": 2, "cpf": 11, "cnpj": 2, "card": 13, "ssn": 9, "nif": 9, "phone": 8,
}  # fmt: skip
"""Digits that a text has at least if there is one of a kind in it; so most are not looked for."""

_FINDERS: Final[Mapping[str, Callable[[str], Iterator[tuple[int, int]]]]] = {
    "secret-url": _secret_urls,
    "email": _emails,
    "iban": _ibans,
    "cpf": _cpfs,
    "cnpj": _cnpjs,
    "card": _cards,
    "ssn": _ssns,
    "nif": _nifs,
    "ip": _ips,
    "phone": _phones,
}
KINDS: Final = (*_FINDERS, "name")
"""What can be found, in the order in which a kind has its characters."""
