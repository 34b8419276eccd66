"""The labelled rows from which the harm classifier is fitted, and on which it is measured.

Each source is read by its own rules; a label that its people were not asked about is not given. A
share of yes is kept as a share. Units that may not be parted by a split: HateCheck templates that
are the same, a near copy (its misspelt, quoted and rephrased ones are) or each other's translation;
the focus word of XSTest; a jailbreak's goal; a conversation; otherwise the text itself.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from normwright.guard.text_harm.fit import HarmRow
from normwright.guard.text_harm.grams import form, kind_of, tokens
from normwright.guard.text_harm.reader import AIRA
from normwright.guard.text_harm.served import served
from scripts import harm_asked, harm_taught

FILES = (
    "toxicity/hatecheck_en",
    "toxicity/hatecheck_pt",
    "toxicity/told_br_pt",
    "toxicity/olid_br_pt",
    "toxicity/toxigen_annotated_en",
    "toxicity/toxigen_demonstrations_en",
    "toxicity/convabuse_en",
    "toxicity/openai_moderation_en",
    "redteam/harmful_requests_en",
    "redteam/jailbreak_prompts_wild_en",
    "redteam/jailbreak_templates_en",
    "redteam/jailbreakbench_prompts_en",
    "redteam/prompt_injection_en_pt_es",
    "overrefusal/xstest_en",
    "overrefusal/cyber_frr_en",
    "overrefusal/cyber_frr_pt_es",
    "instructions/aira1_qa_en",
    "instructions/aira1_qa_pt",
    "instructions/dolly_hhrlhf_en",
    "instructions/self_instruct_human_en",
    "instructions/tldr_en",
    "instructions/tldr_pt",
    "preferences/hh_helpful",
    "text/python_docs_en_pt",
    "text/en_books_00",
    "text/pt_books_00",
)
"""Files of the shared data that are read, without their ending."""
KINDS = ("homophobia", "obscene", "insult", "racism", "misogyny", "xenophobia")
IDENTITY = ("homophobia", "racism", "misogyny", "xenophobia")
TOXIC = (
    "hatecheck-en", "hatecheck-pt", "told-br", "olid-br", "toxigen", "convabuse", "moderation",
)  # fmt: skip
"""Sources that say of every text whether it is toxic."""
PARTS = 3
"""Windows of one text that are learned from."""
NEAR = 0.5
"""Share of common four-letter runs from which two templates are one unit."""
_CALM = dict.fromkeys(
    ("hate", "abuse", "violence", "self-harm", "harmful-request", "injection", "jailbreak"), 0.0
)
_OTHER = {"harmful-request": 0.0, "injection": 0.0, "jailbreak": 0.0}
_HANDLE = re.compile(r"\b(?:USER|URL)\b")


def read(data: Path, *, taught: bool = True) -> list[HarmRow]:
    """Return all rows, each with the language head's label too.

    Args:
        data: the folder of labelled data.
        taught: whether to add the sentences that were written to be learned from.
    """
    found = {name: list(_lines(data / f"{name}.jsonl.gz")) for name in FILES}
    rows = [
        *_hatecheck(found["toxicity/hatecheck_en"], found["toxicity/hatecheck_pt"]),
        *_told(found["toxicity/told_br_pt"]),
        *_olid(found["toxicity/olid_br_pt"]),
        *_toxigen(found["toxicity/toxigen_annotated_en"]),
        *_demonstrations(found["toxicity/toxigen_demonstrations_en"]),
        *_convabuse(found["toxicity/convabuse_en"]),
        *_moderation(found["toxicity/openai_moderation_en"]),
        *_requests(found),
        *_benign(found),
    ]
    known = {r.text for r in rows}
    rows += [r for r in harm_asked.turned(found, _own) if r.text not in known]
    if taught:
        rows += [*_apart(harm_taught.compose(), rows), *_unmeasured(rows)]
    # Tweets mix languages and xstest is short: every row's language is the one of its source.
    return [
        replace(r, labels={**r.labels, **_aira(r), "lang:pt": float(r.lang == "pt")}) for r in rows
    ]


def _unmeasured(rows: Sequence[HarmRow]) -> list[HarmRow]:
    """Composed requests that near none by which Portuguese is measured, and none of XSTest's."""
    tests = {
        "pt": [_runs(text) for some in measured_pt().values() for text in some],
        "en": [_runs(r.text) for r in rows if r.source == "xstest" and r.part == "locked"],
    }
    locked = {r.text.casefold() for r in rows if r.part == "locked"}
    return [
        row
        for row in (*harm_asked.asked(), *harm_asked.lent(rows))
        if row.text.casefold() not in locked
        and all(
            len(own & t) <= NEAR * len(own | t)
            for own in [_runs(row.text)]
            for t in tests[row.lang]
        )
    ]


