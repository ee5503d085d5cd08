"""The HTTP API is what docs/api/openapi.json says: each request of it is made, and its answer checked."""

import http.client
import json
import os
import pathlib
import re
import socket
import threading
import uuid
from unittest.mock import ANY

import pytest

from conftest import wait_until
from openapi import Document

ROOT = pathlib.Path(__file__).parents[2]
DOCS = pathlib.Path(os.environ.get("PLZ_DOCS", ROOT / "docs"))
SOURCES = ROOT / "src" / "controller" / "api"
OPENAPI = DOCS / "api" / "openapi.json"

pytestmark = pytest.mark.skipif(not OPENAPI.exists(), reason="the documentation is not beside the tests")

JSON, OCTETS, PROBLEM = "application/json", "application/octet-stream", "application/problem+json"
NOW = "2026-03-01T12:00:00Z"


@pytest.fixture(scope="module")
def document():
    return Document(OPENAPI.read_text())


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("plz.invalid", timeout=120)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Api:
    """Makes requests, and holds each against its operation in the document."""

    def __init__(self, document, socket_path):
        self.document = document
        self.socket_path = socket_path
        self.made = set()

    def send(self, method, target, body=None, headers=None):
        connection = UnixConnection(self.socket_path)
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        assert uuid.UUID(answer.headers["X-Request-Id"])
        assert answer.headers["Plz-Version"]
        return answer, content

    def __call__(self, name, target=None, body=None, expect=200, headers=None):
        """name: as in the document, "GET /v1/ping"; target: with the parameters filled in."""
        self.made.add(name)
        operation = self.document.operations()[name]
        method, path = name.split(" ")
        assert str(expect) in operation["responses"], f"{name}: {expect} is not documented"
        if body is not None and not isinstance(body, bytes):
            schema = operation["requestBody"]["content"][JSON]["schema"]
            assert self.document.faults(body, schema) == []
            body = json.dumps(body)
        answer, content = self.send(method, target or path, body, headers)
        assert answer.status == expect, (name, target, answer.status, content[:500])
        return self.check(name, answer, content)

    def check(self, name, answer, content):
        response = self.document.response(self.document.operations()[name], answer.status)
        own = {field for field in answer.headers if field.startswith("Plz-")} - {"Plz-Version"}
        assert own <= set(response.get("headers", {})), name
        documented = response.get("content", {})
        kind = answer.headers.get("Content-Type")
        if not documented:
            assert content == b"" and kind is None, name
            return None
        assert kind in documented, f"{name}: {kind} is not documented"
        if kind not in (JSON, PROBLEM):
            return content
        value = json.loads(content)
        faults = self.document.faults(value, documented[kind]["schema"])
        assert faults == [], f"{name}: {content[:2000]}"
        return value

    def refuses(self, name, target, status, body=None):
        answer, content = self.send(name.split(" ")[0], target, body)
        assert answer.status == status, (name, target, answer.status, content[:500])
        assert answer.headers["Content-Type"] == PROBLEM
        problem = self.check(name, answer, content)
        assert problem["status"] == status and problem["request_id"] == answer.headers["X-Request-Id"]
        return problem


@pytest.fixture
def api(plz, document):
    plz.ok("ping-backend")
    (path,) = plz.runtime.rglob("*.sock")
    return Api(document, path)


def parameters_of(operation, place):
    return [p for p in operation.get("parameters", []) if p["in"] == place]


def filled(path):
    """The path with an id for each of its parameters."""
    return re.sub(r"\{\w+\}", lambda _: str(uuid.uuid4()), path)


class Worker:
    """Plays a worker that has the only GPU."""

    def __init__(self, api):
        self.api = api
        registered = api("POST /v1/workers", body={
            "version": "0", "host_name": "imaginary",
            "capacity": {"cpus": 1, "memory_bytes": 1 << 40, "gpus": ["GPU-0"]},
            "runtimes": [{"name": "sandbox", "available": True, "version": "0", "detail": ""}],
            "attempts": [str(uuid.uuid4())]})
        self.id = registered["instance_id"]
        assert len(registered["forget"]) == 1

    def poll(self, wait=20):
        return self.api("POST /v1/workers/{id}/poll", f"/v1/workers/{self.id}/poll?wait={wait}")


