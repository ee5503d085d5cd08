"""A job has what the shell that submitted it has, and nothing of the shell that happened to start plz first."""

import fcntl
import json
import os
import resource
import stat

import pytest

LOOK = r'''
import json, os, resource
print(json.dumps({"nofile": resource.getrlimit(resource.RLIMIT_NOFILE), "nice": os.nice(0),
                  "processors": sorted(os.sched_getaffinity(0)), "stack": resource.getrlimit(resource.RLIMIT_STACK)[0]}))
'''


def shell(nofile=None, nice=0, processors=None, umask=None):
    """For preexec_fn."""
    def become():
        if nofile:
            resource.setrlimit(resource.RLIMIT_NOFILE, nofile)
        if processors:
            os.sched_setaffinity(0, processors)
        if umask is not None:
            os.umask(umask)
        os.nice(nice)
    return become


def look(plz, **kwargs):
    plz.write("look.py", LOOK)
    done = plz.ok("run", "--", "python3", "look.py", **kwargs)
    return json.loads(done.out), done


def test_a_job_has_the_attributes_of_its_shell(plz):
    one = {min(os.sched_getaffinity(0))}
    ours, _ = look(plz)
    theirs, done = look(plz, preexec_fn=shell((321, 400), 3, one))
    assert theirs["nofile"] == [321, 400] and theirs["processors"] == sorted(one), theirs
    assert theirs["nice"] == ours["nice"] + 3
    recorded = plz.json("history")[done.id]["metadata"]["process"]
    assert recorded["limits"]["nofile"] == "321:400" and recorded["affinity"] == str(min(one))
    assert recorded["niceness"] == theirs["nice"]
    assert look(plz)[0] == ours


def test_the_first_shell_binds_nobody_else(plz):
    ours = {"nofile": list(resource.getrlimit(resource.RLIMIT_NOFILE)), "processors": sorted(os.sched_getaffinity(0))}
    first, _ = look(plz, preexec_fn=shell((64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]), 0, {min(ours["processors"])}))
    assert first["nofile"][0] == 64 and len(first["processors"]) == 1
    # All processors of the machine are there to be given.
    plz.configure(resources={"cpus": len(ours["processors"])})
    later, _ = look(plz)
    assert {name: later[name] for name in ours} == ours


def test_what_cannot_be_given_is_said(plz):
    if os.geteuid() == 0:
        pytest.skip("root may raise any limit")
    plz.ok("ping-backend", preexec_fn=shell((256, 256)))
    seen, done = look(plz)
    assert seen["nofile"] == [256, 256]
    wanted = ":".join(map(str, resource.getrlimit(resource.RLIMIT_NOFILE)))
    assert f"could not be given: nofile {wanted} (it has 256:256)" in done.err, str(done)
    assert "could not be given" in plz.json("describe", done.id)["outcome"]["reason"]


@pytest.mark.parametrize("umask, of_file, of_directory", [(0o077, 0o600, 0o700), (0o002, 0o664, 0o775), (0o022, 0o644, 0o755)])
def test_a_job_has_the_umask_of_its_shell(plz, umask, of_file, of_directory):
    plz.ok("ping-backend")
    done = plz.ok("run", "--", "sh", "-c", "umask; cd /plz/output; mkdir d; echo x > d/f; echo x > f",
                  preexec_fn=shell(umask=umask))
    assert int(done.out, 8) == umask
    assert stat.S_IMODE((plz.project / "output" / done.id).stat().st_mode) == of_directory
    for place in (plz.project / "output" / done.id, plz.root / "again"):
        if not place.exists():
            plz.ok("output", done.id, "-o", place)
        modes = [stat.S_IMODE((place / name).stat().st_mode) for name in ("f", "d/f", "d")]
        assert modes == [of_file, of_file, of_directory], (place, [oct(mode) for mode in modes])


@pytest.mark.parametrize("umask, mode", [(0o077, 0o700), (0o002, 0o775)])
def test_directories_of_parts_have_it_too(plz, umask, mode):
    plz.configure(parallel_indices_range=[0, 2], command=["sh", "-c", "echo x > /plz/output/0/f || true"])
    plz.ok("run", preexec_fn=shell(umask=umask))
    plz("logs")
    plz.ok("output", "-o", "out", preexec_fn=shell(umask=umask))
    modes = [stat.S_IMODE(path.stat().st_mode) for path in sorted((plz.project / "out").iterdir())]
    assert modes == [mode] * 2, modes


def test_a_rerun_in_another_shell_says_what_differs(plz):
    earlier = plz.ok("run", "--", "sh", "-c", "ulimit -n > /plz/output/n").id
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    verified = plz("verify", earlier, preexec_fn=shell((77, hard)))
    assert verified.status == 1 and "process.limits.nofile" in verified.out and f"\"77:{hard}\" now" in verified.out, str(verified)


def test_a_lock_of_the_shell_is_not_kept(plz):
    """As `exec 9>lock; flock 9; plz run …` in a script."""
    lock = plz.root / "lock"
    held = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    process = plz.popen("run", "-d", "--", "sh", "-c", "while [ ! -e \"$GO\" ]; do sleep 0.05; done",
                        env={"GO": str(plz.home / "go")}, pass_fds=[held])
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    os.close(held)
    plz.wait_for_state(out.decode().strip(), "running")
    with lock.open() as again:
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    (plz.home / "go").touch()
    plz.wait_for_state(out.decode().strip(), "finished")
