// Which errors are worth another try, and for how long: one table for command line, client and worker.
//
//   error        another try   why
//   unavailable  yes           the peer is away, a disk is full, the engine is down: that passes
//   timeout      yes           the peer was too slow, or on its way out
//   internal     no            a defect: it does the same again
//   damaged      no            until somebody stores the bytes again
//   all others   no            the request itself is wrong, or its end was asked for
//
//   who tries                                             for how long
//   a worker: what a controller has to be told            for ever: the job and its results are there meanwhile
//   a worker: what its own machine lacks just now         kPatienceWithMachine: files, sandbox, engine; then the job
//                                                         could not start
//   a worker: a job's files, while no controller is there  for ever: nobody else could be told
//   a worker: a job's files, of a controller that answers  kPatienceWithFiles since the last new blob; then the job
//                                                         could not start
//   a worker: what was captured, to compare with           kTriesOnThisMachine (attempt_runner.cc)
//   a worker: log, measures and output of a job that is   kPatienceWithStorage (plz-worker --storage-patience), then
//     over, while the controller answers, and takes none  they are kept on the worker's machine: output_not_stored
//   a command: blobs, on their way to or from the store   kPatienceWithStore
//   a command: its submission                             kTries (cli/submission.cc), with one key
//   a command: following what runs on without it          kPatienceWithController
#pragma once

#include <chrono>
#include <string_view>

#include "base/result.h"

namespace plz {

constexpr bool is_temporary(ErrorCode code) { return code == ErrorCode::unavailable || code == ErrorCode::timeout; }

// In the words of an `unavailable` for want of room on a disk, before what that disk has.
inline constexpr std::string_view kNoRoom = "there is no room: ";

inline constexpr std::chrono::seconds kPatienceWithMachine{600};
inline constexpr std::chrono::seconds kPatienceWithFiles{60};
inline constexpr std::chrono::seconds kPatienceWithStore{30};
inline constexpr std::chrono::seconds kPatienceWithStorage{600};
inline constexpr std::chrono::seconds kPatienceWithController{300};

}  // namespace plz
