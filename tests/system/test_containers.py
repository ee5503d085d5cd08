"""Jobs in containers, on a real Docker engine: from an image, with extensions, from a plz.Dockerfile."""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import uuid

import pytest

import engine
from conftest import Plz, free_port, wait_until
from engine import BASE, docker

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "fakes"))
from token_fake import TokenFake

WHY_NOT = engine.why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=f"NO TEST OF CONTAINERS RUNS: {WHY_NOT}")

PREPARING = "=> Preparing the environment"
# Prints what the job's configuration file says under a key: configured("output_directory").
CONFIGURED = "python3 -c 'import json, os; print(json.load(open(os.environ[\"CONFIGURATION_FILE\"]))[\"{}\"])'"


def configured(key):
    return CONFIGURED.format(key)


@pytest.fixture
def label():
    """Nobody else's: what is built under it is built by this test, and removed at its end."""
    name = f"plz.test={uuid.uuid4()}"
    yield name
    engine.remove_all(name)


@pytest.fixture
def plz(plz):
    plz.env.update(engine.environment())
    yield plz
    # Of a test that failed.
    for container in engine.containers(label=f"plz.controller={plz.data}/worker"):
        docker("container", "rm", "--force", container, check=False)


@pytest.fixture
def another_plz(plz):
    """Another person, with a controller of her own, on the same engine."""
    root = plz.root / "another"
    root.mkdir()
    person = Plz(root)
    person.env.update(engine.environment(), USER="bob")
    yield person
    person.end()


@contextlib.contextmanager
def serving(directory, **settings):
    """Debian's docker-registry, on a port of this machine: "127.0.0.1:PORT"."""
    if not shutil.which("docker-registry"):
        assert not os.environ.get("PLZ_TESTS_ALL"), "PLZ_TESTS_ALL, and docker-registry is not installed"
        pytest.skip("docker-registry is not installed")
    address = f"127.0.0.1:{free_port()}"
    (directory / "registry.yml").write_text(json.dumps({
        "version": 0.1, "storage": {"filesystem": {"rootdirectory": str(directory / "images")}},
        "http": {"addr": address}, "log": {"level": "error"}, **settings}))
    process = subprocess.Popen(["docker-registry", "serve", str(directory / "registry.yml")],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(address), what="the registry to answer")
        yield address
    finally:
        process.terminate()
        process.wait(120)


@pytest.fixture
def registry(tmp_path):
    with serving(tmp_path) as address:
        yield address


@pytest.fixture
def guarded_registry(tmp_path):
    """One that knows ada only, by "open sesame" (bcrypt)."""
    (tmp_path / "passwords").write_text("ada:$2b$04$in56Ih3h8rlxoT2uAQxpUOf3.KRQiESAPf9CzmvUrNh/gJh4RbqX6\n")
    with serving(tmp_path, auth={"htpasswd": {"realm": "plz", "path": str(tmp_path / "passwords")}}) as address:
        yield address


def answers(address):
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", int(address.split(":")[1]))) == 0


def described(plz, execution):
    return plz.json("describe", execution)


def none_is_left(execution):
    wait_until(lambda: engine.containers_of(execution) == [], what="the container to be removed")


def test_runs_in_an_image(plz):
    plz.write("train.py", "print('trained')\n")
    plz.configure(image=BASE)
    done = plz.ok("run", "--", "sh", "-c", "pwd; cat train.py; ls /; cat /proc/1/comm")
    cwd, code, *root, first = done.out.splitlines()
    assert (cwd, code) == ("/src", "print('trained')")
    assert first == "plz-init"
    assert PREPARING not in done.err, "an image that is there has to be prepared"
    shown = described(plz, done.id)
    assert shown["image"]["id"] == engine.id_of(BASE)
    assert shown["snapshot"]["environment"]["image"] == BASE
    assert f"Image: {shown['image']['digest'] or shown['image']['id']}\n" in plz.ok("status", done.id).out
    assert list(plz.json("history", "--where", f"image.id = '{shown['image']['id']}'")) == [done.id]
    assert "python" not in shown["metadata"]
    none_is_left(done.id)


def test_status_and_measures_are_the_jobs_own(plz):
    plz.configure(image=BASE)
    done = plz("run", "--", "sh", "-c", f"echo 7 > $({configured('measures_directory')})/loss; exit 42")
    assert done.status == 42
    assert plz.json("measures", done.id) == {"loss": 7}
    missing = plz("run", "--", "nosuchcommand")
    assert missing.status == 127, missing
    none_is_left(done.id)


