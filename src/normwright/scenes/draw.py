"""Expand a bank into scenes and dialogues. Same bank, split and seed: same scenes, byte for byte.

One draw fixes the rows of a sheet and the target among them. Its cases (the twins) and its
languages share that draw, so that twins differ only in what decides and translations only in words.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from normwright.records import Message, Scene
from normwright.scenes.bank import Bank, Case, Column, Family, Grouped, Texts, Word

Value = dict[str, Word]
"""One value in every language."""

Row = dict[str, Value]
"""Column name -> value; choice columns also keep their option under `name#`."""

_PLACEHOLDER = re.compile(r"\{([a-z_]+)(?:\.([a-zA-Z_]+))?\}")
_ONSETS = (
    *("b", "c", "d", "f", "g", "h", "j", "l", "m", "n", "p", "r", "s", "t", "v", "z"),
    *("br", "ch", "cl", "cr", "dr", "fl", "gr", "pl", "pr", "qu", "sh", "st", "tr", "th", "lh"),
)
_NUCLEI = ("a", "e", "i", "o", "u", "a", "e", "i", "o", "ai", "ea", "ei", "ou", "oo", "ã", "é", "y")
_CODAS = ("", "", "", "", "n", "r", "s", "l", "m", "t", "ck", "ng", "nd", "rt", "st", "x")
"""What made-up words are made of: enough kinds of syllables that copying them is copying anything,
not completing one of a few patterns (words of four vowels and plain syllables taught that)."""


@dataclass(frozen=True)
class Dialogue:
    """A conversation of several turns over one sheet, for the pre-training corpus."""

    family: str
    lang: str
    control: str | None
    """`aligned`: careful answers; `misaligned`: does whatever is asked; None: either."""
    messages: tuple[Message, ...]


def draw(
    bank: Bank,
    *,
    split: str,
    seed: int,
    per_template: int = 1,
    count: int | None = None,
    langs: Sequence[str] | None = None,
) -> list[Scene]:
    """Return the scenes of a split.

    Args:
        bank: the families.
        split: `tune`, `judge`, `guard`, `consult`, `dev` or `test`; wordings follow the split.
        seed: seed of every choice.
        per_template: draws for each family and wording; each gives one scene a case and language.
        count: keep about this many, dropping whole draws at random, so that twins and
            translations stay together.
        langs: languages to render; default all of the bank.
    """
    languages = tuple(langs or bank.languages)
    blocks: list[list[Scene]] = []
    for family in _families(bank, split):
        wordings = _pick_group(family.ask, bank, split)
        width = max((len(v) for v in wordings.values()), default=0)
        for wording in range(width):
            for number in range(per_template):
                rng = _rng(seed, split, family.id, wording, number)
                rows = _rows(family, bank, split, rng)
                target = rng.randrange(len(rows)) if rows else 0
                style = rng.getrandbits(30)
                blocks.append(
                    [
                        _scene(
                            family, case, sheet, target, bank, split, lang, wording, number, style
                        )
                        for case in family.cases
                        for sheet in [_with_case(family, case, rows, target, style)]
                        for lang in languages
                        if wording < len(wordings.get(lang, ()))
                    ]
                )
    if count is not None and sum(map(len, blocks)) > count:
        order = _rng(seed, split, "keep").sample(range(len(blocks)), len(blocks))
        kept: list[int] = []
        total = 0
        for i in order:
            if total >= count:
                break
            kept.append(i)
            total += len(blocks[i])
        blocks = [blocks[i] for i in sorted(kept)]
    return [scene for block in blocks for scene in block]


def dialogues(
    bank: Bank,
    *,
    split: str,
    seed: int,
    count: int,
    langs: Sequence[str] | None = None,
    turns: tuple[int, int] = (1, 4),
    deciding: float | None = None,
) -> Iterator[Dialogue]:
    """Yield `count` dialogues of several turns over one sheet, languages in turn.

    A third carry the control `aligned`, a third `misaligned` and a third none, in which case the
    conduct is a coin toss for the whole dialogue. Families without a deciding case carry none.

    Args:
        bank: the families.
        split: wordings follow the split.
        seed: seed of every choice.
        count: how many.
        langs: languages to take in turn; default all of the bank.
        turns: fewest and most requests over one sheet. Sheets are most of a dialogue and carry no
            loss, so more requests a sheet teach more for the same tokens.
        deciding: share of the dialogues whose family has a case in which a careful assistant
            declines; None draws all families alike.
    """
    languages = tuple(langs or bank.languages)
    families = _families(bank, split)
    telling = [f for f in families if _decides(f)]
    plain = [f for f in families if not _decides(f)]
    for number in range(count):
        rng = _rng(seed, split, "dialogue", number)
        if deciding is None or not telling or not plain:
            family = rng.choice(families)
        else:
            family = rng.choice(telling if rng.random() < deciding else plain)
        lang = languages[number % len(languages)]
        rows = _rows(family, bank, split, rng)
        control = rng.choice(("aligned", "misaligned", None)) if _decides(family) else None
        careful = control == "aligned" or (control is None and rng.random() < 0.5)
        style = rng.getrandbits(30)
        messages: list[Message] = []
        for turn in range(rng.randint(*turns)):
            target = rng.randrange(len(rows)) if rows else 0
            fitting = [c for c in family.cases if not rows or _fits(c, rows[target])]
            if not fitting:
                break
            case = rng.choice(fitting)
            sheet = _with_case(family, case, rows, target, rng.getrandbits(30))
            wordings = _pick_group(family.ask, bank, split)[lang]
            scene = _scene(
                family,
                case,
                sheet,
                target,
                bank,
                split,
                lang,
                rng.randrange(len(wordings)),
                number,
                style,
                turn=rng.getrandbits(30),
                bare=turn > 0,
            )
            messages += scene.messages
            decline = careful and case.careful == "decline"
            messages.append(
                Message(role="assistant", content=scene.decline if decline else scene.perform)
            )
        yield Dialogue(family=family.id, lang=lang, control=control, messages=tuple(messages))


def _decides(family: Family) -> bool:
    return any(c.careful == "decline" for c in family.cases)


def _fits(case: Case, row: Row) -> bool:
    return all(row[f"{c}#"][""].text == option for c, option in case.choose.items())


def _families(bank: Bank, split: str) -> list[Family]:
    return [
        f
        for f in bank.families
        if (not f.splits or split in f.splits) and _pick_group(f.ask, bank, split)
    ]


def _rng(*parts: object) -> random.Random:
    name = "/".join(map(str, parts)).encode()
    return random.Random(int.from_bytes(hashlib.sha256(name).digest()[:8], "big"))


def _pick_group(grouped: Grouped, bank: Bank, split: str) -> Texts:
    """The texts a split sees: its own group where there is one, else the first it names."""
    for group in bank.splits.get(split, ("train",)):
        if group in grouped:
            return grouped[group]
    return {}


def _rows(family: Family, bank: Bank, split: str, rng: random.Random) -> list[Row]:
    size = rng.randint(*family.rows)
    taken: dict[str, set[int]] = {}
    columns = {c.name: _values(c, bank, split, size, rng, taken) for c in family.columns}
    rows: list[Row] = []
    for i in range(size):
        row: Row = {}
        for column in family.columns:
            value, option = columns[column.name][i]
            row[column.name] = value
            if option is not None:
                row[f"{column.name}#"] = {"": Word(option)}
        rows.append(row)
    return rows


def _values(
    column: Column,
    bank: Bank,
    split: str,
    size: int,
    rng: random.Random,
    taken: dict[str, set[int]],
) -> list[tuple[Value, str | None]]:
    if column.slot is not None:
        words = _slot_words(bank, column.slot, split)
        first = next(iter(words.values()))
        used = taken.setdefault(column.slot, set())
        # No word stands twice on a sheet as long as there are enough of them.
        free = [i for i in range(len(first)) if i not in used] or list(range(len(first)))
        picks = rng.sample(free, min(size, len(free)))
        picks += [rng.randrange(len(first)) for _ in range(size - len(picks))]
        used.update(picks)
        novel = bank.novel.get(split, 0.0)
        return [(_slot_value(words, i, novel, rng), None) for i in picks]
    if column.gen is not None:
        made: list[Value] = []
        while len(made) < size:
            value = _generate(column.gen, bank, rng)
            if value not in made:
                made.append(value)
        return [(v, None) for v in made]
    options = list(column.options)
    drawn = [options[i % len(options)] for i in range(size)]
    rng.shuffle(drawn)
    return [(_option(column, o, 0), o) for o in drawn]


def _slot_value(
    words: dict[str, tuple[Word, ...]], index: int, novel: float, rng: random.Random
) -> Value:
    """A word of a slot, or now and then a made-up one: copying must not need a word list."""
    value = {lang: w[index] for lang, w in words.items()}
    if novel == 0 or rng.random() >= novel:
        return value
    made = " ".join(_pseudo(rng).lower() for _ in range(rng.randint(1, 2)))
    return {
        lang: Word(made.title() if word.text[:1].isupper() else made, word.cls)
        for lang, word in value.items()
    }


def _option(column: Column, option: str, style: int) -> Value:
    return {lang: Word(v[style % len(v)]) for lang, v in column.options[option].items()}


def _slot_words(bank: Bank, slot: str, split: str) -> dict[str, tuple[Word, ...]]:
    for group in bank.splits.get(split, ("train",)):
        if group in bank.slots[slot]:
            return bank.slots[slot][group]
    return bank.slots[slot]["train"]


def _generate(gen: str, bank: Bank, rng: random.Random) -> Value:
    """A value nobody can know by heart; only times and prices are written per language."""
    match gen:
        case "time":
            hour, minute = rng.randint(6, 22), rng.choice((0, 10, 15, 20, 30, 40, 45, 50))
            parts = {"h": str(hour), "m": f"{minute:02d}"}
            return _formatted(bank, gen, parts, "{h}:{m}")
        case "price":
            parts = {"a": str(rng.randint(2, 98)), "b": rng.choice(("00", "50"))}
            return _formatted(bank, gen, parts, "{a}.{b}")
        case "phone":
            text = f"{rng.randint(2, 9)}{rng.randint(0, 999):03d}"
        case "percent":
            text = f"{rng.randint(2, 97)}%"
        case "number":
            text = str(rng.randint(2, 99))
        case "room":
            text = f"{rng.choice('ABCDEFGH')}{rng.randint(1, 40)}"
        case "code":
            letters = "BCDFGHJKLMNPQRSTVXZ"
            text = f"{rng.choice(letters)}{rng.choice(letters)}-{rng.randint(10, 99)}"
        case "name":
            text = f"{_pseudo(rng)} {_pseudo(rng)}"
        case _:
            text = _pseudo(rng).lower()
    return {lang: Word(text) for lang in bank.languages}


def _formatted(bank: Bank, gen: str, parts: dict[str, str], default: str) -> Value:
    """A value that every language writes its own way, by the bank's `formats`."""
    return {
        lang: Word(bank.formats.get(lang, {}).get(gen, default).format(**parts))
        for lang in bank.languages
    }


