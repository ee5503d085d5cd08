"""What is captured, and what is not: git's hooks, links, and what tools leave beside the code."""

import os
import subprocess

import pytest

from conftest import BIN


@pytest.fixture
def checkout(plz):
    """The project, with a commit, and a file that git ignores; and another repository, which ignores nothing."""
    run_git(plz, "init", "-q", "-b", "ours")
    plz.write(".gitignore", "*.ckpt\n")
    plz.write("train.py", "print('trained')\n")
    plz.write("secret.ckpt", "not to be captured")
    run_git(plz, "add", "train.py", ".gitignore")
    run_git(plz, "commit", "-q", "-m", "first")
    other = plz.root / "other"
    other.mkdir()
    run_git(plz, "init", "-q", "-b", "theirs", cwd=other)
    run_git(plz, "commit", "-q", "--allow-empty", "-m", "other", cwd=other)
    return other


def run_git(plz, *words, cwd=None, env=None):
    done = subprocess.run(["git", "-c", "user.name=ada", "-c", "user.email=ada@example", *words], cwd=cwd or plz.project,
                          env={**plz.env, **(env or {})}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


def assert_ours(plz, execution):
    """What ran had the code and the commit of the project, and nothing of git's in its environment."""
    described = plz.json("describe", execution)
    recorded = described["metadata"]["git"]
    assert recorded["root"] == str(plz.project) and recorded["branch"] == "ours", recorded
    assert recorded["commit"] == run_git(plz, "rev-parse", "HEAD").stdout.strip()
    names = described["metadata"]["environment"]["names"]
    assert not {"GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"} & set(names), names
    listed = plz.ok("logs", "--since", "start", execution).out
    assert "train.py" in listed and "secret" not in listed and "GIT_" not in listed, listed


SHOW = "ls -A; env | grep ^GIT_ | grep -v -e ^GIT_AUTHOR -e ^GIT_EDITOR -e ^GIT_EXEC_PATH; true"


def test_a_hook_captures_its_own_checkout(plz, checkout):
    hook = plz.project / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n[ -n \"$GIT_INDEX_FILE\" ] || exit 1\nexec {BIN}/plz run -- sh -c '{SHOW}' > {plz.root}/out 2>&1\n")
    hook.chmod(0o755)
    run_git(plz, "commit", "-q", "--allow-empty", "-m", "second")
    said = (plz.root / "out").read_text()
    assert "** " not in said, said
    assert_ours(plz, plz.ok("last").out.strip())


def test_an_alias_captures_its_own_checkout(plz, checkout):
    plz.write("below/in.txt", "")
    run_git(plz, "-c", f"alias.x=!{BIN}/plz run -- sh -c '{SHOW}'", "x",
            cwd=plz.project / "below")
    assert_ours(plz, plz.ok("last").out.strip())


@pytest.mark.parametrize("variables", [
    {"GIT_DIR": "{other}/.git"},
    {"GIT_DIR": "{other}/.git", "GIT_WORK_TREE": "{other}"},
    {"GIT_INDEX_FILE": "{other}/.git/index"},
    {"GIT_CEILING_DIRECTORIES": "{root}"},
], ids=lambda variables: "+".join(variables))
def test_it_is_not_another_repositorys(plz, checkout, variables):
    env = {name: value.format(other=checkout, root=plz.root) for name, value in variables.items()}
    env["GIT_PREFIX"] = "x/"
    done = plz.ok("run", "--", "sh", "-c", SHOW.replace("; true", " | grep -v ^GIT_CEILING; true"), env=env)
    assert "** " not in done.err, str(done)
    assert_ours(plz, done.id)


def test_what_tools_leave_is_no_code(plz):
    plz.write("model.py", "SIZE = 1\n")
    first = plz.ok("run", "--", "python3", "-c", "import model").id
    subprocess.run(["/usr/bin/python3", "-c", "import model"], cwd=plz.project, check=True,
                   env={key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"})
    assert list((plz.project / "__pycache__").iterdir())
    plz.write(".ipynb_checkpoints/a.ipynb", "{}")
    plz.write("sub/.pytest_cache/README.md", "")
    second = plz.ok("run", "--", "python3", "-c", "import model").id
    differ = plz("diff", first, second)
    assert "__pycache__" not in differ.out and "ipynb" not in differ.out and "pytest" not in differ.out, str(differ)
    left_out = plz.ok("list-context", "-e").out.splitlines()
    assert {"__pycache__/", ".ipynb_checkpoints/", "sub/.pytest_cache/"} <= set(left_out), left_out
    plz.configure(included_paths=["__pycache__"])
    assert "__pycache__/model" in plz.ok("list-context").out


def test_input_is_no_code(plz):
    plz.write("data/__pycache__/x", "kept")
    plz.configure(input="file://data")
    done = plz.ok("run", "--", "sh", "-c", "cat /plz/input/__pycache__/x")
    assert done.out.strip() == "kept"


@pytest.fixture
def outside(plz):
    path = plz.root / "outside"
    path.mkdir()
    (path / "data.txt").write_text("one\n")
    (plz.project / "data").symlink_to(path)
    return path


READ = ("run", "--follow-links", "--", "sh", "-c", "[ ! -L data ] && cat data/data.txt")


def test_links_that_lead_out_are_named(plz, outside):
    done = plz.ok("run", "--", "true")
    said = f'** 1 link leads out of what is captured, and stays a link: data -> {outside} ("follow_links": true'
    assert said in done.err, str(done)
    assert said in plz.ok("run", "--", "true").err  # nothing changed
    assert "data/data.txt" not in plz.ok("list-context").out


def test_links_are_followed_where_asked_for(plz, outside):
    done = plz.ok(*READ)
    assert done.out == "one\n" and "** " not in done.err, str(done)
    (outside / "data.txt").write_text("two\n")
    assert plz.ok(*READ).out == "two\n"
    (outside / "data.txt").unlink()
    (outside / "data.txt").write_text("new\n")
    assert plz.ok(*READ).out == "new\n"
    (outside / "back").symlink_to(plz.project)
    assert "data/back" in plz.ok(*READ).err and plz.ok(*READ).out == "new\n"
    plz.configure(follow_links=True, excluded_paths=["data/data.txt"])
    assert plz.ok("run", "--", "ls", "data").out.split() == ["back"]


@pytest.mark.parametrize("kind", ["models", "datasets"])
def test_a_hugging_face_snapshot_is_an_input(plz, kind):
    repository = plz.root / "hub" / f"{kind}--org--name"
    snapshot = repository / "snapshots" / "0123abc"
    (repository / "blobs").mkdir(parents=True)
    (repository / "blobs" / "e3b0c442").write_text("weights\n")
    (snapshot / "onnx").mkdir(parents=True)
    (snapshot / "model.safetensors").symlink_to("../../blobs/e3b0c442")
    (snapshot / "onnx" / "model.onnx").symlink_to("../../../blobs/e3b0c442")
    plz.configure(input=f"file://{snapshot}")
    done = plz.ok("run", "--", "sh", "-c", "cd /plz/input; find . -type l; cat model.safetensors onnx/model.onnx")
    assert done.out == "weights\nweights\n" and "** " not in done.err, str(done)


def test_links_into_what_is_stored_are_relative(plz):
    plz.write("in.txt", "captured\n")
    (plz.project / "link.txt").symlink_to(plz.project / "in.txt")
    done = plz.ok("run", "-o", plz.root / "out", "--", "sh", "-c",
                  "readlink link.txt; cd /plz/output; mkdir d; echo best > d/1; ln -s /plz/output/d/1 d/last")
    assert done.out == "in.txt\n", str(done)
    assert os.readlink(plz.root / "out" / "d" / "last") == "1"
    assert (plz.root / "out" / "d" / "last").read_text() == "best\n"


def test_no_link_of_a_job_is_followed(plz):
    secret = plz.root / "secret"
    secret.write_text("not the job's")
    done = plz.ok("run", "-o", plz.root / "out", "--", "sh", "-c", f"ln -s {secret} /plz/output/secret; mkdir -p "
                  f"/plz/output/models--a/snapshots/r; ln -s {secret} /plz/output/models--a/snapshots/r/x")
    assert os.readlink(plz.root / "out" / "secret") == str(secret)
    assert (plz.root / "out" / "models--a" / "snapshots" / "r" / "x").is_symlink()
    assert "** in the output, 2 links lead out of what is captured" in done.err, str(done)
    assert "not all of the output" not in done.err, str(done)


def test_a_link_that_leads_elsewhere_now_is_captured_as_it_leads_now(plz):
    """What it led to is in the cache of file states, and both have the same size and times."""
    for name in ("one", "two"):
        (plz.root / name).mkdir()
        (plz.root / name / "file").write_text(name)
        os.utime(plz.root / name / "file", (1_600_000_000, 1_600_000_000))
    plz.configure(follow_links=True)
    directory, file = plz.project / "directory", plz.project / "file"
    for name in ("one", "two", "one"):
        for link, target in ((directory, plz.root / name), (file, plz.root / name / "file")):
            link.unlink(missing_ok=True)
            link.symlink_to(target)
        assert plz.ok("run", "--", "cat", "directory/file", "file").out == name * 2