def test_every_operation(plz, api, document):
    store_and_controller(plz, api)
    executions(plz, api)
    worker(api, plz)
    composite(plz, api)
    api("POST /v1/shutdown", body={"reason": "the test is over"})
    wait_until(lambda: not plz.processes("plz-controller"), what="the controller to end")
    assert api.made == set(document.operations())


def store_and_controller(plz, api):
    assert api("GET /v1/ping")["embedded"] is True
    lease = f"/v1/leases/{uuid.uuid4()}"
    api("PUT /v1/leases/{lease}", lease + "?seconds=60", expect=204)
    plz.write("file", "content\n")
    execution = plz.ok("run", "--", "true").id
    tree = api("GET /v1/executions/{id}", f"/v1/executions/{execution}")["snapshot"]["code_tree"]
    here, absent = bytes.fromhex(tree), bytes(32)
    assert api("POST /v1/blobs/missing", f"/v1/blobs/missing?lease={lease[11:]}", here + absent) == b"\0\1"
    pack = api("POST /v1/blobs/fetch", body=here)
    assert pack.startswith(b"PLZPACK1")
    assert api("POST /v1/packs", body=pack)["blobs"] == 1
    assert api("POST /v1/collections", body={"dry_run": True, "environments": False})["held_up"]
    checked = json.loads(api("POST /v1/checks", body={"repair": False}).splitlines()[-1])
    assert checked["done"] and checked["damaged"] == [] and checked["blobs"] > 0 and checked["database"] == ""
    assert checked["damaged_logs"] == []
    api("DELETE /v1/leases/{lease}", lease, expect=204)
    assert tree not in api.refuses("POST /v1/blobs/fetch", "/v1/blobs/fetch", 404, absent)["detail"]
    api.refuses("POST /v1/blobs/missing", "/v1/blobs/missing", 400, b"half a digest")


def executions(plz, api):
    plz.write("job.py", """
import json, os
c = json.load(open(os.environ["CONFIGURATION_FILE"]))
for name, value in [("summary", '{"a": 1}'), ("epoch/1/loss", "0.5"), ("nan", "NaN"), ("text", "words")]:
    path = os.path.join(c["measures_directory"], name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").write(value)
open(c["output_directory"] + "/file", "w").write("output")
print("printed")
""")
    plz.write("data/file", "input")
    plz.configure(user="ada", input="file://data", environment={"NAME": "value"}, parameters={"lr": 1e-3})
    execution = plz.ok("run", "--", "python3", "job.py").id
    failed = plz("run", "--", "sh", "-c", "kill -9 $$").id
    one = f"/v1/executions/{execution}"
    assert api("GET /v1/executions/last", "/v1/executions/last?user=ada")["id"] == failed
    page = api("GET /v1/executions", "/v1/executions?user=ada&project=project&limit=2&unfinished=0")
    assert [e["execution_id"] for e in page["executions"]] == [failed, execution]
    rest = api("GET /v1/executions", f"/v1/executions?cursor={page['cursor']}")
    assert len(rest["executions"]) == 1 and rest["cursor"] is None
    assert api("GET /v1/executions/{id}", one + "?wait=5")["output"]["bytes"] == 6
    assert api("GET /v1/executions/{id}/parts", one + "/parts")["executions"] == []
    assert api("GET /v1/executions/{id}/attempts", one + "/attempts")["attempts"][0]["log_complete"] is True
    assert api("GET /v1/executions/{id}/logs", one + "/logs?since=start&follow=1") == b"printed\n"
    assert api("GET /v1/executions/{id}/logs", one + "/logs?offset=5") == b"ed\n"
    assert api("GET /v1/executions/{id}/log-damage", one + "/log-damage?offset=5") == {"damage": []}
    assert api("GET /v1/executions/{id}/measures", one + "/measures?prefix=epoch") == {"epoch": {"1": {"loss": 0.5}}}
    events = api("GET /v1/executions/{id}/measures/events", one + "/measures/events?limit=1000")["events"]
    assert {e["path"]: e["value"] for e in events} == {
        "summary": {"a": 1}, "epoch/1/loss": 0.5, "nan": "NaN", "text": {"base64_bytes": "d29yZHM="}}
    assert api("POST /v1/executions/{id}/stop", one + "/stop?grace=1", expect=202) == {}
    assert list(api("GET /v1/history", "/v1/history?user=ada&limit=2")) == [failed, execution]
    lines = api("GET /v1/history", "/v1/history?format=jsonl&where=parameters.lr%20%3C%201").splitlines()
    for line in lines:
        assert api.document.faults(json.loads(line), {"$ref": "#/components/schemas/Document"}) == []
    assert len(lines) == 2
    same = [submit_again(api, execution, {"Idempotency-Key": "key"}) for _ in range(2)]
    another = submit_again(api, execution)
    assert same[0] == same[1] != another
    api.refuses("POST /v1/executions/{id}/output-captures", one + "/output-captures", 409)
    api.refuses("POST /v1/executions", "/v1/executions", 400, b'{"spec": {"user": 1}}')
    never_met(api, execution)
    # Before there is another worker that could be given them.
    for submitted in (same[0], another):
        wait_until_finished(api, submitted)


