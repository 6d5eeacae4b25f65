"""`make flips`: is every cell of the policy, and every limit of the budget, held by a test?

Cells: each row of `server/rules.py` with one right more or less, said before AUTH or not, hung up on or not, or without
one of the objects that it looks for. For each the reviewed table, tests/server/verdicts.txt, must become another.
Limits: each field of `terms/budget.py` is taken away, in a copy of the sources, and the tests named in `HELD_BY` run
there: one must fail. Prints a line for each row and each limit; what nothing holds fails.
"""

from __future__ import annotations

import argparse
import importlib.util
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from eardrum.protocol.message import Message, wire_name
from eardrum.server.rights import Right
from eardrum.server.rules import RULES, Rule
from eardrum.terms.budget import Budget

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "tests/server/test_rules.py"
NO_LIMIT, NEVER = 1_000_000_000, 1_000_000  # seconds: epoll waits for no more than some weeks

ATTACKED = "tests/hostile/test_budgets.py -k 'built-in"

# By limit: the tests that see whether it is there, as pytest is told them.
HELD_BY = {
    "connections": "tests/worker/test_serving.py",
    "strangers": "tests/server/test_admission.py",
    "auth_seconds": "tests/server/test_admission.py",
    "packet_seconds": f"{ATTACKED} and whole_in_time'",
    "unread_bytes": f"{ATTACKED} and never_reads_costs'",
    "pending_bytes": f"{ATTACKED} and the_worst_are'",
    "commands_per_second": f"{ATTACKED} and says_too_much'",
    "commands_at_once": f"{ATTACKED} and says_too_much'",
    "events_per_second": f"{ATTACKED} and events_that_nobody'",
    "unanswered": "tests/server/test_carried.py",
    "streams": "tests/server/test_mixed_record.py tests/server/test_carried.py",
    "sound_bytes": "tests/server/test_ledger.py",
    "unread_sound_bytes": "tests/server/test_carried_record.py",
    "samples": "tests/server/test_samples.py",
    "sample_bytes": "tests/server/test_samples.py",
    "modules": "tests/server/test_emulated_modules.py",
    "module_streams": "tests/server/test_module_streams.py",
    "upstream_connections": "tests/worker/test_upstream_links.py",
    "answer_seconds": "tests/worker/test_upstream_links.py",
}


# -- cells


@dataclass(frozen=True)
class Flip:
    """One change of a row."""

    what: str
    row: Rule


def flips_of(rule: Rule) -> Iterator[Flip]:
    """Every row that differs from this one in one cell. Of one that hangs up nothing else counts."""
    yield Flip("hang up", rule._replace(hang_up=not rule.hang_up))
    if rule.hang_up:
        return
    for right in Right:
        more_or_less = "without" if right in rule.needs else "with"
        yield Flip(f"{more_or_less} {right.name}", rule._replace(needs=rule.needs ^ right))
    yield Flip("before AUTH", rule._replace(before_auth=not rule.before_auth))
    for position in range(len(rule.finds)):
        finds = rule.finds[:position] + rule.finds[position + 1 :]
        yield Flip(f"object {position + 1} not looked for", rule._replace(finds=finds))


def cells() -> list[str]:
    """Flip every cell; those that the table does not show."""
    table = _table()
    reviewed = table.VERDICTS.read_text()
    if table.policy() != reviewed:
        raise SystemExit(f"flips: {table.VERDICTS.name} is not up to date; see the head of {TABLE.name}")
    unseen, count = [], 0
    for cls, rule in [*RULES.items()]:
        for flip in flips_of(rule):
            RULES[cls] = flip.row
            count += 1
            if _same(table, cls, reviewed):
                unseen.append(f"{wire_name(cls)} {flip.what}")
        RULES[cls] = rule
    print(f"{count} cells of {len(RULES)} rows: the table shows {count - len(unseen)}", flush=True)
    return unseen


def _same(table: ModuleType, cls: type[Message], reviewed: str) -> bool:
    """Whether the table says of this command what was reviewed."""
    try:
        return f"{table.let_in_by(cls)}\n" in reviewed and "\n".join(table.verdicts_of(cls)) + "\n" in reviewed
    except Exception:  # no answer can do without its objects
        return False


def _table() -> ModuleType:
    spec = importlib.util.spec_from_file_location("policy_table", TABLE)
    assert spec
    assert spec.loader
    table = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(table)
    return table


# -- limits


def limits(names: list[str]) -> list[str]:
    """Take each of these away; those that no test misses."""
    with tempfile.TemporaryDirectory(prefix="eardrum-flips-") as directory:
        copy = Copy(Path(directory))
        unseen = [name for name in names if not _missed(copy, name)]
    return [f"the limit {name}" for name in unseen]


def _missed(copy: Copy, name: str) -> bool:
    with copy.without(name):
        done = copy.pytest(HELD_BY[name])
    words = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    if done.returncode == 0 or (done.returncode == 1 and not words):
        print(f"{name}: NOTHING FAILS", flush=True)
    elif done.returncode == 1:
        print(f"{name}: {words[0]}", flush=True)
    else:
        raise SystemExit(f"flips: pytest {HELD_BY[name]}: {done.stdout}{done.stderr}")
    return bool(words)


class Copy:
    """The sources and tests in a directory of their own, with an interpreter that imports these."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for part in ("src", "tests", "fuzz", "pyproject.toml"):
            source = ROOT / part
            (shutil.copytree if source.is_dir() else shutil.copy)(source, directory / part)
        self._budget = directory / "src/eardrum/terms/budget.py"
        packages = directory / "venv/lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
        packages.mkdir(parents=True)
        theirs = [path for path in sys.path if path.endswith("site-packages")]
        (packages / "sources.pth").write_text("\n".join([str(directory / "src"), *theirs]) + "\n")
        binaries = directory / "venv/bin"
        binaries.mkdir()
        self._python = binaries / "python"
        self._python.symlink_to(Path(sys.executable).resolve())
        (directory / "venv/pyvenv.cfg").write_text(f"home = {Path(sys.executable).resolve().parent}\n")
        command = binaries / "eardrum"
        command.write_text(f"#!{self._python}\nfrom eardrum.cli import main\nmain()\n")
        command.chmod(0o755)

    @contextmanager
    def without(self, limit: str) -> Iterator[None]:
        """Meanwhile whoever asks for this limit is told that there is none."""
        text = self._budget.read_text()
        none = NEVER if limit.endswith("_seconds") else NO_LIMIT
        self._budget.write_text(f"{text}\n\nBudget.{limit} = property(lambda self: {none})  # type: ignore\n")
        try:
            yield
        finally:
            self._budget.write_text(text)

    def pytest(self, words: str) -> subprocess.CompletedProcess[str]:
        """Run these tests until one fails."""
        argv = [
            str(self._python),
            "-m",
            "pytest",
            "-x",
            "-q",
            "--timeout=60",
            "-p",
            "no:cacheprovider",
            *shlex.split(words),
        ]
        return subprocess.run(argv, cwd=self._directory, capture_output=True, text=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="flips.py")
    parser.add_argument("--cells", action="store_true", help="only cells")
    parser.add_argument("limits", nargs="*", help="only these limits")
    asked = parser.parse_args()
    everything = not asked.cells and not asked.limits
    unseen = cells() if asked.cells or everything else []
    unseen += limits(asked.limits or ([*Budget.__struct_fields__] if everything else []))
    if unseen:
        print("no test holds:", *unseen, sep="\n  ")
    sys.exit(bool(unseen))


if __name__ == "__main__":
    main()
