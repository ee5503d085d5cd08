"""The Docker engine that tests of containers run against."""

import os
import shutil
import subprocess

BASE = "plz-test/base"  # scripts/make-base-image: Debian's busybox and python3


def docker(*words, check=True, stdin=None):
    done = subprocess.run(["docker", *words], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=300)
    assert not check or done.returncode == 0, (words, done.stderr)
    return done.stdout.strip()


def why_not():
    """None, or why no test of containers can run; which is an error where all are to run."""
    missing = what_is_missing()
    if missing and os.environ.get("PLZ_TESTS_ALL"):
        raise RuntimeError(f"PLZ_TESTS_ALL, and no test of containers can run: {missing}")
    return missing


def what_is_missing():
    if not shutil.which("docker"):
        return "the command docker is not installed"
    version = subprocess.run(["docker", "version"], capture_output=True, text=True, timeout=120)
    if version.returncode != 0:
        return "no Docker engine answers: " + version.stderr.strip().splitlines()[-1]
    if not docker("image", "ls", "--quiet", BASE):
        return f"there is no image {BASE}: scripts/make-base-image makes it"
    return None


def id_of(image):
    return docker("image", "inspect", "--format", "{{.Id}}", image)


def images(label):
    """Those that were finished with this label, and those that a build left on its way."""
    return sorted(docker("image", "ls", "--quiet", "--no-trunc", "--all", "--filter", f"label={label}").split())


def containers(**filters):
    words = [word for name, value in filters.items() for word in ("--filter", f"{name}={value}")]
    return docker("container", "ls", "--all", "--quiet", "--no-trunc", *words).split()


def containers_of(execution):
    return containers(label=f"plz.execution={execution}")


def environment():
    """What of this process's variables leads to the engine."""
    return {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}


def remove_all(label):
    for container in containers(label=label):
        docker("container", "rm", "--force", container, check=False)
    # One image may stand on another.
    for _ in range(3):
        for image in images(label):
            docker("image", "rm", "--force", image, check=False)
