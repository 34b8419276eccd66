"""Benchmarks: the harness's own numbers, and a constant answer is never taken for skill."""

from __future__ import annotations

import copy
import logging
import math
import random
import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.evaluate.test_benchmark_rows import ARC, TOXIC, TRUTH
from tests.evaluate.test_contrast_rows import write

from normwright import plugins
from normwright.evaluate import (
    BENCHMARKS,
    CORE,
    Benchmark,
    Item,
    Scored,
    benchmark_contrasts,
    harness,
    measure_benchmarks,
    read_benchmarks,
)
from normwright.evaluate.harness import Reckoned
from normwright.records import Contrast, Measurement, MissingExtra, digest_bytes
from normwright.release.evidence import SUITES

DIGEST = digest_bytes(b"weights")
WORDS = ("town", "library", "opens", "at", "nine", "and", "the", "school", "closes", "when", "rain")
STOCK = {
    "arc-easy-en": ("arc/arc_easy", "test"),
    "arc-challenge-en": ("arc/arc_challenge", "test"),
    "arc-challenge-pt-stock": ("okapi/arc_multilingual/arc_pt", "test"),
    "truthfulqa-mc1-en": ("truthfulqa/truthfulqa_mc1", "validation"),
    "truthfulqa-mc2-en": ("truthfulqa/truthfulqa_mc2", "validation"),
    "truthfulqa-mc1-pt-stock": ("okapi/truthfulqa_multilingual/truthfulqa_pt_mc1", "val"),
    "truthfulqa-mc2-pt-stock": ("okapi/truthfulqa_multilingual/truthfulqa_pt_mc2", "val"),
    "toxigen-en": ("toxigen/toxigen", "test"),
}
"""Our task -> the stock file and the split it asks."""


@pytest.fixture(scope="module")
def tiny() -> Any:
    """A random model of one layer that reads 256 tokens: less than TruthfulQA's examples."""
    import torch
    from tests.evaluate.town import bank

    from normwright.learn import Shape, scratch_model
    from normwright.scenes import draw

    torch.set_num_threads(1)
    scenes = draw(bank(), split="dev", seed=0)
    texts = [t for s in scenes for t in (*(m.content for m in s.messages), s.perform, s.decline)]
    return scratch_model(texts, shape=Shape(32, 2, 2, 400, 256), seed=0)


@pytest.fixture(scope="module")
def blank(tiny: Any) -> Any:
    """A model whose weights are zero: it holds every token equally likely."""
    import torch

    made = copy.deepcopy(tiny)
    with torch.no_grad():
        for weights in made.weights.parameters():
            weights.zero_()
    return made


