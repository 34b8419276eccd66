"""How far drawn cases can be answered without reading them: words, facts, constants, and readers.

    python -m scripts.charter_cases [--quick] [--out FILE] [DIR ...]

For each charter and language: 8,000 cases to learn from and 2,000 near-miss pairs to be asked, from
families of wordings that were not learned from. Writes docs/experiments/charter-cases.md.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from normwright.charter import assembled, read_source
from normwright.charter.drawing import VERDICTS, Drawing, DrawnCase, Reader, as_text, items
from normwright.norms import evaluate
from normwright.records import Charter, Condition, Norm, Vocabulary
from normwright.stats import wilson

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "experiments" / "charter-cases.md"
TOWN = ROOT / "src" / "normwright" / "flow" / "templates" / "town" / "norms"
SEEDS = ROOT / "src" / "normwright" / "charter" / "seeds"
LIMIT = 0.55

Features = Callable[[Sequence[DrawnCase]], list[dict[str, float]]]


@dataclass(frozen=True)
class Sets:
    """Cases to learn from and pairs to be asked about."""

    charter: Charter
    lang: str
    train: list[DrawnCase]
    pairs: list[tuple[DrawnCase, DrawnCase]]

    @property
    def asked(self) -> list[DrawnCase]:
        """The cases of the pairs, one pair after the other."""
        return [case for pair in self.pairs for case in pair]


@dataclass(frozen=True)
class Scored:
    """How one way to answer did."""

    name: str
    item: float
    """Share of cases with the right verdict."""
    both: float
    """Share of pairs with both right."""
    order: float
    """Share of pairs in which, told the two verdicts, it puts each on the right side."""


def drawn(charter: Charter, lang: str, learn: int, ask: int, **options: Any) -> Sets:
    """Return cases to learn from, and pairs from other families of wordings."""
    train = Drawing(charter, 1, (lang,), "train", **options)
    test = Drawing(charter, 2, (lang,), "test", **options)
    learned = list(train.between(0, min(learn, train.size)))
    pairs: list[tuple[DrawnCase, DrawnCase]] = []
    seen: dict[str, DrawnCase] = {}
    for case in test:
        if case.near_miss in seen:
            pairs.append((seen[case.near_miss], case))
        seen[case.id] = case
        if len(pairs) == ask:
            break
    return Sets(charter, lang, learned, pairs)


def by_words(sets: Sets, analyzer: str, grams: tuple[int, int], *, shuffle: bool = False) -> Scored:
    """TF-IDF and logistic regression on the whole prompt."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectors = TfidfVectorizer(analyzer=analyzer, ngram_range=grams, min_df=2, sublinear_tf=True,
                              max_features=60_000)  # fmt: skip
    told = vectors.fit_transform([as_text(c.prompts[sets.lang]) for c in sets.train])
    labels = [c.decision.verdict for c in sets.train]
    if shuffle:
        random.Random(1).shuffle(labels)
    model = LogisticRegression(max_iter=300).fit(told, labels)
    asked = vectors.transform([as_text(c.prompts[sets.lang]) for c in sets.asked])
    name = f"TF-IDF {analyzer} {grams[0]}–{grams[1]}, logistic regression"
    return _scored(name + (", labels shuffled" if shuffle else ""), sets,
                   model.predict_proba(asked), list(model.classes_))  # fmt: skip


def by_facts(sets: Sets) -> Scored:
    """Logistic regression on act × fact values and on the norms shown, each by itself."""
    from sklearn.linear_model import LogisticRegression

    return _on_features(
        "facts and norms one by one, logistic regression", sets, _bag,
        LogisticRegression(max_iter=300),
    )  # fmt: skip


def informed(sets: Sets) -> Scored:
    """A decision tree that is told which norms hold in the situation, by kind, act and force."""
    from sklearn.tree import DecisionTreeClassifier

    return _on_features("norms that hold, by kind (decision tree)", sets, _holding,
                        DecisionTreeClassifier(random_state=1, min_samples_leaf=2))  # fmt: skip


