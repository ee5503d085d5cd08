"""What differs between runs, and whether a run repeats: verify, diff and rerun."""

import json
import os
import re
import subprocess

HEAD = """
import json, os
c = json.load(open(os.environ["CONFIGURATION_FILE"]))
def leave(name, text): open(c["output_directory"] + "/" + name, "w").write(text)
def measure(**values): json.dump(values, open(c["summary_measures_path"], "w"))
"""
UNSEEDED = HEAD + """
import random
leave("r", os.urandom(16).hex())
measure(score=random.random())
"""


def listed(text, title):
    """The indented lines below a title."""
    return re.findall(r"^  (.*)$", re.search(rf"^{title}:\n((?:  .*\n)+)", text, re.M).group(1), re.M)


def test_verify_of_a_job_that_does_not_repeat(plz):
    plz.write("job.py", UNSEEDED)
    first = plz.ok("run", "--", "python3", "job.py").id
    done = plz("verify", first)
    assert done.status == 1, str(done)
    again = plz.ok("last").out.strip()
    assert f"=> Running {first} again as {again}" in done.err
    output = "output r: other content, 32 bytes before, 32 now"
    assert done.out.startswith(f"Repeatable: False\nFirst Difference: {output}\nDifferences:\n"), str(done)
    scores = [plz.json("measures", "--summary", id)["score"] for id in (first, again)]
    assert listed(done.out, "Differences") == [output, f"measure summary.score: {scores[0]!r} before, {scores[1]!r} now"]
    assert "No recorded cause: code, input, command, parameters and what is recorded of the environment are the same\n" in done.out
    beyond = listed(done.out, "Not Recorded")
    assert beyond[0].startswith("values of variables, of which the names are: ") and "HOME" in beyond[0], str(done)
    assert any("time" in line for line in beyond) and any("network" in line for line in beyond), str(done)
    assert any("~/.cache" in line for line in beyond), str(done)


def test_verify_tells_programs_too(plz):
    plz.write("job.py", UNSEEDED)
    first = plz.ok("run", "--", "python3", "job.py").id
    done = plz("verify", "--json", first)
    assert done.status == 1, str(done)
    told = json.loads(done.out)
    assert told["repeatable"] is False and told["execution_id"] == first and told["causes"] == []
    assert told["not_recorded"]
    assert told["rerun_execution_id"] == plz.ok("last").out.strip()
    assert told["differences"][0].startswith("output r: ") and told["differences"][1].startswith("measure summary.score: ")


def test_verify_of_a_job_that_repeats(plz):
    plz.write("job.py", HEAD + "leave('r', 'the same')\nmeasure(score=0.5)\n")
    first = plz.ok("run", "--", "python3", "job.py").id
    assert plz.ok("verify", first).out == "Repeatable: True\n"
    failed = plz("run", "--", "sh", "-c", "exit 3")
    assert failed.status == 3
    told = json.loads(plz.ok("verify", "--json", failed.id).out)
    assert told["repeatable"] is True and told["differences"] == [] and told["causes"] == []


def test_verify_names_recorded_causes(plz):
    plz.write("job.py", HEAD + "leave('device', os.environ['CUDA_VISIBLE_DEVICES'])\n")
    first = plz.ok("run", "--", "python3", "job.py", env={"CUDA_VISIBLE_DEVICES": "0"}).id
    done = plz("verify", first, env={"CUDA_VISIBLE_DEVICES": "12", "EXTRA": "x"})
    assert done.status == 1, str(done)
    assert listed(done.out, "Differences") == ["output device: other content, 1 bytes before, 2 now"]
    assert listed(done.out, "Recorded Causes") == [
        'environment environment.CUDA_VISIBLE_DEVICES: 0 before, 12 now',
        "environment environment.EXTRA: nothing before, set now"]


# The sum of parts depends on how many there are, as that of threads does.
THREADED = HEAD + """
n = int(os.environ["OMP_NUM_THREADS"])
numbers = [1 / (i + 1) ** 0.5 for i in range(100000)]
part = -(-len(numbers) // n)
leave("weights", repr(sum(sum(numbers[at:at + part]) for at in range(0, len(numbers), part))))
"""


def test_the_number_of_threads_is_a_recorded_cause(plz):
    plz.write("job.py", THREADED)
    first = plz.ok("run", "--", "python3", "job.py", env={"OMP_NUM_THREADS": "1"}).id
    assert plz.ok("verify", first, env={"OMP_NUM_THREADS": "1"}).out == "Repeatable: True\n"
    cause = "environment.OMP_NUM_THREADS: 1 before, 2 now"
    done = plz("verify", first, env={"OMP_NUM_THREADS": "2"})
    assert done.status == 1 and listed(done.out, "Recorded Causes") == ["environment " + cause], str(done)
    assert "No recorded cause" not in done.out and "Not Recorded" not in done.out
    again = plz.ok("rerun", first, env={"OMP_NUM_THREADS": "2"})
    assert f"** The environment differs from that of {first}:\n  {cause}\n" in again.err, str(again)
    different = plz("diff", first, again.id)
    assert listed(different.out, "Environment") == [cause] and "weights" in different.out, str(different)


