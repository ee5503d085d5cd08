"""scripts/run-tests: what fails is run again, and what is told of it."""

import pathlib
import subprocess

RUN_TESTS = pathlib.Path(__file__).parents[2] / "scripts/run-tests"


def run(directory, tests):
    """`tests`: name to how many times the test fails before it passes."""
    lines = []
    for name, failures in tests.items():
        count = f"echo >> {directory}/{name}; test $(wc -l < {directory}/{name}) -gt {failures}"
        lines.append(f'add_test({name} /bin/sh -c "{count}")')
    (directory / "CTestTestfile.cmake").write_text("\n".join(lines))
    done = subprocess.run([RUN_TESTS, directory, "--parallel", "2"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=300)
    tries = {name: len((directory / name).read_text().splitlines()) for name in tests}
    flaky = [line for line in done.stdout.splitlines() if line.startswith("FLAKY")]
    return done, tries, flaky


def test_all_pass(tmp_path):
    done, tries, flaky = run(tmp_path, {"good": 0})
    assert done.returncode == 0 and tries == {"good": 1} and flaky == []


def test_who_passes_later_is_flaky(tmp_path):
    done, tries, flaky = run(tmp_path, {"good": 0, "once": 1, "twice": 2})
    assert done.returncode == 0
    assert tries == {"good": 1, "once": 2, "twice": 3}
    assert flaky == ["FLAKY: once (passed at attempt 2)", "FLAKY: twice (passed at attempt 3)"]
    summary = done.stdout[done.stdout.rindex("tests passed") - 10:]
    assert "100% tests passed, 0 tests failed out of 1" in summary and "FLAKY" not in summary


def test_who_fails_thrice_fails_the_run(tmp_path):
    done, tries, flaky = run(tmp_path, {"good": 0, "bad": 99, "once": 1})
    assert done.returncode != 0
    assert tries == {"good": 1, "once": 2, "bad": 3}
    assert flaky == ["FLAKY: once (passed at attempt 2)"]
    assert "bad" in done.stdout[done.stdout.rindex("The following tests FAILED"):]


def test_a_run_without_tests_fails(tmp_path):
    done = subprocess.run([RUN_TESTS, tmp_path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    assert done.returncode != 0
