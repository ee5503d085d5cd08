"""Files of the data directory that are gone, older, another's or damaged: plz says so, and loses nothing by it."""

import json
import os
import shutil
import signal
import subprocess

import pytest

from conftest import BIN, wait_until

JOB = """
import json, os, sys
c = json.load(open(os.environ["CONFIGURATION_FILE"]))
open(os.path.join(c["output_directory"], "result"), "w").write(sys.argv[1])
print("printed", sys.argv[1])
"""


@pytest.fixture
def project(plz):
    plz.write("job.py", JOB)
    plz.configure(user="ada", excluded_paths=["again-*"])
    plz.env["DOCKER_HOST"] = f"unix://{plz.root}/no-engine"
    return plz


def run(plz, word):
    return plz.ok("run", "--", "python3", "job.py", word).id


def end(plz, number=signal.SIGTERM):
    """Of the controller: in order, or by a kill."""
    for program in ("plz-controller", "plz-worker"):
        plz.kill(program, number)
    wait_until(lambda: not plz.processes("plz-controller") and not plz.processes("plz-worker"), what="their end")


def files(plz):
    """All that matters, with its bytes."""
    found = {}
    for place in ("store", "logs", "plz.db"):
        for path in sorted([plz.data / place] if place == "plz.db" else (plz.data / place).rglob("*")):
            if path.is_file():
                found[str(path)] = path.read_bytes()
    return found


def refused(plz, *words):
    """What it says; and that it changed nothing."""
    before = files(plz)
    done = plz("list")
    assert done.status != 0, str(done)
    assert "Nothing was changed" in done.err, str(done)
    for word in words:
        assert word in done.err, str(done)
    assert files(plz) == before
    again = plz("run", "--", "true")  # nor is anything else taken up
    assert again.status == 125 and files(plz) == before, str(again)
    return done.err


def recover(plz, status=0):
    done = subprocess.run([BIN / "plz-controller", "recover", "--data-directory", plz.data, "--user", "ada"],
                          env=plz.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == status, done.stdout
    return done.stdout


def output_of(plz, execution):
    target = f"again-{execution}-{len(list(plz.project.glob('again-*')))}"
    plz.ok("output", execution, "-o", target)
    return (plz.project / target / "result").read_text()


def packs(plz):
    return sorted(path for path in (plz.data / "store").rglob("*.pack*") if path.is_file())


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGKILL))
@pytest.mark.parametrize("emptied", (False, True))
def test_without_its_database_nothing_is_removed(project, number, emptied):
    plz = project
    execution = run(plz, "one")
    end(plz, number)
    aside = plz.root / "aside"
    aside.mkdir()
    moved = [path for path in (plz.data / name for name in ("plz.db", "plz.db-wal", "plz.db-shm")) if path.exists()]
    for path in moved:
        path.rename(aside / path.name)
    if emptied:
        (plz.data / "plz.db").touch()
    else:
        (plz.data / "plz.db").touch()
        (plz.data / "plz.db").unlink()
    count = len(packs(plz))
    assert count > 0
    for _ in range(2):
        done = plz("list")
        assert done.status != 0 and "plz.db is " + ("empty" if emptied else "gone") in done.err, str(done)
        assert f"{count} pack" in done.err and "1 log" in done.err and "plz-controller recover" in done.err, str(done)
        assert len(packs(plz)) == count
    # Put back, it was as if nothing had been.
    for path in moved:
        (aside / path.name).rename(path)
    assert output_of(plz, execution) == "one"
    assert plz.ok("logs", execution, "--since", "start").out == "printed one\n"
    run(plz, "two")


def test_an_older_copy_of_the_database_removes_nothing(project):
    plz = project
    run(plz, "one")
    end(plz)
    shutil.copy(plz.data / "plz.db", plz.root / "older.db")
    run(plz, "two")
    second = run(plz, "three")
    end(plz)
    (plz.data / "plz.db").rename(plz.root / "newer.db")
    shutil.copy(plz.root / "older.db", plz.data / "plz.db")
    refused(plz, "is an older copy", "was in use since", "recover")
    shutil.copy(plz.root / "newer.db", plz.data / "plz.db")
    assert output_of(plz, second) == "three"