def test_what_is_recorded_is_configured_but_no_secret_is(plz):
    plz.configure(command=["true"], recorded_variables=["STUDIO_*"], environment={"RATE": "0.1"})
    given = {"STUDIO_SEED": "7", "STUDIO_TOKEN": "hush-1", "OTHER": "hush-2", "HF_TOKEN": "hush-3",
             "TORCH_MIRROR": "https://ada:hush-4@example.org/"}
    first = plz.ok("run", env=given).id
    metadata = plz.json("describe", first)["metadata"]
    values, names = metadata["environment"]["values"], metadata["environment"]["names"]
    assert values["STUDIO_SEED"] == "7" and values["RATE"] == "0.1" and "hush" not in json.dumps(metadata)
    assert set(given) <= set(names)
    # As recorded then, wherever it is run again.
    other = plz.root / "elsewhere"
    other.mkdir()
    done = plz.ok("rerun", first, cwd=str(other), env={**given, "STUDIO_SEED": "8", "STUDIO_TOKEN": "hush-5"})
    assert "environment.STUDIO_SEED: 7 before, 8 now\n" in done.err and "hush" not in done.err, str(done)


def test_the_machine_and_its_libraries_are_recorded(plz):
    library = os.path.realpath("/proc/self/exe")  # any file of this machine's kind
    plz.write("lib/libblas.so.3", open(library, "rb").read(), 0o755)
    (plz.project / "plz.config.json").write_text('{"command": ["true"], "excluded_paths": ["lib"]}')
    first = plz.ok("run").id
    metadata = plz.json("describe", first)["metadata"]
    assert isinstance(metadata["machine"]["cpu_features"], list) and metadata["libraries"]["libm.so.6"]["path"].startswith("/")
    done = plz.ok("rerun", first, env={"LD_LIBRARY_PATH": "lib"})
    own = plz.json("describe", done.id)["metadata"]["libraries"]["libblas.so.3"]
    assert own["path"] == str(plz.project / "lib/libblas.so.3")
    assert "libraries.libblas.so.3" in done.err, str(done)


def test_verify_wants_a_result_to_compare_with(plz):
    execution = plz.ok("run", "-d", "--", "sleep", "600").out.strip()
    done = plz("verify", execution)
    assert done.status == 125 and "has not finished" in done.err, str(done)
    plz.ok("stop", execution)


def two_versions(plz):
    """Two executions that differ in all that a person can change."""
    plz.write("job.py", HEAD + "measure(accuracy=c['parameters']['lr'])\nleave('same', 'x')\nleave('lr', str(c['parameters']['lr']))\n")
    plz.write("code.txt", "kept\nold line\n")
    plz.write("nested/deep/file", "deep\n")
    plz.write("binary", b"\0one")
    plz.write("thing", "a file\n")
    plz.write("gone/inside", "x")
    os.symlink("code.txt", plz.project / "link")
    plz.write("data/digits", "1")
    settings = {"command": ["python3", "job.py"], "input": "file://data", "excluded_paths": ["data", "plz.config.json"]}
    plz.configure(parameters={"lr": 0.5, "epochs": 3}, **settings)
    first = plz.ok("run").id
    plz.write("code.txt", "kept\nnew line\n")
    plz.write("nested/deep/file", "deeper\n")
    plz.write("binary", b"\0two")
    (plz.project / "thing").unlink()
    plz.write("thing/inner", "in a directory\n")
    (plz.project / "gone/inside").unlink()
    (plz.project / "gone").rmdir()
    (plz.project / "link").unlink()
    os.symlink("job.py", plz.project / "link")
    plz.write("data/digits", "22")
    plz.configure(parameters={"lr": 0.25, "epochs": 3}, **settings)
    return first, plz.ok("run").id


def test_diff_shows_all_that_differs(plz):
    first, second = two_versions(plz)
    done = plz("diff", first, second)
    assert done.status == 1, str(done)
    assert listed(done.out, "Parameters") == ["lr: 0.5 before, 0.25 now"]
    assert listed(done.out, "Input") == ["digits: other content, 1 bytes before, 2 now"]
    assert listed(done.out, "Measures") == ["summary.accuracy: 0.5 before, 0.25 now"]
    assert listed(done.out, "Output") == ["lr: other content, 3 bytes before, 4 now"]
    assert listed(done.out, "Code") == [
        "binary: other content, 4 bytes before, 4 now",
        "code.txt: other content, 14 bytes before, 14 now",
        "gone: only before",
        "gone/inside: only before",
        "link: leads to code.txt before, to job.py now",
        "nested/deep/file: other content, 5 bytes before, 7 now",
        "thing: a file before, a directory now",
        "thing/inner: only now"]
    lines = done.out.splitlines()
    for line in ("-old line", "+new line", " kept", "-deep", "+deeper", "Binary files a/binary and b/binary differ",
                 "Symbolic links a/link and b/link differ"):
        assert line in lines, (line, done)
    assert "Command:" not in lines and "Outcome:" not in lines and "Environment:" not in lines


