"""What a person sees on a terminal: a real one, of tmux, compared line by line."""

import os
import re
import subprocess

from terminal import WIDTH, terminal  # noqa: F401

RED, YELLOW = "\033[31m", "\033[33m"

JOB = """
import json, os
c = json.load(open(os.environ["CONFIGURATION_FILE"]))
print("epoch 1 loss 0.52")
os.mkdir(c["output_directory"] + "/models")
open(c["output_directory"] + "/models/net.pt", "w").write("weights")
json.dump({"accuracy": 0.91}, open(c["summary_measures_path"], "w"))
"""

RUN = """{i}Capturing the files in {project}
{i}Building the program snapshot
{i}Sending request to start execution
{i}Execution ID is: {id}
{i}Streaming logs...
epoch 1 loss 0.52

{i}Harvesting the output...
{i}Retrieving summary of measures (if present)...
{{
  "accuracy": 0.91
}}
{i}Execution succeeded.
{i}Retrieving the output...
models
models/net.pt
{i}Done and dusted.
$"""


def without_waiting(screen):
    """Where no instance runs yet after some seconds, that is said."""
    return "\n".join(line for line in screen.splitlines() if " Waiting for " not in line)


def id_on(screen):
    return re.search(r"Execution ID is: ([0-9a-f-]{36})", screen).group(1)


def test_a_run_speaks_with_emojis(plz, terminal):
    plz.write("job.py", JOB)
    screen = without_waiting(terminal().run("plz run -- python3 job.py"))
    assert screen == RUN.format(i="👌 ", project=plz.project, id=id_on(screen))


def test_without_emojis(plz, terminal):
    plz.write("job.py", JOB)
    plz.configure(use_emojis=False)
    screen = without_waiting(terminal().run("plz run -- python3 job.py"))
    assert screen == RUN.format(i="=> ", project=plz.project, id=id_on(screen))


def test_results_alone_go_through_a_pipe(plz, terminal):
    """Messages still go to the terminal, in its voice; the pipe gets what the job printed."""
    plz.write("job.py", JOB)
    screen = terminal().run("plz run -- python3 job.py | sed 's/^/piped: /'")
    assert re.findall("^piped: .*", screen, re.M) == ["piped: epoch 1 loss 0.52"]
    assert "👌 Execution succeeded." in screen


def test_a_failure_is_red(terminal):
    window = terminal()
    screen = window.run("plz run -- sh -c 'exit 42'; echo $?")
    assert screen.splitlines()[-3:] == ["💥 Execution failed with an exit status of 42.", "42", "$"]
    assert RED + "💥 Execution failed" in window.screen(escapes=True)


def test_no_color_is_honoured(plz, terminal):
    plz.configure(comand=["true"])
    for window, colour in ((terminal(), RED), (terminal(NO_COLOR="1"), "")):
        screen = window.run("plz run")
        assert screen.splitlines()[0].startswith('💥 ') and '"comand"' in screen
        seen = window.screen(escapes=True)
        assert (RED in seen) == bool(colour) and ("\033[3" in seen) == bool(colour), repr(seen)


def test_a_warning_is_yellow(plz, terminal):
    plz.configure(max_bid_price_in_dollars_per_hour=1)
    window = terminal()
    screen = window.run("plz run -- true")
    assert re.search("^✋ .*max_bid_price", screen, re.M), screen
    assert YELLOW + "✋ " in window.screen(escapes=True)


def test_ctrl_c_leaves_the_job_running_and_says_how_to_reattach(plz, terminal):
    window = terminal()
    window.type("clear; plz run -- sh -c 'echo begun; sleep 600'")
    window.wait_for(lambda screen: re.search("^begun$", screen, re.M))
    window.press("C-c")
    screen = window.wait_for(lambda screen: screen.endswith("\n$"))
    execution = id_on(screen)
    assert screen.splitlines()[-3:] == [
        "^C",
        f"👌 The execution goes on. To see it again: plz logs {execution}; to end it: plz stop {execution}",
        "$"]
    window.type("echo status $?")
    window.wait_for(lambda screen: screen.endswith("\nstatus 130\n$"))
    plz.wait_for_state(execution, "running")
    window.type(f"clear; plz logs {execution} -s start")
    window.wait_for(lambda screen: screen == "👌 Streaming logs...\nbegun")
    plz.ok("stop", execution)
    window.wait_for(lambda screen: screen.endswith("\n$"))


def test_ctrl_c_before_anything_was_submitted(plz, terminal):
    """In the middle of a capture, which is held up meanwhile."""
    window, slow = begin_slow_capture(plz, terminal)
    window.press("C-c")
    # The progress may be shown anew over it.
    window.wait_for(lambda screen: "^C" in screen or "nothing was submitted" in screen)
    slow.unlink()
    screen = window.wait_for(lambda screen: screen.endswith("\n$"))
    assert "nothing was submitted" in screen.lower() and "Execution ID" not in screen, screen
    assert plz.json("history") == {}


def test_a_slow_capture_shows_its_progress_and_takes_it_away_again(plz, terminal):
    window, slow = begin_slow_capture(plz, terminal)
    assert len(window.screen().splitlines()[-1]) < WIDTH
    slow.unlink()
    screen = window.wait_for(lambda screen: screen.endswith("\n$"))
    assert "hashed" not in screen
    expected = ["👌 Capturing the input", f"👌 {INPUT_BYTES} input bytes to upload", "👌 Sending request to start execution"]
    lines = screen.splitlines()
    at = lines.index(expected[0])
    assert lines[at:at + 3] == expected


INPUT_BYTES = 200 << 20

# Large files are read in pieces of some MiB. While the file SLOW is there, each of the first half takes half a second,
# and each of the second half a minute.
PREAD = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
ssize_t pread(int file, void *buffer, size_t size, off_t offset) {
  ssize_t (*real)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, "pread");
  const char *slow = getenv("SLOW");
  int tenths = size <= 1 << 20 ? 0 : offset < 100 << 20 ? 5 : 600;
  while (slow && tenths-- > 0 && access(slow, F_OK) == 0) usleep(100000);
  return real(file, buffer, size, offset);
}
ssize_t pread64(int file, void *buffer, size_t size, off64_t offset) { return pread(file, buffer, size, offset); }
"""


def begin_slow_capture(plz, terminal):
    """A run that stands still in its capture, with the progress on the screen; and the file that holds it up."""
    plz.ok("ping-backend")
    with open(plz.root / "digits", "wb") as f:
        for _ in range(INPUT_BYTES >> 20):
            f.write(os.urandom(1 << 20))
    plz.configure(input=f"file://{plz.root}/digits", command=["true"])
    library, slow = plz.home / "pread.so", plz.home / "slow"
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-o", library, "-"], input=PREAD.encode(), check=True)
    slow.touch()
    window = terminal()
    window.type(f"clear; LD_PRELOAD={library} SLOW={slow} plz run")
    progress = r"^1 file, [\d.]+ MiB of 200.0 MiB hashed, [\d.]+ \w+ sent\Z"
    window.wait_for(lambda screen: re.search(progress, screen, re.M))
    return window, slow