def test_a_copy_made_in_use_is_told_by_the_packs_that_it_does_not_know(project):
    plz = project
    run(plz, "one")
    wait_until(lambda: plz.json("list", "--json")["executions"] == [], what="rest")
    for name in ("plz.db", "plz.db-wal"):
        shutil.copy(plz.data / name, plz.root / name)
    second = run(plz, "two")
    end(plz)
    (plz.data / "plz.db").rename(plz.root / "newer.db")
    for name in ("plz.db", "plz.db-wal"):
        shutil.copy(plz.root / name, plz.data / name)
    count = len(packs(plz))
    done = plz("list")
    assert done.status != 0 and "knows nothing of" in done.err and "older copy" in done.err, str(done)
    assert len(packs(plz)) == count
    (plz.data / "plz.db-wal").unlink(missing_ok=True)
    shutil.copy(plz.root / "newer.db", plz.data / "plz.db")
    assert output_of(plz, second) == "two"


def test_another_database_is_not_taken_for_its_own(project):
    plz = project
    run(plz, "one")
    end(plz)
    (plz.data).rename(plz.root / "first")
    run(plz, "two")
    end(plz)
    (plz.data / "plz.db").rename(plz.root / "second.db")
    shutil.copy(plz.root / "first" / "plz.db", plz.data / "plz.db")
    refused(plz, "store belongs to another database")
    # A database of another program, too.
    (plz.data / "plz.db").unlink()
    subprocess.run(["/usr/bin/python3", "-c", "import sqlite3,sys; sqlite3.connect(sys.argv[1]).execute("
                    "'create table t (x)').connection.commit()", plz.data / "plz.db"], check=True)
    before = files(plz)
    done = plz("list")
    assert done.status != 0 and "database of another program" in done.err, str(done)
    assert files(plz) == before


@pytest.mark.parametrize("name", ("store", "logs"))
def test_packs_and_logs_may_be_moved_away_and_back(project, name):
    plz = project
    execution = run(plz, "one")
    end(plz, signal.SIGKILL)
    (plz.data / name).rename(plz.root / name)
    done = plz("list")
    assert done.status != 0 and f"{name} is not what the database" in done.err and "gone" in done.err, str(done)
    assert not (plz.data / name).exists()
    (plz.data / name).mkdir()
    done = plz("list")
    assert done.status != 0 and "was emptied" in done.err, str(done)
    (plz.data / name).rmdir()
    (plz.root / name).rename(plz.data / name)
    assert output_of(plz, execution) == "one"
    assert plz.ok("logs", execution, "--since", "start").out == "printed one\n"


def test_leftovers_of_a_crash_still_go(project):
    plz = project
    run(plz, "one")
    end(plz)
    count = len(packs(plz))
    # A pack that was written, and of which the database was not told before the kill.
    leftover = packs(plz)[0]
    name = leftover.name.replace(leftover.name[:8], "01aaaaaa") + ".new"
    shutil.copy(leftover, leftover.with_name(name))
    plz.ok("list")
    assert len(packs(plz)) == count and not leftover.with_name(name).exists()


def test_what_is_lost_with_a_database_is_recovered_from_packs_and_logs(project):
    plz = project
    run(plz, "one")
    run(plz, "two")
    end(plz)
    for path in plz.data.glob("plz.db*"):
        path.unlink()
    assert "plz.db is gone" in plz("list").err
    said = recover(plz)
    assert "a new one is made" in said and "2 logs" in said and "What cannot be had again" in said, said
    recovered = [execution for execution, is_all in plz.json("history", "--all").items()
                 if is_all["project"] == "recovered"]
    outputs, logs, with_result = set(), set(), []
    for execution in recovered:
        described = plz.json("describe", execution)
        assert described["outcome"]["kind"] == "lost" and "recovered" in described["outcome"]["reason"]
        logs.add(plz.ok("logs", execution, "--since", "start").out)
        if described["output"]:
            target = f"again-{execution}"
            plz.ok("output", execution, "-o", target)
            if (plz.project / target / "result").exists():
                outputs.add((plz.project / target / "result").read_text())
                with_result.append(execution)
    assert outputs == {"one", "two"}
    assert {"printed one\n", "printed two\n"} <= logs
    # Collection keeps what was recovered.
    assert plz.json("gc", "--json")["error"] == ""
    assert {output_of(plz, execution) for execution in with_result} == {"one", "two"}
    again = run(plz, "one")
    end(plz)
    said = recover(plz)  # there is nothing more
    assert "0 packs" in said and "0 directories and 0 logs" in said, said
    assert plz.ok("logs", again, "--since", "start").out == "printed one\n"


