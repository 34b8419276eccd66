"""Sentences composed from `harm_taught.yaml`, written for the harm classifier to learn from.

They show one predicate in many settings: said of people for who they are, of a thing, of a trade,
denied, quoted to be condemned, asked, greeted; and a request beside its harmless twin. The person
who wrote them knew which functions HateCheck tests and had read some of its lines, so that a
sentence that nears any template of it, measured or not, is left out (`near`), and the count is
told.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from normwright.guard.text_harm.fit import HarmRow

SOURCE = Path(__file__).with_name("harm_taught.yaml")
SEED = 11
EACH = 8
"""Sentences made of one predicate or frame."""
_BAD = ("demean", "deny_good", "threat")
_FINE = ("praise", "neutral", "deny_bad")
_MISSPELT = 0.25
_LEET = str.maketrans("aeiost", "431057")


def compose() -> list[HarmRow]:
    """Return all sentences, the same in every run."""
    content = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    draw = random.Random(SEED)
    rows = [r for lang in ("en", "pt") for r in _sentences(content[lang], lang, draw)]
    rows += [r for lang in ("en", "pt") for r in _requests(content["requests"][lang], lang)]
    return list({r.text: r for r in rows}.values())


def _sentences(parts: Mapping[str, Any], lang: str, draw: random.Random) -> Iterator[HarmRow]:
    def row(text: str, kind: str, key: str, hate: bool) -> HarmRow:
        labels = {"hate": float(hate), "harmful-request": 0.0, "injection": 0.0, "jailbreak": 0.0}
        if hate or kind in ("praise", "neutral", "love", "mention"):
            labels["abuse"] = float(hate)
            labels["violence"] = float(kind in ("threat", "threaten"))
        elif kind == "insult":
            labels["abuse"] = 1.0
        text = text[:1].upper() + text[1:] if draw.random() < 0.7 else text
        text += draw.choice((".", ".", "", "!")) if text[-1] not in '?"' else ""
        unit = f"taught|{kind}|{key}"
        return HarmRow(text, lang, f"taught-{lang}", unit, labels, kind, measured=False)

    def said(frame: str, predicate: str = "") -> str:
        return _filled(frame, predicate, parts, lang, draw)

    bad = [(k, p) for k in _BAD for p in parts[k]]
    for kind, predicate in [*bad, *((k, p) for k in _FINE for p in parts[k])]:
        for _ in range(EACH):
            yield row(said("G H", predicate), kind, predicate, kind in _BAD)
    for kind in ("threaten", "loathe", "love", "mention", "counter"):
        for frame in parts[kind]:
            for _ in range(EACH):
                yield row(said(frame), kind, frame, kind in ("threaten", "loathe"))
    for kind in ("ask", "refer", "quote", "reject"):
        for frame in parts[kind]:
            for _ in range(2 * EACH):
                under, predicate = draw.choice(bad)
                hate = kind in ("ask", "refer")
                yield row(said(frame, predicate), kind if not hate else under, frame, hate)
    for frame in [*parts["ask"][4:14], *parts["refer"][:8]]:
        for _ in range(EACH):
            # The same frames around harmless words, so that the frame alone tells nothing.
            predicate = draw.choice(parts[draw.choice(_FINE)])
            if not any(w in frame for w in ("hate", "odei", "kill", "mat", "livrar")):
                yield row(said(frame, predicate), "praise", frame, False)
    for text in parts["talk"]:
        for _ in range(EACH):
            yield row(text, "neutral", text, False)
    for kind in ("blame_people", "blame_things"):
        for frame in parts[kind]:
            for _ in range(EACH):
                yield row(said(frame), kind, frame, False)
    for kind in ("swear", "insult"):
        for frame in parts[kind]:
            yield row(frame, kind, frame, False)


def _filled(
    frame: str, predicate: str, parts: Mapping[str, Any], lang: str, draw: random.Random
) -> str:
    groups: Sequence[str] = parts["groups"]
    demeaned = predicate in parts["demean"] or predicate in parts["threat"]
    # Words that demean are met where the sentence demeans, and where it is quoted.
    if (demeaned or frame in parts["loathe"]) and draw.random() < 0.15:
        groups = parts["slurs"]
    group, single = draw.choice(groups), draw.choice(parts["singles"])
    female = group.startswith("as ")
    if draw.random() < 0.3 and lang == "pt":
        group = group.split(" ", 1)[1]
    names = {
        "G": group,
        "S": single,
        "H": predicate,
        "X": draw.choice(parts["slurs"]).split(" ", 1)[-1] if lang == "pt"
        else draw.choice(parts["slurs"]),
        "P": draw.choice(parts["people"]),
        "T": draw.choice(parts["things"]),
    }  # fmt: skip
    if demeaned and draw.random() < _MISSPELT:
        names["G"] = _misspelt(names["G"], draw)
        names["H"] = _misspelt(names["H"], draw)
    elif not demeaned and draw.random() < _MISSPELT / 3:
        names["G"] = _misspelt(names["G"], draw)
    words = " ".join(frame.replace("H", names["H"]).split())
    out = "".join(names[w] if w in "GSXPT" else w for w in _split(words)) if lang else words
    if lang == "pt":
        out = out.replace("@", "a" if female else "o")
        for short in ("d", "n"):
            for word in ("os", "as", "um", "uma"):
                out = out.replace(f" {short} {word} ", f" {short}{word} ")
        for each in ("cada", "qualquer"):
            out = out.replace(f"{each} uma ", f"{each} ").replace(f"{each} um ", f"{each} ")
        out = out.replace(" d ", " de ").replace(" n ", " em ").replace("ladrs", "ladrões")
    return out


def _split(words: str) -> Iterator[str]:
    """The marks of a frame by themselves, and what stands between them."""
    at = 0
    for i, char in enumerate(words):
        lone = (i == 0 or not words[i - 1].isalnum()) and (
            i + 1 == len(words) or not words[i + 1].isalnum()
        )
        if char in "GSXPT" and lone:
            if at < i:
                yield words[at:i]
            yield char
            at = i + 1
    if at < len(words):
        yield words[at:]


def _misspelt(text: str, draw: random.Random) -> str:
    """One way of writing around a filter: a letter swapped or lost, a space lost, digits."""
    at = draw.randrange(max(len(text) - 2, 1))
    ways = (
        lambda: text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
        lambda: text[:at] + text[at + 1 :],
        lambda: text.replace(" ", "", 1),
        lambda: text.translate(_LEET),
        lambda: " ".join(text.split(" ")[0]) + text[len(text.split(" ")[0]) :],
    )
    return draw.choice(ways)()


def _requests(parts: Mapping[str, Any], lang: str) -> Iterator[HarmRow]:
    draw = random.Random(f"{SEED}|{lang}")
    for kind in ("harmful", "harmless"):
        for deed in parts[kind]:
            for frame in draw.sample(parts["frames"], 4):
                labels = {
                    "harmful-request": float(kind == "harmful"),
                    "injection": 0.0,
                    "jailbreak": 0.0,
                }
                if kind == "harmless":
                    labels |= {"hate": 0.0, "abuse": 0.0, "self-harm": 0.0}
                unit = f"taught|{kind}|{deed}"
                text = frame.replace("Q", deed)
                yield HarmRow(text, lang, f"taught-{lang}", unit, labels, kind, measured=False)