def test_extensions_are_built_once_and_code_builds_nothing(plz, label):
    plz.configure(image=BASE, image_extensions=[f"LABEL {label}", "RUN echo extended > /marker"],
                  command=["sh", "-c", "cat /marker; cat train.py"])
    plz.write("train.py", "one\n")
    first = plz.ok("run")
    assert first.out == "extended\none\n"
    assert first.err.count(PREPARING) == 1 and "RUN echo extended > /marker" in first.err
    built = engine.images(label)
    plz.write("train.py", "two\n")
    second = plz.ok("run")
    assert second.out == "extended\ntwo\n"
    assert PREPARING not in second.err
    assert engine.images(label) == built
    assert described(plz, first.id)["image"] == described(plz, second.id)["image"]


def test_quiet_build_shows_only_what_plz_says(plz, label):
    plz.configure(image=BASE, image_extensions=[f"LABEL {label}", "RUN echo extended"], command=["true"], quiet_build=True)
    done = plz.ok("run", "--", "sh", "-c", "echo ran")
    assert done.out == "ran\n"
    assert PREPARING in done.err and "RUN echo extended" not in done.err


def test_the_images_own_command_runs(plz, label):
    plz.configure(image=BASE, image_extensions=[f"LABEL {label}", 'CMD ["echo", "from the image"]'])
    done = plz.ok("run")
    assert done.out == "from the image\n"
    assert described(plz, done.id)["command"] == []


def test_a_dockerfile_says_it_all(plz, label):
    plz.write("plz.Dockerfile", f'FROM {BASE}\nLABEL {label}\nCOPY base.txt /\nCMD cat /base.txt code.txt\n')
    plz.write("base.txt", "base one\n")
    plz.write("code.txt", "code one\n")
    # The Dockerfile itself is captured whatever is excluded.
    plz.configure(excluded_paths=["**"], included_paths=["*.txt"])
    assert plz.ok("list-context").out.splitlines() == ["base.txt", "code.txt", "plz.Dockerfile"]
    assert plz.ok("run").out == "base one\ncode one\n"
    plz.write("code.txt", "code two\n")
    changed = plz.ok("run")
    assert changed.out == "base one\ncode two\n"
    plz.write("base.txt", "base two\n")
    assert plz.ok("run").out == "base two\ncode two\n"
    refused = plz("run", "--", "true")
    assert refused.status == 125 and "cannot stand beside" in refused.err


def test_a_build_that_fails_shows_the_engines_words(plz, label):
    plz.configure(image=BASE, image_extensions=[f"LABEL {label}", "RUN echo before; exit 7"], command=["true"])
    done = plz("run")
    assert done.status == 125
    assert "!! Execution could not start: " in done.err
    words = done.err.split("!! Execution could not start: ")[1]
    assert "exit 7" in words and "non-zero code: 7" in words
    assert done.err.index("before") < done.err.index("!! Execution could not start")
    assert done.out == ""
    assert engine.images(label) == [] and engine.containers(label=label) == []
    shown = described(plz, done.id)
    assert shown["outcome"]["kind"] == "could_not_start" and shown["image"] is None
    # And later, too.
    again = plz.ok("logs", done.id, "--since", "start")
    assert "RUN echo before; exit 7" in again.err and again.out == ""


def test_an_image_that_does_not_exist(plz, registry):
    plz.configure(image=f"{registry}/plz-test/no-such-image", command=["true"])
    done = plz("run")
    assert done.status == 125
    assert f"{registry}/plz-test/no-such-image" in done.err.split("!! Execution could not start: ")[1]


def test_a_rerun_is_of_the_image_of_then(plz, label):
    tag = f"plz-test/moving:{uuid.uuid4().hex}"

    def tag_what_says(words):
        docker("build", "--quiet", "--tag", tag, "-", stdin=f"FROM {BASE}\nLABEL {label}\nRUN echo {words} > /words\n")

    tag_what_says("then")
    # Into the output too: that is what verify compares.
    plz.configure(image=tag, command=["sh", "-c", f"cat /words; cp /words $({configured('output_directory')})"])
    first = plz.ok("run")
    assert first.out == "then\n"
    tag_what_says("now")
    assert plz.ok("run").out == "now\n"
    again = plz.ok("rerun", first.id)
    assert again.out == "then\n"
    assert described(plz, again.id)["image"] == described(plz, first.id)["image"]
    assert described(plz, again.id)["snapshot"]["environment"]["pinned"] == described(plz, first.id)["image"]
    verified = plz.ok("verify", first.id)
    assert "Repeatable: True" in verified.out
    difference = plz("diff", first.id, plz.ok("run").id)
    assert f"image: \"{described(plz, first.id)['image']['id']}\" before" in difference.out, difference


