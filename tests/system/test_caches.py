"""What outlives a job: the cache at ~/.cache, and the copies of code and input that jobs share."""

import os
import shutil

import pytest

from conftest import wait_until

MAKEFILE = """all: $(XDG_CACHE_HOME)/b/out
\t@echo `cat $(FROM)in.txt` `cat $(XDG_CACHE_HOME)/b/out`
$(XDG_CACHE_HOME)/b/out: $(FROM)in.txt
\t@mkdir -p $(XDG_CACHE_HOME)/b; cat $(FROM)in.txt > $@
"""


@pytest.fixture
def cached(plz):
    cache = plz.home / ".cache"
    cache.mkdir(exist_ok=True)
    plz.env["XDG_CACHE_HOME"] = str(cache)
    return plz


def trees(plz, use="code"):
    return sorted((plz.data / "worker/cache/trees").glob(f"*.{use}"))


def change(path, content):
    path.chmod(0o644)
    path.write_text(content)


def reason(plz, execution):
    return plz.json("describe", execution)["outcome"].get("reason", "")


def test_make_never_takes_what_another_version_made(cached):
    plz = cached
    plz.write("Makefile", MAKEFILE)
    ids = {}
    for version in ("one", "two", "one", "two", "two", "one"):
        plz.write("in.txt", version + "\n")
        done = plz.ok("run", "--", "make")
        assert done.out == f"{version} {version}\n", str(done)
        ids.setdefault(version, done.id)
    for version in ("two", "one", "two"):
        assert plz.ok("rerun", ids[version]).out == f"{version} {version}\n"


def test_projects_do_not_take_each_others(cached):
    plz = cached
    other = plz.root / "other"
    for directory, content in ((plz.project, "one\n"), (other, "two\n")):
        directory.mkdir(exist_ok=True)
        (directory / "Makefile").write_text(MAKEFILE)
        (directory / "in.txt").write_text(content)
    for _ in range(2):
        assert plz.ok("run", "--", "make").out == "one one\n"
        assert plz.ok("run", "--", "make", cwd=other).out == "two two\n"


def test_input_is_no_older_than_what_was_made_from_another(cached):
    plz = cached
    plz.write("Makefile", MAKEFILE)
    for version in ("one", "two", "one"):
        data = plz.root / f"data-{version}"
        data.mkdir(exist_ok=True)
        (data / "in.txt").write_text(version + "\n")
        plz.configure(input=f"file://{data}")
        assert plz.ok("run", "--", "make", "FROM=/plz/input/").out == f"{version} {version}\n"


def test_python_takes_no_bytecode_of_another_version(cached):
    plz = cached
    plz.write("main.py", "import part\nprint(part.WORD, part.__spec__.cached.startswith('/src'))\n")
    plz.configure(environment={"PYTHONPYCACHEPREFIX": str(plz.home / ".cache/bytecode")})
    for version in ("one", "two", "one"):
        plz.write("part.py", f"WORD = '{version}'\n")
        assert plz.ok("run", "--", "python3", "main.py").out == f"{version} False\n"


def test_the_same_version_makes_nothing_anew(cached):
    plz = cached
    plz.write("Makefile", MAKEFILE.replace("@mkdir", "@echo made; mkdir"))
    plz.write("in.txt", "one\n")
    assert plz.ok("run", "--", "make").out == "made\none one\n"
    assert plz.ok("run", "--", "make").out == "one one\n"


def test_projects_share_downloads_alone(cached):
    plz = cached
    other = plz.root / "other"
    other.mkdir()
    plz.ok("run", "--command", "mkdir -p ~/.cache/huggingface/hub ~/.cache/mine; echo kept > ~/.cache/huggingface/hub/model")
    done = plz("run", "--command", "cat ~/.cache/huggingface/hub/model; ls -d ~/.cache/mine 2>/dev/null", cwd=other)
    assert done.out == "kept\n", str(done)
    assert plz("run", "--command", "ls -d ~/.cache/mine").out.endswith("/.cache/mine\n")


def test_a_changed_copy_is_made_again(plz):
    plz.write("in.txt", "true\n")
    data = plz.root / "data-set"
    data.mkdir()
    (data / "x").write_text("data\n")
    plz.configure(input=f"file://{data}")
    command = ("run", "--command", "cat in.txt /plz/input/x")
    first = plz.ok(*command)
    change(trees(plz)[0] / "tree/in.txt", "eurt\n")
    done = plz.ok(*command)
    assert done.out == "true\ndata\n"
    assert first.id in reason(plz, done.id) and first.id in done.err
    change(trees(plz, "input")[0] / "tree/x", "atad\n")
    assert plz.ok("rerun", done.id).out == "true\ndata\n"
    os.chmod(trees(plz, "input")[0] / "tree", 0o755)
    (trees(plz, "input")[0] / "tree/x").unlink()
    assert plz.ok(*command).out == "true\ndata\n"
    for use in ("code", "input"):
        (copy,) = trees(plz, use)
        os.chmod(copy / "tree", 0o755)
        shutil.rmtree(copy)
        again = plz.ok(*command)
        assert again.out == "true\ndata\n"
    assert plz.ok("verify", again.id).out == "Repeatable: True\n"


def test_a_job_with_a_large_changed_input_begins_again(plz):
    data = plz.root / "many"
    data.mkdir()
    for i in range(3000):
        (data / f"f{i:04}").write_text("1")
    plz.configure(input=f"file://{data}")
    command = ("run", "--command", "cat /plz/input/f* | tr -d 1 | wc -c")
    assert plz.ok(*command).out.strip() == "0"
    (copy,) = trees(plz, "input")
    change(copy / "tree/f2999", "2")
    done = plz.ok(*command)
    assert done.out.strip() == "0" or "did not run on the files" in reason(plz, done.id), str(done)
    assert plz.ok(*command).out.strip() == "0"


def test_a_job_whose_files_changed_under_it_is_marked(plz):
    gate = plz.home / "gate"
    plz.write("in.txt", "true\n")
    command = f"echo began; while [ ! -e {gate} ]; do sleep 0.05; done; cat in.txt"
    job = plz.ok("run", "-d", "--command", command)
    plz.wait_for_state(job.id, "running")
    (copy,) = trees(plz)
    change(copy / "tree/in.txt", "eurt\n")
    other = plz.ok("run", "--command", "cat in.txt")
    assert other.out == "true\n" and job.id in reason(plz, other.id)
    gate.touch()
    plz.wait_for_state(job.id, "finished")
    assert "did not run on the files that it was given" in reason(plz, job.id)
    verdict = plz("verify", job.id)
    assert verdict.status == 1 and verdict.out.startswith("Repeatable: False\n"), str(verdict)
    wait_until(lambda: len(list((plz.data / "worker/cache/trees").iterdir())) == 1, what="the changed copy to go")