def _on_features(name: str, sets: Sets, features: Features, model: Any) -> Scored:
    from sklearn.feature_extraction import DictVectorizer

    vectors = DictVectorizer()
    told = vectors.fit_transform(features(sets.train))
    model.fit(told, [c.decision.verdict for c in sets.train])
    asked = vectors.transform(features(sets.asked))
    return _scored(name, sets, model.predict_proba(asked), list(model.classes_))


def _bag(cases: Sequence[DrawnCase]) -> list[dict[str, float]]:
    found = []
    for case in cases:
        act = case.situation.act
        row = {f"{act} {name}={value}": 1.0 for name, value in case.situation.facts.items()}
        row |= {f"{name}={value}": 1.0 for name, value in case.situation.facts.items()}
        row |= {f"{n.ref} {n.kind} {n.condition!r}": 1.0 for n in case.norms}
        found.append({**row, f"around {case.situation.time} {case.situation.jurisdiction}": 1.0})
    return found


def _holding(cases: Sequence[DrawnCase]) -> list[dict[str, float]]:
    found = []
    for case in cases:
        row: dict[str, float] = {}
        for norm in case.norms:
            truth = evaluate(norm.condition, case.situation.facts)  # type: ignore[arg-type]
            same = norm.act == case.situation.act
            for key in (f"{norm.kind} {same} {truth}",
                        f"{norm.kind} {same} {truth} {norm.on_unknown}"):  # fmt: skip
                row[key] = row.get(key, 0.0) + 1.0
            if truth is True and same:
                key = f"severity {norm.kind}"
                row[key] = max(row.get(key, 0.0), float(norm.severity))
        row["graver"] = row.get("severity obligation", 0.0) - row.get("severity prohibition", 0.0)
        found.append(row)
    return found


def constant(sets: Sets) -> Scored:
    """The verdict that is most frequent among the cases learned from."""
    said = [c.decision.verdict for c in sets.train]
    best = max(sorted(set(said)), key=said.count)
    classes = sorted({*said, *(c.decision.verdict for c in sets.asked)})
    shares = np.zeros((2 * len(sets.pairs), len(classes)))
    shares[:, classes.index(best)] = 1.0
    return _scored(f"constant: {best}", sets, shares, classes)


def reader(sets: Sets) -> Scored:
    """A responder that finds the norms in the prompt and lets the resolver decide by them."""
    norms = {id(n): n for case in sets.asked for n in case.norms}.values()
    who = Reader(sets.charter, norms)
    classes: list[str] = list(VERDICTS)
    shares = np.zeros((2 * len(sets.pairs), len(classes)))
    for row, case in enumerate(sets.asked):
        said = who.answer(next(items(case))).verdict
        shares[row, classes.index(said or "ask")] = 1.0
    return _scored("reads the norms in the prompt, resolver", sets, shares, classes)


def _scored(name: str, sets: Sets, shares: Any, classes: Sequence[str]) -> Scored:
    said = np.asarray(classes)[shares.argmax(axis=1)]
    due = np.asarray([c.decision.verdict for c in sets.asked])
    right = (said == due).reshape(-1, 2)
    logs = np.log(np.maximum(shares, 1e-12))
    place = {verdict: n for n, verdict in enumerate(classes)}
    order = []
    for n, (a, b) in enumerate(sets.pairs):
        first, second = a.decision.verdict, b.decision.verdict
        if first not in place or second not in place:
            order.append(0.5)
            continue
        i, j = place[first], place[second]
        gain = logs[2 * n, i] + logs[2 * n + 1, j] - logs[2 * n, j] - logs[2 * n + 1, i]
        order.append(0.5 if abs(gain) < 1e-9 else float(gain > 0))
    return Scored(name, float(right.mean()), float(right.all(axis=1).mean()), float(np.mean(order)))


