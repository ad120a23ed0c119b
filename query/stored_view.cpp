#include "query/stored_view.hpp"

namespace docket::query {

ViewedEvent::ViewedEvent(const Event& event) {
  static_cast<EventView&>(view_) = view_of(event, related_);
  view_.log = event.log;
  view_.seq = event.seq;
  view_.received = event.received;
  view_.node = event.node;
}

void copy_event(const StoredView& view, Event& event) {
  assign(event, view);
  event.log = view.log;
  event.seq = view.seq;
  event.received = view.received;
  event.node = view.node;
}

}  // namespace docket::query