def test_a_rerun_says_that_an_image_was_built_again(plz, label):
    plz.configure(image=BASE, image_extensions=[f"LABEL {label}", "RUN cat /proc/sys/kernel/random/uuid > /words"],
                  command=["cat", "/words"])
    first = plz.ok("run")
    none_is_left(first.id)
    engine.remove_all(label)
    again = plz.ok("rerun", first.id)
    assert again.out != first.out
    assert any(line.startswith("** ") and described(plz, first.id)["image"]["id"] in line
               for line in again.err.splitlines()), again
    verified = plz("verify", first.id)
    assert verified.status == 0, "a log is no result"
    difference = plz("diff", first.id, again.id).out
    assert described(plz, again.id)["image"]["id"] in difference


def test_a_rerun_in_an_image_that_is_gone_is_refused(plz, label):
    tag = f"plz-test/moving:{uuid.uuid4().hex}"

    def tag_what_says(words):
        docker("build", "--quiet", "--tag", tag, "-", stdin=f"FROM {BASE}\nLABEL {label}\nRUN echo {words} > /words\n")

    tag_what_says("then")
    plz.configure(image=tag, command=["cat", "/words"])
    first = plz.ok("run")
    none_is_left(first.id)
    tag_what_says("now")
    image = described(plz, first.id)["image"]["id"]
    docker("image", "rm", image)
    refused = plz("rerun", first.id)
    assert refused.status == 125 and refused.out == "", refused
    assert f"the recorded image {image} is gone" in refused.err and "docker load" in refused.err, refused
    assert plz.ok("run").out == "now\n"


def run_with_own_image(plz, label, name):
    """An environment of 3 MB for each name: the execution, and its image."""
    extensions = [f"LABEL {label}", f"RUN head -c 3000000 /dev/urandom > /{name}"]
    plz.configure(image=BASE, image_extensions=extensions, command=["sh", "-c", f"wc -c < /{name}"])
    done = plz.ok("run")
    assert done.out == "3000000\n"
    none_is_left(done.id)
    return done.id, described(plz, done.id)["image"]["id"]


def collected_images(plz, *words):
    (instance,) = plz.json("gc", "--json", *words)["instances"]
    assert instance["error"] == "", instance
    return [(image["id"], image["bytes"]) for image in instance["images"]]


def test_gc_frees_environments_that_no_execution_has(plz, label):
    kept, kept_image = run_with_own_image(plz, label, "kept")
    dropped, dropped_image = run_with_own_image(plz, label, "dropped")
    assert collected_images(plz) == []
    plz.ok("delete", "--yes", dropped)
    assert collected_images(plz, "--dry-run") == [(dropped_image, 3_000_000)]
    assert dropped_image in engine.images(label), "a dry run removes nothing"
    assert collected_images(plz) == [(dropped_image, 3_000_000)]
    assert dropped_image not in engine.images(label) and kept_image in engine.images(label)
    assert engine.id_of(BASE)
    again = plz.ok("rerun", kept)
    assert again.out == "3000000\n" and PREPARING not in again.err


def test_gc_leaves_what_another_controllers_history_needs(plz, label, another_plz):
    """Two people share one environment; it goes with the last who needs it."""
    first, image = run_with_own_image(plz, label, "shared")
    second, same = run_with_own_image(another_plz, label, "shared")
    assert same == image
    plz.ok("delete", "--yes", first)
    assert collected_images(plz, "--dry-run") == collected_images(plz) == []
    assert image in engine.images(label)
    again = another_plz.ok("rerun", second)
    assert again.out == "3000000\n" and PREPARING not in again.err
    assert described(another_plz, again.id)["image"]["id"] == image
    none_is_left(again.id)
    assert collected_images(another_plz) == []
    another_plz.ok("delete", "--yes", second, again.id)
    assert collected_images(another_plz) == [(image, 3_000_000)]
    assert image not in engine.images(label)


