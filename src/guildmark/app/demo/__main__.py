"""Run the story: eleven steps, each through its own command, its files left in var/demo with an index.json.

Everything is real: the commands are those of `guildmark`, the keys sign, the log is a log, the verifier reads only what
a verifier could fetch. What is invented are the people and organisations, and that is said where they stand.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py demo", description=__doc__.splitlines()[0])
    parser.add_argument("--no-serve", action="store_true", help="tell the story and stop")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--folder", type=Path, default=Path("var/demo"), help="where the story leaves its files")
    options = parser.parse_args()
    folder = options.folder.resolve()
    fresh(folder)
    # The story has a database and a web folder of its own, whatever the site beside it uses.
    os.environ["GUILDMARK_HOME"] = str(folder)
    os.environ.pop("GUILDMARK_DATABASE_URL", None)
    os.environ.setdefault("GUILDMARK_BASE_URL", "https://demo.guildmark.example")
    from guildmark.cli.site import ready

    ready()
    from guildmark.app.demo.story import Story

    started = time.monotonic()
    story = Story(folder)
    story.tell()
    print(f"\nThe story took {time.monotonic() - started:.0f} s. Its files and what each shows: {story.shown('index.json')}")
    if options.no_serve:
        return 0
    print(f"The site is at http://127.0.0.1:{options.port}/verify until you press Ctrl-C.")
    from guildmark.cli import main as cli

    cli(["site", "serve", "--port", str(options.port)])
    return 0


def fresh(folder: Path) -> None:
    """The folder is there and empty; only a folder that an earlier demo made is emptied."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / "index.json").exists() and not (folder / "guildmark.sqlite3").exists():
            sys.exit(f"{folder} holds something that no demo made; name another with --folder.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)


if __name__ == "__main__":
    sys.exit(main())
