"""docs/commands.md and the manual page say what the command line's own help says."""

import os
import pathlib
import re
import subprocess

import pytest

from conftest import BIN

DOCS = pathlib.Path(os.environ.get("PLZ_DOCS", pathlib.Path(__file__).parents[2] / "docs"))
COMMANDS, MANUAL, STARTED = DOCS / "commands.md", DOCS / "man" / "plz.1", DOCS / "getting-started.md"

pytestmark = pytest.mark.skipif(not COMMANDS.exists(), reason="the documentation is not beside the tests")

OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")
INVOCATION = re.compile(r"\bplz ((?:-\w+ \S+ )*)([a-z][a-z-]*)([^|;)\n`]*)")


def help_of(*words):
    done = subprocess.run([BIN / "plz", *words, "--help"], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def options():
    """{command: its long options}; "": the global ones. From the lines of the help that list them."""
    def listed(text):
        return {name for line in text.splitlines() if line.startswith("  -") for name in OPTION.findall(line[:60])}
    top = help_of()
    commands = re.findall(r"^  ([a-z][a-z-]*) {2,}", top.split("Commands:")[1], re.M)
    assert "run" in commands and "history" in commands
    return {"": listed(top), **{command: listed(help_of(command)) for command in commands}}


def code_in(markdown):
    """Blocks and spans, a line each."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", markdown, re.M | re.S)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", markdown, flags=re.M | re.S))
    # What a command prints says "plz" too: of a session, the lines that were typed.
    typed = [line for block in blocks for line in block.splitlines() if not sessions(block) or line.startswith("$ ")]
    return typed + spans


def sessions(block):
    return re.search(r"^\$ ", block, re.M)


def invocations(lines):
    """(command, long options) of each `plz …`; what follows -- belongs to the job."""
    for line in lines:
        for _, command, rest in INVOCATION.findall(re.split(r"(?<!\S)-- ", line)[0]):
            yield command, OPTION.findall(re.split(r"\s'", rest)[0])


def faults(lines, options):
    found = []
    for command, used in invocations(lines):
        if command == "help":
            continue
        if command not in options:
            found.append(f"there is no plz {command}")
        else:
            found += [f"plz {command} has no --{name}" for name in used if not is_known(name, options, command)]
    return found


def is_known(name, options, command):
    """Shortened ones are known too."""
    return any(option.startswith(name) for option in options[command] | options[""])


def sections(markdown):
    """{heading: text} of the second level."""
    parts = re.split(r"^## (.+)$", markdown, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def test_each_command_and_option_is_described(options):
    described = sections(COMMANDS.read_text())
    assert [name for name in options if name and name not in described] == []
    for command, known in options.items():
        text = described[command] if command else COMMANDS.read_text().split("\n## ")[0]
        expected = known - ({"help"} if command else set())
        assert sorted(expected - set(OPTION.findall(text))) == [], command


def test_nothing_else_is_described(options):
    described = sections(COMMANDS.read_text())
    for command in set(options) - {""}:
        spans = [span for span in code_in(described[command]) if "plz " not in span]
        known = options[command] | options[""]
        others = set().union(*options.values())
        for name in set(OPTION.findall("\n".join(spans))):
            # An option of another command is spoken of with that command's name before it.
            assert name in known, f"{command}: --{name}" + (" is another command's" if name in others else "")
    assert set(described) - set(options) == {"Exit statuses"}


@pytest.mark.parametrize("page", ["commands.md", "getting-started.md", "configuration.md", "what-a-job-sees.md",
                                  "metadata.md", "containers.md", "environments.md", "registries.md", "api/README.md"])
def test_what_the_pages_tell_to_type_exists(options, page):
    lines = code_in((DOCS / page).read_text())
    assert faults(lines, options) == []


def test_the_checks_find_faults(options):
    assert faults(["plz runn -- x"], options) == ["there is no plz runn"]
    assert faults(["plz -c x.json run --jump 3 -- true --of-the-job"], options) == ["plz run has no --jump"]
    assert faults(["$(plz last) plz output --out x"], options) == []


@pytest.mark.skipif(not MANUAL.exists(), reason="there is no manual page")
def test_the_manual_page(options):
    text = MANUAL.read_text().replace(r"\-", "-")
    text = re.sub(r"\\f[BIRP]|^\.[A-Z]+ ?", "", text, flags=re.M)
    assert set(OPTION.findall(text)) - set().union(*options.values()) == set()
    assert [command for command in options if command and not re.search(rf"^{command}\b", text, re.M)] == []
    every_option = set().union(*options.values())
    assert sorted(every_option - set(OPTION.findall(text))) == []


def test_links_lead_somewhere():
    for page in [*DOCS.rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_index_of_decisions_is_whole():
    decisions = DOCS / "decisions"
    linked = set(re.findall(r"\]\(([^)]+\.md)\)", (decisions / "README.md").read_text()))
    assert linked == {page.name for page in decisions.glob("*.md")} - {"README.md"}


@pytest.mark.skipif(not (DOCS.parent / "src").exists(), reason="the sources are not beside the tests")
def test_files_that_pages_name_exist():
    for page in DOCS.rglob("*.md"):
        for name in re.findall(r"`((?:src/)?[a-z]+/[\w/]+\.(?:cc|h|sql))`", page.read_text()):
            assert (DOCS.parent / "src" / name.removeprefix("src/")).exists(), f"{page.name}: {name}"


def test_each_promise_of_security_names_a_test_that_exists():
    rows = [line for line in (DOCS / "security.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    for row in rows:
        file, name = re.search(r"`(test_\w+\.py)::(test_\w+)` \|$", row).groups()
        assert f"def {name}(" in (pathlib.Path(__file__).parent / file).read_text(), row