def test_gc_counts_no_image_that_another_stands_on(plz, label):
    """As plz/pytorch is below what requirements.txt adds to it."""
    low, low_image = run_with_own_image(plz, label, "low")
    docker("tag", low_image, f"plz-test/low:{low}")
    plz.configure(image=f"plz-test/low:{low}", image_extensions=["RUN head -c 2000000 /dev/urandom > /high"],
                  command=["sh", "-c", "wc -c < /high"])
    high = plz.ok("run").id
    docker("image", "rm", f"plz-test/low:{low}")
    high_image = described(plz, high)["image"]["id"]
    none_is_left(high)
    plz.ok("delete", "--yes", low)
    assert collected_images(plz, "--dry-run") == collected_images(plz) == []
    assert plz.ok("rerun", high).out == "2000000\n"
    for execution in plz.json("history"):
        none_is_left(execution)
        plz.ok("delete", "--yes", execution)
    both = [(high_image, 2_000_000), (low_image, 3_000_000)]
    assert collected_images(plz, "--dry-run") == both
    assert collected_images(plz) == both
    assert engine.images(label) == []


def test_gc_frees_what_a_rerun_pulled_by_digest(plz, label, registry):
    name = f"{registry}/team/plain"
    docker("build", "--quiet", "--tag", name, "-", stdin=f"FROM {BASE}\nLABEL {label}\nRUN echo plain > /words\n")
    docker("push", "--quiet", name)
    engine.remove_all(label)
    plz.configure(image=name, command=["cat", "/words"])
    first = plz.ok("run")
    assert first.out == "plain\n"
    assert collected_images(plz) == [], "it has a name of its own"
    none_is_left(first.id)
    engine.remove_all(label)
    again = plz.ok("rerun", first.id)
    assert again.out == "plain\n"
    image_id = described(plz, again.id)["image"]["id"]
    none_is_left(again.id)
    assert collected_images(plz) == []
    plz.ok("delete", "--yes", first.id, again.id)
    foreseen = collected_images(plz, "--dry-run")
    assert [image for image, _ in foreseen] == [image_id]
    assert collected_images(plz) == foreseen
    assert engine.images(label) == []


def test_built_images_are_pushed_where_the_controller_says(plz, label, registry):
    """And pulled by digest, where they are gone from the engine."""
    plz.data.mkdir()
    (plz.data / "controller.toml").write_text(f'[images]\nrepository = "{registry}/team/plz"\n')
    plz.configure(image=BASE, image_extensions=[f"LABEL {label}", "RUN cat /proc/sys/kernel/random/uuid > /words"],
                  command=["cat", "/words"])
    first = plz.ok("run")
    assert described(plz, first.id)["image"]["digest"].startswith(f"{registry}/team/plz@sha256:")
    none_is_left(first.id)
    engine.remove_all(label)
    again = plz.ok("rerun", first.id)
    assert again.out == first.out
    assert not any(line.startswith("** ") for line in again.err.splitlines()), again
    engine.remove_all(label)
    assert plz.ok("run").out == first.out


def log_in(home, registry, password, **more):
    """As `docker login` leaves it."""
    (home / ".docker").mkdir(exist_ok=True)
    word = base64.b64encode(f"ada:{password}".encode()).decode()
    (home / ".docker/config.json").write_text(json.dumps({"auths": {registry: {"auth": word, **more}}}))


def test_a_registry_that_asks_for_a_password(plz, label, guarded_registry):
    name = f"{guarded_registry}/team/private:{uuid.uuid4().hex}"
    docker("build", "--quiet", "--tag", name, "-", stdin=f"FROM {BASE}\nLABEL {label}\nRUN echo private > /words\n")
    log_in(plz.root, guarded_registry, "open sesame")
    docker("--config", str(plz.root / ".docker"), "push", "--quiet", name)
    engine.remove_all(label)
    plz.configure(image=name, command=["cat", "/words"])
    for password in (None, "open barley"):
        if password:
            log_in(plz.home, guarded_registry, password)
        refused = plz("run")
        assert refused.status == 125 and f"`docker login {guarded_registry}`" in refused.err, refused
        assert ("The login in use (ada) does not reach it" in refused.err) == bool(password), refused
        assert "open barley" not in refused.err, refused
    log_in(plz.home, guarded_registry, "open sesame")
    done = plz.ok("run")
    assert done.out == "private\n"
    assert described(plz, done.id)["image"]["digest"].startswith(f"{guarded_registry}/team/private@sha256:")
    none_is_left(done.id)


