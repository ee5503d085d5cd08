#pragma once

namespace plz {

// Of a write. Both are atomic and survive the death of the process; only `durable` has also reached
// the disk when the call returns. Writes of several threads are committed together where they meet.
enum class Durability { relaxed, durable };

}  // namespace plz
