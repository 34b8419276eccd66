"""Read benchmark files, and put their rows into the shape that the stock tasks read.

| suite | the shared columns | the hub's own |
|---|---|---|
| `arc-easy`, `arc-challenge` | `question`, `choices`, `gold` | `choices.text`, `answerKey`; `option_a` ... `answer` |
| `truthfulqa-mc1`, `truthfulqa-mc2` | `best_answer`, `correct_answers`, `incorrect_answers` | `mc1_targets`, `mc2_targets`; `mc1_targets_choices` ... |
| `toxigen` | `text`, `toxicity_human`, `toxicity_ai`, `label_toxic` | the same, `label_toxic` may be missing |
| `bbq` | the source's own: `context`, `question`, `ans0` ... `label` | the same |
| `enem` | `exam`, `context`, `question`, `options`, `label`, `needs_image` | `alternatives`, `label`; `choices.text`, `answerKey` |

Either is read; what is written is the schema of the data set that the stock task names, so that its
prompt, target and metric apply unchanged. Files are JSON lines, packed (`.gz`) or not. Questions
of `enem` that were annulled, that need an image or that lack an option are left out, and counted.
"""  # noqa: E501

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from normwright.evaluate.json_lines import ENDINGS, Line, rows
from normwright.records import Digest, Fault, InputError, digest_bytes

NON_COMMERCIAL: Final = "CC BY-NC 4.0"
"""Licence of what lies in a folder `nc`: it serves evaluation only."""

TOXIC: Final = 5.5
"""A statement is toxic if both ratings, of 1 to 5, sum to more (Hartvigsen et al., 2022)."""

_LETTERS: Final = "ABCDE"


@dataclass(frozen=True)
class Item:
    """One question with its answers, and the row a stock task reads it from."""

    id: str
    choices: tuple[str, ...]
    right: tuple[bool, ...]
    """Which answers are right; more than one for `truthfulqa-mc2`."""
    group: str
    """What the source sorts it under, a category or a target group; empty where it has none."""
    row: Mapping[str, Any]
    cluster: str = ""
    """What it is drawn with, a template or an exam; empty where items are independent."""
    condition: str = ""
    """What kind of question it is, where the suite has several; empty where it has one."""
    texts: tuple[str, ...] = ()
    """What the answers stand for, where they are letters; empty where they are texts."""


