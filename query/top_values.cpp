#include "query/top_values.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "query/field_values.hpp"

namespace docket::query {

void TopValues::add(std::string_view kind, std::string_view id, std::uint64_t count) {
  ++distinct_;
  sum_ += count;
  if (top_ == 0 || (heap_.size() == top_ && count < heap_.front().count)) {
    return;
  }
  FieldValue value{std::string(kind), std::string(id)};
  heap_.push_back(FacetValue{label_of(field_, value), count});
  std::push_heap(heap_.begin(), heap_.end(), before);
  if (heap_.size() > top_) {
    std::pop_heap(heap_.begin(), heap_.end(), before);
    heap_.pop_back();
  }
}

Facet TopValues::take() {
  std::sort(heap_.begin(), heap_.end(), before);
  Facet facet;
  facet.field = field_;
  facet.values = std::exchange(heap_, {});
  facet.distinct = distinct_;
  facet.other = sum_;
  for (const FacetValue& value : facet.values) {
    facet.other -= value.count;
  }
  return facet;
}

}  // namespace docket::query
