"""tests/attack: any length of any attack, and what came of it."""

import argparse
import os
import pathlib
import random
import shutil
import sys
import tempfile

from attack import clients, damage, disks, jobs, kills, uploads
from conftest import Plz

# {name: (attack, how many by default)}
ATTACKS = {"kills": (kills.attack, 200), "jobs": (jobs.attack, len(jobs.JOBS)), "requests": (clients.attack, 2000),
           "uploads": (uploads.attack, 1500), "damages": (damage.attack, 100), "disks": (disks.attack, 30)}


def one(attack, seed, count):
    root = pathlib.Path(tempfile.mkdtemp(prefix="plz-attack-"))
    plz = Plz(root)
    try:
        made, ledger = attack(plz, seed, count)
        if not ledger.is_clean():
            print(plz.logs(), file=sys.stderr)
    except BaseException:
        print(plz.logs(), file=sys.stderr)
        raise
    finally:
        plz.end()
        shutil.rmtree(root, ignore_errors=True)
    return made, ledger


def main():
    parser = argparse.ArgumentParser(prog="tests/attack", description="Attacks plz. Without words: all attacks, at their usual length.")
    parser.add_argument("--seed", type=int, default=None, help="what is random follows from it; another each time")
    for name, (_, count) in ATTACKS.items():
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"so many {name} ({count} by default); only what is given is done")
    words = parser.parse_args()
    seed = random.SystemRandom().getrandbits(31) if words.seed is None else words.seed
    print(f"seed: {seed}", flush=True)
    given = {name: getattr(words, name) for name in ATTACKS if getattr(words, name) is not None}
    failed = False
    for name, count in (given or {name: count for name, (_, count) in ATTACKS.items()}).items():
        if name == "disks" and name not in given and os.geteuid() != 0:
            continue  # it mounts
        made, ledger = one(ATTACKS[name][0], seed, count)
        print(", ".join(f"{what}: {number}" for what, number in {name: made, **ledger.summary()}.items()), flush=True)
        for kind, texts in ledger.faults.items():
            for text in texts:
                print(f"  {kind}: {text}", flush=True)
        failed = failed or not ledger.is_clean()
    sys.exit(1 if failed else 0)