@dataclass(frozen=True)
class Benchmark:
    """The items of one suite in one language that are asked, and where they come from."""

    suite: str
    lang: str
    items: tuple[Item, ...]
    rows: int
    """Rows of the file; fewer are asked where a sample was drawn."""
    data: Digest
    licence: str
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Rows of the file that cannot be asked, by the reason."""

    @property
    def task(self) -> str:
        """Name of the task, for example `arc-easy-en`."""
        return f"{self.suite}-{self.lang}"


@dataclass(frozen=True)
class Source:
    """Where the file of a suite lies in a folder of real data, and how its rows are read."""

    suite: str
    lang: str
    name: str
    """Path in the folder, without its ending."""
    licence: str
    """Licence of the set as published, for the file of that name."""
    make: Callable[[Line], Item | None]
    hub: str = ""
    """Data set, configuration and split on the hub, for people who have it."""
    examples: str = ""
    """Path in the folder of the rows that examples are drawn from; empty where there is none."""


def read_benchmarks(
    place: Path | Mapping[str, Path],
    *,
    suites: Sequence[str],
    limit: int | None = None,
    seed: int,
) -> list[Benchmark]:
    """Return the suites asked for, in every language that is there, items drawn by seed and id.

    Items are drawn by their ids, so that one seed draws the same questions in both languages and
    for `mc1` and `mc2`.

    Args:
        place: a folder of real data, or files by task (`arc-easy-en`).
        suites: names of suites.
        limit: items asked of each suite and language, at most; None asks all.
        seed: seed of the sample.

    Raises:
        InputError: naming every fault: a suite without a file, a file or row that cannot be used.
    """
    faults: list[Fault] = []
    if limit is not None and limit < 1:
        faults.append(Fault(where="limit", expected="at least 1, or none", seen=str(limit)))
    found = _files(place, suites, faults)
    out: list[Benchmark] = []
    for source, path in found:
        left_out: Counter[str] = Counter()
        made = rows(path, source.make, faults, left_out=left_out)
        if not faults:
            out.append(Benchmark(
                source.suite, source.lang, _draw(made, limit, seed), len(made),
                digest_bytes(path.read_bytes()), _licence(source, path),
                dict(sorted(left_out.items()))))  # fmt: skip
    if faults:
        raise InputError(faults)
    return out


def _files(
    place: Path | Mapping[str, Path], suites: Sequence[str], faults: list[Fault]
) -> list[tuple[Source, Path]]:
    """(source, file) of every language of the suites, in the order of the suites."""
    known = {f"{s.suite}-{s.lang}": s for s in SOURCES}
    faults += [
        Fault(where="suites", expected=f"one of {', '.join(SUITES)}", seen=name)
        for name in sorted(set(suites) - set(SUITES))
    ]
    if isinstance(place, Mapping):
        faults += [
            Fault(where=task, expected=f"one of {', '.join(known)}", seen="no such task")
            for task in sorted(set(place) - set(known))
        ]
        there = {task: path for task, path in place.items() if task in known}
    else:
        there = {task: path for task, s in known.items() if (path := _lies(place, s.name))}
    out = [
        (known[task], there[task]) for suite in suites for task in known
        if task in there and known[task].suite == suite
    ]  # fmt: skip
    for suite in suites:
        if suite in SUITES and suite not in {source.suite for source, _ in out}:
            names = " or ".join(f"{s.name}{ENDINGS[0]}" for s in SOURCES if s.suite == suite)
            faults.append(Fault(
                where=str(place) if isinstance(place, Path) else "files",
                expected=f"a file of `{suite}`: {names}", seen="none",
                do="Give the folder that holds it, or leave the suite out."))  # fmt: skip
    return out


def _lies(folder: Path, name: str) -> Path | None:
    return next((p for e in ENDINGS if (p := folder / f"{name}{e}").is_file()), None)


def _licence(source: Source, path: Path) -> str:
    """The licence of the file; a file that is not known by its name has an unknown one."""
    if "nc" in path.parent.parts:
        return NON_COMMERCIAL
    known = path.name.split(".")[0] == source.name.rpartition("/")[2]
    return source.licence if known else "unknown"


def _draw(items: Sequence[Item], limit: int | None, seed: int) -> tuple[Item, ...]:
    """The items whose seeded hash is least, in the order of the file."""
    if limit is None or limit >= len(items):
        return tuple(items)
    kept = sorted(range(len(items)), key=lambda i: _hash(f"{seed}|{items[i].id}"))[:limit]
    return tuple(items[i] for i in sorted(kept))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _named(line: Line, text: str) -> str:
    """The row's id; the hub's own files have none in places, and then the text names the row."""
    return line.text("id") if "id" in line.body else _hash(text)[:16]


def _arc_en(line: Line) -> Item | None:
    return _arc(line, lambda id_, question, choices, gold: {
        "id": id_, "question": question,
        "choices": {"text": choices, "label": list(_LETTERS[: len(choices)])},
        "answerKey": _LETTERS[gold],
    })  # fmt: skip


def _arc_pt(line: Line) -> Item | None:
    return _arc(line, lambda id_, question, choices, gold: {
        "id": id_, "instruction": question, "answer": _LETTERS[gold],
        **{f"option_{letter.lower()}": text for letter, text in
           zip(_LETTERS, [*choices, *[""] * len(_LETTERS)], strict=False)},
    })  # fmt: skip


def _arc(line: Line, row: Callable[[str, str, list[str], int], Mapping[str, Any]]) -> Item | None:
    """A question of ARC: in the shared columns, as on the hub, or as its translations are."""
    if "instruction" in line.body:
        question, key = line.text("instruction"), line.text("answer")
        options = [line.body.get(f"option_{letter.lower()}") for letter in _LETTERS]
        choices = tuple(o for o in options if isinstance(o, str) and o.strip())
        labels = tuple(_LETTERS)
    elif isinstance(line.body.get("choices"), dict):
        inner = Line(line.where, line.body["choices"], line.faults)
        question, key = line.text("question"), line.text("answerKey")
        choices, labels = inner.texts("text"), inner.texts("label")
    else:
        question, choices = line.text("question"), line.texts("choices")
        gold = line.body.get("gold")
        key, labels = str(gold), tuple(map(str, range(len(choices))))
        if type(gold) is not int:
            line.fault("the place of the right answer in `gold`", f"a {type(gold).__name__}")
    if choices and not 2 <= len(choices) <= len(_LETTERS):
        line.fault(f"2 to {len(_LETTERS)} answers", str(len(choices)))
    if not line.faults and key not in labels[: len(choices)]:
        line.fault(f"the right answer to be one of {', '.join(labels[: len(choices)])}", key)
    if line.faults:
        return None
    gold_at, name = labels.index(key), _named(line, question)
    right = tuple(i == gold_at for i in range(len(choices)))
    return Item(name, choices, right, "", row(name, question, list(choices), gold_at))


@dataclass(frozen=True)
class _Truth:
    """A question of TruthfulQA with both sets of answers."""

    id: str
    question: str
    group: str
    mc1: tuple[tuple[str, ...], tuple[bool, ...]]
    mc2: tuple[tuple[str, ...], tuple[bool, ...]]


def _truth(line: Line) -> _Truth | None:
    question = line.text("question")
    if "best_answer" in line.body:
        best = line.text("best_answer")
        right, wrong = line.texts("correct_answers"), line.texts("incorrect_answers")
        mc1 = ((best, *wrong), (True, *[False] * len(wrong)))
        mc2 = ((*right, *wrong), (*[True] * len(right), *[False] * len(wrong)))
    else:
        mc1, mc2 = (_targets(line, name) for name in ("mc1_targets", "mc2_targets"))
    if not line.faults and (not mc1[1][0] or sum(mc1[1]) != 1):
        line.fault("one right answer for mc1, the first", "another order",
                   "The stock task takes the first answer for the right one.")  # fmt: skip
    if not line.faults and (not any(mc2[1]) or all(mc2[1])):
        line.fault("right and wrong answers for mc2", "one kind only")
    if line.faults:
        return None
    group = line.body.get("category")
    group = group if isinstance(group, str) else ""
    return _Truth(_named(line, question), question, group, mc1, mc2)


def _targets(line: Line, name: str) -> tuple[tuple[str, ...], tuple[bool, ...]]:
    """Answers and which are right, from `mc1_targets` or `mc1_targets_choices` and `..._labels`."""
    if isinstance(line.body.get(name), dict):
        inner = Line(line.where, line.body[name], line.faults)
        choices, labels = inner.texts("choices"), inner.body.get("labels")
    else:
        choices, labels = line.texts(f"{name}_choices"), line.body.get(f"{name}_labels")
    if not (isinstance(labels, list) and len(labels) == len(choices)
            and all(type(v) is int and v in (0, 1) for v in labels)):  # fmt: skip
        line.fault(f"a 0 or 1 for each answer of `{name}`", "another value")
        return choices, ()
    return choices, tuple(bool(v) for v in labels)


def _truth_en(part: int) -> Callable[[Line], Item | None]:
    return lambda line: _truth_item(line, part, lambda t: {
        "question": t.question,
        "mc1_targets": {"choices": list(t.mc1[0]), "labels": [int(v) for v in t.mc1[1]]},
        "mc2_targets": {"choices": list(t.mc2[0]), "labels": [int(v) for v in t.mc2[1]]},
    })  # fmt: skip


def _truth_pt(part: int) -> Callable[[Line], Item | None]:
    return lambda line: _truth_item(line, part, lambda t: {
        "id": t.id,
        "question": t.question,
        "mc1_targets_choices": list(t.mc1[0]), "mc1_targets_labels": [int(v) for v in t.mc1[1]],
        "mc2_targets_choices": list(t.mc2[0]), "mc2_targets_labels": [int(v) for v in t.mc2[1]],
    })  # fmt: skip


def _truth_item(line: Line, part: int, row: Callable[[_Truth], Mapping[str, Any]]) -> Item | None:
    found = _truth(line)
    if found is None:
        return None
    choices, right = found.mc1 if part == 1 else found.mc2
    return Item(found.id, choices, right, found.group, row(found))


def _toxigen(line: Line) -> Item | None:
    """A statement of ToxiGen; a label that contradicts its ratings is a fault."""
    text = line.text("text")
    human, ai = line.number("toxicity_human"), line.number("toxicity_ai")
    toxic = human + ai > TOXIC
    if not line.faults and line.body.get("label_toxic", int(toxic)) != int(toxic):
        line.fault(f"label_toxic to be 1 where the ratings sum to more than {TOXIC}", "otherwise")
    if line.faults:
        return None
    group = line.body.get("target_group")
    group = group if isinstance(group, str) else ""
    row = {"text": text, "target_group": group, "toxicity_human": human, "toxicity_ai": ai}
    return Item(_named(line, text), ("No", "Yes"), (not toxic, toxic), group, row)


UNKNOWN: Final = (
    "Unknown", "Cannot answer", "Can't be determined", "Cannot be determined", "Can't answer",
    "Not known", "Not enough info", "Not enough information", "Not answerable", "Undetermined",
)  # fmt: skip
"""What the stock task of BBQ takes for an answer that says it cannot be known."""

_BBQ: Final = ("example_id", "question_index", "question_polarity", "context_condition", "category")
_CATEGORIES: Final = (
    "Age", "Disability_status", "Gender_identity", "Nationality", "Physical_appearance",
    "Race_ethnicity", "Race_x_gender", "Race_x_SES", "Religion", "SES", "Sexual_orientation",
)  # fmt: skip


def _bbq(line: Line) -> Item | None:
    """A question of BBQ, with the answers as the stock task lists them: two named, ten unknown."""
    body = line.body
    texts = {n: line.text(n) for n in ("context", "question", "ans0", "ans1", "ans2")}
    line.one_of("category", _CATEGORIES, "a category of the source")
    condition = line.one_of("context_condition", ("ambig", "disambig"), "a condition")
    line.one_of("question_polarity", ("neg", "nonneg"), "a polarity")
    label = body.get("label")
    if type(label) is not int or label not in (0, 1, 2):
        line.fault("0, 1 or 2 in `label`", repr(label)[:40])
    index = str(body.get("question_index", ""))
    if not index:
        line.fault("the number of the template in `question_index`", "nothing")
    info, more = body.get("answer_info"), body.get("additional_metadata")
    told = [info.get(n) for n in ("ans0", "ans1", "ans2")] if isinstance(info, dict) else []
    groups = more.get("stereotyped_groups") if isinstance(more, dict) else None
    named = [[str(t) for t in one] for one in told if isinstance(one, list) and one]
    held = [str(g) for g in groups] if isinstance(groups, list) else None
    if len(named) != 3 or held is None:
        line.fault("`answer_info` of each answer and `stereotyped_groups`", "another value")
    answers = [texts["ans0"], texts["ans1"], texts["ans2"]]
    if not line.faults and sum(a in UNKNOWN for a in answers) != 1:
        line.fault("one answer that says it cannot be known", f"{answers}"[:80])
    if line.faults or type(label) is not int:
        return None
    two = [a for a in answers if a not in UNKNOWN]
    said = answers[label]
    right = (*(said == a for a in two), *[said in UNKNOWN] * len(UNKNOWN))
    row = {n: body[n] for n in _BBQ if n in body} | texts | {
        "question_index": index, "label": label,
        "answer_info": dict(zip(("ans0", "ans1", "ans2"), named, strict=True)),
        "additional_metadata": {"stereotyped_groups": held},
    }  # fmt: skip
    category = str(body["category"])
    name = f"{category}/{body.get('example_id', _hash(repr(sorted(texts.items())))[:16])}"
    return Item(name, (*two, *UNKNOWN), tuple(right), category, row,
                cluster=f"{category}/{index}", condition=condition)  # fmt: skip


def _enem(line: Line) -> Item | None:
    """A question of the exam, in the shared columns or in those of two data sets on the hub."""
    body = line.body
    question = line.text("question", empty=True)
    inner = body.get("choices")
    if isinstance(inner, dict):
        options, key = inner.get("text"), body.get("answerKey")
    else:
        options, key = body.get("options", body.get("alternatives")), body.get("label")
    letters = "ABCDE"
    key = key.strip().upper() if isinstance(key, str) else key
    if body.get("nullified") is True or key in ("ANULADO", "ANULADA"):
        line.left_out = "annulled"
    elif body.get("needs_image") is True or body.get("IU") is True:
        line.left_out = "needs an image"
    elif isinstance(options, list) and not all(isinstance(o, str) and o.strip() for o in options):
        line.left_out = "an option without text"
    elif isinstance(options, list) and not options:
        line.left_out = "no options"
    elif not isinstance(options, list) or len(options) != len(letters):
        line.fault(f"{len(letters)} options", str(len(options)) if isinstance(options, list)
                   else "none")  # fmt: skip
    elif not isinstance(key, str) or len(key) != 1 or key not in letters:
        line.fault("the letter of the right option, a to e", repr(key)[:40])
    if line.faults or line.left_out:
        return None
    assert isinstance(options, list)
    context = body.get("context")
    context = context.strip() if isinstance(context, str) else ""
    if not context and not question.strip():
        line.fault("a question or a context", "neither")
        return None
    gold = letters.index(str(key))
    exam = str(body.get("exam", body.get("exam_id", "")))
    name = str(body["id"]) if body.get("id") is not None else _hash(context + question)[:16]
    row = {"id": name, "context": context, "question": question, "options": list(options),
           "gold": gold}  # fmt: skip
    return Item(name, tuple(letters), tuple(i == gold for i in range(len(letters))), exam, row,
                cluster=exam, texts=tuple(options))  # fmt: skip


SOURCES: Final = (
    Source("arc-easy", "en", "benchmarks/arc_easy_en", "CC BY-SA 4.0", _arc_en,
           "allenai/ai2_arc, ARC-Easy, test", "benchmarks/arc_easy_train_en"),
    Source("arc-challenge", "en", "benchmarks/arc_challenge_en", "CC BY-SA 4.0", _arc_en,
           "allenai/ai2_arc, ARC-Challenge, test", "benchmarks/arc_challenge_train_en"),
    Source("arc-challenge", "pt", "nc/arc_challenge_test_pt", NON_COMMERCIAL, _arc_pt,
           "alexandrainst/m_arc, pt, test", "nc/arc_challenge_train_pt"),
    Source("truthfulqa-mc1", "en", "benchmarks/truthfulqa_en", "Apache-2.0", _truth_en(1),
           "truthfulqa/truthful_qa, multiple_choice, validation"),
    Source("truthfulqa-mc1", "pt", "nc/truthfulqa_mc_pt", NON_COMMERCIAL, _truth_pt(1),
           "alexandrainst/m_truthfulqa, pt, val"),
    Source("truthfulqa-mc2", "en", "benchmarks/truthfulqa_en", "Apache-2.0", _truth_en(2),
           "truthfulqa/truthful_qa, multiple_choice, validation"),
    Source("truthfulqa-mc2", "pt", "nc/truthfulqa_mc_pt", NON_COMMERCIAL, _truth_pt(2),
           "alexandrainst/m_truthfulqa, pt, val"),
    Source("toxigen", "en", "toxicity/toxigen_annotated_en", "CDLA-Permissive-2.0", _toxigen,
           "skg/toxigen-data, annotated, test"),
    Source("bbq", "en", "benchmarks/bbq_en", "CC BY 4.0", _bbq, "oskarvanderwal/bbq, All, test"),
    Source("enem", "pt", "benchmarks/enem_2022_pt", "MIT", _enem,
           "eduagarcia/enem_challenge, train; maritaca-ai/enem, 2022, train"),
)  # fmt: skip
"""The benchmarks that are known, with their place in a folder of real data."""

SUITES: Final = tuple(dict.fromkeys(s.suite for s in SOURCES))
"""Names of the benchmark suites."""

CORE: Final = tuple(s for s in SUITES if s not in ("bbq", "enem"))
"""Those that a project measures by itself where it names a folder of data."""


def languages(suite: str) -> tuple[str, ...]:
    """Return the languages a suite is known in."""
    return tuple(s.lang for s in SOURCES if s.suite == suite)


def source_of(suite: str, lang: str) -> Source:
    """Return where the file of a suite lies and how its rows are read."""
    return next(s for s in SOURCES if (s.suite, s.lang) == (suite, lang))


def examples_of(
    place: Path, suite: str, lang: str, examples: Path | None
) -> tuple[tuple[Item, ...], Path] | None:
    """Return the rows examples are drawn from: of a file, or of the suite's own in a folder.

    None where there are none of their own.

    Raises:
        InputError: with every fault of the file.
    """
    source = source_of(suite, lang)
    if examples is None:
        examples = _lies(place, source.examples) if source.examples and place.is_dir() else None
    if examples is None:
        return None
    faults: list[Fault] = []
    made = rows(examples, source.make, faults, left_out=Counter())
    if faults:
        raise InputError(faults)
    return made, examples
