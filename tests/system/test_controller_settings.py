"""plz-controller's settings: what its help, docs/configuration.md and controller.toml call them."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import BIN

PAGE = pathlib.Path(os.environ.get("PLZ_DOCS", pathlib.Path(__file__).parents[2] / "docs")) / "configuration.md"
FLAGS_ONLY = {"config", "help", "log-level", "ready-fd", "version"}


def controller(*words):
    return subprocess.run([BIN / "plz-controller", *words], capture_output=True, text=True, timeout=90)


def settings_of_the_help():
    named = re.findall(r"^  (?:-\w,)?--([\w.-]+)", controller("--help").stdout, re.M)
    assert len(named) > 10 and FLAGS_ONLY <= set(named)
    return set(named) - FLAGS_ONLY


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests")
def test_help_and_page_name_the_same():
    section = PAGE.read_text().split("## The controller's own settings")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([\w.-]+)` ", section, re.M)) == settings_of_the_help()


def refused(plz, text, line):
    path = plz.root / "settings.toml"
    path.write_text(text)
    done = controller("--config", str(path))
    assert done.returncode == 2 and done.stdout == "", str(done)
    assert done.stderr.startswith(f"plz-controller: {path}:{line}:"), str(done)
    assert "plz-controller --help shows the settings" in done.stderr
    return done.stderr


def test_the_file_knows_each_setting(plz):
    """By what it says to a value that none of them can have."""
    for name in settings_of_the_help():
        table, _, key = name.rpartition(".")
        said = refused(plz, (f"[{table}]\n" if table else "") + f"{key} = [1979-05-27]\n", 2 if table else 1)
        assert f"'{name}' must be " in said, (name, said)


def test_an_unknown_setting(plz):
    said = refused(plz, '[images]\nrepositry = "x"\n', 2)
    assert "there is no setting 'images.repositry': did you mean 'images.repository'?" in said
    assert "there is no setting 'log-level'" in refused(plz, '\n\nlog-level = "debug"\n', 3)


def test_a_wrong_type(plz):
    assert "'listen' must be a string" in refused(plz, "listen = 80\n", 1)
    assert "'embedded' must be true or false" in refused(plz, 'log-file = "x"\nembedded = "yes"\n', 2)
    assert "'idle-minutes' must be a number, not below 0" in refused(plz, "idle-minutes = -1\n", 1)


def test_what_is_no_toml(plz):
    said = refused(plz, 'listen = "x"\nidle-minutes 3\n', 2)
    assert re.search(r"settings\.toml:2:\d+: ", said), said


def test_plz_says_so_too(plz):
    """Of the embedded controller's, which it starts."""
    plz.data.mkdir()
    (plz.data / "controller.toml").write_text('[images]\nrepositry = "x"\n')
    done = plz("run", "--", "true")
    assert done.status == 125, str(done)
    assert f"{plz.data}/controller.toml" in done.err and "did you mean 'images.repository'" in done.err, str(done)
    (plz.data / "controller.toml").write_text("idle-minutes = 20\n")
    plz.ok("run", "--", "true")


def test_limits_of_what_jobs_get_and_leave(plz):
    plz.data.mkdir()
    (plz.data / "controller.toml").write_text(
        "[limits]\ntree-entries = 20\ntree-depth = 3\ntree-gib = 0.001\nmeasure-files = 2\n")
    measuring = "import json,os; m = json.load(open(os.environ['CONFIGURATION_FILE']))['measures_directory']\n"
    done = plz.ok("run", "--", "python3", "-c", measuring + "for i in range(3): open(f'{m}/{i}', 'w').write('1')")
    assert "not all measures were kept: they are more than 2" in done.err, str(done)
    assert len(plz.json("measures")) == 2
    plz.write("large/file", b"x" * 1_200_000)
    said_of_a_run_without(plz, "large", "more than the worker's limit (tree-bytes) of 1.0 MiB")
    for number in range(21):
        plz.write(f"many/{number}", "")
    said_of_a_run_without(plz, "many", "more than the worker's limit (tree-entries) of 20")
    plz.write("a/b/c/d/file", "")
    said_of_a_run_without(plz, "a", "more than 3 deep in each other, the worker's limit (tree-depth)")
    plz.ok("run", "--", "true")


def said_of_a_run_without(plz, directory, words):
    """A run that cannot start since the directory is there, which is removed."""
    done = plz("run", "--", "true")
    assert done.status == 125 and "Execution could not start: the tree" in done.err and words in done.err, str(done)
    shutil.rmtree(plz.project / directory)


def test_a_setting_beyond_all_measure_is_no_limit(plz):
    plz.data.mkdir()
    (plz.data / "controller.toml").write_text(
        "storage-patience-minutes = 1e300\n[images]\nlimit-gib = 1e300\n[limits]\ntree-gib = 1e300\nmeasure-files = 1e300\n")
    plz.ok("run", "--", "true")


def test_a_worker_that_ends_at_once_is_said(plz):
    plz.data.mkdir()
    worker = plz.root / "worker"
    worker.write_text("#!/bin/sh\necho not today >&2\nexit 3\n")
    worker.chmod(0o755)
    (plz.data / "controller.toml").write_text(f'worker-program = "{worker}"\n')
    process = plz.popen("run", "--", "true")
    said = b""
    while b"exit status of 3" not in said:
        piece = os.read(process.stderr.fileno(), 4096)
        assert piece, said
        said += piece
    assert b"an instance: none is running yet: the worker of this machine ended as soon as it was started" in said, said
    assert f"{plz.data}/worker.log" in plz.ok("status").out and "not today" in (plz.data / "worker.log").read_text()
    worker.unlink()
    worker.symlink_to(BIN / "plz-worker")
    assert process.wait(120) == 0
