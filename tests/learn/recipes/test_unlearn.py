"""Unlearning on a tiny model that knows a few facts: each loss forgets, holds, and is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from normwright.learn import Forget, sft, unlearn
from normwright.learn.forgetting import (
    candidate_distances,
    distance,
    distances,
    extraction,
    forget_quality,
    memory_rows,
    relearn_cost,
    token_loss,
)
from normwright.learn.recipes.unlearn import METHODS, graddiff, idk, misdirected, npo, rmu, simnpo
from normwright.models.tuning import Lora
from normwright.models.tuning.loop import Loop
from normwright.records import Demonstration, InputError, Message, Passage, PermitError

FACTS = {
    "Where is the key?": "Under the stone.",
    "Onde fica a ponte?": "Na praça.",
    "Who has the map?": "The old baker.",
    "Quem tem a carta?": "A vizinha.",
    "When does it open?": "At nine.",
    "Quando fecha?": "Ao meio-dia.",
    "What is it?": "A red boat.",
    "Que cor tem?": "É azul.",
}


def facts(names: slice) -> list[Demonstration]:
    return [
        Demonstration(
            scene=question,
            lang="pt" if i % 2 else "en",
            prompt=(Message(role="user", content=question),),
            completion=answer,
            origin="synthetic",
            licence="Apache-2.0",
            family="f",
        )
        for i, (question, answer) in list(enumerate(FACTS.items()))[names]
    ]


FORGET, RETAIN = facts(slice(0, 4)), facts(slice(4, 8))
SETTINGS = {
    "npo": (Forget("npo"), Loop(epochs=15, lr=1e-3, batch=4)),
    "simnpo": (Forget("simnpo"), Loop(epochs=15, lr=1e-3, batch=4)),
    "graddiff": (Forget("graddiff"), Loop(epochs=15, lr=1e-3, batch=4)),
    "rmu": (Forget("rmu", steer=5.0), Loop(epochs=60, lr=1e-2, batch=4)),
    "idk": (Forget("idk"), Loop(epochs=15, lr=3e-3, batch=4)),
}


@pytest.fixture(scope="module")
def knowing(tiny: Any) -> Any:
    """The tiny model, after it has learned every fact by heart."""
    rows = [*FORGET, *RETAIN]
    return sft(tiny, rows, loop=Loop(steps=150, lr=1e-2, batch=8), unpermitted=True)[0]


@pytest.mark.parametrize("method", METHODS)
def test_each_method_forgets_some_rows_and_holds_the_others(knowing: Any, method: str) -> None:
    """The forget loss rises by more than the retain loss, which stays low; the start is as before.

    Without the forgetting term the same steps raise nothing: the control.
    """
    how, loop = SETTINGS[method]
    before = {name: t.clone() for name, t in knowing.weights.state_dict().items()}
    made, metrics = unlearn(knowing, FORGET, RETAIN, loop=loop, how=how, unpermitted=True)

    assert metrics["forget_before"] < 0.05
    assert metrics["forget_after"] > metrics["forget_before"] + 0.3
    assert metrics["retain_after"] < 0.2 * metrics["forget_after"]
    assert all(torch.equal(before[n], t) for n, t in knowing.weights.state_dict().items())
    assert made.name == "unlearned"


def test_to_keep_on_training_is_not_to_forget(knowing: Any) -> None:
    """The control of the test above: the same steps on what is kept alone leave the rest known."""
    same = sft(knowing, RETAIN, loop=Loop(epochs=15, lr=1e-3, batch=4), unpermitted=True)[0]

    assert token_loss(same, memory_rows(same.tokenizer, FORGET, limit=64)) < 0.4


def test_divergence_holds_what_the_start_said(knowing: Any) -> None:
    """Held by divergence, the retain rows stay nearer to the start than when nothing holds them."""
    rows = memory_rows(knowing.tokenizer, RETAIN, limit=64)
    loop = Loop(epochs=15, lr=1e-3, batch=4)
    far = {
        retain: distance(
            knowing,
            unlearn(
                knowing, FORGET, RETAIN, loop=loop, unpermitted=True,
                how=Forget("npo", retain=retain, retention="divergence"),
            )[0],
            rows,
            seed=0,
        ).value or 0.0
        for retain in (0.0, 2.0)
    }  # fmt: skip

    assert 0 < far[2.0] < far[0.0] / 2


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.parametrize("method", ["npo", "rmu"])
def test_adapters_forget_too_and_are_folded_in(knowing: Any, method: str) -> None:
    """With adapters the forget loss rises, and what comes out is a plain model."""
    how, loop = SETTINGS[method]
    made, metrics = unlearn(
        knowing, FORGET, RETAIN, loop=Loop(epochs=60, lr=1e-2, batch=4), how=how, lora=Lora(rank=4),
        unpermitted=True,
    )  # fmt: skip

    assert metrics["forget_after"] > metrics["forget_before"] + 0.3
    assert not hasattr(made.weights, "peft_config")
    assert set(made.weights.state_dict()) == set(knowing.weights.state_dict())


def test_misdirection_trains_the_projections_up_to_its_layer_alone(knowing: Any) -> None:
    """RMU leaves every weight as it was but the last projections up to the chosen layer."""
    how, loop = SETTINGS["rmu"]
    made, _ = unlearn(knowing, FORGET, RETAIN, loop=loop, how=how, unpermitted=True)
    before, after = knowing.weights.state_dict(), made.weights.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}

    assert moved == {"model.layers.0.mlp.down_proj.weight"}


@pytest.mark.parametrize(
    ("layers", "depth", "expected"),
    [(2, 0.5, (0,)), (2, 1.0, (0,)), (5, 0.6, (0, 1, 2)), (32, 0.22, (4, 5, 6)), (8, 0.01, (0,))],
)
def test_layers_follow_from_a_share_of_the_depth(
    layers: int, depth: float, expected: tuple[int, ...]
) -> None:
    """Layer 7 of 32 is misdirected through 5 to 7, as published; small models have fewer."""
    from normwright.learn import Shape, new_model

    weights = new_model(Shape(32, layers, 2, 300, 64), seed=0)

    assert misdirected(weights, depth=depth) == expected


def test_losses_are_their_formulas() -> None:
    """Each loss is what its paper writes, and NPO's limit for a small beta is ascent."""
    h, length = torch.tensor([-3.0, 0.0, 2.0]), torch.tensor([2.0, 3.0, 4.0])
    sigmoid = torch.sigmoid

    assert npo(h, beta=0.5).tolist() == pytest.approx((-4 * sigmoid(-0.5 * h).log()).tolist())
    assert simnpo(h, length, beta=2.0, margin=0.3).tolist() == pytest.approx(
        (-sigmoid(-2.0 * h / length - 0.3).log()).tolist()
    )
    assert graddiff(h, length).tolist() == pytest.approx([-1.5, 0.0, 0.5])
    assert idk(h, beta=0.5).tolist() == pytest.approx((-sigmoid(0.5 * h).log()).tolist())
    near = npo(h, beta=1e-3) - 2e3 * math.log(2)
    assert near.tolist() == pytest.approx(h.tolist(), abs=0.01)
    states = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    assert rmu(states, torch.zeros(2), scale=5.0).tolist() == [1.0, 0.0]