def random_charter(seed: int) -> Charter:
    """A charter of chance: six acts, nine facts, fourteen norms of two layers."""
    luck = random.Random(seed)
    facts: list[dict[str, Any]] = [
        {
            "name": f"f{i}",
            "type": "bool",
            "label": {"en": f"Thing {i} is so", "pt": f"A coisa {i} é assim"},
        }
        for i in range(6)
    ]
    facts += [
        {"name": f"k{i}", "type": "enum", "values": ["red", "green", "blue"],
         "label": {"en": f"The kind of matter {i}", "pt": f"O tipo do assunto {i}"}}
        for i in range(2)
    ]  # fmt: skip
    people = {"en": "The number of people", "pt": "O número de pessoas"}
    facts.append({"name": "n", "type": "int", "low": 0, "high": 99, "label": people})
    acts = [{"name": "act"}] + [{"name": f"act.{i}", "is_a": ["act"]} for i in range(6)]
    for n, act in enumerate(acts):
        act["label"] = {"en": f"Do task {n}", "pt": f"Fazer a tarefa {n}"}  # type: ignore[assignment]
    words = Vocabulary.model_validate({"facts": facts, "acts": acts})

    def atom() -> Condition:
        fact = luck.choice(words.facts)
        if fact.type == "bool":
            return Condition(fact=fact.name, eq=luck.random() < 0.5)
        if fact.type == "int":
            return Condition(fact=fact.name, at_least=luck.randint(10, 90))
        return Condition(fact=fact.name, eq=luck.choice(fact.values))

    norms = []
    for n in range(14):
        layer = luck.choice(("global", "organisation"))
        authority = "world" if layer == "global" else "desk"
        parts = tuple(atom() for _ in range(luck.randint(0, 2)))
        condition = Condition() if not parts else parts[0] if len(parts) == 1 else Condition(
            **{luck.choice(("all", "any")): parts}  # type: ignore[arg-type]
        )  # fmt: skip
        norms.append(
            Norm.model_validate({
                "id": f"n{n}", "layer": layer, "authority": authority,
                "kind": luck.choice(("prohibition", "prohibition", "permission", "guarantee")),
                "tier": "constitutional" if layer == "global" else "revisable",
                "act": f"act.{luck.randrange(6)}", "condition": condition, "status": "in_force",
                "severity": luck.randint(1, 5),
                "statement": {"en": f"Norm {n}.", "pt": f"Norma {n}."},
            })
        )  # fmt: skip
    return Charter(id=f"random-{seed}", version=1, languages=("en", "pt"), vocabulary=words,
                   norms=tuple(norms), process="chance", kind="human")  # fmt: skip


def charters(places: Sequence[Path]) -> list[tuple[str, Charter]]:
    """Return the charters to measure on: those named, else town, seeds and two of chance."""
    if places:
        return [(p.name, assembled(read_source(p), drafts=True)) for p in places]
    found = [("town", assembled(read_source(TOWN), drafts=True))]
    if SEEDS.is_dir():
        found.append(("seeds", assembled(read_source(SEEDS))))
    return [*found, ("random 1", random_charter(1)), ("random 2", random_charter(2))]