def test_recovery_says_what_is_damaged(project):
    plz = project
    run(plz, "one")
    end(plz)
    assert "there is no directory" in recover_elsewhere(plz, plz.root / "nowhere")
    pack = max(packs(plz), key=lambda path: path.stat().st_size)
    bytes_there = bytearray(pack.read_bytes())
    bytes_there[-1] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(bytes_there)
    (plz.data / "plz.db").write_bytes(b"no database" * 1000)
    assert "is not a database" in plz("list").err
    assert "move" in recover(plz, status=1)
    assert (plz.data / "plz.db").read_bytes() == b"no database" * 1000
    (plz.data / "plz.db").rename(plz.root / "was.db")
    assert "1 blob is damaged" in recover(plz)
    plz.ok("list")


def recover_elsewhere(plz, directory):
    done = subprocess.run([BIN / "plz-controller", "recover", "--data-directory", directory], env=plz.env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 1 and not directory.exists(), done.stdout
    return done.stdout


def test_a_write_ahead_log_that_is_gone_or_damaged_is_said(project):
    plz = project
    execution = run(plz, "one")
    plz.kill("plz-controller")
    wait_until(lambda: not plz.processes("plz-controller"), what="its end")
    log = plz.data / "plz.db-wal"
    whole = log.read_bytes()
    assert len(whole) > 20_000
    for bytes_there in (None, b"", whole[:100] + bytes([whole[100] ^ 1]) + whole[101:],
                        whole[:len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1:],
                        whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-1000]):
        log.unlink()
        if bytes_there is not None:
            log.write_bytes(bytes_there)
        refused(plz, "write-ahead log", "plz.db-wal", "recover")
        assert (log.read_bytes() if bytes_there is not None else None) == bytes_there
        log.write_bytes(whole)
    assert output_of(plz, execution) == "one"
    end(plz, signal.SIGKILL)
    log.unlink()
    assert "Of " in recover(plz)
    plz.ok("list")


def test_a_damaged_database_is_found_after_a_crash(project):
    plz = project
    for word in "abcde":
        run(plz, word)
    end(plz)
    plz.ok("list")
    end(plz, signal.SIGKILL)
    database = bytearray((plz.data / "plz.db").read_bytes())
    page = 4096
    for at in range(page, len(database), page):
        database[at] = 0x55  # the kind of the page
    (plz.data / "plz.db").write_bytes(database)
    done = plz("list")
    assert done.status != 0 and "is damaged" in done.err, str(done)
    assert (plz.data / "plz.db").read_bytes() == database


@pytest.mark.parametrize("content", ("1x", "1\n2", " 1.5", "", "1 1", "0", "-1", "1\n\n", "99999999999999999999"))
def test_format_is_one_whole_number(project, content):
    plz = project
    plz.data.mkdir()
    (plz.data / "format").write_text(content)
    done = plz("list")
    assert done.status != 0 and "format holds '" in done.err and "not one whole number" in done.err, str(done)
    assert (plz.data / "format").read_text() == content
    (plz.data / "format").write_text("1")
    plz.ok("list")


def empty_caches(plz):
    for name in ("trees",):
        for tree in (plz.data / "worker" / "cache" / name).glob("*"):
            subprocess.run(["chmod", "-R", "u+rwx", tree], check=False)
            shutil.rmtree(tree, ignore_errors=True) if tree.is_dir() else tree.unlink()


MARKER = b"This very line is looked for in packs. " * 3


def damage_marker(plz, how):
    """What holds MARKER, which is too short a text to be compressed there."""
    (pack,) = [path for path in packs(plz) if MARKER in path.read_bytes()]
    whole = pack.read_bytes()
    at = whole.index(MARKER) + 5
    if how == "gone":
        pack.unlink()
    elif how == "cut":
        pack.write_bytes(whole[:at])
    else:
        pack.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
    return pack, whole


