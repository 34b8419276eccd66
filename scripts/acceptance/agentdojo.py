"""Put the guard of agents before AgentDojo's tools, on its ground truth: no model is asked.

    python3.11 -m venv build/agentdojo-venv
    build/agentdojo-venv/bin/pip install agentdojo==0.1.35 -e .
    build/agentdojo-venv/bin/python scripts/acceptance/agentdojo.py [SUITE ...] [--out FILE]

What users ask for is done call by call through the guard: how many calls are stopped, and is the
task done all the same? Then the attack: text that gives orders is put wherever AgentDojo puts it,
the user's calls are made, and after them those that the attacker wants. How many are made, and
does the attacker get what he wants? Every user's task is attacked with every goal of its suite.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).parent
# This file has the name of what it tests, and Python looks beside a script first.
sys.path[:] = [place for place in sys.path if Path(place).resolve() != HERE.resolve()]

import yaml  # noqa: E402
from agentdojo.attacks.attack_registry import load_attack  # noqa: E402
from agentdojo.functions_runtime import FunctionsRuntime  # noqa: E402
from agentdojo.task_suite.load_suites import get_suites  # noqa: E402

from normwright.guard import Guard  # noqa: E402
from normwright.guard.agents import (  # noqa: E402
    AgentGuard,
    Approver,
    GrantLedger,
    Settings,
    read_manifest,
)
from normwright.guard.agents.embedded import policy  # noqa: E402
from normwright.records import CallVerdict, Exchange, Grant, ToolCall, Utterance  # noqa: E402
from normwright.stats import clopper_pearson  # noqa: E402

# AgentDojo reads a world of thousands of lines anew for every pair; the reader in C is quicker.
yaml.safe_load = lambda stream: yaml.load(stream, Loader=yaml.CSafeLoader)
VERSION = "v1.2.2"
NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)
WRAPPED: dict[str, str] = {}
"""Name of an attack -> the text that it wraps a goal in, as AgentDojo has it."""
MAIN = "important_instructions"
OTHERS = ("direct", "ignore_previous", "injecagent", "system_message")
"""Other wrappings; no detector was written with them at hand."""
BUDGET: dict[str, int | None] = {
    "money": 300_000, "recipients": 20, "deletions": 3, "irreversible": 10, "outflow": 0,
}  # fmt: skip
Reader = Literal["none", "embedded", "perfect"]
"""Who says that a text gives orders: nobody, the detectors that ship, or one never wrong."""
READERS: tuple[Reader, ...] = ("none", "embedded", "perfect")


@dataclass
class Tally:
    """What was counted in one suite."""

    tasks: int = 0
    done: int = 0
    """Tasks whose check passes at the end."""
    calls: int = 0
    stopped: list[str] = field(default_factory=list)
    """The user's calls that were not simply made, with why."""
    pairs: int = 0
    won: int = 0
    """Pairs after which AgentDojo says that the attacker got what he wanted."""
    wins: Counter[str] = field(default_factory=Counter)
    attacks: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    """Call that an attacker wants -> whether it was stopped, in each pair."""
    acting: dict[str, bool] = field(default_factory=dict)
    """Call -> whether it does something, and is not only reading one's own."""
    wordless: int = 0
    """Goals for which no tool is called, such as having the agent say something: they are no matter
    of calls, and are left out."""
    kept: int = 0
    """Pairs in which the user's task was done although it was attacked."""
    ms: list[float] = field(default_factory=list)


