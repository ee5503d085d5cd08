"""A real terminal: a tmux server of its own, driven by keys and read as a person would see it."""

import itertools
import shutil
import subprocess

import pytest

from conftest import wait_until

WIDTH, HEIGHT = 100, 40
_numbers = itertools.count()


class Terminal:
    """A shell in a window, where `plz` is on the PATH. Its prompt is "$ "."""

    def __init__(self, plz, **environment):
        self.socket = str(plz.root / f"tmux-{next(_numbers)}")
        self.env = {**plz.env, "TERM": "xterm-256color", **environment}
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), "-c", str(plz.project),
                   "sh")
        self.type("PS1='$ '; clear")
        self.wait_for(lambda screen: screen == "$")

    def _tmux(self, *words):
        done = subprocess.run(["tmux", "-u", "-S", self.socket, *words], env=self.env, capture_output=True, timeout=90)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def keys(self, text):
        self._tmux("send-keys", "-l", text)

    def type(self, line):
        self.keys(line)
        self._tmux("send-keys", "Enter")

    def press(self, key):
        self._tmux("send-keys", key)

    def screen(self, escapes=False):
        """With what has scrolled away, lines that were wrapped joined; `escapes`: with colours."""
        words = ["capture-pane", "-p", "-J", "-S", "-"] + (["-e"] if escapes else [])
        return "\n".join(line.rstrip() for line in self._tmux(*words).rstrip().splitlines())

    def wait_for(self, condition, timeout=120):
        seen = [""]

        def look():
            seen[0] = self.screen()
            return condition(seen[0])

        try:
            wait_until(look, timeout)
        except AssertionError:
            raise AssertionError("the screen stayed at:\n" + seen[0]) from None
        return seen[0]

    def run(self, line, timeout=120):
        """What is on the screen once the prompt is back."""
        self.type("clear; " + line)
        return self.wait_for(lambda screen: screen.endswith("\n$") and "clear;" not in screen, timeout)

    def end(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], env=self.env, capture_output=True, timeout=90)


@pytest.fixture
def terminal(plz):
    """Makes terminals; they end with the test."""
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")
    opened = []

    def make(**environment):
        opened.append(Terminal(plz, **environment))
        return opened[-1]

    yield make
    for one in opened:
        one.end()
