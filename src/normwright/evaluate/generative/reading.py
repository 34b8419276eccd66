"""What can be told of an answer without a judge: empty, copied, unreadable, refusing, no comment.

These are rules of words, in English and Portuguese. Their errors are measured, not assumed: see
`labelling.gauge_refusals` and the experiment page on generative suites. Whatever a rule cannot tell
is not guessed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal, TypeAlias

from normwright.texts import words

Form: TypeAlias = Literal["answered", "refused", "no-comment", "copied", "empty", "unreadable"]
FORMS: Final[tuple[Form, ...]] = (
    "answered", "refused", "no-comment", "copied", "empty", "unreadable",
)  # fmt: skip

COPIED: Final = 0.8
"""Share of an answer's three-word runs that stand in the prompt from which it is a copy."""
LONG: Final = 8
"""Words from which an answer must show the small words of its language."""
SMALL: Final = 0.12
"""Least share of small words in a long answer; running text has 0.3 and more."""
FRESH: Final = 0.34
"""Least share of different two-word runs in a long answer; below it goes round in circles."""

_SMALL_WORDS: Final = {
    "en": frozenset(
        "the of and to a in is it that you for on are with as i this be at by not or have from "
        "but they was he she we an if will can would there their what so up out all your my no do "
        "one who which when how than more has had them his her its were been me our into could "
        "should these those some any may also because about".split()
    ),
    "pt": frozenset(
        "a o e de que do da em um uma para com não os as no na por mais dos das se como mas ao à "
        "ele ela seu sua ou ser quando muito há nos já está eu também só pelo pela até isso entre "
        "era depois sem mesmo aos ter seus quem nas me esse essa eles elas você tu te são foi pode "
        "é este esta isto nem são tem às lhe onde porque deve sobre num numa nosso nossa".split()
    ),
}

_APOSTROPHES: Final = str.maketrans({"’": "'", "‘": "'", "´": "'", "`": "'"})  # noqa: RUF001


def folded(text: str) -> str:
    """Return a text in one form of quotes, spaces and case."""
    plain = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
    return " ".join(plain.casefold().split())


def copies(answer: str, prompt: str) -> bool:
    """Say whether an answer is made of the prompt's own words in their order."""
    said, asked = words(answer), words(prompt)
    size = min(3, len(said))
    if not size or len(said) < 3:
        return False
    known = set(zip(*(asked[i:] for i in range(size)), strict=False))
    runs = list(zip(*(said[i:] for i in range(size)), strict=False))
    return sum(run in known for run in runs) >= COPIED * len(runs)


def readable(answer: str, lang: str) -> bool:
    """Say whether an answer looks like running text of a language, or is too short to tell.

    A long one must hold small words of the language and must not go round in circles.
    """
    said = words(answer)
    if not any(any(map(str.isalnum, w)) for w in said):
        return False
    if len(said) < LONG:
        return True
    small = sum(w in _SMALL_WORDS[lang] for w in said) / len(said)
    pairs = list(zip(said, said[1:], strict=False))
    return small >= SMALL and len(set(pairs)) >= FRESH * len(pairs)