def with_marker(plz):
    plz.write("data/marked", os.urandom(2000) + MARKER + os.urandom(2000))
    plz.write("data/other", os.urandom(2000))
    plz.configure(user="ada", input="file://data", excluded_paths=["again-*"])
    return run(plz, "one")


@pytest.mark.parametrize("how", ("flipped", "cut", "gone"))
def test_a_damaged_blob_is_said_and_healed_by_the_next_capture(project, how):
    plz = project
    execution = with_marker(plz)
    end(plz)
    empty_caches(plz)
    damage_marker(plz, how)
    # The first to find out says so, and holds nothing.
    failed = plz("rerun", execution)
    assert failed.status == 125 and "is damaged" in failed.err and "capture the same content again" in failed.err, failed
    described = plz.json("describe", failed.id)
    assert described["outcome"]["kind"] == "could_not_start"
    assert plz.json("list", "--json")["executions"] == []
    # A collection that meets it says so too, where it would have to look into it, and removes nothing needed.
    plz("gc")
    # The same content, captured again, takes its place; also what was run before works again.
    assert run(plz, "one")
    plz.ok("rerun", execution)
    end(plz)
    empty_caches(plz)
    plz.ok("rerun", execution)
    assert plz.json("gc", "--json")["error"] == ""


def forbid(plz, pack, how):
    """Nobody can open it, though it is there."""
    if how == "forbidden":
        if os.geteuid() == 0:
            pytest.skip("root may read everything")
        pack.chmod(0)
    else:
        pack.rename(plz.root / "pack")
        pack.symlink_to(pack.name)


@pytest.mark.parametrize("how", ("loop", "forbidden"))
def test_a_pack_that_cannot_be_opened_is_said(project, how):
    plz = project
    execution = with_marker(plz)
    end(plz)
    empty_caches(plz)
    (pack,) = [path for path in packs(plz) if MARKER in path.read_bytes()]
    forbid(plz, pack, how)
    failed = plz("rerun", execution)
    assert failed.status == 125 and "cannot be read" in failed.err and pack.name in failed.err, failed
    assert "capture the same content again" in failed.err, failed
    described = plz.json("describe", failed.id)
    assert described["outcome"]["kind"] == "could_not_start"
    assert plz.json("list", "--json")["executions"] == []
    # A capture replaces it; as it was, it is taken again.
    assert run(plz, "one")
    plz.ok("rerun", execution)


@pytest.mark.parametrize("how", ("loop", "forbidden"))
def test_output_in_a_pack_that_cannot_be_opened_is_said(project, how):
    plz = project
    execution = run(plz, "an output that only its job can make again")
    end(plz)
    (pack,) = [path for path in packs(plz) if b"an output that only" in path.read_bytes()]
    forbid(plz, pack, how)
    done = plz("output", execution, "-o", "again-refused")
    assert done.status != 0 and "cannot be read" in done.err and "lost the connection" not in done.err, done
    pack.unlink() if how == "loop" else pack.chmod(0o600)
    if how == "loop":
        (plz.root / "pack").rename(pack)
    end(plz)
    assert output_of(plz, execution).startswith("an output")


def test_one_failed_run_finds_all_that_is_flipped_in_a_pack(project):
    plz = project
    marks = [f"Blob number {number} is looked for in packs. ".encode() * 3 for number in range(6)]
    for number, mark in enumerate(marks):
        plz.write(f"data/{number}", os.urandom(1000) + mark + os.urandom(1000))
    plz.configure(user="ada", input="file://data", excluded_paths=["again-*"])
    execution = run(plz, "one")
    end(plz)
    empty_caches(plz)
    (pack,) = [path for path in packs(plz) if marks[0] in path.read_bytes()]
    whole = bytearray(pack.read_bytes())
    for mark in marks:
        whole[whole.index(mark) + 5] ^= 1
    pack.write_bytes(whole)
    assert plz("rerun", execution).status == 125
    run(plz, "one")
    plz.ok("rerun", execution)


@pytest.mark.parametrize("how", ("gone", "cut"))
def test_packs_that_are_not_there_are_noticed_by_the_next_capture(project, how):
    plz = project
    executions = [run(plz, word) for word in ("one", "two")]
    plz.write("more.py", "x = 1")
    executions.append(run(plz, "one"))
    end(plz)
    empty_caches(plz)
    for pack in packs(plz):
        if how == "gone":
            pack.unlink()
        else:
            os.truncate(pack, 20)
    # Nobody has read any of it; what runs then is as good as new, its output included.
    again = run(plz, "one")
    assert output_of(plz, again) == "one"
    end(plz)
    empty_caches(plz)
    plz.ok("rerun", again)
    assert output_of(plz, run(plz, "two")) == "two"


