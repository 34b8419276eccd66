"""`normwright guard serve`: the guard as a proxy before any model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from normwright.cli.guard.group import Judge, JudgeModel, JudgeTimeout, PolicyDir, app
from normwright.cli.screen import DONE, console
from normwright.cli.words import choose, words
from normwright.records import MissingExtra

STATE = ".normwright/guard"
"""Where the audit chain and the verdicts lie, below the policy's folder or here."""


@app.command("serve", epilog="Example:  normwright guard serve --port 8080")
def serve(
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")
    ] = 8080,
    upstream: Annotated[
        str | None,
        typer.Option(
            "--upstream",
            metavar="URL",
            help="The model's address before /chat/completions; left out, the embedded model. "
            "Its key comes from NORMWRIGHT_UPSTREAM_KEY.",
        ),
    ] = None,
    policy: PolicyDir = None,
    *,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="DIR",
            help="Folder of the audit chain and of the verdicts.",
            show_default=f"{STATE} below the policy, or here",
        ),
    ] = None,
    block_mode: Annotated[
        str,
        typer.Option(
            "--block-mode",
            help="How a refusal is spelled: content_filter is a 200, error a 400.",
        ),
    ] = "content_filter",
    window: Annotated[
        str,
        typer.Option(
            "--window",
            metavar="N|all",
            help="Visible characters of a stream that are held back until they are checked.",
        ),
    ] = "160",
    public_url: Annotated[
        str,
        typer.Option("--public-url", metavar="URL", help="Address people reach this server at."),
    ] = "",
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes.")] = 1,
    tls_certificate: Annotated[
        Path | None, typer.Option("--tls-certificate", metavar="FILE", help="Certificate chain.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="Its private key.")
    ] = None,
    max_body: Annotated[
        int, typer.Option("--max-body", metavar="BYTES", min=1024, help="Largest request.")
    ] = 8 << 20,
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, help="Requests under way at once, a process.")
    ] = 1024,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=1, help="Longest request.")
    ] = 600.0,
    reward: Annotated[
        Path | None,
        typer.Option(
            "--reward",
            metavar="DIR",
            help="A sequence classifier (`learn reward` writes one; any of transformers, or "
            "model.onnx): of the answers that the norms allow, the one it scores best is given.",
        ),
    ] = None,
    best_of: Annotated[
        int,
        typer.Option(
            "--best-of",
            metavar="N",
            min=1,
            max=16,
            help="Answers asked of the model for one to be given, with --reward. A stream begins "
            "when it is chosen.",
        ),
    ] = 4,
    reward_norm: Annotated[
        str | None,
        typer.Option(
            "--reward-norm",
            metavar="ID",
            help="The norm that an answer under --reward-least breaks. Without one the reward "
            "orders, and stops nothing.",
        ),
    ] = None,
    reward_least: Annotated[
        float | None,
        typer.Option(
            "--reward-least", metavar="SCORE", help="The least score, as a logit or log odds."
        ),
    ] = None,
    reward_label: Annotated[
        str | None,
        typer.Option(
            "--reward-label",
            metavar="NAME",
            help="The label that speaks for an answer; `not:` before it: against. Needed where "
            "there are two.",
        ),
    ] = None,
    reward_reads: Annotated[
        str | None,
        typer.Option(
            "--reward-reads",
            metavar="segments|answer|template",
            help="What it reads of a classifier that does not say; answer: the answer alone.",
        ),
    ] = None,
    keep_days: Annotated[
        int | None,
        typer.Option(
            "--keep-days",
            metavar="N",
            min=1,
            help="Let go of verdicts older than this, but for contested ones. See `guard prune`.",
        ),
    ] = None,
    judge: Judge = None,
    judge_model: JudgeModel = None,
    judge_timeout: JudgeTimeout = 5.0,
    checks: Annotated[
        bool,
        typer.Option(
            "--checks/--without-checks",
            help="Without checks nothing is guarded: only to measure what checking costs.",
        ),
    ] = True,
    lang: Annotated[str | None, typer.Option("--lang", metavar="TAG", hidden=True)] = None,
) -> int:
    """Serve a proxy that speaks as OpenAI's interface does and checks every word both ways.

    Clients need a key only if NORMWRIGHT_GUARD_KEYS holds some. SIGHUP has the policy read again.
    Several workers share their counts in /metrics and what they remember of named sessions; each
    has an audit chain of its own. On SIGHUP they are replaced, and sessions go on with the new
    policy; with one worker they keep the one they began with.
    """
    try:
        from normwright.web.guard.served import Service
        from normwright.web.guard.served import serve as run
        from normwright.web.guard.settings import Limits
    except ImportError as error:
        raise MissingExtra("Serving the guard", "serve") from error
    if (tls_certificate is None) != (tls_key is None):
        raise typer.BadParameter("give both or neither", param_hint="--tls-certificate, --tls-key")
    if (reward_norm is None) != (reward_least is None):
        raise typer.BadParameter("give both or neither", param_hint="--reward-norm, --reward-least")
    if reward is None and (reward_norm or reward_label or reward_reads):
        raise typer.BadParameter("give a directory too", param_hint="--reward")
    service = Service(
        reward=None if reward is None else str(reward),
        reward_label=reward_label,
        reward_reads=_reads(reward_reads),
        reward_norm=reward_norm,
        reward_least=reward_least,
        best_of=best_of,
        keep_days=keep_days,
        judge=judge,
        judge_model=judge_model,
        judge_seconds=judge_timeout,
        state=str(state or (policy or Path()) / STATE),
        port=port,
        host=host,
        policy=None if policy is None else str(policy),
        upstream=upstream,
        block_mode=_mode(block_mode),
        window=_window(window),
        public_url=public_url.rstrip("/"),
        workers=workers,
        tls_certificate=None if tls_certificate is None else str(tls_certificate),
        tls_key=None if tls_key is None else str(tls_key),
        checks=checks,
        limits=Limits(body_bytes=max_body, concurrency=concurrency, total_seconds=timeout),
    )
    said = words(choose(lang))
    err = console(stderr=True)
    if upstream is None:
        err.print(said["serve-embedded"], style="dim", markup=False)
    if reward is not None:
        told = said["serve-reward"].format(name=reward.resolve().name, n=best_of)
        err.print(told, markup=False)
    if not checks:
        err.print(said["serve-unchecked"], style="bold red", markup=False)

    def started() -> None:
        err.print(said["serve-at"].format(address=f"{service.address}/v1"), markup=False)

    run(service, started=started)
    return DONE


def _mode(text: str) -> Literal["content_filter", "error"]:
    if text == "error":
        return "error"
    if text == "content_filter":
        return "content_filter"
    raise typer.BadParameter("content_filter or error", param_hint="--block-mode")


def _reads(text: str | None) -> Literal["template", "segments", "answer"] | None:
    match text:
        case None:
            return None
        case "template":
            return "template"
        case "segments":
            return "segments"
        case "answer":
            return "answer"
    raise typer.BadParameter("segments, answer or template", param_hint="--reward-reads")


def _window(text: str) -> int | None:
    if text == "all":
        return None
    if text.isdecimal() and int(text) <= 3900:
        return int(text)
    raise typer.BadParameter(
        f"{text!r} is neither a number up to 3900 nor `all`", param_hint="--window"
    )