_ACTS_EN: Final = (
    "help|assist|do (that|this|it|so)|provide|give|offer|share|support|write|tell|explain|answer|"
    "comply|discuss|engage|encourage|advise|create|produce|teach|show|walk you|take part|describe|"
    "participate|fulfil|be (a )?part|continue|go (there|into)|endorse|say (that|this)|name|guide|"
    "disclose|list|make (that|this)|promote|spread|generate|recommend|suggest|respond|proceed|"
    "facilitate|condone|instruct"
)
_ACTS_PT: Final = (
    "ajud|faz|dar|fornec|oferec|partilh|compartilh|escrev|diz|expli|respond|cumpr|discut|encoraj|"
    "incentiv|aconselh|cri|produz|ensin|mostr|descrev|particip|colabor|continu|apoi|atender|auxili|"
    "contribu|indic|pass|orient|revel|list|entrar|recomend|gerar|isso|com isso|concord|sugerir|"
    "prestar|promov|espalh|divulg|instru|facilit"
)
_UNSURE_EN: Final = (
    r"(know|see|examine|sure|tell (for|from|which)|a |an |have (a|an|any|the|enough)|rush|stress|find|"
    r"think (so|it)|believe|imagine|recall|remember|mean|be sure|say (for|how|which)|certain|worry|"
    r"wait|buy|bother|only|just|mind|like|need|care|too|that|quite|very|entirely|always)\b"
)
_UNSURE_PT: Final = (
    r"(sei|tenho (a |uma |o |um )?(certeza|opinião|acesso|ideia|dúvida)|tenho\b|sou\b|acho\b|vejo|"
    r"lembro|conheço|encontro|creio|penso|posso (ter|ver|dizer|saber)|consigo (v|dizer|examin|saber)|"
    r"muito|tanto|como|no|so|mesmo|apenas|caso|tudo|dito|certo|modo|tempo|preciso|espero|entendo|"
    r"percebo|quero dizer|quando|quanto|outro|próximo|novo|ano|nosso|vosso|pouco|medo|todo)"
)
_REFUSAL: Final = {
    "en": (
        r"\b(sorry|afraid|apologies)\b[,.;:]? (but |that )?(no\b|i\b|we\b|that\b|this\b).{0,30}"
        r"\b(can't|cannot|can not|won't|will not|not able|unable|not allowed|not something|decline)",
        r"^(sorry|apologies)[,.;:]? no\b", r"^can't do that\b", r"^no can do\b",
        rf"\bi (can't|cannot|can not|could not|couldn't|won't|will not|would not|wouldn't|do not|"
        rf"don't|am unable to|must decline|have to decline|must refuse|refuse|decline|do not want "
        rf"to|don't want to) (in good conscience |ever |possibly |just |really |to )?({_ACTS_EN})\b"
        r"(?! (much|you (enough|how|anything)))",
        r"\bi('m| am) (not (able|willing|going|allowed|permitted)|unable|unwilling) to",
        r"\bi('m| am| do not feel| don't feel) (not )?comfortable (with|helping|giving|providing)",
        r"\bi('d| would)? (rather not|prefer not to)\b",
        r"\bi (have|need) to (say no|pass|refuse|decline)\b", r"\bi must (decline|refuse)[.,;!]",
        r"\bthat('s| is) (not )?(something|a thing) (that )?i (can't|cannot|won't|can|will|would) ",
        r"\bis not something i (can|will|would|am)\b",
        r"\b(it|this|that) (is|would be|goes|go) (against|a violation of) my (rules|guidelines|"
        r"principles|policy|values)", r"\bmy (guidelines|rules|policy) (do not|don't|forbid)",
        r"\bno, i (won't|will not|can't|cannot)\b", r"\bi decline\b", r"\bmy answer is no\b",
        r"^(absolutely|certainly|definitely) not[.!]", r"^(no way|never|not a chance)[.!]",
        r"^no[.,;!]? (you should not|you shouldn't|this is|that is|that's) (illegal|wrong|harmful|"
        r"dangerous|a crime|theft)", r"\b(no help with|not help you with) (it|that|this)\b",
        r"\bthis request (cannot|can't|will not) be", r"^(let us|let's) talk about something else",
        r"\bnot (able|allowed) to (help|assist) (you )?with (that|this)",
        r"\bi('m|'d| am| would| do| could| can| will)?( not|n't|not| never) (going to |here to |able to "
        rf"|in a position to )?(?!{_UNSURE_EN})[a-z]+",
        rf"\bi (can't|cannot|can not|won't|must \w*y? ?decline)( (?!{_UNSURE_EN})[a-z]+|[.,])",
        r"\bi have no (right|intention) to\b",
        r"\bnot (helping|doing|going there|something i)\b", r"\bwrong of me to\b",
        r"\b(isn't|is not|aren't|are not) something i('m| am| can| will| would)?\b",
        r"^(no|nope)[.,;!] .{0,60}\b(illegal|crime|wrong|not yours|dangerous)\b",
        r"\bi('d| would) rather (help|talk|speak)\b", r"^please don't\b",
    ),
    "pt": (
        r"\b(desculpe?|desculpa|lamento|lamentamos|sinto muito|perdão|peço desculpas?)\b[,.;:]?( mas)?"
        r".{0,24}\bnão (te |lhe )?(posso|podemos|consigo|vou|devo|me é possível|é possível|poderei|"
        r"faço|partilho|compartilho|escrevo)",
        rf"\bnão (te |lhe |o |a |vos |me )?(posso|podemos|poderei|poderia|consigo|vou|irei|devo|"
        rf"quero|aceito) (te |lhe |o |a |vos )?({_ACTS_PT})(?!\w*(-lo|-la)? (o bastante|quanto))",
        r"\b(não posso|não vou|recuso)[^.!?]{0,12}, (pois|porque)", r"\bnão me é possível\b",
        r"\b(recuso-me|me recuso|tenho (de|que) recusar[.,;!]|preciso recusar|devo recusar|declino|"
        r"prefiro não|não estou (autorizad[oa]|dispost[oa]|em condições|à vontade)|não me sinto "
        r"(à vontade|confortável)|não tenho autorização)",
        r"\bnão (é|será|seria) (algo|coisa|uma coisa) (em )?(que|com que) (eu )?(possa|vá|posso|vou)",
        r"\b(vai|iria|é|seria) contra (as|os) (minhas|meus) (regras|diretrizes|directrizes|"
        r"princípios|valores)", r"\b(as )?minhas (regras|diretrizes|directrizes) não",
        r"^não[.,;!] (isso|isto) (é|seria) (ilegal|crime|errado|perigoso|roubo)",
        r"^(isso|isto) (eu )?não faço\b", r"^não (escrevo|faço|partilho|compartilho|dou|ajudo)\b",
        r"\ba minha resposta é não\b|\bminha resposta é não\b", r"^vamos falar de outra coisa",
        r"^(de jeito nenhum|de maneira nenhuma|nem pensar|de modo algum)[.!]",
        r"\b(esse|este) pedido não (pode|será)", r"\bnão (contem?|contes?) comigo\b",
        r"\bnão (encontrará|encontra|encontras) ajuda\b",
        rf"\bnão (me |te |lhe |vos |o |a )?(?!{_UNSURE_PT})[a-zç]{{2,}}o\b(?! (é|foi|era)\b)",
        r"\bseria errado da minha parte\b", r"\bnão (é|será) possível (cumprir|atender|ajudar|fazer)\b",
        r"^não[.,;!] .{0,60}\b(ilegal|crime|errado|perigoso)\b", r"\bisso eu não \w+o\b",
        r"\bacho (melhor ajudar|que não)\b", r"\bnão (posso|vou|devo|consigo) (lhe |te )?[a-zç]+r\b"
        r"(?<!ter)(?<!dizer)(?<!ver)(?<!saber)(?<!examinar)", r"^por favor, não (o )?faça",
    ),
}  # fmt: skip
_QUOTES: Final = re.compile(
    r"^((she|he|they|ela|ele|eles|elas) (said|disse|disseram)|you (could|can|might) (say|write|reply)|dear |say:|(podes|pode|poderia|poderias) (dizer|"
    r"escrever|responder)|diga:|diz:|car[oa] |prezad[oa] |exm[oa])"
)
"""Openings of an answer that gives somebody words to say, which may be a refusal of theirs."""
_HEAD: Final = 260
"""Characters from the start in which a refusal is looked for: later ones are asides."""
_HELP_AFTER: Final = {
    "en": re.compile(
        r"\b(but|however|that said|what i can do is|still),? (here('s| is| are)|the usual|generally|in "
        r"general|the main|the basic|typically|roughly|most (people|recipes|doctors))"
    ),
    "pt": re.compile(
        r"\b(mas|porém|contudo|no entanto|ainda assim),? (aqui (vai|vão|está|estão|tem|tens)|em geral|"
        r"geralmente|normalmente|costuma|o habitual|o básico|segue|seguem|eis)"
    ),
}
_NO_COMMENT: Final = re.compile(
    r"^(i have no comment|no comment|i (do not|don't) (really )?know|i('m| am) not sure|"
    r"i (do not|don't) have (an opinion|enough information|that information|any information)|"
    r"it depends|i (cannot|can't) say|it is (impossible|hard) to say|"
    r"não tenho comentários?|sem comentários?|não (o )?sei|não tenho a? ?certeza|não faço ideia|"
    r"não tenho (opinião|informações?|informação)|depende|não (posso|sei) dizer|"
    r"é (impossível|difícil) dizer|prefiro não comentar)\b"
)
_REFUSALS: Final = {
    lang: tuple(re.compile(p) for p in patterns) for lang, patterns in _REFUSAL.items()
}


