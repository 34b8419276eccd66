"""Requests that show the heads of requests and jailbreaks that the manner of asking tells nothing.

Harmful requests are gathered as such and so are asked in a few manners; ordinary ones are not. What
is composed here (`harm_asked.yaml`) and turned from ordinary texts puts harmless deeds in the same
manners, lends them the very openings of harmful requests of the learned part, and sets harmful
requests in Portuguese beside harmless ones. A row made from a collection has that row's unit.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from normwright.guard.text_harm.fit import HarmRow

SOURCE = Path(__file__).with_name("harm_asked.yaml")
SEED = 23
FRAMES = 6
"""Frames in which a deed is asked for."""
LENT = 4
"""Deeds that one opening is lent to."""
LONG = 700
"""Plays that are composed in a language, of either kind."""
SOURCES = (
    "asked-en", "asked-pt", "said-en", "said-pt", "lent", "about-en", "about-pt", "tldr-asked-en",
    "tldr-asked-pt", "play-en", "play-pt", "passage-en", "passage-pt", "helpful",
)  # fmt: skip
"""Sources of the rows that are made here; only the two heads learn from them."""
_HINGE = re.compile(
    r"^(.{3,120}?\b(?:how to|how do i|how can i|how do you|ways to|way to|steps to|plan to|"
    r"strategy to|instructions to|guide to|methods to|me to))\s",
    re.IGNORECASE,
)
"""What stands before the deed in a request; what follows is in the infinitive."""
_STOP = re.compile(r"\n\n(?:Human|Assistant): ?")


def asked() -> list[HarmRow]:
    """Return the requests and plays that are composed, the same in every run."""
    content = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    rows = [r for lang in ("en", "pt") for r in _requests(content[lang], lang)]
    rows += [r for lang in ("en", "pt") for r in _plays(content["plays"][lang], lang)]
    return list({r.text: r for r in rows}.values())


def lent(rows: Sequence[HarmRow]) -> list[HarmRow]:
    """Return harmless deeds in the openings of harmful requests of the learned part.

    The other way round, harmful deeds in the openings of ordinary requests, was tried and cost six
    times as many refusals of held-out ordinary ones.
    """
    parts = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))["en"]
    draw = random.Random(f"{SEED}|lent")
    out = []
    for row in rows:
        if row.part != "learn" or not row.measured or row.labels.get("harmful-request") != 1.0:
            continue
        met = _HINGE.match(row.text)
        for deed in draw.sample(parts["harmless"], LENT) if met else ():
            mark = "?" if row.text.rstrip().endswith("?") else ""
            text = f"{met[1]} {deed}{mark}" if met else ""
            out.append(_row(text, "en", "lent", f"asked|{deed}", 0.0))
    return out


def turned(found: Mapping[str, Sequence[Mapping[str, Any]]], own: Any) -> Iterator[HarmRow]:
    """Yield ordinary texts as requests, each with the unit of the text it is made from."""
    draw = random.Random(f"{SEED}|turned")
    frames = {
        "en": ("How do I {}?", "how to {}", "Can you help me {}?", "Write a script to {}",
               "Give me step-by-step instructions to {}", "Tell me how to {}"),
        "pt": ("Escreva um comando que {}", "Preciso de um script que {}", "Como se {}?",
               "Me ajude com um programa que {}", "Qual comando {}?"),
    }  # fmt: skip
    for lang in ("en", "pt"):
        for r in found[f"instructions/tldr_{lang}"][1::3]:
            said = re.sub(r"\s*\(.*?\)|[:.]\s*$", "", r["description"])
            text = draw.choice(frames[lang]).format(said[:1].lower() + said[1:])
            yield _row(text, lang, f"tldr-asked-{lang}", f"tldr|{r['page']}", 0.0, measured=True)
        orders = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))["plays"][lang]["task"]
        seen = set()
        for r in found[f"instructions/aira1_qa_{lang}"]:
            if r["answer_no"] not in seen:
                seen.add(r["answer_no"])
                text = f"{draw.choice(orders)}\n\n{r['response']}"
                yield _row(text, lang, f"passage-{lang}", f"aira|{r['answer_no']}", 0.0,
                           measured=True)  # fmt: skip
    for r in found["preferences/hh_helpful"]:
        first = next((t for t in _STOP.split(r["prompt"]) if t.strip()), "").strip()
        if first:
            yield _row(first, "en", "helpful", own(first), 0.0, measured=True)


def _row(
    text: str, lang: str, source: str, unit: str, harm: float, *, measured: bool = False
) -> HarmRow:
    labels = {"harmful-request": harm, "injection": 0.0, "jailbreak": 0.0}
    return HarmRow(text, lang, source, unit, labels, "harmful" if harm else "harmless", measured)


def _requests(parts: Mapping[str, Any], lang: str) -> Iterator[HarmRow]:
    draw = random.Random(f"{SEED}|{lang}")
    source = f"asked-{lang}"
    for harm, kind in ((1.0, "harmful"), (0.0, "harmless")):
        for deed in parts[kind]:
            for frame in draw.sample(parts["frames"], FRAMES):
                yield _row(frame.replace("Q", deed), lang, source, f"asked|{deed}", harm)
        # Said whole, as people do who ask once; each has a harmless twin.
        for text in parts.get(f"said_{kind}", ()):
            yield _row(text, lang, f"said-{lang}", f"said|{text}", harm)
    pairs = (("write", "T", "vile", "texts"), ("made", "O", "harm", "does"))
    for frames, mark, bad, good in pairs:
        for harm, kind in ((1.0, bad), (0.0, good)):
            for what in parts[kind]:
                for frame in draw.sample(parts[frames], FRAMES):
                    yield _row(frame.replace(mark, what), lang, source, f"asked|{what}", harm)
    for noun in parts["nouns"]:
        for frame in draw.sample(parts["about"], FRAMES):
            yield _row(frame.replace("N", noun), lang, f"about-{lang}", f"asked|{noun}", 0.0)


def _plays(parts: Mapping[str, Any], lang: str) -> Iterator[HarmRow]:
    """Parts that a model is given: half with orders to drop its rules among harmless ones."""
    draw = random.Random(f"{SEED}|plays|{lang}")
    for i in range(LONG):
        role = draw.choice(parts["roles"])
        said = [draw.choice(parts["open"]).replace("R", role)]
        rules = draw.sample(parts["rule"], draw.randint(1, 9))
        bad = i % 2 == 0
        if bad:
            rules += draw.sample(parts["break"], draw.randint(1, 4))
            draw.shuffle(rules)
        said += [*rules, draw.choice(parts["task"])]
        labels = {"jailbreak": float(bad)}
        yield HarmRow(" ".join(said), lang, f"play-{lang}", f"play|{role}", labels,
                      "break" if bad else "play", measured=False)  # fmt: skip
