"""Two minutes of the attacks that tests/attack makes at any length; attack/README.md tells what is counted."""

import os

import pytest

from attack import clients, damage, disks, jobs, kills, uploads

# Another one is for tests/attack: here the same every time, so that what fails once can be looked at again.
SEED = 12


@pytest.mark.parametrize("attack, count", [(kills.attack, 60), (jobs.attack, len(jobs.JOBS)), (clients.attack, 600),
                                           (uploads.attack, 300), (damage.attack, 10), (disks.attack, 5)],
                         ids=["kills", "jobs", "requests", "uploads", "damages", "disks"])
def test_an_attack_does_no_harm(plz, attack, count):
    if attack is disks.attack and os.geteuid() != 0:
        pytest.skip("mounting needs root")
    made, ledger = attack(plz, SEED, count)
    assert made >= count
    assert ledger.executions > 0 and ledger.is_clean(), ledger.faults
