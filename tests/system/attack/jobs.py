"""Jobs that reach for what is not theirs: none gets it, none leaves anything behind, and the next job runs."""

import json
import os
import pathlib
import random
import secrets
import subprocess

from attack.ledger import Ledger

# Each prints, or leaves as output or measure, whatever it gets hold of. ROOT is the person's directory with all in it.
PRELUDE = r'''
import contextlib, json, os, pathlib, shutil, signal, subprocess, sys
configuration = json.load(open(os.environ["CONFIGURATION_FILE"]))
out, measures = pathlib.Path(configuration["output_directory"]), pathlib.Path(configuration["measures_directory"])
data, home, project, victim = (pathlib.Path(os.environ[name]) for name in ("A_DATA", "A_HOME", "A_PROJECT", "A_VICTIM"))
'''
JOBS = {
    "reads the data directory": r'''
for top in (data, pathlib.Path("/proc/1/root") / str(data)[1:]):
    for directory, _, names in os.walk(top):
        for name in names:
            with contextlib.suppress(OSError):
                sys.stdout.buffer.write(open(os.path.join(directory, name), "rb").read())
''',
    "reads others' environments": r'''
for entry in os.listdir("/proc"):
    for what in ("environ", "cmdline", "cwd/canary", "root/" + str(data)[1:] + "/canary"):
        with contextlib.suppress(OSError):
            sys.stdout.buffer.write(open(f"/proc/{entry}/{what}", "rb").read())
''',
    "leaves links as output": r'''
(out / "link").symlink_to(data / "canary")
(out / "directory").symlink_to(data)
(out / "relative").symlink_to("../" * 20 + str(data / "canary")[1:])
with contextlib.suppress(OSError):
    os.link(data / "canary", out / "hard")
''',
    "leaves links as measures": r'''
(measures / "link").symlink_to(data / "canary")
(measures / "directory").symlink_to(data)
for i in range(300):
    nested = measures / f"nested{i % 3}"
    with contextlib.suppress(OSError):
        nested.mkdir()
        (nested / "canary").write_text("1")
        shutil.rmtree(nested)
        nested.symlink_to(data)
        nested.unlink()
''',
    "replaces its own directories": r'''
for directory in (out, measures):
    with contextlib.suppress(OSError):
        directory.rename(str(directory) + ".old")
    with contextlib.suppress(OSError):
        directory.rmdir()
    with contextlib.suppress(OSError):
        directory.symlink_to(data)
''',
    "writes where it may only read": r'''
for directory in (home, project, data, pathlib.Path("/usr"), pathlib.Path("/etc"), pathlib.Path("/plz")):
    with contextlib.suppress(OSError):
        (directory / "left-by-a-job").write_text("x")
    for name in ("work.py", "canary"):
        with contextlib.suppress(OSError):
            (directory / name).write_text("changed")
        with contextlib.suppress(OSError):
            (directory / name).unlink()
''',
    "signals whom it sees": r'''
for entry in os.listdir("/proc"):
    if entry.isdigit() and int(entry) not in (1, os.getpid()):
        with contextlib.suppress(OSError):
            os.kill(int(entry), signal.SIGKILL)
with contextlib.suppress(OSError):
    os.kill(int(victim.read_text()), signal.SIGKILL)
''',
    "mounts": r'''
for words in (["mount", "--bind", "/etc", "/usr"], ["mount", "-o", "remount,rw", "/"], ["umount", "-l", "/plz/output"],
              ["mount", "-t", "tmpfs", "tmpfs", str(out)], ["unshare", "-Urm", "mount", "-o", "remount,rw", "/"]):
    subprocess.run(words, stderr=subprocess.DEVNULL)
''',
    "leaves processes": r'''
for i in range(20):
    subprocess.Popen(["setsid", "sleep", os.environ["A_SECONDS"]])
''',
    "fills its directories": r'''
for i in range(3000):
    (out / f"{i}").write_text("x")
deep = out
with contextlib.suppress(OSError):
    for i in range(200):
        deep = deep / "d"
        deep.mkdir()
os.mkfifo(out / "pipe")
os.mkfifo(measures / "pipe")
''',
    "prints anything": r'''
sys.stdout.buffer.write(bytes(range(256)) * 2000 + b"\x1b]0;title\x07\r\n" + b"x" * 1000000)
(measures / "a\nb").write_text("[" * 5000)
(measures / "not json").write_bytes(bytes(range(256)))
''',
}


