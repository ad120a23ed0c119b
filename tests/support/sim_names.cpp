#include "tests/support/sim_names.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/assert.hpp"

namespace docket::testing {
namespace {

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

std::string normal_path(const std::string& path) {
  std::string result = path.starts_with('/') ? "/" : "";
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string part = path.substr(at, end - at);
    if (!part.empty() && part != ".") {
      if (!result.empty() && result != "/") {
        result += '/';
      }
      result += part;
    }
    at = end + 1;
  }
  return result.empty() ? "." : result;
}

bool SimNames::Change::is_in(const std::string& directory) const {
  return (!removed.empty() && parent_of(removed) == directory) ||
         (!added.empty() && parent_of(added) == directory);
}

void SimNames::Change::apply(Names& names) const {
  if (!removed.empty()) {
    names.erase(removed);
  }
  if (!added.empty()) {
    names[added] = inode;
  }
}

void SimNames::change(Change c) {
  c.apply(names_);
  pending_.push_back(std::move(c));
}

SimNames::InodePtr SimNames::find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

bool SimNames::is_directory(const std::string& path) const {
  return directories_.contains(path);
}

std::vector<std::string> SimNames::files() const {
  std::vector<std::string> paths;
  for (const auto& [path, inode] : names_) {
    paths.push_back(path);
  }
  return paths;
}

std::vector<DirectoryEntry> SimNames::list(const std::string& directory) const {
  std::vector<DirectoryEntry> entries;
  for (const auto& [path, inode] : names_) {
    if (parent_of(path) == directory) {
      entries.push_back({base_name(path), false, inode->size()});
    }
  }
  for (const std::string& path : directories_) {
    if (path != "/" && path != "." && parent_of(path) == directory) {
      entries.push_back({base_name(path), true, 0});
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const DirectoryEntry& a, const DirectoryEntry& b) { return a.name < b.name; });
  return entries;
}

int SimNames::parent_error(const std::string& path) const {
  const std::string parent = parent_of(path);
  if (directories_.contains(parent)) {
    return 0;
  }
  return names_.contains(parent) ? ENOTDIR : ENOENT;
}

void SimNames::add(const std::string& path, const InodePtr& inode) {
  change({"", path, inode});
}

void SimNames::rename(const std::string& from, const std::string& to) {
  InodePtr inode = find(from);
  DOCKET_ASSERT(inode != nullptr);
  if (from != to) {
    change({from, to, std::move(inode)});
  }
}

void SimNames::remove(const std::string& path) {
  change({path, "", nullptr});
}

void SimNames::add_directory(const std::string& path) {
  if (directories_.insert(path).second) {
    sync(parent_of(path));
  }
}

void SimNames::sync(const std::string& directory) {
  // A move out of this directory may stand on changes that were made in another one, so those to
  // the same names come with it.
  std::set<std::string> involved;
  std::vector<bool> durable(pending_.size());
  for (std::size_t i = pending_.size(); i-- > 0;) {
    const Change& c = pending_[i];
    if (c.is_in(directory) || involved.contains(c.removed) || involved.contains(c.added)) {
      durable[i] = true;
      for (const std::string& name : {c.removed, c.added}) {
        if (!name.empty()) {
          involved.insert(name);
        }
      }
    }
  }
  std::vector<Change> rest;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (durable[i]) {
      pending_[i].apply(durable_);
    } else {
      rest.push_back(std::move(pending_[i]));
    }
  }
  pending_ = std::move(rest);
}

SimNames SimNames::after_power_loss(std::mt19937_64& random) const {
  Names names = durable_;
  const bool in_order = random() % 2 == 0;
  const std::size_t kept = random() % (pending_.size() + 1);
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (in_order ? i < kept : random() % 2 == 0) {
      pending_[i].apply(names);
    }
  }
  SimNames survivor;
  survivor.directories_ = directories_;
  std::map<const SimInode*, InodePtr> copies;  // an unsynced rename may leave a file two names
  for (const auto& [path, inode] : names) {
    InodePtr& copy = copies[inode.get()];
    if (!copy) {
      copy = inode->after_power_loss(random);
    }
    survivor.names_[path] = copy;
  }
  survivor.durable_ = survivor.names_;
  return survivor;
}

SimNames SimNames::copy() const {
  std::map<const SimInode*, InodePtr> copies;
  const auto copy_of = [&](const InodePtr& inode) {
    InodePtr& copied = copies[inode.get()];
    if (inode && !copied) {
      copied = std::make_shared<SimInode>(*inode);
    }
    return copied;
  };
  SimNames other = *this;
  for (auto* names : {&other.names_, &other.durable_}) {
    for (auto& [path, inode] : *names) {
      inode = copy_of(inode);
    }
  }
  for (Change& c : other.pending_) {
    c.inode = copy_of(c.inode);
  }
  return other;
}

}  // namespace docket::testing
