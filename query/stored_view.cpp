#include "query/stored_view.hpp"

namespace docket::query {

namespace {

void copy_target(const TargetView& view, Target& target) {
  target.type = view.type;
  target.id = view.id;
  target.name = view.name;
}

}  // namespace

ViewedEvent::ViewedEvent(const Event& event) {
  static_cast<EventView&>(view_) = view_of(event, related_);
  view_.log = event.log;
  view_.seq = event.seq;
  view_.received = event.received;
  view_.node = event.node;
}

void copy_event(const StoredView& view, Event& event) {
  event.log = view.log;
  event.seq = view.seq;
  event.received = view.received;
  event.node = view.node;
  event.ts = view.ts;
  event.actor.kind = view.actor.kind;
  event.actor.id = view.actor.id;
  event.actor.name = view.actor.name;
  event.actor.role = view.actor.role;
  event.verb = view.verb;
  copy_target(view.target, event.target);
  event.related.resize(view.related.size());
  for (std::size_t i = 0; i < view.related.size(); ++i) {
    copy_target(view.related[i], event.related[i]);
  }
  event.affected = view.affected;
  event.ip = view.ip;
  event.outcome = view.outcome;
  event.reason = view.reason;
  event.session = view.session;
  event.request = view.request;
  event.payload = view.payload;
}

}  // namespace docket::query
