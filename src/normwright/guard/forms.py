"""Every way in which a text can be read: as it stands, and as what is hidden or encoded in it.

The plain form undoes tricks of writing: compatibility characters, letters that look like others,
what cannot be seen. From it every part that decodes to something readable is decoded, and what was
decoded again, to a bounded depth, number and size; where a bound cuts something off, that is said.
Rotated, mirrored and reversed text is taken only where it has more common words than what stands.
"""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import yaml

from normwright.guard.alphabets import decodings

DEPTH: Final = 3
"""How often what was decoded is decoded again."""
FORMS: Final = 48
"""Forms of one text, at most."""


@dataclass(frozen=True)
class Form:
    """A text in one way of reading it."""

    kind: str
    """`plain`, or how it was hidden, outermost first: `base64`, `base64+rot13`."""
    text: str
    """Canonical, case kept."""
    folded: str
    """The same without case and accents, of the same length."""
    start: int
    """Where in the source it stands."""
    end: int
    places: tuple[int, ...] | None = None
    """Of a plain form that is not as long as its source: source place of each character, and the
    end."""
    tight: bool = False
    """Whether spaces between its words were lost."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the source a part of this form stands: the whole, if it was decoded."""
        if self.kind != "plain":
            return self.start, self.end
        if self.places is None:
            return start, end
        return self.places[start], self.places[max(end - 1, start)] + 1


@dataclass(frozen=True)
class Forms:
    """All forms of one text, the plain one first, and what was done to hide something."""

    forms: tuple[Form, ...]
    marks: dict[str, int]
    """`invisible`, `bidi`, `tags`, `selectors`, `stacked`, `lookalikes`: characters of each kind;
    `cut`: how often a bound ended the search."""

    @property
    def plain(self) -> Form:
        """The form that was not decoded."""
        return self.forms[0]


def forms_of(text: str, *, stems: frozenset[str] | None = None) -> Forms:
    """Return every form of a text; the same text gives the same forms.

    Args:
        text: any text.
        stems: beginnings of words that matter. Words with signs for or between their letters are
            read as plain ones only where one of these comes out, for half of all texts have a
            hyphen; None: always.
    """
    plain, marks, hidden = _plain(text)
    found = [plain]
    seen = {plain.folded}
    budget = 8 * len(text) + 20_000
    queue = [(plain, 0), *((f, 1) for f in hidden)]
    found += [f for f in hidden if not (f.folded in seen or seen.add(f.folded))]  # type: ignore[func-returns-value]
    while queue:
        form, depth = queue.pop(0)
        for kind, decoded, start, end, tight in _decoded(form):
            folded = fold(decoded)
            if folded in seen or not folded.strip():
                continue
            if kind in _STEMMED and stems is not None and not _tells(folded, form.folded, stems):
                continue
            if len(found) >= FORMS or depth >= DEPTH or budget < len(decoded):
                if kind not in _LOOSE:
                    marks["cut"] = marks.get("cut", 0) + 1
                continue
            seen.add(folded)
            budget -= len(decoded)
            name = kind if form.kind == "plain" else f"{form.kind}+{kind}"
            where = form.span(start, end)
            below = Form(name, decoded, folded, *where, tight=tight or form.tight)
            found.append(below)
            queue.append((below, depth + 1))
    return Forms(tuple(found), marks)


_LOOSE: Final = ("joined", "split", "inserted", "leet")
"""Ways of writing words that are undone in this order, each once."""
_STEMMED: Final = frozenset({"joined", "inserted", "leet"})
_TURNED: Final = frozenset({"rot13", "caesar", "atbash", "reversed"})


def _tells(text: str, before: str, stems: frozenset[str]) -> bool:
    """Whether a word that was not there before begins with one of the stems."""
    old = set(before.split())
    words = {w.strip(".,;:!?\"'()") for w in text.split() if w not in old}
    return any(w[:k] in stems for w in words for k in range(4, min(len(w), 16) + 1))


# The plain form

_ODD: Final = re.compile("[^\t\n\r -~¡-¬®-žÀ-ſ‐-―‘-‟•…€™]")
"""A character that needs a closer look; Western text has none."""
_LOOKS: Final = str.maketrans(
    "аеорсухіјѕԁһԛԝґвзпткнмαορνικτυεγАЕОРСХІЈЅВКМНТУΑΒΕΖΗΙΚΜΝΟΡΤΥΧǃ∣ıɡɑｅ",
    "aeopcyxijsdhqwrb3ntkhmaopviktueyAEOPCXIJSBKMHTYABEZHIKMNOPTYX!|igae",
)
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5\u034f\u180b\u180c\u180d")
"""Characters that show nothing although their category says they do."""


