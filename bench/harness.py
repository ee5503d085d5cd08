"""What the programs that measure share: a person with a clean home, runs in turn, rows of a table."""

import argparse
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

DEVNULL = subprocess.DEVNULL


class Bench:
    def __init__(self, binaries, bench):
        self.bin = pathlib.Path(binaries).resolve()
        self.bench = pathlib.Path(bench).resolve()
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="plz-bench-"))
        self.project = self.root / "project"
        self.project.mkdir()
        (self.root / "run").mkdir(mode=0o700)
        (self.root / "home").mkdir()
        self.fresh_data()

    def fresh_data(self):
        self.stop()
        self.data = pathlib.Path(tempfile.mkdtemp(prefix="data-", dir=self.root))
        self.env = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.root / "home"), "LANG": "C.UTF-8",
                    "USER": "ada", "PLZ_DATA_DIR": str(self.data), "XDG_RUNTIME_DIR": str(self.root / "run")}

    def pids(self, program):
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    words = pathlib.Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if os.path.basename(words[0]) == program.encode() and any(str(self.data).encode() in w for w in words):
                    found.append(int(entry))
        return found

    def stop(self):
        if not hasattr(self, "data"):
            return
        for program in ("plz-controller", "plz-worker"):
            for pid in self.pids(program):
                os.kill(pid, signal.SIGTERM)
        for _ in range(500):
            if not self.pids("plz-controller") and not self.pids("plz-worker"):
                return
            time.sleep(0.02)

    def socket(self):
        for path in (self.root / "run").rglob("*"):
            if path.is_socket():
                return str(path)
        raise RuntimeError("no socket")

    def plz(self, *words, cwd=None, stdout=DEVNULL):
        begin = time.perf_counter()
        subprocess.run([str(self.bin / "plz"), *map(str, words)], cwd=cwd or self.project, env=self.env, check=True,
                       stdin=DEVNULL, stdout=stdout, stderr=DEVNULL)
        return time.perf_counter() - begin


def timed(*words, **kwargs):
    begin = time.perf_counter()
    subprocess.run(list(map(str, words)), check=True, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, **kwargs)
    return time.perf_counter() - begin


def in_turn(runs, *functions):
    """Medians, the functions called A B A B …"""
    times = [[] for _ in functions]
    for _ in range(runs):
        for i, function in enumerate(functions):
            times[i].append(function())
    return [statistics.median(t) for t in times]


def row(name, plz, yardstick, relation, target):
    print(f"{name:<46} {plz:>13} {yardstick:>26} {relation:>16}   {target}", flush=True)


def ms(seconds):
    return f"{seconds * 1000:.1f} ms"


def more_ms(seconds):
    return f"{seconds * 1000:+.1f} ms"


def make_many(directory, files, size):
    directory.mkdir()
    for i in range(files):
        sub = directory / f"{i // 1000:03d}"
        sub.mkdir(exist_ok=True)
        (sub / f"{i:06d}").write_bytes(os.urandom(size))


def copy_and_sync(source, target):
    begin = time.perf_counter()
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)
    subprocess.run(["sync"], check=True)
    return time.perf_counter() - begin


def input_project(b, name, source):
    project = b.root / name
    project.mkdir()
    (project / "plz.config.json").write_text('{"input": "file://%s", "command": ["true"]}' % source)
    return project


def peak_memory(pids):
    peaks = []
    for pid in pids:
        try:
            status = pathlib.Path("/proc", str(pid), "status").read_text()
        except OSError:
            continue
        peaks.append(int(status.split("VmHWM:")[1].split()[0]) / 1024)
    return max(peaks, default=0)


def main(names, text):
    """Runs the functions called figure_NAME among `names`, or those asked for."""
    figures = {name[len("figure_"):]: function for name, function in names.items() if name.startswith("figure_")}
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    top = pathlib.Path(__file__).resolve().parents[1]
    parser.add_argument("--bin", default=top / "build/test/bin")
    parser.add_argument("--bench", default=top / "build/test/bench")
    parser.add_argument("names", nargs="*", help=", ".join(figures))
    given = parser.parse_args()
    row("figure", "plz", "yardstick", "ratio", "target")
    for name in given.names or figures:
        bench = Bench(given.bin, given.bench)
        try:
            figures[name](bench)
        finally:
            bench.stop()
            shutil.rmtree(bench.root, ignore_errors=True)