def never_met(api, execution):
    """What nobody here could ever give is refused, unless it is to wait all the same."""
    resources = {"cpus": 1, "memory_bytes": 0, "gpus": 1000}
    problem = api("POST /v1/resource-checks", body=resources, expect=422)
    assert problem["code"] == "never_met" and "1000 GPUs" in problem["detail"], problem
    assert api("POST /v1/resource-checks", body={"cpus": 1}) == {}
    body = {"spec": {**submission_of(api, execution), "resources": resources}}
    assert api("POST /v1/executions", body=body, expect=422) == {**problem, "request_id": ANY}
    waiting = api("POST /v1/executions", body={**body, "wait_anyway": True}, expect=201)["id"]
    assert "1000 GPUs" in api("GET /v1/executions/{id}", f"/v1/executions/{waiting}")["waiting_for"]
    api("POST /v1/executions/{id}/stop", f"/v1/executions/{waiting}/stop", expect=202)
    api("DELETE /v1/executions/{id}", f"/v1/executions/{waiting}", expect=204)


def wait_until_finished(api, execution):
    name, target = "GET /v1/executions/{id}", f"/v1/executions/{execution}?wait=60"
    wait_until(lambda: api(name, target)["state"] == "finished", what=f"{execution} to finish")


def submission_of(api, execution):
    shown = api("GET /v1/executions/{id}", f"/v1/executions/{execution}")
    members = api.document.json["components"]["schemas"]["ExecutionSpec"]["properties"]
    return {name: shown[name] for name in members}


def submit_again(api, execution, headers=None, **changes):
    spec = {**submission_of(api, execution), **changes}
    return api("POST /v1/executions", body={"spec": spec, "shell_environment": {}}, expect=201, headers=headers)["id"]


