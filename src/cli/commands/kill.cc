#include <iostream>
#include <string>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/commands/commands.h"

namespace plz {
namespace {

Result<void> check(const KillOptions& options) {
  if (options.all && !options.instances.empty())
    return fail(ErrorCode::invalid, "--instance-ids and --all-of-them-plz exclude each other", "give one of them");
  if (!options.all && options.instances.empty())
    return fail(ErrorCode::invalid, "there is nothing to kill",
                "-i IDS names instances (plz list shows them), --all-of-them-plz means them all");
  return {};
}

Result<void> ask(Session& session) {
  session.messages().plain("This ends all instances and what runs on them. Type yeah to go on:");
  std::string answer;
  std::getline(std::cin, answer);
  if (trim(answer) == "yeah") return {};
  return fail(ErrorCode::cancelled, "nothing was killed", "--oh-yeah does not ask");
}

KillRequest kill_request(const Session& session, const KillOptions& options) {
  KillRequest request;
  request.instance_ids = options.instances;
  request.all = options.all;
  request.including_idle = options.including_idle;
  request.force_if_not_idle = options.force_if_not_idle;
  request.berserk = options.berserk;
  request.user = session.configuration().user;
  return request;
}

}  // namespace

Result<int> perform(Session& session, const KillOptions& options) {
  PLZ_TRY(check(options));
  if (options.all && !options.oh_yeah) PLZ_TRY(ask(session));
  PLZ_ASSIGN(const KillAnswer answer,
             session.call([&](ApiClient& api) { return api.kill(kill_request(session, options)); }));
  std::string killed;
  for (const InstanceId& id : answer.killed) killed += id.to_string() + "\n";
  auto written = session.out().write(killed);
  for (const auto& refusal : answer.refused)
    session.messages().warning(fmt::format("{} lives on: {}", refusal.instance_id.to_string(), refusal.reason));
  if (answer.killed.empty() && answer.refused.empty()) session.messages().info("There was nothing to kill");
  if (!written) return fail(std::move(written).error());
  return answer.refused.empty() ? 0 : 1;
}

}  // namespace plz
