"""Virtual and conda environments, in the project and beside it: seen by the job, and not captured twice."""

import os
import subprocess

import pytest


@pytest.mark.parametrize("ignored", [True, False])
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("variable", ["VIRTUAL_ENV", "CONDA_PREFIX"])
def test_an_activated_environment_is_the_jobs(plz, variable, inside, ignored):
    """It lies under /tmp, as all of this test does. conda's are told by their variable and by conda-meta."""
    if not inside and ignored:
        pytest.skip("git has no say outside of the checkout")
    place = (plz.project if inside else plz.root) / "venv"
    made = subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", str(place)], capture_output=True)
    if made.returncode != 0:
        assert not os.environ.get("PLZ_TESTS_ALL"), made.stderr
        pytest.skip("no venv module")
    (site,) = place.glob("lib/python3*/site-packages")
    if variable == "CONDA_PREFIX":
        (place / "conda-meta").mkdir()
    (site / "of_the_venv.py").write_text("VALUE = 42\n")
    if ignored:
        subprocess.run(["git", "init", "-q"], cwd=plz.project, env=plz.env, check=True)
        plz.write(".gitignore", "venv\n")
    done = plz.ok("run", "--", "python3", "-c", "import of_the_venv, sys; print(of_the_venv.VALUE, sys.prefix)",
                  env={variable: str(place), "PATH": f"{place}/bin:{plz.env['PATH']}"})
    assert done.out == f"42 {place}\n", str(done)
    if inside:
        assert ("venv" in plz.ok("list-context").out) == (not ignored)
