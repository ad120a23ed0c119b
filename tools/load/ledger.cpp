#include "tools/load/ledger.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

namespace docket::load {

Result<std::unique_ptr<LedgerWriter>> LedgerWriter::create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) {
    return fail_errno(path, errno);
  }
  return std::unique_ptr<LedgerWriter>(new LedgerWriter(file));
}

Result<void> LedgerWriter::record(const LedgerEntry& entry) {
  const std::string line = fmt::format("{} {} {} {} {}\n", entry.log, entry.first_seq, entry.rows,
                                       entry.first_index, entry.stride);
  const std::lock_guard lock(mutex_);
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size() ||
      std::fflush(file_.get()) != 0) {
    return fail_errno("writing the ledger", errno);
  }
  return {};
}

Result<std::vector<LedgerEntry>> read_ledger(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail(ErrorCode::not_found, fmt::format("{}: cannot be opened", path));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<LedgerEntry> entries;
  std::size_t at = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
    std::istringstream line(text.substr(at, end - at));
    LedgerEntry entry;
    std::string rest;
    if (!(line >> entry.log >> entry.first_seq >> entry.rows >> entry.first_index >>
          entry.stride) ||
        line >> rest || entry.rows == 0 || entry.stride == 0) {
      return fail(ErrorCode::corrupt,
                  fmt::format("{}: line {} is not 'log first_seq rows first_index stride'", path,
                              entries.size() + 1));
    }
    entries.push_back(std::move(entry));
    at = end + 1;
  }
  return entries;
}

}  // namespace docket::load
