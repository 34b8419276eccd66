"""Open two models and look where they differ: weights, what states say, what states do."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from normwright.flow.extras import require_learning
from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from normwright.evaluate.locating import LayerDelta, PatchRow, ProbeGap, ProbeRow
    from normwright.models.activations import Question
    from normwright.models.local import LocalModel

Told: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Located:
    """Where two models differ."""

    before: Path
    after: Path
    deltas: tuple[LayerDelta, ...]
    probes: tuple[ProbeRow, ...]
    gaps: tuple[ProbeGap, ...]
    control: str
    """What shares a random label in the control task; empty without probes."""
    patches: tuple[PatchRow, ...]
    questions: int
    notes: tuple[str, ...]
    seed: int

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "before": str(self.before), "after": str(self.after),
            "deltas": [d.as_json() for d in self.deltas],
            "probes": [p.as_json() for p in self.probes],
            "probe_gaps": [
                {"layer": g.layer, "difference": g.difference.as_json()} for g in self.gaps
            ],
            "control_task": self.control or None,
            "patching": [p.as_json() for p in self.patches],
            "questions": self.questions, "notes": list(self.notes), "seed": self.seed,
        }  # fmt: skip


def located(
    before: Path,
    after: Path,
    *,
    probe_data: Path | None = None,
    suite: str | None = None,
    data: Path | None = None,
    lang: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    told: Told | None = None,
) -> Located:
    """Return where two models of one shape differ.

    Args:
        before: A, a model directory.
        after: B, of the same shape and tokens.
        probe_data: rows with a `text` and a `label` that probes are to read; None leaves them out.
        suite: questions for patching; None leaves it out.
        data: the suite's rows.
        lang: language of the questions; None is the first the suite is known in.
        limit: questions, at most.
        seed: seed of everything drawn.
        threads: None is one a core.
        told: told how far it is.

    Raises:
        InputError: with every fault of models and files, also if the models are not of one shape.
        MissingExtra: if models cannot be opened here.
    """
    require_learning("Looking into models")
    from normwright.evaluate.locating import layer_deltas, read_probe_items
    from normwright.models.activations import weight_deltas
    from normwright.models.local import LocalModel, use_threads

    tell = told or (lambda done, total, what: None)
    if (suite is None) != (data is None):
        raise InputError([Fault(where="--suite, --data", expected="both, or neither",
                                seen="one of them")])  # fmt: skip
    items = None if probe_data is None else read_probe_items(probe_data)
    use_threads(threads)
    a, b = (LocalModel.open(place, chat=False) for place in (before, after))
    a.name, b.name = "A", "B"
    tell(0, 3, "weights")
    deltas = layer_deltas(weight_deltas(a, b, seed=seed))
    notes = []
    probes: tuple[Any, ...] = ((), (), "")
    tell(1, 3, "probes")
    if items is None:
        notes.append("No probe: give rows with a label (--probe-data).")
    else:
        probes = _probed(a, b, items, seed)
    tell(2, 3, "patching")
    patches: Sequence[PatchRow] = ()
    count = 0
    if suite is None or data is None:
        notes.append("No patching: give questions (--suite, --data).")
    else:
        asked, clusters, left = _questions(a, suite, data, lang, limit, seed)
        notes += [f"{left} questions are longer than the model reads and were left out."] * bool(
            left
        )
        patches, count = _patched(a, b, asked, clusters, seed), len(asked)
    tell(3, 3, "")
    return Located(before, after, tuple(deltas), tuple(probes[0]), tuple(probes[1]), probes[2],
                   tuple(patches), count, tuple(notes), seed)  # fmt: skip


def _probed(a: LocalModel, b: LocalModel, items: Sequence[Any], seed: int) -> tuple[Any, ...]:
    from normwright.evaluate.locating import probe
    from normwright.models.activations import last_states

    most = int(a.weights.config.max_position_embeddings)
    texts = [list(a.tokenizer(item.text)["input_ids"])[-most:] for item in items]
    return probe({m.name: last_states(m, texts) for m in (a, b)}, items, seed=seed)


def _questions(
    model: LocalModel, suite: str, data: Path, lang: str | None, limit: int | None, seed: int
) -> tuple[list[Question], list[str], int]:
    """Questions with their right answer and one wrong one that the seed fixes."""
    from normwright.evaluate import asking
    from normwright.evaluate.harness import harness_version, prompts_of
    from normwright.flow.taxes import read_named
    from normwright.models.activations import Question

    found = read_named([suite], data, limit, seed)
    benchmark = next((b for b in found if lang in (None, b.lang)), None)
    if benchmark is None:
        raise InputError([Fault(where="--lang", expected=", ".join(b.lang for b in found),
                                seen=str(lang))])  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="normwright-") as folder:
        prompts = prompts_of(asking(benchmark, Path(folder), version=harness_version()).task)
    most = int(model.weights.config.max_position_embeddings)
    out, clusters, left = [], [], 0
    for item, prompt in zip(benchmark.items, prompts, strict=True):
        wrong = [c for c, right in zip(item.choices, item.right, strict=True) if not right]
        chosen = random.Random(f"{seed}|{item.id}").choice(wrong)
        context = list(model.tokenizer(prompt)["input_ids"])
        answers = [
            list(model.tokenizer(f"{prompt} {text}")["input_ids"])[len(context) :]
            for text in (item.choices[item.right.index(True)], chosen)
        ]
        if not all(answers) or len(context) + max(map(len, answers)) > most:
            left += 1
            continue
        out.append(Question(context, *answers))
        clusters.append(item.cluster or item.id)
    if len(out) < 2:
        raise InputError([Fault(where=str(data), expected="2 questions that the model can read",
                                seen=str(len(out)))])  # fmt: skip
    return out, clusters, left


def _patched(
    a: LocalModel, b: LocalModel, asked: Sequence[Question], clusters: Sequence[str], seed: int
) -> list[PatchRow]:
    from normwright.evaluate.locating import Patched, elsewhere, patching
    from normwright.models.activations import margins, patched_margins, swapped_margins

    own, other = range(len(asked)), [int(i) for i in elsewhere(len(asked), seed=seed)]
    layers = int(a.weights.config.num_hidden_layers)
    found = Patched(
        margins(a, asked), margins(b, asked),
        list(patched_margins(a, b, asked, own)), list(patched_margins(a, b, asked, other)),
        [swapped_margins(a, b, asked, k) for k in range(1, layers + 1)],
        clusters if len(set(clusters)) > 1 else [str(i) for i in range(len(asked))],
    )  # fmt: skip
    return patching(found, seed=seed)
