// A store in a temporary directory with the API over it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/log.hpp"
#include "engine/log_list.hpp"
#include "engine/timestamp.hpp"
#include "index/catalog.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tools/api/service.hpp"

namespace docket::api {

class StoreFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    StoreOptions options;
    options.log.sync = false;
    options.free_space_floor = 0;
    auto opened = Store::open(posix_disk(), directory_.path(), options);
    ASSERT_TRUE(opened) << opened.error().describe();
    store_ = std::move(*opened);
    service_ = std::make_unique<Service>(
        *store_, catalog_,
        ServiceOptions{
            [this] { return RetentionRules{[this](std::string_view) { return policy_; }, 0}; },
            {}});
  }

  // An event of actor user:1 at `second` after a fixed moment.
  static Event event(int second, std::string_view verb = "EDIT") {
    Event made;
    made.ts = parse_rfc3339("2026-05-01T00:00:00Z").value() + Nanos{second} * 1'000'000'000;
    made.actor = {"user", "1", "Ada", ""};
    made.verb = verb;
    made.target = {"Contact", std::to_string(second), ""};
    return made;
  }

  // Durable on return.
  void add(const std::string& log, const std::vector<Event>& events) {
    BatchBuilder builder;
    std::vector<TargetView> related;
    for (const Event& each : events) {
      builder.add(view_of(each, related));
    }
    const auto stored = std::make_shared<std::promise<bool>>();
    auto done = stored->get_future();
    ProducerStamp stamp;
    stamp.node = "node-1";
    store_->log(log).value()->submit(
        builder.finish(), stamp, now_ns(),
        [stored](Result<Receipt> receipt) { stored->set_value(receipt.has_value()); });
    ASSERT_TRUE(done.get());
  }

  // Until segment `id` of the log is prepared: until then its manifest may be written at any time.
  void wait_until_prepared(const std::string& log, SegmentId id) {
    const auto is_listed = [&] {
      std::vector<std::string> damaged;
      const auto list = load_log_list(posix_disk(), directory_.path(), damaged);
      const ListedLog* const listed =
          list && list->is_in_both_copies ? list->value.find(log) : nullptr;
      return listed != nullptr && listed->begun >= id;
    };
    while (!is_listed()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  Answer get(const std::string& path, const Parameters& parameters = {}) {
    return service_->get(find_route("GET", path), parameters, nullptr);
  }

  const docket::testing::TemporaryDirectory directory_;
  index::Catalog catalog_{posix_disk(), {}};
  std::unique_ptr<Store> store_;
  RetentionPolicy policy_;
  std::unique_ptr<Service> service_;
};

}  // namespace docket::api
