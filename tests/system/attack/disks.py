"""Disks that fill up at any moment while executions are submitted, run and end, and have room again after a while."""

import contextlib
import os
import random
import subprocess
import time

from attack.ledger import Ledger
from attack.submitters import Submitters
from conftest import fill_disk

WORDS = ("No space left", "disk is full", "no room", "make room", "makes room", "full disk", "is full")


def is_of_a_full_disk(text):
    return any(word in text for word in WORDS)


def is_excused(plz, execution):
    """An end for want of room, which says so; the job's own words lie in its log."""
    outcome = execution["outcome"]
    if outcome["kind"] == "exited" and outcome["exit_status"] == 1:
        return "OSError: [Errno 28]" in plz("logs", execution["execution_id"], "--since", "start").out
    return outcome["kind"] in ("output_not_stored", "could_not_start") and is_of_a_full_disk(str(outcome))


@contextlib.contextmanager
def small_disks(plz):
    """{what: directory}, each on a disk of its own; needs root."""
    plz.data.mkdir()
    outputs = plz.root / "outputs"
    disks = {"data directory": (plz.data, "48m"), "logs": (plz.data / "logs", "2m"), "worker's": (plz.data / "worker", "32m"),
             "outputs": (outputs, "16m")}
    mounted = []
    try:
        for directory, size in disks.values():
            directory.mkdir(mode=0o700, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(directory)], check=True)
            mounted.append(directory)
        yield {name: directory for name, (directory, _) in disks.items()}
    finally:
        plz.end()
        for directory in reversed(mounted):
            subprocess.run(["umount", "-l", str(directory)], check=False)


def attack(plz, seed, disks, patience=300):
    """Returns how many times a disk was full, and the ledger."""
    if os.geteuid() != 0:
        raise SystemExit("tests/attack --disks mounts small disks, which needs root")
    chance = random.Random(f"{seed}/disks")
    ledger = Ledger(plz, random.Random(f"{seed}/ledger"))
    times = 0
    with small_disks(plz) as places:
        plz.ok("run", "--", "true")
        with Submitters(plz, ledger, seed, count=2, limit=100 * disks, may_fail=is_of_a_full_disk) as submitters:
            while times < disks and any(thread.is_alive() for thread in submitters.threads):
                time.sleep(chance.uniform(0, 1) ** 2)
                ballast = places[chance.choice(sorted(places))] / "ballast"
                fill_disk(ballast, 65536, 4096, 1)
                times += 1
                time.sleep(chance.uniform(0.1, 1.5))
                look(plz, ledger)
                ballast.unlink()
                for path in places["outputs"].iterdir():  # were fetched, and are looked at again in the end
                    subprocess.run(["rm", "-rf", str(path)], check=False)
        ledger.check(patience, excuse=lambda execution: is_excused(plz, execution))
        checked = plz("check")
        if checked.status != 0:
            ledger.fault("wrong", f"plz check, once there is room: {checked}")
    return times, ledger


def look(plz, ledger):
    """On a full disk, too, one may ask; whoever cannot be answered is told why."""
    listed = plz("list", timeout=240)
    if listed.status != 0 and not is_of_a_full_disk(listed.err):
        ledger.fault("wrong", f"plz list on a full disk: {listed}")
