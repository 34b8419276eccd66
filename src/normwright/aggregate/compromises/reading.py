"""Theories from what a person wrote, from rows of a table, or from opinion groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from normwright.aggregate.compromises import SCALES, Exact, Theories
from normwright.records import Estimate, Fault, InputError, Outcome

_KNOWN = ("options", "theories", "comparable", "status_quo", "people")
_KNOWN_OF_ONE = ("credence", "worth", "order", "scale")
_OF_COLUMN = {"order": "ordinal", "worth": "interval", **{s: s for s in SCALES}}
"""What a column `scale` of a table may say -> the scale."""
_LEXICAL = (
    "What no gain makes up for is a constraint: make it a norm of the charter and take options "
    "that break it off the list."
)
_CLOSE = Fraction(1, 10**9)
"""How far credences may be from adding up to 1."""


def theories_of(given: Mapping[str, Any], *, where: str = "theories") -> Theories:
    """Return the theories of a mapping, as in a YAML or JSON file.

    ```yaml
    options: [share, withhold, ask]
    comparable: false          # true only if a unit of worth is the same in all theories
    status_quo: withhold       # may be left out
    people: 40                 # credences are shares of so many people; may be left out
    theories:
      outcomes: {credence: 0.5, scale: interval, worth: {share: 10, withhold: 0, ask: 9}}
      duties: {credence: 0.5, order: [ask, [share, withhold]]}   # best first; level in brackets
    ```

    A scale is ordinal (only the order of the numbers means anything), interval (differences do) or
    ratio (zero does, too). Where it is left out, rules take differences to mean something, as
    `worth` says; `choose` wants it said.

    Numbers are read as the decimals they are written as; a fraction such as "1/3" may be given as
    text. Credences may miss 1 by 1e-9 and are then divided by their sum.

    Args:
        given: the mapping.
        where: how faults name it.

    Raises:
        InputError: with every fault there is: unknown keys, options a theory does not speak of,
            numbers that are none, credences that do not add up to 1.
    """
    reader = _Reader(where)
    return reader.read(given)


def theories_of_rows(
    rows: Sequence[Mapping[str, str]],
    *,
    comparable: bool = False,
    status_quo: str | None = None,
    where: str = "theories",
) -> Theories:
    """Return the theories of a table: columns `theory`, `credence`, then one an option.

    A column `scale` may say ordinal, interval or ratio; `order` and `worth` are read as the first
    two.

    Raises:
        InputError: with every fault there is, among them a theory that stands there twice.
    """
    faults: list[Fault] = []
    theories: dict[str, Any] = {}
    options: list[str] = []
    for number, row in enumerate(rows):
        at = f"{where}: row {number + 1}"
        own = [c for c in row if c not in ("theory", "credence", "scale")]
        options = options or own
        lacking = [c for c in ("theory", "credence") if c not in row]
        if lacking or own != options:
            faults.append(Fault(
                where=at, expected="columns theory, credence and the same options in every row",
                seen=f"columns {', '.join(row)}",
            ))  # fmt: skip
            continue
        if row["theory"] in theories:
            faults.append(Fault(
                where=at, expected="each theory once", seen=f"{row['theory']!r} again",
            ))  # fmt: skip
            continue
        worth = {o: row[o] for o in options}
        theories[row["theory"]] = {"credence": row["credence"], "worth": worth}
        if (scale := row.get("scale")) is not None:
            if scale not in _OF_COLUMN:
                faults.append(Fault(where=f"{at}, scale", expected=f"one of {', '.join(SCALES)}",
                                    seen=repr(scale)))  # fmt: skip
            theories[row["theory"]]["scale"] = _OF_COLUMN.get(scale, SCALES[0])
    given: dict[str, Any] = {"options": options, "theories": theories, "comparable": comparable}
    if status_quo is not None:
        given["status_quo"] = status_quo
    return _Reader(where, faults).read(given)


def theories_of_groups(
    outcome: Outcome, *, statements: Sequence[str] | None = None, comparable: bool = False
) -> Theories:
    """Return opinion groups as theories: credence is a group's share of the people in groups.

    The worth of a statement to a group is the share of it that agrees. People in no group are in no
    theory. That a share of one group is worth the same as of another has to be said.

    Args:
        outcome: what one polity's votes say, with groups.
        statements: which to choose among; None: all that were voted on.
        comparable: whether shares count alike in all groups.

    Raises:
        InputError: where no groups are supported, or a group has no votes on a statement, naming
            each.
    """
    groups = outcome.grouping.groups
    about = {s.statement: s for s in outcome.support}
    options = tuple(about) if statements is None else tuple(statements)
    faults = []
    if not groups or not options:
        faults.append(Fault(
            where="theories", expected="opinion groups and statements they voted on",
            seen=outcome.grouping.reason if not groups else "no statement",
        ))  # fmt: skip
    worth: list[list[Fraction]] = [[] for _ in groups]
    for option in options:
        for row, group in zip(worth, groups, strict=True):
            share = about[option].groups.get(group.id) if option in about else None
            if share is None or share.value is None:
                faults.append(Fault(
                    where=f"group {group.id}, statement {option}",
                    expected="votes of the group on it", seen="none",
                    do="Leave the statement out: what a group thinks of it is not known.",
                ))  # fmt: skip
            else:
                row.append(_exact_share(share, share.value))
    if faults:
        raise InputError(faults)
    people = sum(g.size for g in groups)
    return Theories(
        names=tuple(g.id for g in groups),
        options=options,
        credences=tuple(Fraction(g.size, people) for g in groups),
        worth=tuple(tuple(row) for row in worth),
        ordinal=(False,) * len(groups),
        comparable=comparable,
        scales=("ratio",) * len(groups),
        people=people,
    )


def _exact_share(share: Estimate, value: float) -> Fraction:
    """The fraction of counts that a share is."""
    return Fraction(round(value * share.n), share.n)


class _Reader:
    """Reads one mapping and keeps every fault until the end."""

    def __init__(self, where: str, faults: Sequence[Fault] = ()) -> None:
        self.where = where
        self.faults = list(faults)
        self.unread = bool(faults)
        """Whether some credence could not be read, so that their sum says nothing."""

    def read(self, given: Mapping[str, Any]) -> Theories:
        self._unknown(self.where, given, _KNOWN)
        options = self._options(given.get("options"))
        comparable = given.get("comparable", False)
        if not isinstance(comparable, bool):
            self._fault("comparable", "true or false", repr(comparable))
        quo = given.get("status_quo")
        if quo is not None and quo not in options:
            self._fault("status_quo", f"one of {', '.join(options)}", repr(quo))
        people = given.get("people")
        if people is not None and (not isinstance(people, int) or people is True or people < 1):
            self._fault("people", "a whole number of people from 1", repr(people))
        theories = given.get("theories")
        if not isinstance(theories, Mapping) or not theories:
            self._fault("theories", "at least one theory by name", repr(theories))
            theories = {}
        read = [self._theory(str(name), one, options) for name, one in theories.items()]
        total = sum((credence for credence, _, _ in read), Fraction(0))
        if read and not self.unread and abs(total - 1) > _CLOSE:
            self._fault(
                "credence", "credences that add up to 1", f"a sum of {float(total)!r}",
                "Nothing is scaled to fit: say what the rest of the belief is in.",
            )  # fmt: skip
        if self.faults:
            raise InputError(self.faults)
        return Theories(
            names=tuple(map(str, theories)),
            options=options,
            credences=tuple(credence / total for credence, _, _ in read),
            worth=tuple(worth for _, worth, _ in read),
            ordinal=tuple(scale == "ordinal" for _, _, scale in read),
            comparable=bool(comparable),
            status_quo=None if quo is None else options.index(quo),
            scales=tuple(scale for _, _, scale in read),
            people=people,
        )

    def _options(self, given: Any) -> tuple[str, ...]:
        if not isinstance(given, Sequence) or isinstance(given, str) or not given:
            self._fault("options", "a list of at least one option", repr(given))
            return ()
        options = tuple(str(o) for o in given)
        for option in sorted({o for o in options if options.count(o) > 1}):
            self._fault("options", "each option once", f"{option!r} {options.count(option)} times")
        return tuple(dict.fromkeys(options))

    def _theory(
        self, name: str, given: Any, options: tuple[str, ...]
    ) -> tuple[Fraction, Exact, str | None]:
        nothing = (Fraction(0),) * len(options)
        if not isinstance(given, Mapping):
            self._fault(name, "credence, and worth or order", repr(given))
            self.unread = True
            return Fraction(0), nothing, None
        self._unknown(f"{self.where}: {name}", given, _KNOWN_OF_ONE)
        credence = self._number(f"{name}, credence", given.get("credence"))
        self.unread |= credence is None
        if credence is not None and not 0 <= credence <= 1:
            self._fault(f"{name}, credence", "a number from 0 to 1", str(given.get("credence")))
        scale = self._scale(name, given)
        if ("worth" in given) == ("order" in given):
            seen = "both" if "worth" in given else "neither"
            self._fault(name, "either worth (numbers) or order (best first)", seen)
            return credence or Fraction(0), nothing, scale
        if "worth" in given:
            return credence or Fraction(0), self._worth(name, given["worth"], options), scale
        return credence or Fraction(0), self._order(name, given["order"], options), "ordinal"

    def _scale(self, name: str, given: Mapping[str, Any]) -> str | None:
        """What the numbers mean; None where nothing is said."""
        scale = given.get("scale")
        may = SCALES[:1] if "order" in given else SCALES
        if "scale" in given and scale not in may:
            self._fault(f"{name}, scale", f"one of {', '.join(may)}", repr(scale))
            return None
        return None if scale is None else str(scale)

    def _worth(self, name: str, given: Any, options: tuple[str, ...]) -> Exact:
        if not isinstance(given, Mapping):
            self._fault(f"{name}, worth", "a number for each option", repr(given))
            return (Fraction(0),) * len(options)
        values = {str(o): v for o, v in given.items()}
        self._complete(f"{name}, worth", list(values), options)
        found = (
            self._number(f"{name}, worth of {o}", values[o]) if o in values else None
            for o in options
        )
        return tuple(Fraction(0) if v is None else v for v in found)

    def _order(self, name: str, given: Any, options: tuple[str, ...]) -> Exact:
        if not isinstance(given, Sequence) or isinstance(given, str):
            self._fault(f"{name}, order", "a list of options, best first", repr(given))
            return (Fraction(0),) * len(options)
        tiers = [[str(o) for o in t] if isinstance(t, list | tuple) else [str(t)] for t in given]
        self._complete(f"{name}, order", [o for tier in tiers for o in tier], options)
        place = {o: Fraction(-level) for level, tier in enumerate(tiers) for o in tier}
        return tuple(place.get(o, Fraction(0)) for o in options)

    def _complete(self, at: str, named: list[str], options: tuple[str, ...]) -> None:
        """Every option once, and no other: what a theory holds of one is not guessed."""
        for option in options:
            if named.count(option) != 1:
                self._fault(
                    at, f"{option!r} once", "nothing" if option not in named else "it twice",
                    "What a theory holds of an option is not guessed.",
                )  # fmt: skip
        for option in sorted(set(named) - set(options)):
            self._fault(at, f"one of {', '.join(options)}", repr(option))

    def _number(self, at: str, given: Any) -> Fraction | None:
        try:
            return exact(given)
        except ValueError:
            endless = str(given).strip().lower().lstrip("+-.") in ("inf", "infinity")
            self._fault(at, "a number", repr(given), _LEXICAL if endless else "")
            return None

    def _unknown(self, at: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
        for key in sorted(map(str, given)):
            if key not in known:
                self.faults.append(
                    Fault(where=at, expected=f"keys {', '.join(known)}", seen=repr(key))
                )

    def _fault(self, at: str, expected: str, seen: str, do: str = "") -> None:
        self.faults.append(Fault(where=f"{self.where}: {at}", expected=expected, seen=seen, do=do))


def exact(given: Any) -> Fraction:
    """Return the number that was written: 0.1 is one tenth, and "1/3" is one third.

    Raises:
        ValueError: if it is no finite number.
    """
    if isinstance(given, bool) or not isinstance(given, int | float | str | Fraction | Decimal):
        raise ValueError(f"no number: {given!r}")
    if isinstance(given, Fraction):
        return given
    text = str(given).strip()
    top, slash, bottom = text.partition("/")
    try:
        number = Fraction(Decimal(top))
        return number / Fraction(Decimal(bottom)) if slash else number
    except (InvalidOperation, ZeroDivisionError, OverflowError, ValueError) as error:
        raise ValueError(f"no number: {given!r}") from error
