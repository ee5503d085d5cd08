#!/bin/bash
# PyTorch 1.13.1 (Debian 12, python3-torch 1.13.1+dfsg-4; it calls itself 1.13.0a0). torch.manual_seed takes any 64-bit number, and torch.initial_seed gives all of it
# back, but the CPU's generator is seeded with its lower 32 bits: seeds that differ by a multiple of 2^32 draw the same numbers. A sweep
# over seeds made as `experiment << 32` is one run many times. (NumPy's seed of the same kind refuses what has more than 32 bits.)
#
# Seen:
#   1 and 4294967297 draw the same: True
#   0 and 30064771072 draw the same: True
#   1 and 2 draw the same: False
set -euo pipefail
"$(dirname "$0")/with-packages" python3-torch=1.13.1+dfsg-4 -- /usr/bin/python3 - <<'PYTHON'
import torch

def draw(seed):
    torch.manual_seed(seed)
    assert torch.initial_seed() == seed
    return torch.rand(1000).tolist()

def same(a, b):
    equal = draw(a) == draw(b)
    print(a, "and", b, "draw the same:", equal)
    return equal

assert same(1, 1 + 2**32)
assert same(0, 7 * 2**32)
assert not same(1, 2)
PYTHON
