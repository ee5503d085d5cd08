#!/usr/bin/env python3
"""What plz promises about speed and memory, measured beside the yardstick in the same run.

  bench/figures.py [--bin build/release/bin] [--bench build/test/bench] [NAME...]

Each figure prints a line: its name, what plz took, what the yardstick took, their ratio or difference,
and the target. Medians of several runs, plz and yardstick in turn. Nothing is asserted: machines are
noisy, and a person reads this.
"""

import os
import pathlib
import pwd
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time

from harness import DEVNULL, copy_and_sync, in_turn, input_project, main, make_many, more_ms, ms, peak_memory, row, timed


def bare_sandbox():
    return timed("bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp",
                 "--unshare-pid", "true")


def figure_warm(b):
    """warm run, last, status"""
    b.plz("run", "--", "true")
    plz, bare = in_turn(21, lambda: b.plz("run", "--", "true"), bare_sandbox)
    row("warm plz run -- true", ms(plz), f"bwrap {ms(bare)}", more_ms(plz - bare), "at most +25 ms")
    for command in ("last", "status"):
        (took,) = in_turn(21, lambda: b.plz(command))
        row(f"plz {command}", ms(took), "", "", "under 10 ms")


def figure_cold(b):
    """the first run of a user"""
    times = []
    for _ in range(5):
        b.fresh_data()
        times.append(b.plz("run", "--", "true"))
    row("cold plz run -- true", ms(statistics.median(times)), "", "", "under 150 ms")


def figure_many_files(b):
    """10,000 files of 10 KB"""
    b.plz("run", "--", "true")
    source = b.root / "many"
    make_many(source, 10_000, 10_000)
    project = input_project(b, "with-many", source)
    subprocess.run(["sync"], check=True)
    firsts, copies = [], []
    for i in range(3):
        if i:
            b.fresh_data()
            b.plz("run", "--", "true")
            shutil.rmtree(b.root / "home" / ".cache", ignore_errors=True)
        copies.append(copy_and_sync(source, b.root / f"copy{i}"))
        shutil.rmtree(b.root / f"copy{i}")
        subprocess.run(["sync"], check=True)
        firsts.append(b.plz("run", cwd=project))
        subprocess.run(["sync"], check=True)
    first, copy = statistics.median(firsts), statistics.median(copies)
    row("input of 10,000 x 10 KB, first", ms(first), f"cp -r + sync {ms(copy)}", f"{first / copy:.2f} x", "at most 2 x")
    with_input, without = in_turn(11, lambda: b.plz("run", cwd=project), lambda: b.plz("run", "--", "true"))
    row("  unchanged", ms(with_input), f"no input {ms(without)}", more_ms(with_input - without), "at most +50 ms")
    shutil.rmtree(source)