@pytest.mark.parametrize("way", ["password", "identity token"])
def test_a_registry_that_gives_tokens(plz, label, tmp_path, way):
    """Pushed to and pulled from with what its token server gives for a password, or for an identity token."""
    with (TokenFake(tmp_path, "ada", "open sesame", "rose") as tokens,
          serving(tmp_path, auth=tokens.registry_settings()) as registry):
        name = f"{registry}/team/private:{uuid.uuid4().hex}"
        docker("build", "--quiet", "--tag", name, "-", stdin=f"FROM {BASE}\nLABEL {label}\nRUN echo private > /words\n")
        log_in(plz.root, registry, "open sesame")
        docker("--config", str(plz.root / ".docker"), "push", "--quiet", name)
        engine.remove_all(label)
        known = {"password": ("open sesame", {}), "identity token": ("", {"identitytoken": "rose"})}
        unknown = {"password": ("open barley", {}), "identity token": ("", {"identitytoken": "thistle"})}
        plz.data.mkdir()
        (plz.data / "controller.toml").write_text(f'[images]\nrepository = "{registry}/team/built"\n')
        plz.configure(image=name, image_extensions=[f"LABEL {label}", "RUN cat /proc/sys/kernel/random/uuid > /more"],
                      command=["cat", "/words", "/more"])
        log_in(plz.home, registry, unknown[way][0], **unknown[way][1])
        refused = plz("run")
        assert refused.status == 125 and f"`docker login {registry}`" in refused.err, refused
        log_in(plz.home, registry, known[way][0], **known[way][1])
        tokens.asked.clear()
        done = plz.ok("run")
        assert done.out.startswith("private\n")
        assert set(tokens.asked) == {way}
        assert described(plz, done.id)["image"]["digest"].startswith(f"{registry}/team/built@sha256:")
        none_is_left(done.id)
        engine.remove_all(label)
        assert plz.ok("rerun", done.id).out == done.out


def test_a_composite_in_containers(plz):
    plz.configure(image=BASE, parallel_indices_range=[0, 3], resources={"cpus": 0.5})
    plz.write("job.py", """
import json, os
c = json.load(open(os.environ["CONFIGURATION_FILE"]))
for index, path in c["index_to_output_directory"].items():
    open(path + "/index", "w").write(index)
print("range", c["indices"]["range"])
""")
    whole = plz.ok("run", "--", "python3", "job.py").out.strip()
    lines = plz.ok("logs", whole, "--since", "start", timeout=240).out.splitlines()
    assert sorted(lines) == [f"range [{i}, {i + 1}]" for i in range(3)]
    plz.ok("output", whole, "-o", "parts")
    assert [(plz.project / f"parts/parallel-{i}/index").read_text() for i in range(3)] == ["0", "1", "2"]
    assert plz.json("history", "--limit", "1")[whole]["image"]["id"] == engine.id_of(BASE)


def belongs_to_us(directory):
    for path in [directory, *directory.rglob("*")]:
        assert path.stat().st_uid == os.getuid(), path


@pytest.mark.parametrize("arguments", [{}, {"log_config": {"type": "json-file"}}], ids=["usual", "log_config"])
@pytest.mark.parametrize("user", ["", "12345:12345"])
def test_output_belongs_to_who_ran_it(plz, user, arguments):
    plz.configure(image=BASE, docker_run_args={**arguments, **({"user": user} if user else {})}, outputs=["new"])
    plz.write("code.txt", "code")
    plz.write("lib/code.txt", "code")
    done = plz.ok("run", "--", "sh", "-c",
                  f"cat code.txt && echo x > new; echo gone > lib/gone; cd $({configured('output_directory')}); "
                  "id -u > user; mkdir kept; echo x > kept/x; chmod 700 kept")
    assert done.out == "code"
    out = plz.project / "output" / done.id
    assert (out / "new").read_text() == "x\n"
    assert "** Gone with the job's working directory: lib/gone (5 bytes); " in done.err, done
    assert (out / "user").read_text() == (user.split(":")[0] or "0") + "\n"
    assert (out / "kept/x").read_text() == "x\n"
    belongs_to_us(out)
    # Nothing of it is left where the worker could not remove it.
    wait_until(lambda: list((plz.data / "worker/attempts").iterdir()) == [], what="the attempt to be removed")


