#!/usr/bin/env python3
"""What plz promises about containers, measured beside the `docker` command in the same run.

  bench/containers.py [--bin build/release/bin] [NAME...]

Needs a Docker engine that answers (DOCKER_HOST, or the default socket), and an image that has a shell:
`plz-test/base`, which scripts/make-base-image makes, or PLZ_BENCH_IMAGE. As figures.py: nothing is
asserted, a person reads this.
"""

import json
import os
import shutil
import subprocess
import sys
import time

from harness import DEVNULL, in_turn, main, make_many, more_ms, ms, row, timed

IMAGE = os.environ.get("PLZ_BENCH_IMAGE", "plz-test/base")


def container_project(b, name, **settings):
    if "DOCKER_HOST" in os.environ:
        b.env["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
    project = b.root / name
    project.mkdir()
    (project / "plz.config.json").write_text(json.dumps({"image": IMAGE, "command": ["true"], **settings}))
    return project


def by_hand():
    return timed("docker", "run", "--rm", IMAGE, "true")


def containers_left():
    out = subprocess.run(["docker", "ps", "-aq", "--filter", "label=plz.attempt"], check=True, capture_output=True)
    return len(out.stdout.split())


def figure_warm(b):
    """warm run of `true` in an image, and with a line of code changed"""
    project = container_project(b, "image")
    code = project / "train.py"
    code.write_text("print(0)\n")
    b.plz("run", cwd=project)
    count = 0

    def changed():
        nonlocal count
        count += 1
        code.write_text(f"print({count})\n")
        return b.plz("run", cwd=project)

    plz, edited, bare = in_turn(15, lambda: b.plz("run", cwd=project), changed, by_hand)
    row("warm plz run of true in an image", ms(plz), f"docker run --rm {ms(bare)}", f"{plz / bare:.2f} x", "at most 1.10 x")
    row("  one line of code changed", ms(edited), f"docker run --rm {ms(bare)}", f"{edited / bare:.2f} x", "at most 1.10 x")


def figure_input(b):
    """unchanged input beside none"""
    without = container_project(b, "without-input")
    large, many = b.root / "large", b.root / "many"
    with open(large, "wb") as f:
        for _ in range(1024):
            f.write(os.urandom(1 << 20))
    make_many(many, 10_000, 10_000)
    projects = [container_project(b, "with-" + source.name, input=f"file://{source}") for source in (large, many)]
    for project in (without, *projects):
        b.plz("run", cwd=project)
    none, *with_input = in_turn(15, *(lambda p=p: b.plz("run", cwd=p) for p in (without, *projects)))
    for name, took in zip(("1 GiB", "10,000 files"), with_input):
        row(f"unchanged input of {name}", ms(took), f"no input {ms(none)}", more_ms(took - none), "at most +20 ms")
    shutil.rmtree(many)
    large.unlink()


def received_at(command, **kwargs):
    """Bytes a second of what the command prints."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdin=DEVNULL, stdout=subprocess.PIPE, stderr=DEVNULL, **kwargs)
    size = 0
    while data := process.stdout.read(1 << 20):
        size += len(data)
    process.wait()
    return size, size / (time.perf_counter() - begin)


def figure_logs(b):
    """512 MiB of log"""
    size = 512 << 20
    script = f"yes {'x' * 127} | head -c {size}"
    project = container_project(b, "log", command=["sh", "-c", script])
    got, plz = received_at([str(b.bin / "plz"), "run"], cwd=project, env=b.env)
    container = subprocess.run(["docker", "run", "-d", IMAGE, "sh", "-c", script], check=True, capture_output=True,
                               text=True).stdout.strip()
    try:
        subprocess.run(["docker", "wait", container], check=True, stdout=DEVNULL)
        _, docker = received_at(["docker", "logs", container])
    finally:
        subprocess.run(["docker", "rm", "-f", container], check=True, stdout=DEVNULL)
    row("512 MiB of log of a container", f"{plz / 1e6:.0f} MB/s", f"docker logs {docker / 1e6:.0f} MB/s",
        f"{plz / docker:.1f} x" if got == size else f"WRONG: {got} bytes", "at least 3 x")


def figure_many(b):
    """20 containers at once"""
    project = container_project(b, "twenty", command=["sleep", "5"], resources={"cpus": 0.1})
    b.plz("run", "--", "true", cwd=project)
    runs = [subprocess.Popen([str(b.bin / "plz"), "run"], cwd=project, env=b.env, stdin=DEVNULL, stdout=DEVNULL,
                             stderr=DEVNULL) for _ in range(20)]
    times = []
    while any(run.poll() is None for run in runs):
        times.append(b.plz("list", cwd=project))
        time.sleep(0.05)
    failed = sum(run.returncode != 0 for run in runs)
    deadline = time.time() + 20
    while containers_left() and time.time() < deadline:
        time.sleep(0.1)
    times.sort()
    row("20 containers at once: plz list meanwhile", ms(times[len(times) // 2]), f"slowest {ms(times[-1])}",
        f"{failed} failed, {containers_left()} left", "under 50 ms, none, none")


if __name__ == "__main__":
    sys.exit(main(globals(), __doc__))
