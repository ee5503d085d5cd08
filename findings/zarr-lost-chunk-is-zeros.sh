#!/bin/bash
# zarr 2.13.6 (Debian 12, python3-zarr 2.13.6+ds-1). An array is a folder with one file a chunk, and a chunk that is not there stands for the
# fill value. A file that was lost (a copy that was cut short, a key that an object store does not show) is therefore read as zeros, with
# no error and no warning: the metadata does not record which chunks were written.
#
# Seen, of an array of 40 numbers 1 to 40 in four chunks, one of whose files is removed:
#   [1 ... 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 31 ... 40], nothing raised; chunks initialized: 3 of 4
# `nchunks_initialized` shows it to whoever asks, if it is known that every chunk was written.
set -euo pipefail
"$(dirname "$0")/with-packages" python3-zarr=2.13.6+ds-1 -- /usr/bin/python3 - <<'PYTHON'
import os, warnings, numpy, zarr

warnings.simplefilter("error")
array = zarr.open("array", mode="w", shape=(40,), chunks=(10,), dtype="f4")
array[:] = numpy.arange(1, 41)
os.remove("array/2")
again = zarr.open("array", mode="r")
print(again[:].tolist(), f"; chunks initialized: {again.nchunks_initialized} of {again.nchunks}")
assert again[:].tolist() == [*range(1, 21), *[0] * 10, *range(31, 41)]
assert (again.nchunks_initialized, again.nchunks) == (3, 4)
PYTHON