def test_a_new_run_over_damaged_input_says_so_and_the_next_heals_it(project):
    plz = project
    with_marker(plz)
    end(plz)
    empty_caches(plz)
    damage_marker(plz, "flipped")
    failed = plz("run", "--", "python3", "job.py", "two")
    assert failed.status == 125 and "is damaged" in failed.err, failed
    plz.ok("run", "--", "python3", "job.py", "two")


def test_collection_does_not_hide_damage(project):
    plz = project
    execution = with_marker(plz)
    dropped = run(plz, "two")
    plz.ok("delete", "--yes", dropped)
    end(plz)
    # Of every tree: the packs that hold one name its files in the clear.
    for pack in packs(plz):
        whole = pack.read_bytes()
        at = whole.find(b"marked")
        if at >= 0:
            pack.write_bytes(whole[:at] + b"m" + bytes([whole[at + 1] ^ 1]) + whole[at + 2:])
    before = {path: path.read_bytes() for path in packs(plz)}
    done = plz("gc")
    assert done.status == 1 and "damaged" in done.err and "no blob was removed" in done.err, done
    assert {path: path.read_bytes() for path in packs(plz)} == before
    # Captured again, all is well, and goes.
    run(plz, "three")
    plz.ok("rerun", execution)
    report = plz.json("gc", "--json")
    assert report["error"] == "" and report["blobs"] > 0, report


@pytest.mark.parametrize("how", ("flipped", "cut", "gone"))
def test_check_says_what_is_damaged_and_who_needs_it(project, how):
    plz = project
    execution = with_marker(plz)
    sound = plz.json("check", "--json")
    assert sound["done"] and sound["damaged"] == [] and sound["blobs"] > 3 and sound["executions"] == []
    assert "Damaged: 0" in plz.ok("check").out
    end(plz)
    pack, whole = damage_marker(plz, how)
    done = plz("check", "--json")
    assert done.status == 1, done
    report = json.loads(done.out)
    assert len(report["damaged"]) >= 1 and report["executions"] == [{"execution_id": execution, "damaged": ["code", "input"]}]
    done = plz("check")
    assert done.status == 1 and execution in done.out and "input" in done.out and "--repair" in done.err, done
    # Put back, nothing was wrong.
    pack.write_bytes(whole)
    end(plz)
    plz.ok("check")
    end(plz)
    damage_marker(plz, how)
    assert plz("check", "--repair").status == 1
    # What is damaged is asked for at once, before any job finds out.
    run(plz, "two")
    plz.ok("check")
    end(plz)
    empty_caches(plz)
    plz.ok("rerun", execution)


def test_check_looks_through_the_database(project):
    plz = project
    for word in "abc":
        run(plz, word)
    end(plz)
    database = bytearray((plz.data / "plz.db").read_bytes())
    schema = database.find(b"CREATE INDEX executions_by_user")
    assert schema > 0
    index = subprocess.run(["/usr/bin/python3", "-c", "import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute("
                            "\"select rootpage from sqlite_schema where name = 'executions_by_project'\").fetchone()[0])",
                            plz.data / "plz.db"], check=True, capture_output=True, text=True).stdout
    at = database.find(b"ada", (int(index) - 1) * 4096)
    assert 0 < at < int(index) * 4096
    database[at] ^= 1
    (plz.data / "plz.db").write_bytes(database)
    done = plz("check")
    assert done.status == 1 and "database" in done.err and "damaged" in done.err, done


PRINTER = """
import os, sys, time
for i in range(20_000):
    print("line", i)
sys.stdout.flush()
while len(sys.argv) > 1 and not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
"""
PRINTED = "".join(f"line {i}\n" for i in range(20_000))


