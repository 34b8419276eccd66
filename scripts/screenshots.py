"""Take the pictures of the manual: pages in Chromium, screens as they are printed.

    python scripts/screenshots.py [PROJECT] [--to docs/images]

PROJECT is a finished run; left out, a `micro` project is made and run for the purpose. Pages are
the project's own `out/report.html` and `out/charter.html`, in each language; screens are what the
commands write, in colour, drawn by Rich. Every picture is small enough for a page (150 kB).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 150_000
"""Bytes a picture may have."""
WIDTH, HEIGHT = 1180, 760
"""Pixels of a page."""
COLUMNS, MOST_LINES = 100, 24
"""Columns and lines of a screen; what follows is cut and said to be."""
LANGUAGES = ("en", "pt")


def main() -> int:
    """Take every picture and say how large each is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("project", type=Path, nargs="?")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = take(arguments.project, arguments.to, Path(folder))
    for path in made:
        print(f"{path.stat().st_size:7d}  {path}")
    too_large = [path.name for path in made if path.stat().st_size > LARGEST]
    if too_large:
        print(f"larger than {LARGEST} bytes: {', '.join(too_large)}", file=sys.stderr)
    return 1 if too_large else 0


def take(project: Path | None, to: Path, folder: Path) -> list[Path]:
    """Return the pictures of a project, of one made for the purpose if there is none.

    Args:
        project: A finished run.
        to: Where pictures are put.
        folder: For what is needed on the way.
    """
    here = folder / "my-town"
    if project is not None:
        shutil.copytree(project, here)
    else:
        printed("demo", "my-town", "--template", "micro", inside=folder)
    to.mkdir(parents=True, exist_ok=True)
    made = []
    for page in ("report", "charter"):
        for lang in LANGUAGES:
            picture = to / f"{page}.{lang}.png"
            url = (here / "out" / f"{page}.html").as_uri() + f"#{lang}"
            photograph(url, picture, WIDTH, HEIGHT, folder)
            made.append(picture)
    stages = json.loads(printed("status", "my-town", "--json", inside=folder))["stages"]
    digest = stages[-1]["made"][0].removeprefix("sha256:")[:12]
    for name, words in {
        "run": ("run", "my-town"),
        "status": ("status", "my-town"),
        "trace": ("trace", digest, "--project", "my-town"),
    }.items():
        for lang in LANGUAGES if name == "run" else LANGUAGES[:1]:
            asked = words if lang == LANGUAGES[0] else (*words, "--lang", lang)
            picture = to / f"{name}.{lang}.png"
            drawn(f"normwright {' '.join(asked)}", printed(*asked, inside=folder), picture, folder)
            made.append(picture)
    return made


def printed(*words: str, inside: Path) -> str:
    """Return what a command writes on stdout, as for a terminal of COLUMNS columns.

    What it writes on stderr is progress, which on a terminal is gone when the command ends.
    """
    env = {**os.environ, "COLUMNS": str(COLUMNS), "LANG": "en_GB.UTF-8"}
    for name in ("NO_COLOR", "LC_ALL", "LC_MESSAGES", "LANGUAGE"):
        env.pop(name, None)
    if "--json" not in words:
        env["FORCE_COLOR"] = "1"
    ran = subprocess.run(
        [sys.executable, "-c", "from normwright.cli import main; main()", *words],
        cwd=inside, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode not in (0, 3, 4):
        raise SystemExit(f"normwright {' '.join(words)} ended with {ran.returncode}:\n{ran.stderr}")
    return ran.stdout


def drawn(command: str, text: str, picture: Path, folder: Path) -> None:
    """Draw a screen: the command, and the first lines of what it writes."""
    lines = text.rstrip().splitlines()
    kept = lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        kept.append(f"... {len(lines) - MOST_LINES} more lines")
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "dim"), (command, "bold")))
    console.print(Text.from_ansi("\n".join(kept)), soft_wrap=True)
    # Without the fonts that Rich would fetch: nothing here calls the network.
    form = _FRAME.replace("FONT", "DejaVu Sans Mono, Liberation Mono, monospace")
    page = folder / f"{picture.stem}.html"
    page.write_text(console.export_html(code_format=form, inline_styles=True), encoding="utf-8")
    height = 40 + 19 * (len(kept) + 1)
    photograph(page.as_uri(), picture, 900, height, folder)


_FRAME = """<!DOCTYPE html><html><head><meta charset="utf-8"><style>
body {{ margin: 0; background: #fff }}
pre {{ margin: 10px; padding: 10px 14px; border: 1px solid #ccc; border-radius: 6px;
  font: 14px/19px FONT; color: {foreground}; background: #fafafa; overflow: hidden }}
</style></head><body><pre>{code}</pre></body></html>"""


def photograph(url: str, picture: Path, width: int, height: int, folder: Path) -> None:
    """Open a page in headless Chromium and keep what its first screen shows."""
    chromium = shutil.which("chromium") or "/usr/bin/chromium"
    subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", f"--user-data-dir={folder / 'profile'}",
            f"--window-size={width},{height}", f"--screenshot={picture}", url,
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