def test_diff_of_equal_executions(plz):
    plz.write("code.txt", "x")
    first, second = (plz.ok("run", "--", "cat", "code.txt").id for _ in range(2))
    done = plz.ok("diff", first, second)
    assert done.out == "" and "Nothing differs" in done.err


def test_diff_is_not_silently_partial(plz):
    plz.write("code.txt", "old\n")
    first = plz.ok("run", "--", "true").id
    plz.write("code.txt", "new\n")
    second = plz.ok("run", "--", "true").id
    programs = plz.root / "programs"
    programs.mkdir()
    (programs / "diff").write_text("#!/bin/sh\necho no space left on device >&2\nexit 2\n")
    (programs / "diff").chmod(0o755)
    done = plz("diff", first, second, env={"PATH": f"{programs}:{plz.env['PATH']}"})
    assert done.status == 125 and "no space left on device" in done.err, str(done)


def test_rerun_from_another_checkout(plz):
    """What is recorded and told is of what runs, not of the directory where it is typed."""
    def commit(directory):
        git = ["git", "-c", "user.email=a@b", "-c", "user.name=a"]
        for words in (["init", "-q", "-b", directory.name], ["add", "-A"], ["commit", "-q", "-m", "x"]):
            subprocess.run([*git, *words], cwd=directory, check=True, env=plz.env)
        return subprocess.run([*git, "rev-parse", "HEAD"], cwd=directory, check=True, env=plz.env,
                              capture_output=True, text=True).stdout.strip()
    # An interpreter in the code, which the other directory has not.
    plz.write("venv/bin/python", "#!/bin/sh\nexec python3 \"$@\"\n", 0o755)
    plz.configure(command=["venv/bin/python", "-c", "print('ran')"], environment={"LR": "0.5"})
    committed = commit(plz.project)
    first = plz.ok("run").id
    other = plz.root / "other"
    other.mkdir()
    (other / "unrelated").write_text("x")
    assert commit(other) != committed
    done = plz.ok("rerun", first, cwd=str(other))
    assert done.out == "ran\n" and "differs" not in done.err, str(done)
    git = plz.json("describe", done.id)["metadata"]["git"]
    assert git["commit"] == committed and git["branch"] == "project" and git["dirty"] is False
    assert plz("diff", first, done.id).status == 0
    assert plz.ok("verify", first, cwd=str(other)).out == "Repeatable: True\n"


def install(plz, version):
    """A package, where PYTHONPATH leads."""
    site = plz.root / "site"
    for earlier in site.glob("*.dist-info"):
        (earlier / "METADATA").unlink()
        earlier.rmdir()
    info = site / f"thing-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: thing\nVersion: {version}\n")
    return {"PYTHONPATH": str(site)}


def test_changes_of_packages_are_told_by_name(plz):
    changed = 'python.packages.thing: "1.0" before, "2.0" now'
    first = plz.ok("run", "--", "python3", "-c", "pass", env=install(plz, "1.0")).id
    env = install(plz, "2.0")
    done = plz.ok("rerun", first, env=env)
    assert f"** The environment differs from that of {first}:\n  {changed}\n" in done.err, str(done)
    assert listed(plz("diff", first, done.id).out, "Environment") == [changed]
    plz.write("job.py", UNSEEDED)
    random = plz.ok("run", "--", "python3", "job.py", env=install(plz, "1.0")).id
    verified = plz("verify", random, env=install(plz, "2.0"))
    assert listed(verified.out, "Recorded Causes") == ["environment " + changed], verified


def test_rerun_merges_parameters(plz):
    plz.configure(parameters={"lr": 0.5, "epochs": 3, "net": {"layers": 2}},
                  command=["python3", "-c", HEAD + "print(json.dumps(c['parameters'], sort_keys=True))"])
    first = plz.ok("run").id
    plz.write("over.json", '{"lr": 0.25, "net": {"layers": 4}, "new": true}')
    for flag in ("-p", "--override-parameters"):
        done = plz.ok("rerun", flag, "over.json", first)
        assert json.loads(done.out) == {"lr": 0.25, "epochs": 3, "net": {"layers": 4}, "new": True}
    assert plz.json("describe", done.id)["previous_execution_id"] == first
    assert json.loads(plz.ok("rerun", first).out)["lr"] == 0.5
