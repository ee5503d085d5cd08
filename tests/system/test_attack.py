"""Two minutes of the attacks that tests/attack makes at any length; attack/README.md tells what is counted."""

import pytest

from attack import clients, jobs, kills, uploads

# Another one is for tests/attack: here the same every time, so that what fails once can be looked at again.
SEED = 12


@pytest.mark.parametrize("attack, count", [(kills.attack, 80), (jobs.attack, len(jobs.JOBS)), (clients.attack, 800),
                                           (uploads.attack, 300)],
                         ids=["kills", "jobs", "requests", "uploads"])
def test_an_attack_does_no_harm(plz, attack, count):
    made, ledger = attack(plz, SEED, count)
    assert made >= count
    assert ledger.executions > 0 and ledger.is_clean(), ledger.faults