def table(scores: Sequence[Scored], pairs: int) -> list[str]:
    """Return one row a way to answer, with the 95 % interval of the share of right verdicts."""
    rows = ["| answered by | right verdicts | both of a pair | put in order |", "|---|---|---|---|"]
    for s in scores:
        inside = wilson(s.item * pairs, pairs)
        rows.append(f"| {s.name} | {s.item:.3f} [{inside.low:.3f}, {inside.high:.3f}] |"
                    f" {s.both:.3f} | {s.order:.3f} |")  # fmt: skip
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the page, and return 1 if words do better than the limit anywhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("places", nargs="*", type=Path)
    parser.add_argument("--quick", action="store_true", help="a tenth of the cases")
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args(arguments)
    learn, ask = (800, 200) if given.quick else (8_000, 2_000)
    lines = [INTRODUCTION.format(learn=learn, ask=ask)]
    worst = 0.0
    for name, charter in charters(given.places):
        begun = time.process_time()
        drawing = Drawing(charter, 7)
        count = sum(1 for _ in drawing.between(0, min(10 * learn // 8, drawing.size)))
        spent = time.process_time() - begun
        told = f"{len(charter.norms)} norms, {drawing.size:,} cases in all; {count:,} of them"
        told += f" in {len(charter.languages)} languages drawn in {spent:.1f} s of CPU."
        lines += ["", f"## {name}", "", told]
        for lang in charter.languages:
            binary = drawn(charter, lang, learn, ask, verdicts=("allow", "deny"))
            scores = [by_words(binary, "word", (1, 2)), by_words(binary, "char_wb", (2, 4)),
                      by_words(binary, "word", (1, 2), shuffle=True), by_facts(binary),
                      constant(binary), informed(binary), reader(binary)]  # fmt: skip
            worst = max(worst, *(max(s.item, s.order) for s in scores[:2]))
            lines += ["", f"### {lang}: allowed or denied, {len(binary.pairs):,} pairs", "",
                      *table(scores, len(binary.pairs))]  # fmt: skip
            every = drawn(charter, lang, learn, ask)
            lines += ["", f"### {lang}: all verdicts, {len(every.pairs):,} pairs", "",
                      *table([by_words(every, "word", (1, 2)), by_facts(every), constant(every),
                              informed(every), reader(every)], len(every.pairs))]  # fmt: skip
            print(f"{name} {lang}: {scores[0].item:.3f} {scores[1].item:.3f}", file=sys.stderr)
            _keep(lines, given)
        lang = charter.languages[0]
        plain = drawn(charter, lang, learn, ask, swaps=False, verdicts=("allow", "deny"))
        head = f"### {lang}: control without swapped charters, {len(plain.pairs):,} pairs"
        lines += ["", head, "",
                  *table([by_words(plain, "word", (1, 2)), by_facts(plain), constant(plain),
                          reader(plain)], len(plain.pairs))]  # fmt: skip
    _keep(lines, given)
    if given.out is None and (given.quick or given.places):
        print("\n".join(lines))
    print(f"best that words do: {worst:.3f}; limit {LIMIT}", file=sys.stderr)
    return int(worst > LIMIT)


def _keep(lines: Sequence[str], given: argparse.Namespace) -> None:
    """Write what there is so far, where a page is wanted."""
    if given.out is not None or not (given.quick or given.places):
        (given.out or OUT).write_text("\n".join(lines) + "\n", encoding="utf-8")


INTRODUCTION = """# What drawn cases give away

Printed by `python -m scripts.charter_cases`.

A case comes in a square: two situations that differ in one fact or circumstance, under two charters
that differ in one respect, with crossed verdicts. A word of the situation, and a word of the norms,
then stands as often beside either verdict; only both read together decide. Learned from:
{learn:,} cases of the families of wordings kept for training. Asked: {ask:,} near-miss pairs of the
other families, {ask:,} times two cases.

*Right verdicts*: share of the cases of the pairs, with its 95 % interval (n = pairs, for the two
cases of a pair are not independent). *Both of a pair*: share of pairs with both right. *Put in
order*: share of pairs in which, told which two verdicts occur, the answer puts each on the right
side; ties count half. Between two verdicts, chance is one half, one quarter (nothing, for who
answers a pair alike) and one half.

*All verdicts* has pairs about missing facts too. There, a fact that is told stands against one that
is not, and saying that something is not known makes it likelier that one has to ask; that cannot be
crossed away, because a verdict that is settled on few facts stays so on more.

The control without swapped charters shows why they are there: under one charter alone, the fact
that decides tells its verdict to whoever counts words."""


if __name__ == "__main__":
    sys.exit(main())
