"""What an installation holds, under a prefix and as a package, and that it runs from there."""

import os
import shutil
import subprocess

import pytest

from conftest import BIN, EXAMPLES

BUILD = BIN.parent
PROGRAMS = ("plz", "plz-controller", "plz-worker", "plz-init")


@pytest.fixture(autouse=True)
def _needs_the_build():
    if not (BUILD / "CMakeCache.txt").exists() or not os.access(BUILD, os.W_OK):
        pytest.skip("SKIPPED: the programs do not lie in their build")


def output_of(*words, **kwargs):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs)
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")
    return done.stdout.decode("utf-8", "replace")


def test_an_installation_runs_by_itself(plz):
    prefix = plz.root / "prefix"
    output_of("cmake", "--install", BUILD, "--prefix", prefix)
    for program in PROGRAMS:
        assert os.access(prefix / "bin" / program, os.X_OK)
    for program in ("plz-worker", "plz-init"):
        headers = output_of("readelf", "--program-headers", "--dynamic", prefix / "bin" / program)
        assert "INTERP" not in headers and "NEEDED" not in headers, f"{program} is not static"
    assert (prefix / "bin" / "plz-init").stat().st_size < 2 << 20
    assert list((prefix / "share" / "man" / "man1").glob("plz.1*"))
    completions = {path.relative_to(prefix).as_posix() for path in prefix.rglob("*") if "complet" in path.as_posix()}
    assert {"share/bash-completion/completions/plz", "share/zsh/vendor-completions/_plz",
            "share/fish/vendor_completions.d/plz.fish"} <= completions, completions

    # Nothing of the build is used: its programs come first in nobody's PATH.
    shutil.rmtree(plz.project)
    shutil.copytree(EXAMPLES / "hello", plz.project, ignore=shutil.ignore_patterns("output"))
    env = {**plz.env, "PATH": f"{prefix}/bin:/usr/local/bin:/usr/bin:/bin"}
    said = output_of("plz", "run", cwd=plz.project, env=env)
    assert "Execution succeeded" in said, said
    for program in ("plz-controller", "plz-worker"):
        assert os.readlink(f"/proc/{plz.process(program)}/exe") == str((prefix / "bin" / program).resolve())


def test_a_package_holds_the_same(plz):
    output_of("cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", plz.root / "package")
    (package,) = (plz.root / "package").glob("*.deb")
    listed = {line.split()[-1] for line in output_of("dpkg-deb", "--contents", package).splitlines()}
    assert {f"./usr/bin/{program}" for program in PROGRAMS} <= listed, listed
    assert any(path.startswith("./usr/share/man/man1/plz.1") for path in listed)
    needs = output_of("dpkg-deb", "--field", package, "Depends")
    assert {"bubblewrap", "git"} <= {need.split()[0] for need in needs.split(",")}, needs
    output_of("dpkg-deb", "--extract", package, plz.root / "unpacked")
    assert output_of(plz.root / "unpacked" / "usr" / "bin" / "plz", "--version") == output_of(BIN / "plz", "--version")