def _plain(text: str) -> tuple[Form, dict[str, int], list[Form]]:
    """The plain form, what was found on the way, and texts that were written invisibly."""
    if _ODD.search(text) is None:
        # One word as long as several may be several.
        tight = 12 <= len(text) <= 256 and text.isalpha()
        return Form("plain", text, fold(text), 0, len(text), tight=tight), {}, []
    out: list[str] = []
    places: list[int] = []
    marks: dict[str, int] = {}
    tags: list[tuple[int, str]] = []
    unseen: list[tuple[int, str]] = []
    selectors: list[tuple[int, int]] = []
    stacked = 0

    def count(name: str) -> None:
        marks[name] = marks.get(name, 0) + 1

    for i, char in enumerate(text):
        code = ord(char)
        if code < 0x80:
            out.append(char)
            places.append(i)
            stacked = 0
            continue
        if 0xE0000 <= code <= 0xE007F:
            tags.append((i, chr(code - 0xE0000)))
            count("tags")
            continue
        if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:
            selectors.append((i, code - 0xFE00 if code < 0xFF00 else code - 0xE0100 + 16))
            continue
        category = unicodedata.category(char)
        if category == "Cf" or char in _FILLERS:
            count("bidi" if char in _BIDI else "invisible")
            unseen.append((i, char))
            continue
        if category in ("Mn", "Me"):
            stacked += 1
            joined = unicodedata.normalize("NFC", out[-1] + char) if out else char
            if stacked == 1 and len(joined) == 1:
                out[-1:] = [joined] if out else []
            elif stacked > 1:
                count("stacked")
            continue
        stacked = 0
        if 0x2801 <= code <= 0x283F:
            out.append(_BRAILLE.get(code - 0x2800, char))
            places.append(i)
            continue
        for one in unicodedata.normalize("NFKC", char):
            plain = one.translate(_LOOKS)
            if plain != one:
                count("lookalikes")
            elif unicodedata.category(one) == "Nd":
                plain = str(unicodedata.digit(one))
            out.append(plain)
            places.append(i)
    places.append(len(text))
    canonical = "".join(out)
    form = Form("plain", canonical, fold(canonical), 0, len(text), tuple(places))
    return form, marks, [*_invisible(tags, selectors, unseen, marks), *_in_alphabets(text)]


def _in_alphabets(text: str) -> Iterator[Form]:
    """Texts in letters of many scripts, or in emoji, as they were written."""
    for kind, raw, start, end in decodings(text):
        told = _bytes(raw)
        if told is not None and _readable(told):
            yield Form(kind, told, fold(told), start, end)


def _invisible(
    tags: list[tuple[int, str]],
    selectors: list[tuple[int, int]],
    unseen: list[tuple[int, str]],
    marks: dict[str, int],
) -> Iterator[Form]:
    """Texts in tag characters, in variation selectors as bytes, and in two signs as bits."""
    if tags:
        text = "".join(c for _, c in tags if c.isprintable())
        if text.strip():
            yield Form("tags", text, fold(text), tags[0][0], tags[-1][0] + 1)
    if len(selectors) >= 4:
        text = bytes(b for _, b in selectors if b < 256).decode("utf-8", "replace")
        if _readable(text):
            marks["selectors"] = len(selectors)
            yield Form("selectors", text, fold(text), selectors[0][0], selectors[-1][0] + 1)

    signs = list(dict.fromkeys(c for _, c in unseen))
    for zero, one in ((a, b) for a in signs for b in signs if a != b and 1 < len(signs) < 5):
        bits = "".join("01"[c == one] for _, c in unseen if c in (zero, one))
        told = _from_bits(bits)
        if told is not None and _readable(told):
            marks["selectors"] = marks.get("selectors", 0) + len(bits)
            yield Form("bits", told, fold(told), unseen[0][0], unseen[-1][0] + 1)
            return


