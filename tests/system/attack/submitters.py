"""Threads that submit executions in all ways there are, while something is being done to plz."""

import hashlib
import os
import random
import subprocess
import threading


class Submitters:
    """`may_fail`: whether a command line may give up, or show that its job did, with these words; on a full disk it
    has to."""

    def __init__(self, plz, ledger, seed, count, limit, may_fail=lambda message: False):
        self.plz, self.ledger, self.limit, self.may_fail = plz, ledger, limit, may_fail
        self.stopping = threading.Event()
        self.left = threading.Semaphore(limit)
        self.command_lines = set()  # process ids, for whoever wants to kill them
        self.killed = set()
        self.lock = threading.Lock()
        self.input = plz.project / "data"
        self.threads = [threading.Thread(target=self.run, args=(random.Random(f"{seed}/{i}"), i)) for i in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def run(self, chance, number):
        data = self.plz.root / f"input-{number}"
        data.mkdir()
        while not self.stopping.is_set() and self.left.acquire(blocking=False):
            submission = self.ledger.new()
            words = ["run", "-p", self.ledger.parameters_file(submission), "-o", self.plz.root / "outputs" / submission.nonce]
            attached = chance.random() < 0.6
            environment = {}
            if chance.random() < 0.5:
                content = os.urandom(chance.randint(1, 300_000))
                (data / "changing").write_bytes(content)
                submission.input_digest = hashlib.sha256(content).hexdigest()
                environment["PLZ_INPUT"] = f"file://{data}"
            words += [] if attached else ["-d"]
            self.one(submission, [*words, "--", "python3", "work.py"], attached, environment)

    def one(self, submission, words, attached, environment):
        process = self.plz.popen(*words, env=environment)
        with self.lock:
            self.command_lines.add(process.pid)
        try:
            out, err = (text.decode("utf-8", "replace") for text in process.communicate(timeout=600))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return self.ledger.fault("hung", f"plz {' '.join(map(str, words))}")
        finally:
            with self.lock:
                self.command_lines.discard(process.pid)
        for line in err.splitlines():
            if line.startswith("=> Execution ID is: "):
                submission.id = line.split(": ")[1]
        if not attached and process.returncode == 0:
            submission.id = out.strip()
        if process.pid in self.killed:
            return
        if process.returncode not in ({0, submission.parameters["status"]} if attached else {0}):
            submission.refusal = err
            if not self.may_fail(err + out):
                self.ledger.fault("wrong", f"plz {words[0]} ended with {process.returncode}: {err[-600:]}")
        elif attached and not self.may_fail(err + out):
            if process.returncode != submission.parameters["status"] or out != submission.log:
                self.ledger.fault("wrong", f"{submission.id}: plz run showed {len(out)} bytes of log, "
                                           f"ended with {process.returncode}: {err[-600:]}")
