#include "index/catalog.hpp"

#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "index/index_builder.hpp"
#include "index/index_verifier.hpp"
#include "index/section_cache.hpp"
#include "index/section_source.hpp"
#include "index/segment_index.hpp"

namespace docket::index {
namespace {

// Headers and tables of so many segments are kept; far more than a directory has segments.
constexpr std::size_t entries_max = 16384;

[[nodiscard]] std::string path_of(const SegmentInfo& segment) {
  const std::size_t dot = segment.path.rfind('.');
  const std::size_t slash = segment.path.rfind('/');
  const bool has_extension =
      dot != std::string::npos && (slash == std::string::npos || dot > slash);
  return (has_extension ? segment.path.substr(0, dot) : segment.path) + ".idx";
}

// A segment is its log, number and digest: a directory may have been replaced under our feet.
using Key = std::tuple<std::string, std::uint64_t, std::uint64_t>;

[[nodiscard]] Key key_of(const SegmentInfo& segment) {
  return {segment.log, segment.id.value, segment.digest};
}

}  // namespace

struct Catalog::State {
  struct Entry {
    std::mutex building;  // one thread finds or builds an index, the others wait for it
    std::shared_ptr<const SegmentIndex> index;
    std::optional<Error> failure;  // the segment cannot be read; not tried again
    std::list<Key>::iterator place;
    bool dropped = false;  // from `entries`; whoever still holds it uses it alone
  };

  State(Disk& d, const CatalogOptions& o)
      : disk(d), options(o), cache(std::make_shared<SectionCache>(o.memory_bytes)) {}

  Disk& disk;
  const CatalogOptions options;
  const std::shared_ptr<SectionCache> cache;

  mutable std::mutex mutex;  // of all below; never held while reading or building
  std::map<Key, std::shared_ptr<Entry>> entries;
  std::list<Key> by_use;  // most recently used first
  std::uint64_t resident = 0;
  CatalogStats stats;

  // The entry of a segment, made when missing, and marked as used.
  [[nodiscard]] std::shared_ptr<Entry> entry_of(const SegmentInfo& segment) {
    const std::lock_guard lock(mutex);
    const Key key = key_of(segment);
    if (const auto found = entries.find(key); found != entries.end()) {
      by_use.splice(by_use.begin(), by_use, found->second->place);
      return found->second;
    }
    // Whole or not at all: an allocation may fail.
    auto entry = std::make_shared<Entry>();
    std::list<Key> one = {key};
    entry->place = one.begin();
    entries.emplace(key, entry);
    by_use.splice(by_use.begin(), one);
    return entry;
  }

  // Takes `index` into `entry` and lets go of others above the budget.
  void keep(const std::shared_ptr<Entry>& entry, std::shared_ptr<const SegmentIndex> index) {
    const std::lock_guard lock(mutex);
    if (entry->index != nullptr && !entry->dropped) {
      resident -= entry->index->resident_bytes();
    }
    entry->index = std::move(index);
    if (entry->dropped) {
      return;
    }
    resident += entry->index->resident_bytes();
    while (by_use.size() > 1 && (resident > options.memory_bytes || by_use.size() > entries_max)) {
      const auto found = entries.find(by_use.back());
      if (found->second == entry) {
        break;
      }
      if (found->second->index != nullptr) {
        resident -= found->second->index->resident_bytes();
      }
      found->second->dropped = true;
      entries.erase(found);
      by_use.pop_back();
    }
  }

  [[nodiscard]] std::shared_ptr<const SegmentIndex> current(const Entry& entry) const {
    const std::lock_guard lock(mutex);
    return entry.index;
  }

  void count(std::uint64_t CatalogStats::* counter) {
    const std::lock_guard lock(mutex);
    ++(stats.*counter);
  }

  // The index as its file has it. not_found when there is none.
  [[nodiscard]] Result<std::shared_ptr<const SegmentIndex>> load(const SegmentInfo& segment) {
    DOCKET_ASSIGN(std::unique_ptr<SectionSource> source, file_source(disk, path_of(segment)));
    DOCKET_ASSIGN(std::shared_ptr<const SegmentIndex> index,
                  SegmentIndex::open(std::move(source), cache));
    if (index->segment() != segment.id || index->digest() != segment.digest ||
        index->rows() != segment.rows) {
      return fail(ErrorCode::corrupt, "index: it belongs to another segment");
    }
    return index;
  }

