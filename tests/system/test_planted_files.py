"""Files that are followed for where they lie, and that somebody else could have put there."""

import json
import os
import subprocess

import pytest

from conftest import BIN

STRANGER = 12345

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of others")


@pytest.fixture
def above(plz):
    """plz.config.json of a directory above the project, whose job shows that it was followed."""
    path = plz.root / "plz.config.json"
    path.write_text(json.dumps({"environment": {"PLANTED": "yes"}, "host": "planted.example"}))
    return path


def refused(plz, path, why, **kwargs):
    running = plz.processes("plz-controller")
    for words in (("run", "--", "true"), ("list",)):
        done = plz(*words, **kwargs)
        assert done.status in (1, 125), str(done)
        first = done.err.splitlines()[0]
        assert str(path) in first and why in first and "nothing of it is used" in first, str(done)
        assert "planted" not in done.err and "PLANTED" not in done.err
    assert plz.processes("plz-controller") == running
    return done.err


def trust(plz, *directories):
    path = plz.home / ".config" / "plz" / "plz.config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"safe_directories": [str(each) for each in directories], "host": None}))


def sees(plz, **kwargs):
    """What the job has of the variable; the environment takes back the planted host."""
    env = {"PLZ_HOST": "", **kwargs.pop("env", {})}
    return plz.ok("run", "--", "sh", "-c", "echo got $PLANTED", env=env, **kwargs).out


def test_what_all_can_write_is_not_followed(plz, above):
    above.chmod(0o666)
    err = refused(plz, above, "can be changed by everybody")
    assert f'add "{plz.root}" to safe_directories in {plz.home}/.config/plz/plz.config.json' in err
    trust(plz, plz.root)
    assert sees(plz) == "got yes\n"


def test_what_all_can_replace_is_not_followed(plz, above):
    plz.root.chmod(0o777)
    refused(plz, above, "everybody can put another in its place")
    plz.root.chmod(0o1777)
    assert sees(plz) == "got yes\n"


def test_a_group_of_ones_own_may_write(plz, above):
    above.chmod(0o664)
    plz.root.chmod(0o775)
    assert sees(plz) == "got yes\n"


def test_the_environment_may_trust_too(plz, above):
    above.chmod(0o666)
    assert sees(plz, env={"PLZ_SAFE_DIRECTORIES": f'["{plz.root}/*"]'}) == "got yes\n"
    assert sees(plz, env={"PLZ_SAFE_DIRECTORIES": "*"}) == "got yes\n"


def test_a_project_cannot_vouch_for_others(plz, above):
    above.chmod(0o666)
    plz.configure(safe_directories="*")
    refused(plz, above, "can be changed by everybody")
    above.chmod(0o644)
    done = plz("run", "--", "true")
    assert done.status == 125 and f"{plz.project}/plz.config.json:1:2: safe_directories: cannot be set here" in done.err


def test_the_users_own_file_is_held_to_it(plz):
    trust(plz, "*")
    own = plz.home / ".config" / "plz" / "plz.config.json"
    own.chmod(0o646)
    refused(plz, own, "can be changed by everybody")


def test_given_files_and_dockerfiles_are_held_to_it(plz):
    given = plz.root / "given.json"
    given.write_text('{"host": "planted.example"}')
    given.chmod(0o606)
    refused(plz, given, "can be changed by everybody", env={"PLZ_CONFIGURATION_PATH": str(given)})
    done = plz("-c", given, "run", "--", "true")
    assert done.status == 125 and f"given by -c: {given} can be changed by everybody" in done.err
    dockerfile = plz.write("plz.Dockerfile", "FROM planted.example/image\n", 0o666)
    refused(plz, dockerfile, "can be changed by everybody")


def test_ignore_rules_above_the_code_are_held_to_it(plz):
    subprocess.run(["git", "init", "-q", plz.root], check=True)
    ignore = plz.root / ".gitignore"
    ignore.write_text("*.txt\n")
    plz.write("kept.txt", "x")
    plz.write("train.py", "")
    ignore.chmod(0o646)
    done = plz("run", "--", "true")
    assert done.status == 125 and f"{ignore} can be changed by everybody" in done.err, str(done)
    trust(plz, plz.root)
    assert "kept.txt" in plz.ok("list-context", "-e").out


def test_a_controllers_own_settings_are_held_to_it(plz):
    plz.data.mkdir()
    settings = plz.data / "controller.toml"
    settings.write_text("idle-minutes = 3\n")
    settings.chmod(0o646)
    done = plz("run", "--", "true")
    assert done.status == 125 and f"{settings} can be changed by everybody" in done.err, str(done)


def test_a_shell_may_hand_it_over(plz):
    script = "exec {} -c <(echo '{{\"environment\": {{\"PLANTED\": \"handed over\"}}}}') run -- sh -c 'echo got $PLANTED'"
    done = subprocess.run(["bash", "-c", script.format(BIN / "plz")], cwd=plz.project, env=plz.env, capture_output=True,
                          text=True, timeout=300)
    assert done.stdout == "got handed over\n", done.stderr


@root_only
def test_what_belongs_to_another_is_not_followed(plz, above):
    os.chown(above, STRANGER, STRANGER)
    refused(plz, above, f"belongs to uid {STRANGER}, not to you")
    # As git: whoever called sudo is the person.
    assert sees(plz, env={"SUDO_UID": str(STRANGER)}) == "got yes\n"
    trust(plz, "/elsewhere", f"{plz.root.parent}/*")
    assert sees(plz) == "got yes\n"


@root_only
def test_a_link_of_another_is_not_followed(plz, above):
    ours = plz.root / "ours.json"
    above.rename(ours)
    above.symlink_to(ours)
    assert sees(plz) == "got yes\n"
    os.chown(above, STRANGER, STRANGER, follow_symlinks=False)
    refused(plz, above, f"belongs to uid {STRANGER}")


@root_only
def test_it_holds_for_an_ordinary_user(plz, above):
    """Root's files are believed, a stranger's are not."""
    def as_nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    if subprocess.run([BIN / "plz", "--version"], preexec_fn=as_nobody, capture_output=True).returncode != 0:
        pytest.skip("the programs lie where an ordinary user cannot reach them")
    plz.root.chmod(0o755)
    (plz.home / "project").mkdir()
    subprocess.run(["chown", "-R", "65534:65534", plz.home, plz.runtime], check=True)
    place = {"cwd": plz.project, "preexec_fn": as_nobody, "env": {"PLZ_DATA_DIR": str(plz.home / "data")}}
    above.write_text(json.dumps({"project": "roots"}))
    assert plz("list", **place).status == 0
    os.chown(above, STRANGER, STRANGER)
    done = plz("list", **place)
    assert done.status == 1 and f"{above} belongs to uid {STRANGER}" in done.err, str(done)
