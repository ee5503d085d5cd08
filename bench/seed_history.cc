// seed_history DATABASE USER PROJECT COUNT: fills a database with finished executions whose documents
// are about 1 KB each, for the figures of `plz history`.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/core.h>

#include "db/sqlite/sqlite_database.h"
#include "wire/execution_json.h"

namespace plz {
namespace {

Execution finished_execution(int number, const std::string& user, const std::string& project, const Clock& clock) {
  Execution execution;
  execution.id = ExecutionId::make(clock);
  execution.spec.user = user;
  execution.spec.project = project;
  execution.spec.command = {"python3", "train.py"};
  execution.spec.parameters.text = fmt::format("{{\"lr\": {}, \"layers\": {}}}", 1.0 / (number + 1), number % 7);
  execution.times.submitted = clock.now();
  return execution;
}

int seed(const std::string& path, const std::string& user, const std::string& project, int count) {
  SystemClock clock;
  auto database = open_sqlite_database(path);
  if (!database) {
    fprintf(stderr, "%s\n", database.error().message.c_str());
    return 1;
  }
  ExecutionRecords& records = (*database)->executions();
  for (int done = 0; done < count;) {
    std::vector<NewExecution> batch;
    for (int i = 0; i < 1'000 && done < count; ++i, ++done) {
      NewExecution item;
      item.execution = finished_execution(done, user, project, clock);
      item.execution.state = ExecutionState::finished;
      item.execution.outcome = Outcome{OutcomeKind::succeeded, 0, std::nullopt, false, ""};
      item.execution.times.finished = clock.now();
      item.document = execution_document(item.execution,
                                         fmt::format("{{\"summary\": {{\"accuracy\": {}}}}}", 1.0 - 1.0 / (done + 2)));
      if (item.document.size() < 1'000)
        item.document.insert(item.document.size() - 1,
                             ", \"padding\": \"" + std::string(1'000 - item.document.size(), 'x') + "\"");
      batch.push_back(std::move(item));
    }
    auto created = records.create(batch, "");
    if (!created) {
      fprintf(stderr, "%s\n", created.error().message.c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace plz

int main(int argc, char** argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: seed_history DATABASE USER PROJECT COUNT\n");
    return 2;
  }
  return plz::seed(argv[1], argv[2], argv[3], atoi(argv[4]));
}
