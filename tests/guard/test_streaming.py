"""Hold-back: what is released follows from the text alone and never begins what is blocked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from normwright.guard.streaming import HoldBack

ALPHABET = st.sampled_from(
    [
        *"abc  \n.-",
        "\u0301",  # a combining accent
        "\u200d",  # joins what stands beside it
        "\u200b",  # shows nothing
        "\ufeff",
        "é",
        "ã",
        "漢",
        "\U0001f468",
        "\U0001f3fd",  # a skin tone
        "\U0001f1e7",
        "\U0001f1f7",  # two flags' halves
        "\ud83d",  # half a pair
        "\udc4d",
        "\r",
    ]
)
TEXTS = st.lists(ALPHABET, max_size=400).map("".join)
BLOCKED = "ab\u200bc"
"""What the detector of these tests blocks, whatever stands invisibly between its letters."""


def visible(text: str) -> str:
    """Return a text without what shows nothing."""
    return "".join(c for c in text if c not in "\u200b\u200d\ufeff\u0301")


def passes(text: str) -> bool:
    """Say whether the detector of these tests lets a text pass."""
    return visible(BLOCKED) not in visible(text)


def run(
    pieces: Iterable[str],
    ok: Callable[[str], bool] = passes,
    *,
    window: int | None = 8,
    stride: int = 3,
    reach: int = 30,
) -> list[str]:
    """Return what is released, piece by piece, of an answer that comes in these pieces."""
    hold = HoldBack(window=window, stride=stride, reach=reach)
    out: list[str] = []

    def check() -> None:
        while due := hold.due():
            if ok(due.text):
                if released := hold.release():
                    out.append(released)
            else:
                hold.block()

    for piece in pieces:
        hold.add(piece)
        check()
    hold.close()
    check()
    return out


def cut(text: str, places: list[int]) -> list[str]:
    """Return a text in pieces that are cut at these places."""
    at = sorted({p % (len(text) + 1) for p in places})
    return [text[a:b] for a, b in zip([0, *at], [*at, len(text)], strict=True)]


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, places=st.lists(st.integers(0, 10_000), max_size=40))
@example(text="x" * 50 + "\ud83d\udc4d" + " a b c" * 20, places=[51])
@example(text="e\u0301" * 60, places=[1, 2, 3, 7])
def test_chunking_does_not_matter(text: str, places: list[int]) -> None:
    """For every chunking the very same pieces are released, surrogates and marks cut or not."""
    pieces = run(cut(text, places))

    assert pieces == run([text]) == run(list(text))
    "".join(pieces).encode()


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, before=st.integers(0, 60), places=st.lists(st.integers(0, 500), max_size=20))
def test_no_blocked_span(text: str, before: int, places: list[int]) -> None:
    """Not one visible character of a blocked span is released, wherever it stands."""
    clean = "".join(c for c in text if c not in "abc")
    whole = clean[:before] + BLOCKED + clean[before:]
    at = len(clean[:before].encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    released = "".join(run(cut(whole, places)))

    assert passes(released)
    assert len(released) <= at


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_all_of_it(text: str) -> None:
    """A text that passes comes whole; lone halves of surrogate pairs come as U+FFFD."""
    sound = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    assert "".join(run(list(text), lambda _: True)) == sound
    assert "".join(run([text], lambda _: True, window=None)) == sound


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_cuts_between_characters(text: str) -> None:
    """No release ends inside what a reader sees as one character."""
    pieces = run([text.replace("\ud83d", "").replace("\udc4d", "")], lambda _: True)
    for before, after in pairwise(pieces):
        assert after[0] not in "\u0301\u200d\U0001f3fd"
        assert before[-1] != "\u200d"
        assert not (before[-1] in "\U0001f1e7\U0001f1f7" and after[0] in "\U0001f1e7\U0001f1f7")
        assert not (before[-1] == "\r" and after[0] == "\n")


def test_padding_does_not_push_out_the_beginning() -> None:
    """A word that is padded with invisible characters or spaces is still seen whole."""
    hidden = "a" + "\u200b" * 500 + "bc"
    text = "x " * 40 + hidden + " x" * 40

    released = "".join(run([text]))

    assert "a" not in released
    assert run([text]) == run(list(text))


def test_first_word_waits_one_window_only() -> None:
    """The first release comes as soon as a window and a stride are there, not at the end."""
    hold = HoldBack(window=8, stride=4, reach=30)
    released = ""
    for count, char in enumerate("one two three four five six", start=1):  # noqa: B007
        hold.add(char)
        while hold.due():
            released = released or hold.release()
        if released:
            break

    assert released
    assert count <= 8 + 2 * 4


def test_nothing_after_a_block() -> None:
    """After a block nothing is released, whatever comes."""
    hold = HoldBack(window=0, stride=1, reach=10)
    hold.add("abc")
    assert hold.due() is not None
    hold.block()
    hold.add("more")
    hold.close()

    assert hold.due() is None
    assert hold.released == 0


def test_checks_read_back_as_far_as_they_must() -> None:
    """A check reads at least the window and what is new, and the last one reads everything."""
    text = "word " * 200
    hold = HoldBack(window=20, stride=10, reach=60)
    hold.add(text)
    read = 0
    while due := hold.due():
        assert due.text == text[due.start : due.start + len(due.text)]
        assert due.start <= max(0, read - 20)
        read = due.start + len(due.text)
        hold.release()
    hold.close()
    last = hold.due()

    assert last is not None
    assert last.text == text
    assert last.last


def test_cost_grows_with_the_text_only() -> None:
    """A text of combining marks, which has no place to cut, is released all the same."""
    text = "e" + "\u0301" * 20_000 + " end of it" * 20

    assert "".join(run([text], lambda _: True)) == text


@pytest.mark.parametrize("bad", [{"window": -1}, {"stride": 0}, {"reach": 10}])
def test_settings_that_would_leak(bad: dict[str, int]) -> None:
    """Settings under which a span could leave before it is seen are refused."""
    with pytest.raises(ValueError, match="must be at least"):
        HoldBack(**{"window": 8, "stride": 3, "reach": 30, **bad})


@settings(max_examples=100, deadline=None)
@given(
    value=st.recursive(
        st.text(max_size=12) | st.integers() | st.none(),
        lambda inner: st.dictionaries(st.text(max_size=8), inner, max_size=3),
    ),
    places=st.lists(st.integers(0, 500), max_size=20),
)
def test_arguments_of_a_call(value: object, places: list[int]) -> None:
    """JSON of a call's arguments, cut anywhere, is released as the same text."""
    text = json.dumps(value, ensure_ascii=False)

    assert run(cut(text, places)) == run([text])


