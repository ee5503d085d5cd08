"""The examples, with real data: a part of Fashion-MNIST, one epoch."""

import gzip
import json
import os
import pathlib
import shutil
import struct
import subprocess

import pytest

import engine
from conftest import EXAMPLES

DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
PYTHON = "/usr/bin/python3"


def lacking(what):
    if os.environ.get("PLZ_TESTS_ALL"):
        pytest.fail(what)
    pytest.skip(f"SKIPPED: {what}")


def first_of(source, target, count):
    """The first `count` items of an IDX file."""
    data = gzip.decompress(source.read_bytes())
    dimensions = data[3]
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    size = 1
    for length in shape[1:]:
        size *= length
    header = data[:4] + struct.pack(f">{dimensions}I", count, *shape[1:])
    start = 4 + 4 * dimensions
    target.write_bytes(gzip.compress(header + data[start:start + count * size], 1))


@pytest.fixture
def training(plz):
    if subprocess.run([PYTHON, "-c", "import torch"], stderr=subprocess.DEVNULL).returncode != 0:
        lacking("there is no torch: install python3-torch")
    if not DATA.is_dir():
        lacking("there is no Fashion-MNIST: install dataset-fashion-mnist")
    shutil.rmtree(plz.project)
    shutil.copytree(EXAMPLES / "fashion-mnist", plz.project, ignore=shutil.ignore_patterns("output"))
    data = plz.root / "data-set"
    data.mkdir()
    for name, count in {"train": 6000, "t10k": 1000}.items():
        for kind in ("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"):
            first_of(DATA / f"{name}-{kind}", data / f"{name}-{kind}", count)
    plz.write("parameters.json", json.dumps({**json.loads((plz.project / "parameters.json").read_text()),
                                             "epochs": 1, "threads": 1}))
    change(plz, input=f"file://{data}")
    return plz


def change(plz, **settings):
    """Lines of the example's own configuration."""
    plz.configure(**{**json.loads((plz.project / "plz.config.json").read_text()), **settings})


def assert_trained(plz, done):
    assert "6000 images to learn from, 1000 to test with\n" in done.out
    measures = plz.json("measures", done.id)
    assert measures["summary"]["epochs"] == 1
    assert measures["summary"]["accuracy"] == measures["epoch"]["1"]["accuracy"] > 0.5  # guessing: 0.1
    output = plz.project / "output" / done.id
    assert (output / "model.pt").stat().st_size > 100_000
    table = [line.split() for line in (output / "confusion.txt").read_text().splitlines()]
    assert sum(int(count) for row in table[1:] for count in row[1:]) == 1000


def test_fashion_mnist_in_the_sandbox(training):
    done = training.ok("run", timeout=600)
    assert_trained(training, done)
    verified = training("verify", done.id, timeout=600)
    assert verified.status == 0 and "Repeatable: True" in verified.out, verified


def test_fashion_mnist_in_a_container(training):
    """What lies between both is where the job finds its torch: here, in the host's own /usr."""
    if reason := engine.why_not():
        lacking(reason)
    if "DOCKER_HOST" in os.environ:  # the controller that the first command starts has it from there
        training.env["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
    boxed = training.ok("run", timeout=600)
    change(training, image=engine.BASE, environment={"OMP_WAIT_POLICY": "passive"},
           docker_run_args={"volumes": ["/usr:/usr:ro", "/etc/alternatives:/etc/alternatives:ro"]})
    done = training.ok("run", timeout=600)
    assert_trained(training, done)
    assert training.json("describe", done.id)["image"]["id"].startswith("sha256:")
    # The same model, bit by bit.
    models = [(training.project / "output" / run.id / "model.pt").read_bytes() for run in (boxed, done)]
    assert models[0] == models[1]


def test_hello_in_parts(plz):
    shutil.rmtree(plz.project)
    shutil.copytree(EXAMPLES / "hello", plz.project, ignore=shutil.ignore_patterns("output"))
    whole = plz.ok("-c", "plz.parallel.config.json", "run").id
    plz.wait_for_state(whole, "finished", timeout=600)
    assert plz.json("history")[whole]["success"] is True
    for index in range(12):
        assert f'parallel-{index}#  "summary": {{' in plz.ok("measures", whole).out
    done = plz.ok("output", whole, "-o", "found")
    estimates = [float(path.read_text()) for path in (plz.project / "found").rglob("pi.txt")]
    assert len(set(estimates)) == 12 and all(3.1 < pi < 3.2 for pi in estimates), str(done)
