// A stored event as views: what renderers write, and what is read of many rows at a time.
#pragma once

#include <string_view>
#include <vector>

#include "engine/event.hpp"

namespace docket::query {

// The event as it was sent, and what the server gave it. Views of strings that somebody else holds.
struct StoredView : EventView {
  std::string_view log;
  Seq seq;
  Nanos received = 0;
  std::string_view node;
};

// An event and the views of it. `event` must outlive it.
class ViewedEvent {
 public:
  explicit ViewedEvent(const Event& event);
  ViewedEvent(const ViewedEvent&) = delete;  // the views are of this one's
  ViewedEvent& operator=(const ViewedEvent&) = delete;
  [[nodiscard]] const StoredView& view() const { return view_; }

 private:
  std::vector<TargetView> related_;
  StoredView view_;
};

// Sets every field of `event`.
void copy_event(const StoredView& view, Event& event);

}  // namespace docket::query