def worker(api, plz):
    last = api("GET /v1/executions/last")["id"]
    worker = Worker(api)
    events = first_event(api)
    environment = {"image": "debian:12", "image_extensions": ["RUN true"], "dockerfile": False,
                   "pinned": {"id": "sha256:0", "digest": "", "base_id": "sha256:9", "base_digest": ""}}
    tree = api("GET /v1/executions/{id}", f"/v1/executions/{last}")["snapshot"]["code_tree"]
    execution = submit_again(api, last, resources={"cpus": 1, "memory_bytes": 0, "gpus": 1}, command=[],
                             snapshot={"code_tree": tree, "environment": environment})
    (assignment,) = worker.poll()["assignments"]
    assert assignment["execution_id"] == execution and assignment["gpu_ids"] == ["GPU-0"]
    assert assignment["spec"]["snapshot"]["environment"] == environment
    assert assignment["images_repository"] == ""
    assert b"event: executions\n" in events()
    attempt = f"/v1/attempts/{assignment['attempt_id']}"
    preparation(api, execution, attempt)
    image = {"id": "sha256:1", "digest": "debian@sha256:2", "base_id": "", "base_digest": ""}
    api("POST /v1/attempts/{id}/waiting", attempt + "/waiting", {"waiting_for": "room"})
    api("POST /v1/attempts/{id}/started", attempt + "/started", {"time": NOW, "image": image})
    assert api("GET /v1/executions/{id}", f"/v1/executions/{execution}")["image"] == image
    appended = api("PUT /v1/attempts/{id}/log", attempt + "/log?offset=0&time=1772366400000000", b"a line\n")
    assert appended == api("GET /v1/attempts/{id}/log", attempt + "/log") == {"bytes": 7}
    assert api("PUT /v1/attempts/{id}/log", attempt + "/log?offset=8", b"beyond", expect=409) == {"bytes": 7}
    measure = {"sequence": 1, "path": "loss", "time": NOW, "value": 1, "index": None}
    api("POST /v1/attempts/{id}/measures", attempt + "/measures", {"events": [measure]})
    capture_output(api, worker, execution, attempt)
    api("POST /v1/executions/{id}/stop", f"/v1/executions/{execution}/stop?grace=7", expect=202)
    (stop,) = worker.poll()["stops"]
    assert stop == {"attempt_id": assignment["attempt_id"], "grace_milliseconds": 7000}
    api("POST /v1/attempts/{id}/command-ended", attempt + "/command-ended", {"time": NOW})
    report = {"outcome": {"kind": "stopped", "exit_status": 143, "signal": 15}, "started": NOW, "ended": NOW,
              "output_tree": None, "output_bytes": 0, "log_bytes": 7, "measures": [{**measure, "sequence": 2, "value": 2}]}
    api.refuses("POST /v1/attempts/{id}/finish", attempt + "/finish", 409, json.dumps({**report, "log_bytes": 8}))
    for _ in range(2):
        api("POST /v1/attempts/{id}/finish", attempt + "/finish", report)
    finished = api("GET /v1/executions/{id}", f"/v1/executions/{execution}")
    assert (finished["state"], finished["outcome"]["kind"]) == ("finished", "stopped")
    assert api("GET /v1/executions/{id}/measures", f"/v1/executions/{execution}/measures") == {"loss": 2}
    collect(api, worker)
    api("DELETE /v1/executions/{id}", f"/v1/executions/{execution}?user=somebody", expect=409)
    api("DELETE /v1/executions/{id}", f"/v1/executions/{execution}?user=ada", expect=204)
    api.refuses("GET /v1/executions/{id}", f"/v1/executions/{execution}", 404)
    kill(api, worker)


def collect(api, worker):
    reports = []
    asked = threading.Thread(target=lambda: reports.append(api("POST /v1/collections", body={"caches": True})))
    asked.start()
    orders = worker.poll()["collections"]
    assert [order["dry_run"] for order in orders] == [False]
    answer = {"images": [{"id": "sha256:1", "name": "plz/environment:x", "bytes": 5}], "containers": [], "trees": 1,
              "tree_bytes": 2, "error": ""}
    api("POST /v1/workers/{id}/collections/{request}", f"/v1/workers/{worker.id}/collections/{orders[0]['request_id']}",
        answer)
    asked.join(120)
    (ours,) = [i for i in reports[0]["instances"] if i["instance_id"] == worker.id]
    assert {name: ours[name] for name in answer} == answer


def preparation(api, execution, attempt):
    """What is printed before the job starts has a log of its own."""
    shown = api("GET /v1/executions/{id}", f"/v1/executions/{execution}")
    assert (shown["state"], shown["waiting_for"]) == ("starting", "its environment to be prepared")
    name, log = "PUT /v1/attempts/{id}/preparation-log", attempt + "/preparation-log"
    assert api(name, log + "?offset=0&time=1772366400000000", b"Step 1/2\n") == {"bytes": 9}
    assert api(name, log + "?offset=10", b"beyond", expect=409) == {"bytes": 9}
    assert api("GET /v1/attempts/{id}/preparation-log", log) == {"bytes": 9}
    name, log = "GET /v1/executions/{id}/preparation-log", f"/v1/executions/{execution}/preparation-log"
    assert api(name, log + "?offset=5&follow=0") == b"1/2\n"


