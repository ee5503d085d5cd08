#include <algorithm>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/commands/commands.h"

namespace plz {
namespace {

// The last line is the report; those before say how far it is.
class CheckLines {
 public:
  explicit CheckLines(Messages& messages) : messages_(messages) {}

  Result<void> feed(std::string_view piece) {
    text_ += piece;
    for (size_t end; (end = text_.find('\n')) != std::string::npos; text_.erase(0, end + 1)) {
      PLZ_ASSIGN(report_, check_report_from_json(std::string_view(text_).substr(0, end)));
      messages_.progress(fmt::format("Checked {} of {}, and {} of logs", human_bytes(report_.checked_bytes),
                                     human_bytes(report_.total_bytes), human_bytes(report_.log_bytes)));
    }
    return {};
  }
  Result<CheckReport> report() const {
    if (report_.done) return report_;
    return fail(ErrorCode::internal, "the check did not come to its end", "the controller's log says why");
  }

 private:
  Messages& messages_;
  std::string text_;
  CheckReport report_;
};

std::string check_text(const CheckReport& report) {
  std::string text =
      fmt::format("Checked: {} blobs in {} packs, {}; {} logs, {}\nDamaged: {}\n", report.blobs, report.packs,
                  human_bytes(report.checked_bytes), report.logs, human_bytes(report.log_bytes), report.damaged.size());
  for (const DamagedBlob& blob : report.damaged)
    text += fmt::format("  {}  {}, in the pack {}: {}\n", blob.digest, human_bytes(blob.bytes), blob.pack,
                        printable(blob.fault));
  if (!report.executions.empty()) text += "Needed by:\n";
  for (const DamagedExecution& execution : report.executions) {
    std::string what;
    for (const std::string& part : execution.damaged) what += (what.empty() ? "" : ", ") + part;
    text += fmt::format("  {}  {}\n", execution.execution_id, what);
  }
  if (!report.damaged_logs.empty()) text += fmt::format("Damaged logs: {}\n", report.damaged_logs.size());
  for (const DamagedLog& log : report.damaged_logs)
    text +=
        fmt::format("  {}  {}bytes {} to {}: {}{}\n", log.execution_id, log.log == "job" ? "" : "of its preparation, ",
                    log.from, log.to - 1, printable(log.fault), log.sent_again ? "; its worker sends them again" : "");
  return text;
}

void tell_of_repair(Messages& messages, const CheckReport& report, bool repair) {
  if (!report.damaged.empty() && repair)
    messages.info("What is damaged counts as missing now: the next capture of the same content stores it anew");
  else if (!report.damaged.empty())
    messages.warning("plz check --repair has the next capture of the same content store it anew");
  if (report.damaged_logs.empty()) return;
  if (!repair) messages.warning("plz check --repair has workers send again what they still have of damaged logs");
  const auto is_lost = [](const DamagedLog& log) { return !log.sent_again; };
  if (repair && std::any_of(report.damaged_logs.begin(), report.damaged_logs.end(), is_lost))
    messages.warning(
        "Of a log whose execution has ended nobody has the bytes: plz logs shows what there is, and says so");
}

}  // namespace

Result<int> perform(Session& session, const CheckOptions& options) {
  Messages& messages = session.messages();
  CheckLines lines(messages);
  PLZ_ASSIGN(ApiClient * api, session.api());
  PLZ_TRY(api->check({options.repair}, [&](std::string_view piece) { return lines.feed(piece); }));
  messages.end_progress();
  PLZ_ASSIGN(const CheckReport report, lines.report());
  PLZ_TRY(session.out().write(options.json ? check_report_to_json(report) + "\n" : check_text(report)));
  if (!report.database.empty()) messages.warning(printable(report.database));
  if (report.healed > 0) messages.info(fmt::format("{} that had been found damaged, and are sound now", report.healed));
  tell_of_repair(messages, report, options.repair);
  return report.damaged.empty() && report.damaged_logs.empty() && report.database.empty() ? 0 : 1;
}

}  // namespace plz