  // The index in memory or in its file, where it is whole; null else. The entry is being built by
  // the caller.
  [[nodiscard]] std::shared_ptr<const SegmentIndex> find(const std::shared_ptr<Entry>& entry,
                                                         const SegmentInfo& segment) {
    if (auto index = current(*entry); index != nullptr) {
      if (index->damaged()) {
        count(&CatalogStats::damaged);
        return nullptr;
      }
      return index;
    }
    auto loaded = load(segment);
    if (!loaded) {
      if (loaded.error().code == ErrorCode::corrupt) {
        count(&CatalogStats::damaged);
      }
      return nullptr;
    }
    count(&CatalogStats::loaded);
    keep(entry, *loaded);
    return *loaded;
  }

  // Builds the index. It is served from its file where that could be written, else from memory.
  [[nodiscard]] Result<std::shared_ptr<const SegmentIndex>> build(const SegmentReader& segment,
                                                                  Result<void>& written) {
    DOCKET_ASSIGN(std::vector<std::byte> bytes, build_index(segment));
    count(&CatalogStats::built);
    written = {};
    if (!options.read_only) {
      written = replace_file(disk, path_of(segment.info()), bytes);
      if (written) {
        return load(segment.info());
      }
    }
    return SegmentIndex::open(memory_source(std::move(bytes)), cache);
  }
};

Catalog::Catalog(Disk& disk, const CatalogOptions& options)
    : state_(std::make_unique<State>(disk, options)) {}

Catalog::~Catalog() = default;

Result<void> Catalog::build(const std::shared_ptr<const SegmentReader>& segment) {
  if (!segment->info().sealed) {
    return fail(ErrorCode::invalid_argument, "an active segment has no index");
  }
  const std::shared_ptr<State::Entry> entry = state_->entry_of(segment->info());
  const std::lock_guard lock(entry->building);
  Result<void> written;
  DOCKET_ASSIGN(std::shared_ptr<const SegmentIndex> index, state_->build(*segment, written));
  state_->keep(entry, std::move(index));
  return written;
}

Result<std::shared_ptr<const SegmentIndex>> Catalog::of(
    const std::shared_ptr<const SegmentReader>& segment) {
  if (!segment->info().sealed) {
    return std::shared_ptr<const SegmentIndex>();
  }
  const std::shared_ptr<State::Entry> entry = state_->entry_of(segment->info());
  if (auto index = state_->current(*entry); index != nullptr && !index->damaged()) {
    return index;
  }
  const std::lock_guard lock(entry->building);
  if (entry->failure) {
    return fail(*entry->failure);
  }
  if (auto index = state_->find(entry, segment->info())) {
    return index;
  }
  Result<void> written;
  auto built = state_->build(*segment, written);
  if (!built) {
    entry->failure = built.error();
    return built;
  }
  state_->keep(entry, *built);
  return built;
}

std::shared_ptr<const SegmentIndex> Catalog::existing(
    const std::shared_ptr<const SegmentReader>& segment) {
  if (!segment->info().sealed) {
    return nullptr;
  }
  const std::shared_ptr<State::Entry> entry = state_->entry_of(segment->info());
  if (auto index = state_->current(*entry); index != nullptr && !index->damaged()) {
    return index;
  }
  // Whoever is building it now takes longer than doing without it.
  const std::unique_lock lock(entry->building, std::try_to_lock);
  return lock.owns_lock() && !entry->failure ? state_->find(entry, segment->info()) : nullptr;
}

CatalogStats Catalog::stats() const {
  const std::lock_guard lock(state_->mutex);
  CatalogStats stats = state_->stats;
  stats.bytes = state_->resident + state_->cache->bytes();
  return stats;
}

Result<void> Catalog::verify(const std::shared_ptr<const SegmentReader>& segment) {
  if (!segment->info().sealed) {
    return fail(ErrorCode::invalid_argument, "an active segment has no index");
  }
  // Read anew, past the cache: verification is about the file.
  DOCKET_ASSIGN(const std::shared_ptr<const SegmentIndex> index, state_->load(segment->info()));
  return verify_index(*index, *segment);
}

}  // namespace docket::index
