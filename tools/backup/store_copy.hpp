// A copy of a store that is whole, made while its server goes on: for backups, and to restore one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/disk.hpp"
#include "engine/result.hpp"

namespace docket::backup {

struct Copied {
  std::uint64_t logs = 0, segments = 0, events = 0;
  std::uint64_t files_linked = 0, files_copied = 0;
  std::uint64_t bytes_copied = 0;
};

// Gives the file `from` the second name `to`. False: it cannot be done here (another file system,
// or one that has no such names), so the bytes have to be copied. Error: not_found, io.
using Link = std::function<Result<bool>(const std::string& from, const std::string& to)>;
// By link(2).
[[nodiscard]] Result<bool> hard_link(const std::string& from, const std::string& to);
// Copies always.
[[nodiscard]] Result<bool> no_link(const std::string& from, const std::string& to);

// Copies the store in `from`, which may be in use, to `to`, which must not be there or be empty.
// Every event is in the copy that was acknowledged before the call and has not been retired before
// its end; each log is as it was at one moment. Files that never change again are linked. Durable
// when it returns: the marker that makes `to` a store is written last, so a copy that was cut short
// is none. What is damaged in `from` is as damaged in the copy. Writes nothing to `from`. Thread:
// any; calls `show(events)` now and then.
// Errors: not_found, newer_format (`from`), exists (`to`), busy (the logs change faster than they
// can be looked at), io, no_space.
[[nodiscard]] Result<Copied> copy_store(Disk& disk, const std::string& from, const std::string& to,
                                        const Link& link,
                                        const std::function<void(std::uint64_t)>& show = {});

}  // namespace docket::backup