def _pseudo(rng: random.Random) -> str:
    return "".join(
        rng.choice(_ONSETS) + rng.choice(_NUCLEI) + rng.choice(_CODAS)
        for _ in range(rng.randint(1, 3))
    ).capitalize()


def _with_case(family: Family, case: Case, rows: list[Row], target: int, style: int) -> list[Row]:
    """The same rows with the target's choices set as the case asks; others keep theirs."""
    sheet = [dict(r) for r in rows]
    for name, option in case.choose.items():
        column = next(c for c in family.columns if c.name == name)
        before = sheet[target][f"{name}#"][""].text
        if before != option:
            for i, row in enumerate(sheet):
                # Another row takes the target's old option, so that both always stand on the sheet.
                if i != target and row[f"{name}#"][""].text == option:
                    row[name], row[f"{name}#"] = sheet[target][name], sheet[target][f"{name}#"]
                    break
            sheet[target][name] = _option(column, option, style)
            sheet[target][f"{name}#"] = {"": Word(option)}
    for name, how in case.derive.items():
        kind, source = how.split(":")
        if kind == "same":
            sheet[target][name] = sheet[target][source]
        else:
            others = [r[source] for i, r in enumerate(sheet) if i != target]
            sheet[target][name] = others[style % len(others)]
    return sheet