def test_output_of_a_container_that_was_killed_belongs_to_who_ran_it(plz):
    """Its plz-init could not give anything back: a second container does."""
    plz.configure(image=BASE)
    running = plz.popen("run", "--", "sh", "-c",
                        f"cd $({configured('output_directory')}); mkdir kept; echo x > kept/x; chmod 700 kept; "
                        "echo written; sleep 600", stderr=subprocess.DEVNULL)
    assert running.stdout.readline() == b"written\n"
    execution = plz.ok("last").out.strip()
    docker("kill", *engine.containers_of(execution))
    assert running.wait(120) == 128 + signal.SIGKILL
    running.stdout.close()
    assert described(plz, execution)["outcome"]["signal"] == signal.SIGKILL
    none_is_left(execution)
    out = plz.project / "output" / execution
    assert (out / "kept/x").read_text() == "x\n"
    belongs_to_us(out)
    wait_until(lambda: list((plz.data / "worker/attempts").iterdir()) == [], what="the attempt to be removed")


def test_stop_during_a_build(plz, label):
    plz.configure(image=BASE, image_extensions=[f"LABEL {label}", "RUN echo begun; sleep 600"], command=["true"])
    running = plz.popen("run")
    lines = iter(lambda: running.stderr.readline().decode(), "")
    execution = next(line for line in lines if line.startswith("=> Execution ID is: ")).split(": ")[1].strip()
    assert any(line == "begun\n" for line in lines)
    status = plz.ok("status", execution).out
    assert "Phase: starting\n" in status and "Waiting For: its environment to be prepared\n" in status
    plz.ok("stop", execution)
    assert running.wait(120) == 125
    running.stderr.close()
    running.stdout.close()
    assert described(plz, execution)["outcome"]["kind"] == "stopped"
    wait_until(lambda: engine.containers(label=label) == [], what="the container of the build to be removed")
    wait_until(lambda: engine.images(label) == [], what="the images of the build to be removed")


def test_stop_during_the_run(plz):
    plz.configure(image=BASE)
    execution = plz.ok("run", "-d", "--", "sleep", "600").out.strip()
    plz.wait_for_state(execution, "running")
    assert len(engine.containers_of(execution)) == 1
    plz.ok("stop", execution)
    plz.wait_for_state(execution, "finished")
    assert described(plz, execution)["outcome"]["kind"] == "stopped"
    none_is_left(execution)


def test_logs_show_a_build_that_goes_on(plz, label):
    plz.configure(image=BASE, image_extensions=[
        f"LABEL {label}", "RUN echo begun; while [ ! -e /go ]; do sleep 0.1; done; echo ended"])
    execution = plz.ok("run", "-d", "--", "echo", "the job's own").out.strip()
    follower = plz.popen("logs", execution)
    err = ""
    while "\nbegun\n" not in err:
        line = follower.stderr.readline().decode()
        assert line, err
        err += line
    # An engine passes on what a container prints before it lists it as running.
    (building,) = wait_until(lambda: engine.containers(label=label, status="running"), what="the container of the build")
    docker("exec", building, "touch", "/go")
    out, rest = follower.communicate(timeout=120)
    err += rest.decode()
    assert follower.returncode == 0, err
    assert out == b"the job's own\n"
    assert err.index(PREPARING) < err.index("\nbegun\n") < err.index("\nended\n")
    assert plz.ok("logs", execution, "--since", "start").out == "the job's own\n"


def test_without_an_engine_it_says_what_to_do(plz):
    plz.env["DOCKER_HOST"] = f"unix://{plz.root}/no.sock"
    plz.configure(image=BASE, command=["true"])
    done = plz("run")
    assert done.status == 125
    assert str(plz.root / "no.sock") in done.err and "sandbox" in done.err
    plz.configure()
    assert plz.ok("run", "--", "echo", "needs none").out == "needs none\n"


def test_an_engine_that_does_not_let_one_in(plz):
    if os.geteuid() == 0:
        pytest.skip("root is let in everywhere")
    plz.configure(image=BASE, command=["true"])
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(plz.root / "guarded.sock"))
        listening.listen()
        (plz.root / "guarded.sock").chmod(0)
        plz.env["DOCKER_HOST"] = f"unix://{plz.root}/guarded.sock"
        refused = plz("run")
        assert refused.status == 125, refused
        assert f"{plz.root}/guarded.sock" in refused.err and "usermod -aG docker" in refused.err, refused
        assert "sandbox" in refused.err, refused


def real_engine():
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")


def docker_context(directory, host):
    """A Docker configuration whose current context is this engine."""
    digest = hashlib.sha256(b"there").hexdigest()
    meta = directory / "contexts" / "meta" / digest / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": "there", "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}))
    (directory / "config.json").write_text(json.dumps({"currentContext": "there"}))
    return str(directory)


