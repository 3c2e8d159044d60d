#!/usr/bin/env python3
"""Everything a developer runs, with nothing but Python 3.11: setup, demo, test, check, serve, bench, fuzz, lock, ...

python3 dev.py demo [--no-serve]      set up, tell the whole story, leave the site running
python3 dev.py test [PYTEST ARGS]     set up and pass the tests; --postgres runs them on PostgreSQL
python3 dev.py check                  format, lint, types, imports, docs
python3 dev.py setup                  make .venv with .venv/bin/guildmark
python3 dev.py serve [--port N]       set up and serve the site in ./var
python3 dev.py bench NAME [--quick]   one of the files in bench/
python3 dev.py fuzz [SECONDS] [NAME]  give hostile bytes to whatever reads them; 600 seconds unless said
python3 dev.py lock                   resolve pyproject.toml into the two hashed lock files
python3 dev.py docs                   write docs/cli.md anew from the help texts
python3 dev.py messages               collect what the site says, and print what is not translated yet
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LOCKS = {"run": ROOT / "requirements.lock", "test": ROOT / "requirements-test.lock"}
LOCK_FLAGS = [
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-header", "--no-annotate", "--quiet"),
]


def say(text: str) -> None:
    print(f"[dev] {text}", flush=True)


def call(*command: object, **options: object) -> None:
    """Run a program and stop with its exit code if it fails."""
    code = subprocess.run([str(c) for c in command], cwd=ROOT, check=False, **options).returncode  # type: ignore[call-overload]
    if code:
        sys.exit(code)


def setup(kind: str = "run") -> None:
    """`.venv` holds exactly what the lock file names, checked by hash, and the project itself. Warm: no work at all."""
    lock = LOCKS[kind]
    marker, wanted = VENV / f".{kind}", hashlib.sha256(lock.read_bytes() + str(ROOT).encode()).hexdigest()
    # What the tests need contains what running needs.
    other = VENV / ".test"
    if PYTHON.exists() and any(
        m.exists() and m.read_text() == _wanted(k) for m, k in ((marker, kind), (other, "test"))
    ):
        return
    if sys.version_info < (3, 11):
        sys.exit(f"[dev] Python 3.11 or later is needed; this is {sys.version.split()[0]}.")
    started = time.monotonic()
    if not PYTHON.exists():
        say(f"making {VENV.name}")
        venv.create(VENV, with_pip=True)
    say(f"installing {lock.name} with hashes")
    if uv := shutil.which("uv"):
        call(uv, "pip", "install", "--quiet", "--python", PYTHON, "--require-hashes", "-r", lock)
    else:
        pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes"]
        call(*pip, "--only-binary", ":all:", "-r", lock)
    _link_project()
    marker.write_text(wanted)
    say(f"ready in {time.monotonic() - started:.0f} s")


def _wanted(kind: str) -> str:
    return hashlib.sha256(LOCKS[kind].read_bytes() + str(ROOT).encode()).hexdigest()


def _link_project() -> None:
    """The project itself: its `src` on the path of the environment and its command, without fetching a build tool."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = VENV / "Lib" / "site-packages" if os.name == "nt" else VENV / "lib" / version / "site-packages"
    (site / "guildmark-src.pth").write_text(f"{ROOT / 'src'}\n")
    script = BIN / "guildmark"
    script.write_text(f"#!{PYTHON}\nimport sys\nfrom guildmark.cli import main\nsys.exit(main())\n")
    script.chmod(0o755)


def demo(arguments: list[str]) -> None:
    setup("run")
    call(BIN / "guildmark", "demo", *arguments)


def test(arguments: list[str]) -> None:
    setup("test")
    postgres = "--postgres" in arguments
    rest = [a for a in arguments if a != "--postgres"]
    # One file stays on one core, so that the story is told once; name -n yourself to run otherwise.
    spread = [] if any(a.startswith("-n") for a in rest) else ["-n", "auto", "--dist", "loadfile"]
    pytest = [PYTHON, "-m", "pytest", *spread, *rest]
    call(*([PYTHON, "-m", "tests.postgres"] if postgres else []), *pytest)


def check(_: list[str]) -> None:
    """Each check runs even if one before it failed; the exit code is 1 if any did."""
    setup("test")
    checks = {
        "format": [BIN / "ruff", "format", "--check", "--quiet", "."],
        "lint": [BIN / "ruff", "check", "--quiet", "."],
        "types": [BIN / "mypy", "--no-error-summary"],
        "imports": [BIN / "lint-imports", "--no-cache"],
        "migrations": [PYTHON, "-m", "django", "makemigrations", "--check", "--dry-run"],
        "docs": [PYTHON, "-m", "pytest", "-q", "tests/test_docs.py", "tests/test_locks.py"],
    }
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "guildmark.app.settings"}
    failed = []
    for name, command in checks.items():
        done = subprocess.run(
            [str(c) for c in command], cwd=ROOT, check=False, capture_output=True, text=True, env=environment
        )
        say(f"{name}: {'ok' if done.returncode == 0 else 'FAILED'}")
        if done.returncode:
            failed.append(name)
            print(done.stdout + done.stderr)
    if failed:
        sys.exit(1)


def serve(arguments: list[str]) -> None:
    setup("run")
    call(BIN / "guildmark", "site", "migrate")
    call(BIN / "guildmark", "site", "serve", *arguments)


def bench(arguments: list[str]) -> None:
    names = sorted(p.stem for p in (ROOT / "bench").glob("*.py") if not p.stem.startswith("_"))
    if not arguments or arguments[0] not in names:
        sys.exit(f"[dev] name a benchmark: {', '.join(names)}")
    setup("test")
    call(PYTHON, "-m", f"bench.{arguments[0]}", *arguments[1:])


def fuzz(arguments: list[str]) -> None:
    setup("test")
    call(PYTHON, "-m", "tests.fuzz", *arguments)


def lock(_: list[str]) -> None:
    setup("test")
    uv = shutil.which("uv") or BIN / "uv"
    compile_ = [uv, "pip", "compile", *LOCK_FLAGS, "pyproject.toml", "--extra", "app"]
    call(*compile_, "--extra", "test", "-o", LOCKS["test"])
    call(*compile_, "-c", LOCKS["test"], "-o", LOCKS["run"])  # what runs is what was tested


def docs(_: list[str]) -> None:
    setup("test")
    call(PYTHON, "-m", "tests.test_docs")


def messages(_: list[str]) -> None:
    setup("test")
    call(PYTHON, "-m", "tests.messages")


VERBS = {
    "setup": lambda _: setup("run"),
    "demo": demo,
    "test": test,
    "check": check,
    "serve": serve,
    "bench": bench,
    "fuzz": fuzz,
    "lock": lock,
    "docs": docs,
    "messages": messages,
}


def main() -> None:
    verb, *arguments = sys.argv[1:] or ["help"]
    if verb not in VERBS:
        print(__doc__)
        sys.exit(0 if verb in ("help", "-h", "--help") else 2)
    # A folder of bytecode beside the sources would make the second run differ from the first.
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    VERBS[verb](arguments)


if __name__ == "__main__":
    main()
