"""Running `python -m app` as a person does: a process of its own, a home of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
REGISTRY = """\
platform: {name: Acme, api_base_url: "http://127.0.0.1:9"}
partners:
  - slug: globex
    name: Globex
    integrations:
      - {slug: issues, name: Issues, api_base_url: "https://api.globex.example"}
"""


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def problem(self) -> str:
        """The one line of a failure; fails when it was no failure or more than a line."""
        assert self.code == 1, (self.code, self.out, self.err)
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.rstrip("\n")


@dataclass(frozen=True)
class Cli:
    """A home and its settings."""

    home: Path
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: dict[str, object] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path, stdin: str = "", **settings: str) -> Done:
        environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("MIDSPAN_")},
            "MIDSPAN_HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            **self.settings,
            **settings,
        }
        done = subprocess.run(
            [sys.executable, "-m", "app", *map(str, arguments)],
            cwd=self.folder, env=environment, input=stdin, capture_output=True, text=True,
            check=False, timeout=120, **self.process,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def ok(self, *arguments: str | Path, stdin: str = "", **settings: str) -> str:
        """What a command prints that must succeed, without a word on standard error."""
        done = self(*arguments, stdin=stdin, **settings)
        assert (done.code, done.err) == (0, ""), done
        return done.out

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    @property
    def database(self) -> Path:
        return self.home / "registry.db"
