"""The registry: what is declared is found, what is broken is named, and nobody has another door."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from normwright import __version__, plugins
from normwright.plugins import KINDS, Card, broken, cards, get, plugin
from normwright.records import PluginError, digest_bytes

Declare = Callable[..., None]


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Declare:
    """An empty registry whose entry points are those a test declares."""
    declared: list[EntryPoint] = []
    monkeypatch.setattr(plugins, "_parts", {kind: {} for kind in KINDS})
    monkeypatch.setattr(plugins, "_broken", {})
    monkeypatch.setattr(
        plugins, "entry_points", lambda group: [e for e in declared if e.group == group]
    )

    def add(kind: str, name: str, value: str) -> None:
        declared.append(EntryPoint(name=name, value=value, group=f"normwright.{kind}"))

    return add


def card(name: str = "plurality", kind: str = "methods") -> Card:
    """A small valid card."""
    return Card(name=name, kind=kind, summary="Counts first choices.", status="tested")


def plurality() -> str:
    """A part to register."""
    return "counted"


def approval() -> str:
    """Another part."""
    return "approved"


def test_get_returns_the_part_itself(declare: Declare) -> None:
    """A registered part is handed back as it was, and its card is listed."""
    plugin(card())(plurality)

    assert get("methods", "plurality") is plurality
    assert cards("methods") == (card(),)
    assert cards() == (card(),)


def test_unknown_name_says_what_is_known(declare: Declare) -> None:
    """The error names the kind, the known parts and the nearest one."""
    plugin(card())(plurality)
    plugin(card("approval"))(approval)

    with pytest.raises(PluginError, match=r"approval, plurality.*Did you mean 'plurality'"):
        get("methods", "pluralty")


def test_unknown_kind_is_refused(declare: Declare) -> None:
    """A kind that does not exist is refused on look-up and on registration."""
    with pytest.raises(PluginError, match="Did you mean 'methods'"):
        get("method", "plurality")
    with pytest.raises(PluginError, match="kind of plug-in"):
        plugin(card(kind="spells"))


def test_same_name_twice_is_refused(declare: Declare) -> None:
    """Two parts cannot share a name; the same part may be registered again."""
    plugin(card())(plurality)
    plugin(card())(plurality)

    with pytest.raises(PluginError, match="Two plug-ins call themselves 'plurality'"):
        plugin(card())(approval)


def test_a_broken_part_breaks_only_itself(declare: Declare) -> None:
    """A module that does not import is listed with its reason and named when asked for."""
    plugin(card())(plurality)
    declare("methods", "third-party", "normwright_no_such_module:part")

    (bad,) = broken("methods")

    assert get("methods", "plurality") is plurality
    assert bad.name == "third-party"
    assert "ModuleNotFoundError" in bad.reason
    with pytest.raises(PluginError, match=r"third-party.*is broken: ModuleNotFoundError"):
        get("methods", "third-party")
    with pytest.raises(PluginError, match="Broken: third-party"):
        get("methods", "borda")


def test_an_entry_point_that_is_no_path_breaks_only_itself(declare: Declare) -> None:
    """What the metadata of a stranger says may be no module at all."""
    plugin(card())(plurality)
    declare("methods", "scrawl", "not a module!")

    (bad,) = broken("methods")

    assert (bad.name, bad.distribution) == ("scrawl", None)
    assert get("methods", "plurality") is plurality


def test_origin_of_one_registered_by_hand(declare: Declare) -> None:
    """No distribution declares it, and that is said, whatever class it is an object of."""
    plugin(card())(plurality)
    plugin(card("object"))(card())

    for name in ("plurality", "object"):
        found = plugins.origin("methods", name)
        assert (found.distribution, found.version) == (None, None)
        assert found.module == __name__
        assert found.digest == digest_bytes(Path(__file__).read_bytes())
    with pytest.raises(PluginError, match="nobody"):
        plugins.origin("methods", "nobody")


def test_origin_of_ours() -> None:
    """A part that ships names this package, its version, and its own module's source."""
    found = plugins.origin("methods", "borda")

    assert (found.distribution, found.version) == ("normwright", __version__)
    assert found.module == "normwright.aggregate.methods.borda"
    assert found.digest is not None


def test_ctrl_c_while_loading_is_not_a_broken_plugin(
    declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stops the program while a module loads stops the program."""

    def stopped(_: EntryPoint) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(EntryPoint, "load", stopped)
    declare("methods", "slow", "a")

    with pytest.raises(KeyboardInterrupt):
        cards("methods")


def test_loading_waits_for_the_first_look_up_of_the_kind(
    declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry point is loaded when its kind is asked for, once, and no other kind's is."""
    loaded: list[str] = []
    monkeypatch.setattr(EntryPoint, "load", lambda self: loaded.append(self.name))
    declare("methods", "one", "a")
    declare("suites", "two", "b")

    assert loaded == []
    cards("methods")
    cards("methods")
    assert loaded == ["one"]


def test_a_card_says_enough() -> None:
    """A card without a summary, with an odd name or an unknown status is refused."""
    good = {"name": "plurality", "kind": "methods", "summary": "Counts.", "status": "tested"}

    for change in ({"summary": ""}, {"name": "Not A Slug"}, {"status": "perfect"}, {"extra": "x"}):
        with pytest.raises(ValueError, match="validation error"):
            Card.model_validate({**good, **change})


def test_built_ins_load_and_none_is_broken() -> None:
    """In a fresh interpreter, every entry point this project declares loads and brings a card."""
    code = (
        "from normwright.plugins import broken, cards\n"
        "from importlib.metadata import distribution\n"
        "ours = [e for e in distribution('normwright').entry_points"
        " if e.group.startswith('normwright.')]\n"
        "bad = [b for b in broken() if b.where.startswith('normwright')]\n"
        "assert not bad, bad\n"
        "print(len(ours), len(cards()))\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )

    assert ran.returncode == 0, ran.stderr
    declared, listed = map(int, ran.stdout.split())
    assert listed >= declared


def test_every_part_of_ours_has_its_door() -> None:
    """A module that registers a card stands among the entry points, so that nobody misses it."""
    root = Path(__file__).parents[1]
    declared = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    doors = {
        place
        for group, entries in declared["project"]["entry-points"].items()
        if group.startswith("normwright.")
        for place in entries.values()
    }
    registering = {
        ".".join(path.relative_to(root / "src").with_suffix("").parts)
        for path in (root / "src/normwright").rglob("*.py")
        if "\n@plugin(" in path.read_text(encoding="utf-8")
    }

    assert registering
    assert registering <= doors