def test_the_engine_is_that_of_the_submitting_shell(plz):
    """Whatever the shell had that started controller and worker."""
    nowhere = {"DOCKER_HOST": f"unix://{plz.root}/no.sock"}
    there = {"DOCKER_HOST": real_engine()}
    plz.ok("run", "--", "true", env=nowhere)
    worker = plz.process("plz-worker")
    plz.configure(image=BASE)
    first = plz.ok("run", "--", "echo", "by its host", env=there)
    assert first.out == "by its host\n"
    refused = plz("run", "--", "true", env=nowhere)
    assert refused.status == 125 and f"{plz.root}/no.sock" in refused.err, refused
    context = {"DOCKER_HOST": "", "DOCKER_CONFIG": docker_context(plz.root / "docker", real_engine())}
    assert plz.ok("run", "--", "echo", "by its context", env=context).out == "by its context\n"
    unknown = plz("run", "--", "true", env={**context, "DOCKER_CONTEXT": "another"})
    assert unknown.status == 125 and "another" in unknown.err, unknown
    # Today's shell counts, not that of then; nor does the job see any of it.
    again = plz.ok("rerun", first.id, env=context)
    assert again.out == "by its host\n"
    assert plz.ok("run", "--", "sh", "-c", "echo $DOCKER_HOST$DOCKER_CONFIG", env=there).out == "\n"
    assert plz.process("plz-worker") == worker
    report = plz.json("gc", "--dry-run", "--json")
    (instance,) = report["instances"]
    assert instance["engines"][0] == f"unix:{plz.root}/no.sock"
    assert "unix:" + real_engine().removeprefix("unix://") in instance["engines"], instance
    assert f"unix:{plz.root}/no.sock" in plz.ok("gc", "--dry-run").err


def test_an_attempt_keeps_the_engine_that_it_was_started_with(plz):
    """Also where controller and worker are started again by a shell that has another one."""
    proxy = HeldEngine(plz.root / "proxy.sock")
    proxy.let_go()
    plz.configure(image=BASE)
    execution = plz.ok("run", "-d", "--", "sh", "-c",
                       f"out=$({configured('output_directory')}); echo before; "
                       "while [ ! -e $out/go ]; do sleep 0.05; done; echo after",
                       env={"DOCKER_HOST": f"unix://{plz.root}/proxy.sock"}).out.strip()
    plz.wait_for_state(execution, "running")
    (attempt,) = (plz.data / "worker/attempts").iterdir()
    assert f"{plz.root}/proxy.sock" in (attempt / "engine").read_text()
    restarted = plz.ok("controller", "restart", env={"DOCKER_HOST": f"unix://{plz.root}/no.sock"})
    assert "1 execution goes on meanwhile" in restarted.err
    (attempt / "output/go").touch()
    assert plz.ok("logs", execution, "--since", "start").out == "before\nafter\n"
    plz.wait_for_state(execution, "finished")
    shown = described(plz, execution)
    assert (shown["outcome"]["kind"], shown["attempts"]) == ("succeeded", 1), shown
    none_is_left(execution)


def test_arguments_of_the_container(plz):
    plz.configure(image=BASE, docker_run_args={"hostname": "imaginary", "environment": {"A": "1"}}, environment={"B": "2"})
    assert plz.ok("run", "--", "sh", "-c", "hostname; echo $A$B").out == "imaginary\n12\n"
    plz.configure(image=BASE, docker_run_args={"hostnam": "x"}, command=["true"])
    done = plz("run")
    assert done.status == 125 and "hostname" in done.err
    plz.configure(docker_run_args={"hostname": "x"}, command=["true"])
    refused = plz("run")
    assert refused.status == 125 and "there is no container to hand them to" in refused.err


def test_a_job_outlives_the_worker(plz):
    """And its container is found again."""
    plz.configure(image=BASE)
    execution = plz.ok("run", "-d", "--", "sh", "-c",
                       f"out=$({configured('output_directory')}); echo before; "
                       "while [ ! -e $out/go ]; do sleep 0.05; done; echo after").out.strip()
    plz.wait_for_state(execution, "running")
    killed = plz.kill("plz-worker")
    assert killed
    wait_until(lambda: set(plz.processes("plz-worker")) - set(killed), what="another worker")
    (attempt,) = (plz.data / "worker/attempts").iterdir()
    (attempt / "output/go").touch()
    assert plz.ok("logs", execution, "--since", "start").out == "before\nafter\n"
    plz.wait_for_state(execution, "finished")
    shown = described(plz, execution)
    assert shown["outcome"]["kind"] == "succeeded" and shown["image"]["id"] == engine.id_of(BASE)
    none_is_left(execution)


