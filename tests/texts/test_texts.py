import random
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normwright.texts import (
    Benchmarks,
    clusters,
    find_personal,
    jaccard,
    masked,
    plain,
    repeats,
    shingles,
    spoken,
    translation_flaws,
    words,
)
from normwright.texts.duplicates import banding
from normwright.texts.personal import is_card, is_cnpj, is_cpf, is_iban, is_nif

EN = "The council publishes the minutes of every meeting on its website within two working days."
PT = "A câmara publica as atas de todas as reuniões no seu sítio no prazo de dois dias úteis."


# Languages


@pytest.mark.parametrize(
    ("text", "lang"),
    [(EN, "en"), (PT, "pt"), ("El ayuntamiento publica las actas de todas las reuniones.", "es")],
)
def test_a_sentence_is_told_by_its_language(text: str, lang: str) -> None:
    """English, Portuguese and a neighbour that looks like it are told apart."""
    assert spoken(text).lang == lang


@pytest.mark.parametrize("text", ["", "   ", "12:30", "ok", "No", "sim", "👍", "x = 1"])
def test_what_says_too_little_is_in_no_language(text: str) -> None:
    """A text too short to tell is `und`, and its confidence is what it is."""
    found = spoken(text)

    assert found.lang == "und"
    assert found.confidence < 0.5


def test_a_threshold_of_certainty_names_nothing() -> None:
    """Whoever asks for more than there is gets `und`, and still sees what was likeliest."""
    found = spoken(PT, confidence=1.01)

    assert (found.lang, found.likeliest) == ("und", "pt")


def test_the_language_of_a_long_text_takes_no_longer_than_of_a_page() -> None:
    """A million characters are read at both ends."""
    spoken(EN)
    began = time.perf_counter()

    found = spoken(PT * 12_000)

    assert found.lang == "pt"
    assert time.perf_counter() - began < 1.0


# Near-duplicates


def test_similarity_is_exact() -> None:
    """Jaccard is that of the sets of runs, as the slow obvious way counts them."""
    left, right = "the cat sat on the mat", "The cat sat on a mat!"

    def runs(text: str) -> set[bytes]:
        data = plain(text).encode()
        return {data[at : at + 5] for at in range(len(data) - 4)}

    slow = len(runs(left) & runs(right)) / len(runs(left) | runs(right))

    assert jaccard(shingles(left), shingles(right)) == slow


def test_a_changed_word_is_a_repetition_and_another_text_is_none() -> None:
    """Case, punctuation and one word do not make a new text; the earlier one stays."""
    changed = EN.upper().replace("TWO", "TEN").replace(".", "!")

    found = repeats([EN, PT, changed, "Something else altogether, about boats.", EN])

    assert [one.of if one else None for one in found] == [None, None, 0, None, 0]
    assert found[4] is not None
    assert found[4].similarity == 1.0


def test_texts_without_words_repeat_nothing() -> None:
    """Empty texts and punctuation are not one another's repetitions."""
    assert repeats(["", "", "...", "!!!", "日本語", "日本語"])[:5] == [None] * 5


def test_banding_finds_what_comparing_all_pairs_finds() -> None:
    """On texts at every similarity, what candidates miss lies within what was promised."""
    rng = random.Random(4)
    bases = [[rng.choice("abcdefghij") * 2 + str(rng.randrange(99)) for _ in range(60)]
             for _ in range(60)]  # fmt: skip
    texts = [" ".join(base) for base in bases]
    for base in bases:
        texts += [
            " ".join(w if rng.random() > share else "new" for w in base)
            for share in (0.01, 0.03, 0.05, 0.1)
        ]
    sets = [shingles(text) for text in texts]
    alike = {
        (a, b) for b in range(len(texts)) for a in range(b) if jaccard(sets[a], sets[b]) >= 0.8
    }

    first = clusters(texts)

    joined = sum(first[a] == first[b] for a, b in alike)
    assert len(alike) > 150
    assert joined / len(alike) >= 0.985
    assert len(set(first)) >= 60  # nothing that is unlike is joined


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 0.95])
def test_bands_overlook_at_most_what_is_said(threshold: float) -> None:
    """The bands that are chosen overlook one pair in 66 at the threshold, or fewer."""
    bands, rows = banding(threshold)

    assert bands * rows <= 128
    assert (1 - threshold**rows) ** bands <= 0.015


