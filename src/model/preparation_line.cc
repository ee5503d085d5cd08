#include "model/preparation_line.h"

#include <utility>

namespace plz {
namespace {

// Persisted: do not change.
constexpr std::pair<PreparationVoice, std::string_view> kMarks[] = {
    {PreparationVoice::info, "=> "}, {PreparationVoice::warning, "** "}, {PreparationVoice::progress, "-- "}};

}  // namespace

PreparationLine parse_preparation_line(std::string_view line) {
  for (const auto& [voice, mark] : kMarks)
    if (line.starts_with(mark)) return {voice, line.substr(mark.size())};
  return {PreparationVoice::engine, line};
}

std::string preparation_line(PreparationVoice voice, std::string_view text) {
  std::string line;
  for (const auto& [marked, mark] : kMarks)
    if (marked == voice) line = mark;
  return line.append(text).append("\n");
}

std::string warning_line(const Error& error) {
  return preparation_line(PreparationVoice::warning,
                          error.hint.empty() ? error.message : error.message + " (" + error.hint + ")");
}

}  // namespace plz
