import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.learn.rows.splitting import Tied, split
from normwright.records import InputError
from normwright.texts import clusters

ANIMALS = [
    "otter",
    "heron",
    "badger",
    "lynx",
    "marten",
    "osprey",
    "viper",
    "shrew",
    "bison",
    "hare",
]


def rows_of(rng: random.Random, count: int) -> list[Tied]:
    made = []
    for n in range(count):
        subject = f"{rng.choice(ANIMALS)} {rng.randrange(30)} {rng.choice(ANIMALS)}"
        prompt = f"what does the {subject} eat in winter{rng.choice(['', '?', ' please', '!!'])}"
        made.append(
            Tied(
                id=f"r{n}",
                prompt=prompt,
                family=rng.choice([None, None, None, f"f{rng.randrange(40)}"]),
                participants=tuple(f"p{rng.randrange(200)}" for _ in range(rng.randrange(2))),
                texts=rng.choice([(), (), (f"t{rng.randrange(60)}",)]),
            )
        )
    return made


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(12, 60))
def test_nothing_stands_in_two_parts(seed: int, count: int) -> None:
    """No participant, prompt cluster, family or translation lies on both sides, ever."""
    rows = rows_of(random.Random(seed), count)
    try:
        made = split(rows, shares={"train": 0.7, "test": 0.3}, seed=seed)
    except InputError:
        return

    first = clusters([row.prompt for row in rows])
    of: dict[object, set[str]] = {}
    for row, cluster in zip(rows, first, strict=True):
        ties = [("c", cluster), ("f", row.family or row.id), *(("p", p) for p in row.participants),
                *(("t", t) for t in row.texts)]  # fmt: skip
        for tie in ties:
            of.setdefault(tie, set()).add(made.parts[row.id])
    assert all(len(parts) == 1 for parts in of.values())
    assert set(made.parts) == {row.id for row in rows}
    assert set(made.sizes) == {"train", "test"}


def test_order_does_not_matter_and_the_seed_does() -> None:
    """Shuffled rows are split alike; another seed splits otherwise."""
    rows = rows_of(random.Random(1), 120)
    shares = {"train": 0.8, "test": 0.2}

    made = split(rows, shares=shares, seed=3)

    shuffled = random.Random(9).sample(rows, len(rows))
    assert split(shuffled, shares=shares, seed=3) == made
    assert split(rows, shares=shares, seed=4).parts != made.parts


def test_shares_are_met_as_nearly_as_components_allow() -> None:
    """With many small components the parts have the sizes that were asked for."""
    rows = [Tied(id=f"{n:03d}", prompt=f"{ANIMALS[n % 10] * 3} {n * 7919}") for n in range(200)]

    made = split(rows, shares={"train": 0.7, "dev": 0.1, "test": 0.2}, seed=0)

    assert made.sizes == {"dev": 20, "test": 40, "train": 140}
    assert made.largest <= 0.05


def test_both_languages_of_a_pair_go_together() -> None:
    """A translation resembles its source in nothing but its name, and goes where that goes."""
    rows = [
        Tied(id=f"{n}.{lang}", prompt=f"{ANIMALS[n % 10]} {n * prime}", texts=(str(n),))
        for n in range(40)
        for lang, prime in (("en", 7919), ("pt", 15_401))
    ]

    made = split(rows, shares={"train": 0.5, "test": 0.5}, seed=2)

    assert all(made.parts[f"{n}.en"] == made.parts[f"{n}.pt"] for n in range(40))


def test_one_component_is_refused_and_told_by_what_it_is_tied() -> None:
    """Where everybody judged everything there is nothing to split, and the error says why."""
    rows = [Tied(id=str(n), prompt=f"{ANIMALS[n]} {n * 7919}", participants=("ana", f"p{n}"))
            for n in range(10)]  # fmt: skip

    with pytest.raises(InputError) as error:
        split(rows, shares={"train": 0.5, "test": 0.5}, seed=0)

    assert error.value.faults[0].seen.startswith("1 of 10 rows")
    assert "10 without participants" in error.value.faults[0].seen


def test_ids_and_shares_that_make_no_sense_are_refused() -> None:
    """An id twice, one part, or shares that do not add up are errors of the caller."""
    rows = [Tied(id="a", prompt="x"), Tied(id="a", prompt="y")]

    with pytest.raises(ValueError, match="ids of their own"):
        split(rows, shares={"a": 0.5, "b": 0.5}, seed=0)
    for shares in ({"a": 1.0}, {"a": 0.5, "b": 0.6}, {"a": 1.5, "b": -0.5}):
        with pytest.raises(ValueError, match="add up to 1"):
            split(rows[:1], shares=shares, seed=0)