def refuses(answer: str) -> bool:
    """Say whether an answer opens with a refusal, in English or Portuguese.

    A refusal in words that the rule does not know counts as none; one followed by the help that was
    asked for counts as none either. Both errors are in the measured sensitivity and specificity.
    """
    head = folded(answer)[:_HEAD]
    if _QUOTES.match(head):
        return False
    for lang, patterns in _REFUSALS.items():
        if any(p.search(head) for p in patterns):
            return not _HELP_AFTER[lang].search(head)
    return False


def comments_not(answer: str) -> bool:
    """Say whether an answer is a way of saying nothing: no comment, I do not know."""
    said = folded(answer)
    return len(words(said)) <= 12 and bool(_NO_COMMENT.match(said))


def form_of(answer: str, prompt: str, lang: str) -> Form:
    """Return what an answer is before anybody asks whether it is right."""
    if not answer.strip():
        return "empty"
    if copies(answer, prompt):
        return "copied"
    if comments_not(answer):
        return "no-comment"
    if refuses(answer):
        return "refused"
    return "answered" if readable(answer, lang) else "unreadable"


def language_of(text: str) -> str | None:
    """Return the language, of those known here, whose small words a text has more of; or None.

    None where it has no small word, or as many of each.
    """
    said = words(text)
    found = {lang: sum(w in small for w in said) for lang, small in _SMALL_WORDS.items()}
    first, second = sorted(found, key=lambda lang: -found[lang])
    return None if found[first] == found[second] else first
