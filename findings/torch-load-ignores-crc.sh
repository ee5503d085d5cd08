#!/bin/bash
# PyTorch 1.13.1 (Debian 12, python3-torch 1.13.1+dfsg-4; it calls itself 1.13.0a0). A checkpoint is a zip file, each tensor an entry with a CRC-32, but torch.load
# never compares it: one flipped bit of a weight is loaded without an error or a warning. Python's own zipfile finds it at once.
#
# Seen: a tensor 0. to 9. is saved, one bit of its second number flipped in the file:
#   torch.load: [0.0, 1.125, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
#   zipfile.testzip: weights/data/0
# So a checkpoint that can be loaded is not shown to be whole; what stores it has to have a digest of its own.
set -euo pipefail
"$(dirname "$0")/with-packages" python3-torch=1.13.1+dfsg-4 -- /usr/bin/python3 - <<'PYTHON'
import struct, zipfile, torch

torch.save(torch.arange(10.0), "weights.pt")
file = bytearray(open("weights.pt", "rb").read())
place = file.index(struct.pack("<3f", 0, 1, 2)) + 4
file[place + 2] ^= 0x10
open("flipped.pt", "wb").write(file)

loaded = torch.load("flipped.pt").tolist()
print("torch.load:", loaded)
damaged = zipfile.ZipFile("flipped.pt").testzip()
print("zipfile.testzip:", damaged)
assert loaded[:3] == [0.0, 1.125, 2.0], "torch.load no longer takes the damaged number"
assert damaged == "weights/data/0"
PYTHON
