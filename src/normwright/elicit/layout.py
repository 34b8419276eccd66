"""How a stranger's table is laid out: one row an answer, a participant, or a comparison."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from normwright.elicit.ranked import are_ranks, place_columns
from normwright.elicit.sheets import Sheet
from normwright.elicit.stances import could_be_answers, few_values

Kind: TypeAlias = Literal["long", "wide", "comparisons", "rankings"]
KINDS: Final[tuple[Kind, ...]] = ("long", "wide", "comparisons", "rankings")
ROLES: Final = (
    "participant", "statement", "vote", "text", "time", "winner", "loser", "left", "right",
    "choice", "rank", "valid",
)  # fmt: skip
"""What `columns` in a mapping file may name."""
ROWS: Final = "rows"
"""In place of a participant's column: every row is a person of its own."""

_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "participant": (
        "participant", "participant_id", "voter", "voter_id", "user", "user_id", "person",
        "person_id", "pid", "respondent", "respondent_id", "rater_id", "rater", "annotator_id",
        "annotator", "worker_id", "session_id", "session_identifier", "participante",
        "id_participante", "participante_id", "pessoa", "eleitor", "usuario", "usuário",
        "respondente", "id_respondente", "votante",
    ),
    "statement": (
        "statement", "statement_id", "comment_id", "comment", "item", "item_id", "question_id",
        "question", "proposal", "proposal_id", "proposition", "tid", "afirmacao", "afirmação",
        "declaracao", "declaração", "proposta", "frase", "pergunta", "comentario", "comentário",
        "enunciado",
        "alternative", "alternative_id", "candidate", "candidate_id", "alternativa", "candidato",
        "candidata",
    ),
    "vote": (
        "vote", "stance", "answer", "response", "opinion", "rating", "score", "value", "choice",
        "voto", "resposta", "opiniao", "opinião", "posicao", "posição", "nota", "valor", "escolha",
    ),
    "text": (
        "text", "statement_text", "comment_body", "body", "comment_text", "item_text",
        "question_text", "texto", "texto_da_afirmacao", "texto_da_afirmação",
    ),
    "time": (
        "at", "timestamp", "time", "created_at", "date", "datetime", "data", "hora", "quando",
        "carimbo_de_data/hora",
    ),
    "winner": ("winner_text", "winner_id", "winner", "vencedora", "vencedor"),
    "loser": ("loser_text", "loser_id", "loser", "perdedora", "perdedor"),
    "left": (
        "left", "left_text", "left_id", "left_item", "left_choice_text", "left_choice_id",
        "option_a", "item_a", "statement_a", "alternative_a", "option_1", "item_1", "statement_1",
        "esquerda", "opcao_a", "opção_a", "item_esquerdo",
    ),
    "right": (
        "right", "right_text", "right_id", "right_item", "right_choice_text", "right_choice_id",
        "option_b", "item_b", "statement_b", "alternative_b", "option_2", "item_2", "statement_2",
        "direita", "opcao_b", "opção_b", "item_direito",
    ),
    "choice": (
        "choice", "winner", "preferred", "preference", "chosen", "selected", "result", "outcome",
        "vote", "escolha", "preferida", "preferido", "vencedora", "vencedor", "resultado", "voto",
    ),
    "rank": ("rank", "ranking", "place", "ordem", "colocacao", "colocação", "lugar"),
    "valid": ("valid", "valido", "válido"),
}  # fmt: skip
_NAMING: Final = (
    "id", "response_id", "email", "e_mail", "email_address", "name", "id_da_resposta",
    "endereço_de_e_mail", "endereco_de_e_mail", "nome",
)  # fmt: skip
"""Columns that name people where each value in them differs."""
_NEVER_VOTES = re.compile(
    r"(?:group_?id|n_(?:comments|votes|agree|disagree|pass)|xid|age|idade|gender|sex|sexo|genero|"
    r"gênero|zip|cep|phase|turn|idx|index|id)"
)


@dataclass(frozen=True)
class Layout:
    """A layout with its columns by number."""

    kind: Kind
    columns: Mapping[str, int]
    """Role -> column, of `ROLES`."""
    statements: tuple[int, ...] = ()
    """The columns of a wide table that hold answers."""
    left_out: tuple[int, ...] = ()
    """Columns of a wide table that hold something else."""
    places: tuple[int, ...] = ()
    """The columns of a table of rankings that hold the first, the second and further choice."""


@dataclass(frozen=True)
class Open:
    """What cannot be told from the table."""

    role: str
    """`layout`, or a role of `ROLES`."""
    options: tuple[str, ...]