def damage_log(path, how):
    """Returns the bytes that plz is to name, if any, and what the log is then."""
    text = path.read_bytes()
    mode = path.stat().st_mode
    if how == "gone":
        path.unlink()
        return f"bytes 0 to {len(text) - 1}: they are gone", b""
    path.chmod(0o600)
    if how == "flipped":
        changed, said = text[:70_000] + b"\x00" + text[70_001:], "bytes 65536 to 131071: they are not what was written"
    elif how == "cut":
        changed, said = text[:70_000], f"bytes 70000 to {len(text) - 1}: they are gone"
    else:
        changed, said = text + b"more\n", f"bytes {len(text)} to {len(text) + 4}: nobody wrote them"
    path.write_bytes(changed)
    path.chmod(mode)
    return said, changed


@pytest.mark.parametrize("restarted", (False, True))
@pytest.mark.parametrize("how", ("flipped", "cut", "longer", "gone"))
def test_a_damaged_log_is_shown_with_a_warning_and_a_status(project, how, restarted):
    plz = project
    plz.write("printer.py", PRINTER)
    execution = plz.ok("run", "--", "python3", "printer.py").id
    sound = run(plz, "sound")
    (path,) = [path for path in (plz.data / "logs").rglob("*.log") if path.stat().st_size > 100]
    whole = path.read_bytes()
    assert whole.decode() == PRINTED
    if restarted:
        end(plz, signal.SIGKILL)
    said, left = damage_log(path, how)
    shown = plz("logs", execution, "--since", "start")
    assert shown.status == 1 and f"The log of {execution} is damaged, {said}" in shown.err, shown.err
    assert shown.out_bytes == left
    done = plz("check", "--json")
    report = json.loads(done.out)
    assert done.status == 1 and report["logs"] == 2 and report["damaged"] == [], done.err
    assert {log["execution_id"] for log in report["damaged_logs"]} == {execution}
    told = plz("check", "--repair")
    assert told.status == 1 and said in told.out and "nobody has the bytes" in told.err, told
    assert plz("check").status == 1  # and again
    # The other is as it was, and so is this one, put back.
    assert plz.ok("logs", sound, "--since", "start").out == "printed sound\n"
    if restarted:
        path.unlink(missing_ok=True)
    elif path.exists():
        path.chmod(0o600)
    path.write_bytes(whole)
    path.chmod(0o400)
    assert plz.ok("logs", execution, "--since", "start").out == PRINTED
    plz.ok("check")


def test_a_log_of_an_older_build_has_no_checksums_and_no_warning(project):
    plz = project
    execution = run(plz, "one")
    for sums in (plz.data / "logs").rglob("*.sums"):
        sums.unlink()
    assert plz.ok("logs", execution, "--since", "start").out == "printed one\n"
    end(plz)
    assert plz.ok("logs", execution, "--since", "start").out == "printed one\n"
    plz.ok("check")
    # How long it was is known all the same.
    (path,) = (plz.data / "logs").rglob("*.log")
    path.chmod(0o600)
    path.write_bytes(b"printed")
    path.chmod(0o400)
    shown = plz("logs", execution, "--since", "start")
    assert shown.status == 1 and shown.out == "printed" and "bytes 7 to 11: they are gone" in shown.err, shown


@pytest.mark.parametrize("restarted", (False, True))
@pytest.mark.parametrize("how", ("flipped", "cut", "longer", "gone"))
def test_a_worker_sends_again_what_is_damaged_of_its_log(project, how, restarted):
    plz = project
    plz.write("printer.py", PRINTER)
    execution = plz.ok("run", "-d", "--", "python3", "printer.py", plz.home / "go").out.strip()
    def log():
        return [path for path in (plz.data / "logs").rglob("*.log") if path.stat().st_size == len(PRINTED)]
    wait_until(log, what="its log")
    (path,) = log()
    if restarted:
        plz.kill("plz-controller")
    damage_log(path, how)
    if how == "flipped":
        report = json.loads(plz("check", "--repair", "--json").out)
        assert [log["sent_again"] for log in report["damaged_logs"]] == [True]
    else:
        plz("check")  # of the others, some are found only when the worker comes back with its report
    (plz.home / "go").touch()
    followed = plz.ok("logs", execution, "--since", "start").out
    # What a killed controller wrote last was perhaps not acknowledged yet: until the end it is taken for that.
    assert followed.endswith("line 19999\n") or (how == "longer" and restarted)
    assert plz.ok("logs", execution, "--since", "start").out == PRINTED
    plz.ok("check")