def capture_output(api, worker, execution, attempt):
    answer = []
    target = f"/v1/executions/{execution}/output-captures"
    asked = threading.Thread(target=lambda: answer.append(
        api("POST /v1/executions/{id}/output-captures", target)))
    asked.start()
    (order,) = worker.poll()["captures"]
    report = {"output_tree": None, "output_bytes": 0, "error": "the disk is on fire"}
    api("POST /v1/attempts/{id}/output-captures/{request}", f"{attempt}/output-captures/{order['request_id']}", report)
    asked.join(120)
    assert answer == [report]


def kill(api, worker):
    instances = api("GET /v1/instances")["instances"]
    assert {i["state"] for i in instances if i["instance_id"] == worker.id} == {"idle"}
    absent = str(uuid.uuid4())
    killed = api("POST /v1/instances/kill", body={"instance_ids": [worker.id, absent], "user": "ada"})
    assert killed["killed"] == [worker.id] and killed["refused"][0]["instance_id"] == absent
    assert worker.poll()["shut_down"] is True


def first_event(api):
    """Begins to listen; what it returns waits for an event and gives what was heard."""
    api.made.add("GET /v1/events")
    connection = UnixConnection(api.socket_path)
    connection.request("GET", "/v1/events?topics=executions")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")

    def wait():
        heard = b""
        while b"data:" not in heard:
            heard += answer.readline()
        connection.close()
        return heard
    return wait


def composite(plz, api):
    plz.configure(user="ada", parallel_indices_range=[0, 3], indices_per_execution=2)
    plz.write("job.py", """
import json, os
c = json.load(open(os.environ["CONFIGURATION_FILE"]))
for index, path in c["index_to_summary_measures_path"].items():
    open(path, "w").write(index)
""")
    whole = plz.ok("run", "--", "python3", "job.py").out.strip()
    wait_until_finished(api, whole)
    parts = api("GET /v1/executions/{id}/parts", f"/v1/executions/{whole}/parts")["executions"]
    assert [p["indices"]["range"] for p in parts] == [[0, 2], [2, 3]]
    measures = api("GET /v1/executions/{id}/measures", f"/v1/executions/{whole}/measures")
    assert measures == {str(i): {"summary": i} for i in range(3)}
    brief = api("GET /v1/executions/{id}/parts", f"/v1/executions/{whole}/parts?brief=1&limit=1")
    assert "command" not in brief["executions"][0] and brief["executions"][0]["parent_id"] == whole
    rest = api("GET /v1/executions/{id}/parts", f"/v1/executions/{whole}/parts?cursor={brief['cursor']}")
    assert rest == {"executions": parts[1:], "cursor": None}
    (part,) = [p for p in parts if p["indices"]["range"] == [2, 3]]
    (event,) = api("GET /v1/executions/{id}/measures/events",
                   f"/v1/executions/{part['execution_id']}/measures/events")["events"]
    assert event["index"] == 2
    assert api("GET /v1/history", "/v1/history?limit=1")[whole]["parallel_indices_range"] == [0, 3]


def submitted(api, execution, headers=None, **changes):
    """The status and the problem, or the id, that a changed copy of the execution gets."""
    shown = api("GET /v1/executions/{id}", f"/v1/executions/{execution}")
    members = api.document.json["components"]["schemas"]["ExecutionSpec"]["properties"]
    spec = {**{name: shown[name] for name in members}, **changes}
    text = json.dumps({"spec": spec, "shell_environment": {}}).replace('"1e308"', "1e308").replace('"1e999"', "1e999")
    answer, content = api.send("POST", "/v1/executions", text, headers)
    return answer.status, api.check("POST /v1/executions", answer, content)


def resources(**changes):
    return {"resources": {"cpus": 1, "memory_bytes": 0, "gpus": 0, **changes}}


