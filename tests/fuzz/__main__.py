"""`python3 dev.py fuzz [SECONDS] [TARGET ...]`: atheris runs each target for its share of the time.

What was found on the way stays in var/fuzz, so that the next run begins there. An input that breaks a promise is
written beside it, and the command to copy it to where `test_targets.py` plays it ever after is printed; exit code 1.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOUND = HERE.parent.parent / "var" / "fuzz"
CRASHES = HERE / "crashes"


def main(arguments: list[str]) -> int:
    """Every target for its share of the seconds, or those that are named; 1 if one broke a promise."""
    if arguments[:1] == ["--one"]:
        return one(arguments[1], arguments[2:])
    names = ("verify", "unbake", "status", "token", "json", "canonical")
    if arguments and not arguments[0].isdecimal():
        print(f"fuzz: {arguments[0]!r} is no number of seconds; write python3 dev.py fuzz 600 verify", file=sys.stderr)
        return 2
    seconds, wanted = int(arguments[0]) if arguments else 600, arguments[1:] or [*names]
    strange = sorted(set(wanted) - set(names))
    if strange:
        print(f"fuzz: there is no target {strange[0]!r}; there are {', '.join(names)}", file=sys.stderr)
        return 2
    broken = []
    for name in wanted:
        share = max(1, seconds // len(wanted))
        print(f"fuzz: {name}, {share} s", flush=True)
        if not _run(name, share):
            broken.append(name)
    print(f"fuzz: {'broken: ' + ', '.join(broken) if broken else 'no promise was broken'}", flush=True)
    return 1 if broken else 0


def _run(name: str, seconds: int) -> bool:
    """One target in a process of its own, since libFuzzer ends the one that it runs in."""
    corpus = FOUND / name
    corpus.mkdir(parents=True, exist_ok=True)
    prefix = FOUND / f"broken-{name}-"
    options = [
        f"-max_total_time={seconds}",
        "-max_len=60000",
        "-timeout=20",
        "-rss_limit_mb=3000",
        "-print_final_stats=1",
        f"-artifact_prefix={prefix}",
    ]
    command = [sys.executable, "-m", "tests.fuzz", "--one", name, *options, str(corpus)]
    done = subprocess.run(command, cwd=HERE.parent.parent, check=False, capture_output=True, text=True)
    said = done.stdout + done.stderr
    stats = [line for line in said.splitlines() if "number_of_executed_units" in line or "Done " in line]
    print("\n".join(f"  {line}" for line in stats))
    if done.returncode == 0 and stats:
        return True
    at = said.find("Uncaught Python exception")
    print(said[-4000:] if at < 0 else said[at : at + 4000])
    for path in sorted(FOUND.glob(f"broken-{name}-*")):
        print(f"fuzz: keep it with: mkdir -p {CRASHES / name} && cp {path} {CRASHES / name}/")
    return False


def one(name: str, options: list[str]) -> int:
    """Run one target in this process, with libFuzzer's options; it does not return."""
    import os

    try:
        import atheris
    except ImportError:
        print("fuzz: atheris is not installed (it is made for x86_64): python3 dev.py setup", file=sys.stderr)
        return 2
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    with atheris.instrument_imports(include=["guildmark.core", "guildmark.credential"], enable_loader_override=False):
        from tests.fuzz import targets
    from tests.fuzz import seeds
    from tests.fuzz.mutate import mutated

    corpus = Path(options[-1])
    for number, body in enumerate(seeds.of(name)):
        if len(body) <= targets.LARGEST:
            (corpus / f"seed-{number}").write_bytes(body)
    targets.genuine()

    def mutator(data: bytes, most: int, seed: int) -> bytes:
        made = mutated(data, seed) if seed % 3 else None
        return made if made is not None and len(made) <= most else bytes(atheris.Mutate(data, most))

    atheris.Setup([name, *options], lambda data: targets.play(name, data), custom_mutator=mutator)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
