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
//   could
//                                                         not start
//   a worker: what was captured, to compare with           kTriesOnThisMachine (attempt_runner.cc)
//   a worker: output that a controller cannot store       kTriesOfOutput (attempt_runner.cc), then it is kept there
//   a command: blobs, on their way to or from the store   kPatienceWithStore
//   a command: its submission                             kTries (cli/submission.cc), with one key
//   a command: following what runs on without it          kPatienceWithController
#pragma once

#include <chrono>

#include "base/result.h"

namespace plz {

constexpr bool is_temporary(ErrorCode code) { return code == ErrorCode::unavailable || code == ErrorCode::timeout; }

inline constexpr std::chrono::seconds kPatienceWithMachine{600};
inline constexpr std::chrono::seconds kPatienceWithStore{30};
inline constexpr std::chrono::seconds kPatienceWithController{300};

}  // namespace plz