REFUSED = [
    ("resources.cpus", resources(cpus=-1)), ("resources.cpus", resources(cpus=0)), ("resources.cpus", resources(cpus="1e308")),
    ("resources.cpus", resources(cpus="1e999")), ("resources.cpus", resources(cpus="NaN")),
    ("resources.memory_bytes", resources(memory_bytes=-1)), ("resources.memory_bytes", resources(memory_bytes=2 ** 53)),
    ("resources.memory_bytes", resources(memory_bytes=2 ** 70)), ("resources.gpus", resources(gpus=-1)),
    ("resources.gpus", resources(gpus=1025)), ("indices_per_execution", {"indices_per_execution": 0}),
    ("indices_per_execution", {"indices_per_execution": -3, "parallel_indices_range": [0, 3]}),
    ("parallel_indices_range", {"parallel_indices_range": [0, 100_001]}),
    ("parallel_indices_range", {"parallel_indices_range": [-1, 3]}),
    ("parallel_indices_range", {"parallel_indices_range": [3, 3]}),
    ("parallel_indices_range", {"parallel_indices_range": [-2 ** 63, 2 ** 63 - 1]}),
    ("parallel_indices_range", {"parallel_indices_range": [0, 2 ** 63 - 1], "indices_per_execution": 2 ** 46}),
    ("parent_id", {"parent_id": "019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11"}), ("indices", {"indices": {"range": [0, 1]}}),
    ("user", {"user": ""}), ("user", {"user": "u" * 1025}), ("project", {"project": "a\nb"}),
    ("command", {"command": ["a\0b"]}), ("command", {"command": ["x" * 131_072]}), ("command", {"command": [""]}),
    ("environment", {"environment": {"A=B": "c"}}), ("environment", {"environment": {"": "c"}}),
    ("environment", {"environment": {"A": "\0"}}),
    ("max_bid_price_in_dollars_per_hour", {"max_bid_price_in_dollars_per_hour": -1}),
    ("instance_max_uptime_in_minutes", {"instance_max_uptime_in_minutes": -1}),
    ("instance_max_idle_time_in_minutes", {"instance_max_idle_time_in_minutes": 2 ** 62}),
    ("runtime", {"runtime": "box"}), ("outputs", {"outputs": ["x" * 4097]}), ("outputs", {"outputs": ["a\0b"]}), ("outputs", {"outputs": ["x"] * 10_001}),
    ("code tree", {"snapshot": {"code_tree": "0" * 64}})]


def test_submissions_are_not_trusted(plz, api):
    execution = plz.ok("run", "--", "true").id
    for field, changes in REFUSED:
        status, problem = submitted(api, execution, **changes)
        assert status in (400, 409) and field in problem["detail"], (changes, status, problem)
    # The largest steps do no harm either.
    status, answer = submitted(api, execution, parallel_indices_range=[2 ** 63 - 3, 2 ** 63 - 1],
                               indices_per_execution=2 ** 63 - 1)
    assert status == 201, answer
    parts = api("GET /v1/executions/{id}/parts", f"/v1/executions/{answer['id']}/parts")["executions"]
    assert [part["indices"]["range"] for part in parts] == [[2 ** 63 - 3, 2 ** 63 - 1]]
    wait_until_finished(api, answer["id"])
    key = {"Idempotency-Key": "a key"}
    status, first = submitted(api, execution, key)
    assert (status, first) == submitted(api, execution, key)
    status, problem = submitted(api, execution, key, project="another")
    assert (status, problem["code"]) == (409, "conflict") and first["id"] in problem["detail"], problem
    assert submitted(api, execution, {"Idempotency-Key": "k" * 257})[0] == 400
    wait_until_finished(api, first["id"])
    assert len(plz.json("history", "--all")) == 3


