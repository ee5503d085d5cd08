"""What bad input gets: an error that says what, where and what to do, and the right exit status."""

import json
import os
import pathlib
import socket
import stat
import subprocess

import pytest

from conftest import wait_until

OUT = "import json,os; c=json.load(open(os.environ['CONFIGURATION_FILE'])); o=c['output_directory']; m=c['measures_directory']\n"


def refused(plz, *words, status=125, **kwargs):
    done = plz(*words, **kwargs)
    assert done.status == status, str(done)
    assert "!! " in done.err, str(done)
    return done.err


def test_malformed_configuration(plz):
    plz.write("plz.config.json", '{\n  "command": ["true"],\n  "user" "ada"\n}\n')
    err = refused(plz, "run")
    assert "plz.config.json:3:10" in err or "plz.config.json:3:14" in err


def test_unknown_key(plz):
    plz.configure(comand=["true"])
    err = refused(plz, "run")
    assert '"comand"' in err and '"command"' in err and "plz.config.json" in err


def test_wrong_type(plz):
    for wrong in ({"command": "true"}, {"port": "many"}, {"resources": {"cpus": "2 of them"}}):
        plz.configure(**wrong)
        err = refused(plz, "run", "--", "true")
        assert "plz.config.json" in err and next(iter(wrong)) in err


def test_no_command(plz):
    assert "command" in refused(plz, "run")


def test_missing_input(plz):
    plz.configure(input="file://nothing/here", command=["true"])
    assert "nothing/here" in refused(plz, "run")


def test_unreadable_input(plz):
    if os.geteuid() == 0:
        pytest.skip("root can read everything")
    plz.write("data/secret", "x", 0o000)
    plz.configure(input="file://data", command=["true"])
    assert "data/secret" in refused(plz, "run")


def test_unknown_input_scheme(plz):
    plz.configure(input="ftp://somewhere", command=["true"])
    assert "ftp://" in refused(plz, "run")


def test_parameters_that_are_not_an_object(plz):
    plz.write("p.json", "[1, 2]")
    assert "object" in refused(plz, "run", "-p", "p.json", "--", "true")
    plz.write("p.json", '{"a": 1,\n "b": }')
    assert "p.json:2:" in refused(plz, "run", "-p", "p.json", "--", "true")
    assert "none.json" in refused(plz, "run", "-p", "none.json", "--", "true")


def test_an_existing_output_directory(plz):
    plz.write("results/precious", "keep me")
    refused(plz, "run", "-o", "results", "--", "true")
    assert (plz.project / "results/precious").read_text() == "keep me"


def test_odd_files_in_code_and_input(plz):
    data = plz.project / "data"
    data.mkdir()
    os.mkfifo(data / "fifo")
    s = socket.socket(socket.AF_UNIX)
    cwd = os.getcwd()
    os.chdir(data)
    s.bind("sock")
    os.chdir(cwd)
    os.symlink("loop", data / "loop")
    os.symlink("/nowhere/at/all", data / "dangling")
    (data / "plain").write_text("plain\n")
    os.link(data / "plain", data / "hard")
    open(os.fsencode(data) + b"/not-utf8-\xff", "w").write("odd\n")
    (data / "new\nline").write_text("nl\n")
    (data / ("x" * 255)).write_text("long\n")
    deep = data
    for _ in range(200):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "bottom").write_text("deep\n")
    plz.configure(input="file://data")
    plz.write("look.py", OUT + """
i = c['input_directory']
names = sorted(os.listdir(os.fsencode(i)))
print(len(names), b'not-utf8-\\xff' in names, b'new\\nline' in names, b'x' * 255 in names, b'fifo' in names, b'sock' in names)
print(os.readlink(i + '/dangling'), os.readlink(i + '/loop'), open(i + '/hard').read().strip())
print(open(i + '/' + 'd/' * 200 + 'bottom').read().strip())
""")
    done = plz.ok("run", "--", "python3", "look.py")
    assert done.out == "8 True True True False False\n/nowhere/at/all loop plain\ndeep\n"
    assert "** " in done.err and "fifo" in done.err and "sock" in done.err


