"""What a job does with its own directories leads nobody out of them."""

import json
import os
import shutil
import subprocess

import pytest

from conftest import wait_until

CONFIGURATION = "import json,os,shutil,sys; c=json.load(open(os.environ['CONFIGURATION_FILE']))\n"


@pytest.fixture
def secret(plz):
    """Of the host: the worker can read it. A job knows its path."""
    directory = plz.root / "secrets"
    directory.mkdir()
    (directory / "summary").write_text('"a secret"')
    (directory / "deep").mkdir()
    (directory / "deep" / "loss").write_text('"a secret"')
    return directory


def test_links_in_the_place_of_directories_of_measures_are_not_followed(plz, secret):
    done = plz.ok("run", "--", "python3", "-c", CONFIGURATION + f"""
import time
m = c['measures_directory']
os.makedirs(m + '/a/b')
open(m + '/a/b/kept', 'w').write('1')
for i in range(300):
    os.rename(m + '/a', m + '/moved'); os.symlink('{secret}', m + '/a')
    time.sleep(0.0005)
    os.unlink(m + '/a'); os.rename(m + '/moved', m + '/a')
    open(m + '/a/b/kept', 'w').write(str(i))
os.symlink('{secret}', m + '/link')
os.symlink('{secret}/summary', m + '/file')
os.symlink('../../../../../../../../../..{secret}', m + '/a/up')
""")
    assert "secret" not in done.out + done.err
    assert plz.json("measures")["a"] == {"b": {"kept": 299}}
    assert "secret" not in plz.ok("measures").out


def test_nor_in_the_place_of_those_of_indices(plz, secret):
    plz.configure(parallel_indices_range=[0, 3], indices_per_execution=3)
    composite = plz.ok("run", "--", "python3", "-c", CONFIGURATION + f"""
import time
for index, directory in c['index_to_measures_directory'].items():
    if index == '1':
        open(directory + '/summary', 'w').write('"kept"')
    else:
        os.rmdir(directory); os.symlink('{secret}', directory)
time.sleep(0.3)
for directory in c['index_to_output_directory'].values():
    os.rmdir(directory); os.symlink('{secret}', directory)
""")
    plz.ok("logs")
    wait_until(lambda: "True" not in plz("status").out.split("Success")[0], what="the end")
    shown = plz.ok("measures").out
    assert "secret" not in shown and "kept" in shown
    plz.ok("output", "-o", "out")
    copies = [path for path in (plz.project / "out").rglob("*") if not path.is_symlink() and path.is_file()]
    assert not copies, copies


def test_measures_have_limits_and_the_reason_says_so(plz):
    done = plz.ok("run", "--", "python3", "-c", CONFIGURATION + """
os.makedirs(c['measures_directory'] + '/d' * 101)
open(c['measures_directory'] + '/d' * 100 + '/kept', 'w').write('1')
open(c['measures_directory'] + '/d' * 101 + '/lost', 'w').write('1')
json.dump(2, open(c['summary_measures_path'], 'w'))
""")
    assert "not all measures were kept: some lie more than 100 directories deep" in done.err, str(done)
    assert "lost" not in plz.ok("measures").out and "kept" in plz.ok("measures").out
    reason = plz.json("describe")["outcome"]["reason"]
    assert reason == "not all measures were kept: some lie more than 100 directories deep"


def test_whatever_a_job_leaves_is_removed(plz, secret):
    plz.ok("run", "--", "python3", "-c", CONFIGURATION + f"""
at = os.open(c['measures_directory'], os.O_RDONLY)
for i in range(3000):
    os.mkdir('d', dir_fd=at)
    below = os.open('d', os.O_RDONLY, dir_fd=at)
    os.close(at)
    at = below
os.makedirs(c['measures_directory'] + '/closed/below')
os.chmod(c['measures_directory'] + '/closed', 0)
os.symlink('{secret}', c['measures_directory'] + '/link')
""")
    attempts = plz.data / "worker" / "attempts"
    wait_until(lambda: not any(attempts.iterdir()), what="the attempt's directory to go")
    assert json.loads((secret / "deep" / "loss").read_text()) == "a secret"


