"""Programs that are not ours: found where npm put them, run with a folder of documents, their answer read as JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"


def absent(reason: str) -> NoReturn:
    """A peer is not here: a skip that says so, or a failure where GUILDMARK_REQUIRE_PEERS=1 asks for all of them."""
    if os.environ.get("GUILDMARK_REQUIRE_PEERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def need_packages(*names: str) -> None:
    """Each npm package is installed and node is there, or `absent` says what is missing."""
    if shutil.which("node") is None:
        absent("node is not installed")
    for name in names:
        if not (MODULES / name / "package.json").exists():
            absent(f"{name} is not installed: run `npm ci` in tests/interop")


def node(script: str, *arguments: str | Path) -> dict[str, Any]:
    """The JSON line that a script of this folder prints."""
    command = ["node", script, *(str(argument) for argument in arguments)]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{script} ended with {done.returncode}: {done.stderr}"
    lines = done.stdout.splitlines()
    assert len(lines) == 1, f"{script} printed {len(lines)} lines: {done.stdout}"
    answer: dict[str, Any] = json.loads(lines[0])
    return answer


def publish(folder: Path, documents: Mapping[str, Any]) -> Path:
    """A folder as `guildmark verify --documents` takes it: `index.json` and a file for each address."""
    folder.mkdir(parents=True, exist_ok=True)
    index = {}
    for number, (url, document) in enumerate(documents.items()):
        name = f"{number}.json"
        body = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
        (folder / name).write_bytes(body)
        index[url] = {"file": name, "type": "application/json"}
    (folder / "index.json").write_text(json.dumps(index))
    return folder
