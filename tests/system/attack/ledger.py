"""What was submitted, and whether what plz has of it in the end is right."""

import contextlib
import dataclasses
import hashlib
import json
import pathlib
import threading
import time

# One job for all: what it does follows from its parameters, so that the right result of each is known.
JOB = r'''
import hashlib, json, os, sys, time
configuration = json.load(open(os.environ["CONFIGURATION_FILE"]))
p = configuration["parameters"]
for i in range(p["lines"]):
    print(p["nonce"], i, flush=True)
    time.sleep(p["seconds"] / p["lines"])
with open(os.path.join(configuration["output_directory"], "result"), "w") as f:
    f.write(hashlib.sha256(p["nonce"].encode()).hexdigest() * p["size"])
if "input_directory" in configuration:
    data = b"".join(open(os.path.join(configuration["input_directory"], name), "rb").read()
                    for name in sorted(os.listdir(configuration["input_directory"])))
    with open(os.path.join(configuration["output_directory"], "input"), "w") as f:
        f.write(hashlib.sha256(data).hexdigest())
with open(configuration["summary_measures_path"], "w") as f:
    json.dump(p["nonce"], f)
sys.exit(p["status"])
'''


@dataclasses.dataclass
class Submission:
    parameters: dict
    input_digest: str = None
    id: str = None  # once plz has said it
    refusal: str = None  # what the command line said where it gave up

    @property
    def nonce(self):
        return self.parameters["nonce"]

    @property
    def log(self):
        return "".join(f"{self.nonce} {i}\n" for i in range(self.parameters["lines"]))

    @property
    def result(self):
        return hashlib.sha256(self.nonce.encode()).hexdigest() * self.parameters["size"]


class Ledger:
    """Thread-safe until check()."""

    def __init__(self, plz, random):
        self.plz, self.random = plz, random
        self.submissions, self.faults = [], {"lost": [], "doubled": [], "wrong": [], "hung": []}
        self.executions = 0
        self.lock = threading.Lock()
        plz.write("work.py", JOB)

    def new(self, **given):
        with self.lock:
            number = len(self.submissions)
            parameters = {"nonce": f"{number}-{self.random.getrandbits(64):016x}", "lines": self.random.randint(1, 60),
                          "seconds": round(self.random.uniform(0, 0.6), 3), "size": self.random.randint(1, 3000),
                          "status": self.random.choice([0, 0, 0, 3]), **given}
            self.submissions.append(Submission(parameters))
            return self.submissions[-1]

    def fault(self, kind, text):
        with self.lock:
            self.faults[kind].append(text)

    def parameters_file(self, submission):
        path = self.plz.root / f"parameters-{submission.nonce}"
        path.write_text(json.dumps(submission.parameters))
        return path

    def history(self):
        return self.plz.json("history", "--all")

    def settle(self, patience):
        """Waits until every execution has ended; what has not after so many seconds in which none ended hangs."""
        known, since = None, time.monotonic()
        while True:
            history = self.history()
            unfinished = {id for id, execution in history.items() if execution["state"] != "finished"}
            if not unfinished:
                return history
            if unfinished != known:
                known, since = unfinished, time.monotonic()
            if time.monotonic() > since + patience:
                for id in unfinished:
                    self.fault("hung", f"{id} is {history[id]['state']}: {history[id]['waiting_for']}")
                return history
            time.sleep(0.1)

    def check(self, patience=300, excuse=lambda execution: False):
        """`excuse`: whether an outcome that is not the job's own is right all the same, as on a full disk."""
        history = self.settle(patience)
        self.executions = len(history)
        by_nonce = {}
        for id, execution in history.items():
            by_nonce.setdefault(execution["parameters"].get("nonce"), []).append(id)
        for submission in self.submissions:
            ids = by_nonce.get(submission.nonce, [])
            if submission.id is not None and submission.id not in ids:
                self.fault("lost", f"{submission.id}: plz gave this id and does not know it")
            if len(ids) > 1:
                self.fault("doubled", f"one submission made {', '.join(ids)}")
            for id in ids:
                execution = history[id]
                if execution["state"] == "finished" and not excuse(execution):
                    self.compare(id, execution, submission)

    def compare(self, id, execution, submission):
        outcome = execution["outcome"]
        if execution["exit_status"] != submission.parameters["status"]:
            return self.fault("wrong", f"{id}: ended as {outcome}, not with {submission.parameters['status']}")
        log = self.plz("logs", id)
        if log.status != 0 or log.out != submission.log:
            self.fault("wrong", f"{id}: its log has {len(log.out)} bytes, not {len(submission.log)}: {log.err[-300:]}")
        if execution["measures"] != {"summary": submission.nonce}:
            self.fault("wrong", f"{id}: its measures are {execution['measures']}")
        target = self.plz.root / "fetched" / id
        fetched = self.plz("output", id, "-o", target)
        expected = {"result": submission.result}
        if submission.input_digest:
            expected["input"] = submission.input_digest
        found = {}
        with contextlib.suppress(FileNotFoundError):
            found = {path.name: path.read_text() for path in pathlib.Path(target).iterdir()}
        if fetched.status != 0 or found != expected:
            self.fault("wrong", f"{id}: its output has {sorted(found)}, or another content: {fetched.err[-300:]}")

    def summary(self):
        return {"executions": self.executions, **{kind: len(texts) for kind, texts in self.faults.items()}}

    def is_clean(self):
        return not any(self.faults.values())