def _from_bits(bits: str) -> str | None:
    """A text written in bits, eight a byte; None where that makes none."""
    if len(bits) < 24:
        return None
    whole = bits[: len(bits) // 8 * 8]
    return _bytes(int(whole, 2).to_bytes(len(whole) // 8, "big"))


@cache
def _folding() -> dict[int, str]:
    """Letters of Latin scripts without case and accent; typographic signs as plain ones."""
    table = {c: chr(c).lower() for c in range(0x41, 0x5B)}
    for code in range(0xC0, 0x250):
        first = unicodedata.normalize("NFKD", chr(code))[0].lower()
        table[code] = first if first.isascii() else chr(code).lower()[0]
    table |= dict.fromkeys((0x2018, 0x2019, 0x201B, 0x60, 0xB4), "'")
    table |= dict.fromkeys((0x201C, 0x201D, 0x201F, 0xAB, 0xBB), '"')
    table |= dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015), "-")
    return table | {0xA0: " "}


def fold(text: str) -> str:
    """Return a text without case and accents, of the same length."""
    if text.isascii():
        return text.lower()
    folded = text.translate(_folding())
    lower = folded.lower()
    return lower if len(lower) == len(folded) else folded


# Words


def letters(folded: str) -> tuple[str, ...]:
    """Return the runs of letters of a folded text; of a short one several checks ask in turn."""
    return _kept_letters(folded) if len(folded) <= _SHORT else _letters(folded)


_SHORT: Final = 4_000


def _letters(folded: str) -> tuple[str, ...]:
    if folded.isascii():
        return tuple(folded.translate(_LETTERS_ALONE).split())
    return tuple(_LETTER_RUN.findall(folded))


_kept_letters = lru_cache(maxsize=16)(_letters)


def alphanumerics(folded: str) -> list[str]:
    """Return the runs of letters and digits of a folded text."""
    if folded.isascii():
        return folded.translate(_ALPHANUMERICS_ALONE).split()
    return _ALPHANUMERIC_RUN.findall(folded)


_ASCII: Final = tuple(map(chr, range(128)))
_LETTERS_ALONE: Final = {ord(c): " " for c in _ASCII if not c.isalpha()}
_ALPHANUMERICS_ALONE: Final = {ord(c): " " for c in _ASCII if not c.isalnum()}
_LETTER_RUN: Final = re.compile(r"[^\W\d_]+")
_ALPHANUMERIC_RUN: Final = re.compile(r"[^\W_]+")


# Decoding

Found = tuple[str, str, int, int, bool]
"""(kind, decoded text, start, end, whether spaces were lost)."""
_Decoder = tuple[str, Callable[[str], bool], Callable[[str], Iterator[tuple[str, int, int, bool]]]]
"""(kind, whether a text may hold any of it, what it makes of a text)."""

_BASE64_RUN: Final = re.compile(
    r"(?<![\w+/=-])[A-Za-z0-9+/_-]{12,}={0,2}(?:\r?\n[A-Za-z0-9+/_-]{12,}={0,2})*"
)
_UU: Final = re.compile(r"(?m)^[!-M](?:[ -`]{4})+$(?:\n[!-M](?:[ -`]{4})+$)*")
_BASE32: Final = re.compile(r"(?<![\w=])[A-Z2-7]{16,}={0,6}(?![\w=])")
_HEX: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s:,;-]{0,2}){6,}(?![0-9A-Za-z])"
)
# Whole runs of bits, 28 or more: parted into sevens and eights here, a long row of ones could be
# parted in so many ways that the search had no end.
_BINARY: Final = re.compile(
    r"(?<!\d)(?=(?:[01][\s,]{0,2}){28})[01]{7,}(?:[\s,]{1,2}[01]{7,})*(?!\d)"
)
_DECIMAL: Final = re.compile(r"(?<!\d)(?:\d{2,3}[\s,;]{1,2}){6,}\d{2,3}(?!\d)")
_ASCII85: Final = re.compile(r"<~[!-uz\s]{8,}~>|(?<!\S)[!-~]{20,}(?!\S)")
_URL: Final = re.compile(r"(?:%[0-9a-fA-F]{2})")
_HTML: Final = re.compile(r"&(?:#\d{2,6}|#x[0-9a-fA-F]{2,6}|[a-zA-Z]{2,8});")
_ESCAPED: Final = re.compile(r"\\u\{?([0-9a-fA-F]{4,6})\}?|\\x([0-9a-fA-F]{2})")
_QUOTED: Final = re.compile(r"=[0-9A-F]{2}")
_MORSE: Final = re.compile(r"(?<!\S)(?:[.·\-–_]{1,6}[ /|]{1,3}){5,}[.·\-–_]{1,6}(?!\S)")
_GAP: Final = r"(?:[ \t]{1,4}|[\-._*|/+,~]{1,2}[ \t]{0,2})"
_SPLIT: Final = re.compile(rf"(?<!\w)[^\W_](?:{_GAP}[^\W_]){{2,}}(?!\w)")
_INSIDE: Final = re.compile(r"[\-._*~|+\\]{1,2}(?=[^\W\d_])")
_SIGNS: Final = frozenset("013456789@$|!+")
# What stands in whatever the longer expressions match, and is sooner looked for.
_JOINED: Final = re.compile(r"(?<![^\W\d_])[^\W\d_]+(?:[_-][^\W\d_]+){2,}")
_MAY_JOIN: Final = re.compile(r"[^\W\d_][_-][^\W\d_]+[_-][^\W\d_]|\A[\w-]{12,256}\Z")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SPACE: Final = re.compile(r"\s")
_MAY_LEET: Final = re.compile("[013456789@$|]")
_MAY_HEX: Final = re.compile(r"[0-9a-fA-F]{2}[\s:,;-]{0,2}(?:0x|\\x)?[0-9a-fA-F]{2}")
_MAY_BASE32: Final = re.compile("[A-Z2-7]{16}")
_MAY_MORSE: Final = re.compile(r"[.·\-–_][ /|]{1,3}[.·\-–_]")
_MAY_SPLIT: Final = re.compile(rf"{_GAP}[^\W_]{_GAP}[^\W_](?!\w)")
_LEETS: Final = str.maketrans("013456789@$!|+", "oieasgtbgasiit")
_LEETS_L: Final = str.maketrans("013456789@$!|+", "oleasgtbgasilt")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_ATBASH: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_SHIFTS: Final = tuple(
    (by, str.maketrans(_LETTERS, _LETTERS[by:] + _LETTERS[:by])) for by in (13, *range(1, 26))
)
_BRAILLE: Final = dict(
    zip(
        (1, 3, 9, 25, 17, 11, 27, 19, 10, 26, 5, 7, 13, 29, 21, 15, 31, 23, 14, 30, 37, 39, 58, 45,
         61, 53),
        "abcdefghijklmnopqrstuvwxyz",
        strict=True,
    )
)  # fmt: skip
_MORSE_SIGNS: Final = {
    sign: letter
    for letter, sign in (
        ("a", ".-"), ("b", "-..."), ("c", "-.-."), ("d", "-.."), ("e", "."), ("f", "..-."),
        ("g", "--."), ("h", "...."), ("i", ".."), ("j", ".---"), ("k", "-.-"), ("l", ".-.."),
        ("m", "--"), ("n", "-."), ("o", "---"), ("p", ".--."), ("q", "--.-"), ("r", ".-."),
        ("s", "..."), ("t", "-"), ("u", "..-"), ("v", "...-"), ("w", ".--"), ("x", "-..-"),
        ("y", "-.--"), ("z", "--.."), ("0", "-----"), ("1", ".----"), ("2", "..---"),
        ("3", "...--"), ("4", "....-"), ("5", "....."), ("6", "-...."), ("7", "--..."),
        ("8", "---.."), ("9", "----."),
    )
}  # fmt: skip
_NATO: Final = {"x-ray": "x"} | {
    word: word[0]
    for word in (
        "alfa", "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india",
        "juliett", "juliet", "kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo",
        "sierra", "tango", "uniform", "victor", "whiskey", "xray", "yankee", "zulu",
    )
}  # fmt: skip
_MORE: Final = frozenset(
    (
        "ignore", "previous", "instructions", "instruction", "rules", "system", "prompt", "above",
        "kill", "people", "hate", "make", "tell", "write", "how", "bomb", "reveal", "secret",
        "send", "password", "answer", "say", "know", "good", "because", "these", "think", "many",
        "more",
        "ignora", "ignore", "anteriores", "instruções", "instrucoes", "regras", "sistema", "matar",
        "pessoas", "odeio", "fazer", "diga", "escreva", "bomba", "segredo", "senha", "resposta",
        "anterior", "todas", "todos", "nao", "voce", "ate", "so", "sao", "tambem", "should",
    )
)  # fmt: skip


