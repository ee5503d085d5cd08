"""The completions, loaded and used by the real shells."""

import re
import shutil
import subprocess

import pytest

from terminal import terminal  # noqa: F401


@pytest.fixture
def execution(plz):
    return plz.ok("run", "--", "true").id


def completion(plz, shell, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(plz.ok("completion", shell).out)


def needs(shell):
    return pytest.mark.skipif(not shutil.which(shell), reason=f"{shell} is not installed")


@needs("bash")
def test_bash(plz, execution):
    completion(plz, "bash", plz.root / "plz.bash")

    def completed(*words):
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  'f=$(complete -p plz | sed "s/.*-F \\([^ ]*\\).*/\\1/"); $f plz "${COMP_WORDS[COMP_CWORD]}" '
                  '"${COMP_WORDS[COMP_CWORD-1]}"; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "--norc", "-c", script, "bash", str(plz.root / "plz.bash"), *words], env=plz.env,
                              cwd=plz.project, capture_output=True, text=True, check=True, timeout=120)
        return [word.strip() for word in done.stdout.splitlines()]

    assert completed("plz", "des") == ["describe"]
    assert completed("plz", "describe", "") == [execution]
    assert sorted(completed("plz", "run", "--out")) == ["--output-dir", "--outputs"]


@needs("fish")
def test_fish(plz, execution):
    completion(plz, "fish", plz.home / ".config/fish/completions/plz.fish")

    def completed(line):
        done = subprocess.run(["fish", "--private", "-c", f"complete -C '{line}'"], env=plz.env, cwd=plz.project,
                              capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, "")
        return [one.split("\t")[0] for one in done.stdout.splitlines()]

    assert completed("plz des") == ["describe"]
    assert completed("plz describe ") == [execution]
    assert sorted(completed("plz run --out")) == ["--output-dir", "--outputs"]


@needs("zsh")
def test_zsh(plz, execution, terminal):
    """zsh completes only for who types: on a terminal."""
    completion(plz, "zsh", plz.home / "functions/_plz")
    (plz.home / ".zshrc").write_text("PS1='%% '\nfpath=(~/functions $fpath)\nautoload -Uz compinit\ncompinit -u -D\n")
    window = terminal()
    window.type("clear; exec zsh")
    window.wait_for(lambda screen: screen.strip() == "%")

    def completed(line, end):
        window.keys(line)
        window.press("Tab")
        screen = window.wait_for(lambda screen: re.search(end, screen, re.M))
        window.press("C-c")
        window.press("C-l")
        window.wait_for(lambda screen: screen.endswith("%") and line not in screen.splitlines()[-1])
        return screen

    completed("plz describ", "^% plz describe$")
    completed("plz describe ", f"^% plz describe {execution}$")
    completed("plz run --output-d", "^% plz run --output-dir$")