def test_a_long_answer_costs_a_check_what_is_new() -> None:
    """Of a stream in prose the classifier reads each window about once, with the same verdicts."""
    from normwright.guard import Guard
    from normwright.guard.embedded import policy
    from normwright.guard.text_harm import TextHarm
    from normwright.records import Exchange

    read: list[int] = []

    class Counting:
        def read(self, texts: Sequence[str]) -> list[dict[str, float]]:
            read.extend(map(len, texts))
            return TextHarm.embedded().read(texts)

    said = "The library opens at nine on weekdays. Bread number {} is sold near the old harbour. "
    text = "".join(said.format(i) for i in range(150))
    guard = Guard(policy(), harm=Counting())
    fresh = Guard(policy(), harm=TextHarm.embedded())
    hold, asked = HoldBack(), 0
    for start in range(0, len(text), 7):
        hold.add(text[start : start + 7])
        while due := hold.due():
            asked += len(due.text)
            answer = Exchange(utterances=(), answer=due.text)
            verdict = guard.screen(answer)
            if len(due.text) > 4900:
                plain = fresh.screen(answer)
                assert (verdict.scores, verdict.risks) == (plain.scores, plain.risks)
            hold.release()

    assert len(text) > 12_000
    assert asked > 80 * len(text)
    # The window that is being written is read anew at each check; the others are not.
    assert sum(read) < 0.15 * asked
