"""Bytes flipped, files cut short and files removed in what lies in the data directory: plz says so, or nothing is wrong."""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

from attack.ledger import Ledger

# {what: where below the data directory}. What is no record of anything (sockets, locks, own logs) is left alone.
PLACES = {
    "pack": ["store/**/*.pack"],
    "log": ["logs/*/*.log"],
    "log's checksums": ["logs/*/*.sums", "logs/*/*.marks"],
    "database": ["plz.db"],
    "write-ahead log": ["plz.db-wal"],
    "mark": ["plz.db-acknowledged", "store/database", "logs/database", "format"],
    "cached tree": ["worker/cache/trees/**/*"],
    "worker's state": ["worker/instance", "worker/database", "worker/cache/**/*", "stat-cache/*"],
    "assignment": ["worker/attempts/*/assignment", "worker/attempts/*/*"],
}
PAGE = 4096
SECONDS = 240  # in which every command has to end, on a busy machine


class Damager:
    def __init__(self, plz, seed):
        self.plz, self.random = plz, random.Random(f"{seed}/damage")
        self.ledger = Ledger(plz, random.Random(f"{seed}/ledger"))
        self.copy = plz.root / "copy"
        self.made, self.said = [], []

    def prepare(self):
        """Executions whose right results are known, all of them over, and a copy of all."""
        plz, data = self.plz, self.plz.project / "data"
        data.mkdir()
        (data / "unchanged").write_bytes(self.random.randbytes(70_000))
        plz.configure(user="ada", input=f"file://{data}", excluded_paths=["data"])
        self.digest = digest_of(data)
        for number in range(4):
            submission = self.ledger.new(status=0, seconds=0, **({"lines": 20_000} if number == 0 else {}))
            submission.input_digest = self.digest
            submission.id = self.run(submission).id
        # One that was running when all died.
        running = plz.ok("run", "-d", "--", "sleep", "3600").out.strip()
        plz.wait_for_state(running, "running")
        self.end(signal.SIGKILL)
        # An overlay's own, which nobody may enter, is its owner's.
        for directory in (plz.data / "worker" / "attempts").glob("*/run/work"):
            subprocess.run(["chmod", "-R", "u+rwX", directory], check=True)
        self.copy_all(plz.data, self.copy)

    def run(self, submission):
        return self.plz.ok("run", "-p", self.ledger.parameters_file(submission), "--", "python3", "work.py")

    def end(self, number):
        for program in ("plz-controller", "plz-worker", "plz-init"):
            self.plz.kill(program, number)
        deadline = time.monotonic() + 120
        while self.plz.processes("plz-controller") or self.plz.processes("plz-worker"):
            if time.monotonic() > deadline:
                return self.fault("hung", "controller or worker does not end")
            time.sleep(0.02)

    def copy_all(self, source, target):
        if target.exists():
            subprocess.run(["chmod", "-R", "u+rwX", target], check=False, stderr=subprocess.DEVNULL)
            shutil.rmtree(target)
        subprocess.run(["cp", "-a", source, target], check=True)

    def fault(self, kind, text):
        self.ledger.fault(kind, f"{self.made[-1] if self.made else 'before any damage'}: {text}")

    def damage(self):
        """One, and what it was."""
        for _ in range(100):
            place = self.random.choice(sorted(PLACES))
            found = sorted({path for pattern in PLACES[place] for path in self.plz.data.glob(pattern)
                            if path.is_file() and not path.is_symlink()})
            if found:
                break
        path = self.random.choice(found)
        whole, mode = path.read_bytes(), path.stat().st_mode
        how = self.random.choice(["flipped", "flipped", "cut", "gone"])
        if how == "flipped" and whole:
            at = self.random.randrange(len(whole))
            if place == "database":
                at -= at % PAGE  # what tells a page's kind; a byte of a value is nothing that SQLite can tell
            told = f"byte {at} of {len(whole)}"
            changed = whole[:at] + bytes([whole[at] ^ 1 << self.random.randrange(8)]) + whole[at + 1:]
        else:
            how = "cut" if how == "flipped" else how
            told = f"of {len(whole)} bytes"
            changed = whole[:self.random.randrange(len(whole))] if whole else b""
        parent = path.parent.stat().st_mode
        path.parent.chmod(parent | 0o700)
        if how == "gone":
            path.unlink()
        else:
            path.chmod(0o600)
            path.write_bytes(changed)
            path.chmod(mode)
        path.parent.chmod(parent)
        self.made.append(f"{place} {path.relative_to(self.plz.data)} {how}, {told}")
        return place, path, whole

    def kept_files(self):
        return {path for name in ("store", "logs") for path in (self.plz.data / name).rglob("*")
                if path.is_file() and path.suffix in (".pack", ".log")}

    def ask(self, *words, **kwargs):
        """A command, which ends in time and whose failures are sentences."""
        try:
            done = self.plz(*words, timeout=SECONDS, **kwargs)
        except subprocess.TimeoutExpired:
            self.fault("hung", f"plz {' '.join(map(str, words))}")
            return None
        if done.status < 0 or done.status in (134, 139) or "terminate called" in done.err:
            self.fault("wrong", f"plz {words[0]} died: {done}")
        if done.status != 0 and not any(line.startswith(("** ", "!! ", "=> ", "   ")) or line.strip() for line in done.err.splitlines()):
            self.fault("wrong", f"plz {words[0]} failed without a word")
        return done

    def look(self, before):
        """Whether plz said anything of it."""
        said = False
        listed = self.ask("list")
        if listed is None:
            return True
        if listed.status != 0:
            if not any(word in listed.err for word in ("damaged", "gone", "empty", "emptied", "older copy", "another",
                                                       "whole number", "not a database", "does not name")):
                self.fault("wrong", f"a start was refused without its reason: {listed.err[-500:]}")
            self.compare_files(before)
            return True
        for submission in self.ledger.submissions[:4]:
            said = self.look_at(submission) or said
        checked = self.ask("check")
        if checked is not None and checked.status not in (0, 1):
            self.fault("wrong", f"plz check ended with {checked.status}: {checked}")
        said = said or (checked is not None and checked.status == 1)
        again = self.ask("rerun", self.ledger.submissions[1].id, "-o", self.plz.root / f"again-{len(self.made)}")
        if again is not None and again.status == 0:
            if again.out != self.ledger.submissions[1].log:
                self.fault("wrong", f"a rerun printed {len(again.out)} bytes, and ended well")
            self.compare_output(self.plz.root / f"again-{len(self.made)}", self.ledger.submissions[1])
        elif again is not None:
            said = True
        self.settle()
        self.compare_files(before)
        return said

    def settle(self):
        """Whatever was running ends, one way or another."""
        deadline = time.monotonic() + SECONDS
        while True:
            listed = self.ask("list", "--json")
            if listed is None or listed.status == 0 and '"executions": []' in listed.out:
                return
            if time.monotonic() > deadline:
                return self.fault("hung", f"what was running does not end: {listed}")
            time.sleep(0.1)

    def look_at(self, submission):
        said = False
        log = self.ask("logs", submission.id, "--since", "start")
        if log is not None and log.status == 0 and log.out != submission.log:
            self.fault("wrong", f"the log of {submission.id} has {len(log.out)} bytes, and nothing is said: {log.err[-300:]}")
        said = said or (log is not None and log.status != 0)
        target = self.plz.root / f"output-{submission.id}-{len(self.made)}"
        fetched = self.ask("output", submission.id, "-o", target)
        if fetched is not None and fetched.status == 0:
            self.compare_output(target, submission)
        return said or (fetched is not None and fetched.status != 0)

    def compare_output(self, target, submission):
        found = {path.name: path.read_text("utf-8", "replace") for path in target.iterdir()} if target.exists() else {}
        if found != {"result": submission.result, "input": self.digest}:
            self.fault("wrong", f"the output of {submission.id} has {sorted(found)}, or another content, and nothing is said")
        shutil.rmtree(target, ignore_errors=True)

    def compare_files(self, before):
        gone = before - self.kept_files()
        if gone:
            self.fault("wrong", f"{len(gone)} files were removed: {sorted(gone)[:3]}")

    def one(self):
        """A damage, a look, and all as it was."""
        self.copy_all(self.copy, self.plz.data)
        place, path, whole = self.damage()
        before = self.kept_files()
        said = self.look(before)
        for log in (self.plz.data / "controller.log", self.plz.data / "worker.log"):
            if log.exists() and b"terminate called" in log.read_bytes():
                self.fault("wrong", f"{log.name} tells of an uncaught exception")
        if said:
            self.said.append(self.made[-1])
        elif place == "log" and not (path.exists() and path.read_bytes() == whole):  # else its worker has sent it again
            self.fault("wrong", "nothing was said")
        self.end(signal.SIGKILL)


def digest_of(directory):
    import hashlib
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(pathlib.Path(directory).iterdir()))).hexdigest()


def attack(plz, seed, damages):
    """Returns the number of damages, and the ledger."""
    damager = Damager(plz, seed)
    damager.prepare()
    for _ in range(damages):
        damager.one()
    # Put back, all is as if nothing had been.
    damager.copy_all(damager.copy, plz.data)
    damager.ledger.check()
    damager.ledger.said = len(damager.said)
    return len(damager.made), damager.ledger