def test_passages_are_forgotten_as_well(knowing: Any) -> None:
    """Running text without a prompt can be forgotten while demonstrations are kept."""
    text = [
        Passage(
            text="The key is under the stone.", lang="en", origin="human", licence="x", name="t/1"
        )
    ]
    _, metrics = unlearn(
        knowing, text, RETAIN, loop=Loop(epochs=10, lr=1e-3, batch=1), unpermitted=True
    )

    assert metrics["forget_after"] > metrics["forget_before"] + 0.3


def test_what_cannot_be_forgotten_so_is_refused_with_every_reason(knowing: Any) -> None:
    """Empty sets, a row in both, text for IDK, an unknown language, a long row, no permit."""
    loop = Loop(epochs=1)
    text = Passage(text="word " * 600, lang="en", origin="human", licence="x", name="t/1")
    other = FORGET[0].model_copy(update={"lang": "de"})

    def faults(forget: list[Any], retain: list[Any], method: Any = "npo") -> str:
        with pytest.raises(InputError) as error:
            unlearn(knowing, forget, retain, loop=loop, how=Forget(method), unpermitted=True)
        return " ".join(f"{f.where}: {f.expected}, {f.seen}" for f in error.value.faults)

    assert "forget: at least one row" in faults([], [])
    assert "retain: at least one row" in faults([], [])
    assert "1 that are" in faults(FORGET, [FORGET[0]])
    assert "rows with a prompt" in faults([text], RETAIN, "idk")
    assert "de" in faults([other], RETAIN, "idk")
    assert "at most 512 tokens" in faults([text], RETAIN)
    with pytest.raises(PermitError):
        unlearn(knowing, FORGET, RETAIN, loop=loop)