def test_other_data_directories_are_hidden_too(plz):
    """Also one that came after the worker, whose controller was started with another runtime directory."""
    plz.ok("run", "--", "true")
    runtime = plz.home / "run"
    runtime.mkdir(mode=0o700)
    usual = plz.home / ".local/share/plz"
    others = [{"PLZ_DATA_DIR": str(plz.home / "second"), "XDG_RUNTIME_DIR": str(runtime)}, {"PLZ_DATA_DIR": ""}]
    try:
        for env in others: plz.ok("run", "--", "true", env=env)
        paths = [plz.home / "second", usual, runtime / "plz", plz.home / ".local/state/plz/data-directories"]
        assert all(os.listdir(path) for path in paths)
        registry = paths[-1]
        (registry / "damaged").write_bytes(b"\xff\0")
        os.mkfifo(registry / "pipe")
        look = "import os, sys; print([os.listdir(path) for path in sys.argv[1:]])"
        # The home itself is there; the socket, the database, logs and the rest are not.
        done = plz.ok("run", "--", "python3", "-c", look + "; print(os.path.exists(os.environ['HOME'] + '/run'))", *paths)
        assert done.out == "[[], [], [], []]\nTrue\n", str(done)
    finally:
        for env in others: plz("controller", "stop", env=env)
    # Forgotten once they have gone.
    entries = lambda: [e.read_text() for e in registry.iterdir() if e.is_file() and e.name != "damaged"]
    assert f"{plz.home}/second\n" in entries()
    shutil.rmtree(plz.home / "second")
    plz.ok("run", "--", "true")
    assert f"{plz.home}/second\n" not in entries() and f"{usual}\n" in entries()


def test_a_damaged_assignment_leaves_its_job_alone(plz):
    """The worker that finds it waits for the job, and keeps what it made."""
    goes_on = plz.home / "goes_on"
    started = plz.popen("run", "-o", "out", "--", "python3", "-c", CONFIGURATION + f"""
import time
open(c['output_directory'] + '/made', 'w').write('made')
print('begun', flush=True)
while not os.path.exists('{goes_on}'): time.sleep(0.02)
print('ended', flush=True)
""", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wait_until(lambda: b"begun" in started.stdout.readline(), what="the job's first words")
    (directory,) = (plz.data / "worker" / "attempts").iterdir()
    whole = (directory / "assignment").read_text()
    (directory / "assignment").write_text(whole[: len(whole) // 2])
    killed = plz.kill("plz-worker")
    wait_until(lambda: set(plz.processes("plz-worker")) - set(killed), what="another worker")
    goes_on.write_text("")
    rest = started.communicate(timeout=120)[0].decode()
    assert started.returncode == 0 and "ended" in rest, rest
    assert (plz.project / "out" / "made").read_text() == "made"
    wait_until(lambda: not directory.exists(), what="the attempt's directory to go")


def test_a_link_in_the_cache_leads_nowhere_outside_when_the_next_sandbox_is_made(plz):
    outside, project = plz.home / "outside", plz.home / ".cache" / "work" / "project"
    outside.mkdir()
    project.mkdir(parents=True)
    environment = {"PLZ_PROJECT": "shared", "XDG_CACHE_HOME": str(plz.home / ".cache")}
    planted = plz.ok("run", "--", "sh", "-c", f"cd ~/.cache && rm -rf work && ln -s {outside} work && readlink work", env=environment)
    assert str(outside) in planted.out
    done = plz("run", "--", "true", cwd=project, env={**environment, "PWD": str(project)})
    assert not list(outside.iterdir()), str(done)
    assert done.status == 0 or f"cannot make in the sandbox {project}" in done.err, str(done)