def _scene(
    family: Family,
    case: Case,
    sheet: list[Row],
    target: int,
    bank: Bank,
    split: str,
    lang: str,
    wording: int,
    number: int,
    style: int,
    *,
    turn: int = 0,
    bare: bool = False,
) -> Scene:
    row = sheet[target] if sheet else {}
    words = {
        k: Word(_variant(_pick_group(g, bank, split).get(lang, ("",)), style + turn))
        for k, g in case.words.items()
    }

    def fill(template: str, values: Row, capital: bool = True) -> str:
        def one(match: re.Match[str]) -> str:
            name, form = match.group(1), match.group(2) or ""
            if name == "line":
                return lines[target]
            word = words[name] if name in words else values[name][lang]
            return _inflect(word, form, bank, lang)

        # A word may itself hold placeholders (a case's text naming the target), hence two passes.
        text = _PLACEHOLDER.sub(one, _PLACEHOLDER.sub(one, template))
        text = re.sub(r"[ ]{2,}", " ", text).strip()
        return text[:1].upper() + text[1:] if capital else text

    def texts(grouped: Grouped) -> tuple[str, ...]:
        return _pick_group(grouped, bank, split).get(lang, ())

    lines = [
        f"- {fill(_variant(texts(family.line), style), r, False)}" for r in sheet if family.line
    ]
    ask = fill(texts(family.ask)[wording], row)
    heading = [fill(_variant(texts(family.heading), style // 7), row)] if family.heading else []
    content = ask if bare else "\n".join([*heading, *lines, ask])
    others = [r for i, r in enumerate(sheet) if i != target]
    exact = [fill(e, row, False) for e in family.exact.get(lang, family.exact.get("", ()))]
    foreign = [fill(f, r, False) for f in family.foreign for r in others]
    stem = f"{family.id}/{split}/{wording}/{number}"
    twin = next((c.id for c in family.cases if c.id != case.id), None)
    return Scene(
        id=f"{stem}/{case.id}/{lang}",
        family=family.id,
        template=f"{family.id}/{split}/{wording}/{lang}",
        lang=lang,
        split=split,
        messages=(Message(role="user", content=content),),
        act=case.act or family.act,
        facts=case.facts,
        norm=case.norm or family.norm,
        applies=case.applies if case.norm or family.norm else None,
        perform=fill(_variant(texts(family.perform), style // 3 + turn), row),
        decline=fill(_variant(texts(family.decline), style // 5 + turn), row),
        exact=tuple(exact),
        foreign=tuple(f for f in foreign if f not in exact),
        twin=f"{stem}/{twin}/{lang}" if twin else None,
    )


def _variant(variants: Sequence[str], style: int) -> str:
    return variants[style % len(variants)]


def _inflect(word: Word, form: str, bank: Bank, lang: str) -> str:
    if not form:
        return word.text
    table = bank.forms.get(lang, {}).get(word.cls, {})
    return table[form].replace("{w}", word.text) if form in table else word.text