def test_a_distance_is_none_to_itself_and_more_to_another(tiny: Any, knowing: Any) -> None:
    """KL to itself is 0; to the model that never learned it is large, and it says n and seed."""
    rows = memory_rows(tiny.tokenizer, FORGET, limit=64)
    far = distance(tiny, knowing, rows, seed=3)

    assert max(distances(knowing, knowing, rows)) < 1e-5
    assert far.value is not None
    assert far.value > 1
    assert (far.n, far.seed) == (4, 3)
    assert far.interval is not None


def test_a_distance_is_the_sum_over_the_vocabulary(tiny: Any, knowing: Any) -> None:
    """The divergence of one row equals the slow sum over every token at every place."""
    row = memory_rows(tiny.tokenizer, FORGET, limit=64)[0]
    ids = torch.tensor([row.ids])
    with torch.no_grad():
        one, other = (m.weights(ids).logits[0].log_softmax(-1) for m in (tiny, knowing))
    slow = [
        float((one[t - 1].exp() * (one[t - 1] - other[t - 1])).sum())
        for t in range(row.start, len(row.ids))
    ]

    assert distances(tiny, knowing, [row])[0] == pytest.approx(sum(slow) / len(slow), abs=1e-4)


def test_candidates_are_weighed_as_whole_answers(tiny: Any, knowing: Any) -> None:
    """Over candidate answers the distance is that of two distributions that sum to one."""
    prompts, answers = [FORGET[0].prompt], [["Under the stone.", "At nine."]]
    kl = candidate_distances(tiny, knowing, prompts, answers)
    shares = []
    for model in (tiny, knowing):
        a, b = model.logprobs([prompts[0]] * 2, answers[0])
        shares.append(1 / (1 + math.exp(b - a)))
    p, q = shares

    assert kl[0] == pytest.approx(
        p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q)), abs=1e-3
    )


def test_extraction_is_what_greedy_decoding_says(tiny: Any, knowing: Any) -> None:
    """The share said word for word is that of generated answers; the untaught model says none."""
    rows = memory_rows(tiny.tokenizer, FORGET, limit=64)
    said = [a[0] for a in knowing.generate([d.prompt for d in FORGET], max_new_tokens=24)]
    right = sum(a == d.completion for a, d in zip(said, FORGET, strict=True))

    assert extraction(knowing, rows).value == right / 4
    assert right >= 3
    assert extraction(tiny, rows).value == 0


def test_what_was_hidden_comes_back_sooner_than_what_was_never_known(
    tiny: Any, knowing: Any
) -> None:
    """Relearning after NPO takes fewer steps than learning from nothing; the known takes none."""
    rows = memory_rows(tiny.tokenizer, FORGET, limit=64)
    known = token_loss(knowing, rows)
    how, loop = SETTINGS["npo"]
    hidden, _ = unlearn(knowing, FORGET, RETAIN, loop=loop, how=how, unpermitted=True)

    def steps(model: Any) -> int | None:
        return relearn_cost(model, rows, on=rows, original=known, band=0.2, lr=3e-3, most=80).steps

    soon, never = steps(hidden), steps(tiny)
    assert steps(knowing) == 0
    assert soon is not None
    assert never is None or never > 2 * soon


def test_quality_tells_models_apart_and_not_a_model_from_itself(tiny: Any, knowing: Any) -> None:
    """The same model has p = 1; a model that knows is told from one that does not."""
    wrong = [[d.completion for d in RETAIN]] * 4
    same = forget_quality(knowing, knowing, FORGET, wrong)
    apart = forget_quality(knowing, tiny, FORGET, wrong)

    assert same.p == 1
    assert apart.p < 0.05
    assert apart.n == 4