def test_reports_are_not_trusted(plz, api):
    """A worker's reports: of what was not stored, after the end, and beyond all ranges."""
    last = plz.ok("run", "--", "true").id
    worker = Worker(api)
    execution = submit_again(api, last, **resources(gpus=1))
    (assignment,) = worker.poll()["assignments"]
    attempt = f"/v1/attempts/{assignment['attempt_id']}"
    api("POST /v1/attempts/{id}/started", attempt + "/started", {"time": NOW})
    measure = {"sequence": 1, "path": "loss", "time": NOW, "value": 1, "index": None}
    for field, changes in [("sequence", {"sequence": 0}), ("sequence", {"sequence": 2 ** 63}), ("path", {"path": ""}),
                           ("path", {"path": "p" * 70_000}), ("index", {"index": -2 ** 63})]:
        problem = api.refuses("POST /v1/attempts/{id}/measures", attempt + "/measures", 400,
                              json.dumps({"events": [{**measure, **changes}]}))
        assert field in problem["detail"], problem
    api("POST /v1/attempts/{id}/measures", attempt + "/measures", {"events": [measure]})
    report = {"outcome": {"kind": "succeeded", "exit_status": 0}, "started": NOW, "ended": NOW, "output_tree": None,
              "output_bytes": 0, "log_bytes": 0, "measures": []}
    name, target = "POST /v1/attempts/{id}/finish", attempt + "/finish"
    for field, changes in [("exit_status", {"outcome": {"kind": "exited", "exit_status": 256}}),
                           ("signal", {"outcome": {"kind": "signalled", "signal": -9}}),
                           ("output_bytes", {"output_bytes": -1}), ("log_bytes", {"log_bytes": 2 ** 63})]:
        problem = api.refuses(name, target, 400, json.dumps({**report, **changes}))
        assert field in problem["detail"], problem
    problem = api.refuses(name, target, 409, json.dumps({**report, "output_tree": "ab" * 32}))
    assert "ab" * 32 in problem["detail"], problem
    api(name, target, report)
    # What was told before may be told again, and nothing new.
    api("POST /v1/attempts/{id}/measures", attempt + "/measures", {"events": [measure]})
    problem = api.refuses("POST /v1/attempts/{id}/measures", attempt + "/measures", 409,
                          json.dumps({"events": [measure, {**measure, "sequence": 2}]}))
    assert "finished" in problem["detail"], problem
    assert api("GET /v1/executions/{id}/measures", f"/v1/executions/{execution}/measures") == {"loss": 1}
    stranger = f"/v1/attempts/{uuid.uuid4()}"
    api.refuses("PUT /v1/attempts/{id}/log", stranger + "/log?offset=0", 404, b"a line")
    for capacity in ({"cpus": -1}, {"cpus": 2e6}, {"cpus": 1, "memory_bytes": 2 ** 60}):
        api.refuses("POST /v1/workers", "/v1/workers", 400, json.dumps(
            {"version": "0", "host_name": "h", "capacity": capacity, "runtimes": [], "attempts": []}))
    plz.ok("kill", "--instance-ids", worker.id, "--including-idle")


def test_requests_that_can_be_read_in_two_ways(api):
    for lines in ("Host: a\r\nHost: b", "Host: a\r\nhost: a", "Host: a\r\nX: b\r\n c", "Host: a\r\nX: b\r\n\tHost: c",
                  "Host: a\r\nContent-Length: 0\r\nContent-Length: 0",
                  "Host: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked"):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(60)
            peer.connect(str(api.socket_path))
            peer.sendall(f"GET /v1/ping HTTP/1.1\r\n{lines}\r\n\r\n".encode())
            answer = http.client.HTTPResponse(peer)
            answer.begin()
            assert (answer.status, answer.headers["Content-Type"]) == (400, PROBLEM), lines
            assert json.loads(answer.read())["detail"], lines


def test_paths_and_methods_that_are_not_there(api, document):
    for path in ("/", "/v1", "/v1/nothing", "/v2/ping", "/v1/ping/", "/v1/ping/more", "/v1//ping"):
        answer, content = api.send("GET", path)
        assert (answer.status, answer.headers["Content-Type"]) == (404, PROBLEM), path
        assert json.loads(content)["code"] == "not_found"
    for path, item in document.json["paths"].items():
        served = {name.upper() for name in item}
        if path == "/v1/executions/last":  # which is also what /v1/executions/{id} matches
            served |= {name.upper() for name in document.json["paths"]["/v1/executions/{id}"]}
        if "GET" in served:
            served.add("HEAD")
        for method in {"GET", "PUT", "POST", "DELETE", "PATCH"} - served:
            target = filled(path)
            answer, content = api.send(method, target)
            assert answer.status == 405, (method, target)
            assert set(answer.headers["Allow"].split(", ")) == served, (method, target)
            assert json.loads(content)["code"] == "invalid"


