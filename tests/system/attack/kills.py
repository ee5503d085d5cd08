"""SIGKILL to each part at any moment, while executions are submitted, run and end."""

import contextlib
import os
import pathlib
import random
import signal
import time

from attack.ledger import Ledger
from attack.submitters import Submitters

VICTIMS = ["plz-controller", "plz-controller", "plz-worker", "plz-worker", "outer", "plz", "twice"]


def outer_halves(plz):
    """The file that an outer half of plz-init holds locked begins with its process id."""
    found = []
    for lock in (plz.data / "worker" / "attempts").glob("*/init.lock"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(lock.read_text().split()[0])
            words = pathlib.Path("/proc", str(pid), "cmdline").read_bytes()
            if b"plz-init" in words:
                found.append(pid)
    return found


class Killer:
    def __init__(self, plz, submitters, seed):
        self.plz, self.submitters, self.random = plz, submitters, random.Random(f"{seed}/killer")
        self.kills = 0

    def candidates(self, victim):
        if victim == "outer":
            return outer_halves(self.plz)
        if victim == "plz":
            return sorted(self.submitters.command_lines)
        return self.plz.processes(victim)

    def kill(self, victim):
        pids = self.candidates(victim)
        if not pids:
            return
        pid = self.random.choice(pids)
        if victim == "plz":
            self.submitters.killed.add(pid)  # first: its end is looked at by another thread
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills += 1

    def go_on(self, kills):
        while self.kills < kills and any(thread.is_alive() for thread in self.submitters.threads):
            time.sleep(self.random.uniform(0, 0.4) ** 2 * 4)  # most often soon
            victim = self.random.choice(VICTIMS)
            if victim != "twice":
                self.kill(victim)
                continue
            # The next one in its first moments.
            self.kill("plz-controller")
            deadline = time.monotonic() + 1
            while not self.plz.processes("plz-controller") and time.monotonic() < deadline:
                pass
            time.sleep(self.random.uniform(0, 0.02))
            self.kill("plz-controller")


def attack(plz, seed, kills, patience=300):
    """Returns the number of kills, and the ledger."""
    ledger = Ledger(plz, random.Random(f"{seed}/ledger"))
    with Submitters(plz, ledger, seed, count=3, limit=100 * kills) as submitters:
        killer = Killer(plz, submitters, seed)
        killer.go_on(kills)
    ledger.check(patience)
    return killer.kills, ledger