def test_devices_in_code_and_input(plz):
    try:
        for name in ("code/null", "data/null"):
            plz.write(f"{pathlib.Path(name).parent}/plain", "plain\n")
            os.mknod(plz.project / name, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("devices cannot be made here")
    plz.configure(input="file://data", context_path="code")
    done = plz.ok("run", "--", "python3", "-c", OUT + "print(os.listdir('.'), os.listdir(c['input_directory']))")
    assert done.out == "['plain'] ['plain']\n", str(done)
    warnings = [line for line in done.err.splitlines() if line.startswith("** ")]
    assert len(warnings) == 2 and all("null" in line and "device" in line and "left out" in line for line in warnings), str(done)


def test_a_sparse_file_of_20_gigabytes(plz):
    with open(plz.project / "sparse", "wb") as f:
        f.truncate(20 << 30)
        f.seek(10 << 30)
        f.write(b"needle")
    plz.configure(input="file://sparse")
    plz.write("look.py", OUT + """
f = open(c['input_directory'] + '/sparse', 'rb')
f.seek(10 << 30)
print(os.fstat(f.fileno()).st_size, f.read(6), f.read(2))
""")
    plz.configure(input="file://sparse", excluded_paths=["sparse"])
    done = plz.ok("run", "--", "python3", "look.py")
    assert done.out == f"{20 << 30} b'needle' b'\\x00\\x00'\n"


def test_files_that_change_while_captured(plz):
    (plz.project / "data").mkdir()
    victim = plz.project / "data" / "growing"
    victim.write_bytes(b"x" * 1000)
    plz.configure(input="file://data", command=["true"])
    stop = plz.root / "stop"
    writer = subprocess.Popen(["python3", "-c", f"""
import os, time
while not os.path.exists({str(stop)!r}):
    for i in range(20):
        open({str(plz.project / 'data')!r} + f'/tmp{{i}}', 'w').write('x' * 5000)
    for i in range(20):
        os.unlink({str(plz.project / 'data')!r} + f'/tmp{{i}}')
"""])
    try:
        for _ in range(5):
            done = plz("run")
            assert done.status in (0, 125), str(done)
            if done.status == 125:
                assert "changed while" in done.err or "changing" in done.err, str(done)
    finally:
        stop.touch()
        writer.wait()
    plz.ok("run")


def test_binary_long_and_unterminated_lines(plz):
    done = plz.ok("run", "--", "python3", "-c",
                  "import sys; sys.stdout.buffer.write(bytes(range(256)) * 4000 + b'x' * 100_000_000 + b'no newline')",
                  timeout=600)
    assert done.out_bytes == bytes(range(256)) * 4000 + b"x" * 100_000_000 + b"no newline"


def test_stdout_and_stderr_are_one_log_in_order(plz):
    done = plz.ok("run", "--", "sh", "-c", "echo 1; echo 2 >&2; echo 3; echo 4 >&2")
    assert done.out == "1\n2\n3\n4\n"


def test_truncating_stdout_keeps_the_log(plz):
    assert plz.ok("run", "--", "sh", "-c", "echo one; echo two > /dev/stdout; echo three").out == "one\ntwo\nthree\n"


def test_daemons_end_with_the_command(plz):
    seconds = f"300.{os.getpid()}"  # nobody else's sleep
    plz.ok("run", "--", "sh", "-c",
           f"setsid sleep {seconds} & (sleep {seconds} &) ; exec >&- 2>&-; sleep 0.2")
    sleepers = ["pgrep", "-f", f"^sleep {seconds}$"]
    wait_until(lambda: subprocess.run(sleepers, stdout=subprocess.PIPE).stdout == b"", what="the daemons' end")


def test_a_job_that_deletes_its_output_directory(plz):
    done = plz("run", "--", "python3", "-c", OUT + """
import shutil
shutil.rmtree(o, ignore_errors=True)
print('removed')
""")
    assert done.status == 0 and done.out == "removed\n", str(done)


def test_odd_files_in_the_output(plz):
    done = plz.ok("run", "--", "python3", "-c", OUT + """
import socket
os.mkfifo(o + '/fifo')
s = socket.socket(socket.AF_UNIX); os.chdir(o); s.bind('sock')
open(o + '/program', 'w').write('x'); os.chmod(o + '/program', 0o4755)
open(o + '/closed', 'w').write('y'); os.chmod(o + '/closed', 0o000)
""")
    out = plz.project / "output" / done.id
    (said,) = [line for line in done.err.splitlines() if line.startswith("** not all of the output was kept: ")]
    assert "fifo is a fifo and is left out" in said and "sock is a socket" in said, str(done)
    assert ("cannot read closed" in said) == (os.geteuid() != 0), str(done)
    # Root can read everything; others are told of what they cannot.
    assert sorted(p.name for p in out.iterdir()) == (["closed", "program"] if os.geteuid() == 0 else ["program"])
    assert (out / "program").stat().st_mode & 0o7777 == 0o755


HUNGRY = "x = bytearray(1 << 30)\nfor i in range(0, len(x), 4096): x[i] = 1\nprint('survived')"


def make_cgroup(controller, **limits):
    """A group for a test's own use: of version 1 or 2, as the machine has. None where none can be made."""
    for version, parent in (("v1", f"/sys/fs/cgroup/{controller}"), ("v2", "/sys/fs/cgroup")):
        group = pathlib.Path(parent, f"plz-test-{os.getpid()}")
        try:
            group.mkdir()
        except OSError:
            continue
        name, limit = limits[version]
        try:
            (group / name).write_text(limit)
            return group
        except OSError:
            group.rmdir()
    return None


def make_memory_cgroup(limit_bytes):
    return make_cgroup("memory", v1=("memory.limit_in_bytes", str(limit_bytes)), v2=("memory.max", str(limit_bytes)))


def run_in(plz, group, *words):
    """And removes the group."""
    try:
        return plz("run", "--", *words, preexec_fn=lambda: (group / "cgroup.procs").write_text(str(os.getpid())))
    finally:
        plz.end()
        wait_until(lambda: (group / "cgroup.procs").read_text() == "", what="the group to be empty")
        group.rmdir()


def test_out_of_memory(plz):
    group = make_memory_cgroup(1 << 30)
    if group:
        group.rmdir()
    plz.configure(resources={"memory": "64MiB"})
    done = plz("run", "--", "python3", "-c", HUNGRY)
    if done.status == 0 and not group:
        pytest.skip("no memory cgroup can be made here")
    assert done.status == 137, str(done)
    assert "!! Execution was killed by signal 9 (SIGKILL): out of memory" in done.err, str(done)
    assert plz.json("describe")["outcome"]["out_of_memory"] is True


def test_a_memory_limit_that_cannot_be_enforced_is_said_once(plz):
    group = make_memory_cgroup(1 << 30)
    if group:
        group.rmdir()
    plz.configure(resources={"memory": "64MiB"})
    said = "the memory limit of 64.0 MiB was not enforced: "
    done = plz.ok("run", "--", "true")
    reason = plz.json("describe", done.id)["outcome"]["reason"]
    if said not in done.err:
        assert group or plz("run", "--", "python3", "-c", HUNGRY).status == 137, "neither enforced nor said"
        assert "memory limit" not in done.err + reason, str(done)
    else:
        assert not group, str(done)
        assert done.err.count("** " + said) == 1 and "cgroup" in done.err, str(done)
        assert said in reason, reason
        failed = plz("run", "--", "false")
        assert failed.status == 1 and failed.err.count("** " + said) == 1, str(failed)
    # Who asks for no limit hears of none.
    plz.configure()
    assert "memory limit" not in plz.ok("run", "--", "true").err


def test_probably_out_of_memory(plz):
    """The limit is not plz's own, as that of a machine is not: the kernel's count of kills has risen."""
    group = make_memory_cgroup(300 << 20)
    if not group:
        pytest.skip("no memory cgroup can be made here")
    done = run_in(plz, group, "python3", "-c", HUNGRY)
    assert done.status == 137, str(done)
    assert "!! Execution was killed by signal 9 (SIGKILL): probably out of memory" in done.err, str(done)


def test_a_part_of_a_processor(plz):
    """As a container or a pod has: an execution that asks for nothing in particular runs."""
    group = make_cgroup("cpu", v1=("cpu.cfs_quota_us", "50000"), v2=("cpu.max", "50000 100000"))
    if not group:
        pytest.skip("no group with a part of a processor can be made here")
    done = run_in(plz, group, "echo", "done")
    assert (done.status, done.out) == (0, "done\n"), str(done)


def test_unknown_things(plz):
    plz.ok("run", "--", "true")
    missing = "019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11"
    for command in ("status", "logs", "output", "measures", "describe", "stop"):
        done = plz(command, missing)
        assert done.status != 0 and missing in done.err, (command, done)
    done = plz("statsu")
    assert done.status == 2 and "status" in done.err, str(done)
    done = plz("run", "--outptu-dir", "x", "--", "true")
    assert done.status == 2 and "--output-dir" in done.err, str(done)


def test_a_command_where_an_execution_belongs(plz):
    plz.ok("run", "--", "true")
    for command in ("status", "describe", "stop"):
        done = plz(command, "list")
        assert done.status == 2 and "list" in done.err, (command, done)


def test_what_can_never_be_met(plz):
    """Refused before anything is captured, with what there is; or queued, where that is asked for."""
    plz.ok("run", "--", "true")  # a controller that was just started has heard of no machine yet, and refuses later
    known = plz.json("history").keys()
    for resources, words in (({"cpus": 9999}, "9999 processors: this machine has "), ({"gpus": 1000}, "1000 GPUs: "),
                             ({"memory": "900TiB"}, "of memory: this machine has ")):
        plz.configure(command=["true"], resources=resources)
        done = plz("run")
        assert done.status == 125 and words in done.err and "--wait-anyway" in done.err, str(done)
        assert "Building the program snapshot" not in done.err
        plz.configure(command=["true"], resources=resources, parallel_indices_range=[0, 3])
        done = plz("run")
        assert done.status == 125 and words in done.err, str(done)
    assert plz.json("history").keys() == known
    plz.configure(command=["true"], resources={"cpus": 9999})
    process = plz.popen("run", "--wait-anyway")
    said = b""
    while b"9999 processors: no instance has more than" not in said:  # at first there may be none at all
        piece = os.read(process.stderr.fileno(), 4096)
        assert piece, said
        said += piece
    process.send_signal(2)
    assert process.wait(120) == 130
    plz.ok("stop")
    last = plz.ok("last").out.strip()
    # What is run again asks for the same.
    done = plz("rerun", last)
    assert done.status == 125 and "9999 processors: this machine has " in done.err, str(done)
    plz.ok("rerun", last, "--wait-anyway", "--detach")
    plz.ok("stop")
    plz.configure(command=["true"], wait_anyway=True, resources={"cpus": 9999})
    plz.ok("run", "--detach")
    plz.ok("stop")


def test_plz_does_not_capture_its_own_data(plz):
    """The project is the home, and the data lies in it."""
    env = {"PLZ_DATA_DIR": str(plz.project / ".local/share/plz")}
    try:
        plz.ok("run", "--", "true", env=env)
        assert ".local/share/plz/" not in plz.ok("list-context", env=env).out
    finally:
        plz.data = plz.project / ".local/share/plz"


def test_nothing_was_run_yet(plz):
    for command in ("last", "logs", "status"):
        done = plz(command)
        assert done.status != 0 and "plz run" in done.err, (command, done)
    assert plz.json("history") == {}


def test_where_that_does_not_parse(plz):
    done = plz("history", "--where", "parameters.lr <")
    assert done.status != 0 and "column" in done.err, str(done)


def test_an_unreachable_host(plz):
    done = plz("run", "--", "true", env={"PLZ_HOST": "127.0.0.1", "PLZ_PORT": "1"})
    assert done.status == 125 and "127.0.0.1:1" in done.err, str(done)
    # As other commands do: nothing is read and waited for before.
    assert "Building the program snapshot" not in done.err and "trying again" not in done.err, str(done)


# No network file system can be mounted here: what lies below NETWORK says that it lies on one.
STATFS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <linux/magic.h>
int statfs(const char *path, struct statfs *found) {
  int (*real)(const char *, struct statfs *) = dlsym(RTLD_NEXT, "statfs");
  const char *network = getenv("NETWORK");
  int status = real(path, found);
  if (status == 0 && network && strncmp(path, network, strlen(network)) == 0) found->f_type = NFS_SUPER_MAGIC;
  return status;
}
"""


def test_a_home_on_a_network_file_system(plz):
    library = plz.root / "statfs.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-o", library, "-"], input=STATFS.encode(), check=True)
    network = {"LD_PRELOAD": str(library), "NETWORK": str(plz.home)}
    data = plz.home / ".local" / "share" / "plz"
    done = plz("run", "--", "true", env={**network, "PLZ_DATA_DIR": str(data)})
    assert done.status == 125
    assert f"{data} lies on a network file system (nfs)" in done.err
    assert "PLZ_DATA_DIR" in done.err
    assert not list(data.iterdir())
    # As it is advised, with the home where it was.
    assert plz.ok("run", "--", "echo", "here", env=network).out.endswith("here\n")
