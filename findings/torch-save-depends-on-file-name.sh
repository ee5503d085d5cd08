#!/bin/bash
# PyTorch 1.13.1 (Debian 12, python3-torch 1.13.1+dfsg-4; it calls itself 1.13.0a0). torch.save writes the stem of the file's name into the file, as the folder of
# each entry of the zip: equal weights saved as epoch1.pt and epoch2.pt differ in their bytes (and in size, where the stems differ in
# length), so that neither a digest nor a store by content takes them for the same. Saved to a file object, the folder is `archive`
# whatever the name, and the bytes are equal.
#
# Seen:
#   by name: epoch1.pt and epoch2.pt differ; entries ['epoch1/data.pkl', 'epoch1/data/0', 'epoch1/version']
#   by file object: equal
set -euo pipefail
"$(dirname "$0")/with-packages" python3-torch=1.13.1+dfsg-4 -- /usr/bin/python3 - <<'PYTHON'
import zipfile, torch

def read(path):
    return open(path, "rb").read()

weights = {"w": torch.arange(10.0)}
torch.save(weights, "epoch1.pt")
torch.save(weights, "epoch2.pt")
entries = zipfile.ZipFile("epoch1.pt").namelist()
print("by name: epoch1.pt and epoch2.pt", "are equal" if read("epoch1.pt") == read("epoch2.pt") else "differ", "; entries", entries)
for name in ("object1.pt", "object2.pt"):
    with open(name, "wb") as file:
        torch.save(weights, file)
print("by file object:", "equal" if read("object1.pt") == read("object2.pt") else "different")
assert read("epoch1.pt") != read("epoch2.pt")
assert all(entry.startswith("epoch1/") for entry in entries)
assert read("object1.pt") == read("object2.pt")
PYTHON