@cache
def _common() -> frozenset[str]:
    """Words that a text in English or Portuguese can hardly do without, folded."""
    lists = yaml.safe_load((Path(__file__).parent / "stopwords.yaml").read_text(encoding="utf-8"))
    words = {fold(str(w)) for words in lists.values() for w in words}
    return frozenset({w for w in words if len(w) > 1} | {fold(w) for w in _MORE})


def _decoded(form: Form) -> Iterator[Found]:
    """Yield what can be decoded in a form, each with its place in it.

    What can be done to any text at all is done once: words stay words however often they are
    cleaned, and what is turned round twice is as it was.
    """
    text = form.text
    if not _is_prose(text):
        yield from _undone(form, text, _DECODERS)
    elif _LONG_NAME.search(text) is not None:
        yield from _undone(form, text, _DECODERS[:1])
    if form.kind == "plain" or _TURNED.isdisjoint(form.kind.split("+")):
        yield from _turned(form)


def _undone(form: Form, text: str, decoders: Sequence[_Decoder]) -> Iterator[Found]:
    """Yield what decoders make of a form."""
    done = frozenset(form.kind.split("+"))
    for kind, needs, decode in decoders:
        if kind in _LOOSE and not done.isdisjoint(_LOOSE[_LOOSE.index(kind) :]):
            continue
        if needs(text):
            yield from ((kind, found, a, b, tight) for found, a, b, tight in decode(text))


