// Manual pages in roff's man macros.
#pragma once

#include <string>
#include <string_view>

#include "tools/manual/program_text.hpp"

namespace docket::manual {

struct PageHead {
  int section = 1;
  std::string source;    // "docket 0.1.0"
  std::string see_also;  // "docketd(8), docket-query(7)"; may be empty
};

// docket(1): the program with all of its commands.
[[nodiscard]] std::string man_page(const CommandText& program, const PageHead& head);
// docket-search(1): one of its commands.
[[nodiscard]] std::string man_page_of_command(const CommandText& program,
                                              const CommandText& command, const PageHead& head);
// docket-query(7): a text that is laid out already.
[[nodiscard]] std::string man_page_of_text(std::string_view name, std::string_view title,
                                           std::string_view text, const PageHead& head);

}  // namespace docket::manual