def plain(name: str) -> str:
    """Return a column's name as names are compared: lower case, words joined by underscores."""
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def find_layout(
    sheet: Sheet, *, kind: str | None, chosen: Mapping[str, str], leave_out: Sequence[str] = ()
) -> tuple[Layout | None, tuple[Open, ...]]:
    """Return the layout of a table, or None, and what has to be asked to be sure of it.

    Args:
        sheet: the table.
        kind: the layout people decided on, one of `KINDS`.
        chosen: the columns people decided on, by role.
        leave_out: columns of a wide table that hold no answers, though they look like it.
    """
    names = {plain(c): i for i, c in reversed(list(enumerate(sheet.columns)))}
    found: dict[str, int] = {}
    for role in ROLES:
        if role in chosen:
            if chosen[role] in sheet.columns:
                found[role] = sheet.column(chosen[role])
        else:
            place = next((names[k] for k in _KNOWN[role] if k in names), None)
            if place is not None:
                found[role] = place
    answers = _answers(sheet, found, leave_out)
    if kind == "wide" and not answers:
        answers = _answers(sheet, found, leave_out, could_be=few_values)
    places = place_columns([plain(c) for c in sheet.columns])
    if kind is None:
        kind = "wide" if leave_out and answers else _kind(sheet, found, answers, places)
    match kind:
        case "comparisons":
            sides = _SIDES if found.keys() >= _SIDES else {"winner", "loser"}
            # Where every column is spoken for, none can name people: each row is one of its own.
            spoken_for = len(set(found.values())) == len(sheet.columns)
            nameless = chosen.get("participant") == ROWS or spoken_for
            named = () if nameless and "participant" not in found else ("participant",)
            layout, open_ = _needing(sheet, "comparisons", found, (*named, *sorted(sides)))
            if layout is None and named and "participant" not in found:
                open_ = tuple(
                    replace(one, options=(*one.options, ROWS)) if one.role == "participant" else one
                    for one in open_
                )
            return layout, open_
        case "rankings":
            return _ranked(sheet, found, answers, places, chosen)
        case "long":
            return _needing(sheet, "long", found, ("participant", "statement", "vote"))
        case "wide":
            return _wide(sheet, found, answers, chosen)
    return None, (Open("layout", KINDS),)


_SIDES: Final = frozenset({"left", "right", "choice"})


def _kind(
    sheet: Sheet, found: Mapping[str, int], answers: Sequence[int], places: Sequence[int]
) -> Kind | None:
    if {"winner", "loser"} <= found.keys() or found.keys() >= _SIDES:
        return "comparisons"
    if {"participant", "statement", "rank"} <= found.keys() or places:
        return "rankings"
    if "statement" not in found and are_ranks(sheet, answers):
        return "rankings"
    if {"participant", "statement"} <= found.keys() and ("vote" in found or len(answers) < 2):
        return "long"
    if len(answers) >= 2:
        return "wide"
    return None


def _answers(
    sheet: Sheet,
    found: Mapping[str, int],
    leave_out: Sequence[str],
    could_be: Callable[[Sequence[str]], bool] = could_be_answers,
) -> tuple[int, ...]:
    """The columns that may hold answers, whatever else they may be."""
    aside = {found.get("participant"), found.get("time")}
    kept = []
    for number, name in enumerate(sheet.columns):
        if number in aside or name in leave_out or _NEVER_VOTES.fullmatch(plain(name)):
            continue
        values = [row.cells[number] for row in sheet.rows if row.cells[number]]
        if could_be(values):
            kept.append(number)
    return tuple(kept)


def _ranked(
    sheet: Sheet,
    found: Mapping[str, int],
    answers: Sequence[int],
    places: tuple[int, ...],
    chosen: Mapping[str, str],
) -> tuple[Layout | None, tuple[Open, ...]]:
    """One row an alternative and its place; or one row a person, with names or places in it."""
    if "rank" in found or not (places or answers):
        return _needing(sheet, "rankings", found, ("participant", "statement", "rank"))
    wide, open_ = _wide(sheet, found, places or answers, chosen)
    if wide is None:
        return None, open_
    statements = () if places else wide.statements
    return replace(wide, kind="rankings", places=places, statements=statements), open_


def _needing(
    sheet: Sheet, kind: Kind, found: Mapping[str, int], roles: Sequence[str]
) -> tuple[Layout | None, tuple[Open, ...]]:
    missing = [role for role in roles if role not in found]
    if missing:
        taken = set(found.values())
        free = tuple(c for i, c in enumerate(sheet.columns) if i not in taken)
        return None, tuple(Open(role, free) for role in missing)
    return Layout(kind, found), ()


def _wide(
    sheet: Sheet, found: Mapping[str, int], answers: Sequence[int], chosen: Mapping[str, str]
) -> tuple[Layout | None, tuple[Open, ...]]:
    kept = {role: i for role, i in found.items() if role in ("participant", "time")}
    asked: tuple[Open, ...] = ()
    if "participant" not in kept and chosen.get("participant") != ROWS:
        others = [i for i in range(len(sheet.columns)) if i not in answers]
        unique = [i for i in others if i != kept.get("time") and _all_differ(sheet, i)]
        telling = [i for i in unique if plain(sheet.columns[i]) in _NAMING]
        if len(telling) == 1:
            kept["participant"] = telling[0]
        elif unique:
            asked = (Open("participant", (*(sheet.columns[i] for i in unique), ROWS)),)
    aside = tuple(i for i in range(len(sheet.columns)) if i not in (*answers, *kept.values()))
    return Layout("wide", kept, tuple(answers), aside), asked


def _all_differ(sheet: Sheet, column: int) -> bool:
    values = [row.cells[column] for row in sheet.rows]
    return len(values) > 1 and all(values) and len(set(values)) == len(values)