_LETTER: Final = "[A-Za-zÀ-ÖØ-öø-ÿ]"
_PROSE: Final = re.compile(
    rf"""
    (?:
        # Letters alone, one or two, and numbers stand before a word.
        (?: [("'“‘]? {_LETTER}
            (?: [.,;:!?] [ ]
              | [ ] (?: (?<! ['’].[ ].[ ]) {_LETTER} [ ] (?! ["'“‘]? [A-Za-z]['’]) )?
            )
          | [0-9]{{2,4}} [.,;:]? [ ]
        )?
        (?! [!-~]{{20}} )
        [("'“‘]?
        (?:
            (?: {_LETTER}{{2,11}}+ (?! {_LETTER} ) | {_LETTER} [a-zß-öø-ÿ]{{11,18}}+ )
            (?: ['’] [a-z]{{1,3}}+ )?+
        | [A-Za-z] ['’] [a-zß-öø-ÿ]{{1,10}}+
        )
        [)"'”’]? [.,;:!?]{{0,3}}+ [)"'”’]?
        (?: [ ] | \n{{1,2}}+ | \Z )
    )++
    (?: {_LETTER} [.,;:!?]? )?
    """,
    re.VERBOSE,
)
"""Words as people write them. It never goes back, so that it takes as long as a text is long."""
_LONG_NAME: Final = re.compile("[A-Z][a-z]{11}")
_LOWER: Final = re.compile("[a-z]")
_HEX_BYTES: Final = bytes(
    104 if chr(b) in "0123456789abcdefABCDEFxX\\:,;-" or chr(b).isspace() else 46
    for b in range(256)
)


def _is_prose(text: str) -> bool:
    """Whether no decoder but base64 makes anything of a text, as is plain to see of most.

    Words of `_PROSE` have no signs inside and no 20 signs in a row; three letters alone never stand
    side by side, nor two numbers. Words in small letters are no base64, however long, and a longer
    one with a capital is a `_LONG_NAME`. What is left to be ruled out are lines in capitals, digits
    of base 16 and the alphabet of radio operators.
    """
    return (
        _PROSE.fullmatch(text) is not None
        and " " in text
        and b"hhhhhhhhhhhh" not in text.encode("ascii", "replace").translate(_HEX_BYTES)
        and all(map(_LOWER.search, filter(None, text.split("\n"))))
        and _NATO.keys().isdisjoint(text.lower().split())
    )


def _spans(
    pattern: re.Pattern[str], decode: Callable[[str], str | None]
) -> Callable[[str], Iterator[tuple[str, int, int, bool]]]:
    """What each match of a pattern decodes to."""

    def found(text: str) -> Iterator[tuple[str, int, int, bool]]:
        for match in pattern.finditer(text):
            one = decode(match.group())
            if one is not None and _readable(one):
                yield one, match.start(), match.end(), False

    return found


def _whole(
    pattern: re.Pattern[str], least: int, decode: Callable[[str], str]
) -> Callable[[str], Iterator[tuple[str, int, int, bool]]]:
    """What a text decodes to as a whole, where it has enough signs of the encoding."""

    def found(text: str) -> Iterator[tuple[str, int, int, bool]]:
        places = [m.span() for m in pattern.finditer(text)]
        if len(places) >= least:
            one = decode(text)
            if one != text:
                yield one, places[0][0], places[-1][1], False

    return found


@lru_cache(maxsize=16)
def _classed(text: str) -> str | None:
    """A text with the class of each character in its place; None if it is not in ASCII.

    `a` a letter, `1` a digit, `-` a sign that may stand between letters, ` ` what else may part
    them, `x` all the rest. Expressions need not be tried where no such row of classes stands.
    """
    return text.translate(_CLASSES) if text.isascii() else None


_CLASSES: Final = {
    ord(c): "a" if c.isalpha() else "1" if c.isdigit() else "-" if c in "-._*~|+\\"
    else " " if c in " \t,/" else "x"
    for c in _ASCII
}  # fmt: skip
_HEXES: Final = {ord(c): "h" if c in "0123456789abcdefABCDEFxX\\:,;-" or c.isspace() else "."
                 for c in _ASCII}  # fmt: skip
_ALONE: Final = tuple(f"{a}{one}{b}" for a in " -" for one in "a1" for b in " -")


def _may_hex(text: str) -> bool:
    """Whether six pairs of digits of base 16 may stand in a row."""
    return not text.isascii() or "hhhhhhhhhhhh" in text.translate(_HEXES)


def _may_split(text: str) -> bool:
    """Whether a single letter or digit may stand between others."""
    classed = _classed(text)
    return classed is None or any(row in classed for row in _ALONE)