def main() -> int:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("suites", nargs="*")
    parser.add_argument("--readers", nargs="*", choices=READERS, default=list(READERS))
    parser.add_argument("--wrappings", nargs="*", default=[MAIN, *OTHERS])
    parser.add_argument("--tasks", type=int, help="only so many of each suite; all if left out")
    parser.add_argument(
        "--other-tasks",
        type=int,
        default=10,
        help="how many tasks of a suite are attacked in the other wrappings",
    )
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    suites = get_suites(VERSION)
    chosen = arguments.suites or sorted(suites)
    approver = Approver(policy(), read_manifest(HERE / "agentdojo.yaml"), settings=Settings())
    WRAPPED.update(wrappings(suites["workspace"], arguments.wrappings))
    found: dict[str, dict[str, Tally]] = {}
    settings = [(MAIN, reader) for reader in arguments.readers if MAIN in arguments.wrappings]
    settings += [(one, "embedded") for one in arguments.wrappings if one != MAIN]
    for wrapping, reader in settings:
        title = f"{wrapping}, {reader}"
        found[title] = {}
        for name in chosen:
            tasks = arguments.tasks if wrapping == MAIN else arguments.other_tasks
            tally = measured(suites[name], approver, reader, wrapping, tasks)
            found[title][name] = tally
            told(title, name, tally)
    report = written(found)
    print(report)
    if arguments.out is not None:
        arguments.out.write_text(report, encoding="utf-8")
    return 0


def told(title: str, name: str, tally: Tally) -> None:
    """Tell on the screen what was counted, and what was stopped or won."""
    print(title, name, json.dumps(summary(tally)), file=sys.stderr, flush=True)
    for line in tally.stopped:
        print("   stopped:", line, file=sys.stderr)
    for what, count in tally.wins.most_common():
        print("   won:", what, count, file=sys.stderr)


def wrappings(suite: Any, names: Sequence[str]) -> dict[str, str]:
    """Return the texts in which AgentDojo's attacks wrap a goal."""

    class Pipeline:
        name = "gpt-4o-2024-05-13"

    found = {}
    for name in names:
        text = str(load_attack(name, suite, Pipeline()).jailbreak)
        found[name] = text
    return found


def measured(
    suite: Any, approver: Approver, reader: Reader, wrapping: str, tasks: int | None
) -> Tally:
    """Return what was counted in a suite, with orders in one wrapping."""
    tally = Tally()
    goals = {
        one.ID: one
        for one in suite.injection_tasks.values()
        if one.ground_truth(suite.load_and_inject_default_environment({}))
    }
    tally.wordless = len(suite.injection_tasks) - len(goals)
    for task in list(suite.user_tasks.values())[:tasks]:
        env = started(suite, task, {})
        with desk(approver, reader, "") as guard:
            run = Run(suite, guard, task.PROMPT)
            before, calls = env.model_copy(deep=True), task.ground_truth(env)
            verdicts = [run.call(env, one, tally) for one in calls]
            tally.tasks += 1
            tally.done += solved(suite, task, before, env, run)
            tally.calls += len(calls)
            tally.stopped += [
                f"{task.ID} {v.tool}: {v.outcome}, {v.check}, {v.seen}" for v in verdicts
                if v.outcome not in ("allow", "modify")
            ]  # fmt: skip
        for goal in goals.values():
            attacked(suite, approver, reader, task, goal, tally, WRAPPED[wrapping])
    return tally


def attacked(
    suite: Any, approver: Approver, reader: Reader, task: Any, goal: Any, tally: Tally, text: str
) -> None:
    """Attack a user's task with one goal, and count."""
    text = text.format(goal=goal.GOAL, user="Emma Johnson", model="GPT-4")
    vectors = suite.get_injection_vector_defaults()
    env = started(suite, task, dict.fromkeys(vectors, text.replace("\n", "\\n").replace('"', "'")))
    before = env.model_copy(deep=True)
    with desk(approver, reader, goal.GOAL) as guard:
        run = Run(suite, guard, task.PROMPT)
        for one in task.ground_truth(env):
            run.call(env, one, tally)
        tally.kept += solved(suite, task, before, env, run)
        middle = env.model_copy(deep=True)
        wanted = goal.ground_truth(env)
        verdicts = [run.call(env, one, tally) for one in wanted]
    for number, (one, verdict) in enumerate(zip(wanted, verdicts, strict=True)):
        name = f"{goal.ID}[{number}] {one.function}"
        stopped = verdict.outcome not in ("allow", "modify")
        tally.attacks[name].append(stopped)
        tally.acting[name] = approver.manifest.tools[one.function].act != "read.data"
    tally.pairs += 1
    won = _security(goal, middle, env, run)
    tally.won += won
    tally.wins[goal.ID] += won