def measured_pt() -> dict[str, list[str]]:
    """Return the requests written to measure Portuguese by, `harmful` and `harmless`."""
    text = Path(__file__).with_name("harm_measured_pt.yaml").read_text(encoding="utf-8")
    found: dict[str, list[str]] = yaml.safe_load(text)
    return found


def windowed(rows: Sequence[HarmRow]) -> list[HarmRow]:
    """Return the rows as the guard reads them: a long text in its windows, at most `PARTS`."""
    return [replace(r, text=part) for r in rows for part in served(r.text)[:PARTS]]


def _aira(row: HarmRow) -> dict[str, float]:
    """What the baseline is taught: a text is toxic or not, one label for all."""
    said = [row.labels[k] for k in ("hate", "abuse") if k in row.labels]
    return {AIRA: float(max(said) >= 0.5)} if said and row.source in TOXIC else {}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def digests(data: Path, names: Sequence[str] = FILES) -> dict[str, str]:
    """Return the SHA-256 of each file that is read."""
    return {
        f"{name}.jsonl.gz": hashlib.sha256((data / f"{name}.jsonl.gz").read_bytes()).hexdigest()
        for name in dict.fromkeys(names)
    }


def _hatecheck(en: Sequence[Mapping[str, Any]], pt: Sequence[Mapping[str, Any]]) -> list[HarmRow]:
    unit = _templates([en, pt])
    out = []
    for lang, rows in (("en", en), ("pt", pt)):
        for r in rows:
            hateful, kind = float(r["label_gold"] == "hateful"), r["functionality"]
            labels = {"hate": hateful, "violence": float(kind.startswith("threat")), **_OTHER}
            if hateful or kind.startswith(("ident", "profanity", "counter")):
                labels["abuse"] = hateful
            elif kind == "target_indiv_nh":
                labels["abuse"] = 1.0
            out.append(
                HarmRow(r["text"], lang, f"hatecheck-{lang}", unit[r["templ_id"]], labels, kind)
            )
    return out