def _may_insert(text: str) -> bool:
    """Whether a sign or two may stand between letters."""
    classed = _classed(text)
    return classed is None or "a-a" in classed or "a--a" in classed


def _may_leet(text: str) -> bool:
    """Whether a sign may stand for a letter."""
    classed = _classed(text)
    return classed is None or "1" in classed or "@" in text or "$" in text or "|" in text


@lru_cache(maxsize=16)
def _longest(text: str) -> int:
    """Length of the longest run without a space."""
    return max(map(len, text.split()), default=0)


def _readable(text: str) -> bool:
    """Whether what was decoded can be a text: mostly letters and spaces, few odd signs."""
    if len(text) < 3:
        return False
    plain = sum(c.isalpha() or c in " \n\t" for c in text)
    odd = sum(not c.isprintable() and c not in "\n\t\r" for c in text) + text.count("\ufffd")
    return plain >= 0.7 * len(text) and odd <= 0.02 * len(text)


def _bytes(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _from_base64(text: str) -> str | None:
    run = re.sub(r"\s", "", text).rstrip("=").replace("-", "+").replace("_", "/")
    if run.isalpha() and run.islower():
        return None
    if len(run) % 4 == 1:
        run = run[:-1]
    try:
        return _bytes(base64.b64decode(run + "=" * (-len(run) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None


def _from_base32(text: str) -> str | None:
    run = text.rstrip("=")
    try:
        return _bytes(base64.b32decode(run + "=" * (-len(run) % 8)))
    except (binascii.Error, ValueError):
        return None


def _from_uu(text: str) -> str | None:
    """Lines that begin with their length; ordinary lines do not, or not of the right one."""
    raw = b""
    for line in text.split("\n"):
        size = (ord(line[0]) - 32) & 63
        if (size + 2) // 3 * 4 != len(line) - 1:
            return None
        try:
            raw += binascii.a2b_uu(line)
        except binascii.Error:
            return None
    return _bytes(raw)


def _from_hex(text: str) -> str | None:
    digits = re.sub(r"0x|\\x|[\s:,;-]", "", text)
    try:
        return _bytes(bytes.fromhex(digits[: len(digits) // 2 * 2]))
    except ValueError:
        return None


def _from_codes(base: int) -> Callable[[str], str | None]:
    def decode(text: str) -> str | None:
        parts = re.findall(r"[01]{7,8}", text) if base == 2 else re.findall(r"\d{2,3}", text)
        codes = [int(p, base) for p in parts]
        enough = len(codes) > 2 and all(9 <= c < 256 for c in codes)
        return "".join(map(chr, codes)) if enough else None

    return decode


def _from_ascii85(text: str) -> str | None:
    for decode in (lambda t: base64.a85decode(t, adobe=t.startswith("<~")), base64.b85decode):
        try:
            found = _bytes(decode(text))
        except ValueError:
            continue
        if found is not None and _readable(found):
            return found
    return None


def _from_morse(text: str) -> str | None:
    plain = text.replace("·", ".").replace("–", "-").replace("_", "-")
    words = [
        [_MORSE_SIGNS.get(s) for s in w.split()] for w in re.split(r"\s*[/|]\s*|\s{3,}", plain)
    ]
    if any(sign is None for word in words for sign in word):
        return None
    return " ".join("".join(s for s in word if s) for word in words)


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = int(match[1] or match[2], 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"

    return _ESCAPED.sub(one, text)


def _split(text: str) -> Iterator[tuple[str, int, int, bool]]:
    """Words written letter by letter: wider gaps part words, where there are any."""
    runs = [m for m in _SPLIT.finditer(text) if sum(map(str.isalnum, m.group())) >= 4]
    if not runs:
        return
    for match in runs:
        run = match.group()
        wide = re.split(r"[ \t]{2,}|[ \t]*/[ \t]*(?=\S[ \t])", run)
        words = ["".join(c for c in part if c.isalnum()) for part in wide]
        joined = " ".join(w for w in words if w)
        yield joined, match.start(), match.end(), len(words) == 1
    whole = _SPLIT.sub(lambda m: "".join(c for c in m.group() if c.isalnum()), text)
    yield whole, runs[0].start(), runs[-1].end(), False


def _joined(text: str) -> Iterator[tuple[str, int, int, bool]]:
    """Words joined by signs or by capitals, as in names and keys, which may hold no spaces."""
    found = _JOINED.sub(lambda m: re.sub("[_-]", " ", m.group()), text)
    if _SPACE.search(text) is None:
        yield _HUMP.sub(" ", found.replace("_", " ").replace("-", " ")), 0, len(text), False
        yield re.sub("[_-]", "", text), 0, len(text), True
    elif found != text:
        yield found, 0, len(text), False


def _inside(text: str) -> Iterator[tuple[str, int, int, bool]]:
    """Words with signs put between their letters."""
    places = [m.span() for m in _INSIDE.finditer(text) if text[m.start() - 1 : m.start()].isalpha()]
    if not places:
        return
    out, at = [], 0
    for start, end in places:
        out.append(text[at:start])
        at = end
    yield "".join(out) + text[at:], places[0][0], places[-1][1], False


def _leet(text: str) -> Iterator[tuple[str, int, int, bool]]:
    """Words with digits and signs for letters."""
    tokens = text.split(" ")
    mixed = {t for t in tokens if _is_leet(t)}
    if not mixed:
        return
    if len(mixed) > 2:
        # Where words are written so, short numbers are words too.
        mixed |= {t for t in tokens if t.isdigit() and t.isascii() and len(t) < 4}
    start = min(text.find(t) for t in mixed)
    end = max(text.rfind(t) + len(t) for t in mixed)
    for table in (_LEETS, _LEETS_L) if any("1" in t for t in mixed) else (_LEETS,):
        yield " ".join(t.translate(table) if t in mixed else t for t in tokens), start, end, False


def _is_leet(token: str) -> bool:
    """Whether a word has letters and, among them, signs that look like letters."""
    if token.isalpha() or token.isdigit() or not 2 <= len(token) < 40 or "://" in token:
        return False
    return not _SIGNS.isdisjoint(token) and any(c.isalpha() for c in token)


def _nato(text: str) -> Iterator[tuple[str, int, int, bool]]:
    """Words spelled in the alphabet of radio operators."""
    words = [
        (m.group().lower(), m.start(), m.end()) for m in re.finditer(r"[A-Za-z-]+|[.,/|]", text)
    ]
    run: list[tuple[str, int, int]] = []
    for word in [*words, ("", 0, 0)]:
        if word[0] in _NATO or (run and word[0] in (".", ",", "/", "|")):
            run.append(word)
            continue
        letters = "".join(_NATO.get(w, " ") for w, _, _ in run)
        if len(letters.replace(" ", "")) >= 6:
            yield letters, run[0][1], run[-1][2], " " not in letters.strip()
        run = []


_DECODERS: Final[tuple[_Decoder, ...]] = (
    ("base64", lambda t: _longest(t) >= 12, _spans(_BASE64_RUN, _from_base64)),
    ("uu", lambda t: len(t) >= 8, _spans(_UU, _from_uu)),
    (
        "base32",
        lambda t: _longest(t) >= 16 and _MAY_BASE32.search(t) is not None,
        _spans(_BASE32, _from_base32),
    ),
    ("hex", lambda t: _may_hex(t) and _MAY_HEX.search(t) is not None, _spans(_HEX, _from_hex)),
    ("binary", lambda t: "01" in t and len(t) >= 28, _spans(_BINARY, _from_codes(2))),
    (
        "codes",
        lambda t: len(t) >= 18 and sum(map(t.count, "0123456789")) >= 14,
        _spans(_DECIMAL, _from_codes(10)),
    ),
    (
        "ascii85",
        lambda t: len(t) >= 20 and ("<~" in t or _longest(t) >= 20),
        _spans(_ASCII85, _from_ascii85),
    ),
    ("url", lambda t: t.count("%") >= 3, _whole(_URL, 3, unquote)),
    ("html", lambda t: t.count("&") >= 2 and ";" in t, _whole(_HTML, 2, html.unescape)),
    ("escapes", lambda t: t.count("\\") >= 2, _whole(_ESCAPED, 2, _unescape)),
    (
        "quoted",
        lambda t: t.count("=") >= 3,
        _whole(_QUOTED, 3, lambda t: quopri.decodestring(t.encode()).decode("utf-8", "replace")),
    ),
    (
        "morse",
        # Six groups of signs at least.
        lambda t: (
            ("." in t or "·" in t)
            and sum(map(t.count, ".·-–_")) >= 6
            and _MAY_MORSE.search(t) is not None
        ),
        _spans(_MORSE, _from_morse),
    ),
    ("nato", lambda t: sum(map(_NATO.__contains__, t.lower().split())) >= 5, _nato),
    (
        "joined",
        lambda t: (
            (t.count("-") + t.count("_") > 1 or " " not in t) and _MAY_JOIN.search(t) is not None
        ),
        _joined,
    ),
    ("split", lambda t: _may_split(t) and _MAY_SPLIT.search(t) is not None, _split),
    ("inserted", _may_insert, _inside),
    ("leet", lambda t: _may_leet(t) and _MAY_LEET.search(t) is not None, _leet),
)


def _turned(form: Form) -> Iterator[Found]:
    """Parts that are language only when shifted or mirrored in the alphabet, or reversed."""
    text = form.folded
    words = [w for w in letters(text) if len(w) > 1]
    runs = list(_unknown(words, _common()))
    if not runs or (text.isascii() and _stand_as_they_are(letters(text), words, runs)):
        return
    for (first, last), (start, end) in zip(runs, _placed(text, words, runs), strict=True):
        part = text[start:end]
        best, found = 0, None
        # Words of a text that is reversed are its words, reversed.
        back = sum(map(_reversed().__contains__, words[first:last]))
        if _enough(back, last - first):
            best, found = back, ("reversed", part[::-1], start, end, False)
        # Of an answer that is still being written the same parts come at every check.
        hits, kind, turned = (_turning if len(part) <= _PART else _turning.__wrapped__)(part)
        if hits > best:
            best, found = hits, (kind, turned, start, end, False)
        if found is not None and best >= 2:
            yield found


def _stand_as_they_are(
    every: Sequence[str], words: Sequence[str], runs: Sequence[tuple[int, int]]
) -> bool:
    """Whether no run has been turned: no way of turning it gives enough common words.

    Args:
        every: runs of letters of a text in ASCII, single letters too.
        words: those of two letters and more.
        runs: of words, none of which is common.
    """
    back = _reversed()
    places = range(len(words))
    if len(every) > len(words):
        places = [i for i, word in enumerate(every) if len(word) > 1]  # type: ignore[assignment]
    for first, last in runs:
        run = "".join(every[places[first] : places[last - 1] + 1])
        if sum(map(run.count, "aeiou")) < _VOWELS * len(run):
            ways = [way for word in words[first:last] for way in _shifts().get(word, ())]
            # One way has to make common words of two at least.
            if len(set(ways)) < len(ways):
                return False
        if _enough(sum(map(back.__contains__, words[first:last])), last - first):
            return False
    return True


@cache
def _shifts() -> dict[str, tuple[int, ...]]:
    """The common words, mirrored and shifted, each with the ways in which it becomes common."""
    found: dict[str, tuple[int, ...]] = {}
    tables = (_ATBASH, *(table for _, table in _SHIFTS))
    common = [w for w in _common() if w.isascii() and w.isalpha()]
    for way, table in enumerate(tables):
        back = {made: kept for kept, made in table.items()}
        for word in common:
            turned = word.translate(back)
            found[turned] = (*found.get(turned, ()), way)
    return found


def _enough(hits: int, words: int) -> bool:
    """Whether so many common words, of all words of a part, make it language."""
    return hits >= 2 and hits >= 0.2 * words


@lru_cache(maxsize=2_000)
def _turning(part: str) -> tuple[int, str, str]:
    """The turn of a part with the most common words, and how many; the first of several."""
    best, kind, turned = 0, "", part
    for one, made in _shifted(part):
        hits = _hits(made)
        if hits > best:
            best, kind, turned = hits, one, made
    return best, kind, turned


def _placed(
    text: str, words: Sequence[str], runs: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Yield where runs of words stand in their text: each word is sought behind the one before."""
    at = upto = 0
    for first, last in runs:
        start = 0
        for i in range(upto, last):
            at = text.index(words[i], at)
            if i == first:
                start = at
            at += len(words[i])
        upto = last
        yield start, at


@cache
def _reversed() -> frozenset[str]:
    """The common words, each reversed."""
    return frozenset(w[::-1] for w in _common())


def _shifted(part: str) -> Iterator[tuple[str, str]]:
    """Yield a part with its alphabet mirrored and shifted in each way that it may have been."""
    if part.isascii():
        many = sum(map(len, _letters(part)))
    else:
        many = sum(map(str.isalpha, part))
    # Shifted text has few vowels; ordinary text that merely has rare words is left alone.
    if sum(map(part.count, "aeiou")) < _VOWELS * many:
        yield "atbash", part.translate(_ATBASH)
        for shift, table in _SHIFTS:
            yield "rot13" if shift == 13 else "caesar", part.translate(table)


def _hits(text: str) -> int:
    """Common words of a text; 0 where they are too few of all its words."""
    told = _WORD.findall(text)
    hits = sum(map(_common().__contains__, told))
    return hits if hits >= 0.2 * len(told) else 0


def _unknown(words: list[str], common: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Yield where runs of at least three words begin and end none of which is common."""
    known = bytes(map(common.__contains__, words))
    for run in _UNKNOWN.finditer(known):
        yield run.span()


_UNKNOWN: Final = re.compile(rb"\x00{3,}")
_VOWELS: Final = 0.31
"""Share of vowels among letters below which a part may be shifted."""
_PART: Final = 1_000
"""Characters of a part whose turns are kept."""