def test_a_chain_takes_only_what_resembles_what_stays() -> None:
    """A removal needs a text that stays and is alike; a cluster is connected by chains."""
    letters = [f"w{n:03d}" for n in range(80)]
    chain = [" ".join(letters[at : at + 60]) for at in (0, 5, 10, 15, 20)]
    sets = [shingles(text) for text in chain]

    found, grouped = repeats(chain), clusters(chain)

    assert all(
        one is None or jaccard(sets[at], sets[one.of]) >= 0.8 for at, one in enumerate(found)
    )
    assert sum(one is None for one in found) > 1
    assert grouped == [0] * 5


@pytest.mark.slow
def test_no_hash_seed_changes_what_is_found() -> None:
    """The same texts give the same repetitions in processes with other hash seeds."""
    code = (
        "from normwright.texts import repeats, clusters; import random; r=random.Random(1);"
        "t=[' '.join(r.choice(['oak','elm','ash','yew']) for _ in range(9)) for _ in range(60)];"
        "print(repeats(t, threshold=.6), clusters(t, threshold=.6))"
    )

    said = {
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, check=True,
                       capture_output=True, text=True).stdout
        for seed in ("0", "77")
    }  # fmt: skip

    assert len(said) == 1
    assert "Repeat(" in said.pop()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_similarity_is_a_similarity(left: str, right: str) -> None:
    """It is symmetric, between 0 and 1, and 1 for a text and itself if it has words."""
    one, two = shingles(left), shingles(right)

    assert 0 <= jaccard(one, two) == jaccard(two, one) <= 1
    assert jaccard(one, one) == (1.0 if plain(left) else 0.0)
    assert one.dtype == np.uint64


# Personal data


def kinds(text: str, **more: list[str]) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in find_personal(text, **more)]


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("Escreve para ana.silva+lista@exemplo.com.br hoje", "email",
         "ana.silva+lista@exemplo.com.br"),
        ("Call +351 912 345 678 now", "phone", "+351 912 345 678"),
        ("O meu número é (11) 91234-5678.", "phone", "(11) 91234-5678"),
        ("ring (415) 555-2671 please", "phone", "(415) 555-2671"),
        ("ring 415-555-2671 please", "phone", "415-555-2671"),
        ("Telemóvel: 912345678", "phone", "912345678"),
        ("seen from 81.2.69.142 yesterday", "ip", "81.2.69.142"),
        ("seen from 2a00:1450:4007:80e::200e", "ip", "2a00:1450:4007:80e::200e"),
        ("IBAN PT50 0002 0123 1234 5678 9015 4 OBRIGADO", "iban",
         "PT50 0002 0123 1234 5678 9015 4"),
        ("to GB82WEST12345698765432", "iban", "GB82WEST12345698765432"),
        ("cartão 4111 1111 1111 1111, validade", "card", "4111 1111 1111 1111"),
        ("amex 3782 822463 10005", "card", "3782 822463 10005"),
        ("CPF 529.982.247-25", "cpf", "529.982.247-25"),
        ("o cpf dela: 52998224725", "cpf", "52998224725"),
        ("CNPJ 11.222.333/0001-81", "cnpj", "11.222.333/0001-81"),
        ("CNPJ 12.ABC.345/01DE-35", "cnpj", "12.ABC.345/01DE-35"),
        ("NIF: 123 456 789", "nif", "123 456 789"),
        ("SSN 536-90-4399", "ssn", "536-90-4399"),
        ("git clone https://ana:s3cret@git.example.org/x.git", "secret-url",
         "https://ana:s3cret@git.example.org/x.git"),
        ("https://api.example.org/v1?api_key=abcdef123456&x=1", "secret-url",
         "https://api.example.org/v1?api_key=abcdef123456"),
    ],
)  # fmt: skip
def test_personal_data_is_found_at_its_place(text: str, kind: str, part: str) -> None:
    """Each kind is found, once, with the characters that it consists of and no others."""
    assert kinds(text) == [(kind, part)]