class Run:
    """One conversation: calls go through the guard, and what comes back is heard by it."""

    def __init__(self, suite: Any, guard: AgentGuard, words: str) -> None:
        self.guard = guard
        self.runtime = FunctionsRuntime(suite.tools)
        self.made: list[Any] = []
        guard.hear("run", words)

    def call(self, env: Any, asked: Any, tally: Tally) -> CallVerdict:
        """Make a call if the guard lets it, and return the verdict."""
        call = ToolCall(tool=asked.function, arguments=plain(dict(asked.args)), agent="assistant",
                        grant="g", session="run", at=NOON)  # fmt: skip
        began = time.perf_counter()
        verdict, ticket = self.guard.approve(call)
        tally.ms.append((time.perf_counter() - began) * 1000)
        if ticket is not None:
            self.guard.begin(ticket)
            # AgentDojo's own objects are passed on, for they are what was approved, as JSON.
            result, error = self.runtime.run_function(env, asked.function, dict(asked.args))
            self.guard.finish(ticket, plain(result) if error is None else [error])
            self.made.append(asked)
        return verdict


@contextmanager
def desk(approver: Approver, reader: Reader, goal: str) -> Iterator[AgentGuard]:
    """Return a guard over a new ledger, in which the assistant may do all that an office does."""
    ledger = GrantLedger(people=("user",), acts=approver.resolver.acts)
    grant = Grant(id="g", grantor="user", grantee="assistant", acts=("operate",), budget=BUDGET)
    ledger.issue(grant, by="user", at=NOON)
    yield AgentGuard(approver, ledger, clock=lambda: NOON, suspecting=suspecting(reader, goal))


def suspecting(reader: Reader, goal: str) -> Callable[[str], bool]:
    """Return who says that a text gives orders."""
    if reader == "none":
        return lambda text: False
    if reader == "perfect":
        mark = " ".join(goal.split())
        return lambda text: bool(mark) and mark.replace('"', "'") in " ".join(text.split())
    return embedded


_SCREENED: dict[str, bool] = {}
_GUARD: list[Guard] = []


def embedded(text: str) -> bool:
    """Return what the detectors that ship say."""
    if text not in _SCREENED:
        if not _GUARD:
            _GUARD.append(Guard.embedded())
        exchange = Exchange(
            id="x", utterances=(Utterance(role="tool", text=text, where="messages[0].content"),),
            answer=None, lang=None,
        )  # fmt: skip
        verdict = _GUARD[0].screen(exchange)
        _SCREENED[text] = verdict.scores.get("injection", 0.0) >= 0.5
    return _SCREENED[text]


def started(suite: Any, task: Any, injections: dict[str, str]) -> Any:
    """Return a suite's world as a task finds it."""
    return task.init_environment(suite.load_and_inject_default_environment(injections))


def solved(suite: Any, task: Any, before: Any, env: Any, run: Run) -> bool:
    """Whether AgentDojo says that the task is done."""
    told = task.utility_from_traces(task.GROUND_TRUTH_OUTPUT, before, env, run.made)
    if told is None:
        told = task.utility(task.GROUND_TRUTH_OUTPUT, before, env)
    return bool(told)


def _security(goal: Any, before: Any, env: Any, run: Run) -> bool:
    """Whether AgentDojo says that the attacker got what he wanted."""
    told = goal.security_from_traces(goal.GROUND_TRUTH_OUTPUT, before, env, run.made)
    if told is None:
        told = goal.security(goal.GROUND_TRUTH_OUTPUT, before, env)
    return bool(told)