def test_parameters_are_checked(api, document):
    """Ids that are none, ids of nothing, and numbers beyond the documented bounds."""
    for name, operation in document.operations().items():
        path = name.split(" ")[1]
        of_path = parameters_of(operation, "path")
        assert {p["name"] for p in of_path} == set(re.findall(r"\{(\w+)\}", path)), name
        # Its body is looked at first, and whoever answers late is not told.
        ids = [p for p in of_path if p["schema"].get("format") == "uuid"]
        if ids and not name.endswith("output-captures/{request}"):
            api.refuses(name, filled(path.replace("{" + ids[0]["name"] + "}", "no-id")), 400)
        if "404" in operation["responses"] and of_path and "requestBody" not in operation:
            api.refuses(name, filled(path), 404)
        for parameter in parameters_of(operation, "query"):
            for value in values_out_of_bounds(parameter["schema"]):
                problem = api.refuses(name, f"{filled(path)}?{parameter['name']}={value}", 400)
                assert str(value) in problem["detail"], (name, problem)


def test_queries_and_kills_have_limits(api, document):
    tried = 0
    for name, operation in document.operations().items():
        for parameter in parameters_of(operation, "query"):
            most = parameter["schema"].get("maxLength", 256)
            problem = api.refuses(name, f"{filled(name.split(' ')[1])}?{parameter['name']}={'1' * (most + 1)}", 400)
            assert parameter["name"] in problem["detail"], (name, problem)
            tried += "maxLength" in parameter["schema"]
    assert tried >= 12
    history = "GET /v1/history"
    assert "user" in api.refuses(history, "/v1/history?user=a%0Ab", 400)["detail"]
    assert "project" in api.refuses(history, "/v1/history?project=%ff", 400)["detail"]
    assert "nested" in api.refuses(history, f"/v1/history?where={'%28' * 65}state%20exists{'%29' * 65}", 400)["detail"]
    assert "parameters" in api.refuses(history, "/v1/history?" + "&".join(f"p{i}=1" for i in range(33)), 400)["detail"]
    assert "name" in api.refuses(history, f"/v1/history?{'n' * 65}=1", 400)["detail"]
    for field, changes in [("instance_ids", {"instance_ids": [str(uuid.uuid4())] * 10_001}), ("user", {"user": "u" * 1025}),
                           ("user", {"user": "a\nb"}), ("larger", {"user": "u" * 2_000_000})]:
        problem = api.refuses("POST /v1/instances/kill", "/v1/instances/kill", 400, json.dumps(changes))
        assert field in problem["detail"], problem


def values_out_of_bounds(schema):
    if schema.get("type") != "integer":
        return []
    return [schema["minimum"] - 1, "x"] + ([schema["maximum"] + 1] if "maximum" in schema else [])


def test_the_document_is_whole(document):
    text = json.dumps(document.json)
    for target in set(re.findall(r'"\$ref": "([^"]+)"', text)):
        assert document.resolve({"$ref": target}), target
    used = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert used == set(document.json["components"]["schemas"])
    operations = document.operations()
    assert len({o["operationId"] for o in operations.values()}) == len(operations)
    assert all("default" in o["responses"] for o in operations.values())


def without_names(request):
    return re.sub(r"\{\w+\}", "{}", request)


def test_the_readme_names_each_request(document):
    rows = re.findall(r"^\| `(\w+ /v1/[^` ?]*)", (DOCS / "api" / "README.md").read_text(), re.M)
    assert sorted(map(without_names, rows)) == sorted(map(without_names, document.operations()))


@pytest.mark.skipif(not SOURCES.exists(), reason="the sources are not beside the tests")
def test_the_sources_have_the_same_routes(document):
    routes = [f"{method} {path}" for source in SOURCES.glob("*.cc")
              for method, path in re.findall(r'\badd(?:_report)?\(\s*"([A-Z]+)",\s*"(/[^"]*)"', source.read_text())]
    assert sorted(routes) == sorted(document.operations())