@pytest.mark.parametrize(
    "text",
    [
        "Order 4929123412341234 was shipped",  # a card's form, another check digit
        "Pedido n.º 123456789 de 12/03/2024",
        "On 2024-11-26 at 15:30:45 and 26.11.2024",
        "Release 1.2.3.4 follows version 10.20.30.40",
        "See section 3.1.4.1 and chapter 12.5",
        "CPF 529.982.247-26 tem um dígito errado",
        "CPF 111.111.111-11",
        "CNPJ 11.222.333/0001-82",
        "NIF 123456780",
        "nine digits 123456789 alone",
        "IBAN PT50 0002 0123 1234 5678 9015 5",
        "IBAN XX50 0002 0123 1234 5678 9015 4",
        "000-12-3456, 666-12-3456, 912-12-3456, 123-00-4567",
        "127.0.0.1, 192.168.0.1, 10.0.0.1, 999.1.1.1",
        "the MAC 00:1B:44:11:3A:B7 and std::vector<int>::size",
        "ZIP 94103-1234, CEP 01310-100",
        "ISBN 978-3-16-148410-0",
        "3,141,592,653 people and R$ 1.234.567,89",
        "@user said that a@b is no address",
        "https://example.org:8080/path?page=2",
        "UUID 123e4567-e89b-12d3-a456-426614174000",
        "Art. 5.º, n.º 2, da Lei 13.709/2018; 0123456789abcdef",
        "1 2 3 4 5 6 7 8 9 10 11 12",
    ],
)
def test_what_only_looks_like_personal_data_is_left_alone(text: str) -> None:
    """Order numbers, dates, versions, sections and wrong check digits are not taken for people."""
    assert kinds(text) == []


def test_numbers_at_random_hardly_ever_pass_for_a_number_of_a_person() -> None:
    """Of 2,000 order numbers in four forms, fewer than one in sixty is masked."""
    rng = random.Random(3)
    forms = ("{:016d}", "{:09d}", "{:011d}", "ORD-{:08d}")
    digits = (16, 9, 11, 8)
    numbers = [forms[n % 4].format(rng.randrange(10 ** digits[n % 4])) for n in range(2_000)]
    texts = [f"Order {number} sent" for number in numbers]

    assert sum(bool(find_personal(text)) for text in texts) < 2_000 / 60


def test_check_digits_agree_with_the_published_examples() -> None:
    """The examples of the authorities pass; each of their single-digit slips fails."""
    right = {is_cpf: "52998224725", is_cnpj: "11222333000181", is_nif: "123456789",
             is_iban: "GB82WEST12345698765432", is_card: "5555555555554444"}  # fmt: skip

    for check, code in right.items():
        assert check(code)
        for at, sign in enumerate(code):
            if sign.isdecimal():
                slip = f"{code[:at]}{(int(sign) + 1) % 10}{code[at + 1 :]}"
                assert not check(slip), (check, slip)


def test_names_are_found_only_if_they_are_listed() -> None:
    """A listed name is found as a whole word; nobody else is guessed at."""
    text = "Ana Maria met Anabela and ANA in Santana."

    assert kinds(text) == []
    assert kinds(text, names=["Ana", "Ana Maria"]) == [("name", "Ana Maria")]


def test_a_mask_says_what_was_there_and_leaves_the_rest() -> None:
    """Only the spans are replaced, whatever order they are given in."""
    text = "Write to a.b@example.org or call +351 912 345 678."

    spans = find_personal(text)

    assert masked(text, reversed(spans)) == "Write to [EMAIL] or call [PHONE]."
    assert find_personal(masked(text, spans)) == []


def test_an_unknown_kind_is_refused() -> None:
    """A kind that nothing looks for is an error, not a silent nothing."""
    with pytest.raises(ValueError, match="saw passport"):
        find_personal("x", kinds=["passport"])