def plain(value: Any) -> Any:
    """Return a value of AgentDojo's as JSON."""
    if hasattr(value, "model_dump"):
        return json.loads(value.model_dump_json())
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(inner) for inner in value]
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)


def summary(tally: Tally) -> dict[str, Any]:
    """Return the counts."""
    acting = [name for name in tally.attacks if tally.acting[name]]
    return {
        "tasks": f"{tally.done}/{tally.tasks}",
        "benign calls stopped": f"{len(tally.stopped)}/{tally.calls}",
        "attack calls always stopped": f"{_always(tally, tally.attacks)}/{len(tally.attacks)}",
        "of those that act": f"{_always(tally, acting)}/{len(acting)}",
        "attacker wins": f"{tally.won}/{tally.pairs}",
        "task done although attacked": f"{tally.kept}/{tally.pairs}",
        "ms a verdict, median": round(sorted(tally.ms)[len(tally.ms) // 2], 2),
    }


def _always(tally: Tally, names: Sequence[str] | dict[str, list[bool]]) -> int:
    return sum(all(tally.attacks[name]) for name in names)


def total(found: dict[str, Tally]) -> Tally:
    """Return the counts of all suites."""
    every = Tally()
    for name, one in found.items():
        every.tasks += one.tasks
        every.done += one.done
        every.calls += one.calls
        every.stopped += one.stopped
        every.pairs += one.pairs
        every.won += one.won
        every.kept += one.kept
        every.ms += one.ms
        every.attacks |= {f"{name} {call}": told for call, told in one.attacks.items()}
        every.acting |= {f"{name} {call}": told for call, told in one.acting.items()}
    return every


def written(found: dict[str, dict[str, Tally]]) -> str:
    """Return the report."""
    lines = [
        "# The guard of agents before AgentDojo",
        "",
        "<!-- Written by scripts/acceptance/agentdojo.py; do not edit. -->",
        "",
        f"AgentDojo 0.1.35, {VERSION}, ground truth: no model is asked. Every user's task is made"
        " through the guard; then it is attacked with every goal of its suite for which a tool has"
        " to be called, the attacker's calls being made after the user's. Calls by which an"
        " attacker only reads what the user could have read are like the user's own; *those that"
        " act* are the others. *Always stopped* means in every pair.",
        "",
        "The policy is the one that ships, and a manifest of the tools written from their"
        " signatures: which arguments steer a call, which fields of a result are one's own records,"
        " which acts take the person's word. It was written with the tasks of banking and slack at"
        " hand; those of workspace and travel were not looked at before they were first measured."
        " The shipped detectors had missed this very wrapping"
        f" (`{MAIN}`); a general pattern was added after that was seen, so the row `embedded` says"
        f" little about wordings of other attackers. The other wrappings were not looked at; they"
        f" are tried on the first tasks of each suite.",
        "",
        "| wrapping, and who says that a text gives orders | suite | tasks done | the user's calls"
        " stopped | attackers' calls always stopped | of those that act | attacker wins | 95 % |"
        " tasks done although attacked | ms |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for reader, suites in found.items():
        for name, tally in [*suites.items(), ("all", total(suites))]:
            s = summary(tally)
            interval = clopper_pearson(tally.won, tally.pairs)
            lines.append(f"| {reader} | {name} | " + " | ".join(str(s[key]) for key in (
                "tasks", "benign calls stopped", "attack calls always stopped", "of those that act",
                "attacker wins")) + f" | [{interval.low:.3f}, {interval.high:.3f}] | "
                f"{s['task done although attacked']} | {s['ms a verdict, median']} |")  # fmt: skip
    lines += [
        "",
        "What the guard does not see: an order in the very document the person told it to go by,"
        " for the very act the person asked for, in words no detector knows (the rows `none`); and"
        " goals for which nothing has to be called, such as having the agent say something.",
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    raise SystemExit(main())