def snapshot(directory):
    return {path.relative_to(directory): path.read_bytes() for path in directory.rglob("*")
            if path.is_file() and "output" not in path.relative_to(directory).parts and ".cache" not in path.parts}


def attack(plz, seed, rounds):
    """Returns the number of jobs, and the ledger."""
    chance = random.Random(f"{seed}/jobs")
    ledger = Ledger(plz, random.Random(f"{seed}/ledger"))
    plz.ok("run", "--", "true")
    canary = "canary-" + secrets.token_hex(16)
    (plz.data / "canary").write_text(canary)
    seconds = f"654.{os.getpid()}"
    bystander = subprocess.Popen(["sleep", "3600"])
    (plz.home / "victim").write_text(str(bystander.pid))
    plz.env.update(A_DATA=str(plz.data), A_HOME=str(plz.home), A_PROJECT=str(plz.project), A_VICTIM=str(plz.home / "victim"),
                   A_SECONDS=seconds)
    try:
        # Another execution of the same person, whose environment has a secret.
        other = plz.popen("run", "--", "sh", "-c", f"while [ ! -e {plz.home}/go ]; do sleep 0.1; done",
                          env={"A_SECRET": canary})
        names = sorted(JOBS)
        for number in range(rounds):
            name = names[number % len(names)] if number < len(names) else chance.choice(names)
            one(plz, ledger, name, canary, seconds, bystander)
        (plz.home / "go").touch()
        _, err = other.communicate(timeout=300)
        if other.returncode != 0:
            ledger.fault("wrong", f"the execution beside ended with {other.returncode}: {err[-500:]}")
    finally:
        bystander.kill()
        bystander.wait()
    plz.ok("run", "-p", ledger.parameters_file(ledger.new(status=0)), "--", "python3", "work.py")
    ledger.check()
    return rounds, ledger


def one(plz, ledger, name, canary, seconds, bystander):
    (plz.project / "attack.py").write_text(PRELUDE + JOBS[name])
    before = snapshot(plz.project), snapshot(plz.home)
    output = plz.root / "attacked"
    done = plz("run", "-o", output, "--", "python3", "attack.py", timeout=300)
    execution = done.id
    seen = [done.out_bytes, plz("measures", execution).out_bytes]
    for directory, _, names in os.walk(output):
        for entry in map(pathlib.Path(directory).__truediv__, names):
            if entry.is_file() and not entry.is_symlink():
                seen.append(entry.read_bytes())
    if any(canary.encode() in text for text in seen):
        ledger.fault("wrong", f"a job that {name} got what is hidden")
    if (snapshot(plz.project), snapshot(plz.home)) != before:
        ledger.fault("wrong", f"a job that {name} changed the person's files")
    if (plz.data / "canary").read_text() != canary:
        ledger.fault("wrong", f"a job that {name} changed plz's files")
    if bystander.poll() is not None:
        ledger.fault("wrong", f"a job that {name} ended a process that is not its own")
    if any(sleepers(seconds)):
        ledger.fault("wrong", f"a job that {name} left processes")
    state = plz.json("history", "--all")[execution]
    if state["state"] != "finished" or state["outcome"]["kind"] not in ("succeeded", "failed"):
        ledger.fault("wrong", f"a job that {name} ended as {json.dumps(state['outcome'])}")
    subprocess.run(["chmod", "-R", "u+rwx", str(output)], check=False, stderr=subprocess.DEVNULL)
    subprocess.run(["rm", "-rf", str(output)], check=True)


def sleepers(seconds):
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if pathlib.Path("/proc", entry, "cmdline").read_bytes() == f"sleep\0{seconds}\0".encode():
                    yield entry
            except OSError:
                pass
