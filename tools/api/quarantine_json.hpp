// What has been set aside, as the API and the inspector write it.
#pragma once

#include <string>
#include <string_view>

#include "engine/quarantine.hpp"

namespace docket::api {

// An object {"log","time","file","kept","offset","bytes","first_seq","last_seq","reason"}; `kept`
// and the seqs are null where there are none.
void append_json_quarantine(std::string& out, std::string_view log, const QuarantineRecord& record);

}  // namespace docket::api