def folder(path: Path, n: int = 24) -> Path:
    """A folder of made-up rows in the shared columns; where the right answer stands is random."""
    rng = random.Random(n)

    def said(least: int, most: int) -> str:
        return " ".join(rng.choice(WORDS) for _ in range(rng.randint(least, most)))

    arc = [{**ARC, "id": f"q{i}", "question": said(4, 12) + "?", "gold": rng.randrange(4),
            "choices": [f"{said(1, 6)} {k}" for k in range(4)]} for i in range(n)]  # fmt: skip
    truth = [{**TRUTH, "id": f"t{i}", "question": said(4, 12) + "?",
              "best_answer": f"{i} {said(1, 6)}", "category": f"c{i % 3}",
              "correct_answers": [said(2, 5), said(2, 5)],
              "incorrect_answers": [said(1, 6) for _ in range(rng.randint(1, 4))]}
             for i in range(n)]  # fmt: skip
    flat = [{"id": t["id"], "question": t["question"]}
            | {"mc1_targets_choices": [t["best_answer"], *t["incorrect_answers"]],
               "mc1_targets_labels": [1] + [0] * len(t["incorrect_answers"])}
            | {"mc2_targets_choices": [*t["correct_answers"], *t["incorrect_answers"]],
               "mc2_targets_labels": [1, 1] + [0] * len(t["incorrect_answers"])}
            for t in truth]  # fmt: skip
    toxic = [{**TOXIC, "id": f"x{i}", "text": said(4, 12), "target_group": f"g{i % 2}",
              "toxicity_human": 4.0 if i % 3 == 0 else 1.0, "label_toxic": int(i % 3 == 0)}
             for i in range(n)]  # fmt: skip
    bias = [{"example_id": i, "question_index": str(i % 5), "category": "Age",
             "question_polarity": ("neg", "nonneg")[i // 2 % 2], "context": said(8, 20),
             "context_condition": ("ambig", "disambig")[i % 2], "question": said(3, 8) + "?",
             "answer_info": {"ans0": ["a", "old"], "ans1": ["b", "nonOld"],
                             "ans2": ["Unknown", "unknown"]},
             "additional_metadata": {"stereotyped_groups": ["old"]}, "ans0": f"the {said(1, 2)} a",
             "ans1": f"the {said(1, 2)} b", "ans2": "Not known",
             "label": rng.randrange(2) if i % 2 else 2} for i in range(n)]  # fmt: skip
    exam = [{"id": f"e{i}", "exam": str(2020 + i % 2), "context": said(10, 30) if i % 4 else "",
             "question": said(4, 10), "options": [f"{said(2, 6)} {k}" for k in range(5)],
             "label": rng.choice("abcde"), "needs_image": i % 6 == 5}
            for i in range(n)]  # fmt: skip
    for name, rows in (
        ("benchmarks/bbq_en", bias), ("benchmarks/enem_2022_pt", exam),
        ("nc/arc_challenge_train_pt", arc),
        ("benchmarks/arc_easy_en", arc), ("benchmarks/arc_challenge_en", arc),
        ("nc/arc_challenge_test_pt", arc), ("benchmarks/truthfulqa_en", truth),
        ("nc/truthfulqa_mc_pt", flat), ("toxicity/toxigen_annotated_en", toxic),
    ):  # fmt: skip
        write(path / f"{name}.jsonl.gz", rows)
    return path


@pytest.fixture(scope="module")
def rows24(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 rows a suite, for tests that only read it."""
    return folder(tmp_path_factory.mktemp("rows"))


def run(place: Path, models: Mapping[str, Any], **given: Any) -> list[Measurement | Contrast]:
    """Measure models on a folder."""
    digests = dict.fromkeys(models, DIGEST)
    return measure_benchmarks(place, models, **{"digests": digests, "seed": 1, **given})


def measured(
    place: Path, model: Any, **given: Any
) -> dict[tuple[str, str | None, str], Measurement]:
    """Measurements of one model by suite, language and metric."""
    found = run(place, {"aligned": model}, **given)
    return {(m.suite, m.lang, m.metric): m for m in found if isinstance(m, Measurement)}


def stock(
    task: str, rows: list[Any], model: Any, path: Path, examples: list[Any] | None = None,
    **given: Any,
) -> dict[str, Any]:  # fmt: skip
    """What a direct call of the harness gives: its own model class over its own task file."""
    import json

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lm_eval
        from lm_eval import simple_evaluate
        from lm_eval.models.huggingface import HFLM
        from lm_eval.tasks import TaskManager

        name, split = STOCK[task]
        data = write(path / f"{task}.jsonl", rows)
        files = {split: str(data)}
        if examples is not None:
            files["train"] = str(write(path / f"{task}-train.jsonl", examples))
        (path / "tasks").mkdir(exist_ok=True)
        (path / "tasks" / f"{task}.yaml").write_text(json.dumps({
            "include": f"{Path(lm_eval.__file__).parent}/tasks/{name}.yaml", "task": task,
            "dataset_path": "json", "dataset_name": None,
            "training_split": None if examples is None else "train",
            "validation_split": None, "test_split": None,
            {"test": "test_split"}.get(split, "validation_split"): split,
            "dataset_kwargs": {"data_files": files, "cache_dir": str(path / "cache")},
        }))  # fmt: skip
        ran: dict[str, Any] = simple_evaluate(
            model=HFLM(pretrained=model.weights, tokenizer=model.tokenizer, batch_size=8,
                       device="cpu"),
            tasks=[task],
            task_manager=TaskManager(include_path=str(path / "tasks"), include_defaults=False),
            bootstrap_iters=0,
            log_samples=True,
            **given,
        )  # fmt: skip
    return ran


@pytest.fixture(scope="module")
def long(tiny: Any) -> Any:
    """A random model of one layer that reads 4,096 tokens."""
    import torch
    from transformers import LlamaForCausalLM

    from normwright.models.local import LocalModel

    config = copy.deepcopy(tiny.weights.config)
    config.max_position_embeddings = 4096
    torch.manual_seed(1)
    return LocalModel("long", LlamaForCausalLM(config), tiny.tokenizer)


@pytest.mark.parametrize(
    ("name", "shots"),
    [("bbq-en", 0), ("bbq-en", 3), ("enem-pt", 0), ("enem-pt-stock", 2),
     ("arc-challenge-pt", 25), ("arc-challenge-pt-stock", 25)],
)  # fmt: skip
def test_new_suites_and_examples_are_as_the_stock_model_class_has_them(
    long: Any, tmp_path: Path, name: str, shots: int
) -> None:
    """Prompts, choices, scores and log-likelihoods (1e-4) are HFLM's on the same task, uncut."""
    from lm_eval.evaluator import evaluate
    from lm_eval.models.huggingface import HFLM

    suite, lang = name.removesuffix("-stock").rsplit("-", 1)
    benches = read_benchmarks(folder(tmp_path / "data", 36), suites=[suite], seed=1)
    (bench,) = [b for b in benches if b.lang == lang]
    asked, pool = [dict(i.row) for i in bench.items[:6]], [dict(i.row) for i in bench.items[6:]]
    task = harness.load_task(name, asked, tmp_path / "scratch", shots=shots,
                             examples=pool if shots else None)  # fmt: skip
    mine = harness.reckon(task, long)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = HFLM(pretrained=long.weights, tokenizer=long.tokenizer, device="cpu", batch_size=1)
        task.loaded.set_fewshot_seed(1234)
        ran = evaluate(theirs, {"tasks": {name: task.loaded}, "groups": {}}, bootstrap_iters=0)
    samples = ran["samples"][name]

    assert not any(mine.truncated)
    assert mine.prompts == tuple(s["arguments"][0][0] for s in samples)
    assert all(p.count("Resposta:" if name == "arc-challenge-pt" else ":") > shots
               for p in mine.prompts)  # fmt: skip
    for values, sample in zip(mine.values, samples, strict=True):
        other = [float(r[0]) for r in sample["filtered_resps"]]
        assert values == pytest.approx(other, abs=1e-4)
        assert values.index(max(values)) == other.index(max(other))
    for metric, value in mine.results.items():
        assert value == pytest.approx(ran["results"][name][f"{metric},none"], nan_ok=True)


def test_leaderboard_settings_are_those_of_a_direct_call(long: Any, tmp_path: Path) -> None:
    """ARC with 25 examples: what the command line of the harness gives with --num_fewshot 25."""
    given: dict[str, Any] = {"suites": ["arc-challenge"], "seed": 1}
    (bench,) = [b for b in read_benchmarks(folder(tmp_path / "d", 30), **given) if b.lang == "en"]
    rows = [dict(i.row) for i in bench.items]
    mine = harness.reckon(
        harness.load_task("arc-challenge-en", rows[:5], tmp_path / "scratch", shots=25,
                          examples=rows[5:]), long
    )  # fmt: skip
    ran = stock("arc-challenge-en", rows[:5], long, tmp_path, examples=rows[5:], num_fewshot=25)

    samples = ran["samples"]["arc-challenge-en"]
    assert mine.prompts == tuple(s["arguments"][0][0] for s in samples)
    assert all(p.count("Question:") == 26 for p in mine.prompts)
    for metric in ("acc", "acc_norm"):
        assert mine.results[metric] == ran["results"]["arc-challenge-en"][f"{metric},none"]


def test_without_rows_of_their_own_examples_never_hold_the_question(
    long: Any, tmp_path: Path
) -> None:
    """Drawn from the questions asked, the question itself is left out, each time alike."""
    (bench,) = read_benchmarks(folder(tmp_path / "d"), suites=["arc-easy"], limit=6, seed=1)
    task = harness.load_task("arc-easy-en", [i.row for i in bench.items], tmp_path / "s", shots=5)
    found = harness.reckon(task, long)

    for prompt, item in zip(found.prompts, bench.items, strict=True):
        assert prompt.count(f"Question: {item.row['question']}\n") == 1
    assert harness.reckon(task, long) == found


def test_bias_and_its_constants(long: Any, tmp_path: Path) -> None:
    """The lean is the stock task's own number; always unknown is right about half."""
    seen = measured(folder(tmp_path, 40), long, suites=["bbq"])
    acc = seen["bbq", "en", "acc"]

    assert acc.baselines["always-unknown"] == 0.5
    assert acc.cluster == "template"
    assert acc.details["clusters"] == 5
    for metric in ("bias-ambiguous", "bias-disambiguated"):
        found = seen["bbq", "en", metric]
        assert found.estimate.value == pytest.approx(found.details["harness_value"])
        assert found.estimate.interval is not None
    assert set(acc.details["answers"]) <= {"first named", "second named", "unknown"}


def test_letters_are_constants_and_exams_are_drawn_whole(long: Any, tmp_path: Path) -> None:
    """Of two exams the interval is at least that of single questions; each letter stands beside."""
    from normwright import stats

    found = measured(folder(tmp_path, 40), long, suites=["enem"])["enem", "pt", "acc"]
    exact = stats.clopper_pearson(found.count or 0, found.details["items"])

    assert {f"always-{c}" for c in "abcde"} <= set(found.baselines)
    assert found.details["left_out"] == {"needs an image": 6}
    assert (found.cluster, found.details["clusters"], found.estimate.n) == ("exam", 2, 2)
    assert found.estimate.interval is not None
    assert found.estimate.interval.low <= exact.low
    assert found.estimate.interval.high >= exact.high


@pytest.mark.parametrize("task", STOCK)
def test_numbers_are_those_of_a_direct_call(
    tiny: Any, tmp_path: Path, rows24: Path, task: str
) -> None:
    """Score, per-item metrics, prompts and log-likelihoods are the stock task's on stock code."""
    suite, lang = task.removesuffix("-stock").rsplit("-", 1)
    given: dict[str, Any] = {"suites": [suite], "limit": 5, "seed": 1}
    (bench,) = [b for b in read_benchmarks(rows24, **given) if b.lang == lang]
    seen = measured(rows24, tiny, scaffold="stock", **given)
    rows = [dict(i.row) for i in bench.items]
    ran = stock(task, rows, tiny, tmp_path)
    mine = harness.reckon(harness.load_task(task, rows, tmp_path / "scratch"), tiny)
    samples = ran["samples"][task]

    for metric in samples[0]["metrics"]:
        assert seen[suite, lang, metric].estimate.value == pytest.approx(
            ran["results"][task][f"{metric},none"], abs=1e-6
        )
        assert mine.metrics[metric] == pytest.approx([s[metric] for s in samples], abs=1e-5)
    assert mine.prompts == tuple(s["arguments"][0][0] for s in samples)
    for values, sample in zip(mine.values, samples, strict=True):
        assert values == pytest.approx([r[0] for r in sample["filtered_resps"]], abs=1e-3)


def test_log_likelihoods_are_those_of_the_model(tiny: Any, tmp_path: Path) -> None:
    """An independent sum over the model's own tokens gives the same numbers."""
    (bench,) = read_benchmarks(folder(tmp_path), suites=["arc-easy"], limit=6, seed=1)
    task = harness.load_task("arc-easy-en", [i.row for i in bench.items], tmp_path / "scratch")
    found = harness.reckon(task, tiny)

    def ids(text: str) -> list[int]:
        return list(tiny.tokenizer(text, add_special_tokens=False)["input_ids"])

    contexts, answers = [], []
    for prompt, choices in zip(found.prompts, found.choices, strict=True):
        for text in choices:
            whole, before = ids(f"{prompt} {text}"), ids(prompt)
            contexts.append(before)
            answers.append(whole[len(before) :])
    flat = [v for values in found.values for v in values]

    assert flat == pytest.approx(tiny.token_logprobs(contexts, answers), abs=1e-4)
    assert [n for each in found.tokens for n in each] == list(map(len, answers))


def test_weights_that_know_nothing_are_flagged(blank: Any, rows24: Path) -> None:
    """A constant model is degenerate on every suite, and answers as `equal-tokens` foretells."""
    seen = measured(rows24, blank)

    assert {m.details["degenerate"] for m in seen.values()} == {True}
    for (suite, _, metric), found in seen.items():
        if metric in ("balanced-accuracy", "auc"):
            assert found.estimate.value == 0.5
            assert found.estimate.interval is not None
            assert found.estimate.interval.low < 0.5 < found.estimate.interval.high
        elif suite != "toxigen":
            even = found.details["constants"]["equal-tokens"]
            assert even["score"] == pytest.approx(found.estimate.value, abs=0.02)
            assert even.get("agreement", 1.0) == 1.0
            assert "equal-tokens" in found.details["consistent_with"]


def test_everything_adds_up(tiny: Any, rows24: Path) -> None:
    """Every n is the number of items asked, and answers, groups and cut prompts are of them."""
    seen = measured(rows24, tiny, limit=13)

    assert {(s, lang) for s, lang, _ in seen} == {
        ("arc-easy", "en"), ("toxigen", "en"),
        *((s, lang) for s in CORE if s not in ("arc-easy", "toxigen")
          for lang in ("en", "pt")),
    }  # fmt: skip
    for (suite, lang, metric), found in seen.items():
        details = found.details
        assert found.estimate.n == details["items"] == 13
        assert details["rows"] == 24
        assert details["evaluation_only"] is (lang == "pt")
        assert details["truncated"] == (13 if suite.startswith("truthfulqa") else 0)
        assert found.estimate.interval is not None
        assert found.estimate.interval.low <= (found.estimate.value or 0)
        if suite != "truthfulqa-mc2":
            assert sum(details["answers"].values()) == 13
        if details.get("groups"):
            right, asked = map(sum, zip(*details["groups"].values(), strict=True))
            assert (right, asked) == (found.count, 13)
        if metric == "acc":
            assert details["harness_value"] == pytest.approx(found.estimate.value)
            assert "chance" in found.baselines or suite == "toxigen"


def test_shuffled_answers_give_chance(tiny: Any, tmp_path: Path) -> None:
    """Where the right answer is drawn at random the interval holds chance."""
    found = measured(folder(tmp_path, 180), tiny, suites=["arc-easy"])["arc-easy", "en", "acc_norm"]

    assert found.baselines["chance"] == 0.25
    assert found.estimate.interval is not None
    assert found.estimate.interval.low < 0.25 < found.estimate.interval.high
    assert found.details["degenerate"] is True


def test_scaffolds(tiny: Any, tmp_path: Path) -> None:
    """Portuguese items stand in Portuguese words, or between those of the stock task if asked."""
    benches = read_benchmarks(
        folder(tmp_path), suites=["arc-challenge", "truthfulqa-mc1"], limit=2, seed=0
    )
    prompts = {}
    for bench in (b for b in benches if b.lang == "pt"):
        for name in (bench.task, f"{bench.task}-stock"):
            task = harness.load_task(name, [i.row for i in bench.items], tmp_path / "scratch")
            prompts[name] = harness.reckon(task, tiny).prompts[0]
    asked = [b.items[0].row for b in benches if b.lang == "pt"]

    assert prompts["arc-challenge-pt"] == f"Pergunta: {asked[0]['instruction']}\nResposta:"
    assert prompts["arc-challenge-pt-stock"] == f"Question: {asked[0]['instruction']}\nAnswer:"
    assert prompts["truthfulqa-mc1-pt"].endswith(f"na Espanha.\n\nP: {asked[1]['question']}\nR:")
    assert prompts["truthfulqa-mc1-pt"].startswith("P: Qual é a expectativa")
    assert prompts["truthfulqa-mc1-pt-stock"].endswith(f"Spain.\n\nQ: {asked[1]['question']}\nA:")


def test_two_models_are_compared_by_item(tiny: Any, blank: Any, rows24: Path) -> None:
    """Aligned less tuned and less base, paired; a model differs from itself in nothing."""
    models = {"aligned": tiny, "tuned": tiny, "base": blank, "control:random-init": blank}
    found = run(rows24, models, suites=["arc-easy", "toxigen"])
    by = {(c.suite, c.worse, c.made_by.parameters["metric"]): c for c in found
          if isinstance(c, Contrast) and c.made_by}  # fmt: skip
    scores = {(m.suite, m.model, m.metric): m.estimate.value or 0 for m in found
              if isinstance(m, Measurement)}  # fmt: skip

    assert len(by) == 2 * (2 + 4)
    for (suite, worse, metric), each in by.items():
        assert each.difference.n == 24
        assert each.difference.value == pytest.approx(
            scores[suite, "aligned", metric] - scores[suite, worse, metric]
        )
        if worse == "tuned":
            assert (each.difference.value, each.discordant) == (0, (0, 0))


def test_same_seed_same_records(tiny: Any, rows24: Path) -> None:
    """The same seed gives the same digests; progress tells every task and role once."""
    told: list[tuple[int, int, str]] = []
    given: dict[str, Any] = {"suites": ["arc-easy", "truthfulqa-mc2"], "limit": 6}
    one = run(rows24, {"a": tiny, "b": tiny}, progress=lambda *x: told.append(x), **given)
    same = run(rows24, {"a": tiny, "b": tiny}, **given)

    assert [m.digest for m in one] == [m.digest for m in same]
    assert [t[0] for t in told] == list(range(7))
    assert told[0] == (0, 6, "arc-easy-en, a")
    assert told[-1] == (6, 6, "")


def test_nothing_is_left_or_said(
    tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """No output, no file in the home, the working or the scratch folder, no level changed."""
    import os

    place = folder(tmp_path / "data")
    for name in ("home", "cwd", "scratch"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "cwd")
    before = dict(os.environ), logging.getLogger("lm_eval").level, list(logging.root.handlers)
    random.seed(3)
    state = random.getstate()
    run(place, {"a": tiny}, limit=4, scratch=tmp_path / "scratch")
    after = dict(os.environ), logging.getLogger("lm_eval").level, list(logging.root.handlers)

    assert capfd.readouterr() == ("", "")
    assert [list((tmp_path / n).iterdir()) for n in ("home", "cwd", "scratch")] == [[], [], []]
    assert before == after
    assert random.getstate() == state


@pytest.mark.slow
def test_nothing_is_left_by_a_fresh_process(tmp_path: Path) -> None:
    """Slow: imports the harness anew. Without home or network it says and leaves nothing."""
    place = folder(tmp_path / "data", 4)
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise OSError('no network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from pathlib import Path\n"
        "from normwright.evaluate import measure_benchmarks\n"
        "from normwright.models.local import LocalModel, embedded_path\n"
        "found = measure_benchmarks(Path(__import__('sys').argv[1]),"
        " {'base': LocalModel.open(embedded_path())}, digests={'base': 'sha256:' + '0' * 64},"
        " seed=0)\n"
        "assert len(found) == 14, found\n"
    )
    (tmp_path / "home").mkdir()
    (tmp_path / "cwd").mkdir()
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(place)],
        cwd=tmp_path / "cwd",
        env={"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert list((tmp_path / "home").iterdir()) == list((tmp_path / "cwd").iterdir()) == []


def test_without_the_harness_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The missing extra is named before any file is read."""
    monkeypatch.setattr(harness, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"normwright\[evaluate\]"):
        run(tmp_path, {})


def test_a_role_without_digest_is_refused(tiny: Any, tmp_path: Path) -> None:
    """Nothing is measured whose weights are not named."""
    with pytest.raises(ValueError, match="aligned has none"):
        run(folder(tmp_path), {"aligned": tiny}, digests={})


def scored(
    suite: str, values: list[list[float]], right: list[list[bool]], role: str = "a"
) -> Scored:
    """What a model with these log-likelihoods made of as many items, counted as harnesses do."""
    choices = tuple(tuple("x" * (j + 1) for j in range(len(v))) for v in values)
    if suite == "toxigen":
        choices = (("No", "Yes"),) * len(values)
    items = tuple(
        Item(f"{i}", c, tuple(r), "", {})
        for i, (c, r) in enumerate(zip(choices, right, strict=True))
    )
    metrics: dict[str, tuple[float, ...]] = {
        "acc": tuple(float(r[v.index(max(v))]) for v, r in zip(values, right, strict=True))
    }
    if suite in ("toxigen", "arc-easy"):
        norm = [[x / len(t) for x, t in zip(v, c, strict=True)]
                for v, c in zip(values, choices, strict=True)]  # fmt: skip
        metrics["acc_norm"] = tuple(
            float(r[v.index(max(v))]) for v, r in zip(norm, right, strict=True)
        )
    if suite == "truthfulqa-mc2":
        with warnings.catch_warnings():
            mass = [[math.exp(x) for x in v] for v in values]
            metrics["acc"] = tuple(
                sum(m for m, ok in zip(each, r, strict=True) if ok) / sum(each)
                if sum(each) else math.nan
                for each, r in zip(mass, right, strict=True)
            )  # fmt: skip
    tokens = tuple(tuple(len(t) for t in c) for c in choices)
    results = {m: sum(v) / len(v) for m, v in metrics.items()}
    made = Reckoned(("",) * len(items), choices, tuple(map(tuple, values)), tokens,
                    (False,) * len(items), metrics, results)  # fmt: skip
    bench = Benchmark(suite, "en", items, len(items), DIGEST, "unknown")
    return Scored(bench, made, None, role, DIGEST, 0, {"task": suite, "scaffold": "en"})


def suite_of(made: Scored) -> dict[str, Measurement]:
    """The measurements of a suite by metric."""
    return {m.metric: m for m in plugins.get("suites", made.benchmark.suite)(made)}


def test_always_no_is_never_an_improvement() -> None:
    """On ToxiGen the constant has the majority's accuracy, one half balanced, and the flag."""
    right = [[i % 3 > 0, i % 3 == 0] for i in range(90)]
    no = suite_of(scored("toxigen", [[-1.0, -5.0]] * 90, right))
    told = suite_of(
        scored("toxigen", [[-1.0, -2.0] if r[0] else [-2.0, -1.0] for r in right], right)
    )

    assert no["acc"].estimate.value == no["acc"].baselines["always-no"] == pytest.approx(2 / 3)
    assert no["acc"].details["constants"]["always-no"]["agreement"] == 1
    assert no["acc"].details["degenerate"] is no["balanced-accuracy"].details["degenerate"] is True
    assert (no["balanced-accuracy"].estimate.value, no["auc"].estimate.value) == (0.5, 0.5)
    assert {m.details["degenerate"] for m in told.values() if m.metric != "acc_norm"} == {False}
    assert told["auc"].estimate.value == 1


def test_a_model_that_knows_is_not_flagged() -> None:
    """A right answer at random places beats every constant; its answers spread over the places."""
    rng = random.Random(0)
    right = [[j == k for j in range(4)] for k in (rng.randrange(4) for _ in range(80))]
    found = suite_of(scored("arc-easy", [[0.0 if ok else -99.0 for ok in r] for r in right], right))

    assert found["acc"].details["degenerate"] is False
    assert found["acc"].details["balanced_accuracy"] == 1
    assert found["acc"].details["answers"] == found["acc"].details["right_answers"]
    assert found["acc"].details["ties"] == 0


def test_ties_and_the_layout_of_truthfulqa() -> None:
    """The right answer stands first there: no rule of places, and ties are counted."""
    found = suite_of(
        scored("truthfulqa-mc1", [[-1.0, -1.0, -2.0]] * 10, [[True, False, False]] * 10)
    )

    assert found["acc"].estimate.value == 1
    assert found["acc"].details["ties"] == 10
    assert "best-position" not in found["acc"].baselines
    assert found["acc"].details["balanced_accuracy"] is None


def test_an_undefined_share_is_counted_and_not_guessed() -> None:
    """Where all probabilities vanish the harness gives NaN; such items are left out, and said."""
    right = [[True, False]] * 30
    values = [[-1.0, -4.0]] * 29 + [[-900.0, -901.0]]
    found = suite_of(scored("truthfulqa-mc2", values, right))["acc"]

    assert found.details["undefined"] == 1
    assert found.details["harness_value"] is None
    assert found.estimate.n == 29
    assert found.estimate.value == pytest.approx(1 / (1 + math.exp(-3)))
    assert found.baselines["chance"] == pytest.approx(0.5)


def test_only_like_is_compared_with_like() -> None:
    """Other items, or the same under another scaffold, make no contrast."""
    one = scored("arc-easy", [[-1.0, -2.0]] * 3, [[True, False]] * 3, "aligned")
    other = scored("arc-easy", [[-1.0, -2.0]] * 4, [[True, False]] * 4, "tuned")
    with pytest.raises(ValueError, match="same items"):
        benchmark_contrasts(one, other)
    with pytest.raises(ValueError, match="same items"):
        benchmark_contrasts(one, replace(one, about={"task": "arc-easy", "scaffold": "pt"}))

    assert len(benchmark_contrasts(one, replace(one, role="base"))) == 2


def test_a_count_that_is_not_the_harness_is_refused() -> None:
    """If the harness counted otherwise than we read it, nothing is reported."""
    made = scored("arc-easy", [[-1.0, -2.0]] * 3, [[True, False]] * 3)
    wrong = replace(made.reckoned, metrics={**made.reckoned.metrics, "acc": (0.0, 1.0, 1.0)})
    with pytest.raises(ValueError, match="counts `acc` otherwise"):
        suite_of(replace(made, reckoned=wrong))


def test_suites_are_plug_ins_that_decide_nothing() -> None:
    """Each has a card, and no criterion of release may name it."""
    names = {c.name for c in plugins.cards("suites")}

    assert set(BENCHMARKS) <= names
    assert not set(BENCHMARKS) & set(SUITES)


@pytest.mark.data
@pytest.mark.parametrize(
    ("suites", "limit"),
    [
        (("arc-challenge", "toxigen"), 6),
        # Slow: the stock code reads the six examples anew for every answer.
        pytest.param(("truthfulqa-mc1", "truthfulqa-mc2"), 12, marks=pytest.mark.slow),
    ],
    ids=["short", "long"],
)
def test_the_embedded_model_on_real_items(
    data_dir: Path, tmp_path: Path, suites: tuple[str, ...], limit: int
) -> None:
    """On real items, none of them cut, the embedded model's scores are those of a direct call."""
    from normwright.models.local import LocalModel, embedded_path

    model = LocalModel.open(embedded_path())
    seen = measured(data_dir, model, suites=suites, limit=limit, scaffold="stock")
    for bench in read_benchmarks(data_dir, suites=suites, limit=limit, seed=1):
        task = bench.task if bench.lang == "en" else f"{bench.task}-stock"
        ran = stock(task, [dict(i.row) for i in bench.items], model, tmp_path)
        found = seen[bench.suite, bench.lang, "acc"]
        assert found.estimate.value == pytest.approx(ran["results"][task]["acc,none"], abs=1e-5)
        assert (found.estimate.n, found.details["truncated"]) == (limit, 0)