class HeldEngine:
    """The engine behind a socket of its own: a request to start a container waits there until let_go(), and is lost."""

    START = re.compile(rb"POST \S*/containers/[^/ ]+/start[ ?]")

    def __init__(self, path):
        host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        if not host.startswith("unix://"):
            pytest.skip("the engine is not at a socket of this machine")
        self.engine = host.removeprefix("unix://")
        self.is_asked, self.is_over = threading.Event(), threading.Event()
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(path))
        self.listening.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def let_go(self):
        self.is_over.set()

    def serve(self):
        while True:
            client, _ = self.listening.accept()
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(self.engine)
            for ends in ((client, engine), (engine, client)):
                threading.Thread(target=self.pass_on, args=ends, daemon=True).start()

    def pass_on(self, source, to):
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                if self.START.match(piece) and not self.is_over.is_set():
                    self.is_asked.set()
                    self.is_over.wait()
                    break
                to.sendall(piece)
        for end in (source, to):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def test_a_worker_dies_between_a_container_and_its_start(plz):
    """The next one starts that container, whose user still may write to its directories."""
    held = HeldEngine(plz.root / "held.sock")
    plz.env["DOCKER_HOST"] = f"unix://{plz.root}/held.sock"
    plz.configure(image=BASE, docker_run_args={"user": "12345:12345"})
    execution = plz.ok("run", "-d", "--", "sh", "-c",
                       f"out=$({configured('output_directory')}); id -u > $out/kept && echo written").out.strip()
    wait_until(held.is_asked.is_set, what="a start")
    (container,) = engine.containers_of(execution)
    assert plz.kill("plz-worker")
    assert docker("inspect", "--format", "{{.State.Status}}", container) == "created"
    held.let_go()
    plz.wait_for_state(execution, "finished")
    assert described(plz, execution)["outcome"]["kind"] == "succeeded"
    assert plz.ok("logs", execution, "--since", "start").out == "written\n"
    plz.ok("output", execution, "-o", "kept")
    assert (plz.project / "kept/kept").read_text() == "12345\n"
    none_is_left(execution)


@pytest.mark.parametrize("way", ["by itself", "docker kill"])
@pytest.mark.parametrize("arguments", [{}, {"log_config": {"type": "json-file"}}], ids=["usual", "log_config"])
def test_a_job_ends_while_no_worker_lives(plz, way, arguments):
    """Nor a controller, which would start one: both are killed. The next ones find how it ended."""
    plz.configure(image=BASE, docker_run_args=arguments)
    execution = plz.ok("run", "-d", "--", "sh", "-c",
                       f"out=$({configured('output_directory')}); echo x > $out/kept; echo before; "
                       "while [ ! -e $out/go ]; do sleep 0.05; done; echo after; exit 7").out.strip()
    plz.wait_for_state(execution, "running")
    (attempt,) = (plz.data / "worker/attempts").iterdir()
    wait_until(lambda: (attempt / "log").read_text().startswith("before\n"), what="its first line")
    for program in ("plz-controller", "plz-worker"):
        plz.kill(program)
    wait_until(lambda: not plz.processes("plz-controller") + plz.processes("plz-worker"), what="both to be gone")
    (container,) = engine.containers_of(execution)
    if way == "by itself":
        (attempt / "output/go").touch()
    else:
        docker("kill", container)
    wait_until(lambda: docker("inspect", "--format", "{{.State.Status}}", container) == "exited", what="its end")
    assert not plz.processes("plz-worker")
    plz.wait_for_state(execution, "finished")
    outcome = described(plz, execution)["outcome"]
    if way == "by itself":
        assert (outcome["kind"], outcome["exit_status"]) == ("exited", 7), outcome
        assert plz("logs", execution, "--since", "start").out == "before\nafter\n"
    else:
        assert (outcome["kind"], outcome["signal"]) == ("signalled", signal.SIGKILL), outcome
        assert plz("logs", execution, "--since", "start").out == "before\n"
    plz.ok("output", execution, "-o", "kept")
    assert (plz.project / "kept/kept").read_text() == "x\n"
    none_is_left(execution)


def test_nothing_of_the_host_is_seen(plz):
    plz.configure(image=BASE)
    (plz.home / "file").write_text("private")
    done = plz.ok("run", "--", "sh", "-c", f"cat {plz.home}/file; env", env={"TOKEN": "private"})
    assert "private" not in done.out