@pytest.mark.parametrize("sign", ["1", "a@", "(1", "1.", "1-", "A1", "://a", " 9", "\x00", "+1 "])
def test_no_text_takes_long(sign: str) -> None:
    """A hundred thousand characters made to confuse the patterns take under two seconds."""
    began = time.perf_counter()

    find_personal(sign * (100_000 // len(sign)))

    assert time.perf_counter() - began < 2.0


# Benchmarks


LONG = "which of these gases is the most common one in the air that people breathe every day"
SHORT = "what is the capital of australia"


def test_a_question_is_found_whole_in_part_and_by_its_runs() -> None:
    """Half of the runs of a long item, or the whole of a short one, in whatever case."""
    known = Benchmarks([("arc/1", LONG), ("tqa/7", SHORT), ("tiny/1", "why not")])
    half = " ".join(LONG.split()[:15])

    assert known.find(f"Q: {LONG.upper()}? A: nitrogen") is not None
    found = known.find(f"He asked {half} or so.")
    assert found is not None
    assert (found.item, found.share) == ("arc/1", 0.6)
    whole = known.find("Tell me: What is the capital of Australia?! Thanks")
    assert whole is not None
    assert (whole.item, whole.share) == ("tqa/7", 1.0)


def test_less_than_half_and_everyday_words_are_not_contamination() -> None:
    """A run too few, or two words that occur everywhere, remove nothing."""
    known = Benchmarks([("arc/1", LONG), ("tqa/7", SHORT), ("tiny/1", "why not")])

    assert known.find(" ".join(LONG.split()[:14])) is None
    assert known.find("Why not go there, what is the capital of it?") is None
    assert known.find("Why not?") is not None


def test_the_same_item_twice_is_one_item() -> None:
    """The first name stands for a text that two benchmarks share."""
    known = Benchmarks([("a", SHORT), ("b", SHORT.title() + "?")])

    assert len(known) == 1


# Translations


def flaws(
    source: str, target: str, *, source_lang: str = "en", target_lang: str = "pt"
) -> list[str]:
    found = translation_flaws(source, target, source_lang=source_lang, target_lang=target_lang)
    return [one.flaw for one in found]


def test_a_translation_that_is_right_has_no_flaw() -> None:
    """Numbers in the other language's form, links to the other page and placeholders pass."""
    source = f"{EN} It cost {{sum}}, that is 1,234.50 euros: https://example.org/en/costs."
    target = f"{PT} Custou {{sum}}, isto é, 1.234,50 euros: https://example.org/pt/custos."

    assert flaws(EN, PT) == []
    assert flaws(source, target) == []


def test_a_text_cut_at_the_limit_of_a_service_is_seen() -> None:
    """A source longer than 4,950 characters whose translation stops there in mid-word."""
    source, whole = EN * 60, PT * 60

    assert len(source) > 5_000
    assert "cut" in flaws(source, whole[:4_950])
    assert "cut" not in flaws(source, whole)
    assert flaws(EN * 4, (PT * 4)[:200])[0] == "cut"


@pytest.mark.parametrize(
    ("source", "target", "flaw"),
    [
        (EN, "", "empty"),
        (EN, "Sim.", "length"),
        (EN, EN, "target-language"),
        (PT, PT, "source-language"),
        (EN, EN, "untranslated"),
        (f"{EN} In 1984.", PT, "numbers"),
        (f"{EN} See https://example.org/x.", PT, "links"),
        (f"{EN} Dear {{name}}.", f"{PT} Caro {{nome}}.", "placeholders"),
        (f"{EN} %s", PT, "placeholders"),
    ],
)
def test_each_flaw_is_seen(source: str, target: str, flaw: str) -> None:
    """What was lost, left or cut is named."""
    assert flaw in flaws(source, target)


def test_words_are_plain() -> None:
    """Case, width, accents' composition and punctuation are no differences."""
    assert words("Não!  ＡＢＣ_d") == words("na\u0303o abc D") == ["não", "abc", "d"]


def test_every_item_of_a_text_is_found_and_the_first_is_the_one() -> None:
    """A text that holds three items names all of them, and `find` the one it holds most of."""
    items = {
        "a": "one two three four five six",
        "b": "seven eight nine ten eleven twelve",
        "c": " ".join(f"w{i}" for i in range(20)),
        "d": "nothing of this stands in it at all",
    }
    known = Benchmarks(items.items())
    text = f"{items['b']} and {items['a']} and {' '.join(f'w{i}' for i in range(17))} x"

    found = known.find_all(text)

    assert [one.item for one in found] == ["a", "b", "c"]
    assert found[0] == known.find(text)
    assert 0.5 <= found[2].share < 1
    assert known.find_all("nothing") == []
