// The commands: one file each, all of one form. What they return is what plz exits with.
#pragma once

#include <vector>

#include "base/result.h"
#include "cli/configuration.h"
#include "cli/options.h"
#include "cli/session.h"

namespace plz {

Result<int> perform(Session& session, const RunOptions& options);
Result<int> perform(Session& session, const RerunOptions& options);
Result<int> perform(Session& session, const VerifyOptions& options);
Result<int> perform(Session& session, const DiffOptions& options);
Result<int> perform(Session& session, const LogsOptions& options);
Result<int> perform(Session& session, const StatusOptions& options);
Result<int> perform(Session& session, const OutputOptions& options);
Result<int> perform(Session& session, const MeasuresOptions& options);
Result<int> perform(Session& session, const DescribeOptions& options);
Result<int> perform(Session& session, const HistoryOptions& options);
Result<int> perform(Session& session, const ListOptions& options);
Result<int> perform(Session& session, const LastOptions& options);
Result<int> perform(Session& session, const StopOptions& options);
Result<int> perform(Session& session, const KillOptions& options);
Result<int> perform(Session& session, const DeleteOptions& options);
Result<int> perform(Session& session, const GcOptions& options);
Result<int> perform(Session& session, const CheckOptions& options);
Result<int> perform(Session& session, const ListContextOptions& options);
Result<int> perform(Session& session, const PingOptions& options);
Result<int> perform(Session& session, const ControllerCommandOptions& options);
Result<int> perform(Session& session, const CompleteOptions& options);

// Prints the script; needs nothing but the description of the command line.
std::string completion_script(const std::string& shell);

// What the options of `run` say about the configuration.
std::vector<ConfigurationOverride> configuration_overrides(const RunOptions& options);

}  // namespace plz
