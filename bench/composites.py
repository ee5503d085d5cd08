#!/usr/bin/env python3
"""A composite of 100,000 parts: what its controller holds in memory, and how long it takes to submit and to stop it, and
to restart in between.

  bench/composites.py [--bin build/release/bin] [--parts N]

The yardstick of times is SQLite alone, which writes as many rows with as many indexes in one transaction of the same file
system. Memory is the peak of the controller's resident set since it started.
"""

import argparse
import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import time

from harness import Bench, DEVNULL, peak_memory, row

CONFIGURATION = """{"command": ["sleep", "600"], "parallel_indices_range": [0, %d], "resources": {"cpus": 1}}"""


class RowsAlone:
    """As many rows as there are parts, with what a part's row has."""

    def __init__(self, path, parts):
        self.parts = parts
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.executescript("""
            PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
            CREATE TABLE parts (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, parent BLOB, at INTEGER, state INTEGER,
                                reason TEXT, finished INTEGER, words TEXT);
            CREATE INDEX parts_by_parent ON parts (parent, at, id);
            CREATE INDEX parts_unfinished ON parts (id) WHERE state < 4;
        """)

    def insert(self):
        begin = time.perf_counter()
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT INTO parts (id, parent, at, state, words) VALUES (?, ?, ?, 0, 'ada digits')",
                                    ((i.to_bytes(16, "big"), b"0123456789abcdef", i) for i in range(self.parts)))
        self.connection.execute("COMMIT")
        return time.perf_counter() - begin

    def update(self):
        begin = time.perf_counter()
        self.connection.execute("UPDATE parts SET state = 4, reason = 'stopped while it was queued', finished = 1000000 "
                                "WHERE parent = ?", (b"0123456789abcdef",))
        return time.perf_counter() - begin


def printed_bytes(bench, *words):
    """How long a command takes to print all that it prints, and how much that is."""
    begin = time.perf_counter()
    process = subprocess.Popen([str(bench.bin / "plz"), *words], cwd=bench.project, env=bench.env, stdin=DEVNULL,
                               stdout=subprocess.PIPE, stderr=DEVNULL)
    size = 0
    while piece := process.stdout.read(1 << 20):
        size += len(piece)
    if process.wait() != 0:
        raise RuntimeError(f"plz {' '.join(words)} failed")
    return time.perf_counter() - begin, size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top = pathlib.Path(__file__).resolve().parents[1]
    parser.add_argument("--bin", default=top / "build/test/bin")
    parser.add_argument("--parts", type=int, default=100_000)
    given = parser.parse_args()
    bench = Bench(given.bin, given.bin)
    rows = RowsAlone(bench.root / "rows.db", given.parts)

    def memory(when):
        (pid,) = bench.pids("plz-controller")
        row(f"  controller at its peak, {when}", f"{peak_memory([pid]):.0f} MiB", "", "", "under 200 MiB")

    def restart():
        (pid,) = bench.pids("plz-controller")
        os.kill(pid, 15)
        while pid in bench.pids("plz-controller"):
            time.sleep(0.01)
        return bench.plz("list")

    row("figure", "plz", "yardstick", "ratio", "target")
    try:
        bench.plz("run", "--", "true")
        idle_restart = statistics.median(restart() for _ in range(3))
        (bench.project / "plz.config.json").write_text(CONFIGURATION % given.parts)
        alone = rows.insert()
        took = bench.plz("run")
        row(f"submission of {given.parts} parts", f"{took:.2f} s", f"SQLite alone {alone:.2f} s", f"{took / alone:.2f} x", "")
        memory("just after")
        for words in (["list"], ["history"], ["status"], ["describe"]):
            took, size = printed_bytes(bench, *words)
            row(f"  plz {words[0]}", f"{took:.2f} s", f"{size / 2**20:.1f} MiB printed", "", "")
            memory(f"plz {words[0]}")
        took = restart()
        row("restart", f"{took:.2f} s", f"without parts {idle_restart:.2f} s", f"{took - idle_restart:+.2f} s", "")
        memory("after the restart")
        alone = rows.update()
        took = bench.plz("stop")
        row(f"stop of {given.parts} parts", f"{took:.2f} s", f"SQLite alone {alone:.2f} s", f"{took / alone:.2f} x",
            "within 2 s")
        memory("after the stop")
        took, size = printed_bytes(bench, "history")
        row("  plz history of it, stopped", f"{took:.2f} s", f"{size / 2**20:.1f} MiB printed", "", "")
    finally:
        bench.stop()
        shutil.rmtree(bench.root, ignore_errors=True)


if __name__ == "__main__":
    main()