def _templates(languages: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    """The unit of each template: the least number among its near copies, in any language."""
    parent: dict[str, str] = {}

    def top(x: str) -> str:
        while parent.setdefault(x, x) != x:
            x = parent[x]
        return x

    for rows in languages:
        first: dict[str, str] = {}
        for r in rows:
            first.setdefault(r["templ_id"], r["text"])
        runs = [(key, _runs(text)) for key, text in first.items()]
        for i, (key, one) in enumerate(runs):
            top(key)
            for other, two in runs[:i]:
                if len(one & two) > NEAR * len(one | two):
                    a, b = sorted((top(key), top(other)), key=int)
                    parent[b] = a
    return {key: f"hatecheck|{top(key)}" for key in list(parent)}


def _runs(text: str) -> set[str]:
    """Four-letter runs of a text without spaces and without the names of groups."""
    plain = "".join(t for t in tokens(form(text)) if kind_of(t) not in ("GROUP", "SLUR"))
    return {plain[i : i + 4] for i in range(max(len(plain) - 3, 1))}


def _apart(taught: Sequence[HarmRow], rows: Sequence[HarmRow]) -> list[HarmRow]:
    """The sentences written for learning that near no sentence of HateCheck."""
    out = []
    for lang in ("en", "pt"):
        meant = {"".join(sorted(r)): r for r in
                 (_runs(r.text) for r in rows if r.source == f"hatecheck-{lang}")}  # fmt: skip
        where: dict[str, set[int]] = defaultdict(set)
        tests = list(meant.values())
        for i, test in enumerate(tests):
            for run in test:
                where[run].add(i)
        for row in (r for r in taught if r.lang == lang):
            own = _runs(row.text)
            met = Counter(i for run in own for i in where.get(run, ()))
            if all(k <= NEAR * (len(own) + len(tests[i]) - k) for i, k in met.items()):
                out.append(row)
    return out


def _told(rows: Sequence[Mapping[str, Any]]) -> Iterator[HarmRow]:
    for r in rows:
        votes = [any(r[k][i] for k in KINDS) for i in range(3)]
        about = [any(r[k][i] for k in IDENTITY) for i in range(3)]
        # The label that is measured is "any of three"; its strength is how many of them.
        share = 0.5 * any(votes) + 0.5 * sum(votes) / 3
        yield HarmRow(
            r["text"], "pt", "told-br", _own(r["text"]),
            {"abuse": share, "hate": sum(about) / 3, **_OTHER}, "toxic" if any(votes) else "clean",
        )  # fmt: skip


def _olid(rows: Sequence[Mapping[str, Any]]) -> Iterator[HarmRow]:
    about = ("lgbtqphobia", "racism", "religious_intolerance", "sexism", "xenophobia")
    for r in rows:
        text = _HANDLE.sub("@user", r["text"])
        labels = {
            "abuse": float(r["is_offensive"] == "OFF"),
            "hate": float(any(r[k] == "True" for k in about)),
        }
        yield HarmRow(text, "pt", "olid-br", _own(text), labels)


def _toxigen(rows: Sequence[Mapping[str, Any]]) -> Iterator[HarmRow]:
    for r in rows:
        # Two ratings from 1 to 5; from 2.75 on, on average, the source calls the text toxic.
        rated = (r["toxicity_human"] + r["toxicity_ai"]) / 2
        share = 0.5 + (rated - 2.75) / 4.5 if r["label_toxic"] else min((rated - 1) / 3.5, 0.49)
        yield HarmRow(
            r["text"], "en", "toxigen", _own(r["text"]), {"hate": share},
            "toxic" if r["label_toxic"] else "benign",
        )  # fmt: skip


def _demonstrations(rows: Sequence[Mapping[str, Any]]) -> Iterator[HarmRow]:
    for r in rows:
        yield HarmRow(
            r["text"], "en", "toxigen-demo", _own(r["text"]), {"hate": float(r["label"] == "hate")}
        )


def _convabuse(rows: Sequence[Mapping[str, Any]]) -> Iterator[HarmRow]:
    """One row a distinct utterance of a user; a share of its judgements calls it abuse."""
    about = {"sexist", "homophobic", "racist", "ableist", "transphobic"}
    judged: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for r in rows:
        judged[r["user"]].append(r)
    for text, one in judged.items():
        abuse = sum(r["severity"] < 0 for r in one) / len(one)
        hate = sum(r["severity"] < 0 and bool(about & set(r["types"])) for r in one) / len(one)
        yield HarmRow(text, "en", "convabuse", _own(text), {"abuse": abuse, "hate": hate, **_OTHER})


def _moderation(rows: Sequence[Mapping[str, Any]]) -> Iterator[HarmRow]:
    for r in rows:
        asked = r["labels"]
        labels: dict[str, float] = {}
        for label, keys in (
            ("hate", ("H", "H2")),
            ("violence", ("V", "V2", "H2")),
            ("self-harm", ("SH",)),
            ("abuse", ("HR", "H", "H2")),
        ):
            known = [asked[k] for k in keys if k in asked]
            if known and (any(known) or len(known) == len(keys)):
                labels[label] = float(any(known))
        yield HarmRow(r["text"], "en", "moderation", _own(r["text"]), labels)


def _requests(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[HarmRow]:
    for r in found["redteam/harmful_requests_en"]:
        labels = {"harmful-request": 1.0, "injection": 0.0, "jailbreak": 0.0}
        yield HarmRow(r["prompt"], "en", r["source"], _own(r["prompt"]), labels, r["category"])
    for r in found["overrefusal/xstest_en"]:
        labels = {**_OTHER, "harmful-request": float(r["label"] == "unsafe")}
        if r["label"] == "safe" or r["type"] == "contrast_discr":
            # What sounds of hate and is none stands beside what is.
            labels["hate"] = labels["harmful-request"]
        yield HarmRow(r["prompt"], "en", "xstest", f"xstest|{r['focus']}", labels, r["type"])
    for r in found["redteam/jailbreakbench_prompts_en"]:
        labels = {"jailbreak": 1.0, "injection": 0.0}
        unit = f"goal|{r['index']}"
        yield HarmRow(r["prompt"], "en", f"jbb-{r['attack'].lower()}", unit, labels, r["attack"])
    for name in ("jailbreak_prompts_wild_en", "jailbreak_templates_en"):
        for r in found[f"redteam/{name}"]:
            labels = {"jailbreak": 1.0, "injection": 0.0}
            yield HarmRow(r["text"], "en", r["source"], _own(r["text"]), labels)
    spoken = {"English": "en", "Portuguese": "pt"}
    for r in found["redteam/prompt_injection_en_pt_es"]:
        if r["speaking_language"] in spoken:
            lang = spoken[r["speaking_language"]]
            labels = {"injection": 1.0}
            unit = f"injection|{r['injection_variant']}"
            yield HarmRow(r["user_input"], lang, "injection", _own(r["user_input"]), labels, unit)


def _benign(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[HarmRow]:
    for lang, name in (("en", "cyber_frr_en"), ("pt", "cyber_frr_pt_es")):
        for r in found[f"overrefusal/{name}"]:
            if lang == "en" or r["language"] == "Portuguese":
                unit = _own(r.get("english", r["prompt"]))
                yield HarmRow(r["prompt"], lang, f"cyber-frr-{lang}", unit, _OTHER)
    for lang in ("en", "pt"):
        for r in found[f"instructions/aira1_qa_{lang}"]:
            unit = f"aira|{r['answer_no']}"
            yield HarmRow(r["instruction"], lang, f"aira-{lang}", unit, _CALM)
        for r in found[f"instructions/tldr_{lang}"][::3]:
            yield HarmRow(r["description"], lang, f"tldr-{lang}", f"tldr|{r['page']}", _CALM)
        for r in found[f"text/{lang}_books_00"]:
            for text in _passages(r["text"], r["id"]):
                # A novel may insult and kill; it asks for nothing.
                yield HarmRow(text, lang, f"books-{lang}", f"book|{r['id']}", _OTHER)
    for r in found["text/python_docs_en_pt"][::20]:
        for lang in ("en", "pt"):
            yield HarmRow(r[lang], lang, f"docs-{lang}", f"docs|{r['id']}", _CALM)
    for name in ("dolly_hhrlhf_en", "self_instruct_human_en"):
        for r in found[f"instructions/{name}"]:
            # Part of the first set are people's questions to an assistant under test.
            labels = _CALM if name.startswith("self") else {**_OTHER}
            if name.startswith("dolly"):
                del labels["harmful-request"]
            yield HarmRow(r["instruction"], "en", name.rsplit("_", 1)[0], _own(r["instruction"]),
                          labels)  # fmt: skip


def _passages(text: str, seed: str, count: int = 15, size: int = 300) -> Iterator[str]:
    draw = random.Random(seed)
    for _ in range(count):
        at = draw.randrange(max(len(text) - size, 1))
        yield text[at : at + draw.randrange(60, size)].strip()


def _own(text: str) -> str:
    return "text|" + "".join(re.findall(r"\w+", text.lower()))