def until_submitted(b, project):
    begin = time.perf_counter()
    process = subprocess.Popen([str(b.bin / "plz"), "run"], cwd=project, env=b.env, stdin=DEVNULL, stdout=DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    took = None
    for line in process.stderr:
        if took is None and "Execution ID is" in line:
            took = time.perf_counter() - begin
    process.wait()
    return took


def store_bytes(b):
    return sum(f.stat().st_size for f in (b.data / "store").rglob("*") if f.is_file())


def figure_large_file(b):
    """one file of 1 GiB"""
    b.plz("run", "--", "true")
    source = b.root / "large"
    project = input_project(b, "with-large", source)
    digest = lambda: timed("openssl", "dgst", "-sha256", source)
    firsts, copies = [], []
    for _ in range(3):
        with open(source, "wb") as f:
            for _ in range(1024):
                f.write(os.urandom(1 << 20))
        subprocess.run(["sync"], check=True)
        begin = time.perf_counter()
        digest()
        subprocess.run(["cp", str(source), str(b.root / "copy")], check=True)
        subprocess.run(["sync"], check=True)
        copies.append(time.perf_counter() - begin)
        (b.root / "copy").unlink()
        subprocess.run(["sync"], check=True)
        firsts.append(b.plz("run", cwd=project))
        subprocess.run(["sync"], check=True)
    first, yardstick = statistics.median(firsts), statistics.median(copies)
    row("input of 1 GiB, first", ms(first), f"dgst + cp + sync {ms(yardstick)}", f"{first / yardstick:.2f} x", "at most 2 x")
    unchanged, without = in_turn(11, lambda: b.plz("run", cwd=project), lambda: b.plz("run", "--", "true"))
    row("  unchanged", ms(unchanged), f"no input {ms(without)}", more_ms(unchanged - without), "at most +20 ms")
    before = store_bytes(b)
    with open(source, "ab") as f:
        f.write(os.urandom(1 << 20))
    took = until_submitted(b, project)
    hashed = digest()
    row("  1 MiB appended, until submission", ms(took), f"dgst {ms(hashed)}", f"{took / hashed:.2f} x", "at most 1.5 x")
    row("  stored for it", f"{(store_bytes(b) - before) / 2**20:.1f} MiB", "", "", "under 4 MiB")
    source.unlink()


def figure_check(b):
    """All that is stored, read and compared, beside its SHA-256."""
    source = b.root / "checked"
    project = input_project(b, "with-checked", source)
    with open(source, "wb") as f:
        for _ in range(1024):
            f.write(os.urandom(1 << 20))
    b.plz("run", "--", "true", cwd=project)
    packs = [path for path in (b.data / "store" / "packs").rglob("*.pack") if path.is_file()]
    checked, digests = in_turn(5, lambda: b.plz("check"), lambda: timed("openssl", "dgst", "-sha256", *packs))
    row("plz check of a store of 1 GiB", f"{checked:.2f} s", f"openssl dgst {digests:.2f} s",
        f"{checked / digests:.2f} x", "at most 1.2 x")


def figure_logs(b):
    """512 MiB of log lines"""
    b.plz("run", "--", "true")
    line = "x" * 127
    size = 512 << 20
    command = ["sh", "-c", f"yes {line} | head -c {size}"]
    begin = time.perf_counter()
    process = subprocess.Popen([str(b.bin / "plz"), "run", "--", *command], cwd=b.project, env=b.env, stdin=DEVNULL,
                               stdout=subprocess.PIPE, stderr=DEVNULL)
    received = 0
    right = True
    expected = (line + "\n").encode() * (1 << 13)
    peak = carriers = 0
    while data := process.stdout.read(1 << 20):
        right = right and data == expected[:len(data)]
        received += len(data)
        if received % (64 << 20) == 0:
            peak = max(peak, peak_memory([process.pid]))
            carriers = max(carriers, peak_memory(b.pids("plz-init")))
    process.wait()
    took = time.perf_counter() - begin
    row("512 MiB of log to plz run's stdout", f"{received / took / 1e6:.0f} MB/s", "",
        "every byte" if right and received == size else f"WRONG: {received} bytes", "at least 200 MB/s")
    row("  peak memory: plz, controller, worker, plz-init",
        f"{peak:.0f}, {peak_memory(b.pids('plz-controller')):.0f}, {peak_memory(b.pids('plz-worker')):.0f}, "
        f"{carriers:.0f} MiB", "", "", "each under 64 MiB")


def figure_history(b):
    """history of 100,000 executions, and memory with it"""
    b.stop()
    subprocess.run([str(b.bench / "seed_history"), str(b.data / "plz.db"), pwd.getpwuid(os.getuid()).pw_name,
                    b.project.name, "100000"], check=True)
    b.plz("last")
    begin = time.perf_counter()
    process = subprocess.Popen([str(b.bin / "plz"), "history"], cwd=b.project, env=b.env, stdin=DEVNULL,
                               stdout=subprocess.PIPE, stderr=DEVNULL)
    os.read(process.stdout.fileno(), 1)
    first = time.perf_counter() - begin
    size = 1
    early = peak = None
    controller = b.pids("plz-controller")
    while data := os.read(process.stdout.fileno(), 1 << 20):
        size += len(data)
        if early is None and size > 8 << 20:
            early = (peak_memory([process.pid]), peak_memory(controller))
        elif early and size >> 24 != (size - len(data)) >> 24:
            peak = (peak_memory([process.pid]), peak_memory(controller))
    process.wait()
    took = time.perf_counter() - begin
    row("plz history of 100,000: first byte", ms(first), "", "", "in 50 ms")
    row("  executions a second", f"{100_000 / took:,.0f}", f"{size / 1e6:.0f} MB", "", "at least 200,000")
    row("  peak memory: plz, controller", f"{peak[0]:.0f}, {peak[1]:.0f} MiB",
        f"after 8 MB: {early[0]:.0f}, {early[1]:.0f} MiB", f"+{max(p - e for p, e in zip(peak, early)):.1f} MiB", "flat")
    (limited,) = in_turn(11, lambda: b.plz("history", "--limit", "100"))
    row("  --limit 100", ms(limited), "", "", "under 20 ms")
    b.plz("run", "--", "true")
    time.sleep(3)
    for program, target in (("plz-controller", 25), ("plz-worker", 12)):
        for pid in b.pids(program):
            status = pathlib.Path("/proc", str(pid), "status").read_text()
            row(f"  {program}, resident when idle", f"{int(status.split('VmRSS:')[1].split()[0]) / 1024:.1f} MiB", "", "",
                f"{target} MiB")


def figure_jobs(b):
    """jobs of `true` through the API"""
    b.plz("run", "--", "true")
    jobs = 600
    sandbox = "bwrap --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp --unshare-pid true"
    begin = time.perf_counter()
    subprocess.run(f"yes x | head -n {jobs} | xargs -P2 -I{{}} {sandbox}", shell=True, check=True)
    bare = jobs / (time.perf_counter() - begin)
    out = subprocess.run([str(b.bench / "submit_jobs"), b.socket(), str(jobs), str(b.project)], env=b.env, check=True,
                         capture_output=True, text=True).stdout
    rate = float(out.split()[0])
    row("jobs of true through the API", f"{rate:.0f} a second", f"xargs -P2 bwrap {bare:.0f}", f"{rate / bare:.2f} x",
        "at least 150 a second")


def ping(peer):
    begin = time.perf_counter()
    peer.sendall(b"GET /v1/ping HTTP/1.1\r\nHost: plz\r\n\r\n")
    if not peer.recv(65536).startswith(b"HTTP/1.1 200 "):
        raise RuntimeError("the controller does not answer")
    return time.perf_counter() - begin


def pings(path, count):
    """Their median, and what 99 of 100 stay below."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(path)
        times = statistics.quantiles([ping(peer) for _ in range(count)], n=100)
    return times[49], times[98]


def stall_upload(path, number):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(path)
    target, sent = (("/v1/packs", b"PLZPACK1"), ("/v1/executions", b"[" + b" " * 70_000))[number % 2]
    peer.sendall(f"POST {target} HTTP/1.1\r\nHost: plz\r\nContent-Length: 9000000\r\n\r\n".encode() + sent)
    return peer


def figure_uploads(b):
    """requests beside 1,000 stalled uploads"""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    b.plz("run", "--", "true")
    path = b.socket()
    source = b.root / "uploaded"
    project = input_project(b, "with-uploaded", source)

    def upload():
        source.write_bytes(os.urandom(64 << 20))
        return b.plz("run", cwd=project)

    upload()
    alone, alone_upload = pings(path, 5000), statistics.median(upload() for _ in range(5))
    stalled = [stall_upload(path, number) for number in range(1000)]
    beside, beside_upload = pings(path, 5000), statistics.median(upload() for _ in range(5))
    for name, with_them, without in zip(("median", "99 of 100 below"), beside, alone):
        row(f"ping beside 1,000 stalled uploads, {name}", f"{with_them * 1000:.2f} ms", f"without {without * 1000:.2f} ms",
            f"{with_them / without:.2f} x", "under 50 ms")
    row("  run with a new input of 64 MiB", ms(beside_upload), f"without {ms(alone_upload)}",
        f"{beside_upload / alone_upload:.2f} x", "at most 1.05 x")
    row("  peak memory of the controller", f"{peak_memory(b.pids('plz-controller')):.0f} MiB", "", "", "bounded")
    for peer in stalled:
        peer.close()


if __name__ == "__main__":
    sys.exit(main(globals(), __doc__))
